#!/usr/bin/env python3
"""Peak resident memory of `knack run` on a 1 MB and on a 1 GB file of 8-bit images, uncompressed (idx and npy).

    python3 tests/bench/memory.py --build BUILD

The large files are sparse, so that they take no disk. Needs nothing but Python's standard library.
"""
import argparse
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile


def write_idx(folder, name, images):
    with open(os.path.join(folder, f"{name}-x.idx"), "wb") as file:
        file.write(struct.pack(">IIII", 0x803, images, 28, 28))
        file.truncate(16 + images * 784)
    with open(os.path.join(folder, f"{name}-y.idx"), "wb") as file:
        file.write(struct.pack(">II", 0x801, images) + bytes(i % 10 for i in range(images)))


def npy_header(shape):
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def write_npy(folder, name, images):
    with open(os.path.join(folder, f"{name}-x.npy"), "wb") as file:
        header = npy_header((images, 28, 28))
        file.write(header)
        file.truncate(len(header) + images * 784)
    with open(os.path.join(folder, f"{name}-y.npy"), "wb") as file:
        file.write(npy_header((images,)) + bytes(i % 10 for i in range(images)))


def peak(knack, folder, name, kind):
    """Kilobytes, of a child that runs one training and reports its own children's peak."""
    config = {"data": {kind: {"inputs": f"{name}-x.{kind}", "targets": f"{name}-y.{kind}"}, "validation": 0.1},
              "model": {"type": "mlp", "hidden": [16]}, "train": {"epochs": 1, "batch": 256}}
    path = os.path.join(folder, f"{name}-{kind}.json")
    with open(path, "w") as file:
        json.dump(config, file)
    process = os.fork()
    if process == 0:
        run = subprocess.run([knack, "run", path, "--out", os.path.join(folder, "out"), "--force", "-q"], stdout=subprocess.DEVNULL)
        with open(path + ".peak", "w") as file:
            file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
        os._exit(run.returncode)
    if os.waitpid(process, 0)[1]:
        sys.exit(f"knack failed on {path}")
    with open(path + ".peak") as file:
        return int(file.read())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True)
    knack = os.path.join(parser.parse_args().build, "core", "knack")
    print("| file | 1 MB | 1 GB | difference |\n|---|---|---|---|")
    for kind, write in (("idx", write_idx), ("npy", write_npy)):
        with tempfile.TemporaryDirectory() as folder:
            write(folder, "small", 1337)
            write(folder, "large", 1337000)
            small, large = peak(knack, folder, "small", kind), peak(knack, folder, "large", kind)
            print(f"| {kind} | {small / 1024:.1f} MB | {large / 1024:.1f} MB | {(large - small) / 1024:.1f} MB |")


if __name__ == "__main__":
    main()
