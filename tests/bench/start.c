/* bench start: from nothing to the first step. The program itself is started, on the embedded digits; its first step is over when the first
 * line appears in metrics.jsonl. */
#include "bench.h"
#include "program.h"
#include "table.h"

#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/tree.h"

enum { ROUNDS = 41 };

/* Waits until something was written to the folder's file of that name. */
static void await_line(int watch, const char *name)
{
    char buffer[4096] __attribute__((aligned(8)));
    for (;;) {
        ssize_t size = read(watch, buffer, sizeof buffer);
        if (size <= 0) return;
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
            if (event->len > 0 && strcmp(event->name, name) == 0) return;
            at += (ssize_t)sizeof *event + event->len;
        }
    }
}

/* Milliseconds until the first step, and until the program has ended. */
static knack_status time_start(const char *config, const char *out, double *first, double *all)
{
    const char *const words[] = {"knack", "run", config, "--out", out, "--quiet", NULL};
    TRY(file_make_folder(out));
    int watch = inotify_init1(IN_CLOEXEC);
    if (watch < 0 || inotify_add_watch(watch, out, IN_MODIFY) < 0) return status_set(KNACK_E_IO, "%s cannot be watched", out);
    uint64_t began = nanoseconds();
    pid_t process = program_start(words);
    if (process > 0) await_line(watch, "metrics.jsonl");
    *first = (double)(nanoseconds() - began) * 1e-6;
    knack_status status = program_await(process);
    *all = (double)(nanoseconds() - began) * 1e-6;
    close(watch);
    remove_tree(out);
    return status;
}

static knack_status put_times(const double *first, const double *all, const struct options *options)
{
    static const char *const columns[] = {"embedded digits, mlp 64-64, one epoch", "ms", "target", NULL};
    double sorted[2][ROUNDS];
    struct table table;
    memcpy(sorted[0], first, sizeof sorted[0]);
    memcpy(sorted[1], all, sizeof sorted[1]);
    TRY(table_begin(&table, columns));
    table_text(&table, "from starting the program to the end of its first step");
    table_number(&table, median(sorted[0], ROUNDS), 1);
    table_target(&table, median(sorted[0], ROUNDS) < 30, "below 30");
    table_text(&table, "to its end: 23 steps, evaluation, results, checkpoint");
    table_number(&table, median(sorted[1], ROUNDS), 1);
    table_none(&table);
    return table_end(&table, options->json);
}

knack_status bench_start(const struct options *options)
{
    static const char text[] = "{\"train\": {\"epochs\": 1}}\n";
    double first[ROUNDS], all[ROUNDS];
    char *folder = bench_folder();
    char *config = folder ? file_join(folder, "digits.json") : NULL, *out = folder ? file_join(folder, "out") : NULL;
    knack_status status = config && out ? file_write(config, text, strlen(text)) : KNACK_E_MEMORY;
    for (int i = 0; i < ROUNDS && status >= 0; i++) status = time_start(config, out, &first[i], &all[i]);
    if (status >= 0) status = put_times(first, all, options);
    if (folder) remove_tree(folder);
    memory_free(folder);
    memory_free(config);
    memory_free(out);
    return status;
}
