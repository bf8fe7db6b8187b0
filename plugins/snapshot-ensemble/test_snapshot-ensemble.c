/* The learning rate's cycles, and which snapshots are kept. That members' predictions are averaged is shown by whole runs, in
 * tests/train/test_averages.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugins/on_tape.h"
#include "snapshot-ensemble.c"

/* alpha_0 / 2 (cos(pi mod(t - 1, T) / T) + 1), of the paper's equation 2 with T = 4. */
static void known_cycles(void **state)
{
    (void)state;
    const double share[] = {1, 0.853553390593, 0.5, 0.146446609407};
    for (int64_t t = 0; t < 4; t++) assert_near(cycle_share(t, 4), share[t], 1e-10);
    assert_true(cycle_share(0, 1) == 1);
}

static void the_latest_are_kept(void **state)
{
    (void)state;
    int64_t taken = 0;
    char marks[3]; /* three places, told apart by their addresses */
    struct snapshots ring = {.size = 3, .taken = &taken};
    for (int i = 0; i < 3; i++) ring.set[i] = (knack_weights *)(void *)&marks[i];
    assert_int_equal(snapshots_held(&ring), 0);
    taken = 2;
    assert_int_equal(snapshots_held(&ring), 2);
    assert_ptr_equal(snapshots_latest(&ring, 0), &marks[1]);
    assert_ptr_equal(snapshots_latest(&ring, 1), &marks[0]);
    taken = 4;
    assert_int_equal(snapshots_held(&ring), 3);
    assert_ptr_equal(snapshots_latest(&ring, 0), &marks[0]);
    assert_ptr_equal(snapshots_latest(&ring, 1), &marks[2]);
    assert_ptr_equal(snapshots_latest(&ring, 2), &marks[1]);
}

/* Two members' probabilities; and Jensen's inequality, by which the ensemble's loss is at most the mean of theirs. */
static void known_mean(void **state)
{
    (void)state;
    struct on_tape on = {0};
    knack_step *step = on_tape_begin(&on);
    const int64_t shape[] = {1, 3};
    knack_tensor *one = knack_constant(step, KNACK_REAL, 2, shape, (const knack_real[]){(knack_real)0.7, (knack_real)0.2, (knack_real)0.1});
    knack_tensor *two = knack_constant(step, KNACK_REAL, 2, shape, (const knack_real[]){(knack_real)0.2, (knack_real)0.5, (knack_real)0.3});
    const knack_real *mean = knack_data(knack_scale(knack_add(one, two), 1.0 / 2));
    const double expected[] = {0.45, 0.35, 0.2};
    for (int c = 0; c < 3; c++) assert_near((double)mean[c], expected[c], 1e-6);
    double loss = -log((double)mean[0]), apart = -(log((double)(knack_real)0.7) + log((double)(knack_real)0.2)) / 2;
    assert_near(loss, 0.798507696218, 1e-6);
    assert_true(loss <= apart);
    on_tape_end(&on);
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &snapshot_ensemble);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_cycles),
        cmocka_unit_test(the_latest_are_kept),
        cmocka_unit_test(known_mean),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
