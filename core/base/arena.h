/* A bump allocator for what dies together: the tape of a pass, the scratch of a step. After the first step with the largest
 * shapes it makes no system call: blocks that a step needed are joined into one at the next reset. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(size_t first_block); /* NULL on error; a block is mapped at first use */
void arena_free(struct arena *);
/* 64-byte aligned, not zeroed; NULL with KNACK_E_MEMORY set. Valid until reset, or rewind to an earlier mark. */
void *arena_alloc(struct arena *, size_t bytes);
void *arena_zeroed(struct arena *, size_t bytes);
char *arena_text(struct arena *, const char *text);
void arena_reset(struct arena *);

struct arena_mark {
    void *block;
    size_t used;
};
struct arena_mark arena_mark(const struct arena *);
void arena_rewind(struct arena *, struct arena_mark); /* frees what came after the mark */
size_t arena_peak(const struct arena *);              /* most bytes in use at once so far */

#endif
