/* The order of the installed plugins: a stable topological sort. */
#include "plugin/order.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum rank { OUTERMOST, USUAL, INNERMOST };

struct place {
    struct instance *instance;
    enum rank rank;
};

/* Whether a manifest of the two says so by name. */
static bool precedes(const struct instance *outer, const struct instance *inner)
{
    return manifest_lists(&outer->manifest->before, inner->manifest->name) ||
           manifest_lists(&inner->manifest->after, outer->manifest->name);
}

static enum rank own_rank(const struct instance *instance)
{
    if (manifest_lists(&instance->manifest->before, "*")) return OUTERMOST;
    return instance->manifest->replaces ? INNERMOST : USUAL;
}

/* What must come before an outermost one is outermost too: else a usual one, listed earlier, would get before both. */
static void pass_outermost_on(struct place *place, int64_t count)
{
    bool changed = true;
    while (changed) {
        changed = false;
        for (int64_t i = 0; i < count; i++)
            for (int64_t j = 0; j < count && place[i].rank != OUTERMOST; j++)
                if (place[j].rank == OUTERMOST && precedes(place[i].instance, place[j].instance)) {
                    place[i].rank = OUTERMOST;
                    changed = true;
                }
    }
}

/* One of place[from..count) that must come before place[index]; -1: none. */
static int64_t predecessor(const struct place *place, int64_t from, int64_t count, int64_t index)
{
    for (int64_t i = from; i < count; i++)
        if (precedes(place[i].instance, place[index].instance)) return i;
    return -1;
}

/* Which of place[from..count) comes next; -1: each must come after another. */
static int64_t next(const struct place *place, int64_t from, int64_t count)
{
    int64_t best = -1;
    for (int64_t i = from; i < count; i++)
        if ((best < 0 || place[i].rank < place[best].rank) && predecessor(place, from, count, i) < 0) best = i;
    return best;
}

/* Puts "OUTER before INNER (says WHICH.json)" in front of a list, as far as there is room. */
static void prepend(char *list, size_t size, const struct manifest *outer, const struct manifest *inner)
{
    char piece[256];
    const char *witness = manifest_lists(&outer->before, inner->name) ? outer->name : inner->name;
    snprintf(piece, sizeof piece, "%s before %s (says %s.json)%s", outer->name, inner->name, witness, *list ? ", " : "");
    size_t length = strlen(piece), used = strlen(list);
    if (used + length >= size) return;
    memmove(list + length, list, used + 1);
    memcpy(list, piece, length);
}

/* Each of the places has a predecessor among them, so going from one to its predecessor, again and again, ends in a cycle. Instances
 * of one plugin are ordered alike, so the message names plugins. */
static knack_status fail_cycle(const struct place *place, int64_t from, int64_t count, const struct json *plugins)
{
    char cycle[800] = "";
    int64_t start = from;
    for (int64_t i = from; i < count; i++) start = predecessor(place, from, count, start);
    int64_t inner = start;
    do {
        int64_t outer = predecessor(place, from, count, inner);
        prepend(cycle, sizeof cycle, place[outer].instance->manifest, place[inner].instance->manifest);
        inner = outer;
    } while (inner != start);
    return json_fail(plugins, KNACK_E_CONFIG, "no order obeys all of these: %s; leave one out", cycle);
}

knack_status order_resolve(struct instance **list, int64_t count, const struct json *plugins)
{
    struct place *place = memory_new((size_t)count, sizeof *place);
    if (!place) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < count; i++) place[i] = (struct place){list[i], own_rank(list[i])};
    pass_outermost_on(place, count);
    knack_status status = KNACK_OK;
    for (int64_t done = 0; done < count && status >= 0; done++) {
        int64_t found = next(place, done, count);
        if (found < 0) {
            status = fail_cycle(place, done, count, plugins);
            continue;
        }
        struct place chosen = place[found];
        memmove(&place[done + 1], &place[done], (size_t)(found - done) * sizeof *place);
        place[done] = chosen;
    }
    for (int64_t i = 0; i < count; i++) list[i] = place[i].instance;
    memory_free(place);
    return status;
}
