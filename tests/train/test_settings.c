/* The "train" object: defaults, what is read, and what is refused with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/settings.h"

static struct json_document *document;

/* text is the value of "train". */
static knack_status read_as(bool regression, const char *text, struct train_settings *settings)
{
    char *config = memory_format("{\"train\": %s}", text);
    assert_non_null(config);
    json_free(document);
    assert_int_equal(json_parse(config, strlen(config), "config.json", &document), KNACK_OK);
    memory_free(config);
    return train_settings_read(json_member(document->root, "train"), regression, settings);
}

static void check_refused(bool regression, const char *text, const char *message)
{
    struct train_settings settings;
    assert_int_equal(read_as(regression, text, &settings), KNACK_E_CONFIG);
    assert_string_equal(knack_error(), message);
}

static int close_document(void **state)
{
    (void)state;
    json_free(document);
    document = NULL;
    return 0;
}

static void check_defaults(const struct train_settings *settings)
{
    assert_int_equal(settings->epochs, 10);
    assert_int_equal(settings->batch, 64);
    assert_int_equal(settings->micro_batch, 0);
    assert_int_equal(settings->compute, COMPUTE_F32);
    assert_false(settings->drop_last);
    assert_int_equal(settings->optimizer.type, OPTIMIZER_ADAMW);
    assert_true(settings->optimizer.lr == 1e-3 && settings->optimizer.weight_decay == 0.01);
    assert_true(settings->optimizer.beta1 == 0.9 && settings->optimizer.beta2 == 0.999 && settings->optimizer.epsilon == 1e-8);
    assert_int_equal(settings->optimizer.groups, 0);
    assert_int_equal(settings->schedule.type, SCHEDULE_CONSTANT);
    assert_true(settings->schedule.warmup.amount == 0);
    assert_int_equal(settings->class_weights.count, 0);
    assert_null(settings->metric);
    assert_null(settings->primary);
    assert_true(settings->log_every.amount == 50 && settings->log_every.unit == DURATION_UPDATES);
    assert_true(settings->checkpoint_seconds == 60 && settings->checkpoint_updates == 0);
    assert_int_equal(settings->max_skipped, 10);
    assert_int_equal(settings->evaluate_every, 1);
}

static void absent_and_empty_give_defaults(void **state)
{
    (void)state;
    struct train_settings settings;
    assert_int_equal(train_settings_read(NULL, false, &settings), KNACK_OK);
    check_defaults(&settings);
    assert_int_equal(settings.loss, LOSS_CROSS_ENTROPY);
    train_settings_free(&settings);
    assert_int_equal(read_as(true, "{\"optimizer\": {}, \"schedule\": {}}", &settings), KNACK_OK);
    check_defaults(&settings);
    assert_int_equal(settings.loss, LOSS_SQUARED);
    train_settings_free(&settings);
}

static void each_optimizer_has_its_defaults(void **state)
{
    (void)state;
    struct train_settings settings;
    assert_int_equal(read_as(false, "{\"optimizer\": {\"type\": \"sgd\"}}", &settings), KNACK_OK);
    assert_int_equal(settings.optimizer.type, OPTIMIZER_SGD);
    assert_true(settings.optimizer.lr == 0.05 && settings.optimizer.momentum == 0.9 && settings.optimizer.weight_decay == 0);
    train_settings_free(&settings);
    assert_int_equal(read_as(false, "{\"optimizer\": {\"type\": \"adam\", \"beta1\": 0.5, \"decay_all\": true}}", &settings), KNACK_OK);
    assert_int_equal(settings.optimizer.type, OPTIMIZER_ADAM);
    assert_true(settings.optimizer.lr == 1e-3 && settings.optimizer.beta1 == 0.5 && settings.optimizer.weight_decay == 0);
    assert_true(settings.optimizer.decay_all);
    train_settings_free(&settings);
}

static void groups(void **state)
{
    (void)state;
    struct train_settings settings;
    assert_int_equal(read_as(false,
                             "{\"optimizer\": {\"type\": \"sgd\", \"groups\": [{\"parameters\": \"head.*\", \"lr_scale\": 10},"
                             " {\"parameters\": \"*\", \"weight_decay\": 0}]}}",
                             &settings),
                     KNACK_OK);
    assert_int_equal(settings.optimizer.groups, 2);
    assert_string_equal(settings.optimizer.group[0].parameters, "head.*");
    assert_true(settings.optimizer.group[0].lr_scale == 10 && isnan(settings.optimizer.group[0].weight_decay));
    assert_true(settings.optimizer.group[1].lr_scale == 1 && settings.optimizer.group[1].weight_decay == 0);
    train_settings_free(&settings);
}

static void check_warmup(const char *text, double amount, int unit)
{
    struct train_settings settings;
    char *train = memory_format("{\"schedule\": {\"type\": \"cosine\", \"warmup\": %s}}", text);
    assert_int_equal(read_as(false, train, &settings), KNACK_OK);
    assert_true(settings.schedule.warmup.amount == amount && (int)settings.schedule.warmup.unit == unit);
    train_settings_free(&settings);
    memory_free(train);
}

static void warm_up_is_a_share_or_a_duration(void **state)
{
    (void)state;
    check_warmup("0.05", 0.05, DURATION_RUN);
    check_warmup("100", 100, DURATION_UPDATES);
    check_warmup("\"100st\"", 100, DURATION_UPDATES);
    check_warmup("\"2ep\"", 2, DURATION_EPOCHS);
    check_warmup("\"0.1dur\"", 0.1, DURATION_RUN);
    check_warmup("\"0.5ep\"", 0.5, DURATION_EPOCHS);
}

static void step_has_milestones(void **state)
{
    (void)state;
    struct train_settings settings;
    assert_int_equal(read_as(false, "{\"schedule\": {\"type\": \"step\"}}", &settings), KNACK_OK);
    assert_int_equal(settings.schedule.milestones, 2);
    assert_true(settings.schedule.milestone[1].amount == 0.75 && settings.schedule.milestone[1].unit == DURATION_RUN);
    train_settings_free(&settings);
    assert_int_equal(read_as(false, "{\"schedule\": {\"type\": \"step\", \"milestones\": [0.5, \"3ep\", 70]}}", &settings), KNACK_OK);
    assert_int_equal(settings.schedule.milestones, 3);
    assert_true(settings.schedule.milestone[0].unit == DURATION_RUN && settings.schedule.milestone[2].unit == DURATION_UPDATES);
    train_settings_free(&settings);
}

static void class_weights_and_checkpoints(void **state)
{
    (void)state;
    struct train_settings settings;
    assert_int_equal(read_as(false, "{\"class_weights\": \"balanced\", \"checkpoint_every\": \"20st\"}", &settings), KNACK_OK);
    assert_true(settings.balanced);
    assert_int_equal(settings.checkpoint_updates, 20);
    train_settings_free(&settings);
    assert_int_equal(read_as(false, "{\"class_weights\": [1, 0.5], \"checkpoint_every\": 0}", &settings), KNACK_OK);
    assert_false(settings.balanced);
    assert_int_equal(settings.class_weights.count, 2);
    assert_true(settings.class_weights.value[1] == 0.5 && settings.checkpoint_seconds == 0);
    train_settings_free(&settings);
}

static void refusals(void **state)
{
    (void)state;
    check_refused(false, "{\"epoch\": 2}", "config.json: at train.epoch: unknown name; nearest is \"epochs\"");
    check_refused(false, "{\"optimizer\": {\"type\": \"adamww\"}}",
                  "config.json: at train.optimizer.type: unknown value \"adamww\"; nearest is \"adamw\"");
    check_refused(
        false, "{\"optimizer\": {\"type\": \"adam\", \"nesterov\": true}}",
        "config.json: at train.optimizer.nesterov: unknown name; known are 8 names: type, lr, beta1, beta2, epsilon, weight_decay, "
        "decay_all, groups");
    check_refused(false, "{\"optimizer\": {\"type\": \"sgd\", \"momentum\": 0, \"nesterov\": true}}",
                  "config.json: at train.optimizer.nesterov: needs a momentum above 0");
    check_refused(false, "{\"optimizer\": {\"type\": \"sgd\", \"lr\": 0}}",
                  "config.json: at train.optimizer.lr: expected a number in (0,inf), got 0");
    check_refused(false, "{\"optimizer\": \"sgd\"}", "config.json: at train.optimizer: expected an object, got a string");
    check_refused(
        false, "{\"optimizer\": {\"groups\": {}}}",
        "config.json: at train.optimizer.groups: expected a list of objects like { \"parameters\": \"head.*\", \"lr_scale\": 10 }, "
        "got an object");
    check_refused(
        false, "{\"optimizer\": {\"groups\": [{\"lr_scale\": 2}]}}",
        "config.json: at train.optimizer.groups[0]: \"parameters\" is missing; expected a string: pattern of names: head.*, *.bias");
    check_refused(
        false, "{\"schedule\": {\"type\": \"cosine\", \"warmup\": \"2 epochs\"}}",
        "config.json: at train.schedule.warmup: expected a number of updates, or a duration such as \"100st\", \"2ep\" or \"0.7dur\" in "
        "[0,inf), got \"2 epochs\"");
    check_refused(false, "{\"micro_batch\": 65}", "config.json: at train.micro_batch: 65 is more than the batch of 64 rows");
    check_refused(false, "{\"loss\": \"squared\"}", "config.json: at train.loss: a classification needs \"cross-entropy\"");
    check_refused(true, "{\"loss\": \"cross-entropy\"}", "config.json: at train.loss: a regression needs \"squared\" or \"absolute\"");
    check_refused(true, "{\"class_weights\": \"balanced\"}", "config.json: at train.class_weights: a regression has no classes to weigh");
    check_refused(false, "{\"class_weights\": \"equal\"}",
                  "config.json: at train.class_weights: expected \"balanced\" or a list of numbers, got \"equal\"");
    check_refused(false, "{\"checkpoint_every\": \"2ep\"}",
                  "config.json: at train.checkpoint_every: expected seconds (60) or a number of updates (\"20st\"), got \"2ep\"");
}

/* Lists read before the failure are freed: the sanitizer build sees it. */
static void every_allocation_may_fail(void **state)
{
    (void)state;
    const char *text =
        "{\"train\": {\"optimizer\": {\"type\": \"sgd\", \"groups\": [{\"parameters\": \"*\"}]}, \"schedule\": {\"type\": \"step\"}}}";
    json_free(document);
    assert_int_equal(json_parse(text, strlen(text), "config.json", &document), KNACK_OK);
    struct train_settings settings;
    knack_status status = KNACK_E_MEMORY;
    for (int64_t nth = 1; status < 0; nth++) {
        memory_fail_at(nth);
        status = train_settings_read(json_member(document->root, "train"), false, &settings);
        memory_fail_at(0);
        assert_true(status == KNACK_OK || status == KNACK_E_MEMORY);
    }
    train_settings_free(&settings);
}

static void the_schema_has_every_type(void **state)
{
    (void)state;
    struct json_writer *writer = json_writer_new(false);
    train_schema(writer, NULL);
    size_t size;
    const char *text = json_text(writer, &size);
    assert_non_null(text);
    struct json_document *schema;
    assert_int_equal(json_parse(text, size, "schema", &schema), KNACK_OK);
    const struct json *narrowed = json_member(json_member(schema->root, "allOf")->first, "properties");
    assert_int_equal(json_member(json_member(narrowed, "optimizer"), "oneOf")->count, 3);
    assert_int_equal(json_member(json_member(narrowed, "schedule"), "oneOf")->count, 5);
    json_free(schema);
    json_writer_free(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_and_empty_give_defaults),
        cmocka_unit_test(each_optimizer_has_its_defaults),
        cmocka_unit_test(groups),
        cmocka_unit_test(warm_up_is_a_share_or_a_duration),
        cmocka_unit_test(step_has_milestones),
        cmocka_unit_test(class_weights_and_checkpoints),
        cmocka_unit_test(refusals),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(the_schema_has_every_type),
    };
    return cmocka_run_group_tests(tests, NULL, close_document);
}
