"""A second, small reading of recipes: from the recipe as data and constant parents to the value of
every tensor of every output. Shares no code with the program; knows only what the corpus uses."""

import re

import numpy as np
import yaml

import oracle

# Component of a key, by architecture: (prefix, component, which text encoder).
PREFIXES = {
    "sd15": [
        ("model.diffusion_model.", "unet", 0),
        ("cond_stage_model.", "clip_l", 1),
        ("first_stage_model.", "vae", 0),
    ],
    "sdxl": [
        ("model.diffusion_model.", "unet", 0),
        ("conditioner.embedders.0.", "clip_l", 1),
        ("conditioner.embedders.1.", "clip_g", 2),
        ("first_stage_model.", "vae", 0),
    ],
    "flux": [("", "transformer", 0)],
    "plain": [("", "other", 0)],
}
SAME = {"unet": "diffusion", "transformer": "diffusion", "dit": "diffusion"}
LIST_KEYS = ("of", "to")
OPERANDS = ("a", "b", "c")


class Recipe:
    def __init__(self, path, models, architecture):
        """`models`: file name -> {key: constant or array of a role that is no weight}."""
        self.folder = path.parent
        self.files = models
        self.prefixes = PREFIXES[architecture]
        self.math = oracle.Arithmetic()
        self.data = self._load(path)
        self.models = self.data.get("models", {})
        self.steps = self.data.get("steps", {})
        self.vars = self.data.get("vars", {})

    def _load(self, path):
        data = yaml.safe_load(path.read_text())
        if "include" in data:
            table = yaml.safe_load((path.parent / data["include"]).read_text())
            for part in ("models", "vars"):
                data[part] = {**table.get(part, {}), **data.get(part, {})}
        return data

    # Places.
    def place(self, key):
        for prefix, component, encoder in self.prefixes:
            if key.startswith(prefix):
                return component, encoder
        raise AssertionError(key)

    def weight(self, value, key):
        if isinstance(value, str) and value.startswith("$"):
            value = self.vars[value[1:]]
        if not isinstance(value, dict):
            return value
        component, encoder = self.place(key)
        best, found = -1, None
        for row, number in value.items():
            if row == "default":
                rank = 0
            elif row.startswith("/"):
                rank = 2 if re.search(row[1:-1], key) else -1
            else:
                names = {component, SAME.get(component, component)}
                names |= {"te", f"te{encoder}"} if encoder else set()
                rank = 1 if {row, SAME.get(row, row)} & names else -1
            if rank > best:
                best, found = rank, number
        assert found is not None, key
        return self.weight(found, key)

    # Values. A missing key is None.
    def value(self, operand, key):
        step = operand if isinstance(operand, dict) else self.steps.get(operand)
        return self.leaf(operand, key) if step is None else self.step(step, key)

    def leaf(self, name, key):
        model = self.models[name]
        if isinstance(model, dict) and "recipe" in model:
            inner = object.__new__(Recipe)
            inner.__dict__.update(self.__dict__)
            Recipe.__init__(inner, self.folder / model["recipe"], self.files, "sd15")
            return inner.value(inner.data["output"]["model"], key)
        path = model["path"] if isinstance(model, dict) else model
        return self.files[path.rsplit("/", 1)[-1]].get(key)

    def step(self, step, key):
        if step["op"] == "within":
            return self.value(step["apply" if self._selects(step["where"], key) else "model"], key)
        operands = [self.value(step[name], key) for name in OPERANDS if name in step]
        lists, weighted = {}, []
        for name in LIST_KEYS:
            for entry in step.get(name, []):
                weighted += [entry] if isinstance(entry, dict) and "weight" in entry else []
                model = entry["model"] if isinstance(entry, dict) and "model" in entry else entry
                lists.setdefault(name, []).append(self.value(model, key))
        operands += [x for entries in lists.values() for x in entries]

        present = [x for x in operands if x is not None]
        difference = step["op"] == "subtract"
        if not present:
            return None
        if len(present) < len(operands):
            policy = {**self.data.get("policy", {}), **step.get("policy", {})}
            return None if difference or policy.get("missing") == "drop" else present[0]
        if isinstance(present[0], np.ndarray):  # not a weight: never enters arithmetic
            return None if difference else present[0]
        if self.place(key)[0] == "vae" and not self._names_vae(step):
            return None if difference else operands[0]

        arguments = {name: self.value(step[name], key) for name in OPERANDS if name in step} | lists
        if weighted:
            arguments["weights"] = [self.weight(entry["weight"], key) for entry in weighted]
        for name, value in step.items():
            if name not in ("op", "policy", *OPERANDS, *LIST_KEYS):
                arguments[name] = self.weight(value, key)
        return getattr(self.math, step["op"])(**arguments)

    def _selects(self, where, key):
        component, encoder = self.place(key)
        names = {component, *(["te"] if encoder else [])}
        return any(
            filter_.get("component", component) in names and re.search(filter_.get("name", "//")[1:-1], key) for filter_ in where
        )

    def _names_vae(self, step):
        weights = [x.get("weight") for x in step.get("of", []) if isinstance(x, dict)]
        return any(isinstance(x, dict) and "vae" in x for x in [*step.values(), *weights])

    # Outputs: path -> {key: (value, dtype word or None)}.
    def outputs(self):
        result = {}
        keys = sorted({key for tensors in self.files.values() for key in tensors})
        for output in self.data.get("outputs") or [self.data["output"]]:
            path = re.sub(r"\{(\w+)\}", lambda m: str(self.vars[m[1]]), output["path"])
            tensors = {}
            for key in keys:
                root = output.get("components", {}).get(self.place(key)[0], output["model"])
                value = self.value(root, key)
                if value is not None:
                    tensors[key] = (value, self.weight(output.get("dtype"), key))
            result[path] = tensors
        return result
