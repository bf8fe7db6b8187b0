/* Which tokens of a batch are there, and how they lie one behind the other. */
#include "tensor/sequences.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/threads.h"
#include "tensor/operand.h"

static void refuse_id(struct tape *tape, int64_t row, int64_t position, double value, int64_t entries)
{
    const bool whole = value == floor(value) && isfinite(value);
    tape_fail(tape, KNACK_E_SHAPE,
              "row %" PRId64 " of the batch, position %" PRId64 ": %.10g is no token id, which are whole numbers from 0 to %" PRId64 "%s",
              row, position, value, entries - 1,
              whole ? "; how many there are is the model's \"vocabulary\""
                    : "; neither divide ids (as 8-bit integers are unless data says \"divide\": 1) nor standardise or mix them: tricks may "
                      "change a layer behind them, such as \"embedding\"");
}

/* Fills in a row's tokens behind those before; false: the tape's failure is set. */
static bool add_row(struct sequences *s, int64_t row, const knack_real *ids, int64_t entries, int64_t padding)
{
    s->start[row] = s->count;
    for (int64_t i = 0; i < s->length; i++) {
        const double value = (double)ids[row * s->length + i];
        if (!(value >= 0 && value < (double)entries) || value != (double)(int32_t)value) {
            refuse_id(s->tape, row, i, value, entries);
            return false;
        }
        if ((int64_t)value == padding) continue;
        s->id[s->count] = (int32_t)value;
        s->place[s->count++] = (int32_t)(row * s->length + i);
    }
    if (s->count > s->start[row]) return true;
    tape_fail(s->tape, KNACK_E_SHAPE, "row %" PRId64 " of the batch has no token but padding (id %" PRId64 ")", row, padding);
    return false;
}

/* A batch of many different lengths would have as many different sizes of products, each of which has to be prepared. */
static int64_t rounded(int64_t count, int64_t most)
{
    enum { SIZES = 128 };
    int64_t step = 1;
    while (step * SIZES < most) step *= 2;
    count = (count + step - 1) / step * step;
    return count < most ? count : most;
}

const struct sequences *sequences_new(const knack_tensor *ids, int64_t entries, int64_t padding)
{
    char text[96];
    if (!ids || !operand_axes("token ids", ids, 2)) return NULL;
    struct tape *tape = ids->tape;
    if (ids->needs_gradient) { /* of a trick that wants to perturb them: it would wait for a gradient that never comes */
        tape_fail(tape, KNACK_E_SHAPE, "token ids have no gradient; attack a layer behind them, such as \"embedding\"");
        return NULL;
    }
    if (ids->count > INT32_MAX) {
        tape_fail(tape, KNACK_E_SHAPE, "token ids of shape %s are too many for one pass: set train.micro_batch",
                  shape_text(text, ids->ndim, ids->shape));
        return NULL;
    }
    struct sequences *s = tape_alloc(tape, sizeof *s);
    if (!s) return NULL;
    *s = (struct sequences){.tape = tape, .rows = ids->shape[0], .length = ids->shape[1]};
    s->start = tape_alloc(tape, (size_t)(s->rows + 1) * sizeof *s->start);
    s->id = tape_alloc(tape, (size_t)ids->count * sizeof *s->id);
    s->place = tape_alloc(tape, (size_t)ids->count * sizeof *s->place);
    if (!s->start || !s->id || !s->place) return NULL;
    for (int64_t row = 0; row < s->rows; row++)
        if (!add_row(s, row, ids->data, entries, padding)) return NULL;
    s->start[s->rows] = s->count;
    s->vectors = rounded(s->count, ids->count);
    return s;
}

/* ---- Between tokens and rows ---- */

static bool without_padding(const struct sequences *s)
{
    return s->count == s->rows * s->length;
}

void sequences_clear(const struct sequences *s, int64_t width, knack_real *x)
{
    memset(x + s->count * width, 0, (size_t)((s->vectors - s->count) * width) * sizeof *x);
}

static void copy_rows(int64_t count, int64_t width, const int32_t *from_row, const int32_t *to_row, const knack_real *from, knack_real *to)
{
    for (int64_t i = 0; i < count; i++)
        memcpy(to + (to_row ? to_row[i] : i) * width, from + (from_row ? from_row[i] : i) * width, (size_t)width * sizeof *to);
}

/* dx (+)= the rows of g that stand at `place`. */
static void spread_backward(knack_tensor *result)
{
    const struct sequences *s = result->saved;
    const int64_t width = tensor_width(result);
    bool fresh;
    knack_real *dx = tape_gradient(result->input[0], &fresh);
    if (!dx) return;
    const knack_real *g = result->gradient;
    if (fresh) {
        copy_rows(s->count, width, s->place, NULL, g, dx);
        sequences_clear(s, width, dx);
        return;
    }
    for (int64_t i = 0; i < s->count; i++)
        for (int64_t j = 0; j < width; j++) dx[i * width + j] += g[s->place[i] * width + j];
}

static void view_backward(knack_tensor *result)
{
    tape_pass_gradient(result, result->input[0]);
}

/* The same numbers under another shape, handing the gradient on. */
static knack_tensor *view(knack_tensor *x, int ndim, const int64_t *shape)
{
    knack_tensor *result = tape_view(x, ndim, shape);
    if (result) result->backward = view_backward;
    return result;
}

knack_tensor *tensor_spread(const struct sequences *s, knack_tensor *x)
{
    if (!s || !x || !operand_axes(__func__, x, 2)) return NULL;
    const int64_t shape[3] = {s->rows, s->length, x->shape[1]};
    if (without_padding(s)) return view(x, 3, shape);
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, 3, shape, 1, &x);
    if (!result) return NULL;
    memset(result->data, 0, (size_t)result->count * sizeof(knack_real));
    copy_rows(s->count, x->shape[1], NULL, s->place, x->data, result->data);
    result->saved = (void *)s;
    result->backward = spread_backward;
    return result;
}

static void gather_backward(knack_tensor *result)
{
    const struct sequences *s = result->saved;
    const int64_t width = tensor_width(result);
    knack_real *dx = tape_zeroed_gradient(result->input[0]);
    const knack_real *g = result->gradient;
    for (int64_t i = 0; dx && i < s->count; i++)
        for (int64_t j = 0; j < width; j++) dx[s->place[i] * width + j] += g[i * width + j];
}

knack_tensor *tensor_gather_tokens(const struct sequences *s, knack_tensor *x)
{
    char text[96];
    if (!s || !x || !operand_axes(__func__, x, 3)) return NULL;
    if (x->shape[0] != s->rows || x->shape[1] != s->length)
        return tape_fail(x->tape, KNACK_E_SHAPE, "a layer of tokens became %s, its first two sizes were %" PRId64 " and %" PRId64,
                         shape_text(text, x->ndim, x->shape), s->rows, s->length);
    const int64_t shape[2] = {s->vectors, x->shape[2]};
    if (without_padding(s)) return view(x, 2, shape);
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, 2, shape, 1, &x);
    if (!result) return NULL;
    copy_rows(s->count, x->shape[2], s->place, NULL, x->data, result->data);
    sequences_clear(s, x->shape[2], result->data);
    result->saved = (void *)s;
    result->backward = gather_backward;
    return result;
}

/* ---- From tokens to one vector a row ---- */

knack_tensor *tensor_first_tokens(const struct sequences *s, knack_tensor *x)
{
    if (!s || !x) return NULL;
    int32_t *row = tape_alloc(s->tape, (size_t)s->rows * sizeof *row);
    if (!row) return NULL;
    for (int64_t i = 0; i < s->rows; i++) row[i] = (int32_t)s->start[i];
    return knack_gather(x, row, s->rows);
}

static void mean_backward(knack_tensor *result)
{
    const struct sequences *s = result->saved;
    const int64_t width = tensor_width(result);
    bool fresh;
    knack_real *dx = tape_gradient(result->input[0], &fresh);
    for (int64_t row = 0; dx && row < s->rows; row++) {
        const knack_real *g = result->gradient + row * width, share = 1 / (knack_real)(s->start[row + 1] - s->start[row]);
        for (int64_t i = s->start[row]; i < s->start[row + 1]; i++)
            for (int64_t j = 0; j < width; j++) dx[i * width + j] = share * g[j] + (fresh ? 0 : dx[i * width + j]);
    }
    if (dx && fresh) sequences_clear(s, width, dx);
}

knack_tensor *tensor_mean_tokens(const struct sequences *s, knack_tensor *x)
{
    if (!s || !x || !operand_axes(__func__, x, 2)) return NULL;
    const int64_t width = x->shape[1], shape[2] = {s->rows, width};
    knack_tensor *result = tape_result(x->tape, KNACK_REAL, 2, shape, 1, &x);
    if (!result) return NULL;
    const knack_real *from = x->data;
    for (int64_t row = 0; row < s->rows; row++) {
        knack_real *mean = (knack_real *)result->data + row * width, share = 1 / (knack_real)(s->start[row + 1] - s->start[row]);
        memset(mean, 0, (size_t)width * sizeof *mean);
        for (int64_t i = s->start[row]; i < s->start[row + 1]; i++)
            for (int64_t j = 0; j < width; j++) mean[j] += from[i * width + j];
        for (int64_t j = 0; j < width; j++) mean[j] *= share;
    }
    result->saved = (void *)s;
    result->backward = mean_backward;
    return result;
}

/* ---- Masks ---- */

struct masking {
    const struct token_dropout *dropout;
    int64_t width;
    uint8_t *mask; /* [vectors or rows, width] */
};

/* Tokens that stand side by side in a row without gaps in their numbers are drawn at once. */
static void mask_row(void *user, int64_t row)
{
    const struct masking *masking = user;
    const struct sequences *s = masking->dropout->sequences;
    const struct dropout_address *address = &masking->dropout->address;
    const struct random_place place = {address->batch, (uint32_t)address->row[row], address->pass};
    const int64_t width = masking->width, block = token_mask_row(width);
    if (masking->dropout->first_only) {
        const uint64_t first = (uint64_t)(s->place[s->start[row]] % s->length * block);
        random_mask(address->key, place, first, width, masking->dropout->rate, masking->mask + row * width);
        return;
    }
    for (int64_t i = s->start[row], end; i < s->start[row + 1]; i = end) {
        end = i + 1;
        while (width == block && end < s->start[row + 1] && s->place[end] == s->place[end - 1] + 1) end++;
        const uint64_t first = (uint64_t)(s->place[i] % s->length * block);
        random_mask(address->key, place, first, (end - i) * width, masking->dropout->rate, masking->mask + i * width);
    }
}

uint8_t *token_mask(const struct token_dropout *dropout, int64_t width)
{
    const struct sequences *s = dropout->sequences;
    const int64_t elements = (dropout->first_only ? s->rows : s->vectors) * width;
    struct masking masking = {.dropout = dropout, .width = width, .mask = tape_alloc(s->tape, (size_t)elements)};
    if (masking.mask) {
        if (elements >= THREADS_WORTH)
            threads_run(s->rows, mask_row, &masking);
        else
            for (int64_t row = 0; row < s->rows; row++) mask_row(&masking, row);
        if (!dropout->first_only) memset(masking.mask + s->count * width, 0, (size_t)((s->vectors - s->count) * width));
    }
    return masking.mask;
}
