/* How fast the kernels are: bench_kernels [threads] [rounds]. GFLOP/s for the products and convolutions of the workloads, and GB/s for the
 * kernels that memory bounds. Cases are interleaved; each prints its median and its best over rounds: on a machine with other work the best
 * says more. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/random.h"
#include "base/threads.h"
#include "tensor/kernels/images.h"
#include "tensor/kernels/kernels.h"

enum { MOST_CASES = 256, MOST_ROUNDS = 99 };

struct bench_case {
    char name[64];
    knack_status (*run)(const struct bench_case *);
    double work; /* floating-point operations, or bytes */
    const char *unit;
    struct matmul product;
    struct conv2d convolution;
    struct pool2d pool;
    int64_t rows, channels;
    double rate[MOST_ROUNDS];
};

static struct bench_case cases[MOST_CASES];
static int case_count;
static struct arena *arena;
/* Operands of all cases: large enough for the largest, and the same for all. */
enum { OPERAND = 1 << 24 };
static knack_real *a, *b, *c, *d, channel[4][4096];
static uint16_t *a16, *b16, *c16;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static struct bench_case *new_case(knack_status (*run)(const struct bench_case *), const char *unit, double work)
{
    if (case_count == MOST_CASES) abort();
    struct bench_case *bench = &cases[case_count++];
    bench->run = run;
    bench->unit = unit;
    bench->work = work;
    return bench;
}

/* ---- Cases ---- */

static knack_status run_product(const struct bench_case *bench)
{
    return kernel_matmul(arena, &bench->product);
}

static void add_product(const char *name, enum knack_type type, int64_t batch, int64_t m, int64_t n, int64_t k, bool transpose_a,
                        bool transpose_b)
{
    struct bench_case *bench = new_case(run_product, "GFLOP/s", 2.0 * (double)(batch * m * n * k));
    const bool half = type == KNACK_BF16;
    bench->product = (struct matmul){.type = type,
                                     .result = KNACK_REAL,
                                     .batch = batch,
                                     .m = m,
                                     .n = n,
                                     .k = k,
                                     .transpose_a = transpose_a,
                                     .transpose_b = transpose_b,
                                     .a = half ? (void *)a16 : a,
                                     .b = half ? (void *)b16 : b,
                                     .c = c};
    snprintf(bench->name, sizeof bench->name, "%s", name);
}

/* The three products of a linear layer. */
static void add_linear(enum knack_type type, int64_t rows, int64_t in, int64_t out)
{
    char name[64];
    const char *suffix = type == KNACK_BF16 ? " bf16" : "";
    snprintf(name, sizeof name, "linear %" PRId64 " x %" PRId64 " -> %" PRId64 "%s", rows, in, out, suffix);
    add_product(name, type, 1, rows, out, in, false, true);
    snprintf(name, sizeof name, "its gradient of x%s", suffix);
    add_product(name, type, 1, rows, in, out, false, false);
    snprintf(name, sizeof name, "its gradient of w%s", suffix);
    add_product(name, type, 1, out, in, rows, true, false);
}

static bool is_half(const struct bench_case *bench)
{
    return bench->convolution.type == KNACK_BF16;
}

static knack_status run_convolution(const struct bench_case *bench)
{
    const struct conv2d_forward f = {
        .shape = bench->convolution, .x = is_half(bench) ? (void *)a16 : a, .w = is_half(bench) ? (void *)b16 : b, .y = c};
    return kernel_conv2d(arena, &f);
}

static knack_status run_input_gradient(const struct bench_case *bench)
{
    const struct conv2d_backward v = {
        .shape = bench->convolution, .dy = is_half(bench) ? (void *)c16 : c, .w = is_half(bench) ? (void *)b16 : b, .dx = d};
    return kernel_conv2d_backward(arena, &v);
}

static knack_status run_weights_gradient(const struct bench_case *bench)
{
    const struct conv2d_backward v = {
        .shape = bench->convolution, .x = is_half(bench) ? (void *)a16 : a, .dy = is_half(bench) ? (void *)c16 : c, .dw = d};
    return kernel_conv2d_backward(arena, &v);
}

/* A square image, batch 128, and its three passes. */
static void add_convolution(enum knack_type type, int64_t in, int64_t out, int64_t size, int64_t kernel, int stride)
{
    struct conv2d v = {.type = type,
                       .rows = 128,
                       .height = size,
                       .width = size,
                       .in = in,
                       .out = out,
                       .kernel_height = kernel,
                       .kernel_width = kernel,
                       .stride = stride,
                       .padding = (int)(kernel / 2)};
    v.out_height = v.out_width = (size + 2 * v.padding - kernel) / stride + 1;
    const double work = 2.0 * (double)(v.rows * v.out_height * v.out_width * out * in * kernel * kernel);
    const char *suffix = type == KNACK_BF16 ? " bf16" : "";
    struct bench_case *bench = new_case(run_convolution, "GFLOP/s", work);
    snprintf(bench->name, sizeof bench->name, "conv %dx%d %d -> %d, %dx%d, stride %d%s", (int)kernel, (int)kernel, (int)in, (int)out,
             (int)size, (int)size, stride, suffix);
    bench->convolution = v;
    bench = new_case(run_input_gradient, "GFLOP/s", work);
    snprintf(bench->name, sizeof bench->name, "its gradient of x%s", suffix);
    bench->convolution = v;
    bench = new_case(run_weights_gradient, "GFLOP/s", work);
    snprintf(bench->name, sizeof bench->name, "its gradient of w%s", suffix);
    bench->convolution = v;
}

static knack_status run_batch_norm(const struct bench_case *bench)
{
    knack_status status = kernel_channel_moments(arena, bench->rows, bench->channels, a, channel[0], channel[1]);
    kernel_batch_norm(bench->rows, bench->channels, a, channel[0], channel[1], 1e-5, channel[2], channel[3], c);
    return status;
}

static knack_status run_batch_norm_backward(const struct bench_case *bench)
{
    return kernel_batch_norm_backward(arena, true, bench->rows, bench->channels, a, channel[0], channel[1], 1e-5, channel[2], b, d, false,
                                      channel[3], false, channel[3], false);
}

static knack_status run_pool(const struct bench_case *bench)
{
    return kernel_max_pool(arena, &bench->pool, a, c);
}

static knack_status run_pool_backward(const struct bench_case *bench)
{
    return kernel_max_pool_backward(arena, &bench->pool, a, c, b, d, false);
}

static knack_status run_layer_norm(const struct bench_case *bench)
{
    kernel_layer_norm(bench->rows, bench->channels, a, NULL, 1e-5, channel[2], channel[3], d, d + bench->rows, c);
    return KNACK_OK;
}

static knack_status run_column_sums(const struct bench_case *bench)
{
    kernel_column_sums(bench->rows, bench->channels, a, channel[3], false);
    return KNACK_OK;
}

/* passes: how often the array goes over the memory bus, if no cache holds it. */
static void add_memory_case(const char *name, knack_status (*run)(const struct bench_case *), int64_t rows, int64_t channels, int passes)
{
    struct bench_case *bench = new_case(run, "GB/s", (double)(rows * channels) * sizeof(knack_real) * passes);
    snprintf(bench->name, sizeof bench->name, "%s, %" PRId64 " x %" PRId64, name, rows, channels);
    bench->rows = rows;
    bench->channels = channels;
}

static void add_pool_case(const char *name, knack_status (*run)(const struct bench_case *), double passes)
{
    struct bench_case *bench = new_case(run, "GB/s", 128.0 * 28 * 28 * 32 * sizeof(knack_real) * passes);
    snprintf(bench->name, sizeof bench->name, "%s, 128 x 28 x 28 x 32", name);
    bench->pool =
        (struct pool2d){.rows = 128, .height = 28, .width = 28, .channels = 32, .out_height = 14, .out_width = 14, .size = 2, .stride = 2};
}

static void add_cases(void)
{
    add_product("product 1024 x 1024 x 1024", KNACK_REAL, 1, 1024, 1024, 1024, false, false);
    add_linear(KNACK_REAL, 32, 64, 64);
    add_linear(KNACK_REAL, 128, 784, 256);
    add_linear(KNACK_REAL, 128, 3136, 128);
    add_linear(KNACK_REAL, 2048, 128, 512);
    add_linear(KNACK_REAL, 2048, 512, 128);
    add_linear(KNACK_REAL, 2048, 384, 1536);
    add_linear(KNACK_REAL, 2048, 1536, 384);
    add_product("attention scores 192 x 128 x 128 x 32", KNACK_REAL, 192, 128, 128, 32, false, true);
    add_product("attention values 192 x 128 x 32 x 128", KNACK_REAL, 192, 128, 32, 128, false, false);
    static const int shapes[][5] = {{1, 32, 28, 3, 1}, {32, 64, 14, 3, 1}, {3, 16, 32, 3, 1},  {16, 16, 32, 3, 1}, {32, 32, 16, 3, 1},
                                    {64, 64, 8, 3, 1}, {16, 32, 32, 3, 2}, {32, 64, 16, 3, 2}, {16, 32, 32, 1, 2}, {32, 64, 16, 1, 2}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        add_convolution(KNACK_REAL, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3], shapes[i][4]);
    add_memory_case("batch norm", run_batch_norm, 128 * 28 * 28, 32, 3);
    add_memory_case("batch norm, gradients", run_batch_norm_backward, 128 * 28 * 28, 32, 5);
    add_memory_case("batch norm", run_batch_norm, 128 * 32 * 32, 16, 3);
    add_memory_case("batch norm, gradients", run_batch_norm_backward, 128 * 32 * 32, 16, 5);
    add_pool_case("max pool", run_pool, 1.25);
    add_pool_case("max pool, gradient", run_pool_backward, 2.5);
    add_memory_case("layer norm", run_layer_norm, 2048, 384, 2);
    add_memory_case("column sums", run_column_sums, 2048, 1536, 1);
    add_linear(KNACK_BF16, 2048, 384, 1536);
    for (size_t i = 1; i < 6; i++) add_convolution(KNACK_BF16, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3], shapes[i][4]);
}

/* ---- Measuring ---- */

/* Work per second over about 20 ms. */
static double rate(const struct bench_case *bench)
{
    int64_t runs = 0;
    const double start = seconds();
    double now = start;
    do {
        if (bench->run(bench) != KNACK_OK) {
            fprintf(stderr, "%s: %s\n", bench->name, knack_error());
            exit(1);
        }
        runs++;
        now = seconds();
    } while (now - start < 0.02);
    return (double)runs * bench->work / (now - start) * 1e-9;
}

static bool make_operands(void)
{
    a = memory_new(OPERAND, sizeof *a);
    b = memory_new(OPERAND, sizeof *b);
    c = memory_new(OPERAND, sizeof *c);
    d = memory_new(OPERAND, sizeof *d);
    a16 = memory_new(OPERAND, sizeof *a16);
    b16 = memory_new(OPERAND, sizeof *b16);
    c16 = memory_new(OPERAND, sizeof *c16);
    arena = arena_new(1 << 26);
    if (!a || !b || !c || !d || !a16 || !b16 || !c16 || !arena) return false;
    random_uniforms(1, (struct random_place){.a = 1}, 0, OPERAND, a);
    random_uniforms(1, (struct random_place){.a = 2}, 0, OPERAND, b);
    random_uniforms(1, (struct random_place){.a = 3}, 0, OPERAND, c);
    kernel_to_bf16(OPERAND, a, a16);
    kernel_to_bf16(OPERAND, b, b16);
    kernel_to_bf16(OPERAND, c, c16);
    for (int i = 0; i < 4096; i++) channel[1][i] = channel[2][i] = 1;
    return true;
}

int main(int argc, char **argv)
{
    const int threads = argc > 1 ? atoi(argv[1]) : 1;
    int rounds = argc > 2 ? atoi(argv[2]) : 5;
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = 5;
    if (threads_set(threads) != KNACK_OK || !make_operands()) {
        fprintf(stderr, "%s\n", knack_error());
        return 1;
    }
    add_cases();
    for (int i = 0; i < case_count; i++) rate(&cases[i]); /* makes primitives, fills caches */
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < case_count; i++) cases[i].rate[round] = rate(&cases[i]);
    printf("%s, %s, %d thread%s, %d rounds\n\n", kernel_library_version(), kernel_cpu_level(), threads, threads == 1 ? "" : "s", rounds);
    printf("| case | unit | median | best | ms at best |\n|---|---|---|---|---|\n");
    for (int i = 0; i < case_count; i++) {
        numbers_sort(cases[i].rate, rounds);
        const double best = cases[i].rate[rounds - 1];
        printf("| %s | %s | %.1f | %.1f | %.4f |\n", cases[i].name, cases[i].unit, cases[i].rate[rounds / 2], best,
               cases[i].work / best * 1e-6);
    }
    return 0;
}
