/* Rows shared out to threads, in blocks that depend on shapes alone. */
#include "tensor/row_loop.h"

#include "tensor/vector.h"

static int64_t rows_per_part(const struct row_loop *loop)
{
    return VECTOR_PART / loop->width + 1;
}

static void run_part(void *user, int64_t part)
{
    const struct row_loop *loop = user;
    const int64_t first = part * rows_per_part(loop), end = first + rows_per_part(loop);
    for (int64_t row = first; row < end && row < loop->rows; row++) loop->body(loop, row);
}

static struct row_loop new_loop(knack_tensor *result, row_body *body)
{
    const knack_tensor *x = result->input[0];
    return (struct row_loop){.body = body,
                             .result = result,
                             .rows = tensor_rows(x),
                             .width = tensor_width(x),
                             .x = x->data,
                             .y = result->data,
                             .dy = result->gradient};
}

static void run(struct row_loop *loop)
{
    threads_run((loop->rows - 1) / rows_per_part(loop) + 1, run_part, loop);
}

void row_loop_forward(knack_tensor *result, row_body *body)
{
    struct row_loop loop = new_loop(result, body);
    run(&loop);
}

void row_loop_backward(knack_tensor *result, row_body *body)
{
    struct row_loop loop = new_loop(result, body);
    loop.dx = tape_gradient(result->input[0], &loop.fresh);
    if (loop.dx) run(&loop);
}
