/* Status codes and the message that goes with the latest error of a thread. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stdarg.h>

#include <knack/tensor.h>

/* Sets this thread's message, and returns code, so that a caller can `return status_set(...)`. Say what was wrong, where, what to do. */
knack_status status_set(knack_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));
knack_status status_set_list(knack_status code, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
/* Puts "text: " before the message that is there; returns code. */
knack_status status_prefix(knack_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));
void status_clear(void);
/* The exit status of the program for a code: 0 done, 2 usage or config, 3 data, 4 plugin (also a wrong call or shape), 5 numeric, 6
 * input/output or memory, 7 what --fail-if names, 130 interrupted. */
int status_exit(knack_status code);
#define STATUS_VERDICT ((knack_status)-100) /* nothing failed, but a verdict is as --fail-if says */

/* Returns from the calling function unless the call gave 0 or above. */
#define TRY(call)                                                                                                                          \
    do {                                                                                                                                   \
        knack_status try_status_ = (call);                                                                                                 \
        if (try_status_ < 0) return try_status_;                                                                                           \
    } while (0)

#endif
