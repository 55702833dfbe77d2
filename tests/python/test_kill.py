"""SIGKILL at any moment: what stands under the final name is complete or nothing, and the same
command then gives the same bytes."""

import random
import signal
import time

import numpy as np
import pytest

import support

@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kill")
    for seed, name in enumerate("ab"):
        generator = np.random.default_rng(seed)
        block = generator.standard_normal((1024, 1024)).astype(np.float16)
        tensors = {f"layers.{i}.weight": np.roll(block, i) for i in range(64)}
        support.write(folder / f"{name}.safetensors", tensors)
    support.write_recipe(
        folder / "recipe.yaml",
        {
            "models": {"a": "a.safetensors", "b": "b.safetensors"},
            "steps": {"out": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.3}},
            "output": {"model": "out", "path": "out.safetensors"},
        },
    )
    return folder


@pytest.mark.parametrize("kills", support.chosen([10, 50], 10))
def test_a_killed_run_leaves_no_partial_result_and_can_be_repeated(weightsmith, job, kills):
    output = job / "out.safetensors"
    command = ("merge", job / "recipe.yaml")

    def remove_all():
        for path in job.glob("out.safetensors*"):
            path.unlink()

    durations = []
    for _ in range(3):
        remove_all()
        started = time.monotonic()
        weightsmith(*command)
        durations.append(time.monotonic() - started)
    duration = min(durations)
    expected = support.sha256(output)
    remove_all()

    moments = random.Random(2)
    interrupted = resumed = 0
    for _ in range(kills):
        process = weightsmith.start(*command)
        time.sleep(moments.uniform(0, duration))
        process.kill()
        status = process.wait()
        process.communicate()
        if output.exists():
            assert support.sha256(output) == expected
        if status == -signal.SIGKILL and not output.exists():
            interrupted += 1
            resumed += output.with_name(output.name + ".journal").exists()
            result = weightsmith(*command)
            assert result.stdout.splitlines()[-1].endswith("out.safetensors")
            assert support.sha256(output) == expected
        leftovers = {path.name for path in job.glob("out.safetensors*")} - {"out.safetensors"}
        if output.exists() and status == 0:
            assert leftovers == set()
        remove_all()
    # Otherwise the moments did not probe what they are meant to probe.
    assert interrupted >= kills // 8
    assert resumed > 0


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(weightsmith, job):
    output = job / "interrupted.safetensors"
    command = ("merge", job / "recipe.yaml", "-o", output, "--threads", "1")
    weightsmith(*command)
    expected = support.sha256(output)
    output.unlink()
    for delay in (0.02, 0.04, 0.06, 0.1, 0.15, 0.2):
        process = weightsmith.start(*command)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        _, errors = process.communicate(timeout=30)
        if process.returncode == 0:  # it was faster
            output.unlink()
            continue
        if process.returncode == -signal.SIGINT:  # so early that no handler stood yet
            assert not output.exists()
            continue
        assert process.returncode == 130, errors
        assert time.monotonic() - asked < 5
        assert not output.exists()
        assert "interrupted" in errors.lower()
        weightsmith(*command)
        assert support.sha256(output) == expected
        output.unlink()
