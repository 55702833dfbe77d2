"""Tensors, and files of a checkpoint."""

import json
import struct

from .making import ANY, MERGE, OUT, kind, pair, scalars, write


@kind(40_000)
def tensors_of_a_merge(folder, n):
    return [*MERGE, *pair(folder, n), "--alpha", "0.3", *OUT]


@kind(40_000)
def tensors_of_a_plan(folder, n):
    return ["plan", *pair(folder, n), "--alpha", "0.3", *OUT]


@kind(40_000)
def tensors_without_blocks(folder, n):
    return [*MERGE, *pair(folder, n, "weight{}"), "--alpha", "0.3", *OUT]


@kind(20_000)
def tensors_of_one_long_prefix(folder, n):
    return [*MERGE, *pair(folder, n, "prefix." * 30 + "{}.weight"), "--alpha", "0.3", *OUT]


@kind(40_000)
def tensors_of_one_block(folder, n):
    return [*MERGE, *pair(folder, n, "layers.1.m{}.weight"), "--alpha", "0.3", *OUT]


@kind(40_000)
def tensors_of_info(folder, n):
    return ["info", "--json", scalars(folder / "a.safetensors", n)]


@kind(20_000)
def tensors_of_blocks(folder, n):
    return ["blocks", scalars(folder / "a.safetensors", n)]


@kind(40_000)
def tensors_of_convert(folder, n):
    return ["convert", scalars(folder / "a.safetensors", n), "--dtype", "f32", "-q", *OUT]


@kind(20_000)
def tensors_of_an_unfinished_architecture(folder, n):
    names = ["model.diffusion_model.input_blocks.0.0.weight"]
    names += [f"model.diffusion_model.extra.{i}.weight" for i in range(n)]
    return ["info", "--json", write(folder / "a.safetensors", ((name, [4, 4, 3, 3]) for name in names[:1])) and
            write(folder / "a.safetensors", ((name, [1]) for name in names))]


@kind(20_000, status=3)
def tensors_that_one_model_lacks(folder, n):
    first = scalars(folder / "a.safetensors", n)
    return [*MERGE, first, scalars(folder / "b.safetensors", n // 2, value=2.0), "--alpha", "0.3", *OUT]


@kind(20_000, status=3)
def tensors_of_other_shapes(folder, n):
    first = scalars(folder / "a.safetensors", n)
    second = write(folder / "b.safetensors", ((f"t.{i}.weight", [2]) for i in range(n)))
    return [*MERGE, first, second, "--alpha", "0.3", *OUT]


@kind(10_000)
def tensors_that_are_scaled(folder, n):
    entries = []
    for i in range(n):
        entries += [(f"t.{i}.weight", "F8_E4M3", [2, 2]), (f"t.{i}.scale_weight", "F32", [1])]
        entries += [(f"t.{i}.scale_input", "F32", [1])]
    parts, data = [], b""
    sizes = {"F8_E4M3": b"\x38" * 4, "F32": struct.pack("<f", 1)}
    offset = 0
    chunks = []
    for name, dtype, shape in entries:
        end = offset + len(sizes[dtype])
        parts.append(f'"{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{offset},{end}]}}')
        chunks.append(sizes[dtype])
        offset = end
    data = b"".join(chunks)
    header = ("{" + ",".join(parts) + "}").encode()
    for name in "ab":
        (folder / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)
    return [*MERGE, "a.safetensors", "b.safetensors", "--alpha", "0.3", *ANY, *OUT]


@kind(20_000)
def entries_of_an_index(folder, n):
    name = scalars(folder / "a.safetensors", n)
    index = {"metadata": {}, "weight_map": {f"t.{i}.weight": name for i in range(n)}}
    (folder / "a.safetensors.index.json").write_text(json.dumps(index))
    return ["info", "a.safetensors.index.json"]


@kind(800)
def shards(folder, n):
    index = {"metadata": {}, "weight_map": {}}
    for i in range(n):
        index["weight_map"][f"t.{i}.weight"] = write(folder / f"part-{i}.safetensors", [(f"t.{i}.weight", [1])])
    (folder / "a.safetensors.index.json").write_text(json.dumps(index))
    return ["convert", "a.safetensors.index.json", "--dtype", "f32", "-q", *OUT]


@kind(600)
def shards_of_an_output(folder, n):
    shapes = [(f"t.{i}.weight", [16]) for i in range(n)]
    models = [write(folder / f"{name}.safetensors", shapes, value) for name, value in (("a", 1.0), ("b", 2.0))]
    return [*MERGE, *models, "--alpha", "0.3", "--max-shard-size", "32", *OUT]


@kind(20_000)
def entries_of_metadata(folder, n):
    metadata = {f"key{i}": "value" for i in range(n)}
    return ["meta", scalars(folder / "a.safetensors", 1, metadata=metadata)]


@kind(1_000)
def files_of_a_hash(folder, n):
    return ["hash", *(scalars(folder / f"m{i}.safetensors", 1, value=i % 100) for i in range(n))]
