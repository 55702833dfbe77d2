"""No run destroys a file: all that it would write is compared with all that it reads, before it writes anything."""

import os
import resource
import subprocess

import numpy as np
import pytest

import support
from conftest import program


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def refused(weightsmith, *arguments):
    """The message of a run that ends with status 2 and changes nothing."""
    before = contents(weightsmith.folder)
    error = weightsmith(*arguments, status=2).stderr
    assert contents(weightsmith.folder) == before
    return error


@pytest.mark.parametrize("report", ["b.safetensors", "./b.safetensors", "link", "out.safetensors", "out.safetensors.partial",
                                    "out.safetensors.journal"])
def test_a_report_is_no_file_of_the_run(weightsmith, pair, report):
    (weightsmith.folder / "link").symlink_to("a.safetensors")
    for verb in ("merge", "plan"):
        assert "the report " in refused(weightsmith, verb, *pair, "-o", "out.safetensors", "-f", "--report", report)


def test_an_output_is_no_recipe_table_or_list(weightsmith, pair):
    folder = weightsmith.folder
    (folder / "table.yaml").write_text("weightsmith: 1\nmodels: {a: a.safetensors, b: b.safetensors}\n")
    (folder / "presets.tsv").write_text("MINE\t" + ",".join(["0.5"] * 26) + "\n")
    (folder / "inner.yaml").write_text("weightsmith: 1\ninclude: table.yaml\noutput: {model: a}\n")
    (folder / "recipe.yaml").write_text(
        "weightsmith: 1\ninclude: table.yaml\nmodels: {c: {recipe: inner.yaml}}\n"
        "steps: {m: {op: weighted_sum, a: c, b: b, alpha: 0.3}}\noutput: {model: m}\n")
    for read, role in (("recipe.yaml", "recipe"), ("table.yaml", "included table"), ("inner.yaml", "recipe"),
                       ("presets.tsv", "list of presets")):
        os.link(folder / read, folder / f"{read}.safetensors")
        error = refused(weightsmith, "merge", "recipe.yaml", "--presets", "presets.tsv", "-o", f"{read}.safetensors", "-f")
        assert f"the output '{read}.safetensors' is the {role} '{read}'" in error


@pytest.mark.parametrize("suffix", [".partial", ".journal"])
def test_an_input_may_be_called_like_what_a_run_keeps(weightsmith, pair, suffix):
    os.rename(weightsmith.folder / "b.safetensors", weightsmith.folder / f"out.safetensors{suffix}")
    error = refused(weightsmith, "merge", "a.safetensors", f"out.safetensors{suffix}", "-o", "out.safetensors")
    assert "is the input" in error


@pytest.mark.parametrize("suffix", [".partial", ".journal"])
def test_links_pipes_and_files_of_others_are_left_alone(weightsmith, pair, suffix):
    path = weightsmith.folder / f"out.safetensors{suffix}"
    victim = weightsmith.folder / "victim"
    victim.write_text("precious")
    path.symlink_to(victim)
    refused(weightsmith, "merge", *pair, "-o", "out.safetensors")
    path.unlink()
    os.mkfifo(path)
    refused(weightsmith, "merge", *pair, "-o", "out.safetensors")
    path.unlink()
    path.write_text("not weightsmith's")
    refused(weightsmith, "merge", *pair, "-o", "out.safetensors")


def test_split_and_convert_refuse_before_they_write(weightsmith, tiny):
    model = tiny("sd15")
    parts = weightsmith.folder / "parts"
    parts.mkdir()
    (parts / "vae.safetensors").write_text("mine")
    assert "already exists" in weightsmith("split", model, "-o", "parts", status=2).stderr
    assert contents(parts) == {"vae.safetensors": b"mine"}
    pipeline = weightsmith.folder / "pipeline"
    pipeline.mkdir()
    (pipeline / "model_index.json").write_text("{}")
    assert "already exists" in weightsmith("convert", model, "--layout", "diffusers", "-o", pipeline, status=2).stderr
    assert contents(pipeline) == {"model_index.json": b"{}"} and len(list(pipeline.iterdir())) == 1


def limited(weightsmith, *arguments, limits):
    """Runs under limits of the system: (resource, value)."""

    def set_limits():
        for name, value in limits:
            resource.setrlimit(name, (value, value))

    return subprocess.run([str(program()), *map(str, arguments)], cwd=weightsmith.folder, env=weightsmith.environment,
                          capture_output=True, text=True, timeout=120, preexec_fn=set_limits)


def test_a_limit_on_the_size_of_files_is_an_error(weightsmith, tiny):
    before = contents(weightsmith.folder)
    result = limited(weightsmith, "merge", tiny("sd15", 1), tiny("sd15", 2), "-o", "out.safetensors",
                     limits=[(resource.RLIMIT_FSIZE, 100_000)])
    assert result.returncode == 6, result.stderr
    assert "limit on the size of files" in result.stderr
    assert contents(weightsmith.folder) == before


def test_too_many_open_files_are_an_error_that_leaves_nothing(weightsmith, tmp_path):
    generator = np.random.default_rng(1)
    for name in "ab":
        support.write(tmp_path / f"{name}.safetensors",
                      {f"w{i}": generator.standard_normal((64, 64)).astype(np.float16) for i in range(40)})
    result = limited(weightsmith, "merge", "a.safetensors", "b.safetensors", "-o", "out.safetensors", "--max-shard-size",
                     "9KB", limits=[(resource.RLIMIT_NOFILE, 24)])
    assert result.returncode == 1, result.stderr
    assert "too many open files" in result.stderr
    assert not list(tmp_path.glob("out*"))


def test_a_limit_leaves_metadata_as_it_was(weightsmith, tiny):
    weightsmith("convert", tiny("sd15"), "-o", "out.safetensors")
    path = weightsmith.folder / "out.safetensors"
    before = path.read_bytes()
    for limit in (4096, 8192, 65536, len(support_header(path)) + 4096):
        result = limited(weightsmith, "meta", path, "--set", "note=hello", limits=[(resource.RLIMIT_FSIZE, limit)])
        assert result.returncode == 6, (limit, result.stderr)
        assert path.read_bytes() == before
        assert sorted(p.name for p in weightsmith.folder.glob("out*")) == ["out.safetensors"]
    weightsmith("meta", path, "--set", "note=hello")
    assert weightsmith("meta", path, "--get", "note").stdout == "hello\n"


def support_header(path):
    _, start = support.header_of(path)
    return path.read_bytes()[:start]


@pytest.mark.parametrize("words", [["info"], ["merge", "a.safetensors"], ["hash"], ["scan"], ["meta"], ["validate"],
                                   ["verify"], ["split"], ["plan", "a.safetensors"], ["show"]])
def test_loops_of_links_and_long_names_have_messages(weightsmith, pair, words):
    (weightsmith.folder / "loop").symlink_to("loop")
    (weightsmith.folder / "loop.safetensors").symlink_to("loop.safetensors")
    for name in ("loop", "loop.safetensors", "x" * 300, "x" * 300 + ".safetensors", "loop/a.yaml"):
        result = subprocess.run([str(program()), *words, name], cwd=weightsmith.folder, env=weightsmith.environment,
                                capture_output=True, text=True, timeout=60)
        assert result.returncode in (2, 4), (name, result.stderr)
        assert "unexpected" not in result.stderr


@pytest.mark.parametrize("words", [["-o", "loop/out.safetensors"], ["-o", "x" * 300], ["-o", "a.safetensors/out"],
                                   ["--report", "loop"], ["--report", "loop/r.json"], ["--report", "x" * 300]])
def test_outputs_in_impossible_places_have_messages(weightsmith, pair, words):
    (weightsmith.folder / "loop").symlink_to("loop")
    arguments = ["merge", *pair, *words, "--mkdir"]
    if "-o" not in words:
        arguments += ["-o", "out.safetensors"]
    result = subprocess.run([str(program()), *map(str, arguments)], cwd=weightsmith.folder, env=weightsmith.environment,
                            capture_output=True, text=True, timeout=60)
    assert result.returncode in (1, 2), result.stderr
    assert "unexpected" not in result.stderr
    assert not [path for path in weightsmith.folder.glob("out*")]
