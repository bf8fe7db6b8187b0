/* Preloaded into the program: raises SIGKILL right after the KNACK_TEST_KILL_AFTER-th call that changes the file system. Calls go straight
 * to the kernel, so that this stands beside any sanitizer. */
#undef _FILE_OFFSET_BITS /* it would give both names of a call to one function */

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

/* Both names of what has a 64-bit twin, whichever the program was compiled to call. */
SHOWN ssize_t write(int file, const void *data, size_t size);
SHOWN ssize_t pwrite(int file, const void *data, size_t size, off_t offset);
SHOWN ssize_t pwrite64(int file, const void *data, size_t size, off_t offset);
SHOWN int fsync(int file);
SHOWN int fdatasync(int file);
SHOWN int ftruncate(int file, off_t size);
SHOWN int ftruncate64(int file, off_t size);
SHOWN int rename(const char *from, const char *to);
SHOWN int unlink(const char *path);
SHOWN int rmdir(const char *path);
SHOWN int mkdir(const char *path, mode_t mode);
SHOWN int open(const char *path, int flags, ...);
SHOWN int open64(const char *path, int flags, ...);
SHOWN int openat(int folder, const char *path, int flags, ...);
SHOWN int openat64(int folder, const char *path, int flags, ...);

static void count(void)
{
    static atomic_long calls;
    static atomic_long last = -1; /* -1: not read yet; 0: none */
    if (last < 0) {
        const char *text = getenv("KNACK_TEST_KILL_AFTER");
        last = text ? atol(text) : 0;
    }
    if (++calls == last) kill(getpid(), SIGKILL);
}

static long counted(long result)
{
    count();
    return result;
}

ssize_t write(int file, const void *data, size_t size)
{
    long result = syscall(SYS_write, file, data, size);
    return file <= STDERR_FILENO ? result : counted(result);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t offset)
{
    return counted(syscall(SYS_pwrite64, file, data, size, offset));
}

ssize_t pwrite64(int file, const void *data, size_t size, off_t offset)
{
    return pwrite(file, data, size, offset);
}

int fsync(int file)
{
    return (int)counted(syscall(SYS_fsync, file));
}

int fdatasync(int file)
{
    return (int)counted(syscall(SYS_fdatasync, file));
}

int ftruncate(int file, off_t size)
{
    return (int)counted(syscall(SYS_ftruncate, file, size));
}

int ftruncate64(int file, off_t size)
{
    return ftruncate(file, size);
}

int rename(const char *from, const char *to)
{
    return (int)counted(syscall(SYS_rename, from, to));
}

int unlink(const char *path)
{
    return (int)counted(syscall(SYS_unlink, path));
}

int rmdir(const char *path)
{
    return (int)counted(syscall(SYS_rmdir, path));
}

int mkdir(const char *path, mode_t mode)
{
    return (int)counted(syscall(SYS_mkdir, path, mode));
}

static int open_counted(int folder, const char *path, int flags, mode_t mode)
{
    long result = syscall(SYS_openat, folder, path, flags, mode);
    return (int)(flags & O_CREAT ? counted(result) : result);
}

/* The mode stands among the arguments only if a file may be made. */
#define MODE_OF(flags, mode)                                                                                                               \
    do {                                                                                                                                   \
        va_list arguments;                                                                                                                 \
        va_start(arguments, flags);                                                                                                        \
        if ((flags) & (O_CREAT | O_TMPFILE)) (mode) = va_arg(arguments, mode_t);                                                           \
        va_end(arguments);                                                                                                                 \
    } while (0)

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return open_counted(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return open_counted(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return open_counted(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return open_counted(folder, path, flags, mode);
}
