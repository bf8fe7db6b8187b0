/* Targets of a logical batch: weighted class ids, dense rows, or numbers; and the task's own loss on them (rules 5 and 6). */
#include <string.h>

#include "train/state.h"

knack_status targets_load(knack_step *step, const struct dataset *data, enum data_part part, const int64_t *example, int64_t count)
{
    const struct part *from = &data->part[part];
    struct targets *t = &step->targets;
    *t = (struct targets){.rows = count, .components = 1, .outputs = data->outputs};
    if (data->kind == KNACK_REGRESSION) {
        t->kind = TARGET_REALS;
        t->value = step_zeroed(step, count * t->outputs, sizeof *t->value);
        if (!t->value) return KNACK_E_MEMORY;
        for (int64_t i = 0; i < count; i++)
            memcpy(t->value + i * t->outputs, from->target + example[i] * t->outputs, (size_t)t->outputs * sizeof *t->value);
        return KNACK_OK;
    }
    t->kind = TARGET_IDS;
    t->id = step_zeroed(step, count, sizeof *t->id);
    t->share = step_zeroed(step, count, sizeof *t->share);
    if (!t->id || !t->share) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        t->id[i] = from->label[example[i]];
        t->share[i] = 1;
    }
    return KNACK_OK;
}

/* Component k of row i stays with lambda[i]; component components + k is the partner's with the rest. */
static knack_status mix_ids(knack_step *step, const int64_t *partner, const knack_real *lambda)
{
    struct targets *t = &step->targets;
    int64_t rows = t->rows, terms = t->components * rows;
    int32_t *id = step_zeroed(step, 2 * terms, sizeof *id);
    knack_real *share = step_zeroed(step, 2 * terms, sizeof *share);
    if (!id || !share) return KNACK_E_MEMORY;
    for (int64_t k = 0; k < t->components; k++) {
        for (int64_t i = 0; i < rows; i++) {
            int64_t own = k * rows + i, other = k * rows + partner[i];
            id[own] = t->id[own];
            share[own] = lambda[i] * t->share[own];
            id[terms + own] = t->id[other];
            share[terms + own] = (1 - lambda[i]) * t->share[other];
        }
    }
    t->id = id;
    t->share = share;
    t->components *= 2;
    return KNACK_OK;
}

static knack_status mix_values(knack_step *step, const int64_t *partner, const knack_real *lambda)
{
    struct targets *t = &step->targets;
    knack_real *value = step_zeroed(step, t->rows * t->outputs, sizeof *value);
    if (!value) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < t->rows; i++) {
        for (int64_t c = 0; c < t->outputs; c++) {
            knack_real own = t->value[i * t->outputs + c], other = t->value[partner[i] * t->outputs + c];
            value[i * t->outputs + c] = lambda[i] * own + (1 - lambda[i]) * other;
        }
    }
    t->value = value;
    return KNACK_OK;
}

knack_status targets_mix(knack_step *step, const int64_t *partner, const knack_real *lambda)
{
    for (int64_t i = 0; i < step->targets.rows; i++) {
        if (partner[i] < 0 || partner[i] >= step->targets.rows)
            return status_set(KNACK_E_CALL, "knack_mix_targets(): partner[%lld] is %lld, not a row of 0 to %lld", (long long)i,
                              (long long)partner[i], (long long)step->targets.rows - 1);
        if (!(lambda[i] >= 0 && lambda[i] <= 1))
            return status_set(KNACK_E_CALL, "knack_mix_targets(): lambda[%lld] is %g, not within 0 and 1", (long long)i, (double)lambda[i]);
    }
    TRY(step->targets.kind == TARGET_IDS ? mix_ids(step, partner, lambda) : mix_values(step, partner, lambda));
    if (step->targets.kind == TARGET_IDS) step->logical.target = NULL;
    return KNACK_OK;
}

static knack_status check_ids(const char *where, const int32_t *id, int64_t rows, int64_t classes)
{
    for (int64_t i = 0; i < rows; i++)
        if (id[i] >= classes)
            return status_set(KNACK_E_CALL, "%s: row %lld has class %d, but there are %lld classes", where, (long long)i, id[i],
                              (long long)classes);
    return KNACK_OK;
}

knack_status targets_check(const struct targets *t)
{
    if (t->kind != TARGET_IDS) return KNACK_OK;
    for (int64_t k = 0; k < t->components; k++) TRY(check_ids("targets", t->id + k * t->rows, t->rows, t->outputs));
    return KNACK_OK;
}

static knack_status check_rows(const knack_real *value, int64_t rows, int64_t classes)
{
    for (int64_t i = 0; i < rows; i++) {
        double sum = 0;
        for (int64_t c = 0; c < classes; c++) {
            if (!(value[i * classes + c] >= 0))
                return status_set(KNACK_E_CALL, "knack_set_targets(): row %lld holds %g; target rows are probabilities", (long long)i,
                                  (double)value[i * classes + c]);
            sum += value[i * classes + c];
        }
        if (!(sum > 1 - 1e-5 && sum < 1 + 1e-5))
            return status_set(KNACK_E_CALL, "knack_set_targets(): row %lld sums to %g instead of 1", (long long)i, sum);
    }
    return KNACK_OK;
}

static knack_status replace_by_ids(knack_step *step, const knack_tensor *tensor, int64_t rows)
{
    struct targets *t = &step->targets;
    if (step->run->data->kind != KNACK_CLASSIFICATION)
        return status_set(KNACK_E_CALL, "knack_set_targets(): class ids in a regression; targets are KNACK_REAL rows");
    TRY(check_ids("knack_set_targets()", knack_data(tensor), rows, t->outputs));
    t->kind = TARGET_IDS;
    t->components = 1;
    t->id = step_zeroed(step, rows, sizeof *t->id);
    t->share = step_zeroed(step, rows, sizeof *t->share);
    if (!t->id || !t->share) return KNACK_E_MEMORY;
    memcpy(t->id, knack_data(tensor), (size_t)rows * sizeof *t->id);
    for (int64_t i = 0; i < rows; i++) t->share[i] = 1;
    step->logical.target = t->id;
    return KNACK_OK;
}

static knack_status replace_by_rows(knack_step *step, const knack_tensor *tensor, int64_t rows)
{
    struct targets *t = &step->targets;
    bool classes = step->run->data->kind == KNACK_CLASSIFICATION;
    if (classes && step->run->ids_wanted)
        return status_set(KNACK_E_CALL,
                          "knack_set_targets(): dense rows, but a trick of this run takes class ids only (\"targets\": \"ids\")");
    if (classes) TRY(check_rows(knack_data(tensor), rows, t->outputs));
    t->kind = classes ? TARGET_ROWS : TARGET_REALS;
    t->value = step_zeroed(step, rows * t->outputs, sizeof *t->value);
    if (!t->value) return KNACK_E_MEMORY;
    memcpy(t->value, knack_data(tensor), (size_t)(rows * t->outputs) * sizeof *t->value);
    step->logical.target = NULL;
    return KNACK_OK;
}

knack_status targets_replace(knack_step *step, const knack_tensor *tensor)
{
    int ndim;
    const int64_t *shape = knack_shape(tensor, &ndim);
    char text[96];
    int64_t rows = step->targets.rows;
    if (tensor && knack_type(tensor) == KNACK_I32 && ndim == 1 && shape[0] == rows) return replace_by_ids(step, tensor, rows);
    if (tensor && knack_type(tensor) == KNACK_REAL && ndim == 2 && shape[0] == rows && shape[1] == step->targets.outputs)
        return replace_by_rows(step, tensor, rows);
    return status_set(KNACK_E_SHAPE, "knack_set_targets(): %s %s, expected KNACK_I32 [%lld] or KNACK_REAL [%lld, %lld]",
                      tensor ? type_name(knack_type(tensor)) : "NULL", tensor ? shape_text(text, ndim, shape) : "", (long long)rows,
                      (long long)rows, (long long)step->targets.outputs);
}

bool targets_labelled(const struct targets *t, int64_t row)
{
    if (t->kind != TARGET_IDS) return true;
    for (int64_t k = 0; k < t->components; k++)
        if (t->id[k * t->rows + row] >= 0) return true;
    return false;
}

/* ---- The items of a pass ---- */

/* What an item with this target counts, its own weight aside. Without a target it counts only to tricks that work without. */
static double id_worth(const struct run *run, int32_t id, knack_real share)
{
    if (id < 0) return run->rows_without_target ? (double)share : 0;
    return (double)share * (run->class_weight ? (double)run->class_weight[id] : 1.0);
}

/* Sum over the row's components of share times class weight: what the normalised target is worth. */
static double row_worth(const struct run *run, const struct targets *t, int64_t row)
{
    double worth = 0;
    if (t->kind == TARGET_REALS) return 1;
    if (t->kind == TARGET_ROWS) {
        if (!run->class_weight) return 1;
        for (int64_t c = 0; c < t->outputs; c++) worth += (double)(t->value[row * t->outputs + c] * run->class_weight[c]);
        return worth;
    }
    for (int64_t k = 0; k < t->components; k++) worth += id_worth(run, t->id[k * t->rows + row], t->share[k * t->rows + row]);
    return worth;
}

/* The target row [classes] of a mixed row, scaled to sum to 1. */
static void fill_mixture(const struct run *run, const struct targets *t, int64_t row, double worth, knack_real *out)
{
    memset(out, 0, (size_t)t->outputs * sizeof *out);
    if (!(worth > 0)) return;
    for (int64_t c = 0; t->kind == TARGET_ROWS && c < t->outputs; c++)
        out[c] = (knack_real)(t->value[row * t->outputs + c] * (run->class_weight ? run->class_weight[c] : 1) / worth);
    for (int64_t k = 0; t->kind == TARGET_IDS && k < t->components; k++) {
        int32_t id = t->id[k * t->rows + row];
        if (id >= 0) out[id] += (knack_real)(t->share[k * t->rows + row] * (run->class_weight ? run->class_weight[id] : 1) / worth);
    }
}

/* One item for every component with weight: a taller batch, in which every target is one id (rule 5). */
static knack_status tall_items(knack_step *step)
{
    struct run *run = step->run;
    const struct targets *t = &step->targets;
    struct knack_batch *items = &step->items;
    int64_t most = t->components * step->pass.rows, count = 0;
    int64_t *row = tape_alloc(&step->tape, (size_t)most * sizeof *row), *example = tape_alloc(&step->tape, (size_t)most * sizeof *example);
    uint8_t *labelled = tape_alloc(&step->tape, (size_t)most);
    int32_t *target = tape_alloc(&step->tape, (size_t)most * sizeof *target);
    knack_real *weight = tape_alloc(&step->tape, (size_t)most * sizeof *weight);
    step->gathered = tape_alloc(&step->tape, (size_t)most * sizeof *step->gathered);
    step->seed = tape_alloc(&step->tape, (size_t)most * sizeof *step->seed);
    if (!row || !example || !labelled || !target || !weight || !step->gathered || !step->seed) return KNACK_E_MEMORY;
    for (int64_t k = 0; k < t->components; k++) {
        for (int64_t p = 0; p < step->pass.rows; p++) {
            int64_t logical = step->pass.row[p];
            int32_t id = t->id[k * t->rows + logical];
            knack_real share = t->share[k * t->rows + logical];
            if (share == 0 && k > 0) continue;
            row[count] = logical;
            example[count] = step->logical.example[logical];
            labelled[count] = step->logical.labelled[logical];
            target[count] = id;
            weight[count] = step->logical.weight[logical];
            step->gathered[count] = (int32_t)p;
            step->seed[count] =
                (knack_real)(id_worth(run, id, share) * (double)weight[count] / (double)(step->logical.items ? step->logical.items : 1));
            count++;
        }
    }
    *items = (struct knack_batch){sizeof *items, 0, count, step->logical.items, row, example, labelled, target, weight};
    return KNACK_OK;
}

/* One item a row; mixed targets become rows of classes. */
static knack_status row_items(knack_step *step)
{
    struct run *run = step->run;
    const struct targets *t = &step->targets;
    int64_t rows = step->pass.rows;
    bool mixed = t->kind == TARGET_ROWS || (t->kind == TARGET_IDS && t->components > 1);
    int64_t *example = tape_alloc(&step->tape, (size_t)rows * sizeof *example);
    uint8_t *labelled = tape_alloc(&step->tape, (size_t)rows);
    int32_t *target = t->kind == TARGET_IDS && !mixed ? tape_alloc(&step->tape, (size_t)rows * sizeof *target) : NULL;
    knack_real *weight = tape_alloc(&step->tape, (size_t)rows * sizeof *weight);
    step->seed = tape_alloc(&step->tape, (size_t)rows * sizeof *step->seed);
    step->mixture = mixed || t->kind == TARGET_REALS ? tape_alloc(&step->tape, (size_t)(rows * t->outputs) * sizeof *step->mixture) : NULL;
    TRY(tape_status(&step->tape));
    for (int64_t p = 0; p < rows; p++) {
        int64_t logical = step->pass.row[p];
        double worth = row_worth(run, t, logical);
        example[p] = step->logical.example[logical];
        labelled[p] = step->logical.labelled[logical];
        weight[p] = step->logical.weight[logical];
        if (target) target[p] = t->id[logical];
        if (mixed)
            fill_mixture(run, t, logical, worth, step->mixture + p * t->outputs);
        else if (step->mixture)
            memcpy(step->mixture + p * t->outputs, t->value + logical * t->outputs, (size_t)t->outputs * sizeof *step->mixture);
        step->seed[p] = (knack_real)(worth * (double)weight[p] / (double)(step->logical.items ? step->logical.items : 1));
    }
    step->items = (struct knack_batch){sizeof step->items, 0, rows, step->logical.items, step->pass.row, example, labelled, target, weight};
    return KNACK_OK;
}

knack_status targets_items(knack_step *step)
{
    step->gathered = NULL;
    step->mixture = NULL;
    if (step->run->ids_wanted && step->targets.kind == TARGET_IDS && step->targets.components > 1) {
        knack_status status = tall_items(step);
        return status < 0 && tape_status(&step->tape) < 0 ? tape_status(&step->tape) : status;
    }
    return row_items(step);
}

knack_tensor *targets_loss(knack_step *step, knack_tensor *logits)
{
    const struct targets *t = &step->targets;
    int64_t shape[2] = {step->items.rows, t->outputs};
    if (t->kind == TARGET_REALS)
        return step->run->settings.loss == LOSS_ABSOLUTE ? tensor_absolute_error(logits, step->mixture)
                                                         : tensor_squared_error(logits, step->mixture);
    if (step->mixture) return knack_cross_entropy_dense(logits, tape_constant(&step->tape, KNACK_REAL, 2, shape, step->mixture));
    return knack_cross_entropy(logits, step->items.target);
}
