/* The ledger of comparisons per test set: a line of JSON each in KNACK_LEDGER, else $XDG_STATE_HOME/knack/ledger.jsonl, else
 * ~/.local/state/knack/ledger.jsonl. Who compares often enough on one test set will find something; so it is counted, and seeds of one role
 * are not used in another. Lines are only ever added; of lines of the same comparison on the same test set the latest holds, but arms whose
 * results were read add up. */
#ifndef COMPARE_STORE_LEDGER_H
#define COMPARE_STORE_LEDGER_H

#include "compare/plan/plan.h"

/* Results of an arm's first blocks that somebody read. */
struct ledger_arm {
    uint64_t identity; /* text_hash() of the arm's identity */
    bool baseline;
    int64_t first_seed, seeds;
};
struct ledger_entry {
    char identity[40];            /* of the comparison: store_identity() */
    uint64_t test_set, train_set; /* train_set 0: not known */
    enum role role;
    int64_t first_seed, seeds;
    char *name, *folder, *metric, *part, *when; /* folder absolute; part "": not known; when: "2026-11-24T09:33:42Z" */
    struct ledger_arm *arm;                     /* [arms] of all lines, each once */
    int64_t arms;
};
struct ledger {
    char *path;
    struct ledger_entry *entry; /* the latest line of each identity and test set, in order of their first */
    int64_t entries;
    int64_t *slot, slots; /* [slots] where entries are found by: places from 1, or 0 */
};
/* A missing file is an empty ledger; a line that cannot be read is KNACK_E_DATA that names it. */
knack_status ledger_read(struct ledger **);
void ledger_free(struct ledger *); /* NULL is fine */
/* Refuses (KNACK_E_USAGE) if seeds of the plan were used on its test set in another role by another comparison; else adds or updates this
 * comparison's line under a lock, and says which comparison on this test set it is, from 1. *note, memory_free(): that seeds of the plan
 * chose before, on another part of the same data, "seeds 2000 to 2009 chose on the validation part in FOLDER (tuning)"; or NULL. */
knack_status ledger_enter(const struct plan *, const char *identity, const char *folder, int64_t *number, char **note);
/* Notes for every arm how many of its blocks were read last, once the results of a comparison have been shown. */
knack_status ledger_mark_read(const struct plan *, const char *identity, const char *folder);
/* How many of an arm's blocks other comparisons on the plan's test set have read, ascending, each number once. Of more than READS_MOST the
 * largest takes the last place. own_identity: of the comparison that asks. */
knack_status ledger_reads(const struct plan *, int64_t arm, const char *own_identity, int64_t read[READS_MOST], int64_t *reads);
/* Folders, the latest first, of comparisons in which an arm with this identity was read: memory_free() one block. The folder of the
 * comparison that asks may be one of them, and some may be gone. */
knack_status ledger_find_folders(uint64_t arm_identity, char ***folder, int64_t *count);

#endif
