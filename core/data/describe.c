/* A data set's description in a model's file, and the data set without rows that it gives back. */
#include <string.h>

#include "base/memory.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "data/inputs.h"

static const char *const kind_name[] = {"classification", "regression", NULL};

static void write_texts(struct json_writer *writer, const char *name, char *const *text, int64_t count)
{
    if (!text) return;
    json_open(writer, name, '[');
    for (int64_t i = 0; i < count; i++) json_string(writer, NULL, text[i]);
    json_close(writer);
}

static void write_numbers(struct json_writer *writer, const char *name, const double *number, int64_t count)
{
    if (!number) return;
    json_open(writer, name, '[');
    for (int64_t i = 0; i < count; i++) json_number(writer, NULL, number[i]);
    json_close(writer);
}

void data_describe(const struct dataset *data, struct json_writer *writer, const char *name)
{
    json_open(writer, name, '{');
    json_string(writer, "kind", kind_name[data->kind - KNACK_CLASSIFICATION]);
    json_integer(writer, "outputs", data->outputs);
    write_texts(writer, "class_names", data->class_name, data->classes);
    json_open(writer, "shape", '[');
    for (int i = 0; i < data->ndim; i++) json_integer(writer, NULL, data->shape[i]);
    json_close(writer);
    write_texts(writer, "columns", data->column, data->width);
    json_string(writer, "type", element_code[data->input_type]);
    json_number(writer, "divide", data->divide);
    write_numbers(writer, "mean", data->mean, data->statistics);
    write_numbers(writer, "deviation", data->deviation, data->statistics);
    json_boolean(writer, "missing", data->missing);
    augment_write(data->augmentation, data->augmentation_count, writer, "augment");
    json_close(writer);
}

struct description {
    int kind, type;
    int64_t outputs;
    struct json_texts class_names, columns;
    struct json_doubles shape, mean, deviation;
    double divide;
    bool missing;
    const struct json *augment;
};

#define FIELD(member) offsetof(struct description, member)
static const struct json_field description_fields[] = {
    {"kind", JSON_CHOICE, FIELD(kind), NULL, NULL, kind_name, "what targets are"},
    {"outputs", JSON_INTEGER, FIELD(outputs), NULL, "[1,inf)", NULL, "classes, or numbers a target has"},
    {"class_names", JSON_TEXTS, FIELD(class_names), "", NULL, NULL, "names of the classes, if they have any"},
    {"shape", JSON_DOUBLES, FIELD(shape), NULL, "[1,2147483647]", NULL, "of a row: [values], or [height, width, channels]"},
    {"columns", JSON_TEXTS, FIELD(columns), "", NULL, NULL, "names of a csv file's inputs"},
    {"type", JSON_CHOICE, FIELD(type), NULL, NULL, element_code, "of the inputs in their file, as in NumPy"},
    {"divide", JSON_DOUBLE, FIELD(divide), NULL, "(0,inf)", NULL, "what those are divided by"},
    {"mean", JSON_DOUBLES, FIELD(mean), "", NULL, NULL, "what is subtracted then: of each value, or of each channel"},
    {"deviation", JSON_DOUBLES, FIELD(deviation), "", "(0,inf)", NULL, "what they are divided by then"},
    {"missing", JSON_BOOLEAN, FIELD(missing), NULL, NULL, NULL, "whether values were missing"},
    {"augment", JSON_ANY, FIELD(augment), NULL, NULL, NULL, "augmentations, as in a config"},
    {0}};

static knack_status restore_shape(const struct json *object, const struct json_doubles *shape, struct dataset *data)
{
    if (shape->count != 1 && shape->count != 3)
        return json_fail(json_member(object, "shape"), KNACK_E_DATA, "expected 1 or 3 sizes; found %lld", (long long)shape->count);
    data->ndim = (int)shape->count;
    data->width = 1;
    for (int i = 0; i < data->ndim; i++) {
        data->shape[i] = (int64_t)shape->value[i];
        if (__builtin_mul_overflow(data->width, data->shape[i], &data->width) || data->width > INT32_MAX)
            return json_fail(json_member(object, "shape"), KNACK_E_DATA, "gives more values a row than are supported");
    }
    return KNACK_OK;
}

static knack_status restore_texts(const struct json *object, const char *name, const struct json_texts *list, int64_t count, char ***text)
{
    if (!json_member(object, name)) return KNACK_OK;
    if (list->count != count)
        return json_fail(json_member(object, name), KNACK_E_DATA, "has %lld entries; expected %lld", (long long)list->count,
                         (long long)count);
    *text = memory_new((size_t)count, sizeof **text);
    if (!*text) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        (*text)[i] = memory_text(list->value[i]);
        if (!(*text)[i]) return KNACK_E_MEMORY;
    }
    return KNACK_OK;
}

static knack_status restore_statistics(const struct json *object, const struct description *from, struct dataset *data)
{
    if (!from->mean.count && !from->deviation.count) return KNACK_OK;
    data->statistics = data->ndim == 3 ? data->shape[2] : data->width;
    if (from->mean.count != data->statistics || from->deviation.count != data->statistics)
        return json_fail(object, KNACK_E_DATA, "\"mean\" and \"deviation\" have %lld and %lld entries; expected %lld",
                         (long long)from->mean.count, (long long)from->deviation.count, (long long)data->statistics);
    size_t bytes = (size_t)data->statistics * sizeof(double);
    data->mean = memory_new(bytes, 1);
    data->deviation = memory_new(bytes, 1);
    if (!data->mean || !data->deviation) return KNACK_E_MEMORY;
    memcpy(data->mean, from->mean.value, bytes);
    memcpy(data->deviation, from->deviation.value, bytes);
    return KNACK_OK;
}

static knack_status restore(const struct json *object, struct dataset *data)
{
    struct description from = {0};
    TRY(json_fields(object, description_fields, &from));
    data->kind = from.kind == 0 ? KNACK_CLASSIFICATION : KNACK_REGRESSION;
    data->outputs = from.outputs;
    if (data->kind == KNACK_CLASSIFICATION) data->classes = from.outputs;
    data->input_type = (enum element)from.type;
    data->divide = from.divide;
    data->missing = from.missing;
    TRY(restore_shape(object, &from.shape, data));
    TRY(restore_texts(object, "class_names", &from.class_names, data->classes, &data->class_name));
    TRY(restore_texts(object, "columns", &from.columns, data->width, &data->column));
    TRY(restore_statistics(object, &from, data));
    TRY(inputs_prepare(data));
    if (data->ndim == 3) TRY(augment_read(from.augment, data->shape[0], data->shape[1], &data->augmentation, &data->augmentation_count));
    data->title = memory_text("the model's data");
    return data->title ? KNACK_OK : KNACK_E_MEMORY;
}

knack_status data_restore(const struct json *object, struct dataset **data)
{
    *data = NULL;
    struct dataset *made = memory_new(1, sizeof *made);
    if (!made) return KNACK_E_MEMORY;
    knack_status status = restore(object, made);
    if (status < 0) {
        data_close(made);
        return status;
    }
    *data = made;
    return KNACK_OK;
}
