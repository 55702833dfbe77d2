"""Models by hash: pins that are checked, and files that are found by them. Hashes are hashlib's."""

import hashlib
import shutil

import pytest

import support


def autov3(path):
    data = path.read_bytes()
    return hashlib.sha256(data[8 + int.from_bytes(data[:8], "little"):]).hexdigest()[:12]


HASHES = {
    "sha256": support.sha256,
    "autov1": lambda path: hashlib.sha256(path.read_bytes()[0x100000:0x110000]).hexdigest()[:8],
    "autov2": lambda path: support.sha256(path)[:10],
    "autov3": autov3,
}


@pytest.fixture
def job(tmp_path, tiny):
    """A folder with a, and b in a folder of models; gives a function that writes a recipe with that b."""
    (tmp_path / "models" / "deep").mkdir(parents=True)
    shutil.copy(tiny("sd15", 1), tmp_path / "a.safetensors")
    b = tmp_path / "models" / "deep" / "b.safetensors"
    shutil.copy(tiny("sd15", 2), b)

    def write(model):
        support.write_recipe(tmp_path / "recipe.yaml", {
            "models": {"a": "a.safetensors", "b": model},
            "steps": {"out": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5}},
            "output": {"model": "out", "path": "out.safetensors"},
        })
        return b

    return write


@pytest.mark.parametrize("kind", HASHES)
def test_a_pin_that_fits(weightsmith, job, kind):
    b = job({})
    job({"path": "models/deep/b.safetensors", kind: HASHES[kind](b).upper()})
    weightsmith("merge", "recipe.yaml")


@pytest.mark.parametrize("kind", HASHES)
def test_a_pin_that_does_not_fit(weightsmith, job, kind, tmp_path):
    found = HASHES[kind](job({}))
    expected = "0" * len(found)
    job({"path": "models/deep/b.safetensors", kind: expected})
    said = weightsmith("merge", "recipe.yaml", status=5).stderr
    assert all(word in said for word in ("b.safetensors", kind, found, expected))
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("kind", HASHES)
def test_a_file_that_is_found_by_its_hash(weightsmith, job, kind, tmp_path):
    job({kind: HASHES[kind](job({}))})
    weightsmith("merge", "recipe.yaml", "--models", "models")
    first = support.sha256(tmp_path / "out.safetensors")
    weightsmith("merge", "recipe.yaml", "--force", env={"WEIGHTSMITH_MODELS": f"{tmp_path}:{tmp_path / 'models'}"})
    assert support.sha256(tmp_path / "out.safetensors") == first


def test_no_folder_to_look_in(weightsmith, job):
    job({"autov2": "0123456789"})
    said = weightsmith("merge", "recipe.yaml", status=4).stderr
    assert "autov2 0123456789" in said and "--models" in said and "WEIGHTSMITH_MODELS" in said


def test_no_file_with_that_hash(weightsmith, job):
    job({"autov2": "0123456789"})
    said = weightsmith("merge", "recipe.yaml", "--models", "models", status=4).stderr
    assert "autov2 0123456789" in said and "models" in said and "1 model file" in said


def test_of_two_files_with_one_hash_either_is_right(weightsmith, job, tmp_path):
    b = job({})
    shutil.copy(b, tmp_path / "models" / "another.safetensors")
    job({"autov2": HASHES["autov2"](b)})
    weightsmith("merge", "recipe.yaml", "--models", "models", "--report", "report.json")


def test_a_file_of_two_pins_has_both(weightsmith, job):
    b = job({})
    job({"path": "models/deep/b.safetensors", "autov2": HASHES["autov2"](b), "autov1": "0" * 8})
    assert "autov1" in weightsmith("merge", "recipe.yaml", status=5).stderr


def test_no_cache_gives_the_same_bytes(weightsmith, job, tmp_path):
    job("models/deep/b.safetensors")
    weightsmith("merge", "recipe.yaml")
    kept = support.sha256(tmp_path / "out.safetensors")
    weightsmith("merge", "recipe.yaml", "--force", "--no-cache")
    assert support.sha256(tmp_path / "out.safetensors") == kept
