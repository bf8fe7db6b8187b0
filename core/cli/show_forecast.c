#include "cli/show_forecast.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "cli/columns.h"
#include "train/metrics.h"

/* ---- JSON ---- */

static knack_status print_json(const struct forecast *forecast)
{
    const struct plan *plan = forecast->plan;
    struct json_writer *w = json_writer_new(true);
    if (!w) return KNACK_E_MEMORY;
    json_open(w, NULL, '{');
    json_string(w, "name", plan->name);
    json_integer(w, "first_seed", plan->first_seed);
    json_integer(w, "seeds", plan->seeds);
    json_integer(w, "jobs", forecast->jobs);
    json_integer(w, "trials", forecast->planned);
    json_integer(w, "trials_most", forecast->most);
    json_integer(w, "done", forecast->done);
    json_integer(w, "taken_over", forecast->taken);
    json_number(w, "seconds", forecast->seconds);
    json_number(w, "seconds_most", forecast->seconds_most);
    json_number(w, "bytes", forecast->bytes);
    json_integer(w, "pilot_seeds", forecast->pilot);
    json_string(w, "pilot", forecast->pilot == 0 ? NULL : forecast->on_tuning_seeds ? "tuning seeds" : "folder");
    json_open(w, "arms", '[');
    for (int64_t a = 0; a < plan->arms; a++) {
        json_open(w, NULL, '{');
        json_string(w, "name", plan->arm[a].name);
        json_integer(w, "trials", forecast->arm[a].planned);
        json_integer(w, "done", forecast->arm[a].done);
        json_number(w, "trial_seconds", forecast->arm[a].seconds);
        json_close(w);
    }
    json_close(w);
    json_open(w, "contrasts", '[');
    for (int64_t c = 0; c < plan->contrasts; c++) {
        json_open(w, NULL, '{');
        json_string(w, "name", plan->contrast[c].name);
        json_number(w, "deviation", forecast->contrast[c].deviation);
        json_number(w, "detectable", forecast->contrast[c].detectable);
        if (forecast->contrast[c].needed > 0) json_integer(w, "seeds_for_margin", forecast->contrast[c].needed);
        json_close(w);
    }
    json_close(w);
    json_close(w);
    return console_print_json(w);
}

/* ---- Text ---- */

static void cell(struct columns *table, int64_t count)
{
    char number[NUMBER_SIZE];
    columns_cell(table, number_count(number, count));
}

static knack_status print_arms(const struct console *console, const struct forecast *forecast)
{
    static const char *const heading[] = {"arm", ">trials", ">done", ">a trial"};
    struct columns *table = columns_new(4, heading);
    char number[NUMBER_SIZE];
    if (!table) return KNACK_E_MEMORY;
    for (int64_t a = 0; a < forecast->plan->arms; a++) {
        columns_cell(table, forecast->plan->arm[a].name);
        cell(table, forecast->arm[a].planned);
        cell(table, forecast->arm[a].done);
        columns_cell(table, isnan(forecast->arm[a].seconds) ? "-" : number_duration(number, forecast->arm[a].seconds));
    }
    return columns_print(table, console);
}

static void print_sums(const struct forecast *forecast)
{
    char trials[NUMBER_SIZE], time[NUMBER_SIZE], jobs[NUMBER_SIZE], most[NUMBER_SIZE], size[NUMBER_SIZE];
    printf("\nto make      %s, about %s with %s at once", number_of(trials, forecast->planned - forecast->done, "trial"),
           isnan(forecast->seconds) ? "an unknown time" : number_duration(time, forecast->seconds), number_count(jobs, forecast->jobs));
    if (forecast->most > forecast->planned)
        printf("; if results ask for all: %s, %s", number_of(most, forecast->most - forecast->done, "trial"),
               isnan(forecast->seconds_most) ? "an unknown time" : number_duration(time, forecast->seconds_most));
    printf("\ndisk         about %s MB\n", number_short(size, ceil(forecast->bytes / 1e4) / 100));
    if (forecast->done > forecast->taken)
        printf("done         %s, in the folder\n", number_of(trials, forecast->done - forecast->taken, "trial"));
    if (forecast->taken > 0)
        printf("taken over   %s of the baseline, from other comparisons (--no-cache trains them)\n",
               number_of(trials, forecast->taken, "trial"));
}

static void print_power(const struct forecast *forecast)
{
    const struct plan *plan = forecast->plan;
    bool share = metric_is_share(plan->metric);
    char number[NUMBER_SIZE], seeds[NUMBER_SIZE], found[NUMBER_SIZE];
    if (forecast->pilot == 0) {
        puts("power        not known: --pilot 3 trains 3 seeds for it");
        return;
    }
    for (int64_t c = 0; c < plan->contrasts; c++) {
        const struct forecast_contrast *contrast = &forecast->contrast[c];
        if (isnan(contrast->deviation)) continue;
        printf("power        %s: %s find %s%s", plan->contrast[c].name, number_of(seeds, plan->seeds, "seed"),
               number_short(found, number_round((share ? 100 : 1) * contrast->detectable, 2)), share ? " points" : "");
        if (contrast->needed > 0)
            printf("; the margin of %s%s takes about %s", number_short(number, (share ? 100 : 1) * plan->margin), share ? " points" : "",
                   number_of(seeds, contrast->needed, "seed"));
        putchar('\n');
    }
    printf("             with 80 %% power at the family's level, by the differences of %s%s\n", number_of(seeds, forecast->pilot, "seed"),
           forecast->on_tuning_seeds ? " for tuning, from 0 on, which are gone: nothing was read of the seeds that will judge"
                                     : " in the folder");
}

knack_status show_forecast(const struct console *console, const struct forecast *forecast)
{
    const struct plan *plan = forecast->plan;
    if (console->json) return print_json(forecast);
    printf("%s: %lld arms, seeds %lld to %lld, %s.%s, dry run\n\n", plan->name, (long long)plan_own_arms(plan), (long long)plan->first_seed,
           (long long)(plan->first_seed + plan->seeds - 1), plan->part, plan->metric);
    TRY(print_arms(console, forecast));
    print_sums(forecast);
    print_power(forecast);
    return console_flush();
}
