/* Inputs in the form that models get: divided, standardised. */
#ifndef DATA_INPUTS_H
#define DATA_INPUTS_H

#include "data/dataset.h"
#include "data/source.h"

/* Whether rows of the source have the shape and the units of the data set; sets what they are divided by unless divide is given (not 0). */
knack_status inputs_fit(const struct dataset *, struct source *, double divide);
/* Where the source's value of that number is, for errors; memory_free(). */
char *inputs_place(const struct dataset *, const struct source *, int64_t value);
/* Whether a row of the source, x [width] in the form that models get, is one of token ids as data_set_ids() said. */
knack_status inputs_check_ids(const struct dataset *, const struct source *, int64_t row, const knack_real *x);
/* Mean and standard deviation of the training part, column by column or channel by channel. */
knack_status inputs_measure(struct dataset *);
/* What the data set's image operations need: fill and scratch. */
knack_status inputs_prepare(struct dataset *);

#endif
