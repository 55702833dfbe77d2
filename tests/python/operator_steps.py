"""A step of any operator, made from its declaration, for tests that run over the whole table."""

import functools
import json
import subprocess

import support

# Which model an operand gets by its name; others get what is left, in this order.
MODELS = ("a", "b", "c")
ENTRIES = ("a", "b", "c")

# Numbers that are neither the ends of a range nor 0 or 1.
NUMBERS = {"alpha": 0.3, "beta": 0.45, "density": 0.6, "weight": 0.7, "gamma": 0.05, "epsilon": 0.1, "lambda": 0.8, "t": 0.02}

# What a declaration does not tell: parameters of which one must be written, or that have a form of their own.
SUITED = {
    "align_attention": {"head_size": 2},
    "clamp": {"low": -0.5, "high": 0.25},
    "truncate_rank": {"rank": 3},
    "adjust": {"detail_in": 2, "detail_out": -1, "contrast": 1.5, "blue": 3},
    "align_attention": {"head_size": 4},
    "bake": {"adapters": ["low:0.6", {"use": "whole", "strength": {"default": 0.25, "/big|huge/": -0.5}}]},
    "stack": {"of": [{"model": "a", "layers": "0-3"}, {"model": "b", "layers": "2-9", "scale": {"default": 0.75, "/mlp/": 1}},
                     {"model": {"op": "slerp", "a": "b", "b": "c", "alpha": 0.3}, "layers": 5}]},
    "within": {"apply": {"op": "slerp", "a": "b", "b": "c", "alpha": 0.3}, "where": {"larger_than": 100}},
}


# Forms of a step that no default shows.
MORE = {
    "emr": [{"task": 2}],
    "cabs": [{"group": 4}],
    "consensus": [{"task": 1}],
    "truncate_rank": [{"rank": None, "ratio": 0.5}],
    "clamp": [{"low": None, "high": None, "to": ["b", "c"]},
              {"low": None, "high": None, "to": ["base", "b", "c"], "stiffness": 0.5}],
    "dropout": [{"overlap": 0.5}],
    "rotate": [{"alignment": 0.5}, {"alpha": 0.5}],
    "crossover": [{"tilt": 0.3}],
    "align_attention": [{"head_size": None, "heads": 2}],
    "rebasin": [{"head_size": 4}],
    "bake": [{"adapters": ["scaled:0.5"]}, {"adapters": ["kron:0.5", "hada"]}],
    "stack": [{"of": ["a"]}],
    "within": [{"where": [{"rank": [1, 3]}, {"name": "/conv/"}]}],
}


# What a word other than the default needs beside it.
BESIDE = {("emr", "scale"): {"task": 2}}


@functools.cache
def table():
    """Every operator, as the program tells of it."""
    program = support.build() / "bin" / "weightsmith"
    return json.loads(subprocess.run([program, "ops", "--json"], check=True, capture_output=True).stdout)


def number(parameter):
    """A value inside the range of a number."""
    low, high = parameter.get("low"), parameter.get("high")
    value = NUMBERS.get(parameter["name"])
    if value is not None and (low is None or value >= low) and (high is None or value <= high):
        return value
    if low is None or high is None or high - low > 100:
        return max(2.0, low or 0)
    return low + 0.375 * (high - low)


def whole(parameter):
    low, high = parameter.get("low", 0), parameter.get("high", 100)
    return int(min(max(2, low), high))


def value(parameter):
    kind = parameter["type"]
    if kind == "boolean":
        return True
    if kind == "word":
        return parameter["words"][-1]
    return whole(parameter) if kind in ("integer", "whole") else number(parameter)


def operand(kind, model):
    """A difference is that of a model to the base."""
    return {"op": "subtract", "a": model, "b": "base"} if kind == "delta" else model


def entries(listed):
    result = []
    for i, model in enumerate(ENTRIES):
        entry = {"model": operand(listed["kind"], model)}
        if listed["weighted"]:
            entry["weight"] = (0.5, 0.3, 0.2)[i]
        for own in listed.get("numbers", []):
            if own["required"]:
                entry[own["name"]] = number(own)
        result.append(entry if len(entry) > 1 else entry["model"])
    return result


def step(op, seed, **changes):
    """With what must be written, and a seed of its own where there is one."""
    result = {"op": op["name"]}
    left = [model for model in MODELS if model not in {each["name"] for each in op["operands"]}]
    for each in op["operands"]:
        if not each.get("required", True) and each["name"] not in changes:
            continue
        named = each["name"] if each["name"] in (*MODELS, "base") else left.pop(0)
        result[each["name"]] = operand(each["kind"], named)
    if op.get("list") and op["list"]["required"]:
        result[op["list"]["name"]] = entries(op["list"])
    for parameter in op["parameters"]:
        if parameter["name"] == "seed":
            result["seed"] = seed
        elif parameter["required"]:
            result[parameter["name"]] = value(parameter)
    made = {**result, **SUITED.get(op["name"], {}), **changes}
    return {key: value for key, value in made.items() if value is not None}


def variants(op, seed):
    """The step, and one for each word and each boolean that it can have otherwise: (name, step)."""
    result = [(op["name"], step(op, seed))]
    for i, more in enumerate(MORE.get(op["name"], ())):
        seed += 1
        result.append((f"{op['name']}.{i}", step(op, seed, **more)))
    for each in op["operands"]:
        if not each.get("required", True):
            seed += 1
            result.append((f"{op['name']}.{each['name']}", step(op, seed, **{each["name"]: operand(each["kind"], "base")})))
    for parameter in op["parameters"]:
        if parameter["name"] in ("vae", "seed_shared"):
            continue
        others = []
        if parameter["type"] == "word":
            others = parameter["words"]
        elif parameter["type"] == "boolean":
            others = [not parameter.get("default", False)]
        for other in others:
            if other != parameter.get("default"):
                seed += 1
                name = f"{op['name']}.{parameter['name']}-{str(other).lower()}"
                result.append((name, step(op, seed, **{parameter["name"]: other}, **BESIDE.get((op["name"], parameter["name"]), {}))))
    return result


def as_weight(op, made):
    """An output is a weight: of an operator whose result is a difference, the base with it."""
    delta = op["result"] == "delta" or (
        op["result"] in ("K", "same") and op["operands"] and op["operands"][0]["kind"] == "delta")
    return {"op": "add", "a": "base", "b": made} if delta else made
