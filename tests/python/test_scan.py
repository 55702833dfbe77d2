"""Files that two programs would read as two files: `scan` calls them ambiguous, and nothing opens them.

The same is judged beside the loaders themselves, on thousands of files, by tests/scan/differential.py.
"""

import json
import pickle
import random
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

sys.path.insert(0, str(Path(__file__).parents[1] / "scan"))

import archive as za  # noqa: E402
import hostile  # noqa: E402
import support  # noqa: E402
import torch_files as tf  # noqa: E402

W = np.arange(24, dtype=np.float32)
DATA = {"0": W.tobytes()}
GOOD = tf.pickled({"w": tf.tensor("0", (24,))})
EVIL = tf.pickled({"w": tf.tensor("0", (24,)), "e": tf.Reduce(tf.Global("os", "system"), ("touch canary",))})


def made(change=lambda a: None, pickled=GOOD):
    """An archive as torch writes it, with a change."""
    a = za.torch_archive(pickled, DATA)
    change(a)
    return za.build(a)


def member(name, data=EVIL, at=1, **fields):
    return lambda a: a.members.insert(at, za.Member(name, data, **fields))


def first(**fields):
    return lambda a: [setattr(a.members[0], key, value) for key, value in fields.items()]


def put(part, **fields):
    return lambda a: getattr(a, part).update(fields)


def around(**fields):
    return lambda a: [setattr(a, key, value) for key, value in fields.items()]


END = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, 46, 0, 0)
UNICODE_PATH = struct.pack("<HHBI", 0x7075, 14, 1, zlib.crc32(b"archive/data.pkl")) + b"archive/x"

ARCHIVES = {
    "names that differ by case": member(b"archive/DATA.PKL"),
    "a folder's name that differs by case": member(b"ARCHIVE/data.pkl"),
    "a name twice": member(b"archive/data.pkl"),
    "two top folders": member(b"b/data.pkl"),
    "a name that climbs": member(b"archive/../archive/data.pkl"),
    "a name with a backslash": member(b"archive\\data.pkl"),
    "a name with a zero byte": member(b"archive/data.pkl\0x"),
    "a name in no encoding": member(b"archive/\xff", b"", flags=0),
    "a name of UTF-8 that does not say so": member("archive/é".encode(), b"", flags=0),
    "another pickle": member(b"archive/other.pkl"),
    "a file that torch does not write": member(b"archive/extra/x"),
    "a storage of no tensor": member(b"archive/data/1", b"abcd"),
    "a file beside the storages": member(b"archive/data/x/y"),
    "two end records": around(comment=END),
    "an end record in a comment": around(comment=END + b"x"),
    "an end record behind": around(after=END),
    "records in a comment": around(comment=b"PK\1\2" + bytes(42)),
    "bytes in front": around(unmoved=b"PK\3\4" + bytes(26)),
    "bytes in front that offsets know of": around(before=b"PK\3\4" + bytes(26)),
    "bytes behind": around(after=b"x"),
    "bytes in front of the directory": around(gap=b"x"),
    "bytes between": first(descriptor=struct.pack("<IIII", 0x08074B50, zlib.crc32(GOOD), len(GOOD), len(GOOD)) + b"x"),
    "a file that is not listed": member(b"archive/data.pkl", listed=False),
    "a directory elsewhere": put("end", offset=1),
    "a 64-bit directory elsewhere": put("end64", offset=1),
    "a count that differs": put("end", count=3, count2=3),
    "several disks": put("locator", disks=2),
    "no 64-bit end record where its locator points": put("locator", offset=0),
    "another local name": first(local={"name": b"archive/data.pkx"}),
    "another local method": first(local={"method": 8}),
    "another local size": first(local={"csize": 1, "usize": 1}),
    "other local flags": first(local={"flags": 0x0809}),
    "another local checksum": first(local={"crc": 1}),
    "flags of encryption": first(central={"flags": 0x0809}),
    "a size that differs": first(central={"usize": 1, "csize": 1}),
    "a newer version": first(central={"version": 64}),
    "a folder's attribute": first(central={"external": 0x10}),
    "a header elsewhere": first(central={"offset": 64}),
    "a second name": first(central_extra=UNICODE_PATH),
    "a malformed extra field": first(central_extra=b"\1\0\xff\xff"),
    "no descriptor": first(descriptor=b""),
    "another descriptor": first(descriptor=struct.pack("<IIII", 0x08074B50, 1, 2, 3)),
    "compressed": first(stored=zlib.compress(GOOD)[2:-4], local={"method": 8}, central={"method": 8}),
    "storages that are not aligned as it says": around(alignment=16),
    "bytes behind the pickle": lambda a: setattr(a.members[0], "data", GOOD + b"."),
    "TorchScript": member(b"archive/constants.pkl", b"\x80\x02)."),
}


@pytest.mark.parametrize("name", support.sampled(ARCHIVES, 3))
def test_an_archive_that_readers_take_differently(weightsmith, tmp_path, name):
    (tmp_path / "m.ckpt").write_bytes(made(ARCHIVES[name]))
    told = json.loads(weightsmith("scan", "--json", "m.ckpt", status=7).stdout)[0]
    # Where the other file can be found, what it calls is known too.
    assert told["verdict"] in ("ambiguous", "dangerous") and told["ambiguities"] and not told["safe"]
    assert "m.ckpt" in weightsmith("info", "m.ckpt", status=4).stderr
    weightsmith("convert", "m.ckpt", "-o", "out.safetensors", status=4)


def test_what_torch_writes_is_safe(weightsmith, tmp_path):
    files = {"new": made(), "old": za.build(za.torch_archive(GOOD, DATA, modern=False, byteorder=False)),
             "named": za.build(za.torch_archive(GOOD, DATA, prefix="模型.v1".encode())),
             "a later version": made(member(b"archive/.data/some_mark", b"7", at=3))}
    for name, content in files.items():
        (tmp_path / f"{name}.pt").write_bytes(content)
    told = json.loads(weightsmith("scan", "--json", *(f"{name}.pt" for name in files)).stdout)
    assert [file["verdict"] for file in told] == ["safe"] * 4
    for name in files:
        weightsmith("info", f"{name}.pt")


def string(value):
    return b"X" + struct.pack("<I", len(value)) + value


CALL = b"cos\nsystem\n" + string(b"touch canary") + b"\x85R"
SAFE_NAMES = {
    "sets attributes of a class": b"ctorch\nTensor\n}" + string(b"x") + b"Nsb0",
    "calls a type that is only named": b"cnumpy\nndarray\nK\x01\x85R0",
    "calls with names": b"ctorch.storage\nUntypedStorage\n)}" + string(b"allocator") + b"K\x07s\x920",
    "calls what a call gave": b"cbuiltins\nlist\n)R)R0",
    "calls through a function of torch": b"ctorch._tensor\n_rebuild_from_type_v2\n(cbuiltins\nbytearray\nctorch\nTensor\nK\x05\x85NtR0",
}


@pytest.mark.parametrize("name", SAFE_NAMES)
def test_harmless_names_that_are_used_for_harm(weightsmith, tmp_path, name):
    (tmp_path / "m.pt").write_bytes(tf.saved(b"\x80\x02" + SAFE_NAMES[name] + GOOD[2:], DATA))
    told = json.loads(weightsmith("scan", "--json", "m.pt", status=7).stdout)[0]
    assert told["verdict"] == "dangerous" and told["unusual"]


def framed(size, body):
    return b"\x80\x04\x95" + struct.pack("<Q", size) + body


PICKLES = {
    "a frame that ends inside an opcode": framed(5, GOOD[2:]),
    "a frame in a frame": framed(len(GOOD) + 7, b"\x95" + struct.pack("<Q", len(GOOD) - 2) + GOOD[2:]),
    "a frame that goes on behind the end": framed(len(GOOD) - 1, GOOD[2:] + b"N"),
    "a number in another base": b"\x80\x02I0x10\n0" + GOOD[2:],
    "an octal number": b"\x80\x02I010\n0" + GOOD[2:],
    "an extension": b"\x80\x02\x82\x010" + GOOD[2:],
    "an id that is a line": b"\x80\x02P1\n0" + GOOD[2:],
}


@pytest.mark.parametrize("name", PICKLES)
def test_pickles_that_readers_take_differently(weightsmith, tmp_path, name):
    (tmp_path / "m.pt").write_bytes(tf.saved(PICKLES[name], DATA))
    assert json.loads(weightsmith("scan", "--json", "m.pt", status=7).stdout)[0]["verdict"] == "ambiguous"
    weightsmith("info", "m.pt", status=4)


@pytest.mark.parametrize("code", [
    b"V\\u006fs\nV\\u0073ystem\n\x93", b"S'\\x6fs'\nS'\\163ystem'\n\x93", b"\x8c\x02osp7\n0\x8c\x06systemp8\n0g7\ng8\n\x93",
    b"T\x02\0\0\0osU\x06system\x93",
])
def test_names_are_decoded_as_python_does(weightsmith, tmp_path, code):
    (tmp_path / "m.pt").write_bytes(tf.saved(b"\x80\x04" + code + string(b"x") + b"\x85R0" + GOOD[2:], DATA))
    told = json.loads(weightsmith("scan", "--json", "m.pt", status=7).stdout)[0]
    assert told["verdict"] == "dangerous" and "os.system" in [g["name"] for g in told["globals"]]


@pytest.mark.parametrize("where", range(5))
@pytest.mark.parametrize("protocol", [b"", b"\x80\x02", b"\x80\x04"], ids=["0", "2", "4"])
def test_every_pickle_of_an_old_file_counts(weightsmith, tmp_path, where, protocol):
    """In the first four cases it is in front of what torch expects there, which it then finds."""
    pickles = hostile.legacy_pickles(random.Random(0))
    body = pickles[where].removeprefix(b"\x80\x02") if pickles[where][1] == 2 else pickles[where][2:]
    pickles[where] = protocol + CALL + b"0" + body
    (tmp_path / "m.pt").write_bytes(b"".join(pickles) + struct.pack("<q4f", 4, 1, 2, 3, 4))
    told = json.loads(weightsmith("scan", "--json", "m.pt", status=7).stdout)[0]
    assert not told["safe"] and "os.system" in [g["name"] for g in told["globals"]]
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("tail", [b"\0", GOOD])
def test_bytes_behind_an_old_file(weightsmith, tmp_path, tail):
    (tmp_path / "m.pt").write_bytes(tf.legacy({"w": tf.tensor("0", (24,))}, {"0": (24, W.tobytes())}) + tail)
    assert json.loads(weightsmith("scan", "--json", "m.pt", status=7).stdout)[0]["verdict"] == "ambiguous"


def polyglot(family, name):
    rng = random.Random(1)
    while True:
        made_name, content = family(EVIL, GOOD, rng)
        if made_name == name and (name != "safetensors and pickle" or b"N" * 200 in content[-1000:]):
            return content


@pytest.mark.parametrize("family, name", [
    (hostile.polyglots, "GGUF and pickle"), (hostile.polyglots, "safetensors and pickle"), (hostile.tar_files, "safetensors and tar"),
    (hostile.tar_files, "legacy and tar"), (hostile.tar_files, "tar")])
def test_files_of_two_formats(weightsmith, tmp_path, family, name):
    (tmp_path / "m.ckpt").write_bytes(polyglot(family, name))
    assert not json.loads(weightsmith("scan", "--json", "m.ckpt", status=7).stdout)[0]["safe"]
    weightsmith("info", "m.ckpt", status=4)


def test_a_zip_archive_in_a_safetensors_file(weightsmith, tmp_path):
    (tmp_path / "m.ckpt").write_bytes(hostile.zip_in_a_safetensors_header())
    assert json.loads(weightsmith("scan", "--json", "m.ckpt", status=7).stdout)[0]["verdict"] == "ambiguous"
    assert "safetensors" in weightsmith("info", "m.ckpt", status=4).stderr


@pytest.mark.parametrize("suffix", [".safetensors", ".SFT"])
def test_a_suffix_that_says_another_format(weightsmith, tmp_path, suffix):
    (tmp_path / f"m{suffix}").write_bytes(made())
    told = json.loads(weightsmith("scan", "--json", f"m{suffix}", status=7).stdout)[0]
    assert told["verdict"] == "ambiguous" and "named" in told["ambiguities"][0]
    assert "Rename" in weightsmith("info", f"m{suffix}", status=4).stderr


def test_a_safetensors_file_of_another_name_is_safe(weightsmith, tiny, tmp_path):
    (tmp_path / "m.ckpt").write_bytes(tiny("sd15").read_bytes())
    assert weightsmith("scan", "m.ckpt").stdout.startswith("m.ckpt: safe (safetensors)")


def index(folder, shards, name="pytorch_model.bin.index.json"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps({"metadata": {}, "weight_map": {f"w{i}": shard for i, shard in enumerate(shards)}}))


@pytest.mark.parametrize("target", ["m", "m/pytorch_model.bin.index.json"])
def test_shards_are_looked_at(weightsmith, tmp_path, target):
    index(tmp_path / "m", ["1.bin", "2.bin"])
    (tmp_path / "m/1.bin").write_bytes(made())
    (tmp_path / "m/2.bin").write_bytes(made(pickled=EVIL))
    told = {Path(file["path"]).name: file["verdict"] for file in json.loads(weightsmith("scan", "--json", target, status=7).stdout)}
    assert told["1.bin"] == "safe" and told["2.bin"] == "dangerous"
    assert "2.bin: dangerous" in weightsmith("scan", target, status=7).stdout


def test_a_missing_shard_is_an_error(weightsmith, tmp_path):
    shard = tf.saved({"w0": tf.tensor("0", (24,))}, DATA)
    index(tmp_path / "m", ["1.bin", "2.bin"])
    (tmp_path / "m/1.bin").write_bytes(shard)
    told = weightsmith("scan", "m", status=7).stdout
    assert "2.bin: missing" in told and "1.bin: safe" in told


def test_a_folder_is_looked_at_with_its_folders(weightsmith, tmp_path):
    (tmp_path / "p/unet").mkdir(parents=True)
    (tmp_path / "p/unet/diffusion_pytorch_model.bin").write_bytes(made())
    (tmp_path / "p/unet/config.json").write_text("{}")
    (tmp_path / "p/scheduler.weird").write_bytes(tf.pickled(tf.Reduce(tf.Global("os", "system"), ("x",))))
    (tmp_path / "p/README.md").write_text("# A model\n")
    told = {Path(file["path"]).name: file["verdict"] for file in json.loads(weightsmith("scan", "--json", "p", status=7).stdout)}
    assert told == {"diffusion_pytorch_model.bin": "safe", "scheduler.weird": "dangerous"}


def test_one_missing_file_does_not_hide_others(weightsmith, tmp_path):
    (tmp_path / "m.pt").write_bytes(made())
    result = weightsmith("scan", "missing.pt", "m.pt", status=4)
    assert "m.pt: safe" in result.stdout and "missing.pt" in result.stderr
    (tmp_path / "e.pt").write_bytes(made(pickled=EVIL))
    weightsmith("scan", "missing.pt", "m.pt", "e.pt", status=7)


def test_no_control_character_of_a_file_is_printed(weightsmith, tmp_path):
    evil = tf.pickled({"w": tf.tensor("0", (24,)), "e": tf.Global("os\x1b[31m", "sys\x07tem")})
    (tmp_path / "m.pt").write_bytes(tf.saved(evil, DATA))
    (tmp_path / "n.pt").write_bytes(made(member(b"archive/\x1b[31mevil.pkl")))
    for words in (weightsmith("scan", "m.pt", "n.pt", status=7).stdout, weightsmith("info", "n.pt", status=4).stderr):
        assert not any(ord(c) < 32 and c != "\n" for c in words)


# What trainers wrap around the weights.


def weights(key):
    return tf.tensor(key, (4, 6))


ONE = {"0": W.tobytes(), "1": W[::-1].tobytes()}


@pytest.mark.parametrize("key", ["generator", "generator_ema", "ema_model", "model_ema", "g_ema", "dit", "transformer", "unet", "anything"])
def test_the_only_dict_of_tensors_is_taken(weightsmith, tmp_path, key):
    step = tf.Reduce(tf.Global("torch._utils", "_rebuild_tensor_v2"), (tf.storage("1", 24), 0, (), (), False, None))
    optimizer = {"state": {0: {"exp_avg": weights("1")}}, "param_groups": [{"lr": 1}]}
    (tmp_path / "m.pt").write_bytes(tf.saved({key: {"w": weights("0")}, "step": step, "opt": optimizer}, ONE))
    weightsmith("convert", "m.pt", "-o", "out.safetensors")
    out = load_file(tmp_path / "out.safetensors")
    assert list(out) == ["w"] and np.array_equal(out["w"], W.reshape(4, 6))


BOTH = {"nets": {"generator": {"w": weights("0")}, "generator_ema": {"w": weights("1")}}, "step": 5}


def test_several_are_named_and_one_is_chosen(weightsmith, tmp_path):
    (tmp_path / "m.pt").write_bytes(tf.saved(BOTH, ONE))
    for command in (("info", "m.pt"), ("convert", "m.pt", "-o", "out.safetensors")):
        said = weightsmith(*command, status=3).stderr
        assert "'nets.generator' (1 tensors)" in said and "'nets.generator_ema' (1 tensors)" in said and "key" in said
    weightsmith("convert", "m.pt", "--key", "nets.generator_ema", "-o", "out.safetensors")
    assert np.array_equal(load_file(tmp_path / "out.safetensors")["w"], W[::-1].reshape(4, 6))
    assert "'nets.generator'" in weightsmith("info", "m.pt", "--key", "other", status=3).stderr
    assert json.loads(weightsmith("info", "--json", "m.pt", "--key", "nets.generator").stdout)["tensors"] == 1


def test_a_key_in_recipes_and_on_the_command_line(weightsmith, tmp_path):
    (tmp_path / "m.pt").write_bytes(tf.saved(BOTH, ONE))
    (tmp_path / "r.yaml").write_text(
        "weightsmith: 1\nmodels:\n  a: {path: m.pt, key: nets.generator}\n  b: {path: m.pt, key: nets.generator_ema}\n"
        "steps: {x: {op: weighted_sum, a: a, b: b, alpha: 0.25}}\noutput: {model: x, path: out.safetensors}\n")
    weightsmith("merge", "r.yaml")
    expected = W.reshape(4, 6) * np.float32(.75) + W[::-1].reshape(4, 6) * np.float32(.25)
    assert np.allclose(load_file(tmp_path / "out.safetensors")["w"], expected)
    assert "key: nets.generator_ema" in weightsmith("show", "r.yaml").stdout
    (tmp_path / "n.pt").write_bytes(tf.saved(BOTH, {"0": ONE["1"], "1": ONE["0"]}))
    weightsmith("merge", "m.pt", "n.pt", "--key", "nets.generator", "--alpha", "0.25", "-o", "two.safetensors")
    assert np.allclose(load_file(tmp_path / "two.safetensors")["w"], expected)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_arrays_of_numpy_are_tensors(weightsmith, tmp_path, protocol):
    arrays = {"rows": W.reshape(4, 6), "columns": np.asfortranarray(W.reshape(4, 6) + 1), "half": W.astype(np.float16),
              "bytes": np.arange(200, 256, dtype=np.uint8), "empty": np.zeros((0, 3), np.float32), "scalar": np.array(2.5),
              "flags": np.array([True, False]), "i": np.arange(3)}
    (tmp_path / "m.pt").write_bytes(tf.saved(pickle.dumps({"state_dict": arrays, "step": 1}, protocol), {}))
    assert weightsmith("scan", "m.pt").stdout.startswith("m.pt: safe")
    weightsmith("convert", "m.pt", "-o", "out.safetensors")
    out = load_file(tmp_path / "out.safetensors")
    assert out.keys() == arrays.keys()
    for name, array in arrays.items():
        assert out[name].dtype == array.dtype and np.array_equal(out[name], array), name


@pytest.mark.parametrize("array, said", [
    (np.array(["a", "b"]), "dtype"), (np.arange(3, dtype=">f4"), "byte order"),
    (np.array([None, 1], dtype=object), "numpy array")])
def test_arrays_that_are_no_tensors(weightsmith, tmp_path, array, said):
    (tmp_path / "m.pt").write_bytes(tf.saved(pickle.dumps({"w": array}, 2), {}))
    assert said in weightsmith("convert", "m.pt", "-o", "out.safetensors", status=4).stderr


def test_parts_of_storages_before_torch_0_4(weightsmith, tmp_path):
    pid = ("storage", tf.Global("torch", "FloatStorage"), "0", "cpu", 24, ("9", 6, 12))
    part = tf.Reduce(tf.Global("torch._utils", "_rebuild_tensor"), (tf.Persistent(pid), 2, (2, 5), (5, 1)))
    (tmp_path / "m.pt").write_bytes(tf.legacy({"w": part}, {"0": (24, W.tobytes())}))
    weightsmith("convert", "m.pt", "-o", "out.safetensors")
    assert np.array_equal(load_file(tmp_path / "out.safetensors")["w"], W[8:18].reshape(2, 5))


def test_dicts_that_hold_each_other_take_no_time(weightsmith, tmp_path):
    """Each holds the next one many times: without bounds there would be 50^16 names."""
    code = b"}q\x10" + string(b"w") + tf.opcodes(weights("0")) + b"s0"
    for level in range(15):
        inner = b"h" + bytes([0x10 + level])
        names = [b"model", b"state_dict", b"module", *(b"k%d" % i for i in range(50))]
        code += b"}(" + b"".join(string(name) + inner for name in names) + b"uq" + bytes([0x11 + level]) + b"0"
    code += b"h" + bytes([0x1F]) + b"."
    (tmp_path / "m.pt").write_bytes(tf.saved(b"\x80\x02" + code, DATA))
    assert json.loads(weightsmith("info", "m.pt", "--json").stdout)["tensors"] == 1
