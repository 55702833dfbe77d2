#!/usr/bin/env python3
"""Kills, interrupts, fails and reorders every change that a command makes to its files, and looks at what is left.

For each command of commands.py the changes of a run are counted (fault_library.cc). Then, for changes chosen at random:

  faults   the change fails, is cut short, or the program is killed or interrupted there; the command is run again
  others   the same, and before the command is run again another one writes the same files, an input changes, or the
           partial output or its journal is removed or altered
  cuts     the power goes: what disk.py makes of the log stands in the folder when the command is run again

After the first run every file is the old one, the new one, or one that is marked as partial; inputs are as they were.
After the last run all are the new ones and nothing else is there.

    tests/faults/run.py [--build build/release] [--faults 100] [--others 40] [--cuts 100] [--seed 1] [COMMAND …]
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import commands as all_commands
import disk

ROOT = Path(__file__).resolve().parents[2]
ACTIONS = ["kill", "killed", "int", "enospc", "edquot", "eio", "erofs", "eintr", "short"]
STATUSES = {0, 1, 2, 3, 6, 130, -9, -2}
PARTIAL = re.compile(r"\.(partial|journal|header)[^/]*$")


class Bad(Exception):
    """What must not be."""


class Suite:
    def __init__(self, build, folder):
        self.program = build / "bin" / "weightsmith"
        self.library = build / "lib" / "libweightsmith_faults.so"
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "out" / "cache"),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(build / "python"),
        }
        (folder / "boot_id").write_text("00000000-0000-4000-8000-000000000000\n")
        all_commands.make_inputs(folder / "in", lambda *words: self.plain([str(self.program), *map(str, words)]))
        self.inputs = contents(folder / "in")

    def plain(self, words):
        environment = {**self.environment, "XDG_CACHE_HOME": str(self.folder / "cache")}
        subprocess.run(words, cwd=self.folder, env=environment, check=True, capture_output=True, timeout=120)

    def run(self, command, words=None, fault=None, log=None, rebooted=False):
        """The status and what the command said."""
        words = words or command.words
        line = [sys.executable, "-c", command.python] if command.python else [str(self.program), *words]
        environment = {**self.environment, "LD_PRELOAD": str(self.library), "FAULTS_FOLDER": str(self.folder / "out")}
        if fault:
            environment["FAULTS_FROM" if fault.startswith("from ") else "FAULTS_AT"] = fault.removeprefix("from ")
        if log:
            log.unlink(missing_ok=True)
            environment["FAULTS_LOG"] = str(log)
        if rebooted:
            environment["FAULTS_BOOT_ID"] = str(self.folder / "boot_id")
        try:
            result = subprocess.run(line, cwd=self.folder, env=environment, capture_output=True, timeout=60,
                                    stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired as error:
            raise Bad("it does not end") from error
        return result.returncode, (result.stderr + result.stdout).decode(errors="replace")

    def reset(self, command):
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        (self.folder / "out").mkdir()
        if command.before:
            command.before(self.folder / "out")

    def out(self):
        return contents(self.folder / "out")

    def expect_inputs(self):
        if contents(self.folder / "in") != self.inputs:
            raise Bad("an input has changed")


def contents(folder):
    """Bytes of the files below a folder, None for folders; times are left out of reports."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = None if path.is_dir() else normal(name, path.read_bytes())
    return found


def normal(name, data):
    if not name.endswith("report.json"):
        return data
    try:
        report = json.loads(data)
    except ValueError:
        return data
    report.pop("seconds", None)
    report.pop("resumed", None)
    return json.dumps(report).encode()


class Trial:
    """One command, its folder before and after an undisturbed run."""

    def __init__(self, suite, command):
        self.suite = suite
        self.command = command
        suite.reset(command)
        self.before = suite.out()
        self.numbers = {name: (suite.folder / "out" / name).stat().st_ino for name in self.before}
        self.log = suite.folder / "log"
        status, said = suite.run(command, log=self.log)
        if status != 0:
            raise SystemExit(f"{command.name} ended with {status}:\n{said}")
        self.after = suite.out()
        self.operations = disk.read_log(self.log)
        self.changes = self.log.read_bytes().count(b"\t")  # an upper bound; faults beyond it meet nothing
        self.expect_complete_log()

    def expect_complete_log(self):
        replayed = disk.after_cut(self.before, self.numbers, self.operations, len(self.operations), "all", random)
        replayed = {name: data if data is None else normal(name, data) for name, data in replayed.items()}
        if replayed != self.after:
            names = sorted(name for name in {*replayed, *self.after} if replayed.get(name) != self.after.get(name))
            raise SystemExit(f"{self.command.name}: the log does not say how {', '.join(names)} came about")

    def count(self):
        return max(1, sum(1 for line in log_lines(self.log)))

    def expect_states(self, found, also=()):
        """Old, new or partial, after a run that was disturbed."""
        for name, data in found.items():
            # While NAME.header is there, NAME is being changed in place.
            if PARTIAL.search(name) or name.startswith("cache") or f"{name}.header" in found:
                continue
            good = [state[name] for state in (self.before, self.after, *also) if name in state]
            if data not in good:
                raise Bad(f"{name} is neither old nor new")
        for name in self.before:
            if name not in found:
                raise Bad(f"{name} is gone")

    def finish(self, rebooted=False):
        """Runs the command until it is through."""
        status, said = self.suite.run(self.command, rebooted=rebooted)
        found = self.suite.out()
        if status == 2 and "exist" in said and self.is_new(found):
            return  # the disturbed run had come to its end
        if status != 0:
            raise Bad(f"the next run ends with {status}: {said.strip().splitlines()[0] if said.strip() else ''}")
        self.expect_new(found)

    def is_new(self, found):
        return all(found.get(name) == data for name, data in self.after.items() if not name.startswith("cache"))

    def expect_new(self, found):
        for name, data in self.after.items():
            if not name.startswith("cache") and found.get(name) != data:
                raise Bad(f"{name} is {'wrong' if name in found else 'missing'} after the next run")
        more = [name for name in found if name not in self.after and not name.startswith("cache")]
        if more:
            raise Bad(f"the next run leaves {', '.join(more)}")

    # The three kinds of trial.

    def faults(self, choose):
        suite = self.suite
        fault = self.fault(choose)
        yield fault
        suite.reset(self.command)
        status, said = suite.run(self.command, fault=fault)
        found = suite.out()
        suite.expect_inputs()
        self.expect_states(found)
        self.expect_status(status, said, found)
        self.finish()
        suite.expect_inputs()

    def fault(self, choose):
        action = choose.choice(ACTIONS)
        lasts = action in ("enospc", "edquot", "eio") and choose.random() < 0.4
        return f"{'from ' if lasts else ''}{choose.randint(1, self.count())}:{action}"

    def expect_status(self, status, said, found):
        if status not in STATUSES:
            raise Bad(f"status {status}: {said.strip()[:200]}")
        if status == 0 and not self.is_new(found):
            raise Bad("status 0, and the output is not there")
        if status > 0 and not said.strip():
            raise Bad(f"status {status} without a word")

    def others(self, choose):
        suite = self.suite
        # Mostly one that leaves work to go on from.
        middle = f"{choose.randint(self.count() // 3, self.count())}:{choose.choice(['kill', 'int', 'enospc'])}"
        fault = choose.choice([middle, middle, self.fault(choose)])
        changes = [self.remove_partial, self.remove_journal, self.alter_partial, self.alter_journal, self.swap_input]
        if self.command.other:
            changes += [self.run_other, self.run_other]
        change = choose.choice(changes)
        yield f"{fault}, {change.__name__}"
        suite.reset(self.command)
        suite.run(self.command, fault=fault)
        change(choose)
        if change == self.swap_input:
            return
        self.finish()
        suite.expect_inputs()

    def kept(self, ending):
        return [path for path in (self.suite.folder / "out").rglob("*") if path.is_file() and ending in path.name]

    def remove_partial(self, choose):
        for path in self.kept(".partial")[:1]:
            path.unlink()

    def remove_journal(self, choose):
        for path in self.kept(".journal"):
            path.unlink()

    def alter_partial(self, choose):
        for path in self.kept(".partial"):
            data = bytearray(path.read_bytes())
            if not data:
                continue
            times = path.stat().st_atime_ns, path.stat().st_mtime_ns
            data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)
            with open(path, "r+b") as file:
                file.write(data)
            os.utime(path, ns=times)

    def alter_journal(self, choose):
        for path in self.kept(".journal"):
            data = bytearray(path.read_bytes())
            way = choose.randrange(3)
            if way == 0 and data:
                data[choose.randrange(len(data))] ^= 1
            elif way == 1:
                del data[choose.randint(0, len(data)) :]
            else:
                data += b"\0" * 100
            path.write_bytes(data)

    def swap_input(self, choose):
        """The bytes of another model under the name, the size and the times of an input."""
        victim = self.suite.folder / "in" / "b.safetensors"
        kept = victim.read_bytes()
        times = victim.stat().st_atime_ns, victim.stat().st_mtime_ns
        try:
            overwrite(victim, (self.suite.folder / "in" / "c.safetensors").read_bytes(), times)
            status, said = self.suite.run(self.command)
            found = self.suite.out()
            self.suite.reset(self.command)
            fresh, _ = self.suite.run(self.command)
            expected = self.suite.out()
            if status == 0 and fresh == 0 and without_cache(found) != without_cache(expected):
                raise Bad("it went on from work on other inputs")
            if status not in (0, 2):
                raise Bad(f"the next run ends with {status}: {said.strip()[:200]}")
        finally:
            overwrite(victim, kept, times)

    def run_other(self, choose):
        early = f"{choose.randint(1, 12)}:{choose.choice(['kill', 'killed', 'int', 'eio'])}"
        self.suite.run(self.command, words=self.command.other, fault=choose.choice([early, self.fault(choose)]))
        for name in self.suite.out():
            # It may have come to its end; without --force the command would be refused.
            if not PARTIAL.search(name) and "." in name and name not in self.before:
                (self.suite.folder / "out" / name).unlink()

    def cuts(self, choose):
        suite = self.suite
        fault = choose.choice([None, None, None, self.fault(choose), f"{choose.randint(1, self.count())}:eio"])
        yield fault
        suite.reset(self.command)
        numbers = {name: (suite.folder / "out" / name).stat().st_ino for name in self.before}
        status, _ = suite.run(self.command, fault=fault, log=self.log)
        operations = disk.read_log(self.log)
        end = choose.choice([len(operations), choose.randint(0, len(operations))])
        kind = choose.choice(disk.KINDS)
        yield f"{fault}, cut after {end} of {len(operations)}, {kind}"
        left = disk.after_cut(self.before, numbers, operations, end, kind, choose)
        self.lay_out(left)
        through = status == 0 and end == len(operations)
        found = suite.out()
        if self.command.keeps:
            self.expect_states(found)
            if through and not self.is_new(found):
                raise Bad("the output did not survive though the run had ended with 0")
            self.finish(rebooted=choose.random() < 0.5)
        suite.expect_inputs()

    def lay_out(self, left):
        out = self.suite.folder / "out"
        shutil.rmtree(out)
        out.mkdir()
        for name in sorted(left, key=lambda name: (left[name] is not None, name)):
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if left[name] is None:
                path.mkdir(exist_ok=True)
            else:
                path.write_bytes(left[name])


def overwrite(path, data, times):
    with open(path, "r+b") as file:
        file.write(data)
    os.utime(path, ns=times)


def without_cache(found):
    return {name: data for name, data in found.items() if not name.startswith("cache")}


def log_lines(path):
    """The lines of a log without the bytes behind them."""
    data = path.read_bytes()
    at = 0
    while (end := data.find(b"\n", at)) >= 0:
        yield data[at:end]
        at = end + 1 + int(data[at:end].rsplit(b"\t", 1)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    for name, count in (("faults", 100), ("others", 40), ("cuts", 100)):
        parser.add_argument(f"--{name}", type=int, default=count, metavar="N", help=f"trials of all commands together ({count})")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="name every trial")
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help="names of commands.py; default: all")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weightsmith-faults-") as folder:
        suite = Suite(arguments.build.resolve(), Path(folder).resolve())
        known = all_commands.commands(suite.folder / "in")
        chosen = [command for command in known if not arguments.commands or command.name in arguments.commands]
        trials = [Trial(suite, command) for command in chosen]
        bad = sum(run_kind(name, getattr(arguments, name), trials, arguments) for name in ("faults", "others", "cuts"))
    sys.exit(1 if bad else 0)


def run_kind(name, count, trials, arguments):
    choose = random.Random(f"{arguments.seed} {name}")
    bad = 0
    for number in range(count):
        trial = trials[number % len(trials)]
        if name == "others" and not trial.command.other:
            trial = choose.choice([trial for trial in trials if trial.command.other] or trials)
        words = ""
        try:
            for words in getattr(trial, name)(choose):
                if arguments.verbose:
                    print(f"{name} {number}: {trial.command.name}: {words}", flush=True)
        except Bad as problem:
            bad += 1
            print(f"BAD {name} {number}: {trial.command.name}: {words}: {problem}", flush=True)
    print(f"{name}: {count} trials, {bad} bad", flush=True)
    return bad


if __name__ == "__main__":
    main()
