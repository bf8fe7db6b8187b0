/* knack: the contract of a plugin, all of it. A plugin is one .so beside one JSON manifest; it exports knack_plugin_entry() and
 * nothing else. docs/writing-a-trick.md walks through one; docs/contract.md has the rules that are cited here by number.
 *
 * Every function says in square brackets where it may be called, by the names of struct knack_plugin's slots; anywhere else it
 * returns KNACK_E_CALL (or NULL, or 0) and the run stops with a message that names trick and hook. "Host's" means: never freed
 * by the plugin. Everything runs on one thread.
 *
 * knack_real is float; in the double build, which checks the mathematics, the same sources are compiled with double.
 */
#ifndef KNACK_PLUGIN_H
#define KNACK_PLUGIN_H

#include <knack/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The major number changes when the contract breaks. The double build differs, so that neither loads the other's plugins. */
#define KNACK_ABI_MAJOR 1u
#ifdef KNACK_REAL_DOUBLE
#define KNACK_ABI (KNACK_ABI_MAJOR | 0x80000000u)
#else
#define KNACK_ABI KNACK_ABI_MAJOR
#endif
#define KNACK_EXPORT __attribute__((visibility("default")))

typedef struct knack_trick knack_trick;     /* an instance of a plugin, with its options and state */
typedef struct knack_weights knack_weights; /* a named copy of all weights and running statistics */

/* ---- The plugin ---- */

typedef struct knack_plugin {
    uint32_t size, abi;         /* sizeof(knack_plugin) and KNACK_ABI; these two never move */
    const char *name, *version; /* must equal the manifest's */
    size_t self_size;           /* bytes of knack_self(), zeroed; changed only in open (rule 12) */
    size_t local_size;          /* bytes of knack_local(), zeroed at every step */

    /* Hooks; each may be NULL. */
    knack_status (*open)(knack_trick *); /* read all options, find parameters, declare state, sets, parameters, layers */
    void (*close)(knack_trick *);
    knack_status (*run_begin)(knack_trick *);
    knack_status (*run_end)(knack_trick *);
    knack_status (*epoch_begin)(knack_trick *);
    knack_status (*epoch_end)(knack_trick *);
    knack_status (*pre_step)(knack_trick *, knack_step *);      /* the batch is here and may be edited */
    knack_status (*post_backward)(knack_trick *, knack_step *); /* the final gradient is here; never re-runs */
    knack_status (*post_step)(knack_trick *, knack_step *);     /* the new weights are here; only after an update */
    knack_status (*eval_begin)(knack_trick *);                  /* once per weight set, which is bound */
    knack_status (*eval_end)(knack_trick *);

    /* Stages; each may be NULL. All but layer wrap what lies inside, reached by knack_next_*(). NULL returned is an error. */
    knack_tensor *(*layer)(knack_trick *, knack_step *, const char *name, knack_tensor *out); /* "input" is the first layer */
    knack_tensor *(*head)(knack_trick *, knack_step *, knack_tensor *features);               /* [items, width] -> [items, classes] */
    knack_tensor *(*loss)(knack_trick *, knack_step *, knack_tensor *logits);                 /* [items, classes] -> [items] (rule 6) */
    knack_status (*gradient)(knack_trick *, knack_step *);                  /* calls knack_next_gradient() at least once */
    knack_tensor *(*predict)(knack_trick *, knack_step *, knack_tensor *x); /* -> probabilities [rows, classes], else outputs */
} knack_plugin;

/* The one exported symbol. Pure. host_abi is the host's KNACK_ABI; NULL: this plugin cannot serve that host. */
KNACK_EXPORT const knack_plugin *knack_plugin_entry(uint32_t host_abi);

/* Flags of passes. */
enum {
    KNACK_REDRAW = 1,      /* new dropout masks, else those of the main pass */
    KNACK_FEATURES = 2,    /* give the features, not the logits or the prediction */
    KNACK_NO_GRADIENT = 4, /* record nothing for backward */
    KNACK_EVAL = 8,        /* as in evaluation: no dropout, running statistics, training 0 */
    KNACK_STATISTICS = 16  /* move (a forward) or re-estimate (a sweep) the running statistics of the weights in use */
};

/* Flags of weight sets. */
enum {
    KNACK_SCRATCH = 1, /* not saved: worth nothing after the step */
    KNACK_EVALUATE = 2 /* evaluated under its name once knack_weights_ready() */
};

/* ---- Options: as the manifest declares them, validated. All are to be read, and only in open. ---- */

/* A number or integer; NaN if it has neither value nor default. [open] */
KNACK_API double knack_option_number(knack_trick *, const char *name);
KNACK_API bool knack_option_flag(knack_trick *, const char *name);          /* boolean [open] */
KNACK_API const char *knack_option_string(knack_trick *, const char *name); /* string; NULL if it has neither. Host's [open] */
KNACK_API int64_t knack_option_updates(knack_trick *, const char *name);    /* duration, in updates; -1 if it has neither [open] */
KNACK_API const double *knack_option_numbers(knack_trick *, const char *name, int64_t *count);      /* numbers. Host's [open] */
KNACK_API const char *const *knack_option_strings(knack_trick *, const char *name, int64_t *count); /* strings. Host's [open] */

/* ---- Facts, memory, reports ---- */

enum knack_task_kind { KNACK_CLASSIFICATION = 1, KNACK_REGRESSION = 2 };
struct knack_task {
    uint32_t size, kind;
    int64_t classes;                 /* classification: at least 2; else 0 */
    int64_t width;                   /* of the features that the head gets */
    int64_t batch;                   /* rows of a full logical batch */
    int64_t parameters;              /* entries of the flat buffer, padding included; 0 in open, where it may still grow */
    const int64_t *class_count;      /* [classes] of the training data, or NULL */
    int64_t train, validation, test; /* examples of each part; all 0 where a trained run only predicts */
    int64_t input_ndim;              /* axes of one input: 1 a vector, 3 an image [height, width, channels] */
    int64_t input[KNACK_MAX_DIMS];   /* its sizes */
    int64_t vocabulary;              /* inputs are token ids, 0 to vocabulary - 1; 0: they are values */
};
KNACK_API const struct knack_task *knack_task(knack_trick *); /* Host's, for the run [anywhere] */

struct knack_now {
    uint32_t size, training;        /* training: 1 in a training pass, 0 in evaluation */
    uint32_t pass, reserved;        /* which gradient pass of the step, from 0 */
    int64_t batch, update, updates; /* attempts so far; updates so far, and of the whole run (rule 11) */
    int64_t epoch, epochs;
    double lr;           /* of this update, or of the next */
    const char *weights; /* name of the weights in use: "raw" for the live ones */
    const char *part;    /* "train", "validation", "test", ... */
};
KNACK_API const struct knack_now *knack_now(knack_trick *); /* Host's, until the hook or stage returns [anywhere but open] */

KNACK_API const char *knack_name(const knack_trick *);    /* of the instance: the plugin's, or its "as". Host's [anywhere] */
KNACK_API void *knack_self(const knack_trick *);          /* self_size bytes, for the run [anywhere] */
KNACK_API void *knack_local(knack_trick *, knack_step *); /* local_size bytes, until the step ends [anywhere with a step] */
/* Zeroed, 64-byte aligned, until the step ends; NULL: none left. [anywhere with a step] */
KNACK_API void *knack_scratch(knack_step *, size_t bytes);
/* Stops the run: returns KNACK_E_PLUGIN and keeps the message, to which the host adds trick, hook and step. [anywhere] */
KNACK_API knack_status knack_fail(knack_trick *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Each text is shown once a run. [anywhere] */
KNACK_API void knack_warn(knack_trick *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A number of this trick for metrics.jsonl; the latest value before a logged step is written. [anywhere but open, close] */
KNACK_API void knack_metric(knack_trick *, const char *name, double value);

/* ---- Declared in open ---- */

struct knack_param {
    uint32_t size;
    uint32_t no_decay; /* 1: weight decay leaves it alone */
    const char *name;  /* "conv1.weight"; a trick's: "arcface.centres" */
    int32_t ndim, reserved;
    int64_t shape[KNACK_MAX_DIMS];
    int64_t count;  /* entries */
    int64_t offset; /* in the flat buffer, a multiple of 64 bytes */
};
enum knack_init { KNACK_INIT_ZERO, KNACK_INIT_ONE, KNACK_INIT_HE, KNACK_INIT_XAVIER, KNACK_INIT_NORMAL }; /* NORMAL: scale x N(0, 1) */
struct knack_param_spec {
    uint32_t size;
    uint32_t no_decay;
    const char *name; /* copied */
    int32_t ndim;
    uint32_t init; /* enum knack_init; HE and XAVIER count shape[0] as outputs, shape[1] as inputs, each times the rest (a kernel) */
    int64_t shape[KNACK_MAX_DIMS];
    double init_scale; /* 0: 1 */
    double lr_scale;   /* 0: 1; times the schedule's rate */
};
/* A parameter of this trick, behind the model's in the flat buffer, named INSTANCE.NAME, its init keyed by that name: optimizer, norms,
 * checkpoint and every set have it. The handle is stable from open; values and gradients exist from run_begin. NULL on error. [open] */
KNACK_API const knack_param *knack_add_param(knack_trick *, const struct knack_param_spec *);
/* Parameters whose name matches the glob ("*" all, "conv?.weight"); returns how many, *list is the host's, for the run. No match is
 * an error that lists the names, and returns 0. A pattern sees the model's parameters and those of tricks before this one. [open] */
KNACK_API int64_t knack_params(knack_trick *, const char *pattern, const knack_param *const **list);
/* A set that starts as a copy of the live weights (not on resume). name NULL: the instance's own. A name that an earlier trick declared
 * gives that trick's set, to read only. Host's. NULL on error. [open] */
KNACK_API knack_weights *knack_weight_set(knack_trick *, const char *name, uint32_t flags);
/* Whether weights of this name will be evaluated: "raw", or a set that a trick before this one declared with KNACK_EVALUATE. [open] */
KNACK_API bool knack_evaluates(knack_trick *, const char *weights);
/* count values of the type, zeroed; open writes initial values, resume overwrites them before run_begin. To be changed only in
 * post_step, epoch_*, eval_*, sweeps, or in gradient after its last pass: never where passes repeat. Host's. NULL on error. [open] */
KNACK_API void *knack_state(knack_trick *, const char *name, enum knack_type type, int64_t count);
/* Asks for layer(); no match is an error that lists the names. [open] */
KNACK_API knack_status knack_watch_layer(knack_trick *, const char *pattern);
/* predict will ask for these views of the data: an unknown one is an error that says which there are, and one warning names those that
 * training never draws. [open] */
KNACK_API knack_status knack_need_views(knack_trick *, const char *const *view, int64_t count);

/* ---- Weights ---- */

KNACK_API const knack_real *knack_weights_in_use(knack_trick *, const knack_param *); /* NULL: all, flat [parameters] [from run_begin] */
/* Values of a set; NULL: all, flat [parameters]. Another trick's set is not to be written. [from run_begin] */
KNACK_API knack_real *knack_values(knack_weights *, const knack_param *);
/* Running statistics of the set, *count of them (may be 0); NULL: those of the weights in use, to be read only. [from run_begin] */
KNACK_API knack_real *knack_statistics(knack_trick *, knack_weights *, int64_t *count);
/* For the passes that this call of the hook or stage starts, until it returns or the next knack_use_weights; NULL: back.
 * [gradient, loss, predict, epoch_begin, epoch_end, eval_begin, eval_end, run_end] */
KNACK_API knack_status knack_use_weights(knack_trick *, knack_weights *);
KNACK_API void knack_weights_ready(knack_weights *); /* from now on evaluated, if KNACK_EVALUATE [post_step, epoch_end, run_end] */

/* ---- Batch ---- */

/* In hooks and gradient: the logical batch. In layer, head, loss and predict: the items of this pass, in the order of its rows. */
struct knack_batch {
    uint32_t size, reserved;
    int64_t rows;            /* length of the arrays below */
    int64_t items;           /* N, labelled items of the logical batch (rule 8: or all), final after pre_step: what the host divides by */
    const int64_t *row;      /* [rows] item -> row of the logical batch */
    const int64_t *example;  /* [rows] -> index in the part of the data */
    const uint8_t *labelled; /* [rows] 1: came with a target */
    int32_t *target;         /* [rows] class ids, negative: none. NULL unless one id each. Writable in pre_step only */
    knack_real *weight;      /* [rows] of the item in the loss. Writable in pre_step only */
};
KNACK_API struct knack_batch *knack_batch(knack_step *); /* Host's, until the hook or stage returns [anywhere with a step] */
/* The batch's input, [rows, ...], KNACK_REAL; writable in pre_step if the manifest writes "inputs". [pre_step, loss, predict] */
KNACK_API knack_tensor *knack_input(knack_step *);
/* Replaces all targets: KNACK_I32 ids [rows], or KNACK_REAL rows [rows, classes or outputs]; copied. Writes "targets". [pre_step] */
KNACK_API knack_status knack_set_targets(knack_step *, knack_tensor *);
/* Target of row i becomes lambda[i] of its own and 1 - lambda[i] of partner[i]'s; [rows] each. Writes "targets". [pre_step] */
KNACK_API knack_status knack_mix_targets(knack_step *, const int64_t *partner, const knack_real *lambda);
/* partner [rows], an involution: such pairs share a micro-batch. [pre_step] */
KNACK_API knack_status knack_keep_together(knack_step *, const int64_t *partner);
/* keep x + (1 - keep) x[partner], for this pass's rows of x [rows of the pass, width values each]; partner [rows] by logical row;
 * keep [rows, width], or [1, width], or with width 1 one number a row. A row whose keep is 1 is copied exactly. [layer] */
KNACK_API knack_tensor *knack_mix_rows(knack_step *, knack_tensor *x, const int64_t *partner, const knack_real *keep, int64_t rows,
                                       int64_t width);

/* ---- Passes ---- */

/* The gradient of the logical step once more, through the tricks inside this one; innermost the host: every micro-batch forward and
 * backward. Then this trick's gradient = keep * what it was + weight * the new one. It starts at 0 and holds nothing of outer tricks.
 * weight 0: only perturbations get gradients. Pointers from knack_gradients() die here. Flags: KNACK_REDRAW. Not finite:
 * KNACK_SKIP_UPDATE, to be passed on. [gradient] */
KNACK_API knack_status knack_next_gradient(knack_trick *, knack_step *, double keep, double weight, uint32_t flags);
KNACK_API knack_tensor *knack_next_head(knack_trick *, knack_step *, knack_tensor *features); /* [head] */
KNACK_API knack_tensor *knack_next_loss(knack_trick *, knack_step *, knack_tensor *logits);   /* [loss] */
KNACK_API knack_tensor *knack_next_predict(knack_trick *, knack_step *, knack_tensor *x);     /* [predict] */
/* Another forward of this pass's rows: of x, or of the step's input if x is NULL -> logits, or features, with gradient unless told.
 * Without KNACK_REDRAW the masks of the main pass. Flags: all five. In predict with KNACK_EVAL; what was computed is not computed
 * again. [loss, predict] */
KNACK_API knack_tensor *knack_forward(knack_trick *, knack_step *, knack_tensor *x, uint32_t flags);
/* The features [items, width] that these logits came from. Reads "features". [loss] */
KNACK_API knack_tensor *knack_features(knack_step *, knack_tensor *logits);
/* The gradient of the whole logical batch in true scale; NULL: all, flat [parameters]. Reads or writes "gradients". Host's, until the
 * next pass. [gradient after a pass, post_backward] */
KNACK_API knack_real *knack_gradients(knack_step *, const knack_param *);

/* This trick's own offset of a layer's output: value, and the gradient there of what its latest knack_next_gradient() computed, unweighted;
 * [rows of the logical batch, width]. Zero and inactive whenever the trick's gradient stage is entered; set active once value is written.
 * Host's, until the step ends. */
struct knack_perturbation {
    uint32_t size, active;
    int64_t rows, width;
    knack_real *value;
    const knack_real *gradient;
};
KNACK_API knack_tensor *knack_perturb(knack_trick *, knack_step *, const char *layer, knack_tensor *out); /* out + value's rows [layer] */
/* NULL before the layer's first forward of the step. out: the layer's output, or NULL in gradient. [layer, gradient] */
KNACK_API struct knack_perturbation *knack_perturbation(knack_trick *, knack_step *, const char *layer, knack_tensor *out);
/* The input under one of the data's views: "flip", "shift 1 0", "train" (a fresh random augmentation). No gradient. [loss, predict] */
KNACK_API knack_tensor *knack_view(knack_trick *, knack_step *, const char *view, knack_tensor *x);
/* An eval-mode pass over a part of the data under the weights in use, counted as this trick's. visit gets predict's value with
 * KNACK_EVAL, features with KNACK_FEATURES; NULL: none. KNACK_STATISTICS re-estimates running statistics, weighted by samples.
 * [epoch_begin, epoch_end, eval_begin, run_end] */
KNACK_API knack_status knack_sweep(knack_trick *, const char *part, uint32_t flags,
                                   knack_status (*visit)(knack_trick *, knack_step *, knack_tensor *out));

/* ---- Knobs ---- */

struct knack_plan {
    uint32_t size, compute;  /* compute: KNACK_F32 or KNACK_BF16; the type of matrix products */
    int64_t micro_batch;     /* rows */
    double loss_scale;       /* a power of two; undone before anyone sees a gradient */
    uint32_t sync, reserved; /* for several processes, later */
};
/* 0 leaves a field as it is. Writes "plan". [run_begin; compute and loss_scale also in gradient before its first pass] */
KNACK_API knack_status knack_set_plan(knack_trick *, const struct knack_plan *);
KNACK_API knack_status knack_set_lr(knack_step *, double lr); /* of this update; groups keep their multipliers. Writes "lr" [pre_step] */

/* ---- Random numbers ----
 * Functions of (seed, instance, purpose, batch, element), so that there is nothing to save. purpose: the trick's own small number. */

/* Elements first to first + count - 1, in [0, 1). [anywhere but open] */
KNACK_API void knack_uniform(knack_trick *, uint32_t purpose, int64_t first, int64_t count, knack_real *out);
KNACK_API void knack_beta(knack_trick *, uint32_t purpose, double a, double b, int64_t count, knack_real *out);
/* A random involution; of an odd number of rows one is paired with itself. [anywhere but open] */
KNACK_API void knack_pairs(knack_trick *, uint32_t purpose, int64_t rows, int64_t *partner);

/* ---- Flat arrays ---- */

KNACK_API double knack_norm(const knack_real *x, int64_t count);                        /* L2, summed in double */
KNACK_API void knack_axpy(knack_real *y, double a, const knack_real *x, int64_t count); /* y += a x */
KNACK_API void knack_lerp(knack_real *y, double t, const knack_real *x, int64_t count); /* y += t (x - y); t = 1 copies */

#ifdef __cplusplus
}
#endif
#endif
