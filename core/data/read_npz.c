/* NPZ, the format of numpy.savez(): a zip file with an npy file for each array, stored or deflated; with 64-bit sizes if large. */
#include "data/array.h"

#include <string.h>

#include <zlib.h>

#include "base/memory.h"
#include "base/text.h"

enum {
    END_SIZE = 22,     /* of the record that ends the file, without its comment */
    LOCATOR_SIZE = 20, /* of the record before it that says where the 64-bit one is */
    END64_SIZE = 56,
    ENTRY_SIZE = 46, /* of a directory entry, without name, extra fields and comment */
    LOCAL_SIZE = 30, /* of what stands before a member's bytes, without name and extra fields */
    LARGEST_DIRECTORY = 1 << 26,
    RAW_DEFLATE = -15
};

struct member {
    const char *name; /* not terminated */
    int64_t name_length;
    int method, flags;
    uint32_t sum;          /* CRC-32 of the plain bytes */
    int64_t packed, plain; /* sizes */
    int64_t at;            /* of its local header */
};

struct directory {
    uint8_t *bytes; /* [size] */
    int64_t size;
};

static uint32_t get_16(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8;
}
static uint32_t get_32(const uint8_t *from)
{
    return get_16(from) | get_16(from + 2) << 16;
}
static int64_t get_64(const uint8_t *from)
{
    return (int64_t)(get_32(from) | (uint64_t)get_32(from + 4) << 32);
}

static bool within(const struct blob *blob, int64_t offset, int64_t size)
{
    return offset >= 0 && size >= 0 && offset <= blob->size && size <= blob->size - offset;
}

/* The end record is the last thing in the file but for a comment of at most 64 kB. */
static knack_status find_end(const struct blob *blob, int64_t *at)
{
    enum { WINDOW = END_SIZE + (1 << 16) };
    int64_t size = blob->size < WINDOW ? blob->size : WINDOW, first = blob->size - size;
    uint8_t *tail = memory_new((size_t)size, 1);
    if (!tail) return KNACK_E_MEMORY;
    knack_status status = blob_read(blob, first, size, tail);
    *at = -1;
    for (int64_t i = size - END_SIZE; status == KNACK_OK && i >= 0 && *at < 0; i--)
        if (get_32(tail + i) == 0x06054b50 && get_16(tail + i + 20) == (uint32_t)(size - END_SIZE - i)) *at = first + i;
    memory_free(tail);
    if (status == KNACK_OK && *at < 0) return blob_fail(blob, "is no npz file: no end of a zip directory is found; is it cut?");
    return status;
}

/* Where the directory is, by the 64-bit end record if there is one. */
static knack_status find_directory(const struct blob *blob, int64_t *offset, int64_t *size)
{
    uint8_t end[END_SIZE], locator[LOCATOR_SIZE], end64[END64_SIZE];
    int64_t at;
    TRY(find_end(blob, &at));
    TRY(blob_read(blob, at, END_SIZE, end));
    *size = get_32(end + 12);
    *offset = get_32(end + 16);
    if (at >= LOCATOR_SIZE) {
        TRY(blob_read(blob, at - LOCATOR_SIZE, LOCATOR_SIZE, locator));
        if (get_32(locator) == 0x07064b50) {
            int64_t at64 = get_64(locator + 8);
            if (!within(blob, at64, END64_SIZE)) return blob_fail(blob, "its zip64 end record is not where it should be");
            TRY(blob_read(blob, at64, END64_SIZE, end64));
            if (get_32(end64) != 0x06064b50) return blob_fail(blob, "its zip64 end record is damaged");
            *size = get_64(end64 + 40);
            *offset = get_64(end64 + 48);
        }
    }
    if (!within(blob, *offset, *size) || *size > LARGEST_DIRECTORY) return blob_fail(blob, "its zip directory lies outside the file");
    return KNACK_OK;
}

static knack_status read_directory(const struct blob *blob, struct directory *directory)
{
    int64_t offset;
    TRY(find_directory(blob, &offset, &directory->size));
    directory->bytes = memory_new((size_t)directory->size, 1);
    if (!directory->bytes) return KNACK_E_MEMORY;
    return blob_read(blob, offset, directory->size, directory->bytes);
}

/* Sizes and places of 2^32 - 1 stand, in 64 bits and in this order, in the extra field number 1. */
static knack_status read_wide_sizes(const struct blob *blob, struct member *member, const uint8_t *extra, int64_t length)
{
    int64_t *field[3] = {&member->plain, &member->packed, &member->at};
    const uint8_t *from = NULL, *end = NULL;
    for (int64_t i = 0; i + 4 <= length;) {
        int64_t size = get_16(extra + i + 2);
        if (size > length - i - 4) break;
        if (get_16(extra + i) == 1) {
            from = extra + i + 4;
            end = from + size;
        }
        i += 4 + size;
    }
    for (int i = 0; i < 3; i++) {
        if (*field[i] != UINT32_MAX) continue;
        if (!from || end - from < 8) return blob_fail(blob, "a zip64 size is missing in its directory");
        *field[i] = get_64(from);
        from += 8;
    }
    return KNACK_OK;
}

/* The directory's entry at *at, which moves to the next; *at == size ends it. */
static knack_status next_member(const struct blob *blob, const struct directory *directory, int64_t *at, struct member *member)
{
    const uint8_t *entry = directory->bytes + *at;
    int64_t left = directory->size - *at;
    if (left < ENTRY_SIZE || get_32(entry) != 0x02014b50) return blob_fail(blob, "its zip directory is damaged");
    *member = (struct member){.name = (const char *)entry + ENTRY_SIZE,
                              .name_length = get_16(entry + 28),
                              .flags = (int)get_16(entry + 8),
                              .method = (int)get_16(entry + 10),
                              .sum = get_32(entry + 16),
                              .packed = get_32(entry + 20),
                              .plain = get_32(entry + 24),
                              .at = get_32(entry + 42)};
    int64_t extra = get_16(entry + 30), comment = get_16(entry + 32);
    if (left < ENTRY_SIZE + member->name_length + extra + comment) return blob_fail(blob, "its zip directory is damaged");
    TRY(read_wide_sizes(blob, member, entry + ENTRY_SIZE + member->name_length, extra));
    *at += ENTRY_SIZE + member->name_length + extra + comment;
    return KNACK_OK;
}

/* The name of a member without ".npy", or its whole name; cut to fit. */
static void array_name(const struct member *member, char *out, size_t room)
{
    int64_t length = member->name_length;
    if (length > 4 && memcmp(member->name + length - 4, ".npy", 4) == 0) length -= 4;
    if (length >= (int64_t)room) length = (int64_t)room - 1;
    memcpy(out, member->name, (size_t)length);
    out[length] = '\0';
}

static knack_status no_such_array(const struct blob *blob, const struct directory *directory, const char *name)
{
    enum { SHOWN = 16, ROOM = 64 };
    char text[SHOWN][ROOM], list[512];
    const char *names[SHOWN];
    int64_t count = 0;
    for (int64_t at = 0; at < directory->size && count < SHOWN; count++) {
        struct member member;
        TRY(next_member(blob, directory, &at, &member));
        array_name(&member, text[count], ROOM);
        names[count] = text[count];
    }
    const char *nearest = text_nearest(name, names, count);
    return blob_fail(blob, "has no array '%s'%s%s%s; it has %s", name, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                     nearest ? "'?" : "", text_list(list, sizeof list, names, count));
}

static knack_status find_member(const struct blob *blob, const struct directory *directory, const char *name, struct member *member)
{
    int64_t length = (int64_t)strlen(name);
    for (int64_t at = 0; at < directory->size;) {
        TRY(next_member(blob, directory, &at, member));
        if (member->name_length == length + 4 && memcmp(member->name, name, (size_t)length) == 0 &&
            memcmp(member->name + length, ".npy", 4) == 0)
            return KNACK_OK;
    }
    return no_such_array(blob, directory, name);
}

static knack_status check_sum(const struct blob *blob, const struct member *member)
{
    enum { PIECE = 1 << 16 };
    uint8_t piece[PIECE];
    uLong sum = crc32(0, NULL, 0);
    for (int64_t done = 0; done < blob->size; done += PIECE) {
        int64_t n = blob->size - done < PIECE ? blob->size - done : PIECE;
        TRY(blob_read(blob, done, n, piece));
        sum = crc32(sum, piece, (uInt)n);
    }
    return sum == member->sum ? KNACK_OK : blob_fail(blob, "a check sum is wrong: the file is damaged");
}

/* Narrows the blob to the member's plain bytes. On error the blob is closed or still open: the caller closes it. */
static knack_status open_member(struct blob *blob, const struct member *member)
{
    uint8_t local[LOCAL_SIZE];
    if (member->flags & 1) return blob_fail(blob, "is encrypted");
    if (member->method != 0 && member->method != 8)
        return blob_fail(blob, "is packed by method %d; use numpy.savez_compressed", member->method);
    if (!within(blob, member->at, LOCAL_SIZE)) return blob_fail(blob, "an array lies outside the file");
    TRY(blob_read(blob, member->at, LOCAL_SIZE, local));
    if (get_32(local) != 0x04034b50) return blob_fail(blob, "the header of an array is damaged");
    int64_t begin = member->at + LOCAL_SIZE + get_16(local + 26) + get_16(local + 28);
    if (!within(blob, begin, member->packed)) return blob_fail(blob, "an array lies outside the file");
    if (member->method == 0 && member->packed != member->plain)
        return blob_fail(blob, "the sizes of an array differ: its directory is damaged");
    TRY(blob_narrow(blob, begin, member->packed));
    if (member->method == 8) TRY(blob_inflate(blob, RAW_DEFLATE, member->plain));
    return check_sum(blob, member);
}

/* Errors within an array name it beside its file. */
static knack_status name_member(struct blob *blob, const char *name)
{
    char *both = memory_format("%s (%s)", blob->name, name);
    if (!both) return KNACK_E_MEMORY;
    memory_free(blob->name);
    blob->name = both;
    return KNACK_OK;
}

knack_status read_npz(const char *path, const char *name, struct array *array)
{
    *array = (struct array){.blob = BLOB_NONE};
    struct blob blob;
    struct directory directory = {0};
    struct member member;
    TRY(blob_open(path, &blob));
    knack_status status = read_directory(&blob, &directory);
    if (status == KNACK_OK) status = find_member(&blob, &directory, name, &member);
    if (status == KNACK_OK) status = name_member(&blob, name);
    if (status == KNACK_OK) status = open_member(&blob, &member);
    memory_free(directory.bytes);
    if (status < 0) {
        blob_close(&blob);
        return status;
    }
    return read_npy(&blob, array);
}
