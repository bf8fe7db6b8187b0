/* comparison.json and its schema, both by the same tables; docs/comparison-json.md describes it. Differences are in the metric's own
 * direction: mean minus baseline. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/memory.h"
#include "compare/report/report.h"

enum form {
    FLAG,       /* bool */
    COUNT,      /* int64_t */
    NUMBER,     /* double */
    DIFFERENCE, /* double, larger is better: turned into the metric's own direction */
    TEXT,       /* const char * */
    LETTERS,    /* char []; "": null */
    NAME,       /* int: index of the names in `of`; "": null */
    RANGE,      /* struct interval */
    SPAN,       /* the same of differences */
    JSON,       /* const char *: JSON text */
    OBJECT,     /* const void *: what the table `of` describes; NULL: null */
    PART,       /* the same, its members among those around it */
    LIST        /* const void *: entries as the struct list `of` describes */
};

struct member {
    const char *name; /* NULL: the entry of a list, which is no object */
    enum form form;
    size_t offset;
    const void *of;
};

struct list {
    size_t count; /* offset of the int64_t that says how many there are */
    size_t size;  /* of an entry */
    const struct member *entry;
};

/* Members of SELF, which is the struct that the table describes. */
#define M(form, name, place)                                                                                                               \
    {                                                                                                                                      \
#name, form, offsetof(SELF, place), NULL                                                                                           \
    }
#define T(form, name, place, of)                                                                                                           \
    {                                                                                                                                      \
#name, form, offsetof(SELF, place), of                                                                                             \
    }

/* ---- Lines and contrasts ---- */

static const struct member text_entry[] = {{NULL, TEXT}}, count_entry[] = {{NULL, COUNT}}, number_entry[] = {{NULL, NUMBER}},
                           difference_entry[] = {{NULL, DIFFERENCE}};

struct line {
    struct estimate e;
    enum verdict_kind kind;
};
#define SELF struct line
static const struct list line_seeds = {offsetof(SELF, e.n), sizeof(int64_t), count_entry},
                         line_differences = {offsetof(SELF, e.n), sizeof(double), difference_entry};
#define LINE_MEMBERS                                                                                                                       \
    M(COUNT, n, e.n), M(DIFFERENCE, delta, e.delta), M(SPAN, ci, e.ci), M(NUMBER, p, e.p), M(NUMBER, p_holm, e.p_adjusted),                \
        M(DIFFERENCE, upper, e.upper), T(NAME, kind, kind, verdict_kind_name), M(NUMBER, wins, e.wins), M(RANGE, wins_ci, e.wins_ci),      \
        M(NUMBER, s_d, e.s_d), M(NUMBER, se, e.se), M(NUMBER, df, e.df), M(DIFFERENCE, t, e.t), M(NUMBER, p_flip, e.p_flip),               \
        M(SPAN, simultaneous_ci, e.simultaneous), M(SPAN, next_seed, e.next), M(NUMBER, relative_percent, e.relative),                     \
        M(RANGE, relative_percent_ci, e.relative_ci), M(NUMBER, rho, e.rho), M(NUMBER, vrf, e.vrf), M(NUMBER, detectable, e.detectable),   \
        M(COUNT, outliers, e.outliers), M(FLAG, extended, e.extended), M(COUNT, look, e.look), M(NUMBER, boundary, e.boundary),            \
        M(FLAG, futile, e.futile), M(FLAG, stopped_early, e.stopped_early), T(LIST, seeds, e.seed, &line_seeds),                           \
        T(LIST, differences, e.difference, &line_differences)
static const struct member line_members[] = {LINE_MEMBERS, {NULL}};
#undef SELF

#define SELF struct two_level
#define VARIANCE_MEMBERS                                                                                                                   \
    M(COUNT, examples, examples), M(NUMBER, se, se), M(NUMBER, df, df), M(NUMBER, p, p), M(NUMBER, seeds, seed_variance),                  \
        M(NUMBER, test_examples, example_variance), M(NUMBER, both, interaction_variance)
static const struct member variance_members[] = {VARIANCE_MEMBERS, {NULL}};
#undef SELF

struct said_cost {
    struct cost cost;
    bool missing, beyond;
    double saving;
};
#define SELF struct said_cost
#define COST_MEMBERS                                                                                                                       \
    M(NUMBER, passes, cost.counted), M(NUMBER, cpu, cost.cpu), M(RANGE, cpu_ci, cost.cpu_ci), M(NUMBER, at, cost.at),                      \
        M(FLAG, differs, cost.differs), M(FLAG, missing, missing), M(NUMBER, ratio_at_equal_quality, saving),                              \
        M(FLAG, quality_beyond_range, beyond)
static const struct member cost_members[] = {COST_MEMBERS, {NULL}};
#undef SELF

struct compared {
    struct contrast_result r;
    struct line line[2];
    const struct line *updates, *equal;
    const struct two_level *variance;
    struct said_cost own_cost;
    const struct said_cost *cost;
    const char *arm;
    int64_t weights;
};
#define SELF struct compared
static const struct list qualifiers = {offsetof(SELF, r.verdict.qualifiers), sizeof(char *), text_entry};
#define COMPARED_MEMBERS                                                                                                                   \
    M(TEXT, verdict, r.verdict.word), T(NAME, verdict_kind, r.verdict.kind, verdict_kind_name), M(TEXT, sentence, r.verdict.sentence),     \
        T(LIST, qualifiers, r.verdict.qualifier, &qualifiers), M(NUMBER, p, r.p), M(NUMBER, p_holm, r.p_adjusted),                         \
        M(FLAG, by_cost, r.by_cost), M(FLAG, by_failures, r.by_failures), M(FLAG, decided, r.decided), M(FLAG, waits, r.waits),            \
        T(OBJECT, equal_updates, updates, line_members), T(OBJECT, equal_cost, equal, line_members),                                       \
        M(SPAN, transfer_ci, r.two_level.transfer), T(OBJECT, variance, variance, variance_members)
static const struct member compared_members[] = {COMPARED_MEMBERS, {NULL}};

struct said_contrast {
    struct compared c;
    struct contrast contrast;
    const struct compared *compared;
};
static const char *const family_name[] = {"effects", "interactions", NULL};
static const struct list weights = {offsetof(SELF, weights), sizeof(double), number_entry};
#undef SELF
#define SELF struct said_contrast
#define CONTRAST_MEMBERS                                                                                                                   \
    M(TEXT, name, c.r.title), T(NAME, kind, contrast.kind, contrast_kind_name), T(NAME, family, contrast.family, family_name),             \
        M(COUNT, n, c.r.estimate.n), M(COUNT, failed, c.r.failed), M(COUNT, baseline_failed, c.r.base_failed),                             \
        M(NUMBER, baseline, c.r.base_mean), M(NUMBER, mean, c.r.arm_mean), T(PART, part, compared, compared_members),                      \
        T(OBJECT, cost, c.cost, cost_members), M(TEXT, arm, c.arm), M(TEXT, aliases, contrast.aliases),                                    \
        T(LIST, weights, contrast.weight, &weights)
static const struct member contrast_members[] = {CONTRAST_MEMBERS, {NULL}};
#undef SELF

/* ---- Arms ---- */

#define SELF struct stored_trial
#define TRIAL_MEMBERS                                                                                                                      \
    M(COUNT, seed, seed), T(NAME, status, status, trial_status_name), M(NUMBER, value, value), T(NAME, fault, fault, trial_fault_name),    \
        M(COUNT, step, step), M(LETTERS, place, place), M(LETTERS, message, message), M(COUNT, attempt, attempt),                          \
        M(LETTERS, source, source), M(LETTERS, why, aside)
static const struct member trial_members[] = {TRIAL_MEMBERS, {NULL}};
#undef SELF

#define SELF struct trial_metric_mean
#define SECONDARY_MEMBERS                                                                                                                  \
    M(LETTERS, part, part), M(LETTERS, metric, metric), M(COUNT, n, n), M(NUMBER, mean, mean), M(NUMBER, sd, sd), M(NUMBER, delta, delta)
static const struct member secondary_members[] = {SECONDARY_MEMBERS, {NULL}};
#undef SELF
#define SELF struct stored_warning
static const struct member warning_members[] = {M(LETTERS, text, text), M(COUNT, trials, trials), {NULL}};
#undef SELF

struct said_arm {
    struct arm_result r;
    struct arm arm;
    struct compared own;
    const struct compared *compared;
    double baseline, mean;
    struct said_cost own_cost;
    const struct said_cost *cost;
    const struct stored_warning *warning;
    const struct stored_trial *trial, *aside;
    const int64_t *read;
    int64_t warnings, asides, classes;
};
#define SELF struct said_arm
static const struct list reads = {offsetof(SELF, arm.reads), sizeof(int64_t), count_entry},
                         changes = {offsetof(SELF, arm.differences), sizeof(char *), text_entry},
                         secondaries = {offsetof(SELF, r.secondaries), sizeof(struct trial_metric_mean), secondary_members},
                         recalls = {offsetof(SELF, classes), sizeof(double), number_entry},
                         warnings = {offsetof(SELF, warnings), sizeof(struct stored_warning), warning_members},
                         trials = {offsetof(SELF, r.n), sizeof(struct stored_trial), trial_members},
                         asides = {offsetof(SELF, asides), sizeof(struct stored_trial), trial_members};
#define ARM_MEMBERS                                                                                                                        \
    M(TEXT, name, arm.name), T(NAME, kind, arm.kind, arm_kind_name), M(NUMBER, budget, arm.budget), M(COUNT, n, r.n),                      \
        M(COUNT, failed, r.failed), M(NUMBER, baseline, baseline), M(NUMBER, mean, mean), M(NUMBER, sd, r.sd),                             \
        T(PART, part, compared, compared_members), T(LIST, read, read, &reads), M(FLAG, joined, arm.joined),                               \
        M(FLAG, dropped, arm.dropped), M(TEXT, idle, r.idle), T(OBJECT, cost, cost, cost_members),                                         \
        M(NUMBER, gradient_rows, r.gradient_rows), M(NUMBER, forward_rows, r.forward_rows),                                                \
        M(NUMBER, forwards_per_test_example, r.inference), M(NUMBER, cpu_seconds, r.cpu_seconds), M(NUMBER, seconds, r.seconds),           \
        M(COUNT, peak_memory, r.peak_memory), M(FLAG, pareto, r.pareto), M(NUMBER, failure_rate_bound, r.failure_bound),                   \
        M(NUMBER, p_failures, r.p_failures), M(COUNT, updates, arm.updates), M(COUNT, parameters, arm.parameters),                         \
        T(LIST, changes, arm.difference, &changes), M(JSON, tricks, arm.tricks), M(JSON, identity, arm.identity),                          \
        T(LIST, secondary, r.secondary, &secondaries), T(LIST, recall, r.recall, &recalls),                                                \
        T(LIST, recall_delta, r.recall_delta, &recalls), T(LIST, warnings, warning, &warnings), T(LIST, trials, trial, &trials),           \
        T(LIST, set_aside, aside, &asides)
static const struct member arm_members[] = {ARM_MEMBERS, {NULL}};
#undef SELF

/* ---- The whole ---- */

#define SELF struct convergence
#define CONVERGENCE_MEMBERS                                                                                                                \
    M(FLAG, known, known), M(FLAG, enough, enough), M(NUMBER, factor, factor), M(COUNT, n, n), M(DIFFERENCE, gain, gain),                  \
        M(DIFFERENCE, low, low)
static const struct member convergence_members[] = {CONVERGENCE_MEMBERS, {NULL}};
#undef SELF

#define SELF struct remark
static const struct member remark_members[] = {M(TEXT, about, about), M(TEXT, text, text), M(FLAG, alarm, alarm), {NULL}};
#undef SELF

struct said {
    struct analysis a;
    struct plan plan;
    char metric[128], test_set[32];
    const char **source;
    int64_t sources, fixed, random;
    const int64_t *look;
    const struct convergence *convergence;
    const struct said_arm *arm;
    const struct said_contrast *contrast;
};
#define SELF struct said
static const struct list looks = {offsetof(SELF, plan.looks), sizeof(int64_t), count_entry},
                         sources = {offsetof(SELF, sources), sizeof(char *), text_entry},
                         fixed = {offsetof(SELF, fixed), sizeof(char *), text_entry},
                         classes = {offsetof(SELF, plan.classes), sizeof(char *), text_entry},
                         remarks = {offsetof(SELF, a.remarks), sizeof(struct remark), remark_members},
                         drawn = {offsetof(SELF, random), sizeof(char *), text_entry},
                         arms = {offsetof(SELF, plan.arms), sizeof(struct said_arm), arm_members},
                         contrasts = {offsetof(SELF, plan.contrasts), sizeof(struct said_contrast), contrast_members};
#define SAID_MEMBERS                                                                                                                       \
    M(TEXT, headline, a.headline), T(LIST, remarks, a.remark, &remarks), M(TEXT, name, plan.name), T(NAME, role, plan.role, role_name),    \
        T(NAME, design, plan.design, design_name), T(NAME, stopping, plan.stopping, stopping_name), M(LETTERS, metric, metric),            \
        M(FLAG, lower_is_better, plan.lower_is_better), M(NUMBER, margin, plan.margin), M(NUMBER, first_margin, plan.first_margin),        \
        M(COUNT, seeds, plan.seeds), M(COUNT, first_seed, plan.first_seed), M(COUNT, blocks, a.blocks), T(LIST, looks, look, &looks),      \
        M(NUMBER, failed_score, plan.failed_score), M(FLAG, redraw, plan.redraw), M(NUMBER, shared, plan.shared),                          \
        M(COUNT, epochs, plan.epochs), M(LETTERS, status, a.status), M(COUNT, comparison_number, a.comparison_number),                     \
        M(LETTERS, test_set, test_set), M(TEXT, data, plan.data_title), M(COUNT, training_examples, plan.train_count),                     \
        M(COUNT, test_examples, plan.test_count), M(TEXT, generators, plan.generators), M(TEXT, command, plan.command),                    \
        T(LIST, classes, plan.class_name, &classes), T(LIST, fixed, a.fixed, &fixed), T(LIST, random, a.random, &drawn),                   \
        M(TEXT, adjustment, a.adjustment), M(FLAG, screening, a.screening), M(TEXT, candidates, a.candidates),                             \
        T(OBJECT, convergence, convergence, convergence_members), M(COUNT, retried, plan.retried), T(LIST, sources, source, &sources),     \
        M(NUMBER, cpu_seconds, a.cpu_seconds), M(TEXT, knack, a.knack), M(TEXT, machine, a.machine), T(LIST, arms, arm, &arms),            \
        T(LIST, contrasts, contrast, &contrasts)
static const struct member said_members[] = {SAID_MEMBERS, {NULL}};
#undef SELF

/* ---- Writing by these tables ---- */

struct writing {
    struct json_writer *w;
    double sign; /* -1: lower is better */
    knack_status status;
};

static void write_range(struct writing *to, const char *name, double low, double high)
{
    if (isnan(low) || isnan(high)) {
        json_string(to->w, name, NULL);
        return;
    }
    json_open(to->w, name, '[');
    json_number(to->w, NULL, low);
    json_number(to->w, NULL, high);
    json_close(to->w);
}

/* JSON text that a plan holds: as part of this one. */
static void write_json(struct writing *to, const char *name, const char *text)
{
    struct json_document *document = NULL;
    if (text && to->status >= 0) to->status = json_parse(text, strlen(text), name, &document);
    if (document)
        json_node(to->w, name, document->root);
    else
        json_string(to->w, name, NULL);
    json_free(document);
}

static void write_letters(struct writing *to, const char *name, const char *text)
{
    json_string(to->w, name, *text ? text : NULL);
}

static void write_value(struct writing *to, const struct member *m, const char *at);

/* values NULL: of what is not there. */
static void write_members(struct writing *to, const struct member *m, const char *values)
{
    for (; m->name; m++) {
        if (m->form == PART)
            write_members(to, m->of, values ? *(const char *const *)(values + m->offset) : NULL);
        else
            write_value(to, m, values);
    }
}

static void write_object(struct writing *to, const char *name, const struct member *m, const char *values)
{
    json_open(to->w, name, '{');
    write_members(to, m, values);
    json_close(to->w);
}

static void write_list(struct writing *to, const struct member *m, const char *values)
{
    const struct list *list = m->of;
    const char *entry = values ? *(const char *const *)(values + m->offset) : NULL;
    int64_t count = entry ? *(const int64_t *)(values + list->count) : 0;
    json_open(to->w, m->name, '[');
    for (int64_t i = 0; i < count; i++, entry += list->size) {
        if (list->entry->name)
            write_object(to, NULL, list->entry, entry);
        else
            write_value(to, list->entry, entry);
    }
    json_close(to->w);
}

static void write_value(struct writing *to, const struct member *m, const char *values)
{
    const void *at = values ? values + m->offset : NULL;
    const char *text = at && (m->form == TEXT || m->form == JSON || m->form == OBJECT) ? *(const char *const *)at : NULL;
    if (m->form == LIST) {
        write_list(to, m, values);
    } else if (m->form == JSON) {
        write_json(to, m->name, text);
    } else if (m->form == TEXT || !at || (m->form == OBJECT && !text)) {
        json_string(to->w, m->name, text);
    } else if (m->form == OBJECT) {
        write_object(to, m->name, m->of, text);
    } else if (m->form == LETTERS) {
        write_letters(to, m->name, at);
    } else if (m->form == FLAG) {
        json_boolean(to->w, m->name, *(const bool *)at);
    } else if (m->form == COUNT) {
        json_integer(to->w, m->name, *(const int64_t *)at);
    } else if (m->form == NAME) {
        write_letters(to, m->name, ((const char *const *)m->of)[*(const int *)at]);
    } else if (m->form == RANGE || m->form == SPAN) {
        const struct interval *range = at;
        bool turn = m->form == SPAN && to->sign < 0;
        write_range(to, m->name, turn ? -range->high : range->low, turn ? -range->low : range->high);
    } else {
        double number = *(const double *)at;
        json_number(to->w, m->name, m->form == DIFFERENCE && number != 0 ? to->sign * number : number);
    }
}

/* ---- The schema by the same tables ---- */

static void describe_members(struct json_writer *, const struct member *, bool optional);

static void describe_type(struct json_writer *w, const char *type, bool optional)
{
    if (!optional) {
        json_string(w, "type", type);
        return;
    }
    json_open(w, "type", '[');
    json_string(w, NULL, type);
    json_string(w, NULL, "null");
    json_close(w);
}

static void describe_names(struct json_writer *w, const char *const *name, bool optional)
{
    json_open(w, "enum", '[');
    for (; *name; name++) json_string(w, NULL, **name ? *name : NULL);
    if (optional) json_string(w, NULL, NULL);
    json_close(w);
}

/* optional: it may be null where another one would not be. */
static void describe(struct json_writer *w, const struct member *m, bool optional)
{
    static const char *const type[] = {"boolean", "integer", "number", "number", "string", "string", "string",
                                       "array",   "array",   "",       "object", "",       "array"};
    const struct list *list = m->of;
    bool strict = m->form == FLAG || m->form == COUNT || m->form == LIST;
    json_open(w, m->name ? m->name : "items", '{');
    if (m->form == NAME)
        describe_names(w, m->of, optional);
    else if (m->form != JSON)
        describe_type(w, type[m->form], m->form != LIST && (optional || !strict));
    if (m->form == OBJECT) describe_members(w, m->of, false);
    if (m->form == RANGE || m->form == SPAN) describe(w, number_entry, false);
    if (m->form == LIST && list->entry->name) {
        json_open(w, "items", '{');
        describe_type(w, "object", false);
        describe_members(w, list->entry, false);
        json_close(w);
    } else if (m->form == LIST) {
        describe(w, list->entry, false);
    }
    json_close(w);
}

static void list_names(struct json_writer *w, const struct member *m)
{
    for (; m->name; m++) {
        if (m->form == PART)
            list_names(w, m->of);
        else
            json_string(w, NULL, m->name);
    }
}

static void list_properties(struct json_writer *w, const struct member *m, bool optional)
{
    for (; m->name; m++) {
        if (m->form == PART)
            list_properties(w, m->of, true);
        else
            describe(w, m, optional);
    }
}

static void describe_members(struct json_writer *w, const struct member *m, bool optional)
{
    json_open(w, "required", '[');
    list_names(w, m);
    json_close(w);
    json_boolean(w, "additionalProperties", false);
    json_open(w, "properties", '{');
    list_properties(w, m, optional);
    json_close(w);
}

void report_schema(struct json_writer *w)
{
    json_string(w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_string(w, "title", "comparison.json of knack");
    json_string(w, "type", "object");
    describe_members(w, said_members, false);
}

/* ---- From the analysis ---- */

static int64_t count_lines(char *const *line)
{
    int64_t count = 0;
    while (line && line[count]) count++;
    return count;
}

static void say_compared(const struct contrast_result *r, struct compared *to)
{
    to->r = *r;
    to->line[0] = (struct line){r->estimate, r->updates_say};
    to->line[1] = (struct line){r->at_equal_cost, r->equal_cost_says};
    to->updates = &to->line[0];
    to->equal = r->at_equal_cost.n > 0 ? &to->line[1] : NULL;
    to->variance = r->two_level.known ? &r->two_level : NULL;
    to->own_cost = (struct said_cost){r->costs, r->equal_cost_missing, isinf(r->equal_quality_saving), r->equal_quality_saving};
    to->cost = &to->own_cost;
}

static void say_contrast(const struct analysis *analysis, int64_t c, struct said_contrast *to)
{
    const struct contrast_result *r = &analysis->contrast[c];
    say_compared(r, &to->c);
    to->compared = &to->c;
    to->contrast = *r->contrast;
    to->c.arm = r->contrast->arm < 0 ? NULL : analysis->plan->arm[r->contrast->arm].name;
    to->c.weights = analysis->plan->arms;
}

static bool say_trials(const struct analysis *analysis, int64_t a, struct arena *arena, struct said_arm *to)
{
    const struct arm_result *r = &analysis->arm[a];
    struct stored_trial *trial = arena_zeroed(arena, (size_t)r->n * sizeof *trial + 1);
    struct stored_trial *aside = arena_zeroed(arena, (size_t)analysis->asides * sizeof *aside + 1);
    if (!trial || !aside) return false;
    for (int64_t i = 0; i < r->n; i++) {
        trial[i] = *r->trial[i];
        trial[i].value = r->value[i];
    }
    for (int64_t i = 0; i < analysis->asides; i++)
        if (analysis->aside[i].arm == a) aside[to->asides++] = analysis->aside[i];
    to->trial = trial;
    to->aside = aside;
    for (int64_t i = 0; i < analysis->warnings; i++) {
        if (analysis->warning[i].arm != a) continue;
        if (to->warnings++ == 0) to->warning = &analysis->warning[i];
    }
    return true;
}

static bool say_arm(const struct analysis *analysis, int64_t a, struct arena *arena, struct said_arm *to)
{
    const struct arm_result *r = &analysis->arm[a];
    int64_t c = analysis_arm_contrast(analysis, a);
    to->r = *r;
    to->arm = *r->arm;
    to->read = r->arm->read;
    to->classes = analysis->plan->classes;
    to->baseline = analysis->arm[0].mean;
    to->mean = r->mean;
    to->own_cost = (struct said_cost){.cost = r->cost, .saving = NAN};
    to->cost = &to->own_cost;
    if (c >= 0) {
        const struct contrast_result *result = &analysis->contrast[c];
        say_compared(result, &to->own);
        to->compared = &to->own;
        to->cost = &to->own.own_cost;
        to->baseline = result->base_mean;
        if (result->estimate.n > 0) to->mean = result->arm_mean;
    }
    return say_trials(analysis, a, arena, to);
}

/* Folders that trials were taken over from, each once. */
static bool say_sources(const struct analysis *analysis, struct arena *arena, struct said *to)
{
    to->source = arena_zeroed(arena, (size_t)analysis->trials * sizeof *to->source + 1);
    for (int64_t i = 0; to->source && i < analysis->trials; i++) {
        const char *source = analysis->trial[i].source;
        bool known = !*source;
        for (int64_t k = 0; k < to->sources && !known; k++) known = strcmp(to->source[k], source) == 0;
        if (!known) to->source[to->sources++] = source;
    }
    return to->source;
}

static const struct said *say_all(const struct analysis *analysis, struct arena *arena)
{
    const struct plan *plan = analysis->plan;
    struct said *to = arena_zeroed(arena, sizeof *to);
    struct said_arm *arm = arena_zeroed(arena, (size_t)plan->arms * sizeof *arm + 1);
    struct said_contrast *contrast = arena_zeroed(arena, (size_t)plan->contrasts * sizeof *contrast + 1);
    if (!to || !arm || !contrast || !say_sources(analysis, arena, to)) return NULL;
    for (int64_t a = 0; a < plan->arms; a++)
        if (!say_arm(analysis, a, arena, &arm[a])) return NULL;
    for (int64_t c = 0; c < plan->contrasts; c++) say_contrast(analysis, c, &contrast[c]);
    to->a = *analysis;
    to->plan = *plan;
    snprintf(to->metric, sizeof to->metric, "%s.%s", plan->part, plan->metric);
    snprintf(to->test_set, sizeof to->test_set, "%016llx", (unsigned long long)plan->test_set);
    to->fixed = count_lines(analysis->fixed);
    to->random = count_lines(analysis->random);
    to->look = plan->look;
    to->convergence = &analysis->convergence;
    to->arm = arm;
    to->contrast = contrast;
    return to;
}

char *report_json(const struct analysis *analysis)
{
    struct arena *arena = arena_new((size_t)1 << 18);
    const struct said *said = arena ? say_all(analysis, arena) : NULL;
    struct writing to = {said ? json_writer_new(true) : NULL, analysis->plan->lower_is_better ? -1 : 1, KNACK_OK};
    if (to.w) write_object(&to, NULL, said_members, (const char *)said);
    arena_free(arena);
    char *text = json_take(to.w), *copy = text && to.status >= 0 ? memory_format("%s\n", text) : NULL;
    memory_free(text);
    return copy;
}
