/* The plan, and the arms' table. */
#include <stdio.h>
#include <string.h>

#include <knack/knack.h>

#include "base/memory.h"
#include "compare/store/parts.h"

knack_status store_read_plan(struct store *store, struct plan **plan)
{
    *plan = NULL;
    bool row = false;
    struct query query = query_new(&store->sql, SQL_READ_PLAN);
    TRY(query_next(&query, &row));
    if (!row) return KNACK_OK;
    knack_status status = plan_parse(column_text(&query, 0), store->sql.path, plan);
    query_end(&query);
    return status;
}

static knack_status write_experiment(struct store *store, const struct plan *plan, const char *text)
{
    char machine[256];
    store_machine(machine);
    struct query query = query_new(&store->sql, SQL_WRITE_PLAN);
    query_text(&query, plan->name);
    query_text(&query, role_name[plan->role]);
    query_text(&query, design_name[plan->design]);
    query_text(&query, plan->part);
    query_text(&query, plan->metric);
    query_real(&query, plan->margin);
    query_text(&query, text);
    query_text(&query, knack_version());
    query_text(&query, machine);
    return query_run(&query);
}

static knack_status write_arm(struct store *store, int64_t position, const struct arm *arm)
{
    struct query query = query_new(&store->sql, SQL_WRITE_ARM);
    query_integer(&query, position);
    query_text(&query, arm->name);
    query_text(&query, arm_kind_name[arm->kind]);
    query_real(&query, arm->budget);
    query_text(&query, arm->config);
    query_text(&query, arm->resolved);
    query_text(&query, arm->tricks);
    return query_run(&query);
}

static knack_status write_all(struct store *store, const struct plan *plan, const char *text)
{
    TRY(write_experiment(store, plan, text));
    struct query clear = query_new(&store->sql, SQL_CLEAR_POSITIONS);
    TRY(query_run(&clear));
    for (int64_t a = 0; a < plan->arms; a++) TRY(write_arm(store, a, &plan->arm[a]));
    return KNACK_OK;
}

knack_status store_write_plan(struct store *store, const struct plan *plan)
{
    char *text = plan_text(plan);
    if (!text) return KNACK_E_MEMORY;
    knack_status status = store_begin(store);
    if (status >= 0) status = sql_end(&store->sql, write_all(store, plan, text));
    memory_free(text);
    return status;
}

knack_status store_find_arm(struct store *store, int64_t position, int64_t *id, char name[256])
{
    bool row = false;
    struct query query = query_new(&store->sql, SQL_FIND_ARM);
    query_integer(&query, position);
    TRY(query_next(&query, &row));
    if (!row) return status_set(KNACK_E_CALL, "%s: the plan has no arm %lld", store->sql.path, (long long)position);
    *id = column_integer(&query, 0);
    if (name) column_copy(&query, 1, name, 256);
    query_end(&query);
    return KNACK_OK;
}
