/* Which of the installed plugins go together: for each two, what a config with both would be told. */
#include "cli/plugin_matrix.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "plugin/instance.h"

struct plugin {
    char *name, *group; /* group: of which one acts a batch, or NULL */
};

struct matrix {
    struct plugin *plugin; /* [count] */
    int64_t count;
    char **refusal; /* [count, count] messages, NULL where two go together; both halves are filled, the lower one owns */
    knack_status status;
};

enum relation { RELATION_ITSELF, RELATION_BOTH, RELATION_ONE, RELATION_REFUSED };
static const char relation_sign[] = {'.', '+', '1', '-'};
static const char *const relation_name[] = {"itself", "both act", "one acts in each batch", "refused"};

struct matrix *matrix_new(void)
{
    return memory_new(1, sizeof(struct matrix));
}

void matrix_add(void *user, const struct manifest *manifest)
{
    struct matrix *matrix = user;
    struct plugin *grown = memory_resize(matrix->plugin, (size_t)matrix->count + 1, sizeof *grown);
    if (grown) {
        matrix->plugin = grown;
        grown[matrix->count] = (struct plugin){memory_text(manifest->name), manifest->one_of ? memory_text(manifest->one_of) : NULL};
        matrix->count++;
    }
    if (!grown || !grown[matrix->count - 1].name || (manifest->one_of && !grown[matrix->count - 1].group)) matrix->status = KNACK_E_MEMORY;
}

void matrix_free(struct matrix *matrix)
{
    for (int64_t i = 0; i < matrix->count; i++) {
        for (int64_t j = 0; matrix->refusal && j < i; j++) memory_free(matrix->refusal[i * matrix->count + j]);
        memory_free(matrix->plugin[i].name);
        memory_free(matrix->plugin[i].group);
    }
    memory_free(matrix->refusal);
    memory_free(matrix->plugin);
    memory_free(matrix);
}

/* ---- Asking for each two ---- */

/* What a config that lists the two is told; *refusal NULL: nothing. */
static knack_status ask(const char *first, const char *second, char **refusal)
{
    struct json_document *config;
    struct instances *instances;
    *refusal = NULL;
    char *text = memory_format("{\"plugins\": [\"%s\", \"%s\"]}", first, second);
    if (!text) return KNACK_E_MEMORY;
    knack_status status = json_parse(text, strlen(text), "config.json", &config);
    memory_free(text);
    if (status < 0) return status;
    status = plugins_resolve(json_member(config->root, "plugins"), NULL, "classification", &instances);
    plugins_free(instances);
    json_free(config);
    if (status != KNACK_E_CONFIG) return status;
    *refusal = memory_text(knack_error());
    return *refusal ? KNACK_OK : KNACK_E_MEMORY;
}

static knack_status ask_all(struct matrix *matrix)
{
    int64_t count = matrix->count;
    matrix->refusal = memory_new((size_t)(count * count) + 1, sizeof *matrix->refusal);
    if (!matrix->refusal) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < i; j++) {
            char **refusal = &matrix->refusal[i * count + j];
            TRY(ask(matrix->plugin[j].name, matrix->plugin[i].name, refusal));
            matrix->refusal[j * count + i] = *refusal;
        }
    return KNACK_OK;
}

static enum relation relation(const struct matrix *matrix, int64_t i, int64_t j)
{
    const char *one = matrix->plugin[i].group, *other = matrix->plugin[j].group;
    if (i == j) return RELATION_ITSELF;
    if (matrix->refusal[i * matrix->count + j]) return RELATION_REFUSED;
    return one && other && strcmp(one, other) == 0 ? RELATION_ONE : RELATION_BOTH;
}

/* ---- Showing ---- */

static int longest_name(const struct matrix *matrix)
{
    size_t longest = 0;
    for (int64_t i = 0; i < matrix->count; i++)
        if (strlen(matrix->plugin[i].name) > longest) longest = strlen(matrix->plugin[i].name);
    return (int)longest;
}

static void print_text(const struct matrix *matrix)
{
    int width = longest_name(matrix);
    printf("%*s", width + 4, "");
    for (int64_t j = 0; j < matrix->count; j++) printf(" %2lld", (long long)j + 1);
    putchar('\n');
    for (int64_t i = 0; i < matrix->count; i++) {
        printf("%2lld  %-*s", (long long)i + 1, width, matrix->plugin[i].name);
        for (int64_t j = 0; j < matrix->count; j++) printf("  %c", relation_sign[relation(matrix, i, j)]);
        putchar('\n');
    }
    puts("\n+  both act\n1  one of them acts in each batch, drawn by \"share\"\n-  refused; a config with both is told:");
    for (int64_t i = 0; i < matrix->count; i++)
        for (int64_t j = i + 1; j < matrix->count; j++)
            if (relation(matrix, i, j) == RELATION_REFUSED) puts(matrix->refusal[i * matrix->count + j]);
}

static knack_status print_json(const struct matrix *matrix)
{
    struct json_writer *writer = json_writer_new(true);
    if (!writer) return KNACK_E_MEMORY;
    json_open(writer, NULL, '[');
    for (int64_t i = 0; i < matrix->count; i++)
        for (int64_t j = i + 1; j < matrix->count; j++) {
            const char *refusal = matrix->refusal[i * matrix->count + j];
            json_open(writer, NULL, '{');
            json_open(writer, "plugins", '[');
            json_string(writer, NULL, matrix->plugin[i].name);
            json_string(writer, NULL, matrix->plugin[j].name);
            json_close(writer);
            json_string(writer, "together", relation_name[relation(matrix, i, j)]);
            if (refusal) json_string(writer, "why", refusal);
            json_close(writer);
        }
    json_close(writer);
    return console_print_json(writer);
}

knack_status matrix_print(struct matrix *matrix, const struct console *console)
{
    knack_status status = matrix->status < 0 ? matrix->status : ask_all(matrix);
    if (status >= 0 && console->json)
        status = print_json(matrix);
    else if (status >= 0)
        print_text(matrix);
    matrix_free(matrix);
    return status;
}
