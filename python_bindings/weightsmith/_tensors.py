"""Tensors in memory: arrays of numpy, tensors of PyTorch, tensors of open checkpoints, and dicts of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from weightsmith import _native
from weightsmith._arguments import mapping, wrong
from weightsmith._dtypes import safetensors_name

_EXPECTED = "an array, a tensor of PyTorch or a tensor of an open checkpoint"
_FLOATS = {"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"}

# Buffers that training or loaders keep: they count or number things and are never merged.
_BUFFERS = ("position_ids", "num_batches_tracked", "num_updates", "token_type_ids", "relative_position_index")


def is_torch(value: Any) -> bool:
    return hasattr(value, "detach") and hasattr(value, "cpu")


def is_array(value: Any) -> bool:
    """An array, or a scalar of numpy."""
    return hasattr(value, "dtype") and hasattr(value, "shape") and not is_torch(value)


def is_tensor(value: Any) -> bool:
    return isinstance(value, _native.Tensor) or is_torch(value) or is_array(value)


def dtype_name(value: Any) -> str:
    """How its own package calls its dtype: "float32", "BF16"."""
    return str(getattr(value.dtype, "name", value.dtype)).removeprefix("torch.")


def entry(what: str, value: Any) -> Any:
    """What the engine takes: a lazy tensor, a contiguous tensor of PyTorch, or dtype, shape and bytes. TypeError for what
    is no tensor, or has elements that safetensors has no dtype for."""
    if isinstance(value, _native.Tensor):
        return value
    if is_torch(value):
        return _torch_entry(what, value)
    if not is_array(value):
        raise wrong(what, value, _EXPECTED)
    import numpy

    if isinstance(value, numpy.ma.MaskedArray):
        raise TypeError(f"{what} is a masked array: fill it first, such as with .filled(0)")
    array = numpy.asarray(value, order="C")
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return safetensors_name(array.dtype, what), array.shape, array.reshape(-1).view(numpy.uint8)


def _torch_entry(what: str, value: Any) -> Any:
    if str(value.layout) != "torch.strided" or value.is_quantized or value.is_meta:
        kind = "meta" if value.is_meta else "quantised" if value.is_quantized else str(value.layout).removeprefix("torch.")
        raise TypeError(f"{what} is a {kind} tensor, expected a dense one that holds its values")
    # Views may say "conjugated" or "negated" without having done so.
    return value.detach().cpu().resolve_conj().resolve_neg().contiguous()


def expect_tensors(what: str, tensors: Any) -> Mapping[str, Any]:
    """TypeError for what is no mapping of names to tensors."""
    checked = mapping(what, tensors, "names to tensors")
    for name, value in checked.items():
        if not is_tensor(value):
            raise wrong(f"{what}[{name!r}]", value, _EXPECTED)
    return checked


def entries(what: str, tensors: Any) -> dict[str, Any]:
    """Those of a mapping of names to tensors."""
    return {name: entry(f"{what}[{name!r}]", value) for name, value in expect_tensors(what, tensors).items()}


def is_float(value: Any) -> bool:
    """Whether the engine computes with its elements."""
    if isinstance(value, _native.Tensor):
        return value.dtype in _FLOATS
    if is_torch(value):
        return bool(value.dtype.is_floating_point)
    import numpy

    dtype = value.dtype if isinstance(value.dtype, numpy.dtype) else numpy.asarray(value).dtype
    return dtype.kind == "f" or dtype.name in ("bfloat16", "float8_e4m3fn", "float8_e5m2")


def expect_weight(what: str, value: Any) -> None:
    """TypeError for a single tensor whose elements are not computed with."""
    if not is_float(value):
        raise TypeError(
            f"{what} is a tensor of {dtype_name(value)}, and weights are floating numbers: convert it, such as to float32"
        )


def expect_buffers(op: str, state_dicts: Sequence[Mapping[str, Any]], *, alone: bool) -> None:
    """TypeError for tensors of integers, booleans or complex numbers that would be copied and are no buffers, whose
    values agree in all models, or only count something. `alone`: there are no operands but these."""
    for name in dict.fromkeys(name for state_dict in state_dicts for name in state_dict):
        first, *others = (state_dict[name] for state_dict in state_dicts if name in state_dict)
        if is_float(first) or name.rpartition(".")[2] in _BUFFERS:
            continue
        if all(_same(first, other) for other in others) and (others or not alone):
            continue
        reason = "differ between the operands" if others else "are in one operand alone"
        raise TypeError(
            f"{op}: {name!r} is a tensor of {dtype_name(first)} whose values {reason}. Weights are floating numbers, and "
            "buffers are the same in all models: convert it, such as to float32, or take it out of the dict"
        )


def _bytes_of(value: Any) -> Any:
    if isinstance(value, _native.Tensor):
        return bytes(value.view())
    if is_torch(value):
        import torch  # type: ignore[import-not-found,unused-ignore]

        return value.detach().cpu().resolve_conj().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return value.tobytes()


def _same(one: Any, other: Any) -> bool:
    return tuple(one.shape) == tuple(other.shape) and bool(_bytes_of(one) == _bytes_of(other))
