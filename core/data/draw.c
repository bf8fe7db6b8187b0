#include "data/draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

/* ---- Parts ---- */

knack_status part_new(const struct dataset *data, int64_t count, struct part *part)
{
    bool classes = data->kind == KNACK_CLASSIFICATION;
    *part = (struct part){.count = count, .row = memory_resize(NULL, (size_t)count, sizeof *part->row)};
    if (classes) part->label = memory_resize(NULL, (size_t)count, sizeof *part->label);
    if (!classes) part->target = memory_resize(NULL, (size_t)(count * data->outputs), sizeof *part->target);
    if (part->row && (part->label || part->target)) return KNACK_OK;
    part_free(part);
    return KNACK_E_MEMORY;
}

void part_free(struct part *part)
{
    memory_free(part->row);
    memory_free(part->label);
    memory_free(part->target);
    *part = (struct part){0};
}

/* Row i of from becomes row k of to. */
static void copy_row(const struct dataset *data, const struct part *from, int64_t i, struct part *to, int64_t k)
{
    to->row[k] = from->row[i];
    if (from->label) to->label[k] = from->label[i];
    if (from->target) memcpy(to->target + k * data->outputs, from->target + i * data->outputs, (size_t)data->outputs * sizeof *to->target);
}

knack_status part_take(const struct dataset *data, const struct part *part, const int32_t *index, int64_t count, struct part *out)
{
    TRY(part_new(data, count, out));
    out->source = part->source;
    for (int64_t k = 0; k < count; k++) copy_row(data, part, index[k], out, k);
    return KNACK_OK;
}

/* Splits a part by chosen[count]: *out gets the rows with 1, the part keeps the others, both in their order. */
static knack_status split(const struct dataset *data, struct part *part, const uint8_t *chosen, struct part *out)
{
    int64_t taken = 0;
    for (int64_t i = 0; i < part->count; i++) taken += chosen[i];
    TRY(part_new(data, taken, out));
    out->source = part->source;
    int64_t kept = 0;
    taken = 0;
    for (int64_t i = 0; i < part->count; i++) {
        if (chosen[i])
            copy_row(data, part, i, out, taken++);
        else
            copy_row(data, part, i, part, kept++); /* kept <= i */
    }
    part->count = kept;
    return KNACK_OK;
}

/* Puts the rows of more behind those of part. */
static knack_status append(const struct dataset *data, struct part *part, const struct part *more)
{
    struct part both;
    TRY(part_new(data, part->count + more->count, &both));
    both.source = more->source;
    for (int64_t i = 0; i < part->count; i++) copy_row(data, part, i, &both, i);
    for (int64_t i = 0; i < more->count; i++) copy_row(data, more, i, &both, part->count + i);
    part_free(part);
    *part = both;
    return KNACK_OK;
}

/* ---- Draws ---- */

struct drawing {
    struct dataset *data;
    const struct data_settings *settings;
    uint64_t seed;
};

/* A purpose's stream. */
static uint64_t stream(const struct drawing *drawing, const char *purpose)
{
    uint64_t seed = (uint64_t)drawing->settings->seed;
    if (drawing->settings->redraw) seed += random_key(drawing->seed, "data.redraw");
    return random_key(seed, purpose);
}

static knack_status need_classes(const struct drawing *drawing, const char *member)
{
    if (drawing->data->kind == KNACK_CLASSIFICATION) return KNACK_OK;
    return settings_fail(drawing->settings, member, "needs classes; the task is regression");
}

/* chosen[of] gets 1 at count random places: the first of a permutation, so that fewer are always among more. */
static knack_status choose(uint64_t key, int64_t of, int64_t count, uint8_t *chosen)
{
    int32_t *order = memory_resize(NULL, (size_t)of, sizeof *order);
    if (!order) return KNACK_E_MEMORY;
    random_permutation(key, (struct random_place){0}, of, order);
    for (int64_t i = 0; i < count; i++) chosen[order[i]] = 1;
    memory_free(order);
    return KNACK_OK;
}

/* Moves count random training rows, or all but those (invert), to *out. */
static knack_status draw_rows(const struct drawing *drawing, const char *purpose, int64_t count, bool invert, struct part *out)
{
    struct part *train = &drawing->data->part[PART_TRAIN];
    uint8_t *chosen = memory_new((size_t)train->count, 1);
    if (!chosen) return KNACK_E_MEMORY;
    knack_status status = choose(stream(drawing, purpose), train->count, count, chosen);
    for (int64_t i = 0; invert && i < train->count; i++) chosen[i] = !chosen[i];
    if (status == KNACK_OK) status = split(drawing->data, train, chosen, out);
    memory_free(chosen);
    return status;
}

static knack_status draw_validation(const struct drawing *drawing)
{
    double wish = drawing->settings->validation;
    int64_t train = drawing->data->part[PART_TRAIN].count;
    int64_t count = wish < 1 ? (int64_t)rint(wish * (double)train) : wish < (double)train ? (int64_t)wish : train;
    if (wish == 0) return KNACK_OK;
    if (count == 0) return settings_fail(drawing->settings, "validation", "this share of %lld training examples is none", (long long)train);
    if (count == train)
        return settings_fail(drawing->settings, "validation", "leaves none of %lld training examples to train on", (long long)train);
    return draw_rows(drawing, "data.validation", count, false, &drawing->data->part[PART_VALIDATION]);
}

static knack_status draw_limit(const struct drawing *drawing)
{
    int64_t limit = drawing->settings->limit, train = drawing->data->part[PART_TRAIN].count;
    if (limit == 0 || limit == train) return KNACK_OK;
    if (limit > train)
        return settings_fail(drawing->settings, "limit", "is more than the %lld training examples there are", (long long)train);
    struct part rest;
    TRY(draw_rows(drawing, "data.limit", limit, true, &rest));
    knack_status status = drawing->settings->rest ? append(drawing->data, &drawing->data->part[PART_TEST], &rest) : KNACK_OK;
    part_free(&rest);
    return status;
}

static knack_status keep_long_tail(const struct drawing *drawing)
{
    struct dataset *data = drawing->data;
    struct part *train = &data->part[PART_TRAIN], dropped;
    if (drawing->settings->long_tail == 1) return KNACK_OK;
    TRY(need_classes(drawing, "long_tail"));
    int64_t *left = memory_new((size_t)data->classes, sizeof *left); /* how many of each class are still to be kept */
    uint8_t *drop = memory_new((size_t)train->count, 1);
    if (!left || !drop) {
        memory_free(left);
        memory_free(drop);
        return KNACK_E_MEMORY;
    }
    for (int64_t i = 0; i < train->count; i++) left[train->label[i]]++;
    for (int64_t c = 0; c < data->classes; c++) {
        double share = pow(drawing->settings->long_tail, (double)c / (double)(data->classes - 1));
        if (left[c] > 0) left[c] = (int64_t)fmax(1, rint((double)left[c] * share));
    }
    for (int64_t i = 0; i < train->count; i++) drop[i] = left[train->label[i]]-- <= 0;
    knack_status status = split(data, train, drop, &dropped);
    if (status == KNACK_OK) part_free(&dropped);
    memory_free(left);
    memory_free(drop);
    return status;
}

static void flip_labels(const struct drawing *drawing)
{
    struct part *train = &drawing->data->part[PART_TRAIN];
    uint64_t key = stream(drawing, "data.label_noise");
    for (int64_t i = 0; i < train->count; i++) {
        uint64_t row = (uint64_t)train->row[i];
        if (random_uniform(key, (struct random_place){0}, row) >= drawing->settings->label_noise) continue;
        int32_t other = (int32_t)random_below(key, (struct random_place){.a = 1}, row, (uint64_t)drawing->data->classes - 1);
        train->label[i] = other + (other >= train->label[i]);
    }
}

/* ---- Two classes of many ---- */

/* The class that an entry of "positive" means: an id, a number of a csv file, or a name. */
static int64_t find_class(const struct json *entry, const struct classes *classes)
{
    for (int64_t c = 0; c < classes->count; c++) {
        double number = classes->value ? classes->value[c] : (double)c;
        if (entry->kind == JSON_NUMBER && entry->number == number) return c;
        if (entry->kind == JSON_STRING && classes->name && strcmp(entry->string, classes->name[c]) == 0) return c;
    }
    return -1;
}

/* positive[classes] gets 1 where the list says so; *text: "3, 8", memory_free(). */
static knack_status read_positive(const struct json *list, const struct classes *classes, uint8_t *positive, char **text)
{
    if (list->kind != JSON_ARRAY || list->count == 0) return json_fail(list, KNACK_E_CONFIG, "expected a list of classes, such as [8]");
    for (const struct json *entry = list->first; entry; entry = entry->next) {
        int64_t c = find_class(entry, classes);
        if (c < 0)
            return json_fail(entry, KNACK_E_CONFIG, "is none of the %lld classes of the training data%s", (long long)classes->count,
                             classes->name ? ", which go by their names or numbers" : "");
        if (positive[c]) continue;
        positive[c] = 1;
        char *before = *text, number[24];
        snprintf(number, sizeof number, "%lld", (long long)c);
        const char *name = classes->name ? classes->name[c] : number;
        *text = before ? memory_format("%s, %s", before, name) : memory_text(name);
        memory_free(before);
        if (!*text) return KNACK_E_MEMORY;
    }
    int64_t count = 0;
    for (int64_t c = 0; c < classes->count; c++) count += positive[c];
    return count < classes->count ? KNACK_OK
                                  : json_fail(list, KNACK_E_CONFIG, "names every class; at least one must be left to be class 0");
}

static knack_status two_classes(const char *text, struct classes *classes)
{
    struct classes two = {.count = 2, .name = memory_new(2, sizeof *two.name)};
    if (two.name) {
        two.name[0] = memory_format("not %s", text);
        two.name[1] = memory_text(text);
    }
    if (!two.name || !two.name[0] || !two.name[1]) {
        classes_free(&two);
        return KNACK_E_MEMORY;
    }
    classes_free(classes);
    *classes = two;
    return KNACK_OK;
}

static knack_status mark_positive(const struct drawing *drawing, struct classes *classes)
{
    struct dataset *data = drawing->data;
    if (!drawing->settings->positive) return KNACK_OK;
    TRY(need_classes(drawing, "positive"));
    char *text = NULL;
    uint8_t *positive = memory_new((size_t)classes->count, 1);
    if (!positive) return KNACK_E_MEMORY;
    knack_status status = read_positive(drawing->settings->positive, classes, positive, &text);
    for (int p = 0; p < PART_COUNT && status == KNACK_OK; p++)
        for (int64_t i = 0; i < data->part[p].count; i++) data->part[p].label[i] = positive[data->part[p].label[i]];
    if (status == KNACK_OK) status = two_classes(text, classes);
    if (status == KNACK_OK) data->classes = data->outputs = 2;
    memory_free(positive);
    memory_free(text);
    return status;
}

knack_status draw_parts(struct dataset *data, const struct data_settings *settings, uint64_t seed, struct classes *classes)
{
    struct drawing drawing = {data, settings, seed};
    TRY(mark_positive(&drawing, classes));
    TRY(keep_long_tail(&drawing));
    if (!settings->rest) data->pool = data->part[PART_TRAIN].count;
    TRY(draw_validation(&drawing));
    TRY(draw_limit(&drawing));
    if (settings->label_noise == 0) return KNACK_OK;
    TRY(need_classes(&drawing, "label_noise"));
    flip_labels(&drawing);
    return KNACK_OK;
}
