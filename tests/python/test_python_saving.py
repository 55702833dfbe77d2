"""What the Python package writes is what the safetensors package reads, complete or not there."""

import json
import os
import signal
import subprocess
import sys
import time
import typing

import numpy as np
import pytest

import support
from test_python_reading import PACKAGE, some_tensors, ws


def test_every_dtype_is_read_back_by_the_safetensors_package(tmp_path):
    tensors = some_tensors()
    ws.save(tmp_path / "out.safetensors", tensors, metadata={"title": "Bär"})
    read = support.read(tmp_path / "out.safetensors")
    assert read.metadata == {"title": "Bär"}
    assert read.tensors.keys() == tensors.keys()
    for name, array in tensors.items():
        support.assert_same_bits(read[name], array, name)


def test_arrays_of_any_order_and_endianness_are_written_as_they_read(tmp_path):
    whole = np.arange(60, dtype=np.float32).reshape(5, 4, 3)
    tensors = {"turned": whole.T, "strided": whole[::2, :, ::-1], "big": whole.astype(">f4"), "scalar": whole[1, 1, 1]}
    ws.save(tmp_path / "out.safetensors", tensors)
    read = support.read(tmp_path / "out.safetensors")
    for name, array in tensors.items():
        assert read[name].shape == array.shape
        assert np.array_equal(read[name], array), name


def test_tensors_of_checkpoints_are_streamed_and_mixed_with_arrays(tmp_path):
    tensors = some_tensors()
    support.write(tmp_path / "in.safetensors", tensors)
    with ws.open(tmp_path / "in.safetensors") as model:
        ws.save(tmp_path / "out.safetensors", {**model, "c.large": model["c.large"].numpy() * 2})
    read = support.read(tmp_path / "out.safetensors")
    assert read.metadata == {}
    for name, array in tensors.items():
        support.assert_same_bits(read[name], array * 2 if name == "c.large" else array, name)


def test_a_file_may_be_replaced_by_one_made_of_it(tmp_path):
    path = tmp_path / "model.safetensors"
    tensors = some_tensors()
    support.write(path, tensors)
    with ws.open(path) as model:
        ws.save(path, {name: model[name] for name in model if name != "c.large"}, overwrite=True)
        assert np.array_equal(model["c.large"].numpy(), tensors["c.large"])
    assert support.read(path).tensors.keys() == tensors.keys() - {"c.large"}


def test_an_existing_file_is_kept_unless_asked(tmp_path):
    path = tmp_path / "out.safetensors"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True") as caught:
        ws.save(path, {"w": np.zeros(3)})
    assert isinstance(caught.value, ws.RecipeError)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("value", [np.array(["text"]), np.zeros(3, np.complex128), np.array([object()])])
def test_what_has_no_dtype_is_refused_by_name(tmp_path, value):
    with pytest.raises(TypeError, match="'w'"):
        ws.save(tmp_path / "out.safetensors", {"w": value})
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_nothing_behind(tmp_path):
    support.write(tmp_path / "in.safetensors", {"w": np.zeros(4_000_000, np.float32)})
    with ws.open(tmp_path / "in.safetensors") as model:
        os.truncate(tmp_path / "in.safetensors", 1000)
        with pytest.raises(ws.FormatError, match="in.safetensors"):
            ws.save(tmp_path / "out.safetensors", {"w": model["w"]})
    assert [path.name for path in tmp_path.iterdir()] == ["in.safetensors"]
    with pytest.raises(ws.Error, match="nowhere"):
        ws.save(tmp_path / "nowhere" / "out.safetensors", {})


def test_ctrl_c_stops_it_and_leaves_nothing_behind(tmp_path):
    # Four times the same array: a file of 2 GiB that is far from written when the signal comes.
    code = """
import sys, numpy, weightsmith
array = numpy.zeros(1 << 27, numpy.float32)
print("go", flush=True)
weightsmith.save(sys.argv[1], {f"w{i}": array for i in range(4)}, sync=False)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "out.safetensors"],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "go\n"
    while not list(tmp_path.iterdir()) and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in stderr
    assert list(tmp_path.iterdir()) == []


def test_the_type_of_dtypes_lists_what_can_be_written():
    schema = json.loads((support.ROOT / "recipes" / "schema" / "recipe.json").read_text())
    assert set(typing.get_args(ws._jobs.DType)) == set(schema["$defs"]["dtype"]["anyOf"][0]["enum"]) - {"keep"}
