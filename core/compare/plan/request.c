/* A plan from what was asked for. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "compare/plan/parts.h"
#include "train/metrics.h"

enum { SEEDS_USUAL = 10, SEEDS_ADAPTIVE = 20, SEEDS_UNDECIDED = 100, SEEDS_MOST = 100000 };

/* ---- The metric ---- */

const char *usual_part(const struct json *data)
{
    bool test = !data || json_member(data, "source") || json_member(data, "test") || json_member(data, "rest");
    bool other = data && (json_member(data, "csv") || json_member(data, "npy") || json_member(data, "npz") || json_member(data, "idx"));
    return test || !other ? "test" : "validation";
}

/* Who tunes or screens on the test part has chosen by it, so that it cannot judge the choice. */
static knack_status choose_part(const struct plan *plan, const struct asked *asked, const char *said, const char **part)
{
    const struct json *data = json_member(asked->base->root, "data");
    bool chooses = plan->role == ROLE_TUNING || plan->role == ROLE_SCREENING, test = said && strcmp(said, "test") == 0;
    const char *on = asked->on >= 0 ? on_name[asked->on] : NULL, *role = role_name[plan->role];
    if (said && on && strcmp(said, on) != 0) return status_set(KNACK_E_USAGE, "metric of the %s part, but on %s: choose one", said, on);
    *part = said ? said : on ? on : chooses ? "validation" : usual_part(data);
    if (!chooses || on) return KNACK_OK;
    if (test)
        return status_set(KNACK_E_USAGE,
                          "%s chooses by its results, and what it chooses can then not be judged by the same test examples: decide by "
                          "another metric than test.%s, or say --on test",
                          role, strchr(asked->metric, '.') + 1);
    if (json_member_number(data, "validation") > 0) return KNACK_OK;
    return status_set(KNACK_E_USAGE,
                      "%s chooses by its results, which should be of validation examples, and there are none: set them apart (--set "
                      "data.validation=0.2), or say --on test",
                      role);
}

static const char *usual_metric(const struct json *config)
{
    bool regression = strcmp(json_member_text(json_member(config, "data"), "task", ""), "regression") == 0;
    return json_member_text(json_member(config, "train"), "metric", regression ? "r2" : "accuracy");
}

/* "test.accuracy", or "accuracy" of the usual part. */
static knack_status set_metric(struct plan *plan, const struct asked *asked)
{
    const char *said = asked->metric, *dot = said ? strchr(said, '.') : NULL, *part = NULL;
    if (dot) plan->part = memory_format("%.*s", (int)(dot - said), said);
    if (dot && !plan->part) return KNACK_E_MEMORY;
    if (dot && strcmp(plan->part, "test") != 0 && strcmp(plan->part, "validation") != 0)
        return status_set(KNACK_E_USAGE, "metric %s: the part is test or validation, as in test.accuracy", said);
    TRY(choose_part(plan, asked, plan->part, &part));
    if (!dot) TRY(plan_copy_text(&plan->part, part));
    TRY(plan_copy_text(&plan->metric, dot ? dot + 1 : said ? said : usual_metric(asked->base->root)));
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

/* Looks at 30, 50 and 75 % of the seeds, none before the fourth, and at the end; with 12 seeds at 4, 8 and 12. */
static knack_status usual_looks(struct plan *plan, int64_t seeds)
{
    static const double share[] = {.3, .5, .75, 1};
    if (seeds < 6) return status_set(KNACK_E_USAGE, "adaptive with %lld seeds: looks on the way need 6 at least", (long long)seeds);
    for (int i = seeds == 12; i < 4; i++) {
        int64_t look = seeds == 12 ? 4 * i : (int64_t)fmax(4, ceil(share[i] * (double)seeds - 1e-9));
        if (plan->looks == 0 || plan->look[plan->looks - 1] < look) plan->look[plan->looks++] = look;
    }
    return KNACK_OK;
}

static knack_status take_looks(struct plan *plan, const struct asked *asked)
{
    if (asked->looks > LOOKS_MOST) return status_set(KNACK_E_USAGE, "more than %d looks", LOOKS_MOST);
    for (double last = 2; plan->looks < asked->looks; last = asked->look[plan->looks++]) {
        double look = asked->look[plan->looks];
        if (!(look > last && look <= SEEDS_MOST) || look != floor(look))
            return status_set(KNACK_E_USAGE, "looks are at whole numbers of seeds, from 3 to %d, each later than the one before",
                              SEEDS_MOST);
        plan->look[plan->looks] = (int64_t)look;
    }
    if (asked->seeds > 0 && asked->seeds != plan->look[plan->looks - 1])
        return status_set(KNACK_E_USAGE, "%lld seeds, but the last look is at %lld", (long long)asked->seeds,
                          (long long)plan->look[plan->looks - 1]);
    return KNACK_OK;
}

static knack_status set_looks(struct plan *plan, const struct asked *asked)
{
    TRY(asked->looks > 0 ? take_looks(plan, asked) : usual_looks(plan, asked->seeds > 0 ? asked->seeds : SEEDS_ADAPTIVE));
    plan->seeds = plan->look[plan->looks - 1];
    return KNACK_OK;
}

knack_status plan_find_bounds(struct plan *plan)
{
    struct look_schedule schedule;
    if (plan->looks == 0 || plan->look_bound[0] > 0) return KNACK_OK;
    TRY(look_schedule_make(plan->look, plan->looks, &schedule));
    memcpy(plan->look_bound, schedule.bound, sizeof plan->look_bound);
    return KNACK_OK;
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
    return plan->stopping == STOP_LOOKS ? set_looks(plan, asked) : KNACK_OK;
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
    plan->failed_score = asked->failed_score;
    plan->failed_score_given = !isnan(asked->failed_score);
    plan->equal_cost = asked->equal_cost;
    plan->converge = asked->converge;
    plan->shared = NAN;
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
