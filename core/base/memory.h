/* Checked memory. Every allocation of knack goes through here, so that tests can make the nth one fail. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* count * size zeroed bytes, 64-byte aligned from 64 bytes on, or NULL with KNACK_E_MEMORY set; never NULL for 0 bytes. */
void *memory_new(size_t count, size_t size);
/* Grows or shrinks what memory_new gave (or NULL) to count * size bytes; new bytes are not zeroed; on failure NULL, and old stays. */
void *memory_resize(void *old, size_t count, size_t size);
void memory_free(void *);            /* NULL is fine */
char *memory_text(const char *text); /* a copy, or NULL */
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For tests: the nth allocation from now (1 is the next) and all after it fail; 0 ends that. Also counts: memory_allocations(). */
void memory_fail_at(int64_t nth);
int64_t memory_allocations(void);

/* From now on every refused allocation sets *flag, which another process may share; NULL ends that. */
void memory_tell_refusals(volatile bool *flag);

/* For what takes its memory elsewhere (the arena): counts one allocation; false if it is to fail. */
bool memory_permit(void);
void *memory_refuse(size_t count, size_t size); /* sets the message of a failed allocation; returns NULL */

#endif
