"""Outputs of recipes in other layouts than their inputs': what `merge` writes is what `convert` and `split` make of it."""

import json

import numpy as np
import pytest

import support

ARCHITECTURES = ["sd15", "sd21", "sdxl", "sd3", "sd3.5-medium", "flux1-dev", "chroma", "z-image", "pixart-sigma", "auraflow",
                 "wan-i2v-14b", "qwen-image", "lumina2"]


@pytest.fixture
def merged(weightsmith, tmp_path):
    """Two models, and their mix in the layout of the inputs; gives what writes it in another one."""
    def make(architecture, mix="0.3", dtype="keep"):
        for seed in (1, 2):
            weightsmith("synth", architecture, "--scale", "tiny", "--layout", "monolithic", "--seed", seed, "-o", f"m{seed}.safetensors")
        def write(path, **output):
            rest = "".join(f", {key}: {value}" for key, value in output.items())
            (tmp_path / "recipe.yaml").write_text(f"""
weightsmith: 1
models: {{a: m1.safetensors, b: m2.safetensors}}
steps:
  mix: {{op: weighted_sum, a: a, b: b, alpha: {mix}}}
output: {{model: mix, path: {path}, dtype: {dtype}{rest}}}
""")
            weightsmith("merge", "recipe.yaml")
        write("kept.safetensors")
        return write
    return make


def files_below(folder):
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def assert_same_files(actual, expected):
    actual, expected = files_below(actual), files_below(expected)
    assert actual.keys() == expected.keys()
    for name, path in expected.items():
        if path.suffix == ".safetensors":
            ours, theirs = support.read(actual[name]).tensors, support.read(path).tensors
            assert ours.keys() == theirs.keys(), name
            for key, array in theirs.items():
                assert ours[key].shape == array.shape and ours[key].dtype == array.dtype, key
                assert ours[key].tobytes() == array.tobytes(), key
        else:
            assert actual[name].read_text() == path.read_text(), name


@pytest.mark.parametrize("architecture", support.chosen(ARCHITECTURES, "sd15", "flux1-dev", "z-image"))
def test_a_pipeline(weightsmith, merged, tmp_path, architecture):
    merged(architecture)("pipeline", layout="diffusers")
    weightsmith("convert", "kept.safetensors", "--layout", "diffusers", "-o", "expected")
    assert_same_files(tmp_path / "pipeline", tmp_path / "expected")
    for file in (tmp_path / "pipeline").rglob("*.safetensors"):
        weightsmith("verify", file, "--models", ".")


@pytest.mark.parametrize("architecture", support.chosen(["sd15", "sdxl", "sd3", "flux1-dev"], "sd15"))
def test_split(weightsmith, merged, tmp_path, architecture):
    merged(architecture)("parts", split="true")
    weightsmith("split", "kept.safetensors", "-o", "expected")
    assert_same_files(tmp_path / "parts", tmp_path / "expected")
    for file in (tmp_path / "parts").iterdir():
        weightsmith("verify", file, "--models", ".")


def test_verify_sees_a_changed_byte_in_parts(weightsmith, merged, tmp_path):
    merged("sdxl")("parts", split="true")
    path = tmp_path / "parts" / "clip_g.safetensors"
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    assert "differs" in weightsmith("verify", path, "--models", ".", status=7).stderr


def test_another_dtype_and_weights_by_block(weightsmith, merged, tmp_path):
    merged("flux1-dev", mix="{default: 0.1, double.3: 0.9, single.0-9: 0.5}", dtype="f16")("pipeline", layout="diffusers")
    weightsmith("convert", "kept.safetensors", "--layout", "diffusers", "-o", "expected")
    assert_same_files(tmp_path / "pipeline", tmp_path / "expected")


def test_one_component_is_one_file(weightsmith, merged, tmp_path):
    write = merged("flux1-dev")
    for seed in (1, 2):
        weightsmith("split", f"m{seed}.safetensors", "-o", f"p{seed}")
    weightsmith("convert", "kept.safetensors", "--components", "transformer", "-o", "transformer.safetensors")
    recipe = """
weightsmith: 1
models: {{a: p1/transformer.safetensors, b: p2/transformer.safetensors}}
steps:
  mix: {{op: weighted_sum, a: a, b: b, alpha: 0.3}}
output: {{model: mix, path: {layout}.safetensors, layout: {layout}}}
"""
    for layout in ("bfl", "diffusers", "comfy"):
        (tmp_path / "one.yaml").write_text(recipe.format(layout=layout))
        weightsmith("merge", "one.yaml")
        weightsmith("convert", "transformer.safetensors", "--layout", layout, "--force", "-o", "expected.safetensors")
        ours, theirs = (support.read(tmp_path / f"{name}.safetensors").tensors for name in (layout, "expected"))
        assert ours.keys() == theirs.keys()
        assert all(ours[key].tobytes() == array.tobytes() and ours[key].shape == array.shape for key, array in theirs.items())
        weightsmith("verify", f"{layout}.safetensors", "--models", ".")


def test_configurations_of_another_folder_come_first(weightsmith, merged, tmp_path):
    (tmp_path / "base" / "tokenizer").mkdir(parents=True)
    (tmp_path / "base" / "tokenizer" / "vocab.json").write_text("{}")
    (tmp_path / "base" / "scheduler").mkdir()
    (tmp_path / "base" / "scheduler" / "scheduler_config.json").write_text('{"mine": 1}')
    merged("sd15")("pipeline", layout="diffusers", files_from="base")
    assert json.loads((tmp_path / "pipeline/scheduler/scheduler_config.json").read_text()) == {"mine": 1}
    assert (tmp_path / "pipeline/tokenizer/vocab.json").exists()
    assert (tmp_path / "pipeline/unet/config.json").exists()


def test_a_configuration_that_is_there_is_kept(weightsmith, merged, tmp_path):
    write = merged("sd15")
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "model_index.json").write_text("mine")
    with pytest.raises(AssertionError, match="model_index.json' already exists"):
        write("pipeline", layout="diffusers")
    result = weightsmith("convert", "kept.safetensors", "--layout", "diffusers", "-o", "pipeline", status=2)
    assert "model_index.json' already exists" in result.stderr
    assert [path.name for path in (tmp_path / "pipeline").iterdir()] == ["model_index.json"]


def test_verify_without_a_digest(weightsmith, merged, tmp_path):
    merged("flux1-dev")("kept2.safetensors")
    text = (tmp_path / "recipe.yaml").read_text().replace("path: kept2.safetensors", "path: pipeline, layout: diffusers")
    (tmp_path / "recipe.yaml").write_text(text)
    weightsmith("merge", "recipe.yaml", "--no-digest")
    file = tmp_path / "pipeline" / "transformer" / "diffusion_pytorch_model.safetensors"
    weightsmith("verify", file, "--models", ".", "--model", "a=m1.safetensors", "--model", "b=m2.safetensors")


@pytest.mark.parametrize("output, said", [
    (dict(path="x.safetensors", layout="diffusers"), "a file holds one component, and this one would hold"),
    (dict(path="x.safetensors", layout="bfl"), "Stable Diffusion 1.x has no layout 'bfl'"),
])
def test_layouts_that_do_not_fit_are_refused(weightsmith, merged, tmp_path, output, said):
    merged("sd15")("fine.safetensors", layout="ldm")
    text = (tmp_path / "recipe.yaml").read_text().replace("fine.safetensors", output["path"]).replace("layout: ldm", f"layout: {output['layout']}")
    (tmp_path / "recipe.yaml").write_text(text)
    assert said in weightsmith("merge", "recipe.yaml", status=3).stderr
    assert said in weightsmith("plan", "recipe.yaml", status=3).stderr
    assert not (tmp_path / output["path"]).exists()


def test_unknown_tensors_split_under_their_own_names(weightsmith, tmp_path):
    generator = np.random.default_rng(1)
    for name in "ab":
        support.write(tmp_path / f"{name}.safetensors", {"stem.0.weight": generator.standard_normal((4, 4), np.float32)})
    (tmp_path / "r.yaml").write_text("""
weightsmith: 1
models: {a: a.safetensors, b: b.safetensors}
steps: {mix: {op: weighted_sum, a: a, b: b, alpha: 0.5}}
output: {model: mix, path: parts, split: true}
""")
    weightsmith("merge", "r.yaml")
    (file,) = (tmp_path / "parts").iterdir()
    assert support.read(file).tensors.keys() == {"stem.0.weight"}
