/* Asks a model that knack trained for the class of one row: numbers on the command line, or rows of standard input, one a line.
 *
 *   cc predict.c $(pkg-config --cflags --libs knack) -o predict
 *   ./predict runs/digits < rows.csv
 */
#include <knack/knack.h>
#include <stdio.h>
#include <stdlib.h>

static void print_answer(const knack_predictor *predictor, const float *output)
{
    int64_t best = 0;
    for (int64_t i = 1; i < knack_predictor_outputs(predictor); i++)
        if (output[i] > output[best]) best = i;
    const char *name = knack_predictor_class(predictor, best);
    if (name)
        printf("%s %.3f\n", name, output[best]);
    else
        printf("%lld %.3f\n", (long long)best, output[best]);
}

/* The next row of comma-separated numbers. */
static int read_row(float *row, int64_t width)
{
    for (int64_t i = 0; i < width; i++)
        if (scanf(i ? " ,%f" : " %f", &row[i]) != 1) return 0;
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 2) return fprintf(stderr, "usage: predict FOLDER [NUMBER]...\n"), 2;
    knack_predictor *predictor = knack_predictor_open(argv[1], NULL, NULL, NULL);
    if (!predictor) return fprintf(stderr, "predict: %s\n", knack_error()), 1;
    int64_t width = knack_predictor_inputs(predictor);
    float *row = calloc((size_t)width, sizeof *row), *output = calloc((size_t)knack_predictor_outputs(predictor), sizeof *output);
    int status = row && output ? 0 : 1;
    if (argc > 2 && argc - 2 != width) status = (fprintf(stderr, "predict: a row has %lld numbers\n", (long long)width), 2);
    for (int i = 2; i < argc && status == 0; i++) row[i - 2] = strtof(argv[i], NULL);
    while (status == 0 && (argc > 2 || read_row(row, width))) {
        status = knack_predict(predictor, row, 1, output) < 0;
        if (status)
            fprintf(stderr, "predict: %s\n", knack_error());
        else
            print_answer(predictor, output);
        if (argc > 2) break;
    }
    free(row);
    free(output);
    knack_predictor_close(predictor);
    return status;
}
