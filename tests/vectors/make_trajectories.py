#!/usr/bin/env python3
"""Writes trajectories_FAMILY.h: losses, weights and evaluations of small trainings under the tricks, worked out by PyTorch in float64.

    python3 tests/vectors/make_trajectories.py FAMILY > tests/vectors/trajectories_FAMILY.h

The families, each of cases with a config that knack trains too (tests/train/test_trajectories.c), are in reference/cases.py; how the
numbers come about is in the other files of reference/.
"""
import json
import sys

import torch

from reference.cases import FAMILIES
from reference.training import Training


def checksum(values):
    """Of a tensor: its entries, weighted by 1 to 17 in turn."""
    flat = values.flatten()
    return torch.dot(flat, (1 + torch.arange(len(flat)) % 17).double()).item()


def lines(items, width=130):
    text, line = [], ""
    for item in items:
        if line and len(line) + len(item) + 2 > width:
            text.append(line.rstrip())
            line = ""
        line += item + ", "
    return "\n     ".join(text + [line.rstrip(", ")])


def print_case(name, config, losses, evaluations, sets):
    text = json.dumps(config).replace('"', "'")  # which the tests turn back
    sums = [f'{{"{owner}", "{key}", {checksum(value):.12g}}}'
            for owner, held in sets.items() for part in held for key, value in part.items()]
    print(f'    {{"{name}",\n     "{text}",\n     {len(losses)}, {{{lines([f"{loss:.12g}" for loss in losses])}}},')
    found = [f'{{"{owner}", "{part}", {loss:.12g}}}' for owner, part, loss in evaluations]
    print(f"     {{{lines(found)}}},\n     {{{lines(sums)}}}}},")


def main():
    torch.set_num_threads(1)
    cases = FAMILIES[sys.argv[1]]
    results = {name: Training(config).run() for name, config in cases.items()}
    most = lambda count: max(map(count, results.values()))
    steps, evaluations = most(lambda result: len(result[0])), most(lambda result: len(result[1]))
    sums = most(lambda result: sum(len(part) for held in result[2].values() for part in held))
    print(f"/* Made by make_trajectories.py with PyTorch {torch.__version__.split('+')[0]}, float64. */")
    print(f"enum {{ MOST_STEPS = {steps}, MOST_EVALUATIONS = {evaluations}, MOST_SUMS = {sums} }};")
    print("/* clang-format off */")
    print("static const struct trajectory {")
    print("    const char *name, *config;")
    print("    int steps;")
    print("    double loss[MOST_STEPS];")
    print("    struct { const char *set, *part; double loss; } evaluation[MOST_EVALUATIONS]; /* in their order; up to a NULL */")
    print("    struct { const char *set, *name; double sum; } weights[MOST_SUMS]; /* sum of (1 + i mod 17) entry i; up to a NULL */")
    print("} trajectories[] = {")
    for name, result in results.items():
        print_case(name, cases[name], *result)
    print("};\n/* clang-format on */")


if __name__ == "__main__":
    main()
