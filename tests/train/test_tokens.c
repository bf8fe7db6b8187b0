/* Whole runs of an encoder: the same bits however they come about, batches in parts, and the tricks that suit tokens. */
#include "whole.h"

#define ENCODER(more)                                                                                                                      \
    "{'type': 'encoder', 'vocabulary': 32, 'padding': 0, 'layers': 2, 'width': 24, 'heads': 3, 'feedforward': 40, 'dropout': 0.2" more "}"
#define POST ENCODER("")
#define PRE  ENCODER(", 'norm': 'pre', 'pooling': 'mean'")
/* Large enough that all kernels share their work among threads. */
#define LARGE                                                                                                                              \
    "{'type': 'encoder', 'vocabulary': 32, 'padding': 0, 'layers': 2, 'width': 96, 'heads': 6, 'feedforward': 200, 'dropout': 0.2}"

#define FGM   "{'name': 'fgm', 'layer': 'embedding', 'epsilon': 0.1}"
#define TABLE "{'name': 'fgm', 'parameters': 'embedding.weight', 'epsilon': 0.1}"
#define MIXUP "{'name': 'mixup', 'layer': ['embedding', 'layer1'], 'mode': 'row'}"

static int set_up(void **state)
{
    if (harness_set_up(state) < 0) return -1;
    harness_put_tokens();
    whole_data = HARNESS_TOKENS ", 'limit': 70";
    return 0;
}

static const char *const models[] = {POST, PRE};
static const char *const plugins[] = {"",
                                      FGM,
                                      TABLE,
                                      MIXUP,
                                      "{'name': 'freelb', 'layer': 'embedding', 'steps': 2, 'padding': 'zeros'}",
                                      "{'name': 'pgd', 'layer': 'layer1', 'norm': 'row', 'steps': 2}",
                                      "'rdrop', 'ema'",
                                      "{'name': 'awp', 'parameters': '*.weight'}, {'name': 'arcface', 'centres': 2}"};
enum { PLUGINS = sizeof plugins / sizeof *plugins };

static void batches_may_come_in_parts(void **state)
{
    (void)state;
    for (int i = 0; i < PLUGINS; i++) check_split(models[i % 2], plugins[i]);
    check_split(PRE, FGM);
}

static void an_interrupted_run_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    for (int i = 0; i < PLUGINS; i++) check_resume(models[i % 2], plugins[i]);
    check_resume(PRE, "");
}

#define FORMAT                                                                                                                             \
    "{'data': {" HARNESS_TOKENS ", 'validation': 20}, 'model': %s, 'seed': 5, 'threads': %d, "                                             \
    "'train': {'epochs': 1, 'batch': 80, 'log_every': 1}, 'plugins': [%s]}"

static void expect_same(const char *model, const char *tricks, int threads)
{
    if (harness_status(FORMAT, model, 1, tricks) < 0) fail_msg("%s", knack_error());
    struct harness_files files = harness_files();
    if (harness_status(FORMAT, model, threads, tricks) < 0) fail_msg("%s", knack_error());
    harness_assert_files(&files, tricks);
    harness_files_free(&files);
}

static void one_seed_gives_one_result(void **state)
{
    (void)state;
    expect_same(LARGE, FGM, 1);
    expect_same(PRE, "", 1);
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    expect_same(LARGE, "", 2);
    expect_same(LARGE, "", 3);
    expect_same(LARGE, FGM ", " MIXUP ", 'rdrop'", 2);
    expect_same(PRE, "", 2);
}

/* Ids are neither mixed nor attacked; the message says what to do instead. */
static void tricks_at_the_ids_are_refused(void **state)
{
    (void)state;
    harness_expect(harness_status(FORMAT, POST, 1, "'mixup'"), KNACK_E_PLUGIN, "at plugins[0]: mixup",
                   "the input is token ids, which cannot be mixed; mix a layer behind it, such as \"embedding\"", NULL);
    harness_expect(harness_status(FORMAT, POST, 1, "{'name': 'fgm', 'layer': 'input'}"), KNACK_E_PLUGIN, "at plugins[0]: fgm",
                   "the input is token ids, which have no gradient; attack a layer behind it, such as \"embedding\"", NULL);
    harness_expect(harness_status(FORMAT, POST, 1, "'freelb'"), KNACK_E_PLUGIN, "which have no gradient", NULL);
    harness_expect(harness_status(FORMAT, POST, 1, "'cutmix'"), KNACK_E_PLUGIN, "cuts boxes out of images", NULL);
}

/* 8-bit integers are taken for grey levels where nobody says that they are not. */
static void ids_are_not_divided(void **state)
{
    (void)state;
    harness_expect(harness_status("{'data': {'idx': {'inputs': 'tokens.idx', 'targets': 'classes.idx'}}, 'model': %s}", POST), KNACK_E_DATA,
                   "tokens.idx: row ", "(the first is 0), value ", "is no token id", "as 8-bit integers are unless data says \"divide\": 1",
                   NULL);
}

static void a_small_vocabulary_is_told(void **state)
{
    (void)state;
    harness_expect(harness_status("{'data': {%s}, 'model': {'type': 'encoder', 'vocabulary': 16, 'padding': 0}}", HARNESS_TOKENS),
                   KNACK_E_DATA, "(the first is 0), value ",
                   "is no token id, which are whole numbers from 0 to 15; how many there are is the model's \"vocabulary\"", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_may_come_in_parts),     cmocka_unit_test(an_interrupted_run_goes_on_to_the_same_bits),
        cmocka_unit_test(one_seed_gives_one_result),     cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(tricks_at_the_ids_are_refused), cmocka_unit_test(ids_are_not_divided),
        cmocka_unit_test(a_small_vocabulary_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, harness_tear_down);
}
