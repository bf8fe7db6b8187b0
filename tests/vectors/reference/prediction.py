"""Predictions [rows, classes], or numbers in a regression, and what an evaluation says of them."""
import torch
import torch.nn.functional as F

from . import heads
from .data import view
from .models import Evaluation


class Predictor:
    def __init__(self, tricks, model, is_regression):
        self.tricks, self.model, self.is_regression = tricks, model, is_regression
        self.tta = next((trick for trick in tricks if trick["name"] == "tta"), None)

    def logits(self, held, x):
        weights, statistics = held
        return heads.logits(self.tricks, weights, self.model.features(weights, x, Evaluation(statistics)))

    def one(self, held, x):
        return self.logits(held, x) if self.is_regression else F.softmax(self.logits(held, x), 1)

    def views(self, held, x):
        """Of each example all views, merged."""
        names = self.tta["views"]
        if "identity" not in names and self.tta.get("identity", True):
            names = ["identity", *names]
        share = torch.tensor(self.tta.get("weights", [1.0] * len(names)), dtype=torch.float64)
        share = (share / share.sum())[:, None, None]
        merge, seen = self.tta.get("merge", "mean"), [view(x, name) for name in names]
        if merge == "logit":
            return F.softmax((share * torch.stack([self.logits(held, image) for image in seen])).sum(0), 1)
        p = torch.stack([self.one(held, image) for image in seen])
        if merge == "mean":
            return (share * p).sum(0)
        p = p.amax(0) if merge == "max" else (p.clamp(min=1e-12) ** share).prod(0)
        return p / p.sum(1, keepdim=True)

    def predict(self, held, x, members=()):
        """members: sets that predict in the place of `held`."""
        each = self.views if self.tta else self.one
        return sum(each(member, x) for member in members) / len(members) if members else each(held, x)

    def loss(self, prediction, target):
        if self.is_regression:
            return (prediction - target).square().mean().item()
        return -prediction.gather(1, target[:, None]).clamp(min=1e-12).log().mean().item()
