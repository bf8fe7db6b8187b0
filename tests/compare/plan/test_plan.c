/* Plans: what is asked for, the designs' arms and contrasts, JSON and back, asking again, and what is refused. */
#include "base/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "compare/plan/plan.h"

static char folder[] = "/tmp/knack-plan-XXXXXX";
static const char *const config = "{ \"data\": {\"source\": \"digits\"}, \"train\": {\"epochs\": 7}, \"seed\": 3, \"plugins\": [\"ema\"] }";

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) != 0) return -1;
    put("base.json", config);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"base.json", "file.json"};
    for (size_t i = 0; i < 2; i++) unlink(names[i]);
    return chdir("/") != 0 || rmdir(folder) != 0;
}

static struct plan_request ask(const char *path, const char *const *trick, int64_t tricks)
{
    return (struct plan_request){.config = path,
                                 .trick = trick,
                                 .tricks = tricks,
                                 .first_seed = -1,
                                 .margin = NAN,
                                 .failed_score = NAN,
                                 .command = "knack compare base.json"};
}

static const char *const three[] = {"mixup", "sam", "{\"name\": \"fgm\", \"layer\": \"input\", \"as\": \"attack\"}"};

static struct plan *plan_of(const struct plan_request *request)
{
    struct plan *plan;
    if (plan_new(request, &plan) < 0) fail_msg("%s", knack_error());
    return plan;
}

static struct plan *plan_designed(const char *design, const char *const *trick, int64_t tricks)
{
    struct plan_request request = ask("base.json", trick, tricks);
    request.design = design;
    return plan_of(&request);
}

static void expect_refused(const struct plan_request *request, const char *part)
{
    struct plan *plan;
    assert_true(plan_new(request, &plan) < 0);
    assert_null(plan);
    if (!strstr(knack_error(), part)) fail_msg("\"%s\" has no \"%s\"", knack_error(), part);
}

static void expect_file_refused(const char *text, const char *part)
{
    put("file.json", text);
    struct plan_request request = ask("file.json", NULL, 0);
    expect_refused(&request, part);
}

/* Arm names joined by commas; valid until the next call. */
static const char *arm_names(const struct plan *plan)
{
    static char names[2048];
    names[0] = 0;
    for (int64_t a = 0; a < plan->arms; a++) {
        if (a > 0) strcat(names, ",");
        strcat(names, plan->arm[a].name);
    }
    return names;
}

static const struct contrast *contrast_of(const struct plan *plan, const char *name)
{
    for (int64_t c = 0; c < plan->contrasts; c++)
        if (strcmp(plan->contrast[c].name, name) == 0) return &plan->contrast[c];
    fail_msg("no contrast \"%s\"", name);
    return NULL;
}

static void expect_weights(const struct plan *plan, const char *name, const double *weight)
{
    const struct contrast *contrast = contrast_of(plan, name);
    for (int64_t a = 0; a < plan->arms; a++)
        if (contrast->weight[a] != weight[a])
            fail_msg("%s: weight of %s is %g, not %g", name, plan->arm[a].name, contrast->weight[a], weight[a]);
}

/* ---- Designs ---- */

static void test_one(void **state)
{
    (void)state;
    struct plan *plan = plan_designed(NULL, three, 3);
    assert_string_equal(arm_names(plan), "baseline,mixup,sam,attack");
    assert_string_equal(plan->arm[0].config, "{\"data\": {\"source\": \"digits\"}, \"train\": {\"epochs\": 7}, \"plugins\": [\"ema\"]}");
    assert_non_null(strstr(plan->arm[3].config, "\"plugins\": [\"ema\", {\"name\": \"fgm\", \"layer\": \"input\", \"as\": \"attack\"}]"));
    assert_int_equal(plan->contrasts, 3);
    expect_weights(plan, "sam", (const double[]){-1, 0, 1, 0});
    assert_int_equal(plan->first_seed, 2000);
    assert_int_equal(plan->seeds, 10);
    assert_string_equal(plan->part, "test");
    assert_string_equal(plan->metric, "accuracy");
    plan_free(plan);
}

static void test_ablation(void **state)
{
    (void)state;
    struct plan *plan = plan_designed("ablation", three, 3);
    assert_string_equal(arm_names(plan), "baseline,mixup,sam,attack,all,all without mixup,all without sam,all without attack");
    expect_weights(plan, "sam within all", (const double[]){0, 0, 0, 0, 1, 0, -1, 0});
    expect_weights(plan, "sam with the rest", (const double[]){1, 0, -1, 0, 1, 0, -1, 0});
    assert_int_equal(contrast_of(plan, "sam with the rest")->family, 1);
    assert_int_equal(contrast_of(plan, "all")->kind, CONTRAST_ARM);
    plan_free(plan);
    plan = plan_designed("ablation", three, 2); /* all without mixup is sam alone */
    assert_string_equal(arm_names(plan), "baseline,mixup,sam,all");
    expect_weights(plan, "mixup within all", (const double[]){0, 0, -1, 1});
    expect_weights(plan, "mixup with the rest", (const double[]){1, -1, -1, 1});
    assert_int_equal(plan->contrasts, 6); /* sam with the rest would be the same */
    plan_free(plan);
}

static void test_factorial(void **state)
{
    (void)state;
    struct plan *plan = plan_designed("factorial", three, 2);
    assert_string_equal(arm_names(plan), "baseline,mixup,sam,all");
    expect_weights(plan, "mixup", (const double[]){-.5, .5, -.5, .5});
    expect_weights(plan, "mixup x sam", (const double[]){.5, -.5, -.5, .5});
    assert_int_equal(contrast_of(plan, "mixup x sam")->family, 1);
    plan_free(plan);
    plan = plan_designed("factorial", three, 3);
    assert_int_equal(plan->arms, 8);
    assert_int_equal(plan->contrasts, 7);
    assert_non_null(strstr(arm_names(plan), "mixup + sam"));
    plan_free(plan);
}

static void test_fraction(void **state)
{
    (void)state;
    static const char *const four[] = {"mixup", "sam", "focal", "swa"};
    struct plan *plan = plan_designed("fraction", four, 4);
    assert_int_equal(plan->arms, 8);
    assert_string_equal(plan->arm[0].name, "baseline");
    assert_true(plan_find_arm(plan, "all") > 0);
    assert_int_equal(plan->contrasts, 4 + 3);
    assert_null(contrast_of(plan, "mixup")->aliases);
    assert_string_equal(contrast_of(plan, "mixup x sam")->aliases, "focal x swa");
    assert_non_null(strstr(plan->generators, "resolution IV, by D = ABC; A = mixup, B = sam, C = focal, D = swa"));
    for (int64_t c = 0; c < plan->contrasts; c++) {
        double sum = 0;
        for (int64_t a = 0; a < plan->arms; a++) sum += plan->contrast[c].weight[a];
        assert_true(sum == 0);
    }
    plan_free(plan);
    struct plan_request request = ask("base.json", four, 3);
    request.design = "fraction";
    expect_refused(&request, "resolution III");
    request.role = "screening";
    plan = plan_of(&request);
    assert_int_equal(plan->arms, 4 + 1); /* the half has the full stack, not the baseline */
    plan_free(plan);
}

static void test_screen(void **state)
{
    (void)state;
    struct plan *plan = plan_designed("screen", three, 3);
    assert_int_equal(plan->role, ROLE_SCREENING);
    assert_int_equal(plan->first_seed, 1000);
    const char *best[] = {"attack"};
    struct plan *confirmation;
    assert_int_equal(plan_confirm(plan, best, 1, &confirmation), KNACK_OK);
    assert_string_equal(arm_names(confirmation), "baseline,attack");
    assert_int_equal(confirmation->first_seed, 3000);
    assert_int_equal(confirmation->role, ROLE_CONFIRMATION);
    plan_free(confirmation);
    plan_free(plan);
}

/* ---- What is asked for ---- */

static void test_file(void **state)
{
    (void)state;
    put("file.json",
        "{ \"base\": \"base.json\", \"set\": {\"train.epochs\": 2}, \"seeds\": 4, \"metric\": \"validation.loss\", \"margin\": 0.1,\n"
        "  \"arms\": { \"slow\": {\"set\": {\"train.optimizer.lr\": 1e-4}}, \"two\": {\"plugins\": [\"sam\", {\"name\": \"mixup\"}]} } }");
    struct plan_request request = ask("file.json", NULL, 0);
    struct plan *plan = plan_of(&request);
    assert_string_equal(arm_names(plan), "baseline,slow,two");
    assert_non_null(strstr(plan->arm[1].config, "\"lr\": 0.0001"));
    assert_non_null(strstr(plan->arm[1].config, "\"epochs\": 2"));
    assert_non_null(strstr(plan->arm[2].config, "[\"ema\", \"sam\", {\"name\": \"mixup\"}]"));
    assert_string_equal(plan->part, "validation");
    assert_string_equal(plan->metric, "loss");
    assert_true(plan->lower_is_better);
    assert_int_equal(plan->seeds, 4);
    plan_free(plan);
    request.seeds = 6;
    request.metric = "top2";
    request.margin = .25;
    request.set = (const char *const[]){"train.epochs=9"};
    request.sets = 1;
    plan = plan_of(&request);
    assert_int_equal(plan->seeds, 6);
    assert_string_equal(plan->part, "test");
    assert_string_equal(plan->metric, "top2");
    assert_true(plan->margin == .25);
    assert_non_null(strstr(plan->arm[0].config, "\"epochs\": 9"));
    plan_free(plan);
}

static void test_split(void **state)
{
    (void)state;
    char **entry;
    int64_t count;
    assert_int_equal(plan_split_tricks("ema, {\"name\":\"fgm\",\"layer\":\"a,}b\"},mixup", &entry, &count), KNACK_OK);
    assert_int_equal(count, 3);
    assert_string_equal(entry[0], "ema");
    assert_string_equal(entry[1], "{\"name\":\"fgm\",\"layer\":\"a,}b\"}");
    assert_string_equal(entry[2], "mixup");
    memory_free(entry);
}

static void test_stopping(void **state)
{
    (void)state;
    struct plan_request request = ask("base.json", three, 1);
    request.adaptive = true;
    struct plan *plan = plan_of(&request);
    assert_int_equal(plan->looks, 4);
    assert_int_equal(plan->seeds, 20);
    plan_free(plan);
    request.seeds = 12;
    plan = plan_of(&request);
    assert_int_equal(plan->looks, 3);
    assert_int_equal(plan->look[0], 4);
    plan_free(plan);
    request.seeds = 13;
    expect_refused(&request,
                   "adaptive with 13 seeds: looks are fixed before, at 6, 10, 15 and 20 seeds, or at 4, 8 and 12: say 20 or 12 seeds");
    request.until_decided = true;
    expect_refused(&request, "choose one");
    request = ask("base.json", three, 2);
    request.design = "factorial";
    request.adaptive = true;
    expect_refused(&request, "design factorial takes a fixed number of seeds");
}

static void test_refusals(void **state)
{
    (void)state;
    struct plan_request request = ask("base.json", NULL, 0);
    expect_refused(&request, "base.json: nothing to compare: name tricks (--tricks mixup,ema)");
    request = ask("base.json", (const char *const[]){"ema", "ema"}, 2);
    expect_refused(&request, "ema is listed twice");
    request = ask("base.json", (const char *const[]){""}, 1);
    expect_refused(&request, "--tricks: a name is empty");
    request = ask("base.json", three, 1);
    request.design = "factorial";
    expect_refused(&request, "design factorial needs 2 tricks at least, here are 1");
    request.design = "facto";
    expect_refused(&request, "--design facto: there are 5 names: one, ablation, factorial, fraction, screen");
    request.design = "screen";
    expect_refused(&request, "design screen needs 2 tricks at least");
    request.role = "verdict";
    expect_refused(&request, "its role is screening");
    request = ask("base.json", three, 1);
    request.metric = "train.accuracy";
    expect_refused(&request, "the part is test or validation");
    request = ask("base.json", three, 1);
    request.margin = 2;
    expect_refused(&request, "margin 2: accuracy lies between 0 and 1; a margin of 2 points is 0.02");
    request.margin = NAN;
    request.failed_score = 5;
    expect_refused(&request, "failed score 5: accuracy lies between 0 and 1");
    request = ask("base.json", three, 1);
    request.set = (const char *const[]){"seed=7"};
    request.sets = 1;
    expect_refused(&request, "--set seed=7: a comparison sets \"seed\" itself; --first-seed says where its seeds begin");
    request = ask("base.json", (const char *const[]){"a", "b", "c", "d", "e", "f"}, 6);
    request.design = "factorial";
    expect_refused(&request, "design factorial is for 5 tricks at most, here are 6; design fraction takes up to 7");
    expect_file_refused("{ \"base\": \"base.json\", \"armes\": {} }", "file.json: at armes: unknown name; nearest is \"arms\"");
    expect_file_refused("{ \"base\": \"base.json\", \"arms\": { \"a\": { \"plugin\": [] } } }", "nearest is \"plugins\"");
    expect_file_refused("{ \"base\": \"base.json\", \"arms\": { \"a\": { \"set\": {\"seed\": 4} } } }",
                        "a comparison sets \"seed\" itself");
    expect_file_refused("{ \"base\": \"base.json\", \"arms\": { \"baseline\": {} } }",
                        "file.json: at arms.baseline: the base config is the arm \"baseline\" already: give this one another name");
    expect_file_refused("{ \"base\": \"base.json\", \"arms\": {\"a\": {}}, \"tricks\": [\"b\", \"c\"], \"design\": \"ablation\" }",
                        "design ablation switches tricks, and is not for \"arms\"");
    expect_file_refused("{ \"arms\": {} }", "base");
    expect_file_refused("{ \"base\": \"none.json\", \"arms\": {} }", "none.json: cannot be opened");
}

/* ---- Kept ---- */

static void test_text(void **state)
{
    (void)state;
    static const char *const four[] = {"mixup", "sam", "focal", "swa"};
    struct plan *plan = plan_designed("fraction", four, 4), *again;
    plan->arm[0].resolved = memory_text("{\"train\":{\"epochs\":7}}");
    plan->arm[1].tricks = memory_text("[]");
    plan->test_set = UINT64_MAX - 1;
    plan->failed_score = .1;
    assert_int_equal(plan_add_budget(plan, 1.5), KNACK_OK);
    char *text = plan_text(plan), *second;
    assert_non_null(text);
    assert_int_equal(plan_parse(text, "kept", &again), KNACK_OK);
    second = plan_text(again);
    assert_string_equal(text, second);
    assert_true(again->test_set == UINT64_MAX - 1);
    memory_free(text);
    memory_free(second);
    plan_free(again);
    plan_free(plan);
}

static void test_budget(void **state)
{
    (void)state;
    struct plan *plan = plan_designed(NULL, three, 1);
    plan->arm[0].resolved = memory_text("{\"train\":{\"epochs\":7}}");
    assert_int_equal(plan_add_budget(plan, 1.5), KNACK_OK);
    assert_string_equal(plan->arm[2].name, "baseline x1.5");
    assert_int_equal(plan->arm[2].kind, ARM_BUDGET);
    assert_non_null(strstr(plan->arm[2].config, "\"epochs\": 11")); /* 10.5, rounded */
    assert_true(plan->arm[2].budget == 1.5);
    expect_weights(plan, "mixup", (const double[]){-1, 1, 0});
    plan_free(plan);
}

static void test_merge(void **state)
{
    (void)state;
    struct plan *kept = plan_designed(NULL, three, 1), *asked;
    kept->arm[0].resolved = memory_text("{\"train\":{\"epochs\":7}}");
    assert_int_equal(plan_add_budget(kept, 2), KNACK_OK);
    struct plan_request request = ask("base.json", three, 2);
    request.seeds = 20;
    asked = plan_of(&request);
    assert_int_equal(plan_merge(kept, asked), KNACK_OK);
    assert_string_equal(arm_names(kept), "baseline,mixup,sam,baseline x2"); /* the budget stays last */
    expect_weights(kept, "mixup", (const double[]){-1, 1, 0, 0});
    expect_weights(kept, "sam", (const double[]){-1, 0, 1, 0});
    assert_int_equal(kept->seeds, 20);
    assert_int_equal(kept->extended_from, 10);
    assert_string_equal(kept->command, "knack compare base.json");
    plan_free(asked);
    request.margin = .01;
    request.command = "knack compare base.json --margin 0.01";
    asked = plan_of(&request);
    assert_int_equal(plan_merge(kept, asked), KNACK_OK);
    assert_true(kept->margin == .01 && kept->first_margin == 0);
    assert_string_equal(kept->command, "knack compare base.json\nknack compare base.json --margin 0.01");
    plan_free(asked);
    request.margin = NAN; /* not said: as it was */
    request.seeds = 5;    /* fewer: what is there stays */
    asked = plan_of(&request);
    assert_int_equal(plan_merge(kept, asked), KNACK_OK);
    assert_int_equal(kept->seeds, 20);
    plan_free(asked);
    request.metric = "loss";
    asked = plan_of(&request);
    assert_int_equal(plan_merge(kept, asked), KNACK_E_USAGE);
    assert_non_null(strstr(knack_error(), "this folder's comparison has metric accuracy, not loss: compare into another folder (--out)"));
    plan_free(asked);
    request = ask("base.json", (const char *const[]){"{\"name\": \"sam\", \"rho\": 1}"}, 1);
    asked = plan_of(&request);
    assert_int_equal(plan_merge(kept, asked), KNACK_E_USAGE);
    assert_non_null(strstr(knack_error(), "arm \"sam\" is not what it was"));
    plan_free(asked);
    request = ask("base.json", three, 1);
    request.set = (const char *const[]){"train.epochs=8"};
    request.sets = 1;
    asked = plan_of(&request);
    assert_int_equal(plan_merge(kept, asked), KNACK_E_USAGE);
    assert_non_null(strstr(knack_error(), "another base config than what base.json and --set give now"));
    plan_free(asked);
    plan_free(kept);
}

static void test_differences(void **state)
{
    (void)state;
    struct plan *plan = plan_designed(NULL, three + 2, 1);
    plan->arm[0].resolved = memory_text("{\"train\":{\"optimizer\":{\"lr\":0.1,\"type\":\"sgd\"}},\"plugins\":[]}");
    plan->arm[1].resolved = memory_text("{\"train\":{\"optimizer\":{\"lr\":0.2,\"type\":\"sgd\"},\"epochs\":3},\"plugins\":[{}]}");
    assert_int_equal(plan_describe_differences(plan), KNACK_OK);
    assert_int_equal(plan->arm[1].differences, 3);
    assert_string_equal(plan->arm[1].difference[0], "plugins: + fgm (layer input, as attack)");
    assert_string_equal(plan->arm[1].difference[1], "train.optimizer.lr: 0.1 -> 0.2");
    assert_string_equal(plan->arm[1].difference[2], "train.epochs: nothing -> 3");
    plan_free(plan);
}

/* Every allocation of making, writing, reading and joining plans fails in turn. */
static void test_memory(void **state)
{
    (void)state;
    static const char *const four[] = {"mixup", "sam", "focal", "swa"};
    struct plan_request request = ask("base.json", four, 4), more = ask("base.json", four, 4);
    request.design = more.design = "fraction";
    for (int64_t nth = 1;; nth++) {
        struct plan *plan = NULL, *again = NULL;
        memory_fail_at(nth);
        knack_status status = plan_new(&request, &plan);
        char *text = status >= 0 ? plan_text(plan) : NULL;
        if (status >= 0) status = text ? plan_parse(text, "kept", &again) : KNACK_E_MEMORY;
        if (status >= 0) status = plan_merge(again, plan);
        memory_fail_at(0);
        memory_free(text);
        plan_free(plan);
        plan_free(again);
        if (status >= 0) break;
        assert_int_equal(status, KNACK_E_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),         cmocka_unit_test(test_ablation), cmocka_unit_test(test_factorial),
        cmocka_unit_test(test_fraction),    cmocka_unit_test(test_screen),   cmocka_unit_test(test_file),
        cmocka_unit_test(test_split),       cmocka_unit_test(test_stopping), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_text),        cmocka_unit_test(test_budget),   cmocka_unit_test(test_merge),
        cmocka_unit_test(test_differences), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
