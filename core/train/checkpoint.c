/* Checkpoints: everything that a run needs to go on to the same bits, as one safetensors file a checkpoint. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/safetensors.h"
#include "train/identity.h"
#include "train/state.h"

/* Entries being gathered; names live in the arena. */
struct gathering {
    struct arena *arena;
    struct safetensors_entry *entry;
    int64_t count, capacity;
    knack_status status;
};

static void gather(struct gathering *g, enum knack_type type, int64_t count, const void *data, const char *format, const char *name,
                   const char *rest)
{
    char text[512];
    snprintf(text, sizeof text, format, name, rest);
    if (g->count == g->capacity) {
        int64_t capacity = g->capacity ? 2 * g->capacity : 64;
        struct safetensors_entry *grown = memory_resize(g->entry, (size_t)capacity, sizeof *grown);
        if (!grown) {
            g->status = KNACK_E_MEMORY;
            return;
        }
        g->entry = grown;
        g->capacity = capacity;
    }
    char *copy = arena_text(g->arena, text);
    if (!copy) g->status = KNACK_E_MEMORY;
    if (copy)
        g->entry[g->count++] =
            (struct safetensors_entry){.name = copy, .type = type, .ndim = 1, .shape = {count}, .count = count, .data = data};
}

enum { POSITION_INTEGERS = 10, POSITION_REALS = 2, COUNTERS = 2 * SLOT_COUNT + 3 };

static void position_out(const struct position *at, int64_t integer[POSITION_INTEGERS], double real[POSITION_REALS])
{
    int64_t values[POSITION_INTEGERS] = {at->epoch,   at->batch_in_epoch, at->batch,      at->update,     at->skipped_in_row,
                                         at->skipped, at->epoch_open,     at->loss_count, at->best_epoch, at->stopped};
    memcpy(integer, values, sizeof values);
    real[0] = at->loss_sum;
    real[1] = at->best;
}

static void position_in(struct position *at, const int64_t *i, const double *real)
{
    *at = (struct position){.epoch = i[0],
                            .batch_in_epoch = i[1],
                            .batch = i[2],
                            .update = i[3],
                            .skipped_in_row = i[4],
                            .skipped = i[5],
                            .epoch_open = i[6],
                            .loss_sum = real[0],
                            .loss_count = i[7],
                            .best = real[1],
                            .best_epoch = i[8],
                            .stopped = i[9]};
}

/* calls, acted, then the counts of passes; times are no part of a checkpoint, so that it does not depend on them. */
static int64_t *counters_out(struct gathering *g, const knack_trick *trick)
{
    int64_t *out = arena_alloc(g->arena, COUNTERS * sizeof *out);
    if (!out) {
        g->status = KNACK_E_MEMORY;
        return NULL;
    }
    memcpy(out, trick->calls, sizeof trick->calls);
    memcpy(out + SLOT_COUNT, trick->acted, sizeof trick->acted);
    out[2 * SLOT_COUNT] = trick->gradient_passes;
    out[2 * SLOT_COUNT + 1] = trick->forwards;
    out[2 * SLOT_COUNT + 2] = trick->swept;
    return out;
}

static void gather_weights(struct gathering *g, const struct params *p, const struct knack_weights *w)
{
    gather(g, KNACK_REAL, p->total, w->values, "weights.%s.%s", w->name, "values");
    gather(g, KNACK_REAL, p->statistics_total, w->statistics, "weights.%s.%s", w->name, "statistics");
}

static void gather_trick(struct gathering *g, const knack_trick *trick)
{
    const int64_t *counters = counters_out(g, trick);
    if (counters) gather(g, KNACK_I64, COUNTERS, counters, "counts.%s%s", trick->name, "");
    for (int64_t i = 0; i < trick->states; i++)
        gather(g, trick->state[i].type, trick->state[i].count, trick->state[i].data, "state.%s.%s", trick->name, trick->state[i].name);
    for (int64_t i = 0; i < trick->metrics; i++)
        if (trick->metric[i].pending) gather(g, KNACK_F64, 1, &trick->metric[i].value, "metric.%s.%s", trick->name, trick->metric[i].name);
}

/* "ema,mixup": the resolved order, which a checkpoint has to agree with. */
static const char *order_text(const struct run *run, char *buffer, size_t size)
{
    size_t used = 0;
    buffer[0] = 0;
    for (int64_t i = 0; i < run->trick_count && used < size; i++)
        used += (size_t)snprintf(buffer + used, size - used, "%s%s", i ? "," : "", run->tricks[i].name);
    return buffer;
}

static void gather_all(struct gathering *g, struct run *run, int64_t *integers, double *reals, int64_t *ready)
{
    struct params *p = run->params;
    position_out(&run->at, integers, reals);
    gather(g, KNACK_I64, POSITION_INTEGERS, integers, "position%s%s", "", "");
    gather(g, KNACK_F64, POSITION_REALS, reals, "position.reals%s%s", "", "");
    gather_weights(g, p, &p->live);
    for (int64_t i = 0; i < p->set_count; i++) {
        ready[i] = p->set[i]->ready;
        if (!(p->set[i]->flags & KNACK_SCRATCH)) gather_weights(g, p, p->set[i]);
    }
    gather(g, KNACK_I64, p->set_count, ready, "ready%s%s", "", "");
    for (int64_t i = 0; i < run->optimizer->moments; i++)
        gather(g, KNACK_REAL, p->total, run->optimizer->moment[i], "optimizer.%s%s", i ? "1" : "0", "");
    for (int64_t i = 0; i < run->trick_count; i++) gather_trick(g, &run->tricks[i]);
}

/* The last two checkpoints stay. */
static knack_status remove_old(const char *folder)
{
    char **names;
    int64_t count, kept = 0;
    TRY(file_list(folder, &names, &count));
    knack_status status = KNACK_OK;
    for (int64_t i = count - 1; i >= 0 && status >= 0; i--) {
        const char *end = strrchr(names[i], '.');
        if (!end || strcmp(end, ".safetensors") != 0 || ++kept <= 2) continue;
        char *path = file_join(folder, names[i]);
        status = path ? file_remove(path) : KNACK_E_MEMORY;
        memory_free(path);
    }
    memory_free(names);
    return status;
}

/* Puts all of a log on the disk, so that the checkpoint may count on it; one that is not written now stays as long as it was. */
static knack_status sync_log(struct file_log *log, int64_t *size)
{
    if (!log) return KNACK_OK;
    *size = file_log_size(log);
    return file_log_sync(log);
}

static knack_status write_gathered(struct run *run, struct gathering *g)
{
    char order[1024], metrics[32], trace[32];
    snprintf(metrics, sizeof metrics, "%lld", (long long)run->log.metrics_keep);
    snprintf(trace, sizeof trace, "%lld", (long long)run->log.trace_keep);
    TRY(run_identify(run));
    const char *const keys[] = {"format", "identity", "metrics_bytes", "trace_bytes", "tricks", "version"};
    const char *const values[] = {"knack checkpoint 1", run->identity, metrics, trace, order_text(run, order, sizeof order),
                                  knack_version()};
    char *folder = file_join(run->folder, "checkpoint");
    char *path = folder ? memory_format("%s/%010lld.safetensors", folder, (long long)run->at.batch) : NULL;
    knack_status status = path ? file_make_folder(folder) : KNACK_E_MEMORY;
    if (status >= 0) status = safetensors_write(path, g->entry, g->count, keys, values, 6);
    if (status >= 0) status = remove_old(folder);
    memory_free(path);
    memory_free(folder);
    return status;
}

knack_status checkpoint_save(struct run *run)
{
    int64_t integers[POSITION_INTEGERS];
    double reals[POSITION_REALS];
    if (run->in_memory) return KNACK_OK;
    struct gathering g = {.arena = arena_new(1 << 16)};
    if (!g.arena) return KNACK_E_MEMORY;
    int64_t *ready = arena_zeroed(g.arena, (size_t)(run->params->set_count + 1) * sizeof *ready);
    knack_status status = ready ? KNACK_OK : KNACK_E_MEMORY;
    if (status >= 0) {
        gather_all(&g, run, integers, reals, ready);
        status = g.status;
    }
    if (status >= 0) status = sync_log(run->log.metrics, &run->log.metrics_keep);
    if (status >= 0) status = sync_log(run->log.trace, &run->log.trace_keep);
    if (status >= 0) status = write_gathered(run, &g);
    memory_free(g.entry);
    arena_free(g.arena);
    run->clock.checkpointed = seconds_now();
    return status;
}

/* ---- Restoring ---- */

/* The checkpoint before `before` (NULL: the newest); *path NULL: none. memory_free(). */
static knack_status checkpoint_before(const char *folder, const char *before, char **path)
{
    char **names;
    int64_t count = 0;
    *path = NULL;
    char *inside = file_join(folder, "checkpoint");
    if (!inside) return KNACK_E_MEMORY;
    knack_status status = file_is_folder(inside) ? file_list(inside, &names, &count) : KNACK_IDLE;
    for (int64_t i = count - 1; status == KNACK_OK && i >= 0 && !*path; i--) {
        const char *end = strrchr(names[i], '.');
        if (!end || strcmp(end, ".safetensors") != 0) continue;
        char *found = file_join(inside, names[i]);
        if (!found)
            status = KNACK_E_MEMORY;
        else if (!before || strcmp(found, before) < 0)
            *path = found;
        else
            memory_free(found);
    }
    if (count > 0 || status == KNACK_OK) memory_free(names);
    memory_free(inside);
    return status < 0 ? status : KNACK_OK;
}

knack_status checkpoint_newest(const char *folder, char **path)
{
    return checkpoint_before(folder, NULL, path);
}

/* Copies the named entry, which must have the type and count, to out. */
static knack_status take(const struct safetensors *file, const char *path, enum knack_type type, int64_t count, void *out,
                         const char *format, const char *name, const char *rest)
{
    char text[512];
    snprintf(text, sizeof text, format, name, rest);
    const struct safetensors_entry *e = safetensors_find(file, text);
    if (!e || e->type != type || e->count != count)
        return status_set(KNACK_E_DATA, "%s: \"%s\" is %s; the checkpoint was made with another config, build or version", path, text,
                          !e                ? "missing"
                          : e->type != type ? "of another type"
                                            : "of another size");
    if (count) memcpy(out, e->data, (size_t)count * type_size(type));
    return KNACK_OK;
}

static knack_status take_weights(const struct safetensors *file, const char *path, const struct params *p, struct knack_weights *w)
{
    TRY(take(file, path, KNACK_REAL, p->total, w->values, "weights.%s.%s", w->name, "values"));
    return take(file, path, KNACK_REAL, p->statistics_total, w->statistics, "weights.%s.%s", w->name, "statistics");
}

static knack_status take_trick(const struct safetensors *file, const char *path, knack_trick *trick)
{
    int64_t counters[COUNTERS];
    TRY(take(file, path, KNACK_I64, COUNTERS, counters, "counts.%s%s", trick->name, ""));
    memcpy(trick->calls, counters, sizeof trick->calls);
    memcpy(trick->acted, counters + SLOT_COUNT, sizeof trick->acted);
    trick->calls[SLOT_RUN_BEGIN] = trick->acted[SLOT_RUN_BEGIN] = 0; /* it is called again, and counts once */
    trick->gradient_passes = counters[2 * SLOT_COUNT];
    trick->forwards = counters[2 * SLOT_COUNT + 1];
    trick->swept = counters[2 * SLOT_COUNT + 2];
    for (int64_t i = 0; i < trick->states; i++)
        TRY(take(file, path, trick->state[i].type, trick->state[i].count, trick->state[i].data, "state.%s.%s", trick->name,
                 trick->state[i].name));
    return KNACK_OK;
}

/* Numbers that a trick gave since the last logged step. */
static knack_status take_metrics(const struct safetensors *file, knack_trick *trick)
{
    char prefix[256];
    int length = snprintf(prefix, sizeof prefix, "metric.%s.", trick->name);
    for (int64_t i = 0; i < file->count; i++) {
        const struct safetensors_entry *e = &file->entry[i];
        if (strncmp(e->name, prefix, (size_t)length) != 0 || e->type != KNACK_F64 || e->count != 1) continue;
        struct trick_metric *grown = memory_resize(trick->metric, (size_t)trick->metrics + 1, sizeof *grown);
        if (!grown) return KNACK_E_MEMORY;
        trick->metric = grown;
        struct trick_metric metric = {.name = memory_text(e->name + length), .pending = true};
        if (!metric.name) return KNACK_E_MEMORY;
        memcpy(&metric.value, e->data, sizeof metric.value);
        trick->metric[trick->metrics++] = metric;
    }
    return KNACK_OK;
}

static knack_status take_all(struct run *run, const struct safetensors *file, const char *path)
{
    struct params *p = run->params;
    int64_t integers[POSITION_INTEGERS];
    double reals[POSITION_REALS];
    TRY(take(file, path, KNACK_I64, POSITION_INTEGERS, integers, "position%s%s", "", ""));
    TRY(take(file, path, KNACK_F64, POSITION_REALS, reals, "position.reals%s%s", "", ""));
    TRY(take_weights(file, path, p, &p->live));
    for (int64_t i = 0; i < p->set_count; i++)
        if (!(p->set[i]->flags & KNACK_SCRATCH)) TRY(take_weights(file, path, p, p->set[i]));
    for (int64_t i = 0; i < run->optimizer->moments; i++)
        TRY(take(file, path, KNACK_REAL, p->total, run->optimizer->moment[i], "optimizer.%s%s", i ? "1" : "0", ""));
    for (int64_t i = 0; i < run->trick_count; i++) {
        TRY(take_trick(file, path, &run->tricks[i]));
        TRY(take_metrics(file, &run->tricks[i]));
    }
    int64_t *ready = arena_zeroed(run->config->arena, (size_t)(p->set_count + 1) * sizeof *ready);
    if (!ready) return KNACK_E_MEMORY;
    TRY(take(file, path, KNACK_I64, p->set_count, ready, "ready%s%s", "", ""));
    for (int64_t i = 0; i < p->set_count; i++) p->set[i]->ready = ready[i] != 0;
    position_in(&run->at, integers, reals);
    run->optimizer->updates = run->at.update;
    return KNACK_OK;
}

static int64_t whole_number(const char *text)
{
    int64_t value = 0;
    for (; text && *text >= '0' && *text <= '9'; text++) value = value * 10 + (*text - '0');
    return value;
}

/* Other data, or tricks of other code, would mix two trainings in one result, so they are refused: what a trick keeps in a checkpoint is
 * its own code's. Another config may be meant (more epochs), knack's own state has a format of its own, and who comes back on another
 * machine has no choice: there the run goes on, and says that its bits are others. */
static knack_status check_identity(struct run *run, const char *kept, const char *path)
{
    unsigned change;
    if (!kept) {
        run_warn(run, "%s says nothing of its data and code, as an older knack wrote it: nobody has checked that they are the same", path);
        return KNACK_OK;
    }
    TRY(run_identify(run));
    char *what;
    knack_status status = identity_difference(kept, run->identity, &change, &what);
    if (status < 0) return status_prefix(status, "%s", path);
    status = change & IDENTITY_DATA ? KNACK_E_DATA : change & IDENTITY_PLUGINS ? KNACK_E_PLUGIN : KNACK_OK;
    if (status < 0)
        status_set(status, "%s was made with something else, which has changed since: %s. Bring that back, or train anew with --force",
                   path, what);
    else if (change & IDENTITY_CONFIG)
        run_warn(run, "config.json is not the one that %s was made with: the run goes on by the new one, to other bits than either", path);
    if (status >= 0 && (change & ~(unsigned)IDENTITY_CONFIG))
        run_warn(run, "since %s was made, something has changed: %s. The run goes on, perhaps to other bits", path, what);
    memory_free(what);
    return status;
}

static knack_status check_origin(struct run *run, const struct safetensors *file, const char *path)
{
    char order[1024];
    const char *format = safetensors_metadata(file, "format"), *tricks = safetensors_metadata(file, "tricks");
    if (!format || strcmp(format, "knack checkpoint 1") != 0)
        return status_set(KNACK_E_DATA, "%s: format is \"%s\", expected \"knack checkpoint 1\"", path, format ? format : "missing");
    if (!tricks || strcmp(tricks, order_text(run, order, sizeof order)) != 0)
        return status_set(KNACK_E_CONFIG, "%s: was made with the tricks \"%s\", the config gives \"%s\"", path, tricks ? tricks : "",
                          order);
    return run->reopened ? KNACK_OK : check_identity(run, safetensors_metadata(file, "identity"), path);
}

/* Whether the file can be read at all goes to *readable. */
static knack_status restore(struct run *run, const char *path, bool *readable)
{
    struct safetensors *file;
    knack_status status = safetensors_read(path, KNACK_E_DATA, &file);
    *readable = status >= 0;
    if (status < 0) return status;
    status = check_origin(run, file, path);
    if (status >= 0) status = take_all(run, file, path);
    run->log.metrics_keep = whole_number(safetensors_metadata(file, "metrics_bytes"));
    run->log.trace_keep = whole_number(safetensors_metadata(file, "trace_bytes"));
    safetensors_free(file);
    return status;
}

knack_status checkpoint_restore(struct run *run, char **path)
{
    bool readable = false;
    TRY(checkpoint_before(run->folder, NULL, path));
    while (*path) {
        char *earlier = NULL;
        knack_status status = restore(run, *path, &readable);
        if (readable || status == KNACK_E_MEMORY) return status;
        run_warn(run, "%s; going back to the checkpoint before it", knack_error());
        TRY(checkpoint_before(run->folder, *path, &earlier));
        if (!earlier) return status_prefix(status, "no checkpoint of %s can be read", run->folder);
        memory_free(*path);
        *path = earlier;
    }
    return KNACK_OK;
}
