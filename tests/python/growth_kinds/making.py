"""The table of kinds, and files that several of them make."""

import json
import struct

KINDS = {}


def kind(size, status=0):
    """`size` is what the ordinary tests run, far below a second where growth is as it should be."""

    def register(make):
        make.size, make.status = size, status
        KINDS[make.__name__] = make
        return make

    return register


def write(path, shapes, value=1.0, metadata=None, dtype="F16"):
    """A checkpoint all of whose elements are one value. `shapes`: pairs of name and shape."""
    size = {"F16": 2, "F32": 4}[dtype]
    entries, offset = [], 0
    if metadata is not None:
        entries.append('"__metadata__":' + json.dumps(metadata))
    for name, shape in shapes:
        count = 1
        for axis in shape:
            count *= axis
        end = offset + count * size
        entries.append(f'"{name}":{{"dtype":"{dtype}","shape":{json.dumps(shape)},"data_offsets":[{offset},{end}]}}')
        offset = end
    header = ("{" + ",".join(entries) + "}").encode()
    element = struct.pack({"F16": "<e", "F32": "<f"}[dtype], value)
    path.write_bytes(struct.pack("<Q", len(header)) + header + element * (offset // size))
    return path.name


def scalars(path, count, name="t.{}.weight", value=1.0, **options):
    return write(path, ((name.format(i), [1]) for i in range(count)), value, **options)


def pair(folder, count, name="t.{}.weight"):
    return [scalars(folder / f"{letter}.safetensors", count, name, value) for letter, value in (("a", 1.0), ("b", 2.0))]


def recipe(folder, **tables):
    (folder / "recipe.json").write_text(json.dumps({"weightsmith": 1, **tables}))
    return "recipe.json"


MERGE = ("merge", "--no-sync", "-q", "-f")
OUT = ("-o", "out.safetensors")
ANY = ("--policy", "effect=any")
