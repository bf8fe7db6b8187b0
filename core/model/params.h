/* Parameters in one flat buffer, their gradients in its twin, running statistics in a small third, and named copies of them all. */
#ifndef MODEL_PARAMS_H
#define MODEL_PARAMS_H

#include <knack/plugin.h>

#include "base/status.h"

/* Names of parameters, statistics, weight sets and layers: at most so many letters, digits, '.', '_' and '-', so that globs and files can
 * hold them. */
enum { PARAMS_NAME = 128 };

/* A parameter as the host keeps it; the public part is first. */
struct param {
    struct knack_param public;
    int64_t index; /* in params.list and params.touched */
    uint32_t init;
    double init_scale, lr_scale;
    const char *owner; /* trick instance, which outlives the store, or NULL: the model */
};

struct statistic {
    const char *name;      /* "bn1.mean" */
    int64_t count, offset; /* in the statistics buffer */
    knack_real initial;
};

struct knack_weights {
    const char *name;  /* "raw" for the live ones */
    const char *owner; /* instance that declared it, or NULL: the host */
    uint32_t flags;
    bool ready;
    knack_real *values;     /* [params.total] */
    knack_real *statistics; /* [params.statistics_total] */
    struct params *params;
};

struct params {
    struct param **list; /* handles are stable */
    int64_t count, capacity;
    struct statistic *statistic;
    int64_t statistic_count, statistic_capacity;
    int64_t total; /* entries of the flat buffer; each parameter starts at a multiple of 64 bytes, padding stays 0 */
    int64_t statistics_total;
    bool allocated;
    struct knack_weights live;  /* the only ones that the optimizer writes */
    knack_real *gradients;      /* [total] */
    uint8_t *touched;           /* [count] */
    struct knack_weights **set; /* in the order declared */
    struct run *run;            /* whose it is; nothing here looks into it */
    int64_t set_count, set_capacity;
};

struct params *params_new(void);
void params_free(struct params *);
bool params_name_fits(const char *name);
/* Before params_allocate() only. The full name must be new; owner NULL: the model's. */
knack_status params_declare(struct params *, const char *owner, const struct knack_param_spec *, struct param **);
struct param *params_add(struct params *, const char *owner, const struct knack_param_spec *); /* the same; NULL on error */
/* Running statistics; returns the index in statistic, or an error below 0. */
int64_t params_add_statistic(struct params *, const char *name, int64_t count, knack_real initial);
/* A set; allocated with the rest, as a copy of the live ones. flags: KNACK_SCRATCH, KNACK_EVALUATE. NULL on error. */
struct knack_weights *params_add_set(struct params *, const char *owner, const char *name, uint32_t flags);
struct knack_weights *params_find_set(struct params *, const char *name); /* NULL: none; "raw": live */
struct param *params_find(const struct params *, const char *name);
const struct statistic *params_find_statistic(const struct params *, const char *name);
/* Allocates all buffers and initialises live values by (seed, name) and statistics; sets are copies. On failure nothing is allocated. */
knack_status params_allocate(struct params *, uint64_t seed);
/* Initial values [param.count], each a function of seed, full name and element, so that no parameter moves another's. HE: normal with
 * deviation sqrt(2 / inputs); XAVIER: uniform within sqrt(6 / (inputs + outputs)); all times init_scale. */
void param_initialise(const struct param *, uint64_t seed, knack_real *values);
void weights_copy(struct knack_weights *to, const struct knack_weights *from); /* values and statistics */
/* Those whose names match the glob, into list (room for params.count); returns how many. */
int64_t params_match(const struct params *, const char *pattern, const struct knack_param **list);

#endif
