/* trace.jsonl: what each trick drew and did, and which dropout masks fell, one line a step, so that a reference can replay it.
 * docs/trace.md describes it. */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/random.h"
#include "train/state.h"

static void write_integers(struct json_writer *w, const char *name, const int64_t *value, int64_t count)
{
    json_open(w, name, '[');
    for (int64_t i = 0; i < count; i++) json_integer(w, NULL, value[i]);
    json_close(w);
}

knack_status trace_begin(struct run *run)
{
    if (!run->log.trace) return KNACK_OK;
    struct json_writer *w = run->trace = json_writer_new(false);
    if (!w) return KNACK_E_MEMORY;
    json_open(w, NULL, '{');
    json_integer(w, "batch", run->at.batch);
    json_integer(w, "epoch", run->at.epoch);
    json_integer(w, "update", run->at.update);
    write_integers(w, "examples", run->step.logical.example, run->step.logical.rows);
    json_open(w, "acting", '[');
    for (int64_t i = 0; i < run->trick_count; i++)
        if (run->tricks[i].acting) json_string(w, NULL, run->tricks[i].name);
    json_close(w);
    json_open(w, "events", '[');
    return KNACK_OK;
}

knack_status trace_end(struct run *run)
{
    struct json_writer *w = run->trace;
    if (!w) return KNACK_OK;
    size_t size;
    json_close(w);
    json_number(w, "loss", run->step.gradient_pass > 0 ? run->last_loss : NAN);
    json_integer(w, "updates", run->at.update);
    json_close(w);
    const char *line = json_text(w, &size);
    knack_status status = line ? file_log_line(run->log.trace, line, size) : status_set(KNACK_E_MEMORY, "out of memory writing the trace");
    json_writer_free(w);
    run->trace = NULL;
    return status;
}

static struct json_writer *open_draw(struct run *run, const knack_trick *trick, const char *what, uint32_t purpose)
{
    struct json_writer *w = run->trace;
    json_open(w, NULL, '{');
    json_string(w, "trick", trick->name);
    json_string(w, "draw", what);
    json_integer(w, "purpose", purpose);
    return w;
}

void trace_numbers(struct run *run, const knack_trick *trick, const char *what, uint32_t purpose, int64_t first, int64_t count,
                   const knack_real *value)
{
    struct json_writer *w = open_draw(run, trick, what, purpose);
    json_integer(w, "first", first);
    json_open(w, "values", '[');
    for (int64_t i = 0; i < count; i++) json_number(w, NULL, (double)value[i]);
    json_close(w);
    json_close(w);
}

void trace_pairs(struct run *run, const knack_trick *trick, uint32_t purpose, int64_t rows, const int64_t *partner)
{
    struct json_writer *w = open_draw(run, trick, "pairs", purpose);
    write_integers(w, "partners", partner, rows);
    json_close(w);
}

void trace_mask(knack_step *step, const char *name, double rate, int64_t width)
{
    struct json_writer *w = step->run->trace;
    int64_t rows = step->pass.rows;
    char stream[256];
    snprintf(stream, sizeof stream, "dropout.%s", name);
    uint64_t key = random_key(step->pass.seed, stream);
    uint8_t *mask = tape_alloc(&step->tape, (size_t)width);
    char *text = tape_alloc(&step->tape, (size_t)width + 1);
    if (!mask || !text) return;
    json_open(w, NULL, '{');
    json_string(w, "dropout", name);
    json_number(w, "rate", rate);
    json_integer(w, "pass", step->gradient_pass);
    json_integer(w, "redraw", step->pass.redraw);
    write_integers(w, "rows", step->pass.row, rows);
    json_open(w, "kept", '['); /* one text of 0 and 1 a row of the pass */
    for (int64_t i = 0; i < rows; i++) {
        struct random_place place = {step->pass.batch, (uint32_t)step->pass.row[i], step->pass.redraw};
        random_mask(key, place, 0, width, rate, mask);
        for (int64_t j = 0; j < width; j++) text[j] = (char)('0' + mask[j]);
        text[width] = 0;
        json_string(w, NULL, text);
    }
    json_close(w);
    json_close(w);
}

void trace_call(struct run *run, const knack_trick *trick, enum slot slot, knack_status status)
{
    static const char *const names[] = {"acted", "idle", "skip_update", "stop"};
    json_open(run->trace, NULL, '{');
    json_string(run->trace, "trick", trick->name);
    json_string(run->trace, "call", slot_name[slot]);
    json_string(run->trace, "outcome", names[status]);
    json_close(run->trace);
}
