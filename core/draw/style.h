/* The style sheet of all drawings. */
#ifndef DRAW_STYLE_H
#define DRAW_STYLE_H

const char *drawing_style(void);     /* CSS, light and dark, of a page that drawings stand in */
char *drawing_file(const char *svg); /* the same drawing as a file of its own, with style and xmlns; memory_free(); NULL on error */

#endif
