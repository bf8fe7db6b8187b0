/* Files: every read and write is checked and names its file. Output is made of write(), fsync() and rename() calls only. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/status.h"

/* The whole file, NUL-terminated for convenience; memory_free(). code is for what fails: KNACK_E_IO, KNACK_E_DATA, KNACK_E_CONFIG. */
knack_status file_read(const char *path, knack_status code, char **data, size_t *size);
bool file_exists(const char *path);
bool file_is_folder(const char *path);
knack_status file_make_folder(const char *path); /* and those above it */
knack_status file_remove(const char *path);      /* a file; absent is fine */
/* Names in a folder, sorted by bytes, without . and ..; *names is one memory_free() block. */
knack_status file_list(const char *folder, char ***names, int64_t *count);
bool file_folder_is_empty(const char *folder);         /* or absent */
char *file_join(const char *folder, const char *name); /* memory_free(); name alone if it is absolute */
char *file_folder(const char *path);                   /* "a/b.json" -> "a", "b.json" -> "."; memory_free() */
char *file_stem(const char *path);                     /* "a/b.json" -> "b"; memory_free() */

/* A new file: written beside the target under a temporary name, flushed to disk and renamed at commit; until then the old one stays. */
struct file_output;
knack_status file_create(const char *path, struct file_output **);
knack_status file_put(struct file_output *, const void *data, size_t size); /* buffered */
knack_status file_commit(struct file_output *);                             /* frees it, also on failure */
void file_abandon(struct file_output *);                                    /* removes the temporary file; NULL is fine */
knack_status file_write(const char *path, const void *data, size_t size);   /* all of that at once */

/* A log to which lines are appended, each by one write(). */
struct file_log;
knack_status file_log_open(const char *path, int64_t keep, struct file_log **); /* keep: truncate to so many bytes first; -1: all */
knack_status file_log_line(struct file_log *, const char *line, size_t size);   /* adds the newline */
knack_status file_log_sync(struct file_log *);
int64_t file_log_size(const struct file_log *);
void file_log_close(struct file_log *);

#endif
