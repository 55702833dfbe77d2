"""Stacking layers of language models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from weightsmith import _arguments as check
from weightsmith._errors import RecipeError
from weightsmith._model import Model, ModelLike, Policy, Weights, as_model, expect_model, is_model
from weightsmith._sources import Step

Layers = ModelLike | tuple[ModelLike, str | int] | tuple[ModelLike, str | int, Weights]
"""A model of which all layers are taken; or with those that are, "8-31", both included; or with their scale behind."""


_MOST = 9999  # layers
_RANGE = re.compile(r"\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?", re.ASCII)


def _layers(what: str, given: Any) -> str:
    if not isinstance(given, str):
        if isinstance(given, bool) or not hasattr(given, "__index__"):
            raise check.wrong(what, given, 'the first and the last layer, such as "8-31", or the number of one')
        return str(check.whole_number(what, given, 0, _MOST))
    ends = _RANGE.fullmatch(given)
    if ends is None or int(ends[1]) > int(ends[2] or ends[1]):
        expected = 'expected the first and the last, both included, such as "8-31", or the number of one'
        raise RecipeError(f"{what} is {given!r}, {expected}")
    return given


def _entry(what: str, given: Any) -> tuple[Model, Mapping[str, Any]]:
    expected = "a model, a pair of a model and its layers, or these and a scale"
    entry = given if isinstance(given, tuple | list) else (given, "")
    if not 2 <= len(entry) <= 3 or not is_model(entry[0]):
        raise check.wrong(what, given, expected)
    if entry is not given:
        return as_model(given), {}
    said: dict[str, Any] = {"layers": _layers(f"{what}: layers", entry[1])}
    if len(entry) > 2:
        said["scale"] = check.plain(f"{what}: scale", entry[2])
    return as_model(entry[0]), said


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
            {name: expect_model(f"stack: {name}", model) for name, model in ends.items() if model is not None},
            {"of": entries},
            policy=policy,
        )
    )
