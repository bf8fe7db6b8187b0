/* bench growth: how a step's time grows with one size at a time. */
#include "arms.h"
#include "table.h"

#include <string.h>

#include "base/memory.h"

enum { ROUNDS = 3, POINTS_MOST = 12 };
static const double SECONDS = 0.4;

enum axis { BATCH, WIDTH, DEPTH, TOKENS, PARAMETERS };
static const char *const axis_name[] = {"batch", "width", "depth", "tokens", "parameters"};

/* Values of one axis, 0 ends. PARAMETERS: widths that give about 1e3, 1e4, ... 1e8. */
static const struct series {
    const char *workload;
    enum axis axis;
    int64_t at[POINTS_MOST];
} series[] = {
    {"mlp", BATCH, {1, 4, 16, 64, 256, 1024, 4096}},
    {"cnn", BATCH, {1, 4, 16, 64, 256}},
    {"encoder", BATCH, {1, 4, 16, 64}},
    {"mlp", WIDTH, {8, 32, 128, 512, 2048}},
    {"encoder", WIDTH, {32, 64, 128, 256, 512}},
    {"mlp", DEPTH, {1, 2, 4, 8}},
    {"resnet20", DEPTH, {8, 14, 20, 32, 56}},
    {"encoder", DEPTH, {1, 2, 4, 8}},
    {"encoder", TOKENS, {16, 32, 64, 128, 256, 512}},
    {"mlp", PARAMETERS, {1, 12, 103, 681, 2790, 9610}},
};

static void set_size(struct arm *arm, enum axis axis, int64_t value)
{
    if (axis == BATCH) arm->batch = value;
    if (axis == WIDTH || axis == PARAMETERS) arm->width = value;
    if (axis == DEPTH) arm->depth = value;
    if (axis == TOKENS) arm->tokens = value;
    if (axis == PARAMETERS) arm->batch = 32;
}

static knack_status put_point(struct table *table, const struct series *s, int64_t value, const struct options *options)
{
    struct arm arm[2] = {{.workload = "product", .threads = options->threads}, {.workload = s->workload, .threads = options->threads}};
    set_size(&arm[1], s->axis, value);
    fprintf(stderr, "growth: %s, %s %lld\n", s->workload, s->axis == PARAMETERS ? "width" : axis_name[s->axis], (long long)value);
    TRY(arms_measure(arm, 2, options->rounds ? options->rounds : ROUNDS, options->seconds ? options->seconds : SECONDS));
    double rate = arm[0].arithmetic / arm[0].best;
    table_text(table, s->workload);
    table_text(table, axis_name[s->axis]);
    table_number(table, s->axis == PARAMETERS ? arm[1].parameters : (double)value, 0);
    table_number(table, arm[1].parameters, 0);
    table_digits(table, arm[1].arithmetic * 1e-9);
    table_digits(table, arm_step(&arm[1]) * 1e-6);
    table_digits(table, arm[1].arithmetic / rate * 1e-6);
    table_number(table, 100 * arm_share(&arm[1], &arm[0]), 0);
    table_number(table, arm[1].peak / 1048576, 0);
    return KNACK_OK;
}

knack_status bench_growth(const struct options *options)
{
    static const char *const columns[] = {"workload",     "size", "value", "parameters", "GFLOP", "ms", "ms of its arithmetic",
                                          "% of product", "MB",   NULL};
    struct table table;
    TRY(table_begin(&table, columns));
    for (size_t i = 0; i < sizeof series / sizeof *series; i++)
        for (int p = 0; p < POINTS_MOST && series[i].at[p]; p++) TRY(put_point(&table, &series[i], series[i].at[p], options));
    return table_end(&table, options->json);
}
