"""Operators that need the whole tensor, where there is nothing of it, or where only some models have all of it."""

import ml_dtypes
import numpy as np
import pytest

import operator_steps
import support

FP8 = np.dtype(ml_dtypes.float8_e4m3fn)
MODELS = ("base", "a", "b", "c")
EMPTY = [(0, 4), (4, 0), (0,), (3, 0, 2)]

# Of which the zeros that stand for columns of one model alone count nothing.
STEPS = {
    "slerp": {"op": "slerp", "a": "a", "b": "b", "alpha": 0.3},
    "nuslerp": {"op": "nuslerp", "a": "a", "b": "b", "alpha": 0.3},
    "multislerp": {"op": "multislerp", "of": [{"model": "a", "weight": 0.5}, {"model": "b", "weight": 0.3}, {"model": "c", "weight": 0.2}]},
    "karcher": {"op": "karcher", "of": ["a", "b", "c"]},
    "norm_match": {"op": "norm_match", "a": "a", "b": "b", "alpha": 0.3},
    "normalized_sum": {"op": "normalized_sum", "a": "a", "b": "b", "alpha": 0.3},
    "geometric_median": {"op": "geometric_median", "of": ["a", "b", "c"]},
    "ties": {"op": "ties", "base": "a", "of": [{"model": "b", "weight": 1}, {"model": "c", "weight": 0.5}], "density": 0.5},
    "sce": {"op": "sce", "base": "a", "of": ["b", "c"]},
    "ramplus_tl": {"op": "ramplus_tl", "base": "a", "of": ["b", "c"]},
    "model_stock": {"op": "model_stock", "base": "a", "of": ["b", "c"]},
}

# Every operator that is not elementwise, with all forms that its words give it.
FORMS = {name: operator_steps.as_weight(op, step) for op in operator_steps.table() if op["class"] != "elementwise"
         for name, step in operator_steps.variants(op, 7)}


def merge(weightsmith, folder, step, **policy):
    used = {name: f"{name}.safetensors" for name in MODELS if f'"{name}"' in str(step).replace("'", '"')}
    support.write_recipe(folder / "r.yaml", {
        "models": used, "steps": {"out": step}, "output": {"model": "out", "path": "out.safetensors"}, "policy": policy})
    weightsmith("merge", "r.yaml")
    return support.read(folder / "out.safetensors").tensors


@pytest.mark.parametrize("name", support.sampled(FORMS, 6))
def test_tensors_without_elements_stay_so(weightsmith, tmp_path, name):
    for seed, model in enumerate(MODELS):
        tensors = {f"empty.{i}.weight": np.zeros(shape, np.float16) for i, shape in enumerate(EMPTY)}
        tensors["t.weight"] = np.random.default_rng(seed).standard_normal((6, 8)).astype(np.float16)
        support.write(tmp_path / f"{model}.safetensors", tensors)
    out = merge(weightsmith, tmp_path, FORMS[name], effect="any")
    for i, shape in enumerate(EMPTY):
        assert out[f"empty.{i}.weight"].shape == shape
    assert np.isfinite(out["t.weight"]).all()


def test_scales_of_tensors_without_elements_are_copied(weightsmith, tmp_path):
    for seed, name in enumerate("ab", 1):
        random = np.random.default_rng(seed)
        support.write(tmp_path / f"{name}.safetensors", {
            "scaled_fp8": np.zeros(2, FP8),
            "x.weight": np.zeros((0, 4), FP8), "x.scale_weight": np.float32(seed).reshape(()),
            "y.weight": np.zeros((4, 0), FP8), "y.scale_weight": np.full((4, 1), seed, np.float32),
            "z.weight": random.standard_normal((4, 8)).astype(FP8), "z.scale_weight": np.float32(0.5).reshape(()),
        })
    out = merge(weightsmith, tmp_path, {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5})
    np.testing.assert_array_equal(out["x.scale_weight"], 1)
    np.testing.assert_array_equal(out["y.scale_weight"], np.ones((4, 1)))


@pytest.mark.parametrize("dtype, least", [(np.float16, 2.0**-24), (ml_dtypes.bfloat16, None), (np.float32, None)], ids=str)
def test_codes_fit_the_scales_as_they_are_stored(weightsmith, tmp_path, dtype, least):
    models = {}
    for seed, name in enumerate("ab", 1):
        random = np.random.default_rng(seed)
        codes = random.standard_normal((5, 40)).astype(FP8)
        scales = np.array([0.1, 3, 1e-3, 2.0**-20, 700], np.float32).astype(dtype)[:, None]
        models[name] = codes.astype(np.float32) * scales.astype(np.float32)
        support.write(tmp_path / f"{name}.safetensors", {"x.weight": codes, "x.weight_scale": scales})
    out = merge(weightsmith, tmp_path, {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.25})
    expected = np.float32(0.75) * models["a"] + np.float32(0.25) * models["b"]
    scales = out["x.weight_scale"]
    assert scales.dtype == dtype
    share = (np.abs(expected).max(axis=1, keepdims=True).astype(np.float64) / 448).astype(dtype)
    if least is not None:
        share = np.maximum(share, dtype(least))
    support.assert_same_bits(scales, share)
    support.assert_same_bits(out["x.weight"], (expected / scales.astype(np.float32)).astype(FP8))


@pytest.mark.parametrize("op", support.sampled(STEPS, 4))
def test_columns_of_one_model_alone_do_not_count(weightsmith, tiny, tmp_path, op):
    """keep_extra: the columns that all have are what they are without the others."""
    name = "model.diffusion_model.input_blocks.0.0.weight"
    models = {letter: support.read(tiny("sd15", seed, "--dtype", "f32")).tensors for seed, letter in enumerate("abc", 1)}
    for letter, tensors in models.items():
        support.write(tmp_path / f"{letter}.safetensors", tensors)
    narrow = merge(weightsmith, tmp_path, STEPS[op], effect="any")[name]
    rows = models["a"][name].shape[0]
    extra = np.random.default_rng(4).standard_normal((rows, 5, 3, 3)).astype(np.float32)
    models["a"][name] = np.concatenate([models["a"][name], extra], axis=1)
    support.write(tmp_path / "a.safetensors", models["a"])
    (tmp_path / "out.safetensors").unlink()
    wide = merge(weightsmith, tmp_path, STEPS[op], effect="any", input_channels="keep_extra")[name]
    if op == "ties":  # of which the density counts all elements
        assert wide.shape == (rows, 9, 3, 3)
    else:
        np.testing.assert_allclose(wide[:, :4], narrow, rtol=0, atol=1e-5)
    support.assert_same_bits(wide[:, 4:], extra)
