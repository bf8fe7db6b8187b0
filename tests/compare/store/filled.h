/* A plan of three arms and made-up trials of it, for tests of the store. */
#ifndef TESTS_COMPARE_STORE_FILLED_H
#define TESTS_COMPARE_STORE_FILLED_H

#include "compare/store/store.h"

enum { FILLED_ARMS = 3, FILLED_SEEDS = 5, FILLED_FIRST = 2000, FILLED_EXAMPLES = 6, FILLED_METRICS = 4 };

/* baseline, mixup, sam. Static; tests may change their copy. */
struct plan filled_plan(void);
/* A trial with all that one can tell, the same for the same arm and seed: validation accuracy at epochs 1 to 3, the final one, examples.
 * Arm 2 at the last seed was not finite, at step 42; its other trials warn. Everything is static: not to be freed. */
struct trial_outcome filled_outcome(int64_t arm, int64_t seed);
/* A store with the plan, all trials, two rounds of measurements; a trial of arm 1 at seed 2001 was set aside as the machine's. */
knack_status filled_store(const char *folder, struct store **store);
/* An empty folder in /tmp, removed with the files in it by filled_remove(); folder: "/tmp/knack-store-XXXXXX". */
void filled_folder(char folder[32]);
void filled_remove(const char *folder);

#endif
