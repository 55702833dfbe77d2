"""The recipe of a model that is not computed yet."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from weightsmith import _arguments as check
from weightsmith._options import model_folders
from weightsmith._sources import File, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weightsmith import _native
    from weightsmith._model import Model, Policy


def literal(path: str) -> str:
    """A path as a recipe writes it, where neither braces nor a dollar name a variable. What a recipe cannot write is
    replaced: the engine gets the path itself beside the text."""
    text = re.sub(r"[\x00-\x1f\x7f]", "_", path).encode(errors="replace").decode()
    text = text.replace("{", "{{").replace("}", "}}")
    return f"./{text}" if text.startswith("$") else text


class ModelRecipe:
    """A recipe in the making: what it says, and the names of what it says it of."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._taken: set[str] = set()
        self._files: dict[tuple[str, Any], str] = {}
        self._opened: dict[str, _native.Checkpoint] = {}
        self._paths: dict[str, str] = {}
        self._in_memory = False
        self._differences: list[str] = []
        self._models: dict[str, Any] = {}
        self._adapters: dict[str, Any] = {}
        self._steps: dict[str, Any] = {}

    def name_of(self, model: Model) -> str:
        if id(model) not in self._names:
            source = model._source
            self._names[id(model)] = self._file(source) if isinstance(source, File) else self._step(source)
        return self._names[id(model)]

    def _new_name(self, wanted: str) -> str:
        wanted = re.sub(r"[^A-Za-z0-9_-]", "_", wanted)
        # YAML, as which a recipe is shown, has words that are no texts.
        is_word = wanted.lower() in ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
        wanted = f"m_{wanted}" if is_word or not re.match("[A-Za-z]", wanted) else wanted
        name, number = wanted, 2
        while name in self._taken:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name)
        return name

    def _file(self, file: File) -> str:
        # The same file twice is one model.
        key = (file.path, None if file.lora is None else (file.lora.allow_unmatched, file.lora.adapter))
        if key in self._files and file.opened is None:
            return self._files[key]
        stem = re.sub(r"(\.index\.json|\.safetensors|\.ckpt|\.pt|\.pth|\.bin)$", "", os.path.basename(file.path))
        name = self._new_name(stem or "model")
        path = file.path
        if file.opened is not None:
            if file.buffers is not None:
                path = f"{file.path}-{name}"
                self._in_memory = True
            if file.difference:
                self._differences.append(name)
            self._opened[path] = file.opened
        else:
            self._files[key] = name
        self._paths[name] = path
        if file.lora is None:
            self._models[name] = literal(path)
        else:
            said = {"path": literal(path), "allow_unmatched": file.lora.allow_unmatched, "adapter": file.lora.adapter}
            self._adapters[name] = {key: value for key, value in said.items() if value is not None}
        return name

    def _step(self, step: Step) -> str:
        said: dict[str, Any] = {"op": step.op}
        for name, operand in step.operands.items():
            said[name] = self.name_of(operand)
        for name, entries in step.entries.items():
            said[name] = [self._entry(step, *entry) for entry in entries]
        said |= step.parameters
        if step.policy is not None:
            said["policy"] = step.policy
        name = self._new_name(step.op)
        self._steps[name] = said
        return name

    def _entry(self, step: Step, model: Model, weight: Any, numbers: Mapping[str, Any]) -> Any:
        name = self.name_of(model)
        if step.op == "stack":
            return {"model": name, **(weight or {})}
        if weight is None and not numbers:
            return name
        is_lora = isinstance(model._source, File) and model._source.lora is not None
        if step.op == "bake" or is_lora:
            return {"use": name, "strength": weight}
        own = {} if weight is None else {"weight": weight}
        return {"model": name, **own, **numbers}

    def request(self, output: dict[str, Any], policy: Policy | None) -> dict[str, Any]:
        recipe: dict[str, Any] = {"weightsmith": 1, "models": self._models}
        if self._adapters:
            recipe["adapters"] = self._adapters
        if policy:
            recipe["policy"] = check.plain("policy", check.mapping("policy", policy, "policies"))
        if self._steps:
            recipe["steps"] = self._steps
        recipe["output"] = {"path": "result.safetensors", **output}
        return {
            "text": json.dumps(recipe, indent=2, ensure_ascii=False, allow_nan=False),
            "paths": self._paths,
            "opened": self._opened,
            "in_memory": self._in_memory,
            "differences": self._differences,
            "models": model_folders(()),
            "check_output_names": False,  # said before, of the path as it is
        }
