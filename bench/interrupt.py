#!/usr/bin/env python3
"""Measures how long every command goes on after Ctrl-C, which it gets some seconds after its start on full-size files.

    bench/interrupt.py [--after S,…] [--only NAME,…] [--folder DIR]     35 GB of disk
    bench/interrupt.py --smoke       tiny files, one moment: does everything run?
"""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from merge_bench import ROOT, machine, remove, run

ADAPTERS = ("lora", "dora", "oft", "boft")


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.program = Path(arguments.build).resolve() / "bin" / "weightsmith"
        self.folder = Path(arguments.folder or tempfile.mkdtemp(prefix="interrupt_")).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.scale = ["--scale", "tiny"] if arguments.smoke else []
        for name, seed in (("sdxl", 0), ("sdxl2", 2)):
            path = self.folder / f"{name}.safetensors"
            if not path.is_file():
                run([self.program, "synth", "sdxl", "--seed", str(seed), *self.scale, "-q", "-o", path])
        for kind in ADAPTERS:
            if not self.adapter(kind).is_file():
                run([sys.executable, ROOT / "bench/make_lora.py", self.folder / "sdxl.safetensors", self.adapter(kind),
                     "--kind", kind])
        if not (self.folder / "parts").is_dir():
            run([self.program, "split", self.folder / "sdxl.safetensors", "-q", "-o", self.folder / "parts"])

    def adapter(self, kind):
        return self.folder / f"sdxl-{kind}.safetensors"

    def commands(self):
        folder, parts = self.folder, self.folder / "parts"
        a, b, out = folder / "sdxl.safetensors", folder / "sdxl2.safetensors", folder / "out.safetensors"
        merged = folder / "merged.safetensors"
        if not merged.is_file():
            run([self.program, "merge", a, b, "--alpha", "0.3", "-q", "-o", merged])
        yield "merge", ["merge", a, b, "--alpha", "0.3", "-o", out]
        for op in ("ties", "crossover"):
            recipe = folder / f"{op}.yaml"
            step = ("{op: ties, base: a, of: [{model: b, weight: 1}], density: 0.3}" if op == "ties"
                    else "{op: crossover, a: a, b: b, alpha: 0.5, tilt: 0.25}")
            recipe.write_text(f"weightsmith: 1\nmodels: {{a: {a.name}, b: {b.name}}}\nsteps: {{out: {step}}}\n"
                              f"output: {{model: out, path: {out.name}}}\n")
            yield f"merge ({op})", ["merge", recipe]
        for kind in ADAPTERS:
            yield f"bake ({kind})", ["bake", a, "--lora", f"{self.adapter(kind)}:0.8", "-o", out]
            yield f"bake --dry-run ({kind})", ["bake", a, "--lora", f"{self.adapter(kind)}:0.8", "--dry-run", "-o", out]
        yield "plan", ["plan", folder / "ties.yaml"]
        yield "split", ["split", a, "-o", folder / "out"]
        yield "assemble", ["assemble", "--like", "sdxl", "--unet", parts / "unet.safetensors", "--clip-l", parts / "clip_l.safetensors",
                           "--clip-g", parts / "clip_g.safetensors", "--vae", parts / "vae.safetensors", "-o", out]
        yield "convert", ["convert", a, "--dtype", "bf16", "-o", out]
        yield "convert --layout diffusers", ["convert", a, "--layout", "diffusers", "-o", folder / "out"]
        yield "verify", ["verify", merged]
        yield "hash", ["hash", a]
        yield "scan", ["scan", a]
        yield "info", ["info", a]
        yield "validate", ["validate", a]
        yield "lora info", ["lora", "info", self.adapter("boft")]
        yield "meta", ["meta", a]
        yield "synth", ["synth", "sdxl", *self.scale, "-o", out]

    def clean(self):
        remove(self.folder / "out.safetensors")
        for left in self.folder.glob("out.safetensors.*"):
            left.unlink()
        shutil.rmtree(self.folder / "out", ignore_errors=True)

    def interrupted(self, command, after):
        """Seconds from the signal to the end; nothing where the command had ended before."""
        self.clean()
        process = subprocess.Popen([self.program, *map(str, command), "--progress", "off"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(after)
            return None
        except subprocess.TimeoutExpired:
            sent = time.perf_counter()
            process.send_signal(signal.SIGINT)
            process.wait()
            return time.perf_counter() - sent

    def measure(self, command):
        """Seconds of each interrupt, until the command ends before it."""
        found = []
        for after in [0.01] if self.arguments.smoke else map(float, self.arguments.after.split(",")):
            seconds = self.interrupted(command, after)
            if seconds is None:
                break
            found.append(seconds)
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--folder", help="where the files go and stay; default: a temporary one, removed")
    parser.add_argument("--after", default="0.1,0.3,1,2,4,8,16", help="seconds, ascending")
    parser.add_argument("--only", help="names of commands, with commas")
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    try:
        print(f"{machine()}\n\n| command | interrupts | longest until it ended |\n|---|---|---|")
        for name, command in bench.commands():
            if arguments.only and name not in arguments.only.split(","):
                continue
            found = bench.measure(command)
            print(f"| {name} | {len(found)} | {max(found, default=0):.3f} s |", flush=True)
    finally:
        bench.clean()
        if not arguments.folder:
            shutil.rmtree(bench.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
