/* That one process, and in it one store, writes: a lock on a file, which ends with the process, however it ends. */
#ifndef COMPARE_STORE_LOCK_H
#define COMPARE_STORE_LOCK_H

#include "base/status.h"

struct lock;

/* folder: in which the lock's file lies while it is held. KNACK_E_USAGE, which names the process, if it is taken. Children of fork() do not
 * have it. */
knack_status lock_take(const char *folder, struct lock **);
/* Whether a process that lives works on the folder. */
bool lock_is_held(const char *folder);
void lock_give(struct lock *); /* removes its file; NULL is fine */

#endif
