"""JSON that the engine says as dataclasses of _results.py."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

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
