"""The Python package reads what the safetensors package reads, without copies, and safely."""

import gc
import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import support
import torch_files as tf

PACKAGE = support.build() / "python"
sys.path.insert(0, str(PACKAGE))

import weightsmith as ws  # noqa: E402


def some_tensors():
    random = np.random.default_rng(5)
    tensors = {}
    for name, dtype in support.DTYPES.items():
        values = random.integers(0, 2, (5, 3, 2)) if name == "BOOL" else random.normal(size=(5, 3, 2)) * 20
        tensors[f"b.{name}"] = values.astype(dtype)
    tensors["a.scalar"] = np.float32(2.5).reshape(())
    tensors["a.empty"] = np.zeros((0, 7), np.float16)
    tensors["c.large"] = random.normal(size=(300, 1000)).astype(np.float32)
    return tensors


@pytest.fixture
def tensors():
    return some_tensors()


@pytest.fixture
def path(tmp_path, tensors):
    support.write(tmp_path / "model.safetensors", tensors, {"title": "Bär", "empty": ""})
    return tmp_path / "model.safetensors"


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def resident():
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def run_python(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)}, capture_output=True, text=True, timeout=120)


# What it gives


def test_it_is_a_mapping_of_names_in_order(path, tensors):
    with ws.open(path) as model:
        assert list(model) == sorted(tensors)
        assert len(model) == len(tensors)
        assert "c.large" in model and "c" not in model and 3 not in model
        assert model.keys() == tensors.keys()
        with pytest.raises(KeyError):
            model["c.larg"]
        assert model.get("nothing") is None


def test_what_the_header_says_is_known_without_reading(path, tensors):
    with ws.open(str(path)) as model:
        assert model.metadata == {"title": "Bär", "empty": ""}
        assert model.format == "safetensors"
        for name, array in tensors.items():
            tensor = model[name]
            assert tensor.name == name
            assert tensor.shape == array.shape
            assert tensor.dtype == support.NAMES[array.dtype]
            assert tensor.nbytes == array.nbytes


def test_keys_of_metadata_are_whole_whatever_is_in_them(tmp_path):
    support.write(tmp_path / "m.safetensors", {}, {"a\0b": "c\0d", "é": ""})
    with ws.open(tmp_path / "m.safetensors") as model:
        assert model.metadata == {"a\0b": "c\0d", "é": ""}


def test_every_dtype_reads_as_the_safetensors_package_reads_it(path):
    expected = support.read(path).tensors
    with ws.open(path) as model:
        for name, array in expected.items():
            assert same(model[name].numpy(), array), name
            assert same(model[name].copy(), array), name
            assert same(np.asarray(model[name]), array), name
            assert bytes(model[name].view()) == array.tobytes()


def test_dtypes_of_eight_bits_that_the_safetensors_package_has_no_arrays_of(tmp_path):
    codes = np.arange(256, dtype=np.uint8)
    for name in ("F8_E4M3", "F8_E5M2"):
        support.write(tmp_path / "f.safetensors", {"w": codes.view(support.DTYPES[name])})
        with ws.open(tmp_path / "f.safetensors") as model:
            array = model["w"].numpy()
            assert array.dtype == support.DTYPES[name]
            assert array.tobytes() == codes.tobytes()


def test_buffers_have_shape_and_format(path, tensors):
    with ws.open(path) as model:
        buffer = memoryview(model["c.large"])
        assert (buffer.format, buffer.shape, buffer.contiguous) == ("f", (300, 1000), True)
        assert buffer[2, 3] == tensors["c.large"][2, 3]
        assert bytes(model["b.I64"]) == tensors["b.I64"].tobytes()
        with pytest.raises(BufferError, match="BF16"):
            memoryview(model["b.BF16"])


def test_parts_are_indexed_as_numpy_indexes(path, tensors):
    with ws.open(path) as model:
        for key in (5, slice(3, 9), (slice(None), 7), (Ellipsis, slice(10, 2, -3)), ([1, 5], slice(2))):
            assert same(np.asarray(model["c.large"][key]), np.asarray(tensors["c.large"][key]))
        assert len(model["c.large"]) == 300
        with pytest.raises(TypeError):
            len(model["a.scalar"])


def test_conversions_to_arrays_copy_only_where_asked(path):
    with ws.open(path) as model:
        as_double = np.asarray(model["b.F32"], dtype=np.float64)
        assert as_double.dtype == np.float64
        with pytest.raises(ValueError, match="copy"):
            model["b.BF16"].__array__(np.float32, copy=False)
        assert model["b.BF16"].__array__(np.float32).dtype == np.float32
        assert model["b.BF16"].__array__(copy=True).dtype == ml_dtypes.bfloat16


def test_a_ckpt_is_read_with_its_strides_and_nothing_is_run(tmp_path):
    values = np.arange(24, dtype=np.float32)
    (tmp_path / "m.ckpt").write_bytes(tf.saved(
        {"whole": tf.tensor("0", (4, 6)), "turned": tf.tensor("0", (6, 4), (1, 6), numel=24)},
        {"0": values.tobytes()}))
    with ws.open(tmp_path / "m.ckpt") as model:
        assert model.format == "torch-zip"
        assert np.array_equal(model["whole"].numpy(), values.reshape(4, 6))
        assert np.array_equal(model["turned"].numpy(), values.reshape(4, 6).T)
        assert model["turned"][1].tolist() == [1, 7, 13, 19]


def test_a_folder_of_shards_is_one_mapping(tmp_path, tensors):
    names = sorted(tensors)
    shards = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for shard, own in shards.items():
        support.write(tmp_path / shard, {name: tensors[name] for name in own})
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(
        {"metadata": {}, "weight_map": {name: shard for shard, own in shards.items() for name in own}}))
    with ws.open(tmp_path) as model:
        assert sorted(model) == names
        assert all(same(model[name].numpy(), tensors[name]) for name in names)


def test_a_part_of_a_tensor_is_read_without_the_rest(tmp_path):
    rows = 1 << 20
    header = json.dumps({"huge": {"dtype": "F32", "shape": [rows, 4096], "data_offsets": [0, rows << 14]}}).encode()
    with open(tmp_path / "huge.safetensors", "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + (rows << 14))  # 16 GiB of zeros that take no place
        file.seek(8 + len(header) + (1000 << 14))
        file.write(np.arange(4096, dtype=np.float32).tobytes())
    before = resident()
    with ws.open(tmp_path / "huge.safetensors") as model:
        assert np.array_equal(model["huge"][1000], np.arange(4096, dtype=np.float32))
    assert resident() - before < 1 << 30


def test_what_a_checkpoint_is(weightsmith, tmp_path):
    weightsmith("synth", "sdxl", "--scale", "tiny", "-o", "sdxl.safetensors")
    with ws.open(tmp_path / "sdxl.safetensors") as model:
        assert (model.architecture, model.variant, model.layout) == ("sdxl", "base", "sgm")
        assert set(model.components) == {"unet", "clip_l", "clip_g", "vae"}
        assert sum(map(len, model.components.values())) == len(model)
        assert all(name.startswith("first_stage_model.") for name in model.components["vae"])
        assert "sdxl" in repr(model)


def test_blocks_are_those_that_the_command_line_prints(weightsmith, tmp_path):
    weightsmith("synth", "sd15", "--scale", "tiny", "-o", "sd1.safetensors")
    printed = json.loads(weightsmith("blocks", "sd1.safetensors", "--json").stdout)
    with ws.open(tmp_path / "sd1.safetensors") as model:
        blocks = model.blocks()
    assert [block._asdict() for block in blocks] == printed
    places = {block.name: block for block in blocks}
    assert places["model.diffusion_model.input_blocks.4.1.norm.weight"][1:] == ("unet.in.4", "IN04")
    assert places["first_stage_model.decoder.conv_in.weight"][1:] == ("vae.decoder", "BASE")


# How long it lives, and who may write


def test_arrays_outlive_the_checkpoint_and_the_file(path, tensors):
    with ws.open(path) as model:
        array = model["c.large"].numpy()
        tensor = model["c.large"]
    del model
    path.unlink()
    gc.collect()
    assert same(array, tensors["c.large"])
    assert same(tensor.numpy(), tensors["c.large"])


def test_writing_to_an_array_changes_neither_the_file_nor_another_array(path, tensors):
    before = path.read_bytes()
    with ws.open(path) as model:
        mine, other = model["c.large"].numpy(), model["c.large"].numpy()
        mine[:] = 7
        assert same(other, tensors["c.large"])
        assert same(model["c.large"].copy(), tensors["c.large"])
        assert (mine == 7).all()
    assert path.read_bytes() == before


def test_a_closed_checkpoint_says_so(path):
    model = ws.open(path)
    model.close()
    model.close()
    for use in (lambda: model["c.large"], lambda: list(model), lambda: len(model), lambda: model.metadata):
        with pytest.raises(ValueError, match="closed"):
            use()
    assert "closed" in repr(model)


def test_a_copy_of_a_truncated_file_is_an_error_and_no_crash(path):
    with ws.open(path) as model:
        tensor = model["c.large"]
        os.truncate(path, 5000)
        with pytest.raises(ws.FormatError, match="model.safetensors"):
            tensor.copy()


def test_open_files_and_tensors_are_not_pickled(path):
    with ws.open(path) as model:
        for thing in (model, model["c.large"]):
            with pytest.raises(TypeError, match="pickle"):
                pickle.dumps(thing)
        assert same(pickle.loads(pickle.dumps(model["c.large"].copy())), some_tensors()["c.large"])


def test_threads_may_share_a_checkpoint(path, tensors):
    with ws.open(path) as model, ThreadPoolExecutor(8) as pool:
        names = list(tensors) * 40
        for name, array in zip(names, pool.map(lambda n: model[n].copy(), names)):
            assert same(array, tensors[name])


def test_a_fork_may_go_on_reading(path):
    code = """
import os, sys, weightsmith
model = weightsmith.open(sys.argv[1])
view = model["c.large"].numpy()
child = os.fork()
total = float(view.sum()) + float(model["c.large"].copy().sum())
if child == 0:
    os._exit(0 if model["c.large"].numpy().sum() == view.sum() else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = run_python(code, path)
    assert (done.stdout, done.returncode) == ("0\n", 0), done.stderr


@pytest.mark.parametrize("opens", support.chosen([1000, 10_000], 1000))
def test_thousands_of_opens_leak_nothing(path, opens):
    code = """
import os, sys, weightsmith
def memory():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")
def use():
    with weightsmith.open(sys.argv[1]) as model:
        model["c.large"].numpy()[0]; model.metadata; model["b.I32"].copy(); memoryview(model["b.F16"])
for _ in range(500): use()
before, files = memory(), len(os.listdir("/proc/self/fd"))
for _ in range(int(sys.argv[2])): use()
print((memory() - before) >> 10, len(os.listdir("/proc/self/fd")) - files)
"""
    done = run_python(code, path, str(opens))
    assert done.returncode == 0, done.stderr
    kib, files = map(int, done.stdout.split())
    assert kib < 2048 and files == 0


# What goes wrong


def test_a_missing_file_is_a_file_not_found_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.safetensors"):
        ws.open(tmp_path / "nothing.safetensors")
    assert issubclass(ws.MissingFileError, ws.FormatError)


def test_errors_have_the_message_of_the_command_line(weightsmith, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"\x05\0\0\0\0\0\0\0{nope")
    with pytest.raises(ws.FormatError) as caught:
        ws.open(tmp_path / "bad.safetensors")
    printed = weightsmith("info", str(tmp_path / "bad.safetensors"), status=caught.value.status).stderr
    assert caught.value.args[0] in printed
    assert isinstance(caught.value, ws.Error)


# The package itself


def test_importing_it_imports_nothing_heavy():
    done = run_python(
        "import sys, weightsmith; print([m for m in ('numpy', 'torch', 'ml_dtypes', 'dataclasses') if m in sys.modules])")
    assert done.stdout == "[]\n", done.stderr


def test_without_ml_dtypes_the_message_says_what_to_do(path):
    done = run_python(
        "import sys; sys.modules['ml_dtypes'] = None\nimport weightsmith\n"
        "model = weightsmith.open(sys.argv[1])\nprint(model['b.F16'].numpy().shape)\nmodel['b.BF16'].numpy()", path)
    assert done.stdout == "(5, 3, 2)\n"
    assert "install the package ml_dtypes" in done.stderr


def test_the_version_is_that_of_the_program(weightsmith):
    assert ws.__version__ == (support.ROOT / "VERSION").read_text().strip()


def test_the_stubs_are_those_of_the_module(tmp_path):
    bindings = support.ROOT / "python_bindings"
    done = subprocess.run(
        [sys.executable, "-m", "nanobind.stubgen", "-q", "-m", "weightsmith._native",
         "-p", bindings / "stub_patterns.txt", "-o", tmp_path / "made.pyi"],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    kept = bindings / "weightsmith" / "_native.pyi"
    assert (tmp_path / "made.pyi").read_text().replace("os.PathLike", "os.PathLike[str]") == kept.read_text(), "run scripts/bless.sh"


def test_the_package_is_typed_strictly():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", os.devnull,
         support.ROOT / "python_bindings" / "weightsmith"], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
