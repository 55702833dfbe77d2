"""Writes a safetensors file as torch.save would: make_ckpt.py FILE.safetensors FILE.ckpt."""

import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))

import support  # noqa: E402
import torch_files as tf  # noqa: E402

KINDS = {"F16": "HalfStorage", "F32": "FloatStorage", "BF16": "BFloat16Storage", "I64": "LongStorage"}


def aligned(archive, name, multiple=64):
    """An entry whose data starts at a multiple, as PyTorch pads its own."""
    entry = zipfile.ZipInfo(name)
    start = archive.fp.tell() + 30 + len(name) + 4
    padding = -start % multiple
    entry.extra = b"FB" + padding.to_bytes(2, "little") + bytes(padding)
    return entry


def main(source, target):
    header, start = support.header_of(source)
    header.pop("__metadata__", None)
    state = {}
    for key, (name, entry) in enumerate(header.items()):
        stride, strides, shape = 1, [], tuple(entry["shape"])
        for size in reversed(shape):
            strides.insert(0, stride)
            stride *= size
        state[name] = tf.tensor(str(key), shape, tuple(strides), numel=stride, kind=KINDS[entry["dtype"]])
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive, open(source, "rb") as data:
        archive.writestr("archive/data.pkl", tf.pickled({"state_dict": state}))
        for key, entry in enumerate(header.values()):
            begin, end = entry["data_offsets"]
            data.seek(start + begin)
            archive.writestr(aligned(archive, f"archive/data/{key}"), data.read(end - begin))
        archive.writestr("archive/version", "3\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
