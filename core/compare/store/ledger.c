#include "compare/store/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "compare/store/parts.h"

/* A line as it is in the file; texts are the document's. */
struct line {
    const char *identity, *test_set, *name, *folder, *metric, *when;
    int role;
    int64_t first_seed, seeds;
};

static const struct json_field line_fields[] = {
    {"identity", JSON_TEXT, offsetof(struct line, identity), NULL, NULL, NULL, NULL},
    {"test_set", JSON_TEXT, offsetof(struct line, test_set), NULL, NULL, NULL, NULL},
    {"role", JSON_CHOICE, offsetof(struct line, role), NULL, NULL, role_name, NULL},
    {"first_seed", JSON_INTEGER, offsetof(struct line, first_seed), NULL, "[0,inf)", NULL, NULL},
    {"seeds", JSON_INTEGER, offsetof(struct line, seeds), NULL, "[1,inf)", NULL, NULL},
    {"name", JSON_TEXT, offsetof(struct line, name), NULL, NULL, NULL, NULL},
    {"folder", JSON_TEXT, offsetof(struct line, folder), NULL, NULL, NULL, NULL},
    {"metric", JSON_TEXT, offsetof(struct line, metric), NULL, NULL, NULL, NULL},
    {"when", JSON_TEXT, offsetof(struct line, when), NULL, NULL, NULL, NULL},
    {0},
};

/* ---- Where it is ---- */

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] != '\0' ? value : NULL;
}

static knack_status find_path(char **path)
{
    const char *given = variable("KNACK_LEDGER"), *state = variable("XDG_STATE_HOME"), *home = variable("HOME");
    if (state && state[0] != '/') state = NULL; /* as the XDG Base Directory Specification says */
    if (given)
        *path = memory_text(given);
    else if (state)
        *path = memory_format("%s/knack/ledger.jsonl", state);
    else if (home)
        *path = memory_format("%s/.local/state/knack/ledger.jsonl", home);
    else
        return status_set(KNACK_E_IO, "the ledger of comparisons has no place: none of KNACK_LEDGER, XDG_STATE_HOME and HOME is set; set "
                                      "KNACK_LEDGER to a file for it");
    return *path ? KNACK_OK : KNACK_E_MEMORY;
}

static knack_status fail(const char *path, const char *what)
{
    return status_set(KNACK_E_IO, "%s: the ledger of comparisons cannot be %s: %s; KNACK_LEDGER can name another file for it", path, what,
                      strerror(errno));
}

static knack_status lock(const char *path, int fd, int how)
{
    while (flock(fd, how) < 0)
        if (errno != EINTR) return fail(path, "locked");
    return KNACK_OK;
}

/* ---- Reading ---- */

static void entry_free(struct ledger_entry *entry)
{
    memory_free(entry->name);
    memory_free(entry->folder);
    memory_free(entry->metric);
    memory_free(entry->when);
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger) return;
    for (int64_t i = 0; i < ledger->entries; i++) entry_free(&ledger->entry[i]);
    memory_free(ledger->entry);
    memory_free(ledger->path);
    memory_free(ledger);
}

static struct ledger_entry *find(const struct ledger *ledger, const char *identity, uint64_t test_set)
{
    for (int64_t i = 0; i < ledger->entries; i++)
        if (ledger->entry[i].test_set == test_set && strcmp(ledger->entry[i].identity, identity) == 0) return &ledger->entry[i];
    return NULL;
}

/* Takes the entry over, also on failure. */
static knack_status keep(struct ledger *ledger, struct ledger_entry *entry)
{
    struct ledger_entry *place = find(ledger, entry->identity, entry->test_set);
    if (place) {
        entry_free(place);
    } else {
        struct ledger_entry *more = memory_resize(ledger->entry, (size_t)ledger->entries + 1, sizeof *more);
        if (!more) {
            entry_free(entry);
            return KNACK_E_MEMORY;
        }
        ledger->entry = more;
        place = &more[ledger->entries++];
    }
    *place = *entry;
    return KNACK_OK;
}

/* 16 hexadecimal digits, lower case. */
static bool parse_hash(const char *text, uint64_t *hash)
{
    *hash = 0;
    if (strlen(text) != 16) return false;
    for (int i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef", *digit = strchr(digits, text[i]);
        if (!digit) return false;
        *hash = *hash << 4 | (uint64_t)(digit - digits);
    }
    return true;
}

static knack_status read_entry(struct ledger *ledger, const struct json *root)
{
    struct line line;
    struct ledger_entry entry = {0};
    if (root->kind != JSON_OBJECT) return json_fail(root, KNACK_E_DATA, "expected an object, this is %s", json_kind_name(root->kind));
    TRY(json_fields(root, line_fields, &line));
    if (line.identity[0] == '\0' || strlen(line.identity) >= sizeof entry.identity)
        return json_fail(json_member(root, "identity"), KNACK_E_DATA, "expected 1 to %zu bytes", sizeof entry.identity - 1);
    if (!parse_hash(line.test_set, &entry.test_set))
        return json_fail(json_member(root, "test_set"), KNACK_E_DATA, "expected 16 hexadecimal digits, in lower case");
    memcpy(entry.identity, line.identity, strlen(line.identity) + 1);
    entry.role = (enum role)line.role;
    entry.first_seed = line.first_seed;
    entry.seeds = line.seeds;
    entry.name = memory_text(line.name);
    entry.folder = memory_text(line.folder);
    entry.metric = memory_text(line.metric);
    entry.when = memory_text(line.when);
    if (entry.name && entry.folder && entry.metric && entry.when) return keep(ledger, &entry);
    entry_free(&entry);
    return KNACK_E_MEMORY;
}

/* Says what is wrong with the text up to `end`, whose last line cannot be parsed, where it is in the file. */
static knack_status fail_to_parse(const struct ledger *ledger, char *text, const char *line, const char *end)
{
    for (char *c = text; c < line; c++)
        if (*c != '\n') *c = ' ';
    struct json_document *document;
    knack_status status = json_parse(text, (size_t)(end - text), ledger->path, &document);
    json_free(document);
    return status;
}

static knack_status read_line(struct ledger *ledger, char *text, const char *line, size_t size, int64_t number)
{
    char *place = memory_format("%s:%lld", ledger->path, (long long)number);
    if (!place) return KNACK_E_MEMORY;
    struct json_document *document;
    knack_status status = json_parse(line, size, place, &document);
    if (status >= 0)
        status = read_entry(ledger, document->root);
    else if (status != KNACK_E_MEMORY)
        status = fail_to_parse(ledger, text, line, line + size);
    json_free(document);
    memory_free(place);
    if (status >= 0 || status == KNACK_E_MEMORY) return status;
    return status_set(KNACK_E_DATA, "%s; correct this line of the ledger of comparisons, or remove it", knack_error());
}

static knack_status read_lines(struct ledger *ledger, char *text, size_t size)
{
    const char *line = text, *end = text + size;
    for (int64_t number = 1; line < end; number++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((newline ? newline : end) - line);
        if (length > 0) TRY(read_line(ledger, text, line, length, number));
        line += length + 1;
    }
    return KNACK_OK;
}

/* path becomes the ledger's, also on failure. whole_line: whether the file ends with one, if there is any. */
static knack_status read_all(char *path, bool there, struct ledger **out, bool *whole_line)
{
    *out = NULL;
    *whole_line = true;
    struct ledger *ledger = memory_new(1, sizeof *ledger);
    if (!ledger) {
        memory_free(path);
        return KNACK_E_MEMORY;
    }
    ledger->path = path;
    char *text = NULL;
    size_t size = 0;
    knack_status status = there ? file_read(path, KNACK_E_IO, &text, &size) : KNACK_OK;
    if (status >= 0 && size > 0) {
        *whole_line = text[size - 1] == '\n';
        status = read_lines(ledger, text, size);
    }
    memory_free(text);
    if (status >= 0)
        *out = ledger;
    else
        ledger_free(ledger);
    return status;
}

knack_status ledger_read(struct ledger **ledger)
{
    *ledger = NULL;
    char *path;
    bool whole;
    TRY(find_path(&path));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    knack_status status = KNACK_OK;
    if (fd < 0 && errno != ENOENT && errno != ENOTDIR) status = fail(path, "opened");
    if (fd >= 0) status = lock(path, fd, LOCK_SH);
    if (status >= 0)
        status = read_all(path, fd >= 0, ledger, &whole);
    else
        memory_free(path);
    if (fd >= 0) close(fd);
    return status;
}

/* ---- Entering ---- */

static bool overlaps(const struct ledger_entry *entry, int64_t first, int64_t count)
{
    return entry->first_seed < first + count && first < entry->first_seed + entry->seeds;
}

/* The first entry of another comparison that stands against these seeds of the plan. */
static const struct ledger_entry *find_reuse(const struct ledger *ledger, const struct plan *plan, const char *identity, int64_t first)
{
    for (int64_t i = 0; i < ledger->entries; i++) {
        const struct ledger_entry *entry = &ledger->entry[i];
        if (entry->test_set == plan->test_set && entry->role != plan->role && strcmp(entry->identity, identity) != 0 &&
            overlaps(entry, first, plan->seeds))
            return entry;
    }
    return NULL;
}

static knack_status refuse_reuse(const struct ledger *ledger, const struct plan *plan, const char *identity)
{
    const struct ledger_entry *used = find_reuse(ledger, plan, identity, plan->first_seed), *next;
    if (!used) return KNACK_OK;
    int64_t unused = role_first_seed(plan->role);
    next = find_reuse(ledger, plan, identity, unused);
    for (; next; next = find_reuse(ledger, plan, identity, unused)) unused = next->first_seed + next->seeds;
    return status_set(
        KNACK_E_USAGE,
        "seeds %lld to %lld are asked for as %s, but on this test set the comparison \"%s\" in %s used seeds %lld to %lld as %s "
        "(%s): seeds that were chosen by cannot judge the choice; use others, by --first-seed %lld",
        (long long)plan->first_seed, (long long)(plan->first_seed + plan->seeds - 1), role_name[plan->role], used->name, used->folder,
        (long long)used->first_seed, (long long)(used->first_seed + used->seeds - 1), role_name[used->role], used->when, (long long)unused);
}

/* before: what is there of this comparison, or NULL. Seeds that were used once stay used. */
static knack_status make_entry(const struct plan *plan, const char *identity, const char *folder, const struct ledger_entry *before,
                               struct ledger_entry *entry)
{
    char absolute[PATH_MAX], when[32];
    int64_t first = plan->first_seed, end = plan->first_seed + plan->seeds;
    if (before && before->role == plan->role) {
        if (before->first_seed < first) first = before->first_seed;
        if (before->first_seed + before->seeds > end) end = before->first_seed + before->seeds;
    }
    store_now(when);
    *entry = (struct ledger_entry){
        .test_set = plan->test_set,
        .role = plan->role,
        .first_seed = first,
        .seeds = end - first,
        .name = memory_text(plan->name),
        .folder = memory_text(realpath(folder, absolute) ? absolute : folder),
        .metric = memory_text(plan->metric),
        .when = memory_text(when),
    };
    memcpy(entry->identity, identity, strlen(identity) + 1);
    if (entry->name && entry->folder && entry->metric && entry->when) return KNACK_OK;
    entry_free(entry);
    return KNACK_E_MEMORY;
}

static bool is_same(const struct ledger_entry *a, const struct ledger_entry *b)
{
    return a->role == b->role && a->first_seed == b->first_seed && a->seeds == b->seeds && strcmp(a->name, b->name) == 0 &&
           strcmp(a->folder, b->folder) == 0 && strcmp(a->metric, b->metric) == 0;
}

static void write_fields(struct json_writer *writer, const struct ledger_entry *entry)
{
    char hash[24];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)entry->test_set);
    json_open(writer, NULL, '{');
    json_string(writer, "identity", entry->identity);
    json_string(writer, "test_set", hash);
    json_string(writer, "role", role_name[entry->role]);
    json_integer(writer, "first_seed", entry->first_seed);
    json_integer(writer, "seeds", entry->seeds);
    json_string(writer, "name", entry->name);
    json_string(writer, "folder", entry->folder);
    json_string(writer, "metric", entry->metric);
    json_string(writer, "when", entry->when);
    json_close(writer);
}

/* All by one write() if the system can; what it could only write a part of is taken back. */
static knack_status write_line(const char *path, int fd, const char *line, size_t size)
{
    struct stat before;
    if (fstat(fd, &before) < 0) return fail(path, "written");
    size_t left = size;
    while (left > 0) {
        ssize_t wrote = write(fd, line + size - left, left);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) {
            int reason = errno;
            if (left < size && ftruncate(fd, before.st_size) < 0) reason = errno;
            errno = reason;
            return fail(path, "written");
        }
        left -= (size_t)wrote;
    }
    return fsync(fd) == 0 || errno == EINVAL ? KNACK_OK : fail(path, "written");
}

static knack_status append(const char *path, int fd, bool whole_line, const struct ledger_entry *entry)
{
    struct json_writer *writer = json_writer_new(false);
    if (!writer) return KNACK_E_MEMORY;
    write_fields(writer, entry);
    size_t size;
    const char *text = json_text(writer, &size);
    char *line = text ? memory_format("%s%s\n", whole_line ? "" : "\n", text) : NULL;
    knack_status status = line ? write_line(path, fd, line, strlen(line)) : status_set(KNACK_E_MEMORY, "out of memory for the ledger");
    memory_free(line);
    json_writer_free(writer);
    return status;
}

/* With the ledger read and locked. */
static knack_status enter(struct ledger *ledger, int fd, bool whole_line, const struct plan *plan, const char *identity, const char *folder)
{
    struct ledger_entry entry, *before = find(ledger, identity, plan->test_set);
    TRY(refuse_reuse(ledger, plan, identity));
    TRY(make_entry(plan, identity, folder, before, &entry));
    knack_status status = before && is_same(before, &entry) ? KNACK_OK : append(ledger->path, fd, whole_line, &entry);
    if (status >= 0) return keep(ledger, &entry);
    entry_free(&entry);
    return status;
}

static int64_t number_of(const struct ledger *ledger, const char *identity, uint64_t test_set)
{
    const struct ledger_entry *last = find(ledger, identity, test_set);
    int64_t number = 0;
    for (const struct ledger_entry *entry = ledger->entry; entry <= last; entry++) number += entry->test_set == test_set;
    return number;
}

static knack_status open_to_write(const char *path, int *fd)
{
    char *folder = file_folder(path);
    if (!folder) return KNACK_E_MEMORY;
    knack_status status = file_make_folder(folder);
    memory_free(folder);
    if (status == KNACK_E_MEMORY) return status;
    if (status < 0) {
        return status_set(status, "%s; it is for the ledger of comparisons, for which KNACK_LEDGER can name another file", knack_error());
    }
    *fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (*fd < 0) return fail(path, "opened");
    status = lock(path, *fd, LOCK_EX);
    if (status < 0) close(*fd);
    return status;
}

knack_status ledger_enter(const struct plan *plan, const char *identity, const char *folder, int64_t *number)
{
    char *path;
    int fd = -1;
    if (identity[0] == '\0' || strlen(identity) >= sizeof((struct ledger_entry *)0)->identity)
        return status_set(KNACK_E_CALL, "an identity of %zu bytes for the ledger: expected 1 to %zu", strlen(identity),
                          sizeof((struct ledger_entry *)0)->identity - 1);
    TRY(find_path(&path));
    knack_status status = open_to_write(path, &fd);
    if (status < 0) {
        memory_free(path);
        return status;
    }
    struct ledger *ledger;
    bool whole_line;
    status = read_all(path, true, &ledger, &whole_line);
    if (status >= 0) {
        status = enter(ledger, fd, whole_line, plan, identity, folder);
        if (status >= 0) *number = number_of(ledger, identity, plan->test_set);
    }
    ledger_free(ledger);
    close(fd);
    return status;
}
