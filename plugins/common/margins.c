#include "common/margins.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

void margins_open(knack_trick *trick, struct margins *margins)
{
    const struct knack_task *task = knack_task(trick);
    margins->classes = task->classes;
    margins->centres = (int64_t)knack_option_number(trick, "centres");
    struct knack_param_spec spec = {.size = sizeof spec,
                                    .name = "centres",
                                    .ndim = 2,
                                    .init = KNACK_INIT_XAVIER,
                                    .shape = {margins->classes * margins->centres, task->width}};
    margins->direction = knack_add_param(trick, &spec);
}

/* ---- Cosines ---- */

static bool is_zero(const knack_real *row, int64_t width)
{
    for (int64_t j = 0; j < width; j++)
        if (row[j] != 0) return false;
    return true;
}

static void warn_of_zeros(knack_trick *trick, const knack_tensor *unit)
{
    const int64_t *shape = knack_shape(unit, NULL); /* [items, width] */
    const knack_real *row = knack_data(unit);
    for (int64_t i = 0; shape && i < shape[0]; i++)
        if (is_zero(row + i * shape[1], shape[1]))
            knack_warn(trick, "features of an example are all 0: it has no direction, and gets no gradient");
}

knack_tensor *margins_unit(knack_trick *trick, knack_tensor *features)
{
    knack_tensor *unit = knack_normalise(features, 1);
    if (knack_now(trick)->training) warn_of_zeros(trick, unit);
    return unit;
}

knack_tensor *margins_nearest(knack_tensor *unit, knack_tensor *w, int64_t classes, int64_t centres)
{
    knack_tensor *c = knack_matmul(unit, knack_normalise(w, 1), false, true); /* [items, classes * centres] */
    if (centres > 1) c = knack_max(knack_reshape(c, 3, (const int64_t[]){-1, classes, centres}), 2);
    return knack_clamp(c, -1, 1); /* by rounding it may be a little outside */
}

knack_tensor *margins_cosines(knack_step *step, const struct margins *margins, knack_tensor *unit)
{
    return margins_nearest(unit, knack_param_tensor(step, margins->direction), margins->classes, margins->centres);
}

/* ---- What scale and margin can be ---- */

double margins_least_scale(int64_t classes, double p)
{
    double others = (double)classes - 1;
    return others / (double)classes * log(others * p / (1 - p));
}

void margins_check_scale(knack_trick *trick, double scale)
{
    int64_t classes = knack_task(trick)->classes;
    double least = margins_least_scale(classes, 0.9);
    if (scale < least)
        knack_warn(trick, "with \"s\": %g no probability can reach 0.9 among %lld classes; that takes %.1f", scale, (long long)classes,
                   least);
}

double margins_widest_angle(int64_t classes, int64_t width)
{
    if (classes <= width + 1) return acos(-1 / ((double)classes - 1)); /* a simplex: all pairs alike */
    if (width == 1) return 0;                                          /* a line has two directions */
    if (width == 2) return 2 * pi / (double)classes;
    return pi / 2; /* beyond a simplex some pair is not obtuse; axes and their opposites, 2 width of them, reach this */
}

void margins_check_margin(knack_trick *trick, double margin, double most)
{
    const struct knack_task *task = knack_task(trick);
    if (margin > most)
        knack_warn(trick, "\"m\": %g is more than %lld classes can keep from each other with features of width %lld; that is %.3g at most",
                   margin, (long long)task->classes, (long long)task->width, most);
}
