/* Comparisons on the terminal: the table with an interval a line, a sentence a trick, what was held and what was drawn. */
#ifndef CLI_SHOW_COMPARISON_H
#define CLI_SHOW_COMPARISON_H

#include "cli/console.h"
#include "compare/analysis/analysis.h"

/* folder: where the report is, or NULL. With console->json the text of comparison.json. Plans of fixed size that are not finished show
 * counts and means only. */
knack_status show_comparison(const struct console *, const struct analysis *, const char *folder);
/* Two comparisons, trick by trick, and in what they differ; no test between them. */
knack_status show_two_comparisons(const struct console *, const struct analysis *, const struct analysis *);
/* What is in these folders; of one that cannot be read, why. */
knack_status show_comparison_list(const struct console *, char *const *folder, int64_t count);

#endif
