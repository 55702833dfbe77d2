"""LoRAs in the namings that diffusers writes and reads, baked as its fuse_lora does."""

import inspect

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from test_diffusers import CLASSES, write

diffusers = pytest.importorskip("diffusers")
from diffusers.utils import convert_state_dict_to_kohya  # noqa: E402

UNET = ["to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2", "conv1", "conv2",
        "conv_shortcut", "time_emb_proj", "conv_in", "conv_out", "linear_1", "linear_2", "downsamplers.0.conv", "upsamplers.0.conv"]
FLUX = ["to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out", "ff.net.0.proj", "ff.net.2",
        "ff_context.net.0.proj", "ff_context.net.2", "norm1.linear", "norm1_context.linear", "norm.linear", "proj_mlp", "proj_out",
        "x_embedder", "context_embedder", "linear_1", "linear_2", "norm_out.linear"]
SD3 = ["to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out", "ff.net.0.proj", "ff.net.2",
       "norm1.linear", "norm1_context.linear", "norm_out.linear", "proj_out", "context_embedder", "pos_embed.proj"]
TEXT = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]
T5 = ["q", "k", "v", "o", "wi_0", "wi_1", "wo"]
ALL = ["to_q", "to_k", "to_v", "to_out.0"]
CASES = [  # architecture, folder, modules, the pipeline that saves its adapters
    ("sd15", "unet", UNET, diffusers.StableDiffusionPipeline),
    ("sd15", "text_encoder", TEXT, diffusers.StableDiffusionPipeline),
    ("sd21", "unet", UNET, diffusers.StableDiffusionPipeline),
    ("sd21", "text_encoder", TEXT, diffusers.StableDiffusionPipeline),
    ("sdxl", "unet", UNET, diffusers.StableDiffusionXLPipeline),
    ("sdxl", "text_encoder", TEXT, diffusers.StableDiffusionXLPipeline),
    ("sdxl", "text_encoder_2", [*TEXT, "text_projection"], diffusers.StableDiffusionXLPipeline),
    ("flux1-dev", "transformer", FLUX, diffusers.FluxPipeline),
    ("flux1-dev", "text_encoder", TEXT, diffusers.FluxPipeline),
    ("sd3", "transformer", SD3, diffusers.StableDiffusion3Pipeline),
    ("sd3.5-medium", "transformer", SD3, diffusers.StableDiffusion3Pipeline),
    ("chroma", "transformer", FLUX[:12] + ["proj_mlp", "proj_out"], diffusers.ChromaPipeline),
    ("z-image", "transformer", [*ALL, "w1", "w2", "w3"], diffusers.ZImagePipeline),
    ("qwen-image", "transformer", [*ALL, "add_q_proj", "to_add_out", "net.2", "img_mod.1"], diffusers.QwenImagePipeline),
    ("auraflow", "transformer", [*ALL, "linear_1", "out_projection"], diffusers.AuraFlowPipeline),
    ("wan-t2v-1.3b", "transformer", [*ALL, "net.0.proj", "net.2", "proj_out"], diffusers.WanPipeline),
]


def adapted(pipeline, architecture, folder, modules):
    """A component with a random adapter."""
    torch.manual_seed(5)
    model = CLASSES[architecture][folder].from_pretrained(pipeline / folder, torch_dtype=torch.float32)
    inject_adapter_in_model(LoraConfig(r=4, lora_alpha=6, target_modules=modules), model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn_like(parameter) * 0.1)
    return model


def fused(model, folder, strength):
    """Its state dict with the adapter in it, by diffusers for its own models and PEFT for others."""
    if hasattr(model, "fuse_lora"):
        model.fuse_lora(lora_scale=strength)
        model.unload_lora()
        return model.state_dict()
    from peft.tuners.tuners_utils import BaseTunerLayer

    for module in model.modules():
        if isinstance(module, BaseTunerLayer):
            module.scale_layer(strength)
            module.merge()
    return {name.replace(".base_layer", ""): tensor for name, tensor in model.state_dict().items() if "lora_" not in name}


def expect(weightsmith, tmp_path, folder, expected, lora, strength):
    weightsmith("bake", "whole.safetensors", "--lora", f"{lora}:{strength}", "--dtype", "f32", "-o", "baked.safetensors")
    weightsmith("convert", "baked.safetensors", "--layout", "diffusers", "-o", "baked")
    ours = load_file(next((tmp_path / "baked" / folder).glob("*.safetensors")))
    before = load_file(next((tmp_path / "pipeline" / folder).glob("*.safetensors")))
    changed = 0
    names = {name.removeprefix("text_model."): name for name in ours}
    for name, tensor in expected.items():
        name = names.get(name.removeprefix("text_model."))
        if name is None:
            continue
        torch.testing.assert_close(ours[name], tensor.float(), rtol=1e-5, atol=2e-6, msg=lambda text, name=name: f"{name}: {text}")
        changed += not torch.equal(ours[name], before[name].float())
    assert changed > 0
    return changed


def layers_of(model):
    return {name.removeprefix("base_model.model."): tensor for name, tensor in get_peft_model_state_dict(model).items()}


@pytest.mark.parametrize("architecture, folder, modules, pipeline_class", CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES])
def test_bakes_what_diffusers_fuses(weightsmith, monkeypatch, tmp_path, architecture, folder, modules, pipeline_class):
    monkeypatch.setattr(diffusers.WanTransformer3DModel, "_keep_in_fp32_modules", None)
    pipeline = write(weightsmith, tmp_path, architecture)
    model = adapted(pipeline, architecture, folder, modules)
    layers = layers_of(model)
    key = {"text_encoder": "text_encoder_lora_layers", "text_encoder_2": "text_encoder_2_lora_layers"}.get(folder, f"{folder}_lora_layers")
    metadata = {f"{folder}_lora_adapter_metadata": model.peft_config["default"].to_dict()}
    pipeline_class.save_lora_weights(tmp_path / "lora", **{key: layers}, **metadata)
    assert expect(weightsmith, tmp_path, folder, fused(model, folder, 0.7), "lora/pytorch_lora_weights.safetensors", 0.7) == len(layers) // 2


@pytest.mark.parametrize("architecture, folder, modules", [c[:3] for c in CASES if c[0] in ("sd15", "flux1-dev") and c[1] in ("unet", "transformer")])
def test_bakes_what_a_model_saves_by_itself(weightsmith, tmp_path, architecture, folder, modules):
    pipeline = write(weightsmith, tmp_path, architecture)
    model = adapted(pipeline, architecture, folder, modules)
    model.save_lora_adapter(tmp_path / "lora", adapter_name="default")
    expect(weightsmith, tmp_path, folder, fused(model, folder, 0.7), "lora/pytorch_lora_weights.safetensors", 0.7)


@pytest.mark.parametrize("architecture, folder, modules", [c[:3] for c in CASES if c[0] in ("sd15", "sdxl") and c[1] in ("unet", "text_encoder")])
def test_bakes_kohyas_form_of_them(weightsmith, tmp_path, architecture, folder, modules):
    pipeline = write(weightsmith, tmp_path, architecture)
    model = adapted(pipeline, architecture, folder, modules)
    layers = {f"{folder}.{name}": tensor for name, tensor in layers_of(model).items()}
    kohya = convert_state_dict_to_kohya(layers)
    assert all(name.startswith("lora_") for name in kohya)
    for name in list(kohya):
        if name.endswith(".alpha"):
            kohya[name] = torch.tensor(6.0)
    save_file({name: tensor.contiguous() for name, tensor in kohya.items()}, tmp_path / "kohya.safetensors")
    expect(weightsmith, tmp_path, folder, fused(model, folder, 0.7), "kohya.safetensors", 0.7)


def factors(prefix, rows, columns, style, rank=4):
    down, up = torch.randn(rank, columns) * 0.1, torch.randn(rows, rank) * 0.1
    if style == "xlabs":
        return {f"{prefix}.down.weight": down, f"{prefix}.up.weight": up}
    names = ("lora_A", "lora_B") if style == "bfl" else ("lora_down", "lora_up")
    return {f"{prefix}.{names[0]}.weight": down, f"{prefix}.{names[1]}.weight": up,
            **({f"{prefix}.alpha": torch.tensor(2.0)} if style == "kohya" else {})}


def flux_file(whole, style):
    """Every fused matrix of the blocks, as trainers of FLUX.1 name them."""
    torch.manual_seed(6)
    lora = {}
    for name, tensor in whole.items():
        path = name.removeprefix("model.diffusion_model.").removesuffix(".weight")
        if not name.startswith("model.diffusion_model.") or tensor.ndim != 2 or not name.endswith(".weight"):
            continue
        if style == "bfl" and ("_blocks." in path or path == "final_layer.linear"):  # diffusers wants these
            lora |= factors("base_model.model." + path, *tensor.shape, style)
            continue
        if "_blocks." not in path:
            continue
        if style == "kohya":
            lora |= factors("lora_unet_" + path.replace(".", "_"), *tensor.shape, style)
        else:
            block, inner = path.split(".", 2)[:2], path.split(".", 2)[2]
            theirs = {"img_attn.qkv": "qkv_lora1", "img_attn.proj": "proj_lora1", "txt_attn.qkv": "qkv_lora2", "txt_attn.proj": "proj_lora2",
                      "linear2": "proj_lora"}.get(inner)
            if theirs:
                lora |= factors(f"{'.'.join(block)}.processor.{theirs}", *tensor.shape, style)
            elif inner == "linear1":
                lora |= factors(f"{'.'.join(block)}.processor.qkv_lora", 3 * tensor.shape[1], tensor.shape[1], style)
    return lora


@pytest.fixture
def any_width(monkeypatch):
    """diffusers' converters with the width of the tiny model in the place of the full one."""
    conversions = diffusers.loaders.lora_conversion_utils
    for name in ("_convert_kohya_flux_lora_to_diffusers", "_convert_fal_kontext_lora_to_diffusers"):
        source = inspect.getsource(getattr(conversions, name))
        assert "3072" in source
        scope = dict(vars(conversions))
        exec(source.replace("3072", "32").replace("12288", "128"), scope)
        monkeypatch.setattr(diffusers.loaders.lora_pipeline, name, scope[name])


@pytest.mark.usefixtures("any_width")
@pytest.mark.parametrize("style", ["kohya", "bfl", "xlabs"])
def test_bakes_fused_modules_of_flux_as_diffusers_splits_them(weightsmith, tmp_path, style):
    pipeline = write(weightsmith, tmp_path, "flux1-dev")
    lora = flux_file(load_file(tmp_path / "whole.safetensors"), style)
    save_file(lora, tmp_path / "lora.safetensors")
    model = diffusers.FluxTransformer2DModel.from_pretrained(pipeline / "transformer", torch_dtype=torch.float32)
    converted = diffusers.FluxPipeline.lora_state_dict(dict(lora), return_alphas=True)
    state, alphas = converted[0], converted[1]
    model.load_lora_adapter(state, network_alphas=alphas, prefix="transformer", adapter_name="default")
    expect(weightsmith, tmp_path, "transformer", fused(model, "transformer", 0.7), "lora.safetensors", 0.7)
