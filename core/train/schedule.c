#include "train/schedule.h"

#include <math.h>

/* From `from` at share 0 to `to` at share 1, along half a cosine. */
static double cosine(double from, double to, double share)
{
    return to + (from - to) * (1 + cos(M_PI * share)) / 2;
}

/* How many of the milestones the run has reached. */
static int64_t reached(const struct schedule_settings *settings, int64_t update, int64_t epoch_updates, int64_t epochs)
{
    int64_t count = 0;
    for (int64_t i = 0; i < settings->milestones; i++)
        count += update >= json_duration_updates(settings->milestone[i], epoch_updates, epochs);
    return count;
}

/* One cycle (arXiv:1708.07120) with cosine flanks, over updates 0 .. last; as torch.optim.lr_scheduler.OneCycleLR, where the peak falls
 * on update peak_at * updates - 1. A run too short for a climb starts at its peak. */
static double one_cycle(const struct schedule_settings *settings, double update, double last)
{
    double peak = fmax(settings->peak_at * (last + 1) - 1, 0);
    if (update < peak) return cosine(settings->start, 1, update / peak);
    return last > peak ? cosine(1, settings->start * settings->final, (update - peak) / (last - peak)) : 1;
}

double schedule_lr(const struct schedule_settings *settings, double lr, int64_t update, int64_t epoch_updates, int64_t epochs)
{
    int64_t updates = epoch_updates * epochs;
    int64_t warmup = json_duration_updates(settings->warmup, epoch_updates, epochs);
    bool warm = update >= warmup;
    double position = warm ? (double)(update - warmup) : 0; /* in what follows the warm-up; it climbs to the rate at 0 */
    double rest = (double)(updates > warmup ? updates - warmup : 1);
    double factor = 1;
    switch (settings->type) {
    case SCHEDULE_LINEAR:
        factor = 1 + (settings->final - 1) * position / rest;
        break;
    case SCHEDULE_COSINE:
        factor = cosine(1, settings->final, position / rest);
        break;
    case SCHEDULE_STEP:
        factor = pow(settings->gamma, (double)reached(settings, update, epoch_updates, epochs));
        break;
    case SCHEDULE_ONE_CYCLE:
        factor = one_cycle(settings, position, rest - 1);
        break;
    default:
        break;
    }
    return lr * factor * (warm ? 1 : (double)(update + 1) / (double)warmup);
}
