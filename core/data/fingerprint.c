/* A fingerprint of a data set's parts: which rows, with which targets. Not of the inputs themselves, which may be large. */
#include "base/text.h"
#include "data/dataset.h"

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
