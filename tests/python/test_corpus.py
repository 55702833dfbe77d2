"""Every recipe of tests/corpus, judged by a probe: the parents hold 1, 10, 100 and 1000, so that an
element of the output shows the coefficients. The order of keys and the notation change nothing."""

import json
import shutil

import numpy as np
import pytest
import yaml

import recipe_oracle
import support

CORPUS = support.ROOT / "tests" / "corpus"
RECIPES = sorted(path.name for path in CORPUS.iterdir() if path.is_file())
ARCHITECTURE = {"sdxl_encoders.yaml": "sdxl", "flux.yaml": "flux", "missing_keep.yaml": "plain", "missing_drop.yaml": "plain"}
CONSTANTS = {"a": 1.0, "b": 10.0, "c": 100.0, "d": 1000.0}


def constants(path, value, keep=lambda name: True, rename=lambda name: name):
    """The floats of a checkpoint replaced by a constant in f32: what is written, what it means."""
    tensors, meaning = {}, {}
    for name, array in support.read(path).tensors.items():
        if not keep(name):
            continue
        if support.NAMES[array.dtype] in support.FLOATS:
            tensors[rename(name)] = np.full(array.shape, value, dtype=np.float32)
            meaning[name] = np.float32(value)
        else:
            tensors[rename(name)] = array
            meaning[name] = array
    return tensors, meaning


@pytest.fixture(scope="module")
def parents(tmp_path_factory, tiny):
    """A folder with every file that the corpus names; what they mean, by architecture."""
    folder = tmp_path_factory.mktemp("parents")
    meanings = {"sd15": {}, "sdxl": {}, "flux": {}, "plain": {}}

    def add(architecture, name, tensors, meaning):
        support.write(folder / name, tensors)
        meanings[architecture][name] = meaning

    for letter, value in CONSTANTS.items():
        add("sd15", f"{letter}.safetensors", *constants(tiny("sd15"), value))
        if letter == "d":
            continue
        add("sdxl", f"xl_{letter}.safetensors", *constants(tiny("sdxl"), value))
        add("flux", f"flux_{letter}.safetensors", *constants(tiny("flux1-dev"), value))
        shared, own = {"stem.weight": np.full((3, 5), value, np.float32)}, f"only.{letter}.weight"
        plain = {**shared, own: np.full((7,), value, np.float32)}
        add("plain", f"plain_{letter}.safetensors", plain, {k: np.float32(value) for k in plain})
    add(
        "sd15",
        "unet_b.safetensors",
        *constants(tiny("sd15"), 10.0, keep=lambda name: name.startswith("model.diffusion_model.")),
    )
    prefix = "first_stage_model."
    add(
        "sd15",
        "vae.safetensors",
        *constants(
            tiny("sd15"), 7.0, keep=lambda name: name.startswith(prefix), rename=lambda name: name.removeprefix(prefix)
        ),
    )
    return folder, meanings


@pytest.fixture
def corpus(parents, tmp_path):
    """A fresh folder with the recipes, and links to the parents."""
    for path in parents[0].iterdir():
        (tmp_path / path.name).symlink_to(path)
    shutil.copytree(CORPUS, tmp_path, dirs_exist_ok=True)
    return tmp_path


def used_files(recipe):
    """File names that a recipe's models lead to."""
    names = set()
    for model in recipe.models.values():
        if isinstance(model, dict) and "recipe" in model:
            names |= used_files(recipe_oracle.Recipe(recipe.folder / model["recipe"], {}, "sd15"))
        else:
            names.add((model["path"] if isinstance(model, dict) else model).rsplit("/", 1)[-1])
    return names


@pytest.mark.parametrize("name", support.sampled(RECIPES, 3, offset=1))
def test_the_output_shows_the_coefficients(weightsmith, corpus, parents, name):
    architecture = ARCHITECTURE.get(name, "sd15")
    recipe = recipe_oracle.Recipe(corpus / name, parents[1][architecture], architecture)
    recipe.files = {k: v for k, v in recipe.files.items() if k in used_files(recipe)}
    weightsmith("merge", name, "--no-sync")
    for path, expected in recipe.outputs().items():
        result = support.read(corpus / path)
        assert result.tensors.keys() == expected.keys()
        for key, (value, word) in expected.items():
            actual = result[key]
            if isinstance(value, np.ndarray):
                support.assert_same_bits(actual, value, key)
                continue
            dtype = support.DTYPES[(word or "f32").upper()]
            support.assert_same_bits(actual, np.full(actual.shape, value).astype(dtype), f"{path}: {key}")


def resorted(value, reverse):
    if isinstance(value, dict):
        return {k: resorted(value[k], reverse) for k in sorted(value, reverse=reverse)}
    return [resorted(x, reverse) for x in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", support.sampled(RECIPES, 8))
def test_order_and_notation_change_nothing(weightsmith, corpus, name):
    data = yaml.safe_load((corpus / name).read_text())
    texts = {
        "sorted.yaml": yaml.safe_dump(resorted(data, False), sort_keys=False),
        "reversed.yaml": yaml.safe_dump(resorted(data, True), sort_keys=False),
        "notation.json": json.dumps(data, indent=1),
        "again.yaml": yaml.safe_dump(json.loads(json.dumps(data)), default_flow_style=False, indent=5, width=60),
        "shown.yaml": weightsmith("show", name).stdout,
        "shown.json": weightsmith("show", name, "--json").stdout,
    }
    outputs = sorted(recipe_oracle.Recipe(corpus / name, {}, "sd15").outputs())

    def digests(recipe):
        # Metadata quotes the recipe as it was written; --private leaves that out.
        weightsmith("merge", recipe, "--no-sync", "--force", "--private")
        return [support.sha256(corpus / path) for path in outputs]

    expected = digests(name)
    for variant, text in texts.items():
        (corpus / variant).write_text(text)
        assert digests(variant) == expected, variant
