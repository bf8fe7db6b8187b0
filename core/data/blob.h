/* The bytes of a file: left on disk and read piece by piece if there are many, else held in memory; inflated ones are always held. */
#ifndef DATA_BLOB_H
#define DATA_BLOB_H

#include "base/status.h"

enum { BLOB_HELD = 32 << 20 }; /* files of more bytes stay on disk */

struct blob {
    char *name;           /* of the file, for errors */
    int file;             /* descriptor, or -1 */
    int64_t start;        /* where in the file the bytes begin */
    int64_t size;         /* how many there are */
    const uint8_t *bytes; /* [size] in memory, or NULL: on disk */
    uint8_t *held;        /* what to free of them; NULL: not ours */
};
#define BLOB_NONE ((struct blob){.file = -1})

/* A gzip file, known by its first bytes, is inflated. On error *blob is BLOB_NONE, here and below. Errors are KNACK_E_DATA. */
knack_status blob_open(const char *path, struct blob *blob);
/* Bytes of the program itself, gzip or plain; they are not copied. */
knack_status blob_embedded(const char *name, const uint8_t *bytes, int64_t size, struct blob *blob);
/* Takes memory_new() bytes over, also on error. */
knack_status blob_take(const char *name, uint8_t *bytes, int64_t size, struct blob *blob);
void blob_close(struct blob *); /* BLOB_NONE is fine */

/* The caller keeps within the size. */
knack_status blob_read(const struct blob *, int64_t offset, int64_t size, void *out);
/* Narrows the blob to a part of its bytes; loads that into memory if it is small enough to be held. */
knack_status blob_narrow(struct blob *, int64_t offset, int64_t size);
/* Replaces the blob by what it inflates to; bits as in zlib's inflateInit2(): 31 gzip, any number of members; -15 raw.
 * expected: how many bytes that must be, or -1 if not known. */
knack_status blob_inflate(struct blob *, int bits, int64_t expected);

/* Sets "NAME: text", or "NAME:LINE: text", and returns KNACK_E_DATA. */
knack_status blob_fail(const struct blob *, const char *format, ...) __attribute__((format(printf, 2, 3)));
knack_status blob_fail_at(const struct blob *, int64_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
