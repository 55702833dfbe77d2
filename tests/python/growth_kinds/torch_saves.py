"""Files of torch.save."""

import io
import pickle
import zipfile

from .making import kind


class Storage:
    def __init__(self, key, count):
        self.id = ("storage", Named("torch", "FloatStorage"), key, "cpu", count)


class Named:
    """A global by its name, of a module that need not be there."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    def __init__(self, callable, *arguments):
        self.callable, self.arguments = callable, arguments


class Pickler(pickle._Pickler):
    """Writes globals of torch without torch."""

    dispatch = dict(pickle._Pickler.dispatch)

    def persistent_id(self, value):
        return value.id if isinstance(value, Storage) else None

    def save_named(self, value):
        self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())

    def save_call(self, value):
        self.save(value.callable)
        self.save(tuple(value.arguments))
        self.write(pickle.REDUCE)

    dispatch[Named] = save_named
    dispatch[Call] = save_call


REBUILD = Named("torch._utils", "_rebuild_tensor_v2")


def tensor(storage, shape=(1,), offset=0):
    return Call(REBUILD, storage, offset, tuple(shape), tuple(1 for _ in shape), False, {})


def torch_zip(path, state, storages):
    """`storages`: the number of floats by key."""
    text = io.BytesIO()
    Pickler(text, 2).dump(state)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", text.getvalue())
        archive.writestr("archive/version", "3\n")
        for key, count in storages.items():
            archive.writestr(f"archive/data/{key}", b"\0" * (4 * count))
    return path.name


@kind(5_000)
def members_of_a_zip(folder, n):
    state = {f"t.{i}.weight": tensor(Storage(str(i), 1)) for i in range(n)}
    return ["info", torch_zip(folder / "a.ckpt", state, {str(i): 1 for i in range(n)})]


@kind(20_000)
def views_of_one_storage(folder, n):
    storage = Storage("0", n)
    state = {f"t.{i}.weight": tensor(storage, offset=i) for i in range(n)}
    return ["info", torch_zip(folder / "a.ckpt", state, {"0": n})]


@kind(5_000)
def members_of_a_scan(folder, n):
    state = {f"t.{i}.weight": tensor(Storage(str(i), 1)) for i in range(n)}
    return ["scan", torch_zip(folder / "a.ckpt", state, {str(i): 1 for i in range(n)})]


@kind(20_000)
def objects_of_a_pickle(folder, n):
    state = {"w": tensor(Storage("0", 1)), "epochs": [{"step": i, "loss": [i]} for i in range(n)]}
    return ["info", torch_zip(folder / "a.ckpt", state, {"0": 1})]


@kind(13)
def dicts_that_hold_each_other(folder, n):
    """Each holds the next many times: as names, more than any file has."""
    state = {f"w{i}": tensor(Storage("0", 1)) for i in range(2)}
    for i in range(n):
        state = {f"d{j}": state for j in range(2)}
    return ["info", torch_zip(folder / "a.ckpt", {"w": tensor(Storage("0", 1)), **state}, {"0": 1})]


@kind(16, status=4)
def wrappers_that_hold_each_other(folder, n):
    state = {"x": 1}
    for i in range(n):
        state = {name: state for name in ("state_dict", "model", "module", "params", "net", "ema")}
    return ["info", torch_zip(folder / "a.ckpt", state, {"0": 1})]
