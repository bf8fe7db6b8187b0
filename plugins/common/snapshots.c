#include "common/snapshots.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

knack_status snapshots_every(knack_trick *trick, int64_t *every)
{
    *every = knack_option_updates(trick, "every");
    return *every < 1 ? knack_fail(trick, "\"every\" is less than one update of this run") : KNACK_OK;
}

bool snapshots_due(int64_t update, int64_t every)
{
    return update > 0 && update % every == 0;
}

bool snapshots_fit(knack_trick *trick)
{
    bool fit = isfinite(knack_norm(knack_weights_in_use(trick, NULL), knack_task(trick)->parameters));
    if (!fit) knack_warn(trick, "weights that are not finite were left out");
    return fit;
}

knack_status snapshots_open(knack_trick *trick, struct snapshots *snapshots)
{
    char name[128];
    snapshots->size = (int64_t)knack_option_number(trick, "count");
    for (int64_t i = 0; i < snapshots->size; i++) {
        snprintf(name, sizeof name, "%s.%lld", knack_name(trick), (long long)i + 1);
        snapshots->set[i] = knack_weight_set(trick, name, 0);
        if (!snapshots->set[i]) return KNACK_E_PLUGIN;
    }
    snapshots->taken = knack_state(trick, "taken", KNACK_I64, 1);
    return snapshots->taken ? KNACK_OK : KNACK_E_PLUGIN;
}

void snapshots_take(knack_trick *trick, const struct snapshots *snapshots)
{
    int64_t count;
    knack_weights *oldest = snapshots->set[(*snapshots->taken)++ % snapshots->size];
    knack_real *statistics = knack_statistics(trick, oldest, &count);
    knack_lerp(knack_values(oldest, NULL), 1, knack_weights_in_use(trick, NULL), knack_task(trick)->parameters);
    knack_lerp(statistics, 1, knack_statistics(trick, NULL, NULL), count);
}

int64_t snapshots_held(const struct snapshots *snapshots)
{
    return *snapshots->taken < snapshots->size ? *snapshots->taken : snapshots->size;
}

knack_weights *snapshots_latest(const struct snapshots *snapshots, int64_t k)
{
    return snapshots->set[(*snapshots->taken - 1 - k) % snapshots->size];
}
