/* What the store holds, as a grid of seeds and arms. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "compare/analysis/steps.h"

static int compare_seeds(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static knack_status list_seeds(struct analysis *analysis, struct material *material)
{
    int64_t *seed;
    if (!MAKE(analysis, seed, material->trials)) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < material->trials; i++) seed[i] = material->trial[i].seed;
    qsort(seed, (size_t)material->trials, sizeof *seed, compare_seeds);
    int64_t seeds = 0;
    for (int64_t i = 0; i < material->trials; i++)
        if (seeds == 0 || seed[i] != seed[seeds - 1]) seed[seeds++] = seed[i];
    material->seed = seed;
    material->seeds = seeds;
    return KNACK_OK;
}

static knack_status place_trials(struct analysis *analysis, struct material *material)
{
    int64_t arms = material->plan->arms, cells = material->seeds * arms;
    if (!MAKE(analysis, material->cell, cells) || !MAKE(analysis, material->told, cells)) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < material->trials; i++) {
        const struct stored_trial *trial = &material->trial[i];
        if (trial->arm < 0 || trial->arm >= arms)
            return status_set(KNACK_E_DATA, "%s: trial %lld is of an arm that the plan does not have", store_folder(material->store),
                              (long long)trial->id);
        const struct stored_trial **cell = &material->cell[material_row(material, trial->seed) * arms + trial->arm];
        if (*cell)
            return status_set(KNACK_E_DATA, "%s: duplicate replicate: arm \"%s\" has two trials of seed %lld",
                              store_folder(material->store), material->plan->arm[trial->arm].name, (long long)trial->seed);
        *cell = trial;
    }
    return KNACK_OK;
}

knack_status material_read(struct store *store, struct analysis *analysis, struct material *material)
{
    material->store = store;
    material->plan = analysis->plan;
    TRY(store_read_trials(store, &material->trial, &material->trials));
    TRY(store_read_measurements(store, &material->measurement, &material->measurements));
    TRY(list_seeds(analysis, material));
    return place_trials(analysis, material);
}

void material_free(struct material *material)
{
    memory_free(material->trial);
    memory_free(material->measurement);
}

const struct stored_trial *material_trial(const struct material *material, int64_t row, int64_t arm)
{
    return material->cell[row * material->plan->arms + arm];
}

/* A metric that has no value is a failure as well: it cannot be compared. */
bool material_failed(const struct material *material, int64_t row, int64_t arm)
{
    const struct stored_trial *trial = material_trial(material, row, arm);
    return trial && (trial->status != TRIAL_DONE || !isfinite(trial->value));
}

double material_value(const struct material *material, int64_t row, int64_t arm)
{
    const struct stored_trial *trial = material_trial(material, row, arm);
    if (!trial) return NAN;
    return material_failed(material, row, arm) ? material->plan->failed_score : trial->value;
}

double material_score(const struct material *material, int64_t row, int64_t arm)
{
    double value = material_value(material, row, arm);
    return material->plan->lower_is_better ? -value : value;
}

int64_t material_row(const struct material *material, int64_t seed)
{
    const int64_t *found = bsearch(&seed, material->seed, (size_t)material->seeds, sizeof seed, compare_seeds);
    return found ? found - material->seed : -1;
}
