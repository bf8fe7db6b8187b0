/* Lists that grow by doubling. */
#ifndef MODEL_LIST_H
#define MODEL_LIST_H

#include "base/memory.h"

/* Room for one entry more than count: the list, moved if it had to grow; or NULL, and the old list stays. */
static inline void *list_room(void *list, int64_t count, int64_t *capacity, size_t entry_size)
{
    if (count < *capacity) return list;
    int64_t wider = *capacity ? 2 * *capacity : 16;
    void *moved = memory_resize(list, (size_t)wider, entry_size);
    if (moved) *capacity = wider;
    return moved;
}

#endif
