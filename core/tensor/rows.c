/* What tricks do to whole rows: shift them, mix them with partners, join the components of mixed targets. The first axis counts rows. */
#include <inttypes.h>
#include <string.h>

#include "tensor/operand.h"
#include "tensor/vector.h"

static void *copy_to_tape(struct tape *tape, const void *from, size_t bytes)
{
    void *copy = tape_alloc(tape, bytes);
    if (copy) memcpy(copy, from, bytes);
    return copy;
}

/* ---- Perturbation ---- */

struct perturbation {
    knack_real *gradient; /* [logical rows, width], the caller's */
    knack_real scale;
    const int64_t *row; /* [rows] -> logical row */
};

VECTOR static void add_scaled(int64_t count, knack_real factor, const knack_real *restrict from, knack_real *restrict to)
{
    for (int64_t i = 0; i < count; i++) to[i] += factor * from[i];
}

VECTOR static void sum_of(int64_t count, const knack_real *restrict a, const knack_real *restrict b, knack_real *restrict to)
{
    for (int64_t i = 0; i < count; i++) to[i] = a[i] + b[i];
}

static void perturb_backward(knack_tensor *result)
{
    const struct perturbation *saved = result->saved;
    const int64_t width = result->count / result->shape[0];
    for (int64_t i = 0; i < result->shape[0]; i++)
        add_scaled(width, saved->scale, result->gradient + i * width, saved->gradient + saved->row[i] * width);
    tape_pass_gradient(result, result->input[0]);
}

knack_tensor *tensor_perturb(knack_tensor *x, const knack_real *offset, knack_real *gradient, double gradient_scale, const int64_t *row)
{
    if (!operand_real(__func__, x) || !operand_axis(__func__, x, 0)) return NULL;
    const int64_t rows = x->shape[0], width = x->count / rows;
    knack_tensor *result = offset ? tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 1, &x) : tape_view(x, x->ndim, x->shape);
    struct perturbation *saved = result ? tape_alloc(x->tape, sizeof *saved) : NULL;
    if (!saved) return NULL;
    *saved = (struct perturbation){gradient, (knack_real)gradient_scale, copy_to_tape(x->tape, row, (size_t)rows * sizeof *row)};
    if (!saved->row) return NULL;
    const knack_real *from = x->data;
    knack_real *to = result->data;
    for (int64_t i = 0; offset && i < rows; i++) sum_of(width, from + i * width, offset + row[i] * width, to + i * width);
    tape_require_gradient(result);
    result->saved = saved;
    result->backward = perturb_backward;
    return result;
}

/* ---- Mixing ---- */

struct mixture {
    const int64_t *partner; /* [rows] */
    const knack_real *keep; /* [keep_rows, keep_width] */
    int64_t keep_rows, keep_width;
};

static const knack_real *keep_row(const struct mixture *mix, int64_t row)
{
    return mix->keep + (mix->keep_rows == 1 ? 0 : row * mix->keep_width);
}

/* step: 0 if one keep holds for the row. What is kept whole is copied, so that no partner's NaN gets in. */
VECTOR static void mix_row(int64_t width, const knack_real *restrict keep, int64_t step, const knack_real *restrict own,
                           const knack_real *restrict partner, knack_real *restrict to)
{
    for (int64_t i = 0; i < width; i++) {
        const knack_real k = keep[i * step];
        to[i] = k == 1 ? own[i] : k * own[i] + (1 - k) * partner[i];
    }
}

/* to += keep g, or (1 - keep) g for the partner. */
VECTOR static void share_row(int64_t width, const knack_real *restrict keep, int64_t step, bool partner, const knack_real *restrict g,
                             knack_real *restrict to)
{
    for (int64_t i = 0; i < width; i++) to[i] += (partner ? 1 - keep[i * step] : keep[i * step]) * g[i];
}

static void mix_backward(knack_tensor *result)
{
    const struct mixture *mix = result->saved;
    const int64_t width = result->count / result->shape[0], step = mix->keep_width > 1;
    knack_real *dx = tape_zeroed_gradient(result->input[0]);
    if (!dx) return;
    for (int64_t i = 0; i < result->shape[0]; i++) {
        share_row(width, keep_row(mix, i), step, false, result->gradient + i * width, dx + i * width);
        share_row(width, keep_row(mix, i), step, true, result->gradient + i * width, dx + mix->partner[i] * width);
    }
}

/* Partners and keep, copied to the tape; NULL if they do not fit x. */
static struct mixture *new_mixture(const char *operation, const knack_tensor *x, const int64_t *partner, const knack_real *keep,
                                   int64_t keep_rows, int64_t keep_width)
{
    char text[96];
    struct tape *tape = x->tape;
    const int64_t rows = x->shape[0], width = x->count / rows;
    if ((keep_rows != 1 && keep_rows != rows) || (keep_width != 1 && keep_width != width)) {
        tape_fail(tape, KNACK_E_SHAPE, "%s: keep of [%" PRId64 ", %" PRId64 "] does not fit shape %s", operation, keep_rows, keep_width,
                  shape_text(text, x->ndim, x->shape));
        return NULL;
    }
    for (int64_t i = 0; i < rows; i++) {
        if (partner[i] >= 0 && partner[i] < rows) continue;
        tape_fail(tape, KNACK_E_SHAPE, "%s: partner %" PRId64 " of row %" PRId64 " is outside 0 to %" PRId64, operation, partner[i], i,
                  rows - 1);
        return NULL;
    }
    struct mixture *mix = tape_alloc(tape, sizeof *mix);
    if (!mix) return NULL;
    *mix = (struct mixture){.partner = copy_to_tape(tape, partner, (size_t)rows * sizeof *partner),
                            .keep = copy_to_tape(tape, keep, (size_t)(keep_rows * keep_width) * sizeof *keep),
                            .keep_rows = keep_rows,
                            .keep_width = keep_width};
    return mix->partner && mix->keep ? mix : NULL;
}

knack_tensor *tensor_mix_rows(knack_tensor *x, const int64_t *partner, const knack_real *keep, int64_t keep_rows, int64_t keep_width)
{
    if (!operand_real(__func__, x) || !operand_axis(__func__, x, 0)) return NULL;
    struct mixture *mix = new_mixture(__func__, x, partner, keep, keep_rows, keep_width);
    knack_tensor *result = mix ? tape_result(x->tape, KNACK_REAL, x->ndim, x->shape, 1, &x) : NULL;
    if (!result) return NULL;
    const int64_t width = x->count / x->shape[0];
    const knack_real *from = x->data;
    knack_real *to = result->data;
    for (int64_t i = 0; i < x->shape[0]; i++)
        mix_row(width, keep_row(mix, i), keep_width > 1, from + i * width, from + partner[i] * width, to + i * width);
    result->saved = mix;
    result->backward = mix_backward;
    return result;
}

/* ---- Components of mixed targets ---- */

static void terms_backward(knack_tensor *result)
{
    const knack_real *weight = result->saved;
    knack_tensor *part = result->input[0];
    const int64_t rows = result->count;
    bool fresh;
    knack_real *dpart = tape_gradient(part, &fresh);
    for (int64_t at = 0; dpart && at < part->count; at++) dpart[at] = weight[at] * result->gradient[at % rows] + (fresh ? 0 : dpart[at]);
}

knack_tensor *tensor_weighted_terms(knack_tensor *part, int64_t rows, int64_t terms, const knack_real *weight)
{
    if (!operand_axes(__func__, part, 1)) return NULL;
    if (rows < 1 || terms < 1 || part->count != terms * rows)
        return tape_fail(part->tape, KNACK_E_SHAPE, "%s: %" PRId64 " values are not %" PRId64 " terms of %" PRId64 " rows", __func__,
                         part->count, terms, rows);
    knack_tensor *result = tape_result(part->tape, KNACK_REAL, 1, &rows, 1, &part);
    knack_real *saved = result ? copy_to_tape(part->tape, weight, (size_t)part->count * sizeof *weight) : NULL;
    if (!saved) return NULL;
    const knack_real *from = part->data;
    knack_real *to = result->data;
    for (int64_t i = 0; i < rows; i++) {
        to[i] = weight[i] * from[i];
        for (int64_t k = 1; k < terms; k++) to[i] += weight[k * rows + i] * from[k * rows + i];
    }
    result->saved = saved;
    result->backward = terms_backward;
    return result;
}
