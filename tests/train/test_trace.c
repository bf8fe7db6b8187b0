/* trace.jsonl (docs/trace.md): what it says is enough to compute a step again. */
#include "harness.h"

#include <stdio.h>

#include "base/json.h"

/* ---- Reading it ---- */

struct trace {
    struct json_document **line; /* [lines] */
    int64_t lines;
};

static struct trace read_trace(void)
{
    struct trace trace = {0};
    char *text = harness_read("out/trace.jsonl", NULL);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        trace.line = memory_resize(trace.line, (size_t)trace.lines + 1, sizeof *trace.line);
        assert_non_null(trace.line);
        if (json_parse(line, (size_t)(end - line), "trace.jsonl", &trace.line[trace.lines++]) < 0) fail_msg("%s", knack_error());
    }
    memory_free(text);
    return trace;
}

static void trace_free(struct trace *trace)
{
    for (int64_t i = 0; i < trace->lines; i++) json_free(trace->line[i]);
    memory_free(trace->line);
}

static double number_of(const struct json *object, const char *name)
{
    const struct json *member = json_member(object, name);
    if (!member || member->kind != JSON_NUMBER) fail_msg("no number \"%s\"", name);
    return member->number;
}

static bool says(const struct json *object, const char *name, const char *text)
{
    const struct json *member = json_member(object, name);
    return member && member->kind == JSON_STRING && !strcmp(member->string, text);
}

/* The first event from `from` on whose member `name` is the text; NULL: none. */
static const struct json *find_event(const struct json *from, const char *name, const char *text)
{
    while (from && !says(from, name, text)) from = from->next;
    return from;
}

static const struct json *events_of(const struct json_document *line)
{
    const struct json *events = json_member(line->root, "events");
    assert_non_null(events);
    return events->first;
}

/* A list of count numbers. */
static void read_numbers(const struct json *object, const char *name, int64_t count, double *out)
{
    const struct json *list = json_member(object, name);
    if (!list || list->count != count) fail_msg("\"%s\" does not have %lld numbers", name, (long long)count);
    for (const struct json *entry = list->first; entry; entry = entry->next) *out++ = entry->number;
}

static struct run *traced(const char *model, const char *train, const char *plugins)
{
    struct run *run = harness_open(
        "{'model': {'type': 'mlp', 'hidden': [64, 64]%s}, 'train': {'epochs': 1, 'batch': 32%s}, 'plugins': [%s]}", model, train, plugins);
    run->trace_asked = true;
    return run;
}

/* ---- A step from its line alone ---- */

enum { ROWS = 32, WIDTH = 64, CLASSES = 10 };

struct replay {
    struct run *run; /* its data */
    const knack_real *weights;
    double x[ROWS][WIDTH];
    int label[ROWS], partner[ROWS];
    double lambda[ROWS];
    const char *mixed_at;
};

static void read_batch(struct replay *replay, const struct json *line)
{
    double example[ROWS];
    knack_real input[WIDTH];
    read_numbers(line, "examples", ROWS, example);
    for (int i = 0; i < ROWS; i++) {
        int64_t index = (int64_t)example[i];
        assert_int_equal(data_inputs(replay->run->data, PART_TRAIN, &index, 1, input), KNACK_OK);
        for (int j = 0; j < WIDTH; j++) replay->x[i][j] = (double)input[j];
        replay->label[i] = replay->run->data->part[PART_TRAIN].label[index];
    }
}

/* What mixup drew: pairs, one lambda, and which of two layers. */
static void read_mixing(struct replay *replay, const struct json *events)
{
    double partner[ROWS], drawn, where;
    read_numbers(find_event(events, "draw", "pairs"), "partners", ROWS, partner);
    read_numbers(find_event(events, "draw", "beta"), "values", 1, &drawn);
    read_numbers(find_event(events, "draw", "uniform"), "values", 1, &where);
    for (int i = 0; i < ROWS; i++) {
        replay->partner[i] = (int)partner[i];
        replay->lambda[i] = replay->partner[i] == i ? 1 : fmax(drawn, 1 - drawn);
    }
    replay->mixed_at = where < 0.5 ? "input" : "fc1";
}

static void mix(const struct replay *replay, const char *layer, double x[ROWS][WIDTH])
{
    double before[ROWS][WIDTH];
    memcpy(before, x, sizeof before);
    for (int i = 0; !strcmp(layer, replay->mixed_at) && i < ROWS; i++)
        for (int j = 0; j < WIDTH; j++)
            x[i][j] = replay->lambda[i] * before[i][j] + (1 - replay->lambda[i]) * before[replay->partner[i]][j];
}

/* out [ROWS, outputs] of x by the layer's weights. */
static void linear(const struct replay *replay, const char *layer, double x[ROWS][WIDTH], int outputs, double out[ROWS][WIDTH])
{
    char weight[32], bias[32];
    snprintf(weight, sizeof weight, "%s.weight", layer);
    snprintf(bias, sizeof bias, "%s.bias", layer);
    const knack_real *w = replay->weights + params_find(replay->run->params, weight)->public.offset; /* [outputs, WIDTH] */
    const knack_real *b = replay->weights + params_find(replay->run->params, bias)->public.offset;
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < outputs; k++) {
            out[i][k] = (double)b[k];
            for (int j = 0; j < WIDTH; j++) out[i][k] += (double)w[k * WIDTH + j] * x[i][j];
        }
    }
}

/* Dropout by the masks of the line. */
static void drop(const struct json *events, const char *layer, double x[ROWS][WIDTH])
{
    const struct json *mask = find_event(events, "dropout", layer), *kept = json_member(mask, "kept");
    double row[ROWS];
    read_numbers(mask, "rows", ROWS, row);
    const struct json *text = kept->first;
    for (int i = 0; i < ROWS; i++, text = text->next)
        for (int j = 0; j < WIDTH; j++) x[(int)row[i]][j] *= text->string[j] == '1' ? 1 / (1 - number_of(mask, "rate")) : 0;
}

static double cross_entropy(const double *logit, int label)
{
    double sum = 0;
    for (int c = 0; c < CLASSES; c++) sum += exp(logit[c]);
    return log(sum) - logit[label];
}

static double replayed_loss(struct replay *replay, const struct json *line)
{
    static const char *const layers[] = {"fc1", "fc2"};
    double(*x)[WIDTH] = replay->x, y[ROWS][WIDTH], loss = 0;
    const struct json *events = json_member(line, "events")->first;
    read_batch(replay, line);
    read_mixing(replay, events);
    mix(replay, "input", x);
    for (int l = 0; l < 2; l++) {
        linear(replay, layers[l], x, WIDTH, y);
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < WIDTH; j++) x[i][j] = fmax(y[i][j], 0);
        mix(replay, layers[l], x);
        drop(events, layers[l], x);
    }
    linear(replay, "head", x, CLASSES, y);
    for (int i = 0; i < ROWS; i++)
        loss += replay->lambda[i] * cross_entropy(y[i], replay->label[i]) +
                (1 - replay->lambda[i]) * cross_entropy(y[i], replay->label[replay->partner[i]]);
    return loss / ROWS;
}

/* The first losses of some seeds, so that both layers are drawn. */
static void a_line_replays_its_step(void **state)
{
    (void)state;
    int64_t at_input = 0;
    enum { SEEDS = 6 };
    for (int seed = 1; seed <= SEEDS; seed++) {
        struct run *run =
            harness_open("{'seed': %d, 'model': {'type': 'mlp', 'hidden': [64, 64], 'dropout': 0.2}, 'train': {'epochs': 1, 'batch': 32},"
                         " 'plugins': [{'name': 'mixup', 'alpha': 1, 'layer': ['input', 'fc1']}]}",
                         seed);
        size_t bytes = (size_t)run->params->total * sizeof(knack_real);
        knack_real *initial = malloc(bytes);
        assert_non_null(initial);
        memcpy(initial, run->params->live.values, bytes);
        run->trace_asked = true;
        harness_train(run);
        struct trace trace = read_trace();
        struct replay replay = {.run = run, .weights = initial};
        double loss = replayed_loss(&replay, trace.line[0]->root), written = number_of(trace.line[0]->root, "loss");
        if (!(fabs(loss - written) <= (IS_DOUBLE ? 1e-12 : 1e-6) * written)) fail_msg("seed %d: %.17g, not %.17g", seed, loss, written);
        at_input += !strcmp(replay.mixed_at, "input");
        trace_free(&trace);
        free(initial);
        harness_close(run);
    }
    assert_in_range(at_input, 1, SEEDS - 1);
}

/* ---- What else it says ---- */

static void every_step_has_a_line(void **state)
{
    (void)state;
    struct run *run = traced("", "", "'ema'");
    harness_train(run);
    struct trace trace = read_trace();
    assert_int_equal(trace.lines, 45); /* of 1437 examples */
    for (int64_t i = 0; i < trace.lines; i++) {
        const struct json *line = trace.line[i]->root;
        assert_true(number_of(line, "batch") == (double)i && number_of(line, "epoch") == 0);
        assert_true(number_of(line, "update") == (double)i && number_of(line, "updates") == (double)(i + 1));
        assert_int_equal(json_member(line, "examples")->count, i < 44 ? 32 : 29);
        const struct json *call = find_event(events_of(trace.line[i]), "trick", "ema");
        assert_true(call && says(call, "call", "post_step") && says(call, "outcome", "acted"));
    }
    trace_free(&trace);
    harness_close(run);
}

/* Two tricks of which one acts in a batch: the line names it, and only its draws are there. */
static void who_acts_is_named(void **state)
{
    (void)state;
    struct run *run = traced("", "", "'mixup', {'name': 'mixup', 'as': 'deep', 'layer': 'fc1'}");
    harness_train(run);
    struct trace trace = read_trace();
    int64_t deep = 0;
    for (int64_t i = 0; i < trace.lines; i++) {
        const struct json *acting = json_member(trace.line[i]->root, "acting");
        assert_int_equal(acting->count, 1);
        bool is_deep = !strcmp(acting->first->string, "deep");
        const struct json *events = events_of(trace.line[i]);
        assert_non_null(find_event(events, "trick", is_deep ? "deep" : "mixup"));
        assert_null(find_event(events, "trick", is_deep ? "mixup" : "deep"));
        deep += is_deep;
    }
    assert_in_range(deep, 10, 35);
    trace_free(&trace);
    harness_close(run);
}

/* Masks of micro-batches are of disjoint rows; those drawn again say so, and differ. */
static void masks_say_whose_they_are(void **state)
{
    (void)state;
    struct run *run = traced(", 'dropout': 0.2", ", 'micro_batch': 20", "{'name': 'fgm', 'layer': 'input', 'redraw': true}");
    harness_train(run);
    struct trace trace = read_trace();
    const char *kept[2][ROWS] = {{NULL}}; /* of each pass */
    const struct json *mask = events_of(trace.line[0]);
    for (; (mask = find_event(mask, "dropout", "fc2")); mask = mask->next) {
        int pass = (int)number_of(mask, "pass");
        double row[ROWS];
        assert_true(number_of(mask, "redraw") == (pass ? 65536 : 0));
        const struct json *text = json_member(mask, "kept")->first;
        read_numbers(mask, "rows", json_member(mask, "kept")->count, row);
        for (int i = 0; text; text = text->next, i++) {
            assert_null(kept[pass][(int)row[i]]);
            assert_int_equal(strlen(text->string), WIDTH);
            kept[pass][(int)row[i]] = text->string;
        }
    }
    int64_t same = 0;
    for (int i = 0; i < ROWS; i++) {
        assert_true(kept[0][i] && kept[1][i]);
        same += !strcmp(kept[0][i], kept[1][i]);
    }
    assert_int_equal(same, 0);
    trace_free(&trace);
    harness_close(run);
}

/* A step whose loss is not finite is in the trace, and moves no weights. */
static void skipped_steps_are_seen(void **state)
{
    (void)state;
    struct run *run = traced("", ", 'optimizer': {'type': 'sgd', 'lr': 1e300}", "");
    assert_int_equal(run_train(run), KNACK_E_NUMERIC);
    struct trace trace = read_trace();
    const struct json *last = trace.line[trace.lines - 1]->root;
    assert_int_equal(json_member(last, "loss")->kind, JSON_NULL);
    assert_true(number_of(last, "update") == number_of(last, "updates"));
    trace_free(&trace);
    harness_close(run);
}

/* Steps 0 to 4 are traced, the next three are not, and those after them are again. */
static void a_resumed_run_adds_to_its_trace(void **state)
{
    (void)state;
    harness_interrupt_at(5);
    struct run *run = traced("", "", "");
    harness_expect(run_train(run), KNACK_E_INTERRUPTED, NULL);
    harness_close(run);
    harness_interrupt_at(3);
    run = harness_resume();
    harness_expect(run_train(run), KNACK_E_INTERRUPTED, NULL);
    harness_close(run);
    harness_interrupt_at(-1);
    run = harness_resume();
    run->trace_asked = true;
    harness_train(run);
    struct trace trace = read_trace();
    assert_int_equal(trace.lines, run->at.batch - 3);
    for (int64_t i = 0; i < trace.lines; i++) assert_true(number_of(trace.line[i]->root, "batch") == (double)(i < 5 ? i : i + 3));
    trace_free(&trace);
    harness_close(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_replays_its_step), cmocka_unit_test(every_step_has_a_line),
        cmocka_unit_test(who_acts_is_named),       cmocka_unit_test(masks_say_whose_they_are),
        cmocka_unit_test(skipped_steps_are_seen),  cmocka_unit_test(a_resumed_run_adds_to_its_trace),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
