/* values.csv: a row for each trial. And the result table as CSV and as Markdown: a row for each contrast. */
#include <math.h>
#include <stdio.h>

#include "base/growing.h"
#include "base/text.h"
#include "compare/analysis/table.h"
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

/* ---- The result table ---- */

static void put_table_csv(struct growing *sheet, const struct result_table *table)
{
    growing_put_text(sheet, "comparison");
    for (int i = 0; i < TABLE_COLUMNS; i++)
        for (int k = 0; k < TABLE_NUMBERS; k++) {
            if (!table->heading[i].name[k]) continue;
            growing_put_text(sheet, ",");
            growing_put_text(sheet, table->heading[i].name[k]);
        }
    growing_put_text(sheet, ",verdict_kind,verdict\n");
    for (int64_t r = 0; r < table->rows; r++) {
        const struct contrast_result *result = &table->analysis->contrast[r];
        growing_put_field(sheet, result->title);
        for (int i = 0; i < TABLE_COLUMNS; i++)
            for (int k = 0; k < TABLE_NUMBERS; k++)
                if (table->heading[i].name[k]) put_number(sheet, table->cell[r][i].number[k]);
        growing_put_text(sheet, ",");
        growing_put_field(sheet, verdict_kind_name[result->verdict.kind]);
        growing_put_text(sheet, ",");
        growing_put_field(sheet, result->verdict.word);
        growing_put_text(sheet, "\n");
    }
}

/* A cell, with what would end it escaped. below: "" for nothing. */
static void put_markdown(struct growing *sheet, const char *text, const char *below)
{
    growing_put_text(sheet, "| ");
    for (; *text; text++) {
        if (*text == '|' || *text == '<') growing_put_text(sheet, "\\");
        growing_put(sheet, text, 1);
    }
    if (*below) growing_put_text(sheet, " (");
    growing_put_text(sheet, below);
    growing_put_text(sheet, *below ? ") " : " ");
}

static void put_table_markdown(struct growing *sheet, const struct result_table *table)
{
    put_markdown(sheet, "Comparison", "");
    for (int i = 0; i < TABLE_COLUMNS; i++)
        if (table->shown[i]) put_markdown(sheet, table->heading[i].text, table->heading[i].below);
    growing_put_text(sheet, "| Verdict |\n| --- ");
    for (int i = 0; i < TABLE_COLUMNS; i++)
        if (table->shown[i]) growing_put_text(sheet, "| ---: ");
    growing_put_text(sheet, "| --- |\n");
    for (int64_t r = 0; r < table->rows; r++) {
        put_markdown(sheet, table->analysis->contrast[r].title, "");
        for (int i = 0; i < TABLE_COLUMNS; i++)
            if (table->shown[i]) put_markdown(sheet, table->cell[r][i].text, table->cell[r][i].below);
        put_markdown(sheet, table->analysis->contrast[r].verdict.word, "");
        growing_put_text(sheet, "|\n");
    }
}

char *report_table(const struct analysis *analysis, bool markdown)
{
    struct result_table table;
    struct growing sheet = {0};
    if (result_table_new(analysis, &table) < 0) return NULL;
    (markdown ? put_table_markdown : put_table_csv)(&sheet, &table);
    result_table_free(&table);
    return growing_take(&sheet);
}
