/* bench scaling: what two threads, and products in bf16, gain over one thread in f32, and whether threads leave every bit as it is. */
#include "arms.h"
#include "table.h"

#include <string.h>

enum { ROUNDS = 5, STEPS = 3 };
enum { ONE, TWO, ONE_BF16, TWO_BF16, ARMS };

static void put_gain(struct table *table, double gain, double target)
{
    char text[64];
    table_number(table, gain, 2);
    snprintf(text, sizeof text, "%.2f", target);
    if (target > 0)
        table_target(table, gain >= target, text);
    else
        table_none(table);
}

static void put_row(struct table *table, const struct workload *w, const struct arm arm[ARMS], bool same)
{
    table_text(table, w->name);
    table_digits(table, arm_step(&arm[ONE]) * 1e-6);
    table_digits(table, arm_step(&arm[TWO]) * 1e-6);
    put_gain(table, arm_ratio(&arm[ONE], &arm[TWO]), w->target.two_threads);
    table_text(table, same ? "yes" : "**no**");
    table_digits(table, arm_step(&arm[ONE_BF16]) * 1e-6);
    put_gain(table, arm_ratio(&arm[ONE], &arm[ONE_BF16]), w->target.bf16);
    table_digits(table, arm_step(&arm[TWO_BF16]) * 1e-6);
    table_number(table, arm_ratio(&arm[ONE_BF16], &arm[TWO_BF16]), 2);
}

/* Whether the weights are the same after a few steps. */
static knack_status compare_bits(struct arm arm[ARMS], bool *same)
{
    char hash[ARMS][32];
    for (int i = 0; i < ARMS; i++) TRY(arm_steps(&arm[i], STEPS, hash[i]));
    *same = strcmp(hash[ONE], hash[TWO]) == 0 && strcmp(hash[ONE_BF16], hash[TWO_BF16]) == 0;
    return KNACK_OK;
}

static knack_status scale(const char *name, const struct options *options, struct table *table)
{
    struct workload w;
    bool same = false;
    struct arm arm[ARMS] = {[ONE] = {.threads = 1},
                            [TWO] = {.threads = 2},
                            [ONE_BF16] = {.threads = 1, .bf16 = true},
                            [TWO_BF16] = {.threads = 2, .bf16 = true}};
    TRY(workload_find(name, &w));
    knack_status status = KNACK_OK;
    for (int i = 0; i < ARMS; i++) arm[i].workload = name;
    for (int i = 0; i < ARMS && status >= 0; i++) status = arm_start(&arm[i]);
    if (status >= 0) status = compare_bits(arm, &same);
    if (status >= 0)
        status = arms_take_turns(arm, ARMS, options->rounds ? options->rounds : ROUNDS, options->seconds ? options->seconds : 1);
    for (int i = 0; i < ARMS; i++) arm_end(&arm[i]);
    if (status >= 0) put_row(table, &w, arm, same);
    return status;
}

knack_status bench_scaling(const struct options *options)
{
    static const char *const columns[] = {
        "workload",        "ms, 1 thread",        "ms, 2 threads", "gain", "target for 2 threads", "same bits", "ms, bf16", "gain over f32",
        "target for bf16", "ms, bf16, 2 threads", "gain over 1",   NULL};
    struct table table;
    TRY(table_begin(&table, columns));
    for (int64_t i = 0; bench_workload(options, i); i++) TRY(scale(bench_workload(options, i), options, &table));
    return table_end(&table, options->json);
}
