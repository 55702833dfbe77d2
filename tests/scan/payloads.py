"""Opcodes that reach code, written in all the ways that pickle has, and put into the pickles of a checkpoint.

What is reached leaves a mark in the process that loads it (see loaders.py) and does nothing else.
"""

import struct

MAGIC = 0x1950A86A20F9469CFC6C

# module, name, arguments: opcodes of a tuple
TARGETS = [
    ("os", "system", "mark"), ("posix", "system", "mark"), ("subprocess", "call", "mark"), ("subprocess", "Popen", "mark"),
    ("builtins", "eval", "__import__('marker_probe').mark()"), ("builtins", "exec", "__import__('marker_probe').mark()"),
    ("marker_probe", "mark", "mark"), ("runpy", "_run_code", None), ("code", "interact", "mark"),
    ("webbrowser", "open", "mark"), ("shutil", "rmtree", "mark"), ("pip", "main", "mark"), ("marker_probe.sub", "mark", "mark"),
    ("torch.hub", "load", "mark"), ("torch.serialization", "load", "mark"), ("numpy.testing._private.utils", "runstring", None),
    ("__builtin__", "eval", "__import__('marker_probe').mark()"), ("commands", "getoutput", "mark"),
    ("timeit", "timeit", "__import__('marker_probe').mark()"),
    ("torch.storage", "_load_from_bytes", "nested"), ("pickle", "loads", "nested"), ("_pickle", "loads", "nested"),
    ("pkgutil", "resolve_name", "resolve"), ("torch", "serialization.os.system", "mark"), ("collections", "abc.sys.exit", "mark"),
]


def line(data):
    return data + b"\n"


def u8(text):
    return b"\x8c" + bytes([len(text)]) + text


def text(value, rng):
    """A str, by one of the opcodes that make one."""
    data = value.encode()
    style = rng.randrange(9)
    if style == 0:
        return b"X" + struct.pack("<I", len(data)) + data
    if style == 1 and len(data) < 256:
        return u8(data)
    if style == 2:
        return b"\x8d" + struct.pack("<Q", len(data)) + data
    if style == 3:
        return b"V" + line(data)
    if style == 4:
        return b"V" + line(b"".join(b"\\u%04x" % c for c in data))
    if style == 5 and b"'" not in data and b"\n" not in data:
        return b"S'" + data + b"'\n"
    if style == 6:
        return b"S'" + b"".join(rng.choice([b"\\x%02x" % c, b"\\%03o" % c]) for c in data) + b"'\n"
    if style == 7 and len(data) < 256:
        return b"U" + bytes([len(data)]) + data
    if style == 8:
        return b"T" + struct.pack("<i", len(data)) + data
    return b"X" + struct.pack("<I", len(data)) + data


def memoised(value, rng):
    """A str that is put away, dropped and fetched again."""
    key = rng.choice([7, 200, 70000])
    put, get = rng.choice([
        (b"p%d\n" % key, b"g%d\n" % key), (b"r" + struct.pack("<I", key), b"j" + struct.pack("<I", key)),
        (b"q" + bytes([key % 256]), b"h" + bytes([key % 256])),
        (b"p%d\n" % key, b"j" + struct.pack("<I", key))])
    return text(value, rng) + put + b"0" + get


def name_of(module, name, rng):
    """Opcodes that leave a global on the stack."""
    style = rng.randrange(5)
    if style == 0 and "." not in name:
        return b"c" + line(module.encode()) + line(name.encode())
    make = memoised if style == 1 else text
    proto = rng.choice([b"", b"\x80\x04", b"\x80\x05"]) if "." not in name else b"\x80\x04"
    if style == 2:  # both are pushed, doubled and dropped in between
        return proto + text(module, rng) + b"20" + text(name, rng) + b"N0" + b"\x93"
    return proto + make(module, rng) + make(name, rng) + b"\x93"


def nested(rng):
    inner = b"\x80\x02cmarker_probe\nmark\n)R."
    return b"C" + bytes([len(inner)]) + inner


def call(rng):
    """Opcodes that call something harmful and leave one value on the stack."""
    module, name, argument = rng.choice(TARGETS)
    if argument is None:
        code = text("import marker_probe; marker_probe.mark()", rng)
        return name_of(module, name, rng) + b"(" + code + b"}t" + b"R"
    if argument == "nested":
        return name_of(module, name, rng) + b"(" + nested(rng) + b"t" + b"R"
    if argument == "resolve":
        return name_of(module, name, rng) + b"(" + text("marker_probe:mark", rng) + b"tR)R"
    value = text(argument, rng)
    style = rng.randrange(9)
    plain = b"c" + line(module.encode()) + line(name.encode())
    if "." in name:
        style = 0
    if style == 1:
        return b"(" + value + b"i" + line(module.encode()) + line(name.encode())
    if style == 2:
        return b"(" + plain + value + b"o"
    if style == 3:  # NEWOBJ of a class that calls, with a callable among the arguments
        return b"cbuiltins\nmap\n" + name_of(module, name, rng) + b"](" + value + b"e\x86\x81" if rng.random() < .5 else plain + value + b"\x85R"
    if style == 4:
        return name_of(module, name, rng) + value + b"\x85}\x92" if rng.random() < .3 else plain + b"(" + value + b"tR"
    if style == 5:  # __setstate__ as an attribute of an instance
        return (b"cargparse\nNamespace\n)\x81}" + text("__setstate__", rng) + name_of(module, name, rng) + b"sb" + value + b"b")
    if style == 6:
        return b"cfunctools\npartial\n" + name_of(module, name, rng) + value + b"\x86R)R"
    if style == 7:
        return b"ctorch._tensor\n_rebuild_from_type_v2\n(" + name_of(module, name, rng) + b"ctorch\nTensor\n" + value + b"\x85NtR"
    return name_of(module, name, rng) + rng.choice([b"(" + value + b"t", value + b"\x85"]) + b"R"


def odd_call(rng):
    """Names that are harmless, used for what is not: our own judgement is asked, torch may fail."""
    return rng.choice([
        b"ctorch\nTensor\n}" + b"X\x08\x00\x00\x00__call__" + b"cbuiltins\nstr\n" + b"sb",
        b"ctorch.storage\nUntypedStorage\n)}X\x09\x00\x00\x00allocatorK\x07s\x92",
        b"cnumpy\nndarray\n(K\x01\x85cnumpy\ndtype\nX\x01\x00\x00\x00O\x85RC\x08AAAAAAAAtR",
    ])


def tensor(key="0", count=4, protocol=2, legacy=False):
    size = b"K" + bytes([count])
    pid = (b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX" + struct.pack("<I", len(key)) + key.encode() +
           b"X\x03\x00\x00\x00cpu" + size + (b"N" if legacy else b"") + b"tQ")
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + pid + b"K\x00" + size + b"\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR"


def harmless(rng, legacy=False):
    return b"\x80" + bytes([rng.choice([2, 2, 3, 4, 5])]) + b"}(X\x01\x00\x00\x00w" + tensor(legacy=legacy) + b"u."


def harmful(rng, legacy=False, odd=False):
    """The pickle of a state dict, with a call somewhere in it."""
    evil = odd_call(rng) if odd else call(rng)
    proto = rng.choice([b"", b"\x80\x02", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"])
    w = b"X\x01\x00\x00\x00w" + tensor(legacy=legacy)
    style = rng.randrange(8)
    if style == 0:
        body = evil + b"0}(" + w + b"u"
    elif style == 1:
        body = b"}(" + w + b"X\x01\x00\x00\x00e" + evil + b"u"
    elif style == 2:
        body = b"}(" + w + b"u(" + evil + b"1"
    elif style == 3:
        body = b"ccollections\nOrderedDict\n)R(" + w + b"u}X\x09\x00\x00\x00_metadata" + evil + b"sb"
    elif style == 4:
        body = b"}(" + w + b"K\x01(" + evil + b"X\x01\x00\x00\x00xdu"
    elif style == 5:
        body = b"(" + evil + b"l0}(" + w + b"u"
    elif style == 6:
        body = b"}(" + w + b"X\x01\x00\x00\x00s\x8f(" + evil + b"\x90u"
    else:
        body = b"}(" + w + b"u" + evil + b"0"
    return proto + framed(body + b".", rng)


def framed(body, rng):
    style = rng.randrange(10)
    if style == 0:
        return b"\x95" + struct.pack("<Q", len(body)) + body
    if style == 1:  # ends inside of an opcode
        return b"\x95" + struct.pack("<Q", max(1, len(body) - rng.randrange(1, 9))) + body
    if style == 2:
        return b"\x95" + struct.pack("<Q", rng.randrange(1, 12)) + body
    return body


def integer(value, rng):
    """An int, by one of the opcodes that make one."""
    if value < 0x10000 and rng.random() < .4:
        return b"M" + struct.pack("<H", value)
    if value < 2**31 and rng.random() < .3:
        return rng.choice([b"J" + struct.pack("<i", value), b"I%d\n" % value, b"I0x%x\n" % value])
    size = value.bit_length() // 8 + 1
    return rng.choice([b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True), b"L%dL\n" % value])


def opcodes_of_magic():
    """The first pickle of the format before torch 1.6."""
    return b"\x80\x02\x8a\x0a" + MAGIC.to_bytes(10, "little") + b"."
