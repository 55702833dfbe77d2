"""Stacking layers of language models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from weightsmith import _arguments as check
from weightsmith._model import Model, ModelLike, Policy, Weights, as_model
from weightsmith._sources import Step

Layers = ModelLike | tuple[ModelLike, str | int] | tuple[ModelLike, str | int, Weights]
"""A model of which all layers are taken; or with those that are, "8-31", both included; or with their scale behind."""


def _entry(what: str, given: Any) -> tuple[Model, Mapping[str, Any]]:
    if not isinstance(given, tuple | list):
        return as_model(given), {}
    if len(given) not in (2, 3):
        raise check.wrong(what, given, "a model, a pair of a model and its layers, or these and a scale")
    said: dict[str, Any] = {"layers": str(given[1])}
    if len(given) > 2:
        said["scale"] = given[2]
    return as_model(given[0]), said


def stack(
    of: Sequence[Layers],
    *,
    embed: ModelLike | None = None,
    head: ModelLike | None = None,
    policy: Policy | None = None,
) -> Model:
    """Puts layers of language models one on the other, numbered anew.

    of: What layers are taken of: ["a", ("b", "8-31"), ("b", "8-31", 0.5)]. Both ends of a range are included; behind
        it stands what the weights are multiplied by, a number or by place.
    embed: Gives what stands before the layers; else the first entry does.
    head: Gives the last norm and the head; else the last entry does.
    policy: Policies of this step, such as {"missing": "keep"}.

    With `files_from`, `save` adjusts the config.json of a folder.
    """
    ends = {"embed": embed, "head": head}
    entries = [
        _entry(f"stack: of[{number}]", each) for number, each in enumerate(check.items("stack: of", of, "models"))
    ]
    return Model(
        Step(
            "stack",
            {name: as_model(model) for name, model in ends.items() if model is not None},
            {"of": entries},
            policy=policy,
        )
    )
