/* Pages in man(7), the macros that every man program knows. */
#include <ctype.h>
#include <knack/knack.h>

#include "cli/pages/pages.h"

/* Text that roff prints as it stands: no escapes, no hyphens that are minus signs, no requests at the beginning of a line. */
static void put(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'') fputs("\\&", out);
    for (; *text; text++) switch (*text) {
        case '-':
            fputs("\\-", out);
            break;
        case '\\':
            fputs("\\e", out);
            break;
        case '\'':
            fputs("\\(aq", out);
            break;
        case '`':
            fputs("\\(ga", out);
            break;
        case '^':
            fputs("\\(ha", out);
            break;
        case '~':
            fputs("\\(ti", out);
            break;
        default:
            fputc(*text, out);
        }
}

static void put_line(FILE *out, const char *text)
{
    put(out, text);
    fputc('\n', out);
}

/* In bold (B) or italics (I), up to the next change. */
static void put_in(FILE *out, char font, const char *text)
{
    fprintf(out, "\\f%c", font);
    put(out, text);
    fputs("\\fR", out);
}

static void begin(FILE *out, const char *command)
{
    fputs(".TH KNACK", out);
    if (*command) fputs("\\-", out);
    for (const char *letter = command; *letter; letter++) fputc(toupper((unsigned char)*letter), out);
    fprintf(out, " 1 \"\" \"knack %s\" \"knack manual\"\n.nh\n.ad l\n.SH NAME\nknack", knack_version());
    if (*command) fputs("\\-", out);
    put(out, command);
    fputs(" \\- ", out);
}

/* A list of words and what they mean. */
static void put_glosses(FILE *out, const char *heading, const struct gloss *gloss)
{
    fprintf(out, ".SH %s\n", heading);
    for (; gloss->name; gloss++) {
        fputs(".TP\n", out);
        put_in(out, 'B', gloss->name);
        fputc('\n', out);
        put_line(out, gloss->text);
    }
}

static void put_argument(FILE *out, const struct argument *argument)
{
    fputs(".TP\n", out);
    if (argument->letter) {
        put_in(out, 'B', (const char[]){'-', argument->letter, 0});
        fputs(", ", out);
    }
    put_in(out, argument_is_option(argument) ? 'B' : 'I', argument->name);
    if (argument->value) {
        fputc(' ', out);
        put_in(out, 'I', argument->value);
    }
    fputc('\n', out);
    put_line(out, argument->help);
}

static void put_arguments(FILE *out, const struct argument *argument, bool options)
{
    for (; argument->name; argument++)
        if (argument_is_option(argument) == options) put_argument(out, argument);
}

static void put_synopsis(FILE *out, const struct command *command)
{
    fputs(".SH SYNOPSIS\n", out);
    put_in(out, 'B', "knack ");
    put_in(out, 'B', command->name);
    for (const struct argument *argument = command->arguments; argument->name; argument++) {
        if (argument_is_option(argument)) continue;
        fputs(argument->kind == ARGUMENT_OPERAND ? " " : " [", out);
        put_in(out, 'I', argument->name);
        if (argument->kind != ARGUMENT_OPERAND) fputc(']', out);
    }
    fputs(" [\\fIOPTION\\fR]...\n", out);
}

/* The others are those of the same program; but, if not NULL, itself. */
static void put_see_also(FILE *out, const struct command *but)
{
    fputs(".SH SEE ALSO\n", out);
    if (but) fputs(".BR knack (1)", out);
    for (const struct command *const *command = program_commands; *command; command++) {
        if (*command == but) continue;
        fputs(command == program_commands && !but ? ".BR knack\\-" : ",\n.BR knack\\-", out);
        put(out, (*command)->name);
        fputs(" (1)", out);
    }
    fputc('\n', out);
}

/* A summary is a sentence; the line of NAME begins small and ends without a full stop. */
static void put_name(FILE *out, const char *summary)
{
    char line[256];
    int length = snprintf(line, sizeof line, "%s", summary);
    if (length > 0 && length < (int)sizeof line && line[length - 1] == '.') line[length - 1] = 0;
    line[0] = (char)tolower((unsigned char)line[0]);
    put_line(out, line);
}

void manual_write_command(FILE *out, const struct command *command)
{
    begin(out, command->name);
    put_name(out, command->summary);
    put_synopsis(out, command);
    fputs(".SH DESCRIPTION\n", out);
    put_line(out, command->summary);
    put_arguments(out, command->arguments, false);
    fputs(".SH OPTIONS\n", out);
    put_arguments(out, command->arguments, true);
    put_arguments(out, shared_arguments, true);
    put_glosses(out, "EXIT STATUS", program_exits);
    put_glosses(out, "ENVIRONMENT", program_variables);
    fputs(".SH EXAMPLES\n.EX\n", out);
    put_line(out, command->example);
    fputs(".EE\n", out);
    put_see_also(out, command);
}

void manual_write(FILE *out)
{
    begin(out, "");
    put_line(out, "train neural networks, and compare training tricks");
    fputs(".SH SYNOPSIS\n\\fBknack\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...\n.SH DESCRIPTION\n", out);
    put_line(out, program_summary);
    fputs(".SH COMMANDS\n", out);
    for (const struct command *const *command = program_commands; *command; command++) {
        fputs(".TP\n.BR knack\\-", out);
        put(out, (*command)->name);
        fputs(" (1)\n", out);
        put_line(out, (*command)->summary);
    }
    put_glosses(out, "OPTIONS", program_options);
    put_glosses(out, "EXIT STATUS", program_exits);
    put_glosses(out, "ENVIRONMENT", program_variables);
    put_glosses(out, "EXAMPLES", program_examples);
    put_see_also(out, NULL);
}
