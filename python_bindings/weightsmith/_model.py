"""Models that are not computed yet: what operators give of files, open checkpoints and other such models."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from weightsmith import _arguments as check
from weightsmith import _native
from weightsmith._checkpoint import Checkpoint, Tensor
from weightsmith._errors import MissingFileError, RecipeError
from weightsmith._jobs import DType, keep_existing, run
from weightsmith._options import ComputeOptions, PathLike, RunOptions, model_folders, native_options, size, warn
from weightsmith._tensors import entries, is_float

if TYPE_CHECKING:
    from typing_extensions import TypeGuard, Unpack

    from weightsmith._results import Plan, Report

Weights = float | str | Sequence[float] | Mapping[str, "float | Sequence[float]"]
"""A number; the name of a preset ("GRAD_V"); numbers in the community's order; or numbers by place,
{"default": 0.3, "te": 0, "unet.in.3": [0, 1]}."""

Policy = Mapping[str, Any]
"""Policies of a step, such as {"missing": "keep"}."""


# Plain classes: importing dataclasses, and inspect with it, takes as long as importing all else.


class Lora:
    """A LoRA or other adapter and how strongly it is baked in. te_strength: in the text encoders, by default the same;
    strength may be by place. allow_unmatched: a regular expression of modules that may do nothing. adapter: which one,
    where PEFT saved several."""

    __slots__ = ("adapter", "allow_unmatched", "path", "strength", "te_strength")

    def __init__(
        self,
        path: PathLike,
        strength: Weights = 1.0,
        te_strength: float | None = None,
        allow_unmatched: str | None = None,
        adapter: str | None = None,
    ) -> None:
        self.path = check.path("Lora: path", path)
        self.strength: Weights = check.plain("Lora: strength", strength)
        self.te_strength: float | None = check.plain("Lora: te_strength", te_strength)
        self.allow_unmatched = None if allow_unmatched is None else check.text("Lora: allow_unmatched", allow_unmatched)
        self.adapter = None if adapter is None else check.text("Lora: adapter", adapter)

    def __repr__(self) -> str:
        return f"Lora({self.path!r}, {self.strength!r})"


class _File:
    """A file that a recipe names, or tensors in memory that stand for one: `buffers` are those that are no floats."""

    __slots__ = ("buffers", "difference", "lora", "opened", "path")

    def __init__(
        self,
        path: str,
        opened: _native.Checkpoint | None = None,
        *,
        buffers: Mapping[str, Any] | None = None,
        difference: bool = False,
        lora: Lora | None = None,
    ) -> None:
        self.path = path
        self.opened = opened
        self.buffers = buffers
        self.difference = difference
        self.lora = lora


class _Step:
    __slots__ = ("entries", "op", "operands", "parameters", "policy")

    def __init__(
        self,
        op: str,
        operands: Mapping[str, Model],
        entries: Mapping[str, Sequence[tuple[Model, Weights | None]]],
        parameters: Mapping[str, Any] | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.op = op
        self.operands = operands
        self.entries = entries
        self.parameters = parameters or {}
        self.policy = policy


class Model(Mapping[str, Tensor]):
    """A model that is computed when it is asked for: the result of an operator, or `weightsmith.model(path)`.

    Operators take it like a file. `save` streams it to a file, `plan` says what that would do, `to_recipe` gives the
    recipe. As a mapping it has the names of the tensors that would be written; `model[name]` computes that one now, on
    the calling thread, and `state_dict` all of them at once.
    """

    def __init__(self, source: _File | _Step) -> None:
        if not isinstance(source, _File | _Step):
            raise TypeError("a Model is made by weightsmith.model() and by the operators")
        self._source = source
        self._prepared: _native.Plan | None = None
        self._keys: dict[str, None] | None = None

    def save(
        self,
        path: PathLike,
        *,
        dtype: DType | Mapping[str, str] | None = None,
        rounding: str | None = None,
        layout: str | None = None,
        components: Mapping[str, ModelLike] | None = None,
        split: bool = False,
        max_shard_size: int | str | None = None,
        files_from: PathLike | None = None,
        metadata: Mapping[str, str] | None = None,
        policy: Policy | None = None,
        private: bool = False,
        **options: Unpack[RunOptions],
    ) -> Report:
        """Computes the model and writes it, streamed: the file appears complete or not at all.

        dtype: of every tensor, or by place; by default as the leftmost model has it. components: other models that
        components are taken from, {"vae": "vae.safetensors"}. The others are as in `output` of a recipe, policy is that
        of the whole recipe. options: see RunOptions.
        """
        native, progress = native_options(options)
        written = check.path("save: path", path)
        if dtype is not None and not isinstance(dtype, str):
            dtype = check.texts_by_name("save: dtype", dtype)
        named = None if layout is None else check.text("save: layout", layout)
        parts = check.flag("save: split", split)
        output = {
            "dtype": dtype,
            "rounding": None if rounding is None else check.text("save: rounding", rounding),
            "layout": named,
            "split": parts or None,
            "max_shard_size": None if max_shard_size is None else size("save: max_shard_size", max_shard_size),
            "files_from": None if files_from is None else _literal(check.path("save: files_from", files_from)),
            "metadata": None if metadata is None else check.texts_by_name("save: metadata", metadata),
        }
        _native.expect_output_name(written, named, parts)
        request = self._request(output, components=components, policy=policy)
        request["output"] = written
        request["private"] = check.flag("save: private", private)
        request["sha256"] = native.get("sha256")
        keep_existing(written, native)
        return run(_planned(request), "merging", native, progress)

    def plan(self, *, policy: Policy | None = None, **options: Unpack[ComputeOptions]) -> Plan:
        """What computing the model would read, hold and write: from headers alone."""
        from weightsmith._from_json import from_json
        from weightsmith._results import Plan

        native, _ = native_options(options, of=ComputeOptions)
        prepared = self._plan if policy is None else self._planned(policy)
        planned = from_json(Plan, prepared.json(native))
        warn([*prepared.warnings, *planned.warnings])
        return planned

    def to_recipe(self, *, policy: Policy | None = None) -> str:
        """The recipe, YAML, with everything that is left open here as it would be. RecipeError for a model of tensors
        in memory, which no recipe can name."""
        request = self._request({}, policy=policy)
        if request["in_memory"]:
            raise RecipeError("A recipe names files, and this model is made of tensors in memory.", "Save them first.")
        return _native.show_recipe(request)

    def state_dict(
        self,
        *,
        framework: Literal["numpy", "torch"] = "numpy",
        policy: Policy | None = None,
        **options: Unpack[ComputeOptions],
    ) -> dict[str, Any]:
        """Every tensor, computed now, as arrays of numpy or tensors of PyTorch."""
        native, progress = native_options(options, of=ComputeOptions)
        if framework not in ("numpy", "torch"):
            raise RecipeError(f"state_dict: framework is {framework!r}, expected 'numpy' or 'torch'")
        prepared = self._plan if policy is None else self._planned(policy)
        warn(prepared.warnings)
        return in_framework(framework, prepared.compute(native, progress))

    def __getitem__(self, name: str) -> Tensor:
        if name not in self:
            raise KeyError(name)
        return Tensor(self._plan.compute_tensor(name), name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __reduce__(self) -> tuple[type[Model], tuple[_File | _Step]]:
        return Model, (self._source,)

    @property
    def _plan(self) -> _native.Plan:
        if self._prepared is None:
            self._prepared = self._planned({})
        return self._prepared

    def _planned(self, policy: Policy) -> _native.Plan:
        """To be looked at, or computed in memory."""
        request = self._request({}, policy=policy)
        return _planned({**request, "difference_as_output": True})

    @property
    def _names(self) -> dict[str, None]:
        if self._keys is None:
            self._keys = dict.fromkeys(sorted(self._plan.keys()))
        return self._keys

    def _request(
        self,
        output: Mapping[str, Any],
        *,
        components: Mapping[str, ModelLike] | None = None,
        policy: Policy | None = None,
    ) -> dict[str, Any]:
        recipe = _Recipe()
        result: dict[str, Any] = {"model": recipe.name_of(self)}
        result |= {key: value for key, value in output.items() if value is not None}
        if components:
            given = check.mapping("components", components, "components to models")
            result["components"] = {
                name: recipe.name_of(expect_model(f"components[{name!r}]", model)) for name, model in given.items()
            }
        return recipe.request(result, policy)

    def __repr__(self) -> str:
        if isinstance(self._source, _File):
            return f"<weightsmith.Model {self._source.path!r}>"
        return f"<weightsmith.Model {self._source.op}>"


ModelLike = PathLike | Checkpoint | Model | Lora
"""A file or folder by its path, an open checkpoint, a model, or an adapter as the difference that it makes."""


class _Recipe:
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
            self._names[id(model)] = self._file(source) if isinstance(source, _File) else self._step(source)
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

    def _file(self, file: _File) -> str:
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
            self._models[name] = _literal(path)
        else:
            said = {"path": _literal(path), "allow_unmatched": file.lora.allow_unmatched, "adapter": file.lora.adapter}
            self._adapters[name] = {key: value for key, value in said.items() if value is not None}
        return name

    def _step(self, step: _Step) -> str:
        said: dict[str, Any] = {"op": step.op}
        for name, operand in step.operands.items():
            said[name] = self.name_of(operand)
        for name, entries in step.entries.items():
            said[name] = [self._entry(step, *entry) for entry in entries]
        said |= {name: check.plain(f"{step.op}: {name}", value) for name, value in step.parameters.items()}
        if step.policy is not None:
            said["policy"] = check.plain(f"{step.op}: policy", check.mapping(f"{step.op}: policy", step.policy, "policies"))
        name = self._new_name(step.op)
        self._steps[name] = said
        return name

    def _entry(self, step: _Step, model: Model, weight: Weights | None) -> Any:
        name = self.name_of(model)
        if weight is None:
            return name
        is_lora = isinstance(model._source, _File) and model._source.lora is not None
        if step.op == "bake" or is_lora:
            return {"use": name, "strength": check.plain(f"{step.op}: strength", weight)}
        return {"model": name, "weight": check.plain(f"{step.op}: weight", weight)}

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


def _planned(request: dict[str, Any]) -> _native.Plan:
    for path in request["paths"].values():
        if path not in request["opened"] and not os.path.exists(path):
            raise MissingFileError(f"there is no file {path!r}")
    return _native.Plan.of_recipe(request)


def _literal(path: str) -> str:
    """A path as a recipe writes it, where neither braces nor a dollar name a variable. What a recipe cannot write is
    replaced: the engine gets the path itself beside the text."""
    text = re.sub(r"[\x00-\x1f\x7f]", "_", path).encode(errors="replace").decode()
    text = text.replace("{", "{{").replace("}", "}}")
    return f"./{text}" if text.startswith("$") else text


def model(source: ModelLike | Mapping[str, Any]) -> Model:
    """A model as it is: a file, a folder, an open checkpoint, or tensors by their names."""
    if is_model(source):
        return as_model(source)
    if not isinstance(source, Mapping):
        raise check.wrong("model: source", source, "a path, an open checkpoint, a Model or a dict of tensors")
    return of_tensors(source, what="model: source")


def is_model(value: Any) -> TypeGuard[ModelLike]:
    return isinstance(value, str | os.PathLike | Checkpoint | Model | Lora)


def expect_model(what: str, value: Any) -> Model:
    if not is_model(value):
        raise check.wrong(what, value, "a model: a path, an open checkpoint or a Model")
    return as_model(value)


def as_model(source: ModelLike) -> Model:
    if isinstance(source, Model):
        return source
    if isinstance(source, Checkpoint):
        return Model(_File(os.path.abspath(source.path), source._native))
    if isinstance(source, Lora):
        return Model(_File(source.path, lora=source))
    return Model(_File(check.path("the model", source)))


def buffers_of(value: Any) -> Mapping[str, Any] | None:
    """Of a model that is made of tensors in memory, those that are no floats."""
    return value._source.buffers if isinstance(value, Model) and isinstance(value._source, _File) else None


def of_tensors(tensors: Mapping[str, Any], *, what: str, difference: bool = False) -> Model:
    opened = _native.Checkpoint.of_tensors(entries(what, tensors), "memory")
    buffers = {name: value for name, value in tensors.items() if not is_float(value)}
    return Model(_File("memory", opened, buffers=buffers, difference=difference))


def in_framework(framework: str, computed: _native.Checkpoint) -> dict[str, Any]:
    tensors = {name: Tensor(computed, name) for name in computed.keys()}
    if framework == "numpy":
        return {name: tensor.numpy() for name, tensor in tensors.items()}
    import torch  # type: ignore[import-not-found,unused-ignore]

    return {name: torch.from_dlpack(tensor) for name, tensor in tensors.items()}
