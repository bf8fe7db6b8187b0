/* The text of each statement, and what it is for, as errors say it. */
#include "compare/store/sql.h"

#define TRIAL_COLUMNS                                                                                                                      \
    "t.id, a.position, t.seed, t.status, t.message, t.value, t.idle, t.updates, t.gradient_rows, t.forward_rows, t.inference, "            \
    "t.seconds, t.cpu_seconds, t.peak_memory"

const struct sql_text sql_text[SQL_STATEMENTS] = {
    [SQL_BEGIN_READING] = {"BEGIN", "read it"},
    [SQL_BEGIN_WRITING] = {"BEGIN IMMEDIATE", "write to it"},
    [SQL_COMMIT] = {"COMMIT", "write to it"},
    [SQL_ROLLBACK] = {"ROLLBACK", "undo"},

    [SQL_ADD_EXPERIMENT] = {"INSERT INTO experiments (identity, status, comparison_number, created, knack_version, machine) "
                            "VALUES (?, 'running', 0, ?, ?, ?)",
                            "make its tables"},
    [SQL_READ_IDENTITY] = {"SELECT identity FROM experiments", "read which comparison it is"},
    [SQL_READ_PLAN] = {"SELECT plan FROM experiments WHERE plan IS NOT NULL", "read the plan"},
    [SQL_WRITE_PLAN] = {"UPDATE experiments SET name = ?, role = ?, design = ?, part = ?, metric = ?, margin = ?, plan = ?, "
                        "knack_version = ?, machine = ?",
                        "write the plan"},
    [SQL_READ_STATUS] = {"SELECT status, comparison_number FROM experiments", "read the status"},
    [SQL_WRITE_STATUS] = {"UPDATE experiments SET status = ?, comparison_number = ?", "write the status"},

    [SQL_CLEAR_POSITIONS] = {"UPDATE arms SET position = NULL", "write the arms"},
    [SQL_WRITE_ARM] = {"INSERT INTO arms (position, name, kind, budget, config, resolved, tricks) VALUES (?, ?, ?, ?, ?, ?, ?) "
                       "ON CONFLICT (name) DO UPDATE SET position = excluded.position, kind = excluded.kind, budget = excluded.budget, "
                       "config = excluded.config, resolved = excluded.resolved, tricks = excluded.tricks",
                       "write the arms"},
    [SQL_FIND_ARM] = {"SELECT id, name FROM arms WHERE position = ?", "find an arm"},

    [SQL_ADD_TRIAL] = {"INSERT INTO trials (arm, seed, status, message, value, weights, idle, updates, gradient_rows, forward_rows, "
                       "inference, seconds, cpu_seconds, peak_memory, finished) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       "add a trial"},
    [SQL_ADD_METRIC] = {"INSERT INTO metrics (trial, part, weights, metric, update_, epoch, value, final) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        "add a trial's metrics"},
    [SQL_ADD_EXAMPLES] = {"INSERT INTO examples (trial, count, correct, loss) VALUES (?, ?, ?, ?)", "add a trial's examples"},
    [SQL_COUNT_TRIALS] = {"SELECT count(*) FROM trials t JOIN arms a ON a.id = t.arm WHERE a.position IS NOT NULL", "count the trials"},
    [SQL_READ_TRIALS] = {"SELECT " TRIAL_COLUMNS " FROM trials t JOIN arms a ON a.id = t.arm WHERE a.position IS NOT NULL "
                         "ORDER BY t.seed, a.position",
                         "read the trials"},
    [SQL_FIND_TRIAL] = {"SELECT id FROM trials WHERE arm = ? AND seed = ?", "find a trial"},

    [SQL_COUNT_METRICS] = {"SELECT count(*) FROM metrics WHERE trial = ?", "count a trial's metrics"},
    [SQL_READ_METRICS] = {"SELECT part, weights, metric, update_, epoch, value, final FROM metrics WHERE trial = ? ORDER BY rowid",
                          "read a trial's metrics"},
    [SQL_READ_EXAMPLES] = {"SELECT count, correct, loss FROM examples WHERE trial = ?", "read a trial's examples"},

    [SQL_ADD_MEASUREMENT] = {"INSERT INTO measurements (arm, round, cpu_seconds, peak_memory) VALUES (?, ?, ?, ?)", "add a measurement"},
    [SQL_COUNT_MEASUREMENTS] = {"SELECT count(*) FROM measurements m JOIN arms a ON a.id = m.arm WHERE a.position IS NOT NULL",
                                "count the measurements"},
    [SQL_READ_MEASUREMENTS] = {"SELECT a.position, m.round, m.cpu_seconds, m.peak_memory FROM measurements m "
                               "JOIN arms a ON a.id = m.arm WHERE a.position IS NOT NULL ORDER BY m.rowid",
                               "read the measurements"},
};
