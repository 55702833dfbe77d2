"""What other programs make of files: run as `loaders.py < paths`, prints a line of JSON for each.

torch.load runs with weights_only off, in forked processes where the functions that payloads reach do nothing but leave a
mark, under limits of time, memory and file size, in an empty folder.
"""

import code
import hashlib
import io
import json
import logging
import os
import posix
import resource
import runpy  # noqa: F401
import shutil
import signal
import subprocess
import sys
import tempfile
import timeit  # noqa: F401
import types
import warnings
import webbrowser
import zipfile

import pip
import torch
from fickling.analysis import check_safety
from fickling.fickle import Pickled
from picklescan import scanner

BATCH = 20  # files for each process, so that what one of them changes reaches few others


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Marks:
    """What code was reached, and every name that pickle looked up."""

    def __init__(self):
        self.marks, self.names = [], []
        sys.addaudithook(self.hear)

    def hear(self, event, arguments):
        if event == "pickle.find_class":
            self.names.append(f"{arguments[0]}.{arguments[1]}")

    def mark(self, *arguments, **_):
        self.marks.append("marked")
        return 0

    def disarm(self):
        """Functions that payloads call are replaced by the mark."""
        probe = types.ModuleType("marker_probe")
        probe.mark = self.mark
        probe.Marked = type("Marked", (torch.nn.Module,), {"dump_patches": True})
        sub = types.ModuleType("marker_probe.sub")
        sub.mark = self.mark
        sys.modules.update({"marker_probe": probe, "marker_probe.sub": sub})
        for module, names in ((os, ["system", "popen", "execv"]), (posix, ["system"]), (subprocess, ["call", "Popen", "run", "getoutput"]),
                              (code, ["interact"]), (webbrowser, ["open"]), (shutil, ["rmtree"]), (pip, ["main"]),
                              (torch.hub, ["load"])):
            for name in names:
                setattr(module, name, self.mark)


def load(path, marks):
    marks.marks.clear()
    marks.names.clear()
    result = {"path": path}
    try:
        torch.load(path, map_location="cpu", weights_only=False)
        result["torch"] = "loaded"
    except BaseException as error:  # noqa: BLE001
        result["torch"] = f"{type(error).__name__}: {str(error)[:200]}"
    result["executed"], result["names"] = len(marks.marks), sorted(set(marks.names))
    try:
        reader = torch._C.PyTorchFileReader(path)
        result["torch_names"] = sorted(reader.get_all_records())
        result["torch_pickle"] = digest(reader.get_record("data.pkl"))
    except BaseException as error:  # noqa: BLE001
        result["torch_zip"] = str(error)[:100]
    try:
        archive = zipfile.ZipFile(path)
        result["zip_names"] = sorted(name.partition("/")[2] for name in archive.namelist())
        main = [info for info in archive.infolist() if info.filename.endswith("/data.pkl")]
        result["zip_pickle"] = [digest(archive.read(info)) for info in main]
    except BaseException as error:  # noqa: BLE001
        result["zip"] = f"{type(error).__name__}: {error}"[:100]
    try:
        found = scanner.scan_file_path(path)
        result["picklescan"] = "infected" if found.infected_files else "error" if found.scan_err else "clean"
    except BaseException as error:  # noqa: BLE001
        result["picklescan"] = f"error {type(error).__name__}"
    return result


def fickled(path):
    """What fickling says of the pickle of an archive, or of the one that a file begins with."""
    try:
        if zipfile.is_zipfile(path):
            archive = zipfile.ZipFile(path)
            data = next(archive.read(name) for name in archive.namelist() if name.endswith("data.pkl"))
        else:
            data = open(path, "rb").read()
        return check_safety(Pickled.load(io.BytesIO(data))).severity.name
    except BaseException as error:  # noqa: BLE001
        return f"error {type(error).__name__}"


def limit():
    resource.setrlimit(resource.RLIMIT_DATA, (6 << 30, 6 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 << 20, 16 << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.chdir(tempfile.mkdtemp())


def batch(paths, out, with_fickling):
    limit()
    marks = Marks()
    marks.disarm()
    for number, path in paths:
        signal.alarm(60)
        result = load(path, marks)
        if with_fickling and number % 10 == 0:
            result["fickling"] = fickled(path)
        out.write(json.dumps(result) + "\n")
        out.flush()


def run(paths, with_fickling=True):
    """Each path with what its loaders made of it; a process that dies counts for its file."""
    todo = list(enumerate(paths))
    while todo:
        some = todo[:BATCH]
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            sys.stdin = open(os.devnull)
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            try:
                with os.fdopen(write, "w") as out:
                    batch(some, out, with_fickling)
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read) as lines:
            done = [json.loads(line) for line in lines]
        _, status = os.waitpid(child, 0)
        yield from done
        if len(done) < len(some):
            yield {"path": some[len(done)][1], "torch": f"died ({status})", "executed": 0, "names": [], "picklescan": "unknown",
                   "died": True}
        todo = todo[len(done) + (len(done) < len(some)):]


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    for result in run([line.rstrip("\n") for line in sys.stdin]):
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
