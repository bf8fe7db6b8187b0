/* A plan's own memory: arms and contrasts that are added, and all that is freed. */
#include "compare/plan/plan.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "compare/plan/parts.h"

int64_t role_first_seed(enum role role)
{
    return 1000 * (int64_t)role;
}

int64_t plan_family_size(const struct plan *plan, int family)
{
    int64_t size = 0;
    for (int64_t c = 0; c < plan->contrasts; c++) size += plan->contrast[c].family == family;
    return size;
}

int64_t plan_own_arms(const struct plan *plan)
{
    int64_t arms = plan->arms;
    while (arms > 1 && plan->arm[arms - 1].kind == ARM_BUDGET) arms--;
    return arms;
}

bool plan_is_screening(const struct plan *plan)
{
    return plan->role == ROLE_SCREENING;
}

int64_t plan_find_arm(const struct plan *plan, const char *name)
{
    for (int64_t a = 0; a < plan->arms; a++)
        if (strcmp(plan->arm[a].name, name) == 0) return a;
    return -1;
}

void arm_add_reading(struct arm *arm, int64_t blocks)
{
    int64_t at = 0;
    while (at < arm->reads && arm->read[at] < blocks) at++;
    if ((at < arm->reads && arm->read[at] == blocks) || arm->reads == READS_MOST) return;
    memmove(&arm->read[at + 1], &arm->read[at], (size_t)(arm->reads - at) * sizeof *arm->read);
    arm->read[at] = blocks;
    arm->reads++;
}

knack_status plan_copy_text(char **to, const char *text)
{
    *to = text ? memory_text(text) : NULL;
    return text && !*to ? KNACK_E_MEMORY : KNACK_OK;
}

/* ---- Arms ---- */

static void free_differences(struct arm *arm)
{
    for (int64_t i = 0; i < arm->differences; i++) memory_free(arm->difference[i]);
    memory_free(arm->difference);
}

static void free_arm(struct arm *arm)
{
    memory_free(arm->name);
    memory_free(arm->config);
    memory_free(arm->resolved);
    memory_free(arm->tricks);
    memory_free(arm->identity);
    free_differences(arm);
}

/* Makes room for a weight at index in every contrast: what was at index and behind it moves by one. */
static knack_status widen_contrasts(struct plan *plan, int64_t index)
{
    for (int64_t c = 0; c < plan->contrasts; c++) {
        struct contrast *contrast = &plan->contrast[c];
        double *grown = memory_resize(contrast->weight, (size_t)plan->arms + 1, sizeof *grown);
        if (!grown) return KNACK_E_MEMORY;
        contrast->weight = grown;
    }
    for (int64_t c = 0; c < plan->contrasts; c++) {
        struct contrast *contrast = &plan->contrast[c];
        memmove(contrast->weight + index + 1, contrast->weight + index, (size_t)(plan->arms - index) * sizeof *contrast->weight);
        contrast->weight[index] = 0;
        if (contrast->arm >= index) contrast->arm++;
    }
    return KNACK_OK;
}

static knack_status insert_arm(struct plan *plan, int64_t index, struct arm *arm)
{
    struct arm *grown = memory_resize(plan->arm, (size_t)plan->arms + 1, sizeof *grown);
    if (!grown) return KNACK_E_MEMORY;
    plan->arm = grown;
    TRY(widen_contrasts(plan, index));
    memmove(grown + index + 1, grown + index, (size_t)(plan->arms - index) * sizeof *grown);
    grown[index] = *arm;
    plan->arms++;
    return KNACK_OK;
}

knack_status plan_add_arm(struct plan *plan, const char *name, enum arm_kind kind, uint64_t factors, char *config, int64_t *index)
{
    struct arm arm = {.name = memory_text(name), .kind = kind, .budget = 1, .factors = factors, .config = config};
    arm.update_cost = arm.update_cost_low = arm.update_cost_high = NAN;
    int64_t place = plan->arms;
    while (kind != ARM_BUDGET && place > 0 && plan->arm[place - 1].kind == ARM_BUDGET) place--;
    knack_status status = arm.name && config ? KNACK_OK : KNACK_E_MEMORY;
    if (status >= 0 && plan_find_arm(plan, name) >= 0)
        status =
            status_set(KNACK_E_CONFIG, "there are two arms \"%s\"; an entry may name its own: {\"name\": ..., \"as\": \"another\"}", name);
    if (status >= 0) status = insert_arm(plan, place, &arm);
    if (status < 0) free_arm(&arm);
    if (status >= 0 && index) *index = place;
    return status;
}

static knack_status fail_no_arm(const struct plan *plan, const char *name)
{
    const char **known = memory_new((size_t)plan->arms, sizeof *known);
    int64_t count = 0;
    char list[600];
    if (!known) return KNACK_E_MEMORY;
    for (int64_t a = 0; a < plan->arms; a++)
        if (plan->arm[a].kind == ARM_TREATED) known[count++] = plan->arm[a].name;
    const char *nearest = text_nearest(name, known, count);
    knack_status status = nearest ? status_set(KNACK_E_USAGE, "--drop %s: there is no such arm; nearest is \"%s\"", name, nearest)
                                  : status_set(KNACK_E_USAGE, "--drop %s: there is no such arm; known are %s", name,
                                               text_list(list, sizeof list, known, count));
    memory_free(known);
    return status;
}

knack_status plan_drop(struct plan *plan, const char *const *name, int64_t count)
{
    if (count > 0 && plan->design != DESIGN_ONE && plan->design != DESIGN_SCREEN)
        return status_set(KNACK_E_USAGE, "--drop %s: effects of design %s are made of all its arms", name[0], design_name[plan->design]);
    for (int64_t i = 0; i < count; i++) {
        int64_t a = plan_find_arm(plan, name[i]);
        if (a < 0) return fail_no_arm(plan, name[i]);
        if (plan->arm[a].kind != ARM_TREATED)
            return status_set(KNACK_E_USAGE, "--drop %s: the others are compared with it, so that it stays", name[i]);
        plan->arm[a].dropped = true;
    }
    return KNACK_OK;
}

/* ---- Contrasts ---- */

static void free_contrast(struct contrast *contrast)
{
    memory_free(contrast->name);
    memory_free(contrast->aliases);
    memory_free(contrast->weight);
}

knack_status plan_add_contrast(struct plan *plan, const char *name, enum contrast_kind kind, int64_t arm, uint64_t factors,
                               struct contrast **out)
{
    struct contrast *grown = memory_resize(plan->contrast, (size_t)plan->contrasts + 1, sizeof *grown);
    if (!grown) return KNACK_E_MEMORY;
    plan->contrast = grown;
    struct contrast *contrast = &grown[plan->contrasts];
    *contrast = (struct contrast){.kind = kind, .arm = arm, .factors = factors};
    contrast->family = kind == CONTRAST_INTERACTION || kind == CONTRAST_REST;
    contrast->name = memory_text(name);
    contrast->weight = memory_new((size_t)plan->arms, sizeof *contrast->weight);
    if (!contrast->name || !contrast->weight) {
        free_contrast(contrast);
        return KNACK_E_MEMORY;
    }
    plan->contrasts++;
    *out = contrast;
    return KNACK_OK;
}

knack_status plan_add_simple(struct plan *plan, int64_t arm)
{
    struct contrast *contrast;
    TRY(plan_add_contrast(plan, plan->arm[arm].name, CONTRAST_ARM, arm, plan->arm[arm].factors, &contrast));
    contrast->weight[arm] = 1;
    contrast->weight[0] = -1;
    return KNACK_OK;
}

void plan_free(struct plan *plan)
{
    if (!plan) return;
    for (int64_t a = 0; a < plan->arms; a++) free_arm(&plan->arm[a]);
    for (int64_t c = 0; c < plan->contrasts; c++) free_contrast(&plan->contrast[c]);
    for (int64_t f = 0; f < plan->factors; f++) memory_free(plan->factor[f]);
    char *text[] = {plan->name, plan->config, plan->folder,     plan->command, plan->generators,
                    plan->part, plan->metric, plan->data_title, plan->labels,  plan->note};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) memory_free(text[i]);
    for (int64_t k = 0; k < plan->classes; k++) memory_free(plan->class_name[k]);
    memory_free(plan->class_name);
    memory_free(plan->arm);
    memory_free(plan->contrast);
    memory_free(plan->factor);
    memory_free(plan);
}
