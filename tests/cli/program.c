#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char workplace[4096];

int workplace_enter(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    if (!base || !*base) base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* in memory, since runs wait for the disk */
    snprintf(workplace, sizeof workplace, "%s/knack-test-XXXXXX", base);
    return mkdtemp(workplace) && chdir(workplace) == 0 ? 0 : -1;
}

int workplace_leave(void **state)
{
    (void)state;
    if (chdir("/") != 0) return -1;
    remove_tree(workplace);
    return 0;
}

/* An open file without a name. */
static int nameless_file(void)
{
    char path[] = "output-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    unlink(path);
    return file;
}

static void become(const char *const *environment, const char *const *word, int out, int err)
{
    enum { MOST = 64 };
    const char *argument[MOST + 2] = {getenv("KNACK_PROGRAM")};
    for (int i = 0; i < MOST && word[i]; i++) argument[i + 1] = word[i];
    for (int i = 0; environment && environment[i]; i++) putenv((char *)environment[i]);
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    if (argument[0]) execv(argument[0], (char *const *)argument);
    _exit(127);
}

struct started start_words(const char *const *environment, const char *const *word)
{
    assert_non_null(getenv("KNACK_PROGRAM")); /* `meson test` sets it */
    struct started started = {.out = nameless_file(), .err = nameless_file()};
    started.process = fork();
    assert_true(started.process >= 0);
    if (started.process == 0) become(environment, word, started.out, started.err);
    return started;
}

static char *drain(int file)
{
    off_t size = lseek(file, 0, SEEK_END);
    char *text = malloc((size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(pread(file, text, (size_t)size, 0), size);
    text[size] = '\0';
    close(file);
    return text;
}

struct outcome wait_for(struct started *started)
{
    int status;
    while (waitpid(started->process, &status, 0) < 0) assert_int_equal(errno, EINTR);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return (struct outcome){code, drain(started->out), drain(started->err)};
}

struct outcome run_words(const char *const *environment, const char *const *word)
{
    struct started started = start_words(environment, word);
    return wait_for(&started);
}

void outcome_free(struct outcome *outcome)
{
    free(outcome->out);
    free(outcome->err);
}

void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

char *read_bytes(const char *path, size_t *size)
{
    int file = open(path, O_RDONLY);
    if (file < 0) fail_msg("%s: %s", path, strerror(errno));
    *size = (size_t)lseek(file, 0, SEEK_END);
    return drain(file);
}

char *read_text(const char *path)
{
    size_t size;
    return read_bytes(path, &size);
}

bool path_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("\"%s\" is not in:\n%s", part, text);
}

void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part)) fail_msg("\"%s\" is in:\n%s", part, text);
}

void assert_status(const struct outcome *outcome, int status)
{
    if (outcome->status != status) fail_msg("exit status %d, not %d:\n%s%s", outcome->status, status, outcome->out, outcome->err);
}

void assert_same_files(const char *path, const char *other)
{
    size_t size, other_size;
    char *bytes = read_bytes(path, &size), *other_bytes = read_bytes(other, &other_size);
    if (size != other_size || memcmp(bytes, other_bytes, size) != 0) fail_msg("%s and %s differ", path, other);
    free(bytes);
    free(other_bytes);
}
