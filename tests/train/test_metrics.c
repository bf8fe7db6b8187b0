/* Metrics against values worked out by hand and by the definitions of scikit-learn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/metrics.h"
#include "train/ranking.h"
#include "train/settings.h"

#ifdef KNACK_REAL_DOUBLE
static const double tolerance = 1e-12;
#else
static const double tolerance = 1e-6;
#endif

static struct metrics *gather(enum knack_task_kind kind, int64_t outputs, int64_t rows, const knack_real *prediction, const int32_t *label,
                              const knack_real *target)
{
    struct metrics *metrics;
    assert_int_equal(metrics_new(kind, outputs, rows, &metrics), KNACK_OK);
    assert_int_equal(metrics_add(metrics, rows, prediction, label, target), KNACK_OK);
    return metrics;
}

static void check(struct metrics *metrics, const char *name, double expected)
{
    double value;
    assert_int_equal(metrics_find(metrics, name, &value), KNACK_OK);
    if (isnan(expected))
        assert_true(isnan(value));
    else
        assert_true(fabs(value - expected) <= tolerance);
}

/* 4 classes; row 3 has no label, row 4 ranks its class third of which one is a tie with a lower class. */
static const knack_real probabilities[] = {
    0.5f,   0.25f, 0.125f, 0.125f, /* 0: right */
    0.25f,  0.5f,  0.125f, 0.125f, /* 0: second */
    0.125f, 0.5f,  0.125f, 0.25f,  /* 1: right */
    0,      0,     1,      0,      /* no label */
    0.25f,  0.5f,  0.25f,  0,      /* 2: third, tied with 0 */
    0.125f, 0.25f, 0.125f, 0.5f,   /* 1: second */
};
static const int32_t labels[] = {0, 0, 1, -1, 2, 1};

static void classification(void **state)
{
    (void)state;
    struct metrics *metrics = gather(KNACK_CLASSIFICATION, 4, 6, probabilities, labels, NULL);
    assert_int_equal(metrics_count(metrics), 7);
    check(metrics, "accuracy", 2.0 / 5);
    check(metrics, "top2", 4.0 / 5);
    check(metrics, "top3", 1);
    check(metrics, "loss", (log(2) + log(4) + log(2) + log(4) + log(4)) / 5);
    check(metrics, "ece", fabs(2 - 5 * 0.5) / 5);                /* all confidences are 1/2 */
    check(metrics, "balanced_accuracy", (0.5 + 0.5 + 0) / 3);    /* class 3 does not occur */
    check(metrics, "macro_f1", (2.0 / 3 + 2.0 / 5 + 0 + 0) / 4); /* but is predicted */
    metrics_free(metrics);
}

static void the_same_in_any_batches(void **state)
{
    (void)state;
    struct metrics *whole = gather(KNACK_CLASSIFICATION, 4, 6, probabilities, labels, NULL), *split;
    assert_int_equal(metrics_new(KNACK_CLASSIFICATION, 4, 0, &split), KNACK_OK);
    for (int cut = 0; cut <= 6; cut++) {
        metrics_clear(split);
        assert_int_equal(metrics_add(split, cut, probabilities, labels, NULL), KNACK_OK);
        metrics_values(split); /* in between */
        assert_int_equal(metrics_add(split, 6 - cut, probabilities + 4 * cut, labels + cut, NULL), KNACK_OK);
        const struct metric_value *a = metrics_values(whole), *b = metrics_values(split);
        for (int64_t i = 0; i < metrics_count(whole); i++) assert_memory_equal(&a[i].value, &b[i].value, sizeof(double));
    }
    metrics_free(whole);
    metrics_free(split);
}

static void calibration_bins_are_closed_above(void **state)
{
    (void)state;
    /* 0.6 = 9/15 and 0.6 + 1/32 fall into different bins: |1 - 0.6| + |0 - 0.63125|; in one bin it would be |1 - 1.23125|. */
    const knack_real p[] = {0.59375f, 0.40625f, 0.625f, 0.375f};
    const int32_t label[] = {0, 1};
    struct metrics *metrics = gather(KNACK_CLASSIFICATION, 2, 2, p, label, NULL);
    check(metrics, "ece", (fabs(1 - 0.59375) + 0.625) / 2);
    metrics_free(metrics);
}

static void two_classes(void **state)
{
    (void)state;
    const knack_real p[] = {0.9f, 0.1f, 0.6f, 0.4f, 0.65f, 0.35f, 0.2f, 0.8f};
    const int32_t label[] = {0, 0, 1, 1};
    struct metrics *metrics = gather(KNACK_CLASSIFICATION, 2, 4, p, label, NULL);
    check(metrics, "auroc", 0.75);
    check(metrics, "auprc", 0.5 + 0.5 * 2 / 3);
    check(metrics, "f1", 2.0 / 3);
    check(metrics, "accuracy", 0.75);
    double unused;
    assert_int_equal(metrics_find(metrics, "top2", &unused), KNACK_E_CONFIG);
    metrics_free(metrics);
}

static void ties_do_not_depend_on_order(void **state)
{
    (void)state;
    for (int turn = 0; turn < 4; turn++) {
        struct scored rows[] = {{0.5, true}, {0.5, false}, {0.5, false}, {0.9, true}}, turned[4];
        for (int i = 0; i < 4; i++) turned[i] = rows[(i + turn) % 4];
        double auroc, average_precision;
        ranking_measure(turned, 4, &auroc, &average_precision);
        assert_true(auroc == (2 + 1) / 4.0); /* the upper positive wins twice, the tied one half of twice */
        assert_true(average_precision == 0.5 * 1 + 0.5 * 0.5);
    }
}

static void all_equal_scores_are_chance(void **state)
{
    (void)state;
    struct scored rows[] = {{0.5, true}, {0.5, false}, {0.5, false}, {0.5, false}};
    double auroc, average_precision;
    ranking_measure(rows, 4, &auroc, &average_precision);
    assert_true(auroc == 0.5);
    assert_true(average_precision == 0.25);
}

static void undefined_is_nan(void **state)
{
    (void)state;
    const knack_real p[] = {0.9f, 0.1f, 0.6f, 0.4f};
    const int32_t negative[] = {0, 0}, none[] = {-1, -1};
    struct metrics *metrics = gather(KNACK_CLASSIFICATION, 2, 2, p, negative, NULL);
    check(metrics, "auroc", NAN);
    check(metrics, "auprc", NAN);
    check(metrics, "f1", NAN);
    check(metrics, "accuracy", 1);
    metrics_clear(metrics);
    assert_int_equal(metrics_add(metrics, 2, p, none, NULL), KNACK_OK);
    const struct metric_value *values = metrics_values(metrics);
    for (int64_t i = 0; i < metrics_count(metrics); i++) assert_true(isnan(values[i].value));
    metrics_free(metrics);
}

static void a_nan_prediction_poisons_all(void **state)
{
    (void)state;
    const knack_real p[] = {0.9f, 0.1f, NAN, NAN};
    const int32_t label[] = {0, 1};
    struct metrics *metrics = gather(KNACK_CLASSIFICATION, 2, 2, p, label, NULL);
    check(metrics, "accuracy", NAN);
    check(metrics, "loss", NAN);
    metrics_clear(metrics);
    assert_int_equal(metrics_add(metrics, 1, p, label, NULL), KNACK_OK);
    check(metrics, "accuracy", 1);
    metrics_free(metrics);
}

static void zero_probability_is_clamped(void **state)
{
    (void)state;
    const knack_real p[] = {0, 1};
    const int32_t label[] = {0};
    struct metrics *metrics = gather(KNACK_CLASSIFICATION, 2, 1, p, label, NULL);
    check(metrics, "loss", -log(1e-12));
    metrics_free(metrics);
}

static void a_class_out_of_range_is_named(void **state)
{
    (void)state;
    const int32_t label[] = {0, 4};
    struct metrics *metrics;
    assert_int_equal(metrics_new(KNACK_CLASSIFICATION, 4, 2, &metrics), KNACK_OK);
    assert_int_equal(metrics_add(metrics, 2, probabilities, label, NULL), KNACK_E_DATA);
    assert_string_equal(knack_error(), "row 1 has class 4, of 4 classes from 0");
    metrics_free(metrics);
}

static void regression(void **state)
{
    (void)state;
    /* Two outputs; the second's targets do not vary, so r2 is that of the first. */
    const knack_real x[] = {2.5f, 1, 0, 1, 2, 2, 8, 1}, target[] = {3, 1, -0.5f, 1, 2, 1, 7, 1};
    struct metrics *metrics = gather(KNACK_REGRESSION, 2, 4, x, NULL, target);
    check(metrics, "mse", (0.25 + 0.25 + 1 + 1) / 8);
    check(metrics, "mae", (0.5 + 0.5 + 1 + 1) / 8);
    check(metrics, "r2", 0.9486081370449679);
    check(metrics, "loss", 2.5 / 8);
    metrics_set_loss(metrics, LOSS_ABSOLUTE);
    check(metrics, "loss", 3.0 / 8);
    metrics_clear(metrics);
    assert_int_equal(metrics_add(metrics, 1, x, NULL, target), KNACK_OK);
    check(metrics, "r2", NAN); /* one row does not vary */
    check(metrics, "loss", 0.25);
    metrics_free(metrics);
}

static void names_are_checked(void **state)
{
    (void)state;
    assert_int_equal(metric_check("r2", KNACK_REGRESSION, 1), KNACK_OK);
    assert_int_equal(metric_check("acuracy", KNACK_CLASSIFICATION, 3), KNACK_E_CONFIG);
    assert_string_equal(knack_error(), "this task has no metric \"acuracy\"; nearest is \"accuracy\"; there are "
                                       "6 names: accuracy, top2, loss, ece, macro_f1, balanced_accuracy");
    assert_int_equal(metric_check("auroc", KNACK_CLASSIFICATION, 3), KNACK_E_CONFIG);
    assert_true(metric_lower_is_better("loss") && metric_lower_is_better("mae"));
    assert_false(metric_lower_is_better("accuracy"));
}

static void tables(void **state)
{
    (void)state;
    char plain[] = "cat", quoted[] = "dog, \"big\"";
    char *names[] = {plain, quoted, NULL, NULL};
    struct metrics *metrics = gather(KNACK_CLASSIFICATION, 4, 6, probabilities, labels, NULL);
    char *classes = metrics_classes_csv(metrics, names);
    assert_string_equal(classes, "class,count,recall,precision,f1\n"
                                 "cat,2,0.5,1,0.6666666666666666\n"
                                 "\"dog, \"\"big\"\"\",2,0.5,0.3333333333333333,0.4\n"
                                 "2,1,0,,0\n"
                                 "3,0,,0,0\n");
    char *confusion = metrics_confusion_csv(metrics, NULL);
    assert_string_equal(confusion, "true \\ predicted,0,1,2,3\n0,1,1,0,0\n1,0,1,0,1\n2,0,1,0,0\n3,0,0,0,0\n");
    memory_free(classes);
    memory_free(confusion);

    memory_fail_at(1);
    assert_null(metrics_classes_csv(metrics, NULL));
    memory_fail_at(0);
    metrics_free(metrics);
}

static void allocations_may_fail(void **state)
{
    (void)state;
    struct metrics *metrics = NULL;
    for (int64_t nth = 1; nth <= 3; nth++) {
        memory_fail_at(nth);
        assert_int_equal(metrics_new(KNACK_CLASSIFICATION, 2, 10, &metrics), KNACK_E_MEMORY);
        memory_fail_at(0);
        assert_null(metrics);
    }
    const knack_real p[] = {0.9f, 0.1f};
    const int32_t label[] = {0};
    assert_int_equal(metrics_new(KNACK_CLASSIFICATION, 2, 0, &metrics), KNACK_OK);
    memory_fail_at(1);
    assert_int_equal(metrics_add(metrics, 1, p, label, NULL), KNACK_E_MEMORY);
    memory_fail_at(0);
    assert_int_equal(metrics_add(metrics, 1, p, label, NULL), KNACK_OK);
    metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classification),
        cmocka_unit_test(the_same_in_any_batches),
        cmocka_unit_test(calibration_bins_are_closed_above),
        cmocka_unit_test(two_classes),
        cmocka_unit_test(ties_do_not_depend_on_order),
        cmocka_unit_test(all_equal_scores_are_chance),
        cmocka_unit_test(undefined_is_nan),
        cmocka_unit_test(a_nan_prediction_poisons_all),
        cmocka_unit_test(zero_probability_is_clamped),
        cmocka_unit_test(a_class_out_of_range_is_named),
        cmocka_unit_test(regression),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(tables),
        cmocka_unit_test(allocations_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
