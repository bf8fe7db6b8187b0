/* A plan from what was asked for. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "compare/plan/parts.h"
#include "train/metrics.h"

enum { SEEDS_USUAL = 10, SEEDS_UNDECIDED = 100 };

/* ---- The metric ---- */

/* The part whose metric decides, unless it is said: test, if the data have such a part. */
static const char *usual_part(const struct json *data)
{
    bool test = !data || json_member(data, "source") || json_member(data, "test") || json_member(data, "rest");
    bool other = data && (json_member(data, "csv") || json_member(data, "npy") || json_member(data, "npz") || json_member(data, "idx"));
    return test || !other ? "test" : "validation";
}

static const char *usual_metric(const struct json *config)
{
    bool regression = strcmp(json_member_text(json_member(config, "data"), "task", ""), "regression") == 0;
    return json_member_text(json_member(config, "train"), "metric", regression ? "r2" : "accuracy");
}

/* "test.accuracy", or "accuracy" of the usual part. */
static knack_status set_metric(struct plan *plan, const struct asked *asked)
{
    const struct json *root = asked->base->root;
    const char *said = asked->metric, *dot = said ? strchr(said, '.') : NULL;
    if (dot) {
        plan->part = memory_format("%.*s", (int)(dot - said), said);
        if (!plan->part) return KNACK_E_MEMORY;
        if (strcmp(plan->part, "test") != 0 && strcmp(plan->part, "validation") != 0)
            return status_set(KNACK_E_USAGE, "metric %s: the part is test or validation, as in test.accuracy", said);
        TRY(plan_copy_text(&plan->metric, dot + 1));
    } else {
        TRY(plan_copy_text(&plan->part, usual_part(json_member(root, "data"))));
        TRY(plan_copy_text(&plan->metric, said ? said : usual_metric(root)));
    }
    plan->lower_is_better = metric_lower_is_better(plan->metric);
    return KNACK_OK;
}

/* Shares lie between 0 and 1; who thinks in points says 2 for 0.02. */
static knack_status check_numbers(const struct plan *plan)
{
    char number[32], meant[32];
    if (!metric_is_share(plan->metric)) return KNACK_OK;
    if (plan->margin >= 1)
        return status_set(KNACK_E_USAGE, "margin %s: %s lies between 0 and 1; a margin of %s points is %s",
                          text_number(number, plan->margin), plan->metric, text_number(number, plan->margin),
                          text_number(meant, plan->margin / 100));
    if (plan->failed_score_given && !(plan->failed_score >= 0 && plan->failed_score <= 1))
        return status_set(KNACK_E_USAGE, "failed score %s: %s lies between 0 and 1", text_number(number, plan->failed_score), plan->metric);
    return KNACK_OK;
}

/* ---- Seeds and stopping ---- */

/* The schedules of looks that boundaries are known for, by their last. */
static knack_status set_looks(struct plan *plan, int64_t seeds)
{
    static const int64_t schedules[][LOOKS_MOST] = {{6, 10, 15, 20}, {4, 8, 12}};
    for (size_t s = 0; s < sizeof schedules / sizeof *schedules; s++) {
        int64_t looks = 0;
        while (schedules[s][looks] > 0) looks++;
        if (seeds > 0 && schedules[s][looks - 1] != seeds) continue;
        memcpy(plan->look, schedules[s], sizeof plan->look);
        plan->looks = looks;
        plan->seeds = schedules[s][looks - 1];
        return KNACK_OK;
    }
    return status_set(KNACK_E_USAGE,
                      "adaptive with %lld seeds: looks are fixed before, at 6, 10, 15 and 20 seeds, or at 4, 8 and 12: say 20 or 12 seeds",
                      (long long)seeds);
}

static knack_status set_seeds(struct plan *plan, const struct asked *asked)
{
    if (asked->adaptive && asked->until_decided)
        return status_set(KNACK_E_USAGE, "adaptive (looks fixed before) and until-decided (a look after every block): choose one");
    if ((asked->adaptive || asked->until_decided) && plan->design != DESIGN_ONE)
        return status_set(KNACK_E_USAGE, "design %s takes a fixed number of seeds; adaptive and until-decided are for design one",
                          design_name[plan->design]);
    plan->stopping = asked->adaptive ? STOP_LOOKS : asked->until_decided ? STOP_DECIDED : STOP_FIXED;
    plan->first_seed = asked->first_seed >= 0 ? asked->first_seed : role_first_seed(plan->role);
    plan->seeds = asked->seeds > 0 ? asked->seeds : plan->stopping == STOP_DECIDED ? SEEDS_UNDECIDED : SEEDS_USUAL;
    return plan->stopping == STOP_LOOKS ? set_looks(plan, asked->seeds) : KNACK_OK;
}

static knack_status set_role(struct plan *plan, const struct asked *asked)
{
    plan->role = asked->role >= 0 ? (enum role)asked->role : plan->design == DESIGN_SCREEN ? ROLE_SCREENING : ROLE_VERDICT;
    if (plan->design == DESIGN_SCREEN && plan->role != ROLE_SCREENING)
        return status_set(KNACK_E_USAGE,
                          "design screen picks candidates, and its role is screening; `knack compare DIR --confirm 2` then gives a "
                          "verdict on the best, with seeds of their own");
    return KNACK_OK;
}

/* ---- The rest ---- */

static void set_facts(struct plan *plan, const struct asked *asked)
{
    const struct json *root = asked->base->root, *redraw = json_member(json_member(root, "data"), "redraw");
    double threads = json_member_number(root, "threads");
    plan->redraw = redraw && redraw->kind == JSON_FLAG && redraw->flag;
    plan->threads = threads >= 1 ? (int64_t)threads : 1;
    plan->margin = plan->first_margin = asked->margin;
    plan->failed_score = asked->failed_score_given ? asked->failed_score : NAN;
    plan->failed_score_given = asked->failed_score_given;
    plan->equal_cost = asked->equal_cost;
    plan->timeout = asked->timeout;
}

static knack_status fill(struct plan *plan, const struct asked *asked)
{
    const struct plan_request *request = asked->request;
    plan->design = (enum design)asked->design;
    plan->name = file_stem(request->config);
    if (!plan->name) return KNACK_E_MEMORY;
    TRY(plan_copy_text(&plan->config, asked->config));
    TRY(plan_copy_text(&plan->folder, asked->folder));
    TRY(plan_copy_text(&plan->command, request->command ? request->command : ""));
    set_facts(plan, asked);
    TRY(set_role(plan, asked));
    TRY(set_seeds(plan, asked));
    TRY(set_metric(plan, asked));
    TRY(check_numbers(plan));
    return plan_design(asked, plan);
}

/* What is wrong at a place of the file is told with the file. */
static knack_status name_file(const struct plan_request *request, knack_status status)
{
    return strncmp(knack_error(), "at ", 3) == 0 ? status_prefix(status, "%s", request->config) : status;
}

knack_status plan_new(const struct plan_request *request, struct plan **out)
{
    struct asked asked;
    *out = NULL;
    knack_status read = asked_read(request, &asked);
    if (read < 0) return name_file(request, read);
    struct plan *plan = memory_new(1, sizeof *plan);
    knack_status status = plan ? fill(plan, &asked) : KNACK_E_MEMORY;
    asked_free(&asked);
    if (status < 0) {
        plan_free(plan);
        return name_file(request, status);
    }
    *out = plan;
    return KNACK_OK;
}
