#include "data/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* FNV-1a */
static uint64_t hash(const char *text, int64_t length)
{
    uint64_t sum = 0xcbf29ce484222325u;
    for (int64_t i = 0; i < length; i++) sum = (sum ^ (uint8_t)text[i]) * 0x100000001b3u;
    return sum;
}

/* The slot that holds the text, or the free one where it belongs. */
static int32_t *find(const struct names *names, const char *text, int64_t length)
{
    uint64_t mask = (uint64_t)names->slots - 1, at = hash(text, length) & mask;
    for (;; at = (at + 1) & mask) {
        int32_t *slot = &names->slot[at];
        if (*slot < 0) return slot;
        const char *there = names->text[*slot];
        if (strncmp(there, text, (size_t)length) == 0 && there[length] == '\0') return slot;
    }
}

/* Room for one more text, with at least half of the slots free. */
static knack_status grow(struct names *names)
{
    if (names->count == names->room) {
        int64_t room = names->room ? 2 * names->room : 16;
        char **text = memory_resize(names->text, (size_t)room, sizeof *text);
        if (!text) return KNACK_E_MEMORY;
        names->text = text;
        names->room = room;
    }
    if (2 * (names->count + 1) <= names->slots) return KNACK_OK;
    int64_t slots = names->slots ? 2 * names->slots : 64;
    int32_t *slot = memory_resize(NULL, (size_t)slots, sizeof *slot);
    if (!slot) return KNACK_E_MEMORY;
    memset(slot, 0xff, (size_t)slots * sizeof *slot); /* all -1 */
    memory_free(names->slot);
    names->slot = slot;
    names->slots = slots;
    for (int64_t i = 0; i < names->count; i++) *find(names, names->text[i], (int64_t)strlen(names->text[i])) = (int32_t)i;
    return KNACK_OK;
}

knack_status names_add(struct names *names, const char *text, int64_t length, int64_t *index)
{
    TRY(grow(names));
    int32_t *slot = find(names, text, length);
    if (*slot < 0) {
        char *copy = memory_new((size_t)length + 1, 1);
        if (!copy) return KNACK_E_MEMORY;
        memcpy(copy, text, (size_t)length);
        *slot = (int32_t)names->count;
        names->text[names->count++] = copy;
    }
    *index = *slot;
    return KNACK_OK;
}

struct numbered {
    char *text;
    int32_t number;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct numbered *)a)->text, ((const struct numbered *)b)->text);
}

knack_status names_sort(struct names *names, int32_t **moved)
{
    *moved = NULL;
    struct numbered *list = memory_new((size_t)names->count, sizeof *list);
    int32_t *to = memory_new((size_t)names->count, sizeof *to);
    if (!list || !to) {
        memory_free(list);
        memory_free(to);
        return KNACK_E_MEMORY;
    }
    for (int64_t i = 0; i < names->count; i++) list[i] = (struct numbered){names->text[i], (int32_t)i};
    qsort(list, (size_t)names->count, sizeof *list, compare);
    for (int64_t i = 0; i < names->count; i++) {
        names->text[i] = list[i].text;
        to[list[i].number] = (int32_t)i;
    }
    memory_free(list);
    *moved = to;
    return KNACK_OK;
}

void names_free(struct names *names)
{
    for (int64_t i = 0; i < names->count; i++) memory_free(names->text[i]);
    memory_free(names->text);
    memory_free(names->slot);
    *names = (struct names){0};
}
