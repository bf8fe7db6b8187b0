/* What the store holds, as a grid of seeds and arms, and what may be concluded from it. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "compare/analysis/steps.h"

static knack_status place_trials(struct analysis *analysis, struct material *material)
{
    int64_t arms = material->plan->arms, cells = material->rows * arms;
    if (!MAKE(analysis, material->cell, cells) || !MAKE(analysis, material->told, cells)) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < analysis->trials; i++) {
        struct stored_trial *trial = &analysis->trial[i];
        if (trial->status == TRIAL_DONE && isnan(trial->value)) trial->status = TRIAL_NOT_FINITE;
        int64_t row = trial->seed - material->plan->first_seed;
        if (trial->arm < 0 || trial->arm >= arms || row < 0)
            return status_set(KNACK_E_DATA, "%s: trial %lld is of an arm or a seed that the plan does not have",
                              store_folder(material->store), (long long)trial->id);
        const struct stored_trial **cell = &material->cell[row * arms + trial->arm];
        if (*cell)
            return status_set(KNACK_E_DATA, "%s: duplicate replicate: arm \"%s\" has two trials of seed %lld",
                              store_folder(material->store), material->plan->arm[trial->arm].name, (long long)trial->seed);
        *cell = trial;
    }
    return KNACK_OK;
}

/* What the machine kept from being made: it was set aside, and nothing has come in its place. */
static void mark_waiting(const struct analysis *analysis, struct material *material)
{
    for (int64_t i = 0; i < analysis->asides; i++) {
        const struct stored_trial *aside = &analysis->aside[i];
        struct trial_cell *cell = grid_cell(&material->grid, aside->seed - material->plan->first_seed, aside->arm);
        if (cell && !cell->there && (strcmp(aside->aside, "machine") == 0 || strcmp(aside->aside, "unclear") == 0)) cell->waits = true;
    }
}

static double cpu_seconds(const struct stored_trial *trial, int64_t trials)
{
    double sum = 0;
    for (int64_t i = 0; i < trials; i++)
        if (!*trial[i].source) sum += trial[i].cost.cpu_seconds;
    return sum;
}

knack_status material_read(struct store *store, struct analysis *analysis, struct material *material)
{
    bool waiting = strcmp(analysis->status, "waiting") == 0;
    material->store = store;
    material->plan = analysis->plan;
    TRY(store_read_trials(store, &analysis->trial, &analysis->trials));
    TRY(store_read_aside(store, &analysis->aside, &analysis->asides));
    TRY(store_read_warnings(store, &analysis->warning, &analysis->warnings));
    analysis->cpu_seconds = cpu_seconds(analysis->trial, analysis->trials) + cpu_seconds(analysis->aside, analysis->asides);
    TRY(grid_read(store, analysis->plan, 0, &material->grid));
    material->rows = material->grid.blocks;
    TRY(place_trials(analysis, material));
    if (waiting) mark_waiting(analysis, material);
    enum progress progress = analysis->finished ? PROGRESS_DONE : waiting ? PROGRESS_WAITING : PROGRESS_OPEN;
    return inference_make(analysis->plan, &material->grid, progress, material->rows, &material->inference);
}

void material_free(struct material *material)
{
    grid_free(&material->grid);
    inference_free(&material->inference);
}

const struct stored_trial *material_trial(const struct material *material, int64_t row, int64_t arm)
{
    return material->cell[row * material->plan->arms + arm];
}

bool material_failed(const struct material *material, int64_t row, int64_t arm)
{
    return grid_failed(grid_cell(&material->grid, row, arm));
}
