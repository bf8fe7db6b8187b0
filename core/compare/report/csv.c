/* values.csv: a row for each trial. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "compare/report/report.h"

/* Text that grows. */
struct sheet {
    char *text;
    size_t used, room;
    bool failed;
};

static void put(struct sheet *sheet, const char *data, size_t size)
{
    if (sheet->failed) return;
    if (sheet->room - sheet->used <= size) {
        size_t room = 2 * sheet->room + size + 1024;
        char *text = memory_resize(sheet->text, room, 1);
        if (!text) {
            sheet->failed = true;
            return;
        }
        sheet->text = text;
        sheet->room = room;
    }
    memcpy(sheet->text + sheet->used, data, size);
    sheet->used += size;
    sheet->text[sheet->used] = '\0';
}

/* As RFC 4180 has it: quoted if it must be, quotes doubled. */
static void put_field(struct sheet *sheet, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        put(sheet, text, strlen(text));
        return;
    }
    put(sheet, "\"", 1);
    for (; *text; text++) put(sheet, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
    put(sheet, "\"", 1);
}

/* Empty for NaN. */
static void put_number(struct sheet *sheet, double value)
{
    char number[32];
    put(sheet, ",", 1);
    if (!isnan(value)) put_field(sheet, text_number(number, value));
}

/* mean minus baseline in this seed, where both trials are. */
static double difference_of(const struct analysis *analysis, int64_t arm, int64_t i)
{
    const struct arm_result *base = &analysis->arm[0], *own = &analysis->arm[arm];
    for (int64_t k = 0; arm > 0 && k < base->n; k++)
        if (base->seed[k] == own->seed[i]) return own->value[i] - base->value[k];
    return NAN;
}

static void put_trial(struct sheet *sheet, const struct analysis *analysis, int64_t arm, int64_t i)
{
    const struct arm_result *result = &analysis->arm[arm];
    char seed[32];
    put_field(sheet, result->arm->name);
    put(sheet, ",", 1);
    put_field(sheet, arm_kind_name[result->arm->kind]);
    snprintf(seed, sizeof seed, ",%lld,", (long long)result->seed[i]);
    put(sheet, seed, strlen(seed));
    put_field(sheet, trial_status_name[result->status[i]]);
    put_number(sheet, result->value[i]);
    put_number(sheet, difference_of(analysis, arm, i));
    put(sheet, ",", 1);
    put_field(sheet, result->message[i] ? result->message[i] : "");
    put(sheet, "\n", 1);
}

char *report_csv(const struct analysis *analysis)
{
    struct sheet sheet = {0};
    static const char heading[] = "arm,kind,seed,status,value,difference,message\n";
    put(&sheet, heading, sizeof heading - 1);
    for (int64_t a = 0; a < analysis->plan->arms; a++)
        for (int64_t i = 0; i < analysis->arm[a].n; i++) put_trial(&sheet, analysis, a, i);
    if (!sheet.failed) return sheet.text;
    memory_free(sheet.text);
    return NULL;
}
