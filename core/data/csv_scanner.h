/* The fields of a csv file, one after the other. */
#ifndef DATA_CSV_SCANNER_H
#define DATA_CSV_SCANNER_H

#include "data/blob.h"

struct csv_scanner {
    const struct blob *blob;
    int64_t taken;        /* bytes of the blob that went through piece */
    int64_t used, filled; /* of piece */
    int64_t line;         /* of the next byte, from 1 */
    knack_status status;  /* of reading */
    /* the current field */
    char *text; /* [length], terminated; without quotes */
    int64_t length, room;
    int64_t field_line; /* where it begins */
    bool quoted;
    bool last; /* of its record */
    uint8_t piece[1 << 14];
};

knack_status csv_scanner_open(struct csv_scanner *, const struct blob *);
void csv_scanner_close(struct csv_scanner *);
/* The first field of the next record, lines without any character being passed over; KNACK_IDLE: there is none. */
knack_status csv_scanner_record(struct csv_scanner *);
/* The next field of the record; not after its last. */
knack_status csv_scanner_field(struct csv_scanner *);
/* Sets "FILE:LINE: text", with the line of the current field, and returns KNACK_E_DATA. */
knack_status csv_scanner_fail(const struct csv_scanner *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
