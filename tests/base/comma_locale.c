#include "base/comma_locale.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* LC_NUMERIC as localedef compiles it for glibc: decimal point ",", no separator of thousands. */
static const unsigned char numeric[] = {0x14, 0x11, 0x03, 0x20, 0x06, 0,   0,   0,   0x20, 0,   0,   0,   0x22, 0,   0, 0,
                                        0x23, 0,    0,    0,    0x28, 0,   0,   0,   0x2c, 0,   0,   0,   0x30, 0,   0, 0,
                                        ',',  0,    0,    3,    3,    0,   0,   0,   ',',  0,   0,   0,   0,    0,   0, 0,
                                        'A',  'N',  'S',  'I',  '_',  'X', '3', '.', '4',  '-', '1', '9', '6',  '8', 0};

static bool write_locale(const char *folder)
{
    char path[256];
    snprintf(path, sizeof path, "%s/comma", folder);
    if (mkdir(path, 0777) < 0) return false;
    snprintf(path, sizeof path, "%s/comma/LC_NUMERIC", folder);
    FILE *file = fopen(path, "wb");
    if (!file) return false;
    bool written = fwrite(numeric, sizeof numeric, 1, file) == 1;
    return fclose(file) == 0 && written;
}

static void remove_locale(const char *folder)
{
    char path[256];
    snprintf(path, sizeof path, "%s/comma/LC_NUMERIC", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/comma", folder);
    rmdir(path);
    rmdir(folder);
}

bool comma_locale_begin(void)
{
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8")) return true;
    char folder[] = "/tmp/knack-locale-XXXXXX";
    if (!mkdtemp(folder)) return false;
    bool set = write_locale(folder) && setenv("LOCPATH", folder, 1) == 0 && setlocale(LC_NUMERIC, "comma");
    unsetenv("LOCPATH");
    remove_locale(folder);
    bool comma = set && strcmp(localeconv()->decimal_point, ",") == 0;
    if (!comma) fputs("this C library takes no locale with a decimal comma\n", stderr);
    return comma;
}

void comma_locale_end(void)
{
    setlocale(LC_NUMERIC, "C");
}
