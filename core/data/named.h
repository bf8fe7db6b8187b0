/* The data sets that a config calls by name. */
#ifndef DATA_NAMED_H
#define DATA_NAMED_H

#include "data/table.h"

enum { NAMED_DIGITS, NAMED_FASHION_MNIST, NAMED_COUNT, NAMED_CLASSES = 10 };
extern const char *const named_name[NAMED_COUNT + 1]; /* "digits", "fashion-mnist", NULL */
/* Names of its classes [NAMED_CLASSES], or NULL. */
const char *const *named_classes(int named);

/* Rows of train and test. *test_every 5: there is no test table; every fifth row of train, from the first, is a test row. 0: there is. */
knack_status named_open(int named, struct table *train, struct table *test, int64_t *test_every);
/* The same from a folder that holds Fashion-MNIST's four files. */
knack_status named_fashion_mnist(const char *folder, struct table *train, struct table *test);

#endif
