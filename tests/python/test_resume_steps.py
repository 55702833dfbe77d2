"""Stopping in the middle of steps that are more than one pass: over all of the model before (cosine_a, cosine_b), over whole
tensors, and layers that go to other names. The same command goes on to the bytes of a run that nothing stopped."""

import json
import re
import signal
import time

import numpy as np
import pytest

import support

LAYERS = 20
SHAPE = (512, 1024)

STEPS = {
    "cosine_a": {"op": "cosine_a", "a": "a", "b": "b", "alpha": 0.1},
    "cosine_b": {"op": "cosine_b", "a": "a", "b": "b", "alpha": 0.1},
    "both cosines": {"op": "cosine_b", "a": {"op": "cosine_a", "a": "a", "b": "b", "alpha": 0.1}, "b": "b", "alpha": 0.2},
    "crossover": {"op": "crossover", "a": "a", "b": "b", "alpha": 0.3},
    "smooth_add": {"op": "smooth_add", "a": "a", "b": "b", "c": "a", "alpha": 0.5},
    "top_k_tensor_sum": {"op": "top_k_tensor_sum", "a": "a", "b": "b", "width": 0.5},
    "ties": {"op": "ties", "base": "a", "of": [{"model": "b", "weight": 1}], "density": 0.3},
    "passthrough": {"op": "passthrough", "a": "a", "scale": 0.5},
    "stack": {"op": "stack", "of": [{"model": "a", "layers": "0-9"}, {"model": "b", "layers": "6-19", "scale": 0.5}]},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two models of a kind that has layers."""
    folder = tmp_path_factory.mktemp("steps")
    names = {"model.embed_tokens.weight": SHAPE, "model.norm.weight": (SHAPE[1],)}
    names |= {f"model.layers.{i}.mlp.down_proj.weight": SHAPE for i in range(LAYERS)}
    for seed, model in enumerate("ab"):
        random = np.random.default_rng(seed)
        support.write(folder / f"{model}.safetensors", {
            name: random.standard_normal(shape, np.float32).astype(np.float16) for name, shape in names.items()})
    return folder


class Job:
    """A step that is merged, and what a whole run writes."""

    def __init__(self, weightsmith, folder, step, known):
        self.weightsmith, self.folder = weightsmith, folder
        self.out = folder / "out.safetensors"
        self.journal = folder / "out.safetensors.journal"
        self.remove()
        self.recipe = support.write_recipe(folder / "r.json", {
            "models": {model: f"{model}.safetensors" for model in "ab" if f': "{model}"' in json.dumps(step)},
            "steps": {"out": step}, "output": {"model": "out", "path": "out.safetensors"}, "policy": {"effect": "any"}})
        if not known:
            weightsmith(*self.command())
            known |= {"digest": support.sha256(self.out), "tensors": len(support.header_of(self.out)[0]) - 1}  # beside the metadata
            self.remove()
        self.expected, self.tensors = known["digest"], known["tensors"]

    def command(self, *more):
        return ("merge", self.recipe, "--no-sync", "--threads", "1", *more)

    def remove(self):
        for path in self.folder.glob("out.safetensors*"):
            path.unlink()

    def done(self):
        """Tensors that the journal of a stopped run has."""
        return self.journal.read_bytes().count(b"\n") - 1 if self.journal.exists() else 0

    def assert_right(self):
        assert support.sha256(self.out) == self.expected
        assert not list(self.folder.glob("out.safetensors.*"))
        self.remove()


@pytest.fixture(scope="module")
def known():
    """What whole runs wrote, by step."""
    return {step: {} for step in STEPS}


@pytest.fixture(params=support.chosen(STEPS, "cosine_b", "ties", "stack"))
def job(request, weightsmith, folder, known):
    job = Job(weightsmith, folder, STEPS[request.param], known[request.param])
    yield job
    job.remove()


def stop(job, number):
    """Starts it and sends a signal in its middle; whether that found it there."""
    process = job.weightsmith.start(*job.command())
    while process.poll() is None and job.done() < 3:
        time.sleep(0.0002)
    process.send_signal(number)
    process.communicate(timeout=60)
    return process.returncode != 0 and not job.out.exists() and 3 <= job.done() < job.tensors


def stop_in_the_middle(job, number):
    for _ in range(40):
        if stop(job, number):
            return
        job.remove()
    pytest.fail("no run could be stopped in its middle")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_goes_on_to_the_same_bytes(job, number):
    stop_in_the_middle(job, number)
    said = job.weightsmith(*job.command()).stderr
    done = re.search(r"(\d+) of \d+ tensors are done", said)
    assert done and int(done[1]) >= 3, said
    job.assert_right()


def test_ctrl_c_at_any_moment_leaves_what_can_go_on(job):
    """Also while the whole model is looked at before anything is written."""
    interrupted = 0
    for attempt in range(40):
        process = job.weightsmith.start(*job.command())
        time.sleep(0.005 * 1.25 ** (attempt % 20))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode in (0, 130, -signal.SIGINT)  # the last: before a handler stood
        if process.returncode == 130:
            assert not job.out.exists()
            interrupted += 1
        if process.returncode != 0:
            job.weightsmith(*job.command())
        job.assert_right()
        if interrupted == 2:
            return
    assert interrupted


def test_parts_write_the_bytes_of_one_run(job):
    for number in (2, 3, 1):
        assert not job.out.exists()
        job.weightsmith(*job.command("--part", f"{number}/3"))
    job.assert_right()


def test_parts_that_were_stopped_go_on(job):
    job.weightsmith(*job.command("--part", "3/3"))
    before = job.done()
    process = job.weightsmith.start(*job.command())
    while process.poll() is None and job.done() <= before:
        time.sleep(0.0002)
    process.kill()
    process.communicate()
    if not job.out.exists():
        job.weightsmith(*job.command())
    job.assert_right()
