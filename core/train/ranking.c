#include "train/ranking.h"

#include <math.h>
#include <stdlib.h>

static int higher_first(const void *a, const void *b)
{
    double left = ((const struct scored *)a)->score, right = ((const struct scored *)b)->score;
    return (left < right) - (left > right);
}

/* One step of the threshold takes in all rows of equal score. won counts pairs of a positive above a negative, twice, so that a tie is 1.
 */
void ranking_measure(struct scored *rows, int64_t count, double *auroc, double *average_precision)
{
    qsort(rows, (size_t)count, sizeof *rows, higher_first);
    int64_t positives = 0, negatives = 0;
    double won = 0, precision = 0;
    for (int64_t first = 0, next; first < count; first = next) {
        int64_t tied[2] = {0, 0}; /* negatives, positives */
        for (next = first; next < count && rows[next].score == rows[first].score; next++) tied[rows[next].positive]++;
        won += (double)tied[0] * (double)(2 * positives + tied[1]);
        positives += tied[1];
        negatives += tied[0];
        precision += (double)tied[1] * (double)positives / (double)next;
    }
    *auroc = positives > 0 && negatives > 0 ? won / 2 / (double)positives / (double)negatives : NAN;
    *average_precision = positives > 0 ? precision / (double)positives : NAN;
}
