/* `knack plugins`: the list, one trick, and checking one of one's own. */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"

static void test_list(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("plugins");
    assert_status(&outcome, 0);
    static const char *const part[] = {"trick", "hooks and stages",      "extra passes", "arcface", "ema",
                                       "fgm",   "post_step, eval_begin", "1 gradient",   "mixup"};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) assert_contains(outcome.out, part[i]);
    outcome_free(&outcome);
    outcome = run_knack("plugins", "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "\"name\": \"mixup\"");
    assert_contains(outcome.out, "\"hooks\"");
    assert_lacks(outcome.out, "\"hooks\": []"); /* each of ours says which it has, and is refused if that is not so */
    outcome_free(&outcome);
}

/* Which go together, for people and for programs; a plugin of one's own is among them. */
static void test_matrix(void **state)
{
    (void)state;
    write_text("loner.json", "{\"manifest\": 1, \"name\": \"loner\", \"version\": \"1\", \"abi\": 1, \"library\": \"loner.so\", "
                             "\"summary\": \"none\", \"conflicts\": {\"name\": \"ema\", \"why\": \"it is alone\"}}");
    struct outcome outcome = run_knack_with("KNACK_PLUGIN_PATH=.", "plugins", "--matrix");
    assert_status(&outcome, 0);
    assert_contains(outcome.err, "loner.json: at conflicts: expected a list of plugins, got an object");
    outcome_free(&outcome);
    write_text("loner.json", "{\"manifest\": 1, \"name\": \"loner\", \"version\": \"1\", \"abi\": 1, \"library\": \"loner.so\", "
                             "\"summary\": \"none\", \"conflicts\": [{\"name\": \"ema\", \"why\": \"it is alone\"}]}");
    outcome = run_knack_with("KNACK_PLUGIN_PATH=.", "plugins", "--matrix");
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "1  one of them acts in each batch");
    assert_contains(outcome.out,
                    "config.json: at plugins[1]: loner conflicts with ema at plugins[0]: it is alone (says loner.json); leave one out\n");
    outcome_free(&outcome);
    outcome = run_knack_with("KNACK_PLUGIN_PATH=.", "plugins", "--matrix", "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "\"together\": \"one acts in each batch\"");
    assert_contains(outcome.out, "\"together\": \"refused\"");
    assert_contains(outcome.out, "it is alone");
    outcome_free(&outcome);
    assert_int_equal(remove("loner.json"), 0);
    outcome = run_knack("plugins", "ema", "--matrix");
    assert_status(&outcome, 2);
    assert_contains(outcome.err, "takes one of TRICK, --check PATH and --matrix");
    outcome_free(&outcome);
}

static void test_one(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("plugins", "mixup");
    assert_status(&outcome, 0);
    static const char *const part[] = {
        "mixup ", "arXiv:1710.09412", "option", "default", "alpha", "no extra passes", "\"plugins\": [ { \"name\": \"mixup\""};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) assert_contains(outcome.out, part[i]);
    assert_contains(outcome.out, "mix: of those in the config one acts in each batch, drawn by \"share\" of their entries");
    outcome_free(&outcome);
    outcome = run_knack("plugins", "sam");
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "not with    freelb: both");
    assert_contains(outcome.out, "            another sam: both");
    outcome_free(&outcome);
    outcome = run_knack("plugins", "mixup", "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    outcome_free(&outcome);
    outcome = run_knack("plugins", "mxiup");
    assert_status(&outcome, 4);
    assert_contains(outcome.err, "nearest is \"mixup\"");
    outcome_free(&outcome);
}

/* Manifests are looked for in KNACK_PLUGIN_PATH too; one that is broken is a warning, and the others are shown. */
static void test_broken_manifest_in_the_list(void **state)
{
    (void)state;
    write_text("broken.json", "{\"manifest\": 1, \"name\": \"broken\",}");
    struct outcome outcome = run_knack_with("KNACK_PLUGIN_PATH=.", "plugins");
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "mixup");
    assert_contains(outcome.err, "warning: ");
    assert_contains(outcome.err, "broken.json");
    outcome_free(&outcome);
}

/* Configs and other JSON in such a folder are no plugins, and not spoken of. */
static void test_other_files_in_the_list(void **state)
{
    (void)state;
    remove("broken.json");
    write_text("config.json", "{\"seed\": 2}");
    write_text("list.json", "[1, 2]");
    struct outcome outcome = run_knack_with("KNACK_PLUGIN_PATH=.", "plugins");
    assert_status(&outcome, 0);
    assert_string_equal(outcome.err, "");
    assert_lacks(outcome.out, "config");
    outcome_free(&outcome);
    outcome = run_knack_with("KNACK_PLUGIN_PATH=.", "schema");
    assert_status(&outcome, 0);
    outcome_free(&outcome);
}

/* What the page of each plugin prints to copy is a config that opens. */
static void test_configs_to_copy(void **state)
{
    (void)state;
    struct outcome all = run_knack("plugins", "--json");
    struct json_document *list;
    assert_status(&all, 0);
    assert_int_equal(json_parse(all.out, strlen(all.out), "plugins", &list), KNACK_OK);
    for (const struct json *plugin = list->root->first; plugin; plugin = plugin->next) {
        struct outcome page = run_knack("plugins", json_member(plugin, "name")->string);
        assert_status(&page, 0);
        const char *copied = strstr(page.out, "To copy into a config:\n");
        assert_non_null(copied);
        char config[2048];
        snprintf(config, sizeof config, "{\"data\": {\"validation\": 0.1}, %s}", strchr(copied, '\n'));
        write_text("copied.json", config);
        struct outcome outcome = run_knack("run", "copied.json", "--dry-run");
        assert_status(&outcome, 0);
        outcome_free(&outcome);
        outcome_free(&page);
    }
    assert_true(list->root->count >= 20);
    json_free(list);
    outcome_free(&all);
}

static void test_check(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("plugins", "--check", "absent.json");
    assert_status(&outcome, 4);
    assert_contains(outcome.err, "absent.json: cannot be opened: No such file or directory");
    outcome_free(&outcome);
    write_text(
        "hollow.json",
        "{\"manifest\": 1, \"name\": \"hollow\", \"version\": \"1\", \"abi\": 1, \"library\": \"hollow.so\", \"summary\": \"none\"}");
    outcome = run_knack("plugins", "--check", "hollow.json");
    assert_status(&outcome, 4);
    assert_contains(outcome.err, "hollow.so");
    outcome_free(&outcome);
    outcome = run_knack("plugins", "--check", getenv("KNACK_TEST_MANIFEST"));
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "ema 1");
    assert_contains(outcome.out, ": its manifest is right, its library loads, and they agree\n");
    assert_contains(outcome.out, "not checked whether the code reads these options, and touches only what it declares: a run does that\n");
    assert_contains(outcome.out, "post_step");
    outcome_free(&outcome);
    outcome = run_knack("plugins", "--check", getenv("KNACK_TEST_MANIFEST"), "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "\"hooks\"");
    outcome_free(&outcome);
}

static void copy_plugin(const char *name, const char *suffix)
{
    char from[512], to[128];
    const char *manifest = getenv("KNACK_TEST_MANIFEST");
    size_t size;
    snprintf(from, sizeof from, "%.*s/%s%s", (int)(strrchr(manifest, '/') - manifest), manifest, name, suffix);
    snprintf(to, sizeof to, "mine/%s%s", name, suffix);
    char *bytes = read_bytes(from, &size);
    FILE *out = fopen(to, "wb");
    assert_true(out && fwrite(bytes, 1, size, out) == size && fclose(out) == 0);
    free(bytes);
}

static void expect_missing(const char *command, const char *input, const char *message)
{
    struct outcome outcome = run_knack(command, "model", input);
    assert_status(&outcome, 4);
    assert_contains(outcome.err, "model: what was trained with tricks needs them again (KNACK_PLUGIN_PATH may name their folders): ");
    assert_contains(outcome.err, message);
    outcome_free(&outcome);
}

/* A head is a part of the model: what is trained with one says so when it is gone, the library alone or all of it. */
static void test_model_without_its_plugin(void **state)
{
    (void)state;
    static const char *const head[] = {"arcface", "cosface", "sphereface"};
    write_text("rows.csv", "x,y,class\n0,1,a\n1,0,b\n1,2,a\n2,1,b\n");
    write_text("inputs.csv", "x,y\n0,2\n");
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) {
        char config[256], path[64], gone[128];
        assert_int_equal(mkdir("mine", 0777), 0);
        copy_plugin(head[i], ".json");
        copy_plugin(head[i], ".so");
        snprintf(config, sizeof config,
                 "{\"data\": {\"csv\": \"rows.csv\", \"target\": \"class\"}, \"train\": {\"epochs\": 1}, "
                 "\"plugins\": [{\"manifest\": \"./mine/%s.json\"}]}",
                 head[i]);
        write_text("head.json", config);
        struct outcome outcome = run_knack("run", "head.json", "--out", "model");
        assert_status(&outcome, 0);
        outcome_free(&outcome);
        outcome = run_knack("predict", "model", "inputs.csv");
        assert_status(&outcome, 0);
        outcome_free(&outcome);
        snprintf(path, sizeof path, "mine/%s.so", head[i]);
        assert_int_equal(remove(path), 0);
        snprintf(gone, sizeof gone, "%s.so: there is no such file; build the plugin, or correct the path", head[i]);
        expect_missing("predict", "inputs.csv", gone);
        expect_missing("eval", NULL, gone);
        remove_tree("mine");
        snprintf(gone, sizeof gone, "at plugins[0].manifest: there is no file ");
        expect_missing("predict", "inputs.csv", gone);
        remove_tree("model");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_broken_manifest_in_the_list),
        cmocka_unit_test(test_other_files_in_the_list),
        cmocka_unit_test(test_configs_to_copy),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_model_without_its_plugin),
    };
    return cmocka_run_group_tests(tests, workplace_enter, workplace_leave);
}
