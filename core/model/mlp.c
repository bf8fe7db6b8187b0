/* mlp: a stack of linear layers with ReLU and dropout. Images are flattened. */
#include "base/memory.h"
#include "model/builtin.h"

struct mlp_options {
    struct builtin_options common;
    struct json_doubles hidden;
    double dropout;
};

struct mlp {
    struct part_sizes hidden;
    double dropout;
    struct part_stack stack;
};

static const char *const mlp_names[] = {"mlp", NULL};
static const struct json_field mlp_fields[] = {
    BUILTIN_FIELDS(mlp_names, "\"mlp\""),
    {"hidden", JSON_DOUBLES, offsetof(struct mlp_options, hidden), "[64, 64]", "[1,1048576]", NULL, "units of each hidden layer"},
    {"dropout", JSON_DOUBLE, offsetof(struct mlp_options, dropout), "0", "[0,1)", NULL, "rate of dropout behind each hidden layer"},
    {NULL}};

static knack_status mlp_read(const struct json *config, void **user)
{
    struct mlp_options options = {0};
    TRY(json_fields(config, mlp_fields, &options));
    struct mlp *mlp = memory_new(1, sizeof *mlp);
    if (!mlp) return KNACK_E_MEMORY;
    mlp->dropout = options.dropout;
    *user = mlp;
    return builtin_sizes(config, "hidden", options.hidden, &mlp->hidden);
}

static knack_status mlp_declare(knack_model *model, void *user)
{
    struct mlp *mlp = user;
    int ndim;
    const int64_t *shape = knack_model_input(model, &ndim);
    int64_t width = 1;
    for (int axis = 0; axis < ndim; axis++) width *= shape[axis];
    part_stack_declare(model, &mlp->hidden, mlp->dropout, &width, &mlp->stack);
    return knack_model_set_width(model, width);
}

static knack_tensor *mlp_features(knack_model *model, knack_step *step, knack_tensor *x, void *user)
{
    (void)model;
    const struct mlp *mlp = user;
    return part_stack_run(step, &mlp->stack, part_flatten(x));
}

static void mlp_close(knack_model *model, void *user)
{
    (void)model;
    struct mlp *mlp = user;
    part_stack_free(&mlp->stack);
    memory_free(mlp->hidden.value);
    memory_free(mlp);
}

const struct builtin_model builtin_mlp = {
    .type = {sizeof(struct knack_model_type), "mlp", mlp_declare, mlp_features, mlp_close},
    .summary = "linear layers with ReLU and dropout",
    .fields = mlp_fields,
    .read = mlp_read,
};
