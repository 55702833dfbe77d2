"""An installed weightsmith is found by find_package and does a merge for a program that is not ours."""

import subprocess

import support
from conftest import program


def test_find_package_and_a_merge(weightsmith, pair, tmp_path):
    def run(*command):
        result = subprocess.run([*map(str, command)], capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    prefix, build = tmp_path / "prefix", tmp_path / "build"
    run("cmake", "--install", program().parents[1], "--prefix", prefix)
    run("cmake", "-G", "Ninja", "-S", support.ROOT / "tests" / "consumer", "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", build)

    support.write_recipe(tmp_path / "recipe.yaml", {
        "models": {"a": "a.safetensors", "b": "b.safetensors"},
        "steps": {"out": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5}},
        "output": {"model": "out", "path": "theirs.safetensors"},
    })
    output = run(build / "consumer", tmp_path / "recipe.yaml")
    assert output.splitlines() == [f"layers.{i}.weight F16 [40, 65]" for i in range(4)]
    # The name of a file is its title, where the recipe gives none.
    weightsmith("merge", "recipe.yaml", "--mkdir", "-o", "ours/theirs.safetensors")
    assert support.sha256(tmp_path / "theirs.safetensors") == support.sha256(tmp_path / "ours/theirs.safetensors")
    # The installed program runs from where it was installed.
    assert run(prefix / "bin" / "weightsmith", "--version").strip().endswith((support.ROOT / "VERSION").read_text().strip())
