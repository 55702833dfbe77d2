"""The JSON Schemas are current, valid, and describe what is written and printed."""

import functools
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file, save_file

import support

FOLDER = support.ROOT / "recipes" / "schema"
NAMES = ("architectures", "blocks", "hash", "info", "lora", "lora-families", "meta", "ops", "plan", "progress", "recipe",
         "report", "scan", "validate", "verify")


def checked_in(name):
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text())


@functools.cache
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


def recipe(**changes):
    """A whole recipe; "o.x" in `changes` is the key x of the step o, "output.x" of the output."""
    whole = {
        "weightsmith": 1,
        "models": {"a": "a.safetensors", "b": "b.safetensors"},
        "steps": {"o": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5}},
        "output": {"model": "o", "path": "o.safetensors"},
    }
    for key, value in changes.items():
        place = whole
        *folders, last = key.split(".")
        for folder in folders:
            place = place[folder] if folder in place else place["steps"][folder]
        place[last] = value
    return whole


WRONG = {
    "version": recipe(weightsmith=2),
    "unknown key": recipe(outptus=[]),
    "output and outputs": recipe(outputs=[{"model": "o", "path": "p.safetensors"}]),
    "no operator": recipe(steps={"o": {"a": "a", "b": "b"}}),
    "unknown operator": recipe(**{"o.op": "no_such_operator"}),
    "unknown parameter": recipe(**{"o.beta": 1}),
    "no alpha": recipe(steps={"o": {"op": "weighted_sum", "a": "a", "b": "b"}}),
    "empty operand": recipe(**{"o.a": ""}),
    "number as an operand": recipe(**{"o.a": 1}),
    "unknown place": recipe(**{"o.alpha": {"nowhere": 0.5}}),
    "two forms": recipe(**{"o.alpha": {"curve": [0, 1], "preset": "GRAD_V"}}),
    "a scale of nothing": recipe(**{"o.alpha": {"scale": 2}}),
    "a block that is none": recipe(**{"o.alpha": {"default": 0, "unet.inn": 1}}),
    "an element that is empty": recipe(**{"o.alpha": {"default": 0, "IN00:": 1}}),
    "a mapping in a list": recipe(**{"o.alpha": [{"default": 0}]}),
    "no rows": recipe(**{"o.alpha": {}}),
    "text as a number": recipe(**{"o.alpha": "0.5 of it"}),
    "empty of": recipe(**{"steps": {"o": {"op": "linear", "of": []}}}),
    "no weight": recipe(**{"steps": {"o": {"op": "linear", "of": [{"model": "a"}]}}}),
    "unknown policy": recipe(policy={"mising": "keep"}),
    "unknown policy word": recipe(policy={"missing": "ignore"}),
    "policy of the run in a step": recipe(**{"o.policy": {"precision": "f64"}}),
    "dtype": recipe(**{"output.dtype": "f15"}),
    "dtype that is not written": recipe(**{"output.dtype": "i64"}),
    "dtype by an unknown place": recipe(**{"output.dtype": {"uent": "f16"}}),
    "split with shards": recipe(**{"output.split": True, "output.max_shard_size": "5GB"}),
    "size": recipe(**{"output.max_shard_size": "five"}),
    "metadata of the program": recipe(**{"output.metadata": {"format": "pt"}}),
    "metadata of the program's own": recipe(**{"output.metadata": {"weightsmith.recipe": "x"}}),
    "unknown component": recipe(**{"output.components": {"vea": "a"}}),
    "empty model": recipe(**{"models.a": {}}),
    "path and recipe": recipe(**{"models.a": {"path": "a", "recipe": "r.yaml"}}),
    "path and component": recipe(**{"models.a": {"path": "a", "vae": "v"}}),
    "short hash": recipe(**{"models.a": {"path": "a", "sha256": "abc"}}),
    "hash that is none": recipe(**{"models.a": {"autov2": "0123456789g"}}),
    "colon in a name": recipe(models={"a": "a", "b": "b", "c:d": "c"}),
    "dollar in a name": recipe(models={"a": "a", "b": "b", "$c": "c"}),
    "name of a variable": recipe(vars={"1w": 0.5}),
    "variable of a variable": recipe(vars={"v": "$w", "w": 0.5}),
    "variable that is a mapping": recipe(vars={"w": {"default": 0.5}}),
}

RIGHT = {
    "plain": recipe(),
    "policy by variable": recipe(vars={"m": "keep"}, policy={"missing": "$m"}),
    "policy by place": recipe(policy={"missing": {"default": "error", "vae": "keep"}}),
    "list by variable": recipe(vars={"l": ["a", "b"]}, steps={"o": {"op": "average", "of": "$l"}}),
    "hash by variable": recipe(vars={"h": "0" * 64}, **{"models.a": {"path": "a", "sha256": "$h"}}),
    "split by variable": recipe(vars={"s": True}, **{"output.split": "$s", "output.path": "o"}),
    "dtype by variable": recipe(vars={"d": "f16"}, **{"output.dtype": "$d"}),
    "dtype in another spelling": recipe(**{"output.dtype": "Float16"}),
    "dtype by place": recipe(**{"output.dtype": {"default": "keep", "VAE": "f32"}}),
    "places": recipe(**{"o.alpha": {"default": 0.5, "/attn/": 0.1, "TE": 0, "Unet": 1}}),
    "a preset": recipe(**{"o.alpha": "GRAD_V"}),
    "a list": recipe(**{"o.alpha": [0.5] * 26}),
    "a curve": recipe(**{"o.alpha": {"curve": [0, 1], "scale": 0.5}}),
    "blocks": recipe(**{"o.alpha": {"default": 0, "IN00-IN05": 0.1, "m00": 1, "unet.out.3": [0, 1], "layer.0-31": "GRAD_A",
                                    "te.layer.0-11": 0, "IN04-IN08:attn2": {"curve": "COSINE"}, "trunk.4": 1, "TIME": 0}}),
    "supermerger's map": recipe(policy={"blocks": "supermerger"}),
    "size in small letters": recipe(**{"output.max_shard_size": "500 mb"}),
    "size as a number": recipe(**{"output.max_shard_size": 100000}),
    "no split with shards": recipe(**{"output.split": False, "output.max_shard_size": "5GB"}),
    "inline step": recipe(**{"o.a": {"op": "copy", "a": "b"}}),
    "metadata": recipe(**{"output.metadata": {"title": "x", "tags": ["a", "b"], "formatted": 1}}),
    "by hash": recipe(**{"models.a": {"autov2": "6CE0161689"}}),
    "by component": recipe(**{"models.a": {"unet": "u", "vae": {"path": "v"}}}),
    "several outputs": {**{k: v for k, v in recipe().items() if k != "output"},
                        "outputs": [{"model": "o", "path": "p.safetensors"}]},
}


def validate(weightsmith, whole, status):
    (weightsmith.folder / "recipe.json").write_text(json.dumps(whole))
    weightsmith("validate", "recipe.json", status=status)


@pytest.mark.parametrize("name", support.sampled(WRONG, 3))
def test_schema_and_program_refuse(weightsmith, name):
    assert not validator("recipe").is_valid(WRONG[name])
    validate(weightsmith, WRONG[name], status=2)


@pytest.mark.parametrize("name", RIGHT)
def test_schema_and_program_accept(weightsmith, name):
    validator("recipe").validate(RIGHT[name])
    validate(weightsmith, RIGHT[name], status=4)  # its files are missing, which no schema sees


@pytest.mark.parametrize("architecture", ["sd15", "sdxl", "flux1-dev"])
def test_json_output_is_valid(weightsmith, tiny, architecture):
    a, b = tiny(architecture, 1), tiny(architecture, 2)
    validator("info").validate(json.loads(weightsmith("info", "--json", a).stdout))
    job = (a, b, "--alpha", "0.5", "-o", "out.safetensors")
    validator("plan").validate(json.loads(weightsmith("plan", *job, "--json").stdout))
    weightsmith("merge", *job, "--report", "report.json")
    report = json.loads((weightsmith.folder / "report.json").read_text())
    validator("report").validate(report)


def test_every_schema_is_checked_in(weightsmith):
    listed = [line.split()[0] for line in weightsmith("schema").stdout.splitlines()]
    assert listed == sorted(path.stem for path in FOLDER.glob("*.json")) == list(NAMES)


def test_what_scan_and_verify_print_is_valid(weightsmith, tiny):
    model = tiny("sd15")
    validator("scan").validate(json.loads(weightsmith("scan", "--json", model, model).stdout))
    validator("verify").validate(json.loads(weightsmith("verify", "--json", model).stdout))


@pytest.mark.parametrize("name, words", [
    ("architectures", ["architectures"]), ("ops", ["ops"]), ("ops", ["ops", "ties"]), ("lora-families", ["lora", "families"]),
])
def test_what_tables_print_is_valid(weightsmith, name, words):
    validator(name).validate(json.loads(weightsmith(*words, "--json").stdout))


def test_what_commands_print_of_a_file_is_valid(weightsmith, tiny):
    model = tiny("sd15", 1)
    merged = weightsmith("merge", model, tiny("sd15", 2), "--max-shard-size", "1MB", "--mkdir", "--progress", "json",
                         "-o", "shards/m.safetensors")
    events = [json.loads(line) for line in merged.stderr.splitlines() if line.startswith('{"event"')]
    assert events
    for event in events:
        validator("progress").validate(event)
    for name in ("blocks", "meta"):
        validator(name).validate(json.loads(weightsmith(name, "--json", model).stdout))
    validator("hash").validate(json.loads(weightsmith("hash", "--json", model, "shards").stdout))


def test_what_validate_prints_is_valid(weightsmith, tiny):
    (weightsmith.folder / "wrong.yaml").write_text("weightsmith: 1\nmodles: {a: a.safetensors}\n")
    printed = weightsmith("validate", "--json", "wrong.yaml", "none.yaml", tiny("sd15"), status=2).stdout
    validator("validate").validate(json.loads(printed))


def test_what_adapters_print_is_valid(weightsmith, tiny):
    key = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    shapes = {"lora_down.weight": (4, 64), "lora_up.weight": (64, 4)}
    save_file({f"{key}.{role}": np.ones(shape, np.float32) for role, shape in shapes.items()},
              weightsmith.folder / "lora.safetensors")
    validator("lora").validate(json.loads(weightsmith("lora", "--json", "lora.safetensors").stdout))
    several = weightsmith("lora", "--json", "lora.safetensors", "lora.safetensors").stdout
    validator("lora").validate(json.loads(several))
    validator("info").validate(json.loads(weightsmith("info", "--json", "lora.safetensors").stdout))


def test_info_of_several_files_is_valid(weightsmith, tiny):
    printed = json.loads(weightsmith("info", "--json", tiny("sd15"), tiny("sdxl")).stdout)
    validator("info").validate(printed)


def test_info_of_parts_shards_and_damaged_and_unknown_files_is_valid(weightsmith, tiny):
    files = [tiny("clip_l"), tiny("t5xxl"), tiny("vae-flux")]
    weightsmith("merge", tiny("sd15", 1), tiny("sd15", 2), "--max-shard-size", "1MB", "-o", "shards/m.safetensors", "--mkdir")
    files.append(weightsmith.folder / "shards")
    strange = weightsmith.folder / "strange.safetensors"
    save_file({"layers.0.weight": np.ones((2, 3), np.float16), "layers.0.weight.absmax": np.ones(2, np.float32)}, strange)
    files.append(strange)
    damaged = weightsmith.folder / "damaged.safetensors"
    tensors = load_file(tiny("sd15"))
    ids = "cond_stage_model.transformer.text_model.embeddings.position_ids"
    save_file({**tensors, ids: tensors[ids].astype(np.float32) * 0.99, "v_pred": np.zeros(0, np.float32)}, damaged,
              metadata={"modelspec.title": "x"})
    files.append(damaged)
    for path in files:
        for options in ((), ("--tensors",)):
            validator("info").validate(json.loads(weightsmith("info", "--json", *options, path).stdout))
