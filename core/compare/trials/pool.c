#include "compare/trials/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

/* What precedes a message in the pipe. Messages are padded to a multiple of its size, so that in a buffer every one is aligned. */
struct head {
    uint32_t mark, kind;
    uint64_t size;
};
enum { MARK = 0x6b6e636b, ALIGNMENT = sizeof(struct head), CHUNK = 1 << 16, PROBE = 32 << 20 };

/* What a worker shares with this process. */
struct page {
    volatile bool refused;
    _Alignas(64) char shared[POOL_SHARED];
};

struct pool_channel {
    int fd;
    struct page *page;
};

struct worker {
    bool busy, reaped, garbled;
    bool late, by_clock; /* killed for it; by_clock: for its wall time */
    pid_t process;
    int fd;  /* of its pipe; -1: closed */
    int end; /* becomes readable when the process can be reaped; -1: the system has no such thing, or it is reaped */
    int64_t job;
    double started, cpu, wall, seconds; /* cpu, wall: limits, or 0 */
    double spent;                       /* CPU seconds, when last looked at */
    struct page *page;
    int status; /* once reaped, as wait4() gave it */
    struct rusage usage;
    char *bytes; /* [room], of which those from taken to used are still to be given out; kept for the next job */
    size_t taken, used, room;
};

struct pool {
    struct worker *worker; /* [size] */
    struct pollfd *poll;   /* [2, size]: pipes, then ends */
    struct page *page;     /* [size], shared memory */
    int64_t size, working, turn;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static size_t padded(uint64_t size)
{
    return ((size_t)size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ---- In the worker ---- */

/* A pipe that cannot be written to: the parent is gone, or wants no more. */
static void put(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t wrote = write(fd, bytes, size);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) _exit(1);
        bytes += wrote;
        size -= (size_t)wrote;
    }
}

void pool_send(struct pool_channel *channel, uint32_t kind, const void *bytes, size_t size)
{
    static const char padding[ALIGNMENT];
    struct head head = {.mark = MARK, .kind = kind, .size = size};
    put(channel->fd, (const char *)&head, sizeof head);
    put(channel->fd, bytes, size);
    put(channel->fd, padding, padded(size) - size);
}

static void ignore_signals(const sigset_t *mask)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
}

/* Reads nothing, and writes where messages go: the parent's output is its own. */
static bool redirect(void)
{
    int nothing = open("/dev/null", O_RDWR);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0) return false;
    bool done = dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 || dup2(nothing, STDOUT_FILENO) >= 0;
    if (nothing > STDERR_FILENO) close(nothing);
    return done;
}

static struct page *own_page; /* of this worker: signal handlers know no other way */

/* oneDNN ends by such signals where memory is short. Whether there is none left is seen by asking. */
static void on_crash(int number)
{
    if (mmap(NULL, PROBE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) own_page->refused = true;
    raise(number); /* the action is the default one again */
}

static bool catch_crashes(void)
{
    static const int crash[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
    static char stack[1 << 16];
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND | SA_NODEFER)};
    if (sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL) < 0) return false;
    for (size_t i = 0; i < sizeof crash / sizeof *crash; i++)
        if (sigaction(crash[i], &action, NULL) < 0) return false;
    return true;
}

void *pool_shared(const struct pool_channel *channel)
{
    return channel->page->shared;
}

/* Does not return. Nothing is freed, and no exit handler runs: what they would tidy up is the parent's. */
static void be_worker(const struct pool *pool, struct pool_channel *channel, pid_t parent, const sigset_t *mask,
                      int (*work)(void *user, struct pool_channel *), void *user)
{
    own_page = channel->page;
    memory_tell_refusals(&own_page->refused);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) _exit(1); /* it may have ended before prctl() could notice */
    ignore_signals(mask);
    for (int64_t i = 0; i < pool->size; i++) {
        if (pool->worker[i].fd >= 0) close(pool->worker[i].fd);
        if (pool->worker[i].end >= 0) close(pool->worker[i].end);
    }
    if (!redirect() || !catch_crashes()) {
        fprintf(stderr, "knack: a worker cannot begin: %s\n", strerror(errno));
        own_page->refused = true;
        _exit(1);
    }
    int result = work(user, channel);
    fflush(stdout);
    fflush(stderr);
    _exit(result);
}

/* ---- Starting and ending ---- */

/* A parent whose own parent ignored SIGCHLD inherits that, and would never hear how its children ended. */
static void hear_of_children(void)
{
    struct sigaction action;
    if (sigaction(SIGCHLD, NULL, &action) < 0 || (action.sa_handler != SIG_IGN && !(action.sa_flags & SA_NOCLDWAIT))) return;
    if (action.sa_handler == SIG_IGN) action.sa_handler = SIG_DFL;
    action.sa_flags &= ~SA_NOCLDWAIT;
    sigaction(SIGCHLD, &action, NULL);
}

static void *share(size_t bytes)
{
    void *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return data == MAP_FAILED ? memory_refuse(bytes, 1) : data;
}

knack_status pool_new(int64_t size, struct pool **out)
{
    *out = NULL;
    if (size < 1) return status_set(KNACK_E_CALL, "a pool of %lld workers: expected 1 or more", (long long)size);
    struct pool *pool = memory_new(1, sizeof *pool);
    if (!pool) return KNACK_E_MEMORY;
    pool->worker = memory_new((size_t)size, sizeof *pool->worker);
    pool->poll = pool->worker ? memory_new(2 * (size_t)size, sizeof *pool->poll) : NULL;
    pool->page = pool->poll ? share((size_t)size * sizeof *pool->page) : NULL;
    if (!pool->page) {
        pool_free(pool);
        return KNACK_E_MEMORY;
    }
    pool->size = size;
    for (int64_t i = 0; i < size; i++) pool->worker[i] = (struct worker){.fd = -1, .end = -1, .page = &pool->page[i]};
    hear_of_children();
    *out = pool;
    return KNACK_OK;
}

static void close_one(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void close_pipe(struct worker *worker)
{
    close_one(&worker->fd);
}

void pool_free(struct pool *pool)
{
    if (!pool) return;
    for (int64_t i = 0; i < pool->size; i++)
        if (pool->worker[i].busy && !pool->worker[i].reaped) kill(pool->worker[i].process, SIGKILL);
    for (int64_t i = 0; i < pool->size; i++) {
        struct worker *worker = &pool->worker[i];
        if (worker->busy && !worker->reaped)
            while (waitpid(worker->process, NULL, 0) < 0 && errno == EINTR) continue;
        close_pipe(worker);
        close_one(&worker->end);
        memory_free(worker->bytes);
    }
    if (pool->page) munmap(pool->page, (size_t)pool->size * sizeof *pool->page);
    memory_free(pool->worker);
    memory_free(pool->poll);
    memory_free(pool);
}

bool pool_is_full(const struct pool *pool)
{
    return pool->working == pool->size;
}

int64_t pool_working(const struct pool *pool)
{
    return pool->working;
}

/* If standard input, output or error are closed, a pipe may come to be in their place, where others would write. */
static bool move_up(int *fd)
{
    if (*fd > STDERR_FILENO) return true;
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (moved < 0) return false;
    close(*fd);
    *fd = moved;
    return true;
}

static knack_status make_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) < 0) return status_set(KNACK_E_IO, "a pipe to a worker cannot be made: %s", strerror(errno));
    if (move_up(&ends[0]) && move_up(&ends[1]) && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0) return KNACK_OK;
    status_set(KNACK_E_IO, "a pipe to a worker cannot be made: %s", strerror(errno));
    close(ends[0]);
    close(ends[1]);
    return KNACK_E_IO;
}

/* Forks; signals that a worker ignores wait until it does. */
static pid_t start(const struct pool *pool, struct page *page, int ends[2], int (*work)(void *user, struct pool_channel *), void *user)
{
    sigset_t held, mask;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGHUP);
    fflush(NULL); /* or the worker would print what is in the buffers once more */
    pid_t parent = getpid();
    sigprocmask(SIG_BLOCK, &held, &mask);
    pid_t process = fork();
    if (process == 0) {
        close(ends[0]);
        be_worker(pool, &(struct pool_channel){.fd = ends[1], .page = page}, parent, &mask, work, user);
    }
    int reason = errno;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    errno = reason;
    return process;
}

static int open_end(pid_t process)
{
    int fd = pidfd_open(process, 0);
    if (fd >= 0 && !move_up(&fd)) close_one(&fd);
    return fd;
}

knack_status pool_start(struct pool *pool, int64_t job, double cpu, double wall, int (*work)(void *user, struct pool_channel *), void *user)
{
    struct worker *worker = pool->worker;
    if (pool_is_full(pool)) return status_set(KNACK_E_CALL, "all %lld workers of a pool are busy", (long long)pool->size);
    while (worker->busy) worker++;
    int ends[2];
    TRY(make_pipe(ends));
    *worker->page = (struct page){0};
    pid_t process = start(pool, worker->page, ends, work, user);
    int reason = errno;
    close(ends[1]);
    if (process < 0) {
        close(ends[0]);
        return status_set(KNACK_E_IO, "a worker cannot be started beside %lld others: %s; fewer jobs at once may help",
                          (long long)pool->working, strerror(reason));
    }
    *worker = (struct worker){.busy = true,
                              .process = process,
                              .fd = ends[0],
                              .end = open_end(process),
                              .job = job,
                              .started = now(),
                              .cpu = cpu,
                              .wall = wall,
                              .page = worker->page,
                              .bytes = worker->bytes,
                              .room = worker->room};
    pool->working++;
    return KNACK_OK;
}

/* ---- Reading ---- */

static void kill_garbled(struct worker *worker)
{
    worker->garbled = true;
    close_pipe(worker);
    worker->used = worker->taken = 0;
    if (!worker->reaped) kill(worker->process, SIGKILL);
}

/* Whether the buffer begins with a whole message. */
static bool has_message(struct worker *worker, struct head *head)
{
    size_t held = worker->used - worker->taken;
    if (held < sizeof *head) return false;
    memcpy(head, worker->bytes + worker->taken, sizeof *head);
    if (head->mark == MARK && head->size <= SIZE_MAX / 2) return held - sizeof *head >= padded(head->size);
    kill_garbled(worker);
    return false;
}

/* Room for another chunk, after what is still to be given out. */
static knack_status make_room(struct worker *worker)
{
    if (worker->taken > 0) {
        worker->used -= worker->taken;
        memmove(worker->bytes, worker->bytes + worker->taken, worker->used);
        worker->taken = 0;
    }
    if (worker->room - worker->used >= CHUNK) return KNACK_OK;
    size_t room = 2 * worker->room + CHUNK;
    char *bytes = memory_resize(worker->bytes, room, 1);
    if (!bytes) return status_prefix(KNACK_E_MEMORY, "a message of a worker");
    worker->bytes = bytes;
    worker->room = room;
    return KNACK_OK;
}

/* One read(); *more false if there is nothing to be had now, or ever. */
static knack_status read_some(struct worker *worker, bool *more)
{
    *more = false;
    TRY(make_room(worker));
    ssize_t got;
    do got = read(worker->fd, worker->bytes + worker->used, worker->room - worker->used);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) return KNACK_OK;
    if (got < 0) return status_set(KNACK_E_IO, "a worker's pipe cannot be read: %s", strerror(errno));
    if (got == 0) close_pipe(worker);
    worker->used += (size_t)got;
    *more = got > 0;
    return KNACK_OK;
}

/* What a process left in its pipe, a pipe's content at most: if it started others, these may still hold the pipe open, and write. */
static knack_status read_rest(struct worker *worker)
{
    bool more = worker->fd >= 0;
    for (int i = 0; more && i < 16; i++) TRY(read_some(worker, &more));
    close_pipe(worker);
    return KNACK_OK;
}

static knack_status reap(struct worker *worker)
{
    pid_t ended;
    do ended = wait4(worker->process, &worker->status, WNOHANG, &worker->usage);
    while (ended < 0 && errno == EINTR);
    if (ended < 0) return status_set(KNACK_E_IO, "how worker %lld ended cannot be learnt: %s", (long long)worker->process, strerror(errno));
    if (ended == 0) return KNACK_OK;
    worker->reaped = true;
    close_one(&worker->end);
    worker->seconds = now() - worker->started;
    return KNACK_OK;
}

/* ---- Events ---- */

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

static void give_message(struct worker *worker, const struct head *head, struct pool_event *event)
{
    *event = (struct pool_event){.kind = POOL_MESSAGE,
                                 .job = worker->job,
                                 .message = head->kind,
                                 .bytes = worker->bytes + worker->taken + sizeof *head,
                                 .size = (size_t)head->size,
                                 .seconds = now() - worker->started};
    worker->taken += sizeof *head + padded(head->size);
}

static void give_end(struct worker *worker, struct pool_event *event)
{
    int status = worker->status;
    bool killed = WIFSIGNALED(status);
    *event = (struct pool_event){.kind = POOL_CRASHED,
                                 .job = worker->job,
                                 .ended_by = killed ? WTERMSIG(status) : 0,
                                 .exit_status = killed ? 0 : WEXITSTATUS(status),
                                 .refused = worker->page->refused,
                                 .shared = worker->page->shared,
                                 .garbled = worker->garbled || worker->used > worker->taken,
                                 .seconds = worker->seconds,
                                 .cpu_seconds = seconds_of(worker->usage.ru_utime) + seconds_of(worker->usage.ru_stime),
                                 .peak_memory = (int64_t)worker->usage.ru_maxrss * 1024};
    if (worker->late && killed) {
        event->kind = POOL_TIMED_OUT;
        event->by_clock = worker->by_clock;
        event->limit = worker->by_clock ? worker->wall : worker->cpu;
        event->ended_by = 0;
        event->garbled = false;
    } else if (!killed && event->exit_status == 0 && !event->garbled) {
        event->kind = POOL_ENDED;
    }
    worker->busy = false;
}

/* A message that is there, or an end with none before it; workers take turns. */
static knack_status next_event(struct pool *pool, struct pool_event *event, bool *happened)
{
    for (int64_t i = 0; i < pool->size && !*happened; i++) {
        struct worker *worker = &pool->worker[(pool->turn + i) % pool->size];
        struct head head;
        if (!worker->busy) continue;
        if (worker->reaped) TRY(read_rest(worker));
        if (has_message(worker, &head)) {
            give_message(worker, &head, event);
            *happened = true;
        } else if (worker->reaped) {
            give_end(worker, event);
            pool->working--;
            *happened = true;
        }
        if (*happened) pool->turn = (pool->turn + i + 1) % pool->size;
    }
    return KNACK_OK;
}

/* ---- Waiting ---- */

/* How long poll() may take, in ms, and then once more up to `until`. Without `end` nothing wakes it when a process ends whose pipe is
 * closed already, or held open by another. */
static int patience(const struct pool *pool, double until)
{
    double time = now(), wait = fmin(until - time, 0.2);
    for (int64_t i = 0; i < pool->size; i++) {
        const struct worker *worker = &pool->worker[i];
        if (!worker->busy) continue;
        if (worker->fd < 0 && worker->end < 0) wait = fmin(wait, 0.01);
        if (worker->late) continue;
        if (worker->cpu > 0) wait = fmin(wait, fmax(worker->cpu - worker->spent, 0.01));
        if (worker->wall > 0) wait = fmin(wait, worker->started + worker->wall - time);
    }
    return wait > 0 ? (int)ceil(1000 * wait) : 0;
}

static void end_late(struct worker *worker, double time)
{
    struct timespec spent;
    clockid_t clock;
    if (worker->cpu > 0 && clock_getcpuclockid(worker->process, &clock) == 0 && clock_gettime(clock, &spent) == 0)
        worker->spent = (double)spent.tv_sec + 1e-9 * (double)spent.tv_nsec;
    worker->by_clock = worker->wall > 0 && time >= worker->started + worker->wall;
    worker->late = worker->by_clock || (worker->cpu > 0 && worker->spent >= worker->cpu);
    if (worker->late) kill(worker->process, SIGKILL);
}

/* Reads from all that have something, and sees who ended, and who is late. */
static knack_status look(struct pool *pool, double until, bool *interrupted)
{
    *interrupted = false;
    for (int64_t i = 0; i < pool->size; i++) {
        pool->poll[i] = (struct pollfd){.fd = pool->worker[i].fd, .events = POLLIN};
        pool->poll[pool->size + i] = (struct pollfd){.fd = pool->worker[i].end, .events = POLLIN};
    }
    if (poll(pool->poll, 2 * (nfds_t)pool->size, patience(pool, until)) < 0) {
        *interrupted = errno == EINTR;
        return *interrupted ? KNACK_OK : status_set(KNACK_E_IO, "workers cannot be waited for: %s", strerror(errno));
    }
    double time = now();
    for (int64_t i = 0; i < pool->size; i++) {
        struct worker *worker = &pool->worker[i];
        bool more;
        if (!worker->busy || worker->reaped) continue;
        if (pool->poll[i].revents != 0 && worker->fd >= 0) TRY(read_some(worker, &more));
        TRY(reap(worker));
        if (!worker->reaped && !worker->late) end_late(worker, time);
    }
    return KNACK_OK;
}

knack_status pool_wait(struct pool *pool, double seconds, struct pool_event *event, bool *happened)
{
    *happened = false;
    double until = seconds < 0 ? INFINITY : now() + seconds;
    bool interrupted = false;
    TRY(next_event(pool, event, happened));
    while (!*happened && !interrupted && pool->working > 0) {
        bool last = now() >= until;
        TRY(look(pool, until, &interrupted));
        TRY(next_event(pool, event, happened));
        if (last) break;
    }
    return KNACK_OK;
}
