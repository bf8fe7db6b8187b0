#include "base/test.h"

#include <string.h>

#include "base/threads.h"

static void test_message(void **state)
{
    (void)state;
    status_clear();
    assert_string_equal(knack_error(), "");
    assert_failure(status_set(KNACK_E_DATA, "%s: row %d", "a.csv", 7), KNACK_E_DATA, "a.csv: row 7");
    assert_failure(status_prefix(KNACK_E_PLUGIN, "trick %s", "fgm"), KNACK_E_PLUGIN, "trick fgm: a.csv: row 7");
    assert_failure(status_set(KNACK_E_IO, "again: %s", knack_error()), KNACK_E_IO, "again: trick fgm: a.csv: row 7");
    status_clear();
    assert_string_equal(knack_error(), "");
}

static void test_long_message_is_cut(void **state)
{
    (void)state;
    char longer[5000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    status_set(KNACK_E_DATA, "%s", longer);
    size_t length = strlen(knack_error());
    assert_true(length > 1000 && length < sizeof longer);
    for (int i = 0; i < 3; i++) status_prefix(KNACK_E_DATA, "%s", longer);
    assert_int_equal(strlen(knack_error()), length);
}

static void set_other(void *user, int64_t part)
{
    (void)user;
    if (part > 0) status_set(KNACK_E_CALL, "of part %d", (int)part);
}

/* Part 0 runs in the calling thread, the others elsewhere. */
static void test_threads_have_their_own(void **state)
{
    (void)state;
    assert_done(threads_set(2));
    status_set(KNACK_E_DATA, "mine");
    threads_run(2, set_other, NULL);
    assert_string_equal(knack_error(), "mine");
    assert_done(threads_set(1));
}

static knack_status tries(knack_status first)
{
    TRY(first);
    return KNACK_IDLE;
}

static void test_try(void **state)
{
    (void)state;
    assert_int_equal(tries(KNACK_OK), KNACK_IDLE);
    assert_int_equal(tries(KNACK_STOP), KNACK_IDLE);
    assert_int_equal(tries(KNACK_E_IO), KNACK_E_IO);
}

static void test_exit_status(void **state)
{
    (void)state;
    static const struct {
        knack_status code;
        int status;
    } expected[] = {{KNACK_OK, 0},       {KNACK_STOP, 0},     {KNACK_E_USAGE, 2},   {KNACK_E_CONFIG, 2},
                    {KNACK_E_DATA, 3},   {KNACK_E_PLUGIN, 4}, {KNACK_E_NUMERIC, 5}, {KNACK_E_IO, 6},
                    {KNACK_E_MEMORY, 6}, {KNACK_E_CALL, 4},   {KNACK_E_SHAPE, 4},   {KNACK_E_INTERRUPTED, 130}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) assert_int_equal(status_exit(expected[i].code), expected[i].status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message), cmocka_unit_test(test_long_message_is_cut), cmocka_unit_test(test_threads_have_their_own),
        cmocka_unit_test(test_try),     cmocka_unit_test(test_exit_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
