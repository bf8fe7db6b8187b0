/* Comparisons as a terminal shows them. */
#include "base/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/interval_line.h"
#include "cli/paragraph.h"
#include "cli/show_comparison.h"
#include "compare/report/report.h"
#include "fixture.h"

/* ---- What goes to standard output ---- */

struct capture {
    char path[40];
    int before;
};

static struct capture begin(void)
{
    struct capture capture = {.path = "/tmp/knack-table-XXXXXX"};
    int file = mkstemp(capture.path);
    assert_true(file >= 0);
    fflush(stdout);
    capture.before = dup(STDOUT_FILENO);
    dup2(file, STDOUT_FILENO);
    close(file);
    return capture;
}

static char *end(const struct capture *capture)
{
    char *text;
    size_t size;
    fflush(stdout);
    dup2(capture->before, STDOUT_FILENO);
    close(capture->before);
    assert_done(file_read(capture->path, KNACK_E_IO, &text, &size));
    unlink(capture->path);
    return text;
}

static char *show(const struct analysis *analysis, int64_t width, bool unicode)
{
    struct console console = {.result_width = width, .result_on_screen = width > 0, .unicode = unicode};
    struct capture capture = begin();
    knack_status status = show_comparison(&console, analysis, NULL);
    char *text = end(&capture);
    assert_done(status);
    return text;
}

/* Ends text where a part of it begins. */
static void cut(char *text, const char *from)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (strncmp(text + i, from, strlen(from)) == 0) text[i] = '\0';
}

static int64_t widest_line(const char *text)
{
    int64_t most = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        char line[2048];
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        int64_t width = text_columns(line);
        if (width > most) most = width;
        text += length + (text[length] == '\n');
    }
    return most;
}

static void assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("no \"%s\" in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part)) fail_msg("\"%s\" in:\n%s", part, text);
}

/* ---- Lines of characters ---- */

static void test_interval_lines(void **state)
{
    (void)state;
    static const double low[] = {-2, 4, NAN}, high[] = {2, 8, NAN};
    char line[INTERVAL_LINE_SIZE];
    struct line_scale scale = line_scale(low, high, 3, 11, false);
    assert_string_equal(interval_line(line, &scale, -2, 0, 2), "|-o-|      ");
    assert_string_equal(interval_line(line, &scale, -2, 1, 2), "|-+o|      ");
    assert_string_equal(interval_line(line, &scale, 4, 6, 8), "  :   |-o-|");
    assert_string_equal(interval_line(line, &scale, NAN, NAN, NAN), "  :        ");
    assert_string_equal(interval_line(line, &scale, -5, 9, 12), "<-+------->");
    assert_string_equal(interval_line(line, &scale, NAN, -9, NAN), "< :        ");
    assert_string_equal(interval_line(line, &scale, 7, 9, 12), "  :      |>");
    scale.unicode = true;
    assert_string_equal(interval_line(line, &scale, 4, 6, 8), "  \u250a   \u251c\u2500\u25cf\u2500\u2524");
    static const double wide_low[] = {-1, -1, -1, -40}, wide_high[] = {1, 1, 1, 30};
    scale = line_scale(wide_low, wide_high, 4, 7, false);
    assert_string_equal(interval_line(line, &scale, -1, 0, 1), "  |o|  ");
    assert_string_equal(interval_line(line, &scale, -40, -5, 30), "<--+-->");
    scale = line_scale(NULL, NULL, 0, 5, false);
    assert_string_equal(interval_line(line, &scale, NAN, 0, NAN), "  o  ");
}

static void test_paragraphs(void **state)
{
    (void)state;
    struct console console = {.result_width = 32};
    struct capture capture = begin();
    print_paragraph(&console, "name", 8, "one two three four five six seven");
    print_paragraph(&console, "a long name", 8, "one two");
    print_paragraph(&console, "", 0, "");
    console.result_width = 0;
    print_paragraph(&console, "x", 4, "one two three four five six seven eight nine ten eleven");
    char *text = end(&capture);
    assert_string_equal(text, "name    one two three four five\n"
                              "        six seven\n"
                              "a long name\n"
                              "        one two\n"
                              "\n"
                              "x   one two three four five six seven eight nine ten eleven\n");
    memory_free(text);
}

/* ---- Tables ---- */

static void test_small_table(void **state)
{
    (void)state;
    double value[30];
    for (int s = 0; s < 10; s++) {
        value[3 * s] = .9 + (s % 2 ? .01 : -.01);
        value[3 * s + 1] = value[3 * s] + .005 + .0005 * (s - 4.5);
        value[3 * s + 2] = value[3 * s] - .001 + .0008 * ((s * 3) % 10 - 4.5);
    }
    struct analysis *analysis = recipe_analysis(&(struct recipe){.arms = 3, .seeds = 10, .value = value, .margin = .002, .number = 2});
    assert_non_null(analysis);
    char *text = show(analysis, 80, false);
    cut(text, "program ");
    assert_string_equal(text, "digits-small: 3 arms, 10 seeds, test accuracy (done)\n"
                              "\n"
                              "Against the baseline: mixup helps; cutmix does not gain the margin.\n"
                              "\n"
                              "arm      n        delta [95% CI]                     Holm p   cost  verdict\n"
                              "------  --  --------------------  ----------------  -------  -----  ------------\n"
                              "mixup   10  +0.50 [+0.39, +0.61]       :     |-o-|  <0.0001  1.00x  HELPS\n"
                              "cutmix  10  -0.10 [-0.27, +0.07]  |--o-+|              0.22  1.00x  NOT WORTH IT\n"
                              "delta: difference of means in points of accuracy, with its 95% CI; : marks 0 on\n"
                              "a scale from -0.27 to +0.61. cost: passes of a whole training, the baseline's\n"
                              "being 1.\n"
                              "\n"
                              "mixup   HELPS, at least 0.2 points: +0.50 points accuracy (95% CI +0.39 to\n"
                              "        +0.61; 10 of 10 seeds; p <0.0001, Holm <0.0001)\n"
                              "cutmix  NOT WORTH IT: does not gain 0.2 points (one-sided 95% limit +0.04 points\n"
                              "        accuracy; 95% CI -0.27 to +0.07; n=10)\n"
                              "\n"
                              "budget       UNKNOWN whether the baseline's budget is enough: --no-converge left\n"
                              "             that out\n"
                              "one recipe   if you take one: mixup (90.50), better than every other arm (Holm p\n"
                              "             at most <0.0001); at equal updates, Holm over 3 pairs of arms\n"
                              "ledger       comparison #2 on this test set\n"
                              "metric       test accuracy, higher is better; margin: 0.2 points\n"
                              "seeds        2000 to 2009 (verdict), 10 complete blocks\n"
                              "tests        paired t over seeds, two-sided; Holm over 2 comparisons\n"
                              "fixed        data and their split: digits, 20 % wrong labels\n"
                              "             model: mlp, 12010 parameters\n"
                              "             budget: 30 epochs, 570 updates of 32 rows\n"
                              "             hyper-parameters: those of the base config (adamw, lr 0.003, cosine\n"
                              "             schedule) for every arm; no trick got tuning of its own\n"
                              "             threads of a trial: 1; sums are made in a fixed order\n"
                              "random       initial weights, order of the data, dropout, what tricks draw\n"
                              "failures     none; an arm without a failed trial may still fail in up to 26 % of\n"
                              "             trainings\n"
                              "note         all arms share one baseline: an unlucky one moves every verdict the\n"
                              "             same way\n");
    memory_free(text);
    fixture_free(analysis);
}

static void test_widths(void **state)
{
    (void)state;
    static const int arms[] = {2, 8, 20};
    static const int64_t widths[] = {80, 100, 132, 200};
    for (int i = 0; i < 3; i++) {
        struct analysis *analysis = fixture_analysis(arms[i], 6, arms[i] == 20 ? DESIGN_SCREEN : DESIGN_ONE);
        assert_non_null(analysis);
        for (int w = 0; w < 4; w++) {
            char *text = show(analysis, widths[w], w % 2);
            assert_true(widest_line(text) <= widths[w]);
            assert_lacks(text, "nan");
            assert_lacks(text, "NaN");
            memory_free(text);
        }
        fixture_free(analysis);
    }
}

/* The numbers of a line of the terminal, or of a row of the page, one after the other; minus signs may be those of printers. */
static int take_numbers(const char *text, size_t size, double *number)
{
    static const char minus[] = "\u2212";
    int count = 0;
    for (const char *at = text; at < text + size;) {
        bool printed = strncmp(at, minus, strlen(minus)) == 0;
        const char *digits = at + (printed ? strlen(minus) : *at == '-' || *at == '+');
        if (*digits >= '0' && *digits <= '9') {
            char *end;
            double value = strtod(digits, &end);
            number[count++] = printed || *at == '-' ? -value : value;
            at = end;
        } else {
            at += *at == '<' && at[1] > '9' ? strcspn(at, ">") : 1; /* a tag */
        }
    }
    return count;
}

/* Those behind the first `from` with the name in it, up to `to`. */
static int find_numbers(const char *text, const char *from, const char *name, const char *to, double *number)
{
    char *begin = memory_format(from, name);
    const char *at = strstr(text, begin);
    if (!at) fail_msg("no \"%s\" in:\n%s", begin, text);
    at += strlen(begin);
    memory_free(begin);
    return take_numbers(at, (size_t)(strstr(at, to) - at), number);
}

/* All that the terminal's table shows of a contrast stands in its row of the page, in the same order. */
static void assert_same_numbers(const struct analysis *analysis)
{
    char *screen = show(analysis, 0, false), *page = report_html(analysis);
    assert_non_null(page);
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        const char *title = analysis->contrast[c].title;
        double shown[32], paged[32];
        int numbers = find_numbers(screen, "\n%s  ", title, "\n", shown), found = 0;
        int all = find_numbers(page, ">%s</th><td role=\"cell\"", title, "class=\"words verdict", paged);
        for (int i = 0; i < all && found < numbers; i++) found += paged[i] == shown[found];
        assert_true(numbers >= 7);
        if (found < numbers) fail_msg("%g of %s is not in the page:\n%s", shown[found], title, screen);
    }
    memory_free(screen);
    memory_free(page);
}

static void test_terminal_and_page_hold_the_same_numbers(void **state)
{
    (void)state;
    static const enum design design[] = {DESIGN_ONE, DESIGN_ONE, DESIGN_FACTORIAL, DESIGN_ABLATION, DESIGN_SCREEN};
    static const int arms[] = {2, 20, 8, 8, 8};
    for (int i = 0; i < 5; i++) {
        struct analysis *analysis = fixture_analysis(arms[i], 12, design[i]);
        assert_non_null(analysis);
        assert_same_numbers(analysis);
        fixture_free(analysis);
    }
}

static void test_designs(void **state)
{
    (void)state;
    static const enum design design[] = {DESIGN_FACTORIAL, DESIGN_ABLATION, DESIGN_SCREEN};
    for (int i = 0; i < 3; i++) {
        struct analysis *analysis = fixture_analysis(8, 6, design[i]);
        assert_non_null(analysis);
        char *text = show(analysis, 80, true);
        assert_true(widest_line(text) <= 80);
        memory_free(text);
        text = show(analysis, 0, true);
        if (design[i] == DESIGN_SCREEN) {
            assert_holds(text, "SCREENING digits-small: ");
            assert_holds(text, "the best of 7 is overstated by about 1.35");
        }
        memory_free(text);
        fixture_free(analysis);
    }
}

static void test_no_screen(void **state)
{
    (void)state;
    struct analysis *analysis = fixture_analysis(8, 6, DESIGN_ONE);
    assert_non_null(analysis);
    char *text = show(analysis, 0, false);
    assert_holds(text, "n (failed)");
    assert_holds(text, "at equal cost");
    assert_holds(text, "comparison #3 on this test set");
    memory_free(text);
    fixture_free(analysis);
}

static void test_unfinished(void **state)
{
    (void)state;
    double value[] = {.9, .92, .91, NAN, .9, -INFINITY};
    struct analysis *analysis =
        recipe_analysis(&(struct recipe){.arms = 2, .seeds = 3, .planned = 10, .status = "running", .value = value, .failed_score = .1});
    assert_non_null(analysis);
    char *text = show(analysis, 80, false);
    assert_holds(text, "digits-small: 2 arms, 10 seeds, test accuracy (running)\n\n"
                       "arm         seeds  failed   mean\n"
                       "--------  -------  ------  -----\n"
                       "baseline  3 of 10       0  90.33\n"
                       "mixup     2 of 10       1  51.00\n");
    assert_lacks(text, "CI");
    assert_lacks(text, "HELPS");
    memory_free(text);
    fixture_free(analysis);
}

/* How many trials an arm of it gets is settled by results: none is promised. */
static void test_unfinished_screening(void **state)
{
    (void)state;
    double value[12];
    for (int i = 0; i < 12; i++) value[i] = .9 + .001 * (i % 5);
    struct analysis *analysis = recipe_analysis(
        &(struct recipe){.arms = 2, .seeds = 6, .planned = 3, .status = "interrupted", .value = value, .design = DESIGN_SCREEN});
    assert_non_null(analysis);
    char *text = show(analysis, 80, false), *page = report_html(analysis);
    assert_holds(text, "baseline      6       0  90.17\n");
    assert_lacks(text, "6 of 3");
    assert_holds(page, "<b>Not finished</b> (interrupted): 12 trials. ");
    assert_lacks(page, "6 of 3");
    memory_free(text);
    memory_free(page);
    fixture_free(analysis);
}

static void test_json(void **state)
{
    (void)state;
    struct analysis *analysis = fixture_analysis(2, 4, DESIGN_ONE);
    assert_non_null(analysis);
    struct console console = {.json = true};
    struct capture capture = begin();
    knack_status status = show_comparison(&console, analysis, NULL);
    char *text = end(&capture);
    assert_done(status);
    assert_true(text[0] == '{');
    memory_free(text);
    fixture_free(analysis);
}

/* ---- Several comparisons ---- */

static void test_two(void **state)
{
    (void)state;
    double first[24], second[24];
    for (int s = 0; s < 8; s++) {
        first[3 * s] = second[3 * s] = .9 + .01 * (s % 2);
        first[3 * s + 1] = first[3 * s] + .005 + .0005 * s;
        first[3 * s + 2] = first[3 * s] + .001 * (s - 3);
        second[3 * s + 1] = second[3 * s] + .002 * (s - 3);
        second[3 * s + 2] = second[3 * s] + .003;
    }
    static const char *const other[] = {"mixup", "sam"};
    struct analysis *a = recipe_analysis(&(struct recipe){.arms = 3, .seeds = 8, .value = first, .margin = .002});
    struct analysis *b = recipe_analysis(&(struct recipe){.arms = 3, .seeds = 8, .name = other, .value = second});
    assert_non_null(a);
    assert_non_null(b);
    struct console console = {.result_width = 80, .result_on_screen = true};
    struct capture capture = begin();
    knack_status status = show_two_comparisons(&console, a, b);
    char *text = end(&capture);
    assert_done(status);
    assert_string_equal(text, "A: digits-small, 3 arms, 8 seeds (done)\n"
                              "B: digits-small, 3 arms, 8 seeds (done)\n"
                              "\n"
                              "delta [interval]  verdict; shares in points\n"
                              "mixup\n"
                              "  A  +0.67 [+0.57, +0.78]  HELPS, at least 0.2 points\n"
                              "  B  +0.10 [-0.31, +0.51]  INCONCLUSIVE\n"
                              "cutmix\n"
                              "  A  +0.05 [-0.15, +0.25]  INCONCLUSIVE\n"
                              "  B  -\n"
                              "sam\n"
                              "  A  -\n"
                              "  B  +0.30  NO VERDICT\n"
                              "\n"
                              "metric       test accuracy\n"
                              "margin       A: 0.002; B: none\n"
                              "seeds        2000 to 2007, 8 complete blocks (verdict)\n"
                              "tests        Holm over 2 comparisons\n"
                              "config       examples/digits-small.json\n"
                              "baseline     90.50\n"
                              "command      knack compare examples/digits-small.json --tricks mixup,sam --seeds\n"
                              "             8\n"
                              "test set     1234567890abcdef\n"
                              "note         each is judged by itself; that one interval excludes 0 and the\n"
                              "             other does not is no difference between the two\n");
    memory_free(text);
    fixture_free(a);
    fixture_free(b);
}

static void test_list(void **state)
{
    (void)state;
    char folder[] = "/tmp/knack-list-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct store *store;
    double value[] = {.9, .91};
    assert_done(recipe_store(&(struct recipe){.arms = 2, .seeds = 1, .value = value}, folder, &store));
    store_close(store);
    char nowhere[] = "/nowhere", *list[] = {folder, nowhere};
    struct console console = {.result_width = 0};
    struct capture capture = begin();
    knack_status status = show_comparison_list(&console, list, 2);
    char *text = end(&capture);
    assert_done(status);
    assert_holds(text, folder);
    assert_holds(text, "test accuracy  done");
    assert_holds(text, "/nowhere");
    memory_free(text);
    recipe_remove(folder);
    capture = begin();
    status = show_comparison_list(&console, NULL, 0);
    text = end(&capture);
    assert_done(status);
    assert_string_equal(text, "no comparison here; knack compare CONFIG --tricks TRICKS makes one\n");
    memory_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interval_lines),
        cmocka_unit_test(test_paragraphs),
        cmocka_unit_test(test_small_table),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_terminal_and_page_hold_the_same_numbers),
        cmocka_unit_test(test_designs),
        cmocka_unit_test(test_no_screen),
        cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_unfinished_screening),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_two),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
