/* For tests of heads with a margin: phi of a cosine, losses of given cosines, and whole heads, on a tape without a run. Include after
 * the plugin's .c. */
#ifndef PLUGINS_ON_MARGINS_H
#define PLUGINS_ON_MARGINS_H

#include <math.h>
#include <string.h>

#include "plugins/on_tape.h"

#ifdef KNACK_REAL_DOUBLE
enum { IS_DOUBLE = 1 };
#else
enum { IS_DOUBLE = 0 };
#endif

static const int32_t first_class[] = {0};
static const double half_turn = 3.14159265358979323846;

/* What a test defines from its plugin: phi of c [items], and logits of features e [items, width] with directions w. */
typedef knack_tensor *phi_function(knack_step *, knack_tensor *c);
typedef knack_tensor *head_function(knack_step *, knack_tensor *e, knack_tensor *w, const int32_t *target);

/* phi of one cosine; d phi / d c goes to *slope, unless that is NULL. */
static inline double phi_of(phi_function *phi, double cosine, double *slope)
{
    struct on_tape on;
    knack_step *step = on_tape_begin(&on);
    knack_real c = (knack_real)cosine, gradient = 0;
    knack_tensor *picked = knack_pick(on_tape_leaf(&on, 1, 1, &c, &gradient), first_class);
    double value = (double)on_tape_backward(phi(step, picked))[0];
    if (slope) *slope = (double)gradient;
    on_tape_end(&on);
    return value;
}

/* The loss of cosines [1, 3], times `scale`, at class 0, and its gradient [1, 3]. */
static inline double loss_of(phi_function *phi, double scale, knack_real *cosines, knack_real *gradient)
{
    struct on_tape on;
    knack_step *step = on_tape_begin(&on);
    knack_tensor *c = on_tape_leaf(&on, 1, 3, cosines, gradient);
    knack_tensor *logits = knack_scale(knack_put(c, first_class, phi(step, knack_pick(c, first_class))), scale);
    double loss = (double)on_tape_backward(knack_cross_entropy(logits, first_class))[0];
    on_tape_end(&on);
    return loss;
}

/* Farther from the class is never better. */
static inline void assert_falls_with_the_angle(phi_function *phi, double tolerance)
{
    enum { ANGLES = 10000 };
    double last = INFINITY;
    for (int i = 0; i <= ANGLES; i++) {
        double value = phi_of(phi, cos(half_turn * i / ANGLES), NULL);
        if (!(value <= last + tolerance)) fail_msg("phi rises from %.9g to %.9g at %g pi", last, value, (double)i / ANGLES);
        last = value;
    }
}

/* The loss at class 0 of features e [1, 2], with directions w [2, 2] of two classes; its gradients have the same shapes. */
static inline double head_loss(head_function *head, knack_real *e, knack_real *w, knack_real *e_gradient, knack_real *w_gradient)
{
    struct on_tape on;
    knack_step *step = on_tape_begin(&on);
    knack_tensor *logits = head(step, on_tape_leaf(&on, 1, 2, e, e_gradient), on_tape_leaf(&on, 2, 2, w, w_gradient), first_class);
    double loss = (double)on_tape_backward(knack_cross_entropy(logits, first_class))[0];
    on_tape_end(&on);
    return loss;
}

static knack_tensor *loss_of_a_head(knack_step *step, knack_tensor *const *input, void *head)
{
    static const int32_t target[] = {2, 0, -1, 1};
    return knack_cross_entropy((*(head_function **)head)(step, input[0], input[1], target), target);
}

/* Central differences of four losses by features [4, 5] and directions [3 * centres, 5]; one item has no target. */
static inline void assert_gradient_of(head_function *head, int64_t centres)
{
    enum { ITEMS = 4, WIDTH = 5, MOST = 6 };
    knack_real e[ITEMS * WIDTH], w[MOST * WIDTH];
    for (int i = 0; i < ITEMS * WIDTH; i++) e[i] = (knack_real)(1.3 * sin(1 + 2.7 * i));
    for (int i = 0; i < MOST * WIDTH; i++) w[i] = (knack_real)(0.8 * cos(2 + 1.9 * i * i));
    double worst;
    knack_status status =
        knack_check_gradient(loss_of_a_head, &head, 2, (const int[]){2, 2},
                             (const int64_t *const[]){(const int64_t[]){ITEMS, WIDTH}, (const int64_t[]){3 * centres, WIDTH}},
                             (knack_real *const[]){e, w}, IS_DOUBLE ? 1e-6 : 1e-2, &worst);
    assert_int_equal(status, KNACK_OK);
    if (!(worst <= (IS_DOUBLE ? 1e-6 : 0.05))) fail_msg("gradients are off by %g", worst);
}

/* Directions that features lie on, or opposite to, as exactly as rounding lets them: nothing is out of range there, or not finite. */
static inline void assert_finite_on_the_class(head_function *head)
{
    for (int i = 0; i < 500; i++) {
        knack_real angle = (knack_real)(0.013 * i), e[] = {3 * (knack_real)cos(angle), 3 * (knack_real)sin(angle)};
        knack_real w[] = {e[0] / 7, e[1] / 7, -e[0], -e[1]}, e_gradient[2], w_gradient[4];
        for (int k = 0; k < 2; k++) {
            double loss = head_loss(head, e, w, e_gradient, w_gradient);
            assert_true(isfinite(loss) && isfinite(e_gradient[0]) && isfinite(e_gradient[1]));
            for (int j = 0; j < 4; j++) assert_true(isfinite(w_gradient[j]));
            w[0] = -w[0], w[1] = -w[1];
        }
    }
}

/* Features or a direction of 0 have no angle: the loss is that of equal logits for it, and no gradient goes there. */
static inline void assert_zeros_get_no_gradient(head_function *head)
{
    knack_real zero[] = {0, 0}, w[] = {1, 0, 0, 1}, e_gradient[2], w_gradient[4];
    assert_true(isfinite(head_loss(head, zero, w, e_gradient, w_gradient)));
    assert_true(e_gradient[0] == 0 && e_gradient[1] == 0);
    for (int j = 0; j < 4; j++) assert_true(w_gradient[j] == 0);
    knack_real e[] = {(knack_real)0.6, (knack_real)0.8}, pair[] = {0, 0, 0, 1};
    assert_true(isfinite(head_loss(head, e, pair, e_gradient, w_gradient)));
    assert_true(w_gradient[0] == 0 && w_gradient[1] == 0 && w_gradient[2] != 0);
    assert_true(isfinite(e_gradient[0]) && isfinite(e_gradient[1]) && (e_gradient[0] != 0 || e_gradient[1] != 0));
}

/* An item without a target has plain logits. */
static inline void assert_no_margin_without_a_target(head_function *head, head_function *plain)
{
    static const int32_t none[] = {-1};
    struct on_tape on;
    knack_real e[] = {1, 2}, w[] = {2, 1, -1, 1}, unused[4];
    knack_step *step = on_tape_begin(&on);
    knack_tensor *features = on_tape_leaf(&on, 1, 2, e, unused), *directions = on_tape_leaf(&on, 2, 2, w, unused);
    knack_real logits[2];
    memcpy(logits, on_tape_backward(head(step, features, directions, none)), sizeof logits);
    assert_memory_equal(logits, knack_data(plain(step, features, directions, none)), sizeof logits);
    on_tape_end(&on);
}

#endif
