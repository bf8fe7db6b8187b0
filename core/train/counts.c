/* What a run costs, counted in rows that go through the model's layers. A head that sees several items of one row costs next to nothing
 * beside them and does not count. */
#include "train/state.h"

void counts_add(knack_step *step)
{
    struct counts *counts = &step->run->counts;
    if (step->evaluation)
        counts->evaluated += step->pass.rows;
    else if (step->tape.recording)
        counts->with_gradient += step->pass.rows;
    else
        counts->without += step->pass.rows;
}

void counts_end_step(struct run *run)
{
    struct counts *counts = &run->counts;
    double rows = (double)run->step.logical.rows;
    counts->gradient_evaluations += (double)counts->with_gradient / rows;
    counts->forwards += (double)counts->without / rows;
    counts->with_gradient = counts->without = 0;
}

struct run_cost run_cost(const struct run *run)
{
    const struct counts *counts = &run->counts;
    return (struct run_cost){.gradient_evaluations = counts->gradient_evaluations,
                             .forwards = counts->forwards + (double)counts->swept / (double)run->settings.batch,
                             .inference = counts->inference};
}
