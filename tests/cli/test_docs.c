/* docs/config.md names every key that a config may have, as `knack schema` knows them; docs/composition.md shows which tricks go together,
 * as `knack plugins --matrix` does. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static char *page;

/* Every name under "properties", however deep; but those of tricks, which have pages of their own. */
static void check_names(const struct json *node, int *names)
{
    for (const struct json *child = node->first; child; child = child->next) {
        if (child->name && strcmp(child->name, "plugins") == 0) continue;
        if (child->name && strcmp(child->name, "properties") == 0)
            for (const struct json *property = child->first; property; property = property->next, ++*names) {
                char code[128], text[128];
                snprintf(code, sizeof code, "`%s`", property->name);
                snprintf(text, sizeof text, "\"%s\"", property->name);
                if (!strstr(page, code) && !strstr(page, text)) fail_msg("docs/config.md does not tell of %s", property->name);
            }
        check_names(child, names);
    }
}

static void test_every_key_is_documented(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("schema");
    assert_status(&outcome, 0);
    page = read_text(getenv("KNACK_TEST_CONFIG_PAGE"));
    struct json_document *schema;
    assert_int_equal(json_parse(outcome.out, strlen(outcome.out), "schema", &schema), KNACK_OK);
    int names = 0;
    check_names(schema->root, &names);
    assert_true(names > 60);
    json_free(schema);
    free(page);
    outcome_free(&outcome);
}

static void test_the_matrix_is_the_programs(void **state)
{
    (void)state;
    struct outcome outcome = run_knack_with("KNACK_PLUGIN_PATH=", "plugins", "--matrix");
    assert_status(&outcome, 0);
    char *composition = read_text(getenv("KNACK_TEST_COMPOSITION_PAGE"));
    assert_contains(composition, outcome.out);
    free(composition);
    outcome_free(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_key_is_documented), cmocka_unit_test(test_the_matrix_is_the_programs)};
    return cmocka_run_group_tests(tests, workplace_enter, workplace_leave);
}
