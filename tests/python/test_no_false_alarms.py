"""The other half of strictness: legitimate jobs are done, without an error and without a warning
that makes people look for a mistake."""

import numpy as np
import pytest

import support

UNET = "model.diffusion_model."


def subset(path, target, keep, change=lambda name, array: array):
    tensors = {k: change(k, v) for k, v in support.read(path).tensors.items() if keep(k)}
    return support.write(target, tensors)


def mix(weightsmith, a, b, *options):
    weightsmith("merge", a, b, "--no-sync", "-o", "out.safetensors", *options)
    return support.read(weightsmith.folder / "out.safetensors")


@pytest.mark.parametrize("full_first", [True, False])
def test_a_unet_only_operand_with_a_full_one(weightsmith, tiny, full_first):
    full = tiny("sd15", 1)
    unet = subset(tiny("sd15", 2), weightsmith.folder / "unet.safetensors", lambda k: k.startswith(UNET))
    result = mix(weightsmith, *((full, unet) if full_first else (unet, full)), "--alpha", "0.5")
    original = support.read(full)
    assert result.tensors.keys() == original.tensors.keys()
    for name, array in original.tensors.items():
        if not name.startswith(UNET):
            support.assert_same_bits(result[name], array, name)


@pytest.mark.parametrize("architecture, key", [("sd15", "position_ids"), ("sdxl", "logit_scale"), ("sdxl", "position_ids")])
@pytest.mark.parametrize("lacking", ["a", "b"])
def test_a_file_without_an_optional_key(weightsmith, tiny, architecture, key, lacking):
    paths = [tiny(architecture, 1), tiny(architecture, 2)]
    position = "ab".index(lacking)
    assert any(key in name for name in support.header_of(paths[position])[0])
    paths[position] = subset(paths[position], weightsmith.folder / "without.safetensors", lambda k: key not in k)
    result = mix(weightsmith, *paths, "--alpha", "0.5")
    other = support.read(paths[1 - position])
    for name in other.tensors:
        if key in name:
            support.assert_same_bits(result[name], other[name], name)


def test_dev_with_schnell(weightsmith, tiny):
    """Schnell has no guidance embedding; it comes from dev, which has one."""
    dev, schnell = tiny("flux1-dev", 1), tiny("flux1-schnell", 2)
    result = mix(weightsmith, dev, schnell, "--alpha", "0.5")
    original = support.read(dev)
    assert result.tensors.keys() == original.tensors.keys()
    guidance = [name for name in original.tensors if "guidance" in name]
    assert len(guidance) == 4
    for name in guidance:
        support.assert_same_bits(result[name], original[name], name)


def test_identical_text_encoders(weightsmith, tiny):
    a = tiny("sd15", 1)
    theirs = support.read(a)
    b = subset(
        tiny("sd15", 2),
        weightsmith.folder / "b.safetensors",
        lambda k: True,
        lambda k, v: theirs[k] if k.startswith("cond_stage_model.") else v,
    )
    result = mix(weightsmith, a, b, "--alpha", "0.5")
    for name, array in theirs.tensors.items():
        if name.startswith("cond_stage_model.") and array.dtype == np.float16:
            assert np.array_equal(result[name], array), name


@pytest.mark.parametrize("alpha", ["0", "1"])
def test_alpha_of_exactly_0_or_1(weightsmith, tiny, alpha):
    paths = [tiny("sd15", 1), tiny("sd15", 2)]
    result = mix(weightsmith, *paths, "--alpha", alpha)
    expected = support.read(paths[int(alpha)])
    for name, array in expected.tensors.items():
        if not name.startswith("first_stage_model."):  # the VAE is the first one's, always
            support.assert_same_bits(result[name], array, name)


def test_alpha_0_in_one_component_only(weightsmith, tiny):
    support.write_recipe(
        weightsmith.folder / "recipe.yaml",
        {
            "models": {"a": str(tiny("sd15", 1)), "b": str(tiny("sd15", 2))},
            "steps": {"out": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": {"default": 0.5, "te": 0}}},
            "output": {"model": "out", "path": "out.safetensors"},
        },
    )
    weightsmith("merge", "recipe.yaml", "--no-sync")


def test_unused_models_and_steps_are_not_opened(weightsmith, tiny):
    support.write_recipe(
        weightsmith.folder / "recipe.yaml",
        {
            "models": {"a": str(tiny("sd15", 1)), "b": str(tiny("sd15", 2)), "later": "not_yet.safetensors"},
            "steps": {
                "out": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5},
                "idea": {"op": "weighted_sum", "a": "a", "b": "later", "alpha": 0.5},
            },
            "output": {"model": "out", "path": "out.safetensors"},
        },
    )
    weightsmith("merge", "recipe.yaml", "--no-sync")


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_models_of_different_dtypes(weightsmith, tiny, dtype):
    b = tiny("sd15", 2, "--dtype", dtype)
    result = mix(weightsmith, tiny("sd15", 1), b, "--alpha", "0.5")
    original = support.read(tiny("sd15", 1))
    assert {n: t.dtype for n, t in result.tensors.items()} == {n: t.dtype for n, t in original.tensors.items()}


def test_a_broken_pipe_is_no_failure(weightsmith, tiny):
    process = weightsmith.start("info", "--tensors", tiny("sd15", 1))
    process.stdout.close()
    errors = process.stderr.read()
    assert process.wait() == 0, errors
