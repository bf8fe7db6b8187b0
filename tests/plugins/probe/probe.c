/* A plugin for tests: does one thing of the contract ("do") in one slot ("at"), and nothing elsewhere. */
#include <math.h>
#include <string.h>

#include <knack/plugin.h>

struct probe {
    const char *at, *action;
    int64_t from; /* batch from which it acts */
    knack_weights *set;
    const knack_param *param;
    double *state;
};

/* in: what a stage was given. An action uses of these what it needs. */
typedef knack_status action(knack_trick *trick, knack_step *step, knack_tensor *in);
#define ACTION(name) static knack_status name(knack_trick *trick, knack_step *step, knack_tensor *in)
#pragma GCC diagnostic ignored "-Wunused-parameter"

static struct probe *self_of(knack_trick *trick)
{
    return knack_self(trick);
}

static bool at(knack_trick *trick, const char *slot)
{
    return strcmp(self_of(trick)->at, slot) == 0;
}

static bool does(knack_trick *trick, const char *slot, const char *what)
{
    return at(trick, slot) && strcmp(self_of(trick)->action, what) == 0;
}

/* Functions without a status say by NULL that something went wrong; what, the host has noted. */
static knack_status got(const void *pointer)
{
    return pointer ? KNACK_OK : KNACK_E_PLUGIN;
}

static knack_status expect(knack_trick *trick, bool right, const char *what)
{
    return right ? KNACK_OK : knack_fail(trick, "%s is not what it should be", what);
}

/* ---- Options ---- */

ACTION(option_number)
{
    return expect(trick, knack_option_number(trick, "number") == 0.5, "number");
}

ACTION(option_flag)
{
    return expect(trick, knack_option_flag(trick, "flag"), "flag");
}

ACTION(option_string)
{
    return got(knack_option_string(trick, "do"));
}

ACTION(option_updates)
{
    return expect(trick, knack_option_updates(trick, "duration") == 2, "duration");
}

ACTION(option_numbers)
{
    int64_t count;
    const double *value = knack_option_numbers(trick, "numbers", &count);
    return expect(trick, value && count == 2 && value[1] == 2, "numbers");
}

ACTION(option_strings)
{
    int64_t count;
    const char *const *value = knack_option_strings(trick, "strings", &count);
    return expect(trick, value && count == 1 && !strcmp(value[0], "a"), "strings");
}

ACTION(option_undeclared)
{
    knack_option_number(trick, "numbre");
    return KNACK_OK;
}

ACTION(option_mistaken)
{
    knack_option_flag(trick, "number");
    return KNACK_OK;
}

/* ---- Facts, memory, reports ---- */

ACTION(task)
{
    const struct knack_task *t = knack_task(trick);
    return expect(trick, t->kind == KNACK_CLASSIFICATION && t->classes == 10 && t->width == 8 && t->batch == 16, "task");
}

ACTION(now)
{
    const struct knack_now *n = knack_now(trick);
    return expect(trick, n->updates == 4 && n->epochs == 2 && n->update <= 4 && n->weights && n->part, "now");
}

ACTION(name)
{
    return expect(trick, !strcmp(knack_name(trick), "probe"), "name");
}

ACTION(self)
{
    return got(knack_self(trick));
}

ACTION(local)
{
    return got(knack_local(trick, step));
}

ACTION(scratch)
{
    return got(knack_scratch(step, 100));
}

ACTION(fail)
{
    return knack_fail(trick, "failed by request number %d", 7);
}

ACTION(warn)
{
    knack_warn(trick, "a warning");
    return KNACK_OK;
}

ACTION(metric)
{
    if (!at(trick, "open") && knack_now(trick)->batch % 2) knack_metric(trick, "odd", (double)knack_now(trick)->batch);
    knack_metric(trick, "answer", 42);
    return KNACK_OK;
}

/* ---- Declarations ---- */

ACTION(params)
{
    const knack_param *const *list;
    return knack_params(trick, "*.weight", &list) > 0 ? got(list[0]) : KNACK_E_PLUGIN;
}

ACTION(params_none)
{
    const knack_param *const *list;
    knack_params(trick, "*.wieght", &list);
    return KNACK_OK;
}

ACTION(add_param)
{
    struct knack_param_spec spec = {.size = sizeof spec, .name = "more", .ndim = 1, .shape = {3}};
    return got(knack_add_param(trick, &spec));
}

ACTION(weight_set)
{
    return got(knack_weight_set(trick, "another", KNACK_SCRATCH));
}

ACTION(weight_set_raw)
{
    knack_weight_set(trick, "raw", 0);
    return KNACK_OK;
}

ACTION(state)
{
    return got(knack_state(trick, "more", KNACK_I64, 4));
}

ACTION(state_twice)
{
    knack_state(trick, "seen", KNACK_F64, 2);
    return KNACK_OK;
}

ACTION(watch_layer)
{
    return knack_watch_layer(trick, "fc*");
}

ACTION(watch_none)
{
    knack_watch_layer(trick, "cf1");
    return KNACK_OK;
}

/* ---- Weights ---- */

ACTION(weights_in_use)
{
    return got(knack_weights_in_use(trick, NULL));
}

ACTION(values)
{
    return got(knack_values(self_of(trick)->set, NULL));
}

ACTION(statistics)
{
    int64_t count;
    return got(knack_statistics(trick, self_of(trick)->set, &count));
}

ACTION(use_weights)
{
    return knack_use_weights(trick, self_of(trick)->set);
}

ACTION(weights_ready)
{
    knack_weights_ready(self_of(trick)->set);
    return KNACK_OK;
}

/* ---- Batch ---- */

ACTION(batch)
{
    return got(knack_batch(step));
}

ACTION(input)
{
    return got(knack_input(step));
}

/* Rows of the batch; 1 where it cannot be had. */
static int64_t rows_of(knack_step *step)
{
    const struct knack_batch *b = knack_batch(step);
    return b ? b->rows : 1;
}

/* i -> rows - 1 - i: everyone has a partner, but the one in the middle of an odd batch. */
static int64_t *partners(knack_step *step)
{
    int64_t rows = rows_of(step), *partner = knack_scratch(step, (size_t)rows * sizeof *partner);
    for (int64_t i = 0; partner && i < rows; i++) partner[i] = rows - 1 - i;
    return partner;
}

/* One class id a row. */
static knack_tensor *ids(knack_step *step, int32_t id)
{
    int64_t rows = rows_of(step);
    int32_t *list = knack_scratch(step, (size_t)rows * sizeof *list);
    for (int64_t i = 0; list && i < rows; i++) list[i] = id;
    return list ? knack_constant(step, KNACK_I32, 1, &rows, list) : NULL;
}

/* One row of count equal numbers a row. */
static knack_tensor *dense(knack_step *step, int64_t count, double number)
{
    int64_t shape[2] = {rows_of(step), count};
    knack_real *list = knack_scratch(step, (size_t)(shape[0] * count) * sizeof *list);
    for (int64_t i = 0; list && i < shape[0] * count; i++) list[i] = (knack_real)number;
    return list ? knack_constant(step, KNACK_REAL, 2, shape, list) : NULL;
}

/* As if the batch were black; a trick that does not write inputs paints a copy. */
ACTION(blacken)
{
    knack_tensor *x = knack_input(step);
    int ndim;
    const int64_t *shape = knack_shape(x, &ndim);
    int64_t count = 1;
    for (int axis = 0; axis < ndim; axis++) count *= shape[axis];
    if (x) memset(knack_data(x), 0, (size_t)count * sizeof(knack_real));
    return got(x);
}

ACTION(set_targets)
{
    return knack_set_targets(step, ids(step, 3));
}

ACTION(set_targets_beyond)
{
    knack_set_targets(step, ids(step, 10));
    return KNACK_OK;
}

ACTION(set_targets_dense)
{
    return knack_set_targets(step, dense(step, 10, 0.1));
}

ACTION(set_targets_short)
{
    knack_set_targets(step, dense(step, 9, 1.0 / 9));
    return KNACK_OK;
}

ACTION(set_targets_unsummed)
{
    knack_set_targets(step, dense(step, 10, 0.2));
    return KNACK_OK;
}

ACTION(write_target_beyond)
{
    knack_batch(step)->target[1] = 10;
    return KNACK_OK;
}

ACTION(mix_targets)
{
    const int64_t *partner = partners(step), rows = rows_of(step);
    knack_real *lambda = knack_scratch(step, (size_t)rows * sizeof *lambda);
    for (int64_t i = 0; i < rows; i++) lambda[i] = (knack_real)0.75;
    return knack_mix_targets(step, partner, lambda);
}

/* The first row loses its target, the second counts nothing, the third twice. */
ACTION(ignore_some)
{
    struct knack_batch *b = knack_batch(step);
    b->target[0] = -1;
    b->weight[1] = 0;
    b->weight[2] = 2;
    return KNACK_OK;
}

ACTION(mix_targets_beyond)
{
    int64_t *partner = partners(step);
    knack_real *lambda = knack_scratch(step, (size_t)rows_of(step) * sizeof *lambda);
    partner[0] = rows_of(step);
    knack_mix_targets(step, partner, lambda);
    return KNACK_OK;
}

ACTION(keep_together)
{
    return knack_keep_together(step, partners(step));
}

ACTION(keep_together_askew)
{
    int64_t *partner = partners(step);
    partner[0] = 1;
    knack_keep_together(step, partner);
    return KNACK_OK;
}

ACTION(mix_rows)
{
    const int64_t *partner = partners(step);
    knack_real *keep = knack_scratch(step, (size_t)rows_of(step) * sizeof *keep);
    return got(knack_mix_rows(step, in, partner, keep, rows_of(step), 1));
}

ACTION(mix_rows_few)
{
    const int64_t *partner = partners(step);
    knack_real keep[2] = {1, 1};
    knack_mix_rows(step, in, partner, keep, 2, 1);
    return KNACK_OK;
}

ACTION(mix_rows_of_few)
{
    knack_real keep = 1;
    knack_mix_rows(step, knack_slice(in, 0, 0, 3), partners(step), &keep, 1, 1);
    return KNACK_OK;
}

/* ---- Passes ---- */

ACTION(next_gradient)
{
    return knack_next_gradient(trick, step, 1, 1, KNACK_REDRAW);
}

ACTION(next_gradient_infinite)
{
    return knack_next_gradient(trick, step, 0, (double)INFINITY, 0);
}

ACTION(next_gradient_flags)
{
    return knack_next_gradient(trick, step, 0, 1, KNACK_EVAL);
}

ACTION(next_head)
{
    return got(knack_next_head(trick, step, in));
}

ACTION(next_loss)
{
    return got(knack_next_loss(trick, step, in));
}

ACTION(next_predict)
{
    return got(knack_next_predict(trick, step, in));
}

ACTION(forward)
{
    return got(knack_forward(trick, step, NULL, KNACK_EVAL));
}

ACTION(forward_features)
{
    return got(knack_forward(trick, step, NULL, KNACK_EVAL | KNACK_FEATURES));
}

ACTION(forward_training)
{
    return got(knack_forward(trick, step, NULL, KNACK_REDRAW | KNACK_NO_GRADIENT));
}

ACTION(forward_of_few)
{
    knack_forward(trick, step, knack_slice(knack_input(step), 0, 0, 3), 0);
    return KNACK_OK;
}

ACTION(features)
{
    return got(knack_features(step, in));
}

ACTION(features_unknown)
{
    knack_features(step, knack_scale(in, 2));
    return KNACK_OK;
}

ACTION(gradients)
{
    return got(knack_gradients(step, NULL));
}

ACTION(perturbation)
{
    const struct knack_perturbation *offset = knack_perturbation(trick, step, "fc1", in);
    return offset ? expect(trick, offset->width == 8 && offset->rows == rows_of(step), "perturbation") : KNACK_E_PLUGIN;
}

ACTION(perturb)
{
    return got(knack_perturb(trick, step, "fc1", in));
}

/* Of the input, which a loss is not given. */
static knack_tensor *view_of(knack_trick *trick, knack_step *step, const char *name, knack_tensor *in)
{
    return knack_view(trick, step, name, at(trick, "loss") ? knack_input(step) : in);
}

ACTION(perturb_few)
{
    knack_perturb(trick, step, "fc1", knack_slice(in, 0, 0, 3));
    return KNACK_OK;
}

ACTION(view)
{
    return got(view_of(trick, step, "shift 1 0", in));
}

ACTION(view_train)
{
    return got(view_of(trick, step, "train", in));
}

ACTION(view_unknown)
{
    view_of(trick, step, "shfit 1 0", in);
    return KNACK_OK;
}

static knack_status visit_rows(knack_trick *trick, knack_step *step, knack_tensor *out)
{
    const struct knack_batch *b = knack_batch(step);
    return expect(trick, b && out && knack_shape(out, NULL)[0] == b->rows, "what a sweep shows");
}

ACTION(sweep)
{
    return knack_sweep(trick, "validation", KNACK_EVAL, visit_rows);
}

ACTION(sweep_features)
{
    return knack_sweep(trick, "train", KNACK_EVAL | KNACK_FEATURES, visit_rows);
}

ACTION(sweep_nowhere)
{
    knack_sweep(trick, "trian", KNACK_EVAL, visit_rows);
    return KNACK_OK;
}

ACTION(sweep_live_statistics)
{
    knack_sweep(trick, "train", KNACK_STATISTICS, NULL);
    return KNACK_OK;
}

/* ---- Knobs, random numbers ---- */

ACTION(set_plan)
{
    return knack_set_plan(trick, &(struct knack_plan){.size = sizeof(struct knack_plan), .compute = KNACK_BF16, .loss_scale = 1024});
}

ACTION(set_plan_rows)
{
    return knack_set_plan(trick, &(struct knack_plan){.size = sizeof(struct knack_plan), .micro_batch = 4});
}

ACTION(set_plan_odd)
{
    knack_set_plan(trick, &(struct knack_plan){.size = sizeof(struct knack_plan), .loss_scale = 3});
    return KNACK_OK;
}

ACTION(set_lr)
{
    return knack_set_lr(step, 0.0125);
}

ACTION(set_lr_negative)
{
    knack_set_lr(step, -1);
    return KNACK_OK;
}

ACTION(uniform)
{
    knack_real out[8];
    knack_uniform(trick, 0, 0, 8, out);
    return KNACK_OK;
}

ACTION(beta)
{
    knack_real out[8];
    knack_beta(trick, 0, 0.2, 0.2, 8, out);
    return KNACK_OK;
}

ACTION(beta_negative)
{
    knack_real out;
    knack_beta(trick, 0, -1, 0.2, 1, &out);
    return KNACK_OK;
}

ACTION(pairs)
{
    int64_t out[7] = {0};
    knack_pairs(trick, 0, 7, out);
    for (int i = 0; i < 7; i++)
        if (out[out[i]] != i) return knack_fail(trick, "pairs are no involution");
    return KNACK_OK;
}

ACTION(spoil)
{
    knack_gradients(step, NULL)[0] = NAN; /* as tricks use it, without a look whether they may */
    return KNACK_OK;
}
ACTION(silent)
{
    return KNACK_E_DATA;
}
ACTION(many_draws)
{
    knack_real out[1000];
    for (int i = 0; i < 250; i++) knack_uniform(trick, 1, i * 1000, 1000, out);
    return KNACK_IDLE;
}

ACTION(param_tensor)
{
    knack_param_tensor(step, self_of(trick)->param);
    return KNACK_OK;
}

/* ---- Outcomes ---- */

ACTION(nothing)
{
    return KNACK_IDLE;
}

ACTION(act_only)
{
    return KNACK_OK;
}

ACTION(skip)
{
    return KNACK_SKIP_UPDATE;
}

ACTION(stop)
{
    return KNACK_STOP;
}

ACTION(nonsense)
{
    return 17;
}

ACTION(spoil_gradient)
{
    knack_real *gradient = knack_gradients(step, NULL);
    if (gradient) gradient[0] = (knack_real)NAN;
    return KNACK_SKIP_UPDATE;
}

/* ---- The plugin ---- */

#define DO(name)                                                                                                                           \
    {                                                                                                                                      \
#name, name                                                                                                                        \
    }
static const struct {
    const char *name;
    action *run;
} actions[] = {
    DO(option_number),
    DO(option_flag),
    DO(option_string),
    DO(option_updates),
    DO(option_numbers),
    DO(option_strings),
    DO(option_undeclared),
    DO(option_mistaken),
    DO(task),
    DO(now),
    DO(name),
    DO(self),
    DO(local),
    DO(scratch),
    DO(fail),
    DO(warn),
    DO(metric),
    DO(params),
    DO(params_none),
    DO(add_param),
    DO(weight_set),
    DO(weight_set_raw),
    DO(state),
    DO(state_twice),
    DO(watch_layer),
    DO(watch_none),
    DO(weights_in_use),
    DO(values),
    DO(statistics),
    DO(use_weights),
    DO(weights_ready),
    DO(batch),
    DO(input),
    DO(blacken),
    DO(set_targets),
    DO(set_targets_beyond),
    DO(set_targets_dense),
    DO(set_targets_short),
    DO(set_targets_unsummed),
    DO(write_target_beyond),
    DO(mix_targets),
    DO(ignore_some),
    DO(mix_targets_beyond),
    DO(keep_together),
    DO(keep_together_askew),
    DO(mix_rows),
    DO(mix_rows_few),
    DO(mix_rows_of_few),
    DO(next_gradient),
    DO(next_gradient_infinite),
    DO(next_gradient_flags),
    DO(next_head),
    DO(next_loss),
    DO(next_predict),
    DO(forward),
    DO(forward_features),
    DO(forward_training),
    DO(forward_of_few),
    DO(features),
    DO(features_unknown),
    DO(gradients),
    DO(perturbation),
    DO(perturb),
    DO(perturb_few),
    DO(view),
    DO(view_train),
    DO(view_unknown),
    DO(sweep),
    DO(sweep_features),
    DO(sweep_nowhere),
    DO(sweep_live_statistics),
    DO(set_plan),
    DO(set_plan_rows),
    DO(set_plan_odd),
    DO(set_lr),
    DO(set_lr_negative),
    DO(uniform),
    DO(beta),
    DO(beta_negative),
    DO(pairs),
    DO(many_draws),
    DO(spoil),
    DO(silent),
    DO(param_tensor),
    DO(nothing),
    DO(act_only),
    DO(skip),
    DO(stop),
    DO(nonsense),
    DO(spoil_gradient),
};

static knack_status act(knack_trick *trick, knack_step *step, knack_tensor *in, const char *slot)
{
    if (!at(trick, slot) || (self_of(trick)->from > 0 && knack_now(trick)->batch < self_of(trick)->from)) return KNACK_IDLE;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(actions[i].name, self_of(trick)->action)) return actions[i].run(trick, step, in);
    return KNACK_IDLE; /* one of those that a stage looks at itself */
}

static knack_status probe_open(knack_trick *trick)
{
    struct probe *self = knack_self(trick);
    const knack_param *const *list;
    int64_t count;
    self->at = knack_option_string(trick, "at");
    self->action = knack_option_string(trick, "do");
    if (does(trick, "open", "forget_options")) return KNACK_OK;
    self->from = (int64_t)knack_option_number(trick, "from");
    knack_option_number(trick, "number");
    knack_option_flag(trick, "flag");
    knack_option_updates(trick, "duration");
    knack_option_numbers(trick, "numbers", &count);
    knack_option_strings(trick, "strings", &count);
    self->set = knack_weight_set(trick, "probed", KNACK_EVALUATE);
    self->state = knack_state(trick, "seen", KNACK_F64, 2);
    if (knack_watch_layer(trick, "*") < 0 || !knack_params(trick, "fc1.weight", &list)) return KNACK_E_PLUGIN;
    self->param = list[0];
    return act(trick, NULL, NULL, "open");
}

static void probe_close(knack_trick *trick)
{
    if (self_of(trick)->set) act(trick, NULL, NULL, "close");
}

static knack_status visit(knack_trick *trick, knack_step *step, knack_tensor *out)
{
    return act(trick, step, out, "sweep");
}

static knack_status probe_epoch_begin(knack_trick *trick)
{
    return at(trick, "sweep") ? knack_sweep(trick, "validation", KNACK_EVAL, visit) : act(trick, NULL, NULL, "epoch_begin");
}

#define HOOK(slot)                                                                                                                         \
    static knack_status probe_##slot(knack_trick *trick)                                                                                   \
    {                                                                                                                                      \
        return act(trick, NULL, NULL, #slot);                                                                                              \
    }
#define STEP_HOOK(slot)                                                                                                                    \
    static knack_status probe_##slot(knack_trick *trick, knack_step *step)                                                                 \
    {                                                                                                                                      \
        return act(trick, step, NULL, #slot);                                                                                              \
    }
HOOK(run_begin)
HOOK(run_end)
HOOK(epoch_end)
HOOK(eval_begin)
HOOK(eval_end)
STEP_HOOK(pre_step)
STEP_HOOK(post_backward)
STEP_HOOK(post_step)

static knack_tensor *probe_layer(knack_trick *trick, knack_step *step, const char *name, knack_tensor *out)
{
    if (strcmp(name, "fc1") != 0) return out;
    if (act(trick, step, out, "layer") < 0 || does(trick, "layer", "give_nothing")) return NULL;
    return at(trick, "after gradient") ? knack_perturb(trick, step, name, out) : out;
}

static knack_tensor *probe_head(knack_trick *trick, knack_step *step, knack_tensor *features)
{
    if (act(trick, step, features, "head") < 0 || does(trick, "head", "give_nothing")) return NULL;
    knack_tensor *logits = knack_next_head(trick, step, features);
    return does(trick, "head", "give_less") ? knack_slice(logits, 1, 0, 3) : logits;
}

static knack_tensor *probe_loss(knack_trick *trick, knack_step *step, knack_tensor *logits)
{
    if (act(trick, step, logits, "loss") < 0 || does(trick, "loss", "give_nothing")) return NULL;
    knack_tensor *loss = knack_next_loss(trick, step, logits);
    return does(trick, "loss", "give_less") ? knack_mean(loss, KNACK_ALL) : loss;
}

static knack_tensor *probe_predict(knack_trick *trick, knack_step *step, knack_tensor *x)
{
    if (act(trick, step, x, "predict") < 0 || does(trick, "predict", "give_nothing")) return NULL;
    knack_tensor *prediction = knack_next_predict(trick, step, x);
    return does(trick, "predict", "give_less") ? knack_slice(prediction, 1, 0, 3) : prediction;
}

static knack_status probe_gradient(knack_trick *trick, knack_step *step)
{
    knack_status status = act(trick, step, NULL, "gradient");
    if ((status != KNACK_OK && status != KNACK_IDLE) || does(trick, "gradient", "make_no_pass")) return status;
    status = knack_next_gradient(trick, step, 0, 1, 0);
    if (does(trick, "gradient", "overlook_outcome")) return KNACK_OK;
    return status == KNACK_OK ? act(trick, step, NULL, "after gradient") : status;
}

static const knack_plugin probe = {
    .size = sizeof probe,
    .abi = KNACK_ABI,
    .name = "probe",
    .version = "1.0.0",
    .self_size = sizeof(struct probe),
    .local_size = 8,
    .open = probe_open,
    .close = probe_close,
    .run_begin = probe_run_begin,
    .run_end = probe_run_end,
    .epoch_begin = probe_epoch_begin,
    .epoch_end = probe_epoch_end,
    .pre_step = probe_pre_step,
    .post_backward = probe_post_backward,
    .post_step = probe_post_step,
    .eval_begin = probe_eval_begin,
    .eval_end = probe_eval_end,
    .layer = probe_layer,
    .head = probe_head,
    .loss = probe_loss,
    .gradient = probe_gradient,
    .predict = probe_predict,
};

const knack_plugin *knack_plugin_entry(uint32_t host_abi)
{
    return host_abi == KNACK_ABI ? &probe : NULL;
}
