/* Making, keeping and running oneDNN primitives. */
#include "tensor/kernels/onednn/primitive.h"

#include <omp.h>
#include <string.h>

#include "base/memory.h"

/* The table is never more than a quarter full, so probing ends. */
_Static_assert(ENGINE_PRIMITIVES * 4 <= ENGINE_TABLE && (ENGINE_TABLE & (ENGINE_TABLE - 1)) == 0, "size of the table");

static uint64_t key_hash(const struct primitive_key *key)
{
    uint64_t hash = 0;
    for (int i = 0; i < PRIMITIVE_KEY; i++) {
        hash = (hash ^ (uint64_t)key->word[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return hash;
}

static struct primitive **key_place(struct engine *engine, const struct primitive_key *key)
{
    uint64_t at = key_hash(key);
    for (;; at++) {
        struct primitive **place = &engine->table[at & (ENGINE_TABLE - 1)];
        if (!*place || memcmp(&(*place)->key, key, sizeof *key) == 0) return place;
    }
}

dnnl_status_t primitive_attributes(dnnl_primitive_attr_t *attributes)
{
    dnnl_status_t status = dnnl_primitive_attr_create(attributes);
    return status == dnnl_success ? dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user) : status;
}

/* oneDNN asks OpenMP how many threads there are, when it makes a primitive and when it runs one. */
static int one_thread(void)
{
    const int threads = omp_get_max_threads();
    if (threads > 1) omp_set_num_threads(1);
    return threads;
}

static void threads_again(int threads)
{
    if (threads > 1) omp_set_num_threads(threads);
}

/* The primitive and the layouts it wants, from its description. */
static dnnl_status_t create(const_dnnl_primitive_desc_t description, const struct primitive_plan *plan, struct primitive *primitive)
{
    primitive->arguments = plan->arguments;
    for (int i = 0; i < plan->arguments; i++) {
        primitive->name[i] = plan->name[i];
        primitive->layout[i] = *dnnl_primitive_desc_query_md(description, dnnl_query_exec_arg_md, plan->name[i]);
    }
    primitive->scratchpad = *dnnl_primitive_desc_query_md(description, dnnl_query_exec_arg_md, DNNL_ARG_SCRATCHPAD);
    return dnnl_primitive_create(&primitive->dnnl, description);
}

dnnl_status_t primitive_new(const struct engine *engine, const struct primitive_plan *plan, struct primitive **primitive)
{
    dnnl_primitive_desc_t description = NULL;
    *primitive = memory_new(1, sizeof **primitive);
    if (!*primitive) return dnnl_out_of_memory;
    const int threads = one_thread();
    dnnl_status_t status = plan->describe(engine, plan->shape, &description);
    if (status == dnnl_success) {
        status = create(description, plan, *primitive);
        dnnl_primitive_desc_destroy(description);
    }
    threads_again(threads);
    if (status == dnnl_success) return status;
    memory_free(*primitive);
    *primitive = NULL;
    return status;
}

dnnl_status_t primitive_get(struct engine *engine, const struct primitive_key *key, const struct primitive_plan *plan,
                            struct primitive **primitive)
{
    struct primitive **place = key_place(engine, key);
    if (!*place) {
        dnnl_status_t status = primitive_new(engine, plan, place);
        if (status != dnnl_success) return status;
        (*place)->key = *key;
        engine->primitives++;
    }
    *primitive = *place;
    return dnnl_success;
}

static void slot_free(struct primitive_slot *slot)
{
    for (int i = 0; i <= PRIMITIVE_ARGUMENTS; i++)
        if (slot->memory[i]) dnnl_memory_destroy(slot->memory[i]);
}

void primitive_free(struct primitive *primitive)
{
    if (!primitive) return;
    for (int i = 0; i < primitive->slots; i++) slot_free(&primitive->slot[i]);
    dnnl_primitive_destroy(primitive->dnnl);
    primitive_free(primitive->reorder);
    memory_free(primitive->slot);
    memory_free(primitive);
}

static dnnl_status_t slot_fill(const struct engine *engine, const struct primitive *primitive, struct primitive_slot *slot)
{
    memset(slot, 0, sizeof *slot);
    for (int i = 0; i <= primitive->arguments; i++) {
        const bool last = i == primitive->arguments;
        const dnnl_memory_desc_t *layout = last ? &primitive->scratchpad : &primitive->layout[i];
        dnnl_status_t status = dnnl_memory_create(&slot->memory[i], layout, engine->dnnl, DNNL_MEMORY_NONE);
        if (status != dnnl_success) {
            slot_free(slot);
            return status;
        }
        slot->argument[i] = (dnnl_exec_arg_t){.arg = last ? DNNL_ARG_SCRATCHPAD : primitive->name[i], .memory = slot->memory[i]};
    }
    return dnnl_success;
}

dnnl_status_t primitive_slots(const struct engine *engine, struct primitive *primitive, int slots)
{
    if (slots <= primitive->slots) return dnnl_success;
    struct primitive_slot *slot = memory_resize(primitive->slot, (size_t)slots, sizeof *slot);
    if (!slot) return dnnl_out_of_memory;
    primitive->slot = slot;
    while (primitive->slots < slots) {
        dnnl_status_t status = slot_fill(engine, primitive, &slot[primitive->slots]);
        if (status != dnnl_success) return status;
        primitive->slots++;
    }
    return dnnl_success;
}

size_t primitive_scratch(const struct primitive *primitive)
{
    return (dnnl_memory_desc_get_size(&primitive->scratchpad) + 63) / 64 * 64;
}

dnnl_status_t primitive_share(const struct primitive *primitive, int argument, void *data)
{
    for (int i = 0; i < primitive->slots; i++) DNNL_TRY(dnnl_memory_set_data_handle(primitive->slot[i].memory[argument], data));
    return dnnl_success;
}

dnnl_status_t primitive_run(const struct engine *engine, const struct primitive *primitive, int slot, void *const *data, void *scratch)
{
    const struct primitive_slot *own = &primitive->slot[slot];
    for (int i = 0; i < primitive->arguments; i++)
        if (data[i]) DNNL_TRY(dnnl_memory_set_data_handle(own->memory[i], data[i]));
    DNNL_TRY(dnnl_memory_set_data_handle(own->memory[primitive->arguments], scratch));
    const int threads = one_thread();
    dnnl_status_t status = dnnl_primitive_execute(primitive->dnnl, engine->stream[slot], primitive->arguments + 1, own->argument);
    threads_again(threads);
    return status;
}
