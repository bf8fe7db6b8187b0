/* Images with their channels in groups: [images, channels / group, pixels, group], as Winograd convolutions take them. */
#include "tensor/kernels/images.h"

#include "tensor/kernels/loops.h"

VECTOR
void kernel_group_channels(int64_t images, int64_t pixels, int64_t channels, const knack_real *restrict x, knack_real *restrict grouped)
{
    for (int64_t image = 0; image < images; image++)
        for (int64_t first = 0; first < channels; first += CHANNEL_GROUP)
            for (int64_t pixel = 0; pixel < pixels; pixel++) {
                const knack_real *restrict from = x + (image * pixels + pixel) * channels + first;
                for (int64_t c = 0; c < CHANNEL_GROUP; c++) grouped[c] = from[c];
                grouped += CHANNEL_GROUP;
            }
}

VECTOR
void kernel_ungroup_channels(int64_t images, int64_t pixels, int64_t channels, const knack_real *restrict grouped, knack_real *restrict x)
{
    for (int64_t image = 0; image < images; image++)
        for (int64_t first = 0; first < channels; first += CHANNEL_GROUP)
            for (int64_t pixel = 0; pixel < pixels; pixel++) {
                knack_real *restrict to = x + (image * pixels + pixel) * channels + first;
                for (int64_t c = 0; c < CHANNEL_GROUP; c++) to[c] = grouped[c];
                grouped += CHANNEL_GROUP;
            }
}
