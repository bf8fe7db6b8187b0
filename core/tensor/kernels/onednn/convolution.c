/* Convolutions by oneDNN, channels-last. The rows are cut into sub-batches by shapes alone, small enough that what one reads and writes
 * stays in a core's cache; each is one primitive of one thread. Weights are plain [out, in, height, width] outside, and are reordered at
 * each call into what the primitive wants, which costs microseconds; so are the images of a sub-batch, where it wants groups of channels.
 */
#include "tensor/kernels/images.h"

#include <stdatomic.h>
#include <string.h>

#include "base/threads.h"
#include "tensor/kernels/kernels.h"
#include "tensor/kernels/loops.h"
#include "tensor/kernels/onednn/convolution_primitive.h"

enum { SUB_BATCH_BYTES = 1 << 20, MAX_PARTIALS = 16 };

/* What each slot has memory for: a primitive's scratchpad, images of operands, of which the wide ones are bf16 made f32, a result's images,
 * both again in groups of channels, and a gradient of weights before it is added. */
enum room { SCRATCH, X_IMAGES, X_WIDE, X_GROUPS, Y_IMAGES, Y_WIDE, Y_GROUPS, RESULT, RESULT_GROUPS, GRADIENT, ROOMS };

struct job {
    const struct engine *engine;
    struct conv2d c;      /* as it is computed: in f32 where there is no bf16 */
    bool widens;          /* bf16 operands are made f32 */
    int64_t block, parts; /* rows of a sub-batch, and how many there are */
    int slots;
    size_t size[ROOMS]; /* of each room, a multiple of 64 bytes */
    char *memory;       /* [slots, sum of sizes] */
    atomic_int failure; /* a dnnl_status_t */
};

/* The primitives of one pass: of a block, and of the last part if it is smaller. */
struct stage {
    enum pass pass;
    struct primitive *primitive[2];
};

/* x or dy. */
struct operand {
    const void *data; /* or, if it is NULL: */
    make_images *make;
    void *user;
    int64_t pixels, channels;     /* of one image */
    enum room room, wide, groups; /* for its images, for these in f32, and for these in groups of channels */
};

/* Images of an operand, channels-last; and, if a primitive wants them so, in groups of channels. */
struct values {
    const void *last, *groups;
};

static size_t type_bytes(enum knack_type type)
{
    return type == KNACK_BF16 ? sizeof(uint16_t) : sizeof(knack_real);
}

static int64_t x_pixels(const struct conv2d *c)
{
    return c->height * c->width;
}

static int64_t y_pixels(const struct conv2d *c)
{
    return c->out_height * c->out_width;
}

/* Values of one image. */
static int64_t x_row(const struct conv2d *c)
{
    return x_pixels(c) * c->in;
}

static int64_t y_row(const struct conv2d *c)
{
    return y_pixels(c) * c->out;
}

static int64_t w_count(const struct conv2d *c)
{
    return c->out * c->in * c->kernel_height * c->kernel_width;
}

static size_t whole_lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* The power of two of rows that makes about SUB_BATCH_BYTES of input and output. */
static int64_t sub_batch(const struct conv2d *c)
{
    const int64_t row = (x_row(c) + y_row(c)) * (int64_t)type_bytes(c->type);
    int64_t rows = 1;
    while (2 * rows * row <= SUB_BATCH_BYTES) rows *= 2;
    return rows < c->rows ? rows : c->rows;
}

static struct images part_images(const struct job *job, int64_t part)
{
    const int64_t first = part * job->block;
    return (struct images){first, part < job->parts - 1 ? job->block : job->c.rows - first};
}

/* ---- A job: its primitives, and memory for each slot ---- */

static knack_status job_begin(struct engine *engine, const struct conv2d *c, struct job *job)
{
    job->engine = engine;
    job->c = *c;
    job->widens = c->type == KNACK_BF16 && !engine_has_bf16();
    if (job->widens) job->c.type = KNACK_REAL;
    job->block = sub_batch(&job->c);
    job->parts = (c->rows + job->block - 1) / job->block;
    dnnl_status_t status = engine_slots(engine, job->parts, &job->slots);
    return status == dnnl_success ? KNACK_OK : convolution_fail(status, c, FORWARD);
}

static void job_room(struct job *job, enum room room, size_t bytes)
{
    if (job->size[room] < whole_lines(bytes)) job->size[room] = whole_lines(bytes);
}

/* Whether the primitive has an argument's channels in groups. With one group that is the same as channels-last. */
static bool wants_groups(const struct primitive *primitive, int argument)
{
    const dnnl_memory_desc_t *layout = &primitive->layout[argument];
    return layout->format_desc.blocking.inner_nblks > 0 && layout->dims[1] > CHANNEL_GROUP;
}

static bool stage_wants_groups(const struct stage *stage, int argument)
{
    return (stage->primitive[0] && wants_groups(stage->primitive[0], argument)) ||
           (stage->primitive[1] && wants_groups(stage->primitive[1], argument));
}

static void operand_rooms(struct job *job, const struct operand *operand, bool groups)
{
    const size_t count = (size_t)(job->block * operand->pixels * operand->channels);
    if (!operand->data) job_room(job, operand->room, count * type_bytes(job->widens ? KNACK_BF16 : job->c.type));
    if (job->widens) job_room(job, operand->wide, count * sizeof(knack_real));
    if (groups) job_room(job, operand->groups, count * sizeof(knack_real));
}

/* row: values of one image. */
static void result_rooms(struct job *job, int64_t row, bool own, bool groups)
{
    const size_t bytes = (size_t)(job->block * row) * sizeof(knack_real);
    if (own) job_room(job, RESULT, bytes);
    if (groups) job_room(job, RESULT_GROUPS, bytes);
}

static knack_status job_memory(struct arena *arena, struct job *job)
{
    size_t all = 0;
    for (int i = 0; i < ROOMS; i++) all += job->size[i];
    job->memory = arena_alloc(arena, (size_t)job->slots * all);
    return job->memory ? KNACK_OK : KNACK_E_MEMORY;
}

/* A room of the slot of the thread that calls. */
static void *job_own(const struct job *job, enum room room)
{
    size_t before = 0, all = 0;
    for (int i = 0; i < ROOMS; i++) {
        if (i < (int)room) before += job->size[i];
        all += job->size[i];
    }
    return job->memory + (size_t)engine_slot(job->slots) * all + before;
}

static knack_status job_end(const struct job *job, enum pass pass)
{
    dnnl_status_t status = (dnnl_status_t)atomic_load(&job->failure);
    return status == dnnl_success ? KNACK_OK : convolution_fail(status, &job->c, pass);
}

static dnnl_status_t make_primitives(struct engine *engine, struct job *job, bool bias, struct stage *stage)
{
    for (int last = 0; last < 2; last++) {
        const int64_t rows = part_images(job, last ? job->parts - 1 : 0).count;
        if (last && rows == job->block) break;
        /* Partial gradients are summed as they are: all must have the layout of the first. */
        const bool alike = last && stage->pass == BACKWARD_WEIGHTS;
        const struct piece piece = {
            .c = &job->c, .rows = rows, .pass = stage->pass, .bias = bias, .weights = alike ? &stage->primitive[0]->layout[W] : NULL};
        struct primitive **primitive = &stage->primitive[last];
        DNNL_TRY(convolution_primitive(engine, &piece, primitive));
        DNNL_TRY(primitive_slots(engine, *primitive, job->slots));
        job_room(job, SCRATCH, primitive_scratch(*primitive));
    }
    return dnnl_success;
}

/* Between plain weights and a primitive's own, in the direction of the pass. */
static knack_status run_reorder(struct arena *arena, const struct job *job, const struct primitive *reorder, const void *from, void *to)
{
    void *scratch = arena_alloc(arena, primitive_scratch(reorder));
    if (!scratch) return KNACK_E_MEMORY;
    dnnl_status_t status = primitive_run(job->engine, reorder, 0, (void *[]){(void *)from, to}, scratch);
    return status == dnnl_success ? KNACK_OK : convolution_fail(status, &job->c, FORWARD);
}

/* Makes the primitives of a pass that reads weights, and gives them w in the layouts that they want. */
static knack_status stage_with_weights(struct arena *arena, struct engine *engine, struct job *job, bool bias, const void *w,
                                       struct stage *stage)
{
    dnnl_status_t status = make_primitives(engine, job, bias, stage);
    if (status != dnnl_success) return convolution_fail(status, &job->c, stage->pass);
    if (job->widens) {
        knack_real *wide = arena_alloc(arena, (size_t)w_count(&job->c) * sizeof *wide);
        if (!wide) return KNACK_E_MEMORY;
        kernel_from_bf16(w_count(&job->c), w, wide);
        w = wide;
    }
    for (int i = 0; i < 2; i++) {
        struct primitive *primitive = stage->primitive[i];
        if (!primitive) continue;
        void *own = (void *)w;
        if (primitive->reorder) {
            own = arena_alloc(arena, dnnl_memory_desc_get_size(&primitive->layout[W]));
            if (!own) return KNACK_E_MEMORY;
            TRY(run_reorder(arena, job, primitive->reorder, w, own));
        }
        status = primitive_share(primitive, W, own);
        if (status != dnnl_success) return convolution_fail(status, &job->c, stage->pass);
    }
    return KNACK_OK;
}

/* ---- Running a part ---- */

static const struct primitive *stage_primitive(const struct job *job, const struct stage *stage, struct images images)
{
    return stage->primitive[images.count < job->block];
}

static const void *operand_images(const struct job *job, const struct operand *operand, struct images images)
{
    const int64_t row = operand->pixels * operand->channels;
    const size_t size = type_bytes(job->widens ? KNACK_BF16 : job->c.type);
    const void *values = operand->data ? (const char *)operand->data + (size_t)(images.first * row) * size
                                       : operand->make(operand->user, images, job_own(job, operand->room));
    if (!job->widens) return values;
    void *wide = job_own(job, operand->wide);
    kernel_from_bf16(images.count * row, values, wide);
    return wide;
}

static struct values operand_values(const struct job *job, const struct operand *operand, struct images images, bool groups)
{
    const void *last = operand_images(job, operand, images);
    if (!groups) return (struct values){.last = last};
    knack_real *grouped = job_own(job, operand->groups);
    kernel_group_channels(images.count, operand->pixels, operand->channels, last, grouped);
    return (struct values){last, grouped};
}

static void *as_wanted(const struct primitive *primitive, int argument, struct values values)
{
    return (void *)(wants_groups(primitive, argument) ? values.groups : values.last);
}

static void run_primitive(struct job *job, const struct primitive *primitive, void *const data[PRIMITIVE_ARGUMENTS])
{
    dnnl_status_t status = primitive_run(job->engine, primitive, engine_slot(job->slots), data, job_own(job, SCRATCH));
    if (status != dnnl_success) atomic_store(&job->failure, status);
}

VECTOR
static void add_to(int64_t count, const knack_real *restrict values, knack_real *restrict sum)
{
    for (int64_t i = 0; i < count; i++) sum[i] += values[i];
}

static struct operand x_operand(const struct conv2d *c, const void *x, make_images *make, void *user)
{
    return (struct operand){.data = x,
                            .make = make,
                            .user = user,
                            .pixels = x_pixels(c),
                            .channels = c->in,
                            .room = X_IMAGES,
                            .wide = X_WIDE,
                            .groups = X_GROUPS};
}

/* ---- Forward ---- */

struct forward {
    struct job job;
    const struct conv2d_forward *f;
    struct operand x;
    struct stage stage;
};

static void forward_part(void *user, int64_t part)
{
    struct forward *forward = user;
    const struct conv2d_forward *f = forward->f;
    struct job *job = &forward->job;
    const struct images images = part_images(job, part);
    const struct primitive *primitive = stage_primitive(job, &forward->stage, images);
    const bool groups = wants_groups(primitive, Y);
    const struct values x = operand_values(job, &forward->x, images, wants_groups(primitive, X));
    knack_real *y = f->y ? f->y + images.first * y_row(&f->shape) : job_own(job, RESULT);
    knack_real *result = groups ? job_own(job, RESULT_GROUPS) : y;
    run_primitive(job, primitive, (void *[]){[X] = as_wanted(primitive, X, x), [Y] = result, [BIAS] = (void *)f->bias});
    if (groups) kernel_ungroup_channels(images.count, y_pixels(&f->shape), f->shape.out, result, y);
    if (f->made_y) f->made_y(f->user, images, y);
}

static knack_status run_forward(struct arena *arena, struct engine *engine, const struct conv2d_forward *f)
{
    struct forward forward = {.f = f, .x = x_operand(&f->shape, f->x, f->make_x, f->user), .stage = {.pass = FORWARD}};
    struct job *job = &forward.job;
    TRY(job_begin(engine, &f->shape, job));
    TRY(stage_with_weights(arena, engine, job, f->bias != NULL, f->w, &forward.stage));
    operand_rooms(job, &forward.x, stage_wants_groups(&forward.stage, X));
    result_rooms(job, y_row(&f->shape), !f->y, stage_wants_groups(&forward.stage, Y));
    TRY(job_memory(arena, job));
    threads_run_on(job->slots, job->parts, forward_part, &forward);
    return job_end(job, FORWARD);
}

knack_status kernel_conv2d(struct arena *arena, const struct conv2d_forward *f)
{
    struct engine *engine;
    TRY(engine_open(&engine));
    const struct arena_mark mark = arena_mark(arena);
    knack_status status = run_forward(arena, engine, f);
    arena_rewind(arena, mark);
    return status;
}

/* ---- Backward ---- */

struct backward {
    struct job job;
    const struct conv2d_backward *b;
    struct operand x, dy;
    struct stage data, weights;
    int64_t groups;      /* of sub-batches, each with a gradient of the weights */
    knack_real *partial; /* [groups, partial_count], as the primitive lays them out; each a multiple of 64 bytes */
    int64_t partial_count;
};

static bool wants_dx(const struct conv2d_backward *b)
{
    return b->dx || b->made_dx;
}

/* The part's gradient of the weights, into sum or added to it. */
static void weights_part(struct backward *backward, struct images images, struct values dy, knack_real *sum, bool add)
{
    struct job *job = &backward->job;
    const struct primitive *primitive = stage_primitive(job, &backward->weights, images);
    const struct values x = operand_values(job, &backward->x, images, wants_groups(primitive, X));
    knack_real *out = add ? job_own(job, GRADIENT) : sum;
    run_primitive(job, primitive, (void *[]){[X] = as_wanted(primitive, X, x), [W] = out, [Y] = as_wanted(primitive, Y, dy), NULL});
    if (add) add_to(backward->partial_count, out, sum);
}

static void data_part(struct backward *backward, struct images images, struct values dy)
{
    struct job *job = &backward->job;
    const struct conv2d_backward *b = backward->b;
    const struct primitive *primitive = stage_primitive(job, &backward->data, images);
    const bool groups = wants_groups(primitive, X);
    knack_real *dx = b->dx ? b->dx + images.first * x_row(&b->shape) : job_own(job, RESULT);
    knack_real *result = groups ? job_own(job, RESULT_GROUPS) : dx;
    run_primitive(job, primitive, (void *[]){[X] = result, [Y] = as_wanted(primitive, Y, dy), [BIAS] = NULL});
    if (groups) kernel_ungroup_channels(images.count, x_pixels(&b->shape), b->shape.in, result, dx);
    if (b->made_dx) b->made_dx(b->user, images, dx);
}

/* Whether a pass backward wants the images of dy in groups of channels. */
static bool groups_of_dy(const struct backward *backward)
{
    return stage_wants_groups(&backward->weights, Y) || stage_wants_groups(&backward->data, Y);
}

/* The parts of one group, in order. */
static void backward_group(void *user, int64_t group)
{
    struct backward *backward = user;
    struct job *job = &backward->job;
    const int64_t first = group * job->parts / backward->groups, end = (group + 1) * job->parts / backward->groups;
    for (int64_t part = first; part < end; part++) {
        const struct images images = part_images(job, part);
        const struct values dy = operand_values(job, &backward->dy, images, groups_of_dy(backward));
        if (backward->b->dw) weights_part(backward, images, dy, backward->partial + group * backward->partial_count, part > first);
        if (wants_dx(backward->b)) data_part(backward, images, dy);
    }
}

static knack_status begin_weights(struct arena *arena, struct engine *engine, struct backward *backward)
{
    struct job *job = &backward->job;
    dnnl_status_t status = make_primitives(engine, job, false, &backward->weights);
    if (status != dnnl_success) return convolution_fail(status, &job->c, BACKWARD_WEIGHTS);
    operand_rooms(job, &backward->x, stage_wants_groups(&backward->weights, X));
    backward->groups = job->parts < MAX_PARTIALS ? job->parts : MAX_PARTIALS;
    const size_t bytes = whole_lines(dnnl_memory_desc_get_size(&backward->weights.primitive[0]->layout[W]));
    if (job->parts > backward->groups) job_room(job, GRADIENT, bytes);
    backward->partial_count = (int64_t)(bytes / sizeof *backward->partial);
    backward->partial = arena_zeroed(arena, (size_t)backward->groups * bytes);
    return backward->partial ? KNACK_OK : KNACK_E_MEMORY;
}

/* The groups' gradients, summed in order, as plain weights into dw. */
static knack_status join_groups(struct arena *arena, const struct backward *backward)
{
    const struct job *job = &backward->job;
    const int64_t count = w_count(&job->c);
    knack_real *dw = backward->b->dw, *sum = backward->partial, *plain = sum;
    for (int64_t group = 1; group < backward->groups; group++)
        add_to(backward->partial_count, backward->partial + group * backward->partial_count, sum);
    const struct primitive *reorder = backward->weights.primitive[0]->reorder;
    if (reorder) {
        plain = backward->b->add_dw ? arena_alloc(arena, (size_t)count * sizeof *plain) : dw;
        if (!plain) return KNACK_E_MEMORY;
        TRY(run_reorder(arena, job, reorder, sum, plain));
    }
    if (backward->b->add_dw)
        add_to(count, plain, dw);
    else if (!reorder)
        memcpy(dw, plain, (size_t)count * sizeof *dw);
    return KNACK_OK;
}

static knack_status run_backward(struct arena *arena, struct engine *engine, const struct conv2d_backward *b)
{
    struct backward backward = {.b = b,
                                .x = x_operand(&b->shape, b->x, b->make_x, b->user),
                                .dy = {.data = b->dy,
                                       .make = b->make_dy,
                                       .user = b->user,
                                       .pixels = y_pixels(&b->shape),
                                       .channels = b->shape.out,
                                       .room = Y_IMAGES,
                                       .wide = Y_WIDE,
                                       .groups = Y_GROUPS},
                                .data = {.pass = BACKWARD_DATA},
                                .weights = {.pass = BACKWARD_WEIGHTS}};
    struct job *job = &backward.job;
    TRY(job_begin(engine, &b->shape, job));
    backward.groups = job->parts;
    if (b->dw) TRY(begin_weights(arena, engine, &backward));
    if (wants_dx(b)) {
        TRY(stage_with_weights(arena, engine, job, false, b->w, &backward.data));
        result_rooms(job, x_row(&b->shape), !b->dx, stage_wants_groups(&backward.data, X));
    }
    operand_rooms(job, &backward.dy, groups_of_dy(&backward));
    TRY(job_memory(arena, job));
    threads_run_on(job->slots, backward.groups, backward_group, &backward);
    TRY(job_end(job, b->dw ? BACKWARD_WEIGHTS : BACKWARD_DATA));
    return b->dw ? join_groups(arena, &backward) : KNACK_OK;
}

knack_status kernel_conv2d_backward(struct arena *arena, const struct conv2d_backward *b)
{
    struct engine *engine;
    TRY(engine_open(&engine));
    const struct arena_mark mark = arena_mark(arena);
    knack_status status = run_backward(arena, engine, b);
    arena_rewind(arena, mark);
    return status;
}
