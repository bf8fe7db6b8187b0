#!/usr/bin/env python3
"""What the shipped models reach, and what each trick does to them: means of three seeds, 10 % of the training data held out.

    python3 tests/bench/accuracy.py --build BUILD [--out runs/accuracy] [--jobs 2] [--minutes 80] [--markdown FILE]

Runs `knack run` for every row and seed, one thread each, --jobs at once. A run that is finished is not run again, one that was cut off is
resumed, so that the same command goes on where it was stopped. Needs the data set of Debian's package dataset-fashion-mnist, and nothing
but Python's standard library.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

TRICKS = {
    "none": [],
    "ema": [{"name": "ema", "decay": 0.99}],
    "mixup": [{"name": "mixup", "alpha": 0.2}],
    "fgm": [{"name": "fgm", "layer": "input", "epsilon": 0.5}],
    "arcface": [{"name": "arcface", "s": 16, "m": 0.2}],
}
COSINE = {"type": "cosine", "warmup": 0.05}
MODELS = {
    "digits mlp": {
        "data": {"source": "digits", "validation": 0.1}, "model": {"type": "mlp", "hidden": [64, 64]},
        "train": {"epochs": 30, "batch": 32, "optimizer": {"type": "adamw", "lr": 3e-3}, "schedule": COSINE}},
    "fashion mlp": {
        "data": {"source": "fashion-mnist", "validation": 0.1}, "model": {"type": "mlp", "hidden": [256, 128], "dropout": 0.1},
        "train": {"epochs": 10, "batch": 128, "optimizer": {"type": "adamw", "lr": 1e-3}, "schedule": COSINE}},
    "fashion cnn": {
        "data": {"source": "fashion-mnist", "validation": 0.1},
        "model": {"type": "cnn", "channels": [32, 64], "hidden": [128], "dropout": 0.25},
        "train": {"epochs": 8, "batch": 128, "optimizer": {"type": "adamw", "lr": 1e-3}, "schedule": COSINE}},
}
TARGETS = {"digits mlp": 0.96, "fashion mlp": 0.885, "fashion cnn": 0.915}
SEEDS = (1, 2, 3)


def rows():
    """(name, trick, config), the quick ones first."""
    for name, config in MODELS.items():
        for trick, plugins in TRICKS.items():
            yield name, trick, {**config, "plugins": plugins}
    longer = json.loads(json.dumps(MODELS["fashion cnn"]))
    longer["data"]["augment"] = ["flip", {"name": "shift", "pixels": 1}]
    longer["train"]["epochs"] = 20
    yield "fashion cnn, flip and shift, 20 epochs", "none", {**longer, "plugins": []}


def result_of(folder):
    try:
        with open(os.path.join(folder, "result.json")) as file:
            result = json.load(file)
        return result if result["status"] == "done" else None
    except (OSError, ValueError, KeyError):
        return None


def command_for(knack, folder, config):
    if os.path.exists(os.path.join(folder, "config.json")):
        return [knack, "resume", folder, "-q"]
    path = folder + ".json"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        json.dump(config, file, indent=2)
    return [knack, "run", path, "--out", folder, "--force", "-q"]


def run_all(knack, out, jobs, deadline):
    """Every row's runs, as many at once as asked for; stops starting new ones at the deadline."""
    waiting = [(os.path.join(out, f"{name}-{trick}-{seed}".replace(" ", "_").replace(",", "")), {**config, "seed": seed, "threads": 1})
               for name, trick, config in rows() for seed in SEEDS]
    waiting = [(folder, config) for folder, config in waiting if not result_of(folder)]
    running = []
    print(f"{len(waiting)} runs to do", file=sys.stderr)
    while waiting or running:
        while waiting and len(running) < jobs and time.monotonic() < deadline:
            folder, config = waiting.pop(0)
            running.append((folder, time.monotonic(), subprocess.Popen(command_for(knack, folder, config), stdout=subprocess.DEVNULL,
                                                                      stderr=subprocess.PIPE)))
        if time.monotonic() >= deadline:
            waiting = []
        for entry in list(running):
            folder, began, process = entry
            if process.poll() is None:
                continue
            running.remove(entry)
            state = "done" if process.returncode == 0 else "failed: " + process.stderr.read().decode()
            print(f"{os.path.basename(folder)}: {state} in {time.monotonic() - began:.0f} s, {len(waiting)} to go", file=sys.stderr)
        time.sleep(0.2)


def table(out):
    lines = ["| model | trick | test accuracy, mean of 3 seeds | each seed | test loss | minutes a run | target |",
             "|---|---|---|---|---|---|---|"]
    missing = 0
    for name, trick, _ in rows():
        folders = [os.path.join(out, f"{name}-{trick}-{seed}".replace(" ", "_").replace(",", "")) for seed in SEEDS]
        results = [r for r in map(result_of, folders) if r]
        missing += len(SEEDS) - len(results)
        if not results:
            continue
        tests = [r["evaluations"][r["primary"]["weights"]]["test"] for r in results]
        accuracy = statistics.mean(t["accuracy"] for t in tests)
        bound = TARGETS.get(name) if trick == "none" else None
        verdict = f"at least {100 * bound:.1f} %: {'reached' if accuracy >= bound else '**missed**'}" if bound else "none"
        lines.append(f"| {name} | {trick} | {100 * accuracy:.2f} % | {', '.join('%.2f' % (100 * t['accuracy']) for t in tests)} | "
                     f"{statistics.mean(t['loss'] for t in tests):.4f} | {statistics.mean(r['seconds'] for r in results) / 60:.2f} | {verdict} |")
    return "\n".join(lines), missing


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True, help="build folder of the shipped program")
    parser.add_argument("--out", default="runs/accuracy")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=80, help="start no run after so many")
    parser.add_argument("--markdown", help="write the table here")
    arguments = parser.parse_args()
    run_all(os.path.join(arguments.build, "core", "knack"), arguments.out, arguments.jobs, time.monotonic() + 60 * arguments.minutes)
    text, missing = table(arguments.out)
    print(text)
    if arguments.markdown:
        with open(arguments.markdown, "w") as file:
            file.write(text + "\n")
    if missing:
        print(f"{missing} runs are missing; the same command goes on", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
