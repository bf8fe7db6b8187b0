#include "data/csv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/csv_scanner.h"
#include "data/names.h"

enum { COLUMN_IGNORED = -1, COLUMN_TARGET = -2 }; /* else the number of an input */

struct reading {
    struct csv_scanner scanner;
    const struct csv_request *request;
    struct csv_table *table;
    struct names header; /* the file's columns, in order */
    int32_t *role;       /* [columns of the file] */
    bool headless;       /* the first line is a row */
    bool text;           /* the targets are texts */
    int64_t row;         /* which is being read */
    int64_t most;        /* how many there may be */
    struct names names;  /* of text targets */
    knack_real *value;   /* [rows, inputs] */
};

void csv_table_free(struct csv_table *table)
{
    for (int64_t i = 0; table->column && i < table->columns; i++) memory_free(table->column[i]);
    memory_free(table->column);
    targets_free(&table->targets);
    array_free(&table->values);
    *table = (struct csv_table){.values.blob = BLOB_NONE};
}

/* A number, or NaN for one that is missing; spaces around it do not matter. Tells whether the text was either. */
static bool parse_field(const char *text, int64_t length, double *value)
{
    static const char *const missing[] = {"", "NA", "NaN", "nan", "null", "?"};
    const char *first = text, *end = text + length;
    while (first < end && *first == ' ') first++;
    while (end > first && end[-1] == ' ') end--;
    *value = NAN;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (strlen(missing[i]) == (size_t)(end - first) && memcmp(missing[i], first, (size_t)(end - first)) == 0) return true;
    return text_parse(first, end, value) == end && !isnan(*value);
}

static bool is_number(const char *text)
{
    double value;
    return parse_field(text, (int64_t)strlen(text), &value) && !isnan(value);
}

/* Opens the scanner anew, at the file's beginning. */
static knack_status reopen(struct reading *reading)
{
    const struct blob *blob = reading->scanner.blob;
    csv_scanner_close(&reading->scanner);
    return csv_scanner_open(&reading->scanner, blob);
}

/* ---- The header ---- */

static const char lacks_header[] = "; its first line seems to be a row: put a line with the columns' names before it";

static knack_status read_names(struct reading *reading)
{
    struct csv_scanner *scanner = &reading->scanner;
    knack_status status = csv_scanner_record(scanner);
    if (status == KNACK_IDLE) return blob_fail(scanner->blob, "is empty; a header with the columns' names is needed");
    TRY(status);
    for (;;) {
        int64_t index, before = reading->header.count;
        TRY(names_add(&reading->header, scanner->text, scanner->length, &index));
        if (reading->header.count == before)
            return csv_scanner_fail(scanner, "two columns are named '%s'%s", scanner->text, is_number(scanner->text) ? lacks_header : "");
        if (scanner->last) return KNACK_OK;
        TRY(csv_scanner_field(scanner));
    }
}

/* How many fields the first line has if all are numbers, else 0. Numbers that just count, as some programs call columns, are names of what
 * follows. */
static knack_status count_numbers(struct reading *reading, int64_t *count)
{
    struct csv_scanner *scanner = &reading->scanner;
    bool numbers = true, counting = true;
    double first = NAN, value;
    *count = 0;
    for (knack_status status = csv_scanner_record(scanner); status != KNACK_IDLE; status = csv_scanner_field(scanner)) {
        TRY(status);
        numbers &= parse_field(scanner->text, scanner->length, &value) && !isnan(value);
        if (*count == 0) first = value;
        counting &= (first == 0 || first == 1) && value == first + (double)*count;
        ++*count;
        if (scanner->last) break;
    }
    bool names = false;
    if (numbers && counting && *count > 2) {
        knack_status status = csv_scanner_record(scanner);
        TRY(status);
        names = status != KNACK_IDLE;
    }
    if (!numbers || names) *count = 0;
    return KNACK_OK;
}

static knack_status number_columns(struct reading *reading, int64_t columns)
{
    for (int64_t i = 1; i <= columns; i++) {
        char name[24];
        int64_t index;
        TRY(names_add(&reading->header, name, snprintf(name, sizeof name, "%lld", (long long)i), &index));
    }
    return KNACK_OK;
}

static knack_status read_header(struct reading *reading)
{
    if (!reading->request->may_lack_header) return read_names(reading);
    int64_t columns;
    TRY(count_numbers(reading, &columns));
    TRY(reopen(reading));
    reading->headless = columns > 0;
    return reading->headless ? number_columns(reading, columns) : read_names(reading);
}

static bool all_numbers(const struct names *names)
{
    for (int64_t i = 0; i < names->count; i++)
        if (!is_number(names->text[i])) return false;
    return true;
}

/* The file's column of that name; an error that names the nearest. */
static knack_status find_column(const struct reading *reading, const char *name, const char *what, int64_t *column)
{
    const struct names *header = &reading->header;
    for (*column = 0; *column < header->count; (*column)++)
        if (strcmp(header->text[*column], name) == 0) return KNACK_OK;
    const char *const *names = (const char *const *)header->text;
    const char *nearest = text_nearest(name, names, header->count);
    const char *hint = header->count == 1 && strpbrk(header->text[0], ";\t|") ? "; fields must be separated by commas"
                       : all_numbers(header)                                  ? lacks_header
                                                                              : "";
    char list[320];
    return blob_fail_at(reading->scanner.blob, 1, "has no column '%s' (%s)%s%s%s; it has %s%s", name, what,
                        nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "",
                        text_list(list, sizeof list, names, header->count), hint);
}

static knack_status name_inputs(struct reading *reading)
{
    struct csv_table *table = reading->table;
    table->column = memory_new((size_t)reading->header.count, sizeof *table->column);
    if (!table->column) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < reading->header.count; i++) {
        if (reading->role[i] == COLUMN_IGNORED || reading->role[i] == COLUMN_TARGET) continue;
        char *name = memory_text(reading->header.text[i]);
        if (!name) return KNACK_E_MEMORY;
        table->column[reading->role[i]] = name;
    }
    return KNACK_OK;
}

/* All columns but target and dropped ones are inputs. */
static knack_status choose_rest(struct reading *reading)
{
    const struct csv_request *request = reading->request;
    int64_t column;
    for (int64_t i = 0; i < request->drops; i++) {
        TRY(find_column(reading, request->drop[i], "to drop", &column));
        if (reading->role[column] == COLUMN_TARGET)
            return blob_fail_at(reading->scanner.blob, 1, "'%s' is the target and cannot be dropped", request->drop[i]);
        reading->role[column] = COLUMN_IGNORED;
    }
    for (int64_t i = 0; i < reading->header.count; i++) {
        if (reading->role[i] < 0) continue;
        if (!*reading->header.text[i])
            return blob_fail_at(reading->scanner.blob, 1, "column %lld has no name; name it, or leave it out by \"drop\": [\"\"]",
                                (long long)i + 1);
        reading->role[i] = (int32_t)reading->table->columns++;
    }
    return KNACK_OK;
}

static knack_status choose_columns(struct reading *reading)
{
    const struct csv_request *request = reading->request;
    int64_t column;
    reading->role = memory_new((size_t)reading->header.count, sizeof *reading->role);
    if (!reading->role) return KNACK_E_MEMORY;
    for (int64_t i = 0; request->column && i < reading->header.count; i++) reading->role[i] = COLUMN_IGNORED;
    if (request->target) {
        TRY(find_column(reading, request->target, "the target", &column));
        reading->role[column] = COLUMN_TARGET;
    }
    if (!request->column) {
        TRY(choose_rest(reading));
    } else {
        for (int64_t i = 0; i < request->columns; i++) {
            TRY(find_column(reading, request->column[i], "of the training data", &column));
            reading->role[column] = (int32_t)i;
        }
        reading->table->columns = request->columns;
    }
    if (reading->table->columns == 0) return blob_fail_at(reading->scanner.blob, 1, "leaves no column as input");
    return name_inputs(reading);
}

/* ---- Records ---- */

/* Calls take for every field of every record after the header. */
static knack_status each_field(struct reading *reading, knack_status (*take)(struct reading *, int64_t column))
{
    struct csv_scanner *scanner = &reading->scanner;
    int64_t columns = reading->header.count;
    const char *header = reading->headless ? "first line" : "header";
    for (reading->row = 0;; reading->row++) {
        knack_status status = csv_scanner_record(scanner);
        if (status == KNACK_IDLE) return KNACK_OK;
        TRY(status);
        if (reading->row == reading->most) return blob_fail(scanner->blob, "has more than %lld rows", (long long)reading->most);
        int64_t line = scanner->field_line;
        for (int64_t column = 0;; column++) {
            TRY(take(reading, column));
            if (scanner->last && column < columns - 1)
                return blob_fail_at(scanner->blob, line, "fields: %lld; the %s has %lld", (long long)column + 1, header,
                                    (long long)columns);
            if (!scanner->last && column == columns - 1)
                return blob_fail_at(scanner->blob, line, "fields: more than the %lld that the %s has", (long long)columns, header);
            if (scanner->last) break;
            TRY(csv_scanner_field(scanner));
        }
    }
}

/* First pass: rows are counted, and one target that is no number makes them all texts. */
static knack_status survey(struct reading *reading, int64_t column)
{
    const struct csv_scanner *scanner = &reading->scanner;
    double value;
    if (reading->role[column] == COLUMN_TARGET && !reading->text) reading->text = !parse_field(scanner->text, scanner->length, &value);
    return KNACK_OK;
}

static knack_status store_target(struct reading *reading, const char *name)
{
    struct csv_scanner *scanner = &reading->scanner;
    struct targets *targets = &reading->table->targets;
    double value = 0;
    int64_t index;
    targets->line[reading->row] = (int32_t)scanner->field_line;
    if (reading->text) {
        TRY(names_add(&reading->names, scanner->text, scanner->length, &index));
        value = (double)index;
    }
    if (reading->text ? scanner->length == 0 : !parse_field(scanner->text, scanner->length, &value) || isnan(value))
        return csv_scanner_fail(scanner, "the target '%s' is missing", name);
    if (!isfinite(value)) return csv_scanner_fail(scanner, "the target '%s' is infinite: '%s'", name, scanner->text);
    targets->value[reading->row] = value;
    return KNACK_OK;
}

/* Second pass. */
static knack_status store(struct reading *reading, int64_t column)
{
    struct csv_scanner *scanner = &reading->scanner;
    const char *name = reading->header.text[column];
    int32_t role = reading->role[column];
    double value;
    if (role == COLUMN_IGNORED) return KNACK_OK;
    if (role == COLUMN_TARGET) return store_target(reading, name);
    if (!parse_field(scanner->text, scanner->length, &value))
        return csv_scanner_fail(scanner, "column '%s': '%.64s' is no number; give numbers, or leave the column out by \"drop\": [\"%s\"]",
                                name, scanner->text, name);
    knack_real real = (knack_real)value;
    if (isinf(real)) return csv_scanner_fail(scanner, "column '%s': '%.64s' is infinite or too large", name, scanner->text);
    reading->value[reading->row * reading->table->columns + role] = real;
    return KNACK_OK;
}

/* Room for what the first pass counted. */
static knack_status make_room(struct reading *reading, int64_t rows)
{
    struct csv_table *table = reading->table;
    const char *file = reading->scanner.blob->name;
    if (rows == 0) return blob_fail(reading->scanner.blob, "has a header but no rows");
    reading->value = memory_resize(NULL, (size_t)rows, (size_t)table->columns * sizeof *reading->value);
    if (!reading->value) return KNACK_E_MEMORY;
    if (!reading->request->target) return KNACK_OK;
    table->targets = (struct targets){.file = memory_text(file), .count = rows, .width = 1};
    table->targets.value = memory_resize(NULL, (size_t)rows, sizeof *table->targets.value);
    table->targets.line = memory_resize(NULL, (size_t)rows, sizeof *table->targets.line);
    return table->targets.file && table->targets.value && table->targets.line ? KNACK_OK : KNACK_E_MEMORY;
}

/* Texts get their final numbers: those of their order by bytes. */
static knack_status finish_names(struct reading *reading)
{
    struct targets *targets = &reading->table->targets;
    int32_t *moved;
    TRY(names_sort(&reading->names, &moved));
    for (int64_t i = 0; i < targets->count; i++) targets->value[i] = moved[(int64_t)targets->value[i]];
    memory_free(moved);
    targets->name = reading->names.text;
    targets->names = reading->names.count;
    reading->names.text = NULL;
    reading->names.count = 0;
    return KNACK_OK;
}

static knack_status finish(struct reading *reading, int64_t rows)
{
    struct array *values = &reading->table->values;
    if (reading->text) TRY(finish_names(reading));
    *values = (struct array){.type = ELEMENT_REAL, .ndim = 2, .shape = {rows, reading->table->columns}, .width = reading->table->columns};
    uint8_t *bytes = (uint8_t *)reading->value;
    reading->value = NULL;
    return blob_take(reading->scanner.blob->name, bytes, rows * values->width * element_size(values->type), &values->blob);
}

/* Opens the scanner anew, at the first row. */
static knack_status rewind_to_rows(struct reading *reading)
{
    struct csv_scanner *scanner = &reading->scanner;
    TRY(reopen(reading));
    if (reading->headless) return KNACK_OK;
    TRY(csv_scanner_record(scanner));
    while (!scanner->last) TRY(csv_scanner_field(scanner));
    return KNACK_OK;
}

static knack_status read_table(struct reading *reading, const struct blob *blob)
{
    TRY(csv_scanner_open(&reading->scanner, blob));
    TRY(read_header(reading));
    TRY(choose_columns(reading));
    TRY(each_field(reading, survey));
    reading->most = reading->row;
    TRY(make_room(reading, reading->most));
    TRY(rewind_to_rows(reading));
    TRY(each_field(reading, store));
    if (reading->row < reading->most) return blob_fail(blob, "was changed while it was read");
    return finish(reading, reading->most);
}

knack_status csv_read(const struct blob *blob, const struct csv_request *request, struct csv_table *table)
{
    struct reading reading = {.request = request, .table = table, .most = INT32_MAX, .text = request->target && request->text_target};
    *table = (struct csv_table){.values.blob = BLOB_NONE};
    knack_status status = read_table(&reading, blob);
    csv_scanner_close(&reading.scanner);
    names_free(&reading.header);
    names_free(&reading.names);
    memory_free(reading.role);
    memory_free(reading.value);
    if (status < 0) csv_table_free(table);
    return status;
}
