/* Large files stay on disk: the peak of resident memory on 1 GB is at most 64 MB above that on 1 MB. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "fixture.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* Peak of resident memory of this process, in kB. */
static int64_t peak(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    char line[256];
    long long kb = -1;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "VmHWM:", 6) == 0) sscanf(line + 6, "%lld", &kb);
    fclose(file);
    assert_true(kb > 0);
    return kb;
}

/* A file of images of 28x28 without blocks on disk but for its header and the last row, and its labels. */
static void put_sparse(const char *format, const char *images, const char *labels, uint32_t rows)
{
    char header[128];
    uint8_t *label = memory_new(rows, 1), last[784];
    assert_non_null(label);
    for (uint32_t i = 0; i < rows; i++) label[i] = (uint8_t)(i % 10);
    memset(last, 51, sizeof last);
    if (strcmp(format, "idx") == 0) {
        put_idx(images, 8, 3, (uint32_t[]){rows, 28, 28}, "", 0);
        put_idx(labels, 8, 1, (uint32_t[]){rows}, label, rows);
    } else {
        snprintf(header, sizeof header, "'descr': '|u1', 'fortran_order': False, 'shape': (%u, 28, 28), ", rows);
        put_npy(images, 1, header, "", 0);
        snprintf(header, sizeof header, "'descr': '|u1', 'fortran_order': False, 'shape': (%u,), ", rows);
        put_npy(labels, 1, header, label, rows);
    }
    memory_free(label);
    FILE *file = fopen(fixture_path(images), "ab");
    assert_non_null(file);
    off_t size = ftello(file) + (off_t)rows * 784;
    assert_int_equal(fclose(file), 0);
    assert_int_equal(truncate(fixture_path(images), size), 0);
    file = fopen(fixture_path(images), "r+b");
    assert_non_null(file);
    assert_int_equal(fseeko(file, -784, SEEK_END), 0);
    assert_int_equal(fwrite(last, 1, sizeof last, file), sizeof last);
    assert_int_equal(fclose(file), 0);
}

/* Opens such a set, with a validation draw and standardised, and reads batches of a shuffled epoch. Returns the peak. */
static int64_t use(const char *format, uint32_t rows)
{
    enum { BATCH = 128 };
    char json[256];
    snprintf(json, sizeof json, "{'%s': {'inputs': 'images', 'targets': 'labels'}, 'validation': 0.1, 'standardise': %s}", format,
             rows > 10000 ? "false" : "true");
    struct dataset *data = open_data(json, 0);
    int64_t count = data->part[PART_TRAIN].count, example[BATCH];
    int32_t *order = memory_new((size_t)count, sizeof *order);
    knack_real *x = memory_new(BATCH * 784, sizeof *x);
    assert_true(order && x);
    data_order(data, 1, 0, order);
    for (int batch = 0; batch < 200 && (batch + 1) * BATCH <= count; batch++) {
        for (int i = 0; i < BATCH; i++) example[i] = order[batch * BATCH + i];
        if (data_inputs(data, PART_TRAIN, example, BATCH, x) < 0) fail_msg("%s", knack_error());
    }
    bool held_out = data->part[PART_VALIDATION].row[data->part[PART_VALIDATION].count - 1] == (int32_t)rows - 1;
    enum data_part part = held_out ? PART_VALIDATION : PART_TRAIN;
    example[0] = data->part[part].count - 1;
    assert_int_equal(data_inputs(data, part, example, 1, x), KNACK_OK);
    if (rows > 10000) assert_true(x[0] == (knack_real)51 / 255); /* the last row of the file */
    memory_free(x);
    memory_free(order);
    data_close(data);
    return peak();
}

/* In a process of its own, since a peak never sinks. */
static int64_t peak_of_use(const char *format, uint32_t rows)
{
    put_sparse(format, "images", "labels", rows);
    int channel[2];
    int64_t kb = -1;
    assert_int_equal(pipe(channel), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        kb = use(format, rows);
        _exit(write(channel[1], &kb, sizeof kb) == sizeof kb ? 0 : 1);
    }
    close(channel[1]);
    assert_int_equal(read(channel[0], &kb, sizeof kb), sizeof kb);
    close(channel[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return kb;
}

static void large_files_stay_on_disk(void **state)
{
    (void)state;
#ifdef SANITIZED
    skip(); /* the sanitizers' shadow would be measured */
#endif
    static const char *const format[] = {"idx", "npy"};
    for (int i = 0; i < 2; i++) {
        int64_t small = peak_of_use(format[i], 1337), large = peak_of_use(format[i], 1369569); /* 1 MB, 1 GiB */
        print_message("%s: %lld kB at 1 MB, %lld kB at 1 GB\n", format[i], (long long)small, (long long)large);
        assert_true(large - small < 64 << 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(large_files_stay_on_disk)};
    return cmocka_run_group_tests_name("memory", tests, fixture_set_up, fixture_tear_down);
}
