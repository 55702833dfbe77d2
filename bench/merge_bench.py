#!/usr/bin/env python3
"""Measures merges at full size against cp, against our own floor, and against scripts of the kind
that people write.

Every round runs every contender once, in shuffled order, so that a machine that drifts is unkind to
all alike. Before each run the earlier output is removed and synced away, and the inputs are read
once (warm) or dropped from the page cache (--cold). Round 0 is not counted. Peak memory is never
less than this script's own, which the kernel hands on to what it starts. Ratios are taken of lower
quartiles: what other users of the machine add makes runs slower, never faster.

    bench/merge_bench.py [--rounds N] [--only NAME,…] [--cold] [--memory] [--json FILE] [--folder DIR]
    bench/merge_bench.py --smoke       tiny files, one round, no judgement: does everything run?
    bench/merge_bench.py --against BUILD --only merge,linear,chain
                                       each merge also with the program of another build, in the same rounds
"""

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

OTHER = "@other"  # behind the name of a contender that another build runs

RECIPES = {
    "two": ("ab", "  out: {op: weighted_sum, a: a, b: b, alpha: 0.3}\n"),
    "blocks": (
        "ab",
        "  out: {op: weighted_sum, a: a, b: b, alpha: {unet: {curve: [0.1, 0.9, 0.4]}, in.3: 0.7, \"/attn2/\": 0.2, te: 0.5}}\n",
    ),
    "linear": (
        "abc",
        "  out: {op: linear, of: [{model: a, weight: 0.5}, {model: b, weight: 0.3}, {model: c, weight: 0.2}]}\n",
    ),
    "chain": (
        "abc",
        "  one: {op: add_difference, a: a, b: b, c: c, alpha: 0.4}\n"
        "  two: {op: weighted_sum, a: one, b: b, alpha: 0.3}\n"
        "  out: {op: weighted_sum, a: two, b: c, alpha: 0.1}\n",
    ),
    "slerp": ("ab", "  out: {op: slerp, a: a, b: b, alpha: 0.3}\n"),
    "ties": ("abc", "  out: {op: ties, base: a, of: [{model: b, weight: 0.6}, {model: c, weight: 0.4}], density: 0.3}\n"),
    "model_stock": ("abc", "  out: {op: model_stock, base: a, of: [b, c]}\n"),
    "crossover": ("ab", "  out: {op: crossover, a: a, b: b, alpha: 0.4, tilt: 0.25}\n"),
}


@dataclass
class Contender:
    name: str
    title: str
    command: list
    inputs: str  # letters of the files that it reads
    own_clock: bool = False  # prints its times, without what it takes to start
    slow: bool = False  # runs in fewer rounds
    walls: list = field(default_factory=list)
    cpus: list = field(default_factory=list)
    peaks: list = field(default_factory=list)

    def summary(self):
        walls = sorted(self.walls)
        return {
            "name": self.name,
            "runs": len(walls),
            "quartile": quartile(walls),
            "median": statistics.median(walls),
            "minimum": walls[0],
            "cpu_quartile": quartile(sorted(self.cpus)),
            "peak_mib": max(self.peaks) / 1024,
        }


def quartile(values):
    """The lower quartile of sorted values, an element of them."""
    return values[(len(values) - 1) // 4]


def run(command, output=None):
    """Wall and CPU seconds, peak resident KiB, and what was printed, of a command that succeeds."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    printed = process.stdout.read()
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\nended with {process.returncode}\n{errors.decode()}")
    if output is not None and not output.is_file():
        raise SystemExit(f"{' '.join(map(str, command))}\nwrote no {output}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, printed


def remove(path):
    if path.exists():
        path.unlink()
        os.sync()


def warm(paths):
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 20):
                pass


def drop_caches():
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")


def twins(contenders, program, against):
    """With each command of `program` that of another build, where there is one."""
    if not against:
        return contenders
    other = Path(against).resolve() / "bin" / program.name
    return contenders + [Contender(f"{c.name}{OTHER}", f"{c.title}, the other build", [other, *c.command[1:]], c.inputs)
                         for c in contenders if c.command[0] == program]


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.bin = Path(arguments.build).resolve() / "bin"
        self.program = self.bin / "weightsmith"
        self.folder = Path(arguments.folder or tempfile.mkdtemp(prefix="merge_bench_")).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.output = self.folder / "out.safetensors"
        scale = ["--scale", "tiny"] if arguments.smoke else []
        for seed, letter in enumerate("abc", 1):
            if not self.model(letter).is_file():
                of = ["--finetune-of", "1"] if seed > 1 else []
                run([self.program, "synth", "sd15", "--seed", str(seed), *of, *scale, "-o", self.model(letter)])
        for name, (letters, steps) in RECIPES.items():
            models = "".join(f"  {letter}: {letter}.safetensors\n" for letter in letters)
            self.recipe(name).write_text(
                f"weightsmith: 1\nmodels:\n{models}steps:\n{steps}output: {{model: out, path: out.safetensors}}\n"
            )
        self.gigabytes = self.model("a").stat().st_size / 1e9

    def model(self, letter):
        return self.folder / f"{letter}.safetensors"

    def recipe(self, name):
        return self.folder / f"{name}.yaml"

    def contenders(self):
        a, b, out = self.model("a"), self.model("b"), self.output

        def merge(recipe, *options):
            return [self.program, "merge", self.recipe(recipe), "--force", "-q", *options]

        def shell(text):
            return ["sh", "-c", text, "sh", str(a), str(out)]

        def peer(environment, script):
            python = ROOT / environment / "bin" / "python"
            if not python.exists():
                raise SystemExit(f"{python} is missing: run scripts/install_dependencies.sh --dev")
            return [python, ROOT / "bench" / "peers" / script, a, b, "0.3", out]

        listed = [
            Contender("cp", "`cp --reflink=never` of one input", ["cp", "--reflink=never", a, out], "a"),
            Contender("cp+sync", "`cp` + `sync FILE` of one input",
                      shell('cp --reflink=never "$1" "$2" && sync "$2"'), "a"),
            Contender("merge", "weighted sum of two, `--no-sync`", merge("two", "--no-sync"), "ab"),
            Contender("merge+sync", "weighted sum of two, durable", merge("two"), "ab"),
            Contender("blocks", "the same with weights by block, `--no-sync`", merge("blocks", "--no-sync"), "ab"),
            Contender("null", "null pipeline: the same I/O and digests, an identity for the operator",
                      [self.bin / "null_pipeline", self.recipe("two"), out], "ab"),
            Contender("bare", "the null pipeline without digests",
                      [self.bin / "null_pipeline", self.recipe("two"), out, "--bare"], "ab"),
            Contender("linear", "`linear` of three, `--no-sync`", merge("linear", "--no-sync"), "abc"),
            Contender("chain", "three operators over three, `--no-sync`", merge("chain", "--no-sync"), "abc"),
            Contender("slerp", "`slerp` of two, `--no-sync`", merge("slerp", "--no-sync"), "ab"),
            Contender("ties", "`ties` of two and a base, `--no-sync`", merge("ties", "--no-sync"), "abc"),
            Contender("model_stock", "`model_stock` of two and a base, `--no-sync`", merge("model_stock", "--no-sync"), "abc"),
            Contender("crossover", "`crossover` of two, `--no-sync`", merge("crossover", "--no-sync"), "ab", slow=True),
            Contender("numpy", "numpy script, mapped files", peer(".venv", "numpy_merge.py"), "ab", True, True),
            Contender("torch", "PyTorch script, 2 threads", peer(".venv-parity", "torch_merge.py"), "ab", True, True),
        ]
        return twins(listed, self.program, self.arguments.against)

    def measure(self, contender, count):
        remove(self.output)
        os.sync()
        inputs = [self.model(letter) for letter in contender.inputs]
        if self.arguments.cold:
            drop_caches()
        else:
            warm(inputs)
        wall, cpu, peak, printed = run(contender.command, self.output)
        if contender.own_clock:
            own = json.loads(printed)
            wall, cpu = own["wall"], own["user"] + own["system"]
        if count:
            contender.walls.append(wall)
            contender.cpus.append(cpu)
            contender.peaks.append(peak)

    def race(self):
        chosen = self.contenders()
        if self.arguments.only:
            names = self.arguments.only.split(",")
            unknown = set(names) - {c.name for c in chosen}
            if unknown:
                raise SystemExit(f"unknown contenders: {', '.join(sorted(unknown))}")
            chosen = [c for c in chosen if c.name.removesuffix(OTHER) in names]
        rounds = 1 if self.arguments.smoke else self.arguments.rounds
        order = random.Random(self.arguments.seed)
        for round_number in range(0 if not self.arguments.smoke else 1, rounds + 1):
            order.shuffle(chosen)
            for contender in chosen:
                if contender.slow and round_number > self.arguments.slow_rounds:
                    continue
                self.measure(contender, count=round_number > 0)
            print(f"round {round_number} of {rounds}", file=sys.stderr)
        remove(self.output)
        return {c.name: (c, c.summary()) for c in chosen}

    def memory(self):
        """Peak resident MiB of merges of two sparse files: true headers, zeros that take no disk."""
        rows = []
        smoke = self.arguments.smoke
        for name, options in (("sd15", ["--max-memory", "128M"]), ("sd15", []), ("sdxl", []), ("flux1-dev", [])):
            paths = [self.folder / f"sparse-{name}-{letter}.safetensors" for letter in "ab"]
            for path in paths:
                scale = ["--scale", "tiny"] if smoke else []
                run([self.program, "synth", name, "--seed", "1", "--sparse", *scale, "--force", "-o", path])
            output = self.folder / f"sparse-{name}-out.safetensors"
            remove(output)
            command = [self.program, "merge", *paths, "--alpha", "0.3", "--policy", "effect=any", "--no-sync", "-q",
                       "-o", output, *options]
            wall, _, peak, _ = run(command, output)
            rows.append({"model": name, "options": " ".join(options), "bytes": output.stat().st_size,
                         "peak_mib": peak / 1024, "wall": wall})
            for path in (*paths, output):
                path.unlink()
        return rows

    def headers(self):
        """Seconds of commands that read headers only, the start of the program included."""
        smoke = ["--scale", "tiny"] if self.arguments.smoke else []
        sdxl = self.folder / "sparse-sdxl.safetensors"
        run([self.program, "synth", "sdxl", "--seed", "1", "--sparse", *smoke, "--force", "-o", sdxl])
        rows = [{"command": "info of SDXL", "minimum": min(run([self.program, "info", sdxl])[0] for _ in range(10))}]
        flux = []
        for seed in (1, 2, 3):
            path = self.folder / f"sparse-flux-{seed}.safetensors"
            run([self.program, "synth", "flux1-dev", "--seed", str(seed), "--sparse", *smoke, "--force", "-o", path])
            flux.append(path)
        recipe = self.folder / "flux.yaml"
        models = "".join(f"  {letter}: {path.name}\n" for letter, path in zip("abc", flux))
        recipe.write_text(
            f"weightsmith: 1\nmodels:\n{models}steps:\n"
            "  out: {op: add_difference, a: a, b: b, c: c, alpha: 0.5}\n"
            "output: {model: out, path: flux-out.safetensors}\npolicy: {effect: any}\n"
        )
        command = [self.program, "plan", recipe, "--no-sample"]
        rows.append({"command": "plan of three FLUX", "minimum": min(run(command)[0] for _ in range(5))})
        for path in (sdxl, *flux):
            path.unlink()
        return rows


def table(results, gigabytes):
    """The markdown table that the README quotes."""
    base = {"merge+sync": "cp+sync", "linear": "cp", "chain": "linear", "blocks": "merge", "slerp": "merge", "ties": "linear",
            "model_stock": "linear", "crossover": "merge"}
    lines = ["| | lower quartile | median | minimum | CPU s per GB written | peak MiB | ratio |", "|---|---|---|---|---|---|---|"]
    for name, (contender, s) in results.items():
        reference = name.removesuffix(OTHER) if name.endswith(OTHER) else base.get(name, "cp")
        ratio = ""
        if reference in results and reference != name:
            ratio = f"{s['quartile'] / results[reference][1]['quartile']:.2f} × {reference}"
        lines.append(
            f"| {contender.title} | {s['quartile']:.3f} s | {s['median']:.3f} s | {s['minimum']:.3f} s "
            f"| {s['cpu_quartile'] / gigabytes:.2f} | {s['peak_mib']:.0f} | {ratio} |"
        )
    return "\n".join(lines)


def goals(results, gigabytes):
    """What the project promises itself: (sentence, measured, limit)."""
    q = {name: s["quartile"] for name, (_, s) in results.items()}
    cpu = {name: s["cpu_quartile"] for name, (_, s) in results.items()}
    rows = [
        ("merge / cp", ("merge", "cp"), lambda: q["merge"] / q["cp"], 1.0),
        ("durable merge / (cp + sync)", ("merge+sync", "cp+sync"), lambda: q["merge+sync"] / q["cp+sync"], 0.8),
        ("merge by block / merge", ("blocks", "merge"), lambda: q["blocks"] / q["merge"], 1.1),
        ("merge / null pipeline", ("merge", "null"), lambda: q["merge"] / q["null"], 1.2),
        ("chain of three / linear", ("chain", "linear"), lambda: q["chain"] / q["linear"], 1.3),
        ("slerp / merge", ("slerp", "merge"), lambda: q["slerp"] / q["merge"], 1.6),
        ("ties / linear", ("ties", "linear"), lambda: q["ties"] / q["linear"], 2.75),
        ("model_stock / linear", ("model_stock", "linear"), lambda: q["model_stock"] / q["linear"], 2.0),
        ("CPU seconds per GB written", ("merge",), lambda: cpu["merge"] / gigabytes, 0.6),
        ("merge / PyTorch script", ("merge", "torch"), lambda: q["merge"] / q["torch"], 1 / 8),
        ("CPU of merge / CPU of numpy script", ("merge", "numpy"), lambda: cpu["merge"] / cpu["numpy"], 1 / 3),
    ]
    return [(title, value(), limit) for title, needs, value, limit in rows if all(n in results for n in needs)]


def machine():
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--against", help="another build, whose merges run in the same rounds")
    parser.add_argument("--folder", help="where the files go and stay; default: a temporary one, removed")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--slow-rounds", type=int, default=5, help="rounds of the Python scripts")
    parser.add_argument("--only", help="names of contenders, with commas")
    parser.add_argument("--seed", type=int, default=1, help="of the order within rounds")
    parser.add_argument("--cold", action="store_true", help="drop the page cache before each run (root)")
    parser.add_argument("--memory", action="store_true", help="also peak memory and header commands, up to FLUX size")
    parser.add_argument("--json", help="also write everything here")
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()

    bench = Bench(arguments)
    try:
        results = bench.race()
        order = [c.name for c in bench.contenders() if c.name in results]
        results = {name: results[name] for name in order}
        print(f"{machine()}; {bench.gigabytes:.2f} GB a file; {'cold' if arguments.cold else 'warm'}\n")
        print(table(results, bench.gigabytes))
        checked = goals(results, bench.gigabytes)
        if checked and not arguments.smoke:
            print("\n| goal | measured | at most | |\n|---|---|---|---|")
            for title, value, limit in checked:
                print(f"| {title} | {value:.3f} | {limit:.3f} | {'reached' if value <= limit else 'MISSED'} |")
            if "cp" in results:
                walls = results["cp"][0].walls
                if max(walls) > 1.3 * min(walls):
                    print(f"\nA noisy machine: cp took {min(walls):.2f} to {max(walls):.2f} s.")
        memory, headers = [], []
        if arguments.memory or arguments.smoke:
            memory, headers = bench.memory(), bench.headers()
            print("\n| merge of two, sparse | written | peak MiB |\n|---|---|---|")
            for row in memory:
                print(f"| {row['model']} {row['options']} | {row['bytes'] / 1e9:.2f} GB | {row['peak_mib']:.0f} |")
            for row in headers:
                print(f"\n{row['command']}: {row['minimum'] * 1000:.0f} ms")
        if arguments.json:
            Path(arguments.json).write_text(json.dumps({
                "machine": machine(),
                "gigabytes": bench.gigabytes,
                "runs": [{"walls": c.walls, "cpus": c.cpus, **s} for c, s in results.values()],
                "goals": [{"goal": g, "measured": v, "limit": limit} for g, v, limit in checked],
                "memory": memory,
                "headers": headers,
            }, indent=1))
    finally:
        if arguments.folder is None:
            shutil.rmtree(bench.folder)


if __name__ == "__main__":
    main()
