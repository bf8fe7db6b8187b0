#include "cli/arguments.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/growing.h"
#include "base/memory.h"
#include "base/text.h"

/* What every command takes. */
struct shared {
    bool json, quiet, help;
};
const struct argument shared_arguments[] = {
    {"--json", 0, ARGUMENT_FLAG, offsetof(struct shared, json), NULL, "print results as JSON, errors too"},
    {"--quiet", 'q', ARGUMENT_FLAG, offsetof(struct shared, quiet), NULL, "no progress and no notes; warnings and errors remain"},
    {"--help", 'h', ARGUMENT_FLAG, offsetof(struct shared, help), NULL, "this text"},
    {NULL},
};

/* The state of reading one command line. */
struct reading {
    const struct command *command;
    int count, at; /* words, and which one is next */
    char *const *text;
    struct shared shared;
    char *options;                  /* the command's struct, by bytes */
    const struct argument *operand; /* the next one to fill */
    bool only_operands;             /* after "--" */
};

bool argument_is_option(const struct argument *argument)
{
    return argument->name[0] == '-';
}

static const struct argument *next_operand(const struct argument *argument)
{
    while (argument->name && argument_is_option(argument)) argument++;
    return argument;
}

/* The argument of table that a word such as "--out", "--out=DIR" or "-o" names, or NULL. */
static const struct argument *find_option(const struct argument *table, const char *word, size_t length)
{
    for (const struct argument *argument = table; argument->name; argument++) {
        if (!argument_is_option(argument)) continue;
        if (strlen(argument->name) == length && strncmp(argument->name, word, length) == 0) return argument;
        if (argument->letter && length == 2 && word[0] == '-' && word[1] == argument->letter) return argument;
    }
    return NULL;
}

static knack_status unknown_option(const struct command *command, const char *word, size_t length)
{
    enum { MOST = 32 };
    const char *names[MOST];
    int64_t count = 0;
    const struct argument *const tables[] = {command->arguments, shared_arguments};
    for (int t = 0; t < 2; t++)
        for (const struct argument *argument = tables[t]; argument->name && count < MOST; argument++)
            if (argument_is_option(argument)) names[count++] = argument->name;
    char option[64];
    snprintf(option, sizeof option, "%.*s", (int)(length < sizeof option ? length : sizeof option - 1), word);
    const char *nearest = text_nearest(option, names, count);
    if (nearest) return status_set(KNACK_E_USAGE, "knack %s has no option %s; did you mean %s?", command->name, option, nearest);
    return status_set(KNACK_E_USAGE, "knack %s has no option %s; `knack %s --help` lists what there is", command->name, option,
                      command->name);
}

static knack_status expect_number(const struct argument *argument, const char *value)
{
    char least[32], most[32];
    const char *kind = argument->kind == ARGUMENT_INTEGER ? "a whole number" : "a number";
    if (argument->least == 0 && argument->most == 0) return status_set(KNACK_E_USAGE, "%s %s: expected %s", argument->name, value, kind);
    if (isinf(argument->most))
        return status_set(KNACK_E_USAGE, "%s %s: expected %s from %s on", argument->name, value, kind, text_number(least, argument->least));
    return status_set(KNACK_E_USAGE, "%s %s: expected %s from %s to %s", argument->name, value, kind, text_number(least, argument->least),
                      text_number(most, argument->most));
}

static knack_status store_number(const struct argument *argument, void *place, const char *value)
{
    const char *end = value + strlen(value);
    double number;
    bool any = argument->least == 0 && argument->most == 0, whole = argument->kind == ARGUMENT_INTEGER;
    if (text_parse(value, end, &number) != end || !isfinite(number) || (whole && (number != floor(number) || fabs(number) >= 0x1p53)) ||
        (!any && (number < argument->least || number > argument->most)))
        return expect_number(argument, value);
    if (whole)
        *(struct argument_integer *)place = (struct argument_integer){true, (int64_t)number};
    else
        *(struct argument_number *)place = (struct argument_number){true, number};
    return KNACK_OK;
}

static knack_status store_text(const struct argument *argument, void *place, const char *value)
{
    if (argument->kind != ARGUMENT_TEXTS) {
        *(const char **)place = value;
        return KNACK_OK;
    }
    struct argument_texts *texts = place;
    const char **grown = memory_resize(texts->value, (size_t)texts->count + 1, sizeof *grown);
    if (!grown) return KNACK_E_MEMORY;
    grown[texts->count++] = value;
    texts->value = grown;
    return KNACK_OK;
}

static knack_status read_option(struct reading *reading, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const struct argument *argument = find_option(reading->command->arguments, word, length);
    char *base = reading->options;
    if (!argument) {
        argument = find_option(shared_arguments, word, length);
        base = (char *)&reading->shared;
    }
    if (!argument) return unknown_option(reading->command, word, length);
    if (argument->kind == ARGUMENT_FLAG) {
        if (equals) return status_set(KNACK_E_USAGE, "%s takes no value", argument->name);
        *(bool *)(void *)(base + argument->offset) = true;
        return KNACK_OK;
    }
    const char *value = equals ? equals + 1 : reading->at < reading->count ? reading->text[reading->at++] : "";
    if (!*value) return status_set(KNACK_E_USAGE, "%s needs a value: %s %s", argument->name, argument->name, argument->value);
    if (argument->kind == ARGUMENT_INTEGER || argument->kind == ARGUMENT_NUMBER)
        return store_number(argument, base + argument->offset, value);
    return store_text(argument, base + argument->offset, value);
}

static knack_status read_operand(struct reading *reading, const char *word)
{
    const struct argument *operand = reading->operand;
    if (!operand->name)
        return status_set(KNACK_E_USAGE, "knack %s does not take \"%s\"; `knack %s --help` says what it takes", reading->command->name,
                          word, reading->command->name);
    reading->operand = next_operand(operand + 1);
    return store_text(operand, reading->options + operand->offset, word);
}

knack_status arguments_read(const struct command *command, int count, char *const *text, struct console *console, bool *help, void *options)
{
    struct reading reading = {.command = command, .count = count, .text = text, .options = options};
    reading.operand = next_operand(command->arguments);
    while (reading.at < count) {
        const char *word = text[reading.at++];
        if (!reading.only_operands && strcmp(word, "--") == 0)
            reading.only_operands = true;
        else if (!reading.only_operands && word[0] == '-' && word[1])
            TRY(read_option(&reading, word));
        else
            TRY(read_operand(&reading, word));
    }
    console->json |= reading.shared.json;
    console->quiet |= reading.shared.quiet;
    *help = reading.shared.help;
    if (!*help && reading.operand->name && reading.operand->kind == ARGUMENT_OPERAND)
        return status_set(KNACK_E_USAGE, "knack %s needs %s: %s; for example `%s`", command->name, reading.operand->name,
                          reading.operand->help, command->example);
    return KNACK_OK;
}

void arguments_free(const struct command *command, void *options)
{
    for (const struct argument *argument = command->arguments; argument->name; argument++)
        if (argument->kind == ARGUMENT_TEXTS) {
            struct argument_texts *texts = (void *)((char *)options + argument->offset);
            memory_free(texts->value);
        }
}

/* ---- The command line again ---- */

static bool is_plain(const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./,=:+@%";
    return *word && strspn(word, plain) == strlen(word);
}

/* A blank, and the word as a shell reads it back. */
static void add_word(struct growing *text, const char *word)
{
    bool plain = is_plain(word);
    growing_put_text(text, plain ? " " : " '");
    for (; *word; word++)
        if (*word == '\'')
            growing_put_text(text, "'\\''");
        else
            growing_put(text, word, 1);
    if (!plain) growing_put_text(text, "'");
}

static void add_argument(struct growing *text, const struct argument *argument, const void *place)
{
    const struct argument_texts *texts = place;
    char number[32];
    switch (argument->kind) {
    case ARGUMENT_FLAG:
        if (*(const bool *)place) add_word(text, argument->name);
        return;
    case ARGUMENT_TEXTS:
        for (int64_t i = 0; i < texts->count; i++) {
            add_word(text, argument->name);
            add_word(text, texts->value[i]);
        }
        return;
    case ARGUMENT_INTEGER:
    case ARGUMENT_NUMBER:
        if (!*(const bool *)place) return; /* said */
        add_word(text, argument->name);
        add_word(text, text_number(number, argument->kind == ARGUMENT_NUMBER ? ((const struct argument_number *)place)->value
                                                                             : (double)((const struct argument_integer *)place)->value));
        return;
    default:
        if (!*(const char *const *)place) return;
        if (argument_is_option(argument)) add_word(text, argument->name);
        add_word(text, *(const char *const *)place);
    }
}

char *arguments_text(const struct command *command, const void *options)
{
    struct growing text = {0};
    growing_put_text(&text, "knack ");
    growing_put_text(&text, command->name);
    for (int pass = 0; pass < 2; pass++)
        for (const struct argument *argument = command->arguments; argument->name; argument++)
            if (argument_is_option(argument) == (pass == 1)) add_argument(&text, argument, (const char *)options + argument->offset);
    return growing_take(&text);
}

bool arguments_flag(int count, char *const *text, const char *name)
{
    for (int i = 0; i < count && strcmp(text[i], "--") != 0; i++)
        if (strcmp(text[i], name) == 0) return true;
    return false;
}

static void print_synopsis(const struct command *command)
{
    printf("usage: knack %s", command->name);
    for (const struct argument *argument = command->arguments; argument->name; argument++)
        if (!argument_is_option(argument)) printf(argument->kind == ARGUMENT_OPERAND ? " %s" : " [%s]", argument->name);
    puts(" [OPTION]...");
}

static void print_arguments(const struct argument *table, bool options)
{
    for (const struct argument *argument = table; argument->name; argument++) {
        if (argument_is_option(argument) != options) continue;
        char left[64], letter[5] = "";
        if (argument->letter) snprintf(letter, sizeof letter, "-%c, ", argument->letter);
        snprintf(left, sizeof left, "%s%s%s%s", letter, argument->name, argument->value ? " " : "", argument->value ? argument->value : "");
        printf("  %-20s  %s\n", left, argument->help);
    }
}

void arguments_help(const struct command *command)
{
    printf("%s\n\n", command->summary);
    print_synopsis(command);
    putchar('\n');
    print_arguments(command->arguments, false);
    print_arguments(command->arguments, true);
    print_arguments(shared_arguments, true);
    printf("\nexample: %s\n", command->example);
}
