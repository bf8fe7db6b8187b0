/* What each example of a part got in the final evaluation of the primary weights. */
#include <string.h>

#include "base/memory.h"
#include "train/state.h"

static knack_status make_room(struct run_examples *examples, int64_t rows, bool classes)
{
    size_t count = (size_t)(examples->count + rows);
    float *loss = memory_resize(examples->loss, count, sizeof *loss);
    if (!loss) return KNACK_E_MEMORY;
    examples->loss = loss;
    if (!classes) return KNACK_OK;
    uint8_t *correct = memory_resize(examples->correct, count, sizeof *correct);
    if (!correct) return KNACK_E_MEMORY;
    examples->correct = correct;
    return KNACK_OK;
}

knack_status examples_add(struct run *run, struct run_examples *examples, int64_t rows, const knack_real *prediction, const int32_t *label,
                          const knack_real *target)
{
    bool classes = run->data->kind == KNACK_CLASSIFICATION;
    int64_t outputs = run->data->outputs;
    TRY(make_room(examples, rows, classes));
    for (int64_t i = 0; i < rows; i++) {
        bool correct;
        double loss;
        if (classes && label[i] < 0) continue;
        metrics_example(run->metrics, prediction + i * outputs, classes ? label[i] : 0, classes ? NULL : target + i * outputs, &correct,
                        &loss);
        examples->loss[examples->count] = (float)loss;
        if (classes) examples->correct[examples->count] = correct;
        examples->count++;
    }
    return KNACK_OK;
}

struct run_examples run_examples(const struct run *run, enum data_part part)
{
    return run->report.examples[part];
}

void examples_clear(struct run_examples *examples)
{
    examples->count = 0;
}

void examples_free(struct run_examples *examples)
{
    memory_free(examples->correct);
    memory_free(examples->loss);
    *examples = (struct run_examples){0};
}
