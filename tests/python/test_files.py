"""Every kind of file that the program writes is read by the safetensors package."""

import json

import numpy as np
import pytest
from safetensors import safe_open

import support


def opened(path):
    """Keys and metadata as the package's own reader gives them, which also checks the file."""
    with safe_open(path, framework="np") as file:
        return set(file.keys()), file.metadata()


@pytest.mark.parametrize("architecture", ["sd15", "sdxl", "flux1-dev", "flux1-schnell"])
def test_synth(weightsmith, tiny, architecture):
    path = tiny(architecture)
    keys, _ = opened(path)
    assert len(keys) == len(support.read(path).tensors) > 20


def test_synth_depends_on_its_seed_alone(weightsmith, tiny):
    weightsmith("synth", "sd15", "--seed", "1", "--scale", "tiny", "-o", "again.safetensors")
    assert support.sha256(weightsmith.folder / "again.safetensors") == support.sha256(tiny("sd15", 1))
    assert support.sha256(tiny("sd15", 2)) != support.sha256(tiny("sd15", 1))


def test_synth_values_are_of_plausible_size(tiny):
    values = np.concatenate([t.astype(np.float32).ravel() for t in support.read(tiny("sd15")).tensors.values()
                             if t.dtype == np.float16])
    assert np.isfinite(values).all()
    assert 0.001 < values.std() < 1
    assert np.abs(values).max() < 100


def test_merge_writes_metadata_and_starts_its_data_at_a_page(weightsmith, tiny):
    weightsmith("merge", tiny("sd15", 1), tiny("sd15", 2), "--alpha", "0.5", "-o", "out.safetensors")
    keys, metadata = opened(weightsmith.folder / "out.safetensors")
    assert keys == opened(tiny("sd15", 1))[0]
    assert metadata["format"] == "pt"
    assert metadata["modelspec.architecture"].startswith("stable-diffusion-v1")
    assert support.header_of(weightsmith.folder / "out.safetensors")[1] % 4096 == 0
    text = json.dumps(metadata)
    assert str(weightsmith.folder) not in text and "/tmp" not in text


def test_private_leaves_format_and_architecture(weightsmith, tiny):
    weightsmith("merge", tiny("sd15", 1), tiny("sd15", 2), "--alpha", "0.5", "--private", "-o", "out.safetensors")
    _, metadata = opened(weightsmith.folder / "out.safetensors")
    assert set(metadata) == {"format", "modelspec.architecture"}


def test_meta_edits_in_place(weightsmith, tiny):
    weightsmith("merge", tiny("sd15", 1), tiny("sd15", 2), "--alpha", "0.5", "-o", "out.safetensors")
    path = weightsmith.folder / "out.safetensors"
    before, size = support.read(path), path.stat().st_size
    weightsmith("meta", path, "--set", "modelspec.title=Ein schöner Titel")
    after = support.read(path)
    assert after.metadata == {**before.metadata, "modelspec.title": "Ein schöner Titel"}
    assert path.stat().st_size == size
    for name, array in before.tensors.items():
        support.assert_same_bits(after[name], array, name)
    weightsmith("meta", path, "--remove", "modelspec.title")
    assert "modelspec.title" not in opened(path)[1]


def test_a_merge_verifies_until_it_is_changed(weightsmith, tiny):
    a, b = tiny("sd15", 1), tiny("sd15", 2)
    weightsmith("merge", a, b, "--alpha", "0.5", "-o", "out.safetensors")
    path = weightsmith.folder / "out.safetensors"
    for name, source in (("a.safetensors", a), ("b.safetensors", b)):
        (weightsmith.folder / name).symlink_to(source)
    weightsmith("verify", path, "--models", a.parent)
    start = support.header_of(path)[1]
    with open(path, "r+b") as file:
        file.seek(start + 5000)
        byte = file.read(1)
        file.seek(start + 5000)
        file.write(bytes([byte[0] ^ 1]))
    weightsmith("verify", path, "--models", a.parent, status=7)


def test_hash_is_the_sha256_that_everybody_else_computes(weightsmith, tiny):
    text = weightsmith("hash", tiny("sd15")).stdout
    assert support.sha256(tiny("sd15")) in text
