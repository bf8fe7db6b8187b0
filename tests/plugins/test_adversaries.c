/* FGM, PGD, FreeLB, AWP and SAM in whole runs: alone and around each other they give the gradient that their formulas say, whatever the
 * micro-batches; they move neither weights nor statistics; they resume to the same bits; and they refuse what makes no sense. */
#include <stdio.h>

#include "base/random.h"
#include "train/harness.h"

/* ---- The objective: the mean over rows of (head tanh(fc1 x) - y)^2, small enough for a gradient by hand ---- */

enum { ROWS = 5, IN = 2, HIDDEN = 3, INPUTS = ROWS * IN, MOST = 128 };
static const double x[INPUTS] = {0.3, -1.2, 0.8, 0.5, -0.7, 0.1, 1.5, -0.4, -0.9, -1.1};
static const double y[ROWS] = {0.4, -0.6, 1.3, 0.2, -1.0};

static struct {
    int64_t fc1, bias, head, head_bias, total; /* offsets in the flat buffer */
} at;

#define TANH_NET                                                                                                                           \
    "{'data': {'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}, 'task': 'regression', 'shuffle': false}, 'train': {'epochs': 1, 'batch': "  \
    "5, 'micro_batch': "                                                                                                                   \
    "%d}, "                                                                                                                                \
    "'model': {'type': 'layers', 'layers': [{'type': 'linear', 'name': 'fc1', 'size': 3}, {'type': 'tanh'}]}, 'plugins': [%s]}"

static int64_t offset_of(const struct run *run, const char *name)
{
    const struct param *p = params_find(run->params, name);
    assert_non_null(p);
    return p->public.offset;
}

static struct run *open_net(int micro_batch, const char *plugins)
{
    harness_put_npy("x", ROWS, IN, x);
    harness_put_npy("y", ROWS, 1, y);
    struct run *run = harness_open(TANH_NET, micro_batch, plugins);
    at.fc1 = offset_of(run, "fc1.weight");
    at.bias = offset_of(run, "fc1.bias");
    at.head = offset_of(run, "head.weight");
    at.head_bias = offset_of(run, "head.bias");
    at.total = run->params->total;
    assert_true(at.total <= MOST);
    knack_real *w = run->params->live.values;
    for (int i = 0; i < HIDDEN; i++) w[at.bias + i] = (knack_real)(0.1 * i - 0.2); /* initially 0 */
    w[at.head_bias] = (knack_real)0.3;
    return run;
}

/* The gradients by the weights w, g [total], and by the inputs, gx [ROWS, IN], at inputs that are off by r. */
static void slope(const double *w, const double *r, double *g, double *gx)
{
    memset(g, 0, (size_t)at.total * sizeof *g);
    for (int row = 0; row < ROWS; row++) {
        double hidden[HIDDEN], out = w[at.head_bias], in[IN];
        for (int j = 0; j < IN; j++) in[j] = x[row * IN + j] + r[row * IN + j];
        for (int i = 0; i < HIDDEN; i++) {
            hidden[i] = tanh(w[at.fc1 + i * IN] * in[0] + w[at.fc1 + i * IN + 1] * in[1] + w[at.bias + i]);
            out += w[at.head + i] * hidden[i];
        }
        double back = 2 * (out - y[row]) / ROWS;
        g[at.head_bias] += back;
        for (int j = 0; j < IN; j++) gx[row * IN + j] = 0;
        for (int i = 0; i < HIDDEN; i++) {
            double inner = back * w[at.head + i] * (1 - hidden[i] * hidden[i]);
            g[at.head + i] += back * hidden[i];
            g[at.bias + i] += inner;
            for (int j = 0; j < IN; j++) {
                g[at.fc1 + i * IN + j] += inner * in[j];
                gx[row * IN + j] += inner * w[at.fc1 + i * IN + j];
            }
        }
    }
}

/* ---- The formulas, each of what lies inside it ---- */

enum kind { INNERMOST, FGM, PGD, FREELB, AWP, SAM, ASAM };
struct formula {
    enum kind kind;
    bool input; /* attacks the input, each example by itself; else fc1.weight as a whole */
    double length, bound, coefficient, noise;
    int steps;
};

static double norm_of(const double *v, int64_t count)
{
    double squares = 0;
    for (int64_t i = 0; i < count; i++) squares += v[i] * v[i];
    return sqrt(squares);
}

/* v += factor g */
static void add(double *v, double factor, const double *g, int64_t count)
{
    for (int64_t i = 0; i < count; i++) v[i] += factor * g[i];
}

/* One step of r along g, and back into the bound if there is one; both [count]. */
static void advance(double *r, const double *g, int64_t count, double length, double bound)
{
    add(r, length / norm_of(g, count), g, count);
    double norm = norm_of(r, count);
    if (bound > 0 && norm > bound) add(r, bound / norm - 1, r, count);
}

/* The same of an attack's r, which begins at 0 and is on all inputs or on the flat weights. */
static void attack(const struct formula *f, double *r, const double *g, const double *gx)
{
    if (!f->input) advance(r + at.fc1, g + at.fc1, HIDDEN * IN, f->length, f->bound);
    for (int row = 0; f->input && row < ROWS; row++) advance(r + row * IN, gx + row * IN, IN, f->length, f->bound);
}

static void gradient(const struct formula *f, const double *w, const double *r, double *g, double *gx);

/* What f is around, with the attack a added to inputs or weights. */
static void attacked(const struct formula *f, const double *w, const double *r, const double *a, double *g, double *gx)
{
    double there[MOST];
    memcpy(there, f->input ? r : w, (size_t)(f->input ? INPUTS : at.total) * sizeof *there);
    add(there, 1, a, f->input ? INPUTS : at.total);
    gradient(f + 1, f->input ? w : there, f->input ? there : r, g, gx);
}

/* PGD; FGM is its first step, without a bound. */
static void pgd(const struct formula *f, const double *w, const double *r, double *g, double *gx)
{
    double a[MOST] = {0}, latest[MOST], latest_x[INPUTS];
    gradient(f + 1, w, r, g, gx);
    memcpy(latest, g, sizeof latest);
    memcpy(latest_x, gx, sizeof latest_x);
    for (int k = 0; k < f->steps; k++) {
        attack(f, a, latest, latest_x);
        if (!f->input && k == f->steps - 1) memcpy(gx, latest_x, sizeof latest_x); /* docs/tricks/pgd.md, "With other tricks" */
        attacked(f, w, r, a, latest, latest_x);
    }
    add(g, f->coefficient, latest, at.total);
    add(gx, f->coefficient, latest_x, INPUTS);
}

/* The first of the trick's own streams, in the first batch of seed 1: uniform in -1 ... 1, times size over the root of an example's
 * entries. */
static void draw_noise(double *a, double size)
{
    knack_real u[INPUTS];
    random_uniforms(random_key(1, "trick.freelb"), (struct random_place){0}, 0, INPUTS, u);
    for (int i = 0; i < INPUTS; i++) a[i] = size / sqrt(IN) * (2 * (double)u[i] - 1);
}

static void freelb(const struct formula *f, const double *w, const double *r, double *g, double *gx)
{
    double a[MOST] = {0}, latest[MOST], latest_x[INPUTS];
    draw_noise(a, f->noise);
    memset(g, 0, MOST * sizeof *g);
    memset(gx, 0, INPUTS * sizeof *gx);
    for (int k = 0; k < f->steps; k++) {
        if (k > 0) attack(f, a, latest, latest_x);
        attacked(f, w, r, a, latest, latest_x);
        add(g, 1.0 / f->steps, latest, at.total);
        add(gx, 1.0 / f->steps, latest_x, INPUTS);
    }
}

/* The coefficient is that of the clean gradient: 0 replaces it. */
static void awp(const struct formula *f, const double *w, const double *r, double *g, double *gx)
{
    double there[MOST], clean[MOST], clean_x[INPUTS];
    gradient(f + 1, w, r, clean, clean_x);
    memcpy(there, w, sizeof there);
    advance(there + at.fc1, clean + at.fc1, HIDDEN * IN, f->length * norm_of(w + at.fc1, HIDDEN * IN), 0);
    advance(there + at.head, clean + at.head, HIDDEN, f->length * norm_of(w + at.head, HIDDEN), 0);
    gradient(f + 1, there, r, g, gx);
    add(g, f->coefficient, clean, at.total);
    add(gx, f->coefficient, clean_x, INPUTS);
}

static void sam(const struct formula *f, const double *w, const double *r, double *g, double *gx)
{
    double there[MOST], scaled[MOST];
    gradient(f + 1, w, r, g, gx);
    memcpy(there, w, sizeof there);
    for (int64_t i = 0; i < at.total; i++) scaled[i] = (f->kind == ASAM ? fabs(w[i]) : 1) * g[i];
    double factor = f->length / norm_of(scaled, at.total);
    for (int64_t i = 0; i < at.total; i++) there[i] += factor * (f->kind == ASAM ? w[i] * w[i] : 1) * g[i];
    gradient(f + 1, there, r, g, gx);
}

/* By weights and by inputs, whose offsets by outer tricks are a part of the point just as weights are. */
static void gradient(const struct formula *f, const double *w, const double *r, double *g, double *gx)
{
    static void (*const of[])(const struct formula *, const double *, const double *, double *,
                              double *) = {[FGM] = pgd, [PGD] = pgd, [FREELB] = freelb, [AWP] = awp, [SAM] = sam, [ASAM] = sam};
    if (f->kind == INNERMOST)
        slope(w, r, g, gx);
    else
        of[f->kind](f, w, r, g, gx);
}

/* ---- Runs equal formulas ---- */

#define FGM_WEIGHT   "{'name': 'fgm', 'parameters': 'fc1.weight', 'epsilon': 0.3, 'coefficient': 0.5}"
#define FGM_INPUT    "{'name': 'fgm', 'layer': 'input', 'epsilon': 0.2}"
#define PGD_WEIGHT   "{'name': 'pgd', 'parameters': 'fc1.weight', 'epsilon': 0.4, 'alpha': 0.25, 'coefficient': 2}"
#define PGD_INPUT    "{'name': 'pgd', 'layer': 'input', 'epsilon': 0.3, 'alpha': 0.2, 'steps': 4}"
#define FREELB_INPUT "{'name': 'freelb', 'layer': 'input', 'init_mag': 0.4, 'adv_lr': 0.2, 'max_norm': 0.3}"
#define AWP_PLAIN    "{'name': 'awp', 'gamma': 0.1}"
#define AWP_ADDED    "{'name': 'awp', 'gamma': 0.1, 'replace': false}"
#define SAM_PLAIN    "{'name': 'sam', 'rho': 0.2}"
#define SAM_ADAPTIVE "{'name': 'sam', 'rho': 0.5, 'adaptive': true}"
static const struct formula fgm_weight = {FGM, .length = 0.3, .coefficient = 0.5, .steps = 1};
static const struct formula fgm_input = {FGM, true, .length = 0.2, .coefficient = 1, .steps = 1};
static const struct formula pgd_weight = {PGD, .length = 0.25, .bound = 0.4, .coefficient = 2, .steps = 3};
static const struct formula pgd_input = {PGD, true, .length = 0.2, .bound = 0.3, .coefficient = 1, .steps = 4};
static const struct formula freelb_input = {FREELB, true, .length = 0.2, .bound = 0.3, .noise = 0.4, .steps = 3};
static const struct formula awp_plain = {AWP, .length = 0.1}, awp_added = {AWP, .length = 0.1, .coefficient = 1};
static const struct formula sam_plain = {SAM, .length = 0.2}, sam_adaptive = {ASAM, .length = 0.5};

/* Outermost first. */
static const struct {
    const char *plugins;
    const struct formula *chain[3];
} compositions[] = {
    {FGM_WEIGHT, {&fgm_weight}},
    {FGM_INPUT, {&fgm_input}},
    {PGD_WEIGHT, {&pgd_weight}},
    {PGD_INPUT, {&pgd_input}},
    {FREELB_INPUT, {&freelb_input}},
    {AWP_PLAIN, {&awp_plain}},
    {AWP_ADDED, {&awp_added}},
    {SAM_PLAIN, {&sam_plain}},
    {SAM_ADAPTIVE, {&sam_adaptive}},
    {SAM_PLAIN "," FGM_WEIGHT, {&sam_plain, &fgm_weight}},
    {SAM_PLAIN "," FGM_INPUT, {&sam_plain, &fgm_input}},
    {SAM_ADAPTIVE "," FGM_WEIGHT, {&sam_adaptive, &fgm_weight}},
    {FGM_WEIGHT "," SAM_PLAIN, {&fgm_weight, &sam_plain}},
    {FGM_INPUT "," SAM_PLAIN, {&fgm_input, &sam_plain}},
    {FGM_WEIGHT "," PGD_WEIGHT, {&fgm_weight, &pgd_weight}},
    {FGM_WEIGHT "," PGD_INPUT, {&fgm_weight, &pgd_input}},
    {FGM_INPUT "," PGD_INPUT, {&fgm_input, &pgd_input}},
    {FGM_INPUT "," PGD_WEIGHT, {&fgm_input, &pgd_weight}},
    {FGM_INPUT "," FREELB_INPUT, {&fgm_input, &freelb_input}},
    {FGM_INPUT "," AWP_ADDED, {&fgm_input, &awp_added}},
    {PGD_WEIGHT "," FGM_WEIGHT, {&pgd_weight, &fgm_weight}},
    {PGD_WEIGHT "," FGM_INPUT, {&pgd_weight, &fgm_input}},
    {PGD_INPUT "," FGM_INPUT, {&pgd_input, &fgm_input}},
    {SAM_PLAIN "," PGD_WEIGHT, {&sam_plain, &pgd_weight}},
    {PGD_INPUT "," SAM_PLAIN, {&pgd_input, &sam_plain}},
    {FGM_WEIGHT "," FREELB_INPUT, {&fgm_weight, &freelb_input}},
    {FREELB_INPUT "," FGM_WEIGHT, {&freelb_input, &fgm_weight}},
    {AWP_PLAIN "," FGM_INPUT, {&awp_plain, &fgm_input}},
    {PGD_WEIGHT "," AWP_PLAIN, {&pgd_weight, &awp_plain}},
    {FGM_WEIGHT "," SAM_PLAIN "," PGD_INPUT, {&fgm_weight, &sam_plain, &pgd_input}},
};
enum { COMPOSITIONS = sizeof compositions / sizeof *compositions };
static const double tolerance = IS_DOUBLE ? 1e-12 : 1e-5;

static void assert_gradient(struct run *run, const knack_real *expected, const char *plugins)
{
    double distance = harness_distance(harness_gradient(run), expected, run->params->total);
    if (!(distance <= tolerance)) fail_msg("%s: micro-batches of %d are %g off", plugins, (int)run->settings.micro_batch, distance);
}

static void expected_gradient(const struct run *run, const struct formula *const chain[3], knack_real *expected)
{
    struct formula f[4] = {{INNERMOST}};
    double w[MOST] = {0}, r[MOST] = {0}, g[MOST] = {0}, gx[INPUTS];
    for (int i = 0; i < 3 && chain[i]; i++) f[i] = *chain[i];
    for (int64_t i = 0; i < at.total; i++) w[i] = (double)run->params->live.values[i];
    gradient(f, w, r, g, gx);
    for (int64_t i = 0; i < at.total; i++) expected[i] = (knack_real)g[i];
}

/* In micro-batches of any size, and the weights stay where they are. */
static void nested_tricks_equal_their_formula(void **state)
{
    (void)state;
    for (int i = 0; i < COMPOSITIONS; i++) {
        for (int micro_batch = 0; micro_batch < 4; micro_batch++) {
            knack_real expected[MOST], before[MOST];
            struct run *run = open_net(micro_batch, compositions[i].plugins);
            size_t bytes = (size_t)at.total * sizeof *before;
            memcpy(before, run->params->live.values, bytes);
            expected_gradient(run, compositions[i].chain, expected);
            assert_gradient(run, expected, compositions[i].plugins);
            assert_memory_equal(before, run->params->live.values, bytes);
            harness_close(run);
        }
    }
}

/* Where the gradient is 0 there is no direction: no trick acts, and the gradient stays 0. */
static void without_direction_there_is_no_attack(void **state)
{
    (void)state;
    static const char *const tricks[] = {FGM_WEIGHT, FGM_INPUT, PGD_WEIGHT, PGD_INPUT, AWP_PLAIN, SAM_PLAIN, SAM_ADAPTIVE};
    const double zeros[ROWS] = {0};
    for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
        harness_put_npy("x", ROWS, IN, x);
        harness_put_npy("y", ROWS, 1, zeros);
        struct run *run = harness_open(TANH_NET, 0, tricks[i]);
        memset(run->params->live.values, 0, (size_t)run->params->total * sizeof(knack_real));
        const knack_real *g = harness_gradient(run);
        for (int64_t k = 0; k < run->params->total; k++) assert_true(g[k] == 0);
        assert_int_equal(run->tricks[0].gradient_passes, 0);
        assert_int_equal(run->tricks[0].acted[SLOT_GRADIENT], 0);
        harness_close(run);
    }
}

/* ---- In networks ---- */

static const char *const variants[] = {
    "{'name': 'pgd', 'layer': 'fc1', 'norm': 'tensor'}",
    "{'name': 'pgd', 'parameters': '*.weight', 'norm': 'row', 'redraw': true}",
    "{'name': 'freelb'}",
    "{'name': 'freelb', 'layer': 'fc1', 'norm_type': 'linf', 'init_mag': 0.05, 'padding': 'zeros'}",
    "{'name': 'freelb', 'steps': 1}",
    "{'name': 'awp', 'min_ndim': 1, 'start_epoch': 0}",
    "{'name': 'sam', 'interval': 2}",
    "{'name': 'fgm', 'layer': 'fc1'}, 'freelb'",
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static const char *tricks_of(int i)
{
    return i < COMPOSITIONS ? compositions[i].plugins : variants[i - COMPOSITIONS];
}

#define DIGITS                                                                                                                             \
    "{'data': {'source': 'digits', 'limit': 48}, 'train': {'epochs': 2, 'batch': 12, 'micro_batch': %d}, "                                 \
    "'model': {'type': 'mlp', 'hidden': [8], 'dropout': 0.2}, 'plugins': [%s]}"

static void micro_batches_equal_one_batch(void **state)
{
    (void)state;
    for (int i = 0; i < COMPOSITIONS + VARIANTS; i++) {
        struct run *run = harness_open(DIGITS, 0, tricks_of(i));
        int64_t count = run->params->total;
        knack_real *whole = memory_new((size_t)count, sizeof *whole);
        assert_non_null(whole);
        memcpy(whole, harness_gradient(run), (size_t)count * sizeof *whole);
        harness_close(run);
        for (int micro_batch = 1; micro_batch < 12; micro_batch += 4) {
            run = harness_open(DIGITS, micro_batch, tricks_of(i));
            assert_gradient(run, whole, tricks_of(i));
            harness_close(run);
        }
        memory_free(whole);
    }
}

/* Of eight steps the fifth is the first of the second process. */
static void resume_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    for (int i = 0; i < COMPOSITIONS + VARIANTS; i++) {
        size_t size, resumed_size;
        struct run *run = harness_open(DIGITS, 5, tricks_of(i));
        harness_train(run);
        harness_close(run);
        char *whole = harness_read("out/model.safetensors", &size);
        harness_interrupt_at(5);
        run = harness_open(DIGITS, 5, tricks_of(i));
        assert_int_equal(run_train(run), KNACK_E_INTERRUPTED);
        harness_close(run);
        harness_interrupt_at(-1);
        run = harness_resume();
        harness_train(run);
        harness_close(run);
        char *resumed = harness_read("out/model.safetensors", &resumed_size);
        assert_int_equal(size, resumed_size);
        assert_memory_equal(whole, resumed, size);
        memory_free(whole);
        memory_free(resumed);
    }
}

/* Running statistics are those of the first, clean pass. */
static void extra_passes_leave_statistics_alone(void **state)
{
    (void)state;
    static const char *const tricks[] = {"", FGM_INPUT, PGD_INPUT, "{'name': 'freelb', 'init_mag': 0}", AWP_PLAIN, SAM_PLAIN};
    knack_real clean[64];
    for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
        struct run *run = harness_open("{'data': {'source': 'digits', 'limit': 16}, 'train': {'epochs': 1, 'batch': 16}, "
                                       "'model': {'type': 'cnn', 'channels': [4], 'hidden': [8]}, 'plugins': [%s]}",
                                       tricks[i]);
        size_t bytes = (size_t)run->params->statistics_total * sizeof *clean;
        assert_true(bytes > 0 && bytes <= sizeof clean);
        harness_train(run);
        assert_int_equal(run->at.update, 1);
        if (i == 0)
            memcpy(clean, run->params->live.statistics, bytes);
        else
            assert_true(run->tricks[0].gradient_passes > 0);
        assert_memory_equal(clean, run->params->live.statistics, bytes);
        harness_close(run);
    }
}

/* Extra passes of a run of 8 updates in 2 epochs. */
static void passes_are_made_when_they_are_due(void **state)
{
    (void)state;
    static const struct {
        const char *plugins;
        int64_t passes, acted;
    } due[] = {
        {"'sam'", 8, 8},
        {"{'name': 'sam', 'interval': 3}", 3, 3},
        {"{'name': 'sam', 'interval': '1ep'}", 2, 2},
        {"'awp'", 8, 8},
        {"{'name': 'awp', 'start_epoch': 1}", 4, 4},
        {"{'name': 'awp', 'start_epoch': 2}", 0, 0},
        {PGD_INPUT, 32, 8},
        {PGD_WEIGHT, 24, 8},
        {"'freelb'", 16, 8},
        {"{'name': 'freelb', 'steps': 1}", 0, 8},
    };
    for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
        struct run *run = harness_open(DIGITS, 0, due[i].plugins);
        harness_train(run);
        assert_int_equal(run->tricks[0].gradient_passes, due[i].passes);
        assert_int_equal(run->tricks[0].acted[SLOT_GRADIENT], due[i].acted);
        harness_close(run);
    }
}

static void at_identity_nothing_is_installed(void **state)
{
    (void)state;
    static const char *const off[] = {"{'name': 'pgd', 'layer': 'input', 'steps': 0}", "{'name': 'freelb', 'steps': 1, 'init_mag': 0}",
                                      "{'name': 'awp', 'gamma': 0}", "{'name': 'sam', 'rho': 0}"};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        struct run *run = harness_open(DIGITS, 0, off[i]);
        assert_int_equal(run->trick_count, 0);
        harness_close(run);
    }
}

/* ---- Refusals ---- */

static void mistakes_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *plugins;
        knack_status status;
        const char *message, *also;
    } mistake[] = {
        {"'pgd'", KNACK_E_PLUGIN, "give one of \"layer\"", "\"parameters\""},
        {"{'name': 'pgd', 'layer': 'input', 'parameters': '*'}", KNACK_E_PLUGIN, "give one of \"layer\"", "pgd, open"},
        {"{'name': 'pgd', 'layer': 'fc*'}", KNACK_E_PLUGIN, "\"fc*\" is a pattern", "one layer's name"},
        {"{'name': 'pgd', 'parameters': '*', 'norm': 'example'}", KNACK_E_PLUGIN, "a parameter has no examples", "pgd"},
        {"{'name': 'pgd', 'parameters': 'emb.*'}", KNACK_E_CONFIG, "no parameter matches \"emb.*\"", "fc1.weight"},
        {"{'name': 'pgd', 'layer': 'fc9'}", KNACK_E_CONFIG, "no layer matches \"fc9\"", "input, fc1"},
        {"{'name': 'pgd', 'layer': 'input', 'steps': -1}", KNACK_E_CONFIG, "steps", "-1"},
        {"{'name': 'pgd', 'layer': 'input', 'epsilon': 0}", KNACK_E_CONFIG, "epsilon", "0"},
        {"{'name': 'pgd', 'layer': 'input', 'alpha': -0.1}", KNACK_E_CONFIG, "alpha", "-0.1"},
        {"{'name': 'freelb', 'layer': 'fc9'}", KNACK_E_CONFIG, "no layer matches \"fc9\"", "input, fc1"},
        {"{'name': 'freelb', 'layer': '*'}", KNACK_E_PLUGIN, "\"*\" is a pattern", "freelb, open"},
        {"{'name': 'freelb', 'steps': 0}", KNACK_E_CONFIG, "steps", "0"},
        {"{'name': 'freelb', 'norm_type': 'l1'}", KNACK_E_CONFIG, "norm_type", "nearest is \"l2\""},
        {"{'name': 'awp', 'gamma': -1}", KNACK_E_CONFIG, "gamma", "-1"},
        {"{'name': 'awp', 'parameters': 'emb.*'}", KNACK_E_CONFIG, "no parameter matches \"emb.*\"", "fc1.weight"},
        {"{'name': 'awp', 'parameters': '*.bias'}", KNACK_E_PLUGIN, "match \"*.bias\" none has 2 axes", "lower \"min_ndim\""},
        {"{'name': 'sam', 'rho': -0.05}", KNACK_E_CONFIG, "rho", "-0.05"},
        {"{'name': 'sam', 'interval': 0}", KNACK_E_PLUGIN, "\"interval\" is less than one update", "sam, open"},
    };
    for (size_t i = 0; i < sizeof mistake / sizeof *mistake; i++) {
        knack_status status = harness_status(DIGITS, 0, mistake[i].plugins);
        if (status != mistake[i].status) print_message("%s\n", mistake[i].plugins);
        harness_expect(status, mistake[i].status, mistake[i].message, mistake[i].also, NULL);
    }
}

static void steps_that_cannot_reach_the_bound(void **state)
{
    (void)state;
    const char *pgd = "{'name': 'pgd', 'layer': 'input', 'epsilon': 0.5, 'alpha': %s, 'steps': 2}";
    char plugins[96];
    snprintf(plugins, sizeof plugins, pgd, "0.1");
    assert_int_equal(harness_status(DIGITS, 0, plugins), KNACK_OK);
    assert_true(harness_warned("pgd: \"steps\" of length \"alpha\" get 0.2 far at most, so that \"epsilon\" 0.5 bounds nothing"));
    snprintf(plugins, sizeof plugins, pgd, "0.125");
    assert_int_equal(harness_status(DIGITS, 0, plugins), KNACK_OK);
    assert_false(harness_warned("bounds nothing"));
}

/* Of those that replace the gradient there is one; and an attack may be around each of them, or inside. */
static void one_replaces_the_gradient(void **state)
{
    (void)state;
    static const char *const replacing[] = {"awp", "freelb", "sam"};
    static const char *const attacks[] = {FGM_INPUT, PGD_INPUT};
    assert_int_equal(harness_status(DIGITS, 0, "'awp', {'name': 'awp', 'as': 'other', 'replace': false}"), KNACK_OK);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            char plugins[96], message[64];
            snprintf(plugins, sizeof plugins, "'%s', {'name': '%s', 'as': 'other'}", replacing[i], replacing[j]);
            snprintf(message, sizeof message, "other conflicts with %s", replacing[i]);
            harness_expect(harness_status(DIGITS, 0, plugins), KNACK_E_CONFIG, message, ".json", NULL);
        }
        for (int j = 0; j < 2; j++) {
            char plugins[256];
            snprintf(plugins, sizeof plugins, "'%s', %s", replacing[i], attacks[j]);
            assert_int_equal(harness_status(DIGITS, 0, plugins), KNACK_OK);
            snprintf(plugins, sizeof plugins, "%s, '%s'", attacks[j], replacing[i]);
            assert_int_equal(harness_status(DIGITS, 0, plugins), KNACK_OK);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_tricks_equal_their_formula),   cmocka_unit_test(without_direction_there_is_no_attack),
        cmocka_unit_test(micro_batches_equal_one_batch),       cmocka_unit_test(resume_goes_on_to_the_same_bits),
        cmocka_unit_test(extra_passes_leave_statistics_alone), cmocka_unit_test(passes_are_made_when_they_are_due),
        cmocka_unit_test(at_identity_nothing_is_installed),    cmocka_unit_test(mistakes_are_explained),
        cmocka_unit_test(steps_that_cannot_reach_the_bound),   cmocka_unit_test(one_replaces_the_gradient),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
