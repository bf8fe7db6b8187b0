/* Which folders hold a comparison. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "compare/store/store.h"

enum { LIST_DEPTH = 4 };

/* Paths one after another, each with its end. */
struct list {
    char *text;
    size_t size;
    int64_t count;
};

static knack_status add(struct list *list, const char *folder)
{
    size_t size = strlen(folder) + 1;
    char *grown = memory_resize(list->text, list->size + size, 1);
    if (!grown) return KNACK_E_MEMORY;
    memcpy(grown + list->size, folder, size);
    *list = (struct list){grown, list->size + size, list->count + 1};
    return KNACK_OK;
}

/* What cannot be read is none of ours. */
static knack_status find_below(const char *folder, int depth, struct list *list)
{
    char *file = file_join(folder, "knack.db"), **name;
    int64_t count;
    if (!file) return KNACK_E_MEMORY;
    bool here = file_exists(file);
    memory_free(file);
    if (here) return add(list, folder);
    if (depth == LIST_DEPTH || file_list(folder, &name, &count) < 0) return KNACK_OK;
    knack_status status = KNACK_OK;
    for (int64_t i = 0; i < count && status >= 0; i++) {
        if (name[i][0] == '.') continue;
        char *inner = file_join(folder, name[i]);
        status = !inner ? KNACK_E_MEMORY : file_is_folder(inner) ? find_below(inner, depth + 1, list) : KNACK_OK;
        memory_free(inner);
    }
    memory_free(name);
    return status;
}

knack_status store_list(const char *below, char ***folder, int64_t *count)
{
    struct list list = {0};
    knack_status status = find_below(below, 0, &list);
    size_t pointers = ((size_t)list.count + 1) * sizeof **folder;
    char **block = status >= 0 ? memory_new(pointers + list.size, 1) : NULL, *text = (char *)block + pointers;
    if (block) {
        if (list.size > 0) memcpy(text, list.text, list.size);
        for (int64_t i = 0; i < list.count; i++, text += strlen(text) + 1) block[i] = text;
        *folder = block;
        *count = list.count;
    }
    memory_free(list.text);
    return status < 0 || block ? status : KNACK_E_MEMORY;
}
