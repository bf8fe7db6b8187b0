/* docs/store.md against a store: its queries give the answers that stand there, and its tables are the file's tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "compare/store/ledger.h"
#include "compare/store/parts.h"
#include "filled.h"

static char folder[32], *page;
static struct store *store;

static int set_up(void **state)
{
    (void)state;
    size_t size = 0;
    filled_folder(folder);
    if (filled_store(folder, &store) < 0 || file_read(getenv("KNACK_TEST_STORE_PAGE"), KNACK_E_IO, &page, &size) < 0) {
        fprintf(stderr, "%s\n", knack_error());
        return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    memory_free(page);
    filled_remove(folder);
    return 0;
}

/* Rows as "sqlite3 -header" writes them. */
static void run_query(const char *query, char *answer, size_t size)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->sql.file, query, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s\n%s", query, sqlite3_errmsg(store->sql.file));
    size_t used = 0;
    int columns = sqlite3_column_count(statement);
    for (int c = 0; c < columns; c++)
        used += (size_t)snprintf(answer + used, size - used, "%s%s", sqlite3_column_name(statement, c), c + 1 < columns ? "|" : "\n");
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (int c = 0; c < columns; c++) {
            const unsigned char *text = sqlite3_column_text(statement, c);
            used += (size_t)snprintf(answer + used, size - used, "%s%s", text ? (const char *)text : "", c + 1 < columns ? "|" : "\n");
            assert_true(used < size);
        }
    if (sqlite3_finalize(statement) != SQLITE_OK) fail_msg("%s\n%s", query, sqlite3_errmsg(store->sql.file));
}

static void test_queries(void **state)
{
    (void)state;
    static const char begin[] = "\n```sql\n", between[] = "```\n```\n", end[] = "```\n";
    char answer[4096];
    int queries = 0;
    for (char *at = page; (at = strstr(at, begin)); queries++) {
        char *query = at + strlen(begin), *told = strstr(query, between);
        assert_non_null(told);
        *told = '\0';
        told += strlen(between);
        at = strstr(told, end);
        assert_non_null(at);
        *at++ = '\0';
        run_query(query, answer, sizeof answer);
        if (strcmp(answer, told) != 0) fail_msg("%s\ngives\n%s\nand the page says\n%s", query, answer, told);
        assert_true(strchr(told, '\n')[1] != '\0'); /* a query that finds nothing shows nothing */
    }
    assert_true(queries >= 11);
}

/* Names in backquotes in the first cells of the table under a heading: "identity,name,created". */
static void page_columns(const char *heading, char *names, size_t size)
{
    const char *line = strstr(page, heading);
    if (!line) fail_msg("the page has no %s", heading);
    names[0] = '\0';
    line = strchr(strchr(line, '\n') + 1, '\n') + 1;
    for (; line[0] == '|'; line = strchr(line, '\n') + 1)
        for (const char *cell = line, *stop = strchr(line + 1, '|'); (cell = strchr(cell, '`')) && cell < stop;) {
            int length = (int)strcspn(++cell, "`");
            snprintf(names + strlen(names), size - strlen(names), "%s%.*s", *names ? "," : "", length, cell);
            cell += length + 1;
        }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_names(char *names)
{
    char copy[1024], *name[64], *rest = NULL;
    int count = 0;
    snprintf(copy, sizeof copy, "%s", names);
    for (char *part = strtok_r(copy, ",", &rest); part && count < 64; part = strtok_r(NULL, ",", &rest)) name[count++] = part;
    qsort(name, (size_t)count, sizeof *name, compare_names);
    names[0] = '\0';
    for (int i = 0; i < count; i++) strcat(strcat(names, i ? "," : ""), name[i]);
}

static void file_columns(const char *table, char *names, size_t size)
{
    char text[128];
    snprintf(text, sizeof text, "SELECT group_concat(name) FROM pragma_table_info('%s')", table);
    assert_done(sql_ask_text(&store->sql, text, "list columns", names, size));
}

static void test_tables(void **state)
{
    (void)state;
    char told[1024], there[1024], heading[64], tables[256];
    static const char *const table[] = {"experiments", "arms", "identities", "trials", "metrics", "examples", "measurements"};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        snprintf(heading, sizeof heading, "| column of `%s` |", table[i]);
        page_columns(heading, told, sizeof told);
        file_columns(table[i], there, sizeof there);
        sort_names(told);
        sort_names(there);
        assert_string_equal(told, there);
    }
    assert_done(sql_ask_text(&store->sql,
                             "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name)",
                             "list tables", tables, sizeof tables));
    assert_string_equal(tables, "arms,examples,experiments,identities,measurements,metrics,trials");
}

/* A line of the ledger has the members that the page tells of, and no others. */
static void test_ledger(void **state)
{
    (void)state;
    char path[64], told[1024], there[1024] = "";
    struct plan plan = filled_plan();
    struct json_document *document = NULL;
    plan.arm[0].reads = 1;
    plan.arm[0].read[0] = FILLED_SEEDS;
    plan.train_set = 1;
    snprintf(path, sizeof path, "%s/ledger.jsonl", folder);
    setenv("KNACK_LEDGER", path, 1);
    assert_done(ledger_mark_read(&plan, store_identity(store), folder));
    plan.arm[0].reads = 0;
    assert_done(json_read(path, &document));
    const struct json *level[] = {document->root, json_member(document->root, "arms")->first};
    for (int i = 0; i < 2; i++, there[0] = '\0') {
        for (const struct json *member = level[i]->first; member; member = member->next)
            strcat(strcat(there, there[0] ? "," : ""), member->name);
        page_columns(i ? "| member of an arm |" : "| member of a line |", told, sizeof told);
        sort_names(told);
        sort_names(there);
        assert_string_equal(told, there);
    }
    json_free(document);
}

static void test_views(void **state)
{
    (void)state;
    char names[1024], told[1024] = "", views[256];
    page_columns("| view |", views, sizeof views);
    assert_string_equal(views, "results,curves,finals,correctness");
    int64_t count = 0;
    assert_done(sql_ask_integer(&store->sql, "SELECT count(*) FROM sqlite_master WHERE type = 'view'", "count views", &count));
    assert_int_equal(count, 4);
    char *rest = NULL;
    for (char *view = strtok_r(views, ",", &rest); view; view = strtok_r(NULL, ",", &rest)) {
        file_columns(view, names, sizeof names);
        snprintf(told, sizeof told, "| `%s` | ", view);
        char *inner = NULL;
        for (char *name = strtok_r(names, ",", &inner), *first = name; name; name = strtok_r(NULL, ",", &inner))
            snprintf(told + strlen(told), sizeof told - strlen(told), "%s`%s`", name == first ? "" : ", ", name);
        strcat(told, ":");
        if (!strstr(page, told)) fail_msg("the page does not say %s", told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_queries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ledger, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_views, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("docs/store.md", tests, NULL, NULL);
}
