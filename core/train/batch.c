/* The logical batch: its rows, what of them counts, and how they are split into micro-batches. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/state.h"

void *step_zeroed(knack_step *step, int64_t count, size_t size)
{
    return arena_zeroed(step->run->step_arena, (size_t)(count > 0 ? count : 1) * size);
}

/* An empty logical batch of count rows, and room for their inputs. */
static knack_status make_rows(knack_step *step, int64_t count)
{
    arena_reset(step->run->step_arena);
    int64_t *row = step_zeroed(step, count, sizeof *row), *example = step_zeroed(step, count, sizeof *example);
    uint8_t *labelled = step_zeroed(step, count, 1);
    knack_real *weight = step_zeroed(step, count, sizeof *weight);
    step->input = step_zeroed(step, count * step->run->data->width, sizeof *step->input);
    if (!row || !example || !labelled || !weight || !step->input) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        row[i] = i;
        example[i] = -1;
        weight[i] = 1;
    }
    step->logical = (struct knack_batch){sizeof step->logical, 0, count, count, row, example, labelled, NULL, weight};
    step->targets = (struct targets){.rows = count, .outputs = step->run->data->outputs};
    step->order = row;
    step->active = count;
    step->group = NULL;
    step->gradient_pass = 0;
    step->main_redraw = 0;
    return KNACK_OK;
}

knack_status step_load(knack_step *step, enum data_part part, const int64_t *example, int64_t count)
{
    struct run *run = step->run;
    TRY(make_rows(step, count));
    memcpy((int64_t *)step->logical.example, example, (size_t)count * sizeof *example);
    memset((uint8_t *)step->logical.labelled, 1, (size_t)count);
    step->part = part;
    TRY(data_inputs(run->data, part, example, count, step->input));
    if (!step->evaluation) TRY(data_augment(run->data, run->seed, (uint32_t)run->at.batch, step->logical.row, count, step->input));
    TRY(targets_load(step, run->data, part, example, count));
    step->logical.target = step->targets.id;
    return KNACK_OK;
}

knack_status step_adopt(knack_step *step, const knack_real *inputs, int64_t count)
{
    TRY(make_rows(step, count));
    memcpy(step->input, inputs, (size_t)(count * step->run->data->width) * sizeof *inputs);
    return KNACK_OK;
}

/* Rows with a target, or all if a trick works without: the order in which micro-batches take them, groups side by side. */
static knack_status order_rows(knack_step *step)
{
    struct knack_batch *b = &step->logical;
    int64_t labelled = 0, taken = 0;
    int64_t *order = step_zeroed(step, b->rows, sizeof *order);
    if (!order) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < b->rows; i++) labelled += targets_labelled(&step->targets, i);
    bool all = step->run->rows_without_target;
    for (int64_t i = 0; i < b->rows; i++) {
        if (step->group && step->group[i] != i) continue;
        for (int64_t j = i; j < (step->group ? b->rows : i + 1); j++)
            if ((!step->group || step->group[j] == i) && (all || targets_labelled(&step->targets, j))) order[taken++] = j;
    }
    b->items = all ? b->rows : labelled;
    step->order = order;
    step->active = taken;
    return KNACK_OK;
}

/* Stretches of at most micro_batch rows that cut no group. */
static knack_status cut_stretches(knack_step *step, int64_t micro_batch)
{
    int64_t *stretch = step_zeroed(step, step->active + 1, sizeof *stretch), count = 0, begin = 0;
    if (!stretch) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < step->active;) {
        int64_t end = i + 1;
        while (step->group && end < step->active && step->group[step->order[end]] == step->group[step->order[i]]) end++;
        if (end - i > micro_batch)
            return status_set(KNACK_E_CONFIG, "%lld rows have to share a micro-batch, but train.micro_batch is %lld: raise it to %lld",
                              (long long)(end - i), (long long)micro_batch, (long long)(end - i));
        if (end - begin > micro_batch) {
            stretch[++count] = i;
            begin = i;
        }
        i = end;
    }
    if (step->active > 0) stretch[++count] = step->active;
    step->stretch = stretch;
    step->micro_batches = count;
    return KNACK_OK;
}

static int compare_rows(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

knack_status step_finish_batch(knack_step *step)
{
    int64_t micro_batch = step->run->plan.micro_batch;
    TRY(order_rows(step));
    if (micro_batch <= 0 || micro_batch >= step->active) {
        /* One micro-batch: the natural order, so that keeping rows together changes no bit. */
        if (step->group) qsort(step->order, (size_t)step->active, sizeof *step->order, compare_rows);
        micro_batch = step->active;
        step->group = NULL;
    }
    return cut_stretches(step, micro_batch);
}
