/* Every operation against PyTorch in float64: tests/vectors/operations.safetensors, which make_operations.py describes and writes. */
#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/safetensors.h"

enum { MAX_INPUTS = 3 };

/* What the file holds of one operation. */
struct vectors {
    knack_tensor *in[MAX_INPUTS];
    int inputs;
    const int32_t *ids;
    int64_t id_count;
    knack_tensor *id_tensor; /* the ids, as embedding takes them */
};

/* The operation's name in the file; the result, of the vectors v. */
#define OPERATIONS(X)                                                                                                                      \
    X(add, knack_add(v->in[0], v->in[1]))                                                                                                  \
    X(sub, knack_sub(v->in[0], v->in[1]))                                                                                                  \
    X(mul, knack_mul(v->in[0], v->in[1]))                                                                                                  \
    X(mean2, knack_mean2(v->in[0], v->in[1]))                                                                                              \
    X(scale, knack_scale(v->in[0], -1.5))                                                                                                  \
    X(add_scalar, knack_add_scalar(v->in[0], 0.3))                                                                                         \
    X(exp, knack_exp(v->in[0]))                                                                                                            \
    X(log, knack_log(v->in[0]))                                                                                                            \
    X(sqrt, knack_sqrt(v->in[0]))                                                                                                          \
    X(pow, knack_pow(v->in[0], 2.5))                                                                                                       \
    X(square, knack_pow(v->in[0], 2))                                                                                                      \
    X(relu, knack_relu(v->in[0]))                                                                                                          \
    X(gelu, knack_gelu(v->in[0]))                                                                                                          \
    X(tanh, knack_tanh(v->in[0]))                                                                                                          \
    X(sigmoid, knack_sigmoid(v->in[0]))                                                                                                    \
    X(clamp, knack_clamp(v->in[0], -0.5, 0.25))                                                                                            \
    X(where, knack_where(knack_relu(v->in[0]), v->in[1], v->in[2]))                                                                        \
    X(sum, knack_sum(v->in[0], 1))                                                                                                         \
    X(sum_all, knack_sum(v->in[0], KNACK_ALL))                                                                                             \
    X(mean, knack_mean(v->in[0], 0))                                                                                                       \
    X(max, knack_max(v->in[0], 1))                                                                                                         \
    X(softmax, knack_softmax(v->in[0]))                                                                                                    \
    X(log_softmax, knack_log_softmax(v->in[0]))                                                                                            \
    X(logsumexp, knack_logsumexp(v->in[0]))                                                                                                \
    X(normalise, knack_normalise(v->in[0], 1))                                                                                             \
    X(reshape, knack_reshape(v->in[0], SHAPE(6, -1)))                                                                                      \
    X(transpose, knack_transpose(v->in[0], 1, 2))                                                                                          \
    X(transpose_last, knack_transpose(v->in[0], 0, 1))                                                                                     \
    X(concat, knack_concat(3, v->in, 1))                                                                                                   \
    X(slice, knack_slice(v->in[0], 1, 1, 3))                                                                                               \
    X(gather, knack_gather(v->in[0], v->ids, v->id_count))                                                                                 \
    X(pick, knack_pick(v->in[0], v->ids))                                                                                                  \
    X(put, knack_put(v->in[0], v->ids, v->in[1]))                                                                                          \
    X(matmul, knack_matmul(v->in[0], v->in[1], false, false))                                                                              \
    X(matmul_first, knack_matmul(v->in[0], v->in[1], true, false))                                                                         \
    X(matmul_second, knack_matmul(v->in[0], v->in[1], false, true))                                                                        \
    X(matmul_both, knack_matmul(v->in[0], v->in[1], true, true))                                                                           \
    X(matmul_batch, knack_matmul(v->in[0], v->in[1], false, true))                                                                         \
    X(linear, knack_linear(v->in[0], v->in[1], v->in[2], KNACK_LINEAR))                                                                    \
    X(linear_plain, knack_linear(v->in[0], v->in[1], NULL, KNACK_LINEAR))                                                                  \
    X(linear_relu, knack_linear(v->in[0], v->in[1], v->in[2], KNACK_RELU))                                                                 \
    X(linear_gelu, knack_linear(v->in[0], v->in[1], v->in[2], KNACK_GELU))                                                                 \
    X(linear_tanh, knack_linear(v->in[0], v->in[1], v->in[2], KNACK_TANH))                                                                 \
    X(linear_sigmoid, knack_linear(v->in[0], v->in[1], v->in[2], KNACK_SIGMOID))                                                           \
    X(conv2d, knack_conv2d(v->in[0], v->in[1], v->in[2], 1, 1))                                                                            \
    X(conv2d_stride, knack_conv2d(v->in[0], v->in[1], NULL, 2, 1))                                                                         \
    X(conv2d_point, knack_conv2d(v->in[0], v->in[1], v->in[2], 2, 0))                                                                      \
    X(conv2d_oblong, knack_conv2d(v->in[0], v->in[1], v->in[2], 1, 2))                                                                     \
    X(max_pool, knack_max_pool(v->in[0], 3, 2, 1))                                                                                         \
    X(average_pool, knack_average_pool(v->in[0], 3, 2, 1))                                                                                 \
    X(global_pool, knack_global_pool(v->in[0]))                                                                                            \
    X(layer_norm, knack_layer_norm(v->in[0], v->in[1], v->in[2], 1e-5))                                                                    \
    X(batch_norm, batch_norm(v, true))                                                                                                     \
    X(batch_norm_running, batch_norm(v, false))                                                                                            \
    X(embedding, knack_embedding(v->id_tensor, v->in[0]))                                                                                  \
    X(cross_entropy, knack_cross_entropy(v->in[0], v->ids))                                                                                \
    X(cross_entropy_dense, knack_cross_entropy_dense(v->in[0], v->in[1]))                                                                  \
    X(squared_error, tensor_squared_error(v->in[0], v->in[1]->data))                                                                       \
    X(absolute_error, tensor_absolute_error(v->in[0], v->in[1]->data))

/* Running statistics as make_operations.py has them: mean -0.5 to 0.5, variance 0.5 to 1.5 over the channels. */
static knack_tensor *batch_norm(const struct vectors *v, bool batch)
{
    static knack_real mean[16], variance[16];
    static int64_t count;
    const int64_t channels = tensor_width(v->in[0]);
    for (int64_t c = 0; c < channels; c++) {
        mean[c] = (knack_real)c / (knack_real)(channels - 1) - (knack_real)0.5;
        variance[c] = mean[c] + 1;
    }
    const struct batch_norm norm = {.batch = batch, .mean = mean, .variance = variance, .count = &count, .epsilon = 1e-5};
    return tensor_batch_norm(v->in[0], v->in[1], v->in[2], &norm);
}

#define DEFINE(name, result)                                                                                                               \
    static knack_tensor *apply_##name(const struct vectors *v)                                                                             \
    {                                                                                                                                      \
        return result;                                                                                                                     \
    }
OPERATIONS(DEFINE)

static const struct operation {
    const char *name;
    knack_tensor *(*apply)(const struct vectors *);
} operations[] = {
#define ROW(name, result) {#name, apply_##name},
    OPERATIONS(ROW)};

static const char *path;

static const struct safetensors_entry *entry_of(const struct safetensors *file, const char *operation, const char *part)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", operation, part);
    return safetensors_find(file, name);
}

/* The entry's values as knack_real, on the tape. */
static knack_real *entry_values(struct fixture *f, const struct safetensors_entry *entry)
{
    assert_non_null(entry);
    knack_real *values = arena_alloc(f->arena, (size_t)entry->count * sizeof *values);
    assert_non_null(values);
    assert_int_equal(safetensors_reals(entry, values), KNACK_OK);
    return values;
}

static struct vectors read_vectors(struct fixture *f, const struct safetensors *file, const char *operation)
{
    struct vectors v = {0};
    const struct safetensors_entry *entry;
    for (char part[] = "in0"; v.inputs < MAX_INPUTS && (entry = entry_of(file, operation, part)); part[2]++)
        v.in[v.inputs++] = variable(f, entry_values(f, entry), entry->ndim, entry->shape);
    entry = entry_of(file, operation, "ids");
    if (entry) {
        assert_int_equal(entry->type, KNACK_I32);
        v.ids = entry->data;
        v.id_count = entry->count;
        v.id_tensor = knack_constant(fixture_step(f), KNACK_I32, entry->ndim, entry->shape, entry->data);
    }
    return v;
}

/* Within a share of the largest value. */
static bool alike(const char *operation, const char *part, const knack_real *values, const struct safetensors_entry *entry)
{
    const double *expected = entry->data, tolerance = sizeof(knack_real) == 8 ? 1e-10 : 2e-6;
    double largest = 0, worst = 0;
    assert_int_equal(entry->type, KNACK_F64);
    for (int64_t i = 0; i < entry->count; i++) {
        const double distance = fabs((double)values[i] - expected[i]);
        largest = fmax(largest, fabs(expected[i]));
        worst = distance <= worst ? worst : distance; /* NaN becomes the worst */
    }
    if (worst <= tolerance * largest) return true;
    print_error("%s.%s: off by %g of %g\n", operation, part, worst, largest);
    return false;
}

static bool agrees(struct fixture *f, const struct safetensors *file, const struct operation *operation)
{
    const struct vectors v = read_vectors(f, file, operation->name);
    const struct safetensors_entry *out = entry_of(file, operation->name, "out");
    knack_tensor *result = operation->apply(&v);
    if (!result || !out) {
        tape_status(&f->tape);
        print_error("%s: %s\n", operation->name, out ? knack_error() : "not in the file");
        return false;
    }
    assert_int_equal(result->count, out->count);
    for (int i = 0; i < result->ndim; i++) assert_int_equal(result->shape[i], out->shape[i]);
    bool good = alike(operation->name, "out", result->data, out);
    backward(result, entry_values(f, entry_of(file, operation->name, "gradient")));
    char part[] = "d0";
    for (int k = 0; k < v.inputs; k++, part[1]++) {
        const struct safetensors_entry *gradient = entry_of(file, operation->name, part);
        if (gradient && !alike(operation->name, part, v.in[k]->gradient, gradient)) good = false;
    }
    return good;
}

static void test_vectors(void **state)
{
    (void)state;
    struct safetensors *file;
    if (safetensors_read(path, KNACK_E_DATA, &file) != KNACK_OK) fail_msg("%s", knack_error());
    bool good = true;
    for (int64_t o = 0; o < LENGTH(operations); o++) {
        struct fixture f;
        fixture_open(&f);
        if (!agrees(&f, file, &operations[o])) good = false;
        fixture_close(&f);
    }
    safetensors_free(file);
    assert_true(good);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s operations.safetensors\n", argv[0]);
        return 2;
    }
    path = argv[1];
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
