"""Random recipes in numpy, tensor by tensor, by the oracles of this folder."""

import functools
import re

import numpy as np

import oracle_blocks
import oracles
from random_families import TEXT
from random_steps import WHOLE_MODELS, adapter_of

HALF_A_BIT = 2.0**-24  # of a number in f32, relative to it


def of_blocks(function, *keys):
    return oracles.Oracle(set(keys), set(), True, function)


def known_of(family):
    """Operator -> Oracle, with those that are a matter of the family's models."""
    def within(tensor, arguments):
        selects = next(selects for where, selects in family.selections if where == arguments["where"])
        return arguments["apply" if selects(tensor, arguments["apply"]) else "model"]

    def heads_of(function):
        return lambda tensor, arguments: function(tensor, **{key: int(x) if "head" in key else x for key, x in arguments.items()})

    return {
        **oracles.all_oracles(),
        "within": of_blocks(within, "model", "apply"),
        "ema": of_blocks(lambda tensor, arguments: oracle_blocks.ema(tensor, **arguments), "a", "alpha"),
        "rebasin": of_blocks(heads_of(oracle_blocks.rebasin), "a", "b", "heads", "head_size"),
        "align_attention": oracles.Oracle({"a", "b", "heads", "head_size"}, set(), False, heads_of(oracle_blocks.align_attention)),
        "adjust": of_blocks(lambda tensor, arguments: oracle_blocks.adjust(tensor, **arguments), "a", *oracle_blocks.TONES,
                            *oracle_blocks.DETAILS.values()),
        "bake": of_blocks(lambda tensor, arguments: oracle_blocks.bake(tensor, **arguments), "model", "adapters"),
        "stack": of_blocks(None, "of", "embed", "head"),
    }


class Evaluation:
    """The steps of one recipe that are no stacks, for one tensor."""

    def __init__(self, family, known, operators, models, tensor, steps):
        self.family, self.known, self.tensor, self.models = family, known, tensor, models
        self.lists = {op["name"]: op["list"]["name"] for op in operators if op.get("list")}
        self.values = {model: tensors[tensor] for model, tensors in models.items()}
        self.operands = {model: [array] for model, array in self.values.items()}
        for name, step in steps.items():
            if step["op"] != "stack":
                arguments = self.arguments(step)
                self.operands[name] = [array for value in arguments.values() for array in self.arrays(value)]
                with np.errstate(all="ignore"):
                    self.values[name] = self.known[step["op"]].compute(self.tensor, arguments).astype(np.float32)

    def arguments(self, step):
        result, listed = {}, self.lists.get(step["op"])
        for key, value in step.items():
            if key == "adapters":
                result |= self.adapters(value)
            elif key == listed:
                result |= self.entries(key, value)
            elif key == "where" and step["op"] == "within":
                result[key] = value
            elif key != "op":
                is_model = isinstance(value, str) and value in self.values
                values = self.models if step["op"] in WHOLE_MODELS else self.values
                result[key] = values[value] if is_model else self.number(value)
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
        return written["te" if "te" in written and self.tensor.startswith(TEXT) else "default"]

    def entries(self, key, entries):
        result = {key: [self.values[entry["model"] if isinstance(entry, dict) else entry] for entry in entries]}
        for entry in entries:
            for name, number in entry.items() if isinstance(entry, dict) else ():
                if name != "model":
                    result.setdefault("weights" if name == "weight" else name, []).append(self.number(number))
        return result

    def adapters(self, entries):
        """Those that have the tensor."""
        result = {"deltas": [], "strengths": []}
        for name, strength in map(adapter_of, entries):
            _, adds = self.family.adapters[name]
            if self.tensor in adds:
                result["deltas"].append(adds[self.tensor])
                result["strengths"].append(self.number(strength))
        return result


class Recipe:
    """What the steps of one recipe give."""

    def __init__(self, family, known, operators, models, steps):
        self.family, self.models, self.steps = family, models, steps
        self.of_tensor = functools.cache(lambda tensor: Evaluation(family, known, operators, models, tensor, steps))

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
            result = there.values[name]
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
