"""Baking, against numpy: where modules go, what they add, and what is refused."""

import json

import numpy as np
import pytest

import adapters
import support

F32 = ("--dtype", "f32")


def delta(tensors, stem, scale=1.0):
    """scale · up · down in f64."""
    down, up = tensors[f"{stem}.lora_down.weight"].astype(np.float64), tensors[f"{stem}.lora_up.weight"].astype(np.float64)
    return scale * up.reshape(up.shape[0], -1) @ down.reshape(down.shape[0], -1)


def pair_for(stem, rows, columns, rank=4, seed=1, alpha=None, ends=("lora_down.weight", "lora_up.weight")):
    random = np.random.default_rng(seed)
    tensors = {f"{stem}.{ends[0]}": random.standard_normal((rank, columns)).astype(np.float32) * 0.1,
               f"{stem}.{ends[1]}": random.standard_normal((rows, rank)).astype(np.float32) * 0.1}
    if alpha is not None:
        tensors[f"{stem}.alpha"] = np.array(alpha, np.float32)
    return tensors


class Baker:
    """Bakes an adapter of given tensors into a base."""

    def __init__(self, weightsmith, tmp_path, base):
        self.weightsmith, self.folder, self.base = weightsmith, tmp_path, base
        self.before = support.read(base).tensors

    def __call__(self, tensors, *more, strength="", status=0, base=None):
        support.write(self.folder / "lora.safetensors", tensors)
        result = self.weightsmith("bake", base or self.base, "--lora", f"lora.safetensors{strength}", *more, "-f", "-o", "out.safetensors", status=status)
        self.words = result.stderr
        return support.read(self.folder / "out.safetensors").tensors if status == 0 else result

    def expect(self, out, changes, rtol=1e-5):
        """`changes`: name -> (rows, what is added to them)."""
        for name, tensor in self.before.items():
            expected = tensor.astype(np.float64)
            if name in changes:
                rows, change = changes[name]
                expected[rows] += change.reshape(expected[rows].shape)
                np.testing.assert_allclose(out[name].astype(np.float64), expected, rtol=rtol, atol=1e-6, err_msg=name)
                assert not np.array_equal(out[name], tensor), name
            else:
                support.assert_same_bits(out[name], tensor, name)


@pytest.fixture
def bake(weightsmith, tmp_path, tiny):
    return lambda architecture="sd15", *options: Baker(weightsmith, tmp_path, tiny(architecture, 1, *F32, *options))


ALL = slice(None)
ATTENTION = "input_blocks.1.1.transformer_blocks.0.attn1"


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
@pytest.mark.parametrize("architecture", ["sd15", "sdxl"])
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
    assert "alpha that is not finite" in baker(pair_for(stem, *baker.before[name].shape[:2], alpha=alpha), status=3).stderr


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

QUERY = f"lora_unet_{ATTENTION.replace('.', '_')}_to_q"


def query(baker, **options):
    return pair_for(QUERY, *baker.before[f"model.diffusion_model.{ATTENTION}.to_q.weight"].shape, **options)


def test_a_module_that_is_nowhere_is_an_error_with_the_nearest_name(bake, tmp_path):
    baker = bake()
    lora = query(baker) | {name.replace("_to_q", "_to_qq"): tensor for name, tensor in query(baker).items()}
    words = baker(lora, status=3).stderr
    assert f"{QUERY}q" in words and f"did you mean '{QUERY}'" in words and "--allow-unmatched" in words
    assert not (tmp_path / "out.safetensors").exists()
    baker(lora, "--allow-unmatched", "to_qq$")
    assert "do nothing, as is allowed" in baker.words
    assert "has no module" in baker(lora, "--allow-unmatched", "to_k$", status=3).stderr


def test_modules_for_a_component_that_is_elsewhere_are_told(bake, weightsmith, tmp_path):
    baker = bake("flux1-dev")
    width = baker.before["txt_in.weight"].shape[0]
    lora = pair_for("transformer.context_embedder", *baker.before["txt_in.weight"].shape)
    text = pair_for("lora_te1_text_model_encoder_layers_0_mlp_fc1", 64, 16)
    baker(lora | text)
    assert "1 modules are for clip_l, which is not in the model" in baker.words
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
    "lacks up": lambda t: {k: v for k, v in t.items() if "up" not in k},
    "lacks down": lambda t: {k: v for k, v in t.items() if "down" not in k},
    "the rank of up is 3, not 4": lambda t: {k: v[:, :3] if "up" in k else v for k, v in t.items()},
    "not finite": lambda t: {k: np.where(v == v.max(), np.nan, v).astype(np.float32) for k, v in t.items()},
    "whose weight has": lambda t: {k: np.vstack([v, v]) if "up" in k else v for k, v in t.items()},
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
    assert "both change the same rows" in baker(other, status=3).stderr


# Strengths by block.

def strengths(weightsmith, base, blocks, *more):
    plan = json.loads(weightsmith("bake", base, "--lora", "lora.safetensors", "--lora-blocks", blocks, "--dry-run", "--json", "-o", "o.safetensors", *more).stdout)
    return {applied["module"]: applied["strength"] for applied in plan["adapters"][0]["applied"]}


def every_module(tmp_path, base):
    shapes, _ = adapters.shapes_of(adapters.weights_of(support.header_of(base)[0]), "lora", "kohya")
    support.write(tmp_path / "lora.safetensors", adapters.random_tensors({k: tuple(max(1, s) for s in v) for k, v in shapes.items()}))


LISTS = {  # the places of each list, as sd-webui-lora-block-weight has them
    "sd15": {17: ["te", *(f"in{i}" for i in (1, 2, 4, 5, 7, 8)), "mid", *(f"out{i}" for i in range(3, 12))],
             26: ["te", *(f"in{i}" for i in range(12)), "mid", *(f"out{i}" for i in range(12))]},
    "sdxl": {12: ["te", *(f"in{i}" for i in (4, 5, 7, 8)), "mid", *(f"out{i}" for i in range(6))],
             20: ["te", *(f"in{i}" for i in range(9)), "mid", *(f"out{i}" for i in range(9))],
             26: ["te", *(f"in{i}" for i in range(12)), "mid", *(f"out{i}" for i in range(12))]},
    "flux1-dev": {61: ["clip", "t5", "in", *(f"d{i}" for i in range(19)), *(f"s{i}" for i in range(38)), "out"]},
}


def place_of(stem, architecture):
    parts = stem.split("_")
    if parts[1].startswith("te"):
        return "te"
    rest = stem.removeprefix("lora_unet_")
    for beginning, place in [("input_blocks_", "in"), ("output_blocks_", "out"), ("double_blocks_", "d"), ("single_blocks_", "s")]:
        if rest.startswith(beginning):
            return place + rest.removeprefix(beginning).split("_")[0]
    if rest.startswith("middle_block"):
        return "mid"
    if architecture == "flux1-dev":
        return "out" if rest.startswith("final_layer") else "in"
    return "outside"


@pytest.mark.parametrize("architecture, length", [(a, n) for a, lengths in LISTS.items() for n in lengths])
def test_lists_of_every_length_go_to_their_places(weightsmith, tmp_path, tiny, architecture, length):
    base = tiny(architecture)
    every_module(tmp_path, base)
    places = LISTS[architecture][length]
    numbers = [round(0.01 * (i + 1), 2) for i in range(length)]
    found = strengths(weightsmith, base, ",".join(map(str, numbers)))
    for stem, strength in found.items():
        place = place_of(stem, architecture)
        expected = 1 if place == "outside" else numbers[places.index(place)] if place in places else None
        assert expected is not None and abs(strength - expected) < 1e-9, (stem, place, strength)
    # Blocks that a shorter list leaves out have a strength of 0, and nothing to show.
    left_out = {place_of(name.rsplit(".lora_down", 1)[0], architecture) for name in support.read(tmp_path / "lora.safetensors").tensors if "lora_down" in name} - set(places) - {"outside"}
    assert left_out.isdisjoint({place_of(stem, architecture) for stem in found})


def test_presets_rows_and_files_of_blocks(weightsmith, tmp_path, tiny):
    base = tiny("sd15")
    every_module(tmp_path, base)
    out = strengths(weightsmith, base, "OUTALL")
    assert {place_of(stem, "sd15")[:3] for stem, strength in out.items() if strength == 1} >= {"out", "te"}
    assert not any(place_of(stem, "sd15").startswith("in") for stem in out)
    rows = strengths(weightsmith, base, "1,IN04=0.5,te=0")
    assert {s for stem, s in rows.items() if place_of(stem, "sd15") == "in4"} == {0.5}
    assert not any(place_of(stem, "sd15") == "te" for stem in rows)
    (tmp_path / "blocks.txt").write_text("0.5," + ",".join(["0.25"] * 16) + "\n")
    assert {s for stem, s in strengths(weightsmith, base, "blocks.txt").items() if place_of(stem, "sd15") == "te"} == {0.5}
    words = weightsmith("bake", base, "--lora", "lora.safetensors", "--lora-blocks", "1,0,R", "-o", "o.safetensors", status=2).stderr
    assert "R" in words
    words = weightsmith("bake", base, "--lora", "lora.safetensors", "--lora-blocks", ",".join(["1"] * 12), "-o", "o.safetensors", status=3).stderr
    assert "sd1 takes 17, 26" in words


def test_a_list_is_multiplied_by_the_strengths(weightsmith, tmp_path, tiny):
    base = tiny("sd15")
    every_module(tmp_path, base)
    numbers = ",".join(["0.5"] * 17)
    plan = json.loads(weightsmith("bake", base, "--lora", "lora.safetensors:0.6:0.2", "--lora-blocks", numbers, "--dry-run", "--json", "-o", "o.safetensors").stdout)
    found = {place_of(a["module"], "sd15"): a["strength"] for a in plan["adapters"][0]["applied"]}
    assert found["te"] == pytest.approx(0.1) and found["mid"] == pytest.approx(0.3)


# One pass, with other steps.

def test_merge_bake_and_swap_in_one_pass(weightsmith, tmp_path, tiny):
    paths = [tiny("sd15", seed, *F32) for seed in (1, 2)]
    vae = tiny("vae", 3, *F32)
    a, b = (support.read(path).tensors for path in paths)
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    loras = [pair_for(QUERY, *a[name].shape, seed=seed, alpha=3.0) for seed in range(3)]
    for i, lora in enumerate(loras):
        support.write(tmp_path / f"l{i}.safetensors", lora)
    recipe = support.write_recipe(tmp_path / "r.yaml", {
        "models": {"a": str(paths[0]), "b": str(paths[1]), "vae": str(vae)},
        "adapters": {f"l{i}": f"l{i}.safetensors" for i in range(3)},
        "steps": {"mix": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.3},
                  "out": {"op": "bake", "model": "mix", "adapters": ["l0:0.6", {"use": "l1", "strength": {"default": 0.2, "in.1": 0.9}}, "l2:-0.4"]}},
        "output": {"model": "out", "path": "out.safetensors", "components": {"vae": "vae"}}})
    weightsmith("merge", recipe, "--report", "r.json")
    out = support.read(tmp_path / "out.safetensors").tensors
    expected = 0.7 * a[name].astype(np.float64) + 0.3 * b[name] + sum(m * delta(lora, QUERY, 0.75) for m, lora in zip((0.6, 0.9, -0.4), loras))
    np.testing.assert_allclose(out[name], expected, rtol=1e-5, atol=1e-6)
    report = json.loads((tmp_path / "r.json").read_text())
    assert [len(adapter["applied"]) for adapter in report["adapters"]] == [1, 1, 1]
    vae_tensors = support.read(vae).tensors
    for name, tensor in out.items():
        if name.startswith("first_stage_model."):
            support.assert_same_bits(tensor, vae_tensors[name.removeprefix("first_stage_model.")], name)
    files = [support.read(path).tensors for path in [*paths, vae]]
    assert report["bytes_read"] <= sum(t.nbytes for tensors in files for t in tensors.values())
    assert "l0" in (tmp_path / "out.safetensors").read_bytes()[:100_000].decode(errors="replace")


def test_an_adapter_is_a_difference_in_any_step(weightsmith, tmp_path, bake):
    baker = bake()
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    lora = query(baker, alpha=2.0)
    support.write(tmp_path / "lora.safetensors", lora)
    recipe = support.write_recipe(tmp_path / "r.yaml", {
        "models": {"base": str(baker.base)}, "adapters": {"it": "lora.safetensors"},
        "steps": {"half": {"op": "scale", "a": "it", "factor": 0.5}, "out": {"op": "add", "a": "base", "b": "half", "alpha": 3}},
        "output": {"model": "out", "path": "out.safetensors"}})
    weightsmith("merge", recipe)
    baker.expect(support.read(tmp_path / "out.safetensors").tensors, {name: (ALL, 1.5 * delta(lora, QUERY, 0.5))})
    dora = lora | {f"{QUERY}.dora_scale": np.ones((baker.before[name].shape[0], 1), np.float32)}
    support.write(tmp_path / "lora.safetensors", dora)
    assert "is no difference by itself" in weightsmith("merge", recipe, "-f", status=3).stderr


def test_several_models_give_several_outputs(weightsmith, tmp_path, tiny):
    bases = [tiny("sd15", seed, *F32) for seed in (1, 2)]
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    lora = pair_for(QUERY, *support.read(bases[0])[name].shape)
    support.write(tmp_path / "detail.safetensors", lora)
    out = weightsmith("bake", *bases, "--lora", "detail.safetensors:0.5", "-o", "baked", "--mkdir").stdout.split()
    assert len(out) == 2 and all("+0.50(detail).safetensors" in path for path in out)
    for base, path in zip(bases, out):
        expected = support.read(base)[name] + 0.5 * delta(lora, QUERY)
        np.testing.assert_allclose(support.read(tmp_path / path)[name], expected, rtol=1e-5, atol=1e-6)


def test_an_adapter_has_to_change_every_model_that_it_is_baked_into(weightsmith, tmp_path, tiny):
    bases = [tiny("sd15", 1, *F32), tiny("flux1-dev", 1, *F32)]
    support.write(tmp_path / "detail.safetensors", pair_for(QUERY, *support.read(bases[0])[f"model.diffusion_model.{ATTENTION}.to_q.weight"].shape))
    words = weightsmith("bake", *bases, "--lora", "detail.safetensors", "-o", "baked", "--mkdir", status=3).stderr
    assert "adapter 'detail' changes nothing of 'flux1-dev" in words


def test_merge_takes_loras_too(weightsmith, tmp_path, tiny):
    bases = [tiny("sd15", seed, *F32) for seed in (1, 2)]
    a, b = (support.read(path).tensors for path in bases)
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    lora = pair_for(QUERY, *a[name].shape)
    support.write(tmp_path / "detail.safetensors", lora)
    weightsmith("merge", *bases, "--alpha", 0.25, "--lora", "detail.safetensors:0.5", "-o", "out.safetensors")
    expected = 0.75 * a[name].astype(np.float64) + 0.25 * b[name] + 0.5 * delta(lora, QUERY)
    np.testing.assert_allclose(support.read(tmp_path / "out.safetensors")[name], expected, rtol=1e-5, atol=1e-6)


# What is left behind, and what does not matter.

def test_verify_recomputes_and_says_no(weightsmith, tmp_path, bake):
    baker = bake()
    baker(query(baker, alpha=2.0), strength=":0.7")
    folder = baker.base.parent
    assert "recomputed" in weightsmith("verify", "out.safetensors", "--models", folder).stdout
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    whole = bytearray((tmp_path / "out.safetensors").read_bytes())
    header, start = support.header_of(tmp_path / "out.safetensors")
    whole[start + header[name]["data_offsets"][0] + 1] ^= 1
    (tmp_path / "out.safetensors").write_bytes(whole)
    assert name in weightsmith("verify", "out.safetensors", "--models", folder, status=7).stderr


def test_verify_finds_another_adapter_than_was_baked(weightsmith, tmp_path, bake):
    baker = bake()
    lora = query(baker, alpha=2.0)
    baker(lora)
    support.write(tmp_path / "lora.safetensors", {k: v * 2 for k, v in lora.items()})
    weightsmith("verify", "out.safetensors", "--models", baker.base.parent, status=7)


FAMILY_CASES = sorted(adapters.FAMILIES)


@pytest.mark.parametrize("family", FAMILY_CASES)
def test_the_bytes_depend_on_nothing_but_the_inputs(weightsmith, tmp_path, tiny, family):
    base = tiny("sd15")
    shapes, _ = adapters.shapes_of(adapters.weights_of(support.header_of(base)[0]), family, "kohya")
    tensors = adapters.random_tensors(shapes, dtype=np.float16)
    for name in tensors:
        if name.endswith("on_input"):
            tensors[name] = np.array(0, np.int64)
    support.write(tmp_path / "lora.safetensors", tensors)
    found = set()
    for options, environment in [((), {}), (("--threads", "1"), {}), (("--threads", "7"), {}), (("--io", "map"), {}),
                                 ((), {"WEIGHTSMITH_SIMD": "SCALAR"}), ((), {"WEIGHTSMITH_SIMD": "AVX2"}), (("--max-memory", "200MB"), {})]:
        weightsmith("bake", base, "--lora", "lora.safetensors:0.7", "-f", "-o", "out.safetensors", *options, env=environment)
        found.add(support.sha256(tmp_path / "out.safetensors"))
    assert len(found) == 1


def test_a_run_that_is_killed_goes_on(weightsmith, tmp_path):
    random = np.random.default_rng(3)
    base = {f"blocks.{i}.q.weight": random.standard_normal((1024, 1024)).astype(np.float16) for i in range(48)}
    support.write(tmp_path / "base.safetensors", base)
    lora = {}
    for i in range(48):
        lora |= pair_for(f"diffusion_model.blocks.{i}.q", 1024, 1024, 16, seed=i)
    support.write(tmp_path / "lora.safetensors", lora)
    command = ("bake", "base.safetensors", "--lora", "lora.safetensors", "-o", "out.safetensors")
    weightsmith(*command)
    expected = support.sha256(tmp_path / "out.safetensors")
    (tmp_path / "out.safetensors").unlink()
    for wait in (0.03, 0.06, 0.1):
        process = weightsmith.start(*command)
        try:
            process.wait(wait)
        except Exception:
            process.kill()
            process.wait()
        # Killed at its very end, it has done all of it.
        if (tmp_path / "out.safetensors").exists():
            break
    assert not (tmp_path / "out.safetensors").exists() or support.sha256(tmp_path / "out.safetensors") == expected
    weightsmith(*command, "-f")
    assert support.sha256(tmp_path / "out.safetensors") == expected


@pytest.mark.parametrize("dtype", ["f16", "bf16", "f32", "f8_e4m3", "f8_e5m2"])
def test_every_dtype_is_read_rounded_once_and_kept(weightsmith, tmp_path, tiny, dtype):
    base = tiny("sd15", 1, "--dtype", dtype)
    before = support.read(base).tensors
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    lora = pair_for(QUERY, *before[name].shape)
    support.write(tmp_path / "lora.safetensors", lora)
    weightsmith("bake", base, "--lora", "lora.safetensors", "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors")[name]
    f32 = before[name].astype(np.float32)
    change = np.zeros(f32.shape, np.float32)
    for k in range(4):  # by ascending rank, products and sums rounded one by one
        change += lora[f"{QUERY}.lora_up.weight"][:, k:k + 1] * lora[f"{QUERY}.lora_down.weight"][k:k + 1]
    support.assert_same_bits(out, (f32 + change).astype(before[name].dtype))


def test_changes_that_rounding_loses_are_warned_of(weightsmith, tmp_path, tiny):
    base = tiny("sd15", 1, "--dtype", "bf16")
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    lora = pair_for(QUERY, *support.read(base)[name].shape)
    support.write(tmp_path / "lora.safetensors", lora)
    words = weightsmith("bake", base, "--lora", "lora.safetensors:0.001", "--report", "r.json", "-o", "out.safetensors").stderr
    assert "warning" in words and "differ after rounding" in words and "stochastic" in words
    (applied,) = json.loads((tmp_path / "r.json").read_text())["adapters"][0]["applied"]
    before, after = support.read(base)[name], support.read(tmp_path / "out.safetensors")[name]
    assert applied["elements_changed_after_rounding"] == np.count_nonzero(support.bits(before) != support.bits(after))
    change = after.astype(np.float64) - before.astype(np.float64)
    exact = 0.001 * delta(lora, QUERY)
    assert applied["relative_change"] == pytest.approx(np.linalg.norm(exact) / np.linalg.norm(before.astype(np.float64)), rel=1e-3)
    assert np.count_nonzero(change) < 0.8 * change.size


def test_a_strength_of_zero_is_a_note(bake):
    baker = bake()
    out = baker(query(baker), strength=":0")
    baker.expect(out, {})
    assert "weight 0" in baker.words or "changes nothing" in baker.words


def test_the_base_may_have_any_layout(weightsmith, tmp_path, bake):
    baker = bake("sdxl")
    name = "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight"
    stem = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q"
    lora = pair_for(stem, *baker.before[name].shape)
    direct = baker(lora)
    weightsmith("convert", baker.base, "--layout", "diffusers", "-o", "pipeline")
    other = baker(lora, base="pipeline")
    assert direct.keys() == other.keys()
    for tensor in direct:
        support.assert_same_bits(other[tensor], direct[tensor], tensor)


@pytest.mark.parametrize("dtype", ["bf16", "f16", "f8_e4m3"])
def test_stochastic_rounding_keeps_small_changes_on_average(weightsmith, tmp_path, tiny, dtype):
    base = tiny("sd15", 1, "--dtype", dtype)
    name = f"model.diffusion_model.{ATTENTION}.to_q.weight"
    before = support.read(base)[name]
    change = np.full(before.shape, {"bf16": 1e-5, "f16": 1e-6, "f8_e4m3": 2e-4}[dtype], np.float32)
    support.write(tmp_path / "lora.safetensors", {f"{QUERY}.diff": change})
    out = {}
    for rounding in ("nearest", "stochastic", *(f"stochastic:{seed}" for seed in range(8))):
        weightsmith("bake", base, "--lora", "lora.safetensors", "--rounding", rounding, "-f", "-o", "out.safetensors", "--policy", "effect=any")
        out[rounding] = support.read(tmp_path / "out.safetensors")[name]
        weightsmith("verify", "out.safetensors", "--models", base.parent)
    support.assert_same_bits(out["stochastic"], out["stochastic:0"])
    assert not np.array_equal(support.bits(out["stochastic"]), support.bits(out["stochastic:1"]))

    def mean(tensor):
        return (tensor.astype(np.float64) - before.astype(np.float64)).mean() / change.mean()

    together = np.mean([mean(out[f"stochastic:{seed}"]) for seed in range(8)])
    assert abs(mean(out["nearest"])) < 0.7
    assert 0.5 < together < 1.5
    assert "is nearest, stochastic" in weightsmith("bake", base, "--lora", "lora.safetensors", "--rounding", "up", "-o", "o.safetensors", status=2).stderr
