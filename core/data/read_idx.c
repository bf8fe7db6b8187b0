/* IDX, the format of MNIST: two zero bytes, a type, the number of dimensions, the sizes and the values, all big-endian. */
#include "data/array.h"

#include "base/memory.h"

static bool element_of_code(uint8_t code, enum element *type)
{
    switch (code) {
    case 0x08:
        *type = ELEMENT_U8;
        return true;
    case 0x09:
        *type = ELEMENT_I8;
        return true;
    case 0x0B:
        *type = ELEMENT_I16;
        return true;
    case 0x0C:
        *type = ELEMENT_I32;
        return true;
    case 0x0D:
        *type = ELEMENT_F32;
        return true;
    case 0x0E:
        *type = ELEMENT_F64;
        return true;
    default:
        return false;
    }
}

/* *offset: where the values begin. */
static knack_status read_header(const struct blob *blob, struct array *array, int64_t *offset)
{
    uint8_t magic[4], size[4];
    if (blob->size < 4) return blob_fail(blob, "is no idx file: it has %lld bytes", (long long)blob->size);
    TRY(blob_read(blob, 0, 4, magic));
    if (magic[0] || magic[1]) return blob_fail(blob, "is no idx file: it does not begin with two zero bytes");
    if (!element_of_code(magic[2], &array->type))
        return blob_fail(blob, "its idx header names the type 0x%02x; known are 0x08, 0x09, 0x0B, 0x0C, 0x0D and 0x0E", magic[2]);
    array->swapped = true;
    array->ndim = magic[3];
    if (array->ndim < 1 || array->ndim > ARRAY_MAX_DIMS)
        return blob_fail(blob, "its idx header says %d dimensions; 1 to %d are supported", array->ndim, ARRAY_MAX_DIMS);
    *offset = 4 + 4 * array->ndim;
    if (blob->size < *offset) return blob_fail(blob, "ends within its idx header");
    for (int i = 0; i < array->ndim; i++) {
        TRY(blob_read(blob, 4 + 4 * i, 4, size));
        array->shape[i] = (int64_t)size[0] << 24 | (int64_t)size[1] << 16 | (int64_t)size[2] << 8 | size[3];
    }
    return KNACK_OK;
}

knack_status read_idx(struct blob *blob, struct array *array)
{
    *array = (struct array){.blob = BLOB_NONE};
    int64_t offset = 0;
    knack_status status = read_header(blob, array, &offset);
    if (status < 0) {
        blob_close(blob);
        return status;
    }
    return array_adopt(array, blob, offset);
}
