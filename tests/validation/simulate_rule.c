/* How often the whole rule errs, from plan to verdict, on comparisons of drawn trials: a row for each measure of each cell, and exit status
 * 1 if one is outside of what is accepted. Always the same numbers (Philox). docs/measured/rule.md has the table.
 *
 *   simulate_rule FILE [--only TEXT] [--part K/N] [--quick N]   runs the cells that FILE (CSV; "-": print only) lacks, and adds them
 *   simulate_rule --table FILE                                  prints them as Markdown: by measure, then by cell
 *   simulate_rule --cells                                       lists the cells
 *
 * --only: cells whose names hold a text; --quick: so many comparisons a cell, with four and a half standard errors of them allowed;
 * --must-break: exit status 0 only if something is outside, for the program with a fault. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule.h"

struct asked {
    const char *file, *only;
    int64_t part, parts, comparisons;
    bool must_break, table, cells;
};

static struct cell cell[CELLS_MOST];

/* ---- The file ---- */

/* "cell,measure,...": whether a row of this cell is there. */
static bool is_there(const char *file, const char *name)
{
    char line[512];
    size_t length = strlen(name);
    bool found = false;
    FILE *stream = strcmp(file, "-") == 0 ? NULL : fopen(file, "r");
    if (!stream) return false;
    while (!found && fgets(line, sizeof line, stream)) found = strncmp(line, name, length) == 0 && line[length] == ',';
    fclose(stream);
    return found;
}

/* One row; false: it is outside. */
static bool write_row(const struct cell *of, enum measure measure, const struct tally *tally, int64_t comparisons, char *row, size_t size)
{
    double low, high, rate = (double)tally->events[measure] / (double)tally->tries[measure];
    bool bounded = cell_accepts(of, measure, &low, &high);
    double allowed = comparisons < COMPARISONS ? 4.5 * sqrt(.05 * .95 / (double)comparisons) : 0;
    if (measure == AGREES_WITH_STORE || measure == SCREENING_CLAIMS) allowed = 0;
    bool good = rate >= low - allowed && rate <= high + allowed;
    snprintf(row, size, "%s,%s,%lld,%lld,%.4f,%g,%g,%s\n", of->name, measure_name[measure], (long long)comparisons,
             (long long)tally->tries[measure], rate, low, high,
             !bounded ? "shown"
             : good   ? "ok"
                      : "NOT");
    return good || !bounded;
}

/* All rows at once, so that a cell is there as a whole or not at all, and processes may share a file. */
static bool write_rows(const struct asked *asked, const struct cell *of, const struct tally *tally, bool *good)
{
    static char rows[MEASURES * 320];
    *rows = '\0';
    for (int m = 0; m < MEASURES; m++) {
        char row[320];
        if (tally->tries[m] == 0) continue;
        *good &= write_row(of, m, tally, asked->comparisons, row, sizeof row);
        strcat(rows, row);
    }
    FILE *stream = strcmp(asked->file, "-") == 0 ? stdout : fopen(asked->file, "a");
    bool written = stream && fputs(rows, stream) >= 0 && fflush(stream) == 0;
    if (stream && stream != stdout) written &= fclose(stream) == 0;
    return written;
}

/* ---- Tables ---- */

/* What the file has of a cell and measure. */
struct kept_row {
    bool there, bounded, good;
    double rate, low, high;
};
static struct kept_row kept[CELLS_MOST][MEASURES];

static void keep_row(char *line, int64_t cells)
{
    char *field[8] = {line};
    for (int i = 1; i < 8; i++) {
        field[i] = strchr(field[i - 1], ',');
        if (!field[i]) return;
        *field[i]++ = '\0';
    }
    for (int64_t c = 0; c < cells; c++)
        for (int m = 0; m < MEASURES && strcmp(cell[c].name, field[0]) == 0; m++)
            if (strcmp(measure_name[m], field[1]) == 0)
                kept[c][m] = (struct kept_row){.there = true,
                                               .bounded = strncmp(field[7], "shown", 5) != 0,
                                               .good = strncmp(field[7], "ok", 2) == 0,
                                               .rate = 100 * strtod(field[4], NULL),
                                               .low = 100 * strtod(field[5], NULL),
                                               .high = 100 * strtod(field[6], NULL)};
}

/* Cells with the same bound on the measure as `first`: how many, their least and largest, how many are outside. */
static void print_bound(const struct kept_row *first, int measure, int64_t cells)
{
    double least = 100, most = 0;
    int64_t count = 0, outside = 0;
    for (int64_t c = 0; c < cells; c++) {
        const struct kept_row *row = &kept[c][measure];
        if (!row->there || row->bounded != first->bounded || row->low != first->low || row->high != first->high) continue;
        least = fmin(least, row->rate);
        most = fmax(most, row->rate);
        outside += row->bounded && !row->good;
        count++;
    }
    char bound[64] = "shown only";
    if (first->bounded && first->low == 0) snprintf(bound, sizeof bound, "at most %g", first->high);
    if (first->bounded && first->low > 0)
        first->high == 100 ? snprintf(bound, sizeof bound, "at least %g", first->low)
                           : snprintf(bound, sizeof bound, "%g to %g", first->low, first->high);
    printf("| %s | %s | %lld | %.2f to %.2f | %lld |\n", measure_name[measure], bound, (long long)count, least, most, (long long)outside);
}

static void print_summary(int64_t cells)
{
    puts("| measure, in % | accepted | cells | measured | outside |\n|---|---|---|---|---|");
    for (int m = 0; m < MEASURES; m++)
        for (int64_t c = 0; c < cells; c++) {
            const struct kept_row *row = &kept[c][m];
            bool before = false;
            for (int64_t k = 0; k < c && row->there; k++)
                before |=
                    kept[k][m].there && kept[k][m].bounded == row->bounded && kept[k][m].low == row->low && kept[k][m].high == row->high;
            if (row->there && !before) print_bound(row, m, cells);
        }
}

/* One row a cell; in brackets what is only shown, in bold what is outside. */
static void print_cells(int64_t cells)
{
    static const struct {
        const char *title;
        enum measure measure;
    } column[] = {{"wrong effect", WRONG_EFFECT},
                  {"at any reading", WRONG_EFFECT_EVER},
                  {"wrong no difference", WRONG_SAME},
                  {"wrong not worth it", WRONG_NOT_WORTH},
                  {"of any arm", ANY_NOT_WORTH},
                  {"covers at updates", COVERS_UPDATES},
                  {"at cost", COVERS_COST},
                  {"verdict's", COVERS_PRINTED},
                  {"together", COVERS_TOGETHER},
                  {"upper limit", COVERS_UPPER},
                  {"next seed", COVERS_NEXT},
                  {"transfer", COVERS_TRANSFER},
                  {"HELPS or HURTS", FOUND}};
    enum { COLUMNS = sizeof column / sizeof *column };
    printf("\n| cell |");
    for (int i = 0; i < COLUMNS; i++) printf(" %s |", column[i].title);
    printf(" within |\n|---|");
    for (int i = 0; i < COLUMNS; i++) printf("---|");
    puts("---|");
    for (int64_t c = 0; c < cells; c++) {
        bool there = false, good = true;
        for (int m = 0; m < MEASURES; m++) {
            there |= kept[c][m].there;
            good &= !kept[c][m].there || !kept[c][m].bounded || kept[c][m].good;
        }
        if (!there) continue;
        printf("| %s |", cell[c].name);
        for (int i = 0; i < COLUMNS; i++) {
            const struct kept_row *row = &kept[c][column[i].measure];
            if (!row->there)
                printf(" |");
            else
                printf(!row->bounded ? " (%.2f) |" : row->good ? " %.2f |" : " **%.2f** |", row->rate);
        }
        puts(good ? " ok |" : " NOT |");
    }
}

static int print_tables(const char *file, int64_t cells)
{
    char line[512];
    FILE *stream = fopen(file, "r");
    if (!stream) {
        fprintf(stderr, "%s: cannot be read\n", file);
        return 2;
    }
    while (fgets(line, sizeof line, stream)) keep_row(line, cells);
    fclose(stream);
    print_summary(cells);
    print_cells(cells);
    return 0;
}

/* ---- Cells ---- */

/* Boundaries are found once for cells with the same looks, which come one after the other. */
static knack_status run_cell(const struct cell *of, int64_t comparisons, struct tally *tally)
{
    static struct look_schedule schedule;
    *tally = (struct tally){0};
    bool same = schedule.looks == of->looks && memcmp(schedule.look, of->look, sizeof schedule.look) == 0;
    if (of->looks > 0 && !same) TRY(look_schedule_make(of->look, of->looks, &schedule));
    for (int64_t i = 0; i < comparisons; i++)
        TRY((of->way == WAY_TRANSFER ? rule_transfer : rule_compare)(of, (uint32_t)i, schedule.bound, tally));
    return KNACK_OK;
}

static int run_cells(const struct asked *asked, int64_t cells)
{
    bool good = true;
    int64_t done = 0;
    for (int64_t i = 0; i < cells; i++) {
        struct tally tally;
        if (asked->only && !strstr(cell[i].name, asked->only)) continue;
        if (i % asked->parts != asked->part || is_there(asked->file, cell[i].name)) continue;
        if (run_cell(&cell[i], asked->comparisons, &tally) < 0) {
            fprintf(stderr, "%s: %s\n", cell[i].name, knack_error());
            return 2;
        }
        if (!write_rows(asked, &cell[i], &tally, &good)) {
            fprintf(stderr, "%s: cannot be written\n", asked->file);
            return 2;
        }
        done++;
    }
    fprintf(stderr, "%lld cells, %s\n", (long long)done, good ? "all within what is accepted" : "NOT all within what is accepted");
    if (done == 0 && asked->only) return 2;
    return good == asked->must_break;
}

/* ---- The command line ---- */

static bool read_words(int count, char **word, struct asked *asked)
{
    long long part = 1, parts = 1;
    *asked = (struct asked){.parts = 1, .comparisons = COMPARISONS};
    for (int i = 1; i < count; i++) {
        const char *next = i + 1 < count ? word[i + 1] : "";
        bool takes = strcmp(word[i], "--only") == 0 || strcmp(word[i], "--part") == 0 || strcmp(word[i], "--quick") == 0;
        if (strcmp(word[i], "--cells") == 0)
            asked->cells = true;
        else if (strcmp(word[i], "--must-break") == 0)
            asked->must_break = true;
        else if (strcmp(word[i], "--table") == 0)
            asked->table = true;
        else if (strcmp(word[i], "--only") == 0)
            asked->only = next;
        else if (strcmp(word[i], "--part") == 0 && sscanf(next, "%lld/%lld", &part, &parts) != 2)
            return false;
        else if (strcmp(word[i], "--quick") == 0)
            asked->comparisons = strtoll(next, NULL, 10);
        else if (!takes)
            asked->file = word[i];
        i += takes;
    }
    asked->part = part - 1;
    asked->parts = parts;
    return (asked->file || asked->cells) && asked->comparisons > 0 && parts >= part && part > 0;
}

int main(int count, char **word)
{
    struct asked asked;
    int64_t cells = cells_make(cell);
    if (!read_words(count, word, &asked)) {
        fprintf(stderr, "simulate_rule FILE [--only TEXT] [--part K/N] [--quick N] [--must-break] | --table FILE | --cells\n");
        return 2;
    }
    if (asked.table) return print_tables(asked.file, cells);
    for (int64_t i = 0; asked.cells && i < cells; i++) puts(cell[i].name);
    return asked.cells ? 0 : run_cells(&asked, cells);
}
