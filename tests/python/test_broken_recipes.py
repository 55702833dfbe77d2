"""What a person reads who wrote a recipe as people do: tests/recipes/broken.golden holds broken recipes, what
`validate` says, and the recipes repaired.

`at LINE:COLUMN` and `write TEXT` are written by hand: the message names that place, and it holds the text,
which stands in the repaired recipe. The repaired recipe is valid, so that the advice is known to help.
WEIGHTSMITH_BLESS=1 writes what is said now: read the difference before committing it.
"""

import os
import re
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "recipes" / "broken.golden"
BLESS = os.environ.get("WEIGHTSMITH_BLESS") == "1"
CHARACTERS = {"<TAB>": "\t", "<NBSP>": "\u00a0", "<ZWSP>": "\u200b"}
REPAIRED, SAYS = "repaired", "says"
HOME = {"HOME": "/home/me"}


class Case:
    """A section: lines of the oracle, then named texts, the first of which is the broken recipe."""

    def __init__(self, section):
        head, *texts = re.split(r"^--- ", section, flags=re.M)
        self.head = head
        self.name, *oracle = head.splitlines()
        words = [line.split(" ", 1) for line in oracle]
        self.places = [value for word, value in words if word == "at"]
        self.write = [value for word, value in words if word == "write"]
        self.status = int(next((value for word, value in words if word == "status"), 2))
        self.encoding = next((value for word, value in words if word == "encoding"), "utf-8")
        self.texts = dict(text.split("\n", 1) for text in texts)
        self.file = next(iter(self.texts))

    def bytes(self, name):
        text = self.texts[name]
        for word, character in CHARACTERS.items():
            text = text.replace(word, character)
        return text.encode(self.encoding if name == self.file else "utf-8")

    def section(self):
        names = [self.file, SAYS, *(name for name in self.texts if name not in (self.file, SAYS))]
        return f"=== {self.head}" + "".join(f"--- {name}\n{self.texts[name]}" for name in names)


CASES = [Case(section) for section in re.split(r"^=== ", GOLDEN.read_text(encoding="utf-8"), flags=re.M)[1:]]


def prepared(case, folder):
    (folder / case.file).write_bytes(case.bytes(case.file))
    for name in case.texts:
        if name.startswith("file "):
            (folder / name.removeprefix("file ")).write_bytes(case.bytes(name))
    return case.file


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_recipe_can_be_repaired_from_the_message(weightsmith, tmp_path, case):
    result = weightsmith("validate", "--no-files", prepared(case, tmp_path), status=case.status, env=HOME)
    for place in case.places:
        assert re.search(rf"^(weightsmith: )?{re.escape(case.file)}:{place}: ", result.stderr, re.M), result.stderr
    for text in case.write:
        assert text in result.stderr
        assert text in case.texts[REPAIRED], "the repaired recipe has what the message says"
    if not BLESS:
        assert result.stderr == case.texts[SAYS]
    case.texts[SAYS] = result.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_repaired_recipe_is_valid(weightsmith, tmp_path, case):
    prepared(case, tmp_path)
    (tmp_path / case.file).write_bytes(case.bytes(REPAIRED))
    result = weightsmith("validate", "--no-files", case.file)
    assert "error" not in result.stderr


def test_there_are_enough_of_them():
    assert len({case.name for case in CASES}) == len(CASES) >= 60
    if BLESS:
        GOLDEN.write_text("".join(case.section() for case in CASES), encoding="utf-8")
