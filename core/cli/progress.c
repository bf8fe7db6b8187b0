#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/format.h"
#include "cli/interrupt.h"

enum { BAR_CELLS = 16 };
/* Seconds between plain lines, at least: at the ends of epochs, and within a long one. */
static const double epoch_interval = 1, line_interval = 30;

/* Makes room for other output: takes the bar away, prints the line that waits. */
static void finish_line(struct progress *progress)
{
    if (progress->drawn) fputs("\r\033[K", stderr);
    if (progress->line[0]) fprintf(stderr, "%s%s%s\n", progress->line, progress->validation[0] ? "  " : "", progress->validation);
    progress->drawn = false;
    progress->line[0] = '\0';
}

void progress_note(struct progress *progress, const char *text)
{
    if (progress->console->quiet) return;
    finish_line(progress);
    fprintf(stderr, "%s\n", text);
}

static void note(void *user, const char *text)
{
    progress_note(user, text);
}

static void warning(void *user, const char *text)
{
    struct progress *progress = user;
    finish_line(progress);
    console_warning(progress->console, text);
}

/* Keeps the first metric of each weight set for the lines to come. */
static void evaluation(void *user, const char *part, const char *weights, int64_t epoch, const struct metric_value *metric, int64_t count)
{
    struct progress *progress = user;
    if (count == 0 || strcmp(part, "validation") != 0) return;
    if (progress->validated != epoch) progress->validation[0] = '\0';
    progress->validated = epoch;
    size_t length = strlen(progress->validation);
    char value[NUMBER_SIZE], listed[PROGRESS_TEXT];
    snprintf(listed, sizeof listed, " (%s)", weights);
    if (strstr(progress->validation, listed)) return; /* the run's end evaluates once more what its last epoch did */
    number_four(value, metric->value);
    if (length == 0) {
        snprintf(progress->metric, sizeof progress->metric, "%s %s", metric->name, value);
        snprintf(progress->validation, PROGRESS_TEXT, "validation %s (%s)", progress->metric, weights);
    } else {
        snprintf(progress->validation + length, PROGRESS_TEXT - length, ", %s (%s)", value, weights);
    }
}

/* "loss 0.1234  812 steps/s  0:05 min left" */
static void describe(const struct run_progress *now, char *text, size_t size)
{
    char loss[NUMBER_SIZE], rate[NUMBER_SIZE], left[NUMBER_SIZE];
    number_four(loss, now->loss);
    number_fixed(rate, now->updates_per_second, now->updates_per_second < 10 ? 1 : 0);
    number_duration(left, now->seconds_left);
    bool ended = now->update >= now->updates;
    snprintf(text, size, "loss %s  %s steps/s%s%s%s", loss, rate, ended ? "" : "  ", ended ? "" : left, ended ? "" : " left");
}

/* What stands beside the bar: all if there is room for it, else what matters most. text [2 * PROGRESS_TEXT] */
static void describe_briefly(const struct progress *progress, const struct run_progress *now, int room, char *text)
{
    enum { SIZE = 2 * PROGRESS_TEXT };
    char all[PROGRESS_TEXT], loss[NUMBER_SIZE], left[NUMBER_SIZE];
    describe(now, all, sizeof all);
    number_four(loss, now->loss);
    number_duration(left, now->seconds_left);
    if (snprintf(text, SIZE, "%s  %s", all, progress->validation) <= room) return;
    if (snprintf(text, SIZE, "loss %s  %s  %s left", loss, progress->metric, left) <= room) return;
    snprintf(text, SIZE, "loss %s  %s", loss, progress->metric);
}

/* As much of the text as fits the screen's line, so that the next \r finds its beginning. */
static void draw_bar(struct progress *progress, const struct run_progress *now)
{
    const struct console *console = progress->console;
    double share = now->updates > 0 ? (double)now->update / (double)now->updates : 0;
    int64_t epoch = now->epoch < now->epochs ? now->epoch + 1 : now->epochs;
    char head[64], tail[2 * PROGRESS_TEXT], bar[FORMAT_BAR_SIZE];
    int width, height;
    console_screen(STDERR_FILENO, &width, &height);
    int used = snprintf(head, sizeof head, "epoch %lld/%lld ", (long long)epoch, (long long)now->epochs);
    int room = width - 1 - used - BAR_CELLS - 7;
    describe_briefly(progress, now, room, tail);
    format_bar(bar, share, BAR_CELLS, console->unicode);
    fprintf(stderr, "\r%s%s%s", head, console->colour ? "\033[36m" : "", bar);
    fprintf(stderr, "%s %3d%%  %.*s\033[K", console->colour ? "\033[0m" : "", (int)(100 * share), room > 0 ? room : 0, tail);
    fflush(stderr);
    progress->drawn = true;
}

/* A line for the first epoch's end, the last one's, and those between that are far enough apart. It waits for the epoch's evaluation. */
static void set_epoch_line(struct progress *progress, const struct run_progress *now)
{
    bool needed = progress->line_epochs == 0 || now->epoch >= now->epochs;
    if (!needed && now->seconds - progress->line_seconds < epoch_interval) return;
    progress->line_epochs = now->epoch;
    progress->line_seconds = now->seconds;
    char text[PROGRESS_TEXT];
    describe(now, text, sizeof text);
    snprintf(progress->line, sizeof progress->line, "epoch %lld/%lld  %s", (long long)now->epoch, (long long)now->epochs, text);
}

static void print_lines(struct progress *progress, const struct run_progress *now)
{
    finish_line(progress);
    if (now->epoch != progress->line_epochs) {
        set_epoch_line(progress, now);
    } else if (now->seconds - progress->line_seconds >= line_interval) {
        progress->line_seconds = now->seconds;
        char text[PROGRESS_TEXT];
        describe(now, text, sizeof text);
        fprintf(stderr, "in epoch %lld/%lld  %s\n", (long long)now->epoch + 1, (long long)now->epochs, text);
    }
}

static void show(void *user, const struct run_progress *now)
{
    struct progress *progress = user;
    if (progress->console->quiet) return;
    if (progress->console->progress_on_screen)
        draw_bar(progress, now);
    else
        print_lines(progress, now);
}

static bool interrupted(void *user)
{
    struct progress *progress = user;
    if (!interrupt_asked()) return false;
    if (!progress->told) progress_note(progress, "writing a checkpoint; Ctrl-C once more ends at once");
    progress->told = true;
    return true;
}

void progress_start(struct progress *progress, const struct console *console)
{
    *progress = (struct progress){.console = console, .validated = -1};
}

struct run_observer progress_observer(struct progress *progress)
{
    return (struct run_observer){
        .user = progress, .note = note, .warning = warning, .progress = show, .evaluation = evaluation, .interrupted = interrupted};
}

void progress_stop(struct progress *progress)
{
    finish_line(progress);
    fflush(stderr);
}
