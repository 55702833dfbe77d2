"""The words of the program: every tests/cli/*.golden is a session of a shell, held word for word.

A line `$ command` is run by bash in an empty folder of the session's own, `> ` is a line of its
standard output, `! ` of its standard error, `= N` its exit status (0 where the line is missing), and
`# ` a comment. WEIGHTSMITH_BLESS=1 writes what the program says now into the files: read the
difference before committing it.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("WEIGHTSMITH_BUILD", ROOT / "build" / "release"))
SESSIONS = sorted((ROOT / "tests" / "cli").glob("*.golden"))
BLESS = os.environ.get("WEIGHTSMITH_BLESS") == "1"

# What differs from run to run.
VARIABLE = [
    (re.compile(r"\b\d+\.\d+ s\b"), "N.NN s"),
    (re.compile(r"\b\d+\.\d+ GB/s"), "N.NN GB/s"),
    (re.compile(r"\b[0-9.]+ (kB|MB|GB|TB) free"), "N GB free"),
    (re.compile(r"needs [0-9.]+ MB of memory"), "needs N MB of memory"),
    (re.compile(r"memory   at most [0-9.]+ (kB|MB|GB)"), "memory   at most N MB"),
]


def environment(folder):
    keep = {key: os.environ[key] for key in ("HOME", "LANG", "ASAN_OPTIONS") if key in os.environ}
    path = f"{BUILD / 'bin'}:{os.environ['PATH']}"
    return keep | {"PATH": path, "XDG_CACHE_HOME": str(folder / ".cache"), "LC_ALL": "C.UTF-8"}


def still(text, folder):
    text = text.replace(str(folder), "FOLDER")
    for pattern, replacement in VARIABLE:
        text = pattern.sub(replacement, text)
    return text


def marked(mark, text):
    return [f"{mark} {line}".rstrip() for line in text.splitlines()]


def play(session, folder):
    """The session's lines as the program says them now."""
    said = []
    for line in session.read_text(encoding="utf-8").splitlines():
        if line.startswith("$ "):
            result = subprocess.run(
                ["bash", "-c", line[2:]], cwd=folder, env=environment(folder), text=True,
                stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False,
            )
            said.append(line)
            said += marked(">", still(result.stdout, folder))
            said += marked("!", still(result.stderr, folder))
            if result.returncode != 0:
                said.append(f"= {result.returncode}")
        elif not line.startswith((">", "!", "=")):
            said.append(line)
    return said


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: path.stem)
def test_words(session, tmp_path):
    said = play(session, tmp_path)
    if BLESS:
        session.write_text("\n".join(said) + "\n", encoding="utf-8")
    assert session.read_text(encoding="utf-8").splitlines() == said
