"""A run in parts (`--part 2/3`), which other programs use: together they write what one run writes."""

import itertools

import pytest

import support

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


@pytest.mark.parametrize("order", [*itertools.permutations((1, 2, 3))], ids=str)
def test_parts_in_any_order_write_the_bytes_of_one_run(weightsmith, models, whole, order):
    for number in order[:-1]:
        ended = weightsmith(*MERGE, "--part", f"{number}/3")
        assert f"part {number} of 3 is done" in ended.stderr and "are left to the others" in ended.stderr
        assert ended.stdout == ""
        assert not (models / "out.safetensors").exists()
        assert leftovers(models) == ["out.safetensors.journal", "out.safetensors.partial"]
    ended = weightsmith(*MERGE, "--part", f"{order[-1]}/3")
    assert ended.stdout.strip() == "out.safetensors"
    assert support.sha256(models / "out.safetensors") == whole
    assert leftovers(models) == []


def test_a_part_that_is_done_does_nothing_again(weightsmith, models, whole):
    for _ in range(2):
        weightsmith(*MERGE, "--part", "2/2")
    journal = (models / "out.safetensors.journal").read_bytes()
    weightsmith(*MERGE, "--part", "2/2")
    assert (models / "out.safetensors.journal").read_bytes() == journal
    weightsmith(*MERGE, "--part", "1/2")
    assert support.sha256(models / "out.safetensors") == whole


def test_a_run_without_a_part_does_what_is_left(weightsmith, models, whole):
    weightsmith(*MERGE, "--part", "3/4")
    weightsmith(*MERGE)
    assert support.sha256(models / "out.safetensors") == whole


def test_more_parts_than_tensors_are_enough(weightsmith, tmp_path, pair):
    a, b = pair
    weightsmith("merge", a, b, "--alpha", "0.3", "-o", "out.safetensors")
    whole = support.sha256(tmp_path / "out.safetensors")
    (tmp_path / "out.safetensors").unlink()
    idle = 0
    for number in range(1, 65):
        said = weightsmith("merge", a, b, "--alpha", "0.3", "-o", "out.safetensors", "--part", f"{number}/64").stderr
        idle += f"part {number} of 64 has nothing to do" in said
    assert idle == 60
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
