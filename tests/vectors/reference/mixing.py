"""What mixes the rows of a batch: mixup and CutMix, of which one acts in each batch."""
import math

import torch

import random_streams as streams

UNIFORM, BETA, PAIRS = range(3)  # kinds of draws: streams of their own
DRAW_PAIRS, DRAW_LAMBDA, DRAW_LAYER = range(3)  # what mixup draws for
DRAW_CENTRE, DRAW_WHETHER = 2, 3  # and CutMix, besides pairs and lambda


def instance(trick):
    return trick.get("as", trick["name"])


def is_mixer(trick):
    return trick["name"] in ("mixup", "cutmix")


def acting(seed, tricks, batch):
    """Without those of the group "mix" whose turn it is not: one is drawn by share."""
    group = [trick for trick in tricks if is_mixer(trick)]
    draw = streams.uniform(streams.key_of(seed, "one_of.mix"), (batch, 0, 0), 0) * sum(trick.get("share", 1) for trick in group)
    chosen = None
    for trick in group:
        if draw >= 0:
            chosen = trick
        draw -= trick.get("share", 1)
    return [trick for trick in tricks if not is_mixer(trick) or trick is chosen]


class Mix:
    """Where a batch is mixed; partner [rows]; keep [rows] or of one image, what stays there; share [rows] of a row's own target."""

    def __init__(self, layer, partner, keep, share):
        self.layer, self.partner, self.keep, self.share = layer, partner, keep, share

    def rows(self, x):
        keep = self.keep.reshape(-1, *[1] * (x.dim() - 1)) if self.keep.dim() == 1 else self.keep
        return keep * x + (1 - keep) * x[self.partner]


def draw_partner(key, batch, rows):
    order = streams.permutation(key, (batch, DRAW_PAIRS, PAIRS), rows)
    partner = list(range(rows))
    for one, other in zip(order[0::2], order[1::2]):
        partner[one], partner[other] = other, one
    return partner


def draw_mixup(seed, trick, batch, x):
    key, rows = streams.key_of(seed, f"trick.{instance(trick)}"), len(x)
    partner = draw_partner(key, batch, rows)
    count = rows if trick.get("mode") == "row" else 1
    drawn = [streams.beta(key, (batch, DRAW_LAMBDA, BETA), element, trick["alpha"], trick["alpha"]) for element in range(count)]
    share = [max(own, 1 - own) for own in (drawn if count == rows else drawn * rows)]
    share = torch.tensor([1.0 if partner[row] == row else share[row] for row in range(rows)], dtype=torch.float64)
    layers = trick.get("layer", "input")
    layers = [layers] if isinstance(layers, str) else layers
    pick = streams.uniform(key, (batch, DRAW_LAYER, UNIFORM), 0) if len(layers) > 1 else 0
    return Mix(layers[int(pick * len(layers))], partner, share, share)


def draw_cutmix(seed, trick, batch, x):
    """Sides int(r H) and int(r W), r = sqrt(1 - lambda), halved and rounded down about a centre, cut off at the edges; then the share
    of an image that is left."""
    key, (rows, height, width, _) = streams.key_of(seed, f"trick.{instance(trick)}"), x.shape
    if streams.uniform(key, (batch, DRAW_WHETHER, UNIFORM), 0) >= trick.get("prob", 1):
        return None
    drawn = streams.beta(key, (batch, DRAW_LAMBDA, BETA), 0, trick["alpha"], trick["alpha"])
    centre = [int(streams.uniform(key, (batch, DRAW_CENTRE, UNIFORM), axis) * size) for axis, size in enumerate((height, width))]
    half = [int(math.sqrt(1 - drawn) * size) // 2 for size in (height, width)]
    keep = torch.ones(height, width, 1, dtype=torch.float64)
    keep[max(centre[0] - half[0], 0):centre[0] + half[0], max(centre[1] - half[1], 0):centre[1] + half[1]] = 0
    partner = draw_partner(key, batch, rows)
    share = keep.mean().expand(rows).clone()
    share[[row for row in range(rows) if partner[row] == row]] = 1
    return Mix("input", partner, keep, share)


DRAWS = {"mixup": draw_mixup, "cutmix": draw_cutmix}


def draw_mix(seed, tricks, batch, x):
    """None: the batch is left as it is."""
    for trick in tricks:
        if is_mixer(trick) and batch < trick.get("until", math.inf):
            return DRAWS[trick["name"]](seed, trick, batch, x)
    return None
