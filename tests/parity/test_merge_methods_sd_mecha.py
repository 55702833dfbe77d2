"""The methods of sd-mecha's registry, by its own functions and by ours, on the same tensors in f32; and files with SDXL's names
merged by its graph and by our recipe of the same meaning."""

import json
import logging
import warnings

import merging
import numpy as np
import pytest
import torch
from conftest import ROOT
from safetensors.numpy import load_file

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import sd_mecha
    from sd_mecha.extensions.builtin.merge_methods import linear, slicing, svd, ties
    from sd_mecha.extensions.merge_methods import get_all

ALPHA = torch.tensor(0.3)
WEIGHTED = [{"model": letter, "weight": 1} for letter in "abc"]


def call(method, *tensors, **parameters):
    """What a method gives of tensors alone."""
    return method.__wrapped__(*(tensor.clone() for tensor in tensors), **parameters)


def of_state_dicts(method, *tensors, **parameters):
    """Likewise of one that takes the tensor by its key out of models."""
    return method.__wrapped__(*({"k": tensor} for tensor in tensors), key="k", **parameters)


def deltas(z, a, b, c):
    return a - z, b - z, c - z


def rounded(tensors):
    """Differences of f64 that have no more digits than f32: theirs takes limits in it."""
    return [x.float().double() for x in tensors]


# name -> (what theirs gives of z, a, b, c, our step)
CASES = {
    "weighted_sum": (lambda z, a, b, c: of_state_dicts(sd_mecha.weighted_sum, a, b, alpha=ALPHA),
                     {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.3}),
    "n_average": (lambda z, a, b, c: of_state_dicts(sd_mecha.n_average, a, b, c), {"op": "average", "of": ["a", "b", "c"]}),
    # Without `length: blend` ours is mergekit's: the same of equal norms.
    "slerp": (lambda z, a, b, c: call(sd_mecha.slerp, a, 3 * b, alpha=ALPHA),
              {"op": "slerp", "a": "a", "b": {"op": "passthrough", "a": "b", "scale": 3}, "alpha": 0.3, "length": "blend"}),
    "slerp of equal norms": (lambda z, a, b, c: call(sd_mecha.slerp, a, b * (a.norm() / b.norm()), alpha=ALPHA),
              {"op": "slerp", "a": "a", "b": {"op": "norm_match", "a": "a", "b": "b", "alpha": 1}, "alpha": 0.3}),
    "add_perpendicular": (
        lambda z, a, b, c: a + 0.3 * call(sd_mecha.perpendicular_component, a - z, b - z),
        {"op": "add", "a": "a", "alpha": 0.3, "b": {
            "op": "perpendicular", "a": {"op": "subtract", "a": "a", "b": "base"},
            "b": {"op": "subtract", "a": "b", "b": "base"}}}),
    "train_difference_mask": (
        lambda z, a, b, c: a + call(sd_mecha.train_difference_mask, a, b, z, alpha=ALPHA) * (b - z),
        {"op": "train_difference", "a": "a", "b": "b", "c": "base", "alpha": 0.3}),
    "add_opposite_mask": (
        lambda z, a, b, c: a + call(sd_mecha.add_opposite_mask, a, b, z, alpha=ALPHA) * (b - z),
        {"op": "add_opposite", "a": "a", "b": "b", "c": "base", "alpha": 0.3}),
    "add_strict_opposite_mask": (
        lambda z, a, b, c: a + call(sd_mecha.add_strict_opposite_mask, a, b, z, alpha=ALPHA) * (b - z),
        {"op": "add_opposite", "a": "a", "b": "b", "c": "base", "alpha": 0.3, "where": "opposite"}),
    "geometric_sum": (lambda z, a, b, c: call(sd_mecha.geometric_sum, a, b, alpha=ALPHA),
                      {"op": "geometric_sum", "a": "a", "b": "b", "alpha": 0.3}),
    "multiply_quotient": (lambda z, a, b, c: call(sd_mecha.multiply_quotient, a, b, z, alpha=ALPHA),
                          {"op": "multiply_quotient", "a": "a", "b": "b", "c": "base", "alpha": 0.3}),
    "add_cosine_a": (lambda z, a, b, c: call(sd_mecha.add_cosine_a, a, b, alpha=ALPHA),
                     {"op": "cosine_a", "a": "a", "b": "b", "alpha": 0.3, "scope": "tensor"}),
    "add_cosine_b": (lambda z, a, b, c: call(sd_mecha.add_cosine_b, a, b, alpha=ALPHA),
                     {"op": "cosine_b", "a": "a", "b": "b", "alpha": 0.3, "scope": "tensor"}),
    "clamp": (lambda z, a, b, c: call(sd_mecha.clamp, z, a, b, c), {"op": "clamp", "a": "base", "to": ["a", "b", "c"]}),
    "clamp that is stiff": (lambda z, a, b, c: call(sd_mecha.clamp, z, a, b, c, stiffness=0.6),
                            {"op": "clamp", "a": "base", "to": ["a", "b", "c"], "stiffness": 0.6}),
    "crossover": (lambda z, a, b, c: call(sd_mecha.crossover, a, b, alpha=0.4, tilt=0.3),
                  {"op": "crossover", "a": "a", "b": "b", "alpha": 0.4, "tilt": 0.3}),
    "tensor_sum": (lambda z, a, b, c: call(slicing.tensor_sum, a, b, width=0.4, offset=0.3),
                   {"op": "tensor_sum", "a": "a", "b": "b", "width": 0.4, "offset": 0.3}),
    "tensor_sum wrapped": (lambda z, a, b, c: call(slicing.tensor_sum, a, b, width=0.7, offset=0.6),
                           {"op": "tensor_sum", "a": "a", "b": "b", "width": 0.7, "offset": 0.6}),
    "top_k_tensor_sum": (lambda z, a, b, c: call(sd_mecha.top_k_tensor_sum, a, b, width=0.6, offset=0.2),
                         {"op": "top_k_tensor_sum", "a": "a", "b": "b", "width": 0.6, "offset": 0.2}),
    "ties_sum": (
        lambda z, a, b, c: z + call(sd_mecha.ties_sum, *deltas(z, a, b, c), k=0.4),
        {"op": "ties", "base": "base", "of": WEIGHTED, "density": 0.4, "trim": "mecha", "sign": "majority"}),
    "ties_sum by size": (
        lambda z, a, b, c: z + call(sd_mecha.ties_sum, *deltas(z, a, b, c), k=0.4, vote_sgn=True),
        {"op": "ties", "base": "base", "of": WEIGHTED, "density": 0.4, "trim": "mecha"}),
    "ties_sum_extended": (  # the median
        lambda z, a, b, c: z + call(ties.ties_sum_extended, *rounded(deltas(z, a, b, c)), k=0.4, apply_median=True),
        {"op": "ties", "base": "base", "of": WEIGHTED, "density": 0.4, "trim": "mecha", "sign": "majority",
         "combine": "median"}),
    "geometric_median": (lambda z, a, b, c: call(sd_mecha.geometric_median, a, b, c),
                         {"op": "geometric_median", "of": ["a", "b", "c"]}),
    "rotate": (lambda z, a, b, c: of_state_dicts(svd.rotate, a, b, alignment=1.0, alpha=torch.tensor(0.0)),
               {"op": "rotate", "a": "a", "b": "b", "alignment": 1}),
    "truncate_rank": (
        lambda z, a, b, c: z + call(sd_mecha.truncate_rank, a - z, rank=4, use_approximate_basis=False),
        {"op": "add", "a": "base", "b": {
            "op": "truncate_rank", "a": {"op": "subtract", "a": "a", "b": "base"}, "rank": 4}}),
}

# name -> alignment, alpha, centralization
TURNS = {
    "rotate half way": (0.5, 0.0, 1.0), "rotate half way with a share of b": (0.5, 0.3, 1.0),
    "rotate without centres": (0.25, 0.5, 0.0), "rotate with a share of b": (1.0, 0.3, 1.0), "rotate not at all": (0.0, 0.4, 1.0),
}


def turned(alignment, alpha, centralization):
    return lambda z, a, b, c: of_state_dicts(
        svd.rotate, a, b, alignment=alignment, alpha=torch.tensor(alpha).double(), centralization=centralization)


CASES |= {name: (turned(*numbers), {"op": "rotate", "a": "a", "b": "b", **dict(zip(("alignment", "alpha", "centralization"), numbers))})
          for name, numbers in TURNS.items()}

# In f32 their iterations stop early and their singular vectors lose digits: theirs in f64.
IN_F64 = {"slerp", "ties_sum_extended", "geometric_median", "rotate", "truncate_rank", *TURNS}

# Of a matrix with fewer rows than columns sd-mecha's rotate adds a part of a that it did not turn.
WIDE = dict.fromkeys(("rotate", *TURNS), {"matrix.weight", "wide.weight"})

# Of whole models or of chance: test_whole_models_sd_mecha.py.
OF_MODELS = {"fallback", "exchange_ema", "rebasin", "ties_sum_with_dropout"}

# What the registry has and tables of merge methods do not: see docs/operators.md.
OTHERWISE = {
    "add_difference", "scale", "subtract", "perpendicular_component",  # parts of what is compared above
    "cast", "get_dtype", "get_device", "pick_component", "omit_component", "stack", "omit_non_finite",
    "get_rank_from_ratio", "randperm", "balance_attention", "truncate_kronecker", "model_stock", "dropout",
}


@pytest.fixture(scope="module")
def ours(module_weightsmith):
    run, folder = module_weightsmith
    return merging.merge(run, folder, merging.models(), {name: step for name, (_, step) in CASES.items()})


def test_every_method_is_known():
    plain = {method.identifier for method in get_all()
             if not method.identifier.startswith(("convert_", "extract_")) and "'" not in method.identifier}
    assert {name for name in plain if not name.endswith("_sdxl_sgm")} <= CASES.keys() | OF_MODELS | OTHERWISE


def test_the_page_of_operators_names_every_method():
    """But parts of methods that are for one architecture or one naming; converters by their beginning."""
    page = (ROOT / "docs" / "operators.md").read_text()
    for method in get_all():
        name = method.identifier
        if "'" not in name and not name.startswith("convert_") and not name.endswith("_sdxl_sgm"):
            assert f"`{name}`" in page or f"\n## {name}\n" in page, name
    assert "`convert_*`" in page


# What parts of their graphs do, of which no step of ours is asked.
NO_STEPS = {"get_dtype", "get_device"}


def test_the_program_knows_every_method_by_name(weightsmith):
    """As an operator, or it says what stands for it or why there is none."""
    for method in get_all():
        name = method.identifier
        if "'" in name or name.startswith("convert_") or name.endswith("_sdxl_sgm") or name in NO_STEPS:
            continue
        said = weightsmith("ops", name, any_status=True)
        unexplained = said.removesuffix("'weightsmith ops' lists the operators.\n").strip().endswith(f"unknown operator '{name}'.")
        assert not unexplained, name


@pytest.mark.parametrize("name", CASES)
def test_a_method_gives_what_sd_mecha_gives(ours, name):
    compute, _ = CASES[name]
    models = merging.models()
    for tensor in merging.SHAPES.keys() - WIDE.get(name, set()):
        inputs = [torch.from_numpy(models[letter][tensor]) for letter in ("base", "a", "b", "c")]
        theirs = compute(*(x.double() if name in IN_F64 else x for x in inputs)).numpy()
        merging.assert_near(ours[name][tensor], theirs, tensor)


def test_model_stock_by_rows_differs_in_which_pairs_it_takes(module_weightsmith, tmp_path):
    """Theirs takes each model and the next, ours all pairs: the same of two models."""
    run, folder = module_weightsmith
    models = merging.models("ab")
    step = {"op": "model_stock", "base": "base", "of": ["a", "b"], "by": "filter"}
    ours = merging.merge(run, folder, models, {"stock": step})["stock"]
    for tensor in ("matrix.weight", "wide.weight", "square.weight", "vector.weight"):  # of a convolution it is all of a kernel
        z, a, b = (torch.from_numpy(models[letter][tensor]) for letter in ("base", "a", "b"))
        cosines = torch.nn.functional.cosine_similarity(a - z, b - z, dim=-1)
        theirs = z + call(sd_mecha.model_stock, a - z, b - z)
        forward = (cosines > 1e-3).numpy()  # away from each other ours keeps the base
        worst = np.abs(ours[tensor] - theirs.numpy())[forward].max(initial=0)
        assert worst <= 1e-6 * np.abs(theirs.numpy()).max(), tensor


def test_ties_with_the_factor_of_model_stock(module_weightsmith):
    """Theirs takes each model and the next, ours all pairs: the same of two models. It does so unless `apply_stock` is set."""
    run, folder = module_weightsmith
    models = merging.models("ab")
    step = {"op": "ties", "base": "base", "of": WEIGHTED[:2], "density": 0.4, "trim": "mecha", "sign": "majority",
            "combine": "stock"}
    ours = merging.merge(run, folder, models, {"stock": step})["stock"]
    for tensor in ("matrix.weight", "wide.weight", "square.weight", "vector.weight"):  # of a convolution it is all of a kernel
        z, a, b = (torch.from_numpy(models[letter][tensor]) for letter in ("base", "a", "b"))
        theirs = z + call(ties.ties_sum_extended, a - z, b - z, k=0.4)
        merging.assert_near(ours[tensor], theirs.numpy(), tensor)


@pytest.mark.parametrize("overlap", [1, 0])
def test_dropout_keeps_the_share_and_the_values(module_weightsmith, overlap):
    run, folder = module_weightsmith
    models = merging.models("ab", shapes={"w.weight": (300, 400)})
    models["base"]["w.weight"][:] = 0
    step = {"op": "dropout", "base": "base", "of": ["a", "b"], "probability": 0.7, "overlap": overlap, "seed": 5}
    ours = merging.merge(run, folder, models, {"out": step})["out"]["w.weight"]
    a, b = (models[letter]["w.weight"] for letter in "ab")

    def shares(array):
        """How often there is nothing, a, b, and the mean of both."""
        scaled = 0.3 * array.astype(np.float64)
        candidates = np.stack([np.zeros_like(a), a, b, (a + b) / 2])
        which = np.abs(candidates - scaled).argmin(axis=0)
        worst = np.abs(np.take_along_axis(candidates, which[None], axis=0)[0] - scaled).max()
        assert worst < 1e-6 * np.abs(a).max()
        return np.bincount(which.ravel(), minlength=4) / which.size

    expected = [0.7, 0.15, 0.15, 0]  # never both; theirs stops with a TypeError there
    if overlap == 1:
        expected = shares(call(ties.dropout, torch.from_numpy(a), torch.from_numpy(b), probability=0.7, seed=1).numpy())
    np.testing.assert_allclose(shares(ours), expected, atol=5 * np.sqrt(0.5 / ours.size))


# Files with SDXL's names; recipe of theirs over nodes a, b, c, and ours.
GRAPHS = {
    "weighted_sum": (lambda a, b, c: sd_mecha.weighted_sum(a, b, alpha=0.3),
                     {"op": "weighted_sum", "a": "a", "b": "b", "alpha": {"default": 0.3, "vae": 0.3}}),
    "by block": (
        lambda a, b, c: sd_mecha.weighted_sum(a, b, alpha=sd_mecha.convert(
            {"BASE": 0.1, **{f"IN{i:02}": 0.1 * i for i in range(9)}, "M00": 0.5,
             **{f"OUT{i:02}": 0.9 - 0.1 * i for i in range(9)}, "VAE": 0.25}, "sdxl-sgm")),
        {"op": "weighted_sum", "a": "a", "b": "b", "alpha": {
            "te": 0.1, "TIME": 0.1, "LABEL": 0.1, **{f"IN{i:02}": 0.1 * i for i in range(9)}, "M00": 0.5,
            **{f"OUT{i:02}": 0.9 - 0.1 * i for i in range(9)}, "unet.final": 0.1, "vae": 0.25}}),
    "add_difference": (lambda a, b, c: sd_mecha.add_difference(a, b, c, alpha=0.7),
                       {"op": "add_difference", "a": "a", "b": "b", "c": "c", "alpha": {"default": 0.7, "vae": 0.7}}),
    "n_average": (lambda a, b, c: sd_mecha.n_average(a, b, c), {"op": "average", "of": ["a", "b", "c"], "vae": True}),
    "tensor_sum": (lambda a, b, c: sd_mecha.tensor_sum(a, b, width=0.4, offset=0.3),
                   {"op": "tensor_sum", "a": "a", "b": "b", "width": {"default": 0.4, "vae": 0.4}, "offset": 0.3}),
    "ties": (lambda a, b, c: linear.add_difference(
                 a, sd_mecha.ties_sum(linear.subtract(b, a), linear.subtract(c, a), k=0.4), alpha=1.0),
             {"op": "ties", "base": "a", "of": [{"model": "b", "weight": {"default": 1, "vae": 1}}, {"model": "c", "weight": 1}],
              "density": 0.4, "trim": "mecha", "sign": "majority"}),
    "median": (lambda a, b, c: sd_mecha.geometric_median(a, b, c), {"op": "geometric_median", "of": ["a", "b", "c"], "vae": True}),
}


@pytest.fixture(scope="module")
def sdxl(module_weightsmith):
    run, folder = module_weightsmith
    for seed, letter in enumerate("abc", 1):
        run("synth", "sdxl", "--scale", "tiny", "--seed", seed, "--dtype", "f32", "-o", f"sdxl-{letter}.safetensors")
    return {letter: folder / f"sdxl-{letter}.safetensors" for letter in "abc"}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_over_files_of_sdxl_gives_its_model(module_weightsmith, sdxl, tmp_path, name):
    graph, step = GRAPHS[name]
    logging.disable(logging.WARNING)
    nodes = [sd_mecha.model(str(sdxl[letter]), "sdxl-sgm") for letter in "abc"]
    theirs = {}
    # It selects in f32: of a difference in f64 it may leave out the element at the limit.
    precision = torch.float32 if name == "ties" else torch.float64
    sd_mecha.merge(graph(*nodes), merge_dtype=precision, output_dtype=torch.float32, threads=0, check_extra_keys=False,
                   output=theirs)
    used = {letter for letter in "abc" if f'"{letter}"' in json.dumps(step)}
    recipe = {
        "weightsmith": 1, "models": {letter: str(sdxl[letter]) for letter in used}, "steps": {"out": step},
        "output": {"model": "out", "path": str(tmp_path / "out.safetensors")},
    }
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    module_weightsmith[0]("merge", tmp_path / "recipe.json", "--no-sync")
    ours = load_file(tmp_path / "out.safetensors")
    compared = 0
    for tensor, array in ours.items():
        if tensor in theirs and array.dtype == np.float32:
            merging.assert_near(array, theirs[tensor].numpy(), tensor)
            compared += 1
    assert compared > 2000
