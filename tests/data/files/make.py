#!/usr/bin/env python3
"""Makes the files beside this script, by NumPy: what its own writer gives, for test_npy.c and test_npz.c.

Every array of values holds -2, 0.5 and 3 as far as its type can: unsigned ones 2, 0 and 3, integers -2, 0 and 3.
"""
import pathlib

import numpy

here = pathlib.Path(__file__).parent
values = [-2, 0.5, 3]

for code in ["u1", "i1", "b1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f4", "<f8", ">i2", ">i4", ">i8", ">f4", ">f8"]:
    kind = numpy.dtype(code)
    whole = [2, 0, 3] if kind.kind in "ub" else [int(v) for v in values] if kind.kind == "i" else values
    numpy.save(here / ("%s%s.npy" % ("big-" if code[0] == ">" else "", kind.str[1:])), numpy.array(whole, dtype=kind))

image = numpy.arange(2 * 3 * 4, dtype="u1").reshape(2, 3, 4)
for version in [(1, 0), (2, 0), (3, 0)]:
    with open(here / ("version-%d.npy" % version[0]), "wb") as file:
        numpy.lib.format.write_array(file, image, version=version)
numpy.save(here / "fortran.npy", numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)))
numpy.save(here / "half.npy", numpy.zeros(3, dtype="<f2"))
numpy.save(here / "structured.npy", numpy.zeros(3, dtype=[("a", "<f4"), ("b", "<i4")]))

arrays = {"x": image, "y": numpy.array([1, 0], dtype="<i8"), "x_test": image[:1] + 1, "y_test": numpy.array([1], dtype="<i8")}
numpy.savez(here / "stored.npz", **arrays)
numpy.savez_compressed(here / "deflated.npz", **arrays)
