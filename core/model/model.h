/* Models: declared and computed through struct knack_model_type, whoever supplies it. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <knack/knack.h>

#include "base/json.h"
#include "model/params.h"

struct knack_model {
    const struct knack_model_type *type;
    void *user;
    struct params *params; /* not owned */
    int input_ndim;
    int64_t input[KNACK_MAX_DIMS]; /* shape of one row */
    int64_t vocabulary, padding;   /* inputs are token ids below vocabulary; 0: they are values */
    int64_t width;                 /* of the features */
    int64_t outputs;               /* classes, or outputs of a regression */
    char **layer;                  /* names that can be watched, "input" first, "features" last */
    int64_t layer_count, layer_capacity;
    knack_norm_layer **norm;
    int64_t norm_count, norm_capacity;
    const struct knack_param *head_weight, *head_bias; /* NULL if a trick replaces the head */
    enum knack_init init;                              /* HE or XAVIER, for weights whose spec says HE */
    /* While it is declared: */
    bool declaring;
    const struct json *config; /* the "model" object, for errors; NULL: a program's own model */
    knack_status failure;      /* first error of a builder function, whose message stays */
};

/* Batch norm: where its running statistics lie. */
struct knack_norm_layer {
    const struct knack_param *weight, *bias;
    int64_t channels, mean, variance; /* mean, variance: offsets in the statistics buffer */
};

/* Declares the model's parameters in params. config: the "model" object, whose type picks from the table of models; type not NULL: that
 * one with user instead, of which only "initialisation" is then read. own_head: declare head.weight and head.bias. The type's close is
 * called by model_free(), or by this on failure. */
knack_status model_new(const struct json *config, const struct knack_model_type *type, void *user, struct params *params, int input_ndim,
                       const int64_t *input, int64_t outputs, bool own_head, struct knack_model **);
void model_free(struct knack_model *);
/* x [rows, ...] -> features [rows, width]; calls the filter for "input" first and "features" last. */
knack_tensor *model_features(struct knack_model *, knack_step *, knack_tensor *x);
knack_tensor *model_head(struct knack_model *, knack_step *, knack_tensor *features); /* features -> [rows, outputs] */
/* After a sweep under NORMS_REESTIMATE: the pooled mean and unbiased variance of all values, from sums into weights. */
void model_reestimated(struct knack_model *, const double *sums, struct knack_weights *);
void model_schema(struct json_writer *, const char *name); /* JSON Schema of "model" */
/* Loads live values by name from a safetensors file ("init"), and makes all sets copies of them. Every parameter of the model must be
 * there, with its shape; running statistics and tricks' parameters may be; nothing else. */
knack_status model_load_init(struct params *, const char *path);

#endif
