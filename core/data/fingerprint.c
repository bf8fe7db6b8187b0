/* A fingerprint of a data set's parts: which rows, with which targets. Not of the inputs themselves, which may be large. */
#include "data/dataset.h"

/* FNV-1a, 64 bits. */
static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *byte = data;
    for (size_t i = 0; i < size; i++) hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}

uint64_t data_fingerprint(const struct dataset *data)
{
    uint64_t hash = 0xcbf29ce484222325u;
    hash = mix(hash, &data->classes, sizeof data->classes);
    hash = mix(hash, data->shape, (size_t)data->ndim * sizeof *data->shape);
    for (int p = 0; p < PART_COUNT; p++) {
        const struct part *part = &data->part[p];
        size_t count = (size_t)part->count;
        hash = mix(hash, &part->count, sizeof part->count);
        hash = mix(hash, part->row, count * sizeof *part->row);
        if (part->label) hash = mix(hash, part->label, count * sizeof *part->label);
        if (part->target) hash = mix(hash, part->target, count * (size_t)data->outputs * sizeof *part->target);
    }
    return hash;
}
