/* The order in which snapshots are tried. Means, and what is chosen, are shown by whole runs, in tests/train/test_averages.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "checkpoint-average.c"
#include "plugins/on_tape.h"

static void the_best_comes_first_and_of_equals_the_later(void **state)
{
    (void)state;
    const int64_t right[] = {80, 91, 80, 95, 91}, order[] = {3, 1, 4, 0, 2};
    struct ranking ranking = {0};
    for (int64_t k = 0; k < 5; k++) rank(&ranking, k, right[k]);
    assert_int_equal(ranking.count, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ranking.latest[i], order[i]);
        assert_int_equal(ranking.right[i], right[order[i]]);
    }
}

static void the_ring_fits(void **state)
{
    (void)state;
    struct ranking ranking = {0};
    for (int64_t k = 0; k < SNAPSHOTS_MOST; k++) rank(&ranking, k, k);
    assert_int_equal(ranking.count, SNAPSHOTS_MOST);
    assert_int_equal(ranking.latest[0], SNAPSHOTS_MOST - 1);
    assert_int_equal(ranking.latest[SNAPSHOTS_MOST - 1], 0);
}

static void known_scores(void **state)
{
    (void)state;
    /* Right, wrong, no label, right by the lower class of two, and a certainty that is wrong. */
    const knack_real p[] = {
        (knack_real)0.75, (knack_real)0.25, (knack_real)0.75, (knack_real)0.25, 0, 1, (knack_real)0.5, (knack_real)0.5, 0, 1};
    const int32_t label[] = {0, 1, -1, 0, 0};
    struct score score = {0};
    score_add(&score, 3, 2, p, label);
    score_add(&score, 2, 2, p + 6, label + 3);
    assert_true(score.rows == 4 && score.right == 2);
    assert_near(score.loss, -log(0.75) - log(0.25) - log(0.5) - log(1e-12), 1e-10);
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &checkpoint_average);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_comes_first_and_of_equals_the_later),
        cmocka_unit_test(the_ring_fits),
        cmocka_unit_test(known_scores),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
