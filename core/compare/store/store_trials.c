/* Trials with all that they told, what was set aside, and measurements. */
#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "compare/store/parts.h"

#define LENGTH(array) ((int64_t)(sizeof(array) / sizeof *(array)))

/* ---- Columns ---- */

#define COST_COLUMNS(type)                                                                                                                 \
    COLUMN(INTEGER, type, cost.updates), COLUMN(REAL, type, cost.gradient_rows), COLUMN(REAL, type, cost.forward_rows),                    \
        COLUMN(REAL, type, cost.inference), COLUMN(REAL, type, cost.seconds), COLUMN(REAL, type, cost.cpu_seconds),                        \
        COLUMN(INTEGER, type, cost.peak_memory)
#define COST_NAMES "updates, gradient_rows, forward_rows, inference, seconds, cpu_seconds, peak_memory"

static const struct column outcome_column[] = {
    {COLUMN_CHOICE, offsetof(struct trial_outcome, status), 0, trial_status_name},
    COLUMN(TEXT, struct trial_outcome, message),
    {COLUMN_CHOICE, offsetof(struct trial_outcome, fault), 0, trial_fault_name},
    COLUMN(TEXT, struct trial_outcome, place),
    COLUMN(POINTER, struct trial_outcome, warnings),
    COLUMN(REAL, struct trial_outcome, value),
    COLUMN(TEXT, struct trial_outcome, weights),
    COLUMN(TEXT, struct trial_outcome, idle),
    COST_COLUMNS(struct trial_outcome),
};
#define OUTCOME_NAMES "status, message, fault, place, warnings, value, weights, idle, " COST_NAMES

static const struct column trial_column[] = {
    COLUMN(INTEGER, struct stored_trial, id),
    COLUMN(INTEGER, struct stored_trial, arm),
    COLUMN(INTEGER, struct stored_trial, seed),
    {COLUMN_CHOICE, offsetof(struct stored_trial, status), 0, trial_status_name},
    COLUMN(TEXT, struct stored_trial, message),
    COLUMN(REAL, struct stored_trial, value),
    COLUMN(TEXT, struct stored_trial, idle),
    {COLUMN_CHOICE, offsetof(struct stored_trial, fault), 0, trial_fault_name},
    COLUMN(INTEGER, struct stored_trial, step),
    COLUMN(TEXT, struct stored_trial, place),
    COLUMN(INTEGER, struct stored_trial, attempt),
    COLUMN(INTEGER, struct stored_trial, identity),
    COLUMN(TEXT, struct stored_trial, source),
    COLUMN(TEXT, struct stored_trial, aside),
    COST_COLUMNS(struct stored_trial),
};
/* Attempts are counted anew once somebody had the trial made anew. */
#define READ_TRIALS                                                                                                                        \
    "SELECT t.id, a.position, t.seed, status, message, value, idle, fault, step, place, "                                                  \
    "(SELECT 1 + count(*) FROM trials o WHERE o.arm = t.arm AND o.seed = t.seed AND o.id < t.id AND o.aside IN ('unclear', 'machine') "    \
    "AND o.id > (SELECT coalesce(max(n.id), 0) FROM trials n WHERE n.arm = t.arm AND n.seed = t.seed AND n.id < t.id "                     \
    "AND n.aside IN ('again', 'retry-failed'))), "                                                                                         \
    "t.identity, source, aside, " COST_NAMES " FROM trials t JOIN arms a ON a.id = t.arm WHERE a.position IS NOT NULL AND aside IS "

static const struct column metric_column[] = {
    COLUMN(TEXT, struct trial_metric, part),      COLUMN(TEXT, struct trial_metric, weights), COLUMN(TEXT, struct trial_metric, metric),
    COLUMN(INTEGER, struct trial_metric, update), COLUMN(REAL, struct trial_metric, epoch),   COLUMN(REAL, struct trial_metric, value),
    COLUMN(FLAG, struct trial_metric, final),
};
#define METRIC_NAMES "part, weights, metric, update_, epoch, value, final"
#define ADD_METRIC   "INSERT INTO metrics (trial, " METRIC_NAMES ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
#define READ_METRICS "SELECT " METRIC_NAMES " FROM metrics WHERE trial = ? ORDER BY rowid"

#define ADD_EXAMPLES  "INSERT INTO examples (trial, count, correct, loss) VALUES (?, ?, ?, ?)"
#define READ_EXAMPLES "SELECT count, correct, loss FROM examples WHERE trial = ?"

/* ---- Finding ---- */

/* The trial of that seed that counts; *trial -1: there is none. arm: a row. */
static knack_status find_trial(struct store *store, int64_t arm, int64_t seed, int64_t *trial)
{
    bool row = false;
    struct query query = query_new(&store->sql, "find a trial", "SELECT id FROM trials WHERE arm = ? AND seed = ? AND aside IS NULL");
    query_integer(&query, arm);
    query_integer(&query, seed);
    TRY(query_next(&query, &row));
    *trial = row ? column_integer(&query, 0) : -1;
    query_end(&query);
    return KNACK_OK;
}

static knack_status find_position(struct store *store, int64_t position, int64_t seed, int64_t *trial)
{
    int64_t arm = 0;
    TRY(store_find_arm(store, position, &arm, NULL));
    return find_trial(store, arm, seed, trial);
}

/* ---- Adding a trial ---- */

static knack_status set_aside(struct store *, int64_t position, int64_t seed, const char *why);

/* The arm's row, if it has no trial of that seed yet. */
static knack_status find_free(struct store *store, int64_t position, int64_t seed, int64_t *arm)
{
    char name[256];
    int64_t trial = -1;
    TRY(store_find_arm(store, position, arm, name));
    TRY(find_trial(store, *arm, seed, &trial));
    return trial < 0 ? KNACK_OK
                     : status_set(KNACK_E_CALL, "%s: duplicate replicate: arm \"%s\" has a trial of seed %lld already", store->sql.path,
                                  name, (long long)seed);
}

static knack_status add_row(struct store *store, int64_t arm, int64_t seed, const struct trial_outcome *outcome)
{
    char now[32];
    store_now(now);
    struct query query = query_new(&store->sql, "add a trial",
                                   "INSERT INTO trials (arm, identity, seed, finished, step, " OUTCOME_NAMES ") "
                                   "VALUES (?1, (SELECT identity FROM arms WHERE id = ?1), ?2, ?3, ?4, "
                                   "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_integer(&query, arm);
    query_integer(&query, seed);
    query_text(&query, now);
    query_real(&query, outcome->status == TRIAL_DONE ? NAN : (double)outcome->step);
    query_columns(&query, outcome_column, LENGTH(outcome_column), outcome);
    return query_run(&query);
}

static knack_status add_metric(struct store *store, int64_t trial, const struct trial_metric *metric)
{
    struct query query = query_new(&store->sql, "add a trial's metrics", ADD_METRIC);
    query_integer(&query, trial);
    query_columns(&query, metric_column, LENGTH(metric_column), metric);
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
    struct query query = query_new(&store->sql, "add a trial's examples", ADD_EXAMPLES);
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
    TRY(find_free(store, position, seed, &arm));
    TRY(add_row(store, arm, seed, outcome));
    int64_t trial = sqlite3_last_insert_rowid(store->sql.file);
    for (int64_t i = 0; i < outcome->metrics; i++) TRY(add_metric(store, trial, &outcome->metric[i]));
    TRY(add_examples(store, trial, outcome));
    return outcome->aside[0] ? set_aside(store, position, seed, outcome->aside) : KNACK_OK;
}

knack_status store_add_trial(struct store *store, int64_t arm, int64_t seed, const struct trial_outcome *outcome)
{
    TRY(store_begin(store));
    return sql_end(&store->sql, add_all(store, arm, seed, outcome));
}

/* ---- Copying ---- */

/* Every row of what is asked about a trial there becomes a row here: the trial's id, then the columns as they are. */
static knack_status copy_rows(struct store *to, struct store *from, const char *read, int64_t trial, const char *add, int64_t copy)
{
    bool row = true;
    struct query query = query_new(&from->sql, "read a trial", read);
    query_integer(&query, trial);
    knack_status status;
    while ((status = query_next(&query, &row)) >= 0 && row) {
        struct query insert = query_new(&to->sql, "copy a trial", add);
        query_integer(&insert, copy);
        for (int i = 0; i < sqlite3_column_count(query.statement); i++) query_copy(&insert, &query, i);
        status = query_run(&insert);
        if (status < 0) break;
    }
    query_end(&query);
    return status;
}

static knack_status copy_all(struct store *to, int64_t to_arm, struct store *from, int64_t trial, int64_t seed, const char *source)
{
    int64_t arm = 0;
    TRY(find_free(to, to_arm, seed, &arm));
    TRY(copy_rows(to, from, "SELECT seed, finished, " OUTCOME_NAMES " FROM trials WHERE id = ?", trial,
                  "INSERT INTO trials (arm, identity, seed, finished, " OUTCOME_NAMES ") "
                  "VALUES (?1, (SELECT identity FROM arms WHERE id = ?1), ?2, ?3, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  arm));
    int64_t copy = sqlite3_last_insert_rowid(to->sql.file);
    struct query mark = query_new(&to->sql, "copy a trial", "UPDATE trials SET source = ? WHERE id = ?");
    query_text(&mark, source);
    query_integer(&mark, copy);
    TRY(query_run(&mark));
    TRY(copy_rows(to, from, READ_METRICS, trial, ADD_METRIC, copy));
    return copy_rows(to, from, READ_EXAMPLES, trial, ADD_EXAMPLES, copy);
}

knack_status store_copy_trial(struct store *to, int64_t to_arm, struct store *from, int64_t from_arm, int64_t seed, const char *source)
{
    int64_t arm = 0, trial = 0;
    char name[256];
    TRY(store_find_arm(from, from_arm, &arm, name));
    struct query query = query_new(&from->sql, "find a trial",
                                   "SELECT max(id) FROM trials WHERE arm = ? AND seed = ? AND aside IS NULL AND status = 'done'");
    bool row;
    query_integer(&query, arm);
    query_integer(&query, seed);
    TRY(query_next(&query, &row));
    trial = row ? column_integer(&query, 0) : 0;
    query_end(&query);
    if (trial == 0)
        return status_set(KNACK_E_CALL, "%s: arm \"%s\" has no trial of seed %lld that is done", from->sql.path, name, (long long)seed);
    TRY(store_begin(to));
    return sql_end(&to->sql, copy_all(to, to_arm, from, trial, seed, source));
}

/* ---- Setting aside ---- */

static knack_status set_aside(struct store *store, int64_t position, int64_t seed, const char *why)
{
    char name[256];
    int64_t arm = 0, trial = -1;
    TRY(store_find_arm(store, position, &arm, name));
    TRY(find_trial(store, arm, seed, &trial));
    if (trial < 0) return status_set(KNACK_E_CALL, "%s: arm \"%s\" has no trial of seed %lld", store->sql.path, name, (long long)seed);
    struct query query = query_new(&store->sql, "set a trial aside", "UPDATE trials SET aside = ? WHERE id = ?");
    query_text(&query, why);
    query_integer(&query, trial);
    return query_run(&query);
}

knack_status store_set_aside(struct store *store, int64_t arm, int64_t seed, const char *why)
{
    TRY(store_begin(store));
    return sql_end(&store->sql, set_aside(store, arm, seed, why));
}

static knack_status set_arm_aside(struct store *store, int64_t position, const char *why, bool failed_only, int64_t *count)
{
    int64_t arm = 0;
    TRY(store_find_arm(store, position, &arm, NULL));
    struct query query = query_new(&store->sql, "set trials aside",
                                   "UPDATE trials SET aside = ? WHERE arm = ? AND aside IS NULL AND (status <> 'done' OR NOT ?)");
    query_text(&query, why);
    query_integer(&query, arm);
    query_integer(&query, failed_only);
    TRY(query_run(&query));
    *count = sqlite3_changes64(store->sql.file);
    return KNACK_OK;
}

knack_status store_set_aside_arm(struct store *store, int64_t arm, const char *why, bool failed_only, int64_t *count)
{
    *count = 0;
    TRY(store_begin(store));
    return sql_end(&store->sql, set_arm_aside(store, arm, why, failed_only, count));
}

/* ---- Lists ---- */

static knack_status read_trials(struct store *store, const char *text, struct stored_trial **trials, int64_t *count)
{
    void *list = NULL;
    struct query query = query_new(&store->sql, "read the trials", text);
    knack_status status = query_list(&query, trial_column, LENGTH(trial_column), sizeof **trials, &list, count);
    *trials = list;
    return status;
}

knack_status store_read_trials(struct store *store, struct stored_trial **trials, int64_t *count)
{
    return read_trials(store, READ_TRIALS "NULL ORDER BY t.seed, a.position", trials, count);
}

knack_status store_read_aside(struct store *store, struct stored_trial **trials, int64_t *count)
{
    return read_trials(store, READ_TRIALS "NOT NULL ORDER BY t.seed, a.position, t.id", trials, count);
}

knack_status store_read_warnings(struct store *store, struct stored_warning **warnings, int64_t *count)
{
    static const struct column column[] = {
        COLUMN(INTEGER, struct stored_warning, arm),
        COLUMN(TEXT, struct stored_warning, text),
        COLUMN(INTEGER, struct stored_warning, trials),
    };
    void *list = NULL;
    /* Lines are cut off one by one. */
    struct query query =
        query_new(&store->sql, "read the warnings",
                  "WITH RECURSIVE line (arm, trial, text, rest) AS (SELECT a.position, t.id, '', t.warnings || char(10) "
                  "FROM trials t JOIN arms a ON a.id = t.arm WHERE a.position IS NOT NULL AND t.aside IS NULL AND t.warnings IS NOT NULL "
                  "UNION ALL SELECT arm, trial, substr(rest, 1, instr(rest, char(10)) - 1), substr(rest, instr(rest, char(10)) + 1) "
                  "FROM line WHERE rest <> '') "
                  "SELECT arm, text, count(DISTINCT trial) FROM line WHERE text <> '' GROUP BY arm, text ORDER BY arm, min(trial), text");
    knack_status status = query_list(&query, column, LENGTH(column), sizeof **warnings, &list, count);
    *warnings = list;
    return status;
}

knack_status store_read_metrics(struct store *store, int64_t arm, int64_t seed, struct trial_metric **metrics, int64_t *count)
{
    int64_t trial = -1;
    void *list = NULL;
    *metrics = NULL;
    *count = 0;
    TRY(find_position(store, arm, seed, &trial));
    struct query query = query_new(&store->sql, "read a trial's metrics", READ_METRICS);
    query_integer(&query, trial);
    knack_status status = query_list(&query, metric_column, LENGTH(metric_column), sizeof **metrics, &list, count);
    *metrics = list;
    return status;
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
    TRY(find_position(store, arm, seed, &trial));
    struct query query = query_new(&store->sql, "read a trial's examples", READ_EXAMPLES);
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

static const struct column measurement_column[] = {
    COLUMN(INTEGER, struct stored_measurement, arm),
    COLUMN(INTEGER, struct stored_measurement, round),
    COLUMN(REAL, struct stored_measurement, cpu_seconds),
    COLUMN(INTEGER, struct stored_measurement, peak_memory),
};

static knack_status add_measurement(struct store *store, const struct stored_measurement *measurement)
{
    struct stored_measurement row = *measurement;
    TRY(store_find_arm(store, measurement->arm, &row.arm, NULL));
    struct query query =
        query_new(&store->sql, "add a measurement", "INSERT INTO measurements (arm, round, cpu_seconds, peak_memory) VALUES (?, ?, ?, ?)");
    query_columns(&query, measurement_column, LENGTH(measurement_column), &row);
    return query_run(&query);
}

knack_status store_add_measurement(struct store *store, const struct stored_measurement *measurement)
{
    TRY(store_begin(store));
    return sql_end(&store->sql, add_measurement(store, measurement));
}

knack_status store_read_measurements(struct store *store, struct stored_measurement **measurements, int64_t *count)
{
    void *list = NULL;
    struct query query = query_new(&store->sql, "read the measurements",
                                   "SELECT a.position, m.round, m.cpu_seconds, m.peak_memory FROM measurements m "
                                   "JOIN arms a ON a.id = m.arm WHERE a.position IS NOT NULL ORDER BY m.rowid");
    knack_status status = query_list(&query, measurement_column, LENGTH(measurement_column), sizeof **measurements, &list, count);
    *measurements = list;
    return status;
}
