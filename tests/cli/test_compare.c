/* Comparisons by the program as a shell would run it: trials, tables, files, words that are refused, and what interrupts and kills leave.
 */
#include "config.h"
#include "program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const written[] = {"knack.db", "comparison.json", "report.html", "values.csv", "charts"};
enum { WRITTEN = sizeof written / sizeof *written };

static int enter(void **state)
{
    if (workplace_enter(state) != 0 || setenv("KNACK_LEDGER", "ledger.jsonl", 1) != 0) return -1;
    write_text("small.json", SMALL_RUN);
    return 0;
}

static char *read_inside(const char *folder, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return read_text(path);
}

static void run_words_well(const char *const *word, const char *part)
{
    struct outcome outcome = run_words(NULL, word);
    assert_status(&outcome, 0);
    if (part) assert_contains(outcome.out, part);
    outcome_free(&outcome);
}
/* Without what is trained beside the arms: the baseline longer, and not where others have it. */
#define PLAIN               "--no-converge", "--no-cache", "--no-equal-cost"
#define run_well(part, ...) run_words_well((const char *const[]){__VA_ARGS__, NULL}, part)

/* ---- A comparison, again, with more seeds ---- */

static void assert_table(const char *out)
{
    assert_contains(out, "arms, 4 seeds, test accuracy (done)");
    assert_contains(out, "\nmixup  ");
    assert_contains(out, "\nsam  ");
    assert_contains(out, "few seeds    relies on normal differences");
    assert_contains(out, "longer       the baseline with more updates, its schedule stretched, has a mean of ");
    assert_contains(out, "comparison #1 on this test set");
    assert_contains(out, "report       comparisons/first/report.html");
    assert_lacks(out, "nan");
}

/* The same command finds everything there: a trial that was trained again would have taken other seconds, which the file has. */
static void test_compared_and_resumed(void **state)
{
    (void)state;
    write_text("first.json", SMALL_RUN);
    struct outcome first = run_knack("compare", "first.json", "--no-cache", "--tricks", "mixup,sam", "--seeds", "4");
    assert_status(&first, 0);
    assert_table(first.out);
    assert_contains(first.err, "3 arms, seeds from 2000 on");
    assert_contains(first.err, "also training baseline x2 (60 updates), to see whether the baseline's budget is enough\n");
    for (size_t i = 0; i < WRITTEN; i++) {
        char path[128];
        snprintf(path, sizeof path, "comparisons/first/%s", written[i]);
        assert_true(path_exists(path));
    }
    char *json = read_inside("comparisons/first", "comparison.json");
    struct outcome again = run_knack("compare", "first.json", "--no-cache", "--tricks", "mixup,sam", "--seeds", "4");
    assert_status(&again, 0);
    assert_string_equal(again.out, first.out);
    assert_contains(again.err, "comparisons/first: ");
    char *json_again = read_inside("comparisons/first", "comparison.json");
    assert_string_equal(json_again, json);
    assert_is_json(json);
    outcome_free(&first);
    outcome_free(&again);
    free(json);
    free(json_again);
}

/* ---- Reports and lists ---- */

static void test_report(void **state)
{
    (void)state;
    struct outcome made = run_knack("compare", "small.json", PLAIN, "--tricks", "ema", "--seeds", "3", "--out", "reported", "--quiet");
    assert_status(&made, 0);
    assert_string_equal(made.err, "");
    char *html = read_inside("reported", "report.html");
    remove("reported/report.html");
    struct outcome outcome = run_knack("report", "reported");
    assert_status(&outcome, 0);
    assert_string_equal(outcome.out, made.out);
    char *html_again = read_inside("reported", "report.html");
    assert_string_equal(html_again, html);
    outcome_free(&made);
    outcome_free(&outcome);
    char *json = read_inside("reported", "comparison.json");
    outcome = run_knack("report", "reported", "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    assert_int_equal(strncmp(outcome.out, json, strlen(json)), 0);
    outcome_free(&outcome);
    free(json);
    free(html);
    free(html_again);
}

static void test_reports_elsewhere(void **state)
{
    (void)state;
    run_well(NULL, "compare", "small.json", PLAIN, "--tricks", "ema", "--seeds", "3", "--out", "archived", "-q");
    char *html = read_inside("archived", "report.html"), *json = read_inside("archived", "comparison.json");
    remove("archived/report.html");
    run_well("\n| ema | 3 | ", "report", "archived", "--markdown");
    run_well("comparison,n,failed,base_mean,mean,delta,delta_low,delta_high,p,p_holm,wins,", "report", "archived", "--csv");
    run_well("report       a/b/report.html", "report", "archived", "--out", "a/b");
    assert_false(path_exists("archived/report.html"));
    char *elsewhere = read_inside("a/b", "report.html");
    assert_string_equal(elsewhere, html);
    bool inconclusive = strstr(json, "\"verdict_kind\": \"inconclusive\"") != NULL;
    struct outcome outcome = run_knack("report", "archived", "--fail-if", "hurts,inconclusive", "--json");
    assert_status(&outcome, inconclusive || strstr(json, "\"verdict_kind\": \"hurts\"") ? 7 : 0);
    assert_is_json(outcome.out);
    if (inconclusive) assert_contains(outcome.err, "knack: --fail-if hurts,inconclusive: ema INCONCLUSIVE");
    assert_true(path_exists("archived/report.html"));
    outcome_free(&outcome);
    outcome = run_knack("compare", "small.json", PLAIN, "--tricks", "ema", "--seeds", "3", "--out", "archived", "-q", "--fail-if",
                        "inconclusive");
    assert_status(&outcome, inconclusive ? 7 : 0);
    outcome_free(&outcome);
    free(elsewhere);
    free(html);
    free(json);
}

/* As a report beside the end of a comparison, or a second one, does. */
static void test_reports_at_once(void **state)
{
    (void)state;
    run_well(NULL, "compare", "small.json", PLAIN, "--tricks", "ema", "--seeds", "3", "--out", "crowded", "-q");
    char *html = read_inside("crowded", "report.html");
    for (int i = 0; i < 5; i++) {
        struct started started[3];
        for (int k = 0; k < 3; k++) started[k] = start_words(NULL, (const char *const[]){"report", "crowded", NULL});
        for (int k = 0; k < 3; k++) {
            struct outcome outcome = wait_for(&started[k]);
            assert_status(&outcome, 0);
            outcome_free(&outcome);
        }
        char *again = read_inside("crowded", "report.html");
        assert_string_equal(again, html);
        free(again);
    }
    assert_false(path_exists("crowded/report.html.tmp") || path_exists("crowded/report.html.2.tmp"));
    free(html);
}

/* What plugins print in trials goes to standard error. */
static void test_plugins_that_print(void **state)
{
    (void)state;
    char tricks[1024];
    snprintf(tricks, sizeof tricks, "{\"manifest\": \"%s\", \"what\": \"print\"}", getenv("KNACK_TEST_MISHAP"));
    struct outcome outcome = run_knack("compare", "small.json", PLAIN, "--tricks", tricks, "--seeds", "3", "--out", "printed", "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    assert_lacks(outcome.out, "a plugin prints");
    assert_contains(outcome.err, "a plugin prints\na plugin prints\n");
    outcome_free(&outcome);
}

static void test_two_reports(void **state)
{
    (void)state;
    run_well(NULL, "compare", "small.json", PLAIN, "--tricks", "mixup,ema", "--seeds", "3", "--out", "left");
    run_well(NULL, "compare", "small.json", PLAIN, "--tricks", "ema", "--seeds", "4", "--out", "right");
    struct outcome outcome = run_knack("report", "left", "right");
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "A: small, 3 arms, 3 seeds (done)\nB: small, 2 arms, 4 seeds (done)\n");
    assert_contains(outcome.out, "mixup\n  A  ");
    assert_contains(outcome.out, "  B  -\n");
    assert_contains(outcome.out, "A: 2000 to 2002, 3 complete blocks (verdict); B: 2000 to 2003, 4 complete blocks (verdict)");
    outcome_free(&outcome);
    outcome = run_knack("report", "left", "right", "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    outcome_free(&outcome);
}

static void test_list(void **state)
{
    (void)state;
    run_well(NULL, "compare", "small.json", PLAIN, "--tricks", "ema", "--seeds", "3", "--out", "kept/a");
    run_well(NULL, "compare", "small.json", PLAIN, "--tricks", "mixup", "--seeds", "4", "--out", "kept/deep/b");
    struct outcome outcome = run_knack("compare", "--list", "kept");
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "kept/a       one     verdict     2      3  test accuracy  done\n");
    assert_contains(outcome.out, "kept/deep/b  one     verdict     2      4  test accuracy  done\n");
    outcome_free(&outcome);
    outcome = run_knack("compare", "--list", "kept", "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    outcome_free(&outcome);
    outcome = run_knack("compare", "--list", "kept/a/charts");
    assert_status(&outcome, 0);
    assert_string_equal(outcome.out, "no comparison here; knack compare CONFIG --tricks TRICKS makes one\n");
    outcome_free(&outcome);
}

/* ---- Designs, looks, failures ---- */

static void test_designs(void **state)
{
    (void)state;
    run_well("mixup x ema", "compare", "small.json", PLAIN, "--tricks", "mixup,ema", "--design", "factorial", "--seeds", "3", "--out",
             "factorial");
    run_well("mixup within all", "compare", "small.json", PLAIN, "--tricks", "mixup,ema", "--design", "ablation", "--seeds", "3", "--out",
             "ablation");
    run_well("label-smoothing", "compare", "small.json", PLAIN, "--tricks", "mixup,ema,sam,label-smoothing", "--design", "fraction",
             "--seeds", "3", "--out", "fraction");
}

/* A file's arms; one of them cannot train, which costs only its own trials. */
static void test_file_with_a_failure(void **state)
{
    (void)state;
    write_text("arms.json", "{\"base\": \"small.json\", \"seeds\": 3, \"margin\": 0.01, \"arms\": {"
                            "\"ema 0.9\": {\"plugins\": [{\"name\": \"ema\", \"decay\": 0.9}]},"
                            "\"wild\": {\"set\": {\"train.optimizer.lr\": 1e30}}}}");
    struct outcome outcome = run_knack("compare", "arms.json");
    assert_status(&outcome, 0);
    assert_contains(outcome.err, "warning: wild, seed 2000: not finite: ");
    assert_contains(outcome.err, "3 failed");
    assert_contains(outcome.out, "ema 0.9");
    assert_contains(outcome.out, "3 (3)");
    assert_contains(outcome.out, "[fails 3/3, baseline 0/3");
    assert_contains(outcome.out, "margin: 1 point");
    char *json = read_inside("comparisons/arms", "comparison.json");
    assert_contains(json, "train.optimizer.lr: 0.005 -> 1e30");
    assert_contains(json, "knack compare arms.json");
    free(json);
    outcome_free(&outcome);
}

/* The command line that repeats a comparison, as a shell reads it. */
static void test_command_is_kept(void **state)
{
    (void)state;
    run_well(NULL, "compare", "small.json", "--tricks={\"name\": \"ema\", \"decay\": 0.9}", "--seeds", "3", "--out", "it's", "--margin=.01",
             "--no-equal-cost", "--set", "train.epochs=2", "--set", "train.batch=16");
    char *json = read_inside("it's", "comparison.json");
    assert_contains(json,
                    "\"command\": \"knack compare small.json --tricks '{\\\"name\\\": \\\"ema\\\", \\\"decay\\\": 0.9}' --seeds 3 --margin "
                    "0.01 --no-equal-cost --set train.epochs=2 --set train.batch=16 --out 'it'\\\\''s'\"");
    free(json);
}

/* ---- Before it is begun, and a trial once more ---- */

static void test_dry_run(void **state)
{
    (void)state;
    struct outcome outcome =
        run_knack("compare", "small.json", PLAIN, "--tricks", "mixup", "--seeds", "4", "--margin", "0.02", "--dry-run", "--pilot", "3");
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "small: 2 arms, seeds 2000 to 2003, test.accuracy, dry run\n");
    assert_contains(outcome.out, "\nmixup          4     0  ");
    assert_contains(outcome.out, "to make      8 trials, about ");
    assert_contains(outcome.out, "; the margin of 2 points takes about ");
    assert_contains(outcome.out, "nothing was read of the seeds that will judge\n");
    assert_false(path_exists("comparisons/small"));
    outcome_free(&outcome);
    outcome = run_knack("compare", "small.json", PLAIN, "--tricks", "mixup", "--seeds", "4", "--dry-run", "--json");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "\"trials\": 8");
    outcome_free(&outcome);
}

static void test_rerun(void **state)
{
    (void)state;
    run_well(NULL, "compare", "small.json", PLAIN, "--tricks", "ema", "--seeds", "3", "--out", "again");
    run_well("ema (primary)", "compare", "again", "--rerun", "ema:2001", "--out", "once-more");
    assert_true(path_exists("once-more/model.safetensors") && path_exists("once-more/result.json"));
    struct outcome outcome = run_knack("compare", "again", "--rerun", "ema:2001", "--out", "once-more");
    assert_status(&outcome, 2);
    assert_contains(outcome.err, "once-more");
    outcome_free(&outcome);
    char *values = read_inside("again", "values.csv");
    outcome = run_knack("eval", "once-more", "--json");
    assert_status(&outcome, 0);
    const char *value = strstr(outcome.out, "\"accuracy\": "), *row = strstr(values, "ema,treated,2001,done,");
    assert_true(value && row && atof(value + strlen("\"accuracy\": ")) == atof(row + strlen("ema,treated,2001,done,")));
    outcome_free(&outcome);
    free(values);
}

static void test_schema(void **state)
{
    (void)state;
    struct outcome outcome = run_knack("schema", "--comparison");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "\"knack comparison\"");
    assert_contains(outcome.out, "\"until_decided\"");
    outcome_free(&outcome);
    outcome = run_knack("schema", "--comparison-result");
    assert_status(&outcome, 0);
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "\"equal_updates\"");
    outcome_free(&outcome);
}

static void test_example(void **state)
{
    (void)state;
    const char *example = getenv("KNACK_TEST_COMPARISON");
    assert_non_null(example);
    struct outcome outcome = run_knack("compare", example, "--seeds", "3", "--set", "train.epochs=4");
    assert_status(&outcome, 0);
    assert_contains(outcome.out, "compare-digits: 4 arms, 3 seeds, test accuracy (done)");
    assert_contains(outcome.out, "margin: 0.5 points");
    outcome_free(&outcome);
}

/* ---- On a terminal ---- */

enum { WIDTH = 44, HEIGHT = 7, MOST_SEEN = 1 << 20 };

/* A terminal of WIDTH x HEIGHT; *other: the end that a program has. */
static int open_terminal(int *other)
{
    struct winsize size = {.ws_row = HEIGHT, .ws_col = WIDTH};
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    *other = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    assert_true(*other >= 0 && ioctl(*other, TIOCSWINSZ, &size) == 0);
    return terminal;
}

/* What the program writes to a terminal as its standard error. */
static char *watch(const char *const *word)
{
    int other, terminal = open_terminal(&other), nothing = open("/dev/null", O_RDWR);
    char *seen = calloc(1, MOST_SEEN);
    size_t length = 0;
    pid_t process = fork();
    if (process == 0) {
        dup2(nothing, STDIN_FILENO);
        dup2(nothing, STDOUT_FILENO);
        dup2(other, STDERR_FILENO);
        close(terminal);
        execv(getenv("KNACK_PROGRAM"), (char *const *)word);
        _exit(127);
    }
    assert_true(seen && process > 0);
    close(other);
    close(nothing);
    for (ssize_t count = 1; count > 0 && length<MOST_SEEN - 1; length += count> 0 ? (size_t)count : 0)
        count = read(terminal, seen + length, MOST_SEEN - 1 - length); /* an error once nobody writes any more */
    int status;
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(terminal);
    return seen;
}

/* Characters of the line that begins here, without what moves the cursor; *next: the line after it. */
static int line_width(const char *line, const char **next)
{
    int width = 0;
    for (; *line && *line != '\n'; line++) {
        if (line[0] == '\033' && line[1] == '[')
            line += 2 + strspn(line + 2, "0123456789;");
        else if (*line != '\r')
            width += ((unsigned char)*line & 0xC0) != 0x80;
    }
    *next = *line ? line + 1 : line;
    return width;
}

/* The picture is drawn over itself, never wider or taller than the screen, which is small here, and is gone in the end. */
static void test_terminal(void **state)
{
    (void)state;
    char *seen = watch((const char *const[]){"knack", "compare", "small.json", "--tricks", "mixup,ema,sam,swa,label-smoothing", "--seeds",
                                             "8", "--out", "watched", "--set", "train.epochs=30", NULL});
    int drawn = 0;
    for (const char *up = seen; (up = strstr(up, "\033[")); up++) {
        int lines = atoi(up + 2);
        if (up[2 + strspn(up + 2, "0123456789")] != 'A') continue;
        assert_in_range(lines, 1, HEIGHT - 1);
        drawn++;
    }
    assert_true(drawn > 0);
    assert_contains(seen, "more arms");
    const char *picture = strstr(seen, "training  ");
    assert_non_null(picture);
    for (const char *line = picture; *line && !strstr(line, "also training");) assert_in_range(line_width(line, &line), 0, WIDTH - 1);
    const char *last = strstr(seen, "\033[J");
    for (const char *more = last; (more = strstr(more + 1, "\033[J"));) last = more;
    assert_non_null(last);
    assert_string_equal(last, "\033[J");
    free(seen);
}

/* ---- Words that are refused ---- */

struct wrong {
    const char *word[10];
    int status;
    const char *message; /* all of it, or with ... at its end its beginning */
};

static const struct wrong wrong[] = {
    {{"compare"},
     2,
     "knack: knack compare needs CONFIG: what each arm trains: a config, or a comparison file, see docs/compare.md; or the folder of a "
     "comparison, which goes on; for example `knack compare "
     "examples/digits.json --tricks mixup,sam --seeds 10`\n"},
    {{"compare", "small.json"},
     2,
     "knack: small.json: nothing to compare: name tricks (--tricks mixup,ema), or \"arms\" in a comparison file\n"},
    {{"compare", "small.json", "--tricks", "mixpu"},
     4,
     "knack: arm \"mixpu\": at plugins[0].name: no plugin \"mixpu\"; nearest is \"mixup\"..."},
    {{"compare", "small.json", "--tricks", "ema", "--seeds", "ten"}, 2, "knack: --seeds ten: expected a whole number from 1 to 100000\n"},
    {{"compare", "small.json", "--tricks", "ema", "--margin", "-0.1"}, 2, "knack: --margin -0.1: expected a number from 0 on\n"},
    {{"compare", "small.json", "--tricks", "ema", "--failed-score", "low"}, 2, "knack: --failed-score low: expected a number\n"},
    {{"compare", "small.json", "--tricks", "ema", "--set", "train.epochs=3", "--set", "model.hiden=[4]"},
     2,
     "knack: small.json: at model.hiden: ..."},
    {{"compare", "nothing.json", "--tricks", "ema"}, 2, "knack: nothing.json: cannot be opened: No such file or directory\n"},
    {{"compare", "small.json", "--confirm", "2", "--tricks", "ema"},
     2,
     "knack: --confirm takes arms, metric and config from the screening, and no --tricks\n"},
    {{"compare", "--list", "nowhere"}, 6, "knack: nowhere: there is no such folder\n"},
    {{"report"}, 2, "knack: knack report needs DIR: a comparison's folder; for example `knack report comparisons/digits`\n"},
    {{"report", "nowhere", "--csv", "--markdown"}, 2, "knack: of --markdown, --csv and --json only one can be printed\n"},
    {{"report", "a", "b", "--csv"}, 2, "knack: --out, --markdown, --csv and --fail-if are for one comparison, and two are named\n"},
    {{"report", "nowhere"}, 6, "knack: nowhere: no comparison is here: knack.db is missing; name a folder that knack compare made\n"},
    {{"compare", "small.json", "--tricks", "ema", "--pilot", "3"}, 2, "knack: --pilot is part of a --dry-run\n"},
    {{"compare", "somewhere", "--rerun", "ema:2000"}, 2, "knack: --rerun ema:2000: say where the run goes, by --out DIR\n"},
};

static void assert_message(const char *err, const char *message)
{
    size_t length = strlen(message);
    if (length > 3 && strcmp(message + length - 3, "...") == 0) {
        if (strncmp(err, message, length - 3) != 0) fail_msg("does not begin with %s:\n%s", message, err);
    } else {
        assert_string_equal(err, message);
    }
}

/* Before any trial, and with nothing left behind. */
static void test_wrong_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *word[16] = {0};
        int count = 0;
        for (; wrong[i].word[count]; count++) word[count] = wrong[i].word[count];
        if (count > 2 && strcmp(word[1], "small.json") == 0) word[count] = "--out=wrong";
        struct outcome outcome = run_words(NULL, word);
        assert_message(outcome.err, wrong[i].message);
        assert_status(&outcome, wrong[i].status);
        assert_string_equal(outcome.out, "");
        assert_false(path_exists("wrong"));
        outcome_free(&outcome);
    }
}

/* ---- Interrupted, killed ---- */

static void write_long_config(void)
{
    char text[1024];
    const char *epochs = getenv("KNACK_TEST_EPOCHS");
    snprintf(text, sizeof text, "{" SMALL_DATA ", " SMALL_MODEL ", \"train\": {\"epochs\": %s, \"batch\": 32}}", epochs ? epochs : "60");
    write_text("long.json", text);
}

/* Which longer baselines there are at equal cost goes by the clock. */
static const char *const long_words[] = {"compare", "long.json", "--no-equal-cost", "--tricks", "mixup,sam", "--seeds", "6",
                                         "--jobs",  "2",         "--out",           NULL,       NULL};
enum { OUT_WORD = 10 };

static struct started start_long(const char *folder)
{
    const char *word[OUT_WORD + 2];
    memcpy(word, long_words, sizeof word);
    word[OUT_WORD] = folder;
    return start_words(NULL, word);
}

static struct outcome finish_long(const char *folder)
{
    struct started started = start_long(folder);
    return wait_for(&started);
}

/* Trials that the folder has, by a report beside the process that writes; 0: none yet. */
static int64_t count_trials(const char *folder)
{
    struct outcome outcome = run_knack("report", folder, "-q");
    int64_t count = 0;
    if (outcome.status == 0) {
        char *values = read_inside(folder, "values.csv");
        for (const char *line = strchr(values, '\n'); line && line[1]; line = strchr(line + 1, '\n')) count++;
        free(values);
    }
    outcome_free(&outcome);
    return count;
}

static void wait_for_trials(const char *folder, int64_t least)
{
    for (int tries = 0; tries < 3000; tries++) {
        if (count_trials(folder) >= least) return;
        struct timespec time = {.tv_nsec = 10000000};
        nanosleep(&time, NULL);
    }
    fail_msg("%s: no trials", folder);
}

static void test_killed(const char *folder)
{
    struct started started = start_long(folder);
    wait_for_trials(folder, 4);
    assert_int_equal(kill(started.process, SIGKILL), 0);
    struct outcome outcome = wait_for(&started);
    assert_status(&outcome, 128 + SIGKILL);
    outcome_free(&outcome);
    assert_true(count_trials(folder) >= 4);
}

static void test_interrupted(const char *folder)
{
    struct started started = start_long(folder);
    wait_for_trials(folder, 4);
    assert_int_equal(kill(started.process, SIGINT), 0);
    struct outcome outcome = wait_for(&started);
    assert_status(&outcome, 130);
    assert_contains(outcome.err, "stopping: finished trials are kept");
    assert_contains(outcome.err, "knack: interrupted: ");
    assert_contains(outcome.err, "the same command goes on from there, or: knack compare ");
    assert_contains(outcome.out, "test accuracy (interrupted)");
    assert_contains(outcome.out, " of 6 ");
    assert_lacks(outcome.out, "HELPS");
    outcome_free(&outcome);
    char path[128];
    snprintf(path, sizeof path, "%s/report.html", folder);
    assert_true(path_exists(path));
}

/* With --json what was interrupted is an error as any other, and nothing else is printed. */
static void test_interrupted_as_json(void **state)
{
    (void)state;
    write_long_config();
    struct started started =
        start_words(NULL, (const char *const[]){"compare", "long.json", "--tricks", "mixup", "--out", "objects", "--json", NULL});
    wait_for_trials("objects", 2);
    assert_int_equal(kill(started.process, SIGTERM), 0);
    struct outcome outcome = wait_for(&started);
    assert_status(&outcome, 130);
    assert_is_json(outcome.out);
    assert_contains(outcome.out, "{\"error\": \"interrupted: ");
    assert_contains(outcome.out, "\"status\": 130");
    outcome_free(&outcome);
}

/* However it ended: what was done is not done again, and the end is the same. */
static void test_stopped_and_resumed(void **state)
{
    (void)state;
    static const char *const folder[] = {"killed", "interrupted"};
    write_long_config();
    struct outcome whole = finish_long("whole");
    assert_status(&whole, 0);
    test_killed(folder[0]);
    test_interrupted(folder[1]);
    for (int i = 0; i < 2; i++) {
        char path[128];
        struct outcome outcome = finish_long(folder[i]);
        assert_status(&outcome, 0);
        assert_contains(outcome.err, " trials already done\n");
        assert_contains(outcome.out, "(done)");
        snprintf(path, sizeof path, "%s/values.csv", folder[i]);
        assert_same_files(path, "whole/values.csv");
        outcome_free(&outcome);
    }
    outcome_free(&whole);
}

/* Two at once on one folder: the second is told, the first goes on. */
static void test_two_at_once(void **state)
{
    (void)state;
    write_long_config();
    struct started started = start_long("busy");
    wait_for_trials("busy", 1);
    struct outcome second = finish_long("busy");
    assert_status(&second, 2);
    assert_contains(second.err, "busy");
    struct outcome first = wait_for(&started);
    assert_status(&first, 0);
    outcome_free(&first);
    outcome_free(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compared_and_resumed),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_reports_elsewhere),
        cmocka_unit_test(test_reports_at_once),
        cmocka_unit_test(test_plugins_that_print),
        cmocka_unit_test(test_two_reports),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_designs),
        cmocka_unit_test(test_file_with_a_failure),
        cmocka_unit_test(test_command_is_kept),
        cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_rerun),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_terminal),
        cmocka_unit_test(test_wrong_words),
        cmocka_unit_test(test_stopped_and_resumed),
        cmocka_unit_test(test_interrupted_as_json),
        cmocka_unit_test(test_two_at_once),
    };
    return cmocka_run_group_tests(tests, enter, workplace_leave);
}
