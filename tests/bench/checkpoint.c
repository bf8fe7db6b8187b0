/* bench checkpoint: writing one, beside writing as many bytes plainly. Both reach the disk (fsync) before the clock is read. */
#include "opened.h"
#include "table.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/tree.h"
#include "train/state.h"

enum { ROUNDS = 5 };

/* What is measured between two steps of a run. */
struct saving {
    struct run *run;
    double ms;
};

static bool save_often(void *user)
{
    struct saving *saving = user;
    double ms[ROUNDS];
    knack_status status = checkpoint_save(saving->run); /* the first one looks at the data */
    for (int i = 0; i < ROUNDS && status >= 0; i++) {
        uint64_t began = nanoseconds();
        saving->run->at.batch++; /* which is its name */
        status = checkpoint_save(saving->run);
        ms[i] = (double)(nanoseconds() - began) * 1e-6;
    }
    saving->ms = status < 0 ? 0 : median(ms, ROUNDS);
    return true;
}

/* Milliseconds to write the bytes to a file, and to flush it. */
static double time_plain(const char *path, const char *data, size_t size)
{
    double ms[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t began = nanoseconds();
        int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        for (size_t done = 0; done < size;) {
            ssize_t n = write(file, data + done, size - done);
            if (n <= 0) break;
            done += (size_t)n;
        }
        fsync(file);
        close(file);
        ms[i] = (double)(nanoseconds() - began) * 1e-6;
        unlink(path);
    }
    return median(ms, ROUNDS);
}

static knack_status put_row(struct table *table, const char *where, const char *folder, int64_t width)
{
    struct workload w;
    struct saving saving = {0};
    char *out = memory_format("%s/knack-bench-checkpoint", folder);
    struct run_request request = {.out = out, .force = true, .observer = {.user = &saving, .interrupted = save_often}};
    TRY(workload_find("mlp", &w));
    TRY(workload_resize(&w, 8, width, 0, 0));
    knack_status status = out ? opened_run(&w, &(struct options){.threads = 1, .plugins = ""}, request, &saving.run) : KNACK_E_MEMORY;
    if (status >= 0) status = run_train(saving.run);
    double parameters = status == KNACK_E_INTERRUPTED ? (double)opened_parameters(saving.run) : 0,
           bytes = 3 * sizeof(knack_real) * parameters;
    run_close(saving.run);
    if (out) remove_tree(out);
    char *plain = status == KNACK_E_INTERRUPTED ? memory_new((size_t)bytes, 1) : NULL;
    if (plain) {
        double ms = time_plain(out, plain, (size_t)bytes);
        table_text(table, where);
        table_digits(table, parameters);
        table_number(table, bytes * 1e-6, 1);
        table_number(table, saving.ms, 2);
        table_number(table, bytes * 1e-3 / saving.ms, 0);
        table_number(table, bytes * 1e-3 / ms, 0);
    }
    memory_free(plain);
    memory_free(out);
    return plain ? KNACK_OK : status;
}

knack_status bench_checkpoint(const struct options *options)
{
    static const char *const columns[] = {"to", "parameters", "MB", "ms", "MB/s", "MB/s of a plain file", NULL};
    static const int64_t widths[] = {100, 690, 2794}; /* about 1e5, 1e6 and 1e7 parameters */
    const char *disk = options->names ? options->name[0] : ".";
    if (options->names > 1) return status_set(KNACK_E_USAGE, "checkpoint: at most one folder");
    if (!file_is_folder(disk)) return status_set(KNACK_E_USAGE, "checkpoint: %s is no folder; make it first", disk);
    char *memory = bench_folder();
    struct table table;
    knack_status status = memory ? table_begin(&table, columns) : KNACK_E_MEMORY;
    for (int i = 0; i < 6 && status >= 0; i++)
        status = i < 3 ? put_row(&table, "memory", memory, widths[i]) : put_row(&table, "disk", disk, widths[i - 3]);
    if (status >= 0) status = table_end(&table, options->json);
    if (memory) remove_tree(memory);
    memory_free(memory);
    return status;
}
