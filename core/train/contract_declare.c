/* The contract: what a trick declares in open. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "train/state.h"

const knack_param *knack_add_param(knack_trick *trick, const struct knack_param_spec *spec)
{
    if (!call_allowed(trick, AT(OPEN), "knack_add_param")) return NULL;
    struct param *param;
    knack_status status = params_declare(trick->run->params, trick->name, spec, &param);
    if (status < 0) call_fail_current(trick->run, status == KNACK_E_MEMORY ? status : KNACK_E_PLUGIN);
    return status < 0 ? NULL : &param->public;
}

int64_t knack_params(knack_trick *trick, const char *pattern, const knack_param *const **list)
{
    struct params *params = trick->run->params;
    *list = NULL;
    if (!call_allowed(trick, AT(OPEN), "knack_params")) return 0;
    const knack_param **found = arena_alloc(trick->run->config->arena, (size_t)(params->count + 1) * sizeof *found);
    if (!found) {
        call_fail_current(trick->run, KNACK_E_MEMORY);
        return 0;
    }
    int64_t count = params_match(params, pattern, found);
    *list = found;
    if (count > 0) return count;
    const char **names = (const char **)found;
    char text[512];
    for (int64_t i = 0; i < params->count; i++) names[i] = params->list[i]->public.name;
    call_fail(trick->run, KNACK_E_CONFIG, "no parameter matches \"%s\"; there are %s", pattern,
              text_list(text, sizeof text, names, params->count));
    return 0;
}

knack_weights *knack_weight_set(knack_trick *trick, const char *name, uint32_t flags)
{
    if (!call_allowed(trick, AT(OPEN), "knack_weight_set")) return NULL;
    if (!name) name = trick->name;
    knack_weights *set = params_find_set(trick->run->params, name);
    if (set && set != &trick->run->params->live && set != trick->run->best && set->owner && strcmp(set->owner, trick->name) != 0)
        return set;
    if (set) {
        call_fail(trick->run, KNACK_E_PLUGIN, "the weight set \"%s\" exists already; choose another name", name);
        return NULL;
    }
    set = params_add_set(trick->run->params, trick->name, name, flags);
    if (!set) call_fail_current(trick->run, params_name_fits(name) ? KNACK_E_MEMORY : KNACK_E_PLUGIN);
    return set;
}

bool knack_evaluates(knack_trick *trick, const char *weights)
{
    struct params *params = trick->run->params;
    if (!call_allowed(trick, AT(OPEN), "knack_evaluates")) return false;
    const knack_weights *set = params_find_set(params, weights);
    return set && (set == &params->live || set->flags & KNACK_EVALUATE);
}

void *knack_state(knack_trick *trick, const char *name, enum knack_type type, int64_t count)
{
    if (!call_allowed(trick, AT(OPEN), "knack_state")) return NULL;
    if (count < 0 || !name || type < KNACK_F32 || type > KNACK_U8) {
        call_fail(trick->run, KNACK_E_PLUGIN, "knack_state(): a name, a type and a count of at least 0 are needed");
        return NULL;
    }
    for (int64_t i = 0; i < trick->states; i++) {
        if (strcmp(trick->state[i].name, name) != 0) continue;
        call_fail(trick->run, KNACK_E_PLUGIN, "knack_state(): \"%s\" is declared twice", name);
        return NULL;
    }
    struct trick_state *grown = memory_resize(trick->state, (size_t)trick->states + 1, sizeof *grown);
    if (grown) trick->state = grown;
    struct trick_state state = {grown ? memory_text(name) : NULL, type, count, NULL};
    if (state.name) state.data = memory_new((size_t)count, type_size(type));
    if (!state.data) {
        memory_free(state.name);
        call_fail_current(trick->run, KNACK_E_MEMORY);
        return NULL;
    }
    trick->state[trick->states++] = state;
    return state.data;
}

knack_status knack_watch_layer(knack_trick *trick, const char *pattern)
{
    struct run *run = trick->run;
    const struct knack_model *model = run->model;
    const char *const *layers = (const char *const *)model->layer;
    char text[512];
    int64_t found = 0;
    if (!call_allowed(trick, AT(OPEN), "knack_watch_layer")) return KNACK_E_CALL;
    if (!trick->watches) trick->watches = memory_new((size_t)model->layer_count, sizeof *trick->watches);
    if (!trick->watches) return call_fail_current(run, KNACK_E_MEMORY);
    for (int64_t i = 0; i < model->layer_count; i++) {
        if (!text_glob(pattern, model->layer[i])) continue;
        trick->watches[i] = true;
        found++;
    }
    if (found) {
        run->filters = true;
        return KNACK_OK;
    }
    const char *nearest = text_nearest(pattern, layers, model->layer_count);
    return call_fail(run, KNACK_E_CONFIG, "no layer matches \"%s\"%s%s%s; there are %s", pattern, nearest ? "; nearest is \"" : "",
                     nearest ? nearest : "", nearest ? "\"" : "", text_list(text, sizeof text, layers, model->layer_count));
}
