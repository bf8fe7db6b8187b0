/* What swa, snapshot-ensemble and checkpoint-average share: when the weights of a run are looked at, and copies of the latest of them.
 * Linked into each of them. */
#ifndef PLUGINS_SNAPSHOTS_H
#define PLUGINS_SNAPSHOTS_H

#include <knack/plugin.h>

/* Reads the option "every". [open] */
knack_status snapshots_every(knack_trick *, int64_t *every);
/* Whether `update` ends a stretch of `every` updates, counted from the run's begin: "1ep" are the ends of epochs. */
bool snapshots_due(int64_t update, int64_t every);
/* Whether all weights in use are finite; if not it warns, since one that is not would spoil what is made of several. [post_step] */
bool snapshots_fit(knack_trick *);

enum { SNAPSHOTS_MOST = 32 };

/* A ring of weight sets, INSTANCE.1, INSTANCE.2, ..., with the latest snapshots. */
struct snapshots {
    int64_t size;
    knack_weights *set[SNAPSHOTS_MOST]; /* [size] */
    int64_t *taken;                     /* state: how many so far; the latest is set[(taken - 1) % size] */
};

/* Reads the option "count" and declares what is needed. [open] */
knack_status snapshots_open(knack_trick *, struct snapshots *);
/* Copies the weights in use, with their running statistics, over the oldest. [post_step] */
void snapshots_take(knack_trick *, const struct snapshots *);
int64_t snapshots_held(const struct snapshots *);
/* The k-th that is held, 0 the latest. */
knack_weights *snapshots_latest(const struct snapshots *, int64_t k);

#endif
