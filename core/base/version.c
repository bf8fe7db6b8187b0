/* The version, of which every floor may tell. */
#include <knack/knack.h>

const char *knack_version(void)
{
    return KNACK_VERSION;
}
