#!/usr/bin/env python3
"""Checks `knack compare` on trainings whose result is known beforehand: placebos, the baseline against itself, and changes that must harm.

    python3 tests/validation/real_training.py --build BUILD [--jobs 2] [--keep DIR] [--markdown FILE]

Needs the standard library only. BUILD is a build folder, with the plugins and the test plugin mishap. Everything is seeded, so that two runs on one machine
give the same table. Exits 1 if a row fails, 2 if a comparison cannot be run.
"""
import argparse
import json
import math
import os
import sqlite3
import subprocess
import sys
import tempfile


def config(epochs=20, **data):
    return {
        "data": {"source": "digits", "validation": 0.1, "limit": 600, **data},
        "model": {"type": "mlp", "hidden": [64, 64]},
        "train": {"epochs": epochs, "batch": 32, "optimizer": {"type": "adamw", "lr": 3e-3},
                  "schedule": {"type": "cosine", "warmup": 0.05}},
    }


class Runner:
    def __init__(self, build, folder, jobs, comparisons):
        self.build, self.folder, self.jobs, self.comparisons, self.rows = build, folder, jobs, comparisons, []
        # Its own ledger: the user's has nothing to do with this.
        self.environment = {**os.environ, "KNACK_LEDGER": os.path.join(folder, "ledger.jsonl"),
                            "KNACK_PLUGIN_PATH": os.path.join(build, "tests", "plugins")}

    def compare(self, name, base, arms, seeds, jobs=None, first=2000):
        """Runs a comparison in a folder of its own; returns that folder and its comparison.json."""
        path, out = os.path.join(self.folder, name + ".json"), os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"base": base, "arms": arms, "seeds": seeds, "first_seed": first, "metric": "test.accuracy",
                       "equal_cost": False, "converge": False}, file)
        run = subprocess.run([os.path.join(self.build, "core", "knack"), "compare", path, "--out", out, "--quiet", "--json",
                              "--no-cache", "--jobs", str(jobs or self.jobs)], env=self.environment, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            print(f"{name}: knack ended with {run.returncode}:\n{run.stdout}{run.stderr}", file=sys.stderr)
            sys.exit(2)
        with open(os.path.join(out, "comparison.json"), encoding="utf-8") as file:
            return out, json.load(file)

    def row(self, part, what, value, accept, passed):
        self.rows.append((part, what, value, accept, "yes" if passed else "NO"))
        print(f"{part:12} {what:48} {value:>34}  {accept:22} {'pass' if passed else 'FAIL'}", flush=True)


def trials(folder, arm):
    """By seed: status, value, and the blobs of correctness and loss of every test example."""
    store = sqlite3.connect(f"file:{folder}/knack.db?mode=ro", uri=True)
    try:
        found = store.execute("SELECT t.seed, t.status, t.value, e.correct, e.loss FROM trials t JOIN arms a ON a.id = t.arm "
                              "LEFT JOIN examples e ON e.trial = t.id WHERE a.name = ? ORDER BY t.seed", (arm,)).fetchall()
    finally:
        store.close()
    return {seed: rest for seed, *rest in found}


def complete(found, seeds):
    return len(found) == seeds and all(s == "done" and v is not None and c and l for s, v, c, l in found.values())


def arm_of(comparison, name):
    return next(arm for arm in comparison["arms"] if arm["name"] == name)


# ---- Placebos ----

def placebo(runner):
    seeds = 5
    out, comparison = runner.compare("placebo", config(epochs=10, label_noise=0.2), {
        "no-op": {"plugins": ["mishap"]},
        "draws": {"plugins": [{"name": "mishap", "draws": 1000000}]},
    }, seeds)
    baseline = trials(out, "baseline")
    runner.row("placebo", "baseline: different seeds, different losses", f"{len({v[3] for v in baseline.values()})} of {seeds}", "all",
               complete(baseline, seeds) and len({v[3] for v in baseline.values()}) == seeds)
    for name, title in ("no-op", "no-op plugin"), ("draws", "10^6 draws an update"):
        arm, found = arm_of(comparison, name), trials(out, name)
        zero = sum(d == 0 for d in arm["equal_updates"]["differences"])
        runner.row("placebo", f"{title}: differences that are 0", f"{zero} of {seeds}", "all", zero == seeds)
        same = sum(found.get(seed) == baseline[seed] for seed in baseline)
        runner.row("placebo", f"{title}: same correctness and losses", f"{same} of {seeds}", "all, to the bit",
                   same == seeds and complete(found, seeds))
        runner.row("placebo", f"{title}: verdict", arm["verdict"], "IDENTICAL", arm["verdict_kind"] == "identical")


# ---- The baseline against itself ----

def most(comparisons):
    """How many of these may err at 5 % each: beyond it lies 1 % of the binomial distribution."""
    total, k = 0.0, -1
    while total < 0.99:
        k += 1
        total += math.comb(comparisons, k) * 0.05 ** k * 0.95 ** (comparisons - k)
    return k


def against_itself(runner):
    """Both arms have the signs of their first gradient at random, from two streams: they train alike, but each its own way. Every
    comparison has seeds and a folder of its own; what counts is the verdict of knack."""
    base = config(label_noise=0.2)
    base["plugins"] = [{"name": "mishap", "what": "jolt", "at": 0}]
    arms = {"other signs": {"plugins": [{"name": "mishap", "as": "other", "what": "jolt", "at": 0}]}}
    first = 10000
    for seeds in 5, 10:
        kinds = []
        for number in range(runner.comparisons):
            _, comparison = runner.compare(f"against-itself-{seeds}-{number}", base, arms, seeds, first=first)
            first += seeds
            kinds.append(arm_of(comparison, "other signs")["verdict_kind"])
        wrong = sum(kind in ("helps", "hurts") for kind in kinds)
        judged = sum(kind in ("helps", "hurts", "inconclusive") for kind in kinds)
        runner.row("A/A", f"{seeds} seeds: HELPS or HURTS", f"{wrong} of {len(kinds)}", f"at most {most(len(kinds))}",
                   wrong <= most(len(kinds)) and judged == len(kinds))


# ---- Changes whose effect is known ----

def known_effects(runner):
    _, comparison = runner.compare("known-effects", config(), {
        "noise 5": {"set": {"data.label_noise": 0.05}},
        "noise 10": {"set": {"data.label_noise": 0.1}},
        "noise 20": {"set": {"data.label_noise": 0.2}},
        "lr 0.1x": {"set": {"train.optimizer.lr": 3e-4}},
        "half": {"set": {"data.limit": 300}},
    }, 10)
    def effect(name):
        arm = arm_of(comparison, name)
        line = arm["equal_updates"]
        return arm, f"{100 * line['delta']:+.2f} [{100 * line['ci'][0]:+.2f}, {100 * line['ci'][1]:+.2f}]"
    before = 0
    for noise in 5, 10, 20:
        arm, text = effect(f"noise {noise}")
        runner.row("effects", f"label noise {noise} %: delta in points", text, "below the row before", arm["equal_updates"]["delta"] < before)
        before = arm["equal_updates"]["delta"]
    for name, title in ("noise 20", "label noise 20 %"), ("lr 0.1x", "a tenth of the learning rate"), ("half", "half the examples"):
        arm, text = effect(name)
        runner.row("effects", title, f"{arm['verdict_kind'].upper()} {text}", "HURTS", arm["verdict_kind"] == "hurts")


# ---- The same numbers however it is run ----

def determinism(runner):
    base, seeds = config(label_noise=0.2), 5
    arms = {"mixup": {"plugins": ["mixup"]}, "sam": {"plugins": ["sam"]}}
    one, _ = runner.compare("one-job", base, arms, seeds, jobs=1)
    two, _ = runner.compare("two-jobs", base, arms, seeds, jobs=2)
    alone, _ = runner.compare("alone", base, {"sam": arms["sam"]}, seeds)
    for other, title, names in (two, "two jobs as one", ["baseline", "mixup", "sam"]), (alone, "sam alone as beside mixup", ["baseline", "sam"]):
        same = total = 0
        for name in names:
            expected, found = trials(one, name), trials(other, name)
            total += seeds
            same += sum(found.get(seed) == trial for seed, trial in expected.items()) if complete(expected, seeds) else 0
        runner.row("determinism", f"{title}: value, correctness, losses", f"{same} of {total}", "all, to the bit", same == total)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="a build folder")
    parser.add_argument("--jobs", type=int, default=2, help="trials at once")
    parser.add_argument("--comparisons", type=int, default=100, help="of the baseline against itself, at 5 and at 10 seeds each")
    parser.add_argument("--keep", help="keeps the comparisons in this new folder")
    parser.add_argument("--markdown", help="writes the table to this file")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        if asked.keep:
            os.makedirs(asked.keep)
        runner = Runner(os.path.abspath(asked.build), os.path.abspath(asked.keep or temporary), asked.jobs, asked.comparisons)
        for part in placebo, against_itself, known_effects, determinism:
            part(runner)
    if asked.markdown:
        with open(asked.markdown, "w", encoding="utf-8") as file:
            file.write("| part | what | value | accept | holds |\n|---|---|---|---|---|\n")
            file.writelines("| " + " | ".join(row) + " |\n" for row in runner.rows)
    return 1 if any(row[-1] == "NO" for row in runner.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
