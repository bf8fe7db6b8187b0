/* From plan and grid to what may be said: estimates along both lines, families, verdicts' kinds, and whether the baseline's budget is
 * enough. Pure: the schedule decides by it, the report shows it, and the simulation of the rule calls it. docs/statistics.md has the rules.
 */
#ifndef COMPARE_INFERENCE_INFERENCE_H
#define COMPARE_INFERENCE_INFERENCE_H

#include "compare/inference/costs.h"

enum verdict_kind {
    VERDICT_NONE,
    VERDICT_IDENTICAL,
    VERDICT_HELPS,
    VERDICT_HURTS,
    VERDICT_NO_DIFFERENCE,
    VERDICT_NOT_WORTH_IT,
    VERDICT_INCONCLUSIVE,
    VERDICT_CANDIDATE, /* of screenings, which give no verdicts */
    VERDICT_NO_CANDIDATE
};
extern const char *const verdict_kind_name[]; /* "none", "identical", ... as files have them */

struct finding {
    const struct contrast *contrast;
    struct estimate estimate;      /* at equal updates: as the arms are configured */
    struct estimate at_equal_cost; /* n 0: there is none */
    struct estimate trained;       /* at equal updates over the blocks in which every trial of it trained; n 0: none failed */
    struct cost cost;              /* of what is on against what is off; NaN of interactions */
    bool cost_missing;             /* it costs more or less, and there is no baseline at that cost */
    bool score_missing;            /* trials failed, and no score for them is known: their blocks are left out, and there is no verdict */
    bool waits;                    /* for trials that the machine kept from being made */
    bool all_failed;               /* every trial of every arm */
    int64_t failed, base_failed;   /* trials within the estimate's blocks that failed where it is on, off */
    double p, p_adjusted;          /* of the effect: the largest of its lines' p (Berger 1982), and Holm's over the family or the q */
    enum verdict_kind updates, equal; /* what each line says alone */
    enum verdict_kind kind;           /* what both say */
    bool by_failures;                 /* it would claim an effect, but only one side's failures make it: trials that train do not */
    bool by_cost;                     /* the verdict's line is the one at equal cost */
    bool decided;                     /* by every line that it has */
};

/* Is the baseline done? Its gain from a larger budget, seed by seed. */
struct convergence {
    bool known, enough;
    double factor; /* how many times the budget it was trained */
    int64_t n;
    double gain, low; /* mean, and one-sided 95 % lower limit; larger is better */
};

enum progress { PROGRESS_OPEN, PROGRESS_WAITING, PROGRESS_DONE }; /* waiting: all that the machine allowed is done */

struct inference {
    const struct plan *plan;
    struct finding *finding; /* [plan->contrasts] */
    int64_t family_size[2];
    struct convergence convergence;
    double *memory;
};

/* limit: only the first so many blocks. plan, grid: the caller's, to be there as long (grid: during the call). */
knack_status inference_make(const struct plan *, const struct grid *, enum progress, int64_t limit, struct inference *);
void inference_free(struct inference *); /* zeroed is fine */

/* The estimate that the verdict rests on. */
const struct estimate *finding_line(const struct finding *);
/* What one line says. sure: its adjusted p is below ALPHA. */
enum verdict_kind judge_line(const struct estimate *, bool sure, double margin);
/* Whether more trials failed on one side, so that those that train have to show an effect too; not if none do. */
bool finding_asks_trained(const struct finding *);
/* kind, by_cost and decided, from the estimates. */
void judge_finding(const struct plan *, struct finding *);
/* Interaction of tricks, not an effect. */
bool contrast_is_interaction(const struct contrast *);

#endif
