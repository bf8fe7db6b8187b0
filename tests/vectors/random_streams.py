#!/usr/bin/env python3
"""knack's addressed random numbers (core/base/random.c), written again from its description: replays what a run draws.

As a program it prints the vectors of random_streams.h:  python3 random_streams.py > random_streams.h
"""
import functools
import math

WORD = 0xFFFFFFFF
LONG = 0xFFFFFFFFFFFFFFFF


def philox(key, counter):
    """Four 32-bit words of Philox 4x32-10; key: 64 bits, counter: four words, the lowest first."""
    x0, x1, x2, x3 = counter
    key0, key1 = key & WORD, key >> 32
    for _ in range(10):
        product0, product1 = 0xD2511F53 * x0, 0xCD9E8D57 * x2
        x0, x1, x2, x3 = product1 >> 32 ^ x1 ^ key0, product1 & WORD, product0 >> 32 ^ x3 ^ key1, product0 & WORD
        key0, key1 = key0 + 0x9E3779B9 & WORD, key1 + 0xBB67AE85 & WORD
    return x0, x1, x2, x3


def key_of(seed, name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 & LONG
    words = philox(seed, (value & WORD, value >> 32, 0, 0))
    return words[1] << 32 | words[0]


@functools.lru_cache(maxsize=1)
def block_words(key, place, block):
    return philox(key + (block >> 32) & LONG, (block & WORD, *place))


def block_pair(key, place, block):
    words = block_words(key, place, block)
    return words[1] << 32 | words[0], words[3] << 32 | words[2]


def unit(bits):
    return (bits >> 11) * 2.0**-53


def uniform(key, place, element):
    return unit(block_pair(key, place, element // 2)[element % 2])


def normal(key, place, element):
    first, second = block_pair(key, place, element)
    return math.sqrt(-2 * math.log(1 - unit(first))) * math.cos(2 * math.pi * unit(second))


def below(key, place, element, bound):
    return block_pair(key, place, element // 2)[element % 2] * bound >> 64


def log_gamma_variate(key, shape):
    start, boost = (0, 0, 0), 0.0
    if shape < 1:
        boost = math.log(1 - uniform(key, start, 2**32)) / shape
        shape += 1
    d = shape - 1 / 3
    c = 1 / math.sqrt(9 * d)
    attempt = 0
    while True:
        x, u = normal(key, start, 2 * attempt), 1 - uniform(key, start, 4 * attempt + 2)
        v = (1 + c * x) ** 3
        if v > 0 and math.log(u) < x * x / 2 + d - d * v + d * math.log(v):
            return boost + math.log(d) + math.log(v)
        attempt += 1


def beta(key, place, element, a, b):
    first, second = block_pair(key, place, element)
    difference = log_gamma_variate(second, b) - log_gamma_variate(first, a)
    return 1 / (1 + math.exp(difference)) if difference < 700 else 0.0


def permutation(key, place, count):
    order = list(range(count))
    for i in range(count - 1, 0, -1):
        other = below(key, place, i, i + 1)
        order[i], order[other] = order[other], order[i]
    return order


def mask(key, place, first, count, rate):
    threshold = int(rate * 65536 + 0.5)
    values = []
    for element in range(first, first + count):
        word = block_words(key, place, element // 8)[element % 8 // 2]
        values.append(int((word >> 16 * (element % 2) & 0xFFFF) >= threshold))
    return values


def print_vectors():
    key, place = key_of(7, "dropout.fc1"), (1, 2, 3)
    far = 2**33 - 2  # the block number leaves 32 bits between its second and its third element
    print("/* Made by random_streams.py; key random_key(7, \"dropout.fc1\"), place {1, 2, 3}. */")
    print(f"static const uint64_t vector_key = 0x{key:016X};")
    for name, values in {
        "uniform": [uniform(key, place, element) for element in range(5)],
        "far_uniform": [uniform(key, place, element) for element in range(far, far + 4)],
        "normal": [normal(key, place, element) for element in range(5)],
        "beta_small": [beta(key, place, element, 0.2, 0.2) for element in range(5)],
        "beta_large": [beta(key, place, element, 2, 5) for element in range(5)],
    }.items():
        print(f"static const double vector_{name}[] = {{{', '.join(repr(value) for value in values)}}};")
    print(f"static const uint64_t vector_below_1000[] = {{{', '.join(str(below(key, place, e, 1000)) for e in range(6))}}};")
    print(f"static const int32_t vector_permutation[] = {{{', '.join(map(str, permutation(key, place, 12)))}}};")
    print(f"static const char vector_mask[] = \"{''.join(map(str, mask(key, place, 8, 40, 0.25)))}\"; /* from element 8, rate 0.25 */")


if __name__ == "__main__":
    print_vectors()
