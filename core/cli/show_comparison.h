/* Comparisons on the terminal: the table with an interval a line, a sentence a trick, what was held and what was drawn. */
#ifndef CLI_SHOW_COMPARISON_H
#define CLI_SHOW_COMPARISON_H

#include "cli/console.h"
#include "compare/analysis/analysis.h"

/* folder: where the report is, or NULL. With console->json the text of comparison.json. Plans of fixed size that are not finished show
 * counts and means only. */
knack_status show_comparison(const struct console *, const struct analysis *, const char *folder);
/* The value of --fail-if, and its words. */
extern const char *const fail_if_name[], fail_if_help[];
/* STATUS_VERDICT, naming the verdicts, if there are any of a kind that the text names; NULL names none. */
knack_status fail_if_check(const char *fail_if); /* before anything runs; NULL is fine */
knack_status fail_if_verdicts(const struct analysis *, const char *fail_if);
/* Two comparisons, trick by trick, and in what they differ; no test between them. */
knack_status show_two_comparisons(const struct console *, const struct analysis *, const struct analysis *);
/* What is in these folders; of one that cannot be read, why. */
knack_status show_comparison_list(const struct console *, char *const *folder, int64_t count);

#endif
