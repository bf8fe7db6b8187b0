/* What is to be compared: arms, the contrasts between them, seeds, and when to stop. Made from a command line or a comparison file, kept in
 * the store as JSON, so that a report can be made from a folder alone. */
#ifndef COMPARE_PLAN_PLAN_H
#define COMPARE_PLAN_PLAN_H

#include "base/json.h"
#include "compare/statistics/sequential.h"

enum design { DESIGN_ONE, DESIGN_ABLATION, DESIGN_FACTORIAL, DESIGN_FRACTION, DESIGN_SCREEN };
enum stopping { STOP_FIXED, STOP_LOOKS, STOP_DECIDED }; /* all seeds; at a look of --adaptive; --until-decided */
enum role { ROLE_TUNING, ROLE_SCREENING, ROLE_VERDICT, ROLE_CONFIRMATION };
extern const char *const design_name[], *const stopping_name[], *const role_name[]; /* NULL ends */
extern const char *const on_name[];                                                 /* the parts that may decide */

enum arm_kind { ARM_BASELINE, ARM_TREATED, ARM_BUDGET }; /* budget: the baseline trained longer, for comparison at equal cost */
extern const char *const arm_kind_name[];

enum { READS_MOST = 16, CLASSES_MOST = 20 };

/* A config under comparison; what the check of its config found is there after trials_check(). */
struct arm {
    char *name; /* "baseline", "mixup", "all - ema", "baseline x2" */
    enum arm_kind kind;
    double budget;     /* epochs against the baseline's, as whole epochs have it: 1, of ARM_BUDGET 0.5 to 4 or what they round to */
    uint64_t factors;  /* bit j: trick j of plan.factor is on; 0 in DESIGN_ONE */
    char *config;      /* JSON text: the base config with this arm's changes; neither seed nor folders */
    char *resolved;    /* the same with every default, without seed and folder; NULL before the check */
    char *tricks;      /* JSON text: a list of {name, plugin, version, options} in resolved order; NULL before the check */
    char **difference; /* [differences] from the baseline: "plugins: + ema (decay 0.999)", "train.optimizer.lr: 0.001 -> 0.0001" */
    int64_t differences;
    int64_t updates, parameters; /* of one trial, as configured */
    char *identity;              /* JSON text: all that decides what its trials come to (train/identity.h); NULL before the check */
    /* CPU seconds of an update against the baseline's with their 95 % interval, fixed by the calibration before the first trial; NaN: not
     * measured. */
    double update_cost, update_cost_low, update_cost_high;
    int64_t read[READS_MOST], reads; /* ascending: how many of its blocks there were whenever its results were read, here or in a folder
                                      * whose trials these repeat */
    bool joined;                     /* it came after results of this comparison had been read */
    bool dropped;                    /* gets no more trials, as somebody said; it stays in its family */
};

enum contrast_kind {
    CONTRAST_ARM,         /* an arm against the baseline */
    CONTRAST_LEFT_OUT,    /* all tricks against all but one: its effect within the stack */
    CONTRAST_REST,        /* that minus its effect alone: its interaction with the rest */
    CONTRAST_MAIN,        /* factorial main effect, averaged over the other tricks */
    CONTRAST_INTERACTION, /* of two tricks, or of more */
};
extern const char *const contrast_kind_name[];

/* One question: D[r] = sum over arms of weight[a] * Y[a][r] in every block r of one seed. */
struct contrast {
    char *name; /* "mixup", "all without ema", "mixup x ema" */
    enum contrast_kind kind;
    int64_t arm;      /* of CONTRAST_ARM and of CONTRAST_LEFT_OUT (the arm that lacks it); else -1 */
    int64_t family;   /* tests that are adjusted together: 0 effects, 1 interactions */
    char *aliases;    /* fractions: what cannot be told from it, "A x B or C x D"; else NULL */
    uint64_t factors; /* the tricks that it is about */
    double *weight;   /* [arms of the plan] */
};

struct plan {
    char *name;    /* stem of the config or comparison file */
    char *config;  /* path of the base config, as given */
    char *folder;  /* where relative paths of the configs start; absolute */
    char *command; /* the command line that repeats it; several lines if it was made by several */
    enum design design;
    enum stopping stopping;
    enum role role;
    struct arm *arm; /* [arms]; 0 is the baseline; those of ARM_BUDGET come last */
    int64_t arms;
    struct contrast *contrast; /* [contrasts] */
    int64_t contrasts;
    char **factor; /* [factors] names of the tricks that a design switches */
    int64_t factors;
    char *generators;                /* fractions: "D = ABC, defining word ABCD, resolution IV", else NULL */
    int64_t first_seed, seeds;       /* blocks first_seed .. first_seed + seeds - 1; STOP_LOOKS, STOP_DECIDED: at most */
    int64_t look[LOOKS_MOST], looks; /* blocks at each look */
    double look_bound[LOOK_LEVELS];  /* of the looks, statistics/sequential.h: found once, when the plan is made */
    char *part, *metric;             /* "test", "accuracy" */
    bool lower_is_better;            /* values are negated for inference: larger is better */
    double margin, first_margin;     /* 0: none; first: as it was before the first trial */
    double failed_score;             /* what a failed trial counts as, in the metric's own direction; NaN until known */
    bool failed_score_given;
    bool equal_cost; /* baseline arms of larger budgets are run where a trick costs over 1.25 x */
    bool converge;   /* the baseline is trained twice as long too, on a few seeds at least: is its budget enough? */
    bool redraw;     /* seeds redraw the data: the re-split formula */
    double shared;   /* seeds redraw a subset of a fixed pool, and the test part is fixed: the subset's share of the pool; else NaN */
    int64_t epochs;  /* of the baseline; 0: not known */
    double timeout;  /* seconds a trial may take; 0: by the median trial */
    int64_t threads; /* of a trial */
    /* Of the data, once it was opened. */
    uint64_t test_set;  /* hash of the part that the metric is of */
    uint64_t train_set; /* of the training part of the baseline */
    int64_t retried;    /* failed trials that were made anew because somebody asked for it */
    int64_t train_count, test_count;
    char *labels;      /* of at most CLASSES_MOST classes: a letter for each example of the part, 'a' the first class; else NULL */
    char **class_name; /* [classes] */
    int64_t classes;
    char *data_title;
    char *note; /* where seeds of the plan chose before, store/ledger.h; else NULL */
};

/* How a comparison is asked for; text fields may be NULL, numbers 0 or NaN for "not said". */
struct plan_request {
    const char *config;       /* a config, or a comparison file (has "base" or "arms") */
    const char *const *trick; /* --tricks, split at commas outside of braces: names or entries with options */
    int64_t tricks;
    const char *const *set; /* --set on the base config */
    int64_t sets;
    const char *const *drop; /* names of arms, for plan_drop() */
    int64_t drops;
    const char *design, *role, *metric;
    const char *looks; /* "5,9,14": seeds at each look, which makes it adaptive */
    const char *on;    /* "test" or "validation": the part that decides */
    bool adaptive, until_decided, no_equal_cost, no_converge;
    int64_t seeds, first_seed; /* 0, -1: not said */
    double margin, failed_score, timeout;
    const char *command; /* the words of the command line, for the report */
};

/* Reads and checks what can be known without opening data or code: names, numbers, design against the number of tricks, duplicate arms. */
knack_status plan_new(const struct plan_request *, struct plan **);
/* The named arms of a finished screening, at least one, against the same baseline, on confirmation seeds and the part of verdicts. */
knack_status plan_confirm(const struct plan *screening, const char *const *name, int64_t count, struct plan **);
/* Fills look_bound unless it is filled or there are no looks. A schedule that no table has takes a second or two. */
knack_status plan_find_bounds(struct plan *);
/* --tricks at its commas, those outside of brackets and quotes: one block, memory_free(). */
knack_status plan_split_tricks(const char *text, char ***entry, int64_t *count);
void plan_schema(struct json_writer *); /* members of the JSON Schema of a comparison file, within an open object */
void plan_free(struct plan *);          /* NULL is fine */
/* As JSON, with nothing lost, and back. memory_free(). */
char *plan_text(const struct plan *);
char *plan_readable(const struct plan *); /* the same for people: configs stand as JSON, not as text; memory_free() */
knack_status plan_parse(const char *text, const char *file, struct plan **);
/* The arm of the baseline with so many times its epochs, at least one, in whole ones: 0 if they are its own; -1: not there (yet). */
int64_t plan_find_budget(const struct plan *, double budget);
/* Adds that arm unless there is one ("baseline x1.5"); weights of contrasts grow by a 0. budget: 0.5, 0.75, 1.5, 2, 3 or 4. After the
 * check. */
knack_status plan_add_budget(struct plan *, double budget);
/* Drops arms by name: KNACK_E_USAGE for the baseline and its budgets, for unknown names, with the nearest, and for designs of which each
 * effect needs every arm. */
knack_status plan_drop(struct plan *, const char *const *name, int64_t count);
/* Fills in what each arm's resolved config has that the baseline's has not. After the check. */
knack_status plan_describe_differences(struct plan *);
/* `other` asks for a part of what is asked for here, or more seeds or arms: their union goes on in one folder. Paths are those of `other`.
 * KNACK_E_USAGE, saying what differs, if the two cannot be one comparison. */
knack_status plan_merge(struct plan *kept, const struct plan *other);
/* More seeds, if they are more, and the command that asked for what is new. */
knack_status plan_extend(struct plan *, int64_t seeds, const char *command);
/* Where relative paths of a kept plan's configs start: as before, unless said is another folder, as of a project that was moved.
 * KNACK_E_USAGE if it is not there. */
knack_status plan_find_project(struct plan *, const char *said);
int64_t plan_family_size(const struct plan *, int family); /* how many contrasts it has */
bool plan_is_screening(const struct plan *);               /* picks candidates: by its role */
int64_t plan_own_arms(const struct plan *);                /* without the longer baselines, which come last */
/* Notes that so many of its blocks were read; readings stay ascending and distinct. */
void arm_add_reading(struct arm *, int64_t blocks);
int64_t plan_find_arm(const struct plan *, const char *name); /* -1: none */
/* Seeds 0 .. 999 are for tuning, from 1000 screening, from 2000 verdicts, from 3000 confirmation. */
int64_t role_first_seed(enum role);

#endif
