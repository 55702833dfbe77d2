"""What an output's header says of how it was made, and what verify makes of it."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest
import safetensors

import support


def metadata_of(path):
    with safetensors.safe_open(path, "np") as file:
        return file.metadata()


def merge(weightsmith, recipe, output, *options, status=0, cwd=None):
    return weightsmith("merge", recipe, "--no-sync", "-o", output, *options, status=status, cwd=cwd)


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


@pytest.fixture
def recipe(tmp_path, pair):
    return support.write_recipe(
        tmp_path / "mix.yaml",
        {
            "vars": {"w": 0.25},
            "models": {"a": "a.safetensors", "b": "b.safetensors"},
            "steps": {"mix": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": "$w"}},
            "output": {"model": "mix", "path": "mix.safetensors"},
        },
    )


def test_inputs_are_named_with_size_and_digest(weightsmith, recipe, pair):
    weightsmith("merge", recipe, "--no-sync")
    metadata = metadata_of(weightsmith.folder / "mix.safetensors")
    inputs = json.loads(metadata["weightsmith.inputs"])
    assert [(i["name"], i["file"], i["size"], i["tensors_read"], i["tensors"]) for i in inputs] == [
        ("a", "a.safetensors", pair[0].stat().st_size, 4, 4),
        ("b", "b.safetensors", pair[1].stat().st_size, 4, 4),
    ]
    digests = {i["digest"] for i in inputs} | {metadata["weightsmith.digest"]}
    assert len(digests) == 3 and all(len(bytes.fromhex(d)) == 16 for d in digests)
    assert metadata["weightsmith.version"] == (support.ROOT / "VERSION").read_text().strip()


def test_modelspec_says_what_the_file_is(weightsmith, tiny):
    a, b = tiny("sd15", 1), tiny("sd15", 2)
    weightsmith("merge", a, b, "--alpha", "0.5", "-o", "out.safetensors")
    metadata = metadata_of(weightsmith.folder / "out.safetensors")
    assert metadata["format"] == "pt"
    spec = {key.removeprefix("modelspec."): value for key, value in metadata.items() if key.startswith("modelspec.")}
    assert spec == {
        "sai_model_spec": "1.0.1",
        "architecture": "stable-diffusion-v1",
        "implementation": "https://github.com/Stability-AI/generative-models",
        "title": "out",
        "merged_from": f"{a.stem}, {b.stem}",
        "prediction_type": "epsilon",
    }


def test_a_v_model_stays_one(weightsmith, tiny):
    for name, seed in (("a", 1), ("b", 2)):
        tensors = support.read(tiny("sd15", seed)).tensors
        support.write(weightsmith.folder / f"{name}.safetensors", tensors | {"v_pred": np.zeros(0, np.float16)})
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", "0.5", "-o", "out.safetensors")
    assert metadata_of(weightsmith.folder / "out.safetensors")["modelspec.prediction_type"] == "v"


def test_an_unknown_architecture_is_not_named(weightsmith, recipe):
    merge(weightsmith, recipe, "out.safetensors")
    metadata = metadata_of(weightsmith.folder / "out.safetensors")
    assert metadata["modelspec.title"] == "out"
    assert metadata["modelspec.merged_from"] == "a, b"
    assert "modelspec.architecture" not in metadata
    assert "modelspec.implementation" not in metadata
    assert "modelspec.prediction_type" not in metadata


def test_the_recipes_own_metadata_wins(weightsmith, recipe):
    text = recipe.read_text() + "  metadata: {title: 'Mix {w}', merged_from: nobody, mine: yes}\n"
    recipe.write_text(text)
    merge(weightsmith, recipe, "out.safetensors")
    metadata = metadata_of(weightsmith.folder / "out.safetensors")
    assert metadata["modelspec.title"] == "Mix 0.25"
    assert metadata["modelspec.merged_from"] == "nobody"
    assert metadata["mine"] == "yes"
    weightsmith("verify", "out.safetensors")


def test_private_says_nothing_of_how_it_was_made(weightsmith, recipe):
    recipe.write_text(recipe.read_text() + "  metadata: {title: Secret}\n")
    merge(weightsmith, recipe, "out.safetensors", "--private")
    assert metadata_of(weightsmith.folder / "out.safetensors") == {"format": "pt"}


def test_another_folder_and_more_threads_give_the_same_bytes(weightsmith, recipe, pair):
    merge(weightsmith, recipe, "out.safetensors")
    other = weightsmith.folder / "an other" / "place"
    other.mkdir(parents=True)
    for path in (recipe, *pair):
        shutil.copy(path, other)
    merge(weightsmith, other / "mix.yaml", other / "out.safetensors", "--threads", "3")
    assert support.sha256(other / "out.safetensors") == support.sha256(weightsmith.folder / "out.safetensors")
    # So do models that the command line names, absolutely or not.
    weightsmith("merge", *pair, "--alpha", "0.5", "--no-sync", "-o", "one/x.safetensors", "--mkdir")
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", "0.5", "--no-sync", "-o", "x.safetensors", cwd=other)
    assert support.sha256(other / "x.safetensors") == support.sha256(weightsmith.folder / "one/x.safetensors")


def test_verify_says_yes_until_an_input_changes(weightsmith, recipe, pair):
    merge(weightsmith, recipe, "out.safetensors")
    weightsmith("verify", "out.safetensors")
    flip(pair[1], pair[1].stat().st_size - 3)
    said = weightsmith("verify", "out.safetensors", status=7).stderr
    assert "b.safetensors" in said
    weightsmith("verify", "out.safetensors", "--no-recompute")


def test_verify_prefers_the_input_with_the_digest_to_the_one_with_the_name(weightsmith, recipe, pair):
    merge(weightsmith, recipe, "out.safetensors")
    pair[1].rename(weightsmith.folder / "renamed.safetensors")
    shutil.copy(pair[0], pair[1])
    weightsmith("verify", "out.safetensors")


def test_verify_says_no_of_a_changed_output(weightsmith, recipe):
    merge(weightsmith, recipe, "out.safetensors")
    path = weightsmith.folder / "out.safetensors"
    flip(path, path.stat().st_size - 4)
    said = weightsmith("verify", path, status=7).stderr
    assert "digest" in said and "layers.3.weight" in said


def test_verify_tells_a_script_what_it_checked(weightsmith, recipe, pair):
    merge(weightsmith, recipe, "out.safetensors")
    path = weightsmith.folder / "out.safetensors"
    found = json.loads(weightsmith("verify", path, "--json").stdout)
    assert found == {
        "path": str(path),
        "right": True,
        "checked": ["structure", "finite values", "digest", "recomputed"],
        "recipe": True,
        "problems": [],
        "status": 0,
    }
    assert json.loads(weightsmith("verify", pair[0], "--json").stdout)["recipe"] is False
    flip(path, path.stat().st_size - 4)
    found = json.loads(weightsmith("verify", path, "--json", status=7).stdout)
    assert found["right"] is False
    assert len(found["problems"]) == 2 and "digest" in found["problems"][0]


@pytest.mark.parametrize(
    "options",
    [
        ("--set", "w=0.5"),
        ("--dtype", "f32"),
        ("--step", "b"),
        ("--policy", "non_finite=saturate"),
        ("--no-digest",),
        ("--sha256",),
    ],
    ids=lambda options: options[0],
)
def test_a_recipe_with_options_can_be_rebuilt(weightsmith, recipe, options):
    merge(weightsmith, recipe, "out.safetensors", *options)
    weightsmith("verify", "out.safetensors")


def test_includes_and_recipes_as_models_can_be_rebuilt(weightsmith, recipe, trio):
    (weightsmith.folder / "table.yaml").write_text("weightsmith: 1\nmodels: {c: c.safetensors}\n")
    outer = support.write_recipe(
        weightsmith.folder / "outer.yaml",
        {
            "include": ["table.yaml"],
            "models": {"inner": {"recipe": "mix.yaml"}},
            "steps": {"all": {"op": "weighted_sum", "a": "inner", "b": "c", "alpha": 0.5}},
        },
    )
    merge(weightsmith, outer, "out.safetensors")
    weightsmith("verify", "out.safetensors")
    for path in (recipe, outer, weightsmith.folder / "table.yaml"):
        path.unlink()
    weightsmith("verify", "out.safetensors")


def test_outputs_that_read_different_tensors_can_each_be_rebuilt(weightsmith, tiny):
    for name, seed in (("a", 1), ("b", 2), ("c", 3)):
        shutil.copy(tiny("sd15", seed), weightsmith.folder / f"{name}.safetensors")
    recipe = support.write_recipe(
        weightsmith.folder / "two.yaml",
        {
            "models": {name: f"{name}.safetensors" for name in "abc"},
            "steps": {"mix": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5}},
            "outputs": [
                {"model": "mix", "components": {"vae": "c"}, "path": "one.safetensors"},
                {"model": "b", "dtype": "f32", "path": "two.safetensors"},
            ],
        },
    )
    weightsmith("merge", recipe, "--no-sync")
    assert metadata_of(weightsmith.folder / "one.safetensors")["modelspec.merged_from"] == "a, b, c"
    assert metadata_of(weightsmith.folder / "two.safetensors")["modelspec.merged_from"] == "b"
    weightsmith("verify", "one.safetensors")
    weightsmith("verify", "two.safetensors")


def test_a_model_put_together_from_components_can_be_rebuilt(weightsmith, tiny):
    for folder, seed in (("x", 1), ("y", 2), ("z", 3)):
        (weightsmith.folder / folder).mkdir()
        shutil.copy(tiny("sdxl", seed), weightsmith.folder / folder / "model.safetensors")
    recipe = support.write_recipe(
        weightsmith.folder / "parts.yaml",
        {
            "models": {
                "whole": "x/model.safetensors",
                "parts": {"unet": "y/model.safetensors", "te": "z/model.safetensors"},
            },
            "steps": {
                "mix": {"op": "weighted_sum", "a": "whole", "b": "parts", "alpha": 0.5, "policy": {"missing": "keep"}}
            },
        },
    )
    merge(weightsmith, recipe, "out.safetensors")
    inputs = json.loads(metadata_of(weightsmith.folder / "out.safetensors")["weightsmith.inputs"])
    assert [i.get("component") for i in inputs if i["name"] == "parts"] == ["clip_g", "clip_l", "unet"]
    weightsmith("verify", "out.safetensors")


def test_ancestors_are_carried_through_generations(weightsmith, trio):
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", "0.5", "--no-sync", "-o", "ab.safetensors")
    weightsmith("merge", "ab.safetensors", "c.safetensors", "--alpha", "0.5", "--no-sync", "-o", "abc.safetensors")
    weightsmith("merge", "abc.safetensors", "ab.safetensors", "--alpha", "0.5", "--no-sync", "-o", "last.safetensors")
    ab, abc, last = (metadata_of(weightsmith.folder / f"{name}.safetensors") for name in ("ab", "abc", "last"))
    assert "weightsmith.ancestors" not in ab
    ancestors = json.loads(last["weightsmith.ancestors"])
    assert list(ancestors) == [abc["weightsmith.digest"], ab["weightsmith.digest"]]
    for metadata in (abc, ab):
        assert ancestors[metadata["weightsmith.digest"]] == {
            "recipe": metadata["weightsmith.recipe"],
            "inputs": json.loads(metadata["weightsmith.inputs"]),
        }
    weightsmith("verify", "last.safetensors")


def test_models_by_sha256_where_all_are_known(weightsmith, pair):
    data = support.read(pair[0])
    sd = {"sd_merge_recipe": json.dumps({"type": "webui", "secondary_model_hash": "0"})}
    support.write(pair[0], data.tensors, sd)
    weightsmith("merge", *pair, "--alpha", "0.5", "--no-sync", "-o", "plain.safetensors")
    assert "sd_merge_models" not in metadata_of(weightsmith.folder / "plain.safetensors")
    weightsmith("merge", *pair, "--alpha", "0.5", "--no-sync", "--sha256", "-o", "out.safetensors")
    metadata = metadata_of(weightsmith.folder / "out.safetensors")
    models = json.loads(metadata["sd_merge_models"])
    assert set(models) == {support.sha256(path) for path in pair}
    first, second = (models[support.sha256(path)] for path in pair)
    assert first["name"] == "a.safetensors" and first["sd_merge_recipe"] == json.loads(sd["sd_merge_recipe"])
    assert second["name"] == "b.safetensors" and second["sd_merge_recipe"] is None
    assert json.loads(metadata["sd_merge_recipe"])["type"] == "weightsmith"
    assert [i["sha256"] for i in json.loads(metadata["weightsmith.inputs"])] == list(models)


def test_a_name_that_is_no_utf8_does_not_spoil_the_header(weightsmith, recipe):
    odd = weightsmith.folder / b"caf\xe9.safetensors".decode("utf-8", "surrogateescape")
    result = subprocess.run(
        [*weightsmith.command("merge", recipe, "--no-sync", "-o"), os.fsencode(odd)],
        env=weightsmith.environment,
        capture_output=True,
    )
    assert result.returncode == 0, result.stderr
    assert metadata_of(odd)["modelspec.title"] == "caf\ufffd"
