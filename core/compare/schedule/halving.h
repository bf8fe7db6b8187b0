/* Sequential halving of a screening (Karnin, Koren and Somekh 2013): rounds in which all that are left get the same new seeds, after which
 * the better half stays. The trials of all rounds together are those of `seeds` seeds for every arm. */
#ifndef COMPARE_SCHEDULE_HALVING_H
#define COMPARE_SCHEDULE_HALVING_H

#include <stdint.h>

int64_t halving_rounds(int64_t arms);                                  /* of so many tricks; at least 1 */
int64_t halving_survivors(int64_t left);                               /* the larger half */
int64_t halving_new_blocks(int64_t arms, int64_t seeds, int64_t left); /* of a round in which so many are left; at least 1 */
int64_t halving_blocks(int64_t arms, int64_t seeds, int64_t rounds);   /* after so many rounds, of those that are left */

#endif
