"""The calc modes of SuperMerger, which are in no registry, as supermerger/generate.py ran them once."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from supermerger import EXPECTED, cases

# Where our places merge the VAE too, or theirs leave it.
WITH_VAE = {"normal list", "cosineA", "cosineB"}


def is_a_mistake(name, shape):
    """tensor2 counts rows, where there are 100 columns or fewer, and takes columns by these numbers."""
    return name.startswith("tensor2") and len(shape) > 1 and shape[1] <= 100


@pytest.fixture(scope="module")
def expected():
    with safe_open(EXPECTED, "np") as file:
        assert file.metadata()["peer"] == "hako-mikan/sd-webui-supermerger" and len(file.metadata()["commit"]) == 40
    return load_file(EXPECTED)


@pytest.mark.parametrize("name", cases.CASES)
def test_a_calc_mode_gives_what_supermerger_gives(weightsmith, tmp_path, expected, name):
    _, step = cases.CASES[name]
    used = {letter: tensors for letter, tensors in cases.inputs().items() if letter in step.values()}
    for letter, tensors in used.items():
        save_file(tensors, tmp_path / f"{letter}.safetensors")
    recipe = {
        "weightsmith": 1, "models": {letter: f"{letter}.safetensors" for letter in used}, "steps": {"out": step},
        "output": {"model": "out", "path": "out.safetensors"},
    }
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    weightsmith("merge", "recipe.json", "--no-sync")
    for key, array in load_file(tmp_path / "out.safetensors").items():
        if key.startswith(cases.VAE) and name not in WITH_VAE or is_a_mistake(name, array.shape):
            continue
        theirs = expected[f"{name}|{key}"]
        worst = np.abs(cases.sample(array) - theirs).max()
        assert worst <= 1e-6 * np.abs(array).max(), f"{key}: {worst}"
