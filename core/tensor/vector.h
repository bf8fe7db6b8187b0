/* Loops that compilers vectorise, compiled for several levels of x86-64. */
#ifndef TENSOR_VECTOR_H
#define TENSOR_VECTOR_H

#include <knack/tensor.h>

#include "base/threads.h"

/* VECTOR before a function: one clone for each level, picked when the library is loaded. What it calls must be VECTOR_INLINE, so that it
 * is compiled along. The picking runs before sanitizers are ready, so there it is off; and clang 14 gives what picks among the clones of a
 * static function a name that clashes with those of other files. */
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTOR        __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define VECTOR_LEVELS 1 /* there are several, for what is written for each by hand */
#else
#define VECTOR
#endif
#define VECTOR_INLINE static inline __attribute__((always_inline))

/* Long loops are cut into parts of so many elements, for threads. A fixed number, so that results do not depend on how many there are. */
enum { VECTOR_PART = 32768 };
static inline int64_t vector_parts(int64_t count)
{
    return (count + VECTOR_PART - 1) / VECTOR_PART;
}
/* The part's first element; its length goes to *length. */
static inline int64_t vector_part(int64_t count, int64_t part, int64_t *length)
{
    int64_t first = part * VECTOR_PART;
    *length = count - first < VECTOR_PART ? count - first : VECTOR_PART;
    return first;
}

#endif
