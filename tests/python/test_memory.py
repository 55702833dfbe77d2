"""Peak resident memory does not grow with the model."""

import json
import subprocess
import sys

import pytest

import adapters
import support

MIB = 1024  # ru_maxrss counts KiB

# A process begins with the peak of the one that started it; this one is small.
WRAPPER = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""


@pytest.fixture(scope="module")
def sparse(session_weightsmith):
    """Two SD 1.5 checkpoints at full size that take no disk: their weights are zeros."""
    paths = [session_weightsmith.folder / f"sparse-{name}.safetensors" for name in "ab"]
    for path in paths:
        session_weightsmith("synth", "sd15", "--seed", "1", "--sparse", "-o", path)
    return paths


def peak(weightsmith, *arguments):
    """Peak resident KiB of a run that succeeds."""
    result = subprocess.run(
        [sys.executable, "-S", "-E", "-c", WRAPPER, *weightsmith.command(*arguments)],
        cwd=weightsmith.folder, env=weightsmith.environment, capture_output=True, text=True,
    )
    assert result.returncode == 0, result.stderr
    return int(result.stdout)


@pytest.fixture(scope="module")
def half(session_weightsmith):
    """Two files of 512 MiB that take no disk."""
    paths = [session_weightsmith.folder / f"half-{name}.safetensors" for name in "ab"]
    for path in paths:
        adapters.write_sparse(path, {f"layers.{i}.weight": (1024, 1024) for i in range(256)})
    return paths


@pytest.mark.parametrize("models, io", support.chosen([("half", "read"), ("sparse", "read"), ("sparse", "map")], ("half", "read")))
def test_a_merge_stays_below_200_mib(request, weightsmith, models, io):
    paths = request.getfixturevalue(models)
    output = weightsmith.folder / "out.safetensors"
    used = peak(
        weightsmith, "merge", *paths, "--alpha", "0.3", "--policy", "effect=any", "--no-sync", "--io", io,
        "--max-memory", "128M", "-o", output,
    )
    assert output.stat().st_size > (2.1e9 if models == "sparse" else 0.5e9)
    output.unlink()
    assert used <= 200 * MIB


@pytest.mark.exhaustive  # test_memory_budget.py bakes into smaller models
def test_baking_into_sd15_stays_below_200_mib(weightsmith, sparse):
    shapes, _ = adapters.shapes_of(adapters.weights_of(support.header_of(sparse[0])[0]), "lora", "kohya")
    adapters.write_sparse(weightsmith.folder / "lora.safetensors", shapes)
    output = weightsmith.folder / "out.safetensors"
    used = peak(weightsmith, "bake", sparse[0], "--lora", "lora.safetensors", "--policy", "effect=any", "--no-sync", "-o", output)
    output.unlink()
    assert used <= 200 * MIB


def test_a_plan_for_full_size_models_needs_little(weightsmith, sparse):
    used = peak(weightsmith, "plan", *sparse, "--alpha", "0.3", "--policy", "effect=any", "-o", "out.safetensors")
    assert used <= 200 * MIB


@pytest.mark.parametrize("model", support.chosen(["sd15", "sdxl", "flux1-dev"], "sdxl"))
def test_methods_that_keep_numbers_alone_need_256_mib_on_sixteen_threads(weightsmith, model):
    for name in ("base", "a", "b"):
        weightsmith("synth", model, "--sparse", "-q", "-o", f"{name}.safetensors")
    recipe = {"weightsmith": 1, "policy": {"effect": "any"}, "models": {name: f"{name}.safetensors" for name in ("base", "a", "b")},
              "output": {"model": "x", "path": "out.safetensors"}}
    changes = [{"model": "a", "weight": 0.5}, {"model": "b", "weight": 0.5}]
    for step in ({"op": "della", "base": "base", "density": 0.3, "epsilon": 0.1, "of": changes},
                 {"op": "della_linear", "base": "base", "density": 0.3, "epsilon": 0.1, "ranks": "column", "rescale": "l1", "of": changes},
                 {"op": "ties", "base": "base", "density": 0.3, "of": changes},
                 {"op": "arcee_fusion", "a": "a", "b": "b"}, {"op": "slerp", "a": "a", "b": "b", "alpha": 0.3}):
        (weightsmith.folder / "mix.json").write_text(json.dumps({**recipe, "steps": {"x": step}}))
        result = weightsmith("plan", "mix.json", "--no-sample", "--threads", "16", "--json")
        assert json.loads(result.stdout)["peak_memory"] <= 256 << 20, step


def test_a_budget_that_cannot_be_kept_is_refused_before_anything_is_written(weightsmith, sparse):
    result = weightsmith(
        "merge", *sparse, "--alpha", "0.3", "--max-memory", "1M", "-o", "out.safetensors", status=6
    )
    assert "memory" in result.stderr
    assert list(weightsmith.folder.glob("out*")) == []


@pytest.mark.parametrize("models, size", support.chosen([("half", 0.5e9), ("sparse", 2.1e9)], ("half", 0.5e9)))
def test_the_directory_of_a_ckpt_brings_no_data_along(request, weightsmith, models, size):
    source = request.getfixturevalue(models)[0]
    path = weightsmith.folder / "full.ckpt"
    subprocess.run([sys.executable, support.ROOT / "bench" / "make_ckpt.py", source, path], check=True)
    assert path.stat().st_size > size
    used = peak(weightsmith, "info", path)
    path.unlink()
    assert used <= 64 * MIB
