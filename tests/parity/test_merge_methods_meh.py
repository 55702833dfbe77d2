"""meh's methods, by its own functions and by ours, on the same tensors in f32."""

import importlib.util
from pathlib import Path

import merging
import pytest
import torch

# What else is in the package needs a web interface's libraries, and its methods are in one file.
PACKAGE = importlib.util.find_spec("sd_meh")
SPEC = importlib.util.spec_from_file_location("sd_meh_methods", Path(PACKAGE.origin).with_name("merge_methods.py"))
meh = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(meh)

# name -> (its parameters, our step); its c is our base.
CASES = {
    "weighted_sum": ({"alpha": 0.3}, {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.3}),
    "weighted_subtraction": (
        {"alpha": 0.5, "beta": 0.4},
        {"op": "linear", "of": [{"model": "a", "weight": 1.25}, {"model": "b", "weight": -0.25}]}),
    "tensor_sum": ({"alpha": 0.5, "beta": 0.25},
                   {"op": "tensor_sum", "a": "a", "b": "b", "width": 0.5, "offset": 0.25, "ends": "truncated"}),
    "add_difference": ({"alpha": 0.7}, {"op": "add_difference", "a": "a", "b": "b", "c": "base", "alpha": 0.7}),
    "sum_twice": ({"alpha": 0.3, "beta": 0.2}, {"op": "sum_twice", "a": "a", "b": "b", "c": "base", "alpha": 0.3, "beta": 0.2}),
    "triple_sum": ({"alpha": 0.3, "beta": 0.2},
                   {"op": "triple_sum", "a": "a", "b": "b", "c": "base", "alpha": 0.3, "beta": 0.2}),
    "euclidean_add_difference": ({"alpha": 0.3}, {"op": "euclidean_add_difference", "a": "a", "b": "b", "c": "base", "alpha": 0.3}),
    "multiply_difference": ({"alpha": 0.3, "beta": 0.6},
                            {"op": "multiply_difference", "a": "a", "b": "b", "c": "base", "alpha": 0.3, "beta": 0.6}),
    # At an offset theirs leaves the first of the magnitudes out, ours and sd-mecha's does not.
    "top_k_tensor_sum": ({"alpha": 0.6, "beta": 0}, {"op": "top_k_tensor_sum", "a": "a", "b": "b", "width": 0.6}),
    "similarity_add_difference": (
        {"alpha": 0.7, "beta": 0.8},
        {"op": "similarity_add_difference", "a": "a", "b": "b", "c": "base", "alpha": 0.7, "beta": 0.8}),
    "distribution_crossover": (
        {"alpha": 0.4, "beta": 0.2},
        {"op": "distribution_crossover", "a": "a", "b": "b", "c": "base", "alpha": 0.6, "tilt": 0.2}),
    "ties_add_difference": (
        {"alpha": 0.8, "beta": 0.4},
        {"op": "ties", "base": "base", "of": [{"model": "a", "weight": 1}, {"model": "b", "weight": 1}], "density": 0.4,
         "trim": "mecha", "sign": "majority", "lambda": 0.8}),
}


@pytest.fixture(scope="module")
def ours(module_weightsmith):
    run, folder = module_weightsmith
    return merging.merge(run, folder, merging.models("ab"), {name: step for name, (_, step) in CASES.items()})


def test_every_method_is_compared():
    assert set(meh.__all__) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_method_gives_what_meh_gives(ours, name):
    parameters, _ = CASES[name]
    models = merging.models("ab")
    for tensor in merging.SHAPES:
        a, b, c = (torch.from_numpy(models[letter][tensor]) for letter in ("a", "b", "base"))
        theirs = getattr(meh, name)(a=a, b=b, c=c, **parameters).numpy()
        merging.assert_near(ours[name][tensor], theirs, tensor)
