#include "compare/store/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "compare/store/ledger_lines.h"

#define LINE(member) offsetof(struct line, member)
const struct json_field ledger_line_fields[] = {
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

#define ARM(member) offsetof(struct arm_line, member)
const struct json_field ledger_arm_fields[] = {
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

knack_status ledger_find_path(char **path)
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

knack_status ledger_fail(const char *path, const char *what)
{
    return status_set(KNACK_E_IO, "%s: the ledger of comparisons cannot be %s: %s; KNACK_LEDGER can name another file for it", path, what,
                      strerror(errno));
}

knack_status ledger_lock(const char *path, int fd, int how)
{
    while (flock(fd, how) < 0)
        if (errno != EINTR) return ledger_fail(path, "locked");
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

const struct ledger_entry *ledger_find(const struct ledger *ledger, const char *identity, uint64_t test_set)
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

bool ledger_has_arm(const struct ledger_entry *entry, uint64_t identity, int64_t first_seed, int64_t seeds)
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
    TRY(json_fields(node, ledger_arm_fields, &line));
    TRY(parse_hash(node, "identity", line.identity, &identity));
    if (ledger_has_arm(entry, identity, line.first_seed, line.seeds)) return KNACK_OK;
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
    TRY(json_fields(root, ledger_line_fields, &line));
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

knack_status ledger_read_file(char *path, bool there, struct ledger **out, bool *whole_line)
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
    TRY(ledger_find_path(&path));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    knack_status status = KNACK_OK;
    if (fd < 0 && errno != ENOENT && errno != ENOTDIR) status = ledger_fail(path, "opened");
    if (fd >= 0) status = ledger_lock(path, fd, LOCK_SH);
    if (status >= 0)
        status = ledger_read_file(path, fd >= 0, ledger, &whole);
    else
        memory_free(path);
    if (fd >= 0) close(fd);
    return status;
}

uint64_t ledger_hash(const char *text)
{
    return text_hash(TEXT_HASH, text, strlen(text));
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
    uint64_t identity = ledger_hash(plan->arm[arm].identity);
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
