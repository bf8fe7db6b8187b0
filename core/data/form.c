#include "data/form.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/csv.h"

/* Takes the blob over. */
typedef knack_status array_reader(struct blob *, struct array *);

static knack_status read_file(const char *base, const char *name, array_reader *read, struct array *array)
{
    *array = (struct array){.blob = BLOB_NONE};
    struct blob blob;
    char *path = file_join(base, name);
    if (!path) return KNACK_E_MEMORY;
    knack_status status = blob_open(path, &blob);
    memory_free(path);
    return status < 0 ? status : read(&blob, array);
}

static knack_status open_pair(const struct form *form, const char *base, array_reader *read, struct table *table)
{
    struct array inputs, targets;
    TRY(read_file(base, form->inputs, read, &inputs));
    knack_status status = read_file(base, form->targets, read, &targets);
    if (status < 0) {
        array_free(&inputs);
        return status;
    }
    return table_from_arrays(&inputs, &targets, form->divide, table);
}

static knack_status open_npz(const struct form *form, const char *base, struct table *table)
{
    struct array inputs, targets;
    char *path = file_join(base, form->file);
    if (!path) return KNACK_E_MEMORY;
    knack_status status = read_npz(path, form->inputs, &inputs);
    if (status == KNACK_OK) {
        status = read_npz(path, form->targets, &targets);
        if (status < 0) array_free(&inputs);
    }
    memory_free(path);
    return status < 0 ? status : table_from_arrays(&inputs, &targets, form->divide, table);
}

static knack_status read_csv(const char *path, const struct csv_request *request, struct csv_table *csv)
{
    struct blob blob;
    *csv = (struct csv_table){.values.blob = BLOB_NONE};
    TRY(blob_open(path, &blob));
    knack_status status = csv_read(&blob, request, csv);
    blob_close(&blob);
    return status;
}

static knack_status open_csv(const struct form *form, const char *base, const struct csv_like *like, struct table *table)
{
    struct csv_request request = {.target = form->target,
                                  .text_target = like->text_target,
                                  .column = like->column,
                                  .columns = like->columns,
                                  .drop = form->drop.value,
                                  .drops = form->drop.count};
    struct csv_table csv;
    char *path = file_join(base, form->file);
    if (!path) return KNACK_E_MEMORY;
    knack_status status = read_csv(path, &request, &csv);
    memory_free(path);
    if (status == KNACK_OK) status = source_new(&csv.values, form->divide, &table->source);
    if (status < 0) {
        csv_table_free(&csv);
        return status;
    }
    table->targets = csv.targets;
    table->column = csv.column;
    table->columns = csv.columns;
    return KNACK_OK;
}

knack_status form_open(const struct form *form, const char *base, const struct csv_like *like, struct table *table)
{
    *table = (struct table){0};
    switch (form->kind) {
    case FORM_NPY:
        return open_pair(form, base, read_npy, table);
    case FORM_IDX:
        return open_pair(form, base, read_idx, table);
    case FORM_NPZ:
        return open_npz(form, base, table);
    case FORM_CSV:
        return open_csv(form, base, like, table);
    case FORM_NAMED:
        break;
    }
    return status_set(KNACK_E_CALL, "a named data set is no file");
}

/* ---- Inputs alone ---- */

static bool ends_with(const char *text, size_t length, const char *ending)
{
    size_t n = strlen(ending);
    return length >= n && strncmp(text + length - n, ending, n) == 0;
}

static knack_status open_csv_inputs(const char *path, double divide, const struct csv_like *like, struct source **source)
{
    struct csv_request request = {.column = like->column, .columns = like->columns, .may_lack_header = !like->column};
    struct csv_table csv;
    TRY(read_csv(path, &request, &csv));
    knack_status status = source_new(&csv.values, divide, source);
    csv_table_free(&csv);
    return status;
}

knack_status form_open_inputs(const char *path, double divide, const struct csv_like *like, struct source **source)
{
    *source = NULL;
    struct array array;
    size_t length = strlen(path);
    if (ends_with(path, length, ".gz")) length -= 3;
    if (ends_with(path, length, ".csv")) return open_csv_inputs(path, divide, like, source);
    if (ends_with(path, length, ".npy"))
        TRY(read_file(".", path, read_npy, &array));
    else if (ends_with(path, length, ".idx") || ends_with(path, length, "ubyte"))
        TRY(read_file(".", path, read_idx, &array));
    else
        return status_set(KNACK_E_DATA, "%s: its ending is not known; inputs are .npy, .idx (or -ubyte) or .csv, and .gz after each", path);
    return source_new(&array, divide, source);
}
