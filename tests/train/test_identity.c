/* The identity of a run: what is no part of it, and what differs in words. */
#include "harness.h"

#include "train/identity.h"

/* Of a config with this seed; memory_free(). */
static char *identity_of(const char *data, int seed, int threads)
{
    char *text;
    struct run *run = harness_open("{'data': {%s}, 'model': {'hidden': [4]}, 'seed': %d, 'threads': %d}", data, seed, threads);
    if (run_identity_text(run, true, &text) < 0) fail_msg("%s", knack_error());
    harness_close(run);
    return text;
}

/* What differs between two texts, both freed: the bits, and these words. */
static void expect_change(char *kept, char *now, unsigned expected, const char *words)
{
    unsigned change;
    char *found;
    if (identity_difference(kept, now, &change, &found) < 0) fail_msg("%s", knack_error());
    assert_string_equal(found, words);
    assert_int_equal(change, expected);
    memory_free(found);
    memory_free(kept);
    memory_free(now);
}

static void the_seed_is_no_part_of_it(void **state)
{
    (void)state;
    const char *redrawn = "'limit': 64, 'label_noise': 0.2, 'redraw': true";
    expect_change(identity_of("'limit': 64", 1, 1), identity_of("'limit': 64", 2, 1), IDENTITY_SAME, "");
    expect_change(identity_of(redrawn, 1, 1), identity_of(redrawn, 2, 1), IDENTITY_SAME, "");
    expect_change(identity_of(redrawn, 1, 1), identity_of("'limit': 64, 'positive': [3], 'label_noise': 0.2, 'redraw': true", 1, 1),
                  IDENTITY_CONFIG, "the config");
}

static void the_order_of_members_is_no_part_of_it(void **state)
{
    (void)state;
    expect_change(identity_of("'limit': 64, 'validation': 9", 1, 1), identity_of("'validation': 9, 'limit': 64", 1, 1), IDENTITY_SAME, "");
}

static void data_drawn_otherwise_are_others(void **state)
{
    (void)state;
    expect_change(identity_of("'validation': 9", 1, 1), identity_of("'validation': 9, 'seed': 1", 1, 1), IDENTITY_CONFIG | IDENTITY_DATA,
                  "the config; the training data; the validation data");
}

static void files_that_seeds_draw_from_count_whole(void **state)
{
    (void)state;
    double x[24], y[12];
    for (int i = 0; i < 24; i++) x[i] = i;
    for (int i = 0; i < 12; i++) y[i] = i % 3;
    const char *data = "'npy': {'inputs': 'x.npy', 'targets': 'y.npy'}, 'task': 'classification', 'limit': 6, 'redraw': true";
    harness_put_npy("x", 12, 2, x);
    harness_put_npy("y", 12, 1, y);
    char *before = identity_of(data, 1, 1);
    x[23] = 99;
    harness_put_npy("x", 12, 2, x);
    expect_change(before, identity_of(data, 1, 1), IDENTITY_DATA, "the data that seeds draw from");
    before = identity_of(data, 1, 1);
    y[0] = 1;
    harness_put_npy("y", 12, 1, y);
    expect_change(before, identity_of(data, 1, 1), IDENTITY_DATA, "the data that seeds draw from");
}

static void threads_are_told_apart(void **state)
{
    (void)state;
    expect_change(identity_of("'limit': 64", 1, 1), identity_of("'limit': 64", 1, 2), IDENTITY_THREADS, "the number of threads");
}

#define TEXT(code, plugin, knack, cpu, library)                                                                                            \
    memory_text("{\"plugins\": [{\"name\": \"" plugin "\", \"code\": \"" code "\", \"manifest\": \"3\"}], \"knack\": \"" knack             \
                "\", \"machine\": {\"cpu\": \"" cpu "\", \"onednn\": \"" library "\"}}")

static void what_differs_is_said(void **state)
{
    (void)state;
    expect_change(TEXT("1", "ema", "2", "avx2", "oneDNN 2.6.3"), TEXT("1", "ema", "2", "avx512", "oneDNN 3.1"), IDENTITY_MACHINE,
                  "CPU level avx2 -> avx512; oneDNN 2.6.3 -> oneDNN 3.1");
    expect_change(TEXT("1", "ema", "2", "avx2", "a"), TEXT("9", "ema", "5", "avx2", "a"), IDENTITY_PLUGINS | IDENTITY_KNACK,
                  "plugin ema: its code; knack itself");
    expect_change(TEXT("1", "ema", "2", "avx2", "a"), TEXT("1", "swa", "2", "avx2", "a"), IDENTITY_PLUGINS,
                  "which plugins there are, or their order");
    char *words;
    unsigned change;
    harness_expect(identity_difference("{", "{}", &change, &words), KNACK_E_DATA, "the identity that was kept", NULL);
    assert_null(words);
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    char *text, *words;
    unsigned change;
    struct run *run = harness_open("{'data': {'limit': 64}, 'plugins': ['ema']}");
    int64_t nth = 1;
    for (knack_status status = KNACK_E_MEMORY; status < 0; nth++) {
        memory_fail_at(nth);
        status = run_identity_text(run, true, &text);
        memory_fail_at(0);
        assert_true(status == KNACK_OK ? text != NULL : status == KNACK_E_MEMORY && !text);
    }
    assert_true(nth > 5);
    harness_close(run);
    nth = 1;
    for (knack_status status = KNACK_E_MEMORY; status < 0; nth++) {
        memory_fail_at(nth);
        status = identity_difference(text, text, &change, &words);
        memory_fail_at(0);
        assert_true(status == KNACK_OK ? words != NULL : status == KNACK_E_MEMORY && !words);
    }
    memory_free(words);
    memory_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seed_is_no_part_of_it),       cmocka_unit_test(the_order_of_members_is_no_part_of_it),
        cmocka_unit_test(data_drawn_otherwise_are_others), cmocka_unit_test(files_that_seeds_draw_from_count_whole),
        cmocka_unit_test(threads_are_told_apart),          cmocka_unit_test(what_differs_is_said),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
