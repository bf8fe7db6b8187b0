#!/usr/bin/env python3
"""What each trick does to a small network on the digits: differences between runs with it and without it, seed by seed.

    python3 tests/bench/effects.py --build BUILD [--out runs/effects] [--jobs 2] [--minutes 40] [--trick NAME] [--markdown FILE]

Runs `knack run` on the recipes of examples/recipes/ for every row and seed, one thread each, --jobs at once. A run that is finished is not
run again, so that the same command goes on where it was stopped. Beside our mean difference and its 95 % interval stands that of a
reference: a prototype in double precision, which others wrote, with the standard errors that they noted. --trick prints the rows of one
trick alone, as its page has them. Needs nothing but Python's standard library.
"""
import argparse
import array
import concurrent.futures
import gzip
import json
import math
import os
import random
import re
import statistics
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEEDS = range(1, 11)
STUDENT = 2.262  # 97.5 % point of Student's t with 9 degrees of freedom


# ---- The rows ----

@dataclass
class Row:
    """One comparison. `reference`: without the trick, with it, and the standard errors of both as far as they are known."""
    trick: str
    text: str
    recipe: str
    plugins: list
    reference: tuple = None
    without: list = field(default_factory=list)   # the plugins of the other run
    settings: dict = field(default_factory=dict)  # changes of the config, of the run with the trick,
    against: dict = field(default_factory=dict)   # of the one without it,
    common: dict = field(default_factory=dict)    # and of both
    measure: str = "accuracy"
    no_help: bool = False                         # must show that it does not help

    def runs(self):
        """Settings and plugins of the run without the trick, and of that with it."""
        return ({**self.common, **self.against}, self.without), ({**self.common, **self.settings}, self.plugins)


def plugin(name, **options):
    return {"name": name, **options}


CLIP = plugin("grad-clip", max_norm=5)
NEAR = ["shift 1 0", "shift -1 0", "shift 0 1", "shift 0 -1"]
AROUND = NEAR + ["shift 1 1", "shift 1 -1", "shift -1 1", "shift -1 -1"]
COSINE = {"train.schedule": {"type": "cosine"}}
HELD_OUT = {"data.validation": 0.1}
DROPOUT = {"model.dropout": 0.3}


def gradients():
    """Tricks that act on gradients: 600 digits, a fifth of the labels wrong."""
    yield Row("sam", "rho 0.05", "noise", [plugin("sam", rho=0.05)], (87.1, 89.0))
    yield Row("sam", "rho 0.2", "noise", [plugin("sam", rho=0.2)], (87.1, 93.0))
    yield Row("sam", "rho 0.2, loss", "noise", [plugin("sam", rho=0.2)], (0.464, 0.407), measure="loss")
    yield Row("sam", "rho 0.2, all labels right", "clean", [plugin("sam", rho=0.2)], (96.1, 96.8))
    yield Row("sam", "rho 0.5", "noise", [plugin("sam", rho=0.5)])
    yield Row("sam", "adaptive, rho 1", "noise", [plugin("sam", rho=1, adaptive=True)])
    yield Row("sam", "rho 0.2, interval 2", "noise", [plugin("sam", rho=0.2, interval=2)])
    yield Row("sam", "rho 0.2 with dropout 0.3, against neither", "noise", [plugin("sam", rho=0.2)], (87.1, 93.2), settings=DROPOUT)
    both = [plugin("mixup", alpha=1), plugin("sam", rho=0.1)]
    yield Row("sam", "rho 0.1 with mixup 1, against neither", "noise", both, (87.1, 94.0))
    yield Row("awp", "gamma 0.01", "noise", [plugin("awp", gamma=0.01)], (87.1, 92.6))
    yield Row("awp", "gamma 0.1", "noise", [plugin("awp", gamma=0.1)])
    for epsilon in (0.5, 1):
        yield Row("fgm", f"input, epsilon {epsilon}", "noise", [plugin("fgm", layer="input", epsilon=epsilon)])
    yield Row("fgm", "input, epsilon 0.5, all labels right", "clean", [plugin("fgm", layer="input", epsilon=0.5)])
    yield Row("pgd", "input, epsilon 0.5, alpha 0.25", "noise", [plugin("pgd", layer="input", epsilon=0.5, alpha=0.25)])
    yield Row("pgd", "input, epsilon 0.5, alpha 0.25, all labels right", "clean", [plugin("pgd", layer="input", epsilon=0.5, alpha=0.25)])
    freelb = plugin("freelb", max_norm=0.4, adv_lr=0.15, init_mag=0.2)
    yield Row("freelb", "input, max_norm 0.4, adv_lr 0.15, init_mag 0.2", "noise", [freelb])
    yield Row("freelb", "input, max_norm 0.4, adv_lr 0.15, init_mag 0.2, all labels right", "clean", [freelb])
    yield Row("grad-clip", "max_norm 1", "noise", [plugin("grad-clip", max_norm=1)])
    yield Row("grad-clip", "max_norm 1, constant rate 0.05", "noise-constant", [plugin("grad-clip", max_norm=1)])


def averages():
    """Tricks that average weights or predictions, and the one that ends a run: the same data."""
    for decay, reference in ((0.9, (80.4, 83.4, 0.9, None)), (0.99, (80.4, 86.2, 0.9, None)), (0.999, (80.4, 86.7, 0.9, 1.0))):
        ema = plugin("ema", decay=decay, warmup="none")
        yield Row("ema", f"decay {decay}, no warm-up, constant rate", "noise-constant", [ema], reference)
    yield Row("ema", "decay 0.999 with warm-up, constant rate", "noise-constant", [plugin("ema", decay=0.999)], (80.4, 85.4, 0.9, None))
    yield Row("ema", "decay 0.99, no warm-up, cosine to 0", "noise", [plugin("ema", decay=0.99, warmup="none")], (87.1, 87.3), no_help=True)
    yield Row("ema", "decay 0.9, no warm-up, cosine to 0", "noise", [plugin("ema", decay=0.9, warmup="none")])
    yield Row("ema", "decay 0.999 with warm-up, cosine to 0", "noise", [plugin("ema", decay=0.999)])
    swa = plugin("swa", start="20ep")
    yield Row("swa", "epochs 21 to 40, constant rate 0.1", "noise-batch-norm", [swa], (76.8, 83.0, 0.6, 0.4))
    yield Row("swa", "the same, statistics of batch norm not estimated anew", "noise-batch-norm", [swa], (76.8, 79.0, 0.6, 1.1),
              measure="stale")
    yield Row("swa", "the same, against a cosine rate without it", "noise-batch-norm", [swa], (81.2, 83.0, 0.4, 0.4), against=COSINE)
    yield Row("swa", "epochs 21 to 40, cosine to 0", "noise-batch-norm", [swa], common=COSINE)
    for rate, recipe in (("constant rate", "noise-constant"), ("cosine to 0", "noise")):
        yield Row("snapshot-ensemble", f"count 5, {rate}", recipe, [plugin("snapshot-ensemble", count=5)])
        yield Row("checkpoint-average", f"count 5, {rate}", recipe, [plugin("checkpoint-average", count=5)])
    greedy = plugin("checkpoint-average", count=5, mode="greedy")
    yield Row("checkpoint-average", "count 5, greedy, constant rate, validation 0.1", "noise-constant", [greedy], common=HELD_OUT)
    yield Row("early-stop", "patience 5, constant rate, validation 0.1", "noise-constant", [plugin("early-stop")], common=HELD_OUT)
    yield Row("early-stop", "the same, against the best epoch without it", "noise-constant", [plugin("early-stop")], common=HELD_OUT,
              against={"train.primary": "best"})
    yield Row("early-stop", "patience 5, cosine to 0, validation 0.1", "noise", [plugin("early-stop")], common=HELD_OUT)


def targets():
    """Tricks that change batches, targets and losses: with a fifth of 600 labels wrong, and with 200 that are right."""
    smoothing, a_little, mixup, cutmix = (plugin("label-smoothing", eps=0.1), plugin("mixup", alpha=0.2), plugin("mixup", alpha=1),
                                          plugin("cutmix", alpha=1))
    for trick, text, noise, error, clean in ((smoothing, "eps 0.1", 87.2, None, 93.0), (a_little, "alpha 0.2", 88.6, None, 92.9),
                                             (mixup, "alpha 1", 92.0, None, 92.8), (cutmix, "alpha 1", 94.6, 0.2, 93.0)):
        yield Row(trick["name"], f"{text}, a fifth of labels wrong", "noise-long", [trick], (83.7, noise, 0.4, error))
        yield Row(trick["name"], f"{text}, 200 right labels", "small", [trick], (92.2, clean))
    yield Row("mixup", "alpha 1, a fifth of labels wrong, 40 epochs", "noise", [mixup], (87.1, 92.9))
    yield Row("mixup", "alpha 1, a fifth of labels wrong, 40 epochs, loss", "noise", [mixup], (0.464, 0.432), measure="loss")
    for trick, error in ((mixup, 19), (cutmix, 26)):
        yield Row(trick["name"], "alpha 1, a fifth of labels wrong, calibration error", "noise-long", [trick], (2.4, error), measure="ece")
    manifold = plugin("mixup", alpha=2, layer=["input", "fc1", "fc2"])
    yield Row("mixup", "alpha 2, at the input, fc1 or fc2, a fifth of labels wrong", "noise-long", [manifold])
    for alpha, noise, clean in ((2, (92.3, 93.2, 0.5, 0.5), (92.9, 91.8)), (10, (92.3, 77, 0.5, None), (92.9, 85))):
        rdrop = plugin("rdrop", alpha=alpha)
        yield Row("rdrop", f"alpha {alpha}, dropout 0.3, a fifth of labels wrong", "noise-dropout", [rdrop], noise)
        yield Row("rdrop", f"alpha {alpha}, dropout 0.3, 200 right labels", "small-dropout", [rdrop], clean)
    for trained, recipe, near, around in (("trained with shifts", "shifts", (92.9, 95.6, 0.3, None), (92.9, 96.1, 0.3, 0.2)),
                                          ("trained without", "no-shifts", (94.7, 88.2), (94.7, 68.7))):
        yield Row("tta", f"5 views, {trained}", recipe, [plugin("tta", views=NEAR)], near, no_help=recipe == "no-shifts")
        yield Row("tta", f"9 views, {trained}", recipe, [plugin("tta", views=AROUND)], around, no_help=recipe == "no-shifts")


def drawn():
    """Tricks whose rows this program draws: a rare class, and features that are compared."""
    for text, options, auprc, f1 in (("gamma 2", {}, 82.5, 59), ("gamma 2, alpha 0.25", {"alpha": 0.25}, 77.0, 5),
                                     ("gamma 2, alpha 0.75", {"alpha": 0.75}, 80.3, 61),
                                     ("gamma 0, balanced", {"gamma": 0, "balanced": True}, 79.6, 73)):
        focal = plugin("focal", **options)
        area = (83.7, auprc, 1.3, None)
        yield Row("focal", f"{text}, area under precision and recall", "rare", [focal], area, measure="auprc", no_help=True)
        yield Row("focal", f"{text}, F1 at 0.5", "rare", [focal], (64, f1), measure="f1", no_help="gamma" not in options)
    for trick, text, precision, accuracy in ((plugin("arcface", m=0), "m 0, the normalised softmax", 71.4, None),
                                             (plugin("arcface", m=0.2), "m 0.2", 76.8, None),
                                             (plugin("cosface", m=0.2), "m 0.2", 77.8, None),
                                             (plugin("cosface", m=0.35), "m 0.35", 81.1, (91.9, 93.0)),
                                             (plugin("sphereface"), "m 4", 75.4, None)):
        reference = (67.9, precision, 0.8, None)
        yield Row(trick["name"], f"{text}, mAP@R", "features", [CLIP, trick], reference, without=[CLIP], measure="map")
        yield Row(trick["name"], f"{text}, accuracy", "features", [CLIP, trick], accuracy, without=[CLIP])
    fast = plugin("sphereface", lambda_gamma=1)
    yield Row("sphereface", "m 4, lambda_gamma 1, mAP@R", "features", [CLIP, fast], without=[CLIP], measure="map")
    yield Row("arcface", "m 0.5, accuracy", "features", [CLIP, plugin("arcface", m=0.5)], (91.9, 84.8, None, 5.3), without=[CLIP])


def all_rows():
    return [*gradients(), *averages(), *targets(), *drawn()]


# ---- Rows that this program draws ----

def digits():
    """The digits that knack carries with it, as (64 bytes of image, label)."""
    folder = os.path.join(ROOT, "core", "data", "digits")
    with gzip.open(os.path.join(folder, "images.idx.gz")) as file:
        images = file.read()[16:]
    with gzip.open(os.path.join(folder, "labels.idx.gz")) as file:
        labels = file.read()[8:]
    return [(images[64 * i:64 * i + 64], label) for i, label in enumerate(labels)]


def write_npy(path, data, shape):
    header = repr({"descr": "|u1", "fortran_order": False, "shape": shape})
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def read_safetensors(path):
    """The header, and a dict of what it names as arrays of floats."""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    return header, {name: array.array("f", data[8 + size + entry["data_offsets"][0]:8 + size + entry["data_offsets"][1]])
                    for name, entry in header.items() if name != "__metadata__"}


def write_safetensors(path, header, tensors):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    order = sorted(tensors, key=lambda name: header[name]["data_offsets"])
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(tensors[name].tobytes() for name in order))


def draw_rows(recipe, seed, folder):
    """Writes the .npy files that a recipe names, and returns the test rows, those that are not drawn. rare: of 900 digits the first 12
    eights and all others; features: 200."""
    rows = digits()
    random.Random(f"{recipe} {seed}").shuffle(rows)
    train, test = (rows[:900], rows[900:]) if recipe == "rare" else (rows[:200], rows[200:])
    if recipe == "rare":
        eights = [row for row in train if row[1] == 8][:12]
        train = [row for row in train if row[1] != 8 or row in eights]
        train, test = ([(image, int(label == 8)) for image, label in part] for part in (train, test))
    os.makedirs(folder, exist_ok=True)
    for name, part in (("train", train), ("test", test)):
        write_npy(os.path.join(folder, f"{name}-inputs.npy"), b"".join(image for image, _ in part), (len(part), 8, 8))
        write_npy(os.path.join(folder, f"{name}-targets.npy"), bytes(label for _, label in part), (len(part),))
    return test


def draw_weights(knack, folder, seed):
    """initial.safetensors: two logits whose difference begins as one logit of He's initialisation, and with the rare class's log odds."""
    command = [knack, "run", recipe_path("rare"), "--out", os.path.join(folder, "weights"), "--force", "-q", "--set", f"folder={folder}",
               "--set", f"seed={seed}", "--set", "train.epochs=1", "--set", "train.optimizer.lr=1e-30",
               "--set", 'model={"type": "mlp", "hidden": [32]}']
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    header, tensors = read_safetensors(os.path.join(folder, "weights", "model.safetensors"))
    tensors["head.weight"] = array.array("f", [value / math.sqrt(2) for value in tensors["head.weight"]])
    tensors["head.bias"] = array.array("f", [0, -math.log((1 - 0.0125) / 0.0125)])
    write_safetensors(os.path.join(folder, "initial.safetensors"), header, tensors)


# ---- Runs ----

def recipe_path(recipe):
    return os.path.join(ROOT, "examples", "recipes", recipe + ".json")


def run_folder(out, row, run, seed):
    settings, plugins = run
    text = json.dumps([settings, plugins])
    return os.path.join(out, row.recipe, re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-") or "plain", str(seed))


def result_of(folder):
    try:
        with open(os.path.join(folder, "result.json")) as file:
            result = json.load(file)
        return result if result["status"] == "done" else None
    except (OSError, ValueError, KeyError):
        return None


def train(knack, out, row, run, seed):
    """Trains one run; what was wrong, or None."""
    settings, plugins = run
    folder = run_folder(out, row, run, seed)
    command = [knack, "run", recipe_path(row.recipe), "--out", folder, "--force", "-q"]
    for key, value in {**settings, "plugins": plugins, "seed": seed}.items():
        command += ["--set", f"{key}={json.dumps(value)}"]
    if row.recipe in ("rare", "features"):
        data = os.path.join(out, row.recipe, f"data-{seed}")
        if not os.path.exists(data):
            draw_rows(row.recipe, seed, data)
            if row.recipe == "rare":
                draw_weights(knack, data, seed)
        command += ["--set", f"folder={data}"]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return done.stderr if done.returncode else None


def run_all(knack, out, rows, jobs, deadline):
    """Trains what is not trained yet, some runs at once; starts none after the deadline."""
    waiting = {run_folder(out, row, run, seed): (row, run, seed) for seed in SEEDS for row in rows for run in row.runs()}
    waiting = [task for folder, task in waiting.items() if not result_of(folder)]
    print(f"{len(waiting)} runs to do", file=sys.stderr)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        def one(task):
            return train(knack, out, *task) if time.monotonic() < deadline else None
        for (row, _, seed), wrong in zip(waiting, pool.map(one, waiting)):
            if wrong:
                print(f"{row.trick}, {row.text}, seed {seed}: {wrong}", file=sys.stderr)


# ---- What is measured ----

def stale(knack, folder):
    """Accuracy of the mean of weights with the running statistics of the trained ones instead of those estimated for it. Without the
    trick, which would estimate them again: the mean takes the place of the trained weights in a copy of the results."""
    if not os.path.exists(os.path.join(folder, "model.raw.safetensors")):
        return result_of(folder)["evaluations"]["raw"]["test"]["accuracy"]
    header, tensors = read_safetensors(os.path.join(folder, "model.raw.safetensors"))
    mean = read_safetensors(os.path.join(folder, "model.safetensors"))[1]
    tensors.update({name: mean[name] for name in tensors if not name.endswith((".mean", ".variance"))})
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    copy = folder + "-stale"
    os.makedirs(copy, exist_ok=True)
    with open(os.path.join(copy, "config.json"), "w") as file:
        json.dump({**config, "plugins": []}, file)
    write_safetensors(os.path.join(copy, "model.safetensors"), header, tensors)
    done = subprocess.run([knack, "eval", copy, "--json", "-q"], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)["metrics"]["accuracy"]


def features_of(images, tensors):
    """Unit vectors of 16 features, by the layers of features.json."""
    layers = []
    for name in ("fc1", "fc2"):
        bias = tensors[name + ".bias"]
        width = len(tensors[name + ".weight"]) // len(bias)
        layers.append([(tensors[name + ".weight"][width * i:width * i + width], b) for i, b in enumerate(bias)])
    vectors = []
    for image in images:
        x = [value / 16 for value in image]
        for depth, layer in enumerate(layers):
            x = [sum(map(float.__mul__, x, row.tolist())) + b for row, b in layer]
            if depth < len(layers) - 1:
                x = [max(value, 0.0) for value in x]
        length = math.hypot(*x) or 1.0
        vectors.append([value / length for value in x])
    return vectors


def precision_at_r(vectors, labels, query):
    """Of the R nearest others, R being how many share the query's label: the mean of the precision at each one that shares it, and 0."""
    order = sorted((i for i in range(len(vectors)) if i != query), key=lambda i: -sum(map(float.__mul__, vectors[query], vectors[i])))
    count = labels.count(labels[query]) - 1
    found, total = 0, 0.0
    for rank, i in enumerate(order[:count], 1):
        if labels[i] == labels[query]:
            found += 1
            total += found / rank
    return total / count


def mean_precision(out, folder, seed):
    """mAP@R of every eighth test digit among all of them, by the cosine of features."""
    test = draw_rows("features", seed, os.path.join(out, "features", f"data-{seed}"))
    vectors = features_of([image for image, _ in test], read_safetensors(os.path.join(folder, "model.safetensors"))[1])
    labels = [label for _, label in test]
    return statistics.mean(precision_at_r(vectors, labels, query) for query in range(0, len(test), 8))


def value_of(knack, out, row, run, seed):
    """What a row compares, in percent but for losses; None while the run is not done. What takes long is kept beside the results."""
    folder = run_folder(out, row, run, seed)
    result = result_of(folder)
    if not result:
        return None
    if row.measure not in ("stale", "map"):
        value = result["evaluations"][result["primary"]["weights"]]["test"][row.measure]
        return value if row.measure == "loss" else 100 * value
    kept = os.path.join(folder, row.measure + ".json")
    if not os.path.exists(kept):
        value = stale(knack, folder) if row.measure == "stale" else mean_precision(out, folder, seed)
        with open(kept, "w") as file:
            json.dump(value, file)
    with open(kept) as file:
        return 100 * json.load(file)


# ---- The table ----

@dataclass
class Comparison:
    """Means without the trick and with it, their mean difference, and half of its 95 % interval, None where it is not known."""
    without: float
    with_it: float
    half: float
    error: float = None

    @property
    def difference(self):
        return self.with_it - self.without


def measured(knack, out, row):
    """None unless all seeds are done."""
    pairs = [[value_of(knack, out, row, run, seed) for run in row.runs()] for seed in SEEDS]
    if any(value is None for pair in pairs for value in pair):
        return None
    differences = [b - a for a, b in pairs]
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    return Comparison(statistics.mean(a for a, _ in pairs), statistics.mean(b for _, b in pairs), STUDENT * error, error)


def referred(row):
    """The reference's comparison. Its runs count as independent; of two standard errors of which one is known, the other is taken to be
    the same."""
    if not row.reference:
        return None
    without, with_it, *errors = row.reference
    known = [error for error in errors if error is not None]
    if not known:
        return Comparison(without, with_it, None)
    a, b = (error if error is not None else known[0] for error in errors)
    return Comparison(without, with_it, STUDENT * math.hypot(a, b), math.hypot(a, b))


def verdicts(row, ours, reference):
    """(the sign agrees, the intervals overlap, it does not help), each None where it is not asked."""
    sign = overlap = None
    if reference:
        if reference.error and abs(reference.difference) >= 5 * reference.error:
            sign = reference.difference * ours.difference > 0
        overlap = abs(reference.difference - ours.difference) <= ours.half + (reference.half or 0)
    return sign, overlap, ours.difference - ours.half <= 0 if row.no_help else None


def number(value, measure, signed=False):
    return f"{value:{'+' if signed else ''}.{3 if measure == 'loss' else 1}f}"


def interval(comparison, measure):
    text = number(comparison.difference, measure, True)
    return text + (f" ± {number(comparison.half, measure)}" if comparison.half is not None else ", no s.e.")


def word(verdict):
    return "" if verdict is None else "yes" if verdict else "**no**"


def table(rows, results, page):
    """Markdown: for a trick's page without the reference."""
    head = ["what", "recipe", "without", "with it", "difference, 95 %"]
    head = head if page else ["trick", *head, "reference", "its difference, 95 %", "sign", "overlap", "no help"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row, ours in zip(rows, results):
        if not ours:
            continue
        cells = [row.text, row.recipe, number(ours.without, row.measure), number(ours.with_it, row.measure), interval(ours, row.measure)]
        if not page:
            reference = referred(row)
            theirs = ["", ""]
            if reference:
                means = (number(mean, row.measure) for mean in (reference.without, reference.with_it))
                theirs = [", ".join(means), interval(reference, row.measure)]
            cells = [row.trick, *cells, *theirs, *map(word, verdicts(row, ours, reference))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def summary(rows, results):
    """One line for each of the three targets."""
    judged = [verdicts(row, ours, referred(row)) for row, ours in zip(rows, results) if ours]
    names = ("The sign agrees, where the reference's effect is at least 5 standard errors", "The intervals overlap", "Shown not to help")
    return "\n".join(f"- {name}: {sum(v[i] for v in judged if v[i] is not None)} rows of {sum(v[i] is not None for v in judged)}."
                     for i, name in enumerate(names))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True, help="build folder of the shipped program")
    parser.add_argument("--out", default="runs/effects")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=40, help="start no run after so many")
    parser.add_argument("--trick", help="the rows of this trick only, as its page has them")
    parser.add_argument("--markdown", help="write the table here")
    arguments = parser.parse_args()
    knack, out = os.path.join(arguments.build, "core", "knack"), os.path.abspath(arguments.out)
    rows = [row for row in all_rows() if arguments.trick in (None, row.trick)]
    run_all(knack, out, rows, arguments.jobs, time.monotonic() + 60 * arguments.minutes)
    results = [measured(knack, out, row) for row in rows]
    text = table(rows, results, arguments.trick) + ("" if arguments.trick else "\n\n" + summary(rows, results))
    print(text)
    if arguments.markdown:
        with open(arguments.markdown, "w") as file:
            file.write(text + "\n")
    missing = sum(result is None for result in results)
    if missing:
        print(f"{missing} rows are missing; the same command goes on", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
