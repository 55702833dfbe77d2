#!/usr/bin/env python3
"""A method of sd-mecha from files to a file, as its documentation shows it: computed in f32 by two threads, stored as f16.
Prints its own clock, which starts when everything is imported. Arguments: METHOD PARAMETERS(json) OUT FILE..."""

import functools
import json
import logging
import sys
import warnings

import own_clock
import torch
from tqdm import tqdm

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import sd_mecha
    from sd_mecha.extensions.builtin.merge_methods import linear


def recipe_of(method, models, parameters):
    """The node; of ties_sum, which takes differences, over those to the first model."""
    if method != "ties_sum":
        return getattr(sd_mecha, method)(*models, **parameters)
    base, *others = models
    differences = [linear.subtract(model, base) for model in others]
    return linear.add_difference(base, sd_mecha.ties_sum(*differences, **parameters), alpha=1.0)


def main():
    method, parameters, out, *files = sys.argv[1:]
    logging.disable(logging.WARNING)
    torch.set_num_threads(2)
    clock = own_clock.start()
    models = [sd_mecha.model(path, "sd1-ldm") for path in files]
    recipe = recipe_of(method, models, json.loads(parameters))
    sd_mecha.merge(recipe, merge_dtype=torch.float32, output_dtype=torch.float16, threads=2, check_extra_keys=False, output=out,
                   tqdm=functools.partial(tqdm, disable=True))
    clock()


if __name__ == "__main__":
    main()
