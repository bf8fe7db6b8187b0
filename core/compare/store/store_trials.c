/* Trials with all that they told, and measurements. */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "compare/store/parts.h"

/* ---- Adding a trial ---- */

static knack_status refuse_duplicate(struct store *store, int64_t arm, int64_t seed, const char *name)
{
    bool row = false;
    struct query query = query_new(&store->sql, SQL_FIND_TRIAL);
    query_integer(&query, arm);
    query_integer(&query, seed);
    TRY(query_next(&query, &row));
    query_end(&query);
    return row ? status_set(KNACK_E_CALL, "%s: duplicate replicate: arm \"%s\" has a trial of seed %lld already", store->sql.path, name,
                            (long long)seed)
               : KNACK_OK;
}

static knack_status add_row(struct store *store, int64_t arm, int64_t seed, const struct trial_outcome *outcome)
{
    const struct trial_cost *cost = &outcome->cost;
    bool done = outcome->status == TRIAL_DONE;
    char now[32];
    store_now(now);
    struct query query = query_new(&store->sql, SQL_ADD_TRIAL);
    query_integer(&query, arm);
    query_integer(&query, seed);
    query_text(&query, trial_status_name[outcome->status]);
    query_text(&query, done ? NULL : outcome->message);
    query_real(&query, outcome->value);
    query_text(&query, outcome->weights);
    query_text(&query, outcome->idle[0] ? outcome->idle : NULL);
    query_integer(&query, cost->updates);
    query_real(&query, cost->gradient_rows);
    query_real(&query, cost->forward_rows);
    query_real(&query, cost->inference);
    query_real(&query, cost->seconds);
    query_real(&query, cost->cpu_seconds);
    query_integer(&query, cost->peak_memory);
    query_text(&query, now);
    return query_run(&query);
}

static knack_status add_metric(struct store *store, int64_t trial, const struct trial_metric *metric)
{
    struct query query = query_new(&store->sql, SQL_ADD_METRIC);
    query_integer(&query, trial);
    query_text(&query, metric->part);
    query_text(&query, metric->weights);
    query_text(&query, metric->metric);
    query_integer(&query, metric->update);
    query_real(&query, metric->epoch);
    query_real(&query, metric->value);
    query_integer(&query, metric->final);
    return query_run(&query);
}

/* Floats as bytes, the lowest first, whatever the machine; and back. */
static void swap_order(void *out, const void *in, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, (const char *)in + 4 * i, 4);
        bits = htole32(bits);
        memcpy((char *)out + 4 * i, &bits, 4);
    }
}

static knack_status add_examples(struct store *store, int64_t trial, const struct trial_outcome *outcome)
{
    if (outcome->examples <= 0 || (!outcome->correct && !outcome->loss)) return KNACK_OK;
    void *loss = outcome->loss ? memory_new((size_t)outcome->examples, 4) : NULL;
    if (outcome->loss && !loss) return KNACK_E_MEMORY;
    if (loss) swap_order(loss, outcome->loss, outcome->examples);
    struct query query = query_new(&store->sql, SQL_ADD_EXAMPLES);
    query_integer(&query, trial);
    query_integer(&query, outcome->examples);
    query_blob(&query, outcome->correct, outcome->examples);
    query_blob(&query, loss, 4 * outcome->examples);
    knack_status status = query_run(&query);
    memory_free(loss);
    return status;
}

static knack_status add_all(struct store *store, int64_t position, int64_t seed, const struct trial_outcome *outcome)
{
    int64_t arm = 0;
    char name[256];
    TRY(store_find_arm(store, position, &arm, name));
    TRY(refuse_duplicate(store, arm, seed, name));
    TRY(add_row(store, arm, seed, outcome));
    int64_t trial = sqlite3_last_insert_rowid(store->sql.file);
    for (int64_t i = 0; i < outcome->metrics; i++) TRY(add_metric(store, trial, &outcome->metric[i]));
    return add_examples(store, trial, outcome);
}

knack_status store_add_trial(struct store *store, int64_t arm, int64_t seed, const struct trial_outcome *outcome)
{
    TRY(store_begin(store));
    return sql_end(&store->sql, add_all(store, arm, seed, outcome));
}

/* ---- Lists ---- */

typedef knack_status read_row(const struct query *, void *out);

/* Runs two queries: how many rows there are, and the rows. Both are over on return. */
static knack_status read_list(struct query *counting, struct query *query, size_t size, read_row *read, void **list, int64_t *count)
{
    bool row = false;
    TRY(query_next(counting, &row));
    int64_t rows = row ? column_integer(counting, 0) : 0;
    query_end(counting);
    char *made = memory_new((size_t)rows, size);
    if (!made) return KNACK_E_MEMORY;
    knack_status status = KNACK_OK;
    int64_t i = 0;
    while (i < rows && (status = query_next(query, &row)) >= 0 && row && (status = read(query, made + (size_t)i * size)) >= 0) i++;
    query_end(query);
    if (status < 0) {
        memory_free(made);
        return status;
    }
    *list = made;
    *count = i;
    return KNACK_OK;
}

static knack_status read_trial(const struct query *query, void *out)
{
    struct stored_trial *trial = out;
    int status = 0;
    TRY(column_choice(query, 3, trial_status_name, &status));
    trial->id = column_integer(query, 0);
    trial->arm = column_integer(query, 1);
    trial->seed = column_integer(query, 2);
    trial->status = (enum trial_status)status;
    column_copy(query, 4, trial->message, sizeof trial->message);
    trial->value = column_real(query, 5);
    column_copy(query, 6, trial->idle, sizeof trial->idle);
    trial->cost = (struct trial_cost){.updates = column_integer(query, 7),
                                      .gradient_rows = column_real(query, 8),
                                      .forward_rows = column_real(query, 9),
                                      .inference = column_real(query, 10),
                                      .seconds = column_real(query, 11),
                                      .cpu_seconds = column_real(query, 12),
                                      .peak_memory = column_integer(query, 13)};
    return KNACK_OK;
}

knack_status store_read_trials(struct store *store, struct stored_trial **trials, int64_t *count)
{
    void *list = NULL;
    *trials = NULL;
    *count = 0;
    struct query counting = query_new(&store->sql, SQL_COUNT_TRIALS), query = query_new(&store->sql, SQL_READ_TRIALS);
    TRY(read_list(&counting, &query, sizeof **trials, read_trial, &list, count));
    *trials = list;
    return KNACK_OK;
}

/* *trial -1: there is none. */
static knack_status find_trial(struct store *store, int64_t position, int64_t seed, int64_t *trial)
{
    int64_t arm = 0;
    bool row = false;
    TRY(store_find_arm(store, position, &arm, NULL));
    struct query query = query_new(&store->sql, SQL_FIND_TRIAL);
    query_integer(&query, arm);
    query_integer(&query, seed);
    TRY(query_next(&query, &row));
    *trial = row ? column_integer(&query, 0) : -1;
    query_end(&query);
    return KNACK_OK;
}

static knack_status read_metric(const struct query *query, void *out)
{
    struct trial_metric *metric = out;
    column_copy(query, 0, metric->part, sizeof metric->part);
    column_copy(query, 1, metric->weights, sizeof metric->weights);
    column_copy(query, 2, metric->metric, sizeof metric->metric);
    metric->update = column_integer(query, 3);
    metric->epoch = column_real(query, 4);
    metric->value = column_real(query, 5);
    metric->final = column_integer(query, 6) != 0;
    return KNACK_OK;
}

knack_status store_read_metrics(struct store *store, int64_t arm, int64_t seed, struct trial_metric **metrics, int64_t *count)
{
    int64_t trial = -1;
    void *list = NULL;
    *metrics = NULL;
    *count = 0;
    TRY(find_trial(store, arm, seed, &trial));
    struct query counting = query_new(&store->sql, SQL_COUNT_METRICS), query = query_new(&store->sql, SQL_READ_METRICS);
    query_integer(&counting, trial);
    query_integer(&query, trial);
    TRY(read_list(&counting, &query, sizeof **metrics, read_metric, &list, count));
    *metrics = list;
    return KNACK_OK;
}

/* ---- Examples ---- */

/* A copy of a blob of `size` bytes, or NULL if it is NULL. */
static knack_status copy_blob(const struct query *query, int column, int64_t size, void **copy)
{
    if (sqlite3_column_type(query->statement, column) == SQLITE_NULL) return KNACK_OK;
    const void *bytes = sqlite3_column_blob(query->statement, column);
    int there = sqlite3_column_bytes(query->statement, column);
    if (there != size || (size > 0 && !bytes))
        return status_set(KNACK_E_IO, "%s: a trial's examples have %d bytes of \"%s\" instead of %lld: the file is damaged",
                          query->sql->path, there, sqlite3_column_name(query->statement, column), (long long)size);
    *copy = memory_new((size_t)size, 1);
    if (!*copy) return KNACK_E_MEMORY;
    if (size > 0) memcpy(*copy, bytes, (size_t)size);
    return KNACK_OK;
}

static knack_status copy_examples(const struct query *query, void **correct, void **loss, int64_t *count)
{
    *count = column_integer(query, 0);
    TRY(copy_blob(query, 1, *count, correct));
    TRY(copy_blob(query, 2, 4 * *count, loss));
    if (*loss) swap_order(*loss, *loss, *count);
    return KNACK_OK;
}

knack_status store_read_examples(struct store *store, int64_t arm, int64_t seed, uint8_t **correct, float **loss, int64_t *count)
{
    int64_t trial = -1;
    bool row = false;
    void *correct_bytes = NULL, *loss_bytes = NULL;
    *correct = NULL;
    *loss = NULL;
    *count = 0;
    TRY(find_trial(store, arm, seed, &trial));
    struct query query = query_new(&store->sql, SQL_READ_EXAMPLES);
    query_integer(&query, trial);
    TRY(query_next(&query, &row));
    if (!row) return KNACK_OK;
    knack_status status = copy_examples(&query, &correct_bytes, &loss_bytes, count);
    query_end(&query);
    if (status < 0) {
        memory_free(correct_bytes);
        memory_free(loss_bytes);
        *count = 0;
        return status;
    }
    *correct = correct_bytes;
    *loss = loss_bytes;
    return KNACK_OK;
}

/* ---- Measurements ---- */

static knack_status add_measurement(struct store *store, const struct stored_measurement *measurement)
{
    int64_t arm = 0;
    TRY(store_find_arm(store, measurement->arm, &arm, NULL));
    struct query query = query_new(&store->sql, SQL_ADD_MEASUREMENT);
    query_integer(&query, arm);
    query_integer(&query, measurement->round);
    query_real(&query, measurement->cpu_seconds);
    query_integer(&query, measurement->peak_memory);
    return query_run(&query);
}

knack_status store_add_measurement(struct store *store, const struct stored_measurement *measurement)
{
    TRY(store_begin(store));
    return sql_end(&store->sql, add_measurement(store, measurement));
}

static knack_status read_measurement(const struct query *query, void *out)
{
    struct stored_measurement *measurement = out;
    measurement->arm = column_integer(query, 0);
    measurement->round = column_integer(query, 1);
    measurement->cpu_seconds = column_real(query, 2);
    measurement->peak_memory = column_integer(query, 3);
    return KNACK_OK;
}

knack_status store_read_measurements(struct store *store, struct stored_measurement **measurements, int64_t *count)
{
    void *list = NULL;
    *measurements = NULL;
    *count = 0;
    struct query counting = query_new(&store->sql, SQL_COUNT_MEASUREMENTS), query = query_new(&store->sql, SQL_READ_MEASUREMENTS);
    TRY(read_list(&counting, &query, sizeof **measurements, read_measurement, &list, count));
    *measurements = list;
    return KNACK_OK;
}
