/* Every figure of comparisons of all sizes: well-formed, readable, named, and nothing left when memory ends. */
#include "base/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/comma_locale.h"
#include "base/memory.h"
#include "base/text.h"
#include "compare/analysis/fixture.h"
#include "compare/report/figures.h"
#include "draw/drawing.h"
#include "draw/style.h"

static const char *const axis_titles[][2] = {
    {"paired", "difference in test"}, {"forest", "difference in test"}, {"curves", "epochs"},
    {"cost", "cost of training"},     {"interaction", "test "},         {"variance", "share of the variance"},
    {"failures", "rate of failure"},
};

/* A number of an attribute that is none, as "NaN" or "inf" would be. */
static bool has_no_number(const char *svg)
{
    static const char *const bad[] = {"=\"nan", "=\"-nan", "=\"inf", "=\"-inf", ",nan", " nan", ",inf", " inf", "L-inf", "Minf"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (strstr(svg, bad[i])) return true;
    return false;
}

static void check_drawing(const struct figure *figure, const char *svg)
{
    if (drawing_flaw(svg)) fail_msg("%s: %s", figure->name, drawing_flaw(svg));
    if (drawing_collision(svg)) fail_msg("%s: %s", figure->name, drawing_collision(svg));
    if (has_no_number(svg)) fail_msg("%s has a coordinate that is no number", figure->name);
    assert_null(strstr(svg, " style="));
    assert_null(strstr(svg, " id="));
    assert_non_null(strstr(svg, " aria-label=\""));
    bool counts = drawing_says(svg, "n = ") || drawing_says(svg, "n: ");
    if (!counts) fail_msg("%s does not say n", figure->name);
    for (size_t i = 0; i < sizeof axis_titles / sizeof axis_titles[0]; i++) {
        if (strcmp(axis_titles[i][0], figure->name) == 0 && !drawing_says(svg, axis_titles[i][1]))
            fail_msg("%s has no axis title", figure->name);
    }
}

/* Draws all there is; returns how many drawings that are. */
static int check_figures(const struct analysis *analysis)
{
    int drawings = 0;
    for (int f = 0; figures[f]; f++) {
        const struct figure *figure = figures[f];
        int64_t items = figure_items(figure, analysis);
        for (int64_t i = 0; i < items; i++) {
            assert_int_equal(figure_item_name(figure, analysis, i) == NULL, items == 1 && strcmp(figure->name, "paired") != 0 &&
                                                                                strcmp(figure->name, "curves") != 0 &&
                                                                                strcmp(figure->name, "interaction") != 0);
            for (int width = FIGURE_WIDE; width <= FIGURE_NARROW; width++) {
                char *svg = figure_draw(figure, analysis, i, (enum figure_width)width);
                assert_non_null(svg);
                check_drawing(figure, svg);
                char size[32];
                snprintf(size, sizeof size, "<svg class=\"figure\" width=\"%d\"", width == FIGURE_WIDE ? 720 : 350);
                assert_int_equal(strncmp(svg, size, strlen(size)), 0);
                memory_free(svg);
                drawings++;
            }
        }
    }
    return drawings;
}

static void test_sizes(void **state)
{
    (void)state;
    static const int arms[] = {2, 3, 8, 9, 10, 11, 20, 21}, seeds[] = {2, 3, 5, 10, 20};
    for (size_t a = 0; a < sizeof arms / sizeof arms[0]; a++)
        for (size_t s = 0; s < sizeof seeds / sizeof seeds[0]; s++) {
            struct analysis *analysis = fixture_analysis(arms[a], seeds[s], DESIGN_ONE);
            assert_non_null(analysis);
            assert_int_equal(check_figures(analysis), 2 * (2 * (arms[a] - 1) + 3 + (seeds[s] > 2))); /* two seeds: no parts of chance */
            fixture_free(analysis);
        }
}

static void test_designs(void **state)
{
    (void)state;
    static const int arms[] = {4, 8, 16}, interactions[] = {1, 3, 6};
    for (int i = 0; i < 3; i++) {
        struct analysis *analysis = fixture_analysis(arms[i], 6, DESIGN_FACTORIAL);
        assert_non_null(analysis);
        const struct figure *figure = figures[4];
        assert_string_equal(figure->name, "interaction");
        assert_int_equal(figure_items(figure, analysis), interactions[i]);
        check_figures(analysis);
        fixture_free(analysis);
    }
    struct analysis *analysis = fixture_analysis(16, 4, DESIGN_SCREEN);
    assert_non_null(analysis);
    check_figures(analysis);
    fixture_free(analysis);
}

static void test_lower_is_better(void **state)
{
    (void)state;
    struct analysis *analysis = fixture_analysis(8, 5, DESIGN_ONE);
    analysis->plan->lower_is_better = true;
    analysis->percent = 1;
    analysis->unit = "loss";
    strcpy(analysis->plan->metric, "loss");
    check_figures(analysis);
    for (int f = 0; figures[f]; f++) {
        const struct figure *figure = figures[f];
        if (strcmp(figure->name, "forest") != 0) continue;
        char *svg = figure_draw(figure, analysis, 0, FIGURE_WIDE);
        assert_true(drawing_says(svg, "difference in test loss; left of 0 is better"));
        memory_free(svg);
    }
    fixture_free(analysis);
}

/* The cost of an arm is of a whole training: an arm of twice as many updates is not counted twice. */
static void test_cost_of_a_whole_training(void **state)
{
    (void)state;
    struct analysis *analysis = fixture_analysis(4, 5, DESIGN_ONE);
    analysis->plan->arm[1].updates = 2 * analysis->plan->arm[0].updates;
    analysis->arm[1].cost.cpu = 1.07;
    for (int f = 0; figures[f]; f++) {
        if (strcmp(figures[f]->name, "cost") != 0) continue;
        char *svg = figure_draw(figures[f], analysis, 0, FIGURE_WIDE);
        assert_non_null(strstr(svg, "mixup: cost \xC3\x97"
                                    "1.07, "));
        memory_free(svg);
    }
    fixture_free(analysis);
}

static void test_names_of_users(void **state)
{
    (void)state;
    static char names[][128] = {
        "<script>alert(1)</script> & \"more\" 'quotes'",
        "\xFF\xFE no UTF-8 \x01\x1B[31m",
        "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
        "\xE6\xB7\xB7\xE5\x90\x88\xE6\xB3\x95 \xCE\xB2 = \xC2\xBD",
        " ",
        "a name with many words in it, which goes on for much longer than any drawing has room in one line, and then some more",
        "]]> %s %d",
    };
    for (int seeds = 2; seeds < 8; seeds += 5) {
        struct analysis *analysis = fixture_analysis(8, seeds, DESIGN_ONE);
        for (int a = 1; a < 8; a++) analysis->plan->arm[a].name = analysis->plan->contrast[a - 1].name = names[a - 1];
        check_figures(analysis);
        fixture_free(analysis);
    }
    struct analysis *analysis = fixture_analysis(4, 3, DESIGN_FACTORIAL);
    analysis->plan->factor[0] = analysis->plan->contrast[0].name = names[2];
    analysis->plan->factor[1] = analysis->plan->contrast[1].name = names[0];
    check_figures(analysis);
    fixture_free(analysis);
}

static void forget_inference(struct analysis *analysis)
{
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        struct contrast_result *result = &analysis->contrast[c];
        struct estimate *estimate = &result->estimate;
        estimate->s_d = estimate->se = estimate->t = estimate->p = estimate->p_adjusted = NAN;
        estimate->ci = estimate->simultaneous = estimate->next = (struct interval){NAN, NAN};
        result->two_level.known = false;
        result->verdict = (struct verdict){.kind = VERDICT_NONE};
    }
}

static void test_what_is_not_known(void **state)
{
    (void)state;
    struct analysis *analysis = fixture_analysis(8, 3, DESIGN_ONE);
    forget_inference(analysis);
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        analysis->arm[a].cost.cpu = NAN;
        analysis->arm[a].cost.cpu_ci = (struct interval){NAN, NAN};
        analysis->arm[a].failure_bound = NAN;
        for (int64_t p = 0; p < analysis->curve[a].points; p++) analysis->curve[a].low[p] = analysis->curve[a].high[p] = NAN;
    }
    check_figures(analysis);
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) analysis->contrast[c].estimate.delta = NAN;
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        analysis->arm[a].mean = NAN;
        for (int64_t i = 0; i < analysis->arm[a].n; i++) analysis->arm[a].value[i] = NAN;
    }
    check_figures(analysis);
    fixture_free(analysis);
}

static void test_nothing_yet(void **state)
{
    (void)state;
    struct analysis *analysis = fixture_analysis(5, 3, DESIGN_ONE);
    forget_inference(analysis);
    for (int64_t a = 0; a < analysis->plan->arms; a++) {
        analysis->arm[a].n = analysis->arm[a].failed = 0;
        analysis->curve[a].points = 0;
    }
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        analysis->contrast[c].estimate.n = 0;
        analysis->contrast[c].estimate.delta = NAN;
    }
    assert_int_equal(check_figures(analysis), 0);
    fixture_free(analysis);
}

static void test_one_seed_and_no_spread(void **state)
{
    (void)state;
    struct analysis *analysis = fixture_analysis(4, 2, DESIGN_ONE);
    forget_inference(analysis);
    for (int64_t a = 0; a < analysis->plan->arms; a++) analysis->arm[a].n = analysis->curve[a].points = 1;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) analysis->contrast[c].estimate.n = 1;
    check_figures(analysis);
    fixture_free(analysis);

    analysis = fixture_analysis(4, 5, DESIGN_ONE);
    for (int64_t a = 0; a < analysis->plan->arms; a++)
        for (int64_t i = 0; i < 5; i++) analysis->arm[a].value[i] = analysis->arm[a].mean = .9;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        struct estimate *estimate = &analysis->contrast[c].estimate;
        for (int64_t i = 0; i < 5; i++) estimate->difference[i] = 0;
        estimate->delta = estimate->s_d = estimate->se = 0;
        estimate->ci = estimate->simultaneous = (struct interval){0, 0};
        analysis->contrast[c].verdict.kind = VERDICT_IDENTICAL;
    }
    check_figures(analysis);
    fixture_free(analysis);
}

static void test_extremes(void **state)
{
    (void)state;
    static const double sizes[] = {1e-300, 1e-9, 1e9, 1e200, 1e308};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        struct analysis *analysis = fixture_analysis(8, 4, DESIGN_ONE);
        analysis->percent = 1;
        for (int64_t a = 0; a < analysis->plan->arms; a++) {
            struct curve *curve = &analysis->curve[a];
            for (int64_t i = 0; i < 4; i++) analysis->arm[a].value[i] *= sizes[k] / 10;
            for (int64_t i = 0; i < 4 * curve->points; i++) curve->value[i] *= sizes[k] / 10;
            for (int64_t i = 0; i < curve->points; i++) curve->low[i] = -INFINITY, curve->difference[i] *= sizes[k] / 10;
            analysis->arm[a].cost.cpu *= a % 2 ? sizes[k] / 10 : 1;
        }
        for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
            struct estimate *estimate = &analysis->contrast[c].estimate;
            estimate->simultaneous = (struct interval){-INFINITY, INFINITY};
            estimate->ci = (struct interval){-sizes[k], INFINITY};
            estimate->delta *= sizes[k];
            for (int64_t i = 0; i < 4; i++) estimate->difference[i] *= sizes[k];
        }
        check_figures(analysis);
        fixture_free(analysis);
    }
}

static void test_files(void **state)
{
    (void)state;
    struct analysis *analysis = fixture_analysis(3, 5, DESIGN_ONE);
    char *svg = figure_draw(figures[1], analysis, 0, FIGURE_WIDE), *file = drawing_file(svg);
    assert_non_null(file);
    assert_int_equal(strncmp(file, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", 39), 0);
    assert_non_null(strstr(file, "xmlns=\"http://www.w3.org/2000/svg\" class=\"figure\""));
    assert_null(strstr(file, "var("));
    assert_null(drawing_flaw(strchr(file, '\n') + 1));
    assert_non_null(strstr(file, "prefers-color-scheme:dark"));
    memory_free(file);
    memory_free(svg);
    assert_null(drawing_file("<p>"));
    assert_string_equal(knack_error(), "drawing_file: this is no drawing");
    assert_non_null(strstr(drawing_style(), "--figure-ink:"));
    fixture_free(analysis);
}

static void test_decimal_comma(void **state)
{
    (void)state;
    if (!comma_locale_begin()) skip();
    struct analysis *analysis = fixture_analysis(8, 5, DESIGN_ONE);
    check_figures(analysis);
    char *svg = figure_draw(figures[1], analysis, 0, FIGURE_WIDE);
    assert_true(drawing_says(svg, "+2."));
    memory_free(svg);
    fixture_free(analysis);
    comma_locale_end();
}

/* Each allocation of each figure fails once. */
static void test_out_of_memory(void **state)
{
    (void)state;
    struct analysis *analysis = fixture_analysis(4, 3, DESIGN_FACTORIAL), *many = fixture_analysis(11, 3, DESIGN_ONE);
    for (int pass = 0; pass < 2; pass++) {
        const struct analysis *drawn = pass ? many : analysis;
        for (int f = 0; figures[f]; f++) {
            const struct figure *figure = figures[f];
            if (figure_items(figure, drawn) == 0) continue;
            char *svg = NULL;
            for (int64_t nth = 1; !svg; nth++) {
                status_clear();
                memory_fail_at(nth);
                svg = figure_draw(figure, drawn, 0, FIGURE_NARROW);
                memory_fail_at(0);
                if (!svg) assert_int_equal(strncmp(knack_error(), "out of memory", 13), 0);
                assert_true(nth < 1000);
            }
            for (int64_t nth = 1; nth < 3; nth++) {
                memory_fail_at(nth);
                char *file = drawing_file(svg);
                memory_fail_at(0);
                memory_free(file);
            }
            memory_free(svg);
        }
    }
    fixture_free(analysis);
    fixture_free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),           cmocka_unit_test(test_designs),
        cmocka_unit_test(test_lower_is_better), cmocka_unit_test(test_cost_of_a_whole_training),
        cmocka_unit_test(test_names_of_users),  cmocka_unit_test(test_what_is_not_known),
        cmocka_unit_test(test_nothing_yet),     cmocka_unit_test(test_one_seed_and_no_spread),
        cmocka_unit_test(test_extremes),        cmocka_unit_test(test_files),
        cmocka_unit_test(test_decimal_comma),   cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
