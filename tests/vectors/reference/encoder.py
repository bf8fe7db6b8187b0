"""The encoder as its definition has it: every row at full length, padding kept out by masks."""
import math

import torch
import torch.nn.functional as F

from .models import NORM_EPSILON, he, parameter, streams


def blocks(width):
    """A vector's numbers of dropout come in whole blocks of eight."""
    return (width + 7) // 8 * 8


class Encoder:
    """weights: {name: tensor}, in knack's layouts. x is [rows, length] of token ids."""

    def __init__(self, config, x, outputs):
        self.options = {"padding": -1, "dropout": 0, "norm": "post", "pooling": "cls", **config["model"]}
        self.weights, self.statistics, self.seed = {}, {}, config["seed"]
        self.width, self.length = self.options["width"], x.shape[1]
        self.post, self.mean = self.options["norm"] == "post", self.options["pooling"] == "mean"
        self.declare()
        if not any(trick["name"].endswith("face") for trick in config["plugins"]):
            self.linear("head", self.width, outputs)

    def declare(self):
        width, hidden = self.width, self.options["feedforward"]
        self.table("embedding", self.options["vocabulary"])
        self.table("positions", self.length)
        self.norm("embedding.norm" if self.post else "norm")
        for k in range(1, self.options["layers"] + 1):
            self.linear(f"layer{k}.attention.in", width, 3 * width)
            self.linear(f"layer{k}.attention.out", width, width)
            self.norm(f"layer{k}.norm1")
            self.linear(f"layer{k}.fc1", width, hidden)
            self.linear(f"layer{k}.fc2", hidden, width)
            self.norm(f"layer{k}.norm2")

    def table(self, name, entries):
        normal = lambda *address: 0.02 * streams.normal(*address)
        self.weights[f"{name}.weight"] = parameter(self.seed, f"{name}.weight", (entries, self.width), normal)

    def linear(self, name, inputs, outputs):
        self.weights[f"{name}.weight"] = parameter(self.seed, f"{name}.weight", (outputs, inputs), he(inputs))
        self.weights[f"{name}.bias"] = torch.zeros(outputs, dtype=torch.float64)

    def norm(self, name):
        self.weights[f"{name}.weight"] = torch.ones(self.width, dtype=torch.float64)
        self.weights[f"{name}.bias"] = torch.zeros(self.width, dtype=torch.float64)

    def features(self, weights, x, run):
        return Pass(self, weights, run.layer("input", x).long(), run).features()


class Pass:
    """Over ids [rows, length]; there [rows, length] says which are no padding."""

    def __init__(self, model, weights, ids, run):
        self.model, self.options, self.weights, self.ids, self.run = model, model.options, weights, ids, run
        self.there = ids != self.options["padding"]
        self.rows, self.length = ids.shape

    def features(self):
        x = self.weights["embedding.weight"][self.ids] + self.weights["positions.weight"]
        x = self.seen("embedding", x)
        if self.model.post:
            x = self.norm("embedding.norm", x)
        x = self.dropped("embedding", x)
        for k in range(1, self.options["layers"] + 1):
            x = (self.post_norm if self.model.post else self.pre_norm)(f"layer{k}", x)
            if k < self.options["layers"] or self.model.mean:
                x = self.seen(f"layer{k}", x)
        if not self.model.mean:
            x = self.run.layer(f"layer{k}", x[torch.arange(self.rows), self.there.int().argmax(1)])
        if not self.model.post:
            x = self.norm("norm", x)
        return (x * self.there[..., None]).sum(1) / self.there.sum(1, keepdim=True) if self.model.mean else x

    def seen(self, name, x):
        """Tricks see zeros where there is padding, and what they put there is nobody's."""
        return self.run.layer(name, x * self.there[..., None]) * self.there[..., None]

    def post_norm(self, name, x):
        x = self.norm(f"{name}.norm1", x + self.dropped(f"{name}.attention.out", self.attention(name, x)))
        return self.norm(f"{name}.norm2", x + self.dropped(f"{name}.fc2", self.feedforward(name, x)))

    def pre_norm(self, name, x):
        x = x + self.dropped(f"{name}.attention.out", self.attention(name, self.norm(f"{name}.norm1", x)))
        return x + self.dropped(f"{name}.fc2", self.feedforward(name, self.norm(f"{name}.norm2", x)))

    def linear(self, name, x):
        return F.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def norm(self, name, x):
        return F.layer_norm(x, (self.model.width,), self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], NORM_EPSILON)

    def feedforward(self, name, x):
        return self.linear(f"{name}.fc2", self.dropped(f"{name}.fc1", F.gelu(self.linear(f"{name}.fc1", x))))

    def attention(self, name, x):
        heads = self.options["heads"]
        q, k, v = (part.reshape(self.rows, self.length, heads, -1).transpose(1, 2)
                   for part in self.linear(f"{name}.attention.in", x).chunk(3, 2))
        scores = q @ k.transpose(2, 3) / math.sqrt(self.model.width / heads)
        p = scores.masked_fill(~self.there[:, None, None, :], -math.inf).softmax(3)
        return self.linear(f"{name}.attention.out", (self.probabilities_dropped(name, p) @ v).transpose(1, 2).flatten(2))

    # ---- Dropout ----

    def mask(self, name, *sizes):
        """[rows, *sizes], of consecutive numbers."""
        return self.run.mask(name, self.options["dropout"], self.rows, math.prod(sizes)).reshape(self.rows, *sizes)

    def dropped(self, name, x):
        """Element j of the token at place t is number t W + j, W being the width in whole blocks."""
        return x * self.mask(name, self.length, blocks(x.shape[2]))[:, :, :x.shape[2]] if self.options["dropout"] else x

    def probabilities_dropped(self, name, p):
        """Of a row's ith token for its jth in head h: number (h length + i) L + j, L being the length in whole blocks."""
        if not self.options["dropout"]:
            return p
        mask = self.mask(f"{name}.attention", p.shape[1], self.length, blocks(self.length))
        number = (self.there.cumsum(1) - 1).clamp(min=0)  # of a place's token among those of its row
        return torch.stack([p[row] * mask[row][:, number[row]][:, :, number[row]] for row in range(self.rows)])
