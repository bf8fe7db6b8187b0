/* Tricks at run time: calling them, and knowing who is being called. */
#include "train/trick.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"
#include "train/state.h"

const char *const slot_name[SLOT_COUNT] = {"open",     "close",         "run_begin", "run_end",    "epoch_begin", "epoch_end",
                                           "pre_step", "post_backward", "post_step", "eval_begin", "eval_end",    "layer",
                                           "head",     "loss",          "gradient",  "predict",    "sweep"};

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Where the run is, for another process: two stores a call. */
static void note_place(struct run *run)
{
    run->place->trick = run->call ? (int32_t)run->call->trick->index : -1;
    run->place->slot = run->call ? (int32_t)run->call->slot : -1;
}

void run_place_text(const struct run_place *place, char *text, size_t room)
{
    int32_t trick = place->trick, slot = place->slot;
    bool known = trick >= 0 && trick < RUN_PLACE_TRICKS && slot >= 0 && slot < SLOT_COUNT;
    *text = '\0';
    if (known) snprintf(text, room, "trick \"%.*s\", hook %s", RUN_PLACE_NAME - 1, place->name[trick], slot_name[slot]);
}

void call_begin(struct call *call, knack_trick *trick, enum slot slot, knack_step *step)
{
    struct run *run = trick->run;
    *call = (struct call){.trick = trick, .slot = slot, .outer = run->call, .step = step, .in_use = run->in_use};
    run->call = call;
    note_place(run);
    trick->calls[slot]++;
    if (slot != SLOT_CLOSE) status_clear(); /* whoever fails without a word must not get an older message */
    call->began = nanoseconds();
}

uint64_t call_pause(void)
{
    return nanoseconds();
}

void call_resume(struct call *call, uint64_t paused)
{
    call->inner += nanoseconds() - paused;
}

/* Which outcomes besides OK and IDLE a slot may give. */
static bool may_return(enum slot slot, knack_status status)
{
    static const uint32_t skip = AT(PRE_STEP) | AT(GRADIENT) | AT(POST_BACKWARD);
    static const uint32_t stop = AT(RUN_BEGIN) | AT(EPOCH_BEGIN) | AT(EPOCH_END) | AT(PRE_STEP) | AT(POST_BACKWARD) | AT(POST_STEP);
    if (status == KNACK_SKIP_UPDATE) return skip >> slot & 1;
    if (status == KNACK_STOP) return stop >> slot & 1;
    return status <= KNACK_IDLE;
}

/* Keeps the first error, with whose call it was before it, for all the frames around. call NULL: nobody's. */
static void keep_failure(struct run *run, const struct call *call, knack_status status)
{
    if (!*knack_error()) status_set(status, "failed with status %d and without a message; knack_fail() gives one", status);
    if (call && call->step && !call->step->evaluation)
        status_prefix(status, "%s, %s, step %lld", call->trick->name, slot_name[call->slot], (long long)run->at.batch + 1);
    else if (call)
        status_prefix(status, "%s, %s", call->trick->name, slot_name[call->slot]);
    if (call && call->slot == SLOT_OPEN) status_prefix(status, "%s: at %s", run->config->file, json_path(call->trick->instance->entry));
    run->failure = status;
    snprintf(run->failure_message, sizeof run->failure_message, "%s", knack_error());
}

static knack_status blame(const struct call *call, knack_status status)
{
    struct run *run = call->trick->run;
    if (run->failure >= 0) keep_failure(run, call, status);
    return status_set(run->failure, "%s", run->failure_message);
}

/* The status, unless an operation on tensors failed: that is why the trick failed too, and whoever ignores its NULL is told all the same.
 */
static knack_status operations(const knack_step *step, knack_status status)
{
    return step->tape.failure < 0 ? tape_status(&step->tape) : status;
}

/* The status, unless a class that the trick wrote is none. */
static knack_status written_targets(const knack_step *step, knack_status status)
{
    knack_status checked = targets_check(&step->targets);
    return checked < 0 ? checked : status;
}

knack_status call_end(struct call *call, knack_status status)
{
    knack_trick *trick = call->trick;
    struct run *run = trick->run;
    uint64_t spent = nanoseconds() - call->began;
    trick->seconds += (double)(spent - (call->inner < spent ? call->inner : spent)) * 1e-9;
    run->call = call->outer;
    run->in_use = call->in_use;
    run->now.weights = call->in_use->name;
    if (call->step && call->step->pass.weights) call->step->pass.weights = call->in_use;
    if (call->step) status = operations(call->step, status);
    if (call->slot == SLOT_PRE_STEP && run->failure >= 0 && status >= 0) status = written_targets(call->step, status);
    if (run->failure < 0 || status < 0) return blame(call, status);
    if (!may_return(call->slot, status)) {
        status_set(KNACK_E_PLUGIN, "returned %d, which is no outcome of %s; see struct knack_plugin in knack/plugin.h", status,
                   slot_name[call->slot]);
        return blame(call, KNACK_E_PLUGIN);
    }
    note_place(run); /* an error leaves the failed call there */
    if (status != KNACK_IDLE) trick->acted[call->slot]++;
    if (run->trace) trace_call(run, trick, call->slot, status);
    return status;
}

knack_status call_fail_current(struct run *run, knack_status code)
{
    if (run->failure >= 0) keep_failure(run, run->call, code);
    return code;
}

knack_status call_fail(struct run *run, knack_status code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    status_set_list(code, format, arguments);
    va_end(arguments);
    return call_fail_current(run, code);
}

bool call_allowed(const knack_trick *trick, uint32_t where, const char *function)
{
    const struct call *call = trick->run->call;
    if (call && call->trick == trick && (where >> call->slot & 1)) return true;
    if (!call)
        call_fail(trick->run, KNACK_E_CALL, "%s() was called outside of any hook of %s", function, trick->name);
    else if (call->trick != trick)
        call_fail(trick->run, KNACK_E_CALL, "%s() was called for %s, which is not the trick that is running", function, trick->name);
    else
        call_fail(trick->run, KNACK_E_CALL, "%s() may not be called in %s; knack/plugin.h says where", function, slot_name[call->slot]);
    return false;
}

knack_trick *call_of_step(const knack_step *step, uint32_t where, const char *function)
{
    const struct call *call = step->run->call;
    if (!call) {
        call_fail(step->run, KNACK_E_CALL, "%s() was called outside of any hook", function);
        return NULL;
    }
    return call_allowed(call->trick, where, function) ? call->trick : NULL;
}

bool call_access(const knack_trick *trick, uint32_t access, bool write, const char *function)
{
    static const char *const names[] = {"gradients", "features", "inputs", "targets", "lr", "plan"};
    const struct manifest *manifest = trick->instance->manifest;
    if ((manifest->writes | (write ? 0 : manifest->reads)) & access) return true;
    int bit = 0;
    while (!(access >> bit & 1)) bit++;
    call_fail(trick->run, KNACK_E_CALL, "%s() needs \"%s\" among %s in %s", function, names[bit],
              write ? "\"writes\"" : "\"reads\" or \"writes\"", manifest->path);
    return false;
}

/* ---- Hooks ---- */

static knack_status call_hook(knack_trick *trick, enum slot slot, knack_step *step)
{
    const knack_plugin *p = trick->plugin;
    knack_status (*plain)(knack_trick *) = NULL;
    knack_status (*stepped)(knack_trick *, knack_step *) = NULL;
    switch (slot) {
    case SLOT_OPEN:
        plain = p->open;
        break;
    case SLOT_RUN_BEGIN:
        plain = p->run_begin;
        break;
    case SLOT_RUN_END:
        plain = p->run_end;
        break;
    case SLOT_EPOCH_BEGIN:
        plain = p->epoch_begin;
        break;
    case SLOT_EPOCH_END:
        plain = p->epoch_end;
        break;
    case SLOT_EVAL_BEGIN:
        plain = p->eval_begin;
        break;
    case SLOT_EVAL_END:
        plain = p->eval_end;
        break;
    case SLOT_PRE_STEP:
        stepped = p->pre_step;
        break;
    case SLOT_POST_BACKWARD:
        stepped = p->post_backward;
        break;
    case SLOT_POST_STEP:
        stepped = p->post_step;
        break;
    default:
        break;
    }
    if (!plain && !stepped) return KNACK_IDLE;
    struct call call;
    call_begin(&call, trick, slot, step);
    return call_end(&call, plain ? plain(trick) : stepped(trick, step));
}

bool trick_spoiled(knack_trick *trick)
{
    const struct params *params = trick->run->params;
    if (flat_finite(params->gradients, params->total)) return false;
    run_warn(trick->run, "%s left a gradient that is not finite; such steps make no update", trick->name);
    return true;
}

knack_status tricks_hook(struct run *run, enum slot slot, knack_step *step)
{
    static const uint32_t changing = AT(POST_STEP) | AT(EPOCH_BEGIN) | AT(EPOCH_END) | AT(EVAL_BEGIN) | AT(EVAL_END) | AT(RUN_END);
    bool reversed = slot == SLOT_RUN_END || slot == SLOT_EPOCH_END || slot == SLOT_EVAL_END;
    knack_status outcome = 0;
    if (changing >> slot & 1) run->changing = true; /* an error leaves it so */
    for (int64_t i = 0; i < run->trick_count; i++) {
        knack_trick *trick = &run->tricks[reversed ? run->trick_count - 1 - i : i];
        if (step && !trick->acting) continue;
        knack_status status = call_hook(trick, slot, step);
        if (status < 0) return status;
        if (slot == SLOT_POST_BACKWARD && status == KNACK_OK && trick_spoiled(trick)) outcome |= OUTCOME_SKIP | OUTCOME_NOT_FINITE;
        if (status == KNACK_SKIP_UPDATE) outcome |= OUTCOME_SKIP;
        if (status == KNACK_STOP) outcome |= OUTCOME_STOP;
        if (status == KNACK_STOP) run_note(run, "%s stops the run: %s, step %lld", trick->name, slot_name[slot], (long long)run->at.batch);
    }
    if (changing >> slot & 1) run->changing = false;
    return outcome;
}

/* ---- Life ---- */

/* Lines of metrics.jsonl have these keys, and numbers of a trick stand under its name. */
static knack_status check_name(const struct instance *instance)
{
    static const char *const weights[] = {"raw", "plain", "best"};
    static const char *const taken[] = {"step", "epoch", "loss", "lr", "skipped", "evaluation", "weights"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (!strcmp(instance->name, taken[i]))
            return json_fail(instance->entry, KNACK_E_CONFIG, "\"%s\" is a key of metrics.jsonl; choose another \"as\"", instance->name);
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        if (!strcmp(instance->name, weights[i]))
            return json_fail(instance->entry, KNACK_E_CONFIG, "\"%s\" names weights that knack evaluates; choose another \"as\"",
                             instance->name);
    return KNACK_OK;
}

knack_status tricks_new(struct run *run)
{
    int64_t count = run->instances->installed;
    run->tricks = memory_new((size_t)count, sizeof *run->tricks);
    if (!run->tricks) return KNACK_E_MEMORY;
    run->trick_count = count;
    for (int64_t i = 0; i < count; i++) {
        knack_trick *trick = &run->tricks[i];
        TRY(check_name(run->instances->list[i]));
        *trick = (knack_trick){.run = run, .instance = run->instances->list[i], .index = i, .acting = true};
        trick->plugin = trick->instance->plugin;
        trick->name = trick->instance->name;
        if (i < RUN_PLACE_TRICKS) snprintf(run->place->name[i], RUN_PLACE_NAME, "%s", trick->name);
        trick->self = memory_new(1, trick->plugin->self_size);
        if (!trick->self) return KNACK_E_MEMORY;
    }
    return KNACK_OK;
}

knack_status tricks_open(struct run *run)
{
    for (int64_t i = 0; i < run->trick_count; i++) {
        run->opened = i + 1;
        TRY(call_hook(&run->tricks[i], SLOT_OPEN, NULL));
        TRY(instance_all_read(run->tricks[i].instance));
    }
    return KNACK_OK;
}

static void trick_free(knack_trick *trick)
{
    for (int64_t i = 0; i < trick->states; i++) {
        memory_free(trick->state[i].name);
        memory_free(trick->state[i].data);
    }
    for (int64_t i = 0; i < trick->perturbations; i++) {
        memory_free(trick->perturbation[i]->layer);
        memory_free(trick->perturbation[i]);
    }
    for (int64_t i = 0; i < trick->metrics; i++) memory_free(trick->metric[i].name);
    for (int64_t i = 0; i < trick->warnings; i++) memory_free(trick->warned[i]);
    memory_free(trick->state);
    memory_free(trick->perturbation);
    memory_free(trick->metric);
    memory_free(trick->warned);
    memory_free(trick->watches);
    memory_free(trick->self);
}

void tricks_close(struct run *run)
{
    int32_t trick_at = run->place->trick, slot_at = run->place->slot; /* of what failed */
    for (int64_t i = run->opened - 1; i >= 0; i--) {
        knack_trick *trick = &run->tricks[i];
        if (!trick->plugin->close) continue;
        struct call call;
        run->failure = KNACK_OK; /* of the run, which its caller knows */
        call_begin(&call, trick, SLOT_CLOSE, NULL);
        trick->plugin->close(trick);
        if (call_end(&call, KNACK_OK) < 0) run_warn(run, "%s", knack_error()); /* nothing is left that could stop */
    }
    run->place->trick = trick_at;
    run->place->slot = slot_at;
    for (int64_t i = 0; i < run->trick_count; i++) trick_free(&run->tricks[i]);
    memory_free(run->tricks);
    run->tricks = NULL;
    run->trick_count = run->opened = 0;
}

/* Among the members of a group one is drawn by share; a group of one always acts. */
static void draw_member(struct run *run, const char *group, uint32_t batch)
{
    double total = 0, below = 0;
    for (int64_t i = 0; i < run->trick_count; i++) {
        const char *own = run->tricks[i].instance->manifest->one_of;
        if (own && !strcmp(own, group)) total += run->tricks[i].instance->share;
    }
    char name[128];
    snprintf(name, sizeof name, "one_of.%s", group);
    double draw = random_uniform(random_key(run->seed, name), (struct random_place){batch, 0, 0}, 0) * total;
    for (int64_t i = 0; i < run->trick_count; i++) {
        knack_trick *trick = &run->tricks[i];
        const char *own = trick->instance->manifest->one_of;
        if (!own || strcmp(own, group) != 0) continue;
        trick->acting = draw >= below && draw < below + trick->instance->share;
        below += trick->instance->share;
    }
}

/* Their memory was the last batch's. */
static void forget_perturbations(knack_trick *trick)
{
    for (int64_t k = 0; k < trick->perturbations; k++) trick->perturbation[k]->public = (struct knack_perturbation){0};
}

void tricks_begin_batch(struct run *run, uint32_t batch)
{
    for (int64_t i = 0; i < run->trick_count; i++) {
        knack_trick *trick = &run->tricks[i];
        const char *group = trick->instance->manifest->one_of;
        trick->local = NULL;
        forget_perturbations(trick);
        if (!group) continue;
        bool first = true;
        for (int64_t j = 0; j < i && first; j++) {
            const char *other = run->tricks[j].instance->manifest->one_of;
            first = !other || strcmp(other, group) != 0;
        }
        if (first) draw_member(run, group, batch);
    }
}

void tricks_begin_evaluation(struct run *run)
{
    for (int64_t i = 0; i < run->trick_count; i++) {
        run->tricks[i].acting = true;
        run->tricks[i].local = NULL;
        forget_perturbations(&run->tricks[i]);
    }
}

const struct trick_metric *trick_metric_find(const knack_trick *trick, const char *name)
{
    for (int64_t i = 0; i < trick->metrics; i++)
        if (!strcmp(trick->metric[i].name, name)) return &trick->metric[i];
    return NULL;
}
