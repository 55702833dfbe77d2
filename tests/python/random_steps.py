"""Random steps of random operators over the models of a family, as a recipe has them."""

import random

from random_families import MODELS
from random_oracles import is_of_whole_models

# Of those that an oracle computes as the reference page writes it, in f32, these have no last bit of their own.
NOT_EVERY_BIT = {"sce", "slerp", "norm_match", "model_stock", "crossover", "noise", "dropout"}

# A last bit may decide there which elements are taken, or a power of what is almost 0 makes it larger: their operands are models and what is exact.
SELECTS = {
    "ties", "breadcrumbs", "breadcrumbs_ties", "sce", "ram", "ramplus_tl", "arcee_fusion", "top_k_tensor_sum", "della",
    "della_linear", "dare_ties", "distribution_crossover", "add_opposite", "pcb", "cabs", "emr", "consensus", "train_difference",
    "multiply_quotient", "cosine_a", "cosine_b", "smooth_add", "karcher", "nuslerp", "slerp", "geometric_median",
    "aoe", "truncate_rank", "extract", "channel_sum", "geometric_sum", "multiply_difference", "euclidean_add_difference", "similarity_add_difference",
}

# Their directions are known where no model is a sum of others: lists are of models alone, each once.
OF_MODELS = {"tsv_merge", "iso_c", "iso_cts", "star", "core_space", "svc", "rotate"}

# What a declaration does not tell of the ranges in which a result is well conditioned.
RANGES = {"alpha": (0, 1), "beta": (0, 1), "gamma": (0, 0.1), "lambda": (0.2, 1.5), "factor": (-2, 2), "density": (0.3, 0.75),
          "weight": (0.2, 1), "epsilon": (0.05, 0.2), "t": (0, 0.2), "low": (-1, -0.2), "high": (0.2, 1), "strength": (0, 0.5),
          "scale": (-2, 2), "middle": (-1, 1), "threshold": (0, 0.4), "common": (0.2, 1), "share": (0.1, 0.9), "width": (0, 1), "offset": (0, 1), "select": (0.2, 1), "probability": (0.1, 0.9), "rescale": (0, 1)}
RANGES |= {name: (-5, 5) for name in ("detail_in", "detail_out", "detail_last", "contrast", "brightness", "red", "green", "blue")}

# Of one operator alone; rows by place may be the middle. No radius of a frequency is what is drawn here: a last bit would decide.
OF_ONE = {("crossover", "alpha"): (0.0117, 0.9871), ("frequency", "from"): (0.111, 0.397), ("frequency", "to"): (0.411, 0.897),
          ("consensus", "threshold"): (0.2, 0.6), ("karcher", "tolerance"): (1e-6, 1e-3), ("passthrough", "scale"): (-2, 1.5),
          ("scale", "factor"): (-2, 1.5)}

# What must be written: with the density that it has by itself few elements are left, and shares of almost the same scores have few digits.
WRITTEN = {("pcb", "density")}

# Whole numbers, up to this or as many as there are models in the list.
WHOLE = {"rank": 8, "iterations": 12, "least": None, "task": None}

# Of these a step has one.
EITHER = {("truncate_rank", "rank"): "ratio", ("truncate_rank", "ratio"): "rank", ("clamp", "to"): ("low", "high"),
          ("clamp", "low"): ("to", "stiffness"), ("clamp", "high"): ("to", "stiffness"), ("clamp", "stiffness"): ("low", "high")}

# They read more of a model than one tensor, and take no step.
WHOLE_MODELS = {"ema", "rebasin", "align_attention"}

# They do not read every tensor of their operands: one that chooses tensors itself may be left with none, which is an error.
MAY_NOT_READ = {"within", "fallback"}

# Where many columns of two operands are the same, a last bit decides which are the outermost: of two models none are.
OF_TWO_MODELS = {"cosine_a", "cosine_b"}

# A logarithm in f32 of what is almost 1 has few digits, and they count where a large element is turned by half a circle: where models
# that were trained apart have other signs.
OF_QUOTIENTS = {"multiply_quotient"}

# At the ends of its alpha a model is the result, which the formula that the oracle has does not say.
OPEN = {"crossover"}


class Writer:
    """Writes random steps, each over models and earlier steps."""

    def __init__(self, family, operators, known, seed):
        self.random = random.Random(seed)
        self.family, self.known = family, known
        self.operators = [op for op in operators if op["name"] in known and op["name"] not in family.left_out]
        self.seed, self.seeds = 100 * seed, []

    def recipe(self):
        """Steps by name, in order; the last one is a weight."""
        steps = self.begun()
        for i in range(self.random.randint(1, 4)):
            self.add(steps, f"s{i}", *self.step(self.random.choice(self.fitting())))
            if any(is_of_whole_models(step) for step in steps.values()):
                break  # what follows it may not need every tensor of it
        if self.family.layers and self.random.random() < 0.5:
            self.add(steps, "stack", self.stack(), "stack")
            return steps
        return self.ended(steps)

    def recipe_of(self, op, choice):
        """One step that has this choice of the operator, and what it needs."""
        steps = self.begun()
        if any(operand["kind"] == "delta" for operand in op["operands"]):
            self.add(steps, "s0", {"op": "subtract", "a": "a", "b": "b"}, "delta")
        if choice == ("seed_shared", True):
            self.add(steps, "s0", *self.step(op, ("seed_shared", False)))
        self.add(steps, "s1", *self.step(op, choice))
        return steps if op["name"] == "stack" else self.ended(steps)

    def begun(self):
        self.kinds = {model: "weight" for model in MODELS}
        self.exact = set(MODELS)
        self.choosy = set()
        return {}

    def add(self, steps, name, step, kind):
        if step is None:
            return
        steps[name] = step
        self.kinds[name] = kind
        used = [value for value in self.names(step) if value in self.kinds]
        if step["op"] in ("within", "bake") or self.choosy & set(used):
            self.choosy.add(name)
        if (step["op"] == "stack" or self.is_exact(step)) and all(value in self.exact for value in used):
            self.exact.add(name)

    def ended(self, steps):
        last = list(steps)[-1] if steps else "a"
        if self.kinds[last] == "delta":
            self.add(steps, "end", {"op": "add", "a": "base", "b": last, "alpha": 1.0}, "weight")
        elif not steps:
            self.add(steps, "end", {"op": "copy", "a": "a"}, "weight")
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
        if op == "ties" and step.get("combine", "mean") != "mean" or op == "emr" and "task" in step:
            return False
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

    def step(self, op, choice=None):
        """A step of the operator and its kind; with one of choices_of as it is asked for."""
        if op["name"] in WHOLE_MODELS:
            return self.of_whole_models(op, choice), "weight"
        if op["name"] == "bake":
            return {"op": "bake", "model": self.of_kind("weight", False), "adapters": self.adapters(choice)}, "weight"
        if op["name"] == "stack":
            return self.stack(choice), "stack"
        result = {"op": op["name"]}
        general = "delta" if self.random.random() < 0.3 and "delta" in self.kinds.values() and not choice else "weight"
        if op["name"] in ("rotate", *OF_TWO_MODELS):  # differences may be half a circle apart
            general = "weight"
        selects = op["name"] in SELECTS
        unread = self.choosy if op["name"] in MAY_NOT_READ else ()
        for operand in op["operands"]:
            if not operand.get("required", True) and choice != (operand["name"], "given") and self.random.random() < 0.5:
                continue
            kind = general if operand["kind"] == "K" else operand["kind"]
            chosen = "base" if operand["name"] == "base" and kind == "weight" else self.of_kind(kind, selects, without=unread)
            if op["name"] in OF_TWO_MODELS and kind == "weight":
                chosen = self.random.choice([model for model in MODELS if model != result.get("a")])
            if op["name"] in ("rotate", "svc") and operand["name"] != "base":
                chosen = self.random.choice(MODELS)
            if op["name"] in OF_QUOTIENTS and self.family.apart:
                chosen = self.random.choice([model for model in MODELS if model not in self.family.apart])
            if chosen is None:
                return None, None
            result[operand["name"]] = chosen
        drawn = self.drawn(op, choice, general if op["result"] == "K" else op["result"])
        if op.get("list") and (op["list"]["required"] or op["list"]["name"] in drawn):
            if not self.entries(op, result, general, selects, drawn):
                return None, None
        for parameter in op["parameters"]:
            self.parameter(op["name"], parameter, drawn, result)
        if op["name"] == "within":
            where = choice[1] if choice else self.random.randrange(len(self.family.selections))
            result["where"] = self.family.selections[where][0]
        return result, op["result"] if op["result"] != "K" else general

    def drawn(self, op, choice, kind):
        """Which of the operator's parameters a step has, and how each is written: name -> one of its choices."""
        result, rows = {}, kind == "weight" or not self.family.vae  # a difference with rows has no VAE
        for parameter in op["parameters"]:
            name, ways = parameter["name"], ways_of(parameter, rows, self.family)
            must = parameter["required"] or name == "seed" or (op["name"], name) in self.family.written | WRITTEN
            if ways and (must or self.random.random() < 0.5):
                result[name] = self.random.choice(ways)
        if op.get("list") and not op["list"]["required"] and self.random.random() < 0.5:
            result[op["list"]["name"]] = "given"
        if choice:
            result |= [choice] if choice[1] != "given" or choice[0] == "to" else []
        return self.agreed(op, result, choice)

    def agreed(self, op, drawn, choice):
        """Without what contradicts the choice, or another parameter; and with what it needs."""
        first = choice[0] if choice else None
        for name in sorted(drawn, key=lambda name: (name != first, self.random.random())):
            others = EITHER.get((op["name"], name), ()) if name in drawn else ()
            for other in (others,) if isinstance(others, str) else others:
                drawn.pop(other, None)
        if op["name"] == "clamp" and not {"low", "high", "to"} & drawn.keys():
            drawn["to" if "stiffness" in drawn else "low"] = "given" if "stiffness" in drawn else "number"
        if op["name"] == "truncate_rank" and not {"rank", "ratio"} & drawn.keys():
            drawn["ratio"] = "number"
        if op["name"] == "emr" and "scale" in drawn:
            drawn["task"] = "number"
        if op["name"] == "adjust" and not drawn.keys() - {"vae"}:
            drawn["contrast"] = "number"
        if self.family.layers and op["name"] in ("cosine_a", "cosine_b"):  # a stack may leave some of its tensors out
            drawn["scope"] = "tensor"
        if self.family.layers and drawn.get("scale") in ("model", "means"):
            drawn["scale"] = "tensor"
        return drawn

    def of_whole_models(self, op, choice):
        result = {"op": op["name"]} | dict(zip([operand["name"] for operand in op["operands"]], self.random.sample(MODELS, 2)))
        if op["name"] == "ema":
            way = choice[1] if choice else self.random.choice(["number", "place"])
            return result | {"alpha": self.number("ema", {"name": "alpha"}, way)}
        needed = op["name"] == "align_attention" or choice or self.random.random() < 0.75
        fit = [heads for heads in self.family.heads if not choice or choice in choices_in(heads)]
        return result | self.random.choice(fit) if needed else result

    def strength(self):
        return self.number("bake", {"name": "strength"}, "place" if self.random.random() < 0.2 else "number")

    def adapters(self, choice):
        """Entries, in each form that one may have."""
        entries = []
        names = self.random.sample(sorted(self.family.adapters), self.random.randint(1, 2))
        for name in [choice[1]] if choice else names:
            strength = self.strength()
            short = name if self.random.random() < 0.25 else f"{name}:{strength}" if not isinstance(strength, dict) else None
            entries.append(short if short and self.random.random() < 0.5 else {"use": name, "strength": strength})
        return entries

    def stack(self, choice=None):
        """Of models, and of steps that are none; and of those."""
        result = {"op": "stack", "of": []}
        for _ in range(self.random.randint(1, 3)):
            kind = "stack" if "stack" in self.kinds.values() and self.random.random() < 0.3 else "weight"
            entry = {"model": self.of_kind(kind, False)}
            first, last = sorted(self.random.choices(range(self.family.layers), k=2)) if kind == "weight" else (0, 0)
            if self.random.random() < 0.7:
                entry["layers"] = f"{first}-{last}" if first < last or self.random.random() < 0.5 else first
            if kind == "weight" and self.random.random() < 0.4:
                entry["scale"] = self.number("stack", {"name": "scale"}, "place" if self.random.random() < 0.2 else "number")
            result["of"].append(entry if len(entry) > 1 else entry["model"])
        for operand in ("embed", "head"):
            if self.random.random() < 0.3 or choice == (operand, "given"):
                result[operand] = self.of_kind("weight", False)
        return result

    def entries(self, op, result, general, selects, drawn):
        """The list; a parameter that entries write themselves may be written for the others as well."""
        listed = op["list"]
        kind = general if listed["kind"] == "K" else listed["kind"]
        own = {parameter["name"]: parameter for parameter in op["parameters"] if drawn.get(parameter["name"]) == "entry"}
        entries = []
        apart = self.random.sample(MODELS[1:], 3)
        rows = kind == "weight" or not self.family.vae
        for i in range(self.random.randint(2, 3)):
            model = apart[i] if op["name"] in OF_MODELS else self.of_kind(kind, selects, but=result.get("base"))
            if model is None:
                return False
            entry = {"model": model}
            if listed["weighted"]:
                entry["weight"] = self.number(op["name"], {"name": "weight"}, "place" if rows and self.random.random() < 0.2 else "number")
            for name, parameter in own.items():
                if i == 0 or self.random.random() < 0.7:
                    entry[name] = self.number(op["name"], parameter, self.random.choice(["number", "number", "place"]))
            entries.append(entry if len(entry) > 1 else model)
        result[listed["name"]] = entries
        return True

    def parameter(self, op, parameter, drawn, result):
        name, way = parameter["name"], drawn.get(parameter["name"])
        if name == "seed":
            shared = drawn.get("seed_shared") is True and self.seeds
            self.seeds.append(self.random.choice(self.seeds) if shared else self.seed + len(self.seeds) + 1)
            result["seed"] = self.seeds[-1]
        elif way in ("number", "place"):
            result[name] = self.number(op, parameter, way, len(result.get("of", ())))
        elif way == "entry" and self.random.random() < 0.5:
            result[name] = self.number(op, parameter, "number")
        elif way not in (None, "entry"):
            result[name] = way

    def number(self, op, parameter, way, listed=0):
        """A number, or one of each place."""
        name = parameter["name"]
        if name == "group":
            return 2 ** self.random.randint(1, 9)
        low, high = OF_ONE.get((op, name)) or RANGES.get(name, (0, 1))
        low, high = max(low, parameter.get("low", low)), min(high, parameter.get("high", high))
        inside = op in OPEN

        def draw():
            if name in WHOLE:
                return self.random.randint(1, WHOLE[name] or listed)
            return low + (high - low) * self.random.randint(inside, 64 - inside) / 64

        if way == "number":
            return draw()
        rows = [f"/{self.family.place}/", *{name for names in self.family.components.values() for name in names}]
        row = self.random.choice([rows[0], *sorted(rows)])
        middle = draw() if name in WHOLE else (low + high) / 2
        return {"default": draw(), row: middle}


def ways_of(parameter, rows, family):
    """How a parameter may be written: a number by itself, by place (in `rows`), or of an entry; a word; whether."""
    if parameter["name"] == "vae" and not family.vae:
        return []
    if parameter["type"] == "number":
        return ["number", *(["place"] if parameter["by_place"] and rows else []), *(["entry"] if parameter["by_entry"] else [])]
    return {"word": parameter.get("words"), "boolean": [False, True], "seed": ["seed"]}[parameter["type"]]


def choices_of(op, family):
    """All that a step of the operator may say in one way or another: (name, way)."""
    result = [(parameter["name"], way) for parameter in op["parameters"] for way in ways_of(parameter, True, family)]
    result += [(operand["name"], "given") for operand in op["operands"] if not operand.get("required", True)]
    if op.get("list") and not op["list"]["required"]:
        result.append((op["list"]["name"], "given"))
    if op["name"] == "bake":
        result += [("adapters", name) for name in family.adapters]
    if op["name"] == "within":
        result += [("where", i) for i in range(len(family.selections))]
    if family.layers:
        result = [choice for choice in result if choice[1] not in ("model", "means")]
    return result or [None]


def choices_in(step, family=None):
    """Those that it says."""
    for name, value in step.items():
        if name == "where" and isinstance(value, (dict, list)):
            yield from ((name, i) for i, (where, _) in enumerate(family.selections) if where == value)
        elif isinstance(value, list):
            yield name, "given"
            entries = [entry for entry in value if isinstance(entry, dict)]
            yield from ((key, "entry") for entry in entries for key in entry)
            yield from ((name, adapter_of(entry)[0]) for entry in value if name == "adapters")
        else:
            way = "place" if isinstance(value, dict) else "number" if isinstance(value, (int, float)) else None
            yield from ((name, each) for each in ("given", "seed", way if not isinstance(value, bool) else None,
                                                  value if isinstance(value, (bool, str)) else None) if each is not None)


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
