/* What was held, what was drawn anew by each seed, and how tests are adjusted. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <knack/knack.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/number.h"
#include "compare/analysis/steps.h"
#include "compare/statistics/distributions.h"
#include "tensor/kernels/kernels.h"

enum { MOST_LINES = 16 };

/* Lines that are collected. */
struct lines {
    struct analysis *analysis;
    char **line;
    int count;
    knack_status status;
};

static void add(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct lines *lines, const char *format, ...)
{
    char text[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    char *copy = lines->count < MOST_LINES ? arena_text(lines->analysis->arena, text) : NULL;
    if (copy)
        lines->line[lines->count++] = copy;
    else
        lines->status = KNACK_E_MEMORY;
}

static struct lines begin(struct analysis *analysis)
{
    struct lines lines = {.analysis = analysis, .status = KNACK_OK};
    if (!MAKE(analysis, lines.line, MOST_LINES + 1)) lines.status = KNACK_E_MEMORY;
    return lines;
}

/* ---- Of the baseline's config ---- */

static bool has_dropout(const struct json *model)
{
    if (json_member_number(model, "dropout") > 0) return true;
    const struct json *layers = json_member(model, "layers");
    for (const struct json *layer = layers ? layers->first : NULL; layer; layer = layer->next)
        if (strcmp(json_member_text(layer, "type", ""), "dropout") == 0) return true;
    return false;
}

static bool is_budget(const struct arm *arm)
{
    return arm->kind == ARM_BUDGET;
}

static bool changes_more_than_tricks(const struct arm *arm)
{
    for (int64_t i = 0; arm->kind == ARM_TREATED && i < arm->differences; i++)
        if (strncmp(arm->difference[i], "plugins", 7) != 0) return true;
    return false;
}

static bool changes_model(const struct arm *arm)
{
    for (int64_t i = 0; arm->kind == ARM_TREATED && i < arm->differences; i++)
        if (strncmp(arm->difference[i], "model.", 6) == 0) return true;
    return false;
}

static bool has_arm(const struct plan *plan, bool (*is)(const struct arm *))
{
    for (int64_t a = 0; a < plan->arms; a++)
        if (is(&plan->arm[a])) return true;
    return false;
}

static void list_training(struct lines *lines, const struct json *config)
{
    const struct json *train = json_member(config, "train"), *optimizer = json_member(train, "optimizer");
    char epochs[NUMBER_SIZE], batch[NUMBER_SIZE], rate[NUMBER_SIZE];
    const struct arm *base = &lines->analysis->plan->arm[0];
    const struct json *kind = json_member(config, "model");
    const char *but = has_arm(lines->analysis->plan, changes_model) ? ", but for what arms themselves change" : "";
    if (base->parameters > 0)
        add(lines, "model: %s, %lld parameters%s", json_member_text(kind, "type", "the base config's"), (long long)base->parameters, but);
    else
        add(lines, "model: %s", json_member_text(kind, "type", "the base config's"));
    if (isnan(json_member_number(train, "epochs"))) {
        add(lines, "hyper-parameters and budget: those of the base config");
        return;
    }
    add(lines, "budget: %s epochs, %lld updates of %s rows%s", number_short(epochs, json_member_number(train, "epochs")),
        (long long)base->updates, number_short(batch, json_member_number(train, "batch")),
        has_arm(lines->analysis->plan, is_budget) ? "; the baseline's larger ones apart" : "");
    add(lines, "hyper-parameters: those of the base config (%s, lr %s, %s schedule) for every arm%s",
        json_member_text(optimizer, "type", "its optimizer"), number_short(rate, json_member_number(optimizer, "lr")),
        json_member_text(json_member(train, "schedule"), "type", "its"),
        has_arm(lines->analysis->plan, changes_more_than_tricks) ? ", but for what arms themselves change"
                                                                 : "; no trick got tuning of its own");
}

/* Those of the base config are in every arm, and are not compared. */
static void list_own_tricks(struct lines *lines, const struct json *plugins)
{
    char text[512] = "";
    for (const struct json *entry = plugins ? plugins->first : NULL; entry; entry = entry->next) {
        size_t used = strlen(text);
        const char *name = entry->kind == JSON_STRING ? entry->string : json_member_text(entry, "as", json_member_text(entry, "name", "?"));
        snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", name);
    }
    if (*text) add(lines, "tricks of the base config, in every arm: %s", text);
}

static void list_fixed(struct lines *lines, const struct json *config)
{
    const struct plan *plan = lines->analysis->plan;
    const char *data = plan->data_title ? plan->data_title : "those of the base config";
    if (plan->redraw)
        add(lines, "pool of data: %s; its split is drawn by each seed", data);
    else
        add(lines, "data and their split: %s", data);
    list_training(lines, config);
    list_own_tricks(lines, json_member(config, "plugins"));
    add(lines, "threads of a trial: %lld; sums are made in a fixed order", (long long)(plan->threads > 0 ? plan->threads : 1));
}

static void list_random(struct lines *lines, const struct json *config)
{
    const struct json *data = json_member(config, "data"), *augment = json_member(data, "augment"), *shuffle = json_member(data, "shuffle");
    if (lines->analysis->plan->redraw) add(lines, "split of the data");
    add(lines, "initial weights");
    if (!shuffle || shuffle->kind != JSON_FLAG || shuffle->flag) add(lines, "order of the data");
    if (augment && augment->count > 0) add(lines, "augmentation");
    if (has_dropout(json_member(config, "model"))) add(lines, "dropout");
    add(lines, "what tricks draw");
}

/* ---- The header ---- */

static knack_status fill_lists(struct analysis *analysis)
{
    const struct arm *base = &analysis->plan->arm[0];
    const char *text = base->resolved ? base->resolved : base->config;
    struct json_document *config = NULL;
    if (text) TRY(json_parse(text, strlen(text), "the baseline's config", &config));
    struct lines fixed = begin(analysis), random = begin(analysis);
    if (fixed.status >= 0) list_fixed(&fixed, config ? config->root : NULL);
    if (random.status >= 0) list_random(&random, config ? config->root : NULL);
    json_free(config);
    analysis->fixed = fixed.line;
    analysis->random = random.line;
    return fixed.status < 0 ? fixed.status : random.status;
}

static void describe_adjustment(const struct analysis *analysis, char *text, size_t size)
{
    const char *method = analysis->screening ? "Benjamini-Hochberg q" : "Holm";
    char effects[NUMBER_SIZE], interactions[NUMBER_SIZE];
    const int64_t *family = analysis->family_size;
    if (family[1] > 0)
        snprintf(text, size, "%s over %s, and over %s apart", method, number_of(effects, family[0], "effect"),
                 number_of(interactions, family[1], "interaction"));
    else if (family[0] == 1)
        snprintf(text, size, "one comparison, nothing to adjust");
    else
        snprintf(text, size, "%s over %s", method, number_of(effects, family[0], "comparison"));
}

/* The mean of the largest of m standard normal numbers: what choosing the best of m equal ones looks like in standard errors. */
static double largest_of(int64_t m)
{
    enum { STEPS = 2000 };
    double low = -10, step = 20.0 / STEPS, sum = 0;
    for (int i = 0; i < STEPS; i++) {
        double x = low + (i + .5) * step;
        double density = exp(-x * x / 2) / sqrt(2 * 3.14159265358979323846);
        sum += x * (double)m * density * pow(normal_cdf(x), (double)(m - 1)) * step;
    }
    return sum;
}

/* The best of those with the most blocks that comes after `last`, which are all that went before; NULL: no more. */
static const struct contrast_result *next_candidate(const struct analysis *analysis, int64_t blocks, const struct contrast_result *last)
{
    const struct contrast_result *next = NULL;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) {
        const struct contrast_result *one = &analysis->contrast[c];
        double delta = one->estimate.delta;
        bool after = !last || delta < last->estimate.delta || (delta == last->estimate.delta && one > last);
        if (one->estimate.n == blocks && after && (!next || delta > next->estimate.delta)) next = one;
    }
    return next;
}

static knack_status name_candidates(struct analysis *analysis)
{
    char text[512] = "";
    int64_t blocks = 1;
    if (analysis->plan->design != DESIGN_SCREEN || !analysis->finished) return KNACK_OK;
    for (int64_t c = 0; c < analysis->plan->contrasts; c++)
        if (analysis->contrast[c].estimate.n > blocks) blocks = analysis->contrast[c].estimate.n;
    for (const struct contrast_result *one = next_candidate(analysis, blocks, NULL); one; one = next_candidate(analysis, blocks, one))
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", *text ? ", " : "", one->title);
    analysis->candidates = arena_text(analysis->arena, text);
    return analysis->candidates ? KNACK_OK : KNACK_E_MEMORY;
}

knack_status header_fill(struct analysis *analysis)
{
    const struct plan *plan = analysis->plan;
    char text[512];
    analysis->percent = metric_is_share(plan->metric) ? 100 : 1;
    snprintf(text, sizeof text, "%s%s%s%s", analysis->percent == 100 ? "points of " : "", strcmp(plan->part, "test") ? plan->part : "",
             strcmp(plan->part, "test") ? " " : "", plan->metric);
    analysis->unit = arena_text(analysis->arena, text);
    describe_adjustment(analysis, text, sizeof text);
    analysis->adjustment = arena_text(analysis->arena, text);
    snprintf(text, sizeof text, "%s, %s", kernel_cpu_level(), kernel_library_version());
    analysis->machine = arena_text(analysis->arena, text);
    analysis->knack = arena_text(analysis->arena, knack_version());
    if (analysis->screening && analysis->family_size[0] > 1) analysis->best_bias = largest_of(analysis->family_size[0]);
    if (!analysis->unit || !analysis->adjustment || !analysis->machine || !analysis->knack) return KNACK_E_MEMORY;
    TRY(name_candidates(analysis));
    return fill_lists(analysis);
}
