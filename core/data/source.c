#include "data/source.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* The shape of a row from the array's. */
static knack_status row_shape(struct source *source)
{
    const struct array *array = &source->array;
    switch (array->ndim) {
    case 1:
    case 2:
        source->ndim = 1;
        source->shape[0] = array->width;
        return KNACK_OK;
    case 3:
    case 4:
        source->ndim = 3;
        source->shape[0] = array->shape[1];
        source->shape[1] = array->shape[2];
        source->shape[2] = array->ndim == 4 ? array->shape[3] : 1;
        return KNACK_OK;
    default:
        return blob_fail(&array->blob,
                         "has %d dimensions; inputs are [rows, values], [rows, height, width] or [rows, height, width, channels]",
                         array->ndim);
    }
}

knack_status source_new(struct array *array, double divide, struct source **source)
{
    *source = NULL;
    struct source *made = memory_new(1, sizeof *made);
    if (!made) {
        array_free(array);
        return KNACK_E_MEMORY;
    }
    made->array = *array;
    made->count = array->shape[0];
    made->width = array->width;
    made->divide = divide > 0 ? divide : array->type == ELEMENT_U8 ? 255 : 1;
    array->blob = BLOB_NONE;
    knack_status status = row_shape(made);
    if (status < 0) {
        source_free(made);
        return status;
    }
    *source = made;
    return KNACK_OK;
}

void source_free(struct source *source)
{
    if (!source) return;
    array_free(&source->array);
    memory_free(source);
}

knack_status source_values(const struct source *source, int64_t first, int64_t count, knack_real *out)
{
    enum { PIECE = 1 << 15 };
    const struct array *array = &source->array;
    int64_t size = element_size(array->type);
    if (array->blob.bytes) {
        element_reals(array->type, array->swapped, array->blob.bytes + first * size, count, source->divide, out);
        return KNACK_OK;
    }
    uint8_t piece[PIECE];
    for (int64_t done = 0; done < count;) {
        int64_t n = count - done < PIECE / size ? count - done : PIECE / size;
        TRY(blob_read(&array->blob, (first + done) * size, n * size, piece));
        element_reals(array->type, array->swapped, piece, n, source->divide, out + done);
        done += n;
    }
    return KNACK_OK;
}

knack_status source_rows(const struct source *source, const int32_t *row, int64_t count, knack_real *out)
{
    for (int64_t i = 0; i < count;) {
        const struct source *from = source;
        int64_t first = row[i], run = 1;
        while (i + run < count && row[i + run] == row[i] + run) run++;
        while (first >= from->count) {
            first -= from->count;
            from = from->next;
        }
        if (run > from->count - first) run = from->count - first; /* it goes on in the next */
        TRY(source_values(from, first * from->width, run * from->width, out + i * from->width));
        i += run;
    }
    return KNACK_OK;
}

knack_status source_check(const struct source *source, int64_t *missing)
{
    enum { PIECE = 1 << 12 };
    knack_real piece[PIECE];
    *missing = -1;
    if (!element_is_float(source->array.type)) return KNACK_OK;
    int64_t total = source->count * source->width;
    for (int64_t done = 0; done < total; done += PIECE) {
        int64_t n = total - done < PIECE ? total - done : PIECE;
        TRY(source_values(source, done, n, piece));
        for (int64_t i = 0; i < n; i++) {
            if (isfinite(piece[i])) continue;
            if (!isnan(piece[i]))
                return blob_fail(&source->array.blob,
                                 "row %lld holds a value that is infinite, or too large for the type that training computes in",
                                 (long long)((done + i) / source->width));
            if (*missing < 0) *missing = done + i;
        }
    }
    return KNACK_OK;
}
