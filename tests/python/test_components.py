"""split, assemble and convert: what the parts hold, and that together they are the whole again."""

import json

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
    "wan-t2v-1.3b": {"transformer": "model.diffusion_model.", "umt5xxl": "text_encoders.umt5xxl.transformer."},
}
LIKE = {"sd15": "sd1", "flux1-dev": "flux1", "wan-t2v-1.3b": "wan"}


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


@pytest.mark.parametrize("architecture", support.chosen(PREFIXES, "sd15", "flux1-dev"))
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


def test_every_component_of_every_architecture_has_a_flag(weightsmith):
    page = weightsmith("assemble", "--help").stdout
    for architecture in json.loads(weightsmith("architectures", "--json").stdout):
        for variant in architecture["variants"]:
            for component in variant["components"]:
                assert f"--{component.replace('_', '-')} " in page, (architecture["id"], component)


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
    assert "not a complete unet" in refused("--like", "sd1", "--unet", "x/unet.safetensors")
    assert "not a complete vae" in refused("--like", "sd1", "--unet", "p/unet.safetensors", "--vae", "p/clip_l.safetensors")
    assert "Did you mean 'sdxl'?" in refused("--like", "sdlx", "--unet", "x/unet.safetensors", status=2)
    assert "has no t5xxl" in refused("--like", "sd1", "--t5xxl", "x/unet.safetensors", status=2)
    assert "no part" in refused("--like", "sd1", status=2)
    broken = load_file(tmp_path / "p" / "vae.safetensors")
    broken.pop("decoder.conv_in.weight")
    save_file(broken, tmp_path / "broken.safetensors")
    assert "not a complete vae" in refused("--like", "sd1", "--vae", "broken.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
    assert "has no known components" in weightsmith("split", "p/vae.safetensors", status=3).stderr
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


DIFFUSERS = {"sd15": {"unet", "text_encoder", "vae"}, "sd21": {"unet", "text_encoder", "vae"},
             "sdxl": {"unet", "text_encoder", "text_encoder_2", "vae"}, "sdxl-refiner": {"unet", "text_encoder_2", "vae"},
             "sd3": {"transformer", "text_encoder", "text_encoder_2", "text_encoder_3", "vae"},
             "sd3.5-medium": {"transformer", "text_encoder", "text_encoder_2", "text_encoder_3", "vae"},
             "sd3.5-large": {"transformer", "text_encoder", "text_encoder_2", "text_encoder_3", "vae"},
             "flux1-dev": {"transformer", "text_encoder", "text_encoder_2", "vae"},
             "pixart-sigma": {"transformer", "text_encoder", "vae"}, "pixart-alpha": {"transformer", "text_encoder", "vae"},
             "lumina2": {"transformer", "vae"}, "auraflow": {"transformer", "vae"}, "qwen-image": {"transformer"}, "wan-t2v-1.3b": {"transformer", "text_encoder"},
             "wan-i2v-14b": {"transformer", "text_encoder"}, "wan-ti2v-5b": {"transformer", "text_encoder"}}


@pytest.mark.parametrize("architecture", support.sampled(DIFFUSERS, 6))
def test_a_pipeline_and_back_is_the_same_bit_for_bit(weightsmith, whole, tmp_path, architecture):
    # Of the empty caption, which diffusers has no tensor for.
    tensors = {name: array for name, array in whole(architecture).items() if not name.endswith("y_embedder.y_embedding")}
    weightsmith("convert", "whole.safetensors", "--layout", "diffusers", "-o", "pipeline")
    folders = {p.name for p in (tmp_path / "pipeline").iterdir() if p.is_dir()}
    assert folders == DIFFUSERS[architecture] | {"scheduler"}
    index = json.loads((tmp_path / "pipeline" / "model_index.json").read_text())
    assert DIFFUSERS[architecture] <= index.keys()
    for folder in DIFFUSERS[architecture]:
        config = json.loads((tmp_path / "pipeline" / folder / "config.json").read_text())
        assert index[folder][1] in (config.get("_class_name"), *config.get("architectures", []))
    weightsmith("convert", "pipeline", "-o", "again.safetensors")
    again = support.read(tmp_path / "again.safetensors").tensors
    assert again.keys() == tensors.keys()
    for name, array in again.items():
        assert array.shape == tensors[name].shape and array.tobytes() == tensors[name].tobytes(), name
    # and the view of a pipeline is cut anew for a pipeline
    weightsmith("convert", "pipeline", "--layout", "diffusers", "-o", "second")
    for file in (tmp_path / "pipeline").rglob("*.safetensors"):
        first = support.read(file).tensors
        second = support.read(tmp_path / "second" / file.relative_to(tmp_path / "pipeline")).tensors
        assert first.keys() == second.keys()
        assert all(first[name].tobytes() == second[name].tobytes() for name in first), file


def test_what_belongs_to_no_component_comes_back(weightsmith, whole, tmp_path):
    tensors = dict(whole("sd15"))
    tensors["model_ema.decay"] = np.array(0.9999, np.float32)
    tensors["alphas_cumprod"] = np.linspace(0, 1, 1000, dtype=np.float32)
    save_file(tensors, tmp_path / "odd.safetensors")
    weightsmith("convert", "odd.safetensors", "--layout", "diffusers", "-o", "pipeline")
    weightsmith("convert", "pipeline", "-o", "again.safetensors")
    again = support.read(tmp_path / "again.safetensors").tensors
    assert again.keys() == tensors.keys()
    assert again["alphas_cumprod"].tobytes() == tensors["alphas_cumprod"].tobytes()
    weightsmith("convert", "odd.safetensors", "--layout", "diffusers", "--prune", "-o", "pruned")
    assert not list((tmp_path / "pruned").glob("*.safetensors"))


def test_tokenizers_come_from_a_pipeline(weightsmith, whole, tmp_path):
    whole("sd15")
    base = tmp_path / "base"
    (base / "tokenizer").mkdir(parents=True)
    (base / "tokenizer" / "vocab.json").write_text("{}")
    (base / "scheduler").mkdir()
    (base / "scheduler" / "scheduler_config.json").write_text('{"mine": 1}')
    (base / "unet").mkdir()
    (base / "unet" / "diffusion_pytorch_model.bin").write_text("weights stay where they are")
    weightsmith("convert", "whole.safetensors", "--layout", "diffusers", "--files-from", base, "-o", "pipeline")
    assert (tmp_path / "pipeline" / "tokenizer" / "vocab.json").read_text() == "{}"
    assert json.loads((tmp_path / "pipeline" / "scheduler" / "scheduler_config.json").read_text()) == {"mine": 1}
    assert not (tmp_path / "pipeline" / "unet" / "diffusion_pytorch_model.bin").exists()
    assert (tmp_path / "pipeline" / "unet" / "config.json").exists()


def test_one_component_is_one_file(weightsmith, whole, tmp_path):
    tensors = whole("flux1-dev")
    weightsmith("convert", "whole.safetensors", "--layout", "bfl", "--components", "transformer", "-o", "bfl.safetensors")
    assert support.read(tmp_path / "bfl.safetensors").tensors.keys() == under(tensors, "model.diffusion_model.").keys()
    weightsmith("convert", "bfl.safetensors", "--layout", "diffusers", "-o", "d.safetensors")
    assert "transformer_blocks.0.attn.to_q.weight" in support.read(tmp_path / "d.safetensors").tensors
    weightsmith("convert", "d.safetensors", "--layout", "comfy", "-o", "comfy.safetensors")
    comfy = support.read(tmp_path / "comfy.safetensors").tensors
    assert all(comfy[n].tobytes() == tensors[n].tobytes() for n in comfy) and len(comfy) == len(under(tensors, "model.diffusion_model."))


@pytest.mark.parametrize("arguments, status, said", [
    (["--layout", "diffuser", "-o", "x"], 2, "Did you mean 'diffusers'?"),
    (["--layout", "bfl", "-o", "x.safetensors"], 3, "a file holds one component, and this one would hold"),
    (["--layout", "ldm", "-o", "x.safetensors"], 3, "FLUX.1 has no layout 'ldm'"),
    (["--layout", "diffusers", "-o", "x.safetensors"], 3, "Write to a folder"),
])
def test_layouts_that_do_not_fit_are_refused(weightsmith, whole, tmp_path, arguments, status, said):
    whole("flux1-dev")
    result = weightsmith("convert", "whole.safetensors", *arguments, status=status)
    assert said in result.stderr
    assert not (tmp_path / arguments[-1]).exists()


IDS = "cond_stage_model.transformer.text_model.embeddings.position_ids"


@pytest.mark.parametrize("damaged, said", [
    (np.minimum(np.arange(77, dtype=np.int64), 75)[None], "has 75 at place 76"),
    ((np.arange(77) * np.float32(0.99997))[None].astype(np.float32), "is stored as F32, not as I64"),
    ((np.arange(77) * np.float32(0.99997))[None].astype(np.float32), "has 0.99997"),
    (np.arange(77)[None].astype(np.float16), "is stored as F16, not as I64"),
])
def test_damaged_position_ids_are_told_and_repaired(weightsmith, whole, tmp_path, damaged, said):
    tensors = dict(whole("sd15")) | {IDS: damaged}
    save_file(tensors, tmp_path / "damaged.safetensors")
    damage = json.loads(weightsmith("info", "damaged.safetensors", "--json").stdout)["damage"]
    assert any(said in line for line in damage), damage
    weightsmith("convert", "damaged.safetensors", "--fix", "-o", "fixed.safetensors")
    fixed = support.read(tmp_path / "fixed.safetensors").tensors
    assert fixed[IDS].dtype == np.int64 and fixed[IDS].tolist() == [list(range(77))]
    assert all(fixed[name].tobytes() == array.tobytes() for name, array in tensors.items() if name != IDS)
    assert json.loads(weightsmith("info", "fixed.safetensors", "--json").stdout)["damage"] == []


def test_nothing_to_repair_is_no_error(weightsmith, whole, tmp_path):
    tensors = whole("sdxl")
    assert "there is no damage to repair" in weightsmith("convert", "whole.safetensors", "--fix", "-o", "fixed.safetensors").stderr
    fixed = support.read(tmp_path / "fixed.safetensors").tensors
    assert all(fixed[name].tobytes() == array.tobytes() for name, array in tensors.items())


def told(weightsmith, file):
    return json.loads(weightsmith("info", file, "--json").stdout)["distilled"]


@pytest.mark.parametrize("metadata, kind", [
    ({"modelspec.title": "SDXL Turbo"}, "turbo"),
    ({"modelspec.architecture": "stable-diffusion-xl-v1-base", "modelspec.title": "Fast_Lightning-4step"}, "lightning"),
    ({"modelspec.title": "Turbocharged colours"}, None),
    ({"comment": "turbo"}, None),
])
def test_distilled_models_are_told_by_their_metadata(weightsmith, whole, tmp_path, metadata, kind):
    support.write(tmp_path / "m.safetensors", whole("sdxl"), metadata)
    distilled = told(weightsmith, "m.safetensors")
    assert distilled is None if kind is None else distilled == {"kind": kind, "by": "modelspec.title"}


def test_distilled_models_are_told_by_their_tensors(weightsmith, whole, tmp_path):
    tensors = dict(whole("sd15"))
    tensors["model.diffusion_model.time_embed.cond_proj.weight"] = np.ones((tensors["model.diffusion_model.time_embed.0.weight"].shape[1], 256), np.float16)
    support.write(tmp_path / "lcm.safetensors", tensors)
    assert told(weightsmith, "lcm.safetensors")["kind"] == "lcm" and told(weightsmith, "whole.safetensors") is None
    weightsmith("convert", "lcm.safetensors", "--layout", "diffusers", "-o", "pipeline")
    assert json.loads((tmp_path / "pipeline/unet/config.json").read_text())["time_cond_proj_dim"] == 256
    weightsmith("convert", "pipeline", "-o", "again.safetensors")
    assert support.read(tmp_path / "again.safetensors").tensors.keys() == tensors.keys()
    weightsmith("synth", "flux1-schnell", "--scale", "tiny", "-o", "schnell.safetensors")
    assert told(weightsmith, "schnell.safetensors")["kind"] == "schnell"
