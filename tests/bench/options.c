/* Reading bench's command line. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arms.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

static const struct option known[] = {{"threads", 1, NULL, 't'}, {"bf16", 0, NULL, 'f'},    {"rounds", 1, NULL, 'r'},
                                      {"seconds", 1, NULL, 's'}, {"against", 1, NULL, 'a'}, {"plugins", 1, NULL, 'p'},
                                      {"batch", 1, NULL, 'b'},   {"width", 1, NULL, 'w'},   {"depth", 1, NULL, 'd'},
                                      {"tokens", 1, NULL, 'k'},  {"json", 1, NULL, 'j'},    {NULL, 0, NULL, 0}};
enum { THREADS_MOST = 1024, SIZE_MOST = 1000000 };
static const double SECONDS_LEAST = 0.001, SECONDS_MOST = 3600;

static const char *name_of(int letter)
{
    int i = 0;
    while (known[i].val != letter) i++;
    return known[i].name;
}

/* ---- Values ---- */

static knack_status read_whole(int letter, const char *text, int64_t most, int64_t *value)
{
    char *end;
    *value = strtoll(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && *value >= 1 && *value <= most) return KNACK_OK;
    return status_set(KNACK_E_USAGE, "--%s: expected a whole number from 1 to %lld, got \"%s\"", name_of(letter), (long long)most, text);
}

static knack_status read_seconds(const char *text, double *value)
{
    const char *end = text + strlen(text);
    bool plain = strspn(text, "0123456789.e+-") == strlen(text);
    if (plain && text_parse(text, end, value) == end && *value >= SECONDS_LEAST && *value <= SECONDS_MOST) return KNACK_OK;
    return status_set(KNACK_E_USAGE, "--seconds: expected a number from %g to %g, got \"%s\"", SECONDS_LEAST, SECONDS_MOST, text);
}

static knack_status read_plugins(const char *text, const char **plugins)
{
    const char *first = text + strspn(text, " \t\n");
    if (*first == '\0') return status_set(KNACK_E_USAGE, "--plugins: expected entries as '\"ema\"', got nothing");
    char *list = *first == '[' ? memory_text(text) : memory_format("[%s]", text);
    struct json_document *document = NULL;
    knack_status status = list ? json_parse(list, strlen(list), "--plugins", &document) : KNACK_E_MEMORY;
    memory_free(list);
    json_free(document);
    *plugins = text;
    return status;
}

static knack_status read_against(const char *path, const char **against)
{
    if (file_is_folder(path)) return status_set(KNACK_E_USAGE, "--against: %s is a folder; name the bench in it", path);
    if (access(path, X_OK) != 0) return status_set(KNACK_E_USAGE, "--against: %s cannot be run: %s", path, strerror(errno));
    *against = path;
    return KNACK_OK;
}

/* Whether it can be written is seen before what it is for was measured. */
static knack_status read_json(const char *path, const char **json)
{
    struct file_output *file;
    if (file_is_folder(path)) return status_set(KNACK_E_USAGE, "--json: %s is a folder; name a file", path);
    TRY(file_create(path, &file));
    file_abandon(file);
    *json = path;
    return KNACK_OK;
}

static knack_status read_option(int letter, const char *text, struct options *options)
{
    switch (letter) {
    case 't':
        return read_whole(letter, text, THREADS_MOST, &options->threads);
    case 'r':
        return read_whole(letter, text, ROUNDS_MOST, &options->rounds);
    case 'b':
        return read_whole(letter, text, SIZE_MOST, &options->batch);
    case 'w':
        return read_whole(letter, text, SIZE_MOST, &options->width);
    case 'd':
        return read_whole(letter, text, SIZE_MOST, &options->depth);
    case 'k':
        return read_whole(letter, text, SIZE_MOST, &options->tokens);
    case 's':
        return read_seconds(text, &options->seconds);
    case 'p':
        return read_plugins(text, &options->plugins);
    case 'a':
        return read_against(text, &options->against);
    case 'j':
        return read_json(text, &options->json);
    default:
        options->bf16 = true;
        return KNACK_OK;
    }
}

/* ---- All of it ---- */

static knack_status check_operands(const char *command, enum operands operands, const struct options *options)
{
    if (operands == NOTHING && options->names > 0)
        return status_set(KNACK_E_USAGE, "%s: takes no arguments, got \"%s\"", command, options->name[0]);
    for (int64_t i = 0; (operands == TRAINED || operands == TIMED) && bench_workload(options, i); i++) {
        struct workload w;
        TRY(workload_find(bench_workload(options, i), &w));
        if (operands == TRAINED && w.kind == PRODUCT) return status_set(KNACK_E_USAGE, "%s: %s trains nothing", command, w.name);
        TRY(workload_resize(&w, options->batch, options->width, options->depth, options->tokens));
    }
    return KNACK_OK;
}

knack_status bench_options(int argc, char **argv, const char *letters, enum operands operands, struct options *options)
{
    *options = (struct options){.threads = 1, .plugins = ""};
    opterr = 0;
    for (int letter; (letter = getopt_long(argc, argv, ":", known, NULL)) != -1;) {
        const char *word = argv[optind - 1];
        if (letter == ':') return status_set(KNACK_E_USAGE, "%s: a value is missing; see bench --help", word);
        if (letter == '?') return status_set(KNACK_E_USAGE, "%s: no such option, or it takes no value; see bench --help", word);
        if (!strchr(letters, letter))
            return status_set(KNACK_E_USAGE, "%s: --%s means nothing here; see bench --help", argv[0], name_of(letter));
        TRY(read_option(letter, optarg, options));
    }
    options->name = (const char *const *)argv + optind;
    options->names = argc - optind;
    return check_operands(argv[0], operands, options);
}
