"""Weights in fp8 with a scale for each 128 × 128 elements, as DeepSeek-V3 and transformers store them."""

import ml_dtypes
import numpy as np
import pytest

import support

FP8 = np.dtype(ml_dtypes.float8_e4m3fn)
SHAPES = {"layers.0.up": (300, 200), "layers.0.down": (128, 256), "layers.1.up": (1, 129)}


def spread(scales, shape):
    return np.repeat(np.repeat(scales, 128, axis=0), 128, axis=1)[: shape[0], : shape[1]]


def largest_of_blocks(values):
    rows, columns = -(-values.shape[0] // 128), -(-values.shape[1] // 128)
    padded = np.zeros((rows * 128, columns * 128))
    padded[: values.shape[0], : values.shape[1]] = np.abs(values)
    return padded.reshape(rows, 128, columns, 128).max(axis=(1, 3))


def stored(seed):
    """Blocks of very different sizes, and a norm that is not quantised."""
    random = np.random.default_rng(seed)
    tensors = {"layers.0.norm.weight": random.standard_normal(200).astype(ml_dtypes.bfloat16)}
    for name, shape in SHAPES.items():
        values = random.standard_normal(shape) * np.logspace(-2, 2, shape[1])
        scales = (largest_of_blocks(values) / 448).astype(np.float32)
        tensors[f"{name}.weight"] = (values / spread(scales, shape)).astype(FP8)
        tensors[f"{name}.weight_scale_inv"] = scales
    return tensors


def real(tensors, name):
    codes = tensors[f"{name}.weight"].astype(np.float32)
    return codes * spread(tensors[f"{name}.weight_scale_inv"], codes.shape)


@pytest.fixture
def models(tmp_path):
    made = {}
    for seed, name in enumerate("ab", 1):
        made[name] = stored(seed)
        support.write(tmp_path / f"{name}.safetensors", made[name])
    return made


def mixed(models, name):
    a, b = (real(models[letter], name) for letter in "ab")
    return np.float32(0.75) * a + np.float32(0.25) * b


def test_they_merge_as_what_they_are(weightsmith, tmp_path, models):
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", 0.25, "--dtype", "f32", "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    assert out.keys() == {"layers.0.norm.weight", *(f"{name}.weight" for name in SHAPES)}
    for name in SHAPES:
        support.assert_same_bits(out[f"{name}.weight"], mixed(models, name), name)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_stored_so_again_has_scales_that_fill_the_dtype(weightsmith, tmp_path, models, threads):
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", 0.25, "--threads", threads, "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    assert out.keys() == models["a"].keys()
    for name, shape in SHAPES.items():
        expected = mixed(models, name)
        scales = (largest_of_blocks(expected).astype(np.float32).astype(np.float64) / 448).astype(np.float32)
        support.assert_same_bits(out[f"{name}.weight_scale_inv"], scales, name)
        support.assert_same_bits(out[f"{name}.weight"], (expected / spread(scales, shape)).astype(FP8), name)
    weightsmith("verify", "out.safetensors")


def test_what_no_step_changes_keeps_its_codes_and_scales(weightsmith, tmp_path, models):
    models["b"]["layers.0.norm.weight"] = models["b"]["layers.0.norm.weight"] * 2
    for name in list(models["a"]):
        if name != "layers.0.norm.weight":
            models["b"][name] = models["a"][name]
    support.write(tmp_path / "b.safetensors", models["b"])
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", 1, "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    for name, tensor in models["b"].items():
        support.assert_same_bits(out[name], tensor, name)


def test_convert_gives_plain_weights(weightsmith, tmp_path, models):
    weightsmith("convert", "a.safetensors", "--dtype", "bf16", "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    assert out.keys() == {"layers.0.norm.weight", *(f"{name}.weight" for name in SHAPES)}
    for name in SHAPES:
        support.assert_same_bits(out[f"{name}.weight"], real(models["a"], name).astype(ml_dtypes.bfloat16), name)


def test_a_plain_and_a_stored_model_merge(weightsmith, tmp_path, models):
    plain = {"layers.0.norm.weight": models["a"]["layers.0.norm.weight"]}
    plain |= {f"{name}.weight": np.full(shape, 0.5, np.float32) for name, shape in SHAPES.items()}
    support.write(tmp_path / "plain.safetensors", plain)
    weightsmith("merge", "plain.safetensors", "b.safetensors", "--alpha", 0.25, "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    for name in SHAPES:
        expected = np.float32(0.75) * plain[f"{name}.weight"] + np.float32(0.25) * real(models["b"], name)
        support.assert_same_bits(out[f"{name}.weight"], expected, name)


def test_scales_that_do_not_fit_are_refused_by_name(weightsmith, tmp_path, models):
    for letter in "ab":
        models[letter]["layers.0.up.weight_scale_inv"] = np.ones((2, 2), np.float32)
        support.write(tmp_path / f"{letter}.safetensors", models[letter])
    said = weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", 0.25, "-o", "out.safetensors", status=3).stderr
    assert "layers.0.up.weight" in said and "weight_scale_inv" in said
    assert not (tmp_path / "out.safetensors").exists()


def plain(seed):
    """What is not quantised yet, with a block of zeros."""
    random = np.random.default_rng(seed)
    tensors = {"layers.0.norm.weight": random.standard_normal(200).astype(ml_dtypes.bfloat16)}
    for name, shape in SHAPES.items():
        tensors[f"{name}.weight"] = (random.standard_normal(shape) * np.logspace(-2, 2, shape[1])).astype(np.float32)
    tensors["layers.0.up.weight"][:128, :128] = 0
    return tensors


def scale_of(largest):
    """Such that the largest magnitude is the largest code."""
    scales = (np.asarray(largest, np.float32).astype(np.float64) / 448).astype(np.float32)
    return np.where(scales == 0, np.float32(1), scales)


@pytest.fixture
def plain_models(tmp_path):
    made = {letter: plain(seed) for seed, letter in enumerate("ab", 1)}
    for letter, tensors in made.items():
        support.write(tmp_path / f"{letter}.safetensors", tensors)
    return made


@pytest.mark.parametrize("threads", [1, 2])
def test_plain_models_are_stored_in_blocks(weightsmith, tmp_path, plain_models, threads):
    weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", 0.25, "--dtype", "f8_block128", "--threads", threads,
                "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    assert out.keys() == {"layers.0.norm.weight", *(f"{name}.{end}" for name in SHAPES for end in ("weight", "weight_scale_inv"))}
    assert out["layers.0.norm.weight"].dtype == ml_dtypes.bfloat16
    for name, shape in SHAPES.items():
        a, b = (plain_models[letter][f"{name}.weight"] for letter in "ab")
        values = np.float32(0.75) * a + np.float32(0.25) * b
        scales = scale_of(largest_of_blocks(values))
        support.assert_same_bits(out[f"{name}.weight_scale_inv"], scales, name)
        support.assert_same_bits(out[f"{name}.weight"], (values / spread(scales, shape)).astype(FP8), name)
    weightsmith("verify", "out.safetensors")
    weightsmith("convert", "out.safetensors", "--dtype", "f32", "-o", "back.safetensors")
    back = support.read(tmp_path / "back.safetensors").tensors
    for name in SHAPES:
        support.assert_same_bits(back[f"{name}.weight"], real(out, name), name)


def test_plain_weights_are_stored_with_one_scale_and_a_marker(weightsmith, tmp_path, plain_models):
    weightsmith("convert", "a.safetensors", "--dtype", "f8_scaled", "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    ends = ("weight", "scale_weight")
    assert out.keys() == {"layers.0.norm.weight", "scaled_fp8", *(f"{name}.{end}" for name in SHAPES for end in ends)}
    # ComfyUI reads the dtype of the codes off a marker without elements.
    assert (out["scaled_fp8"].dtype, out["scaled_fp8"].shape) == (FP8, (0,))
    for name in SHAPES:
        values = plain_models["a"][f"{name}.weight"]
        scale = scale_of(np.abs(values).max())
        support.assert_same_bits(out[f"{name}.scale_weight"], scale, name)
        support.assert_same_bits(out[f"{name}.weight"], (values / scale).astype(FP8), name)
    weightsmith("verify", "out.safetensors")
    # What is stored so already stays as it is.
    weightsmith("convert", "out.safetensors", "--dtype", "f8_scaled", "-o", "again.safetensors")
    again = support.read(tmp_path / "again.safetensors").tensors
    assert again.keys() == out.keys()
    for name, tensor in out.items():
        support.assert_same_bits(again[name], tensor, name)


def test_one_encoding_is_written_as_another(weightsmith, tmp_path, models):
    weightsmith("convert", "a.safetensors", "--dtype", "f8_scaled", "-o", "out.safetensors")
    out = support.read(tmp_path / "out.safetensors").tensors
    ends = ("weight", "scale_weight")
    assert out.keys() == {"layers.0.norm.weight", "scaled_fp8", *(f"{name}.{end}" for name in SHAPES for end in ends)}
    for name in SHAPES:
        values = real(models["a"], name)
        scale = scale_of(np.abs(values).max())
        support.assert_same_bits(out[f"{name}.scale_weight"], scale, name)
        support.assert_same_bits(out[f"{name}.weight"], (values / scale).astype(FP8), name)


def test_an_encoding_is_chosen_by_place(weightsmith, tmp_path, plain_models):
    (tmp_path / "mix.yaml").write_text("""\
weightsmith: 1
models: {a: a.safetensors, b: b.safetensors}
steps:
  mix: {op: weighted_sum, a: a, b: b, alpha: 0.25}
output: {model: mix, path: out.safetensors, dtype: {default: keep, "/down/": f8_block128}}
""")
    weightsmith("merge", "mix.yaml")
    out = support.read(tmp_path / "out.safetensors").tensors
    assert out.keys() == plain_models["a"].keys() | {"layers.0.down.weight_scale_inv"}
    assert out["layers.0.down.weight"].dtype == FP8 and out["layers.0.up.weight"].dtype == np.float32


@pytest.mark.parametrize("encoding", ["f8_scaled", "f8_block128"])
def test_other_codes_for_the_same_values_are_no_effect(weightsmith, tmp_path, encoding):
    tensors = {name: (tensor * np.float32(0.1)).astype(FP8) for name, tensor in plain(1).items() if tensor.ndim == 2}
    for letter in "ab":
        support.write(tmp_path / f"{letter}.safetensors", tensors)
    weightsmith("merge", "a.safetensors", "b.safetensors", "--dtype", encoding, "-o", "out.safetensors", status=8)
    assert not (tmp_path / "out.safetensors").exists()
