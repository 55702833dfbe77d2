"""Every linear layer and convolution of diffusers' own models at full width has a place in our files."""

import json
import struct

import pytest
import torch
import transformers

diffusers = pytest.importorskip("diffusers")

SD = {"block_out_channels": (320, 640, 1280, 1280), "attention_head_dim": 8, "cross_attention_dim": 768}
XL = {"block_out_channels": (320, 640, 1280), "cross_attention_dim": 2048, "attention_head_dim": (5, 10, 20), "transformer_layers_per_block": (1, 2, 10),
      "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
      "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), "use_linear_projection": True,
      "addition_embed_type": "text_time", "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 2816}
REFINER = {"block_out_channels": (384, 768, 1536, 1536), "cross_attention_dim": 1280, "attention_head_dim": (6, 12, 24, 24), "transformer_layers_per_block": 4,
           "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
           "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), "use_linear_projection": True,
           "addition_embed_type": "text_time", "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 2560}
CLIP_G = transformers.CLIPTextConfig(hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20, projection_dim=1280)
CLIP_L = transformers.CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, projection_dim=768)
CLIP_H = transformers.CLIPTextConfig(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16, projection_dim=512)
T5 = transformers.T5Config(d_model=4096, d_ff=10240, d_kv=64, num_heads=64, num_layers=24, feed_forward_proj="gated-gelu", vocab_size=32128)
MODELS = {  # our synth, where diffusers' names stand -> the model
    ("sd15", "unet"): lambda: diffusers.UNet2DConditionModel(**SD),
    ("sd21", "unet"): lambda: diffusers.UNet2DConditionModel(**{**SD, "cross_attention_dim": 1024, "attention_head_dim": (5, 10, 20, 20), "use_linear_projection": True}),
    ("sdxl", "unet"): lambda: diffusers.UNet2DConditionModel(**XL),
    ("sd15", "text_encoder"): lambda: transformers.CLIPTextModel(CLIP_L),
    ("sd21", "text_encoder"): lambda: transformers.CLIPTextModel(CLIP_H),
    ("sdxl", "text_encoder"): lambda: transformers.CLIPTextModel(CLIP_L),
    ("sdxl", "text_encoder_2"): lambda: transformers.CLIPTextModelWithProjection(CLIP_G),
    ("flux1-dev", "transformer"): lambda: diffusers.FluxTransformer2DModel(guidance_embeds=True),
    ("flux1-schnell", "transformer"): lambda: diffusers.FluxTransformer2DModel(),
    ("sd3", "transformer"): lambda: diffusers.SD3Transformer2DModel(sample_size=128, num_layers=24, attention_head_dim=64, num_attention_heads=24,
                                                                     caption_projection_dim=1536, pos_embed_max_size=192),
    ("sd3.5-large", "transformer"): lambda: diffusers.SD3Transformer2DModel(sample_size=128, num_layers=38, attention_head_dim=64, num_attention_heads=38,
                                                                             caption_projection_dim=2432, pos_embed_max_size=192, qk_norm="rms_norm"),
    ("sd3.5-medium", "transformer"): lambda: diffusers.SD3Transformer2DModel(sample_size=128, num_layers=24, attention_head_dim=64, num_attention_heads=24,
                                                                              caption_projection_dim=1536, pos_embed_max_size=384, qk_norm="rms_norm",
                                                                              dual_attention_layers=tuple(range(13))),
    ("sdxl-refiner", "unet"): lambda: diffusers.UNet2DConditionModel(**REFINER),
    ("sdxl-refiner", "text_encoder_2"): lambda: transformers.CLIPTextModelWithProjection(CLIP_G),
    ("pixart-sigma", "transformer"): lambda: diffusers.PixArtTransformer2DModel(sample_size=128, num_layers=28, num_attention_heads=16, attention_head_dim=72, in_channels=4,
                                                                                out_channels=8, cross_attention_dim=1152, caption_channels=4096, interpolation_scale=2,
                                                                                use_additional_conditions=False),
    ("sd3", "text_encoder_3"): lambda: transformers.T5EncoderModel(T5),
    ("chroma", "transformer"): lambda: diffusers.ChromaTransformer2DModel(),
    ("qwen-image", "transformer"): lambda: diffusers.QwenImageTransformer2DModel(),
    ("auraflow", "transformer"): lambda: diffusers.AuraFlowTransformer2DModel(),
    ("wan-t2v-14b", "transformer"): lambda: diffusers.WanTransformer3DModel(),
}
STEMS = {
    "diffusers": lambda folder, name: f"{folder}.{name}",
    "kohya": lambda folder, name: {"text_encoder": "lora_te1_", "text_encoder_2": "lora_te2_", "text_encoder_3": "lora_te3_"}.get(folder, "lora_unet_") + name.replace(".", "_"),
}


def modules_of(model):
    for name, module in model.named_modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Conv2d, torch.nn.Conv3d)):
            yield name, tuple(module.weight.shape)


def write_sparse(path, shapes):
    entries, at = {}, 0
    for name, shape in shapes.items():
        size = 2 * int(torch.Size(shape).numel())
        entries[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(entries).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)


@pytest.mark.parametrize("naming", STEMS)
@pytest.mark.parametrize("synth, folder", MODELS, ids=["-".join(key) for key in MODELS])
def test_every_module_goes_somewhere(weightsmith, tmp_path, synth, folder, naming):
    with torch.device("meta"):
        modules = dict(modules_of(MODELS[synth, folder]()))
    shapes = {}
    for name, shape in modules.items():
        stem = STEMS[naming](folder, name)
        shapes[f"{stem}.lora_down.weight"] = (8, *shape[1:])
        shapes[f"{stem}.lora_up.weight"] = (shape[0], 8, *[1] * (len(shape) - 2))
        shapes[f"{stem}.alpha"] = ()
    write_sparse(tmp_path / "lora.safetensors", shapes)
    weightsmith("synth", synth, "--sparse", "--layout", "monolithic", "-o", "base.safetensors")
    plan = json.loads(weightsmith("bake", "base.safetensors", "--lora", "lora.safetensors", "--dry-run", "--json", "-o", "out.safetensors"))
    (adapter,) = plan["adapters"]
    assert [adapter["elsewhere"], adapter["ignored"], adapter["unmatched"]] == [[], [], []]
    assert {applied["module"] for applied in adapter["applied"]} == {STEMS[naming](folder, name) for name in modules}
