#!/usr/bin/env python3
"""day_entropy: the entropy of the values that `rwload gen` makes over a day at 15 s, series by series of a target, by counting all
steps a series can take (bench/rwload_series.c). No codec that does not know the seed of the generator needs less. Prints a table."""
import math
from collections import Counter

STEP_S = 15


def bits(counts):
    n = sum(counts.values())
    return -sum(c / n * math.log2(c / n) for c in counts.values())


def integer_counter(rate):
    return bits(Counter(math.floor(rate * STEP_S * (0.5 + k / 1000)) for k in range(1000)))


def decimal_counter(rate):
    return bits(Counter(round(rate * STEP_S * (0.9 + k / 1000) * 100) for k in range(200)))


def bytes_gauge():
    steps = Counter({d: 1 for d in range(-1000, 1001)})
    steps[0] += 3 * 2001  # three of four steps are none
    return bits(steps)


def rare_counter():
    return bits(Counter({0: 19 * 5 + 1, 1: 1, 2: 1, 3: 1, 4: 1}))


SHAPES = [
    ("buckets, integer counters", [integer_counter((j % 12 + 1) * (1 + j // 12 % 7) * 0.5) for j in range(480)]),
    ("requests, integer counters", [sum(integer_counter(r / 10) for r in range(1000)) / 1000] * 40),
    ("CPU seconds, decimal counters", [sum(decimal_counter(r / 100) for r in range(100)) / 100] * 64),
    ("bytes gauges", [bytes_gauge()] * 116),
    ("rare counters", [rare_counter()] * 150),
    ("constants", [0.0] * 100),
    ("noisy gauges", [math.log2(2001)] * 50),
]


def main():
    series = sum(len(s) for _, s in SHAPES)
    print("| values | series | bits a sample | bytes of the average sample |\n| --- | --- | --- | --- |")
    for name, each in SHAPES:
        print(f"| {name} | {len(each)} | {sum(each) / len(each):.3f} | {sum(each) / 8 / series:.4f} |")
    print(f"| all | {series} | {sum(map(sum, (s for _, s in SHAPES))) / series:.3f} "
          f"| {sum(map(sum, (s for _, s in SHAPES))) / 8 / series:.4f} |")


main()
