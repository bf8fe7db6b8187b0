#include "printed.h"

#include "compare/statistics/family.h"
#include "vectors/statistics.h"

static void assert_all(const double *found, const char *const *known, size_t count)
{
    for (size_t i = 0; i < count; i++) check_printed(found[i], known[i], 1e-6, "adjusted p");
}

static void test_vectors(void **state)
{
    (void)state;
    double found[5];
    holm(family_p, 5, 5, found);
    assert_all(found, family_holm, 5);
    benjamini_hochberg(family_p, 5, 5, found);
    assert_all(found, family_bh, 5);
    holm(family_ties_p, 3, 3, found);
    assert_all(found, family_ties_holm, 3);
}

/* The order in which tests are listed is not part of the question. */
static void test_order(void **state)
{
    (void)state;
    static const int order[] = {4, 2, 0, 3, 1};
    double p[5], plain[5], found[5];
    for (int i = 0; i < 5; i++) p[i] = family_p[order[i]];
    holm(family_p, 5, 0, plain);
    holm(p, 5, 0, found);
    for (int i = 0; i < 5; i++) assert_true(found[i] == plain[order[i]]);
    benjamini_hochberg(family_p, 5, 0, plain);
    benjamini_hochberg(p, 5, 0, found);
    for (int i = 0; i < 5; i++) assert_true(found[i] == plain[order[i]]);
}

static void test_missing(void **state)
{
    (void)state;
    double p[] = {.01, NAN, .02}, found[3];
    holm(p, 3, 0, found);
    assert_true(found[0] == .02 && isnan(found[1]) && found[2] == .02);
    holm(p, 3, 3, found);
    assert_true(found[0] == .03 && isnan(found[1]) && found[2] == .04);
    holm(p, 3, 10, found);
    assert_near(found[0], .1);
    assert_near(found[2], .18);
    benjamini_hochberg(p, 3, 0, found);
    assert_true(found[0] == .02 && isnan(found[1]) && found[2] == .02);
    benjamini_hochberg(p, 3, 4, found);
    assert_true(found[0] == .04 && isnan(found[1]) && found[2] == .04);
    holm((double[]){NAN, NAN}, 2, 2, found);
    assert_true(isnan(found[0]) && isnan(found[1]));
    holm(NULL, 0, 3, found);
}

static void test_ends(void **state)
{
    (void)state;
    double found[3];
    holm((double[]){.6, .6, 1}, 3, 3, found);
    assert_true(found[0] == 1 && found[1] == 1 && found[2] == 1);
    holm((double[]){0, .04, .04}, 3, 3, found);
    assert_true(found[0] == 0 && found[1] == .08 && found[2] == .08);
    benjamini_hochberg((double[]){.04, .04, 0}, 3, 3, found);
    assert_near(found[0], .04);
    assert_near(found[1], .04);
    assert_true(found[2] == 0);
    holm((double[]){.03}, 1, 1, found);
    assert_true(found[0] == .03);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
