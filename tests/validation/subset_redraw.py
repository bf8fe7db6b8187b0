#!/usr/bin/env python3
"""Does the interval hold where each seed draws its training rows anew from a fixed pool, with a fixed test part? With real training.

    apt-get install dataset-fashion-mnist
    python3 tests/validation/subset_redraw.py --build BUILD [--out runs/subset] [--jobs 1] [--markdown FILE]

POOLS disjoint pools of 600 images of Fashion-MNIST; from each of them every seed draws a share. In each pool `knack compare` judges a placebo (the
baseline on another draw from the same pool), whose effect is 0, and two real changes, whose effect is taken to be the mean over all pools. Counted
is how often the 95 % interval of comparison.json misses the effect, and, beside it, how often that of a plain paired t would. Goes on where it was stopped. Needs Python's standard library only.
"""
import argparse
import gzip
import json
import math
import os
import struct
import subprocess
import sys

PACKAGED = "/usr/share/datasets/fashion-mnist"
POOLS, POOL, TEST, SEEDS = 60, 600, 1000, 10
QUANTILE = 2.2621571628  # of t with SEEDS - 1 degrees of freedom, .975
LIMITS = 120, 300, 450  # f of 0.2, 0.5, 0.75
ARMS = {"another draw": {"set": {"data.seed": 1}}, "label smoothing": {"plugins": [{"name": "label-smoothing", "eps": 0.3}]},
        "half the rate": {"set": {"train.optimizer.lr": 1e-3}}}


def read_rows(folder, name):
    """Bytes of images and of labels."""
    def read(what, header):
        with gzip.open(os.path.join(folder, f"{name}-{what}-ubyte.gz")) as file:
            return file.read()[header:]
    return read("images-idx3", 16), read("labels-idx1", 8)


def write_part(stem, images, labels, start, count):
    with open(stem + "-images.idx", "wb") as file:
        file.write(struct.pack(">4BIII", 0, 0, 8, 3, count, 28, 28) + images[784 * start:784 * (start + count)])
    with open(stem + "-labels.idx", "wb") as file:
        file.write(struct.pack(">4BI", 0, 0, 8, 1, count) + labels[start:start + count])


def make_pools(source, out):
    if not os.path.exists(os.path.join(out, "test-labels.idx")):
        images, labels = read_rows(source, "train")
        for pool in range(POOLS):
            write_part(os.path.join(out, f"pool{pool}"), images, labels, POOL * pool, POOL)
        write_part(os.path.join(out, "test"), *read_rows(source, "t10k"), 0, TEST)


def base(pool, limit):
    part = lambda stem: {"idx": {"inputs": f"{stem}-images.idx", "targets": f"{stem}-labels.idx"}}
    return {"data": {**part(f"pool{pool}"), "test": part("test"), "limit": limit, "redraw": True}, "model": {"type": "mlp", "hidden": [32]},
            "train": {"epochs": 6, "batch": 32, "optimizer": {"type": "adamw", "lr": 2e-3}, "schedule": {"type": "cosine"}}}


def comparison(knack, out, pool, limit, jobs):
    folder = os.path.join(out, f"{limit}-{pool}")
    if not os.path.exists(os.path.join(folder, "comparison.json")):
        with open(folder + ".json", "w", encoding="utf-8") as file:
            json.dump({"base": base(pool, limit), "arms": ARMS, "seeds": SEEDS, "equal_cost": False, "converge": False}, file)
        subprocess.run([knack, "compare", folder + ".json", "--out", folder, "--jobs", str(jobs), "--quiet", "--json"], check=True,
                       env={**os.environ, "KNACK_LEDGER": os.path.join(out, "ledger.jsonl")}, stdout=subprocess.DEVNULL)
    with open(os.path.join(folder, "comparison.json"), encoding="utf-8") as file:
        return {arm["name"]: arm for arm in json.load(file)["arms"]}


def wilson(count, of):
    share, z2 = count / of, 1.96 ** 2
    middle, half = share + z2 / (2 * of), 1.96 * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0, middle - half) / (1 + z2 / of), (middle + half) / (1 + z2 / of)


def plain_misses(line, effect):
    """The interval that takes draws for independent."""
    return abs(line["delta"] - effect) > QUANTILE * line["s_d"] / math.sqrt(line["n"])


def tell(found):
    """found: {limit: [arms by name, one entry a pool]}. Markdown."""
    lines = ["| rows of a draw | arm | effect, points | misses | share, 95 % | accept | holds | a plain t misses |",
             "|---|---|---|---|---|---|---|---|"]
    for limit, pools in found.items():
        for name in ARMS:
            of = [pool[name]["equal_updates"] for pool in pools]
            effect = 0 if name == "another draw" else sum(line["delta"] for line in of) / len(of)
            misses = sum(not line["ci"][0] <= effect <= line["ci"][1] for line in of)
            low, high = wilson(misses, len(of))
            lines.append(f"| {limit} of {POOL} | {name} | {100 * effect:+.2f} | {misses} of {len(of)} | {low:.3f} to {high:.3f} | "
                         f"not above .05 for certain | {'yes' if low <= .05 else '**no**'} | {sum(plain_misses(line, effect) for line in of)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="a build folder")
    parser.add_argument("--source", default=PACKAGED, help="folder of Fashion-MNIST")
    parser.add_argument("--out", default="runs/subset", help="where pools and comparisons are kept")
    parser.add_argument("--jobs", type=int, default=1, help="trials at once")
    parser.add_argument("--markdown", help="writes the table to this file")
    asked = parser.parse_args()
    out, knack = os.path.abspath(asked.out), os.path.join(asked.build, "core", "knack")
    os.makedirs(out, exist_ok=True)
    make_pools(asked.source, out)
    found = {limit: [comparison(knack, out, pool, limit, asked.jobs) for pool in range(POOLS)] for limit in LIMITS}
    text = tell(found)
    print(text)
    if asked.markdown:
        with open(asked.markdown, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    return 1 if "**no**" in text else 0


if __name__ == "__main__":
    sys.exit(main())
