/* What an arm's config has that the baseline's has not, in lines for a reader. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "compare/plan/parts.h"

static knack_status add_line(struct arm *arm, char *line)
{
    char **grown = line ? memory_resize(arm->difference, (size_t)arm->differences + 1, sizeof *grown) : NULL;
    if (!grown) {
        memory_free(line);
        return KNACK_E_MEMORY;
    }
    arm->difference = grown;
    grown[arm->differences++] = line;
    return KNACK_OK;
}

/* Compact JSON; memory_free(). A text stands without its quotes. */
static char *value_text(const struct json *node)
{
    if (!node) return memory_text("nothing");
    if (node->kind == JSON_STRING) return memory_text(node->string);
    return json_node_text(node, false);
}

/* Whether two nodes, of which either may be absent, come to the same text. */
static knack_status same(const struct json *a, const struct json *b, bool *equal)
{
    char *left = value_text(a), *right = value_text(b);
    knack_status status = left && right ? KNACK_OK : KNACK_E_MEMORY;
    *equal = status >= 0 && (a != NULL) == (b != NULL) && strcmp(left, right) == 0;
    memory_free(left);
    memory_free(right);
    return status;
}

/* ---- Values ---- */

static knack_status compare_values(struct arm *arm, const char *path, const struct json *from, const struct json *to)
{
    bool equal;
    TRY(same(from, to, &equal));
    if (equal) return KNACK_OK;
    char *before = value_text(from), *after = value_text(to);
    char *line = before && after ? memory_format("%s: %s -> %s", path, before, after) : NULL;
    memory_free(before);
    memory_free(after);
    return add_line(arm, line);
}

static bool is_object(const struct json *node)
{
    return !node || node->kind == JSON_OBJECT;
}

/* Member by member, down to what is no object; plugins have lines of their own. Nesting of configs is bounded by what JSON may be read. */
static knack_status compare_objects(struct arm *arm, const char *path, const struct json *from, const struct json *to);

static knack_status compare_member(struct arm *arm, const char *path, const char *name, const struct json *from, const struct json *to)
{
    char *own = *path ? memory_format("%s.%s", path, name) : memory_text(name);
    if (!own) return KNACK_E_MEMORY;
    bool objects = is_object(from) && is_object(to);
    knack_status status = objects ? compare_objects(arm, own, from, to) : compare_values(arm, own, from, to);
    memory_free(own);
    return status;
}

static knack_status compare_objects(struct arm *arm, const char *path, const struct json *from, const struct json *to)
{
    for (const struct json *member = from ? from->first : NULL; member; member = member->next)
        if (*path || strcmp(member->name, "plugins") != 0)
            TRY(compare_member(arm, path, member->name, member, json_member(to, member->name)));
    for (const struct json *member = to ? to->first : NULL; member; member = member->next)
        if ((*path || strcmp(member->name, "plugins") != 0) && !json_member(from, member->name))
            TRY(compare_member(arm, path, member->name, NULL, member));
    return KNACK_OK;
}

/* ---- Tricks ---- */

/* "ema (decay 0.99)", with the options that its entry gives; memory_free(). */
static char *trick_text(const struct json *entry)
{
    const struct json *name = json_member(entry, "name"), *manifest = json_member(entry, "manifest"), *said = name ? name : manifest;
    if (entry->kind == JSON_STRING) return memory_text(entry->string);
    char *options = memory_text("");
    for (const struct json *option = entry->first; option && options; option = option->next) {
        if (option == said) continue;
        char *value = value_text(option);
        char *longer = value ? memory_format("%s%s%s %s", options, *options ? ", " : "", option->name, value) : NULL;
        memory_free(value);
        memory_free(options);
        options = longer;
    }
    const char *called = said && said->kind == JSON_STRING ? said->string : "?";
    char *text = !options ? NULL : *options ? memory_format("%s (%s)", called, options) : memory_text(called);
    memory_free(options);
    return text;
}

static knack_status holds(const struct json *list, const struct json *entry, bool *found)
{
    *found = false;
    for (const struct json *other = list ? list->first : NULL; other && !*found; other = other->next) TRY(same(other, entry, found));
    return KNACK_OK;
}

/* A line for each entry of `list` that `other` has not. */
static knack_status list_tricks(struct arm *arm, const struct json *list, const struct json *other, char sign)
{
    for (const struct json *entry = list ? list->first : NULL; entry; entry = entry->next) {
        bool found;
        TRY(holds(other, entry, &found));
        if (found) continue;
        char *trick = trick_text(entry);
        char *line = trick ? memory_format("plugins: %c %s", sign, trick) : NULL;
        memory_free(trick);
        TRY(add_line(arm, line));
    }
    return KNACK_OK;
}

/* ---- Arms ---- */

/* Values are compared as resolved, tricks as the configs list them, since a list is there what somebody wrote. */
static knack_status describe(struct arm *arm, const struct json *resolved, const struct json *base_resolved, const struct json *config,
                             const struct json *base_config)
{
    for (int64_t i = 0; i < arm->differences; i++) memory_free(arm->difference[i]);
    arm->differences = 0;
    TRY(list_tricks(arm, json_member(config, "plugins"), json_member(base_config, "plugins"), '+'));
    TRY(list_tricks(arm, json_member(base_config, "plugins"), json_member(config, "plugins"), '-'));
    return compare_objects(arm, "", base_resolved, resolved);
}

static knack_status parse(const char *text, struct json_document **document)
{
    return json_parse(text, strlen(text), "an arm's config", document);
}

static knack_status describe_arm(struct arm *arm, const struct arm *base)
{
    struct json_document *document[4] = {NULL};
    const char *text[4] = {arm->resolved, base->resolved, arm->config, base->config};
    knack_status status = KNACK_OK;
    for (int i = 0; i < 4 && status >= 0; i++) status = parse(text[i], &document[i]);
    if (status >= 0) status = describe(arm, document[0]->root, document[1]->root, document[2]->root, document[3]->root);
    for (int i = 0; i < 4; i++) json_free(document[i]);
    return status;
}

knack_status plan_describe_differences(struct plan *plan)
{
    for (int64_t a = 1; a < plan->arms; a++)
        if (plan->arm[a].resolved && plan->arm[0].resolved) TRY(describe_arm(&plan->arm[a], &plan->arm[0]));
    return KNACK_OK;
}
