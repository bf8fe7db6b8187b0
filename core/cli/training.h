/* What `knack run` and `knack resume` share: a run under the eyes of somebody who may press Ctrl-C. */
#ifndef CLI_TRAINING_H
#define CLI_TRAINING_H

#include "cli/console.h"
#include "train/run.h"

/* The request's observer is filled in. dry_run: shows what would be trained, and trains nothing. */
knack_status training_start(const struct console *, struct run_request *, bool dry_run);
knack_status training_resume(const struct console *, const char *folder, struct run_request *);
/* A trial of a comparison as a full run. changed: also where what it rests on has changed since, and it may come to something else. */
struct rerun;
knack_status training_repeat(const struct console *, struct rerun *, bool changed);

#endif
