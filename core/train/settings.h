/* The "train" object of a config. */
#ifndef TRAIN_SETTINGS_H
#define TRAIN_SETTINGS_H

#include "base/json.h"

enum optimizer_type { OPTIMIZER_SGD, OPTIMIZER_ADAM, OPTIMIZER_ADAMW };
enum schedule_type { SCHEDULE_CONSTANT, SCHEDULE_LINEAR, SCHEDULE_COSINE, SCHEDULE_STEP, SCHEDULE_ONE_CYCLE };
enum compute_type { COMPUTE_F32, COMPUTE_BF16 };
enum loss_type { LOSS_CROSS_ENTROPY, LOSS_SQUARED, LOSS_ABSOLUTE };

/* One group of parameters by name pattern; the first whose pattern matches a parameter holds. */
struct group_settings {
    const char *parameters; /* glob */
    double lr_scale;        /* times the schedule's rate; 1 by default */
    double weight_decay;    /* NaN: the optimizer's */
};

struct optimizer_settings {
    int type; /* enum optimizer_type */
    double lr, momentum, beta1, beta2, epsilon, weight_decay;
    bool nesterov;
    bool decay_all; /* also biases and norms, which are spared by default */
    struct group_settings *group;
    int64_t groups;
};

struct schedule_settings {
    int type;                    /* enum schedule_type */
    struct json_duration warmup; /* linear, from 0 to the schedule's first rate; a plain number below 1 is a share of the run (0.05) */
    double final; /* linear, cosine: rate that the run's end would have, as a share of lr; one-cycle: last rate, as a share of the first */
    double gamma; /* step: factor at each milestone */
    struct json_duration *milestone;
    int64_t milestones;
    double peak_at, start; /* one-cycle: where the peak is (share of the run), first rate as a share of lr */
};

struct train_settings {
    int64_t epochs, batch, micro_batch; /* micro_batch 0: the whole batch */
    int compute;                        /* enum compute_type */
    bool drop_last;                     /* leave out an incomplete last batch */
    struct optimizer_settings optimizer;
    struct schedule_settings schedule;
    int loss;                          /* enum loss_type; the default follows the task */
    bool balanced;                     /* class_weights: "balanced" */
    struct json_doubles class_weights; /* or a list; count 0: none */
    const char *metric;                /* primary; NULL: accuracy or r2 */
    const char *primary;               /* weight set that is primary; NULL: the first that is evaluated, else raw */
    struct json_duration log_every;    /* 50 updates */
    double checkpoint_seconds;         /* 60; 0: at epoch ends only */
    int64_t checkpoint_updates;        /* 0: none besides; "20st" */
    int64_t max_skipped;               /* updates skipped in a row for a non-finite loss or gradient before the run fails; 10 */
    int64_t evaluate_every;            /* epochs between validations; 1 */
};

/* object: the "train" member, or NULL for all defaults. regression: changes the defaults of loss and metric. Frees nothing: lists are in
 * memory that train_settings_free() releases. */
knack_status train_settings_read(const struct json *object, bool regression, struct train_settings *);
void train_settings_free(struct train_settings *);
void train_schema(struct json_writer *, const char *name); /* JSON Schema of "train" */

#endif
