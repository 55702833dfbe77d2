"""Malformed and legal headers, made systematically: our verdict is the reference's.

Where the reference accepts, we accept and see the same tensors, with two exceptions: a header that
says something twice, and two spellings that the reference happens to take and nobody writes.
"""

import itertools
import json
import random
import struct

import pytest
from safetensors import SafetensorError, deserialize

from support import probe

DTYPES = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8,
    "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip
BIG = 2**64 - 1
# A header with everything in it, for 12 bytes of data.
RICH = (
    '{"__metadata__":{"format":"pt"},'
    '"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},'
    '"b\\u00e9":{"data_offsets":[8,12],"shape":[4],"x":[1,{"y":-2.5}],"dtype":"U8"}}'
)


def file_of(header, data=0):
    """A file of this header (text or bytes) and so many bytes, or these bytes, of data."""
    header = header.encode() if isinstance(header, str) else header
    data = bytes(data) if isinstance(data, int) else data
    return struct.pack("<Q", len(header)) + header + data


def tensor(dtype="U8", shape=(1,), offsets=(0, 1)):
    return json.dumps({"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)})


def lengths():
    """The first eight bytes, and files cut anywhere."""
    whole = file_of(RICH, 12)
    for size in range(len(whole) + 1):
        yield whole[:size]
    for extra in (1, 8, 4096):
        yield whole + bytes(extra)
    size = len(whole)
    for n in (0, 1, 2, size - 9, size - 8, size - 7, 10**8, 10**8 + 1, 2**32, 2**63, 2**64 - 8, BIG):
        yield struct.pack("<Q", n) + whole[8:]
        yield struct.pack("<Q", n)
    yield file_of("{}")
    yield file_of("")
    yield file_of(b"\0\0\0\0\0\0")


def edits():
    """Every character of a header left out, doubled, and replaced by those that matter."""
    for i, c in enumerate(RICH):
        yield file_of(RICH[:i] + RICH[i + 1 :], 12)
        yield file_of(RICH[:i] + c + RICH[i:], 12)
        for other in '{}[],:" \n\t\0\\-+.0195eEanu/':
            if other != c:
                yield file_of(RICH[:i] + other + RICH[i + 1 :], 12)
    for i in range(len(RICH) + 1):
        for other in (" \r\n\t", "\x0b", "\ufeff", "\u00a0"):
            yield file_of(RICH[:i] + other + RICH[i:], 12)
        yield file_of(RICH[:i].encode() + b"\xff" + RICH[i:].encode(), 12)


VALUES = [
    "0", "-0", "1", "-1", "+1", "01", "1.0", "1e0", "1E+2", "1.", ".5", "1e", "0x1", "1_0", "2", "4", "8",
    "18446744073709551615", "18446744073709551616", "340282366920938463463374607431768211456",
    "9" * 400, "1e308", "1e309", "-1e999", "1e-999", "10e9223372036854775807", "0.1e-9223372036854775808", "0e99999999999999999999", "0.0e5000", "1e-99999999999999999999",
    "0." + "0" * 400 + "1e10", "1" + "0" * 400 + "e-300", "0.00001e310", "NaN", "Infinity", "-Infinity", "nan", "true",
    "false", "null", "True", "nul", "nulll", '""', '"F32"', '"U8"', '"u8"', '"\\u0055\\u0038"', '"F9"', '"1"', "'U8'",
    "[]", "[1]", "[0,1]", "[0,1,2]", "[1,]", "[,1]", "[1 2]", "[[1]]", "[1.0]", "[-1]", "[null]", '["1"]',
    "{}", '{"a":1}', '{"U8":null}', '{"U8":1}', '{"a":1,}', '{"a"}', "{a:1}", '["U8",[1],[0,1]]', '{"a":1,"a":2}',
    "/*x*/1", "1//x", '"\\x"', '"\\u12"', '"\\ud800"', '"\\udc00"', '"\\ud83c\\udfa8"', '"\\ud83c\\u0041"', '"a\tb"',
    '"a\nb"', '"\\t"', '"\x7f"', '"\\u0000"', "[" * 124 + "]" * 124, "[" * 125 + "]" * 125, "[" * 126 + "]" * 126,
    "[" * 200 + "]" * 200, '{"a":' * 125 + "1" + "}" * 125, '{"a":' * 126 + "1" + "}" * 126, "[" * 100_000,
]  # fmt: skip
PLACES = [
    "%s",
    '{"a":%s}',
    '{"__metadata__":%s}',
    '{"__metadata__":{"k":%s}}',
    '{"__metadata__":{%s:"v"}}',
    '{%s:{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    '{"a":{"dtype":%s,"shape":[1],"data_offsets":[0,1]}}',
    '{"a":{"dtype":"U8","shape":%s,"data_offsets":[0,1]}}',
    '{"a":{"dtype":"U8","shape":[%s],"data_offsets":[0,1]}}',
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":%s}}',
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[%s,1]}}',
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,%s]}}',
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":%s}}',
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":[0,%s]}}',
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],%s:0}}',
]


def values():
    """Any value in any place."""
    for place, value in itertools.product(PLACES, VALUES):
        yield file_of(place % value, 1)


def fields():
    """Every set and order of fields, once and twice."""
    items = {"dtype": '"U8"', "shape": "[1]", "data_offsets": "[0,1]", "x": "1"}
    for count in range(6):
        for names in itertools.product(items, repeat=count):
            yield file_of('{"a":{' + ",".join(f'"{name}":{items[name]}' for name in names) + "}}", 1)


def duplicates():
    one = '"a":' + tensor()
    for header in (
        one + "," + one,
        one + ',"\\u0061":' + tensor(),
        one + ',"a":' + tensor(offsets=(1, 2)),
        '"a":' + tensor(offsets=(1, 2)) + "," + one,
        '"__metadata__":{},"__metadata__":{}',
        '"__metadata__":null,"__metadata__":null',
        '"__metadata__":{},' + one + ',"__met\\u0061data__":{"a":"b"}',
        '"__metadata__":{"k":"v","k":"v"}',
        '"__metadata__":{"k":"v","\\u006b":"w"}',
        '"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1,"x":2}',
    ):
        yield file_of("{" + header + "}", 1)


def tilings():
    """Two and three tensors of bytes everywhere in a file of 3 bytes."""
    spans = [(begin, end) for begin in range(5) for end in range(5)]
    for pair in itertools.product(spans, repeat=2):
        entries = [f'"{name}":' + tensor(shape=[abs(e - b)], offsets=(b, e)) for name, (b, e) in zip("ab", pair)]
        yield file_of("{" + ",".join(entries) + "}", 3)
    spans = [(begin, end) for begin in range(4) for end in range(begin, 4)]
    for triple in itertools.product(spans, repeat=3):
        entries = [f'"{name}":' + tensor(shape=[e - b], offsets=(b, e)) for name, (b, e) in zip("bca", triple)]
        yield file_of("{" + ",".join(entries) + "}", 3)


def sizes():
    """Every dtype in every shape, with as many bytes as it needs, and one less and more."""
    shapes = [(), (0,), (1,), (2,), (3,), (4,), (3, 0), (2, 2), (1, 4, 3), (0, BIG), (BIG, 0), (BIG, BIG, 0),
              (0, BIG, BIG), (BIG,), (2**63, 2), (2**32, 2**32), (2**61,), (2**62, 4), (1,) * 70]  # fmt: skip
    for (dtype, bits), shape in itertools.product({**DTYPES, "F16_X": 16, "f32": 32, "": 8}.items(), shapes):
        count = 1
        for dimension in shape:
            count *= dimension
        need = count * bits // 8
        for size in {need, need + 1, max(need - 1, 0), need % 2**64}:
            if size <= BIG:
                yield file_of('{"a":' + tensor(dtype, shape, (0, size)) + "}", min(size, 1000))


def bytes_in_strings():
    """Sequences that are UTF-8, and those that only look like it, in a name and after the object."""
    leads = [0x00, 0x1F, 0x7F, 0x80, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1,
             0xF3, 0xF4, 0xF5, 0xF8, 0xFF]  # fmt: skip
    seconds = [0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0]
    for lead, second in itertools.product(leads, seconds):
        for tail in (b"", b"\x80", b"\x80\x80", b"\xbf\xbf\xbf"):
            sequence = bytes([lead, second]) + tail
            yield file_of(b'{"' + sequence + b'":' + tensor().encode() + b"}", 1)
            yield file_of(b"{}" + sequence)


def accidents():
    """Random damage, the same in every run."""
    generator = random.Random(20240815)
    pieces = [*'{}[],:"', " ", "0", "1", "8", "null", '"a"', '"dtype"', '"shape"', '"data_offsets"', '"__metadata__"',
              '"U8"', '"F32"', "[0,1]", tensor(), '"x":' + tensor()]  # fmt: skip
    for _ in range(3000):
        text = RICH
        for _ in range(generator.randint(1, 3)):
            at, end = sorted(generator.choices(range(len(text) + 1), k=2))
            end = min(end, at + generator.choice([0, 1, 10]))
            text = text[:at] + generator.choice(pieces) + text[end:]
        yield file_of(text, generator.choice([12, 12, 0, 1, 8]))


FAMILIES = [lengths, edits, values, fields, duplicates, tilings, sizes, bytes_in_strings, accidents]


def is_stricter(content):
    """Whether a file that the reference accepts is one of those that we refuse on purpose."""
    (size,) = struct.unpack("<Q", content[:8])

    def pairs(items):
        keys = [key for key, _ in items]
        return {"twice": len(keys) != len(set(keys)), "items": dict(items)}

    top = json.loads(content[8 : 8 + size], object_pairs_hook=pairs)
    if top["twice"]:
        return True
    for name, value in top["items"].items():
        if isinstance(value, list):
            return True  # ["F32",[2],[0,8]]
        if name == "__metadata__":
            if value is not None and value["twice"]:
                return True
        elif isinstance(value["items"]["dtype"], dict):
            return True  # {"F32":null}
    return False


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_verdict_is_the_references(family, tmp_path):
    contents = sorted(set(family()), key=lambda content: (len(content), content))
    paths = []
    for i, content in enumerate(contents):
        paths.append(tmp_path / f"{i}.safetensors")
        paths[-1].write_bytes(content)
    accepted = 0
    for content, ours in zip(contents, probe(paths), strict=True):
        try:
            theirs = dict(deserialize(content))
        except SafetensorError as error:
            assert not ours["ok"], f"the reference says {error}: {content[:300]}"
            assert ours["code"] == 4
            continue
        if is_stricter(content):
            assert not ours["ok"], content[:300]
            continue
        assert ours["ok"], f"{ours['message']}: {content[:300]}"
        accepted += 1
        assert set(ours["tensors"]) == set(theirs)
        for name, table in ours["tensors"].items():
            assert table["dtype"] == theirs[name]["dtype"]
            assert table["bytes"] == len(theirs[name]["data"])
            if table["dtype"] != "F4":  # whose last dimension the package halves
                assert table["shape"] == theirs[name]["shape"]
    assert 0 < accepted < len(contents)


def test_messages_name_the_file_and_say_something(tmp_path):
    path = tmp_path / "broken.safetensors"
    for content in itertools.islice(values(), 0, None, 7):
        path.write_bytes(content)
        (ours,) = probe([path])
        if not ours["ok"]:
            assert str(path) in ours["message"]
            assert 20 < len(ours["message"]) < 1000
            assert ours["message"].isprintable()


@pytest.mark.parametrize(
    "header, message",
    [
        # The three attack files of the reference's repository, made smaller.
        pytest.param(None, "the header's length at byte 0 is 1000, but only", id="length"),
        pytest.param("shared", "overlap another tensor's", id="shared bytes"),
        pytest.param("amplified", "overlap another tensor's", id="amplified"),
    ],
)
def test_known_attacks(tmp_path, header, message):
    if header is None:
        content = struct.pack("<Q", 1000) + b"{}"
    else:
        count, shape, end = (100_000, [2, 2], 16) if header == "shared" else (100_000, [200, 200], 160_000)
        text = ",".join(f'"weight_{i}":' + tensor("F32", shape, (0, end)) for i in range(count))
        content = file_of("{" + text + "}", end)
    path = tmp_path / "attack.safetensors"
    path.write_bytes(content)
    (ours,) = probe([path])
    assert not ours["ok"]
    assert message in ours["message"]


def test_hash_floods_and_deep_nesting_take_no_time(tmp_path):
    path = tmp_path / "flood.safetensors"
    text = ",".join(f'"{i:>040}":"{i}"' for i in range(200_000))
    path.write_bytes(file_of('{"__metadata__":{' + text + "}}"))
    (ours,) = probe([path])
    assert len(ours["metadata"]) == 200_000
    for deep in ("[", '{"a":'):
        path.write_bytes(file_of('{"a":{"x":' + deep * 10_000_000))
        (ours,) = probe([path])
        assert "nested" in ours["message"]


def test_the_probe_survives_a_sparse_giant(tmp_path):
    path = tmp_path / "giant.safetensors"
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", 99_999_999) + b"{}")
        file.truncate(2**42)
    (ours,) = probe([path])
    assert "expected the end, found" in ours["message"]
