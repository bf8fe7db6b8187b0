#include "cli/console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/memory.h"

/* The environment says it; setlocale() would change the locale of a program that embeds knack. */
static bool locale_is_utf8(void)
{
    static const char *const variable[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variable / sizeof *variable; i++) {
        const char *value = getenv(variable[i]);
        if (value && *value) return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

static bool colours_wanted(void)
{
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return !(no_color && *no_color) && !(terminal && strcmp(terminal, "dumb") == 0);
}

void console_screen(int file, int *width, int *height)
{
    struct winsize size;
    bool known = ioctl(file, TIOCGWINSZ, &size) == 0;
    *width = known && size.ws_col > 0 ? size.ws_col : 80;
    *height = known && size.ws_row > 0 ? size.ws_row : 24;
}

void console_open(struct console *console)
{
    *console = (struct console){0};
    console->result_on_screen = isatty(STDOUT_FILENO);
    int width, height;
    console_screen(STDOUT_FILENO, &width, &height);
    console->result_width = console->result_on_screen ? width : 0;
    console->progress_on_screen = isatty(STDERR_FILENO);
    console->colour = console->progress_on_screen && colours_wanted();
    console->unicode = locale_is_utf8();
}

void console_warning(const struct console *console, const char *text)
{
    fprintf(stderr, console->colour ? "\033[33mwarning:\033[0m %s\n" : "warning: %s\n", text);
}

static void print_error_object(const char *message, int status)
{
    struct json_writer *writer = json_writer_new(false);
    if (!writer) return;
    json_open(writer, NULL, '{');
    json_string(writer, "error", message);
    json_integer(writer, "status", status);
    json_close(writer);
    console_print_json(writer);
}

int console_fail(const struct console *console, knack_status code)
{
    int status = status_exit(code);
    char *message = strdup(knack_error()); /* what follows may set other errors; NULL: the little that can be said without memory */
    fflush(stdout);
    fprintf(stderr, console->colour ? "\033[31mknack:\033[0m %s\n" : "knack: %s\n", message ? message : "out of memory");
    if (console->json) print_error_object(message ? message : "out of memory", status);
    free(message);
    return status;
}

knack_status console_print(char *text)
{
    if (!text) return KNACK_E_MEMORY;
    size_t length = strlen(text);
    fputs(text, stdout);
    if (length == 0 || text[length - 1] != '\n') putchar('\n');
    memory_free(text);
    return console_flush();
}

knack_status console_print_json(struct json_writer *writer)
{
    const char *text = json_text(writer, NULL);
    knack_status status = text ? KNACK_OK : KNACK_E_MEMORY;
    if (text) puts(text);
    json_writer_free(writer);
    return status < 0 ? status : console_flush();
}

knack_status console_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return KNACK_OK;
    return status_set(KNACK_E_IO, "standard output: %s", errno ? strerror(errno) : "cannot be written");
}
