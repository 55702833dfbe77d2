"""Inputs of any size, of every kind that the program reads: what each kind costs must grow with its size
alone. A kind makes its files in a folder and says which command line to run on them.

`bench/growth.py` prints how each kind grows; `test_growth.py` holds that none grows faster than it should.
"""

from . import adapters, checkpoints, recipes, texts, torch_saves  # noqa: F401
from .making import KINDS  # noqa: F401
