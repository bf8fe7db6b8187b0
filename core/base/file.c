#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

static knack_status fail(knack_status code, const char *path, const char *what)
{
    return status_set(code, "%s: %s: %s", path, what, strerror(errno));
}

/* ---- Reading ---- */

/* The rest of an open file; guess is how much that may be. */
static knack_status read_all(int fd, const char *path, knack_status code, size_t guess, char **data, size_t *size)
{
    size_t room = guess + 2, used = 0; /* one for the NUL, one to see the end without growing */
    char *text = memory_new(room, 1);
    if (!text) return status_prefix(KNACK_E_MEMORY, "%s", path);
    for (;;) {
        ssize_t got = read(fd, text + used, room - used - 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            memory_free(text);
            return fail(code, path, "cannot be read");
        }
        if (got == 0) break;
        used += (size_t)got;
        if (used + 1 < room) continue;
        char *longer = memory_resize(text, 2, room);
        if (!longer) {
            memory_free(text);
            return status_prefix(KNACK_E_MEMORY, "%s", path);
        }
        text = longer;
        room *= 2;
    }
    text[used] = '\0';
    *data = text;
    *size = used;
    return KNACK_OK;
}

knack_status file_read(const char *path, knack_status code, char **data, size_t *size)
{
    *data = NULL;
    *size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(code, path, "cannot be opened");
    struct stat about;
    knack_status status;
    if (fstat(fd, &about) < 0)
        status = fail(code, path, "cannot be read");
    else if (S_ISDIR(about.st_mode))
        status = status_set(code, "%s: expected a file, this is a folder", path);
    else
        status = read_all(fd, path, code, about.st_size > 0 ? (size_t)about.st_size : 0, data, size);
    close(fd);
    return status;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool file_is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* ---- Folders and names ---- */

static knack_status make_one_folder(const char *path)
{
    if (mkdir(path, 0777) == 0) return KNACK_OK;
    int reason = errno;
    if (file_is_folder(path)) return KNACK_OK;
    errno = reason; /* and not what looking for the folder left */
    return fail(KNACK_E_IO, path, "this folder cannot be made");
}

knack_status file_make_folder(const char *path)
{
    char *part = memory_text(path);
    if (!part) return KNACK_E_MEMORY;
    knack_status status = KNACK_OK;
    for (char *slash = part; status >= 0 && (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        status = make_one_folder(part);
        *slash = '/';
    }
    if (status >= 0) status = make_one_folder(part);
    memory_free(part);
    return status;
}

knack_status file_remove(const char *path)
{
    if (unlink(path) == 0 || errno == ENOENT) return KNACK_OK;
    return fail(KNACK_E_IO, path, "cannot be removed");
}

/* The names of a folder one after the other, each with its NUL. */
struct names {
    char *text;
    size_t used, room;
    int64_t count;
};

static knack_status names_add(struct names *names, const char *name)
{
    size_t size = strlen(name) + 1;
    if (names->room - names->used < size) {
        size_t room = 2 * names->room + size + 1024;
        char *text = memory_resize(names->text, room, 1);
        if (!text) return KNACK_E_MEMORY;
        names->text = text;
        names->room = room;
    }
    memcpy(names->text + names->used, name, size);
    names->used += size;
    names->count++;
    return KNACK_OK;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static knack_status names_read(struct names *names, DIR *folder, const char *path)
{
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(folder);
        if (!entry) return errno == 0 ? KNACK_OK : fail(KNACK_E_IO, path, "this folder cannot be read");
        if (!is_dots(entry->d_name)) TRY(names_add(names, entry->d_name));
    }
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One block: the pointers, sorted, and behind them the texts. */
static char **names_sorted(const struct names *names)
{
    size_t pointers = (size_t)names->count * sizeof(char *);
    char **list = memory_new(pointers + names->used, 1);
    if (!list) return NULL;
    char *text = (char *)list + pointers;
    if (names->used > 0) memcpy(text, names->text, names->used);
    for (int64_t i = 0; i < names->count; i++, text += strlen(text) + 1) list[i] = text;
    qsort(list, (size_t)names->count, sizeof(char *), by_bytes);
    return list;
}

knack_status file_list(const char *path, char ***list, int64_t *count)
{
    *list = NULL;
    *count = 0;
    DIR *folder = opendir(path);
    if (!folder) return fail(KNACK_E_IO, path, "this folder cannot be read");
    struct names names = {0};
    knack_status status = names_read(&names, folder, path);
    closedir(folder);
    if (status >= 0) {
        *list = names_sorted(&names);
        *count = names.count;
        if (!*list) status = KNACK_E_MEMORY;
    }
    memory_free(names.text);
    return status;
}

bool file_folder_is_empty(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) return errno == ENOENT;
    const struct dirent *entry;
    do entry = readdir(folder);
    while (entry && is_dots(entry->d_name));
    closedir(folder);
    return !entry;
}

char *file_join(const char *folder, const char *name)
{
    if (name[0] == '/' || folder[0] == '\0') return memory_text(name);
    const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
    return memory_format("%s%s%s", folder, slash, name);
}

char *file_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return memory_text(".");
    return memory_format("%.*s", slash == path ? 1 : (int)(slash - path), path);
}

char *file_stem(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    size_t length = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    return memory_format("%.*s", (int)length, name);
}

/* ---- Writing ---- */

/* Calls write() until all is written. */
static knack_status write_all(int fd, const char *path, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t wrote = write(fd, data, size);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return fail(KNACK_E_IO, path, "cannot be written");
        data += wrote;
        size -= (size_t)wrote;
    }
    return KNACK_OK;
}

enum { OUTPUT_BUFFER = 1 << 16 };

struct file_output {
    char *path, *temporary; /* PATH.tmp, or PATH.2.tmp where another process writes the same file */
    int fd;                 /* -1: not open */
    bool made;              /* the temporary file is there, is ours, and not renamed yet */
    size_t used;
    char buffer[OUTPUT_BUFFER];
};

enum { WRITERS_MOST = 64 }; /* of one file at once */

/* The file of this name, to be written by nobody else: who writes it holds its lock, so that what a killed program left is overwritten by
 * the next. false: somebody has it, or had it until now. */
static bool take_temporary(struct file_output *output)
{
    struct stat own, named;
    output->fd = open(output->temporary, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (output->fd < 0) return false;
    bool locked = flock(output->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; /* some file systems have no locks */
    bool same = locked && fstat(output->fd, &own) == 0 && stat(output->temporary, &named) == 0 && own.st_ino == named.st_ino;
    output->made = same && ftruncate(output->fd, 0) == 0;
    if (output->made) return true;
    close(output->fd);
    output->fd = -1;
    errno = EWOULDBLOCK;
    return false;
}

static knack_status open_temporary(struct file_output *output)
{
    errno = EWOULDBLOCK;
    for (int i = 1; i <= WRITERS_MOST && errno == EWOULDBLOCK; i++) {
        memory_free(output->temporary);
        output->temporary = i == 1 ? memory_format("%s.tmp", output->path) : memory_format("%s.%d.tmp", output->path, i);
        if (!output->temporary) return KNACK_E_MEMORY;
        if (take_temporary(output)) return KNACK_OK;
    }
    return fail(KNACK_E_IO, output->path, "cannot be written");
}

knack_status file_create(const char *path, struct file_output **output)
{
    *output = NULL;
    struct file_output *made = memory_new(1, sizeof *made);
    if (!made) return KNACK_E_MEMORY;
    made->fd = -1;
    made->path = memory_text(path);
    knack_status status = made->path ? open_temporary(made) : KNACK_E_MEMORY;
    if (status < 0) {
        file_abandon(made);
        return status;
    }
    *output = made;
    return KNACK_OK;
}

static knack_status flush(struct file_output *output)
{
    size_t size = output->used;
    output->used = 0;
    return write_all(output->fd, output->path, output->buffer, size);
}

knack_status file_put(struct file_output *output, const void *data, size_t size)
{
    if (size > OUTPUT_BUFFER - output->used) TRY(flush(output));
    if (size > OUTPUT_BUFFER) return write_all(output->fd, output->path, data, size);
    memcpy(output->buffer + output->used, data, size);
    output->used += size;
    return KNACK_OK;
}

/* Makes a rename in the folder of path last. Some file systems cannot do it, and say EINVAL. */
static knack_status sync_folder(const char *path)
{
    char *folder = file_folder(path);
    if (!folder) return KNACK_E_MEMORY;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    knack_status status = done ? KNACK_OK : fail(KNACK_E_IO, folder, "this folder cannot be flushed to disk");
    if (fd >= 0) close(fd);
    memory_free(folder);
    return status;
}

/* Everything but freeing. */
static knack_status finish(struct file_output *output)
{
    TRY(flush(output));
    if (fsync(output->fd) < 0) return fail(KNACK_E_IO, output->path, "cannot be flushed to disk");
    if (rename(output->temporary, output->path) < 0) return fail(KNACK_E_IO, output->path, "cannot be put in place");
    output->made = false; /* before the lock ends, so that nobody takes the file in its place */
    int closed = close(output->fd);
    output->fd = -1;
    if (closed < 0) return fail(KNACK_E_IO, output->path, "cannot be written");
    return sync_folder(output->path);
}

knack_status file_commit(struct file_output *output)
{
    knack_status status = finish(output);
    file_abandon(output);
    return status;
}

void file_abandon(struct file_output *output)
{
    if (!output) return;
    if (output->made) unlink(output->temporary);
    if (output->fd >= 0) close(output->fd);
    memory_free(output->temporary);
    memory_free(output->path);
    memory_free(output);
}

knack_status file_write(const char *path, const void *data, size_t size)
{
    struct file_output *output;
    TRY(file_create(path, &output));
    knack_status status = file_put(output, data, size);
    if (status >= 0) return file_commit(output);
    file_abandon(output);
    return status;
}

/* ---- Logs ---- */

struct file_log {
    char *path;
    int fd;
    int64_t size;
    char *line; /* with its newline, so that one write() takes both */
    size_t room;
};

/* Opens, and cuts to keep bytes. */
static knack_status log_start(struct file_log *log, int64_t keep)
{
    log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    struct stat about;
    if (log->fd < 0 || fstat(log->fd, &about) < 0) return fail(KNACK_E_IO, log->path, "cannot be written");
    log->size = about.st_size;
    if (log->size == 0) TRY(sync_folder(log->path)); /* it may be new, and what is synced to it must not vanish with its name */
    if (keep < 0 || keep == log->size) return KNACK_OK;
    if (keep > log->size) {
        return status_set(KNACK_E_IO, "%s: expected at least %lld bytes, it has %lld: it was changed from outside", log->path,
                          (long long)keep, (long long)log->size);
    }
    if (ftruncate(log->fd, keep) < 0) return fail(KNACK_E_IO, log->path, "cannot be shortened");
    log->size = keep;
    return KNACK_OK;
}

knack_status file_log_open(const char *path, int64_t keep, struct file_log **log)
{
    *log = NULL;
    struct file_log *opened = memory_new(1, sizeof *opened);
    if (!opened) return KNACK_E_MEMORY;
    opened->fd = -1;
    opened->path = memory_text(path);
    knack_status status = opened->path ? log_start(opened, keep) : KNACK_E_MEMORY;
    if (status < 0) {
        file_log_close(opened);
        return status;
    }
    *log = opened;
    return KNACK_OK;
}

knack_status file_log_line(struct file_log *log, const char *line, size_t size)
{
    if (size + 1 > log->room) {
        char *longer = memory_resize(log->line, 2, size + 1);
        if (!longer) return KNACK_E_MEMORY;
        log->line = longer;
        log->room = 2 * (size + 1);
    }
    memcpy(log->line, line, size);
    log->line[size] = '\n';
    TRY(write_all(log->fd, log->path, log->line, size + 1));
    log->size += (int64_t)size + 1;
    return KNACK_OK;
}

knack_status file_log_sync(struct file_log *log)
{
    return fsync(log->fd) == 0 ? KNACK_OK : fail(KNACK_E_IO, log->path, "cannot be flushed to disk");
}

int64_t file_log_size(const struct file_log *log)
{
    return log->size;
}

void file_log_close(struct file_log *log)
{
    if (!log) return;
    if (log->fd >= 0) close(log->fd);
    memory_free(log->line);
    memory_free(log->path);
    memory_free(log);
}
