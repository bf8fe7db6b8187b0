/* values.csv: a row for each trial. */
#include <math.h>
#include <stdio.h>

#include "base/growing.h"
#include "base/text.h"
#include "compare/report/report.h"

/* Empty for NaN. */
static void put_number(struct growing *sheet, double value)
{
    char number[32];
    growing_put_text(sheet, ",");
    if (!isnan(value)) growing_put_field(sheet, text_number(number, value));
}

/* mean minus baseline in this seed, where both trials are. */
static double difference_of(const struct analysis *analysis, int64_t arm, int64_t i)
{
    const struct arm_result *base = &analysis->arm[0], *own = &analysis->arm[arm];
    for (int64_t k = 0; arm > 0 && k < base->n; k++)
        if (base->seed[k] == own->seed[i]) return own->value[i] - base->value[k];
    return NAN;
}

static void put_trial(struct growing *sheet, const struct analysis *analysis, int64_t arm, int64_t i)
{
    const struct arm_result *result = &analysis->arm[arm];
    char seed[32];
    growing_put_field(sheet, result->arm->name);
    growing_put_text(sheet, ",");
    growing_put_field(sheet, arm_kind_name[result->arm->kind]);
    snprintf(seed, sizeof seed, ",%lld,", (long long)result->seed[i]);
    growing_put_text(sheet, seed);
    growing_put_field(sheet, trial_status_name[result->trial[i]->status]);
    put_number(sheet, result->value[i]);
    put_number(sheet, difference_of(analysis, arm, i));
    growing_put_text(sheet, ",");
    growing_put_field(sheet, result->trial[i]->message);
    growing_put_text(sheet, "\n");
}

char *report_csv(const struct analysis *analysis)
{
    struct growing sheet = {0};
    static const char heading[] = "arm,kind,seed,status,value,difference,message\n";
    growing_put_text(&sheet, heading);
    for (int64_t a = 0; a < analysis->plan->arms; a++)
        for (int64_t i = 0; i < analysis->arm[a].n; i++) put_trial(&sheet, analysis, a, i);
    return growing_take(&sheet);
}
