/* How views are merged, and which there are. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugins/on_tape.h"
#include "tta.c"

/* The merged prediction of one example, two classes; value [views, 2], weight [views] or NULL. */
static void check_merge(enum merge merge, int views, const double (*value)[2], const double *weight, double first, double second)
{
    struct on_tape on;
    knack_step *step = on_tape_begin(&on);
    struct tta self = {.views = views, .weight = weight};
    for (int v = 0; weight && v < views; v++) self.total += weight[v];
    knack_tensor *merged = NULL;
    for (int v = 0; v < views; v++) {
        const knack_real one[] = {(knack_real)value[v][0], (knack_real)value[v][1]};
        merged = merge_view(merge, merged, knack_constant(step, KNACK_REAL, 2, (const int64_t[]){1, 2}, one), weight_at(&self, v));
    }
    const knack_real *p = knack_data(merge_end(merge, merged));
    assert_non_null(p);
    assert_near((double)p[0], first, 1e-6);
    assert_near((double)p[1], second, 1e-6);
    on_tape_end(&on);
}

static const double pair[][2] = {{0.9, 0.1}, {0.4, 0.6}};

static void known_values(void **state)
{
    (void)state;
    check_merge(MERGE_MEAN, 2, pair, NULL, 0.65, 0.35);
    check_merge(MERGE_GMEAN, 2, pair, NULL, 0.710102051443, 0.289897948557);
    check_merge(MERGE_MAX, 2, pair, NULL, 0.6, 0.4);
}

static void weights(void **state)
{
    (void)state;
    const double w[] = {3, 1}, alone[] = {0, 2};
    check_merge(MERGE_MEAN, 2, pair, w, (3 * 0.9 + 0.4) / 4, (3 * 0.1 + 0.6) / 4);
    double a = pow(0.9, 0.75) * pow(0.4, 0.25), b = pow(0.1, 0.75) * pow(0.6, 0.25);
    check_merge(MERGE_GMEAN, 2, pair, w, a / (a + b), b / (a + b));
    check_merge(MERGE_MEAN, 2, pair, alone, 0.4, 0.6);
}

/* A constant added to one view's logits is no opinion. */
static void logits(void **state)
{
    (void)state;
    const double z[][2] = {{log(0.9) + 7, log(0.1) + 7}, {log(0.4), log(0.6)}};
    check_merge(MERGE_LOGIT, 2, z, NULL, 0.710102051443, 0.289897948557);
}

/* As a product twenty views of 1e-3 are 1e-60, which no float holds; a 0 counts as 1e-12. */
static void many_views_do_not_underflow(void **state)
{
    (void)state;
    double small[20][2], none[][2] = {{0, 1}, {1, 0}};
    for (int v = 0; v < 20; v++) {
        small[v][0] = 1e-3;
        small[v][1] = 2e-3;
    }
    check_merge(MERGE_GMEAN, 20, (const double(*)[2])small, NULL, 1.0 / 3, 2.0 / 3);
    check_merge(MERGE_GMEAN, 2, (const double(*)[2])none, NULL, 0.5, 0.5);
    check_merge(MERGE_MAX, 2, (const double(*)[2])none, NULL, 0.5, 0.5);
}

static void one_view_is_itself(void **state)
{
    (void)state;
    check_merge(MERGE_MEAN, 1, pair, NULL, 0.9, 0.1);
    check_merge(MERGE_GMEAN, 1, pair, NULL, 0.9, 0.1);
    check_merge(MERGE_MAX, 1, pair, NULL, 0.9, 0.1);
}

static void the_order_of_views(void **state)
{
    (void)state;
    const char *const listed[] = {"flip", "shift 1 0"};
    struct tta with = {.view = listed, .views = 3, .identity_first = true}, without = {.view = listed, .views = 2};
    assert_string_equal(view_at(&with, 0), "identity");
    assert_string_equal(view_at(&with, 1), "flip");
    assert_string_equal(view_at(&with, 2), "shift 1 0");
    assert_string_equal(view_at(&without, 1), "shift 1 0");
}

static void serves_only_its_contract(void **state)
{
    (void)state;
    assert_ptr_equal(knack_plugin_entry(KNACK_ABI), &tta);
    assert_null(knack_plugin_entry(KNACK_ABI + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(weights),
        cmocka_unit_test(logits),
        cmocka_unit_test(many_views_do_not_underflow),
        cmocka_unit_test(one_view_is_itself),
        cmocka_unit_test(the_order_of_views),
        cmocka_unit_test(serves_only_its_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
