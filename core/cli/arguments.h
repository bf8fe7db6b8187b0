/* Commands and their command lines, as tables: each command says which options and operands it has, and where their values go. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include "cli/console.h"

enum argument_kind {
    ARGUMENT_FLAG,    /* bool: --force */
    ARGUMENT_TEXT,    /* const char *: --out DIR; the last one holds */
    ARGUMENT_TEXTS,   /* struct argument_texts: --set KEY=VALUE, again and again */
    ARGUMENT_INTEGER, /* struct argument_integer: --seeds 10 */
    ARGUMENT_NUMBER,  /* struct argument_number: --margin 0.002 */
    ARGUMENT_OPERAND, /* const char *, must be there: CONFIG */
    ARGUMENT_MAY_BE   /* const char *, an operand that may be left out */
};

struct argument_texts {
    const char **value; /* [count], pointing into argv */
    int64_t count;
};

struct argument_integer {
    bool said;
    int64_t value;
};
struct argument_number {
    bool said;
    double value;
};

struct argument {
    const char *name; /* "--out"; of an operand "CONFIG" */
    char letter;      /* 'o' for -o, or 0 */
    enum argument_kind kind;
    size_t offset;     /* in the command's options */
    const char *value; /* what follows the name: "DIR"; shells complete it, or an operand's name, by the table in pages/completion.c */
    const char *help;
    double least, most;        /* of INTEGER and NUMBER; both 0: any */
    const char *const *choice; /* the words that the value is one of, ended by NULL; NULL: any */
};
extern const struct argument shared_arguments[]; /* what every command takes */

struct command {
    const char *name, *summary, *example;
    const struct argument *arguments; /* ends with a NULL name */
    size_t options_size;              /* of the struct that the arguments fill, which run() gets */
    knack_status (*run)(const struct console *, const void *options);
};

bool argument_is_option(const struct argument *); /* no operand */
/* Fills options and the flags that all commands share; help: --help was there, and nothing else counts. Errors are KNACK_E_USAGE. */
knack_status arguments_read(const struct command *, int count, char *const *text, struct console *, bool *help, void *options);
void arguments_free(const struct command *, void *options); /* what options point to; not options */
/* The command line that says the same, in a shell's quotes; memory_free(), NULL without memory. */
char *arguments_text(const struct command *, const void *options);
/* Whether the flag stands among the words, before a "--". */
bool arguments_flag(int count, char *const *text, const char *name);
void arguments_help(const struct command *); /* to standard output */

#endif
