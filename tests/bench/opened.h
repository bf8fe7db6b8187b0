/* Runs within this process. */
#ifndef BENCH_OPENED_H
#define BENCH_OPENED_H

#include "bench.h"
#include "train/run.h"

/* A run of the workload, on data that it keeps open in a folder that is gone again. options: threads, bf16, plugins. request: what else is
 * wanted; its config is filled in. */
knack_status opened_run(const struct workload *, const struct options *, struct run_request, struct run **);
/* How many parameters it has, without the padding between them. */
int64_t opened_parameters(const struct run *);

#endif
