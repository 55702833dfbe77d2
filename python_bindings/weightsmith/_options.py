"""How to run: the same words wherever something is computed or written."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypedDict

from weightsmith import _arguments as check
from weightsmith import _native
from weightsmith._errors import RecipeError, RecipeWarning

PathLike = str | os.PathLike[str]


class Progress(NamedTuple):
    """How far a run is."""

    phase: str
    """What is being done: "merging"."""
    bytes_done: int
    bytes_total: int
    seconds: float


class ComputeOptions(TypedDict, total=False):
    """How to compute. The bytes of a result depend on none of it."""

    threads: int
    """Threads that compute; by default the physical cores."""
    max_memory: int | str
    """Hold no more than this, or refuse to start: bytes, or "2GB"."""
    io: Literal["map", "read"]
    """Read inputs by mapping or by positioned reads; by default what is faster where the file lies."""
    progress: Callable[[Progress], object]
    """Called on the calling thread, many times a second and at the end; what it raises stops the run."""


class RunOptions(ComputeOptions, total=False):
    """How to run what writes files."""

    overwrite: bool
    """Replace an output that exists."""
    make_folders: bool
    """Make the folder of the output."""
    sync: bool
    """False: do not wait until the output is safe on disk."""
    keep_cache: bool
    """False: leave nothing of inputs and outputs in the page cache."""
    digests: bool
    """False: take no digests of what is read and written; `verify` cannot find the inputs again."""
    sha256: bool
    """SHA-256 of inputs and outputs; costs more than merging."""
    by_tensor: bool
    """The report has a row for every tensor."""
    resume: bool
    """True: what is done stays when the run is interrupted, and the same call goes on from there. Otherwise it is
    removed."""
    trust_partial: bool
    """True: with `resume`, what an interrupted run wrote is not read back before it is used."""
    part: tuple[int, int]
    """(i, n): compute part i of n, from 1. Calls that are the same beside it compute the others, in any order or in
    other processes at the same time; the one that finds all done ends the run, with the bytes of one that is not
    divided. The reports of the others have `tensors_left` alone. What a part has done stays as with `resume`."""


_MOST_BYTES = 2**64 - 1
_MOST_THREADS = 1024
_MOST_PARTS = 2**32 - 1


def size(what: str, value: int | str) -> int:
    """Bytes: a number, or words such as "2GB"."""
    if isinstance(value, str):
        return _native.parse_bytes(what, value)
    if not hasattr(value, "__index__"):
        raise check.wrong(what, value, 'bytes, or a text such as "2GB"')
    return check.whole_number(what, value, 0, _MOST_BYTES)


def _part(value: Any) -> tuple[int, int]:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise check.wrong("part", value, "two whole numbers: (1, 3)")
    count = check.whole_number("part[1]", value[1], 1, _MOST_PARTS)
    return check.whole_number("part[0]", value[0], 1, count), count


def _option(name: str, value: Any) -> Any:
    if name == "threads":
        return check.whole_number(name, value, 0, _MOST_THREADS)
    if name == "max_memory":
        return size(name, value)
    if name == "io":
        if check.text(name, value) not in ("map", "read"):
            raise RecipeError(f"io is {value!r}, expected 'map' or 'read'")
        return value
    if name == "part":
        return _part(value)
    if name == "progress":
        if not callable(value):
            raise check.wrong(name, value, "a function")
        return value
    return check.flag(name, value)


def native_options(
    options: Mapping[str, Any], *, of: type[ComputeOptions] = RunOptions
) -> tuple[dict[str, Any], Callable[[str, int, int, float], object] | None]:
    """The engine's options, checked, and its progress callback. `of`: those that there are."""
    known = sorted({**ComputeOptions.__annotations__, **of.__annotations__})
    for key in options:
        if key not in known:
            raise TypeError(f"there is no option {key!r}; the options are {', '.join(known)}")
    given = {key: _option(key, value) for key, value in options.items() if value is not None}
    progress = given.pop("progress", None)
    if progress is None:
        return given, None
    return given, lambda phase, done, total, seconds: progress(Progress(phase, done, total, seconds))


def warn(lines: Iterable[str]) -> None:
    """Warnings, at the line outside of this package that led to them."""
    import sys

    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "weightsmith":
        frame, level = frame.f_back, level + 1
    for line in lines:
        warnings.warn(line, RecipeWarning, stacklevel=level)


def model_folders(folders: Iterable[PathLike]) -> list[str]:
    """Where models are looked for: these, then the folders of $WEIGHTSMITH_MODELS."""
    more = os.environ.get("WEIGHTSMITH_MODELS", "").split(":")
    return check.paths("models", folders) + [folder for folder in more if folder]
