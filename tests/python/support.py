"""Small things that every end-to-end test needs: checkpoints in, checkpoints out, recipes."""

import hashlib
import json
import os
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import yaml

try:
    import safetensors
except ImportError:  # there is none for interpreters without a global lock
    safetensors = None

ROOT = Path(__file__).resolve().parents[2]

DTYPES = {
    "F64": np.dtype(np.float64),
    "F32": np.dtype(np.float32),
    "F16": np.dtype(np.float16),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "I64": np.dtype(np.int64),
    "I32": np.dtype(np.int32),
    "I8": np.dtype(np.int8),
    "U8": np.dtype(np.uint8),
    "BOOL": np.dtype(np.bool_),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
FLOATS = ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"]


@dataclass
class Checkpoint:
    """A file as the safetensors package reads it."""

    tensors: dict
    metadata: dict

    def __getitem__(self, name):
        return self.tensors[name]


def build():
    """The folder of the build that is tested."""
    return Path(os.environ.get("WEIGHTSMITH_BUILD", str(ROOT / "build" / "release")))


def header_of(path):
    """The header of a file, as JSON says it, and where the data starts."""
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        return json.loads(file.read(size)), 8 + size


def write(path, tensors, metadata=None, unaligned=False):
    """Writes a .safetensors file; `unaligned` lets its data start at an odd offset."""
    entries = {} if metadata is None else {"__metadata__": metadata}
    offset = 0
    for name, array in tensors.items():
        entries[name] = {
            "dtype": NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * ((-len(text)) % 8 + (1 if unaligned else 0))
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            file.write(np.ascontiguousarray(array).tobytes())
    return Path(path)


def read(path):
    """Reads a file with the safetensors package, where there is one: it judges it on the way."""
    header, start = header_of(path)
    metadata = header.pop("__metadata__", {})
    whole = Path(path).read_bytes()
    if safetensors:
        entries = safetensors.deserialize(whole)
    else:
        data = memoryview(whole)[start:]
        entries = [(name, {**entry, "data": data[slice(*entry["data_offsets"])]}) for name, entry in header.items()]
    tensors = {}
    for name, entry in entries:
        array = np.frombuffer(bytes(entry["data"]), dtype=DTYPES[entry["dtype"]])
        tensors[name] = array.reshape(entry["shape"])
    return Checkpoint(tensors, metadata)


def bits(array):
    """The stored bytes as integers, so that equal means equal bit for bit."""
    array = np.ascontiguousarray(array)
    return array.view(np.dtype(f"u{array.dtype.itemsize}"))


def assert_same_bits(actual, expected, what=""):
    assert actual.dtype == expected.dtype, f"{what}: {actual.dtype} instead of {expected.dtype}"
    assert actual.shape == expected.shape, f"{what}: {actual.shape} instead of {expected.shape}"
    wrong = np.flatnonzero(bits(actual).ravel() != bits(expected).ravel())
    if wrong.size:
        i = wrong[0]
        raise AssertionError(
            f"{what}: {wrong.size} of {actual.size} elements differ; first at {i}: "
            f"{actual.ravel()[i]!r} instead of {expected.ravel()[i]!r}"
        )


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_recipe(path, recipe):
    recipe = {"weightsmith": 1, **recipe}
    if Path(path).suffix == ".json":
        Path(path).write_text(json.dumps(recipe))
    else:
        Path(path).write_text(yaml.safe_dump(recipe, sort_keys=False))
    return Path(path)


def random_like(tensors, seed, scale=0.05):
    """Other values of the same names, shapes and dtypes; integers stay as they are."""
    generator = np.random.default_rng(seed)
    result = {}
    for name, array in tensors.items():
        if NAMES[array.dtype] in FLOATS:
            result[name] = (generator.standard_normal(array.shape) * scale).astype(array.dtype)
        else:
            result[name] = array
    return result


def built(name):
    """A program of the build."""
    return Path(os.environ.get("WEIGHTSMITH_BUILD", ROOT / "build" / "release")) / "bin" / name


def probe(paths):
    """What the library's reader makes of files: for each, its table or the error."""
    names = "\n".join(map(str, paths)) + "\n"
    result = subprocess.run([built("header_probe"), "-"], input=names, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()]


def sampled(cases, every=8, also=(), offset=0):
    """Cases of a parametrised test: every so-many-th of them, the first, the last and those of `also` are tried in an ordinary
    run, the others with --exhaustive. With an `offset` two tests over the same cases try different ones."""
    cases = list(cases)
    ordinary = {0, len(cases) - 1, *range(offset % every, len(cases), every)}
    if unknown := [case for case in also if case not in cases]:
        raise ValueError(f"{unknown} are not among the cases")
    return [_param(case, i in ordinary or case in also) for i, case in enumerate(cases)]


def chosen(cases, *ordinary):
    """Cases of a parametrised test: those that are named are tried in an ordinary run, the others with --exhaustive."""
    cases = list(cases)
    if unknown := [case for case in ordinary if case not in cases]:
        raise ValueError(f"{unknown} are not among the cases")
    return [_param(case, case in ordinary) for case in cases]


def _param(case, ordinary):
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=() if ordinary else pytest.mark.exhaustive)
