"""What functions return: the data that the command line prints with --json, by the same names."""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class ComponentInfo:
    """A component of a checkpoint."""

    tensors: int
    parameters: int
    bytes: int
    dtypes: dict[str, int]
    complete: bool
    missing: list[str]
    extra: list[str]


@dataclass(frozen=True)
class Distilled:
    """How a model was distilled ("turbo"), and what tells so."""

    kind: str
    by: str


@dataclass(frozen=True)
class TensorInfo:
    """A tensor as `info(path, tensors=True)` lists it."""

    name: str
    dtype: str
    shape: list[int]
    component: str
    canonical: str
    role: str


@dataclass(frozen=True)
class AdapterSummary:
    """Of a LoRA or another adapter: modules by what they are, and the architectures whose widths it has."""

    modules: int
    families: dict[str, int]
    namings: dict[str, int]
    components: dict[str, int]
    ranks: dict[str, int]
    alphas: dict[str, int]
    dora: int
    architectures: list[str]
    modules_of_architecture: int


@dataclass(frozen=True)
class Info:
    """What a checkpoint is."""

    path: str
    format: str
    files: int
    bytes: int
    architecture: str
    variant: str
    scale: str
    layout: str
    prediction: str
    distilled: Distilled | None
    components: dict[str, ComponentInfo]
    tensors: int
    parameters: int
    dtypes: dict[str, int]
    markers: list[str]
    quantization: list[str]
    damage: list[str]
    code: list[str]
    metadata: dict[str, str]
    adapter: AdapterSummary | None
    entries: list[TensorInfo] = field(default_factory=list)


@dataclass(frozen=True)
class ScannedGlobal:
    """What loading a file with Python would import or call."""

    name: str
    safety: str


@dataclass(frozen=True)
class ScanResult:
    """Whether loading a file with Python would be safe.

    `verdict`: "safe", "dangerous", "ambiguous", "unknown code", "malformed", "missing".
    """

    path: str
    safe: bool
    verdict: str
    format: str
    problems: list[str]
    ambiguities: list[str]
    unusual: list[str]
    globals: list[ScannedGlobal]


@dataclass(frozen=True)
class Verification:
    """What a file was checked for, and what was found. `status` is the exit status of the command line."""

    path: str
    right: bool
    checked: list[str]
    recipe: bool
    problems: list[str]
    status: int


@dataclass(frozen=True)
class ModulesElsewhere:
    """Modules of an adapter that are for a component which the model does not carry."""

    component: str
    modules: list[str]


@dataclass(frozen=True)
class ModulesLeftOut:
    """Modules of an adapter that do nothing, and why."""

    reason: str
    modules: list[str]


@dataclass(frozen=True)
class RowRange:
    """Rows of a tensor, and the first row of the module's that goes there."""

    first: int
    count: int
    of: int


@dataclass(frozen=True)
class AppliedModule:
    """A module of an adapter on a tensor; with numbers of its effect in a report."""

    module: str
    tensor: str
    rows: list[RowRange]
    transposed: bool
    family: str
    dora: bool
    rank: float | None
    alpha: float | None
    scale: float
    strength: float
    step: str
    elements: int | None = None
    elements_changed: int | None = None
    elements_changed_after_rounding: int | None = None
    change_norm: float | None = None
    relative_change: float | None = None


@dataclass(frozen=True)
class AdapterResult:
    """Where every module of an adapter goes."""

    name: str
    path: str
    applied: list[AppliedModule]
    elsewhere: list[ModulesElsewhere]
    ignored: list[ModulesLeftOut]
    unmatched: list[ModulesLeftOut]


@dataclass(frozen=True)
class PlannedPart:
    """A file of a model."""

    path: str
    architecture: str
    variant: str
    layout: str
    bytes: int
    tensors: int
    component: str | None = None


@dataclass(frozen=True)
class PlannedModel:
    """A model, and how its keys go in."""

    name: str
    parts: list[PlannedPart]
    tensors_matched: int
    tensors_used: int
    tensors_unmatched: int
    tensors_ema: int
    unmatched_names: list[str]
    weight_zero: bool


@dataclass(frozen=True)
class PlannedStep:
    name: str
    op: str


@dataclass(frozen=True)
class PlannedFile:
    path: str
    bytes: int
    tensors: int


@dataclass(frozen=True)
class ComponentResult:
    """A component of the result as a sum of the models, where it is one."""

    component: str
    linear: bool
    uniform: bool
    coefficients: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PlannedOutput:
    path: str
    files: list[PlannedFile]
    result: list[ComponentResult]


@dataclass(frozen=True)
class DiskNeed:
    folder: str
    bytes_needed: int
    bytes_free: int


@dataclass(frozen=True)
class Resumption:
    """What an interrupted run has done, and what of it is read back before it is trusted."""

    tensors_done: int
    bytes_to_verify: int


@dataclass(frozen=True)
class Plan:
    """What a run would do: known from headers, before anything is read."""

    weightsmith: str
    models: list[PlannedModel]
    adapters: list[AdapterResult]
    steps: list[PlannedStep]
    outputs: list[PlannedOutput]
    tensors: int
    tensors_copied: int
    bytes_to_read: int
    bytes_to_write: int
    peak_memory: int
    disk: list[DiskNeed]
    notes: list[str]
    warnings: list[str]
    resume: Resumption | None = None


@dataclass(frozen=True)
class InputReport:
    """What was read of a file, and how many tensors of the outputs are its own, were computed from it, and were changed
    by the steps that did it."""

    model: str
    path: str
    tensors: int
    tensors_read: int
    tensors_copied: int
    tensors_computed: int
    tensors_changed: int
    steps: list[str]
    digest: str | None = None


@dataclass(frozen=True)
class ModelKeys:
    model: str
    matched: int
    unmatched: int
    used: int
    ema: int


@dataclass(frozen=True)
class StepReport:
    """What a step changed, of its first operand. tensors_copied: of those that it should have changed besides, being
    integers or missing in an operand."""

    name: str
    op: str
    tensors: int
    tensors_changed: int
    tensors_copied: int
    elements: int
    elements_changed: int
    change_norm: float | None
    before_norm: float | None
    relative_change: float | None


@dataclass(frozen=True)
class OutputReport:
    path: str
    bytes: int
    tensors: int
    tensors_copied: int
    digest: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Effect:
    elements: int
    elements_changed: int
    change_norm: float | None
    before_norm: float | None
    relative_change: float | None


@dataclass(frozen=True)
class TensorReport:
    """What a run did to a tensor, by step."""

    name: str
    component: str
    elements: int
    copied: bool
    non_finite: int
    effects: dict[str, Effect]


@dataclass(frozen=True)
class Report:
    """What each input, step and tensor did in a run."""

    weightsmith: str
    inputs: list[InputReport]
    keys: list[ModelKeys]
    adapters: list[AdapterResult]
    steps: list[StepReport]
    outputs: list[OutputReport]
    tensors: list[TensorReport]
    notes: list[str]
    warnings: list[str]
    bytes_read: int
    bytes_written: int
    seconds: float
    sampled: bool
    sampled_share: float
    resumed: bool


T = TypeVar("T")

_hints = cache(get_type_hints)


def _value(kind: Any, data: Any) -> Any:
    if is_dataclass(kind):
        return _object(kind, data)
    if data is None:
        return None
    arguments = get_args(kind)
    if get_origin(kind) is list:
        return [_value(arguments[0], item) for item in data]
    if get_origin(kind) is dict:
        return {key: _value(arguments[1], item) for key, item in data.items()}
    of_class = [kind for kind in arguments if is_dataclass(kind)]
    return _value(of_class[0], data) if of_class else data


def _object(kind: Any, data: dict[str, Any]) -> Any:
    hints = _hints(kind)
    given = {}
    for each in fields(kind):
        if each.name in data or (each.default is MISSING and each.default_factory is MISSING):
            given[each.name] = _value(hints[each.name], data[each.name])
    return kind(**given)


def from_json(kind: type[T], text: str) -> T:
    """The dataclass of what the engine says as JSON."""
    result: T = _object(kind, json.loads(text))
    return result


def list_from_json(kind: type[T], text: str) -> list[T]:
    return [_object(kind, item) for item in json.loads(text)]
