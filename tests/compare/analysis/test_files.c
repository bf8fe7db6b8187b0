/* comparison.json and the raw values, as programs read them. */
#include "base/test.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "compare/report/report.h"
#include "fixture.h"

/* ---- comparison.json ---- */

static struct json_document *parse(const struct analysis *analysis)
{
    struct json_document *document;
    char *text = report_json(analysis);
    assert_non_null(text);
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf,"));
    assert_done(json_parse(text, strlen(text), "comparison.json", &document));
    memory_free(text);
    return document;
}

static const struct json *entry(const struct json *object, const char *list, const char *name)
{
    for (const struct json *item = json_member(object, list)->first; item; item = item->next)
        if (strcmp(json_member(item, "name")->string, name) == 0) return item;
    fail_msg("no %s in %s", name, list);
    return NULL;
}

static double number(const struct json *object, const char *name)
{
    const struct json *member = json_member(object, name);
    if (!member) fail_msg("no %s", name);
    return member->kind == JSON_NUMBER ? member->number : NAN;
}

static void assert_members(const struct json *object, const char *const *name)
{
    for (; *name; name++)
        if (!json_member(object, *name)) fail_msg("no member %s", *name);
}

static const char *const arm_members[] = {"name",    "n",          "failed", "baseline", "mean",        "delta", "ci",
                                          "p",       "p_holm",     "wins",   "s_d",      "transfer_ci", "cost",  "delta_equal_cost",
                                          "verdict", "qualifiers", NULL};

static void test_json(void **state)
{
    (void)state;
    static const char *const members[] = {"name",      "role", "design", "metric", "margin",     "seeds", "status",  "comparison_number",
                                          "test_set",  "data", "fixed",  "random", "adjustment", "knack", "machine", "arms",
                                          "contrasts", NULL};
    struct analysis *analysis = fixture_analysis(8, 8, DESIGN_ONE);
    assert_non_null(analysis);
    struct json_document *document = parse(analysis);
    const struct json *root = document->root, *mixup = entry(root, "arms", "mixup");
    assert_members(root, members);
    for (const struct json *arm = json_member(root, "arms")->first; arm; arm = arm->next) assert_members(arm, arm_members);
    assert_string_equal(json_member(root, "metric")->string, "test.accuracy");
    assert_string_equal(json_member(root, "test_set")->string, "1234567890abcdef");
    assert_int_equal(json_member(root, "arms")->count, 12);
    assert_true(fabs(number(mixup, "mean") - number(mixup, "baseline") - number(mixup, "delta")) < 1e-12);
    assert_true(json_member(mixup, "ci")->first->number < number(mixup, "delta"));
    assert_int_equal(json_member(mixup, "differences")->count, 8);
    assert_int_equal(json_member(mixup, "trials")->count, 8);
    assert_string_equal(json_member(json_member(mixup, "tricks")->first, "name")->string, "mixup");
    assert_string_equal(json_member(mixup, "changes")->first->string, "plugins: + mixup (alpha 0.2)");
    assert_string_equal(json_member(entry(root, "arms", "awp"), "trials")->first->next->next->first->next->string, "not finite");
    const struct json *base = entry(root, "arms", "baseline");
    assert_int_equal(json_member(base, "delta")->kind, JSON_NULL);
    assert_int_equal(json_member(base, "verdict")->kind, JSON_NULL);
    assert_string_equal(json_member(entry(root, "arms", "baseline x2"), "kind")->string, "budget");
    assert_true(number(json_member(entry(root, "arms", "sam"), "equal_cost"), "cost") == 2);
    json_free(document);
    fixture_free(analysis);
}

static void test_json_of_factorials(void **state)
{
    (void)state;
    struct analysis *analysis = fixture_analysis(4, 6, DESIGN_FACTORIAL);
    assert_non_null(analysis);
    struct json_document *document = parse(analysis);
    const struct json *both = entry(document->root, "contrasts", "mixup x cutmix");
    assert_string_equal(json_member(both, "kind")->string, "interaction");
    assert_string_equal(json_member(both, "family")->string, "interactions");
    assert_true(number(json_member(both, "weights"), "mixup") == -.5);
    assert_int_equal(json_member(both, "baseline")->kind, JSON_NULL);
    assert_int_equal(json_member(entry(document->root, "arms", "mixup"), "delta")->kind, JSON_NULL);
    json_free(document);
    fixture_free(analysis);
}

/* A loss that falls: below 0 as people expect it, and better all the same. */
static void test_json_direction(void **state)
{
    (void)state;
    double value[16];
    for (int s = 0; s < 8; s++) {
        value[2 * s] = .5 + .02 * (s % 2);
        value[2 * s + 1] = value[2 * s] - .03 - .001 * s;
    }
    struct analysis *analysis =
        recipe_analysis(&(struct recipe){.arms = 2, .seeds = 8, .metric = "loss", .lower_is_better = true, .value = value});
    assert_non_null(analysis);
    struct json_document *document = parse(analysis);
    const struct json *arm = entry(document->root, "arms", "mixup");
    assert_true(fabs(number(arm, "delta") - -.0335) < 1e-12);
    assert_true(json_member(arm, "ci")->first->number < -.0335 && json_member(arm, "ci")->first->next->number > -.0335);
    assert_true(number(arm, "wins") == 8);
    assert_string_equal(json_member(arm, "verdict_kind")->string, "helps");
    json_free(document);
    fixture_free(analysis);
}

static void test_json_unfinished(void **state)
{
    (void)state;
    const double none = -INFINITY;
    double value[] = {.9, .92, .91, .92, .9, .95, .91, none};
    struct analysis *analysis =
        recipe_analysis(&(struct recipe){.arms = 2, .seeds = 4, .planned = 10, .status = "running", .value = value});
    assert_non_null(analysis);
    struct json_document *document = parse(analysis);
    const struct json *arm = entry(document->root, "arms", "mixup");
    assert_true(number(arm, "n") == 3);
    assert_true(fabs(number(arm, "delta") - .08 / 3) < 1e-12);
    assert_int_equal(json_member(arm, "p")->kind, JSON_NULL);
    assert_int_equal(json_member(arm, "ci")->kind, JSON_NULL);
    assert_string_equal(json_member(arm, "verdict")->string, "NOT FINISHED");
    json_free(document);
    fixture_free(analysis);
}

/* ---- Raw values ---- */

static void test_values(void **state)
{
    (void)state;
    static const char *const name[] = {"mixup, 'wide'"};
    const double none = -INFINITY;
    double value[] = {.5, .75, .5, NAN, .5, none};
    struct analysis *analysis =
        recipe_analysis(&(struct recipe){.arms = 2, .seeds = 3, .name = name, .value = value, .failed_score = .125});
    assert_non_null(analysis);
    char *text = report_csv(analysis);
    assert_string_equal(text, "arm,kind,seed,status,value,difference,message\n"
                              "baseline,baseline,2000,done,0.5,,\n"
                              "baseline,baseline,2001,done,0.5,,\n"
                              "baseline,baseline,2002,done,0.5,,\n"
                              "\"mixup, 'wide'\",treated,2000,done,0.75,0.25,\n"
                              "\"mixup, 'wide'\",treated,2001,not finite,0.125,-0.375,\"loss or gradient was not finite in 11 steps "
                              "in a row, at step 233\"\n");
    memory_free(text);
    fixture_free(analysis);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct analysis *analysis = fixture_analysis(4, 4, DESIGN_ONE);
    assert_non_null(analysis);
    char *(*const make[])(const struct analysis *) = {report_json, report_csv};
    for (int i = 0; i < 2; i++) {
        char *text = NULL;
        for (int64_t nth = 1; !text; nth++) {
            memory_fail_at(nth);
            text = make[i](analysis);
            memory_fail_at(0);
        }
        memory_free(text);
    }
    fixture_free(analysis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),           cmocka_unit_test(test_json_of_factorials),
        cmocka_unit_test(test_json_direction), cmocka_unit_test(test_json_unfinished),
        cmocka_unit_test(test_values),         cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
