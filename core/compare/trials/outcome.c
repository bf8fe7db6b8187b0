/* What a trial tells, as bytes: fields one after the other as this machine holds them, texts and lists with their length before them. Both
 * ends of the pipe are one program. */
#include <string.h>

#include "base/memory.h"
#include "compare/trials/trial.h"

void trial_outcome_free(struct trial_outcome *outcome)
{
    memory_free(outcome->metric);
    memory_free(outcome->correct);
    memory_free(outcome->loss);
    memory_free(outcome->resolved);
    memory_free(outcome->tricks);
    memory_free(outcome->identity);
    outcome->metric = NULL;
    outcome->correct = NULL;
    outcome->loss = NULL;
    outcome->resolved = outcome->tricks = outcome->identity = NULL;
    outcome->metrics = outcome->examples = 0;
}

/* Bytes that are written (to NULL: only counted), or read. */
struct stream {
    uint8_t *to;
    const uint8_t *from;
    size_t at, size; /* size: of what is read */
    knack_status status;
};

/* Writes a field, or reads it. */
static void field(struct stream *s, void *value, size_t size)
{
    if (s->status < 0) return;
    if (s->from && size > s->size - s->at) {
        s->status = status_set(KNACK_E_DATA, "a trial's outcome is cut off after %zu bytes", s->size);
        return;
    }
    if (s->from && size > 0) memcpy(value, s->from + s->at, size);
    if (s->to && size > 0) memcpy(s->to + s->at, value, size);
    s->at += size;
}

/* A text of fixed room. */
static void text_field(struct stream *s, char *text, size_t room)
{
    uint64_t length = s->from ? 0 : strnlen(text, room - 1);
    field(s, &length, sizeof length);
    if (s->status >= 0 && length >= room) s->status = status_set(KNACK_E_DATA, "a trial's outcome holds a text that is too long");
    if (s->status < 0) return;
    field(s, text, (size_t)length);
    if (s->from) text[length] = '\0';
}

/* A list [count] of entries of that size, whose memory is made when it is read; or NULL. More bytes than there are, are never made. */
static void list_field(struct stream *s, void **list, int64_t count, size_t size)
{
    uint8_t there = *list != NULL;
    field(s, &there, 1);
    if (s->status < 0 || !there) return;
    if (s->from) {
        if (count < 0 || (uint64_t)count > (s->size - s->at) / size) {
            s->status = status_set(KNACK_E_DATA, "a trial's outcome is cut off after %zu bytes", s->size);
            return;
        }
        *list = memory_new((size_t)count, size);
        if (!*list) s->status = KNACK_E_MEMORY;
    }
    field(s, *list, (size_t)count * size);
}

/* A text of any length, or NULL. */
static void long_text_field(struct stream *s, char **text)
{
    int64_t size = s->from || !*text ? 0 : (int64_t)strlen(*text) + 1;
    void *bytes = *text;
    field(s, &size, sizeof size);
    list_field(s, &bytes, size, 1);
    *text = bytes;
    if (s->status >= 0 && s->from && bytes && (size < 1 || (*text)[size - 1] != '\0'))
        s->status = status_set(KNACK_E_DATA, "a trial's outcome holds a text without an end");
}

static void metric_field(struct stream *s, struct trial_metric *metric)
{
    uint8_t final = metric->final;
    text_field(s, metric->part, sizeof metric->part);
    text_field(s, metric->weights, sizeof metric->weights);
    text_field(s, metric->metric, sizeof metric->metric);
    field(s, &metric->update, sizeof metric->update);
    field(s, &metric->epoch, sizeof metric->epoch);
    field(s, &metric->value, sizeof metric->value);
    field(s, &final, sizeof final);
    metric->final = final != 0;
}

/* Every metric has more than one byte, so a count of more than there are bytes is none. */
static void metric_fields(struct stream *s, struct trial_outcome *outcome)
{
    field(s, &outcome->metrics, sizeof outcome->metrics);
    if (s->status < 0) return;
    if (s->from) {
        if (outcome->metrics < 0 || (uint64_t)outcome->metrics > s->size - s->at) {
            s->status = status_set(KNACK_E_DATA, "a trial's outcome is cut off after %zu bytes", s->size);
            outcome->metrics = 0;
            return;
        }
        outcome->metric = memory_new((size_t)outcome->metrics, sizeof *outcome->metric);
        if (!outcome->metric) s->status = KNACK_E_MEMORY;
    }
    for (int64_t i = 0; i < outcome->metrics && s->status >= 0; i++) metric_field(s, &outcome->metric[i]);
}

static void cost_fields(struct stream *s, struct trial_cost *cost)
{
    field(s, &cost->updates, sizeof cost->updates);
    field(s, &cost->gradient_rows, sizeof cost->gradient_rows);
    field(s, &cost->forward_rows, sizeof cost->forward_rows);
    field(s, &cost->inference, sizeof cost->inference);
    field(s, &cost->seconds, sizeof cost->seconds);
    field(s, &cost->cpu_seconds, sizeof cost->cpu_seconds);
    field(s, &cost->peak_memory, sizeof cost->peak_memory);
}

static void example_fields(struct stream *s, struct trial_outcome *outcome)
{
    void *correct = outcome->correct, *loss = outcome->loss;
    field(s, &outcome->examples, sizeof outcome->examples);
    list_field(s, &correct, outcome->examples, sizeof *outcome->correct);
    outcome->correct = correct;
    list_field(s, &loss, outcome->examples, sizeof *outcome->loss);
    outcome->loss = loss;
}

/* All of it, in either direction. */
static void outcome_fields(struct stream *s, struct trial_outcome *outcome)
{
    int32_t status = (int32_t)outcome->status, code = outcome->code;
    field(s, &status, sizeof status);
    if (s->status >= 0 && (status < TRIAL_DONE || status > TRIAL_BROKEN))
        s->status = status_set(KNACK_E_DATA, "a trial's outcome has status %d, which there is not", status);
    outcome->status = (enum trial_status)status;
    text_field(s, outcome->message, sizeof outcome->message);
    field(s, &code, sizeof code);
    outcome->code = code;
    field(s, &outcome->value, sizeof outcome->value);
    text_field(s, outcome->weights, sizeof outcome->weights);
    text_field(s, outcome->idle, sizeof outcome->idle);
    field(s, &outcome->initial, sizeof outcome->initial);
    field(s, &outcome->updates, sizeof outcome->updates);
    field(s, &outcome->parameters, sizeof outcome->parameters);
    cost_fields(s, &outcome->cost);
    metric_fields(s, outcome);
    example_fields(s, outcome);
    long_text_field(s, &outcome->resolved);
    long_text_field(s, &outcome->tricks);
    long_text_field(s, &outcome->identity);
}

void *trial_outcome_pack(const struct trial_outcome *outcome, size_t *size)
{
    struct trial_outcome same = *outcome; /* what it points to is only read */
    struct stream counting = {0};
    outcome_fields(&counting, &same);
    struct stream writing = {.to = memory_new(counting.at, 1)};
    if (!writing.to) return NULL;
    outcome_fields(&writing, &same);
    *size = writing.at;
    return writing.to;
}

knack_status trial_outcome_unpack(const void *bytes, size_t size, struct trial_outcome *outcome)
{
    static const uint8_t nothing;
    struct stream s = {.from = size > 0 ? bytes : &nothing, .size = size};
    *outcome = (struct trial_outcome){0};
    outcome_fields(&s, outcome);
    if (s.status >= 0 && s.at != size) s.status = status_set(KNACK_E_DATA, "a trial's outcome has %zu bytes after its end", size - s.at);
    if (s.status >= 0) return KNACK_OK;
    trial_outcome_free(outcome);
    *outcome = (struct trial_outcome){.status = TRIAL_BROKEN};
    return s.status;
}
