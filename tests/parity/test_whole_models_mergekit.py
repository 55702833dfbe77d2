"""A small Llama merged by mergekit from its YAML and by us from the recipe of the same meaning, tensor by tensor."""

import json
import os
import subprocess
import sys
from pathlib import Path

import merging
import numpy as np
import pytest
import torch
import transformers
import yaml
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.merge_methods import merge_tensors
from mergekit.options import MergeOptions
from safetensors.numpy import load_file
from test_merge_methods_mergekit import CASES

LAYERS = 3
SIZES = dict(vocab_size=96, hidden_size=32, intermediate_size=48, num_hidden_layers=LAYERS, num_attention_heads=4,
             num_key_value_heads=2, tie_word_embeddings=False, dtype="float32")
METHODS = {case[0]: name for name, case in reversed(CASES.items())}  # the first case of each
LETTERS = {"z": "base", "a": "a", "b": "b", "c": "c"}


@pytest.fixture(scope="module")
def llamas(module_weightsmith):
    """Folders as transformers saves them: a base and three that were trained from it."""
    _, folder = module_weightsmith
    torch.manual_seed(3)
    base = transformers.LlamaForCausalLM(transformers.LlamaConfig(**SIZES))
    state = {name: tensor.clone() for name, tensor in base.state_dict().items()}
    common = {name: torch.randn_like(tensor) for name, tensor in state.items()}
    for name in LETTERS.values():
        if name != "base":
            for key, tensor in base.state_dict().items():  # half of what they learned is the same
                tensor.copy_(state[key] + 0.01 * common[key] + 0.01 * torch.randn_like(tensor))
        base.save_pretrained(folder / name)
    return folder


def merged_by_mergekit(folder, recipe):
    configuration = MergeConfiguration.model_validate(yaml.safe_load(yaml.safe_dump(recipe)))
    run_merge(configuration, str(folder / "theirs"), MergeOptions(copy_tokenizer=False, cuda=False, quiet=True))
    tensors = {}
    for path in (folder / "theirs").glob("*.safetensors"):
        tensors |= load_file(path)
    return tensors, json.loads((folder / "theirs" / "config.json").read_text())


def their_recipe(folder, method, letters, has_base, parameters):
    models = [str(folder / LETTERS[letter]) for letter in letters]
    recipe = {"merge_method": method, "dtype": "float32", "models": [], "parameters": {}}
    if has_base:
        recipe["base_model"] = models[0]
    entries = models[1:] if has_base and method not in ("slerp", "nearswap", "arcee_fusion") else models
    for i, model in enumerate(entries):
        own = {name: value[i] for name, value in parameters.items() if isinstance(value, tuple)}
        recipe["models"].append({"model": model, "parameters": own})
    recipe["parameters"] = {name: value for name, value in parameters.items() if not isinstance(value, tuple)}
    return recipe


@pytest.mark.parametrize("name", METHODS.values())
def test_a_recipe_of_mergekit_gives_its_model(module_weightsmith, llamas, tmp_path, name):
    method, letters, has_base, parameters, step = CASES[name]
    theirs, _ = merged_by_mergekit(tmp_path, their_recipe(llamas, method, letters, has_base, parameters))
    run, _ = module_weightsmith
    used = [LETTERS[letter] for letter in letters]
    recipe = {
        "weightsmith": 1, "models": {model: str(llamas / model) for model in used}, "steps": {"out": step},
        "output": {"model": "out", "path": str(tmp_path / "out.safetensors")},
    }
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    run("merge", tmp_path / "recipe.json", "--no-sync")
    ours = load_file(tmp_path / "out.safetensors")
    assert ours.keys() == theirs.keys()
    for tensor, array in ours.items():
        if method == "arcee_fusion":
            base, other = (load_model(llamas / model)[tensor] for model in used)
            assert_taken_alike(base, other, array, theirs[tensor], tensor)
        else:
            merging.assert_near(array, theirs[tensor], tensor)


def test_a_recipe_on_the_command_line_of_mergekit_gives_its_model(module_weightsmith, llamas, tmp_path):
    """What users run: its own program, of its own file."""
    method, letters, has_base, parameters, step = CASES[METHODS["ties"]]
    (tmp_path / "theirs.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(  # tuples as lists
        their_recipe(llamas, method, letters, has_base, parameters)))))
    program = Path(sys.executable).with_name("mergekit-yaml")
    said = subprocess.run([program, "theirs.yaml", "theirs", "--no-copy-tokenizer"], cwd=tmp_path, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    assert said.returncode == 0, said.stderr
    theirs = {}
    for path in (tmp_path / "theirs").glob("*.safetensors"):
        theirs |= load_file(path)
    recipe = {
        "weightsmith": 1, "models": {LETTERS[letter]: str(llamas / LETTERS[letter]) for letter in letters}, "steps": {"out": step},
        "output": {"model": "out", "path": str(tmp_path / "out.safetensors")},
    }
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    module_weightsmith[0]("merge", tmp_path / "recipe.json", "--no-sync")
    ours = load_file(tmp_path / "out.safetensors")
    assert ours.keys() == theirs.keys()
    for tensor, array in ours.items():
        merging.assert_near(array, theirs[tensor], tensor)


def load_model(folder):
    return load_file(folder / "model.safetensors")


# A share of a row is a rounded quotient of rounded powers, and the logarithm of two of them wrong by a few halves of a last bit of
# 1; the shares of a row add up to 1, so its divergence, a small sum of large terms, is wrong by as much at most.
F32_ERROR = 8 * 2.0**-24


def importance(base, other):
    """Of Arcee Fusion, in f64, and how far it may be from that in f32."""
    base, other = base.astype(np.float64), other.astype(np.float64)
    q, p = (np.exp(x - x.max(axis=-1, keepdims=True)) for x in (base, other))
    q, p = (x / x.sum(axis=-1, keepdims=True) + 1e-8 for x in (q, p))
    change = np.abs(other - base)
    return change * np.sum(p * np.log(p / q), axis=-1, keepdims=True), change * F32_ERROR


def quartiles(rank):
    order = np.sort(rank, axis=None)
    return [order[int(share * (order.size - 1))] for share in (0.25, 0.5, 0.75)]


def assert_taken_alike(base, other, ours, theirs, what):
    """Both take what is important and leave the rest; only what f32 cannot tell to be above the limit or below may be different."""
    rank, error = importance(base, other)
    least, most = quartiles(rank - error), quartiles(rank + error)  # a quartile grows with each of the elements
    taken = rank - error >= most[1] + 1.5 * (most[2] - least[0])
    left = rank + error < least[1] + 1.5 * (least[2] - most[0])
    unsure = ~taken & ~left
    assert unsure.sum() <= max(2, 0.05 * unsure.size), what
    largest = 1e-6 * np.abs(theirs).max()
    for found in (ours, theirs):
        of_base, of_other = np.abs(found - base) <= largest, np.abs(found - other) <= largest
        assert of_other[taken].all() and of_base[left].all() and (of_base | of_other).all(), what
    apart = np.abs(ours - theirs) > largest
    assert apart.sum() <= max(1, 1e-3 * apart.size), what


def test_arcee_fusion_in_f64_takes_the_elements_that_mergekit_takes_in_f64(module_weightsmith, llamas, tmp_path):
    """No element is beside the limit by rounding then: the rule is the same one."""
    run, _ = module_weightsmith
    recipe = {
        "weightsmith": 1, "models": {model: str(llamas / model) for model in ("base", "a")},
        "steps": {"out": {"op": "arcee_fusion", "a": "base", "b": "a"}}, "policy": {"precision": "f64"},
        "output": {"model": "out", "path": str(tmp_path / "out.safetensors")},
    }
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    run("merge", tmp_path / "recipe.json", "--no-sync")
    base, other = (load_model(llamas / model) for model in ("base", "a"))
    taken = 0
    for tensor, array in load_file(tmp_path / "out.safetensors").items():
        models = [torch.from_numpy(model[tensor]).double() for model in (base, other)]
        theirs = merge_tensors(models, "arcee_fusion", parameters={}, base_index=0).numpy()
        np.testing.assert_array_equal(array, theirs.astype(np.float32), err_msg=tensor)
        taken += np.count_nonzero(array != base[tensor])
    assert taken > 1000


def test_layers_are_stacked(module_weightsmith, llamas, tmp_path):
    """mergekit's slices, with layers of one model twice."""
    run, _ = module_weightsmith
    sources = [("a", 0, 2), ("b", 1, 3)]
    theirs, config = merged_by_mergekit(tmp_path, {
        "merge_method": "passthrough", "dtype": "float32",
        "slices": [{"sources": [{"model": str(llamas / model), "layer_range": [first, end]}]} for model, first, end in sources],
    })
    recipe = {
        "weightsmith": 1, "models": {model: str(llamas / model) for model in "ab"},
        "steps": {"out": {"op": "stack", "of": [{"model": model, "layers": f"{first}-{end - 1}"} for model, first, end in sources]}},
        "output": {"model": "out", "path": str(tmp_path / "out" / "model.safetensors"), "files_from": str(llamas / "a")},
    }
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    run("merge", tmp_path / "recipe.json", "--no-sync", "--mkdir")
    ours = {}
    for path in (tmp_path / "out").glob("*.safetensors"):
        ours |= load_file(path)
    assert ours.keys() == theirs.keys()
    for tensor, array in ours.items():
        np.testing.assert_array_equal(array, theirs[tensor], err_msg=tensor)
    made = json.loads((tmp_path / "out" / "config.json").read_text())
    assert made["num_hidden_layers"] == config["num_hidden_layers"] == sum(end - first for _, first, end in sources)
