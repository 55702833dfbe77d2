"""Checks of arguments, before the engine sees them. A wrong type is a TypeError and a wrong value a RecipeError; both say
what was given and what is expected."""

from __future__ import annotations

import numbers
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from weightsmith._errors import RecipeError


def described(value: Any) -> str:
    """As messages name it: None, 3 (an int), a list."""
    if value is None or isinstance(value, bool):
        return repr(value)
    name = type(value).__name__
    article = "an" if name[0] in "aeiou" else "a"
    if isinstance(value, int | float | complex | str | bytes):
        text = repr(value)
        return f"{text if len(text) <= 60 else text[:57] + '...'} ({article} {name})"
    return f"{article} {name}"


def wrong(what: str, value: Any, expected: str) -> TypeError:
    return TypeError(f"{what} is {described(value)}, expected {expected}")


def path(what: str, value: Any) -> str:
    if not isinstance(value, str | os.PathLike):
        raise wrong(what, value, "a path (str or os.PathLike)")
    text = os.fsdecode(value)
    if not text:
        raise RecipeError(f"{what} is empty, expected a path")
    if "\0" in text:
        raise RecipeError(f"{what} is {text!r}: a path has no zero byte")
    return text


def text(what: str, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong(what, value, "a str")
    return unicode(what, value)


def unicode(what: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RecipeError(f"{what} is {value!r}, which is not valid Unicode") from None
    return value


def flag(what: str, value: Any) -> bool:
    # numpy's bool is none of Python's.
    if not isinstance(value, bool) and type(value).__name__ not in ("bool", "bool_"):
        raise wrong(what, value, "True or False")
    return bool(value)


def whole_number(what: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise wrong(what, value, "a whole number")
    number = int(value.__index__())
    if not low <= number <= high:
        raise RecipeError(f"{what} is {number}, expected {low} to {high}")
    return number


def mapping(what: str, value: Any, of: str) -> Mapping[str, Any]:
    """A mapping whose keys are texts; `of` says what it maps."""
    if not isinstance(value, Mapping):
        raise wrong(what, value, f"a mapping of {of}")
    for key in value:
        if not isinstance(key, str):
            raise wrong(f"a key of {what}", key, "a str")
        unicode(f"a key of {what}", key)
    return value


def texts_by_name(what: str, value: Any) -> dict[str, str]:
    return {key: text(f"{what}[{key!r}]", item) for key, item in mapping(what, value, "str to str").items()}


def items(what: str, value: Any, of: str) -> list[Any]:
    """A list or another iterable that is neither a text nor a mapping; `of` says what is in it."""
    if isinstance(value, str | bytes | Mapping | os.PathLike) or not isinstance(value, Iterable):
        raise wrong(what, value, f"a list of {of}")
    return list(value)


def paths(what: str, value: Any) -> list[str]:
    return [path(f"{what}[{number}]", item) for number, item in enumerate(items(what, value, "paths"))]


def plain(what: str, value: Any) -> Any:
    """A value as a recipe writes it: a number, a text, or lists and mappings of such."""
    if isinstance(value, str):
        return unicode(what, value)
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(f"{what}[{key!r}]", item) for key, item in value.items()}
    is_array = hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0
    if (isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview)) or is_array:
        return [plain(f"{what}[{number}]", item) for number, item in enumerate(value)]
    # Complex numbers of numpy can be cast, which drops a part of them.
    imaginary = isinstance(value, numbers.Complex) and not isinstance(value, numbers.Real)
    try:
        castable = not imaginary and (hasattr(value, "__float__") or hasattr(value, "__index__"))
        number = float(value) if castable else None
    except (TypeError, ValueError):
        number = None
    if number is None:
        raise wrong(what, value, "a number, a text, a list or a mapping")
    if number != number or number in (float("inf"), float("-inf")):
        raise RecipeError(f"{what} is {number}, expected a finite number")
    return number
