/* knack: for programs that embed it. Train from a config, predict with what was trained, bring a model of one's own, run the command
 * line. Functions return KNACK_OK or an error below 0, whose message knack_error() holds; nothing here aborts or prints.
 * One session or predictor at a time per thread; different threads may use different ones. A thread that trains or opens a predictor
 * takes denormal numbers for 0 from then on (FTZ and DAZ of its MXCSR), which other code of the thread may notice.
 */
#ifndef KNACK_KNACK_H
#define KNACK_KNACK_H

#include <knack/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

KNACK_API const char *knack_version(void); /* "0.1.0" */

/* ---- A model of one's own ----
 * The models of the program (mlp, cnn, resnet, encoder, layers) are built through this same table. */

typedef struct knack_model knack_model;

struct knack_model_type {
    uint32_t size;
    const char *name;
    /* Declares parameters, layers and norms up to the features, and says their width by knack_model_set_width(). Once, first. */
    knack_status (*declare)(knack_model *, void *user);
    /* x [rows, ...] -> features [rows, width]. Runs every layer through knack_layer(), in the order declared. */
    knack_tensor *(*features)(knack_model *, knack_step *, knack_tensor *x, void *user);
    /* May be NULL; frees user if the model owns it. Once for each model that is made, and if making it fails; not where a run or predictor
     * fails before it comes to its model. */
    void (*close)(knack_model *, void *user);
};
/* The layer from features to logits, "head.weight" [outputs, width] and "head.bias", is the host's, since tricks replace it. */

/* Shape of one input, "input" in errors; images [height, width, channels], vectors [values]. */
KNACK_API const int64_t *knack_model_input(const knack_model *, int *ndim);
/* The first error of the functions below is kept and fails the model, so that declare need not check each.
 * A parameter, named by the model; NULL on error. Host's, for the life of the model. [declare] */
KNACK_API const knack_param *knack_model_param(knack_model *, const struct knack_param_spec *);
KNACK_API knack_status knack_model_layer(knack_model *, const char *name);  /* a name that tricks can watch [declare] */
KNACK_API knack_status knack_model_set_width(knack_model *, int64_t width); /* of the features [declare] */
/* Batch norm over channels: parameters NAME.weight and NAME.bias, running statistics NAME.mean and NAME.variance. NULL on error.
 * [declare] */
typedef struct knack_norm_layer knack_norm_layer;
KNACK_API knack_norm_layer *knack_model_norm(knack_model *, const char *name, int64_t channels);

/* The layer's output as the tricks that watch it leave it. [features] */
KNACK_API knack_tensor *knack_layer(knack_step *, const char *name, knack_tensor *out);
/* x [..., channels] normalised over all but the last axis, by the batch in training and by running statistics in evaluation;
 * momentum 0.1, epsilon 1e-5, as in arXiv:1502.03167. One value a channel in training is an error. [features] */
KNACK_API knack_tensor *knack_batch_norm(knack_step *, knack_norm_layer *, knack_tensor *x);
/* In training zeroes each value with probability rate and scales the rest by 1 / (1 - rate); masks are addressed by name, batch, logical
 * row and element. [features] */
KNACK_API knack_tensor *knack_dropout(knack_step *, const char *name, double rate, knack_tensor *x);
/* knack_linear and knack_conv2d with the parameter's weights in the step's compute type. bias may be NULL. [features, head] */
KNACK_API knack_tensor *knack_linear_layer(knack_step *, knack_tensor *x, const knack_param *weight, const knack_param *bias,
                                           enum knack_activation);
KNACK_API knack_tensor *knack_conv2d_layer(knack_step *, knack_tensor *x, const knack_param *weight, const knack_param *bias, int stride,
                                           int padding);

/* ---- Training ---- */

struct knack_run_options {
    uint32_t size;
    const char *out;        /* results folder; NULL: runs/NAME of the config */
    bool force;             /* into a folder that holds something */
    const char *const *set; /* "train.epochs=2", ...; set_count of them */
    int64_t set_count;
    const struct knack_model_type *model; /* instead of the config's, or NULL */
    void *model_user;
    void (*log)(void *user, const char *line); /* progress and warnings, a line each; NULL: silence */
    void *log_user;
};
struct knack_result {
    uint32_t size;
    int64_t steps;
    double seconds, value; /* value of the primary metric */
    char metric[32], weights[64], out[4096];
};
/* Trains as `knack run CONFIG` does. options and result may be NULL. */
KNACK_API knack_status knack_train(const char *config, const struct knack_run_options *, struct knack_result *);

/* ---- Predicting ---- */

typedef struct knack_predictor knack_predictor;

/* What `knack run` wrote to a folder, ready to answer. weights: a set's name, NULL for the primary one. A model that came from a
 * program's own table needs that table again (else NULL). NULL on error. To be closed. */
KNACK_API knack_predictor *knack_predictor_open(const char *folder, const char *weights, const struct knack_model_type *, void *model_user);
KNACK_API void knack_predictor_close(knack_predictor *);
KNACK_API int64_t knack_predictor_inputs(const knack_predictor *);  /* values a row, in the units of the training data's file */
KNACK_API int64_t knack_predictor_outputs(const knack_predictor *); /* classes, or outputs */
KNACK_API const char *knack_predictor_class(const knack_predictor *, int64_t index); /* name; NULL if there is none */
/* rows [count, inputs] -> out [count, outputs]: probabilities, or outputs. Both the caller's. */
KNACK_API knack_status knack_predict(knack_predictor *, const float *rows, int64_t count, float *out);

/* ---- The program ---- */

KNACK_API int knack_main(int argc, char **argv); /* what `knack` runs; returns the exit status */

#ifdef __cplusplus
}
#endif
#endif
