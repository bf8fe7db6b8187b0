/* What a comparison would take, told before it is begun, without a trace. */
#include "whole.h"

#include <ftw.h>
#include <sys/stat.h>

#include "base/file.h"
#include "compare/forecast.h"
#include "compare/store/ledger.h"

static void forecast(const struct asked *asked, int64_t pilot, struct forecast *forecast)
{
    if (whole_forecast(asked, pilot, forecast) < 0) fail_msg("%s", knack_error());
    assert_true(forecast->seconds > 0 && forecast->bytes > 1000 && forecast->seconds_most >= forecast->seconds);
}

static int64_t entered(void)
{
    struct ledger *ledger;
    assert_int_equal(ledger_read(&ledger), KNACK_OK);
    int64_t count = ledger->entries;
    ledger_free(ledger);
    return count;
}

static void all_is_to_be_made(void **state)
{
    (void)state;
    struct forecast f;
    setenv("TMPDIR", whole_path("."), 1);
    forecast(&(struct asked){.tricks = "mixup,sam", .seeds = 4, .converge = true, .out = "new"}, 0, &f);
    assert_int_equal(f.plan->arms, 4);
    assert_int_equal(f.planned, 16);
    assert_int_equal(f.most, 16);
    assert_int_equal(f.done, 0);
    assert_int_equal(f.pilot, 0);
    forecast_free(&f);
    assert_false(file_exists(whole_path("new")));
    assert_int_equal(entered(), 0);
}

/* A longer baseline is foreseen by what updates were measured to take. */
static void equal_cost_is_foreseen(void **state)
{
    (void)state;
    struct forecast f;
    forecast(&(struct asked){.tricks = "{\"name\": \"rerun\", \"keep\": [0, 0, 0, 0, 1], \"weight\": [1, 0, 0, 0, 0]}",
                             .seeds = 4,
                             .equal_cost = true,
                             .out = "new"},
             0, &f);
    assert_true(f.plan->arms > 2 && f.plan->arm[2].budget > 1);
    assert_int_equal(f.arm[2].planned, 4);
    assert_true(f.arm[2].seconds > f.arm[0].seconds);
    forecast_free(&f);
}

static void results_decide_how_many(void **state)
{
    (void)state;
    struct forecast f;
    forecast(&(struct asked){.tricks = "mixup", .adaptive = true, .out = "new"}, 0, &f);
    assert_int_equal(f.planned, 12);
    assert_int_equal(f.most, 40);
    forecast_free(&f);
    forecast(&(struct asked){.tricks = "mixup,ema,swa,sam", .design = "screen", .seeds = 3, .out = "new"}, 0, &f);
    assert_int_equal(f.planned, 5);
    assert_int_equal(f.most, 16); /* 12 trials of tricks in rounds of 1 and 3 seeds, and the baseline's */
    forecast_free(&f);
}

/* What is there is counted, and stays as it is. */
static void what_a_folder_holds_is_reused(void **state)
{
    (void)state;
    struct forecast f;
    struct stat before, after;
    whole_run(&(struct asked){.tricks = "mixup", .seeds = 3, .out = "kept"});
    assert_int_equal(stat(whole_path("kept/knack.db"), &before), 0);
    int64_t entries = entered();
    forecast(&(struct asked){.tricks = "mixup,ema", .seeds = 5, .margin = .02, .out = "kept"}, 0, &f);
    assert_int_equal(f.planned, 15);
    assert_int_equal(f.done, 6);
    assert_int_equal(f.pilot, 3);
    assert_false(f.on_tuning_seeds);
    assert_true(f.contrast[0].needed >= 3 && f.contrast[0].detectable > 0);
    assert_int_equal(f.contrast[1].needed, 0);
    forecast_free(&f);
    forecast(&(struct asked){.config = whole_path("kept"), .seeds = 4}, 0, &f);
    assert_int_equal(f.planned - f.done, 2);
    forecast_free(&f);
    assert_int_equal(stat(whole_path("kept/knack.db"), &after), 0);
    assert_true(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec && before.st_size == after.st_size);
    forecast(&(struct asked){.tricks = "swa", .seeds = 5, .cache = true, .out = "new"}, 0, &f);
    assert_int_equal(f.taken, 3);
    assert_int_equal(f.done, 3);
    forecast_free(&f);
    assert_int_equal(entered(), entries);
}

/* A pilot trains on seeds of its own, so that those that will judge are not read. */
static void a_pilot_tells_the_seeds_for_the_margin(void **state)
{
    (void)state;
    struct forecast f;
    double first;
    for (int i = 0; i < 2; i++) {
        forecast(&(struct asked){.tricks = "mixup,sam", .seeds = 4, .margin = i ? .01 : .02, .out = "new"}, 3, &f);
        assert_int_equal(f.pilot, 3);
        assert_true(f.on_tuning_seeds);
        assert_int_equal(f.plan->first_seed, 2000);
        assert_int_equal(f.done, 0);
        if (i == 0) first = (double)f.contrast[0].needed;
        if (i == 1) assert_true((double)f.contrast[0].needed > first);
        forecast_free(&f);
    }
    assert_false(file_exists(whole_path("new")));
}

static void what_is_refused_is_refused_here_too(void **state)
{
    (void)state;
    struct forecast f;
    assert_int_equal(whole_forecast(&(struct asked){.tricks = "mixdown", .out = "new"}, 0, &f), KNACK_E_PLUGIN);
    forecast_free(&f);
    assert_int_equal(whole_forecast(&(struct asked){.tricks = "mixup", .out = "new", .interrupt_after = -1}, 0, &f), KNACK_E_INTERRUPTED);
    forecast_free(&f);
}

/* With every allocation failing in turn, too. */
static void without_memory_there_is_no_forecast(void **state)
{
    (void)state;
    knack_status status = KNACK_E_MEMORY;
    for (int64_t nth = 1; status == KNACK_E_MEMORY; nth += 1 + nth / 12) {
        struct forecast f;
        const struct asked asked = {.config = whole_config(), .tricks = "mixup", .seeds = 4, .jobs = 1, .out = "kept"};
        memory_fail_at(nth);
        status = whole_forecast(&asked, 0, &f);
        memory_fail_at(0);
        if (status < 0 && status != KNACK_E_MEMORY) fail_msg("allocation %d: %s", (int)nth, knack_error());
        forecast_free(&f);
    }
}

static int64_t scratches;
static int count_scratch(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info, (void)type;
    scratches += place->level > 0 && strstr(path, "/knack-dry-") != NULL;
    return 0;
}

static void nothing_stays(void **state)
{
    (void)state;
    assert_int_equal(nftw(whole_path("."), count_scratch, 16, FTW_PHYS), 0);
    assert_int_equal(scratches, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_to_be_made),
        cmocka_unit_test(equal_cost_is_foreseen),
        cmocka_unit_test(results_decide_how_many),
        cmocka_unit_test(what_a_folder_holds_is_reused),
        cmocka_unit_test(a_pilot_tells_the_seeds_for_the_margin),
        cmocka_unit_test(what_is_refused_is_refused_here_too),
        cmocka_unit_test(without_memory_there_is_no_forecast),
        cmocka_unit_test(nothing_stays),
    };
    return cmocka_run_group_tests(tests, whole_set_up, whole_tear_down);
}
