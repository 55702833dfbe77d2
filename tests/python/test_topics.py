"""The pages of `weightsmith help` about the language: their recipes are valid, and they fit a terminal."""

import re

import pytest

TOPICS = ["recipe", "weights", "blocks"]


def recipes(page):
    """From a line "weightsmith: 1" to the next empty line, without the indentation of the page."""
    text = re.sub(r"^  ", "", page, flags=re.M)
    return re.findall(r"^weightsmith: 1\b.*?\n(?=\n|\Z)", text, flags=re.M | re.S)


@pytest.mark.parametrize("topic", TOPICS)
def test_the_recipes_of_a_page_are_valid(weightsmith, tmp_path, topic):
    found = recipes(weightsmith("help", topic).stdout)
    assert found
    for text in found:
        (tmp_path / "recipe.yaml").write_text(text)
        assert weightsmith("validate", "--no-files", "recipe.yaml").stderr == ""


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_fits_a_terminal(weightsmith, topic):
    page = weightsmith("help", topic).stdout
    assert max(map(len, page.splitlines())) <= 80
    assert f"help {topic}" in weightsmith("help").stdout


def test_an_unknown_page_is_an_error(weightsmith):
    assert "unknown command 'recipez'" in weightsmith("help", "recipez", status=2).stderr
