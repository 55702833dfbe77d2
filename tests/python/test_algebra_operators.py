"""Methods of matrices, against numpy's reading of their papers."""

import numpy as np
import pytest

import oracle_algebra
import support

SHAPES = {
    "tall": (40, 24),
    "wide": (24, 40),
    "convolution": (9, 5, 3, 3),
    "point convolution": (12, 10, 1, 1),
    "one row": (1, 7),
    "one column": (7, 1),
    "vector": (16,),
    "number": (),
}
NEAR = 1e-6  # of the largest magnitude of a tensor


def models_of(shapes, names="wxyz", seed=0):
    """A base w, and fine-tunes of it whose differences have something in common."""
    generator = np.random.default_rng(seed)
    base = {name: generator.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    shared = {name: 0.1 * generator.standard_normal(shape) for name, shape in shapes.items()}
    models = {names[0]: base}
    for model in names[1:]:
        models[model] = {
            name: (base[name] + shared[name] + 0.1 * generator.standard_normal(shape)).astype(np.float32)
            for name, shape in shapes.items()}
    return models


def merge(weightsmith, folder, models, steps, *options, status=0, **policy):
    for model, tensors in models.items():
        support.write(folder / f"{model}.safetensors", {f"{name}.weight": x for name, x in tensors.items()})
    text = str(steps)
    support.write_recipe(folder / "r.yaml", {
        "models": {name: f"{name}.safetensors" for name in models if f"'{name}'" in text},
        "steps": steps, "output": {"model": "out", "path": "out.safetensors"}, "policy": policy})
    result = weightsmith("merge", "r.yaml", "--no-sync", *options, status=status)
    return result if status else support.read(folder / "out.safetensors")


def check(found, expected):
    """`expected` by the names of tensors."""
    for name, x in expected.items():
        actual = found[f"{name}.weight"].astype(np.float64)
        assert np.abs(actual - x).max() <= NEAR * np.abs(x).max(), name


def base_and(models, compute):
    """What is added to the base of each tensor."""
    w, *rest = (models[name] for name in "wxyz")
    return {name: w[name] + compute(oracle_algebra.deltas(w[name], [x[name] for x in rest])) for name in w}


ADDED = {
    "tsv_merge": ({}, lambda of: oracle_algebra.tsv(of)),
    "iso_c": ({"lambda": 0.7}, lambda of: 0.7 * oracle_algebra.iso_c(of)),
    "iso_cts": ({"common": 0.6}, lambda of: oracle_algebra.iso_cts(of, 0.6)),
    "star": ({"share": 0.5}, lambda of: sum(oracle_algebra.star(x, 0.5) for x in of) / len(of)),
    "core_space": ({"rank": 3}, lambda of: oracle_algebra.core_space(of, 3, "tsv")),
}


@pytest.mark.parametrize("op", ADDED)
def test_what_is_added_to_the_base_is_the_papers(weightsmith, tmp_path, op):
    parameters, compute = ADDED[op]
    models = models_of(SHAPES)
    found = merge(weightsmith, tmp_path, models, {"out": {"op": op, "base": "w", "of": ["x", "y", "z"], **parameters}})
    check(found, base_and(models, compute))


@pytest.mark.parametrize("word", ["iso", "sum"])
def test_a_core_may_be_merged_otherwise(weightsmith, tmp_path, word):
    models = models_of({"tall": (40, 24)})
    step = {"op": "core_space", "base": "w", "of": ["x", "y", "z"], "rank": 4, "merge": word}
    found = merge(weightsmith, tmp_path, models, {"out": step})
    check(found, base_and(models, lambda of: oracle_algebra.core_space(of, 4, word)))


def test_each_model_may_have_a_share_of_its_own(weightsmith, tmp_path):
    models = models_of({"tall": (40, 24)})
    shares = [0.2, 0.5, 1.0]
    of = [{"model": name, "share": share} for name, share in zip("xyz", shares)]
    found = merge(weightsmith, tmp_path, models, {"out": {"op": "star", "base": "w", "of": of}})
    check(found, base_and(
        models, lambda ds: sum(oracle_algebra.star(d, share) for d, share in zip(ds, shares)) / 3))


@pytest.mark.parametrize("alpha", [0.1, 1])
def test_svc_calibrates_any_merge(weightsmith, tmp_path, alpha):
    models = models_of(SHAPES)
    steps = {
        "sum": {"op": "add_difference", "a": "x", "b": "y", "c": "w", "alpha": 1},
        "out": {"op": "svc", "base": "w", "a": "sum", "of": ["x", "y"], "alpha": alpha},
    }
    found = merge(weightsmith, tmp_path, models, steps)
    expected = {}
    for name, w in models["w"].items():
        x, y = (models[model][name] for model in "xy")
        merged = x + (y - w)
        of = oracle_algebra.deltas(w, [x, y])
        if merged.ndim < 2:
            expected[name] = merged
        else:
            [delta] = oracle_algebra.deltas(w, [merged])
            expected[name] = w + oracle_algebra.svc(delta, of, alpha)
    check(found, expected)


@pytest.mark.parametrize("given", [{"rank": 3}, {"ratio": 0.5}, {"rank": 0}, {"rank": 1000}], ids=str)
def test_truncate_rank_keeps_the_largest_directions(weightsmith, tmp_path, given):
    models = models_of(SHAPES)
    steps = {
        "d": {"op": "truncate_rank", "a": {"op": "subtract", "a": "x", "b": "w"}, **given},
        "out": {"op": "add", "a": "w", "b": "d"},
    }
    found = merge(weightsmith, tmp_path, models, steps, effect="any")
    check(found, {
        name: w + oracle_algebra.truncate(*oracle_algebra.deltas(w, [models["x"][name]]), **given)
        for name, w in models["w"].items()})


@pytest.mark.parametrize("given", [
    {}, {"alignment": 0.3}, {"alignment": 0.3, "alpha": 0.4}, {"alignment": 1, "alpha": 0.6},
    {"alignment": 0, "alpha": 0.5}, {"alignment": 0.8, "centralization": 0}], ids=str)
def test_rotate_turns_rows_by_the_nearest_orthogonal_matrix(weightsmith, tmp_path, given):
    models = models_of({name: SHAPES[name] for name in ("tall", "wide", "convolution", "vector", "number")})
    step = {"op": "rotate", "a": "x", "b": "y", **given}
    found = merge(weightsmith, tmp_path, models, {"out": step}, effect="any")
    for name in models["x"]:
        x, y = models["x"][name], models["y"][name]
        expected = oracle_algebra.rotate(x, y, **given)
        actual = found[f"{name}.weight"]
        # Angles near half a circle are worse known than others.
        assert np.abs(actual - expected).max() <= 1e-5 * np.abs(expected).max(), name


def test_rotate_ends_at_its_operands(weightsmith, tmp_path):
    models = models_of(SHAPES)
    for value, end in ((0, "x"), (1, "y")):
        step = {"op": "rotate", "a": "x", "b": "y", "alignment": value, "alpha": value}
        found = merge(weightsmith, tmp_path, models, {"out": step}, "--force", effect="any")
        for name, x in models[end].items():
            support.assert_same_bits(found[f"{name}.weight"], x, name)


@pytest.mark.parametrize("edges", [(0.25, 0.5), (0, 1), (0.4, 0.4)], ids=str)
def test_frequency_takes_each_band_by_its_share(weightsmith, tmp_path, edges):
    models = models_of({name: SHAPES[name] for name in ("tall", "wide", "convolution", "vector")})
    step = {"op": "frequency", "a": "x", "b": "y", "low": 0.9, "middle": 0.3, "high": -0.2,
            "from": edges[0], "to": edges[1]}
    found = merge(weightsmith, tmp_path, models, {"out": step})
    expected = {}
    for name, x in models["x"].items():
        [delta] = oracle_algebra.deltas(x, [models["y"][name]])
        expected[name] = x + oracle_algebra.bands(delta, 0.9, 0.3, -0.2, *edges)
    check(found, expected)


def test_matrices_beyond_one_decomposition_do_the_same(weightsmith, tmp_path):
    """Of several hundred rows, and with directions that are looked for in a subspace."""
    generator = np.random.default_rng(7)
    few = generator.standard_normal((2048, 6)) @ generator.standard_normal((6, 2050))
    shapes = {"block": (420, 400), "many": few.shape}
    base = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    tuned = {"block": generator.standard_normal(shapes["block"]).astype(np.float32),
             "many": (few + 1e-3 * generator.standard_normal(few.shape)).astype(np.float32)}
    steps = {
        "d": {"op": "truncate_rank", "a": {"op": "subtract", "a": "x", "b": "w"}, "rank": 6},
        "out": {"op": "add", "a": "w", "b": "d"},
    }
    found = merge(weightsmith, tmp_path, {"w": base, "x": tuned}, steps)
    check(found, {"block": oracle_algebra.truncate(tuned["block"].astype(np.float64), 6)})
    # Of what was a product of six, all but the noise. Twelve random sums of columns have the rank of all, where that is less.
    actual = found["many.weight"]
    assert np.linalg.matrix_rank(actual.astype(np.float64) @ generator.standard_normal((2050, 12)), tol=1e-2) == 6
    assert np.abs(actual - few).max() < 1e-3


@pytest.mark.parametrize("op", support.chosen([*ADDED, "svc"], "iso_c", "svc"))
def test_the_bytes_depend_on_no_number_of_threads(weightsmith, tmp_path, op):
    models = models_of({f"{i}": (60 + i, 50) for i in range(4)} | {"block": (400, 390)})
    step = {"op": op, "base": "w", "of": ["x", "y"]} | ({"a": "z"} if op == "svc" else {})
    read = [merge(weightsmith, tmp_path, models, {"out": step}, "--force", "--threads", str(n)) for n in (1, 2, 7)]
    for other in read[1:]:
        for name, tensor in read[0].tensors.items():
            support.assert_same_bits(other[name], tensor, name)


def test_a_direction_that_two_models_share_counts_once(weightsmith, tmp_path):
    models = models_of({"tall": (12, 8)})
    models["y"] = models["x"]
    found = merge(weightsmith, tmp_path, models, {"out": {"op": "tsv_merge", "base": "w", "of": ["x", "y"]}})
    [delta] = oracle_algebra.deltas(models["w"]["tall"], [models["x"]["tall"]])
    u, s, vt = oracle_algebra.svd(delta)
    # Each pair of equal vectors has two that are orthogonal in no way but by halves.
    expected = models["w"]["tall"] + (u[:, :4] * s[:4] @ vt[:4])
    check(found, {"tall": expected})


def test_values_that_are_no_numbers_come_out_as_they_went_in(weightsmith, tmp_path):
    models = models_of({"tall": (6, 5)})
    models["x"]["tall"][2, 3] = np.nan
    models["y"]["tall"][1, 1] = np.inf
    for op in ADDED:
        found = merge(weightsmith, tmp_path, models, {"out": {"op": op, "base": "w", "of": ["x", "y"]}}, "--force")
        assert np.isnan(found["tall.weight"][2, 3]) and np.isinf(found["tall.weight"][1, 1])
        assert np.isfinite(found["tall.weight"]).sum() >= 28


def test_a_tensor_that_is_too_large_is_refused_by_its_name(weightsmith, tmp_path):
    models = models_of({"small": (8, 8), "wide": (1200, 1300)})
    step = {"op": "iso_c", "base": "w", "of": ["x", "y"]}
    result = merge(weightsmith, tmp_path, models, {"out": step}, "--max-memory", "100M", status=6)
    assert "'wide.weight' [1200, 1300]" in result.stderr
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("step, words", [
    ({"op": "truncate_rank", "a": "x"}, "`rank` is missing"),
    ({"op": "truncate_rank", "a": "x", "rank": 2, "ratio": 0.5}, "write one"),
    ({"op": "tsv_merge", "base": "w", "of": []}, "at least one model"),
    ({"op": "frequency", "a": "x", "b": "y", "low": 1, "middle": 0, "high": 0, "from": 0.6, "to": 0.4}, "`from`"),
])
def test_what_is_wrong_is_said(weightsmith, tmp_path, step, words):
    result = merge(weightsmith, tmp_path, models_of({"tall": (4, 3)}), {"out": step}, status=2 if "from" not in step else 3)
    assert words in result.stderr
