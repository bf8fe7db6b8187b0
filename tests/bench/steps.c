/* bench steps: how long a step of each workload takes, and how near that is to what the machine can do. */
#include "arms.h"
#include "table.h"

#include "base/memory.h"
#include "base/text.h"

enum { ROUNDS = 5, WORKLOADS_MOST = 15, ARMS_MOST = 2 * WORKLOADS_MOST + 1 };
static const double SECONDS = 0.6;

static const char *const columns[] = {"workload", "GFLOP", "ms", "tenths", "GFLOP/s", "% of product", "target", "faults", "MB", NULL};
static const char *const columns_against[] = {"workload", "GFLOP",  "ms", "tenths",      "GFLOP/s", "% of product",
                                              "target",   "faults", "MB", "ms of other", "ratio",   NULL};

/* Targets are for the workload as it is, with one thread in f32. */
static void put_target(struct table *table, const struct arm *arm, double share)
{
    struct workload w;
    char text[64], number[48];
    bool own =
        arm->threads == 1 && !arm->bf16 && !(arm->plugins && arm->plugins[0]) && !arm->batch && !arm->width && !arm->depth && !arm->tokens;
    bool known = own && workload_find(arm->workload, &w) == KNACK_OK;
    if (known && w.target.share > 0) {
        snprintf(text, sizeof text, "%s %%", text_fixed(number, 100 * w.target.share, 0));
        table_target(table, share >= w.target.share, text);
    } else if (known && w.target.ms > 0) {
        snprintf(text, sizeof text, "%s ms", text_fixed(number, w.target.ms, 3));
        table_target(table, arm_step(arm) * 1e-6 <= w.target.ms, text);
    } else {
        table_none(table);
    }
}

static void put_row(struct table *table, const struct arm *arm, const struct arm *product)
{
    char text[128], number[2][48];
    double ms = arm_step(arm) * 1e-6, low, high;
    int decimals = ms < 1 ? 4 : ms < 100 ? 2 : 0;
    table_text(table, arm->workload);
    table_digits(table, arm->arithmetic * 1e-9);
    table_number(table, ms, decimals);
    arm_tenths(arm, &low, &high);
    snprintf(text, sizeof text, "%s to %s%s", text_fixed(number[0], low * 1e-6, decimals), text_fixed(number[1], high * 1e-6, decimals),
             arm_is_short(arm) ? " *" : "");
    table_text(table, text);
    table_number(table, arm->arithmetic / arm_step(arm), 0);
    table_number(table, 100 * arm_share(arm, product), 1);
    put_target(table, arm, arm_share(arm, product));
    table_digits(table, arm->faults);
    table_number(table, arm->peak / 1048576, 0);
}

/* arm[0] is the product; then the workloads, each followed by the other build's. */
static knack_status put_table(const struct arm *arm, int64_t count, const struct options *options)
{
    struct table table;
    TRY(table_begin(&table, options->against ? columns_against : columns));
    for (int64_t i = 1; i < count; i++) {
        put_row(&table, &arm[i], &arm[0]);
        if (!options->against) continue;
        table_digits(&table, arm_step(&arm[i + 1]) * 1e-6);
        table_number(&table, arm_ratio(&arm[i + 1], &arm[i]), 3);
        i++;
    }
    TRY(table_end(&table, options->json));
    printf("\nms and tenths: medians over rounds. *: of fewer than ten steps a round: the fastest and the slowest of all\n");
    printf("\nproduct 1024 x 1024 x 1024, f32, %lld thread%s: best %.1f GFLOP/s, median %.1f\n", (long long)options->threads,
           options->threads == 1 ? "" : "s", arm[0].arithmetic / arm[0].best, arm[0].arithmetic / arm_step(&arm[0]));
    return KNACK_OK;
}

static void add_arm(struct arm *arm, int64_t *count, const char *workload, const char *program, const struct options *options)
{
    arm[(*count)++] = (struct arm){.workload = workload,
                                   .program = program,
                                   .threads = options->threads,
                                   .bf16 = options->bf16,
                                   .batch = options->batch,
                                   .width = options->width,
                                   .depth = options->depth,
                                   .tokens = options->tokens,
                                   .plugins = options->plugins};
}

knack_status bench_steps(const struct options *options)
{
    if (options->names > WORKLOADS_MOST) return status_set(KNACK_E_USAGE, "steps: at most %d workloads", WORKLOADS_MOST);
    struct arm *arm = memory_new(ARMS_MOST, sizeof *arm);
    if (!arm) return KNACK_E_MEMORY;
    int64_t count = 0;
    arm[count++] = (struct arm){.workload = "product", .threads = options->threads};
    for (int64_t i = 0; bench_workload(options, i); i++) {
        const char *name = bench_workload(options, i);
        add_arm(arm, &count, name, NULL, options);
        if (options->against) add_arm(arm, &count, name, options->against, options);
    }
    knack_status status =
        arms_measure(arm, count, options->rounds ? options->rounds : ROUNDS, options->seconds ? options->seconds : SECONDS);
    if (status >= 0) status = put_table(arm, count, options);
    memory_free(arm);
    return status;
}
