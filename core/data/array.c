#include "data/array.h"

#include <stdio.h>

const char *array_shape_text(char buffer[ARRAY_TEXT], int ndim, const int64_t *shape)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (int i = 0; i < ndim; i++) used += (size_t)snprintf(buffer + used, ARRAY_TEXT - used, "%s%lld", i ? "x" : "", (long long)shape[i]);
    return buffer;
}

void array_free(struct array *array)
{
    blob_close(&array->blob);
}

static knack_status check_sizes(struct array *array, const struct blob *blob, int64_t offset)
{
    char text[ARRAY_TEXT];
    array->width = 1;
    for (int i = 0; i < array->ndim; i++) {
        if (array->shape[i] < 0 || (i && __builtin_mul_overflow(array->width, array->shape[i], &array->width)))
            return blob_fail(blob, "its header gives sizes that no file can have");
    }
    int64_t bytes;
    if (__builtin_mul_overflow(array->width, array->shape[0], &bytes) || __builtin_mul_overflow(bytes, element_size(array->type), &bytes) ||
        bytes != blob->size - offset)
        return blob_fail(blob, "holds %lld bytes of values; %s %s need another number: the file is cut, or its header is wrong",
                         (long long)(blob->size - offset), array_shape_text(text, array->ndim, array->shape), element_name[array->type]);
    if (bytes == 0) return blob_fail(blob, "is empty: its shape is %s", array_shape_text(text, array->ndim, array->shape));
    if (array->shape[0] > INT32_MAX) return blob_fail(blob, "has %lld rows; at most 2147483647 are supported", (long long)array->shape[0]);
    return KNACK_OK;
}

knack_status array_adopt(struct array *array, struct blob *blob, int64_t offset)
{
    knack_status status = check_sizes(array, blob, offset);
    if (status < 0)
        blob_close(blob);
    else
        status = blob_narrow(blob, offset, blob->size - offset);
    array->blob = *blob;
    *blob = BLOB_NONE;
    return status;
}
