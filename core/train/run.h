/* A run: one training of one model with one seed, from a config to a folder of results. */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

#include <knack/knack.h>

#include "base/json.h"
#include "data/dataset.h"
#include "train/metrics.h"

struct run;

/* What happens while a run goes on, for whoever shows it. Every function may be NULL. */
struct run_progress {
    int64_t epoch, epochs, update, updates; /* epoch counts from 0; update: made so far */
    double loss, lr;                        /* of the latest update; mean loss over the last logged stretch */
    double seconds, seconds_left, updates_per_second;
};
/* Numbers of a run that is going on, for curves: at each logged step part "train" with "loss", the mean since the last; after an epoch that
 * is validated part "validation" with all metrics, for each weight set. The same for the same config, whatever goes by the clock. */
struct run_point {
    const char *part, *weights;
    int64_t update;
    double epoch; /* passed, with the share of the one that is going on */
    const struct metric_value *value;
    int64_t count;
};
struct run_observer {
    void *user;
    void (*note)(void *user, const char *text);                /* one line: "digits: 1,437 train, ...", "wrote ..." */
    void (*warning)(void *user, const char *text);             /* each text once */
    void (*progress)(void *user, const struct run_progress *); /* at most ten times a second, and at each epoch's end */
    /* After each evaluation: the values are the metrics' own, valid during the call. */
    void (*evaluation)(void *user, const char *part, const char *weights, int64_t epoch, const struct metric_value *, int64_t count);
    void (*point)(void *user, const struct run_point *);
    bool (*interrupted)(void *user); /* asked between steps: true writes a checkpoint and ends the run with KNACK_E_INTERRUPTED */
};

/* Where a run is, for whoever shares its memory: another process reads it there when this one has crashed or hangs. */
enum { RUN_PLACE_TRICKS = 32, RUN_PLACE_NAME = 64 };
struct run_place {
    int64_t step;                                /* the latest that began, counted from 0; -1: none yet */
    int32_t trick, slot;                         /* of the call that is going on, or that failed; -1: none */
    char name[RUN_PLACE_TRICKS][RUN_PLACE_NAME]; /* of the tricks; of further ones nothing is known */
};
/* Text: 'trick "fgm", hook post_backward', or "" outside of calls. What is in place may have been overwritten. */
void run_place_text(const struct run_place *, char *text, size_t room);

struct run_request {
    const char *config;     /* path */
    const char *text;       /* the config itself, as JSON text, or NULL; config is then its name in errors */
    const char *folder;     /* of text: where relative paths start, unless it names a folder; NULL: "." */
    const char *const *set; /* "train.epochs=2" */
    int64_t set_count;
    const char *const *plugin; /* --plugin: added to the config's list */
    int64_t plugin_count;
    const char *out;                      /* NULL: runs/STEM-OF-CONFIG */
    bool force;                           /* a folder that holds something is overwritten: what knack wrote there is removed first */
    bool trace;                           /* writes trace.jsonl */
    bool in_memory;                       /* no folder: writes no results, no log, no checkpoint */
    bool examples;                        /* keeps what run_examples() gives */
    struct dataset *data;                 /* what the config's "data" says, opened before; the caller's. NULL: the run opens it */
    const struct knack_model_type *model; /* a program's own, or NULL */
    void *model_user;
    struct run_observer observer; /* copied */
    struct run_place *place;      /* kept up to date until run_close(), or NULL */
};

/* Reads and checks everything up to the first step: config, plugins (order, options, then code), data, model, open of every trick.
 * Writes nothing. Paths in the config start from its folder. */
knack_status run_open(const struct run_request *, struct run **);
/* The same from the results folder of a run, with its resolved config, positioned at the newest checkpoint (run_resume), or with the
 * weights and states of what it wrote (run_reopen; model.safetensors, trick states from the newest checkpoint if there is one). */
knack_status run_resume(const char *folder, const struct run_request *, struct run **); /* request: observer, model, trace only */
knack_status run_reopen(const char *folder, const struct run_request *, struct run **);
void run_close(struct run *); /* NULL is fine */

/* Trains to the end and writes results. On KNACK_E_INTERRUPTED a checkpoint was written. */
knack_status run_train(struct run *);

const char *run_folder(const struct run *);
const struct json_document *run_config(const struct run *); /* resolved: with defaults */
/* The resolved config as JSON text (indented); memory_free(). NULL on error. */
char *run_config_text(const struct run *);
/* result.json's text once run_train() is done (memory_free()), or NULL with an error. */
char *run_result_text(const struct run *);

/* ---- What a run came to; after run_train() ---- */

/* One final evaluation: a weight set on a part; values as in metrics.h. "plain": the live weights without the predict stages. */
struct evaluation {
    char *weights, *part;
    struct metric_value *value; /* [count] */
    int64_t count;
};
const struct evaluation *run_evaluations(const struct run *, int64_t *count); /* in the order they were made */
int64_t run_updates(const struct run *);                                      /* made so far */
double run_epochs(const struct run *);                                        /* passed so far, with the share of the one that goes on */
const char *run_primary(const struct run *);                                  /* name of the primary weights */
const char *run_idle_trick(const struct run *);                               /* the first that never acted; NULL: none */

/* The part's examples as the final evaluation saw them under the primary weights, if the request asked for them: those that metrics count
 * (with a class), in the part's order. loss: -log p of the class, p clamped as in metrics.h; of a regression the trained error, averaged
 * over outputs. correct NULL: a regression. All 0 if nothing was kept. */
struct run_examples {
    uint8_t *correct;
    float *loss;
    int64_t count;
};
struct run_examples run_examples(const struct run *, enum data_part);

/* What training cost, in rows through the model, whatever the batch; steps whose update was skipped count too. Of a resumed run: since
 * then. */
struct run_cost {
    double gradient_rows; /* forward and backward: the training part once an epoch, twice with SAM */
    double forward_rows;  /* forward only, in training: sweeps too, evaluations not */
    double inference;     /* forwards an example, in the final evaluation of the primary weights: 1, with two views 2 */
};
struct run_cost run_cost(const struct run *);

/* Instead of run_train(): makes a few updates to warm up, then so many, without evaluations, and says how many those were (fewer if
 * training ended first) and the seconds of this process's CPU time that they took. The run is then good for closing only. */
knack_status run_measure(struct run *, int64_t updates, int64_t *made, double *cpu_seconds);
/* A metric of the untrained weights on a part, without any trick's predict stage. Before run_train(). */
knack_status run_initial(struct run *, enum data_part, const char *metric, double *value);
/* JSON text: a list of {name, plugin, version, installed, options}, in order; memory_free(). NULL on error. */
char *run_tricks_text(const struct run *);

/* --dry-run: what there is to know before training. seconds is estimated from a few steps that leave no trace. Texts are the run's. */
struct run_trick {
    const char *name, *plugin, *summary;
    bool installed;                         /* false: at its identity */
    double gradient_passes, forward_passes; /* extra ones a step, as its manifest says */
};
struct run_facts {
    const char *data, *model; /* one line each: "digits: 1,437 train, ...", "mlp: 9,034 parameters" */
    int64_t train, validation, test, parameters, steps_per_epoch, steps;
    int64_t tricks;
    const struct run_trick *trick; /* in order, outermost first; those at identity last */
    double seconds;                /* whole run; NaN if not estimated */
};
knack_status run_facts(struct run *, bool estimate, struct run_facts *); /* valid until the next call */

/* Evaluates a part ("validation", "test", "train") under a weight set (NULL: the primary; "raw", "ema", "best", ...) through the predict
 * stages, after run_reopen. Values as in metrics.h, the run's until the next call. */
knack_status run_evaluate(struct run *, const char *part, const char *weights, const struct metric_value **, int64_t *count);
/* Names of the weight sets that were written, NULL-terminated; the primary one first. */
const char *const *run_weight_names(const struct run *);
/* Rows as data_inputs would give them -> out [count, outputs], through the predict stages. */
knack_status run_select_weights(struct run *, const char *weights); /* for run_predict; NULL: the primary */
knack_status run_predict(struct run *, const knack_real *inputs, int64_t count, knack_real *out);
/* The data set of the run; after run_reopen it may hold no parts until run_load_parts(), which `eval` needs and `predict` does not. */
struct dataset *run_data(struct run *);
knack_status run_load_parts(struct run *);

/* JSON Schema of the whole config, installed plugins' options included; memory_free(). NULL on error. */
char *run_schema(void);

#endif
