/* trace.jsonl: what each trick drew and did, and which dropout masks fell, one line a step, so that a reference can replay it. */
#include <stdio.h>

#include "base/memory.h"
#include "base/random.h"
#include "train/state.h"

knack_status trace_begin(struct run *run)
{
    if (!run->trace_log) return KNACK_OK;
    run->trace = json_writer_new(false);
    if (!run->trace) return KNACK_E_MEMORY;
    json_open(run->trace, NULL, '{');
    json_integer(run->trace, "batch", run->at.batch);
    json_open(run->trace, "examples", '[');
    for (int64_t i = 0; i < run->step.logical.rows; i++) json_integer(run->trace, NULL, run->step.logical.example[i]);
    json_close(run->trace);
    json_open(run->trace, "events", '[');
    return KNACK_OK;
}

knack_status trace_end(struct run *run)
{
    if (!run->trace) return KNACK_OK;
    size_t size;
    json_close(run->trace);
    json_number(run->trace, "loss", run->last_loss);
    json_close(run->trace);
    const char *line = json_text(run->trace, &size);
    knack_status status = line ? file_log_line(run->trace_log, line, size) : status_set(KNACK_E_MEMORY, "out of memory writing the trace");
    json_writer_free(run->trace);
    run->trace = NULL;
    return status;
}

void trace_draw(struct run *run, const knack_trick *trick, const char *what, uint32_t purpose, int64_t count, const knack_real *values,
                const int64_t *partners)
{
    struct json_writer *w = run->trace;
    json_open(w, NULL, '{');
    json_string(w, "trick", trick->name);
    json_string(w, "draw", what);
    json_integer(w, "purpose", purpose);
    json_open(w, "values", '[');
    for (int64_t i = 0; i < count; i++) {
        if (values)
            json_number(w, NULL, (double)values[i]);
        else
            json_integer(w, NULL, partners[i]);
    }
    json_close(w);
    json_close(w);
}

void trace_mask(knack_step *step, const char *name, double rate, const knack_tensor *x)
{
    struct json_writer *w = step->run->trace;
    int64_t rows = x->shape[0], width = x->count / rows;
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
