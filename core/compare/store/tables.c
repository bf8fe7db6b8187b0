/* The tables, and views for people; docs/store.md explains each column. What was set aside is in trials, and in no view. */
#include "compare/store/parts.h"

const char store_tables[] =
    "CREATE TABLE experiments (identity TEXT NOT NULL, name TEXT, created TEXT NOT NULL, role TEXT, design TEXT, part TEXT, metric TEXT, "
    "margin REAL, plan TEXT, status TEXT NOT NULL, comparison_number INTEGER NOT NULL, knack_version TEXT NOT NULL, "
    "machine TEXT NOT NULL);"

    "CREATE TABLE arms (id INTEGER PRIMARY KEY, position INTEGER, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, budget REAL NOT NULL, "
    "config TEXT, resolved TEXT, tricks TEXT, identity INTEGER REFERENCES identities (id));"

    "CREATE TABLE identities (id INTEGER PRIMARY KEY, arm INTEGER NOT NULL REFERENCES arms (id), text TEXT NOT NULL, UNIQUE (arm, text));"

    "CREATE TABLE trials (id INTEGER PRIMARY KEY, arm INTEGER NOT NULL REFERENCES arms (id), seed INTEGER NOT NULL, "
    "identity INTEGER REFERENCES identities (id), source TEXT, status TEXT NOT NULL, message TEXT, fault TEXT, step INTEGER, place TEXT, "
    "warnings TEXT, value REAL, weights TEXT, idle TEXT, updates INTEGER, gradient_rows REAL, forward_rows REAL, inference REAL, "
    "seconds REAL, cpu_seconds REAL, peak_memory INTEGER, finished TEXT NOT NULL, aside TEXT);"
    "CREATE UNIQUE INDEX trials_that_count ON trials (arm, seed) WHERE aside IS NULL;"
    "CREATE INDEX trials_aside ON trials (arm, seed) WHERE aside IS NOT NULL;"

    "CREATE TABLE metrics (trial INTEGER NOT NULL REFERENCES trials (id), part TEXT NOT NULL, weights TEXT, "
    "metric TEXT NOT NULL, update_ INTEGER, epoch REAL, value REAL, final INTEGER NOT NULL);"
    "CREATE INDEX metrics_of_trial ON metrics (trial);"

    "CREATE TABLE examples (trial INTEGER PRIMARY KEY REFERENCES trials (id), count INTEGER NOT NULL, correct BLOB, loss BLOB);"

    "CREATE TABLE measurements (arm INTEGER NOT NULL REFERENCES arms (id), round INTEGER NOT NULL, cpu_seconds REAL, "
    "peak_memory INTEGER);"

    "CREATE VIEW results AS SELECT a.name AS arm, t.seed, t.status, t.value FROM trials t JOIN arms a ON a.id = t.arm "
    "WHERE t.aside IS NULL ORDER BY a.position, t.seed;"

    "CREATE VIEW curves AS SELECT a.name AS arm, t.seed, m.part, m.weights, m.metric, m.update_, m.epoch, m.value "
    "FROM metrics m JOIN trials t ON t.id = m.trial JOIN arms a ON a.id = t.arm WHERE NOT m.final AND t.aside IS NULL;"

    "CREATE VIEW finals AS SELECT a.name AS arm, t.seed, m.part, m.weights, m.metric, m.value "
    "FROM metrics m JOIN trials t ON t.id = m.trial JOIN arms a ON a.id = t.arm WHERE m.final AND t.aside IS NULL;"

    /* Trials first, then their examples: conditions on arm and seed leave few to unroll. */
    "CREATE VIEW correctness AS WITH RECURSIVE number (example) AS (SELECT 0 UNION ALL SELECT example + 1 FROM number "
    "WHERE example + 1 < (SELECT max(count) FROM examples)) "
    "SELECT a.name AS arm, t.seed, n.example, substr(x.correct, n.example + 1, 1) = x'01' AS correct "
    "FROM arms a JOIN trials t ON t.arm = a.id AND t.aside IS NULL JOIN examples x ON x.trial = t.id CROSS JOIN number n "
    "WHERE x.correct IS NOT NULL AND n.example < x.count;";
