/* Within report/: a page's text as it grows. Text that is put in is escaped, markup is not. Errors are kept until html_take(). */
#ifndef COMPARE_REPORT_HTML_H
#define COMPARE_REPORT_HTML_H

#include "base/status.h"

struct html;

struct html *html_new(void); /* NULL: no memory */
void html_free(struct html *);
char *html_take(struct html *); /* the text, memory_free(), and frees the rest; NULL if anything failed */

void html_markup(struct html *, const char *markup); /* NULL: the page fails with the error that is set */
/* Markup in which %s is text, escaped for content and for quoted attributes, and %d, %lld and their like are integers; no widths. */
void html_put(struct html *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void html_text(struct html *, const char *text);    /* escaped; bytes that no page may have become U+FFFD */
void html_percent(struct html *, const char *text); /* percent-encoded, for a data: URI within quotes */

#endif
