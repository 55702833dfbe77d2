"""Weights in fp8 with a scale for each 64 columns of a row, the last group of a row smaller."""

import ml_dtypes
import numpy as np
import pytest

import support

FP8 = np.dtype(ml_dtypes.float8_e4m3fn)
COLUMNS = 64
SHAPES = {"layers.0.up": (70, 200), "layers.0.down": (5, 128), "layers.1.up": (3, 40)}


def spread(scales, shape):
    return np.repeat(scales, COLUMNS, axis=1)[:, : shape[1]]


def largest_of_groups(values):
    rows, groups = values.shape[0], -(-values.shape[1] // COLUMNS)
    padded = np.zeros((rows, groups * COLUMNS))
    padded[:, : values.shape[1]] = np.abs(values)
    return padded.reshape(rows, groups, COLUMNS).max(axis=2)


def stored(seed):
    """Groups of very different sizes, and a norm that is not quantised."""
    random = np.random.default_rng(seed)
    tensors = {"layers.0.norm.weight": random.standard_normal(200).astype(ml_dtypes.bfloat16)}
    for name, shape in SHAPES.items():
        values = random.standard_normal(shape) * np.logspace(-2, 2, shape[1]) * np.logspace(-1, 1, shape[0])[:, None]
        scales = (largest_of_groups(values) / 448).astype(np.float32)
        tensors[f"{name}.weight"] = (values / spread(scales, shape)).astype(FP8)
        tensors[f"{name}.weight_col_scale"] = scales
    return tensors


def real(tensors, name):
    codes = tensors[f"{name}.weight"].astype(np.float32)
    return codes * spread(tensors[f"{name}.weight_col_scale"], codes.shape)


@pytest.fixture
def models(tmp_path):
    made = {letter: stored(seed) for seed, letter in enumerate("ab", 1)}
    for letter, tensors in made.items():
        support.write(tmp_path / f"{letter}.safetensors", tensors)
    return made


def mixed(models, name):
    a, b = (real(models[letter], name) for letter in "ab")
    return np.float32(0.75) * a + np.float32(0.25) * b


def test_they_merge_as_code_times_scale(weightsmith, tmp_path, models):
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", 0.25, "--dtype", "f32", "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    assert out.keys() == {"layers.0.norm.weight", *(f"{name}.weight" for name in SHAPES)}
    for name in SHAPES:
        support.assert_same_bits(out[f"{name}.weight"], mixed(models, name), name)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_stored_so_again_has_scales_that_fill_the_dtype(weightsmith, tmp_path, models, threads):
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", 0.25, "--threads", threads, "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    assert out.keys() == models["a"].keys()
    for name, shape in SHAPES.items():
        expected = mixed(models, name)
        scales = (largest_of_groups(expected).astype(np.float32).astype(np.float64) / 448).astype(np.float32)
        assert scales.shape == (shape[0], -(-shape[1] // COLUMNS))
        support.assert_same_bits(out[f"{name}.weight_col_scale"], scales, name)
        support.assert_same_bits(out[f"{name}.weight"], (expected / spread(scales, shape)).astype(FP8), name)
    weightsmith("verify", "out.safetensors")


def test_what_no_step_changes_keeps_its_codes_and_scales(weightsmith, tmp_path, models):
    models["b"] = {**models["a"], "layers.0.norm.weight": models["b"]["layers.0.norm.weight"]}
    support.write(tmp_path / "b.safetensors", models["b"])
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", 1, "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    for name, tensor in models["b"].items():
        support.assert_same_bits(out[name], tensor, name)


def test_convert_gives_plain_weights(weightsmith, tmp_path, models):
    weightsmith("convert", "a.safetensors", "--dtype", "bf16", "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    assert out.keys() == {"layers.0.norm.weight", *(f"{name}.weight" for name in SHAPES)}
    for name in SHAPES:
        support.assert_same_bits(out[f"{name}.weight"], real(models["a"], name).astype(ml_dtypes.bfloat16), name)


def test_scales_that_do_not_fit_are_refused_by_name(weightsmith, tmp_path, models):
    for letter in "ab":
        models[letter]["layers.0.up.weight_col_scale"] = np.ones((70, 3), np.float32)
        support.write(tmp_path / f"{letter}.safetensors", models[letter])
    said = weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", 0.25, "-o", "out.safetensors", status=3).stderr
    assert "layers.0.up.weight" in said and "weight_col_scale" in said
    assert not (tmp_path / "out.safetensors").exists()
