"""The peer of `bench serve`: trains one of its workloads with PyTorch, and times its steps when a line on standard input says so.

    speed_peer.py serve FOLDER [--threads N] [--bf16] [--compile] [--layout nchw]   a worker; see serve.c for what it hears and says
    speed_peer.py layout FOLDER [...]     which layout of images is the faster one
    speed_peer.py losses FOLDER [--bf16]  writes FOLDER/init.safetensors, and prints the first losses from there without dropout
    speed_peer.py product [--threads N]   a worker whose step is one product of two 1024 x 1024 matrices
    speed_peer.py first FOLDER            makes one step, and says so
    speed_peer.py batches FOLDER          microseconds of a batch without a step
    speed_peer.py checkpoint FOLDER       milliseconds of writing weights and AdamW's state to FOLDER, and flushing them

FOLDER is from `bench write`: the same config and the same data. It is written as somebody would who knows PyTorch and wants speed on a
CPU: data in memory, fused AdamW, convolutions in the faster of both layouts, attention by scaled_dot_product_attention, autocast for bf16.
"""
import argparse
import json
import os
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

CLASSES = 10


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


# ---- Models, with the names and shapes of knack's parameters ----

class Mlp(nn.Module):
    def __init__(self, config, shape):
        super().__init__()
        sizes = [int(np.prod(shape))] + config["hidden"]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.head = nn.Linear(sizes[-1], CLASSES)
        self.dropout = config["dropout"]

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.hidden:
            x = F.dropout(F.relu(layer(x)), self.dropout, self.training)
        return self.head(x)

    def knack_name(self, name):
        layer, rest = name.removeprefix("hidden.").split(".", 1)
        return f"fc{int(layer) + 1}.{rest}" if name.startswith("hidden.") else name


class Cnn(nn.Module):
    def __init__(self, config, shape):
        super().__init__()
        channels = [shape[-1]] + config["channels"]
        side = shape[0] >> len(config["channels"])
        self.conv = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in zip(channels, channels[1:]))
        self.bn = nn.ModuleList(nn.BatchNorm2d(c) for c in channels[1:])
        self.fc1 = nn.Linear(side * side * channels[-1], config["hidden"][0])
        self.head = nn.Linear(config["hidden"][0], CLASSES)
        self.dropout = config["dropout"]

    def forward(self, x):
        for conv, bn in zip(self.conv, self.bn):
            x = F.max_pool2d(F.relu(bn(conv(x))), 2)
        if x.is_contiguous(memory_format=torch.channels_last):
            x = x.permute(0, 2, 3, 1)
        return self.head(F.dropout(F.relu(self.fc1(x.flatten(1))), self.dropout, self.training))

    def knack_name(self, name):
        kind, rest = name.split(".", 1)
        return f"{kind}{int(rest[0]) + 1}{rest[1:]}" if kind in ("conv", "bn") else name


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.shortcut = None
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.ModuleDict({"conv": nn.Conv2d(inputs, outputs, 1, stride, bias=False), "bn": nn.BatchNorm2d(outputs)})

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        if self.shortcut is not None:
            x = self.shortcut["bn"](self.shortcut["conv"](x))
        return F.relu(y + x, inplace=True)


class Resnet(nn.Module):
    def __init__(self, config, shape):
        super().__init__()
        self.stem = nn.ModuleDict({"conv": nn.Conv2d(shape[-1], 16, 3, padding=1, bias=False), "bn": nn.BatchNorm2d(16)})
        self.stage = nn.ModuleList()
        inputs = 16
        for stage in range(3):
            blocks = nn.ModuleList()
            for block in range((config["depth"] - 2) // 6):
                blocks.append(Block(inputs, 16 << stage, 2 if stage > 0 and block == 0 else 1))
                inputs = 16 << stage
            self.stage.append(blocks)
        self.head = nn.Linear(inputs, CLASSES)

    def forward(self, x):
        x = F.relu(self.stem["bn"](self.stem["conv"](x)), inplace=True)
        for blocks in self.stage:
            for block in blocks:
                x = block(x)
        return self.head(x.mean((2, 3)))

    def knack_name(self, name):
        if not name.startswith("stage."):
            return name
        _, stage, block, rest = name.split(".", 3)
        return f"stage{int(stage) + 1}.block{int(block) + 1}.{rest}"


class EncoderLayer(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["width"]
        self.heads, self.dropout = config["heads"], config["dropout"]
        self.attention_in, self.attention_out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, config["feedforward"]), nn.Linear(config["feedforward"], width)

    def drop(self, x):
        return F.dropout(x, self.dropout, self.training)

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x, first_only):
        """x [rows, tokens, width]; first_only: of the first token of each row, which is all that is asked of the last layer."""
        if first_only:
            width, into = x.size(-1), self.attention_in
            q = F.linear(x[:, :1], into.weight[:width], into.bias[:width])
            k, v = F.linear(x, into.weight[width:], into.bias[width:]).chunk(2, -1)
            x = x[:, :1]
        else:
            q, k, v = self.attention_in(x).chunk(3, -1)
        attended = F.scaled_dot_product_attention(self.split(q), self.split(k), self.split(v), dropout_p=self.dropout if self.training else 0.0)
        x = self.norm1(x + self.drop(self.attention_out(attended.transpose(1, 2).flatten(2))))
        return self.norm2(x + self.drop(self.fc2(self.drop(F.gelu(self.fc1(x))))))


class Encoder(nn.Module):
    def __init__(self, config, shape):
        super().__init__()
        self.embedding = nn.Embedding(config["vocabulary"], config["width"])
        self.positions = nn.Embedding(shape[0], config["width"])
        for table in (self.embedding, self.positions):
            nn.init.normal_(table.weight, std=0.02)
        self.embedding_norm = nn.LayerNorm(config["width"])
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config["layers"]))
        self.head = nn.Linear(config["width"], CLASSES)
        self.dropout = config["dropout"]

    def forward(self, x):
        x = self.embedding_norm(self.embedding(x) + self.positions.weight)
        x = F.dropout(x, self.dropout, self.training)
        for layer in self.layers:
            x = layer(x, first_only=layer is self.layers[-1])
        return self.head(x[:, 0])

    def knack_name(self, name):
        name = name.replace("embedding_norm", "embedding.norm").replace("attention_", "attention.")
        if not name.startswith("layers."):
            return name
        _, layer, rest = name.split(".", 2)
        return f"layer{int(layer) + 1}.{rest}"


MODELS = {"mlp": Mlp, "cnn": Cnn, "resnet": Resnet, "encoder": Encoder}


# ---- Training ----

def compile_loss(loss):
    import torch._inductor.config  # not before it is needed: it takes long to import
    torch._inductor.config.fallback_random = True  # the faster of its two generators of dropout masks
    return torch.compile(loss, dynamic=False)


class Training:
    def __init__(self, folder, bf16=False, compiled=False, nhwc=True):
        with open(os.path.join(folder, "config.json")) as file:
            self.config = json.load(file)
        x, y = (torch.from_numpy(np.load(os.path.join(folder, name))) for name in ("x.npy", "y.npy"))
        self.images, self.nhwc = x.dim() == 4, nhwc
        torch.manual_seed(1)
        self.model = MODELS[self.config["model"]["type"]](self.config["model"], list(x.shape[1:]))
        if self.images and nhwc:
            self.model = self.model.to(memory_format=torch.channels_last)
        self.x = x.permute(0, 3, 1, 2).contiguous() if self.images and not nhwc else x
        self.y = y.long()
        self.batch = self.config["train"]["batch"]
        self.bf16 = bf16
        self.loss = compile_loss(self.plain_loss) if compiled else self.plain_loss
        settings = self.config["train"]["optimizer"]
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=settings["lr"], weight_decay=0.01, fused=True)

    def plain_loss(self, x, y):
        if not self.bf16:
            return F.cross_entropy(self.model(x), y)
        with torch.autocast("cpu", torch.bfloat16):
            return F.cross_entropy(self.model(x), y)

    def rows(self, rows):
        x = self.x[rows]
        return x.permute(0, 3, 1, 2) if self.images and self.nhwc else x

    def step_on(self, rows):
        loss = self.loss(self.rows(rows), self.y[rows])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss

    def steps(self):
        """Endless, in a new order each epoch."""
        while True:
            order = torch.randperm(len(self.x))
            for first in range(0, len(order) - self.batch + 1, self.batch):
                yield self.step_on(order[first:first + self.batch])


def seconds_of(training, steps=3):
    running = training.steps()
    next(running)
    began = time.perf_counter()
    for _ in range(steps):
        next(running)
    return time.perf_counter() - began


def print_layout(folder, bf16):
    layouts = {name: seconds_of(Training(folder, bf16, nhwc=name == "nhwc")) for name in ("nhwc", "nchw")}
    answer(layout=min(layouts, key=layouts.get))


def products():
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
    c = torch.empty(1024, 1024)
    while True:
        yield torch.mm(a, b, out=c)


# ---- A worker ----

def answer(**values):
    print(json.dumps(values), flush=True)


def one_round(running, seconds):
    end = time.perf_counter_ns() + int(seconds * 1e8)
    while True:
        next(running)
        if time.perf_counter_ns() >= end:
            break
    steps, faults = [], resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    now = time.perf_counter_ns()
    end = now + int(seconds * 1e9)
    while now < end:
        next(running)
        before, now = now, time.perf_counter_ns()
        steps.append(now - before)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    steps.sort()
    at = [steps[round(share * (len(steps) - 1))] for share in (0.5, 0.1, 0.9, 0, 1)]
    answer(steps=len(steps), median=at[0], low=at[1], high=at[2], best=at[3], worst=at[4], faults=faults / len(steps))


def serve(running, **told):
    for _ in range(2):
        next(running)  # what is compiled, is compiled here
    answer(**told)
    for line in sys.stdin:
        one_round(running, float(line.split()[1]))


def print_losses(folder, bf16, steps=2):
    training = Training(folder, bf16)
    for module in training.model.modules():
        module.dropout = 0.0
    weights = {training.model.knack_name(name): p.detach().contiguous() for name, p in training.model.named_parameters()}
    save_file(weights, os.path.join(folder, "init.safetensors"))
    answer(losses=[training.step_on(torch.arange(i * training.batch, (i + 1) * training.batch)).item() for i in range(steps)])


def print_batches(folder, _, seconds=0.3):
    training = Training(folder)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        order = torch.randperm(len(training.x))
        for first in range(0, len(order) - training.batch + 1, training.batch):
            rows = order[first:first + training.batch]
            training.rows(rows), training.y[rows]
            count += 1
    answer(us=(time.perf_counter() - began) / count * 1e6)


def print_checkpoint(folder, _, rounds=5):
    training = Training(folder)
    next(training.steps())
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        with open(os.path.join(folder, "checkpoint.pt"), "wb") as file:
            torch.save({"model": training.model.state_dict(), "optimizer": training.optimizer.state_dict()}, file)
            file.flush()
            os.fsync(file.fileno())
        times.append(time.perf_counter() - began)
    answer(ms=sorted(times)[rounds // 2] * 1e3)


def print_first(folder, _):
    next(Training(folder).steps())
    answer(steps=1)


PRINTING = {"layout": print_layout, "losses": print_losses, "first": print_first, "batches": print_batches, "checkpoint": print_checkpoint}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["serve", "product", *PRINTING])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--layout", choices=["nhwc", "nchw"], default="nhwc")
    arguments = parser.parse_args()
    imported = resident()
    torch.set_num_threads(arguments.threads)
    torch.set_num_interop_threads(1)
    torch.set_flush_denormal(True)
    if arguments.what in PRINTING:
        PRINTING[arguments.what](arguments.folder, arguments.bf16)
    elif arguments.what == "product":
        serve(products(), imported=imported, torch=torch.__version__)
    else:
        training = Training(arguments.folder, arguments.bf16, arguments.compile, arguments.layout == "nhwc")
        serve(training.steps(), imported=imported, torch=torch.__version__)


if __name__ == "__main__":
    main()
