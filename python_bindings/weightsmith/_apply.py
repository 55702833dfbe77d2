"""Operators on whatever they are given: lazily on models, at once on tensors in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from weightsmith._errors import RecipeError
from weightsmith._model import Model, Policy, Weights, _Step, as_model, is_model, of_tensors

_ONE = "tensor"  # what a tensor without a name is called


def _framework_of(values: Sequence[Any]) -> Literal["numpy", "torch"]:
    return "torch" if any(hasattr(value, "detach") for value in values) else "numpy"


def _as_model(value: Any, difference: bool) -> Model:
    if is_model(value):
        return as_model(value)
    return of_tensors(value if isinstance(value, Mapping) else {_ONE: value}, difference=difference)


def apply(
    op: str,
    operands: Mapping[str, Any],
    entries: Mapping[str, Sequence[Any]],
    parameters: Mapping[str, Any],
    policy: Policy | None,
    *,
    weighted: bool = False,
    differences: Sequence[str] = (),
) -> Any:
    """The step of that operator: a Model, or at once what it gives where no operand is a model. `weighted`: entries are
    pairs with weights. `differences`: the operands that are differences and no models."""
    lists: dict[str, list[tuple[Any, Weights | None]]] = {}
    for name, values in entries.items():
        if isinstance(values, str | Mapping) or not hasattr(values, "__iter__"):
            raise RecipeError(f"{op}: {name} is {values!r}, expected a list")
        pairs = [tuple(value) for value in values] if weighted else [(value, None) for value in values]
        if any(len(pair) != 2 for pair in pairs):
            raise RecipeError(f"{op}: expected pairs of a model and its weight in {name}")
        lists[name] = [(pair[0], pair[1]) for pair in pairs]
    given = [*operands.values(), *(pair[0] for pairs in lists.values() for pair in pairs)]
    step = _Step(
        op,
        {name: _as_model(value, name in differences) for name, value in operands.items()},
        {name: [(_as_model(value, False), weight) for value, weight in pairs] for name, pairs in lists.items()},
        {name: value for name, value in parameters.items() if value is not None},
        policy,
    )
    if not given or any(is_model(value) for value in given):
        return Model(step)
    return _at_once(step, given)


def _at_once(step: _Step, given: Sequence[Any]) -> Any:
    state_dicts = [isinstance(value, Mapping) for value in given]
    if any(state_dicts) and not all(state_dicts):
        raise RecipeError(f"{step.op}: some operands are tensors and some are dicts of them")
    if all(state_dicts):
        framework = _framework_of([tensor for value in given for tensor in value.values()])
        return Model(step).state_dict(framework=framework)
    # Of a single tensor the caller knows whether it should change.
    computed = Model(step).state_dict(framework=_framework_of(given), policy={"effect": "any"})
    # A difference times 0 is no tensor at all.
    return computed[_ONE] if _ONE in computed else given[0] * 0
