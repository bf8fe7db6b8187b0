#include "data/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "base/memory.h"

enum { GZIP_BITS = 31 };

/* Messages may quote the file: no control character of it shall reach a terminal. */
static knack_status fail(const char *place, const char *format, va_list arguments)
{
    char text[768];
    vsnprintf(text, sizeof text, format, arguments);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
    return status_set(KNACK_E_DATA, "%s: %s", place, text);
}

knack_status blob_fail(const struct blob *blob, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    knack_status status = fail(blob->name, format, arguments);
    va_end(arguments);
    return status;
}

knack_status blob_fail_at(const struct blob *blob, int64_t line, const char *format, ...)
{
    char place[512];
    snprintf(place, sizeof place, "%s:%lld", blob->name, (long long)line);
    va_list arguments;
    va_start(arguments, format);
    knack_status status = fail(place, format, arguments);
    va_end(arguments);
    return status;
}

void blob_close(struct blob *blob)
{
    if (blob->file >= 0) close(blob->file);
    memory_free(blob->held);
    memory_free(blob->name);
    *blob = BLOB_NONE;
}

/* Leaves nothing behind a failure; passes the status on. */
static knack_status close_on_error(struct blob *blob, knack_status status)
{
    if (status < 0) blob_close(blob);
    return status;
}

knack_status blob_read(const struct blob *blob, int64_t offset, int64_t size, void *out)
{
    if (blob->bytes) {
        memcpy(out, blob->bytes + offset, (size_t)size);
        return KNACK_OK;
    }
    for (int64_t done = 0; done < size;) {
        ssize_t n = pread(blob->file, (char *)out + done, (size_t)(size - done), (off_t)(blob->start + offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return blob_fail(blob, "cannot read: %s", strerror(errno));
        if (n == 0)
            return blob_fail(blob, "ends at byte %lld; has it been cut since it was opened?", (long long)(blob->start + offset + done));
        done += n;
    }
    return KNACK_OK;
}

knack_status blob_narrow(struct blob *blob, int64_t offset, int64_t size)
{
    blob->start += offset;
    blob->size = size;
    if (blob->bytes) blob->bytes += offset;
    if (blob->bytes || size > BLOB_HELD) return KNACK_OK;

    uint8_t *held = memory_resize(NULL, (size_t)size, 1);
    if (!held) return close_on_error(blob, KNACK_E_MEMORY);
    knack_status status = blob_read(blob, 0, size, held);
    if (status < 0) {
        memory_free(held);
        return close_on_error(blob, status);
    }
    close(blob->file);
    blob->file = -1;
    blob->bytes = blob->held = held;
    return KNACK_OK;
}

static bool is_gzip(const struct blob *blob, knack_status *status)
{
    uint8_t magic[2] = {0};
    if (blob->size >= 2) *status = blob_read(blob, 0, 2, magic);
    return magic[0] == 0x1f && magic[1] == 0x8b;
}

static knack_status inflate_gzip(struct blob *blob)
{
    knack_status status = KNACK_OK;
    if (is_gzip(blob, &status)) return blob_inflate(blob, GZIP_BITS, -1);
    return close_on_error(blob, status);
}

knack_status blob_open(const char *path, struct blob *blob)
{
    *blob = BLOB_NONE;
    blob->name = memory_text(path);
    if (!blob->name) return KNACK_E_MEMORY;
    blob->file = open(path, O_RDONLY | O_CLOEXEC);
    if (blob->file < 0) return close_on_error(blob, blob_fail(blob, "cannot open: %s", strerror(errno)));
    struct stat facts;
    if (fstat(blob->file, &facts) < 0) return close_on_error(blob, blob_fail(blob, "cannot look at it: %s", strerror(errno)));
    if (!S_ISREG(facts.st_mode)) return close_on_error(blob, blob_fail(blob, "is no regular file"));
    TRY(blob_narrow(blob, 0, facts.st_size));
    return inflate_gzip(blob);
}

knack_status blob_embedded(const char *name, const uint8_t *bytes, int64_t size, struct blob *blob)
{
    *blob = BLOB_NONE;
    blob->name = memory_text(name);
    if (!blob->name) return KNACK_E_MEMORY;
    blob->bytes = bytes;
    blob->size = size;
    return inflate_gzip(blob);
}

knack_status blob_take(const char *name, uint8_t *bytes, int64_t size, struct blob *blob)
{
    *blob = (struct blob){.name = memory_text(name), .file = -1, .size = size, .bytes = bytes, .held = bytes};
    return close_on_error(blob, blob->name ? KNACK_OK : KNACK_E_MEMORY);
}

/* ---- Inflating ---- */

/* What grows while it is inflated. */
struct inflated {
    uint8_t *bytes;
    int64_t size, room;
};

/* Deflate makes at most 1032 bytes of one, so no wrong size in a header makes us ask for more. */
static int64_t most_inflated(int64_t deflated)
{
    return deflated < INT64_MAX / 2048 ? deflated * 1032 + 64 : INT64_MAX / 2;
}

static int64_t first_room(const struct blob *blob, int64_t expected)
{
    int64_t room = expected, most = most_inflated(blob->size);
    if (expected < 0 && blob->size >= 4) { /* a gzip file ends with its size modulo 2^32, right for one member: a good guess */
        uint8_t tail[4] = {0};
        if (blob_read(blob, blob->size - 4, 4, tail) == KNACK_OK)
            room = (int64_t)((uint32_t)tail[0] | (uint32_t)tail[1] << 8 | (uint32_t)tail[2] << 16 | (uint32_t)tail[3] << 24);
    }
    if (room > most) room = most;
    return room < 256 ? 256 : room;
}

static knack_status grow(struct inflated *out)
{
    if (out->size < out->room) return KNACK_OK;
    int64_t room = out->room + out->room / 2;
    uint8_t *bytes = memory_resize(out->bytes, (size_t)room, 1);
    if (!bytes) return KNACK_E_MEMORY;
    out->bytes = bytes;
    out->room = room;
    return KNACK_OK;
}

static knack_status inflate_failed(const struct blob *blob, const z_stream *stream, int result)
{
    if (result == Z_MEM_ERROR) return status_set(KNACK_E_MEMORY, "%s: no memory to inflate it", blob->name);
    if (result == Z_BUF_ERROR) return blob_fail(blob, "compressed data ends early: the file is cut");
    return blob_fail(blob, "compressed data is damaged: %s", stream->msg ? stream->msg : "unknown reason");
}

/* One stream after the other until the blob's bytes are used up: gzip files may have many members, raw deflate is one. */
static knack_status inflate_all(const struct blob *blob, int bits, z_stream *stream, struct inflated *out)
{
    enum { PIECE = 1 << 16 };
    uint8_t piece[PIECE];
    int64_t taken = 0;
    for (;;) {
        if (stream->avail_in == 0 && taken < blob->size) {
            int64_t n = blob->size - taken < PIECE ? blob->size - taken : PIECE;
            TRY(blob_read(blob, taken, n, piece));
            taken += n;
            stream->next_in = piece;
            stream->avail_in = (uInt)n;
        }
        TRY(grow(out));
        int64_t space = out->room - out->size;
        uInt offered = space < PIECE ? (uInt)space : PIECE;
        stream->next_out = out->bytes + out->size;
        stream->avail_out = offered;
        int result = inflate(stream, Z_NO_FLUSH);
        out->size += offered - stream->avail_out;
        if (result == Z_STREAM_END) {
            if (bits < 0 || (stream->avail_in == 0 && taken == blob->size)) return KNACK_OK;
            result = inflateReset(stream);
        }
        if (result != Z_OK) return inflate_failed(blob, stream, result);
    }
}

knack_status blob_inflate(struct blob *blob, int bits, int64_t expected)
{
    if (expected > most_inflated(blob->size))
        return close_on_error(blob, blob_fail(blob, "%lld bytes cannot inflate to %lld", (long long)blob->size, (long long)expected));
    struct inflated out = {.room = first_room(blob, expected)};
    out.bytes = memory_resize(NULL, (size_t)out.room, 1);
    if (!out.bytes) return close_on_error(blob, KNACK_E_MEMORY);

    z_stream stream = {0};
    knack_status status = KNACK_OK;
    int result = inflateInit2(&stream, bits);
    if (result != Z_OK)
        status = inflate_failed(blob, &stream, result);
    else {
        status = inflate_all(blob, bits, &stream, &out);
        inflateEnd(&stream);
    }
    if (status == KNACK_OK && expected >= 0 && out.size != expected)
        status = blob_fail(blob, "inflates to %lld bytes; its header says %lld", (long long)out.size, (long long)expected);
    if (status < 0) {
        memory_free(out.bytes);
        return close_on_error(blob, status);
    }
    char *name = blob->name;
    blob->name = NULL;
    blob_close(blob);
    *blob = (struct blob){.name = name, .file = -1, .size = out.size, .bytes = out.bytes, .held = out.bytes};
    return KNACK_OK;
}
