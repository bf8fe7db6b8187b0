/* bench hooks: what it costs to call a hook that does nothing. */
#include "opened.h"
#include "table.h"

#include <stdio.h>

#include "train/state.h"

enum { TRICKS = 16, CALLS = 200000, ROUNDS = 9 };

/* Nanoseconds that one trick's share of a slot takes. */
static double time_slot(struct run *run, enum slot slot)
{
    uint64_t began = nanoseconds();
    for (int i = 0; i < CALLS; i++) tricks_hook(run, slot, &run->step);
    return (double)(nanoseconds() - began) / CALLS / TRICKS;
}

/* A hook's call reads the clock before and after. */
static double time_clock(void)
{
    uint64_t began = nanoseconds(), sum = 0;
    for (int i = 0; i < CALLS; i++) sum += nanoseconds() & 1;
    return 2 * (double)(nanoseconds() - began) / (CALLS + (double)(sum & 1));
}

static knack_status put_times(struct run *run, const struct options *options)
{
    static const char *const columns[] = {"what", "ns", "target", NULL};
    double called[ROUNDS], clocks[ROUNDS], absent[ROUNDS];
    struct table table;
    for (int i = 0; i < ROUNDS; i++) {
        called[i] = time_slot(run, SLOT_POST_STEP);
        clocks[i] = time_clock();
        absent[i] = time_slot(run, SLOT_PRE_STEP);
    }
    double whole = median(called, ROUNDS), timer = median(clocks, ROUNDS);
    TRY(table_begin(&table, columns));
    table_text(&table, "a hook that does nothing, with its timer");
    table_number(&table, whole, 1);
    table_target(&table, whole <= 60, "at most 60");
    table_text(&table, "the clock, read twice");
    table_number(&table, timer, 1);
    table_none(&table);
    table_text(&table, "so, without the timer");
    table_number(&table, whole - timer, 1);
    table_target(&table, whole - timer <= 10, "at most 10");
    table_text(&table, "a trick that has no hook there");
    table_number(&table, median(absent, ROUNDS), 1);
    table_none(&table);
    return table_end(&table, options->json);
}

/* A run of mlp-tiny with so many idle tricks. */
static knack_status open_run(struct run **run)
{
    struct workload w;
    char plugins[64 * TRICKS];
    size_t used = 0;
    for (int i = 0; i < TRICKS; i++)
        used += (size_t)snprintf(plugins + used, sizeof plugins - used, "%s{\"name\": \"idle\", \"as\": \"idle-%d\"}", i ? ", " : "", i);
    TRY(workload_find("mlp-tiny", &w));
    return opened_run(&w, &(struct options){.threads = 1, .plugins = plugins}, (struct run_request){.in_memory = true}, run);
}

knack_status bench_hooks(const struct options *options)
{
    struct run *run;
    TRY(open_run(&run));
    knack_status status = put_times(run, options);
    run_close(run);
    return status;
}
