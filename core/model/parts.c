#include "model/parts.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"
#include "model/pass.h"
#include "tensor/conv_norm.h"

const char *part_name(char buffer[2 * PARAMS_NAME], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer, 2 * PARAMS_NAME, format, arguments);
    va_end(arguments);
    return buffer;
}

static const knack_param *bias_declare(knack_model *model, const char *name, int64_t out)
{
    char full[2 * PARAMS_NAME];
    struct knack_param_spec spec = {.size = sizeof spec, .no_decay = 1, .ndim = 1, .init = KNACK_INIT_ZERO, .shape = {out}};
    spec.name = part_name(full, "%s.bias", name);
    return knack_model_param(model, &spec);
}

void part_linear_declare(knack_model *model, const char *name, int64_t in, int64_t out, bool bias, struct part_linear *part)
{
    char full[2 * PARAMS_NAME];
    struct knack_param_spec spec = {.size = sizeof spec, .ndim = 2, .init = KNACK_INIT_HE, .shape = {out, in}};
    spec.name = part_name(full, "%s.weight", name);
    part->weight = knack_model_param(model, &spec);
    if (bias) part->bias = bias_declare(model, name, out);
}

void part_conv_declare(knack_model *model, const char *name, const struct part_conv_shape *shape, struct part_conv *part)
{
    char full[2 * PARAMS_NAME];
    struct knack_param_spec spec = {
        .size = sizeof spec, .ndim = 4, .init = KNACK_INIT_HE, .shape = {shape->out, shape->in, shape->kernel, shape->kernel}};
    spec.name = part_name(full, "%s.weight", name);
    part->weight = knack_model_param(model, &spec);
    if (shape->bias) part->bias = bias_declare(model, name, shape->out);
    part->stride = shape->stride;
    part->padding = shape->padding;
}

knack_tensor *part_conv_run(knack_step *step, const struct part_conv *part, knack_tensor *x)
{
    return knack_conv2d_layer(step, x, part->weight, part->bias, part->stride, part->padding);
}

void part_conv_norm_declare(knack_model *model, const char *conv, const char *norm, const struct part_conv_shape *shape,
                            struct part_conv_norm *part)
{
    part_conv_declare(model, conv, shape, &part->conv);
    part->norm = knack_model_norm(model, norm, shape->out);
}

static struct conv_norm *conv_norm_run(knack_step *step, const struct part_conv_norm *part, knack_tensor *x, bool pool)
{
    const struct conv_norm_how how = {.stride = part->conv.stride, .padding = part->conv.padding, .pool = pool};
    return layers_conv_norm(step, x, part->conv.weight, part->norm, how);
}

struct conv_norm *part_conv_norm_run(knack_step *step, const struct part_conv_norm *part, knack_tensor *x)
{
    return conv_norm_run(step, part, x, false);
}

struct conv_norm *part_conv_norm_pool_run(knack_step *step, const struct part_conv_norm *part, knack_tensor *x)
{
    return conv_norm_run(step, part, x, true);
}

void part_stack_declare(knack_model *model, const struct part_sizes *hidden, double dropout, int64_t *width, struct part_stack *stack)
{
    stack->linear = memory_new((size_t)hidden->count, sizeof *stack->linear);
    stack->name = memory_new((size_t)hidden->count, sizeof *stack->name);
    if (!stack->linear || !stack->name) {
        model_keep(model, KNACK_E_MEMORY);
        return;
    }
    stack->count = hidden->count;
    stack->dropout = dropout;
    for (int64_t i = 0; i < hidden->count; i++) {
        char name[2 * PARAMS_NAME];
        stack->name[i] = model_watch(model, part_name(name, "fc%lld", (long long)i + 1));
        part_linear_declare(model, name, *width, hidden->value[i], true, &stack->linear[i]);
        *width = hidden->value[i];
    }
}

knack_tensor *part_stack_run(knack_step *step, const struct part_stack *stack, knack_tensor *x)
{
    for (int64_t i = 0; i < stack->count; i++)
        x = layers_linear_drop(step, x, stack->linear[i].weight, stack->linear[i].bias, stack->name[i], stack->dropout);
    return x;
}

void part_stack_free(struct part_stack *stack)
{
    memory_free(stack->linear);
    memory_free(stack->name);
}

knack_tensor *part_flatten(knack_tensor *x)
{
    int ndim;
    const int64_t *shape = knack_shape(x, &ndim);
    if (!shape || ndim == 2) return x;
    return knack_reshape(x, 2, (int64_t[]){shape[0], -1});
}
