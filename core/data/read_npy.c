/* NPY, the format of numpy.save(): a magic, a version, the length of a header, the header (a Python dictionary) and the values. */
#include "data/array.h"

#include <string.h>

#include "base/memory.h"

/* The header's text, and how far it is read. */
struct header {
    const struct blob *blob;
    char *text;
    const char *at;
    int entries; /* bits: which of the three keys were there */
};
enum { HAS_DESCR = 1, HAS_ORDER = 2, HAS_SHAPE = 4, HAS_ALL = 7 };

static knack_status malformed(const struct header *header)
{
    return blob_fail(header->blob, "its npy header is malformed at character %lld", (long long)(header->at - header->text) + 1);
}

static void skip_spaces(struct header *header)
{
    while (*header->at == ' ' || *header->at == '\n' || *header->at == '\t') header->at++;
}

/* Passes over a word of punctuation, or of letters, if it is next. */
static bool accept(struct header *header, const char *word)
{
    skip_spaces(header);
    size_t length = strlen(word);
    if (strncmp(header->at, word, length) != 0) return false;
    header->at += length;
    return true;
}

/* A quoted string without escapes: all that NumPy writes for these types. */
static bool accept_string(struct header *header, char *out, size_t room)
{
    skip_spaces(header);
    char quote = *header->at;
    if (quote != '\'' && quote != '"') return false;
    const char *end = strchr(header->at + 1, quote);
    if (!end || (size_t)(end - header->at) > room) return false;
    size_t length = (size_t)(end - header->at) - 1;
    memcpy(out, header->at + 1, length);
    out[length] = '\0';
    header->at = end + 1;
    return true;
}

static bool accept_size(struct header *header, int64_t *size)
{
    skip_spaces(header);
    const char *first = header->at;
    *size = 0;
    for (; *header->at >= '0' && *header->at <= '9'; header->at++) {
        if (*size > (INT64_MAX - 9) / 10) return false;
        *size = *size * 10 + (*header->at - '0');
    }
    return header->at > first;
}

static knack_status read_descr(struct header *header, struct array *array)
{
    char descr[32];
    skip_spaces(header);
    if (*header->at == '[') return blob_fail(header->blob, "holds a structured array; save plain columns, each as an array of its own");
    if (!accept_string(header, descr, sizeof descr)) return malformed(header);
    bool big = descr[0] == '>';
    if (strchr("<>|=", descr[0]) && descr[0]) {
        for (int type = 0; type < ELEMENT_COUNT; type++) {
            if (strcmp(descr + 1, element_code[type]) != 0) continue;
            array->type = (enum element)type;
            array->swapped = big && element_size(array->type) > 1;
            return KNACK_OK;
        }
    }
    return blob_fail(
        header->blob,
        "holds values of type '%s'; u1, i1, u2, i2, u4, i4, u8, i8, f4, f8 and b1 are known: convert them by x.astype(numpy.float32)",
        descr);
}

static knack_status read_shape(struct header *header, struct array *array)
{
    if (!accept(header, "(")) return malformed(header);
    while (!accept(header, ")")) {
        if (array->ndim == ARRAY_MAX_DIMS) return blob_fail(header->blob, "has more than %d dimensions", ARRAY_MAX_DIMS);
        if (!accept_size(header, &array->shape[array->ndim++])) return malformed(header);
        if (accept(header, ",")) continue;
        skip_spaces(header);
        if (*header->at != ')') return malformed(header);
    }
    if (array->ndim == 0) return blob_fail(header->blob, "holds a single number; an array of rows is needed");
    return KNACK_OK;
}

/* One "key: value" of the dictionary. *fortran tells the order of the values. */
static knack_status read_entry(struct header *header, struct array *array, bool *fortran)
{
    char key[32];
    if (!accept_string(header, key, sizeof key) || !accept(header, ":")) return malformed(header);
    int entry = strcmp(key, "descr") == 0           ? HAS_DESCR
                : strcmp(key, "fortran_order") == 0 ? HAS_ORDER
                : strcmp(key, "shape") == 0         ? HAS_SHAPE
                                                    : 0;
    if (!entry || header->entries & entry) return malformed(header);
    header->entries |= entry;
    if (entry == HAS_DESCR) return read_descr(header, array);
    if (entry == HAS_SHAPE) return read_shape(header, array);
    *fortran = accept(header, "True");
    return *fortran || accept(header, "False") ? KNACK_OK : malformed(header);
}

static knack_status read_dictionary(struct header *header, struct array *array)
{
    bool fortran = false;
    if (!accept(header, "{")) return malformed(header);
    while (!accept(header, "}")) {
        TRY(read_entry(header, array, &fortran));
        if (accept(header, ",")) continue;
        skip_spaces(header);
        if (*header->at != '}') return malformed(header);
    }
    skip_spaces(header);
    if (*header->at || header->entries != HAS_ALL) return malformed(header);
    if (fortran && array->ndim > 1) return blob_fail(header->blob, "is in Fortran order; save numpy.ascontiguousarray(x) instead");
    return KNACK_OK;
}

/* Where the header's text begins and how long it is. */
static knack_status find_header(const struct blob *blob, int64_t *start, int64_t *length)
{
    enum { LARGEST = 1 << 16 };
    uint8_t begin[12];
    if (blob->size < 10) return blob_fail(blob, "is no npy file: it has %lld bytes", (long long)blob->size);
    TRY(blob_read(blob, 0, blob->size < 12 ? blob->size : 12, begin));
    if (memcmp(begin, "\x93NUMPY", 6) != 0) return blob_fail(blob, "is no npy file: it does not begin with \\x93NUMPY");
    if (begin[6] < 1 || begin[6] > 3) return blob_fail(blob, "is an npy file of version %d; 1 to 3 are known", begin[6]);
    *start = begin[6] == 1 ? 10 : 12;
    *length = begin[8] | begin[9] << 8;
    if (begin[6] > 1 && blob->size >= 12) *length |= (int64_t)begin[10] << 16 | (int64_t)begin[11] << 24;
    if (*length > LARGEST)
        return blob_fail(blob, "its npy header is %lld bytes long; at most %d are expected", (long long)*length, LARGEST);
    if (*start + *length > blob->size) return blob_fail(blob, "ends within its npy header");
    return KNACK_OK;
}

static knack_status read_header(const struct blob *blob, struct array *array, int64_t *offset)
{
    int64_t start = 0, length = 0;
    TRY(find_header(blob, &start, &length));
    struct header header = {.blob = blob, .text = memory_new((size_t)length + 1, 1)};
    if (!header.text) return KNACK_E_MEMORY;
    header.at = header.text;
    knack_status status = blob_read(blob, start, length, header.text);
    if (status == KNACK_OK) status = read_dictionary(&header, array);
    memory_free(header.text);
    *offset = start + length;
    return status;
}

knack_status read_npy(struct blob *blob, struct array *array)
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
