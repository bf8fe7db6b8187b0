/* What the models of the program are made of: each part is declared once and run at every pass. Errors while declaring are kept by the
 * model (builder.h). */
#ifndef MODEL_PARTS_H
#define MODEL_PARTS_H

#include "model/builder.h"

struct part_shape {
    int ndim;
    int64_t size[KNACK_MAX_DIMS]; /* of one row: [values], or [height, width, channels] */
};

struct part_sizes {
    int64_t *value; /* [count] */
    int64_t count;
};

/* Parameters NAME.weight [out, in] and NAME.bias [out]. */
struct part_linear {
    const knack_param *weight, *bias; /* bias NULL: none */
};
void part_linear_declare(knack_model *, const char *name, int64_t in, int64_t out, bool bias, struct part_linear *);

/* Parameters NAME.weight [out, in, kernel, kernel] and NAME.bias [out]. */
struct part_conv {
    const knack_param *weight, *bias; /* bias NULL: none */
    int stride, padding;
};
struct part_conv_shape {
    int64_t in, out;
    int kernel, stride, padding;
    bool bias;
};
void part_conv_declare(knack_model *, const char *name, const struct part_conv_shape *, struct part_conv *);
knack_tensor *part_conv_run(knack_step *, const struct part_conv *, knack_tensor *x);

/* A convolution without bias, and a batch norm. */
struct part_conv_norm {
    struct part_conv conv;
    knack_norm_layer *norm;
};
void part_conv_norm_declare(knack_model *, const char *conv, const char *norm, const struct part_conv_shape *, struct part_conv_norm *);
struct conv_norm *part_conv_norm_run(knack_step *, const struct part_conv_norm *, knack_tensor *x);      /* for tensor/conv_norm.h */
struct conv_norm *part_conv_norm_pool_run(knack_step *, const struct part_conv_norm *, knack_tensor *x); /* with a 2x2 pool behind ReLU */

/* Layers fc1, fc2, ...: linear, ReLU (where tricks watch), dropout. */
struct part_stack {
    struct part_linear *linear; /* [count] */
    const char **name;          /* [count] */
    int64_t count;
    double dropout;
};
/* width: of the input, then of the output. */
void part_stack_declare(knack_model *, const struct part_sizes *hidden, double dropout, int64_t *width, struct part_stack *);
knack_tensor *part_stack_run(knack_step *, const struct part_stack *, knack_tensor *x);
void part_stack_free(struct part_stack *);

knack_tensor *part_flatten(knack_tensor *x); /* [rows, ...] -> [rows, values] */
/* A name of several parts, formatted into a buffer that names too long for a parameter fill; returns buffer. */
const char *part_name(char buffer[2 * PARAMS_NAME], const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
