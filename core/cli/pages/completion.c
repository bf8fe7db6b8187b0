/* A line for each word of each command: "COMMAND WORD KIND [CHOICE]...". Letters get lines of their own. */
#include <string.h>

#include "cli/pages/pages.h"

/* What an option's value, or an operand, is called in the tables, and what a shell can offer for such. */
static const char *const kind_of[][2] = {
    {"CONFIG", "file"}, {"FILE", "file"},    {"INPUT", "file"},  {"PATH", "file"},
    {"DIR", "folder"},  {"OTHER", "folder"}, {"TRICK", "trick"}, {"TRICKS", "tricks"},
};

static const char *find_kind(const struct argument *argument)
{
    const char *name = argument_is_option(argument) ? argument->value : argument->name;
    if (!name) return "flag";
    if (argument->choice) return "choice";
    for (size_t i = 0; i < sizeof kind_of / sizeof *kind_of; i++)
        if (strcmp(kind_of[i][0], name) == 0) return kind_of[i][1];
    return "text";
}

static void put_arguments(FILE *out, const char *command, const struct argument *argument)
{
    for (; argument->name; argument++) {
        const char *kind = find_kind(argument);
        fprintf(out, "%s %s %s", command, argument->name, kind);
        for (const char *const *choice = argument->choice; choice && *choice; choice++) fprintf(out, " %s", *choice);
        fputc('\n', out);
        if (argument->letter) fprintf(out, "%s -%c %s\n", command, argument->letter, kind);
    }
}

void completion_write(FILE *out)
{
    fputs("_knack_words='\n", out);
    for (const struct gloss *option = program_options; option->name; option++) fprintf(out, "knack %s flag\n", option->name);
    for (const struct command *const *command = program_commands; *command; command++) {
        fprintf(out, "knack %s command\n", (*command)->name);
        put_arguments(out, (*command)->name, (*command)->arguments);
        put_arguments(out, (*command)->name, shared_arguments);
    }
    fputs("'\n", out);
}
