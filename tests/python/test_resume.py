"""Going on from an interrupted run: only from partial outputs that are its own and hold what it wrote."""

import json
import os
import shutil
import signal
import time

import numpy as np
import pytest

import support

TENSORS = 12


def stop_a_merge(weightsmith, folder):
    """Makes two models, what their merge is, and the partial output and the journal of one that was killed."""
    for seed, name in enumerate("ab"):
        generator = np.random.default_rng(seed)
        support.write(folder / f"{name}.safetensors", {
            f"layers.{i:02}.weight": generator.standard_normal((1024, 2048), np.float32).astype(np.float16)
            for i in range(TENSORS)
        })
    weightsmith(*command(folder, folder / "whole.safetensors"))
    out = folder / "out.safetensors"
    journal = folder / "out.safetensors.journal"
    for _ in range(40):
        process = weightsmith.start(*command(folder, out))
        while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") > 3):
            time.sleep(0.0005)
        process.kill()
        process.communicate()
        if not out.exists() and 3 < journal.read_bytes().count(b"\n") < TENSORS:
            return
        out.unlink(missing_ok=True)
    pytest.fail("no run could be killed in its middle")


@pytest.fixture(scope="module")
def stopped(session_weightsmith, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stopped")
    stop_a_merge(session_weightsmith, folder)
    return folder


def command(folder, out, alpha=0.3, *more):
    return ("merge", folder / "a.safetensors", folder / "b.safetensors", "--alpha", alpha, "--private", "--threads", 1,
            "-o", out, *more)


class Job:
    """The killed merge."""

    def __init__(self, weightsmith, folder):
        self.weightsmith = weightsmith
        self.folder = folder
        self.out = folder / "out.safetensors"
        self.partial = folder / "out.safetensors.partial"
        self.journal = folder / "out.safetensors.journal"
        self.expected = support.sha256(folder / "whole.safetensors")

    def run(self, *more, alpha=0.3, status=0):
        return self.weightsmith(*command(self.folder, self.out, alpha, *more), status=status).stderr

    def assert_right(self):
        assert support.sha256(self.out) == self.expected
        assert not self.partial.exists() and not self.journal.exists()


@pytest.fixture
def job(weightsmith, stopped, tmp_path):
    job = Job(weightsmith, stopped)
    kept = {path: tmp_path / path.name for path in (job.partial, job.journal)}
    for path, copy in kept.items():
        shutil.copy(path, copy)
    yield job
    for path in stopped.glob("out.safetensors*"):
        path.unlink() if not path.is_dir() else path.rmdir()
    for path, copy in kept.items():
        shutil.copy(copy, path)


def test_the_same_command_goes_on_to_the_same_bytes(job):
    plan = json.loads(job.weightsmith("plan", *command(job.folder, job.out)[1:], "--json").stdout)
    done = plan["resume"]["tensors_done"]
    assert 3 <= done < TENSORS
    assert plan["resume"]["bytes_to_verify"] == done * 1024 * 2048 * 2
    assert f"{done} of {TENSORS} tensors are done" in job.run()
    job.assert_right()


def test_a_partial_output_of_zeros_is_not_taken_for_the_right_one(job):
    job.partial.write_bytes(bytes(job.partial.stat().st_size))
    assert "going on" not in job.run()
    job.assert_right()


def test_a_journal_without_its_partial_output_is_nothing(job):
    job.partial.unlink()
    assert "going on" not in job.run()
    job.assert_right()


def test_the_partial_output_of_another_run_is_not_taken_for_its_own(job):
    bytes_of_ours = job.partial.read_bytes()
    stamp = bytes_of_ours[:64].split(b" ")[1]
    assert len(stamp) == 32 and stamp in job.journal.read_bytes()
    job.partial.write_bytes(bytes_of_ours.replace(stamp, b"0" * 32, 1))
    assert "is not what the interrupted run wrote" in job.run()
    job.assert_right()


@pytest.mark.parametrize("position", [5000, 4096 + 2 * 1024 * 2048 * 2 + 77])
def test_what_changed_on_the_disk_is_computed_again(job, position):
    with open(job.partial, "r+b") as file:
        file.seek(position)
        byte = file.read(1)
        file.seek(position)
        file.write(bytes([byte[0] ^ 1]))
    assert "not on disk as they were written" in job.run()
    job.assert_right()


def test_trust_partial_reads_nothing_back(job):
    with open(job.partial, "r+b") as file:
        file.seek(5000)
        file.write(b"\0")
    plan = json.loads(job.weightsmith("plan", *command(job.folder, job.out)[1:], "--json", "--trust-partial").stdout)
    assert plan["resume"]["bytes_to_verify"] == 0
    assert "going on" in job.run("--trust-partial")
    assert job.out.stat().st_size == (job.folder / "whole.safetensors").stat().st_size


def test_another_alpha_starts_afresh(job):
    assert "another recipe" in job.run(alpha=0.6)
    assert support.sha256(job.out) != job.expected


def test_an_input_with_other_bytes_and_the_same_date_starts_afresh(weightsmith, tmp_path):
    stop_a_merge(weightsmith, tmp_path)
    job = Job(weightsmith, tmp_path)
    path = tmp_path / "b.safetensors"
    bytes_before, status = path.read_bytes(), path.stat()
    path.write_bytes(bytes_before[:-1] + bytes([bytes_before[-1] ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert "an input has changed" in job.run()
    weightsmith(*command(tmp_path, tmp_path / "whole.safetensors", 0.3, "-f"))
    assert support.sha256(job.out) == support.sha256(tmp_path / "whole.safetensors") != job.expected


def test_a_refused_run_leaves_an_interrupted_one_as_it_is(job):
    before = support.sha256(job.partial), job.journal.read_bytes()
    (job.folder / "exists.safetensors").write_bytes(b"mine")
    recipe = job.folder / "two.yaml"
    support.write_recipe(recipe, {
        "models": {"a": "a.safetensors", "b": "b.safetensors"},
        "steps": {"m": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.4}},
        "outputs": [{"model": "m", "path": "out.safetensors"}, {"model": "a", "path": "exists.safetensors"}],
    })
    for verb in ("merge", "plan", "validate"):
        error = job.weightsmith(verb, recipe, status=2).stderr
        assert "exists.safetensors' already exists" in error, verb
    assert (support.sha256(job.partial), job.journal.read_bytes()) == before
    assert (job.folder / "exists.safetensors").read_bytes() == b"mine"


def test_without_digests_nothing_is_kept(weightsmith, stopped):
    out = stopped / "undigested.safetensors"
    for delay in (0.02, 0.05, 0.1):
        process = weightsmith.start(*command(stopped, out, 0.3, "--no-digest"))
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert out.exists() or not list(stopped.glob("undigested*"))
        out.unlink(missing_ok=True)


def test_a_changed_adapter_configuration_starts_afresh(weightsmith, tiny, tmp_path):
    model = tiny("sd15", 1)
    folder = tmp_path / "peft"
    folder.mkdir()
    generator = np.random.default_rng(5)
    tensors = {}
    for name, array in support.read(model).tensors.items():
        stem = name.removeprefix("cond_stage_model.transformer.").removesuffix(".weight")
        if not name.startswith("cond_stage_model.") or not stem.endswith(("q_proj", "k_proj", "v_proj", "out_proj")):
            continue
        tensors[f"text_encoder.{stem}.lora_A.weight"] = generator.standard_normal((4, array.shape[1])).astype(np.float32)
        tensors[f"text_encoder.{stem}.lora_B.weight"] = generator.standard_normal((array.shape[0], 4)).astype(np.float32)
    support.write(folder / "adapter_model.safetensors", tensors)
    configuration = {"peft_type": "LORA", "r": 4, "lora_alpha": 4, "target_modules": ["q_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(configuration))
    bake = ("bake", model, "--lora", folder / "adapter_model.safetensors", "--threads", 1, "--private", "-o")
    journal = tmp_path / "out.safetensors.journal"
    for _ in range(60):
        process = weightsmith.start(*bake, tmp_path / "out.safetensors")
        while process.poll() is None and not (journal.exists() and journal.stat().st_size > 2000):
            time.sleep(0.0002)
        process.kill()
        process.communicate()
        if journal.exists():
            break
        (tmp_path / "out.safetensors").unlink(missing_ok=True)
    assert journal.exists()
    (folder / "adapter_config.json").write_text(json.dumps({**configuration, "lora_alpha": 8}))
    assert "going on" not in weightsmith(*bake, tmp_path / "out.safetensors").stderr
    weightsmith(*bake, tmp_path / "whole.safetensors")
    assert support.sha256(tmp_path / "out.safetensors") == support.sha256(tmp_path / "whole.safetensors")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_signal_ends_a_run_and_keeps_what_is_done(job, number):
    job.partial.unlink()
    job.journal.unlink()
    process = job.weightsmith.start(*command(job.folder, job.out))
    while process.poll() is None and not (job.journal.exists() and job.journal.read_bytes().count(b"\n") > 2):
        time.sleep(0.0005)
    process.send_signal(number)
    process.communicate(timeout=30)
    if process.returncode != 0:
        assert process.returncode == 128 + number
        assert not job.out.exists()
        job.run()
    job.assert_right()
