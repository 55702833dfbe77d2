"""Writing safetensors files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from weightsmith import _native
from weightsmith._dtypes import safetensors_name
from weightsmith._errors import OutputExistsError


def entry(name: str, value: Any) -> Any:
    """What the engine takes: a lazy tensor, a contiguous tensor of PyTorch, or dtype, shape and bytes."""
    if isinstance(value, _native.Tensor):
        return value
    if hasattr(value, "detach"):
        return value.detach().cpu().contiguous()
    import numpy

    array = numpy.asarray(value, order="C")
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return safetensors_name(array.dtype, name), array.shape, array.reshape(-1).view(numpy.uint8)


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
    if not overwrite and os.path.lexists(path):
        raise OutputExistsError(f"'{os.fspath(path)}' already exists", "Pass overwrite=True to replace it.")
    entries = {name: entry(name, value) for name, value in tensors.items()}
    _native.save(os.fspath(path), entries, None if metadata is None else dict(metadata), overwrite, sync)
