#include "data/targets.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/text.h"
#include "data/names.h"

void targets_free(struct targets *targets)
{
    for (int64_t i = 0; i < targets->names; i++) memory_free(targets->name[i]);
    memory_free(targets->name);
    memory_free(targets->value);
    memory_free(targets->line);
    memory_free(targets->file);
    *targets = (struct targets){0};
}

void classes_free(struct classes *classes)
{
    for (int64_t i = 0; classes->name && i < classes->count; i++) memory_free(classes->name[i]);
    memory_free(classes->name);
    memory_free(classes->value);
    *classes = (struct classes){0};
}

static knack_status read_values(const struct array *array, double *value)
{
    enum { PIECE = 1 << 12 };
    uint8_t piece[PIECE * 8];
    int64_t size = element_size(array->type), total = array->shape[0] * array->width;
    for (int64_t done = 0; done < total; done += PIECE) {
        int64_t n = total - done < PIECE ? total - done : PIECE;
        TRY(blob_read(&array->blob, done * size, n * size, piece));
        element_doubles(array->type, array->swapped, piece, n, value + done);
    }
    return KNACK_OK;
}

knack_status targets_from_array(struct array *array, struct targets *targets)
{
    *targets = (struct targets){
        .file = memory_text(array->blob.name), .count = array->shape[0], .width = array->width, .integers = !element_is_float(array->type)};
    knack_status status = targets->file ? KNACK_OK : KNACK_E_MEMORY;
    if (status == KNACK_OK && array->ndim > 2) {
        char text[ARRAY_TEXT];
        status =
            blob_fail(&array->blob, "targets are [rows] or [rows, numbers], not %s", array_shape_text(text, array->ndim, array->shape));
    }
    if (status == KNACK_OK) {
        targets->value = memory_resize(NULL, (size_t)(targets->count * targets->width), sizeof *targets->value);
        status = targets->value ? read_values(array, targets->value) : KNACK_E_MEMORY;
    }
    array_free(array);
    if (status < 0) targets_free(targets);
    return status;
}

/* Sets "FILE:LINE: text", or "FILE: row ROW: text", and returns KNACK_E_DATA. */
static knack_status __attribute__((format(printf, 3, 4))) fail_at(const struct targets *targets, int64_t row, const char *format, ...)
{
    char text[768];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (targets->line) return status_set(KNACK_E_DATA, "%s:%d: %s", targets->file, (int)targets->line[row], text);
    return status_set(KNACK_E_DATA, "%s: row %lld: %s", targets->file, (long long)row, text);
}

/* ---- Classes ---- */

static knack_status check_integral(const struct targets *targets)
{
    char text[32];
    if (targets->width != 1)
        return status_set(KNACK_E_DATA, "%s: classification needs one class id a row; there are %lld numbers a row", targets->file,
                          (long long)targets->width);
    if (targets->name) return KNACK_OK;
    for (int64_t i = 0; i < targets->count; i++)
        if (targets->value[i] != rint(targets->value[i]) || !isfinite(targets->value[i]))
            return fail_at(targets, i, "the target %s is no class id: ids are whole numbers", text_number(text, targets->value[i]));
    return KNACK_OK;
}

static knack_status from_texts(const struct targets *targets, struct classes *classes)
{
    classes->name = memory_new((size_t)targets->names, sizeof *classes->name);
    if (!classes->name) return KNACK_E_MEMORY;
    for (classes->count = 0; classes->count < targets->names; classes->count++) {
        classes->name[classes->count] = memory_text(targets->name[classes->count]);
        if (!classes->name[classes->count]) return KNACK_E_MEMORY;
    }
    return KNACK_OK;
}

/* The different numbers of a csv file, ascending, are the classes, named by their decimal text. */
static knack_status from_numbers(const struct targets *targets, struct classes *classes)
{
    classes->value = memory_resize(NULL, (size_t)targets->count, sizeof *classes->value);
    if (!classes->value) return KNACK_E_MEMORY;
    memcpy(classes->value, targets->value, (size_t)targets->count * sizeof *classes->value);
    numbers_sort(classes->value, targets->count);
    int64_t different = 0;
    for (int64_t i = 0; i < targets->count; i++)
        if (i == 0 || classes->value[i] != classes->value[different - 1]) classes->value[different++] = classes->value[i];

    classes->name = memory_new((size_t)different, sizeof *classes->name);
    if (!classes->name) return KNACK_E_MEMORY;
    for (classes->count = 0; classes->count < different; classes->count++) {
        char text[32];
        classes->name[classes->count] = memory_text(text_number(text, classes->value[classes->count]));
        if (!classes->name[classes->count]) return KNACK_E_MEMORY;
    }
    return KNACK_OK;
}

/* Ids far apart are most likely numbers of something else, and a class that nothing is of costs as much as any other. */
static knack_status refuse_gaps(const struct targets *targets, int64_t classes)
{
    enum { FEW = 1000, SHARE = 10 };
    if (classes <= FEW) return KNACK_OK;
    bool *occurs = memory_new((size_t)classes, sizeof *occurs);
    if (!occurs) return KNACK_E_MEMORY;
    int64_t different = 0;
    for (int64_t i = 0; i < targets->count; i++) {
        bool *class = &occurs[(int64_t)targets->value[i]];
        different += !*class;
        *class = true;
    }
    memory_free(occurs);
    if (different >= classes / SHARE) return KNACK_OK;
    return status_set(KNACK_E_DATA, "%s: ids up to %lld, but only %lld occur; renumber them 0 to %lld", targets->file,
                      (long long)classes - 1, (long long)different, (long long)different - 1);
}

static knack_status from_ids(const struct targets *targets, struct classes *classes)
{
    char text[32];
    for (int64_t i = 0; i < targets->count; i++) {
        double id = targets->value[i];
        if (id < 0 || id >= CLASSES_MOST)
            return fail_at(targets, i, "the target %s is out of range: class ids are 0 to %d", text_number(text, id), CLASSES_MOST - 1);
        if (id >= (double)classes->count) classes->count = (int64_t)id + 1;
    }
    return refuse_gaps(targets, classes->count);
}

knack_status classes_find(const struct targets *targets, struct classes *classes)
{
    *classes = (struct classes){0};
    TRY(check_integral(targets));
    knack_status status = targets->name   ? from_texts(targets, classes)
                          : targets->line ? from_numbers(targets, classes)
                                          : from_ids(targets, classes);
    if (status == KNACK_OK && (classes->count < 2 || classes->count > CLASSES_MOST))
        status = status_set(KNACK_E_DATA, "%s: the targets have %lld class%s; classification needs 2 to %d", targets->file,
                            (long long)classes->count, classes->count == 1 ? "" : "es", CLASSES_MOST);
    if (status < 0) classes_free(classes);
    return status;
}

/* ---- Labels ---- */

/* of_name[targets->names]: the class of each text of the targets, or -1. */
static knack_status match_names(const struct classes *classes, const struct targets *targets, int32_t *of_name)
{
    struct names known = {0};
    knack_status status = KNACK_OK;
    int64_t index;
    for (int64_t i = 0; classes->name && i < classes->count && status == KNACK_OK; i++)
        status = names_add(&known, classes->name[i], (int64_t)strlen(classes->name[i]), &index);
    int64_t count = known.count;
    for (int64_t i = 0; i < targets->names && status == KNACK_OK; i++) {
        status = names_add(&known, targets->name[i], (int64_t)strlen(targets->name[i]), &index);
        of_name[i] = index < count ? (int32_t)index : -1;
    }
    names_free(&known);
    return status;
}

static int32_t class_of_number(const struct classes *classes, double number)
{
    if (!classes->value) return number >= 0 && number < (double)classes->count ? (int32_t)number : -1;
    const double *found = bsearch(&number, classes->value, (size_t)classes->count, sizeof number, numbers_compare);
    return found ? (int32_t)(found - classes->value) : -1;
}

static knack_status no_class(const struct classes *classes, const struct targets *targets, int64_t row)
{
    char number[32], list[320];
    const char *text = targets->name ? targets->name[(int64_t)targets->value[row]] : text_number(number, targets->value[row]);
    if (!classes->name)
        return fail_at(targets, row, "the target %s is out of range: the classes of the training data are 0 to %lld", text,
                       (long long)classes->count - 1);
    text_list(list, sizeof list, (const char *const *)classes->name, classes->count);
    return fail_at(targets, row, "the target '%s' is no class of the training data, which has %s", text, list);
}

knack_status classes_label(const struct classes *classes, const struct targets *targets, int32_t *label)
{
    TRY(check_integral(targets));
    int32_t *of_name = NULL;
    knack_status status = KNACK_OK;
    if (targets->name) {
        of_name = memory_new((size_t)targets->names, sizeof *of_name);
        status = of_name ? match_names(classes, targets, of_name) : KNACK_E_MEMORY;
    }
    for (int64_t i = 0; i < targets->count && status == KNACK_OK; i++) {
        label[i] = of_name ? of_name[(int64_t)targets->value[i]] : class_of_number(classes, targets->value[i]);
        if (label[i] < 0) status = no_class(classes, targets, i);
    }
    memory_free(of_name);
    return status;
}

/* ---- Numbers ---- */

knack_status targets_numbers(const struct targets *targets, knack_real *value)
{
    char text[32];
    if (targets->name)
        return fail_at(targets, 0, "the target '%s' is a text; regression needs numbers", targets->name[(int64_t)targets->value[0]]);
    for (int64_t i = 0; i < targets->count * targets->width; i++) {
        value[i] = (knack_real)targets->value[i];
        if (!isfinite(value[i]))
            return fail_at(targets, i / targets->width, "the target is %s; regression needs finite numbers",
                           text_number(text, targets->value[i]));
    }
    return KNACK_OK;
}
