/* Where plugins are looked for, and what is found there. */
#include "builder.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

static void set_path(const char *first, const char *second)
{
    char *path = memory_format("%s/%s::%s/%s:", folder, first, folder, second);
    setenv("KNACK_PLUGIN_PATH", path, 1);
    memory_free(path);
}

static void reads_the_path(void **state)
{
    (void)state;
    struct plugin_search search;
    set_path("one", "none");
    assert_int_equal(plugin_search_open(&search), KNACK_OK);
    assert_int_equal(search.count, 2);
    assert_non_null(strstr(search.folder[0], "/one"));
    assert_non_null(strstr(search.folder[1], "/none"));
    plugin_search_close(&search);
    unsetenv("KNACK_PLUGIN_PATH");
    assert_int_equal(plugin_search_open(&search), KNACK_OK);
    assert_int_equal(search.count, 0);
    plugin_search_close(&search);
}

static void lists_names_once_and_sorted(void **state)
{
    (void)state;
    write_plugin("one/zeta", (struct change[]){{0}}); /* one/zeta/one/zeta.json: not where a plugin is looked for */
    write_text("one/sam/sam.json", "broken");
    write_text("one/ema.json", "{\"manifest\": 1}");
    write_text("one/config.json", "{}"); /* no manifest */
    write_text("one/list.json", "[\"manifest\"]");
    write_text("one/mixup/other.json", "{}");
    write_text("one/common/readme", "");
    write_text("one/.json", "{}");
    write_text("one/a b.json", "{}");
    write_text("one/fold.json/x", "");
    write_text("two/ema/ema.json", "{\"manifest\": 1}");
    write_text("two/awp.json", "{\"manifest\": 1}");
    struct plugin_search search;
    char **names;
    int64_t count;
    set_path("one", "two");
    assert_int_equal(plugin_search_open(&search), KNACK_OK);
    assert_int_equal(plugin_search_names(&search, &names, &count), KNACK_OK);
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "awp");
    assert_string_equal(names[1], "ema");
    assert_string_equal(names[2], "sam");
    memory_free(names);
    plugin_search_close(&search);
}

static void expect_found(const struct plugin_search *search, const char *name, const char *expected)
{
    char *path, *whole = file_join(folder, expected);
    assert_int_equal(plugin_search_find(search, name, NULL, &path), KNACK_OK);
    assert_string_equal(path, whole);
    memory_free(path);
    memory_free(whole);
}

static void finds_in_the_first_folder_that_has_it(void **state)
{
    (void)state;
    struct plugin_search search;
    char *path;
    set_path("one", "two");
    assert_int_equal(plugin_search_open(&search), KNACK_OK);
    expect_found(&search, "ema", "one/ema.json");
    expect_found(&search, "sam", "one/sam/sam.json");
    expect_found(&search, "awp", "two/awp.json");
    expect_error(plugin_search_find(&search, "emma", NULL, &path), KNACK_E_PLUGIN,
                 "no plugin \"emma\"; nearest is \"ema\" (searched: FOLDER/one, FOLDER/two)");
    assert_null(path);
    expect_error(plugin_search_find(&search, "unheard-of", NULL, &path), KNACK_E_PLUGIN,
                 "no plugin \"unheard-of\" (searched: FOLDER/one, FOLDER/two)");
    plugin_search_close(&search);
    expect_error(plugin_search_find(&search, "ema", NULL, &path), KNACK_E_PLUGIN,
                 "no plugin \"ema\" (searched: no folder; KNACK_PLUGIN_PATH may name some)");
}

static void expect_beside(const char *library, const char *expected)
{
    char *path = file_join(folder, library), *whole = expected ? file_join(folder, expected) : NULL, *found;
    assert_int_equal(plugin_search_beside(path, &found), KNACK_OK);
    if (whole) {
        assert_non_null(found);
        assert_string_equal(found, whole);
    } else {
        assert_null(found);
    }
    memory_free(path);
    memory_free(whole);
    memory_free(found);
}

static void finds_the_folder_beside_the_library(void **state)
{
    (void)state;
    write_text("usr/lib/libknack.so.0.1.0", "");
    write_text("usr/lib/knack/plugins/ema.json", "");
    write_text("build/core/libknack.so.0.1.0", "");
    write_text("build/core/knack", "");
    write_text("build/plugins/ema.json", "");
    write_text("opt/lib/libknack.so", "");
    write_text("opt/plugins/others.txt", "");
    char *target = file_join(folder, "usr/lib/libknack.so.0.1.0"), *link = file_join(folder, "libknack.so");
    assert_int_equal(symlink(target, link), 0);
    expect_beside("usr/lib/libknack.so.0.1.0", "usr/lib/knack/plugins");
    expect_beside("libknack.so", "usr/lib/knack/plugins");
    expect_beside("build/core/libknack.so.0.1.0", "build/plugins");
    expect_beside("opt/lib/libknack.so", NULL);
    expect_beside("no/such/libknack.so", NULL);
    memory_free(target);
    memory_free(link);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    set_path("one", "two");
    knack_status status = KNACK_E_MEMORY;
    for (int64_t nth = 1; status == KNACK_E_MEMORY; nth++) {
        struct plugin_search search;
        char *path = NULL;
        memory_fail_at(nth);
        status = plugin_search_open(&search);
        if (status >= 0) status = plugin_search_find(&search, "emma", NULL, &path);
        memory_fail_at(0);
        assert_null(path);
        plugin_search_close(&search);
    }
    assert_int_equal(status, KNACK_E_PLUGIN); /* the name is wrong */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_path),
        cmocka_unit_test(lists_names_once_and_sorted),
        cmocka_unit_test(finds_in_the_first_folder_that_has_it),
        cmocka_unit_test(finds_the_folder_beside_the_library),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
