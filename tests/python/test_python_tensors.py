"""What operators make of everything that may be called a tensor: floats are computed with, anything else is refused by
name, and nothing comes back as it was given."""

import re

import ml_dtypes
import numpy as np
import pytest

import support
from operator_calls import CALLS, ELSEWHERE
from test_python_reading import ws

COMPUTED = [np.float64, np.float32, np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2]
REFUSED = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.bool_, np.complex64,
           np.complex128, np.dtype("O"), np.dtype("U4"), np.dtype("S4"), np.dtype("M8[s]"), np.dtype([("x", "f4")]),
           ml_dtypes.float8_e4m3fnuz]


def three(dtype, shape=(4, 6)):
    """Values of a few bits, so that every dtype and order of sums has them exactly."""
    random = np.random.default_rng(7)
    return [(random.integers(-2, 3, shape) * 2).astype(dtype) for _ in range(3)]


def test_every_operator_is_called():
    assert sorted({*CALLS, *ELSEWHERE}) == sorted(ws._operators.__all__)


@pytest.mark.parametrize("name", support.sampled(sorted(CALLS), 6, offset=0))
def test_floats_are_computed_in_f32_and_keep_the_dtype_of_the_first(name):
    call, oracle = CALLS[name]
    for dtype in COMPUTED:
        operands = three(dtype)
        results = [call(*operands)]
        if name != "copy":  # which has no effect on a whole model
            results.append(call(*({"x": array} for array in operands))["x"])
        for found in results:
            assert isinstance(found, np.ndarray) and found.dtype == dtype and found.shape == (4, 6)
            assert not any(np.shares_memory(found, array) for array in operands)
            if oracle:
                expected = oracle(*(array.astype(np.float32) for array in operands)).astype(dtype)
                assert (found == expected).all(), dtype


@pytest.mark.parametrize("name", support.sampled(sorted(CALLS), 6, offset=1))
def test_what_is_no_float_is_refused_by_every_operator(name):
    call, _ = CALLS[name]
    floats = three(np.float32, 6)
    for dtype in map(np.dtype, REFUSED):
        operands = [np.arange(6).astype(dtype) if dtype.kind in "iubcOUSM" else np.zeros(6, dtype) for _ in range(3)]
        with pytest.raises(TypeError, match=f"{name}: .*{re.escape(dtype.name)}"):
            call(*operands)
        # Beside floats too, whichever operand it is.
        with pytest.raises(TypeError, match=f"{name}: "):
            call(operands[0], *floats[1:])


@pytest.mark.parametrize("name", support.sampled(sorted(set(CALLS) - {"copy"}), 6, offset=1))
def test_weights_of_integers_in_dicts_are_refused(name):
    call, _ = CALLS[name]
    for dtype in map(np.dtype, [np.int64, np.int8, np.uint8, np.bool_, np.complex64]):
        integers = [{"layer.weight": np.array([i == 0, i == 1, 1, 0]).astype(dtype), "x": array}
                    for i, array in enumerate(three(np.float32))]
        with pytest.raises(TypeError, match=f"{name}: 'layer.weight' is a tensor of {dtype.name}"):
            call(*integers)
        with pytest.raises(TypeError, match=f"{name}: 'layer.weight'"):
            call(*map(ws.model, integers))


@pytest.mark.parametrize("name", support.sampled(sorted(CALLS), 6, offset=2))
def test_buffers_in_dicts_are_copied(name):
    call, _ = CALLS[name]
    operands = [
        {"te.embeddings.position_ids": np.arange(3)[None], "bn.num_batches_tracked": np.array(seed), "x": array}
        for seed, array in enumerate(three(np.float32))
    ]
    if name not in ("adjust", "clamp", "copy", "ema", "noise", "passthrough", "scale", "truncate_rank"):  # of one operand
        for operand in operands:
            operand["mask"] = np.array([True, False])
    found = call(*operands) if name != "copy" else ws.copy(ws.model(operands[0])).state_dict(policy={"effect": "any"})
    if name in ("perpendicular", "scale", "subtract"):  # a difference has no buffers
        assert found.keys() == {"x"}
        return
    assert found.keys() == operands[0].keys()
    for buffer in found.keys() - {"x"}:
        support.assert_same_bits(found[buffer], operands[0][buffer], buffer)


def test_differences_of_models_with_buffers_are_added():
    a, b, c = ({"mask": np.array([1, 0]), "x": array} for array in three(np.float32))
    found = ws.add(a, ws.scale(ws.subtract(b, c), factor=0.5))
    assert (found["x"] == a["x"] + np.float32(0.5) * (b["x"] - c["x"])).all() and (found["mask"] == [1, 0]).all()


@pytest.mark.parametrize("name", support.sampled(sorted(CALLS), 6, offset=3))
def test_what_is_no_tensor_is_refused(name):
    call, _ = CALLS[name]
    for value in ([1.0, 2.0], (1.0, 2.0), 1.5, 3, 1j, True, None, b"x", {1.0}, object(), range(3)):
        for operands in ([value] * 3, [{"x": value}] * 3):
            with pytest.raises(TypeError, match=name):
                call(*operands)


@pytest.mark.parametrize("name", support.sampled(sorted(set(CALLS) - {"copy"}), 6, offset=2))
def test_nested_dicts_are_refused(name):
    call, _ = CALLS[name]
    with pytest.raises(TypeError, match=f"{name}.*'unet'.* is a dict"):
        call(*({"unet": {"x": array}} for array in three(np.float32)))


@pytest.mark.parametrize("name", support.sampled(sorted(CALLS), 6, offset=4))
def test_views_and_shapes_of_all_kinds_are_computed(name):
    call, oracle = CALLS[name]
    whole = three(np.float32, (6, 8))
    views = [array[::2, ::-1].T for array in whole]
    found = call(*views)
    assert (found == call(*(np.ascontiguousarray(view) for view in views))).all() and found.shape == (8, 3)
    scalars = call(*(array[1, 2, ...] for array in whole))
    assert scalars.shape == () and np.asarray(scalars).dtype == np.float32
    assert np.asarray(call(*(array[1, 2] for array in whole))).shape == ()  # numpy's own scalars
    assert call(*(np.zeros((0, 3), np.float32) for _ in range(3))).shape == (0, 3)
    big = [array.astype(">f4") for array in whole]
    assert (call(*big) == call(*whole)).all()
    with pytest.raises(TypeError, match="masked"):
        call(*(np.ma.masked_array(array, array > 0) for array in whole))


@pytest.mark.parametrize("name", support.sampled(sorted(CALLS), 6, offset=5))
def test_tensors_of_open_checkpoints_are_arrays(tmp_path, name):
    call, _ = CALLS[name]
    operands = three(np.float16)
    support.write(tmp_path / "x.safetensors", {**dict(zip("abc", operands)), "i": np.arange(3)})
    with ws.open(tmp_path / "x.safetensors") as model:
        lazy = [model[key] for key in "abc"]
        assert (call(*lazy) == call(*operands)).all()
        with pytest.raises(TypeError, match=f"{name}.*I64"):
            call(model["i"], model["i"], model["i"])
        assert (ws.scale(lazy[0], factor=0) == 0).all()


def test_what_differs_is_told_by_its_name():
    a, b = {"x": np.ones(3, np.float32)}, {"y": np.ones(3, np.float32)}
    for one, other in ((a, b), ({}, a), (a, {})):
        with pytest.raises(ws.Error) as caught:
            ws.weighted_sum(one, other, alpha=0.5)
        assert "std::" not in str(caught.value)
    with pytest.raises(TypeError, match="some operands are tensors and some are dicts"):
        ws.weighted_sum(a["x"], a, alpha=0.5)
