/* Where the program writes, and in which form: results to standard output, progress, warnings and errors to standard error. */
#ifndef CLI_CONSOLE_H
#define CLI_CONSOLE_H

#include "base/json.h"

struct console {
    bool json;                                 /* results as JSON */
    bool quiet;                                /* no progress, no notes */
    bool result_on_screen, progress_on_screen; /* standard output, standard error is a terminal */
    int64_t result_width;                      /* of standard output in characters; 0: no screen, no limit */
    bool colour;                               /* of what goes to standard error */
    bool unicode;                              /* the terminal shows UTF-8 */
};

/* Characters and lines of the terminal that a file shows; 80 and 24 if it does not say. */
void console_screen(int file, int *width, int *height);
/* Finds out what the terminal can do; json and quiet are false. */
void console_open(struct console *);
void console_warning(const struct console *, const char *text);
/* Reports the thread's error as "knack: MESSAGE", with json also as an object on standard output; returns the exit status of code. */
int console_fail(const struct console *, knack_status code);
/* Prints JSON text as a line of standard output and frees it; NULL is an error that was set before. */
knack_status console_print(char *text);
knack_status console_print_json(struct json_writer *); /* what was written so far; frees the writer */
/* Whether all that was printed has arrived. */
knack_status console_flush(void);

#endif
