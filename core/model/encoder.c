/* encoder: a transformer encoder over token ids with learned positions, whose first token or whose mean is classified (arXiv:1706.03762;
 * norms before the residual sum instead of behind it: arXiv:2002.04745). Padding is left out of all the work. */
#include <stdio.h>

#include "base/memory.h"
#include "model/builtin.h"
#include "model/pass.h"
#include "tensor/sequences.h"

enum norm_place { NORM_POST, NORM_PRE };
enum pooling { POOLING_CLS, POOLING_MEAN };
static const double norm_epsilon = 1e-5;

struct encoder_options {
    struct builtin_options common;
    int64_t vocabulary, padding, layers, width, heads, feedforward;
    double dropout;
    int norm, pooling; /* enum norm_place, enum pooling */
};

struct norm {
    const knack_param *weight, *bias;
};

struct layer {
    struct part_linear in, out, fc1, fc2; /* in: queries, keys and values at once */
    struct norm norm1, norm2;
    const char *name;                                            /* layerN: what leaves it */
    const char *attention_name, *out_name, *fc1_name, *fc2_name; /* of its dropouts */
};

struct encoder {
    struct encoder_options options;
    const knack_param *embedding, *positions;
    struct norm norm;                  /* post: of the embedding; pre: of what leaves the last layer */
    const char *name;                  /* embedding: tokens and their positions, summed */
    struct layer *layer;               /* [options.layers] */
    char (*dropout_name)[PARAMS_NAME]; /* [4 options.layers] */
};

static const char *const encoder_names[] = {"encoder", NULL}, *const norm_names[] = {"post", "pre", NULL},
                         *const pooling_names[] = {"cls", "mean", NULL};
static const struct json_field encoder_fields[] = {
    BUILTIN_FIELDS(encoder_names, NULL),
    {"vocabulary", JSON_INTEGER, offsetof(struct encoder_options, vocabulary), NULL, "[1,16777216]", NULL, "how many token ids there are"},
    {"padding", JSON_INTEGER, offsetof(struct encoder_options, padding), "-1", "[-1,16777215]", NULL,
     "the id that only fills rows up, left out of all work; -1: none"},
    {"layers", JSON_INTEGER, offsetof(struct encoder_options, layers), "4", "[1,1024]", NULL, "how many layers"},
    {"width", JSON_INTEGER, offsetof(struct encoder_options, width), "128", "[1,65536]", NULL, "values of a token"},
    {"heads", JSON_INTEGER, offsetof(struct encoder_options, heads), "4", "[1,65536]", NULL, "of attention; they divide the width"},
    {"feedforward", JSON_INTEGER, offsetof(struct encoder_options, feedforward), "512", "[1,1048576]", NULL,
     "units of each layer's hidden linear layer"},
    {"dropout", JSON_DOUBLE, offsetof(struct encoder_options, dropout), "0", "[0,1)", NULL,
     "rate of dropout: of embeddings, attention, hidden units, and before each residual sum"},
    {"norm", JSON_CHOICE, offsetof(struct encoder_options, norm), "\"post\"", NULL, norm_names,
     "layer norm behind each residual sum, or before each of its branches"},
    {"pooling", JSON_CHOICE, offsetof(struct encoder_options, pooling), "\"cls\"", NULL, pooling_names,
     "features: the first token of each row, or the mean of its tokens"},
    {NULL}};

static knack_status encoder_read(const struct json *config, void **user)
{
    struct encoder_options options = {0};
    TRY(json_fields(config, encoder_fields, &options));
    const struct json *heads = json_member(config, "heads");
    if (options.width % options.heads != 0)
        return json_fail(heads ? heads : json_member(config, "width"), KNACK_E_CONFIG, "%lld heads do not divide a width of %lld",
                         (long long)options.heads, (long long)options.width);
    if (options.padding >= options.vocabulary)
        return json_fail(json_member(config, "padding"), KNACK_E_CONFIG, "%lld is no id of a vocabulary of %lld, which are 0 to %lld",
                         (long long)options.padding, (long long)options.vocabulary, (long long)options.vocabulary - 1);
    struct encoder *encoder = memory_new(1, sizeof *encoder);
    if (!encoder) return KNACK_E_MEMORY;
    encoder->options = options;
    *user = encoder;
    return KNACK_OK;
}

/* ---- Declaring ---- */

static const knack_param *table_declare(knack_model *model, const char *name, int64_t entries, int64_t width)
{
    const struct knack_param_spec spec = {
        .size = sizeof spec, .name = name, .ndim = 2, .init = KNACK_INIT_NORMAL, .init_scale = 0.02, .shape = {entries, width}};
    return knack_model_param(model, &spec);
}

static void norm_declare(knack_model *model, const char *name, int64_t width, struct norm *norm)
{
    char full[2 * PARAMS_NAME];
    struct knack_param_spec spec = {.size = sizeof spec, .no_decay = 1, .ndim = 1, .init = KNACK_INIT_ONE, .shape = {width}};
    spec.name = part_name(full, "%s.weight", name);
    norm->weight = knack_model_param(model, &spec);
    spec.name = part_name(full, "%s.bias", name);
    spec.init = KNACK_INIT_ZERO;
    norm->bias = knack_model_param(model, &spec);
}

static void linear_declare(knack_model *model, int64_t layer, const char *name, int64_t in, int64_t out, struct part_linear *part)
{
    char full[2 * PARAMS_NAME];
    part_linear_declare(model, part_name(full, "layer%lld.%s", (long long)layer, name), in, out, true, part);
}

static void layer_declare(knack_model *model, struct encoder *encoder, int64_t index)
{
    static const char *const dropped[] = {"attention", "attention.out", "fc1", "fc2"};
    const int64_t number = index + 1, width = encoder->options.width;
    struct layer *layer = &encoder->layer[index];
    const char **dropout[] = {&layer->attention_name, &layer->out_name, &layer->fc1_name, &layer->fc2_name};
    char name[2 * PARAMS_NAME];
    linear_declare(model, number, "attention.in", width, 3 * width, &layer->in);
    linear_declare(model, number, "attention.out", width, width, &layer->out);
    norm_declare(model, part_name(name, "layer%lld.norm1", (long long)number), width, &layer->norm1);
    linear_declare(model, number, "fc1", width, encoder->options.feedforward, &layer->fc1);
    linear_declare(model, number, "fc2", encoder->options.feedforward, width, &layer->fc2);
    norm_declare(model, part_name(name, "layer%lld.norm2", (long long)number), width, &layer->norm2);
    layer->name = model_watch(model, part_name(name, "layer%lld", (long long)number));
    for (int i = 0; i < 4; i++) {
        char *own = encoder->dropout_name[4 * index + i];
        snprintf(own, PARAMS_NAME, "layer%lld.%s", (long long)number, dropped[i]);
        *dropout[i] = own;
    }
}

static knack_status encoder_declare(knack_model *model, void *user)
{
    struct encoder *encoder = user;
    const struct encoder_options *options = &encoder->options;
    int ndim;
    const int64_t *shape = knack_model_input(model, &ndim);
    if (ndim != 1) return model_fail(model, NULL, "an encoder takes rows of token ids, but an input has %d axes", ndim);
    model->vocabulary = options->vocabulary;
    model->padding = options->padding;
    encoder->layer = memory_new((size_t)options->layers, sizeof *encoder->layer);
    encoder->dropout_name = memory_new(4 * (size_t)options->layers, sizeof *encoder->dropout_name);
    if (!encoder->layer || !encoder->dropout_name) return KNACK_E_MEMORY;
    encoder->embedding = table_declare(model, "embedding.weight", options->vocabulary, options->width);
    if (options->norm == NORM_POST) norm_declare(model, "embedding.norm", options->width, &encoder->norm);
    encoder->positions = table_declare(model, "positions.weight", shape[0], options->width);
    encoder->name = model_watch(model, "embedding");
    for (int64_t i = 0; i < options->layers; i++) layer_declare(model, encoder, i);
    if (options->norm == NORM_PRE) norm_declare(model, "norm", options->width, &encoder->norm);
    return knack_model_set_width(model, options->width);
}

/* ---- Running ---- */

/* A pass over one batch. */
struct run {
    knack_step *step;
    const struct encoder *encoder;
    const struct sequences *sequences;
    bool first_only; /* what is computed from here on is that of each row's first token */
};

/* Of vectors of so many values a token. */
static struct token_dropout dropout_of(const struct run *run, const char *name, int64_t width)
{
    struct token_dropout dropout = {.sequences = run->sequences, .first_only = run->first_only};
    const double rate = run->encoder->options.dropout;
    const int64_t elements = run->sequences->length * token_mask_row(width);
    if (pass_drops(run->step, name, rate, elements, &dropout.address)) dropout.rate = rate;
    return dropout;
}

static knack_tensor *linear_run(const struct run *run, const struct part_linear *linear, knack_tensor *x)
{
    return knack_linear_layer(run->step, x, linear->weight, linear->bias, KNACK_LINEAR);
}

static knack_tensor *norm_run(const struct run *run, const struct norm *norm, knack_tensor *x)
{
    return knack_layer_norm(x, knack_param_tensor(run->step, norm->weight), knack_param_tensor(run->step, norm->bias), norm_epsilon);
}

/* norm(x + dropout(change)) */
static knack_tensor *sum_norm_run(const struct run *run, const struct norm *norm, const char *dropout_name, knack_tensor *x,
                                  knack_tensor *change)
{
    const struct token_dropout dropout = dropout_of(run, dropout_name, run->encoder->options.width);
    return tensor_add_norm(x, change, &dropout, knack_param_tensor(run->step, norm->weight), knack_param_tensor(run->step, norm->bias),
                           norm_epsilon);
}

static knack_tensor *attention_run(const struct run *run, const struct layer *layer, knack_tensor *x)
{
    const int64_t heads = run->encoder->options.heads;
    const struct token_dropout dropout = dropout_of(run, layer->attention_name, heads * token_mask_row(run->sequences->length));
    return linear_run(run, &layer->out, tensor_attention(linear_run(run, &layer->in, x), heads, &dropout));
}

static knack_tensor *feedforward_run(const struct run *run, const struct layer *layer, knack_tensor *x)
{
    const struct token_dropout dropout = dropout_of(run, layer->fc1_name, run->encoder->options.feedforward);
    return linear_run(run, &layer->fc2, tensor_gelu_drop(linear_run(run, &layer->fc1, x), &dropout));
}

/* What the attention's output is added to. */
static knack_tensor *attending(const struct run *run, knack_tensor *x)
{
    return run->first_only ? tensor_first_tokens(run->sequences, x) : x;
}

static knack_tensor *post_norm_layer(const struct run *run, const struct layer *layer, knack_tensor *x)
{
    knack_tensor *change = attention_run(run, layer, x);
    x = sum_norm_run(run, &layer->norm1, layer->out_name, attending(run, x), change);
    return sum_norm_run(run, &layer->norm2, layer->fc2_name, x, feedforward_run(run, layer, x));
}

static knack_tensor *pre_norm_layer(const struct run *run, const struct layer *layer, knack_tensor *x)
{
    const int64_t width = run->encoder->options.width;
    const struct token_dropout first = dropout_of(run, layer->out_name, width), second = dropout_of(run, layer->fc2_name, width);
    knack_tensor *change = attention_run(run, layer, norm_run(run, &layer->norm1, x));
    x = tensor_add_drop(attending(run, x), change, &first);
    return tensor_add_drop(x, feedforward_run(run, layer, norm_run(run, &layer->norm2, x)), &second);
}

/* Shows tricks x [count, width] as [rows, length, width], if there are any that look at layers; first tokens as they are, [rows, width]. */
static knack_tensor *watched(const struct run *run, const char *name, knack_tensor *x)
{
    if (!x || !model_pass(run->step)->filter) return x;
    if (run->first_only) return knack_layer(run->step, name, x);
    return tensor_gather_tokens(run->sequences, knack_layer(run->step, name, tensor_spread(run->sequences, x)));
}

/* Of the last layer, whose first tokens become features, no others are computed: they would still be attended to, but attend in vain. */
static knack_tensor *layers_run(struct run *run, knack_tensor *x)
{
    const struct encoder_options *options = &run->encoder->options;
    for (int64_t i = 0; i < options->layers; i++) {
        const struct layer *layer = &run->encoder->layer[i];
        run->first_only = options->pooling == POOLING_CLS && i == options->layers - 1;
        x = options->norm == NORM_POST ? post_norm_layer(run, layer, x) : pre_norm_layer(run, layer, x);
        x = watched(run, layer->name, x);
    }
    return x;
}

static knack_tensor *encoder_features(knack_model *model, knack_step *step, knack_tensor *ids, void *user)
{
    (void)model;
    const struct encoder *encoder = user;
    const struct encoder_options *options = &encoder->options;
    struct run run = {step, encoder, sequences_new(ids, options->vocabulary, options->padding), false};
    if (!run.sequences) return NULL;
    const struct token_dropout dropout = dropout_of(&run, encoder->name, options->width);
    knack_tensor *x =
        tensor_embed(run.sequences, knack_param_tensor(step, encoder->embedding), knack_param_tensor(step, encoder->positions));
    x = watched(&run, encoder->name, x);
    if (options->norm == NORM_POST) x = norm_run(&run, &encoder->norm, x);
    x = layers_run(&run, tensor_drop_tokens(x, &dropout));
    if (options->norm == NORM_PRE) x = norm_run(&run, &encoder->norm, x);
    return options->pooling == POOLING_MEAN ? tensor_mean_tokens(run.sequences, x) : x;
}

static void encoder_close(knack_model *model, void *user)
{
    (void)model;
    struct encoder *encoder = user;
    memory_free(encoder->layer);
    memory_free(encoder->dropout_name);
    memory_free(encoder);
}

const struct builtin_model builtin_encoder = {
    .type = {sizeof(struct knack_model_type), "encoder", encoder_declare, encoder_features, encoder_close},
    .summary = "transformer encoder over token ids",
    .fields = encoder_fields,
    .read = encoder_read,
};
