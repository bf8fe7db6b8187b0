/* The identity of compiled code: equal for one source built in two folders, other as soon as an instruction or a value in its data differs.
 */
#ifndef PLUGIN_CODE_HASH_H
#define PLUGIN_CODE_HASH_H

#include "base/status.h"

/* Of a shared object's or program's file: its code, its data, the size of its zeroed data, what is to be filled in when it is loaded, and
 * what it exports. No part of it are debug information, build id, RUNPATH's text, notes and addresses. Limits: a path that the source
 * itself holds (__FILE__, as in assert()) is data; whether there is a RUNPATH at all moves data against code, which is noticed; and
 * libraries that the object needs are not looked at. KNACK_E_PLUGIN: it cannot be read, or is no object of this machine, or is cut off. */
knack_status code_hash(const char *path, uint64_t *hash);
/* The same of the object that holds a function or constant of this process, as its file is now. */
knack_status code_hash_around(const void *address, uint64_t *hash);
/* Of knack itself: the library, or the program that it is linked into. Computed once in a process (and those forked from it then). */
knack_status code_hash_own(uint64_t *hash);

#endif
