"""Checkpoints of torch.save: read without executing anything, hostile ones refused or read inertly.

Files that a real torch wrote are judged in tests/parity; here they are put together by hand.
"""

import json
import os
import resource
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import support
import torch_files as tf

W = np.arange(24, dtype=np.float32)
DATA = {"0": W.tobytes()}


@pytest.fixture
def read(weightsmith, tmp_path):
    """Writes a file, merges it alone, and gives the tensors that come out."""
    def run(content, name="m.ckpt"):
        (tmp_path / name).write_bytes(content)
        (tmp_path / "r.yaml").write_text(
            f"weightsmith: 1\nmodels: {{m: {name}}}\noutput: {{model: m, path: out.safetensors}}\n"
            "policy: {effect: any}\n")
        weightsmith("merge", "r.yaml", "--force")
        return load_file(tmp_path / "out.safetensors")
    return run


def state(**tensors):
    return {name: value for name, value in tensors.items()}


def test_plain_views_strides_and_shared_storages(read):
    n = 24
    out = read(tf.saved(state(
        whole=tf.tensor("0", (4, 6)),
        part=tf.tensor("0", (2, 6), offset=6, numel=n),
        transposed=tf.tensor("0", (6, 4), (1, 6), numel=n),
        columns=tf.tensor("0", (4, 2), (6, 1), 3, numel=n),
        repeated=tf.tensor("0", (3, 4), (0, 1), 5, numel=n),
        scalar=tf.tensor("0", (), offset=7, numel=n),
        empty=tf.tensor("0", (0, 5), numel=n),
        ones=tf.tensor("0", (1, 24), (999, 1), numel=n),
    ), DATA))
    whole = W.reshape(4, 6)
    expected = {
        "whole": whole, "part": whole[1:3], "transposed": whole.T, "columns": whole[:, 3:5],
        "repeated": np.broadcast_to(W[5:9], (3, 4)), "scalar": W[7], "empty": np.zeros((0, 5), np.float32),
        "ones": W.reshape(1, 24),
    }
    assert out.keys() == expected.keys()
    for name, array in expected.items():
        assert out[name].shape == array.shape, name
        assert out[name].tobytes() == np.ascontiguousarray(array).tobytes(), name


@pytest.mark.parametrize("wrap", [
    lambda s: {"state_dict": s, "epoch": 3, "callbacks": {"x": 1}},
    lambda s: {"state_dict": {"state_dict": s}},
    lambda s: {"epoch": 1, "model": s},
    lambda s: {"string_to_token": {"*": 265}, "string_to_param": s},
    lambda s: tf.Raw(tf.opcodes(tf.Reduce(tf.Global("collections", "OrderedDict"), ())) +
                     b"(" + b"".join(tf.opcodes(k) + tf.opcodes(v) for k, v in s.items()) + b"u" +
                     tf.opcodes({"_metadata": {}}) + b"b"),
], ids=["lightning", "nested twice", "model", "embedding", "ordered dict with attributes"])
def test_the_state_dict_is_found_in_what_trainers_wrap_around_it(read, wrap):
    out = read(tf.saved(wrap(state(w=tf.tensor("0", (4, 6)))), DATA))
    assert list(out) == ["w"] and out["w"].tobytes() == DATA["0"]


def test_parameters_and_prefixes_and_entries_that_are_no_tensors(read):
    parameter = tf.Reduce(tf.Global("torch._utils", "_rebuild_parameter"), (tf.tensor("0", (24,)), True, None))
    out = read(tf.saved(state(p=parameter, version=tf.Raw(b"K\x01"), name="x"), DATA, prefix="my.model-1"))
    assert list(out) == ["p"]


def test_the_format_before_torch_1_6(read):
    content = tf.legacy(state(a=tf.tensor("7", (24,)), b=tf.tensor("12", (2,), kind="HalfStorage")),
                        {"12": (2, b"\0<\0="), "7": (24, W.tobytes())})
    out = read(content)
    assert out["a"].tobytes() == W.tobytes() and out["b"].tolist() == [1.0, 1.25]


@pytest.mark.parametrize("pair", [list, tuple])
def test_the_ordered_dicts_of_python_2(read, pair):
    items = [pair(("a", tf.tensor("0", (4, 6)))), pair(("b", tf.tensor("0", (24,))))]
    out = read(tf.legacy(tf.Reduce(tf.Global("collections", "OrderedDict"), (items,)), {"0": (24, W.tobytes())}))
    assert np.array_equal(out["a"], W.reshape(4, 6)) and np.array_equal(out["b"], W)


FILES_OF_1_13 = Path(__file__).parent / "torch_1_13"
EXPECTED_OF_1_13 = json.loads((FILES_OF_1_13 / "expected.json").read_text())


@pytest.mark.parametrize("name", EXPECTED_OF_1_13)
def test_files_of_torch_1_13(weightsmith, tmp_path, name):
    weightsmith("convert", FILES_OF_1_13 / f"{name}.pt", "-o", "out.safetensors")
    header, start = support.header_of(tmp_path / "out.safetensors")
    data = (tmp_path / "out.safetensors").read_bytes()[start:]
    expected = EXPECTED_OF_1_13[name]
    assert header.keys() - {"__metadata__"} == expected.keys()
    for key, (dtype, shape, content) in expected.items():
        begin, end = header[key]["data_offsets"]
        assert [header[key]["dtype"], header[key]["shape"]] == [dtype, shape], key
        assert data[begin:end].hex() == content, key


def test_optimizer_storages_are_stepped_over(read):
    optimizer = {"state": {"m": tf.tensor("1", (3,))}}
    wrapped = {"optimizer_states": [optimizer], "state_dict": state(w=tf.tensor("2", (24,)))}
    out = read(tf.legacy(wrapped, {"1": (3, b"\1" * 12), "2": (24, W.tobytes())}))
    assert list(out) == ["w"] and out["w"].tobytes() == W.tobytes()


def sharded(folder, shards, index="pytorch_model.bin.index.json"):
    """A folder of torch.save's files, of name -> (content, tensors)."""
    folder.mkdir(exist_ok=True)
    for name, (content, _) in shards.items():
        (folder / name).write_bytes(content)
    weight_map = {tensor: name for name, (_, tensors) in shards.items() for tensor in tensors}
    (folder / index).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


FIRST = tf.saved(state(a=tf.tensor("0", (4, 6)), b=tf.tensor("0", (6, 4), (1, 6), numel=24)), DATA)
SECOND = tf.legacy(state(c=tf.tensor("0", (4, 6), (6, 1))), {"0": (24, W[::-1].tobytes())})


@pytest.mark.parametrize("target", ["model", "model/pytorch_model.bin.index.json"])
def test_shards_of_both_kinds(weightsmith, tmp_path, target):
    sharded(tmp_path / "model", {"pytorch_model-00001-of-00002.bin": (FIRST, "ab"),
                                 "pytorch_model-00002-of-00002.bin": (SECOND, "c")})
    info = json.loads(weightsmith("info", target, "--json").stdout)
    assert info["format"] == "sharded" and info["tensors"] == 3
    weightsmith("convert", target, "-o", "out.safetensors")
    out = load_file(tmp_path / "out.safetensors")
    assert np.array_equal(out["a"], W.reshape(4, 6)) and np.array_equal(out["b"], W.reshape(4, 6).T)
    assert np.array_equal(out["c"], W[::-1].reshape(4, 6))


def test_a_folder_prefers_safetensors_and_takes_what_torch_saved(weightsmith, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/pytorch_model.bin").write_bytes(FIRST)
    (tmp_path / "model/training_args.bin").write_bytes(b"no checkpoint")
    assert json.loads(weightsmith("info", "model", "--json").stdout)["format"] == "torch-zip"
    weightsmith("convert", "model", "-o", "model/model.safetensors")
    assert json.loads(weightsmith("info", "model", "--json").stdout)["format"] == "safetensors"


def test_code_in_one_shard_is_shown(weightsmith, tmp_path):
    bad = tf.saved(state(c=tf.tensor("0", (4, 6)), run=tf.Reduce(tf.Global("os", "system"), ("false",))), DATA)
    sharded(tmp_path / "model", {"1.bin": (FIRST, "ab"), "2.bin": (bad, "c")})
    assert "os.system" in weightsmith("info", "model").stdout


@pytest.mark.parametrize("tensors, said", [("abc", "should be in shard"), ("a", "is not in the index")])
def test_shards_that_do_not_fit_their_index(weightsmith, tmp_path, tensors, said):
    sharded(tmp_path / "model", {"1.bin": (FIRST, tensors)})
    assert said in weightsmith("info", "model", status=4).stderr


EVIL = tf.Reduce(tf.Global("posix", "system"), ("touch canary",))


def test_code_is_never_run_and_info_shows_it(weightsmith, read, tmp_path):
    out = read(tf.saved({"state_dict": state(w=tf.tensor("0", (24,))), "evil": EVIL}, DATA))
    assert list(out) == ["w"]
    assert not (tmp_path / "canary").exists()
    assert json.loads(weightsmith("info", "--json", "m.ckpt").stdout)["code"] == ["posix.system"]
    assert "posix.system" in weightsmith("info", "m.ckpt").stdout


SCANS = {
    "a state dict": (tf.saved(state(w=tf.tensor("0", (24,))), DATA), "safe", []),
    "a call of the system": (tf.saved({"state_dict": state(w=tf.tensor("0", (24,))), "e": EVIL}, DATA), "dangerous", ["posix.system"]),
    "a class of some package": (
        tf.saved({"state_dict": state(w=tf.tensor("0", (24,))), "e": tf.Reduce(tf.Global("omegaconf", "DictConfig"), ())}, DATA),
        "unknown code", ["omegaconf.DictConfig"]),
    "resolve_name": (tf.saved({"state_dict": state(w=tf.tensor("0", (24,))), "e": tf.Reduce(tf.Global("pkgutil", "resolve_name"), ("os:system",))}, DATA),
                     "dangerous", ["pkgutil.resolve_name"]),
    "a global by the stack": (tf.saved({"state_dict": state(w=tf.tensor("0", (24,))), "e": tf.Raw(tf.opcodes("os") + tf.opcodes("system") + b"\x93")}, DATA),
                              "dangerous", ["os.system"]),
    "python 2's name of eval": (tf.saved({"state_dict": state(w=tf.tensor("0", (24,))), "e": tf.Global("__builtin__", "eval")}, DATA),
                                "dangerous", ["builtins.eval"]),
    "an instance": (tf.saved({"state_dict": state(w=tf.tensor("0", (24,))), "e": tf.Raw(b"(" + tf.opcodes("touch canary") + b"ios\nsystem\n")}, DATA),
                    "dangerous", ["os.system"]),
    "a bare pickle": (tf.pickled(EVIL), "dangerous", ["posix.system"]),
    "a pickle behind the pickle": (tf.saved(tf.pickled(state(w=tf.tensor("0", (24,)))) + tf.pickled(EVIL), DATA), "ambiguous", []),
    "an old file": (tf.legacy({"state_dict": state(a=tf.tensor("7", (24,))), "e": EVIL}, {"7": (24, W.tobytes())}), "dangerous", ["posix.system"]),
    "a magic number that is computed": (
        b"\x80\x02" + tf.opcodes(tf.Reduce(tf.Global("builtins", "eval"), ("0x1950a86a20f9469cfc6c",))) + b"." + tf.legacy({}, {}), "dangerous", ["builtins.eval"]),
    "another name in the local header": (
        tf.zipped([tf.Entry("a/data.pkl", tf.pickled({}), local_name="a/data.pkk")]), "ambiguous", []),
    "text": (b"hello, this is no model", "malformed", []),
}


@pytest.mark.parametrize("name", SCANS)
def test_scan(weightsmith, tmp_path, name):
    content, verdict, named = SCANS[name]
    (tmp_path / "f.bin").write_bytes(content)
    status = 0 if verdict == "safe" else 7
    told = json.loads(weightsmith("scan", "--json", "f.bin", status=status).stdout)[0]
    assert told["verdict"] == verdict
    assert [g["name"] for g in told["globals"] if g["safety"] != "safe"] == named
    assert weightsmith("scan", "f.bin", status=status).stdout.startswith(f"f.bin: {verdict}")
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("count", [0x80, 0x0280])  # a storage's size that looks like the start of a pickle
def test_scan_does_not_take_data_for_a_pickle(weightsmith, tmp_path, count):
    (tmp_path / "m.pt").write_bytes(tf.legacy(state(a=tf.tensor("0", (count,))), {"0": (count, bytes(4 * count))}))
    weightsmith("scan", "m.pt")


def test_scan_calls_safetensors_safe(weightsmith, tiny):
    assert weightsmith("scan", tiny("sd15"), tiny("flux1-dev")).stdout.count("safe (safetensors)") == 2


GOOD = state(w=tf.tensor("0", (24,)))
PKL = tf.pickled(GOOD)


def zip_of(*entries, **options):
    return tf.zipped([tf.Entry("a/data.pkl", PKL), tf.Entry("a/data/0", DATA["0"]), *entries], **options)


def bad_pickle(code):
    return tf.saved(b"\x80\x02" + code, DATA)


def bad_tensor(value):
    return tf.saved(state(w=value), DATA)


HOSTILE = {
    # zip
    "cut off": (zip_of()[:-30], "cut off"),
    "something behind it": (zip_of(after=b"x"), "no directory"),
    "something before it": (b"PK\3\4" + b"\0" * 60 + zip_of(), "directory"),
    "two files of one name": (zip_of(tf.Entry("a/data/0", DATA["0"])), "two files of the name"),
    "more counted than listed": (zip_of(count=9), "counts more|malformed"),
    "fewer counted than listed": (zip_of(count=1), "lists more"),
    "encrypted": (zip_of(tf.Entry("a/x", b"", flags=1)), "encrypted"),
    "compressed": (zip_of(tf.Entry("a/x", b"abc", method=8)), "compressed"),
    "two methods": (zip_of(tf.Entry("a/x", b"abc", local_method=8)), "two ways"),
    "two names": (zip_of(tf.Entry("a/x", b"abc", local_name="a/y")), "otherwise"),
    "two sizes": (zip_of(tf.Entry("a/x", b"abc", central_size=2)), "two sizes"),
    "overlap": (zip_of(tf.Entry("a/x", b"abc", header=0, local_name="a/x")), "otherwise|overlap"),
    "a header outside": (zip_of(tf.Entry("a/x", b"abc", header=10**6)), "outside"),
    "a name that climbs": (zip_of(tf.Entry("a/../x", b"")), "differently"),
    "a name from the root": (zip_of(tf.Entry("/x", b"")), "differently"),
    "another prefix": (zip_of(tf.Entry("b/x", b"")), "none that torch.save wrote"),
    "TorchScript": (zip_of(tf.Entry("a/constants.pkl", b"")), "TorchScript"),
    "big-endian": (zip_of(tf.Entry("a/byteorder", b"big")), "byte order"),
    "no pickle": (tf.zipped([tf.Entry("a/x", b"")]), "none that torch.save wrote"),
    "an empty archive": (b"PK\3\4" + b"\0" * 60 + tf.zipped([]), "zip archive"),
    "no storage": (tf.zipped([tf.Entry("a/data.pkl", PKL)]), "missing"),
    "a short storage": (tf.zipped([tf.Entry("a/data.pkl", PKL), tf.Entry("a/data/0", b"abcd")]), "expect 96"),
    "a long storage": (tf.zipped([tf.Entry("a/data.pkl", PKL), tf.Entry("a/data/0", b"x" * 97)]), "expect 96"),
    # pickle
    "an empty pickle": (tf.saved(b"", DATA), "cut off"),
    "no STOP": (bad_pickle(b"N"), "cut off"),
    "STOP on an empty stack": (bad_pickle(b"."), "stack"),
    "a tuple of nothing": (bad_pickle(b"\x85."), "stack"),
    "an end without a beginning": (bad_pickle(b"t."), "did not begin"),
    "recalls nothing": (bad_pickle(b"h\x05."), "did not remember"),
    "a long key": (bad_pickle(b"j\xff\xff\xff\xff."), "did not remember"),
    "items for a text": (bad_pickle(tf.opcodes("x") + b"(NNu."), "no container"),
    "items for a list": (bad_pickle(b"](NNu."), "no container"),
    "appended to a dict": (bad_pickle(b"}Na."), "no container"),
    "a key without a value": (bad_pickle(b"}(Nu."), "without a value"),
    "a text of 2 GB": (bad_pickle(b"X\xff\xff\xff\x7f."), "cut off"),
    "a text of 2^63": (bad_pickle(b"\x8d" + b"\xff" * 7 + b"\x7f."), "cut off"),
    "a long number of 2 GB": (bad_pickle(b"\x8b\xff\xff\xff\x7f."), "cut off"),
    "an endless line": (bad_pickle(b"c" + b"x" * 100_000), "endless line"),
    "an extension": (bad_pickle(b"\x82\x01."), "opcode 0x82"),
    "a persistent id in a line": (bad_pickle(b"Px\n."), "opcode 0x50"),
    "a buffer outside": (bad_pickle(b"\x97."), "opcode 0x97"),
    "protocol 6": (tf.saved(b"\x80\x06N.", DATA), "protocol"),
    "a global of numbers": (bad_pickle(b"K\x01K\x02\x93."), "no text"),
    "numbers doubled for ever": (bad_pickle(b"]" + b"2" * 3_000_000 + b"."), "deeper stack"),
    "memo that grows for ever": (bad_pickle(b"N" + b"".join(b"r" + struct.pack("<I", i) for i in range(2_100_000)) + b"."), "remembers more"),
    "values without end": (bad_pickle(b"N0" * 2_100_000 + b"."), "more values"),
    "no tensor": (tf.saved({"epoch": 1}, DATA), "no tensor"),
    "a list of tensors": (tf.saved([tf.tensor("0", (24,))], DATA), "no tensor"),
    "a whole module": (tf.saved(tf.Reduce(tf.Global("mine", "Model"), ()), DATA), "no tensor"),
    # tensors
    "beyond its storage": (bad_tensor(tf.tensor("0", (25,), numel=24)), "beyond its storage"),
    "an offset beyond": (bad_tensor(tf.tensor("0", (1,), offset=24, numel=24)), "beyond its storage"),
    "a stride beyond": (bad_tensor(tf.tensor("0", (2, 2), (2**62, 1), numel=24)), "beyond its storage"),
    "strides that overflow": (bad_tensor(tf.tensor("0", (3, 3), (2**63 - 1, 2**63 - 1), numel=24)), "beyond its storage"),
    "sizes that overflow": (bad_tensor(tf.tensor("0", (2**33, 2**33), (0, 0), numel=24)), "beyond all size"),
    "a negative size": (bad_tensor(tf.tensor("0", (-1,), (1,), numel=24)), "natural"),
    "a negative offset": (bad_tensor(tf.tensor("0", (1,), offset=-4, numel=24)), "natural"),
    "a negative stride": (bad_tensor(tf.tensor("0", (2,), (-1,), numel=24)), "natural"),
    "sizes without strides": (bad_tensor(tf.tensor("0", (2, 2), (1,), numel=24)), "one stride a dimension"),
    "an expansion bomb": (bad_tensor(tf.tensor("0", (2**20, 2**20), (0, 0), numel=24)), "repeats"),
    "a storage that wraps": (bad_tensor(tf.tensor("0", (24,), numel=0x4000000000000018)), "beyond all size|expect"),
    "a negative storage": (bad_tensor(tf.tensor("0", (24,), numel=-24)), "natural"),
    "a storage of no class": (bad_tensor(tf.tensor("0", (24,), kind="QuadStorage")), "class"),
    "one storage in two ways": (tf.saved(state(a=tf.tensor("0", (24,)), b=tf.tensor("0", (48,), kind="HalfStorage")), DATA), "otherwise"),
    "a key with a path": (bad_tensor(tf.tensor("../../../etc/passwd", (24,))), "missing"),
    "a sparse tensor": (tf.saved(state(w=tf.Reduce(tf.Global("torch._utils", "_rebuild_sparse_tensor"), (1, 2))), {}), "sparse"),
    "a tensor of code": (tf.saved(state(w=tf.Reduce(tf.Global("torch._utils", "_rebuild_tensor_v2"), (EVIL, 0, (1,), (1,)))), {}), "storage"),
    # before torch 1.6
    "an old file cut off": (tf.legacy(GOOD, {"0": (24, W.tobytes()[:-1])}), "cut off"),
    "an old file with another count": (tf.legacy(GOOD, {"0": (23, W.tobytes())}), "expect 24"),
    "an old file without its data": (tf.legacy(GOOD, {}), "missing"),
    "an old file with a storage of nobody": (tf.legacy(GOOD, {"0": (24, W.tobytes()), "9": (1, b"abcd")}), "how large"),
    "an old file of a big machine": (tf.legacy(GOOD, {"0": (24, W.tobytes())}, little=False), "byte order"),
}


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (768 << 20, 768 << 20))


@pytest.mark.parametrize("name", support.sampled(HOSTILE, 3))
def test_hostile_files_are_refused(weightsmith, tmp_path, name):
    content, word = HOSTILE[name]
    (tmp_path / "f.ckpt").write_bytes(content)
    sanitized = os.path.basename(os.environ.get("WEIGHTSMITH_BUILD", "release")) not in ("release", "debug")
    process = weightsmith.start("info", "f.ckpt", preexec_fn=None if sanitized else limit_memory)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 4, said
    assert any(part in said for part in word.split("|")), said
    assert "f.ckpt" in said
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("content", [tf.saved(GOOD, DATA), tf.legacy(GOOD, {"0": (24, W.tobytes())})], ids=["zip", "legacy"])
def test_a_file_cut_off_anywhere_is_refused(weightsmith, tmp_path, content):
    paths = []
    for end in [*range(4, 60, 7), *range(60, len(content), max(1, len(content) // 40))]:
        paths.append(tmp_path / f"{end}.ckpt")
        paths[-1].write_bytes(content[:end])
    for path in paths:
        assert weightsmith("info", path, status=4).stderr


def test_a_container_that_holds_itself_is_no_endless_walk(weightsmith, read):
    itself = tf.Raw(b"}q\x01(" + tf.opcodes("state_dict") + b"h\x01u")
    (weightsmith.folder / "f.ckpt").write_bytes(tf.saved(itself, DATA))
    assert "no tensor" in weightsmith("info", "f.ckpt", status=4).stderr


def test_deep_nesting_is_only_data(read):
    deep = tf.Raw(b"(" * 200_000 + b"t" * 200_000)
    assert list(read(tf.saved({"deep": deep, "state_dict": GOOD}, DATA))) == ["w"]


def test_opening_takes_the_time_of_the_directory(weightsmith, tmp_path):
    """4 GB that take no disk: opening must not read them."""
    numel = 1 << 30
    value = tf.pickled(state(w=tf.tensor("0", (numel,))))
    name, data = b"a/data/0", 4 * numel
    head = tf.zipped([tf.Entry("a/data.pkl", value)])
    first = head[:head.index(b"PK\1\2")]
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 0, 0x808, 0, 0, 0, 0, 0, 0, len(name), 0) + name
    at = len(first)
    descriptor = struct.pack("<IIQQ", 0x08074B50, 0, data, data)
    start = at + len(local) + data + len(descriptor)
    wide = struct.pack("<HHQQ", 1, 16, data, data)
    central = head[head.index(b"PK\1\2"):head.index(b"PK\5\6")]
    central += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0, 0, 0x808, 0, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF,
                           len(name), len(wide), 0, 0, 0, 0, at) + name + wide
    end64 = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 0, 0, 0, 0, 2, 2, len(central), start)
    locator = struct.pack("<IIQI", 0x07064B50, 0, start + len(central), 1)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 2, 2, len(central), 0xFFFFFFFF, 0)
    path = tmp_path / "big.ckpt"
    with open(path, "wb") as file:
        file.write(first + local)
        file.truncate(start)
        file.seek(start - len(descriptor))
        file.write(descriptor + central + end64 + locator + end)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_inblock
    told = json.loads(weightsmith("info", "--json", path).stdout)
    assert told["format"] == "torch-zip" and told["parameters"] == numel
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_inblock - before < 100_000
