#!/usr/bin/env python3
"""A method of mergekit over files in memory by its function for state dicts: load, merge in f32, save f16. Its program
mergekit-pytorch does the same through a graph of tasks, which takes some seconds more for the tensors of SD 1.5. Prints its own
clock, which starts when everything is imported. Arguments: METHOD PARAMETERS(json) BASE(0 or 1) OUT FILE..."""

import json
import sys

import numpy.ctypeslib  # noqa: F401  what would else be imported on the clock
import own_clock
import torch
from mergekit.merge_methods import batching, dtype, merge_state_dicts  # noqa: F401
from safetensors.torch import load_file, save_file


def main():
    method, parameters, base, out, *files = sys.argv[1:]
    torch.set_num_threads(2)
    clock = own_clock.start()
    models = {path: load_file(path) for path in files}
    floating = {name for name, tensor in models[files[0]].items() if tensor.is_floating_point()}
    rest = {name: tensor for name, tensor in models[files[0]].items() if name not in floating}
    models = {path: {name: tensors[name] for name in sorted(floating)} for path, tensors in models.items()}
    with torch.no_grad():
        merged = merge_state_dicts(models, method, parameters=json.loads(parameters), base=files[0] if base == "1" else None,
                                   dtype=torch.float32, out_dtype=torch.float16)
    save_file({name: tensor.contiguous() for name, tensor in (merged | rest).items()}, out, {"format": "pt"})
    clock()


if __name__ == "__main__":
    main()
