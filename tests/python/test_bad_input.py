"""What goes wrong is said in one clear message, with the documented status; no output appears under
the final name, and inputs stay as they are."""

import itertools
import json
import os
import struct
import subprocess
import time

import numpy as np
import pytest
import safetensors

import support


@pytest.fixture
def refuse(weightsmith, tmp_path):
    """Runs a command that must fail; checks status, words, that no output came and no file changed."""

    def run(*arguments, status, words=(), output="out.safetensors", **options):
        files = [p for p in tmp_path.rglob("*") if p.is_file() and "cache" not in p.parts]
        before = {path: support.sha256(path) for path in files}
        result = weightsmith(*arguments, status=status, **options)
        for word in words:
            assert word in result.stderr, f"{word!r} is not in:\n{result.stderr}"
        assert "terminate called" not in result.stderr and "Sanitizer" not in result.stderr
        assert {path: support.sha256(path) for path in files} == before
        if (tmp_path / output).resolve() not in {path.resolve() for path in before}:
            assert not (tmp_path / output).exists()
        leftovers = [p.name for p in tmp_path.rglob("*") if p.suffix in (".partial", ".journal")]
        assert leftovers == []
        return result

    return run


def merge(*paths):
    return ("merge", *paths, "--alpha", "0.5", "-o", "out.safetensors")


def file_of(header, data=b"", size=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
DATA = bytes(8)

# name -> (bytes of the file, words of the message, whether the safetensors package refuses it too)
MALFORMED = {
    "empty": (b"", ["empty"], True),
    "shorter than its length field": (b"\x01\x02", ["2"], True),
    "a text file": (b"<!DOCTYPE html><html>Not found</html>\n" * 20, [], True),
    "a header longer than the file": (file_of({"w": ONE}, DATA, size=1000), ["1000"], True),
    "a header of over 100 MB": (struct.pack("<Q", 100_000_001) + bytes(64), ["100"], True),
    "an absurd header length": (b"\xff" * 64, [], True),
    "no header at all": (file_of(b""), [], True),
    "not UTF-8": (file_of(b'{"\xff\xfe": {}}'), ["UTF-8"], True),
    "not JSON": (file_of(b'{"w": '), [], True),
    "a list": (file_of(b"[]"), [], True),
    "text after the object": (file_of(b"{} {}"), [], True),
    "a NUL after the object": (file_of(b"{}\0\0"), [], True),
    "a byte order mark": (file_of(b"\xef\xbb\xbf{}"), [], True),
    "a trailing comma": (file_of(b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},}', DATA), [], True),
    "a lone surrogate": (file_of(b'{"\\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', DATA), [], True),
    "an unknown dtype": (file_of({"w": {**ONE, "dtype": "F33"}}, DATA), ["w", "F33"], True),
    "no dtype": (file_of({"w": {"shape": [2], "data_offsets": [0, 8]}}, DATA), ["w", "dtype"], True),
    "no shape": (file_of({"w": {"dtype": "F32", "data_offsets": [0, 8]}}, DATA), ["w", "shape"], True),
    "no offsets": (file_of({"w": {"dtype": "F32", "shape": [2]}}, DATA), ["w", "data_offsets"], True),
    "three offsets": (file_of({"w": {**ONE, "data_offsets": [0, 8, 8]}}, DATA), ["w"], True),
    "a negative dimension": (file_of({"w": {**ONE, "shape": [-2]}}, DATA), ["w"], True),
    "a fractional dimension": (file_of({"w": {**ONE, "shape": [2.0]}}, DATA), ["w"], True),
    "a dimension in quotes": (file_of({"w": {**ONE, "shape": ["2"]}}, DATA), ["w"], True),
    "a dimension over 64 bits": (file_of({"w": {**ONE, "shape": [2**64]}}, DATA), ["w"], True),
    "a size that overflows": (file_of({"w": {**ONE, "shape": [2**62, 2**62]}}, DATA), ["w"], True),
    "bits that overflow": (file_of({"w": {**ONE, "shape": [2**61]}}, DATA), ["w"], True),
    "a range of another size than the shape": (file_of({"w": {**ONE, "shape": [3]}}, DATA), ["w", "12", "8"], True),
    "reversed offsets": (file_of({"w": {**ONE, "data_offsets": [8, 0]}}, DATA), ["w"], True),
    "data that does not start at 0": (file_of({"w": {**ONE, "data_offsets": [4, 12]}}, bytes(12)), ["w"], True),
    "a hole": (
        file_of({"v": ONE, "w": {**ONE, "data_offsets": [12, 20]}}, bytes(20)), ["w"], True,
    ),
    "an overlap": (file_of({"v": ONE, "w": {**ONE, "data_offsets": [4, 12]}}, bytes(12)), ["w"], True),
    "many tensors on one range": (file_of({f"t{i}": ONE for i in range(10)}, DATA), [], True),
    "truncated": (file_of({"w": ONE}, bytes(6)), ["incomplete"], True),
    "bytes after the data": (file_of({"w": ONE}, bytes(9)), ["1 byte"], True),
    "half a byte": (file_of({"w": {"dtype": "F4", "shape": [3], "data_offsets": [0, 2]}}, bytes(2)), ["w"], True),
    "metadata that is no text": (file_of({"__metadata__": {"a": 1}, "w": ONE}, DATA), [], True),
    "metadata that is a list": (file_of({"__metadata__": [], "w": ONE}, DATA), [], True),
    "deep nesting": (file_of(b'{"w":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), [], True),
    "a duplicate field": (
        file_of(b'{"w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', DATA), ["dtype"], True,
    ),
    # Stricter than the reference, which lets the last one win.
    "a duplicate tensor": (
        file_of(
            b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\\u0077":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
            DATA,
        ),
        ["w", "twice"], False,
    ),
    "a duplicate metadata key": (
        file_of(b'{"__metadata__":{"k":"1","k":"2"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', DATA),
        ["k"], False,
    ),
}

# Odd, and right: name -> bytes.
ODD = {
    "no tensors": file_of({}),
    "the smallest file": file_of(b"{}"),
    "spaces before and after": file_of(b" \t\n\r" + json.dumps({"w": ONE}).encode() + b"   \n", DATA),
    "metadata null": file_of({"__metadata__": None, "w": ONE}, DATA),
    "an unknown field": file_of({"w": {**ONE, "comment": {"a": [1.5, None]}}}, DATA),
    "rank 0": file_of({"w": {"dtype": "F64", "shape": [], "data_offsets": [0, 8]}}, DATA),
    "zero elements": file_of({"v": {"dtype": "F32", "shape": [0, 5], "data_offsets": [8, 8]}, "w": ONE}, DATA),
    "an empty name": file_of({"": ONE}, DATA),
    "data at an odd offset": file_of(json.dumps({"w": ONE}).encode() + b" " * (1 - len(json.dumps({"w": ONE})) % 2), DATA),
    "a surrogate pair": file_of(b'{"\\ud83d\\ude00":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', DATA),
}


def reference_accepts(data):
    try:
        safetensors.deserialize(data)
    except safetensors.SafetensorError:
        return False
    return True


@pytest.mark.parametrize("name", support.sampled(MALFORMED, 3))
def test_a_malformed_file_is_refused_by_everything_that_opens_it(refuse, tmp_path, pair, name):
    data, words, refused_by_reference = MALFORMED[name]
    assert reference_accepts(data) != refused_by_reference
    (tmp_path / "bad.safetensors").write_bytes(data)
    words = ["bad.safetensors", *words]
    refuse("info", "bad.safetensors", status=4, words=words)
    refuse("validate", "bad.safetensors", status=4, words=words)
    refuse(*merge("bad.safetensors", "b.safetensors"), status=4, words=words)
    refuse(*merge("a.safetensors", "bad.safetensors"), status=4, words=words)


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_that_the_reference_accepts_is_read(weightsmith, tmp_path, name):
    assert reference_accepts(ODD[name])
    (tmp_path / "odd.safetensors").write_bytes(ODD[name])
    weightsmith("info", "odd.safetensors")


def test_malformed_cut_at_every_byte_of_the_header(refuse, tmp_path):
    data = file_of({"w": ONE}, DATA)
    for size in range(len(data)):
        (tmp_path / "cut.safetensors").write_bytes(data[:size])
        assert not reference_accepts(data[:size])
        refuse("info", "cut.safetensors", status=4, words=["cut.safetensors"])


def test_missing_file(refuse, pair):
    refuse(*merge("a.safetensors", "nowhere.safetensors"), status=4, words=["nowhere.safetensors"])


def test_directory_without_a_model(refuse, pair, tmp_path):
    (tmp_path / "folder").mkdir()
    refuse(*merge("a.safetensors", "folder"), status=4, words=["folder"])


@pytest.mark.parametrize("name, data, word", [
    ("model.ckpt", b"PK\x03\x04" + bytes(100), "zip"),
    ("model.pt", b"\x80\x02}q\x00." + bytes(100), "pickle"),
    ("model.gguf", b"GGUF\x03\x00\x00\x00" + bytes(100), "GGUF"),
    ("old.pt", bytes(257) + b"ustar" + bytes(300), "tar archive"),
    ("model.safetensors", b"7z\xBC\xAF\x27\x1C" + bytes(100), "7z archive"),
])
def test_a_file_of_another_format_is_named(refuse, pair, tmp_path, name, data, word):
    (tmp_path / name).write_bytes(data)
    result = refuse(*merge("a.safetensors", name), status=4, words=[name])
    assert word.lower() in result.stderr.lower()


def test_shards_that_do_not_fit_their_index(refuse, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    support.write(folder / "part-1.safetensors", {"w": np.ones((2, 2), np.float16)})
    index = folder / "model.safetensors.index.json"

    def say(weight_map):
        index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))

    say({"w": "part-1.safetensors", "v": "part-2.safetensors"})
    refuse("info", "model", status=4, words=["part-2.safetensors"])
    say({"w": "part-1.safetensors", "v": "part-1.safetensors"})
    refuse("info", "model", status=4, words=["v"])
    for path in ("../a.safetensors", "/etc/passwd", "sub/part.safetensors", ""):
        say({"w": path})
        refuse("info", "model", status=4, words=["index.json"])


def test_wrong_architecture_is_refused_from_the_headers(refuse, tiny):
    started = time.monotonic()
    refuse(*merge(tiny("sd15", 1), tiny("sdxl", 1)), status=3, words=["Stable Diffusion"])
    assert time.monotonic() - started < 10  # the machine may be busy; alone it is milliseconds


def test_mismatched_shape(refuse, pair, tmp_path):
    tensors = dict(support.read(tmp_path / "b.safetensors").tensors)
    tensors["layers.2.weight"] = tensors["layers.2.weight"].reshape(65, 40)
    support.write(tmp_path / "c.safetensors", tensors)
    refuse(*merge("a.safetensors", "c.safetensors"), status=3, words=["layers.2.weight", "[40, 65]", "[65, 40]"])


def test_a_key_that_one_operand_lacks(refuse, pair, tmp_path):
    tensors = dict(support.read(tmp_path / "b.safetensors").tensors)
    del tensors["layers.2.weight"]
    support.write(tmp_path / "c.safetensors", tensors)
    refuse(*merge("a.safetensors", "c.safetensors"), status=3, words=["layers.2.weight", "missing"])


def test_no_common_keys(refuse, pair, tmp_path):
    support.write(tmp_path / "c.safetensors", {"elsewhere": np.ones((2, 2), np.float16)})
    for policy in ("error", "keep", "drop"):
        refuse(*merge("a.safetensors", "c.safetensors"), "--policy", f"missing={policy}", status=3)


def test_two_identical_models(refuse, pair, tmp_path):
    (tmp_path / "copy.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes())
    refuse(*merge("a.safetensors", "copy.safetensors"), status=8)


def test_v_prediction_with_eps(refuse, weightsmith, tiny, tmp_path):
    sdxl = tiny("sdxl", 1)
    tensors = dict(support.read(tiny("sdxl", 2)).tensors)
    tensors["v_pred"] = np.zeros((), np.float32)
    support.write(tmp_path / "v.safetensors", tensors)
    refuse(*merge(sdxl, "v.safetensors"), status=3, words=["prediction"])
    weightsmith(*merge(sdxl, "v.safetensors"), "--policy", "prediction=allow")


def recipe_text(step="{op: weighted_sum, a: a, b: b, alpha: 0.5}", more=""):
    return (
        "weightsmith: 1\nmodels: {a: a.safetensors, b: b.safetensors}\n" + more
        + f"steps:\n  out: {step}\noutput: {{model: out, path: out.safetensors}}\n"
    )


WRONG_RECIPES = {
    "unknown operator": (recipe_text("{op: weigted_sum, a: a, b: b, alpha: 0.5}"), ["weigted_sum", "weighted_sum", ":4:"]),
    "unknown parameter": (recipe_text("{op: weighted_sum, a: a, b: b, alhpa: 0.5}"), ["alhpa", "alpha", ":4:"]),
    "missing parameter": (recipe_text("{op: weighted_sum, a: a, b: b}"), ["alpha", ":4:"]),
    "missing operand": (recipe_text("{op: weighted_sum, a: a, alpha: 0.5}"), ["'b'", ":4:"]),
    "unknown variable": (recipe_text("{op: weighted_sum, a: a, b: b, alpha: $w}"), ["w", ":4:"]),
    "nearly a variable": (
        recipe_text("{op: weighted_sum, a: a, b: b, alpha: $stength}", "vars: {strength: 0.5}\n"), ["stength", "strength"],
    ),
    "unknown model": (recipe_text("{op: weighted_sum, a: a, b: bb, alpha: 0.5}"), ["bb", ":4:"]),
    "a cycle": (recipe_text("{op: weighted_sum, a: a, b: out, alpha: 0.5}"), ["cycle"]),
    "a delta as a weight": (
        recipe_text("{op: add_difference, a: {op: subtract, a: a, b: b}, b: a, c: b, alpha: 1}"), ["delta", ":4:"],
    ),
    "a delta as an output": (recipe_text("{op: subtract, a: a, b: b}"), ["delta"]),
    "text as a number": (recipe_text("{op: weighted_sum, a: a, b: b, alpha: half}"), ["half", ":4:"]),
    "a duplicate key": (recipe_text() + "output: {model: a, path: x.safetensors}\n", ["output", "twice"]),
    "an unknown key": (recipe_text() + "outptus: []\n", ["outptus"]),
    "an unknown policy": (recipe_text(more="policy: {mising: keep}\n"), ["mising", "missing"]),
    "a wrong policy": (recipe_text(more="policy: {missing: ignore}\n"), ["ignore", "keep"]),
    "no version": (recipe_text().replace("weightsmith: 1\n", ""), ["weightsmith: 1"]),
    "a later version": (recipe_text().replace("weightsmith: 1\n", "weightsmith: 2\n"), ["2"]),
    "a tag": (recipe_text("!!python/object:os.system {op: copy, a: a}"), ["tag"]),
    "a merge key": (recipe_text("{<<: {op: copy}, a: a}"), ["<<"]),
    "two documents": (recipe_text() + "---\nweightsmith: 1\n", ["document"]),
    "a control character in a path": (
        recipe_text().replace("out.safetensors", '"out\\new.safetensors"'), ["Write out/new.safetensors"],
    ),
    "not YAML": ("weightsmith: 1\nsteps: {out: [\n", [":"]),
    "a list": ("- weightsmith\n", []),
    "an unknown place": (recipe_text("{op: weighted_sum, a: a, b: b, alpha: {default: 0.5, unett: 1}}"), ["unett"]),
    "a wrong regex": (recipe_text("{op: weighted_sum, a: a, b: b, alpha: {default: 0.5, '/(/': 1}}"), ["/(/"]),
}


@pytest.mark.parametrize("name", WRONG_RECIPES)
def test_bad_input_in_a_recipe_is_told_with_its_place(refuse, pair, tmp_path, name):
    text, words = WRONG_RECIPES[name]
    (tmp_path / "recipe.yaml").write_text(text)
    refuse("merge", "recipe.yaml", status=2, words=["recipe.yaml", *words])
    refuse("plan", "recipe.yaml", status=2, words=words)


def test_all_problems_of_a_recipe_are_told_at_once(refuse, pair, tmp_path):
    (tmp_path / "recipe.yaml").write_text(
        recipe_text("{op: weigted_sum, a: a, b: b}") + "outptus: []\npolicy: {mising: keep}\n"
    )
    refuse("merge", "recipe.yaml", status=2, words=["weigted_sum", "outptus", "mising"])


def test_places_that_leave_a_tensor_without_a_weight(refuse, tiny, tmp_path):
    support.write_recipe(tmp_path / "recipe.yaml", {
        "models": {"a": str(tiny("sd15", 1)), "b": str(tiny("sd15", 2))},
        "steps": {"out": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": {"te": 0.5}}},
        "output": {"model": "out", "path": "out.safetensors"},
    })
    refuse("merge", "recipe.yaml", status=3, words=["matches: IN00, ", "default: 0"])


def test_rows_of_one_rank_that_disagree(refuse, tiny, tmp_path):
    support.write_recipe(tmp_path / "recipe.yaml", {
        "models": {"a": str(tiny("sd15", 1)), "b": str(tiny("sd15", 2))},
        "steps": {"out": {"op": "weighted_sum", "a": "a", "b": "b",
                          "alpha": {"default": 0.5, "/attn1/": 0.1, "/attn1.to_q/": 0.2}}},
        "output": {"model": "out", "path": "out.safetensors"},
    })
    refuse("merge", "recipe.yaml", status=3, words=["/attn1/", "/attn1.to_q/"])


def test_pinned_hash_mismatch(refuse, weightsmith, pair, tmp_path):
    def pinned(digest):
        return recipe_text().replace("b: b.safetensors", f'b: {{path: b.safetensors, sha256: "{digest}"}}', 1)

    (tmp_path / "recipe.yaml").write_text(pinned("0" * 64))
    refuse("merge", "recipe.yaml", status=5, words=["b.safetensors", "0" * 64])
    (tmp_path / "recipe.yaml").write_text(pinned(support.sha256(tmp_path / "b.safetensors")))
    weightsmith("merge", "recipe.yaml")


def test_output_in_a_missing_folder(refuse, weightsmith, pair, tmp_path):
    command = ("merge", "a.safetensors", "b.safetensors", "--alpha", "0.5", "-o", "no/where/out.safetensors")
    refuse(*command, status=2, words=["no/where", "--mkdir"])
    assert not (tmp_path / "no").exists()
    weightsmith(*command, "--mkdir")


def test_output_in_a_folder_that_cannot_be_written(refuse, pair, tmp_path):
    if os.geteuid() == 0:
        folder = "/proc"  # root may write to any folder of a disk
    else:
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o500)
    refuse("merge", "a.safetensors", "b.safetensors", "--alpha", "0.5", "-o", f"{folder}/out.safetensors", status=1,
           words=[str(folder)])


def test_disk_too_small(refuse, tmp_path):
    """A header that promises more than any disk here has; sparse files cost nothing."""
    size = 2**46
    for name in ("a", "b"):
        text = json.dumps({"w": {"dtype": "F16", "shape": [size // 2], "data_offsets": [0, size]}}).encode()
        try:
            with open(tmp_path / f"{name}.sparse", "wb") as file:
                file.write(struct.pack("<Q", len(text)) + text)
                file.truncate(8 + len(text) + size)
        except OSError:  # ext4 ends at 16 TiB
            size = 2**43
            text = json.dumps({"w": {"dtype": "F16", "shape": [size // 2], "data_offsets": [0, size]}}).encode()
            with open(tmp_path / f"{name}.sparse", "wb") as file:
                file.write(struct.pack("<Q", len(text)) + text)
                file.truncate(8 + len(text) + size)
    command = ("merge", tmp_path / "a.sparse", tmp_path / "b.sparse", "--alpha", "0.5", "--policy", "effect=any",
               "-o", "out.safetensors")
    # Hashing terabytes of nothing takes hours: this test looks at the folder by itself.
    from conftest import Weightsmith
    result = Weightsmith(tmp_path)(*command, status=6)
    assert "not enough disk in" in result.stderr
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["a.sparse", "b.sparse"]
    for name in ("a", "b"):
        (tmp_path / f"{name}.sparse").unlink()


@pytest.mark.parametrize("link", ["symlink", "hard link", "the same path", "another spelling"])
def test_output_that_is_an_input(refuse, pair, tmp_path, link):
    name = {"the same path": "a.safetensors", "another spelling": "./x/../a.safetensors"}.get(link, "link.safetensors")
    (tmp_path / "x").mkdir()
    if link == "symlink":
        (tmp_path / name).symlink_to(tmp_path / "a.safetensors")
    elif link == "hard link":
        os.link(tmp_path / "a.safetensors", tmp_path / name)
    command = ("merge", "a.safetensors", "b.safetensors", "--alpha", "0.5", "--force", "-o", name)
    refuse(*command, status=2, words=["a.safetensors"], output=name)


def test_existing_output_is_kept_without_force(refuse, weightsmith, pair, tmp_path):
    (tmp_path / "out.safetensors").write_bytes(b"precious")
    refuse(*merge("a.safetensors", "b.safetensors"), status=2, words=["out.safetensors", "--force"])
    weightsmith(*merge("a.safetensors", "b.safetensors"), "--force")
    support.read(tmp_path / "out.safetensors")


def test_results_that_overflow(refuse, weightsmith, tmp_path):
    for name, value in (("a", 40000), ("b", 60000)):
        support.write(tmp_path / f"{name}.safetensors", {"w": np.full((4, 4), value, np.float16)})
    (tmp_path / "recipe.yaml").write_text(recipe_text("{op: linear, of: [{model: a, weight: 1}, {model: b, weight: 1}]}"))
    refuse("merge", "recipe.yaml", status=3, words=["w", "16"])
    weightsmith("merge", "recipe.yaml", "--policy", "non_finite=saturate")
    assert (support.read(tmp_path / "out.safetensors")["w"] == 65504).all()
    weightsmith("merge", "recipe.yaml", "--policy", "non_finite=allow", "--force")
    assert np.isinf(support.read(tmp_path / "out.safetensors")["w"]).all()


@pytest.fixture
def large(tmp_path):
    """Inputs that take long enough to be meddled with."""
    block = np.random.default_rng(1).standard_normal((1024, 1024)).astype(np.float16)
    for i, name in enumerate("ab"):
        support.write(tmp_path / f"{name}.safetensors", {f"layers.{j}.weight": np.roll(block, 7 * i + j) for j in range(64)})
    return tmp_path


@pytest.mark.parametrize("how, io", support.chosen(itertools.product(["truncated", "replaced", "changed"], ["map", "read"]),
                                                   ("truncated", "map"), ("changed", "read")))
def test_an_input_that_changes_while_it_is_read(weightsmith, large, io, how):
    output = large / "out.safetensors"
    path = large / "b.safetensors"
    original = path.read_bytes()
    struck = 0
    for delay in (0.01, 0.02, 0.03, 0.05):
        process = weightsmith.start("merge", "a.safetensors", "b.safetensors", "--alpha", "0.5", "-o", output,
                                    "--threads", "1", "--io", io)
        time.sleep(delay)
        if how == "truncated":
            os.truncate(path, len(original) // 2)
        elif how == "replaced":
            (large / "new").write_bytes(original[: len(original) // 2])
            os.replace(large / "new", path)
        else:
            with open(path, "r+b") as file:
                file.seek(len(original) - 2)
                file.write(b"\x00\x3c")
        _, errors = process.communicate(timeout=60)
        # It may have been done before, or not have begun; it may not crash, nor say that all went well
        # with an input that changed under it.
        assert process.returncode in (0, 1, 4), errors
        assert output.exists() == (process.returncode == 0)
        if process.returncode != 0:
            assert "b.safetensors" in errors
            struck += 1
        for leftover in large.glob("out.safetensors*"):
            leftover.unlink()
        path.write_bytes(original)
    if how == "truncated":
        assert struck > 0


def test_unknown_words_on_the_command_line(refuse, pair):
    refuse("merg", "a.safetensors", status=2, words=["merg", "merge"])
    refuse("merge", "a.safetensors", "b.safetensors", "--alhpa", "0.5", status=2, words=["--alhpa", "--alpha"])
    refuse("merge", "a.safetensors", "b.safetensors", "--alpha", "half", status=2, words=["half"])
    refuse("merge", "a.safetensors", "b.safetensors", "--op", "wieghted_sum", status=2, words=["weighted_sum"])
    refuse("merge", "a.safetensors", "b.safetensors", "--dtype", "f17", status=2, words=["f17"])
    refuse("merge", "a.safetensors", "b.safetensors", "--max-memory", "lots", status=2, words=["lots"])


def test_a_folder_that_is_full(weightsmith, large, tmp_path):
    """Written to a file system of 64 MiB where one can be mounted: the partial stays, and the
    message names what is needed."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", small], capture_output=True)
    if mounted.returncode != 0:
        return
    try:
        result = weightsmith("merge", "a.safetensors", "b.safetensors", "--alpha", "0.5", "-o", small / "out.safetensors",
                             status=6)
        assert "small" in result.stderr
        assert not (small / "out.safetensors").exists()
    finally:
        subprocess.run(["umount", small], check=True)


def test_tables_that_include_each_other(refuse, tmp_path):
    (tmp_path / "recipe.yaml").write_text("include: table.yaml\n" + recipe_text())
    (tmp_path / "table.yaml").write_text("include: recipe.yaml\n")
    refuse("validate", "recipe.yaml", status=2, words=["includes itself"])


def test_a_recipe_that_is_its_own_model(refuse, tmp_path):
    (tmp_path / "recipe.yaml").write_text(recipe_text().replace("b: b.safetensors", "b: {recipe: other.yaml}", 1))
    (tmp_path / "other.yaml").write_text(
        "weightsmith: 1\nmodels: {r: {recipe: recipe.yaml}}\noutput: {model: r, path: x.safetensors}\n")
    refuse("validate", "recipe.yaml", status=2, words=["cycle", "recipe.yaml"])


def test_setting_a_variable_that_is_not_there(refuse, tmp_path):
    (tmp_path / "recipe.yaml").write_text("vars: {weight: 0.5}\n" + recipe_text("{op: weighted_sum, a: a, b: b, alpha: $weight}"))
    refuse("validate", "recipe.yaml", "--set", "wieght=0.3", status=2, words=["wieght", "Did you mean 'weight'?"])
