#include "compare/analysis/analysis.h"

#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "compare/analysis/steps.h"

static knack_status read_plan(struct store *store, struct analysis *analysis)
{
    TRY(store_read_plan(store, &analysis->plan));
    if (!analysis->plan)
        return status_set(KNACK_E_DATA, "%s: no comparison was planned here yet; begin one with knack compare", store_folder(store));
    TRY(store_read_status(store, analysis->status, &analysis->comparison_number));
    analysis->finished = strcmp(analysis->status, "done") == 0;
    analysis->screening = plan_is_screening(analysis->plan);
    return KNACK_OK;
}

static knack_status fill(struct store *store, struct analysis *analysis, struct material *material)
{
    TRY(material_read(store, analysis, material));
    TRY(arms_fill(analysis, material));
    pareto_mark(analysis);
    TRY(contrasts_fill(analysis, material));
    TRY(two_levels_fill(analysis, material));
    TRY(series_read(analysis, material));
    TRY(curves_fill(analysis, material));
    TRY(secondaries_fill(analysis, material));
    TRY(recalls_fill(analysis, material));
    TRY(header_fill(analysis));
    TRY(verdicts_fill(analysis));
    return remarks_fill(analysis, material);
}

knack_status analysis_new(struct store *store, struct analysis **analysis)
{
    *analysis = memory_new(1, sizeof **analysis);
    if (!*analysis) return KNACK_E_MEMORY;
    (*analysis)->arena = arena_new((size_t)1 << 20);
    knack_status status = (*analysis)->arena ? read_plan(store, *analysis) : KNACK_E_MEMORY;
    if (status >= 0) {
        struct material material = {0};
        status = fill(store, *analysis, &material);
        material_free(&material);
    }
    if (status >= 0) return status;
    analysis_free(*analysis);
    *analysis = NULL;
    return status;
}

void analysis_free(struct analysis *analysis)
{
    if (!analysis) return;
    plan_free(analysis->plan);
    memory_free(analysis->trial);
    memory_free(analysis->aside);
    memory_free(analysis->warning);
    arena_free(analysis->arena);
    memory_free(analysis);
}
