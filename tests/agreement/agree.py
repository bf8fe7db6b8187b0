#!/usr/bin/env python3
"""Trains the same models from the same weights on the same batches with knack and with PyTorch, and compares every step.

    python3 tests/agreement/agree.py --double BUILD-DOUBLE --float BUILD-RELEASE [--steps 100] [--markdown FILE]

Needs torch, numpy and safetensors from PyPI; neither the program nor its tests need them. The double build is compared with PyTorch in
float64: every loss of every step within 1e-8, relative. The float build is compared with PyTorch in float64 and float32: the first loss
within 1e-6, and the first whole gradient no farther from PyTorch's float64 gradient than three times PyTorch's own float32 gradient is.
Later steps are shown, not judged: ReLU kinks part two correct float32 programs after a few steps. Encoders have none: theirs are judged,
within 1e-4 over the first 50 steps of AdamW.
Exits 1 if anything that is judged fails.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file, save_file
from torch import nn

BATCH = 32


# ---- The models, as knack has them: images are channels-last, and flattened so ----

class Mlp(nn.Module):
    config = {"type": "mlp", "hidden": [64, 64]}
    shape = (8, 8, 1)

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.head = nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 10)

    def forward(self, x):
        return self.head(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


class Cnn(nn.Module):
    config = {"type": "cnn", "channels": [16, 32], "hidden": [32]}
    shape = (12, 12, 1)

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.conv2, self.bn2 = nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32)
        self.fc1, self.head = nn.Linear(3 * 3 * 32, 32), nn.Linear(32, 10)

    def forward(self, x):
        x = x.permute(0, 3, 1, 2)
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        return self.head(F.relu(self.fc1(x.permute(0, 2, 3, 1).flatten(1))))


class Layer(nn.Module):
    """A layer of an encoder: attention and feed-forward, with the norm behind or before each."""

    def __init__(self, width, heads, hidden, pre):
        super().__init__()
        self.heads, self.pre = heads, pre
        self.attention = nn.ModuleDict({"in": nn.Linear(width, 3 * width), "out": nn.Linear(width, width)})
        self.norm1 = nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm2 = nn.LayerNorm(width)

    def attend(self, x, mask):
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.attention["in"](x).chunk(3, -1))
        scores = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).masked_fill(~mask[:, None, None, :], float("-inf"))
        return self.attention["out"]((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))

    def feed(self, x):
        return self.fc2(F.gelu(self.fc1(x)))

    def forward(self, x, mask):
        if self.pre:
            x = x + self.attend(self.norm1(x), mask)
            return x + self.feed(self.norm2(x))
        x = self.norm1(x + self.attend(x, mask))
        return self.norm2(x + self.feed(x))


class Encoder(nn.Module):
    """Post-norm, first token, three heads, and padding (id 0) at the ends of rows."""
    config = {"type": "encoder", "vocabulary": 50, "padding": 0, "layers": 2, "width": 24, "heads": 3, "feedforward": 40}
    shape = (12,)
    attacked = "embedding.weight"
    pre, mean = False, False

    def __init__(self):
        super().__init__()
        width = self.config["width"]
        self.embedding = nn.Embedding(50, width)
        self.positions = nn.Embedding(12, width)
        if not self.pre:
            self.embedding.norm = nn.LayerNorm(width)
        for i in (1, 2):
            setattr(self, f"layer{i}", Layer(width, self.config["heads"], self.config["feedforward"], self.pre))
        if self.pre:
            self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)
        self.offset = None

    @classmethod
    def draw(cls, generator, rows):
        x = generator.integers(1, 50, (rows, 12))
        length = generator.integers(3, 13, rows)
        x[np.arange(12)[None, :] >= length[:, None]] = 0
        return x

    def forward(self, x):
        x = x.long()
        mask = x != 0
        x = self.embedding(x) + self.positions.weight
        x.requires_grad_(True)
        self.output = x
        if x.requires_grad and x.grad_fn is not None:
            x.retain_grad()
        if self.offset is not None:
            x = x + self.offset
        if not self.pre:
            x = self.embedding.norm(x)
        x = self.layer2(self.layer1(x, mask), mask)
        if self.pre:
            x = self.norm(x)
        x = (x * mask[..., None]).sum(1) / mask.sum(1)[:, None] if self.mean else x[:, 0]
        return self.head(x)


class EncoderPre(Encoder):
    """Pre-norm, and the mean of the tokens."""
    config = {**Encoder.config, "heads": 4, "norm": "pre", "pooling": "mean"}
    pre, mean = True, True


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.ModuleDict({"conv": nn.Conv2d(inputs, outputs, 1, stride, bias=False), "bn": nn.BatchNorm2d(outputs)})

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if hasattr(self, "shortcut"):
            x = self.shortcut["bn"](self.shortcut["conv"](x))
        return F.relu(y + x)


class Resnet20(nn.Module):
    config = {"type": "resnet", "depth": 20}
    shape = (16, 16, 3)

    def __init__(self):
        super().__init__()
        self.stem = nn.ModuleDict({"conv": nn.Conv2d(3, 16, 3, padding=1, bias=False), "bn": nn.BatchNorm2d(16)})
        channels = 16
        for stage in range(3):
            blocks = nn.ModuleDict()
            for block in range(3):
                out = 16 << stage
                blocks[f"block{block + 1}"] = Block(channels, out, 2 if stage > 0 and block == 0 else 1)
                channels = out
            setattr(self, f"stage{stage + 1}", blocks)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.stem["bn"](self.stem["conv"](x.permute(0, 3, 1, 2))))
        for stage in (self.stage1, self.stage2, self.stage3):
            for block in stage.values():
                x = block(x)
        return self.head(x.mean((2, 3)))


OPTIMIZERS = {
    "sgd": ({"type": "sgd", "lr": 0.05, "momentum": 0.9}, lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)),
    "adamw": ({"type": "adamw", "lr": 0.001, "decay_all": True, "weight_decay": 0.01},
              lambda p: torch.optim.AdamW(p, lr=0.001, weight_decay=0.01)),
}


# ---- PyTorch's side ----

def fgm_attack(model, pattern, epsilon):
    """The article's FGM: one norm for each matched matrix; returns what restores the weights."""
    saved = []
    for name, parameter in model.named_parameters():
        if name == pattern:
            norm = parameter.grad.norm()
            if norm != 0 and torch.isfinite(norm):
                saved.append((parameter, parameter.data.clone()))
                parameter.data.add_(epsilon * parameter.grad / norm)
    return saved


def freeze_statistics(model, frozen):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0 if frozen else 0.1


def fgm_by_example(model, epsilon):
    """An offset of length epsilon for each example, along its gradient at the embedding's output."""
    gradient = model.output.grad
    norm = gradient.flatten(1).norm(dim=1)[:, None, None]
    model.offset = epsilon * gradient / norm


def train_torch(model, x, y, steps, make_optimizer, trick=None):
    """Losses of every step, the first gradient, and (trick "ema") the averaged weights."""
    optimizer = make_optimizer(model.parameters())
    losses, first = [], None
    shadow = {n: p.detach().clone() for n, p in model.named_parameters()} if trick == "ema" else None
    for step in range(steps):
        rows = slice(step * BATCH % len(x), step * BATCH % len(x) + BATCH)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        if first is None:
            first = {n: p.grad.detach().double().numpy().copy() for n, p in model.named_parameters()}
        if trick == "fgm":
            saved = fgm_attack(model, getattr(model, "attacked", "fc1.weight"), 1.0)
            if saved:  # a gradient of norm 0 gives no direction; the article would then add the same gradient twice, knack does not
                freeze_statistics(model, True)
                F.cross_entropy(model(x[rows]), y[rows]).backward()
                freeze_statistics(model, False)
            for parameter, before in saved:
                parameter.data.copy_(before)
        if trick == "fgm by example":
            fgm_by_example(model, 1.0)
            F.cross_entropy(model(x[rows]), y[rows]).backward()
            model.offset = None
        optimizer.step()
        if shadow is not None:
            for name, parameter in model.named_parameters():
                shadow[name].add_(parameter.detach() - shadow[name], alpha=1 - 0.9)
        losses.append(loss.item())
    return np.array(losses), first, shadow


# ---- knack's side ----

PLUGINS = {None: [], "ema": [{"name": "ema", "decay": 0.9, "warmup": "none"}],
           "fgm": [{"name": "fgm", "parameters": "fc1.weight", "epsilon": 1.0, "norm": "tensor"}],
           "fgm by example": [{"name": "fgm", "layer": "embedding", "epsilon": 1.0, "norm": "example"}]}


def plugins(kind, trick):
    entries = [dict(entry) for entry in PLUGINS[trick]]
    for entry in entries:
        if "parameters" in entry:
            entry["parameters"] = getattr(kind, "attacked", entry["parameters"])
    return entries


def train_knack(build, folder, kind, steps, optimizer, trick=None):
    """Losses of every step, and the results folder."""
    out = os.path.join(folder, "out")
    config = {
        "data": {"npy": {"inputs": "x.npy", "targets": "y.npy"}, "shuffle": False},
        "model": {**kind.config, "init": "init.safetensors"},
        "train": {"epochs": 1, "batch": BATCH, "optimizer": optimizer, "schedule": {"type": "constant"}, "log_every": "1st"},
        "plugins": plugins(kind, trick),
    }
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file)
    run = subprocess.run([os.path.join(build, "core", "knack"), "run", os.path.join(folder, "config.json"), "--out", out, "--force", "-q"],
                         capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"knack failed: {run.stderr}")
    with open(os.path.join(out, "metrics.jsonl")) as file:
        lines = [json.loads(line) for line in file]
    losses = np.array([line["loss"] for line in lines if "loss" in line and "lr" in line])
    assert len(losses) == steps, (len(losses), steps)
    return losses, out


def knack_gradient(out, model):
    """The first gradient: after one step of AdamW with beta1 0 the first moment is the gradient itself, flat, each parameter from a
    multiple of 64 bytes on, in the order in which the model declares them."""
    checkpoints = sorted(os.listdir(os.path.join(out, "checkpoint")))
    flat = load_file(os.path.join(out, "checkpoint", checkpoints[-1]))["optimizer.0"]
    per_line = 64 // flat.itemsize
    gradient, offset = {}, 0
    for name, parameter in model.named_parameters():
        count = parameter.numel()
        gradient[name] = flat[offset:offset + count].reshape(parameter.shape).astype(np.float64)
        offset += (count + per_line - 1) // per_line * per_line
    assert offset == len(flat), (offset, len(flat))
    return gradient


def distance(a, b):
    """|a - b| over |b|, over all parameters."""
    return np.sqrt(sum(((a[n] - b[n]) ** 2).sum() for n in b) / sum((b[n] ** 2).sum() for n in b))


def make_case(kind, folder, steps, dtype):
    torch.manual_seed(1)
    model = kind().double()
    generator = np.random.default_rng(2)
    if hasattr(kind, "draw"):
        x = kind.draw(generator, steps * BATCH)
    else:
        x = generator.standard_normal((steps * BATCH, *kind.shape)).astype(np.float32).astype(np.float64)
    y = generator.integers(0, 10, steps * BATCH)
    # Weights that float32 holds exactly, so that every program starts from the same numbers.
    for parameter in model.parameters():
        parameter.data = parameter.data.float().double()
    save_file({n: p.detach().numpy().astype(dtype) for n, p in model.named_parameters()}, os.path.join(folder, "init.safetensors"))
    np.save(os.path.join(folder, "x.npy"), x if x.dtype.kind == "i" else x.astype(dtype))
    np.save(os.path.join(folder, "y.npy"), y)
    return model, torch.from_numpy(x), torch.from_numpy(y)


# ---- The comparisons ----

def compare_double(build, kind, optimizer, trick, steps, rows):
    with tempfile.TemporaryDirectory() as folder:
        model, x, y = make_case(kind, folder, steps, np.float64)
        config, make = OPTIMIZERS[optimizer]
        ours, out = train_knack(build, folder, kind, steps, config, trick)
        theirs, _, shadow = train_torch(model, x, y, steps, make, trick)
        worst = np.max(np.abs(ours - theirs) / np.abs(theirs))
        note = ""
        if shadow is not None:
            averaged = load_file(os.path.join(out, "model.safetensors"))
            weights = max(np.max(np.abs(averaged[n] - s.numpy())) / np.max(np.abs(s.numpy())) for n, s in shadow.items())
            worst, note = max(worst, weights), f"averaged weights within {weights:.1e}"
        rows.append((f"{kind.__name__.lower()}, {optimizer}" + (f", {trick}" if trick else ""), steps, worst, worst <= 1e-8, note))


def smooth_agrees(kind, optimizer, ours, exact):
    """Of a network without kinks later losses are judged too."""
    if not issubclass(kind, Encoder) or optimizer != "adamw":
        return True
    return np.max(np.abs(ours - exact)[:50] / exact[:50]) <= 1e-4


def compare_float(build, kind, optimizer, steps, rows):
    with tempfile.TemporaryDirectory() as folder:
        model, x, y = make_case(kind, folder, steps, np.float32)
        config, make = OPTIMIZERS[optimizer]
        ours, _ = train_knack(build, folder, kind, steps, config)
        start = {n: v.clone() for n, v in model.state_dict().items()}
        exact, gradient, _ = train_torch(model, x, y, steps, make)
        single = kind().float()
        single.load_state_dict({n: v.float() if v.is_floating_point() else v for n, v in start.items()})
        single_x = x.float() if x.is_floating_point() else x
        theirs, their_gradient, _ = train_torch(single, single_x, y, steps, make)

        np.save(os.path.join(folder, "x.npy"), single_x.numpy()[:BATCH])
        np.save(os.path.join(folder, "y.npy"), y.numpy()[:BATCH])
        _, out = train_knack(build, folder, kind, 1, {"type": "adamw", "lr": 0.001, "beta1": 0.0})
        our_distance, their_distance = distance(knack_gradient(out, model), gradient), distance(their_gradient, gradient)
        first = abs(ours[0] - exact[0]) / exact[0]
        later = [(s, abs(ours[s - 1] - exact[s - 1]) / exact[s - 1], abs(theirs[s - 1] - exact[s - 1]) / exact[s - 1])
                 for s in (2, 5, 10, 20, 50, 100) if s <= steps]
        rows.append((f"{kind.__name__.lower()}, {optimizer}", first, our_distance, their_distance,
                     first <= 1e-6 and our_distance <= 3 * their_distance and smooth_agrees(kind, optimizer, ours, exact), later))


def report(double_rows, float_rows):
    lines = []
    if double_rows:
        lines += ["| double build against PyTorch float64 | steps | worst relative difference of a loss | at most 1e-8 | |", "|---|---|---|---|---|"]
        lines += [f"| {name} | {steps} | {worst:.1e} | {'yes' if ok else '**no**'} | {note} |" for name, steps, worst, ok, note in double_rows]
    if float_rows:
        lines += ["", "| float build | first loss, relative to float64 (at most 1e-6) | first gradient, distance from float64 | PyTorch float32's (ours at most 3 x) | holds |",
                  "|---|---|---|---|---|"]
        lines += [f"| {name} | {first:.1e} | {ours:.2e} | {theirs:.2e} | {'yes' if ok else '**no**'} |"
                  for name, first, ours, theirs, ok, _ in float_rows]
        steps = [s for s, _, _ in float_rows[0][5]]
        lines += ["", "Distance of a later step's loss from float64's: knack / PyTorch float32 (not judged).", "",
                  "| | " + " | ".join(f"step {s}" for s in steps) + " |", "|---|" + "---|" * len(steps)]
        lines += [f"| {name} | " + " | ".join(f"{a:.0e} / {b:.0e}" for _, a, b in later) + " |" for name, *_, later in float_rows]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--double", help="build folder configured with -Dreal=double")
    parser.add_argument("--float", help="build folder of the shipped program")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--markdown", help="write the tables here")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    double_rows, float_rows = [], []
    cases = [(kind, optimizer) for kind in (Mlp, Cnn, Resnet20, Encoder, EncoderPre) for optimizer in OPTIMIZERS]
    if arguments.double:
        for kind, optimizer in cases:
            compare_double(arguments.double, kind, optimizer, None, arguments.steps, double_rows)
        for kind in (Mlp, Cnn):
            for optimizer in OPTIMIZERS:
                for trick in ("ema", "fgm"):
                    compare_double(arguments.double, kind, optimizer, trick, arguments.steps, double_rows)
        for kind in (Encoder, EncoderPre):
            for trick in ("fgm", "fgm by example"):
                compare_double(arguments.double, kind, "adamw", trick, arguments.steps, double_rows)
    if arguments.float:
        for kind, optimizer in cases:
            compare_float(arguments.float, kind, optimizer, arguments.steps, float_rows)
    text = report(double_rows, float_rows)
    print(text)
    if arguments.markdown:
        with open(arguments.markdown, "w") as file:
            file.write(text + "\n")
    return 0 if all(r[3] for r in double_rows) and all(r[4] for r in float_rows) else 1


if __name__ == "__main__":
    sys.exit(main())
