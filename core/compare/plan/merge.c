/* Asking again in the same folder: more seeds, more arms. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "compare/plan/parts.h"

static const char elsewhere[] = "compare into another folder (--out), or ask for the same";

static knack_status expect_text(const char *what, const char *kept, const char *asked)
{
    if (strcmp(kept, asked) == 0) return KNACK_OK;
    return status_set(KNACK_E_USAGE, "this folder's comparison has %s %s, not %s: %s", what, kept, asked, elsewhere);
}

static knack_status expect_number(const char *what, double kept, double asked)
{
    char a[32], b[32];
    if (kept == asked || (isnan(kept) && isnan(asked))) return KNACK_OK;
    return status_set(KNACK_E_USAGE, "this folder's comparison has %s %s, not %s: %s", what, text_number(a, kept), text_number(b, asked),
                      elsewhere);
}

/* Behind the last are zeros. */
static knack_status expect_same_looks(const struct plan *kept, const struct plan *asked)
{
    char what[32];
    for (int i = 0; i < LOOKS_MOST; i++) {
        snprintf(what, sizeof what, "look %d at seed", i + 1);
        TRY(expect_number(what, (double)kept->look[i], (double)asked->look[i]));
    }
    return KNACK_OK;
}

static knack_status expect_same_question(const struct plan *kept, const struct plan *asked)
{
    TRY(expect_text("design", design_name[kept->design], design_name[asked->design]));
    TRY(expect_text("stopping", stopping_name[kept->stopping], stopping_name[asked->stopping]));
    TRY(expect_text("role", role_name[kept->role], role_name[asked->role]));
    TRY(expect_text("metric of part", kept->part, asked->part));
    TRY(expect_text("metric", kept->metric, asked->metric));
    TRY(expect_number("first seed", (double)kept->first_seed, (double)asked->first_seed));
    if (asked->failed_score_given) TRY(expect_number("failed score", kept->failed_score, asked->failed_score));
    TRY(expect_same_looks(kept, asked));
    if (strcmp(kept->arm[0].config, asked->arm[0].config) != 0)
        return status_set(KNACK_E_USAGE, "this folder's comparison has another base config than what %s and --set give now: %s",
                          asked->config, elsewhere);
    return KNACK_OK;
}

/* Only arms that are compared one by one can be joined by others: a design's contrasts are of all its arms. */
static knack_status expect_same_tricks(const struct plan *kept, const struct plan *asked)
{
    bool same = kept->factors == asked->factors;
    for (int64_t f = 0; f < kept->factors && same; f++) same = strcmp(kept->factor[f], asked->factor[f]) == 0;
    if (same || kept->design == DESIGN_ONE) return KNACK_OK;
    return status_set(KNACK_E_USAGE, "this folder's comparison, design %s, is of other tricks: %s", design_name[kept->design], elsewhere);
}

static knack_status expect_same_arm(const struct arm *kept, const struct arm *asked)
{
    if (strcmp(kept->config, asked->config) == 0) return KNACK_OK;
    return status_set(KNACK_E_USAGE, "arm \"%s\" is not what it was in this folder's comparison: %s", asked->name, elsewhere);
}

static knack_status take_arm(struct plan *kept, const struct arm *asked)
{
    int64_t index = plan_find_arm(kept, asked->name);
    if (index >= 0) return expect_same_arm(&kept->arm[index], asked);
    if (kept->stopping != STOP_FIXED)
        return status_set(KNACK_E_USAGE, "arm \"%s\" cannot join a comparison that looks at its results on the way: %s", asked->name,
                          elsewhere);
    bool read = false;
    for (int64_t a = 0; a < kept->arms; a++) read |= kept->arm[a].reads > 0;
    TRY(plan_add_arm(kept, asked->name, asked->kind, 0, memory_text(asked->config), &index));
    kept->arm[index].joined = read;
    return plan_add_simple(kept, index);
}

/* All commands that made it what it is, a line each: one after the other they make it again. */
static knack_status add_command(struct plan *kept, const char *command)
{
    size_t length = strlen(command);
    for (const char *line = kept->command; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, command, length) == 0 && (line[length] == '\n' || !line[length])) return KNACK_OK;
    char *both = memory_format("%s%s%s", kept->command, *kept->command ? "\n" : "", command);
    if (!both) return KNACK_E_MEMORY;
    memory_free(kept->command);
    kept->command = both;
    return KNACK_OK;
}

knack_status plan_extend(struct plan *kept, int64_t seeds, const char *command)
{
    if (seeds > kept->seeds) kept->seeds = seeds;
    return command ? add_command(kept, command) : KNACK_OK;
}

static knack_status replace_text(char **kept, const char *text)
{
    char *copy = memory_text(text);
    if (!copy) return KNACK_E_MEMORY;
    memory_free(*kept);
    *kept = copy;
    return KNACK_OK;
}

knack_status plan_merge(struct plan *kept, const struct plan *asked)
{
    TRY(expect_same_question(kept, asked));
    TRY(expect_same_tricks(kept, asked));
    for (int64_t a = 0; a < asked->arms; a++) TRY(take_arm(kept, &asked->arm[a]));
    if (asked->margin > 0) kept->margin = asked->margin; /* not said: as it was */
    TRY(replace_text(&kept->folder, asked->folder));
    TRY(replace_text(&kept->config, asked->config));
    kept->equal_cost = asked->equal_cost;
    kept->converge = asked->converge;
    kept->timeout = asked->timeout;
    return plan_extend(kept, asked->seeds, asked->command);
}

/* ---- Going on ---- */

knack_status plan_find_project(struct plan *plan, const char *said)
{
    char *full = realpath(said ? said : plan->folder, NULL); /* the C library's own memory */
    bool there = full && file_is_folder(full);
    knack_status status = there ? replace_text(&plan->folder, full) : KNACK_E_USAGE;
    free(full);
    if (there) return status;
    return said ? status_set(KNACK_E_USAGE, "--project %s: there is no such folder", said)
                : status_set(KNACK_E_USAGE, "the folder of its configs, %s, is gone: say where it is now: --project FOLDER", plan->folder);
}
