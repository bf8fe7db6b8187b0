#include "cli/predictions.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/growing.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/console.h"
#include "cli/format.h"

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcmp(path + length - tail, ending) == 0;
}

knack_status predictions_check_path(const char *path)
{
    if (ends_in(path, ".csv") || ends_in(path, ".npy")) return KNACK_OK;
    return status_set(KNACK_E_USAGE, "-o %s: the name must end in .csv or .npy, which says what is written", path);
}

static int64_t best_class(const knack_real *row, int64_t classes)
{
    int64_t best = 0;
    for (int64_t c = 1; c < classes; c++)
        if (row[c] > row[best]) best = c;
    return best;
}

/* The class's name, or its number where classes have none. */
static const char *class_text(const struct dataset *data, int64_t index, char buffer[NUMBER_SIZE])
{
    if (data->class_name) return data->class_name[index];
    snprintf(buffer, NUMBER_SIZE, "%" PRId64, index);
    return buffer;
}

/* ---- CSV, to a file or to standard output ---- */

static void put_header(struct growing *line, const struct dataset *data)
{
    char number[NUMBER_SIZE];
    growing_put_text(line, data->classes ? "class" : "prediction");
    for (int64_t c = data->classes ? 0 : 1; c < data->outputs; c++) {
        char *name = memory_format("%s%s", data->classes ? "p_" : "prediction_", class_text(data, c, number));
        growing_put_text(line, ",");
        if (name)
            growing_put_field(line, name);
        else
            line->failed = true;
        memory_free(name);
    }
}

static void put_row(struct growing *line, const struct dataset *data, const knack_real *row)
{
    char number[NUMBER_SIZE];
    if (data->classes) growing_put_field(line, class_text(data, best_class(row, data->classes), number));
    for (int64_t c = 0; c < data->outputs; c++) {
        if (c > 0 || data->classes) growing_put_text(line, ",");
        growing_put_text(line, format_real(number, row[c]));
    }
}

/* Writes the line and empties it. */
static knack_status put_line(struct file_output *file, struct growing *line)
{
    growing_put_text(line, "\n");
    if (line->failed) return KNACK_E_MEMORY;
    knack_status status = file ? file_put(file, line->text, line->used) : KNACK_OK;
    if (!file) fputs(line->text, stdout); /* checked at the end, by console_flush() */
    line->used = 0;
    return status;
}

static knack_status put_csv(struct file_output *file, const struct predictions *predictions)
{
    const struct dataset *data = predictions->data;
    struct growing line = {0};
    put_header(&line, data);
    knack_status status = put_line(file, &line);
    for (int64_t i = 0; i < predictions->count && status >= 0; i++) {
        put_row(&line, data, predictions->value + i * data->outputs);
        status = put_line(file, &line);
    }
    growing_free(&line);
    return status;
}

/* ---- npy, format 1.0: magic, version, length of a header that ends at a multiple of 64, then the numbers ---- */

static knack_status put_npy(struct file_output *file, const struct predictions *predictions)
{
    enum { HEADER = 128, PREFIX = 10 };
    int64_t outputs = predictions->data->outputs;
    char header[HEADER];
    memset(header, ' ', sizeof header);
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = HEADER - PREFIX;
    header[9] = 0;
    int length =
        snprintf(header + PREFIX, HEADER - PREFIX, "{'descr': '<f%zu', 'fortran_order': False, 'shape': (%" PRId64 ", %" PRId64 "), }",
                 sizeof(knack_real), predictions->count, outputs);
    header[PREFIX + length] = ' ';
    header[HEADER - 1] = '\n';
    TRY(file_put(file, header, sizeof header));
    return file_put(file, predictions->value, (size_t)(predictions->count * outputs) * sizeof(knack_real));
}

knack_status predictions_write(const struct predictions *predictions, const char *path)
{
    if (!path) return put_csv(NULL, predictions);
    TRY(predictions_check_path(path));
    struct file_output *file;
    TRY(file_create(path, &file));
    knack_status status = ends_in(path, ".npy") ? put_npy(file, predictions) : put_csv(file, predictions);
    if (status >= 0) return file_commit(file);
    file_abandon(file);
    return status;
}

/* ---- JSON ---- */

static void write_row(struct json_writer *writer, const struct dataset *data, const knack_real *row)
{
    char number[NUMBER_SIZE];
    json_open(writer, NULL, '{');
    if (data->classes) json_string(writer, "class", class_text(data, best_class(row, data->classes), number));
    json_open(writer, data->classes ? "probabilities" : "outputs", '[');
    for (int64_t c = 0; c < data->outputs; c++) json_number(writer, NULL, (double)row[c]);
    json_close(writer);
    json_close(writer);
}

knack_status predictions_print_json(const struct predictions *predictions)
{
    const struct dataset *data = predictions->data;
    struct json_writer *writer = json_writer_new(false);
    if (!writer) return KNACK_E_MEMORY;
    json_open(writer, NULL, '{');
    if (data->classes) {
        char number[NUMBER_SIZE];
        json_open(writer, "classes", '[');
        for (int64_t c = 0; c < data->classes; c++) json_string(writer, NULL, class_text(data, c, number));
        json_close(writer);
    }
    json_open(writer, "predictions", '[');
    for (int64_t i = 0; i < predictions->count; i++) write_row(writer, data, predictions->value + i * data->outputs);
    json_close(writer);
    json_close(writer);
    return console_print_json(writer);
}
