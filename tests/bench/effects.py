#!/usr/bin/env python3
"""What each trick does to a small network on the digits, as `knack compare` says it: makes the comparisons of effects/, and writes their
tables into docs/tricks and docs/measured/tricks.md.

    python3 tests/bench/effects.py --build BUILD [--out runs/effects] [--jobs 1] [--only TEXT] [--no-write]

A comparison that was interrupted goes on, since `knack compare` does. Differences, intervals, costs and verdicts are those of comparison.json;
nothing is computed here. A comparison that was not made keeps its rows as "not measured". Needs Python's standard library only.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILES = os.path.join(ROOT, "tests", "bench", "effects")
TRICKS = sorted(os.path.basename(folder) for folder in glob.glob(os.path.join(ROOT, "plugins", "*")) if glob.glob(os.path.join(folder, "*.json")))
BEGIN, END = "<!-- effects.py writes what follows -->", "<!-- effects.py: end -->"

# What a prototype in double precision came to, without and with the trick, by comparison and arm: written independently, before these plugins.
REFERENCE = {
    "sam-noise": {"rho 0.05": "87.1, 89.0", "rho 0.2": "87.1, 93.0", "rho 0.2 with dropout 0.3, against neither": "87.1, 93.2",
                  "rho 0.1 with mixup 1, against neither": "87.1, 94.0"},
    "sam-noise-loss": {"rho 0.2": "0.464, 0.407"},
    "sam-clean": {"rho 0.2, all labels right": "96.1, 96.8"},
    "awp-noise": {"gamma 0.01": "87.1, 92.6"},
    "ema-noise-constant": {"decay 0.9, no warm-up, constant rate": "80.4, 83.4", "decay 0.99, no warm-up, constant rate": "80.4, 86.2",
                           "decay 0.999, no warm-up, constant rate": "80.4, 86.7", "decay 0.999 with warm-up, constant rate": "80.4, 85.4"},
    "ema-noise": {"decay 0.99, no warm-up, cosine to 0": "87.1, 87.3"},
    "swa-noise-batch-norm": {"epochs 21 to 40, constant rate 0.1": "76.8, 83.0"},
    "swa-noise-batch-norm-cosine": {"epochs 21 to 40, constant rate 0.1, against a cosine rate without it": "81.2, 83.0"},
    "label-smoothing-noise-long": {"eps 0.1, a fifth of labels wrong": "83.7, 87.2"},
    "label-smoothing-small": {"eps 0.1, 200 right labels": "92.2, 93.0"},
    "mixup-noise-long": {"alpha 0.2, a fifth of labels wrong": "83.7, 88.6", "alpha 1, a fifth of labels wrong": "83.7, 92.0"},
    "mixup-small": {"alpha 0.2, 200 right labels": "92.2, 92.9", "alpha 1, 200 right labels": "92.2, 92.8"},
    "mixup-noise": {"alpha 1, a fifth of labels wrong, 40 epochs": "87.1, 92.9"},
    "mixup-noise-loss": {"alpha 1, a fifth of labels wrong, 40 epochs": "0.464, 0.432"},
    "mixup-noise-long-ece": {"alpha 1, a fifth of labels wrong": "0.024, 0.190"},
    "cutmix-noise-long": {"alpha 1, a fifth of labels wrong": "83.7, 94.6"},
    "cutmix-noise-long-ece": {"alpha 1, a fifth of labels wrong": "0.024, 0.260"},
    "cutmix-small": {"alpha 1, 200 right labels": "92.2, 93.0"},
    "rdrop-noise-dropout": {"alpha 2, dropout 0.3, a fifth of labels wrong": "92.3, 93.2"},
    "rdrop-small-dropout": {"alpha 2, dropout 0.3, 200 right labels": "92.9, 91.8"},
    "tta-shifts": {"5 views, trained with shifts": "92.9, 95.6", "9 views, trained with shifts": "92.9, 96.1"},
    "tta-no-shifts": {"5 views, trained without": "94.7, 88.2", "9 views, trained without": "94.7, 68.7"},
    "focal-rare-auprc": {"gamma 2": "83.7, 82.5", "gamma 2, alpha 0.25": "83.7, 77.0", "gamma 2, alpha 0.75": "83.7, 80.3",
                         "gamma 0, balanced": "83.7, 79.6"},
    "focal-rare-f1": {"gamma 2": "64.0, 59.0", "gamma 2, alpha 0.25": "64.0, 5.0", "gamma 2, alpha 0.75": "64.0, 61.0",
                      "gamma 0, balanced": "64.0, 73.0"},
    "cosface-features": {"m 0.35": "91.9, 93.0"},
    "arcface-features": {"m 0.5": "91.9, 84.8"},
}


def trick_of(name):
    return max((trick for trick in TRICKS if name.startswith(trick + "-")), key=len)


def read_file(name):
    """The comparison file, which holds no comments."""
    with open(os.path.join(FILES, name + ".json"), encoding="utf-8") as file:
        return json.load(file)


def measured(out, name):
    """By arm, its entry of comparison.json; empty unless the comparison is done."""
    try:
        with open(os.path.join(out, name, "comparison.json"), encoding="utf-8") as file:
            comparison = json.load(file)
    except OSError:
        return {}
    return {arm["name"]: arm for arm in comparison["arms"]} if comparison["status"] == "done" else {}


def compare(knack, out, name, jobs):
    # Its own ledger: these comparisons share one test set by design, and have nothing to do with the user's.
    run = subprocess.run([knack, "compare", os.path.join(FILES, name + ".json"), "--out", os.path.join(out, name), "--jobs", str(jobs), "--json",
                          "--quiet"], env={**os.environ, "KNACK_LEDGER": os.path.join(out, "ledger.jsonl")}, stdout=subprocess.DEVNULL,
                         check=False)
    print(f"{name}: {'done' if run.returncode == 0 else f'knack ended with {run.returncode}'}", file=sys.stderr, flush=True)


# ---- Tables ----

def number(value, loss, signed=False):
    digits = 3 if loss else 1
    value = round(value if loss else 100 * value, digits) or 0.0  # no "-0.0"
    return f"{value:{'+' if signed and value else ''}.{digits}f}"


def difference(line, loss):
    return number(line["delta"], loss, True) + f" ({number(line['ci'][0], loss, True)} to {number(line['ci'][1], loss, True)})"


def row(name, metric, recipe, text, arm):
    """Cells from what on, without the reference."""
    names = {"accuracy": "", "ece": ", calibration error", "auprc": ", area under precision and recall", "f1": ", F1"}
    head = [text + names.get(metric, ", " + metric), recipe]
    if not arm:
        return head + ["", "", "", "", "", "", "not measured"]
    loss, cost, equal = metric in ("loss", "ece"), arm["cost"], arm["equal_cost"]
    beside = [words for words in arm["qualifiers"] if not words.startswith(("costs ", "seeds of both arms"))]
    return head + [number(arm["baseline"], loss), number(arm["mean"], loss), difference(arm["equal_updates"], loss),
                   f"{cost['passes']:.2f}", f"{cost['cpu']:.2f}", difference(equal, loss) if equal else "",
                   "; ".join([arm["verdict"], *beside])]


def rows(out, name):
    asked, found = read_file(name), measured(out, name)
    metric, recipe = asked["metric"].removeprefix("test."), os.path.basename(asked["base"])[:-5]
    for text in asked["arms"]:
        reference = REFERENCE.get(name, {}).get(text, "")
        yield row(name, metric, recipe, text, found.get(text)), reference


def table(head, lines):
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *lines])


HEAD = ["what", "recipe", "without", "with it", "difference, 95 % interval", "cost", "in CPU time", "at equal cost", "verdict"]


def write_between(page, text):
    with open(page, encoding="utf-8") as file:
        old = file.read()
    new, count = re.subn(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: f"{BEGIN}\n\n{text}\n\n{END}", old, flags=re.DOTALL)
    if count != 1:
        sys.exit(f"{page}: there is no place for the table: {BEGIN} ... {END}")
    if new != old:
        with open(page, "w", encoding="utf-8") as file:
            file.write(new)


def write_pages(out, names):
    for trick in TRICKS:
        lines = [cells for name in names if trick_of(name) == trick for cells, _ in rows(out, name)]
        write_between(os.path.join(ROOT, "docs", "tricks", trick + ".md"), table(HEAD, lines))
    lines = [[trick_of(name), *cells, reference] for name in names for cells, reference in rows(out, name)]
    write_between(os.path.join(ROOT, "docs", "measured", "tricks.md"), table(["trick", *HEAD, "reference"], lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="build folder of the shipped program")
    parser.add_argument("--out", default="runs/effects", help="where the comparisons are kept")
    parser.add_argument("--jobs", type=int, default=1, help="trials at once")
    parser.add_argument("--only", default="", help="the comparisons whose names have this text")
    parser.add_argument("--no-write", action="store_true", help="leaves the pages as they are")
    asked = parser.parse_args()
    out = os.path.abspath(asked.out)
    os.makedirs(out, exist_ok=True)
    names = sorted(os.path.basename(path)[:-5] for path in glob.glob(os.path.join(FILES, "*.json")))
    for name in names:
        if asked.only in name and not measured(out, name):
            compare(os.path.join(asked.build, "core", "knack"), out, name, asked.jobs)
    if not asked.no_write:
        write_pages(out, names)
    missing = [name for name in names if not measured(out, name)]
    if missing:
        print("not measured: " + ", ".join(missing), file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
