"""Fixtures of the suite that compares with PyTorch; it has an environment of its own."""

import os
import subprocess
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # tests make their models

ROOT = Path(__file__).resolve().parents[2]


def program_in(folder):
    """Runs the program in a folder, and gives what it prints; with `any_status` also what it complains of."""
    build = Path(os.environ.get("WEIGHTSMITH_BUILD", ROOT / "build" / "release"))

    def run(*arguments, any_status=False):
        result = subprocess.run(
            [str(build / "bin" / "weightsmith"), *map(str, arguments)],
            cwd=folder, env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache")},
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )
        if any_status:
            return result.stdout + result.stderr
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run


@pytest.fixture
def weightsmith(tmp_path):
    return program_in(tmp_path)


@pytest.fixture(scope="module")
def module_weightsmith(tmp_path_factory):
    """The program in a folder that the tests of a module share, and the folder."""
    folder = tmp_path_factory.mktemp("module")
    return program_in(folder), folder
