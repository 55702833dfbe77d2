"""What the commands of the same names do, as functions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from weightsmith import _native
from weightsmith._errors import OutputExistsError, RecipeError, VerifyError
from weightsmith._options import PathLike, RunOptions, model_folders, native_options, warn

# Dataclasses of results are defined when there is one: defining them takes longer than importing all else.
if TYPE_CHECKING:
    from typing_extensions import Unpack

    from weightsmith._results import Info, Plan, Report, ScanResult, Verification

DType = Literal["f32", "f16", "bf16", "f8_e4m3", "f8_e5m2"]


def run(prepared: _native.Plan, phase: str, options: Mapping[str, Any]) -> Report:
    from dataclasses import replace

    from weightsmith._results import Report, from_json

    native, progress = native_options(options)
    warn(prepared.warnings)
    report = from_json(Report, prepared.run(native, phase, progress))
    warn(report.warnings)
    return replace(report, notes=[*prepared.notes, *report.notes])


def keep_existing(path: PathLike, options: Mapping[str, Any]) -> None:
    if not options.get("overwrite") and os.path.lexists(path) and not os.path.isdir(path):
        raise OutputExistsError(f"'{os.fspath(path)}' already exists", "Pass overwrite=True to replace it.")


def _word(value: Any) -> str:
    """A value as `--set` takes it."""
    return value if isinstance(value, str) else json.dumps(value)


def recipe_request(
    recipe: PathLike,
    vars: Mapping[str, Any] | None,
    policy: Mapping[str, str] | None,
    output: PathLike | None,
    output_step: str | None,
    dtype: str | None,
    rounding: str | None,
    max_shard_size: int | str | None,
    models: Iterable[PathLike],
    presets: PathLike | None,
    private: bool,
) -> dict[str, Any]:
    return {
        "path": os.fspath(recipe),
        "vars": {key: _word(value) for key, value in (vars or {}).items()},
        "policy": dict(policy or {}),
        "output": None if output is None else os.fspath(output),
        "output_step": output_step,
        "dtype": dtype,
        "rounding": rounding,
        "max_shard_size": _native.parse_bytes(max_shard_size) if isinstance(max_shard_size, str) else max_shard_size,
        "models": model_folders(models),
        "presets": None if presets is None else os.fspath(presets),
        "private": private,
    }


def merge(
    recipe: PathLike,
    *,
    vars: Mapping[str, Any] | None = None,
    output: PathLike | None = None,
    policy: Mapping[str, str] | None = None,
    output_step: str | None = None,
    dtype: DType | None = None,
    rounding: str | None = None,
    max_shard_size: int | str | None = None,
    models: Iterable[PathLike] = (),
    presets: PathLike | None = None,
    private: bool = False,
    **options: Unpack[RunOptions],
) -> Report:
    """Merges models as a recipe file says, as `weightsmith merge RECIPE` does.

    vars: values of the recipe's variables. output: write here instead. policy: over the recipe's own. output_step:
    write this model or step. dtype, rounding, max_shard_size: of the output. models: folders in which models that are
    named by hash are looked for, before those of $WEIGHTSMITH_MODELS. presets: a file of block weights by name.
    private: leave recipe and inputs out of the metadata. options: see RunOptions.

    Raises RecipeError with all that is wrong in the text, MismatchError, FormatError, NoEffectError …
    """
    request = recipe_request(
        recipe, vars, policy, output, output_step, dtype, rounding, max_shard_size, models, presets, private
    )
    request["sha256"] = options.get("sha256")
    if output is not None:
        keep_existing(output, options)
    return run(_native.Plan.of_recipe(request), "merging", options)


def plan(
    recipe: PathLike,
    *,
    vars: Mapping[str, Any] | None = None,
    output: PathLike | None = None,
    policy: Mapping[str, str] | None = None,
    output_step: str | None = None,
    dtype: DType | None = None,
    rounding: str | None = None,
    max_shard_size: int | str | None = None,
    models: Iterable[PathLike] = (),
    presets: PathLike | None = None,
    private: bool = False,
    **options: Unpack[RunOptions],
) -> Plan:
    """What `merge` with the same arguments would do: from headers, nothing is written."""
    from weightsmith._results import Plan, from_json

    request = recipe_request(
        recipe, vars, policy, output, output_step, dtype, rounding, max_shard_size, models, presets, private
    )
    native, _ = native_options(options)
    return from_json(Plan, _native.Plan.of_recipe(request).json(native))


def info(path: PathLike, *, tensors: bool = False) -> Info:
    """What a checkpoint is, from its header alone. With `tensors`, its entries too."""
    from weightsmith._results import Info, from_json

    return from_json(Info, _native.info(os.fspath(path), tensors))


def scan(*paths: PathLike) -> list[ScanResult]:
    """Whether loading these files with Python would be safe. Nothing of them is executed."""
    from weightsmith._results import ScanResult, list_from_json

    return list_from_json(ScanResult, _native.scan([os.fspath(path) for path in paths]))


def verify(
    path: PathLike,
    *,
    models: Iterable[PathLike] = (),
    model: Mapping[str, PathLike] | None = None,
    recompute: bool = True,
    progress: Any = None,
) -> Verification:
    """Checks that a file is what it says it is: its structure, that its values are finite, the digest that is recorded,
    and, where its recipe is, that this makes it of its inputs. They are looked for in the folders `models`, those of
    $WEIGHTSMITH_MODELS and beside the file; `model` names files by the recipe's name of them.

    Raises VerifyError where something differs; its `verification` has what was found.
    """
    from weightsmith._results import Verification, from_json

    _, callback = native_options({"progress": progress})
    named = {name: os.fspath(file) for name, file in (model or {}).items()}
    text = _native.verify(os.fspath(path), model_folders(models), named, recompute, callback)
    found = from_json(Verification, text)
    if not found.right:
        error = VerifyError("\n".join([f"verify '{os.fspath(path)}':", *found.problems]))
        error.verification = found
        raise error
    return found


def split(path: PathLike, folder: PathLike, **options: Unpack[RunOptions]) -> Report:
    """Writes each component of a checkpoint to a file of its own in `folder`, which is made: unet.safetensors,
    clip_l.safetensors, vae.safetensors …, in the form in which loaders take them."""
    return run(_native.Plan.of_split(os.fspath(path), os.fspath(folder)), "splitting", options)


def assemble(like: str, parts: Mapping[str, PathLike], output: PathLike, **options: Unpack[RunOptions]) -> Report:
    """Puts components together into one checkpoint of the architecture `like` ("sdxl"): the reverse of `split`.

    parts: files by the names of components ("unet", "clip_l", "vae" …), "te1" … for text encoders by their number;
    "other" and "ema" go in under their own names.
    """
    keep_existing(output, options)
    files = {name: os.fspath(file) for name, file in parts.items()}
    return run(_native.Plan.of_assemble(like, files, os.fspath(output)), "assembling", options)


def convert(
    path: PathLike,
    output: PathLike,
    *,
    dtype: DType | None = None,
    layout: str | None = None,
    components: Sequence[str] = (),
    files_from: PathLike | None = None,
    prune: bool = False,
    fix: bool = False,
    **options: Unpack[RunOptions],
) -> Report:
    """Writes a checkpoint anew: as safetensors, in another dtype or layout ("ldm", "comfy", "bfl", "diffusers", which
    writes a folder), only some components, pruned, with position_ids mended (`fix`)."""
    if isinstance(components, str):
        raise RecipeError(f"components is {components!r}, expected a list of names")
    keep_existing(output, options)
    request = {
        "path": os.fspath(path),
        "output": os.fspath(output),
        "dtype": dtype,
        "layout": layout,
        "components": list(components),
        "files_from": None if files_from is None else os.fspath(files_from),
        "prune": prune,
        "fix": fix,
        "overwrite": options.get("overwrite", False),
    }
    return run(_native.Plan.of_convert(request), "converting", options)
