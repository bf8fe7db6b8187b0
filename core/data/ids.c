/* Inputs that are token ids: looked at before training begins, so that a wrong one is not found hours later. */
#include <math.h>

#include "base/memory.h"
#include "data/inputs.h"

/* What is wrong with a value of the source, at its number. */
static knack_status refuse_value(const struct dataset *data, const struct source *source, int64_t number, double value)
{
    char *place = inputs_place(data, source, number);
    if (!place) return KNACK_E_MEMORY;
    const bool whole = value == floor(value);
    knack_status status = status_set(
        KNACK_E_DATA, "%s: %.10g is no token id, which are whole numbers from 0 to %lld; %s", place, value, (long long)data->vocabulary - 1,
        whole ? "how many there are is the model's \"vocabulary\""
              : "ids are neither divided, as 8-bit integers are unless data says \"divide\": 1, nor standardised");
    memory_free(place);
    return status;
}

knack_status inputs_check_ids(const struct dataset *data, const struct source *source, int64_t row, const knack_real *x)
{
    bool empty = true;
    for (; row >= source->count; source = source->next) row -= source->count;
    for (int64_t i = 0; i < data->width; i++) {
        const double value = (double)x[i];
        if (!(value >= 0 && value < (double)data->vocabulary) || value != floor(value))
            return refuse_value(data, source, row * data->width + i, value);
        empty &= (int64_t)value == data->padding;
    }
    if (!empty) return KNACK_OK;
    return status_set(KNACK_E_DATA, "%s: row %lld (the first is 0) has no token but padding (id %lld)", source->array.blob.name,
                      (long long)row, (long long)data->padding);
}

static knack_status check_part(struct dataset *data, enum data_part which)
{
    enum { PIECE = 256 };
    const struct part *part = &data->part[which];
    int64_t example[PIECE];
    knack_real *x = memory_resize(NULL, (size_t)(PIECE * data->width), sizeof *x);
    if (!x) return KNACK_E_MEMORY;
    knack_status status = KNACK_OK;
    for (int64_t done = 0; done < part->count && status >= 0; done += PIECE) {
        const int64_t count = part->count - done < PIECE ? part->count - done : PIECE;
        for (int64_t i = 0; i < count; i++) example[i] = done + i;
        status = data_inputs(data, which, example, count, x);
        for (int64_t i = 0; i < count && status >= 0; i++)
            status = inputs_check_ids(data, part->source, part->row[done + i], x + i * data->width);
    }
    memory_free(x);
    return status;
}

knack_status data_set_ids(struct dataset *data, int64_t vocabulary, int64_t padding)
{
    if (data->vocabulary == vocabulary && data->padding == padding) return KNACK_OK;
    data->vocabulary = vocabulary;
    data->padding = padding;
    knack_status status = KNACK_OK;
    for (int part = 0; part < PART_COUNT && status >= 0; part++) status = check_part(data, part);
    if (status < 0) data->vocabulary = 0;
    return status;
}
