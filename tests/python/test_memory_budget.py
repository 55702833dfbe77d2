"""--max-memory is a promise: what a run holds stays within it, from the least budget that is accepted on, and the
least is named where a budget is too small. The system enforces it: a control group where we may make one, else the
limit of a process's data."""

import re

import numpy as np
import pytest

import adapters
import limits
import support
from limits import MIB

MB = 1_000_000

SIDE = 1536
LAYERS = 6


@pytest.fixture(scope="module")
def group():
    made = limits.MemoryGroup.make()
    yield made
    if made:
        made.remove()


@pytest.fixture(scope="module")
def models(session_weightsmith):
    """Names of files of full-size layers that take no disk: their weights are zeros."""
    folder = session_weightsmith.folder
    layers = {f"layers.{i}.attn.weight": (SIDE, SIDE) for i in range(LAYERS)}
    convolutions = {f"layers.{i}.conv.weight": (SIDE // 2, SIDE // 2, 3, 3) for i in range(2)}
    for name in "ab":
        adapters.write_sparse(folder / f"{name}.safetensors", {**layers, **convolutions})
    weights = adapters.weights_of(support.header_of(folder / "a.safetensors")[0])
    for family in adapters.FAMILIES:
        shapes, _ = adapters.shapes_of(weights, family, "bare")
        adapters.write_sparse(folder / f"{family}.safetensors", shapes)
    for rank in (4, 256):
        shapes = {}
        for (_, module), shape in weights.items():
            shapes |= {f"{module}.{end}": size for end, size in adapters.lora(shape, rank).items()}
        adapters.write_sparse(folder / f"rank {rank}.safetensors", shapes)
    return session_weightsmith


def least_budget(weightsmith, words):
    """What a refused budget is told to need."""
    before = sorted(weightsmith.folder.iterdir())
    result = weightsmith(*words, "--max-memory", "1M", status=6)
    assert sorted(weightsmith.folder.iterdir()) == before
    return int(re.search(r"needs (\d+) MB of memory", result.stderr)[1])


def hold(weightsmith, group, words):
    """Runs the command within the least budget, and within twice that."""
    least = least_budget(weightsmith, words)
    for budget in (least, 2 * least):
        if group:
            # Beside the program's memory a group counts the kernel's for it.
            group.set(budget * MB + 24 * MIB)
        status, peak, errors = limits.run(
            weightsmith, *words, "--max-memory", f"{budget}MB", group=group,
            data=0 if group else budget * MB + limits.STACKS,
        )
        assert status == 0, errors
        assert peak <= budget * MB, f"{peak / MB:.0f} MB within {budget} MB"
    return least


BAKE = ["bake", "a.safetensors", "--policy", "effect=any", "--no-sync", "--force", "-q", "-o", "out.safetensors"]
MERGE = ["merge", "a.safetensors", "b.safetensors", "--alpha", "0.3", "--policy", "effect=any", "--no-sync", "--force",
         "-q", "-o", "out.safetensors"]


@pytest.mark.parametrize("family", support.chosen(adapters.FAMILIES, "lora", "lokr"))
def test_adapters_of_every_family(models, group, family):
    hold(models, group, [*BAKE, "--lora", f"{family}.safetensors"])


@pytest.mark.parametrize("threads", support.chosen([1, 3], 3))
def test_several_adapters_of_high_rank(models, group, threads):
    loras = [word for name in ("rank 256", "lokr", "rank 4", "loha") for word in ("--lora", f"{name}.safetensors")]
    hold(models, group, [*BAKE, *loras, "--threads", threads])


@pytest.mark.parametrize("io", ["read", "map"])
def test_merges(models, group, io):
    hold(models, group, [*MERGE, "--io", io])


def test_scaled_fp8(models, group):
    shapes = {}
    for i in range(4):
        shapes[f"layers.{i}.weight"] = (SIDE, SIDE)
    adapters.write_sparse(models.folder / "f8.safetensors", shapes)
    hold(models, group, ["convert", "f8.safetensors", "--dtype", "f8_e4m3", "--no-sync", "--force", "-q", "-o", "out.safetensors"])


def test_convert_split_and_verify(models, group):
    hold(models, group, ["convert", "a.safetensors", "--dtype", "f32", "--no-sync", "--force", "-q", "-o", "wide.safetensors"])
    models("synth", "sd15", "--sparse", "-o", "sd15.safetensors")
    hold(models, group, ["split", "sd15.safetensors", "--components", "vae", "--no-sync", "--force", "-q", "-o", "parts"])


ROTATE_A_PART = ["rotate", "--param", "alignment=0.5", "--param", "alpha=0.3"]
OF_MATRICES = [
    (["rotate"], (512, 512, 3, 3)), (["rotate"], (60_000, 40)), (ROTATE_A_PART, (600, 600)), (ROTATE_A_PART, (300, 1800)),
    (["truncate_rank", "--param", "rank=5"], (300_000, 9)), (["tsv_merge"], (300, 1800)), (["iso_cts"], (1800, 300)),
]


def planned_and_taken(weightsmith, words, shape):
    """Bytes of the least budget, and of a run within it."""
    random = np.random.default_rng(3)
    for name in "abc":
        support.write(weightsmith.folder / f"{name}.safetensors", {"w": random.standard_normal(shape, dtype=np.float32)})
    files = {"rotate": ["a.safetensors", "b.safetensors"], "truncate_rank": ["a.safetensors"]}.get(
        words[0], ["a.safetensors", "b.safetensors", "--base", "c.safetensors"])
    command = ["merge", *files, "--op", *words, "--threads", "1", "--no-sync", "--force", "-q", "-o", "out.safetensors"]
    least = least_budget(weightsmith, command)
    status, peak, errors = limits.run(weightsmith, *command, "--max-memory", f"{least}MB")
    assert status == 0, errors
    assert peak <= least * MB
    return least * MB, peak


@pytest.mark.parametrize("words, shape", support.sampled(OF_MATRICES, 4),
                         ids=lambda value: " ".join(map(str, value)))
def test_methods_of_matrices_plan_what_they_take_and_at_most_twice_that(weightsmith, words, shape):
    planned, taken = planned_and_taken(weightsmith, words, shape)
    # What the program takes by itself is planned generously, and is no part of it.
    planned_small, taken_small = planned_and_taken(weightsmith, words, (8, 8))
    assert taken - taken_small <= planned - planned_small + 8 * MB
    assert planned - planned_small <= 2 * (taken - taken_small), f"{taken / MB:.0f} MB of {planned / MB:.0f} MB"


def test_a_plan_is_refused_as_its_run_is(models):
    words = ["a.safetensors", "--lora", "rank 256.safetensors", "--policy", "effect=any", "-o", "planned.safetensors"]
    run = models("bake", *words, "--max-memory", "1M", status=6)
    plan = models("bake", *words, "--dry-run", "--max-memory", "1M", status=6)
    needs = [re.search(r"needs \d+ MB of memory", result.stderr)[0] for result in (run, plan)]
    assert needs[0] == needs[1]


@pytest.mark.parametrize(
    "words", [["info", "a.safetensors"], ["hash", "a.safetensors"], ["scan", "a.safetensors"],
              ["lora", "info", "rank 256.safetensors"], ["meta", "a.safetensors"]], ids=lambda words: words[0]
)
def test_what_reads_headers_takes_little(models, words):
    status, peak, errors = limits.run(models, *words, data=64 * MIB + limits.STACKS)
    assert status == 0, errors
    assert peak <= 64 * MIB
