#include "table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

knack_status table_begin(struct table *table, const char *const *column)
{
    int64_t count = 0;
    *table = (struct table){.column = column, .json = json_writer_new(true)};
    if (!table->json) return KNACK_E_MEMORY;
    for (; column[count]; count++) {
        growing_put_text(&table->text, count ? " | " : "| ");
        growing_put_text(&table->text, column[count]);
    }
    growing_put_text(&table->text, " |\n|");
    while (count-- > 0) growing_put_text(&table->text, "---|");
    growing_put_text(&table->text, "\n");
    json_open(table->json, NULL, '[');
    return KNACK_OK;
}

/* The next cell's name; its text is put. */
static const char *next_cell(struct table *table, const char *text)
{
    const char *name = table->column[table->at++];
    bool last = !table->column[table->at];
    if (table->at == 1) json_open(table->json, NULL, '{');
    growing_put_text(&table->text, "| ");
    growing_put_text(&table->text, text);
    growing_put_text(&table->text, last ? " |\n" : " ");
    return name;
}

static void end_cell(struct table *table)
{
    if (table->column[table->at]) return;
    table->at = 0;
    json_close(table->json);
}

void table_text(struct table *table, const char *text)
{
    json_string(table->json, next_cell(table, text), text);
    end_cell(table);
}

void table_number(struct table *table, double value, int decimals)
{
    char text[48];
    json_number(table->json, next_cell(table, isfinite(value) ? text_fixed(text, value, decimals) : ""), value);
    end_cell(table);
}

void table_range(struct table *table, double value, double low, double high)
{
    char text[160], number[3][48];
    snprintf(text, sizeof text, "%s (%s to %s)", text_fixed(number[0], value, 3), text_fixed(number[1], low, 3),
             text_fixed(number[2], high, 3));
    json_number(table->json, next_cell(table, text), value);
    end_cell(table);
}

void table_digits(struct table *table, double value)
{
    int decimals = value != 0 && isfinite(value) ? 2 - (int)floor(log10(fabs(value))) : 0;
    table_number(table, value, decimals < 0 ? 0 : decimals > 6 ? 6 : decimals);
}

void table_none(struct table *table)
{
    json_string(table->json, next_cell(table, ""), NULL);
    end_cell(table);
}

void table_target(struct table *table, bool reached, const char *target)
{
    char text[128];
    snprintf(text, sizeof text, "%s: %s", target, reached ? "reached" : "**missed**");
    table_text(table, text);
}

knack_status table_end(struct table *table, const char *file)
{
    json_close(table->json);
    char *text = growing_take(&table->text), *json = json_take(table->json);
    knack_status status = text && json ? KNACK_OK : KNACK_E_MEMORY;
    if (status >= 0) fputs(text, stdout);
    if (status >= 0 && file) status = file_write(file, json, strlen(json));
    memory_free(text);
    memory_free(json);
    fflush(stdout);
    return status;
}
