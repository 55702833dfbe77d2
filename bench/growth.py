#!/usr/bin/env python3
"""Prints how the program's time grows with its input, for every kind of input that tests/python/growth_kinds/ makes:
CPU seconds at several sizes, and the exponent between the last two (1: in proportion, 2: quadratic).

    bench/growth.py [--build build/release] [--sizes 1000,10000,100000] [KIND …]
"""

import argparse
import math
import os
import resource
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "python"))

from growth_kinds import KINDS  # noqa: E402


def seconds(program, make, n):
    """CPU seconds of the command, its status and its peak in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        words = [str(program), *make(Path(folder), n)]
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            sink = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(sink, stream)
            resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            os.execve(program, words, {"HOME": folder, "XDG_CACHE_HOME": folder + "/cache", "PATH": os.environ["PATH"]})
        _, status, usage = os.wait4(child, 0)
    return usage.ru_utime + usage.ru_stime, os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--sizes", help="default: a fourth of what the tests run, and that")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="default: all")
    arguments = parser.parse_args()
    program = (arguments.build / "bin" / "weightsmith").resolve()
    for name in arguments.kinds or KINDS:
        make = KINDS[name]
        sizes = [int(n) for n in arguments.sizes.split(",")] if arguments.sizes else [make.size // 4, make.size]
        rows = [(n, *seconds(program, make, n)) for n in sizes]
        times = "  ".join(f"{n:>8,} {time:7.2f} s" for n, time, _, _ in rows)
        (small, before, _, _), (large, after, status, peak) = rows[-2:]
        grown = math.log(max(after, 0.01) / max(before, 0.01)) / math.log(large / small)
        expected = "" if status == make.status else f"  ended with {status} instead of {make.status}"
        print(f"{name:<40} {times}  exponent {grown:4.2f}  {peak:6.0f} MiB{expected}", flush=True)


if __name__ == "__main__":
    main()
