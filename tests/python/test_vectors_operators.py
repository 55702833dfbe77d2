"""Methods on task vectors and on spheres, as numpy reads them in the papers, and as mergekit computes them."""

import numpy as np
import pytest

import oracle_vectors as oracle
import support
from golden_mergekit import GOLDEN, MODELS

WEIGHTS = [0.5, 0.3, 0.4]
DENSITIES = [0.5, 0.75, 1]
ALPHA = 0.3 / (0.5 + 0.3)  # of mergekit's weights .5 and .3


def of(names, weights=None, **numbers):
    """A list of models, with weights and numbers of their own."""
    if weights is None and not numbers:
        return list(names)
    entries = [{"model": name} for name in names]
    for key, values in {"weight": weights, **numbers}.items():
        for entry, value in zip(entries, values or []):
            entry[key] = value
    return entries


def merge(weightsmith, models, step, *options, **recipe):
    for name, values in models.items():
        tensors = values if isinstance(values, dict) else {"t.weight": values}
        support.write(weightsmith.folder / f"{name}.safetensors", tensors)
    used = {name: f"{name}.safetensors" for name in models}
    output = {"model": "out", "path": "out.safetensors"}
    support.write_recipe(
        weightsmith.folder / "r.yaml", {"models": used, "steps": {"out": step}, "output": output, **recipe})
    weightsmith("merge", "r.yaml", "--no-sync", "--force", *options)
    return support.read(weightsmith.folder / "out.safetensors").tensors


def merge_one(*arguments, **recipe):
    return merge(*arguments, **recipe)["t.weight"]


ABC = of("abc", WEIGHTS)
SPARSE = of("abc", WEIGHTS, density=DENSITIES)

# Of mergekit's names: the step, where it is not ours that differs.
GOLDEN_STEPS = {
    "linear ABC norm": {"op": "linear", "of": ABC, "normalize": True},
    "linear ABC nonorm": {"op": "linear", "of": ABC},
    "slerp base=A other=B t=.3": {"op": "slerp", "a": "a", "b": "b", "alpha": 0.3},
    "nuslerp AB": {"op": "nuslerp", "a": "a", "b": "b", "alpha": ALPHA},
    "nuslerp AB noflat": {"op": "nuslerp", "a": "a", "b": "b", "alpha": ALPHA, "by": "rows"},
    "nuslerp AB noflat row_wise": {"op": "nuslerp", "a": "a", "b": "b", "alpha": ALPHA, "by": "columns"},
    "nuslerp AB base Z": {"op": "nuslerp", "a": "a", "b": "b", "base": "z", "alpha": ALPHA},
    "multislerp ABC": {"op": "multislerp", "of": ABC},
    "multislerp ABC base Z": {"op": "multislerp", "base": "z", "of": ABC},
    "karcher ABC": {"op": "karcher", "of": of("abc")},
    "task_arithmetic": {"op": "task_arithmetic", "base": "z", "of": ABC},
    "ties": {"op": "ties", "base": "z", "of": SPARSE},
    "ties nonorm": {"op": "ties", "base": "z", "of": SPARSE, "normalize": False},
    "ties rescale": {"op": "ties", "base": "z", "of": SPARSE, "rescale": "l1"},
    "breadcrumbs": {"op": "breadcrumbs", "base": "z", "of": SPARSE, "gamma": 0.2},
    "breadcrumbs_ties": {"op": "breadcrumbs_ties", "base": "z", "of": SPARSE, "gamma": 0.2},
    "sce topk1": {"op": "sce", "base": "z", "of": of("abc")},
    "sce topk.5": {"op": "sce", "base": "z", "of": of("abc"), "select": 0.5},
    "model_stock": {"op": "model_stock", "base": "z", "of": of("abc")},
    "nearswap base=Z other=A t=.05": {"op": "nearswap", "a": "z", "b": "a", "t": 0.05},
    "arcee_fusion base=Z other=A": {"op": "arcee_fusion", "a": "z", "b": "a"},
    "ram A(row0=Z) B(row1=Z)": {"op": "ram", "base": "z", "of": ["a0", "b1"]},
    "ramplus_tl same": {"op": "ramplus_tl", "base": "z", "of": ["a0", "b1"]},
}


@pytest.mark.parametrize("case", GOLDEN_STEPS)
def test_the_golden_numbers_of_mergekit(weightsmith, case):
    step = GOLDEN_STEPS[case]
    models = {name: values for name, values in MODELS.items() if f"'{name}'" in str(step)}
    found = merge_one(weightsmith, models, step, policy={"effect": "any"})  # Arcee Fusion takes nothing of these
    np.testing.assert_allclose(found, GOLDEN[case], rtol=0, atol=2e-6)


def test_model_stock_by_filter_is_that_of_mergekit_where_models_agree(weightsmith):
    step = {"op": "model_stock", "base": "z", "of": of("abc"), "by": "filter"}
    models = {name: MODELS[name] for name in "zabc"}
    found = merge_one(weightsmith, models, step)
    np.testing.assert_allclose(found[0], GOLDEN["model_stock fw"][0], rtol=0, atol=2e-6)
    support.assert_same_bits(found[1:], MODELS["z"][1:])  # their mean cosine is below 0


def test_model_stock_by_filter_is_otherwise_than_mergekit_by_its_least_share_alone():
    """Rows 1 and 2 lead away from each other. mergekit's share of the mean is below 0 there, as its formula gives it; ours is 0."""
    shares = oracle.stock_ratios([(MODELS[name] - MODELS["z"]).astype(np.float64) for name in "abc"], "filter", least=-1)
    assert (shares[0] > 0).all() and (shares[1:] < 0).all()
    expected = shares * np.mean([MODELS[name] for name in "abc"], axis=0) + (1 - shares) * MODELS["z"]
    np.testing.assert_allclose(expected, GOLDEN["model_stock fw"], rtol=0, atol=2e-6)


def test_every_golden_number_is_in_a_test():
    assert GOLDEN.keys() == GOLDEN_STEPS.keys() | {"model_stock fw"}


# name -> (step on z, a, b, c; the same with numpy)
CASES = {
    "task_arithmetic": (
        {"op": "task_arithmetic", "base": "z", "of": ABC, "lambda": 0.7, "normalize": True},
        lambda z, a, b, c: oracle.task_arithmetic(z, [a, b, c], WEIGHTS, True, 0.7)),
    "ties": (
        {"op": "ties", "base": "z", "of": SPARSE, "lambda": 1.5},
        lambda z, a, b, c: oracle.ties(z, [a, b, c], WEIGHTS, DENSITIES, factor=1.5)),
    "ties, one density for those that have none": (
        {"op": "ties", "base": "z", "density": 0.2,
         "of": [{"model": "a", "weight": 0.5}, {"model": "b", "weight": 0.3, "density": 0.6}, {"model": "c", "weight": 0.4}]},
        lambda z, a, b, c: oracle.ties(z, [a, b, c], WEIGHTS, [0.2, 0.6, 0.2])),
    "ties as sd-mecha has it": (
        {"op": "ties", "base": "z", "of": of("abc", [1, 1, 1]), "density": 0.3, "trim": "mecha", "sign": "majority"},
        lambda z, a, b, c: oracle.ties(z, [a, b, c], [1, 1, 1], [0.3] * 3, sign="majority", rule="mecha")),
    "ties with the factor of model_stock": (
        {"op": "ties", "base": "z", "of": of("abc", WEIGHTS), "density": 0.6, "combine": "stock"},
        lambda z, a, b, c: oracle.ties(z, [a, b, c], WEIGHTS, [0.6] * 3, combine="stock")),
    "ties of which the median is taken": (
        {"op": "ties", "base": "z", "of": of("abc", WEIGHTS), "density": 0.6, "combine": "median"},
        lambda z, a, b, c: oracle.ties(z, [a, b, c], WEIGHTS, [0.6] * 3, combine="median")),
    "ties of which the median is taken, as it is": (
        {"op": "ties", "base": "z", "of": of("abc", WEIGHTS), "density": 0.6, "combine": "median", "normalize": False},
        lambda z, a, b, c: oracle.ties(z, [a, b, c], WEIGHTS, [0.6] * 3, False, combine="median")),
    "slerp of which the length is blended": (
        {"op": "slerp", "a": "a", "b": {"op": "passthrough", "a": "b", "scale": 3}, "alpha": 0.3, "length": "blend"},
        lambda z, a, b, c: oracle.slerp(a, np.float32(3) * b, 0.3, "blend")),
    "clamp that is stiff": (
        {"op": "clamp", "a": "z", "to": list("abc"), "stiffness": 0.75},
        lambda z, a, b, c: oracle.clamp(z, [a, b, c], 0.75)),
    "ties by frequency, scaled by density": (
        {"op": "ties", "base": "z", "of": SPARSE, "sign": "frequency", "rescale": "density", "normalize": False},
        lambda z, a, b, c: oracle.ties(z, [a, b, c], WEIGHTS, DENSITIES, False, "frequency", scale="density")),
    "breadcrumbs": (
        {"op": "breadcrumbs", "base": "z", "of": SPARSE, "gamma": 0.1},
        lambda z, a, b, c: oracle.breadcrumbs(z, [a, b, c], WEIGHTS, DENSITIES, 0.1)),
    "breadcrumbs of nothing above": (
        {"op": "breadcrumbs", "base": "z", "of": SPARSE, "gamma": 0, "rescale": "l1"},
        lambda z, a, b, c: oracle.breadcrumbs(z, [a, b, c], WEIGHTS, DENSITIES, 0, "l1")),
    "breadcrumbs of more than there is": (
        {"op": "breadcrumbs", "base": "z", "of": of("abc", WEIGHTS), "density": 0.8, "gamma": 0.6},
        lambda z, a, b, c: oracle.breadcrumbs(z, [a, b, c], WEIGHTS, [0.8] * 3, 0.6)),
    "breadcrumbs_ties": (
        {"op": "breadcrumbs_ties", "base": "z", "of": SPARSE, "gamma": 0.1, "normalize": True},
        lambda z, a, b, c: oracle.breadcrumbs_ties(z, [a, b, c], WEIGHTS, DENSITIES, 0.1, normalize=True)),
    "sce": (
        {"op": "sce", "base": "z", "of": of("abc"), "select": 0.3},
        lambda z, a, b, c: oracle.sce(z, [a, b, c], 0.3)),
    "sce as mergekit has it": (
        {"op": "sce", "base": "z", "of": of("abc"), "weights": "mergekit"},
        lambda z, a, b, c: oracle.sce(z, [a, b, c], weights="mergekit")),
    "nearswap": (
        {"op": "nearswap", "a": "a", "b": "b", "t": 0.03}, lambda z, a, b, c: oracle.nearswap(a, b, 0.03)),
    "arcee_fusion": (
        {"op": "arcee_fusion", "a": "z", "b": "b"}, lambda z, a, b, c: oracle.arcee_fusion(z, b)),
    "ram": (
        {"op": "ram", "base": "z", "of": of("abc"), "epsilon": 0.05},
        lambda z, a, b, c: oracle.ram(z, [a, b, c], 0.05)),
    "ramplus_tl": (
        {"op": "ramplus_tl", "base": "z", "of": of("abc"), "epsilon": 0.05, "r": 0.5, "alpha": 3},
        lambda z, a, b, c: oracle.ram(z, [a, b, c], 0.05, r=0.5, alpha=3)),
    "pcb": (
        {"op": "pcb", "base": "z", "of": of("abc"), "density": 0.3, "lambda": 0.8},
        lambda z, a, b, c: oracle.pcb(z, [a, b, c], 0.3, 0.8)),
    "cabs": (
        {"op": "cabs", "base": "z", "of": of("abc", WEIGHTS, density=[0.5, 0.25, 0.75])},
        lambda z, a, b, c: oracle.cabs(z, [a, b, c], WEIGHTS, [0.5, 0.25, 0.75])),
    "cabs in groups of 4": (
        {"op": "cabs", "base": "z", "of": ABC, "density": 0.5, "group": 4, "lambda": 0.8},
        lambda z, a, b, c: oracle.cabs(z, [a, b, c], WEIGHTS, [0.5] * 3, group=4, factor=0.8)),
    "emr": (
        {"op": "emr", "base": "z", "of": of("abc"), "lambda": 0.5},
        lambda z, a, b, c: oracle.emr(z, [a, b, c], factor=0.5)),
    "emr of a task": (
        {"op": "emr", "base": "z", "of": of("abc"), "task": 2}, lambda z, a, b, c: oracle.emr(z, [a, b, c], 2)),
    "consensus": (
        {"op": "consensus", "base": "z", "of": ABC}, lambda z, a, b, c: oracle.consensus(z, [a, b, c], WEIGHTS)),
    "consensus of a task": (
        {"op": "consensus", "base": "z", "of": ABC, "task": 3, "threshold": 0.6},
        lambda z, a, b, c: oracle.consensus(z, [a, b, c], WEIGHTS, 0.6, task=3)),
    "aoe": (
        {"op": "aoe", "base": "z", "of": ABC, "threshold": 0.01},
        lambda z, a, b, c: oracle.aoe(z, [a, b, c], WEIGHTS, 0.01)),
    "aoe, relative": (
        {"op": "aoe", "base": "z", "of": ABC, "threshold": 0.01, "distance": "relative"},
        lambda z, a, b, c: oracle.aoe(z, [a, b, c], WEIGHTS, 0.01, "relative")),
    "nuslerp": (
        {"op": "nuslerp", "a": "a", "b": "b", "base": "z", "alpha": 0.4},
        lambda z, a, b, c: oracle.nuslerp(a, b, 0.4, z)),
    "nuslerp by rows": (
        {"op": "nuslerp", "a": "a", "b": "b", "base": "z", "alpha": 0.4, "by": "rows"},
        lambda z, a, b, c: oracle.nuslerp(a, b, 0.4, z, "rows")),
    "nuslerp by columns": (
        {"op": "nuslerp", "a": "a", "b": "b", "alpha": 0.4, "by": "columns"},
        lambda z, a, b, c: oracle.nuslerp(a, b, 0.4, by="columns")),
    "multislerp": (
        {"op": "multislerp", "base": "z", "of": ABC}, lambda z, a, b, c: oracle.multislerp([a, b, c], WEIGHTS, z)),
    "karcher": ({"op": "karcher", "of": of("abc")}, lambda z, a, b, c: oracle.karcher([a, b, c])),
    "model_stock": (
        {"op": "model_stock", "base": "z", "of": of("abc")}, lambda z, a, b, c: oracle.model_stock(z, [a, b, c])),
    "model_stock by filter": (
        {"op": "model_stock", "base": "z", "of": of("abc"), "by": "filter"},
        lambda z, a, b, c: oracle.model_stock(z, [a, b, c], "filter")),
}

# An element within a last bit of f32 of the limit is taken or not by rounding.
IN_F64 = {"arcee_fusion"}

SHAPES = [(), (1,), (7,), (300,), (31, 17), (64, 40), (8, 6, 3, 3), (5, 1, 4), (40, 3300)]


def fine_tunes(shape, seed=1, scale=0.1):
    generator = np.random.default_rng(seed)
    base = generator.standard_normal(shape).astype(np.float32)
    shared = generator.standard_normal(shape)
    models = {"z": base}
    for name in "abc":
        change = scale * (shared + generator.standard_normal(shape))
        models[name] = (base + np.where(generator.random(shape) < 0.1, 0, change)).astype(np.float32)
    return {name: np.asarray(values, np.float32) for name, values in models.items()}


@pytest.mark.parametrize("case", support.sampled(CASES, 2))
def test_a_method_is_what_numpy_computes(weightsmith, case):
    step, compute = CASES[case]
    models = [fine_tunes(shape, seed) for seed, shape in enumerate(SHAPES, 1)]
    files = {name: {f"t.{i}.weight": values[name] for i, values in enumerate(models)} for name in "zabc"}
    precision = "f64" if case in IN_F64 else "f32"
    found = merge(weightsmith, files, step, policy={"effect": "any", "precision": precision})
    for i, (shape, values) in enumerate(zip(SHAPES, models)):
        expected = compute(*(values[name] for name in "zabc"))
        limit = 1e-6 * np.abs(expected).max()
        np.testing.assert_allclose(found[f"t.{i}.weight"], expected, rtol=0, atol=limit, err_msg=str(shape))


@pytest.mark.parametrize("case", support.sampled(CASES, 9))
@pytest.mark.parametrize("kind", ["equal", "zeros", "opposite"])
def test_no_result_is_a_nan(weightsmith, case, kind):
    step, _ = CASES[case]
    base = np.linspace(-1, 1, 35, dtype=np.float32).reshape(5, 7)
    models = {
        "equal": dict.fromkeys("zabc", base),
        "zeros": dict.fromkeys("zabc", base * 0),
        "opposite": {"z": base * 0, "a": base, "b": -base, "c": base},
    }[kind]
    found = merge_one(weightsmith, models, step, policy={"effect": "any"})
    assert np.isfinite(found).all()
    if kind == "equal":
        # One is three times as long there.
        length = 0.7 + 0.3 * 3 if case == "slerp of which the length is blended" else 1
        np.testing.assert_allclose(found, length * base, rtol=1e-6)


@pytest.mark.parametrize("dtype", support.chosen(["F16", "BF16", "F8_E4M3"], "F16"))
@pytest.mark.parametrize("case", support.sampled(["ties", "breadcrumbs", "sce", "nuslerp by columns", "karcher", "arcee_fusion", "cabs"], 3))
def test_bytes_depend_on_no_number_of_threads(weightsmith, case, dtype):
    step, _ = CASES[case]
    models = {name: values.astype(support.DTYPES[dtype]) for name, values in fine_tunes((600, 700)).items()}
    first = merge_one(weightsmith, models, step, "--threads", "1")
    for options in (("--threads", "7"), ("--io", "read", "--threads", "3")):
        support.assert_same_bits(merge_one(weightsmith, models, step, *options), first)


@pytest.mark.parametrize("op, ends", [("nuslerp", "alpha"), ("nearswap", "t")])
def test_the_ends_of_a_parameter_are_the_operands(weightsmith, op, ends):
    models = {name: values for name, values in fine_tunes((9, 11)).items() if name in "ab"}
    step = {"op": op, "a": "a", "b": "b", ends: 0}
    support.assert_same_bits(merge_one(weightsmith, models, step, policy={"effect": "any"}), models["a"])
    step[ends] = 1 if op == "nuslerp" else 1e6
    np.testing.assert_allclose(merge_one(weightsmith, models, step, policy={"effect": "any"}), models["b"], rtol=0, atol=0)


@pytest.mark.parametrize("entries, message", [
    ([{"model": "a", "weight": 0.5, "density": 1.5}], "density"),
    ([{"model": "a", "weight": 0.5, "densty": 0.5}], "densty"),
    ([{"model": "a", "density": 0.5}], "has no 'weight'"),
])
def test_a_wrong_number_of_an_entry_is_told_where_it_stands(weightsmith, entries, message):
    support.write_recipe(weightsmith.folder / "r.yaml", {
        "models": {name: f"{name}.safetensors" for name in "zab"},
        "steps": {"out": {"op": "ties", "base": "z", "of": entries}},
        "output": {"model": "out", "path": "out.safetensors"}})
    said = weightsmith("validate", "--no-files", "r.yaml", status=2).stderr
    assert message in said
    assert "r.yaml:" in said


@pytest.mark.parametrize("step, message, status", [
    ({"op": "emr", "base": "z", "of": ["a", "b"], "task": 3}, "`task` is more than there are models", 2),
    ({"op": "consensus", "base": "z", "of": of("ab", [1, 1]), "least": 3}, "`least` is more than there are", 2),
    ({"op": "emr", "base": "z", "of": ["a", "b"], "scale": "model"}, "write `task` with it", 2),
    ({"op": "cabs", "base": "z", "of": of("ab", [1, 1]), "group": 12}, "`group` is a power of 2", 2),
    ({"op": "cabs", "base": "z", "of": of("ab", [1, 1]), "group": 2048}, "group", 2),
    ({"op": "karcher", "of": ["a"]}, "at least two models", 2),
    ({"op": "task_arithmetic", "base": "z", "of": of("ab", [1, -1]), "normalize": True}, "add up to 0", 3),
    ({"op": "multislerp", "of": of("ab", [1, -1])}, "add up to 0", 3),
])
def test_what_cannot_be_computed_is_refused(weightsmith, step, message, status):
    for name, values in fine_tunes((4, 4)).items():
        support.write(weightsmith.folder / f"{name}.safetensors", {"t.weight": values})
    support.write_recipe(weightsmith.folder / "r.yaml", {
        "models": {name: f"{name}.safetensors" for name in "zab"}, "steps": {"out": step},
        "output": {"model": "out", "path": "out.safetensors"}})
    assert message in weightsmith("merge", "r.yaml", status=status).stderr
    assert not (weightsmith.folder / "out.safetensors").exists()


TIED = np.array([4, 3, 3, 3, -3, 1, 0, 0], np.float32)
OF_TIED = {"base": "z", "of": [{"model": "a", "weight": 1}]}


@pytest.mark.parametrize("step, kept", [
    ({"op": "ties", **OF_TIED, "density": 0.25}, [4, 3, 3, 3, -3, 0, 0, 0]),  # two, and all that equal the second
    ({"op": "ties", **OF_TIED, "density": 0.125}, [4, 0, 0, 0, 0, 0, 0, 0]),
    ({"op": "ties", **OF_TIED, "density": 0.25, "trim": "mecha"}, [4, 3, 3, 3, -3, 0, 0, 0]),
    ({"op": "ties", **OF_TIED, "density": 0.25, "rescale": "l1"}, np.array([4, 3, 3, 3, -3, 0, 0, 0]) * 17 / 16),
    ({"op": "breadcrumbs", **OF_TIED, "density": 0.25, "gamma": 0.125}, [0, 3, 3, 3, -3, 0, 0, 0]),
    ({"op": "breadcrumbs", **OF_TIED, "density": 0.25, "gamma": 0.25}, [0, 3, 3, 3, -3, 0, 0, 0]),
    ({"op": "sce", "base": "z", "of": ["a", "b"], "select": 0.5}, [4, 3, 3, 3, -3, 0, 0, 0]),  # three of the six that vary
    ({"op": "cabs", **OF_TIED, "density": 0.25, "group": 8}, [4, 3, 0, 0, 0, 0, 0, 0]),  # the first of equal ones
    ({"op": "cabs", **OF_TIED, "density": 0.5, "group": 4}, [4, 3, 0, 0, -3, 1, 0, 0]),
], ids=str)
def test_equal_magnitudes_at_a_limit_are_all_kept(weightsmith, step, kept):
    nothing = np.zeros_like(TIED)
    found = merge_one(weightsmith, {"z": nothing, "a": TIED, "b": nothing} if "b" in step["of"] else {"z": nothing, "a": TIED}, step)
    np.testing.assert_array_equal(found, np.asarray(kept, np.float32))


@pytest.mark.parametrize("scale, weigh", [("model", np.sum), ("means", np.mean)])
@pytest.mark.parametrize("flags", [(), ("--threads", "1"), ("--io", "map")], ids=str)
def test_a_task_of_emr_has_one_factor_in_the_whole_model(weightsmith, scale, weigh, flags):
    """The paper's is of sums of all elements; its authors' code adds the means of tensors up."""
    shapes = {"large.weight": (40, 30), "small.weight": (3, 5), "same.weight": (2, 2), "bias": (7,)}
    random = np.random.default_rng(8)
    made = {"z": {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}}
    for i, letter in enumerate("abc"):
        made[letter] = {name: (x + (0 if name == "same.weight" else 0.1 * (i + 1)) * random.standard_normal(x.shape)).astype(np.float32)
                        for name, x in made["z"].items()}
    for letter, tensors in made.items():
        support.write(weightsmith.folder / f"{letter}.safetensors", tensors)
    support.write_recipe(weightsmith.folder / "r.yaml", {
        "models": {name: f"{name}.safetensors" for name in "zabc"},
        "steps": {"out": {"op": "emr", "base": "z", "of": ["a", "b", "c"], "task": 2, "scale": scale}},
        "output": {"model": "out", "path": "out.safetensors"}})
    weightsmith("merge", "r.yaml", "--no-sync", *flags)
    out = support.read(weightsmith.folder / "out.safetensors").tensors
    own, masked = {}, {}
    for name, z in made["z"].items():
        deltas = [made[letter][name].astype(np.float64) - z for letter in "abc"]
        sign = np.sign(sum(deltas))
        unified = sign * np.max([np.where(d * sign > 0, np.abs(d), 0) for d in deltas], axis=0)
        own[name] = deltas[1]
        masked[name] = np.where(own[name] * unified > 0, unified, 0)
    factor = sum(weigh(np.abs(d)) for d in own.values()) / sum(weigh(np.abs(m)) for m in masked.values())
    for name, z in made["z"].items():
        np.testing.assert_allclose(out[name], z + factor * masked[name], rtol=0, atol=1e-6 * np.abs(z).max(), err_msg=name)
