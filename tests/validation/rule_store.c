/* The same trials in a store of the program, and what its report says of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tree.h"
#include "compare/analysis/analysis.h"
#include "rule.h"

static knack_status fill_store(const struct made_up *made, struct store *store)
{
    TRY(store_write_plan(store, made->plan));
    for (int64_t b = 0; b < made->grid.blocks; b++)
        for (int64_t a = 0; a < made->grid.arms; a++) {
            const struct trial_cell *cell = grid_cell(&made->grid, b, a);
            struct trial_outcome outcome = {.status = cell->status, .value = cell->value, .cost = cell->cost, .weights = "raw"};
            if (cell->status != TRIAL_DONE) outcome.fault = FAULT_OWN;
            if (cell->there) TRY(store_add_trial(store, a, made->plan->first_seed + b, &outcome));
        }
    return store_write_status(store, "done", 1);
}

static bool says(const char *word, enum verdict_kind kind)
{
    static const char *const begins[] = {"NO VERDICT",   "IDENTICAL",    "HELPS",     "HURTS",       "NO MEANINGFUL DIFFERENCE",
                                         "NOT WORTH IT", "INCONCLUSIVE", "CANDIDATE", "NO CANDIDATE"};
    return strncmp(word, begins[kind], strlen(begins[kind])) == 0;
}

static knack_status compare_words(const struct made_up *made, const struct inference *inference, struct store *store, bool *agrees)
{
    struct analysis *analysis;
    TRY(fill_store(made, store));
    TRY(analysis_new(store, &analysis));
    for (int64_t c = 0; c < made->plan->contrasts; c++) {
        const struct verdict *verdict = &analysis->contrast[c].verdict;
        *agrees &= verdict->kind == inference->finding[c].kind && says(verdict->word, verdict->kind);
    }
    analysis_free(analysis);
    return KNACK_OK;
}

knack_status rule_agrees(const struct made_up *made, const struct inference *inference, bool *agrees)
{
    char folder[] = "/tmp/knack-rule-XXXXXX";
    struct store *store;
    *agrees = true;
    if (!mkdtemp(folder)) return status_set(KNACK_E_IO, "no folder in /tmp can be made");
    knack_status status = store_open(folder, true, &store);
    if (status >= 0) {
        status = compare_words(made, inference, store, agrees);
        store_close(store);
    }
    remove_tree(folder);
    return status;
}
