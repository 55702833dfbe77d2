"""Places of values: text encoders by number, and what is said of a place that is at no tensor."""

import numpy as np
import pytest

import support

# Numbers and prefixes as the publishers of the models have them.
ENCODERS = {
    "sd15": {1: "cond_stage_model.transformer."},
    "sdxl": {1: "conditioner.embedders.0.transformer.", 2: "conditioner.embedders.1.model."},
    "sdxl-refiner": {2: "conditioner.embedders.0.model."},
    "sd3": {n + 1: f"text_encoders.{name}.transformer." for n, name in enumerate(("clip_l", "clip_g", "t5xxl"))},
    "flux1-dev": {1: "text_encoders.clip_l.transformer.", 2: "text_encoders.t5xxl.transformer."},
    "chroma": {1: "text_encoders.t5xxl.transformer."},
    "pixart-sigma": {1: "text_encoders.t5xxl.transformer."},
    "wan-t2v-1.3b": {1: "text_encoders.umt5xxl.transformer."},
}


@pytest.fixture
def two(tiny):
    def make(architecture):
        return [tiny(architecture, seed, "--layout", "monolithic", "--dtype", "f16") for seed in (1, 2)]

    return make


def under(prefix, a, b, out):
    """Whether all weights under the prefix are those of b; the rest must be those of a."""
    changed = {name for name in a if a[name].tobytes() != out[name].tobytes()}
    expected = {name for name in a if name.startswith(prefix) and a[name].tobytes() != b[name].tobytes()}
    assert changed == expected and expected
    for name in changed:
        support.assert_same_bits(out[name], b[name], name)


@pytest.mark.parametrize("architecture", support.sampled(ENCODERS, 4))
def test_text_encoders_by_number(weightsmith, tmp_path, two, architecture):
    paths = two(architecture)
    a, b = (support.read(path).tensors for path in paths)
    for number, prefix in ENCODERS[architecture].items():
        weightsmith("merge", *paths, "--alpha", f"{{default: 0, te{number}: 1}}", "-f", "-o", "out.safetensors")
        under(prefix, a, b, support.read(tmp_path / "out.safetensors").tensors)
    for missing in {1, 2, 3} - ENCODERS[architecture].keys():
        said = weightsmith("merge", *paths, "--alpha", f"{{default: 0.5, te{missing}: 0}}", "-f", "-o", "out.safetensors", status=3).stderr
        assert f"te{missing}" in said
        for number in ENCODERS[architecture]:
            assert f"= te{number}" in said, said


@pytest.mark.parametrize("architecture", ["sd3", "chroma"])
def test_numbers_mean_the_same_in_dtypes_and_policies(weightsmith, tmp_path, two, architecture):
    paths = two(architecture)
    last = max(ENCODERS[architecture])
    dtyped(weightsmith, tmp_path, paths, {"default": "keep", f"te{last}": "f32"})
    for name, tensor in support.read(tmp_path / "out.safetensors").tensors.items():
        text = name.startswith(ENCODERS[architecture][last])
        assert tensor.dtype == (np.float32 if text else np.float16) or tensor.dtype == np.int64, name
    assert "'clip_h'" in dtyped(weightsmith, tmp_path, paths, {"default": "keep", "clip_h": "f32"}, status=3).stderr
    said = weightsmith("merge", *paths, "--policy", "missing={default: error, clip_h: keep}", "-o", "no.safetensors", status=3).stderr
    assert "'clip_h'" in said


def dtyped(weightsmith, tmp_path, paths, dtype, status=0):
    recipe = {"models": {"a": str(paths[0]), "b": str(paths[1])}, "steps": {"m": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5}},
              "output": {"model": "m", "path": "out.safetensors", "dtype": dtype}}
    support.write_recipe(tmp_path / "r.json", recipe)
    return weightsmith("merge", "r.json", "-f", status=status)


def test_a_component_by_number_goes_into_an_output(weightsmith, tmp_path, two):
    paths = two("sd3")
    recipe = {"models": {"a": str(paths[0]), "b": str(paths[1])}, "output": {"model": "a", "path": "out.safetensors", "components": {"te3": "b"}}}
    support.write_recipe(tmp_path / "r.json", recipe)
    weightsmith("merge", "r.json")
    a, b = (support.read(path).tensors for path in paths)
    under(ENCODERS["sd3"][3], a, b, support.read(tmp_path / "out.safetensors").tensors)


def test_an_encoder_is_assembled_by_its_number(weightsmith, tmp_path, two):
    whole = two("sd3")[0]
    weightsmith("split", whole, "-o", "p")
    weightsmith("assemble", "--like", "sd3", "--transformer", "p/transformer.safetensors", "--te1", "p/clip_l.safetensors",
                "--te2", "p/clip_g.safetensors", "--te3", "p/t5xxl.safetensors", "--vae", "p/vae.safetensors", "-o", "out.safetensors")
    a, out = support.read(whole).tensors, support.read(tmp_path / "out.safetensors").tensors
    assert a.keys() == out.keys()
    said = weightsmith("assemble", "--like", "chroma", "--te3", "p/t5xxl.safetensors", "-o", "no.safetensors", status=2).stderr
    assert "t5xxl (te1)" in said


MISTAKES = {
    ("sd15", "IN12"): ["IN00-IN11", "M00", "OUT00-OUT11"],
    ("sd15", "unet.out.12"): ["OUT00-OUT11"],
    ("sd15", "D00"): ["IN00-IN11"],
    ("sd15", "clip_g"): ["clip_l = te1"],
    ("sd15", "te.layer.12"): ["layer.0-11"],
    ("sdxl", "IN09"): ["IN00-IN08"],
    ("sdxl", "t5xxl"): ["clip_l = te1", "clip_g = te2"],
    ("flux1-dev", "D19"): ["D00-D18", "S00-S37"],
    ("flux1-dev", "IN00"): ["D00-D18"],
    ("sd15", "IN04:attn9"): ["attn1", "attn2"],
    ("sd15", "/no_such_name/"): ["IN00-IN11"],
}


@pytest.mark.parametrize("architecture, place", support.sampled(MISTAKES, 3))
def test_a_place_that_is_nowhere_lists_those_that_are(weightsmith, two, architecture, place):
    said = weightsmith("merge", *two(architecture), "--alpha", f'{{default: 0.5, "{place}": 0.1}}', "-o", "out.safetensors", status=3).stderr
    assert f"no tensor is at '{place}'" in said
    for words in MISTAKES[architecture, place]:
        assert words in said, said


@pytest.mark.parametrize("row", support.sampled(["te", "te1", "te2", "clip_g", "vae", "te2.layer.3", "vae.decoder", "BASE"], 3))
def test_what_this_file_lacks_and_its_kind_has_is_a_note(weightsmith, tiny, row):
    paths = [tiny("sdxl", seed, "--layout", "bare") for seed in (1, 2)]
    said = weightsmith("merge", *paths, "--alpha", f"{{default: 0.5, {row}: 0}}", "-o", f"{row}.safetensors").stderr
    assert f"no tensor is at '{row}'" in said


@pytest.mark.parametrize("place, meant", [("text_encoder", "te1"), ("text_encoder_2", "te2"), ("clip", "te"), ("first_stage_model", "vae"),
                                          ("diffusion_model", "unet"), ("t5", "t5xxl")])
def test_what_people_call_a_place_is_understood(weightsmith, two, place, meant):
    said = weightsmith("merge", *two("sd15"), "--alpha", f"{{default: 0.5, {place}: 0}}", "-o", "out.safetensors", status=2).stderr
    assert f"Write {meant}" in said


def test_strengths_of_adapters_have_the_same_places(weightsmith, tmp_path, bake):
    baker = bake("sdxl")
    support.write(tmp_path / "l.safetensors", {
        "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": np.ones((1, 40), np.float32),
        "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_up.weight": np.ones((160, 1), np.float32)})
    recipe = {"models": {"m": str(baker.base)}, "adapters": {"l": "l.safetensors"},
              "steps": {"out": {"op": "bake", "model": "m", "adapters": [{"use": "l", "strength": {"default": 1, "te3": 0}}]}},
              "output": {"model": "out", "path": "out.safetensors"}}
    support.write_recipe(tmp_path / "r.json", recipe)
    assert "clip_g = te2" in weightsmith("merge", "r.json", status=3).stderr
