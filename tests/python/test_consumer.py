"""An installed weightsmith is its public headers alone, is found by find_package, and does the work of programs that are
not ours."""

import re
import shutil
import subprocess

import numpy as np
import pytest

import adapters
import support
from conftest import program

HEADERS = sorted((support.ROOT / "include" / "weightsmith").glob("*.h"))
CHECKS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


def run(*command, cwd=None, status=0):
    result = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True)
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="session")
def prefix(tmp_path_factory):
    """Where the build is installed."""
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", program().parents[1], "--prefix", folder)
    return folder


@pytest.fixture(scope="session")
def programs(prefix, tmp_path_factory):
    """The folder of the programs of a project, built against what is installed."""
    made = {}

    def build(project):
        if project not in made:
            made[project] = tmp_path_factory.mktemp(project.name)
            run("cmake", "-G", "Ninja", "-S", project, "-B", made[project], f"-DCMAKE_PREFIX_PATH={prefix}")
            run("cmake", "--build", made[project])
        return made[project]

    return build


def test_only_the_public_headers_are_installed(prefix):
    installed = sorted(path.relative_to(prefix / "include").as_posix() for path in (prefix / "include").rglob("*") if path.is_file())
    assert installed == [f"weightsmith/{header.name}" for header in HEADERS]
    assert len(installed) <= 16


def test_the_public_headers_name_no_third_party():
    for header in HEADERS:
        included = re.findall(r"#include\s*([<\"])([^>\"]+)", header.read_text())
        assert all(mark == "<" and ("/" not in name or name.startswith("weightsmith/")) for mark, name in included), header
        assert not re.search(r"\b(nlohmann|YAML|fmt|hwy|tbb|re2|boost)::", header.read_text()), header


@pytest.mark.exhaustive
@pytest.mark.parametrize("compiler", [name for name in ("g++", "clang++") if shutil.which(name)])
def test_each_public_header_compiles_alone(prefix, tmp_path, compiler):
    sources = [tmp_path / f"{header.stem}.cc" for header in HEADERS]
    for source in sources:
        source.write_text(f"#include <weightsmith/{source.stem}.h>\n" * 2)
    run(compiler, *CHECKS, "-I", prefix / "include", *sources)


def test_what_the_manual_shows_compiles(tmp_path):
    text = (support.ROOT / "docs" / "cpp.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```cpp\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 4
    head = "#include <weightsmith/weightsmith.h>\nnamespace ws = weightsmith;\n"
    body = "".join(f"{{\n{block.removeprefix(head)}}}\n" for block in blocks)
    models = ", ".join(f"const ws::Model& {name}" for name in ("a", "b", "c", "base"))
    source = tmp_path / "manual.cc"
    source.write_text(f"{head}void Show({models}) {{\n{body}}}\n")
    run("g++", "-std=c++20", "-fsyntax-only", "-Wno-unused-result", "-I", support.ROOT / "include", source)


def test_find_package_and_a_merge(weightsmith, programs, prefix, pair, tmp_path):
    consumer = programs(support.ROOT / "tests" / "consumer") / "consumer"
    support.write_recipe(tmp_path / "recipe.yaml", {
        "models": {"a": "a.safetensors", "b": "b.safetensors"},
        "steps": {"weighted_sum": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5}},
        "output": {"model": "weighted_sum", "path": "theirs.safetensors"},
    })
    output = run(consumer, "recipe.yaml", "a.safetensors", "b.safetensors", "by_functions.safetensors", cwd=tmp_path)
    version = (support.ROOT / "VERSION").read_text().strip()
    lines = output.splitlines()
    assert lines[0].startswith(f"{version}, ")
    assert lines[1:] == [*(f"layers.{i}.weight F16 [40, 65]" for i in range(4)), "right", "layers.0.weight is the same"]
    # The name of a file is its title, where the recipe gives none.
    weightsmith("merge", "recipe.yaml", "--mkdir", "-o", "ours/theirs.safetensors")
    assert support.sha256(tmp_path / "theirs.safetensors") == support.sha256(tmp_path / "ours/theirs.safetensors")
    theirs, functions = (support.read(tmp_path / name).tensors for name in ("theirs.safetensors", "by_functions.safetensors"))
    for name, tensor in theirs.items():
        support.assert_same_bits(functions[name], tensor, name)
    # The installed program runs from where it was installed.
    assert run(prefix / "bin" / "weightsmith", "--version").strip().endswith(version)


@pytest.fixture
def files(tiny, tmp_path):
    for seed, name in enumerate(("photo", "anime"), 1):
        (tmp_path / f"{name}.safetensors").symlink_to(tiny("sd15", seed))
    shapes, _ = adapters.shapes_of(adapters.weights_of(support.header_of(tiny("sd15", 1))[0]), "lora", "kohya")
    support.write(tmp_path / "detail.safetensors", adapters.random_tensors(shapes, 1, np.float16))
    return tmp_path


@pytest.mark.exhaustive  # test_find_package_and_a_merge builds a program, too
def test_the_example_merges_and_bakes(weightsmith, programs, files):
    example = programs(support.ROOT / "examples" / "cpp") / "merge_and_bake"
    names = [f"{name}.safetensors" for name in ("photo", "anime", "detail", "merged")]
    said = run(example, *names, cwd=files)
    assert "elements changed" in said and "modules applied" in said and "merged.safetensors" in said
    weightsmith("verify", "merged.safetensors")
    run(example, "none.safetensors", *names[1:], cwd=files, status=4)


@pytest.mark.exhaustive
def test_the_example_sweeps(programs, files):
    example = programs(support.ROOT / "examples" / "cpp") / "sweep"
    tensor = "model.diffusion_model.out.2.weight"
    said = run(example, "photo.safetensors", "anime.safetensors", tensor, "variants", cwd=files).splitlines()
    written = sorted((files / "variants").iterdir())
    assert [path.name for path in written] == [f"alpha-{alpha}.safetensors" for alpha in ("0.25", "0.50", "0.75")]
    for line, path in zip(said, written):
        spread = float(np.std(support.read(path).tensors[tensor].astype(np.float64)))
        assert float(line.split()[-1]) == pytest.approx(spread, rel=1e-4)
