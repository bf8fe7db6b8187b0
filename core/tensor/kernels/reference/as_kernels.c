/* The double build: what operations call is the reference. */
#include "tensor/kernels/images.h"
#include "tensor/kernels/kernels.h"

knack_status kernel_matmul(struct arena *arena, const struct matmul *m)
{
    return reference_matmul(arena, m);
}

knack_status kernel_conv2d(struct arena *arena, const struct conv2d_forward *f)
{
    return reference_conv2d(arena, f);
}

knack_status kernel_conv2d_backward(struct arena *arena, const struct conv2d_backward *b)
{
    return reference_conv2d_backward(arena, b);
}

knack_status kernel_max_pool(struct arena *arena, const struct pool2d *p, const knack_real *x, knack_real *y)
{
    return reference_max_pool(arena, p, x, y);
}

knack_status kernel_max_pool_backward(struct arena *arena, const struct pool2d *p, const knack_real *x, const knack_real *y,
                                      const knack_real *dy, knack_real *dx, bool add)
{
    return reference_max_pool_backward(arena, p, x, y, dy, dx, add);
}

knack_status kernel_average_pool(struct arena *arena, const struct pool2d *p, const knack_real *x, knack_real *y)
{
    return reference_average_pool(arena, p, x, y);
}

knack_status kernel_average_pool_backward(struct arena *arena, const struct pool2d *p, const knack_real *dy, knack_real *dx, bool add)
{
    return reference_average_pool_backward(arena, p, dy, dx, add);
}

knack_status kernel_channel_moments(struct arena *arena, int64_t rows, int64_t channels, const knack_real *x, knack_real *mean,
                                    knack_real *variance)
{
    return reference_channel_moments(arena, rows, channels, x, mean, variance);
}

void kernel_batch_norm(int64_t rows, int64_t channels, const knack_real *x, const knack_real *mean, const knack_real *variance,
                       double epsilon, const knack_real *gamma, const knack_real *beta, knack_real *y)
{
    reference_batch_norm(rows, channels, x, mean, variance, epsilon, gamma, beta, y);
}

knack_status kernel_batch_norm_backward(struct arena *arena, bool batch, int64_t rows, int64_t channels, const knack_real *x,
                                        const knack_real *mean, const knack_real *variance, double epsilon, const knack_real *gamma,
                                        const knack_real *dy, knack_real *dx, bool add_dx, knack_real *dgamma, bool add_dgamma,
                                        knack_real *dbeta, bool add_dbeta)
{
    return reference_batch_norm_backward(arena, batch, rows, channels, x, mean, variance, epsilon, gamma, dy, dx, add_dx, dgamma,
                                         add_dgamma, dbeta, add_dbeta);
}

const char *kernel_cpu_level(void)
{
    return "reference";
}

const char *kernel_library_version(void)
{
    return "reference kernels";
}
