"""Adapters taken apart: the tensor names and shapes that trainers write, and what each module of them is."""

import json

import numpy as np
import pytest

import adapters
import support

A = ("alpha", ())
FILES = {  # what -> (tensors, family, rank, component)
    "kohya, SD 1.5": ({"lora_te_text_model_encoder_layers_0_mlp_fc1": [A, ("lora_down.weight", (32, 768)), ("lora_up.weight", (3072, 32))]},
                      "lora", 32, "te1"),
    "kohya, 1x1 convolution": ({"lora_unet_down_blocks_0_attentions_0_proj_in": [A, ("lora_down.weight", (32, 320, 1, 1)), ("lora_up.weight", (320, 32, 1, 1))]},
                               "lora", 32, "unet"),
    "kohya, SDXL": ({"lora_te2_text_model_encoder_layers_0_mlp_fc1": [A, ("lora_down.weight", (8, 1280)), ("lora_up.weight", (5120, 8))]},
                    "lora", 8, "te2"),
    "LoCon": ({"lora_unet_down_blocks_0_resnets_0_conv1": [A, ("lora_down.weight", (8, 320, 3, 3)), ("lora_up.weight", (320, 8, 1, 1))]},
              "lora", 8, "unet"),
    "LoCon with a core": ({"lora_unet_down_blocks_0_resnets_0_conv1": [
        A, ("lora_down.weight", (8, 320, 1, 1)), ("lora_mid.weight", (8, 8, 3, 3)), ("lora_up.weight", (320, 8, 1, 1))]}, "lora", 8, "unet"),
    "PEFT": ({"base_model.model.model.layers.0.self_attn.q_proj": [("lora_A.weight", (16, 4096)), ("lora_B.weight", (4096, 16))]}, "lora", 16, ""),
    "PEFT, with the adapter's name": ({"base_model.model.model.layers.0.self_attn.q_proj": [
        ("lora_A.default.weight", (16, 4096)), ("lora_B.default.weight", (4096, 16))]}, "lora", 16, ""),
    "PEFT, without the end": ({"blocks.0.attn.q": [("lora_A", (16, 64)), ("lora_B", (64, 16))]}, "lora", 16, ""),
    "diffusers, older": ({"unet.down_blocks.0.attn1.to_q": [("lora.down.weight", (4, 64)), ("lora.up.weight", (64, 4))]}, "lora", 4, "unet"),
    "diffusers, attention processors": ({"down_blocks.0.attn1.processor.to_q": [("_lora.down.weight", (4, 64)), ("_lora.up.weight", (64, 4))]},
                                        "lora", 4, "unet"),
    "diffusers, text encoder": ({"text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj": [
        ("lora_linear_layer.down.weight", (4, 1280)), ("lora_linear_layer.up.weight", (1280, 4))]}, "lora", 4, "te2"),
    "ai-toolkit": ({"transformer.single_transformer_blocks.0.proj_mlp": [("lora_A.weight", (16, 3072)), ("lora_B.weight", (12288, 16))]}, "lora", 16, "unet"),
    "XLabs": ({"double_blocks.0.processor.qkv_lora1": [("down.weight", (16, 3072)), ("up.weight", (9216, 16))]}, "lora", 16, "unet"),
    "BFL control": ({"img_in": [("lora_A.weight", (128, 128)), ("lora_B.weight", (3072, 128)), ("lora_B.bias", (3072,))]}, "lora", 128, ""),
    "ControlLoRA": ({"input_blocks.1.1.proj_in": [("down", (4, 64)), ("up", (64, 4))]}, "lora", 4, ""),
    "OneTrainer": ({"lora_transformer_transformer_blocks_0_attn_to_q": [A, ("lora_down.weight", (4, 64)), ("lora_up.weight", (64, 4))]}, "lora", 4, "unet"),
    "embedding": ({"base_model.model.model.embed_tokens": [("lora_embedding_A", (8, 32000)), ("lora_embedding_B", (64, 8))]}, "lora_embedding", 8, ""),
    "LoHa": ({"lora_unet_conv1": [A, ("hada_w1_a", (320, 8)), ("hada_w1_b", (8, 2880)), ("hada_w2_a", (320, 8)), ("hada_w2_b", (8, 2880))]}, "loha", 8, "unet"),
    "LoHa with cores": ({"lora_unet_conv1": [A, ("hada_t1", (8, 8, 3, 3)), ("hada_w1_a", (8, 320)), ("hada_w1_b", (8, 320)),
                                             ("hada_t2", (8, 8, 3, 3)), ("hada_w2_a", (8, 320)), ("hada_w2_b", (8, 320))]}, "loha", 8, "unet"),
    "LoKr, whole": ({"lycoris_transformer_blocks_0_attn_to_q": [A, ("lokr_w1", (16, 16)), ("lokr_w2", (192, 192))]}, "lokr", 1, "unet"),
    "LoKr, in factors": ({"lora_unet_to_q": [A, ("lokr_w1", (8, 8)), ("lokr_w2_a", (80, 16)), ("lokr_w2_b", (16, 80))]}, "lokr", 16, "unet"),
    "GLoRA": ({"lora_unet_to_q": [A, ("a1.weight", (640, 8)), ("a2.weight", (8, 640)), ("b1.weight", (640, 8)), ("b2.weight", (8, 640))]}, "glora", 8, "unet"),
    "GLoRA, older": ({"lora_unet_to_q": [A, ("a1.weight", (8, 640)), ("a2.weight", (640, 8)), ("b1.weight", (8, 640)), ("b2.weight", (640, 8))]}, "glora", 8, "unet"),
    "OFT of kohya": ({"oft_unet_input_blocks_4_1_to_q": [A, ("oft_blocks", (4, 16, 16))]}, "oft", None, "unet"),
    "OFT with rescaling": ({"lora_unet_to_q": [A, ("oft_blocks", (4, 16, 16)), ("rescale", (64, 1))]}, "oft", None, "unet"),
    "BOFT": ({"lora_unet_to_q": [A, ("oft_blocks", (3, 4, 16, 16))]}, "boft", None, "unet"),
    "OFT of PEFT": ({"base_model.model.q_proj": [("oft_R.weight", (128, 496))]}, "oft_peft", None, ""),
    "BOFT of PEFT": ({"base_model.model.q_proj": [("boft_R.default", (1, 4, 8, 8)), ("boft_s.default", (32, 1))]}, "boft_peft", None, ""),
    "IA3": ({"lora_unet_to_k": [("weight", (64,)), ("on_input", ())]}, "ia3", None, "unet"),
    "IA3 of PEFT": ({"base_model.model.k_proj": [("ia3_l", (4096, 1))]}, "ia3_peft", None, ""),
    "difference": ({"lora_unet_conv_in": [("diff", (320, 4, 3, 3)), ("diff_b", (320,))]}, "full", None, "unet"),
    "difference of a bias": ({"lora_unet_conv_in": [("diff_b", (320,))]}, "full", None, "unet"),
    "norm": ({"lora_unet_norm1": [("w_norm", (320,)), ("b_norm", (320,))]}, "norm", None, "unet"),
    "replacement": ({"diffusion_model.img_in": [("set_weight", (64, 8)), ("reshape_weight", (2,))]}, "set_weight", None, "unet"),
}


def write(path, modules, **metadata):
    tensors = {}
    for number, (stem, parts) in enumerate(modules.items()):
        for end, shape in parts:
            joint = "" if end.startswith("_") else "."
            tensors[f"{stem}{joint}{end}"] = np.full(shape, 4 + number, np.float16)
    return support.write(path, tensors, metadata or None)


def told(weightsmith, path="a.safetensors", status=0):
    return json.loads(weightsmith("lora", "info", path, "--json", status=status).stdout)


@pytest.mark.parametrize("what", support.sampled(FILES, 3))
def test_every_family_is_known_under_every_name(weightsmith, tmp_path, what):
    modules, family, rank, component = FILES[what]
    write(tmp_path / "a.safetensors", modules)
    (module,) = told(weightsmith)["modules"]
    assert [module["family"], module["rank"], module["component"], module["problem"]] == [family, rank, component, None]
    stem = next(iter(modules))
    assert module["stem"] == stem
    has_alpha = any(end == "alpha" for end, _ in modules[stem])
    assert module["alpha"] == (4 if has_alpha else None)


@pytest.mark.parametrize("end, shape", [("dora_scale", (1, 768)), ("lora_magnitude_vector", (3072,)), ("lora_magnitude_vector.weight", (3072,)),
                                        ("magnitude", (3072,))])
@pytest.mark.parametrize("what", support.chosen(["kohya, SD 1.5", "LoHa", "LoKr, whole"], "LoHa"))
def test_dora_on_any_of_them(weightsmith, tmp_path, what, end, shape):
    modules, family, _, _ = FILES[what]
    write(tmp_path / "a.safetensors", {stem: [*parts, (end, shape)] for stem, parts in modules.items()})
    (module,) = told(weightsmith)["modules"]
    assert module["family"] == family and module["dora"] and module["problem"] is None


@pytest.mark.parametrize("what, without, said", [
    ("kohya, SD 1.5", "lora_up.weight", "is missing up"), ("kohya, SD 1.5", "lora_down.weight", "is missing down"),
    ("LoHa", "hada_w2_b", "is missing hada_w2_b"), ("LoKr, in factors", "lokr_w2_b", "is missing lokr_w2, or lokr_w2_b"),
    ("LoKr, in factors", "lokr_w1", "is missing lokr_w1"), ("GLoRA", "b1.weight", "is missing b1"), ("BOFT of PEFT", "boft_s.default", "is missing boft_s"),
])
def test_an_incomplete_module_is_told(weightsmith, tmp_path, what, without, said):
    modules = {stem: [part for part in parts if part[0] != without] for stem, parts in FILES[what][0].items()}
    write(tmp_path / "a.safetensors", modules)
    (module,) = told(weightsmith)["modules"]
    assert module["problem"].startswith(said)
    assert module["problem"] in weightsmith("lora", "info", "a.safetensors").stdout


def test_roles_that_do_not_go_together_are_told(weightsmith, tmp_path):
    write(tmp_path / "a.safetensors", {"lora_unet_a": [("lora_down.weight", (4, 8)), ("lora_up.weight", (8, 4)), ("hada_w1_a", (8, 4))]})
    (module,) = told(weightsmith)["modules"]
    assert module["problem"]


@pytest.mark.parametrize("alpha, problem", [(np.array([4, 4], np.float32), "expected one number"), (np.array(np.inf, np.float16), "a finite number"),
                                            (np.array([4], np.float32), None), (np.array(4, np.int64), None), (np.array(0, np.float32), None)])
def test_alphas(weightsmith, tmp_path, alpha, problem):
    path = write(tmp_path / "a.safetensors", {"lora_unet_a": [("lora_down.weight", (4, 8)), ("lora_up.weight", (8, 4))]})
    support.write(path, dict(support.read(path).tensors) | {"lora_unet_a.alpha": alpha})
    (module,) = told(weightsmith)["modules"]
    assert module["problem"] is None if problem is None else problem in module["problem"]


def test_a_whole_lokr_may_have_any_alpha(weightsmith, tmp_path):
    path = write(tmp_path / "a.safetensors", {"lora_unet_a": [("lokr_w1", (4, 8)), ("lokr_w2", (8, 4))]})
    support.write(path, dict(support.read(path).tensors) | {"lora_unet_a.alpha": np.array(np.inf, np.float16)})
    assert told(weightsmith)["modules"][0]["problem"] is None


def test_families_mix_in_a_file_and_everything_is_told(weightsmith, tmp_path):
    modules = {}
    for number, (parts, _, _, _) in enumerate(FILES.values()):
        for stem, ends in parts.items():
            modules[f"{stem}_{number}" if "." not in stem else f"{stem}.{number}"] = ends
    path = write(tmp_path / "a.safetensors", modules, ss_base_model_version="sdxl_base_v1-0",
                 ss_tag_frequency=json.dumps({"10_cat": {"cat": 10, "grass": 3}, "5_dog": {"dog": 20, "grass": 4}}))
    support.write(path, dict(support.read(path).tensors) | {
        "bundle_emb.x.string_to_param.*": np.ones((1, 4), np.float16), "lora_controlnet": np.ones(1, np.float16),
        "single_blocks.0.norm.key_norm.scale": np.ones(8, np.float16), "model.lm_head.weight": np.ones((4, 4), np.float16)},
        support.read(path).metadata)
    info = told(weightsmith)
    assert len(info["modules"]) == len(modules) and sum(info["families"].values()) == len(modules)
    assert {row["name"] for row in info["ignored"]} == {"bundle_emb.x.string_to_param.*", "lora_controlnet"}
    assert info["plain"] == ["model.lm_head.weight", "single_blocks.0.norm.key_norm.scale"]
    assert info["frequent_tags"] == ["dog", "cat", "grass"]
    page = weightsmith("lora", "info", "a.safetensors").stdout
    assert "sdxl_base_v1-0" in page and "dog, cat, grass" in page and "a textual inversion" in page


def test_a_file_with_several_adapters(weightsmith, tmp_path):
    ends = [("lora_A.{}.weight", (4, 8)), ("lora_B.{}.weight", (8, 4))]
    write(tmp_path / "a.safetensors", {"base_model.model.q": [(end.format(name), shape) for name in ("one", "two") for end, shape in ends]})
    info = told(weightsmith)
    assert info["adapters"] == ["one", "two"] and len(info["modules"]) == 2


def test_parts_of_a_fused_matrix_are_modules(weightsmith, tmp_path):
    write(tmp_path / "a.safetensors", {"oft_unet_qkv": [(f"oft_blocks.{i}", (2, 4, 4)) for i in range(3)]})
    assert [module["stem"] for module in told(weightsmith)["modules"]] == [f"oft_unet_qkv.{i}" for i in range(3)]


def test_a_model_is_no_adapter(weightsmith, tiny):
    assert "holds no adapter" in weightsmith("lora", "info", tiny("sd15"), status=4).stderr
    assert "Did you mean 'info'" in weightsmith("lora", "inf", tiny("sd15"), status=2).stderr
    assert "FILE is missing" in weightsmith("lora", "info", status=2).stderr


def test_a_file_alone_is_shown_and_info_says_the_same(weightsmith, tmp_path, tiny):
    modules, *_ = FILES["kohya, SDXL"]
    write(tmp_path / "a.safetensors", modules)
    page = weightsmith("lora", "info", "a.safetensors").stdout
    assert weightsmith("lora", "a.safetensors").stdout == page
    assert weightsmith("lora", "a.safetensors", "--json").stdout == weightsmith("lora", "info", "a.safetensors", "--json").stdout
    shown = weightsmith("info", "a.safetensors").stdout
    for words in ("lora adapter", "Stable Diffusion XL", "kohya", "te2", "8", "4"):
        assert words in shown
    adapter = json.loads(weightsmith("info", "a.safetensors", "--json").stdout)["adapter"]
    assert [adapter["modules"], adapter["families"], adapter["namings"], adapter["ranks"], adapter["alphas"]] == [1, {"lora": 1}, {"kohya": 1}, {"8": 1}, {"4": 1}]
    assert "sdxl" in adapter["architectures"]
    lines = weightsmith("info", "a.safetensors", tiny("sd15")).stdout.splitlines()
    assert "lora adapter for" in lines[0] and "sd1" in lines[1]
    assert json.loads(weightsmith("info", tiny("sd15"), "--json").stdout)["adapter"] is None


def test_help_lists_the_words_of_lora(weightsmith):
    words = weightsmith("lora", "-h").stdout
    assert "info" in words and "families" in words


def test_families_are_told(weightsmith):
    families = {family["id"]: family for family in json.loads(weightsmith("lora", "families", "--json").stdout)}
    assert set(families) >= {"lora", "loha", "lokr", "glora", "ia3", "ia3_peft", "oft", "oft_peft", "boft", "boft_peft", "full", "norm", "set_weight"}
    assert all(family["formula"] and family["tensors"] and family["source"] for family in families.values())
    assert "LoKr" in weightsmith("lora", "families").stdout


def test_modules_are_counted_by_block(weightsmith, tmp_path):
    weightsmith("synth", "sdxl", "--sparse", "-o", "base.safetensors")
    shapes, _ = adapters.shapes_of(adapters.weights_of(support.header_of(tmp_path / "base.safetensors")[0]), "lora", "kohya")
    adapters.write_sparse(tmp_path / "a.safetensors", shapes)
    info = json.loads(weightsmith("lora", "info", "a.safetensors", "--json").stdout)
    assert info["architectures"] == ["sdxl"]
    blocks = info["modules_by_block"]
    assert blocks["unet.in.4"] == 2 * 10 + 2 + 3 + 1  # two transformer blocks, projections, convolutions with the shortcut, time
    assert sum(blocks.values()) == len(info["modules"])
    assert "unet.in:" in weightsmith("lora", "info", "a.safetensors").stdout


MADE_FOR = {  # architecture -> modules as its trainers name them: (stem, rows, columns)
    "sd1": [("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k", 320, 768), ("lora_te_text_model_encoder_layers_0_mlp_fc1", 3072, 768)],
    "sd2": [("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k", 320, 1024)],
    "sdxl": [("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k", 640, 2048), ("lora_te2_text_model_encoder_layers_0_mlp_fc1", 5120, 1280)],
    "flux1": [("transformer.single_transformer_blocks.0.proj_mlp", 12288, 3072), ("transformer.transformer_blocks.0.attn.to_q", 3072, 3072),
              ("lora_unet_double_blocks_0_img_attn_qkv", 9216, 3072)],
    "sd3": [("lora_unet_joint_blocks_0_x_block_attn_qkv", 4608, 1536), ("transformer.transformer_blocks.0.attn.add_k_proj", 1536, 1536)],
    "sd3.5-large": [("lora_unet_joint_blocks_37_x_block_attn_qkv", 7296, 2432)],
    "z-image": [("diffusion_model.layers.0.attention.qkv", 11520, 3840)],
    "lumina2": [("diffusion_model.layers.0.attention.qkv", 3840, 2304), ("transformer.layers.0.attn.to_k", 768, 2304)],
    "qwen-image": [("transformer_blocks.59.attn.add_q_proj", 3072, 3072), ("transformer_blocks.59.img_mlp.net.2", 3072, 12288)],
    "wan": [("diffusion_model.blocks.0.self_attn.q", 5120, 5120), ("diffusion_model.blocks.0.ffn.0", 13824, 5120)],
    "llama": [("base_model.model.model.layers.0.self_attn.q_proj", 2048, 2048)],
}


@pytest.mark.parametrize("architecture", support.sampled(MADE_FOR, 4))
def test_what_it_is_made_for(weightsmith, tmp_path, architecture):
    write(tmp_path / "a.safetensors", {stem: [("lora_down.weight", (4, columns)), ("lora_up.weight", (rows, 4))]
                                       for stem, rows, columns in MADE_FOR[architecture]})
    info = told(weightsmith)
    alike = {"llama": ["gemma", "gemma2", "gemma3", "llama", "mistral", "qwen2", "qwen3"], "flux1": ["chroma", "flux1"],
             "sd3": ["sd3", "sd3.5-medium"]}
    assert info["architectures"] == alike.get(architecture, [architecture])
    assert info["modules_of_architecture"] == len(MADE_FOR[architecture])


def test_made_for_nothing_that_is_known(weightsmith, tmp_path):
    write(tmp_path / "a.safetensors", {"lora_unet_trunk_0_attn": [("lora_down.weight", (4, 8)), ("lora_up.weight", (8, 4))]})
    assert told(weightsmith)["architectures"] == []
    assert "no known architecture" in weightsmith("lora", "info", "a.safetensors").stdout
