/* What the files of the ledger share. */
#ifndef COMPARE_STORE_LEDGER_LINES_H
#define COMPARE_STORE_LEDGER_LINES_H

#include "compare/store/ledger.h"
#include "compare/store/parts.h"

enum { IDENTITY_SIZE = sizeof((struct ledger_entry *)0)->identity };

/* A line as it is in the file; texts are the document's, or a plan's. */
struct line {
    const char *identity, *test_set, *train_set, *part, *name, *folder, *metric, *when;
    int role;
    int64_t first_seed, seeds;
    const struct json *arms;
};

/* An arm whose results were read. */
struct arm_line {
    const char *identity, *name;
    bool baseline;
    int64_t first_seed, seeds;
};

extern const struct json_field ledger_line_fields[], ledger_arm_fields[];

knack_status ledger_find_path(char **path); /* memory_free() */
/* "PATH: the ledger of comparisons cannot be WHAT: REASON", by errno. */
knack_status ledger_fail(const char *path, const char *what);
knack_status ledger_lock(const char *path, int fd, int how); /* as flock() */
/* path becomes the ledger's, also on failure. whole_line: whether the file ends with one, if there is any. */
knack_status ledger_read_file(char *path, bool there, struct ledger **, bool *whole_line);
/* NULL: there is none. */
const struct ledger_entry *ledger_find(const struct ledger *, const char *identity, uint64_t test_set);
bool ledger_has_arm(const struct ledger_entry *, uint64_t identity, int64_t first_seed, int64_t seeds);
uint64_t ledger_hash(const char *identity); /* of an arm */

#endif
