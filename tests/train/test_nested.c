/* Tricks that re-run the gradient, one inside the other, on an objective whose gradient can be written down:
 *
 *     L(w, r) = 1 / (N D) sum over i, d of ((x_id + r_id) w_d - y_id)^2
 *
 * The model is features = x w, element by element, under a head that does nothing; r stands for offsets of the input. */
#include <stdio.h>

#include "harness.h"

enum { N = 8, D = 3, LEVELS = 3, PASSES = 3 };
static const double tolerance = IS_DOUBLE ? 1e-12 : 1e-5;
static double input[N][D], target[N][D];

/* ---- The model ---- */

static const knack_param *factor;

static knack_status product_declare(knack_model *model, void *user)
{
    (void)user;
    struct knack_param_spec spec = {.size = sizeof spec, .name = "w", .ndim = 1, .shape = {D}, .init = KNACK_INIT_NORMAL};
    factor = knack_model_param(model, &spec);
    return knack_model_set_width(model, D);
}

static knack_tensor *product_features(knack_model *model, knack_step *step, knack_tensor *x, void *user)
{
    (void)model, (void)user;
    return knack_mul(x, knack_param_tensor(step, factor));
}

static const struct knack_model_type product = {
    .size = sizeof product, .name = "product", .declare = product_declare, .features = product_features};

static struct run *open_product(const char *plugins)
{
    return harness_open_model(&product, NULL,
                              "{'data': {'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}, 'task': 'regression', 'shuffle': false},"
                              " 'train': {'batch': %d, 'epochs': 1}, 'plugins': [%s%s'bare_head']}",
                              N, plugins, *plugins ? ", " : "");
}

static int make_data(void **state)
{
    if (harness_set_up(state) != 0) return -1;
    for (int i = 0; i < N; i++) {
        for (int d = 0; d < D; d++) {
            input[i][d] = (double)(float)(sin(1 + 3.1 * i + 1.7 * d) + 0.5);
            target[i][d] = (double)(float)cos(2.3 * i - 0.9 * d);
        }
    }
    harness_put_npy("x", N, D, &input[0][0]);
    harness_put_npy("y", N, D, &target[0][0]);
    return 0;
}

/* ---- What is to come out ---- */

/* A point, or the gradient there. */
struct point {
    double w[D], r[N][D];
};

/* What a trick does, as the plugin rerun documents it. */
struct level {
    double rho;
    bool on_input; /* the offset moves, not the weights */
    int passes;
    double keep[PASSES], weight[PASSES];
};

static struct point gradient_of_loss(const struct point *at)
{
    struct point g = {0};
    for (int i = 0; i < N; i++) {
        for (int d = 0; d < D; d++) {
            double x = input[i][d] + at->r[i][d], slope = 2.0 / (N * D) * (x * at->w[d] - target[i][d]);
            g.w[d] += slope * x;
            g.r[i][d] = slope * at->w[d];
        }
    }
    return g;
}

static void go(double *to, const double *gradient, int count, double rho)
{
    double norm = 0;
    for (int i = 0; i < count; i++) norm += gradient[i] * gradient[i];
    for (int i = 0; i < count && norm > 0; i++) to[i] += rho / sqrt(norm) * gradient[i];
}

/* The gradient as seen from outside of levels[0]. */
static struct point gradient_through(const struct level *levels, int count, const struct point *at)
{
    if (count == 0) return gradient_of_loss(at);
    struct point sum = {0}, here = *at;
    for (int k = 0; k < levels->passes; k++) {
        struct point g = gradient_through(levels + 1, count - 1, &here);
        double *to = &sum.w[0];
        const double *from = &g.w[0];
        for (size_t i = 0; i < sizeof sum / sizeof *to; i++) to[i] = (k ? levels->keep[k] * to[i] : 0) + levels->weight[k] * from[i];
        if (k == 0 && levels->on_input) go(&here.r[0][0], &g.r[0][0], N * D, levels->rho);
        if (k == 0 && !levels->on_input) go(here.w, g.w, D, levels->rho);
    }
    return sum;
}

static int borrowed(const struct run *run)
{
    int count = 0;
    for (size_t i = 0; i < sizeof run->borrowed / sizeof *run->borrowed; i++) count += run->borrowed[i] != NULL;
    return count;
}

/* The run's gradient, and how many buffers it borrowed. */
static void expect(const char *plugins, int buffers, int count, const struct level *levels)
{
    struct run *run = open_product(plugins);
    const struct knack_param *w = &params_find(run->params, "w")->public;
    struct point at = {0};
    for (int d = 0; d < D; d++) at.w[d] = (double)run->params->live.values[w->offset + d];
    struct point g = gradient_through(levels, count, &at);
    knack_real expected[D];
    for (int d = 0; d < D; d++) expected[d] = (knack_real)g.w[d];
    double distance = harness_distance(harness_gradient(run) + w->offset, expected, D);
    if (!(distance <= tolerance)) fail_msg("%s: %g off", plugins, distance);
    if (borrowed(run) != buffers) fail_msg("%d buffers borrowed instead of %d by %s", borrowed(run), buffers, plugins);
    harness_close(run);
}

/* ---- The tests ---- */

#define FGM      "{'name': 'fgm', 'parameters': 'w', 'epsilon': 0.4, 'coefficient': 0.5}"
#define SAM      "{'name': 'rerun', 'as': 'sam', 'rho': 0.3}"
#define INPUT    "{'name': 'fgm', 'as': 'attack', 'layer': 'input', 'norm': 'tensor', 'epsilon': 0.7, 'coefficient': 0.25}"
#define ADD      "{'name': 'rerun', 'as': 'add', 'rho': 0.2, 'keep': [0, 0.5], 'weight': [1, 2]}"
#define THRICE   "{'name': 'rerun', 'as': 'thrice', 'rho': 0.1, 'keep': [0, 1, 0.25], 'weight': [3, -1, 0.5]}"
#define LEAD     "{'name': 'rerun', 'as': 'lead', 'layer': 'input', 'rho': 0.6, 'keep': [0, 1], 'weight': [0, 1]}"
#define WEIGHTED "{'name': 'rerun', 'as': 'lead', 'layer': 'input', 'rho': 0.6, 'keep': [0, 1], 'weight': [5, 2]}"

static const struct level fgm = {0.4, false, 2, {0, 1}, {1, 0.5}};
static const struct level sam = {0.3, false, 2, {0, 0}, {1, 1}};
static const struct level attack = {0.7, true, 2, {0, 1}, {1, 0.25}};
static const struct level add = {0.2, false, 2, {0, 0.5}, {1, 2}};
static const struct level thrice = {0.1, false, 3, {0, 1, 0.25}, {3, -1, 0.5}};
static const struct level lead = {0.6, true, 2, {0, 1}, {0, 1}};
static const struct level weighted = {0.6, true, 2, {0, 1}, {5, 2}};

static void alone(void **state)
{
    (void)state;
    expect("", 0, 0, NULL);
    expect(FGM, 0, 1, &fgm);
    expect(SAM, 0, 1, &sam);
    expect(ADD, 0, 1, &add);
    expect(THRICE, 0, 1, &thrice);
}

static void one_around_the_other(void **state)
{
    (void)state;
    expect(SAM ", " FGM, 0, 2, (struct level[]){sam, fgm});
    expect(FGM ", " SAM, 1, 2, (struct level[]){fgm, sam});
    expect(ADD ", " THRICE, 1, 2, (struct level[]){add, thrice});
    expect(THRICE ", " ADD, 1, 2, (struct level[]){thrice, add});
    expect(SAM ", " ADD ", " FGM, 1, 3, (struct level[]){sam, add, fgm});
    expect(ADD ", " THRICE ", " SAM, 2, 3, (struct level[]){add, thrice, sam});
}

/* The gradient at an offset is that of the pass alone, whatever the pass weighs in the sum. */
static void offsets_of_the_input(void **state)
{
    (void)state;
    expect(INPUT, 0, 1, &attack);
    expect(LEAD, 0, 1, &lead);
    expect(WEIGHTED, 0, 1, &weighted);
    expect(SAM ", " INPUT, 0, 2, (struct level[]){sam, attack});
    expect(FGM ", " LEAD, 1, 2, (struct level[]){fgm, lead});
}

/* Outside of a trick that re-runs, the gradient at an offset is that of all that this one adds up. */
static void offsets_outside_of_other_tricks(void **state)
{
    (void)state;
    expect(INPUT ", " SAM, 1, 2, (struct level[]){attack, sam});
    expect(INPUT ", " FGM, 1, 2, (struct level[]){attack, fgm});
    expect(LEAD ", " THRICE, 1, 2, (struct level[]){lead, thrice});
    expect(WEIGHTED ", " ADD ", " FGM, 2, 3, (struct level[]){weighted, add, fgm});
    expect(INPUT ", " LEAD, 1, 2, (struct level[]){attack, lead});
}

/* A power of two scales the loss and leaves no trace: not a bit differs. */
static void the_loss_scale_is_undone(void **state)
{
    (void)state;
    const char *const plugins[][2] = {
        {"{'name': 'rerun', 'rho': 0.3, 'keep': [0, 1]}", "{'name': 'rerun', 'rho': 0.3, 'keep': [0, 1], 'loss_scale': 1024}"},
        {LEAD, "{'name': 'rerun', 'as': 'scale', 'keep': [0], 'weight': [1], 'loss_scale': 256}, " LEAD},
    };
    for (int i = 0; i < 2; i++) {
        struct run *run = open_product(plugins[i][0]);
        knack_real plain[D];
        memcpy(plain, harness_gradient(run), sizeof plain);
        harness_close(run);
        run = open_product(plugins[i][1]);
        assert_memory_equal(harness_gradient(run), plain, sizeof plain);
        assert_true(run->plan.loss_scale == 1);
        harness_close(run);
    }
}

static void too_many_nested(void **state)
{
    (void)state;
    char plugins[2048] = "";
    for (int i = 0; i < 10; i++) {
        size_t used = strlen(plugins);
        snprintf(plugins + used, sizeof plugins - used, "%s{'name': 'rerun', 'as': 'add-%d', 'keep': [0, 1]}", i ? ", " : "", i);
    }
    harness_expect(
        harness_status("{'data': {'limit': 16}, 'model': {'type': 'mlp'}, 'train': {'epochs': 1, 'batch': 16}, 'plugins': [%s]}", plugins),
        KNACK_E_CONFIG, "more than 8 tricks that add gradients are nested", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone),
        cmocka_unit_test(one_around_the_other),
        cmocka_unit_test(offsets_of_the_input),
        cmocka_unit_test(offsets_outside_of_other_tricks),
        cmocka_unit_test(the_loss_scale_is_undone),
        cmocka_unit_test(too_many_nested),
    };
    return cmocka_run_group_tests(tests, make_data, harness_tear_down);
}
