"""A run in parts (`--part 2/3`, `part=(2, 3)`), which other programs use: together they write what one run writes."""

import itertools
import os
import signal
import subprocess
import sys
import time

import pytest

import support
from test_python_reading import PACKAGE, ws

MERGE = ("merge", "a.safetensors", "b.safetensors", "--alpha", "0.3", "-o", "out.safetensors")


@pytest.fixture
def models(tiny, tmp_path):
    for seed, name in enumerate("ab", 1):
        (tmp_path / f"{name}.safetensors").symlink_to(tiny("sd15", seed))
    return tmp_path


@pytest.fixture
def whole(weightsmith, models):
    """What one run writes."""
    weightsmith(*MERGE)
    digest = support.sha256(models / "out.safetensors")
    (models / "out.safetensors").unlink()
    return digest


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix in (".partial", ".journal"))


@pytest.mark.parametrize("order", [
    (2, 3, 1), *(pytest.param(order, marks=pytest.mark.exhaustive) for order in itertools.permutations((1, 2, 3)) if order != (2, 3, 1))],
    ids=str)
def test_parts_in_any_order_write_the_bytes_of_one_run(weightsmith, models, whole, order):
    for number in order[:-1]:
        ended = weightsmith(*MERGE, "--part", f"{number}/3")
        assert f"part {number} of 3 is done" in ended.stderr and "are left to the others" in ended.stderr
        assert ended.stdout == ""
        assert not (models / "out.safetensors").exists()
        done = [f"out.safetensors.{part}-of-3.journal" for part in order[: order.index(number) + 1]]
        assert leftovers(models) == sorted([*done, "out.safetensors.partial"])
    ended = weightsmith(*MERGE, "--part", f"{order[-1]}/3")
    assert ended.stdout.strip() == "out.safetensors"
    assert support.sha256(models / "out.safetensors") == whole
    assert leftovers(models) == []


def test_a_part_that_is_done_does_nothing_again(weightsmith, models, whole):
    for _ in range(2):
        weightsmith(*MERGE, "--part", "2/2")
    journal = (models / "out.safetensors.2-of-2.journal").read_bytes()
    weightsmith(*MERGE, "--part", "2/2")
    assert (models / "out.safetensors.2-of-2.journal").read_bytes() == journal
    weightsmith(*MERGE, "--part", "1/2")
    assert support.sha256(models / "out.safetensors") == whole


def test_a_run_without_a_part_does_what_is_left(weightsmith, models, whole):
    weightsmith(*MERGE, "--part", "3/4")
    weightsmith(*MERGE)
    assert support.sha256(models / "out.safetensors") == whole


@pytest.mark.parametrize("count", support.chosen([12, 64], 12))
def test_more_parts_than_tensors_are_enough(weightsmith, tmp_path, pair, count):
    a, b = pair
    weightsmith("merge", a, b, "--alpha", "0.3", "-o", "out.safetensors")
    whole = support.sha256(tmp_path / "out.safetensors")
    (tmp_path / "out.safetensors").unlink()
    idle = 0
    for number in range(1, count + 1):
        said = weightsmith("merge", a, b, "--alpha", "0.3", "-o", "out.safetensors", "--part", f"{number}/{count}").stderr
        idle += f"part {number} of {count} has nothing to do" in said
    assert idle == count - 4
    assert support.sha256(tmp_path / "out.safetensors") == whole


@pytest.mark.parametrize("part", ["3/2", "0/2", "2", "1/0", "1/2/3", "x/2", "-1/2", "1/-1", " 1/2", "1/2 ", ""])
def test_what_is_no_part_is_refused(weightsmith, models, part):
    said = weightsmith(*MERGE, f"--part={part}", status=2).stderr
    assert "part" in said
    assert leftovers(models) == []


def test_a_part_keeps_digests(weightsmith, models):
    said = weightsmith(*MERGE, "--part", "1/2", "--no-digest", status=2).stderr
    assert "digests" in said


def test_help_does_not_show_it(weightsmith):
    assert "--part" not in weightsmith("help", "merge").stdout + weightsmith("merge", "--help").stdout


def state_of(process):
    """What the system says of a process: T is stopped."""
    with open(f"/proc/{process.pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def start_and_stop(weightsmith, folder, part):
    """A part that has begun, holds the outputs, and computes nothing until it gets SIGCONT."""
    journal = folder / f"out.safetensors.{part.replace('/', '-of-')}.journal"
    for _ in range(40):
        process = weightsmith.start(*MERGE, "--part", part, "--threads", "1")
        while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") > 2):
            time.sleep(0.0002)
        if process.poll() is None:
            process.send_signal(signal.SIGSTOP)
            while state_of(process) not in "TZ":
                time.sleep(0.0002)
            # Far from its end.
            if state_of(process) == "T" and journal.exists() and journal.read_bytes().count(b"\n") < 60:
                return process
            process.send_signal(signal.SIGCONT)
        process.communicate()
        for path in folder.glob("out.safetensors*"):
            path.unlink()
    pytest.fail("no part could be stopped in its middle")


@pytest.mark.parametrize("count", support.chosen([2, 3], 3))
def test_parts_at_the_same_time_write_the_bytes_of_one_run(weightsmith, models, whole, count):
    for _ in range(5):
        parts = [weightsmith.start(*MERGE, "--part", f"{number}/{count}") for number in range(1, count + 1)]
        said = [process.communicate(timeout=60) for process in parts]
        assert [process.returncode for process in parts] == [0] * count, said
        assert sum(out.strip() == "out.safetensors" for out, _ in said) == 1
        assert support.sha256(models / "out.safetensors") == whole
        assert leftovers(models) == []
        (models / "out.safetensors").unlink()


def test_a_part_that_was_killed_beside_others_is_gone_on_from(weightsmith, models, whole):
    killed = start_and_stop(weightsmith, models, "1/3")
    assert "are left to the others" in weightsmith(*MERGE, "--part", "3/3").stderr
    killed.kill()
    killed.communicate()
    assert "are left to the others" in weightsmith(*MERGE, "--part", "2/3").stderr
    assert not (models / "out.safetensors").exists()
    assert "going on" in weightsmith(*MERGE, "--part", "1/3").stderr
    assert support.sha256(models / "out.safetensors") == whole
    assert leftovers(models) == []


def test_what_is_no_part_of_a_run_under_way_is_refused(weightsmith, models, whole):
    first = start_and_stop(weightsmith, models, "1/2")
    kept = leftovers(models)
    refused = {
        ("--part", "1/2"): "part 1 of 2 is being computed",
        ("--part", "2/3"): "1-of-2.journal",
        ("--part", "2/2", "--alpha", "0.4"): "of another recipe, or of other parameters",
        (): "another process is writing",
    }
    for more, reason in refused.items():
        words = [word for word in MERGE if "--alpha" not in more or word not in ("--alpha", "0.3")]
        said = weightsmith(*words, *more, status=1).stderr
        assert "another process is writing" in said and reason in said
        assert leftovers(models) == kept
    first.send_signal(signal.SIGCONT)
    assert first.communicate(timeout=60) and first.returncode == 0
    weightsmith(*MERGE, "--part", "2/2")
    assert support.sha256(models / "out.safetensors") == whole
    assert leftovers(models) == []


@pytest.fixture
def recipe(models):
    text = "weightsmith: 1\nmodels: {a: a.safetensors, b: b.safetensors}\n"
    text += "steps: {mix: {op: weighted_sum, a: a, b: b, alpha: 0.3}}\n"
    (models / "r.yaml").write_text(text + "output: {model: mix, path: out.safetensors}\n")
    return models / "r.yaml"


def test_parts_of_the_library_in_any_order(models, recipe):
    output = models / "out.safetensors"
    ws.merge(recipe)
    whole = support.sha256(output)
    output.unlink()
    for number in (3, 1):
        report = ws.merge(recipe, part=(number, 3))
        assert report.tensors_left > 0 and report.outputs == []
        assert not output.exists()
    report = ws.merge(recipe, part=(2, 3))
    assert report.tensors_left is None and len(report.outputs) == 1
    assert support.sha256(output) == whole
    assert leftovers(models) == []


def test_parts_of_a_model_that_is_saved_by_several_processes(models):
    script = """
import sys, weightsmith as ws
mix = ws.weighted_sum("a.safetensors", "b.safetensors", alpha=0.3)
print(mix.save("out.safetensors", part=(int(sys.argv[1]), 3)).tensors_left)
"""
    mix = ws.weighted_sum(models / "a.safetensors", models / "b.safetensors", alpha=0.3)
    mix.save(models / "whole.safetensors")
    started = [
        subprocess.Popen([sys.executable, "-c", script, str(number)], cwd=models, stdout=subprocess.PIPE, text=True,
                         env={**os.environ, "PYTHONPATH": str(PACKAGE)})
        for number in (1, 2, 3)
    ]
    said = [process.communicate(timeout=60)[0].strip() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert said.count("None") == 1
    with ws.open(models / "out.safetensors") as out, ws.open(models / "whole.safetensors") as one:
        assert list(out) == list(one)
        for name in one:
            assert out[name].numpy().tobytes() == one[name].numpy().tobytes()
    assert leftovers(models) == []


@pytest.mark.parametrize("part", [(0, 3), (4, 3), (1, 0), (-1, 2)])
def test_what_is_no_part_is_an_error_of_its_value(models, recipe, part):
    with pytest.raises(ws.RecipeError, match="part"):
        ws.merge(recipe, part=part)


@pytest.mark.parametrize("part", [1, "1/3", (1,), (1, 2, 3), (1.0, 3)])
def test_what_is_no_part_is_an_error_of_its_type(models, recipe, part):
    with pytest.raises(TypeError, match="part"):
        ws.merge(recipe, part=part)


def test_a_part_of_the_library_keeps_digests(models, recipe):
    with pytest.raises(ws.RecipeError, match="digests"):
        ws.merge(recipe, part=(1, 2), digests=False)
    assert leftovers(models) == []
