/* oneDNN's engine, the primitives made so far, and its errors as knack's. dnnl.h is included in this folder only.
 *
 * Every primitive is made for one thread. Work is shared out by giving threads different parts of it, of sizes that follow from shapes
 * alone, so that the number of threads changes no bit. Each calling thread has an engine and primitives of its own; the threads that help
 * it run its primitives through slots: a stream and memory objects each.
 */
#ifndef KERNELS_ONEDNN_ENGINE_H
#define KERNELS_ONEDNN_ENGINE_H

#include <dnnl.h>

#include "base/arena.h"
#include "base/status.h"

enum { ENGINE_TABLE = 4096, ENGINE_PRIMITIVES = 1024 };

struct primitive;

struct engine {
    dnnl_engine_t dnnl;
    int slots;
    dnnl_stream_t *stream;                 /* [slots] */
    struct primitive *table[ENGINE_TABLE]; /* by hash of the key, linear probing */
    int primitives;
};

/* This thread's engine, made at first use. Called once by each kernel, before it looks for primitives: when too many are kept, all are
 * dropped here. */
knack_status engine_open(struct engine **);
/* How many slots a job of so many parts needs, each with its stream; it may run on no more threads than that. */
dnnl_status_t engine_slots(struct engine *, int64_t parts, int *slots);
/* The slot of the thread that runs a part of a job with so many slots. */
int engine_slot(int slots);
bool engine_has_bf16(void);

/* Returns from the calling function unless the call succeeds. */
#define DNNL_TRY(call)                                                                                                                     \
    do {                                                                                                                                   \
        dnnl_status_t dnnl_try_status_ = (call);                                                                                           \
        if (dnnl_try_status_ != dnnl_success) return dnnl_try_status_;                                                                     \
    } while (0)

/* The message for a failure of what: "oneDNN: product f32 [2, 3] x [3, 4]: out of memory". */
knack_status engine_fail(dnnl_status_t, const char *what);

#endif
