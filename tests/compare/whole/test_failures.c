/* Trials that end badly cost themselves only; what makes a comparison senseless ends it. */
#include "whole.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED false
#endif

#define MISHAP(more) "{\"name\": \"mishap\", " more "}"

/* "crashed", "message" of the arm's trial of this seed */
static void assert_trial(const char *out, const char *arm, int seed, const char *status, const char *message)
{
    char *text = whole_trials(out, arm), start[64];
    snprintf(start, sizeof start, "%s %d %s ", arm, seed, status);
    char *line = strstr(text, start), *end = line ? strchr(line, '\n') : NULL, *found = line ? strstr(line, message) : NULL;
    if (!found || found > end) fail_msg("no \"%s... %s\" in:\n%s", start, message, text);
    free(text);
}

/* Of how many of three seeds a failure was told: of the first that ended, whichever that is. */
static int seeds_told(const char *arm, const char *failure)
{
    int told = 0;
    for (int seed = 2000; seed < 2003; seed++) {
        char text[256];
        snprintf(text, sizeof text, "%s, seed %d: %s", arm, seed, failure);
        told += whole_warned(text);
    }
    return told;
}

static void every_kind_of_failure_is_kept_and_the_others_go_on(void **state)
{
    (void)state;
    whole_forget();
    const struct asked asked = {.tricks = MISHAP("\"as\": \"crash\", \"what\": \"signal\", \"at\": 7") "," //
                                MISHAP("\"as\": \"leave\", \"what\": \"exit\", \"at\": 7") ","             //
                                MISHAP("\"as\": \"nan\", \"what\": \"nan\", \"at\": 7") ","                //
                                MISHAP("\"as\": \"fail\", \"what\": \"fail\", \"at\": 7") ",mixup",
                                .seeds = 3};
    whole_run(&asked);
    for (int seed = 2000; seed < 2003; seed++) {
        assert_trial("out", "crash", seed, "crashed",
                     "signal 11 (Segmentation fault) ended its process, in trick \"crash\", hook pre_step, at step 8");
        assert_trial("out", "leave", seed, "crashed",
                     "its process ended by itself, with exit status 3, in trick \"leave\", hook pre_step, at step 8");
        assert_trial("out", "nan", seed, "not finite", "not finite");
        assert_trial("out", "fail", seed, "error", "it was told to fail");
        assert_trial("out", "mixup", seed, "done", "");
        assert_trial("out", "baseline", seed, "done", "");
    }
    assert_int_equal(seeds_told("crash", "crashed: signal 11 (Segmentation fault) ended its process"), 1);
    assert_int_equal(seeds_told("nan", "not finite"), 1);
    whole_run(&asked); /* not tried again */
    assert_false(whole_warned("crashed"));
    assert_int_equal(whole_count("out", NULL), 18);
    struct analysis *analysis = whole_analysis("out");
    const struct contrast_result *result = whole_contrast(analysis, "crash");
    assert_int_equal(result->estimate.n, 3);
    assert_int_equal(result->failed, 3);
    assert_true(fabs(result->arm_mean - .1) < 1e-12); /* they count as guessing */
    analysis_free(analysis);
}

static void what_hangs_is_ended(void **state)
{
    (void)state;
    whole_run(&(struct asked){.tricks = MISHAP("\"what\": \"hang\", \"at\": 7, \"chance\": 0.5"), .seeds = 4, .out = "hang", .timeout = 1});
    char *text = whole_trials("hang", "mishap");
    assert_non_null(strstr(text, "timed out"));
    assert_non_null(
        strstr(text, "was ended after 5 s by the clock: it took longer than it may, in trick \"mishap\", hook pre_step, at step 8"));
    assert_non_null(strstr(text, " done "));
    assert_int_equal(whole_count("hang", NULL), 8);
    free(text);
}

/* In the calibration too: an arm that spins is not measured, and the others have their measurements, trials and verdicts. */
static void what_spins_holds_up_only_itself(void **state)
{
    (void)state;
    struct stored_measurement *measurement;
    int64_t count, measured = 0;
    whole_run(&(struct asked){
        .tricks = MISHAP("\"as\": \"spins\", \"what\": \"spin\", \"at\": 2") ",mixup,sam", .seeds = 3, .out = "spins", .timeout = .7});
    for (int seed = 2000; seed < 2003; seed++) {
        assert_trial("spins", "spins", seed, "timed out", "was ended after 0.7 s of CPU time");
        assert_trial("spins", "mixup", seed, "done", "");
        assert_trial("spins", "sam", seed, "done", "");
    }
    struct analysis *analysis = whole_analysis("spins");
    assert_false(isnan(whole_contrast(analysis, "mixup")->estimate.p));
    assert_string_not_equal(whole_contrast(analysis, "mixup")->verdict.word, "NOT FINISHED");
    assert_int_equal(whole_contrast(analysis, "spins")->failed, 3);
    analysis_free(analysis);
    struct store *store = whole_store("spins");
    assert_int_equal(store_read_measurements(store, &measurement, &count), KNACK_OK);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(measurement[i].cpu_seconds > 0, measurement[i].arm != 1);
        measured += measurement[i].arm == 2;
    }
    assert_true(measured >= 5);
    memory_free(measurement);
    store_close(store);
}

static void a_score_of_ones_own_for_what_fails(void **state)
{
    (void)state;
    whole_run(&(struct asked){.tricks = MISHAP("\"what\": \"fail\""), .seeds = 3, .out = "score", .failed_score = .05});
    struct analysis *analysis = whole_analysis("score");
    assert_true(fabs(whole_contrast(analysis, "mishap")->arm_mean - .05) < 1e-12);
    analysis_free(analysis);
    whole_run(&(struct asked){.tricks = MISHAP("\"what\": \"fail\""), .seeds = 3, .out = "loss", .metric = "test.loss"});
    analysis = whole_analysis("loss");
    assert_true(fabs(analysis->plan->failed_score - log(10)) < 1); /* what the untrained model has */
    assert_true(fabs(whole_contrast(analysis, "mishap")->arm_mean - analysis->plan->failed_score) < 1e-12);
    analysis_free(analysis);
    const char *config = whole_write("eights.json", "{'data': {'limit': 100, 'positive': [8]}, 'train': {'epochs': 1, 'batch': 20}}");
    whole_run(&(struct asked){.config = config, .tricks = MISHAP("\"what\": \"fail\""), .seeds = 1, .out = "auprc", .metric = "auprc"});
    analysis = whole_analysis("auprc");
    double eights = 360 * analysis->plan->failed_score; /* of the 360 test examples */
    assert_true(eights > 25 && eights < 45 && fabs(eights - rint(eights)) < 1e-9);
    analysis_free(analysis);
}

static void nothing_that_trains_is_told_after_the_first_seed(void **state)
{
    (void)state;
    const char *config = whole_write("broken.json", "{'data': {'limit': 100}, 'train': {'epochs': 1, 'batch': 20}, "
                                                    "'plugins': [{'name': 'mishap', 'as': 'fault', 'what': 'fail'}]}");
    for (int again = 0; again < 2; again++) {
        whole_expect(&(struct asked){.config = config, .tricks = "mixup", .seeds = 5, .jobs = 1, .out = "broken"}, KNACK_E_PLUGIN,
                     "every trial of the first seed (2000) failed, the baseline's too: error: ", "it was told to fail",
                     "They are kept; compare what trains, into another folder (--out), or make them anew (--retry-failed)", NULL);
        assert_int_equal(whole_count("broken", NULL), 2);
    }
}

/* A trick that never acted in any of its first seeds ends its own arm; one that acts late, or rarely, does not. */
static void a_trick_that_never_acts_ends_its_arm(void **state)
{
    (void)state;
    whole_run(&(struct asked){.tricks = "mixup," MISHAP("\"what\": \"idle\""), .seeds = 5, .out = "idle"});
    assert_int_equal(whole_count("idle", "mishap"), 3);
    assert_int_equal(whole_count("idle", "mixup"), 5);
    assert_true(whole_warned("mishap: its trick \"mishap\" never acted in 3 seeds"));
    struct analysis *analysis = whole_analysis("idle");
    assert_int_equal(whole_contrast(analysis, "mishap")->verdict.kind, VERDICT_IDENTICAL);
    assert_int_equal(whole_contrast(analysis, "mixup")->estimate.n, 5);
    analysis_free(analysis);
}

/* What a signal ended is made again, alone, once; so is what ends alike data, and what does not is no failure. Neither is what somebody
 * killed. */
static void a_crash_by_chance_is_no_failure(void **state)
{
    (void)state;
    static const int signals[] = {SIGSEGV, SIGKILL};
    for (int i = 0; i < 2; i++) {
        const char *mark = whole_path(i ? "mark9" : "mark");
        char trick[512], said[64], out[16];
        remove(mark);
        snprintf(trick, sizeof trick, MISHAP("\"as\": \"once\", \"what\": \"once\", \"signal\": %d, \"mark\": \"%s\"") ",mixup", signals[i],
                 mark);
        snprintf(out, sizeof out, "once%d", i);
        whole_run(&(struct asked){.tricks = trick, .seeds = 2, .out = out});
        char *text = whole_trials(out, "once");
        assert_null(strstr(text, "crashed"));
        assert_int_equal(whole_count(out, "once"), 2);
        assert_int_equal(whole_count(out, NULL), 6);
        free(text);
        snprintf(said, sizeof said, ": crashed: signal %d", signals[i]);
        assert_true(whole_warned(said) && whole_warned("It is made again, alone"));
    }
}

/* Where memory is short only the arm that needs it waits; once there is enough the same command makes its trials. */
static void without_room_an_arm_waits(void **state)
{
    (void)state;
    struct rlimit limit, few;
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (SANITIZED) skip();
    assert_true(file && fscanf(file, "%ld", &pages) == 1 && fclose(file) == 0);
    assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
    const char *config = whole_write("room.json", "{'base': {'data': {'limit': 1000}, 'train': {'epochs': 1, 'batch': 1000}}, 'arms': {"
                                                  "'small': {'set': {'train.batch': 500}}, 'wide': {'set': {'model.hidden': [20000]}}}}");
    const struct asked asked = {.config = config, .seeds = 2, .jobs = 1, .out = "room"};
    few = limit;
    few.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)150 << 20);
    assert_int_equal(setrlimit(RLIMIT_AS, &few), 0);
    knack_status status = whole_status(&asked);
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
    if (status < 0) fail_msg("%s", knack_error());
    if (!whole_waiting()) fail_msg("nothing waits:\n%s", whole_trials("room", NULL));
    assert_non_null(strstr(whole_waiting(), "trials of wide could not be made, by no fault of their own"));
    assert_int_equal(whole_count("room", "wide"), 0);
    assert_int_equal(whole_count("room", "small"), 2);
    whole_run(&asked);
    assert_null(whole_waiting());
    assert_trial("room", "wide", 2000, "done", "");
    assert_trial("room", "wide", 2001, "done", "");
}

/* A machine's trouble is never data: the arm waits, the others have their verdicts, and the same command goes on. */
static void what_the_machine_does_is_waited_for(void **state)
{
    (void)state;
    const char *mark = whole_path("gone");
    char trick[512];
    snprintf(trick, sizeof trick, MISHAP("\"as\": \"killed\", \"what\": \"signal\", \"signal\": 9, \"at\": 7, \"mark\": \"%s\"") ",mixup",
             mark);
    remove(mark);
    const struct asked asked = {.tricks = trick, .seeds = 3, .out = "waits"};
    whole_run(&asked);
    assert_non_null(whole_waiting());
    assert_non_null(strstr(whole_waiting(), "trials of killed could not be made, by no fault of their own"));
    struct analysis *analysis = whole_analysis("waits");
    assert_true(whole_contrast(analysis, "killed")->waits);
    assert_string_equal(whole_contrast(analysis, "killed")->verdict.word, "WAITS");
    assert_int_equal(whole_contrast(analysis, "mixup")->estimate.n, 3);
    assert_false(isnan(whole_contrast(analysis, "mixup")->estimate.p));
    analysis_free(analysis);
    assert_int_equal(file_write(mark, "", 0), KNACK_OK); /* the trouble is over */
    whole_run(&asked);
    assert_null(whole_waiting());
    assert_int_equal(whole_count("waits", "killed"), 3);
}

/* Failed trials are made anew when somebody asks for it, and the plan says so. */
static void failed_trials_are_made_anew_if_asked(void **state)
{
    (void)state;
    struct asked asked = {.tricks = MISHAP("\"what\": \"fail\"") ",mixup", .seeds = 2, .out = "retried"};
    whole_run(&asked);
    asked.retry_failed = true;
    whole_run(&asked);
    struct analysis *analysis = whole_analysis("retried");
    assert_int_equal(analysis->plan->retried, 2);
    analysis_free(analysis);
    assert_int_equal(whole_count("retried", "mishap"), 2);
}

static void an_interrupt_at_once_leaves_nothing_half(void **state)
{
    (void)state;
    whole_expect(&(struct asked){.tricks = "mixup", .seeds = 2, .out = "early", .interrupt_after = -1}, KNACK_E_INTERRUPTED,
                 "interrupted before any trial", NULL);
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 2, .out = "early"});
    assert_int_equal(whole_count("early", NULL), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_failure_is_kept_and_the_others_go_on),
        cmocka_unit_test(what_hangs_is_ended),
        cmocka_unit_test(what_spins_holds_up_only_itself),
        cmocka_unit_test(a_score_of_ones_own_for_what_fails),
        cmocka_unit_test(nothing_that_trains_is_told_after_the_first_seed),
        cmocka_unit_test(a_trick_that_never_acts_ends_its_arm),
        cmocka_unit_test(a_crash_by_chance_is_no_failure),
        cmocka_unit_test(without_room_an_arm_waits),
        cmocka_unit_test(what_the_machine_does_is_waited_for),
        cmocka_unit_test(failed_trials_are_made_anew_if_asked),
        cmocka_unit_test(an_interrupt_at_once_leaves_nothing_half),
    };
    return cmocka_run_group_tests(tests, whole_set_up, whole_tear_down);
}
