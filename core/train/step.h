/* A step: one logical batch with its targets, how it is split into micro-batches, and the pass that is being computed over one of them. */
#ifndef TRAIN_STEP_H
#define TRAIN_STEP_H

#include "data/dataset.h"
#include "model/model.h"
#include "model/pass.h"

enum target_kind { TARGET_IDS, TARGET_ROWS, TARGET_REALS };

/* What the rows of a logical batch are to become. IDS: `components` weighted ids a row. */
struct targets {
    enum target_kind kind;
    int64_t rows, components, outputs;
    int32_t *id;       /* [components, rows]; negative: none */
    knack_real *share; /* [components, rows] */
    knack_real *value; /* ROWS, REALS: [rows, outputs] */
};

/* Features and logits of a forward that may be asked for again. */
struct forward_record {
    const knack_tensor *x;
    const struct knack_weights *weights;
    uint32_t flags;
    knack_tensor *features, *logits, *result;
};
enum { FORWARD_RECORDS = 8 };

struct knack_step {
    struct model_pass pass; /* first: what models see */
    struct tape tape;
    struct run *run;
    bool evaluation;
    enum data_part part;

    /* The logical batch; memory of run->step_arena. */
    struct knack_batch logical;
    struct targets targets;
    knack_real *input; /* [rows, width of the data] */
    int64_t *order;    /* [active] rows with work to do, so that micro-batches are stretches of it */
    int64_t active;
    int64_t *stretch; /* [micro_batches + 1] where each begins in order */
    int64_t micro_batches;
    int64_t *group; /* [rows] smallest row of those kept together, or NULL */
    double lr;

    /* The pass over one micro-batch. */
    uint32_t gradient_pass;   /* of the step, from 0 */
    uint32_t forwards;        /* knack_forward() calls with REDRAW in this micro-batch */
    uint32_t main_redraw;     /* address of the main forward's masks */
    double weight;            /* of the pass in the gradient */
    int64_t asked_by;         /* index of the trick that asked for the pass; -1: the host */
    bool param_gradients;     /* false: only perturbations get gradients */
    knack_tensor *x;          /* this pass's input */
    struct knack_batch items; /* what stages see */
    int32_t *gathered;        /* [items.rows] -> row of the pass, where mixed targets made the batch taller; else NULL */
    knack_real *seed;         /* [items.rows] d(logical loss) / d(item's loss) before weight and loss scale */
    knack_real *mixture;      /* [items.rows, classes] target rows of mixed targets, or NULL */
    struct forward_record record[FORWARD_RECORDS];
    int64_t records;
};

/* ---- Making the logical batch (batch.c) ---- */

/* count entries that live until the next logical batch; NULL: no memory is left. */
void *step_zeroed(knack_step *, int64_t count, size_t size);
/* Rows examples[0..count) of the part, augmented if it is a training batch. */
knack_status step_load(knack_step *, enum data_part, const int64_t *example, int64_t count);
/* Rows from outside, without targets: inputs [count, width of the data], copied. */
knack_status step_adopt(knack_step *, const knack_real *inputs, int64_t count);
/* After pre_step: counts the items, drops rows without a target, folds in class weights, splits into micro-batches. */
knack_status step_finish_batch(knack_step *);

/* ---- Targets (targets.c) ---- */

knack_status targets_load(knack_step *, const struct dataset *, enum data_part, const int64_t *example, int64_t count);
knack_status targets_mix(knack_step *, const int64_t *partner, const knack_real *lambda);
knack_status targets_replace(knack_step *, const knack_tensor *);
knack_status targets_check(const struct targets *);         /* pre_step may write class ids by hand */
bool targets_labelled(const struct targets *, int64_t row); /* has any target */
/* This pass's items, seeds and mixtures, from the logical batch's rows pass.row[0..rows). */
knack_status targets_items(knack_step *);
knack_tensor *targets_loss(knack_step *, knack_tensor *logits); /* the task's own loss, [items] */

#endif
