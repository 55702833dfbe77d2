"""Random recipes of random operators equal their evaluation in numpy, by the oracles of this folder.

Where only + - * / sqrt, min, max, comparisons and the documented generator occur, every bit is the same (a zero may have the
other sign); else the worst difference is at most 1e-6 of the tensor's largest magnitude. A result of which nearly all cancels has
no more digits than its operands in f32 have: half a last bit of the largest of those is allowed in any case.
WEIGHTSMITH_RANDOM_RECIPES says how many; WEIGHTSMITH_SEED which."""

import json
import os
import random

import numpy as np
import pytest

import oracles
import support

COUNT = int(os.environ.get("WEIGHTSMITH_RANDOM_RECIPES", "60"))
SEED = int(os.environ.get("WEIGHTSMITH_SEED", "1"))
BATCH = 30  # recipes that one run computes
HALF_A_BIT = 2.0**-24  # of a number in f32, relative to it

MODELS = ("base", "a", "b", "c")
SHAPES = {"layers.0.matrix.weight": (12, 16), "layers.0.wide.weight": (3, 120), "layers.1.vector.weight": (41,), "layers.1.conv.weight": (4, 3, 3, 3)}
DTYPES = ("F32", "F16", "BF16", "F32")

# Of those that an oracle computes as the reference page writes it, in f32, these have no last bit of their own.
NOT_EVERY_BIT = {"slerp", "norm_match", "model_stock", "crossover", "noise", "dropout"}

# A last bit may decide there which elements are taken, or a power of what is almost 0 makes it larger: their operands are models and what is exact.
SELECTS = {
    "ties", "breadcrumbs", "breadcrumbs_ties", "sce", "ram", "ramplus_tl", "arcee_fusion", "top_k_tensor_sum", "della",
    "della_linear", "dare_ties", "distribution_crossover", "add_opposite", "pcb", "cabs", "emr", "consensus", "train_difference",
    "multiply_quotient", "cosine_a", "cosine_b", "smooth_add", "karcher", "nuslerp", "slerp", "geometric_median",
    "aoe", "truncate_rank", "extract", "channel_sum", "geometric_sum", "multiply_difference", "euclidean_add_difference", "similarity_add_difference",
}

# What is for some architectures, for adapters or for layers: these have tests of their own.
ELSEWHERE = {"bake", "stack", "ema", "adjust"}

# Of `within`: what is selected of SHAPES, and how a recipe says so.
SELECTIONS = [
    ({"rank": 2}, lambda name, x: x.ndim == 2), ({"rank": [1, 4]}, lambda name, x: x.ndim in (1, 4)),
    ({"name": "/wide|conv/"}, lambda name, x: "wide" in name or "conv" in name), ({"name": "vector"}, lambda name, x: "vector" in name),
    ({"larger_than": 150}, lambda name, x: x.size > 150), ({"smaller_than": 150}, lambda name, x: x.size < 150),
    ([{"rank": 2, "smaller_than": 200}, {"rank": 4}], lambda name, x: "matrix" in name or "conv" in name),
]

# What must be written of those, or is computed here.
FIXED = {"cosine_a": {"scope": "tensor"}, "cosine_b": {"scope": "tensor"}}
WRITTEN = {("truncate_rank", "ratio")}

# Their directions are known where no model is a sum of others: lists are of models alone, each once.
OF_MODELS = {"tsv_merge", "iso_c", "iso_cts", "star", "core_space", "svc", "rotate"}

# What a declaration does not tell of the ranges in which a result is well conditioned.
RANGES = {"alpha": (0, 1), "beta": (0, 1), "gamma": (0, 0.1), "lambda": (0.2, 1.5), "factor": (-2, 2), "density": (0.3, 0.75),
          "weight": (0.2, 1), "epsilon": (0.05, 0.2), "t": (0, 0.2), "low": (-1, -0.2), "high": (0.2, 1), "strength": (0, 0.5),
          "scale": (-2, 2), "middle": (-1, 1), "threshold": (0, 0.4), "common": (0.2, 1), "share": (0.1, 0.9), "width": (0, 1), "offset": (0, 1), "select": (0.2, 1), "probability": (0.1, 0.9), "rescale": (0, 1)}

# At the ends of its alpha a model is the result, which the formula that the oracle has does not say.
OPEN = {"crossover"}

def models():
    result = {}
    for i, (name, shape) in enumerate(SHAPES.items()):
        base = np.random.default_rng([7, i]).standard_normal(shape)
        common = np.random.default_rng([8, i]).standard_normal(shape)
        for j, (model, dtype) in enumerate(zip(MODELS, DTYPES)):
            own = np.random.default_rng([9, i, j]).standard_normal(shape)
            values = base + (0.2 * (own + common) if j else 0)
            result.setdefault(model, {})[name] = values.astype(np.float32).astype(support.DTYPES[dtype])
    return result


def within(tensor, arguments):
    selects = next(selects for where, selects in SELECTIONS if where == arguments["where"])
    return arguments["apply" if selects(tensor, arguments["apply"]) else "model"]


WITHIN = oracles.Oracle({"model", "apply"}, set(), True, within)


class Writer:
    """Writes random steps, each over models and earlier steps."""

    def __init__(self, operators, known, seed):
        self.random = random.Random(seed)
        self.operators, self.known = operators, known
        self.seed = 100 * seed

    def recipe(self):
        """Steps by name, in order; the last one is a weight."""
        self.kinds = {model: "weight" for model in MODELS}
        self.exact = set(MODELS)
        steps = {}
        for i in range(self.random.randint(1, 4)):
            name = f"s{i}"
            step, kind = self.step(self.random.choice(self.fitting()))
            if step is None:
                continue
            steps[name] = step
            self.kinds[name] = kind
            used = [value for value in self.names(step) if value in self.kinds]
            if self.is_exact(step) and all(value in self.exact for value in used):
                self.exact.add(name)
        last = list(steps)[-1] if steps else "a"
        if self.kinds[last] == "delta":
            steps["end"] = {"op": "add", "a": "base", "b": last, "alpha": 1.0}
            if last in self.exact:
                self.exact.add("end")
        elif not steps:
            steps["end"] = {"op": "copy", "a": "a"}
            self.exact.add("end")
        return steps

    def fitting(self):
        """Operators; of differences, once there is one, as often as all others together."""
        if "delta" not in self.kinds.values() or self.random.random() < 0.5:
            return self.operators
        return [op for op in self.operators if any(operand["kind"] == "delta" for operand in op["operands"])]

    def is_exact(self, step):
        """A factor that comes of a sum over the tensor may have another last bit."""
        op = step["op"]
        return self.known[op].every_bit and op not in NOT_EVERY_BIT and step.get("rescale") != "l1"

    def names(self, step):
        for value in step.values():
            if isinstance(value, str):
                yield value
            elif isinstance(value, list):
                yield from (entry.get("model") if isinstance(entry, dict) else entry for entry in value)

    def of_kind(self, kind, selects, but=None):
        fit = [name for name, its in self.kinds.items() if its == kind and name != but and (not selects or name in self.exact)]
        if not fit:
            return None
        return fit[-1] if self.random.random() < 0.4 else self.random.choice(fit)  # mostly goes on with what there is

    def step(self, op):
        taken = self.known[op["name"]].keys
        result = {"op": op["name"]}
        general = "delta" if self.random.random() < 0.3 and "delta" in self.kinds.values() else "weight"
        if op["name"] == "rotate":  # differences may be half a circle apart
            general = "weight"
        selects = op["name"] in SELECTS
        for operand in op["operands"]:
            if not operand.get("required", True) and (operand["name"] not in taken or self.random.random() < 0.5):
                continue
            kind = general if operand["kind"] == "K" else operand["kind"]
            chosen = "base" if operand["name"] == "base" and kind == "weight" else self.of_kind(kind, selects)
            if op["name"] in ("rotate", "svc") and operand["name"] != "base":
                chosen = self.random.choice(MODELS)
            if chosen is None:
                return None, None
            result[operand["name"]] = chosen
        if op.get("list") and op["list"]["name"] in taken and (op["list"]["required"] or self.random.random() < 0.5):
            if not self.entries(op, result, general, selects):
                return None, None
        for parameter in op["parameters"]:
            self.parameter(op["name"], parameter, taken, result)
        result |= FIXED.get(op["name"], {})
        if op["name"] == "within":
            result["where"] = self.random.choice(SELECTIONS)[0]
        if op["name"] == "clamp" and not {"low", "high", "to"} & result.keys():
            result["low"] = -0.5
        if op["name"] == "clamp" and "to" in result:
            result = {key: value for key, value in result.items() if key not in ("low", "high")}
        return result, op["result"] if op["result"] != "K" else general

    def entries(self, op, result, general, selects):
        listed = op["list"]
        kind = general if listed["kind"] == "K" else listed["kind"]
        entries = []
        apart = self.random.sample(MODELS[1:], 3)
        for i in range(self.random.randint(2, 3)):
            model = apart[i] if op["name"] in OF_MODELS else self.of_kind(kind, selects, but=result.get("base"))
            if model is None:
                return False
            entry = {"model": model}
            if listed["weighted"]:
                entry["weight"] = self.number("weight", {})
            for parameter in op["parameters"]:
                if parameter["name"] in self.known[op["name"]].by_entry:
                    entry[parameter["name"]] = self.number(parameter["name"], parameter)
            entries.append(entry if len(entry) > 1 else model)
        result[listed["name"]] = entries
        return True

    def parameter(self, op, parameter, taken, result):
        name, kind = parameter["name"], parameter["type"]
        if name not in taken or name in self.known[op].by_entry:
            return
        if name == "seed":
            self.seed += 1
            result["seed"] = self.seed
        elif parameter["required"] or (op, name) in WRITTEN or self.random.random() < 0.5:
            if kind == "number":
                result[name] = self.number(name, parameter, parameter["by_place"], op in OPEN)
            elif kind == "boolean":
                result[name] = self.random.random() < 0.5
            elif kind == "word":
                result[name] = self.random.choice(parameter["words"])

    def number(self, name, parameter, by_place=False, inside=False):
        low, high = RANGES.get(name, (0, 1))
        low, high = max(low, parameter.get("low", low)), min(high, parameter.get("high", high))
        value = low + (high - low) * self.random.randint(1 if inside else 0, 63 if inside else 64) / 64
        if by_place and self.random.random() < 0.2:
            return {"default": value, "/vector/": (low + high) / 2}
        return value


class Evaluation:
    """One recipe in numpy, for one tensor."""

    def __init__(self, known, operators, tensor, arrays):
        self.known, self.tensor = known, tensor
        self.lists = {op["name"]: op["list"]["name"] for op in operators if op.get("list")}
        self.values = {model: array.astype(np.float32) for model, array in arrays.items()}

    def value(self, number):
        if isinstance(number, dict):
            return number["/vector/"] if "vector" in self.tensor else number["default"]
        return number

    def run(self, steps):
        """The last step's result."""
        for name, step in steps.items():
            arguments = {}
            listed = self.lists.get(step["op"])
            for key, value in step.items():
                if key == listed:
                    arguments |= self.entries(key, value)
                elif key == "where" and step["op"] == "within":
                    arguments[key] = value
                elif key != "op":
                    is_model = isinstance(value, str) and value in self.values
                    arguments[key] = self.values[value] if is_model else self.value(value)
            self.operands = [x for value in arguments.values() for x in (value if isinstance(value, list) else [value])
                             if isinstance(x, np.ndarray)]
            with np.errstate(all="ignore"):
                self.values[name] = self.known[step["op"]].compute(self.tensor, arguments).astype(np.float32)
        return self.values[name]

    def entries(self, key, entries):
        result = {key: [self.values[entry["model"] if isinstance(entry, dict) else entry] for entry in entries]}
        for entry in entries:
            for name, number in entry.items() if isinstance(entry, dict) else ():
                if name != "model":
                    result.setdefault("weights" if name == "weight" else name, []).append(self.value(number))
        return result

    def limit(self, result):
        """How far another evaluation may be from it, by its own largest magnitude and by those of the operands that gave it."""
        largest, of_operands = (max(np.abs(x).max() for x in arrays) for arrays in ([result], self.operands))
        return max(1e-6 * largest, HALF_A_BIT * of_operands)


@pytest.fixture(scope="module")
def operators(session_weightsmith):
    known = {**oracles.all_oracles(), "within": WITHIN}
    table = json.loads(session_weightsmith("ops", "--json").stdout)
    return known, [op for op in table if op["name"] in known and op["name"] not in ELSEWHERE]


@pytest.mark.parametrize("batch", range(-(-COUNT // BATCH)))
def test_a_random_recipe_gives_what_numpy_gives(weightsmith, tmp_path, operators, batch):
    known, table = operators
    tensors = models()
    for model, arrays in tensors.items():
        support.write(tmp_path / f"{model}.safetensors", arrays)
    recipes, exact = [], []
    for i in range(BATCH):
        writer = Writer(table, known, SEED * 100000 + batch * BATCH + i)
        recipes.append(writer.recipe())
        exact.append(list(recipes[-1])[-1] in writer.exact)
    steps, outputs = {}, []
    for i, recipe in enumerate(recipes):
        steps |= {f"r{i}{name}": renamed(step, i) for name, step in recipe.items()}
        outputs.append({"model": f"r{i}{list(recipe)[-1]}", "path": f"{i}.safetensors", "dtype": "f32"})
    support.write_recipe(tmp_path / "r.json", {
        "models": {model: f"{model}.safetensors" for model in MODELS}, "steps": steps, "outputs": outputs,
        "policy": {"effect": "any"}})
    weightsmith("merge", "r.json", "--no-sync")
    for i, recipe in enumerate(recipes):
        result = support.read(tmp_path / f"{i}.safetensors").tensors
        for tensor in SHAPES:
            evaluation = Evaluation(known, table, tensor, {model: arrays[tensor] for model, arrays in tensors.items()})
            expected = evaluation.run(recipe)
            what = f"{tensor} of {json.dumps(recipe)}"
            if exact[i]:
                np.testing.assert_array_equal(result[tensor], expected.astype(np.float32), err_msg=what)
            else:
                worst = np.abs(result[tensor] - expected.astype(np.float64)).max()
                assert worst <= evaluation.limit(expected), f"{what}: {worst}"


def renamed(step, i):
    """With the names that its earlier steps have in a file of many recipes."""
    def name(value):
        return f"r{i}{value}" if isinstance(value, str) and value[0] == "s" and value[1:].isdigit() else value

    def entry(value):
        return {**value, "model": name(value["model"])} if isinstance(value, dict) else name(value)

    return {key: value if isinstance(value, dict) or key == "where" else
            [entry(each) for each in value] if isinstance(value, list) else name(value) for key, value in step.items()}
