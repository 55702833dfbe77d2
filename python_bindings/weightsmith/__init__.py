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
    OutputExistsError,
    RecipeError,
    ResourceError,
    VerifyError,
)
from weightsmith._native import version as __version__
from weightsmith._save import save

__all__ = [
    "Checkpoint",
    "Error",
    "FormatError",
    "HashError",
    "MismatchError",
    "MissingFileError",
    "NoEffectError",
    "OutputExistsError",
    "RecipeError",
    "ResourceError",
    "Tensor",
    "TensorBlock",
    "VerifyError",
    "__version__",
    "open",
    "save",
]
