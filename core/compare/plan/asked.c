/* What is asked for: a config with options, or a comparison file with options over it. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "compare/plan/parts.h"

/* ---- The comparison file ---- */

#define FIELD(name) offsetof(struct asked, name)
static const struct json_field file_fields[] = {
    {"base", JSON_ANY, FIELD(base_said), NULL, NULL, NULL,
     "the config that is trained in every arm: a path from this file, or the config itself"},
    {"arms", JSON_ANY, FIELD(arms), "", NULL, NULL,
     "by name: {\"plugins\": tricks that are added, \"set\": keys of the config that are changed}"},
    {"tricks", JSON_ANY, FIELD(tricks_said), "", NULL, NULL, "tricks that the design switches: names, or objects with options"},
    {"set", JSON_ANY, FIELD(set), "", NULL, NULL, "keys of the config that are changed in every arm: {\"train.epochs\": 5}"},
    {"design", JSON_CHOICE, FIELD(design), "\"one\"", NULL, design_name, "which arms there are"},
    {"role", JSON_CHOICE, FIELD(role), "", NULL, role_name, "what the result is for, which decides the seeds"},
    {"on", JSON_CHOICE, FIELD(on), "", NULL, on_name, "the part that decides: by the role, validation for tuning and screening"},
    {"seeds", JSON_INTEGER, FIELD(seeds), "", "[1,100000]", NULL, "blocks: each arm is trained once with each"},
    {"first_seed", JSON_INTEGER, FIELD(first_seed), "", "[0,inf)", NULL, "by role: 0, 1000, 2000, 3000"},
    {"adaptive", JSON_BOOLEAN, FIELD(adaptive), "false", NULL, NULL, "stop at looks that are fixed before"},
    {"looks", JSON_DOUBLES, FIELD(looks_said), "", "[3,100000]", NULL, "seeds at each look, which makes it adaptive: [5, 9, 14]"},
    {"until_decided", JSON_BOOLEAN, FIELD(until_decided), "false", NULL, NULL, "look after every block"},
    {"metric", JSON_TEXT, FIELD(metric), "", NULL, NULL, "\"test.accuracy\": the part and the metric that decide"},
    {"margin", JSON_DOUBLE, FIELD(margin), "", "[0,inf)", NULL, "what difference matters, in the metric's own unit"},
    {"failed_score", JSON_DOUBLE, FIELD(failed_score), "", NULL, NULL, "what a failed trial counts as"},
    {"equal_cost", JSON_BOOLEAN, FIELD(equal_cost), "true", NULL, NULL, "train the baseline longer where a trick costs more"},
    {"converge", JSON_BOOLEAN, FIELD(converge), "true", NULL, NULL, "train the baseline twice as long too: is its budget enough?"},
    {"trial_timeout", JSON_DOUBLE, FIELD(timeout), "", "(0,inf)", NULL, "seconds of CPU time"},
    {NULL},
};

void plan_schema(struct json_writer *writer)
{
    json_string(writer, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_string(writer, "title", "knack comparison");
    json_schema_fields(writer, file_fields);
}

static bool is_comparison_file(const struct json *root)
{
    static const char *const own[] = {"base", "arms", "tricks", "design", "seeds", "looks", "on", "metric", "margin"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (json_member(root, own[i])) return true;
    return false;
}

static knack_status expect_kind(const struct json *node, enum json_kind kind)
{
    if (!node || node->kind == kind) return KNACK_OK;
    return json_fail(node, KNACK_E_CONFIG, "expected %s, not %s", json_kind_name(kind), json_kind_name(node->kind));
}

/* ---- Tricks ---- */

/* Characters that move the cursor, colour a terminal, or change the order of a line. */
static bool is_control(uint32_t point)
{
    return point < ' ' || (point >= 0x7f && point < 0xa0) || (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

/* "baseline", or "baseline x2": what a comparison calls its own arms. */
static bool is_reserved(const char *name)
{
    static const char own[] = "baseline";
    double number;
    if (strncmp(name, own, strlen(own)) != 0) return false;
    const char *rest = name + strlen(own), *end = rest + strlen(rest);
    if (!*rest) return true;
    return rest[0] == ' ' && rest[1] == 'x' && text_parse(rest + 2, end, &number) == end;
}

const char *name_fault(const char *name)
{
    static _Thread_local char text[256];
    enum { NAME_MOST = 100 };
    size_t length = strlen(name);
    uint32_t point;
    if (length == 0) return "a name is empty";
    if (length > NAME_MOST) return "a name is longer than 100 bytes";
    for (const char *at = name; *at;) {
        int bytes = text_character(at, &point);
        if (is_control(point) || (point == TEXT_UNKNOWN && bytes == 1)) {
            snprintf(text, sizeof text, "the name that begins with \"%.*s\" has %s behind that", (int)(at - name), name,
                     is_control(point) ? "a control character" : "a byte that is no UTF-8");
            return text;
        }
        at += bytes;
    }
    if (name[0] == ' ' || name[length - 1] == ' ')
        snprintf(text, sizeof text, "the name \"%s\" begins or ends with a blank", name);
    else if (is_reserved(name))
        snprintf(text, sizeof text,
                 "the base config is the arm \"baseline\", and longer trained \"baseline x2\": \"%s\" needs another name", name);
    else
        return NULL;
    return text;
}

static knack_status add_trick(struct asked *asked, const char *name, const char *entry)
{
    const char *fault = name_fault(name);
    if (fault) return status_set(KNACK_E_CONFIG, "%s", fault);
    for (int64_t i = 0; i < asked->tricks; i++)
        if (strcmp(asked->trick[i].name, name) == 0)
            return status_set(KNACK_E_CONFIG, "%s is listed twice; an entry may have its own name: {\"name\": \"%s\", \"as\": \"another\"}",
                              name, name);
    if (asked->tricks == 63) return status_set(KNACK_E_CONFIG, "more than 63 tricks");
    struct asked_trick *grown = memory_resize(asked->trick, (size_t)asked->tricks + 1, sizeof *grown);
    if (!grown) return KNACK_E_MEMORY;
    asked->trick = grown;
    struct asked_trick trick = {memory_text(name), memory_text(entry)};
    grown[asked->tricks++] = trick;
    return trick.name && trick.entry ? KNACK_OK : KNACK_E_MEMORY;
}

/* An object is called as it says, by its plugin, or by its manifest's file. */
static knack_status add_entry(struct asked *asked, const struct json *node, const char *entry)
{
    const struct json *as = json_member(node, "as"), *name = json_member(node, "name"), *manifest = json_member(node, "manifest");
    const struct json *said = as ? as : name ? name : manifest;
    if (!said || said->kind != JSON_STRING)
        return json_fail(node, KNACK_E_CONFIG, "expected a trick: a name, or an object with \"name\" and options");
    if (said != manifest) return add_trick(asked, said->string, entry);
    char *stem = file_stem(said->string);
    knack_status status = stem ? add_trick(asked, stem, entry) : KNACK_E_MEMORY;
    memory_free(stem);
    return status;
}

static knack_status add_trick_text(struct asked *asked, const char *text)
{
    struct json_document *document;
    if (text[0] != '{') return *text ? add_trick(asked, text, text) : status_set(KNACK_E_USAGE, "--tricks: a name is empty");
    TRY(json_parse(text, strlen(text), "--tricks", &document));
    knack_status status = add_entry(asked, document->root, text);
    json_free(document);
    return status;
}

static knack_status add_trick_node(struct asked *asked, const struct json *node)
{
    if (node->kind == JSON_STRING) return add_trick(asked, node->string, node->string);
    char *text = json_node_text(node, false);
    knack_status status = text ? add_entry(asked, node, text) : KNACK_E_MEMORY;
    memory_free(text);
    return status;
}

/* Those of the command line stand for those of the file. */
static knack_status read_tricks(struct asked *asked, const struct json *listed)
{
    const struct plan_request *request = asked->request;
    for (int64_t i = 0; i < request->tricks; i++) TRY(add_trick_text(asked, request->trick[i]));
    TRY(expect_kind(listed, JSON_ARRAY));
    if (request->tricks > 0 || !listed) return KNACK_OK;
    for (const struct json *node = listed->first; node; node = node->next) TRY(add_trick_node(asked, node));
    return KNACK_OK;
}

/* Where the entry that begins here ends: at a comma outside of brackets and quotes. */
static const char *entry_end(const char *text)
{
    int64_t depth = 0;
    bool quoted = false;
    for (; *text; text++) {
        if (quoted && *text == '\\' && text[1]) {
            text++;
        } else if (*text == '"') {
            quoted = !quoted;
        } else if (!quoted) {
            depth += (*text == '{' || *text == '[') - (*text == '}' || *text == ']');
            if (*text == ',' && depth == 0) return text;
        }
    }
    return text;
}

knack_status plan_split_tricks(const char *text, char ***entry, int64_t *count)
{
    int64_t most = 1;
    for (const char *c = text; *c; c++) most += *c == ',';
    size_t table = (size_t)most * sizeof **entry;
    char **list = memory_new(1, table + strlen(text) + 1);
    if (!list) return KNACK_E_MEMORY;
    char *copy = (char *)list + table;
    memcpy(copy, text, strlen(text) + 1);
    *count = 0;
    for (char *from = copy;;) {
        char *end = copy + (entry_end(from) - copy), *last = end;
        bool more = *end == ',';
        while (*from == ' ') from++;
        while (last > from && last[-1] == ' ') last--;
        *last = 0;
        list[(*count)++] = from;
        if (!more) break;
        from = end + 1;
    }
    *entry = list;
    return KNACK_OK;
}

/* ---- Together ---- */

static knack_status set_base_keys(struct asked *asked, const struct json *set)
{
    TRY(expect_kind(set, JSON_OBJECT));
    if (set) {
        char *text;
        TRY(config_of_arm(asked, &(struct asked_arm){.node = set, .set = set}, &text));
        json_free(asked->base);
        asked->base = NULL;
        knack_status status = json_parse(text, strlen(text), asked->config, &asked->base);
        memory_free(text);
        TRY(status);
    }
    for (int64_t i = 0; i < asked->request->sets; i++) {
        const char *assignment = asked->request->set[i];
        if (strncmp(assignment, "seed=", 5) == 0)
            return status_set(KNACK_E_USAGE, "--set %s: a comparison sets \"seed\" itself; --first-seed says where its seeds begin",
                              assignment);
        TRY(json_assign(asked->base, assignment));
    }
    return KNACK_OK;
}

/* Relative paths start from the config's folder, or from one that it names from there. */
static knack_status find_folder(struct asked *asked, const char *path)
{
    const struct json *named = json_member(asked->base->root, "folder");
    char *folder = file_folder(path);
    if (folder && named && named->kind == JSON_STRING) {
        char *own = folder;
        folder = file_join(own, named->string);
        memory_free(own);
    }
    char *full = folder ? realpath(folder, NULL) : NULL; /* the C library's own memory */
    knack_status status = full ? plan_copy_text(&asked->folder, full)
                               : status_set(folder ? KNACK_E_CONFIG : KNACK_E_MEMORY, "%s: folder %s: %s", path, folder ? folder : "?",
                                            folder ? strerror(errno) : "out of memory");
    free(full);
    memory_free(folder);
    return status;
}

/* The base of a comparison file: the config itself, or its path from the file. */
static knack_status open_base(struct asked *asked, const struct json *base)
{
    const char *path = asked->request->config;
    if (base->kind == JSON_STRING) {
        char *folder = file_folder(path);
        asked->config = folder ? file_join(folder, base->string) : NULL;
        memory_free(folder);
        if (!asked->config) return KNACK_E_MEMORY;
        TRY(json_read(asked->config, &asked->base));
        return find_folder(asked, asked->config);
    }
    TRY(expect_kind(base, JSON_OBJECT));
    TRY(plan_copy_text(&asked->config, path));
    char *text = json_node_text(base, false);
    knack_status status = text ? json_parse(text, strlen(text), path, &asked->base) : KNACK_E_MEMORY;
    memory_free(text);
    return status < 0 ? status : find_folder(asked, path);
}

static knack_status read_choice(const char *option, const char *text, const char *const *names, int *out)
{
    int64_t count = 0;
    if (!text) return KNACK_OK;
    for (; names[count]; count++)
        if (strcmp(text, names[count]) == 0) {
            *out = (int)count;
            return KNACK_OK;
        }
    char list[256];
    return status_set(KNACK_E_USAGE, "%s %s: there are %s", option, text, text_list(list, sizeof list, names, count));
}

/* "5,9,14" */
static knack_status read_looks(struct asked *asked, const char *text)
{
    const char *end = text + strlen(text);
    for (asked->looks = 0; asked->looks <= LOOKS_MOST; text++) {
        text = text_parse(text, end, &asked->look[asked->looks++]);
        if (!text || (*text && *text != ',')) return status_set(KNACK_E_USAGE, "--looks: expected seeds between commas, as in 5,9,14");
        if (!*text) break;
    }
    return KNACK_OK;
}

static knack_status read_options(struct asked *asked)
{
    const struct plan_request *r = asked->request;
    TRY(read_choice("--design", r->design, design_name, &asked->design));
    TRY(read_choice("--role", r->role, role_name, &asked->role));
    TRY(read_choice("--on", r->on, on_name, &asked->on));
    if (r->looks) TRY(read_looks(asked, r->looks));
    asked->adaptive |= r->adaptive || asked->looks > 0;
    asked->until_decided |= r->until_decided;
    if (r->no_equal_cost) asked->equal_cost = false;
    if (r->no_converge) asked->converge = false;
    if (r->seeds > 0) asked->seeds = r->seeds;
    if (r->first_seed >= 0) asked->first_seed = r->first_seed;
    if (r->metric) asked->metric = r->metric;
    if (!isnan(r->margin)) asked->margin = r->margin;
    if (!isnan(r->failed_score)) asked->failed_score = r->failed_score;
    if (r->timeout > 0) asked->timeout = r->timeout;
    return asked->margin >= 0 ? KNACK_OK : status_set(KNACK_E_USAGE, "--margin: a difference cannot be below 0");
}

static knack_status read_file(struct asked *asked)
{
    const char *path = asked->request->config;
    TRY(json_read(path, &asked->file));
    if (is_comparison_file(asked->file->root)) {
        TRY(json_fields(asked->file->root, file_fields, asked));
        TRY(expect_kind(asked->arms, JSON_OBJECT));
        asked->looks = asked->looks_said.count < LOOKS_MOST + 1 ? asked->looks_said.count : LOOKS_MOST + 1;
        for (int64_t i = 0; i < asked->looks; i++) asked->look[i] = asked->looks_said.value[i];
        TRY(open_base(asked, asked->base_said));
    } else {
        asked->base = asked->file;
        asked->file = NULL;
        TRY(expect_kind(asked->base->root, JSON_OBJECT));
        TRY(plan_copy_text(&asked->config, path));
        TRY(find_folder(asked, path));
    }
    TRY(set_base_keys(asked, asked->set));
    return read_tricks(asked, asked->tricks_said);
}

knack_status asked_read(const struct plan_request *request, struct asked *asked)
{
    *asked = (struct asked){
        .request = request, .role = -1, .on = -1, .first_seed = -1, .failed_score = NAN, .equal_cost = true, .converge = true};
    knack_status status = read_file(asked);
    if (status >= 0) status = read_options(asked);
    if (status < 0) asked_free(asked);
    return status;
}

void asked_free(struct asked *asked)
{
    for (int64_t i = 0; i < asked->tricks; i++) {
        memory_free(asked->trick[i].name);
        memory_free(asked->trick[i].entry);
    }
    memory_free(asked->trick);
    memory_free(asked->config);
    memory_free(asked->folder);
    json_free(asked->base);
    json_free(asked->file);
    *asked = (struct asked){0};
}
