/* The metrics of a classification as CSV (RFC 4180): per class, and who was taken for whom. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "train/gathered.h"

/* A text that grows; once memory failed it is NULL and stays so. */
struct csv {
    char *text;
    size_t size, capacity;
    bool failed;
};

static void put(struct csv *csv, const char *text, size_t size)
{
    if (csv->failed) return;
    if (csv->size + size + 1 > csv->capacity) {
        size_t capacity = 2 * (csv->size + size) + 256;
        char *grown = memory_resize(csv->text, capacity, 1);
        if (!grown) {
            csv->failed = true;
            return;
        }
        csv->text = grown;
        csv->capacity = capacity;
    }
    memcpy(csv->text + csv->size, text, size);
    csv->size += size;
    csv->text[csv->size] = '\0';
}

static void put_text(struct csv *csv, const char *text)
{
    put(csv, text, strlen(text));
}

static void put_integer(struct csv *csv, int64_t value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%lld", (long long)value);
    put_text(csv, digits);
}

/* A class's name, or its number if it has none; quoted if it must be. */
static void put_class(struct csv *csv, char *const *class_name, int64_t label)
{
    const char *name = class_name ? class_name[label] : NULL;
    if (!name) {
        put_integer(csv, label);
    } else if (!strpbrk(name, ",\"\r\n")) {
        put_text(csv, name);
    } else {
        put_text(csv, "\"");
        for (; *name; name++) put_text(csv, *name == '"' ? "\"\"" : (char[]){*name, '\0'});
        put_text(csv, "\"");
    }
}

/* A comma and a share; nothing behind the comma if it has no value. */
static void put_share(struct csv *csv, double value)
{
    char number[32];
    put_text(csv, ",");
    if (!isnan(value)) put_text(csv, text_number(number, value));
}

static char *finish(struct csv *csv)
{
    if (!csv->failed) return csv->text;
    memory_free(csv->text);
    return NULL;
}

char *metrics_classes_csv(struct metrics *metrics, char *const *class_name)
{
    struct csv csv = {0};
    put_text(&csv, "class,count,recall,precision,f1\n");
    for (int64_t c = 0; c < metrics->outputs; c++) {
        struct class_counts counts = class_counts(metrics, c);
        put_class(&csv, class_name, c);
        put_text(&csv, ",");
        put_integer(&csv, counts.actual);
        put_share(&csv, class_recall(counts));
        put_share(&csv, class_precision(counts));
        put_share(&csv, class_f1(counts));
        put_text(&csv, "\n");
    }
    return finish(&csv);
}

char *metrics_confusion_csv(struct metrics *metrics, char *const *class_name)
{
    struct csv csv = {0};
    put_text(&csv, "true \\ predicted");
    for (int64_t c = 0; c < metrics->outputs; c++) {
        put_text(&csv, ",");
        put_class(&csv, class_name, c);
    }
    put_text(&csv, "\n");
    for (int64_t row = 0; row < metrics->outputs; row++) {
        put_class(&csv, class_name, row);
        for (int64_t c = 0; c < metrics->outputs; c++) {
            put_text(&csv, ",");
            put_integer(&csv, metrics->confusion[row * metrics->outputs + c]);
        }
        put_text(&csv, "\n");
    }
    return finish(&csv);
}
