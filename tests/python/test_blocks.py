"""Block weights, judged by a probe: parents that hold 0 and 1 make the result show every weight.

Where a key stands and what it gets is computed here once more, from the published maps.
"""

import re

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import support


@pytest.fixture
def probe(weightsmith, tiny, tmp_path):
    """Merges parents of 0 and 1 with some alpha; gives name -> alpha that each floating tensor got."""
    def run(architecture, alpha, policy=None, status=0, options=(), everyday=None):
        names = load_file(tiny(architecture))
        for letter, value in (("a", 0), ("b", 1)):
            save_file({k: np.full(v.shape, value, np.float32) if v.dtype != np.int64 else v for k, v in names.items()},
                      tmp_path / f"{letter}.safetensors")
        if everyday is not None:
            result = weightsmith("merge", "a.safetensors", "b.safetensors", "--force", "-o", "out.safetensors", *everyday,
                                 status=status)
        else:
            recipe = {
                "models": {"a": "a.safetensors", "b": "b.safetensors"},
                "steps": {"out": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": alpha}},
                "output": {"model": "out", "path": "out.safetensors"},
            }
            if policy:
                recipe["policy"] = policy
            support.write_recipe(tmp_path / "recipe.yaml", recipe)
            result = weightsmith("merge", "recipe.yaml", "--force", *options, status=status)
        if status:
            return result.stderr
        out = load_file(tmp_path / "out.safetensors")
        told = {}
        for name, array in out.items():
            if array.dtype == np.int64:
                continue
            assert (array == array.flat[0]).all(), name
            told[name] = float(array.flat[0])
        return told
    return run


def number(name, stem):
    found = re.search(rf"\.{stem}\.(\d+)\.", name)
    return int(found.group(1)) if found else None


def mergeable(name):
    return "weight" in name or "bias" in name


def unet_place(name, blocks):
    """Place in BASE, IN.., M00, OUT.. as SuperMerger maps keys, or None where it takes A."""
    if not mergeable(name):
        return None
    if ".time_embed." in name or (blocks == 9 and ".label_emb." in name):
        return 1
    if name.startswith("model.diffusion_model.out."):
        return 1 + 2 * blocks
    if (n := number(name, "input_blocks")) is not None:
        return 1 + n
    if ".middle_block." in name:
        return 1 + blocks
    if (n := number(name, "output_blocks")) is not None:
        return 2 + blocks + n
    return 0


def flux_place(name):
    if not mergeable(name) or name.startswith("vae."):
        return None
    if name.startswith("text_encoders.clip_l"):
        return 0
    if name.startswith("text_encoders.t5xxl"):
        return 1
    if (n := number(name, "double_blocks")) is not None:
        return 3 + n
    if (n := number(name, "single_blocks")) is not None:
        return 22 + n
    return 60 if ".final_layer." in name else 2


def numbers(n):
    return [round((i + 1) / 100, 2) for i in range(n)]


def f32(value):
    return float(np.float32(value))


def check(told, expected):
    wrong = {name: (value, expected(name)) for name, value in told.items() if value != f32(expected(name))}
    assert not wrong, dict(list(wrong.items())[:5])


def test_a_list_of_26_on_sd1(probe):
    values = numbers(26)
    told = probe("sd15", values)
    check(told, lambda name: 0 if unet_place(name, 12) is None else values[unet_place(name, 12)])
    assert {v for v in told.values()} >= {f32(v) for v in values}, "every number is somewhere"


def test_lists_on_sdxl(probe):
    for length in (20, 21):
        values = numbers(length)

        def expected(name):
            place = unet_place(name, 9)
            if place is None:
                return 0
            return values[20] if length == 21 and name.startswith("first_stage_model.") else values[place]

        check(probe("sdxl", values), expected)


def test_a_list_of_26_on_sdxl_gives_the_blocks_by_their_known_positions(probe):
    values = numbers(26)
    kept = [values[0], *values[1:10], *values[13:23]]  # BASE, IN00-IN08, M00, OUT00-OUT08

    def expected(name):  # BASE has the text encoders and the VAE, as in a list of 20
        place = unet_place(name, 9)
        return 0 if place is None else kept[place]

    check(probe("sdxl", values), expected)


def test_a_list_of_61_on_flux(probe, tiny, weightsmith, tmp_path):
    values = numbers(61)
    check(probe("flux1-dev", values),
          lambda name: 0 if flux_place("model.diffusion_model." + name) is None
          else values[flux_place("model.diffusion_model." + name)])


def test_a_list_that_does_not_fit_says_what_does(probe):
    said = probe("flux1-dev", numbers(26), status=3)
    assert "26 numbers" in said and "61" in said
    assert "the length of no known order of blocks" in probe("sd15", numbers(5), status=2)


def test_rows_of_blocks(probe):
    alpha = {"default": 0.5, "IN00-IN03": 0.1, "M00": 0.9, "te": 0, "unet.out.11": 0.25, "TIME": 0.75,
             "IN04-IN08:attn2": 0.3, "/input_blocks.7.*to_q/": 0.6, "unet.final": 1}

    def expected(name):
        if name.startswith("first_stage_model."):
            return 0
        if re.search("input_blocks.7.*to_q", name):
            return 0.6
        inside = number(name, "input_blocks")
        if inside is not None and 4 <= inside <= 8 and ".attn2." in name:
            return 0.3
        if ".middle_block." in name:
            return 0.9
        if number(name, "output_blocks") == 11:
            return 0.25
        if ".time_embed." in name:
            return 0.75
        if name.startswith("model.diffusion_model.out."):
            return 1
        if inside is not None and inside <= 3:
            return 0.1
        return 0 if name.startswith("cond_stage_model.") else 0.5

    check(probe("sd15", alpha), expected)


def test_knots_are_linear_over_the_range_of_their_row(probe):
    def expected(name):
        if name.startswith(("first_stage_model.", "conditioner.")):
            return 0
        n = number(name, "input_blocks")
        return 0.5 if n is None or n > 8 else 0.1 + (0.9 - 0.1) * n / 8 if n <= 4 or n > 4 else 0

    told = probe("sdxl", {"default": 0.5, "te": 0, "IN00-IN08": [0.1, 0.9]})
    for name, value in told.items():
        assert value == pytest.approx(expected(name), abs=1e-7), name


def unet_depth(name, blocks):
    n = number(name, "input_blocks")
    total = 2 * blocks
    if n is not None:
        return n / total
    if ".middle_block." in name:
        return blocks / total
    if (n := number(name, "output_blocks")) is not None:
        return (blocks + 1 + n) / total
    return 0 if ".time_embed." in name or ".label_emb." in name else 1


@pytest.mark.parametrize("architecture, blocks", [("sd15", 12), ("sdxl", 9)])
def test_a_curve_keeps_its_shape_on_any_depth(probe, architecture, blocks):
    told = probe(architecture, {"te": 0.25, "unet": {"curve": "GRAD_V", "scale": 0.5, "offset": 0.1}})
    for name, value in told.items():
        if name.startswith("first_stage_model."):
            assert value == 0
        elif name.startswith(("cond_stage", "conditioner")):
            assert value == 0.25
        else:
            assert value == pytest.approx(0.5 * abs(1 - 2 * unet_depth(name, blocks)) + 0.1, abs=1e-6), name


def test_a_preset_is_its_list_where_that_fits_and_its_curve_elsewhere(probe):
    grad = [0, *(abs(1 - 2 * i / 24) for i in range(25))]
    for name, value in probe("sd15", "GRAD_V").items():
        place = unet_place(name, 12)
        assert value == pytest.approx(0 if place is None else grad[place], abs=1e-7), name
    for name, value in probe("flux1-dev", "GRAD_V").items():
        double, single = number("." + name, "double_blocks"), number("." + name, "single_blocks")
        if double is not None or single is not None:
            depth = (double if double is not None else 19 + single) / 56
            assert value == pytest.approx(abs(1 - 2 * depth), abs=1e-6), name


def test_users_presets(probe, tmp_path):
    (tmp_path / "mine.tsv").write_text("preset_name\tpreset_weights\nMINE\t" + ",".join(["0.5"] * 26) + "\n")
    told = probe("sd15", "MINE", options=("--presets", "mine.tsv"))
    assert {v for n, v in told.items() if mergeable(n)} == {0.5}
    assert "there is no preset" in probe("sd15", "GRAD_W", status=2)
    (tmp_path / "bad.tsv").write_text("MINE\t0.5,R\n")
    assert "bad.tsv:1" in probe("sd15", "MINE", options=("--presets", "bad.tsv"), status=4)


def test_a_row_that_no_tensor_is_at_is_an_error(probe):
    assert "no tensor is at 'IN11'" in probe("sdxl", {"default": 0.5, "IN11": 0.1}, status=3)
    assert "no tensor is at 'unet:attn3'" in probe("sd15", {"default": 0.5, "unet:attn3": 0.1}, status=3)


def test_rows_that_leave_tensors_out_are_an_error(probe):
    assert "no row of 'alpha' matches" in probe("sd15", {"IN00-IN11": 0.5}, status=3)
    assert "no row of 'alpha' matches" in probe("sd15", {"curve": [0, 1]}, status=3), "what of the text encoder?"


@pytest.mark.parametrize("alpha", [
    ["--alpha", "0.3,IN00=0,te=0"],
    ["--alpha", "@weights.txt"],
], ids=["rows", "file"])
def test_everyday_rows(probe, tmp_path, alpha):
    (tmp_path / "weights.txt").write_text("default: 0.3\nIN00: 0\nte: 0\n")
    for name, value in probe("sd15", None, everyday=alpha).items():
        zero = name.startswith(("first_stage", "cond_stage")) or ".input_blocks.0." in name
        assert value == (0 if zero else f32(0.3)), name


@pytest.mark.parametrize("alpha", [
    ["--alpha", "GRAD_V"], ["--mbw", "GRAD_V"],
    ["--mbw", ",".join(str(v) for v in [0, *(round(abs(1 - 2 * i / 24), 12) for i in range(25))])],
], ids=["alpha", "mbw by name", "mbw"])
def test_everyday_lists(probe, alpha):
    grad = [0, *(abs(1 - 2 * i / 24) for i in range(25))]
    for name, value in probe("sd15", None, everyday=alpha).items():
        place = unet_place(name, 12)
        assert value == pytest.approx(0 if place is None else grad[place], abs=1e-7), name


def test_a_transformer_that_nobody_declared_has_blocks(weightsmith, tmp_path):
    shape = {f"trunk.{i}.attn.weight": (4, 4) for i in range(5)} | {"stem.weight": (4, 4), "lm_head.weight": (4, 4)}
    for letter, value in (("a", 0.0), ("b", 1.0)):
        save_file({k: np.full(s, value, np.float32) for k, s in shape.items()}, tmp_path / f"{letter}.safetensors")
    support.write_recipe(tmp_path / "recipe.yaml", {
        "models": {"a": "a.safetensors", "b": "b.safetensors"},
        "steps": {"out": {"op": "weighted_sum", "a": "a", "b": "b",
                          "alpha": {"default": 0.5, "trunk.0-4": [0, 1], "head": 0.25}}},
        "output": {"model": "out", "path": "out.safetensors"},
    })
    weightsmith("merge", "recipe.yaml")
    out = {k: float(v.flat[0]) for k, v in load_file(tmp_path / "out.safetensors").items()}
    assert out == {"trunk.0.attn.weight": 0, "trunk.1.attn.weight": 0.25, "trunk.2.attn.weight": 0.5,
                   "trunk.3.attn.weight": 0.75, "trunk.4.attn.weight": 1, "stem.weight": 0.5, "lm_head.weight": 0.25}


def test_rows_with_supermergers_map(probe):
    alpha = {"BASE": 0.1, "IN00-IN11": 0.2, "M00": 0.3, "OUT00-OUT11": 0.4}
    values = [0.1, *[0.2] * 12, 0.3, *[0.4] * 12]
    told = probe("sd15", alpha, policy={"blocks": "supermerger"})
    for name, value in told.items():
        if name.startswith("first_stage_model."):
            assert value == 0, "no row names the VAE"
        else:
            place = unet_place(name, 12)
            assert value == (0 if place is None else f32(values[place])), name
    assert "supermerger" in probe("sd15", numbers(26), policy={"blocks": "clean"}, status=3).lower()


def test_blocks_tells_key_block_and_place(weightsmith, tiny):
    for line in weightsmith("blocks", tiny("sdxl")).stdout.splitlines():
        name, block, place = line.split("\t")
        expected = unet_place(name, 9)
        assert place == ("-" if expected is None else
                         ["BASE", *(f"IN{i:02}" for i in range(9)), "M00", *(f"OUT{i:02}" for i in range(9))][expected]), name
        if (n := number(name, "input_blocks")) is not None:
            assert block == f"unet.in.{n}"
    assert "unet.mid" in weightsmith("blocks", "--summary", tiny("sdxl")).stdout


def test_a_list_that_merges_the_vae_warns_of_it(weightsmith, tiny):
    for alpha, warned in (("GRAD_V", False), (",".join(["0.5"] * 26), True), ("0.5,IN00=0", False)):
        said = weightsmith("plan", tiny("sd15", 1), tiny("sd15", 2), "--alpha", alpha).stderr
        assert ("merges the VAEs" in said) == warned, alpha
