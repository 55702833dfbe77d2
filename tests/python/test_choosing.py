"""docs/choosing.md names every operator, and is found from where people look."""

import json
import re

import pytest

import support

PAGE = support.ROOT / "docs" / "choosing.md"
ARXIV = re.compile(r"arXiv:([0-9]{4})\.([0-9]{5})\b")


def named():
    return set(re.findall(r"`([a-z_0-9]+)`", PAGE.read_text()))


def rows():
    """Methods that have a row of their own, under "Every method"."""
    text = PAGE.read_text().split("## Every method")[1]
    firsts = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [name for cell in firsts for name in re.findall(r"`([a-z_0-9]+)`", cell)]


def test_every_operator_is_named(weightsmith):
    operators = {op["name"] for op in json.loads(weightsmith("ops", "--json").stdout)}
    assert not operators - named()
    assert not operators - set(rows())


def test_every_name_is_an_operator(weightsmith):
    """But parameters, and the text of SuperMerger that weights may be written in."""
    operators = {op["name"] for op in json.loads(weightsmith("ops", "--json").stdout)}
    assert named() - operators == {"alpha", "seed", "elemental"}


def test_no_method_has_two_rows():
    names = rows()
    assert len(names) == len(set(names))


def test_papers_are_cited_by_number():
    text = PAGE.read_text()
    assert len(ARXIV.findall(text)) == len(re.findall(r"arXiv:[0-9]", text))
    assert "arXiv:2511.21437" in text


def test_other_pages_lead_there():
    for page in ("README.md", "docs/recipes.md", "scripts/make_reference.py"):
        assert "choosing.md" in (support.ROOT / page).read_text(), page


def found(weightsmith, words):
    return [op["name"] for op in json.loads(weightsmith("ops", "--like", words, "--json").stdout)]


def test_a_search_by_use_finds_the_operator(weightsmith):
    for words, operator in [("style transfer", "add_difference"), ("restoring the contrast", "norm_match")]:
        assert operator in found(weightsmith, words)
    assert "\n  norm_match " in weightsmith("ops", "--like", "restore contrast").stdout


@pytest.mark.parametrize("words, first", [
    ("restore contrast", ["adjust", "norm_match"]), ("restore contrast after a merge", ["norm_match"]),
    ("style transfer", ["add_difference"]), ("style transfer that keeps composition", ["crossover"]),
    ("frankenmerge", ["stack"]), ("model soup", ["linear"]), ("remove noise", ["smooth_add"]),
    ("merge loras", ["core_space"]), ("bake loras", ["bake"]), ("merge only attention", ["within"]), ("average", ["average"])])
def test_what_has_the_words_comes_first(weightsmith, words, first):
    assert found(weightsmith, words)[:len(first)] == first
    listed = re.findall(r"^  (\w+) ", weightsmith("ops", "--like", words).stdout, re.MULTILINE)
    assert listed[:len(first)] == first


def test_a_search_that_finds_nothing_says_what_may_be_meant(weightsmith):
    said = weightsmith("ops", "--like", "contrats", status=2).stderr
    assert "Did you mean 'contrast'?" in said
    assert "'weightsmith ops' lists all" in said
    assert "cannot be combined" in weightsmith("ops", "slerp", "--like", "style", status=2).stderr
