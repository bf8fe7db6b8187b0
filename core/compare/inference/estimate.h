/* The paired comparison of one contrast along one line: at equal updates, or at equal cost. Larger is better: delta > 0 helps. */
#ifndef COMPARE_INFERENCE_ESTIMATE_H
#define COMPARE_INFERENCE_ESTIMATE_H

#include "compare/plan/plan.h"
#include "compare/statistics/paired.h"

/* What inference and verdicts go by; one place for each number. */
#define ALPHA      .05
#define SAME_COST  1.25 /* costs from SAVED_COST to SAME_COST times the baseline's count as the same */
#define SAVED_COST .8
enum { INFERENCE_FROM = 3, FLIPS_FROM = 6, CONVERGE_SEEDS = 5 };

/* Numbers that n does not allow are NaN; so is all inference while a plan of fixed size is not finished. */
struct estimate {
    int64_t n;                       /* complete blocks; of a plan with looks: those of the look */
    int64_t *seed;                   /* [n] ascending */
    double *difference;              /* [n] D by block */
    double delta, s_d, se, df, t, p; /* the re-split formula's where the plan says redraw; of sequential plans p is the sequential p */
    struct interval ci;              /* 95 %; of a sequential plan the repeated one, or the confidence sequence */
    struct interval simultaneous;    /* over the family */
    double upper;                    /* one-sided 95 % upper limit of the effect, valid for the plan's looks */
    double p_adjusted;               /* Holm's within the line; screening: the Benjamini-Hochberg q */
    double wins;                     /* ties count a half */
    /* Sequential plans. */
    int64_t look;    /* index of the look that it rests on; -1: none yet */
    double boundary; /* |t| at which that look rejects, or T_n */
    bool futile;     /* at a look before the last even the plain one-sided 95 % limit is below the margin */
    /* A plan of fixed size whose results were read before the last seeds came: p is the e-process's. */
    bool extended;
    /* For the report, estimate_describe(). */
    struct interval next;    /* what a single rerun would show */
    double p_flip;           /* exact sign flips, n >= FLIPS_FROM */
    struct interval wins_ci; /* Wilson, share */
    double rho, vrf;         /* contrasts of two arms; else NaN */
    double relative;         /* percent of the baseline's mean (of its error, for shares); above 0: better */
    struct interval relative_ci;
    double detectable;  /* effect that n blocks of this s_d find with 80 % power at the family's level */
    int64_t outliers;   /* Tukey's fences */
    bool stopped_early; /* decided before all planned seeds */
};

/* of: comparisons in the family; read [reads]: blocks at which results of its arm were read before. n, seed and difference are there,
 * blocks in ascending order; scale: size of the values that differences come from. */
struct estimate_context {
    const struct plan *plan;
    bool finished;
    int64_t of;
    const int64_t *read;
    int64_t reads;
    double scale;
};
void estimate_clear(struct estimate *); /* no inference: NaN */
void estimate_infer(const struct estimate_context *, struct estimate *);
/* The paired test of the plan's data: by the re-split formula where seeds redraw them. */
struct paired estimate_test(const struct plan *, const double *difference, int64_t n);
/* The e-process's p, by the largest value that it had on the way: valid however often and whenever it is asked. */
double estimate_any_time_p(const struct plan *, const double *difference, int64_t n);
/* What is only shown: sign flips, wins' interval, prediction, power, outliers. */
void estimate_describe(const struct plan *, int64_t of, struct estimate *);

#endif
