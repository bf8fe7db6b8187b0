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
    for (int64_t i = 0; i < material->trials; i++) {
        const struct stored_trial *trial = &material->trial[i];
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
static knack_status mark_waiting(struct material *material)
{
    struct stored_trial *aside;
    int64_t count;
    TRY(store_read_aside(material->store, &aside, &count));
    for (int64_t i = 0; i < count; i++) {
        struct trial_cell *cell = grid_cell(&material->grid, aside[i].seed - material->plan->first_seed, aside[i].arm);
        if (cell && !cell->there && (strcmp(aside[i].aside, "machine") == 0 || strcmp(aside[i].aside, "unclear") == 0)) cell->waits = true;
    }
    memory_free(aside);
    return KNACK_OK;
}

knack_status material_read(struct store *store, struct analysis *analysis, struct material *material)
{
    bool waiting = strcmp(analysis->status, "waiting") == 0;
    material->store = store;
    material->plan = analysis->plan;
    TRY(store_read_trials(store, &material->trial, &material->trials));
    TRY(grid_read(store, analysis->plan, 0, &material->grid));
    material->rows = material->grid.blocks;
    TRY(place_trials(analysis, material));
    if (waiting) TRY(mark_waiting(material));
    enum progress progress = analysis->finished ? PROGRESS_DONE : waiting ? PROGRESS_WAITING : PROGRESS_OPEN;
    return inference_make(analysis->plan, &material->grid, progress, material->rows, &material->inference);
}

void material_free(struct material *material)
{
    memory_free(material->trial);
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
