/* Passes: forwards and backwards of micro-batches, which together give the gradient of one logical batch. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/state.h"

void passes_begin(knack_step *step, const int64_t *row, int64_t rows, bool training)
{
    struct run *run = step->run;
    struct model_pass *pass = &step->pass;
    arena_reset(run->pass_arena);
    tape_begin(&step->tape, run->pass_arena);
    step->tape.recording = training;
    *pass = (struct model_pass){.base = {&step->tape},
                                .params = run->params,
                                .weights = run->in_use,
                                .gradients = training && step->param_gradients,
                                .training = training,
                                .norms = training ? NORMS_BATCH : NORMS_RUNNING,
                                .compute = run->plan.compute,
                                .seed = run->seed,
                                .batch = (uint32_t)run->at.batch,
                                .redraw = step->main_redraw,
                                .rows = rows,
                                .row = row,
                                .filter = run->filters ? stages_filter : NULL,
                                .saw_mask = run->trace && training ? trace_mask : NULL};
    step->x = NULL;
    step->gathered = NULL;
    step->forwards = 0;
    step->records = 0;
    run->now.training = training;
    run->now.pass = step->gradient_pass;
    run->now.weights = run->in_use->name;
    run->now.part = data_part_name[step->part];
}

void passes_hook(knack_step *step)
{
    passes_begin(step, step->logical.row, step->logical.rows, false);
    step->pass.weights = NULL;
}

/* The tensor shape of rows of the data's input. */
static int input_shape(const struct dataset *data, int64_t rows, int64_t shape[KNACK_MAX_DIMS])
{
    shape[0] = rows;
    memcpy(shape + 1, data->shape, (size_t)data->ndim * sizeof *shape);
    return data->ndim + 1;
}

knack_tensor *passes_input(knack_step *step)
{
    const struct dataset *data = step->run->data;
    int64_t rows = step->pass.rows, width = data->width, shape[KNACK_MAX_DIMS];
    int ndim = input_shape(data, rows, shape);
    bool natural = true;
    for (int64_t i = 0; i < rows && natural; i++) natural = step->pass.row[i] == step->pass.row[0] + i;
    if (natural) return tape_constant(&step->tape, KNACK_REAL, ndim, shape, step->input + step->pass.row[0] * width);
    knack_real *x = tape_alloc(&step->tape, (size_t)(rows * width) * sizeof *x); /* [rows, width] */
    if (!x) return NULL;
    for (int64_t i = 0; i < rows; i++) memcpy(x + i * width, step->input + step->pass.row[i] * width, (size_t)width * sizeof *x);
    return tape_constant(&step->tape, KNACK_REAL, ndim, shape, x);
}

bool passes_rows_fit(knack_step *step, const knack_tensor *x, const char *function)
{
    if (!x) return false;
    int64_t rows = x->ndim > 0 ? x->shape[0] : 0;
    if (rows == step->pass.rows) return true;
    tape_fail(&step->tape, KNACK_E_SHAPE, "%s(): %lld rows, but the pass has %lld", function, (long long)rows, (long long)step->pass.rows);
    return false;
}

/* ---- Forwards ---- */

static void record_forward(knack_step *step, struct forward_record record)
{
    step->record[step->records % FORWARD_RECORDS] = record;
    step->records++;
}

/* Features of x, as rows of items where mixed targets made the batch taller; and, through the head, logits. */
static knack_tensor *compute(knack_step *step, knack_tensor *x, uint32_t flags)
{
    struct forward_record record = {.x = x, .weights = step->pass.weights, .flags = flags & (uint32_t)~KNACK_FEATURES};
    counts_add(step);
    record.features = model_features(step->run->model, step, x);
    if (step->gathered) record.features = knack_gather(record.features, step->gathered, step->items.rows);
    if (!(flags & KNACK_FEATURES)) record.logits = stages_head(step, -1, record.features);
    if (!record.features || (!record.logits && !(flags & KNACK_FEATURES))) return NULL;
    record_forward(step, record);
    return flags & KNACK_FEATURES ? record.features : record.logits;
}

/* An evaluation's forward of the same input under the same weights is not computed twice. */
static knack_tensor *remembered(knack_step *step, const knack_tensor *x, uint32_t flags)
{
    if (!(flags & KNACK_EVAL) || flags & KNACK_STATISTICS) return NULL;
    for (int64_t i = 0; i < step->records && i < FORWARD_RECORDS; i++) {
        struct forward_record *r = &step->record[i];
        if (r->x != x || r->weights != step->pass.weights || r->flags != (flags & (uint32_t)~KNACK_FEATURES)) continue;
        if (flags & KNACK_FEATURES) return r->features;
        if (!r->logits) r->logits = stages_head(step, -1, r->features);
        return r->logits;
    }
    return NULL;
}

knack_tensor *passes_forward(knack_step *step, knack_tensor *x, uint32_t flags)
{
    struct model_pass *pass = &step->pass, before = *pass;
    bool recording = step->tape.recording;
    if (!x) x = step->x;
    if (!passes_rows_fit(step, x, "knack_forward")) return NULL;
    if (flags & (KNACK_NO_GRADIENT | KNACK_EVAL)) step->tape.recording = false;
    if (flags & KNACK_EVAL) {
        pass->training = false;
        pass->norms = NORMS_RUNNING;
        step->run->now.training = 0;
    } else if (flags & KNACK_STATISTICS) {
        pass->norms = NORMS_MOVE;
    }
    if (flags & KNACK_REDRAW) pass->redraw = step->main_redraw | ++step->forwards;
    knack_tensor *out = remembered(step, x, flags);
    if (!out) out = compute(step, x, flags);
    struct knack_weights *weights = pass->weights;
    *pass = before;
    pass->weights = weights;
    step->tape.recording = recording;
    step->run->now.training = pass->training;
    return out;
}

knack_tensor *passes_predict(knack_step *step, knack_tensor *x)
{
    knack_tensor *logits = passes_forward(step, x, KNACK_EVAL);
    return step->run->data->kind == KNACK_CLASSIFICATION ? knack_softmax(logits) : logits;
}

/* ---- Gradients ---- */

/* The main forward of a micro-batch: running statistics move in the first pass of a step only (rule 3). */
static knack_tensor *main_forward(knack_step *step, uint32_t flags)
{
    step->x = passes_input(step);
    if (!step->x) return NULL;
    step->pass.norms = step->gradient_pass == 0 ? NORMS_MOVE : NORMS_BATCH;
    knack_tensor *out = compute(step, step->x, flags);
    step->pass.norms = NORMS_BATCH;
    return out;
}

/* Adds the items' losses to *loss, and gives backward's seed [items]. */
static knack_status seed_of(knack_step *step, const knack_tensor *item_loss, double *loss, knack_real **seed)
{
    int ndim;
    char text[96];
    const int64_t *shape = knack_shape(item_loss, &ndim);
    int64_t items = step->items.rows;
    if (ndim != 1 || shape[0] != items)
        return status_set(KNACK_E_SHAPE, "the loss has shape %s; one value for each of the %lld items was expected",
                          shape_text(text, ndim, shape), (long long)items);
    const knack_real *value = knack_data(item_loss);
    double scale = step->weight * step->run->plan.loss_scale;
    *seed = tape_alloc(&step->tape, (size_t)items * sizeof **seed);
    if (!*seed) return tape_status(&step->tape);
    for (int64_t i = 0; i < items; i++) {
        *loss += (double)step->seed[i] * (double)value[i];
        (*seed)[i] = (knack_real)((double)step->seed[i] * scale);
    }
    return KNACK_OK;
}

/* Head and loss have given logits; backward from the loss. */
static knack_status loss_and_backward(knack_step *step, knack_tensor *logits, double *loss)
{
    knack_real *seed;
    knack_tensor *item_loss = stages_loss(step, -1, logits);
    if (!item_loss) return passes_failure(step);
    TRY(seed_of(step, item_loss, loss, &seed));
    return tape_backward(item_loss, seed);
}

/* A training pass over some of the batch's rows, with their items. */
static knack_status begin_rows(knack_step *step, const int64_t *row, int64_t rows)
{
    passes_begin(step, row, rows, true);
    return targets_items(step);
}

static knack_status micro_batch(knack_step *step, int64_t index, double *loss)
{
    int64_t first = step->stretch[index];
    TRY(begin_rows(step, step->order + first, step->stretch[index + 1] - first));
    knack_tensor *logits = main_forward(step, 0);
    if (!logits) return passes_failure(step);
    return loss_and_backward(step, logits, loss);
}

/* One backbone forward of every micro-batch into all [active, width], without a tape. */
static knack_status gather_features(knack_step *step, knack_real *all)
{
    int64_t width = step->run->model->width;
    for (int64_t m = 0; m < step->micro_batches; m++) {
        int64_t first = step->stretch[m], rows = step->stretch[m + 1] - first;
        TRY(begin_rows(step, step->order + first, rows));
        step->gathered = NULL; /* features are wanted of rows, not of items */
        step->tape.recording = false;
        knack_tensor *features = main_forward(step, KNACK_FEATURES);
        if (!features) return passes_failure(step);
        memcpy(all + first * width, knack_data(features), (size_t)(rows * width) * sizeof *all);
    }
    return KNACK_OK;
}

/* Head and loss once on the features of the whole batch; their gradient goes to `back` [active, width]. */
static knack_status whole_loss(knack_step *step, knack_real *all, knack_real *back, double *loss)
{
    int64_t shape[2] = {step->active, step->run->model->width};
    uint8_t touched = 0;
    TRY(begin_rows(step, step->order, step->active));
    step->x = passes_input(step);
    struct forward_record record = {.x = step->x, .weights = step->pass.weights};
    record.features = tape_leaf(&step->tape, 2, shape, all, back, &touched);
    if (step->gathered) record.features = knack_gather(record.features, step->gathered, step->items.rows);
    record.logits = stages_head(step, -1, record.features);
    if (!record.logits) return passes_failure(step);
    record_forward(step, record);
    return loss_and_backward(step, record.logits, loss);
}

/* Gradient caching (rule 7, arXiv:2101.06983): one more forward, and head and loss see the whole batch. */
static knack_status whole_batch(knack_step *step, double *loss)
{
    int64_t width = step->run->model->width;
    size_t bytes = (size_t)(step->active * width) * sizeof(knack_real);
    knack_real *all = arena_zeroed(step->run->step_arena, bytes), *back = arena_zeroed(step->run->step_arena, bytes);
    if (!all || !back) return KNACK_E_MEMORY;
    TRY(gather_features(step, all));
    TRY(whole_loss(step, all, back, loss));
    for (int64_t m = 0; m < step->micro_batches; m++) {
        int64_t first = step->stretch[m];
        TRY(begin_rows(step, step->order + first, step->stretch[m + 1] - first));
        step->x = passes_input(step);
        counts_add(step);
        knack_tensor *features = step->x ? model_features(step->run->model, step, step->x) : NULL;
        if (!features) return passes_failure(step);
        TRY(tape_backward(features, back + first * width));
    }
    return KNACK_OK;
}

/* Before the first micro-batch: the buffer holds keep times what it was, in the loss's scale; fresh: it is to be overwritten. */
static void open_gradient(struct run *run, double keep, bool fresh)
{
    struct params *p = run->params;
    knack_real factor = (knack_real)(keep * run->plan.loss_scale);
    memset(p->touched, !fresh, (size_t)p->count);
    for (int64_t i = 0; !fresh && factor != 1 && i < p->total; i++) p->gradients[i] *= factor;
}

/* After the last: what no pass wrote is 0, and the loss's scale is undone. Returns whether all is finite. */
static bool close_gradient(struct run *run)
{
    struct params *p = run->params;
    for (int64_t k = 0; k < p->count; k++)
        if (!p->touched[k]) memset(p->gradients + p->list[k]->public.offset, 0, (size_t)p->list[k]->public.count * sizeof *p->gradients);
    knack_real factor = (knack_real)(1 / run->plan.loss_scale);
    for (int64_t i = 0; factor != 1 && i < p->total; i++) p->gradients[i] *= factor;
    return flat_finite(p->gradients, p->total);
}

knack_status passes_gradient(struct run *run, double keep, double weight, uint32_t flags, bool first)
{
    knack_step *step = &run->step;
    double loss = 0;
    step->param_gradients = weight != 0;
    step->weight = weight != 0 ? weight : 1;
    step->asked_by = run->call ? run->call->trick->index : -1;
    step->main_redraw = flags & KNACK_REDRAW ? step->gradient_pass << 16 : 0;
    open_gradient(run, keep, first || keep == 0);
    perturbations_begin_pass(run, first ? 0 : keep);
    if (run->scope_batch && step->micro_batches > 1)
        TRY(whole_batch(step, &loss));
    else
        for (int64_t m = 0; m < step->micro_batches; m++) TRY(micro_batch(step, m, &loss));
    bool finite = close_gradient(run);
    if (step->gradient_pass == 0) run->last_loss = loss;
    step->gradient_pass++;
    passes_hook(step);
    return finite && isfinite(loss) ? KNACK_OK : KNACK_SKIP_UPDATE;
}
