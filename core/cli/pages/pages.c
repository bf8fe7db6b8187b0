/* Writes the files that are named: knack.1 and knack-COMMAND.1 are pages of the manual, "knack" is the completion for bash, which begins
 * with what this program's tables say and goes on with SCRIPT.
 *   pages SCRIPT FILE... */
#include <stdbool.h>
#include <string.h>

#include "cli/pages/pages.h"

static bool copy(FILE *out, const char *path)
{
    FILE *in = fopen(path, "r");
    if (!in) return false;
    char part[4096];
    for (size_t size; (size = fread(part, 1, sizeof part, in)) > 0;) fwrite(part, 1, size, out);
    bool good = !ferror(in);
    fclose(in);
    return good;
}

static const struct command *find_command(const char *page)
{
    char name[64];
    for (const struct command *const *command = program_commands; *command; command++) {
        snprintf(name, sizeof name, "knack-%s.1", (*command)->name);
        if (strcmp(name, page) == 0) return *command;
    }
    return NULL;
}

static bool write_page(FILE *out, const char *name, const char *script)
{
    const struct command *command = find_command(name);
    if (strcmp(name, "knack") == 0) {
        completion_write(out);
        return copy(out, script);
    }
    if (command)
        manual_write_command(out, command);
    else if (strcmp(name, "knack.1") == 0)
        manual_write(out);
    else
        return false;
    return true;
}

int main(int count, char **word)
{
    for (int i = 2; i < count; i++) {
        const char *slash = strrchr(word[i], '/');
        FILE *out = fopen(word[i], "w");
        bool good = out && write_page(out, slash ? slash + 1 : word[i], word[1]) && !ferror(out);
        if (out && fclose(out) != 0) good = false;
        if (!good) {
            fprintf(stderr, "pages: %s cannot be written\n", word[i]);
            return 1;
        }
    }
    return 0;
}
