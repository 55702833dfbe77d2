"""Reading checkpoints: a mapping of names to tensors that are read when they are used."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from weightsmith import _arguments as check
from weightsmith import _native
from weightsmith._dtypes import numpy_dtype
from weightsmith._errors import MissingFileError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Tensor(_native.Tensor):
    """A tensor of an open checkpoint: name, dtype (as safetensors spells it: "BF16"), shape and nbytes are known,
    its values are read where they are asked for.

    What it gives are pages of the file, not copies: `numpy.asarray(tensor)`, `tensor.numpy()`, `torch.from_dlpack(
    tensor)`, `memoryview(tensor)`. They may be written to; that changes neither the file nor what others see. They
    stay valid after the checkpoint is closed. If somebody else truncates the file under them, touching a page that
    is gone ends the process (SIGBUS), as with any mapped file; `copy()` has no such risk.
    """

    def __init__(self, checkpoint: _native.Checkpoint, name: str) -> None:
        if not isinstance(checkpoint, _native.Checkpoint):
            raise TypeError("a Tensor is taken out of an open checkpoint: checkpoint[name]")
        super().__init__(checkpoint, name)

    def numpy(self) -> np.ndarray[Any, Any]:
        """The tensor as an array. BF16 and the F8 dtypes need the package ml_dtypes."""
        import numpy

        return numpy.frombuffer(self.view(), dtype=numpy_dtype(self.dtype)).reshape(self.shape)

    def copy(self) -> np.ndarray[Any, Any]:
        """The tensor as an array of its own memory."""
        import numpy

        return numpy.frombuffer(self.copy_bytes(), dtype=numpy_dtype(self.dtype)).reshape(self.shape)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = self.copy() if copy else self.numpy()
        if dtype is None or array.dtype == dtype:
            return array
        if copy is False:
            raise ValueError(f"{self.name!r} is {self.dtype}: as {dtype} it would be a copy")
        return array.astype(dtype)

    def __getitem__(self, key: Any) -> Any:
        """Part of the tensor, as numpy indexes: nothing else is read."""
        return self.numpy()[key]

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a tensor without axes has no length")
        return int(self.shape[0])

    def __repr__(self) -> str:
        return f"<weightsmith.Tensor {self.name!r} {self.dtype} {list(self.shape)}>"

    def __reduce__(self) -> Any:
        raise TypeError("a weightsmith.Tensor is a place in an open file and is not pickled: pickle tensor.copy()")


class TensorBlock(NamedTuple):
    """The block of a tensor, by which weights may vary: as `weightsmith blocks` says it."""

    name: str
    block: str
    """As rows of weights name it: "unet.in.3"."""
    place: str | None
    """In a list of numbers in the community's order, "IN03"; None for what such lists never merge."""


class Checkpoint(Mapping[str, Tensor]):
    """An open checkpoint: a file (safetensors, or a .ckpt of torch, of which nothing is executed), a folder of
    shards or of a diffusers pipeline. Names are in order. A context manager; what was taken out of it outlives it."""

    def __init__(self, path: str | os.PathLike[str], key: str | None = None) -> None:
        self.path = check.path("open: path", path)
        if not os.path.exists(self.path):
            raise MissingFileError(f"open: there is no file {self.path!r}")
        self._opened: _native.Checkpoint | None = _native.Checkpoint.open(self.path, key or "")

    @property
    def _native(self) -> _native.Checkpoint:
        if self._opened is None:
            raise ValueError(f"{self.path} is closed")
        return self._opened

    def __getitem__(self, name: str) -> Tensor:
        if not isinstance(name, str):
            raise KeyError(name)
        return Tensor(self._native, name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._native.has(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._native.keys())

    def __len__(self) -> int:
        return len(self._native.keys())

    @property
    def format(self) -> str:
        """ "safetensors", "sharded", "torch-zip" or "torch-legacy"."""
        return self._native.format

    @property
    def metadata(self) -> dict[str, str]:
        """Of the header; empty where it has none."""
        return self._native.metadata or {}

    @cached_property
    def _anatomy(self) -> dict[str, Any]:
        return self._native.anatomy()

    @property
    def architecture(self) -> str:
        """What it is, as `weightsmith info` says it: "sdxl", "flux1" … or "unknown"."""
        return str(self._anatomy["architecture"])

    @property
    def variant(self) -> str:
        """ "base", "inpainting", "dev" …"""
        return str(self._anatomy["variant"])

    @property
    def layout(self) -> str:
        """Whose names its tensors have: "ldm", "sgm", "comfy", "bfl", "diffusers", "hf", "component"."""
        return str(self._anatomy["layout"])

    @property
    def components(self) -> dict[str, tuple[str, ...]]:
        """The names of tensors by component: "unet", "clip_l", "vae" …"""
        return dict(self._anatomy["components"])

    def blocks(self) -> list[TensorBlock]:
        """The block of every tensor that is a weight, in the direction of the computation. Names are those of the
        architecture's own files where this one has others (diffusers)."""
        return [TensorBlock(*block) for block in self._native.blocks()]

    def close(self) -> None:
        self._opened = None

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._opened is None:
            return f"<weightsmith.Checkpoint {self.path!r}, closed>"
        return f"<weightsmith.Checkpoint {self.path!r}: {self.architecture}, {len(self)} tensors>"

    def __reduce__(self) -> Any:
        raise TypeError("a weightsmith.Checkpoint is an open file and is not pickled: pickle its path")


def open(  # noqa: A001 - as gzip.open and safe_open are called
    path: str | os.PathLike[str], *, key: str | None = None
) -> Checkpoint:
    """Opens a checkpoint by its header alone. key: of a file of torch.save that holds several dicts of tensors, which one
    is meant. Raises FormatError for a file that is none, and MissingFileError,
    which is a FileNotFoundError too, where there is none."""
    return Checkpoint(path, key)
