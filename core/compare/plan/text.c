/* A plan as JSON and back. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compare/plan/parts.h"

/* ---- Writing ---- */

static void write_texts(struct json_writer *w, const char *name, char *const *text, int64_t count)
{
    json_open(w, name, '[');
    for (int64_t i = 0; i < count; i++) json_string(w, NULL, text[i]);
    json_close(w);
}

static void write_arm(struct json_writer *w, const struct arm *arm)
{
    char factors[24];
    snprintf(factors, sizeof factors, "%llx", (unsigned long long)arm->factors);
    json_open(w, NULL, '{');
    json_string(w, "name", arm->name);
    json_string(w, "kind", arm_kind_name[arm->kind]);
    json_number(w, "budget", arm->budget);
    json_string(w, "factors", factors);
    json_string(w, "config", arm->config);
    if (arm->resolved) json_string(w, "resolved", arm->resolved);
    if (arm->tricks) json_string(w, "tricks", arm->tricks);
    write_texts(w, "differences", arm->difference, arm->differences);
    json_integer(w, "updates", arm->updates);
    json_integer(w, "parameters", arm->parameters);
    json_close(w);
}

static void write_contrast(struct json_writer *w, const struct plan *plan, const struct contrast *contrast)
{
    char factors[24];
    snprintf(factors, sizeof factors, "%llx", (unsigned long long)contrast->factors);
    json_open(w, NULL, '{');
    json_string(w, "name", contrast->name);
    json_string(w, "kind", contrast_kind_name[contrast->kind]);
    json_integer(w, "arm", contrast->arm);
    json_integer(w, "family", contrast->family);
    if (contrast->aliases) json_string(w, "aliases", contrast->aliases);
    json_string(w, "factors", factors);
    json_open(w, "weights", '[');
    for (int64_t a = 0; a < plan->arms; a++) json_number(w, NULL, contrast->weight[a]);
    json_close(w);
    json_close(w);
}

static void write_head(struct json_writer *w, const struct plan *plan)
{
    json_string(w, "name", plan->name);
    json_string(w, "config", plan->config);
    json_string(w, "folder", plan->folder);
    json_string(w, "command", plan->command);
    json_string(w, "design", design_name[plan->design]);
    json_string(w, "stopping", stopping_name[plan->stopping]);
    json_string(w, "role", role_name[plan->role]);
    if (plan->generators) json_string(w, "generators", plan->generators);
    json_integer(w, "first_seed", plan->first_seed);
    json_integer(w, "seeds", plan->seeds);
    if (plan->extended_from > 0) json_integer(w, "extended_from", plan->extended_from);
    json_open(w, "looks", '[');
    for (int64_t i = 0; i < plan->looks; i++) json_integer(w, NULL, plan->look[i]);
    json_close(w);
    json_string(w, "part", plan->part);
    json_string(w, "metric", plan->metric);
    json_boolean(w, "lower_is_better", plan->lower_is_better);
    json_number(w, "margin", plan->margin);
    json_number(w, "first_margin", plan->first_margin);
    if (!isnan(plan->failed_score)) json_number(w, "failed_score", plan->failed_score);
    json_boolean(w, "failed_score_given", plan->failed_score_given);
    json_boolean(w, "equal_cost", plan->equal_cost);
    json_boolean(w, "redraw", plan->redraw);
    json_number(w, "timeout", plan->timeout);
    json_integer(w, "threads", plan->threads);
}

static void write_data(struct json_writer *w, const struct plan *plan)
{
    char test_set[24];
    snprintf(test_set, sizeof test_set, "%016llx", (unsigned long long)plan->test_set);
    json_string(w, "test_set", test_set);
    json_integer(w, "train_count", plan->train_count);
    json_integer(w, "test_count", plan->test_count);
    if (plan->data_title) json_string(w, "data_title", plan->data_title);
}

char *plan_text(const struct plan *plan)
{
    struct json_writer *w = json_writer_new(true);
    if (!w) return NULL;
    json_open(w, NULL, '{');
    write_head(w, plan);
    write_data(w, plan);
    write_texts(w, "factors", plan->factor, plan->factors);
    json_open(w, "arms", '[');
    for (int64_t a = 0; a < plan->arms; a++) write_arm(w, &plan->arm[a]);
    json_close(w);
    json_open(w, "contrasts", '[');
    for (int64_t c = 0; c < plan->contrasts; c++) write_contrast(w, plan, &plan->contrast[c]);
    json_close(w);
    json_close(w);
    return json_take(w);
}

/* ---- Reading ---- */

struct arm_text {
    const char *name, *factors, *config, *resolved, *tricks;
    int kind;
    double budget;
    struct json_texts differences;
    int64_t updates, parameters;
};
#define ARM(field) offsetof(struct arm_text, field)
static const struct json_field arm_fields[] = {
    {"name", JSON_TEXT, ARM(name), NULL, NULL, NULL, ""},
    {"kind", JSON_CHOICE, ARM(kind), NULL, NULL, arm_kind_name, ""},
    {"budget", JSON_DOUBLE, ARM(budget), NULL, "(0,inf)", NULL, ""},
    {"factors", JSON_TEXT, ARM(factors), NULL, NULL, NULL, ""},
    {"config", JSON_TEXT, ARM(config), NULL, NULL, NULL, ""},
    {"resolved", JSON_TEXT, ARM(resolved), "", NULL, NULL, ""},
    {"tricks", JSON_TEXT, ARM(tricks), "", NULL, NULL, ""},
    {"differences", JSON_TEXTS, ARM(differences), NULL, NULL, NULL, ""},
    {"updates", JSON_INTEGER, ARM(updates), NULL, NULL, NULL, ""},
    {"parameters", JSON_INTEGER, ARM(parameters), NULL, NULL, NULL, ""},
    {NULL},
};

static knack_status read_arm(struct plan *plan, const struct json *node)
{
    struct arm_text text = {0};
    int64_t index;
    TRY(json_fields(node, arm_fields, &text));
    char *config = memory_text(text.config);
    TRY(plan_add_arm(plan, text.name, (enum arm_kind)text.kind, strtoull(text.factors, NULL, 16), config, &index));
    struct arm *arm = &plan->arm[index];
    if (index != plan->arms - 1) return json_fail(node, KNACK_E_CONFIG, "an arm of the budgets stands before others");
    arm->budget = text.budget;
    arm->updates = text.updates;
    arm->parameters = text.parameters;
    TRY(plan_copy_text(&arm->resolved, text.resolved));
    TRY(plan_copy_text(&arm->tricks, text.tricks));
    arm->difference = memory_new((size_t)text.differences.count, sizeof *arm->difference);
    if (!arm->difference) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < text.differences.count; i++) {
        TRY(plan_copy_text(&arm->difference[i], text.differences.value[i]));
        arm->differences++;
    }
    return KNACK_OK;
}

struct contrast_text {
    const char *name, *aliases, *factors;
    int kind;
    int64_t arm, family;
    struct json_doubles weights;
};
#define CONTRAST(field) offsetof(struct contrast_text, field)
static const struct json_field contrast_fields[] = {
    {"name", JSON_TEXT, CONTRAST(name), NULL, NULL, NULL, ""},
    {"kind", JSON_CHOICE, CONTRAST(kind), NULL, NULL, contrast_kind_name, ""},
    {"arm", JSON_INTEGER, CONTRAST(arm), NULL, NULL, NULL, ""},
    {"family", JSON_INTEGER, CONTRAST(family), NULL, "[0,1]", NULL, ""},
    {"aliases", JSON_TEXT, CONTRAST(aliases), "", NULL, NULL, ""},
    {"factors", JSON_TEXT, CONTRAST(factors), NULL, NULL, NULL, ""},
    {"weights", JSON_DOUBLES, CONTRAST(weights), NULL, NULL, NULL, ""},
    {NULL},
};

static knack_status read_contrast(struct plan *plan, const struct json *node)
{
    struct contrast_text text = {0};
    struct contrast *contrast;
    TRY(json_fields(node, contrast_fields, &text));
    if (text.weights.count != plan->arms || text.arm >= plan->arms)
        return json_fail(node, KNACK_E_CONFIG, "does not fit its %lld arms", (long long)plan->arms);
    TRY(plan_add_contrast(plan, text.name, (enum contrast_kind)text.kind, text.arm, strtoull(text.factors, NULL, 16), &contrast));
    contrast->family = (int)text.family;
    memcpy(contrast->weight, text.weights.value, (size_t)plan->arms * sizeof *contrast->weight);
    return plan_copy_text(&contrast->aliases, text.aliases);
}

struct plan_text {
    const char *name, *config, *folder, *command, *generators, *part, *metric, *test_set, *data_title;
    int design, stopping, role;
    int64_t first_seed, seeds, extended_from, threads, train_count, test_count;
    struct json_doubles looks;
    bool lower_is_better, failed_score_given, equal_cost, redraw;
    double margin, first_margin, failed_score, timeout;
    struct json_texts factors;
    const struct json *arms, *contrasts;
};
#define PLAN(field) offsetof(struct plan_text, field)
static const struct json_field plan_fields[] = {
    {"name", JSON_TEXT, PLAN(name), NULL, NULL, NULL, ""},
    {"config", JSON_TEXT, PLAN(config), NULL, NULL, NULL, ""},
    {"folder", JSON_TEXT, PLAN(folder), NULL, NULL, NULL, ""},
    {"command", JSON_TEXT, PLAN(command), NULL, NULL, NULL, ""},
    {"design", JSON_CHOICE, PLAN(design), NULL, NULL, design_name, ""},
    {"stopping", JSON_CHOICE, PLAN(stopping), NULL, NULL, stopping_name, ""},
    {"role", JSON_CHOICE, PLAN(role), NULL, NULL, role_name, ""},
    {"generators", JSON_TEXT, PLAN(generators), "", NULL, NULL, ""},
    {"first_seed", JSON_INTEGER, PLAN(first_seed), NULL, "[0,inf)", NULL, ""},
    {"seeds", JSON_INTEGER, PLAN(seeds), NULL, "[1,inf)", NULL, ""},
    {"extended_from", JSON_INTEGER, PLAN(extended_from), "", "[1,inf)", NULL, ""},
    {"looks", JSON_DOUBLES, PLAN(looks), NULL, NULL, NULL, ""},
    {"part", JSON_TEXT, PLAN(part), NULL, NULL, NULL, ""},
    {"metric", JSON_TEXT, PLAN(metric), NULL, NULL, NULL, ""},
    {"lower_is_better", JSON_BOOLEAN, PLAN(lower_is_better), NULL, NULL, NULL, ""},
    {"margin", JSON_DOUBLE, PLAN(margin), NULL, NULL, NULL, ""},
    {"first_margin", JSON_DOUBLE, PLAN(first_margin), NULL, NULL, NULL, ""},
    {"failed_score", JSON_DOUBLE, PLAN(failed_score), "", NULL, NULL, ""},
    {"failed_score_given", JSON_BOOLEAN, PLAN(failed_score_given), NULL, NULL, NULL, ""},
    {"equal_cost", JSON_BOOLEAN, PLAN(equal_cost), NULL, NULL, NULL, ""},
    {"redraw", JSON_BOOLEAN, PLAN(redraw), NULL, NULL, NULL, ""},
    {"timeout", JSON_DOUBLE, PLAN(timeout), NULL, NULL, NULL, ""},
    {"threads", JSON_INTEGER, PLAN(threads), NULL, NULL, NULL, ""},
    {"test_set", JSON_TEXT, PLAN(test_set), NULL, NULL, NULL, ""},
    {"train_count", JSON_INTEGER, PLAN(train_count), NULL, NULL, NULL, ""},
    {"test_count", JSON_INTEGER, PLAN(test_count), NULL, NULL, NULL, ""},
    {"data_title", JSON_TEXT, PLAN(data_title), "", NULL, NULL, ""},
    {"factors", JSON_TEXTS, PLAN(factors), NULL, NULL, NULL, ""},
    {"arms", JSON_ANY, PLAN(arms), NULL, NULL, NULL, ""},
    {"contrasts", JSON_ANY, PLAN(contrasts), NULL, NULL, NULL, ""},
    {NULL},
};

static knack_status take_texts(struct plan *plan, const struct plan_text *text)
{
    TRY(plan_copy_text(&plan->name, text->name));
    TRY(plan_copy_text(&plan->config, text->config));
    TRY(plan_copy_text(&plan->folder, text->folder));
    TRY(plan_copy_text(&plan->command, text->command));
    TRY(plan_copy_text(&plan->generators, text->generators));
    TRY(plan_copy_text(&plan->part, text->part));
    TRY(plan_copy_text(&plan->metric, text->metric));
    TRY(plan_copy_text(&plan->data_title, text->data_title));
    plan->factor = memory_new((size_t)text->factors.count, sizeof *plan->factor);
    if (!plan->factor) return KNACK_E_MEMORY;
    for (int64_t f = 0; f < text->factors.count; f++) {
        TRY(plan_copy_text(&plan->factor[f], text->factors.value[f]));
        plan->factors++;
    }
    return KNACK_OK;
}

static void take_numbers(struct plan *plan, const struct plan_text *text)
{
    plan->design = (enum design)text->design;
    plan->stopping = (enum stopping)text->stopping;
    plan->role = (enum role)text->role;
    plan->first_seed = text->first_seed;
    plan->seeds = text->seeds;
    plan->extended_from = text->extended_from;
    for (int64_t i = 0; i < text->looks.count && i < LOOKS_MOST; i++) plan->look[plan->looks++] = (int64_t)text->looks.value[i];
    plan->lower_is_better = text->lower_is_better;
    plan->margin = text->margin;
    plan->first_margin = text->first_margin;
    plan->failed_score = text->failed_score;
    plan->failed_score_given = text->failed_score_given;
    plan->equal_cost = text->equal_cost;
    plan->redraw = text->redraw;
    plan->timeout = text->timeout;
    plan->threads = text->threads;
    plan->test_set = strtoull(text->test_set, NULL, 16);
    plan->train_count = text->train_count;
    plan->test_count = text->test_count;
}

static knack_status read_plan(const struct json *root, struct plan *plan)
{
    struct plan_text text = {.failed_score = NAN};
    TRY(json_fields(root, plan_fields, &text));
    take_numbers(plan, &text);
    TRY(take_texts(plan, &text));
    for (const struct json *arm = text.arms->first; arm; arm = arm->next) TRY(read_arm(plan, arm));
    if (plan->arms == 0) return json_fail(text.arms, KNACK_E_CONFIG, "a comparison has a baseline at least");
    for (const struct json *contrast = text.contrasts->first; contrast; contrast = contrast->next) TRY(read_contrast(plan, contrast));
    return KNACK_OK;
}

knack_status plan_parse(const char *text, const char *file, struct plan **out)
{
    struct json_document *document;
    *out = NULL;
    TRY(json_parse(text, strlen(text), file, &document));
    struct plan *plan = memory_new(1, sizeof *plan);
    knack_status status = plan ? read_plan(document->root, plan) : KNACK_E_MEMORY;
    json_free(document);
    if (status < 0) {
        plan_free(plan);
        return status;
    }
    *out = plan;
    return KNACK_OK;
}
