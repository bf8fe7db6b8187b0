/* Whether trials that a folder holds may stand beside new ones: they rest on the same code, data and settings, and within a block on the
 * same machine. And equal trials of baselines that other folders hold. */
#ifndef COMPARE_PREFLIGHT_KEPT_H
#define COMPARE_PREFLIGHT_KEPT_H

#include "compare/schedule/schedule.h"

struct kept_request {
    const char *const *again; /* names of arms, or "all": their trials are set aside, to be made anew */
    int64_t agains;
    bool retry_failed; /* so are all that failed */
};

/* After the check has found the arms' identities. *aside: how many trials were set aside. KNACK_E_USAGE, which says what has changed and
 * what to do, if trials rest on something else and nobody asked for them to be made anew. */
knack_status kept_check(struct store *, struct plan *, const struct kept_request *, int64_t *aside);
/* Refuses to complete a block that another machine began. */
knack_status kept_check_machine(struct store *, const struct schedule *);
/* Copies trials of the baseline, at all its budgets, that are wanted and that another comparison has, equal in everything that decides what
 * they come to. *taken: how many; *from (memory_free(), NULL: none): the folders. What cannot be read is left. */
knack_status kept_take_over(struct store *, const struct schedule *, int64_t *taken, char **from);

#endif
