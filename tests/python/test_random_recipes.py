"""Random recipes of random operators equal their evaluation in numpy: over any tensors, and over the blocks, averages, layers and
adapters of small models of Stable Diffusion and of a language model.

Where only + - * / sqrt, min, max, comparisons and the documented generator occur, every bit is the same (a zero may have the
other sign); else the worst difference is at most 1e-6 of the tensor's largest magnitude. A result of which nearly all cancels has
no more digits than its operands in f32 have: half a last bit of the largest of those is allowed in any case.
WEIGHTSMITH_RANDOM_RECIPES says how many over any tensors, of the others a quarter as many each; WEIGHTSMITH_SEED which."""

import json
import os

import numpy as np
import pytest

import random_families
import support
from random_evaluation import Recipe, known_of
from random_steps import Writer, renamed

COUNT = int(os.environ.get("WEIGHTSMITH_RANDOM_RECIPES", "60"))
SEED = int(os.environ.get("WEIGHTSMITH_SEED", "1"))
BATCH = 30  # recipes that one run computes
FAMILIES = {"plain": COUNT, "diffusion": COUNT / 4, "language": COUNT / 4}


def family_of(name, batch):
    """Language models with as many keys as queries, and with fewer."""
    if name == "language":
        return random_families.language(keys=8 if (batch + SEED) % 2 else 16)
    return random_families.diffusion() if name == "diffusion" else random_families.plain()


@pytest.fixture(scope="module")
def table(session_weightsmith):
    return json.loads(session_weightsmith("ops", "--json").stdout)


@pytest.mark.parametrize("name, batch", [(name, i) for name, count in FAMILIES.items() for i in range(int(-(-count // BATCH)))])
def test_a_random_recipe_gives_what_numpy_gives(weightsmith, tmp_path, table, name, batch):
    family = family_of(name, batch)
    known = known_of(family)
    recipes, exact = [], []
    for i in range(BATCH):
        writer = Writer(family, table, known, SEED * 100000 + batch * BATCH + i)
        recipes.append(writer.recipe())
        exact.append(list(recipes[-1])[-1] in writer.exact)
    merge(weightsmith, tmp_path, family, recipes)
    models = {model: {tensor: array.astype(np.float32) for tensor, array in tensors.items()}
              for model, tensors in family.models.items()}
    for i, steps in enumerate(recipes):
        result = support.read(tmp_path / f"{i}.safetensors").tensors
        recipe = Recipe(family, known, table, models, steps)
        assert sorted(result) == sorted(recipe.tensors()), json.dumps(steps)
        for tensor, array in result.items():
            expected, limit = recipe.compute(tensor)
            what = f"{tensor} of {json.dumps(steps)}"
            if exact[i]:
                np.testing.assert_array_equal(array, expected, err_msg=what)
            else:
                worst = np.abs(array - expected.astype(np.float64)).max()
                assert worst <= limit, f"{what}: {worst}"


def merge(weightsmith, folder, family, recipes):
    """All of them in one run, with an output each."""
    steps, outputs = {}, []
    for i, recipe in enumerate(recipes):
        steps |= {f"r{i}{name}": renamed(step, i) for name, step in recipe.items()}
        outputs.append({"model": f"r{i}{list(recipe)[-1]}", "path": f"{i}.safetensors", "dtype": "f32"})
    files = {"models": family.models, "adapters": {name: tensors for name, (tensors, _) in family.adapters.items()}}
    for arrays in files.values():
        for name, tensors in arrays.items():
            support.write(folder / f"{name}.safetensors", tensors)
    support.write_recipe(folder / "r.json", {
        **{kind: {name: f"{name}.safetensors" for name in arrays} for kind, arrays in files.items()},
        "steps": steps, "outputs": outputs, "policy": {"effect": "any"}})
    weightsmith("merge", "r.json", "--no-sync")
