"""Zip archives as torch writes them, every field of which can be given another value."""

import struct
import zlib
from dataclasses import dataclass, field


@dataclass
class Member:
    name: bytes
    data: bytes
    local: dict = field(default_factory=dict)  # fields of the local header that differ from the true ones
    central: dict = field(default_factory=dict)  # and of the directory's record
    local_extra: bytes = None
    central_extra: bytes = b""
    comment: bytes = b""
    stored: bytes = None  # the bytes in the archive, where they are not `data`
    descriptor: bytes = None  # behind them, instead of the true one
    before: bytes = b""  # in front of the local header
    listed: bool = True  # in the directory
    flags: int = 0x0808


@dataclass
class Archive:
    members: list
    before: bytes = b""  # in front of everything, which moves the offsets
    unmoved: bytes = b""  # in front of everything, which does not
    gap: bytes = b""  # in front of the directory
    order: list = None  # of the directory: indexes of members
    wide: bool = True  # with the 64-bit end record that torch always writes
    end: dict = field(default_factory=dict)  # fields of the end record
    end64: dict = field(default_factory=dict)
    locator: dict = field(default_factory=dict)
    comment: bytes = b""
    after: bytes = b""
    alignment: int = 64


def local_header(m, at, archive):
    name = m.local.get("name", m.name)
    described = m.flags & 8 and len(m.data) > 0
    flags = m.flags if described else m.flags & ~8
    extra = m.local_extra
    if extra is None:
        pad = -(at + 30 + len(name) + 4) % archive.alignment
        extra = struct.pack("<HH", 0x4246, pad) + b"Z" * pad
    size, crc = (0, 0) if described else (len(m.data), zlib.crc32(m.data))
    value = {"sig": 0x04034B50, "version": 0, "flags": flags, "method": 0, "time": 0, "date": 0, "crc": crc, "csize": size,
             "usize": size, "nlen": len(name), "elen": len(extra)} | {k: v for k, v in m.local.items() if k != "name"}
    return struct.pack("<IHHHHHIIIHH", *value.values()) + name + extra, flags


def central_record(m, at, flags):
    name = m.central.get("name", m.name)
    size = len(m.data if m.stored is None else m.stored)
    value = {"sig": 0x02014B50, "made": 0, "version": 0, "flags": flags, "method": 0, "time": 0, "date": 0,
             "crc": zlib.crc32(m.data), "csize": size, "usize": len(m.data), "nlen": len(name),
             "elen": len(m.central_extra), "clen": len(m.comment), "disk": 0, "internal": 0, "external": 0,
             "offset": at} | {k: v for k, v in m.central.items() if k != "name"}
    return struct.pack("<IHHHHHHIIIHHHHHII", *value.values()) + name + m.central_extra + m.comment


def build(archive):
    out = bytearray(archive.unmoved + archive.before)
    base = len(archive.unmoved)
    records = []
    for m in archive.members:
        out += m.before
        at = len(out) - base
        header, flags = local_header(m, at, archive)
        out += header + (m.data if m.stored is None else m.stored)
        if m.descriptor is not None:
            out += m.descriptor
        elif flags & 8:
            out += struct.pack("<IIII", 0x08074B50, zlib.crc32(m.data), len(m.data if m.stored is None else m.stored), len(m.data))
        records.append(central_record(m, at, flags))
    out += archive.gap
    start = len(out) - base
    order = archive.order if archive.order is not None else [i for i, m in enumerate(archive.members) if m.listed]
    directory = b"".join(records[i] for i in order)
    out += directory
    if archive.wide:
        at = len(out) - base
        value = {"sig": 0x06064B50, "size": 44, "made": 0x31E, "version": 45, "disk": 0, "disk2": 0, "count": len(order),
                 "count2": len(order), "length": len(directory), "offset": start} | archive.end64
        out += struct.pack("<IQHHIIQQQQ", *value.values())
        value = {"sig": 0x07064B50, "disk": 0, "offset": at, "disks": 1} | archive.locator
        out += struct.pack("<IIQI", *value.values())
    value = {"sig": 0x06054B50, "disk": 0, "disk2": 0, "count": len(order), "count2": len(order), "length": len(directory),
             "offset": start, "comment": len(archive.comment)} | archive.end
    return bytes(out + struct.pack("<IHHHHIIH", *value.values()) + archive.comment + archive.after)


def torch_archive(pickle, storages, prefix=b"archive", modern=True, byteorder=True, data=None):
    """As torch 2 writes one, or torch 1.6 to 1.12 (neither modern nor with a byte order)."""
    members = [Member(prefix + b"/data.pkl", pickle)]
    if modern:
        members += [Member(prefix + b"/.format_version", b"1"), Member(prefix + b"/.storage_alignment", b"64")]
    if byteorder:
        members.append(Member(prefix + b"/byteorder", b"little"))
    keys = sorted(storages, key=int) if modern else sorted(storages)
    members += [Member(prefix + b"/data/" + key.encode(), storages[key]) for key in keys]
    members.append(Member(prefix + b"/version", b"3\n"))
    if byteorder:
        members.append(Member(prefix + b"/.data/serialization_id", b"0" * 20 + b"12345678901234567890"))
    return Archive(members)
