#!/usr/bin/env python3
"""Measures what moves tensors without computing (split, assemble, convert, other layouts) against cp of
the same bytes, on a full-size SDXL checkpoint, and merges from .ckpt against the same from safetensors.

Rounds, shuffling and quartiles as in merge_bench.py.

    bench/components_bench.py [--rounds N] [--only NAME,…] [--folder DIR]     35 GB of disk
    bench/components_bench.py --smoke       tiny files, one round: does everything run?
"""

import argparse
import contextlib
import random
import shutil
import sys
import tempfile
from pathlib import Path

from merge_bench import OTHER, ROOT, Contender, drop_caches, machine, remove, run, twins, warm


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.program = Path(arguments.build).resolve() / "bin" / "weightsmith"
        self.folder = Path(arguments.folder or tempfile.mkdtemp(prefix="components_bench_")).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        scale = ["--scale", "tiny"] if arguments.smoke else []
        for name, architecture, seed in (("xl", "sdxl", 1), ("xl2", "sdxl", 2), ("a", "sd15", 1), ("b", "sd15", 2)):
            path = self.folder / f"{name}.safetensors"
            if not path.is_file():
                of = ["--finetune-of", "1"] if seed > 1 else []
                run([self.program, "synth", architecture, "--seed", str(seed), *of, *scale, "-o", path])
        for name in "ab":
            if not (self.folder / f"{name}.ckpt").is_file():
                # In a process of its own: what this one holds counts as its children's peak.
                run([ROOT / ".venv/bin/python", ROOT / "bench/make_ckpt.py", self.folder / f"{name}.safetensors",
                     self.folder / f"{name}.ckpt"])
        if not (self.folder / "parts").is_dir():
            run([self.program, "split", self.folder / "xl.safetensors", "-q", "-o", self.folder / "parts"])
        for name, more in (("mix", ""), ("pipeline", ", layout: diffusers")):
            (self.folder / f"{name}.yaml").write_text(
                "weightsmith: 1\nmodels: {a: xl.safetensors, b: xl2.safetensors}\n"
                "steps: {out: {op: weighted_sum, a: a, b: b, alpha: 0.3}}\n"
                f"output: {{model: out, path: {'out.safetensors' if name == 'mix' else 'out'}{more}}}\n")

    def contenders(self):
        f, program = self.folder, self.program
        xl, parts = f / "xl.safetensors", f / "parts"
        fast = ["--no-sync", "-q"]
        one = f / "out.safetensors"

        def merge(ending):
            return [program, "merge", f / f"a.{ending}", f / f"b.{ending}", "--alpha", "0.3", *fast, "-o", one]

        return [
            Contender("cp", "`cp --reflink=never` of SDXL", ["cp", "--reflink=never", xl, one], ["xl.safetensors"]),
            Contender("split", "`split` of SDXL", [program, "split", xl, *fast, "-o", f / "out"], ["xl.safetensors"]),
            Contender("assemble", "`assemble` of its parts",
                      [program, "assemble", "--like", "sdxl", "--unet", parts / "unet.safetensors", "--clip-l",
                       parts / "clip_l.safetensors", "--clip-g", parts / "clip_g.safetensors", "--vae",
                       parts / "vae.safetensors", *fast, "-o", one], [f"parts/{p.name}" for p in parts.iterdir()]),
            Contender("convert", "`convert` to one file", [program, "convert", xl, *fast, "-o", one], ["xl.safetensors"]),
            Contender("diffusers", "`convert --layout diffusers`",
                      [program, "convert", xl, "--layout", "diffusers", *fast, "-o", f / "out"], ["xl.safetensors"]),
            Contender("mix", "merge of two SDXL", [program, "merge", f / "mix.yaml", *fast], ["xl.safetensors", "xl2.safetensors"]),
            Contender("pipeline", "the same, written as a pipeline of diffusers",
                      [program, "merge", f / "pipeline.yaml", *fast], ["xl.safetensors", "xl2.safetensors"]),
            Contender("safetensors", "merge of two SD 1.5", merge("safetensors"), ["a.safetensors", "b.safetensors"]),
            Contender("ckpt", "the same from .ckpt", merge("ckpt"), ["a.ckpt", "b.ckpt"]),
            Contender("open", "`info` of a .ckpt", [program, "info", f / "a.ckpt"], ["a.ckpt"]),
        ]

    def measure(self, contender, count):
        remove(self.folder / "out.safetensors")
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        # What earlier contenders left in memory is not thrown out on this one's time, where we may do that.
        with contextlib.suppress(OSError):
            drop_caches()
        warm(self.folder / name for name in contender.inputs)
        wall, cpu, peak, _ = run(contender.command)
        if count:
            contender.walls.append(wall)
            contender.cpus.append(cpu)
            contender.peaks.append(peak)

    def race(self):
        chosen = twins(self.contenders(), self.program, self.arguments.against)
        if self.arguments.only:
            chosen = [c for c in chosen if c.name.removesuffix(OTHER) in self.arguments.only.split(",")]
        rounds = 1 if self.arguments.smoke else self.arguments.rounds
        order = random.Random(1)
        shuffled = list(chosen)
        for number in range(1 if self.arguments.smoke else 0, rounds + 1):
            order.shuffle(shuffled)
            for contender in shuffled:
                self.measure(contender, count=number > 0)
            print(f"round {number} of {rounds}", file=sys.stderr)
        return {c.name: (c, c.summary()) for c in chosen}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--against", help="another build, whose commands run in the same rounds")
    parser.add_argument("--folder", help="where the files go and stay; default: a temporary one, removed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="names of contenders, with commas")
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    try:
        results = bench.race()
        print(f"{machine()}; SDXL of {(bench.folder / 'xl.safetensors').stat().st_size / 1e9:.2f} GB; warm\n")
        print("| | lower quartile | minimum | peak MiB | ratio |\n|---|---|---|---|---|")
        base = {"pipeline": "mix", "ckpt": "safetensors", "mix": "cp", "split": "cp", "assemble": "cp", "convert": "cp",
                "diffusers": "cp"}
        for name, (contender, s) in results.items():
            reference = name.removesuffix(OTHER) if name.endswith(OTHER) else base.get(name)
            ratio = f"{s['quartile'] / results[reference][1]['quartile']:.2f} × {reference}" if reference in results else ""
            print(f"| {contender.title} | {s['quartile']:.3f} s | {s['minimum']:.3f} s | {s['peak_mib']:.0f} | {ratio} |")
        if "cp" in results and not arguments.smoke:
            walls = results["cp"][0].walls
            print(f"\ncp took {min(walls):.2f} to {max(walls):.2f} s.")
    finally:
        if not arguments.folder:
            shutil.rmtree(bench.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
