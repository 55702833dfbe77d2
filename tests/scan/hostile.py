"""Files that some loader runs code of, or might: each is a few mutations of what torch writes, chosen by a seed."""

import json
import random
import struct
import zlib

import payloads as p
from archive import Member, build, torch_archive

FLOATS = struct.pack("<4f", 1, 2, 3, 4)


def zip_files(evil, good, rng):
    """One mutation of an archive: a function that gives its bytes."""
    clean = lambda **k: torch_archive(good, {"0": FLOATS}, **k)  # noqa: E731
    dirty = lambda **k: torch_archive(evil, {"0": FLOATS}, **k)  # noqa: E731
    main = b"archive/data.pkl"

    def other(name, before=None, data=evil):
        a = clean()
        member = Member(name, data)
        a.members.insert(rng.choice([0, 1, len(a.members)]) if before is None else before, member)
        return a

    def plain():
        return dirty(modern=rng.random() < .5, byteorder=rng.random() < .5)

    def twice():
        a = other(main)
        a.members[0], a.members[1] = rng.choice([(a.members[0], a.members[1]), (a.members[1], a.members[0])])
        return a

    def case():
        a = other(rng.choice([b"archive/DATA.PKL", b"archive/Data.pkl", b"ARCHIVE/data.pkl", b"archive/data.PKL"]))
        if rng.random() < .3:
            a.members = [m for m in a.members if m.name != main]
        return a

    def folders():
        return other(rng.choice([b"b/data.pkl", b"archive2/data.pkl", b"data.pkl", b"archive/archive/data.pkl", b"/data.pkl",
                                 b"archive/../archive/data.pkl", b"archive//data.pkl", b"archive\\data.pkl",
                                 b"archive/data.pkl\0.txt", b"archive/./data.pkl", b"archive/data.pkl/"]))

    def members():
        return other(rng.choice([b"archive/constants.pkl", b"archive/evil.pkl", b"archive/code/__torch__.py", b"archive/data/evil.pkl",
                                 b"archive/model.json", b"archive/attributes.pkl", b"archive/data/1", b"archive/extra/x",
                                 b"archive/.data/ts_code/0", b"archive/data.pkl.bak", b"archive/version2"]))

    def ends():
        a, b = clean(), dirty()
        first = build(b)
        style = rng.randrange(5)
        if style == 0:  # a comment that holds another end record
            a.comment = first[-22:]
        elif style == 1:  # one archive behind the other, offsets as each had them
            return first + build(a) if rng.random() < .5 else build(a) + first
        elif style == 2:  # the second's offsets are true
            a.before = first
        elif style == 3:
            a.comment = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, 46, 0, 0)
        else:
            a.after = first[-22:]
        return a

    def bytes_around():
        a = dirty()
        junk = rng.choice([b"\0" * 30, b"x", b"PK\3\4" + bytes(26), bytes(512), good, b"GGUF", b"\x80\x02}."])
        setattr(a, rng.choice(["before", "unmoved", "gap", "after", "comment"]), junk)
        if rng.random() < .3:
            a.members[2].before = junk
        return a

    def two_headers():
        a = rng.choice([clean, dirty])()
        m = rng.choice(a.members)
        key = rng.choice(["name", "method", "csize", "usize", "flags", "crc", "sig", "version", "nlen", "elen"])
        m.local[key] = rng.choice([m.name + b"x", b"archive/other"]) if key == "name" else rng.choice([0, 1, 8, 20, 64, 99, 0x0801, 0xFFFF])
        return a

    def directory():
        a = rng.choice([clean, dirty])()
        a.members.insert(1, Member(b"archive/data/9", build_member(evil)))
        m = a.members[0]
        key = rng.choice(["flags", "method", "csize", "usize", "offset", "disk", "external", "version", "crc", "name", "made"])
        value = {"flags": [1, 0x20, 0x40, 0x2000, 0x809, 0x800, 0], "method": [8, 1, 99], "csize": [0, 1, 10, 2**32 - 1],
                 "usize": [0, 1, 10, 2**31], "offset": [0, 64, 100, 400, 2**32 - 1], "disk": [1, 0xFFFF], "external": [0x10, 0x40000010],
                 "version": [46, 63, 64, 99], "crc": [0, 1], "name": [b"archive/x.pkl", b"archive/data.pk\0"], "made": [0x314]}[key]
        m.central[key] = rng.choice(value)
        return a

    def build_member(data):  # a local header and its data, inside of another file
        return struct.pack("<IHHHHHIIIHH", 0x04034B50, 0, 0, 0, 0, 0, zlib.crc32(data), len(data), len(data), len(main), 0) + main + data

    def moved():
        """The directory leads to a local header that lies in the data of another file."""
        a = clean()
        inner = build_member(evil)
        a.members.insert(1, Member(b"archive/data/9", inner))
        data = build(a)
        a.members[0].central.update(offset=data.index(inner), csize=len(evil), usize=len(evil), crc=zlib.crc32(evil))
        if rng.random() < .5:
            a.members[0].flags = 0
        return a

    def unlisted():
        a = other(rng.choice([main, b"archive/x"]), before=rng.choice([0, 1]))
        for m in a.members:
            m.listed = not (m.data is evil)
        return a

    def narrow():
        a = rng.choice([clean, dirty])()
        part, key, value = rng.choice([
            ("end", "count", 1), ("end", "count2", 1), ("end", "length", 46), ("end", "offset", 0), ("end", "offset", 2**32 - 1),
            ("end", "count", 0xFFFF), ("end", "count2", 0xFFFF), ("end64", "count", 1), ("end64", "count2", 1), ("end64", "offset", 0),
            ("end64", "length", 46), ("end64", "size", 60), ("end64", "sig", 0), ("locator", "offset", 0), ("locator", "disks", 2),
            ("locator", "sig", 0), ("locator", "disk", 1), ("end", "disk", 1), ("end", "comment", 5), ("end64", "disk", 1)])
        getattr(a, part)[key] = value
        return a

    def two_directories():
        """The 32-bit end record leads to one directory, the 64-bit one to another."""
        a = clean()
        a.members.insert(1, Member(main, evil, listed=False))
        first = build(a)
        a.order = [1, *range(2, len(a.members))]
        second = build(a)
        records = second[second.index(b"PK\1\2"):second.index(b"PK\6\6")]
        a.order = None
        a.gap = records
        start = first.index(b"PK\1\2")
        target = rng.choice(["end", "end64"])
        getattr(a, target).update(offset=start, length=len(records))
        return a

    def deflated():
        a = dirty()
        m = a.members[0]
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        m.stored = squeeze.compress(m.data) + squeeze.flush()
        m.local["method"] = m.central["method"] = 8
        return a

    def extras():
        a = dirty()
        m = a.members[0]
        path = rng.choice([main, b"archive/y"])
        unicode_path = struct.pack("<HHBI", 0x7075, 5 + len(path), 1, zlib.crc32(m.name)) + path
        wide = struct.pack("<HHQQQ", 1, 24, 5, 5, 0)
        m.central_extra = rng.choice([unicode_path, wide, b"\1\0\xff\xff", b"abc", wide + wide])
        if rng.random() < .4:
            m.central.update(usize=2**32 - 1)
        if rng.random() < .2:
            m.local_extra = wide
        return a

    def marks():
        a = dirty()
        for m in a.members:
            if m.name.endswith((b"byteorder", b"format_version", b"alignment", b"version", b"serialization_id")) and rng.random() < .5:
                m.data = rng.choice([b"big", b"", b"x" * 2000, evil, b"0", b"1e9", b"-1", b"128"])
        return a

    def behind():
        tail = rng.choice([evil, b"\0", b".", b"\x80\x02N."])
        return torch_archive(good + tail if rng.random() < .6 else evil + tail, {"0": FLOATS})

    def renamed():
        return dirty(prefix=rng.choice([b"", b"a", b"model.v1", "模".encode(), b"\xff\xfe", b"a/b"]))

    def descriptors():
        a = dirty()
        m = a.members[0]
        m.descriptor = rng.choice([b"", struct.pack("<IIQQ", 0x08074B50, zlib.crc32(m.data), len(m.data), len(m.data)),
                                   struct.pack("<III", zlib.crc32(m.data), len(m.data), len(m.data)), b"PK\7\10" + bytes(12)])
        return a

    chosen = rng.choice([plain, twice, case, folders, members, ends, bytes_around, two_headers, directory, moved, unlisted, narrow,
                         two_directories, deflated, extras, marks, behind, renamed, descriptors])
    made = chosen()
    return chosen.__name__, made if isinstance(made, bytes) else build(made)


def legacy_pickles(rng, evil=None, where=3):
    """The five pickles of the format before torch 1.6, one of which is harmful."""
    proto = lambda: rng.choice([b"", b"\x80\x02", b"\x80\x02", b"\x80\x03", b"\x80\x04"])  # noqa: E731
    bad = lambda: (p.call(rng) + b"0")  # noqa: E731
    pickles = [
        p.opcodes_of_magic(),
        b"\x80\x02M\xe9\x03.",
        b"\x80\x02}(X\x10\x00\x00\x00protocol_versionM\xe9\x03X\x0d\x00\x00\x00little_endian\x88u.",
        p.harmless(rng, legacy=True),
        b"\x80\x02](X\x01\x00\x00\x000e.",
    ]
    if evil is None:
        return pickles
    bodies = [p.integer(p.MAGIC, rng), p.integer(1001, rng), b"}", None, b"](X\x01\x00\x00\x000e"]
    if where == 3:
        pickles[3] = evil
    else:
        pickles[where] = proto() + p.framed(bad() + bodies[where] + b".", rng)
    return pickles


def legacy_files(evil, good, rng):
    data = struct.pack("<q", 4) + FLOATS
    style = rng.randrange(8)
    if style < 4:
        where = rng.randrange(5)
        return f"legacy pickle {where + 1}", b"".join(legacy_pickles(rng, p.harmful(rng, legacy=True), where)) + data
    if style == 4:  # six
        extra = p.harmful(rng, legacy=True)
        pickles = legacy_pickles(rng)
        pickles.insert(rng.randrange(6), extra)
        return "legacy with six pickles", b"".join(pickles) + data
    if style == 5:
        return "legacy and more", b"".join(legacy_pickles(rng)) + data + rng.choice([evil, b"\0", b"".join(legacy_pickles(rng, p.harmful(rng, legacy=True))) + data])
    if style == 6:  # ids that torch handles by other code
        pid = rng.choice([b"(X\x06\x00\x00\x00modulecmarker_probe\nMarked\nX\x01\x00\x00\x00fX\x01\x00\x00\x00stQ", b"K\x01Q", b"P5\n",
                          b"(X\x06\x00\x00\x00module" + p.call(rng) + b"NNtQ"])
        return "legacy ids", b"".join(legacy_pickles(rng, b"\x80\x02}X\x01\x00\x00\x00w" + pid + b"s.")) + data
    pickles = legacy_pickles(rng, p.harmful(rng, legacy=True))
    pickles[rng.randrange(5)] += rng.choice([b"", b"N.", b"\x80\x02N.", b"0"])
    return "legacy with a tail", b"".join(pickles) + data


def tar_header(name, size, kind=b"0"):
    head = bytearray(512)
    head[0:len(name)] = name
    head[100:108], head[108:116], head[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    head[124:136], head[136:148], head[148:156], head[156:157] = b"%011o\0" % size, b"00000000000\0", b" " * 8, kind
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def tar_members(evil):
    out = b""
    for name, data in ((b"storages", b"\x80\x02K\x00.\x80\x02]."), (b"tensors", b"\x80\x02K\x00."), (b"pickle", evil)):
        out += tar_header(name, len(data)) + data + bytes(-len(data) % 512)
    return out + bytes(1024)


def checksummed(block, rng):
    """A block of 512 bytes as a tar header: the other fields must be numbers already."""
    block = bytearray(block)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block) if rng.random() < .5 else b"%07o " % sum(block)
    return bytes(block)


def tar_files(evil, good, rng):
    style = rng.randrange(3)
    if style == 0:
        return "tar", tar_members(evil)
    if style == 1:  # the first header's name is the start of an old file of torch, its size skips the rest
        pickles = legacy_pickles(rng)
        whole = b"".join(pickles[:3]) + pickles[3] + pickles[4] + struct.pack("<q", 4) + FLOATS
        # A text in the object reaches over the fields of the header.
        text = bytearray(b"0" * 600)
        obj = b"\x80\x02}(X\x01\x00\x00\x00t" + b"X" + struct.pack("<I", len(text)) + bytes(text) + b"X\x01\x00\x00\x00w" + p.tensor(legacy=True) + b"u."
        head = b"".join(pickles[:3])
        shift = len(head) + len(obj) - len(text)
        whole = head + obj + pickles[4] + struct.pack("<q", 4) + FLOATS
        size = len(whole) + (-len(whole) % 512) - 512
        block = bytearray(whole[:512])
        if shift < 100 + 512:
            for start, end in ((100, 108), (108, 116), (116, 124), (136, 148)):
                block[start:end] = b"0" * (end - start)
            block[124:136] = b"%012o" % size
            block = bytearray(checksummed(bytes(block), rng).replace(b"\0 ", b"  "))
        return "legacy and tar", bytes(block) + whole[512:] + bytes(-len(whole) % 512) + tar_members(evil)
    text = b'{"__metadata__":{"p":"' + b"0" * 700 + b'"},"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}'
    members = tar_members(evil)
    start = 8 + len(text) + 20
    start += -start % 512
    text = text % (len(members), len(members))
    text += b" " * (start - 8 - len(text))
    whole = struct.pack("<Q", len(text)) + text
    block = bytearray(whole[:512])
    block[124:136] = b"%012o" % (len(whole) - 512)
    block[148:156] = b" " * 8
    block[148:156] = b"%08o" % sum(block)
    return "safetensors and tar", bytes(block) + whole[512:] + members


def polyglots(evil, good, rng):
    style = rng.randrange(4)
    if style == 0:  # BINFLOAT takes what follows the G of a GGUF file
        return "GGUF and pickle", b"GGUF\3\0\0\0\0" + p.call(rng) + b"." + bytes(64)
    if style == 1:  # the header's length is BINUNICODE, whose text ends in a string before SHORT_BINBYTES, which ends in the data
        body = bytes(256) if rng.random() < .1 else b"N" * 256 + p.call(rng) + b"."
        if rng.random() < .3:
            body = b"N" * 200 + b"V" + b"x" * 70000 + b"\n" + p.call(rng) + b"."
        size = 0x58 | rng.choice([30, 40, 100, 1000]) << 8
        fixed = b'{"__metadata__":{"a":"'
        tail = b'"},"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (len(body), len(body))
        # Wherever the text ends, NONE follows NONE until SHORT_BINBYTES leaps over the tail.
        text = fixed + b"N" * (size - len(fixed) - len(tail) - 2) + b"C\x7f" + tail
        return "safetensors and pickle", struct.pack("<Q", len(text)) + text + body
    if style == 2:
        return "pickle", evil
    return "pickle in text", b"(" + p.call(rng) + b"l."


FAMILIES = [zip_files] * 11 + [legacy_files] * 6 + [tar_files, polyglots, polyglots]


def flipped(data, rng):
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 3])):
        style = rng.randrange(4)
        at = rng.randrange(len(out))
        if style == 0:
            out[at] = rng.randrange(256)
        elif style == 1:
            out[at] ^= 1 << rng.randrange(8)
        elif style == 2:
            del out[at:at + rng.randrange(1, 5)]
        else:
            out[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 5)))
    return bytes(out) or b"."


SUFFIXES = [".pt", ".pt", ".ckpt", ".bin", ".pth", ".safetensors", ".pkl"]


def hostile(seed):
    """(what it is, its suffix, its bytes)"""
    rng = random.Random(seed)
    legacy = False
    evil, good = p.harmful(rng, legacy, odd=rng.random() < .03), p.harmless(rng, legacy)
    name, data = rng.choice(FAMILIES)(evil, good, rng)
    if rng.random() < .2:
        name, data = name + ", flipped", flipped(data, rng)
    elif rng.random() < .03:
        name, data = name + ", cut off", data[:rng.randrange(1, len(data))]
    return name, rng.choice(SUFFIXES), data


def zip_in_a_safetensors_header():
    """67 MB: a header whose length is the signature of a zip archive, which lies in the data."""
    length = 0x04034B50
    evil = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00mark\x85R."
    a = torch_archive(evil, {})
    a.before = bytes(8 + length)
    data = build(a)[8 + length:]
    header = json.dumps({"w": {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}).encode()
    return struct.pack("<Q", length) + header + b" " * (length - len(header)) + data
