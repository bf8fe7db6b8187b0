/* Trials: what one tells, that it is the same to the bit wherever it runs, what fails how, and what goes through the pipe. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "compare/trials/workers.h"
#include "data/dataset.h"

/* A config with ' for ". */
static const char *quoted(const char *config)
{
    static char text[4096];
    snprintf(text, sizeof text, "%s", config);
    for (char *quote = text; (quote = strchr(quote, '\''));) *quote = '"';
    return text;
}

static const char plain_config[] = "{'data': {'source': 'digits', 'limit': 100, 'validation': 20}, 'train': {'epochs': 3, 'batch': 20}}";

static struct trial_outcome run_trial(enum trial_kind kind, const char *config, struct dataset *data, const char *part, const char *metric)
{
    struct trial_outcome outcome;
    struct trial_job job = {.kind = kind,
                            .arm = "an arm",
                            .config = quoted(config),
                            .folder = ".",
                            .seed = 7,
                            .data = data,
                            .part = part,
                            .metric = metric,
                            .updates = 20};
    if (trial_run(&job, NULL, NULL, &outcome) < 0) fail_msg("%s", knack_error());
    return outcome;
}

static struct trial_outcome done(enum trial_kind kind, const char *config)
{
    struct trial_outcome outcome = run_trial(kind, config, NULL, "test", "accuracy");
    if (outcome.status != TRIAL_DONE) fail_msg("%s", outcome.message);
    return outcome;
}

static void assert_message(struct trial_outcome *outcome, enum trial_status status, knack_status code, const char *message)
{
    assert_string_equal(outcome->message, message);
    assert_int_equal(outcome->status, status);
    assert_int_equal(outcome->code, code);
    assert_true(isnan(outcome->value));
    trial_outcome_free(outcome);
}

/* ---- What a trial tells ---- */

static void check_examples(const struct trial_outcome *outcome)
{
    double right = 0, loss = 0, told = NAN;
    assert_int_equal(outcome->examples, 360);
    for (int64_t i = 0; i < outcome->examples; i++) {
        right += outcome->correct[i];
        loss += (double)outcome->loss[i];
    }
    assert_true(fabs(right / 360 - outcome->value) < 1e-12);
    for (int64_t i = 0; i < outcome->metrics; i++) {
        const struct trial_metric *m = &outcome->metric[i];
        if (m->final && !strcmp(m->part, "test") && !strcmp(m->weights, outcome->weights) && !strcmp(m->metric, "loss")) told = m->value;
    }
    assert_true(fabs(loss / 360 - told) < 1e-6);
}

static int64_t points(const struct trial_outcome *outcome, const char *part, const char *metric, bool final)
{
    int64_t count = 0;
    for (int64_t i = 0; i < outcome->metrics; i++) {
        const struct trial_metric *m = &outcome->metric[i];
        count += m->final == final && !strcmp(m->part, part) && !strcmp(m->metric, metric);
    }
    return count;
}

static void a_trial_tells_all_that_its_run_came_to(void **state)
{
    (void)state;
    struct trial_outcome outcome = done(TRIAL_TRAIN, plain_config);
    assert_true(outcome.value > 0.1 && outcome.value <= 1);
    assert_string_equal(outcome.weights, "raw");
    assert_string_equal(outcome.idle, "");
    assert_int_equal(outcome.cost.updates, 15);
    assert_true(outcome.cost.gradient_rows == 300);
    assert_true(outcome.cost.forward_rows == 0);
    assert_true(outcome.cost.inference == 1);
    assert_true(outcome.cost.seconds > 0 && outcome.cost.cpu_seconds > 0 && outcome.cost.peak_memory > 0);
    assert_int_equal(points(&outcome, "validation", "accuracy", false), 3);
    assert_int_equal(points(&outcome, "train", "loss", false), 4); /* the first update, and each epoch */
    assert_int_equal(points(&outcome, "test", "accuracy", false), 0);
    assert_int_equal(points(&outcome, "test", "accuracy", true), 2); /* raw, best */
    check_examples(&outcome);
    trial_outcome_free(&outcome);
}

static void data_that_were_opened_before_change_no_bit(void **state)
{
    (void)state;
    struct dataset *data;
    struct json_document *config;
    const char *text = quoted(plain_config);
    if (json_parse(text, strlen(text), "config", &config) < 0) fail_msg("%s", knack_error());
    if (data_open(json_member(config->root, "data"), ".", 1, &data) < 0) fail_msg("%s", knack_error());
    struct trial_outcome own = done(TRIAL_TRAIN, plain_config);
    for (int again = 0; again < 2; again++) {
        struct trial_outcome lent = run_trial(TRIAL_TRAIN, plain_config, data, "test", "accuracy");
        assert_true(own.value == lent.value);
        assert_int_equal(own.metrics, lent.metrics);
        assert_memory_equal(own.loss, lent.loss, (size_t)own.examples * sizeof *own.loss);
        assert_memory_equal(own.correct, lent.correct, (size_t)own.examples);
        trial_outcome_free(&lent);
    }
    trial_outcome_free(&own);
    data_close(data);
    json_free(config);
}

static void a_check_resolves_the_config_and_trains_nothing(void **state)
{
    (void)state;
    struct trial_outcome outcome = done(
        TRIAL_CHECK,
        "{'data': {'limit': 100}, 'train': {'epochs': 3, 'batch': 20}, 'seed': 5, 'plugins': ['mixup', {'name': 'ema', 'decay': 0.9}]}");
    assert_int_equal(outcome.updates, 15);
    assert_true(outcome.parameters > 1000);
    assert_true(isnan(outcome.initial));
    assert_non_null(strstr(outcome.resolved, "\"log_every\": 50"));
    assert_non_null(strstr(outcome.resolved, "\"label_noise\": 0"));
    assert_null(strstr(outcome.resolved, "\"seed\": 7"));
    assert_null(strstr(outcome.resolved, "\"folder\""));
    assert_non_null(strstr(outcome.tricks, "\"plugin\": \"mixup\""));
    assert_non_null(strstr(outcome.tricks, "\"decay\": 0.9"));
    assert_non_null(strstr(outcome.identity, "{\"name\": \"mixup\", \"code\": \""));
    assert_non_null(strstr(outcome.identity, "\"threads\": 1"));
    trial_outcome_free(&outcome);
}

static void losses_are_known_before_training(void **state)
{
    (void)state;
    struct trial_outcome outcome = run_trial(TRIAL_CHECK, plain_config, NULL, "test", "loss");
    assert_int_equal(outcome.status, TRIAL_DONE);
    assert_true(fabs(outcome.initial - log(10)) < 1);
    trial_outcome_free(&outcome);
}

static void a_measurement_takes_so_many_updates(void **state)
{
    (void)state;
    struct trial_outcome outcome =
        done(TRIAL_MEASURE, "{'data': {'limit': 100}, 'train': {'epochs': 30, 'batch': 20}}"); /* 5 updates an epoch */
    assert_int_equal(outcome.cost.updates, 20);
    assert_true(outcome.cost.cpu_seconds > 0 && outcome.cost.cpu_seconds < outcome.cost.seconds + 0.1);
    trial_outcome_free(&outcome);
    outcome = done(TRIAL_MEASURE, plain_config); /* 15 updates, 5 of them to warm up */
    assert_int_equal(outcome.cost.updates, 10);
    trial_outcome_free(&outcome);
}

/* ---- Failures ---- */

static void what_is_wrong_is_in_the_outcome(void **state)
{
    (void)state;
    struct trial_outcome outcome = run_trial(TRIAL_CHECK, "{'train': {'epochs': 0}}", NULL, "test", "accuracy");
    assert_message(&outcome, TRIAL_BROKEN, KNACK_E_CONFIG, "an arm: at train.epochs: expected a whole number in [1,inf), got 0");
    outcome = run_trial(TRIAL_CHECK, plain_config, NULL, "test", "acuracy");
    assert_int_equal(outcome.status, TRIAL_BROKEN);
    assert_non_null(strstr(outcome.message, "metric test.acuracy: this task has no metric \"acuracy\"; nearest is \"accuracy\""));
    trial_outcome_free(&outcome);
    outcome = run_trial(TRIAL_CHECK, "{}", NULL, "validation", "accuracy");
    assert_message(&outcome, TRIAL_BROKEN, KNACK_E_USAGE,
                   "metric validation.accuracy: the data have no validation part; give \"data.validation\", or judge on the other part");
    outcome = run_trial(TRIAL_CHECK, "{}", NULL, "validation", "acuracy");
    assert_non_null(strstr(outcome.message, "the data have no validation part; give "));
    assert_non_null(strstr(outcome.message, "; metric validation.acuracy: this task has no metric \"acuracy\"; nearest is \"accuracy\""));
    trial_outcome_free(&outcome);
    outcome = run_trial(TRIAL_TRAIN, "{'data': {'limit': 100}, 'train': {'max_skipped': 0, 'optimizer': {'type': 'sgd', 'lr': 1e38}}}",
                        NULL, "test", "accuracy");
    assert_int_equal(outcome.status, TRIAL_NOT_FINITE);
    assert_int_equal(outcome.code, KNACK_E_NUMERIC);
    assert_true(isnan(outcome.value));
    trial_outcome_free(&outcome);
}

/* ---- In a process of its own: whose fault, and where ---- */

static struct trial_outcome run_apart(const char *config, double cpu, double wall)
{
    struct trial_outcome outcome;
    struct trial_job job = {
        .kind = TRIAL_TRAIN, .arm = "an arm", .config = quoted(config), .folder = ".", .seed = 7, .part = "test", .metric = "accuracy"};
    if (workers_run_one(&job, cpu, wall, NULL, NULL, &outcome) < 0) fail_msg("%s", knack_error());
    return outcome;
}

#define MISHAP(more) "{'data': {'limit': 100}, 'train': {'epochs': 3, 'batch': 20}, 'plugins': [{'name': 'mishap', 'as': 'x', " more "}]}"
#define IN_X         "trick \"x\", hook pre_step"

static void check_fault(const char *config, enum trial_status status, enum trial_fault fault, int64_t step, const char *place,
                        const char *message)
{
    struct trial_outcome outcome = run_apart(config, strstr(config, "spin") ? 0.5 : 60, strstr(config, "hang") ? 1 : 300);
    if (!strstr(outcome.message, message)) fail_msg("no \"%s\" in: %s", message, outcome.message);
    if (outcome.fault != fault) fail_msg("fault %d, not %d: %s", (int)outcome.fault, (int)fault, outcome.message);
    assert_int_equal(outcome.status, status);
    assert_int_equal(outcome.step, step);
    assert_string_equal(outcome.place, place);
    assert_true(isnan(outcome.value));
    trial_outcome_free(&outcome);
}

static void every_failure_has_fault_and_place(void **state)
{
    (void)state;
    check_fault(MISHAP("'what': 'fail'"), TRIAL_BROKEN, FAULT_OWN, 3, IN_X, "x, pre_step, step 4: it was told to fail");
    check_fault(MISHAP("'what': 'target'"), TRIAL_BROKEN, FAULT_OWN, 3, IN_X, "x, pre_step, step 4: targets: row 0 has class 1000");
    check_fault(
        "{'data': {'limit': 100}, 'train': {'epochs': 3, 'batch': 20, 'max_skipped': 0}, 'plugins': [{'name': 'mishap', 'what': 'nan'}]}",
        TRIAL_NOT_FINITE, FAULT_OWN, 3, "", "at step 4");
    check_fault(MISHAP("'what': 'signal'"), TRIAL_CRASHED, FAULT_UNCLEAR, 3, IN_X,
                "signal 11 (Segmentation fault) ended its process, in " IN_X ", at step 4");
    check_fault(MISHAP("'what': 'signal', 'signal': 9"), TRIAL_CRASHED, FAULT_MACHINE, 3, IN_X,
                "signal 9 (Killed) ended its process, which knack did not send (is memory short?), in " IN_X ", at step 4");
    check_fault(MISHAP("'what': 'exit'"), TRIAL_CRASHED, FAULT_UNCLEAR, 3, IN_X,
                "its process ended by itself, with exit status 3, in " IN_X ", at step 4");
    check_fault(MISHAP("'what': 'spin'"), TRIAL_TIMED_OUT, FAULT_UNCLEAR, 3, IN_X,
                "was ended after 0.5 s of CPU time: it took longer than it may, in " IN_X ", at step 4");
    check_fault(MISHAP("'what': 'hang'"), TRIAL_TIMED_OUT, FAULT_UNCLEAR, 3, IN_X,
                "was ended after 1 s by the clock: it took longer than it may, in " IN_X ", at step 4");
    check_fault(MISHAP("'what': 'hoard'"), TRIAL_BROKEN, FAULT_MACHINE, 3, IN_X, "out of memory");
    check_fault("{'data': {'csv': 'gone.csv', 'target': 'y'}}", TRIAL_BROKEN, FAULT_MACHINE, -1, "", "gone.csv");
    check_fault("{'plugins': [{'manifest': 'gone.json'}]}", TRIAL_BROKEN, FAULT_MACHINE, -1, "", "gone.json");
}

static void warnings_are_kept_once_each_and_not_without_end(void **state)
{
    (void)state;
    struct trial_outcome outcome = run_apart(MISHAP("'what': 'warn'"), 0, 0);
    assert_int_equal(outcome.status, TRIAL_DONE);
    assert_int_equal(outcome.fault, FAULT_NONE);
    assert_int_equal(strncmp(outcome.warnings, "x: warning 0\nx: warning 1\n", 26), 0);
    assert_string_equal(strstr(outcome.warnings, "x: warning 99"), "x: warning 99");
    trial_outcome_free(&outcome);
    outcome = run_apart("{'data': {'limit': 400}, 'train': {'epochs': 3}, 'plugins': ['rdrop']}", 0, 0);
    assert_non_null(strstr(outcome.warnings, "without dropout in the model there is nothing to agree on"));
    trial_outcome_free(&outcome);
    outcome = run_apart(plain_config, 0, 0);
    assert_null(outcome.warnings);
    trial_outcome_free(&outcome);
}

#if defined __SANITIZE_ADDRESS__
#define LIMITED 0
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define LIMITED 0
#endif
#endif
#ifndef LIMITED
#define LIMITED 1
#endif

/* A crash where memory cannot be had, and oneDNN under ever tighter limits: whatever it dies of, the machine's fault. */
static void what_dies_of_short_memory_is_no_fault_of_the_arm(void **state)
{
    (void)state;
    if (!LIMITED) skip(); /* a sanitizer takes terabytes of addresses */
    check_fault(MISHAP("'what': 'short'"), TRIAL_CRASHED, FAULT_MACHINE, 3, IN_X,
                "signal 11 (Segmentation fault) ended its process after memory was refused to it, in " IN_X ", at step 4");
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &pages), 1);
    fclose(file);
    struct rlimit before;
    int failed = 0;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    for (rlim_t extra = 1 << 20; extra < 100 << 20; extra += 3 << 20) {
        struct rlimit limit = {(rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + extra, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
        struct trial_outcome outcome =
            run_apart("{'data': {'limit': 100}, 'model': {'type': 'cnn'}, 'train': {'epochs': 1, 'batch': 50}}", 0, 0);
        assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
        if (outcome.status != TRIAL_DONE && outcome.fault != FAULT_MACHINE)
            fail_msg("with %lld kB: %s", (long long)(extra >> 10), outcome.message);
        failed += outcome.status != TRIAL_DONE;
        trial_outcome_free(&outcome);
    }
    assert_true(failed > 0);
}

/* ---- Packing ---- */

static void assert_same(const struct trial_outcome *a, const struct trial_outcome *b)
{
    assert_int_equal(a->status, b->status);
    assert_string_equal(a->message, b->message);
    assert_int_equal(a->code, b->code);
    assert_memory_equal(&a->value, &b->value, sizeof a->value);
    assert_string_equal(a->weights, b->weights);
    assert_string_equal(a->idle, b->idle);
    assert_memory_equal(&a->cost, &b->cost, sizeof a->cost);
    assert_int_equal(a->metrics, b->metrics);
    for (int64_t i = 0; i < a->metrics; i++) {
        assert_string_equal(a->metric[i].part, b->metric[i].part);
        assert_string_equal(a->metric[i].weights, b->metric[i].weights);
        assert_string_equal(a->metric[i].metric, b->metric[i].metric);
        assert_int_equal(a->metric[i].update, b->metric[i].update);
        assert_memory_equal(&a->metric[i].epoch, &b->metric[i].epoch, sizeof(double));
        assert_memory_equal(&a->metric[i].value, &b->metric[i].value, sizeof(double));
        assert_int_equal(a->metric[i].final, b->metric[i].final);
    }
    assert_int_equal(a->examples, b->examples);
    assert_int_equal(!a->correct, !b->correct);
    if (a->correct) assert_memory_equal(a->correct, b->correct, (size_t)a->examples);
    if (a->loss) assert_memory_equal(a->loss, b->loss, (size_t)a->examples * sizeof *a->loss);
    assert_string_equal(a->resolved ? a->resolved : "", b->resolved ? b->resolved : "");
    assert_string_equal(a->tricks ? a->tricks : "", b->tricks ? b->tricks : "");
    assert_string_equal(a->identity ? a->identity : "", b->identity ? b->identity : "");
    assert_string_equal(a->warnings ? a->warnings : "", b->warnings ? b->warnings : "");
    assert_string_equal(a->place, b->place);
    assert_int_equal(a->fault, b->fault);
    assert_int_equal(a->step, b->step);
    assert_int_equal(a->updates, b->updates);
    assert_int_equal(a->parameters, b->parameters);
}

static void check_pack(struct trial_outcome *outcome)
{
    struct trial_outcome back;
    size_t size;
    uint8_t *bytes = trial_outcome_pack(outcome, &size);
    assert_non_null(bytes);
    if (trial_outcome_unpack(bytes, size, &back) < 0) fail_msg("%s", knack_error());
    assert_same(outcome, &back);
    trial_outcome_free(&back);
    for (size_t length = 0; length < size; length++) {
        uint8_t *part = malloc(length + !length); /* so that a read beyond it is seen */
        assert_non_null(part);
        memcpy(part, bytes, length);
        assert_int_equal(trial_outcome_unpack(part, length, &back), KNACK_E_DATA);
        assert_null(back.loss);
        free(part);
    }
    uint8_t *longer = malloc(size + 1);
    assert_non_null(longer);
    memcpy(longer, bytes, size);
    longer[size] = 0;
    assert_int_equal(trial_outcome_unpack(longer, size + 1, &back), KNACK_E_DATA);
    assert_string_equal(knack_error(), "a trial's outcome has 1 bytes after its end");
    free(longer);
    memory_free(bytes);
}

static void outcomes_survive_the_pipe_and_pieces_of_them_are_refused(void **state)
{
    (void)state;
    struct trial_outcome outcome = done(TRIAL_TRAIN, plain_config);
    check_pack(&outcome);
    trial_outcome_free(&outcome);
    outcome = done(TRIAL_CHECK, plain_config);
    check_pack(&outcome);
    trial_outcome_free(&outcome);
    struct trial_outcome crashed = {.status = TRIAL_CRASHED,
                                    .value = NAN,
                                    .message = "signal 11",
                                    .fault = FAULT_UNCLEAR,
                                    .step = 7,
                                    .place = "x",
                                    .warnings = (char[]){"a\nb"}};
    check_pack(&crashed);
}

/* Any byte changed: an error or another outcome, never a crash. */
static void bytes_that_were_changed_do_no_harm(void **state)
{
    (void)state;
    struct trial_outcome outcome = done(TRIAL_CHECK, plain_config), back;
    size_t size;
    uint8_t *bytes = trial_outcome_pack(&outcome, &size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) {
        for (int flip = 0; flip < 8; flip++) {
            bytes[i] ^= (uint8_t)(1 << flip);
            if (trial_outcome_unpack(bytes, size, &back) >= 0) trial_outcome_free(&back);
            bytes[i] ^= (uint8_t)(1 << flip);
        }
    }
    memory_free(bytes);
    trial_outcome_free(&outcome);
}

static void without_memory_an_outcome_is_not_packed(void **state)
{
    (void)state;
    struct trial_outcome outcome = done(TRIAL_TRAIN, plain_config), back;
    size_t size;
    memory_fail_at(1);
    assert_null(trial_outcome_pack(&outcome, &size));
    memory_fail_at(0);
    uint8_t *bytes = trial_outcome_pack(&outcome, &size);
    assert_non_null(bytes);
    for (int64_t nth = 1; nth <= 3; nth++) { /* metrics, correct, loss */
        memory_fail_at(nth);
        assert_int_equal(trial_outcome_unpack(bytes, size, &back), KNACK_E_MEMORY);
        memory_fail_at(0);
    }
    memory_free(bytes);
    trial_outcome_free(&outcome);
}

static void a_trial_without_memory_says_so(void **state)
{
    (void)state;
    bool ended = false;
    for (int64_t nth = 1; !ended; nth = nth + 1 + nth / 8) {
        struct trial_outcome outcome;
        struct trial_job job = {.kind = TRIAL_TRAIN,
                                .arm = "an arm",
                                .config = quoted("{'data': {'limit': 40}, 'train': {'epochs': 2, 'batch': 20}}"),
                                .folder = ".",
                                .seed = 7,
                                .part = "test",
                                .metric = "accuracy"};
        memory_fail_at(nth);
        knack_status status = trial_run(&job, NULL, NULL, &outcome);
        memory_fail_at(0);
        assert_int_equal(status, KNACK_OK);
        ended = outcome.status == TRIAL_DONE;
        if (!ended) assert_int_equal(outcome.code, KNACK_E_MEMORY);
        trial_outcome_free(&outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trial_tells_all_that_its_run_came_to),
        cmocka_unit_test(data_that_were_opened_before_change_no_bit),
        cmocka_unit_test(a_check_resolves_the_config_and_trains_nothing),
        cmocka_unit_test(losses_are_known_before_training),
        cmocka_unit_test(a_measurement_takes_so_many_updates),
        cmocka_unit_test(what_is_wrong_is_in_the_outcome),
        cmocka_unit_test(every_failure_has_fault_and_place),
        cmocka_unit_test(warnings_are_kept_once_each_and_not_without_end),
        cmocka_unit_test(what_dies_of_short_memory_is_no_fault_of_the_arm),
        cmocka_unit_test(outcomes_survive_the_pipe_and_pieces_of_them_are_refused),
        cmocka_unit_test(bytes_that_were_changed_do_no_harm),
        cmocka_unit_test(without_memory_an_outcome_is_not_packed),
        cmocka_unit_test(a_trial_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
