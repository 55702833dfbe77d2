#!/usr/bin/env python3
"""Measures the Python package: its import, reading one tensor against safetensors in the same process, and
the instructions of a merge against those of the program that does the same (under callgrind, from valgrind).

    bench/python_bench.py [--folder DIR]    full size: 7 GB of disk
    bench/python_bench.py --smoke           tiny files: does everything run?
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from merge_bench import ROOT, machine, run

TENSOR = "model.diffusion_model.out.2.bias"

IMPORT = """
import time
started = time.perf_counter()
import {module}
print(time.perf_counter() - started)
"""

# Both read the same tensor in turns, the file opened anew each time.
READ = """
import json, sys, time
import numpy, ml_dtypes, weightsmith
from safetensors import safe_open

def ours(path, name):
    with weightsmith.open(path) as model:
        return model[name].numpy().copy()

def theirs(path, name):
    with safe_open(path, "np") as model:
        return model.get_tensor(name)

path, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
assert (ours(path, name) == theirs(path, name)).all()
times = {"ours": [], "theirs": []}
for _ in range(rounds):
    for read in (ours, theirs):
        started = time.perf_counter()
        read(path, name)
        times[read.__name__].append(time.perf_counter() - started)
print(json.dumps(times))
"""

# All tensors of a lazy model one after the other, the model planned anew each time.
SWEEP = """
import json, sys, time
import weightsmith
times = []
for _ in range(int(sys.argv[3])):
    merged = weightsmith.weighted_sum(sys.argv[1], sys.argv[2], alpha=0.3)
    names = list(merged)
    started = time.perf_counter()
    for name in names:
        merged[name].view()
    times.append((time.perf_counter() - started) / len(names))
print(json.dumps(times))
"""

MERGE = """
import sys, weightsmith
weightsmith.merge(sys.argv[1], output=sys.argv[2], overwrite=True, sync=False, threads=int(sys.argv[3]))
"""


class Bench:
    def __init__(self, arguments):
        self.smoke = arguments.smoke
        self.build = Path(arguments.build).resolve()
        self.program = self.build / "bin" / "weightsmith"
        self.folder = Path(arguments.folder or tempfile.mkdtemp(prefix="python_bench_")).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.environment = {**os.environ, "PYTHONPATH": str(self.build / "python")}

    def synth(self, name, *options):
        path = self.folder / f"{name}.safetensors"
        if not path.is_file():
            run([self.program, "synth", *options, *(["--scale", "tiny"] if self.smoke and "--scale" not in options else []), "-q", "-o", path])
        return path

    def python(self, code, *arguments):
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout

    def imports(self, module):
        """Milliseconds of `import module`, a process each, without the start of the interpreter."""
        rounds = 3 if self.smoke else 30
        return [1000 * float(self.python(IMPORT.format(module=module))) for _ in range(rounds)]

    def reads(self):
        """Milliseconds to open a checkpoint of SDXL and read one tensor, here and with safetensors."""
        path = self.synth("sparse-sdxl", "sdxl", "--sparse")
        times = json.loads(self.python(READ, path, TENSOR, 3 if self.smoke else 200))
        return {who: [1000 * seconds for seconds in values] for who, values in times.items()}

    def sweeps(self):
        """Microseconds of each tensor of a merge of two SDXL of small tensors, one by one: what is not their bytes."""
        a = self.synth("tiny-a", "sdxl", "--scale", "tiny", "--seed", "1")
        b = self.synth("tiny-b", "sdxl", "--scale", "tiny", "--seed", "2", "--finetune-of", "1")
        return [1e6 * seconds for seconds in json.loads(self.python(SWEEP, a, b, 3 if self.smoke else 30))]

    def instructions(self, command):
        """Instructions that a command executes, on all its threads."""
        result = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *map(str, command)],
                                env=self.environment, check=True, capture_output=True, text=True)
        return int(re.search(r"Collected : (\d+)", result.stderr)[1])

    def merges(self, threads):
        """Instructions of a merge of two SD 1.5 beyond those of starting, in the program and in Python."""
        a = self.synth("a", "sd15", "--seed", "1")
        b = self.synth("b", "sd15", "--seed", "2", "--finetune-of", "1")
        recipe, out = self.folder / "two.yaml", self.folder / "out.safetensors"
        recipe.write_text(f"weightsmith: 1\nmodels: {{a: {a.name}, b: {b.name}}}\n"
                          "steps: {out: {op: weighted_sum, a: a, b: b, alpha: 0.3}}\n"
                          f"output: {{model: out, path: {out.name}}}\n")
        start = {"program": self.instructions([self.program, "--version"]),
                 "python": self.instructions([sys.executable, "-c", "import weightsmith"])}
        merge = {"program": [self.program, "merge", recipe, "--force", "--no-sync", "-q", "--threads", threads],
                 "python": [sys.executable, "-c", MERGE, recipe, out, threads]}
        return {who: self.instructions(command) - start[who] for who, command in merge.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--folder", help="where the files go and stay; default: a temporary one, removed")
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    try:
        print(f"{machine()}, Python {sys.version.split()[0]}\n")
        print("| | median | minimum |\n|---|---|---|")
        for module in ("weightsmith", "safetensors"):
            times = bench.imports(module)
            print(f"| `import {module}` | {statistics.median(times):.1f} ms | {min(times):.1f} ms |")
        reads = bench.reads()
        for who, title in (("ours", "weightsmith.open"), ("theirs", "safetensors.safe_open")):
            print(f"| one tensor of SDXL by `{title}` | {statistics.median(reads[who]):.2f} ms | {min(reads[who]):.2f} ms |")
        sweeps = bench.sweeps()
        print(f"| each tensor of a lazy merge of SDXL | {statistics.median(sweeps):.0f} µs | {min(sweeps):.0f} µs |")
        if not shutil.which("valgrind"):
            print("\nvalgrind is not installed: instructions are not counted.")
            return
        print("\n| merge of two SD 1.5 | instructions of the program | of Python | |\n|---|---|---|---|")
        for threads in (1, 2):
            counts = bench.merges(threads)
            print(f"| {threads} thread{'s' if threads > 1 else ''} | {counts['program'] / 1e6:.1f} M | {counts['python'] / 1e6:.1f} M "
                  f"| {counts['python'] / counts['program']:.3f} × |")
    finally:
        if not arguments.folder:
            shutil.rmtree(bench.folder)


if __name__ == "__main__":
    main()
