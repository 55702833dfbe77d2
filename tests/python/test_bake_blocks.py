"""Strengths of adapters by block: the community's lists, presets and rows."""

import json

import pytest

import adapters
import support


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
