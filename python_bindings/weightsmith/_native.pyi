"""The engine of weightsmith; use the package weightsmith."""

from typing import Any


version: str = '0.1.0'

class Checkpoint:
    @staticmethod
    def open(path: str) -> Checkpoint: ...

    @property
    def format(self) -> str: ...

    @property
    def metadata(self) -> dict[str, str] | None: ...

    def keys(self) -> list[str]: ...

    def has(self, name: str) -> bool: ...

    def anatomy(self) -> dict[str, Any]: ...

    def blocks(self) -> list[tuple[str, str, str | None]]: ...

class Bytes:
    """What the memory of a view belongs to."""

class Tensor:
    def __init__(self, checkpoint: Checkpoint, name: str) -> None: ...

    @property
    def name(self) -> str: ...

    @property
    def dtype(self) -> str: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def nbytes(self) -> int: ...

    def view(self) -> memoryview:
        """
        Its bytes, whatever the dtype: pages of the file, which may be written to as those of an array may.
        """

    def copy_bytes(self) -> memoryview:
        """Its bytes in memory of their own."""

    def __dlpack__(self, **kwargs: Any) -> Any: ...

    def __dlpack_device__(self) -> tuple[int, int]: ...

def save(path: str, tensors: dict[str, Any], metadata: dict[str, str] | None, overwrite: bool, sync: bool) -> None: ...
