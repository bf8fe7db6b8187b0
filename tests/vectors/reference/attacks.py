"""The gradient of a step: passes, and the tricks that ask for more than one. Each wraps those behind it in the list."""
import fnmatch
import functools
import math

import torch

import random_streams as streams

from . import heads, losses, mixing

MOMENTUM = 0.1  # of running statistics


@functools.lru_cache(maxsize=32)
def dropout_mask(seed, layer, rate, batch, rows, width, redraw):
    key = streams.key_of(seed, f"dropout.{layer}")
    kept = [streams.mask(key, (batch, row, redraw), 0, width, rate) for row in range(rows)]
    return torch.tensor(kept, dtype=torch.float64) / (1 - rate)


class Forward:
    """One pass through the model in training."""

    def __init__(self, step, offsets, redraw, moves):
        self.step, self.offsets, self.redraw, self.moves = step, offsets, redraw, moves

    def layer(self, name, x):
        """Tricks in their order; one that attacks this layer has an offset, 0 at first."""
        for trick in self.step.tricks:
            if self.step.mix and mixing.is_mixer(trick) and self.step.mix.layer == name:
                x = self.step.mix.rows(x)
            if trick["name"] in ATTACKS and trick.get("layer") == name:
                own = mixing.instance(trick)
                if own not in self.offsets:
                    self.offsets[own] = torch.zeros_like(x) if trick["name"] != "freelb" else noise(self.step, trick, x)
                if not self.offsets[own].requires_grad:
                    self.offsets[own] = self.offsets[own].detach().requires_grad_()
                x = x + self.offsets[own]
        return x

    def dropout(self, name, rate, x):
        return x * self.mask(name, rate, len(x), x.shape[1]) if rate else x

    def mask(self, name, rate, rows, elements):
        return dropout_mask(self.step.seed, name, rate, self.step.number, rows, elements, self.redraw)

    def moments(self, name, x):
        values = x.flatten(0, -2)
        mean, variance = values.mean(0), values.var(0, unbiased=False)
        if self.moves:
            for key, moment in (("mean", mean), ("variance", values.var(0))):
                running = self.step.model.statistics
                running[f"{name}.{key}"] = (1 - MOMENTUM) * running[f"{name}.{key}"] + MOMENTUM * moment.detach()
        return mean, variance


class Step:
    """One logical batch."""

    def __init__(self, model, seed, number, epoch, tricks, counts, x, y):
        self.model, self.seed, self.number, self.epoch, self.counts, self.x = model, seed, number, epoch, counts, x
        self.tricks = mixing.acting(seed, tricks, number)
        self.mix = mixing.draw_mix(seed, self.tricks, number, x)
        self.targets = [(torch.ones(len(x), dtype=torch.float64), y)]
        if self.mix:
            self.targets = [(self.mix.share, y), (1 - self.mix.share, y[self.mix.partner])]
        self.passes, self.loss = 0, None

    def loss_of(self, weights, offsets, redraw):
        forwards = 2 if any(trick["name"] == "rdrop" for trick in self.tricks) else 1
        features = [self.model.features(weights, self.x, Forward(self, offsets, redraw + n, self.passes == 0 and n == 0))
                    for n in range(forwards)]
        total = 0
        for share, target in self.targets:
            logits = [heads.logits(self.tricks, weights, z, target, self.number) for z in features]
            total = total + (share * losses.items(self.tricks, self.counts, logits, target)).sum()
        return total / len(self.x)

    def one_pass(self, weights, offsets, redraw):
        """Gradients {name: tensor} of the weights and of the offsets of layers."""
        weights = {name: value.detach().requires_grad_() for name, value in weights.items()}
        offsets = dict(offsets)
        loss = self.loss_of(weights, offsets, self.passes << 16 if redraw else 0)
        found = torch.autograd.grad(loss, [*weights.values(), *offsets.values()])
        if self.passes == 0:
            self.loss, self.noise = loss.item(), {name: value.detach() for name, value in offsets.items()}
        self.passes += 1
        return dict(zip(weights, found)), dict(zip(offsets, found[len(weights):]))

    def gradient(self, weights, offsets={}, redraw=False, outside=0):
        """As the attacks behind the first `outside` of the list make it."""
        attacks = [trick for trick in self.tricks if trick["name"] in ATTACKS]
        if outside == len(attacks):
            return self.one_pass(weights, offsets, redraw)
        inner = lambda weights, offsets, redraw=redraw: self.gradient(weights, offsets, redraw, outside + 1)
        return ATTACKS[attacks[outside]["name"]](self, attacks[outside], weights, offsets, inner)


# ---- Directions ----

def lengths(trick, g):
    """Of the whole tensor, of each row of a matrix, or of each example, which is a row of a layer's output."""
    norm = trick.get("norm", "example" if "layer" in trick else "tensor")
    if norm == "tensor":
        return g.norm()
    if norm == "row":
        return g.norm(dim=-1, keepdim=True)
    return g.flatten(1).norm(dim=1).reshape(-1, *[1] * (g.dim() - 1))


def direction(trick, g):
    """g / |g|, 0 where g is."""
    length = lengths(trick, g)
    return torch.where(length > 0, g / length, torch.zeros_like(g))


def project(trick, r, radius):
    length = lengths(trick, r)
    return torch.where(length > radius, r * (radius / length), r)


def total(one, other, share=1):
    return {name: one[name] + share * other[name] for name in one}


def attacked_parameters(trick, weights):
    return fnmatch.filter(weights, trick.get("parameters", "*"))


# ---- Tricks: (step, trick, weights, offsets, inner) -> gradients of weights and offsets ----

def climb(step, trick, weights, offsets, inner, steps, move):
    """Clean gradient, plus coefficient times that after so many moves: move(r, g) -> r, from r = 0, in a layer or in parameters."""
    own, redraw = mixing.instance(trick), trick.get("redraw", False)
    clean, by_offset = inner(weights, offsets)
    again, attacked = clean, None
    for _ in range(steps):
        if "layer" in trick:
            attacked = {own: move(attacked[own] if attacked else torch.zeros_like(by_offset[own]), by_offset[own])}
            again, by_offset = inner(weights, {**offsets, **attacked}, redraw)
        else:
            chosen = attacked_parameters(trick, weights)
            attacked = {name: move(attacked[name] if attacked else torch.zeros_like(again[name]), again[name]) for name in chosen}
            again, by_offset = inner({**weights, **{name: weights[name] + r for name, r in attacked.items()}}, offsets, redraw)
    return total(clean, again, trick.get("coefficient", 1)), by_offset


def fgm(step, trick, weights, offsets, inner):
    return climb(step, trick, weights, offsets, inner, 1, lambda r, g: trick["epsilon"] * direction(trick, g))


def pgd(step, trick, weights, offsets, inner):
    move = lambda r, g: project(trick, r + trick["alpha"] * direction(trick, g), trick["epsilon"])
    return climb(step, trick, weights, offsets, inner, trick["steps"], move)


def noise(step, trick, x):
    """Uniform in -1 ... 1, times init_mag, and for the Euclidean norm over the root of the number of an example's entries that have any."""
    key = streams.key_of(step.seed, f"trick.{mixing.instance(trick)}")
    drawn = [streams.uniform(key, (step.number, 0, 0), element) for element in range(x.numel())]
    r = 2 * torch.tensor(drawn, dtype=torch.float64).reshape(x.shape) - 1
    entries = torch.ones_like(x)
    if trick.get("padding") == "zeros":
        entries = (x != 0).any(-1, keepdim=True).expand(x.shape).double()
    count = entries.flatten(1).sum(1).reshape(-1, *[1] * (x.dim() - 1))
    return entries * r * trick["init_mag"] / (1 if trick.get("norm_type") == "linf" else count.sqrt())


def freelb(step, trick, weights, offsets, inner):
    """Mean gradient over the passes under r_0 = noise, r_1, ..., r_(K-1)."""
    own, largest, radius = mixing.instance(trick), trick.get("norm_type") == "linf", trick["max_norm"]
    mean, by_offset = inner(weights, offsets)
    mean, r = {name: g / trick["steps"] for name, g in mean.items()}, step.noise[own]
    for _ in range(trick["steps"] - 1):
        g = by_offset[own]
        each = g.flatten(1).abs().amax(1) if largest else g.flatten(1).norm(dim=1)
        r = r + trick["adv_lr"] * g / each.clamp(min=1e-8).reshape(-1, *[1] * (g.dim() - 1))
        if radius:
            r = r.clamp(-radius, radius) if largest else project({"norm": "example"}, r, radius)
        again, by_offset = inner(weights, {**offsets, own: r})
        mean = total(mean, again, 1 / trick["steps"])
    return mean, by_offset


def awp(step, trick, weights, offsets, inner):
    """gamma |w| g / |g| of each tensor that has enough axes."""
    clean, by_offset = inner(weights, offsets)
    if step.epoch < trick.get("start_epoch", 0):
        return clean, by_offset
    shifted = dict(weights)
    for name in attacked_parameters(trick, weights):
        if weights[name].dim() >= trick.get("min_ndim", 2):
            shifted[name] = weights[name] + trick["gamma"] * weights[name].norm() * clean[name] / clean[name].norm()
    again, by_offset = inner(shifted, offsets)
    return (again if trick.get("replace", True) else total(clean, again)), by_offset


def sam(step, trick, weights, offsets, inner):
    """e = rho T^2 g / |T g| over all parameters, T = 1 or, adaptive, |w|."""
    clean, by_offset = inner(weights, offsets)
    if step.number % trick.get("interval", 1):
        return clean, by_offset
    scale = {name: value.abs() if trick.get("adaptive") else torch.ones_like(value) for name, value in weights.items()}
    length = math.sqrt(sum((scale[name] * g).square().sum().item() for name, g in clean.items()))
    e = {name: trick["rho"] * scale[name] ** 2 * g / (length + 1e-12) for name, g in clean.items()}
    return inner(total(weights, e), offsets)


ATTACKS = {"fgm": fgm, "pgd": pgd, "freelb": freelb, "awp": awp, "sam": sam}
