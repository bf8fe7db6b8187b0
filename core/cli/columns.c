#include "cli/columns.h"

#include <string.h>

#include "base/memory.h"
#include "cli/paragraph.h"

struct columns {
    int64_t columns, cells, capacity;
    bool *right; /* [columns] */
    char **cell; /* [cells], row by row; headings are the first row */
    knack_status status;
};

void columns_cell(struct columns *table, const char *text)
{
    if (table->status < 0) return;
    if (table->cells == table->capacity) {
        int64_t capacity = table->capacity ? 2 * table->capacity : 32;
        char **grown = memory_resize(table->cell, (size_t)capacity, sizeof *grown);
        if (!grown) {
            table->status = KNACK_E_MEMORY;
            return;
        }
        table->cell = grown;
        table->capacity = capacity;
    }
    char *copy = memory_text(text);
    if (copy)
        table->cell[table->cells++] = copy;
    else
        table->status = KNACK_E_MEMORY;
}

struct columns *columns_new(int64_t columns, const char *const *heading)
{
    struct columns *table = memory_new(1, sizeof *table);
    if (!table) return NULL;
    table->columns = columns;
    table->right = memory_new((size_t)columns, sizeof *table->right);
    if (!table->right) {
        columns_free(table);
        return NULL;
    }
    for (int64_t c = 0; c < columns; c++) {
        table->right[c] = heading[c][0] == '>';
        columns_cell(table, heading[c] + table->right[c]);
    }
    return table;
}

void columns_free(struct columns *table)
{
    if (!table) return;
    for (int64_t i = 0; i < table->cells; i++) memory_free(table->cell[i]);
    memory_free(table->cell);
    memory_free(table->right);
    memory_free(table);
}

static void repeat(const char *text, int64_t times)
{
    for (int64_t i = 0; i < times; i++) fputs(text, stdout);
}

enum { LAST_LEAST = 12 };

/* The last column goes on below itself where the line ends. limit 0: none. */
static void print_last(const char *text, int64_t indent, int64_t limit)
{
    if (limit == 0 || limit - indent < LAST_LEAST) {
        fputs(text, stdout);
        return;
    }
    for (bool first = true; *text; first = false) {
        size_t length = text_line_length(text, limit - indent);
        if (!first) {
            putchar('\n');
            repeat(" ", indent);
        }
        fwrite(text, 1, length, stdout);
        text += length;
        text += *text == ' ';
    }
}

static void print_row(const struct columns *table, const int64_t *width, int64_t first, int64_t limit)
{
    int64_t indent = 0, last = table->columns - 1;
    for (int64_t c = 0; c < last; c++) {
        const char *text = table->cell[first + c];
        int64_t space = width[c] - text_columns(text);
        if (table->right[c]) repeat(" ", space);
        fputs(text, stdout);
        if (!table->right[c]) repeat(" ", space);
        fputs("  ", stdout);
        indent += width[c] + 2;
    }
    const char *text = table->cell[first + last];
    if (table->right[last]) repeat(" ", width[last] - text_columns(text));
    print_last(text, indent, table->right[last] ? 0 : limit);
    putchar('\n');
}

static void print_rule(const struct columns *table, const int64_t *width, const char *rule, int64_t limit)
{
    int64_t indent = 0, last = table->columns - 1;
    for (int64_t c = 0; c < last; c++) {
        repeat(rule, width[c]);
        fputs("  ", stdout);
        indent += width[c] + 2;
    }
    int64_t room = limit - indent;
    repeat(rule, limit == 0 || room < LAST_LEAST || width[last] < room ? width[last] : room);
    putchar('\n');
}

knack_status columns_print(struct columns *table, const struct console *console)
{
    if (!table) return KNACK_E_MEMORY;
    knack_status status = table->status;
    int64_t *width = status < 0 ? NULL : memory_new((size_t)table->columns, sizeof *width);
    if (width) {
        for (int64_t i = 0; i < table->cells; i++) {
            int64_t needed = text_columns(table->cell[i]), *column = &width[i % table->columns];
            if (needed > *column) *column = needed;
        }
        int64_t limit = console->result_width;
        print_row(table, width, 0, limit);
        print_rule(table, width, console->result_on_screen && console->unicode ? "\u2500" : "-", limit);
        for (int64_t first = table->columns; first < table->cells; first += table->columns) print_row(table, width, first, limit);
    } else if (status >= 0) {
        status = KNACK_E_MEMORY;
    }
    memory_free(width);
    columns_free(table);
    return status;
}
