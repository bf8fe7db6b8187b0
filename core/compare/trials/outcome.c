/* What a trial tells, as bytes: the struct as this machine holds it, then what it points to. Both ends of the pipe are one program, but the
 * trial's end may have been written over. */
#include <string.h>

#include "base/memory.h"
#include "compare/trials/trial.h"

void trial_outcome_free(struct trial_outcome *outcome)
{
    memory_free(outcome->metric);
    memory_free(outcome->correct);
    memory_free(outcome->loss);
    memory_free(outcome->warnings);
    memory_free(outcome->resolved);
    memory_free(outcome->tricks);
    memory_free(outcome->identity);
    outcome->metric = NULL;
    outcome->correct = NULL;
    outcome->loss = NULL;
    outcome->warnings = outcome->resolved = outcome->tricks = outcome->identity = NULL;
    outcome->metrics = outcome->examples = 0;
}

/* Bytes that are written (to NULL: only counted), or read. */
struct stream {
    uint8_t *to;
    const uint8_t *from;
    size_t at, size; /* size: of what is read */
    knack_status status;
};

/* Writes them, or reads them, if so many are there. */
static bool pass(struct stream *s, void *value, size_t count, size_t size)
{
    if (s->status >= 0 && s->from && count > (s->size - s->at) / size)
        s->status = status_set(KNACK_E_DATA, "a trial's outcome is cut off after %zu bytes", s->size);
    if (s->status < 0) return false;
    if (s->from && value && count > 0) memcpy(value, s->from + s->at, count * size);
    if (s->to && count > 0) memcpy(s->to + s->at, value, count * size);
    if (value) s->at += count * size;
    return true;
}

/* A list [count], or NULL; when it is read, `list` only says whether there is one, and its memory is made. */
static void *pass_list(struct stream *s, void *list, int64_t count, size_t size)
{
    void *own = list;
    if (s->from) own = NULL;
    if (!list || (s->from && !pass(s, NULL, (size_t)count, size))) return own;
    if (s->from && !(own = memory_new((size_t)count, size))) s->status = KNACK_E_MEMORY;
    pass(s, own, (size_t)count, size);
    return own;
}

static char *pass_text(struct stream *s, char *text)
{
    size_t size = s->from || !text ? 0 : strlen(text) + 1;
    if (text) pass(s, &size, 1, sizeof size);
    char *own = pass_list(s, text, (int64_t)size, 1);
    if (s->status >= 0 && s->from && own && (size == 0 || own[size - 1] != '\0'))
        s->status = status_set(KNACK_E_DATA, "a trial's outcome holds a text without an end");
    return own;
}

/* What was read ends its texts, and has values that there are. */
static void mend(struct stream *s, struct trial_outcome *outcome)
{
    if (outcome->status < TRIAL_DONE || outcome->status > TRIAL_BROKEN || outcome->fault < FAULT_NONE || outcome->fault > FAULT_MACHINE)
        s->status = status_set(KNACK_E_DATA, "a trial's outcome has status %d, which there is not", (int)outcome->status);
    outcome->message[sizeof outcome->message - 1] = outcome->weights[sizeof outcome->weights - 1] = '\0';
    outcome->idle[sizeof outcome->idle - 1] = outcome->place[sizeof outcome->place - 1] = '\0';
    for (int64_t i = 0; outcome->metric && i < outcome->metrics; i++) {
        struct trial_metric *metric = &outcome->metric[i];
        uint8_t final;
        metric->part[sizeof metric->part - 1] = metric->weights[sizeof metric->weights - 1] = '\0';
        metric->metric[sizeof metric->metric - 1] = '\0';
        memcpy(&final, &metric->final, 1);
        metric->final = final != 0;
    }
}

/* All of it, in either direction. */
static void pass_outcome(struct stream *s, struct trial_outcome *outcome)
{
    pass(s, outcome, 1, sizeof *outcome);
    outcome->metric = pass_list(s, outcome->metric, outcome->metrics, sizeof *outcome->metric);
    outcome->correct = pass_list(s, outcome->correct, outcome->examples, sizeof *outcome->correct);
    outcome->loss = pass_list(s, outcome->loss, outcome->examples, sizeof *outcome->loss);
    outcome->warnings = pass_text(s, outcome->warnings);
    outcome->resolved = pass_text(s, outcome->resolved);
    outcome->tricks = pass_text(s, outcome->tricks);
    outcome->identity = pass_text(s, outcome->identity);
    if (s->from && s->status >= 0) mend(s, outcome);
}

void *trial_outcome_pack(const struct trial_outcome *outcome, size_t *size)
{
    struct trial_outcome same = *outcome; /* what it points to is only read */
    struct stream counting = {0};
    pass_outcome(&counting, &same);
    struct stream writing = {.to = memory_new(counting.at, 1)};
    if (!writing.to) return NULL;
    pass_outcome(&writing, &same);
    *size = writing.at;
    return writing.to;
}

knack_status trial_outcome_unpack(const void *bytes, size_t size, struct trial_outcome *outcome)
{
    static const uint8_t nothing;
    struct stream s = {.from = size > 0 ? bytes : &nothing, .size = size};
    *outcome = (struct trial_outcome){0};
    pass_outcome(&s, outcome);
    if (s.status >= 0 && s.at != size) s.status = status_set(KNACK_E_DATA, "a trial's outcome has %zu bytes after its end", size - s.at);
    if (s.status >= 0) return KNACK_OK;
    trial_outcome_free(outcome);
    *outcome = (struct trial_outcome){.status = TRIAL_BROKEN};
    return s.status;
}
