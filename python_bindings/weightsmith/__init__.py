"""Weightsmith: merges of model checkpoints, streamed.

>>> import weightsmith
>>> with weightsmith.open("model.safetensors") as model:
...     print(model.architecture, model["model.diffusion_model.out.2.bias"].shape)
"""

from weightsmith._checkpoint import Checkpoint, Tensor, TensorBlock, open
from weightsmith._errors import (
    Error,
    FormatError,
    HashError,
    MismatchError,
    MissingFileError,
    NoEffectError,
    RecipeError,
    ResourceError,
    VerifyError,
)
from weightsmith._native import version as __version__

__all__ = [
    "Checkpoint",
    "Error",
    "FormatError",
    "HashError",
    "MismatchError",
    "MissingFileError",
    "NoEffectError",
    "RecipeError",
    "ResourceError",
    "Tensor",
    "TensorBlock",
    "VerifyError",
    "__version__",
    "open",
]
