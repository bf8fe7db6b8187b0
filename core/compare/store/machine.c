/* What a comparison ran on, in words. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "compare/store/parts.h"

/* The processor's name as Linux tells it; "" where it does not. */
static void read_processor(char name[128])
{
    char line[256];
    name[0] = '\0';
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file) return;
    while (!name[0] && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon) snprintf(name, 128, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    }
    fclose(file);
}

void store_machine(char text[256])
{
    char processor[128];
    struct utsname system;
    read_processor(processor);
    if (uname(&system) < 0) memset(&system, 0, sizeof system);
    snprintf(text, 256, "%.40s, %.20s %.50s%s%s", system.machine, system.sysname, system.release, *processor ? ", " : "", processor);
}
