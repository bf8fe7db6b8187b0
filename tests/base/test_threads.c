#include "base/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/threads.h"

enum { PARTS = 37 };

struct work {
    double result[PARTS];
    _Atomic int calls;
    _Atomic int denormals; /* parts that saw one */
};

static void work_part(void *user, int64_t part)
{
    struct work *work = user;
    double sum = 0;
    for (int i = 1; i < 1000; i++) sum += 1.0 / (i + (double)part);
    work->result[part] = sum;
    volatile float small = 1e-38f;
    if (small / 16 > 0) work->denormals++;
    work->calls++;
}

static void test_results_do_not_depend_on_threads(void **state)
{
    (void)state;
    static struct work one, several;
    assert_done(threads_set(1));
    assert_int_equal(threads_count(), 1);
    threads_run(PARTS, work_part, &one);
    assert_done(threads_set(3));
    assert_int_equal(threads_count(), 3);
    threads_run(PARTS, work_part, &several);
    assert_int_equal(one.calls, PARTS);
    assert_int_equal(several.calls, PARTS);
    assert_memory_equal(one.result, several.result, sizeof one.result);
    assert_int_equal(one.denormals + several.denormals, 0);
    assert_done(threads_set(1));
}

static void nested_part(void *user, int64_t part)
{
    (void)part;
    threads_run(PARTS, work_part, user);
}

static void test_nested(void **state)
{
    (void)state;
    static struct work work;
    assert_done(threads_set(2));
    threads_run(2, nested_part, &work);
    assert_int_equal(work.calls, 2 * PARTS);
    threads_run(0, nested_part, &work);
    assert_int_equal(work.calls, 2 * PARTS);
    assert_done(threads_set(1));
}

static void note_thread(void *user, int64_t part)
{
    ((pthread_t *)user)[part] = pthread_self();
}

/* Memory was set aside for two threads, and then another caller asked for three. */
static void test_no_more_threads_than_told(void **state)
{
    (void)state;
    pthread_t runner[PARTS];
    assert_done(threads_set(3));
    threads_run_on(2, PARTS, note_thread, runner);
    for (int i = 0; i < PARTS; i++) assert_true(pthread_equal(runner[i], runner[0]) || pthread_equal(runner[i], runner[PARTS - 1]));
    threads_run_on(1, PARTS, note_thread, runner);
    for (int i = 0; i < PARTS; i++) assert_true(pthread_equal(runner[i], pthread_self()));
    assert_done(threads_set(1));
}

static void test_bad_count(void **state)
{
    (void)state;
    assert_failure(threads_set(0), KNACK_E_CONFIG, "threads: expected 1 to 1024, got 0");
    assert_failure(threads_set(2000), KNACK_E_CONFIG, "threads: expected 1 to 1024, got 2000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_do_not_depend_on_threads),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_no_more_threads_than_told),
        cmocka_unit_test(test_bad_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
