"""Merging in Python: the same plans, bytes and messages as the command line's."""

import json
import shutil
import subprocess
import sys
import typing

import numpy as np
import pytest

import adapters
import support
from conftest import program
from operator_calls import ALPHA, ELSEWHERE, STEPS, TWO_STEPS
from test_python_reading import ws


@pytest.fixture
def lora(models):
    shapes, _ = adapters.shapes_of(adapters.weights_of(support.header_of(models / "a.safetensors")[0]), "lora", "kohya")
    support.write(models / "lora.safetensors", adapters.random_tensors(shapes, 5, np.float16))
    return "lora.safetensors"


def by_command_line(weightsmith, models, step, *flags):
    (models / "recipe.yaml").write_text(
        "weightsmith: 1\nmodels: {a: a.safetensors, b: b.safetensors, c: c.safetensors}\n"
        f"steps:\n  mix: {step}\noutput: {{model: mix, path: cli.safetensors}}\n"
    )
    weightsmith("merge", models / "recipe.yaml", "--policy", "effect=any", *flags)
    return support.read(models / "cli.safetensors").tensors


def assert_same_tensors(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        support.assert_same_bits(np.asarray(found[name]), array, name)


def test_every_operator_has_its_case():
    assert sorted({*STEPS, *ELSEWHERE}) == sorted(ws._operators.__all__)
    declared = json.loads(subprocess.run([program(), "ops", "--json"], check=True, capture_output=True).stdout)
    assert {op["name"] for op in declared} == {*STEPS, *ELSEWHERE, "bake", "stack"}  # those are functions by hand


@pytest.mark.parametrize("name", support.sampled(sorted(STEPS), 12))
def test_an_operator_gives_what_the_command_line_gives(weightsmith, models, name):
    make, step = STEPS[name]
    expected = by_command_line(weightsmith, models, step)
    model = make("a.safetensors", "b.safetensors", "c.safetensors")
    model.save("python.safetensors", policy={"effect": "any"})
    assert_same_tensors(support.read(models / "python.safetensors").tensors, expected)
    assert_same_tensors(model.state_dict(policy={"effect": "any"}), expected)
    for key in (min(expected), max(expected), "model.diffusion_model.input_blocks.1.0.in_layers.2.weight"):
        support.assert_same_bits(model[key].numpy(), expected[key], key)


@pytest.mark.parametrize("name", support.sampled(sorted(STEPS), 12, offset=6))
def test_an_operator_gives_the_same_in_memory(weightsmith, models, name):
    make, step = STEPS[name]
    expected = by_command_line(weightsmith, models, step)
    state_dicts = [support.read(models / f"{model}.safetensors").tensors for model in "abc"]
    before = {key: array.copy() for key, array in state_dicts[0].items()}
    in_one_go = make(*map(ws.model, state_dicts)).state_dict(policy={"effect": "any"})
    assert_same_tensors(in_one_go, expected)
    if name not in TWO_STEPS:  # of which each rounds its own result
        assert_same_tensors(make(*state_dicts) if name != "copy" else in_one_go, expected)
    assert_same_tensors(state_dicts[0], before)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64])
def test_arrays_are_computed_as_numpy_computes_them(dtype):
    random = np.random.default_rng(1)
    a, b = (random.standard_normal((5, 7)).astype(dtype) for _ in range(2))
    alpha = np.float32(0.3)
    expected = ((1 - alpha) * a.astype(np.float32) + alpha * b.astype(np.float32)).astype(dtype)
    found = ws.weighted_sum(a, b, alpha=0.3)
    assert found.dtype == dtype and found.flags.writeable
    support.assert_same_bits(found, expected, "weighted_sum")


def test_differences_of_arrays_are_arrays():
    a, b = np.array([1, 2, 3], np.float32), np.array([2, 4, 8], np.float32)
    difference = ws.subtract(b, a)
    assert difference.tolist() == [1, 2, 5]
    assert ws.add(a, ws.scale(difference, factor=0.5)).tolist() == [1.5, 3, 5.5]
    assert ws.scale(difference, factor=0).tolist() == [0, 0, 0]
    assert ws.weighted_sum(a, b, alpha=0).tolist() == [1, 2, 3]


def test_arrays_of_other_shapes_and_mixtures_are_refused():
    a = np.zeros((2, 3), np.float32)
    with pytest.raises(ws.MismatchError, match="tensor"):
        ws.weighted_sum(a, np.zeros((3, 2), np.float32), alpha=0.5)
    with pytest.raises(TypeError, match="some operands are tensors"):
        ws.weighted_sum(a, {"x": a}, alpha=0.5)
    with pytest.raises(TypeError, match="expected a list"):
        ws.average("a.safetensors")
    with pytest.raises(TypeError, match="expected a pair"):
        ws.linear([(a, 0.5, 1)])


def test_tensors_in_memory_and_files_are_mixed(models):
    b = support.read(models / "b.safetensors").tensors
    with ws.open("a.safetensors") as a:
        found = ws.weighted_sum(a, ws.model(b), alpha=0.3).state_dict()
    expected = ws.weighted_sum("a.safetensors", "b.safetensors", alpha=0.3).state_dict()
    assert_same_tensors(found, expected)


def test_a_difference_has_tensors_and_is_no_output(models):
    difference = ws.subtract("b.safetensors", "a.safetensors")
    key = "model.diffusion_model.out.2.bias"
    a, b = (support.read(models / f"{name}.safetensors")[key].astype(np.float32) for name in "ab")
    support.assert_same_bits(difference[key].numpy(), (b - a).astype(np.float16), key)
    with pytest.raises(ws.RecipeError, match="is a delta"):
        difference.save("difference.safetensors")
    assert not (models / "difference.safetensors").exists()


def test_a_model_is_a_mapping_of_what_would_be_written(models):
    model = ws.weighted_sum("a.safetensors", "b.safetensors", alpha=0.3)
    assert list(model) == list(ws.open("a.safetensors"))
    assert len(model) == len(list(model)) and "nothing" not in model
    with pytest.raises(KeyError):
        model["nothing"]
    assert {model: 1}[model] == 1


def test_the_recipe_of_a_model_does_the_same(weightsmith, models, lora):
    mixed = ws.add_difference("a.safetensors", ws.weighted_sum("b.safetensors", "c.safetensors", alpha=ALPHA), "c.safetensors", alpha=0.5)
    model = ws.bake(mixed, [ws.Lora(lora, 0.8, te_strength=0.25)])
    (models / "recipe.yaml").write_text(model.to_recipe())
    weightsmith("merge", "recipe.yaml", "-o", "cli.safetensors")
    report = model.save("python.safetensors")
    with_metadata = support.read(models / "cli.safetensors")
    assert report.outputs[0].digest == with_metadata.metadata["weightsmith.digest"]
    assert (models / "recipe.yaml").read_text().count("c.safetensors") == 1
    with pytest.raises(ws.RecipeError, match="in memory"):
        ws.weighted_sum("a.safetensors", ws.model({"x": np.zeros(2, np.float32)}), alpha=0.5).to_recipe()


def test_names_of_files_go_into_recipes_as_they_are(models):
    for name in ("1{x}.safetensors", "ü b.safetensors"):
        shutil.copy(models / "b.safetensors", models / name)
    model = ws.average(["1{x}.safetensors", "ü b.safetensors", "a.safetensors"])
    model.save("out {y}.safetensors")
    assert len(ws.open("out {y}.safetensors")) == len(ws.open("a.safetensors"))


def test_merge_writes_the_bytes_of_the_command_line(weightsmith, models):
    (models / "recipe.yaml").write_text(
        "weightsmith: 1\nvars: {w: 0.5}\nmodels: {a: a.safetensors, b: b.safetensors}\n"
        "steps:\n  mix: {op: weighted_sum, a: a, b: b, alpha: $w}\noutput: {model: mix, path: out.safetensors}\n"
    )
    weightsmith("merge", "recipe.yaml", "--set", "w=0.4", "--dtype", "bf16", "--policy", "effect=any", "-o", "cli/out.safetensors", "--mkdir")
    report = ws.merge(
        "recipe.yaml", vars={"w": 0.4}, dtype="bf16", policy={"effect": "any"}, output="python/out.safetensors", make_folders=True
    )
    assert (models / "python" / "out.safetensors").read_bytes() == (models / "cli" / "out.safetensors").read_bytes()
    assert report.outputs[0].path == "python/out.safetensors" and report.steps[0].op == "weighted_sum"
    said = json.loads(weightsmith("plan", "recipe.yaml", "--json").stdout)
    plan = ws.plan("recipe.yaml")
    assert [model.name for model in plan.models] == [model["name"] for model in said["models"]]
    assert plan.bytes_to_read == said["bytes_to_read"] and not (models / "out.safetensors").exists()


def test_baking_writes_the_bytes_of_the_command_line(weightsmith, models, lora):
    weightsmith("bake", "a.safetensors", "--lora", f"{lora}:0.6:0.2", "-o", "cli.safetensors")
    expected = support.read(models / "cli.safetensors").tensors
    report = ws.bake("a.safetensors", ws.Lora(lora, 0.6, te_strength=0.2), "python.safetensors")
    assert_same_tensors(support.read(models / "python.safetensors").tensors, expected)
    assert report.adapters[0].applied[0].family == "lora" and report.adapters[0].applied[0].elements > 0
    state_dict = ws.bake(support.read(models / "a.safetensors").tensors, ws.Lora(lora, 0.6, te_strength=0.2))
    assert_same_tensors(state_dict, expected)
    with pytest.raises(ws.RecipeError, match="no adapter"):
        ws.bake("a.safetensors", [])


def test_commands_as_functions_write_what_the_commands_write(weightsmith, models):
    weightsmith("split", "a.safetensors", "-o", "cli")
    report = ws.split("a.safetensors", "python")
    assert len(report.outputs) == 3
    for part in ("unet", "clip_l", "vae"):
        name = f"{part}.safetensors"
        assert (models / "cli" / name).read_bytes() == (models / "python" / name).read_bytes()
    parts = {part: f"python/{part}.safetensors" for part in ("unet", "vae")} | {"te1": "python/clip_l.safetensors"}
    ws.assemble("sd1", parts, "whole.safetensors")
    assert_same_tensors(support.read(models / "whole.safetensors").tensors, support.read(models / "a.safetensors").tensors)
    weightsmith("convert", "a.safetensors", "--dtype", "bf16", "--components", "unet", "-o", "cli.safetensors")
    ws.convert("a.safetensors", "python.safetensors", dtype="bf16", components=["unet"])
    assert (models / "python.safetensors").read_bytes() == (models / "cli.safetensors").read_bytes()
    ws.convert("a.safetensors", "pipeline", layout="diffusers")
    assert (models / "pipeline" / "model_index.json").is_file()
    with pytest.raises(ws.RecipeError, match="Did you mean 'sd xl'"):
        ws.assemble("sd-x1", parts, "other.safetensors")
    with pytest.raises(ws.RecipeError, match="no part 'uned'.*Did you mean 'unet'"):
        ws.assemble("sd1", {"uned": "python/unet.safetensors"}, "other.safetensors")


@pytest.mark.parametrize(
    "function, command",
    [
        (lambda: ws.info("a.safetensors", tensors=True), ("info", "a.safetensors", "--tensors", "--json")),
        (lambda: ws.scan("a.safetensors", "b.safetensors"), ("scan", "a.safetensors", "b.safetensors", "--json")),
        (lambda: ws.verify("a.safetensors"), ("verify", "a.safetensors", "--json")),
        (lambda: ws.plan("recipe.yaml"), ("plan", "recipe.yaml", "--json")),
    ],
    ids=["info", "scan", "verify", "plan"],
)
def test_functions_return_what_the_commands_print(weightsmith, models, lora, function, command):
    (models / "recipe.yaml").write_text(
        "weightsmith: 1\nmodels: {a: a.safetensors, b: b.safetensors}\nadapters: {l: lora.safetensors}\n"
        "steps:\n  mix: {op: weighted_sum, a: a, b: b, alpha: 0.5}\n  out: {op: bake, model: mix, adapters: [l]}\n"
        "output: {model: out, path: out.safetensors}\n"
    )
    said = json.loads(weightsmith(*command).stdout)
    found = function()
    assert_same_data(found, said)


def assert_same_data(found, said):
    """A dataclass, or what holds some, has all of the JSON, and nothing else that is not empty."""
    if hasattr(found, "__dataclass_fields__"):
        own = {name: getattr(found, name) for name in found.__dataclass_fields__}
        assert said.keys() <= own.keys()
        for name, value in own.items():
            if name == "disk":
                continue  # what is free changes
            if name in said:
                assert_same_data(value, said[name])
            else:
                assert not value, name
    elif isinstance(said, list):
        assert len(found) == len(said)
        for one, other in zip(found, said):
            assert_same_data(one, other)
    elif isinstance(said, dict):
        assert found.keys() == said.keys()
        for key in said:
            assert_same_data(found[key], said[key])
    else:
        assert found == said


@pytest.mark.parametrize("name, kind", [("info", "Info"), ("plan", "Plan"), ("report", "Report")])
def test_dataclasses_have_the_names_of_the_schemas(name, kind):
    schema = json.loads((support.ROOT / "recipes" / "schema" / f"{name}.json").read_text())
    fields_of(getattr(ws, kind), schema["$defs"]["checkpoint"] if name == "info" else schema)


def fields_of(kind, schema):
    hints = typing.get_type_hints(kind)
    assert hints.keys() == schema["properties"].keys() | (hints.keys() & {"elements", "elements_changed",
        "elements_changed_after_rounding", "change_norm", "relative_change"}), kind
    for name, hint in hints.items():
        inner = [part for part in typing.get_args(hint) if hasattr(part, "__dataclass_fields__")]
        if not inner or name not in schema["properties"]:
            continue
        below = schema["properties"][name]
        below = below.get("items") or below.get("additionalProperties") or below.get("anyOf", [below])[0]
        fields_of(inner[0], below)


def test_every_problem_of_a_recipe_has_its_place(models):
    (models / "recipe.yaml").write_text("weightsmith: 1\nmodels: {a: a.safetensors}\nsteps:\n  mix: {op: wieghted_sum, a: a}\n  x: {op: nothing}\n")
    with pytest.raises(ws.RecipeError) as caught:
        ws.merge("recipe.yaml")
    error = caught.value
    assert (error.file, error.line, error.column) == ("recipe.yaml", 4, 13)
    assert len(error.problems) > 1 and "weighted_sum" in str(error) and error.status == 2
    with pytest.raises(ws.RecipeError, match="alpha is nan"):
        ws.weighted_sum("a.safetensors", "b.safetensors", alpha=float("nan")).plan()


def test_wrong_options_are_told_at_once(models):
    model = ws.weighted_sum("a.safetensors", "b.safetensors", alpha=0.5)
    with pytest.raises(TypeError, match="there is no option 'thread'"):
        model.save("out.safetensors", thread=2)
    with pytest.raises(ws.RecipeError, match="no size"):
        model.save("out.safetensors", max_memory="much")
    with pytest.raises(ws.ResourceError, match="memory"):
        model.save("out.safetensors", max_memory="1MB")
    (models / "out.safetensors").write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        model.save("out.safetensors")
    assert (models / "out.safetensors").read_text() == "mine"


def test_a_step_without_effect_is_an_error(models):
    with pytest.raises(ws.NoEffectError):
        ws.weighted_sum("a.safetensors", "a.safetensors", alpha=0.5).state_dict()
    with pytest.raises(ws.MismatchError):
        ws.weighted_sum("a.safetensors", ws.model({"x": np.zeros(2, np.float32)}), alpha=0.5).plan()


def test_verify_raises_where_something_differs(models):
    ws.weighted_sum("a.safetensors", "b.safetensors", alpha=0.5).save("out.safetensors")
    assert ws.verify("out.safetensors").checked[-1] == "recomputed"
    data = bytearray((models / "out.safetensors").read_bytes())
    data[-4] ^= 1
    (models / "out.safetensors").write_bytes(data)
    with pytest.raises(ws.VerifyError, match="digest") as caught:
        ws.verify("out.safetensors")
    assert not caught.value.verification.right


def test_warnings_are_warnings(models):
    (models / "recipe.yaml").write_text(
        "weightsmith: 1\nmodels: {a: a.safetensors, b: b.safetensors, c: c.safetensors}\n"
        "steps:\n  mix: {op: weighted_sum, a: a, b: b, alpha: 0.5}\noutput: {model: mix, path: out.safetensors}\n"
    )
    with pytest.warns(ws.RecipeWarning, match="nothing uses the model 'c'"):
        ws.merge("recipe.yaml")


def test_every_operator_is_documented():
    for name in STEPS:
        function = getattr(ws, name)
        assert function.__doc__ and "policy: " in function.__doc__


@pytest.mark.parametrize("script", ["make_python_operators.py", "make_python_results.py"])
def test_what_is_made_of_declarations_is_current(script):
    script = support.ROOT / "scripts" / script
    build = program().parents[1]
    result = subprocess.run([sys.executable, script, "--check", "--build", build], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
