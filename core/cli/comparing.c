#include "cli/comparing.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/format.h"
#include "cli/interrupt.h"
#include "cli/paragraph.h"

enum { BAR_CELLS = 12, NAME_MOST = 24, PICTURE_SIZE = 32768, LINE_SIZE = 512 };
static const double picture_interval = 0.1;
/* Seconds between plain lines: at least so many, and a share of what went by, so that long comparisons have not too many. */
static const double line_interval = 5, line_share = 1.0 / 30;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- A picture: lines that fit the screen ---- */

struct picture {
    int width, height; /* of the screen */
    int lines;
    size_t length;
    char text[PICTURE_SIZE];
};

static void measure_screen(struct picture *picture)
{
    console_screen(STDERR_FILENO, &picture->width, &picture->height);
}

static void append(struct picture *picture, const char *text, size_t length)
{
    if (length > PICTURE_SIZE - picture->length) length = PICTURE_SIZE - picture->length;
    memcpy(picture->text + picture->length, text, length);
    picture->length += length;
}

/* The last column stays free: some terminals begin a new line there. The last row stays free for the cursor. */
static void add_line(struct picture *picture, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_line(struct picture *picture, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list list;
    if (picture->lines >= picture->height - 1) return;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    append(picture, line, text_cut(line, picture->width - 1));
    append(picture, "\033[K\n", 4);
    picture->lines++;
}

static void go_back(int lines)
{
    if (lines > 0) fprintf(stderr, "\r\033[%dA", lines);
}

static void take_away(struct comparing *comparing)
{
    if (comparing->lines == 0) return;
    go_back(comparing->lines);
    fputs("\033[J", stderr);
    comparing->lines = 0;
}

/* Written at once, so that nothing of it is seen half. */
static void draw(struct comparing *comparing, const struct picture *picture)
{
    go_back(comparing->lines);
    fwrite(picture->text, 1, picture->length, stderr);
    if (picture->lines < comparing->lines) fputs("\033[J", stderr);
    fflush(stderr);
    comparing->lines = picture->lines;
}

/* ---- What stands in it ---- */

/* A name in at most NAME_MOST columns, with blanks up to width. */
static const char *padded(char text[LINE_SIZE], const char *name, int64_t width)
{
    int length = (int)text_cut(name, NAME_MOST);
    snprintf(text, LINE_SIZE, "%.*s", length, name);
    int64_t blanks = width - text_columns(text);
    snprintf(text, LINE_SIZE, "%.*s%*s", length, name, (int)(blanks > 0 ? blanks : 0), "");
    return text;
}

static int64_t name_width(const struct comparison_progress *progress)
{
    int64_t width = 3; /* "arm" */
    for (int64_t i = 0; i < progress->arms; i++) {
        int64_t columns = text_columns(progress->arm[i].name);
        if (columns > width) width = columns;
    }
    return width < NAME_MOST ? width : NAME_MOST;
}

static void describe(const struct comparison_progress *progress, char text[LINE_SIZE])
{
    char spent[NUMBER_SIZE], left[NUMBER_SIZE];
    number_duration(spent, progress->seconds);
    int used = snprintf(text, LINE_SIZE, "%s", progress->phase);
    if (progress->planned > 0)
        used += snprintf(text + used, LINE_SIZE - (size_t)used, "  %lld/%lld", (long long)progress->done, (long long)progress->planned);
    used += snprintf(text + used, LINE_SIZE - (size_t)used, "  %s", spent);
    if (isfinite(progress->seconds_left) && progress->done < progress->planned)
        snprintf(text + used, LINE_SIZE - (size_t)used, "  %s left", number_duration(left, progress->seconds_left));
}

static void add_trial(struct picture *picture, const struct console *console, const struct comparison_trial *trial, int64_t width)
{
    char name[LINE_SIZE], bar[FORMAT_BAR_SIZE], loss[NUMBER_SIZE];
    const struct trial_progress *at = &trial->progress;
    double share = at->updates > 0 ? (double)at->update / (double)at->updates : 0;
    int64_t epoch = at->epoch < at->epochs ? at->epoch + 1 : at->epochs;
    format_bar(bar, share, BAR_CELLS, console->unicode);
    padded(name, trial->arm, width);
    if (at->updates == 0)
        add_line(picture, "%s  seed %lld  %s   0%%", name, (long long)trial->seed, bar);
    else
        add_line(picture, "%s  seed %lld  %s %3d%%  epoch %lld/%lld  loss %s", name, (long long)trial->seed, bar, (int)(100 * share),
                 (long long)epoch, (long long)at->epochs, number_four(loss, at->loss));
}

static bool has_p(const struct comparison_progress *progress)
{
    for (int64_t i = 0; i < progress->arms; i++)
        if (isfinite(progress->arm[i].p_adjusted)) return true;
    return false;
}

static void add_arm(struct picture *picture, const struct comparison_progress *progress, const struct comparison_arm *arm, int64_t width,
                    bool with_p)
{
    char name[LINE_SIZE], done[64], failed[32] = "", mean[NUMBER_SIZE], p[NUMBER_SIZE] = "";
    snprintf(done, sizeof done, "%lld/%lld", (long long)arm->done, (long long)arm->planned);
    if (arm->failed > 0) snprintf(failed, sizeof failed, "%lld", (long long)arm->failed);
    if (progress->percent == 100 && isfinite(arm->mean))
        number_fixed(mean, 100 * arm->mean, 2);
    else
        number_four(mean, arm->mean);
    if (with_p) number_p(p, arm->p_adjusted);
    padded(name, arm->name, width);
    if (with_p)
        add_line(picture, "%s  %9s  %6s  %8s  %8s%s", name, done, failed, mean, p, arm->stopped ? "  stopped" : "");
    else
        add_line(picture, "%s  %9s  %6s  %8s%s", name, done, failed, mean, arm->stopped ? "  stopped" : "");
}

/* As many arms as there is room for. */
static void add_arms(struct picture *picture, const struct comparison_progress *progress, int64_t width)
{
    char heading[LINE_SIZE];
    bool with_p = has_p(progress);
    int64_t room = picture->height - 1 - picture->lines - 1, shown = progress->arms;
    if (progress->arms == 0 || room < 2) return;
    if (shown > room) shown = room - 1;
    padded(heading, "arm", width);
    add_line(picture, with_p ? "%s  %9s  %6s  %8s  %8s" : "%s  %9s  %6s  %8s", heading, "done", "failed", "mean", "Holm p");
    for (int64_t i = 0; i < shown; i++) add_arm(picture, progress, &progress->arm[i], width, with_p);
    if (shown < progress->arms) add_line(picture, "and %lld more arms", (long long)(progress->arms - shown));
}

static void show_picture(struct comparing *comparing, const struct comparison_progress *progress)
{
    double time = now();
    if (time - comparing->drawn_at < picture_interval) return;
    comparing->drawn_at = time;
    struct picture picture = {.lines = 0};
    char text[LINE_SIZE];
    int64_t width = name_width(progress);
    measure_screen(&picture);
    describe(progress, text);
    add_line(&picture, "%s", text);
    int64_t most = picture.height / 2; /* many jobs leave room for the arms */
    for (int64_t i = 0; i < progress->trials && i < most; i++) add_trial(&picture, comparing->console, &progress->trial[i], width);
    add_arms(&picture, progress, width);
    draw(comparing, &picture);
}

/* ---- Lines ---- */

static int64_t failures(const struct comparison_progress *progress)
{
    int64_t count = 0;
    for (int64_t i = 0; i < progress->arms; i++) count += progress->arm[i].failed;
    return count;
}

/* What comes before the trials is mostly over at once, and has lines only if it takes its time. */
static void print_line(struct comparing *comparing, const struct comparison_progress *progress)
{
    bool trains = progress->arms > 0, begins = strcmp(comparing->phase, progress->phase) != 0, ends = progress->done == progress->planned;
    double interval = fmax(line_interval, line_share * progress->seconds);
    bool due = progress->seconds - comparing->line_seconds >= interval;
    if (trains) due |= begins || (ends && comparing->line_done != progress->done);
    if (!due) return;
    char text[LINE_SIZE], failed[64] = "";
    snprintf(comparing->phase, sizeof comparing->phase, "%s", progress->phase);
    comparing->line_seconds = progress->seconds;
    comparing->line_done = progress->done;
    describe(progress, text);
    if (failures(progress) > 0) snprintf(failed, sizeof failed, "  %lld failed", (long long)failures(progress));
    fprintf(stderr, "%s%s\n", text, failed);
}

/* ---- The observer ---- */

static void note(void *user, const char *text)
{
    struct comparing *comparing = user;
    if (comparing->console->quiet) return;
    take_away(comparing);
    fprintf(stderr, "%s\n", text);
}

static void warning(void *user, const char *text)
{
    struct comparing *comparing = user;
    take_away(comparing);
    console_warning(comparing->console, text);
}

static void show(void *user, const struct comparison_progress *progress)
{
    struct comparing *comparing = user;
    if (comparing->console->quiet) return;
    if (comparing->console->progress_on_screen)
        show_picture(comparing, progress);
    else
        print_line(comparing, progress);
}

static bool interrupted(void *user)
{
    struct comparing *comparing = user;
    if (!interrupt_asked()) return false;
    if (!comparing->told) note(comparing, "stopping: finished trials are kept; Ctrl-C once more ends at once");
    comparing->told = true;
    return true;
}

void comparing_start(struct comparing *comparing, const struct console *console)
{
    *comparing = (struct comparing){.console = console, .line_done = -1};
}

struct comparison_observer comparing_observer(struct comparing *comparing)
{
    return (struct comparison_observer){.user = comparing, .note = note, .warning = warning, .progress = show, .interrupted = interrupted};
}

void comparing_stop(struct comparing *comparing)
{
    take_away(comparing);
    fflush(stderr);
}
