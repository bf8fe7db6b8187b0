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

struct run_cost run_cost(const struct run *run)
{
    const struct counts *counts = &run->counts;
    return (struct run_cost){.gradient_rows = (double)counts->with_gradient,
                             .forward_rows = (double)(counts->without + counts->swept),
                             .inference = counts->inference};
}
