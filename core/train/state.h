/* What a run holds. Private to the train floor. */
#ifndef TRAIN_STATE_H
#define TRAIN_STATE_H

#include "base/file.h"
#include "train/optimizer.h"
#include "train/run.h"
#include "train/schedule.h"
#include "train/step.h"
#include "train/trick.h"

/* Where the loop stands; all of it is in the checkpoint. */
struct position {
    int64_t epoch;          /* that is going on, or about to begin */
    int64_t batch_in_epoch; /* attempts made in it */
    int64_t batch, update;  /* attempts and updates of the run so far */
    int64_t skipped_in_row, skipped;
    int64_t epoch_open; /* 1: epoch_begin ran */
    double loss_sum;    /* since the last logged step */
    int64_t loss_count;
    double best; /* validation's primary metric; NaN: none yet */
    int64_t best_epoch;
    int64_t stopped; /* 1: a trick said STOP */
};

struct plan {
    enum knack_type compute;
    int64_t micro_batch;
    double loss_scale;
    const knack_trick *owner[3]; /* who set compute, micro_batch, loss_scale; NULL: the config */
};

/* Files that grow, and how many bytes of each the checkpoint knows. */
struct logs {
    struct file_log *metrics, *trace;
    int64_t metrics_keep, trace_keep;
};

/* What goes by the monotonic clock, in seconds. */
struct clock {
    double started, checkpointed, shown;
    int64_t first_update; /* made since started, by this process */
};

/* Rows that went through the model, for struct run_cost. */
struct counts {
    int64_t with_gradient, without; /* in training */
    int64_t evaluated;              /* outside of it, sweeps too */
    int64_t swept;                  /* of those, in sweeps */
    double inference;               /* of the latest evaluation that run_cost() tells of */
};

/* What result.json and the tables are made of. */
struct report {
    const char *status; /* "done", "interrupted", "failed" */
    double seconds;
    struct evaluation *evaluation; /* [evaluations] final ones */
    int64_t evaluations;
    struct metrics *table; /* of the primary weights' final evaluation */
    struct run_examples examples[PART_COUNT];
    struct run_examples *gathering; /* of the part that is evaluated, or NULL: not wanted */
};

/* What struct run_facts points to. */
struct facts {
    struct run_trick *trick;
    char *data, *model;
};

struct run {
    /* As it was asked for. */
    struct run_observer observer;
    bool force, trace_asked, resuming, reopened, in_memory, examples_asked;
    const struct knack_model_type *model_type;
    void *model_user;
    struct json_document *config;
    char *base, *folder; /* relative paths start from base; results go to folder, NULL in memory */
    uint64_t seed;
    int64_t threads;
    struct train_settings settings;

    /* What is trained. */
    struct dataset *data;
    bool data_borrowed; /* not to be closed */
    char *identity;     /* without threads, once run_identify() was there; else NULL */
    struct params *params;
    struct knack_model *model;
    struct optimizer *optimizer;
    knack_real *class_weight;   /* [classes], or NULL */
    struct knack_weights *best; /* host's set, or NULL without a validation part */

    /* Tricks, what they want, and what they are told. */
    struct instances *instances;
    knack_trick *tricks; /* [trick_count] */
    int64_t trick_count, opened;
    bool ids_wanted, rows_without_target, scope_batch, filters;
    struct knack_task task;
    struct knack_now now;

    /* The call that is going on. */
    struct run_place *place, own_place; /* own: unless the caller gave one */
    struct call *call;                  /* innermost, or NULL */
    knack_status failure;               /* the first of a call */
    char failure_message[1024];
    bool changing; /* hooks that may change states have begun and are not done */

    /* The loop. */
    struct position at;
    int64_t steps_per_epoch, updates;
    int32_t *epoch_order;   /* [train count] */
    int64_t ordered_epoch;  /* of epoch_order; -1: none */
    int64_t *batch_example; /* [batch] */
    knack_step step, eval_step;
    struct arena *step_arena, *pass_arena; /* until the next logical batch; until the next micro-batch */
    double last_loss;
    struct counts counts;

    /* Passes. */
    struct plan plan;
    struct knack_weights *in_use;
    uint32_t pass_flags;           /* KNACK_REDRAW if a trick around asked for it */
    knack_real *borrowed[8];       /* gradient buffers lent to tricks that wrap others: [params.total] each */
    int64_t lent;                  /* of borrowed */
    knack_real *statistics_before; /* of the live weights, as of the latest update */

    /* Results. */
    struct logs log;
    struct json_writer *trace; /* of the step at hand, or NULL */
    struct clock clock;
    struct metrics *metrics;
    const char *primary; /* name of the primary weights, once known */
    struct report report;
    char **weight_names; /* reopened: of those that were written, the primary one first; NULL ends */
    struct facts facts;
};

/* The top level of a config. */
struct config {
    const struct json *data, *model, *train, *plugins;
    int64_t seed, threads;
    const char *folder;
    const char *own_model; /* written by knack: name of the program's own model that was trained, or NULL */
};

knack_status run_identify(struct run *); /* identity.c: fills run->identity in, once */

/* run.c */
struct run *run_new(const struct run_request *);
knack_status run_read_top(const struct json_document *, struct config *);
/* Everything from the config on. path: the config file; described: the data set to build for, or NULL to open the config's. */
knack_status run_open_all(struct run *, const char *path, const struct run_request *, struct dataset *described);
/* Hands the run over if status says so, else closes it and keeps the message. */
knack_status run_finish_open(struct run *, knack_status, struct run **);

double seconds_now(void);                             /* loop.c: of the monotonic clock */
bool flat_finite(const knack_real *x, int64_t count); /* flat.c */

uint64_t trick_key(const knack_trick *); /* contract_random.c: of its streams, by seed and name */

/* passes.c */
knack_status passes_gradient(struct run *, double keep, double weight, uint32_t flags, bool first); /* the host's own: all micro-batches */
knack_tensor *passes_forward(knack_step *, knack_tensor *x, uint32_t flags);
void passes_begin(knack_step *, const int64_t *row, int64_t rows, bool training); /* tape, rows, mode of a pass */
void passes_hook(knack_step *);           /* a tape for constants, while hooks run: no weights in use */
knack_tensor *passes_input(knack_step *); /* rows of the pass from the logical batch's input */
bool passes_rows_fit(knack_step *, const knack_tensor *x, const char *function); /* x has the pass's rows; else the tape fails */
knack_status passes_failure(knack_step *);                                       /* why a stage gave NULL */
knack_tensor *passes_predict(knack_step *, knack_tensor *x);                     /* the host's innermost predict */

/* stages.c: chains of tricks, outermost first. after: index of the trick whose inside is wanted, -1 for all. */
knack_tensor *stages_head(knack_step *, int64_t after, knack_tensor *features);
knack_tensor *stages_loss(knack_step *, int64_t after, knack_tensor *logits);
knack_tensor *stages_predict(knack_step *, int64_t after, knack_tensor *x);
knack_status stages_gradient(struct run *, int64_t after, double keep, double weight, uint32_t flags, bool first);
knack_tensor *stages_filter(knack_step *, const char *name, knack_tensor *out);

/* perturbation.c: gradients at the tricks' offsets, around what computes gradients of weights. */
struct kept_gradient;
void perturbations_enter(knack_trick *);                  /* its gradient stage: no offset, no gradient */
void perturbations_begin_pass(struct run *, double keep); /* of the step's gradient so far */
/* Those of the tricks before outside_of: a copy, and then keep * copy + weight * what came since. */
knack_status perturbations_keep(struct run *, int64_t outside_of, struct kept_gradient **);
void perturbations_combine(struct run *, int64_t outside_of, const struct kept_gradient *, double keep, double weight);

/* facts.c */
void facts_free(struct facts *);                                 /* what it points to */
void facts_write(const struct instance *, struct json_writer *); /* members: name, plugin, version, installed, options */

/* examples.c */
knack_status examples_add(struct run *, struct run_examples *, int64_t rows, const knack_real *prediction, const int32_t *label,
                          const knack_real *target);
void examples_clear(struct run_examples *);
void examples_free(struct run_examples *);

/* counts.c */
void counts_add(knack_step *); /* a forward of the pass that is going on */

/* loop.c */
knack_status loop_estimate(struct run *, double *seconds);

/* evaluate.c */
knack_status evaluate_part(struct run *, enum data_part, struct knack_weights *, bool plain, struct metrics *);
knack_status evaluate_sweep(struct run *, knack_trick *, enum data_part, uint32_t flags,
                            knack_status (*visit)(knack_trick *, knack_step *, knack_tensor *));
knack_status evaluate_epoch(struct run *); /* validation of raw and every ready set; keeps the best */
knack_status evaluate_end(struct run *);   /* all parts, all sets; fills run->report */
const char *primary_weights(struct run *);
knack_status predict_rows(struct run *, const knack_real *inputs, int64_t count, knack_real *out);

/* checkpoint.c */
knack_status checkpoint_save(struct run *);
/* From the newest checkpoint that can be read, whose path goes to *path (NULL: there is none; memory_free()). */
knack_status checkpoint_restore(struct run *, char **path);
knack_status checkpoint_newest(const char *folder, char **path); /* *path NULL: none; memory_free() */

/* weights.c: files of one set. */
knack_status weights_save(struct run *, const struct knack_weights *, const char *path);
knack_status weights_restore(struct run *, struct knack_weights *, const char *path);

/* results.c */
knack_status results_prepare(struct run *); /* the folder, the resolved config */
knack_status results_log_step(struct run *);
knack_status results_log_evaluation(struct run *, const char *part, const char *weights, const struct metric_value *, int64_t count);
void results_point(struct run *, enum data_part, const char *weights, const struct metric_value *value, int64_t count);
knack_status results_write(struct run *);     /* weights, tables, result.json */
knack_status results_summarise(struct run *); /* result.json alone, as after a run that ended early */
void results_free(struct run *);

/* trace.c: one JSON line a step, of what tricks drew and did. */
knack_status trace_begin(struct run *);
void trace_numbers(struct run *, const knack_trick *, const char *what, uint32_t purpose, int64_t first, int64_t count, const knack_real *);
void trace_pairs(struct run *, const knack_trick *, uint32_t purpose, int64_t rows, const int64_t *partner);
void trace_mask(knack_step *, const char *name, double rate, int64_t width); /* width: elements of a row's mask */
void trace_call(struct run *, const knack_trick *, enum slot, knack_status);
knack_status trace_end(struct run *);

void run_note(struct run *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void run_warn(struct run *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
