/* The verdict on one contrast: what may be said, in words that do not say more. Parts of it for tests; verdicts_fill() gives all. */
#ifndef COMPARE_ANALYSIS_VERDICT_H
#define COMPARE_ANALYSIS_VERDICT_H

#include "compare/analysis/analysis.h"

/* From the interval, the adjusted p and the margin (0: none) alone. NONE: there is no interval; IDENTICAL: no difference in any block. */
enum verdict_kind verdict_judge(const struct estimate *, double margin);
/* Word, sentence and qualifiers of one contrast, from its estimates. */
knack_status verdict_write(struct analysis *, struct contrast_result *);

#endif
