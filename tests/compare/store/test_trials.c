/* Plans and trials, kept and read back, through failures and kills. */
#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"

#include "base/memory.h"
#include "compare/store/parts.h"
#include "filled.h"

static char folder[32], message[512];

static const char *told(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    return message;
}

static int set_up(void **state)
{
    (void)state;
    filled_folder(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    filled_remove(folder);
    return 0;
}

static void run_sql(struct store *store, const char *text)
{
    assert_int_equal(sqlite3_exec(store->sql.file, text, NULL, NULL, NULL), SQLITE_OK);
}

static int64_t ask(struct store *store, const char *text)
{
    int64_t answer = -1;
    assert_done(sql_ask_integer(&store->sql, text, "ask", &answer));
    return answer;
}

static void open_with_plan(struct store **store)
{
    struct plan plan = filled_plan();
    assert_done(store_open(folder, true, store));
    assert_done(store_write_plan(*store, &plan));
}

static void open_again(struct store **store)
{
    store_close(*store);
    assert_done(store_open(folder, false, store));
}

/* ---- What is kept ---- */

static void test_a_plan(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct plan plan = filled_plan(), *read = NULL;
    open_with_plan(&store);
    open_again(&store);
    assert_done(store_read_plan(store, &read));
    assert_non_null(read);
    assert_int_equal(read->arms, FILLED_ARMS);
    char *written = plan_text(&plan), *got = plan_text(read);
    assert_string_equal(got, written);
    memory_free(written);
    memory_free(got);
    plan_free(read);
    store_close(store);
}

/* Arms are known by name: the same plan in another order, or with more arms, finds the trials of each. */
static void test_arms_that_move(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct stored_trial *trials = NULL;
    int64_t count = 0;
    open_with_plan(&store);
    for (int64_t arm = 0; arm < FILLED_ARMS; arm++) {
        struct trial_outcome outcome = filled_outcome(arm, 2000);
        assert_done(store_add_trial(store, arm, 2000, &outcome));
    }
    struct plan plan = filled_plan();
    struct arm moved[] = {plan.arm[0], plan.arm[2], plan.arm[1]};
    plan.arm = moved;
    assert_done(store_write_plan(store, &plan));
    assert_done(store_read_trials(store, &trials, &count));
    assert_int_equal(count, 3);
    for (int64_t i = 0; i < 3; i++) assert_int_equal(trials[i].arm, i);
    assert_true(trials[1].value == filled_outcome(2, 2000).value);
    memory_free(trials);

    plan.arms = 2; /* no longer in the plan, but not lost */
    assert_done(store_write_plan(store, &plan));
    assert_done(store_read_trials(store, &trials, &count));
    assert_int_equal(count, 2);
    memory_free(trials);
    assert_int_equal(ask(store, "SELECT count(*) FROM trials"), 3);
    plan.arms = 3;
    assert_done(store_write_plan(store, &plan));
    assert_done(store_read_trials(store, &trials, &count));
    assert_int_equal(count, 3);
    memory_free(trials);
    assert_int_equal(ask(store, "SELECT count(*) FROM arms"), 3);
    store_close(store);
}

static void check_trial(const struct stored_trial *trial, int64_t arm, int64_t seed)
{
    struct trial_outcome outcome = filled_outcome(arm, seed);
    assert_int_equal(trial->arm, arm);
    assert_int_equal(trial->seed, seed);
    assert_int_equal(trial->status, outcome.status);
    assert_string_equal(trial->message, outcome.message);
    assert_string_equal(trial->idle, outcome.idle);
    assert_int_equal(trial->fault, outcome.fault);
    assert_int_equal(trial->step, outcome.step);
    assert_string_equal(trial->place, outcome.place);
    assert_int_equal(trial->attempt, arm == 1 && seed == 2001 ? 2 : 1);
    assert_string_equal(trial->aside, "");
    assert_string_equal(trial->source, "");
    assert_true(isnan(outcome.value) ? isnan(trial->value) : trial->value == outcome.value);
    assert_int_equal(trial->cost.updates, outcome.cost.updates);
    assert_true(trial->cost.gradient_rows == outcome.cost.gradient_rows);
    assert_true(trial->cost.forward_rows == outcome.cost.forward_rows);
    assert_true(trial->cost.inference == outcome.cost.inference);
    assert_true(trial->cost.seconds == outcome.cost.seconds);
    assert_true(trial->cost.cpu_seconds == outcome.cost.cpu_seconds);
    assert_int_equal(trial->cost.peak_memory, outcome.cost.peak_memory);
}

/* A trial told what the recipe's trial of another seed tells. */
static void check_told_as(struct store *store, int64_t arm, int64_t seed, int64_t as)
{
    struct trial_outcome outcome = filled_outcome(arm, as);
    struct trial_metric *metric = NULL;
    uint8_t *correct = NULL;
    float *loss = NULL;
    int64_t count = -1;
    assert_done(store_read_metrics(store, arm, seed, &metric, &count));
    assert_int_equal(count, outcome.metrics);
    for (int64_t i = 0; i < count; i++) {
        const struct trial_metric *given = &outcome.metric[i];
        assert_string_equal(metric[i].part, given->part);
        assert_string_equal(metric[i].weights, given->weights);
        assert_string_equal(metric[i].metric, given->metric);
        assert_int_equal(metric[i].update, given->update);
        assert_true(metric[i].epoch == given->epoch);
        assert_true(metric[i].value == given->value);
        assert_int_equal(metric[i].final, given->final);
    }
    memory_free(metric);
    assert_done(store_read_examples(store, arm, seed, &correct, &loss, &count));
    assert_int_equal(count, outcome.examples);
    if (count > 0) assert_memory_equal(correct, outcome.correct, (size_t)count);
    if (count > 0) assert_memory_equal(loss, outcome.loss, 4 * (size_t)count);
    memory_free(correct);
    memory_free(loss);
}

static void check_told(struct store *store, int64_t arm, int64_t seed)
{
    check_told_as(store, arm, seed, seed);
}

static void test_all_comes_back(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct stored_trial *trials = NULL;
    struct stored_measurement *measurements = NULL;
    int64_t count = 0;
    assert_done(filled_store(folder, &store));
    open_again(&store);
    assert_done(store_read_trials(store, &trials, &count));
    assert_int_equal(count, FILLED_ARMS * FILLED_SEEDS);
    for (int64_t i = 0; i < count; i++) {
        check_trial(&trials[i], i % FILLED_ARMS, FILLED_FIRST + i / FILLED_ARMS);
        check_told(store, i % FILLED_ARMS, FILLED_FIRST + i / FILLED_ARMS);
    }
    memory_free(trials);
    assert_done(store_read_measurements(store, &measurements, &count));
    assert_int_equal(count, 2 * FILLED_ARMS);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(measurements[i].arm, i % FILLED_ARMS);
        assert_int_equal(measurements[i].round, i / FILLED_ARMS);
        assert_int_equal(measurements[i].peak_memory, 40 << 20);
    }
    assert_true(measurements[5].cpu_seconds == .004 + .0005);
    memory_free(measurements);
    store_close(store);
}

/* By seed, then arm, whatever the order in which they end. */
static void test_the_order(void **state)
{
    (void)state;
    static const int64_t arm[] = {2, 1, 0, 1}, seed[] = {2001, 2000, 2001, 999};
    struct store *store = NULL;
    struct stored_trial *trials = NULL;
    int64_t count = 0;
    open_with_plan(&store);
    for (int i = 0; i < 4; i++) {
        struct trial_outcome outcome = filled_outcome(0, 2000);
        assert_done(store_add_trial(store, arm[i], seed[i], &outcome));
    }
    assert_done(store_read_trials(store, &trials, &count));
    assert_int_equal(count, 4);
    static const int64_t sorted[] = {999, 2000, 2001, 2001}, sorted_arm[] = {1, 1, 0, 2};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(trials[i].seed, sorted[i]);
        assert_int_equal(trials[i].arm, sorted_arm[i]);
    }
    memory_free(trials);
    store_close(store);
}

/* Numbers that are not, losses without correctness, texts at their limits, quotes. */
static void test_edges(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct trial_metric metric[] = {{"train", "raw", "loss", 1, NAN, INFINITY, false}, {"test", "raw", "loss", 2, DBL_MIN / 2, -0.1, true}},
                        *read = NULL;
    float loss[] = {INFINITY, NAN, -0.0f, 1e-40f}, *loss_read = NULL;
    uint8_t *correct = NULL;
    int64_t count = 0;
    struct stored_trial *trials = NULL;
    struct trial_outcome outcome = {
        .value = 0.1 + 0.2, .metric = metric, .metrics = 2, .loss = loss, .examples = 4, .cost.forward_rows = NAN};
    memset(metric[1].weights, 'w', sizeof metric[1].weights - 1);
    strcpy(outcome.idle, "it's \"idle\"; DROP TABLE trials");
    open_with_plan(&store);
    assert_done(store_add_trial(store, 1, INT64_MAX, &outcome));
    assert_done(store_read_trials(store, &trials, &count));
    assert_int_equal(count, 1);
    assert_int_equal(trials[0].seed, INT64_MAX);
    assert_true(trials[0].value == 0.1 + 0.2);
    assert_true(isnan(trials[0].cost.forward_rows));
    assert_string_equal(trials[0].idle, outcome.idle);
    assert_done(store_read_metrics(store, 1, INT64_MAX, &read, &count));
    assert_int_equal(count, 2);
    assert_true(isnan(read[0].epoch) && isinf(read[0].value));
    assert_string_equal(read[1].weights, metric[1].weights);
    assert_true(read[1].epoch == DBL_MIN / 2);
    assert_done(store_read_examples(store, 1, INT64_MAX, &correct, &loss_read, &count));
    assert_int_equal(count, 4);
    assert_null(correct);
    assert_memory_equal(loss_read, loss, sizeof loss);
    assert_int_equal(ask(store, "SELECT count(*) FROM correctness"), 0);
    assert_int_equal(ask(store, "SELECT hex(loss) = '0000807F' || hex(substr(loss, 5, 4)) || '00000080C2160100' FROM examples"), 1);
    memory_free(trials);
    memory_free(read);
    memory_free(loss_read);
    assert_done(store_read_metrics(store, 0, 2000, &read, &count)); /* no such trial: nothing */
    assert_int_equal(count, 0);
    memory_free(read);
    assert_done(store_read_examples(store, 0, 2000, &correct, &loss_read, &count));
    assert_true(count == 0 && !correct && !loss_read);
    store_close(store);
}

/* Each arm's trials are of the identity that it had when they were added; an identity that comes back is the same row. */
static void test_identities(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct stored_trial *trials = NULL;
    struct stored_identity *list = NULL;
    int64_t count = 0;
    struct plan plan = filled_plan();
    static char changed[] = "{\"code\": \"\xc3\xa9\"}";
    char *const before = plan.arm[1].identity;
    open_with_plan(&store);
    for (int64_t seed = 2000; seed < 2003; seed++) {
        struct trial_outcome outcome = filled_outcome(1, seed);
        plan.arm[1].identity = seed == 2001 ? changed : before;
        assert_done(store_write_plan(store, &plan));
        assert_done(store_add_trial(store, 1, seed, &outcome));
    }
    assert_done(store_read_identities(store, &list, &count));
    assert_int_equal(count, 4);
    for (int64_t i = 0; i < 4; i++) assert_int_equal(list[i].arm, i == 3 ? 1 : i);
    assert_string_equal(list[0].text, plan.arm[0].identity);
    assert_string_equal(list[1].text, before);
    assert_string_equal(list[3].text, changed);
    assert_done(store_read_trials(store, &trials, &count));
    assert_int_equal(count, 3);
    for (int64_t i = 0; i < 3; i++) assert_int_equal(trials[i].identity, list[i == 1 ? 3 : 1].id);
    memory_free(trials);
    memory_free(list);
    plan.arms = 1;
    plan.arm[0].identity = NULL;
    assert_done(store_write_plan(store, &plan));
    assert_done(store_read_identities(store, &list, &count));
    assert_int_equal(count, 4);
    assert_int_equal(list[3].arm, -1);
    memory_free(list);
    assert_int_equal(ask(store, "SELECT identity IS NULL FROM arms WHERE position = 0"), 1);
    store_close(store);
}

/* ---- What was set aside ---- */

static void add_failed(struct store *store, enum trial_fault fault)
{
    struct trial_outcome outcome = {.status = TRIAL_CRASHED, .fault = fault, .value = NAN, .step = -1, .message = "fell", .place = "p"};
    assert_done(store_add_trial(store, 1, 2000, &outcome));
}

static int64_t count_aside(struct store *store, int64_t place, const char *why, int64_t attempt)
{
    struct stored_trial *trials = NULL;
    int64_t count = 0;
    assert_done(store_read_aside(store, &trials, &count));
    if (place < count) {
        const struct stored_trial *trial = &trials[place];
        assert_string_equal(trial->aside, why);
        assert_int_equal(trial->attempt, attempt);
        assert_int_equal(trial->status, TRIAL_CRASHED);
        assert_int_equal(trial->step, -1);
        assert_string_equal(trial->message, "fell");
        assert_string_equal(trial->place, "p");
    }
    memory_free(trials);
    return count;
}

static int64_t attempt_of(struct store *store)
{
    struct stored_trial *trials = NULL;
    int64_t count = 0, attempt = 0;
    assert_done(store_read_trials(store, &trials, &count));
    if (count == 1) attempt = trials[0].attempt;
    memory_free(trials);
    return attempt;
}

static void test_aside(void **state)
{
    (void)state;
    struct store *store = NULL;
    int64_t count = -1;
    open_with_plan(&store);
    assert_failure(store_set_aside(store, 1, 2000, "unclear"), KNACK_E_CALL,
                   told("%s/knack.db: arm \"mixup\" has no trial of seed 2000", folder));
    add_failed(store, FAULT_UNCLEAR);
    assert_int_equal(attempt_of(store), 1);
    assert_done(store_set_aside(store, 1, 2000, "unclear"));
    assert_int_equal(attempt_of(store), 0); /* it does not count */
    assert_int_equal(ask(store, "SELECT count(*) FROM results"), 0);
    assert_int_equal(count_aside(store, 0, "unclear", 1), 1);
    add_failed(store, FAULT_OWN);
    assert_int_equal(attempt_of(store), 2);
    assert_done(store_set_aside_arm(store, 1, "again", false, &count));
    assert_int_equal(count, 1);
    assert_int_equal(count_aside(store, 1, "again", 2), 2);
    struct trial_outcome outcome = filled_outcome(1, 2000);
    assert_done(store_add_trial(store, 1, 2000, &outcome));
    assert_int_equal(attempt_of(store), 1); /* another beginning */
    check_told(store, 1, 2000);
    assert_done(store_set_aside_arm(store, 1, "retry-failed", true, &count));
    assert_int_equal(count, 0); /* it is done */
    assert_done(store_set_aside_arm(store, 0, "again", false, &count));
    assert_int_equal(count, 0); /* another arm's */
    assert_int_equal(ask(store, "SELECT count(*) FROM finals"), 1);
    assert_done(store_set_aside(store, 1, 2000, "again"));
    static const char *const view[] = {"results", "curves", "finals", "correctness"};
    for (int i = 0; i < 4; i++) assert_int_equal(ask(store, told("SELECT count(*) FROM %s", view[i])), 0);
    assert_int_equal(ask(store, "SELECT count(*) FROM trials"), 3);
    store_close(store);
    assert_done(store_open(folder, false, &store));
    assert_failure(store_set_aside(store, 1, 2000, "again"), KNACK_E_CALL, told("%s/knack.db: was opened for reading only", folder));
    assert_failure(store_set_aside_arm(store, 1, "again", true, &count), KNACK_E_CALL,
                   told("%s/knack.db: was opened for reading only", folder));
    store_close(store);
}

static void test_warnings(void **state)
{
    (void)state;
    static char first[] = "a: one\nb: it's \"two\"", second[] = "b: it's \"two\"", third[] = "c: three\n";
    char *const lines[] = {first, second, NULL, third, third};
    static const int64_t arm[] = {1, 1, 1, 0, 2};
    struct store *store = NULL;
    struct stored_warning *warnings = NULL;
    int64_t count = 0;
    open_with_plan(&store);
    for (int i = 0; i < 5; i++) {
        struct trial_outcome outcome = filled_outcome(0, 2000);
        outcome.warnings = lines[i];
        assert_done(store_add_trial(store, arm[i], 2000 + i, &outcome));
    }
    assert_done(store_set_aside(store, 2, 2004, "machine"));
    assert_done(store_read_warnings(store, &warnings, &count));
    assert_int_equal(count, 3);
    static const struct stored_warning expected[] = {{0, 1, "c: three"}, {1, 1, "a: one"}, {1, 2, "b: it's \"two\""}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(warnings[i].arm, expected[i].arm);
        assert_int_equal(warnings[i].trials, expected[i].trials);
        assert_string_equal(warnings[i].text, expected[i].text);
    }
    memory_free(warnings);
    store_close(store);
}

/* ---- Copies ---- */

static void test_copies(void **state)
{
    (void)state;
    struct store *store = NULL, *other = NULL;
    struct stored_trial *trials = NULL;
    int64_t count = 0;
    char below[64];
    snprintf(below, sizeof below, "%s/other", folder);
    open_with_plan(&store);
    assert_done(filled_store(below, &other));
    store_close(other);
    assert_done(store_open(below, false, &other));
    assert_failure(store_copy_trial(store, 2, other, 2, 2004, below), KNACK_E_CALL, /* it failed */
                   told("%s/knack.db: arm \"sam\" has no trial of seed 2004 that is done", below));
    assert_failure(store_copy_trial(store, 2, other, 7, 2000, below), KNACK_E_CALL, told("%s/knack.db: the plan has no arm 7", below));
    assert_failure(store_copy_trial(store, 7, other, 1, 2000, below), KNACK_E_CALL, told("%s/knack.db: the plan has no arm 7", folder));
    assert_done(store_copy_trial(store, 1, other, 1, 2001, below));
    assert_failure(store_copy_trial(store, 1, other, 1, 2001, below), KNACK_E_CALL,
                   told("%s/knack.db: duplicate replicate: arm \"mixup\" has a trial of seed 2001 already", folder));
    assert_done(store_copy_trial(store, 2, other, 0, 2003, below));
    store_close(other);
    assert_done(store_read_trials(store, &trials, &count));
    assert_int_equal(count, 2);
    assert_string_equal(trials[0].source, below);
    assert_int_equal(trials[0].identity, 2); /* of the arm here */
    trials[0].source[0] = '\0';
    trials[0].attempt = 2;
    check_trial(&trials[0], 1, 2001);
    assert_true(trials[1].value == filled_outcome(0, 2003).value);
    memory_free(trials);
    check_told(store, 1, 2001);
    store_close(store);
}

/* A source that cannot be read to its end leaves nothing. */
static void test_a_broken_copy(void **state)
{
    (void)state;
    struct store *store = NULL, *other = NULL;
    char below[64];
    snprintf(below, sizeof below, "%s/other", folder);
    open_with_plan(&store);
    assert_done(filled_store(below, &other));
    run_sql(other, "DROP VIEW correctness; DROP TABLE examples");
    assert_failure(store_copy_trial(store, 1, other, 1, 2000, below), KNACK_E_IO,
                   told("%s/knack.db: cannot read a trial: no such table: examples", below));
    assert_int_equal(ask(store, "SELECT count(*) FROM trials"), 0);
    assert_int_equal(ask(store, "SELECT count(*) FROM metrics"), 0);
    store_close(other);
    store_close(store);
}

/* ---- Many trials ---- */

/* What SQLite did since it was asked last, in its machine's steps. */
static int64_t count_steps(struct store *store)
{
    int64_t steps = 0;
    for (sqlite3_stmt *s = sqlite3_next_stmt(store->sql.file, NULL); s; s = sqlite3_next_stmt(store->sql.file, s))
        steps += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, 1);
    return steps;
}

/* The thousandth trial costs what the tenth did, to add, to set aside and to read what it told. */
static void test_many_trials(void **state)
{
    (void)state;
    struct store *store = NULL;
    int64_t tenth = 0, last = 0;
    open_with_plan(&store);
    for (int64_t i = 0; i < 1000; i++) {
        int64_t arm = i % FILLED_ARMS, seed = 2000 + i / FILLED_ARMS;
        struct trial_outcome outcome = filled_outcome(arm, 2000);
        if (i == 10 || i == 999) count_steps(store);
        assert_done(store_add_trial(store, arm, seed, &outcome));
        if (i == 10 || i == 999) {
            check_told_as(store, arm, seed, 2000);
            assert_done(store_set_aside(store, arm, seed, "unclear"));
            *(i == 10 ? &tenth : &last) = count_steps(store);
        }
    }
    assert_true(tenth > 0);
    assert_in_range(last, tenth / 2, tenth + tenth / 4);
    store_close(store);
}

static void test_views(void **state)
{
    (void)state;
    struct store *store = NULL;
    assert_done(filled_store(folder, &store));
    int trained = FILLED_ARMS * FILLED_SEEDS - 1;
    assert_int_equal(ask(store, "SELECT count(*) FROM results"), trained + 1);
    assert_int_equal(ask(store, "SELECT count(*) FROM results WHERE value IS NULL AND status = 'not finite'"), 1);
    assert_int_equal(ask(store, "SELECT count(*) FROM curves"), trained * (FILLED_METRICS - 1));
    assert_int_equal(ask(store, "SELECT count(*) FROM finals"), trained);
    assert_int_equal(ask(store, "SELECT count(*) FROM correctness"), trained * FILLED_EXAMPLES);
    for (int64_t arm = 0; arm < FILLED_ARMS; arm++)
        for (int example = 0; example < FILLED_EXAMPLES; example++) {
            struct trial_outcome outcome = filled_outcome(arm, 2001);
            char text[256];
            snprintf(text, sizeof text, "SELECT correct FROM correctness WHERE arm = '%s' AND seed = 2001 AND example = %d",
                     filled_plan().arm[arm].name, example);
            assert_int_equal(ask(store, text), outcome.correct[example]);
        }
    store_close(store);
}

/* ---- What is refused ---- */

static void test_refusals(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct trial_outcome outcome = filled_outcome(1, 2000);
    struct stored_measurement measurement = {.arm = 5};
    open_with_plan(&store);
    assert_done(store_add_trial(store, 1, 2000, &outcome));
    assert_failure(store_add_trial(store, 1, 2000, &outcome), KNACK_E_CALL,
                   told("%s/knack.db: duplicate replicate: arm \"mixup\" has a trial of seed 2000 already", folder));
    assert_failure(store_add_trial(store, 3, 2000, &outcome), KNACK_E_CALL, told("%s/knack.db: the plan has no arm 3", folder));
    assert_failure(store_add_measurement(store, &measurement), KNACK_E_CALL, told("%s/knack.db: the plan has no arm 5", folder));
    assert_int_equal(ask(store, "SELECT count(*) FROM trials"), 1);
    outcome = filled_outcome(0, 2000);
    assert_done(store_add_trial(store, 0, 2000, &outcome));
    store_close(store);
}

static void test_damage(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct stored_trial *trials = NULL;
    uint8_t *correct = NULL;
    float *loss = NULL;
    int64_t count = 0;
    assert_done(filled_store(folder, &store));
    run_sql(store, "UPDATE trials SET status = 'fine' WHERE id = 4");
    assert_failure(store_read_trials(store, &trials, &count), KNACK_E_IO,
                   told("%s/knack.db: cannot read the trials: status is \"fine\", which knack does not know", folder));
    assert_null(trials);
    run_sql(store, "UPDATE examples SET loss = x'00000000' WHERE trial = 2");
    assert_failure(store_read_examples(store, 0, 2000, &correct, &loss, &count), KNACK_E_IO,
                   told("%s/knack.db: a trial's examples have 4 bytes of \"loss\" instead of 24: the file is damaged", folder));
    assert_true(!correct && !loss && count == 0);
    run_sql(store, "DROP VIEW curves; DROP TABLE measurements");
    struct stored_measurement measurement = {0};
    assert_failure(store_add_measurement(store, &measurement), KNACK_E_IO,
                   told("%s/knack.db: cannot add a measurement: no such table: measurements", folder));
    store_close(store);
}

/* ---- Failures and kills ---- */

/* A trial whose examples no longer fit leaves nothing of itself; what was kept stays, and with room it goes on. */
static void test_a_full_disk(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    struct store *store = NULL;
    static uint8_t correct[MANY];
    struct trial_outcome outcome = filled_outcome(0, 2000), large = outcome;
    large.correct = correct;
    large.loss = NULL;
    large.examples = MANY;
    open_with_plan(&store);
    assert_done(store_add_trial(store, 0, 2000, &outcome));
    run_sql(store, "PRAGMA max_page_count = 30");
    assert_failure(
        store_add_trial(store, 1, 2000, &large), KNACK_E_IO,
        told("%s/knack.db: cannot add a trial's examples: database or disk is full; make room and run it again: what is there is "
             "kept",
             folder));
    assert_int_equal(ask(store, "SELECT count(*) FROM trials"), 1);
    assert_int_equal(ask(store, "SELECT count(*) FROM metrics"), FILLED_METRICS);
    check_told(store, 0, 2000);
    run_sql(store, "PRAGMA max_page_count = 100000");
    assert_done(store_add_trial(store, 1, 2000, &large));
    store_close(store);
}

/* Writes trials without end, and says after each that it was kept. */
static void write_until_killed(int acknowledge)
{
    struct store *store = NULL;
    if (store_open(folder, true, &store) < 0) _exit(1);
    for (int64_t seed = 2000;; seed++)
        for (int64_t arm = 0; arm < FILLED_ARMS; arm++) {
            struct trial_outcome outcome = filled_outcome(arm, 2000 + seed % 4);
            if (store_add_trial(store, arm, seed, &outcome) < 0) _exit(1);
            if (write(acknowledge, ".", 1) != 1) _exit(1);
        }
}

/* How many trials were acknowledged by a process that was killed after some of them. */
static int64_t write_and_kill(int64_t least, useconds_t longer)
{
    int pipes[2];
    char bytes[4096];
    int64_t acknowledged = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) write_until_killed(pipes[1]);
    close(pipes[1]);
    while (acknowledged < least) {
        ssize_t got = read(pipes[0], bytes, sizeof bytes);
        assert_true(got > 0);
        acknowledged += got;
    }
    usleep(longer);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    for (ssize_t got; (got = read(pipes[0], bytes, sizeof bytes)) > 0;) acknowledged += got;
    close(pipes[0]);
    return acknowledged;
}

static void test_kills(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        struct store *store = NULL;
        struct stored_trial *trials = NULL;
        int64_t count = 0;
        tear_down(state);
        set_up(state);
        open_with_plan(&store);
        store_close(store);
        int64_t acknowledged = write_and_kill(1 + 20 * round, (useconds_t)(137 * round));
        assert_done(store_open(folder, round % 2, &store)); /* a reader can be the first, too */
        assert_done(store_read_trials(store, &trials, &count));
        assert_in_range(count, acknowledged, acknowledged + 1); /* the last may have been kept, but not said */
        for (int64_t i = 0; i < count; i++) {
            assert_int_equal(trials[i].seed, 2000 + i / FILLED_ARMS);
            check_told_as(store, i % FILLED_ARMS, trials[i].seed, 2000 + trials[i].seed % 4);
        }
        memory_free(trials);
        char answer[32];
        assert_done(sql_ask_text(&store->sql, "PRAGMA integrity_check", "check it", answer, sizeof answer));
        assert_string_equal(answer, "ok");
        assert_int_equal(ask(store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
        store_close(store);
    }
}

/* Every allocation of ours failing in turn leaves neither a part of a trial nor a leak. */
static void test_without_memory(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct plan plan = filled_plan();
    assert_done(filled_store(folder, &store));
    bool done = false;
    for (int64_t nth = 1; nth < 1000 && !done; nth++) {
        struct trial_outcome outcome = filled_outcome(0, 2000);
        struct stored_trial *trials = NULL, *aside = NULL;
        struct stored_warning *warnings = NULL;
        struct stored_identity *identities = NULL;
        struct trial_metric *metric = NULL;
        uint8_t *correct = NULL;
        float *loss = NULL;
        int64_t count = 0;
        memory_fail_at(nth);
        knack_status status = store_write_plan(store, &plan);
        if (status >= 0) status = store_add_trial(store, 0, 3000 + nth, &outcome);
        if (status >= 0) status = store_read_trials(store, &trials, &count);
        if (status >= 0) status = store_read_metrics(store, 0, 2000, &metric, &count);
        if (status >= 0) status = store_read_examples(store, 0, 2000, &correct, &loss, &count);
        if (status >= 0) status = store_read_warnings(store, &warnings, &count);
        if (status >= 0) status = store_read_identities(store, &identities, &count);
        if (status >= 0) status = store_read_aside(store, &aside, &count);
        memory_fail_at(0);
        done = status >= 0;
        if (!done) assert_int_equal(status, KNACK_E_MEMORY);
        memory_free(trials);
        memory_free(aside);
        memory_free(warnings);
        memory_free(identities);
        memory_free(metric);
        memory_free(correct);
        memory_free(loss);
    }
    assert_true(done);
    assert_int_equal(ask(store, "SELECT count(*) FROM trials t WHERE NOT EXISTS (SELECT 1 FROM examples WHERE trial = t.id)"), 2);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_plan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_arms_that_move, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_edges, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_identities, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_aside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_warnings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_copies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_broken_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_trials, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_views, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kills, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("trials in the store", tests, NULL, NULL);
}
