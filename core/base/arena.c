#include "base/arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
/* The address sanitizer sees what is given out and what is not, and looks for pointers to living memory in blocks too. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size)     ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size)   ((void)(start), (void)(size))
#define __lsan_register_root_region(start, size)   ((void)(start), (void)(size))
#define __lsan_unregister_root_region(start, size) ((void)(start), (void)(size))
#endif

enum { ALIGNMENT = 64, PAGE = 4096, HUGE_PAGE = 2 << 20 };

/* The head of a mapped block; its memory follows. */
struct block {
    struct block *older;
    size_t size; /* bytes that it can give */
    size_t used;
    size_t below; /* bytes in use in older blocks */
};
enum { HEAD = ALIGNMENT };
_Static_assert(sizeof(struct block) <= HEAD, "a block's head fits before its memory");

struct arena {
    struct block *newest;
    size_t next_block; /* least size of the next block that is mapped */
    size_t mapped;     /* sum of the blocks' sizes */
    size_t most;       /* largest value of mapped since the last reset */
    size_t peak;
};

static size_t round_up(size_t value, size_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static char *block_memory(struct block *block)
{
    return (char *)block + HEAD;
}

static void block_unmap(struct block *block)
{
    size_t size = HEAD + block->size;
    ASAN_UNPOISON_MEMORY_REGION(block, size);
    __lsan_unregister_root_region(block, size);
    munmap(block, size);
}

/* Blocks of at least a huge page begin on a huge page's boundary: what is mapped too much on either side is given back. */
static void *map_aligned(size_t bytes)
{
    char *start = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return MAP_FAILED;
    size_t before = round_up((uintptr_t)start, HUGE_PAGE) - (uintptr_t)start;
    if (before > 0) munmap(start, before);
    if (before < HUGE_PAGE) munmap(start + before + bytes, HUGE_PAGE - before);
    madvise(start + before, bytes, MADV_HUGEPAGE); /* a wish; without it the arena is only slower */
    return start + before;
}

static struct block *block_map(size_t wanted)
{
    if (wanted > SIZE_MAX / 4) return memory_refuse(wanted, 1);
    size_t bytes = wanted + HEAD;
    bytes = round_up(bytes, bytes >= HUGE_PAGE ? HUGE_PAGE : PAGE);
    struct block *block = MAP_FAILED;
    if (memory_permit()) {
        block = bytes >= HUGE_PAGE ? map_aligned(bytes)
                                   : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    if (block == MAP_FAILED) return memory_refuse(wanted, 1);
    block->size = bytes - HEAD;
    ASAN_POISON_MEMORY_REGION(block_memory(block), block->size);
    __lsan_register_root_region(block, bytes);
    return block;
}

struct arena *arena_new(size_t first_block)
{
    struct arena *arena = memory_new(1, sizeof *arena);
    if (arena) arena->next_block = first_block;
    return arena;
}

/* Unmaps blocks until keep, which may be NULL, is the newest. */
static void drop_blocks(struct arena *arena, const struct block *keep)
{
    while (arena->newest != keep) {
        struct block *block = arena->newest;
        arena->newest = block->older;
        arena->mapped -= block->size;
        block_unmap(block);
    }
}

void arena_free(struct arena *arena)
{
    if (!arena) return;
    drop_blocks(arena, NULL);
    memory_free(arena);
}

/* Blocks grow with what is there, so that a step of any size needs few of them. */
static struct block *add_block(struct arena *arena, size_t bytes)
{
    size_t wanted = bytes;
    if (wanted < arena->next_block) wanted = arena->next_block;
    if (wanted < arena->mapped) wanted = arena->mapped;
    struct block *block = block_map(wanted);
    if (!block && wanted > bytes) block = block_map(bytes);
    if (!block) return NULL;
    block->older = arena->newest;
    block->below = arena->newest ? arena->newest->below + arena->newest->used : 0;
    arena->newest = block;
    arena->mapped += block->size;
    if (arena->most < arena->mapped) arena->most = arena->mapped;
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 4) return memory_refuse(bytes, 1);
    size_t size = round_up(bytes > 0 ? bytes : 1, ALIGNMENT);
    struct block *block = arena->newest;
    if (!block || block->size - block->used < size) block = add_block(arena, size);
    if (!block) return NULL;
    char *data = block_memory(block) + block->used;
    block->used += size;
    if (arena->peak < block->below + block->used) arena->peak = block->below + block->used;
    ASAN_UNPOISON_MEMORY_REGION(data, bytes);
    return data;
}

void *arena_zeroed(struct arena *arena, size_t bytes)
{
    void *data = arena_alloc(arena, bytes);
    return data ? memset(data, 0, bytes) : NULL;
}

char *arena_text(struct arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = arena_alloc(arena, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

/* Gives back what a block holds from `used` on. */
static void block_cut(struct block *block, size_t used)
{
    block->used = used;
    ASAN_POISON_MEMORY_REGION(block_memory(block) + used, block->size - used);
}

void arena_reset(struct arena *arena)
{
    struct block *newest = arena->newest;
    if (!newest) return;
    if (newest->older || newest->size < arena->most) {
        drop_blocks(arena, NULL);
        arena->next_block = arena->most;
    } else {
        block_cut(newest, 0);
    }
    arena->most = arena->mapped;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){arena->newest, arena->newest ? arena->newest->used : 0};
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    struct block *keep = mark.block;
    if (!keep) { /* the mark is older than the first block, which can stay */
        keep = arena->newest;
        while (keep && keep->older) keep = keep->older;
    }
    drop_blocks(arena, keep);
    if (keep) block_cut(keep, mark.used);
}

size_t arena_peak(const struct arena *arena)
{
    return arena->peak;
}
