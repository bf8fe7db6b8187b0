#include "compare/rerun.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "train/identity.h"

/* ---- Finding ---- */

/* Names may hold colons, seeds none. */
static knack_status split(const struct plan *plan, const char *which, int64_t *arm, int64_t *seed)
{
    const char *colon = strrchr(which, ':'), *end = which + strlen(which);
    double number = 0;
    char *name = colon ? memory_format("%.*s", (int)(colon - which), which) : NULL;
    if (colon && !name) return KNACK_E_MEMORY;
    bool read = colon && text_parse(colon + 1, end, &number) == end && number == floor(number);
    *arm = name ? plan_find_arm(plan, name) : -1;
    *seed = (int64_t)number;
    memory_free(name);
    if (read && *arm >= 0) return KNACK_OK;
    return status_set(KNACK_E_USAGE, "--rerun %s: expected an arm of the comparison and a seed, as in \"%s:%lld\"", which,
                      plan->arm[plan->arms > 1].name, (long long)plan->first_seed);
}

static knack_status find_trial(struct store *store, const char *which, int64_t seed, struct rerun *rerun)
{
    struct stored_trial *trial;
    struct stored_identity *identity;
    int64_t trials, identities, found = -1;
    TRY(store_read_trials(store, &trial, &trials));
    for (int64_t i = 0; i < trials; i++)
        if (trial[i].arm == rerun->arm && trial[i].seed == seed) found = i;
    if (found >= 0) rerun->trial = trial[found];
    memory_free(trial);
    if (found < 0) return status_set(KNACK_E_USAGE, "--rerun %s: %s has no trial of this arm and seed", which, store_folder(store));
    TRY(store_read_identities(store, &identity, &identities));
    knack_status status = KNACK_OK;
    for (int64_t i = 0; i < identities && status >= 0; i++)
        if (identity[i].id == rerun->trial.identity && !(rerun->identity = memory_text(identity[i].text))) status = KNACK_E_MEMORY;
    memory_free(identity);
    return status;
}

static knack_status find_in(struct store *store, const char *project, const char *which, struct rerun *rerun)
{
    int64_t seed;
    TRY(store_read_plan(store, &rerun->plan));
    if (!rerun->plan) return status_set(KNACK_E_USAGE, "%s: no comparison was planned here yet", store_folder(store));
    TRY(plan_find_project(rerun->plan, project));
    TRY(split(rerun->plan, which, &rerun->arm, &seed));
    TRY(find_trial(store, which, seed, rerun));
    snprintf(rerun->seed, sizeof rerun->seed, "seed=%lld", (long long)seed);
    rerun->set[0] = rerun->seed;
    rerun->request = (struct run_request){.config = rerun->plan->arm[rerun->arm].name,
                                          .text = rerun->plan->arm[rerun->arm].config,
                                          .folder = rerun->plan->folder,
                                          .set = rerun->set,
                                          .set_count = 1};
    return KNACK_OK;
}

knack_status rerun_find(const char *folder, const char *project, const char *which, struct rerun *rerun)
{
    struct store *store;
    *rerun = (struct rerun){0};
    TRY(store_open(folder, false, &store));
    knack_status status = find_in(store, project, which, rerun);
    store_close(store);
    return status;
}

void rerun_free(struct rerun *rerun)
{
    plan_free(rerun->plan);
    memory_free(rerun->identity);
    *rerun = (struct rerun){0};
}

/* ---- The same as before ---- */

knack_status rerun_check(const struct rerun *rerun, struct run *run)
{
    char *now, *words = NULL;
    unsigned change = 0;
    if (!rerun->identity) return KNACK_OK;
    TRY(run_identity_text(run, true, &now));
    knack_status status = identity_difference(rerun->identity, now, &change, &words);
    if (status >= 0 && change != IDENTITY_SAME)
        status =
            status_set(KNACK_E_USAGE,
                       "the trial of %s, seed %lld, rests on what has changed since: %s. The run would be another one; --again %s makes it "
                       "all the same",
                       rerun->request.config, (long long)rerun->trial.seed, words, rerun->request.config);
    memory_free(now);
    memory_free(words);
    return status;
}

knack_status rerun_compare(const struct rerun *rerun, const struct run *run)
{
    int64_t count;
    const struct plan *plan = rerun->plan;
    const struct evaluation *evaluation = run_evaluations(run, &count);
    double value = NAN;
    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < evaluation[i].count; k++)
            if (!strcmp(evaluation[i].weights, run_primary(run)) && !strcmp(evaluation[i].part, plan->part) &&
                !strcmp(evaluation[i].value[k].name, plan->metric))
                value = evaluation[i].value[k].value;
    char now[32], kept[32];
    if (rerun->trial.status != TRIAL_DONE || value == rerun->trial.value) return KNACK_OK;
    return status_set(KNACK_E_CALL, "%s.%s is %s, but the comparison has %s of the trial: the run is not what it was", plan->part,
                      plan->metric, text_number(now, value), text_number(kept, rerun->trial.value));
}
