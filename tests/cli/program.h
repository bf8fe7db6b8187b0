/* For tests of the whole program: a folder to work in, running knack as a shell would, and looking at what it wrote. */
#ifndef TESTS_CLI_PROGRAM_H
#define TESTS_CLI_PROGRAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/tree.h"

/* Makes an empty folder and goes there; to be given to cmocka as group set-up and tear-down, which removes it. */
int workplace_enter(void **state);
int workplace_leave(void **state);

struct outcome {
    int status; /* exit status; 128 + signal if a signal ended it */
    char *out;  /* standard output and error, NUL-terminated */
    char *err;
};

/* The program under test (KNACK_PROGRAM) with these words; environment: "NAME=VALUE" to be added, or NULL. */
struct outcome run_words(const char *const *environment, const char *const *word);
#define run_knack(...)                run_words(NULL, (const char *const[]){__VA_ARGS__, NULL})
#define run_knack_with(variable, ...) run_words((const char *const[]){variable, NULL}, (const char *const[]){__VA_ARGS__, NULL})
void outcome_free(struct outcome *);

/* The same in two halves: what was started goes on until it is waited for. */
struct started {
    pid_t process;
    int out, err; /* files that take the output */
};
struct started start_words(const char *const *environment, const char *const *word);
struct outcome wait_for(struct started *);

void write_text(const char *path, const char *text);
char *read_bytes(const char *path, size_t *size); /* NUL-terminated; free(); fails the test if it cannot be read */
char *read_text(const char *path);
bool path_exists(const char *path);

/* Asserts that show both texts when they fail. */
void assert_contains(const char *text, const char *part);
void assert_lacks(const char *text, const char *part);
void assert_status(const struct outcome *, int status); /* shows standard error when it fails */
void assert_is_json(const char *text);
void assert_same_files(const char *path, const char *other);

#endif
