/* What the files of the store share. */
#ifndef COMPARE_STORE_PARTS_H
#define COMPARE_STORE_PARTS_H

#include "compare/store/lock.h"
#include "compare/store/sql.h"
#include "compare/store/store.h"

struct store {
    struct sql sql;
    char *folder;
    struct lock *lock; /* NULL: opened for reading */
    bool goes_on;      /* a process was working on it when it was opened for reading */
    char identity[40];
};

extern const char store_tables[]; /* the statements that make them, tables.c */

/* KNACK_E_CALL if the store was opened for reading; else begins a transaction, which sql_end() ends. */
knack_status store_begin(struct store *);
/* The row of the arm at that position of the plan, and its name unless NULL; KNACK_E_CALL: none. */
knack_status store_find_arm(struct store *, int64_t position, int64_t *id, char name[256]);
/* What this comparison is made with and on: "x86_64, Linux 6.1.0, AMD EPYC 7763". */
void store_machine(char text[256]);
void store_now(char text[32]); /* "2026-11-24T09:33:42Z" */

/* Paths one after another, each with its end, in `text`: memory_free(), unless it is taken. */
struct paths {
    char *text;
    size_t size;
    int64_t count;
};
knack_status paths_add(struct paths *, const char *path); /* unless it is there */
/* A list in one block, the pointers, then the texts: memory_free(). Frees the paths, also on failure. */
knack_status paths_take(struct paths *, char ***path, int64_t *count);

#endif
