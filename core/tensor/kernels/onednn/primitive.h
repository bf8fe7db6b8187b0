/* A oneDNN primitive with what it takes to run it: made once for its shapes, kept by its key, run with other data each time. */
#ifndef KERNELS_ONEDNN_PRIMITIVE_H
#define KERNELS_ONEDNN_PRIMITIVE_H

#include "tensor/kernels/onednn/engine.h"

enum { PRIMITIVE_ARGUMENTS = 4, PRIMITIVE_KEY = 16 };

/* Kind, sizes, types, post-operations; words not used are 0. */
struct primitive_key {
    int64_t word[PRIMITIVE_KEY];
};

/* What one thread runs it with: memory objects whose data is set anew for each run. The scratchpad comes last. */
struct primitive_slot {
    dnnl_memory_t memory[PRIMITIVE_ARGUMENTS + 1];
    dnnl_exec_arg_t argument[PRIMITIVE_ARGUMENTS + 1];
};

struct primitive {
    struct primitive_key key;
    dnnl_primitive_t dnnl;
    int arguments;                 /* without the scratchpad */
    int name[PRIMITIVE_ARGUMENTS]; /* DNNL_ARG_... */
    dnnl_memory_desc_t layout[PRIMITIVE_ARGUMENTS];
    dnnl_memory_desc_t scratchpad;
    int slots;
    struct primitive_slot *slot; /* [slots] */
    struct primitive *reorder;   /* between plain weights and this primitive's layout of them; NULL: it is plain */
};

/* Describes a primitive for a shape, e.g. a struct matmul. */
typedef dnnl_status_t primitive_describe(const struct engine *, const void *shape, dnnl_primitive_desc_t *);

/* What is made, and how: the arguments' names in the order in which data is given. */
struct primitive_plan {
    primitive_describe *describe;
    const void *shape;
    int arguments;
    int name[PRIMITIVE_ARGUMENTS];
};

/* The primitive kept for the key, made by the plan at first use; the engine's. */
dnnl_status_t primitive_get(struct engine *, const struct primitive_key *, const struct primitive_plan *, struct primitive **);
dnnl_status_t primitive_new(const struct engine *, const struct primitive_plan *, struct primitive **);
void primitive_free(struct primitive *); /* NULL is fine */

/* Makes memory objects for so many slots. */
dnnl_status_t primitive_slots(const struct engine *, struct primitive *, int slots);
/* Bytes of scratchpad for one slot, a multiple of 64. */
size_t primitive_scratch(const struct primitive *);
/* Sets an argument's data for all slots. What threads share is set this way, since oneDNN then writes zeros where a layout is padded. */
dnnl_status_t primitive_share(const struct primitive *, int argument, void *data);
/* Runs it in one thread, with the slot's memory objects: data of each argument, in the plan's order; NULL: as shared. */
dnnl_status_t primitive_run(const struct engine *, const struct primitive *, int slot, void *const *data, void *scratch);

/* Attributes of all primitives: the scratchpad is the caller's. To be destroyed. */
dnnl_status_t primitive_attributes(dnnl_primitive_attr_t *);

#endif
