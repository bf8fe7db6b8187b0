/* Which folders hold a comparison. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "compare/store/parts.h"

enum { LIST_DEPTH = 4 };

knack_status paths_add(struct paths *paths, const char *path)
{
    size_t size = strlen(path) + 1;
    for (const char *text = paths->text; text && text < paths->text + paths->size; text += strlen(text) + 1)
        if (strcmp(text, path) == 0) return KNACK_OK;
    char *grown = memory_resize(paths->text, paths->size + size, 1);
    if (!grown) return KNACK_E_MEMORY;
    memcpy(grown + paths->size, path, size);
    *paths = (struct paths){grown, paths->size + size, paths->count + 1};
    return KNACK_OK;
}

knack_status paths_take(struct paths *paths, char ***path, int64_t *count)
{
    size_t pointers = ((size_t)paths->count + 1) * sizeof **path;
    char **block = memory_new(pointers + paths->size, 1);
    if (block) {
        char *text = (char *)block + pointers;
        if (paths->size > 0) memcpy(text, paths->text, paths->size);
        for (int64_t i = 0; i < paths->count; i++, text += strlen(text) + 1) block[i] = text;
        *path = block;
        *count = paths->count;
    }
    memory_free(paths->text);
    return block ? KNACK_OK : KNACK_E_MEMORY;
}

/* What cannot be read is none of ours. */
static knack_status find_below(const char *folder, int depth, struct paths *paths)
{
    char *file = file_join(folder, "knack.db"), **name;
    int64_t count;
    if (!file) return KNACK_E_MEMORY;
    bool here = file_exists(file);
    memory_free(file);
    if (here) return paths_add(paths, folder);
    if (depth == LIST_DEPTH || file_list(folder, &name, &count) < 0) return KNACK_OK;
    knack_status status = KNACK_OK;
    for (int64_t i = 0; i < count && status >= 0; i++) {
        if (name[i][0] == '.') continue;
        char *inner = file_join(folder, name[i]);
        status = !inner ? KNACK_E_MEMORY : file_is_folder(inner) ? find_below(inner, depth + 1, paths) : KNACK_OK;
        memory_free(inner);
    }
    memory_free(name);
    return status;
}

knack_status store_list(const char *below, char ***folder, int64_t *count)
{
    struct paths paths = {0};
    knack_status status = find_below(below, 0, &paths);
    if (status >= 0) return paths_take(&paths, folder, count);
    memory_free(paths.text);
    return status;
}
