"""Outputs are the same bytes from version to version: the tensors of every example, of recipes of the corpus, of runs, of
what benchmarks measure, and of every operator.

digests.json was first written with the program as it was before the engine computed in passes. WEIGHTSMITH_BLESS=1 adds
what is new. A digest that changes is a change of results: find out why before anything else.
"""

import hashlib
import json
import os
import re
import shutil

import ml_dtypes
import numpy as np
import pytest

import adapters
import operator_steps
import support
import recipe_oracle
from operator_worlds import with_averages
from test_corpus import RECIPES, corpus, parents  # noqa: F401
from test_examples import EXAMPLES, models  # noqa: F401

GOLDEN = support.ROOT / "tests" / "python" / "digests.json"
BLESS = os.environ.get("WEIGHTSMITH_BLESS") == "1"
FP8 = np.dtype(ml_dtypes.float8_e4m3fn)

RUNS = {  # name -> arguments; of models photo, anime, base, of the adapter `lora` and the fp8 models s8, t8
    "weighted sum": ("merge", "photo.safetensors", "anime.safetensors", "--alpha", "0.3"),
    "by block": ("merge", "photo.safetensors", "anime.safetensors", "--alpha", "GRAD_V"),
    "difference": ("merge", "photo.safetensors", "anime.safetensors", "base.safetensors", "--op", "add_difference", "--alpha", "0.7"),
    "train difference": ("merge", "photo.safetensors", "anime.safetensors", "base.safetensors", "--op", "train_difference", "--alpha", "0.7"),
    "slerp": ("merge", "photo.safetensors", "anime.safetensors", "--op", "slerp", "--alpha", "0.3"),
    "crossover": ("merge", "photo.safetensors", "anime.safetensors", "--op", "crossover", "--alpha", "0.4", "--param", "tilt=0.3"),
    "norm_match": ("merge", "photo.safetensors", "anime.safetensors", "--op", "norm_match", "--alpha", "0.7"),
    "stochastic": ("merge", "photo.safetensors", "anime.safetensors", "--alpha", "0.3", "--dtype", "bf16", "--rounding", "stochastic:7"),
    "in f64": ("merge", "photo.safetensors", "anime.safetensors", "--alpha", "0.3", "--policy", "precision=f64"),
    "to fp8": ("convert", "photo.safetensors", "--dtype", "f8_e4m3"),
    "scaled fp8": ("merge", "s8.safetensors", "t8.safetensors", "--alpha", "0.3"),
    "scaled fp8 to f16": ("merge", "s8.safetensors", "t8.safetensors", "--alpha", "0.3", "--dtype", "f16"),
    "pruned": ("convert", "photo.safetensors", "--prune"),
} | {f"baked {family}": ("bake", "photo.safetensors", "--lora", f"{family}.safetensors:0.7") for family in adapters.FAMILIES}

TUNED = [{"model": "photo", "weight": 0.6}, {"model": "anime", "weight": 0.4}]

OWN = {"op": "subtract", "a": "anime", "b": "base"}

OPERATORS = {  # of each kind: random numbers, ranks, a range of the whole model, matrices, frequencies, filters, means found in turns
    "noise": {"a": "photo", "strength": 0.05, "seed": 7},
    "dare_ties": {"base": "base", "of": TUNED, "density": 0.4, "seed": 7},
    "dropout": {"base": "base", "of": ["photo", "anime"], "probability": 0.4, "overlap": 0.3, "seed": 7},
    "della": {"base": "base", "of": TUNED, "density": 0.5, "epsilon": 0.1, "seed": 7},
    "breadcrumbs_ties": {"base": "base", "of": TUNED, "density": 0.5, "gamma": 0.05},
    "ties": {"base": "base", "of": TUNED, "density": 0.3, "trim": "mecha", "sign": "majority", "rescale": "l1"},
    "sce": {"base": "base", "of": ["photo", "anime"], "select": 0.3},
    "pcb": {"base": "base", "of": ["photo", "anime"]},
    "cabs": {"base": "base", "of": TUNED, "density": 0.25},
    "emr": {"base": "base", "of": ["photo", "anime"], "task": 2},
    "ramplus_tl": {"base": "base", "of": ["photo", "anime"], "epsilon": 0.01},
    "arcee_fusion": {"a": "base", "b": "photo"},
    "model_stock": {"base": "base", "of": ["photo", "anime"], "by": "filter"},
    "cosine_a": {"a": "photo", "b": "anime", "alpha": 0.2},
    "cosine_b": {"a": "photo", "b": "anime", "alpha": 0.2, "scope": "tensor"},
    "channel_sum": {"a": "photo", "b": "anime", "alpha": 0.5, "beta": 2},
    "extract": {"a": "base", "b": "photo", "c": "anime", "alpha": 0.5, "gamma": 2},
    "euclidean_add_difference": {"a": "photo", "b": "anime", "c": "base", "alpha": 0.4},
    "multiply_quotient": {"a": "photo", "b": "anime", "c": "base", "alpha": 1},
    "geometric_sum": {"a": "photo", "b": "anime", "alpha": 0.3},
    "smooth_add": {"a": "photo", "b": "anime", "c": "base", "alpha": 0.7},
    "frequency": {"a": "photo", "b": "anime", "low": 0.8, "middle": 0.4, "high": 0},
    "top_k_tensor_sum": {"a": "photo", "b": "anime", "width": 0.5},
    "distribution_crossover": {"a": "photo", "b": "anime", "c": "base", "alpha": 0.5, "tilt": 0.1},
    "tensor_sum_2": {"a": "photo", "b": "anime", "width": 0.4, "offset": 0.8},
    "karcher": {"of": ["photo", "anime", "base"]},
    "multislerp": {"base": "base", "of": TUNED},
    "nuslerp": {"a": "photo", "b": "anime", "base": "base", "alpha": 0.4, "by": "rows"},
    "geometric_median": {"of": ["photo", "anime", "base"]},
    "tsv_merge": {"base": "base", "of": ["photo", "anime"]},
    "iso_cts": {"base": "base", "of": ["photo", "anime"]},
    "svc": {"base": "base", "a": "anime", "of": ["photo", "anime"]},
    "core_space": {"base": "base", "of": ["photo", "anime"], "rank": 4},
    "star": {"base": "base", "of": ["photo", "anime"]},
    "rotate": {"a": "photo", "b": "anime", "alignment": 0.5, "alpha": 0.2},
    "within": {"model": "photo", "apply": "anime", "where": {"block": "IN04-IN08", "rank": 2}},
}

OPERATORS |= {  # all others
    "add": {"a": "photo", "b": OWN, "alpha": 0.7},
    "subtract": {"a": "photo", "b": "base"},
    "scale": {"a": OWN, "factor": -0.45},
    "multiply": {"a": "photo", "b": "anime"},
    "perpendicular": {"a": OWN, "b": {"op": "subtract", "a": "photo", "b": "base"}},
    "clamp": {"a": "photo", "to": ["anime", "base"]},
    "maximum": {"a": "photo", "b": "anime", "alpha": 0.6},
    "passthrough": {"a": "photo", "scale": {"default": 1, "IN04-IN08": 0.7}},
    "sum_twice": {"a": "photo", "b": "anime", "c": "base", "alpha": 0.4, "beta": 0.2},
    "triple_sum": {"a": "photo", "b": "anime", "c": "base", "alpha": 0.3, "beta": 0.2},
    "add_opposite": {"a": "photo", "b": "anime", "c": "base", "alpha": 0.6},
    "similarity_add_difference": {"a": "photo", "b": "anime", "c": "base", "alpha": 0.7, "beta": 0.8},
    "multiply_difference": {"a": "photo", "b": "anime", "c": "base", "alpha": 0.3, "beta": 0.6},
    "nearswap": {"a": "photo", "b": "anime", "t": 0.01},
    "normalized_sum": {"a": "photo", "b": "anime", "alpha": 0.3},
    "tensor_sum": {"a": "photo", "b": "anime", "width": 0.4, "offset": 0.8},
    "task_arithmetic": {"base": "base", "of": TUNED, "lambda": 0.8},
    "breadcrumbs": {"base": "base", "of": TUNED, "density": 0.5, "gamma": 0.05},
    "dare_linear": {"base": "base", "of": TUNED, "density": 0.4, "seed": 7},
    "della_linear": {"base": "base", "of": TUNED, "density": 0.5, "epsilon": 0.1, "seed": 7},
    "consensus": {"base": "base", "of": TUNED, "threshold": 0.4},
    "aoe": {"base": "base", "of": TUNED, "threshold": 0.01},
    "ram": {"base": "base", "of": ["photo", "anime"], "epsilon": 0.01},
    "iso_c": {"base": "base", "of": ["photo", "anime"]},
    "truncate_rank": {"a": "photo", "rank": 3},
    "adjust": {"a": "photo", "detail_in": 2, "detail_out": -1, "contrast": 1.5, "blue": 3},
    "align_attention": {"a": "photo", "b": "anime", "head_size": 4},
    "rebasin": {"a": "photo", "b": "anime", "head_size": 4},
    "ema": {"a": "averages", "alpha": 0.7},
    "fallback": {"a": "part", "b": "anime"},
}

OF_DIFFERENCES = {"subtract", "scale", "perpendicular"}  # whose result is one: an output is the base with it


def digest(path):
    """Of names, dtypes, shapes and bytes, in the order of the names."""
    digested = hashlib.sha256()
    tensors = support.read(path).tensors
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digested.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digested.update(array.tobytes())
    return digested.hexdigest()


def check(name, found):
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if BLESS and name not in golden:
        GOLDEN.write_text(json.dumps({**golden, name: found}, indent=2, sort_keys=True) + "\n")
    else:
        assert found == golden[name]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_the_bytes_that_it_always_gave(weightsmith, models, name):  # noqa: F811
    shutil.copy(support.ROOT / "examples" / name, models)
    before = {path.resolve() for path in models.rglob("*.safetensors")}
    weightsmith("merge", name, "--no-sync")
    made = sorted(path for path in models.rglob("*.safetensors") if path.resolve() not in before)
    check(name, {str(path.relative_to(models)): digest(path) for path in made})


def add_scaled(models):  # noqa: F811
    for seed, name in enumerate(("s8", "t8"), 1):
        random = np.random.default_rng(seed)
        tensors = {"scaled_fp8": np.zeros(2, FP8), "double.norm.weight": random.standard_normal(300).astype(np.float16)}
        for module, scale in (("double.a", np.float32(0.013)), ("double.b", (random.random((70, 1)) + 0.01).astype(np.float32))):
            tensors[f"{module}.weight"] = random.standard_normal((70, 300)).astype(FP8)
            tensors[f"{module}.scale_weight"] = np.asarray(scale)
        support.write(models / f"{name}.safetensors", tensors)


@pytest.mark.parametrize("name", support.sampled(RUNS, 3))
def test_a_run_gives_the_bytes_that_it_always_gave(weightsmith, models, name):  # noqa: F811
    family = name.removeprefix("baked ")
    if family in adapters.FAMILIES:
        weights = adapters.weights_of(support.header_of(models / "photo.safetensors")[0])
        shapes, _ = adapters.shapes_of(weights, family, "kohya")
        tensors = adapters.random_tensors(shapes, 3, np.float16)
        tensors |= {name: np.zeros((), np.float16) for name in tensors if name.endswith(".on_input")}
        support.write(models / f"{family}.safetensors", tensors)
    add_scaled(models)
    weightsmith(*RUNS[name], "--no-sync", "-o", "out.safetensors")
    check(name, digest(models / "out.safetensors"))


@pytest.mark.parametrize("name", support.sampled(RECIPES, 3))
def test_a_recipe_of_the_corpus_gives_the_bytes_that_it_always_gave(weightsmith, corpus, name):  # noqa: F811
    weightsmith("merge", name, "--no-sync")
    outputs = recipe_oracle.Recipe(corpus / name, {}, "sd15").outputs()
    check(f"corpus {name}", {path: digest(corpus / path) for path in sorted(outputs)})


MEASURED = {  # by bench/components_bench.py, of tiny files: name -> commands, what the last one writes
    "split": ([("split", "xl.safetensors", "-o", "out")], "out"),
    "assemble": ([("split", "xl.safetensors", "-o", "parts"),
                  ("assemble", "--like", "sdxl", "--unet", "parts/unet.safetensors", "--clip-l", "parts/clip_l.safetensors",
                   "--clip-g", "parts/clip_g.safetensors", "--vae", "parts/vae.safetensors", "-o", "out.safetensors")],
                 "out.safetensors"),
    "pipeline": ([("convert", "xl.safetensors", "--layout", "diffusers", "-o", "out")], "out"),
    "pipeline and back": ([("convert", "xl.safetensors", "--layout", "diffusers", "-o", "pipeline"),
                           ("convert", "pipeline", "-o", "out.safetensors")], "out.safetensors"),
    "to half": ([("convert", "xl.safetensors", "--dtype", "bf16", "-o", "out.safetensors")], "out.safetensors"),
    "merge of pipelines": ([("convert", name, "--layout", "diffusers", "-o", name.removesuffix(".safetensors"))
                            for name in ("xl.safetensors", "xl2.safetensors")]
                           + [("merge", "xl", "xl2", "--alpha", "0.3", "-o", "out.safetensors")], "out.safetensors"),
}


@pytest.mark.parametrize("name", support.sampled(MEASURED, 3))
def test_what_is_measured_gives_the_bytes_that_it_always_gave(weightsmith, tiny, tmp_path, name):
    for seed, model in enumerate(("xl", "xl2"), 1):
        (tmp_path / f"{model}.safetensors").symlink_to(tiny("sdxl", seed))
    commands, written = MEASURED[name]
    for command in commands:
        weightsmith(*command, "--no-sync")
    out = tmp_path / written
    files = [out] if out.is_file() else sorted(out.rglob("*.safetensors"))
    check(f"measured {name}", {str(path.relative_to(tmp_path)): digest(path) for path in files})


def test_every_operator_has_a_digest():
    """By its name, or in a run or an example."""
    kept = (*OPERATORS, "norm_match", "crossover", "slerp", "weighted_sum", "add_difference", "train_difference")
    written = "".join((support.ROOT / "examples" / name).read_text() for name in EXAMPLES)
    told = {*kept, "copy", *re.findall(r"op\"?: \"?([a-z_0-9]+)", written)}  # copy: "to fp8"
    assert {op["name"] for op in operator_steps.table()} <= told


@pytest.fixture(scope="module")
def of_operators(session_weightsmith, tiny, tmp_path_factory):
    """What each operator gives, by one run."""
    folder = tmp_path_factory.mktemp("operators")
    paths = {name: str(tiny("sd15", seed)) for seed, name in enumerate(("photo", "anime", "base"), 1)}
    photo = support.read(paths["photo"]).tensors
    paths["averages"] = str(with_averages(paths["photo"], paths["anime"], folder / "averages.safetensors"))
    paths["part"] = str(support.write(folder / "part.safetensors", {
        name: array for name, array in photo.items() if not name.startswith("cond_stage_model.")}))
    steps = {}
    for op, arguments in OPERATORS.items():
        step = {"op": op, **arguments, **({"seed_shared": True} if "seed" in arguments else {})}
        steps[f"of {op}"] = {"op": "add", "a": "base", "b": step} if op in OF_DIFFERENCES else step
    support.write_recipe(folder / "r.json", {
        "models": paths, "steps": steps,
        "outputs": [{"model": f"of {op}", "path": f"{op}.safetensors"} for op in OPERATORS]})
    session_weightsmith("merge", folder / "r.json", "--no-sync")
    return {op: digest(folder / f"{op}.safetensors") for op in OPERATORS}


@pytest.mark.parametrize("op", OPERATORS)
def test_an_operator_gives_the_bytes_that_it_always_gave(of_operators, op):
    check(f"operator {op}", of_operators[op])
