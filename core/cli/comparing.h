/* Shows a comparison while it goes on: on a terminal the trials that run and the arms so far, drawn over themselves; lines elsewhere. */
#ifndef CLI_COMPARING_H
#define CLI_COMPARING_H

#include "cli/console.h"
#include "compare/comparison.h"

struct comparing {
    const struct console *console;
    int lines;           /* of the picture that stands above the cursor */
    bool told;           /* that an interrupt was seen */
    double drawn_at;     /* when that was, in seconds of a clock of its own */
    char phase[48];      /* of the latest line, elsewhere */
    double line_seconds; /* and when that was, in the comparison's time */
    int64_t line_done;
};

void comparing_start(struct comparing *, const struct console *);
struct comparison_observer comparing_observer(struct comparing *); /* Ctrl-C counts from interrupt_watch() on */
void comparing_stop(struct comparing *);                           /* takes the picture away */

#endif
