"""Prints operator_values.h: what numpy computes for every operator, in the association that its
formula gives, each product, sum and quotient rounded by itself. Run it again after adding a case:

    python3 tests/merge/operator_values.py > tests/merge/operator_values.h
"""

import numpy as np

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


def train_difference(t, a, b, c, alpha):
    whole = np.abs(b - c) + np.abs(b - a)
    with np.errstate(invalid="ignore"):
        ratio = np.where(whole == 0, t(0), np.abs(b - a) / whole)
    return a + ((t(1.8) * t(alpha)) * (b - c)) * ratio


def lesser(x, y):
    return np.where((x < y) | ((x == y) & np.signbit(x)), x, y)  # -0 is below +0


def greater(x, y):
    return -lesser(-x, -y)


def linear(t, terms, weights, normalize):
    total = t(weights[0]) * terms[0]
    weight = t(weights[0])
    for term, w in zip(terms[1:], weights[1:]):
        total = total + t(w) * term
        weight = weight + t(w)
    return total / weight if normalize else total


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
     lambda t, a, b, c: linear(t, [a, b, c], [0.7, 0.2, 0.3], False)),
    ("linear", "", "abc", [3, 2, 0.7], [1],
     lambda t, a, b, c: linear(t, [a, b, c], [3, 2, 0.7], True)),
    ("linear", "", "abc", [1, 1, -0.4], [0],
     lambda t, a, b, c: linear(t, [a, b, c], [1, 1, -0.4], False)),
    ("average", "", "abc", [], [], lambda t, a, b, c: linear(t, [a, b, c], [1, 1, 1], True)),
    ("sum_twice", "abc", "", [], [0.4, 0.2],
     lambda t, a, b, c: (t(1) - t(0.2)) * ((t(1) - t(0.4)) * a + t(0.4) * b) + t(0.2) * c),
    ("triple_sum", "abc", "", [], [0.3, 0.2],
     lambda t, a, b, c: (t(1) - (t(0.3) + t(0.2))) * a + t(0.3) * b + t(0.2) * c),
    ("train_difference", "abc", "", [], [0.75],
     lambda t, a, b, c: train_difference(t, a, b, c, 0.75)),
    ("clamp", "a", "", [], [-0.02, 0.05],
     lambda t, a, b, c: lesser(greater(a, t(-0.02)), t(0.05))),
    ("clamp", "a", "", [], [0, np.nan], lambda t, a, b, c: greater(a, t(0))),
    ("clamp", "a", "", [], [np.nan, 0.01], lambda t, a, b, c: lesser(a, t(0.01))),
    ("clamp", "a", "bc", [], [np.nan, np.nan],
     lambda t, a, b, c: lesser(greater(a, lesser(b, c)), greater(b, c))),
    ("copy", "a", "", [], [], lambda t, a, b, c: a),
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
          "  std::array<std::uint32_t, kValues> f32;\n"
          "  std::array<std::uint64_t, kValues> f64;\n};\n")
    print("inline const std::vector<ExpectedValues> kExpected{")
    for op, operands, listed, weights, parameters, formula in CASES:
        print(f'    {{"{op}", "{operands}", "{listed}", {numbers(weights)}, {numbers(parameters)},')
        for dtype in (np.float32, np.float64):
            with np.errstate(over="ignore", under="ignore"):
                result = formula(dtype, *(data[name].astype(dtype) for name in "abc"))
            assert result.dtype == dtype and not np.isnan(result).any(), op
            end = "}}," if dtype == np.float64 else "},"
            print(f"     {{{bits(result)}{end}")
    print("};\n\n}  // namespace weightsmith")


main()
