/* bench many: a comparison of 1,000 short trials within this process: what lies between its trials, and its memory, as they become many. */
#include "bench.h"
#include "table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/tree.h"
#include "compare/comparison.h"

enum { TRIALS = 1000, WINDOW = 200 };

struct watched {
    int64_t done;
    uint64_t ended[TRIALS + 1]; /* [0]: when the first began */
    double memory[TRIALS + 1];  /* bytes that are resident */
    double cpu[TRIALS + 1];     /* seconds of this process */
};

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double resident(void)
{
    long pages = 0, all;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%ld %ld", &all, &pages) != 2) pages = 0;
    if (file) fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void keep(void *user, const struct comparison_progress *progress)
{
    struct watched *watched = user;
    if (progress->arms == 0) return; /* before the trials */
    for (; watched->done < progress->done && watched->done < TRIALS; watched->done++) {
        watched->ended[watched->done + 1] = nanoseconds();
        watched->cpu[watched->done + 1] = cpu_seconds();
        if ((watched->done + 1) % WINDOW == 0) watched->memory[watched->done + 1] = resident();
    }
    if (watched->done > 0) return;
    watched->ended[0] = nanoseconds();
    watched->cpu[0] = cpu_seconds();
}

/* Seconds that trials themselves took, one after the other as they were stored. */
static knack_status trial_seconds(struct store *store, double seconds[TRIALS])
{
    struct stored_trial *trial;
    int64_t trials;
    TRY(store_read_trials(store, &trial, &trials));
    for (int64_t i = 0; i < trials; i++)
        if (trial[i].id >= 1 && trial[i].id <= TRIALS) seconds[trial[i].id - 1] = trial[i].cost.seconds;
    memory_free(trial);
    return trials == TRIALS ? KNACK_OK : status_set(KNACK_E_CALL, "%lld trials are there", (long long)trials);
}

static knack_status put_rows(const struct watched *watched, const double *seconds, const struct options *options)
{
    static const char *const columns[] = {"trials",      "ms a trial", "ms between trials, median", "mean", "CPU ms of the parent a trial",
                                          "MB resident", NULL};
    struct table table;
    TRY(table_begin(&table, columns));
    for (int first = 0; first < TRIALS; first += WINDOW) {
        double between[WINDOW], own = 0, sum = 0;
        for (int i = 0; i < WINDOW; i++) {
            between[i] = (double)(watched->ended[first + i + 1] - watched->ended[first + i]) * 1e-6 - 1e3 * seconds[first + i];
            own += 1e3 * seconds[first + i] / WINDOW;
            sum += between[i] / WINDOW;
        }
        table_number(&table, first + WINDOW, 0);
        table_number(&table, own, 2);
        table_number(&table, median(between, WINDOW), 3);
        table_number(&table, sum, 3);
        table_number(&table, 1e3 * (watched->cpu[first + WINDOW] - watched->cpu[first]) / WINDOW, 3);
        table_number(&table, watched->memory[first + WINDOW] / 1048576, 2);
    }
    return table_end(&table, options->json);
}

static knack_status watch(const char *folder, const struct options *options)
{
    static struct watched watched;
    static double seconds[TRIALS];
    const char *trick = "label-smoothing";
    struct comparison *comparison;
    char *config = file_join(folder, "many.json"), *out = file_join(folder, "out");
    const char text[] = "{\"data\": {\"limit\": 400}, \"model\": {\"hidden\": [32]}, \"train\": {\"epochs\": 5}}\n";
    knack_status status = config && out ? file_write(config, text, strlen(text)) : KNACK_E_MEMORY;
    struct comparison_request request = {.plan = {.config = config,
                                                  .trick = &trick,
                                                  .tricks = 1,
                                                  .seeds = TRIALS / 2,
                                                  .first_seed = -1,
                                                  .margin = NAN,
                                                  .failed_score = NAN,
                                                  .no_equal_cost = true,
                                                  .no_converge = true},
                                         .out = out,
                                         .jobs = 1,
                                         .no_cache = true,
                                         .observer = {.user = &watched, .progress = keep}};
    if (status >= 0) status = comparison_open(&request, &comparison);
    if (status >= 0) {
        status = comparison_run(comparison);
        if (status >= 0) status = trial_seconds(comparison_store(comparison), seconds);
        comparison_close(comparison);
    }
    if (status >= 0) status = put_rows(&watched, seconds, options);
    memory_free(config);
    memory_free(out);
    return status;
}

knack_status bench_many(const struct options *options)
{
    char *folder = bench_folder(), *ledger = folder ? file_join(folder, "ledger") : NULL;
    if (ledger) setenv("KNACK_LEDGER", ledger, 1);
    knack_status status = ledger ? watch(folder, options) : KNACK_E_MEMORY;
    if (folder) remove_tree(folder);
    memory_free(folder);
    memory_free(ledger);
    return status;
}
