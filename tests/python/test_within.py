"""`within`: a step on the tensors that are selected, and the bytes of a model for all others."""

import json
import re
import sys

import numpy as np
import pytest

import support
from oracle import Arithmetic

sys.path.insert(0, str(support.build() / "python"))

import weightsmith as ws  # noqa: E402

VAE = "first_stage_model."
UNET = "model.diffusion_model."
MIX = {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.25}


@pytest.fixture
def three(tiny):
    paths = [tiny("sd15", seed, "--dtype", "f32") for seed in (1, 2, 3)]
    return paths, [support.read(path).tensors for path in paths]


@pytest.fixture
def run(weightsmith, tmp_path, three):
    def run(step, *more, status=0, command="merge", **keys):
        recipe = {"models": dict(zip("abc", map(str, three[0]))), "steps": {"x": step},
                  "output": {"model": "x", "path": "out.safetensors"}, **keys}
        used = json.dumps([recipe["steps"], recipe["output"]])
        recipe["models"] = {name: path for name, path in recipe["models"].items() if f'"{name}"' in used}
        support.write_recipe(tmp_path / "r.json", recipe)
        result = weightsmith(command, "r.json", *more, status=status)
        return support.read(tmp_path / "out.safetensors").tensors if status == 0 and command == "merge" else result

    return run


def block(name):
    """"in.4" of a tensor of the UNet; empty for any other."""
    found = re.match(re.escape(UNET) + r"(input|output|middle)_blocks?\.(\d+)\.", name)
    return f"{found[1]}.{found[2]}" if found else ""


def in_blocks(first, last):
    return lambda name, _: block(name) in {f"input.{number}" for number in range(first, last + 1)}


SELECTIONS = {
    "component": ({"component": "unet"}, lambda name, _: name.startswith(UNET)),
    "components": ({"component": ["unet", "te"]}, lambda name, _: not name.startswith(VAE)),
    "block": ({"block": "IN04-IN08"}, in_blocks(4, 8)),
    "blocks": ({"block": ["IN01", "IN04-IN05"]}, lambda name, _: block(name) in ("input.1", "input.4", "input.5")),
    "element": ({"block": "IN01-IN08:attn2"}, lambda name, x: in_blocks(1, 8)(name, x) and ".attn2." in name),
    "regex": ({"name": "/attn2/"}, lambda name, _: "attn2" in name),
    "step of the name": ({"name": "attn1.to_q"}, lambda name, _: ".attn1.to_q." in name),
    "names": ({"name": ["/attn1/", "attn2"]}, lambda name, _: "attn1" in name or ".attn2." in name),
    "rank": ({"rank": 2}, lambda name, x: x.ndim == 2 and not name.startswith(VAE)),
    "ranks": ({"rank": [1, 4]}, lambda name, x: x.ndim in (1, 4) and not name.startswith(VAE)),
    "larger": ({"larger_than": "1K"}, lambda name, x: x.size > 1000 and not name.startswith(VAE)),
    "between": ({"larger_than": 100, "smaller_than": "0.5K"}, lambda name, x: 100 < x.size < 500 and not name.startswith(VAE)),
    "all of them": ({"component": "unet", "block": "IN01-IN08", "name": "/attn2/", "rank": 2, "larger_than": 10},
                    lambda name, x: in_blocks(1, 8)(name, x) and "attn2" in name and x.ndim == 2 and x.size > 10),
    "one of them": ([{"block": "IN01"}, {"component": "te", "rank": 1}],
                    lambda name, x: block(name) == "input.1" or (not name.startswith((UNET, VAE)) and x.ndim == 1)),
}


@pytest.mark.parametrize("what", support.sampled(SELECTIONS, 3))
def test_what_is_selected_is_the_steps_and_the_rest_the_models(run, three, what):
    where, selects = SELECTIONS[what]
    a, b, _ = three[1]
    out = run({"op": "within", "model": "a", "apply": MIX, "where": where})
    assert sorted(out) == sorted(a)
    selected = [name for name in a if a[name].dtype == np.float32 and selects(name, a[name])]
    assert 0 < len(selected) < len(a)
    for name in a:
        mixed = name in selected
        expected = Arithmetic().weighted_sum(a[name], b[name], 0.25) if mixed else a[name]
        support.assert_same_bits(out[name], expected, name)


def test_the_rest_is_that_of_a_model_which_the_step_does_not_have(run, three):
    a, b, c = three[1]
    out = run({"op": "within", "model": "c", "apply": MIX, "where": {"block": "M00"}})
    for name in a:
        expected = Arithmetic().weighted_sum(a[name], b[name], 0.25) if block(name).startswith("middle") else c[name]
        support.assert_same_bits(out[name], expected, name)


def test_what_is_not_selected_is_not_read(run):
    told = json.loads(run({"op": "within", "model": "a", "apply": "b", "where": {"block": "M00"}}, "--json", command="plan").stdout)
    used = {model["name"]: model["tensors_used"] for model in told["models"]}
    assert 0 < used["b"] < used["a"]
    assert used["a"] + used["b"] == next(model["tensors_matched"] for model in told["models"] if model["name"] == "a")


@pytest.mark.parametrize("step", support.sampled([
    {"op": "slerp", "a": "a", "b": "b", "alpha": 0.3},
    {"op": "ties", "base": "c", "of": [{"model": "a", "weight": 1}, {"model": "b", "weight": 0.5}], "density": 0.5},
    {"op": "model_stock", "base": "a", "of": ["b", "c"]},
    {"op": "crossover", "a": "a", "b": "b", "alpha": 0.4, "tilt": 0.3},
    {"op": "within", "model": "b", "apply": "c", "where": {"name": "/attn2/"}},
], 8), ids=lambda step: step["op"])
def test_any_step_is_within(weightsmith, tmp_path, run, three, step):
    whole = run(step)
    (tmp_path / "out.safetensors").unlink()
    out = run({"op": "within", "model": "a", "apply": step, "where": {"block": ["IN01-IN02", "OUT03"]}})
    for name, own in three[1][0].items():
        inside = block(name) in ("input.1", "input.2", "output.3")
        support.assert_same_bits(out[name], whole[name] if inside else own, name)


def test_a_difference_is_within_a_difference(run, three):
    a, b, c = three[1]
    half = {"op": "scale", "a": {"op": "subtract", "a": "b", "b": "c"}, "factor": 0.5}
    out = run({"op": "add", "a": "a", "b": {"op": "within", "model": {"op": "subtract", "a": "b", "b": "c"}, "apply": half,
                                            "where": {"component": "te"}}})
    for name in a:
        if a[name].dtype != np.float32 or name.startswith(VAE):
            continue
        factor = np.float32(1 if name.startswith(UNET) else 0.5)
        support.assert_same_bits(out[name], a[name] + factor * (b[name] - c[name]), name)


def test_the_vae_is_the_models_unless_it_is_named(run, three):
    a, b, c = three[1]
    average = {"op": "average", "of": ["b", "c"], "vae": True}
    out = run({"op": "within", "model": "a", "apply": average, "where": {"rank": [1, 2, 4]}})
    for name in a:
        if name.startswith(VAE):
            support.assert_same_bits(out[name], a[name], name)


def test_the_vae_is_the_steps_where_it_is_named(run, three):
    a, b, c = three[1]
    average = {"op": "average", "of": ["b", "c"], "vae": True}
    out = run({"op": "within", "model": "a", "apply": average, "where": {"block": "vae.decoder"}})
    for name in a:
        inside = name.startswith((VAE + "decoder", VAE + "post_quant_conv"))
        support.assert_same_bits(out[name], (b[name] + c[name]) / np.float32(2) if inside else a[name], name)


def test_parts_and_single_tensors_have_the_same_bytes(weightsmith, tmp_path, run):
    step = {"op": "within", "model": "a", "apply": MIX, "where": {"rank": 2}}
    whole = run(step)
    data = (tmp_path / "out.safetensors").read_bytes()
    (tmp_path / "out.safetensors").unlink()
    for part in ("1/3", "2/3", "3/3"):
        weightsmith("merge", "r.json", "--part", part)
    assert (tmp_path / "out.safetensors").read_bytes() == data
    models = json.loads((tmp_path / "r.json").read_text())["models"]
    model = ws.within(models["a"], ws.weighted_sum(models["a"], models["b"], alpha=0.25), where={"rank": 2})
    for name in list(whole)[::7]:
        support.assert_same_bits(model[name].numpy(), whole[name], name)


def test_a_recipe_shows_what_it_selects(weightsmith, tmp_path, run, three):
    where = [{"component": "unet", "block": ["IN01", "IN04-IN05:attn2"], "rank": 2}, {"name": ["attn1", "/attn2/"], "larger_than": "1K"}]
    before = run({"op": "within", "model": "a", "apply": MIX, "where": where})
    shown = weightsmith("show", "r.json").stdout
    (tmp_path / "shown.yaml").write_text(shown)
    weightsmith("merge", "shown.yaml", "-o", "again.safetensors")
    after = support.read(tmp_path / "again.safetensors").tensors
    for name in before:
        support.assert_same_bits(after[name], before[name], name)


@pytest.mark.parametrize("where, status, said", support.sampled([
    ({}, 2, "'where' is an empty mapping"),
    ([], 2, "'where' is an empty list"),
    ("unet", 2, "'where'"),
    ({"blok": "IN04"}, 2, "has no key 'blok'"),
    ({"component": "IN04"}, 2, "Write block: IN04"),
    ({"block": "unet"}, 2, "Write component: unet"),
    ({"block": "/attn2/"}, 2, "Write name: /attn2/"),
    ({"block": []}, 2, "'block' is an empty list"),
    ({"name": ""}, 2, "'name' is empty"),
    ({"name": "/(/"}, 2, "cannot be used"),
    ({"rank": 1.5}, 2, "number of dimensions"),
    ({"rank": -1}, 2, "number of dimensions"),
    ({"larger_than": "1B"}, 2, "number of elements"),
    ({"larger_than": "many"}, 2, "number of elements"),
    ({"larger_than": 10, "smaller_than": 11}, 2, "larger than 10 and smaller than 11"),
    ({"block": "IN40"}, 3, "no tensor is at 'IN40'"),
    ({"name": "/attn9/"}, 3, "no tensor is at '/attn9/'"),
    ({"name": "zzz"}, 3, "no tensor is at 'zzz'"),
    ({"rank": 7}, 3, "selects no tensor of 'a'"),
    ({"block": "M00", "component": "te"}, 3, "selects no tensor of 'a'"),
], 4), ids=str)
def test_what_selects_nothing_is_told_where_it_is_written(run, tmp_path, where, status, said):
    result = run({"op": "within", "model": "a", "apply": MIX, "where": where}, status=status)
    assert said in result.stderr
    assert re.search(r"r\.json:\d+:\d+", result.stderr)
    assert not (tmp_path / "out.safetensors").exists()


def test_a_step_that_merges_no_vae_is_not_asked_for_one(run):
    said = run({"op": "within", "model": "a", "apply": "arc", "where": {"component": "vae"}}, status=3, steps={
        "arc": {"op": "slerp", "a": "a", "b": "b", "alpha": 0.4},
        "x": {"op": "within", "model": "a", "apply": "arc", "where": {"component": "vae"}}}).stderr
    assert "step 'arc' is asked for a VAE alone, and merges none" in said and "Name `vae` in a row" in said
    assert "in common" not in said


def test_a_selection_is_required(run):
    assert "needs 'where'" in run({"op": "within", "model": "a", "apply": MIX}, status=2).stderr
