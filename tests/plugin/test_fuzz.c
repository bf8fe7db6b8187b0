/* Manifests and configs with random damage: each is read or refused with a message, and nothing else happens. */
#include "builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum { MANIFESTS = 20000, CONFIGS = 4000, LONGEST = 4096 };

/* What is put in for a string of the text, so that it often is JSON still. */
static const char *const values[] = {
    "null", "true", "0",         "-1",         "1e308",     "0.5",        "[]",      "{}",        "\"\"",    "[\"*\"]",
    "[7]",  "[[]]", "\"mine\"",  "\"name\"",   "\"as\"",    "\"head\"",   "\"1ep\"", "\"share\"", "\"abi\"", "\"passes\"",
    "[1]",  "1.5",  "\"alpha\"", "\"before\"", "\"after\"", "\"number\"", "\"min\"", "\"below\"", "\"lr\"",  "\"numbers\"",
};

struct draws {
    uint64_t key, next;
};

static size_t draw(struct draws *draws, size_t bound)
{
    return (size_t)random_below(draws->key, (struct random_place){0}, draws->next++, bound);
}

/* Puts length bytes in for those from at to end, if there is room; returns the new size. */
static size_t replace(char *text, size_t size, size_t at, size_t end, const char *insert, size_t length)
{
    if (size - (end - at) + length > LONGEST) return size;
    memmove(text + at + length, text + end, size - end);
    memcpy(text + at, insert, length);
    return size - (end - at) + length;
}

/* A value in place of a string, the next one after a random place. */
static size_t damage_token(struct draws *draws, char *text, size_t size)
{
    const char *value = values[draw(draws, sizeof values / sizeof *values)];
    size_t from = draw(draws, size + 1);
    const char *first = memchr(text + from, '"', size - from);
    const char *last = first ? memchr(first + 1, '"', size - (size_t)(first + 1 - text)) : NULL;
    return last ? replace(text, size, (size_t)(first - text), (size_t)(last + 1 - text), value, strlen(value)) : size;
}

/* A piece of the text itself in place of a few bytes. */
static size_t damage_piece(struct draws *draws, char *text, size_t size)
{
    char piece[64];
    size_t from = draw(draws, size + 1), length = draw(draws, sizeof piece), at = draw(draws, size + 1), end = at + draw(draws, 8);
    if (length > size - from) length = size - from;
    memcpy(piece, text + from, length);
    return replace(text, size, at, end < size ? end : size, piece, length);
}

static size_t damage_byte(struct draws *draws, char *text, size_t size)
{
    if (size > 0) text[draw(draws, size)] = (char)draw(draws, 256);
    return size;
}

/* A copy of right with a little damage; returns its size. */
static size_t damage(struct draws *draws, const char *right, char *text)
{
    size_t size = strlen(right);
    memcpy(text, right, size);
    for (size_t times = 1 + draw(draws, 3); times > 0; times--) {
        size_t kind = draw(draws, 6);
        size = kind == 0 ? damage_piece(draws, text, size) : kind == 1 ? damage_byte(draws, text, size) : damage_token(draws, text, size);
    }
    return size;
}

static void expect_refusal(knack_status status)
{
    assert_true(status == KNACK_E_PLUGIN || status == KNACK_E_CONFIG);
    assert_true(strlen(knack_error()) > 0);
}

static void survives_damaged_manifests(void **state)
{
    (void)state;
    char *right = manifest_text((struct change[]){{"before", "[\"*\"]"},
                                                  {"requires", "[\"ema\"]"},
                                                  {"replaces", "[\"head\"]"},
                                                  {"identity", "{\"alpha\": 0}"},
                                                  {"passes", "{\"gradient\": 1}"},
                                                  {0}});
    struct draws draws = {random_key(1, "manifests"), 0};
    char text[LONGEST];
    int64_t accepted = 0;
    for (int64_t i = 0; i < MANIFESTS; i++) {
        size_t size = damage(&draws, right, text);
        struct json_document *document;
        struct manifest *manifest = NULL;
        status_clear();
        knack_status status = json_parse(text, size, "mine.json", &document);
        if (status >= 0) status = manifest_take(document, &manifest);
        if (status < 0) expect_refusal(status);
        accepted += status >= 0;
        manifest_free(manifest);
    }
    memory_free(right);
    assert_in_range(accepted, MANIFESTS / 100, MANIFESTS * 9 / 10); /* some of both */
}

static void survives_damaged_configs(void **state)
{
    (void)state;
    static const char right[] = "[\"mine\", {\"name\": \"mine\", \"as\": \"other\", \"alpha\": 0.25},"
                                " {\"manifest\": \"mine/mine.json\", \"as\": \"third\"}]";
    struct draws draws = {random_key(1, "configs"), 0};
    char text[LONGEST];
    int64_t accepted = 0;
    setenv("KNACK_PLUGIN_PATH", folder, 1);
    write_plugin("mine", (struct change[]){{"identity", "{\"alpha\": 0}"}, {0}});
    for (int64_t i = 0; i < CONFIGS; i++) {
        size_t size = damage(&draws, right, text);
        struct json_document *document;
        struct instances *instances = NULL;
        status_clear();
        knack_status status = json_parse(text, size, "config.json", &document);
        if (status >= 0) status = plugins_resolve(document->root, folder, "classification", &instances);
        if (status < 0) expect_refusal(status);
        accepted += status >= 0;
        plugins_free(instances);
        json_free(document);
    }
    assert_in_range(accepted, CONFIGS / 100, CONFIGS * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_damaged_manifests),
        cmocka_unit_test(survives_damaged_configs),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
