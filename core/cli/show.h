/* Results and facts of a run as people read them, on standard output. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli/console.h"
#include "train/run.h"

/* What a finished run gave: evaluations, tricks, and what was written; or with json its result.json. */
knack_status show_result(const struct console *, struct run *);
/* What a run would be: config, sizes, tricks, time. */
knack_status show_facts(const struct console *, struct run *);

#endif
