"""Every number of every operator that takes weights by place, and the weights of every list, against numpy: what a tensor gets is
computed with the numbers of its place, by the oracles of this folder. One run computes all.

The places are a block, a range of blocks, elements by expression, a component, and all others; what is compared in each has
every number of dimensions that occurs there."""

import json
import re

import numpy as np
import pytest

import operator_steps
import oracles
import support

# Each with its weights; those of some names are others.
PLACES = ("in.4", "out.0-2", r"/attn2\.to_q/", "te", "default")
WEIGHTS = (0.25, 0.75, 1.5, 0.375, 0.5)
OWN_WEIGHTS = {"rank": (1, 2, 3, 2, 4), "least": (1, 3, 2, 2, 1), "epsilon": (0.1, 0.2, 0.05, 0.12, 0.15),
               "from": (0.1, 0.2, 0.05, 0.3, 0.15), "to": (0.6, 0.4, 0.7, 0.5, 0.8)}

# A quotient by what is almost 0 has too few digits in f32.
IN_F64 = {"multiply_quotient"}

# Of what must be written of those: statistics of one tensor.
FIXED = {"cosine_a": {"scope": "tensor"}, "cosine_b": {"scope": "tensor"}}

# Names of more numbers of an oracle's function than oracles.py gives it.
MORE_NUMBERS = {
    "consensus": {"least": "least"}, "core_space": {"rank": "rank"}, "truncate_rank": {"rank": "rank"},
    "frequency": {"from": "start", "to": "end"},
}

# Of these one step takes one.
EITHER = {"ratio": "rank"}

# Of those that an oracle computes in f32 as the reference page writes it, these have no last bit of their own.
NOT_EVERY_BIT = {"model_stock", "crossover", "noise", "dropout"}

# Tested in test_bake.py and test_stack.py; of whole blocks and of averages: test_block_operators.py, test_diffusion_operators.py.
ELSEWHERE = {"bake", "stack", "align_attention", "rebasin", "ema"}


def weights_by_place(op):
    """Name -> weights in its range, of the operator's parameters by place and its list's weights."""
    found = {}
    for parameter in op["parameters"]:
        if parameter["by_place"]:
            low, high = parameter.get("low", -10), parameter.get("high", 10)
            found[parameter["name"]] = [min(max(w, low), high) for w in OWN_WEIGHTS.get(parameter["name"], WEIGHTS)]
    if (op.get("list") or {}).get("weighted"):
        found["weight"] = WEIGHTS
    return {name: weights for name, weights in found.items() if EITHER.get(name) not in found}


BY_PLACE = {op["name"]: op for op in operator_steps.table() if op["name"] not in ELSEWHERE and weights_by_place(op)}


def step_of(op):
    """With weights by place, of which each entry of a list has its own."""
    weights = weights_by_place(op)
    fixed = dict(FIXED.get(op["name"], {}))
    if any(parameter["name"] == "seed_shared" for parameter in op["parameters"]):
        fixed["seed_shared"] = True
    rows = {name: dict(zip(PLACES, values)) for name, values in weights.items()}
    step = operator_steps.step(op, 7, **fixed, **{name: value for name, value in rows.items() if name != "weight"})
    for i, entry in enumerate(step[op["list"]["name"]] if "weight" in rows else ()):
        entry["weight"] = {place: weight + i / 8 for place, weight in rows["weight"].items()}
    return step


def place_of(name):
    if "attn2.to_q" in name:
        return PLACES[2]
    if ".input_blocks.4." in name:
        return PLACES[0]
    if re.search(r"\.output_blocks\.[012]\.", name):
        return PLACES[1]
    return PLACES[3] if name.startswith("cond_stage_model.") else PLACES[4]


def oracle_of(name):
    if name not in MORE_NUMBERS:
        return oracles.all_oracles()[name]
    module, function, names = oracles.FUNCTIONS[name]
    return oracles.of_function(module, function, {**names, **MORE_NUMBERS[name]})


def evaluate(op, known, step, tensor, arrays):
    """The step with the numbers of the tensor's place."""
    def value(written):
        if isinstance(written, str):
            return arrays.get(written, written)
        if isinstance(written, dict) and "op" in written:  # a difference
            return arrays[written["a"]] - arrays[written["b"]]
        return written[place_of(tensor)] if isinstance(written, dict) else written

    arguments = {}
    for key, written in step.items():
        if isinstance(written, list):
            entries = [entry if isinstance(entry, dict) and "model" in entry else {"model": entry} for entry in written]
            arguments[key] = [value(entry["model"]) for entry in entries]
            if "weight" in entries[0]:
                arguments["weights"] = [value(entry["weight"]) for entry in entries]
        elif key not in ("op", "seed_shared"):
            arguments[key] = value(written)
    for key in known.by_entry & arguments.keys():
        if not isinstance(arguments[key], list):
            arguments[key] = [arguments[key]] * len(arguments[op["list"]["name"]])
    assert arguments.keys() <= known.keys, f"the oracle does not know {arguments.keys() - known.keys}"
    with np.errstate(all="ignore"):
        return np.asarray(known.compute(tensor, arguments))


@pytest.fixture(scope="module")
def computed(request, session_weightsmith, tmp_path_factory, tiny):
    """The models, and what each operator gives that is tried in this run."""
    folder = tmp_path_factory.mktemp("by_place")
    tests = [item.callspec.params for item in request.session.items if item.path == request.path and hasattr(item, "callspec")]
    tried = {parameters["name"] for parameters in tests}
    files = {letter: str(tiny("sd15", seed, "--dtype", "f32")) for seed, letter in enumerate(("base", "a", "b", "c"), 1)}
    steps = {name: operator_steps.as_weight(op, step_of(op)) for name, op in BY_PLACE.items() if name in tried}
    for precision in ("f32", "f64"):
        these = {name: step for name, step in steps.items() if (name in IN_F64) == (precision == "f64")}
        used = {letter: path for letter, path in files.items() if f'"{letter}"' in json.dumps(list(these.values()))}
        support.write_recipe(folder / "r.json", {
            "models": used, "steps": {f"s-{name}": step for name, step in these.items()},
            "outputs": [{"model": f"s-{name}", "path": f"{name}.safetensors"} for name in these],
            "policy": {"effect": "any", "non_finite": "allow", "precision": precision}})
        session_weightsmith("merge", folder / "r.json", "--no-sync")
    models = {letter: support.read(path).tensors for letter, path in files.items()}
    return models, {name: support.read(folder / f"{name}.safetensors").tensors for name in steps}


def sampled(tensors):
    """The first tensor of each place and number of dimensions."""
    found = {}
    for name, array in tensors.items():
        if array.dtype == np.float32 and not name.startswith("first_stage_model."):
            found.setdefault((place_of(name), array.ndim), name)
    return found


def test_every_place_has_tensors(computed):
    models, _ = computed
    found = sampled(models["a"])
    assert {place for place, _ in found} == set(PLACES)
    assert {dimensions for _, dimensions in found} == {1, 2, 4}


@pytest.mark.parametrize("name", support.sampled(BY_PLACE, 6, also=IN_F64))
def test_a_tensor_is_what_numpy_computes_with_the_weights_of_its_place(computed, name):
    models, results = computed
    op, known = BY_PLACE[name], oracle_of(name)
    step = step_of(op)
    for tensor in sampled(models["a"]).values():
        arrays = {letter: tensors[tensor] for letter, tensors in models.items()}
        expected = evaluate(op, known, step, tensor, arrays)
        if operator_steps.as_weight(op, step) is not step:
            expected = arrays["base"] + expected.astype(np.float32)
        found = results[name][tensor]
        if known.every_bit and name not in NOT_EVERY_BIT:
            np.testing.assert_array_equal(found, expected.astype(np.float32), err_msg=tensor)
        else:
            largest = max(np.abs(array).max() for array in [*arrays.values(), expected])
            assert np.abs(found - expected.astype(np.float64)).max() <= 1e-6 * largest, tensor
