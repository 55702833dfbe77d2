"""What holds for every operator of the table, whatever it computes: options of a run change no byte, a dtype holds the result
rounded once, what is not finite stays where it is. What their numbers mean is in test_operator_identities.py."""

import json
import re

import numpy as np
import pytest

import support
from operator_worlds import (  # noqa: F401
    DTYPES, DTYPES_TRIED, OF_EVERY_KIND, PLAIN, World, adapters_of, by_dtype, coarse, exact, expected, plain, run_steps, stored, table,
    values, without_adapters, worlds)

# They have no more to say than the report does of any step: sums, and operands as they are.
LINEAR = {"add", "add_difference", "adjust", "average", "bake", "copy", "ema", "fallback", "linear", "passthrough", "scale", "stack", "subtract",
          "sum_twice", "task_arithmetic", "triple_sum", "weighted_sum", "within"}

# A number of the whole model enters every tensor.
MODEL_WIDE = {"cosine_a", "cosine_b", "emr.scale-model", "emr.scale-means"}

BAD = "layers.0.matrix.weight"  # of PLAIN, that is poisoned


def assert_same(worlds, expected, *options, env=None):
    for name, world in worlds.items():
        digests = world.digests(world.recipe(), *options, env=env)
        assert [key for key in digests if digests[key] != expected[name][key]] == [], name


@pytest.mark.parametrize(
    "options",
    [("--threads", "1"), pytest.param(("--threads", "7"), marks=pytest.mark.exhaustive),
     ("--io", "map"), pytest.param(("--io", "read", "--threads", "3"), marks=pytest.mark.exhaustive)],
    ids=" ".join)
def test_no_option_of_a_run_changes_a_byte(worlds, expected, options):
    assert_same(worlds, expected, *options)


def test_a_small_budget_changes_no_byte(worlds, expected):
    for name, world in worlds.items():
        for steps in world.groups():
            digests = world.digests(world.recipe(steps), "--max-memory", "192M", "--threads", "2", steps=steps)
            assert [key for key in digests if digests[key] != expected[name][key]] == [], name


def test_no_instruction_set_changes_a_byte(worlds, expected, session_weightsmith):
    said = session_weightsmith("ops", env={"WEIGHTSMITH_SIMD": "abacus"}, status=2).stderr
    known = re.findall(r"AVX3_ZEN4|AVX3_DL|AVX3|AVX2|SSE4|SSSE3|SSE2|NEON|SCALAR|EMU128", said)
    assert known, said
    for target in known:
        assert_same(worlds, expected, env={"WEIGHTSMITH_SIMD": target})


def test_three_parts_write_the_bytes_of_one_run(worlds, expected):
    for name, world in worlds.items():
        recipe = world.recipe()
        world.merge(recipe, "--part", "2/3")
        for part in ("3/3", "1/3"):
            world.run("merge", recipe, "--no-sync", "--private", "--part", part)
        out = world.folder / "out"
        wrong = [key for key in world.steps if support.sha256(out / f"{key}.safetensors") != expected[name][key]]
        assert wrong == [], name


def test_shapes_stay_and_what_is_finite_stays_finite(worlds):
    for world in worlds.values():
        for key, result in world.results(world.recipe()).items():
            models = [support.read(path).tensors for path in set(world.models.values())]
            for name, array in result.items():
                assert array.shape in {model[name].shape for model in models}, f"{key}: {name}"
                if support.NAMES[array.dtype] in support.FLOATS:
                    assert np.isfinite(array.astype(np.float32)).all(), f"{key}: {name}"


def test_what_is_not_linear_says_what_it_did(worlds, table):
    """In its method's own words, in each form that it has."""
    assert LINEAR <= {op["name"] for op in table}
    for world in worlds.values():
        world.merge(world.recipe(), "--report", world.folder / "report.json")
        names = {f"s{i}": key for i, key in enumerate(world.steps)}
        steps = json.loads((world.folder / "report.json").read_text())["steps"]
        silent = [step for step in steps if step["op"] not in LINEAR and not step["findings"]]
        assert [names.get(step["name"], step["op"]) for step in silent] == []


def test_a_huge_tensor_is_computed_in_pieces(worlds, tmp_path, session_weightsmith):
    """Of more elements than threads take at once, whatever comes first; a piece of f32 has half as many as one of f16."""
    arrays = {letter: stored({"huge.weight": values(letter, "huge", (700_000,))}, "F16") for letter in DTYPES}
    models = {}
    for dtype in ("F16", "F32"):
        models[dtype] = {letter: support.write(tmp_path / f"{dtype}-{letter}.safetensors", stored(arrays[letter], dtype))
                         for letter in DTYPES}
    world = World(session_weightsmith, tmp_path / "huge", models["F16"])
    world.steps = without_adapters(plain(worlds["all"].steps))
    recipe = world.recipe(dtype="f32")
    one = world.digests(recipe, "--threads", "1")
    assert world.digests(recipe, "--threads", "7") == one
    assert world.digests(world.recipe(models=models["F32"], dtype="f32"), "--threads", "3") == one


@pytest.mark.exhaustive  # test_a_huge_tensor_is_computed_in_pieces does so with one size of piece
def test_chunks_of_any_size_give_the_same_bytes(worlds, tmp_path, session_weightsmith):
    """A chunk fills 1 MiB of the narrowest dtype that is read or written: of 2^17 elements in f64 up to 2^20 in 8 bits."""
    arrays = {letter: coarse(values(letter, "huge", (2, 550_001)).astype(np.float32)) for letter in DTYPES}
    adapters = {name: support.write(tmp_path / f"{name}.safetensors", tensors)
                for name, tensors in adapters_of({"huge.weight": (2, 550_001)}).items() if name in ("low", "whole", "scaled")}
    found = {}
    for dtype in ("F64", "F32", "F16", "F8_E4M3"):
        models = {letter: support.write(tmp_path / f"{dtype}-{letter}.safetensors", stored({"huge.weight": array}, dtype))
                  for letter, array in arrays.items()}
        world = World(session_weightsmith, tmp_path / f"chunks-{dtype}", models, adapters)
        world.steps = {key: worlds["all"].steps[key] for key in OF_EVERY_KIND}
        found[dtype] = world.digests(world.recipe(dtype="f64"), "--threads", "3")
    assert all(digests == found["F64"] for digests in found.values())


@pytest.mark.parametrize("dtype", support.chosen([dtype for dtype in DTYPES_TRIED if dtype != "F32"], "F16", "F8_E4M3"))
def test_the_dtype_of_inputs_does_not_matter_where_their_values_are_equal(worlds, by_dtype, exact, dtype):
    for name, world in worlds.items():
        for key, result in run_steps(world, plain(world.steps), by_dtype[name][dtype], "f32").items():
            for tensor, array in result.items():
                support.assert_same_bits(array, exact[name][key][tensor], f"{key}: {tensor} of {dtype}")


@pytest.mark.parametrize("dtype", support.chosen(["F16", "BF16", "F8_E4M3", "F8_E5M2"], "BF16", "F8_E5M2"))
def test_an_output_is_the_result_in_f32_rounded_once(worlds, by_dtype, exact, dtype):
    for name, world in worlds.items():
        for key, result in run_steps(world, plain(world.steps), by_dtype[name]["F32"], dtype.lower()).items():
            for tensor, array in result.items():
                with np.errstate(over="ignore"):
                    rounded = exact[name][key][tensor].astype(array.dtype)
                support.assert_same_bits(array, rounded, f"{key}: {tensor} in {dtype}")


def test_what_does_not_fit_is_what_the_policy_says(worlds, tmp_path):
    """Models of up to 2^17, whose results f16 does not hold."""
    world = worlds["all"]
    shapes = {"layers.0.matrix.weight": (12, 33), "layers.0.vector.weight": (77,)}
    models = {letter: support.write(tmp_path / f"{letter}.safetensors", {
        name: (2.0**15 * values(letter, name, shape)).astype(np.float32) for name, shape in shapes.items()}) for letter in DTYPES}
    steps = without_adapters(plain(world.steps))
    wide = run_steps(world, steps, models, "f32")
    largest = np.finfo(np.float16).max
    for policy in ("allow", "saturate"):
        for key, result in run_steps(world, steps, models, "f16", non_finite=policy).items():
            for tensor, array in result.items():
                with np.errstate(over="ignore"):
                    rounded = wide[key][tensor].astype(np.float16)
                if policy == "saturate":
                    rounded = np.where(np.isinf(rounded), np.copysign(largest, rounded), rounded)
                support.assert_same_bits(array, rounded, f"{key}: {tensor}, {policy}")
    too_large = [key for key, result in wide.items() if any((np.abs(array) >= 65520).any() for array in result.values())]
    assert len(too_large) > 0.9 * len(steps)
    recipe = world.recipe({too_large[0]: steps[too_large[0]]}, models=models, dtype="f16", non_finite="error")
    for old in (world.folder / "out").glob("*"):
        old.unlink()
    assert "leave the range of F16" in world.run("merge", recipe, "--no-sync", status=3).stderr
    assert not list((world.folder / "out").iterdir())


def test_what_is_not_finite_stays_in_its_tensor(worlds, by_dtype, tmp_path):
    """Of a NaN and infinities in one tensor every other tensor keeps its bytes, and threads do not matter."""
    for name in worlds.keys() & PLAIN.keys():
        world, dtypes = worlds[name], by_dtype[name]
        clean = world.results(world.recipe(models=dtypes["F32"]))
        poisoned = {}
        for letter, path in dtypes["F32"].items():
            arrays = dict(support.read(path).tensors)
            bad = arrays[BAD].copy()
            bad[{"base": 0, "a": 1, "b": 2, "c": 3}[letter], :3] = [np.nan, np.inf, -np.inf]
            bad[7, 7] = np.inf
            arrays[BAD] = bad
            poisoned[letter] = support.write(tmp_path / f"{name}-{letter}.safetensors", arrays)
        recipe = world.recipe(models=poisoned)
        for key, result in world.results(recipe).items():
            if key in MODEL_WIDE or key.split(".")[0] in MODEL_WIDE:
                continue
            for tensor, array in result.items():
                if tensor != BAD:
                    support.assert_same_bits(array, clean[key][tensor], f"{key}: {tensor}")
        one = world.digests(recipe, "--threads", "1")
        assert world.digests(recipe, "--threads", "7") == one
