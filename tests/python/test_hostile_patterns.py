"""Names and regular expressions of adapters' files: long, nested and slow ones neither crash nor hang, and one that cannot be
used is refused by name."""

import json

import numpy as np
import pytest

import support

MODULE = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj"
WEIGHT = "cond_stage_model.transformer.text_model.encoder.layers.0.self_attn.q_proj.weight"


def adapter(folder, stem, said, rows, columns):
    """An adapter of rank 4 with what diffusers writes into the metadata."""
    random = np.random.default_rng(3)
    tensors = {f"{stem}.lora_A.weight": random.standard_normal((4, columns)).astype(np.float32),
               f"{stem}.lora_B.weight": random.standard_normal((rows, 4)).astype(np.float32)}
    path = support.write(folder / "lora.safetensors", tensors, metadata={"lora_adapter_metadata": json.dumps(said)})
    return path, tensors[f"{stem}.lora_B.weight"].astype(np.float64) @ tensors[f"{stem}.lora_A.weight"].astype(np.float64)


@pytest.fixture
def base(tiny):
    path = tiny("sd15", 1, "--dtype", "f32")
    return path, support.read(path).tensors[WEIGHT].astype(np.float64)


def test_a_pattern_that_would_take_for_ever_ends(weightsmith, tmp_path, base):
    path, weight = base
    said = {"text_encoder.lora_alpha": 4, "text_encoder.alpha_pattern": {"([a-z_.0-9]+)+!": 8}}
    lora, change = adapter(tmp_path, MODULE, said, *weight.shape)
    weightsmith("lora", "info", lora)
    weightsmith("bake", path, "--lora", lora, "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors[WEIGHT]
    np.testing.assert_allclose(out, weight + change, rtol=1e-5, atol=1e-6)


def test_a_pattern_gives_its_modules_their_alpha(weightsmith, tmp_path, base):
    path, weight = base
    said = {"text_encoder.lora_alpha": 4, "text_encoder.alpha_pattern": {r"layers\.0\.self_attn\.q_proj": 8}}
    lora, change = adapter(tmp_path, MODULE, said, *weight.shape)
    weightsmith("bake", path, "--lora", lora, "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors[WEIGHT]
    np.testing.assert_allclose(out, weight + 2 * change, rtol=1e-5, atol=1e-6)


def test_a_name_of_60000_characters_is_no_module_and_no_crash(weightsmith, tmp_path, base):
    path, weight = base
    lora, _ = adapter(tmp_path, f"text_encoder.{'a' * 60_000}.q_proj", {"text_encoder.lora_alpha": 4}, *weight.shape)
    weightsmith("lora", "info", lora)
    assert "no module" in weightsmith("bake", path, "--lora", lora, "-o", "out.safetensors", status=3).stderr


@pytest.mark.parametrize("pattern, words", [
    ("(?!mid).*q_proj", "look-ahead and look-behind are not supported"),
    (r"(a)\1", "back-references are not supported"),
    ("(" * 400, "malformed"),
    ("(" * 20_000 + "a" + ")" * 20_000, "bytes, more than"),
])
def test_a_pattern_that_cannot_be_used_is_refused_by_name(weightsmith, tmp_path, base, pattern, words):
    path, weight = base
    lora, _ = adapter(tmp_path, MODULE, {"text_encoder.alpha_pattern": {pattern: 8}}, *weight.shape)
    for command in (["lora", "info", lora], ["bake", path, "--lora", lora, "-o", "out.safetensors"]):
        said = weightsmith(*command, status=4).stderr
        assert words in said and "lora.safetensors" in said and "alpha_pattern" in said, said
    assert not (tmp_path / "out.safetensors").exists()
