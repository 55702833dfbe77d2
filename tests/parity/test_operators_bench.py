"""What bench/operators_bench.py measures is all that the registries and we have, called as the registries say."""

import json
import sys
import warnings

import pytest
from conftest import ROOT
from mergekit.merge_methods import registered_methods

sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "bench" / "peers")]

import operators_bench  # noqa: E402
import sd_mecha_merge  # noqa: E402
from operator_rows import METHODS  # noqa: E402

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import sd_mecha
    from sd_mecha.extensions.merge_methods import get_all

# Methods of sd-mecha's registry that are in graphs of other names.
IN_GRAPHS = {
    "subtract": "scale", "perpendicular_component": "add_perpendicular", "ties_sum_with_dropout": "add_ties_with_dare",
    "model_stock": "n_model_stock",
}

# Those without a measurement: see operator_rows.py.
UNMEASURED = {
    "rebasin", "randperm", "balance_attention", "exchange_ema", "truncate_kronecker", "get_rank_from_ratio", "cast", "get_dtype",
    "get_device", "pick_component", "omit_component", "omit_non_finite", "stack",
}


def test_every_method_of_mergekit_is_measured():
    measured = {method.mergekit[0]: method.mergekit[1] for method in METHODS.values() if method.mergekit}
    assert measured.keys() == {method.spec.name for method in registered_methods()}
    for method in registered_methods():
        assert measured[method.spec.name].keys() <= {parameter.name for parameter in method.spec.parameters}


def test_every_method_of_sd_mecha_is_measured():
    measured = {method.mecha[0] for method in METHODS.values() if method.mecha}
    plain = {method.identifier for method in get_all()
             if not method.identifier.startswith(("convert_", "extract_")) and "'" not in method.identifier
             and not method.identifier.endswith("_sdxl_sgm")}
    assert {IN_GRAPHS.get(name, name) for name in plain - UNMEASURED} <= measured
    assert not {name for name in UNMEASURED if name in measured}


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.mecha])
def test_a_graph_of_sd_mecha_can_be_made(name):
    graph, parameters = METHODS[name].mecha
    models = [sd_mecha.model(f"{letter}.safetensors", "sd1-ldm") for letter in METHODS[name].inputs]
    assert isinstance(sd_mecha_merge.graph_of(graph, models, parameters), sd_mecha.RecipeNode)


# A peer's script: what it does, and what is kept of it.
PEERS = {
    "ends well": (f"print({json.dumps(json.dumps({'wall': 2.5, 'user': 1.0, 'system': 0.5}))})", {"wall": 2.5, "cpu": 1.5}),
    "fails": ("print('out'); raise ValueError('no such tensor')", {"crash": "ValueError: no such tensor"}),
    "is killed": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", {"crash": "ended with -9"}),
    "prints no clock": ("print('done')", {"crash": "ended with 0"}),
    "never ends": ("import time; time.sleep(600)", {"over": 2}),
    "waits for a child that never ends": ("import subprocess; subprocess.run(['sleep', '600'])", {"over": 2}),
}


@pytest.mark.parametrize("what", PEERS)
def test_a_peer_that_fails_or_takes_too_long_is_said(what):
    script, kept = PEERS[what]
    taken = operators_bench.attempt([sys.executable, "-c", script], 2 if "over" in kept else 60)
    assert {key: taken[key] for key in kept} == kept
    assert ("wall" in taken) == ("wall" in kept)
