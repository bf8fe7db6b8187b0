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
#include "base/text.h"
#include "compare/store/parts.h"

enum { IDENTITY_SIZE = sizeof((struct ledger_entry *)0)->identity };

/* A line as it is in the file; texts are the document's, or a plan's. */
struct line {
    const char *identity, *test_set, *train_set, *part, *name, *folder, *metric, *when;
    int role;
    int64_t first_seed, seeds;
    const struct json *arms;
};

#define LINE(member) offsetof(struct line, member)
static const struct json_field line_fields[] = {
    {"identity", JSON_TEXT, LINE(identity), NULL, NULL, NULL, NULL},
    {"test_set", JSON_TEXT, LINE(test_set), NULL, NULL, NULL, NULL},
    {"train_set", JSON_TEXT, LINE(train_set), "", NULL, NULL, NULL},
    {"part", JSON_TEXT, LINE(part), "", NULL, NULL, NULL},
    {"role", JSON_CHOICE, LINE(role), NULL, NULL, role_name, NULL},
    {"first_seed", JSON_INTEGER, LINE(first_seed), NULL, "[0,inf)", NULL, NULL},
    {"seeds", JSON_INTEGER, LINE(seeds), NULL, "[1,inf)", NULL, NULL},
    {"name", JSON_TEXT, LINE(name), NULL, NULL, NULL, NULL},
    {"folder", JSON_TEXT, LINE(folder), NULL, NULL, NULL, NULL},
    {"metric", JSON_TEXT, LINE(metric), NULL, NULL, NULL, NULL},
    {"when", JSON_TEXT, LINE(when), NULL, NULL, NULL, NULL},
    {"arms", JSON_ANY, LINE(arms), "", NULL, NULL, NULL},
    {0},
};

/* An arm whose results were read. */
struct arm_line {
    const char *identity, *name;
    bool baseline;
    int64_t first_seed, seeds;
};

#define ARM(member) offsetof(struct arm_line, member)
static const struct json_field arm_fields[] = {
    {"identity", JSON_TEXT, ARM(identity), NULL, NULL, NULL, NULL},
    {"name", JSON_TEXT, ARM(name), NULL, NULL, NULL, NULL},
    {"baseline", JSON_BOOLEAN, ARM(baseline), NULL, NULL, NULL, NULL},
    {"first_seed", JSON_INTEGER, ARM(first_seed), NULL, "[0,inf)", NULL, NULL},
    {"seeds", JSON_INTEGER, ARM(seeds), NULL, "[1,inf)", NULL, NULL},
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

void ledger_free(struct ledger *ledger)
{
    if (!ledger) return;
    for (int64_t i = 0; i < ledger->entries; i++) {
        struct ledger_entry *entry = &ledger->entry[i];
        char *const text[] = {entry->name, entry->folder, entry->metric, entry->part, entry->when};
        for (size_t t = 0; t < sizeof text / sizeof *text; t++) memory_free(text[t]);
        memory_free(entry->arm);
    }
    memory_free(ledger->entry);
    memory_free(ledger->slot);
    memory_free(ledger->path);
    memory_free(ledger);
}

/* Where the place of that comparison's entry stands, from 1, or is to stand. There is a free slot. */
static int64_t *find_slot(const struct ledger *ledger, const char *identity, uint64_t test_set)
{
    for (uint64_t at = text_hash(test_set, identity, strlen(identity));; at++) {
        int64_t *slot = &ledger->slot[at % (uint64_t)ledger->slots];
        const struct ledger_entry *entry = *slot > 0 ? &ledger->entry[*slot - 1] : NULL;
        if (!entry || (entry->test_set == test_set && strcmp(entry->identity, identity) == 0)) return slot;
    }
}

static const struct ledger_entry *find(const struct ledger *ledger, const char *identity, uint64_t test_set)
{
    int64_t place = ledger->slots > 0 ? *find_slot(ledger, identity, test_set) : 0;
    return place > 0 ? &ledger->entry[place - 1] : NULL;
}

/* For one more entry; half of the slots stay free. */
static knack_status make_room(struct ledger *ledger)
{
    if (2 * ledger->entries < ledger->slots) return KNACK_OK;
    int64_t slots = ledger->slots > 0 ? 2 * ledger->slots : 64;
    struct ledger_entry *entry = memory_resize(ledger->entry, (size_t)slots / 2, sizeof *entry);
    if (entry) ledger->entry = entry;
    int64_t *slot = entry ? memory_new((size_t)slots, sizeof *slot) : NULL;
    if (!slot) return KNACK_E_MEMORY;
    memory_free(ledger->slot);
    ledger->slot = slot;
    ledger->slots = slots;
    for (int64_t i = 0; i < ledger->entries; i++) *find_slot(ledger, entry[i].identity, entry[i].test_set) = i + 1;
    return KNACK_OK;
}

static knack_status replace(char **text, const char *by)
{
    char *copy = memory_text(by ? by : "");
    if (!copy) return KNACK_E_MEMORY;
    memory_free(*text);
    *text = copy;
    return KNACK_OK;
}

/* 16 hexadecimal digits, lower case. */
static knack_status parse_hash(const struct json *object, const char *name, const char *text, uint64_t *hash)
{
    bool right = strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16;
    if (!right) return json_fail(json_member(object, name), KNACK_E_DATA, "expected 16 hexadecimal digits, in lower case");
    *hash = strtoull(text, NULL, 16);
    return KNACK_OK;
}

static bool has_arm(const struct ledger_entry *entry, uint64_t identity, int64_t first_seed, int64_t seeds)
{
    for (int64_t i = 0; i < entry->arms; i++) {
        const struct ledger_arm *arm = &entry->arm[i];
        if (arm->identity == identity && arm->first_seed == first_seed && arm->seeds == seeds) return true;
    }
    return false;
}

static knack_status read_arm(struct ledger_entry *entry, const struct json *node)
{
    struct arm_line line;
    uint64_t identity = 0;
    if (node->kind != JSON_OBJECT) return json_fail(node, KNACK_E_DATA, "expected an object, this is %s", json_kind_name(node->kind));
    TRY(json_fields(node, arm_fields, &line));
    TRY(parse_hash(node, "identity", line.identity, &identity));
    if (has_arm(entry, identity, line.first_seed, line.seeds)) return KNACK_OK;
    if ((entry->arms & (entry->arms - 1)) == 0) { /* a power of two, or none: all places are taken */
        struct ledger_arm *more = memory_resize(entry->arm, entry->arms > 0 ? 2 * (size_t)entry->arms : 1, sizeof *more);
        if (!more) return KNACK_E_MEMORY;
        entry->arm = more;
    }
    entry->arm[entry->arms++] = (struct ledger_arm){identity, line.baseline, line.first_seed, line.seeds};
    return KNACK_OK;
}

static knack_status read_entry(struct ledger *ledger, const struct json *root)
{
    struct line line = {0};
    uint64_t test_set = 0, train_set = 0;
    if (root->kind != JSON_OBJECT) return json_fail(root, KNACK_E_DATA, "expected an object, this is %s", json_kind_name(root->kind));
    TRY(json_fields(root, line_fields, &line));
    if (line.identity[0] == '\0' || strlen(line.identity) >= IDENTITY_SIZE)
        return json_fail(json_member(root, "identity"), KNACK_E_DATA, "expected 1 to %d bytes", IDENTITY_SIZE - 1);
    TRY(parse_hash(root, "test_set", line.test_set, &test_set));
    if (line.train_set) TRY(parse_hash(root, "train_set", line.train_set, &train_set));
    if (line.arms && line.arms->kind != JSON_ARRAY)
        return json_fail(line.arms, KNACK_E_DATA, "expected a list, this is %s", json_kind_name(line.arms->kind));
    TRY(make_room(ledger));
    int64_t *slot = find_slot(ledger, line.identity, test_set);
    if (*slot == 0) {
        ledger->entry[ledger->entries] = (struct ledger_entry){.test_set = test_set};
        memcpy(ledger->entry[ledger->entries].identity, line.identity, strlen(line.identity) + 1);
        *slot = ++ledger->entries;
    }
    struct ledger_entry *entry = &ledger->entry[*slot - 1];
    entry->train_set = train_set;
    entry->role = (enum role)line.role;
    entry->first_seed = line.first_seed;
    entry->seeds = line.seeds;
    TRY(replace(&entry->name, line.name));
    TRY(replace(&entry->folder, line.folder));
    TRY(replace(&entry->metric, line.metric));
    TRY(replace(&entry->part, line.part));
    TRY(replace(&entry->when, line.when));
    for (const struct json *node = line.arms ? line.arms->first : NULL; node; node = node->next) TRY(read_arm(entry, node));
    return KNACK_OK;
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

/* What chose by these seeds on another part of the same data: told, since the networks that chose are the judges. *note NULL: nothing. */
static knack_status find_choice(const struct ledger *ledger, const struct plan *plan, const char *identity, char **note)
{
    const struct ledger_entry *found = NULL;
    int64_t more = 0;
    *note = NULL;
    for (int64_t i = 0; i < ledger->entries; i++) {
        const struct ledger_entry *entry = &ledger->entry[i];
        if (entry->train_set == 0 || entry->train_set != plan->train_set || entry->test_set == plan->test_set ||
            entry->role >= plan->role || strcmp(entry->identity, identity) == 0 || !overlaps(entry, plan->first_seed, plan->seeds))
            continue;
        more += found != NULL;
        if (!found) found = entry;
    }
    if (!found) return KNACK_OK;
    int64_t first = found->first_seed > plan->first_seed ? found->first_seed : plan->first_seed;
    int64_t end = found->first_seed + found->seeds, own = plan->first_seed + plan->seeds;
    char others[64] = "";
    if (more > 0) snprintf(others, sizeof others, ", and in %lld other comparison%s", (long long)more, more == 1 ? "" : "s");
    *note = memory_format("seeds %lld to %lld chose on the %s part in %s (%s)%s", (long long)first,
                          (long long)((end < own ? end : own) - 1), found->part, found->folder, role_name[found->role], others);
    return *note ? KNACK_OK : KNACK_E_MEMORY;
}

/* What a line of a plan points to. */
struct line_texts {
    char test_set[24], train_set[24], when[32], folder[PATH_MAX];
};

/* before: what is there of this comparison, or NULL. Seeds that were used once stay used. */
static void make_line(const struct plan *plan, const char *identity, const char *folder, const struct ledger_entry *before,
                      struct line_texts *texts, struct line *line)
{
    int64_t first = plan->first_seed, end = plan->first_seed + plan->seeds;
    if (before && before->role == plan->role) {
        if (before->first_seed < first) first = before->first_seed;
        if (before->first_seed + before->seeds > end) end = before->first_seed + before->seeds;
    }
    store_now(texts->when);
    snprintf(texts->test_set, sizeof texts->test_set, "%016llx", (unsigned long long)plan->test_set);
    snprintf(texts->train_set, sizeof texts->train_set, "%016llx", (unsigned long long)plan->train_set);
    *line = (struct line){.identity = identity,
                          .test_set = texts->test_set,
                          .train_set = plan->train_set ? texts->train_set : NULL,
                          .part = plan->part,
                          .name = plan->name,
                          .folder = realpath(folder, texts->folder) ? texts->folder : folder,
                          .metric = plan->metric,
                          .when = texts->when,
                          .role = (int)plan->role,
                          .first_seed = first,
                          .seeds = end - first};
}

static bool is_same(const struct ledger_entry *entry, const struct plan *plan, const struct line *line)
{
    return entry->role == plan->role && entry->first_seed == line->first_seed && entry->seeds == line->seeds &&
           entry->train_set == plan->train_set && strcmp(entry->part, line->part ? line->part : "") == 0 &&
           strcmp(entry->name, line->name) == 0 && strcmp(entry->folder, line->folder) == 0 && strcmp(entry->metric, line->metric) == 0;
}

static uint64_t hash_identity(const char *text)
{
    return text_hash(TEXT_HASH, text, strlen(text));
}

/* Those whose results were read, unless `before` says so already; how many. writer may be NULL. */
static int64_t write_arms(struct json_writer *writer, const struct plan *plan, const struct ledger_entry *before)
{
    int64_t count = 0;
    for (int64_t a = 0; a < plan->arms; a++) {
        const struct arm *arm = &plan->arm[a];
        int64_t read = arm->reads > 0 ? arm->read[arm->reads - 1] : 0;
        if (!arm->identity || read == 0 || (before && has_arm(before, hash_identity(arm->identity), plan->first_seed, read))) continue;
        char hash[24];
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)hash_identity(arm->identity));
        struct arm_line line = {hash, arm->name, arm->kind == ARM_BASELINE, plan->first_seed, read};
        count++;
        if (!writer) continue;
        json_open(writer, NULL, '{');
        json_write_fields(writer, arm_fields, &line);
        json_close(writer);
    }
    return count;
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

static knack_status append(const char *path, int fd, bool whole_line, const char *text)
{
    char *line = text ? memory_format("%s%s\n", whole_line ? "" : "\n", text) : NULL;
    knack_status status = line ? write_line(path, fd, line, strlen(line)) : status_set(KNACK_E_MEMORY, "out of memory for the ledger");
    memory_free(line);
    return status;
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

/* What is to be written about a comparison. read: that its results were read; else that it is made. */
struct change {
    const struct plan *plan;
    const char *identity, *folder;
    bool read;
    int64_t number; /* becomes: which on its test set */
    char *note;     /* becomes: as ledger_enter() says */
};

/* With the ledger read and locked. */
static knack_status make_change(const struct ledger *ledger, int fd, bool whole_line, struct change *change)
{
    const struct plan *plan = change->plan;
    const struct ledger_entry *before = find(ledger, change->identity, plan->test_set), *entry;
    struct line_texts texts;
    struct line line;
    if (!change->read) TRY(refuse_reuse(ledger, plan, change->identity));
    if (!change->read) TRY(find_choice(ledger, plan, change->identity, &change->note));
    change->number = before ? 0 : 1;
    for (entry = ledger->entry; entry < (before ? before + 1 : ledger->entry + ledger->entries); entry++)
        change->number += entry->test_set == plan->test_set;
    make_line(plan, change->identity, change->folder, before, &texts, &line);
    if (change->read ? write_arms(NULL, plan, before) == 0 : before && is_same(before, plan, &line)) return KNACK_OK;
    struct json_writer *writer = json_writer_new(false);
    if (!writer) return KNACK_E_MEMORY;
    json_open(writer, NULL, '{');
    json_write_fields(writer, line_fields, &line);
    if (change->read) {
        json_open(writer, "arms", '[');
        write_arms(writer, plan, before);
        json_close(writer);
    }
    json_close(writer);
    knack_status status = append(ledger->path, fd, whole_line, json_text(writer, NULL));
    json_writer_free(writer);
    return status;
}

static knack_status write_change(struct change *change)
{
    char *path;
    int fd = -1;
    bool whole_line;
    struct ledger *ledger;
    size_t size = strlen(change->identity);
    if (size == 0 || size >= IDENTITY_SIZE)
        return status_set(KNACK_E_CALL, "an identity of %zu bytes for the ledger: expected 1 to %d", size, IDENTITY_SIZE - 1);
    TRY(find_path(&path));
    knack_status status = open_to_write(path, &fd);
    if (status < 0) {
        memory_free(path);
        return status;
    }
    status = read_all(path, true, &ledger, &whole_line);
    if (status >= 0) status = make_change(ledger, fd, whole_line, change);
    ledger_free(ledger);
    close(fd);
    return status;
}

knack_status ledger_enter(const struct plan *plan, const char *identity, const char *folder, int64_t *number, char **note)
{
    struct change change = {.plan = plan, .identity = identity, .folder = folder};
    knack_status status = write_change(&change);
    if (status < 0) memory_free(change.note);
    *note = status < 0 ? NULL : change.note;
    if (status >= 0) *number = change.number;
    return status;
}

knack_status ledger_mark_read(const struct plan *plan, const char *identity, const char *folder)
{
    struct change change = {.plan = plan, .identity = identity, .folder = folder, .read = true};
    return write_change(&change);
}

/* ---- What others did with an arm ---- */

/* How many of the plan's seeds are among those. */
static int64_t count_common(const struct plan *plan, const struct ledger_arm *arm)
{
    int64_t first = arm->first_seed > plan->first_seed ? arm->first_seed : plan->first_seed;
    int64_t end = arm->first_seed + arm->seeds, own = plan->first_seed + plan->seeds;
    return (end < own ? end : own) - first;
}

knack_status ledger_reads(const struct plan *plan, int64_t arm, const char *own_identity, int64_t read[READS_MOST], int64_t *reads)
{
    struct ledger *ledger;
    *reads = 0;
    if (!plan->arm[arm].identity) return KNACK_OK;
    uint64_t identity = hash_identity(plan->arm[arm].identity);
    TRY(ledger_read(&ledger));
    bool *there = memory_new((size_t)plan->seeds + 1, sizeof *there);
    for (int64_t i = 0; i < ledger->entries && there; i++) {
        const struct ledger_entry *entry = &ledger->entry[i];
        if (entry->test_set != plan->test_set || strcmp(entry->identity, own_identity) == 0) continue;
        for (int64_t a = 0; a < entry->arms; a++) {
            int64_t common = entry->arm[a].identity == identity ? count_common(plan, &entry->arm[a]) : 0;
            if (common > 0) there[common] = true;
        }
    }
    for (int64_t i = 1; i <= plan->seeds && there; i++)
        if (there[i]) read[*reads < READS_MOST ? (*reads)++ : READS_MOST - 1] = i;
    knack_status status = there ? KNACK_OK : KNACK_E_MEMORY;
    memory_free(there);
    ledger_free(ledger);
    return status;
}

knack_status ledger_find_folders(uint64_t arm_identity, char ***folder, int64_t *count)
{
    struct ledger *ledger;
    struct paths paths = {0};
    *folder = NULL;
    *count = 0;
    TRY(ledger_read(&ledger));
    knack_status status = KNACK_OK;
    for (int64_t i = ledger->entries - 1; i >= 0 && status >= 0; i--) {
        const struct ledger_entry *entry = &ledger->entry[i];
        for (int64_t a = 0; a < entry->arms; a++) {
            if (entry->arm[a].identity != arm_identity) continue;
            status = paths_add(&paths, entry->folder);
            break;
        }
    }
    ledger_free(ledger);
    if (status >= 0) return paths_take(&paths, folder, count);
    memory_free(paths.text);
    return status;
}
