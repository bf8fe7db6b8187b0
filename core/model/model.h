/* Models: declared and computed through struct knack_model_type, whoever supplies it. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <knack/knack.h>

#include "base/json.h"
#include "model/params.h"

struct knack_model {
    const struct knack_model_type *type;
    void *user;
    struct params *params;           /* not owned */
    int input_ndim;
    int64_t input[KNACK_MAX_DIMS];   /* shape of one row */
    int64_t width;                   /* of the features */
    int64_t outputs;                 /* classes, or outputs of a regression */
    char **layer;                    /* names that can be watched, "input" first, "features" last */
    int64_t layer_count;
    const struct knack_param *head_weight, *head_bias; /* NULL if a trick replaces the head */
    enum knack_init init;            /* HE or XAVIER, for weights whose spec says HE */
};

/* Declares the model's parameters in params. config: the "model" object, whose type picks from the table of models; type not NULL: that
 * one with user instead. own_head: declare head.weight and head.bias. */
knack_status model_new(const struct json *config, const struct knack_model_type *type, void *user, struct params *params, int input_ndim,
                       const int64_t *input, int64_t outputs, bool own_head, struct knack_model **);
void model_free(struct knack_model *);
/* x [rows, ...] -> features [rows, width]; calls the filter for "input" first and "features" last. */
knack_tensor *model_features(struct knack_model *, knack_step *, knack_tensor *x);
knack_tensor *model_head(struct knack_model *, knack_step *, knack_tensor *features); /* features -> [rows, outputs] */
/* After a sweep under NORMS_REESTIMATE: pooled, biased-to-unbiased statistics from sums into weights. */
void model_reestimated(struct knack_model *, const double *sums, struct knack_weights *);
void model_schema(struct json_writer *, const char *name); /* JSON Schema of "model" */
/* Loads values by name from a safetensors file ("init"); every parameter of the model must be there with its shape. */
knack_status model_load_init(struct params *, const char *path);

#endif
