/* Convolutions by oneDNN, channels-last. The rows are cut into sub-batches by shapes alone, small enough that what one reads and writes
 * stays in a core's cache; each is one primitive of one thread. Weights are plain [out, in, height, width] outside, and are reordered at
 * each call into what the primitive wants, which costs microseconds. */
#include "tensor/kernels/kernels.h"

#include <stdatomic.h>
#include <string.h>

#include "base/threads.h"
#include "tensor/kernels/loops.h"
#include "tensor/kernels/onednn/convolution_primitive.h"

enum { SUB_BATCH_BYTES = 1 << 20, MAX_PARTIALS = 16 };

static int64_t element_size(enum knack_type type)
{
    return type == KNACK_BF16 ? 2 : 4;
}

struct job {
    const struct engine *engine;
    const struct conv2d *c;
    enum pass pass;
    int64_t block, parts;           /* rows of a sub-batch, and how many there are */
    struct primitive *primitive[2]; /* of a block, and of the last part if it is smaller */
    int slots;
    char *memory; /* [slots, scratch_size + spare_size]: scratchpads, each with room for a result before it is added */
    size_t scratch_size, spare_size;
    atomic_int failure; /* a dnnl_status_t */

    const void *x, *y; /* [rows, ...]; y is dy on the way back */
    const knack_real *bias;
    knack_real *dx;
    bool add;
    int64_t groups;      /* of sub-batches, each with a gradient of the weights */
    knack_real *partial; /* [groups, partial_count], as the primitive lays them out; each a multiple of 64 bytes */
    int64_t partial_count;
};

static int64_t x_count(const struct conv2d *c, int64_t rows)
{
    return rows * c->height * c->width * c->in;
}

static int64_t y_count(const struct conv2d *c, int64_t rows)
{
    return rows * c->out_height * c->out_width * c->out;
}

static int64_t w_count(const struct conv2d *c)
{
    return c->out * c->in * c->kernel_height * c->kernel_width;
}

/* The power of two of rows that makes about SUB_BATCH_BYTES of input and output. */
static int64_t sub_batch(const struct conv2d *c)
{
    const int64_t row = (x_count(c, 1) + y_count(c, 1)) * element_size(c->type);
    int64_t rows = 1;
    while (2 * rows * row <= SUB_BATCH_BYTES) rows *= 2;
    return rows < c->rows ? rows : c->rows;
}

static int64_t part_rows(const struct job *job, int64_t part)
{
    return part < job->parts - 1 ? job->block : job->c->rows - part * job->block;
}

static void *part_x(const struct job *job, int64_t part)
{
    return (char *)job->x + x_count(job->c, part * job->block) * element_size(job->c->type);
}

static void *part_y(const struct job *job, int64_t part)
{
    return (char *)job->y + y_count(job->c, part * job->block) * element_size(job->c->type);
}

static char *slot_memory(const struct job *job)
{
    return job->memory + (size_t)engine_slot(job->slots) * (job->scratch_size + job->spare_size);
}

static void *slot_spare(const struct job *job)
{
    return slot_memory(job) + job->scratch_size;
}

/* w NULL: the weights that all parts share. */
static void run_part(struct job *job, int64_t part, void *x, void *w, void *y)
{
    const struct primitive *primitive = job->primitive[part_rows(job, part) < job->block];
    void *data[PRIMITIVE_ARGUMENTS] = {[X] = x, [W] = w, [Y] = y, [BIAS] = (void *)job->bias};
    dnnl_status_t status = primitive_run(job->engine, primitive, engine_slot(job->slots), data, slot_memory(job));
    if (status != dnnl_success) atomic_store(&job->failure, status);
}

VECTOR
static void add_to(int64_t count, const knack_real *restrict values, knack_real *restrict sum)
{
    for (int64_t i = 0; i < count; i++) sum[i] += values[i];
}

/* The primitives of a job, with their reorders and memory objects. */
static dnnl_status_t job_primitives(struct engine *engine, struct job *job)
{
    for (int i = 0; i < 2; i++) {
        const int64_t rows = part_rows(job, i == 0 ? 0 : job->parts - 1);
        if (i == 1 && rows == job->block) break;
        /* Partial gradients are summed as they are: all must have the layout of the first. */
        const bool alike = i == 1 && job->pass == BACKWARD_WEIGHTS;
        const struct piece piece = {.c = job->c,
                                    .rows = rows,
                                    .pass = job->pass,
                                    .bias = job->bias != NULL,
                                    .weights = alike ? &job->primitive[0]->layout[W] : NULL};
        DNNL_TRY(convolution_primitive(engine, &piece, &job->primitive[i]));
        DNNL_TRY(primitive_slots(engine, job->primitive[i], job->slots));
        const size_t scratch = primitive_scratch(job->primitive[i]);
        if (scratch > job->scratch_size) job->scratch_size = scratch;
    }
    return dnnl_success;
}

static knack_status job_begin(struct engine *engine, struct job *job)
{
    job->engine = engine;
    job->block = sub_batch(job->c);
    job->parts = (job->c->rows + job->block - 1) / job->block;
    dnnl_status_t status = engine_slots(engine, job->parts, &job->slots);
    if (status == dnnl_success) status = job_primitives(engine, job);
    return status == dnnl_success ? KNACK_OK : convolution_fail(status, job->c, job->pass);
}

/* Runs it over parts, or groups of them; each slot gets spare bytes for results that are yet to be added. */
static knack_status job_run(struct arena *arena, struct job *job, int64_t parts, void (*body)(void *, int64_t), size_t spare)
{
    job->spare_size = (spare + 63) / 64 * 64;
    job->memory = arena_alloc(arena, (size_t)job->slots * (job->scratch_size + job->spare_size));
    if (!job->memory) return KNACK_E_MEMORY;
    threads_run_on(job->slots, parts, body, job);
    dnnl_status_t status = (dnnl_status_t)atomic_load(&job->failure);
    return status == dnnl_success ? KNACK_OK : convolution_fail(status, job->c, job->pass);
}

/* Between plain weights and a primitive's own, in the direction of the pass. */
static knack_status run_reorder(struct arena *arena, const struct job *job, const struct primitive *reorder, const void *from, void *to)
{
    void *scratch = arena_alloc(arena, primitive_scratch(reorder));
    if (!scratch) return KNACK_E_MEMORY;
    dnnl_status_t status = primitive_run(job->engine, reorder, 0, (void *[]){(void *)from, to}, scratch);
    return status == dnnl_success ? KNACK_OK : convolution_fail(status, job->c, job->pass);
}

/* ---- Forward, and the gradient of the input ---- */

/* Gives the primitives the weights in the layouts that they want. */
static knack_status job_weights(struct arena *arena, struct job *job, const void *w)
{
    for (int i = 0; i < 2 && job->primitive[i]; i++) {
        struct primitive *primitive = job->primitive[i];
        void *own = (void *)w;
        if (primitive->reorder) {
            own = arena_alloc(arena, dnnl_memory_desc_get_size(&primitive->layout[W]));
            if (!own) return KNACK_E_MEMORY;
            TRY(run_reorder(arena, job, primitive->reorder, w, own));
        }
        dnnl_status_t status = primitive_share(primitive, W, own);
        if (status != dnnl_success) return convolution_fail(status, job->c, job->pass);
    }
    return KNACK_OK;
}

static void forward_part(void *user, int64_t part)
{
    struct job *job = user;
    run_part(job, part, part_x(job, part), NULL, part_y(job, part));
}

static void input_gradient_part(void *user, int64_t part)
{
    struct job *job = user;
    knack_real *dx = job->dx + x_count(job->c, part * job->block);
    knack_real *out = job->add ? slot_spare(job) : dx;
    run_part(job, part, out, NULL, part_y(job, part));
    if (job->add) add_to(x_count(job->c, part_rows(job, part)), out, dx);
}

static knack_status forward(struct arena *arena, struct engine *engine, const struct conv2d *c, const void *x, const void *w,
                            const knack_real *bias, void *y)
{
    struct job job = {.c = c, .pass = FORWARD, .x = x, .bias = bias, .y = y};
    TRY(job_begin(engine, &job));
    TRY(job_weights(arena, &job, w));
    return job_run(arena, &job, job.parts, forward_part, 0);
}

static knack_status input_gradient(struct arena *arena, struct engine *engine, const struct conv2d *c, const void *dy, const void *w,
                                   knack_real *dx, bool add)
{
    struct job job = {.c = c, .pass = BACKWARD_DATA, .y = dy, .dx = dx, .add = add};
    TRY(job_begin(engine, &job));
    TRY(job_weights(arena, &job, w));
    return job_run(arena, &job, job.parts, input_gradient_part, add ? (size_t)x_count(c, job.block) * sizeof *dx : 0);
}

/* ---- The gradient of the weights ---- */

/* The gradient over one group of sub-batches, in order. */
static void weights_gradient_group(void *user, int64_t group)
{
    struct job *job = user;
    const int64_t first = group * job->parts / job->groups, end = (group + 1) * job->parts / job->groups;
    knack_real *sum = job->partial + group * job->partial_count;
    for (int64_t part = first; part < end; part++) {
        knack_real *out = part == first ? sum : slot_spare(job);
        run_part(job, part, part_x(job, part), out, part_y(job, part));
        if (part > first) add_to(job->partial_count, out, sum);
    }
}

/* The groups' gradients, summed in order, as plain weights into dw. */
static knack_status join_groups(struct arena *arena, const struct job *job, knack_real *dw, bool add)
{
    const int64_t count = w_count(job->c);
    knack_real *sum = job->partial, *plain = sum;
    for (int64_t group = 1; group < job->groups; group++) add_to(job->partial_count, job->partial + group * job->partial_count, sum);
    const struct primitive *reorder = job->primitive[0]->reorder;
    if (reorder) {
        plain = add ? arena_alloc(arena, (size_t)count * sizeof *plain) : dw;
        if (!plain) return KNACK_E_MEMORY;
        TRY(run_reorder(arena, job, reorder, sum, plain));
    }
    if (add)
        add_to(count, plain, dw);
    else if (!reorder)
        memcpy(dw, plain, (size_t)count * sizeof *dw);
    return KNACK_OK;
}

static knack_status weights_gradient(struct arena *arena, struct engine *engine, const struct conv2d *c, const void *x, const void *dy,
                                     knack_real *dw, bool add)
{
    struct job job = {.c = c, .pass = BACKWARD_WEIGHTS, .x = x, .y = dy};
    TRY(job_begin(engine, &job));
    job.groups = job.parts < MAX_PARTIALS ? job.parts : MAX_PARTIALS;
    const size_t bytes = (dnnl_memory_desc_get_size(&job.primitive[0]->layout[W]) + 63) / 64 * 64;
    job.partial_count = (int64_t)(bytes / sizeof *job.partial);
    job.partial = arena_zeroed(arena, (size_t)job.groups * bytes);
    if (!job.partial) return KNACK_E_MEMORY;
    TRY(job_run(arena, &job, job.groups, weights_gradient_group, job.parts > job.groups ? bytes : 0));
    return join_groups(arena, &job, dw, add);
}

/* ---- What operations call ---- */

/* The operand in f32, which replaces bf16 on a CPU for which oneDNN has none. */
static const void *as_f32(struct arena *arena, int64_t count, const void *values)
{
    knack_real *real = arena_alloc(arena, (size_t)count * sizeof *real);
    if (real) kernel_from_bf16(count, values, real);
    return real;
}

static bool lacks_type(const struct conv2d *c)
{
    return c->type == KNACK_BF16 && !engine_has_bf16();
}

static struct conv2d in_f32(const struct conv2d *c)
{
    struct conv2d real = *c;
    real.type = KNACK_REAL;
    return real;
}

static knack_status forward_as_f32(struct arena *arena, struct engine *engine, const struct conv2d *c, const void *x, const void *w,
                                   const knack_real *bias, void *y)
{
    const struct conv2d real = in_f32(c);
    const void *real_x = as_f32(arena, x_count(c, c->rows), x), *real_w = as_f32(arena, w_count(c), w);
    knack_real *real_y = arena_alloc(arena, (size_t)y_count(c, c->rows) * sizeof *real_y);
    if (!real_x || !real_w || !real_y) return KNACK_E_MEMORY;
    TRY(forward(arena, engine, &real, real_x, real_w, bias, real_y));
    kernel_to_bf16(y_count(c, c->rows), real_y, y);
    return KNACK_OK;
}

knack_status kernel_conv2d(struct arena *arena, const struct conv2d *c, const void *x, const void *w, const knack_real *bias, void *y)
{
    struct engine *engine;
    TRY(engine_open(&engine));
    const struct arena_mark mark = arena_mark(arena);
    knack_status status = lacks_type(c) ? forward_as_f32(arena, engine, c, x, w, bias, y) : forward(arena, engine, c, x, w, bias, y);
    arena_rewind(arena, mark);
    return status;
}

knack_status kernel_conv2d_backward_data(struct arena *arena, const struct conv2d *c, const void *dy, const void *w, knack_real *dx,
                                         bool add)
{
    struct engine *engine;
    TRY(engine_open(&engine));
    const struct arena_mark mark = arena_mark(arena);
    struct conv2d used = *c;
    if (lacks_type(c)) {
        used = in_f32(c);
        dy = as_f32(arena, y_count(c, c->rows), dy);
        w = as_f32(arena, w_count(c), w);
    }
    knack_status status = dy && w ? input_gradient(arena, engine, &used, dy, w, dx, add) : KNACK_E_MEMORY;
    arena_rewind(arena, mark);
    return status;
}

knack_status kernel_conv2d_backward_weights(struct arena *arena, const struct conv2d *c, const void *x, const void *dy, knack_real *dw,
                                            bool add)
{
    struct engine *engine;
    TRY(engine_open(&engine));
    const struct arena_mark mark = arena_mark(arena);
    struct conv2d used = *c;
    if (lacks_type(c)) {
        used = in_f32(c);
        x = as_f32(arena, x_count(c, c->rows), x);
        dy = as_f32(arena, y_count(c, c->rows), dy);
    }
    knack_status status = x && dy ? weights_gradient(arena, engine, &used, x, dy, dw, add) : KNACK_E_MEMORY;
    arena_rewind(arena, mark);
    return status;
}
