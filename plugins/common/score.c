#include "common/score.h"

#include <math.h>

struct score *score_declare(knack_trick *trick)
{
    _Static_assert(sizeof(struct score) == 3 * sizeof(double), "saved as an array");
    return knack_state(trick, "score", KNACK_F64, 3);
}

void score_add(struct score *score, int64_t rows, int64_t classes, const knack_real *p, const int32_t *label)
{
    for (int64_t i = 0; i < rows; i++, p += classes) {
        int64_t predicted = 0;
        if (label[i] < 0) continue;
        for (int64_t c = 1; c < classes; c++)
            if (p[c] > p[predicted]) predicted = c;
        score->rows++;
        score->right += predicted == label[i];
        score->loss -= log(p[label[i]] < 1e-12 ? 1e-12 : (double)p[label[i]]);
    }
}

void score_batch(struct score *score, knack_trick *trick, knack_step *step, const knack_tensor *p)
{
    const struct knack_batch *batch = knack_batch(step);
    score_add(score, batch->rows, knack_task(trick)->classes, knack_data(p), batch->target);
}
