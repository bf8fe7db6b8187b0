/* report.html: well-formed, escaped, without script and without anything from elsewhere; what it says, and what not before the end. */
#include "base/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../analysis/fixture.h"
#include "base/file.h"
#include "base/memory.h"
#include "compare/report/page.h"
#include "compare/report/report.h"

#define HOSTILE "<script>alert(\"x\")</script> & 'q' \xf0\x9f\x98\x80 \xff\x01"
#define ESCAPED                                                                                                                            \
    "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;q&#39; \xf0\x9f\x98\x80 \xef\xbf\xbd\xef\xbf\xbd" /* U+FFFD twice */

static char *page_of(const struct analysis *analysis)
{
    char *page = report_html(analysis);
    if (!page) fail_msg("report_html: %s", knack_error());
    return page;
}

static struct analysis *fixture(int arms, int seeds, enum design design)
{
    struct analysis *analysis = fixture_analysis(arms, seeds, design);
    if (!analysis) fail_msg("fixture_analysis: %s", knack_error());
    return analysis;
}

static void assert_has(const char *page, const char *text)
{
    if (!strstr(page, text)) fail_msg("the page does not have: %s", text);
}

static void assert_has_not(const char *page, const char *text)
{
    const char *found = strstr(page, text);
    if (found) fail_msg("the page has: %.80s", found);
}

/* ---- Well-formed ---- */

struct open_tags {
    char name[64][24];
    int depth;
};

static bool is_void(const char *name)
{
    static const char *const names[] = {"meta", "link", "br", "img", "!DOCTYPE", NULL};
    for (int i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* Attributes: name="value", with nothing in the value that needs escaping; returns what follows the tag. */
static const char *check_attributes(const char *at)
{
    while (*at != '>' && strncmp(at, "/>", 2) != 0) {
        if (*at == '\0') fail_msg("a tag does not end");
        if (*at == '<') fail_msg("a tag within a tag: %.60s", at);
        if (*at++ != '"') continue;
        const char *end = strchr(at, '"');
        if (!end) fail_msg("an attribute does not end: %.60s", at);
        if (memchr(at, '<', (size_t)(end - at))) fail_msg("an attribute has <: %.60s", at);
        at = end + 1;
    }
    return at;
}

static const char *check_tag(const char *at, struct open_tags *open)
{
    char name[24];
    bool closing = at[1] == '/';
    at += 1 + closing;
    size_t length = strcspn(at, " >/\n");
    assert_true(length > 0 && length < sizeof name);
    memcpy(name, at, length);
    name[length] = '\0';
    at = check_attributes(at + length);
    if (closing) {
        if (open->depth == 0 || strcmp(open->name[open->depth - 1], name) != 0)
            fail_msg("</%s> closes <%s>", name, open->depth ? open->name[open->depth - 1] : "nothing");
        open->depth--;
    } else if (*at != '/' && !is_void(name)) {
        assert_true(open->depth < 64);
        memcpy(open->name[open->depth++], name, sizeof name);
    }
    return strchr(at, '>') + 1;
}

static void check_entity(const char *at)
{
    size_t length = strcspn(at, "; <");
    if (at[length] != ';' || length > 8) fail_msg("a bare &: %.40s", at);
}

static void assert_well_formed(const char *page)
{
    struct open_tags open = {.depth = 0};
    assert_int_equal(strncmp(page, "<!DOCTYPE html>\n", 16), 0);
    for (const char *at = page; *at;) {
        if (*at == '&') check_entity(at);
        if (*at == '<')
            at = check_tag(at, &open);
        else
            at++;
        bool in_style = open.depth > 0 && strcmp(open.name[open.depth - 1], "style") == 0;
        if (in_style) at = strstr(at, "</style>");
    }
    if (open.depth != 0) fail_msg("<%s> is not closed", open.name[open.depth - 1]);
}

/* ---- Nothing that is not a number, nothing from elsewhere ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void assert_no_word(const char *page, const char *word)
{
    for (const char *at = page; (at = strstr(at, word)) != NULL; at++)
        if ((at == page || !is_letter(at[-1])) && !is_letter(at[strlen(word)]))
            fail_msg("%s: %.60s", word, at > page + 20 ? at - 20 : page);
}

static void assert_alone(const char *page)
{
    assert_has_not(page, "<script");
    assert_has_not(page, "http:");
    assert_has_not(page, "https:");
    assert_has_not(page, "@import");
    assert_has_not(page, "url(");
    assert_has_not(page, " src=");
    assert_has_not(page, " onload");
    assert_no_word(page, "nan");
    assert_no_word(page, "NaN");
    assert_no_word(page, "inf");
    assert_has(page, "default-src 'none'");
}

static void check_page(int arms, int seeds, enum design design)
{
    struct analysis *analysis = fixture(arms, seeds, design);
    char *page = page_of(analysis);
    assert_well_formed(page);
    assert_alone(page);
    memory_free(page);
    fixture_free(analysis);
}

static void pages_are_well_formed_and_stand_alone(void **state)
{
    (void)state;
    check_page(2, 5, DESIGN_ONE);
    check_page(8, 20, DESIGN_ONE);
    check_page(20, 10, DESIGN_ONE);
    check_page(8, 6, DESIGN_FACTORIAL);
    check_page(16, 6, DESIGN_FACTORIAL);
    check_page(20, 6, DESIGN_SCREEN);
}

static void a_page_says_what_was_compared_and_found(void **state)
{
    (void)state;
    struct analysis *analysis = fixture(8, 20, DESIGN_ONE);
    char *page = page_of(analysis);
    assert_has(page, "<html lang=\"en\"");
    assert_has(page, "comparison <b>#3</b>");
    assert_has(page, "20 seeds, fixed before the first trial");
    assert_has(page, "Seeds</dt><dd>2000 to 2019");
    assert_has(page, "<th scope=\"row\" role=\"rowheader\" class=\"words\">mixup</th>");
    assert_has(page, "Holm");
    assert_has(page, "not finite");
    assert_has(page, "<details");
    char *result = strstr(page, "id=\"result\"");
    *strstr(result, "</section>") = '\0';
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        assert_has(result, analysis->contrast[c].verdict.word);
        assert_has_not(result, analysis->contrast[c].verdict.sentence); /* its word stands in the row, the rest below */
    }
    memory_free(page);
    fixture_free(analysis);
}

static void a_screening_is_titled_so(void **state)
{
    (void)state;
    struct analysis *analysis = fixture(12, 6, DESIGN_SCREEN);
    char *page = page_of(analysis);
    assert_has(page, "<title>Screening: ");
    assert_has(page, "Screening of training tricks");
    assert_has(page, "--confirm");
    memory_free(page);
    fixture_free(analysis);
}

static void names_are_escaped(void **state)
{
    (void)state;
    struct analysis *analysis = fixture(3, 6, DESIGN_ONE);
    struct plan *plan = analysis->plan;
    static char hostile[] = HOSTILE, tricks[] = "[{\"name\": \"<script>\", \"plugin\": \"<img>\", \"version\": \"<\", \"options\": "
                                                "{\"<b>\": \"</td>\"}}]";
    char *kept[] = {plan->name, plan->arm[1].name, plan->arm[1].tricks, plan->command, plan->contrast[0].name};
    const char *title = analysis->contrast[0].title;
    plan->name = plan->arm[1].name = plan->command = plan->contrast[0].name = hostile;
    plan->arm[1].tricks = tricks;
    analysis->contrast[0].title = hostile;
    char *page = page_of(analysis);
    assert_well_formed(page);
    assert_alone(page);
    assert_has_not(page, "<img");
    assert_has(page, "<h1>" ESCAPED "</h1>");
    assert_has(page, "<code>" ESCAPED "</code>");
    assert_has(page, "<th scope=\"row\" role=\"rowheader\" class=\"words\">" ESCAPED "</th>");
    assert_has(page, "<code>&lt;b&gt; &lt;/td&gt;</code>");
    memory_free(page);
    plan->name = kept[0];
    plan->arm[1].name = kept[1];
    plan->arm[1].tricks = kept[2];
    plan->command = kept[3];
    plan->contrast[0].name = kept[4];
    analysis->contrast[0].title = title;
    fixture_free(analysis);
}

/* ---- The raw numbers ---- */

static void the_link_holds_the_csv(void **state)
{
    (void)state;
    static const char before[] = "download=\"values.csv\" href=\"data:text/csv;charset=utf-8,";
    struct analysis *analysis = fixture(8, 20, DESIGN_ONE);
    char *page = page_of(analysis), *csv = report_csv(analysis), *to = page;
    assert_has(page, before);
    const char *from = strstr(page, before) + strlen(before);
    while (*from != '"') {
        char digits[3] = {from[1], from[2], '\0'};
        bool coded = *from == '%';
        *to++ = coded ? (char)strtol(digits, NULL, 16) : *from;
        from += coded ? 3 : 1;
    }
    *to = '\0';
    assert_string_equal(page, csv);
    memory_free(csv);
    memory_free(page);
    fixture_free(analysis);
}

/* ---- Before the end ---- */

static void an_unfinished_page_has_counts_and_means_only(void **state)
{
    (void)state;
    static const char *const unsaid[] = {"HELPS", "HURTS", "INCONCLUSIVE", "Holm", "<svg", "class=\"sentence\"", "Sign-flip", ">p<", NULL};
    struct analysis *analysis = fixture(8, 20, DESIGN_ONE);
    analysis->finished = false;
    analysis->remarks = 0; /* they are those of the end */
    strcpy(analysis->status, "interrupted");
    char *page = page_of(analysis);
    assert_well_formed(page);
    assert_alone(page);
    assert_has(page, "<b>Not finished</b> (interrupted)");
    assert_has(page, "Counts and means only");
    assert_has(page, "20 of 20");
    for (int i = 0; unsaid[i]; i++) assert_has_not(strstr(page, "<main>"), unsaid[i]);
    memory_free(page);
    strcpy(analysis->status, "waiting");
    page = page_of(analysis);
    assert_has(page, "Their arms have no verdict; the same command makes");
    assert_has(page, "HELPS");
    memory_free(page);
    strcpy(analysis->status, "interrupted");
    analysis->plan->stopping = STOP_LOOKS;
    page = page_of(analysis);
    assert_has(page, "<b>Not finished</b> (interrupted)");
    assert_has(page, "class=\"sentence\"");
    assert_has(page, "Seeds at its look");
    assert_well_formed(page);
    assert_alone(page);
    memory_free(page);
    fixture_free(analysis);
}

static void inference_that_is_not_there_is_a_dash(void **state)
{
    (void)state;
    struct analysis *analysis = fixture(2, 5, DESIGN_ONE);
    struct estimate *estimate = &analysis->contrast[0].estimate;
    estimate->s_d = estimate->se = estimate->t = analysis->contrast[0].p = estimate->p_flip = estimate->vrf = estimate->rho = NAN;
    estimate->ci = estimate->simultaneous = estimate->next = estimate->relative_ci = estimate->wins_ci = (struct interval){NAN, NAN};
    estimate->relative = estimate->detectable = NAN;
    analysis->contrast[0].verdict.word = NULL;
    analysis->contrast[0].verdict.kind = VERDICT_NONE;
    analysis->arm[1].cost.cpu = analysis->arm[1].cpu_seconds = NAN;
    char *page = page_of(analysis);
    assert_well_formed(page);
    assert_alone(page);
    assert_has(page, "no verdict");
    memory_free(page);
    fixture_free(analysis);
}

/* ---- Numbers ---- */

/* What the page shows is what the terminal shows, typeset. */
static void numbers_stand_as_printed(void **state)
{
    (void)state;
    struct analysis *analysis = fixture(2, 5, DESIGN_ONE);
    struct estimate *estimate = &analysis->contrast[0].estimate;
    analysis->contrast[0].p = .1023;
    estimate->delta = -.01234;
    estimate->ci = (struct interval){-.0163, -.0083};
    char *page = page_of(analysis);
    assert_has(page, "data-label=\"p\">0.10</td>");
    assert_has(page, ">\xe2\x88\x92"
                     "1.23<small>\xe2\x88\x92"
                     "1.63 to \xe2\x88\x92"
                     "0.83</small>");
    memory_free(page);
    analysis->contrast[0].p = 1;
    analysis->plan->stopping = STOP_LOOKS;
    page = page_of(analysis);
    assert_has(page, "data-label=\"p\">&gt;0.2</td>");
    memory_free(page);
    fixture_free(analysis);
}

static void one_is_no_plural(void **state)
{
    (void)state;
    struct analysis *analysis = fixture(2, 5, DESIGN_ONE);
    analysis->plan->margin = .01;
    analysis->blocks = 1;
    char *page = page_of(analysis);
    assert_has(page, "<dd>1 point of accuracy: smaller");
    assert_has(page, "; 1 complete block, in each of which");
    assert_has(page, "within the margin of 1 point<");
    memory_free(page);
    fixture_free(analysis);
}

/* ---- The order, and what it tells of arms and trials ---- */

static void assert_before(const char *page, const char *first, const char *then)
{
    const char *one = strstr(page, first), *other = strstr(page, then);
    if (!one || !other || one > other) fail_msg("%s does not stand before %s", first, then);
}

static void the_answer_comes_first(void **state)
{
    (void)state;
    struct analysis *analysis = fixture(8, 20, DESIGN_ONE);
    char *page = page_of(analysis);
    assert_before(page, "Against the baseline: <b", "id=\"result\"");
    assert_before(page, "These verdicts are for 30 epochs only: twice as many gain", "id=\"result\"");
    assert_before(page, "id=\"figures\"", "id=\"setup\"");
    assert_before(page, "id=\"figure-forest\"", "id=\"figure-paired\""); /* of many arms, the best first */
    const char *forest = strstr(page, "id=\"figure-forest\"");
    assert_before(forest, ">mixup</text>", ">sam</text>");
    assert_before(forest, ">sam</text>", ">cutmix</text>");
    assert_has(page, "NOT ENOUGH, the baseline is not done: twice the updates gain the baseline +1.0 points accuracy (20 seeds)");
    assert_has(page, "train.loss: of the last epoch");
    assert_has(page, "<th scope=\"col\">class 4</th>");
    assert_before(page, "id=\"recalls\"", "id=\"costs\"");
    assert_has(page, "All trials together took 2:49 min of CPU time.");
    memory_free(page);
    fixture_free(analysis);
    analysis = fixture(4, 5, DESIGN_ONE);
    page = page_of(analysis);
    assert_before(page, "id=\"figure-paired\"", "id=\"figure-forest\"");
    assert_has(page, "UNKNOWN whether the baseline&#39;s budget is enough");
    assert_has_not(page, "verdicts hold for");
    memory_free(page);
    fixture_free(analysis);
}

static void seeds_are_told_by_arm_where_they_differ(void **state)
{
    (void)state;
    double value[40];
    for (int i = 0; i < 40; i++) value[i] = i % 2 && i >= 12 ? -INFINITY : .5 + .01 * (i % 7);
    struct analysis *analysis = recipe_analysis(
        &(struct recipe){.stopping = STOP_LOOKS, .arms = 2, .seeds = 20, .look = {6, 20}, .looks = 2, .margin = .01, .value = value});
    assert_non_null(analysis);
    char *page = page_of(analysis);
    assert_has(page, "; of them baseline 20, mixup 6</dd>");
    assert_has(page, "Repeated intervals and confidence sequences hold although");
    memory_free(page);
    fixture_free(analysis);
}

static void trials_that_do_not_count_are_told(void **state)
{
    (void)state;
    struct analysis *analysis = fixture(8, 6, DESIGN_ONE);
    analysis->asides = analysis->warnings = 1;
    memory_free(analysis->aside);
    memory_free(analysis->warning);
    analysis->aside = memory_new(1, sizeof *analysis->aside);
    analysis->warning = memory_new(1, sizeof *analysis->warning);
    *analysis->aside = (struct stored_trial){.arm = 2,
                                             .seed = 2003,
                                             .status = TRIAL_CRASHED,
                                             .step = 6,
                                             .message = "ended by <9>",
                                             .place = "trick \"cutmix\"",
                                             .aside = "machine"};
    *analysis->warning = (struct stored_warning){.arm = 3, .trials = 6, .text = "nothing to agree on"};
    char *page = page_of(analysis);
    assert_well_formed(page);
    assert_has(page, "<td class=\"words\">not finite</td><td>233</td><td class=\"words\">trick &quot;awp&quot;, hook post_backward</td>");
    assert_has(page, "<td>2003</td><td class=\"words\">crashed</td><td>7</td><td class=\"words\">trick &quot;cutmix&quot;</td>"
                     "<td class=\"words\">ended by &lt;9&gt;</td><td class=\"words\">machine</td>");
    assert_has(page, "<td>6</td><td class=\"words\">nothing to agree on</td>");
    memory_free(page);
    fixture_free(analysis);
}

/* ---- Files ---- */

static char *temporary(void)
{
    static char folder[64];
    snprintf(folder, sizeof folder, "%s", "/tmp/knack-report-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

static void remove_all(const char *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

static bool has_file(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return file_exists(path);
}

static void put_file(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_done(file_write(path, "old", 3));
}

static void a_report_replaces_the_one_before(void **state)
{
    (void)state;
    char *folder = temporary(), charts[128];
    struct analysis *analysis = fixture(4, 6, DESIGN_ONE);
    snprintf(charts, sizeof charts, "%s/charts", folder);
    assert_done(file_make_folder(charts));
    put_file(charts, "forest-09-gone.svg");
    put_file(charts, "my-own.svg");
    put_file(charts, "forest-notes.txt");
    assert_done(report_write(analysis, folder));
    static const char *const made[] = {
        "report.html",       "comparison.json",         "values.csv", "charts/forest.svg", "charts/paired-01-mixup.svg",
        "charts/my-own.svg", "charts/forest-notes.txt", NULL};
    for (int i = 0; made[i]; i++)
        if (!has_file(folder, made[i])) fail_msg("%s is missing", made[i]);
    assert_false(has_file(charts, "forest-09-gone.svg"));
    analysis->finished = false; /* no charts of what is not finished */
    assert_done(report_write(analysis, folder));
    assert_false(has_file(charts, "forest.svg"));
    assert_true(has_file(charts, "my-own.svg"));
    fixture_free(analysis);
    remove_all(folder);
}

static void errors_name_the_file(void **state)
{
    (void)state;
    char *folder = temporary(), taken[128];
    struct analysis *analysis = fixture(2, 5, DESIGN_ONE);
    snprintf(taken, sizeof taken, "%s/charts", folder);
    put_file(folder, "charts");
    assert_true(report_write(analysis, folder) < 0);
    if (!strstr(knack_error(), taken)) fail_msg("the message does not name %s: %s", taken, knack_error());
    fixture_free(analysis);
    remove_all(folder);
}

/* ---- Memory ---- */

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct analysis *analysis = fixture(3, 4, DESIGN_ONE);
    int64_t before = memory_allocations();
    char *page = page_of(analysis);
    int64_t all = memory_allocations() - before;
    memory_free(page);
    for (int64_t n = 1; n <= all; n += 1 + n / 50) {
        memory_fail_at(n);
        page = report_html(analysis);
        memory_fail_at(0);
        if (page) fail_msg("allocation %lld of %lld failed, and there is a page", (long long)n, (long long)all);
        memory_free(page);
    }
    fixture_free(analysis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_well_formed_and_stand_alone),
        cmocka_unit_test(a_page_says_what_was_compared_and_found),
        cmocka_unit_test(a_screening_is_titled_so),
        cmocka_unit_test(names_are_escaped),
        cmocka_unit_test(the_link_holds_the_csv),
        cmocka_unit_test(an_unfinished_page_has_counts_and_means_only),
        cmocka_unit_test(inference_that_is_not_there_is_a_dash),
        cmocka_unit_test(numbers_stand_as_printed),
        cmocka_unit_test(one_is_no_plural),
        cmocka_unit_test(the_answer_comes_first),
        cmocka_unit_test(seeds_are_told_by_arm_where_they_differ),
        cmocka_unit_test(trials_that_do_not_count_are_told),
        cmocka_unit_test(a_report_replaces_the_one_before),
        cmocka_unit_test(errors_name_the_file),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
