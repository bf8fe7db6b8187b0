"""Models as knack builds them: initial weights, running statistics, and a forward pass over images [rows, height, width, channels]."""
import math

import torch
import torch.nn.functional as F

import random_streams as streams

NORM_EPSILON = 1e-5


def parameter(seed, name, shape, draw):
    key = streams.key_of(seed, f"init.{name}")
    values = [draw(key, (0, 0, 0), element) for element in range(math.prod(shape))]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def he(inputs):
    return lambda *address: math.sqrt(2 / inputs) * streams.normal(*address)


def xavier(inputs, outputs):
    return lambda *address: math.sqrt(6 / (inputs + outputs)) * (2 * streams.uniform(*address) - 1)


def as_layers(model):
    """The built-in mlp and cnn as lists of (name, kind, options)."""
    if model["type"] == "layers":
        prefix, count, layers = {"linear": "fc", "batch-norm": "bn"}, {}, []
        for layer in model["layers"]:
            name = prefix.get(layer["type"], layer["type"])
            count[name] = count.get(name, 0) + 1
            layers.append((f"{name}{count[name]}", layer["type"], layer))
        return layers
    layers = []
    for k, channels in enumerate(model.get("channels", []), 1):
        layers += [(f"conv{k}", "conv", {"size": channels}), (f"bn{k}", "batch-norm", {}), (None, "relu", {}),
                   (f"block{k}", "max-pool", {})]
    layers.append((None, "flatten", {}))
    for k, size in enumerate(model["hidden"], 1):
        layers += [(None, "linear", {"size": size, "of": f"fc{k}"}), (f"fc{k}", "relu", {}),
                   (None, "dropout", {"rate": model.get("dropout", 0), "of": f"fc{k}"})]
    return layers


class Model:
    """weights and statistics: {name: tensor}, in knack's layouts. A pass says what happens at layers, norms and dropout."""

    def __init__(self, config, x, outputs):
        self.layers, self.weights, self.statistics = as_layers(config["model"]), {}, {}
        seed, shape = config["seed"], list(x.shape[1:])
        for name, kind, options in self.layers:
            shape = self.declare(seed, options.get("of", name), kind, options, shape)
        self.width = shape[0]
        if not any(trick["name"].endswith("face") for trick in config["plugins"]):
            self.declare(seed, "head", "linear", {"size": outputs}, shape)

    def declare(self, seed, name, kind, options, shape):
        """Returns the shape of what comes out."""
        if kind == "linear":
            self.weights[f"{name}.weight"] = parameter(seed, f"{name}.weight", (options["size"], shape[0]), he(shape[0]))
            if options.get("bias", True):
                self.weights[f"{name}.bias"] = torch.zeros(options["size"], dtype=torch.float64)
            return [options["size"]]
        if kind == "conv":
            full = (options["size"], shape[2], 3, 3)
            self.weights[f"{name}.weight"] = parameter(seed, f"{name}.weight", full, he(9 * shape[2]))
            return [*shape[:2], options["size"]]
        if kind == "batch-norm":
            for store, key, value in ((self.weights, "weight", 1), (self.weights, "bias", 0), (self.statistics, "mean", 0),
                                      (self.statistics, "variance", 1)):
                store[f"{name}.{key}"] = torch.full((shape[-1],), value, dtype=torch.float64)
        if kind == "max-pool":
            return [shape[0] // 2, shape[1] // 2, shape[2]]
        return [math.prod(shape)] if kind == "flatten" else shape

    def features(self, weights, x, run):
        x = run.layer("input", x)
        for name, kind, options in self.layers:
            own = options.get("of", name)
            if kind == "linear":
                x = F.linear(x, weights[f"{own}.weight"], weights.get(f"{own}.bias"))
            elif kind == "conv":
                x = F.conv2d(x.permute(0, 3, 1, 2), weights[f"{own}.weight"], padding=1).permute(0, 2, 3, 1)
            elif kind == "batch-norm":
                mean, variance = run.moments(own, x)
                x = (x - mean) / torch.sqrt(variance + NORM_EPSILON) * weights[f"{own}.weight"] + weights[f"{own}.bias"]
            elif kind == "max-pool":
                x = F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
            elif kind == "dropout":
                x = run.dropout(own, options["rate"], x)
            else:
                x = F.relu(x) if kind == "relu" else x.flatten(1)
            if name:
                x = run.layer(name, x)
        return x


# ---- Passes that do not train ----

class Evaluation:
    """Nothing is random, and norms use the running statistics."""

    def __init__(self, statistics):
        self.statistics = statistics

    def layer(self, name, x):
        return x

    def dropout(self, name, rate, x):
        return x

    def mask(self, name, rate, rows, elements):
        return torch.ones(rows, elements, dtype=torch.float64)

    def moments(self, name, x):
        return self.statistics[f"{name}.mean"], self.statistics[f"{name}.variance"]


class Estimation(Evaluation):
    """Norms use each batch's own moments; all that they saw is kept."""

    def __init__(self):
        self.seen = {}

    def moments(self, name, x):
        values = x.flatten(0, -2)
        self.seen.setdefault(name, []).append(values)
        return values.mean(0), values.var(0, unbiased=False)


def estimated_statistics(model, weights, x):
    """Of weights, from all training inputs: mean and variance of every value that a norm sees, in batches of 128."""
    run = Estimation()
    for batch in x.split(128):
        model.features(weights, batch, run)
    values = {name: torch.cat(seen) for name, seen in run.seen.items()}
    return {f"{name}.{key}": moment for name, all in values.items() for key, moment in (("mean", all.mean(0)), ("variance", all.var(0)))}
