#!/usr/bin/env python3
"""The plain way with PyTorch: load both files, lerp tensor by tensor, save. Prints its own clock,
which starts when everything is imported."""

import json
import resource
import sys
import time

import torch
from safetensors.torch import load_file, save_file


def main():
    a_path, b_path, alpha, out = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
    torch.set_num_threads(2)
    imported = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()

    a, b = load_file(a_path), load_file(b_path)
    merged = {}
    for name, tensor in a.items():
        if tensor.is_floating_point() and name in b:
            merged[name] = tensor.float().lerp(b[name].float(), alpha).half()
        else:
            merged[name] = tensor
    save_file(merged, out, {"format": "pt"})

    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({
        "wall": time.perf_counter() - started,
        "user": used.ru_utime - imported.ru_utime,
        "system": used.ru_stime - imported.ru_stime,
    }))


if __name__ == "__main__":
    main()
