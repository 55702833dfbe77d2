"""Operators that draw random numbers: values as numpy computes them with the documented generator, and the same ones
whatever steps, files and threads are called and do."""

import json

import numpy as np
import pytest

import support
from oracle_random import RandomArithmetic, normal, philox, uniform
from test_passes import merge

SHAPES = {"x.weight": (37, 71), "conv.weight": (16, 20, 3, 3), "vector.bias": (1031,), "column.weight": (50, 1)}
OF = [{"model": "b", "weight": 0.6, "density": 0.3}, {"model": "c", "weight": -0.4}]
THINNED = {"base": "a", "of": OF, "density": 0.5, "seed": 7}
DROPS = {"density": (0.3, 0.5), "seed": 7}
BY_RANK = {**DROPS, "epsilon": (0.1, 0.1)}
WEIGHTS = (0.6, -0.4)

# name -> (step, the same with numpy, and whether every operation is one that is fixed)
CASES = {
    "dare_linear": ({"op": "dare_linear", **THINNED}, lambda m, a, b, c: m.dare_linear(a, [b, c], WEIGHTS, **DROPS), True),
    "dare_linear, nothing rescaled": (
        {"op": "dare_linear", **THINNED, "rescale": "none", "normalize": True, "lambda": 0.8},
        lambda m, a, b, c: m.dare_linear(a, [b, c], WEIGHTS, **DROPS, rescale="none", normalize=True, factor=0.8), True),
    "dare_linear, l1": (
        {"op": "dare_linear", **THINNED, "rescale": "l1"},
        lambda m, a, b, c: m.dare_linear(a, [b, c], WEIGHTS, **DROPS, rescale="l1"), False),
    "dare_ties": ({"op": "dare_ties", **THINNED}, lambda m, a, b, c: m.dare_ties(a, [b, c], WEIGHTS, **DROPS), True),
    "dare_ties, frequency": (
        {"op": "dare_ties", **THINNED, "sign": "frequency", "normalize": True},
        lambda m, a, b, c: m.dare_ties(a, [b, c], WEIGHTS, **DROPS, sign="frequency", normalize=True), True),
    "della": (
        {"op": "della", **THINNED, "epsilon": 0.1}, lambda m, a, b, c: m.della(a, [b, c], WEIGHTS, **BY_RANK), True),
    "della, column": (
        {"op": "della", **THINNED, "epsilon": 0.1, "ranks": "column", "normalize": False},
        lambda m, a, b, c: m.della(a, [b, c], WEIGHTS, **BY_RANK, ranks="column", normalize=False), True),
    "della_linear": (
        {"op": "della_linear", **THINNED, "epsilon": 0.1, "ranks": "tensor"},
        lambda m, a, b, c: m.della_linear(a, [b, c], WEIGHTS, **BY_RANK, ranks="tensor"), True),
    "della_linear, l1": (
        {"op": "della_linear", **THINNED, "epsilon": 0.1, "rescale": "l1"},
        lambda m, a, b, c: m.della_linear(a, [b, c], WEIGHTS, **BY_RANK, rescale="l1"), False),
    "noise": ({"op": "noise", "a": "a", "strength": 0.05, "seed": 3}, lambda m, a, b, c: m.noise(a, 0.05, 3), False),
    "noise, absolute": (
        {"op": "noise", "a": "a", "strength": 0.05, "seed": 3, "unit": "absolute"},
        lambda m, a, b, c: m.noise(a, 0.05, 3, "absolute"), False),
    "dropout": (
        {"op": "dropout", "base": "a", "of": ["b", "c"], "probability": 0.4, "seed": 5, "lambda": 0.5},
        lambda m, a, b, c: m.dropout(a, [b, c], 0.4, seed=5, factor=0.5), True),
    "dropout, one of each": (
        {"op": "dropout", "base": "a", "of": ["b", "c"], "probability": 0.4, "seed": 5, "overlap": 0},
        lambda m, a, b, c: m.dropout(a, [b, c], 0.4, seed=5, overlap=0), True),
    "dropout, of any": (
        {"op": "dropout", "base": "a", "of": ["b", "c"], "probability": 0.4, "overlap": 0.3, "emphasis": 0.7, "rescale": 0.5},
        lambda m, a, b, c: m.dropout(a, [b, c], 0.4, 0.5, 0.3, 0.7), False),
}


def models(folder, dtype=np.float32, shapes=SHAPES):
    parents = {}
    for seed, name in enumerate("abc"):
        random = np.random.default_rng(seed)
        parents[name] = {tensor: random.standard_normal(shape).astype(dtype) for tensor, shape in shapes.items()}
        support.write(folder / f"{name}.safetensors", parents[name])
    return parents


def test_the_generator_gives_the_numbers_that_random123_publishes():
    published = {
        ((0,) * 4, (0,) * 2): "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2): "408f276d 41c83b0e a20bc7c6 6d5451fd",
        ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)): "d16cfe09 94fdcceb 5001e420 24126ea1",
    }
    for (counter, key), words in published.items():
        assert [int(word) for word in philox(counter, key)] == [int(word, 16) for word in words.split()]


@pytest.mark.parametrize("precision", support.chosen(["f32", "f64"], "f32"))
@pytest.mark.parametrize("case", CASES)
def test_values_are_those_of_numpy(weightsmith, tmp_path, case, precision):
    step, compute, exact = CASES[case]
    parents = models(tmp_path)
    out = merge(weightsmith, tmp_path, step, precision=precision)
    for tensor in SHAPES:
        arithmetic = RandomArithmetic(tensor, precision)
        expected = compute(arithmetic, *(arithmetic.load(parents[name][tensor]) for name in "abc"))
        assert expected.dtype == arithmetic.type
        expected = expected.astype(np.float32)
        if exact:
            np.testing.assert_array_equal(out[tensor], expected, tensor)
        else:
            np.testing.assert_allclose(out[tensor], expected, rtol=0, atol=1e-6 * np.abs(expected).max(), err_msg=tensor)


# Rows that lie across pieces of 32,768 elements and chunks of 262,144; the last are too long to be computed by themselves.
LONG_ROWS = {"x.weight": (5, 120_001), "conv.weight": (40, 700, 3, 5), "long.weight": (3, 140_000)}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("case", ["della", "della, column", "della_linear, l1"])
def test_rows_are_ranked_whole_wherever_chunks_end(weightsmith, tmp_path, case, threads):
    step, compute, exact = CASES[case]
    parents = models(tmp_path, shapes=LONG_ROWS)
    support.write_recipe(tmp_path / "r.yaml", {"models": {name: f"{name}.safetensors" for name in "abc"}, "steps": {"out": step},
                                               "output": {"model": "out", "path": "out.safetensors"}})
    weightsmith("merge", "r.yaml", "--threads", threads)
    out = support.read(tmp_path / "out.safetensors").tensors
    for tensor in LONG_ROWS:
        expected = compute(RandomArithmetic(tensor, "f32"), *(parents[name][tensor] for name in "abc"))
        if exact:
            np.testing.assert_array_equal(out[tensor], expected, tensor)
        else:
            np.testing.assert_allclose(out[tensor], expected, rtol=0, atol=1e-6 * np.abs(expected).max(), err_msg=tensor)


@pytest.mark.parametrize("op", ["dare_linear", "della_linear"])
@pytest.mark.parametrize("density", support.chosen([0.2, 0.5, 0.8], 0.5))
def test_a_share_is_kept_and_the_sum_of_magnitudes_stays(weightsmith, tmp_path, op, density):
    parents = models(tmp_path, shapes={"x.weight": (512, 1024)})
    step = {"op": op, "base": "a", "of": [{"model": "b", "weight": 1}], "density": density, "seed": 1}
    delta = (parents["b"]["x.weight"] - parents["a"]["x.weight"]).astype(np.float64)
    for rescale in ("none", "l1", "density"):
        (tmp_path / "out.safetensors").unlink(missing_ok=True)
        kept = merge(weightsmith, tmp_path, {**step, "rescale": rescale})["x.weight"] - parents["a"]["x.weight"]
        assert np.mean(kept != 0) == pytest.approx(density, abs=0.005)
        if rescale != "none":
            limit = 1e-5 if rescale == "l1" else 0.01
            assert np.abs(kept).sum() == pytest.approx(np.abs(delta).sum(), rel=limit)


def test_della_keeps_large_changes_more_often(weightsmith, tmp_path):
    parents = models(tmp_path, shapes={"x.weight": (512, 1024)})
    step = {"op": "della_linear", "base": "a", "of": [{"model": "b", "weight": 1}], "density": 0.5, "epsilon": 0.3}
    out = merge(weightsmith, tmp_path, step)["x.weight"]
    order = np.argsort(np.abs(parents["b"]["x.weight"] - parents["a"]["x.weight"]), axis=1)
    kept = np.take_along_axis(out != parents["a"]["x.weight"], order, axis=1).mean(axis=0)
    assert kept[:100].mean() == pytest.approx(0.23, abs=0.02)
    assert kept[-100:].mean() == pytest.approx(0.77, abs=0.02)


@pytest.mark.parametrize("density, result", [(1, "b"), (0, "a")])
@pytest.mark.parametrize("op", ["dare_linear", "dare_ties", "della", "della_linear"])
def test_at_the_ends_of_density_all_or_nothing_is_kept(weightsmith, tmp_path, op, density, result):
    parents = models(tmp_path)
    step = {"op": op, "base": "a", "of": [{"model": "b", "weight": 1}], "density": density}
    out = merge(weightsmith, tmp_path, step, effect="any")
    for tensor in SHAPES:
        np.testing.assert_allclose(out[tensor], parents[result][tensor], rtol=0, atol=1e-6)


def test_names_of_steps_change_nothing(weightsmith, tmp_path):
    models(tmp_path)
    digests = set()
    for name in ("mix", "another", "zzz"):
        support.write_recipe(tmp_path / "r.yaml", {
            "models": {letter: f"{letter}.safetensors" for letter in "abc"},
            "steps": {name: {"op": "dare_ties", **THINNED}}, "output": {"model": name, "path": f"{name}.safetensors"}})
        weightsmith("merge", "r.yaml")
        tensors = support.read(tmp_path / f"{name}.safetensors").tensors
        digests.add(json.dumps({k: v.tobytes().hex() for k, v in tensors.items()}, sort_keys=True))
    assert len(digests) == 1


@pytest.mark.parametrize("op", support.chosen(["noise", "della"], "della"))
@pytest.mark.parametrize("options", [("--threads", "1"), ("--threads", "7"), ("--io", "read"), ("--max-memory", "128M")], ids=" ".join)
def test_options_of_the_run_change_nothing(weightsmith, tmp_path, op, options):
    models(tmp_path, shapes={"big.weight": (700, 1111), "small.weight": (3, 7), "one": (), "empty.weight": (0, 4)})
    step = {"op": op, **THINNED, "epsilon": 0.1} if op == "della" else {"op": op, "a": "a", "strength": 0.1}
    merge(weightsmith, tmp_path, step)
    once = support.sha256(tmp_path / "out.safetensors")
    weightsmith("merge", "r.yaml", *options, "--force")
    assert support.sha256(tmp_path / "out.safetensors") == once


@pytest.mark.parametrize("architecture", support.chosen(["sdxl", "flux1-dev"], "flux1-dev"))
def test_names_and_order_in_files_change_nothing(weightsmith, tmp_path, architecture):
    """What diffusers calls q, k and v, and stores in rows of its own, has the numbers of the joined tensor."""
    step = {"op": "dare_linear", "base": "a", "of": [{"model": "b", "weight": 1}], "density": 0.4}

    def mix(a, b, **output):
        support.write_recipe(tmp_path / "r.yaml", {
            "models": {"a": a, "b": b}, "steps": {"out": step}, "output": {"model": "out", **output}})
        weightsmith("merge", "r.yaml")

    for seed in (1, 2):
        weightsmith("synth", architecture, "--scale", "tiny", "--layout", "monolithic", "--seed", seed, "-o", f"m{seed}.safetensors")
        weightsmith("convert", f"m{seed}.safetensors", "--layout", "diffusers", "-o", f"d{seed}")
    mix("m1.safetensors", "m2.safetensors", path="plain.safetensors")
    mix("d1", "d2", path="found", layout="diffusers")
    weightsmith("convert", "plain.safetensors", "--layout", "diffusers", "-o", "expected")
    files = [path.relative_to(tmp_path / "expected") for path in (tmp_path / "expected").rglob("*.safetensors")]
    assert files
    for file in files:
        expected, found = (support.read(tmp_path / folder / file).tensors for folder in ("expected", "found"))
        assert expected.keys() == found.keys()
        for name, values in expected.items():
            assert found[name].tobytes() == values.tobytes(), name


TWICE = """\
weightsmith: 1
models: {a: a.safetensors, b: b.safetensors}
steps:
  first: {op: noise, a: a, strength: 0.1%s}
  second: {op: dare_linear, base: first, of: [{model: b, weight: 1}], density: 0.5%s}
output: {model: second, path: out.safetensors}
"""


@pytest.mark.parametrize("first, second, place, other", [
    ("", "", "5:3", "line 4, column 3"),
    (", seed: 4", ", seed: 4", "5:91", "line 4, column 49"),
    ("", ", seed: 0", "5:91", "line 4, column 3"),
])
def test_one_seed_in_two_steps_is_an_error(weightsmith, tmp_path, first, second, place, other):
    models(tmp_path)
    (tmp_path / "r.yaml").write_text(TWICE % (first, second))
    said = weightsmith("merge", "r.yaml", status=2).stderr
    assert f"r.yaml:{place}" in said
    assert other in said
    assert "'first'" in said and "'second'" in said and "seed_shared: true" in said
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("first, second", [("", ", seed: 1"), (", seed_shared: true", ""), ("", ", seed_shared: true")])
def test_other_seeds_and_shared_ones_are_none(weightsmith, tmp_path, first, second):
    models(tmp_path)
    (tmp_path / "r.yaml").write_text(TWICE % (first, second))
    weightsmith("merge", "r.yaml")


def test_a_seed_is_reported(weightsmith, tmp_path):
    models(tmp_path)
    (tmp_path / "r.yaml").write_text(TWICE % ("", ", seed: 12"))
    weightsmith("merge", "r.yaml", "--report", "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert [step["seed"] for step in report["steps"]] == [0, 12]


@pytest.mark.parametrize("density, epsilon", [(0.1, 0.2), (0.95, 0.1), ({"default": 0.1}, 0.15)])
def test_probabilities_beyond_zero_and_one_are_refused(weightsmith, tmp_path, density, epsilon):
    models(tmp_path)
    step = {"op": "della", "base": "a", "of": [{"model": "b", "weight": 1}, {"model": "c", "weight": 1, "density": 0.5}],
            "density": density, "epsilon": epsilon}
    support.write_recipe(tmp_path / "r.yaml", {
        "models": {name: f"{name}.safetensors" for name in "abc"}, "steps": {"out": step},
        "output": {"model": "out", "path": "out.safetensors"}})
    result = weightsmith("merge", "r.yaml", status=3)
    assert "of[1]" in result.stderr and "of[2]" not in result.stderr
    assert "between 0 and 1" in result.stderr
    assert not (tmp_path / "out.safetensors").exists()


def test_an_operand_has_numbers_of_its_own():
    where = ("x.weight", (1000,))
    drawn = [uniform(7, op, operand, *where) for op in ("dare_linear", "dare_ties") for operand in (0, 1)]
    for i, x in enumerate(drawn):
        for y in drawn[:i]:
            assert abs(np.corrcoef(x, y)[0, 1]) < 0.15
    assert abs(normal(7, "noise", 0, *where).std() - 1) < 0.1
