/* Manifests: one that says everything, and one for each way to be wrong. */
#include "builder.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

static void reads_every_key(void **state)
{
    (void)state;
    struct manifest *manifest;
    assert_int_equal(manifest_of((struct change[]){{"library", "\"lib/mine.so\""},
                                                   {"reference", "\"arXiv:1\""},
                                                   {"identity", "{\"alpha\": 0}"},
                                                   {"example", "{\"alpha\": 2}"},
                                                   {"before", "[\"*\", \"clip\"]"},
                                                   {"after", "\"amp\""},
                                                   {"requires", "[\"ema\"]"},
                                                   {"conflicts", "[\"sam\", {\"name\": \"pgd\", \"why\": \"of it\"}]"},
                                                   {"hooks", "[\"predict\", \"pre_step\"]"},
                                                   {"replaces", "[\"head\", \"predict\"]"},
                                                   {"one_of", "\"mix\""},
                                                   {"targets", "\"ids\""},
                                                   {"scope", "\"batch\""},
                                                   {"tasks", "[\"classification\"]"},
                                                   {"accepts", "[\"missing\"]"},
                                                   {"passes", "{\"gradient\": 1, \"forward\": 0.5}"},
                                                   {"reads", "[\"gradients\", \"inputs\"]"},
                                                   {"writes", "[\"lr\", \"plan\"]"},
                                                   {0}},
                                 &manifest),
                     KNACK_OK);
    assert_string_equal(manifest->path, "mine.json");
    assert_string_equal(manifest->library, "./lib/mine.so");
    assert_string_equal(manifest->name, "mine");
    assert_string_equal(manifest->version, "1.2.3");
    assert_string_equal(manifest->summary, "A trick");
    assert_string_equal(manifest->reference, "arXiv:1");
    assert_int_equal(manifest->abi, 1);
    assert_int_equal(manifest->before.count, 2);
    assert_string_equal(manifest->after.value[0], "amp");
    assert_string_equal(manifest->requires.value[0], "ema");
    assert_int_equal(manifest->conflicts.count, 2);
    assert_string_equal(manifest->conflicts.value[0], "sam");
    assert_true(!manifest->conflict[0].why && !manifest->conflict[0].when);
    assert_string_equal(manifest->conflicts.value[1], "pgd");
    assert_string_equal(manifest->conflict[1].why, "of it");
    for (int i = 0; i < 32 && manifest->hooks >> i; i++)
        if (manifest->hooks >> i & 1)
            assert_true(!strcmp(manifest_hook_names[i], "predict") || !strcmp(manifest_hook_names[i], "pre_step"));
    assert_int_equal(manifest->replaces, STAGE_HEAD | STAGE_PREDICT);
    assert_string_equal(manifest->one_of, "mix");
    assert_int_equal(manifest->targets, TARGETS_IDS);
    assert_true(manifest->scope_batch && manifest->accepts_missing);
    assert_true(manifest_lists(&manifest->tasks, "classification"));
    assert_true(manifest->gradient_passes == 1 && manifest->forward_passes == 0.5);
    assert_int_equal(manifest->reads, ACCESS_GRADIENTS | ACCESS_INPUTS);
    assert_int_equal(manifest->writes, ACCESS_LR | ACCESS_PLAN);
    assert_non_null(json_member(manifest->identity, "alpha"));
    assert_true(json_member(manifest->example, "alpha")->number == 2);
    manifest_free(manifest);
}

static void leaves_out_what_is_optional(void **state)
{
    (void)state;
    struct manifest *manifest;
    assert_int_equal(manifest_of((struct change[]){{"options", NULL}, {0}}, &manifest), KNACK_OK);
    assert_int_equal(manifest->option_count, 0);
    assert_int_equal(manifest->before.count + manifest->after.count + manifest->requires.count + manifest->conflicts.count, 0);
    assert_int_equal(manifest->replaces | manifest->reads | manifest->writes | manifest->hooks, 0);
    assert_int_equal(manifest->targets, TARGETS_ANY);
    assert_false(manifest->scope_batch || manifest->accepts_missing);
    assert_true(!manifest->one_of && !manifest->identity && !manifest->reference);
    assert_true(manifest->gradient_passes == 0 && manifest->forward_passes == 0 && manifest->tasks.count == 0);
    manifest_free(manifest);
}

static void reads_declared_options(void **state)
{
    (void)state;
    struct manifest *manifest;
    assert_int_equal(
        manifest_of(
            (struct change[]){{"options", "{\"rate\": {\"type\": \"number\", \"above\": 0, \"max\": 1, \"help\": \"a rate\"},"
                                          " \"norm\": {\"type\": \"string\", \"default\": \"row\", \"one_of\": [\"row\", \"tensor\"],"
                                          " \"help\": \"a norm\"},"
                                          " \"layer\": {\"type\": \"string\", \"default\": null, \"help\": \"a layer\"}}"},
                              {0}},
            &manifest),
        KNACK_OK);
    const struct option *option = manifest->option;
    assert_int_equal(manifest->option_count, 3);
    assert_string_equal(option[0].name, "rate");
    assert_string_equal(option[0].help, "a rate");
    assert_true(option[0].type == OPTION_NUMBER && option[0].above == 0 && option[0].max == 1 && isnan(option[0].min) &&
                isnan(option[0].below));
    assert_string_equal(option[0].field.range, "(0,1]");
    assert_null(option[0].fallback);
    assert_string_equal(option[1].field.choices[1], "tensor");
    assert_string_equal(option[1].field.fallback, "\"row\"");
    assert_string_equal(option[2].field.fallback, "");
    manifest_free(manifest);
}

/* One change each, and the message after "mine.json: ". */
static const struct {
    const char *key, *value, *message;
} broken[] = {
    {"manifest", NULL, "is no manifest: \"manifest\": 1, the version of its format, is missing"},
    {"manifest", "2", "at manifest: the manifest is of format 2, this knack reads format 1"},
    {"manifest", "1.5", "at manifest: the manifest is of format 1.5, this knack reads format 1"},
    {"manifest", "\"1\"", "at manifest: expected a whole number in [1,1], got \"1\""},
    {"name", NULL, "\"name\" is missing; expected a string: name of the plugin"},
    {"name", "7", "at name: expected a string, got 7"},
    {"name", "\"../mine\"",
     "at name: \"../mine\" is no name of a plugin: names are of letters, digits, - and _, begin with a letter or digit, and have at most "
     "48 of them"},
    {"version", NULL, "\"version\" is missing; expected a string: version of the plugin"},
    {"abi", NULL, "\"abi\" is missing; expected a whole number: major version of the plugin contract"},
    {"abi", "2", "at abi: the plugin is made for contract 2, this knack has contract 1"},
    {"abi", "1.5", "at abi: expected a whole number, got 1.5"},
    {"library", NULL, "\"library\" is missing; expected a string: the .so, relative to the manifest's folder"},
    {"library", "\"\"", "at library: expected the path of a .so file"},
    {"summary", NULL, "\"summary\" is missing; expected a string: what the trick does, in one line"},
    {"sumary", "\"x\"", "at sumary: unknown name; nearest is \"summary\""},
    {"Name", "\"x\"", "at Name: unknown name; nearest is \"name\""},
    {"reference", "null", "at reference: expected a string, got null"},
    {"before", "[\"mine\"]", "at before: mine names itself; it names other plugins"},
    {"before", "[7]", "at before[0]: expected a string, got 7"},
    {"after", "[\"*\"]",
     "at after: \"*\" is no name of a plugin: names are of letters, digits, - and _, begin with a letter or digit, and have at most 48 of "
     "them"},
    {"requires", "{}", "at requires: expected a list of strings, got an object"},
    {"conflicts", "7", "at conflicts: expected a list of plugins, got a number"},
    {"conflicts", "[7]", "at conflicts[0]: expected the name of a plugin, or an object with \"name\" and \"why\", got a number"},
    {"conflicts", "[{\"why\": \"so\"}]", "at conflicts[0]: \"name\" is missing; expected a string: plugin that it cannot be with"},
    {"conflicts", "[{\"name\": \"a\", \"when\": 1}]", "at conflicts[0].when: expected an object of option values, got a number"},
    {"conflicts", "[{\"name\": \"a\", \"when\": {\"alhpa\": 1}}]",
     "at conflicts[0].when.alhpa: mine has no such option; nearest is \"alpha\""},
    {"hooks", "[\"poststep\"]", "at hooks[0]: unknown value \"poststep\"; nearest is \"post_step\""},
    {"replaces", "[\"haed\"]", "at replaces[0]: unknown value \"haed\"; nearest is \"head\""},
    {"replaces", "[\"layer\"]", "at replaces[0]: expected one of 4 names: head, loss, gradient, predict, got \"layer\""},
    {"targets", "\"id\"", "at targets: unknown value \"id\"; nearest is \"ids\""},
    {"scope", "\"step\"", "at scope: expected one of 2 names: micro-batch, batch, got \"step\""},
    {"tasks", "[\"clasification\"]", "at tasks[0]: unknown value \"clasification\"; nearest is \"classification\""},
    {"accepts", "[\"mising\"]", "at accepts[0]: unknown value \"mising\"; nearest is \"missing\""},
    {"reads", "[\"gradient\"]", "at reads[0]: unknown value \"gradient\"; nearest is \"gradients\""},
    {"writes", "[\"weights\"]", "at writes[0]: expected one of 6 names: gradients, features, inputs, targets, lr, plan, got \"weights\""},
    {"passes", "2", "at passes: expected an object, got a number"},
    {"passes", "{\"gradient\": -1}", "at passes.gradient: expected a number in [0,inf), got -1"},
    {"passes", "{\"backward\": 1}", "at passes.backward: unknown name; known are 2 names: gradient, forward"},
    {"identity", "0", "at identity: expected an object of option values, got a number"},
    {"identity", "{}", "at identity: is empty; name the options that switch the trick off, or leave it out"},
    {"identity", "{\"alhpa\": 0}", "at identity.alhpa: mine has no such option; nearest is \"alpha\""},
    {"identity", "{\"xyz\": 0}", "at identity.xyz: mine has no such option; it has 1 name: alpha"},
    {"identity", "{\"alpha\": -1}", "at identity.alpha: expected a number in [0,inf), got -1"},
    {"example", "[]", "at example: expected an object of option values, got a list"},
    {"example", "{\"alhpa\": 0}", "at example.alhpa: mine has no such option; nearest is \"alpha\""},
    {"example", "{\"alpha\": -1}", "at example.alpha: expected a number in [0,inf), got -1"},
    {"options", "[]", "at options: expected an object of options by name, got a list"},
    {"options", "{\"a\": 1}", "at options.a: expected an object, got a number"},
    {"options", "{\"a\": {\"help\": \"x\"}}",
     "at options.a: \"type\" is missing; expected one of 7 names: number, integer, boolean, string, duration, numbers, strings: what "
     "values it takes"},
    {"options", "{\"a\": {\"type\": \"number\"}}", "at options.a: \"help\" is missing; expected a string: what it does, in a few words"},
    {"options", "{\"a\": {\"type\": \"nubmer\", \"help\": \"x\"}}", "at options.a.type: unknown value \"nubmer\"; nearest is \"number\""},
    {"options", "{\"a\": {\"type\": \"number\", \"help\": \"x\", \"defualt\": 1}}",
     "at options.a.defualt: unknown name; nearest is \"default\""},
    {"options", "{\"a\": {\"type\": \"number\", \"help\": \"x\", \"default\": 2, \"max\": 1}}",
     "at options.a.default: expected a number in (-inf,1], got 2"},
    {"options", "{\"a\": {\"type\": \"integer\", \"help\": \"x\", \"default\": 1.5}}",
     "at options.a.default: expected a whole number, got 1.5"},
    {"options", "{\"a\": {\"type\": \"boolean\", \"help\": \"x\", \"default\": 1}}", "at options.a.default: expected true or false, got 1"},
    {"options", "{\"a\": {\"type\": \"string\", \"help\": \"x\", \"default\": \"c\", \"one_of\": [\"aa\", \"bb\"]}}",
     "at options.a.default: expected one of 2 names: aa, bb, got \"c\""},
    {"options", "{\"a\": {\"type\": \"duration\", \"help\": \"x\", \"default\": \"2 epochs\"}}",
     "at options.a.default: expected a number of updates, or a duration such as \"100st\", \"2ep\" or \"0.7dur\", got \"2 epochs\""},
    {"options", "{\"a\": {\"type\": \"numbers\", \"help\": \"x\", \"default\": [1, -1], \"above\": 0}}",
     "at options.a.default[1]: expected a number in (0,inf), got -1"},
    {"options", "{\"a\": {\"type\": \"numbers\", \"help\": \"x\", \"default\": 0, \"above\": 0}}",
     "at options.a.default: expected a number in (0,inf), got 0"},
    {"options", "{\"a\": {\"type\": \"number\", \"help\": \"x\", \"min\": 0, \"above\": 0}}",
     "at options.a: has both \"min\" and \"above\"; give one"},
    {"options", "{\"a\": {\"type\": \"number\", \"help\": \"x\", \"max\": 0, \"below\": 0}}",
     "at options.a: has both \"max\" and \"below\"; give one"},
    {"options", "{\"a\": {\"type\": \"number\", \"help\": \"x\", \"min\": 2, \"max\": 1}}", "at options.a: no value is within its bounds"},
    {"options", "{\"a\": {\"type\": \"number\", \"help\": \"x\", \"min\": 1, \"below\": 1}}",
     "at options.a: no value is within its bounds"},
    {"options", "{\"a\": {\"type\": \"string\", \"help\": \"x\", \"min\": 1}}",
     "at options.a: bounds are for number, integer and numbers, not for string"},
    {"options", "{\"a\": {\"type\": \"number\", \"help\": \"x\", \"one_of\": [\"b\"]}}",
     "at options.a: \"one_of\" is for string and strings, not for number"},
    {"options", "{\"share\": {\"type\": \"number\", \"help\": \"x\"}}",
     "at options.share: an option cannot be called \"share\", which an entry of a config uses itself"},
    {"options", "{\"a b\": {\"type\": \"number\", \"help\": \"x\"}}",
     "at options.a b: \"a b\" is no name for an option: names are of letters, digits, - and _, begin with a letter or digit, and have at "
     "most 48 "
     "of them"},
};

static void refuses_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct manifest *manifest;
        knack_status status = manifest_of((struct change[]){{broken[i].key, broken[i].value}, {0}}, &manifest);
        char *message = memory_format("mine.json: %s", broken[i].message);
        expect_error(status, KNACK_E_PLUGIN, message);
        assert_null(manifest);
        memory_free(message);
    }
}

static void refuses_contradictions(void **state)
{
    (void)state;
    struct manifest *manifest;
    expect_error(manifest_of((struct change[]){{"before", "[\"a\", \"b\"]"}, {"after", "[\"b\"]"}, {0}}, &manifest), KNACK_E_PLUGIN,
                 "mine.json: at after: \"b\" is in \"before\" too");
    expect_error(manifest_of((struct change[]){{"requires", "[\"a\"]"}, {"conflicts", "[\"a\"]"}, {0}}, &manifest), KNACK_E_PLUGIN,
                 "mine.json: at conflicts: \"a\" is in \"requires\" too");
}

static void refuses_files_that_are_no_manifests(void **state)
{
    (void)state;
    struct manifest *manifest;
    char *path = file_join(folder, "m.json");
    write_text("m.json", "[1]");
    expect_error(manifest_read(path, &manifest), KNACK_E_PLUGIN, "FOLDER/m.json: expected an object, a manifest, got a list");
    write_text("m.json", "{\"manifest\": 1, \"name\": \"a\", \"name\": \"b\"}");
    expect_error(manifest_read(path, &manifest), KNACK_E_PLUGIN, "FOLDER/m.json:1:30: at name: this name stands twice in its object");
    write_text("m.json", "");
    assert_int_equal(manifest_read(path, &manifest), KNACK_E_PLUGIN);
    assert_null(manifest);
    assert_int_equal(manifest_read("/no/such.json", &manifest), KNACK_E_PLUGIN);
    assert_non_null(strstr(knack_error(), "/no/such.json"));
    assert_null(manifest);
    memory_free(path);
}

static void finds_the_library_from_the_manifests_folder(void **state)
{
    (void)state;
    struct manifest *manifest;
    write_plugin("mine", (struct change[]){{0}});
    char *path = file_join(folder, "mine/mine.json"), *library = file_join(folder, "mine/mine.so");
    assert_int_equal(manifest_read(path, &manifest), KNACK_OK);
    assert_string_equal(manifest->library, library);
    manifest_free(manifest);
    memory_free(path);
    memory_free(library);
    assert_int_equal(manifest_of((struct change[]){{"library", "\"/opt/mine.so\""}, {0}}, &manifest), KNACK_OK);
    assert_string_equal(manifest->library, "/opt/mine.so");
    manifest_free(manifest);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    struct manifest *manifest;
    write_plugin("mine", (struct change[]){{"before", "[\"a\", \"b\"]"},
                                           {"identity", "{\"alpha\": 0}"},
                                           {"passes", "{}"},
                                           {"conflicts", "[\"c\", {\"name\": \"d\", \"why\": \"so\", \"when\": {\"alpha\": 1}}]"},
                                           {"hooks", "[\"loss\"]"},
                                           {0}});
    char *path = file_join(folder, "mine/mine.json");
    knack_status status = KNACK_E_MEMORY;
    for (int64_t nth = 1; status == KNACK_E_MEMORY; nth++) {
        memory_fail_at(nth);
        status = manifest_read(path, &manifest);
        memory_fail_at(0);
        if (status < 0) {
            assert_int_equal(status, KNACK_E_MEMORY);
            assert_null(manifest);
        }
    }
    assert_int_equal(status, KNACK_OK);
    manifest_free(manifest);
    memory_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_key),
        cmocka_unit_test(leaves_out_what_is_optional),
        cmocka_unit_test(reads_declared_options),
        cmocka_unit_test(refuses_what_is_wrong),
        cmocka_unit_test(refuses_contradictions),
        cmocka_unit_test(refuses_files_that_are_no_manifests),
        cmocka_unit_test(finds_the_library_from_the_manifests_folder),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
