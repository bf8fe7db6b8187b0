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
    struct query query = query_new(&store->sql, "read the plan", "SELECT plan FROM experiments WHERE plan IS NOT NULL");
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
    struct query query = query_new(&store->sql, "write the plan",
                                   "UPDATE experiments SET name = ?, role = ?, design = ?, part = ?, metric = ?, margin = ?, plan = ?, "
                                   "knack_version = ?, machine = ?");
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

static knack_status write_identity(struct store *store, const struct arm *arm)
{
    struct query add = query_new(&store->sql, "write the arms",
                                 "INSERT INTO identities (arm, text) SELECT id, ?2 FROM arms WHERE name = ?1 AND ?2 IS NOT NULL "
                                 "ON CONFLICT (arm, text) DO NOTHING");
    query_text(&add, arm->name);
    query_text(&add, arm->identity);
    TRY(query_run(&add));
    struct query point = query_new(&store->sql, "write the arms",
                                   "UPDATE arms SET identity = (SELECT i.id FROM identities i WHERE i.arm = arms.id AND i.text = ?2) "
                                   "WHERE name = ?1");
    query_text(&point, arm->name);
    query_text(&point, arm->identity);
    return query_run(&point);
}

static knack_status write_arm(struct store *store, int64_t position, const struct arm *arm)
{
    struct query query =
        query_new(&store->sql, "write the arms",
                  "INSERT INTO arms (position, name, kind, budget, config, resolved, tricks) VALUES (?, ?, ?, ?, ?, ?, ?) "
                  "ON CONFLICT (name) DO UPDATE SET position = excluded.position, kind = excluded.kind, budget = excluded.budget, "
                  "config = excluded.config, resolved = excluded.resolved, tricks = excluded.tricks");
    query_integer(&query, position);
    query_text(&query, arm->name);
    query_text(&query, arm_kind_name[arm->kind]);
    query_real(&query, arm->budget);
    query_text(&query, arm->config);
    query_text(&query, arm->resolved);
    query_text(&query, arm->tricks);
    TRY(query_run(&query));
    return write_identity(store, arm);
}

static knack_status write_all(struct store *store, const struct plan *plan, const char *text)
{
    TRY(write_experiment(store, plan, text));
    TRY(sql_run(&store->sql, "write the arms", "UPDATE arms SET position = NULL"));
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
    struct query query = query_new(&store->sql, "find an arm", "SELECT id, name FROM arms WHERE position = ?");
    query_integer(&query, position);
    TRY(query_next(&query, &row));
    if (!row) return status_set(KNACK_E_CALL, "%s: the plan has no arm %lld", store->sql.path, (long long)position);
    *id = column_integer(&query, 0);
    if (name) column_copy(&query, 1, name, 256);
    query_end(&query);
    return KNACK_OK;
}

/* The list, then the texts, in one block. */
knack_status store_read_identities(struct store *store, struct stored_identity **list, int64_t *count)
{
    int64_t bytes = 0;
    bool row = true;
    *list = NULL;
    *count = 0;
    TRY(sql_ask_integer(&store->sql, "SELECT count(*) FROM identities", "read the identities", count));
    TRY(sql_ask_integer(&store->sql, "SELECT sum(length(CAST(text AS BLOB)) + 1) FROM identities", "read the identities", &bytes));
    struct stored_identity *made = memory_new((size_t)*count * sizeof *made + (size_t)bytes, 1), *identity = made;
    if (!made) return KNACK_E_MEMORY;
    char *text = (char *)(made + *count);
    struct query query = query_new(&store->sql, "read the identities",
                                   "SELECT i.id, coalesce(a.position, -1), i.text FROM identities i JOIN arms a ON a.id = i.arm "
                                   "ORDER BY i.id");
    knack_status status;
    while ((status = query_next(&query, &row)) >= 0 && row) {
        *identity++ = (struct stored_identity){.id = column_integer(&query, 0), .arm = column_integer(&query, 1), .text = text};
        text = stpcpy(text, column_text(&query, 2)) + 1;
    }
    if (status < 0) {
        memory_free(made);
        *count = 0;
        return status;
    }
    *list = made;
    return KNACK_OK;
}
