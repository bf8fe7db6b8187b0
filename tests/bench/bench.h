/* The program that times knack: what its commands share. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "base/json.h"
#include "workloads.h"

struct options {
    const char *const *name; /* [names] operands: workloads, or a folder */
    int64_t names;
    int64_t threads; /* 1 unless said */
    bool bf16;
    int64_t rounds;                      /* 0: the command's own */
    double seconds;                      /* of a round of one worker; 0: the command's own */
    int64_t batch, width, depth, tokens; /* another size than the workload's; 0: its own */
    const char *plugins;                 /* entries of a config's list, or all of it in brackets, as JSON text; "": none */
    const char *against;                 /* another build's bench */
    const char *json;                    /* file for the table as JSON, or NULL */
};

/* Commands, a file each. */
knack_status bench_machine(const struct options *);
knack_status bench_serve(const struct options *);
knack_status bench_write(const struct options *);
knack_status bench_steps(const struct options *);
knack_status bench_scaling(const struct options *);
knack_status bench_calls(const struct options *);
knack_status bench_tricks(const struct options *);
knack_status bench_hooks(const struct options *);
knack_status bench_start(const struct options *);
knack_status bench_data(const struct options *);
knack_status bench_checkpoint(const struct options *);
knack_status bench_compare(const struct options *);
knack_status bench_many(const struct options *);
knack_status bench_growth(const struct options *);
knack_status bench_plots(const struct options *);

/* The i-th workload that was named, or if none was of all; NULL: there are no more. */
const char *bench_workload(const struct options *, int64_t i);
uint64_t nanoseconds(void); /* of the monotonic clock */
/* Where work files may go and flushing costs nothing, if there is such a place; mkdtemp() makes it; memory_free(). NULL on error. */
char *bench_folder(void);

/* The path of a file beside this program, "../../core/knack" is the one that was built with it; memory_free(). NULL on error. */
char *bench_beside(const char *name);

/* Sorts; the share-th of count values, 0 the least, 1 the greatest. */
double quantile(double *value, int64_t count, double share);
double median(double *value, int64_t count);

#endif
