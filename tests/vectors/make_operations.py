#!/usr/bin/env python3
"""Writes operations.safetensors: what PyTorch computes in float64 for each tensor operation, forward and backward.

    python3 tests/vectors/make_operations.py tests/vectors/operations.safetensors

Per operation NAME the file holds NAME.in0, NAME.in1, ... (operands), NAME.ids (I32; some), NAME.out, NAME.gradient (given to the output) and
NAME.d0, NAME.d1, ... (gradients of those operands that have one). Operands and given gradients are multiples of 1/256, so that f32 holds them exactly.
Images are [rows, height, width, channels], weights of convolutions [out, in, height, width]. tests/tensor/test_vectors.c reads the file.
"""
import json
import struct
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(20240229)
torch.set_num_threads(1)

tensors = {}


def draw(*shape, low=-1.0, high=1.0):
    return torch.round((low + (high - low) * torch.rand(*shape, dtype=torch.float64)) * 256) / 256


def positive(*shape):
    return draw(*shape, low=0.25, high=2.0)


def add(name, function, *operands, ids=None):
    operands = [operand.clone().requires_grad_() for operand in operands]
    out = function(*operands) if ids is None else function(*operands, ids)
    gradient = draw(*out.shape)
    out.backward(gradient)
    for k, operand in enumerate(operands):
        tensors[f"{name}.in{k}"] = operand.detach()
        if operand.grad is not None:
            tensors[f"{name}.d{k}"] = operand.grad
    if ids is not None:
        tensors[f"{name}.ids"] = ids.to(torch.int32)
    tensors[f"{name}.out"] = out.detach()
    tensors[f"{name}.gradient"] = gradient


def images(function):
    """function, which takes images channels-first, for images channels-last."""
    return lambda x, *rest: function(x.permute(0, 3, 1, 2), *rest).permute(0, 2, 3, 1).contiguous()


def pick(x, column):
    return torch.where(column < 0, torch.zeros((), dtype=x.dtype), x[torch.arange(len(column)), column.clamp(min=0)])


def put(x, values, column):
    there = F.one_hot(column.clamp(min=0), x.shape[1]).bool() & (column >= 0)[:, None]
    return torch.where(there, values[:, None], x)


def batch_norm(training):
    def apply(x, gamma, beta):
        channels = x.shape[-1]
        mean = torch.linspace(-0.5, 0.5, channels, dtype=x.dtype)
        variance = torch.linspace(0.5, 1.5, channels, dtype=x.dtype)
        return images(lambda y: F.batch_norm(y, mean, variance, gamma, beta, training, 0.1, 1e-5))(x)
    return apply


# Element by element.
add("add", torch.add, draw(3, 4, 17), draw(17))
add("sub", torch.sub, draw(3, 1, 5), draw(4, 1))
add("mul", torch.mul, draw(5, 33), draw(5, 1))
add("mean2", lambda a, b: (a + b) / 2, draw(3, 7), draw(3, 7))
add("scale", lambda x: x * -1.5, draw(3, 7))
add("add_scalar", lambda x: x + 0.3, draw(3, 7))
add("exp", torch.exp, draw(5, 33, low=-8, high=8))
add("log", torch.log, positive(5, 17))
add("sqrt", torch.sqrt, positive(5, 17))
add("pow", lambda x: x ** 2.5, positive(5, 17))
add("square", lambda x: x ** 2, draw(5, 17))
add("relu", F.relu, draw(5, 33))
add("gelu", F.gelu, draw(5, 33, low=-6, high=6))
add("tanh", torch.tanh, draw(5, 33, low=-6, high=6))
add("sigmoid", torch.sigmoid, draw(5, 33, low=-8, high=8))
add("clamp", lambda x: x.clamp(-0.5, 0.25), draw(5, 17))
add("where", lambda m, a, b: torch.where(m > 0, a, b), draw(3, 1, 7), draw(2, 7), draw(3, 2, 1))

# Over an axis.
add("sum", lambda x: x.sum(1), draw(3, 5, 7))
add("sum_all", lambda x: x.sum()[None], draw(9, 33))
add("mean", lambda x: x.mean(0), draw(9, 33))
add("max", lambda x: x.max(1).values, draw(5, 33))
add("softmax", lambda x: x.softmax(-1), draw(2, 3, 33, low=-6, high=6))
add("log_softmax", lambda x: x.log_softmax(-1), draw(5, 33, low=-6, high=6))
add("logsumexp", lambda x: x.logsumexp(-1), draw(5, 33, low=-6, high=6))
add("normalise", lambda x: F.normalize(x, dim=1), draw(3, 17, 5))

# Shape and selection.
add("reshape", lambda x: x.reshape(6, -1), draw(2, 3, 4))
add("transpose", lambda x: x.transpose(1, 2).contiguous(), draw(2, 17, 3, 2))
add("transpose_last", lambda x: x.transpose(0, 1).contiguous(), draw(19, 17))
add("concat", lambda a, b, c: torch.cat([a, b, c], 1), draw(2, 3, 5), draw(2, 1, 5), draw(2, 4, 5))
add("slice", lambda x: x[:, 1:4].contiguous(), draw(3, 5, 7))
add("gather", lambda x, rows: x[rows], draw(4, 9), ids=torch.tensor([2, 0, 2, 3, 2]))
add("pick", pick, draw(5, 7), ids=torch.tensor([0, 6, -1, 3, 3]))
add("put", put, draw(5, 7), draw(5), ids=torch.tensor([0, 6, -1, 3, 3]))

# Products.
add("matmul", lambda a, b: a @ b, draw(7, 19), draw(19, 13))
add("matmul_first", lambda a, b: a.t() @ b, draw(19, 7), draw(19, 13))
add("matmul_second", lambda a, b: a @ b.t(), draw(7, 19), draw(13, 19))
add("matmul_both", lambda a, b: a.t() @ b.t(), draw(19, 7), draw(13, 19))
add("matmul_batch", lambda a, b: a @ b.transpose(1, 2), draw(3, 7, 9), draw(3, 5, 9))
add("linear", F.linear, draw(3, 5, 17), draw(9, 17), draw(9))
add("linear_plain", F.linear, draw(7, 17), draw(9, 17))
add("linear_relu", lambda x, w, b: F.relu(F.linear(x, w, b)), draw(7, 17), draw(9, 17), draw(9))
add("linear_gelu", lambda x, w, b: F.gelu(F.linear(x, w, b)), draw(7, 17), draw(9, 17), draw(9))
add("linear_tanh", lambda x, w, b: torch.tanh(F.linear(x, w, b)), draw(7, 17), draw(9, 17), draw(9))
add("linear_sigmoid", lambda x, w, b: torch.sigmoid(F.linear(x, w, b)), draw(7, 17), draw(9, 17), draw(9))
add("conv2d", images(lambda x, w, b: F.conv2d(x, w, b, 1, 1)), draw(2, 7, 6, 3), draw(5, 3, 3, 3), draw(5))
add("conv2d_stride", images(lambda x, w: F.conv2d(x, w, None, 2, 1)), draw(1, 7, 8, 5), draw(4, 5, 3, 3))
add("conv2d_point", images(lambda x, w, b: F.conv2d(x, w, b, 2, 0)), draw(1, 5, 5, 7), draw(9, 7, 1, 1), draw(9))
add("conv2d_oblong", images(lambda x, w, b: F.conv2d(x, w, b, 1, 2)), draw(1, 5, 6, 2), draw(3, 2, 5, 2), draw(3))

# Layers.
add("max_pool", images(lambda x: F.max_pool2d(x, 3, 2, 1)), draw(2, 7, 6, 5))
add("average_pool", images(lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)), draw(2, 7, 6, 5))
add("global_pool", lambda x: x.mean((1, 2)), draw(2, 5, 4, 3))
add("layer_norm", lambda x, g, b: F.layer_norm(x, x.shape[-1:], g, b, 1e-5), draw(2, 3, 33), draw(33), draw(33))
add("batch_norm", batch_norm(True), draw(2, 3, 5, 7), draw(7), draw(7))
add("batch_norm_running", batch_norm(False), draw(2, 3, 5, 7), draw(7), draw(7))
add("embedding", lambda table, rows: table[rows], draw(6, 9), ids=torch.tensor([[2, 0, 2], [5, 1, 2]]))

# Losses.
add("cross_entropy", lambda x, t: F.cross_entropy(x, t.long(), reduction="none", ignore_index=-1), draw(5, 33, low=-6, high=6),
    ids=torch.tensor([3, 32, -1, 0, 7]))
target = positive(5, 17)
add("cross_entropy_dense", lambda x, t: F.cross_entropy(x, t.detach(), reduction="none"), draw(5, 17, low=-6, high=6), target)
add("squared_error", lambda x, t: ((x - t.detach()) ** 2).mean(1), draw(5, 3), draw(5, 3))
add("absolute_error", lambda x, t: (x - t.detach()).abs().mean(1), draw(5, 3), draw(5, 3))


def write(path):
    header, data = {}, b""
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        integers = tensor.dtype == torch.int32
        block = struct.pack(f"<{tensor.numel()}{'i' if integers else 'd'}", *tensor.flatten().tolist())
        header[name] = {"dtype": "I32" if integers else "F64", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(block)]}
        data += block
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


write(sys.argv[1])
