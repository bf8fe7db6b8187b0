/* The knack that was built with this bench, as a user starts it. */
#ifndef BENCH_PROGRAM_H
#define BENCH_PROGRAM_H

#include <sys/types.h>

#include "base/status.h"

/* words: "knack", "run", ..., NULL. What it prints is lost. -1: it cannot be started, with an error. */
pid_t program_start(const char *const *words);
knack_status program_await(pid_t); /* its end, which is to be a good one */

#endif
