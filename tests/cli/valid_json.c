/* Apart from program.c, so that programs which use only what libknack exports do without the base floor. */
#include "program.h"

#include <string.h>

#include "base/json.h"

void assert_is_json(const char *text)
{
    struct json_document *document;
    if (json_parse(text, strlen(text), "output", &document) < 0) fail_msg("%s:\n%s", knack_error(), text);
    json_free(document);
}
