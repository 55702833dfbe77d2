"""Baking adapters into models."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from weightsmith import _arguments as check
from weightsmith._errors import RecipeError
from weightsmith._model import Model, ModelLike, Policy, Weights, as_model, is_model, of_tensors
from weightsmith._options import PathLike, RunOptions
from weightsmith._sources import Lora, Step
from weightsmith._tensors import is_torch

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from weightsmith._results import Report

Loras = PathLike | Lora | Sequence[PathLike | Lora] | Mapping[str, Weights]
"""An adapter, several of them, or their paths and strengths, {"detail.safetensors": 0.6}."""


def _loras(given: Loras) -> list[Lora]:
    if isinstance(given, str | os.PathLike | Lora):
        given = [given]
    if isinstance(given, Mapping):
        if any(isinstance(path, Lora) for path in given):
            raise TypeError("bake: loras maps paths to strengths, and a Lora has its own: give a list of Lora")
        return [Lora(check.path("a key of bake: loras", path), strength) for path, strength in given.items()]
    each = check.items("bake: loras", given, "paths or Lora")
    return [
        lora if isinstance(lora, Lora) else Lora(check.path(f"bake: loras[{number}]", lora))
        for number, lora in enumerate(each)
    ]


def _strength(lora: Lora) -> Weights:
    if lora.te_strength is None:
        return lora.strength
    if isinstance(lora.strength, Mapping):
        return {**lora.strength, "te": lora.te_strength}
    if isinstance(lora.strength, int | float):
        return {"default": lora.strength, "te": lora.te_strength}
    raise RecipeError("te_strength goes with a strength that is a number, or by place", "Write one row for te.")


@overload
def bake(model: ModelLike, loras: Loras, *, policy: Policy | None = None) -> Model: ...
@overload
def bake(model: Mapping[str, Any], loras: Loras, *, policy: Policy | None = None) -> Any: ...
@overload
def bake(
    model: ModelLike | Mapping[str, Any],
    loras: Loras,
    output: PathLike,
    *,
    policy: Policy | None = None,
    **options: Unpack[RunOptions],
) -> Report: ...
def bake(
    model: Any,
    loras: Loras,
    output: PathLike | None = None,
    *,
    policy: Policy | None = None,
    **options: Unpack[RunOptions],
) -> Any:
    """A model with adapters (LoRA and its relatives) baked into it, computed in f32 and rounded once.

    With `output` it is written there, as `weightsmith bake` does, and the report returned; without, a Model is returned
    that other operators take, or at once a dict of tensors where `model` is one.

    Every module of an adapter goes to the tensor, or the rows of one, that it is for; a module that is for nothing is
    an error, and so is an adapter of another architecture.
    """
    adapters = _loras(loras)
    if not adapters:
        raise RecipeError("bake: no adapter is given")
    in_memory = not is_model(model)
    if in_memory and not isinstance(model, Mapping):
        raise check.wrong("bake: model", model, "a path, an open checkpoint, a Model or a dict of tensors")
    step = Step(
        "bake",
        {"model": of_tensors(model, what="bake: model") if in_memory else as_model(model)},
        {"adapters": [(as_model(lora), _strength(lora)) for lora in adapters]},
        policy=policy,
    )
    baked = Model(step)
    if output is not None:
        return baked.save(output, **options)
    if options:
        raise TypeError(f"bake: {', '.join(sorted(options))} goes with an output")
    if in_memory:
        torch = any(map(is_torch, model.values()))
        return baked.state_dict(framework="torch" if torch else "numpy")
    return baked
