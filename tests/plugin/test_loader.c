/* Loading: a plugin as it should be, older and newer ones, and one with each fault. */
#include "builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

/* The plugin of that name from faulty.c, by a manifest that says version 1.2.3 of "faulty" and these hooks. */
static knack_status load_with_hooks(const char *name, const char *hooks, const knack_plugin **plugin)
{
    char *library = memory_format("\"" FAULTY_FOLDER "/%s.so\"", name);
    struct manifest *manifest;
    assert_non_null(library);
    assert_int_equal(manifest_of((struct change[]){{"name", "\"faulty\""}, {"library", library}, {"hooks", hooks}, {0}}, &manifest),
                     KNACK_OK);
    *plugin = NULL;
    knack_status status = plugin_load(manifest, plugin);
    manifest_free(manifest);
    memory_free(library);
    return status;
}

static knack_status load(const char *name, const knack_plugin **plugin)
{
    return load_with_hooks(name, NULL, plugin);
}

static void loads_a_plugin(void **state)
{
    (void)state;
    const knack_plugin *plugin, *again;
    assert_int_equal(load("good", &plugin), KNACK_OK);
    assert_string_equal(plugin->name, "faulty");
    assert_string_equal(plugin->version, "1.2.3");
    assert_non_null(plugin->pre_step);
    assert_non_null(plugin->predict);
    assert_null(plugin->open);
    status_clear();
    assert_int_equal(plugin->pre_step(NULL, NULL), KNACK_OK); /* what it calls is this very program's */
    status_set(KNACK_E_DATA, "seen");
    assert_int_equal(plugin->pre_step(NULL, NULL), KNACK_E_PLUGIN);
    assert_int_equal(load("good", &again), KNACK_OK);
    assert_ptr_equal(plugin, again);
}

static void fills_up_an_older_plugin(void **state)
{
    (void)state;
    const knack_plugin *plugin, *again;
    assert_int_equal(load("older", &plugin), KNACK_OK);
    assert_non_null(plugin->pre_step);
    assert_null(plugin->predict); /* beyond the size that it gives, whatever is there */
    assert_int_equal(load("older", &again), KNACK_OK);
    assert_ptr_equal(plugin, again);
}

static void takes_a_newer_plugin(void **state)
{
    (void)state;
    const knack_plugin *plugin;
    assert_int_equal(load("newer", &plugin), KNACK_OK);
    assert_true(plugin->size > sizeof *plugin);
    assert_non_null(plugin->predict);
}

static void expect_refusal(const char *name, const char *message)
{
    const knack_plugin *plugin;
    knack_status status = load(name, &plugin);
    expect_error(status, KNACK_E_PLUGIN, message);
    assert_null(plugin);
}

#define LIBRARY(name) "mine.json: at library: " FAULTY_FOLDER "/" name ".so: "
#ifdef KNACK_REAL_DOUBLE
#define OWN_BUILD   " of the double build"
#define OTHER_BUILD ""
#else
#define OWN_BUILD   ""
#define OTHER_BUILD " of the double build"
#endif

static void refuses_each_fault(void **state)
{
    (void)state;
    expect_refusal("absent", LIBRARY("absent") "there is no such file; build the plugin, or correct the path");
    expect_refusal("no_entry", LIBRARY("no_entry") "exports no knack_plugin_entry(), so it is no plugin");
    expect_refusal("refusing", LIBRARY("refusing") "refuses this knack, which has contract 1" OWN_BUILD "; rebuild it for that");
    expect_refusal("next_abi",
                   LIBRARY("next_abi") "is built for contract 2" OWN_BUILD ", this knack has contract 1" OWN_BUILD "; rebuild it for that");
    expect_refusal("other_build", LIBRARY("other_build") "is built for contract 1" OTHER_BUILD ", this knack has contract 1" OWN_BUILD
                                                         "; rebuild it for that");
    expect_refusal("no_size",
                   LIBRARY("no_size") "its knack_plugin has a size of 16 bytes, at least 40 are needed; set it to sizeof(knack_plugin)");
    expect_refusal("no_name", "mine.json: at name: is \"faulty\", but " FAULTY_FOLDER "/no_name.so says nothing; make them equal");
    expect_refusal("other_name", "mine.json: at name: is \"faulty\", but " FAULTY_FOLDER "/other_name.so says \"fault\"; make them equal");
    expect_refusal("other_version",
                   "mine.json: at version: is \"1.2.3\", but " FAULTY_FOLDER "/other_version.so says \"1.2.4\"; make them equal");
    expect_refusal("missing_symbol",
                   "mine.json: at library: cannot be loaded: " FAULTY_FOLDER "/missing_symbol.so: undefined symbol: knack_that_never_was");
}

/* What a manifest says of hooks is so, or it says nothing. */
static void compares_hooks(void **state)
{
    (void)state;
    const knack_plugin *plugin;
    assert_int_equal(load_with_hooks("good", "[\"predict\", \"pre_step\"]", &plugin), KNACK_OK);
    assert_int_equal(load_with_hooks("older", "\"pre_step\"", &plugin), KNACK_OK); /* its predict is beyond its size */
    assert_int_equal(load_with_hooks("good", "[]", &plugin), KNACK_OK);
    expect_error(load_with_hooks("good", "[\"pre_step\", \"loss\"]", &plugin), KNACK_E_PLUGIN,
                 "mine.json: at hooks: has pre_step, loss, but " FAULTY_FOLDER "/good.so has pre_step, predict; make them equal");
}

static void refuses_a_library_that_is_none(void **state)
{
    (void)state;
    struct manifest *manifest;
    const knack_plugin *plugin = NULL;
    write_text("mine/mine.so", "not an ELF file, and long enough to have a header of one if it were, which it is not by far\n");
    write_plugin("mine", (struct change[]){{0}});
    char *path = file_join(folder, "mine/mine.json");
    assert_int_equal(manifest_read(path, &manifest), KNACK_OK);
    assert_int_equal(plugin_load(manifest, &plugin), KNACK_E_PLUGIN);
    assert_null(plugin);
    assert_non_null(strstr(knack_error(), "mine/mine.json: at library: cannot be loaded: "));
    assert_non_null(strstr(knack_error(), "mine/mine.so: invalid ELF header"));
    manifest_free(manifest);
    memory_free(path);
}

/* Of a config's instances, those at identity stay without code; two of one plugin share theirs. */
static void loads_what_is_installed(void **state)
{
    (void)state;
    setenv("KNACK_PLUGIN_PATH", folder, 1);
    write_plugin("faulty", (struct change[]){{"library", "\"" FAULTY_FOLDER "/good.so\""}, {"identity", "{\"alpha\": 0}"}, {0}});
    struct instances *instances;
    assert_int_equal(resolve_text("[{\"name\": \"faulty\", \"alpha\": 0}, {\"name\": \"faulty\", \"as\": \"one\"},"
                                  " {\"name\": \"faulty\", \"as\": \"two\"}]",
                                  &instances),
                     KNACK_OK);
    assert_int_equal(plugins_load(instances), KNACK_OK);
    assert_non_null(instances->list[0]->plugin);
    assert_ptr_equal(instances->list[0]->plugin, instances->list[1]->plugin);
    assert_null(instances->list[2]->plugin);
    plugins_free(instances);
    write_plugin("faulty", (struct change[]){{"library", "\"" FAULTY_FOLDER "/refusing.so\""}, {0}});
    assert_int_equal(resolve_text("[\"faulty\"]", &instances), KNACK_OK);
    assert_int_equal(plugins_load(instances), KNACK_E_PLUGIN);
    plugins_free(instances);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    struct manifest *manifest;
    const knack_plugin *plugin = NULL;
    assert_int_equal(
        manifest_of((struct change[]){{"name", "\"faulty\""}, {"library", "\"" FAULTY_FOLDER "/older_still.so\""}, {0}}, &manifest),
        KNACK_OK);
    memory_fail_at(1);
    assert_int_equal(plugin_load(manifest, &plugin), KNACK_E_MEMORY);
    memory_fail_at(0);
    assert_null(plugin);
    assert_int_equal(plugin_load(manifest, &plugin), KNACK_OK);
    assert_non_null(plugin);
    manifest_free(manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_a_plugin),
        cmocka_unit_test(fills_up_an_older_plugin),
        cmocka_unit_test(takes_a_newer_plugin),
        cmocka_unit_test(refuses_each_fault),
        cmocka_unit_test(compares_hooks),
        cmocka_unit_test(refuses_a_library_that_is_none),
        cmocka_unit_test_teardown(loads_what_is_installed, free_configs),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
