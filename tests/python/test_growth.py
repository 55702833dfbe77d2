"""Time grows with the input alone, whatever grows. Nothing is measured: a run that is quadratic would take many times
the processor time that it is given here, and one that is not takes a small part of it. `bench/growth.py` measures."""

import pytest

import limits
import support
from growth_kinds import KINDS

SECONDS = 20


@pytest.mark.parametrize("name", support.sampled(KINDS, 8, offset=3))
def test_a_large_input_is_no_hang(weightsmith, name):
    make = KINDS[name]
    words = make(weightsmith.folder, make.size)
    status, _, errors = limits.run(weightsmith, *words, seconds=SECONDS)
    assert status == make.status, errors[-2000:]
    assert len(errors) < 100_000  # of many problems some are told
