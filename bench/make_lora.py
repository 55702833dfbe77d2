#!/usr/bin/env python3
"""Writes an adapter of every matrix and convolution of a checkpoint's diffusion model and text encoders, by
the checkpoint's own names; of OFT and BOFT, of those whose rows make blocks of 16.

    bench/make_lora.py BASE OUT [--rank N] [--dtype F16|BF16] [--kind lora|dora|oft|boft]
"""

import argparse
import json
import struct
from pathlib import Path

import numpy as np

# What stands before the names of a component in a whole model, and in kohya's adapters.
COMPONENTS = {
    "model.diffusion_model.": "lora_unet_",
    "conditioner.embedders.0.transformer.": "lora_te1_",
    "conditioner.embedders.1.model.": "lora_te2_",
    "cond_stage_model.transformer.": "lora_te_",
}


def header(path):
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        return json.loads(file.read(size))


def stem(name):
    """The module in kohya's naming; of a bare transformer in ComfyUI's; nothing for what is no weight."""
    path = next((name.removesuffix(end) for end in (".weight", "_weight") if name.endswith(end)), None)
    if path is None or "embedding" in name or name.startswith("first_stage_model."):
        return None
    for prefix, kohya in COMPONENTS.items():
        if path.startswith(prefix):
            return kohya + path[len(prefix):].replace(".", "_")
    return "diffusion_model." + path


def modules(base):
    for name, tensor in header(base).items():
        shape = tensor.get("shape", [])
        if name != "__metadata__" and len(shape) in (2, 4) and stem(name):
            yield stem(name), shape


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--dtype", choices=["F16", "BF16"], default="F16")
    parser.add_argument("--kind", choices=["lora", "dora", "oft", "boft"], default="lora")
    arguments = parser.parse_args()

    random = np.random.default_rng(1)
    entries, blocks, at = {}, [], 0

    def add(name, shape, scale):
        nonlocal at
        values = (random.standard_normal(shape) * scale).astype(np.float32)
        data = values.astype(np.float16).tobytes() if arguments.dtype == "F16" else (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()
        entries[name] = {"dtype": arguments.dtype, "shape": list(shape), "data_offsets": [at, at + len(data)]}
        blocks.append(data)
        at += len(data)

    for module, shape in modules(arguments.base):
        if arguments.kind in ("oft", "boft"):
            blocks_of_16, rest = divmod(shape[0], 16)
            if rest == 0 and blocks_of_16 % 4 == 0:
                add(f"{module}.oft_blocks", (*((3,) if arguments.kind == "boft" else ()), blocks_of_16, 16, 16), 0.01)
                add(f"{module}.alpha", (), 16.0)
            continue
        rank = min(arguments.rank, *shape[:2])
        add(f"{module}.lora_down.weight", (rank, *shape[1:]), 0.02)
        add(f"{module}.lora_up.weight", (shape[0], rank, *([1] * (len(shape) - 2))), 0.02)
        add(f"{module}.alpha", (), 16.0)
        if arguments.kind == "dora":
            add(f"{module}.dora_scale", (shape[0], *([1] * (len(shape) - 1))), 1.0)
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    with open(arguments.out, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for block in blocks:
            file.write(block)


if __name__ == "__main__":
    main()
