"""Files may be called anything: names that YAML, recipes, shells or Python read as something else are only names."""

import os
import shutil

import numpy as np
import pytest

import adapters
import support
from test_python_reading import ws

# Words and signs of YAML and of recipes, of shells and of formats, and what is no text at all.
STEMS = ["null", "True", "no", "~", "1e3", "0x10", "{x}", "{{x}}", "$w", "$w{w}", "a b", " ", "it's", 'say "hi"', "a: b", "#1",
         "[a, b]", "*x", "&x", "!x", "|", "%x", "@x", "`x`", "a,b", "back\\slash", "ü 猫", "\u2028", "\u0085", "\ufeff", "merged",
         "default", "base", "te", "new\nline", "\t", "\x1b[31m", "\x7f", "-dash", "--force", "x:0.5", os.fsdecode(b"caf\xe9")]
# One of every kind, for what takes several runs.
KINDS = ["null", "1e3", "{x}", "$w{w}", "a b", "it's", "a: b", "#1", "[a, b]", "*x", "back\\slash", "ü 猫", "\u2028", "merged",
         "new\nline", "\x1b[31m", "-dash", "x:0.5", os.fsdecode(b"caf\xe9")]


@pytest.fixture(scope="module")
def expected(tmp_path_factory, tiny, session_weightsmith):
    """A folder with two models and an adapter, and the tensors of their merge and of a baked one."""
    folder = tmp_path_factory.mktemp("names")
    for seed, name in enumerate("ab", 1):
        shutil.copy(tiny("sd15", seed), folder / f"{name}.safetensors")
    shapes, _ = adapters.shapes_of(adapters.weights_of(support.header_of(folder / "a.safetensors")[0]), "lora", "kohya")
    support.write(folder / "lora.safetensors", adapters.random_tensors(shapes, 5, np.float16))
    a, b, lora = (str(folder / f"{name}.safetensors") for name in ("a", "b", "lora"))
    session_weightsmith("merge", a, b, "--alpha", "0.25", "-o", folder / "merged.safetensors")
    session_weightsmith("bake", a, "--lora", f"{lora}:0.5", "-o", folder / "baked.safetensors")
    return folder, *(support.read(folder / f"{name}.safetensors").tensors for name in ("merged", "baked"))


def assert_tensors(path, tensors):
    found = support.read(path).tensors
    assert found.keys() == tensors.keys()
    for name, array in tensors.items():
        support.assert_same_bits(found[name], array, name)


def place(folder, source, stem):
    """A link of that name, and how it is written where a word that begins with a dash would be a flag."""
    path = folder / f"{stem}.safetensors"
    path.symlink_to(source)
    return f"./{path.name}" if stem.startswith("-") else path.name


@pytest.mark.parametrize("stem", support.chosen(KINDS, "{x}", "-dash", os.fsdecode(b"caf\xe9")), ids=ascii)
def test_files_of_any_name_are_merged_and_baked(weightsmith, tmp_path, expected, stem, monkeypatch):
    folder, merged, baked = expected
    model = place(tmp_path, folder / "a.safetensors", stem)
    other = place(tmp_path, folder / "b.safetensors", f"{stem} too")
    lora = place(tmp_path, folder / "lora.safetensors", f"{stem} lora")
    weightsmith("merge", model, other, "--alpha", "0.25", "-o", f"./{stem}-out.safetensors", "-q")
    assert_tensors(tmp_path / f"{stem}-out.safetensors", merged)
    # The recorded recipe is read again.
    weightsmith("verify", f"./{stem}-out.safetensors")
    weightsmith("bake", model, "--lora", f"{lora}:0.5", "-o", f"./{stem}-baked.safetensors", "-q")
    assert_tensors(tmp_path / f"{stem}-baked.safetensors", baked)

    monkeypatch.chdir(tmp_path)
    ws.weighted_sum(model, other, alpha=0.25).save(f"{stem}-python.safetensors")
    assert_tensors(tmp_path / f"{stem}-python.safetensors", merged)
    result = ws.bake(model, {lora: 0.5}, f"{stem}-python-baked.safetensors")
    assert_tensors(tmp_path / f"{stem}-python-baked.safetensors", baked)
    assert result.outputs[0].path == f"{stem}-python-baked.safetensors".encode(errors="surrogateescape").decode(errors="replace")
    assert ws.info(model).architecture == "sd1" and len(ws.open(model)) == len(merged)
    assert ws.verify(f"{stem}-python.safetensors").checked[-1] == "recomputed"


@pytest.mark.parametrize("stem", support.sampled(
    [stem for stem in KINDS if stem.isprintable() or stem == "\u2028"], 4), ids=ascii)
def test_the_recipe_of_such_files_reads_them(weightsmith, tmp_path, expected, stem, monkeypatch):
    folder, merged, _ = expected
    model = place(tmp_path, folder / "a.safetensors", stem)
    other = place(tmp_path, folder / "b.safetensors", f"{stem} too")
    output = f"./{stem}-out.safetensors"
    said = weightsmith("merge", model, other, "--alpha", "0.25", "-o", output, "--print-recipe").stdout
    (tmp_path / "r.yaml").write_text(said, encoding="utf-8")
    weightsmith("merge", "r.yaml", "-q")
    assert_tensors(tmp_path / output, merged)
    shown = weightsmith("show", "r.yaml").stdout
    (tmp_path / "shown.yaml").write_text(shown, encoding="utf-8")
    weightsmith("merge", "shown.yaml", "-q", "-f")
    assert_tensors(tmp_path / output, merged)

    monkeypatch.chdir(tmp_path)
    (tmp_path / "python.yaml").write_text(ws.weighted_sum(model, other, alpha=0.25).to_recipe(), encoding="utf-8")
    ws.merge("python.yaml", output="python.safetensors")
    assert_tensors(tmp_path / "python.safetensors", merged)


def test_several_outputs_of_such_names(weightsmith, tmp_path, expected):
    folder, _, baked = expected
    models = [place(tmp_path, folder / f"{'ab'[at % 2]}.safetensors", stem) for at, stem in enumerate(STEMS)]
    place(tmp_path, folder / "lora.safetensors", "lora")
    weightsmith("bake", *models, "--lora", "lora.safetensors:0.5", "-o", "baked/", "--mkdir", "-q")
    assert len(list((tmp_path / "baked").iterdir())) == len(STEMS)
    assert_tensors(tmp_path / "baked" / "null+0.50(lora).safetensors", baked)
    assert_tensors(tmp_path / "baked" / "_x_+0.50(lora).safetensors", baked)


@pytest.mark.parametrize("stem", support.chosen(
    ["null", "{x}", "$w", "-dash", "new\nline", "ü 猫"], "null", "-dash"), ids=ascii)
def test_the_other_commands_take_such_names(weightsmith, tmp_path, expected, stem):
    folder, merged, _ = expected
    model = place(tmp_path, folder / "a.safetensors", stem)
    for command in ("info", "hash", "blocks", "scan", "verify"):
        weightsmith(command, model)
    weightsmith("split", model, "-o", f"./{stem}")
    parts = [word for name in ("unet", "clip_l", "vae") for word in (f"--{name.replace('_', '-')}", f"./{stem}/{name}.safetensors")]
    weightsmith("assemble", "--like", "sd1", *parts, "-o", f"./{stem}-whole.safetensors")
    weightsmith("convert", model, "--layout", "diffusers", "-o", f"./{stem}-pipeline")
    other = place(tmp_path, folder / "b.safetensors", f"{stem} too")
    weightsmith("merge", f"./{stem}-pipeline", other, "--alpha", "0.25", "-o", f"./{stem}-last.safetensors")
    assert support.read(tmp_path / f"{stem}-last.safetensors").tensors.keys() == merged.keys()


def test_two_dashes_end_the_flags(weightsmith, tmp_path, expected):
    folder, merged, _ = expected
    place(tmp_path, folder / "a.safetensors", "-dash")
    place(tmp_path, folder / "b.safetensors", "--force")
    weightsmith("merge", "--alpha", "0.25", "-o", "out.safetensors", "--", "-dash.safetensors", "--force.safetensors")
    assert_tensors(tmp_path / "out.safetensors", merged)
