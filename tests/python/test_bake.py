"""Baking, against numpy: where modules go, what they add, and what is refused."""

import numpy as np
import pytest

import adapters
import support
from baker import ALL, ATTENTION, QUERY, delta, pair_for, query


# Where modules go.

@pytest.mark.parametrize("part", range(3))
def test_a_part_of_a_fused_matrix_changes_its_rows_alone(bake, part):
    baker = bake("flux1-dev")
    width = baker.before["double_blocks.0.img_attn.qkv.weight"].shape[1]
    stem = f"transformer.transformer_blocks.0.attn.to_{'qkv'[part]}"
    lora = pair_for(stem, width, width)
    rows = slice(part * width, (part + 1) * width)
    baker.expect(baker(lora), {"double_blocks.0.img_attn.qkv.weight": (rows, delta(lora, stem))})


def test_parts_of_a_fused_matrix_have_ranks_and_alphas_of_their_own(bake):
    baker = bake("flux1-dev")
    width = baker.before["single_blocks.3.linear1.weight"].shape[1]
    whole = np.zeros(baker.before["single_blocks.3.linear1.weight"].shape)
    lora = {}
    for i, (name, rank) in enumerate([("attn.to_q", 2), ("attn.to_v", 8), ("proj_mlp", 4)]):
        stem = f"transformer.single_transformer_blocks.3.{name}"
        rows = 4 * width if name == "proj_mlp" else width
        first = {"attn.to_q": 0, "attn.to_v": 2 * width, "proj_mlp": 3 * width}[name]
        tensors = pair_for(stem, rows, width, rank, seed=i, alpha=i + 1.0)
        whole[first:first + rows] = delta(tensors, stem, (i + 1) / rank)
        lora |= tensors
    baker.expect(baker(lora), {"single_blocks.3.linear1.weight": (ALL, whole)})


@pytest.mark.parametrize("encoder", ["sdxl"])
def test_the_second_text_encoder_has_rows_and_a_transposed_projection(bake, encoder):
    baker = bake(encoder)
    prefix = "conditioner.embedders.1.model."
    width = baker.before[prefix + "transformer.resblocks.2.attn.out_proj.weight"].shape[0]
    value = "lora_te2_text_model_encoder_layers_2_self_attn_v_proj"
    projection = "lora_te2_text_projection"
    outputs, inputs = baker.before[prefix + "text_projection"].T.shape
    lora = pair_for(value, width, width, alpha=2.0) | pair_for(projection, outputs, inputs, seed=2)
    lora[f"{value}.diff_b"] = np.arange(width, dtype=np.float32)
    baker.expect(baker(lora), {
        prefix + "transformer.resblocks.2.attn.in_proj_weight": (slice(2 * width, 3 * width), delta(lora, value, 2 / 4)),
        prefix + "transformer.resblocks.2.attn.in_proj_bias": (slice(2 * width, 3 * width), np.arange(width)),
        prefix + "text_projection": (ALL, delta(lora, projection).T)})


@pytest.mark.parametrize("architecture, stem, name", [
    ("flux1-dev", "transformer.norm_out.linear", "final_layer.adaLN_modulation.1"),
    ("sd3", "transformer.norm_out.linear", "model.diffusion_model.final_layer.adaLN_modulation.1"),
    ("sd3", "transformer.transformer_blocks.23.norm1_context.linear", "model.diffusion_model.joint_blocks.23.context_block.adaLN_modulation.1")])
def test_halves_that_diffusers_swaps_are_swapped_back(bake, architecture, stem, name):
    baker = bake(architecture)
    rows, columns = baker.before[f"{name}.weight"].shape
    lora = pair_for(stem, rows, columns)
    lora[f"{stem}.diff_b"] = np.arange(rows, dtype=np.float32) / 8
    swapped = np.roll(delta(lora, stem), rows // 2, axis=0)
    baker.expect(baker(lora), {f"{name}.weight": (ALL, swapped), f"{name}.bias": (ALL, np.roll(lora[f"{stem}.diff_b"], rows // 2))})


@pytest.mark.parametrize("stem, name", [
    ("lora_unet_up_blocks_0_upsamplers_0_conv", "output_blocks.2.1.conv"),
    ("lora_unet_up_blocks_1_upsamplers_0_conv", "output_blocks.5.2.conv"),
    ("lora_unet_down_blocks_0_downsamplers_0_conv", "input_blocks.3.0.op")])
def test_sampling_convolutions_of_sd1(bake, stem, name):
    baker = bake()
    name = f"model.diffusion_model.{name}.weight"
    lora = adapters.random_tensors({f"{stem}.{end}": shape for end, shape in adapters.lora(baker.before[name].shape).items()})
    baker.expect(baker(lora), {name: (ALL, delta(lora, stem, 0.5))})


@pytest.mark.parametrize("shapes", [((4, 40), (40, 4)), ((4, 40, 1, 1), (40, 4, 1, 1)), ((4, 40, 1, 1), (40, 4))])
@pytest.mark.parametrize("architecture", support.chosen(["sd15", "sdxl"], "sd15"))
def test_a_pixels_convolution_and_a_linear_layer_are_one_matrix(bake, architecture, shapes):
    baker = bake(architecture)
    name = next(n for n in baker.before if n.endswith("proj_in.weight"))
    width = baker.before[name].shape[0]
    stem = "lora_unet_" + name.removeprefix("model.diffusion_model.").removesuffix(".weight").replace(".", "_")
    random = np.random.default_rng(2)
    down, up = [[width if size == 40 else size for size in shape] for shape in shapes]
    lora = {f"{stem}.lora_down.weight": random.standard_normal(down).astype(np.float32), f"{stem}.lora_up.weight": random.standard_normal(up).astype(np.float32)}
    baker.expect(baker(lora), {name: (ALL, delta(lora, stem))})


@pytest.mark.parametrize("stem", ["lora_unet_context_embedder_", "lora_unet__context_embedder", "module.transformer.context_embedder",
                                  "transformer._orig_mod.context_embedder", "transformer.base_model.model.context_embedder"])
def test_oddities_of_names_are_read(bake, stem):
    baker = bake("flux1-dev")
    rows, columns = baker.before["txt_in.weight"].shape
    lora = pair_for(stem, rows, columns)
    baker.expect(baker(lora), {"txt_in.weight": (ALL, delta(lora, stem))})


def test_kohyas_split_matrices_are_read_as_the_file_says(bake):
    """down holds the three parts' factors, up is zero between them, and alpha is still of one."""
    baker = bake("flux1-dev")
    width = baker.before["double_blocks.1.txt_attn.qkv.weight"].shape[1]
    stem, rank = "lora_unet_double_blocks_1_txt_attn_qkv", 2
    lora = pair_for(stem, 3 * width, width, 3 * rank, alpha=2.0)
    up = lora[f"{stem}.lora_up.weight"]
    for i in range(3):
        up[i * width:(i + 1) * width, :i * rank] = 0
        up[i * width:(i + 1) * width, (i + 1) * rank:] = 0
    baker.expect(baker(lora), {"double_blocks.1.txt_attn.qkv.weight": (ALL, delta(lora, stem, 2 / 6))})


# Scales.

@pytest.mark.parametrize("alpha, scale", [(None, 1), (2.0, 0.5), (np.array([2.0]), 0.5), (0.0, 0)])
def test_alpha(bake, alpha, scale):
    baker = bake()
    stem = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
    name = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.weight"
    lora = pair_for(stem, *baker.before[name].shape, alpha=alpha)
    if scale:
        baker.expect(baker(lora), {name: (ALL, delta(lora, stem, scale))})
    else:
        assert "changes no element" in baker(lora, status=8).stderr


def test_a_stored_scale_counts_before_alpha(bake):
    baker = bake()
    stem, name = "lora_unet_middle_block_1_proj_in", "model.diffusion_model.middle_block.1.proj_in.weight"
    lora = pair_for(stem, *baker.before[name].shape[:2], alpha=2.0)
    lora[f"{stem}.scale"] = np.array(0.25, np.float32)
    baker.expect(baker(lora), {name: (ALL, delta(lora, stem, 0.25))})


@pytest.mark.parametrize("alpha", [np.inf, np.nan])
def test_an_alpha_that_is_no_number_is_refused(bake, alpha):
    baker = bake()
    stem, name = "lora_unet_middle_block_1_proj_in", "model.diffusion_model.middle_block.1.proj_in.weight"
    assert "expected a finite number" in baker(pair_for(stem, *baker.before[name].shape[:2], alpha=alpha), status=3).stderr


def test_alpha_of_whole_lokr_is_not_heeded(bake):
    baker = bake()
    stem, name = "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q", "model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.weight"
    width = baker.before[name].shape[0]
    lora = {f"{stem}.lokr_w1": np.full((2, 2), 0.5, np.float32), f"{stem}.lokr_w2": np.eye(width // 2, dtype=np.float32),
            f"{stem}.alpha": np.array(np.inf, np.float16)}
    baker.expect(baker(lora), {name: (ALL, np.kron(lora[f"{stem}.lokr_w1"], lora[f"{stem}.lokr_w2"]))})


@pytest.mark.parametrize("strength, unet, text", [("", 1, 1), (":0.5", 0.5, 0.5), (":0.5:0.25", 0.5, 0.25), (":-1.5:2", -1.5, 2), (":1:0", 1, 0)])
def test_strengths(bake, strength, unet, text):
    baker = bake()
    stems = {"lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q": ("model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.weight", unet),
             "lora_te_text_model_encoder_layers_1_mlp_fc1": ("cond_stage_model.transformer.text_model.encoder.layers.1.mlp.fc1.weight", text)}
    lora = {}
    for stem, (name, _) in stems.items():
        lora |= pair_for(stem, *baker.before[name].shape)
    out = baker(lora, strength=strength)
    baker.expect(out, {name: (ALL, factor * delta(lora, stem)) for stem, (name, factor) in stems.items() if factor})


# Other families' ways in.

def test_whole_tensors_stand_in_the_place_of_the_models(bake):
    baker = bake("flux1-dev")
    random = np.random.default_rng(4)
    norm = "double_blocks.0.img_attn.norm.key_norm.scale"
    lora = pair_for("double_blocks.0.img_attn.proj", *baker.before["double_blocks.0.img_attn.proj.weight"].shape, ends=("lora_A.weight", "lora_B.weight"))
    replaced = {norm: random.standard_normal(baker.before[norm].shape).astype(np.float32),
                "txt_in.bias": random.standard_normal(baker.before["txt_in.bias"].shape).astype(np.float32)}
    set_weight = random.standard_normal(baker.before["txt_in.weight"].shape).astype(np.float32)
    out = baker(lora | replaced | {"diffusion_model.txt_in.set_weight": set_weight}, strength=":0.5")
    for name, value in replaced.items():
        support.assert_same_bits(out[name], value, name)
    support.assert_same_bits(out["txt_in.weight"], set_weight)


def test_a_part_that_is_replaced_leaves_the_rest(bake):
    baker = bake("flux1-dev")
    before = baker.before["double_blocks.0.img_attn.qkv.weight"]
    width = before.shape[1]
    value = np.random.default_rng(5).standard_normal((width, width)).astype(np.float32)
    out = baker({"transformer.transformer_blocks.0.attn.to_k.set_weight": value})["double_blocks.0.img_attn.qkv.weight"]
    np.testing.assert_allclose(out[width:2 * width], value, rtol=1e-5, atol=1e-6)
    support.assert_same_bits(out[:width], before[:width])
    support.assert_same_bits(out[2 * width:], before[2 * width:])


def test_a_control_lora_widens_the_input(bake):
    baker = bake("flux1-dev")
    rows, columns = baker.before["img_in.weight"].shape
    lora = pair_for("img_in", rows, 2 * columns, ends=("lora_A.weight", "lora_B.weight"))
    lora["img_in.lora_B.bias"] = np.ones(rows, np.float32)
    out = baker(lora)
    change = (lora["img_in.lora_B.weight"] @ lora["img_in.lora_A.weight"]).astype(np.float64)
    wide = np.hstack([baker.before["img_in.weight"], np.zeros((rows, columns))])
    np.testing.assert_allclose(out["img_in.weight"], wide + change, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(out["img_in.bias"], baker.before["img_in.bias"] + 1, rtol=1e-6)


def test_an_adapter_of_fewer_input_channels_wants_a_word(bake):
    baker = bake("sd15-inpainting")
    name = "model.diffusion_model.input_blocks.0.0.weight"
    shape = baker.before[name].shape
    stem = "lora_unet_conv_in"
    lora = {f"{stem}.diff": np.random.default_rng(6).standard_normal((shape[0], 4, *shape[2:])).astype(np.float32)}
    assert "input_channels: keep_extra" in baker(lora, status=3).stderr
    out = baker(lora, "--policy", "input_channels=keep_extra")
    np.testing.assert_allclose(out[name][:, :4], baker.before[name][:, :4] + lora[f"{stem}.diff"], rtol=1e-5, atol=1e-6)
    support.assert_same_bits(np.ascontiguousarray(out[name][:, 4:]), np.ascontiguousarray(baker.before[name][:, 4:]))


def test_one_of_several_adapters_of_peft_is_chosen(weightsmith, tmp_path, bake):
    baker = bake("llama")
    name = "model.layers.0.self_attn.q_proj.weight"
    stem = "base_model.model.model.layers.0.self_attn.q_proj"
    one, two = (pair_for(stem, *baker.before[name].shape, seed=i, ends=(f"lora_A.{n}.weight", f"lora_B.{n}.weight")) for i, n in enumerate(["one", "two"]))
    assert "holds the adapters one, two" in baker(one | two, status=3).stderr
    recipe = support.write_recipe(tmp_path / "r.yaml", {
        "models": {"base": str(baker.base)}, "adapters": {"it": {"path": "lora.safetensors", "adapter": "two"}},
        "steps": {"out": {"op": "bake", "model": "base", "adapters": ["it"]}}, "output": {"model": "out", "path": "out.safetensors"}})
    weightsmith("merge", recipe)
    change = two[f"{stem}.lora_B.two.weight"].astype(np.float64) @ two[f"{stem}.lora_A.two.weight"]
    baker.expect(support.read(tmp_path / "out.safetensors").tensors, {name: (ALL, change)})


# Strictness.


def test_a_module_that_is_nowhere_is_an_error_with_the_nearest_name(bake, tmp_path):
    baker = bake()
    lora = query(baker) | {name.replace("_to_q", "_to_qq"): tensor for name, tensor in query(baker).items()}
    words = baker(lora, status=3).stderr
    assert f"{QUERY}q" in words and f"did you mean '{QUERY}'" in words and "--allow-unmatched" in words
    assert not (tmp_path / "out.safetensors").exists()
    baker(lora, "--allow-unmatched", "to_qq$")
    assert "nothing, which is allowed" in baker.words
    assert "has no module" in baker(lora, "--allow-unmatched", "to_k$", status=3).stderr


def test_modules_for_a_component_that_is_elsewhere_are_told(bake, weightsmith, tmp_path):
    baker = bake("flux1-dev")
    width = baker.before["txt_in.weight"].shape[0]
    lora = pair_for("transformer.context_embedder", *baker.before["txt_in.weight"].shape)
    text = pair_for("lora_te1_text_model_encoder_layers_0_mlp_fc1", 64, 16)
    baker(lora | text)
    assert "1 module for clip_l, which is not in the model" in baker.words
    assert "has no clip_l" in baker(lora | text, "--strict-components", status=3).stderr
    assert "none of its 1 modules" in baker(text, status=3).stderr
    assert width > 0


def test_a_whole_model_has_to_have_the_component(bake):
    baker = bake()
    lora = query(baker) | pair_for("lora_te2_text_model_encoder_layers_0_mlp_fc1", 64, 16)
    assert "lora_te2_text_model_encoder_layers_0_mlp_fc1" in baker(lora, status=3).stderr


@pytest.mark.parametrize("base, other, title", [("sd15", "sdxl", "Stable Diffusion XL"), ("sdxl", "sd15", "Stable Diffusion 1.x"),
                                                 ("flux1-dev", "sdxl", "Stable Diffusion XL"), ("sd15", "flux1-dev", "FLUX.1")])
def test_an_adapter_of_another_architecture_is_refused_from_the_headers(weightsmith, tmp_path, tiny, base, other, title):
    path = tmp_path / "full.safetensors"
    weightsmith("synth", other, "--sparse", "-o", path)
    shapes, _ = adapters.shapes_of(adapters.weights_of(support.header_of(path)[0]), "lora", "kohya")
    adapters.write_sparse(tmp_path / "lora.safetensors", shapes)
    words = weightsmith("bake", tiny(base), "--lora", "lora.safetensors", "-o", "out.safetensors", status=3).stderr
    assert "is made for" in words and title in words
    assert len(words.splitlines()) < 4


@pytest.mark.parametrize("what, change", {
    "is missing up": lambda t: {k: v for k, v in t.items() if "up" not in k},
    "is missing down": lambda t: {k: v for k, v in t.items() if "down" not in k},
    "the rank of up is 3, not 4": lambda t: {k: v[:, :3] if "up" in k else v for k, v in t.items()},
    "not finite": lambda t: {k: np.where(v == v.max(), np.nan, v).astype(np.float32) for k, v in t.items()},
    "expected": lambda t: {k: np.vstack([v, v]) if "up" in k else v for k, v in t.items()},
    "is LoRA and has hada_w1_a": lambda t: t | {f"{QUERY}.hada_w1_a": np.ones((4, 4), np.float32)} if False else t | {f"{QUERY}.rescale": np.ones(4, np.float32)},
}.items(), ids=lambda x: x if isinstance(x, str) else "")
def test_incomplete_and_malformed_modules_are_refused(bake, what, change):
    baker = bake()
    words = baker(change(query(baker)), status=3).stderr
    assert (what if "hada" not in what else "is LoRA and has rescale") in words and QUERY in words


def test_what_is_ignored_is_told(bake):
    baker = bake()
    baker(query(baker) | {"bundle_emb.cat.string_to_param.*": np.ones((2, 4), np.float32)})
    assert "ignored (a textual inversion): bundle_emb.cat.string_to_param.*" in baker.words


def test_the_same_under_two_names_counts_once(bake):
    baker = bake()
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    lora = query(baker)
    diffusers = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    twice = lora | {k.replace(QUERY, diffusers): v for k, v in lora.items()}
    baker.expect(baker(twice), {name: (ALL, delta(lora, QUERY))})
    assert "the same under another name" in baker.words
    other = lora | {k.replace(QUERY, diffusers): 2 * v for k, v in lora.items()}
    assert "change the same rows" in baker(other, status=3).stderr
