/* A plugin without a fault, from which others with one fault each are built by -D: tests/plugin/meson.build lists them. */
#include <knack/plugin.h>

#ifndef ENTRY
#define ENTRY knack_plugin_entry
#endif
#ifndef ABI
#define ABI KNACK_ABI
#endif
#ifndef SIZE
#define SIZE sizeof(knack_plugin)
#endif
#ifndef NAME
#define NAME "faulty"
#endif
#ifndef VERSION
#define VERSION "1.2.3"
#endif
#ifndef ANSWER
#define ANSWER &plugin.known
#endif
#ifndef CALL
#define CALL knack_error
#endif

const char *CALL(void);

static knack_status pre_step(knack_trick *trick, knack_step *step)
{
    (void)trick;
    (void)step;
    return CALL()[0] == '\0' ? KNACK_OK : KNACK_E_PLUGIN;
}

static knack_tensor *predict(knack_trick *trick, knack_step *step, knack_tensor *x)
{
    (void)trick;
    (void)step;
    return x;
}

/* With a slot behind the known ones, as a later version of the contract would have. */
static const struct {
    knack_plugin known;
    void (*later)(void);
} plugin = {.known = {.size = SIZE, .abi = ABI, .name = NAME, .version = VERSION, .pre_step = pre_step, .predict = predict}};

KNACK_EXPORT const knack_plugin *ENTRY(uint32_t host_abi);
KNACK_EXPORT const knack_plugin *ENTRY(uint32_t host_abi)
{
    (void)host_abi;
    return ANSWER;
}
