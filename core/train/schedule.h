/* Learning-rate schedules: a function of the update's number. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "train/settings.h"

/* The rate of update 0 .. updates - 1, given lr and the run's lengths. Warm-up: r (u + 1) / w for u < w, r being what the schedule begins
 * with (lr, or lr start of one-cycle); what follows runs over the rest, only milestones count from the run's begin. */
double schedule_lr(const struct schedule_settings *, double lr, int64_t update, int64_t epoch_updates, int64_t epochs);

#endif
