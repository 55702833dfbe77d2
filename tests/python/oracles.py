"""Which function of this folder computes which operator, with the arguments that it takes of a step."""

import importlib
import inspect
from dataclasses import dataclass
from pathlib import Path

import oracle

HERE = Path(__file__).parent
SAME = {name: name for name in ("a", "b", "c", "base", "alpha", "beta", "weights", "normalize", "sign", "by", "t", "r", "select",
                                "seed", "width", "offset", "where", "filter", "low", "middle", "high")}

# Operator -> (module, function, what keys of a step are called there beside SAME). Computed in f64: compared with a tolerance.
FUNCTIONS = {
    "task_arithmetic": ("oracle_vectors", "task_arithmetic", {"of": "models", "lambda": "factor"}),
    "breadcrumbs": ("oracle_vectors", "breadcrumbs", {"of": "models", "density": "densities", "gamma": "gamma", "rescale": "scale",
                                                    "lambda": "factor"}),
    "breadcrumbs_ties": ("oracle_vectors", "breadcrumbs_ties", {"of": "models", "density": "densities", "gamma": "gamma",
                                                              "rescale": "scale", "lambda": "factor"}),
    "sce": ("oracle_vectors", "sce", {"of": "models"}),
    "nearswap": ("oracle_vectors", "nearswap", {}),
    "ram": ("oracle_vectors", "ram", {"of": "models", "epsilon": "epsilon"}),
    "ramplus_tl": ("oracle_vectors", "ramplus_tl", {"of": "models", "epsilon": "epsilon"}),
    "pcb": ("oracle_vectors", "pcb", {"of": "models", "density": "density", "lambda": "factor"}),
    "aoe": ("oracle_vectors", "aoe", {"of": "models", "threshold": "threshold", "distance": "distance"}),
    "nuslerp": ("oracle_vectors", "nuslerp", {}),
    "multislerp": ("oracle_vectors", "multislerp", {"of": "models"}),
    "karcher": ("oracle_vectors", "karcher", {"of": "models"}),
    "arcee_fusion": ("oracle_vectors", "arcee_fusion", {}),
    "cabs": ("oracle_vectors", "cabs", {"of": "models", "density": "density", "lambda": "factor"}),
    "emr": ("oracle_vectors", "emr", {"of": "models", "lambda": "factor"}),
    "consensus": ("oracle_vectors", "consensus", {"of": "models", "lambda": "factor", "threshold": "threshold"}),
    "tensor_sum": ("oracle_diffusion", "tensor_sum", {}),
    "tensor_sum_2": ("oracle_diffusion", "tensor_sum_2", {"ends": "ends"}),
    "cosine_a": ("oracle_diffusion", "cosine_a", {"scope": "scope"}),
    "cosine_b": ("oracle_diffusion", "cosine_b", {"scope": "scope"}),
    "top_k_tensor_sum": ("oracle_diffusion", "top_k_tensor_sum", {}),
    "extract": ("oracle_diffusion", "extract", {"gamma": "gamma"}),
    "perpendicular": ("oracle_diffusion", "perpendicular", {}),
    "geometric_sum": ("oracle_diffusion", "geometric_sum", {}),
    "multiply_difference": ("oracle_diffusion", "multiply_difference", {}),
    "multiply_quotient": ("oracle_diffusion", "multiply_quotient", {}),
    "similarity_add_difference": ("oracle_diffusion", "similarity_add_difference", {}),
    "add_opposite": ("oracle_diffusion", "add_opposite", {}),
    "euclidean_add_difference": ("oracle_diffusion", "euclidean_add_difference", {}),
    "normalized_sum": ("oracle_diffusion", "normalized_sum", {}),
    "channel_sum": ("oracle_diffusion", "channel_sum", {}),
    "smooth_add": ("oracle_diffusion", "smooth_add", {}),
    "distribution_crossover": ("oracle_diffusion", "distribution_crossover", {"tilt": "tilt"}),
    "geometric_median": ("oracle_diffusion", "geometric_median", {"of": "of"}),
    "tsv_merge": ("oracle_algebra", "tsv_merge", {"of": "models", "lambda": "factor"}),
    "iso_c": ("oracle_algebra", "iso_c_merge", {"of": "models", "lambda": "factor"}),
    "iso_cts": ("oracle_algebra", "iso_cts_merge", {"of": "models", "lambda": "factor", "common": "common"}),
    "star": ("oracle_algebra", "star_merge", {"of": "models", "lambda": "factor", "share": "share"}),
    "core_space": ("oracle_algebra", "core_space_merge", {"of": "models", "lambda": "factor", "merge": "merge"}),
    "svc": ("oracle_algebra", "svc_merge", {"of": "models"}),
    "truncate_rank": ("oracle_algebra", "truncate_rank", {"ratio": "ratio"}),
    "frequency": ("oracle_algebra", "frequency", {}),
    "rotate": ("oracle_algebra", "rotate", {"alignment": "alignment", "centralization": "centralization"}),
}

# What functions have no default of.
DEFAULTS = {"gamma": 0.01}

# Keys that an entry of the list has, where the function takes a number for each.
BY_ENTRY = {"density", "epsilon", "share"}


@dataclass
class Oracle:
    """What computes one operator."""

    keys: set  # of a step, the list's weights as "weights"
    by_entry: set  # of those, which are numbers of entries
    every_bit: bool  # in the order and precision that the reference page writes
    compute: callable  # (canonical name of the tensor, {key: array, number, word, or a list of those})


def of_class(kind, name):
    """A method of a class of oracle.Arithmetic, in f32."""
    taken = inspect.signature(getattr(kind, name)).parameters.keys() - {"self"}
    keys = {"lambda" if key == "factor" and name != "scale" else key for key in taken}
    needs_name = "tensor" in inspect.signature(kind).parameters
    unsaid = {key for key, its in inspect.signature(getattr(kind, name)).parameters.items() if its.default is its.empty}
    by_entry = BY_ENTRY & unsaid if kind is not oracle.Arithmetic else set()

    def compute(tensor, arguments):
        called = {"factor" if key == "lambda" else key: value for key, value in arguments.items()}
        return getattr(kind(tensor) if needs_name else kind(), name)(**called)

    return Oracle(keys, by_entry, True, compute)


def of_function(module, function, names):
    names = {**SAME, **names}
    called = getattr(importlib.import_module(module), function)
    taken = inspect.signature(called).parameters
    keys = {key for key, name in names.items() if name in taken}
    by_entry = {key for key in BY_ENTRY & keys if names[key] in ("densities", "density", "share")}

    def compute(_, arguments):
        given = {names[key]: value for key, value in arguments.items()}
        unsaid = {name: DEFAULTS[name] for name in DEFAULTS.keys() & taken
                  if name not in given and taken[name].default is inspect.Parameter.empty}
        return called(**unsaid, **given)

    return Oracle(keys, by_entry, False, compute)


def all_oracles():
    """Operator -> Oracle. A class of an area's file goes before the common one, and both before functions."""
    modules = {path.stem for path in HERE.glob("oracle_*.py")}
    found = {name: of_function(*row) for name, row in FUNCTIONS.items() if row[0] in modules}
    for module in ("oracle", *sorted(modules)):
        for kind in vars(importlib.import_module(module)).values():
            if inspect.isclass(kind) and issubclass(kind, oracle.Arithmetic) and kind.__module__ == module:
                found |= {name: of_class(kind, name) for name, method in vars(kind).items()
                          if inspect.isfunction(method) and not name.startswith("_")}
    return found
