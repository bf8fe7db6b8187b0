/* Configs of arms: the base config with tricks added and keys set, as JSON text. */
#include <string.h>

#include "base/memory.h"
#include "compare/plan/parts.h"

/* What a comparison sets itself, or what does not belong to what is trained. */
static bool is_ours(const char *name)
{
    return !strcmp(name, "seed") || !strcmp(name, "folder");
}

char *config_text(const struct json_document *config)
{
    struct json_writer *writer = json_writer_new(false);
    if (!writer) return NULL;
    json_open(writer, NULL, '{');
    for (const struct json *member = config->root->first; member; member = member->next)
        if (!is_ours(member->name)) json_node(writer, member->name, member);
    json_close(writer);
    return json_take(writer);
}

/* A copy of the base config that may be changed. */
static knack_status copy_base(const struct asked *asked, struct json_document **copy)
{
    *copy = NULL;
    char *text = config_text(asked->base);
    if (!text) return KNACK_E_MEMORY;
    knack_status status = json_parse(text, strlen(text), asked->config, copy);
    memory_free(text);
    return status;
}

static knack_status finish(struct json_document *config, knack_status status, char **text)
{
    *text = status >= 0 ? config_text(config) : NULL;
    json_free(config);
    if (status >= 0 && !*text) status = KNACK_E_MEMORY;
    return status;
}

knack_status config_with_tricks(const struct asked *asked, uint64_t factors, char **text)
{
    struct json_document *config;
    TRY(copy_base(asked, &config));
    knack_status status = KNACK_OK;
    for (int64_t i = 0; i < asked->tricks && status >= 0; i++)
        if (factors >> i & 1) status = json_append(config, "plugins", asked->trick[i].entry);
    return finish(config, status, text);
}

static knack_status add_plugins(struct json_document *config, const struct json *plugins)
{
    for (const struct json *entry = plugins ? plugins->first : NULL; entry; entry = entry->next) {
        char *text = entry->kind == JSON_STRING ? memory_text(entry->string) : json_node_text(entry, false);
        knack_status status = text ? json_append(config, "plugins", text) : KNACK_E_MEMORY;
        memory_free(text);
        if (status < 0) return status;
    }
    return KNACK_OK;
}

static knack_status set_keys(struct json_document *config, const struct json *set)
{
    for (const struct json *key = set ? set->first : NULL; key; key = key->next) {
        if (is_ours(key->name)) return json_fail(key, KNACK_E_CONFIG, "a comparison sets \"%s\" itself", key->name);
        char *text = key->kind == JSON_STRING ? NULL : json_node_text(key, false);
        knack_status status = key->kind == JSON_STRING ? json_set_text(config, key->name, key->string)
                              : text                   ? json_set(config, key->name, text)
                                                       : KNACK_E_MEMORY;
        memory_free(text);
        if (status < 0) return status;
    }
    return KNACK_OK;
}

knack_status config_of_arm(const struct asked *asked, const struct asked_arm *arm, char **text)
{
    struct json_document *config;
    TRY(copy_base(asked, &config));
    knack_status status = add_plugins(config, arm->plugins);
    if (status >= 0) status = set_keys(config, arm->set);
    return finish(config, status, text);
}
