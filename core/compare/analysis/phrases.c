#include "compare/analysis/phrases.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool phrase_in_points(const struct analysis *analysis)
{
    return analysis->percent == 100;
}

const char *phrase_metric(const struct analysis *analysis, char buffer[64])
{
    bool test = strcmp(analysis->plan->part, "test") == 0;
    snprintf(buffer, 64, "%s%s%s", test ? "" : analysis->plan->part, test ? "" : " ", analysis->plan->metric);
    return buffer;
}

const char *phrase_margin(const struct analysis *analysis, char buffer[64])
{
    char number[NUMBER_SIZE];
    number_short(number, analysis->percent * analysis->plan->margin);
    snprintf(buffer, 64, phrase_in_points(analysis) ? "%s point%s" : "%s", number, number_s(number));
    return buffer;
}

int phrase_decimals(const struct analysis *analysis, struct interval interval, double steps)
{
    return number_decimals(analysis->percent * (interval.high - interval.low) / 2, steps);
}

const char *phrase_amount(const struct analysis *analysis, double difference, int decimals, char buffer[192])
{
    char number[NUMBER_SIZE], metric[64];
    number_signed(number, analysis_shown(analysis, difference), decimals);
    phrase_metric(analysis, metric);
    if (phrase_in_points(analysis))
        snprintf(buffer, 192, "%s point%s %s", number, number_s(number), metric);
    else
        snprintf(buffer, 192, "%s %s", metric, number);
    return buffer;
}

const char *phrase_interval(const struct analysis *analysis, struct interval interval, int decimals, char buffer[128])
{
    char low[NUMBER_SIZE], high[NUMBER_SIZE];
    struct interval shown = analysis_shown_interval(analysis, interval);
    snprintf(buffer, 128, "%s to %s", number_bound(low, shown.low, decimals), number_bound(high, shown.high, decimals));
    return buffer;
}

const char *phrase_interval_name(const struct plan *plan, const struct estimate *estimate)
{
    if (plan->stopping == STOP_LOOKS) return "95% repeated CI";
    return plan->stopping == STOP_DECIDED || estimate->extended ? "95% confidence sequence" : "95% CI";
}

const char *phrase_cost(const struct contrast_result *result, char buffer[128])
{
    char passes[NUMBER_SIZE], time[NUMBER_SIZE], least[NUMBER_SIZE];
    double counted = result->costs.counted, cpu = result->costs.cpu;
    number_fixed(passes, counted, 2);
    number_fixed(time, cpu, 2);
    buffer[0] = '\0';
    if (isnan(counted)) return buffer;
    if (result->costs.differs && fabs(result->costs.at / counted - 1) > 1e-9) /* the lower end of the time's interval is what counts */
        snprintf(buffer, 128, "costs %.24sx, in CPU time %.24sx, at least %.24sx", passes, time, number_fixed(least, result->costs.at, 2));
    else if (!isnan(cpu) && fabs(cpu / counted - 1) > .05)
        snprintf(buffer, 128, "costs %sx, in CPU time %sx", passes, time);
    else if (fabs(counted - 1) >= .005)
        snprintf(buffer, 128, "costs %sx", passes);
    return buffer;
}

const char *phrase_budget(const struct analysis *analysis, char buffer[192])
{
    const struct convergence *convergence = &analysis->convergence;
    char gain[192], epochs[NUMBER_SIZE], factor[NUMBER_SIZE], times[64];
    buffer[0] = '\0';
    if (!convergence->known || convergence->enough) return buffer;
    phrase_amount(analysis, convergence->gain, phrase_in_points(analysis) ? 1 : 3, gain);
    number_short(epochs, (double)analysis->plan->epochs);
    snprintf(times, sizeof times, "%s times as many", number_short(factor, convergence->factor));
    snprintf(buffer, 192, "for %s epoch%s only: %s gain the baseline %.40s", analysis->plan->epochs > 0 ? epochs : "this many",
             analysis->plan->epochs == 1 ? "" : "s", convergence->factor == 2 ? "twice as many" : times, gain);
    return buffer;
}

int64_t phrase_trials(const struct plan *plan, const struct contrast_result *result, bool on)
{
    int64_t arms = 0;
    for (int64_t a = 0; a < plan->arms; a++) arms += on ? result->contrast->weight[a] > 0 : result->contrast->weight[a] < 0;
    return arms * result->estimate.n;
}
