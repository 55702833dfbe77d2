"""split, assemble and convert: what the parts hold, and that together they are the whole again."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import support
import torch_files as tf
from test_diffusers import open_clip, sd15_folder, under

PREFIXES = {
    "sd15": {"unet": "model.diffusion_model.", "clip_l": "cond_stage_model.transformer.", "vae": "first_stage_model."},
    "sdxl": {"unet": "model.diffusion_model.", "clip_l": "conditioner.embedders.0.transformer.",
             "clip_g": "conditioner.embedders.1.model.", "vae": "first_stage_model."},
    "flux1-dev": {"transformer": "model.diffusion_model.", "clip_l": "text_encoders.clip_l.transformer.",
                  "t5xxl": "text_encoders.t5xxl.transformer.", "vae": "vae."},
    "sd3": {"transformer": "model.diffusion_model.", "clip_l": "text_encoders.clip_l.transformer.",
            "clip_g": "text_encoders.clip_g.transformer.", "t5xxl": "text_encoders.t5xxl.transformer.",
            "vae": "first_stage_model."},
}
LIKE = {"sd15": "sd1", "flux1-dev": "flux1"}


@pytest.fixture
def whole(weightsmith, tmp_path):
    def make(architecture):
        path = tmp_path / "whole.safetensors"
        weightsmith("synth", architecture, "--scale", "tiny", "--layout", "monolithic", "--seed", "3", "--force", "-o", path)
        return support.read(path).tensors
    return make


@pytest.mark.parametrize("architecture", PREFIXES)
def test_parts_are_named_as_loaders_take_them(weightsmith, whole, tmp_path, architecture):
    tensors = whole(architecture)
    weightsmith("split", "whole.safetensors", "-o", "parts")
    assert {p.stem for p in (tmp_path / "parts").iterdir()} == set(PREFIXES[architecture])
    for name, prefix in PREFIXES[architecture].items():
        expected = under(tensors, prefix)
        if architecture == "sdxl" and name == "clip_g":
            expected = open_clip(expected) | {"logit_scale": expected["logit_scale"]}
        part = support.read(tmp_path / "parts" / f"{name}.safetensors").tensors
        assert part.keys() == expected.keys(), name
        for key, array in part.items():
            assert array.shape == expected[key].shape and array.tobytes() == np.ascontiguousarray(expected[key]).tobytes(), key


@pytest.mark.parametrize("architecture", PREFIXES)
def test_split_then_assemble_is_the_whole_again(weightsmith, whole, tmp_path, architecture):
    tensors = whole(architecture)
    weightsmith("split", "whole.safetensors", "-o", "parts")
    parts = [f for name in PREFIXES[architecture]
             for f in (f"--{name.replace('_', '-')}", f"parts/{name}.safetensors")]
    weightsmith("assemble", "--like", LIKE.get(architecture, architecture), *parts, "-o", "again.safetensors")
    again = support.read(tmp_path / "again.safetensors").tensors
    assert again.keys() == tensors.keys()
    for name, array in again.items():
        assert array.shape == tensors[name].shape and array.tobytes() == tensors[name].tobytes(), name


def test_what_belongs_to_no_component(weightsmith, tiny, tmp_path):
    tensors = load_file(tiny("sd15"))
    extra = {"betas": np.ones(1000, np.float32), "my.notes": np.ones(3, np.float32),
             "model_ema.diffusion_modelout2bias": np.ones(4, np.float16)}
    save_file(tensors | extra, tmp_path / "m.safetensors")
    weightsmith("split", "m.safetensors", "-o", "parts")
    other = load_file(tmp_path / "parts" / "other.safetensors")
    assert other.keys() == {"betas", "my.notes"}
    assert load_file(tmp_path / "parts" / "ema.safetensors").keys() == {"model_ema.diffusion_modelout2bias"}
    weightsmith("assemble", "--like", "sd1", "--unet", "parts/unet.safetensors", "--te1", "parts/clip_l.safetensors",
                "--vae", "parts/vae.safetensors", "--other", "parts/other.safetensors", "--ema", "parts/ema.safetensors",
                "-o", "again.safetensors")
    again = load_file(tmp_path / "again.safetensors")
    assert again.keys() == (tensors | extra).keys()
    assert all(again[k].tobytes() == v.tobytes() for k, v in (tensors | extra).items())
    weightsmith("convert", "m.safetensors", "--prune", "-o", "pruned.safetensors")
    assert load_file(tmp_path / "pruned.safetensors").keys() == tensors.keys()


def test_another_vae_by_assembling(weightsmith, tiny, tmp_path):
    for seed in (1, 2):
        weightsmith("split", tiny("sd15", seed), "-o", f"p{seed}")
    weightsmith("assemble", "--like", "sd1", "--unet", "p1/unet.safetensors", "--clip-l", "p1/clip_l.safetensors",
                "--vae", "p2/vae.safetensors", "-o", "out.safetensors")
    out, one, two = load_file(tmp_path / "out.safetensors"), load_file(tiny("sd15", 1)), load_file(tiny("sd15", 2))
    assert all(v.tobytes() == (two if k.startswith("first_stage_model.") else one)[k].tobytes() for k, v in out.items())


def test_wrong_parts_are_refused(weightsmith, tiny, tmp_path):
    weightsmith("split", tiny("sd15"), "-o", "p")
    weightsmith("split", tiny("sdxl"), "-o", "x")
    def refused(*arguments, status=3):
        return weightsmith("assemble", *arguments, "-o", "out.safetensors", status=status).stderr
    assert "no complete unet" in refused("--like", "sd1", "--unet", "x/unet.safetensors")
    assert "no complete vae" in refused("--like", "sd1", "--unet", "p/unet.safetensors", "--vae", "p/clip_l.safetensors")
    assert "Did you mean 'sdxl'?" in refused("--like", "sdlx", "--unet", "x/unet.safetensors", status=2)
    assert "has no t5xxl" in refused("--like", "sd1", "--t5xxl", "x/unet.safetensors", status=2)
    assert "no part" in refused("--like", "sd1", status=2)
    broken = load_file(tmp_path / "p" / "vae.safetensors")
    broken.pop("decoder.conv_in.weight")
    save_file(broken, tmp_path / "broken.safetensors")
    assert "no complete vae" in refused("--like", "sd1", "--vae", "broken.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
    assert "no components that are known" in weightsmith("split", "p/vae.safetensors", status=3).stderr
    assert "exists" in weightsmith("split", tiny("sd15"), "-o", "p", status=2).stderr


def test_convert(weightsmith, tiny, tmp_path):
    tensors = load_file(tiny("sd15"))
    sd15_folder(tiny, 1, tmp_path / "pipe")
    weightsmith("convert", "pipe", "-o", "from_folder.safetensors")
    out = load_file(tmp_path / "from_folder.safetensors")
    assert out.keys() == tensors.keys() and all(out[k].tobytes() == v.tobytes() for k, v in tensors.items())

    w = np.arange(24, dtype=np.float32)
    (tmp_path / "m.ckpt").write_bytes(tf.saved({"state_dict": {"w": tf.tensor("0", (6, 4), (1, 6), numel=24)}}, {"0": w.tobytes()}))
    weightsmith("convert", "m.ckpt", "-o", "from_ckpt.safetensors")
    assert load_file(tmp_path / "from_ckpt.safetensors")["w"].tolist() == w.reshape(4, 6).T.tolist()

    weightsmith("convert", tiny("sd15"), "--dtype", "bf16", "--components", "unet,vae", "-o", "small.safetensors")
    small = support.read(tmp_path / "small.safetensors").tensors
    assert {k.split(".")[0] for k in small} == {"model", "first_stage_model"}
    assert all(str(v.dtype) == "bfloat16" for v in small.values())
    assert "no component 'uent'" in weightsmith("convert", tiny("sd15"), "--components", "uent", "-o", "x.safetensors", status=3).stderr
