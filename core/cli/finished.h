/* Opening what a run wrote, which has to be finished for that. */
#ifndef CLI_FINISHED_H
#define CLI_FINISHED_H

#include "train/run.h"

/* run_reopen(), but of a run that was interrupted, killed or failed the error says so, and how it goes on. */
knack_status reopen_finished(const char *folder, const struct run_request *, struct run **);

#endif
