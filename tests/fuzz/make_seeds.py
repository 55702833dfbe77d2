"""Writes a small corpus to begin with: make_seeds.py FOLDER makes FOLDER/TARGET/ for each target."""

import json
import pickle
import struct
import sys
from pathlib import Path

import numpy

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

import adapters  # noqa: E402
import torch_files as tf  # noqa: E402

TENSOR = {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]}
HEADERS = [
    ({}, 0),
    ({"__metadata__": None}, 0),
    ({"__metadata__": {"format": "pt", "é\n\u0000🎨": '"\\/'}, "a": TENSOR}, 8),
    ({"a": {"dtype": "F4", "shape": [2, 3], "data_offsets": [0, 3]}, "b": {**TENSOR, "data_offsets": [3, 11]}}, 11),
    ({"a": {"dtype": "F64", "shape": [0, 2**64 - 1], "data_offsets": [0, 0]}}, 0),
    ({"a": {"x": [1, -2.5e3, True, None, {"y": []}], **TENSOR}, "b": {**TENSOR, "data_offsets": [8, 16]}}, 16),
    ({"a": TENSOR, "b": TENSOR}, 8),
]
INDEXES = [
    {"metadata": {"total_size": 8}, "weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}},
    {"weight_map": {"a": "../m.safetensors"}},
    {"weight_map": {}},
]


def file_of(header, data):
    text = json.dumps(header, ensure_ascii=False).encode()
    return struct.pack("<Q", len(text)) + text + bytes(data)


PICKLES = [
    tf.pickled({"w": tf.tensor("0", (2, 3)), "t": tf.tensor("0", (3, 2), (1, 2), numel=6)}),
    tf.pickled({"state_dict": {"h": tf.tensor("0", (4,), kind="HalfStorage")}, "epoch": 3, "lr": None}),
    b"\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94K\x01\x8c\x01b\x94\x8f(K\x02\x90u.",
    pickle.dumps({"w": numpy.arange(6, dtype=numpy.float32).reshape(2, 3)}, 2),
    pickle.dumps({"w": numpy.arange(6, dtype=numpy.float32).reshape(2, 3)}, 5),
    b"(lp0\nI01\naL12L\naF1.5\naS'x'\naVy\na(dp1\ng0\ns.",
]
STRANGE = [
    b"GGUF\3\0\0\0\0cos\nsystem\n.", b"\x80\x04\x95\x03\0\0\0\0\0\0\0K\x07.", b"x" + bytes(511),
    tf.saved({"g": {"w": tf.tensor("0", (2, 3))}, "h": {"w": tf.tensor("0", (2, 3))}}, {"0": bytes(range(24))}),
    tf.saved(pickle.dumps({"w": numpy.arange(6, dtype=numpy.float32).reshape(2, 3)}, 2), {}),
]
TORCH = [
    tf.saved({"w": tf.tensor("0", (2, 3)), "t": tf.tensor("0", (3, 2), (1, 2), numel=6)}, {"0": bytes(range(24))}),
    tf.saved({"e": tf.tensor("0", (4, 5), (0, 0), numel=1)}, {"0": bytes(4)}, comment=b"PK\5\6"),
    tf.legacy({"a": tf.tensor("7", (3,))}, {"7": (3, bytes(12))}),
]


def adapter_file(shapes, config=None, metadata=None):
    """As adapter_fuzz takes it: the length of a configuration, it, and a file of these tensors."""
    header, at = {} if metadata is None else {"__metadata__": metadata}, 0
    for name, shape in shapes.items():
        size = 4
        for axis in shape:
            size *= axis
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = b"" if config is None else json.dumps(config).encode()
    return struct.pack("<H", len(text)) + text + file_of(header, at)


PEFT = {
    "LORA": {"lora_A.weight": (2, 6), "lora_B.weight": (8, 2), "lora_magnitude_vector": (8,)},
    "LOKR": {"lokr_w1": (2, 2), "lokr_w2": (4, 3)},
    "ADALORA": {"lora_A": (2, 6), "lora_B": (8, 2), "lora_E": (2, 1), "ranknum": (1,)},
    "IA3": {"ia3_l": (8, 1)},
    "OFT": {"oft_R.weight": (3, 1)},
    "BOFT": {"boft_R": (1, 3, 2, 2), "boft_s": (8, 1)},
}


def adapter_files():
    """A module of every family, of a matrix and of a convolution; PEFT's, with configurations."""
    for family, shapes in adapters.FAMILIES.items():
        for module, weight in (("x", (8, 6)), ("c", (8, 6, 3, 3))):
            yield adapter_file({f"lora_unet_{module}.{end}": shape for end, shape in shapes(weight).items()})
    for kind, shapes in PEFT.items():
        config = {"peft_type": kind, "r": 2, "lora_alpha": 4, "alpha": 4, "use_rslora": True, "feedforward_modules": ["x"],
                  "rank_pattern": {"x": 2}, "alpha_pattern": {"^(x|c)": 3, ".*c": 2}, "num_cayley_neumann_terms": 4, "coft": True}
        yield adapter_file({f"base_model.model.x.{end}": shape for end, shape in shapes.items()}, config)
        metadata = {"lora_adapter_metadata": json.dumps({f"unet.{key}": value for key, value in config.items()})}
        yield adapter_file({f"unet.x.{end}": shape for end, shape in shapes.items()}, metadata=metadata)
    yield adapter_file({"base_model.model.e.base_layer.weight": (8, 6), "base_model.model.e.lora_embedding_A": (2, 8),
                        "base_model.model.e.lora_embedding_B": (6, 2), "base_model.model.x.bias": (8,)}, {"lora_alpha": 4})


def main(folder):
    headers = [file_of(*header) for header in HEADERS]
    indexes = [json.dumps(index, indent=2).encode() for index in INDEXES]
    foreign = [b"PK\x03\x04" + bytes(60), b"\x80\x02}q\x00.", b"GGUF\3\0\0\0", b"<!DOCTYPE html><html>"]
    seeds = {
        "safetensors_header_fuzz": headers,
        "shard_index_fuzz": indexes,
        "checkpoint_fuzz": headers + indexes + foreign + TORCH,
        "pickle_fuzz": PICKLES,
        "zip_directory_fuzz": TORCH[:2],
        "scan_fuzz": headers + indexes + foreign + TORCH + STRANGE,
        "adapter_fuzz": list(adapter_files()),
    }
    for target, contents in seeds.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for i, content in enumerate(contents):
            (folder / target / str(i)).write_bytes(content)


main(Path(sys.argv[1]))
