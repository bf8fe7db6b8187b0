#include "train/identity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/growing.h"
#include "base/memory.h"
#include "base/text.h"
#include "plugin/code_hash.h"
#include "tensor/kernels/kernels.h"
#include "train/state.h"

/* ---- Hashes ---- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return text_hash(hash, text, strlen(text) + 1);
}

/* Whether a member's path is one of those that are no part of what is hashed; NULL ends the patterns. */
static bool is_left_out(const struct json *member, const char *const *patterns)
{
    for (; *patterns; patterns++)
        if (text_glob(*patterns, json_path(member))) return true;
    return false;
}

/* Of a value; the members of an object in whatever order they stand. */
static uint64_t hash_node(uint64_t hash, const struct json *node, const char *const *left_out)
{
    uint64_t sum = 0, kind = node->kind;
    hash = text_hash(hash, &kind, sizeof kind);
    if (node->kind == JSON_STRING) return hash_text(hash, node->string);
    if (node->kind == JSON_FLAG) return text_hash(hash, &node->flag, sizeof node->flag);
    if (node->kind == JSON_NUMBER) {
        double number = node->number + 0.0; /* of 0 and -0 one */
        return text_hash(hash, &number, sizeof number);
    }
    for (const struct json *child = node->first; child; child = child->next) {
        if (node->kind == JSON_ARRAY) hash = hash_node(hash, child, left_out);
        if (node->kind == JSON_OBJECT && !is_left_out(child, left_out))
            sum += hash_node(hash_text(TEXT_HASH, child->name), child, left_out);
    }
    return text_hash(hash, &sum, sizeof sum);
}

/* How the config says to train. Its installed tricks in their order, under their names; one that is not installed changes no bit. */
static uint64_t hash_config(const struct run *run)
{
    static const char *const left_out[] = {"seed",      "threads",   "folder",    "own_model",  "plugins", "data*.csv",
                                           "data*.npy", "data*.npz", "data*.idx", "model.init", NULL};
    static const char *const names[] = {"*.name", "*.manifest", "*.as", NULL};
    uint64_t hash = hash_node(TEXT_HASH, run->config->root, left_out);
    for (int64_t i = 0; i < run->instances->installed; i++) {
        const struct instance *instance = run->instances->list[i];
        hash = hash_text(hash_text(hash, instance->manifest->name), instance->name);
        if (instance->entry->kind == JSON_OBJECT) hash = hash_node(hash, instance->entry, names);
    }
    return hash;
}

/* ---- The text ---- */

static void write_hash(struct json_writer *w, const char *name, uint64_t hash)
{
    char text[20];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    json_string(w, name, text);
}

static knack_status write_plugins(struct json_writer *w, const struct instances *instances)
{
    static const char *const describes[] = {"library", "summary", "reference", "example", NULL};
    knack_status status = KNACK_OK;
    json_open(w, "plugins", '[');
    for (int64_t i = 0; i < instances->installed && status >= 0; i++) {
        const struct manifest *manifest = instances->list[i]->manifest;
        uint64_t code;
        status = code_hash(manifest->library, &code);
        if (status < 0) break;
        json_open(w, NULL, '{');
        json_string(w, "name", manifest->name);
        write_hash(w, "code", code);
        write_hash(w, "manifest", hash_node(TEXT_HASH, manifest->document->root, describes));
        json_close(w);
    }
    json_close(w);
    return status;
}

static knack_status write_code(struct json_writer *w, const struct knack_model_type *model)
{
    uint64_t code;
    const void *address;
    TRY(code_hash_own(&code));
    write_hash(w, "knack", code);
    if (!model) return KNACK_OK;
    memcpy(&address, &model->features, sizeof address);
    TRY(code_hash_around(address, &code));
    json_open(w, "model", '{');
    json_string(w, "name", model->name);
    write_hash(w, "code", code);
    json_close(w);
    return KNACK_OK;
}

static knack_status write_init(struct json_writer *w, const struct run *run)
{
    const struct json *init = json_member(json_member(run->config->root, "model"), "init");
    char *bytes, *path;
    size_t size;
    if (!init || init->kind != JSON_STRING) return KNACK_OK;
    path = file_join(run->base, init->string);
    knack_status status = path ? file_read(path, KNACK_E_DATA, &bytes, &size) : KNACK_E_MEMORY;
    memory_free(path);
    if (status < 0) return status;
    write_hash(w, "init", text_hash(TEXT_HASH, bytes, size));
    memory_free(bytes);
    return KNACK_OK;
}

static knack_status write_data(struct json_writer *w, const struct run *run)
{
    uint64_t hash;
    const struct json *redraw = json_member(json_member(run->config->root, "data"), "redraw");
    bool drawn = redraw && redraw->flag;
    knack_status status = KNACK_OK;
    json_open(w, "data", '{');
    if (drawn) {
        status = data_pool_hash(run->data, &hash);
        if (status >= 0) write_hash(w, "pool", hash);
    }
    for (int p = 0; p < PART_COUNT && !drawn && status >= 0; p++) {
        status = data_part_hash(run->data, (enum data_part)p, &hash);
        if (status >= 0) write_hash(w, data_part_name[p], hash);
    }
    json_close(w);
    return status;
}

knack_status run_identity_text(const struct run *run, bool threads, char **text)
{
    *text = NULL;
    struct json_writer *w = json_writer_new(false);
    if (!w) return KNACK_E_MEMORY;
    json_open(w, NULL, '{');
    knack_status status = write_plugins(w, run->instances);
    if (status >= 0) status = write_code(w, run->model_type);
    write_hash(w, "config", hash_config(run));
    if (status >= 0) status = write_init(w, run);
    if (status >= 0) status = write_data(w, run);
    if (threads) json_integer(w, "threads", run->threads);
    json_string(w, "real", sizeof(knack_real) == sizeof(double) ? "double" : "float");
    json_open(w, "machine", '{');
    json_string(w, "cpu", kernel_cpu_level());
    json_string(w, "onednn", kernel_library_version());
    json_close(w);
    json_close(w);
    if (status >= 0)
        *text = json_take(w);
    else
        json_writer_free(w);
    return status < 0 ? status : *text ? KNACK_OK : KNACK_E_MEMORY;
}

knack_status run_identify(struct run *run)
{
    return run->identity ? KNACK_OK : run_identity_text(run, false, &run->identity);
}

/* ---- Differences ---- */

/* What was found so far, in words and as bits. */
struct difference {
    struct growing words;
    unsigned change;
};

static void add(struct difference *d, enum identity_change change, const char *before, const char *name, const char *after)
{
    growing_put_text(&d->words, d->change ? "; " : "");
    growing_put_text(&d->words, before);
    growing_put_text(&d->words, name);
    growing_put_text(&d->words, after);
    d->change |= (unsigned)change;
}

/* Whether a member is the same text in both, or in neither. */
static bool same(const struct json *kept, const struct json *now, const char *member)
{
    return !strcmp(json_member_text(kept, member, ""), json_member_text(now, member, ""));
}

static void compare_plugins(struct difference *d, const struct json *kept, const struct json *now)
{
    const struct json *a = kept ? kept->first : NULL, *b = now ? now->first : NULL;
    for (; a && b && same(a, b, "name"); a = a->next, b = b->next) {
        bool code = same(a, b, "code"), manifest = same(a, b, "manifest");
        if (!code || !manifest)
            add(d, IDENTITY_PLUGINS, "plugin ", json_member_text(a, "name", ""),
                code       ? ": its manifest"
                : manifest ? ": its code"
                           : ": its code and its manifest");
    }
    if (a || b) add(d, IDENTITY_PLUGINS, "which plugins there are, or their order", "", "");
}

/* "avx2 -> avx512" */
static void compare_texts(struct difference *d, enum identity_change change, const char *what, const struct json *kept,
                          const struct json *now, const char *member)
{
    if (same(kept, now, member)) return;
    add(d, change, what, json_member_text(kept, member, "none"), " -> ");
    growing_put_text(&d->words, json_member_text(now, member, "none"));
}

static void compare_data(struct difference *d, const struct json *kept, const struct json *now)
{
    static const char *const parts[][2] = {{"train", "the training data"},
                                           {"validation", "the validation data"},
                                           {"test", "the test data"},
                                           {"pool", "the data that seeds draw from"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!same(kept, now, parts[i][0])) add(d, IDENTITY_DATA, parts[i][1], "", "");
}

static void compare_all(struct difference *d, const struct json *kept, const struct json *now)
{
    const struct json *machine = json_member(kept, "machine"), *machine_now = json_member(now, "machine");
    const struct json *model = json_member(kept, "model"), *model_now = json_member(now, "model");
    double threads = json_member_number(kept, "threads"), threads_now = json_member_number(now, "threads");
    compare_plugins(d, json_member(kept, "plugins"), json_member(now, "plugins"));
    if (!same(kept, now, "knack")) add(d, IDENTITY_KNACK, "knack itself", "", "");
    if (!same(model, model_now, "name") || !same(model, model_now, "code"))
        add(d, IDENTITY_KNACK, "the program that the model comes from", "", "");
    if (!same(kept, now, "config")) add(d, IDENTITY_CONFIG, "the config", "", "");
    if (!same(kept, now, "init")) add(d, IDENTITY_DATA, "the file of initial weights", "", "");
    compare_data(d, json_member(kept, "data"), json_member(now, "data"));
    if (isfinite(threads) && isfinite(threads_now) && threads != threads_now) add(d, IDENTITY_THREADS, "the number of threads", "", "");
    compare_texts(d, IDENTITY_KNACK, "numbers: ", kept, now, "real");
    compare_texts(d, IDENTITY_MACHINE, "CPU level ", machine, machine_now, "cpu");
    compare_texts(d, IDENTITY_MACHINE, "", machine, machine_now, "onednn");
}

knack_status identity_difference(const char *kept, const char *now, unsigned *change, char **words)
{
    struct json_document *a = NULL, *b = NULL;
    struct difference d = {0};
    *change = IDENTITY_SAME;
    knack_status status = json_parse(kept, strlen(kept), "the identity that was kept", &a);
    if (status >= 0) status = json_parse(now, strlen(now), "the identity", &b);
    if (status >= 0) {
        growing_put_text(&d.words, "");
        compare_all(&d, a->root, b->root);
        *change = d.change;
    } else if (status != KNACK_E_MEMORY) {
        status = KNACK_E_DATA; /* what JSON has to say of it stays the message */
    }
    json_free(a);
    json_free(b);
    *words = growing_take(&d.words);
    return status < 0 ? status : *words ? KNACK_OK : KNACK_E_MEMORY;
}
