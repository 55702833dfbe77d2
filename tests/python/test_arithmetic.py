"""Every operator, for every dtype of storage, bit for bit as numpy and ml_dtypes compute it."""

import itertools

import numpy as np
import pytest

import oracle
import support

SHAPE = (37, 71)  # three tiles, the last one not full

# name -> (steps that end in `out`, the same with numpy)
CASES = {
    "weighted_sum": (
        {"out": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.3}},
        lambda m, a, b, c: m.weighted_sum(a, b, 0.3),
    ),
    "add_difference": (
        {"out": {"op": "add_difference", "a": "a", "b": "b", "c": "c", "alpha": 0.7}},
        lambda m, a, b, c: m.add_difference(a, b, c, 0.7),
    ),
    "add": (
        {
            "d": {"op": "subtract", "a": "b", "b": "c"},
            "out": {"op": "add", "a": "a", "b": "d", "alpha": -0.45},
        },
        lambda m, a, b, c: m.add(a, m.subtract(b, c), -0.45),
    ),
    "add with alpha 1": (
        {"out": {"op": "add", "a": "a", "b": {"op": "subtract", "a": "b", "b": "c"}}},
        lambda m, a, b, c: m.add(a, m.subtract(b, c)),
    ),
    "scale": (
        {
            "d": {"op": "scale", "a": {"op": "subtract", "a": "b", "b": "c"}, "factor": 1.1},
            "out": {"op": "add", "a": "a", "b": "d", "alpha": 0.9},
        },
        lambda m, a, b, c: m.add(a, m.scale(m.subtract(b, c), 1.1), 0.9),
    ),
    "multiply": (
        {"out": {"op": "multiply", "a": "a", "b": "b"}},
        lambda m, a, b, c: m.multiply(a, b),
    ),
    "linear": (
        {
            "out": {
                "op": "linear",
                "of": [
                    {"model": "a", "weight": 0.55},
                    {"model": "b", "weight": -0.2},
                    {"model": "c", "weight": 0.4},
                ],
            }
        },
        lambda m, a, b, c: m.linear([a, b, c], [0.55, -0.2, 0.4]),
    ),
    "linear, normalised": (
        {
            "out": {
                "op": "linear",
                "normalize": True,
                "of": [
                    {"model": "a", "weight": 0.55},
                    {"model": "b", "weight": 0.2},
                    {"model": "c", "weight": 0.4},
                ],
            }
        },
        lambda m, a, b, c: m.linear([a, b, c], [0.55, 0.2, 0.4], normalize=True),
    ),
    "average": (
        {"out": {"op": "average", "of": ["a", "b", "c"]}},
        lambda m, a, b, c: m.average([a, b, c]),
    ),
    "sum_twice": (
        {"out": {"op": "sum_twice", "a": "a", "b": "b", "c": "c", "alpha": 0.15, "beta": 0.65}},
        lambda m, a, b, c: m.sum_twice(a, b, c, 0.15, 0.65),
    ),
    "triple_sum": (
        {"out": {"op": "triple_sum", "a": "a", "b": "b", "c": "c", "alpha": 0.15, "beta": 0.65}},
        lambda m, a, b, c: m.triple_sum(a, b, c, 0.15, 0.65),
    ),
    "train_difference": (
        {"out": {"op": "train_difference", "a": "a", "b": "b", "c": "c", "alpha": 0.8}},
        lambda m, a, b, c: m.train_difference(a, b, c, 0.8),
    ),
    "clamp to numbers": (
        {"out": {"op": "clamp", "a": "a", "low": -0.3, "high": 0.6}},
        lambda m, a, b, c: m.clamp(a, low=-0.3, high=0.6),
    ),
    "clamp to models": (
        {"out": {"op": "clamp", "a": "a", "to": ["b", "c"]}},
        lambda m, a, b, c: m.clamp(a, to=[b, c]),
    ),
    "slerp": (
        {"out": {"op": "slerp", "a": "a", "b": "b", "alpha": 0.3}},
        lambda m, a, b, c: m.slerp(a, b, 0.3),
    ),
    "slerp beyond the arc": (
        {"out": {"op": "slerp", "a": "a", "b": "b", "alpha": -0.4}},
        lambda m, a, b, c: m.slerp(a, b, -0.4),
    ),
    "slerp of what is nearly one model": (
        {
            "near": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.001},
            "out": {"op": "slerp", "a": "a", "b": "near", "alpha": 0.3},
        },
        lambda m, a, b, c: m.slerp(a, m.weighted_sum(a, b, 0.001), 0.3),
    ),
    "norm_match": (
        {
            "far": {"op": "linear", "of": [{"model": "b", "weight": 2.5}]},
            "out": {"op": "norm_match", "a": "a", "b": "far", "alpha": 1},
        },
        lambda m, a, b, c: m.norm_match(a, m.linear([b], [2.5]), 1),
    ),
    "norm_match between": (
        {
            "far": {"op": "linear", "of": [{"model": "b", "weight": 2.5}]},
            "out": {"op": "norm_match", "a": "a", "b": "far", "alpha": 0.3},
        },
        lambda m, a, b, c: m.norm_match(a, m.linear([b], [2.5]), 0.3),
    ),
    "ties": (
        {
            "out": {
                "op": "ties",
                "base": "a",
                "density": 0.3,
                "of": [{"model": "c", "weight": 0.6}, {"model": "b", "weight": 0.4}],
            }
        },
        lambda m, a, b, c: m.ties(a, [c, b], [0.6, 0.4], 0.3),
    ),
    "ties, not normalised": (
        {
            "out": {
                "op": "ties",
                "base": "a",
                "density": 0.7,
                "normalize": False,
                "lambda": 0.8,
                "of": [{"model": "c", "weight": 0.6}, {"model": "b", "weight": -0.4}],
            }
        },
        lambda m, a, b, c: m.ties(a, [c, b], [0.6, -0.4], 0.7, normalize=False, factor=0.8),
    ),
    "ties by frequency": (
        {
            "out": {
                "op": "ties",
                "base": "a",
                "of": [{"model": "c", "weight": 0.9}, {"model": "b", "weight": 0.2}, {"model": "half", "weight": 0.3}],
                "density": 0.6,
                "sign": "frequency",
            },
            "half": {"op": "add_difference", "a": "a", "b": "b", "c": "c", "alpha": 0.5},
        },
        lambda m, a, b, c: m.ties(
            a, [c, b, m.add_difference(a, b, c, 0.5)], [0.9, 0.2, 0.3], 0.6, sign="frequency"),
    ),
    "ties of all": (
        {
            "out": {
                "op": "ties",
                "base": "a",
                "density": 1,
                "of": [{"model": "c", "weight": 1}, {"model": "b", "weight": 1}],
            }
        },
        lambda m, a, b, c: m.ties(a, [c, b], [1, 1], 1),
    ),
    "model_stock": (
        {"out": {"op": "model_stock", "base": "a", "of": ["c", "b"]}},
        lambda m, a, b, c: m.model_stock(a, [c, b]),
    ),
    "passes in a chain": (
        {
            "arc": {"op": "slerp", "a": "c", "b": "b", "alpha": 0.6},
            "trimmed": {
                "op": "ties",
                "base": "a",
                "density": 0.4,
                "of": [{"model": "arc", "weight": 1}, {"model": "b", "weight": 0.5}],
            },
            "out": {"op": "weighted_sum", "a": "trimmed", "b": "c", "alpha": 0.25},
        },
        lambda m, a, b, c: m.weighted_sum(
            m.ties(a, [m.slerp(c, b, 0.6), b], [1, 0.5], 0.4), c, 0.25),
    ),
    "a chain of five steps": (
        {
            "one": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.3},
            "two": {"op": "add_difference", "a": "one", "b": "b", "c": "c", "alpha": 0.21},
            "three": {"op": "train_difference", "a": "two", "b": "a", "c": "c", "alpha": 0.4},
            "four": {"op": "multiply", "a": "three", "b": "b"},
            "out": {"op": "sum_twice", "a": "four", "b": "two", "c": "a", "alpha": 0.33, "beta": 0.1},
        },
        lambda m, a, b, c: _chain(m, a, b, c),
    ),
}


def _chain(m, a, b, c):
    one = m.weighted_sum(a, b, 0.3)
    two = m.add_difference(one, b, c, 0.21)
    three = m.train_difference(two, a, c, 0.4)
    four = m.multiply(three, b)
    return m.sum_twice(four, two, a, 0.33, 0.1)


def values(generator, dtype):
    """Ordinary values, a few large ones, subnormals of the format, and equal pairs for 0/0."""
    array = generator.standard_normal(SHAPE)
    array[0, :] *= 3
    array[1, :] *= 2.0**-15  # subnormal in f16, f8_e5m2 and f8_e4m3
    array[2, :] *= 2.0**-128  # subnormal in bf16 and f32
    array[3, :] = 0.25
    array[4, :] = np.round(array[4, :])  # many ties
    return array.astype(support.DTYPES[dtype])


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """a, b, c hold a tensor for every triple of dtypes; the tensor's name says which."""
    folder = tmp_path_factory.mktemp("arithmetic")
    checkpoints = []
    for position, model in enumerate("abc"):
        generator = np.random.default_rng(position)
        tensors = {}
        for dtypes in itertools.product(support.FLOATS, repeat=3):
            tensors[f"t.{'.'.join(dtypes)}.weight"] = values(generator, dtypes[position])
        support.write(folder / f"{model}.safetensors", tensors, unaligned=model == "b")
        checkpoints.append(tensors)
    return folder, checkpoints


def merge(weightsmith, folder, steps, *options, **recipe):
    recipe = {
        "models": {name: str(folder / f"{name}.safetensors") for name in "abc"},
        "steps": steps,
        "output": {"model": "out", "path": "out.safetensors"},
        **recipe,
    }
    support.write_recipe(weightsmith.folder / "recipe.yaml", recipe)
    weightsmith("merge", "recipe.yaml", "--no-sync", *options)
    return support.read(weightsmith.folder / "out.safetensors")


def check(result, checkpoints, compute, precision="f32", zeros_alike=False):
    arithmetic = oracle.Arithmetic(precision)
    assert result.tensors.keys() == checkpoints[0].keys()
    for name in checkpoints[0]:
        operands = [arithmetic.load(tensors[name]) for tensors in checkpoints]
        stored = checkpoints[0][name].dtype
        with np.errstate(over="ignore", under="ignore"):
            exact = compute(arithmetic, *operands)
            assert exact.dtype == arithmetic.type
            kind = support.NAMES[stored]
            if precision == "f64" and kind in oracle.FORMATS:
                expected = oracle.round_once(exact, kind, stored)
            else:
                expected = exact.astype(stored)
        actual = result[name]
        if zeros_alike:  # which of two zeros is the greater is nobody's business
            actual, expected = actual.copy(), expected.copy()
            actual[actual == 0] = 0
            expected[expected == 0] = 0
        support.assert_same_bits(actual, expected, name)


@pytest.mark.parametrize("case", support.sampled(CASES, 2))
def test_an_operator_gives_the_bits_of_numpy(weightsmith, models, case):
    folder, checkpoints = models
    steps, compute = CASES[case]
    result = merge(weightsmith, folder, steps)
    check(result, checkpoints, compute, zeros_alike="clamp" in case)


@pytest.mark.parametrize("shape", [(1,), (7,), (64, 32), (31, 17), (8, 6, 3, 3), (5, 1, 4)], ids=str)
@pytest.mark.parametrize("tilt", support.sampled([0, 0.3, 1, 1.6, 2, 2.5, 3.25, 4], 6))
def test_crossover_mixes_the_frequencies_of_numpy(weightsmith, tmp_path, shape, tilt):
    generator = np.random.default_rng(3)
    a, b = (generator.standard_normal(shape).astype(np.float32) for _ in "ab")
    for name, array in (("a", a), ("b", b), ("c", a)):
        support.write(tmp_path / f"{name}.safetensors", {"t.weight": array})
    step = {"out": {"op": "crossover", "a": "a", "b": "b", "alpha": 0.4, "tilt": tilt}}
    found = merge(weightsmith, tmp_path, step)["t.weight"]
    if shape == (1,) or tilt == 1:  # without frequencies, and without an edge, it is a blend
        expected = oracle.Arithmetic().weighted_sum(a, b, 0.4)
    else:
        expected = oracle.Arithmetic().crossover(a, b, 0.4, tilt)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("case", ["weighted_sum", "linear, normalised", "train_difference", "a chain of five steps", "ties", "ties of all"])
def test_precision_f64_computes_in_f64_and_rounds_once(weightsmith, models, case):
    folder, checkpoints = models
    steps, compute = CASES[case]
    result = merge(weightsmith, folder, steps, policy={"precision": "f64"})
    check(result, checkpoints, compute, precision="f64")


@pytest.mark.parametrize("word", ["f32", "f16", "bf16"])
def test_the_output_dtype_is_the_one_asked_for(weightsmith, models, word):
    folder, checkpoints = models
    result = merge(weightsmith, folder, CASES["weighted_sum"][0], "--dtype", word)
    arithmetic = oracle.Arithmetic()
    for name in checkpoints[0]:
        a, b, _ = (arithmetic.load(tensors[name]) for tensors in checkpoints)
        expected = arithmetic.weighted_sum(a, b, 0.3).astype(support.DTYPES[word.upper()])
        support.assert_same_bits(result[name], expected, name)


def test_the_oracle_rounds_f32_as_ml_dtypes_does():
    generator = np.random.default_rng(5)
    wide = (generator.standard_normal(20000) * 2.0 ** generator.integers(-20, 6, 20000)).astype(np.float32)
    for name in oracle.FORMATS:
        dtype = support.DTYPES[name]
        support.assert_same_bits(oracle.round_once(wide.astype(np.float64), name, dtype), wide.astype(dtype), name)


def test_non_finite_elements_go_through_and_stay_canonical(weightsmith, tmp_path):
    """A NaN or an infinity of an input is no overflow; NaN results have one form."""
    a = np.array([1.0, -np.nan, np.inf, -np.inf, 2.0, 0.5], dtype=np.float32)
    b = np.array([1.5, 1.0, 1.0, 1.0, np.nan, 0.25], dtype=np.float32)
    for name, array in zip("abc", (a, b, b)):
        support.write(tmp_path / f"{name}.safetensors", {"w": array})
    result = merge(weightsmith, tmp_path, CASES["weighted_sum"][0])["w"]
    expected = oracle.Arithmetic().weighted_sum(a, b, 0.3)
    assert np.array_equal(result, expected, equal_nan=True)
    assert {int(x) for x in support.bits(result)[np.isnan(result)]} == {0x7FC00000}


def test_alpha_0_and_1_copy_bytes(weightsmith, trio):
    a, b, _ = trio
    for alpha, source in ((0, a), (1, b)):
        steps = {"out": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": alpha}}
        result = merge(weightsmith, weightsmith.folder, steps, "--force")
        for name, array in support.read(source).tensors.items():
            support.assert_same_bits(result[name], array, name)
