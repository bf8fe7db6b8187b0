/* The ledger of comparisons per test set: a line of JSON each in KNACK_LEDGER, else $XDG_STATE_HOME/knack/ledger.jsonl, else
 * ~/.local/state/knack/ledger.jsonl. Who compares often enough on one test set will find something; so it is counted, and seeds of one role
 * are not used in another. Lines are only ever added; of lines of the same comparison on the same test set the latest holds. */
#ifndef COMPARE_STORE_LEDGER_H
#define COMPARE_STORE_LEDGER_H

#include "compare/plan/plan.h"

struct ledger_entry {
    char identity[40]; /* of the comparison: store_identity() */
    uint64_t test_set;
    enum role role;
    int64_t first_seed, seeds;
    char *name, *folder, *metric, *when; /* folder absolute; when: "2026-11-24T09:33:42Z" */
};
struct ledger {
    char *path;
    struct ledger_entry *entry; /* the latest line of each identity and test set, in order of their first */
    int64_t entries;
};
/* A missing file is an empty ledger; a line that cannot be read is KNACK_E_DATA that names it. */
knack_status ledger_read(struct ledger **);
void ledger_free(struct ledger *); /* NULL is fine */
/* Refuses (KNACK_E_USAGE) if seeds of the plan were used on its test set in another role by another comparison; else adds or updates this
 * comparison's line under a lock, and says which comparison on this test set it is, from 1. */
knack_status ledger_enter(const struct plan *, const char *identity, const char *folder, int64_t *number);

#endif
