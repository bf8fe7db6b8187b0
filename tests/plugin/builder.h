/* What the tests of the plugin floor share: a folder, manifests that are right but for what a test changes, and expectations. */
#ifndef TESTS_PLUGIN_BUILDER_H
#define TESTS_PLUGIN_BUILDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin/instance.h"

/* A key of a manifest and its value as JSON text; NULL leaves the key out. */
struct change {
    const char *key, *value;
};
/* The text of a right manifest of plugin "mine" with the changes, of which the last has no key; memory_free(). */
char *manifest_text(const struct change *);
/* Such a manifest, read. */
knack_status manifest_of(const struct change *, struct manifest **);

/* A new folder, and where in it a test has its files; a group's setup and teardown. */
extern char folder[];
int make_folder(void **state);
int remove_folder(void **state);
/* FOLDER/NAME/NAME.json, called NAME, with the changes. */
void write_plugin(const char *name, const struct change *);
void write_text(const char *name, const char *text); /* FOLDER/NAME, whatever it is */

/* Text parsed as config.json, for plugins_resolve(). */
struct json_document *config_of(const char *text);
/* Resolves the array; instances NULL unless it succeeds. The config is kept until the test's teardown. */
knack_status resolve_text(const char *plugins, struct instances **);
int free_configs(void **state);

/* The status, and the message of the error, in which FOLDER stands for the test's folder. */
void expect_error(knack_status got, knack_status expected, const char *message);

#endif
