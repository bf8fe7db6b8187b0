/* The metrics of a classification as CSV (RFC 4180): per class, and who was taken for whom. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/growing.h"
#include "base/memory.h"
#include "base/text.h"
#include "train/gathered.h"

static void put_integer(struct growing *csv, int64_t value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%lld", (long long)value);
    growing_put_text(csv, digits);
}

/* A class's name, or its number if it has none; quoted if it must be. */
static void put_class(struct growing *csv, char *const *class_name, int64_t label)
{
    const char *name = class_name ? class_name[label] : NULL;
    if (!name) {
        put_integer(csv, label);
    } else if (!strpbrk(name, ",\"\r\n")) {
        growing_put_text(csv, name);
    } else {
        growing_put_text(csv, "\"");
        for (; *name; name++) growing_put_text(csv, *name == '"' ? "\"\"" : (char[]){*name, '\0'});
        growing_put_text(csv, "\"");
    }
}

/* A comma and a share; nothing behind the comma if it has no value. */
static void put_share(struct growing *csv, double value)
{
    char number[32];
    growing_put_text(csv, ",");
    if (!isnan(value)) growing_put_text(csv, text_number(number, value));
}

char *metrics_classes_csv(struct metrics *metrics, char *const *class_name)
{
    struct growing csv = {0};
    growing_put_text(&csv, "class,count,recall,precision,f1\n");
    for (int64_t c = 0; c < metrics->outputs; c++) {
        struct class_counts counts = class_counts(metrics, c);
        put_class(&csv, class_name, c);
        growing_put_text(&csv, ",");
        put_integer(&csv, counts.actual);
        put_share(&csv, class_recall(counts));
        put_share(&csv, class_precision(counts));
        put_share(&csv, class_f1(counts));
        growing_put_text(&csv, "\n");
    }
    return growing_take(&csv);
}

char *metrics_confusion_csv(struct metrics *metrics, char *const *class_name)
{
    struct growing csv = {0};
    growing_put_text(&csv, "true \\ predicted");
    for (int64_t c = 0; c < metrics->outputs; c++) {
        growing_put_text(&csv, ",");
        put_class(&csv, class_name, c);
    }
    growing_put_text(&csv, "\n");
    for (int64_t row = 0; row < metrics->outputs; row++) {
        put_class(&csv, class_name, row);
        for (int64_t c = 0; c < metrics->outputs; c++) {
            growing_put_text(&csv, ",");
            put_integer(&csv, metrics->confusion[row * metrics->outputs + c]);
        }
        growing_put_text(&csv, "\n");
    }
    return growing_take(&csv);
}
