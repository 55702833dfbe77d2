"""Random recipes in numpy, tensor by tensor, by the oracles of this folder."""

import functools
import re

import numpy as np

import oracle_blocks
import oracles
import random_oracles
from random_steps import WHOLE_MODELS, adapter_of

HALF_A_BIT = 2.0**-24  # of a number in f32, relative to it


def of_blocks(function, *keys):
    return oracles.Oracle(set(keys), set(), True, function)


def known_of(family, operators):
    """Operator -> Oracle, with those that are a matter of the family's models."""
    def within(tensor, arguments):
        selects = next(selects for where, selects in family.selections if where == arguments["where"])
        return arguments["apply" if selects(tensor, arguments["apply"]) else "model"]

    def heads_of(function):
        return lambda tensor, arguments: function(tensor, **{key: int(x) if "head" in key else x for key, x in arguments.items()})

    return {
        **random_oracles.all_oracles(operators),
        "within": of_blocks(within, "model", "apply"),
        "ema": of_blocks(lambda tensor, arguments: oracle_blocks.ema(tensor, **arguments), "a", "alpha"),
        "rebasin": of_blocks(heads_of(oracle_blocks.rebasin), "a", "b", "heads", "head_size"),
        "align_attention": oracles.Oracle({"a", "b", "heads", "head_size"}, set(), False, heads_of(oracle_blocks.align_attention)),
        "adjust": of_blocks(lambda tensor, arguments: oracle_blocks.adjust(tensor, tones=family.tones, **arguments), "a",
                            *oracle_blocks.TONES, *oracle_blocks.DETAILS.values()),
        "bake": of_blocks(lambda tensor, arguments: oracle_blocks.bake(tensor, **arguments), "model", "adapters"),
        "stack": of_blocks(None, "of", "embed", "head"),
    }


class Evaluation:
    """The steps of one recipe that are no stacks, for one tensor; `elsewhere` gives that of another."""

    def __init__(self, family, known, operators, models, tensor, steps, elsewhere):
        self.family, self.known, self.tensor, self.models = family, known, tensor, models
        self.operators = {op["name"]: op for op in operators}
        self.steps, self.elsewhere = steps, elsewhere
        self.copied = bool(family.vae) and tensor.startswith(family.vae)  # unless a step says otherwise
        self.values = {model: tensors[tensor] for model, tensors in models.items()}
        self.operands = {model: [array] for model, array in self.values.items()}

    def value(self, name):
        if name not in self.values:
            step = self.steps[name]
            if self.leaves(name):
                self.values[name] = self.value(self.leftmost(step))
                self.operands[name] = [self.values[name]]
            else:
                arguments = self.arguments(step)
                self.operands[name] = [array for value in arguments.values() for array in self.arrays(value)]
                with np.errstate(all="ignore"):
                    self.values[name] = self.computed(name, step, arguments).astype(np.float32)
        return self.values[name]

    def computed(self, name, step, arguments):
        if not random_oracles.is_of_whole_models(step):
            return self.known[step["op"]].compute(self.tensor, arguments)
        others = {tensor: self.elsewhere(tensor) for tensor in self.family.tensors}
        every = {tensor: other.arguments(step) for tensor, other in others.items() if not other.leaves(name)}
        return random_oracles.compute_of_whole(step["op"], self.tensor, every)

    def leaves(self, name):
        """Whether a step leaves the tensor as the leftmost model has it: a VAE that nothing of the step names."""
        step = self.steps[name]
        if not self.copied or step["op"] == "within" or step.get("vae") or self.kind(name) == "delta":
            return False
        entries = [value for key, value in step.items() if isinstance(value, list) for value in value if isinstance(value, dict)]
        rows = [value for each in (step, *entries) for value in each.values() if isinstance(value, dict)]
        if any("vae" in row for row in rows):
            return False
        return step["op"] != "clamp" or self.leaf(step["a"]) is not None

    def leaf(self, name):
        """The model whose tensor this is, where nothing was computed."""
        if name in self.models:
            return name
        step = self.steps[name]
        if step["op"] == "within":
            return self.leaf(step["model"])
        return self.leaf(self.leftmost(step)) if self.leaves(name) else None

    def leftmost(self, step):
        """Its first operand that is a model."""
        op = self.operators[step["op"]]
        named = [step[operand["name"]] for operand in op["operands"] if operand["name"] in step]
        listed = step.get(op["list"]["name"], []) if op.get("list") else []
        named += [entry["model"] if isinstance(entry, dict) else entry for entry in listed] if not named else []
        return next(name for name in named if self.kind(name) == "weight")

    def kind(self, name):
        if name in self.models:
            return "weight"
        step, op = self.steps[name], self.operators[self.steps[name]["op"]]
        if op["result"] != "K":
            return op["result"]
        named = [step[operand["name"]] for operand in op["operands"] if operand["kind"] == "K" and operand["name"] in step]
        first = named[0] if named else step[op["list"]["name"]][0]
        return self.kind(first["model"] if isinstance(first, dict) else first)

    def arguments(self, step):
        op = self.operators[step["op"]]
        listed = (op.get("list") or {}).get("name")
        by_entry = {parameter["name"]: parameter for parameter in op["parameters"]
                    if parameter["name"] in self.known[step["op"]].by_entry}
        result = {}
        for key, value in step.items():
            if key == "adapters":
                result |= self.adapters(value, self.value(step["model"]))
            elif key == listed:
                result |= self.entries(key, value)
                result |= {name: [self.number(entry.get(name, step.get(name, its["default"])) if isinstance(entry, dict)
                                              else step.get(name, its["default"])) for entry in value]
                           for name, its in by_entry.items()}
            elif key == "where" and step["op"] == "within":
                result[key] = value
            elif key not in ("op", *by_entry, *random_oracles.SAY_NOTHING):
                is_model = isinstance(value, str) and (value in self.models or value in self.steps)
                of_model = self.models.get if step["op"] in WHOLE_MODELS else self.value
                result[key] = of_model(value) if is_model else self.number(value)
        return result

    def arrays(self, argument):
        """What of it takes part in this tensor."""
        if isinstance(argument, dict) and self.tensor in argument:
            return [argument[self.tensor]]
        return [x for x in (argument if isinstance(argument, list) else [argument]) if isinstance(x, np.ndarray)]

    def number(self, written):
        """That of the tensor's place; what is written of a name goes before components."""
        if not isinstance(written, dict):
            return written
        for place, value in written.items():
            if place.startswith("/") and place.strip("/") in self.tensor:
                return value
        for component in self.family.components_of(self.tensor):
            if component in written:
                return written[component]
        return written["default"]

    def entries(self, key, entries):
        """Models, and weights where they have some."""
        result = {key: [self.value(entry["model"] if isinstance(entry, dict) else entry) for entry in entries]}
        weights = [self.number(entry["weight"]) for entry in entries if isinstance(entry, dict) and "weight" in entry]
        return result | ({"weights": weights} if weights else {})

    def adapters(self, entries, weight):
        """Those that have the tensor; what they add to a weight."""
        result = {"deltas": [], "strengths": []}
        for name, strength in map(adapter_of, entries):
            _, adds = self.family.adapters[name]
            if self.tensor in adds:
                added = adds[self.tensor]
                result["deltas"].append(added(weight) if callable(added) else added)
                result["strengths"].append(self.number(strength))
        return result


class Recipe:
    """What the steps of one recipe give."""

    def __init__(self, family, known, operators, models, steps):
        self.family, self.models, self.steps = family, models, steps
        self.of_tensor = functools.cache(lambda tensor: Evaluation(family, known, operators, models, tensor, steps, self.of_tensor))

    def tensors(self, name):
        """Names of what a step gives."""
        if self.steps[name]["op"] != "stack":
            return self.family.tensors
        layer = re.compile(r"model\.layers\.(\d+)\.")
        rest = [each for each in self.family.tensors if not layer.match(each)]
        first = [each.removeprefix("model.layers.0.") for each in self.family.tensors if each.startswith("model.layers.0.")]
        return rest + [f"model.layers.{i}.{rest_of_name}" for i in range(len(self.layers(name))) for rest_of_name in first]

    def layers(self, name):
        """Of a stack or of another step: where each comes from, as (step, number there, scale)."""
        step = self.steps.get(name, {})
        if step.get("op") != "stack":
            return [(name, number, 1.0) for number in range(self.family.layers)]
        result = []
        for entry in step["of"]:
            entry = entry if isinstance(entry, dict) else {"model": entry}
            first, _, last = str(entry.get("layers", f"0-{len(self.layers(entry['model'])) - 1}")).partition("-")
            result += [(entry["model"], number, entry.get("scale", 1.0)) for number in range(int(first), int(last or first) + 1)]
        return result

    def compute(self, tensor, name):
        """A tensor of a step, and how far another evaluation may be from it: by its own largest magnitude and by those of the
        operands that gave it."""
        step = self.steps.get(name, {})
        if step.get("op") != "stack":
            there = self.of_tensor(tensor)
            result = there.value(name)
            largest, of_operands = (max(np.abs(x).max() for x in arrays) for arrays in ([result], there.operands[name]))
            return result, max(1e-6 * largest, HALF_A_BIT * of_operands)
        found = re.match(r"model\.layers\.(\d+)\.(.+)", tensor)
        if not found:
            entries = [entry["model"] if isinstance(entry, dict) else entry for entry in step["of"]]
            is_head = tensor in ("model.norm.weight", "lm_head.weight")
            return self.compute(tensor, step.get("head", entries[-1]) if is_head else step.get("embed", entries[0]))
        source, number, scale = self.layers(name)[int(found[1])]
        there = f"model.layers.{number}.{found[2]}"
        result, limit = self.compute(there, source)
        if isinstance(scale, dict):
            scale = next((value for place, value in scale.items() if place.strip("/") in there), scale["default"])
        return np.float32(scale) * result, abs(scale) * limit
