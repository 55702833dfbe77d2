"""Runs in Python: progress, interruption, threads, forks and memory."""

import os
import pickle
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import support
from test_python_merging import assert_same_tensors
from test_python_reading import PACKAGE, ws


@pytest.fixture(scope="module")
def large_files(tmp_path_factory):
    """Two models that take a moment: 400 MB each."""
    folder = tmp_path_factory.mktemp("large")
    for name, value in (("a", 1), ("b", 2)):
        support.write(folder / f"{name}.safetensors", {f"t{i}": np.full(25 << 20, value + i, np.float32) for i in range(4)})
    yield folder
    for path in folder.iterdir():
        path.unlink()


@pytest.fixture
def large(large_files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in large_files.iterdir():
        (tmp_path / path.name).symlink_to(path)
    return ws.weighted_sum("a.safetensors", "b.safetensors", alpha=0.25)


def test_progress_comes_on_the_calling_thread_and_ends_at_the_end(large):
    seen = []
    large.save("out.safetensors", sync=False, threads=1, progress=lambda p: seen.append((threading.get_ident(), p)))
    assert {thread for thread, _ in seen} == {threading.get_ident()}
    done = [progress.bytes_done for _, progress in seen]
    assert len(done) > 1 and done == sorted(done) and done[-1] == seen[-1][1].bytes_total
    assert seen[0][1].phase == "merging"


def test_what_progress_raises_stops_the_run_and_nothing_stays(large, tmp_path):
    def stop(progress):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        large.save("out.safetensors", threads=1, progress=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.safetensors", "b.safetensors"]


@pytest.mark.parametrize("resume", [False, True])
def test_ctrl_c_stops_and_keeps_what_is_done_where_that_is_asked_for(large, tmp_path, resume):
    with pytest.raises(KeyboardInterrupt):
        large.save("out.safetensors", threads=1, resume=resume, progress=lambda p: signal.raise_signal(signal.SIGINT))
    left = {path.name for path in tmp_path.iterdir()} - {"a.safetensors", "b.safetensors"}
    assert ("out.safetensors.partial" in left) if resume else not left
    large.save("out.safetensors", resume=resume)
    assert support.read(tmp_path / "out.safetensors")["t3"][-1] == 4.25


def run_side_by_side(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_merge_side_by_side(models):
    expected = ws.weighted_sum("a.safetensors", "b.safetensors", alpha=0.5).state_dict()
    found = [None] * 4

    def work(i):
        found[i] = ws.weighted_sum("a.safetensors", "b.safetensors", alpha=0.5).state_dict()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(found))]
    run_side_by_side(threads)
    for state_dict in found:
        assert_same_tensors(state_dict, expected)


def test_models_of_files_are_pickled_and_open_ones_are_not(models):
    mixed = ws.weighted_sum(models / "a.safetensors", models / "b.safetensors", alpha=0.3)
    names = list(mixed)
    again = pickle.loads(pickle.dumps(mixed))
    assert list(again) == names and again.to_recipe() == mixed.to_recipe()
    with ws.open(models / "a.safetensors") as opened:
        for thing in (ws.model(opened), ws.model({"t": np.ones(2, np.float32)}), mixed._plan):
            with pytest.raises(TypeError, match="cannot pickle"):
                pickle.dumps(thing)


def test_threads_read_tensors_of_one_model_at_once(models):
    mixed = ws.weighted_sum(models / "a.safetensors", models / "b.safetensors", alpha=0.3)
    expected = mixed.state_dict()
    found = [{} for _ in range(4)]

    def read(tensors):
        tensors.update({name: mixed[name].numpy() for name in mixed})

    threads = [threading.Thread(target=read, args=(tensors,)) for tensors in found]
    run_side_by_side(threads)
    for tensors in found:
        assert_same_tensors(tensors, expected)


def test_a_fork_may_go_on_merging(models):
    code = """
import os, sys, weightsmith as ws
os.chdir(sys.argv[1])
mixed = ws.weighted_sum("a.safetensors", "b.safetensors", alpha=0.3)
mixed.save("before/mix.safetensors", make_folders=True)
child = os.fork()
mixed.save(f"{'child' if child == 0 else 'parent'}/mix.safetensors", make_folders=True, threads=2)
if child == 0:
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", code, models], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(PACKAGE)})
    assert (done.stdout, done.returncode) == ("0\n", 0), done.stderr
    first, *others = [(models / name / "mix.safetensors").read_bytes() for name in ("before", "child", "parent")]
    assert others == [first, first]


def test_results_outlive_what_they_were_made_of(models):
    code = (
        "import gc, numpy as np, weightsmith as ws\n"
        "def tensor():\n"
        "    a = {'x': np.ones(1 << 20, np.float32)}\n"
        "    model = ws.weighted_sum(ws.model(a), ws.model({'x': np.zeros(1 << 20, np.float32)}), alpha=0.25)\n"
        "    return model['x'].numpy()\n"
        "x = tensor()\n"
        "gc.collect()\n"
        "assert (x == 0.75).all()\n"
        "x += 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(PACKAGE)})


def test_memory_is_given_back(models):
    a, b = np.ones(1 << 18, np.float32), np.zeros(1 << 18, np.float32)
    ws.weighted_sum(a, b, alpha=0.5)
    before = resident()
    for _ in range(200):
        ws.weighted_sum(a, b, alpha=0.5)
    assert resident() - before < 20 << 20


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096
