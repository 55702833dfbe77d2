"""Weights in fp8 with a scale beside them are computed with as what they are, and stored so again."""

import json

import ml_dtypes
import numpy as np
import pytest

import support
from baker import delta, pair_for

FP8 = np.dtype(ml_dtypes.float8_e4m3fn)
WEIGHT = "double_blocks.0.img_attn.proj.weight"
OTHER = "single_blocks.1.linear2.weight"
STEM = "diffusion_model.double_blocks.0.img_attn.proj"


def scale_name(weight, end):
    return weight.removesuffix(".weight") + end


def scaled(tensors, end, rows):
    """Every matrix of the blocks as fp8 with a scale: one, or one a row."""
    made = {"scaled_fp8": np.zeros(2, FP8)} if end == ".scale_weight" else {}
    for name, tensor in tensors.items():
        if tensor.ndim == 2 and "_blocks." in name:
            largest = np.abs(tensor).max(axis=1, keepdims=True) if rows else np.abs(tensor).max()
            scale = np.asarray(largest / 448, np.float32)
            made[name] = (tensor / scale).astype(FP8)
            made[scale_name(name, end)] = scale
        else:
            made[name] = tensor
    return made


def real(tensors, name, end):
    scale = tensors.get(scale_name(name, end))
    values = tensors[name].astype(np.float32)
    return values if scale is None else values * scale


@pytest.fixture(params=[(".scale_weight", False), (".weight_scale", False), (".weight_scale", True)], ids=["comfy, older", "comfy", "by row"])
def case(request, tiny, tmp_path):
    end, rows = request.param
    tensors = scaled(support.read(tiny("flux1-dev", 1, "--dtype", "f32")).tensors, end, rows)
    support.write(tmp_path / "base.safetensors", tensors)
    lora = pair_for(STEM, *tensors[WEIGHT].shape, alpha=2.0)
    support.write(tmp_path / "lora.safetensors", lora)
    return tensors, end, lora


def test_baking_dequantises_and_scales_anew(weightsmith, tmp_path, case):
    tensors, end, lora = case
    weightsmith("bake", "base.safetensors", "--lora", "lora.safetensors", "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    assert out.keys() == tensors.keys()
    expected = real(tensors, WEIGHT, end).astype(np.float64) + delta(lora, STEM, 0.5)
    scale = out[scale_name(WEIGHT, end)]
    largest = np.abs(expected).max(axis=1, keepdims=True) if scale.size > 1 else np.abs(expected).max()
    np.testing.assert_allclose(scale.reshape(np.shape(largest)), largest / 448, rtol=1e-6)
    assert np.abs(out[WEIGHT].astype(np.float32)).max() == 448
    # Half a step of three bits of mantissa.
    np.testing.assert_allclose(real(out, WEIGHT, end), expected, rtol=2**-4 + 1e-6, atol=float(np.max(largest)) / 448 * 2**-9)
    for name in tensors:
        if name not in (WEIGHT, scale_name(WEIGHT, end)):
            support.assert_same_bits(out[name], tensors[name], name)
    weightsmith("verify", "out.safetensors")


def test_the_digest_of_an_input_is_of_its_scales_too(weightsmith, tmp_path, case):
    tensors, end, _ = case
    digests = set()
    for factor in (1, 2):
        changed = dict(tensors)
        changed[scale_name(WEIGHT, end)] = factor * tensors[scale_name(WEIGHT, end)]
        support.write(tmp_path / "base.safetensors", changed)
        weightsmith("bake", "base.safetensors", "--lora", "lora.safetensors", "--dtype", "f32", "-o", "out.safetensors",
                    "--force", "--report", "report.json")
        report, _ = json.loads((tmp_path / "report.json").read_text())["inputs"]
        assert report["tensors_read"] == len([name for name in tensors if name != "scaled_fp8"])
        digests.add(report["digest"])
        weightsmith("verify", "out.safetensors")
    assert len(digests) == 2 and None not in digests


def test_another_dtype_leaves_no_scales_behind(weightsmith, tmp_path, case):
    tensors, end, lora = case
    weightsmith("bake", "base.safetensors", "--lora", "lora.safetensors", "--dtype", "f32", "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    assert out.keys() == {name for name in tensors if not name.endswith(end) and name != "scaled_fp8"}
    np.testing.assert_allclose(out[WEIGHT], real(tensors, WEIGHT, end).astype(np.float64) + delta(lora, STEM, 0.5), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(out[OTHER], real(tensors, OTHER, end))


def test_two_such_models_merge_as_what_they_are(weightsmith, tmp_path, tiny, case):
    tensors, end, _ = case
    other = scaled(support.read(tiny("flux1-dev", 2, "--dtype", "f32")).tensors, end, tensors[scale_name(WEIGHT, end)].size > 1)
    support.write(tmp_path / "other.safetensors", other)
    weightsmith("merge", "base.safetensors", "other.safetensors", "--alpha", 0.3, "--dtype", "f32", "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    np.testing.assert_allclose(out[WEIGHT], 0.7 * real(tensors, WEIGHT, end).astype(np.float64) + 0.3 * real(other, WEIGHT, end), rtol=1e-5, atol=1e-6)
    # A weight of 1 takes the other's codes, with the other's scale.
    weightsmith("merge", "base.safetensors", "other.safetensors", "--alpha", "{default: 1, double.0: 0.5}", "-f", "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    for name in (OTHER, scale_name(OTHER, end)):
        support.assert_same_bits(out[name], other[name], name)


def test_stochastic_rounding_is_of_the_scaled_values(weightsmith, tmp_path, case):
    tensors, end, lora = case
    runs = []
    for seed in (1, 1, 2):
        weightsmith("bake", "base.safetensors", "--lora", "lora.safetensors", "--rounding", f"stochastic:{seed}", "-f", "-o", "out.safetensors")
        runs.append(support.read(tmp_path / "out.safetensors").tensors)
    support.assert_same_bits(runs[0][WEIGHT], runs[1][WEIGHT])
    assert not np.array_equal(support.bits(runs[0][WEIGHT]), support.bits(runs[2][WEIGHT]))
    expected = real(tensors, WEIGHT, end).astype(np.float64) + delta(lora, STEM, 0.5)
    np.testing.assert_allclose(real(runs[2], WEIGHT, end), expected, rtol=2**-3 + 1e-6, atol=np.abs(expected).max() / 448 * 2**-8)


def test_dora_on_a_scaled_weight(weightsmith, tmp_path, case):
    tensors, end, lora = case
    before = real(tensors, WEIGHT, end).astype(np.float64)
    magnitude = np.linspace(0.5, 2, before.shape[0]).astype(np.float32)[:, None]
    support.write(tmp_path / "lora.safetensors", lora | {f"{STEM}.dora_scale": magnitude})
    weightsmith("bake", "base.safetensors", "--lora", "lora.safetensors", "--dtype", "f32", "-o", "out.safetensors")
    changed = before + delta(lora, STEM, 0.5)
    expected = changed * magnitude / np.linalg.norm(changed, axis=1, keepdims=True)
    np.testing.assert_allclose(support.read(tmp_path / "out.safetensors")[WEIGHT], expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("end, scheme", [(".absmax", "bnb"), (".quant_state.bitsandbytes__nf4", "bnb_nf4"), (".qweight", "packed"), (".weight_scale_2", "scaled")])
def test_other_schemes_are_refused_by_name(weightsmith, tmp_path, tiny, end, scheme):
    tensors = support.read(tiny("flux1-dev", 1, "--dtype", "f32")).tensors
    weight = tensors[WEIGHT]
    stem = WEIGHT.removesuffix(".weight")
    tensors[WEIGHT] = np.zeros((weight.size // 2, 1), np.uint8)
    if end == ".qweight":
        del tensors[WEIGHT]
    tensors[(WEIGHT if end.startswith((".absmax", ".quant_state")) else stem) + end] = np.zeros(8, np.float32 if end != ".qweight" else np.int32)
    support.write(tmp_path / "base.safetensors", tensors)
    support.write(tmp_path / "lora.safetensors", pair_for(STEM, *weight.shape))
    words = weightsmith("bake", "base.safetensors", "--lora", "lora.safetensors", "-o", "out.safetensors", status=3).stderr
    assert scheme.split("_")[0] in words or "quantised" in words, words
    assert not (tmp_path / "out.safetensors").exists()
