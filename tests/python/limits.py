"""Runs commands under limits that the system enforces, and measures what they took."""

import os
import subprocess
import sys
from pathlib import Path

MIB = 1 << 20

# A process begins with the peak of the one that started it; this one is small. It limits itself, so that the
# program is limited from its first byte on.
WRAPPER = """
import resource, subprocess, sys
data, seconds = int(sys.argv[1]), int(sys.argv[2])
if data: resource.setrlimit(resource.RLIMIT_DATA, (data, data))
if seconds: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
result = subprocess.run(sys.argv[3:], capture_output=True)
sys.stderr.buffer.write(result.stderr[-4000:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, result.returncode)
"""

# Threads set aside for stacks what they do not touch.
STACKS = 64 * MIB


class MemoryGroup:
    """A control group that kills what needs more memory, where the system lets us make one."""

    ROOTS = [(Path("/sys/fs/cgroup"), "memory.max"), (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes")]

    @classmethod
    def make(cls):
        for root, limit in cls.ROOTS:
            folder = root / f"weightsmith-tests-{os.getpid()}"
            try:
                folder.mkdir()
            except OSError:
                continue
            if (folder / limit).is_file():
                return cls(folder, limit)
            folder.rmdir()
        return None

    def __init__(self, folder, limit):
        self.folder = folder
        self.limit = limit

    def set(self, size):
        (self.folder / self.limit).write_text(str(size))

    def enter(self):
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self):
        self.folder.rmdir()


def run(weightsmith, *arguments, data=0, seconds=0, group=None):
    """Status, peak resident bytes and what the program said as errors."""
    result = subprocess.run(
        [sys.executable, "-S", "-E", "-c", WRAPPER, str(data), str(seconds), *weightsmith.command(*arguments)],
        cwd=weightsmith.folder, env=weightsmith.environment, capture_output=True, text=True, timeout=600,
        preexec_fn=group.enter if group else None,
    )
    words = result.stdout.split()
    if len(words) != 2:
        return -9, 0, result.stderr  # the group killed the wrapper as well
    return int(words[1]), int(words[0]) * 1024, result.stderr
