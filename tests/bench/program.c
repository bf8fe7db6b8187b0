#include "program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "bench.h"

pid_t program_start(const char *const *words)
{
    char *program = bench_beside("../../core/knack");
    pid_t process = program ? fork() : -1;
    if (process == 0) {
        int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(nothing, STDOUT_FILENO);
        execv(program, (char *const *)words);
        _exit(127);
    }
    memory_free(program);
    if (process < 0) status_set(KNACK_E_IO, "knack cannot be started");
    return process;
}

knack_status program_await(pid_t process)
{
    int status = -1;
    if (process < 0) return KNACK_E_IO;
    if (waitpid(process, &status, 0) < 0 || status != 0) return status_set(KNACK_E_CALL, "knack failed");
    return KNACK_OK;
}
