"""Tasks as people bring them, each by one line that the help shows; judged by numpy."""

import json
import re
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

import support

VAE = "first_stage_model."


@pytest.fixture
def models(weightsmith, tiny):
    for name, seed in (("a", 1), ("b", 2), ("base", 3), ("photo", 1), ("model", 1), ("vae", 2)):
        shutil.copy(tiny("sd15", seed), weightsmith.folder / f"{name}.safetensors")
    return weightsmith


def examples(weightsmith, command):
    text = weightsmith("help", command).stdout
    return re.findall(r"^    weightsmith (.*)$", text.replace(" \\\n    ", " "), re.M)


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
    assert "It has unet, clip_l (te1), vae." in refused


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
    assert {d["line"] for d in verdict["diagnostics"]} == {1, 3}  # the misspelled key, and no output


def test_notes_are_said_once(weightsmith, tiny):
    unets = [tiny("sd15", seed, "--layout", "bare") for seed in (1, 2)]
    said = weightsmith("merge", *unets, "--alpha", "{default: 0.3, te: 0}", "-o", "x.safetensors").stderr
    notes = [line for line in said.splitlines() if line.startswith(("note:", "warning:"))]
    assert len(notes) == 1


def a_lora(path, stem="lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q", width=32):
    save_file({f"{stem}.lora_down.weight": np.full((2, width), 0.25, np.float16),
               f"{stem}.lora_up.weight": np.full((width, 2), 0.25, np.float16)}, path)


@pytest.fixture
def lora(models):
    """One module that fits the tiny models."""
    name = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.weight"
    width = tensors(models, "a.safetensors")[name].shape[0]
    a_lora(models.folder / "l.safetensors", width=width)
    return models


def test_one_model_with_an_adapter_is_baked_by_merge_too(lora):
    baked = lora("bake", "a.safetensors", "--lora", "l.safetensors:0.5", "-o", "baked.safetensors").stderr
    lora("merge", "a.safetensors", "--lora", "l.safetensors:0.5", "-o", "merged.safetensors")
    one, two = tensors(lora, "baked.safetensors"), tensors(lora, "merged.safetensors")
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)
    assert "1 module applied" in baked and "1 modules" not in baked
    assert "needs two models" in lora("merge", "a.safetensors", "--lora", "l.safetensors", "--param", "x=1", status=2).stderr


def test_an_adapter_among_models_is_told_how_to_be_baked(lora):
    for words in (["bake", "a.safetensors", "l.safetensors"], ["merge", "a.safetensors", "l.safetensors"]):
        said = lora(*words, status=2 if words[0] == "bake" else 3).stderr
        assert "--lora l.safetensors" in said and "adapters'" not in said


@pytest.mark.parametrize("strength", ["0.7,0.3", "70%", "half"])
def test_what_is_no_strength_is_told_so(lora, strength):
    said = lora("bake", "a.safetensors", "--lora", f"l.safetensors:{strength}", status=2).stderr
    assert f"'{strength}' is not a strength" in said and "FILE:0.7:0.3" in said and "l_safetensors" not in said


def test_a_vae_that_is_there_already_is_warned_of(models):
    same = ["--vae", "model.safetensors"]
    for words in (["bake", "a.safetensors"], ["merge", "a.safetensors", "b.safetensors"]):
        said = models(*words, *same, "-o", f"{words[0]}.safetensors").stderr
        assert "warning: the vae of 'model' is that of 'a' already" in said
        assert "nothing" not in said.replace("taking it changes nothing", "")
        other = models(*words, "--vae", "base.safetensors", "-o", "other.safetensors", "--force").stderr
        assert "warning" not in other
    assert "already" not in models("bake", "a.safetensors", *same, "--policy", "effect=any", "-o", "any.safetensors").stderr


def test_the_report_says_what_became_of_every_input(lora):
    lora("merge", "a.safetensors", "b.safetensors", "--lora", "l.safetensors", "--vae", "base.safetensors", "-o", "o.safetensors",
         "--report", "r.json")
    report = json.loads((lora.folder / "r.json").read_text())
    inputs = {entry["model"]: entry for entry in report["inputs"]}
    names = tensors(lora, "a.safetensors")
    vae = sum(name.startswith(VAE) for name in names)
    assert inputs["base"]["tensors_copied"] == vae and inputs["base"]["tensors_computed"] == 0 == len(inputs["base"]["steps"])
    assert inputs["a"]["tensors_copied"] + inputs["a"]["tensors_computed"] == len(names) - vae
    assert inputs["b"]["steps"][0] == "merged" and inputs["b"]["tensors_changed"] > 0
    assert inputs["l"]["tensors_changed"] == inputs["l"]["tensors_computed"] == 1 and inputs["l"]["steps"] == ["baked"]
    assert "exists" in lora("merge", "a.safetensors", "b.safetensors", "--report", "r.json", status=2).stderr


def test_a_plan_that_would_be_refused_says_so_first(models):
    result = models("plan", "a.safetensors", "b.safetensors", "-o", "model.safetensors", status=2)
    assert result.stderr.startswith("weightsmith: the merge would be refused: 'model.safetensors' already exists")
    assert result.stdout.startswith("Outputs:")


def test_folders_above_a_folder_are_made_only_when_asked(models):
    for words in (["split", "a.safetensors", "-o", "no/x/parts"], ["convert", "a.safetensors", "--layout", "diffusers", "-o", "no/pipe"],
                  ["merge", "a.safetensors", "b.safetensors", "-o", "no/out.safetensors"]):
        refused = models(*words, status=2).stderr
        assert "does not exist" in refused and "Inputs:" not in refused and not (models.folder / "no").exists()
    models("split", "a.safetensors", "-o", "parts")
    models("split", "a.safetensors", "-o", "no/x/parts", "--mkdir")
    assert (models.folder / "no/x/parts/vae.safetensors").exists()


def test_wrong_names_get_the_right_ones(models):
    said = lambda *words: models(*words, status=2).stderr
    assert "'--alpha'" in said("merge", "a.safetensors", "b.safetensors", "--ratio", "0.3")
    assert "'--output'" in said("merge", "a.safetensors", "b.safetensors", "--output-dir", "x")
    assert "'sdxl'" in said("assemble", "--like", "sdx", "--unet", "a.safetensors")
    assert "'sd15'" in said("synth", "sd16")
    assert "'sigmoid' is not here yet" in said("merge", "a.safetensors", "b.safetensors", "--op", "sigmoid").splitlines()[0]
    assert "It is called dare_linear here" in said("merge", "a.safetensors", "b.safetensors", "--op", "dare")
    assert "'weighted_sum'" in said("merge", "a.safetensors", "b.safetensors", "--op", "weighted-sum")
    assert "FILE is missing" in said("lora") and "WORD" not in said("lora")


def test_a_part_of_another_architecture_is_named(models):
    models("split", "a.safetensors", "-o", "parts")
    said = models("assemble", "--like", "flux", "--unet", "parts/unet.safetensors", "-o", "o.safetensors", status=3).stderr
    assert "it is the unet of Stable Diffusion 1.x" in said


def test_an_adapter_of_no_known_widths_is_told_by_its_names(lora):
    a_lora(lora.folder / "tiny.safetensors", width=24)
    page = lora("info", "tiny.safetensors").stdout
    assert "names of Stable Diffusion 1.x" in page and "other widths" in page and "other  " not in page


def test_a_pipeline_says_how_many_tensors_its_files_have(weightsmith, tiny):
    weightsmith("convert", tiny("sdxl", 1), "--layout", "diffusers", "-o", "pipe")
    stored = sum(len(support.read(path).tensors) for path in weightsmith.folder.glob("pipe/*/*.safetensors"))
    assert f"(from {stored:,} in the files" in weightsmith("info", "pipe").stdout


def test_help_fits_a_page_and_its_examples_a_shell(weightsmith):
    commands = re.findall(r"^  (\w+)  ", weightsmith("-h").stdout, re.M)
    for command in commands:
        for flag in ("-h", "--help"):
            page = weightsmith(command, flag).stdout
            assert max(map(len, page.splitlines())) <= 80, command
            assert "\n:\n" not in page and "Examples:\n\n" not in page
    assert " \\\n" in weightsmith("assemble", "-h").stdout
    assert "weightsmith blocks --help" in weightsmith("help", "blocks").stdout


def test_a_recipe_in_the_metadata_is_read_in_lines(models):
    models("merge", "a.safetensors", "b.safetensors", "-o", "o.safetensors")
    page = models("meta", "o.safetensors").stdout
    assert "weightsmith.recipe:\n  weightsmith: 1\n  models:\n" in page and "\\n" not in page.split("weightsmith.recipe:")[1].split("\nweightsmith.")[0]


def test_a_checked_file_is_no_candidate_for_its_inputs(models):
    models("merge", "a.safetensors", "b.safetensors", "-o", "o.safetensors")
    for name in ("a", "model", "photo"):
        (models.folder / f"{name}.safetensors").unlink()
    said = models("verify", "o.safetensors", status=4).stderr
    assert "'o.safetensors'" not in said and "./o.safetensors" not in said
