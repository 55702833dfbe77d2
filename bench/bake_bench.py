#!/usr/bin/env python3
"""Measures what baking a LoRA of every module into a full-size model takes, against a plain copy of the
model through the same pipeline (read, decode, encode, digest, write) and against a PyTorch script.

Rounds, shuffling and quartiles as in merge_bench.py.

    bench/bake_bench.py [--rounds N] [--folder DIR]     SDXL, rank 32: 15 GB of disk
    bench/bake_bench.py --flux                          and FLUX.1, rank 16: 48 GB more
    bench/bake_bench.py --smoke                         tiny files, one round: does everything run?
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

from merge_bench import ROOT, Contender, machine, remove, run, warm


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.bin = Path(arguments.build).resolve() / "bin"
        self.folder = Path(arguments.folder or tempfile.mkdtemp(prefix="bake_bench_")).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.out = self.folder / "out.safetensors"

    def make(self, name, architecture, rank, dtype):
        """A model, its LoRA, and the recipe that bakes it."""
        base, lora = self.folder / f"{name}.safetensors", self.folder / f"{name}-lora.safetensors"
        scale = ["--scale", "tiny"] if self.arguments.smoke else []
        if not base.is_file():
            run([self.bin / "weightsmith", "synth", architecture, *scale, "-q", "-o", base])
        if not lora.is_file():
            run([sys.executable, ROOT / "bench/make_lora.py", base, lora, "--rank", str(rank), "--dtype", dtype])
        recipe = self.folder / f"{name}.yaml"
        recipe.write_text(f"weightsmith: 1\nmodels: {{base: {base.name}}}\nadapters: {{lora: {lora.name}}}\n"
                          f"steps: {{out: {{op: bake, model: base, adapters: [\"lora:0.8\"]}}}}\n"
                          f"output: {{model: out, path: {self.out.name}}}\n")
        inputs = [base.name, lora.name]
        contenders = [
            Contender(f"{name}-null", f"{name}: a plain copy through the pipeline", [self.bin / "null_pipeline", recipe, self.out], inputs),
            Contender(f"{name}-bake", f"{name}: rank {rank} on every module",
                      [self.bin / "weightsmith", "bake", base, "--lora", f"{lora}:0.8", "--no-sync", "-q", "-o", self.out], inputs)]
        torch = ROOT / ".venv-parity/bin/python"
        if torch.is_file() and name == "sdxl":
            contenders.append(Contender(f"{name}-torch", f"{name}: PyTorch script, 2 threads",
                                        [torch, ROOT / "bench/peers/torch_bake.py", base, lora, "0.8", self.out], inputs, own_clock=True, slow=True))
        return contenders

    def measure(self, contender, count):
        remove(self.out)
        warm(self.folder / name for name in contender.inputs)
        wall, cpu, peak, printed = run(contender.command)
        if contender.own_clock:
            wall = json.loads(printed)["wall"]
        if count:
            contender.walls.append(wall)
            contender.cpus.append(cpu)
            contender.peaks.append(peak)

    def race(self, contenders):
        rounds = 1 if self.arguments.smoke else self.arguments.rounds
        order = random.Random(1)
        for number in range(0 if rounds > 1 else 1, rounds + 1):
            shuffled = [c for c in contenders if not c.slow or number in (1, 2)]
            order.shuffle(shuffled)
            for contender in shuffled:
                self.measure(contender, count=number > 0)
            print(f"round {number} of {rounds}", file=sys.stderr)
        return [c.summary() for c in contenders]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--folder", help="where the files go and stay; default: a temporary one, removed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flux", action="store_true")
    parser.add_argument("--only-flux", action="store_true")
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    try:
        rows = []
        if not arguments.only_flux:
            rows += bench.race(bench.make("sdxl", "sdxl", 32, "F16"))
        if arguments.flux or arguments.only_flux or arguments.smoke:
            rows += bench.race(bench.make("flux", "flux1-dev", 16, "BF16"))
    finally:
        if not arguments.folder:
            shutil.rmtree(bench.folder)
    print(f"{machine()}; warm\n")
    print("| | lower quartile | minimum | CPU s | peak MiB | ratio |\n|---|---|---|---|---|---|")
    by_name = {row["name"]: row for row in rows}
    titles = {"null": "a plain copy through the pipeline", "bake": "bake", "torch": "PyTorch script, 2 threads"}
    for row in rows:
        model, what = row["name"].split("-")
        other = {"bake": "null", "torch": "bake"}.get(what)
        ratio = f"{row['quartile'] / by_name[f'{model}-{other}']['quartile']:.2f} × {other}" if other else ""
        print(f"| {model}: {titles[what]} | {row['quartile']:.2f} s | {row['minimum']:.2f} s | {row['cpu_quartile']:.1f} | {row['peak_mib']:.0f} | {ratio} |")


if __name__ == "__main__":
    main()
