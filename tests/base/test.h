/* What every test of the base floor includes. */
#ifndef TESTS_BASE_TEST_H
#define TESTS_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"

/* The call fails with this code and this message, all of it. */
#define assert_failure(call, code, text)                                                                                                   \
    do {                                                                                                                                   \
        assert_int_equal(call, code);                                                                                                      \
        assert_string_equal(knack_error(), text);                                                                                          \
    } while (0)

#define assert_done(call)                                                                                                                  \
    do {                                                                                                                                   \
        if ((call) < 0) fail_msg("%s: %s", #call, knack_error());                                                                          \
    } while (0)

#endif
