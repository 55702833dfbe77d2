"""Dtypes of safetensors as numpy has them. Numpy and ml_dtypes are imported when they are first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_NUMPY = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "I16": "<i2",
    "U16": "<u2",
    "F16": "<f2",
    "I32": "<i4",
    "U32": "<u4",
    "F32": "<f4",
    "C64": "<c8",
    "F64": "<f8",
    "I64": "<i8",
    "U64": "<u8",
}

_ML_DTYPES = {
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}


def safetensors_name(dtype: np.dtype[Any], tensor: str) -> str:
    for name, code in _NUMPY.items():
        if dtype == code:
            return name
    for name, word in _ML_DTYPES.items():
        if dtype.name == word:
            return name
    raise TypeError(f"safetensors has no dtype for {tensor!r}, an array of {dtype}")


def numpy_dtype(name: str) -> np.dtype[Any]:
    import numpy

    if name in _NUMPY:
        return numpy.dtype(_NUMPY[name])
    if name not in _ML_DTYPES:
        raise TypeError(f"numpy has no elements below a byte, as {name} has: .view() gives the bytes")
    try:
        import ml_dtypes
    except ModuleNotFoundError as error:
        raise TypeError(
            f"numpy has no {name}: install the package ml_dtypes, or use torch.from_dlpack() or .view()"
        ) from error
    found: np.dtype[Any] = numpy.dtype(getattr(ml_dtypes, _ML_DTYPES[name]))
    return found
