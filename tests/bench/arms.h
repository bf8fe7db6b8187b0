/* What is timed beside one another: each arm is a worker process (serve.c), and they take turns, so that what else happens to the machine
 * happens to all of them. */
#ifndef BENCH_ARMS_H
#define BENCH_ARMS_H

#include <stdio.h>
#include <sys/types.h>

#include "bench.h"

enum { ROUNDS_MOST = 99 };

struct arm {
    /* As it is asked for. */
    const char *workload;
    const char *program; /* another build's bench; NULL: this one */
    int64_t threads;     /* 0: 1 */
    bool bf16;
    int64_t batch, width, depth, tokens; /* 0: the workload's own */
    const char *plugins;                 /* JSON text, or NULL */
    bool counting;                       /* its allocations are counted, which slows it */

    /* Its process. */
    pid_t process;
    FILE *to, *from;

    /* What it told. */
    double arithmetic, parameters;
    int64_t rounds, steps, fewest;                    /* how many; steps of the latest round; of the round with the fewest */
    double step[ROUNDS_MOST];                         /* [rounds] nanoseconds: median of the round's steps */
    double low_of[ROUNDS_MOST], high_of[ROUNDS_MOST]; /* [rounds] the tenths from below and from above of the round's steps */
    double best, worst;                               /* least and greatest of all steps */
    double faults, tricks; /* a step, of the round with the fewest: page faults; nanoseconds that tricks took for themselves */
    double allocations;    /* a step of the latest round, if they are counted */
    double peak;           /* bytes that were resident at most */
};

/* Starts its process, which gets ready; KNACK_E_CALL with its own message if it cannot. */
knack_status arm_start(struct arm *);
void arm_end(struct arm *); /* asks its memory, and lets it go; one that was not started is fine */
knack_status arm_round(struct arm *, double seconds);
/* The two halves of it: it begins; its answer is waited for. */
void arm_ask_round(struct arm *, double seconds);
knack_status arm_hear_round(struct arm *);
/* So many steps; their weights' hash. */
knack_status arm_steps(struct arm *, int64_t count, char hash[32]);

knack_status arms_take_turns(struct arm *, int64_t count, int64_t rounds, double seconds); /* those that were started */
/* Starts all, lets them take turns for so many rounds, ends all. */
knack_status arms_measure(struct arm *, int64_t count, int64_t rounds, double seconds);
double arm_step(const struct arm *); /* median over rounds, nanoseconds */
/* What the tenths of a round say nothing of: too few steps. */
bool arm_is_short(const struct arm *);
/* Medians over rounds of the rounds' tenths, so that arm_step() lies between them; of an arm that is short, the fastest and the slowest of
 * all its steps. */
void arm_tenths(const struct arm *, double *low, double *high);
double arm_ratio(const struct arm *, const struct arm *of); /* median over rounds of the first's median through the second's */
/* The least and the greatest of the rounds' ratios. */
void arm_ratio_range(const struct arm *, const struct arm *of, double *low, double *high);
double arm_share(const struct arm *, const struct arm *product); /* of the product's best rate */

#endif
