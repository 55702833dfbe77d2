"""`weightsmith scan` beside the loaders themselves, on generated files.

    python tests/scan/differential.py [--hostile 4000] [--benign 1000] [--seed 0] [--build build/release] [--keep FOLDER]

No hostile file may be safe to us and reach code in torch.load, be infected for picklescan, or be another archive for zipfile
than for torch. No benign file may be dangerous, ambiguous or malformed, nor may its weights be refused. Ends with status 1
where one is; with --keep, such files are copied to a folder. The same seed gives the same files.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
CHUNK = 1000


def scanned(program, paths):
    result = subprocess.run([program, "scan", "--json", *paths], capture_output=True, text=True)
    if result.returncode not in (0, 7):
        raise SystemExit(f"scan ended with {result.returncode}: {result.stderr[-2000:]}")
    return {file["path"]: file for file in json.loads(result.stdout)}


def opened(program, paths):
    """The tensors of each file that is read, and what is said of the others."""
    result = subprocess.run([program, "info", "--json", *paths], capture_output=True, text=True)
    return {file["path"]: file for file in json.loads(result.stdout)}, result.stderr


def loaded(paths):
    """By as many workers as there are processors."""
    workers = [subprocess.Popen([sys.executable, HERE / "loaders.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
               for _ in range(os.cpu_count())]
    with concurrent.futures.ThreadPoolExecutor(len(workers)) as pool:
        parts = [paths[i::len(workers)] for i in range(len(workers))]
        outputs = list(pool.map(lambda worker, part: worker.communicate("\n".join(part))[0], workers, parts))
    if any(worker.returncode for worker in workers):
        raise SystemExit("a worker of the loaders failed")
    return {file["path"]: file for output in outputs for file in map(json.loads, output.splitlines())}


def disagreement(ours, theirs):
    """Why a file that is safe to us should not be; nothing where all agree."""
    if theirs["executed"]:
        return "code was reached"
    if theirs.get("died"):
        return "the loader died"
    known = {entry["name"] for entry in ours["globals"]}
    # Where they stop at a name that no module has, no code is reached.
    unlisted = [name for name in theirs["names"] if name.replace(".", "").isidentifier() and python_3(name) not in known]
    if unlisted:
        return f"names that are not listed: {unlisted}"
    # It lists what is written, also where every reader ends before it gets there.
    ends = ours["format"] in ("safetensors", "gguf") and theirs["torch"].startswith("UnpicklingError")
    if theirs["picklescan"] == "infected" and not ends:
        return "picklescan finds it infected"
    if ours["format"] == "torch-zip":
        if "torch_zip" in theirs and "version" not in theirs["torch_zip"]:
            return f"torch opens no archive: {theirs['torch_zip']}"
        if "zip" in theirs and "CRC" not in theirs["zip"]:
            return f"zipfile opens no archive: {theirs['zip']}"
        if "torch_names" in theirs and "zip_names" in theirs and theirs["torch_names"] != theirs["zip_names"]:
            return "torch and zipfile list other files"
        if theirs.get("zip_pickle") and theirs.get("torch_pickle") and theirs["zip_pickle"] != [theirs["torch_pickle"]]:
            return "torch and zipfile read another pickle"
    return None


def python_3(name):
    for old, new in (("__builtin__.", "builtins."), ("copy_reg.", "copyreg.")):
        if name.startswith(old):
            return new + name[len(old):]
    return name


class Run:
    def __init__(self, arguments, folder):
        self.program = str(Path(arguments.build) / "bin" / "weightsmith")
        self.folder, self.keep = folder, arguments.keep
        self.wrong = []
        self.counts = collections.Counter()

    def write(self, number, suffix, data):
        path = self.folder / f"{number}{suffix}"
        path.write_bytes(data)
        return str(path)

    def fail(self, path, name, why):
        self.wrong.append((Path(path).name, name, why))
        if self.keep:
            Path(self.keep).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, self.keep)

    def hostile(self, seeds, with_large):
        from hostile import hostile, zip_in_a_safetensors_header
        names = {}
        for seed in seeds:
            name, suffix, data = hostile(seed)
            names[self.write(f"h{seed}", suffix, data)] = name
        if with_large:
            names[self.write("large", ".ckpt", zip_in_a_safetensors_header())] = "zip in a safetensors header"
        ours, theirs = scanned(self.program, list(names)), loaded(list(names))
        read, _ = opened(self.program, list(names))
        for path, name in names.items():
            mine, other = ours[path], theirs[path]
            self.counts["hostile"] += 1
            self.counts[f"hostile: {mine['verdict']}"] += 1
            self.counts["reached code in torch.load"] += bool(other["executed"])
            self.counts["loaded by torch"] += other["torch"] == "loaded"
            self.counts[f"picklescan: {other['picklescan']}"] += 1
            if "fickling" in other:
                self.counts[f"fickling: {other['fickling']}"] += 1
            if mine["safe"] and (why := disagreement(mine, other)):
                self.fail(path, name, why)
            if mine["ambiguities"] and path in read:
                self.fail(path, name, f"ambiguous and yet opened: {mine['ambiguities']}")
            Path(path).unlink()

    def benign(self, seeds):
        from benign import benign
        names = {}
        for seed in seeds:
            name, suffix, data = benign(seed)
            names[self.write(f"b{seed}", suffix, data)] = name
        ours, theirs = scanned(self.program, list(names)), loaded(list(names))
        read, refused = opened(self.program, list(names))
        for path, name in names.items():
            mine, other = ours[path], theirs[path]
            self.counts["benign"] += 1
            self.counts[f"benign: {mine['verdict']}"] += 1
            if other["torch"] != "loaded":
                self.fail(path, name, f"torch itself does not load it: {other['torch']}")
            if not mine["safe"]:
                self.fail(path, name, f"{mine['verdict']}: {mine['ambiguities'] + mine['problems'] + mine['unusual']}"
                                      f"{[g['name'] for g in mine['globals'] if g['safety'] != 'safe']}")
            elif why := disagreement(mine, other):
                self.fail(path, name, why)
            if path not in read:
                # Two dicts of tensors are a question for the user, and not a refusal.
                said = next((line for line in refused.splitlines() if path in line), "nothing")
                self.fail(path, name, f"is not opened: {said}")
            Path(path).unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hostile", type=int, default=4000)
    parser.add_argument("--benign", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--build", default=str(HERE.parents[1] / "build" / "release"))
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(arguments, Path(folder))
        for first in range(0, arguments.hostile, CHUNK):
            last = min(first + CHUNK, arguments.hostile)
            run.hostile(range(arguments.seed + first, arguments.seed + last), with_large=first == 0)
        for first in range(0, arguments.benign, CHUNK):
            last = min(first + CHUNK, arguments.benign)
            run.benign(range(arguments.seed + first, arguments.seed + last))
    for key, count in sorted(run.counts.items()):
        print(f"{count:8}  {key}")
    for file, name, why in run.wrong[:100]:
        print(f"WRONG {file} ({name}): {why}")
    print(f"{len(run.wrong)} wrong in {time.monotonic() - started:.0f} s")
    return 1 if run.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
