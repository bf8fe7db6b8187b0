/* Evaluation: parts of the data under weight sets, through the predict stages or without; and sweeps for tricks. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/state.h"

enum { EVALUATION_ROWS = 128 };

/* The evaluation's batches of a part: EVALUATION_ROWS each, but the last takes a single left-over row along, since batch norm
 * cannot be estimated from one. */
static int64_t batch_rows(int64_t first, int64_t count)
{
    int64_t left = count - first;
    return left <= EVALUATION_ROWS + 1 ? left : EVALUATION_ROWS;
}

/* Loads examples first .. first + rows - 1 and begins a pass over them without gradient. */
static knack_status begin_batch(struct run *run, enum data_part part, int64_t first, int64_t rows)
{
    knack_step *step = &run->eval_step;
    int64_t example[EVALUATION_ROWS + 1];
    for (int64_t i = 0; i < rows; i++) example[i] = first + i;
    tricks_begin_evaluation(run);
    TRY(step_load(step, part, example, rows));
    step->main_redraw = 0;
    step->param_gradients = false;
    passes_begin(step, step->logical.row, rows, false);
    step->items = step->logical;
    step->x = passes_input(step);
    return step->x ? KNACK_OK : tape_status(&step->tape);
}

static knack_status add_batch(knack_step *step, const knack_tensor *prediction, struct metrics *metrics)
{
    const struct dataset *data = step->run->data;
    if (!prediction || prediction->count != step->logical.rows * data->outputs)
        return prediction ? status_set(KNACK_E_SHAPE, "predict gave %lld values for %lld rows of %lld outputs",
                                       (long long)prediction->count, (long long)step->logical.rows, (long long)data->outputs)
                          : passes_failure(step);
    TRY(metrics_add(metrics, step->logical.rows, prediction->data, step->targets.id, step->targets.value));
    if (!step->run->report.gathering) return KNACK_OK;
    return examples_add(step->run, step->run->report.gathering, step->logical.rows, prediction->data, step->targets.id,
                        step->targets.value);
}

knack_status evaluate_part(struct run *run, enum data_part part, struct knack_weights *weights, bool plain, struct metrics *metrics)
{
    struct knack_weights *before = run->in_use;
    knack_status status = KNACK_OK;
    int64_t count = run->data->part[part].count;
    run->in_use = weights;
    run->now.weights = weights->name;
    run->now.part = data_part_name[part];
    run->now.training = 0;
    metrics_clear(metrics);
    if (!plain) status = tricks_hook(run, SLOT_EVAL_BEGIN, NULL);
    for (int64_t first = 0, rows; first < count && status >= 0; first += rows) {
        rows = batch_rows(first, count);
        knack_step *step = &run->eval_step;
        status = begin_batch(run, part, first, rows);
        if (status < 0) break;
        status = add_batch(step, plain ? passes_predict(step, step->x) : stages_predict(step, -1, step->x), metrics);
    }
    if (status >= 0 && !plain) status = tricks_hook(run, SLOT_EVAL_END, NULL);
    run->in_use = before;
    return status < 0 ? status : KNACK_OK;
}

/* ---- Sweeps ---- */

static knack_status visit_batch(struct run *run, knack_trick *trick, knack_tensor *out,
                                knack_status (*visit)(knack_trick *, knack_step *, knack_tensor *))
{
    if (!out) return passes_failure(&run->eval_step);
    if (!visit) return KNACK_OK;
    struct call call;
    call_begin(&call, trick, SLOT_VISIT, &run->eval_step);
    return call_end(&call, visit(trick, &run->eval_step, out));
}

static knack_status sweep_batch(struct run *run, knack_trick *trick, uint32_t flags, double *sums,
                                knack_status (*visit)(knack_trick *, knack_step *, knack_tensor *))
{
    knack_step *step = &run->eval_step;
    if (flags & KNACK_STATISTICS) {
        step->pass.norms = NORMS_REESTIMATE;
        step->pass.sums = sums;
        counts_add(step);
        return visit_batch(run, trick, model_features(run->model, step, step->x), flags & KNACK_FEATURES ? visit : NULL);
    }
    knack_tensor *out =
        flags & KNACK_FEATURES ? passes_forward(step, step->x, KNACK_EVAL | KNACK_FEATURES) : stages_predict(step, -1, step->x);
    return visit_batch(run, trick, out, visit);
}

knack_status evaluate_sweep(struct run *run, knack_trick *trick, enum data_part part, uint32_t flags,
                            knack_status (*visit)(knack_trick *, knack_step *, knack_tensor *))
{
    struct knack_now now = run->now;
    int64_t count = run->data->part[part].count, evaluated = run->counts.evaluated;
    double *sums = NULL;
    if (flags & KNACK_STATISTICS && run->in_use == &run->params->live)
        return status_set(KNACK_E_CALL,
                          "knack_sweep(): the live weights' statistics are the host's; re-estimate those of a set of this trick");
    if (flags & KNACK_STATISTICS) {
        sums = memory_new((size_t)run->params->statistics_total * 2, sizeof *sums);
        if (!sums) return KNACK_E_MEMORY;
    }
    knack_status status = KNACK_OK;
    for (int64_t first = 0, rows; first < count && status >= 0; first += rows) {
        rows = batch_rows(first, count);
        status = begin_batch(run, part, first, rows);
        if (status >= 0) status = sweep_batch(run, trick, flags, sums, visit);
        trick->swept++;
    }
    if (status >= 0 && sums) model_reestimated(run->model, sums, run->in_use);
    memory_free(sums);
    run->counts.swept += run->counts.evaluated - evaluated;
    run->now = now;
    return status < 0 ? status : KNACK_OK;
}

/* ---- What is evaluated when ---- */

static bool has_predict_stage(const struct run *run)
{
    for (int64_t i = 0; i < run->trick_count; i++)
        if (run->tricks[i].plugin->predict) return true;
    return false;
}

/* The weights that the config asks for, else the first that a trick has ready to be evaluated, else the live ones; `but` aside. */
static const struct knack_weights *choose_weights(struct run *run, const struct knack_weights *but)
{
    struct params *p = run->params;
    const struct knack_weights *asked = run->settings.primary ? params_find_set(p, run->settings.primary) : NULL;
    if (asked && asked != but && (asked == &p->live || asked->ready)) return asked;
    for (int64_t i = 0; i < p->set_count; i++)
        if ((p->set[i]->flags & KNACK_EVALUATE) && p->set[i]->ready) return p->set[i];
    return &p->live;
}

const char *primary_weights(struct run *run)
{
    return choose_weights(run, NULL)->name;
}

static knack_status report(struct run *run, enum data_part part, const char *weights)
{
    const struct metric_value *value = metrics_values(run->metrics);
    int64_t count = metrics_count(run->metrics);
    if (run->observer.evaluation) run->observer.evaluation(run->observer.user, data_part_name[part], weights, run->at.epoch, value, count);
    return results_log_evaluation(run, data_part_name[part], weights, value, count);
}

/* Keeps the weights of the best validation epoch so far. */
static knack_status keep_best(struct run *run, const struct knack_weights *weights)
{
    double value;
    TRY(metrics_find(run->metrics, run->settings.metric, &value));
    bool lower = metric_lower_is_better(run->settings.metric);
    if (isnan(value) || !(isnan(run->at.best) || (lower ? value < run->at.best : value > run->at.best))) return KNACK_OK;
    run->at.best = value;
    run->at.best_epoch = run->at.epoch;
    weights_copy(run->best, weights);
    run->best->ready = true;
    return KNACK_OK;
}

knack_status evaluate_epoch(struct run *run)
{
    struct params *p = run->params;
    const struct knack_weights *judged = choose_weights(run, run->best); /* best itself is a copy of some of them */
    for (int64_t i = -1; i < p->set_count; i++) {
        struct knack_weights *set = i < 0 ? &p->live : p->set[i];
        if (i >= 0 && (!(set->flags & KNACK_EVALUATE) || !set->ready || set == run->best)) continue;
        TRY(evaluate_part(run, PART_VALIDATION, set, false, run->metrics));
        TRY(report(run, PART_VALIDATION, set->name));
        results_point(run, PART_VALIDATION, set->name, metrics_values(run->metrics), metrics_count(run->metrics));
        if (run->best && set == judged) TRY(keep_best(run, set));
    }
    return KNACK_OK;
}

static knack_status remember(struct run *run, const char *weights, const char *part)
{
    int64_t count = metrics_count(run->metrics);
    struct evaluation *grown = memory_resize(run->report.evaluation, (size_t)run->report.evaluations + 1, sizeof *grown);
    if (!grown) return KNACK_E_MEMORY;
    run->report.evaluation = grown;
    struct evaluation e = {memory_text(weights), memory_text(part), memory_new((size_t)count, sizeof *e.value), count};
    if (e.value) memcpy(e.value, metrics_values(run->metrics), (size_t)count * sizeof *e.value);
    run->report.evaluation[run->report.evaluations++] = e;
    return e.weights && e.part && e.value ? KNACK_OK : KNACK_E_MEMORY;
}

/* The evaluation by which the run is judged: what each example got, and what predicting took. */
static knack_status evaluate_primary(struct run *run, enum data_part part, struct knack_weights *set)
{
    const struct counts *counts = &run->counts;
    int64_t before = counts->evaluated - counts->swept;
    struct run_examples *examples = &run->report.examples[part];
    examples_clear(examples);
    run->report.gathering = run->examples_asked ? examples : NULL;
    knack_status status = evaluate_part(run, part, set, false, run->metrics);
    run->report.gathering = NULL;
    run->counts.inference = (double)(counts->evaluated - counts->swept - before) / (double)run->data->part[part].count;
    return status;
}

static knack_status evaluate_final(struct run *run, enum data_part part, struct knack_weights *set, bool plain)
{
    const char *name = plain ? "plain" : set->name;
    bool primary = !strcmp(name, run->primary);
    TRY(primary ? evaluate_primary(run, part, set) : evaluate_part(run, part, set, plain, run->metrics));
    TRY(report(run, part, name));
    TRY(remember(run, name, data_part_name[part]));
    if (primary) {
        /* Parts come in order, so that the test part's figures are those that stay. */
        struct metrics *kept = run->report.table;
        run->report.table = run->metrics;
        run->metrics = kept;
    }
    return KNACK_OK;
}

knack_status run_initial(struct run *run, enum data_part part, const char *metric, double *value)
{
    TRY(metric_check(metric, run->data->kind, run->data->outputs));
    TRY(evaluate_part(run, part, &run->params->live, true, run->metrics));
    return metrics_find(run->metrics, metric, value);
}

knack_status evaluate_end(struct run *run)
{
    struct params *p = run->params;
    bool predicts = has_predict_stage(run);
    for (int part = PART_VALIDATION; part < PART_COUNT; part++) {
        if (!run->data->part[part].count) continue;
        TRY(evaluate_final(run, (enum data_part)part, &p->live, false));
        if (predicts) TRY(evaluate_final(run, (enum data_part)part, &p->live, true));
        for (int64_t i = 0; i < p->set_count; i++)
            if (p->set[i]->ready && ((p->set[i]->flags & KNACK_EVALUATE) || p->set[i] == run->best))
                TRY(evaluate_final(run, (enum data_part)part, p->set[i], false));
    }
    return KNACK_OK;
}

/* ---- Prediction of rows from outside ---- */

knack_status predict_rows(struct run *run, const knack_real *inputs, int64_t count, knack_real *out)
{
    knack_step *step = &run->eval_step;
    int64_t width = run->data->width, outputs = run->data->outputs;
    for (int64_t first = 0, rows; first < count; first += rows) {
        rows = count - first < EVALUATION_ROWS ? count - first : EVALUATION_ROWS;
        tricks_begin_evaluation(run);
        TRY(step_adopt(step, inputs + first * width, rows));
        passes_begin(step, step->logical.row, rows, false);
        step->items = step->logical;
        step->x = passes_input(step);
        knack_tensor *prediction = step->x ? stages_predict(step, -1, step->x) : NULL;
        if (!prediction) return passes_failure(step);
        memcpy(out + first * outputs, prediction->data, (size_t)(rows * outputs) * sizeof *out);
    }
    return KNACK_OK;
}
