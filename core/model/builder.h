/* What this floor's own models use while they are declared, besides the public functions. */
#ifndef MODEL_BUILDER_H
#define MODEL_BUILDER_H

#include "model/model.h"

/* Keeps the first error; returns status. */
knack_status model_keep(knack_model *, knack_status status);
/* Keeps and returns KNACK_E_CONFIG, said at a node of the config; at NULL: the "model" object, or the name of a program's own model. */
knack_status model_fail(knack_model *, const struct json *at, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool model_has_layer(const knack_model *, const char *name);
const char *model_add_layer(knack_model *, const char *name); /* unchecked; the model's copy of the name, NULL on error */
/* knack_model_layer(), giving the model's copy of the name; NULL on error. */
const char *model_watch(knack_model *, const char *name);

#endif
