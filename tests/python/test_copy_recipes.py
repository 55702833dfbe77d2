"""convert, split and assemble are recipes of one `copy` step: `merge` makes the same files of what --print-recipe prints."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import support
from conftest import Weightsmith

COMMANDS = {
    "dtype": ("convert", "whole.safetensors", "--dtype", "bf16", "-o", "made/half.safetensors"),
    "names": ("convert", "whole.safetensors", "--layout", "comfy", "-o", "made/comfy.safetensors"),
    "pipeline": ("convert", "whole.safetensors", "--layout", "diffusers", "--dtype", "f16", "-o", "made/pipeline"),
    "components": ("convert", "whole.safetensors", "--components", "te,vae,other", "-o", "made/some.safetensors"),
    "pruned": ("convert", "whole.safetensors", "--prune", "--fix", "-o", "made/pruned.safetensors"),
    "components pruned": ("convert", "whole.safetensors", "--components", "vae,other", "--prune", "-o", "made/vae.safetensors"),
    "split": ("split", "whole.safetensors", "-o", "made/parts"),
    "one part": ("split", "whole.safetensors", "--components", "clip_g", "-o", "made/parts"),
    "bare": ("convert", "bare.safetensors", "--layout", "diffusers", "-o", "made/unet"),
    "assembled": ("assemble", "--like", "sdxl", "--unet", "parts/unet.safetensors", "--te1", "parts/clip_l.safetensors",
                  "--te2", "parts/clip_g.safetensors", "--vae", "parts/vae.safetensors", "--ema", "parts/ema.safetensors",
                  "--other", "parts/other.safetensors", "-o", "made/whole.safetensors"),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with a whole model, its parts, and one that is bare."""
    folder = tmp_path_factory.mktemp("files")
    weightsmith = Weightsmith(folder)
    weightsmith("synth", "sdxl", "--scale", "tiny", "--layout", "monolithic", "--seed", "3", "-o", "plain.safetensors")
    tensors = load_file(folder / "plain.safetensors")
    tensors["model_ema.decay"] = np.array(0.9999, np.float32)
    tensors["my.notes"] = np.ones(3, np.float32)
    damaged = "conditioner.embedders.0.transformer.text_model.embeddings.position_ids"
    tensors[damaged] = np.minimum(tensors[damaged], 75)
    save_file(tensors, folder / "whole.safetensors", {"modelspec.title": "Whole", "weightsmith.recipe": "older"})
    weightsmith("split", "whole.safetensors", "-o", "parts")
    weightsmith("synth", "sdxl", "--scale", "tiny", "--layout", "bare", "-o", "bare.safetensors")
    return folder


@pytest.fixture
def whole(files, tmp_path):
    for path in files.iterdir():
        (tmp_path / path.name).symlink_to(path)


def made(folder):
    files = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    return files


@pytest.mark.parametrize("name", support.chosen(COMMANDS, "pipeline", "components pruned", "split", "assembled"))
def test_the_recipe_of_a_command_makes_the_same_files(weightsmith, whole, tmp_path, name):
    (tmp_path / "made").mkdir()
    recipe = weightsmith(*COMMANDS[name], "--print-recipe").stdout
    assert "op: copy" in recipe and not made(tmp_path / "made")
    assert "result = " in weightsmith(*COMMANDS[name], "--dry-run").stdout and not made(tmp_path / "made")
    weightsmith(*COMMANDS[name])
    by_command = made(tmp_path / "made")
    (tmp_path / "copy.yaml").write_text(recipe)
    result = weightsmith("merge", "copy.yaml")
    assert "warning" not in result.stderr
    assert by_command and by_command == made(tmp_path / "made")


def test_a_copy_keeps_the_metadata_that_is_still_true(weightsmith, whole, tmp_path):
    (tmp_path / "made").mkdir()
    weightsmith(*COMMANDS["dtype"])
    metadata = json.loads(weightsmith("meta", "made/half.safetensors", "--json").stdout)
    assert "Whole" in json.dumps(metadata) and "older" not in json.dumps(metadata)


def test_a_file_is_read_pruned_and_repaired_in_any_recipe(weightsmith, whole, tmp_path):
    (tmp_path / "r.yaml").write_text("""weightsmith: 1
models: {a: {path: whole.safetensors, prune: true, fix: true}, b: plain.safetensors}
policy: {effect: any}
steps: {mix: {op: weighted_sum, a: a, b: b, alpha: 0.5}}
output: {model: mix, path: mix.safetensors}
""")
    weightsmith("merge", "r.yaml")
    mixed, plain = load_file(tmp_path / "mix.safetensors"), load_file(tmp_path / "plain.safetensors")
    assert mixed.keys() == plain.keys()
    assert all(mixed[name].tobytes() == array.tobytes() for name, array in plain.items())


@pytest.mark.parametrize("model, status, said", [
    ("{like: sdlx, unet: parts/unet.safetensors}", 2, "Did you mean 'sdxl'?"),
    ("{like: sdxl, t5xxl: parts/unet.safetensors}", 2, "sdxl has no t5xxl"),
    ("{like: sdxl, unet: parts/vae.safetensors}", 3, "is not a complete unet"),
])
def test_what_cannot_be_assembled_is_shown_in_the_recipe(weightsmith, whole, tmp_path, model, status, said):
    (tmp_path / "r.yaml").write_text(f"weightsmith: 1\nmodels:\n  m: {model}\noutput: {{model: m, path: o.safetensors}}\n")
    result = weightsmith("merge", "r.yaml", status=status)
    assert said in result.stderr and "r.yaml:3:" in result.stderr
