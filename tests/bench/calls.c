/* bench calls: what a steady step asks of the C library's allocator and of the kernel. Allocations are counted by a preloaded library
 * (counting.c), page faults by the kernel, system calls by tracing the worker through one round after two that were not traced. */
#include "arms.h"
#include "table.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/ptrace.h>

#include "base/memory.h"

enum { CALLS_MOST = 512 };

/* A worker asks for its page faults (getrusage) when it begins to warm up, when it begins to time, and when it is done. */
enum { MARKS = 3 };

struct traced {
    int marks;
    int64_t call[CALLS_MOST]; /* since the latest mark, by number */
    int64_t steps;
};

/* Goes on to the next stop; false: the process ended, or is no longer traced. */
static bool to_next_stop(pid_t process, int *signal)
{
    int status;
    if (ptrace(PTRACE_SYSCALL, process, NULL, (void *)(intptr_t)*signal) != 0 || waitpid(process, &status, 0) < 0) return false;
    if (!WIFSTOPPED(status)) return false;
    int stop = WSTOPSIG(status);
    bool ours = stop == (SIGTRAP | 0x80) || status >> 16 != 0; /* a system call, or an event of tracing */
    *signal = ours ? 0 : stop;
    return true;
}

static void note_call(struct traced *traced, pid_t process)
{
    struct ptrace_syscall_info info = {0};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, process, (void *)sizeof info, &info) <= 0 || info.op != PTRACE_SYSCALL_INFO_ENTRY) return;
    if (info.entry.nr == SYS_getrusage) {
        traced->marks++;
        if (traced->marks < MARKS) memset(traced->call, 0, sizeof traced->call);
    } else if (info.entry.nr < CALLS_MOST) {
        traced->call[info.entry.nr]++;
    }
}

static knack_status trace_round(struct arm *arm, double seconds, struct traced *traced)
{
    int status, signal = 0;
    if (ptrace(PTRACE_SEIZE, arm->process, NULL, (void *)PTRACE_O_TRACESYSGOOD) != 0 ||
        ptrace(PTRACE_INTERRUPT, arm->process, NULL, NULL) != 0 || waitpid(arm->process, &status, 0) < 0)
        return status_set(KNACK_E_IO, "a worker cannot be traced: %s", strerror(errno));
    arm_ask_round(arm, seconds);
    while (traced->marks < MARKS && to_next_stop(arm->process, &signal)) note_call(traced, arm->process);
    ptrace(PTRACE_DETACH, arm->process, NULL, NULL);
    return arm_hear_round(arm);
}

static const int memory_calls[] = {SYS_mmap, SYS_munmap, SYS_mremap, SYS_brk, SYS_madvise}, reading_calls[] = {SYS_read, SYS_pread64};

static double take(struct traced *traced, const int *calls, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)traced->call[calls[i]];
        traced->call[calls[i]] = 0;
    }
    return sum;
}

static double take_rest(const struct traced *traced)
{
    double sum = 0;
    for (int i = 0; i < CALLS_MOST; i++) sum += (double)traced->call[i];
    return sum;
}

static void put_row(struct table *table, const struct arm *arm, struct traced *traced)
{
    double steps = (double)arm->steps, memory = take(traced, memory_calls, sizeof memory_calls / sizeof *memory_calls);
    double reading = take(traced, reading_calls, sizeof reading_calls / sizeof *reading_calls);
    table_text(table, arm->workload);
    table_digits(table, arm->allocations);
    table_digits(table, arm->faults);
    table_digits(table, memory / steps);
    table_digits(table, reading / steps);
    table_digits(table, take_rest(traced) / steps);
    table_target(table, arm->faults == 0 && memory == 0, "no fault, mmap, brk");
}

static knack_status count_calls(const char *workload, double seconds, struct table *table)
{
    struct arm arm = {.workload = workload, .counting = true};
    struct traced traced = {0};
    fprintf(stderr, "calls: %s\n", workload);
    knack_status status = arm_start(&arm);
    for (int i = 0; i < 2 && status >= 0; i++) status = arm_round(&arm, seconds);
    if (status >= 0) status = trace_round(&arm, seconds, &traced);
    if (status >= 0) put_row(table, &arm, &traced);
    arm_end(&arm);
    return status;
}

knack_status bench_calls(const struct options *options)
{
    static const char *const columns[] = {"a step of", "allocations",        "page faults", "mmap, munmap, mremap, brk, madvise",
                                          "reads",     "other system calls", "target",      NULL};
    struct table table;
    TRY(table_begin(&table, columns));
    for (int64_t i = 0; bench_workload(options, i); i++)
        TRY(count_calls(bench_workload(options, i), options->seconds ? options->seconds : 1, &table));
    return table_end(&table, options->json);
}
