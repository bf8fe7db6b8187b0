/* comparison.json and the raw values, as programs read them. */
#include "base/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
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

/* Of one seed: each arm's cost, the baseline's being 1. */
static double number_of_passes(const struct analysis *analysis)
{
    double sum = 0;
    for (int64_t a = 0; a < analysis->plan->arms; a++) sum += analysis->arm[a].cost.counted;
    return sum;
}

static const struct json *line(const struct json *entry, const char *name)
{
    const struct json *line = json_member(entry, name);
    if (line->kind != JSON_OBJECT) fail_msg("no line %s", name);
    return line;
}

static void test_json(void **state)
{
    (void)state;
    struct analysis *analysis = fixture_analysis(8, 8, DESIGN_ONE);
    assert_non_null(analysis);
    strcpy(analysis->trial[5].place, "trick \"awp\", hook post_backward");
    struct json_document *document = parse(analysis);
    const struct json *root = document->root, *mixup = entry(root, "arms", "mixup"), *updates = line(mixup, "equal_updates");
    assert_string_equal(json_member(root, "metric")->string, "test.accuracy");
    assert_string_equal(json_member(root, "test_set")->string, "1234567890abcdef");
    assert_int_equal(json_member(root, "arms")->count, 12);
    assert_true(fabs(number(mixup, "mean") - number(mixup, "baseline") - number(updates, "delta")) < 1e-12);
    assert_true(json_member(updates, "ci")->first->number < number(updates, "delta") &&
                number(updates, "upper") > number(updates, "delta"));
    assert_int_equal(json_member(updates, "differences")->count, 8);
    assert_int_equal(json_member(mixup, "trials")->count, 8);
    assert_string_equal(json_member(json_member(mixup, "tricks")->first, "name")->string, "mixup");
    assert_string_equal(json_member(mixup, "changes")->first->string, "plugins: + mixup (alpha 0.2)");
    assert_string_equal(json_member_text(json_member(entry(root, "arms", "awp"), "trials")->first->next->next, "status", ""), "not finite");
    assert_string_equal(json_member_text(json_member(entry(root, "arms", "awp"), "trials")->first, "place", ""),
                        "trick \"awp\", hook post_backward");
    const struct json *base = entry(root, "arms", "baseline"), *sam = entry(root, "arms", "sam"), *cost = json_member(sam, "cost");
    assert_int_equal(json_member(base, "verdict")->kind, JSON_NULL);
    assert_int_equal(json_member(base, "equal_updates")->kind, JSON_NULL);
    assert_int_equal(json_member(mixup, "equal_cost")->kind, JSON_NULL);
    assert_string_equal(json_member(entry(root, "arms", "baseline x2"), "kind")->string, "budget");
    assert_true(number(cost, "passes") == 2 && number(cost, "at") == 2 && json_member(cost, "differs")->flag);
    assert_true(number(sam, "p") == fmax(number(line(sam, "equal_updates"), "p"), number(line(sam, "equal_cost"), "p")));
    assert_true(json_member(json_member(root, "convergence"), "known")->flag);
    assert_true(fabs(number(root, "cpu_seconds") - 8 * .39 * number_of_passes(analysis)) < 1e-9);
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
    assert_true(json_member(both, "weights")->count == 4 && json_member(both, "weights")->first->next->number == -.5);
    assert_int_equal(json_member(both, "baseline")->kind, JSON_NULL);
    assert_int_equal(json_member(entry(document->root, "arms", "mixup"), "equal_updates")->kind, JSON_NULL);
    json_free(document);
    fixture_free(analysis);
}

/* Trials that were set aside, what the machine and somebody who asked did to them, warnings, and folders that others came from. */
static void test_json_of_the_store(void **state)
{
    (void)state;
    char folder[] = "/tmp/knack-files-XXXXXX";
    assert_non_null(mkdtemp(folder));
    double value[] = {.9, .92, .95, .91, .92, .955, .9, .95, .953, .91, .93, .95, -INFINITY, -INFINITY, .956};
    struct recipe recipe = {.arms = 3, .seeds = 5, .value = value, .status = "waiting"};
    struct store *store;
    struct analysis *analysis;
    assert_done(recipe_store(&recipe, folder, &store));
    struct trial_outcome broken = {.status = TRIAL_CRASHED, .value = NAN, .fault = FAULT_MACHINE, .step = 7, .aside = "machine"};
    strcpy(broken.place, "trick \"mixup\", hook pre_step");
    strcpy(broken.message, "ended by signal 9");
    assert_done(store_add_trial(store, 1, 2004, &broken));
    struct trial_outcome warned = {.value = .9, .warnings = (char[]){"nothing to agree on"}};
    assert_done(store_add_trial(store, 0, 2004, &warned));
    assert_done(analysis_new(store, &analysis));
    strcpy(analysis->trial[0].source, "/elsewhere");
    analysis->plan->arm[1].read[0] = 3;
    analysis->plan->arm[1].reads = 1;
    analysis->plan->arm[1].joined = true;
    struct json_document *document = parse(analysis);
    const struct json *root = document->root, *mixup = entry(root, "arms", "mixup"), *base = entry(root, "arms", "baseline");
    const struct json *aside = json_member(mixup, "set_aside")->first, *warning = json_member(base, "warnings")->first;
    assert_string_equal(json_member_text(aside, "why", ""), "machine");
    assert_string_equal(json_member_text(aside, "fault", ""), "machine");
    assert_string_equal(json_member_text(aside, "status", ""), "crashed");
    assert_string_equal(json_member_text(aside, "place", ""), "trick \"mixup\", hook pre_step");
    assert_string_equal(json_member_text(aside, "message", ""), "ended by signal 9");
    assert_true(number(aside, "step") == 7 && number(aside, "seed") == 2004);
    assert_int_equal(json_member(mixup, "trials")->count, 4);
    assert_true(json_member(mixup, "waits")->flag);
    assert_string_equal(json_member_text(mixup, "verdict", ""), "WAITS");
    assert_string_equal(json_member_text(entry(root, "arms", "cutmix"), "verdict", ""), "HELPS"); /* it has all its trials */
    assert_string_equal(json_member_text(warning, "text", ""), "nothing to agree on");
    assert_true(number(warning, "trials") == 1);
    assert_string_equal(json_member(root, "sources")->first->string, "/elsewhere");
    assert_true(json_member(mixup, "read")->first->number == 3 && json_member(mixup, "joined")->flag);
    json_free(document);
    analysis_free(analysis);
    store_close(store);
    recipe_remove(folder);
}

/* ---- The schema ---- */

static bool has_type(const struct json *type, const struct json *value)
{
    static const char *const name[] = {"null", "boolean", "number", "string", "array", "object"};
    if (type->kind == JSON_ARRAY) return has_type(type->first, value) || has_type(type->first->next, value);
    if (strcmp(type->string, "integer") == 0) return value->kind == JSON_NUMBER && value->number == floor(value->number);
    return strcmp(type->string, name[value->kind]) == 0;
}

static bool is_among(const struct json *list, const struct json *value)
{
    for (const struct json *one = list->first; one; one = one->next)
        if (one->kind == value->kind && (one->kind == JSON_NULL || strcmp(one->string, value->string) == 0)) return true;
    return false;
}

/* As far as the schema goes: type, enum, required, properties, items. */
static void assert_fits(const struct json *schema, const struct json *value)
{
    const struct json *type = json_member(schema, "type"), *names = json_member(schema, "enum"), *items = json_member(schema, "items");
    const struct json *required = json_member(schema, "required"), *properties = json_member(schema, "properties");
    if (type && !has_type(type, value)) fail_msg("%s is of another type", json_path(value));
    if (names && !is_among(names, value)) fail_msg("%s is none of the names", json_path(value));
    for (const struct json *child = value->kind == JSON_ARRAY && items ? value->first : NULL; child; child = child->next)
        assert_fits(items, child);
    if (value->kind != JSON_OBJECT || !properties) return;
    for (const struct json *name = required->first; name; name = name->next)
        if (!json_member(value, name->string)) fail_msg("%s has no %s", json_path(value), name->string);
    for (const struct json *child = value->first; child; child = child->next) {
        if (!json_member(properties, child->name)) fail_msg("%s is not in the schema", json_path(child));
        assert_fits(json_member(properties, child->name), child);
    }
}

static struct json_document *schema(void)
{
    struct json_document *document;
    struct json_writer *writer = json_writer_new(false);
    json_open(writer, NULL, '{');
    report_schema(writer);
    json_close(writer);
    char *text = json_take(writer);
    assert_non_null(text);
    assert_done(json_parse(text, strlen(text), "schema", &document));
    memory_free(text);
    return document;
}

static void test_schema(void **state)
{
    (void)state;
    struct json_document *described = schema();
    const struct json *properties = json_member(described->root, "properties");
    assert_int_equal(json_member(described->root, "required")->count, properties->count);
    for (int i = 0; i < 6; i++) {
        static const enum design design[] = {DESIGN_ONE, DESIGN_ABLATION, DESIGN_FACTORIAL, DESIGN_SCREEN, DESIGN_ONE, DESIGN_ONE};
        struct analysis *analysis = i < 5 ? fixture_analysis(8, i == 4 ? 2 : 6, design[i])
                                          : recipe_analysis(&(struct recipe){.stopping = STOP_LOOKS,
                                                                             .arms = 2,
                                                                             .seeds = 3,
                                                                             .planned = 20,
                                                                             .look = {6, 20},
                                                                             .looks = 2,
                                                                             .status = "running",
                                                                             .value = (double[]){.5, .6, .5, .7, .4, .5}});
        assert_non_null(analysis);
        struct json_document *document = parse(analysis);
        assert_fits(described->root, document->root);
        json_free(document);
        fixture_free(analysis);
    }
    json_free(described);
}

/* ---- The page about it ---- */

static void assert_told(const char *page, const struct json *schema)
{
    const struct json *properties = json_member(schema, "properties"), *items = json_member(schema, "items");
    for (const struct json *property = properties ? properties->first : NULL; property; property = property->next) {
        char code[64];
        snprintf(code, sizeof code, "`%s`", property->name);
        if (!strstr(page, code)) fail_msg("docs/comparison-json.md does not tell of %s", property->name);
        assert_told(page, property);
    }
    if (items) assert_told(page, items);
}

static bool has_key(const struct json *schema, const char *name)
{
    const struct json *properties = json_member(schema, "properties"), *items = json_member(schema, "items");
    for (const struct json *property = properties ? properties->first : NULL; property; property = property->next)
        if (strcmp(property->name, name) == 0 || has_key(property, name)) return true;
    return items && has_key(items, name);
}

/* The docs name every key of the schema, and the first columns of their tables nothing else. */
static void test_docs(void **state)
{
    (void)state;
    struct json_document *described = schema();
    char *page;
    size_t size;
    assert_done(file_read(getenv("KNACK_TEST_COMPARISON_PAGE"), KNACK_E_IO, &page, &size));
    assert_told(page, described->root);
    for (char *at = page; (at = strstr(at, "\n| `")) != NULL;) {
        char *end = strstr(at + 3, " | ");
        for (at += 3; at < end; at++) {
            char name[64];
            if (sscanf(at, "`%63[a-z_]`", name) != 1) continue;
            if (!has_key(described->root, name)) fail_msg("docs/comparison-json.md tells of %s", name);
            at += strlen(name) + 1;
        }
    }
    memory_free(page);
    json_free(described);
}

/* ---- Directions ---- */

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
    const struct json *updates = line(arm, "equal_updates"), *ci = json_member(updates, "ci")->first;
    assert_true(fabs(number(updates, "delta") - -.0335) < 1e-12);
    assert_true(ci->number < -.0335 && ci->next->number > -.0335);
    assert_true(number(updates, "upper") < -.0335 && number(updates, "upper") > ci->number);
    assert_true(number(updates, "wins") == 8);
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
    assert_true(fabs(number(line(arm, "equal_updates"), "delta") - .08 / 3) < 1e-12);
    assert_int_equal(json_member(arm, "p")->kind, JSON_NULL);
    assert_int_equal(json_member(line(arm, "equal_updates"), "ci")->kind, JSON_NULL);
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

/* ---- The result table, for other pages and programs ---- */

static char *markdown(const struct analysis *analysis)
{
    return report_table(analysis, true);
}

static char *table_csv(const struct analysis *analysis)
{
    return report_table(analysis, false);
}

static void test_tables(void **state)
{
    (void)state;
    double value[20];
    for (int s = 0; s < 10; s++) {
        value[2 * s] = .9 + (s % 2 ? .0078125 : -.0078125);
        value[2 * s + 1] = value[2 * s] + .0078125 * (s % 2);
    }
    static const char *const name[] = {"a|b, <c>"};
    struct analysis *analysis = recipe_analysis(&(struct recipe){.arms = 2, .seeds = 10, .value = value, .name = name});
    assert_non_null(analysis);
    char *text = markdown(analysis);
    assert_string_equal(
        text, "| Comparison | n | Base (mean) | Arm (mean) | \u0394 (95 % CI) | p | Wins | SD (of \u0394) | VRF | Cost | Verdict |\n"
              "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n"
              "| a\\|b, \\<c> | 10 | 90.00 | 90.39 | +0.39 (+0.10 to +0.69) | 0.015 | 7.5 | 0.41 | 13.0 | 1.00x | HELPS |\n");
    memory_free(text);
    text = table_csv(analysis);
    const char *row = strchr(text, '\n') + 1;
    char head[512];
    snprintf(head, sizeof head, "%.*s", (int)(row - text), text);
    assert_string_equal(
        head, "comparison,n,failed,base_mean,mean,delta,delta_low,delta_high,p,p_holm,wins,s_d,vrf,transfer_low,transfer_high,cost,"
              "cpu_cost,cpu_cost_low,cpu_cost_high,delta_equal_cost,delta_equal_cost_low,delta_equal_cost_high,verdict_kind,verdict\n");
    double base, mean;
    assert_int_equal(sscanf(row, "\"a|b, <c>\",10,0,%lf,%lf,", &base, &mean), 2);
    assert_true(fabs(base - 90) < 1e-12 && fabs(mean - 90.390625) < 1e-12); /* all digits */
    assert_non_null(strstr(row, ",1,,,,,,,helps,HELPS\n"));
    int64_t heads = 0, cells = 0;
    for (const char *c = head; *c; c++) heads += *c == ',';
    for (const char *c = row; *c; c++) cells += *c == ',';
    assert_int_equal(cells, heads + 1); /* one is in the name */
    memory_free(text);
    fixture_free(analysis);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct analysis *analysis = fixture_analysis(4, 4, DESIGN_ONE);
    assert_non_null(analysis);
    char *(*const make[])(const struct analysis *) = {report_json, report_csv, markdown, table_csv};
    for (int i = 0; i < 4; i++) {
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
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_of_factorials),
        cmocka_unit_test(test_json_of_the_store),
        cmocka_unit_test(test_json_direction),
        cmocka_unit_test(test_json_unfinished),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_docs),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
