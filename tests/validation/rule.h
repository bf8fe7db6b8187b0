/* The simulation of the whole rule: cells, each a question under one truth; comparisons made of drawn trials through the code that decides;
 * and what is counted of them. */
#ifndef TESTS_VALIDATION_RULE_H
#define TESTS_VALIDATION_RULE_H

#include "compare/schedule/schedule.h"

enum { COMPARISONS = 20000, CELLS_MOST = 400, CONFIRMED = 3 };
static const double DEVIATION = .01; /* of differences; effects, gains and margins of cells are in units of it */

enum way { WAY_PLAN, WAY_EXTEND, WAY_SCREEN, WAY_TRANSFER };

/* What arms are: those of even and of odd index may differ. */
struct kind_of_arm {
    double effect; /* over the baseline, at equal updates */
    double passes; /* over rows, against the baseline's */
    double cpu;    /* CPU time of an update against the baseline's, the lower end of its interval; NaN: not measured */
};

struct cell {
    char name[128];
    enum way way;
    enum stopping stopping;
    int64_t seeds, look[LOOKS_MOST], looks, arms; /* arms: without the baseline */
    int64_t later[2];                             /* WAY_EXTEND: seeds at the second, third reading */
    bool heavy;                                   /* t with 3 degrees, else normal */
    double fails[2];                              /* how often trials of the baseline, of arms fail */
    double worst;                                 /* how far below the baseline a failed trial counts */
    struct kind_of_arm kind[2];
    double gain, loss; /* of the baseline at larger budgets, at smaller ones */
    double margin;
    bool converge;
    /* WAY_TRANSFER: examples, and deviations of what a seed, an example and both together add. right: correct or not, by odds. */
    int64_t examples;
    double by_seed, by_example;
    bool right;
};

/* The cells, always in one order; returns how many. */
int64_t cells_make(struct cell[CELLS_MOST]);
bool cell_differs(const struct cell *, int64_t arm); /* its arm costs more, or less, than the baseline */
/* The truth of an arm (index in the plan): the mean difference along a line, with failed trials at their score, or of trials that train. */
double cell_effect(const struct cell *, int64_t arm, bool at_equal_cost, bool trained);

enum measure {
    WRONG_EFFECT,      /* a HELPS or HURTS of any arm that is not so */
    WRONG_EFFECT_EVER, /* the same at any reading of a plan that was extended */
    WRONG_SAME,        /* NO MEANINGFUL DIFFERENCE though there is one of the margin's size, an arm */
    WRONG_NOT_WORTH,   /* NOT WORTH IT though it gains the margin, an arm */
    ANY_NOT_WORTH,     /* of any arm */
    WRONG_AT_LEAST,    /* HELPS, at least the margin, though it is not above, an arm */
    WRONG_LESS,        /* HELPS, but less than the margin, though it is not below, an arm */
    WRONG_NOT_ENOUGH,  /* the baseline's budget is called too small though a larger one gains nothing */
    SCREENING_CLAIMS,  /* a screening that says HELPS or HURTS */
    COVERS_UPDATES,    /* the interval at equal updates holds the truth */
    COVERS_COST,       /* at equal cost */
    COVERS_PRINTED,    /* of the line that the verdict goes by */
    COVERS_TOGETHER,   /* all simultaneous intervals */
    COVERS_UPPER,      /* one-sided upper limits of both lines */
    COVERS_NEXT,       /* one more seed lies in its interval */
    COVERS_WINS,       /* Wilson's interval of the share of wins */
    COVERS_TRANSFER,   /* to new seeds and examples */
    AGREES_WITH_STORE, /* kind and word of the report on a store of the same trials */
    FOUND,             /* HELPS or HURTS at all, an arm */
    MEASURES
};
extern const char *const measure_name[MEASURES];

struct tally {
    int64_t tries[MEASURES], events[MEASURES];
};
void tally_add(struct tally *, enum measure, bool event);

/* What is accepted of a measure in a cell; false: it is only shown. */
bool cell_accepts(const struct cell *, enum measure, double *low, double *high);

/* A comparison that is made up while it goes on. */
struct made_up {
    const struct cell *cell;
    uint64_t key;
    uint32_t number; /* of the comparison */
    struct plan *plan;
    struct grid grid;
    struct schedule schedule;
    const double *look_bound; /* [LOOK_LEVELS] found once for the cell */
};
/* Comparison `number` of the cell, counted. */
knack_status rule_compare(const struct cell *, uint32_t number, const double *look_bound, struct tally *);
knack_status rule_transfer(const struct cell *, uint32_t number, const double *look_bound, struct tally *);
/* The deviation of one more seed of an arm, of which nothing was seen. */
double rule_difference(const struct made_up *, int64_t arm, int64_t block);
void rule_count(const struct made_up *, const struct inference *, struct tally *);
bool rule_claims_wrongly(const struct cell *, const struct inference *);
/* Whether a report on a store of the same trials has the same kinds, and words that say so. */
knack_status rule_agrees(const struct made_up *, const struct inference *, bool *agrees);

#endif
