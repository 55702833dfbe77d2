"""Every method of mergekit's registry, by its own functions and by ours, on the same tensors in f32.

What differs on purpose is left out here and said in docs/operators.md: magnitudes at TIES' limit, model_stock of models that
point away from each other, nuslerp of opposite vectors."""

import json

import merging
import numpy as np
import pytest
import torch
from mergekit.merge_methods import merge_tensors, registered_methods

WEIGHTS = (0.5, 0.3, 0.4)
WEIGHTED = [{"model": letter, "weight": weight} for letter, weight in zip("abc", WEIGHTS)]
DENSITIES = (0.5, 0.75, 0.9)
DENSE = [{**entry, "density": density} for entry, density in zip(WEIGHTED, DENSITIES)]
OF = ["a", "b", "c"]
TRIMMED = {"weight": WEIGHTS, "density": DENSITIES}

# name -> (method, models with the base first where there is one, whether there is one, its parameters, our step)
CASES = {
    "linear": ("linear", "abc", False, {"weight": WEIGHTS}, {"op": "linear", "of": WEIGHTED, "normalize": True}),
    "linear as it is": ("linear", "abc", False, {"weight": WEIGHTS, "normalize": False}, {"op": "linear", "of": WEIGHTED}),
    "slerp": ("slerp", "ab", True, {"t": 0.3}, {"op": "slerp", "a": "a", "b": "b", "alpha": 0.3}),
    "nuslerp": ("nuslerp", "ab", False, {"weight": (0.5, 0.3)}, {"op": "nuslerp", "a": "a", "b": "b", "alpha": 0.375}),
    "nuslerp by rows": ("nuslerp", "ab", False, {"weight": (0.5, 0.3), "nuslerp_flatten": False},
                        {"op": "nuslerp", "a": "a", "b": "b", "alpha": 0.375, "by": "rows"}),
    "nuslerp by columns": ("nuslerp", "ab", False,
                           {"weight": (0.5, 0.3), "nuslerp_flatten": False, "nuslerp_row_wise": True},
                           {"op": "nuslerp", "a": "a", "b": "b", "alpha": 0.375, "by": "columns"}),
    "nuslerp of differences": ("nuslerp", "zab", True, {"weight": (0.5, 0.3)},
                               {"op": "nuslerp", "a": "a", "b": "b", "alpha": 0.375, "base": "base"}),
    "multislerp": ("multislerp", "abc", False, {"weight": WEIGHTS}, {"op": "multislerp", "of": WEIGHTED}),
    "multislerp of differences": ("multislerp", "zabc", True, {"weight": WEIGHTS},
                                  {"op": "multislerp", "base": "base", "of": WEIGHTED}),
    "karcher": ("karcher", "abc", False, {}, {"op": "karcher", "of": OF}),
    "passthrough": ("passthrough", "a", False, {"scale": (0.7,)}, {"op": "passthrough", "a": "a", "scale": 0.7}),
    "model_stock": ("model_stock", "zabc", True, {}, {"op": "model_stock", "base": "base", "of": OF}),
    "arcee_fusion": ("arcee_fusion", "za", True, {}, {"op": "arcee_fusion", "a": "base", "b": "a"}),
    "nearswap": ("nearswap", "za", True, {"t": 0.02}, {"op": "nearswap", "a": "base", "b": "a", "t": 0.02}),
    "task_arithmetic": ("task_arithmetic", "zabc", True, {"weight": WEIGHTS, "lambda": 0.8},
                        {"op": "task_arithmetic", "base": "base", "of": WEIGHTED, "lambda": 0.8}),
    "task_arithmetic normalised": ("task_arithmetic", "zabc", True, {"weight": WEIGHTS, "normalize": True},
                                   {"op": "task_arithmetic", "base": "base", "of": WEIGHTED, "normalize": True}),
    "ties": ("ties", "zabc", True, TRIMMED, {"op": "ties", "base": "base", "of": DENSE}),
    "ties as it is": ("ties", "zabc", True, {**TRIMMED, "normalize": False},
                      {"op": "ties", "base": "base", "of": DENSE, "normalize": False}),
    "ties rescaled": ("ties", "zabc", True, {**TRIMMED, "rescale": True},
                      {"op": "ties", "base": "base", "of": DENSE, "rescale": "l1"}),
    "breadcrumbs": ("breadcrumbs", "zabc", True, {**TRIMMED, "gamma": 0.05},
                    {"op": "breadcrumbs", "base": "base", "of": DENSE, "gamma": 0.05}),
    "breadcrumbs_ties": ("breadcrumbs_ties", "zabc", True, {**TRIMMED, "gamma": 0.05},
                         {"op": "breadcrumbs_ties", "base": "base", "of": DENSE, "gamma": 0.05}),
    "dare_linear of all": ("dare_linear", "zabc", True, {"weight": WEIGHTS},
                           {"op": "dare_linear", "base": "base", "of": WEIGHTED, "density": 1, "seed": 1}),
    "dare_ties of all": ("dare_ties", "zabc", True, {"weight": WEIGHTS},
                         {"op": "dare_ties", "base": "base", "of": WEIGHTED, "density": 1, "seed": 2}),
    "della of all": ("della", "zabc", True, {"weight": WEIGHTS},
                     {"op": "della", "base": "base", "of": WEIGHTED, "density": 1, "epsilon": 0.1, "seed": 3}),
    "della_linear of all": ("della_linear", "zabc", True, {"weight": WEIGHTS},
                            {"op": "della_linear", "base": "base", "of": WEIGHTED, "density": 1, "epsilon": 0.1, "seed": 4}),
    "model_stock by rows": ("model_stock", "zabc", True, {"filter_wise": True},
                            {"op": "model_stock", "base": "base", "of": OF, "by": "filter"}),
    "sce": ("sce", "zabc", True, {}, {"op": "sce", "base": "base", "of": OF}),
    "sce of half": ("sce", "zabc", True, {"select_topk": 0.5}, {"op": "sce", "base": "base", "of": OF, "select": 0.5}),
    "ram": ("ram", "zabc", True, {"epsilon": 0.05}, {"op": "ram", "base": "base", "of": OF, "epsilon": 0.05}),
    "ramplus_tl": ("ramplus_tl", "zabc", True, {"epsilon": 0.05},
                   {"op": "ramplus_tl", "base": "base", "of": OF, "epsilon": 0.05}),
}

# Rows of a convolution are those of its last dimension with them, with us all of a kernel; and rows of models that point away
# from each other leave the base with us, while theirs goes to the other side.
OF_ROWS = {"nuslerp by rows": {"conv.weight"}, "arcee_fusion": {"conv.weight"},
           "model_stock by rows": {"conv.weight", "tall.weight"}}


def theirs(method, tensors, has_base, parameters):
    inputs = [torch.from_numpy(array) for array in tensors]
    return merge_tensors(inputs, method, parameters=parameters, base_index=0 if has_base else None).numpy()


@pytest.fixture(scope="module")
def ours(module_weightsmith):
    run, folder = module_weightsmith
    return merging.merge(run, folder, merging.models(), {name: case[-1] for name, case in CASES.items()})


def test_every_method_is_compared():
    assert {method.spec.name for method in registered_methods()} == {case[0] for case in CASES.values()}


def test_every_method_has_its_name_here(weightsmith):
    ours = {op["name"] for op in json.loads(weightsmith("ops", "--json"))}
    assert {method.spec.name for method in registered_methods()} <= ours


@pytest.mark.parametrize("name", CASES)
def test_a_method_gives_what_mergekit_gives(ours, name):
    method, letters, has_base, parameters, _ = CASES[name]
    models = merging.models()
    for tensor in merging.SHAPES.keys() - OF_ROWS.get(name, set()):
        inputs = [models["base" if letter == "z" else letter][tensor] for letter in letters]
        merging.assert_near(ours[name][tensor], theirs(method, inputs, has_base, parameters), tensor)


# What is drawn cannot be the same draw: what is kept, its sum and its values are.
DRAWN = {
    "dare_linear": {},
    "dare_ties": {},
    "della_linear": {"epsilon": 0.2},
    "della": {"epsilon": 0.2},
}
DENSITY = 0.4
ROWS, COLUMNS = 400, 500


@pytest.fixture(scope="module")
def drawn(module_weightsmith):
    """The differences to the base that both give of one model."""
    run, folder = module_weightsmith
    models = merging.models("a", shapes={"w.weight": (ROWS, COLUMNS)})
    models["base"]["w.weight"][:] = 0  # so that a difference is what it is, without a rounding
    steps = {
        f"{op} {rescale}": {"op": op, "base": "base", "of": [{"model": "a", "weight": 1}], "density": DENSITY,
                            "rescale": rescale, "seed": i, **more}
        for i, (op, more, rescale) in enumerate((op, more, rescale) for op, more in DRAWN.items()
                                                for rescale in ("density", "l1", "none"))
    }
    result = merging.merge(run, folder, models, steps)
    dense = models["a"]["w.weight"]
    torch.manual_seed(1)
    peer = {op: theirs(op, [np.zeros_like(dense), dense], True, {"weight": (1,), "density": (DENSITY,), **more})
            for op, more in DRAWN.items()}
    return dense, {name: tensors["w.weight"] for name, tensors in result.items()}, peer


def chances(op, dense):
    """With which each element is kept: by its rank in its row."""
    ranks = np.argsort(np.argsort(np.abs(dense), axis=1, kind="stable"), axis=1, kind="stable")
    epsilon = DRAWN[op].get("epsilon", 0)
    return DENSITY - epsilon + 2 * epsilon * ranks / (COLUMNS - 1)


@pytest.mark.parametrize("op", DRAWN)
def test_as_much_is_kept_as_density_says(drawn, op):
    _, ours, peer = drawn
    deviation = np.sqrt(DENSITY * (1 - DENSITY) / (ROWS * COLUMNS))
    for kept in (ours[f"{op} density"] != 0, ours[f"{op} l1"] != 0, ours[f"{op} none"] != 0, peer[op] != 0):
        assert abs(kept.mean() - DENSITY) < 5 * deviation


@pytest.mark.parametrize("op", DRAWN)
def test_what_is_kept_is_scaled_as_rescale_says(drawn, op):
    """By the chance of each element; by what makes the sum of magnitudes what it was; or not at all."""
    dense, ours, peer = drawn
    for array, factors in ((ours[f"{op} density"], 1 / chances(op, dense)), (ours[f"{op} none"], np.ones_like(dense))):
        kept = array != 0
        np.testing.assert_allclose(array[kept], (factors * dense)[kept], rtol=1e-6)
    for array in (ours[f"{op} l1"], peer[op]):
        kept = array != 0
        factor = np.abs(dense).sum(dtype=np.float64) / np.abs(dense[kept]).sum(dtype=np.float64)
        np.testing.assert_allclose(array[kept], np.float32(factor) * dense[kept], rtol=1e-5)
        assert abs(np.abs(array).sum(dtype=np.float64) / np.abs(dense).sum(dtype=np.float64) - 1) < 1e-5


@pytest.mark.parametrize("op", ["della", "della_linear"])
def test_the_chance_grows_with_the_rank_in_a_row(drawn, op):
    dense, ours, peer = drawn
    expected = chances(op, dense)
    order = np.argsort(expected, axis=1, kind="stable")
    for kept in (ours[f"{op} none"] != 0, peer[op] != 0):
        by_rank = np.take_along_axis(kept, order, axis=1)
        for first in range(0, COLUMNS, 50):
            tenth = slice(first, first + 50)
            should = np.take_along_axis(expected, order, axis=1)[:, tenth].mean()
            assert abs(by_rank[:, tenth].mean() - should) < 5 * np.sqrt(0.25 / (ROWS * 50))


@pytest.mark.parametrize("op", ["dare_linear", "dare_ties"])
def test_the_chance_does_not_depend_on_the_value(drawn, op):
    dense, ours, _ = drawn
    large = np.abs(dense) > np.median(np.abs(dense))
    assert abs((ours[f"{op} none"] != 0)[large].mean() - DENSITY) < 5 * np.sqrt(0.25 / large.sum())
