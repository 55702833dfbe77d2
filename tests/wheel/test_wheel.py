"""A wheel, installed where there is nothing else: what it carries, and that the README's lines of Python work.

    WEIGHTSMITH_WHEEL=FILE [PYTHON=python3.12] python -m pytest tests/wheel
"""

import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 8_000_000
BUNDLED = {"libfmt", "libhwy", "libre2", "libtbb"}  # what cannot be linked from archives


def wheel():
    name = os.environ.get("WEIGHTSMITH_WHEEL")
    found = [Path(name)] if name else sorted((ROOT / "build/wheel").glob("weightsmith-*.whl"))
    if len(found) != 1:
        raise pytest.UsageError("there is not one wheel: run scripts/make_wheel.sh, or set WEIGHTSMITH_WHEEL")
    return found[0].resolve()


def install(folder, *what):
    """Into a virtual environment in `folder`, which is made if it is not there. Nothing is compiled that an older
    version is there of: compilers of other languages and their packages may be missing."""
    if not folder.exists():
        subprocess.run([os.environ.get("PYTHON", "python3"), "-m", "venv", folder], check=True)
    pip = [folder / "bin/python", "-m", "pip", "install", "--disable-pip-version-check", "--prefer-binary", "-q"]
    subprocess.run([*pip, *what], check=True)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A folder away from this checkout, in whose venv/ there is the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("wheel")
    install(folder / "venv", f"{wheel()}[numpy]")
    return folder


def free_threaded():
    return re.search(r"-cp3\d+t-", wheel().name) is not None


def needed_by_the_tests():
    """Not everything has been built for interpreters without a global lock: any version that has will do."""
    lines = (ROOT / "tests/python/requirements.txt").read_text().splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    if not free_threaded():
        return pinned
    names = [line.split("==")[0] for line in pinned if not line.startswith("safetensors")]
    return ["--only-binary=:all:", "--no-binary=PyYAML", *names]


def run(environment, *command, check=True):
    variables = {"PATH": f"{environment}/venv/bin:/usr/bin:/bin", "HOME": str(environment), "LC_ALL": "C.UTF-8",
                 "WEIGHTSMITH_BUILD": str(environment / "build")}
    if free_threaded():
        variables["PYTHON_GIL"] = "0"  # also where a package of the tests would ask for the lock
    result = subprocess.run([str(word) for word in command], cwd=environment, env=variables, capture_output=True,
                            text=True, timeout=600)
    assert not check or result.returncode == 0, result.stdout + result.stderr
    return result


def first_block(document, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)[0]


def test_it_is_small_and_bundles_what_must_stay_shared():
    with zipfile.ZipFile(wheel()) as archive:
        names = archive.namelist()
    bundled = {re.split(r"[-.]", Path(name).name)[0] for name in names if ".libs/lib" in name}
    assert bundled == BUNDLED
    assert wheel().stat().st_size <= LARGEST


def test_it_uses_what_the_cpu_has(environment):
    cpus = Path("/proc/cpuinfo").read_text()
    flags = set(re.search(r"^(?:flags|Features)\s*:(.*)$", cpus, re.MULTILINE).group(1).split())
    expected = {"AVX2": {"avx2", "fma", "f16c", "bmi2"} <= flags,
                "AVX3": {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"} <= flags}
    said = run(environment, "env", "WEIGHTSMITH_SIMD=none", "weightsmith", "info", "-", check=False).stderr
    known = re.search(r"There are: (.*)\.", said).group(1).split(", ")
    assert {name: name in known for name in expected} == expected


def test_it_is_tagged_for_other_machines_and_typed():
    assert re.search(r"-manylinux_2_\d+_\w+\.whl$", wheel().name)
    with zipfile.ZipFile(wheel()) as archive:
        names = set(archive.namelist())
    assert {"weightsmith/py.typed", "weightsmith/_native.pyi", "weightsmith/__init__.py"} <= names


def test_it_asks_for_no_other_package(environment):
    install(environment / "bare", "--no-index", wheel())
    run(environment, environment / "bare/bin/python", "-c",
        "import weightsmith as ws; ws.save('e.safetensors', {}, overwrite=True)")


def test_the_versions_are_one(environment):
    version = (ROOT / "VERSION").read_text().strip()
    assert run(environment, "python", "-c", "import weightsmith; print(weightsmith.__version__)").stdout.strip() == version
    assert version in run(environment, "weightsmith", "--version").stdout
    assert f"-{version}-" in wheel().name


def test_the_command_ends_as_the_program_does(environment):
    assert "weightsmith merge" in run(environment, "weightsmith", "--help").stdout
    missing = run(environment, "weightsmith", "info", "none.safetensors", check=False)
    assert missing.returncode == 4
    assert "none.safetensors" in missing.stderr


def test_the_lines_of_the_readme_work(environment):
    folder = environment / "readme"
    folder.mkdir()
    for seed, name in enumerate(("base", "photo", "anime"), 1):
        kind = ["--finetune-of", "1"] if seed > 1 else []
        run(environment, "weightsmith", "synth", "sd15", "--scale", "tiny", "--seed", seed, *kind, "-q",
            "-o", folder / f"{name}.safetensors")
    run(environment, "python", ROOT / "bench/make_lora.py", folder / "photo.safetensors", folder / "detail.safetensors",
        "--rank", "4")
    (folder / "recipe.yaml").write_text(first_block("README.md", "yaml"))
    lines = first_block("README.md", "python")
    assert "import weightsmith as ws" in lines
    run(environment, "python", "-c", f"import os; os.chdir({str(folder)!r})\n{lines}")
    assert {"mix.safetensors", "mix-0.7.safetensors"} <= {path.name for path in folder.iterdir()}
    run(environment, "weightsmith", "verify", folder / "mix-0.7.safetensors", "--no-recompute")


def test_it_passes_the_tests_of_the_package(environment):
    """Its libraries are linked in other ways than those of the build that is tested otherwise."""
    build = environment / "build"
    (build / "bin").mkdir(parents=True)
    (build / "bin/weightsmith").symlink_to(environment / "venv/bin/weightsmith")
    packages = run(environment, "python", "-c", "import weightsmith; print(weightsmith.__path__[0])").stdout.strip()
    (build / "python").symlink_to(Path(packages).parent)
    install(environment / "venv", *needed_by_the_tests())
    tests = sorted((ROOT / "tests/python").glob("test_python_*.py"))
    run(environment, "python", "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *tests)


def test_a_free_threaded_interpreter_stays_so(environment):
    if not free_threaded():
        pytest.skip("the wheel is for an interpreter with a global lock")
    python = environment / "venv/bin/python"
    said = run(environment, "env", "-u", "PYTHON_GIL", python, "-W", "error", "-c",
               "import sys, weightsmith; print(sys._is_gil_enabled())").stdout.strip()
    assert said == "False"
