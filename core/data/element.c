#include "data/element.h"

#include <string.h>

const char *const element_name[ELEMENT_COUNT + 1] = {
    "8-bit unsigned integers",
    "8-bit integers",
    "booleans",
    "16-bit unsigned integers",
    "16-bit integers",
    "32-bit unsigned integers",
    "32-bit integers",
    "64-bit unsigned integers",
    "64-bit integers",
    "32-bit floats",
    "64-bit floats",
    NULL,
};
const char *const element_code[ELEMENT_COUNT + 1] = {"u1", "i1", "b1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", NULL};

int64_t element_size(enum element type)
{
    static const int8_t size[ELEMENT_COUNT] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
    return size[type];
}

bool element_is_float(enum element type)
{
    return type == ELEMENT_F32 || type == ELEMENT_F64;
}

static uint16_t load_16(const uint8_t *from, bool swapped)
{
    uint16_t bits;
    memcpy(&bits, from, sizeof bits);
    return swapped ? __builtin_bswap16(bits) : bits;
}

static uint32_t load_32(const uint8_t *from, bool swapped)
{
    uint32_t bits;
    memcpy(&bits, from, sizeof bits);
    return swapped ? __builtin_bswap32(bits) : bits;
}

static uint64_t load_64(const uint8_t *from, bool swapped)
{
    uint64_t bits;
    memcpy(&bits, from, sizeof bits);
    return swapped ? __builtin_bswap64(bits) : bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void element_doubles(enum element type, bool swapped, const void *from, int64_t count, double *out)
{
    const uint8_t *byte = from;
#define EACH(value)                                                                                                                        \
    for (int64_t i = 0; i < count; i++) out[i] = (double)(value)
    switch (type) {
    case ELEMENT_U8:
        EACH(byte[i]);
        break;
    case ELEMENT_I8:
        EACH((int8_t)byte[i]);
        break;
    case ELEMENT_BOOL:
        EACH(byte[i] != 0);
        break;
    case ELEMENT_U16:
        EACH(load_16(byte + 2 * i, swapped));
        break;
    case ELEMENT_I16:
        EACH((int16_t)load_16(byte + 2 * i, swapped));
        break;
    case ELEMENT_U32:
        EACH(load_32(byte + 4 * i, swapped));
        break;
    case ELEMENT_I32:
        EACH((int32_t)load_32(byte + 4 * i, swapped));
        break;
    case ELEMENT_U64:
        EACH(load_64(byte + 8 * i, swapped));
        break;
    case ELEMENT_I64:
        EACH((int64_t)load_64(byte + 8 * i, swapped));
        break;
    case ELEMENT_F32:
        EACH(float_of(load_32(byte + 4 * i, swapped)));
        break;
    case ELEMENT_F64:
        EACH(double_of(load_64(byte + 8 * i, swapped)));
        break;
    case ELEMENT_COUNT:
        break;
    }
#undef EACH
}

void element_reals(enum element type, bool swapped, const void *from, int64_t count, double divide, knack_real *out)
{
    if (type == ELEMENT_U8) { /* images: the common case, which compilers vectorise */
        const uint8_t *byte = from;
        knack_real divisor = (knack_real)divide;
        for (int64_t i = 0; i < count; i++) out[i] = (knack_real)byte[i] / divisor;
        return;
    }
    if (type == ELEMENT_REAL && !swapped && divide == 1) {
        memcpy(out, from, (size_t)count * sizeof *out);
        return;
    }
    enum { PIECE = 512 };
    double piece[PIECE];
    for (int64_t done = 0; done < count; done += PIECE) {
        int64_t n = count - done < PIECE ? count - done : PIECE;
        element_doubles(type, swapped, (const uint8_t *)from + done * element_size(type), n, piece);
        for (int64_t i = 0; i < n; i++) out[done + i] = (knack_real)(piece[i] / divide);
    }
}
