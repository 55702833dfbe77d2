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


def test_metadata_names_the_inputs_by_size_and_digest(weightsmith, trio):
    def digests(name):
        _, metadata = opened(weightsmith.folder / name)
        return {x["name"]: x["digest"] for x in json.loads(metadata["weightsmith.inputs"])}

    weightsmith("merge", *trio[:2], "--alpha", "0.5", "-o", "ab.safetensors")
    weightsmith("merge", trio[1], trio[2], "--alpha", "0.25", "-o", "bc.safetensors")
    _, metadata = opened(weightsmith.folder / "ab.safetensors")
    for entry in json.loads(metadata["weightsmith.inputs"]):
        assert entry["file"] == f"{entry['name']}.safetensors"
        assert entry["size"] == (weightsmith.folder / entry["file"]).stat().st_size
        assert (entry["tensors_read"], entry["tensors"]) == (4, 4)
    # A digest is of the bytes: one file has one in every merge, two files have two.
    assert digests("ab.safetensors")["b"] == digests("bc.safetensors")["b"]
    assert len({*digests("ab.safetensors").values(), *digests("bc.safetensors").values()}) == 3


def test_metadata_keeps_the_history_of_merged_inputs(weightsmith, trio):
    weightsmith("merge", *trio[:2], "--alpha", "0.5", "-o", "first.safetensors")
    weightsmith("merge", "first.safetensors", trio[2], "--alpha", "0.5", "-o", "second.safetensors")
    weightsmith("merge", "second.safetensors", trio[0], "--alpha", "0.5", "-o", "third.safetensors")
    metadata = {n: opened(weightsmith.folder / f"{n}.safetensors")[1] for n in ("first", "second", "third")}
    assert "weightsmith.ancestors" not in metadata["first"]
    ancestors = json.loads(metadata["third"]["weightsmith.ancestors"])
    assert set(ancestors) == {metadata[n]["weightsmith.digest"] for n in ("first", "second")}
    assert "weighted_sum" in ancestors[metadata["first"]["weightsmith.digest"]]["recipe"]


def test_sha256_of_the_inputs_is_recorded_where_it_is_asked_for(weightsmith, pair):
    weightsmith("merge", *pair, "--alpha", "0.5", "--sha256", "-o", "out.safetensors")
    _, metadata = opened(weightsmith.folder / "out.safetensors")
    known = {path.stem: support.sha256(path) for path in pair}
    assert {x["name"]: x["sha256"] for x in json.loads(metadata["weightsmith.inputs"])} == known
    assert set(json.loads(metadata["sd_merge_models"])) == set(known.values())
    assert json.loads(metadata["sd_merge_recipe"])["type"] == "weightsmith"


def test_every_output_of_a_recipe_verifies_by_its_own_metadata(weightsmith, trio):
    """With a variable, a shared table and a recipe as a model: all of it is resolved in the record."""
    folder = weightsmith.folder
    (folder / "table.yaml").write_text("weightsmith: 1\nmodels: {a: a.safetensors, b: b.safetensors}\nvars: {w: 0.25}\n")
    support.write_recipe(folder / "inner.yaml", {
        "include": "table.yaml",
        "steps": {"mix": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": "$w"}},
        "output": {"model": "mix"},
    })
    support.write_recipe(folder / "recipe.yaml", {
        "include": "table.yaml",
        "models": {"c": "c.safetensors", "v1": {"recipe": "inner.yaml"}},
        "steps": {"out": {"op": "weighted_sum", "a": "v1", "b": "c", "alpha": "$w"}},
        "outputs": [{"model": "v1", "path": "one.safetensors"}, {"model": "out", "path": "two.safetensors"}],
    })
    weightsmith("merge", "recipe.yaml", "--set", "w=0.75")
    for name in ("table.yaml", "inner.yaml", "recipe.yaml"):
        (folder / name).unlink()
    for name in ("one", "two"):
        weightsmith("verify", f"{name}.safetensors", "--models", ".")
