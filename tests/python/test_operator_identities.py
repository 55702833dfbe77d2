"""What numbers of operators mean, for every operator of the table that has such: the ends of a parameter are the operands, equal
models give themselves, and the order does not matter where the formula has none."""

import numpy as np

import operator_steps
import support
from operator_worlds import (  # noqa: F401
    DTYPES, SHAPES, assert_near, by_dtype, run_steps, table, worlds)

# Identities. A step with such a number is one of its operands, bit for bit; `{}` is a number of any operator.
NOTHING = {"alpha": 0, "lambda": 0}
NOT_NOTHING = {
    "cosine_a", "cosine_b",  # alpha is what is taken from a similarity
    "extract",  # alpha says which of the two
    "ramplus_tl", "rotate", "svc",  # alpha is a limit, or one part of what is done
    # computed as the formula says
    "multiply_difference", "euclidean_add_difference", "similarity_add_difference",
    "sum_twice", "triple_sum",  # beta is left
}
IDENTITIES = [
    ("weighted_sum", {"alpha": 1}, "b"),
    ("slerp", {"alpha": 1}, "b"),
    ("norm_match", {"alpha": 0}, "b"),
    ("crossover", {"alpha": 1}, "b"),
    ("linear", {"of": [{"model": "a", "weight": 1}, {"model": "b", "weight": 0}]}, "a"),
    ("nuslerp", {"alpha": 1}, "b"),
    ("tensor_sum", {"width": 0}, "a"),
    ("tensor_sum", {"width": 1}, "b"),
    ("tensor_sum_2", {"width": 1}, "b"),
    ("geometric_sum", {"alpha": 1}, "b"),
    ("normalized_sum", {"alpha": 1}, "b"),
    ("maximum", {"alpha": 0}, "a"),
    ("sum_twice", {"alpha": 0.3, "beta": 1}, "c"),
    ("triple_sum", {"alpha": 0, "beta": 0}, "a"),
    ("rotate", {"alignment": 0, "alpha": 0}, "a"),
    ("rotate", {"alignment": 1, "alpha": 1}, "b"),
    ("passthrough", {"scale": 1}, "a"),
    ("nearswap", {"t": 0}, "a"),
    ("noise", {"strength": 0}, "a"),
    ("dropout", {"probability": 1}, "base"),
    ("frequency", {"low": 0, "middle": 0, "high": 0}, "a"),
    ("bake", {"adapters": ["low:0", "whole:0", "scaled:0"]}, "a"),
    ("within", {"apply": "b", "where": {"smaller_than": "1000K"}}, "b"),
    ("within", {"apply": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0}}, "a"),
]
ALONE = [{"model": "c", "weight": 1}]

# What gives c, where nothing is left out: base + (c - base), to last bits of both.
WHOLE = {
    "task_arithmetic": {"of": ALONE}, "ties": {"of": ALONE, "density": 1}, "dare_linear": {"of": ALONE, "density": 1},
    "dare_ties": {"of": ALONE, "density": 1}, "della": {"of": ALONE, "density": 1, "epsilon": 0},
    "della_linear": {"of": ALONE, "density": 1, "epsilon": 0}, "breadcrumbs": {"of": ALONE, "density": 1, "gamma": 0},
    "breadcrumbs_ties": {"of": ALONE, "density": 1, "gamma": 0}, "cabs": {"of": ALONE, "density": 1}, "sce": {"of": ["c"], "select": 1},
    "emr": {"of": ["c"]}, "emr of a task": {"of": ["c"], "task": 1}, "consensus": {"of": ALONE, "threshold": 0, "least": 1},
    "aoe": {"of": ALONE, "threshold": 0}, "ram": {"of": ["c"], "epsilon": 0}, "ramplus_tl": {"of": ["c"], "epsilon": 0},
    "dropout": {"of": ["c"], "probability": 0}, "star": {"of": ["c"], "share": 1}, "tsv_merge": {"of": ["c"]},
    "core_space": {"of": ["c"], "rank": 4096, "merge": "sum"},
    "truncate_rank": {"a": "c", "rank": 4096}, "truncate_rank by ratio": {"a": "c", "rank": None, "ratio": 1},
    "breadcrumbs of a gamma that comes to nothing": {"of": ALONE, "density": 1, "gamma": 1},
}

# A number of them says no share of what is kept.
NEVER_WHOLE = {"pcb"}

# What models that are all equal do not give back.
CHANGES_EQUAL_MODELS = {"multiply", "clamp", "noise", "adjust", "scale", "truncate_rank", "passthrough", "perpendicular", "bake"}

# Which model comes first matters, beside its weight.
ORDERED = {"fallback", "cabs", "stack"}


def test_a_number_that_means_nothing_gives_the_model_back(worlds, table):
    """By every operator with such a parameter, and those of the list."""
    world = worlds["all"]
    steps, operands = {}, {}
    for i, op in enumerate(table):
        if op["name"] not in world.steps or op["name"] in NOT_NOTHING or not op["operands"]:
            continue
        first = op["operands"][0]
        if first["kind"] == "delta":
            continue
        for parameter in op["parameters"]:
            if parameter["name"] in NOTHING and (op["name"], parameter["name"]) != ("norm_match", "alpha"):
                key = f"{op['name']}-{parameter['name']}"
                made = operator_steps.step(op, i + 1, **{parameter["name"]: NOTHING[parameter["name"]]})
                steps[key], operands[key] = operator_steps.as_weight(op, made), made[first["name"]]
    by_name = {op["name"]: op for op in table}
    for seed, (name, changes, operand) in enumerate(IDENTITIES, 1000):
        key = f"{name}-{operand}"
        steps[key], operands[key] = operator_steps.step(by_name[name], seed, **changes), operand
    models = {letter: support.read(path).tensors for letter, path in world.models.items()}
    for key, result in run_steps(world, steps).items():
        for name, array in result.items():
            operand = models[operands[key]][name]
            np.testing.assert_array_equal(array.astype(np.float32), operand.astype(array.dtype).astype(np.float32),
                                          err_msg=f"{key}: {name}")


def test_a_stack_of_all_layers_of_a_model_is_the_model(worlds):
    """Also in two entries, at a scale of 1, and of a stack."""
    world = worlds["llama"]
    halves = [{"model": "a", "layers": "0-14", "scale": 1}, {"model": "a", "layers": "15-31"}]
    steps = {"whole": {"op": "stack", "of": ["a"]}, "halves": {"op": "stack", "of": halves},
             "again": {"op": "stack", "of": [{"op": "stack", "of": halves}], "embed": "a", "head": "a"}}
    model = support.read(world.models["a"]).tensors
    for key, result in run_steps(world, steps).items():
        assert result.keys() == model.keys(), key
        for name, array in result.items():
            support.assert_same_bits(array, model[name], f"{key}: {name}")


def test_all_of_one_fine_tune_gives_it_back(worlds, table):
    """At a density, a share or a selection of 1, a threshold of 0 and the full rank."""
    world = worlds["all"]
    by_name = {op["name"]: op for op in table}
    steps = {}
    for i, (what, numbers) in enumerate(WHOLE.items(), 1):
        op = by_name[what.split(" ")[0]]
        steps[what.replace(" ", "_")] = operator_steps.as_weight(op, operator_steps.step(op, i, **numbers))
    models = {letter: support.read(world.models[letter]).tensors for letter in ("base", "c")}
    for name, op in by_name.items():
        named = {parameter["name"] for parameter in op["parameters"]}
        assert not named & {"density", "rank", "ratio", "share"} or name in WHOLE or name in NEVER_WHOLE, name
    for key, result in run_steps(world, steps, dtype="f32").items():
        for name, array in result.items():
            base, c = (models[letter][name].astype(np.float64) for letter in ("base", "c"))
            largest = max(np.abs(base).max(), np.abs(c).max()) if c.size else 0
            assert np.abs(array - c).max(initial=0) <= 1e-6 * largest, f"{key}: {name}"


def test_equal_models_give_themselves(worlds, by_dtype):
    for name, dtypes in by_dtype.items():
        if name in ("averages", "llama"):  # whose averages are those of another model, whose stack has other layers
            continue
        world = worlds[name]
        same = {letter: dtypes["F32"]["base"] for letter in DTYPES}
        model = support.read(same["base"]).tensors
        steps = {key: step for key, step in world.steps.items() if key.split(".")[0] not in CHANGES_EQUAL_MODELS}
        for key, result in run_steps(world, steps, models=same).items():
            for tensor, array in result.items():
                assert_near(array, model[tensor], f"{key}: {tensor}")


def test_the_order_of_a_list_does_not_matter(worlds, table):
    world = worlds["all"]
    steps = {}
    for op in table:
        drawn = any(parameter["name"] == "seed" for parameter in op["parameters"])
        if op["name"] in world.steps and op.get("list") and not drawn and op["name"] not in ORDERED:
            there = world.steps[op["name"]]
            key = op["list"]["name"]
            if key in there:
                steps[op["name"]] = there
                steps[f"{op['name']}.reversed"] = {**there, key: there[key][::-1]}
    results = run_steps(world, steps, dtype="f32")
    for name in [key for key in steps if not key.endswith(".reversed")]:
        for tensor in SHAPES:  # where no votes are equal
            array = results[f"{name}.reversed"][tensor]
            assert_near(array, results[name][tensor], f"{name}: {tensor}")


# Of two models, which may change places where the share of one is what the other one's was.
MIRRORED = {
    "weighted_sum": {"alpha": 0.7}, "slerp": {"alpha": 0.7}, "geometric_sum": {"alpha": 0.7}, "nuslerp": {"alpha": 0.7},
    "normalized_sum": {"alpha": 0.7}, "multiply": {}, "crossover": {"alpha": 0.3, "tilt": 1}, "maximum": {"alpha": 1},
    "frequency": {"low": 0.8, "middle": 0.4, "high": 0.1},
}
SHARES = ("alpha", "low", "middle", "high")


def test_two_models_change_places(worlds):
    world = worlds["all"]
    steps = {}
    for op, numbers in MIRRORED.items():
        if op not in world.steps:
            continue
        there = {**world.steps[op], **numbers}
        other = {key: 1 - there[key] for key in SHARES if key in there and op != "maximum"}
        steps[op] = there
        steps[f"{op}.back"] = {**there, "a": there["b"], "b": there["a"], **other}
    results = run_steps(world, steps, dtype="f32")
    assert MIRRORED.keys() & world.steps.keys()
    for op in MIRRORED.keys() & world.steps.keys():
        for tensor, array in results[f"{op}.back"].items():
            assert_near(array, results[op][tensor], f"{op}: {tensor}")
