/* Kernels: arithmetic on plain arrays, dense and row-major. No allocation but from the arena given, no tape. Those of images are in
 * images.h.
 *
 * reference_*: plain loops, in both builds; what the double build runs, and what the fast ones are tested against.
 * kernel_*: what operations call. In the float build oneDNN (kernels/onednn/) or vector loops (kernels/loops/); in the double build
 * the reference. `add`: add to the output instead of overwriting it.
 * Results do not depend on the number of threads: sums are split by shapes alone and joined in order.
 */
#ifndef TENSOR_KERNELS_H
#define TENSOR_KERNELS_H

#include <knack/tensor.h>

#include "base/arena.h"
#include "base/status.h"

/* c [m, n] (+)= op(a) op(b), batch of them; a is [m, k], or [k, m] if transpose_a; b likewise. bias [n] or NULL and activation (LINEAR or
 * RELU) are applied to c; with add, bias and activation must be none. */
struct matmul {
    enum knack_type type;   /* of a and b: KNACK_REAL or KNACK_BF16 */
    enum knack_type result; /* of c: KNACK_REAL, or 0 for the same as type */
    int64_t batch, m, n, k;
    bool transpose_a, transpose_b, add;
    const void *a, *b;
    const knack_real *bias;
    enum knack_activation activation;
    void *c;
};
knack_status kernel_matmul(struct arena *, const struct matmul *);
knack_status reference_matmul(struct arena *, const struct matmul *);

/* A change that is added to x before it is normalised. */
struct dropped_change {
    const knack_real *change; /* [rows, width]; the way forward */
    const uint8_t *mask;      /* [rows, width] 1 where it stays; NULL: everywhere */
    knack_real scale;         /* of what stays */
    knack_real *sum;          /* [rows, width] x + what stays: written forward, read on the way back */
    knack_real *dchange;      /* [rows, width]; the way back; NULL: not wanted */
    bool add;                 /* to dchange */
};
/* x [rows, width], gamma and beta [width]; mean and scale [rows], scale = 1 / sqrt(variance + epsilon), are written for the way back.
 * change NULL: none. */
void kernel_layer_norm(int64_t rows, int64_t width, const knack_real *x, const struct dropped_change *change, double epsilon,
                       const knack_real *gamma, const knack_real *beta, knack_real *mean, knack_real *scale, knack_real *y);
/* dx, dgamma and dbeta may be NULL; x is not read where there is a change. */
knack_status kernel_layer_norm_backward(struct arena *, int64_t rows, int64_t width, const knack_real *x, const knack_real *mean,
                                        const knack_real *scale, const knack_real *gamma, const knack_real *dy, knack_real *dx, bool add_dx,
                                        const struct dropped_change *change, knack_real *dgamma, bool add_dgamma, knack_real *dbeta,
                                        bool add_dbeta);

/* Attention of tokens in sequences that lie one behind the other: sequence s has tokens start[s] to start[s + 1] - 1. */
struct attention_dropout {
    double rate;
    knack_real scale; /* 1 / (1 - rate) */
    uint64_t key;
    uint32_t batch, pass;
    const int64_t *row; /* [sequences] */
};
struct attention {
    int64_t sequences, length;               /* length: at least that of the longest, of which masks are numbered */
    const int64_t *start;                    /* [sequences + 1] */
    bool first_only;                         /* only the first token of each sequence attends, to all of it; else all do */
    int64_t heads, width;                    /* width: of all heads together */
    knack_real scale;                        /* of the scores */
    const struct attention_dropout *dropout; /* of the probabilities; NULL: none */
};
int64_t kernel_attention_saved(const struct attention *); /* how many numbers the way back needs */
/* out [queries, width] = softmax(scale q k^T) v in each head, with a row for each token that attends; qkv [tokens, 3 width] has q, k and v
 * side by side, and in each the heads. saved NULL: there is no way back. */
knack_status kernel_attention(struct arena *, const struct attention *, const knack_real *qkv, knack_real *saved, knack_real *out);
knack_status kernel_attention_backward(struct arena *, const struct attention *, const knack_real *qkv, const knack_real *saved,
                                       const knack_real *out, const knack_real *dout, knack_real *dqkv, bool add);

/* On the way back through a linear layer: from the gradient of y, what ReLU and dropout made of z = x w^T + bias, those of z and bias. */
struct linear_gradient {
    int64_t rows, columns;
    const knack_real *y;  /* [rows, columns]; NULL: neither ReLU nor dropout */
    knack_real scale;     /* what dropout multiplied by; 1: none */
    const knack_real *dy; /* [rows, columns] */
    void *dz;             /* [rows, columns]; NULL: it is dy, as it is without y in KNACK_REAL */
    enum knack_type type; /* of dz: KNACK_REAL or KNACK_BF16 */
    knack_real *dbias;    /* [columns]; NULL: not wanted */
    bool add;             /* to dbias */
};
void kernel_linear_gradient(const struct linear_gradient *);

/* Column sums of x [rows, columns]: the gradient of a bias. */
void kernel_column_sums(int64_t rows, int64_t columns, const knack_real *x, knack_real *out, bool add);

/* KNACK_REAL to bf16 (uint16_t) and back; round to nearest even, NaN stays NaN. */
void kernel_to_bf16(int64_t count, const knack_real *x, uint16_t *out);
void kernel_from_bf16(int64_t count, const uint16_t *x, knack_real *out);

const char *kernel_cpu_level(void);       /* "x86-64-v4 (avx512_core_bf16)", or "reference" */
const char *kernel_library_version(void); /* "oneDNN 2.6.3", or "reference kernels" */

#endif
