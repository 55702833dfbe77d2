"""Weightsmith: merges of model checkpoints, streamed.

>>> import weightsmith as ws
>>> with ws.open("model.safetensors") as model:
...     print(model.architecture, model["model.diffusion_model.out.2.bias"].shape)
>>> ws.weighted_sum("a.safetensors", "b.safetensors", alpha=0.3).save("mix.safetensors")
>>> ws.bake("mix.safetensors", {"detail.safetensors": 0.6}, "baked.safetensors")
"""

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
from weightsmith._model import Lora, Model, model
from weightsmith._native import version as __version__
from weightsmith._operators import *  # noqa: F403
from weightsmith._options import ComputeOptions, Progress, RunOptions
from weightsmith._results import Info, Plan, Report, ScanResult, Verification
from weightsmith._save import save

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
    "verify",
]
__all__ += _operators.__all__
