/* Options: declared in a manifest, given in a config. */
#ifndef PLUGIN_OPTION_H
#define PLUGIN_OPTION_H

#include "plugin/instance.h"

extern const char *const option_type_names[]; /* "number", ..., NULL; in the order of enum option_type */

/* Reads one declaration, a member of a manifest's "options", and checks its default. */
knack_status option_declare(const struct json *declaration, struct option *);
/* Checks and converts a value; NULL: the default. JSON's null is no value, for an option that has no default. */
knack_status option_read(const struct option *, const struct json *given, struct option_value *);
/* The declared option of that name; else the error says the nearest right one and blames member. */
knack_status option_find(const struct manifest *, const struct json *member, int64_t *index);
/* That a manifest's object of option values is one of declared options with values that these may have. */
knack_status option_values_check(const struct manifest *, const struct json *values);
/* Whether every option that a checked object names has the value it says. */
knack_status instance_has(const struct instance *, const struct json *values, bool *has);
bool option_equal(enum option_type, const struct option_value *, const struct option_value *);
void option_write(const struct option *, const struct option_value *, struct json_writer *);

#endif
