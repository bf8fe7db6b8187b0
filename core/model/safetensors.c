/* Reading and writing the safetensors format. */
#include "model/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

enum { LENGTH_BYTES = 8, HEADER_ALIGNMENT = 64 };
static const uint64_t most_header = 100000000; /* the format's own limit */

static const struct {
    const char *name;
    enum knack_type type;
    size_t size;
} element_types[] = {{"F64", KNACK_F64, 8},   {"I64", KNACK_I64, 8}, {"F32", KNACK_F32, 4}, {"I32", KNACK_I32, 4},
                     {"BF16", KNACK_BF16, 2}, {"F16", KNACK_F16, 2}, {"U8", KNACK_U8, 1}};
enum { ELEMENT_TYPES = sizeof element_types / sizeof *element_types };
static const char type_list[] = "F64, F32, BF16, F16, I64, I32 and U8";

static int type_index(enum knack_type type)
{
    for (int i = 0; i < ELEMENT_TYPES; i++) {
        if (element_types[i].type == type) return i;
    }
    return -1;
}

static size_t element_size(enum knack_type type)
{
    int index = type_index(type);
    return index < 0 ? 0 : element_types[index].size;
}

/* ---- Writing ---- */

/* Large elements first, so that none needs padding; then by name. */
static int compare_for_file(const void *left, const void *right)
{
    const struct safetensors_entry *const *a = left, *const *b = right;
    size_t size_a = element_size((*a)->type), size_b = element_size((*b)->type);
    if (size_a != size_b) return size_a > size_b ? -1 : 1;
    return strcmp((*a)->name, (*b)->name);
}

static int compare_pointed_names(const void *left, const void *right)
{
    const struct safetensors_entry *const *a = left, *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

/* Sorts the list by name. */
static knack_status check_entries(const char *path, const struct safetensors_entry **list, int64_t count)
{
    if (count) qsort(list, (size_t)count, sizeof *list, compare_pointed_names);
    for (int64_t i = 0; i < count; i++) {
        if (i && !strcmp(list[i - 1]->name, list[i]->name)) {
            return status_set(KNACK_E_CALL, "%s: two tensors are named %s", path, list[i]->name);
        }
        if (type_index(list[i]->type) < 0) return status_set(KNACK_E_CALL, "%s: the type of tensor %s is not written", path, list[i]->name);
    }
    return KNACK_OK;
}

/* The entries, checked and in the file's order; memory_free(). */
static knack_status order_entries(const char *path, const struct safetensors_entry *entry, int64_t count,
                                  const struct safetensors_entry ***ordered)
{
    const struct safetensors_entry **list = memory_new((size_t)count, sizeof *list);
    if (!list) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < count; i++) list[i] = &entry[i];
    knack_status status = check_entries(path, list, count);
    if (status == KNACK_OK && count) qsort(list, (size_t)count, sizeof *list, compare_for_file);
    if (status < 0) {
        memory_free(list);
        return status;
    }
    *ordered = list;
    return KNACK_OK;
}

static void write_metadata(struct json_writer *writer, const char *const *keys, const char *const *values, int64_t count)
{
    if (!count) return;
    json_open(writer, "__metadata__", '{');
    for (int64_t i = 0; i < count; i++) json_string(writer, keys[i], values[i]);
    json_close(writer);
}

static void write_entries(struct json_writer *writer, const struct safetensors_entry *const *entry, int64_t count)
{
    int64_t begin = 0;
    for (int64_t i = 0; i < count; i++) {
        int type = type_index(entry[i]->type);
        int64_t end = begin + entry[i]->count * (int64_t)element_types[type].size;
        json_open(writer, entry[i]->name, '{');
        json_string(writer, "dtype", element_types[type].name);
        json_open(writer, "shape", '[');
        for (int axis = 0; axis < entry[i]->ndim; axis++) json_integer(writer, NULL, entry[i]->shape[axis]);
        json_close(writer);
        json_open(writer, "data_offsets", '[');
        json_integer(writer, NULL, begin);
        json_integer(writer, NULL, end);
        json_close(writer);
        json_close(writer);
        begin = end;
    }
}

static knack_status put_header(struct file_output *output, const char *text, size_t size)
{
    static const char spaces[HEADER_ALIGNMENT] = "                                                               ";
    size_t padding = (HEADER_ALIGNMENT - (LENGTH_BYTES + size) % HEADER_ALIGNMENT) % HEADER_ALIGNMENT;
    uint8_t length[LENGTH_BYTES];
    for (int i = 0; i < LENGTH_BYTES; i++) length[i] = (uint8_t)((uint64_t)(size + padding) >> 8 * i);
    TRY(file_put(output, length, sizeof length));
    TRY(file_put(output, text, size));
    return file_put(output, spaces, padding);
}

static knack_status put_all(struct file_output *output, const char *text, size_t size, const struct safetensors_entry *const *entry,
                            int64_t count)
{
    TRY(put_header(output, text, size));
    for (int64_t i = 0; i < count; i++) TRY(file_put(output, entry[i]->data, (size_t)entry[i]->count * element_size(entry[i]->type)));
    return KNACK_OK;
}

static knack_status write_file(const char *path, const char *header, size_t size, const struct safetensors_entry *const *entry,
                               int64_t count)
{
    struct file_output *output;
    TRY(file_create(path, &output));
    knack_status status = put_all(output, header, size, entry, count);
    if (status == KNACK_OK) return file_commit(output);
    file_abandon(output);
    return status;
}

knack_status safetensors_write(const char *path, const struct safetensors_entry *entry, int64_t count, const char *const *keys,
                               const char *const *values, int64_t metadata_count)
{
    const struct safetensors_entry **ordered = NULL;
    TRY(order_entries(path, entry, count, &ordered));
    knack_status status = KNACK_E_MEMORY;
    struct json_writer *writer = json_writer_new(false);
    if (writer) {
        json_open(writer, NULL, '{');
        write_metadata(writer, keys, values, metadata_count);
        write_entries(writer, ordered, count);
        json_close(writer);
        size_t size = 0;
        const char *header = json_text(writer, &size);
        if (header) status = write_file(path, header, size, ordered, count);
    }
    json_writer_free(writer);
    memory_free(ordered);
    return status;
}

/* ---- Reading ---- */

static int compare_names(const void *left, const void *right)
{
    const struct safetensors_entry *a = left, *b = right;
    return strcmp(a->name, b->name);
}

/* Where the parts of a file lie. */
struct layout {
    const char *path;
    knack_status code; /* for what is wrong with the file */
    char *header, *data;
    uint64_t header_size, data_size;
};

static knack_status find_parts(char *file, size_t size, struct layout *layout)
{
    if (size < LENGTH_BYTES) {
        return status_set(layout->code, "%s: no safetensors file: %zu bytes, and %d are needed for the header's length", layout->path, size,
                          LENGTH_BYTES);
    }
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) length = length << 8 | (uint8_t)file[i];
    if (length > most_header) {
        return status_set(layout->code, "%s: no safetensors file: its header would have %llu bytes, more than the %llu allowed",
                          layout->path, (unsigned long long)length, (unsigned long long)most_header);
    }
    if (length > size - LENGTH_BYTES) {
        return status_set(layout->code, "%s: cut short: the header has %llu bytes, %zu are there", layout->path, (unsigned long long)length,
                          size - LENGTH_BYTES);
    }
    layout->header = file + LENGTH_BYTES;
    layout->header_size = length;
    layout->data = layout->header + length;
    layout->data_size = size - LENGTH_BYTES - length;
    return KNACK_OK;
}

static knack_status read_metadata(const struct json *node, knack_status code, struct safetensors *out)
{
    if (node->kind != JSON_OBJECT) return json_fail(node, code, "metadata must be an object of strings");
    out->key = arena_alloc(out->arena, (size_t)node->count * sizeof *out->key);
    out->value = arena_alloc(out->arena, (size_t)node->count * sizeof *out->value);
    if (!out->key || !out->value) return KNACK_E_MEMORY;
    for (const struct json *member = node->first; member; member = member->next) {
        if (member->kind != JSON_STRING) return json_fail(member, code, "metadata must be a string, not %s", json_kind_name(member->kind));
        out->key[out->metadata_count] = member->name;
        out->value[out->metadata_count++] = member->string;
    }
    return KNACK_OK;
}

/* A whole number from 0 to 2^53. */
static knack_status read_size(const struct json *node, knack_status code, int64_t *size)
{
    if (node->kind != JSON_NUMBER || !(node->number >= 0 && node->number <= 9007199254740992.0) ||
        node->number != (double)(int64_t)node->number) {
        return json_fail(node, code, "must be a whole number, at least 0");
    }
    *size = (int64_t)node->number;
    return KNACK_OK;
}

static knack_status read_shape(const struct json *node, knack_status code, struct safetensors_entry *entry)
{
    enum { MOST_AXES = sizeof entry->shape / sizeof *entry->shape };
    if (node->kind != JSON_ARRAY || node->count > MOST_AXES) {
        return json_fail(node, code, "the shape must be a list of at most %d sizes", MOST_AXES);
    }
    entry->count = 1;
    for (const struct json *size = node->first; size; size = size->next) {
        TRY(read_size(size, code, &entry->shape[entry->ndim]));
        if (__builtin_mul_overflow(entry->count, entry->shape[entry->ndim], &entry->count)) {
            return json_fail(node, code, "the product of these sizes is too large");
        }
        entry->ndim++;
    }
    return KNACK_OK;
}

static knack_status read_type(const struct json *node, knack_status code, enum knack_type *type)
{
    for (int i = 0; node->kind == JSON_STRING && i < ELEMENT_TYPES; i++) {
        if (strcmp(node->string, element_types[i].name)) continue;
        *type = element_types[i].type;
        return KNACK_OK;
    }
    return json_fail(node, code, "the type must be one of %s", type_list);
}

static knack_status read_offsets(const struct json *node, const struct layout *layout, struct safetensors_entry *entry)
{
    int64_t begin = 0, end = 0, bytes = 0;
    if (node->kind != JSON_ARRAY || node->count != 2)
        return json_fail(node, layout->code, "must be two numbers: where the data begins and ends");
    TRY(read_size(node->first, layout->code, &begin));
    TRY(read_size(node->first->next, layout->code, &end));
    if (begin > end || (uint64_t)end > layout->data_size) {
        return json_fail(node, layout->code, "%lld to %lld lies outside of the %llu bytes of data; the file is damaged or cut short",
                         (long long)begin, (long long)end, (unsigned long long)layout->data_size);
    }
    if (__builtin_mul_overflow(entry->count, (int64_t)element_size(entry->type), &bytes) || bytes != end - begin) {
        return json_fail(node, layout->code, "%lld bytes, but type and shape need another number", (long long)(end - begin));
    }
    entry->data = layout->data + begin;
    return KNACK_OK;
}

static knack_status read_entry(const struct json *node, const struct layout *layout, struct safetensors_entry *entry)
{
    const struct json *type = json_member(node, "dtype"), *shape = json_member(node, "shape"), *offsets = json_member(node, "data_offsets");
    if (!type || !shape || !offsets || node->count != 3) {
        return json_fail(node, layout->code, "a tensor must have exactly dtype, shape and data_offsets");
    }
    entry->name = node->name;
    TRY(read_type(type, layout->code, &entry->type));
    TRY(read_shape(shape, layout->code, entry));
    return read_offsets(offsets, layout, entry);
}

/* The order of data in the file; an empty tensor comes before one that begins at the same place. */
static int compare_places(const void *left, const void *right)
{
    const struct safetensors_entry *a = left, *b = right;
    if (a->data != b->data) return a->data < b->data ? -1 : 1;
    return (a->count > 0) - (b->count > 0);
}

/* Tensors must follow each other without gap or overlap, up to the end of the file. Sorts them by place. */
static knack_status check_places(const struct layout *layout, struct safetensors *out)
{
    if (out->count) qsort(out->entry, (size_t)out->count, sizeof *out->entry, compare_places);
    const char *expected = layout->data, *last = "the header";
    for (int64_t i = 0; i < out->count; i++) {
        const struct safetensors_entry *entry = &out->entry[i];
        if ((const char *)entry->data != expected) {
            return status_set(layout->code, "%s: tensors %s and %s %s; the file is damaged", layout->path, last, entry->name,
                              (const char *)entry->data < expected ? "overlap" : "leave a gap");
        }
        expected += (size_t)entry->count * element_size(entry->type);
        last = entry->name;
    }
    if (expected != layout->data + layout->data_size) {
        return status_set(layout->code, "%s: %zu bytes behind the last tensor belong to none; the file is damaged", layout->path,
                          (size_t)(layout->data + layout->data_size - expected));
    }
    return KNACK_OK;
}

/* Other programs may leave data unaligned; such tensors are copied. */
static knack_status align_entries(struct safetensors *out)
{
    for (int64_t i = 0; i < out->count; i++) {
        struct safetensors_entry *entry = &out->entry[i];
        size_t size = element_size(entry->type);
        if ((uintptr_t)entry->data % size == 0) continue;
        void *copy = arena_alloc(out->arena, (size_t)entry->count * size);
        if (!copy) return KNACK_E_MEMORY;
        memcpy(copy, entry->data, (size_t)entry->count * size);
        entry->data = copy;
    }
    return KNACK_OK;
}

static knack_status read_header(const struct layout *layout, struct safetensors *out)
{
    knack_status status = json_parse(layout->header, layout->header_size, layout->path, &out->header);
    if (status < 0) return status_prefix(status == KNACK_E_MEMORY ? status : layout->code, "in the safetensors header");
    const struct json *root = out->header->root;
    if (root->kind != JSON_OBJECT) return json_fail(root, layout->code, "the safetensors header must be an object");
    out->entry = arena_zeroed(out->arena, (size_t)root->count * sizeof *out->entry);
    if (!out->entry) return KNACK_E_MEMORY;
    for (const struct json *node = root->first; node; node = node->next) {
        if (!strcmp(node->name, "__metadata__")) {
            TRY(read_metadata(node, layout->code, out));
        } else {
            TRY(read_entry(node, layout, &out->entry[out->count++]));
        }
    }
    TRY(check_places(layout, out));
    if (out->count) qsort(out->entry, (size_t)out->count, sizeof *out->entry, compare_names);
    return align_entries(out);
}

static knack_status read_file(struct layout *layout, struct safetensors *out)
{
    size_t size;
    TRY(file_read(layout->path, layout->code, &out->file, &size));
    TRY(find_parts(out->file, size, layout));
    out->arena = arena_new(1 << 16);
    return out->arena ? read_header(layout, out) : KNACK_E_MEMORY;
}

knack_status safetensors_read(const char *path, knack_status code, struct safetensors **out)
{
    *out = NULL;
    struct safetensors *read = memory_new(1, sizeof *read);
    if (!read) return KNACK_E_MEMORY;
    struct layout layout = {.path = path, .code = code};
    knack_status status = read_file(&layout, read);
    if (status < 0) {
        safetensors_free(read);
        return status;
    }
    *out = read;
    return KNACK_OK;
}

void safetensors_free(struct safetensors *safetensors)
{
    if (!safetensors) return;
    json_free(safetensors->header);
    if (safetensors->arena) arena_free(safetensors->arena);
    memory_free(safetensors->file);
    memory_free(safetensors);
}

const struct safetensors_entry *safetensors_find(const struct safetensors *safetensors, const char *name)
{
    struct safetensors_entry wanted = {.name = name};
    if (!safetensors->count) return NULL;
    return bsearch(&wanted, safetensors->entry, (size_t)safetensors->count, sizeof wanted, compare_names);
}

const char *safetensors_metadata(const struct safetensors *safetensors, const char *key)
{
    for (int64_t i = 0; i < safetensors->metadata_count; i++) {
        if (!strcmp(safetensors->key[i], key)) return safetensors->value[i];
    }
    return NULL;
}

static float widen_bf16(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

knack_status safetensors_reals(const struct safetensors_entry *entry, knack_real *out)
{
    const double *doubles = entry->data;
    const float *floats = entry->data;
    const uint16_t *halves = entry->data;
    switch (entry->type) {
    case KNACK_F64:
        for (int64_t i = 0; i < entry->count; i++) out[i] = (knack_real)doubles[i];
        return KNACK_OK;
    case KNACK_F32:
        for (int64_t i = 0; i < entry->count; i++) out[i] = (knack_real)floats[i];
        return KNACK_OK;
    case KNACK_BF16:
        for (int64_t i = 0; i < entry->count; i++) out[i] = (knack_real)widen_bf16(halves[i]);
        return KNACK_OK;
    default: {
        int index = type_index(entry->type);
        return status_set(KNACK_E_DATA, "tensor %s holds %s, F64, F32 or BF16 is needed", entry->name,
                          index < 0 ? "an unknown type" : element_types[index].name);
    }
    }
}
