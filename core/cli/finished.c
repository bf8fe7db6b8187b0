#include "cli/finished.h"

#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

static bool holds(const char *folder, const char *name)
{
    char *path = file_join(folder, name);
    bool there = path && file_exists(path);
    memory_free(path);
    return there;
}

/* " (interrupted at step 120)" by result.json, which a run that was killed did not come to write: then "". */
static void describe_end(const char *folder, char *text, size_t size)
{
    struct json_document *result = NULL;
    char *path = file_join(folder, "result.json");
    if (!path || json_read(path, &result) < 0) status_clear();
    const struct json *status = result ? json_member(result->root, "status") : NULL,
                      *steps = result ? json_member(result->root, "steps") : NULL;
    text[0] = '\0';
    if (status && status->kind == JSON_STRING && steps && steps->kind == JSON_NUMBER)
        snprintf(text, size, " (%s at step %lld)", status->string, (long long)steps->number);
    json_free(result);
    memory_free(path);
}

knack_status reopen_finished(const char *folder, const struct run_request *request, struct run **run)
{
    *run = NULL;
    if (!holds(folder, "config.json") || holds(folder, "model.safetensors")) return run_reopen(folder, request, run);
    char end[128];
    describe_end(folder, end, sizeof end);
    return status_set(KNACK_E_USAGE, "the run in %s is not finished%s: knack resume %s", folder, end, folder);
}
