/* The models of the program: how the "model" object of a config becomes a struct knack_model_type and its user pointer. */
#ifndef MODEL_BUILTIN_H
#define MODEL_BUILTIN_H

#include <stddef.h>

#include "base/json.h"
#include "model/parts.h"

struct builtin_model {
    struct knack_model_type type; /* type.name is what "type" says; its user pointer is what read() gives, and close() frees it */
    const char *summary;
    const struct json_field *fields; /* of the whole object */
    knack_status (*read)(const struct json *config, void **user);
    void (*schema)(struct json_writer *); /* what fields cannot say, as further members of the schema; NULL: nothing */
};
extern const struct builtin_model builtin_mlp, builtin_cnn, builtin_resnet, builtin_encoder, builtin_layers;

/* Every "model" object has these; each model's struct of options begins with them. */
struct builtin_options {
    const char *type, *init;
    int initialisation; /* index in builtin_initialisations */
};
extern const char *const builtin_initialisations[]; /* "he", "xavier" */

/* type_default: JSON text, or NULL where the type has to be said. */
#define BUILTIN_FIELDS(type_names, type_default)                                                                                           \
    {"type", JSON_TEXT, offsetof(struct builtin_options, type), type_default, NULL, type_names, "the model"},                              \
        {"init", JSON_TEXT, offsetof(struct builtin_options, init), "", NULL, NULL, "safetensors file with initial weights"},              \
    {                                                                                                                                      \
        "initialisation", JSON_CHOICE, offsetof(struct builtin_options, initialisation), "\"he\"", NULL, builtin_initialisations,          \
            "of weights: He (normal) or Xavier (uniform)"                                                                                  \
    }

/* A list of sizes, as whole numbers; name is its member of config, for errors. sizes->value: memory_free(). */
knack_status builtin_sizes(const struct json *config, const char *name, struct json_doubles list, struct part_sizes *sizes);

#endif
