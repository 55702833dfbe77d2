#!/usr/bin/env python3
"""Measures merge methods at full size: against the plain blend of as many inputs, and against mergekit and sd-mecha over the
same files in the same rounds. Prints the table that the README quotes. Rounds, clocks and quartiles are those of merge_bench.py.

    bench/operators_bench.py [--rounds N] [--peer-rounds N] [--only NAME,…] [--json FILE] [--folder DIR]
    bench/operators_bench.py --smoke       tiny files, one round, no judgement: does everything run?

The peers run in .venv-parity; --python says another interpreter that has them, --no-peers leaves them out."""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from merge_bench import ROOT, Contender, machine, quartile, remove, run, warm

WEIGHTED = "[{model: b, weight: 0.6}, {model: c, weight: 0.4}]"
BASE = f"base: a, of: {WEIGHTED}"
WEIGHTS = [0.6, 0.4]


@dataclass
class Method:
    """A step of ours, what it is measured against, and the same of others: (method, parameters, whether the first is a base)."""

    inputs: str
    step: str
    against: str = ""
    limit: float = 0  # of the ratio to that
    passes: int = 1  # the limit is for each
    mergekit: tuple = ()
    mecha: tuple = ()
    whole: bool = False  # needs whole tensors: no goal of 5 times


METHODS = {
    "weighted_sum": Method("ab", "{op: weighted_sum, a: a, b: b, alpha: 0.3}",
                           mergekit=("linear", {"weight": [0.7, 0.3]}, 0), mecha=("weighted_sum", {"alpha": 0.3})),
    "linear": Method("abc", "{op: linear, of: [{model: a, weight: 0.5}, {model: b, weight: 0.3}, {model: c, weight: 0.2}]}",
                     mergekit=("linear", {"weight": [0.5, 0.3, 0.2]}, 0), mecha=("n_average", {})),
    "slerp": Method("ab", "{op: slerp, a: a, b: b, alpha: 0.3}", "weighted_sum", 1.6,
                    mergekit=("slerp", {"t": 0.3}, 1), mecha=("slerp", {"alpha": 0.3})),
    "task_arithmetic": Method("abc", f"{{op: task_arithmetic, {BASE}}}", "linear",
                              mergekit=("task_arithmetic", {"weight": WEIGHTS}, 1)),
    "model_stock": Method("abc", "{op: model_stock, base: a, of: [b, c]}", "linear", 2,
                          mergekit=("model_stock", {}, 1), mecha=("n_model_stock", {})),
    "ties": Method("abc", f"{{op: ties, {BASE}, density: 0.3}}", "linear", 2.75,
                   mergekit=("ties", {"weight": WEIGHTS, "density": 0.3}, 1), mecha=("ties_sum", {"k": 0.3})),
    "dare_ties": Method("abc", f"{{op: dare_ties, {BASE}, density: 0.3, seed: 1}}", "linear", 2.5,
                        mergekit=("dare_ties", {"weight": WEIGHTS, "density": 0.3}, 1),
                        mecha=("add_ties_with_dare", {"probability": 0.7, "seed": 1})),
    "della": Method("abc", f"{{op: della, {BASE}, density: 0.3, epsilon: 0.1, seed: 1}}", "linear", 8,
                    mergekit=("della", {"weight": WEIGHTS, "density": 0.3, "epsilon": 0.1}, 1)),
    "breadcrumbs": Method("abc", f"{{op: breadcrumbs, {BASE}, density: 0.3, gamma: 0.01}}", "linear", 2.5,
                          mergekit=("breadcrumbs", {"weight": WEIGHTS, "density": 0.3}, 1)),
    "sce": Method("abc", "{op: sce, base: a, of: [b, c], select: 0.5}", "linear", mergekit=("sce", {"select_topk": 0.5}, 1)),
    "cosine_a": Method("ab", "{op: cosine_a, a: a, b: b, alpha: 0.2}", "weighted_sum", 2.2, mecha=("add_cosine_a", {"alpha": 0.2})),
    "geometric_median": Method("abc", "{op: geometric_median, of: [a, b, c]}", "linear", 1.1, passes=2,
                               mecha=("geometric_median", {})),
    "crossover": Method("ab", "{op: crossover, a: a, b: b, alpha: 0.4, tilt: 0.25}", "weighted_sum",
                        mecha=("crossover", {"alpha": 0.4, "tilt": 0.25}), whole=True),
    "top_k_tensor_sum": Method("ab", "{op: top_k_tensor_sum, a: a, b: b, width: 0.5}", "weighted_sum",
                               mecha=("top_k_tensor_sum", {"width": 0.5}), whole=True),
}

PEERS = {"mergekit": "mergekit", "sd_mecha": "sd-mecha"}

TIMES_FASTER = 5  # than a peer, what is elementwise or reduced


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.program = Path(arguments.build).resolve() / "bin" / "weightsmith"
        self.folder = Path(arguments.folder or tempfile.mkdtemp(prefix="operators_bench_")).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.output = self.folder / "out.safetensors"
        scale = ["--scale", "tiny"] if arguments.smoke else []
        for seed, letter in enumerate("abc", 1):
            if not self.model(letter).is_file():
                of = ["--finetune-of", "1"] if seed > 1 else []
                run([self.program, "synth", "sd15", "--seed", str(seed), *of, *scale, "-o", self.model(letter)])
        self.gigabytes = self.model("a").stat().st_size / 1e9

    def model(self, letter):
        return self.folder / f"{letter}.safetensors"

    def chosen(self):
        if not self.arguments.only:
            return METHODS
        names = self.arguments.only.split(",")
        unknown = set(names) - METHODS.keys()
        if unknown:
            raise SystemExit(f"unknown methods: {', '.join(sorted(unknown))}")
        needed = {METHODS[name].against for name in names} | set(names)
        if "della" in names:
            needed.add("dare_ties")  # what ranks cost is seen beside it
        return {name: method for name, method in METHODS.items() if name in needed}

    def contenders(self):
        listed = []
        for name, method in self.chosen().items():
            models = "".join(f"  {letter}: {letter}.safetensors\n" for letter in method.inputs)
            recipe = self.folder / f"{name}.yaml"
            recipe.write_text(f"weightsmith: 1\nmodels:\n{models}steps:\n  out: {method.step}\n"
                              "output: {model: out, path: out.safetensors}\n")
            command = [self.program, "merge", recipe, "--force", "-q", "--no-sync"]
            listed.append(Contender(name, name, command, method.inputs, slow=method.whole))
            if self.arguments.no_peers:
                continue
            files = [self.model(letter) for letter in method.inputs]
            if method.mergekit:
                theirs, parameters, base = method.mergekit
                listed.append(self.peer(name, "mergekit", method, [theirs, json.dumps(parameters), str(base), self.output, *files]))
            if method.mecha:
                theirs, parameters = method.mecha
                listed.append(self.peer(name, "sd_mecha", method, [theirs, json.dumps(parameters), self.output, *files]))
        return listed

    def peer(self, name, peer, method, arguments):
        if not Path(self.arguments.python).exists():
            raise SystemExit(f"{self.arguments.python} is missing: run scripts/install_dependencies.sh --dev")
        command = [self.arguments.python, ROOT / "bench" / "peers" / f"{peer}_merge.py", *arguments]
        return Contender(f"{name}@{peer}", f"{name}, {peer}", command, method.inputs, own_clock=True, slow=True)

    def measure(self, contender, count):
        remove(self.output)
        os.sync()
        warm([self.model(letter) for letter in contender.inputs])
        wall, cpu, peak, printed = run(contender.command, self.output)
        if contender.own_clock:
            own = json.loads(printed.splitlines()[-1])
            wall, cpu = own["wall"], own["user"] + own["system"]
        if count:
            contender.walls.append(wall)
            contender.cpus.append(cpu)
            contender.peaks.append(peak)

    def race(self):
        chosen = self.contenders()
        rounds = 1 if self.arguments.smoke else self.arguments.rounds
        order = random.Random(1)
        for round_number in range(1 if self.arguments.smoke else 0, rounds + 1):
            order.shuffle(chosen)
            for contender in chosen:
                if contender.slow and (round_number > self.arguments.peer_rounds or round_number == 0):
                    continue
                self.measure(contender, count=round_number > 0)
            print(f"round {round_number} of {rounds}", file=sys.stderr)
        remove(self.output)
        return {contender.name: contender for contender in chosen}


def seconds(results, name):
    return quartile(sorted(results[name].walls)) if name in results and results[name].walls else None


def ratio(results, name):
    """To the plain blend of as many inputs, for each pass; nothing where there is none."""
    own, plain = seconds(results, name), seconds(results, METHODS[name].against)
    return own / plain / METHODS[name].passes if own and plain else None


def faster(results, name, peer):
    own, theirs = seconds(results, name), seconds(results, f"{name}@{peer}")
    return theirs / own if own and theirs else None


def table(results):
    """The markdown table that the README quotes, with a column for each peer that ran."""
    ran = [peer for peer in PEERS if any(name.endswith(f"@{peer}") for name in results)]
    titles = ["method", "lower quartile", "beside the plain blend", "peak MiB", *(f"{PEERS[peer]} takes" for peer in ran)]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for name in METHODS:
        if not seconds(results, name):
            continue
        of = METHODS[name].against
        beside = ratio(results, name)
        each = " a pass" if METHODS[name].passes > 1 else ""
        cells = [f"`{name}`", f"{seconds(results, name):.3f} s", f"{beside:.2f} × {of}{each}" if beside else "",
                 f"{max(results[name].peaks) / 1024:.0f}"]
        for peer in ran:
            times = faster(results, name, peer)
            cells.append(f"{seconds(results, f'{name}@{peer}'):.2f} s, {times:.1f} ×" if times else "")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def goals(results):
    """What the project promises itself: (sentence, measured, limit, whether it is reached)."""
    rows = []
    for name, method in METHODS.items():
        beside = ratio(results, name)
        if method.limit and beside:
            rows.append((f"{name} / {method.against}", beside, method.limit, beside <= method.limit))
        if not method.whole and results.get(name) and results[name].peaks:
            peak = max(results[name].peaks) / 1024
            rows.append((f"peak MiB of {name}", peak, 256, peak <= 256))
        for peer in PEERS:
            times = faster(results, name, peer)
            least = 1 if method.whole else TIMES_FASTER
            if times:
                rows.append((f"{peer} / {name}, at least", times, least, times >= least))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--python", default=str(ROOT / ".venv-parity" / "bin" / "python"), help="interpreter that has the peers")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--folder", help="where the files go and stay; default: a temporary one, removed")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peer-rounds", type=int, default=3, help="rounds of the peers and of what needs whole tensors")
    parser.add_argument("--only", help="names of methods, with commas; the blends beside them run too")
    parser.add_argument("--json", help="also write everything here")
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()

    bench = Bench(arguments)
    try:
        results = bench.race()
        print(f"{machine()}; {bench.gigabytes:.2f} GB a file\n")
        print(table(results))
        if seconds(results, "della") and seconds(results, "dare_ties"):
            share = 1 - seconds(results, "dare_ties") / seconds(results, "della")
            print(f"\nRanks take {share:.0%} of della: what it needs beyond dare_ties.")
        checked = goals(results)
        if not arguments.smoke:
            print("\n| goal | measured | limit | |\n|---|---|---|---|")
            for title, value, limit, reached in checked:
                print(f"| {title} | {value:.2f} | {limit:.2f} | {'reached' if reached else 'MISSED'} |")
        if arguments.json:
            Path(arguments.json).write_text(json.dumps({
                "machine": machine(),
                "gigabytes": bench.gigabytes,
                "runs": [{"walls": c.walls, "cpus": c.cpus, **c.summary()} for c in results.values() if c.walls],
                "goals": [{"goal": g, "measured": v, "limit": limit, "reached": r} for g, v, limit, r in checked],
            }, indent=1))
    finally:
        if arguments.folder is None:
            shutil.rmtree(bench.folder)


if __name__ == "__main__":
    main()
