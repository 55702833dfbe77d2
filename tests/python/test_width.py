"""Nothing for people is wider than a terminal, whatever the names in it; what programs read is not folded."""

import json
import subprocess
import unicodedata

import numpy as np
import pytest

import support

NAME = "ワイド文字の名前が長い-🦊-" + "long" * 20


def columns(text):
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    marks = sum(unicodedata.combining(c) > 0 for c in text)
    return len(text) + wide - marks


@pytest.fixture(scope="module")
def files(session_weightsmith, tiny):
    base = support.read(tiny("sd15", 1)).tensors
    extra = {f"model.diffusion_model.{NAME}.weight": np.ones((3,), np.float16)}
    paths = []
    for seed in (1, 2):
        path = session_weightsmith.folder / f"{NAME}-{seed}.safetensors"
        paths.append(support.write(path, support.random_like(base, seed) | extra, {NAME: NAME, "title": NAME}).name)
    return paths


@pytest.mark.parametrize("width", support.chosen([40, 60, 100], 60))
@pytest.mark.parametrize("command", [
    "info {a}", "info {a} {b}", "info --tensors {a}", "plan {a} {b}", "merge {a} {b} -o m.safetensors -f", "merge {a} {b} -n",
    "convert {a} -o c.safetensors -f", "split {a} -o parts -f", "verify {a}", "hash {a}", "meta {a}", "scan {a}", "blocks {a} --summary",
    "merge {a} none{a}", "merge {a} {b} --alpha half", "validate {a}", "ops", "ops linear", "-h", "--help", "merge -h", "merge --help",
    "architectures", "schema", "nothing", "merge {a} {b} --op dare", "synth nothing", "bake {a} --lora {b}",
])
def test_no_line_is_wider_than_the_terminal(command, width, files, session_weightsmith):
    words = command.format(a=files[0], b=files[1]).split()
    result = subprocess.run(session_weightsmith.command(*words), cwd=session_weightsmith.folder, text=True, capture_output=True,
                            env={**session_weightsmith.environment, "COLUMNS": str(width)}, stdin=subprocess.DEVNULL, check=False)
    assert result.stdout or result.stderr
    for line in (result.stdout + result.stderr).splitlines():
        assert columns(line) <= width, line


def test_what_programs_read_is_not_folded(files, session_weightsmith):
    narrow = {"COLUMNS": "40"}
    assert json.loads(session_weightsmith("info", "--json", files[0], env=narrow).stdout)["path"] == files[0]
    assert session_weightsmith("blocks", files[0], env=narrow).stdout == session_weightsmith("blocks", files[0]).stdout
    printed = session_weightsmith("convert", files[0], "-o", f"{NAME}.safetensors", "-f", env=narrow).stdout
    assert printed == f"{NAME}.safetensors\n"
