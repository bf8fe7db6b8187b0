#include "compare/store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

struct lock {
    char *path;
    int file;
    dev_t device;
    ino_t inode;
    struct lock *next;
};

/* Locks of fcntl() do not keep a process from itself, and closing any descriptor of the file ends them: so those held here are listed. */
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct lock *held;

static bool is_held_here(const char *path)
{
    struct stat facts;
    if (stat(path, &facts) < 0) return false;
    for (const struct lock *lock = held; lock; lock = lock->next)
        if (lock->device == facts.st_dev && lock->inode == facts.st_ino) return true;
    return false;
}

static knack_status refuse(const char *folder, pid_t process)
{
    return status_set(KNACK_E_USAGE, "%s: process %ld is working on this comparison; wait until it ends, or choose another folder", folder,
                      (long)process);
}

/* Whoever gave the lock back just before removed the file that was opened here: then it is no longer the one under that name. */
static bool is_same_file(const struct lock *lock)
{
    struct stat named;
    return stat(lock->path, &named) == 0 && named.st_dev == lock->device && named.st_ino == lock->inode;
}

/* *taken false: to be tried again. */
static knack_status try_to_take(const char *folder, struct lock *lock, bool *taken)
{
    *taken = false;
    if (is_held_here(lock->path)) return refuse(folder, getpid());
    lock->file = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock->file < 0) return status_set(KNACK_E_IO, "%s: cannot write in this folder: %s", folder, strerror(errno));
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(lock->file, F_SETLK, &range) < 0) {
        int error = errno;
        if (error != EACCES && error != EAGAIN) return status_set(KNACK_E_IO, "%s: cannot lock it: %s", lock->path, strerror(error));
        if (fcntl(lock->file, F_GETLK, &range) == 0 && range.l_type != F_UNLCK) return refuse(folder, range.l_pid);
        return KNACK_OK; /* given back in between */
    }
    struct stat facts;
    if (fstat(lock->file, &facts) < 0) return status_set(KNACK_E_IO, "%s: cannot lock it: %s", lock->path, strerror(errno));
    lock->device = facts.st_dev;
    lock->inode = facts.st_ino;
    *taken = is_same_file(lock);
    return KNACK_OK;
}

static knack_status take(const char *folder, struct lock *lock)
{
    for (bool taken = false; !taken;) {
        knack_status status = try_to_take(folder, lock, &taken);
        if (!taken && lock->file >= 0) close(lock->file);
        if (!taken) lock->file = -1;
        if (status < 0) return status;
    }
    lock->next = held;
    held = lock;
    return KNACK_OK;
}

knack_status lock_take(const char *folder, struct lock **made)
{
    *made = NULL;
    struct lock *lock = memory_new(1, sizeof *lock);
    if (!lock) return KNACK_E_MEMORY;
    lock->file = -1;
    lock->path = file_join(folder, "knack.lock");
    knack_status status = lock->path ? KNACK_OK : KNACK_E_MEMORY;
    if (status >= 0) {
        pthread_mutex_lock(&guard);
        status = take(folder, lock);
        pthread_mutex_unlock(&guard);
    }
    if (status >= 0) {
        *made = lock;
        return status;
    }
    memory_free(lock->path);
    memory_free(lock);
    return status;
}

/* A file that may not be read is not a dead process's: whoever made it lets everybody read. */
static bool is_held_elsewhere(const char *path)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno != ENOENT;
    bool taken = fcntl(file, F_GETLK, &range) < 0 || range.l_type != F_UNLCK;
    close(file);
    return taken;
}

bool lock_is_held(const char *folder)
{
    char *path = file_join(folder, "knack.lock");
    pthread_mutex_lock(&guard);
    bool taken = path && (is_held_here(path) || is_held_elsewhere(path));
    pthread_mutex_unlock(&guard);
    memory_free(path);
    return taken;
}

void lock_give(struct lock *lock)
{
    if (!lock) return;
    pthread_mutex_lock(&guard);
    struct lock **link = &held;
    while (*link && *link != lock) link = &(*link)->next;
    if (*link) *link = lock->next;
    unlink(lock->path);
    close(lock->file);
    pthread_mutex_unlock(&guard);
    memory_free(lock->path);
    memory_free(lock);
}
