"""Random recipes of random operators equal their evaluation in numpy: over any tensors, and over the blocks, averages, layers and
adapters of small models of Stable Diffusion, of SDXL and of a language model. All that `weightsmith ops` says a step may have, every
parameter in every form and every word, is in one recipe at least, whatever the seed.

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
from random_steps import Writer, choices_in, choices_of, renamed

COUNT = int(os.environ.get("WEIGHTSMITH_RANDOM_RECIPES", "60"))
SEED = int(os.environ.get("WEIGHTSMITH_SEED", "1"))
BATCH = 30  # recipes that one run computes
FAMILIES = {"plain": COUNT, "xl": COUNT / 4, "diffusion": COUNT / 4, "language": COUNT / 4}


def family_of(name, batch):
    """Language models with as many keys as queries, and with fewer."""
    if name == "language":
        return random_families.language(keys=8 if (batch + SEED) % 2 else 16)
    return getattr(random_families, name)()


@pytest.fixture(scope="module")
def table(session_weightsmith):
    return json.loads(session_weightsmith("ops", "--json").stdout)


@pytest.fixture(scope="module")
def choosing(table):
    """Family -> (itself, Writers and recipes that together have all that a step of any operator may say)."""
    result, had = {}, set()
    for number, name in enumerate(FAMILIES):
        family, written = family_of(name, 0), []
        known = known_of(family, table)
        for op in Writer(family, table, known, 0).operators:
            for choice in choices_of(op, family):
                of_family = choice and choice[0] in ("adapters", "where")
                if choice and (op["name"], choice, name if of_family else None) in had:
                    continue
                writer = Writer(family, table, known, 10000 * number + 1000000 * (SEED + 1) + len(written))
                written.append((writer, writer.recipe_of(op, choice)))
                for step in written[-1][1].values():
                    for found in choices_in(step, family):
                        had.add((step["op"], found, name if found[0] in ("adapters", "where") else None))
        result[name] = (family, written)
    return result


def declared(op):
    """All that a step of an operator may say, as `ops --json` has it."""
    for parameter in op["parameters"]:
        name = parameter["name"]
        if parameter["type"] == "number":
            yield from ((name, way) for way, can in (("number", True), ("place", parameter["by_place"]),
                                                      ("entry", parameter["by_entry"])) if can)
        else:
            ways = {"word": parameter.get("words"), "boolean": (False, True), "seed": ("seed",)}
            yield from ((name, way) for way in ways[parameter["type"]])
    optional = [operand["name"] for operand in op["operands"] if not operand["required"]]
    yield from ((name, "given") for name in [*optional, *([op["list"]["name"]] if op.get("list") else [])])


def test_every_parameter_and_every_word_is_drawn(table, choosing):
    drawn = {op["name"]: set() for op in table}
    for family, written in choosing.values():
        for _, steps in written:
            for step in steps.values():
                drawn[step["op"]] |= set(choices_in(step, family))
    assert not {op["name"]: left for op in table if (left := set(declared(op)) - drawn[op["name"]])}
    assert all(drawn.values())
    for name, (family, written) in choosing.items():
        steps = [step for _, steps in written for step in steps.values()]
        said = {found for step in steps for found in choices_in(step, family)}
        assert {("adapters", adapter) for adapter in family.adapters} <= said, name
        assert {("where", i) for i in range(len(family.selections))} <= said, name


@pytest.mark.parametrize("name", FAMILIES)
def test_every_choice_gives_what_numpy_gives(weightsmith, tmp_path, table, choosing, name):
    family, written = choosing[name]
    compare(weightsmith, tmp_path, table, family, *zip(*written))


@pytest.mark.parametrize("name, batch", [(name, i) for name, count in FAMILIES.items() for i in range(int(-(-count // BATCH)))])
def test_a_random_recipe_gives_what_numpy_gives(weightsmith, tmp_path, table, name, batch):
    family = family_of(name, batch)
    known = known_of(family, table)
    writers = [Writer(family, table, known, SEED * 100000 + batch * BATCH + i) for i in range(BATCH)]
    compare(weightsmith, tmp_path, table, family, writers, [writer.recipe() for writer in writers])


def compare(weightsmith, folder, table, family, writers, recipes):
    known = known_of(family, table)
    outputs = [(i, name) for i, steps in enumerate(recipes) for name in outputs_of(steps, writers[i].kinds)]
    merge(weightsmith, folder, family, recipes, outputs)
    models = {model: {tensor: array.astype(np.float32) for tensor, array in tensors.items()}
              for model, tensors in family.models.items()}
    evaluated = [Recipe(family, known, table, models, steps) for steps in recipes]
    for i, name in outputs:
        result = support.read(folder / f"{i}-{name}.safetensors").tensors
        assert sorted(result) == sorted(evaluated[i].tensors(name)), json.dumps(recipes[i])
        for tensor, array in result.items():
            expected, limit = evaluated[i].compute(tensor, name)
            what = f"{tensor} of {name} of {json.dumps(recipes[i])}"
            if name in writers[i].exact:
                np.testing.assert_array_equal(array, expected, err_msg=what)
            else:
                worst = np.abs(array - expected.astype(np.float64)).max()
                assert worst <= limit, f"{what}: {worst}"


def outputs_of(steps, kinds):
    """The last one. Of a stack also the models in it: what takes nothing of a selection or of an adapter is refused."""
    *others, last = steps
    return [last] if steps[last]["op"] != "stack" else [last, *(name for name in others if kinds[name] == "weight")]


def merge(weightsmith, folder, family, recipes, outputs):
    """All of them in one run."""
    steps = {f"r{i}{name}": renamed(step, i) for i, recipe in enumerate(recipes) for name, step in recipe.items()}
    files = {"models": family.models, "adapters": {name: tensors for name, (tensors, _) in family.adapters.items()}}
    for arrays in files.values():
        for name, tensors in arrays.items():
            support.write(folder / f"{name}.safetensors", tensors)
    support.write_recipe(folder / "r.json", {
        **{kind: {name: f"{name}.safetensors" for name in arrays} for kind, arrays in files.items()},
        "steps": steps, "policy": {"effect": "any"},
        "outputs": [{"model": f"r{i}{name}", "path": f"{i}-{name}.safetensors", "dtype": "f32"} for i, name in outputs]})
    weightsmith("merge", "r.json", "--no-sync")
