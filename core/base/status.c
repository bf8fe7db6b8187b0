#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE = 2048 };
static _Thread_local char message[MESSAGE_SIZE];

knack_status status_set_list(knack_status code, const char *format, va_list arguments)
{
    char text[MESSAGE_SIZE]; /* arguments may point into the old message */
    vsnprintf(text, sizeof text, format, arguments);
    memcpy(message, text, strlen(text) + 1);
    return code;
}

knack_status status_set(knack_status code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    status_set_list(code, format, arguments);
    va_end(arguments);
    return code;
}

knack_status status_prefix(knack_status code, const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return status_set(code, "%s: %s", text, message);
}

void status_clear(void)
{
    message[0] = '\0';
}

const char *knack_error(void)
{
    return message;
}

int status_exit(knack_status code)
{
    if (code >= 0) return 0;
    if (code == STATUS_VERDICT) return 7;
    switch (code) {
    case KNACK_E_USAGE:
    case KNACK_E_CONFIG:
        return 2;
    case KNACK_E_DATA:
        return 3;
    case KNACK_E_PLUGIN:
    case KNACK_E_CALL:
    case KNACK_E_SHAPE:
        return 4;
    case KNACK_E_NUMERIC:
        return 5;
    case KNACK_E_IO:
    case KNACK_E_MEMORY:
        return 6;
    case KNACK_E_INTERRUPTED:
        return 130;
    default:
        return 1;
    }
}
