"""Fixtures: the program, and checkpoints small enough to make in every test."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import support  # noqa: E402
from baker import F32, Baker  # noqa: E402

LIMIT = int(os.environ.get("WEIGHTSMITH_TIMEOUT", "120"))  # seconds for one call; an emulator takes longer


def pytest_addoption(parser):
    parser.addoption("--exhaustive", action="store_true", help="also the tests that an ordinary run leaves out")


def pytest_configure(config):
    config.addinivalue_line("markers", "exhaustive: left out without --exhaustive; an ordinary test tries the same behaviour")
    binary = program()
    if not binary.is_file():
        raise pytest.UsageError(f"{binary} is not built; run scripts/test.sh, or set WEIGHTSMITH_BUILD")


def pytest_collection_modifyitems(config, items):
    if not (config.getoption("exhaustive") or os.environ.get("WEIGHTSMITH_BLESS") == "1"):  # of which every case is written
        left_out = [item for item in items if item.get_closest_marker("exhaustive")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("exhaustive")]


def program():
    return support.build() / "bin" / "weightsmith"


class Weightsmith:
    """Runs the program in a folder, away from the user's caches and models."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "LC_ALL": "C.UTF-8",
        }
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS"):
                self.environment[name] = value

    def command(self, *arguments):
        return [str(program()), *map(str, arguments)]

    def start(self, *arguments, **options):
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="surrogateescape",  # names of files need not be text
            **options,
        )

    def __call__(self, *arguments, status=0, stdin=None, env=None, cwd=None):
        result = subprocess.run(
            self.command(*arguments),
            cwd=cwd or self.folder,
            env={**self.environment, **(env or {})},
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            errors="surrogateescape",  # names of files need not be text
            timeout=LIMIT,
        )
        said = (
            f"weightsmith {' '.join(map(str, arguments))}\n"
            f"ended with {result.returncode} instead of {status}\n{result.stderr}{result.stdout}"
        )
        # Names of files need not be text, and workers send their reports as UTF-8.
        assert result.returncode == status, said.encode(errors="backslashreplace").decode()
        return result


@pytest.fixture
def weightsmith(tmp_path):
    return Weightsmith(tmp_path)


@pytest.fixture(scope="session")
def session_weightsmith(tmp_path_factory):
    return Weightsmith(tmp_path_factory.mktemp("session"))


@pytest.fixture(scope="session")
def tiny(session_weightsmith):
    """Paths of tiny checkpoints by (architecture, seed), made once."""
    made = {}

    def make(architecture="sd15", seed=1, *options):
        key = (architecture, seed, options)
        if key not in made:
            path = session_weightsmith.folder / f"{architecture}-{seed}-{len(made)}.safetensors"
            session_weightsmith("synth", architecture, "--seed", seed, "--scale", "tiny", *options, "-o", path)
            made[key] = path
        return made[key]

    return make


@pytest.fixture
def models(tiny, tmp_path, monkeypatch):
    """Tiny checkpoints a, b and c in the working directory."""
    for seed, name in enumerate("abc", 1):
        (tmp_path / f"{name}.safetensors").symlink_to(tiny("sd15", seed))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pair(tmp_path):
    """Two plain checkpoints of an unknown architecture: names, and paths a.safetensors, b.safetensors."""
    return make_models(tmp_path, "ab")


@pytest.fixture
def trio(tmp_path):
    return make_models(tmp_path, "abc")


def make_models(folder, names, dtype=np.float16):
    paths = []
    for seed, name in enumerate(names):
        generator = np.random.default_rng(seed)
        tensors = {
            f"layers.{i}.weight": generator.standard_normal((40, 65)).astype(dtype) for i in range(4)
        }
        paths.append(support.write(folder / f"{name}.safetensors", tensors))
    return paths


@pytest.fixture
def bake(weightsmith, tmp_path, tiny):
    return lambda architecture="sd15", *options: Baker(weightsmith, tmp_path, tiny(architecture, 1, *F32, *options))
