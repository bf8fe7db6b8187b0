#!/usr/bin/env python3
"""Makes rows of token ids and classes from WordNet's nouns (apt-get install wordnet-base), for examples/encoder.json.

    python3 examples/make_glosses.py FOLDER [data.noun]

A row is the definition of a meaning; its class is the part of the dictionary that it stands in, such as "animal" or "plant", of which the ten
largest are taken. Every tenth row is for tests. Ids: 0 fills rows up, 1 is an unknown word, then come the words of the training rows, the most
frequent first.
"""
import collections
import os
import re
import struct
import sys

INSTALLED = "/usr/share/wordnet/data.noun"
PARTS = ("Tops act animal artifact attribute body cognition communication event feeling food group location motive object person phenomenon "
         "plant possession process quantity relation shape state substance time").split()  # in the order of lexnames(5WN), from 03 on
CLASSES, VOCABULARY, LENGTH = 10, 8000, 32
PADDING, UNKNOWN = 0, 1


def read_glosses(path):
    """Pairs (part, words) in the file's order; examples in quotes are left out."""
    with open(path, encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("  ")]  # the licence is indented
    for line in lines:
        numbers, gloss = line.split(" | ", 1)
        words = re.findall(r"[a-z]+|[0-9]+", gloss.split('; "')[0].lower())
        if words:
            yield PARTS[int(numbers.split()[1]) - 3], words[:LENGTH]


def most_frequent(items, count):
    """By frequency, then by the alphabet."""
    return sorted(collections.Counter(items).items(), key=lambda item: (-item[1], item[0]))[:count]


def write_npy(path, code, shape, values):
    """code: of struct and, behind its size, of NumPy."""
    header = f"{{'descr': '{'|u1' if code == 'B' else '<u2'}', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))},), }}"
    header = header.ljust(64 * (-(-(len(header) + 11) // 64)) - 11) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack(f"<{len(values)}{code}", *values))


def write_rows(folder, name, rows, class_of, id_of):
    ids = []
    for _, words in rows:
        ids += [id_of.get(word, UNKNOWN) for word in words] + [PADDING] * (LENGTH - len(words))
    write_npy(os.path.join(folder, f"{name}-ids.npy"), "H", (len(rows), LENGTH), ids)
    write_npy(os.path.join(folder, f"{name}-classes.npy"), "B", (len(rows),), [class_of[part] for part, _ in rows])


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder, source = sys.argv[1], (sys.argv[2:] or [INSTALLED])[0]
    if not os.path.exists(source):
        sys.exit(f"{source} is missing; its package: apt-get install wordnet-base")
    os.makedirs(folder, exist_ok=True)
    glosses = list(read_glosses(source))
    parts = most_frequent((part for part, _ in glosses), CLASSES)
    class_of = {part: number for number, (part, _) in enumerate(parts)}
    rows = [row for row in glosses if row[0] in class_of]
    test, train = rows[::10], [row for number, row in enumerate(rows) if number % 10]
    words = most_frequent((word for _, words in train for word in words), VOCABULARY - 2)
    id_of = {word: number for number, (word, _) in enumerate(words, 2)}
    write_rows(folder, "train", train, class_of, id_of)
    write_rows(folder, "test", test, class_of, id_of)
    print(f"{len(train)} rows to train on, {len(test)} to test; {len(id_of) + 2} ids; classes: "
          + ", ".join(f"{number} {part} ({count})" for number, (part, count) in enumerate(parts)))


if __name__ == "__main__":
    main()
