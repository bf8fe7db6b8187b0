/* The tape: tensors in the order in which operations made them, and how gradients flow back through them.
 *
 * An operation is one function that makes its result by tape_result() and, if the result needs a gradient, sets its backward function.
 * Backward functions read result->gradient and add to their operands' gradients by tape_gradient(). All memory is the arena's.
 */
#ifndef TENSOR_TAPE_H
#define TENSOR_TAPE_H

#include <knack/tensor.h>

#include "base/arena.h"
#include "base/status.h"

enum { TAPE_MAX_INPUTS = 4 };

struct tape {
    struct arena *arena;
    knack_tensor *last;   /* newest result; ->previous leads to the oldest */
    struct spare *spare;  /* memory given back, latest first */
    bool recording;       /* false: results need no gradient */
    knack_status failure; /* first failure, 0 so far */
    char message[1024];   /* its message */
};

struct knack_tensor {
    struct tape *tape;
    void *data;           /* [count] of the type, 64-byte aligned */
    knack_real *gradient; /* [count], NULL until the first contribution; for leaves of parameters: in the flat buffer */
    int64_t shape[KNACK_MAX_DIMS];
    int64_t count;
    int ndim;
    enum knack_type type;
    bool needs_gradient;
    bool shared_gradient; /* gradient is another tensor's: copied before anything is added */
    uint8_t *touched;     /* leaves of parameters: 1 once this pass wrote the gradient; else NULL */
    int inputs;
    knack_tensor *input[TAPE_MAX_INPUTS];
    void (*backward)(knack_tensor *); /* NULL: a leaf */
    void *saved;                      /* the operation's own, in the arena */
    knack_tensor *previous;           /* on the tape; results that need a gradient only */
};

/* A step begins with this; the model floor and the train floor each put more behind it. */
struct step_base {
    struct tape *tape;
};
static inline struct tape *step_tape(const knack_step *step)
{
    return ((const struct step_base *)(const void *)step)->tape;
}

void tape_begin(struct tape *, struct arena *); /* forgets everything; recording, no failure. Does not reset the arena */

/* Keeps the first failure's message ("knack_add: shapes [2, 3] and [4] do not fit") and returns NULL. */
knack_tensor *tape_fail(struct tape *, knack_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Whether a kernel succeeded; if not, its message is kept behind the operation's name. */
bool tape_check(struct tape *, const char *operation, knack_status);
/* As an error of the calling thread: KNACK_OK, or the first failure with its message. */
knack_status tape_status(const struct tape *);

/* Whether an operand is of this tape; if not, the failure is set. tape_result() asks it of its inputs. */
bool tape_holds(struct tape *, const knack_tensor *operand);
/* A new tensor with uninitialised data; needs_gradient if recording and any input does. inputs of them in input; NULL on failure. */
knack_tensor *tape_result(struct tape *, enum knack_type, int ndim, const int64_t *shape, int inputs, knack_tensor *const *input);
/* The same without data, which the operation sets later. */
knack_tensor *tape_promise(struct tape *, enum knack_type, int ndim, const int64_t *shape, int inputs, knack_tensor *const *input);
/* A result with the data of its one operand x, under another shape of the same count. */
knack_tensor *tape_view(knack_tensor *x, int ndim, const int64_t *shape);
/* While recording: result gets a gradient even if no operand needs one. */
void tape_require_gradient(knack_tensor *result);
/* Leaves: data is the caller's and must outlive the tape. */
knack_tensor *tape_constant(struct tape *, enum knack_type, int ndim, const int64_t *shape, void *data);
/* gradient NULL: none wanted. The first contribution of a pass overwrites gradient if *touched is 0, later ones add.
 * touched NULL: a byte of the tape's own. */
knack_tensor *tape_leaf(struct tape *, int ndim, const int64_t *shape, knack_real *data, knack_real *gradient, uint8_t *touched);
void *tape_alloc(struct tape *, size_t bytes); /* from the arena; on failure NULL, and the tape's failure is set */
/* Gives memory back before the tape ends; tape_reuse() takes what was given back, if it has just the size, or new memory. */
void tape_give_back(struct tape *, void *memory, size_t bytes);
void *tape_reuse(struct tape *, size_t bytes);

/* Where a backward function adds to the gradient of an operand: NULL if it needs none (or memory failed). *fresh true: overwrite all of it,
 * false: add to it. */
knack_real *tape_gradient(knack_tensor *, bool *fresh);
/* The same, zeroed if it is fresh: for backward functions that add here and there. */
knack_real *tape_zeroed_gradient(knack_tensor *);
/* For backward functions that hand result's gradient on as it is: x, of the same count, shares it if that is its first contribution and it
 * is no leaf; else it is added. */
void tape_pass_gradient(knack_tensor *result, knack_tensor *x);

/* From result->gradient = seed [count] back to all leaves. Gradients of the results in between stay readable until the tape begins anew. */
knack_status tape_backward(knack_tensor *result, const knack_real *seed);

int64_t tensor_rows(const knack_tensor *);  /* product of all sizes but the last; 1 for no axes */
int64_t tensor_width(const knack_tensor *); /* the last size */
size_t type_size(enum knack_type);
const char *type_name(enum knack_type);
const char *shape_text(char buffer[96], int ndim, const int64_t *shape); /* "[2, 3]" */

/* ---- Operations that the model floor wraps, since they need more than tensors ---- */

/* Masks by random_mask(key, {batch, row[i], pass}, element): row [first axis] gives the logical row of each row of x. rate in [0, 1). */
struct dropout_address {
    uint64_t key;
    uint32_t batch, pass; /* pass: gradient pass and forward number, 0 without redraw */
    const int64_t *row;   /* [first axis] */
};
knack_tensor *tensor_dropout(knack_tensor *x, double rate, const struct dropout_address *);

/* x [..., channels]; gamma, beta [channels]. batch: statistics of x, written to mean and variance [channels] (variance biased, count of
 * values a channel to *count); else mean and variance are given. */
struct batch_norm {
    bool batch;
    knack_real *mean, *variance; /* [channels], the caller's */
    int64_t *count;
    double epsilon;
};
knack_tensor *tensor_batch_norm(knack_tensor *x, knack_tensor *gamma, knack_tensor *beta, const struct batch_norm *);

/* knack_linear(), with the products of x and w in the type `compute`: theirs, or KNACK_BF16 for operands and a result in KNACK_REAL. */
knack_tensor *tensor_linear(knack_tensor *x, knack_tensor *w, knack_tensor *bias, enum knack_activation, enum knack_type compute);
/* The same with RELU and dropout behind it, as one operation: no mask is kept, since what was dropped is 0 as what ReLU took. */
knack_tensor *tensor_linear_relu_drop(knack_tensor *x, knack_tensor *w, knack_tensor *bias, enum knack_type compute, double rate,
                                      const struct dropout_address *);

/* x unchanged, plus offset's rows if it is not NULL; backward also adds result->gradient's rows, times gradient_scale, to gradient.
 * offset, gradient [logical rows, width]; row [first axis] -> logical row. Always needs a gradient while recording. */
knack_tensor *tensor_perturb(knack_tensor *x, const knack_real *offset, knack_real *gradient, double gradient_scale, const int64_t *row);
/* keep x + (1 - keep) x[partner]: partner [rows] by row of x itself; keep [rows or 1, width or 1]; one that is 1 copies exactly. */
knack_tensor *tensor_mix_rows(knack_tensor *x, const int64_t *partner, const knack_real *keep, int64_t keep_rows, int64_t keep_width);
/* sum over k of weight[k][i] * part[k * rows + i]: part [terms * rows] -> [rows]; used to join the components of mixed targets. */
knack_tensor *tensor_weighted_terms(knack_tensor *part, int64_t rows, int64_t terms, const knack_real *weight /* [terms * rows] */);
/* Per row the mean over outputs of (x - target)^2, or of |x - target|: x, target [rows, outputs] -> [rows]. */
knack_tensor *tensor_squared_error(knack_tensor *x, const knack_real *target);
knack_tensor *tensor_absolute_error(knack_tensor *x, const knack_real *target);

#endif
