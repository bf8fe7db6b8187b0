/* Within core/compare/plan: what a plan is put together from. */
#ifndef COMPARE_PLAN_PARTS_H
#define COMPARE_PLAN_PARTS_H

#include "compare/plan/plan.h"

/* A trick that a design switches. */
struct asked_trick {
    char *name;  /* "as", or the plugin's */
    char *entry; /* what a config's list of plugins holds of it: JSON text, or just the name */
};

/* An arm of a comparison file. */
struct asked_arm {
    const struct json *node;          /* for errors */
    const struct json *plugins, *set; /* or NULL */
};

/* Command line and comparison file together. */
struct asked {
    const struct plan_request *request;
    struct json_document *file; /* the comparison file, or NULL */
    struct json_document *base; /* the config, changed as it was asked for */
    char *config, *folder;      /* path of the base config; where its relative paths start */
    struct asked_trick *trick;  /* [tricks] */
    int64_t tricks;
    const struct json *base_said, *arms, *tricks_said, *set; /* of the file, or NULL */
    int design, role, on;                                    /* role, on: -1: not said */
    bool adaptive, until_decided, equal_cost, converge;
    int64_t seeds, first_seed; /* 0, -1: not said */
    double margin, failed_score, timeout;
    const char *metric;
    double look[LOOKS_MOST + 1]; /* one more than there may be, to be counted */
    int64_t looks;               /* 0: by the number of seeds */
    struct json_doubles looks_said;
};
knack_status asked_read(const struct plan_request *, struct asked *);
void asked_free(struct asked *);

/* The base config as text, without what a comparison sets itself: seed, folder. memory_free(). */
char *config_text(const struct json_document *);
/* The base with entries added to its plugins and keys set. memory_free(). */
knack_status config_with_tricks(const struct asked *, uint64_t factors, char **text);
knack_status config_of_arm(const struct asked *, const struct asked_arm *, char **text);

/* What is wrong with the name of an arm or trick, in a text of the thread; NULL: nothing. */
const char *name_fault(const char *name);
/* The part of verdicts that a config's "data" have: test, if there is one. */
const char *usual_part(const struct json *data);

/* Takes config, also on failure. Before the arms of ARM_BUDGET, unless it is one itself; *index (may be NULL): where it is. */
knack_status plan_add_arm(struct plan *, const char *name, enum arm_kind, uint64_t factors, char *config, int64_t *index);
/* Weights are 0 until they are set. */
knack_status plan_add_contrast(struct plan *, const char *name, enum contrast_kind, int64_t arm, uint64_t factors, struct contrast **);
/* An arm against the baseline. */
knack_status plan_add_simple(struct plan *, int64_t arm);
knack_status plan_copy_text(char **to, const char *text);
knack_status plan_design(const struct asked *, struct plan *); /* its arms and contrasts */

#endif
