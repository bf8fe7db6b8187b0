/* A plan as JSON and back, by one table each for a plan, an arm and a contrast. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "compare/plan/parts.h"

/* ---- What is kept: a struct, which stands first, and in JSON's terms the members that no field can be ---- */

struct kept_arm {
    struct arm arm;
    const char *factors;
    struct json_texts differences;
    struct json_doubles read;
};

#define ARM(member, type, fallback, range, choices)                                                                                        \
    {                                                                                                                                      \
#member, type, offsetof(struct arm, member), fallback, range, choices, NULL                                                        \
    }
static const struct json_field arm_fields[] = {
    ARM(name, JSON_TEXT, NULL, NULL, NULL),
    ARM(kind, JSON_CHOICE, NULL, NULL, arm_kind_name),
    ARM(budget, JSON_DOUBLE, NULL, "(0,inf)", NULL),
    {"factors", JSON_TEXT, offsetof(struct kept_arm, factors), NULL, NULL, NULL, NULL},
    ARM(config, JSON_TEXT, NULL, NULL, NULL),
    ARM(resolved, JSON_TEXT, "", NULL, NULL),
    ARM(tricks, JSON_TEXT, "", NULL, NULL),
    {"differences", JSON_TEXTS, offsetof(struct kept_arm, differences), NULL, NULL, NULL, NULL},
    ARM(updates, JSON_INTEGER, NULL, NULL, NULL),
    ARM(parameters, JSON_INTEGER, NULL, NULL, NULL),
    ARM(identity, JSON_TEXT, "", NULL, NULL),
    ARM(update_cost, JSON_DOUBLE, "", NULL, NULL),
    ARM(update_cost_low, JSON_DOUBLE, "", NULL, NULL),
    ARM(update_cost_high, JSON_DOUBLE, "", NULL, NULL),
    {"read", JSON_DOUBLES, offsetof(struct kept_arm, read), NULL, NULL, NULL, NULL},
    ARM(joined, JSON_BOOLEAN, NULL, NULL, NULL),
    ARM(dropped, JSON_BOOLEAN, NULL, NULL, NULL),
    {NULL},
};

struct kept_contrast {
    struct contrast contrast;
    const char *factors;
    struct json_doubles weights;
};

#define CONTRAST(member, type, fallback, range, choices)                                                                                   \
    {                                                                                                                                      \
#member, type, offsetof(struct contrast, member), fallback, range, choices, NULL                                                   \
    }
static const struct json_field contrast_fields[] = {
    CONTRAST(name, JSON_TEXT, NULL, NULL, NULL),
    CONTRAST(kind, JSON_CHOICE, NULL, NULL, contrast_kind_name),
    CONTRAST(arm, JSON_INTEGER, NULL, "[-1,inf)", NULL),
    CONTRAST(family, JSON_INTEGER, NULL, "[0,1]", NULL),
    CONTRAST(aliases, JSON_TEXT, "", NULL, NULL),
    {"factors", JSON_TEXT, offsetof(struct kept_contrast, factors), NULL, NULL, NULL, NULL},
    {"weights", JSON_DOUBLES, offsetof(struct kept_contrast, weights), NULL, NULL, NULL, NULL},
    {NULL},
};

struct kept_plan {
    struct plan plan;
    struct json_doubles looks, look_bound;
    struct json_texts factors, classes;
    const char *test_set, *train_set;
    const struct json *arms, *contrasts; /* only when read */
};

#define PLAN(member, type, fallback, range, choices)                                                                                       \
    {                                                                                                                                      \
#member, type, offsetof(struct plan, member), fallback, range, choices, NULL                                                       \
    }
#define KEPT(member, type, fallback)                                                                                                       \
    {                                                                                                                                      \
#member, type, offsetof(struct kept_plan, member), fallback, NULL, NULL, NULL                                                      \
    }
static const struct json_field plan_fields[] = {
    PLAN(name, JSON_TEXT, NULL, NULL, NULL),
    PLAN(config, JSON_TEXT, NULL, NULL, NULL),
    PLAN(folder, JSON_TEXT, NULL, NULL, NULL),
    PLAN(command, JSON_TEXT, NULL, NULL, NULL),
    PLAN(design, JSON_CHOICE, NULL, NULL, design_name),
    PLAN(stopping, JSON_CHOICE, NULL, NULL, stopping_name),
    PLAN(role, JSON_CHOICE, NULL, NULL, role_name),
    PLAN(generators, JSON_TEXT, "", NULL, NULL),
    PLAN(first_seed, JSON_INTEGER, NULL, "[0,inf)", NULL),
    PLAN(seeds, JSON_INTEGER, NULL, "[1,inf)", NULL),
    KEPT(looks, JSON_DOUBLES, ""),
    KEPT(look_bound, JSON_DOUBLES, ""),
    PLAN(part, JSON_TEXT, NULL, NULL, NULL),
    PLAN(metric, JSON_TEXT, NULL, NULL, NULL),
    PLAN(lower_is_better, JSON_BOOLEAN, NULL, NULL, NULL),
    PLAN(margin, JSON_DOUBLE, NULL, NULL, NULL),
    PLAN(first_margin, JSON_DOUBLE, NULL, NULL, NULL),
    PLAN(failed_score, JSON_DOUBLE, "", NULL, NULL),
    PLAN(failed_score_given, JSON_BOOLEAN, NULL, NULL, NULL),
    PLAN(equal_cost, JSON_BOOLEAN, NULL, NULL, NULL),
    PLAN(converge, JSON_BOOLEAN, NULL, NULL, NULL),
    PLAN(redraw, JSON_BOOLEAN, NULL, NULL, NULL),
    PLAN(shared, JSON_DOUBLE, "", NULL, NULL),
    PLAN(epochs, JSON_INTEGER, NULL, NULL, NULL),
    PLAN(timeout, JSON_DOUBLE, NULL, NULL, NULL),
    PLAN(threads, JSON_INTEGER, NULL, NULL, NULL),
    KEPT(test_set, JSON_TEXT, NULL),
    KEPT(train_set, JSON_TEXT, NULL),
    PLAN(retried, JSON_INTEGER, NULL, NULL, NULL),
    PLAN(train_count, JSON_INTEGER, NULL, NULL, NULL),
    PLAN(test_count, JSON_INTEGER, NULL, NULL, NULL),
    PLAN(data_title, JSON_TEXT, "", NULL, NULL),
    PLAN(labels, JSON_TEXT, "", NULL, NULL),
    KEPT(classes, JSON_TEXTS, ""),
    PLAN(note, JSON_TEXT, "", NULL, NULL),
    KEPT(factors, JSON_TEXTS, NULL),
    KEPT(arms, JSON_ANY, NULL),
    KEPT(contrasts, JSON_ANY, NULL),
    {NULL},
};

/* ---- Writing ---- */

enum { HEX = 24, NUMBERS_MOST = READS_MOST };
_Static_assert((int)NUMBERS_MOST >= (int)LOOKS_MOST, "room for looks");

static const char *hexadecimal(char text[HEX], uint64_t number)
{
    snprintf(text, HEX, "%llx", (unsigned long long)number);
    return text;
}

static struct json_doubles doubles_of(double number[NUMBERS_MOST], const int64_t *integer, int64_t count)
{
    for (int64_t i = 0; i < count; i++) number[i] = (double)integer[i];
    return (struct json_doubles){number, count};
}

static void write_arm(struct json_writer *w, const struct arm *arm)
{
    char factors[HEX];
    double read[NUMBERS_MOST];
    struct kept_arm kept = {*arm, hexadecimal(factors, arm->factors)};
    kept.differences = (struct json_texts){(const char *const *)arm->difference, arm->differences};
    kept.read = doubles_of(read, arm->read, arm->reads);
    json_open(w, NULL, '{');
    json_write_fields(w, arm_fields, &kept);
    json_close(w);
}

static void write_contrast(struct json_writer *w, const struct plan *plan, const struct contrast *contrast)
{
    char factors[HEX];
    struct kept_contrast kept = {*contrast, hexadecimal(factors, contrast->factors), {contrast->weight, plan->arms}};
    json_open(w, NULL, '{');
    json_write_fields(w, contrast_fields, &kept);
    json_close(w);
}

static void write_head(struct json_writer *w, const struct plan *plan)
{
    char test_set[HEX], train_set[HEX];
    double look[NUMBERS_MOST];
    struct kept_plan kept = {.plan = *plan, .factors = {(const char *const *)plan->factor, plan->factors}};
    kept.classes = (struct json_texts){(const char *const *)plan->class_name, plan->classes};
    kept.looks = doubles_of(look, plan->look, plan->looks);
    kept.look_bound = (struct json_doubles){plan->look_bound, plan->looks > 0 ? LOOK_LEVELS : 0};
    kept.test_set = hexadecimal(test_set, plan->test_set);
    kept.train_set = hexadecimal(train_set, plan->train_set);
    json_write_fields(w, plan_fields, &kept);
}

char *plan_text(const struct plan *plan)
{
    struct json_writer *w = json_writer_new(true);
    if (!w) return NULL;
    json_open(w, NULL, '{');
    write_head(w, plan);
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

static uint64_t take_hexadecimal(const char **text)
{
    uint64_t number = strtoull(*text, NULL, 16);
    *text = NULL;
    return number;
}

/* Texts that a table has read are the document's. Each becomes a copy, or NULL if memory is out, so that its struct can be freed. */
static knack_status own_texts(const struct json_field *field, void *values)
{
    knack_status status = KNACK_OK;
    for (; field->name; field++) {
        char **text = (char **)((char *)values + field->offset);
        if (field->type == JSON_TEXT && plan_copy_text(text, *text) < 0) status = KNACK_E_MEMORY;
    }
    return status;
}

static knack_status take_texts(char ***to, int64_t *count, struct json_texts text)
{
    *to = memory_new((size_t)text.count, sizeof **to);
    if (!*to) return KNACK_E_MEMORY;
    for (; *count < text.count; ++*count) TRY(plan_copy_text(&(*to)[*count], text.value[*count]));
    return KNACK_OK;
}

static knack_status take_integers(const struct json *node, struct json_doubles numbers, int64_t most, int64_t *to, int64_t *count)
{
    if (numbers.count > most) return json_fail(node, KNACK_E_CONFIG, "a list is longer than %lld numbers", (long long)most);
    for (; *count < numbers.count; ++*count) to[*count] = (int64_t)numbers.value[*count];
    return KNACK_OK;
}

/* Arms and contrasts count as soon as there is something to free. */
static knack_status read_arm(struct plan *plan, const struct json *node)
{
    struct kept_arm kept = {.arm = {.update_cost = NAN, .update_cost_low = NAN, .update_cost_high = NAN}};
    TRY(json_fields(node, arm_fields, &kept));
    bool budgets_end = plan->arms > 0 && plan->arm[plan->arms - 1].kind == ARM_BUDGET && kept.arm.kind != ARM_BUDGET;
    if (budgets_end || plan_find_arm(plan, kept.arm.name) >= 0)
        return json_fail(node, KNACK_E_CONFIG, "stands in the wrong place, or its name for two");
    kept.arm.factors = take_hexadecimal(&kept.factors);
    struct arm *arm = &plan->arm[plan->arms++];
    knack_status status = own_texts(arm_fields, &kept);
    *arm = kept.arm;
    TRY(status);
    TRY(take_integers(node, kept.read, READS_MOST, arm->read, &arm->reads));
    return take_texts(&arm->difference, &arm->differences, kept.differences);
}

static knack_status read_contrast(struct plan *plan, const struct json *node)
{
    struct kept_contrast kept = {0};
    TRY(json_fields(node, contrast_fields, &kept));
    bool of_an_arm = kept.contrast.kind == CONTRAST_ARM || kept.contrast.kind == CONTRAST_LEFT_OUT;
    if (kept.weights.count != plan->arms || kept.contrast.arm >= plan->arms || (of_an_arm && kept.contrast.arm < 0))
        return json_fail(node, KNACK_E_CONFIG, "does not fit its %lld arms", (long long)plan->arms);
    kept.contrast.factors = take_hexadecimal(&kept.factors);
    struct contrast *contrast = &plan->contrast[plan->contrasts++];
    knack_status status = own_texts(contrast_fields, &kept);
    *contrast = kept.contrast;
    TRY(status);
    contrast->weight = memory_new((size_t)plan->arms, sizeof *contrast->weight);
    if (!contrast->weight) return KNACK_E_MEMORY;
    memcpy(contrast->weight, kept.weights.value, (size_t)plan->arms * sizeof *contrast->weight);
    return KNACK_OK;
}

static knack_status read_lists(const struct json *root, const struct kept_plan *kept, struct plan *plan)
{
    bool bounds = kept->look_bound.count == (kept->looks.count > 0 ? LOOK_LEVELS : 0);
    if (!bounds || kept->arms->count == 0)
        return json_fail(root, KNACK_E_CONFIG, "a comparison has a baseline at least, and a bound for each level of its looks");
    TRY(take_integers(root, kept->looks, LOOKS_MOST, plan->look, &plan->looks));
    for (int64_t i = 0; i < kept->look_bound.count; i++) plan->look_bound[i] = kept->look_bound.value[i];
    if (kept->classes.count > 0) TRY(take_texts(&plan->class_name, &plan->classes, kept->classes));
    TRY(take_texts(&plan->factor, &plan->factors, kept->factors));
    plan->arm = memory_new((size_t)kept->arms->count, sizeof *plan->arm);
    plan->contrast = memory_new((size_t)kept->contrasts->count, sizeof *plan->contrast);
    if (!plan->arm || !plan->contrast) return KNACK_E_MEMORY;
    for (const struct json *arm = kept->arms->first; arm; arm = arm->next) TRY(read_arm(plan, arm));
    for (const struct json *contrast = kept->contrasts->first; contrast; contrast = contrast->next) TRY(read_contrast(plan, contrast));
    return KNACK_OK;
}

static knack_status read_plan(const struct json *root, struct plan *plan)
{
    struct kept_plan kept = {.plan = {.failed_score = NAN, .shared = NAN}};
    TRY(json_fields(root, plan_fields, &kept));
    kept.plan.test_set = take_hexadecimal(&kept.test_set);
    kept.plan.train_set = take_hexadecimal(&kept.train_set);
    knack_status status = own_texts(plan_fields, &kept);
    *plan = kept.plan;
    return status < 0 ? status : read_lists(root, &kept, plan);
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

/* ---- For people ---- */

/* A text that is JSON itself stands as what it says. */
static void write_readable(struct json_writer *w, const struct json *node)
{
    struct json_document *inner;
    bool json = node->kind == JSON_STRING && (node->string[0] == '{' || node->string[0] == '[');
    if (json && json_parse(node->string, strlen(node->string), "", &inner) >= 0) {
        json_node(w, node->name, inner->root);
        json_free(inner);
    } else if (node->first && (node->kind == JSON_OBJECT || node->first->kind == JSON_OBJECT)) {
        json_open(w, node->name, node->kind == JSON_OBJECT ? '{' : '[');
        for (const struct json *child = node->first; child; child = child->next) write_readable(w, child);
        json_close(w);
    } else {
        json_node(w, node->name, node);
    }
}

char *plan_readable(const struct plan *plan)
{
    struct json_document *document;
    char *text = plan_text(plan);
    if (!text || json_parse(text, strlen(text), "plan", &document) < 0) {
        memory_free(text);
        return NULL;
    }
    memory_free(text);
    struct json_writer *w = json_writer_new(true);
    if (w) write_readable(w, document->root);
    json_free(document);
    return json_take(w);
}
