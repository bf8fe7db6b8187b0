/* What the plugin "recorder" shows to tests: knack_self() of every instance points to the one text that all of them write. */
#ifndef TESTS_PLUGINS_RECORDER_H
#define TESTS_PLUGINS_RECORDER_H

enum { RECORDER_SIZE = 16384 };
struct recorder_log {
    char text[RECORDER_SIZE]; /* "a pre_step, a gradient (, b gradient (, ), ), ...": a stage's inside stands in brackets */
    int length;
};

#endif
