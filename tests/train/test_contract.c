/* The contract from the plugin's side: what may be called where, what a slot may return, what a manifest has to declare, and what the user
 * reads when a plugin does otherwise. The plugin "probe" does one thing in one slot. */
#include <stdio.h>

#include "harness.h"

/* Two epochs of two updates, and a validation part; what does not matter to these tests is small. */
#define DATA  "'data': {'source': 'digits', 'limit': 32, 'validation': 16}"
#define TRAIN "'train': {'epochs': 2, 'batch': 16, 'log_every': 1}"
#define RUN   "{" DATA ", " TRAIN ", 'model': {'type': 'mlp', 'hidden': [8]}, 'plugins': [%s]}"

static const char *probe(const char *at, const char *action)
{
    static char entry[160];
    snprintf(entry, sizeof entry, "{'name': 'probe', 'at': '%s', 'do': '%s'}", at, action);
    return entry;
}

static const char *undeclared(const char *at, const char *action)
{
    static char entry[512];
    snprintf(entry, sizeof entry, "{'manifest': '%s/undeclared.json', 'at': '%s', 'do': '%s'}", TEST_PLUGINS, at, action);
    return entry;
}

/* ---- What may be called where ---- */

/* The slots that have a step come first. */
enum { PRE = 1, BACKWARD = 2, POST = 4, LAYER = 8, HEAD = 16, LOSS = 32, GRADIENT = 64, PREDICT = 128, SWEEP = 256 };
enum {
    OPEN = 512,
    CLOSE = 1024,
    RUN_BEGIN = 2048,
    RUN_END = 4096,
    EPOCH_BEGIN = 8192,
    EPOCH_END = 16384,
    EVAL_BEGIN = 32768,
    EVAL_END = 65536
};
enum { WITH_STEP = SWEEP * 2 - 1, ALL = EVAL_END * 2 - 1, AFTER_OPEN = ALL & ~OPEN };
static const char *const slots[] = {"pre_step", "post_backward", "post_step", "layer",      "head",    "loss",
                                    "gradient", "predict",       "sweep",     "open",       "close",   "run_begin",
                                    "run_end",  "epoch_begin",   "epoch_end", "eval_begin", "eval_end"};
enum { SLOTS = sizeof slots / sizeof *slots };

struct rule {
    const char *action, *function;
    uint32_t allowed, there; /* slots where it may be called; slots where it can be: without a step some cannot */
};
static const struct rule rules[] = {
    {"option_number", "knack_option_number", OPEN, ALL},
    {"option_flag", "knack_option_flag", OPEN, ALL},
    {"option_string", "knack_option_string", OPEN, ALL},
    {"option_updates", "knack_option_updates", OPEN, ALL},
    {"option_numbers", "knack_option_numbers", OPEN, ALL},
    {"option_strings", "knack_option_strings", OPEN, ALL},
    {"task", "knack_task", ALL, ALL},
    {"now", "knack_now", AFTER_OPEN, ALL},
    {"name", "knack_name", ALL, ALL},
    {"self", "knack_self", ALL, ALL},
    {"local", "knack_local", WITH_STEP, WITH_STEP},
    {"scratch", "knack_scratch", WITH_STEP, WITH_STEP},
    {"warn", "knack_warn", ALL, ALL},
    {"metric", "knack_metric", AFTER_OPEN & ~CLOSE, ALL},
    {"params", "knack_params", OPEN, ALL},
    {"add_param", "knack_add_param", OPEN, ALL},
    {"weight_set", "knack_weight_set", OPEN, ALL},
    {"state", "knack_state", OPEN, ALL},
    {"watch_layer", "knack_watch_layer", OPEN, ALL},
    {"weights_in_use", "knack_weights_in_use", AFTER_OPEN, ALL},
    {"values", "knack_values", AFTER_OPEN, ALL},
    {"statistics", "knack_statistics", AFTER_OPEN, ALL},
    {"use_weights", "knack_use_weights", GRADIENT | LOSS | PREDICT | EPOCH_BEGIN | EPOCH_END | EVAL_BEGIN | EVAL_END | RUN_END, ALL},
    {"weights_ready", "knack_weights_ready", POST | EPOCH_END | RUN_END, ALL},
    {"batch", "knack_batch", WITH_STEP, WITH_STEP},
    {"input", "knack_input", PRE | LOSS | PREDICT, WITH_STEP},
    {"set_targets", "knack_set_targets", PRE, WITH_STEP},
    {"mix_targets", "knack_mix_targets", PRE, WITH_STEP},
    {"keep_together", "knack_keep_together", PRE, WITH_STEP},
    {"mix_rows", "knack_mix_rows", LAYER, WITH_STEP},
    {"next_gradient", "knack_next_gradient", GRADIENT, WITH_STEP},
    {"next_head", "knack_next_head", HEAD, WITH_STEP},
    {"next_loss", "knack_next_loss", LOSS, WITH_STEP},
    {"next_predict", "knack_next_predict", PREDICT, WITH_STEP},
    {"forward", "knack_forward", LOSS | PREDICT, WITH_STEP},
    {"features", "knack_features", LOSS, WITH_STEP},
    {"gradients", "knack_gradients", GRADIENT | BACKWARD, WITH_STEP},
    {"perturbation", "knack_perturbation", LAYER | GRADIENT, WITH_STEP},
    {"perturb", "knack_perturb", LAYER, WITH_STEP},
    {"view", "knack_view", LOSS | PREDICT, WITH_STEP},
    {"sweep", "knack_sweep", EPOCH_BEGIN | EPOCH_END | EVAL_BEGIN | RUN_END, ALL},
    {"set_plan", "knack_set_plan", RUN_BEGIN | GRADIENT, ALL},
    {"set_lr", "knack_set_lr", PRE, WITH_STEP},
    {"uniform", "knack_uniform", AFTER_OPEN, ALL},
    {"beta", "knack_beta", AFTER_OPEN, ALL},
    {"pairs", "knack_pairs", AFTER_OPEN, ALL},
    {"param_tensor", "knack_param_tensor", LAYER | HEAD | LOSS | PREDICT | SWEEP, WITH_STEP},
};

/* Some can be called in gradient only once there was a pass. */
static const char *place(const struct rule *rule, const char *slot)
{
    bool later = !strcmp(rule->action, "gradients") || !strcmp(rule->action, "perturbation");
    return later && !strcmp(slot, "gradient") ? "after gradient" : slot;
}

static void check(const struct rule *rule, int slot)
{
    knack_status status = harness_status(RUN, probe(place(rule, slots[slot]), rule->action));
    bool allowed = rule->allowed >> slot & 1;
    if (allowed && status < 0) fail_msg("%s in %s: %s", rule->action, slots[slot], knack_error());
    if (allowed) return;
    if (slots[slot] == slots[10]) { /* close: too late for the run to fail */
        assert_int_equal(status, KNACK_OK);
        assert_true(harness_warned("probe, close: ") && harness_warned(rule->function));
        return;
    }
    char who[64];
    snprintf(who, sizeof who, "probe, %s", slots[slot]);
    if (status != KNACK_E_CALL) fail_msg("%s in %s: status %d: %s", rule->action, slots[slot], status, knack_error());
    harness_expect(status, KNACK_E_CALL, who, rule->function, NULL);
}

static void check_rules(uint32_t which)
{
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++)
        for (int slot = 0; slot < SLOTS; slot++)
            if (rules[r].there & which & 1u << slot) check(&rules[r], slot);
}

static void calls_in_slots_with_a_step(void **state)
{
    (void)state;
    check_rules(WITH_STEP);
}

static void calls_in_slots_without_a_step(void **state)
{
    (void)state;
    check_rules(ALL & ~WITH_STEP);
}

/* Further forms of functions, each where it may be called. */
/* The few steps of an estimate are like those of a run to whoever asks. */
static void facts_while_a_run_is_estimated(void **state)
{
    (void)state;
    static const char *const at[] = {"run_begin", "epoch_begin", "pre_step"};
    for (int i = 0; i < 3; i++) {
        struct run_facts facts;
        struct run *run = harness_open(RUN, probe(at[i], "now"));
        assert_int_equal(run_facts(run, false, &facts), KNACK_OK);
        if (run_facts(run, true, &facts) < 0) fail_msg("%s: %s", at[i], knack_error());
        harness_close(run);
    }
}

static void calls_in_other_forms(void **state)
{
    (void)state;
    const char *const good[][2] = {{"gradient", "next_gradient"},  {"loss", "forward_features"},    {"predict", "forward_features"},
                                   {"loss", "forward_training"},   {"loss", "view_train"},          {"predict", "view_train"},
                                   {"run_begin", "set_plan_rows"}, {"epoch_end", "sweep_features"}, {"pre_step", "set_targets_dense"}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (harness_status(RUN, probe(good[i][0], good[i][1])) < 0) fail_msg("%s in %s: %s", good[i][1], good[i][0], knack_error());
}

/* ---- Outcomes ---- */

static void outcomes(void **state)
{
    (void)state;
    const uint32_t skip = PRE | BACKWARD | GRADIENT, stop = PRE | BACKWARD | POST | RUN_BEGIN | EPOCH_BEGIN | EPOCH_END;
    const uint32_t hooks = ALL & ~(LAYER | HEAD | LOSS | PREDICT | CLOSE);
    const struct {
        const char *action, *number;
        uint32_t allowed;
    } outcome[] = {{"act_only", "0", ALL}, {"nothing", "1", ALL}, {"skip", "2", skip}, {"stop", "3", stop}, {"nonsense", "17", 0}};
    for (size_t o = 0; o < sizeof outcome / sizeof *outcome; o++) {
        for (int slot = 0; slot < SLOTS; slot++) {
            if (!(hooks >> slot & 1)) continue;
            knack_status status = harness_status(RUN, probe(slots[slot], outcome[o].action));
            if (outcome[o].allowed >> slot & 1) {
                if (status < 0) fail_msg("%s in %s: %s", outcome[o].action, slots[slot], knack_error());
                continue;
            }
            char who[64], what[64];
            snprintf(who, sizeof who, "probe, %s", slots[slot]);
            snprintf(what, sizeof what, "returned %s, which is no outcome of %s", outcome[o].number, slots[slot]);
            harness_expect(status, KNACK_E_PLUGIN, who, what, NULL);
        }
    }
}

/* A skipped update leaves weights, running statistics and the optimizer alone, and has no post_step. */
static void skipped_updates_change_nothing(void **state)
{
    (void)state;
    const char *const places[] = {"pre_step", "gradient", "after gradient", "post_backward"};
    for (int i = 0; i < 4; i++) {
        struct run *run = harness_open("{" DATA ", " TRAIN ", 'model': {'type': 'cnn', 'channels': [4], 'hidden': [8]}, 'plugins': [%s]}",
                                       probe(places[i], "skip"));
        struct params *p = run->params;
        size_t values = (size_t)p->total * sizeof(knack_real), statistics = (size_t)p->statistics_total * sizeof(knack_real);
        knack_real *before = memory_new((size_t)p->total, sizeof *before),
                   *running = memory_new((size_t)p->statistics_total, sizeof *running);
        assert_true(statistics > 0);
        memcpy(before, p->live.values, values);
        memcpy(running, p->live.statistics, statistics);
        harness_train(run);
        assert_memory_equal(before, p->live.values, values);
        assert_memory_equal(running, p->live.statistics, statistics);
        for (int64_t k = 0; k < p->total; k++) assert_true(run->optimizer->moment[0][k] == 0 && run->optimizer->moment[1][k] == 0);
        assert_int_equal(run->optimizer->updates, 0);
        assert_int_equal(run->at.update, 0);
        assert_int_equal(run->at.batch, 4);
        assert_int_equal(run->tricks[0].calls[SLOT_POST_STEP], 0);
        harness_close(run);
        memory_free(before);
        memory_free(running);
    }
}

static void a_stopped_run_has_results(void **state)
{
    (void)state;
    const struct {
        const char *at;
        int64_t updates;
    } stop[] = {{"run_begin", 0}, {"epoch_begin", 0}, {"pre_step", 1}, {"post_backward", 1}, {"post_step", 1}, {"epoch_end", 2}};
    for (int i = 0; i < 6; i++) {
        struct run *run = harness_open(RUN, probe(stop[i].at, "stop"));
        harness_train(run);
        assert_int_equal(run->at.update, stop[i].updates);
        assert_int_equal(run->at.epoch, i > 1); /* at epoch_begin that epoch does not take place */
        assert_true(harness_has("out/result.json", "\"status\": \"done\""));
        assert_true(file_exists(harness_path("out/model.safetensors")));
        harness_close(run);
    }
}

/* ---- What goes wrong ---- */

struct mistake {
    const char *at, *action;
    knack_status status;
    const char *message, *also;
};

static void mistakes(void **state)
{
    (void)state;
    const struct mistake mistake[] = {
        {"open", "option_undeclared", KNACK_E_PLUGIN, "reads option \"numbre\"", "nearest is \"number\""},
        {"open", "option_mistaken", KNACK_E_PLUGIN, "reads option \"number\" as boolean", "probe.json"},
        {"open", "forget_options", KNACK_E_PLUGIN, "never reads its option \"from\"", "probe.json"},
        {"open", "params_none", KNACK_E_CONFIG, "no parameter matches \"*.wieght\"", "fc1.weight, fc1.bias"},
        {"open", "watch_none", KNACK_E_CONFIG, "no layer matches \"cf1\"; nearest is \"fc1\"", "input, fc1"},
        {"open", "weight_set_raw", KNACK_E_PLUGIN, "the weight set \"raw\" exists already", "probe, open"},
        {"open", "state_twice", KNACK_E_PLUGIN, "\"seen\" is declared twice", "probe, open"},
        {"open", "fail", KNACK_E_PLUGIN, "probe, open: failed by request number 7", ""},
        {"pre_step", "fail", KNACK_E_PLUGIN, "probe, pre_step, step 1: failed by request number 7", ""},
        {"pre_step", "set_targets_beyond", KNACK_E_CALL, "row 0 has class 10, but there are 10 classes", "probe, pre_step, step 1"},
        {"pre_step", "write_target_beyond", KNACK_E_CALL, "row 1 has class 10, but there are 10 classes", "pre_step"},
        {"pre_step", "set_targets_short", KNACK_E_SHAPE, "[16, 9], expected KNACK_I32 [16] or KNACK_REAL [16, 10]", "probe, pre_step"},
        {"pre_step", "set_targets_unsummed", KNACK_E_CALL, "row 0 sums to 2 instead of 1", "probe, pre_step"},
        {"pre_step", "mix_targets_beyond", KNACK_E_CALL, "partner[0] is 16, not a row of 0 to 15", "probe, pre_step"},
        {"pre_step", "keep_together_askew", KNACK_E_CALL, "partner is no involution at row 0", "probe, pre_step"},
        {"pre_step", "set_lr_negative", KNACK_E_CALL, "lr = -1 must be finite", "probe, pre_step"},
        {"pre_step", "beta_negative", KNACK_E_CALL, "a = -1 and b = 0.2 must be above 0", "probe, pre_step"},
        {"layer", "give_nothing", KNACK_E_PLUGIN, "probe, layer, step 1: returned NULL", ""},
        {"layer", "mix_rows_few", KNACK_E_CALL, "knack_mix_rows(): keep has 2 rows; there are 1 or 16", "probe, layer"},
        {"head", "give_nothing", KNACK_E_PLUGIN, "probe, head, step 1: returned NULL", ""},
        {"head", "give_less", KNACK_E_SHAPE, "probe, head, step 1: gave [16, 3], expected [16, 10]", ""},
        {"loss", "give_nothing", KNACK_E_PLUGIN, "probe, loss, step 1: returned NULL", ""},
        {"loss", "give_less", KNACK_E_SHAPE, "probe, loss, step 1: gave [1], expected [16]", ""},
        {"predict", "give_nothing", KNACK_E_PLUGIN, "probe, predict: returned NULL", ""},
        {"predict", "give_less", KNACK_E_SHAPE, "probe, predict: gave [16, 3], expected [16, 10]", ""},
        {"loss", "features_unknown", KNACK_E_CALL, "these logits did not come from a forward of this pass", "probe, loss, step 1"},
        {"layer", "mix_rows_of_few", KNACK_E_SHAPE, "knack_mix_rows(): 3 rows, but the pass has 16", "probe, layer, step 1"},
        {"layer", "perturb_few", KNACK_E_SHAPE, "knack_perturb(): 3 rows, but the pass has 16", "probe, layer, step 1"},
        {"loss", "forward_of_few", KNACK_E_SHAPE, "knack_forward(): 3 rows, but the pass has 16", "probe, loss, step 1"},
        {"loss", "view_unknown", KNACK_E_CONFIG, "shfit", "probe, loss, step 1"},
        {"predict", "forward_training", KNACK_E_CALL, "knack_forward() in predict needs KNACK_EVAL", "probe, predict"},
        {"gradient", "gradients", KNACK_E_CALL, "there is no gradient yet", "probe, gradient, step 1"},
        {"gradient", "make_no_pass", KNACK_E_PLUGIN, "never called knack_next_gradient()", "probe, gradient, step 1"},
        {"gradient", "next_gradient_infinite", KNACK_E_CALL, "weight = inf must be finite", "probe, gradient, step 1"},
        {"gradient", "next_gradient_flags", KNACK_E_CALL, "takes no flag but KNACK_REDRAW", "probe, gradient, step 1"},
        {"gradient", "set_plan_rows", KNACK_E_CALL, "micro_batch is a number of rows, set in run_begin only", "probe, gradient"},
        {"after gradient", "set_plan", KNACK_E_CALL, "comes before its first knack_next_gradient()", "probe, gradient"},
        {"run_begin", "set_plan_odd", KNACK_E_CONFIG, "loss_scale = 3 is no power of two", "probe, run_begin"},
        {"epoch_end", "sweep_nowhere", KNACK_E_CALL, "there is no part \"trian\"", "probe, epoch_end"},
        {"epoch_end", "sweep_live_statistics", KNACK_E_CALL, "the live weights' statistics are the host's", "probe, epoch_end"},
    };
    for (size_t i = 0; i < sizeof mistake / sizeof *mistake; i++) {
        knack_status status = harness_status(RUN, probe(mistake[i].at, mistake[i].action));
        if (status != mistake[i].status) print_message("%s in %s\n", mistake[i].action, mistake[i].at);
        harness_expect(status, mistake[i].status, mistake[i].message, mistake[i].also, NULL);
    }
}

/* What a manifest does not declare is refused, whatever the plugin does. */
static void undeclared_access(void **state)
{
    (void)state;
    const char *const access[][4] = {
        {"after gradient", "gradients", "knack_gradients() needs \"gradients\" among \"reads\" or \"writes\"", "gradient"},
        {"post_backward", "gradients", "knack_gradients() needs \"gradients\" among \"reads\" or \"writes\"", "post_backward"},
        {"loss", "features", "knack_features() needs \"features\" among \"reads\" or \"writes\"", "loss"},
        {"loss", "forward_features", "knack_forward() needs \"features\" among \"reads\" or \"writes\"", "loss"},
        {"epoch_end", "sweep_features", "knack_sweep() needs \"features\" among \"reads\" or \"writes\"", "epoch_end"},
        {"pre_step", "input", "knack_input() needs \"inputs\" among \"reads\" or \"writes\"", "pre_step"},
        {"pre_step", "set_targets", "knack_set_targets() needs \"targets\" among \"writes\"", "pre_step"},
        {"pre_step", "mix_targets", "knack_mix_targets() needs \"targets\" among \"writes\"", "pre_step"},
        {"pre_step", "set_lr", "knack_set_lr() needs \"lr\" among \"writes\"", "pre_step"},
        {"run_begin", "set_plan_rows", "knack_set_plan() needs \"plan\" among \"writes\"", "run_begin"}};
    for (size_t i = 0; i < sizeof access / sizeof *access; i++) {
        knack_status status = harness_status(RUN, undeclared(access[i][0], access[i][1]));
        char who[64];
        snprintf(who, sizeof who, "probe, %s", access[i][3]);
        harness_expect(status, KNACK_E_CALL, access[i][2], who, "undeclared.json", NULL);
    }
}

static double loss_of_first_batch(const char *plugins)
{
    struct run *run = harness_open(RUN, plugins);
    harness_gradient(run);
    double loss = run->last_loss;
    harness_close(run);
    return loss;
}

/* Who only reads inputs is given a copy. */
static void inputs_that_may_only_be_read(void **state)
{
    (void)state;
    char reader[512];
    snprintf(reader, sizeof reader, "{'manifest': '%s/reader.json', 'at': 'pre_step', 'do': 'blacken'}", TEST_PLUGINS);
    assert_true(loss_of_first_batch(reader) == loss_of_first_batch(""));
    assert_true(loss_of_first_batch(probe("pre_step", "blacken")) != loss_of_first_batch(""));
}

/* A field of the plan has one writer; two tricks may share the plan. */
static void two_writers_of_one_plan(void **state)
{
    (void)state;
    const char *const pair[][4] = {
        {"set_plan", "run_begin", "set_plan_rows", NULL},
        {"set_plan_rows", "gradient", "set_plan", NULL},
        {"set_plan_rows", "run_begin", "set_plan_rows", "other, run_begin: knack_set_plan(): micro_batch is set by one"},
        {"set_plan", "gradient", "set_plan", "other, gradient, step 1: knack_set_plan(): compute is set by one"}};
    for (int i = 0; i < 4; i++) {
        char both[512];
        snprintf(both, sizeof both,
                 "{'manifest': '%s/planner.json', 'as': 'one', 'at': 'run_begin', 'do': '%s'}, "
                 "{'manifest': '%s/planner.json', 'as': 'other', 'at': '%s', 'do': '%s'}",
                 TEST_PLUGINS, pair[i][0], TEST_PLUGINS, pair[i][1], pair[i][2]);
        harness_expect(harness_status(RUN, both), pair[i][3] ? KNACK_E_CONFIG : KNACK_OK, pair[i][3], NULL);
    }
}

/* ---- Errors and checkpoints (rule 13) ---- */

static void not_finite_gradients_are_skipped_then_fail(void **state)
{
    (void)state;
    const char *config = "{" DATA ", 'train': {'epochs': 4, 'batch': 16, 'max_skipped': %d}, 'model': {'type': 'mlp', 'hidden': [8]}, "
                         "'plugins': [{'name': 'probe', 'at': 'after gradient', 'do': 'spoil_gradient'}]}";
    assert_int_equal(harness_status(config, 8), KNACK_OK);
    harness_expect(harness_status(config, 7), KNACK_E_NUMERIC, "not finite in 8 steps in a row", "train.max_skipped is 7", NULL);
}

/* A trick that looks away from what a pass of its inside said does not make weights of it. */
static void not_finite_gradients_may_not_be_overlooked(void **state)
{
    (void)state;
    char plugins[512];
    snprintf(plugins, sizeof plugins, "{'manifest': '%s/planner.json', 'as': 'outer', 'at': 'gradient', 'do': 'overlook_outcome'}, %s",
             TEST_PLUGINS, probe("after gradient", "spoil_gradient"));
    struct run *run = harness_open(RUN, plugins);
    harness_train(run);
    assert_int_equal(run->at.update, 0);
    assert_int_equal(run->at.skipped, 4);
    harness_close(run);
}

/* Nor does one that writes what is not finite itself, and says nothing. */
static void spoilt_gradients_make_no_update(void **state)
{
    (void)state;
    struct run *run = harness_open(RUN, probe("after gradient", "spoil"));
    harness_train(run);
    assert_int_equal(run->at.update, 0);
    assert_int_equal(run->at.skipped, 4);
    assert_true(harness_warned("probe left a gradient that is not finite"));
    harness_close(run);
}

/* A run that goes wrong by itself, without any trick. */
static void divergence_fails(void **state)
{
    (void)state;
    knack_status status = harness_status("{" DATA ", 'train': {'epochs': 4, 'batch': 16, 'max_skipped': 3, 'optimizer': {'type': 'sgd', "
                                         "'lr': %s}}, 'model': {'type': 'mlp', 'hidden': [8]}}",
                                         IS_DOUBLE ? "1e300" : "1e37");
    harness_expect(status, KNACK_E_NUMERIC, "not finite in 4 steps in a row", "lower train.optimizer.lr", NULL);
}

/* In the fourth step, the second of its epoch: an error before the update leaves what three updates made; a later one, in hooks that may
 * change states, falls back to the checkpoint of the first epoch's end. */
static void errors_leave_a_checkpoint(void **state)
{
    (void)state;
    const struct {
        const char *at;
        int64_t update;
    } error[] = {{"pre_step", 3},      {"layer", 3},     {"head", 3},      {"loss", 3},       {"gradient", 3},
                 {"post_backward", 3}, {"post_step", 2}, {"epoch_end", 2}, {"eval_begin", 2}, {"eval_end", 2}};
    for (size_t i = 0; i < sizeof error / sizeof *error; i++) {
        struct run *run = harness_open("{" DATA ", " TRAIN ", 'model': {'type': 'cnn', 'channels': [4], 'hidden': [8]}, 'plugins': ["
                                       "{'name': 'probe', 'at': '%s', 'do': 'fail', 'from': 3}]}",
                                       error[i].at);
        harness_expect(run_train(run), KNACK_E_PLUGIN, error[i].at, "failed by request", NULL);
        struct params *p = run->params;
        size_t values = (size_t)p->total * sizeof(knack_real), statistics = (size_t)p->statistics_total * sizeof(knack_real);
        knack_real *live = memory_new((size_t)p->total, sizeof *live), *running = memory_new((size_t)p->statistics_total, sizeof *running);
        memcpy(live, p->live.values, values);
        memcpy(running, p->live.statistics, statistics);
        harness_close(run);
        run = harness_resume();
        assert_int_equal(run->at.update, error[i].update);
        assert_int_equal(run->at.epoch, 1);
        if (error[i].update == 3) {
            assert_memory_equal(live, run->params->live.values, values);
            assert_memory_equal(running, run->params->live.statistics, statistics);
        }
        harness_close(run);
        memory_free(live);
        memory_free(running);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_in_slots_with_a_step),
        cmocka_unit_test(calls_in_slots_without_a_step),
        cmocka_unit_test(facts_while_a_run_is_estimated),
        cmocka_unit_test(calls_in_other_forms),
        cmocka_unit_test(outcomes),
        cmocka_unit_test(skipped_updates_change_nothing),
        cmocka_unit_test(a_stopped_run_has_results),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(undeclared_access),
        cmocka_unit_test(inputs_that_may_only_be_read),
        cmocka_unit_test(two_writers_of_one_plan),
        cmocka_unit_test(not_finite_gradients_are_skipped_then_fail),
        cmocka_unit_test(not_finite_gradients_may_not_be_overlooked),
        cmocka_unit_test(spoilt_gradients_make_no_update),
        cmocka_unit_test(divergence_fails),
        cmocka_unit_test(errors_leave_a_checkpoint),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
