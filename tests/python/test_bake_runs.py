"""Baking as a run: with other steps in one pass, verified, killed, rounded."""

import ctypes
import json

import numpy as np
import pytest

import adapters
import support
from baker import ALL, ATTENTION, F32, QUERY, delta, pair_for, query


# One pass, with other steps.

def test_merge_bake_and_swap_in_one_pass(weightsmith, tmp_path, tiny):
    paths = [tiny("sd15", seed, *F32) for seed in (1, 2)]
    vae = tiny("vae", 3, *F32)
    a, b = (support.read(path).tensors for path in paths)
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    loras = [pair_for(QUERY, *a[name].shape, seed=seed, alpha=3.0) for seed in range(3)]
    for i, lora in enumerate(loras):
        support.write(tmp_path / f"l{i}.safetensors", lora)
    recipe = support.write_recipe(tmp_path / "r.yaml", {
        "models": {"a": str(paths[0]), "b": str(paths[1]), "vae": str(vae)},
        "adapters": {f"l{i}": f"l{i}.safetensors" for i in range(3)},
        "steps": {"mix": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.3},
                  "out": {"op": "bake", "model": "mix", "adapters": ["l0:0.6", {"use": "l1", "strength": {"default": 0.2, "in.1": 0.9}}, "l2:-0.4"]}},
        "output": {"model": "out", "path": "out.safetensors", "components": {"vae": "vae"}}})
    weightsmith("merge", recipe, "--report", "r.json")
    out = support.read(tmp_path / "out.safetensors").tensors
    expected = 0.7 * a[name].astype(np.float64) + 0.3 * b[name] + sum(m * delta(lora, QUERY, 0.75) for m, lora in zip((0.6, 0.9, -0.4), loras))
    np.testing.assert_allclose(out[name], expected, rtol=1e-5, atol=1e-6)
    report = json.loads((tmp_path / "r.json").read_text())
    assert [len(adapter["applied"]) for adapter in report["adapters"]] == [1, 1, 1]
    vae_tensors = support.read(vae).tensors
    for name, tensor in out.items():
        if name.startswith("first_stage_model."):
            support.assert_same_bits(tensor, vae_tensors[name.removeprefix("first_stage_model.")], name)
    files = [support.read(path).tensors for path in [*paths, vae]]
    assert report["bytes_read"] <= sum(t.nbytes for tensors in files for t in tensors.values())
    assert "l0" in (tmp_path / "out.safetensors").read_bytes()[:100_000].decode(errors="replace")


def test_an_adapter_is_a_difference_in_any_step(weightsmith, tmp_path, bake):
    baker = bake()
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    lora = query(baker, alpha=2.0)
    support.write(tmp_path / "lora.safetensors", lora)
    recipe = support.write_recipe(tmp_path / "r.yaml", {
        "models": {"base": str(baker.base)}, "adapters": {"it": "lora.safetensors"},
        "steps": {"half": {"op": "scale", "a": "it", "factor": 0.5}, "out": {"op": "add", "a": "base", "b": "half", "alpha": 3}},
        "output": {"model": "out", "path": "out.safetensors"}})
    weightsmith("merge", recipe)
    baker.expect(support.read(tmp_path / "out.safetensors").tensors, {name: (ALL, 1.5 * delta(lora, QUERY, 0.5))})
    dora = lora | {f"{QUERY}.dora_scale": np.ones((baker.before[name].shape[0], 1), np.float32)}
    support.write(tmp_path / "lora.safetensors", dora)
    assert "is no difference by itself" in weightsmith("merge", recipe, "-f", status=3).stderr


def test_several_models_give_several_outputs(weightsmith, tmp_path, tiny):
    bases = [tiny("sd15", seed, *F32) for seed in (1, 2)]
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    lora = pair_for(QUERY, *support.read(bases[0])[name].shape)
    support.write(tmp_path / "detail.safetensors", lora)
    out = weightsmith("bake", *bases, "--lora", "detail.safetensors:0.5", "-o", "baked", "--mkdir").stdout.split()
    assert len(out) == 2 and all("+0.50(detail).safetensors" in path for path in out)
    for base, path in zip(bases, out):
        expected = support.read(base)[name] + 0.5 * delta(lora, QUERY)
        np.testing.assert_allclose(support.read(tmp_path / path)[name], expected, rtol=1e-5, atol=1e-6)


def test_an_adapter_has_to_change_every_model_that_it_is_baked_into(weightsmith, tmp_path, tiny):
    bases = [tiny("sd15", 1, *F32), tiny("flux1-dev", 1, *F32)]
    support.write(tmp_path / "detail.safetensors", pair_for(QUERY, *support.read(bases[0])[f"model.diffusion_model.{ATTENTION}.to_q.weight"].shape))
    words = weightsmith("bake", *bases, "--lora", "detail.safetensors", "-o", "baked", "--mkdir", status=3).stderr
    assert "adapter 'detail' changes nothing of 'flux1-dev" in words


def test_merge_takes_loras_too(weightsmith, tmp_path, tiny):
    bases = [tiny("sd15", seed, *F32) for seed in (1, 2)]
    a, b = (support.read(path).tensors for path in bases)
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    lora = pair_for(QUERY, *a[name].shape)
    support.write(tmp_path / "detail.safetensors", lora)
    weightsmith("merge", *bases, "--alpha", 0.25, "--lora", "detail.safetensors:0.5", "-o", "out.safetensors")
    expected = 0.75 * a[name].astype(np.float64) + 0.25 * b[name] + 0.5 * delta(lora, QUERY)
    np.testing.assert_allclose(support.read(tmp_path / "out.safetensors")[name], expected, rtol=1e-5, atol=1e-6)


# What is left behind, and what does not matter.

def test_verify_recomputes_and_says_no(weightsmith, tmp_path, bake):
    baker = bake()
    baker(query(baker, alpha=2.0), strength=":0.7")
    folder = baker.base.parent
    assert "recomputed" in weightsmith("verify", "out.safetensors", "--models", folder).stdout
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    whole = bytearray((tmp_path / "out.safetensors").read_bytes())
    header, start = support.header_of(tmp_path / "out.safetensors")
    whole[start + header[name]["data_offsets"][0] + 1] ^= 1
    (tmp_path / "out.safetensors").write_bytes(whole)
    assert name in weightsmith("verify", "out.safetensors", "--models", folder, status=7).stderr


def test_verify_finds_another_adapter_than_was_baked(weightsmith, tmp_path, bake):
    baker = bake()
    lora = query(baker, alpha=2.0)
    baker(lora)
    support.write(tmp_path / "lora.safetensors", {k: v * 2 for k, v in lora.items()})
    weightsmith("verify", "out.safetensors", "--models", baker.base.parent, status=7)


FAMILY_CASES = sorted(adapters.FAMILIES)


@pytest.mark.parametrize("family", support.chosen(FAMILY_CASES, "lora", "oft"))
def test_the_bytes_depend_on_nothing_but_the_inputs(weightsmith, tmp_path, tiny, family):
    base = tiny("sd15")
    shapes, _ = adapters.shapes_of(adapters.weights_of(support.header_of(base)[0]), family, "kohya")
    tensors = adapters.random_tensors(shapes, dtype=np.float16)
    for name in tensors:
        if name.endswith("on_input"):
            tensors[name] = np.array(0, np.int64)
    support.write(tmp_path / "lora.safetensors", tensors)
    found = set()
    for options, environment in [((), {}), (("--threads", "1"), {}), (("--threads", "7"), {}), (("--io", "map"), {}),
                                 ((), {"WEIGHTSMITH_SIMD": "SCALAR"}), ((), {"WEIGHTSMITH_SIMD": "AVX2"}), (("--max-memory", "200MB"), {})]:
        weightsmith("bake", base, "--lora", "lora.safetensors:0.7", "-f", "-o", "out.safetensors", *options, env=environment)
        found.add(support.sha256(tmp_path / "out.safetensors"))
    assert len(found) == 1


def test_a_run_that_is_killed_goes_on(weightsmith, tmp_path):
    random = np.random.default_rng(3)
    base = {f"blocks.{i}.q.weight": random.standard_normal((1024, 1024)).astype(np.float16) for i in range(48)}
    support.write(tmp_path / "base.safetensors", base)
    lora = {}
    for i in range(48):
        lora |= pair_for(f"diffusion_model.blocks.{i}.q", 1024, 1024, 16, seed=i)
    support.write(tmp_path / "lora.safetensors", lora)
    command = ("bake", "base.safetensors", "--lora", "lora.safetensors", "-o", "out.safetensors")
    weightsmith(*command)
    expected = support.sha256(tmp_path / "out.safetensors")
    (tmp_path / "out.safetensors").unlink()
    for wait in (0.03, 0.06, 0.1):
        process = weightsmith.start(*command)
        try:
            process.wait(wait)
        except Exception:
            process.kill()
            process.wait()
        # Killed at its very end, it has done all of it.
        if (tmp_path / "out.safetensors").exists():
            break
    assert not (tmp_path / "out.safetensors").exists() or support.sha256(tmp_path / "out.safetensors") == expected
    weightsmith(*command, "-f")
    assert support.sha256(tmp_path / "out.safetensors") == expected


def fused_multiply_add(a, b, c):
    """a·b + c, rounded once, by the mathematics library of C."""
    function = ctypes.CDLL("libm.so.6").fmaf
    function.argtypes, function.restype = [ctypes.c_float] * 3, ctypes.c_float
    return np.vectorize(function, otypes=[np.float32])(a, b, c)


@pytest.mark.parametrize("dtype", ["f16", "bf16", "f32", "f8_e4m3", "f8_e5m2"])
def test_every_dtype_is_read_rounded_once_and_kept(weightsmith, tmp_path, tiny, dtype):
    base = tiny("sd15", 1, "--dtype", dtype)
    before = support.read(base).tensors
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    lora = pair_for(QUERY, *before[name].shape)
    support.write(tmp_path / "lora.safetensors", lora)
    weightsmith("bake", base, "--lora", "lora.safetensors", "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors")[name]
    f32 = before[name].astype(np.float32)
    change = np.zeros(f32.shape, np.float32)
    for k in range(4):  # by ascending rank, every product added with one rounding
        change = fused_multiply_add(lora[f"{QUERY}.lora_up.weight"][:, k:k + 1], lora[f"{QUERY}.lora_down.weight"][k:k + 1], change)
    support.assert_same_bits(out, (f32 + change).astype(before[name].dtype))


def test_changes_that_rounding_loses_are_warned_of(weightsmith, tmp_path, tiny):
    base = tiny("sd15", 1, "--dtype", "bf16")
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    lora = pair_for(QUERY, *support.read(base)[name].shape)
    support.write(tmp_path / "lora.safetensors", lora)
    words = weightsmith("bake", base, "--lora", "lora.safetensors:0.001", "--report", "r.json", "-o", "out.safetensors").stderr
    assert "warning" in words and "differ after rounding" in words and "stochastic" in words
    (applied,) = json.loads((tmp_path / "r.json").read_text())["adapters"][0]["applied"]
    before, after = support.read(base)[name], support.read(tmp_path / "out.safetensors")[name]
    assert applied["elements_changed_after_rounding"] == np.count_nonzero(support.bits(before) != support.bits(after))
    change = after.astype(np.float64) - before.astype(np.float64)
    exact = 0.001 * delta(lora, QUERY)
    assert applied["relative_change"] == pytest.approx(np.linalg.norm(exact) / np.linalg.norm(before.astype(np.float64)), rel=1e-3)
    assert np.count_nonzero(change) < 0.8 * change.size


def test_a_strength_of_zero_is_a_note(bake):
    baker = bake()
    out = baker(query(baker), strength=":0")
    baker.expect(out, {})
    assert "weight 0" in baker.words or "changes nothing" in baker.words


def test_the_base_may_have_any_layout(weightsmith, tmp_path, bake):
    baker = bake("sdxl")
    name = "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight"
    stem = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q"
    lora = pair_for(stem, *baker.before[name].shape)
    direct = baker(lora)
    weightsmith("convert", baker.base, "--layout", "diffusers", "-o", "pipeline")
    other = baker(lora, base="pipeline")
    assert direct.keys() == other.keys()
    for tensor in direct:
        support.assert_same_bits(other[tensor], direct[tensor], tensor)


@pytest.mark.parametrize("dtype", support.chosen(["bf16", "f16", "f8_e4m3"], "bf16"))
def test_stochastic_rounding_keeps_small_changes_on_average(weightsmith, tmp_path, tiny, dtype):
    base = tiny("sd15", 1, "--dtype", dtype)
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    before = support.read(base)[name]
    change = np.full(before.shape, {"bf16": 1e-5, "f16": 1e-6, "f8_e4m3": 2e-4}[dtype], np.float32)
    support.write(tmp_path / "lora.safetensors", {f"{QUERY}.diff": change})
    out = {}
    for rounding in ("nearest", "stochastic", *(f"stochastic:{seed}" for seed in range(8))):
        weightsmith("bake", base, "--lora", "lora.safetensors", "--rounding", rounding, "-f", "-o", "out.safetensors", "--policy", "effect=any")
        out[rounding] = support.read(tmp_path / "out.safetensors")[name]
        weightsmith("verify", "out.safetensors", "--models", base.parent)
    support.assert_same_bits(out["stochastic"], out["stochastic:0"])
    assert not np.array_equal(support.bits(out["stochastic"]), support.bits(out["stochastic:1"]))

    def mean(tensor):
        return (tensor.astype(np.float64) - before.astype(np.float64)).mean() / change.mean()

    together = np.mean([mean(out[f"stochastic:{seed}"]) for seed in range(8)])
    assert abs(mean(out["nearest"])) < 0.7
    assert 0.5 < together < 1.5
    assert "is nearest, stochastic" in weightsmith("bake", base, "--lora", "lora.safetensors", "--rounding", "up", "-o", "o.safetensors", status=2).stderr
