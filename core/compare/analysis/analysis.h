/* All that a report says, computed from a store: estimates, verdicts, costs, and what the figures show. Values are turned so that larger is
 * better within estimates (delta > 0: helps); means are as the metric is. docs/compare.md explains the methods to users. */
#ifndef COMPARE_ANALYSIS_ANALYSIS_H
#define COMPARE_ANALYSIS_ANALYSIS_H

#include "base/number.h"
#include "compare/inference/inference.h"

struct arena;

/* Chance of training and of test examples apart. Known where the metric is a mean over examples, every trial of the estimate was evaluated
 * and the test set is the same for all seeds. Where seeds redraw it, transfer is the estimate's own interval. */
struct two_level {
    bool known;
    int64_t seeds, examples;
    double se, df, p;
    struct interval transfer;                                     /* to new seeds and new test examples */
    double seed_share, example_share, interaction_share;          /* parts of the variance of the mean difference; sum 1 */
    double seed_variance, example_variance, interaction_variance; /* of the mean difference */
};

struct arm_result {
    const struct arm *arm;
    int64_t n, failed;                  /* trials finished, of them failed */
    double mean, sd;                    /* as the metric is, failed ones at their score */
    int64_t *seed;                      /* [n] ascending */
    double *value;                      /* [n] as the metric is, failed ones at their score */
    bool *failure;                      /* [n] */
    const struct stored_trial **trial;  /* [n] */
    double gradient_rows, forward_rows; /* a trial, mean */
    struct cost cost;
    double inference;                    /* forwards per test example */
    double seconds;                      /* median of a trial */
    double cpu_seconds;                  /* the same of CPU time */
    int64_t peak_memory;                 /* median */
    double failure_bound;                /* failure rate that is still possible at 95 %, if none failed; else NaN */
    double p_failures;                   /* exact test on discordant failures against the baseline; NaN: none */
    bool pareto;                         /* nothing is as cheap and as good, and better in one of them */
    struct trial_metric_mean *secondary; /* [secondaries] final metrics of the primary weights, mean over trials: without a verdict */
    int64_t secondaries;
    double *recall, *recall_delta; /* [plan->classes] mean over trials, and of the differences within seeds; NULL: labels are not known */
    const char *idle;              /* a trick that never acted in a trial; NULL: none */
};
struct trial_metric_mean {
    char part[12], metric[24];
    double mean, sd, delta; /* delta: paired, against the baseline, as the metric is */
    int64_t n;
};

/* Over time; of validation's primary metric, or of the training loss where there is no validation part. */
struct curve {
    int64_t points;
    double *epoch;                          /* [points] */
    double *value;                          /* [n, points], a row for each trial of the arm, in order of its seeds; NaN: none */
    double *mean, *difference, *low, *high; /* [points]; against the baseline, pointwise 95 % t; NaN: none */
};

struct verdict {
    enum verdict_kind kind;
    char *word;       /* "HELPS", "HELPS, but less than 0.2 points" */
    char *sentence;   /* the whole line, qualifiers too */
    char **qualifier; /* [qualifiers] */
    int64_t qualifiers;
};

struct contrast_result {
    const struct contrast *contrast;
    const char *title;             /* what to call it: with its aliases, "A x B or C x D", never the name of one */
    struct estimate estimate;      /* at equal updates */
    struct estimate at_equal_cost; /* n 0: not measured */
    double p, p_adjusted;          /* of both lines together, or of the line whose word stands */
    enum verdict_kind updates_say, equal_cost_says;
    bool by_cost, by_failures, decided, waits, all_failed;
    int64_t trained;      /* seeds in which every trial of it trained, where some failed, */
    double trained_delta; /* and their mean difference */
    struct two_level two_level;
    struct cost costs;
    double equal_cost;       /* at which the baseline is read: costs.at */
    bool equal_cost_missing; /* it costs more or less, and there is no such baseline */
    /* Cost at which the baseline reaches the arm's mean, divided by the arm's; NaN: unknown; inf: beyond what was run. */
    double equal_quality_saving;
    double base_mean, arm_mean;  /* over the estimate's blocks, as the metric is: where it is off and on; NaN of interactions */
    int64_t base_failed, failed; /* trials within these blocks that failed where it is off, on */
    bool score_missing;          /* trials failed, and no score for them is known: their blocks are left out, and there is no verdict */
    struct verdict verdict;
};

/* What a reader of verdicts has to know beside them. */
struct remark {
    const char *about; /* a word or two: "budget"; "": it goes on with what the one before is about */
    const char *text;
    bool alarm; /* it bears on what the verdicts are worth */
};

struct analysis {
    struct plan *plan;
    char status[32];
    int64_t comparison_number;          /* on this test set; 0: not entered */
    int64_t blocks;                     /* complete ones of all arms but the baseline's budgets */
    struct stored_trial *trial, *aside; /* by seed, then arm: those that count, and those that were set aside */
    int64_t trials, asides;
    struct stored_warning *warning; /* what trials said, by arm */
    int64_t warnings;
    double cpu_seconds;               /* that all of them took, those from other folders left out */
    struct arm_result *arm;           /* [plan->arms] */
    struct contrast_result *contrast; /* [plan->contrasts], order of the plan */
    struct curve *curve;              /* [plan->arms] */
    char curve_part[12], curve_metric[24];
    int64_t family_size[2];
    struct convergence convergence;
    char *adjustment;       /* "Holm over 7 comparisons", for the header */
    char **fixed, **random; /* NULL-terminated: what was held, and what was drawn anew by each seed */
    double percent;         /* 100: the metric is a share, and is shown in points; else 1 */
    const char *unit;       /* "points of accuracy", or the metric's name */
    char *knack, *machine;  /* version; CPU and kernels; of the program that made the analysis */
    bool finished;          /* all that was planned is there; otherwise plans of fixed size have counts and means only */
    bool screening;         /* q values instead of Holm: candidates to confirm, no verdicts to rely on */
    char *candidates;       /* halving: who was left in its last round, the best first, "pgd, fgm"; else NULL */
    double best_bias;       /* screening: how far the best is overstated, in standard errors */
    char *headline;         /* the answer in a sentence or two */
    struct remark *remark;  /* [remarks] */
    int64_t remarks;
    struct arena *arena; /* holds all that is pointed to but the plan */
};

/* Everything, from the store alone. Works at any time; what is incomplete is left out of estimates. */
knack_status analysis_new(struct store *, struct analysis **);
void analysis_free(struct analysis *); /* NULL is fine */

/* Estimates and verdicts may be shown: all is there, or all but what waits for the machine, or looks on the way are planned. */
bool analysis_has_inference(const struct analysis *);
/* A difference, or interval of differences, as it is shown: in the metric's own direction, shares in points. */
double analysis_shown(const struct analysis *, double difference);
struct interval analysis_shown_interval(const struct analysis *, struct interval);
/* As number_p(); at looks p is known between bounds only, and 1 stands for ">0.2". */
const char *analysis_p(const struct analysis *, char buffer[NUMBER_SIZE], double p);
/* The last seed of the plan; where results decide how many there are (halving, looks), the last one that was used. */
int64_t analysis_last_seed(const struct analysis *);
/* The index of the contrast of an arm against the baseline; -1: there is none. */
int64_t analysis_arm_contrast(const struct analysis *, int64_t arm);

#endif
