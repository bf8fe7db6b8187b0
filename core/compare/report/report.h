/* The files of a report: comparison.json, report.html, values.csv and charts/NAME.svg in a comparison's folder. */
#ifndef COMPARE_REPORT_REPORT_H
#define COMPARE_REPORT_REPORT_H

#include "compare/analysis/analysis.h"

/* Writes all of them. The page needs no other file, no network and no script. */
knack_status report_write(const struct analysis *, const char *folder);

/* report.html and comparison.json as text; memory_free(); NULL on error. */
char *report_html(const struct analysis *);
char *report_json(const struct analysis *);
void report_schema(struct json_writer *); /* members of the JSON Schema of comparison.json, within an open object */
/* The result table for other pages, as Markdown, or for other programs, as CSV with all digits. */
char *report_table(const struct analysis *, bool markdown);
char *report_csv(const struct analysis *); /* arm, seed, status, value, ... a row each trial */

#endif
