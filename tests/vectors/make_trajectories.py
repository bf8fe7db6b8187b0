#!/usr/bin/env python3
"""Writes trajectories.h: the losses and weights of small trainings under the tricks, worked out by PyTorch in float64.

    python3 tests/vectors/make_trajectories.py > tests/vectors/trajectories.h

The tricks are written here from the formulas of their papers, gradients are autograd's. Each case is a config, which knack trains too
(tests/train/test_trajectories.c): two epochs of the digits, so 90 steps, of which two have 29 rows. Initial weights, order, dropout masks,
pairs, shares and choices are not read from knack but recomputed from the way it addresses random numbers: random_streams.py.
"""
import fnmatch
import functools
import gzip
import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

import random_streams as streams

EPOCHS, BATCH = 2, 32
WIDTHS, CLASSES = {"fc1": (64, 64), "fc2": (64, 64), "head": (64, 10)}, 10  # inputs and outputs


def case(*plugins, data={}, model={}, train={}):
    return {
        "data": {"source": "digits", "shuffle": False, **data},
        "model": {"type": "mlp", "hidden": [64, 64], **model},
        "train": {"epochs": EPOCHS, "batch": BATCH, "log_every": 1, **train, "optimizer": {"type": "sgd", "lr": 0.05, "momentum": 0.9}},
        "plugins": list(plugins),
    }


def plugin(name, instance=None, **options):
    return {"name": name, **({"as": instance} if instance else {}), **options}


DROPOUT = {"dropout": 0.2}
CASES = {
    "nothing": case(),
    "dropout, shuffled": case(data={"shuffle": True}, model=DROPOUT),
    "ema": case(
        plugin("ema", "plain", decay=0.9, warmup="none"), plugin("ema", "tf", decay=0.95, warmup="tf"),
        plugin("ema", "power", decay=0.93, warmup="power"), plugin("ema", "debias", decay=0.99, warmup="debias"),
        plugin("ema", "late", half_life=12, warmup="none", start=20, every=3)),
    "fgm of a matrix": case(plugin("fgm", parameters="fc1.weight", epsilon=0.5, norm="tensor")),
    "fgm of the rows of all matrices": case(plugin("fgm", parameters="*.weight", epsilon=0.05, norm="row", coefficient=0.5)),
    "fgm of a layer, each example": case(plugin("fgm", layer="fc1", epsilon=0.5, norm="example")),
    "fgm of a layer, one norm": case(plugin("fgm", layer="fc2", epsilon=2, norm="tensor")),
    "fgm of the input": case(plugin("fgm", layer="input", epsilon=0.3)),
    "fgm, masks drawn once": case(plugin("fgm", layer="input", epsilon=0.3), model=DROPOUT),
    "fgm, masks drawn twice": case(plugin("fgm", layer="fc1", epsilon=0.3, redraw=True), model=DROPOUT),
    "fgm, micro-batches": case(plugin("fgm", layer="fc1", epsilon=0.3), model=DROPOUT, train={"micro_batch": 10}),
    "mixup": case(plugin("mixup", alpha=0.4)),
    "mixup, each row": case(plugin("mixup", alpha=1, mode="row")),
    "mixup of a layer, each row": case(plugin("mixup", alpha=2, layer="fc1", mode="row")),
    "mixup of any layer, then none": case(plugin("mixup", alpha=2, layer=["input", "fc1", "fc2"], until=60)),
    "mixup, micro-batches": case(plugin("mixup", alpha=0.4, layer="fc2"), model=DROPOUT, train={"micro_batch": 10}),
    "one of two mixups": case(plugin("mixup", alpha=0.4, share=3), plugin("mixup", "deep", alpha=2, layer="fc2")),
    "arcface": case(plugin("arcface", s=16, m=0.5)),
    "arcface, wide margin": case(plugin("arcface", s=8, m=1.4)),
    "arcface, three centres": case(plugin("arcface", s=8, m=0.5, centres=3)),
    "arcface, easy margin": case(plugin("arcface", s=16, m=0.3, easy_margin=True)),
    "ema, mixup, arcface": case(plugin("ema", decay=0.95), plugin("mixup", alpha=0.4), plugin("arcface", s=16, m=0.5)),
    "all four, dropout, micro-batches": case(
        plugin("ema", decay=0.95, warmup="debias"), plugin("fgm", layer="fc1", epsilon=0.3),
        plugin("mixup", alpha=1, layer=["input", "fc1"], mode="row"), plugin("arcface", s=8, m=0.3, centres=2),
        model=DROPOUT, train={"micro_batch": 8}),
}
for index, config in enumerate(CASES.values()):
    config["seed"] = 100 + index


# ---- Data and initial weights ----

def read_idx(path):
    with gzip.open(path) as file:
        data = file.read()
    axes = data[3]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(np.frombuffer(data, ">i4", axes, 4))


def training_digits():
    """[1437, 64] and [1437]: image i is a test image where i mod 5 is 0."""
    folder = pathlib.Path(__file__).parents[2] / "core" / "data" / "digits"
    images, labels = read_idx(folder / "images.idx.gz"), read_idx(folder / "labels.idx.gz")
    chosen = np.arange(len(images)) % 5 != 0
    return torch.from_numpy(images[chosen].reshape(-1, 64) / 16.0), torch.from_numpy(labels[chosen].astype(np.int64))


def data_order(config, epoch, count):
    if not config["data"]["shuffle"]:
        return torch.arange(count)
    return torch.tensor(streams.permutation(streams.key_of(config["seed"], "order"), (epoch, 0, 0), count))


def parameter(seed, name, shape, draw):
    key = streams.key_of(seed, f"init.{name}")
    values = [draw(key, (0, 0, 0), element) for element in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def he(inputs):
    return lambda *address: math.sqrt(2 / inputs) * streams.normal(*address)


def xavier(inputs, outputs):
    return lambda *address: math.sqrt(6 / (inputs + outputs)) * (2 * streams.uniform(*address) - 1)


def initial_weights(seed, tricks):
    arcface = next((trick for trick in tricks if trick["name"] == "arcface"), None)
    weights = {}
    for layer, (inputs, outputs) in WIDTHS.items():
        if layer == "head" and arcface:
            continue
        weights[f"{layer}.weight"] = parameter(seed, f"{layer}.weight", (outputs, inputs), he(inputs))
        weights[f"{layer}.bias"] = torch.zeros(outputs, dtype=torch.float64)
    if arcface:
        shape = (CLASSES * arcface.get("centres", 1), 64)
        weights["arcface.centres"] = parameter(seed, "arcface.centres", shape, xavier(shape[1], shape[0]))
    return weights


# ---- The tricks' draws ----

def instance(trick):
    return trick.get("as", trick["name"])


UNIFORM, BETA, PAIRS = range(3)  # kinds of draws: streams of their own
DRAW_PAIRS, DRAW_LAMBDA, DRAW_LAYER = range(3)  # what mixup draws for


def acting(seed, tricks, batch):
    """Without those of the group "mix" whose turn it is not: one is drawn by share."""
    group = [trick for trick in tricks if trick["name"] == "mixup"]
    draw = streams.uniform(streams.key_of(seed, "one_of.mix"), (batch, 0, 0), 0) * sum(trick.get("share", 1) for trick in group)
    chosen = None
    for trick in group:
        if draw >= 0:
            chosen = trick
        draw -= trick.get("share", 1)
    return [trick for trick in tricks if trick["name"] != "mixup" or trick is chosen]


def draw_mixing(seed, trick, batch, rows):
    """Where a batch is mixed, with whom [rows], and what share each row keeps [rows]."""
    key = streams.key_of(seed, f"trick.{instance(trick)}")
    order = streams.permutation(key, (batch, DRAW_PAIRS, PAIRS), rows)
    partner = list(range(rows))
    for one, other in zip(order[0::2], order[1::2]):
        partner[one], partner[other] = other, one
    count = rows if trick.get("mode") == "row" else 1
    drawn = [streams.beta(key, (batch, DRAW_LAMBDA, BETA), element, trick["alpha"], trick["alpha"]) for element in range(count)]
    share = [max(own, 1 - own) for own in (drawn if count == rows else drawn * rows)]
    share = [1.0 if partner[row] == row else share[row] for row in range(rows)]
    layers = trick.get("layer", "input")
    layers = [layers] if isinstance(layers, str) else layers
    pick = streams.uniform(key, (batch, DRAW_LAYER, UNIFORM), 0) if len(layers) > 1 else 0
    return layers[int(pick * len(layers))], partner, torch.tensor(share, dtype=torch.float64)


@functools.lru_cache(maxsize=8)
def dropout_mask(seed, layer, rate, batch, rows, redraw):
    key = streams.key_of(seed, f"dropout.{layer}")
    kept = [streams.mask(key, (batch, row, redraw), 0, 64, rate) for row in range(rows)]
    return torch.tensor(kept, dtype=torch.float64) / (1 - rate)


# ---- The loss of a batch ----

def arcface_logits(trick, centres, features, target):
    """s cos(theta), and at the target s cos(theta + m) as long as theta + m <= pi, then s (cos(theta) - m sin(m))."""
    s, m, count = trick["s"], trick["m"], trick.get("centres", 1)
    cosine = F.normalize(features) @ F.normalize(centres).T  # [rows, classes * centres]
    cosine = cosine.reshape(len(features), CLASSES, count).amax(2)
    own = cosine.gather(1, target[:, None])
    angle = torch.acos(own)
    if trick.get("easy_margin"):
        phi = torch.where(own > 0, torch.cos(angle + m), own)
    else:
        phi = torch.where(angle + m <= math.pi, torch.cos(angle + m), own - m * math.sin(m))
    return s * cosine.scatter(1, target[:, None], phi)


class Batch:
    """One logical batch: rows, who mixes them where, and their targets as weighted class ids."""

    def __init__(self, seed, number, tricks, rate, x, y, mixes):
        self.seed, self.number, self.rate, self.x = seed, number, rate, x
        self.tricks = acting(seed, tricks, number)
        self.mixed_at, self.targets = None, [(torch.ones(len(x), dtype=torch.float64), y)]
        for trick in self.tricks:
            if trick["name"] == "mixup" and mixes(trick):
                self.mixed_at, self.partner, self.share = draw_mixing(seed, trick, number, len(x))
                self.targets = [(self.share, y), (1 - self.share, y[self.partner])]

    def filter(self, layer, out, offset):
        for trick in self.tricks:
            if trick["name"] == "mixup" and self.mixed_at == layer:
                out = self.share[:, None] * out + (1 - self.share[:, None]) * out[self.partner]
            if trick["name"] == "fgm" and trick.get("layer") == layer and offset is not None:
                out = out + offset
        return out

    def loss(self, weights, offset=None, redraw=0):
        """offset: what FGM adds to its layer's output; redraw: which masks."""
        out = self.filter("input", self.x, offset)
        for layer in ("fc1", "fc2"):
            out = self.filter(layer, F.relu(F.linear(out, weights[f"{layer}.weight"], weights[f"{layer}.bias"])), offset)
            if self.rate:
                out = out * dropout_mask(self.seed, layer, self.rate, self.number, len(out), redraw)
        total = 0
        for share, target in self.targets:
            total = total + (share * F.cross_entropy(self.logits(weights, out, target), target, reduction="none")).sum()
        return total / len(self.x)

    def logits(self, weights, features, target):
        for trick in self.tricks:
            if trick["name"] == "arcface":
                return arcface_logits(trick, weights["arcface.centres"], features, target)
        return F.linear(features, weights["head.weight"], weights["head.bias"])


# ---- Gradients, FGM ----

def attack(trick, gradient):
    """epsilon g / |g|, of the whole tensor, of each row of a matrix, or of each example, which is a row of a layer's output."""
    norm = trick.get("norm", "example" if "layer" in trick else "tensor")
    length = gradient.norm() if norm == "tensor" else gradient.norm(dim=1, keepdim=True)
    return trick["epsilon"] * torch.where(length > 0, gradient / length, torch.zeros_like(gradient))


def gradient_of(batch, weights):
    """The logged loss, and the gradient {name: tensor}."""
    leaves = {name: value.clone().requires_grad_() for name, value in weights.items()}
    fgm = next((trick for trick in batch.tricks if trick["name"] == "fgm"), None)
    offset = torch.zeros_like(batch.x).requires_grad_() if fgm and "layer" in fgm else None  # every layer here has 64 outputs
    loss = batch.loss(leaves, offset)
    wanted = list(leaves.values()) + ([offset] if offset is not None else [])
    clean = torch.autograd.grad(loss, wanted)
    total = dict(zip(leaves, clean))
    if not fgm:
        return loss.item(), total
    shifted = {name: value.clone() for name, value in weights.items()}
    if offset is not None:
        offset = attack(fgm, clean[-1])
    else:
        for name in fnmatch.filter(weights, fgm["parameters"]):
            shifted[name] += attack(fgm, total[name])
    shifted = {name: value.requires_grad_() for name, value in shifted.items()}
    attacked = batch.loss(shifted, offset, 1 << 16 if fgm.get("redraw") else 0)
    again = torch.autograd.grad(attacked, list(shifted.values()))
    return loss.item(), {name: total[name] + fgm.get("coefficient", 1) * more for name, more in zip(shifted, again)}


# ---- EMA ----

class Average:
    """s <- beta s + (1 - beta) w; debiased: from s = 0, divided by 1 - beta^t."""

    def __init__(self, trick, weights):
        self.warmup, self.start, self.every = trick.get("warmup", "tf"), trick.get("start", 0), trick.get("every", 1)
        self.beta = (2 ** (-1 / trick["half_life"]) if "half_life" in trick else trick["decay"]) ** self.every
        self.sum = {name: value.clone() for name, value in weights.items()}
        if self.warmup == "debias":
            self.sum = {name: torch.zeros_like(value) for name, value in weights.items()}
        self.count = 0

    def decay(self):
        t = self.count
        if self.warmup == "tf":
            return min(self.beta, (1 + t) / (10 + t))
        if self.warmup == "power":
            return min(self.beta, 1 - (1 + (t - 1)) ** (-2 / 3))
        return self.beta

    def update(self, number, weights):
        if number <= self.start or (number - self.start) % self.every:
            return
        self.count += 1
        beta = 0 if self.count == 1 and self.start else self.decay()
        self.sum = {name: beta * self.sum[name] + (1 - beta) * value for name, value in weights.items()}

    def weights(self):
        divisor = 1 - self.beta ** self.count if self.warmup == "debias" else 1
        return {name: value / divisor for name, value in self.sum.items()}


# ---- The training ----

def train(name, x, y):
    """Losses of all steps, and the weights at the end {set: {name: tensor}}."""
    config = CASES[name]
    seed, tricks, optimizer = config["seed"], config["plugins"], config["train"]["optimizer"]
    weights = initial_weights(seed, tricks)
    moment = {key: torch.zeros_like(value) for key, value in weights.items()}
    averages = {instance(trick): Average(trick, weights) for trick in tricks if trick["name"] == "ema"}
    losses = []
    for epoch in range(EPOCHS):
        for rows in data_order(config, epoch, len(x)).split(BATCH):
            step = len(losses)
            batch = Batch(seed, step, tricks, config["model"].get("dropout", 0), x[rows], y[rows],
                          lambda trick: step < trick.get("until", math.inf))
            loss, gradient = gradient_of(batch, weights)
            losses.append(loss)
            for key in weights:
                moment[key] = optimizer["momentum"] * moment[key] + gradient[key]
                weights[key] = weights[key] - optimizer["lr"] * moment[key]
            for average in averages.values():
                average.update(step + 1, weights)
    return losses, {"raw": weights, **{name: average.weights() for name, average in averages.items()}}


def checksum(values):
    """Of a parameter: its entries, weighted by 1 to 17 in turn."""
    flat = values.flatten()
    return torch.dot(flat, (1 + torch.arange(len(flat)) % 17).double()).item()


# ---- The header ----

def lines(items, width=120):
    text, line = [], ""
    for item in items:
        if line and len(line) + len(item) + 2 > width:
            text.append(line.rstrip())
            line = ""
        line += item + ", "
    return "\n     ".join(text + [line.rstrip(", ")])


def print_case(name, losses, sets):
    text = json.dumps(CASES[name]).replace('"', "'")  # which the tests turn back
    sums = [f'{{"{owner}", "{key}", {checksum(value):.17g}}}' for owner, weights in sets.items() for key, value in weights.items()]
    print(f'    {{"{name}",\n     "{text}",\n     {{{lines([f"{loss:.17g}" for loss in losses])}}},\n     {{{lines(sums)}}}}},')


def main():
    torch.set_num_threads(1)
    x, y = training_digits()
    results = {name: train(name, x, y) for name in CASES}
    most = max(sum(map(len, sets.values())) for _, sets in results.values())
    print(f"/* Made by make_trajectories.py with PyTorch {torch.__version__.split('+')[0]}, float64. */")
    print(f"enum {{ TRAJECTORY_STEPS = {len(results['nothing'][0])}, TRAJECTORY_SUMS = {most} }};")
    print("/* clang-format off */")
    print("static const struct trajectory {")
    print("    const char *name, *config;")
    print("    double loss[TRAJECTORY_STEPS];")
    print("    struct { const char *set, *param; double sum; } weights[TRAJECTORY_SUMS]; /* sum of (1 + i mod 17) entry i; up to a NULL */")
    print("} trajectories[] = {")
    for name, (losses, sets) in results.items():
        print_case(name, losses, sets)
    print("};\n/* clang-format on */")


if __name__ == "__main__":
    main()
