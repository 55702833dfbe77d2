#!/usr/bin/env python3
"""Writes recipes/presets/community.tsv: the block weights that people know by name, from what they are.

26 numbers: BASE, IN00 to IN11, M00, OUT00 to OUT11. BASE, which is the text encoders, is 0. With x
from 0 at IN00 to 1 at OUT11, GRAD_V is |1 - 2x|, and so on; s is the smooth step 3x² - 2x³.
"""

import math
from pathlib import Path

N = 25
X = [i / (N - 1) for i in range(N)]
NAMES = [f"IN{i:02}" for i in range(12)] + ["M00"] + [f"OUT{i:02}" for i in range(12)]


def smooth(x):
    return 3 * x * x - 2 * x * x * x


def folded(x):
    """A triangle of period 2 and height 1."""
    x %= 2
    return x if x <= 1 else 2 - x


def pieces(x, count):
    """The smooth step on each of `count` pieces, up and down in turn."""
    at = x * count
    piece = min(int(at), count - 1)
    value = smooth(at - piece)
    return value if piece % 2 == 0 else 1 - value


def on(first, last, value=1.0):
    chosen = range(NAMES.index(first), NAMES.index(last) + 1)
    return [value if i in chosen else 0.0 for i in range(N)]


def both(a, b):
    return [max(x, y) for x, y in zip(a, b)]


def soft(first, values, second):
    out = [0.0] * N
    for start in (first, second):
        for i, value in enumerate(values):
            out[NAMES.index(start) + i] = value
    return out


def presets():
    yield "GRAD_V", [abs(1 - 2 * x) for x in X]
    yield "GRAD_A", [1 - abs(1 - 2 * x) for x in X]
    yield "FLAT_25", [0.25] * N
    yield "FLAT_50", [0.5] * N
    yield "FLAT_75", [0.75] * N
    for width in (8, 12, 14, 16):
        yield f"WRAP{width:02}", [1.0 if i < width // 2 or i >= N - width // 2 else 0.0 for i in range(N)]
    yield "MID12_50", on("IN05", "OUT05", 0.5)
    yield "OUT07", on("OUT05", "OUT11")
    yield "OUT12", on("OUT00", "OUT11")
    yield "OUT12_5", both(on("OUT00", "OUT11"), on("M00", "M00", 0.5))
    yield "RING08_SOFT", soft("IN05", [0.5, 1, 1, 1, 0.5], "OUT02")
    yield "RING08_5", both(on("IN06", "IN09"), on("OUT02", "OUT05"))
    yield "RING10_5", both(on("IN05", "IN09"), on("OUT02", "OUT06"))
    yield "RING10_3", both(on("IN06", "IN10"), on("OUT01", "OUT05"))
    smooths = [("SMOOTHSTEP", [smooth(x) for x in X])]
    smooths += [(f"SMOOTHSTEP*{q}", [folded(q * smooth(x)) for x in X]) for q in (2, 3, 4)]
    smooths += [(f"SMOOTHSTEP/{q}", [pieces(x, q) for x in X]) for q in (2, 3, 4)]
    for name, values in smooths:
        yield name, values
        yield f"REVERSE-{name}", [1 - v for v in values]
    cosine = [(1 + math.cos(math.pi * x)) / 2 for x in X]
    yield "COSINE", cosine
    yield "REVERSE_COSINE", [1 - v for v in cosine]
    yield "ALL_A", [0.0] * N


def number(value):
    text = f"{round(value, 12):.12f}".rstrip("0").rstrip(".")
    return text if text not in ("", "-0") else "0"


def main():
    lines = ["preset_name\tpreset_weights"]
    lines += [f"{name}\t" + ",".join(["0", *map(number, values)]) for name, values in presets()]
    lines.append("ALL_B\t" + ",".join(["1"] * (N + 1)))
    path = Path(__file__).resolve().parents[1] / "recipes" / "presets" / "community.tsv"
    path.write_text("\n".join(lines) + "\n")


main()
