#!/usr/bin/env python3
"""Makes images.idx.gz and labels.idx.gz beside this script from the digits.csv.gz that scikit-learn carries.

    make.py digits.csv.gz

Each of its 1,797 lines holds 64 pixels (0 to 16, row by row) and the label. The order of the lines is kept.
"""
import gzip
import pathlib
import struct
import sys


def write(name, shape, values):
    header = bytes([0, 0, 0x08, len(shape)]) + struct.pack(">%dI" % len(shape), *shape)
    path = pathlib.Path(__file__).parent / name
    path.write_bytes(gzip.compress(header + bytes(values), compresslevel=9, mtime=0))


with gzip.open(sys.argv[1], "rt", encoding="ascii") as lines:
    rows = [[int(float(field)) for field in line.split(",")] for line in lines]
assert len(rows) == 1797 and all(len(row) == 65 for row in rows)
write("images.idx.gz", (len(rows), 8, 8), [pixel for row in rows for pixel in row[:64]])
write("labels.idx.gz", (len(rows),), [row[64] for row in rows])
