"""Prints operator_values.h: what numpy computes for every operator, in the association that its
formula gives, each product, sum and quotient rounded by itself. Run it again after adding a case:

    python3 tests/merge/operator_values.py > tests/merge/operator_values.h

The formulas of a row are written below, in operator_formulas.py or in the oracles of tests/python.
"""

import sys
from pathlib import Path

import numpy as np

import operator_formulas as formulas

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
from oracle_random import RandomArithmetic  # noqa: E402

TINY = 1e-41  # a subnormal in f32
SPECIAL = {
    "a": [0.0, -0.0, 0.25, TINY, 1e38, 0.5],
    "b": [0.0, 0.0, 0.25, -TINY, 5e37, -0.5],
    "c": [0.0, -0.0, 0.25, 3 * TINY, -2e37, 0.5],
}
RANDOM = 10


def inputs():
    random = np.random.default_rng(20240229)
    found = {}
    for name, special in SPECIAL.items():
        values = random.normal(0, 0.03, RANDOM).astype(np.float32)
        found[name] = np.concatenate([values, np.array(special, np.float32)])
    return found


def drawing(t):
    """Random numbers of a tensor that has no name."""
    return RandomArithmetic("", "f32" if t is np.float32 else "f64")


# Powers, logarithms and angles, which no two libraries round alike: compared with a tolerance.
NEAR = {"geometric_sum", "multiply_difference", "multiply_quotient"}

# Operator, operands, list, weights, parameters (nan: left out), and the formula in dtype t.
CASES = [
    ("weighted_sum", "ab", "", [], [0.3],
     lambda t, a, b, c: (t(1) - t(0.3)) * a + t(0.3) * b),
    ("weighted_sum", "ab", "", [], [1.7],
     lambda t, a, b, c: (t(1) - t(1.7)) * a + t(1.7) * b),
    ("add_difference", "abc", "", [], [0.6], lambda t, a, b, c: a + t(0.6) * (b - c)),
    ("add_difference", "abc", "", [], [1], lambda t, a, b, c: a + t(1) * (b - c)),
    ("bake", "a", "bc", [0.6, -0.4], [], lambda t, a, b, c: (a + t(0.6) * b) + t(-0.4) * c),
    ("add", "ab", "", [], [0.8], lambda t, a, b, c: a + t(0.8) * b),
    ("add", "ab", "", [], [1], lambda t, a, b, c: a + t(1) * b),
    ("subtract", "ab", "", [], [], lambda t, a, b, c: a - b),
    ("scale", "a", "", [], [-0.45], lambda t, a, b, c: t(-0.45) * a),
    ("multiply", "ab", "", [], [], lambda t, a, b, c: a * b),
    ("linear", "", "abc", [0.7, 0.2, 0.3], [0],
     lambda t, a, b, c: formulas.linear(t, [a, b, c], [0.7, 0.2, 0.3], False)),
    ("linear", "", "abc", [3, 2, 0.7], [1],
     lambda t, a, b, c: formulas.linear(t, [a, b, c], [3, 2, 0.7], True)),
    ("linear", "", "abc", [1, 1, -0.4], [0],
     lambda t, a, b, c: formulas.linear(t, [a, b, c], [1, 1, -0.4], False)),
    ("average", "", "abc", [], [], lambda t, a, b, c: formulas.linear(t, [a, b, c], [1, 1, 1], True)),
    ("sum_twice", "abc", "", [], [0.4, 0.2],
     lambda t, a, b, c: (t(1) - t(0.2)) * ((t(1) - t(0.4)) * a + t(0.4) * b) + t(0.2) * c),
    ("triple_sum", "abc", "", [], [0.3, 0.2],
     lambda t, a, b, c: (t(1) - (t(0.3) + t(0.2))) * a + t(0.3) * b + t(0.2) * c),
    ("train_difference", "abc", "", [], [0.75],
     lambda t, a, b, c: formulas.train_difference(t, a, b, c, 0.75)),
    ("clamp", "a", "", [], [-0.02, 0.05],
     lambda t, a, b, c: formulas.lesser(formulas.greater(a, t(-0.02)), t(0.05))),
    ("clamp", "a", "", [], [0, np.nan], lambda t, a, b, c: formulas.greater(a, t(0))),
    ("clamp", "a", "", [], [np.nan, 0.01], lambda t, a, b, c: formulas.lesser(a, t(0.01))),
    ("clamp", "a", "bc", [], [np.nan, np.nan, 0],
     lambda t, a, b, c: formulas.lesser(formulas.greater(a, formulas.lesser(b, c)), formulas.greater(b, c))),
    ("clamp", "a", "cab", [], [np.nan, np.nan, 0.75], lambda t, a, b, c: formulas.stiff_clamp(t, a, [c, a, b], 0.75)),
    ("copy", "a", "", [], [], lambda t, a, b, c: a),
    ("passthrough", "a", "", [], [0.7], lambda t, a, b, c: t(0.7) * a),
    ("adjust", "a", "", [], [0] * 8 + [np.nan], lambda t, a, b, c: a),
    ("ema", "a", "", [], [1], lambda t, a, b, c: a),
    ("fallback", "ab", "", [], [np.nan], lambda t, a, b, c: a),
    ("stack", "ab", "c", [], [], lambda t, a, b, c: a),
    ("within", "ab", "", [], [], lambda t, a, b, c: b),
    ("task_arithmetic", "a", "bc", [0.6, -0.4], [0, 1],
     lambda t, a, b, c: formulas.task_arithmetic(t, a, [b, c], [0.6, -0.4])),
    ("task_arithmetic", "a", "bc", [0.6, 0.3], [1, 0.7],
     lambda t, a, b, c: formulas.task_arithmetic(t, a, [b, c], [0.6, 0.3], True, 0.7)),
    ("cabs", "a", "bc", [0.6, 0.4], [0.5, 0.8, 256],
     lambda t, a, b, c: formulas.cabs(t, a, [b, c], [0.6, 0.4], 0.5, 0.8)),
    ("cabs", "a", "bc", [0.6, 0.4], [0.5, 1, 4],
     lambda t, a, b, c: formulas.cabs(t, a, [b, c], [0.6, 0.4], 0.5, 1, 4)),
    ("consensus", "a", "bc", [0.6, 0.4], [0.4, 2, np.nan, 0.8],
     lambda t, a, b, c: formulas.consensus(t, a, [b, c], [0.6, 0.4], 0.4, 2, None, 0.8)),
    ("consensus", "a", "bc", [0.6, 0.4], [0.7, 1, 2, 1],
     lambda t, a, b, c: formulas.consensus(t, a, [b, c], [0.6, 0.4], 0.7, 1, 2)),
    ("ram", "a", "bc", [], [0.03], lambda t, a, b, c: formulas.ram(t, a, [b, c], 0.03)),
    ("nearswap", "ab", "", [], [0.02], lambda t, a, b, c: formulas.nearswap(t, a, b, 0.02)),
    ("maximum", "ab", "", [], [1], lambda t, a, b, c: formulas.greater(a, b)),
    ("maximum", "ab", "", [], [0.4], lambda t, a, b, c: a + t(0.4) * (formulas.greater(a, b) - a)),
    ("tensor_sum", "ab", "", [], [0.5, 0.25, 0], lambda t, a, b, c: formulas.rows(a, b, 1, 3)),
    ("tensor_sum", "ab", "", [], [0.5, 0.75, 0], lambda t, a, b, c: formulas.rows(b, a, 1, 3)),
    ("tensor_sum", "ab", "", [], [0.45, 0, 1], lambda t, a, b, c: formulas.rows(a, b, 0, 1)),
    ("tensor_sum_2", "ab", "", [], [0.45, 0, 0], lambda t, a, b, c: formulas.rows(a, b, 0, 2)),
    ("add_opposite", "abc", "", [], [0.6, 0],
     lambda t, a, b, c: formulas.add_opposite(t, a, b, c, 0.6)),
    ("add_opposite", "abc", "", [], [0.6, 1],
     lambda t, a, b, c: formulas.add_opposite(t, a, b, c, 0.6, "opposite")),
    ("similarity_add_difference", "abc", "", [], [0.7, 0.8],
     lambda t, a, b, c: formulas.similarity_add_difference(t, a, b, c, 0.7, 0.8)),
    ("geometric_sum", "ab", "", [], [0.3], lambda t, a, b, c: formulas.geometric_sum(t, a, b, 0.3)),
    ("multiply_difference", "abc", "", [], [0.3, 0.6],
     lambda t, a, b, c: formulas.multiply_difference(t, a, b, c, 0.3, 0.6)),
    ("multiply_quotient", "abc", "", [], [0.8],
     lambda t, a, b, c: formulas.multiply_quotient(t, a, b, c, 0.8)),
    ("dare_linear", "a", "bc", [0.6, -0.4], [0.5, 0, 1, 0, 7, 0],
     lambda t, a, b, c: drawing(t).dare_linear(a, [b, c], [0.6, -0.4], [0.5, 0.5], 7)),
    ("dare_ties", "a", "bc", [0.6, -0.4], [0.5, 1, 0, 1, 0, 7, 0],
     lambda t, a, b, c: drawing(t).dare_ties(a, [b, c], [0.6, -0.4], [0.5, 0.5], 7, normalize=True)),
    ("dropout", "a", "bc", [], [0.4, 1, 1, 0, 1, 7, 0],
     lambda t, a, b, c: drawing(t).dropout(a, [b, c], 0.4, seed=7)),
    ("dropout", "a", "bc", [], [0.4, 1, 0, 0, 0.8, 7, 0],
     lambda t, a, b, c: drawing(t).dropout(a, [b, c], 0.4, overlap=0, factor=0.8, seed=7)),
]


def numbers(values):
    return "{" + ", ".join("kLeftOut" if np.isnan(v) else repr(v) for v in values) + "}"


def bits(values):
    unsigned = values.view(np.uint32 if values.dtype == np.float32 else np.uint64)
    suffix = "u" if values.dtype == np.float32 else "ull"
    width = 8 if values.dtype == np.float32 else 16
    return "{" + ", ".join(f"0x{v:0{width}x}{suffix}" for v in unsigned) + "}"


def main():
    data = inputs()
    print("// What numpy computes for every operator. Made by operator_values.py; do not edit.")
    print("// clang-format off")
    print("#pragma once\n")
    print("#include <array>\n#include <cstdint>\n#include <limits>\n#include <string_view>\n"
          "#include <vector>\n")
    print("namespace weightsmith {\n")
    count = RANDOM + len(SPECIAL["a"])
    print(f"inline constexpr std::size_t kValues = {count};")
    print("inline constexpr double kLeftOut = std::numeric_limits<double>::quiet_NaN();\n")
    print("/// Bits of the f32 inputs a, b, c.")
    print("inline constexpr std::array<std::array<std::uint32_t, kValues>, 3> kInputs{{")
    for name in "abc":
        print(f"    {{{bits(data[name])}}},")
    print("}};\n")
    print("struct ExpectedValues {\n  std::string_view op;\n"
          "  std::string_view operands;  ///< letters of inputs\n  std::string_view list;\n"
          "  std::vector<double> weights;\n  std::vector<double> parameters;\n"
          "  bool near;  ///< powers and angles, which are not the same bits everywhere\n"
          "  std::array<std::uint32_t, kValues> f32;\n"
          "  std::array<std::uint64_t, kValues> f64;\n};\n")
    print("inline const std::vector<ExpectedValues> kExpected{")
    for op, operands, listed, weights, parameters, formula in CASES:
        print(f'    {{"{op}", "{operands}", "{listed}", {numbers(weights)}, {numbers(parameters)},'
              f" {'true' if op in NEAR else 'false'},")
        for dtype in (np.float32, np.float64):
            with np.errstate(over="ignore", under="ignore"):
                result = formula(dtype, *(data[name].astype(dtype) for name in "abc"))
            assert result.dtype == dtype and not np.isnan(result).any(), op
            end = "}}," if dtype == np.float64 else "},"
            print(f"     {{{bits(result)}{end}")
    print("};\n\n}  // namespace weightsmith")


main()
