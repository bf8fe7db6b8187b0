/* The contract: facts, memory and reports. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "train/state.h"

const struct knack_task *knack_task(knack_trick *trick)
{
    return &trick->run->task;
}

const struct knack_now *knack_now(knack_trick *trick)
{
    /* A trick that asks too early must not crash before the host sees the error, so it gets the facts all the same. */
    call_allowed(trick, ANYWHERE & ~AT(OPEN), "knack_now");
    return &trick->run->now;
}

const char *knack_name(const knack_trick *trick)
{
    return trick->name;
}

void *knack_self(const knack_trick *trick)
{
    return trick->self;
}

void *knack_local(knack_trick *trick, knack_step *step)
{
    if (!trick->local) trick->local = arena_zeroed(step->run->step_arena, trick->plugin->local_size);
    if (!trick->local) call_fail_current(trick->run, KNACK_E_MEMORY);
    return trick->local;
}

void *knack_scratch(knack_step *step, size_t bytes)
{
    void *memory = arena_zeroed(step->run->step_arena, bytes);
    if (!memory) call_fail_current(step->run, KNACK_E_MEMORY);
    return memory;
}

knack_status knack_fail(knack_trick *trick, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    status_set_list(KNACK_E_PLUGIN, format, arguments);
    va_end(arguments);
    return call_fail_current(trick->run, KNACK_E_PLUGIN);
}

void knack_warn(knack_trick *trick, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (int64_t i = 0; i < trick->warnings; i++)
        if (!strcmp(trick->warned[i], text)) return;
    char **grown = memory_resize(trick->warned, (size_t)trick->warnings + 1, sizeof *grown);
    if (grown) trick->warned = grown;
    char *copy = grown ? memory_text(text) : NULL;
    if (copy) trick->warned[trick->warnings++] = copy;
    run_warn(trick->run, "%s: %s", trick->name, text);
}

void knack_metric(knack_trick *trick, const char *name, double value)
{
    if (!call_allowed(trick, ANYWHERE & ~(AT(OPEN) | AT(CLOSE)), "knack_metric")) return;
    int64_t at = 0;
    while (at < trick->metrics && strcmp(trick->metric[at].name, name) < 0) at++;
    if (at < trick->metrics && !strcmp(trick->metric[at].name, name)) {
        trick->metric[at].value = value;
        trick->metric[at].pending = true;
        return;
    }
    struct trick_metric *grown = memory_resize(trick->metric, (size_t)trick->metrics + 1, sizeof *grown);
    if (grown) trick->metric = grown;
    char *copy = grown ? memory_text(name) : NULL;
    if (!copy) {
        call_fail_current(trick->run, KNACK_E_MEMORY);
        return;
    }
    memmove(&trick->metric[at + 1], &trick->metric[at], (size_t)(trick->metrics++ - at) * sizeof *trick->metric);
    trick->metric[at] = (struct trick_metric){copy, value, true};
}
