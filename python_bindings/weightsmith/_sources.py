"""What models come from: files, tensors in memory, adapters, and steps of other models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from weightsmith import _arguments as check

if TYPE_CHECKING:
    from weightsmith import _native
    from weightsmith._model import Model, Policy, Weights
    from weightsmith._options import PathLike

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


class File:
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


Numbers = Mapping[str, Any]  # that an entry of a list has of its own


class Step:
    """An operator and what it is given. Numbers, texts, lists and mappings are checked here, where the caller is; what
    they mean to the operator is checked with the files."""

    __slots__ = ("entries", "op", "operands", "parameters", "policy")

    def __init__(
        self,
        op: str,
        operands: Mapping[str, Model],
        entries: Mapping[str, Sequence[tuple[Model, Weights | None] | tuple[Model, Weights | None, Numbers]]],
        parameters: Mapping[str, Any] | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.op = op
        self.operands = operands
        self.entries = {
            name: [_entry(f"{op}: {name}[{number}]", *entry) for number, entry in enumerate(each)]
            for name, each in entries.items()
        }
        self.parameters = {name: check.plain(f"{op}: {name}", value) for name, value in (parameters or {}).items()}
        what = f"{op}: policy"
        self.policy: Policy | None = None if policy is None else check.plain(what, check.mapping(what, policy, "policies"))


def _entry(what: str, model: Model, weight: Weights | None, numbers: Numbers | None = None) -> tuple[Model, Any, Numbers]:
    own = {name: check.plain(f"{what}: {name}", value) for name, value in (numbers or {}).items()}
    return model, None if weight is None else check.plain(f"{what}: weight", weight), own
