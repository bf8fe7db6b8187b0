/* knack: tensors and the operations on them.
 *
 * A tensor lives on the tape of the pass that made it, in memory that the host owns; it dies with the pass. Tensors are dense and
 * row-major; images are channels-last, [rows, height, width, channels]. An operation returns a new tensor and never changes its
 * operands. Given NULL, or on any failure, it returns NULL; the first failure's message is kept and reported by the host, so that
 * a caller checks once, at the end, or not at all. Unless said otherwise operands are of type KNACK_REAL and every operation
 * has a gradient. None of these functions may be called from two threads on one tape.
 */
#ifndef KNACK_TENSOR_H
#define KNACK_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KNACK_API __attribute__((visibility("default")))

/* The type of weights, gradients and tensor values: float in all that is shipped, double in the build that checks the mathematics. */
#ifdef KNACK_REAL_DOUBLE
typedef double knack_real;
#else
typedef float knack_real;
#endif

/* 0 and above: outcomes of a hook or stage; below: errors, whose message knack_error() holds. */
typedef int knack_status;
enum {
    KNACK_OK = 0,
    KNACK_IDLE = 1,        /* looked, had nothing to do */
    KNACK_SKIP_UPDATE = 2, /* no optimizer update this step; from pre_step, gradient or post_backward */
    KNACK_STOP = 3,        /* end training after this step */
    KNACK_E_USAGE = -1,    /* wrong command line */
    KNACK_E_CONFIG = -2,   /* a config, manifest or option is wrong */
    KNACK_E_DATA = -3,     /* a data file is missing, malformed or unfit */
    KNACK_E_PLUGIN = -4,   /* a plugin cannot be loaded, or failed */
    KNACK_E_NUMERIC = -5,  /* loss or gradient stayed non-finite */
    KNACK_E_IO = -6,       /* reading or writing failed */
    KNACK_E_MEMORY = -7,   /* out of memory */
    KNACK_E_CALL = -8,     /* a function was called where it is not allowed */
    KNACK_E_SHAPE = -9,    /* operands do not fit each other */
    KNACK_E_INTERRUPTED = -10
};

/* The message of this thread's latest error: what was wrong, where, what to do. Never NULL. Valid until the thread's next error. */
KNACK_API const char *knack_error(void);

typedef struct knack_tensor knack_tensor;
typedef struct knack_step knack_step;   /* one optimizer update on one logical batch, and the tape of its current pass */
typedef struct knack_param knack_param; /* a learnable array of the model or of a trick: plugin.h */

enum { KNACK_MAX_DIMS = 5 };

enum knack_type { KNACK_F32 = 1, KNACK_F64, KNACK_BF16, KNACK_F16, KNACK_I32, KNACK_I64, KNACK_U8 };
#ifdef KNACK_REAL_DOUBLE
#define KNACK_REAL KNACK_F64
#else
#define KNACK_REAL KNACK_F32
#endif

enum knack_activation { KNACK_LINEAR, KNACK_RELU, KNACK_GELU, KNACK_TANH, KNACK_SIGMOID };

/* ---- Looking at tensors ---- */

/* The values, row-major; host's, until the pass ends. To be read; write only what knack_input() gave. */
KNACK_API void *knack_data(const knack_tensor *);
/* The sizes, outermost first; how many there are goes to *ndim, which may be NULL. NULL gives NULL and 0. */
KNACK_API const int64_t *knack_shape(const knack_tensor *, int *ndim);
KNACK_API enum knack_type knack_type(const knack_tensor *);

/* ---- Leaves ---- */

/* A tensor without gradient, copied from data; type is KNACK_REAL or KNACK_I32. */
KNACK_API knack_tensor *knack_constant(knack_step *, enum knack_type type, int ndim, const int64_t *shape, const void *data);
/* The parameter's values in the weights that are in use, as a leaf: its gradient goes to the step. [head, loss, layer, and models] */
KNACK_API knack_tensor *knack_param_tensor(knack_step *, const knack_param *);

/* ---- Element by element ----
 * Two operands broadcast as in NumPy: shapes are aligned at the last axis, and a size of 1 stretches. */

KNACK_API knack_tensor *knack_add(knack_tensor *a, knack_tensor *b);
KNACK_API knack_tensor *knack_sub(knack_tensor *a, knack_tensor *b);
KNACK_API knack_tensor *knack_mul(knack_tensor *a, knack_tensor *b);
KNACK_API knack_tensor *knack_mean2(knack_tensor *a, knack_tensor *b); /* (a + b) / 2 */
KNACK_API knack_tensor *knack_scale(knack_tensor *x, double factor);
KNACK_API knack_tensor *knack_add_scalar(knack_tensor *x, double addend);
KNACK_API knack_tensor *knack_exp(knack_tensor *x);
KNACK_API knack_tensor *knack_log(knack_tensor *x);
KNACK_API knack_tensor *knack_sqrt(knack_tensor *x);                 /* gradient at 0 is 0 */
KNACK_API knack_tensor *knack_pow(knack_tensor *x, double exponent); /* x >= 0, or an integral exponent */
KNACK_API knack_tensor *knack_relu(knack_tensor *x);
KNACK_API knack_tensor *knack_gelu(knack_tensor *x); /* x Phi(x), by erf */
KNACK_API knack_tensor *knack_tanh(knack_tensor *x);
KNACK_API knack_tensor *knack_sigmoid(knack_tensor *x);
KNACK_API knack_tensor *knack_clamp(knack_tensor *x, double low, double high); /* gradient 1 within the closed interval, else 0 */
KNACK_API knack_tensor *knack_is_nan(knack_tensor *x);                         /* 1 where NaN, else 0; no gradient */
KNACK_API knack_tensor *knack_greater(knack_tensor *a, knack_tensor *b);       /* 1 where a > b, else 0; no gradient */
/* a where the mask is not 0, else b. The side not taken gets gradient 0, never NaN. */
KNACK_API knack_tensor *knack_where(knack_tensor *mask, knack_tensor *a, knack_tensor *b);
KNACK_API knack_tensor *knack_stop_gradient(knack_tensor *x);
/* Between KNACK_REAL and KNACK_BF16, rounding to nearest even; NaN stays NaN. The gradient passes unchanged, in KNACK_REAL. */
KNACK_API knack_tensor *knack_cast(knack_tensor *x, enum knack_type type);

/* ---- Over an axis ---- */

enum { KNACK_ALL = -1 };                                      /* as axis: all of them, giving [1] */
KNACK_API knack_tensor *knack_sum(knack_tensor *x, int axis); /* the axis vanishes */
KNACK_API knack_tensor *knack_mean(knack_tensor *x, int axis);
KNACK_API knack_tensor *knack_max(knack_tensor *x, int axis); /* gradient to the first maximum */
KNACK_API knack_tensor *knack_softmax(knack_tensor *x);       /* over the last axis, as the next two */
KNACK_API knack_tensor *knack_log_softmax(knack_tensor *x);
KNACK_API knack_tensor *knack_logsumexp(knack_tensor *x); /* the last axis vanishes; -Inf entries are allowed */
/* x / |x| in L2 along the axis. A vector of norm 0 gives 0 and gets gradient 0. */
KNACK_API knack_tensor *knack_normalise(knack_tensor *x, int axis);

/* ---- Shape, selection ---- */

KNACK_API knack_tensor *knack_reshape(knack_tensor *x, int ndim, const int64_t *shape); /* one size may be -1: what is left */
KNACK_API knack_tensor *knack_transpose(knack_tensor *x, int axis, int other);          /* exchanges two axes; copies */
KNACK_API knack_tensor *knack_concat(int count, knack_tensor *const *parts, int axis);
KNACK_API knack_tensor *knack_slice(knack_tensor *x, int axis, int64_t first, int64_t count);
/* Entries rows[0..count) along the first axis; one may occur often, its gradients add up. */
KNACK_API knack_tensor *knack_gather(knack_tensor *x, const int32_t *rows, int64_t count);
/* x[i, column[i]] of x [rows, columns] -> [rows]. A negative column gives 0. */
KNACK_API knack_tensor *knack_pick(knack_tensor *x, const int32_t *column);
/* x [rows, columns] with x[i, column[i]] replaced by values[i], values [rows]. A negative column replaces nothing. */
KNACK_API knack_tensor *knack_put(knack_tensor *x, const int32_t *column, knack_tensor *values);

/* ---- Products ---- */

/* a b, each transposed first if told: [m, k] x [k, n] -> [m, n], or with one leading batch axis on both. Both KNACK_REAL or both
 * KNACK_BF16, summed in KNACK_REAL; the result has the operands' type. */
KNACK_API knack_tensor *knack_matmul(knack_tensor *a, knack_tensor *b, bool transpose_a, bool transpose_b);
/* activation(x w^T + bias): x [..., in], w [out, in], bias [out] or NULL -> [..., out]. Types as in knack_matmul; bias KNACK_REAL. */
KNACK_API knack_tensor *knack_linear(knack_tensor *x, knack_tensor *w, knack_tensor *bias, enum knack_activation activation);
/* x [rows, height, width, in], w [out, in, kernel height, kernel width], bias [out] or NULL; zero padding on all four sides
 * -> [rows, (height + 2 padding - kernel height) / stride + 1, likewise, out]. */
KNACK_API knack_tensor *knack_conv2d(knack_tensor *x, knack_tensor *w, knack_tensor *bias, int stride, int padding);

/* ---- Layers ---- */

/* Windows of size x size; x [rows, height, width, channels]. Padding counts as -Inf, or is left out of the average. */
KNACK_API knack_tensor *knack_max_pool(knack_tensor *x, int size, int stride, int padding);
KNACK_API knack_tensor *knack_average_pool(knack_tensor *x, int size, int stride, int padding);
KNACK_API knack_tensor *knack_global_pool(knack_tensor *x); /* the mean over height and width -> [rows, channels] */
/* Over the last axis: gamma (x - mean) / sqrt(biased variance + epsilon) + beta; gamma, beta [width]. arXiv:1607.06450 */
KNACK_API knack_tensor *knack_layer_norm(knack_tensor *x, knack_tensor *gamma, knack_tensor *beta, double epsilon);
/* ids: KNACK_I32 of any shape [...], table [entries, width] -> [..., width]. An id outside the table is an error. */
KNACK_API knack_tensor *knack_embedding(knack_tensor *ids, knack_tensor *table);

/* ---- Losses, one a row ---- */

/* -log softmax(logits)[i, id[i]] of logits [rows, classes] -> [rows]. A negative id gives 0. */
KNACK_API knack_tensor *knack_cross_entropy(knack_tensor *logits, const int32_t *id);
/* -sum over c of target[i, c] log softmax(logits)[i, c]; target [rows, classes], no gradient to it. */
KNACK_API knack_tensor *knack_cross_entropy_dense(knack_tensor *logits, knack_tensor *target);

/* ---- Checking a gradient ----
 * Compares the tape's gradient of sum(weights * f(inputs)), for fixed pseudo-random weights, with central differences, in every
 * element of every input. shapes[k] has ndims[k] sizes; values[k] holds the point and is left as it was. *worst gets the largest
 * |difference| / max(1, |gradient|) found. Meant for the double build, where 1e-6 is usual. */
typedef knack_tensor *knack_function(knack_step *, knack_tensor *const *inputs, void *user);
KNACK_API knack_status knack_check_gradient(knack_function *f, void *user, int count, const int *ndims, const int64_t *const *shapes,
                                            knack_real *const *values, double step, double *worst);

#ifdef __cplusplus
}
#endif
#endif
