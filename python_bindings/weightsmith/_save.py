"""Writing safetensors files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from weightsmith import _arguments as check
from weightsmith import _native
from weightsmith._jobs import keep_existing
from weightsmith._tensors import entries


def save(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Any],
    *,
    metadata: Mapping[str, str] | None = None,
    overwrite: bool = False,
    sync: bool = True,
) -> None:
    """Writes a safetensors file of numpy arrays, tensors of PyTorch and tensors of open checkpoints, mixed as you
    like. Those of checkpoints are streamed: nothing is held in memory. The file appears complete or not at all; an
    existing one is kept unless `overwrite`, and may be one that tensors come from. With `sync` it is on disk when
    this returns."""
    written = check.path("save: path", path)
    keep = {"overwrite": check.flag("save: overwrite", overwrite)}
    wait = check.flag("save: sync", sync)
    said = None if metadata is None else check.texts_by_name("save: metadata", metadata)
    given = entries("save: tensors", tensors)
    keep_existing(written, keep)
    _native.save(written, given, said, keep["overwrite"], wait)
