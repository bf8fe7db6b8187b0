/* The safetensors format: 8 bytes of header length, a JSON header, then the data, all little-endian. Written in the order of the types'
 * sizes, large first, then of names, behind a header that spaces pad to 64 bytes, so that every value is aligned; metadata is a flat object
 * of strings. */
#ifndef MODEL_SAFETENSORS_H
#define MODEL_SAFETENSORS_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"

struct safetensors_entry {
    const char *name;
    enum knack_type type;
    int ndim;
    int64_t shape[8];
    int64_t count;    /* product of shape */
    const void *data; /* aligned for its type */
};
struct safetensors {
    struct safetensors_entry *entry; /* sorted by name */
    int64_t count;
    const char **key, **value; /* metadata */
    int64_t metadata_count;
    /* What holds all of this: */
    char *file;
    struct json_document *header;
    struct arena *arena;
};

/* To a new name, flushed and renamed. keys and values: metadata_count of each. Entries may come in any order. */
knack_status safetensors_write(const char *path, const struct safetensors_entry *, int64_t count, const char *const *keys,
                               const char *const *values, int64_t metadata_count);
/* Checks everything: lengths, overlaps, types, shapes. code is for what is wrong with the file. */
knack_status safetensors_read(const char *path, knack_status code, struct safetensors **);
void safetensors_free(struct safetensors *);
const struct safetensors_entry *safetensors_find(const struct safetensors *, const char *name);
const char *safetensors_metadata(const struct safetensors *, const char *key); /* NULL: none */
/* count values of entry, converted to knack_real from F32, F64 or BF16. */
knack_status safetensors_reals(const struct safetensors_entry *, knack_real *out);

#endif
