#include "compare/analysis/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

int result_table_decimals(const struct analysis *analysis)
{
    int64_t count = analysis->plan->contrasts, known = 0;
    double *half = memory_new((size_t)count, sizeof *half);
    if (!half) return -1;
    for (int64_t c = 0; c < count; c++) {
        struct interval ci = analysis->contrast[c].estimate.ci;
        double size = (ci.high - ci.low) / 2 * analysis->percent;
        if (isfinite(size) && size > 0) half[known++] = size;
    }
    int decimals = known > 0 ? number_decimals(numbers_median(half, known), 10) : analysis->percent > 1 ? 2 : 4;
    memory_free(half);
    return decimals < 1 ? 1 : decimals > 6 ? 6 : decimals;
}

/* ---- Cells ---- */

static struct table_cell *put(struct table_cell *cell, double value)
{
    cell->number[0] = value;
    for (int i = 1; i < TABLE_NUMBERS; i++) cell->number[i] = NAN;
    return cell;
}

static void put_effect(const struct analysis *analysis, struct table_cell *cell, double delta, struct interval ci, int decimals)
{
    struct interval shown = analysis_shown_interval(analysis, ci);
    put(cell, analysis_shown(analysis, delta));
    cell->number[1] = shown.low;
    cell->number[2] = shown.high;
    number_signed(cell->text, cell->number[0], decimals);
    if (!isnan(shown.low) && !isnan(shown.high)) number_interval(cell->below, shown.low, shown.high, decimals);
}

/* Passes of a whole training; CPU time where it says something else. */
static void put_cost(struct table_cell *cell, const struct cost *cost)
{
    char cpu[NUMBER_SIZE];
    number_ratio(cell->text, put(cell, cost->counted)->number[0]);
    cell->number[1] = cost->cpu;
    cell->number[2] = cost->cpu_ci.low;
    cell->number[3] = cost->cpu_ci.high;
    if (isfinite(cost->cpu) && !isnan(cost->counted) && fabs(cost->cpu / cost->counted - 1) > .05)
        snprintf(cell->below, sizeof cell->below, "CPU %.40s", number_ratio(cpu, cost->cpu));
}

static void fill_row(const struct analysis *analysis, const struct contrast_result *result, struct table_cell *cell, int decimals)
{
    const struct estimate *estimate = &result->estimate;
    const struct interval none = {NAN, NAN};
    put(&cell[TABLE_N], (double)estimate->n)->number[1] = (double)result->failed;
    snprintf(cell[TABLE_N].text, NUMBER_SIZE, result->failed > 0 ? "%" PRId64 " (%" PRId64 ")" : "%" PRId64, estimate->n, result->failed);
    number_fixed(cell[TABLE_BASE].text, put(&cell[TABLE_BASE], analysis->percent * result->base_mean)->number[0], decimals);
    number_fixed(cell[TABLE_MEAN].text, put(&cell[TABLE_MEAN], analysis->percent * result->arm_mean)->number[0], decimals);
    put_effect(analysis, &cell[TABLE_DELTA], estimate->delta, estimate->ci, decimals);
    analysis_p(analysis, cell[TABLE_P].text, put(&cell[TABLE_P], result->p)->number[0]);
    analysis_p(analysis, cell[TABLE_ADJUSTED].text, put(&cell[TABLE_ADJUSTED], result->p_adjusted)->number[0]);
    number_short(cell[TABLE_WINS].text, put(&cell[TABLE_WINS], estimate->n > 0 ? estimate->wins : NAN)->number[0]);
    number_fixed(cell[TABLE_SPREAD].text, put(&cell[TABLE_SPREAD], analysis->percent * estimate->s_d)->number[0], decimals);
    number_fixed(cell[TABLE_VRF].text, put(&cell[TABLE_VRF], estimate->vrf)->number[0], 1);
    put_effect(analysis, &cell[TABLE_TRANSFER], NAN, result->two_level.known ? result->two_level.transfer : none, decimals);
    if (*cell[TABLE_TRANSFER].below) strcpy(cell[TABLE_TRANSFER].text, cell[TABLE_TRANSFER].below);
    cell[TABLE_TRANSFER].below[0] = '\0';
    put_cost(&cell[TABLE_COST], &result->costs);
    bool equal = result->at_equal_cost.n > 0;
    put_effect(analysis, &cell[TABLE_EQUAL], equal ? result->at_equal_cost.delta : NAN, equal ? result->at_equal_cost.ci : none, decimals);
    if (result->equal_cost_missing) strcpy(cell[TABLE_EQUAL].text, "not measured");
}

/* ---- The whole ---- */

static void head(struct result_table *table)
{
    static const struct table_heading headings[TABLE_COLUMNS] = {
        [TABLE_N] = {"n", "", "n", {"n", "failed"}},
        [TABLE_BASE] = {"Base", "mean", "base", {"base_mean"}},
        [TABLE_MEAN] = {"Arm", "mean", "mean", {"mean"}},
        [TABLE_DELTA] = {"\u0394", "95 % CI", "delta [95% CI]", {"delta", "delta_low", "delta_high"}},
        [TABLE_P] = {"p", "", "p", {"p"}},
        [TABLE_ADJUSTED] = {"p", "Holm", "Holm p", {"p_holm"}},
        [TABLE_WINS] = {"Wins", "", "wins", {"wins"}},
        [TABLE_SPREAD] = {"SD", "of \u0394", "SD", {"s_d"}},
        [TABLE_VRF] = {"VRF", "", "VRF", {"vrf"}},
        [TABLE_TRANSFER] = {"Transfer", "95 % CI", "transfer", {NULL, "transfer_low", "transfer_high"}},
        [TABLE_COST] = {"Cost", "", "cost", {"cost", "cpu_cost", "cpu_cost_low", "cpu_cost_high"}},
        [TABLE_EQUAL] = {"\u0394 at equal cost",
                         "95 % CI",
                         "at equal cost",
                         {"delta_equal_cost", "delta_equal_cost_low", "delta_equal_cost_high"}},
    };
    const struct analysis *analysis = table->analysis;
    memcpy(table->heading, headings, sizeof headings);
    if (analysis->screening) table->heading[TABLE_ADJUSTED] = (struct table_heading){"q", "BH", "q", {"q"}};
    for (int64_t r = 0; r < table->rows; r++)
        if (analysis->contrast[r].failed > 0) {
            table->heading[TABLE_N].below = "failed";
            table->heading[TABLE_N].plain = "n (failed)";
        }
    for (int i = 0; i < TABLE_COLUMNS; i++)
        for (int64_t r = 0; r < table->rows; r++) table->shown[i] |= strcmp(table->cell[r][i].text, "-") != 0;
    bool several = analysis->family_size[0] > 1 || analysis->family_size[1] > 1;
    table->shown[TABLE_ADJUSTED] &= several;
    table->shown[TABLE_EQUAL] &= analysis->plan->design != DESIGN_SCREEN;
    table->shown[TABLE_DELTA] = true;
}

knack_status result_table_new(const struct analysis *analysis, struct result_table *table)
{
    int decimals = result_table_decimals(analysis);
    *table = (struct result_table){.analysis = analysis, .rows = analysis->plan->contrasts};
    table->cell = decimals < 0 ? NULL : memory_new((size_t)table->rows, sizeof *table->cell);
    if (!table->cell) return KNACK_E_MEMORY;
    for (int64_t r = 0; r < table->rows; r++) fill_row(analysis, &analysis->contrast[r], table->cell[r], decimals);
    head(table);
    return KNACK_OK;
}

void result_table_free(struct result_table *table)
{
    memory_free(table->cell);
    *table = (struct result_table){0};
}

const char *result_table_sentence(const struct verdict *verdict)
{
    const char *sentence = verdict->sentence ? verdict->sentence : "";
    size_t word = verdict->word ? strlen(verdict->word) : 0;
    if (word == 0 || strncmp(sentence, verdict->word, word) != 0) return sentence;
    return sentence + word + strspn(sentence + word, ": ");
}
