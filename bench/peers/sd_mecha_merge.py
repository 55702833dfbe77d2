#!/usr/bin/env python3
"""A graph of sd-mecha from files to a file, as its documentation shows it: streamed, computed in f32, stored as f16, with as many
threads as it takes by itself. Prints its own clock, which starts when everything is imported.
Arguments: GRAPH PARAMETERS(json) OUT FILE..."""

import functools
import json
import logging
import multiprocessing.synchronize  # noqa: F401  what would else be imported on the clock
import sys
import warnings

import own_clock
import torch
from tqdm import tqdm

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import sd_mecha
    from sd_mecha.extensions.builtin.merge_methods import linear, svd


def masked(mask):
    """The graph in which a mask says how much of b - c is added to a."""
    return lambda a, b, c, alpha: linear.add_difference(a, linear.subtract(b, c), alpha=mask(a, b, c, alpha=alpha))


def of_differences(change):
    """The graph in which what is made of the differences to a is added to it."""
    return lambda a, *others, **parameters: linear.add_difference(
        a, change(*(linear.subtract(other, a) for other in others), **parameters), alpha=1.0)


# Graphs of more than one method, and what a function of its own stops at; the others are such functions.
GRAPHS = {
    "ties_sum": of_differences(sd_mecha.ties_sum),
    "ties_sum_extended": of_differences(sd_mecha.ties_sum_extended),
    "rotate": svd.rotate,
    "train_difference_mask": masked(sd_mecha.train_difference_mask),
    "add_opposite_mask": masked(sd_mecha.add_opposite_mask),
    "add_strict_opposite_mask": masked(sd_mecha.add_strict_opposite_mask),
    "scale": of_differences(linear.scale),
    "truncate_rank": of_differences(sd_mecha.truncate_rank),
    "fallback": lambda a, b: a | b,
}


def graph_of(graph, models, parameters):
    return (GRAPHS.get(graph) or getattr(sd_mecha, graph))(*models, **parameters)


def main():
    graph, parameters, out, *files = sys.argv[1:]
    logging.disable(logging.WARNING)
    torch.set_num_threads(2)
    clock = own_clock.start()
    models = [sd_mecha.model(path, "sd1-ldm") for path in files]
    recipe = graph_of(graph, models, json.loads(parameters))
    sd_mecha.merge(recipe, merge_dtype=torch.float32, output_dtype=torch.float16, check_extra_keys=False, output=out,
                   tqdm=functools.partial(tqdm, disable=True))
    clock()


if __name__ == "__main__":
    main()
