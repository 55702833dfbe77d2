"""diffusers and transformers load what `convert` writes, and read our files as `convert` does."""


import inspect

import pytest
import torch
from safetensors.torch import load_file

diffusers = pytest.importorskip("diffusers")
transformers = pytest.importorskip("transformers")

CLASSES = {
    "sd15": {"unet": diffusers.UNet2DConditionModel, "vae": diffusers.AutoencoderKL,
             "text_encoder": transformers.CLIPTextModel},
    "sd21": {"unet": diffusers.UNet2DConditionModel, "vae": diffusers.AutoencoderKL,
             "text_encoder": transformers.CLIPTextModel},
    "sdxl": {"unet": diffusers.UNet2DConditionModel, "vae": diffusers.AutoencoderKL,
             "text_encoder": transformers.CLIPTextModel, "text_encoder_2": transformers.CLIPTextModelWithProjection},
    "sdxl-refiner": {"unet": diffusers.UNet2DConditionModel, "vae": diffusers.AutoencoderKL,
                     "text_encoder_2": transformers.CLIPTextModelWithProjection},
    "sd3": {"transformer": diffusers.SD3Transformer2DModel, "vae": diffusers.AutoencoderKL,
            "text_encoder": transformers.CLIPTextModelWithProjection,
            "text_encoder_2": transformers.CLIPTextModelWithProjection, "text_encoder_3": transformers.T5EncoderModel},
    "sd3.5-medium": {"transformer": diffusers.SD3Transformer2DModel},
    "flux1-dev": {"transformer": diffusers.FluxTransformer2DModel, "vae": diffusers.AutoencoderKL,
                  "text_encoder": transformers.CLIPTextModel, "text_encoder_2": transformers.T5EncoderModel},
    "flux1-schnell": {"transformer": diffusers.FluxTransformer2DModel},
    "chroma": {"transformer": diffusers.ChromaTransformer2DModel},
    "lumina2": {"transformer": diffusers.Lumina2Transformer2DModel, "vae": diffusers.AutoencoderKL},
    "z-image": {"transformer": diffusers.ZImageTransformer2DModel},
    "pixart-sigma": {"transformer": diffusers.PixArtTransformer2DModel, "vae": diffusers.AutoencoderKL,
                     "text_encoder": transformers.T5EncoderModel},
    "pixart-alpha": {"transformer": diffusers.PixArtTransformer2DModel},
    "auraflow": {"transformer": diffusers.AuraFlowTransformer2DModel, "vae": diffusers.AutoencoderKL},
    "qwen-image": {"transformer": diffusers.QwenImageTransformer2DModel},
    "wan-t2v-1.3b": {"transformer": diffusers.WanTransformer3DModel, "text_encoder": transformers.UMT5EncoderModel},
    "wan-t2v-14b": {"transformer": diffusers.WanTransformer3DModel},
    "wan-i2v-14b": {"transformer": diffusers.WanTransformer3DModel},
    "wan-i2v-2.2-14b": {"transformer": diffusers.WanTransformer3DModel},
    "wan-ti2v-5b": {"transformer": diffusers.WanTransformer3DModel},
}
CASES = [(architecture, folder) for architecture, folders in CLASSES.items() for folder in folders]


def inside(name):
    """transformers 5 names the tensors of a bare text model without what stands before them all."""
    return name.removeprefix("text_model.")


def write(weightsmith, tmp_path, architecture):
    weightsmith("synth", architecture, "--scale", "tiny", "--layout", "monolithic", "--seed", "5", "-o", "whole.safetensors")
    weightsmith("convert", "whole.safetensors", "--layout", "diffusers", "-o", "pipeline")
    return tmp_path / "pipeline"


def same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and torch.equal(a, b)


@pytest.mark.parametrize("architecture, folder", CASES)
def test_a_converted_component_loads_whole(weightsmith, monkeypatch, tmp_path, architecture, folder):
    pipeline = write(weightsmith, tmp_path, architecture)
    monkeypatch.setattr(diffusers.WanTransformer3DModel, "_keep_in_fp32_modules", None)  # needs another package
    model, told = CLASSES[architecture][folder].from_pretrained(
        pipeline / folder, torch_dtype="auto" if folder.startswith("text") else None, output_loading_info=True)
    # SD 3's file may lack the projection of its first encoder.
    assert set(told["missing_keys"]) <= ({"text_projection.weight"} if architecture == "sd3" else set())
    assert not told["mismatched_keys"]
    # What the pipeline makes no use of.
    harmless = {"logit_scale", "embeddings.position_ids", "text_projection.weight"}
    unused = {inside(name) for name in told["unexpected_keys"]} - harmless
    if architecture == "sd21":
        unused = {name for name in unused if not name.startswith("encoder.layers.23.")}
    assert not unused
    file = next((pipeline / folder).glob("*.safetensors"))
    ours = {inside(name): tensor for name, tensor in load_file(file).items()}
    loaded = {inside(name): tensor for name, tensor in model.state_dict().items()}
    loaded.pop("encoder.embed_tokens.weight", None)  # shared.weight once more
    for name in told["missing_keys"]:
        loaded.pop(name)
    assert loaded.keys() <= ours.keys()
    for name, tensor in loaded.items():
        assert torch.equal(tensor.to(ours[name].dtype), ours[name]), name


SINGLE = [("sd15", "unet"), ("sd15", "vae"), ("sdxl", "unet"), ("sdxl", "vae"), ("sd3", "transformer"),
          ("sd3.5-medium", "transformer"), ("flux1-dev", "transformer"), ("flux1-dev", "vae"),
          ("flux1-schnell", "transformer"), ("chroma", "transformer"), ("z-image", "transformer"), ("auraflow", "transformer"),
          ("qwen-image", "transformer"), ("wan-t2v-1.3b", "transformer"), ("wan-i2v-14b", "transformer"),
          ("wan-ti2v-5b", "transformer")]


@pytest.fixture
def any_width(monkeypatch):
    """diffusers' converters of transformers with the width of the tiny ones in the place of the full one."""
    module = diffusers.loaders.single_file_utils
    for name, width in [("flux", 32), ("chroma", 32)]:
        function = getattr(module, f"convert_{name}_transformer_checkpoint_to_diffusers")
        source = inspect.getsource(function)
        assert "inner_dim = 3072" in source
        scope = dict(vars(module))
        exec(source.replace("inner_dim = 3072", f"inner_dim = {width}"), scope)
        classes = diffusers.loaders.single_file_model.SINGLE_FILE_LOADABLE_CLASSES
        model = f"{name.capitalize()}Transformer2DModel"
        monkeypatch.setitem(classes[model], "checkpoint_mapping_fn", scope[function.__name__])


@pytest.mark.usefixtures("any_width")
@pytest.mark.parametrize("architecture, folder", SINGLE)
def test_diffusers_converts_the_same_file_to_the_same_tensors(weightsmith, tmp_path, architecture, folder):
    pipeline = write(weightsmith, tmp_path, architecture)
    single = "whole.safetensors"
    if architecture in ("auraflow", "qwen-image"):  # they take the published files alone, without prefix
        weightsmith("split", single, "-o", "parts")
        single = f"parts/{folder}.safetensors"
    theirs = CLASSES[architecture][folder].from_single_file(
        str(tmp_path / single), config=str(pipeline), subfolder=folder, local_files_only=True)
    ours = load_file(pipeline / folder / "diffusion_pytorch_model.safetensors")
    theirs = theirs.state_dict()
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert torch.equal(theirs[name].to(tensor.dtype), tensor), name
    weightsmith("convert", "pipeline", "-o", "again.safetensors")
    again, whole = load_file(tmp_path / "again.safetensors"), load_file(tmp_path / "whole.safetensors")
    assert again.keys() == whole.keys()
    assert all(same(again[name], whole[name]) for name in whole)


@pytest.mark.parametrize("architecture, folder", [("sd15", "unet"), ("sdxl", "unet"), ("sdxl", "vae"), ("flux1-dev", "transformer")])
def test_what_diffusers_saves_converts_back(weightsmith, tmp_path, architecture, folder):
    pipeline = write(weightsmith, tmp_path, architecture)
    model = CLASSES[architecture][folder].from_pretrained(pipeline / folder)
    model.save_pretrained(tmp_path / "saved")
    # bare: the model's own names, whatever the folder is called
    weightsmith("convert", "saved", "-o", "back.safetensors")
    component = {"unet": "unet", "vae": "vae", "transformer": "transformer"}[folder]
    weightsmith("split", "whole.safetensors", "-o", "parts")
    expected = load_file(tmp_path / "parts" / f"{component}.safetensors")
    back = load_file(tmp_path / "back.safetensors")
    assert back.keys() == expected.keys()
    for name, tensor in back.items():
        assert torch.equal(tensor.to(expected[name].dtype), expected[name]), name


ALONE = {
    "vae": diffusers.AutoencoderKL,
    "vae-flux": diffusers.AutoencoderKL,
    "clip_l": transformers.CLIPTextModel,
    "clip_g": transformers.CLIPTextModelWithProjection,
    "t5xxl": transformers.T5EncoderModel,
    "umt5xxl": transformers.UMT5EncoderModel,
    "flux1-dev": diffusers.FluxTransformer2DModel,
    "sdxl": diffusers.UNet2DConditionModel,
}


@pytest.mark.parametrize("name", ALONE)
def test_a_component_alone_loads_from_its_folder(weightsmith, tmp_path, name):
    bare = ["--layout", "bare"] if name in ("flux1-dev", "sdxl") else []
    weightsmith("synth", name, "--scale", "tiny", *bare, "-o", "alone.safetensors")
    weightsmith("convert", "alone.safetensors", "--layout", "diffusers", "-o", "folder")
    model, told = ALONE[name].from_pretrained(tmp_path / "folder", output_loading_info=True)
    assert not told["missing_keys"] and not told["mismatched_keys"]
    assert {inside(key) for key in told["unexpected_keys"]} <= {"logit_scale", "embeddings.position_ids"}
    ours = {inside(key): tensor for key, tensor in load_file(next((tmp_path / "folder").glob("*.safetensors"))).items()}
    for key, tensor in model.state_dict().items():
        if inside(key) != "encoder.embed_tokens.weight":
            assert torch.equal(tensor.to(ours[inside(key)].dtype), ours[inside(key)]), key
