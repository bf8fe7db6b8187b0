/* comparison.json, which docs/comparison-json.md describes. Differences are in the metric's own direction: mean minus baseline. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "compare/report/report.h"

static double own(const struct analysis *analysis, double difference)
{
    return analysis_shown(analysis, difference) / analysis->percent;
}

static void write_interval(struct json_writer *w, const char *name, double low, double high)
{
    if (isnan(low) || isnan(high)) {
        json_string(w, name, NULL);
        return;
    }
    json_open(w, name, '[');
    json_number(w, NULL, low);
    json_number(w, NULL, high);
    json_close(w);
}

static void write_own_interval(struct json_writer *w, const char *name, const struct analysis *analysis, struct interval interval)
{
    struct interval shown = analysis_shown_interval(analysis, interval);
    write_interval(w, name, shown.low / analysis->percent, shown.high / analysis->percent);
}

static void write_texts(struct json_writer *w, const char *name, char *const *text, int64_t count)
{
    json_open(w, name, '[');
    for (int64_t i = 0; i < count; i++) json_string(w, NULL, text[i]);
    json_close(w);
}

static void write_lines(struct json_writer *w, const char *name, char *const *line)
{
    int64_t count = 0;
    while (line && line[count]) count++;
    write_texts(w, name, line, count);
}

/* JSON text that a plan holds: as part of this one. */
static knack_status write_json(struct json_writer *w, const char *name, const char *text)
{
    struct json_document *document;
    if (!text) {
        json_string(w, name, NULL);
        return KNACK_OK;
    }
    TRY(json_parse(text, strlen(text), name, &document));
    json_node(w, name, document->root);
    json_free(document);
    return KNACK_OK;
}

/* ---- Estimates ---- */

static void write_core(struct json_writer *w, const struct analysis *analysis, const struct estimate *e)
{
    json_number(w, "delta", own(analysis, e->delta));
    write_own_interval(w, "ci", analysis, e->ci);
    json_number(w, "p", e->p);
    json_number(w, "p_holm", e->p_adjusted);
}

static void write_blocks(struct json_writer *w, const struct analysis *analysis, const struct estimate *e)
{
    json_open(w, "seeds", '[');
    for (int64_t i = 0; i < e->n; i++) json_integer(w, NULL, e->seed[i]);
    json_close(w);
    json_open(w, "differences", '[');
    for (int64_t i = 0; i < e->n; i++) json_number(w, NULL, own(analysis, e->difference[i]));
    json_close(w);
}

static void write_details(struct json_writer *w, const struct analysis *analysis, const struct estimate *e)
{
    json_number(w, "se", e->se);
    json_number(w, "df", e->df);
    json_number(w, "t", analysis->plan->lower_is_better ? -e->t : e->t);
    json_number(w, "p_flip", e->p_flip);
    write_interval(w, "wins_ci", e->wins_ci.low, e->wins_ci.high);
    write_own_interval(w, "simultaneous_ci", analysis, e->simultaneous);
    write_own_interval(w, "next_seed", analysis, e->next);
    json_number(w, "rho", e->rho);
    json_number(w, "vrf", e->vrf);
    json_number(w, "relative_percent", e->relative);
    write_interval(w, "relative_percent_ci", e->relative_ci.low, e->relative_ci.high);
    json_number(w, "detectable", e->detectable);
    json_integer(w, "outliers", e->outliers);
    if (analysis->plan->stopping == STOP_FIXED) return;
    json_integer(w, "look", e->look);
    json_number(w, "boundary", e->boundary);
    json_boolean(w, "stopped_early", e->stopped_early);
    json_boolean(w, "dropped", e->futile);
}

static void write_two_levels(struct json_writer *w, const struct analysis *analysis, const struct two_level *two)
{
    write_own_interval(w, "transfer_ci", analysis, two->transfer);
    if (!two->known) {
        json_string(w, "variance", NULL);
        return;
    }
    json_open(w, "variance", '{');
    json_integer(w, "examples", two->examples);
    json_number(w, "se", two->se);
    json_number(w, "df", two->df);
    json_number(w, "p", two->p);
    json_number(w, "seeds", two->seed_variance);
    json_number(w, "test_examples", two->example_variance);
    json_number(w, "both", two->interaction_variance);
    json_close(w);
}

static void write_equal_cost(struct json_writer *w, const struct analysis *analysis, const struct contrast_result *r)
{
    json_number(w, "delta_equal_cost", r->at_equal_cost.n > 0 ? own(analysis, r->at_equal_cost.delta) : NAN);
    json_open(w, "equal_cost", '{');
    json_number(w, "cost", r->equal_cost);
    json_integer(w, "n", r->at_equal_cost.n);
    write_own_interval(w, "ci", analysis, r->at_equal_cost.n > 0 ? r->at_equal_cost.ci : (struct interval){NAN, NAN});
    json_number(w, "p", r->at_equal_cost.n > 0 ? r->at_equal_cost.p : NAN);
    json_number(w, "p_holm", r->at_equal_cost.n > 0 ? r->at_equal_cost.p_adjusted : NAN);
    json_boolean(w, "missing", r->equal_cost_missing);
    json_number(w, "cost_ratio_at_equal_quality", r->equal_quality_saving);
    json_boolean(w, "quality_beyond_range", isinf(r->equal_quality_saving));
    json_close(w);
}

static void write_verdict(struct json_writer *w, const struct verdict *verdict)
{
    json_string(w, "verdict", verdict->word);
    json_string(w, "verdict_kind", verdict_kind_name[verdict->kind]);
    json_string(w, "sentence", verdict->sentence);
    write_texts(w, "qualifiers", verdict->qualifier, verdict->qualifiers);
}

/* What arms and contrasts say alike, in one order. */
static void write_comparison(struct json_writer *w, const struct analysis *analysis, const struct contrast_result *r)
{
    write_core(w, analysis, &r->estimate);
    json_number(w, "wins", r->estimate.wins);
    json_number(w, "s_d", r->estimate.s_d);
    write_two_levels(w, analysis, &r->two_level);
    write_equal_cost(w, analysis, r);
    write_verdict(w, &r->verdict);
    write_blocks(w, analysis, &r->estimate);
    write_details(w, analysis, &r->estimate);
}

/* Of an arm that no contrast compares with the baseline: the same names, without values. */
static void write_no_comparison(struct json_writer *w)
{
    static const char *const name[] = {"delta",   "ci",           "p",        "p_holm",           "wins",
                                       "s_d",     "transfer_ci",  "variance", "delta_equal_cost", "equal_cost",
                                       "verdict", "verdict_kind", "sentence"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) json_string(w, name[i], NULL);
    write_texts(w, "qualifiers", NULL, 0);
}

/* ---- Arms ---- */

static void write_trials(struct json_writer *w, const struct arm_result *r)
{
    json_open(w, "trials", '[');
    for (int64_t i = 0; i < r->n; i++) {
        json_open(w, NULL, '{');
        json_integer(w, "seed", r->seed[i]);
        json_string(w, "status", trial_status_name[r->status[i]]);
        json_number(w, "value", r->value[i]);
        if (r->message[i]) json_string(w, "message", r->message[i]);
        json_close(w);
    }
    json_close(w);
}

static void write_secondaries(struct json_writer *w, const struct arm_result *r)
{
    json_open(w, "secondary", '[');
    for (int64_t i = 0; i < r->secondaries; i++) {
        const struct trial_metric_mean *mean = &r->secondary[i];
        json_open(w, NULL, '{');
        json_string(w, "part", mean->part);
        json_string(w, "metric", mean->metric);
        json_integer(w, "n", mean->n);
        json_number(w, "mean", mean->mean);
        json_number(w, "sd", mean->sd);
        json_number(w, "delta", mean->delta);
        json_close(w);
    }
    json_close(w);
}

static void write_cost(struct json_writer *w, const struct arm_result *r)
{
    json_number(w, "cost", r->cost_count);
    json_number(w, "cost_seconds", r->cost_seconds);
    write_interval(w, "cost_seconds_ci", r->cost_ci.low, r->cost_ci.high);
    json_number(w, "gradient_rows", r->gradient_rows);
    json_number(w, "forward_rows", r->forward_rows);
    json_number(w, "forwards_per_test_example", r->inference);
    json_number(w, "cpu_seconds_per_update", r->cpu_per_update);
    json_number(w, "seconds", r->seconds);
    json_integer(w, "peak_memory", r->peak_memory);
    json_boolean(w, "pareto", r->pareto);
}

static knack_status write_arm(struct json_writer *w, const struct analysis *analysis, int64_t a)
{
    const struct arm_result *r = &analysis->arm[a];
    int64_t c = analysis_arm_contrast(analysis, a);
    const struct contrast_result *compared = c < 0 ? NULL : &analysis->contrast[c];
    json_open(w, NULL, '{');
    json_string(w, "name", r->arm->name);
    json_string(w, "kind", arm_kind_name[r->arm->kind]);
    json_integer(w, "n", r->n);
    json_integer(w, "failed", r->failed);
    json_number(w, "baseline", compared ? compared->base_mean : analysis->arm[0].mean);
    json_number(w, "mean", compared && compared->estimate.n > 0 ? compared->arm_mean : r->mean);
    if (compared)
        write_comparison(w, analysis, compared);
    else
        write_no_comparison(w);
    write_cost(w, r);
    json_number(w, "sd", r->sd);
    json_number(w, "failure_rate_bound", r->failure_bound);
    json_number(w, "p_failures", r->p_failures);
    json_number(w, "budget", r->arm->budget);
    json_integer(w, "updates", r->arm->updates);
    json_integer(w, "parameters", r->arm->parameters);
    write_texts(w, "changes", r->arm->difference, r->arm->differences);
    TRY(write_json(w, "tricks", r->arm->tricks));
    write_secondaries(w, r);
    write_trials(w, r);
    json_close(w);
    return KNACK_OK;
}

/* ---- Contrasts ---- */

static void write_weights(struct json_writer *w, const struct plan *plan, const struct contrast *contrast)
{
    json_open(w, "weights", '{');
    for (int64_t a = 0; a < plan->arms; a++)
        if (contrast->weight[a] != 0) json_number(w, plan->arm[a].name, contrast->weight[a]);
    json_close(w);
}

static void write_contrast(struct json_writer *w, const struct analysis *analysis, const struct contrast_result *r)
{
    const struct contrast *contrast = r->contrast;
    json_open(w, NULL, '{');
    json_string(w, "name", r->title);
    json_string(w, "kind", contrast_kind_name[contrast->kind]);
    json_string(w, "family", contrast->family ? "interactions" : "effects");
    json_integer(w, "n", r->estimate.n);
    json_integer(w, "failed", r->failed);
    json_integer(w, "baseline_failed", r->base_failed);
    json_number(w, "baseline", r->base_mean);
    json_number(w, "mean", r->arm_mean);
    write_comparison(w, analysis, r);
    json_number(w, "cost", r->cost);
    json_string(w, "arm", contrast->arm < 0 ? NULL : analysis->plan->arm[contrast->arm].name);
    json_string(w, "aliases", contrast->aliases);
    write_weights(w, analysis->plan, contrast);
    json_close(w);
}

/* ---- The whole ---- */

static void write_plan(struct json_writer *w, const struct analysis *analysis)
{
    const struct plan *plan = analysis->plan;
    char metric[128], hash[32];
    snprintf(metric, sizeof metric, "%s.%s", plan->part, plan->metric);
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)plan->test_set);
    json_string(w, "name", plan->name);
    json_string(w, "role", role_name[plan->role]);
    json_string(w, "design", design_name[plan->design]);
    json_string(w, "stopping", stopping_name[plan->stopping]);
    json_string(w, "metric", metric);
    json_boolean(w, "lower_is_better", plan->lower_is_better);
    json_number(w, "margin", plan->margin);
    json_integer(w, "seeds", plan->seeds);
    if (plan->first_margin != plan->margin) json_number(w, "first_margin", plan->first_margin);
    json_integer(w, "first_seed", plan->first_seed);
    json_integer(w, "blocks", analysis->blocks);
    if (plan->looks > 0) {
        json_open(w, "looks", '[');
        for (int64_t i = 0; i < plan->looks; i++) json_integer(w, NULL, plan->look[i]);
        json_close(w);
    }
    json_number(w, "failed_score", plan->failed_score);
    json_boolean(w, "redraw", plan->redraw);
    json_string(w, "status", analysis->status);
    json_integer(w, "comparison_number", analysis->comparison_number);
    json_string(w, "test_set", hash);
    json_string(w, "data", plan->data_title);
    json_integer(w, "training_examples", plan->train_count);
    json_integer(w, "test_examples", plan->test_count);
    json_string(w, "generators", plan->generators);
    json_string(w, "command", plan->command);
}

static knack_status write_all(struct json_writer *w, const struct analysis *analysis)
{
    json_open(w, NULL, '{');
    write_plan(w, analysis);
    write_lines(w, "fixed", analysis->fixed);
    write_lines(w, "random", analysis->random);
    json_string(w, "adjustment", analysis->adjustment);
    json_boolean(w, "screening", analysis->screening);
    if (analysis->candidates) json_string(w, "candidates", analysis->candidates);
    json_string(w, "knack", analysis->knack);
    json_string(w, "machine", analysis->machine);
    json_open(w, "arms", '[');
    for (int64_t a = 0; a < analysis->plan->arms; a++) TRY(write_arm(w, analysis, a));
    json_close(w);
    json_open(w, "contrasts", '[');
    for (int64_t c = 0; c < analysis->plan->contrasts; c++) write_contrast(w, analysis, &analysis->contrast[c]);
    json_close(w);
    json_close(w);
    return KNACK_OK;
}

char *report_json(const struct analysis *analysis)
{
    struct json_writer *writer = json_writer_new(true);
    if (!writer) return NULL;
    const char *text = write_all(writer, analysis) < 0 ? NULL : json_text(writer, NULL);
    char *copy = text ? memory_format("%s\n", text) : NULL;
    json_writer_free(writer);
    return copy;
}
