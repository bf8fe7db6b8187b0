"""Weight sets beside the trained one. A set is a pair of dicts {name: tensor}: weights and running statistics."""
import math

from .mixing import instance
from .models import estimated_statistics


def mean(sets):
    return {name: sum(weights[name] for weights in sets) / len(sets) for name in sets[0]}


class Average:
    """EMA: s <- beta s + (1 - beta) w; debiased: from s = 0, divided by 1 - beta^t.

    Running statistics are the latest, averaged like weights, or estimated anew."""

    def __init__(self, trick, model, x):
        self.warmup, self.start, self.every = trick.get("warmup", "tf"), trick.get("start", 0), trick.get("every", 1)
        self.beta = (2 ** (-1 / trick["half_life"]) if "half_life" in trick else trick["decay"]) ** self.every
        self.buffers, self.model, self.x = trick.get("buffers", "copy"), model, x
        self.count, self.sums = 0, [dict(model.weights), dict(model.statistics)]
        if self.warmup == "debias":
            self.sums = [{name: 0 * value for name, value in values.items()} for values in self.sums]

    def decay(self):
        t = self.count
        if self.warmup == "tf":
            return min(self.beta, (1 + t) / (10 + t))
        return min(self.beta, 1 - t ** (-2 / 3)) if self.warmup == "power" else self.beta

    def update(self, number):
        if number <= self.start or (number - self.start) % self.every:
            return
        self.count += 1
        beta = 0 if self.count == 1 and self.start else self.decay()
        self.sums = [{name: beta * sums[name] + (1 - beta) * value for name, value in values.items()}
                     for sums, values in zip(self.sums, (self.model.weights, self.model.statistics))]

    def set(self):
        divisor = 1 - self.beta**self.count if self.warmup == "debias" else 1
        weights, statistics = ({name: value / divisor for name, value in sums.items()} for sums in self.sums)
        if self.buffers == "copy":
            statistics = self.model.statistics
        return weights, estimated_statistics(self.model, weights, self.x) if self.buffers == "reestimate" else statistics


class StochasticAverage:
    """SWA: the mean of the weights after each stretch of updates from start on, and the rate on its way there."""

    def __init__(self, trick, model, x):
        self.trick, self.model, self.x, self.taken = trick, model, x, []

    def rate(self, number, scheduled):
        """Of update `number`, from 0; scheduled: the schedule's, of any update."""
        t, whole = number - self.trick["start"], self.trick.get("anneal_epochs", 0)
        if "lr" not in self.trick or t < 1:
            return scheduled(number)
        share = min(t / whole, 1) if whole else 1
        share = share if self.trick.get("anneal") == "linear" else (1 - math.cos(math.pi * share)) / 2
        return share * self.trick["lr"] + (1 - share) * scheduled(self.trick["start"])

    def update(self, number):
        if number > self.trick["start"] and number % self.trick["every"] == 0:
            self.taken.append(dict(self.model.weights))

    def set(self):
        if not self.taken:
            return None
        weights = mean(self.taken)
        return weights, estimated_statistics(self.model, weights, self.x)


class Snapshots:
    """The latest sets at the ends of stretches of updates."""

    def __init__(self, trick, model, x):
        self.trick, self.model, self.x, self.taken = trick, model, x, []

    def rate(self, number, scheduled):
        every = self.trick["every"]
        return scheduled(number) * ((1 + math.cos(math.pi * (number % every) / every)) / 2 if self.trick.get("cyclic") else 1)

    def update(self, number):
        if number % self.trick["every"] == 0:
            self.taken = [*self.taken, (dict(self.model.weights), dict(self.model.statistics))][-self.trick["count"]:]

    def set(self):
        return None


class CheckpointAverage(Snapshots):
    """Their mean, when training is over."""

    def rate(self, number, scheduled):
        return scheduled(number)

    def final(self):
        weights = mean([weights for weights, _ in self.taken])
        return weights, estimated_statistics(self.model, weights, self.x) if len(self.taken) > 1 else self.taken[0][1]


KINDS = {"ema": Average, "swa": StochasticAverage, "snapshot-ensemble": Snapshots, "checkpoint-average": CheckpointAverage}


def of_tricks(tricks, model, x):
    return {instance(trick): KINDS[trick["name"]](trick, model, x) for trick in tricks if trick["name"] in KINDS}
