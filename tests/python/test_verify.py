"""Which files `verify` takes for the inputs of a file, and what it says and shows while it looks."""

import json
import os
import shutil
import struct

import numpy as np
import pytest

import support
from test_python_reading import ws


def merge(weightsmith, *flags, output="out.safetensors"):
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", "0.25", "-q", "-o", output, *flags)
    return weightsmith.folder / output


def pad(path, size):
    """Gives a file another size, by spaces in its header."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    more = size - len(data)
    assert more >= 0
    path.write_bytes(struct.pack("<Q", length + more) + data[8 : 8 + length] + b" " * more + data[8 + length :])


@pytest.fixture
def alike(weightsmith, pair):
    """a, b and their merge, all of one size."""
    out = merge(weightsmith, output="trial.safetensors")
    for path in pair:
        pad(path, out.stat().st_size)
    out.unlink()
    out = merge(weightsmith)
    assert out.stat().st_size == pair[0].stat().st_size == pair[1].stat().st_size
    return out


def test_the_file_itself_is_not_its_input(weightsmith, alike, pair):
    weightsmith("verify", alike)
    for path in pair:
        kept = path.with_suffix(".kept")
        shutil.move(path, weightsmith.folder.parent / kept.name)
        said = weightsmith("verify", alike, status=4).stderr
        assert f"the input '{path.stem}'" in said and "with other contents" in said and "is not the input" not in said
        weightsmith("verify", alike, "--model", f"{path.stem}={weightsmith.folder.parent / kept.name}")
        shutil.move(weightsmith.folder.parent / kept.name, path)


def test_nor_is_a_link_or_a_copy_of_it(weightsmith, alike, pair):
    pair[0].rename(weightsmith.folder.parent / "elsewhere.safetensors")
    for link, status in ((os.symlink, 4), (os.link, 4), (shutil.copy, 7)):
        link(alike, pair[0])
        weightsmith("verify", alike, status=status)
        pair[0].unlink()


def test_an_input_that_is_the_result_is_found(weightsmith, pair):
    """At weight 0 and the effect waived, the output has the tensors of the input, byte for byte."""
    shutil.copy(pair[0], weightsmith.folder / "b.safetensors")
    out = merge(weightsmith, "--policy", "effect=any")
    pair[0].unlink()
    pair[1].unlink()
    pad(out, out.stat().st_size)
    weightsmith("verify", out, status=4)  # of another size than the inputs were
    weightsmith("verify", out, "--model", f"a={out}", "--model", f"b={out}")


def test_another_file_of_its_name_and_size_is_told(weightsmith, alike, pair):
    shutil.copy(pair[0], pair[1])
    said = weightsmith("verify", alike, status=7).stderr
    assert "'b.safetensors' is not the input 'b'" in said.replace(str(pair[1]), "b.safetensors")
    assert "--model NAME=PATH" in said and "differs" not in said


def test_an_input_of_its_name_that_does_not_fit_is_told(weightsmith, alike, pair):
    size = pair[1].stat().st_size
    support.write(pair[1], {"other.weight": np.ones((3, 5), np.float16)})
    pad(pair[1], size)
    said = weightsmith("verify", alike, status=7).stderr
    assert "the recorded recipe does not fit its inputs" in said


def test_one_file_under_many_names_is_read_once(weightsmith, alike, pair):
    many = weightsmith.folder / "many"
    many.mkdir()
    for i in range(5):
        os.link(pair[1], many / f"{i}.safetensors")
        (many / f"link{i}.safetensors").symlink_to(pair[1])
    (many / "loop").symlink_to(weightsmith.folder)
    pair[1].unlink()
    shutil.move(many / "0.safetensors", many / "renamed.safetensors")
    weightsmith("verify", alike)
    assert ws.verify(alike, models=[many]).right


def test_without_digests_the_name_decides_and_doubt_is_an_error(weightsmith, alike, pair):
    out = merge(weightsmith, "--no-digest", "-f")
    pad(out, max(out.stat().st_size, pair[0].stat().st_size))
    weightsmith("verify", out)
    pair[1].rename(weightsmith.folder / "x.safetensors")
    shutil.copy(pair[0], weightsmith.folder / "y.safetensors")
    said = weightsmith("verify", out, status=4).stderr
    assert "the input 'b' could be" in said and "--model" in said
    weightsmith("verify", out, "--model", "b=x.safetensors")


def test_without_digests_the_sha256_decides(weightsmith, pair):
    recipe = weightsmith.folder / "r.yaml"
    recipe.write_text(
        "weightsmith: 1\nmodels:\n"
        + "".join(f"  {path.stem}: {{path: {path.name}, sha256: {support.sha256(path)}}}\n" for path in pair)
        + "steps: {mix: {op: weighted_sum, a: a, b: b, alpha: 0.25}}\noutput: {model: mix, path: out.safetensors}\n"
    )
    weightsmith("merge", recipe, "--no-digest", "-q")
    pair[1].rename(weightsmith.folder / "x.safetensors")
    shutil.copy(pair[0], pair[1])  # of its name and size
    weightsmith("verify", "out.safetensors")
    (weightsmith.folder / "x.safetensors").unlink()
    assert "with other contents" in weightsmith("verify", "out.safetensors", status=4).stderr


def test_an_input_that_the_recipe_does_not_have_is_told(weightsmith, alike):
    said = weightsmith("verify", alike, "--model", "bb=b.safetensors", status=2).stderr
    assert "no input 'bb'" in said and "Did you mean 'b'" in said


@pytest.mark.parametrize("break_it, status", [
    (lambda folder: None, 0),
    (lambda folder: (folder / "a.safetensors").unlink(), 4),
    (lambda folder: (folder / "out.safetensors").unlink(), 4),
    (lambda folder: (folder / "out.safetensors").write_text("text"), 4),
    (lambda folder: os.truncate(folder / "out.safetensors", 3000), 4),
    (lambda folder: shutil.copy(folder / "a.safetensors", folder / "b.safetensors"), 7),
], ids=["right", "input missing", "missing", "text", "truncated", "wrong input"])
def test_json_is_printed_whatever_happens(weightsmith, alike, break_it, status):
    break_it(weightsmith.folder)
    result = weightsmith("verify", alike, "--json", status=status)
    found = json.loads(result.stdout)
    assert found["status"] == status and found["right"] == (status == 0)
    assert found.keys() == {"path", "right", "checked", "recipe", "problems", "status"}
    assert bool(found["problems"]) == (status != 0)
    assert found["recipe"] == ("structure" in found["checked"])


def large(folder, name, value):
    return support.write(folder / f"{name}.safetensors", {f"t{i}": np.full(4 << 20, value + i, np.float32) for i in range(4)})


def test_every_phase_shows_its_progress(weightsmith):
    for name, value in (("a", 1), ("b", 2)):
        large(weightsmith.folder, name, value)
    out = merge(weightsmith, "--no-sync")
    # Two candidates, so that inputs are compared before they are used.
    (weightsmith.folder / "b.safetensors").rename(weightsmith.folder / "renamed.safetensors")
    events = [json.loads(line) for line in weightsmith("verify", out, "--progress", "json").stderr.splitlines()]
    phases = list(dict.fromkeys(event["phase"] for event in events))
    assert phases == ["reading", "finding inputs", "recomputing"]
    for phase in phases:
        last = [event for event in events if event["phase"] == phase][-1]
        assert last["bytes_done"] == last["bytes_total"] > 0

    seen = []
    ws.verify(out, progress=seen.append)
    assert {progress.phase for progress in seen} <= set(phases) and seen[-1].phase == "recomputing"
    assert seen[-1].bytes_done == seen[-1].bytes_total > 0


def test_what_progress_raises_stops_it(weightsmith):
    large(weightsmith.folder, "a", 1)

    def stop(progress):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        ws.verify(weightsmith.folder / "a.safetensors", progress=stop)


def test_python_says_what_is_wrong_in_its_own_words(weightsmith, alike, pair):
    shutil.copy(pair[0], pair[1])
    with pytest.raises(ws.VerifyError, match="is not the input 'b'") as caught:
        ws.verify(alike)
    found = caught.value.verification
    assert found.status == 7 and not found.right and found.problems
    assert "model={NAME: PATH}" in caught.value.advice and "--" not in str(caught.value)
    pair[1].unlink()
    with pytest.raises(ws.MissingFileError, match="the input 'b'") as caught:
        ws.verify(alike)
    assert "recompute=False" in caught.value.advice and "--" not in str(caught.value)
