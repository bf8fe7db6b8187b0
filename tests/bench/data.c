/* bench data: how long it takes to draw an epoch's order, and to read, convert and augment its batches, without a step; beside a step. */
#include "arms.h"
#include "opened.h"
#include "table.h"

#include "base/memory.h"
#include "train/state.h"

static const double SECONDS = 0.3;

/* Nanoseconds a batch, over whole epochs. */
static knack_status time_batches(struct run *run, double *ns)
{
    const int64_t batch = run->settings.batch, rows = run->data->part[PART_TRAIN].count;
    uint64_t began = nanoseconds();
    int64_t batches = 0;
    for (int64_t epoch = 0; (double)(nanoseconds() - began) < SECONDS * 1e9; epoch++) {
        data_order(run->data, run->seed, epoch, run->epoch_order);
        for (int64_t first = 0; first + batch <= rows; first += batch, batches++) {
            for (int64_t i = 0; i < batch; i++) run->batch_example[i] = run->epoch_order[first + i];
            TRY(step_load(&run->step, PART_TRAIN, run->batch_example, batch));
        }
    }
    *ns = (double)(nanoseconds() - began) / (double)batches;
    return KNACK_OK;
}

static knack_status put_row(struct table *table, const char *workload, const struct options *options)
{
    struct workload w;
    struct run *run;
    struct arm arm = {.workload = workload, .threads = options->threads};
    double ns = 0;
    TRY(workload_find(workload, &w));
    TRY(opened_run(&w, options, (struct run_request){.in_memory = true}, &run));
    knack_status status = time_batches(run, &ns);
    double bytes = (double)(run->data->width * run->settings.batch) * sizeof(knack_real);
    run_close(run);
    TRY(status);
    TRY(arms_measure(&arm, 1, 3, SECONDS));
    table_text(table, workload);
    table_number(table, ns * 1e-3, 1);
    table_number(table, 1e9 / ns, 0);
    table_number(table, bytes / ns, 2);
    table_digits(table, 100 * ns / arm_step(&arm));
    return KNACK_OK;
}

knack_status bench_data(const struct options *options)
{
    static const char *const columns[] = {"workload", "us a batch", "batches/s", "GB/s", "% of a step", NULL};
    struct table table;
    TRY(table_begin(&table, columns));
    for (int64_t i = 0; bench_workload(options, i); i++) TRY(put_row(&table, bench_workload(options, i), options));
    return table_end(&table, options->json);
}
