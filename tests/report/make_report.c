/* Writes the report of a comparison of made-up numbers, for tests/report.sh: make_report FOLDER one|ablation|factorial|screen ARMS SEEDS
 * [unfinished|long]. long: with names, qualifiers and messages as long as they get. */
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
    analysis->remarks = 0; /* they are those of the end */
    for (int64_t a = 0; a < analysis->plan->arms; a++) analysis->arm[a].n -= analysis->arm[a].n / 3 + (a > 1);
}

/* What belongs to the fixture is not freed piece by piece, so its texts may be replaced. */
static void lengthen(struct analysis *analysis)
{
    static char name[21][96], message[] =
                                  "train.optimizer.lr: a-path/without/any/blank/that/goes/on/and/on/and/on/until/the/end/of/the/line/and/"
                                  "beyond/it/settings.json: 1e-4 was expected to be above 0, and the loss was not finite";
    static const char rest[] =
        "+0.16 points accuracy (95% CI -0.37 to +0.49; 12 of 20 seeds; p 0.21) [this test set only] [costs 2.08x; at "
        "equal cost: +0.16 points (95% CI -0.37 to +0.49)] [fails 3/20, baseline 0/20 (exact p 0.25)] [seeds of both "
        "arms are no more alike than others (rho = 0.04): pairing gains nothing here]";
    static char sentence[21][640];
    for (int64_t a = 1; a < analysis->plan->arms && a < 21; a++) {
        snprintf(name[a], sizeof name[a], "%s-without-any-blank-in-a-name-that-goes-on <&> %s", analysis->plan->arm[a].name,
                 "\xc3\xa9t\xc3\xa9 \xf0\x9f\x98\x80");
        analysis->plan->arm[a].name = name[a];
        if (a <= analysis->plan->contrasts) analysis->contrast[a - 1].title = name[a];
    }
    for (int64_t i = 0; i < analysis->trials; i++)
        if (*analysis->trial[i].message) strcpy(analysis->trial[i].message, message);
    for (int64_t c = 0; c < analysis->plan->contrasts && c < 21; c++) {
        struct verdict *verdict = &analysis->contrast[c].verdict;
        snprintf(sentence[c], sizeof sentence[c], "%s: %s", verdict->word, rest);
        verdict->sentence = sentence[c];
    }
}

int main(int count, char **argument)
{
    int design = count >= 5 ? design_of(argument[2]) : -1;
    if (design < 0) {
        fprintf(stderr, "make_report FOLDER one|ablation|factorial|screen ARMS SEEDS [unfinished|long]\n");
        return 2;
    }
    struct analysis *analysis = fixture_analysis(atoi(argument[3]), atoi(argument[4]), (enum design)design);
    const char *variant = count > 5 ? argument[5] : "";
    if (analysis && strcmp(variant, "unfinished") == 0) interrupt(analysis);
    if (analysis && strcmp(variant, "long") == 0) lengthen(analysis);
    bool done = analysis && file_make_folder(argument[1]) >= 0 && report_write(analysis, argument[1]) >= 0;
    if (!done) fprintf(stderr, "make_report: %s\n", knack_error());
    fixture_free(analysis);
    return done ? 0 : 1;
}
