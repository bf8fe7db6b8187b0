/* Batch norm in plain loops, all sums in double. */
#include <math.h>

#include "tensor/kernels/images.h"

knack_status reference_channel_moments(struct arena *arena, int64_t rows, int64_t channels, const knack_real *x, knack_real *mean,
                                       knack_real *variance)
{
    const struct arena_mark mark = arena_mark(arena);
    double *first = arena_zeroed(arena, (size_t)channels * sizeof *first), *second = arena_zeroed(arena, (size_t)channels * sizeof *second);
    if (!first || !second) {
        arena_rewind(arena, mark);
        return KNACK_E_MEMORY;
    }
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < channels; c++) first[c] += (double)x[i * channels + c];
    for (int64_t c = 0; c < channels; c++) first[c] /= (double)rows;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < channels; c++) {
            const double difference = (double)x[i * channels + c] - first[c];
            second[c] += difference * difference;
        }
    for (int64_t c = 0; c < channels; c++) {
        mean[c] = (knack_real)first[c];
        variance[c] = (knack_real)(second[c] / (double)rows);
    }
    arena_rewind(arena, mark);
    return KNACK_OK;
}

void reference_batch_norm(int64_t rows, int64_t channels, const knack_real *x, const knack_real *mean, const knack_real *variance,
                          double epsilon, const knack_real *gamma, const knack_real *beta, knack_real *y)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < channels; c++) {
            const double normal = ((double)x[i * channels + c] - (double)mean[c]) / sqrt((double)variance[c] + epsilon);
            y[i * channels + c] = (knack_real)((double)gamma[c] * normal + (double)beta[c]);
        }
}

/* The sums over rows of dy, and of dy times the normalised x. */
static void gradient_sums(int64_t rows, int64_t channels, const knack_real *x, const knack_real *mean, const double *scale,
                          const knack_real *dy, double *sum, double *product)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < channels; c++) {
            const double gradient = (double)dy[i * channels + c];
            sum[c] += gradient;
            product[c] += gradient * ((double)x[i * channels + c] - (double)mean[c]) * scale[c];
        }
}

static void store(int64_t channels, const double *sum, knack_real *out, bool add)
{
    for (int64_t c = 0; c < channels && out; c++) out[c] = (knack_real)(add ? (double)out[c] + sum[c] : sum[c]);
}

knack_status reference_batch_norm_backward(struct arena *arena, bool batch, int64_t rows, int64_t channels, const knack_real *x,
                                           const knack_real *mean, const knack_real *variance, double epsilon, const knack_real *gamma,
                                           const knack_real *dy, knack_real *dx, bool add_dx, knack_real *dgamma, bool add_dgamma,
                                           knack_real *dbeta, bool add_dbeta)
{
    const struct arena_mark mark = arena_mark(arena);
    double *scale = arena_zeroed(arena, (size_t)channels * sizeof *scale);
    double *sum = arena_zeroed(arena, (size_t)channels * sizeof *sum), *product = arena_zeroed(arena, (size_t)channels * sizeof *product);
    if (!scale || !sum || !product) {
        arena_rewind(arena, mark);
        return KNACK_E_MEMORY;
    }
    for (int64_t c = 0; c < channels; c++) scale[c] = 1 / sqrt((double)variance[c] + epsilon);
    gradient_sums(rows, channels, x, mean, scale, dy, sum, product);
    for (int64_t i = 0; i < rows && dx; i++)
        for (int64_t c = 0; c < channels; c++) {
            const int64_t at = i * channels + c;
            double gradient = (double)dy[at];
            if (batch) gradient -= (sum[c] + ((double)x[at] - (double)mean[c]) * scale[c] * product[c]) / (double)rows;
            gradient *= (double)gamma[c] * scale[c];
            dx[at] = (knack_real)(add_dx ? (double)dx[at] + gradient : gradient);
        }
    store(channels, product, dgamma, add_dgamma);
    store(channels, sum, dbeta, add_dbeta);
    arena_rewind(arena, mark);
    return KNACK_OK;
}
