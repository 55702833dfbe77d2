"""Tasks as people bring them, each by one line that the help shows; judged by numpy."""

import json
import re
import shutil

import numpy as np
import pytest

import support

VAE = "first_stage_model."


@pytest.fixture
def models(weightsmith, tiny):
    for name, seed in (("a", 1), ("b", 2), ("base", 3), ("photo", 1), ("model", 1), ("vae", 2)):
        shutil.copy(tiny("sd15", seed), weightsmith.folder / f"{name}.safetensors")
    return weightsmith


def examples(weightsmith, command):
    text = weightsmith("help", command).stdout
    return re.findall(r"^    weightsmith (.*)$", text, re.M)


def tensors(weightsmith, name):
    return support.read(weightsmith.folder / name).tensors


def test_the_help_of_merge_blends_adds_and_replaces(models):
    lines = examples(models, "merge")
    run = lambda start: models(*next(line for line in lines if line.startswith(start)).split()).stdout.splitlines()[-1]
    a, b, base = (tensors(models, f"{n}.safetensors") for n in ("a", "b", "base"))
    name = "model.diffusion_model.out.2.weight"

    mixed = tensors(models, run("merge a.safetensors b.safetensors --alpha 0.3"))[name]
    expected = a[name].astype(np.float32) * 0.7 + b[name].astype(np.float32) * 0.3
    np.testing.assert_allclose(mixed.astype(np.float32), expected, rtol=2e-3, atol=1e-5)

    added = tensors(models, run("merge a.safetensors b.safetensors base.safetensors --alpha 0.8"))[name]
    expected = a[name].astype(np.float32) + 0.8 * (b[name].astype(np.float32) - base[name].astype(np.float32))
    np.testing.assert_allclose(added.astype(np.float32), expected, rtol=2e-3, atol=1e-4)

    assert run("merge a.safetensors b.safetensors --mbw").endswith(".safetensors")

    replaced = tensors(models, run("merge a.safetensors --vae vae.safetensors"))
    for tensor, array in replaced.items():
        support.assert_same_bits(array, (b if tensor.startswith(VAE) else a)[tensor], tensor)


def test_one_model_gets_another_vae_by_bake_as_well(models):
    path = models("bake", "photo.safetensors", "--vae", "vae.safetensors").stdout.strip()
    assert path == "photo+vae(vae).safetensors"
    a, b, made = (tensors(models, n) for n in ("a.safetensors", "b.safetensors", path))
    assert all((made[t] == (b if t.startswith(VAE) else a)[t]).all() for t in made)


def test_components_are_extracted_by_kind(models):
    made = models("split", "model.safetensors", "--components", "te").stdout.split()
    assert made == ["model-parts/clip_l.safetensors"]
    assert models("convert", "model.safetensors", "--components", "te").stdout == "model-te.safetensors\n"
    refused = models("split", "model.safetensors", "--components", "clip_g", status=3).stderr
    assert "It has unet, clip_l, vae." in refused


@pytest.mark.parametrize(("arguments", "name"), [
    (["--dtype", "bf16"], "model-bf16.safetensors"),
    (["--prune", "--dtype", "f32"], "model-pruned-f32.safetensors"),
    ([], "model-converted.safetensors"),
    (["--layout", "diffusers"], "model-diffusers"),
])
def test_outputs_have_names_of_their_own_and_replace_nothing(arguments, name, models):
    assert models("convert", "model.safetensors", *arguments).stdout == name + "\n"
    assert "exists" in models("convert", "model.safetensors", *arguments, status=2).stderr


def test_json_reports_instead_of_paths(models):
    for command in (["merge", "a.safetensors", "b.safetensors"], ["convert", "a.safetensors"], ["split", "a.safetensors"],
                    ["bake", "a.safetensors", "--vae", "b.safetensors"]):
        report = json.loads(models(*command, "--json").stdout)
        assert all((models.folder / output["path"]).exists() for output in report["outputs"])
    assert json.loads(models("merge", "a.safetensors", "b.safetensors", "-n", "--json", "-o", "x.safetensors").stdout)["models"]


def test_validate_reports_places_as_json(weightsmith):
    (weightsmith.folder / "bad.yaml").write_text("weightsmith: 1\nmodels: {a: a.safetensors}\nstpes: {}\n")
    (verdict,) = json.loads(weightsmith("validate", "--json", "bad.yaml", status=2).stdout)
    assert not verdict["valid"] and verdict["status"] == 2
    assert {d["line"] for d in verdict["diagnostics"]} == {3}


def test_notes_are_said_once(weightsmith, tiny):
    unets = [tiny("sd15", seed, "--layout", "bare") for seed in (1, 2)]
    said = weightsmith("merge", *unets, "--alpha", "{default: 0.3, te: 0}", "-o", "x.safetensors").stderr
    notes = [line for line in said.splitlines() if line.startswith(("note:", "warning:"))]
    assert len(notes) == 1
