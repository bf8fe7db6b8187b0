#include "base/memory.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/status.h"

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20 };

static _Atomic int64_t allocations; /* asked for so far */
static _Atomic int64_t fail_from;   /* the first of them that fails; 0: none */
static volatile bool *_Atomic refused;

void memory_fail_at(int64_t nth)
{
    atomic_store(&fail_from, nth > 0 ? atomic_load(&allocations) + nth : 0);
}

int64_t memory_allocations(void)
{
    return atomic_load(&allocations);
}

bool memory_permit(void)
{
    int64_t number = atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed) + 1;
    int64_t first = atomic_load_explicit(&fail_from, memory_order_relaxed);
    return first == 0 || number < first;
}

void memory_tell_refusals(volatile bool *flag)
{
    atomic_store(&refused, flag);
}

void *memory_refuse(size_t count, size_t size)
{
    volatile bool *flag = atomic_load(&refused);
    if (flag) *flag = true;
    if (size > 1)
        status_set(KNACK_E_MEMORY, "out of memory: %zu times %zu bytes are not to be had", count, size);
    else
        status_set(KNACK_E_MEMORY, "out of memory: %zu bytes are not to be had", count * size);
    return NULL;
}

/* Not zeroed; NULL without a message. Large blocks ask for huge pages, which make their first use many times faster. */
static void *allocate(size_t bytes)
{
    if (!memory_permit()) return NULL;
    if (bytes < ALIGNMENT) return malloc(bytes > 0 ? bytes : 1);
    bool large = bytes >= 2 * HUGE_PAGE;
    void *data = NULL;
    if (posix_memalign(&data, large ? HUGE_PAGE : ALIGNMENT, bytes) != 0) return NULL;
    if (large) madvise(data, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* a wish: it may be refused */
    return data;
}

void *memory_new(size_t count, size_t size)
{
    size_t bytes;
    void *data = __builtin_mul_overflow(count, size, &bytes) ? NULL : allocate(bytes);
    if (!data) return memory_refuse(count, size);
    return memset(data, 0, bytes);
}

/* Not by realloc(), which does not keep the alignment. */
void *memory_resize(void *old, size_t count, size_t size)
{
    size_t bytes;
    void *data = __builtin_mul_overflow(count, size, &bytes) ? NULL : allocate(bytes);
    if (!data) return memory_refuse(count, size);
    if (old) {
        size_t had = malloc_usable_size(old);
        memcpy(data, old, had < bytes ? had : bytes);
        free(old);
    }
    return data;
}

void memory_free(void *data)
{
    free(data);
}

char *memory_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memory_new(size, 1);
    return copy ? memcpy(copy, text, size) : NULL;
}

char *memory_format(const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? memory_refuse(0, 1) : memory_new((size_t)length + 1, 1);
    if (text) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
