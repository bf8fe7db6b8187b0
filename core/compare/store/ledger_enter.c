/* Writing: a comparison enters, and its results are read. */
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
#include "compare/store/ledger_lines.h"

/* ---- Seeds ---- */

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

/* Those whose results were read, unless `before` says so already; how many. writer may be NULL. */
static int64_t write_arms(struct json_writer *writer, const struct plan *plan, const struct ledger_entry *before)
{
    int64_t count = 0;
    for (int64_t a = 0; a < plan->arms; a++) {
        const struct arm *arm = &plan->arm[a];
        int64_t read = arm->reads > 0 ? arm->read[arm->reads - 1] : 0;
        if (!arm->identity || read == 0 || (before && ledger_has_arm(before, ledger_hash(arm->identity), plan->first_seed, read))) continue;
        char hash[24];
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)ledger_hash(arm->identity));
        struct arm_line line = {hash, arm->name, arm->kind == ARM_BASELINE, plan->first_seed, read};
        count++;
        if (!writer) continue;
        json_open(writer, NULL, '{');
        json_write_fields(writer, ledger_arm_fields, &line);
        json_close(writer);
    }
    return count;
}

/* All by one write() if the system can; what it could only write a part of is taken back. */
static knack_status write_line(const char *path, int fd, const char *line, size_t size)
{
    struct stat before;
    if (fstat(fd, &before) < 0) return ledger_fail(path, "written");
    size_t left = size;
    while (left > 0) {
        ssize_t wrote = write(fd, line + size - left, left);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) {
            int reason = errno;
            if (left < size && ftruncate(fd, before.st_size) < 0) reason = errno;
            errno = reason;
            return ledger_fail(path, "written");
        }
        left -= (size_t)wrote;
    }
    return fsync(fd) == 0 || errno == EINVAL ? KNACK_OK : ledger_fail(path, "written");
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
    if (*fd < 0) return ledger_fail(path, "opened");
    status = ledger_lock(path, *fd, LOCK_EX);
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
    const struct ledger_entry *before = ledger_find(ledger, change->identity, plan->test_set);
    struct line_texts texts;
    struct line line;
    if (!change->read) TRY(refuse_reuse(ledger, plan, change->identity));
    if (!change->read) TRY(find_choice(ledger, plan, change->identity, &change->note));
    int64_t others = before ? before - ledger->entry : ledger->entries;
    change->number = 1;
    for (int64_t i = 0; i < others; i++) change->number += ledger->entry[i].test_set == plan->test_set;
    make_line(plan, change->identity, change->folder, before, &texts, &line);
    if (change->read ? write_arms(NULL, plan, before) == 0 : before && is_same(before, plan, &line)) return KNACK_OK;
    struct json_writer *writer = json_writer_new(false);
    if (!writer) return KNACK_E_MEMORY;
    json_open(writer, NULL, '{');
    json_write_fields(writer, ledger_line_fields, &line);
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
    TRY(ledger_find_path(&path));
    knack_status status = open_to_write(path, &fd);
    if (status < 0) {
        memory_free(path);
        return status;
    }
    status = ledger_read_file(path, true, &ledger, &whole_line);
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
