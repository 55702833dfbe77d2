"""Quantised weights are copied whole, or refused by name; what only looks like them is plain."""

import json

import ml_dtypes
import numpy as np
import pytest

import support
from test_python_reading import ws
from baker import pair_for

FP8 = np.dtype(ml_dtypes.float8_e4m3fn)
M = "model.layers.0.mlp.up_proj"


def codes(seed, dtype, shape=(24, 8)):
    draw = np.random.default_rng(seed)
    return (draw.standard_normal(shape) * 2).astype(dtype) if dtype == FP8 else draw.integers(0, 100, shape).astype(dtype)


def stored(seed, tensors):
    norm = np.random.default_rng(seed + 100).standard_normal(8).astype(np.float32)
    return tensors | {"model.layers.0.norm.weight": norm, f"{M}.bias": norm.astype(np.float16)}


def floats(seed, *shape, dtype=np.float32):
    return np.random.default_rng(seed).random(shape).astype(dtype)


# name of the codes, name of a companion, and the tensors by seed
SCHEMES = {
    "int8 by row": (f"{M}.weight", f"{M}.weight_scale", lambda s: {f"{M}.weight": codes(s, np.int8), f"{M}.weight_scale": floats(s, 24, 1)}),
    "bitsandbytes int8": (f"{M}.weight", f"{M}.SCB", lambda s: {f"{M}.weight": codes(s, np.int8), f"{M}.SCB": floats(s, 24)}),
    "bitsandbytes nf4": (f"{M}.weight", f"{M}.weight.absmax", lambda s: {
        f"{M}.weight": codes(s, np.uint8, (96, 1)), f"{M}.weight.absmax": floats(s, 3), f"{M}.weight.quant_map": floats(s, 16),
        f"{M}.weight.quant_state.bitsandbytes__nf4": codes(s, np.uint8, (80,))}),
    "nf4 in bf16": (f"{M}.weight", f"{M}.weight.absmax", lambda s: {
        f"{M}.weight": floats(s, 48, 1, dtype=ml_dtypes.bfloat16), f"{M}.weight.absmax": floats(s, 3)}),
    "gptq": (f"{M}.qweight", f"{M}.scales", lambda s: {
        f"{M}.qweight": codes(s, np.int32, (1, 24)), f"{M}.qzeros": codes(s, np.int32, (1, 3)), f"{M}.scales": floats(s, 1, 24, dtype=np.float16),
        f"{M}.g_idx": np.zeros(8, np.int32)}),
    "awq": (f"{M}.qweight", f"{M}.scales", lambda s: {
        f"{M}.qweight": codes(s, np.int32, (8, 3)), f"{M}.qzeros": codes(s, np.int32, (1, 3)), f"{M}.scales": floats(s, 1, 24, dtype=np.float16)}),
    "svdquant": (f"{M}.qweight", f"{M}.wscales", lambda s: {
        f"{M}.qweight": codes(s, np.int8, (24, 4)), f"{M}.wscales": floats(s, 1, 24, dtype=np.float16), f"{M}.smooth_factor": floats(s, 8),
        f"{M}.proj_down": floats(s, 8, 2), f"{M}.proj_up": floats(s, 24, 2)}),
    "fp8 in blocks": (f"{M}.weight", f"{M}.weight_scale_inv", lambda s: {f"{M}.weight": codes(s, FP8), f"{M}.weight_scale_inv": floats(s, 2, 1)}),
    "fp8 with .scale": (f"{M}.weight", f"{M}.scale", lambda s: {f"{M}.weight": codes(s, FP8), f"{M}.scale": floats(s, 1)}),
    "fp8 with a matrix of scales": (f"{M}.weight", f"{M}.scale_weight", lambda s: {f"{M}.weight": codes(s, FP8), f"{M}.scale_weight": floats(s, 24, 2, 1)}),
    "fp8 smoothed": (f"{M}.weight", f"{M}.pre_quant_scale", lambda s: {
        f"{M}.weight": codes(s, FP8), f"{M}.weight_scale": floats(s, 1), f"{M}.pre_quant_scale": floats(s, 8)}),
    "a name that nobody knows": (f"{M}.weight", f"{M}.multiplier", lambda s: {f"{M}.weight": codes(s, FP8), f"{M}.multiplier": floats(s, 1)}),
    "experts in fp8": ("model.layers.0.experts.up", "model.layers.0.experts.up_scale_inv", lambda s: {
        "model.layers.0.experts.up": codes(s, FP8, (2, 8, 4)), "model.layers.0.experts.up_scale_inv": floats(s, 2, 1, 1)}),
    "mxfp4": ("model.layers.0.experts.up_blocks", "model.layers.0.experts.up_scales", lambda s: {
        "model.layers.0.experts.up_blocks": codes(s, np.uint8, (2, 8, 1, 16)), "model.layers.0.experts.up_scales": codes(s, np.uint8, (2, 8, 1))}),
}


@pytest.fixture(params=support.sampled(SCHEMES, 5))
def scheme(request, tmp_path):
    codes_name, companion, make = SCHEMES[request.param]
    models = [stored(seed, make(seed)) for seed in (1, 2)]
    for name, model in zip("ab", models):
        support.write(tmp_path / f"{name}.safetensors", model)
    return codes_name, companion, models


def test_computing_is_refused_with_both_names(weightsmith, tmp_path, scheme):
    codes_name, companion, (a, _) = scheme
    plain = {name: np.asarray(floats(3, *tensor.shape), np.float16) for name, tensor in a.items() if name.endswith((".weight", ".bias"))}
    support.write(tmp_path / "c.safetensors", plain)
    commands = [["merge", "a.safetensors", "b.safetensors", "--alpha", "0.5"], ["convert", "a.safetensors", "--dtype", "f16"],
                ["merge", "a.safetensors", "b.safetensors", "--alpha", "1", "--dtype", "f32"],
                ["merge", "a.safetensors", "b.safetensors", "a.safetensors", "--op", "average"]]
    for command in commands:
        said = weightsmith(*command, "-o", "out.safetensors", status=3).stderr
        assert "-o:" not in said  # the model is at fault, not the output
        assert f"'{codes_name}'" in said and f"'{companion}'" in said, said
    if codes_name.endswith(".weight") and a[codes_name].shape == (24, 8):
        for pair in (["a.safetensors", "c.safetensors"], ["c.safetensors", "a.safetensors"]):
            said = weightsmith("merge", *pair, "--policy", "missing=keep", "-o", "out.safetensors", status=3).stderr
            assert f"'{codes_name}'" in said and f"'{companion}'" in said, said
        support.write(tmp_path / "l.safetensors", pair_for(f"base_model.model.{M}", 24, 8, ends=("lora_A.weight", "lora_B.weight")))
        weightsmith("bake", "a.safetensors", "--lora", "l.safetensors", "-o", "out.safetensors", status=3)
    assert not (tmp_path / "out.safetensors").exists()


def test_a_copy_has_everything(weightsmith, tmp_path, scheme):
    _, _, (a, _) = scheme
    weightsmith("convert", "a.safetensors", "-o", "copy.safetensors")
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", '{default: 0, "/norm/": 0.5}', "-o", "norms.safetensors")
    for name in ("copy", "norms"):
        out = support.read(tmp_path / f"{name}.safetensors").tensors
        assert out.keys() == a.keys()
        for key in a.keys() - {"model.layers.0.norm.weight"}:
            support.assert_same_bits(out[key], a[key], key)


def test_a_marker_stays_with_weights_that_are_copied(weightsmith, tmp_path):
    tensors = stored(1, SCHEMES["fp8 with a matrix of scales"][2](1)) | {"scaled_fp8": np.zeros(2, FP8)}
    support.write(tmp_path / "a.safetensors", tensors)
    weightsmith("convert", "a.safetensors", "-o", "copy.safetensors")
    assert support.read(tmp_path / "copy.safetensors").tensors.keys() == tensors.keys()


def test_codes_never_meet_the_scales_of_another(weightsmith, tmp_path, scheme):
    codes_name, companion, (a, b) = scheme
    # All of the other model's weight, or nothing of it.
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", '{default: 1, "/norm/": 0.5, "/bias/": 0}', "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    for key in a.keys() - {"model.layers.0.norm.weight", f"{M}.bias"}:
        support.assert_same_bits(out[key], b[key], key)


def test_python_refuses_the_same(tmp_path, scheme):
    codes_name, companion, _ = scheme
    mix = ws.weighted_sum(tmp_path / "a.safetensors", tmp_path / "b.safetensors", alpha=0.5)
    for compute in (mix.state_dict, lambda: mix.save(tmp_path / "out.safetensors"), mix.plan,
                    lambda: ws.convert(tmp_path / "a.safetensors", tmp_path / "out.safetensors", dtype="f16")):
        with pytest.raises(ws.MismatchError) as error:
            compute()
        assert codes_name in str(error.value) and companion in str(error.value)


def test_components_of_a_quantised_model_are_taken_apart_and_put_together(weightsmith, tmp_path, tiny):
    tensors = support.read(tiny("flux1-dev", 1, "--layout", "monolithic", "--dtype", "f16")).tensors
    for name in [name for name in tensors if "_blocks." in name and tensors[name].ndim == 2]:
        tensors[name] = codes(1, np.int8, tensors[name].shape)
        tensors[name.replace(".weight", ".weight_scale")] = floats(1, tensors[name].shape[0], 1)
    support.write(tmp_path / "whole.safetensors", tensors)
    weightsmith("split", "whole.safetensors", "-o", "p")
    parts = [f"--{part.replace('_', '-')}=p/{part}.safetensors" for part in ("transformer", "clip_l", "t5xxl", "vae")]
    weightsmith("assemble", "--like", "flux1", *parts, "-o", "again.safetensors")
    again = support.read(tmp_path / "again.safetensors").tensors
    assert again.keys() == tensors.keys()
    for name, tensor in tensors.items():
        support.assert_same_bits(again[name], tensor, name)
    # Untouched beside text encoders that are merged.
    other = support.random_like(tensors, 5)
    support.write(tmp_path / "other.safetensors", other)
    weightsmith("merge", "whole.safetensors", "other.safetensors", "--alpha", "{default: 0, te: 0.5}", "-o", "te.safetensors")
    out = support.read(tmp_path / "te.safetensors").tensors
    for name in tensors:
        if not name.startswith("text_encoders."):
            support.assert_same_bits(out[name], tensors[name], name)
    # diffusers has q, k and v apart.
    said = weightsmith("convert", "whole.safetensors", "--layout", "diffusers", "-o", "pipeline", status=3).stderr
    assert "weight_scale" in said


def test_integers_without_companions_are_counted(weightsmith, tmp_path):
    for seed, name in ((1, "a"), (2, "b")):
        support.write(tmp_path / f"{name}.safetensors", {"l.0.weight": codes(seed, np.int8), "l.1.weight": codes(seed, np.int8),
                                                         "norm.weight": floats(seed, 8)})
    said = weightsmith("merge", "a.safetensors", "b.safetensors", "--report", "r.json", "-o", "out.safetensors").stderr
    assert "1 of 3 tensors changed, 2 copied because they are integers" in said
    step = json.loads((tmp_path / "r.json").read_text())["steps"][0]
    assert (step["tensors"], step["tensors_changed"], step["tensors_copied"]) == (1, 1, 2)


PLAIN = {
    "fp8 with biases": {"a.weight": codes(1, FP8), "a.bias": floats(1, 24), "n.weight": floats(2, 8)},
    "fp8 beside other modules": {"a.weight": codes(1, FP8), "a.norm.scale": floats(1, 24), "logit_scale": floats(2)},
    "position_ids": {"embeddings.position_ids": np.arange(257)[None], "embeddings.class_embedding": floats(1, 8), "a.weight": floats(2, 8, 8)},
    "counters": {"bn.weight": floats(1, 8), "bn.running_mean": floats(2, 8), "bn.num_batches_tracked": np.array(7)},
    "token ids": {"table.ids": np.arange(12, dtype=np.int32).reshape(3, 4), "table.bias": floats(1, 4), "a.weight": floats(2, 8, 8)},
    "index of positions": {"attn.relative_position_index": np.arange(16).reshape(4, 4), "attn.relative_position_bias_table": floats(1, 9, 2)},
}


@pytest.mark.parametrize("layout", PLAIN)
def test_what_is_plain_is_merged(weightsmith, tmp_path, layout):
    tensors = PLAIN[layout]
    support.write(tmp_path / "a.safetensors", tensors)
    support.write(tmp_path / "b.safetensors", {name: tensor if tensor.dtype.kind == "i" else (tensor.astype(np.float32) * 0.5).astype(tensor.dtype)
                                               for name, tensor in tensors.items()})
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", "1", "--policy", "effect=any", "--dtype", "f32", "-o", "out.safetensors")
    weightsmith("merge", "a.safetensors", "b.safetensors", "--dtype", "f32", "-f", "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    for name, tensor in tensors.items():
        if tensor.dtype.kind == "i":
            support.assert_same_bits(out[name], tensor, name)
        else:
            half = (tensor.astype(np.float32) * 0.5).astype(tensor.dtype).astype(np.float32)
            np.testing.assert_allclose(out[name], 0.5 * tensor.astype(np.float32) + 0.5 * half, rtol=1e-6)
