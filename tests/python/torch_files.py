"""Files as torch.save writes them, and as nobody should: pickles and zips put together by hand."""

import struct
import zlib
from dataclasses import dataclass


@dataclass
class Raw:
    """Opcodes that leave one value on the stack."""
    code: bytes


@dataclass
class Global:
    module: str
    name: str


@dataclass
class Persistent:
    of: object


@dataclass
class Reduce:
    callable: object
    arguments: tuple


def opcodes(value):
    if isinstance(value, Raw):
        return value.code
    if isinstance(value, Global):
        return b"c" + value.module.encode() + b"\n" + value.name.encode() + b"\n"
    if isinstance(value, Persistent):
        return opcodes(value.of) + b"Q"
    if isinstance(value, Reduce):
        return opcodes(value.callable) + opcodes(value.arguments) + b"R"
    if value is None:
        return b"N"
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        size = (value.bit_length() // 8) + 1
        return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)
    if isinstance(value, str):
        text = value.encode()
        return b"X" + struct.pack("<I", len(text)) + text
    if isinstance(value, tuple):
        return b"(" + b"".join(map(opcodes, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(opcodes, value)) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(opcodes(k) + opcodes(v) for k, v in value.items()) + b"u"
    raise TypeError(type(value))


def pickled(value, protocol=2):
    return b"\x80" + bytes([protocol]) + opcodes(value) + b"."


def storage(key, numel, kind="FloatStorage"):
    return Persistent(("storage", Global("torch", kind), key, "cpu", numel))


def tensor(key, shape, stride=None, offset=0, numel=None, kind="FloatStorage"):
    if stride is None:
        stride, step = [], 1
        for size in reversed(shape):
            stride.insert(0, step)
            step *= size
    if numel is None:
        numel = 1
        for size in shape:
            numel *= size
    return Reduce(Global("torch._utils", "_rebuild_tensor_v2"),
                  (storage(key, numel, kind), offset, tuple(shape), tuple(stride), False,
                   Reduce(Global("collections", "OrderedDict"), ())))


@dataclass
class Entry:
    name: str
    data: bytes
    local_name: str = None
    flags: int = 0
    method: int = 0
    local_method: int = None
    central_size: int = None
    header: int = None  # the directory's pointer to it, instead of the true one


def zipped(entries, comment=b"", count=None, before=b"", after=b""):
    out = bytearray(before)
    central = bytearray()
    for e in entries:
        at = len(out) - len(before)
        name = (e.local_name or e.name).encode()
        method = e.method if e.local_method is None else e.local_method
        crc = zlib.crc32(e.data)
        pad = -(len(out) + 30 + len(name) + 4) % 64
        extra = struct.pack("<HH", 0x4246, pad) + b"Z" * pad
        out += struct.pack("<IHHHHHIIIHH", 0x04034B50, 0, e.flags, method, 0, 0, crc, len(e.data), len(e.data),
                           len(name), len(extra)) + name + extra + e.data
        size = len(e.data) if e.central_size is None else e.central_size
        name = e.name.encode()
        central += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0, 0, e.flags, e.method, 0, 0, crc, size, size,
                               len(name), 0, 0, 0, 0, 0, at if e.header is None else e.header) + name
    start = len(out) - len(before)
    n = len(entries) if count is None else count
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, n, n, len(central), start, len(comment)) + comment
    return bytes(out + central + end + after)


def saved(value, data, prefix="archive", **options):
    """A zip with a pickle of `value` and storages by key."""
    entries = [Entry(f"{prefix}/data.pkl", value if isinstance(value, bytes) else pickled(value)),
               Entry(f"{prefix}/byteorder", b"little")]
    entries += [Entry(f"{prefix}/data/{key}", content) for key, content in data.items()]
    entries.append(Entry(f"{prefix}/version", b"3\n"))
    return zipped(entries, **options)


def legacy(value, storages, magic=0x1950A86A20F9469CFC6C, little=True):
    """The format before torch 1.6; storages: key -> (count, bytes), in the file's order."""
    out = pickled(magic) + pickled(1001)
    out += pickled({"protocol_version": 1001, "little_endian": little, "type_sizes": {"short": 2, "int": 4, "long": 4}})
    out += pickled(value) + pickled(list(storages))
    for count, data in storages.values():
        out += struct.pack("<q", count) + data
    return out
