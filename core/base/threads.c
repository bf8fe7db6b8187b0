#include "base/threads.h"

#include <immintrin.h>
#include <omp.h>
#include <stdatomic.h>

enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x0040, THREADS_MOST = 1024 };

static _Atomic int threads = 1;

static void flush_denormals(void)
{
    _mm_setcsr(_mm_getcsr() | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
}

knack_status threads_set(int count)
{
    if (count < 1 || count > THREADS_MOST) return status_set(KNACK_E_CONFIG, "threads: expected 1 to %d, got %d", THREADS_MOST, count);
    atomic_store(&threads, count);
    omp_set_num_threads(count);
    flush_denormals();
    if (count > 1) {
#pragma omp parallel num_threads(count)
        flush_denormals();
    }
    return KNACK_OK;
}

int threads_count(void)
{
    return atomic_load(&threads);
}

int threads_slots(int64_t parts)
{
    if (parts < 2 || omp_in_parallel()) return 1;
    return parts < threads_count() ? (int)parts : threads_count();
}

int threads_slot(int slots)
{
    return slots > 1 ? omp_get_thread_num() : 0;
}

void threads_run(int64_t parts, void (*body)(void *user, int64_t part), void *user)
{
    threads_run_on(threads_count(), parts, body, user);
}

/* A parallel region costs microseconds even with one thread, so that case never enters one. */
void threads_run_on(int most, int64_t parts, void (*body)(void *user, int64_t part), void *user)
{
    int count = most < parts ? most : (int)parts;
    if (count <= 1 || omp_in_parallel()) {
        for (int64_t part = 0; part < parts; part++) body(user, part);
        return;
    }
#pragma omp parallel num_threads(count)
    {
        flush_denormals(); /* the caller may not be the thread that called threads_set(), and then has other helpers */
#pragma omp for schedule(static)
        for (int64_t part = 0; part < parts; part++) body(user, part);
    }
}
