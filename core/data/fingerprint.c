/* Fingerprints: of a data set's parts, which rows with which targets, without the inputs, which may be large; of all that one part holds;
 * and of all that there is to draw from. */
#include "base/memory.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/source.h"

uint64_t data_fingerprint(const struct dataset *data)
{
    uint64_t hash = TEXT_HASH;
    hash = text_hash(hash, &data->classes, sizeof data->classes);
    hash = text_hash(hash, data->shape, (size_t)data->ndim * sizeof *data->shape);
    for (int p = 0; p < PART_COUNT; p++) {
        const struct part *part = &data->part[p];
        size_t count = (size_t)part->count;
        hash = text_hash(hash, &part->count, sizeof part->count);
        hash = text_hash(hash, part->row, count * sizeof *part->row);
        if (part->label) hash = text_hash(hash, part->label, count * sizeof *part->label);
        if (part->target) hash = text_hash(hash, part->target, count * (size_t)data->outputs * sizeof *part->target);
    }
    return hash;
}

/* Row number row of a source or of those after it, as its file holds it, through buffer [width of the data, 8 bytes each]. */
static knack_status hash_row(const struct source *source, int64_t row, uint8_t *buffer, uint64_t *hash)
{
    for (; row >= source->count && source->next; source = source->next) row -= source->count;
    int64_t one = element_size(source->array.type), size = source->width * one;
    const int32_t form[2] = {source->array.type, source->array.swapped && one > 1};
    TRY(blob_read(&source->array.blob, row * size, size, buffer));
    *hash = text_hash(*hash, form, sizeof form);
    *hash = text_hash(*hash, buffer, (size_t)size);
    return KNACK_OK;
}

knack_status data_part_hash(const struct dataset *data, enum data_part which, uint64_t *hash)
{
    const struct part *part = &data->part[which];
    size_t count = (size_t)part->count;
    knack_status status = KNACK_OK;
    uint8_t *buffer = memory_new((size_t)data->width, 8);
    if (!buffer) return KNACK_E_MEMORY;
    *hash = text_hash(TEXT_HASH, &part->count, sizeof part->count);
    *hash = text_hash(*hash, data->shape, (size_t)data->ndim * sizeof *data->shape);
    for (int64_t i = 0; i < part->count && status >= 0; i++) status = hash_row(part->source, part->row[i], buffer, hash);
    if (part->label) *hash = text_hash(*hash, part->label, count * sizeof *part->label);
    for (int64_t i = 0; part->target && i < part->count * data->outputs; i++) {
        double target = (double)part->target[i];
        *hash = text_hash(*hash, &target, sizeof target);
    }
    memory_free(buffer);
    return status;
}

knack_status data_pool_hash(const struct dataset *data, uint64_t *hash)
{
    uint8_t *buffer = memory_new((size_t)data->width, 8);
    if (!buffer) return KNACK_E_MEMORY;
    knack_status status = KNACK_OK;
    *hash = text_hash(TEXT_HASH, &data->drawn_from, sizeof data->drawn_from);
    for (int64_t s = 0; s < data->source_count; s++)
        for (int64_t row = 0; row < data->source[s]->count && status >= 0; row++) status = hash_row(data->source[s], row, buffer, hash);
    memory_free(buffer);
    return status;
}
