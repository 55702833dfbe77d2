"""What steps say of their work in their methods' own words, tensor by tensor, against numpy."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import oracle_algebra
import oracle_diffusion
import oracle_vectors
import support
import test_block_operators as blocks

# Small enough that shares are of all elements.
SHAPES = {"conv.weight": (24, 8, 3, 3), "linear.weight": (130, 70), "wide.weight": (6, 210), "norm.weight": (50,)}
AB, ABC, FINE_TUNES = {"a": "a", "b": "b"}, {"a": "a", "b": "b", "c": "c"}, {"base": "c", "of": ["a", "b"]}


def rows(x):
    return x.reshape(x.shape[0], -1) if x.ndim > 1 else x.reshape(1, -1)


def angle(x, y):
    return np.degrees(np.arccos(np.sum(x * y) / np.linalg.norm(x) / np.linalg.norm(y)))


def opposite(x, y):
    return np.mean(x * y < 0)


def energy(after, before):
    return np.sum(after**2) / np.sum(before**2)


def change(x, base):
    """What is kept of it between two passes has f32."""
    return (x - base).astype(np.float32).astype(np.float64)


def singular(x):
    return np.linalg.svd(oracle_algebra.matrix(x), compute_uv=False)


def apart(a, b, c):
    return np.mean(np.abs(a - b) / (np.abs(a - b) + np.abs(a + b - 2 * c)))


def how_opposite(x, y):
    return np.mean(np.maximum(0, -x * y / np.maximum(np.abs(x), np.abs(y)) ** 2))


def columns_taken(a, b, combined):
    own, whole = oracle_diffusion.likeness(a, b)
    return 1 - np.mean(np.clip(((own + whole) / 2 if combined else own) - 0.1, 0, 1))


def runs_taken(x, y, beta, gamma):
    alike = ((oracle_diffusion.cosine(x, y, axis=-1) + 1) / 2) ** gamma
    return np.mean((1 - beta) * alike + beta * (1 - alike))


def median_share(points, own):
    points = np.stack([x.ravel() for x in points])
    shares = np.full(len(points), 1 / len(points))
    for _ in range(100):
        shares = 1 / np.linalg.norm(points - shares @ points, axis=1)
        shares /= shares.sum()
    return shares[own]


def opposite_growth(a, b, c):
    with np.errstate(divide="ignore", invalid="ignore"):
        p, q = (np.log(np.abs(x)) - np.log(np.abs(c)) for x in (a, b))
        return np.mean(np.isfinite(p) & np.isfinite(q) & (p * q < 0))


def row_angles(a, b):
    x, y = rows(a), rows(b)
    lengths = [np.maximum(np.linalg.norm(v, axis=1), 1e-7) for v in (x, y)]
    return np.mean(np.degrees(np.arccos(np.sum(x * y, axis=1) / lengths[0] / lengths[1])))


def row_factors(a, b, alpha):
    norms = [np.linalg.norm(rows(x), axis=1) for x in (a, b)]
    return np.mean(((1 - alpha) * norms[1] + alpha * norms[0]) / norms[1])


def alike(a, b, beta):
    return np.mean(beta * (a * b / np.maximum(np.abs(a), np.abs(b)) ** 2 + 1) / 2)


def rows_taken(b, width, offset, axis=0):
    first, end, inverted = oracle_diffusion.region(width, offset, b.shape[axis])
    share = (end - first) / b.shape[axis]
    return 1 - share if inverted else share


def redistributed(a, width, offset):
    first, end, _ = oracle_diffusion.region(width, offset, a.size)
    sizes = np.sort(np.abs(a), axis=None)
    low, high = (-1 if k == 0 else sizes[k - 1] for k in (first, end))
    return np.mean((low <= sizes) & (sizes <= high))


def kept_energy(x, tasks=2):
    values = singular(x)
    return energy(values[: max(1, len(values) // tasks)], values)


def star_rank(x, share):
    values = singular(x)
    return np.searchsorted(np.cumsum(values), share * values.sum()) + 1


def common_rank(x, tasks, common):
    all_of_it = min(oracle_algebra.matrix(x).shape)
    return all_of_it - tasks * min(round((all_of_it - int(all_of_it * common)) / tasks), all_of_it // tasks)


def smaller(x):
    return min(oracle_algebra.matrix(x).shape)


def calibration(merged, of, least):
    u, s, vt = oracle_algebra.svd(oracle_algebra.matrix(merged))
    shares = np.zeros(len(s))
    for task in of:
        responses = u.T @ oracle_algebra.matrix(task)
        along = s * np.sum(vt * responses, axis=1)
        shares += np.maximum(least, along / np.sum(responses**2, axis=1))
    return np.mean(len(of) / shares)


# step -> (the step, what it says: (label, operand) -> the value in numpy, or (value, out of how many))
ELEMENTS = {
    "add_opposite": (
        {**ABC, "alpha": 0.5},
        {("sign conflicts", None): lambda a, b, c: opposite(a - c, b - c), ("added", "b"): apart}),
    "add_opposite.opposite": (
        {**ABC, "alpha": 0.5, "where": "opposite"},
        {("sign conflicts", None): lambda a, b, c: opposite(a - c, b - c),
         ("added", "b"): lambda a, b, c: how_opposite(a - c, b - c)}),
    "channel_sum": (
        {**AB, "alpha": 0.5, "beta": 0.9},
        {("gate", None): lambda a, b, c: np.mean(np.clip(0.9 * (1 - oracle_diffusion.cosine(rows(a), rows(b), axis=1)), 0, 1))}),
    "cosine_a": ({**AB, "alpha": 0.1, "scope": "tensor"}, {("taken", "b"): lambda a, b, c: columns_taken(a, b, False)}),
    "cosine_b": ({**AB, "alpha": 0.1, "scope": "tensor"}, {("taken", "b"): lambda a, b, c: columns_taken(a, b, True)}),
    "distribution_crossover": (
        {**ABC, "alpha": 0.4, "tilt": 0.3},
        {("energy taken", "b"): lambda a, b, c: energy(oracle_diffusion.distribution_crossover(a, b, c, 0.4, 0.3) - a, b - a)}),
    "emr": (FINE_TUNES, {("sign conflicts", None): lambda a, b, c: opposite(a - c, b - c)}),
    "euclidean_add_difference": (
        {**ABC, "alpha": 0.3}, {("sign conflicts", None): lambda a, b, c: opposite(a - c, b - c)}),
    "extract": (
        {**ABC, "alpha": 0.3, "beta": 0.2, "gamma": 2}, {("taken", None): lambda a, b, c: runs_taken(b - a, c - a, 0.2, 2)}),
    "frequency": (
        {**AB, "low": 0.8, "middle": 0.4, "high": 0.1},
        {("energy taken", "b"): lambda a, b, c: energy(oracle_algebra.frequency(a, b, 0.8, 0.4, 0.1) - a, b - a)}),
    "geometric_median": (
        {"of": ["a", "b", "c"]},
        {("share", letter): lambda a, b, c, own=own: median_share([a, b, c], own) for own, letter in enumerate("abc")}),
    "geometric_sum": ({**AB, "alpha": 0.3}, {("sign conflicts", None): lambda a, b, c: opposite(a, b)}),
    "karcher": (
        {"of": ["a", "b", "c"]},
        {("angle", letter): lambda a, b, c, own=own: angle(oracle_vectors.karcher([a, b, c]), [a, b, c][own])
         for own, letter in enumerate("abc")}),
    "maximum": ({**AB, "alpha": 0.5}, {("taken", "b"): lambda a, b, c: np.mean(b > a)}),
    "multiply": (AB, {("not zero", None): lambda a, b, c: np.mean(a * b != 0)}),
    "multiply_difference": (
        {**ABC, "alpha": 0.4},
        {("sign conflicts", None): lambda a, b, c: opposite(a - c, b - c),
         ("changed", None): lambda a, b, c: np.mean((a != c) & (b != c))}),
    "multiply_quotient": ({**ABC, "alpha": 0.8}, {("opposite", None): opposite_growth}),
    "nearswap": (
        {**AB, "t": 0.3}, {("taken", "b"): lambda a, b, c: np.mean(np.minimum(1, 0.3 / np.maximum(np.abs(a - b), 1e-6)))}),
    "norm_match": ({**AB, "alpha": 0.7, "by": "rows"}, {("factor", None): lambda a, b, c: row_factors(a, b, 0.7)}),
    "normalized_sum": (
        {**AB, "alpha": 0.3},
        {("length of the mean direction", None):
         lambda a, b, c: np.linalg.norm(0.7 * a / np.linalg.norm(a) + 0.3 * b / np.linalg.norm(b))}),
    "nuslerp": ({**AB, "alpha": 0.3, "by": "rows"}, {("angle", None): lambda a, b, c: row_angles(a, b)}),
    "perpendicular": (AB, {("left out", "a"): lambda a, b, c: np.sum(a * b) / np.sum(a * a)}),
    "similarity_add_difference": (
        {**ABC, "alpha": 0.7, "beta": 0.8},
        {("sign conflicts", None): lambda a, b, c: opposite(a, b), ("alike", None): lambda a, b, c: alike(a, b, 0.8)}),
    "smooth_add": (
        {**ABC, "alpha": 0.7},
        {("energy cut off", "b"): lambda a, b, c: 1 - energy(oracle_diffusion.smooth(b - c).astype(np.float64), b - c)}),
    "tensor_sum": ({**AB, "width": 0.4, "offset": 0.3}, {("taken", "b"): lambda a, b, c: rows_taken(b, 0.4, 0.3)}),
    "tensor_sum.over": ({**AB, "width": 0.6, "offset": 0.7}, {("taken", "b"): lambda a, b, c: rows_taken(b, 0.6, 0.7)}),
    "tensor_sum_2": (
        {**AB, "width": 0.4, "offset": 0.3},
        {("taken", "b"): lambda a, b, c: rows_taken(b, 0.4, 0.3, 1 if b.ndim > 1 and b.shape[1] > 100 else 0)}),
    "top_k_tensor_sum": ({**AB, "width": 0.4, "offset": 0.5}, {("redistributed", None): lambda a, b, c: redistributed(a, 0.4, 0.5)}),
    "train_difference": (
        {**ABC, "alpha": 0.7}, {("ratio", None): lambda a, b, c: np.mean(np.abs(b - a) / (np.abs(b - c) + np.abs(b - a)))}),
}
# Of matrices: nothing of a vector.
MATRICES = {
    "core_space": ({**FINE_TUNES, "rank": 2}, {("rank", None): lambda a, b, c: (4, smaller(a))}),
    "iso_c": (
        FINE_TUNES,
        {("rank", None): lambda a, b, c: (smaller(a), smaller(a)),
         ("singular value", None): lambda a, b, c: singular(a + b - 2 * c).mean()}),
    "iso_cts": (
        {**FINE_TUNES, "common": 0.6},
        {("common rank", None): lambda a, b, c: (common_rank(a, 2, 0.6), smaller(a)),
         ("singular value", None): lambda a, b, c: singular(oracle_algebra.iso_cts([change(a, c), change(b, c)], 0.6))[0]}),
    "rotate": (
        {**AB, "alignment": 1}, {("turned by", None): lambda a, b, c: angle(a, oracle_algebra.rotate(a, b))}),
    "star": (
        {**FINE_TUNES, "share": 0.4},
        {("rank", "a"): lambda a, b, c: (star_rank(change(a, c), 0.4), smaller(a)),
         ("rank", "b"): lambda a, b, c: (star_rank(change(b, c), 0.4), smaller(a))}),
    "svc": (
        {**FINE_TUNES, "a": "a"}, {("factor", None): lambda a, b, c: calibration(change(a, c), [change(a, c), change(b, c)], 0.1)}),
    "tsv_merge": (
        FINE_TUNES,
        {("energy kept", "a"): lambda a, b, c: kept_energy(change(a, c)),
         ("energy kept", "b"): lambda a, b, c: kept_energy(change(b, c))}),
}
CASES = ELEMENTS | MATRICES


def test_every_word_is_explained():
    root = Path(__file__).parents[2]
    sources = "".join(path.read_text() for path in (root / "merge").rglob("*.cc"))
    told = set(re.findall(r'Tell(?:Share|Count|Mean|IfAny)?\(\s*"([^"]+)"', sources))
    page = (root / "docs/runs.md").read_text().split("## What methods say")[1].split("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("|")][2:]
    explained = {word.removesuffix(" of NAME") for row in rows for word in row.split(", ")}
    assert told == explained


def models():
    """Three that are related, as fine-tunes are; some elements of a are zero."""
    made = {}
    for seed, letter in enumerate("abc", 1):
        random, base = np.random.default_rng(seed), np.random.default_rng(0)
        made[letter] = {name: (base.standard_normal(shape) + 0.5 * random.standard_normal(shape)).astype(np.float32)
                        for name, shape in SHAPES.items()}
    made["a"]["linear.weight"][:5] = 0
    return made


def report_of(weightsmith, folder, recipe):
    """{(step, tensor): {(label, operand): (value, out of how many)}}"""
    weightsmith("merge", support.write_recipe(folder / "r.json", recipe), "--no-sync", "--report", folder / "report.json")
    report = json.loads((folder / "report.json").read_text())
    found = {}
    for tensor in report["tensors"]:
        for each in tensor["findings"]:
            said = found.setdefault((each["step"], tensor["name"]), {})
            assert (each["label"], each.get("operand")) not in said
            said[each["label"], each.get("operand")] = (each["value"], each.get("of"))
    return found


@pytest.fixture(scope="module")
def told(session_weightsmith, tmp_path_factory):
    """All steps in one run, and the tensors that they were given."""
    folder = tmp_path_factory.mktemp("findings")
    (folder / "out").mkdir()
    made = models()
    for letter, tensors in made.items():
        support.write(folder / f"{letter}.safetensors", tensors)
    names = {name: name.replace(".", "_") for name in CASES}
    steps = {names[name]: {"op": name.split(".")[0], **step} for name, (step, _) in CASES.items()}
    outputs = [name for name in steps if name != "perpendicular"]  # which is a difference
    steps["sum"] = {"op": "add", "a": "a", "b": "perpendicular"}
    found = report_of(session_weightsmith, folder, {
        "models": {letter: str(folder / f"{letter}.safetensors") for letter in made}, "steps": steps,
        "outputs": [{"model": name, "path": str(folder / "out" / f"{name}.safetensors")} for name in [*outputs, "sum"]]})
    return found, {name: [made[letter][name].astype(np.float64) for letter in "abc"] for name in SHAPES}


@pytest.mark.parametrize("name", CASES)
def test_it_is_what_numpy_finds(told, name):
    found, tensors = told
    for tensor, operands in tensors.items():
        said = found.get((name.replace(".", "_"), tensor), {})
        if name in MATRICES and operands[0].ndim < 2:
            assert said == {}, tensor
            continue
        assert said.keys() == CASES[name][1].keys(), tensor
        for key, compute in CASES[name][1].items():
            expected = compute(*operands)
            value, of = expected if isinstance(expected, tuple) else (expected, None)
            assert said[key][1] == of, (tensor, key)
            np.testing.assert_allclose(said[key][0], value, rtol=2e-5, atol=2e-6, err_msg=f"{tensor} {key}")


def test_a_crossing_says_how_much_of_the_difference_it_took(weightsmith, tmp_path):
    made = models()
    for letter in "ab":
        support.write(tmp_path / f"{letter}.safetensors", made[letter])
    found = report_of(weightsmith, tmp_path, {
        "models": {"a": "a.safetensors", "b": "b.safetensors"},
        "steps": {"out": {"op": "crossover", **AB, "alpha": 0.4, "tilt": 0.25}},
        "output": {"model": "out", "path": "out.safetensors"}})
    out = support.read(tmp_path / "out.safetensors").tensors
    for name in SHAPES:
        a, b, x = (tensors[name].astype(np.float64) for tensors in (made["a"], made["b"], out))
        np.testing.assert_allclose(found["out", name]["energy taken", "b"][0], energy(x - a, b - a), rtol=1e-5)


@pytest.mark.parametrize("op", ["dare_linear", "dare_ties", "della", "della_linear"])
@pytest.mark.parametrize("density", [0.3, 1])
def test_what_chance_kept_is_said_once(weightsmith, tmp_path, op, density):
    made = models()
    for letter in "ac":
        support.write(tmp_path / f"{letter}.safetensors", made[letter])
    found = report_of(weightsmith, tmp_path, {
        "models": {"a": "a.safetensors", "c": "c.safetensors"},
        "steps": {"out": {"op": op, "base": "c", "of": [{"model": "a", "weight": 1}], "density": density, "seed": 7}},
        "output": {"model": "out", "path": "out.safetensors"}})
    out = support.read(tmp_path / "out.safetensors").tensors
    for name in SHAPES:
        assert found["out", name]["kept", "a"][0] == pytest.approx(np.mean(out[name] != made["c"][name]), abs=1e-6)


@pytest.mark.parametrize("step, label", [
    ({"op": "slerp", **AB, "alpha": 0.5}, "opposite"), ({"op": "slerp", **AB, "alpha": 0.5, "length": "blend"}, "opposite"),
    ({"op": "nuslerp", **AB, "alpha": 0.5, "by": "rows"}, "opposite"),
    ({"op": "multislerp", "of": [{"model": "a", "weight": 1}, {"model": "b", "weight": 1}]}, "straight line"),
    ({"op": "karcher", "of": ["a", "b"]}, "no middle")], ids=str)
def test_what_has_no_arc_is_said(weightsmith, tmp_path, step, label):
    made = models()
    half = len(made["b"]["wide.weight"]) // 2
    made["b"]["conv.weight"] = -made["a"]["conv.weight"]
    made["b"]["wide.weight"][:half] = -made["a"]["wide.weight"][:half]
    for letter in "ab":
        support.write(tmp_path / f"{letter}.safetensors", made[letter])
    found = report_of(weightsmith, tmp_path, {
        "models": {"a": "a.safetensors", "b": "b.safetensors"}, "steps": {"out": step},
        "output": {"model": "out", "path": "out.safetensors"}, "policy": {"effect": "any"}})
    said = {name: found["out", name][label, None][0] for name in SHAPES if (label, None) in found["out", name]}
    assert said == {"conv.weight": 1} | ({"wide.weight": 0.5} if "by" in step else {})
    steps = json.loads((tmp_path / "report.json").read_text())["steps"]
    (whole,) = [each for each in steps[0]["findings"] if each["label"] == label]
    assert whole["tensors"] == len(SHAPES) and 0 < whole["mean"] < whole["highest"] == 1


@pytest.mark.parametrize("step", [
    {"op": "slerp", **AB, "alpha": 0.5}, {"op": "nuslerp", **AB, "alpha": 0.5, "by": "rows"}], ids=str)
def test_parallel_tensors_are_not_said_to_be_opposite(weightsmith, tmp_path, step):
    made = models()
    made["b"]["conv.weight"] = 2 * made["a"]["conv.weight"]
    for letter in "ab":
        support.write(tmp_path / f"{letter}.safetensors", made[letter])
    found = report_of(weightsmith, tmp_path, {
        "models": {"a": "a.safetensors", "b": "b.safetensors"}, "steps": {"out": step},
        "output": {"model": "out", "path": "out.safetensors"}})
    assert found["out", "conv.weight"]["parallel", None][0] == 1
    (steps,) = json.loads((tmp_path / "report.json").read_text())["steps"]
    assert {each["label"] for each in steps["findings"]} == {"angle", "parallel"}


NOT_FINITE = {
    "iso_c": FINE_TUNES, "iso_cts": FINE_TUNES, "tsv_merge": FINE_TUNES, "core_space": {**FINE_TUNES, "rank": 2},
    "star": FINE_TUNES, "svc": {**FINE_TUNES, "a": "b"}, "rotate": AB}


@pytest.mark.parametrize("op", NOT_FINITE)
def test_a_matrix_with_a_nan_is_said_to_be_none(weightsmith, tmp_path, op):
    made = models()
    made["a"]["linear.weight"][7, 3] = np.nan
    for letter in "abc":
        support.write(tmp_path / f"{letter}.safetensors", made[letter])
    step = {"op": op, **NOT_FINITE[op]}
    found = report_of(weightsmith, tmp_path, {
        "models": {letter: f"{letter}.safetensors" for letter in "abc" if f"'{letter}'" in str(step.values())},
        "steps": {"out": step}, "output": {"model": "out", "path": "out.safetensors"}, "policy": {"effect": "any"}})
    subject = "a" if op == "star" else None
    assert {name for name in SHAPES if ("not finite", subject) in found.get(("out", name), {})} == {"linear.weight"}
    assert found["out", "linear.weight"]["not finite", subject][0] == 1


@pytest.mark.parametrize("step", [{"op": "slerp", **AB, "alpha": 0.5}, {"op": "karcher", "of": ["a", "b"]},
                                  {"op": "crossover", **AB, "alpha": 0.5}], ids=str)
def test_a_nan_is_not_told_as_a_range_alone(weightsmith, tmp_path, step):
    made = models()
    made["a"]["linear.weight"][7, 3] = np.nan
    for letter in "ab":
        support.write(tmp_path / f"{letter}.safetensors", made[letter])
    support.write_recipe(tmp_path / "r.json", {
        "models": {"a": "a.safetensors", "b": "b.safetensors"}, "steps": {"out": step},
        "output": {"model": "out", "path": "out.safetensors"}})
    said = weightsmith("merge", "r.json", "--no-sync", status=3).stderr
    values = made["a"]["linear.weight"].size - 1
    assert f"'linear.weight': {values} values of finite operands are NaN or leave the range" in said
    assert "A NaN or an infinity anywhere in an operand" in said


def blocks_report(weightsmith, folder, a, b, step):
    for name, tensors in (("a", a), ("b", b)):
        support.write(folder / f"{name}.safetensors", tensors)
    return report_of(weightsmith, folder, {
        "models": {"a": "a.safetensors", "b": "b.safetensors"}, "steps": {"out": {**step, **AB}},
        "output": {"model": "out", "path": "out.safetensors"}, "policy": {"effect": "any"}})


def test_a_permutation_says_how_many_units_moved(weightsmith, tmp_path):
    generator = np.random.default_rng(2)
    other = blocks.made(blocks.LLAMA, blocks.HIDDEN, generator)
    order = np.arange(blocks.HIDDEN)
    order[:3] = (1, 2, 0)
    found = blocks_report(weightsmith, tmp_path, blocks.permuted(other, blocks.LLAMA, order, 1), other, {"op": "rebasin"})
    for name in blocks.LLAMA:
        assert found["out", name] == {("moved", None): (3, blocks.HIDDEN)}
    assert ("out", "b.norm.weight") not in found


def test_heads_say_by_what_angle_they_were_turned(weightsmith, tmp_path):
    generator = np.random.default_rng(5)
    a, b = (blocks.made(blocks.UNET, blocks.HEADS * blocks.SIZE, generator) for _ in "ab")
    found = blocks_report(weightsmith, tmp_path, a, b, {"op": "align_attention", "heads": blocks.HEADS})
    out = support.read(tmp_path / "out.safetensors").tensors
    for name in blocks.UNET:
        expected = angle(a[name].astype(np.float64), out[name].astype(np.float64))
        np.testing.assert_allclose(found["out", name]["turned by", None][0], expected, rtol=1e-5)
