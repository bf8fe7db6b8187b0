"""The data of the cases: the digits, and two small sets which the test writes by the same formulas."""
import gzip
import pathlib

import numpy as np
import torch

import random_streams as streams


class Data:
    """Parts {name: (inputs [n, height, width, 1] or [n, values], class ids [n] or targets [n, outputs])}."""

    def __init__(self, config):
        files = config["data"].get("idx") or config["data"].get("npy")
        train, test = SOURCES[files["inputs"] if files else "digits"]()
        self.parts = {"train": train, **self.hold_out(config["data"], train), **({"test": test} if test else {})}
        if "positive" in config["data"]:
            positive = torch.tensor(config["data"]["positive"])
            self.parts = {name: (x, torch.isin(y, positive).long()) for name, (x, y) in self.parts.items()}
        y = self.parts["train"][1]
        self.is_regression = y.is_floating_point()
        self.outputs = y.shape[1] if self.is_regression else int(y.max()) + 1
        self.shuffle, self.augment = config["data"].get("shuffle", True), config["data"].get("augment", [])
        self.seed = config["seed"]

    @staticmethod
    def hold_out(settings, train):
        """Moves so many random examples into a part of their own."""
        count = settings.get("validation")
        if not count:
            return {}
        order = streams.permutation(streams.key_of(0, "data.validation"), (0, 0, 0), len(train[0]))
        chosen = torch.zeros(len(train[0]), dtype=torch.bool)
        chosen[order[:count]] = True
        return {"train": tuple(t[~chosen] for t in train), "validation": tuple(t[chosen] for t in train)}

    def batches(self, epoch, size, first):
        """Of an epoch, the first of which is attempt number `first`."""
        x, y = self.parts["train"]
        order = torch.arange(len(x))
        if self.shuffle:
            order = torch.tensor(streams.permutation(streams.key_of(self.seed, "order"), (epoch, 0, 0), len(x)))
        for number, rows in enumerate(order.split(size), first):
            yield number, self.augmented(x[rows], number), y[rows]

    def augmented(self, x, batch):
        """Each image moved at random; "shift" is the only augmentation of the cases."""
        for augmentation in self.augment:
            pixels, key = augmentation["pixels"], streams.key_of(self.seed, "augment.shift")
            draw = lambda row, axis: streams.below(key, (batch, row, 0), axis, 2 * pixels + 1) - pixels
            x = torch.stack([shift(image[None], draw(row, 0), draw(row, 1))[0] for row, image in enumerate(x)])
        return x


def shift(images, right, down):
    """[n, height, width, channels], with zeros where nothing comes in."""
    moved = torch.roll(images, (down, right), (1, 2))
    rows, columns = torch.arange(images.shape[1]), torch.arange(images.shape[2])
    shown = (rows >= down) & (rows < len(rows) + down), (columns >= right) & (columns < len(columns) + right)
    return moved * shown[0][:, None, None] * shown[1][:, None]


def view(images, name):
    """As tta names it: "identity", "flip" or "shift RIGHT DOWN"."""
    kind, *numbers = name.split()
    if kind == "flip":
        return images.flip(2)
    return shift(images, *map(int, numbers)) if kind == "shift" else images


# ---- Sources: train and test ----

def read_idx(path):
    with gzip.open(path) as file:
        data = file.read()
    axes = data[3]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(np.frombuffer(data, ">i4", axes, 4))


def digits():
    """1,437 and 360 images [8, 8, 1]: image i is a test image where i mod 5 is 0."""
    folder = pathlib.Path(__file__).parents[3] / "core" / "data" / "digits"
    images, labels = (torch.from_numpy(read_idx(folder / f"{name}.idx.gz").astype(np.int64)) for name in ("images", "labels"))
    images, is_test = images[..., None].double() / 16, torch.arange(len(images)) % 5 == 0
    return (images[~is_test], labels[~is_test]), (images[is_test], labels[is_test])


def stripes():
    """180 images [5, 7, 1] of three classes."""
    i, y, x = torch.meshgrid(torch.arange(180), torch.arange(5), torch.arange(7), indexing="ij")
    images = (i * 7 + i % 3 * y * 50 + (2 - i % 3) * x * 40) % 256
    return (images[..., None].double() / 255, torch.arange(180) % 3), None


def numbers():
    """180 rows of 6 values, with two targets each."""
    i, k = torch.meshgrid(torch.arange(180), torch.arange(6), indexing="ij")
    x = ((37 * i + 11 * k * k + i * k) % 17).double() / 8 - 1
    return (x, torch.stack([x[:, 0] * x[:, 1] + x[:, 2], x[:, 3] - x[:, 4] * x[:, 5]], 1)), None


def tokens():
    """180 rows of 11 token ids, of three classes; 0 is padding."""
    i, t = torch.meshgrid(torch.arange(180), torch.arange(11), indexing="ij")
    padding = (t > i * 7 % 11) | (i % 2 == 1) & (t % 4 == 2)
    return (torch.where(padding, 0, 1 + (i * 5 + 3 * t * t + i % 3 * t) % 31), torch.arange(180) % 3), None


SOURCES = {"digits": digits, "images.idx": stripes, "inputs.npy": numbers, "tokens.idx": tokens}
