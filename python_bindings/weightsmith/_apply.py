"""Operators on whatever they are given: lazily on models, at once on tensors in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from weightsmith._arguments import items, mapping, wrong
from weightsmith._model import Model, Policy, Weights, as_model, buffers_of, is_model, of_tensors
from weightsmith._sources import Numbers, Step
from weightsmith._tensors import expect_buffers, expect_tensors, expect_weight, is_float, is_tensor, is_torch

_ONE = "tensor"  # what a tensor without a name is called
_MODEL = (
    "a model (a path, an open checkpoint, a Model), a dict of tensors, an array of numpy or a tensor of PyTorch or of an "
    "open checkpoint"
)
_COPYING = ("copy",)  # operators whose result has the values of one operand, whatever they are


def _framework_of(values: Sequence[Any]) -> Literal["numpy", "torch"]:
    return "torch" if any(map(is_torch, values)) else "numpy"


def _as_model(what: str, value: Any, difference: bool) -> Model:
    if is_model(value):
        return as_model(value)
    return of_tensors(value if isinstance(value, Mapping) else {_ONE: value}, what=what, difference=difference)


def _list(
    op: str, name: str, values: Any, weighted: bool, numbered: bool
) -> list[tuple[Any, Weights | None, Numbers]]:
    """Models, with their weights and numbers of their own."""
    what = f"{op}: {name}"
    single = not weighted and not numbered
    plural = "pairs of a model and its weight" if weighted else "models"
    one = "a pair of a model and its weight" if weighted else "a model"
    least = 2 if weighted else 1
    made: list[tuple[Any, Weights | None, Numbers]] = []
    for at, entry in enumerate(items(what, values, plural)):
        if single or (not weighted and not isinstance(entry, tuple)):
            made.append((entry, None, {}))
            continue
        sequence = isinstance(entry, Sequence) and not isinstance(entry, str | bytes)
        if not sequence or not least <= len(entry) <= least + numbered:
            raise wrong(f"{what}[{at}]", entry, one)
        numbers = entry[least] if len(entry) > least else {}
        made.append((entry[0], entry[1] if weighted else None, mapping(f"{what}[{at}]", numbers, "numbers of the entry")))
    return made


def apply(
    op: str,
    operands: Mapping[str, Any],
    entries: Mapping[str, Sequence[Any]],
    parameters: Mapping[str, Any],
    policy: Policy | None,
    *,
    weighted: bool = False,
    numbered: bool = False,
    differences: Sequence[str] = (),
    optional: Sequence[str] = (),
    gives_difference: bool = False,
) -> Any:
    """The step of that operator: a Model, or at once what it gives where no operand is a model. `weighted`: entries are
    pairs with weights. `numbered`: an entry may end with a dict of numbers of its own. `differences`: the operands that
    are differences and no models. `optional`: those that may be None."""
    lists = {name: _list(op, name, values, weighted, numbered) for name, values in entries.items()}
    operands = {name: value for name, value in operands.items() if value is not None or name not in optional}
    given = {f"{op}: {name}": value for name, value in operands.items()}
    for name, pairs in lists.items():
        given |= {f"{op}: {name}[{number}]": pair[0] for number, pair in enumerate(pairs)}
    # A difference beside a model may lack what the model has, and the other way round.
    models = _check(op, given, alone=len(differences) in (0, len(given)))
    step = Step(
        op,
        {name: _as_model(f"{op}: {name}", value, name in differences) for name, value in operands.items()},
        {
            name: [(_as_model(f"{op}: {name}[{n}]", value, False), weight, own) for n, (value, weight, own) in enumerate(pairs)]
            for name, pairs in lists.items()
        },
        {name: value for name, value in parameters.items() if value is not None},
        policy,
    )
    if models or not given:
        return Model(step)
    return _at_once(step, list(given.values()), gives_difference)


def _check(op: str, given: Mapping[str, Any], *, alone: bool) -> bool:
    """Whether any operand is a model. TypeError for what none can be, and for tensors that would not be computed.
    `alone`: a tensor that one operand has alone is none to be left as it is."""
    models = any(map(is_model, given.values()))
    state_dicts: list[Mapping[str, Any]] = []
    tensors = 0
    for what, value in given.items():
        if is_model(value):
            held = buffers_of(value)
            state_dicts += [] if held is None else [held]
        elif isinstance(value, Mapping):
            state_dicts.append(expect_tensors(what, value))
        elif is_tensor(value):
            expect_weight(what, value)
            tensors += 1
        else:
            raise wrong(what, value, _MODEL)
    if tensors and state_dicts and not models:
        raise TypeError(f"{op}: some operands are tensors and some are dicts of them")
    if op not in _COPYING:
        expect_buffers(op, state_dicts, alone=alone and len(state_dicts) == len(given))
    return models


def _at_once(step: Step, given: Sequence[Any], gives_difference: bool) -> Any:
    if isinstance(given[0], Mapping):
        framework = _framework_of([tensor for value in given for tensor in value.values()])
        computed = Model(step).state_dict(framework=framework)
        # Buffers are copied, and a difference has none.
        return {name: value for name, value in computed.items() if is_float(value)} if gives_difference else computed
    # Of a single tensor the caller knows whether it should change.
    computed = Model(step).state_dict(framework=_framework_of(given), policy={"effect": "any"})
    if _ONE in computed:
        return computed[_ONE]
    # A difference times 0 is no tensor at all.
    return (given[0] if is_torch(given[0]) else given[0][...]) * 0
