"""A component alone becomes the folder of diffusers or transformers that its class loads."""

import json

import numpy as np
import pytest

import support

ALONE = {
    "vae": ("diffusion_pytorch_model.safetensors", "AutoencoderKL"),
    "vae-flux": ("diffusion_pytorch_model.safetensors", "AutoencoderKL"),
    "clip_l": ("model.safetensors", "CLIPTextModel"),
    "clip_g": ("model.safetensors", "CLIPTextModelWithProjection"),
    "t5xxl": ("model.safetensors", "T5EncoderModel"),
    "umt5xxl": ("model.safetensors", "UMT5EncoderModel"),
    "flux1-dev": ("diffusion_pytorch_model.safetensors", "FluxTransformer2DModel"),
    "sdxl": ("diffusion_pytorch_model.safetensors", "UNet2DConditionModel"),
}


@pytest.mark.parametrize("name", support.sampled(ALONE, 4))
def test_a_component_alone_is_a_folder_and_comes_back(weightsmith, tmp_path, tiny, name):
    layout = ["--layout", "bare"] if name in ("flux1-dev", "sdxl") else []
    source = tiny(name, 1, *layout)
    weightsmith("convert", source, "--layout", "diffusers", "-o", "folder")
    weights, class_name = ALONE[name]
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == sorted(["config.json", weights])
    config = json.loads((tmp_path / "folder/config.json").read_text())
    assert class_name in (config.get("_class_name"), *config.get("architectures", []))
    weightsmith("convert", "folder", "--layout", "diffusers", "-o", "again")
    first, second = (support.read(tmp_path / f / weights).tensors for f in ("folder", "again"))
    assert first.keys() == second.keys()
    for key in first:
        support.assert_same_bits(second[key], first[key], key)


def test_a_merge_of_vaes_is_written_so_too(weightsmith, tmp_path, tiny):
    recipe = {"models": {"a": str(tiny("vae-flux", 1)), "b": str(tiny("vae-flux", 2))},
              "steps": {"m": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5}},
              "output": {"model": "m", "path": "folder", "layout": "diffusers"}}
    support.write_recipe(tmp_path / "r.json", recipe)
    weightsmith("merge", "r.json")
    assert json.loads((tmp_path / "folder/config.json").read_text())["scaling_factor"] == 0.3611
    assert (tmp_path / "folder/diffusion_pytorch_model.safetensors").exists()


def test_the_factor_that_no_tensor_has_is_named(weightsmith, tmp_path, tiny):
    assert "0.13025" in weightsmith("convert", tiny("vae"), "--layout", "diffusers", "-o", "z4").stderr
    assert json.loads((tmp_path / "z4/config.json").read_text())["scaling_factor"] == 0.18215


def test_pixart_has_the_keys_of_diffusers_and_no_other(weightsmith, tmp_path, tiny):
    source = tiny("pixart-sigma", 1, "--layout", "monolithic")
    said = weightsmith("convert", source, "--layout", "diffusers", "-o", "folder").stderr
    assert "y_embedder.y_embedding" in said
    keys = support.read(tmp_path / "folder/transformer/diffusion_pytorch_model.safetensors").tensors.keys()
    assert not [key for key in keys if key.startswith("y_embedder")]
    # The same from a merge, in one pass.
    recipe = {"models": {"a": str(source), "b": str(tiny("pixart-sigma", 2, "--layout", "monolithic"))},
              "steps": {"m": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5}},
              "output": {"model": "m", "path": "merged", "layout": "diffusers"}}
    support.write_recipe(tmp_path / "r.json", recipe)
    weightsmith("merge", "r.json")
    assert support.read(tmp_path / "merged/transformer/diffusion_pytorch_model.safetensors").tensors.keys() == keys
    a, b = (support.read(tiny("pixart-sigma", seed, "--layout", "monolithic")).tensors for seed in (1, 2))
    name = "model.diffusion_model.x_embedder.proj.bias"
    mixed = support.read(tmp_path / "merged/transformer/diffusion_pytorch_model.safetensors").tensors["pos_embed.proj.bias"]
    expected = (np.float32(0.5) * a[name].astype(np.float32) + np.float32(0.5) * b[name].astype(np.float32)).astype(a[name].dtype)
    support.assert_same_bits(mixed, expected)
