"""`stack`: layers of language models one on the other, as mergekit's passthrough has them, and `passthrough`."""

import json
import re
import sys

import numpy as np
import pytest

import support
from oracle import Arithmetic

sys.path.insert(0, str(support.build() / "python"))

import weightsmith as ws  # noqa: E402

LAYERS = 32  # of the tiny model
CONFIG = {"model_type": "llama", "num_hidden_layers": LAYERS, "hidden_size": 32, "eos_token_id": [1] * LAYERS}


def types(letter):
    return [f"{letter}{number}" for number in range(LAYERS)]


@pytest.fixture
def two(weightsmith, tmp_path):
    """Folders of two models, with what they say of their layers."""
    (tmp_path / "out").mkdir()
    for seed, name in enumerate("ab", 1):
        (tmp_path / name).mkdir()
        weightsmith("synth", "llama", "--scale", "tiny", "--dtype", "f32", "--seed", str(seed), "-o", f"{name}/model.safetensors")
        (tmp_path / name / "config.json").write_text(json.dumps({**CONFIG, "layer_types": types(name)}))
        (tmp_path / name / "tokenizer.json").write_text(json.dumps({"of": name}))
    return {name: support.read(tmp_path / name / "model.safetensors").tensors for name in "ab"}


@pytest.fixture
def run(weightsmith, tmp_path):
    def run(step, *more, status=0, command="merge", models="ab", steps=None, **output):
        (tmp_path / "r.json").write_text(json.dumps({
            "weightsmith": 1, "models": {name: name for name in models}, "steps": {**(steps or {}), "x": step},
            "output": {"model": "x", "path": "out/model.safetensors", **output}}))
        result = weightsmith(command, "r.json", *more, status=status)
        if status == 0 and command == "merge":
            return support.read(tmp_path / "out" / "model.safetensors").tensors
        return result

    return run


def layer_of(name):
    found = re.match(r"model\.layers\.(\d+)\.(.+)", name)
    return (int(found[1]), found[2]) if found else (None, name)


def stacked(layers, embed, head):
    """`layers`: (tensors, number) of each; what stands before is that of `embed`, behind that of `head`."""
    expected = {name: x for name, x in embed.items() if "embed" in name}
    expected |= {name: x for name, x in head.items() if name in ("model.norm.weight", "lm_head.weight")}
    for number, (tensors, own) in enumerate(layers):
        for name, x in tensors.items():
            layer, rest = layer_of(name)
            if layer == own:
                expected[f"model.layers.{number}.{rest}"] = x
    return expected


def assert_same(out, expected):
    assert sorted(out) == sorted(expected)
    for name, x in expected.items():
        support.assert_same_bits(out[name], x, name)


def span(tensors, first, last):
    return [(tensors, number) for number in range(first, last + 1)]


def test_layers_of_two_models_overlap(run, two):
    a, b = two["a"], two["b"]
    out = run({"op": "stack", "of": [{"model": "a", "layers": "0-15"}, {"model": "b", "layers": "8-31"}]})
    assert_same(out, stacked(span(a, 0, 15) + span(b, 8, 31), a, b))


def test_a_model_is_stacked_on_itself_in_any_order(run, two):
    a = two["a"]
    out = run({"op": "stack", "of": ["a", {"model": "a", "layers": 3}, {"model": "a", "layers": "0-1"}]}, models="a")
    assert_same(out, stacked(span(a, 0, 31) + span(a, 3, 3) + span(a, 0, 1), a, a))


def test_whole_models_are_stacked_on_the_command_line(two, weightsmith, tmp_path):
    weightsmith("merge", "a", "b", "--op", "stack", "-o", "out/model.safetensors")
    out = support.read(tmp_path / "out" / "model.safetensors").tensors
    assert_same(out, stacked(span(two["a"], 0, 31) + span(two["b"], 0, 31), two["a"], two["b"]))


def test_layers_are_pruned(run, two):
    a = two["a"]
    out = run({"op": "stack", "of": [{"model": "a", "layers": "0-3"}, {"model": "a", "layers": "30-31"}]}, models="a")
    assert_same(out, stacked(span(a, 0, 3) + span(a, 30, 31), a, a))


def test_what_stands_before_and_behind_is_that_of_a_named_model(run, two):
    a, b = two["a"], two["b"]
    step = {"op": "stack", "of": [{"model": "a", "layers": "0-1"}, {"model": "b", "layers": "2-3"}], "embed": "b", "head": "a"}
    assert_same(run(step), stacked(span(a, 0, 1) + span(b, 2, 3), b, a))


def test_an_entry_may_be_a_step(run, two):
    a, b = two["a"], two["b"]
    mix = {"op": "weighted_sum", "a": "a", "b": "b", "alpha": {"default": 0.25, "layer.3": 0.75}}
    out = run({"op": "stack", "of": [{"model": "a", "layers": "0-1"}, {"model": "mix", "layers": "2-4"}, {"model": mix, "layers": 3}],
               "head": "a"}, steps={"mix": mix})
    # Weights by place have the numbers of the models.
    mixed = {name: Arithmetic().weighted_sum(x, b[name], 0.75 if layer_of(name)[0] == 3 else 0.25) for name, x in a.items()}
    assert_same(out, stacked(span(a, 0, 1) + span(mixed, 2, 4) + span(mixed, 3, 3), a, a))


def test_a_stack_is_stacked_again(run, two):
    a, b = two["a"], two["b"]
    inner = {"op": "stack", "of": [{"model": "b", "layers": "4-6"}, {"model": "a", "layers": "1-2"}]}
    out = run({"op": "stack", "of": [{"model": "inner", "layers": "2-3"}, {"model": "b", "layers": 0}]}, steps={"inner": inner})
    assert_same(out, stacked(span(b, 6, 6) + span(a, 1, 1) + span(b, 0, 0), b, b))


def test_an_entry_is_scaled_by_place(run, two):
    a = two["a"]
    out = run({"op": "stack", "of": [
        {"model": "a", "layers": "0-3", "scale": 1},
        {"model": "a", "layers": "2-3", "scale": {"default": 1, "default:o_proj": 0.5, "layer.3:down_proj": 0}}]}, models="a")
    expected = stacked(span(a, 0, 3) + span(a, 2, 3), a, a)
    for name in expected:
        layer, rest = layer_of(name)
        if layer in (4, 5) and "o_proj" in rest:
            expected[name] = np.float32(0.5) * expected[name]
        if layer == 5 and "down_proj" in rest:
            expected[name] = np.zeros_like(expected[name])
    assert_same(out, expected)


def test_passthrough_scales_by_place(run, two):
    a = two["a"]
    out = run({"op": "passthrough", "a": "a", "scale": {"default": 1, "layer.8-15:o_proj": 0.5, "head": 2}}, models="a")
    for name, x in a.items():
        layer, rest = layer_of(name)
        scale = 0.5 if layer in range(8, 16) and "o_proj" in rest else 2 if name.startswith("lm_head") else 1
        support.assert_same_bits(out[name], np.float32(scale) * x if scale != 1 else x, name)


def test_files_come_from_a_named_model_and_its_configuration_fits(run, two, tmp_path):
    run({"op": "stack", "of": [{"model": "a", "layers": "0-2"}, {"model": "b", "layers": "1-2"}]}, files_from="b")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config == {**CONFIG, "num_hidden_layers": 5, "layer_types": ["a0", "a1", "a2", "b1", "b2"]}
    assert json.loads((tmp_path / "out" / "tokenizer.json").read_text()) == {"of": "b"}


def test_a_configuration_that_says_no_number_of_layers_is_an_error(run, two, tmp_path):
    (tmp_path / "b" / "config.json").write_text("{}")
    result = run({"op": "stack", "of": [{"model": "a", "layers": "0-2"}]}, models="a", files_from="b", status=4)
    assert "how many layers" in result.stderr and "config.json" in result.stderr


def test_parts_shards_and_single_tensors_have_the_same_bytes(run, two, weightsmith, tmp_path):
    step = {"op": "stack", "of": [{"model": "a", "layers": "0-15"}, {"model": "b", "layers": "8-31", "scale": 0.5}]}
    whole = run(step)
    file = tmp_path / "out" / "model.safetensors"
    data = file.read_bytes()
    file.unlink()
    for part in ("1/3", "2/3", "3/3"):
        weightsmith("merge", "r.json", "--part", part)
    assert file.read_bytes() == data
    model = ws.stack([(tmp_path / "a", "0-15"), (tmp_path / "b", "8-31", 0.5)])
    assert sorted(model) == sorted(whole)
    for name in sorted(whole)[::29]:
        support.assert_same_bits(model[name].numpy(), whole[name], name)


def test_the_dtype_of_an_output_has_the_numbers_of_the_output(run, two):
    out = run({"op": "stack", "of": [{"model": "a", "layers": "0-1"}, {"model": "b", "layers": "0-1"}]},
              dtype={"default": "f16", "layer.2": "f32"})
    for name, x in out.items():
        assert x.dtype == (np.float32 if layer_of(name)[0] == 2 else np.float16), name


def test_the_plan_counts_what_is_read(run, two):
    told = json.loads(run({"op": "stack", "of": [{"model": "a", "layers": "0-1"}, {"model": "b", "layers": "5-5"}, {"model": "b", "layers": "5"}]},
                          "--json", command="plan").stdout)
    each = sum(layer_of(name)[0] == 0 for name in two["a"])
    used = {model["name"]: model["tensors_used"] for model in told["models"]}
    assert used == {"a": 2 * each + 1, "b": each + 2}


def test_a_recipe_shows_its_layers(run, two, weightsmith, tmp_path):
    before = run({"op": "stack", "of": ["a", {"model": "b", "layers": 7, "scale": {"default": 1, "default:o_proj": 0.5}}]})
    (tmp_path / "shown.yaml").write_text(weightsmith("show", "r.json").stdout)
    weightsmith("merge", "shown.yaml", "-o", "again.safetensors")
    assert_same(support.read(tmp_path / "again.safetensors").tensors, before)


@pytest.mark.parametrize("of, status, said", [
    ([], 2, "`of` is empty"),
    ("a", 2, "'of'"),
    ([{"layers": "0-1"}], 2, "has no 'model'"),
    ([{"model": "a", "layers": "3-1"}], 2, "Write 1-3"),
    ([{"model": "a", "layers": [0, 16]}], 2, "Write layers: 0-15"),
    ([{"model": "a", "layers": "first"}], 2, "range of layers"),
    ([{"model": "a", "layers": -1}], 2, "range of layers"),
    ([{"model": "a", "layer": "0-1"}], 2, "has no key 'layer'"),
    ([{"model": "a", "scale": "much"}], 2, "'scale'"),
    ([{"model": "a", "layers": "30-32"}], 3, "'of[1]' takes layers 30-32, and 'a' has layers 0-31"),
], ids=str)
def test_bad_layers_are_told_where_they_are_written(run, two, tmp_path, of, status, said):
    result = run({"op": "stack", "of": of}, models="a", status=status)
    assert said in result.stderr
    assert re.search(r"r\.json:\d+:\d+", result.stderr)
    assert not list((tmp_path / "out").iterdir())


def test_a_stack_is_no_operand_of_another_step(run, two):
    result = run({"op": "weighted_sum", "a": "s", "b": "b", "alpha": 0.5}, steps={"s": {"op": "stack", "of": ["a"]}}, status=2)
    assert "'s', a stack" in result.stderr and re.search(r"r\.json:\d+:\d+", result.stderr)


def test_models_of_other_widths_do_not_stack(run, two, tmp_path, weightsmith):
    wide = {name: np.zeros([2 * size if size == 32 else size for size in x.shape], np.float32) for name, x in two["b"].items()}
    support.write(tmp_path / "b" / "model.safetensors", wide)
    result = run({"op": "stack", "of": [{"model": "a", "layers": 0}, {"model": "b", "layers": 0}]}, status=3)
    assert "'a' is 32 wide and 'b' 64" in result.stderr and re.search(r"r\.json:\d+:\d+", result.stderr)


def test_a_model_without_layers_does_not_stack(run, two, tmp_path):
    support.write(tmp_path / "b" / "model.safetensors", {"model.norm.weight": np.zeros(32, np.float32)})
    result = run({"op": "stack", "of": ["a", "b"]}, status=3)
    assert "'b' has no layers" in result.stderr
