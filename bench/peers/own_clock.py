"""The clock of a script in Python, without what it takes to start and to import."""

import json
import resource
import time


def start():
    """What prints the times since now, as bench/merge_bench.py reads them."""
    imported = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()

    def stop():
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({
            "wall": time.perf_counter() - started,
            "user": used.ru_utime - imported.ru_utime,
            "system": used.ru_stime - imported.ru_stime,
        }))

    return stop
