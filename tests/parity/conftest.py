"""Fixtures of the suite that compares with PyTorch; it has an environment of its own."""

import os
import subprocess
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # tests make their models

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def weightsmith(tmp_path):
    build = Path(os.environ.get("WEIGHTSMITH_BUILD", ROOT / "build" / "release"))

    def run(*arguments):
        result = subprocess.run(
            [str(build / "bin" / "weightsmith"), *map(str, arguments)],
            cwd=tmp_path, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run
