/* Files made for a test in a folder of its own, and configs that are expected to open or to fail. */
#ifndef TESTS_DATA_FIXTURE_H
#define TESTS_DATA_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "data/dataset.h"

/* cmocka group set-up and tear-down: makes the folder, and removes it with all that is in it. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

const char *fixture_folder(void);
const char *fixture_path(const char *name); /* in a buffer, until the next two calls */
void put_file(const char *name, const void *bytes, int64_t size);
void put_text(const char *name, const char *text);
void put_gzip(const char *name, const void *bytes, int64_t size);
/* code as in idx files; values are in the file's byte order already. */
void put_idx(const char *name, uint8_t code, int ndim, const uint32_t *shape, const void *values, int64_t size);
/* header: of the Python dictionary, such as "'descr': '<f4', 'fortran_order': False, 'shape': (3,), ". */
void put_npy(const char *name, int version, const char *header, const void *values, int64_t size);
/* Bytes of such a file; memory_free(). */
uint8_t *make_npy(int version, const char *header, const void *values, int64_t size, int64_t *total);

/* json with ' for ". Relative paths start from the folder. */
struct dataset *open_data(const char *json, uint64_t seed);
void expect_failure(const char *json, knack_status status, const char *message);
/* The data set's inputs of a part, all of them, memory_free(). */
knack_real *all_inputs(struct dataset *, enum data_part);

#endif
