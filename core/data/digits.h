/* The embedded digits: two compressed IDX files (digits/README.md). */
#ifndef DATA_DIGITS_H
#define DATA_DIGITS_H

#include <stdint.h>

extern const uint8_t digits_images[], digits_images_end[];
extern const uint8_t digits_labels[], digits_labels_end[];

#endif
