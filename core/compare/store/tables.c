/* The tables, and views for people; docs/store.md explains each column. */
#include "compare/store/parts.h"

#define EXPERIMENTS                                                                                                                        \
    "CREATE TABLE experiments (identity TEXT NOT NULL, name TEXT, created TEXT NOT NULL, role TEXT, design TEXT, part TEXT, metric TEXT, " \
    "margin REAL, plan TEXT, status TEXT NOT NULL, comparison_number INTEGER NOT NULL, knack_version TEXT NOT NULL, "                      \
    "machine TEXT NOT NULL);"

#define ARMS                                                                                                                               \
    "CREATE TABLE arms (id INTEGER PRIMARY KEY, position INTEGER, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, budget REAL NOT NULL, "   \
    "config TEXT, resolved TEXT, tricks TEXT);"

#define TRIALS                                                                                                                             \
    "CREATE TABLE trials (id INTEGER PRIMARY KEY, arm INTEGER NOT NULL REFERENCES arms (id), seed INTEGER NOT NULL, "                      \
    "status TEXT NOT NULL, message TEXT, value REAL, weights TEXT, seconds REAL, cpu_seconds REAL, peak_memory INTEGER, "                  \
    "updates INTEGER, gradient_rows REAL, forward_rows REAL, inference REAL, idle TEXT, finished TEXT NOT NULL, UNIQUE (arm, seed));"

#define METRICS                                                                                                                            \
    "CREATE TABLE metrics (trial INTEGER NOT NULL REFERENCES trials (id), part TEXT NOT NULL, weights TEXT NOT NULL, "                     \
    "metric TEXT NOT NULL, update_ INTEGER, epoch REAL, value REAL, final INTEGER NOT NULL);"                                              \
    "CREATE INDEX metrics_of_trial ON metrics (trial);"

#define EXAMPLES                                                                                                                           \
    "CREATE TABLE examples (trial INTEGER PRIMARY KEY REFERENCES trials (id), count INTEGER NOT NULL, correct BLOB, loss BLOB);"

#define MEASUREMENTS                                                                                                                       \
    "CREATE TABLE measurements (arm INTEGER NOT NULL REFERENCES arms (id), round INTEGER NOT NULL, cpu_seconds REAL, "                     \
    "peak_memory INTEGER);"

#define RESULTS                                                                                                                            \
    "CREATE VIEW results AS SELECT a.name AS arm, t.seed, t.status, t.value FROM trials t JOIN arms a ON a.id = t.arm "                    \
    "ORDER BY a.position, t.seed;"

#define CURVES                                                                                                                             \
    "CREATE VIEW curves AS SELECT a.name AS arm, t.seed, m.part, m.weights, m.metric, m.update_, m.epoch, m.value "                        \
    "FROM metrics m JOIN trials t ON t.id = m.trial JOIN arms a ON a.id = t.arm WHERE NOT m.final;"

#define FINALS                                                                                                                             \
    "CREATE VIEW finals AS SELECT a.name AS arm, t.seed, m.part, m.weights, m.metric, m.value "                                            \
    "FROM metrics m JOIN trials t ON t.id = m.trial JOIN arms a ON a.id = t.arm WHERE m.final;"

/* Trials first, then their examples: conditions on arm and seed leave few to unroll. */
#define CORRECTNESS                                                                                                                        \
    "CREATE VIEW correctness AS WITH RECURSIVE number (example) AS (SELECT 0 UNION ALL SELECT example + 1 FROM number "                    \
    "WHERE example + 1 < (SELECT max(count) FROM examples)) "                                                                              \
    "SELECT a.name AS arm, t.seed, n.example, substr(x.correct, n.example + 1, 1) = x'01' AS correct "                                     \
    "FROM arms a JOIN trials t ON t.arm = a.id JOIN examples x ON x.trial = t.id CROSS JOIN number n "                                     \
    "WHERE x.correct IS NOT NULL AND n.example < x.count;"

const char store_tables[] = EXPERIMENTS ARMS TRIALS METRICS EXAMPLES MEASUREMENTS RESULTS CURVES FINALS CORRECTNESS;
