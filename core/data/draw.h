/* What the config draws from a data set's rows, or changes in their labels. Always in this order, so that adding a later one moves no
 * earlier one:
 *   positive     (all parts) two classes of many
 *   long_tail    (training) the first rows of each class
 *   validation   (from training) a plain random draw, not stratified
 *   limit, rest  (training) a plain random draw of those left; a smaller limit is a part of a larger one
 *   label_noise  (training) addressed by row: a row's noise is the same under every validation and limit
 * Each draws from a stream of its own, by data.seed; under "redraw" by the run's seed too. Parts keep the order of their files. */
#ifndef DATA_DRAW_H
#define DATA_DRAW_H

#include "data/dataset.h"
#include "data/settings.h"
#include "data/targets.h"

/* On a data set whose training and test parts have all rows; classes (may be changed) as in its labels. seed: the run's. */
knack_status draw_parts(struct dataset *, const struct data_settings *, uint64_t seed, struct classes *);

/* Room for a part of count rows like those of the data set: with labels or targets. */
knack_status part_new(const struct dataset *, int64_t count, struct part *);
void part_free(struct part *); /* one of zeros is fine */
/* Rows index[count] of a part, as a new one. */
knack_status part_take(const struct dataset *, const struct part *, const int32_t *index, int64_t count, struct part *out);

#endif
