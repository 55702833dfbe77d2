"""Models that are not computed yet: what operators give of files, open checkpoints and other such models."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from weightsmith import _arguments as check
from weightsmith import _native
from weightsmith._checkpoint import Checkpoint, Tensor
from weightsmith._errors import MissingFileError, RecipeError
from weightsmith._jobs import DType, keep_existing, run
from weightsmith._model_recipe import ModelRecipe, literal
from weightsmith._options import ComputeOptions, PathLike, RunOptions, native_options, size, warn
from weightsmith._sources import File, Lora, Step
from weightsmith._tensors import entries, is_float

if TYPE_CHECKING:
    from typing_extensions import TypeGuard, Unpack

    from weightsmith._results import Plan, Report

Weights = float | str | Sequence[float] | Mapping[str, "float | Sequence[float]"]
"""A number; the name of a preset ("GRAD_V"); numbers in the community's order; or numbers by place,
{"default": 0.3, "te": 0, "unet.in.3": [0, 1]}."""

Where = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""What tensors have to be like, {"component": "unet", "block": "IN04-IN08", "name": "/attn2/", "rank": 2,
"larger_than": "1M"}; a list of such mappings means what is like one of them."""

Policy = Mapping[str, Any]
"""Policies of a step, such as {"missing": "keep"}."""


class Model(Mapping[str, Tensor]):
    """A model that is computed when it is asked for: the result of an operator, or `weightsmith.model(path)`.

    Operators take it like a file. `save` streams it to a file, `plan` says what that would do, `to_recipe` gives the
    recipe. As a mapping it has the names of the tensors that would be written; `model[name]` computes that one now, on
    the calling thread, and `state_dict` all of them at once.
    """

    def __init__(self, source: File | Step) -> None:
        if not isinstance(source, File | Step):
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
            "files_from": None if files_from is None else literal(check.path("save: files_from", files_from)),
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

    def __reduce__(self) -> tuple[type[Model], tuple[File | Step]]:
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
        recipe = ModelRecipe()
        result: dict[str, Any] = {"model": recipe.name_of(self)}
        result |= {key: value for key, value in output.items() if value is not None}
        if components:
            given = check.mapping("components", components, "components to models")
            result["components"] = {
                name: recipe.name_of(expect_model(f"components[{name!r}]", model)) for name, model in given.items()
            }
        return recipe.request(result, policy)

    def __repr__(self) -> str:
        if isinstance(self._source, File):
            return f"<weightsmith.Model {self._source.path!r}>"
        return f"<weightsmith.Model {self._source.op}>"


ModelLike = PathLike | Checkpoint | Model | Lora
"""A file or folder by its path, an open checkpoint, a model, or an adapter as the difference that it makes."""


def _planned(request: dict[str, Any]) -> _native.Plan:
    for path in request["paths"].values():
        if path not in request["opened"] and not os.path.exists(path):
            raise MissingFileError(f"there is no file {path!r}")
    return _native.Plan.of_recipe(request)


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
        return Model(File(os.path.abspath(source.path), source._native))
    if isinstance(source, Lora):
        return Model(File(source.path, lora=source))
    return Model(File(check.path("the model", source)))


def buffers_of(value: Any) -> Mapping[str, Any] | None:
    """Of a model that is made of tensors in memory, those that are no floats."""
    return value._source.buffers if isinstance(value, Model) and isinstance(value._source, File) else None


def of_tensors(tensors: Mapping[str, Any], *, what: str, difference: bool = False) -> Model:
    opened = _native.Checkpoint.of_tensors(entries(what, tensors), "memory")
    buffers = {name: value for name, value in tensors.items() if not is_float(value)}
    return Model(File("memory", opened, buffers=buffers, difference=difference))


def in_framework(framework: str, computed: _native.Checkpoint) -> dict[str, Any]:
    tensors = {name: Tensor(computed, name) for name in computed.keys()}
    if framework == "numpy":
        return {name: tensor.numpy() for name, tensor in tensors.items()}
    import torch  # type: ignore[import-not-found,unused-ignore]

    return {name: torch.from_dlpack(tensor) for name, tensor in tensors.items()}
