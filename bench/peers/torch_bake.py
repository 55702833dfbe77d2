#!/usr/bin/env python3
"""The plain way with PyTorch: load the model, add scale · up · down to every weight of a LoRA in f32, save.
Prints its own clock, which starts when everything is imported."""

import json
import resource
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from make_lora import stem  # noqa: E402


def main():
    base, lora, strength, out = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
    torch.set_num_threads(2)
    imported = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()

    model, adapter = load_file(base), load_file(lora)
    for name, weight in model.items():
        module = stem(name)
        up = adapter.get(f"{module}.lora_up.weight")
        if up is None:
            continue
        down = adapter[f"{module}.lora_down.weight"].float().flatten(1)
        scale = strength * adapter[f"{module}.alpha"].item() / down.shape[0]
        delta = (up.float().flatten(1) @ down).reshape(weight.shape)
        model[name] = (weight.float() + scale * delta).to(weight.dtype)
    save_file(model, out, {"format": "pt"})

    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({
        "wall": time.perf_counter() - started,
        "user": used.ru_utime - imported.ru_utime,
        "system": used.ru_stime - imported.ru_stime,
    }))


if __name__ == "__main__":
    main()
