/* Writes the report of a comparison of made-up numbers, for tests/report.sh: make_report FOLDER one|factorial|screen ARMS SEEDS
 * [unfinished]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../compare/analysis/fixture.h"
#include "base/file.h"
#include "compare/report/report.h"

static int design_of(const char *name)
{
    for (int i = 0; design_name[i]; i++)
        if (strcmp(design_name[i], name) == 0) return i;
    return -1;
}

static void interrupt(struct analysis *analysis)
{
    strcpy(analysis->status, "interrupted");
    analysis->finished = false;
    for (int64_t a = 0; a < analysis->plan->arms; a++) analysis->arm[a].n -= analysis->arm[a].n / 3 + (a > 1);
}

int main(int count, char **argument)
{
    int design = count >= 5 ? design_of(argument[2]) : -1;
    if (design < 0) {
        fprintf(stderr, "make_report FOLDER one|factorial|screen ARMS SEEDS [unfinished]\n");
        return 2;
    }
    struct analysis *analysis = fixture_analysis(atoi(argument[3]), atoi(argument[4]), (enum design)design);
    if (analysis && count > 5) interrupt(analysis);
    bool done = analysis && file_make_folder(argument[1]) >= 0 && report_write(analysis, argument[1]) >= 0;
    if (!done) fprintf(stderr, "make_report: %s\n", knack_error());
    fixture_free(analysis);
    return done ? 0 : 1;
}
