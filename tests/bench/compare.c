/* bench compare: how long a comparison takes, all of it, against its number of trials and of jobs. */
#include "bench.h"
#include "program.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/tree.h"

enum { ROUNDS = 3 };

/* Seconds of the whole command: data, checks, a measurement of costs, trials, report. */
static knack_status time_comparison(const char *folder, const char *config, int64_t seeds, int64_t jobs, double *seconds)
{
    char number[2][24];
    char *out = file_join(folder, "out");
    if (!out) return KNACK_E_MEMORY;
    snprintf(number[0], sizeof number[0], "%lld", (long long)seeds);
    snprintf(number[1], sizeof number[1], "%lld", (long long)jobs);
    const char *const words[] = {"knack",  "compare", config,  "--tricks", "label-smoothing", "--seeds", number[0],
                                 "--jobs", number[1], "--out", out,        "--quiet",         NULL};
    uint64_t began = nanoseconds();
    knack_status status = program_await(program_start(words));
    *seconds = (double)(nanoseconds() - began) * 1e-9;
    remove_tree(out);
    memory_free(out);
    return status;
}

/* With one job and with two, in turns. */
static knack_status put_row(struct table *table, const char *folder, const char *config, int64_t trials)
{
    double one[ROUNDS], two[ROUNDS], ratio[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        TRY(time_comparison(folder, config, trials / 2, 1, &one[i]));
        TRY(time_comparison(folder, config, trials / 2, 2, &two[i]));
        ratio[i] = two[i] / one[i];
    }
    table_number(table, (double)trials, 0);
    table_number(table, median(one, ROUNDS), 2);
    table_number(table, median(one, ROUNDS) / (double)trials, 3);
    table_number(table, median(two, ROUNDS), 2);
    table_number(table, median(ratio, ROUNDS), 3);
    return KNACK_OK;
}

static knack_status put_table(const char *folder, const char *config, const struct options *options)
{
    static const char *const columns[] = {"trials", "s, 1 job", "s a trial", "s, 2 jobs", "2 jobs / 1", NULL};
    static const int64_t trials[] = {6, 10, 20, 40};
    struct table table;
    TRY(table_begin(&table, columns));
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) TRY(put_row(&table, folder, config, trials[i]));
    return table_end(&table, options->json);
}

knack_status bench_compare(const struct options *options)
{
    static const char text[] =
        "{\"model\": {\"hidden\": [128, 128]}, \"train\": {\"epochs\": 200}}\n"; /* the embedded digits, half a second a trial */
    char *folder = bench_folder(), *config = folder ? file_join(folder, "digits.json") : NULL,
         *ledger = folder ? file_join(folder, "ledger") : NULL;
    if (ledger) setenv("KNACK_LEDGER", ledger, 1);
    knack_status status = config && ledger ? file_write(config, text, strlen(text)) : KNACK_E_MEMORY;
    if (status >= 0) status = put_table(folder, config, options);
    if (folder) remove_tree(folder);
    memory_free(folder);
    memory_free(config);
    memory_free(ledger);
    return status;
}
