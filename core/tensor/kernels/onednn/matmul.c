/* Matrix products by oneDNN, and small ones without it. Rows of c are cut into parts by shapes alone; each part is one product of one
 * thread. */
#include "tensor/kernels/kernels.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "tensor/kernels/loops/small_matmul.h"
#include "tensor/kernels/onednn/primitive.h"
#include "tensor/vector.h"

enum { KIND_MATMUL = 1 };

/* A part should be worth the waking of a thread, and tall enough that reading b again for each part costs little. */
enum { PART_WORK = 4000000, PART_ROWS = 64, PARTS = 16 };

/* One product of one thread: rows of the whole, or some of its batch. */
struct piece {
    const struct matmul *whole;
    int64_t batch, m;
};

static enum knack_type result_type(const struct matmul *m)
{
    return m->result ? m->result : m->type;
}

static dnnl_data_type_t data_type(enum knack_type type)
{
    return type == KNACK_BF16 ? dnnl_bf16 : dnnl_f32;
}

static int64_t element_size(enum knack_type type)
{
    return type == KNACK_BF16 ? 2 : 4;
}

static knack_status matmul_fail(dnnl_status_t status, const struct matmul *m)
{
    char text[200];
    snprintf(text, sizeof text, "product of %s [%" PRId64 ", %" PRId64 ", %" PRId64 "]%s and [%" PRId64 ", %" PRId64 ", %" PRId64 "]%s",
             m->type == KNACK_BF16 ? "bf16" : "f32", m->batch, m->m, m->k, m->transpose_a ? " transposed" : "", m->batch, m->k, m->n,
             m->transpose_b ? " transposed" : "");
    return engine_fail(status, text);
}

/* ---- The primitive ---- */

/* A matrix [batch, rows, columns], stored transposed with so many values a stored row, or not; without the batch axis if it is 1. */
static dnnl_status_t matrix(dnnl_memory_desc_t *layout, enum knack_type type, int64_t batch, int64_t rows, int64_t columns, bool transposed,
                            int64_t stored_rows)
{
    const dnnl_dims_t dims = {batch, rows, columns};
    const dnnl_dims_t strides = {rows * columns, transposed ? 1 : columns, transposed ? stored_rows : 1};
    const int skip = batch == 1 ? 1 : 0;
    return dnnl_memory_desc_init_by_strides(layout, 3 - skip, dims + skip, data_type(type), strides + skip);
}

static dnnl_status_t operation(const struct piece *piece, dnnl_matmul_desc_t *out)
{
    const struct matmul *m = piece->whole;
    dnnl_memory_desc_t a, b, c, bias;
    DNNL_TRY(matrix(&a, m->type, piece->batch, piece->m, m->k, m->transpose_a, m->m));
    DNNL_TRY(matrix(&b, m->type, piece->batch, m->k, m->n, m->transpose_b, m->k));
    DNNL_TRY(matrix(&c, result_type(m), piece->batch, piece->m, m->n, false, 0));
    const dnnl_dims_t bias_dims = {1, 1, m->n}, bias_strides = {m->n, m->n, 1};
    const int skip = piece->batch == 1 ? 1 : 0;
    DNNL_TRY(dnnl_memory_desc_init_by_strides(&bias, 3 - skip, bias_dims + skip, dnnl_f32, bias_strides + skip));
    return dnnl_matmul_desc_init(out, &a, &b, m->bias ? &bias : NULL, &c);
}

/* The product is added to what c holds. */
static dnnl_status_t set_sum(dnnl_primitive_attr_t attributes)
{
    dnnl_post_ops_t operations;
    DNNL_TRY(dnnl_post_ops_create(&operations));
    dnnl_status_t status = dnnl_post_ops_append_sum(operations, 1);
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, operations);
    dnnl_post_ops_destroy(operations);
    return status;
}

static dnnl_status_t describe(const struct engine *engine, const void *shape, dnnl_primitive_desc_t *description)
{
    const struct piece *piece = shape;
    dnnl_matmul_desc_t product;
    dnnl_primitive_attr_t attributes;
    DNNL_TRY(operation(piece, &product));
    DNNL_TRY(primitive_attributes(&attributes));
    dnnl_status_t status = piece->whole->add ? set_sum(attributes) : dnnl_success;
    if (status == dnnl_success) status = dnnl_primitive_desc_create(description, &product, attributes, engine->dnnl, NULL);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

static dnnl_status_t piece_primitive(struct engine *engine, const struct piece *piece, struct primitive **primitive)
{
    const struct matmul *m = piece->whole;
    const struct primitive_key key = {{KIND_MATMUL, m->type, result_type(m), piece->batch, piece->m, m->n, m->k, m->transpose_a,
                                       m->transpose_b, m->add, m->bias != NULL, m->transpose_a ? m->m : 0}};
    struct primitive_plan plan = {.describe = describe, .shape = piece, .name = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST}};
    plan.arguments = 3;
    if (m->bias) plan.name[plan.arguments++] = DNNL_ARG_BIAS;
    return primitive_get(engine, &key, &plan, primitive);
}

/* ---- Parts ---- */

struct job {
    const struct engine *engine;
    const struct matmul *m;
    int64_t block; /* matrices of the batch, or rows of the one matrix, in each part but the last */
    int64_t parts;
    struct primitive *primitive[2]; /* of a block, and of the last part if it is smaller */
    int slots;
    char *scratch; /* [slots, scratch_size] */
    size_t scratch_size;
    atomic_int failure; /* a dnnl_status_t */
};

/* How many of the rows, or of the batch's matrices, make a part. */
static int64_t block_size(const struct matmul *m)
{
    const int64_t total = m->batch > 1 ? m->batch : m->m;
    const int64_t one = m->batch > 1 ? 2 * m->m * m->n * m->k : 2 * m->n * m->k;
    const int64_t least = m->batch > 1 ? 1 : PART_ROWS;
    int64_t block = (PART_WORK + one - 1) / one;
    if (block < least) block = least;
    if (block * PARTS < total) block = (total + PARTS - 1) / PARTS;
    const int64_t parts = (total + block - 1) / block;
    return (total + parts - 1) / parts; /* parts of one size, as nearly as can be */
}

static int64_t block_length(const struct job *job, int64_t part)
{
    const int64_t total = job->m->batch > 1 ? job->m->batch : job->m->m;
    return part < job->parts - 1 ? job->block : total - part * job->block;
}

/* ReLU is not left to oneDNN, whose own makes 0 of NaN: a network that diverged would look alive. */
VECTOR
static void relu_real(int64_t count, knack_real *c)
{
    for (int64_t i = 0; i < count; i++) c[i] = c[i] <= 0 ? 0 : c[i];
}

/* By the sign; a NaN stays whatever its sign is. */
VECTOR
static void relu_bf16(int64_t count, uint16_t *c)
{
    for (int64_t i = 0; i < count; i++) c[i] = c[i] >= 0x8000 && c[i] <= 0xff80 ? 0 : c[i];
}

static void relu(enum knack_type type, int64_t count, void *c)
{
    if (type == KNACK_BF16)
        relu_bf16(count, c);
    else
        relu_real(count, c);
}

static void run_primitive(void *user, int64_t part)
{
    struct job *job = user;
    const struct matmul *m = job->m;
    const int64_t first = part * job->block, batch = m->batch > 1 ? first : 0, row = m->batch > 1 ? 0 : first;
    const int64_t size = element_size(m->type), result_size = element_size(result_type(m));
    const int slot = engine_slot(job->slots);
    void *data[PRIMITIVE_ARGUMENTS] = {
        (char *)m->a + (batch * m->m * m->k + (m->transpose_a ? row : row * m->k)) * size,
        (char *)m->b + batch * m->k * m->n * size,
        (char *)m->c + (batch * m->m + row) * m->n * result_size,
        (knack_real *)m->bias,
    };
    const int64_t length = block_length(job, part), rows = m->batch > 1 ? length * m->m : length;
    const struct primitive *primitive = job->primitive[length < job->block];
    dnnl_status_t status = primitive_run(job->engine, primitive, slot, data, job->scratch + (size_t)slot * job->scratch_size);
    if (status != dnnl_success) atomic_store(&job->failure, status);
    if (m->activation == KNACK_RELU) relu(result_type(m), rows * m->n, data[2]); /* while the part is in cache */
}

/* The primitives of a job, and what they need for so many slots. */
static dnnl_status_t job_primitives(struct engine *engine, struct job *job)
{
    const int64_t lengths[2] = {job->block, block_length(job, job->parts - 1)};
    for (int i = 0; i < 2; i++) {
        if (i == 1 && lengths[1] == lengths[0]) break;
        const struct piece piece = {
            .whole = job->m, .batch = job->m->batch > 1 ? lengths[i] : 1, .m = job->m->batch > 1 ? job->m->m : lengths[i]};
        DNNL_TRY(piece_primitive(engine, &piece, &job->primitive[i]));
        DNNL_TRY(primitive_slots(engine, job->primitive[i], job->slots));
        const size_t scratch = primitive_scratch(job->primitive[i]);
        if (scratch > job->scratch_size) job->scratch_size = scratch;
    }
    return dnnl_success;
}

static knack_status multiply(struct arena *arena, struct engine *engine, const struct matmul *m)
{
    const int64_t total = m->batch > 1 ? m->batch : m->m, block = block_size(m);
    struct job job = {.engine = engine, .m = m, .block = block, .parts = (total + block - 1) / block};
    dnnl_status_t status = engine_slots(engine, job.parts, &job.slots);
    if (status == dnnl_success) status = job_primitives(engine, &job);
    if (status != dnnl_success) return matmul_fail(status, m);
    job.scratch = arena_alloc(arena, (size_t)job.slots * job.scratch_size);
    if (!job.scratch) return KNACK_E_MEMORY;
    threads_run_on(job.slots, job.parts, run_primitive, &job);
    status = (dnnl_status_t)atomic_load(&job.failure);
    return status == dnnl_success ? KNACK_OK : matmul_fail(status, m);
}

/* ---- Other ways ---- */

/* bf16 operands on a CPU for which oneDNN has none: the same product of their values in f32, its result rounded. */
static knack_status multiply_as_f32(struct arena *arena, struct engine *engine, const struct matmul *m)
{
    const int64_t a_count = m->batch * m->m * m->k, b_count = m->batch * m->k * m->n, c_count = m->batch * m->m * m->n;
    knack_real *a = arena_alloc(arena, (size_t)a_count * sizeof *a), *b = arena_alloc(arena, (size_t)b_count * sizeof *b);
    if (!a || !b) return KNACK_E_MEMORY;
    kernel_from_bf16(a_count, m->a, a);
    kernel_from_bf16(b_count, m->b, b);
    struct matmul real = *m;
    real.type = real.result = KNACK_REAL;
    real.a = a;
    real.b = b;
    if (result_type(m) == KNACK_REAL) return multiply(arena, engine, &real);
    knack_real *c = arena_alloc(arena, (size_t)c_count * sizeof *c);
    if (!c) return KNACK_E_MEMORY;
    real.c = c;
    if (m->add) kernel_from_bf16(c_count, m->c, c);
    TRY(multiply(arena, engine, &real));
    kernel_to_bf16(c_count, c, m->c);
    return KNACK_OK;
}

struct small_job {
    const struct matmul *m;
    int64_t block; /* matrices of the batch in each part but the last */
};

static void small_part(void *user, int64_t part)
{
    const struct small_job *job = user;
    struct matmul own = *job->m;
    const int64_t first = part * job->block;
    own.batch = own.batch - first < job->block ? own.batch - first : job->block;
    own.a = (const knack_real *)own.a + first * own.m * own.k;
    own.b = (const knack_real *)own.b + first * own.k * own.n;
    own.c = (knack_real *)own.c + first * own.m * own.n;
    small_matmul_batch(&own);
}

static void multiply_small(const struct matmul *m)
{
    struct small_job job = {.m = m, .block = m->batch > 1 ? block_size(m) : 1};
    threads_run((m->batch + job.block - 1) / job.block, small_part, &job);
}

knack_status kernel_matmul(struct arena *arena, const struct matmul *m)
{
    struct engine *engine;
    if (small_matmul_fits(m)) {
        multiply_small(m);
        return KNACK_OK;
    }
    TRY(engine_open(&engine));
    const struct arena_mark mark = arena_mark(arena);
    const bool as_f32 = m->type == KNACK_BF16 && !engine_has_bf16();
    knack_status status = as_f32 ? multiply_as_f32(arena, engine, m) : multiply(arena, engine, m);
    arena_rewind(arena, mark);
    return status;
}
