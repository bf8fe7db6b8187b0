/* The kinds of layers of the "layers" model: how each reads its options, what it makes of a shape, and how it runs. */
#ifndef MODEL_LAYER_KINDS_H
#define MODEL_LAYER_KINDS_H

#include "model/parts.h"

/* One for all kinds: each reads those that its table has. */
struct layer_options {
    const char *type, *name;
    int64_t size, kernel, stride, padding; /* size: outputs of a linear layer, channels of a convolution */
    bool bias;
    double rate, epsilon;
};

struct layer_kind;
struct layer;
struct sequence {
    struct layer *layer; /* [count] */
    int64_t count;
};

struct layer {
    const struct layer_kind *kind; /* NULL: a residual block */
    const char *name;              /* as tricks see it; the model's */
    struct layer_options options;
    struct part_linear linear;
    struct part_conv conv;
    knack_norm_layer *norm;
    const knack_param *weight, *bias; /* layer-norm */
    struct sequence residual, shortcut;
};

struct layer_kind {
    const char *name, *prefix; /* prefix: of names that the config does not give, "conv" for conv1, conv2, ... */
    const struct json_field *fields;
    /* Declares parameters; turns the shape of what comes in into that of what goes out. NULL: the shape stays. at: for errors. */
    knack_status (*declare)(knack_model *, struct layer *, const struct json *at, struct part_shape *);
    knack_tensor *(*run)(knack_step *, const struct layer *, knack_tensor *x);
};

extern const struct layer_kind layer_kinds[];                        /* ends with a NULL name */
const struct layer_kind *layer_kind_find(const struct json *object); /* by "type"; NULL with an error */
void layer_kinds_schema(struct json_writer *);                       /* entries of a list of schemas */

#endif
