#!/usr/bin/env python3
"""Measures merge methods at full size: against the plain blend of as many inputs, and against mergekit and sd-mecha over the
same files in the same rounds. Prints the table that the README quotes, and what of our goals is missed; status 1 if any is.

    bench/operators_bench.py [--json FILE] [--rounds N] [--peer-rounds N] [--only NAME,…] [--folder DIR]
    bench/operators_bench.py --smoke [--no-peers]    tiny files, one round, no judgement: does everything run?

Method by method, everything that is compared runs in the same rounds, in shuffled order; what takes longer than a minute runs in
one. With --json the results are kept after each method, and a second call with the same file goes on where the first stopped,
of the same program on the same machine. The methods are those of operator_rows.py. Rotations and singular values, which take
minutes of a whole model, are measured on a share of its tensors, the same ones for all.

The peers run in .venv-parity; --python says another interpreter that has them, --no-peers leaves them out. Their times are
without what Python takes to start and to import them, ours are those of the whole process. A peer that fails or takes too long
is said in the table and does not stop the run."""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from merge_bench import ROOT, machine, quartile, run, warm
from operator_rows import METHODS

PEERS = {"mergekit": "mergekit", "sd_mecha": "sd-mecha"}

TIMES_FASTER = 5  # than a peer, what is elementwise or reduced
MEMORY = 256  # MiB, of what needs no whole tensors
LONG = 60  # seconds; what takes more runs in one round


def attempt(command, limit):
    """What a peer needed: of its own clock, of the whole process, and KiB; or why there is nothing of that."""
    over = threading.Event()

    def stop():
        over.set()
        os.killpg(process.pid, signal.SIGKILL)

    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=errors, start_new_session=True)
        timer = threading.Timer(limit, stop)
        timer.start()
        try:
            printed = process.stdout.read()
            timer.cancel()
        except KeyboardInterrupt:
            stop()
            raise
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        whole = time.perf_counter() - started
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip().splitlines()
    if over.is_set():
        return {"over": limit}
    try:
        own = json.loads(printed.splitlines()[-1])
        if process.returncode == 0:
            return {"wall": own["wall"], "cpu": own["user"] + own["system"], "whole": whole, "peak": usage.ru_maxrss}
    except (ValueError, IndexError):
        pass
    return {"crash": said[-1] if process.returncode != 0 and said else f"ended with {process.returncode}"}


def thinned(source, keep, target):
    """A file of some tensors of another, by their names and their places in the order of names."""
    with open(source, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        header.pop("__metadata__", None)
        kept, end = {}, 0
        for i, name in enumerate(sorted(header)):
            if keep(i, name):
                entry = header[name]
                length = entry["data_offsets"][1] - entry["data_offsets"][0]
                kept[name] = {**entry, "data_offsets": [end, end + length]}
                end += length
        text = json.dumps(kept).encode()
        text += b" " * (-len(text) % 8)
        with open(target, "wb") as made:
            made.write(struct.pack("<Q", len(text)) + text)
            for name in kept:
                begin, until = header[name]["data_offsets"]
                file.seek(8 + size + begin)
                made.write(file.read(until - begin))


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.program = Path(arguments.build).resolve() / "bin" / "weightsmith"
        self.folder = Path(arguments.folder or tempfile.mkdtemp(prefix="operators_bench_")).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.output = self.folder / "out.safetensors"
        # An odd number: names alternate between weights and biases.
        self.every = 1 if arguments.share >= 1 else round(1 / arguments.share) | 1
        scale = ["--scale", "tiny"] if arguments.smoke else []
        for seed, letter in enumerate("abc", 1):
            if not self.model(letter).is_file():
                of = ["--finetune-of", "1"] if seed > 1 else []
                run([self.program, "synth", "sd15", "--seed", str(seed), *of, *scale, "--no-sync", "-o", self.model(letter)])
        self.gigabytes = self.model("a").stat().st_size / 1e9

    def model(self, letter, part=False):
        """A file, made of another where it has to be."""
        path = self.folder / (f"{letter}-{self.every}.safetensors" if part else f"{letter}.safetensors")
        if part and not path.is_file():
            thinned(self.model(letter), lambda i, name: i % self.every == 0, path)
        if letter == "p" and not path.is_file():
            thinned(self.model("a"), lambda i, name: ".output_blocks.5." not in name, path)
        return path

    def ours(self, name, part=False):
        method = METHODS[name]
        models = "".join(f"  {letter}: {self.model(letter, part).name}\n" for letter in method.inputs)
        recipe = self.folder / "recipe.yaml"
        recipe.write_text(f"weightsmith: 1\nmodels:\n{models}steps:\n  out: {method.step}\n"
                          "output: {model: out, path: out.safetensors}\n")
        wall, cpu, peak, _ = run([self.program, "merge", recipe, "--force", "-q", "--no-sync"], self.output)
        return {"wall": wall, "cpu": cpu, "whole": wall, "peak": peak}

    def peer(self, name, peer):
        method = METHODS[name]
        theirs, parameters, *base = method.mergekit if peer == "mergekit" else method.mecha
        command = [self.arguments.python, ROOT / "bench" / "peers" / f"{peer}_merge.py", theirs, json.dumps(parameters),
                   *base, self.output, *(self.model(letter, method.part) for letter in method.inputs)]
        taken = attempt(command, self.arguments.peer_limit)
        if "wall" in taken and not self.output.is_file():
            return {"crash": f"wrote no {self.output.name}"}
        return taken

    def contenders(self, name):
        """What is compared in the rounds of a method: (key, what runs it, how many rounds)."""
        method, rounds, peer_rounds = METHODS[name], self.arguments.rounds, self.arguments.peer_rounds
        listed = [("ours", lambda: self.ours(name, method.part), peer_rounds if method.whole else rounds)]
        if method.against and not self.arguments.smoke:
            listed.append(("against", lambda: self.ours(method.against), rounds))
        if not self.arguments.no_peers:
            listed += [(peer, lambda peer=peer: self.peer(name, peer), peer_rounds)
                       for peer, theirs in (("mergekit", method.mergekit), ("sd_mecha", method.mecha)) if theirs]
        return listed

    def measure(self, name):
        """Every contender of a method once a round: ours once more before it all, which is not counted."""
        method = METHODS[name]
        listed = self.contenders(name)
        results = {key: {} for key, _, _ in listed}
        order = random.Random(1)
        first = 1 if self.arguments.smoke or method.whole else 0
        for round_number in range(first, max(rounds for *_, rounds in listed) + 1):
            order.shuffle(listed)
            for key, call, rounds in listed:
                result = results[key]
                if (round_number > rounds or (round_number == 0 and key in PEERS) or "over" in result or "crash" in result
                        or (result.get("walls") and result["walls"][0] > LONG)):
                    continue
                self.prepare(method)
                taken = call()
                if "wall" not in taken:
                    result.update(taken)
                elif round_number > 0:
                    for number in taken:
                        result.setdefault(f"{number}s", []).append(taken[number])
        self.clean()
        return results

    def prepare(self, method):
        self.clean()
        if not self.arguments.smoke:
            os.sync()
            warm([self.model(letter, method.part) for letter in method.inputs])

    def clean(self):
        self.output.unlink(missing_ok=True)


class Kept:
    """The results of earlier calls and of this one, in a file if there is one."""

    def __init__(self, bench, arguments):
        self.path = Path(arguments.json) if arguments.json else None
        digest = hashlib.sha256(bench.program.read_bytes()).hexdigest()
        self.data = {"machine": machine(), "program": digest, "gigabytes": bench.gigabytes, "share": 1 / bench.every,
                     "methods": {}}
        if self.path and self.path.is_file():
            earlier = json.loads(self.path.read_text())
            if not isinstance(earlier, dict):
                raise SystemExit(f"{self.path} has no results of this script: take another file")
            for key in ("machine", "program", "gigabytes", "share"):
                if earlier.get(key) != self.data[key]:
                    raise SystemExit(f"{self.path} has the results of another {key}: take another file")
            self.data = earlier

    @property
    def methods(self):
        return self.data["methods"]

    def lacks(self, name, listed):
        return not {key for key, *_ in listed} <= self.methods.get(name, {}).keys()

    def add(self, name, results):
        self.methods[name] = results
        self.save()

    def save(self):
        if self.path:
            written = self.path.with_name(self.path.name + ".new")
            written.write_text(json.dumps(self.data, indent=1))
            written.replace(self.path)


def seconds(results, key):
    walls = results.get(key, {}).get("walls")
    return quartile(sorted(walls)) if walls else None


def ratio(name, results):
    """To the plain blend of as many inputs, for each pass; nothing where there is none."""
    own, plain = seconds(results, "ours"), seconds(results, "against")
    return own / plain / METHODS[name].passes if own and plain else None


def faster(results, peer):
    """How many times as long a peer takes; at least so many, where it was stopped."""
    own, theirs = seconds(results, "ours"), seconds(results, peer) or results.get(peer, {}).get("over")
    return theirs / own if own and theirs else None


def least(name):
    return 1 if METHODS[name].whole else TIMES_FASTER


def peer_cell(name, results, peer):
    theirs, times = results.get(peer, {}), faster(results, peer)
    if "crash" in theirs:
        return "failed"
    if not times:
        return ""
    missed = "" if times >= least(name) else " MISSED"
    if "over" in theirs:
        return f"> {theirs['over']:g} s (> {times:.1f} ×){missed}"
    whole = quartile(sorted(theirs["wholes"])) - seconds(results, peer)
    return f"{seconds(results, peer):.1f} s + {whole:.1f} s ({times:.1f} ×){missed}"


def table(methods, share):
    """The markdown table that the README quotes, with a column for each peer that ran."""
    ran = [peer for peer in PEERS if any(peer in results for results in methods.values())]
    titles = ["method", "lower quartile", "beside the plain blend", "peak MiB", *(PEERS[peer] for peer in ran)]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for name in METHODS:
        results = methods.get(name)
        if not results:
            continue
        method, beside = METHODS[name], ratio(name, results)
        operator, _, how = name.partition(" ")
        notes = [how, "whole tensors" if method.whole else "", f"{share:.0%} of the tensors" if method.part and share < 1 else ""]
        title = ", ".join([f"`{operator}`", *filter(None, notes)])
        each = " a pass" if method.passes > 1 else ""
        of = f"{beside:.2f} × {method.against}{each}" if beside else ""
        if beside and method.limit:
            of += f" (≤ {method.limit:g}{'' if beside <= method.limit else ' MISSED'})"
        cells = [title, f"{seconds(results, 'ours'):.3f} s", of, f"{max(results['ours']['peaks']) / 1024:.0f}"]
        lines.append(f"| {' | '.join(cells + [peer_cell(name, results, peer) for peer in ran])} |")
    return "\n".join(lines)


def goals(methods):
    """What the project promises itself: (sentence, measured, limit, whether it is reached)."""
    rows = []
    for name, method in METHODS.items():
        results = methods.get(name)
        if not results:
            continue
        beside = ratio(name, results)
        if method.limit and beside:
            rows.append((f"{name} / {method.against}, at most", beside, method.limit, beside <= method.limit))
        if not method.whole:
            peak = max(results["ours"]["peaks"]) / 1024
            rows.append((f"peak MiB of {name}, at most", peak, MEMORY, peak <= MEMORY))
        for peer in PEERS:
            times = faster(results, peer)
            if times:
                rows.append((f"{PEERS[peer]} / {name}, at least", times, least(name), times >= least(name)))
    return rows


def sorting(methods):
    """The share of DELLA's ranks in its time: what it takes beyond dare_ties, each beside the plain blend of its own rounds."""
    if "della" in methods and "dare_ties" in methods:
        della, dare = ratio("della", methods["della"]), ratio("dare_ties", methods["dare_ties"])
        if della and dare:
            return 1 - dare / della
    return None


def report(kept):
    """Everything that is printed at the end; whether no goal is missed."""
    methods = kept.methods
    print(f"{kept.data['machine']}; {kept.data['gigabytes']:.2f} GB a file")
    print("A peer's time is without its start and imports, which stand behind the plus; the factor is of the first alone.\n")
    print(table(methods, kept.data["share"]))
    for name, results in methods.items():
        for peer in PEERS:
            if "crash" in results.get(peer, {}):
                print(f"\n{PEERS[peer]} failed at {name}: {results[peer]['crash']}")
    if (share := sorting(methods)) is not None:
        print(f"\nRanks take {share:.0%} of della: what it needs beyond dare_ties.")
    checked = goals(methods)
    kept.data["goals"] = [{"goal": g, "measured": v, "limit": limit, "reached": reached} for g, v, limit, reached in checked]
    kept.save()
    missed = [row for row in checked if not row[-1]]
    print(f"\n{len(checked) - len(missed)} of {len(checked)} goals are reached.")
    if missed:
        print("\n| missed | measured | goal |\n|---|---|---|")
        for title, value, limit, _ in missed:
            print(f"| {title} | {value:.2f} | {limit:g} |")
    return not missed


def chosen(arguments):
    if not arguments.only:
        return list(METHODS)
    names = [name.strip() for name in arguments.only.split(",")]
    if unknown := sorted(set(names) - METHODS.keys()):
        raise SystemExit(f"unknown methods: {', '.join(unknown)}")
    return [name for name in METHODS if name in names]


def arguments_of():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--python", default=str(ROOT / ".venv-parity" / "bin" / "python"), help="interpreter that has the peers")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--peer-limit", type=float, default=600, metavar="SECONDS", help="when a peer is stopped")
    parser.add_argument("--folder", help="where the files go and stay; default: a temporary one, removed")
    parser.add_argument("--share", type=float, default=0.1, help="of the tensors, for methods that take minutes of all")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peer-rounds", type=int, default=3, help="rounds of the peers and of what needs whole tensors")
    parser.add_argument("--only", help="names of methods, with commas")
    parser.add_argument("--json", help="where results are kept, method by method; what it has is not measured again")
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.rounds = arguments.peer_rounds = 1
    if not arguments.no_peers and not Path(arguments.python).exists():
        raise SystemExit(f"{arguments.python} is missing: run scripts/install_dependencies.sh --dev")
    return arguments


def main():
    arguments = arguments_of()
    names = chosen(arguments)
    bench = Bench(arguments)
    try:
        kept = Kept(bench, arguments)
        for i, name in enumerate(names, 1):
            if kept.lacks(name, bench.contenders(name)):
                kept.add(name, bench.measure(name))
                print(f"{i} of {len(names)}: {name}", file=sys.stderr)
        reached = report(kept)
    finally:
        if arguments.folder is None:
            shutil.rmtree(bench.folder)
    return 0 if reached or arguments.smoke else 1


if __name__ == "__main__":
    sys.exit(main())
