#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "base/file.h"
#include "base/memory.h"

static char folder[64];

int fixture_set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/knack-data-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

int fixture_tear_down(void **state)
{
    (void)state;
    char **name;
    int64_t count;
    if (file_list(folder, &name, &count) < 0) return -1;
    for (int64_t i = 0; i < count; i++) unlink(fixture_path(name[i]));
    memory_free(name);
    return rmdir(folder);
}

const char *fixture_folder(void)
{
    return folder;
}

const char *fixture_path(const char *name)
{
    static char path[2][256];
    static int which;
    which = !which;
    snprintf(path[which], sizeof path[which], "%s/%s", folder, name);
    return path[which];
}

void put_file(const char *name, const void *bytes, int64_t size)
{
    unlink(fixture_path(name)); /* to cut an old file short would have it flushed to disk, thousands of times */
    FILE *file = fopen(fixture_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, (size_t)size, file), size);
    assert_int_equal(fclose(file), 0);
}

void put_text(const char *name, const char *text)
{
    put_file(name, text, (int64_t)strlen(text));
}

void put_gzip(const char *name, const void *bytes, int64_t size)
{
    gzFile file = gzopen(fixture_path(name), "wb");
    assert_non_null(file);
    if (size) assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
}

void put_idx(const char *name, uint8_t code, int ndim, const uint32_t *shape, const void *values, int64_t size)
{
    uint8_t header[4 + 4 * 8] = {0, 0, code, (uint8_t)ndim};
    for (int i = 0; i < ndim; i++)
        for (int k = 0; k < 4; k++) header[4 + 4 * i + k] = (uint8_t)(shape[i] >> (24 - 8 * k));
    int64_t length = 4 + 4 * ndim;
    uint8_t *all = memory_new((size_t)(length + size), 1);
    assert_non_null(all);
    memcpy(all, header, (size_t)length);
    memcpy(all + length, values, (size_t)size);
    put_file(name, all, length + size);
    memory_free(all);
}

uint8_t *make_npy(int version, const char *header, const void *values, int64_t size, int64_t *total)
{
    size_t start = version == 1 ? 10 : 12, text = strlen(header) + 3, length = (start + text + 63) / 64 * 64 - start;
    *total = (int64_t)(start + length) + size;
    uint8_t *all = memory_new((size_t)*total, 1);
    assert_non_null(all);
    memcpy(all, "\x93NUMPY", 6);
    all[6] = (uint8_t)version;
    all[8] = (uint8_t)length;
    all[9] = (uint8_t)(length >> 8);
    memset(all + start, ' ', length);
    all[start] = '{';
    memcpy(all + start + 1, header, strlen(header));
    all[start + 1 + strlen(header)] = '}';
    all[start + length - 1] = '\n';
    memcpy(all + start + length, values, (size_t)size);
    return all;
}

void put_npy(const char *name, int version, const char *header, const void *values, int64_t size)
{
    int64_t total;
    uint8_t *all = make_npy(version, header, values, size, &total);
    put_file(name, all, total);
    memory_free(all);
}

static struct json_document *parse(const char *json)
{
    char *text = memory_text(json);
    assert_non_null(text);
    for (char *c = text; *c; c++)
        if (*c == '\'') *c = '"';
    struct json_document *document;
    if (json_parse(text, strlen(text), "test.json", &document) < 0) fail_msg("%s", knack_error());
    memory_free(text);
    return document;
}

struct dataset *open_data(const char *json, uint64_t seed)
{
    struct json_document *document = parse(json);
    struct dataset *data;
    if (data_open(document->root, folder, seed, &data) < 0) fail_msg("%s", knack_error());
    json_free(document);
    return data;
}

void expect_failure(const char *json, knack_status status, const char *message)
{
    struct json_document *document = parse(json);
    struct dataset *data;
    knack_status got = data_open(document->root, folder, 0, &data);
    json_free(document);
    if (got >= 0) fail_msg("opened: %s", json);
    if (!strstr(knack_error(), message)) fail_msg("said: %s\nnot: %s", knack_error(), message);
    assert_int_equal(got, status);
    assert_null(data);
}

knack_real *all_inputs(struct dataset *data, enum data_part part)
{
    int64_t count = data->part[part].count;
    int64_t *example = memory_new((size_t)count, sizeof *example);
    knack_real *x = memory_new((size_t)(count * data->width), sizeof *x);
    assert_true(example && x);
    for (int64_t i = 0; i < count; i++) example[i] = i;
    if (data_inputs(data, part, example, count, x) < 0) fail_msg("%s", knack_error());
    memory_free(example);
    return x;
}
