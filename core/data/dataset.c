#include "data/dataset.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/augment.h"
#include "data/draw.h"
#include "data/form.h"
#include "data/inputs.h"
#include "data/named.h"
#include "data/settings.h"

const char *const data_part_name[PART_COUNT + 1] = {"train", "validation", "test", NULL};

/* What is there while a data set is opened. */
struct opening {
    struct data_settings settings;
    const char *base;
    uint64_t seed;
    struct table train, test; /* test.source NULL: none, or a part of train */
    int64_t test_every;       /* every so manieth row of train, from the first, is a test row; 0: none */
    struct classes classes;
    struct dataset *data;
};

/* ---- Files ---- */

static knack_status open_tables(struct opening *opening)
{
    const struct data_settings *settings = &opening->settings;
    const struct csv_like anything = {0};
    if (settings->train.kind == FORM_NAMED)
        TRY(named_open(settings->train.named, &opening->train, &opening->test, &opening->test_every));
    else
        TRY(form_open(&settings->train, opening->base, &anything, &opening->train));
    if (settings->train.kind == FORM_NAMED && settings->train.divide > 0) {
        opening->train.source->divide = settings->train.divide;
        if (opening->test.source) opening->test.source->divide = settings->train.divide;
    }
    if (!settings->has_test) return KNACK_OK;

    struct csv_like like = {.column = (const char *const *)opening->train.column,
                            .columns = opening->train.columns,
                            .text_target = opening->train.targets.name != NULL};
    table_free(&opening->test); /* a named set's own gives way */
    opening->test_every = 0;
    return form_open(&settings->test, opening->base, &like, &opening->test);
}

/* Moves sources and columns into the data set; the test rows' numbers run on behind the training rows'. */
static knack_status adopt_sources(struct opening *opening)
{
    struct dataset *data = opening->data;
    struct source *train = opening->train.source, *test = opening->test.source;
    data->source = memory_new(2, sizeof *data->source);
    if (!data->source) return KNACK_E_MEMORY;
    data->ndim = train->ndim;
    memcpy(data->shape, train->shape, sizeof data->shape);
    data->width = train->width;
    data->input_type = train->array.type;
    data->divide = train->divide;
    if (test) {
        TRY(inputs_fit(data, test, opening->settings.has_test ? opening->settings.test.divide : test->divide));
        if (train->count > INT32_MAX - test->count)
            return status_set(KNACK_E_DATA, "training and test data have more than 2147483647 rows");
        train->next = test;
    }
    data->column = opening->train.column;
    opening->train.column = NULL;
    opening->train.columns = 0;
    for (struct source *source = train; source; source = source->next) {
        int64_t missing;
        TRY(source_check(source, &missing));
        if (missing < 0 || data->missing) continue;
        data->missing = true;
        data->first_missing = inputs_place(data, source, missing);
        if (!data->first_missing) return KNACK_E_MEMORY;
    }
    data->source[data->source_count++] = train;
    if (test) data->source[data->source_count++] = test;
    opening->train.source = opening->test.source = NULL;
    return KNACK_OK;
}

/* ---- Targets ---- */

static knack_status choose_task(struct opening *opening)
{
    const struct targets *targets = &opening->train.targets;
    opening->data->kind = (enum knack_task_kind)opening->settings.task;
    if (opening->settings.task) return KNACK_OK;
    opening->data->kind = KNACK_CLASSIFICATION;
    if (targets->name || targets->integers) return KNACK_OK;
    return settings_fail(&opening->settings, "task",
                         "the targets of %s are numbers; say \"task\": \"regression\", or \"classification\" if they stand for classes",
                         targets->file);
}

/* The names of a named data set's classes, if it has all of them. */
static knack_status name_classes(struct opening *opening)
{
    struct classes *classes = &opening->classes;
    const struct form *form = &opening->settings.train;
    const char *const *name = form->kind == FORM_NAMED ? named_classes(form->named) : NULL;
    if (!name || classes->count != NAMED_CLASSES) return KNACK_OK;
    classes->name = memory_new(NAMED_CLASSES, sizeof *classes->name);
    if (!classes->name) return KNACK_E_MEMORY;
    for (int64_t c = 0; c < NAMED_CLASSES; c++) {
        classes->name[c] = memory_text(name[c]);
        if (!classes->name[c]) return KNACK_E_MEMORY;
    }
    return KNACK_OK;
}

/* All rows of a table, whose numbers begin with first. */
static knack_status make_part(struct opening *opening, const struct targets *targets, int64_t first, struct part *part)
{
    struct dataset *data = opening->data;
    if (targets->width != opening->train.targets.width)
        return status_set(KNACK_E_DATA, "%s has %lld numbers a target; %s has %lld", targets->file, (long long)targets->width,
                          opening->train.targets.file, (long long)opening->train.targets.width);
    TRY(part_new(data, targets->count, part));
    part->source = data->source[0];
    for (int64_t i = 0; i < part->count; i++) part->row[i] = (int32_t)(first + i);
    return part->label ? classes_label(&opening->classes, targets, part->label) : targets_numbers(targets, part->target);
}

/* Moves every so manieth row of the training part to the test part. */
static knack_status split_test(struct dataset *data, int64_t every)
{
    struct part all = data->part[PART_TRAIN];
    int32_t *index = memory_resize(NULL, (size_t)all.count, sizeof *index);
    if (!index) return KNACK_E_MEMORY;
    int64_t test = 0, train = (all.count + every - 1) / every;
    for (int64_t i = 0; i < all.count; i++) index[i % every == 0 ? test++ : train++] = (int32_t)i;
    data->part[PART_TRAIN] = (struct part){0};
    knack_status status = part_take(data, &all, index, test, &data->part[PART_TEST]);
    if (status == KNACK_OK) status = part_take(data, &all, index + test, all.count - test, &data->part[PART_TRAIN]);
    part_free(&all);
    memory_free(index);
    return status;
}

static knack_status make_parts(struct opening *opening)
{
    struct dataset *data = opening->data;
    const struct targets *train = &opening->train.targets, *test = &opening->test.targets;
    TRY(choose_task(opening));
    data->outputs = train->width;
    if (data->kind == KNACK_CLASSIFICATION) {
        TRY(classes_find(train, &opening->classes));
        TRY(name_classes(opening));
        data->outputs = data->classes = opening->classes.count;
    }
    TRY(make_part(opening, train, 0, &data->part[PART_TRAIN]));
    if (test->file) TRY(make_part(opening, test, data->source[0]->count, &data->part[PART_TEST]));
    if (opening->test_every) TRY(split_test(data, opening->test_every));
    data->drawn_from = data_fingerprint(data);
    TRY(draw_parts(data, &opening->settings, opening->seed, &opening->classes));
    data->class_name = opening->classes.name;
    opening->classes.name = NULL;
    return KNACK_OK;
}

static knack_status count_classes(struct dataset *data)
{
    if (data->kind != KNACK_CLASSIFICATION) return KNACK_OK;
    const struct part *train = &data->part[PART_TRAIN];
    data->class_count = memory_new((size_t)data->classes, sizeof *data->class_count);
    if (!data->class_count) return KNACK_E_MEMORY;
    for (int64_t i = 0; i < train->count; i++) data->class_count[train->label[i]]++;
    return KNACK_OK;
}

/* ---- The title ---- */

/* "60,000" */
static const char *thousands(char text[32], int64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)number);
    char *to = text;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

static knack_status write_title(struct opening *opening)
{
    struct dataset *data = opening->data;
    const struct form *form = &opening->settings.train;
    char counts[160] = "", number[32], shape[ARRAY_TEXT];
    int used = 0;
    for (int p = 0; p < PART_COUNT; p++)
        if (data->part[p].count)
            used +=
                snprintf(counts + used, sizeof counts - (size_t)used, "%s %s, ", thousands(number, data->part[p].count), data_part_name[p]);
    const char *name = form->kind == FORM_NAMED ? named_name[form->named] : form->file ? form->file : form->inputs;
    array_shape_text(shape, data->ndim, data->shape);
    data->title =
        memory_format("%s: %s%s%s, %s %s%s", name, counts, shape, data->ndim == 1 ? (data->width == 1 ? " value" : " values") : "",
                      thousands(number, data->outputs), data->kind == KNACK_CLASSIFICATION ? "classes" : "output",
                      data->kind == KNACK_REGRESSION && data->outputs > 1 ? "s" : "");
    return data->title ? KNACK_OK : KNACK_E_MEMORY;
}

/* ---- Opening and closing ---- */

static knack_status open_augmentations(struct opening *opening)
{
    struct dataset *data = opening->data;
    const struct json *list = opening->settings.augment;
    if (!list) return KNACK_OK;
    if (data->ndim != 3 && list->count > 0)
        return settings_fail(&opening->settings, "augment", "changes images; the rows are %lld values", (long long)data->width);
    return augment_read(list, data->shape[0], data->shape[1], &data->augmentation, &data->augmentation_count);
}

static knack_status fill_dataset(struct opening *opening, const struct json *config)
{
    struct dataset *data = opening->data;
    TRY(settings_read_data(config, &opening->settings));
    TRY(open_tables(opening));
    TRY(adopt_sources(opening));
    TRY(make_parts(opening));
    TRY(count_classes(data));
    data->shuffle = opening->settings.shuffle;
    if (opening->settings.standardise) TRY(inputs_measure(data));
    TRY(inputs_prepare(data));
    TRY(open_augmentations(opening));
    return write_title(opening);
}

knack_status data_open(const struct json *config, const char *base, uint64_t seed, struct dataset **data)
{
    *data = NULL;
    struct opening opening = {.base = base, .seed = seed, .data = memory_new(1, sizeof(struct dataset))};
    if (!opening.data) return KNACK_E_MEMORY;
    knack_status status = fill_dataset(&opening, config);
    table_free(&opening.train);
    table_free(&opening.test);
    classes_free(&opening.classes);
    if (status < 0) {
        data_close(opening.data);
        return status;
    }
    *data = opening.data;
    return KNACK_OK;
}

knack_status data_complete(const struct json *config, const struct dataset *data)
{
    struct data_settings settings;
    struct augmentation *augmentation = NULL;
    int64_t count;
    TRY(settings_read_data(config, &settings));
    if (!settings.augment || data->ndim != 3) return KNACK_OK;
    knack_status status = augment_read(settings.augment, data->shape[0], data->shape[1], &augmentation, &count);
    memory_free(augmentation);
    return status;
}

static void free_texts(char **text, int64_t count)
{
    for (int64_t i = 0; text && i < count; i++) memory_free(text[i]);
    memory_free(text);
}

void data_close(struct dataset *data)
{
    if (!data) return;
    for (int p = 0; p < PART_COUNT; p++) part_free(&data->part[p]);
    for (int64_t i = 0; i < data->source_count; i++) source_free(data->source[i]);
    memory_free(data->source);
    free_texts(data->class_name, data->classes);
    free_texts(data->column, data->width);
    memory_free(data->class_count);
    memory_free(data->mean);
    memory_free(data->deviation);
    memory_free(data->augmentation);
    memory_free(data->fill);
    memory_free(data->scratch);
    memory_free(data->title);
    memory_free(data->first_missing);
    memory_free(data);
}
