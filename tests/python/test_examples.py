"""What we show to people works: every example, every recipe of the README and of the reference, the
demo, and the pages that are generated."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import adapters
import support
from conftest import program

EXAMPLES = sorted(p.name for p in (support.ROOT / "examples").iterdir() if p.suffix in (".yaml", ".json"))
PAGES = ["README.md", "docs/recipes.md", "docs/adapters.md"]


def whole_recipes(page):
    """The blocks of a page that are whole recipes."""
    text = (support.ROOT / page).read_text(encoding="utf-8")
    return [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if block.startswith("weightsmith: 1")]


@pytest.fixture
def models(tiny, tmp_path):
    """The models that examples speak of."""
    for seed, name in enumerate(("photo", "anime", "base", "turbo"), 1):
        (tmp_path / f"{name}.safetensors").symlink_to(tiny("sd15", seed))
    others = {"inpainting": ("sd15-inpainting", 1), "flux1-dev": ("flux1-dev", 1), "flux1-tuned": ("flux1-dev", 2),
              "coder": ("llama", 1), "writer": ("llama", 2), "clip_l": ("clip_l", 1), "t5xxl": ("t5xxl", 1), "ae": ("vae-flux", 1)}
    for name, synth in others.items():
        (tmp_path / f"{name}.safetensors").symlink_to(tiny(*synth))
    prefix = "first_stage_model."
    vae = {k.removeprefix(prefix): v for k, v in support.read(tiny("sd15", 9)).tensors.items() if k.startswith(prefix)}
    support.write(tmp_path / "vae.safetensors", vae)
    shapes, _ = adapters.shapes_of(adapters.weights_of(support.header_of(tiny("sd15", 1))[0]), "lora", "kohya")
    for seed, name in enumerate(("detail", "style")):
        support.write(tmp_path / f"{name}.safetensors", adapters.random_tensors(shapes, seed, np.float16))
    return tmp_path


@pytest.mark.parametrize("name", support.sampled(EXAMPLES, 5))
def test_an_example_runs(weightsmith, models, name):
    shutil.copy(support.ROOT / "examples" / name, models)
    weightsmith("validate", name)
    result = weightsmith("merge", name, "--no-sync")
    for line in result.stdout.splitlines():
        if line.endswith(".safetensors"):
            support.read(models / line)


SCRIPTS = sorted(path.name for path in (support.ROOT / "examples" / "python").glob("*.py"))
ELSEWHERE = {"comfyui_node.py"}  # needs PyTorch: tests/parity


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name not in ELSEWHERE])
def test_an_example_in_python_runs(models, name):
    result = run_script(models, name)
    assert result.returncode == 0, result.stderr
    if name == "merge_and_bake.py":
        assert len(support.read(models / "merged.safetensors").tensors) > 100
        assert "recomputed" in result.stdout


def test_one_tensor_of_a_very_large_file_is_read_at_once(tmp_path):
    header = {"huge": {"dtype": "F16", "shape": [10**10], "data_offsets": [0, 2 * 10**10]},
              "small": {"dtype": "F32", "shape": [2], "data_offsets": [2 * 10**10, 2 * 10**10 + 8]}}
    text = json.dumps(header).encode()
    with open(tmp_path / "large.safetensors", "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.seek(8 + len(text) + 2 * 10**10)
        file.write(np.array([1.5, 2], np.float32).tobytes())
    result = run_script(tmp_path, "one_tensor.py", "large.safetensors", "small")
    assert "[1.5 2. ]" in result.stdout and "20.00 GB" in result.stdout, result.stderr


def run_script(folder, name, *arguments):
    script = support.ROOT / "examples" / "python" / name
    environment = {**os.environ, "PYTHONPATH": str(support.build() / "python")}
    return subprocess.run(
        [sys.executable, script, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.exhaustive  # test_the_package_is_typed_strictly looks at what they use
def test_the_examples_in_python_are_typed_strictly():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", os.devnull,
         *(support.ROOT / "examples" / "python" / name for name in SCRIPTS)],
        env={**os.environ, "MYPYPATH": str(support.ROOT / "python_bindings")}, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


@pytest.mark.parametrize("page, index", [(page, i) for page in PAGES for i in range(len(whole_recipes(page)))])
def test_a_recipe_of_a_page_runs(weightsmith, models, page, index):
    (models / "recipe.yaml").write_text(whole_recipes(page)[index])
    weightsmith("merge", "recipe.yaml", "--no-sync", "--mkdir")


def test_the_readme_has_a_recipe():
    assert whole_recipes("README.md")


def test_the_demo_runs_and_cleans_up(tmp_path):
    folder = tmp_path / "demo files"
    demo = support.ROOT / "scripts" / "demo.sh"
    result = subprocess.run([demo, "--tiny", "--folder", folder], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert str(folder) in result.stdout
    assert len(support.read(folder / "mix.safetensors").tensors) > 100
    (folder / "mine.txt").write_text("not the demo's")
    subprocess.run([demo, "--clean", "--folder", folder], check=True, capture_output=True)
    assert [p.name for p in folder.iterdir()] == ["mine.txt"]


def test_the_demo_refuses_unknown_arguments():
    result = subprocess.run([support.ROOT / "scripts" / "demo.sh", "--huge"], capture_output=True, text=True)
    assert result.returncode == 2 and "--huge" in result.stderr


def test_the_reference_pages_are_current():
    build = program().parents[1]
    script = support.ROOT / "scripts" / "make_reference.py"
    result = subprocess.run([sys.executable, script, "--check", "--build", build], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
