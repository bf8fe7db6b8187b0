#include "data/inputs.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/form.h"

static knack_status fit_shape(const struct dataset *data, const struct source *source)
{
    char have[ARRAY_TEXT], want[ARRAY_TEXT];
    bool same = source->ndim == data->ndim;
    for (int i = 0; same && i < data->ndim; i++) same = source->shape[i] == data->shape[i];
    if (same) return KNACK_OK;
    array_shape_text(have, source->ndim, source->shape);
    array_shape_text(want, data->ndim, data->shape);
    if (source->ndim == 1 && data->ndim == 1)
        return blob_fail(&source->array.blob, "its rows have %s values; those of the training data have %s", have, want);
    if (source->ndim == data->ndim) return blob_fail(&source->array.blob, "its rows are %s; those of the training data are %s", have, want);
    return blob_fail(&source->array.blob, "its rows are %s, %lld values; those of the training data are %s, %lld values", have,
                     (long long)source->width, want, (long long)data->width);
}

knack_status inputs_fit(const struct dataset *data, struct source *source, double divide)
{
    char number[32];
    TRY(fit_shape(data, source));
    if (divide > 0) return KNACK_OK;
    source->divide = data->divide;
    if (data->divide != 1 && (source->array.type == ELEMENT_U8) != (data->input_type == ELEMENT_U8))
        return blob_fail(&source->array.blob, "holds %s; the training data were %s divided by %s: give the same type",
                         element_name[source->array.type], element_name[data->input_type], text_number(number, data->divide));
    return KNACK_OK;
}

char *inputs_place(const struct dataset *data, const struct source *source, int64_t value)
{
    const char *file = source->array.blob.name;
    long long row = (long long)(value / source->width);
    int64_t column = value % source->width;
    if (data->column) return memory_format("%s: row %lld (the first is 0), column '%s'", file, row, data->column[column]);
    return memory_format("%s: row %lld (the first is 0), value %lld", file, row, (long long)column);
}

/* ---- Standardising ---- */

/* In place, x [count, width]: of each group of `statistics` values, value c by mean and deviation c. */
static void standardise(const struct dataset *data, int64_t count, knack_real *x)
{
    if (!data->mean) return;
    int64_t statistics = data->statistics, groups = count * data->width / statistics;
    if (statistics == 1) { /* grey images: one loop without gaps */
        knack_real mean = (knack_real)data->mean[0], deviation = (knack_real)data->deviation[0];
        for (int64_t i = 0; i < groups; i++) x[i] = (x[i] - mean) / deviation;
        return;
    }
    for (int64_t group = 0; group < groups; group++, x += statistics)
        for (int64_t c = 0; c < statistics; c++) x[c] = (x[c] - (knack_real)data->mean[c]) / (knack_real)data->deviation[c];
}

/* Sums of one statistic's values, as differences from its first, so that a large mean costs no digits. NaN does not count. */
struct sums {
    double first, sum, squares;
    int64_t count;
};

static void add_value(struct sums *sums, double value)
{
    if (isnan(value)) return;
    if (sums->count++ == 0) sums->first = value;
    double difference = value - sums->first;
    sums->sum += difference;
    sums->squares += difference * difference;
}

static void add_rows(const struct dataset *data, int64_t count, const knack_real *x, struct sums *sums)
{
    int64_t groups = count * data->width / data->statistics;
    for (int64_t group = 0; group < groups; group++, x += data->statistics)
        for (int64_t c = 0; c < data->statistics; c++) add_value(&sums[c], x[c]);
}

static void finish_sums(struct dataset *data, const struct sums *sums)
{
    for (int64_t c = 0; c < data->statistics; c++) {
        double n = (double)sums[c].count, mean = n > 0 ? sums[c].sum / n : 0;
        double variance = n > 0 ? sums[c].squares / n - mean * mean : 0;
        data->mean[c] = sums[c].first + mean;
        data->deviation[c] = variance > 0 ? sqrt(variance) : 1; /* what never changes becomes 0 */
    }
}

static knack_status sum_training(struct dataset *data, struct sums *sums)
{
    enum { PIECE = 1 << 16 };
    const struct part *train = &data->part[PART_TRAIN];
    int64_t rows = data->width < PIECE ? PIECE / data->width : 1;
    knack_real *piece = memory_resize(NULL, (size_t)(rows * data->width), sizeof *piece);
    if (!piece) return KNACK_E_MEMORY;
    knack_status status = KNACK_OK;
    for (int64_t done = 0; done < train->count && status == KNACK_OK; done += rows) {
        int64_t n = train->count - done < rows ? train->count - done : rows;
        status = source_rows(train->source, train->row + done, n, piece);
        if (status == KNACK_OK) add_rows(data, n, piece, sums);
    }
    memory_free(piece);
    return status;
}

knack_status inputs_measure(struct dataset *data)
{
    int64_t statistics = data->ndim == 3 ? data->shape[2] : data->width;
    struct sums *sums = memory_new((size_t)statistics, sizeof *sums);
    double *mean = memory_new((size_t)statistics, sizeof *mean), *deviation = memory_new((size_t)statistics, sizeof *deviation);
    if (!sums || !mean || !deviation) {
        memory_free(sums);
        memory_free(mean);
        memory_free(deviation);
        return KNACK_E_MEMORY;
    }
    data->mean = mean; /* with zeros in it only until sums are there */
    data->deviation = deviation;
    data->statistics = statistics;
    knack_status status = sum_training(data, sums);
    if (status == KNACK_OK) finish_sums(data, sums);
    memory_free(sums);
    return status;
}

knack_status inputs_prepare(struct dataset *data)
{
    data->scratch = memory_new((size_t)data->width, sizeof *data->scratch);
    if (!data->scratch) return KNACK_E_MEMORY;
    if (data->ndim != 3) return KNACK_OK;
    data->fill = memory_new((size_t)data->shape[2], sizeof *data->fill);
    if (!data->fill) return KNACK_E_MEMORY;
    for (int64_t c = 0; data->mean && c < data->shape[2]; c++) data->fill[c] = -(knack_real)data->mean[c] / (knack_real)data->deviation[c];
    return KNACK_OK;
}

/* ---- For models ---- */

knack_status data_inputs(struct dataset *data, enum data_part which, const int64_t *example, int64_t count, knack_real *out)
{
    enum { PIECE = 256 };
    const struct part *part = &data->part[which];
    int32_t row[PIECE];
    for (int64_t done = 0; done < count; done += PIECE) {
        int64_t n = count - done < PIECE ? count - done : PIECE;
        for (int64_t i = 0; i < n; i++) {
            int64_t at = example[done + i];
            if (at < 0 || at >= part->count)
                return status_set(KNACK_E_CALL, "example %lld of the %s part, which has %lld", (long long)at, data_part_name[which],
                                  (long long)part->count);
            row[i] = part->row[at];
        }
        TRY(source_rows(part->source, row, n, out + done * data->width));
    }
    standardise(data, count, out);
    return KNACK_OK;
}

knack_status data_convert(const struct dataset *data, int64_t count, const double *raw, knack_real *out)
{
    for (int64_t i = 0; i < count * data->width; i++) {
        out[i] = (knack_real)(raw[i] / data->divide);
        if (isfinite(out[i]) || (isnan(out[i]) && data->missing)) continue;
        return status_set(KNACK_E_DATA, "row %lld, value %lld is %s", (long long)(i / data->width), (long long)(i % data->width),
                          isnan(out[i]) ? "missing (NaN); the training data had no missing values" : "infinite");
    }
    standardise(data, count, out);
    return KNACK_OK;
}

/* Makes rows of an image's values images, and has them divided as the training data were, whatever their type. */
static knack_status take_units(const struct dataset *data, struct source *source)
{
    if (data->ndim == 3 && source->ndim == 1 && source->width == data->width) {
        source->ndim = data->ndim;
        memcpy(source->shape, data->shape, sizeof source->shape);
    }
    source->divide = data->divide;
    return fit_shape(data, source);
}

static knack_status refuse_missing(const struct dataset *data, const struct source *source)
{
    int64_t missing;
    TRY(source_check(source, &missing));
    if (missing < 0 || data->missing) return KNACK_OK;
    char *place = inputs_place(data, source, missing);
    if (!place) return KNACK_E_MEMORY;
    knack_status status = status_set(KNACK_E_DATA, "%s is missing (NaN); the training data had no missing values", place);
    memory_free(place);
    return status;
}

/* Floats for 8-bit training data that nowhere exceed 1 were divided already: divided again they would all be next to 0. rows [count, width]
 */
static knack_status refuse_quotients(const struct dataset *data, const struct source *source, const knack_real *rows)
{
    if (!element_is_float(source->array.type) || data->input_type != ELEMENT_U8 || data->divide <= 1) return KNACK_OK;
    double most = 0;
    char number[32];
    for (int64_t i = 0; i < source->count * source->width; i++) most = fmax(most, (double)rows[i]);
    if (most == 0 || most * data->divide > 1.001) return KNACK_OK; /* which leaves room for rounding */
    return blob_fail(&source->array.blob,
                     "no value is above 1: give them in the units of the training data's file, %s, and not divided by %s",
                     element_name[data->input_type], text_number(number, data->divide));
}

/* Of a data set of token ids; rows [count, width]. */
static knack_status check_ids(const struct dataset *data, const struct source *source, const knack_real *rows)
{
    for (int64_t row = 0; row < source->count && data->vocabulary; row++)
        TRY(inputs_check_ids(data, source, row, rows + row * source->width));
    return KNACK_OK;
}

static knack_status read_all(const struct dataset *data, struct source *source, knack_real **out)
{
    TRY(take_units(data, source));
    TRY(refuse_missing(data, source));
    knack_real *rows = memory_resize(NULL, (size_t)source->count, (size_t)source->width * sizeof *rows);
    if (!rows) return KNACK_E_MEMORY;
    knack_status status = source_values(source, 0, source->count * source->width, rows);
    if (status >= 0) status = refuse_quotients(data, source, rows);
    if (status >= 0) standardise(data, source->count, rows);
    if (status >= 0) status = check_ids(data, source, rows);
    if (status < 0) {
        memory_free(rows);
        return status;
    }
    *out = rows;
    return KNACK_OK;
}

knack_status data_read_inputs(const struct dataset *data, const char *path, int64_t *count, knack_real **out)
{
    struct csv_like like = {.column = (const char *const *)data->column, .columns = data->column ? data->width : 0};
    struct source *source;
    *count = 0;
    *out = NULL;
    TRY(form_open_inputs(path, data->divide, &like, &source));
    knack_status status = read_all(data, source, out);
    if (status == KNACK_OK) *count = source->count;
    source_free(source);
    return status;
}
