/* The order of plugins: rules by name, the outermost, those that replace a stage, the config's order; and cycles. */
#include "builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int write_plugins(void **state)
{
    if (make_folder(state) < 0) return -1;
    setenv("KNACK_PLUGIN_PATH", folder, 1);
    write_plugin("a", (struct change[]){{0}});
    write_plugin("b", (struct change[]){{0}});
    write_plugin("c", (struct change[]){{0}});
    write_plugin("before-a", (struct change[]){{"before", "[\"a\", \"unheard-of\"]"}, {0}});
    write_plugin("after-b", (struct change[]){{"after", "[\"b\"]"}, {0}});
    write_plugin("outer", (struct change[]){{"before", "[\"*\"]"}, {0}});
    write_plugin("outer-2", (struct change[]){{"before", "[\"*\"]"}, {0}});
    write_plugin("before-outer", (struct change[]){{"before", "[\"outer\"]"}, {0}});
    write_plugin("head", (struct change[]){{"replaces", "[\"head\"]"}, {0}});
    write_plugin("loss", (struct change[]){{"replaces", "[\"loss\"]"}, {0}});
    write_plugin("inside-head", (struct change[]){{"after", "[\"head\"]"}, {0}});
    write_plugin("x", (struct change[]){{"before", "[\"y\"]"}, {0}});
    write_plugin("y", (struct change[]){{"before", "[\"z\"]"}, {0}});
    write_plugin("z", (struct change[]){{"before", "[\"x\"]"}, {"identity", "{\"alpha\": 0}"}, {0}});
    write_plugin("later-y", (struct change[]){{"after", "[\"y\"]"}, {0}});
    write_plugin("p", (struct change[]){{"before", "[\"q\"]"}, {0}});
    write_plugin("q", (struct change[]){{"before", "[\"p\"]"}, {0}});
    return 0;
}

static void expect_order(const char *plugins, const char *expected)
{
    struct instances *instances;
    if (resolve_text(plugins, &instances) < 0) fail_msg("%s", knack_error());
    char got[256] = "";
    for (int64_t i = 0; i < instances->count; i++) {
        if (i > 0) strcat(got, " ");
        strcat(got, instances->list[i]->name);
    }
    assert_string_equal(got, expected);
    plugins_free(instances);
}

static void keeps_the_configs_order(void **state)
{
    (void)state;
    expect_order("[\"a\", \"b\", \"c\"]", "a b c");
    expect_order("[\"c\", \"b\", \"a\"]", "c b a");
    expect_order("[\"before-a\", \"a\"]", "before-a a");
}

static void obeys_before_and_after(void **state)
{
    (void)state;
    expect_order("[\"a\", \"before-a\"]", "before-a a");
    expect_order("[\"a\", \"b\", \"before-a\", \"c\"]", "b before-a a c");
    expect_order("[\"after-b\", \"a\", \"b\"]", "a b after-b");
    expect_order("[\"after-b\", \"a\"]", "after-b a");
    expect_order("[\"a\", {\"name\": \"a\", \"as\": \"a-2\"}, \"before-a\"]", "before-a a a-2");
}

static void puts_the_outermost_first(void **state)
{
    (void)state;
    expect_order("[\"a\", \"b\", \"outer\"]", "outer a b");
    expect_order("[\"a\", \"outer-2\", \"outer\"]", "outer-2 outer a");
    expect_order("[\"a\", \"outer\", \"before-outer\"]", "before-outer outer a");
}

static void puts_replacers_last(void **state)
{
    (void)state;
    expect_order("[\"head\", \"a\", \"b\"]", "a b head");
    expect_order("[\"head\", \"a\", \"loss\", \"outer\"]", "outer a head loss");
    expect_order("[\"inside-head\", \"head\", \"a\"]", "a head inside-head");
}

static void puts_those_at_identity_behind(void **state)
{
    (void)state;
    expect_order("[{\"name\": \"z\", \"alpha\": 0}, \"y\", \"x\"]", "x y z"); /* a cycle, were all installed */
}

static void names_a_cycle(void **state)
{
    (void)state;
    struct instances *instances;
    expect_error(resolve_text("[\"a\", \"later-y\", \"x\", \"y\", \"z\"]", &instances), KNACK_E_CONFIG,
                 "config.json: at plugins: no order obeys all of these: y before z (says y.json), z before x (says z.json), "
                 "x before y (says x.json); leave one out");
    assert_null(instances);
    expect_error(resolve_text("[\"p\", \"q\"]", &instances), KNACK_E_CONFIG,
                 "config.json: at plugins: no order obeys all of these: p before q (says p.json), q before p (says q.json); leave one out");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(keeps_the_configs_order, free_configs),
        cmocka_unit_test_teardown(obeys_before_and_after, free_configs),
        cmocka_unit_test_teardown(puts_the_outermost_first, free_configs),
        cmocka_unit_test_teardown(puts_replacers_last, free_configs),
        cmocka_unit_test_teardown(puts_those_at_identity_behind, free_configs),
        cmocka_unit_test_teardown(names_a_cycle, free_configs),
    };
    return cmocka_run_group_tests(tests, write_plugins, remove_folder);
}
