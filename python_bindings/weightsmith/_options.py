"""How to run: the same words wherever something is computed or written."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypedDict

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


_KNOWN = {**ComputeOptions.__annotations__, **RunOptions.__annotations__}


def native_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], Callable[[str, int, int, float], object] | None]:
    """The engine's options, and its progress callback."""
    given = {key: value for key, value in options.items() if value is not None}
    for key in given:
        if key not in _KNOWN:
            raise TypeError(f"there is no option {key!r}; there are {', '.join(sorted(_KNOWN))}")
    progress = given.pop("progress", None)
    if isinstance(given.get("max_memory"), str):
        given["max_memory"] = _native.parse_bytes(given["max_memory"])
    if not 0 <= given.get("threads", 0) <= 1024:
        raise RecipeError(f"threads is {given['threads']}, expected 1 to 1024.")
    if given.get("io", "map") not in ("map", "read"):
        raise RecipeError(f"io is {given['io']!r}, expected 'map' or 'read'.")
    if progress is None:
        return given, None
    return given, lambda phase, done, total, seconds: progress(Progress(phase, done, total, seconds))


def warn(lines: Iterable[str]) -> None:
    for line in lines:
        warnings.warn(line, RecipeWarning, stacklevel=4)


def model_folders(folders: Iterable[PathLike]) -> list[str]:
    """Where models are looked for: these, then the folders of $WEIGHTSMITH_MODELS."""
    more = os.environ.get("WEIGHTSMITH_MODELS", "").split(":")
    return [os.fspath(folder) for folder in folders] + [folder for folder in more if folder]
