/* Workers that do as they should, and those that crash, hang, lie, or lose their parent. */
#include "base/test.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "compare/trials/pool.h"

static struct pool *make_pool(int64_t size)
{
    struct pool *pool;
    assert_done(pool_new(size, &pool));
    return pool;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void rest(double seconds)
{
    struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
    while (nanosleep(&time, &time) < 0 && errno == EINTR) continue;
}

static void assert_event(struct pool *pool, struct pool_event *event)
{
    bool happened;
    assert_done(pool_wait(pool, 30, event, &happened));
    assert_true(happened);
}

/* One job alone, to its end; messages are dropped. */
static struct pool_event run_alone(double timeout, int (*work)(void *user, struct pool_channel *), void *user)
{
    struct pool *pool = make_pool(1);
    struct pool_event event;
    assert_done(pool_start(pool, 7, 0, timeout, work, user));
    assert_int_equal(pool_working(pool), 1);
    do assert_event(pool, &event);
    while (event.kind == POOL_MESSAGE);
    assert_int_equal(event.job, 7);
    assert_int_equal(pool_working(pool), 0);
    pool_free(pool);
    return event;
}

/* ---- Work as it should be ---- */

enum { JOBS = 30, MESSAGES = 5 };

static int count_up(void *user, struct pool_channel *channel)
{
    for (int32_t i = 0; i < MESSAGES; i++) {
        int32_t told[] = {*(const int32_t *)user, i, -i};
        pool_send(channel, (uint32_t)(100 + i), told, sizeof *told * (size_t)(i % 4)); /* of 0, 1, 2, 3, 0 words */
    }
    return 0;
}

struct seen {
    int messages, ends;
};

static void see(const struct pool_event *event, struct seen *seen)
{
    assert_int_equal(seen->ends, 0);
    if (event->kind != POOL_MESSAGE) {
        assert_int_equal(event->kind, POOL_ENDED);
        assert_false(event->garbled);
        seen->ends++;
        return;
    }
    int i = seen->messages++;
    const int32_t expected[] = {(int32_t)event->job, i, -i};
    assert_int_equal(event->message, 100 + i);
    assert_int_equal(event->size, sizeof *expected * (size_t)(i % 4));
    assert_memory_equal(event->bytes, expected, event->size);
    assert_int_equal((uintptr_t)event->bytes % _Alignof(max_align_t), 0);
}

static void run_many(int64_t size)
{
    struct pool *pool = make_pool(size);
    struct seen seen[JOBS] = {{0, 0}};
    int32_t next = 0;
    while (next < JOBS || pool_working(pool) > 0) {
        for (; next < JOBS && !pool_is_full(pool); next++) assert_done(pool_start(pool, next, 0, 0, count_up, &next));
        struct pool_event event;
        assert_event(pool, &event);
        see(&event, &seen[event.job]);
    }
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(seen[i].messages, MESSAGES);
        assert_int_equal(seen[i].ends, 1);
    }
    pool_free(pool);
}

static void test_many(void **state)
{
    (void)state;
    run_many(1);
    run_many(2);
    run_many(50);
}

static int do_nothing(void *user, struct pool_channel *channel)
{
    (void)user;
    (void)channel;
    return 0;
}

static int sleep_long(void *user, struct pool_channel *channel)
{
    (void)user;
    (void)channel;
    rest(60);
    return 0;
}

static void test_size(void **state)
{
    (void)state;
    struct pool *pool;
    assert_failure(pool_new(0, &pool), KNACK_E_CALL, "a pool of 0 workers: expected 1 or more");
    assert_null(pool);
    pool_free(NULL);
    pool = make_pool(1);
    assert_done(pool_start(pool, 0, 0, 0, sleep_long, NULL));
    assert_true(pool_is_full(pool));
    assert_failure(pool_start(pool, 1, 0, 0, do_nothing, NULL), KNACK_E_CALL, "all 1 workers of a pool are busy");
    pool_free(pool);
}

/* Nothing to wait for, nothing yet, and only so long. */
static void test_patience(void **state)
{
    (void)state;
    struct pool *pool = make_pool(2);
    struct pool_event event;
    bool happened = true;
    assert_done(pool_wait(pool, -1, &event, &happened));
    assert_false(happened);
    assert_done(pool_start(pool, 0, 0, 0, sleep_long, NULL));
    assert_done(pool_wait(pool, 0, &event, &happened));
    assert_false(happened);
    double start = now();
    assert_done(pool_wait(pool, 0.3, &event, &happened));
    assert_false(happened);
    assert_true(now() - start >= 0.29 && now() - start < 5);
    pool_free(pool);
}

enum { LARGE = 10 << 20 };

static int send_large(void *user, struct pool_channel *channel)
{
    (void)user;
    unsigned char *bytes = memory_new(LARGE + 1, 1);
    if (!bytes) return 1;
    for (int i = 0; i <= LARGE; i++) bytes[i] = (unsigned char)(i * 7 + i / 251);
    pool_send(channel, 1, bytes, LARGE + 1);
    pool_send(channel, 2, bytes, 3);
    return 0;
}

static void test_large_message(void **state)
{
    (void)state;
    struct pool *pool = make_pool(2);
    struct pool_event event;
    int64_t ends = 0, right = 0;
    for (int64_t job = 0; job < 2; job++) assert_done(pool_start(pool, job, 0, 0, send_large, NULL));
    while (ends < 2) {
        assert_event(pool, &event);
        if (event.kind == POOL_MESSAGE && event.message == 1) {
            const unsigned char *bytes = event.bytes;
            assert_int_equal(event.size, LARGE + 1);
            for (int i = 0; i <= LARGE; i++) right += bytes[i] == (unsigned char)(i * 7 + i / 251);
        }
        ends += event.kind == POOL_ENDED;
    }
    assert_int_equal(right, 2 * (LARGE + 1));
    pool_free(pool);
}

/* ---- Work that goes wrong ---- */

static int end_badly(void *user, struct pool_channel *channel)
{
    int how = *(const int *)user;
    pool_send(channel, 1, "so far", 6);
    if (how > 0) kill(getpid(), how);
    return -how;
}

static void test_crashes(void **state)
{
    (void)state;
    int killed = SIGKILL, signalled = SIGUSR1, failed = -3;
    struct pool_event event = run_alone(0, end_badly, &killed);
    assert_int_equal(event.kind, POOL_CRASHED);
    assert_int_equal(event.ended_by, SIGKILL);
    assert_int_equal(event.exit_status, 0);
    assert_false(event.garbled);
    event = run_alone(60, end_badly, &signalled);
    assert_int_equal(event.kind, POOL_CRASHED);
    assert_int_equal(event.ended_by, SIGUSR1);
    event = run_alone(0, end_badly, &failed);
    assert_int_equal(event.kind, POOL_CRASHED);
    assert_int_equal(event.ended_by, 0);
    assert_int_equal(event.exit_status, 3);
}

static int tell_and_hang(void *user, struct pool_channel *channel)
{
    pool_send(channel, 1, "hello", 5);
    return sleep_long(user, channel);
}

static void test_timeout(void **state)
{
    (void)state;
    struct pool *pool = make_pool(2);
    struct pool_event event;
    double start = now();
    assert_done(pool_start(pool, 3, 0, 0.3, tell_and_hang, NULL));
    assert_done(pool_start(pool, 4, 0, 0, sleep_long, NULL)); /* the other has no limit, and goes on */
    assert_event(pool, &event);
    assert_int_equal(event.kind, POOL_MESSAGE);
    assert_event(pool, &event);
    assert_int_equal(event.kind, POOL_TIMED_OUT);
    assert_int_equal(event.job, 3);
    assert_int_equal(event.ended_by, 0);
    assert_true(event.seconds >= 0.3 && now() - start < 10);
    assert_int_equal(pool_working(pool), 1);
    pool_free(pool);
}

/* Writes bytes to every pipe that is open beside the standard ones: only the worker's own can take them. */
static void write_to_pipes(const void *bytes, size_t size)
{
    for (int fd = 3; fd < 256; fd++) {
        struct stat about;
        if (fstat(fd, &about) < 0 || !S_ISFIFO(about.st_mode)) continue;
        if (write(fd, bytes, size) < 0) continue;
    }
}

static int write_garbage(void *user, struct pool_channel *channel)
{
    pool_send(channel, 1, "hello", 5);
    write_to_pipes("this is no message of a worker", 30);
    return sleep_long(user, channel);
}

static int write_half(void *user, struct pool_channel *channel)
{
    (void)user;
    static const struct {
        uint32_t mark, kind;
        uint64_t size;
    } head = {0x6b6e636b, 1, 1000};
    pool_send(channel, 1, "hello", 5);
    write_to_pipes(&head, sizeof head);
    return 0;
}

static int claim_too_much(void *user, struct pool_channel *channel)
{
    (void)user;
    static const struct {
        uint32_t mark, kind;
        uint64_t size;
    } head = {0x6b6e636b, 1, UINT64_MAX};
    write_to_pipes(&head, sizeof head);
    return sleep_long(user, channel);
}

static void test_garbage(void **state)
{
    (void)state;
    struct pool_event event = run_alone(0, write_garbage, NULL);
    assert_int_equal(event.kind, POOL_CRASHED);
    assert_int_equal(event.ended_by, SIGKILL);
    assert_true(event.garbled);
    event = run_alone(0, claim_too_much, NULL);
    assert_int_equal(event.kind, POOL_CRASHED);
    assert_true(event.garbled);
    event = run_alone(0, write_half, NULL);
    assert_int_equal(event.kind, POOL_CRASHED);
    assert_int_equal(event.ended_by, 0);
    assert_int_equal(event.exit_status, 0);
    assert_true(event.garbled);
}

static int close_and_live(void *user, struct pool_channel *channel)
{
    (void)channel;
    for (int fd = 3; fd < 256; fd++) close(fd);
    rest(0.4);
    return *(const int *)user;
}

static int close_and_send(void *user, struct pool_channel *channel)
{
    for (int fd = 3; fd < 256; fd++) close(fd);
    pool_send(channel, 1, user, 1);
    return 0;
}

static void test_closed_pipe(void **state)
{
    (void)state;
    int fine = 0, failed = 4;
    struct pool_event event = run_alone(0, close_and_live, &fine);
    assert_int_equal(event.kind, POOL_ENDED);
    assert_true(event.seconds >= 0.4);
    event = run_alone(0, close_and_live, &failed);
    assert_int_equal(event.exit_status, 4);
    event = run_alone(0.1, close_and_live, &fine);
    assert_int_equal(event.kind, POOL_TIMED_OUT);
    event = run_alone(0, close_and_send, &fine);
    assert_int_equal(event.kind, POOL_CRASHED);
    assert_int_equal(event.exit_status, 1);
}

/* A process that a worker started, and that outlives it, holds the pipe open. */
static int leave_a_child(void *user, struct pool_channel *channel)
{
    (void)user;
    pool_send(channel, 1, "hello", 5);
    if (fork() == 0) {
        rest(4);
        _exit(0);
    }
    return 0;
}

static void test_held_pipe(void **state)
{
    (void)state;
    double least = INFINITY;
    for (int i = 0; i < 5; i++) {
        double began = now();
        assert_int_equal(run_alone(0, leave_a_child, NULL).kind, POOL_ENDED);
        least = fmin(least, now() - began);
    }
    assert_true(least < .15); /* nobody has to ask again and again */
}

/* ---- What a worker inherits ---- */

static int read_input(void *user, struct pool_channel *channel)
{
    (void)user;
    (void)channel;
    char byte;
    return read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 1;
}

static int count_pipes(void *user, struct pool_channel *channel)
{
    (void)user;
    int32_t count = 0;
    for (int fd = 3; fd < 256; fd++) {
        struct stat about;
        count += fstat(fd, &about) == 0 && S_ISFIFO(about.st_mode);
    }
    pool_send(channel, 1, &count, sizeof count);
    return 0;
}

static int32_t pipes_seen(struct pool *pool)
{
    struct pool_event event;
    int32_t count;
    assert_done(pool_start(pool, 1, 0, 0, count_pipes, NULL));
    do assert_event(pool, &event);
    while (event.kind != POOL_MESSAGE);
    memcpy(&count, event.bytes, sizeof count);
    assert_event(pool, &event);
    return count;
}

static void test_files(void **state)
{
    (void)state;
    assert_int_equal(run_alone(0, read_input, NULL).kind, POOL_ENDED);
    struct pool *pool = make_pool(3);
    int32_t alone = pipes_seen(pool);
    assert_true(alone >= 1);
    for (int64_t job = 5; job < 7; job++) assert_done(pool_start(pool, job, 0, 0, sleep_long, NULL));
    assert_int_equal(pipes_seen(pool), alone); /* nothing of the other two */
    pool_free(pool);
}

static int say_hello(void *user, struct pool_channel *channel)
{
    (void)user;
    printf("printed by a worker\n");
    pool_send(channel, 1, "hello", 5);
    return 0;
}

/* Standard input and output closed: a pipe must not take their place. */
static void test_closed_standard_files(void **state)
{
    (void)state;
    fflush(stdout);
    int input = dup(0), output = dup(1);
    close(0);
    close(1);
    struct pool *pool;
    struct pool_event event[2] = {{.kind = POOL_CRASHED}, {.kind = POOL_CRASHED}};
    bool happened;
    knack_status status = pool_new(1, &pool);
    if (status >= 0) status = pool_start(pool, 0, 0, 0, say_hello, NULL);
    for (int i = 0; i < 2 && status >= 0; i++) status = pool_wait(pool, 30, &event[i], &happened);
    dup2(input, 0);
    dup2(output, 1);
    close(input);
    close(output);
    assert_int_equal(status, KNACK_OK);
    assert_int_equal(event[0].kind, POOL_MESSAGE);
    assert_int_equal(event[0].size, 5);
    assert_int_equal(event[1].kind, POOL_ENDED);
    pool_free(pool);
}

/* What stood in a buffer before the fork is written once. */
static int flush_all(void *user, struct pool_channel *channel)
{
    (void)channel;
    fflush(user);
    return 0;
}

static void test_buffers(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    fputs("once", file);
    run_alone(0, flush_all, file);
    fflush(file);
    struct stat about;
    assert_int_equal(fstat(fileno(file), &about), 0);
    assert_int_equal(about.st_size, 4);
    fclose(file);
}

static int interrupt_itself(void *user, struct pool_channel *channel)
{
    (void)user;
    (void)channel;
    raise(SIGINT);
    raise(SIGTERM);
    raise(SIGHUP);
    return 0;
}

static void test_interrupt_is_the_parents(void **state)
{
    (void)state;
    assert_int_equal(run_alone(0, interrupt_itself, NULL).kind, POOL_ENDED);
}

static volatile sig_atomic_t alarms;

static void hear_alarm(int number)
{
    (void)number;
    alarms++;
}

static void test_signal_ends_waiting(void **state)
{
    (void)state;
    struct pool *pool = make_pool(1);
    struct pool_event event;
    bool happened = true;
    struct sigaction hear = {.sa_handler = hear_alarm}, before;
    struct itimerval timer = {.it_value = {.tv_usec = 50000}};
    int seconds = 0;
    assert_done(pool_start(pool, 0, 0, 0, close_and_live, &seconds));
    sigaction(SIGALRM, &hear, &before);
    setitimer(ITIMER_REAL, &timer, NULL);
    assert_done(pool_wait(pool, -1, &event, &happened));
    sigaction(SIGALRM, &before, NULL);
    assert_int_equal(alarms, 1);
    assert_false(happened);
    assert_done(pool_wait(pool, -1, &event, &happened));
    assert_true(happened);
    assert_int_equal(event.kind, POOL_ENDED);
    pool_free(pool);
}

/* As in a process whose parent ignored it. */
static void test_ignored_children(void **state)
{
    (void)state;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGCHLD, &ignore, &before);
    struct pool_event event = run_alone(0, do_nothing, NULL);
    sigaction(SIGCHLD, &before, NULL);
    assert_int_equal(event.kind, POOL_ENDED);
}

/* ---- What is measured ---- */

enum { TOUCHED = 192 << 20 };

static bool touch(void)
{
    char *memory = mmap(NULL, TOUCHED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    for (size_t i = 0; i < TOUCHED; i += 1024) ((volatile char *)memory)[i] = 1;
    return munmap(memory, TOUCHED) == 0;
}

static int use_memory_and_time(void *user, struct pool_channel *channel)
{
    (void)user;
    (void)channel;
    if (!touch()) return 1;
    while ((double)clock() / CLOCKS_PER_SEC < 0.25) continue;
    return 0;
}

static void test_costs(void **state)
{
    (void)state;
    struct pool_event much = run_alone(0, use_memory_and_time, NULL);
    assert_int_equal(much.kind, POOL_ENDED);
    assert_true(much.cpu_seconds >= 0.2 && much.cpu_seconds <= much.seconds + 0.05);
    assert_true(much.peak_memory >= TOUCHED);
    struct pool_event little = run_alone(0, do_nothing, NULL);
    assert_true(little.cpu_seconds < 0.2);
    assert_true(touch());
    struct pool_event later = run_alone(0, do_nothing, NULL); /* what this process had for a time is not counted */
    assert_true(later.peak_memory > 0 && later.peak_memory < little.peak_memory + TOUCHED / 2);
}

/* ---- The end of the parent ---- */

/* Whether all who hold the other end have ended within 5 s. */
static bool all_gone(int fd)
{
    struct pollfd ends = {.fd = fd, .events = POLLIN};
    return poll(&ends, 1, 5000) == 1 && (ends.revents & POLLHUP);
}

static void be_parent(void)
{
    struct pool *pool;
    struct pool_event event;
    bool happened;
    if (pool_new(3, &pool) < 0) _exit(1);
    for (int64_t job = 0; job < 3; job++)
        if (pool_start(pool, job, 0, 0, sleep_long, NULL) < 0) _exit(1);
    pool_wait(pool, -1, &event, &happened);
    _exit(0);
}

static void test_parent_killed(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t parent = fork();
    assert_true(parent >= 0);
    if (parent == 0) be_parent(); /* it and its workers hold ends[1] */
    close(ends[1]);
    rest(0.3);
    struct pollfd still = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&still, 1, 0), 0);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_true(all_gone(ends[0]));
    waitpid(parent, NULL, 0);
    close(ends[0]);
}

static void test_free_kills(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct pool *pool = make_pool(2);
    for (int64_t job = 0; job < 2; job++) assert_done(pool_start(pool, job, 0, 0, sleep_long, NULL));
    close(ends[1]);
    pool_free(pool);
    assert_true(all_gone(ends[0]));
    close(ends[0]);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* none is left behind */
}

/* ---- Without memory ---- */

static void test_out_of_memory(void **state)
{
    (void)state;
    struct pool *pool = NULL;
    int64_t failures = 0;
    while (!pool) {
        memory_fail_at(++failures);
        knack_status status = pool_new(2, &pool);
        memory_fail_at(0);
        assert_true(status == KNACK_OK || status == KNACK_E_MEMORY);
    }
    assert_int_equal(failures, 4); /* three, then none */
    assert_done(pool_start(pool, 0, 0, 0, send_large, NULL));
    int64_t refused = 0;
    for (bool ended = false; !ended;) { /* a message for which there is no memory stays in its pipe */
        struct pool_event event;
        bool happened = false;
        memory_fail_at(refused < 8 ? 1 : 0);
        knack_status status = pool_wait(pool, 30, &event, &happened);
        memory_fail_at(0);
        refused += status == KNACK_E_MEMORY;
        if (status < 0) assert_int_equal(status, KNACK_E_MEMORY);
        if (happened && event.kind == POOL_MESSAGE && event.message == 1) assert_int_equal(event.size, LARGE + 1);
        ended = happened && event.kind != POOL_MESSAGE;
        if (ended) assert_int_equal(event.kind, POOL_ENDED);
    }
    assert_int_equal(refused, 8);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_large_message),
        cmocka_unit_test(test_crashes),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_closed_pipe),
        cmocka_unit_test(test_held_pipe),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_closed_standard_files),
        cmocka_unit_test(test_buffers),
        cmocka_unit_test(test_interrupt_is_the_parents),
        cmocka_unit_test(test_signal_ends_waiting),
        cmocka_unit_test(test_ignored_children),
        cmocka_unit_test(test_costs),
        cmocka_unit_test(test_parent_killed),
        cmocka_unit_test(test_free_kills),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
