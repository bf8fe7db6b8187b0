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
    request.on = "test";
    plan = plan_of(&request);
    assert_int_equal(plan->arms, 4 + 1); /* the half has the full stack, not the baseline */
    plan_free(plan);
}

static void test_screen(void **state)
{
    (void)state;
    struct plan_request request = ask("base.json", three, 3);
    request.design = "screen";
    request.set = (const char *const[]){"data.validation=0.2"};
    request.sets = 1;
    request.metric = "loss";
    request.no_converge = request.no_equal_cost = true;
    struct plan *plan = plan_of(&request), *confirmation;
    assert_int_equal(plan->role, ROLE_SCREENING);
    assert_int_equal(plan->first_seed, 1000);
    assert_string_equal(plan->part, "validation");
    assert_int_equal(plan_confirm(plan, (const char *[]){"attack"}, 1, &confirmation), KNACK_OK);
    assert_string_equal(arm_names(confirmation), "baseline,attack");
    assert_int_equal(confirmation->first_seed, 3000);
    assert_int_equal(confirmation->role, ROLE_CONFIRMATION);
    assert_string_equal(confirmation->part, "test"); /* a verdict's */
    assert_string_equal(confirmation->metric, "loss");
    assert_false(confirmation->converge || confirmation->equal_cost);
    plan_free(confirmation);
    plan_free(plan);
}

static void test_many_effects_are_no_screening(void **state)
{
    (void)state;
    static const char *const five[] = {"a", "b", "c", "d", "e"};
    struct plan *plan = plan_designed("ablation", five, 5);
    assert_int_equal(plan_family_size(plan, 0), 11);
    assert_false(plan_is_screening(plan));
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
    request.seeds = 5;
    expect_refused(&request, "adaptive with 5 seeds: looks on the way need 6 at least");
    request.seeds = 12;
    request.until_decided = true;
    expect_refused(&request, "choose one");
    request = ask("base.json", three, 2);
    request.design = "factorial";
    request.adaptive = true;
    expect_refused(&request, "design factorial takes a fixed number of seeds");
}

static void expect_looks(const struct plan_request *request, const char *looks)
{
    char text[128] = "", *at = text;
    struct plan *plan = plan_of(request);
    for (int64_t i = 0; i < plan->looks; i++) at += sprintf(at, i ? ",%d" : "%d", (int)plan->look[i]);
    assert_string_equal(text, looks);
    assert_int_equal(plan->stopping, STOP_LOOKS);
    assert_int_equal(plan->seeds, plan->look[plan->looks - 1]);
    plan_free(plan);
}

/* Found once: what is there stays. Of any schedule, which has to be simulated. */
static void test_bounds(void **state)
{
    (void)state;
    struct plan_request request = ask("base.json", three, 1);
    struct plan *plan = plan_of(&request);
    assert_int_equal(plan_find_bounds(plan), KNACK_OK);
    assert_true(plan->look_bound[0] == 0);
    plan_free(plan);
    request.looks = "5,9,14";
    plan = plan_of(&request);
    memory_fail_at(1);
    assert_int_equal(plan_find_bounds(plan), KNACK_E_MEMORY);
    memory_fail_at(0);
    assert_int_equal(plan_find_bounds(plan), KNACK_OK);
    for (int i = 1; i < LOOK_LEVELS; i++) assert_true(plan->look_bound[i] > plan->look_bound[i - 1]);
    assert_true(plan->look_bound[2] > 1.96 && plan->look_bound[2] < 2.3);
    double first = plan->look_bound[0] += 1;
    assert_int_equal(plan_find_bounds(plan), KNACK_OK);
    assert_true(plan->look_bound[0] == first);
    plan_free(plan);
}

static void test_looks(void **state)
{
    (void)state;
    static const struct {
        int64_t seeds;
        const char *looks;
    } usual[] = {{0, "6,10,15,20"}, {20, "6,10,15,20"}, {12, "4,8,12"}, {6, "4,5,6"}, {7, "4,6,7"}, {13, "4,7,10,13"}, {40, "12,20,30,40"}};
    struct plan_request request = ask("base.json", three, 1);
    request.adaptive = true;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        request.seeds = usual[i].seeds;
        expect_looks(&request, usual[i].looks);
    }
    request = ask("base.json", three, 1); /* a schedule is adaptive by itself */
    request.looks = "5,9,14";
    expect_looks(&request, "5,9,14");
    request.seeds = 20;
    expect_refused(&request, "20 seeds, but the last look is at 14");
    request.seeds = 0;
    request.looks = "5,9,";
    expect_refused(&request, "--looks: expected seeds between commas, as in 5,9,14");
    static const char *const wrong[] = {"2,9", "5,5", "9,5", "5,7.5", "5,1e6"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        request.looks = wrong[i];
        expect_refused(&request, "looks are at whole numbers of seeds, from 3 to 100000, each later than the one before");
    }
    request.looks = "3,4,5,6,7,8,9,10,11";
    expect_refused(&request, "more than 8 looks");
    request.looks = "5,9";
    request.until_decided = true;
    expect_refused(&request, "choose one");
    put("file.json", "{ \"base\": \"base.json\", \"tricks\": [\"sam\"], \"looks\": [4, 6] }");
    request = ask("file.json", NULL, 0);
    expect_looks(&request, "4,6");
    request.looks = "5,9"; /* the command line stands for the file */
    expect_looks(&request, "5,9");
}

/* Who chooses by the test part cannot be judged by it. */
static void test_part(void **state)
{
    (void)state;
    struct plan_request request = ask("base.json", three, 1);
    static const char *const chooses[] = {"tuning", "screening"};
    for (int i = 0; i < 2; i++) {
        request.role = chooses[i];
        request.metric = NULL;
        request.sets = 0;
        expect_refused(&request, "there are none: set them apart (--set data.validation=0.2), or say --on test");
        request.metric = "test.loss";
        expect_refused(&request, "decide by another metric than test.loss, or say --on test");
        request.on = "test";
        struct plan *plan = plan_of(&request);
        assert_string_equal(plan->part, "test");
        plan_free(plan);
        request.on = NULL;
        request.metric = "loss";
        request.set = (const char *const[]){"data.validation=30"};
        request.sets = 1;
        plan = plan_of(&request);
        assert_string_equal(plan->part, "validation");
        assert_string_equal(plan->metric, "loss");
        plan_free(plan);
    }
    request.role = "verdict";
    struct plan *plan = plan_of(&request);
    assert_string_equal(plan->part, "test");
    plan_free(plan);
    request.metric = "validation.loss";
    request.on = "test";
    expect_refused(&request, "metric of the validation part, but on test: choose one");
    request.on = "train";
    expect_refused(&request, "--on train: there are 2 names: test, validation");
    put("file.json", "{ \"base\": \"base.json\", \"tricks\": [\"sam\"], \"role\": \"tuning\", \"on\": \"test\", \"converge\": false }");
    request = ask("file.json", NULL, 0);
    plan = plan_of(&request);
    assert_string_equal(plan->part, "test");
    assert_false(plan->converge);
    plan_free(plan);
}

/* Names that would be taken for a comparison's own arms, or that change what a terminal shows. */
static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *json, *part; /* json: as the file has it; NULL: as it is */
    } wrong[] = {
        {"baseline", NULL, "\"baseline\" needs another name"},
        {"baseline x2", NULL, "\"baseline x2\" needs another name"},
        {"baseline x1.5", NULL, "\"baseline x1.5\" needs another name"},
        {"a\nb", "a\\nb", "the name that begins with \"a\" has a control character behind that"},
        {"red \x1b[31m", "red \\u001b[31m", "the name that begins with \"red \" has a control character"},
        {"\xC2\x9B", "\\u009b", "begins with \"\" has a control character"},
        {"a\xE2\x80\xAE", "a\\u202e", "begins with \"a\" has a control character"},
        {" a", NULL, "the name \" a\" begins or ends with a blank"},
        {"a ", NULL, "the name \"a \" begins or ends with a blank"},
        {"", NULL, "a name is empty"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901", NULL,
         "a name is longer than 100 bytes"},
    };
    char text[512];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *name = wrong[i].json ? wrong[i].json : wrong[i].name;
        snprintf(text, sizeof text, "{ \"base\": \"base.json\", \"arms\": { \"%s\": {} } }", name);
        expect_file_refused(text, wrong[i].part);
        assert_null(strchr(knack_error(), '\x1b'));
        snprintf(text, sizeof text, "{\"name\": \"ema\", \"as\": \"%s\"}", name);
        struct plan_request request = ask("base.json", (const char *const[]){"sam", text}, 2);
        request.design = "factorial";
        expect_refused(&request, wrong[i].part);
        request = ask("base.json", (const char *const[]){wrong[i].name}, 1);
        expect_refused(&request, *wrong[i].name ? wrong[i].part : "--tricks: a name is empty");
    }
    struct plan_request request = ask("base.json", (const char *const[]){"a\xFF"}, 1);
    expect_refused(&request, "the name that begins with \"a\" has a byte that is no UTF-8 behind that");
    static const char *const right[] = {"baseline x", "baseline xy", "baselines", "sam x2", "\xC3\xA9 \xEF\xBF\xBD"};
    request = ask("base.json", right, 5);
    plan_free(plan_of(&request));
}

static void test_drop(void **state)
{
    (void)state;
    struct plan *plan = plan_designed(NULL, three, 3), *factorial = plan_designed("factorial", three, 2);
    assert_int_equal(plan_drop(plan, (const char *[]){"sam", "sam"}, 2), KNACK_OK);
    assert_true(plan->arm[2].dropped && !plan->arm[1].dropped);
    assert_int_equal(plan_family_size(plan, 0), 3);
    assert_int_equal(plan_drop(plan, (const char *[]){"mixop"}, 1), KNACK_E_USAGE);
    assert_string_equal(knack_error(), "--drop mixop: there is no such arm; nearest is \"mixup\"");
    assert_int_equal(plan_drop(plan, (const char *[]){"something else"}, 1), KNACK_E_USAGE);
    assert_string_equal(knack_error(), "--drop something else: there is no such arm; known are 3 names: mixup, sam, attack");
    assert_int_equal(plan_drop(plan, (const char *[]){"baseline"}, 1), KNACK_E_USAGE);
    assert_string_equal(knack_error(), "--drop baseline: the others are compared with it, so that it stays");
    assert_int_equal(plan_drop(factorial, (const char *[]){"sam"}, 1), KNACK_E_USAGE);
    assert_string_equal(knack_error(), "--drop sam: effects of design factorial are made of all its arms");
    memory_fail_at(1);
    assert_int_equal(plan_drop(plan, (const char *[]){"mixop"}, 1), KNACK_E_MEMORY);
    memory_fail_at(0);
    plan_free(plan);
    plan_free(factorial);
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
    request.on = "test";
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
    expect_file_refused(
        "{ \"base\": \"base.json\", \"arms\": { \"baseline\": {} } }",
        "file.json: at arms: the base config is the arm \"baseline\", and longer trained \"baseline x2\": \"baseline\" needs");
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
    plan->train_set = 12;
    plan->failed_score = .1;
    plan->shared = .25;
    plan->retried = 2;
    plan->labels = memory_text("abba");
    plan->class_name = memory_new(2, sizeof *plan->class_name);
    for (; plan->classes < 2; plan->classes++) plan->class_name[plan->classes] = memory_text(plan->classes ? "dog" : "cat");
    plan->looks = 2;
    plan->look[1] = 20;
    plan->look_bound[LOOK_LEVELS - 1] = 2.19;
    plan->arm[2].identity = memory_text("{}");
    plan->arm[2].update_cost_low = 1.25;
    plan->arm[2].read[0] = 10;
    plan->arm[2].reads = 1;
    plan->arm[2].joined = plan->arm[1].dropped = true;
    assert_int_equal(plan_add_budget(plan, 1.5), KNACK_OK);
    char *text = plan_text(plan), *second;
    assert_non_null(text);
    if (plan_parse(text, "kept", &again) < 0) fail_msg("%s", knack_error());
    second = plan_text(again);
    assert_string_equal(text, second);
    assert_true(again->test_set == UINT64_MAX - 1 && again->train_set == 12 && again->shared == .25 && again->epochs == 7);
    assert_true(again->looks == 2 && again->look[1] == 20 && again->look_bound[LOOK_LEVELS - 1] == 2.19 && again->retried == 2);
    assert_string_equal(again->arm[2].identity, "{}");
    assert_true(again->classes == 2 && strcmp(again->labels, "abba") == 0 && strcmp(again->class_name[1], "dog") == 0);
    assert_true(again->arm[2].update_cost_low == 1.25 && isnan(again->arm[2].update_cost_high));
    assert_true(again->arm[2].reads == 1 && again->arm[2].read[0] == 10 && again->arm[2].joined && again->arm[1].dropped);
    memory_free(text);
    memory_free(second);
    plan_free(again);
    plan_free(plan);
}

/* A text with one place replaced is refused, by a message with this part. */
static void expect_damaged(const char *text, const char *old, const char *new, const char *part)
{
    struct plan *plan;
    const char *at = strstr(text, old);
    assert_non_null(at);
    char *damaged = memory_format("%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    assert_int_equal(plan_parse(damaged, "kept", &plan), KNACK_E_CONFIG);
    assert_null(plan);
    if (!strstr(knack_error(), part)) fail_msg("\"%s\" has no \"%s\"", knack_error(), part);
    memory_free(damaged);
}

static void test_damaged(void **state)
{
    (void)state;
    struct plan *plan = plan_designed(NULL, three, 1);
    char *text = plan_text(plan);
    expect_damaged(text, "\"read\": []", "\"read\": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]", "a list is longer than 16 numbers");
    expect_damaged(text, "\"part\"", "\"looks\": [3], \"part\"", "a bound for each level of its looks");
    expect_damaged(text, "\"name\": \"mixup\"", "\"name\": \"baseline\"",
                   "kept: at arms[1]: stands in the wrong place, or its name for two");
    expect_damaged(text, "\"baseline\",\n      \"kind\": \"baseline\"", "\"baseline\", \"kind\": \"budget\"", "stands in the wrong place");
    expect_damaged(text, "\"arm\": 1", "\"arm\": -1", "at contrasts[0]: does not fit its 2 arms");
    expect_damaged(text, "\"arm\": 1", "\"arm\": 2", "at contrasts[0]: does not fit its 2 arms");
    expect_damaged(text, "\"margin\"", "\"margins\"", "nearest is \"margin\"");
    memory_free(text);
    plan_free(plan);
}

static void test_budget(void **state)
{
    (void)state;
    static const struct {
        int epochs;
        double budget;
        const char *name; /* NULL: the baseline's own epochs, or another budget's */
        const char *config;
        double whole;
    } rows[] = {
        {7, 1.5, "baseline x1.57", "\"epochs\": 11", 11 / 7.},
        {7, 2, "baseline x2", "\"epochs\": 14", 2},
        {7, .5, "baseline x0.57", "\"epochs\": 4", 4 / 7.},
        {1, 1.5, "baseline x2", "\"epochs\": 2", 2},
        {1, .5, NULL, NULL, 1},
        {2, .75, NULL, NULL, 1},
        {2, .5, "baseline x0.5", "\"epochs\": 1", .5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct plan *plan = plan_designed(NULL, three, 1);
        assert_int_equal(plan_add_budget(plan, 2), KNACK_E_CALL); /* before the check */
        assert_int_equal(plan_find_budget(plan, 2), -1);
        plan->arm[0].resolved = memory_format("{\"train\":{\"epochs\":%d}}", rows[i].epochs);
        assert_int_equal(plan_add_budget(plan, rows[i].budget), KNACK_OK);
        int64_t found = plan_find_budget(plan, rows[i].budget);
        assert_int_equal(found, rows[i].name ? 2 : 0);
        assert_true(plan->arm[found].budget == rows[i].whole);
        if (rows[i].name) {
            assert_string_equal(plan->arm[2].name, rows[i].name);
            assert_int_equal(plan->arm[2].kind, ARM_BUDGET);
            assert_non_null(strstr(plan->arm[2].config, rows[i].config));
            expect_weights(plan, "mixup", (const double[]){-1, 1, 0});
        }
        int64_t arms = plan->arms;
        assert_int_equal(plan_add_budget(plan, rows[i].budget), KNACK_OK); /* is there */
        if (rows[i].epochs == 1) assert_int_equal(plan_add_budget(plan, 1.5), KNACK_OK);
        if (rows[i].epochs == 1) assert_int_equal(plan_add_budget(plan, 2), KNACK_OK); /* so is this: both are two epochs */
        assert_int_equal(plan->arms, rows[i].epochs == 1 ? 3 : arms);
        plan_free(plan);
    }
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

/* A project that was moved goes on, and says so where it is now. */
static void test_merge_elsewhere(void **state)
{
    (void)state;
    struct plan *kept = plan_designed(NULL, three, 1), *asked = plan_designed(NULL, three, 2);
    memory_free(asked->folder);
    memory_free(asked->config);
    asked->folder = memory_text("/moved");
    asked->config = memory_text("../base.json");
    assert_int_equal(plan_merge(kept, asked), KNACK_OK);
    assert_string_equal(kept->folder, "/moved");
    assert_string_equal(kept->config, "../base.json");
    assert_false(kept->arm[2].joined); /* nothing was read yet */
    kept->arm[1].reads = 1;
    kept->arm[1].read[0] = 10;
    plan_free(asked);
    asked = plan_designed(NULL, three, 3);
    assert_int_equal(plan_merge(kept, asked), KNACK_OK);
    assert_true(kept->arm[3].joined && !kept->arm[2].joined);
    plan_free(asked);
    plan_free(kept);
}

static void test_merge_looks(void **state)
{
    (void)state;
    struct plan_request request = ask("base.json", three, 1);
    request.looks = "5,9,14";
    struct plan *kept = plan_of(&request), *asked = plan_of(&request);
    assert_int_equal(plan_merge(kept, asked), KNACK_OK);
    plan_free(asked);
    request.looks = "5,10,14";
    asked = plan_of(&request);
    assert_int_equal(plan_merge(kept, asked), KNACK_E_USAGE);
    assert_non_null(strstr(knack_error(), "this folder's comparison has look 2 at seed 9, not 10"));
    plan_free(asked);
    request = ask("base.json", three, 2);
    request.looks = "5,9,14";
    asked = plan_of(&request);
    assert_int_equal(plan_merge(kept, asked), KNACK_E_USAGE);
    assert_non_null(strstr(knack_error(), "arm \"sam\" cannot join a comparison that looks at its results on the way"));
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

/* Every allocation of making, writing, reading, joining, lengthening and confirming plans fails in turn. */
static void test_memory(void **state)
{
    (void)state;
    static const char *const four[] = {"mixup", "sam", "focal", "swa"};
    struct plan_request request = ask("base.json", four, 4);
    request.design = "fraction";
    for (int64_t nth = 1;; nth++) {
        struct plan *plan = NULL, *again = NULL, *confirmation = NULL;
        memory_fail_at(nth);
        knack_status status = plan_new(&request, &plan);
        char *text = status >= 0 ? plan_text(plan) : NULL;
        if (status >= 0) status = text ? plan_parse(text, "kept", &again) : KNACK_E_MEMORY;
        if (status >= 0) status = plan_merge(again, plan);
        if (status >= 0) again->arm[0].resolved = memory_text("{\"train\": {\"epochs\": 7}}");
        if (status >= 0) status = again->arm[0].resolved ? plan_add_budget(again, 2) : KNACK_E_MEMORY;
        if (status >= 0) status = plan_confirm(again, (const char *[]){"all"}, 1, &confirmation);
        memory_fail_at(0);
        plan_free(confirmation);
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
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_ablation),
        cmocka_unit_test(test_factorial),
        cmocka_unit_test(test_fraction),
        cmocka_unit_test(test_screen),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_stopping),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_many_effects_are_no_screening),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_part),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_merge_elsewhere),
        cmocka_unit_test(test_merge_looks),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
