#include "compare/preflight/kept.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "compare/store/ledger.h"
#include "train/identity.h"

/* What the store holds. */
struct kept {
    struct store *store;
    struct plan *plan;
    const struct kept_request *request;
    struct stored_trial *trial;
    struct stored_identity *identity;
    int64_t trials, identities;
};

static knack_status read_kept(struct store *store, struct kept *kept)
{
    TRY(store_read_trials(store, &kept->trial, &kept->trials));
    return store_read_identities(store, &kept->identity, &kept->identities);
}

static void free_kept(struct kept *kept)
{
    memory_free(kept->trial);
    memory_free(kept->identity);
    kept->trial = NULL;
    kept->identity = NULL;
}

static const char *identity_text(const struct kept *kept, int64_t id)
{
    for (int64_t i = 0; i < kept->identities; i++)
        if (kept->identity[i].id == id) return kept->identity[i].text;
    return NULL;
}

/* ---- Again ---- */

static bool is_asked_again(const struct kept_request *request, const char *arm)
{
    for (int64_t i = 0; i < request->agains; i++)
        if (strcmp(request->again[i], "all") == 0 || strcmp(request->again[i], arm) == 0) return true;
    return false;
}

static knack_status check_names(const struct kept *kept)
{
    for (int64_t i = 0; i < kept->request->agains; i++) {
        const char *name = kept->request->again[i];
        if (strcmp(name, "all") != 0 && plan_find_arm(kept->plan, name) < 0)
            return status_set(KNACK_E_USAGE, "--again %s: the comparison has no arm of this name; \"all\" stands for every arm", name);
    }
    return KNACK_OK;
}

static knack_status find_change(const struct kept *, int64_t arm, int64_t *trials, char **words);

/* Readings were of the trials that are set aside, unless the new ones come to the same. */
static knack_status make_again(struct kept *kept, int64_t arm, int64_t *count)
{
    char *words;
    int64_t trials;
    TRY(find_change(kept, arm, &trials, &words));
    if (words) kept->plan->arm[arm].reads = 0;
    memory_free(words);
    return store_set_aside_arm(kept->store, arm, "again", false, count);
}

static knack_status set_aside(struct kept *kept, int64_t *aside)
{
    for (int64_t a = 0; a < kept->plan->arms; a++) {
        int64_t again = 0, failed = 0;
        if (is_asked_again(kept->request, kept->plan->arm[a].name)) TRY(make_again(kept, a, &again));
        if (kept->request->retry_failed) TRY(store_set_aside_arm(kept->store, a, "retry-failed", true, &failed));
        kept->plan->retried += failed;
        *aside += again + failed;
    }
    return KNACK_OK;
}

/* ---- What has changed ---- */

/* words: of the latest identity that differs in content; NULL: none does. */
static knack_status find_change(const struct kept *kept, int64_t arm, int64_t *trials, char **words)
{
    const char *now = kept->plan->arm[arm].identity;
    int64_t seen = -1;
    bool differs = false;
    *words = NULL;
    *trials = 0;
    for (int64_t i = 0; i < kept->trials; i++) {
        const char *text = kept->trial[i].arm == arm ? identity_text(kept, kept->trial[i].identity) : NULL;
        if (!text || !now || strcmp(text, now) == 0) continue;
        if (kept->trial[i].identity != seen) {
            unsigned change;
            memory_free(*words);
            TRY(identity_difference(text, now, &change, words));
            differs = change & IDENTITY_CONTENT;
            seen = kept->trial[i].identity;
        }
        *trials += differs;
    }
    if (*trials == 0) {
        memory_free(*words);
        *words = NULL;
    }
    return KNACK_OK;
}

static knack_status refuse_changed(const struct kept *kept)
{
    char names[512] = "", *first = NULL;
    int64_t arms = 0, all = 0;
    for (int64_t a = 0; a < kept->plan->arms; a++) {
        char *words;
        int64_t trials;
        knack_status status = find_change(kept, a, &trials, &words);
        if (status < 0) {
            memory_free(first);
            return status;
        }
        if (!words) continue;
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", arms++ ? ", " : "", kept->plan->arm[a].name);
        all += trials;
        if (first)
            memory_free(words);
        else
            first = words;
    }
    if (!first) return KNACK_OK;
    knack_status status =
        status_set(KNACK_E_USAGE,
                   "%s: %lld trials of %s rest on what has changed since: %s. Have them made anew: --again %s (the old ones are kept "
                   "aside), or compare into another folder (--out)",
                   store_folder(kept->store), (long long)all, names, first, arms > 1 ? "all" : names);
    memory_free(first);
    return status;
}

knack_status kept_check(struct store *store, struct plan *plan, const struct kept_request *request, int64_t *aside)
{
    struct kept kept = {.store = store, .plan = plan, .request = request};
    *aside = 0;
    TRY(check_names(&kept));
    knack_status status = read_kept(store, &kept);
    if (status >= 0) status = set_aside(&kept, aside);
    if (status >= 0 && *aside > 0) {
        free_kept(&kept);
        status = read_kept(store, &kept);
    }
    if (status >= 0) status = refuse_changed(&kept);
    free_kept(&kept);
    return status;
}

/* ---- The machine ---- */

/* Whether something of this block is still to be made. */
static bool is_wanted(const struct schedule *schedule, int64_t block)
{
    for (int64_t a = 0; a < schedule->plan->arms; a++)
        if (block < schedule->until[a] && !grid_there(schedule->grid, block, a)) return true;
    return false;
}

static knack_status check_machine(const struct kept *kept, const struct schedule *schedule)
{
    for (int64_t i = 0; i < kept->trials; i++) {
        const struct stored_trial *trial = &kept->trial[i];
        const char *text = identity_text(kept, trial->identity), *now = schedule->plan->arm[trial->arm].identity;
        if (!text || !now || strcmp(text, now) == 0 || !is_wanted(schedule, trial->seed - schedule->plan->first_seed)) continue;
        unsigned change;
        char *words;
        TRY(identity_difference(text, now, &change, &words));
        knack_status status = KNACK_OK;
        if (change & IDENTITY_MACHINE)
            status =
                status_set(KNACK_E_USAGE,
                           "%s: seed %lld was begun on another machine (%s), where the same training may come to other numbers; finish it "
                           "there, have all made anew (--again all), or compare into another folder (--out)",
                           store_folder(kept->store), (long long)trial->seed, words);
        memory_free(words);
        TRY(status);
    }
    return KNACK_OK;
}

knack_status kept_check_machine(struct store *store, const struct schedule *schedule)
{
    struct kept kept = {.store = store};
    knack_status status = read_kept(store, &kept);
    if (status >= 0) status = check_machine(&kept, schedule);
    free_kept(&kept);
    return status;
}

/* ---- Trials of other folders ---- */

static bool judges_alike(const struct plan *a, const struct plan *b)
{
    return b && strcmp(a->part, b->part) == 0 && strcmp(a->metric, b->metric) == 0 && a->test_set == b->test_set;
}

static knack_status copy_trials(struct store *store, const struct schedule *schedule, int64_t arm, const struct kept *other, int64_t *taken)
{
    for (int64_t i = 0; i < other->trials; i++) {
        const struct stored_trial *trial = &other->trial[i];
        const char *text = identity_text(other, trial->identity);
        int64_t block = trial->seed - schedule->plan->first_seed;
        struct trial_cell *cell = grid_cell(schedule->grid, block, arm);
        if (trial->status != TRIAL_DONE || !text || strcmp(text, schedule->plan->arm[arm].identity) != 0) continue;
        if (!cell || cell->there || block >= schedule->until[arm]) continue;
        TRY(store_copy_trial(store, arm, other->store, trial->arm, trial->seed, store_folder(other->store)));
        grid_put(schedule->grid, &(struct stored_trial){
                                     .arm = arm, .seed = trial->seed, .status = trial->status, .value = trial->value, .cost = trial->cost});
        ++*taken;
    }
    return KNACK_OK;
}

/* A folder that is gone, or cannot be read, has nothing to give. */
static knack_status take_from(struct store *store, const struct schedule *schedule, int64_t arm, const char *folder, int64_t *taken)
{
    struct kept other = {0};
    struct plan *plan = NULL;
    if (store_open(folder, false, &other.store) < 0) return KNACK_OK;
    knack_status status =
        store_read_plan(other.store, &plan) >= 0 && judges_alike(schedule->plan, plan) && read_kept(other.store, &other) >= 0
            ? copy_trials(store, schedule, arm, &other, taken)
            : KNACK_OK;
    plan_free(plan);
    free_kept(&other);
    store_close(other.store);
    return status;
}

static knack_status add_name(char **names, const char *name)
{
    char *longer = *names ? memory_format("%s, %s", *names, name) : memory_text(name);
    if (!longer) return KNACK_E_MEMORY;
    memory_free(*names);
    *names = longer;
    return KNACK_OK;
}

static knack_status take_over_arm(struct store *store, const struct schedule *schedule, int64_t arm, int64_t *taken, char **from)
{
    const char *identity = schedule->plan->arm[arm].identity;
    char **folder = NULL;
    int64_t folders = 0;
    if (!identity) return KNACK_OK;
    TRY(ledger_find_folders(text_hash(TEXT_HASH, identity, strlen(identity)), &folder, &folders));
    knack_status status = KNACK_OK;
    for (int64_t i = 0; i < folders && status >= 0; i++) {
        int64_t before = *taken;
        status = take_from(store, schedule, arm, folder[i], taken);
        if (status >= 0 && *taken > before && !(*from && strstr(*from, folder[i]))) status = add_name(from, folder[i]);
    }
    memory_free(folder);
    return status;
}

knack_status kept_take_over(struct store *store, const struct schedule *schedule, int64_t *taken, char **from)
{
    *taken = 0;
    *from = NULL;
    for (int64_t a = 0; a < schedule->plan->arms; a++)
        if (schedule->plan->arm[a].kind != ARM_TREATED) TRY(take_over_arm(store, schedule, a, taken, from));
    return KNACK_OK;
}
