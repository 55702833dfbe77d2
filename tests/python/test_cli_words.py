"""The words of the program: every tests/cli/*.golden is held word for word.

A file is a list of cases. A case is one or more lines `$ command` without an empty line between them; bash runs
them one after the other in a new folder, so that a case that fails cannot hide what the next one would find. Lines
`@ command` prepare the folder of every case below them: they run once, must end with status 0, and each case gets a
copy of what they made. Below a command, `> ` is a line of its standard output, `! ` of its standard error, `= N` its
exit status (0 where the line is missing). `# ` is a comment.

WEIGHTSMITH_BLESS=1 writes what the program says now into the files: read the difference before committing it. A
fault of the program is never blessed.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("WEIGHTSMITH_BUILD", ROOT / "build" / "release"))
SESSIONS = sorted((ROOT / "tests" / "cli").glob("*.golden"))
BLESS = os.environ.get("WEIGHTSMITH_BLESS") == "1"

# What a program that is in order never says, whatever it is given.
FAULT = re.compile(
    r"unexpected: |fault of the program|bug in weightsmith|Traceback \(most recent|terminate called|Assertion|core dumped"
    r"|Segmentation fault|Sanitizer|runtime error: "
    # Of another program of the case: what it was to look at is not there, so it looks at nothing.
    r"|: No such file or directory|command not found"
)

# What differs from run to run.
VARIABLE = [
    (re.compile(r"\b\d+\.\d+ s\b"), "N.NN s"),
    (re.compile(r"\b\d+\.\d+ GB/s"), "N.NN GB/s"),
    (re.compile(r"\b[0-9.]+ (kB|MB|GB|TB) free"), "N GB free"),
    (re.compile(r"needs [0-9.]+ ?Mi?B of memory"), "needs N MB of memory"),
    (re.compile(r"memory   at most [0-9.]+ (kB|MB|GB)"), "memory   at most N MB"),
]


def environment(folder):
    keep = {key: os.environ[key] for key in ("HOME", "LANG", "ASAN_OPTIONS") if key in os.environ}
    path = f"{BUILD / 'bin'}:{os.environ['PATH']}"
    return keep | {"PATH": path, "XDG_CACHE_HOME": f"{folder}.cache", "LC_ALL": "C.UTF-8"}


def run(command, folder):
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(folder), text=True, errors="backslashreplace",
        stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False,
    )


def still(text, folder):
    text = text.replace(str(folder), "FOLDER")
    for pattern, replacement in VARIABLE:
        text = pattern.sub(replacement, text)
    return text


def marked(mark, text):
    return [f"{mark} {line}".rstrip() for line in text.splitlines()]


class Player:
    """Plays a session: what it says now, line by line, and what is a fault in it."""

    def __init__(self, folder):
        self.prepared = folder / "prepared"
        self.case = folder / "case"
        self.prepared.mkdir()
        self.in_case = False
        self.said = []
        self.faults = []

    def prepare(self, line):
        result = run(line[2:], self.prepared)
        self.said.append(line)
        if result.returncode != 0 or FAULT.search(result.stderr):
            self.faults.append(f"{line}\n{result.stderr}")

    def play(self, line):
        if not self.in_case:
            shutil.rmtree(self.case, ignore_errors=True)
            shutil.copytree(self.prepared, self.case, symlinks=True)
        self.in_case = True
        result = run(line[2:], self.case)
        self.said.append(line)
        self.said += marked(">", still(result.stdout, self.case))
        self.said += marked("!", still(result.stderr, self.case))
        if result.returncode != 0:
            self.said.append(f"= {result.returncode}")
        if FAULT.search(result.stdout + result.stderr):
            self.faults.append(f"{line}\n{result.stdout}{result.stderr}")

    def line(self, line):
        if line.startswith("@ "):
            self.prepare(line)
        elif line.startswith("$ "):
            self.play(line)
        elif not line.startswith((">", "!", "=")):
            self.in_case = False
            self.said.append(line)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: path.stem)
def test_words(session, tmp_path):
    player = Player(tmp_path)
    for line in session.read_text(encoding="utf-8").splitlines():
        player.line(line)
    assert not player.faults, "the program failed, which is nothing to bless:\n" + "\n".join(player.faults)
    if BLESS:
        session.write_text("\n".join(player.said) + "\n", encoding="utf-8")
    assert session.read_text(encoding="utf-8").splitlines() == player.said


@pytest.mark.parametrize(
    "says", ["weightsmith: unexpected: no flag --json", "Traceback (most recent call last):",
             "terminate called after throwing", "a.cc:7: f: Assertion `x' failed."],
)
def test_a_fault_is_never_right(says, tmp_path):
    player = Player(tmp_path)
    player.line(f'$ echo "{says}" >&2'.replace("`", "\\`"))
    assert player.faults


def test_a_case_cannot_spoil_the_next(tmp_path):
    player = Player(tmp_path)
    for line in ["@ echo 1 > kept", "$ rm kept; touch made", "$ ls", "", "$ ls"]:
        player.line(line)
    assert player.said[1:] == ["$ rm kept; touch made", "$ ls", "> made", "", "$ ls", "> kept"]


def test_a_preparation_that_fails_is_a_fault(tmp_path):
    player = Player(tmp_path)
    player.line("@ false")
    assert player.faults
