/* oneDNN's engine for each thread, its errors, and what it knows of the CPU. */
#include "tensor/kernels/onednn/engine.h"

#include <omp.h>
#include <pthread.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/threads.h"
#include "tensor/kernels/kernels.h"
#include "tensor/kernels/onednn/primitive.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* of the thread's engine, so that it is freed when the thread ends */
static bool key_made;
static _Thread_local struct engine *current;

static void drop_primitives(struct engine *engine)
{
    for (int i = 0; i < ENGINE_TABLE; i++) {
        primitive_free(engine->table[i]);
        engine->table[i] = NULL;
    }
    engine->primitives = 0;
}

static void engine_free(void *user)
{
    struct engine *engine = user;
    drop_primitives(engine);
    for (int i = 0; i < engine->slots; i++) dnnl_stream_destroy(engine->stream[i]);
    dnnl_engine_destroy(engine->dnnl);
    memory_free(engine->stream);
    memory_free(engine);
}

static void make_key(void)
{
    key_made = pthread_key_create(&key, engine_free) == 0;
}

static knack_status engine_new(struct engine **made)
{
    pthread_once(&once, make_key);
    struct engine *engine = memory_new(1, sizeof *engine);
    if (!engine) return KNACK_E_MEMORY;
    dnnl_status_t status = dnnl_engine_create(&engine->dnnl, dnnl_cpu, 0);
    if (status != dnnl_success) {
        memory_free(engine);
        return engine_fail(status, "the CPU engine");
    }
    if (!key_made || pthread_setspecific(key, engine) != 0) {
        engine_free(engine);
        return status_set(KNACK_E_MEMORY, "oneDNN: no place to keep the engine of a thread");
    }
    *made = engine;
    return KNACK_OK;
}

knack_status engine_open(struct engine **engine)
{
    if (!current) TRY(engine_new(&current));
    if (current->primitives >= ENGINE_PRIMITIVES) drop_primitives(current);
    *engine = current;
    return KNACK_OK;
}

dnnl_status_t engine_slots(struct engine *engine, int64_t parts, int *slots)
{
    *slots = threads_slots(parts);
    if (*slots <= engine->slots) return dnnl_success;
    dnnl_stream_t *stream = memory_resize(engine->stream, (size_t)*slots, sizeof *stream);
    if (!stream) return dnnl_out_of_memory;
    engine->stream = stream;
    while (engine->slots < *slots) {
        dnnl_status_t status = dnnl_stream_create(&stream[engine->slots], engine->dnnl, dnnl_stream_default_flags);
        if (status != dnnl_success) return status;
        engine->slots++;
    }
    return dnnl_success;
}

int engine_slot(int slots)
{
    return slots > 1 ? omp_get_thread_num() : 0;
}

bool engine_has_bf16(void)
{
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
}

static const char *status_name(dnnl_status_t status)
{
    switch (status) {
    case dnnl_out_of_memory:
        return "out of memory";
    case dnnl_invalid_arguments:
        return "invalid arguments";
    case dnnl_unimplemented:
        return "not implemented";
    default:
        return "failed";
    }
}

knack_status engine_fail(dnnl_status_t status, const char *what)
{
    return status_set(status == dnnl_out_of_memory ? KNACK_E_MEMORY : KNACK_E_SHAPE, "oneDNN: %s: %s", what, status_name(status));
}

static const char *isa_name(void)
{
    switch (dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41:
        return "sse41";
    case dnnl_cpu_isa_avx:
        return "avx";
    case dnnl_cpu_isa_avx2:
        return "avx2";
    case dnnl_cpu_isa_avx2_vnni:
        return "avx2_vnni";
    case dnnl_cpu_isa_avx512_core:
        return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni:
        return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16:
        return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx:
        return "avx512_core_amx";
    default:
        return "plain loops";
    }
}

/* As the loader picks VECTOR functions. */
static const char *loop_level(void)
{
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return "x86-64-v4";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) return "x86-64-v3";
    return "x86-64";
}

const char *kernel_cpu_level(void)
{
    static _Thread_local char text[64];
    snprintf(text, sizeof text, "%s (%s)", loop_level(), isa_name());
    return text;
}

const char *kernel_library_version(void)
{
    static _Thread_local char text[64];
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, sizeof text, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
    return text;
}
