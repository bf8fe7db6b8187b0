/* Before any trial: every arm's config is opened in a process of its own, which finds whatever can be refused. */
#ifndef COMPARE_PREFLIGHT_CHECK_H
#define COMPARE_PREFLIGHT_CHECK_H

#include "compare/preflight/data_sets.h"
#include "compare/preflight/watcher.h"

/* Checks the plan's arms from `first` on, jobs at once, and fills in what the check finds: of each arm its resolved config, tricks, updates
 * and parameters; of the plan what its data are and the score of failed trials. Refuses arms that cannot run, that have other examples to
 * judge by than the baseline, or that are what another arm is; the message names the arm. */
knack_status check_arms(struct plan *, int64_t first, struct data_sets *, int64_t jobs, const struct watcher *);
/* What a trial of this kind is told. set: the arm's data. */
struct trial_job;
void fill_job(const struct plan *, int64_t arm, const struct data_set *, struct trial_job *);
/* Puts the arm before the thread's message, unless it begins with it. */
knack_status fail_arm(const struct plan *, int64_t arm, knack_status);

#endif
