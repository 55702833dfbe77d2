"""The JSON Schemas are current, valid, and describe what is written and printed."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

import support

FOLDER = support.ROOT / "recipes" / "schema"
NAMES = ("recipe", "info", "plan", "report")


def checked_in(name):
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text())


def validator(name):
    schema = checked_in(name)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def recipes():
    files = [*support.ROOT.glob("examples/*"), *support.ROOT.glob("tests/corpus/*")]
    return sorted(path for path in files if path.suffix in (".yaml", ".json"))


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_what_the_program_prints(weightsmith, name):
    assert json.loads(weightsmith("schema", name).stdout) == checked_in(name)
    validator(name)


@pytest.mark.parametrize("path", recipes(), ids=lambda path: Path(path).name)
def test_every_recipe_is_valid(path):
    validator("recipe").validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("change", [
    {"weightsmith": 2},
    {"outptus": []},
    {"steps": {"out": {"op": "no_such_operator", "a": "a"}}},
    {"steps": {"out": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5, "beta": 1}}},
    {"steps": {"out": {"op": "weighted_sum", "a": "a", "b": "b"}}},
    {"policy": {"missing": "ignore"}},
    {"policy": {"mising": "keep"}},
], ids=str)
def test_the_recipe_schema_refuses_what_the_program_refuses(change):
    recipe = {
        "weightsmith": 1,
        "models": {"a": "a.safetensors", "b": "b.safetensors"},
        "steps": {"out": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5}},
        "output": {"model": "out", "path": "out.safetensors"},
    }
    validator("recipe").validate(recipe)
    with pytest.raises(jsonschema.ValidationError):
        validator("recipe").validate({**recipe, **change})


@pytest.mark.parametrize("architecture", ["sd15", "sdxl", "flux1-dev"])
def test_json_output_is_valid(weightsmith, tiny, architecture):
    a, b = tiny(architecture, 1), tiny(architecture, 2)
    validator("info").validate(json.loads(weightsmith("info", "--json", a).stdout))
    job = (a, b, "--alpha", "0.5", "-o", "out.safetensors")
    validator("plan").validate(json.loads(weightsmith("plan", *job, "--json").stdout))
    weightsmith("merge", *job, "--report", "report.json")
    report = json.loads((weightsmith.folder / "report.json").read_text())
    validator("report").validate(report)


def test_info_of_several_files_is_valid(weightsmith, tiny):
    printed = json.loads(weightsmith("info", "--json", tiny("sd15"), tiny("sdxl")).stdout)
    validator("info").validate(printed)
