#include "data/csv_scanner.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"

enum { LONGEST_FIELD = 1 << 20, END = -1 };

knack_status csv_scanner_fail(const struct csv_scanner *scanner, const char *format, ...)
{
    char text[768];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return blob_fail_at(scanner->blob, scanner->field_line, "%s", text);
}

/* The next byte, or END; also END if reading fails, which the status tells. */
static int peek(struct csv_scanner *scanner)
{
    if (scanner->used == scanner->filled) {
        int64_t left = scanner->blob->size - scanner->taken;
        int64_t n = left < (int64_t)sizeof scanner->piece ? left : (int64_t)sizeof scanner->piece;
        if (n == 0 || scanner->status < 0) return END;
        scanner->status = blob_read(scanner->blob, scanner->taken, n, scanner->piece);
        if (scanner->status < 0) return END;
        scanner->taken += n;
        scanner->used = 0;
        scanner->filled = n;
    }
    return scanner->piece[scanner->used];
}

static int take(struct csv_scanner *scanner)
{
    int byte = peek(scanner);
    if (byte == END) return END;
    scanner->used++;
    if (byte == '\n') scanner->line++;
    return byte;
}

static knack_status append(struct csv_scanner *scanner, int byte)
{
    if (byte == 0) return csv_scanner_fail(scanner, "holds a zero byte: this is no text in UTF-8");
    if (scanner->length == LONGEST_FIELD) return csv_scanner_fail(scanner, "a field is longer than a million bytes; is a quote missing?");
    if (scanner->length + 1 >= scanner->room) {
        int64_t room = 2 * scanner->room;
        char *text = memory_resize(scanner->text, (size_t)room, 1);
        if (!text) return KNACK_E_MEMORY;
        scanner->text = text;
        scanner->room = room;
    }
    scanner->text[scanner->length++] = (char)byte;
    return KNACK_OK;
}

knack_status csv_scanner_open(struct csv_scanner *scanner, const struct blob *blob)
{
    scanner->blob = blob;
    scanner->taken = scanner->used = scanner->filled = scanner->length = 0;
    scanner->line = scanner->field_line = 1;
    scanner->status = KNACK_OK;
    scanner->room = 256;
    scanner->text = memory_new((size_t)scanner->room, 1);
    if (!scanner->text) return KNACK_E_MEMORY;
    if (peek(scanner) == 0xef && scanner->filled >= 3 && scanner->piece[1] == 0xbb && scanner->piece[2] == 0xbf)
        scanner->used = 3; /* a byte order mark */
    return scanner->status;
}

void csv_scanner_close(struct csv_scanner *scanner)
{
    memory_free(scanner->text);
    scanner->text = NULL;
}

/* After the opening quote, up to what follows the closing one. */
static knack_status quoted_field(struct csv_scanner *scanner)
{
    for (;;) {
        int byte = take(scanner);
        if (byte == END) return scanner->status < 0 ? scanner->status : csv_scanner_fail(scanner, "a quoted field is not closed");
        if (byte == '"') {
            if (peek(scanner) != '"') break;
            take(scanner);
        }
        TRY(append(scanner, byte));
    }
    int byte = take(scanner);
    if (byte == '\r' && (peek(scanner) == '\n' || peek(scanner) == END)) byte = take(scanner);
    if (byte != ',' && byte != '\n' && byte != END)
        return csv_scanner_fail(scanner, "a quoted field ends, but no comma or new line follows; write \"\" for a quote within a field");
    scanner->last = byte != ',';
    return KNACK_OK;
}

static knack_status plain_field(struct csv_scanner *scanner)
{
    int byte;
    while ((byte = take(scanner)) != ',' && byte != '\n' && byte != END) TRY(append(scanner, byte));
    scanner->last = byte != ',';
    if (scanner->last && scanner->length > 0 && scanner->text[scanner->length - 1] == '\r') scanner->length--;
    return KNACK_OK;
}

knack_status csv_scanner_field(struct csv_scanner *scanner)
{
    scanner->length = 0;
    scanner->field_line = scanner->line;
    scanner->quoted = peek(scanner) == '"';
    if (scanner->quoted) take(scanner);
    TRY(scanner->quoted ? quoted_field(scanner) : plain_field(scanner));
    scanner->text[scanner->length] = '\0';
    return scanner->status;
}

knack_status csv_scanner_record(struct csv_scanner *scanner)
{
    do {
        if (peek(scanner) == END) return scanner->status < 0 ? scanner->status : KNACK_IDLE;
        TRY(csv_scanner_field(scanner));
    } while (scanner->last && scanner->length == 0 && !scanner->quoted);
    return KNACK_OK;
}
