"""Methods of sd-mecha that look at a whole model, or draw what they drop: its own functions and ours, on the same files."""

import json
import logging
import sys
import warnings

import merging
import numpy as np
import pytest
import torch
from conftest import ROOT
from safetensors.numpy import load_file, save_file

sys.path.append(str(ROOT / "tests" / "python"))

import oracle_random  # noqa: E402

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import sd_mecha
    from sd_mecha.extensions.builtin.merge_methods import ties
    from sd_mecha.extensions.builtin.merge_methods.rebasin import perm_graph, sdxl_sgm
    from sd_mecha.extensions.merge_methods import get_all
    from sd_mecha.streaming import TensorMetadata

UNET = "model.diffusion_model."


@pytest.fixture
def synth(weightsmith, tmp_path):
    def synth(architecture, seed):
        path = tmp_path / f"{architecture}-{seed}.safetensors"
        weightsmith("synth", architecture, "--scale", "tiny", "--seed", seed, "--dtype", "f32", "-o", path)
        return load_file(path)

    return synth


@pytest.fixture
def both(weightsmith, tmp_path):
    """What a graph of theirs gives of two models, and a step of ours."""

    def both(configuration, models, graph, step):
        logging.disable(logging.WARNING)
        for letter, tensors in models.items():
            save_file(tensors, tmp_path / f"{letter}.safetensors")
        nodes = [sd_mecha.model(str(tmp_path / f"{letter}.safetensors"), configuration) for letter in models]
        theirs = {}
        sd_mecha.merge(graph(*nodes), merge_dtype=torch.float32, output_dtype=torch.float32, threads=0, check_extra_keys=False,
                       strict_mandatory_keys=False, output=theirs)
        recipe = {"weightsmith": 1, "models": {letter: f"{letter}.safetensors" for letter in models}, "steps": {"out": step},
                  "output": {"model": "out", "path": "out.safetensors"}}
        (tmp_path / "recipe.json").write_text(json.dumps(recipe))
        weightsmith("merge", "recipe.json", "--no-sync")
        return load_file(tmp_path / "out.safetensors"), {name: x.numpy() for name, x in theirs.items() if name != "__metadata__"}

    return both


def assert_same(ours, theirs, names):
    for name in names:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


class StateDict(dict):
    """As a method of theirs sees a model: its own configuration has its keys."""

    @property
    def model_config(self):
        return self


def test_ema_is_exchange_ema(weightsmith, synth, tmp_path):
    """Of each weight that a graph of theirs is asked for; the graph itself stops at averages, which it does not hand to the method."""
    (method,) = (method for method in get_all() if method.identifier == "exchange_ema_'sd1-ldm'")
    weights, averages = synth("sd15", 1), synth("sd15", 2)
    unet = [name for name in weights if name.startswith(UNET)]
    model = weights | {f"model_ema.{name.removeprefix('model.').replace('.', '')}": averages[name] for name in unet}
    theirs = {name: method.__wrapped__(StateDict(model), key=name) for name in unet}
    ours = merging.merge(weightsmith, tmp_path, {"a": model}, {"out": {"op": "ema", "a": "a"}})["out"]
    assert_same(ours, theirs, unet)
    assert_same(ours, weights, weights.keys() - set(unet))
    assert sum(not np.array_equal(ours[name], weights[name]) for name in unet) > 0.9 * len(unet)


def test_fallback_is_fallback(synth, both):
    a, b = synth("sdxl", 1), synth("sdxl", 2)
    lacking = {name: x for name, x in a.items() if not name.startswith(("conditioner.embedders.1.", f"{UNET}output_blocks.4."))}
    ours, theirs = both("sdxl-sgm", {"a": lacking, "b": b}, lambda a, b: a | b, {"op": "fallback", "a": "a", "b": "b", "vae": True})
    shared = [name for name in b if name in theirs]
    assert len(shared) > 2000 and any(name not in lacking for name in shared)
    assert_same(ours, theirs, shared)


# Feed-forward networks: the functions that find theirs, and tensors of 24 units beside 10 others.
NETWORKS = {
    "unet": (sdxl_sgm.unet_perms, {"ff.net.0.proj.weight": (48, 10), "ff.net.0.proj.bias": (48,), "ff.net.2.weight": (10, 24)}),
    "clip_l": (sdxl_sgm.clip_l_perms, {"mlp.fc1.weight": (24, 10), "mlp.fc1.bias": (24,), "mlp.fc2.weight": (10, 24)}),
    "clip_g": (sdxl_sgm.clip_g_perms, {"mlp.c_fc.weight": (24, 10), "mlp.c_fc.bias": (24,), "mlp.c_proj.weight": (10, 24)}),
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("near", [False, True])
def test_rebasin_puts_the_units_of_a_feed_forward_network_where_theirs_does(weightsmith, tmp_path, network, near):
    """Of models that have nothing in common, and of one beside the other with its units in another order."""
    find, shapes = NETWORKS[network]
    generator = np.random.default_rng(4)
    b = {f"b.{name}": generator.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    a = {name: ((x if near else 0) + 0.3 * generator.standard_normal(x.shape)).astype(np.float32) for name, x in b.items()}
    graph = perm_graph.PermGraph({name: TensorMetadata(torch.Size(x.shape), torch.float32) for name, x in a.items()})
    for name in a:
        find(name, graph.md[name], graph, 1)
    (closure,) = graph.closures()
    order = np.random.default_rng(5).permutation(24)
    if near:
        turn = dict.fromkeys(closure.perms, torch.from_numpy(order))
        a = {name: sdxl_sgm._apply_inverse_one(torch.from_numpy(x), closure.key_to_apps[name], closure, turn).numpy()
             for name, x in a.items()}
    load_a, load_b = ({name: torch.from_numpy(x) for name, x in tensors.items()}.__getitem__ for tensors in (a, b))
    found = sdxl_sgm._init_pid_perm(closure, "cpu")
    sdxl_sgm._solve_all_components(closure, found, load_a, load_b, "cpu", torch.float32, 10)
    theirs = sdxl_sgm._apply_inverse_all(closure, found, load_a)
    ours = merging.merge(weightsmith, tmp_path, {"a": a, "b": b}, {"out": {"op": "rebasin", "a": "a", "b": "b"}})["out"]
    assert_same(ours, {name: x.numpy() for name, x in theirs.items()}, a)
    assert any(not np.array_equal(ours[name], a[name]) for name in a)


def test_dare_ties_is_ties_sum_with_dropout_of_the_same_numbers(weightsmith, tmp_path, monkeypatch):
    """Without trimming, what is drawn given to theirs. The factor that is Model Stock's it leaves out where `apply_stock` is set."""
    models = merging.models()
    step = {"op": "dare_ties", "base": "base", "of": [{"model": letter, "weight": 1} for letter in "abc"], "density": 0.6, "seed": 3,
            "sign": "majority", "normalize": True}
    ours = merging.merge(weightsmith, tmp_path, models, {"out": step})["out"]
    for name in merging.SHAPES:
        masks = iter([torch.from_numpy(oracle_random.uniform(3, "dare_ties", i, name, merging.SHAPES[name]) < np.float32(0.6))
                      for i in range(3)])
        monkeypatch.setattr(ties, "find_della_dropout", lambda delta, *_: next(masks))
        deltas = [torch.from_numpy(models[letter][name] - models["base"][name]) for letter in "abc"]
        theirs = ties.ties_sum_with_dropout.__wrapped__(*deltas, probability=torch.tensor(0.4), k=1.0, apply_stock=True)
        merging.assert_near(ours[name], models["base"][name] + theirs.numpy(), name)
