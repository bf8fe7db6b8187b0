/* What the loops of kernels share. */
#ifndef KERNELS_LOOPS_H
#define KERNELS_LOOPS_H

#include "base/threads.h"
#include "tensor/vector.h"

/* Channels are worked on so many at a time, with the number a constant for the compiler where it is a usual one: the body is a
 * VECTOR_INLINE function's call that takes `width`. */
enum { KERNEL_CHUNK = 32 };
#define KERNEL_CHUNKS(channels, first, body)                                                                                               \
    do {                                                                                                                                   \
        int64_t first = 0;                                                                                                                 \
        for (; first + KERNEL_CHUNK <= (channels); first += KERNEL_CHUNK) {                                                                \
            enum { width = KERNEL_CHUNK };                                                                                                 \
            body;                                                                                                                          \
        }                                                                                                                                  \
        if ((channels)-first == KERNEL_CHUNK / 2) {                                                                                        \
            enum { width = KERNEL_CHUNK / 2 };                                                                                             \
            body;                                                                                                                          \
        } else if (first < (channels)) {                                                                                                   \
            const int64_t width = (channels)-first;                                                                                        \
            body;                                                                                                                          \
        }                                                                                                                                  \
    } while (0)

/* threads_run() if work, a number of scalar operations, is worth it; else the same in the caller. */
static inline void run_parts(int64_t work, int64_t parts, void (*body)(void *user, int64_t part), void *user)
{
    if (work >= THREADS_WORTH)
        threads_run(parts, body, user);
    else
        for (int64_t part = 0; part < parts; part++) body(user, part);
}

#endif
