#include "printed.h"

#include "compare/statistics/equal_cost.h"

static const double budget[] = {1, 1.5, 2, 4}, value[] = {90, 91, 91.5, 92.5};

static void test_value(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) assert_true(budget_value(budget, value, 4, budget[i]) == value[i]);
    assert_near(budget_value(budget, value, 4, sqrt(1.5)), 90.5); /* halfway in the logarithm */
    assert_near(budget_value(budget, value, 4, sqrt(8)), 92);
    assert_true(isnan(budget_value(budget, value, 4, .99)) && isnan(budget_value(budget, value, 4, 4.01)));
    assert_true(isnan(budget_value(budget, value, 4, NAN)) && isnan(budget_value(budget, value, 4, INFINITY)));
    assert_true(isnan(budget_value(NULL, NULL, 0, 1)));
    assert_true(budget_value(budget, value, 1, 1) == 90 && isnan(budget_value(budget, value, 1, 1.2)));
    double holed[] = {90, NAN, 92, 93};
    assert_true(isnan(budget_value(budget, holed, 4, 1.2)) && budget_value(budget, holed, 4, 2) == 92);
}

static void test_reaching(void **state)
{
    (void)state;
    assert_true(budget_reaching(budget, value, 4, 89) == 1 && budget_reaching(budget, value, 4, 90) == 1);
    assert_near(budget_reaching(budget, value, 4, 91), 1.5);
    assert_near(budget_reaching(budget, value, 4, 92), sqrt(8));
    assert_true(isinf(budget_reaching(budget, value, 4, 92.6)) && isinf(budget_reaching(NULL, NULL, 0, 1)));
    assert_true(isinf(budget_reaching(budget, value, 4, NAN)));
    double dips[] = {90, 89, 92, 91}, holed[] = {90, NAN, 92, 93};
    assert_near(budget_reaching(budget, dips, 4, 90.5), 1.5 * sqrt(2 / 1.5)); /* the first time it does */
    assert_true(budget_reaching(budget, holed, 4, 91) == 2);                  /* no value to draw a line from */
    double found = budget_reaching(budget, value, 4, 91.2);
    assert_near(budget_value(budget, value, 4, found), 91.2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value),
        cmocka_unit_test(test_reaching),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
