/* What the program shows besides plain numbers (base/number.h). Each returns its buffer. */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include <knack/tensor.h>
#include <stdbool.h>

#include "base/number.h"

enum { FORMAT_BAR_SIZE = 3 * 16 + 1 };

/* A bar of so many cells, at most 16, of which a share from 0 to 1 is full. */
const char *format_bar(char buffer[FORMAT_BAR_SIZE], double share, int cells, bool unicode);
/* The fewest digits that read back as the same knack_real. */
const char *format_real(char buffer[NUMBER_SIZE], knack_real value);

#endif
