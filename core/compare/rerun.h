/* One stored trial once more, as a full run: log, weights, results. Trials repeat to the bit, so the run is what the trial was. */
#ifndef COMPARE_RERUN_H
#define COMPARE_RERUN_H

#include "compare/store/store.h"
#include "train/run.h"

struct rerun {
    struct plan *plan;
    int64_t arm;
    struct stored_trial trial;
    char *identity;             /* what the trial rested on; NULL: not known */
    char seed[32];              /* "seed=2003" */
    const char *set[1];         /* seed */
    struct run_request request; /* what the caller opens, with its own folder and observer; its texts are the rerun's */
};

/* Finds "ARM:SEED" in the comparison's folder. project: where its configs' relative paths start now, or NULL. rerun_free() whatever comes
 * of it. */
knack_status rerun_find(const char *folder, const char *project, const char *which, struct rerun *);
/* Refuses (KNACK_E_USAGE) an open run that rests on other code, data or settings than the trial did, saying which. */
knack_status rerun_check(const struct rerun *, struct run *);
/* Refuses (KNACK_E_CALL) a trained run whose primary metric is not the stored one to the bit. */
knack_status rerun_compare(const struct rerun *, const struct run *);
void rerun_free(struct rerun *);

#endif
