/* Plans and arms that come from others: the confirmation of a screening's best, and the baseline with a larger budget. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "compare/plan/parts.h"

/* ---- Confirmation ---- */

static knack_status copy_arm(struct plan *plan, const struct arm *from, int64_t *index)
{
    return plan_add_arm(plan, from->name, from->kind, 0, memory_text(from->config), index);
}

static knack_status copy_texts(const struct plan *from, struct plan *plan)
{
    TRY(plan_copy_text(&plan->name, from->name));
    TRY(plan_copy_text(&plan->config, from->config));
    TRY(plan_copy_text(&plan->folder, from->folder));
    TRY(plan_copy_text(&plan->command, from->command));
    return plan_copy_text(&plan->metric, from->metric);
}

/* What picked them may have been judged on another part than a verdict is. */
static knack_status take_usual_part(const struct arm *base, struct plan *plan)
{
    struct json_document *config;
    TRY(json_parse(base->config, strlen(base->config), base->name, &config));
    knack_status status = plan_copy_text(&plan->part, usual_part(json_member(config->root, "data")));
    json_free(config);
    return status;
}

static knack_status fill_confirmation(const struct plan *screening, const char *const *name, int64_t count, struct plan *plan)
{
    int64_t index;
    plan->design = DESIGN_ONE;
    plan->role = ROLE_CONFIRMATION;
    plan->first_seed = role_first_seed(ROLE_CONFIRMATION);
    plan->seeds = screening->seeds;
    plan->lower_is_better = screening->lower_is_better;
    plan->margin = plan->first_margin = screening->margin;
    plan->failed_score = screening->failed_score_given ? screening->failed_score : NAN;
    plan->failed_score_given = screening->failed_score_given;
    plan->equal_cost = screening->equal_cost;
    plan->converge = screening->converge;
    plan->redraw = screening->redraw;
    plan->shared = NAN;
    plan->timeout = screening->timeout;
    plan->threads = screening->threads;
    TRY(copy_texts(screening, plan));
    TRY(take_usual_part(&screening->arm[0], plan));
    TRY(copy_arm(plan, &screening->arm[0], &index));
    for (int64_t i = 0; i < count; i++) {
        int64_t a = plan_find_arm(screening, name[i]);
        if (a <= 0) return status_set(KNACK_E_USAGE, "the screening has no arm \"%s\"", name[i]);
        TRY(copy_arm(plan, &screening->arm[a], &index));
        TRY(plan_add_simple(plan, index));
    }
    plan->factor = memory_new(1, sizeof *plan->factor);
    return plan->factor ? KNACK_OK : KNACK_E_MEMORY;
}

knack_status plan_confirm(const struct plan *screening, const char *const *name, int64_t count, struct plan **out)
{
    struct plan *plan = memory_new(1, sizeof *plan);
    *out = NULL;
    if (!plan) return KNACK_E_MEMORY;
    knack_status status = fill_confirmation(screening, name, count, plan);
    if (status < 0) {
        plan_free(plan);
        return status;
    }
    *out = plan;
    return KNACK_OK;
}

/* ---- Budgets ---- */

static knack_status read_epochs(const struct arm *base, int64_t *epochs)
{
    struct json_document *resolved;
    if (!base->resolved) return status_set(KNACK_E_CALL, "budgets are added after the check of the baseline");
    TRY(json_parse(base->resolved, strlen(base->resolved), base->name, &resolved));
    double number = json_member_number(json_member(resolved->root, "train"), "epochs");
    json_free(resolved);
    if (!(number >= 1)) return status_set(KNACK_E_CALL, "the baseline's resolved config has no train.epochs");
    *epochs = (int64_t)number;
    return KNACK_OK;
}

static double whole_epochs(const struct plan *plan, double budget)
{
    return fmax(1, round(budget * (double)plan->epochs));
}

int64_t plan_find_budget(const struct plan *plan, double budget)
{
    double whole = plan->epochs > 0 ? whole_epochs(plan, budget) / (double)plan->epochs : budget;
    for (int64_t a = 0; a < plan->arms; a++)
        if (plan->arm[a].kind != ARM_TREATED && plan->arm[a].budget == whole) return a;
    return -1;
}

/* The baseline's config with other epochs; its schedule, whose shares are of the whole run, stretches or shrinks. */
static knack_status budget_config(const struct arm *base, double epochs, char **config)
{
    struct json_document *document;
    char text[32];
    TRY(json_parse(base->config, strlen(base->config), base->name, &document));
    knack_status status = json_set(document, "train.epochs", text_number(text, epochs));
    *config = status >= 0 ? config_text(document) : NULL;
    json_free(document);
    return status < 0 || *config ? status : KNACK_E_MEMORY;
}

knack_status plan_add_budget(struct plan *plan, double budget)
{
    char name[64], number[32], *config;
    int64_t index;
    if (plan->epochs == 0) TRY(read_epochs(&plan->arm[0], &plan->epochs));
    if (plan_find_budget(plan, budget) >= 0) return KNACK_OK;
    double epochs = whole_epochs(plan, budget), whole = epochs / (double)plan->epochs;
    TRY(budget_config(&plan->arm[0], epochs, &config));
    snprintf(name, sizeof name, "baseline x%s", text_number(number, round(whole * 100) / 100));
    TRY(plan_add_arm(plan, name, ARM_BUDGET, 0, config, &index));
    plan->arm[index].budget = whole;
    return KNACK_OK;
}
