"""Random steps of random operators over the models of a family, as a recipe has them."""

import random

from random_families import MODELS

# Of those that an oracle computes as the reference page writes it, in f32, these have no last bit of their own.
NOT_EVERY_BIT = {"slerp", "norm_match", "model_stock", "crossover", "noise", "dropout"}

# A last bit may decide there which elements are taken, or a power of what is almost 0 makes it larger: their operands are models and what is exact.
SELECTS = {
    "ties", "breadcrumbs", "breadcrumbs_ties", "sce", "ram", "ramplus_tl", "arcee_fusion", "top_k_tensor_sum", "della",
    "della_linear", "dare_ties", "distribution_crossover", "add_opposite", "pcb", "cabs", "emr", "consensus", "train_difference",
    "multiply_quotient", "cosine_a", "cosine_b", "smooth_add", "karcher", "nuslerp", "slerp", "geometric_median",
    "aoe", "truncate_rank", "extract", "channel_sum", "geometric_sum", "multiply_difference", "euclidean_add_difference", "similarity_add_difference",
}

# What must be written of those, or is computed here.
FIXED = {"cosine_a": {"scope": "tensor"}, "cosine_b": {"scope": "tensor"}}
WRITTEN = {("truncate_rank", "ratio")}

# Their directions are known where no model is a sum of others: lists are of models alone, each once.
OF_MODELS = {"tsv_merge", "iso_c", "iso_cts", "star", "core_space", "svc", "rotate"}

# What a declaration does not tell of the ranges in which a result is well conditioned.
RANGES = {"alpha": (0, 1), "beta": (0, 1), "gamma": (0, 0.1), "lambda": (0.2, 1.5), "factor": (-2, 2), "density": (0.3, 0.75),
          "weight": (0.2, 1), "epsilon": (0.05, 0.2), "t": (0, 0.2), "low": (-1, -0.2), "high": (0.2, 1), "strength": (0, 0.5),
          "scale": (-2, 2), "middle": (-1, 1), "threshold": (0, 0.4), "common": (0.2, 1), "share": (0.1, 0.9), "width": (0, 1), "offset": (0, 1), "select": (0.2, 1), "probability": (0.1, 0.9), "rescale": (0, 1)}
RANGES |= {name: (-5, 5) for name in ("detail_in", "detail_out", "detail_last", "contrast", "brightness", "red", "green", "blue")}

# They read more of a model than one tensor, and take no step.
WHOLE_MODELS = {"ema", "rebasin", "align_attention"}

# They do not read every tensor of their operands: one that chooses tensors itself may be left with none, which is an error.
MAY_NOT_READ = {"within", "fallback"}

# At the ends of its alpha a model is the result, which the formula that the oracle has does not say.
OPEN = {"crossover"}

class Writer:
    """Writes random steps, each over models and earlier steps."""

    def __init__(self, family, operators, known, seed):
        self.random = random.Random(seed)
        self.family, self.known = family, known
        self.operators = [op for op in operators if op["name"] in known and op["name"] not in family.left_out]
        self.seed = 100 * seed

    def recipe(self):
        """Steps by name, in order; the last one is a weight."""
        self.kinds = {model: "weight" for model in MODELS}
        self.exact = set(MODELS)
        self.choosy = set()
        steps = {}
        for i in range(self.random.randint(1, 4)):
            name = f"s{i}"
            step, kind = self.step(self.random.choice(self.fitting()))
            if step is None:
                continue
            steps[name] = step
            self.kinds[name] = kind
            used = [value for value in self.names(step) if value in self.kinds]
            if step["op"] in ("within", "bake") or self.choosy & set(used):
                self.choosy.add(name)
            if self.is_exact(step) and all(value in self.exact for value in used):
                self.exact.add(name)
        if self.family.layers and self.random.random() < 0.5:
            steps["stack"] = self.stack()
            if all(model in self.exact for model in self.names(steps["stack"]) if model in self.kinds):
                self.exact.add("stack")
            return steps
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
        """Operators; the family's own as often as all others together, and those of differences once there is one."""
        if self.family.own and self.random.random() < 0.5:
            return [op for op in self.operators if op["name"] in self.family.own]
        if "delta" not in self.kinds.values() or self.random.random() < 0.5:
            return self.operators
        return [op for op in self.operators if any(operand["kind"] == "delta" for operand in op["operands"])]

    def is_exact(self, step):
        """A factor that comes of a sum over the tensor may have another last bit."""
        op = step["op"]
        if op == "bake":
            return {adapter_of(entry)[0] for entry in step["adapters"]} <= self.family.exact_adapters
        return self.known[op].every_bit and op not in NOT_EVERY_BIT and step.get("rescale") != "l1"

    def names(self, step):
        for value in step.values():
            if isinstance(value, str):
                yield value
            elif isinstance(value, list):
                yield from (entry.get("model") if isinstance(entry, dict) else entry for entry in value)

    def of_kind(self, kind, selects, but=None, without=()):
        fit = [name for name, its in self.kinds.items()
               if its == kind and name not in (but, *without) and (not selects or name in self.exact)]
        if not fit:
            return None
        return fit[-1] if self.random.random() < 0.4 else self.random.choice(fit)  # mostly goes on with what there is

    def step(self, op):
        if op["name"] in WHOLE_MODELS:
            return self.of_whole_models(op), "weight"
        if op["name"] == "bake":
            return {"op": "bake", "model": self.of_kind("weight", False), "adapters": self.adapters()}, "weight"
        if op["name"] == "stack":
            return self.stack(), "stack"
        taken = self.known[op["name"]].keys
        result = {"op": op["name"]}
        general = "delta" if self.random.random() < 0.3 and "delta" in self.kinds.values() else "weight"
        if op["name"] == "rotate":  # differences may be half a circle apart
            general = "weight"
        selects = op["name"] in SELECTS
        unread = self.choosy if op["name"] in MAY_NOT_READ else ()
        for operand in op["operands"]:
            if not operand.get("required", True) and (operand["name"] not in taken or self.random.random() < 0.5):
                continue
            kind = general if operand["kind"] == "K" else operand["kind"]
            chosen = "base" if operand["name"] == "base" and kind == "weight" else self.of_kind(kind, selects, without=unread)
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
            result["where"] = self.random.choice(self.family.selections)[0]
        if op["name"] == "clamp" and not {"low", "high", "to"} & result.keys():
            result["low"] = -0.5
        if op["name"] == "clamp" and "to" in result:
            result = {key: value for key, value in result.items() if key not in ("low", "high")}
        if op["name"] == "adjust" and len(result) == 2:
            result["contrast"] = 1.5
        return result, op["result"] if op["result"] != "K" else general

    def of_whole_models(self, op):
        result = {"op": op["name"]} | dict(zip([operand["name"] for operand in op["operands"]], self.random.sample(MODELS, 2)))
        if op["name"] == "ema":
            return result | {"alpha": self.number("alpha", {}, by_place=True)}
        needed = op["name"] == "align_attention" or self.random.random() < 0.75
        return result | self.random.choice(self.family.heads) if needed else result

    def adapters(self):
        """Entries, in each form that one may have."""
        entries = []
        for name in self.random.sample(sorted(self.family.adapters), self.random.randint(1, 2)):
            strength = self.number("strength", {}, by_place=True)
            short = name if self.random.random() < 0.25 else f"{name}:{strength}" if not isinstance(strength, dict) else None
            entries.append(short if short and self.random.random() < 0.5 else {"use": name, "strength": strength})
        return entries

    def stack(self):
        """Of models, and of steps that are none; and of those."""
        result = {"op": "stack", "of": []}
        for _ in range(self.random.randint(1, 3)):
            kind = "stack" if "stack" in self.kinds.values() and self.random.random() < 0.3 else "weight"
            entry = {"model": self.of_kind(kind, False)}
            first, last = sorted(self.random.choices(range(self.family.layers), k=2)) if kind == "weight" else (0, 0)
            if self.random.random() < 0.7:
                entry["layers"] = f"{first}-{last}" if first < last or self.random.random() < 0.5 else first
            if kind == "weight" and self.random.random() < 0.4:
                entry["scale"] = self.number("scale", {}, by_place=True)
            result["of"].append(entry if len(entry) > 1 else entry["model"])
        for operand in ("embed", "head"):
            if self.random.random() < 0.3:
                result[operand] = self.of_kind("weight", False)
        return result

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
            return {"default": value, f"/{self.family.place}/": (low + high) / 2}
        return value


def adapter_of(entry):
    """Its name and its strength, of any form."""
    if isinstance(entry, dict):
        return entry["use"], entry["strength"]
    name, _, strength = entry.partition(":")
    return name, float(strength or 1)


def renamed(step, i):
    """With the names that its earlier steps have in a file of many recipes."""
    def name(value):
        return f"r{i}{value}" if isinstance(value, str) and value[0] == "s" and value[1:].isdigit() else value

    def entry(value):
        return {**value, "model": name(value["model"])} if isinstance(value, dict) and "model" in value else name(value)

    return {key: value if isinstance(value, dict) or key == "where" else
            [entry(each) for each in value] if isinstance(value, list) else name(value) for key, value in step.items()}
