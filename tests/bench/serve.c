/* A worker: trains one workload through the same loop as `knack run`, or repeats the product that measures the machine, and times its steps
 * when a line on standard input says so. It answers each line with one of JSON, so that whoever drives it can let several of them take
 * turns.
 *
 *     round SECONDS    a tenth of that to warm up, then steps until the time is over -> their number, nanoseconds, page faults, ...
 *     steps N          so many steps -> a hash of the weights
 *
 * The loop asks its observer before every step whether it should end: that is where the clock is read and where lines are waited for. */
#include "opened.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "base/threads.h"
#include "tensor/kernels/kernels.h"
#include "train/state.h"

enum { STEPS_MOST = 1 << 17 }; /* of a round */

struct serving {
    struct run *run; /* NULL: the product */
    enum { WAITING, WARMING, TIMING, COUNTING } phase;
    uint64_t length;             /* nanoseconds: of the round */
    uint64_t began, step_began;  /* the phase; the step */
    int64_t made, wanted;        /* steps of the phase; COUNTING: until when */
    double *step;                /* [STEPS_MOST] nanoseconds; TIMING: of each one made */
    int64_t faults, allocations; /* when TIMING began */
    double tricks;
};

static int64_t faults_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt + usage.ru_majflt;
}

/* Calls of malloc and its like, if the library that counts them was preloaded (counting.c); else 0. */
static int64_t allocations_now(void)
{
    const int64_t *count = dlsym(RTLD_DEFAULT, "counted_allocations");
    return count ? *count : 0;
}

/* Seconds that tricks took for themselves. */
static double tricks_now(const struct run *run)
{
    double sum = 0;
    for (int64_t i = 0; run && i < run->trick_count; i++) sum += run->tricks[i].seconds;
    return sum;
}

/* ---- Answers ---- */

static void answer(struct json_writer *writer)
{
    char *text = json_take(writer);
    if (!text || printf("%s\n", text) < 0 || fflush(stdout) != 0) exit(1);
    memory_free(text);
}

static struct json_writer *new_answer(void)
{
    struct json_writer *writer = json_writer_new(false);
    if (!writer) exit(1);
    json_open(writer, NULL, '{');
    return writer;
}

static void answer_round(struct serving *s)
{
    double steps = (double)s->made;
    int64_t faults = faults_now() - s->faults, allocations = allocations_now();
    double tricks = tricks_now(s->run) - s->tricks;
    struct json_writer *writer = new_answer();
    json_integer(writer, "steps", s->made);
    json_number(writer, "median", quantile(s->step, s->made, 0.5));
    json_number(writer, "low", quantile(s->step, s->made, 0.1));
    json_number(writer, "high", quantile(s->step, s->made, 0.9));
    json_number(writer, "best", quantile(s->step, s->made, 0));
    json_number(writer, "worst", quantile(s->step, s->made, 1));
    json_number(writer, "faults", (double)faults / steps);
    json_number(writer, "allocations", (double)(allocations - s->allocations) / steps);
    json_number(writer, "tricks", tricks * 1e9 / steps);
    json_close(writer);
    answer(writer);
}

static void answer_steps(const struct serving *s)
{
    char hash[32];
    const struct params *p = s->run ? s->run->params : NULL;
    snprintf(hash, sizeof hash, "%016llx",
             p ? (unsigned long long)text_hash(TEXT_HASH, p->live.values, (size_t)p->total * sizeof *p->live.values) : 0ull);
    struct json_writer *writer = new_answer();
    json_integer(writer, "steps", s->made);
    json_string(writer, "hash", hash);
    json_close(writer);
    answer(writer);
}

static void answer_ready(const struct serving *s, const struct workload *w)
{
    struct json_writer *writer = new_answer();
    json_number(writer, "arithmetic", workload_arithmetic(w));
    json_integer(writer, "parameters", s->run ? opened_parameters(s->run) : 0);
    json_close(writer);
    answer(writer);
}

/* ---- Between steps ---- */

/* Asking for page faults is the last system call before a phase and the first after it: bench calls counts those in between. */
static void begin_phase(struct serving *s, int phase)
{
    s->phase = phase;
    s->made = 0;
    s->tricks = tricks_now(s->run);
    s->allocations = allocations_now();
    s->faults = faults_now();
    s->began = nanoseconds();
}

/* Waits for a line; false: there are no more. */
static bool take_command(struct serving *s)
{
    char line[64];
    if (!fgets(line, sizeof line, stdin)) return false;
    if (strncmp(line, "round ", 6) == 0) {
        s->length = (uint64_t)(atof(line + 6) * 1e9);
        begin_phase(s, WARMING);
    } else if (strncmp(line, "steps ", 6) == 0) {
        s->wanted = atoll(line + 6);
        begin_phase(s, COUNTING);
    }
    return s->phase != WAITING;
}

/* Called before every step: true ends the training. */
static bool between_steps(void *user)
{
    struct serving *s = user;
    uint64_t now = nanoseconds();
    switch (s->phase) {
    case TIMING:
        s->step[s->made++] = (double)(now - s->step_began);
        if (s->made < STEPS_MOST && now - s->began < s->length) break;
        answer_round(s);
        s->phase = WAITING;
        break;
    case WARMING:
        if (now - s->began >= s->length / 10) begin_phase(s, TIMING);
        break;
    case COUNTING:
        if (++s->made < s->wanted) break;
        answer_steps(s);
        s->phase = WAITING;
        break;
    case WAITING:
        break;
    }
    if (s->phase == WAITING && !take_command(s)) return true;
    s->step_began = nanoseconds();
    return false;
}

/* ---- What is repeated ---- */

static knack_status train(struct serving *s, const struct workload *w, const struct options *options)
{
    struct run_request request = {.in_memory = true, .observer = {.user = s, .interrupted = between_steps}};
    TRY(opened_run(w, options, request, &s->run));
    answer_ready(s, w);
    knack_status status = run_train(s->run);
    run_close(s->run);
    return status == KNACK_E_INTERRUPTED ? KNACK_OK : status;
}

static knack_status multiply(struct serving *s, const struct workload *w)
{
    enum { SIZE = 1024 };
    static knack_real operand[3][SIZE * SIZE] __attribute__((aligned(64)));
    struct matmul product = {KNACK_REAL, KNACK_REAL, 1, SIZE, SIZE, SIZE, .a = operand[0], .b = operand[1], .c = operand[2]};
    struct arena *arena = arena_new(1 << 20);
    if (!arena) return KNACK_E_MEMORY;
    for (int i = 0; i < 2; i++) random_uniforms(1, (struct random_place){.a = (uint32_t)i}, 0, SIZE * SIZE, operand[i]);
    answer_ready(s, w);
    knack_status status = KNACK_OK;
    while (status >= 0 && !between_steps(s)) {
        status = kernel_matmul(arena, &product);
        arena_reset(arena);
    }
    arena_free(arena);
    return status;
}

knack_status bench_serve(const struct options *options)
{
    struct workload w;
    struct serving s = {.phase = WAITING};
    if (options->names != 1) return status_set(KNACK_E_USAGE, "serve: one workload");
    TRY(workload_find(options->name[0], &w));
    TRY(workload_resize(&w, options->batch, options->width, options->depth, options->tokens));
    s.step = memory_new(STEPS_MOST, sizeof *s.step);
    if (!s.step) return KNACK_E_MEMORY;
    memset(s.step, 1, STEPS_MOST * sizeof *s.step); /* its page faults are not a step's */
    TRY(threads_set((int)options->threads));
    knack_status status = w.kind == PRODUCT ? multiply(&s, &w) : train(&s, &w, options);
    memory_free(s.step);
    return status;
}

knack_status bench_write(const struct options *options)
{
    struct workload w;
    if (options->names != 2) return status_set(KNACK_E_USAGE, "write: a workload and a folder");
    TRY(workload_find(options->name[0], &w));
    if (w.kind == PRODUCT) return status_set(KNACK_E_USAGE, "write: %s has no data", w.name);
    TRY(workload_resize(&w, options->batch, options->width, options->depth, options->tokens));
    TRY(file_make_folder(options->name[1]));
    char *config = workload_config(&w, options->threads, options->bf16, 1, options->plugins);
    char *path = config ? file_join(options->name[1], "config.json") : NULL;
    knack_status status = path ? file_write(path, config, strlen(config)) : KNACK_E_MEMORY;
    memory_free(config);
    memory_free(path);
    return status < 0 ? status : workload_write(&w, options->name[1]);
}
