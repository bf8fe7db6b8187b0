"""Margin heads: logits of the classes from features; with the margin where a target [rows] is given."""
import math

import torch
import torch.nn.functional as F

from .models import parameter, xavier


def head_of(tricks):
    return next((trick for trick in tricks if trick["name"] in HEADS), None)


def initial_directions(seed, trick, classes, width):
    shape = (classes * trick.get("centres", 1), width)
    return parameter(seed, f"{trick['name']}.centres", shape, xavier(shape[1], shape[0]))


def cosines(trick, directions, features):
    """[rows, classes]: of a class's directions the nearest counts."""
    cosine = F.normalize(features) @ F.normalize(directions).T
    return cosine.reshape(len(features), -1, trick.get("centres", 1)).amax(2)


def arcface(trick, own, update):
    """cos(theta + m) as long as theta + m <= pi, then cos(theta) - m sin(m)."""
    m, angle = trick["m"], torch.acos(own)
    if trick.get("easy_margin"):
        return torch.where(own > 0, torch.cos(angle + m), own)
    return torch.where(angle + m <= math.pi, torch.cos(angle + m), own - m * math.sin(m))


def cosface(trick, own, update):
    return own - trick["m"]


def sphereface(trick, own, update):
    """(lambda cos + psi) / (1 + lambda), psi = (-1)^k cos(m theta) - 2 k, where k = floor(m theta / pi)."""
    m, angle = trick["m"], torch.acos(own)
    fall = trick["lambda_base"] * (1 + trick["lambda_gamma"] * update) ** -trick.get("lambda_power", 1)
    weight = max(trick["lambda_min"], fall)
    k = torch.floor(m * angle.detach() / math.pi)
    psi = (-1) ** k * torch.cos(m * angle) - 2 * k
    return (weight * own + psi) / (1 + weight)


HEADS = {"arcface": arcface, "cosface": cosface, "sphereface": sphereface}


def logits(tricks, weights, features, target=None, update=None):
    trick = head_of(tricks)
    if not trick:
        return F.linear(features, weights["head.weight"], weights["head.bias"])
    cosine = cosines(trick, weights[f"{trick['name']}.centres"], features)
    if target is not None:
        own = cosine.gather(1, target[:, None])
        cosine = cosine.scatter(1, target[:, None], HEADS[trick["name"]](trick, own, update))
    return cosine * (features.norm(dim=1, keepdim=True) if trick["name"] == "sphereface" else trick["s"])
