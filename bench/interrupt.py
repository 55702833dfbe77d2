#!/usr/bin/env python3
"""Measures how long every command goes on after Ctrl-C, which it gets some seconds after its start on full-size files, and
looks at what it leaves.

    bench/interrupt.py [--after S,…] [--only NAME,…] [--folder DIR]     60 GB of disk, hours for all operators
    bench/interrupt.py --smoke       tiny files, few moments, no judgement of time
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from merge_bench import ROOT, machine, run

sys.path.insert(0, str(ROOT / "tests" / "python"))

import operator_steps  # noqa: E402

ADAPTERS = ("lora", "dora", "oft", "boft")
MODELS = {"base": 0, "a": 1, "b": 2, "c": 3}
INTERRUPTED = 130
SHARES = (0.5, 0.8)
# Operators that need more than their declaration tells, and do nothing by themselves.
ONLY_INSIDE = ("within",)
# One of each kind: without passes, sums, votes, random numbers, ranks, transforms of lines and of all, orders, rotations,
# units, singular vectors, points, surveys, neighbours, groups. A smoke takes these.
KINDS = ("weighted_sum", "slerp", "ties", "dare_ties", "della", "crossover", "distribution_crossover", "rotate", "rebasin",
         "align_attention", "tsv_merge", "svc", "truncate_rank", "geometric_median", "cosine_a", "smooth_add", "cabs")
# What a command that can be gone on with leaves of its outputs.
UNFINISHED = (".partial", ".journal")


@dataclass
class Row:
    """A command that is interrupted: what it writes is called out…, or is in the folder `out`."""

    name: str
    words: list
    kept: bool = False  # the same command goes on from what an interrupted one leaves
    before: list | None = None  # a command that is interrupted first
    fails: int = 0  # what it ends with where nobody interrupts it


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.program = Path(arguments.build).resolve() / "bin" / "weightsmith"
        os.environ["WEIGHTSMITH_BUILD"] = str(Path(arguments.build).resolve())  # whose operators these are
        self.folder = Path(arguments.folder or tempfile.mkdtemp(prefix="interrupt_")).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.scale = ["--scale", "tiny"] if arguments.smoke else []
        self.interrupts = 0
        for name, seed in MODELS.items():
            related = ["--finetune-of", "0"] if seed else []
            self.make(self.model(name), "synth", "sdxl", "--seed", seed, *related, *self.scale, "-q", "-o", self.model(name))
        for kind in ADAPTERS:
            self.make_by("make_lora.py", self.adapter(kind), self.model("base"), self.adapter(kind), "--kind", kind)
        self.make_by("make_ckpt.py", self.folder / "base.ckpt", self.model("base"), self.folder / "base.ckpt")
        self.make(self.folder / "parts", "split", self.model("base"), "-q", "-o", self.folder / "parts")
        self.make(self.merged, "merge", self.model("base"), self.model("a"), "--alpha", "0.3", "-q", "-o", self.merged)
        for operator in operator_steps.table():
            self.write_recipe(operator)
        self.inputs = set(self.folder.rglob("*"))

    def make(self, path, *words):
        if not path.exists():
            run([self.program, *map(str, words)])

    def make_by(self, script, path, *words):
        if not path.exists():
            run([sys.executable, ROOT / "bench" / script, *map(str, words)])

    def model(self, name):
        return self.folder / f"{name}.safetensors"

    @property
    def merged(self):
        return self.folder / "merged.safetensors"

    def adapter(self, kind):
        return self.folder / f"sdxl-{kind}.safetensors"

    def recipe(self, operator):
        return self.folder / f"{operator}.json"

    def write_recipe(self, operator):
        step = operator_steps.as_weight(operator, operator_steps.step(operator, 1))
        if operator["name"] == "bake":
            step["adapters"] = [{"use": "lora", "strength": 0.8}]
        self.recipe(operator["name"]).write_text(json.dumps({
            "weightsmith": 1, "models": {name: self.model(name).name for name in MODELS}, "steps": {"result": step},
            **({"adapters": {"lora": self.adapter("lora").name}} if operator["name"] == "bake" else {}),
            "output": {"model": "result", "path": "out.safetensors"}, "policy": {"effect": "any"}}))

    def rows(self):
        folder, parts, base, out = self.folder, self.folder / "parts", self.model("base"), self.folder / "out.safetensors"
        merge = ["merge", base, self.model("a"), "--alpha", "0.3", "-o", out]
        yield Row("merge", merge, kept=True)
        yield Row("merge --no-digest", [*merge, "--no-digest"])
        yield Row("merge --threads 1", [*merge, "--threads", "1"], kept=True)
        yield Row("resume", merge, kept=True, before=merge)
        for kind in ADAPTERS:
            bake = ["bake", base, "--lora", f"{self.adapter(kind)}:0.8", "-o", out]
            yield Row(f"bake ({kind})", bake, kept=True)
            yield Row(f"bake --dry-run ({kind})", [*bake, "--dry-run"])
        yield Row("plan", ["plan", self.recipe("ties")])
        yield Row("plan --no-sample", ["plan", self.recipe("ties"), "--no-sample"])
        yield Row("validate", ["validate", self.recipe("ties")])
        yield Row("split", ["split", base, "-o", folder / "out"], kept=True)
        components = [word for name in ("unet", "clip_l", "clip_g", "vae")
                      for word in (f"--{name.replace('_', '-')}", parts / f"{name}.safetensors")]
        yield Row("assemble", ["assemble", "--like", "sdxl", *components, "-o", out], kept=True)
        yield Row("convert", ["convert", base, "--dtype", "bf16", "-o", out], kept=True)
        yield Row("convert (f8)", ["convert", base, "--dtype", "f8_e4m3", "-o", out], kept=True)
        yield Row("convert (.ckpt)", ["convert", folder / "base.ckpt", "-o", out], kept=True)
        yield Row("convert --layout diffusers", ["convert", base, "--layout", "diffusers", "-o", folder / "out"], kept=True)
        yield Row("verify", ["verify", self.merged])
        for path in (base, folder / "base.ckpt"):
            for command in ("hash", "scan", "info"):
                yield Row(f"{command} ({path.suffix[1:]})", [command, path])
        yield Row("lora info", ["lora", "info", self.adapter("boft")])
        yield Row("meta", ["meta", base])
        yield Row("synth", ["synth", "sdxl", *self.scale, "-o", out])
        # What waits for the disk is in the rows above.
        without_disk = ["--no-sync"] if self.arguments.smoke else []
        for operator in operator_steps.table():
            if operator["name"] not in KINDS and self.arguments.smoke or operator["name"] in ONLY_INSIDE:
                continue
            yield Row(f"merge ({operator['name']})", ["merge", self.recipe(operator["name"]), *without_disk], kept=True)

    def clean(self):
        for path in sorted(set(self.folder.rglob("*")) - self.inputs, reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()

    def command(self, words):
        return [self.program, *map(str, words), *([] if words[0] in ("info", "meta", "lora", "validate") else ["--progress", "off"])]

    def interrupted(self, words, after):
        """The status, and seconds from the signal to the end: nothing where it had ended before."""
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(self.command(words), cwd=self.folder, stdout=subprocess.DEVNULL, stderr=errors)
            try:
                process.wait(after)
                seconds = None
            except subprocess.TimeoutExpired:
                sent = time.perf_counter()
                process.send_signal(signal.SIGINT)
                process.wait()
                seconds = time.perf_counter() - sent
            errors.seek(0)
            return process.returncode, seconds, errors.read().decode(errors="replace")

    def expect(self, row, status, seconds, errors):
        """What the documentation promises of the end."""
        if status not in (row.fails, INTERRUPTED, -signal.SIGINT):
            raise SystemExit(f"{row.name}: status {status}: {errors}")
        if status == -signal.SIGINT and seconds is None:
            raise SystemExit(f"{row.name}: ended by a signal that nobody sent")
        new = [path for path in set(self.folder.rglob("*")) - self.inputs if path.is_file()]
        if status == row.fails:
            if unfinished := [path.name for path in new if path.name.endswith(UNFINISHED)]:
                raise SystemExit(f"{row.name}: succeeded and left {unfinished}")
            return
        others = [path.name for path in new if not (row.kept and path.name.endswith(UNFINISHED))]
        if others:
            raise SystemExit(f"{row.name}: was interrupted and left {others}")

    def moments(self, row):
        """Seconds at which a row is interrupted; in a smoke, shares of what it takes."""
        if not self.arguments.smoke:
            return list(map(float, self.arguments.after.split(",")))
        self.clean()
        started = time.perf_counter()
        status, seconds, errors = self.interrupted(row.words, 600)
        self.expect(row, status, seconds, errors)
        return [(time.perf_counter() - started) * share for share in SHARES]

    def measure(self, row):
        """Seconds of each interrupt, until the command ends before it."""
        found = []
        for after in self.moments(row):
            self.clean()
            if row.before:
                if self.interrupted(row.before, after)[0] == 0:
                    break
                after = min(after, 0.3)
            status, seconds, errors = self.interrupted(row.words, after)
            self.expect(row, status, seconds, errors)
            if status == INTERRUPTED:
                self.interrupts += 1
                found.append(seconds)
                if self.arguments.smoke and row.kept:
                    status, seconds, errors = self.interrupted(row.words, 600)
                    self.expect(row, status, seconds, errors)
            elif status == row.fails and seconds is None and not self.arguments.smoke:
                break
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--folder", help="where the files go and stay; default: a temporary one, removed")
    parser.add_argument("--after", default="0.1,0.3,1,2,4,8,16", help="seconds, ascending")
    parser.add_argument("--only", help="names of rows, with commas; a name without its parentheses is all of them")
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    only = arguments.only.split(",") if arguments.only else None
    bench = Bench(arguments)
    try:
        print(f"{machine()}\n\n| command | interrupts | longest until it ended |\n|---|---|---|")
        for row in bench.rows():
            if only and row.name not in only and row.name.split(" (")[0] not in only:
                continue
            found = bench.measure(row)
            print(f"| {row.name} | {len(found)} | {max(found, default=0):.3f} s |", flush=True)
        if not bench.interrupts:
            raise SystemExit("no command was interrupted: the moments are too late")
    finally:
        bench.clean()
        if not arguments.folder:
            shutil.rmtree(bench.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
