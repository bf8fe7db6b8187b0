/* bench machine: rows of the table that heads a page of measurements. */
#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tensor/kernels/kernels.h"

/* The first value of a key of /proc/cpuinfo, cut to size. */
static const char *cpu_fact(const char *key, char *value, size_t size)
{
    char line[8192];
    FILE *file = fopen("/proc/cpuinfo", "r");
    value[0] = '\0';
    while (file && value[0] == '\0' && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (!colon || strcspn(line, "\t:") != strlen(key) || strncmp(line, key, strlen(key)) != 0) continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(value, size, "%s", colon + 2);
    }
    if (file) fclose(file);
    return value;
}

knack_status bench_machine(const struct options *options)
{
    char name[128], family[16], model[16], flags[8192];
    (void)options;
    bool virtual = strstr(cpu_fact("flags", flags, sizeof flags), "hypervisor") != NULL;
    printf("| machine | %s (family %s, model %s), %ld cores, %ld KB L2 each%s |\n", cpu_fact("model name", name, sizeof name),
           cpu_fact("cpu family", family, sizeof family), cpu_fact("model", model, sizeof model), sysconf(_SC_NPROCESSORS_ONLN),
           sysconf(_SC_LEVEL2_CACHE_SIZE) / 1024, virtual ? ", virtual machine" : "");
    printf("| kernels | %s, %s, compiler %s |\n", kernel_library_version(), kernel_cpu_level(), __VERSION__);
    return KNACK_OK;
}
