/* Phrases that sentences and pages share: amounts, intervals, costs. Each function returns its buffer. */
#ifndef COMPARE_ANALYSIS_PHRASES_H
#define COMPARE_ANALYSIS_PHRASES_H

#include "compare/analysis/analysis.h"

bool phrase_in_points(const struct analysis *);                      /* the metric is a share */
const char *phrase_metric(const struct analysis *, char buffer[64]); /* "accuracy", "validation accuracy" */
const char *phrase_margin(const struct analysis *, char buffer[64]); /* "0.2 points", "0.01" */
int phrase_decimals(const struct analysis *, struct interval, double steps);
const char *phrase_amount(const struct analysis *, double difference, int decimals,
                          char buffer[192]); /* "+0.50 points accuracy", "loss -0.031" */
const char *phrase_interval(const struct analysis *, struct interval, int decimals, char buffer[128]); /* "+0.30 to +0.70" */
const char *phrase_interval_name(const struct plan *, const struct estimate *);                        /* "95% CI", "95% repeated CI" */
/* "costs 2.00x": passes of a whole training; "costs 2.00x, in CPU time 2.31x" where that says something else; "..., at least
 * 1.60x": the cost that counts, where passes mislead. "": about the baseline's. */
const char *phrase_cost(const struct contrast_result *, char buffer[128]);
/* "the budget of 6 epochs: twice as many gain +11.5 points", or "" if the baseline's budget is enough or nothing is known. */
const char *phrase_budget(const struct analysis *, char buffer[192]);
int64_t phrase_trials(const struct plan *, const struct contrast_result *,
                      bool on); /* trials of the arms that are on, or off, in its blocks */

#endif
