/* What a comparison would take, before it is begun: trials, seconds, bytes, and seeds for its margin. All is found out on a copy that goes
 * in the end: nothing is written in the comparison's folder, nor in the ledger. */
#ifndef COMPARE_FORECAST_H
#define COMPARE_FORECAST_H

#include "compare/comparison.h"

struct forecast_arm {
    int64_t planned, done; /* trials; done: in the folder already, or taken over */
    double seconds;        /* of one; NaN: it could not be measured */
};
struct forecast_contrast {
    double deviation;  /* of the differences between seeds, larger for few of them; NaN: not known */
    double detectable; /* effect that the planned seeds find with 80 % power at the family's level */
    int64_t needed;    /* seeds that find the margin so; 0: not known */
};
struct forecast {
    const struct plan *plan;             /* with longer baselines, as far as costs that were measured ask for them */
    struct forecast_arm *arm;            /* [plan->arms] */
    struct forecast_contrast *contrast;  /* [plan->contrasts] */
    int64_t jobs, done, planned, most;   /* trials; most: where results decide how many */
    int64_t taken;                       /* of those that are done: from other folders */
    int64_t pilot;                       /* complete seeds that deviations are of; 0: none */
    bool on_tuning_seeds;                /* these were trained for the purpose, on seeds from 0 on; else they are the folder's */
    double seconds, seconds_most, bytes; /* of what is to be made */
    struct comparison *comparison;
};

/* pilot: seeds to train for the deviations; 0: those that the folder holds. The observer is told of steps and warnings, not of notes. */
knack_status forecast_make(const struct comparison_request *, int64_t pilot, struct forecast *);
void forecast_free(struct forecast *); /* whatever came of it */

#endif
