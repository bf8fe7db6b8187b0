/* Threads and the floating-point mode, which every thread of knack shares. */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

#include "base/status.h"

/* Sets how many threads parallel regions and oneDNN use from now on, and flush-to-zero in each (denormal moments of dead units make
 * optimizers three times slower). */
knack_status threads_set(int count);
int threads_count(void);
/* Calls body(user, part) for part 0 .. parts - 1, over the threads; which thread runs what has no influence on results. Runs in the caller
 * alone, without a parallel region, if there is one thread or one part. */
void threads_run(int64_t parts, void (*body)(void *user, int64_t part), void *user);
/* The same over at most `most` threads, even if another caller asks for more by threads_set() meanwhile: for work that has set aside
 * memory for each thread. */
void threads_run_on(int most, int64_t parts, void (*body)(void *user, int64_t part), void *user);
/* For work on so many parts: how many threads threads_run_on() is to be given, so that each can have memory of its own, which the caller
 * sets aside before; and, within a part, whose turn it is, from 0 to slots - 1. */
int threads_slots(int64_t parts);
int threads_slot(int slots);
/* Work below this many scalar operations is not worth a region. */
enum { THREADS_WORTH = 65536 };

#endif
