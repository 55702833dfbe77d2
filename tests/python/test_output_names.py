"""The name of an output says what is in it: a safetensors file, or a folder."""

import pytest

import support
from test_python_reading import ws

BAD = ["out.ckpt", "out.pt", "out.pth", "out.bin", "out.gguf", "out", "mix-v1.5", "-"]


def right(name):
    return name.rsplit(".", 1)[0] + ".safetensors" if name.rsplit(".", 1)[-1] in ("ckpt", "pt", "pth", "bin", "gguf") else name + ".safetensors"


@pytest.mark.parametrize("name", BAD)
def test_every_command_says_what_to_write(weightsmith, tmp_path, tiny, name):
    model = tiny("sd15")
    weightsmith("split", model, "-o", "p")
    recipe = {"models": {"a": str(model)}, "output": {"model": "a", "path": name}}
    support.write_recipe(tmp_path / "r.json", recipe)
    commands = [
        ["merge", model, model, "-o", name],
        ["merge", "r.json"],
        ["validate", "r.json"],
        ["convert", model, "-o", name],
        ["assemble", "--like", "sd1", "--unet", "p/unet.safetensors", "-o", name],
        ["synth", "sd15", "--scale", "tiny", "-o", name],
    ]
    before = sorted(tmp_path.iterdir())
    for command in commands:
        said = weightsmith(*command, status=2).stderr
        assert (right(name) if name != "-" else "out.safetensors") in said, (command, said)
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_is_not_called_as_a_file(weightsmith, tiny):
    for name in ("x.safetensors", "x.ckpt", "-"):
        assert "Write" in weightsmith("split", tiny("sd15"), "-o", name, status=2).stderr
    weightsmith("split", tiny("sd15"), "-o", "model-v1.5")


def test_sft_is_safetensors(weightsmith, tmp_path, tiny):
    weightsmith("convert", tiny("sd15"), "-o", "out.sft")
    assert support.read(tmp_path / "out.sft").tensors.keys() == support.read(tiny("sd15")).tensors.keys()


@pytest.mark.parametrize("text, status, said", [
    ("out-$w.safetensors", 2, 'Write "out-{w}.safetensors"'),
    ("out-${w}.safetensors", 2, 'Write "out-{w}.safetensors"'),
    ("out-$seed.safetensors", 0, "'vars'"),
    ("out-{w}.safetensors", 0, ""),
    ("out-5$.safetensors", 0, ""),
])
def test_a_variable_in_a_path_stands_in_braces(weightsmith, tmp_path, tiny, text, status, said):
    recipe = {"vars": {"w": 0.3}, "models": {"a": str(tiny("sd15")), "b": str(tiny("sd15", 2))},
              "steps": {"m": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": "$w"}},
              "output": {"model": "m", "path": text}}
    support.write_recipe(tmp_path / "r.yaml", recipe)
    assert said in weightsmith("merge", "r.yaml", status=status).stderr
    assert (tmp_path / text.replace("{w}", "0.3")).exists() == (status == 0)


@pytest.mark.parametrize("name", ["out.ckpt", "out", "-"])
def test_python_says_the_same(tmp_path, monkeypatch, tiny, name):
    monkeypatch.chdir(tmp_path)
    model = tiny("sd15")
    mix = ws.weighted_sum(str(model), str(tiny("sd15", 2)), alpha=0.5)
    for call in (lambda: mix.save(name), lambda: ws.convert(model, name), lambda: ws.save(name, {}),
                 lambda: ws.assemble("sd1", {}, name)):
        with pytest.raises(ws.Error, match="safetensors"):
            call()
    assert not (tmp_path / name).exists()


def test_python_takes_a_dollar_as_it_is(tmp_path, tiny):
    mix = ws.weighted_sum(str(tiny("sd15")), str(tiny("sd15", 2)), alpha=0.5)
    mix.save(tmp_path / "a$b.safetensors")
    assert (tmp_path / "a$b.safetensors").exists()
