#include "data/table.h"

#include "base/memory.h"

void table_free(struct table *table)
{
    for (int64_t i = 0; i < table->columns; i++) memory_free(table->column[i]);
    memory_free(table->column);
    source_free(table->source);
    targets_free(&table->targets);
    *table = (struct table){0};
}

knack_status table_from_arrays(struct array *inputs, struct array *targets, double divide, struct table *table)
{
    *table = (struct table){0};
    knack_status status = source_new(inputs, divide, &table->source);
    if (status < 0) {
        array_free(targets);
        return status;
    }
    status = targets_from_array(targets, &table->targets);
    if (status == KNACK_OK && table->targets.count != table->source->count)
        status = status_set(KNACK_E_DATA, "%s has %lld targets; %s has %lld rows of inputs", table->targets.file,
                            (long long)table->targets.count, table->source->array.blob.name, (long long)table->source->count);
    if (status < 0) table_free(table);
    return status;
}
