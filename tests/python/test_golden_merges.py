"""Results of mergekit's methods that were noted once, on three models and a base that a formula gives. Its own functions are
asked in tests/parity."""

import numpy as np
import pytest

import support

WEIGHTED = [{"model": "a", "weight": 0.5}, {"model": "b", "weight": 0.3}, {"model": "c", "weight": 0.4}]
DENSE = [{**entry, "density": density} for entry, density in zip(WEIGHTED, (0.5, 0.75, 1))]

STEPS = {
    "linear ABC norm": {"op": "linear", "of": WEIGHTED, "normalize": True},
    "linear ABC nonorm": {"op": "linear", "of": WEIGHTED},
    "slerp base=A other=B t=.3": {"op": "slerp", "a": "a", "b": "b", "alpha": 0.3},
    "nuslerp AB": {"op": "nuslerp", "a": "a", "b": "b", "alpha": 0.375},
    "nuslerp AB noflat": {"op": "nuslerp", "a": "a", "b": "b", "alpha": 0.375, "by": "rows"},
    "nuslerp AB noflat row_wise": {"op": "nuslerp", "a": "a", "b": "b", "alpha": 0.375, "by": "columns"},
    "nuslerp AB base Z": {"op": "nuslerp", "a": "a", "b": "b", "alpha": 0.375, "base": "base"},
    "multislerp ABC": {"op": "multislerp", "of": WEIGHTED},
    "multislerp ABC base Z": {"op": "multislerp", "base": "base", "of": WEIGHTED},
    "karcher ABC": {"op": "karcher", "of": ["a", "b", "c"]},
    "task_arithmetic": {"op": "task_arithmetic", "base": "base", "of": WEIGHTED},
    "ties": {"op": "ties", "base": "base", "of": DENSE},
    "ties nonorm": {"op": "ties", "base": "base", "of": DENSE, "normalize": False},
    "breadcrumbs": {"op": "breadcrumbs", "base": "base", "of": DENSE, "gamma": 0.2},
    "breadcrumbs_ties": {"op": "breadcrumbs_ties", "base": "base", "of": DENSE, "gamma": 0.2},
    "ties rescale": {"op": "ties", "base": "base", "of": DENSE, "rescale": "l1"},
    "sce topk1": {"op": "sce", "base": "base", "of": ["a", "b", "c"]},
    "sce topk.5": {"op": "sce", "base": "base", "of": ["a", "b", "c"], "select": 0.5},
    "model_stock": {"op": "model_stock", "base": "base", "of": ["a", "b", "c"]},
    "nearswap base=Z other=A t=.05": {"op": "nearswap", "a": "base", "b": "a", "t": 0.05},
    "arcee_fusion base=Z other=A": {"op": "arcee_fusion", "a": "base", "b": "a"},
    "ram A(row0=Z) B(row1=Z)": {"op": "ram", "base": "base", "of": ["a0", "b1"]},
    "ramplus_tl same": {"op": "ramplus_tl", "base": "base", "of": ["a0", "b1"]},
}

# Row by row.
EXPECTED = """
linear ABC norm: 0.167775 0.719319 0.900872 0.770533 0.277807 -0.403569 -0.876959 -0.973489 -0.606115 0.129884 0.748320 0.958920
linear ABC nonorm: 0.201330 0.863183 1.081047 0.924639 0.333369 -0.484282 -1.052351 -1.168187 -0.727338 0.155861 0.897983 1.150705
slerp base=A other=B t=.3: 0.183090 0.738911 0.902920 0.784302 0.299163 -0.409178 -0.912472 -1.015309 -0.608595 0.187547 0.800747 0.945151
nuslerp AB: 0.179365 0.742381 0.902647 0.792466 0.298212 -0.423621 -0.907723 -1.004390 -0.613315 0.185606 0.798380 0.940482
nuslerp AB noflat: 0.179172 0.741558 0.901652 0.791582 0.298644 -0.424259 -0.909034 -1.005831 -0.612573 0.185386 0.797425 0.939360
nuslerp AB noflat row_wise: 0.179277 0.743658 0.901193 0.792296 0.298064 -0.424373 -0.906269 -1.004181 -0.613006 0.185920 0.797097 0.940285
nuslerp AB base Z: 0.197308 0.747867 0.877472 0.789174 0.311676 -0.422230 -0.902331 -1.010169 -0.628614 0.201492 0.812899 0.922938
multislerp ABC: 0.167732 0.720819 0.903878 0.772372 0.277806 -0.404384 -0.878451 -0.975158 -0.607980 0.127737 0.748545 0.962944
multislerp ABC base Z: 0.202273 0.719286 0.851051 0.749962 0.296741 -0.382533 -0.855369 -0.979636 -0.634386 0.134127 0.755984 0.939460
karcher ABC: 0.163656 0.724528 0.903464 0.781193 0.276749 -0.420102 -0.873180 -0.963144 -0.613056 0.125648 0.745905 0.957710
task_arithmetic: 0.181363 0.719712 0.881548 0.762940 0.285519 -0.395778 -0.869118 -0.976402 -0.617201 0.132551 0.752190 0.950996
ties: 0.174441 0.675741 0.900872 0.729400 0.289351 -0.357252 -0.838561 -1.058147 -0.618183 0.185294 0.809557 0.898616
ties nonorm: 0.166981 0.700710 0.881548 0.776858 0.254280 -0.365779 -0.861843 -1.008536 -0.597934 0.171545 0.769263 0.968565
breadcrumbs: 0.132360 0.716175 0.911546 0.762940 0.285519 -0.365779 -0.861843 -0.926790 -0.597934 0.132551 0.738041 0.968742
breadcrumbs_ties: 0.132360 0.700710 0.911546 0.748116 0.286015 -0.365779 -0.861843 -0.926790 -0.597934 0.171545 0.769263 0.968565
ties rescale: 0.196197 0.780234 0.879692 0.729400 0.300361 -0.336954 -0.833771 -1.097793 -0.627599 0.209235 0.841758 0.876657
sce topk1: 0.164154 0.746686 0.900390 0.740708 0.296029 -0.357701 -0.843008 -1.058147 -0.611788 0.181995 0.792831 0.930807
sce topk.5: 0.099833 0.717356 0.997495 0.739484 0.239249 -0.358487 -0.835466 -1.058147 -0.550686 0.184796 0.796391 0.998543
model_stock: 0.119478 0.719103 0.967581 0.799545 0.250784 -0.435436 -0.902409 -0.959615 -0.569338 0.119982 0.734072 0.984683
nearswap base=Z other=A t=.05: 0.149833 0.724430 0.947495 0.758496 0.289249 -0.392520 -0.930716 -1.008924 -0.589219 0.166549 0.778969 0.963051
arcee_fusion base=Z other=A: 0.099833 0.717356 0.997495 0.808496 0.239249 -0.442520 -0.916166 -0.958924 -0.550686 0.116549 0.728969 0.998543
ram A(row0=Z) B(row1=Z): 0.147776 0.768906 0.897503 0.857908 0.302719 -0.351082 -0.930716 -1.058147 -0.619941 0.182006 0.792845 0.930833
ramplus_tl same: 0.148735 0.769937 0.895503 0.858896 0.303988 -0.349253 -0.931007 -1.060131 -0.619941 0.182006 0.792845 0.930833
"""


@pytest.fixture
def models(tmp_path):
    k = np.arange(12.0).reshape(3, 4)
    base = np.sin(0.7 * k + 0.1)
    values = {
        "base": base,
        "a": base + 0.1 * np.cos(1.3 * k + 0.2),
        "b": base + 0.1 * np.sin(2.1 * k + 0.5),
        "c": base + 0.1 * np.cos(0.9 * k + 1.1),
    }
    values |= {f"{name}{row}": values[name].copy() for row, name in enumerate("ab")}
    for row, name in enumerate("ab"):
        values[f"{name}{row}"][row] = base[row]  # where it has learned nothing
    for name, array in values.items():
        support.write(tmp_path / f"{name}.safetensors", {"w": array.astype(np.float32)})


def test_the_numbers_that_were_noted(weightsmith, tmp_path, models):
    support.write_recipe(tmp_path / "r.json", {
        "models": {name: f"{name}.safetensors" for name in ("base", "a", "b", "c", "a0", "b1")},
        "steps": {f"s{i}": step for i, step in enumerate(STEPS.values())},
        "outputs": [{"model": f"s{i}", "path": f"{i}.safetensors"} for i in range(len(STEPS))],
    })
    weightsmith("merge", "r.json", "--no-sync")
    numbers = dict(line.split(": ") for line in EXPECTED.strip().splitlines())
    for i, name in enumerate(STEPS):
        found = support.read(tmp_path / f"{i}.safetensors")["w"]
        expected = np.array(numbers[name].split(), float).reshape(3, 4)
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6, err_msg=name)
