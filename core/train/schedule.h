/* Learning-rate schedules: a function of the update's number. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "train/settings.h"

/* The rate of update 0 .. updates - 1, given lr and the run's lengths. Warm-up: lr (u + 1) / w for u < w; what follows runs over the rest. */
double schedule_lr(const struct schedule_settings *, double lr, int64_t update, int64_t epoch_updates, int64_t epochs);

#endif
