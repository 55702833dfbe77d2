"""Language models of Llama's form: told by their tensors and by config.json, merged by their blocks."""

import json
import re

import numpy as np
import pytest

import support
from baker import ALL, pair_for
from oracle import Arithmetic


def synth(weightsmith, name, path, *more):
    weightsmith("synth", name, "--scale", "tiny", "--dtype", "f32", *more, "-o", path)


def told(weightsmith, path):
    return json.loads(weightsmith("info", path, "--json").stdout)


@pytest.mark.parametrize("model_type, architecture", [
    ("mistral", "mistral"), ("llama", "llama"), (None, "llama"),
    ("gemma2", "llama"),  # whose tensors these are not
    ("phi3", "llama"),
])
def test_config_json_decides_between_equal_tensors(weightsmith, tmp_path, model_type, architecture):
    (tmp_path / "model").mkdir()
    synth(weightsmith, "llama", "model/model.safetensors")
    if model_type:
        (tmp_path / "model/config.json").write_text(json.dumps({"model_type": model_type}))
    assert told(weightsmith, "model")["architecture"] == architecture
    assert told(weightsmith, "model/model.safetensors")["architecture"] == architecture


@pytest.mark.parametrize("config", ["", "[]", "{", '{"model_type": 3}', '{"model_type": ["llama"]}', "\xff"])
def test_a_config_json_that_says_nothing_is_no_error(weightsmith, tmp_path, config):
    (tmp_path / "config.json").write_text(config, encoding="latin-1")
    synth(weightsmith, "qwen3", "model.safetensors")
    assert told(weightsmith, "model.safetensors")["architecture"] == "qwen3"


def test_layers_have_weights_of_their_own(weightsmith, tmp_path):
    synth(weightsmith, "qwen2", "a.safetensors", "--seed", "1")
    synth(weightsmith, "qwen2", "b.safetensors", "--seed", "2")
    (tmp_path / "recipe.yaml").write_text("""
weightsmith: 1
models: {a: a.safetensors, b: b.safetensors}
steps:
  mix: {op: weighted_sum, a: a, b: b, alpha: {default: 0, layer.0-13: 0.25, layer.27: 1, head: 0.5}}
output: {model: mix, path: out.safetensors}
""")
    weightsmith("merge", "recipe.yaml")
    a, b, out = (support.read(tmp_path / f"{name}.safetensors").tensors for name in ("a", "b", "out"))
    for name, tensor in out.items():
        layer = int(name.split(".")[2]) if ".layers." in name else None
        alpha = 0.25 if layer is not None and layer < 14 else 1 if layer == 27 else 0.5 if "lm_head" in name else 0
        expected = a[name] if alpha == 0 else b[name] if alpha == 1 else Arithmetic().weighted_sum(a[name], b[name], alpha)
        support.assert_same_bits(tensor, expected, name)


def test_equal_tensors_under_two_names_merge(weightsmith, tmp_path):
    for name in ("llama", "mistral"):
        (tmp_path / name).mkdir()
        synth(weightsmith, "llama", f"{name}/model.safetensors", "--seed", str(len(name)))
        (tmp_path / name / "config.json").write_text(json.dumps({"model_type": name}))
    weightsmith("merge", "llama", "mistral", "--alpha", "0.5", "-o", "out.safetensors")
    assert told(weightsmith, "out.safetensors")["components"]["transformer"]["complete"]


def test_a_head_that_one_of_two_lacks_is_told(weightsmith, tmp_path):
    synth(weightsmith, "llama", "a.safetensors", "--seed", "1")
    tensors = dict(support.read(tmp_path / "a.safetensors").tensors)
    del tensors["lm_head.weight"]
    support.write(tmp_path / "b.safetensors", tensors)
    assert told(weightsmith, "b.safetensors")["components"]["transformer"]["complete"]  # tied
    result = weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", "0.5", "-o", "out.safetensors", status=3)
    assert "lm_head.weight" in result.stderr


PEFT = ("lora_A.weight", "lora_B.weight")


@pytest.mark.parametrize("architecture", ["llama", "qwen3", "gemma2"])
@pytest.mark.parametrize("beginning", ["base_model.model.model.", "base_model.model.", "model."])
def test_an_adapter_is_baked(bake, architecture, beginning):
    baker = bake(architecture)
    lora, changes = {}, {}
    for number, module in enumerate(["self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj"]):
        name = f"model.layers.{number}.{module}.weight"
        stem = f"{beginning}layers.{number}.{module}"
        lora |= pair_for(stem, *baker.before[name].shape, seed=number, ends=PEFT)
        changes[name] = (ALL, 0.5 * lora[f"{stem}.{PEFT[1]}"] @ lora[f"{stem}.{PEFT[0]}"])
    baker.expect(baker(lora, strength=":0.5"), changes)


def test_an_adapter_has_strengths_by_layer(bake):
    baker = bake("llama")
    names = [f"model.layers.{number}.self_attn.q_proj" for number in (0, 1, 31)]
    lora = {}
    for number, name in enumerate(names):
        lora |= pair_for(f"base_model.model.{name}", *baker.before[f"{name}.weight"].shape, seed=number, ends=PEFT)
    out = baker(lora, "--lora-blocks", "0,layer.1=0.5,layer.31=2")
    changes = {f"{name}.weight": (ALL, strength * lora[f"base_model.model.{name}.{PEFT[1]}"] @ lora[f"base_model.model.{name}.{PEFT[0]}"])
               for name, strength in zip(names[1:], (0.5, 2))}
    baker.expect(out, changes)


DIFFUSION = re.compile(r"\b(diffusion|diffusers|unet|vaes?)\b", re.IGNORECASE)


@pytest.fixture
def pair(weightsmith, tmp_path):
    for seed in (1, 2):
        synth(weightsmith, "llama", f"{'ab'[seed - 1]}.safetensors", "--seed", str(seed))
    (tmp_path / "one.safetensors").touch()
    support.write(tmp_path / "one.safetensors", {"other.weight": np.ones((2, 2), np.float32)})
    query = "base_model.model.model.layers.0.self_attn.q_proj"
    shape = support.read(tmp_path / "a.safetensors").tensors["model.layers.0.self_attn.q_proj.weight"].shape
    adapters = {"fits": pair_for(query, *shape, ends=PEFT), "wide": pair_for(query, 64, 9, ends=PEFT),
                "lost": pair_for(query.replace("layers.0", "layers.99"), *shape, ends=PEFT)}
    for name, tensors in adapters.items():
        support.write(tmp_path / f"{name}.safetensors", tensors)


MIX = "{op: weighted_sum, a: a, b: b, alpha: %s}"
BAKE = ["bake", "a.safetensors", "-o", "out.safetensors", "--lora"]


@pytest.mark.parametrize("arguments, status", support.sampled([
    (["info", "a.safetensors"], 0),
    (["info", "a.safetensors", "--json"], 0),
    (["blocks", "a.safetensors"], 0),
    (["plan", "a.safetensors", "b.safetensors", "--alpha", "0.5"], 0),
    (["merge", "a.safetensors", "b.safetensors", "--alpha", "0.5", "-o", "out.safetensors"], 0),
    (["merge", "a.safetensors", "one.safetensors", "--alpha", "0.5", "-o", "out.safetensors"], 3),
    (["convert", "a.safetensors", "--layout", "ldm", "-o", "out.safetensors"], 3),
    (["convert", "a.safetensors", "--layout", "bfl", "-o", "out.safetensors"], 3),
    (["convert", "a.safetensors", "--components", "clip_l", "-o", "out.safetensors"], 3),
    (["split", "a.safetensors", "-o", "parts"], 0),
    (["lora", "info", "fits.safetensors"], 0),
    ([*BAKE, "fits.safetensors"], 0),
    ([*BAKE, "fits.safetensors", "--dry-run", "--verbose"], 0),
    ([*BAKE, "fits.safetensors:0"], 0),
    ([*BAKE, "fits.safetensors:0.5:0.2"], 3),
    ([*BAKE, "fits.safetensors", "--lora-blocks", ",".join(["1"] * 17)], 3),
    ([*BAKE, "fits.safetensors", "--lora-blocks", "1,layer.99=0.5"], 3),
    ([*BAKE, "wide.safetensors"], 3),
    ([*BAKE, "lost.safetensors"], 3),
    ([*BAKE, "lost.safetensors", "--allow-unmatched", ".*"], 3),
    ([*BAKE, "b.safetensors"], 4),
], 4))
def test_no_word_of_diffusion_is_said_of_a_language_model(weightsmith, pair, arguments, status):
    result = weightsmith(*arguments, status=status)
    assert not DIFFUSION.search(result.stdout + result.stderr)


@pytest.mark.parametrize("steps, status", [
    ("mix: " + MIX % "{default: 0}", 0),
    ("mix: " + MIX % "{layer.0: 0.5}", 3),
    ("mix: " + MIX % "{default: 0, layer.99: 0.5}", 3),
    ("mix: " + MIX % f"[{', '.join(['0.5'] * 26)}]", 3),
    ("mix: " + MIX % "{default: 0, vae: 0.5}", 3),
    ("mix: {op: add_difference, a: a, b: b, c: one, alpha: 1}", 3),
])
def test_no_word_of_diffusion_is_said_of_its_recipe(weightsmith, pair, tmp_path, steps, status):
    (tmp_path / "recipe.yaml").write_text(f"""
weightsmith: 1
models: {{a: a.safetensors, b: b.safetensors, one: one.safetensors}}
steps: {{{steps}}}
output: {{model: mix, path: out.safetensors}}
""")
    result = weightsmith("merge", "recipe.yaml", status=status)
    quoted = re.compile(r"^.* \| .*$|'vae'", re.MULTILINE)  # what the recipe itself says
    assert not DIFFUSION.search(quoted.sub("", result.stdout + result.stderr))


def test_a_model_that_enters_nothing_has_no_effect(weightsmith, pair, tmp_path):
    (tmp_path / "recipe.yaml").write_text("""
weightsmith: 1
models: {a: a.safetensors, b: b.safetensors}
steps: {same: {op: copy, a: a}}
output: {model: same, path: out.safetensors, components: {transformer: b}}
""")
    said = weightsmith("merge", "recipe.yaml", status=8).stderr
    tensors = len(support.read(tmp_path / "a.safetensors").tensors)
    assert f"model 'a' has no effect: {tensors} of its {tensors} tensors are in the result, and none enters it" in said
    assert "policy: {effect: any}" in said
    assert not DIFFUSION.search(said)
    assert not (tmp_path / "out.safetensors").exists()


def test_two_models_of_the_same_bytes_have_no_effect(weightsmith, pair):
    said = weightsmith("merge", "a.safetensors", "a.safetensors", "--alpha", "0.5", "-o", "out.safetensors", status=8).stderr
    assert "changes no element" in said
    assert not DIFFUSION.search(said)


def test_the_layout_of_diffusers_is_none_of_a_language_model(weightsmith, pair):
    refused = weightsmith("convert", "a.safetensors", "--layout", "diffusers", "-o", "out", status=3)
    assert "Llama has no layout 'diffusers'" in refused.stderr
    assert "It has hf." in refused.stderr
