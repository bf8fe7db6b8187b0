/* The contract: a trick's options, in open. */
#include <math.h>

#include "train/state.h"

static const struct option_value *option(knack_trick *trick, const char *name, enum option_type type, const char *function)
{
    if (!call_allowed(trick, AT(OPEN), function)) return NULL;
    const struct option_value *value = instance_option(trick->instance, name, type);
    if (!value) call_fail_current(trick->run, KNACK_E_PLUGIN);
    return value;
}

double knack_option_number(knack_trick *trick, const char *name)
{
    const struct option_value *value = option(trick, name, OPTION_NUMBER, "knack_option_number");
    return value && value->given ? value->number : NAN;
}

bool knack_option_flag(knack_trick *trick, const char *name)
{
    const struct option_value *value = option(trick, name, OPTION_BOOLEAN, "knack_option_flag");
    return value && value->flag;
}

const char *knack_option_string(knack_trick *trick, const char *name)
{
    const struct option_value *value = option(trick, name, OPTION_STRING, "knack_option_string");
    return value && value->given ? value->string : NULL;
}

int64_t knack_option_updates(knack_trick *trick, const char *name)
{
    const struct option_value *value = option(trick, name, OPTION_DURATION, "knack_option_updates");
    if (!value || !value->given) return -1;
    return json_duration_updates(value->duration, trick->run->steps_per_epoch, trick->run->settings.epochs);
}

const double *knack_option_numbers(knack_trick *trick, const char *name, int64_t *count)
{
    const struct option_value *value = option(trick, name, OPTION_NUMBERS, "knack_option_numbers");
    *count = value && value->given ? value->numbers.count : 0;
    return value ? value->numbers.value : NULL;
}

const char *const *knack_option_strings(knack_trick *trick, const char *name, int64_t *count)
{
    const struct option_value *value = option(trick, name, OPTION_STRINGS, "knack_option_strings");
    *count = value && value->given ? value->strings.count : 0;
    return value ? value->strings.value : NULL;
}
