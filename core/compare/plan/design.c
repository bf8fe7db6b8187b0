/* Arms and contrasts of the designs. An arm of a design is the set of tricks that are on; it is made when a contrast first needs it. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "compare/plan/parts.h"
#include "compare/statistics/factorial.h"

enum { FACTORIAL_MOST = 5, NAME_SIZE = 2048 }; /* the names of 16 tricks, which have 100 bytes at most */

/* "mixup x ema": the names of the set's tricks. */
static const char *set_name(const struct plan *plan, uint64_t set, const char *between, char name[NAME_SIZE])
{
    size_t length = 0;
    name[0] = 0;
    for (int64_t f = 0; f < plan->factors; f++) {
        if (!(set >> f & 1)) continue;
        int written = snprintf(name + length, NAME_SIZE - length, "%s%s", length > 0 ? between : "", plan->factor[f]);
        length += written > 0 ? (size_t)written : 0;
        if (length >= NAME_SIZE) length = NAME_SIZE - 1;
    }
    return name;
}

static const char *arm_name(const struct plan *plan, uint64_t set, char name[NAME_SIZE])
{
    uint64_t all = ((uint64_t)1 << plan->factors) - 1;
    int size = __builtin_popcountll(set);
    char lacking[NAME_SIZE];
    if (set == 0) return "baseline";
    if (size == 1 || plan->design == DESIGN_ONE || plan->design == DESIGN_SCREEN) return set_name(plan, set, " + ", name);
    if (set == all) return "all";
    if (plan->design != DESIGN_ABLATION) return set_name(plan, set, " + ", name);
    snprintf(name, NAME_SIZE, "all without %s", set_name(plan, all & ~set, " + ", lacking));
    return name;
}

/* The arm with these tricks on, made if there is none. */
static knack_status arm_of(const struct asked *asked, struct plan *plan, uint64_t set, int64_t *index)
{
    char name[NAME_SIZE], *config;
    for (*index = 0; *index < plan->arms; ++*index)
        if (plan->arm[*index].factors == set) return KNACK_OK;
    TRY(config_with_tricks(asked, set, &config));
    return plan_add_arm(plan, arm_name(plan, set, name), set ? ARM_TREATED : ARM_BASELINE, set, config, index);
}

static knack_status need_tricks(const struct asked *asked, const struct plan *plan, int64_t least, int64_t most, const char *otherwise)
{
    const char *design = design_name[plan->design];
    if (asked->arms)
        return status_set(KNACK_E_USAGE, "design %s switches tricks, and is not for \"arms\": list them as \"tricks\"", design);
    if (asked->tricks < least)
        return status_set(KNACK_E_USAGE, "design %s needs %lld tricks at least, here are %lld (--tricks a,b)", design, (long long)least,
                          (long long)asked->tricks);
    if (asked->tricks > most)
        return status_set(KNACK_E_USAGE, "design %s is for %lld tricks at most, here are %lld; %s", design, (long long)most,
                          (long long)asked->tricks, otherwise);
    return KNACK_OK;
}

/* ---- One at a time ---- */

static const struct json_field arm_fields[] = {
    {"plugins", JSON_ANY, offsetof(struct asked_arm, plugins), "", NULL, NULL, "tricks that are added to the config's own"},
    {"set", JSON_ANY, offsetof(struct asked_arm, set), "", NULL, NULL, "keys of the config that are changed"},
    {NULL},
};

static knack_status add_named_arm(const struct asked *asked, struct plan *plan, const struct json *node)
{
    struct asked_arm arm = {.node = node};
    char *config;
    int64_t index;
    const char *fault = name_fault(node->name);
    if (fault) return json_fail(node->parent, KNACK_E_CONFIG, "%s", fault); /* a path with such a name cannot be printed */
    TRY(json_fields(node, arm_fields, &arm));
    if (arm.plugins && arm.plugins->kind != JSON_ARRAY)
        return json_fail(arm.plugins, KNACK_E_CONFIG, "expected a list of tricks, not %s", json_kind_name(arm.plugins->kind));
    if (arm.set && arm.set->kind != JSON_OBJECT)
        return json_fail(arm.set, KNACK_E_CONFIG, "expected an object, as {\"train.optimizer.lr\": 0.01}, not %s",
                         json_kind_name(arm.set->kind));
    TRY(config_of_arm(asked, &arm, &config));
    TRY(plan_add_arm(plan, node->name, ARM_TREATED, 0, config, &index));
    return plan_add_simple(plan, index);
}

/* The named arms of a file, and an arm for each trick. */
static knack_status one_at_a_time(const struct asked *asked, struct plan *plan)
{
    int64_t index;
    if (asked->tricks == 0 && (!asked->arms || !asked->arms->first))
        return status_set(KNACK_E_USAGE, "%s: nothing to compare: name tricks (--tricks mixup,ema), or \"arms\" in a comparison file",
                          asked->request->config);
    TRY(arm_of(asked, plan, 0, &index));
    for (const struct json *arm = asked->arms ? asked->arms->first : NULL; arm; arm = arm->next) TRY(add_named_arm(asked, plan, arm));
    for (int64_t t = 0; t < asked->tricks; t++) {
        TRY(arm_of(asked, plan, (uint64_t)1 << t, &index));
        TRY(plan_add_simple(plan, index));
    }
    if (plan->design == DESIGN_SCREEN && plan->arms < 3) return status_set(KNACK_E_USAGE, "design screen needs 2 tricks at least");
    return KNACK_OK;
}

/* ---- Leave one out ---- */

static knack_status add_rest(struct plan *plan, uint64_t trick, int64_t all, int64_t without, int64_t alone)
{
    char name[NAME_SIZE], text[NAME_SIZE];
    struct contrast *contrast;
    snprintf(text, sizeof text, "%s with the rest", set_name(plan, trick, "", name));
    TRY(plan_add_contrast(plan, text, CONTRAST_REST, -1, trick, &contrast));
    contrast->weight[all] += 1;
    contrast->weight[without] -= 1;
    contrast->weight[alone] -= 1;
    contrast->weight[0] += 1;
    return KNACK_OK;
}

static knack_status add_left_out(struct plan *plan, uint64_t trick, int64_t all, int64_t without)
{
    char name[NAME_SIZE], text[NAME_SIZE];
    struct contrast *contrast;
    snprintf(text, sizeof text, "%s within all", set_name(plan, trick, "", name));
    TRY(plan_add_contrast(plan, text, CONTRAST_LEFT_OUT, without, trick, &contrast));
    contrast->weight[all] = 1;
    contrast->weight[without] = -1;
    return KNACK_OK;
}

/* Effects alone, of the whole stack, and within it; and how the latter differ from the effects alone. */
static knack_status ablation(const struct asked *asked, struct plan *plan)
{
    TRY(need_tricks(asked, plan, 2, 16, "compare them one by one first"));
    uint64_t all_on = ((uint64_t)1 << asked->tricks) - 1;
    int64_t base, all, alone, without;
    TRY(arm_of(asked, plan, 0, &base));
    for (int64_t t = 0; t < asked->tricks; t++) TRY(arm_of(asked, plan, (uint64_t)1 << t, &alone));
    TRY(arm_of(asked, plan, all_on, &all));
    for (int64_t t = 0; t < asked->tricks; t++) TRY(arm_of(asked, plan, all_on & ~((uint64_t)1 << t), &without));
    for (int64_t a = 1; a <= asked->tricks; a++) TRY(plan_add_simple(plan, a));
    TRY(plan_add_simple(plan, all));
    for (int64_t t = 0; t < asked->tricks; t++) {
        TRY(arm_of(asked, plan, all_on & ~((uint64_t)1 << t), &without));
        TRY(add_left_out(plan, (uint64_t)1 << t, all, without));
    }
    int64_t rests = asked->tricks == 2 ? 1 : asked->tricks; /* of two tricks each is the other's rest: one question */
    for (int64_t t = 0; t < rests; t++) {
        TRY(arm_of(asked, plan, (uint64_t)1 << t, &alone));
        TRY(arm_of(asked, plan, all_on & ~((uint64_t)1 << t), &without));
        TRY(add_rest(plan, (uint64_t)1 << t, all, without, alone));
    }
    return KNACK_OK;
}

/* ---- Factorials and their fractions ---- */

/* Over the runs of the design, which are the arms with these sets. */
static knack_status add_effect(struct plan *plan, uint64_t effect, const uint64_t *run, int64_t runs, const char *aliases)
{
    char name[NAME_SIZE];
    struct contrast *contrast;
    enum contrast_kind kind = __builtin_popcountll(effect) == 1 ? CONTRAST_MAIN : CONTRAST_INTERACTION;
    TRY(plan_add_contrast(plan, set_name(plan, effect, " x ", name), kind, -1, effect, &contrast));
    if (aliases) TRY(plan_copy_text(&contrast->aliases, aliases));
    for (int64_t r = 0; r < runs; r++)
        for (int64_t a = 0; a < plan->arms; a++)
            if (plan->arm[a].factors == run[r]) contrast->weight[a] = effect_weight(run[r], effect, runs);
    return KNACK_OK;
}

static knack_status factorial(const struct asked *asked, struct plan *plan)
{
    uint64_t run[1 << FACTORIAL_MOST];
    int64_t runs = (int64_t)1 << asked->tricks, index;
    TRY(need_tricks(asked, plan, 2, FACTORIAL_MOST, "design fraction takes up to 7, design screen any number"));
    for (int64_t r = 0; r < runs; r++) {
        run[r] = (uint64_t)r;
        TRY(arm_of(asked, plan, run[r], &index));
    }
    for (int order = 1; order <= asked->tricks; order++)
        for (uint64_t effect = 1; effect < (uint64_t)runs; effect++)
            if (__builtin_popcountll(effect) == order) TRY(add_effect(plan, effect, run, runs, NULL));
    return KNACK_OK;
}

/* "A x B or C x D": what cannot be told from an effect, up to interactions of two; NULL if there is nothing of the kind. */
static const char *alias_text(const struct plan *plan, const uint64_t *alias, int aliases, char text[2 * NAME_SIZE])
{
    char name[NAME_SIZE];
    int length = 0;
    for (int i = 0; i < aliases && length < 2 * NAME_SIZE; i++)
        length += snprintf(text + length, (size_t)(2 * NAME_SIZE - length), "%s%s", i ? " or " : "", set_name(plan, alias[i], " x ", name));
    return aliases ? text : NULL;
}

/* Main effects, then interactions of two; of those that are one and the same number only the first. */
static knack_status add_fraction_effects(struct plan *plan, const struct fraction *fraction, const uint64_t *run, int64_t runs)
{
    for (int order = 1; order <= 2; order++)
        for (uint64_t effect = 1; effect < (uint64_t)1 << plan->factors; effect++) {
            uint64_t alias[16];
            char text[2 * NAME_SIZE];
            bool seen = false;
            if (__builtin_popcountll(effect) != order) continue;
            int aliases = fraction_aliases(fraction, effect, 2, alias);
            for (int i = 0; i < aliases; i++) {
                int other = __builtin_popcountll(alias[i]);
                seen |= other < order || (other == order && alias[i] < effect);
            }
            if (!seen) TRY(add_effect(plan, effect, run, runs, alias_text(plan, alias, aliases, text)));
        }
    return KNACK_OK;
}

/* The generators in letters, and which letter is which trick. */
static knack_status describe_fraction(struct plan *plan, const struct fraction *fraction)
{
    static const char *const roman[] = {"", "I", "II", "III", "IV", "V"};
    char names[2 * NAME_SIZE];
    size_t length = 0;
    for (int64_t f = 0; f < plan->factors && length < sizeof names; f++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%c = %s", f ? ", " : "", (char)('A' + f), plan->factor[f]);
    plan->generators = memory_format("2^(%d-%d) runs, resolution %s, by %s; %s", fraction->k, fraction->p, roman[fraction->resolution],
                                     fraction->generators, names);
    return plan->generators ? KNACK_OK : KNACK_E_MEMORY;
}

static knack_status fractional(const struct asked *asked, struct plan *plan)
{
    bool screening = asked->role == ROLE_SCREENING;
    uint64_t run[64], all_on = ((uint64_t)1 << asked->tricks) - 1;
    int64_t index;
    TRY(need_tricks(asked, plan, 3, 7, "design screen takes any number"));
    const struct fraction *fraction = fraction_find((int)asked->tricks, screening);
    if (!fraction)
        return status_set(KNACK_E_USAGE,
                          "half of the runs of %lld tricks cannot tell effects from interactions (resolution III), which is for "
                          "--role screening only; design factorial has all runs",
                          (long long)asked->tricks);
    int64_t runs = (int64_t)1 << (fraction->k - fraction->p);
    fraction_runs(fraction, 1, run);
    TRY(arm_of(asked, plan, 0, &index)); /* the first arm is the baseline, whether the fraction has it or not */
    for (int64_t r = 0; r < runs; r++) TRY(arm_of(asked, plan, run[r], &index));
    TRY(arm_of(asked, plan, all_on, &index));
    TRY(describe_fraction(plan, fraction));
    return add_fraction_effects(plan, fraction, run, runs);
}

knack_status plan_design(const struct asked *asked, struct plan *plan)
{
    plan->factor = memory_new((size_t)asked->tricks, sizeof *plan->factor);
    if (!plan->factor) return KNACK_E_MEMORY;
    for (int64_t t = 0; t < asked->tricks; t++) {
        TRY(plan_copy_text(&plan->factor[t], asked->trick[t].name));
        plan->factors++;
    }
    switch (plan->design) {
    case DESIGN_ABLATION:
        return ablation(asked, plan);
    case DESIGN_FACTORIAL:
        return factorial(asked, plan);
    case DESIGN_FRACTION:
        return fractional(asked, plan);
    default:
        return one_at_a_time(asked, plan);
    }
}
