"""What a person reads who wrote a recipe as people do: tests/recipes/broken.golden holds broken recipes, what
`validate` says, and the recipes repaired.

`at LINE:COLUMN` and `write TEXT` are written by hand: the message names that place, and it holds the text,
which stands in the repaired recipe; `say TEXT` is in the message alone. The repaired recipe is valid, so that the advice is known to help.
WEIGHTSMITH_BLESS=1 writes what is said now: read the difference before committing it.
"""

import os
import re
from pathlib import Path

import numpy as np
import pytest

import support

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
        self.say = [value for word, value in words if word == "say"]
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


@pytest.mark.parametrize("case", support.sampled(CASES, 3), ids=lambda case: case.name)
def test_a_broken_recipe_can_be_repaired_from_the_message(weightsmith, tmp_path, case):
    result = weightsmith("validate", "--no-files", prepared(case, tmp_path), status=case.status, env=HOME)
    for place in case.places:
        assert re.search(rf"^(weightsmith: )?{re.escape(case.file)}:{place}: ", result.stderr, re.M), result.stderr
    for text in case.write:
        assert text in result.stderr
        assert text in case.texts[REPAIRED], "the repaired recipe has what the message says"
    for text in case.say:
        assert text in result.stderr
    if not BLESS:
        assert result.stderr == case.texts[SAYS]
    case.texts[SAYS] = result.stderr


@pytest.mark.parametrize("case", support.sampled(CASES, 6), ids=lambda case: case.name)
def test_the_repaired_recipe_is_valid(weightsmith, tmp_path, case):
    prepared(case, tmp_path)
    (tmp_path / case.file).write_bytes(case.bytes(REPAIRED))
    result = weightsmith("validate", "--no-files", case.file)
    assert "error" not in result.stderr


def test_there_are_enough_of_them():
    assert len({case.name for case in CASES}) == len(CASES) >= 60
    if BLESS:
        GOLDEN.write_text("".join(case.section() for case in CASES), encoding="utf-8")


@pytest.mark.parametrize("output", [
    "{model: mix, path: mix.safetensors, metadata: {title: day // night, description: \"see https://x.org // y\"}}",
    "{model: mix, path: //server/my out/mix.safetensors}  # a // b",
    "\n  model: mix\n  path: 'day // night.safetensors'\n  metadata:\n    title: '{t}'\n    thumbnail: https://x.org/a//b // c",
    "\n  model: mix\n  path: mix.safetensors\n  metadata:\n    description: |\n      day // night\n\n      /* noon */",
    "\n  model: mix\n  path: mix.safetensors\n  metadata: {\n    title: day // night\n  }",
])
def test_two_slashes_that_are_meant_are_no_comment(weightsmith, tmp_path, output):
    (tmp_path / "recipe.yaml").write_text(
        "weightsmith: 1\nvars:\n  t: day // night\nmodels:\n  photo: //server/photo.safetensors\n  anime: a//b.safetensors\n"
        'steps:\n  mix: {op: weighted_sum, a: photo, b: anime, alpha: {default: 0.3, "/attn // x/": 0.5}}\n'
        f"output: {output}\n")
    weightsmith("validate", "--no-files", "recipe.yaml")


def test_names_that_are_keys_elsewhere_are_names(weightsmith, tmp_path):
    (tmp_path / "recipe.yaml").write_text(
        "weightsmith: 1\nmodels: {path: a.safetensors, key: b.safetensors}\nadapters: {path2: c.safetensors}\n"
        "steps:\n  a: {op: weighted_sum, a: path, b: key, alpha: 0.5}\n  b: {op: copy, a: a}\n  of: {op: bake, model: b, adapters: [path2]}\n"
        "output: {model: of, path: mix.safetensors}\n")
    weightsmith("validate", "--no-files", "recipe.yaml")


def test_a_lora_among_the_models_is_named_at_its_place(weightsmith, tmp_path, tiny):
    factors = {f"lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q.lora_{part}.weight": np.ones(shape, np.float16)
               for part, shape in (("down", (4, 32)), ("up", (32, 4)))}
    support.write(tmp_path / "detail.safetensors", factors)
    (tmp_path / "recipe.yaml").write_text(
        f"weightsmith: 1\nmodels:\n  photo: {tiny('sd15', 1)}\n  detail: detail.safetensors\n"
        "steps:\n  mix: {op: weighted_sum, a: photo, b: detail, alpha: 0.6}\n"
        "output: {model: mix, path: mix.safetensors}\n"
    )
    said = weightsmith("plan", "recipe.yaml", status=3).stderr
    assert "recipe.yaml:4:11: error: model 'detail': the file is a LoRA" in said
    assert "Move it to the table 'adapters'" in said and '["detail:0.6"]' in said
    (tmp_path / "recipe.yaml").write_text(
        f"weightsmith: 1\nmodels:\n  photo: {tiny('sd15', 1)}\nadapters:\n  detail: detail.safetensors\n"
        "steps:\n  mix: {op: bake, model: photo, adapters: [\"detail:0.6\"]}\n"
        "output: {model: mix, path: mix.safetensors}\n"
    )
    weightsmith("validate", "--no-files", "recipe.yaml")


def test_all_missing_files_are_reported_at_their_places(weightsmith, tmp_path):
    (tmp_path / "recipe.yaml").write_text(
        "weightsmith: 1\nmodels:\n  photo: foto.safetensors\n  anime: stabilityai/sdxl\n"
        "steps:\n  mix: {op: weighted_sum, a: photo, b: anime, alpha: 0.6}\n"
        "output: {model: mix, path: mix.safetensors}\n"
    )
    (tmp_path / "photo.safetensors").write_bytes(b"")
    said = weightsmith("plan", "recipe.yaml", status=4).stderr
    assert "recipe.yaml:3:10: error: model 'photo': no such file: 'foto.safetensors'" in said
    assert "Did you mean 'photo.safetensors'?" in said
    assert "recipe.yaml:4:10: error: model 'anime': no such file: 'stabilityai/sdxl'" in said
    assert "looks like the name of a repository" in said


def recipe_in_a_folder(path="../anime.safetensors", output="mix.safetensors"):
    return (
        f"weightsmith: 1\nmodels:\n  photo: ../photo.safetensors\n  anime: {path}\n"
        "steps:\n  mix: {op: weighted_sum, a: photo, b: anime, alpha: 0.6}\n"
        f"output: {{model: mix, path: {output}}}\n"
    )


@pytest.mark.parametrize("written, advice, repaired", [
    ("../anim.safetensors", "Did you mean '../anime.safetensors'?", "../anime.safetensors"),
    ("../anime.safetensors,", "Did you mean '../anime.safetensors'?", "../anime.safetensors"),
    ("../anime", "Did you mean '../anime.safetensors'?", "../anime.safetensors"),
    ("..\\anime.safetensors", "Write / for \\: ../anime.safetensors", "../anime.safetensors"),
    ("stabilityai/sdxl-base-1.0", "'stabilityai/sdxl-base-1.0' looks like the name of a repository", None),
    ("../zzzzzzzz.safetensors", None, None),
])
def test_advice_has_paths_as_the_recipe_writes_them(weightsmith, tmp_path, written, advice, repaired):
    folder = tmp_path / "recipes"
    folder.mkdir()
    (tmp_path / "photo.safetensors").write_bytes(b"")
    (tmp_path / "anime.safetensors").write_bytes(b"")
    (folder / "recipe.yaml").write_text(recipe_in_a_folder(written))
    said = weightsmith("plan", "recipes/recipe.yaml", status=4).stderr
    assert "recipes/recipe.yaml:4:10: error: model 'anime': no such file" in said
    assert advice in said if advice else "Did you mean" not in said
    if repaired is not None:
        (folder / "recipe.yaml").write_text(recipe_in_a_folder(repaired))
        assert "no such file" not in weightsmith("plan", "recipes/recipe.yaml", status=4).stderr


@pytest.mark.parametrize("written, advice", [
    ("mix.ckpt", "mix.safetensors"), ("mix", "mix.safetensors"), ("../mix.gguf", "../mix.safetensors"),
    ("../", "../out.safetensors"),
])
def test_advice_has_the_output_as_the_recipe_writes_it(weightsmith, tmp_path, written, advice):
    (tmp_path / "recipes").mkdir()
    recipe = tmp_path / "recipes" / "recipe.yaml"
    recipe.write_text(recipe_in_a_folder(output=written))
    said = weightsmith("validate", "--no-files", "recipes/recipe.yaml", status=2).stderr
    assert "recipes/recipe.yaml:7:28: error:" in said and f"Write '{advice}'." in said
    recipe.write_text(recipe_in_a_folder(output=advice))
    weightsmith("validate", "--no-files", "recipes/recipe.yaml")


def test_a_recipe_that_is_not_there_is_named_once(weightsmith, tmp_path):
    (tmp_path / "mix.yaml").write_text(recipe_in_a_folder())
    for command in ("validate", "plan"):
        said = weightsmith(command, "mx.yaml", status=4).stderr
        assert said.count("mx.yaml") == 1 and "no such recipe: 'mx.yaml'" in said and "Did you mean 'mix.yaml'?" in said


def test_a_folder_that_holds_a_recipe_is_told_its_file(weightsmith, tmp_path):
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "mix.yaml").write_text(recipe_in_a_folder())
    assert "Give the recipe in it: recipes/mix.yaml" in weightsmith("validate", "recipes", status=4).stderr


def test_a_long_line_is_marked_where_it_is_cut(weightsmith, tmp_path):
    models = ", ".join(f'"m{i}": "m{i}.safetensors"' for i in range(20))
    (tmp_path / "recipe.json").write_text('{"weightsmith": 1, "modells": {' + models + "}}\n")
    said = weightsmith("validate", "--no-files", "recipe.json", status=2).stderr
    line = next(line for line in said.splitlines() if line.startswith("  1 | "))
    assert line.endswith("…") and len(line) < 180


@pytest.mark.parametrize("arguments, words", [
    (["--alpha", "0,5"], ["--alpha: error: weighted_sum: 'alpha'"]),
    (["--alpha", "{default: 0.3"], ["--alpha:1:1: error: this { is not closed"]),
    (["--alpha", "30%"], ["--alpha: error:", "Write 0.3"]),
    (["--alpha", "{default: 0.3, unett: 1}"], ["--alpha: error: weighted_sum: 'alpha': unknown place 'unett'"]),
    (["--mbw", "0.1,0.2"], ["--mbw: error: weighted_sum: 'alpha' is a list of 2 numbers"]),
    (["--policy", "missing=ignore"], ["--policy: error: policy 'missing'"]),
    (["--op", "multiply", "--alpha", "0.5"], ["--alpha: error: multiply has no key 'alpha'"]),
    (["--dtype", "int8"], ["--dtype: error:"]),
])
def test_a_command_line_is_told_its_flag(weightsmith, tmp_path, arguments, words):
    said = weightsmith("merge", "a.safetensors", "b.safetensors", "-o", "out.safetensors", *arguments, status=2).stderr
    for word in words:
        assert word in said
    assert "command line" not in said and "step 'merged'" not in said


def test_a_missing_model_of_a_command_line_has_no_line(weightsmith):
    said = weightsmith("merge", "a.safetensors", "b.safetensors", "-o", "out.safetensors", status=4).stderr
    assert "no such file: 'a.safetensors'" in said and "no such file: 'b.safetensors'" in said
    assert ":1" not in said and ":2" not in said


@pytest.mark.parametrize("arguments", [["validate", "--no-files"], ["plan"], ["merge"]])
def test_a_pipe_is_no_recipe(weightsmith, tmp_path, arguments):
    os.mkfifo(tmp_path / "recipe.yaml")
    said = weightsmith(*arguments, "recipe.yaml", status=4).stderr
    assert "'recipe.yaml' is a pipe, not a file" in said and "Give - instead" in said


def test_devices_and_large_files_are_refused_before_they_are_read(weightsmith, tmp_path):
    assert "is a device, not a file" in weightsmith("validate", "/dev/zero", status=4).stderr
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(1 << 40)
    assert "is larger than 16.0 MB" in weightsmith("validate", "large.yaml", status=4).stderr
    result = weightsmith("validate", "-", stdin="# " + "x" * 17_000_000, status=4)
    assert "standard input is larger than 16.0 MB" in result.stderr


def test_nothing_of_an_included_file_is_quoted_that_is_no_table(weightsmith, tmp_path):
    (tmp_path / "shadow").write_text("root:$6$secret:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n")
    for line in ("include: shadow", "models: {other: {recipe: shadow}}"):
        (tmp_path / "recipe.yaml").write_text(f"weightsmith: 1\n{line}\noutput: {{model: other, path: o.safetensors}}\n")
        result = weightsmith("validate", "--no-files", "recipe.yaml", status=2)
        assert "recipe.yaml:2:" in result.stderr and "neither a recipe nor a table" in result.stderr
        assert "secret" not in result.stderr + result.stdout
