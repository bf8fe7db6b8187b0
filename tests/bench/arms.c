#include "arms.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

/* ---- Processes ---- */

enum { WORDS = 24, NUMBERS = 5, NOT_RUN = 127 };

/* The command line of its worker; numbers are written to buffers. */
static void command_line(const struct arm *arm, const char *words[WORDS], char number[NUMBERS][24])
{
    int count = 0, numbers = 0;
    const struct {
        const char *name;
        int64_t value;
    } sizes[NUMBERS] = {
        {"--threads", arm->threads}, {"--batch", arm->batch}, {"--width", arm->width}, {"--depth", arm->depth}, {"--tokens", arm->tokens}};
    words[count++] = "bench";
    words[count++] = "serve";
    words[count++] = arm->workload;
    for (int i = 0; i < NUMBERS; i++) {
        if (sizes[i].value == 0) continue;
        snprintf(number[numbers], sizeof number[numbers], "%lld", (long long)sizes[i].value);
        words[count++] = sizes[i].name;
        words[count++] = number[numbers++];
    }
    if (arm->bf16) words[count++] = "--bf16";
    bool plugins = arm->plugins && arm->plugins[0] != '\0';
    if (plugins) words[count++] = "--plugins";
    if (plugins) words[count++] = arm->plugins;
    words[count] = NULL;
}

static void become_worker(const struct arm *arm, int in, int out)
{
    const char *words[WORDS];
    char number[NUMBERS][24], *counting = arm->counting ? bench_beside("libcounting.so") : NULL;
    command_line(arm, words, number);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    if (counting) setenv("LD_PRELOAD", counting, 1);
    execv(arm->program ? arm->program : "/proc/self/exe", (char *const *)words);
    _exit(NOT_RUN);
}

static knack_status start_process(struct arm *arm)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return status_set(KNACK_E_IO, "no pipe to a worker");
    fflush(NULL);
    arm->process = fork();
    if (arm->process == 0) become_worker(arm, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    arm->to = fdopen(in[1], "w");
    arm->from = fdopen(out[0], "r");
    return arm->process > 0 && arm->to && arm->from ? KNACK_OK : status_set(KNACK_E_IO, "a worker cannot be started");
}

/* ---- Conversation ---- */

/* What to say of a worker that ended. One that failed said why on standard error: nothing is added to it. */
static knack_status say_end(struct arm *arm)
{
    int status = 0;
    fclose(arm->to);
    arm->to = NULL;
    bool known = waitpid(arm->process, &status, 0) == arm->process;
    arm->process = 0;
    if (known && WIFSIGNALED(status))
        return status_set(KNACK_E_CALL, "%s: its worker was ended by signal %d", arm->workload, WTERMSIG(status));
    if (known && WEXITSTATUS(status) == NOT_RUN)
        return status_set(KNACK_E_CALL, "%s: %s cannot be run", arm->workload, arm->program ? arm->program : "its worker");
    if (known && WEXITSTATUS(status) != 0) return status_set(KNACK_E_CALL, "%s", "");
    return status_set(KNACK_E_CALL, "%s: its worker ended", arm->workload);
}

/* Its next line, as JSON. */
static knack_status hear(struct arm *arm, struct json_document **document)
{
    char line[512];
    *document = NULL;
    if (!fgets(line, sizeof line, arm->from)) return say_end(arm);
    return json_parse(line, strlen(line), arm->workload, document);
}

static void tell(struct arm *arm, const char *line)
{
    fputs(line, arm->to);
    fflush(arm->to);
}

/* What was resident while it got ready is not what training takes. */
static void forget_peak(pid_t process)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/clear_refs", (long long)process);
    FILE *file = fopen(path, "w");
    if (file) fputs("5", file);
    if (file) fclose(file);
}

knack_status arm_start(struct arm *arm)
{
    struct json_document *ready;
    TRY(start_process(arm));
    TRY(hear(arm, &ready));
    arm->arithmetic = json_member_number(ready->root, "arithmetic");
    arm->parameters = json_member_number(ready->root, "parameters");
    arm->rounds = 0;
    forget_peak(arm->process);
    json_free(ready);
    return KNACK_OK;
}

/* VmHWM of a process that still runs, in bytes. */
static double peak_of(pid_t process)
{
    char path[64], line[256];
    double peak = 0;
    snprintf(path, sizeof path, "/proc/%lld/status", (long long)process);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmHWM:", 6) == 0) peak = atof(line + 6) * 1024;
    if (file) fclose(file);
    return peak;
}

void arm_end(struct arm *arm)
{
    if (arm->process > 0) arm->peak = peak_of(arm->process);
    if (arm->to) fclose(arm->to); /* it reads the end, and ends */
    if (arm->process > 0) waitpid(arm->process, NULL, 0);
    if (arm->from) fclose(arm->from);
    arm->process = 0;
    arm->to = arm->from = NULL;
}

void arm_ask_round(struct arm *arm, double seconds)
{
    char line[64];
    snprintf(line, sizeof line, "round %.3f\n", seconds);
    tell(arm, line);
}

knack_status arm_hear_round(struct arm *arm)
{
    struct json_document *told;
    TRY(hear(arm, &told));
    const struct json *root = told->root;
    double faults = json_member_number(root, "faults"), best = json_member_number(root, "best");
    double tricks = json_member_number(root, "tricks"), worst = json_member_number(root, "worst");
    bool first = arm->rounds == 0;
    arm->steps = (int64_t)json_member_number(root, "steps");
    arm->step[arm->rounds] = json_member_number(root, "median");
    arm->low_of[arm->rounds] = json_member_number(root, "low");
    arm->high_of[arm->rounds] = json_member_number(root, "high");
    arm->rounds++;
    if (first || arm->steps < arm->fewest) arm->fewest = arm->steps;
    if (first || faults < arm->faults) arm->faults = faults;
    if (first || best < arm->best) arm->best = best;
    if (first || worst > arm->worst) arm->worst = worst;
    if (first || tricks < arm->tricks) arm->tricks = tricks;
    arm->allocations = json_member_number(root, "allocations");
    json_free(told);
    return KNACK_OK;
}

knack_status arm_round(struct arm *arm, double seconds)
{
    arm_ask_round(arm, seconds);
    return arm_hear_round(arm);
}

knack_status arm_steps(struct arm *arm, int64_t count, char hash[32])
{
    struct json_document *told;
    char line[64];
    snprintf(line, sizeof line, "steps %lld\n", (long long)count);
    tell(arm, line);
    TRY(hear(arm, &told));
    snprintf(hash, 32, "%s", json_member_text(told->root, "hash", ""));
    json_free(told);
    return KNACK_OK;
}

/* ---- Rounds ---- */

knack_status arms_take_turns(struct arm *arm, int64_t count, int64_t rounds, double seconds)
{
    for (int64_t round = 0; round < rounds && round < ROUNDS_MOST; round++)
        for (int64_t i = 0; i < count; i++) TRY(arm_round(&arm[i], seconds));
    return KNACK_OK;
}

knack_status arms_measure(struct arm *arm, int64_t count, int64_t rounds, double seconds)
{
    knack_status status = KNACK_OK;
    for (int64_t i = 0; i < count && status >= 0; i++) status = arm_start(&arm[i]);
    if (status >= 0) status = arms_take_turns(arm, count, rounds, seconds);
    for (int64_t i = 0; i < count; i++) arm_end(&arm[i]);
    return status;
}

/* Leaves the rounds in their order. */
static double over_rounds(const double value[ROUNDS_MOST], int64_t rounds)
{
    double sorted[ROUNDS_MOST];
    memcpy(sorted, value, sizeof sorted);
    return median(sorted, rounds);
}

double arm_step(const struct arm *arm)
{
    return over_rounds(arm->step, arm->rounds);
}

bool arm_is_short(const struct arm *arm)
{
    return arm->fewest < 10;
}

void arm_tenths(const struct arm *arm, double *low, double *high)
{
    *low = arm_is_short(arm) ? arm->best : over_rounds(arm->low_of, arm->rounds);
    *high = arm_is_short(arm) ? arm->worst : over_rounds(arm->high_of, arm->rounds);
}

double arm_ratio(const struct arm *arm, const struct arm *of)
{
    double ratio[ROUNDS_MOST];
    for (int64_t i = 0; i < arm->rounds; i++) ratio[i] = arm->step[i] / of->step[i];
    return median(ratio, arm->rounds);
}

void arm_ratio_range(const struct arm *arm, const struct arm *of, double *low, double *high)
{
    *low = *high = arm->step[0] / of->step[0];
    for (int64_t i = 1; i < arm->rounds; i++) {
        double ratio = arm->step[i] / of->step[i];
        if (ratio < *low) *low = ratio;
        if (ratio > *high) *high = ratio;
    }
}

double arm_share(const struct arm *arm, const struct arm *product)
{
    return arm->arithmetic / arm_step(arm) / (product->arithmetic / product->best);
}
