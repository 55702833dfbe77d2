"""Steps over tensors in memory, for suites that compare with functions of others."""

import json

import numpy as np
from safetensors.numpy import load_file, save_file

SHAPES = {"matrix.weight": (48, 65), "wide.weight": (7, 300), "square.weight": (32, 32), "tall.weight": (130, 9), "conv.weight": (6, 5, 3, 3),
          "vector.weight": (77,)}


def models(letters="abc", spread=0.1, seed=0, shapes=None):
    """A base, and models near it, which have learned in part the same."""
    result = {}
    for i, (name, shape) in enumerate((shapes or SHAPES).items()):
        base = np.random.default_rng([seed, i]).standard_normal(shape)
        common = np.random.default_rng([seed, i, 99]).standard_normal(shape)
        result.setdefault("base", {})[name] = base.astype(np.float32)
        for j, letter in enumerate(letters):
            own = np.random.default_rng([seed, i, j]).standard_normal(shape)
            result.setdefault(letter, {})[name] = (base + spread * (common + own)).astype(np.float32)
    return result


def merge(weightsmith, folder, tensors, steps):
    """What each step gives: name of the step -> tensors. One run computes all."""
    for letter, arrays in tensors.items():
        save_file(arrays, folder / f"{letter}.safetensors")
    recipe = {
        "weightsmith": 1,
        "models": {letter: f"{letter}.safetensors" for letter in tensors},
        "steps": {f"s{i}": step for i, step in enumerate(steps.values())},
        "outputs": [{"model": f"s{i}", "path": f"{i}.safetensors"} for i in range(len(steps))],
        "policy": {"effect": "any"},
    }
    (folder / "recipe.json").write_text(json.dumps(recipe))
    weightsmith("merge", "recipe.json", "--no-sync", "--force")
    return {name: load_file(folder / f"{i}.safetensors") for i, name in enumerate(steps)}


def assert_near(ours, theirs, what, share=1e-6):
    """Relative to the largest magnitude of the tensor."""
    theirs = np.asarray(theirs, np.float64)
    worst, largest = np.abs(ours - theirs).max(), np.abs(theirs).max()
    assert worst <= share * largest, f"{what}: {worst} beside {largest}"
