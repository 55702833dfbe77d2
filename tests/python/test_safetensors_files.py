"""Files that we lay out are the reference's to the byte, and it reads them; we read what it writes."""

import json
import random
import subprocess

import numpy as np
import pytest
from safetensors import TensorSpec, deserialize, safe_open, serialize
from safetensors.numpy import save, save_file

from support import built, header_of, probe

# The package's names of dtypes, and the bytes of an element (of two, for the last).
DTYPES = {
    "bool": 1, "int8": 1, "uint8": 1, "float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e8m0fnu": 1, "float8_e4m3fnuz": 1,
    "float8_e5m2fnuz": 1, "int16": 2, "uint16": 2, "float16": 2, "bfloat16": 2, "int32": 4, "uint32": 4, "float32": 4,
    "complex64": 8, "float64": 8, "int64": 8, "uint64": 8, "float4_e2m1fn_x2": 1,
}  # fmt: skip
NAMES = ["", "a", "A", "model.diffusion_model.input_blocks.0.0.weight", "é", "e\u0301", "重み", "🎨", "a/b\\c", '"quoted"',
         "tab\tnew\nline", "\0", "\x1f\x7f", "\u2028", "x" * 5000, "\ufeff", "~", "Z.z", "a.10", "a.9"]  # fmt: skip


def rewrite(alignment, source, target):
    subprocess.run([built("header_probe"), "--rewrite", str(alignment), source, target], check=True)


def random_checkpoint(generator, count):
    """The bytes of a file as the reference writes it."""
    specs, keep = {}, []
    for _ in range(count):
        dtype = generator.choice(list(DTYPES))
        shape = [generator.randint(0, 6) for _ in range(generator.randint(dtype == "float4_e2m1fn_x2", 4))]
        size = int(np.prod(shape, dtype=np.int64)) * DTYPES[dtype]
        keep.append(np.frombuffer(generator.randbytes(max(size, 1)), dtype=np.uint8))
        name = generator.choice(NAMES) + generator.choice(["", "", ".weight", str(generator.randint(0, 99))])
        specs[name] = TensorSpec(dtype=dtype, shape=shape, data_ptr=keep[-1].ctypes.data, data_len=size)
    metadata = generator.choice([None, {}, {"format": "pt"}, {generator.choice(NAMES): generator.choice(NAMES)}])
    if not specs and not metadata:
        metadata = None  # for nothing and {}, the reference writes a file that it cannot read
    return bytes(serialize(specs, metadata=metadata))


@pytest.mark.parametrize("seed", range(40))
def test_alignment_8_is_the_reference_to_the_byte(tmp_path, seed):
    generator = random.Random(seed)
    content = random_checkpoint(generator, seed % 25)
    source, target = tmp_path / "source.safetensors", tmp_path / "target.safetensors"
    source.write_bytes(content)
    rewrite(8, source, target)
    assert target.read_bytes() == content


def test_every_dtype_sorts_as_in_the_reference(tmp_path):
    data = np.zeros(64, dtype=np.uint8)
    specs = {
        f"t{i}": TensorSpec(dtype=dtype, shape=[2, 2], data_ptr=data.ctypes.data, data_len=4 * DTYPES[dtype])
        for i, dtype in enumerate(DTYPES)
    }
    source, target = tmp_path / "source.safetensors", tmp_path / "target.safetensors"
    source.write_bytes(bytes(serialize(specs, metadata=None)))
    rewrite(8, source, target)
    assert target.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("alignment", [1, 64, 4096, 1 << 16])
def test_any_alignment_is_read_by_the_reference(tmp_path, alignment):
    content = random_checkpoint(random.Random(alignment), 20)
    source, target = tmp_path / "source.safetensors", tmp_path / "target.safetensors"
    source.write_bytes(content)
    rewrite(alignment, source, target)
    _, data_start = header_of(target)
    assert data_start % alignment == 0
    assert dict(deserialize(target.read_bytes())) == dict(deserialize(content))


def test_metadata_of_many_keys_is_sorted_and_kept(tmp_path):
    metadata = {f"{name}{i}": name * 2 for i, name in enumerate(NAMES)}
    source, target = tmp_path / "source.safetensors", tmp_path / "target.safetensors"
    save_file({"a": np.ones(3, np.float32)}, source, metadata=metadata)
    rewrite(8, source, target)
    header, _ = header_of(target)
    assert header["__metadata__"] == metadata
    assert list(header["__metadata__"]) == sorted(metadata, key=lambda key: key.encode())
    with safe_open(target, "np") as file:
        assert file.metadata() == metadata


def test_shards_are_read_as_the_whole(tmp_path):
    generator = np.random.default_rng(5)
    tensors = {f"layers.{i}.weight": generator.standard_normal((7, i)).astype(np.float16) for i in range(30)}
    weight_map = {}
    for shard in range(3):
        name = f"model-{shard + 1:05}-of-00003.safetensors"
        part = {key: value for i, (key, value) in enumerate(tensors.items()) if i % 3 == shard}
        save_file(part, tmp_path / name, metadata={"format": "pt"})
        weight_map.update(dict.fromkeys(part, name))
    index = {"metadata": {"total_size": 1.5}, "weight_map": weight_map}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")
    rewrite(8, tmp_path, tmp_path / "whole.bin")
    assert (tmp_path / "whole.bin").read_bytes() == save(tensors, metadata={"format": "pt"})


def test_offsets_are_those_of_the_file(tmp_path):
    path = tmp_path / "a.safetensors"
    content = random_checkpoint(random.Random(77), 20)
    path.write_bytes(content)
    (ours,) = probe([path])
    for name, tensor in deserialize(content):
        table = ours["tensors"][name]
        assert content[table["offset"] : table["offset"] + table["bytes"]] == tensor["data"]
