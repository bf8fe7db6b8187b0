/* Each allocation of a whole run fails once, it and all after it: the run ends with an error that says so, crashes nowhere, and, as the
 * sanitizers see, loses nothing. */
#include "harness.h"

#define CONFIG(plugins)                                                                                                                    \
    "{'data': {'limit': 24, 'validation': 8, 'augment': ['shift']}, 'model': {'type': 'cnn', 'channels': [2], 'hidden': [4], "             \
    "'dropout': 0.1}, 'train': {'epochs': 1, 'batch': 12, 'micro_batch': 6, 'log_every': 1, 'class_weights': 'balanced'}, 'plugins': "     \
    "[" plugins "]}"
#define OF_TOKENS                                                                                                                          \
    "{'data': {" HARNESS_TOKENS ", 'limit': 24, 'validation': 8}, 'model': {'type': 'encoder', 'vocabulary': 32, 'padding': 0, "           \
    "'layers': 2, 'width': 8, 'heads': 2, 'feedforward': 8, 'dropout': 0.1}, 'train': {'epochs': 1, 'batch': 12, 'micro_batch': 6}, "      \
    "'plugins': [{'name': 'fgm', 'layer': 'embedding'}]}"
#define TRICKS                                                                                                                             \
    "'ema', {'name': 'rerun', 'rho': 0.1, 'keep': [0, 1]}, {'name': 'fgm', 'layer': 'input'}, 'mixup', 'arcface', "                        \
    "{'name': 'probe', 'at': 'pre_step', 'do': 'metric'}"

#define OTHERS                                                                                                                             \
    "{'name': 'pgd', 'parameters': '*.weight', 'steps': 2}, {'name': 'awp', 'replace': false}, {'name': 'freelb', 'steps': 2}, "           \
    "'cutmix', 'rdrop', 'focal', 'snapshot-ensemble', {'name': 'checkpoint-average', 'mode': 'greedy'}, 'early-stop', "                    \
    "{'name': 'tta', 'views': ['shift 1 0']}, 'grad-clip'"

/* stride: so many allocations are let go from one run to the next. */
static void every_allocation_fails(const char *config, int64_t stride)
{
    int64_t runs = 0;
    assert_int_equal(harness_status("%s", config), KNACK_OK); /* what is made once in a process is there then */
    for (int64_t nth = 1;; nth += stride, runs++) {
        knack_status status = harness_status_without_memory(nth, "%s", config);
        if (status == KNACK_OK) break;
        if (status != KNACK_E_MEMORY || !strstr(knack_error(), "out of memory"))
            fail_msg("allocation %d: status %d: %s", (int)nth, status, knack_error());
    }
    assert_true(runs * stride > 200);
}

static void without_tricks(void **state)
{
    (void)state;
    every_allocation_fails(CONFIG(""), 1);
}

static void with_tricks(void **state)
{
    (void)state;
    every_allocation_fails(CONFIG(TRICKS), IS_DOUBLE ? 3 : 1); /* sanitizers take their time */
}

static void with_other_tricks(void **state)
{
    (void)state;
    every_allocation_fails(CONFIG(OTHERS), IS_DOUBLE ? 3 : 1);
}

static void of_tokens(void **state)
{
    (void)state;
    harness_put_tokens();
    every_allocation_fails(OF_TOKENS, IS_DOUBLE ? 3 : 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_tricks),
        cmocka_unit_test(with_tricks),
        cmocka_unit_test(with_other_tricks),
        cmocka_unit_test(of_tokens),
    };
    return cmocka_run_group_tests(tests, harness_set_up, harness_tear_down);
}
