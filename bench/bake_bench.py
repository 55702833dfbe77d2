#!/usr/bin/env python3
"""Measures what baking a LoRA of every module into a full-size model takes, against a plain copy of the
model through the same pipeline (read, decode, encode, digest, write) and against a PyTorch script.

Rounds, shuffling and quartiles as in merge_bench.py.

    bench/bake_bench.py [--rounds N] [--folder DIR]     SDXL, rank 32: 15 GB of disk
    bench/bake_bench.py --only flux                     FLUX.1, rank 16: 48 GB
    bench/bake_bench.py --only sdxl_dora                DoRA on SDXL
    bench/bake_bench.py --only flux_fp8                 FLUX.1 in fp8 with scales, rank 16: 24 GB
    bench/bake_bench.py --against BUILD                 each bake also with the program of another build
    bench/bake_bench.py --smoke                         tiny files, one round: does everything run?
"""

import argparse
import json
import random
import shutil
import struct
import sys
import tempfile
from pathlib import Path

from merge_bench import OTHER, ROOT, Contender, machine, remove, run, twins, warm


MODELS = {
    "sdxl": ("sdxl", 32, "F16", {}),
    "sdxl_dora": ("sdxl", 32, "F16", {"dora": True}),
    "flux": ("flux1-dev", 16, "BF16", {}),
    "flux_fp8": ("flux1-dev", 16, "BF16", {"scaled": True}),
}


def add_scales(plain, scaled):
    """Writes a model of fp8 again as ComfyUI's scaled fp8: a scale beside every matrix, and a marker."""
    with open(plain, "rb") as source:
        (size,) = struct.unpack("<Q", source.read(8))
        entries = json.loads(source.read(size))
        entries.pop("__metadata__", None)
        end = max(entry["data_offsets"][1] for entry in entries.values())
        beside = {name.removesuffix("weight") + "scale_weight": struct.pack("<f", 0.5) for name, entry in entries.items()
                  if name.endswith(".weight") and len(entry["shape"]) == 2 and entry["dtype"] == "F8_E4M3"}
        tail = b"".join(beside.values())
        for index, name in enumerate(beside):
            entries[name] = {"dtype": "F32", "shape": [], "data_offsets": [end + 4 * index, end + 4 * index + 4]}
        at = end + len(tail)
        entries["scaled_fp8"] = {"dtype": "F8_E4M3", "shape": [0], "data_offsets": [at, at]}
        text = json.dumps(entries).encode()
        text += b" " * (-len(text) % 8)
        with open(scaled, "wb") as target:
            target.write(struct.pack("<Q", len(text)) + text)
            shutil.copyfileobj(source, target, 1 << 24)
            target.write(tail)


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.bin = Path(arguments.build).resolve() / "bin"
        self.folder = Path(arguments.folder or tempfile.mkdtemp(prefix="bake_bench_")).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.out = self.folder / "out.safetensors"

    def make(self, name, architecture, rank, dtype, *, dora=False, scaled=False):
        """A model, its LoRA, and the recipe that bakes it."""
        base, lora = self.folder / f"{name}.safetensors", self.folder / f"{name}-lora.safetensors"
        scale = ["--scale", "tiny"] if self.arguments.smoke else []
        if not base.is_file():
            plain = base.with_suffix(".plain") if scaled else base
            fp8 = ["--dtype", "f8_e4m3"] if scaled else []
            run([self.bin / "weightsmith", "synth", architecture, *scale, *fp8, "-q", "-o", plain])
            if scaled:
                add_scales(plain, base)
                plain.unlink()
        if not lora.is_file():
            run([sys.executable, ROOT / "bench/make_lora.py", base, lora, "--rank", str(rank), "--dtype", dtype,
                 *(["--kind", "dora"] if dora else [])])
        recipe = self.folder / f"{name}.yaml"
        recipe.write_text(f"weightsmith: 1\nmodels: {{base: {base.name}}}\nadapters: {{lora: {lora.name}}}\n"
                          f"steps: {{out: {{op: bake, model: base, adapters: [\"lora:0.8\"]}}}}\n"
                          f"output: {{model: out, path: {self.out.name}}}\n")
        inputs = [base.name, lora.name]
        contenders = [
            Contender(f"{name}-null", f"{name}: a plain copy through the pipeline", [self.bin / "null_pipeline", recipe, self.out], inputs),
        ] if (self.bin / "null_pipeline").is_file() else []
        contenders += [
            Contender(f"{name}-bake", f"{name}: rank {rank} on every module",
                      [self.bin / "weightsmith", "bake", base, "--lora", f"{lora}:0.8", "--no-sync", "-q", "-o", self.out], inputs)]
        torch = ROOT / ".venv-parity/bin/python"
        if torch.is_file() and name == "sdxl":
            contenders.append(Contender(f"{name}-torch", f"{name}: PyTorch script, 2 threads",
                                        [torch, ROOT / "bench/peers/torch_bake.py", base, lora, "0.8", self.out], inputs, own_clock=True, slow=True))
        return twins(contenders, self.bin / "weightsmith", self.arguments.against)

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
    parser.add_argument("--against", help="another build, whose bakes run in the same rounds")
    parser.add_argument("--only", default="sdxl", help="sdxl, sdxl_dora, flux, flux_fp8, with commas")
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    try:
        rows = []
        chosen = MODELS if arguments.smoke else arguments.only.split(",")
        for name in chosen:
            architecture, rank, dtype, more = MODELS[name]
            rows += bench.race(bench.make(name, architecture, rank, dtype, **more))
    finally:
        if not arguments.folder:
            shutil.rmtree(bench.folder)
    print(f"{machine()}; warm\n")
    print("| | lower quartile | minimum | CPU s | peak MiB | ratio |\n|---|---|---|---|---|---|")
    by_name = {row["name"]: row for row in rows}
    titles = {"null": "a plain copy through the pipeline", "bake": "bake", "torch": "PyTorch script, 2 threads",
              f"bake{OTHER}": "bake, the other build"}
    for row in rows:
        model, what = row["name"].split("-", 1)
        other = by_name.get(f"{model}-" + {"bake": "null", "torch": "bake", f"bake{OTHER}": "bake"}.get(what, ""))
        ratio = f"{row['quartile'] / other['quartile']:.2f} × {other['name'].split('-', 1)[1]}" if other else ""
        print(f"| {model}: {titles[what]} | {row['quartile']:.2f} s | {row['minimum']:.2f} s | {row['cpu_quartile']:.1f} | {row['peak_mib']:.0f} | {ratio} |")


if __name__ == "__main__":
    main()
