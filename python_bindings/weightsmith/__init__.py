"""Weightsmith: merges of model checkpoints, streamed.

>>> import weightsmith as ws
>>> with ws.open("model.safetensors") as model:
...     print(model.architecture, model["model.diffusion_model.out.2.bias"].shape)
>>> ws.weighted_sum("a.safetensors", "b.safetensors", alpha=0.3).save("mix.safetensors")
>>> ws.bake("mix.safetensors", {"detail.safetensors": 0.6}, "baked.safetensors")
"""

from typing import TYPE_CHECKING, Any

from weightsmith import _operators
from weightsmith._bake import bake
from weightsmith._checkpoint import Checkpoint, Tensor, TensorBlock, open
from weightsmith._errors import (
    Error,
    FormatError,
    HashError,
    MismatchError,
    MissingFileError,
    NoEffectError,
    OutputExistsError,
    Problem,
    RecipeError,
    RecipeWarning,
    ResourceError,
    VerifyError,
)
from weightsmith._jobs import assemble, convert, info, merge, plan, scan, split, verify
from weightsmith._model import Model, model
from weightsmith._native import version as __version__
from weightsmith._operators import *  # noqa: F403
from weightsmith._options import ComputeOptions, Progress, RunOptions
from weightsmith._save import save
from weightsmith._sources import Lora
from weightsmith._stack import stack

if TYPE_CHECKING:
    from weightsmith._results import Info, Plan, Report, ScanResult, Verification

__all__ = [
    "Checkpoint",
    "ComputeOptions",
    "Error",
    "FormatError",
    "HashError",
    "Info",
    "Lora",
    "MismatchError",
    "MissingFileError",
    "Model",
    "NoEffectError",
    "OutputExistsError",
    "Plan",
    "Problem",
    "Progress",
    "RecipeError",
    "RecipeWarning",
    "Report",
    "ResourceError",
    "RunOptions",
    "ScanResult",
    "Tensor",
    "TensorBlock",
    "Verification",
    "VerifyError",
    "__version__",
    "assemble",
    "bake",
    "convert",
    "info",
    "merge",
    "model",
    "open",
    "plan",
    "save",
    "scan",
    "split",
    "stack",
    "verify",
]
__all__ += _operators.__all__


def __getattr__(name: str) -> Any:
    """What of __all__ is not imported above: results, which are defined on first use."""
    if name not in __all__:
        raise AttributeError(f"module 'weightsmith' has no attribute {name!r}")
    from weightsmith import _results

    return getattr(_results, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
