/* Asks a model that knack trained for classes: of one row of numbers on the command line, or of each line of numbers on standard input.
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

/* The next row of numbers, from the words if there are any, else from standard input; how many it has. */
static int64_t read_row(char **word, float *row, int64_t width)
{
    int64_t count = 0;
    if (*word)
        for (; word[count]; count++) row[count < width ? count : width] = strtof(word[count], NULL); /* [width] takes what is too much */
    else
        while (count < width && scanf(count ? " ,%f" : " %f", &row[count]) == 1) count++;
    return count;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: predict FOLDER [NUMBER]...\n");
        return 2;
    }
    knack_predictor *predictor = knack_predictor_open(argv[1], NULL, NULL, NULL);
    knack_status status = predictor ? KNACK_OK : KNACK_E_DATA;
    int64_t width = predictor ? knack_predictor_inputs(predictor) : 0, outputs = predictor ? knack_predictor_outputs(predictor) : 0;
    float *row = calloc((size_t)width + 1, sizeof *row), *output = calloc((size_t)outputs + 1, sizeof *output);
    int64_t count = 0;
    while (status >= 0 && row && output && (count = read_row(argv + 2, row, width)) == width) {
        status = knack_predict(predictor, row, 1, output);
        if (status >= 0) print_answer(predictor, output);
        if (argc > 2) break;
    }
    bool is_wrong = status >= 0 && count != width && (count > 0 || argc > 2 || !feof(stdin));
    if (is_wrong) fprintf(stderr, "predict: a row has %lld numbers, this model takes %lld\n", (long long)count, (long long)width);
    if (status < 0) fprintf(stderr, "predict: %s\n", knack_error());
    free(row);
    free(output);
    knack_predictor_close(predictor);
    return status < 0 || is_wrong;
}
