"""What may be on a disk after a power cut: made from the log of fault_library.cc.

Until a file is synced, any of its writes may be there, or a part of them; until a folder is synced, any change of a
name in it. What a sync that failed was to write is lost. Three disks are imagined: one that has everything, one that
has only what was synced, and ones that have any part of the rest, in order (names and sizes as a journal of ext4
keeps them) or in no order at all, which is the worst that POSIX allows.
"""

from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
KINDS = ("all", "synced", "ordered", "worst")


@dataclass
class Operation:
    kind: str
    number: int = 0  # of the file
    names: tuple = ()
    value: int = 0  # an offset or a size
    bytes: bytes = b""
    failed: bool = False


def read_log(path):
    operations = []
    data = Path(path).read_bytes()
    at = 0
    while at < len(data):
        end = data.find(b"\n", at)
        if end < 0:
            break  # the program was killed while it wrote the line
        words = data[at:end].decode(errors="surrogateescape").split("\t")
        size = int(words.pop())
        operations.append(parse(words, data[end + 1 : end + 1 + size]))
        at = end + 1 + size
    return [operation for operation in operations if operation]


def parse(words, payload):
    kind, *rest = words
    if kind == "write":
        return Operation(kind, int(rest[0]), value=int(rest[1]), bytes=payload)
    if kind == "open":
        return Operation(rest[2], int(rest[0]), (rest[1],))
    if kind in ("size", "reserve"):
        return Operation(kind, int(rest[0]), value=int(rest[1]), failed=rest[2] == "-1")
    if kind == "sync":
        return Operation(kind, int(rest[0]), (rest[1],), failed=rest[2] == "-1")
    if kind in ("rename", "link", "exchange"):
        return Operation(kind, names=(rest[0], rest[1]), failed=rest[2] == "-1")
    if kind in ("unlink", "mkdir", "rmdir"):
        return Operation(kind, names=(rest[0],), failed=rest[1] == "-1")
    return None  # changes nothing that is kept


@dataclass
class File:
    bytes: bytearray = field(default_factory=bytearray)

    def write(self, offset, data):
        if len(self.bytes) < offset:
            self.bytes.extend(b"\0" * (offset - len(self.bytes)))
        self.bytes[offset : offset + len(data)] = data

    def resize(self, size, shrink):
        if len(self.bytes) < size:
            self.bytes.extend(b"\0" * (size - len(self.bytes)))
        elif shrink:
            del self.bytes[size:]


FOLDER = object()
NAME_CHANGES = ("new", "rename", "exchange", "link", "unlink", "mkdir", "rmdir")
DATA_CHANGES = ("write", "size", "reserve", "emptied")


def parent(name):
    return name.rsplit("/", 1)[0] if "/" in name else "."


class Disk:
    """`before`: bytes by name, None for a folder. `numbers`: of those files, as the log has them."""

    def __init__(self, before, numbers):
        self.names = {}
        self.files = {}
        for name, content in before.items():
            if content is None:
                self.names[name] = FOLDER
                continue
            file = File(bytearray(content))
            self.names[name] = file
            self.files[numbers[name]] = file

    def content(self):
        return {
            name: None if thing is FOLDER else bytes(thing.bytes) for name, thing in self.names.items() if thing is not None
        }

    def file(self, number):
        return self.files.setdefault(number, File())


def synced(operations, end):
    """By operation: "yes", "no" (it may be there) or "lost"."""
    states = ["no"] * end
    for i in range(end):
        operation = operations[i]
        if operation.kind != "sync":
            continue
        for j in range(i):
            before = operations[j]
            of_file = before.kind in DATA_CHANGES and before.number == operation.number
            of_folder = before.kind in NAME_CHANGES and operation.names[0] in {parent(name) for name in before.names}
            if states[j] != "no" or not (of_file or of_folder):
                continue
            if not operation.failed:
                states[j] = "yes"
            elif of_file:
                states[j] = "lost"
    return states


def sectors(operation, random):
    """Parts of a write that was torn."""
    at = operation.value
    end = at + len(operation.bytes)
    while at < end:
        stop = min(end, (at // SECTOR + 1) * SECTOR)
        if random.random() < 0.5:
            yield at, operation.bytes[at - operation.value : stop - operation.value]
        at = stop


def after_cut(before, numbers, operations, end, kind, random):
    """What the disk holds when the power goes after `end` operations: bytes by name."""
    disk = Disk(before, numbers)
    states = synced(operations, end)
    # The journal of ext4 has the changes of names and sizes up to some moment, and data in no order.
    last_synced = max((i for i in range(end) if states[i] == "yes"), default=-1)
    cut = random.randint(last_synced + 1, end)
    # Objects that a change of names is about are those of the run itself, whatever became of earlier changes.
    running = dict(disk.names)
    for i in range(end):
        operation = operations[i]
        things = change_names(running, disk, operation)
        if operation.failed:
            continue
        is_name = operation.kind in NAME_CHANGES
        keeps = states[i] == "yes" or kind == "all" and states[i] != "lost"
        torn = False
        if states[i] == "no" and kind == "worst":
            keeps = random.random() < 0.5
            torn = operation.kind == "write" and random.random() < 0.5
        elif states[i] == "no" and kind == "ordered":
            metadata = is_name or operation.kind in ("size", "reserve", "emptied")
            keeps = i < cut if metadata else random.random() < 0.5
            torn = operation.kind == "write" and random.random() < 0.5
        if not keeps:
            continue
        if is_name:
            apply_names(disk.names, operation, things)
        else:
            apply_data(disk.file(operation.number), operation, sectors(operation, random) if torn else None)
    return disk.content()


def change_names(running, disk, operation):
    """Carries a change out on the names of the run; returns what it is about."""
    if operation.failed or operation.kind not in NAME_CHANGES:
        return ()
    if operation.kind == "new":
        # The number may be that of a file that is gone.
        disk.files[operation.number] = File()
        things = (disk.files[operation.number],)
    elif operation.kind == "mkdir":
        things = (FOLDER,)
    else:
        things = tuple(running.get(name) for name in operation.names)
    apply_names(running, operation, things)
    return things


def apply_names(names, operation, things):
    first = operation.names[0]
    if operation.kind in ("new", "mkdir"):
        names[first] = things[0]
    elif operation.kind in ("unlink", "rmdir"):
        if names.get(first) is things[0]:
            names.pop(first, None)
    elif operation.kind == "link":
        names[operation.names[1]] = things[0]
    elif operation.kind == "exchange":
        names[first], names[operation.names[1]] = things[1], things[0]
    elif operation.kind == "rename":
        if names.get(first) is things[0]:
            names.pop(first, None)
        names[operation.names[1]] = things[0]


def apply_data(file, operation, parts=None):
    if operation.kind == "write":
        for offset, data in parts if parts is not None else [(operation.value, operation.bytes)]:
            file.write(offset, data)
    elif operation.kind == "emptied":
        file.resize(0, shrink=True)
    else:
        file.resize(operation.value, shrink=operation.kind == "size")
