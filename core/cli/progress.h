/* Shows a run while it goes on: a bar on a terminal, lines elsewhere. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/console.h"
#include "train/run.h"

enum { PROGRESS_TEXT = 256 };

struct progress {
    const struct console *console;
    bool drawn;                     /* the cursor stands behind a bar */
    bool told;                      /* that an interrupt was seen */
    int64_t validated;              /* epoch of `validation` */
    char validation[PROGRESS_TEXT]; /* "validation accuracy 0.9655 (raw), 0.9711 (ema)" of the latest epoch that was evaluated */
    char metric[64];                /* "accuracy 0.9655": the first of those */
    char line[2 * PROGRESS_TEXT];   /* without a terminal: the line that is printed with what the epoch's evaluation gives; "": none */
    int64_t line_epochs;            /* epochs that were finished when the latest line was made */
    double line_seconds;            /* and when that was, in the run's time */
};

void progress_start(struct progress *, const struct console *);
struct run_observer progress_observer(struct progress *); /* Ctrl-C counts from interrupt_watch() on */
void progress_note(struct progress *, const char *text);  /* a line, unless told to be quiet */
void progress_stop(struct progress *);                    /* takes the bar away */

#endif
