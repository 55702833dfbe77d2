"""Adapters that somebody wrote to do harm, or by mistake: every one ends in a message, none in a crash or a hang."""

import json
import re

import numpy as np
import pytest

import support
from baker import QUERY, pair_for, query

LAYER = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj"


@pytest.fixture(scope="module")
def base(session_weightsmith, tmp_path_factory):
    path = tmp_path_factory.mktemp("base") / "base.safetensors"
    session_weightsmith("synth", "sd15", "--scale", "tiny", "--dtype", "f32", "-q", "-o", path)
    return path


@pytest.fixture
def attack(weightsmith, tmp_path, base):
    """Bakes tensors with metadata of diffusers, and shows them; both end with the status."""

    def run(tensors, status, metadata=None, shown=None, more=()):
        path = support.write(tmp_path / "lora.safetensors", tensors,
                             None if metadata is None else {"lora_adapter_metadata": metadata if isinstance(metadata, str) else json.dumps(metadata)})
        weightsmith("lora", "info", path, status=status if shown is None else shown)
        return " ".join(weightsmith("bake", base, "--lora", path, "-f", "-o", "out.safetensors", *more, status=status).stderr.split())

    return run


def layer(stem=LAYER):
    return pair_for(stem, 32, 32, ends=("lora_A.weight", "lora_B.weight"))


# Expressions in a configuration.


def test_a_name_of_60000_letters_is_matched(attack):
    words = attack(layer("text_encoder." + "a" * 60000 + ".q_proj"), 3, {"text_encoder.lora_alpha": 4}, shown=0)
    assert "has no module named" in words


@pytest.mark.parametrize("pattern", ["([a-z_.0-9]+)+!", "(a|aa)+$", "(.*)*(.*)*(.*)*x", "((((" * 100 + "a" + "))))" * 100])
def test_expressions_that_take_others_years_are_matched(attack, pattern):
    attack(layer(), 0, {"text_encoder.lora_alpha": 4, "text_encoder.alpha_pattern": {pattern: 8}})


@pytest.mark.parametrize("pattern, why", [("(" * 20000 + "a" + ")" * 20000, "40,001"), ("a{1000}{1000}", "repetition"), ("(?=a)b", "look-ahead"),
                                          ("(?<!a)b", "look-ahead and look-behind"), (r"(a)\1", "back-references"), ("(?P<n>a)(?P=n)", "back-references"), ("(", "malformed")])
def test_expressions_that_cannot_be_matched_are_named(attack, pattern, why):
    words = attack(layer(), 4, {"text_encoder.alpha_pattern": {pattern: 8}})
    assert why in words and "'text_encoder.alpha_pattern'" in words and "lora.safetensors" in words and pattern[:40] in words


@pytest.mark.parametrize("key", ["alpha_pattern", "rank_pattern", "feedforward_modules"])
def test_the_same_in_a_configuration_of_peft(weightsmith, tmp_path, base, key):
    folder = tmp_path / "peft"
    folder.mkdir()
    support.write(folder / "adapter_model.safetensors", layer(f"base_model.model.{LAYER}"))
    pattern = "(?!q_proj).*"
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 4, key: pattern if key == "feedforward_modules" else {pattern: 2}}))
    words = " ".join(weightsmith("bake", base, "--lora", folder, "-o", "out.safetensors", status=4).stderr.split())
    assert "adapter_config.json" in words and f"'{key}'" in words and pattern in words and "look-ahead" in words


@pytest.mark.parametrize("metadata", ["[" * 1_000_000, '{"a":' * 1_000_000, "{", "null", "[1]", '"x"', '{"unet.r": 1e999}', '{"unet.lora_alpha": [' + "[" * 100_000])
def test_metadata_that_are_no_configuration(attack, metadata):
    words = attack(layer(), 4, metadata)
    assert "lora_adapter_metadata" in words and len(words) < 1000


# Factors and numbers.

FITTING = {"lora_down.weight": (4, 8), "lora_up.weight": (8, 4)}
FACTORS = {  # for a weight of 8 x 8; what is said of it, nothing where they fit
    "no rank": ({"lora_down.weight": (0, 8), "lora_up.weight": (8, 0)}, "without any element"),
    "a down of no axis": ({"lora_down.weight": (), "lora_up.weight": (8, 1)}, "rank 0"),
    "other ranks": ({"lora_down.weight": (4, 8), "lora_up.weight": (8, 3)}, "the rank of up is 3, not 4"),
    "an up of one axis": ({"lora_down.weight": (1, 8), "lora_up.weight": (9,)}, "expected 9"),
    "one core of two": ({"hada_w1_a": (8, 4), "hada_w1_b": (4, 8), "hada_w2_a": (8, 4), "hada_w2_b": (4, 8), "hada_t1": (4, 4, 1, 1)}, "is LoHa and has hada_t1"),
    "a narrow a2": ({"a1.weight": (8, 4), "a2.weight": (4, 3), "b1.weight": (8, 4), "b2.weight": (4, 8)}, "the width of a2 is 3, not 8"),
    "a short rescale of BOFT": ({"oft_blocks": (2, 2, 4, 4), "rescale": (3, 1)}, "the length of rescale is 3, not 8"),
    "a short rescale of OFT": ({"oft_blocks": (2, 4, 4), "rescale": (3, 1)}, "the length of rescale is 3, not 8"),
    "blocks that are not square": ({"oft_blocks": (2, 4, 3)}, "the width of a block is 3, not 4"),
    "too many stages": ({"oft_blocks": (60, 2, 4, 4)}, "the rest of the blocks"),
    "a triangle of PEFT": ({"oft_R.weight": (1, 5)}, "elements of a triangle"),
    "a matrix of three axes": ({"lokr_w1": (4, 2, 2), "lokr_w2": (2, 2)}, None),
    "a DoRA of another length": ({**FITTING, "dora_scale": (7, 1)}, "magnitudes of shape [7, 1]"),
    "values without indices": ({**FITTING, "bias_values": (3,)}, "sparse indices"),
    "a factor of IA3 too few": ({"weight": (7,), "on_input": ()}, "the number of factors of the input is 7, not 8"),
    "several alphas": ({**FITTING, "alpha": (4,)}, "alpha of shape [4]"),
}


@pytest.mark.parametrize("what", support.sampled(FACTORS, 4))
def test_factors_that_do_not_fit(attack, what):
    shapes, problem = FACTORS[what]
    words = attack({f"{QUERY}.{end}": np.full(shape, 0.01, np.float32) for end, shape in shapes.items()}, 0 if problem is None else 3, shown=0)
    assert problem is None or problem in words


@pytest.mark.parametrize("alpha", [np.float32(np.nan), np.float32(np.inf), np.float64(1e300), np.float64(-1e300)])
def test_scales_that_are_no_numbers(attack, bake, alpha):
    lora = query(bake()) | {f"{QUERY}.alpha": np.array(alpha)}
    assert "expected a finite number" in attack(lora, 3, shown=0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_factors_that_are_no_numbers(attack, bake, value):
    lora = query(bake())
    lora[f"{QUERY}.lora_up.weight"][0, 0] = value
    assert "not finite" in attack(lora, 3, shown=0)


def test_a_product_that_leaves_the_range_is_an_error(attack, bake):
    lora = {name: np.full_like(tensor, 1e30) for name, tensor in query(bake()).items()}
    assert "leave the range" in attack(lora, 3, shown=0)


def test_negative_alphas_are_numbers(attack, bake):
    attack(query(bake()) | {f"{QUERY}.alpha": np.array(-4, np.float32)}, 0)


@pytest.mark.parametrize("terms", [1e300, -1, 2_000_000_000, 101])
def test_numbers_of_terms_have_a_limit(weightsmith, tmp_path, base, terms):
    folder = tmp_path / "peft"
    folder.mkdir()
    support.write(folder / "adapter_model.safetensors", {f"base_model.model.{LAYER}.oft_R.weight": np.ones((4, 28), np.float32)})
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "OFT", "num_cayley_neumann_terms": terms}))
    assert "expected 0 to 100" in weightsmith("bake", base, "--lora", folder, "-o", "out.safetensors", status=4).stderr


# Many of everything.


def test_thousands_of_names_for_one_weight(attack, bake):
    lora = query(bake())
    many = dict(lora)
    for i in range(1, 3000):
        many |= {name.replace(QUERY, QUERY + "_" * i): tensor for name, tensor in lora.items()}
    attack(many, 0)
    other = {name: tensor * (1 + (i > 100)) for i, (name, tensor) in enumerate(many.items())}
    words = attack(other, 3, shown=0)
    assert "change the same rows" in words and "more)" in words and len(words) < 2000


@pytest.mark.exhaustive  # as are those for one weight
def test_thousands_of_names_for_nothing(attack):
    tensors = {}
    for i in range(20_000):
        tensors[f"{LAYER}x{i}.lora_A.weight"] = np.ones((1, 1), np.float16)
        tensors[f"{LAYER}x{i}.lora_B.weight"] = np.ones((1, 1), np.float16)
    words = attack(tensors, 3, shown=0)
    assert re.search(r"and 19,?99\d more", words) and len(words) < 5000


def test_thousands_of_expressions_for_thousands_of_modules(attack):
    tensors = {f"{LAYER}x{i}.{end}": np.ones((1, 1), np.float16) for i in range(5000) for end in ("lora_A.weight", "lora_B.weight")}
    attack(tensors, 3, {"text_encoder.lora_alpha": 4, "text_encoder.alpha_pattern": {f"layers.{i}.self_attn.q_projx{i}": i + 1 for i in range(5000)}}, shown=0)


@pytest.mark.parametrize("letters", support.sampled(["_", "_orig_mod.", "module.", ".", "é"], 8))
def test_long_names_of_one_letter(attack, letters):
    attack(layer("text_encoder." + letters * (60000 // len(letters)) + "q"), 3, shown=0)


def test_names_that_differ_by_case_are_other_names(attack):
    assert "has no module named" in attack(layer() | layer(LAYER.upper()), 3, shown=0)


def test_a_textual_inversion_alone_is_no_adapter(attack):
    assert "holds no adapter" in attack({"emb_params": np.ones((4, 32), np.float32), "clip_l": np.ones((4, 32), np.float32)}, 4)


@pytest.mark.parametrize("dtype", ["F8_E4M3", "F8_E5M2"])
def test_factors_in_fp8_are_decoded(attack, bake, dtype):
    attack({name: tensor.astype(support.DTYPES[dtype]) for name, tensor in query(bake()).items()}, 0)
