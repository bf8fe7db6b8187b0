"""The loop: steps, weight sets, evaluations."""
import math

import torch

from . import attacks, averages, heads
from .data import Data
from .encoder import Encoder
from .models import Model
from .prediction import Predictor


def scheduled_rate(settings, updates):
    """The learning rate of update `number`, from 0: constant, or half a cosine."""
    rate = settings["optimizer"]["lr"]
    if settings.get("schedule", {}).get("type") == "cosine":
        return lambda number: rate * (1 + math.cos(math.pi * number / updates)) / 2
    return lambda number: rate


def clipped(trick, gradient):
    if trick.get("mode") == "value":
        return {name: g.clamp(-trick["max_norm"], trick["max_norm"]) for name, g in gradient.items()}
    norm = math.sqrt(sum(g.square().sum().item() for g in gradient.values()))
    return {name: g * min(1, trick["max_norm"] / norm) for name, g in gradient.items()}


class Training:
    def __init__(self, config):
        self.config, self.tricks, self.data = config, config["plugins"], Data(config)
        x, y = self.data.parts["train"]
        self.model = (Encoder if config["model"]["type"] == "encoder" else Model)(config, x, self.data.outputs)
        head = heads.head_of(self.tricks)
        if head:
            directions = heads.initial_directions(config["seed"], head, self.data.outputs, self.model.width)
            self.model.weights[f"{head['name']}.centres"] = directions
        self.counts = None if self.data.is_regression else torch.bincount(y)
        self.moment = {name: torch.zeros_like(value) for name, value in self.model.weights.items()}
        self.averages = averages.of_tricks(self.tricks, self.model, x)
        self.predictor = Predictor(self.tricks, self.model, self.data.is_regression)
        self.losses, self.evaluations, self.best = [], [], (-1, None)

    def run(self):
        settings, size = self.config["train"], self.config["train"]["batch"]
        updates = settings["epochs"] * -(-len(self.data.parts["train"][0]) // size)
        scheduled = scheduled_rate(settings, updates)
        for epoch in range(settings["epochs"]):
            for number, x, y in self.data.batches(epoch, size, len(self.losses)):
                step = attacks.Step(self.model, self.config["seed"], number, epoch, self.tricks, self.counts, x, y)
                self.update(step.gradient(self.model.weights)[0], self.rate(number, scheduled))
                self.losses.append(step.loss)
                for average in self.averages.values():
                    average.update(number + 1)
            if "validation" in self.data.parts:
                self.evaluate("validation", self.sets())
        final = {**self.sets(is_over=True), **({"best": self.best[1]} if self.best[1] else {})}
        for part in ("validation", "test"):
            if part in self.data.parts:
                self.evaluate(part, final, is_over=True)
        return self.losses, self.evaluations, final

    def rate(self, number, scheduled):
        changed = [average.rate(number, scheduled) for average in self.averages.values() if hasattr(average, "rate")]
        return next((rate for rate in changed if rate != scheduled(number)), scheduled(number))

    def update(self, gradient, rate):
        """SGD with momentum; weight decay is L2, of all but vectors."""
        optimizer, weights = self.config["train"]["optimizer"], self.model.weights
        for trick in self.tricks:
            gradient = clipped(trick, gradient) if trick["name"] == "grad-clip" else gradient
        for name, value in weights.items():
            decay = optimizer.get("weight_decay", 0) if value.dim() > 1 else 0
            self.moment[name] = optimizer["momentum"] * self.moment[name] + gradient[name] + decay * value
            weights[name] = value - rate * self.moment[name]

    def sets(self, is_over=False):
        """{name: (weights, statistics)} of those that there are by now."""
        held = {"raw": (dict(self.model.weights), dict(self.model.statistics))}
        for name, average in self.averages.items():
            own = average.final() if is_over and hasattr(average, "final") else average.set()
            held.update({name: own} if own else {})
        return held

    def members(self):
        return next((own.taken for own in self.averages.values() if type(own) is averages.Snapshots), ())

    def evaluate(self, part, held, is_over=False):
        """Notes (weights, part, loss) of each set; at the end of the trained weights also without tricks that change predictions.
        Before, the first average, or the trained weights, is kept if it is more often right than any was."""
        x, y = self.data.parts[part]
        primary = next((name for name in held if name != "raw"), "raw")
        for name, own in held.items():
            prediction = self.predictor.predict(own, x, self.members() if name == "raw" else ())
            self.evaluations.append((name, part, self.predictor.loss(prediction, y)))
            if name == primary and not is_over:
                right = (prediction.argmax(1) == y).sum().item()
                self.best = max(self.best, (right, own), key=lambda pair: pair[0])
            if name == "raw" and is_over and any(trick["name"] in ("tta", "snapshot-ensemble") for trick in self.tricks):
                self.evaluations.append(("plain", part, self.predictor.loss(self.predictor.one(own, x), y)))
