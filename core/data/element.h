/* The types of numbers that files hold, and their conversion. */
#ifndef DATA_ELEMENT_H
#define DATA_ELEMENT_H

#include <knack/tensor.h>

enum element {
    ELEMENT_U8,
    ELEMENT_I8,
    ELEMENT_BOOL,
    ELEMENT_U16,
    ELEMENT_I16,
    ELEMENT_U32,
    ELEMENT_I32,
    ELEMENT_U64,
    ELEMENT_I64,
    ELEMENT_F32,
    ELEMENT_F64,
    ELEMENT_COUNT
};
#ifdef KNACK_REAL_DOUBLE
#define ELEMENT_REAL ELEMENT_F64
#else
#define ELEMENT_REAL ELEMENT_F32
#endif

extern const char *const element_name[ELEMENT_COUNT + 1]; /* "8-bit unsigned integers", ..., NULL */
extern const char *const element_code[ELEMENT_COUNT + 1]; /* "u1", "i1", "b1", ..., as in NumPy, NULL */
int64_t element_size(enum element);
bool element_is_float(enum element);

/* count numbers at from (no alignment needed; swapped: not in this machine's byte order) -> out. element_reals divides each. */
void element_doubles(enum element, bool swapped, const void *from, int64_t count, double *out);
void element_reals(enum element, bool swapped, const void *from, int64_t count, double divide, knack_real *out);

#endif
