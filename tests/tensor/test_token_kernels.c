/* The kernels of models of tokens, attention and layer norm, against the definition. How far they may be off is worked out along with it.
 */
#include "kernel_call.h"

/* ---- Numbers with what rounding may have done to them ---- */

/* A bound of the error is carried along (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.3): it holds for any order
 * of sums. In the double build the definition is rounded too, so that the unit is twice as large. */
struct estimate {
    double value, error;
};
static const double unit = sizeof(knack_real) == 4 ? 0x1p-24 : 0x1p-52;

static struct estimate exact(double value)
{
    return (struct estimate){value, 0};
}

static struct estimate rounded(double value, double error)
{
    return (struct estimate){value, error + unit * fabs(value)};
}

static struct estimate plus(struct estimate a, struct estimate b)
{
    return rounded(a.value + b.value, a.error + b.error);
}

static struct estimate minus(struct estimate a, struct estimate b)
{
    return rounded(a.value - b.value, a.error + b.error);
}

static struct estimate times(struct estimate a, struct estimate b)
{
    return rounded(a.value * b.value, fabs(a.value) * b.error + fabs(b.value) * a.error + a.error * b.error);
}

static struct estimate over(struct estimate a, struct estimate b)
{
    const double value = a.value / b.value;
    return rounded(value, (a.error + fabs(value) * b.error) / (fabs(b.value) - b.error));
}

/* Within four units, of an argument within its error. */
static struct estimate exponential(struct estimate a)
{
    const double value = exp(a.value);
    return (struct estimate){value, value * (expm1(a.error) + 4 * unit)};
}

static struct estimate inverse_root(struct estimate a)
{
    const double value = 1 / sqrt(a.value);
    return rounded(value, 1 / sqrt(a.value - a.error) - value + unit * value);
}

/* Of count products, the operands' elements so many apart. */
static struct estimate dot(int64_t count, const struct estimate *a, int64_t a_step, const struct estimate *b, int64_t b_step)
{
    double sum = 0, size = 0, error = 0;
    for (int64_t i = 0; i < count; i++) {
        const struct estimate x = a[i * a_step], y = b[i * b_step];
        sum += x.value * y.value;
        size += fabs(x.value * y.value);
        error += fabs(x.value) * y.error + fabs(y.value) * x.error + x.error * y.error;
    }
    return (struct estimate){sum, error + (double)count * unit * size};
}

static struct estimate total(int64_t count, const struct estimate *a, int64_t step)
{
    static const struct estimate one = {1, 0};
    return dot(count, a, step, &one, 0);
}

static struct estimate *estimates(int64_t count)
{
    return room((size_t)count * sizeof(struct estimate));
}

static struct estimate *all_exact(int64_t count, const knack_real *x)
{
    struct estimate *out = estimates(count);
    for (int64_t i = 0; i < count; i++) out[i] = exact((double)x[i]);
    return out;
}

static void assert_within(const char *what, const knack_real *got, const struct estimate *wanted, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - wanted[i].value) <= wanted[i].error))
            fail_msg("%s: value %d is %.9g, expected %.9g within %.2g", what, (int)i, (double)got[i], wanted[i].value, wanted[i].error);
}

/* What kernels take from the arena next holds NaN: it must be written before it is read. */
static void spoil_arena(void)
{
    enum { BYTES = 1 << 19 };
    const struct arena_mark mark = arena_mark(arena);
    memset(room(BYTES), 0xff, BYTES);
    arena_rewind(arena, mark);
}

/* ---- Attention ---- */

struct attending {
    struct attention a;
    int64_t tokens, queries, size; /* size: of a head */
    const knack_real *qkv;         /* [tokens, 3 width] */
    const knack_real *dout;        /* [queries, width] */
    bool add;
};

static int64_t first_query(const struct attention *a, int64_t sequence)
{
    return a->first_only ? sequence : a->start[sequence];
}

/* out [queries, width] and dqkv [tokens, 3 width] */
static void run_attention(const struct call *call, void *out)
{
    const struct attending *v = call->user;
    const int64_t count = kernel_attention_saved(&v->a), out_count = v->queries * v->a.width;
    knack_real *saved = room((size_t)count * sizeof *saved), *alone = room((size_t)out_count * sizeof *alone);
    memset(saved, 0xff, (size_t)count * sizeof *saved);
    spoil_arena();
    ASSERT_OK(kernel_attention(arena, &v->a, v->qkv, saved, out));
    spoil_arena();
    ASSERT_OK(kernel_attention_backward(arena, &v->a, v->qkv, saved, out, v->dout, (knack_real *)out + out_count, v->add));
    ASSERT_OK(kernel_attention(arena, &v->a, v->qkv, NULL, alone));
    if (memcmp(alone, out, (size_t)out_count * sizeof *alone) != 0) fail_msg("without a way back attention gives other bits");
}

/* One head of one sequence, by the definition. */
struct head {
    int64_t queries, length, size, stride; /* stride: of rows of q, k and v */
    const struct estimate *q, *k, *v;      /* [length, size] */
    const struct estimate *dout;           /* [queries, size], rows a third of stride apart */
    const uint8_t *mask;                   /* [queries, length]; NULL: none */
    struct estimate scale, mask_scale;
    struct estimate *p, *kept, *d; /* [queries, length] probabilities, what dropout leaves of them, the gradient of the scores */
    struct estimate *out;          /* as dout */
    struct estimate *dq, *dk, *dv; /* as q, k, v */
};

static void probabilities(const struct head *h, int64_t i)
{
    struct estimate *p = h->p + i * h->length;
    double largest = -INFINITY;
    for (int64_t j = 0; j < h->length; j++) {
        p[j] = times(dot(h->size, h->q + i * h->stride, 1, h->k + j * h->stride, 1), h->scale);
        largest = fmax(largest, p[j].value);
    }
    for (int64_t j = 0; j < h->length; j++) p[j] = exponential(minus(p[j], exact(largest)));
    const struct estimate sum = total(h->length, p, 1);
    for (int64_t j = 0; j < h->length; j++) {
        p[j] = over(p[j], sum);
        h->kept[i * h->length + j] = !h->mask ? p[j] : h->mask[i * h->length + j] ? times(p[j], h->mask_scale) : exact(0);
    }
}

static void query(const struct head *h, int64_t i)
{
    struct estimate *kept = h->kept + i * h->length, *out = h->out + i * (h->stride / 3);
    const struct estimate *dout = h->dout + i * (h->stride / 3);
    probabilities(h, i);
    for (int64_t c = 0; c < h->size; c++) out[c] = dot(h->length, kept, 1, h->v + c, h->stride);
    const struct estimate mean = dot(h->size, out, 1, dout, 1);
    for (int64_t j = 0; j < h->length; j++) {
        const struct estimate gradient = dot(h->size, dout, 1, h->v + j * h->stride, 1);
        h->d[i * h->length + j] = minus(times(kept[j], gradient), times(h->p[i * h->length + j], mean));
    }
    for (int64_t c = 0; c < h->size; c++)
        h->dq[i * h->stride + c] = times(dot(h->length, h->d + i * h->length, 1, h->k + c, h->stride), h->scale);
}

static void attend(const struct head *h)
{
    for (int64_t i = 0; i < h->queries; i++) query(h, i);
    for (int64_t j = 0; j < h->length; j++)
        for (int64_t c = 0; c < h->size; c++) {
            h->dk[j * h->stride + c] = times(dot(h->queries, h->d + j, h->length, h->q + c, h->stride), h->scale);
            h->dv[j * h->stride + c] = dot(h->queries, h->kept + j, h->length, h->dout + c, h->stride / 3);
        }
}

/* [queries, length] of head h: that of i for j is number (h length + i) T + j of the row. */
static const uint8_t *head_mask(const struct attention *a, int64_t sequence, int64_t h, int64_t queries, int64_t length)
{
    const struct attention_dropout *d = a->dropout;
    if (!d) return NULL;
    const int64_t block = (a->length + 7) / 8 * 8;
    uint8_t *mask = room((size_t)(queries * length));
    for (int64_t i = 0; i < queries; i++)
        random_mask(d->key, (struct random_place){d->batch, (uint32_t)d->row[sequence], d->pass}, (uint64_t)((h * a->length + i) * block),
                    length, d->rate, mask + i * length);
    return mask;
}

/* All of it: out [queries, width] and dqkv [tokens, 3 width]. */
static void define_attention(const struct attending *v, struct estimate *out, struct estimate *dqkv)
{
    const struct attention *a = &v->a;
    const int64_t width = a->width, stride = 3 * width;
    const struct estimate *qkv = all_exact(v->tokens * stride, v->qkv), *dout = all_exact(v->queries * width, v->dout);
    for (int64_t i = 0; i < v->tokens * stride; i++) dqkv[i] = exact(0);
    for (int64_t s = 0; s < a->sequences; s++)
        for (int64_t h = 0; h < a->heads; h++) {
            const int64_t length = a->start[s + 1] - a->start[s], queries = a->first_only ? 1 : length, square = queries * length;
            const int64_t at = a->start[s] * stride + h * v->size, at_out = first_query(a, s) * width + h * v->size;
            attend(&(struct head){.queries = queries,
                                  .length = length,
                                  .size = v->size,
                                  .stride = stride,
                                  .q = qkv + at,
                                  .k = qkv + at + width,
                                  .v = qkv + at + 2 * width,
                                  .dout = dout + at_out,
                                  .mask = head_mask(a, s, h, queries, length),
                                  .scale = {(double)a->scale, 0},
                                  .mask_scale = exact(a->dropout ? (double)a->dropout->scale : 1),
                                  .p = estimates(square),
                                  .kept = estimates(square),
                                  .d = estimates(square),
                                  .out = out + at_out,
                                  .dq = dqkv + at,
                                  .dk = dqkv + at + width,
                                  .dv = dqkv + at + 2 * width});
        }
}

static void check_attention(struct attention a, double spread, bool add)
{
    struct attending v = {.a = a, .tokens = a.start[a.sequences], .size = a.width / a.heads, .add = add};
    v.queries = a.first_only ? a.sequences : v.tokens;
    const int64_t out_count = v.queries * a.width, all = out_count + v.tokens * 3 * a.width;
    knack_real *qkv = values(v.tokens * 3 * a.width), *before = values(all);
    for (int64_t i = 0; i < v.tokens * 3 * a.width; i++) qkv[i] *= (knack_real)spread;
    v.qkv = qkv;
    v.dout = values(out_count);
    struct estimate *wanted = estimates(all);
    define_attention(&v, wanted, wanted + out_count);
    for (int64_t i = out_count; i < all && add; i++) wanted[i] = plus(exact((double)before[i]), wanted[i]);
    const struct call call = {.run = run_attention, .user = &v, .before = add ? before : NULL, .bytes = (size_t)all * sizeof *before};
    const knack_real *got = run_call(&call);
    assert_within("attention", got, wanted, out_count);
    assert_within("attention, gradients", got + out_count, wanted + out_count, all - out_count);
    arena_reset(arena);
}

enum { MOST_SEQUENCES = 5 };
static const struct {
    int64_t heads, size, length[MOST_SEQUENCES]; /* up to a 0 */
} attentions[] = {{1, 1, {1}},       {2, 3, {3, 1, 9}},     {3, 8, {17, 16, 1, 2}}, {5, 2, {4, 5, 6, 7, 8}}, {1, 33, {33, 15}},
                  {2, 16, {64, 63}}, {4, 64, {20, 32, 31}}, {2, 7, {130, 128}},     {1, 100, {65}},          {8, 1, {12, 13}}};

static void attention_is_its_definition(void **state)
{
    (void)state;
    static const int64_t row[MOST_SEQUENCES] = {7, 0, 3, 12, 5};
    const struct attention_dropout dropout = {.rate = 0.3, .scale = (knack_real)(1 / 0.7), .key = 77, .batch = 4, .pass = 2, .row = row};
    for (int64_t k = 0; k < LENGTH(attentions); k++) {
        int64_t start[MOST_SEQUENCES + 1] = {0}, longest = 0;
        struct attention a = {.start = start, .heads = attentions[k].heads, .width = attentions[k].heads * attentions[k].size};
        for (; a.sequences < MOST_SEQUENCES && attentions[k].length[a.sequences]; a.sequences++) {
            const int64_t length = attentions[k].length[a.sequences];
            start[a.sequences + 1] = start[a.sequences] + length;
            if (length > longest) longest = length;
        }
        a.scale = (knack_real)(1 / sqrt((double)attentions[k].size));
        for (int way = 0; way < 8; way++) {
            a.length = longest + (way & 1 ? 3 : 0);
            a.dropout = way & 2 ? &dropout : NULL;
            a.first_only = way & 4;
            check_attention(a, way == 2 || way == 5 ? 4 : 1, way & 1);
        }
    }
}

/* Scores of which one outweighs the others by more than exp can hold. */
static void sharp_attention(void **state)
{
    (void)state;
    static const int64_t start[] = {0, 20};
    const struct attention a = {.sequences = 1, .length = 20, .start = start, .heads = 2, .width = 32, .scale = 30};
    check_attention(a, 2, false);
}

/* ---- Layer norm ---- */

static const double epsilon = 1e-5;
enum change { NO_CHANGE, WHOLE, DROPPED };

struct norm {
    int64_t rows, width;
    const knack_real *x, *gamma, *beta, *dy, *change;
    const uint8_t *mask; /* of the change; NULL: all of it is added */
    bool add;
};

/* Where the results of both ways are, of struct estimate or of knack_real. */
enum norm_result { NORM_Y, NORM_SUM, NORM_MEAN, NORM_SCALE, NORM_DX, NORM_DCHANGE, NORM_DGAMMA, NORM_DBETA, NORM_ALL };
static int64_t norm_at(const struct norm *v, enum norm_result result)
{
    const int64_t count = v->rows * v->width;
    const int64_t sizes[] = {count, count, v->rows, v->rows, count, count, v->width, v->width};
    int64_t at = 0;
    for (int i = 0; i < (int)result; i++) at += sizes[i];
    return at;
}

static void run_layer_norm(const struct call *call, void *out)
{
    const struct norm *v = call->user;
    const int64_t rows = v->rows, width = v->width;
    knack_real *at[NORM_ALL];
    for (int i = 0; i < NORM_ALL; i++) at[i] = (knack_real *)out + norm_at(v, (enum norm_result)i);
    const struct dropped_change change = {.change = v->change,
                                          .mask = v->mask,
                                          .scale = v->mask ? (knack_real)1.25 : 1,
                                          .sum = at[NORM_SUM],
                                          .dchange = at[NORM_DCHANGE],
                                          .add = v->add};
    kernel_layer_norm(rows, width, v->x, v->change ? &change : NULL, epsilon, v->gamma, v->beta, at[NORM_MEAN], at[NORM_SCALE], at[NORM_Y]);
    spoil_arena();
    ASSERT_OK(kernel_layer_norm_backward(arena, rows, width, v->x, at[NORM_MEAN], at[NORM_SCALE], v->gamma, v->dy, at[NORM_DX], v->add,
                                         v->change ? &change : NULL, at[NORM_DGAMMA], v->add, at[NORM_DBETA], v->add));
}

/* A row, by the definition: out[i] is where the results of that row begin. normal [width], dgamma's and dbeta's terms, is written too. */
static void define_row(const struct norm *v, int64_t row, struct estimate *out, struct estimate *normal)
{
    const int64_t width = v->width, first = row * width;
    const struct estimate size = exact((double)width);
    struct estimate *sum = out + norm_at(v, NORM_SUM) + first, *gradient = estimates(width), *dx = out + norm_at(v, NORM_DX) + first;
    for (int64_t j = 0; j < width; j++) {
        const bool stays = v->change && (!v->mask || v->mask[first + j]);
        sum[j] = exact((double)v->x[first + j]);
        const struct estimate change = stays ? exact((double)v->change[first + j]) : exact(0);
        if (stays) sum[j] = plus(sum[j], v->mask ? times(change, exact(1.25)) : change);
    }
    const struct estimate mean = over(total(width, sum, 1), size);
    for (int64_t j = 0; j < width; j++) normal[j] = minus(sum[j], mean);
    const struct estimate variance = over(dot(width, normal, 1, normal, 1), size);
    const struct estimate scale = inverse_root(plus(variance, exact(epsilon)));
    for (int64_t j = 0; j < width; j++) {
        const struct estimate gamma = exact((double)v->gamma[j]);
        normal[j] = times(normal[j], scale);
        gradient[j] = times(exact((double)v->dy[first + j]), gamma);
        out[norm_at(v, NORM_Y) + first + j] = plus(times(normal[j], gamma), exact((double)v->beta[j]));
    }
    const struct estimate plain = over(total(width, gradient, 1), size), along = over(dot(width, gradient, 1, normal, 1), size);
    for (int64_t j = 0; j < width; j++) dx[j] = times(scale, minus(minus(gradient[j], plain), times(normal[j], along)));
    out[norm_at(v, NORM_MEAN) + row] = mean;
    out[norm_at(v, NORM_SCALE) + row] = scale;
}

static void define_norm(const struct norm *v, const knack_real *before, struct estimate *out)
{
    const int64_t count = v->rows * v->width, dx = norm_at(v, NORM_DX), dchange = norm_at(v, NORM_DCHANGE);
    struct estimate *normal = estimates(count);
    const struct estimate *dy = all_exact(count, v->dy);
    for (int64_t row = 0; row < v->rows; row++) define_row(v, row, out, normal + row * v->width);
    for (int64_t i = 0; i < count; i++) {
        const bool stays = v->change && (!v->mask || v->mask[i]);
        out[dchange + i] = !stays ? exact(0) : v->mask ? times(out[dx + i], exact(1.25)) : out[dx + i];
    }
    for (int64_t j = 0; j < v->width; j++) {
        out[norm_at(v, NORM_DGAMMA) + j] = dot(v->rows, dy + j, v->width, normal + j, v->width);
        out[norm_at(v, NORM_DBETA) + j] = total(v->rows, dy + j, v->width);
    }
    for (int64_t i = dx; i < norm_at(v, NORM_ALL) && v->add; i++) out[i] = plus(out[i], exact((double)before[i]));
    for (int64_t i = 0; i < count && !v->change; i++) /* which are not written then */
        out[norm_at(v, NORM_SUM) + i] = exact((double)before[norm_at(v, NORM_SUM) + i]),
                                   out[dchange + i] = exact((double)before[dchange + i]);
}

static void check_layer_norm(int64_t rows, int64_t width, double offset, enum change change, bool add)
{
    const int64_t count = rows * width;
    knack_real *x = values(count);
    for (int64_t i = 0; i < count; i++) x[i] += (knack_real)offset;
    uint8_t *mask = room((size_t)count);
    random_mask(5, (struct random_place){0}, 0, count, 0.2, mask);
    const struct norm v = {.rows = rows,
                           .width = width,
                           .x = x,
                           .gamma = values(width),
                           .beta = values(width),
                           .dy = values(count),
                           .change = change == NO_CHANGE ? NULL : values(count),
                           .mask = change == DROPPED ? mask : NULL,
                           .add = add};
    const int64_t all = norm_at(&v, NORM_ALL);
    const knack_real *before = values(all);
    struct estimate *wanted = estimates(all);
    define_norm(&v, before, wanted);
    const struct call call = {.run = run_layer_norm, .user = &v, .before = before, .bytes = (size_t)all * sizeof *before};
    assert_within("layer norm", run_call(&call), wanted, all);
    arena_reset(arena);
}

static void layer_norms(void **state)
{
    (void)state;
    static const int64_t shapes[][2] = {{1, 1}, {1, 2}, {3, 5}, {64, 16}, {65, 33}, {7, 100}, {130, 384}};
    for (int64_t s = 0; s < LENGTH(shapes); s++)
        for (int way = 0; way < 6; way++) check_layer_norm(shapes[s][0], shapes[s][1], 0, (enum change)(way / 2), way % 2);
    check_layer_norm(70, 40, 100, DROPPED, false); /* the squares must not cancel */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_is_its_definition),
        cmocka_unit_test(sharp_attention),
        cmocka_unit_test(layer_norms),
    };
    return cmocka_run_group_tests_name("kernels of tokens", tests, open_arena, close_arena);
}
