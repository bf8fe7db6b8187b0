/* Tricks at run time: an instance with its memory and counts, and the frames that say which trick is being called, where. */
#ifndef TRAIN_TRICK_H
#define TRAIN_TRICK_H

#include "base/status.h"
#include "model/params.h"
#include "plugin/instance.h"

/* Where a trick is called: the slots of struct knack_plugin, and the visit of a sweep. */
enum slot {
    SLOT_OPEN,
    SLOT_CLOSE,
    SLOT_RUN_BEGIN,
    SLOT_RUN_END,
    SLOT_EPOCH_BEGIN,
    SLOT_EPOCH_END,
    SLOT_PRE_STEP,
    SLOT_POST_BACKWARD,
    SLOT_POST_STEP,
    SLOT_EVAL_BEGIN,
    SLOT_EVAL_END,
    SLOT_LAYER,
    SLOT_HEAD,
    SLOT_LOSS,
    SLOT_GRADIENT,
    SLOT_PREDICT,
    SLOT_VISIT,
    SLOT_COUNT
};
extern const char *const slot_name[SLOT_COUNT];
#define AT(slot) (1u << SLOT_##slot)
#define ANYWHERE ((1u << SLOT_COUNT) - 1)

struct trick_state {
    char *name;
    enum knack_type type;
    int64_t count;
    void *data; /* [count] */
};

/* An offset of one layer's output by one trick; memory of the step's arena, so empty when a step begins. */
struct trick_perturbation {
    char *layer;
    struct knack_perturbation public;
    knack_real *gradient; /* what public.gradient shows */
};

struct trick_metric {
    char *name;
    double value;
    bool pending; /* set since the last logged step */
};

struct knack_trick {
    struct run *run;
    struct instance *instance;
    const knack_plugin *plugin; /* every slot may be tested: the loader filled up what a smaller struct lacks */
    const char *name;
    int64_t index;      /* in the resolved order */
    void *self, *local; /* local: of the step at hand, NULL until asked for */
    bool acting;        /* false: another member of its one_of group has this batch */
    bool *watches;      /* [layers of the model], or NULL: none */
    bool views_checked; /* it said in open which ones it needs */

    struct trick_state *state;
    int64_t states;
    struct trick_perturbation **perturbation;
    int64_t perturbations;
    struct trick_metric *metric; /* by name, so that their order does not depend on what a checkpoint knew */
    int64_t metrics;
    char **warned; /* texts that were shown */
    int64_t warnings;

    /* Reports. */
    int64_t calls[SLOT_COUNT], acted[SLOT_COUNT]; /* acted: calls that were not idle */
    double seconds;                               /* own, without what lies inside */
    int64_t gradient_passes, forwards, swept;     /* extra ones: gradient passes beyond the first, knack_forward(), batches swept */
};

/* One call of one trick. The innermost is run->call; frames live on the C stack. */
struct call {
    knack_trick *trick;
    enum slot slot;
    struct call *outer;
    knack_step *step;             /* NULL in hooks without one */
    uint64_t began, inner;        /* nanoseconds: when, and spent inside it by others */
    int64_t passes;               /* gradient: knack_next_gradient() calls so far */
    bool not_finite;              /* gradient: what the passes so far left */
    const knack_tensor *next;     /* what the latest knack_next_*() gave: returned untouched, the call was idle */
    struct knack_weights *in_use; /* at entry; restored at the end */
    bool plan_set;
};
void call_begin(struct call *, knack_trick *, enum slot, knack_step *);
/* Ends the frame: time, counts, weights. status: what the trick returned, checked against what the slot may return; errors get trick, slot
 * and step before their message. Gives what the host has to act on. */
knack_status call_end(struct call *, knack_status);
/* Time that passes within next_*() belongs to others. */
uint64_t call_pause(void);
void call_resume(struct call *, uint64_t paused);

/* True if the trick is the one being called and its slot is among those in `where`; else notes KNACK_E_CALL, which ends the run when the
 * trick returns, whatever it returns. */
bool call_allowed(const knack_trick *, uint32_t where, const char *function);
/* The same for functions that take the step; gives the trick, or NULL. access: bits that the manifest must read or write (0: none);
 * write: it must write them. */
knack_trick *call_of_step(const knack_step *, uint32_t where, const char *function);
bool call_access(const knack_trick *, uint32_t access, bool write, const char *function);
/* Keeps the first error that a function without a status met during a call; returns code. */
knack_status call_fail(struct run *, knack_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));
knack_status call_fail_current(struct run *, knack_status code); /* with the message that is there */

/* The hook of every acting trick, in order or, for *_end and close, in reverse; the outcome: an error, or the union of SKIP_UPDATE and STOP
 * as bits. */
enum { OUTCOME_SKIP = 1, OUTCOME_STOP = 2, OUTCOME_NOT_FINITE = 4 };
knack_status tricks_hook(struct run *, enum slot, knack_step *);
/* Whether the trick left a gradient that is not finite, of which an update would spoil the weights for good; warns of it. */
bool trick_spoiled(knack_trick *);

knack_status tricks_new(struct run *);                 /* one per installed instance, with their self */
knack_status tricks_open(struct run *);                /* open of each; every option must have been read */
void tricks_close(struct run *);                       /* close of those that were opened, in reverse, and frees them */
void tricks_begin_batch(struct run *, uint32_t batch); /* who of each one_of group acts */
void tricks_begin_evaluation(struct run *);            /* a new batch of an evaluation: everyone acts, locals are gone */
const struct trick_metric *trick_metric_find(const knack_trick *, const char *name);

#endif
