/* Schedules against torch.optim.lr_scheduler, and their warm-up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "train/schedule.h"
#include "vectors/optimizers.h"

static void check(const struct schedule_settings *settings, int64_t epochs, const double *expected)
{
    for (int64_t update = 0; update < SCHEDULE_UPDATES; update++)
        assert_true(fabs(schedule_lr(settings, 1, update, epochs > 1 ? 4 : 21, epochs) - expected[update]) < 1e-14);
}

/* 20 updates, in 5 epochs of 4; one-cycle 21 in one. */
static void equal_pytorch(void **state)
{
    (void)state;
    struct json_duration milestones[] = {{0.5, DURATION_RUN}, {15, DURATION_UPDATES}};
    check(&(struct schedule_settings){.type = SCHEDULE_COSINE, .final = 0.1}, 5, cosine_rates);
    check(&(struct schedule_settings){.type = SCHEDULE_LINEAR, .final = 0.1}, 5, linear_rates);
    check(&(struct schedule_settings){.type = SCHEDULE_STEP, .gamma = 0.1, .milestone = milestones, .milestones = 2}, 5, step_rates);
    check(&(struct schedule_settings){.type = SCHEDULE_ONE_CYCLE, .peak_at = 0.3, .start = 0.04, .final = 1e-4}, 1, one_cycle_rates);
}

static void warm_up_climbs_to_the_first_rate(void **state)
{
    (void)state;
    const int types[] = {SCHEDULE_CONSTANT, SCHEDULE_LINEAR, SCHEDULE_COSINE, SCHEDULE_STEP, SCHEDULE_ONE_CYCLE};
    struct schedule_settings settings = {.warmup = {0.25, DURATION_RUN}, .gamma = 0.1, .peak_at = 0.3, .start = 0.04};
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        settings.type = types[k];
        double first = types[k] == SCHEDULE_ONE_CYCLE ? 0.04 * 2 : 2;
        for (int64_t update = 0; update < 5; update++)
            assert_true(fabs(schedule_lr(&settings, 2, update, 4, 5) - first * (double)(update + 1) / 5) < 1e-15);
        assert_true(fabs(schedule_lr(&settings, 2, 5, 4, 5) - first) < 1e-15);
    }
}

/* What follows the warm-up runs over what is left: half of the cosine is at update 5 + 15 / 2. */
static void the_rest_is_stretched(void **state)
{
    (void)state;
    struct schedule_settings settings = {.type = SCHEDULE_LINEAR, .warmup = {4, DURATION_UPDATES}};
    assert_true(fabs(schedule_lr(&settings, 1, 12, 4, 5) - 0.5) < 1e-15);
    settings.type = SCHEDULE_COSINE;
    assert_true(fabs(schedule_lr(&settings, 1, 12, 4, 5) - 0.5) < 1e-15);
    settings.warmup = (struct json_duration){1, DURATION_EPOCHS};
    assert_true(fabs(schedule_lr(&settings, 1, 12, 4, 5) - 0.5) < 1e-15);
}

static void short_runs_have_a_rate(void **state)
{
    (void)state;
    const int types[] = {SCHEDULE_CONSTANT, SCHEDULE_LINEAR, SCHEDULE_COSINE, SCHEDULE_STEP, SCHEDULE_ONE_CYCLE};
    struct schedule_settings settings = {.gamma = 0.1, .peak_at = 0.3, .start = 0.04, .final = 0.0001};
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        settings.type = types[k];
        settings.warmup = (struct json_duration){0};
        assert_true(schedule_lr(&settings, 1, 0, 1, 1) == 1);
        settings.warmup = (struct json_duration){100, DURATION_UPDATES}; /* longer than the run */
        assert_true(schedule_lr(&settings, 1, 0, 1, 1) > 0);
    }
}

static void one_cycle_ends_where_told(void **state)
{
    (void)state;
    struct schedule_settings settings = {.type = SCHEDULE_ONE_CYCLE, .peak_at = 1, .start = 0.1, .final = 0.5};
    assert_true(fabs(schedule_lr(&settings, 1, 0, 10, 1) - 0.1) < 1e-15);
    assert_true(schedule_lr(&settings, 1, 9, 10, 1) == 1); /* no way down */
    settings.peak_at = 0;
    assert_true(schedule_lr(&settings, 1, 0, 10, 1) == 1); /* no way up */
    assert_true(fabs(schedule_lr(&settings, 1, 9, 10, 1) - 0.05) < 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_pytorch),
        cmocka_unit_test(warm_up_climbs_to_the_first_rate),
        cmocka_unit_test(the_rest_is_stretched),
        cmocka_unit_test(short_runs_have_a_rate),
        cmocka_unit_test(one_cycle_ends_where_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
