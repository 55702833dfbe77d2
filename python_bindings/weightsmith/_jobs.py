"""What the commands of the same names do, as functions."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from weightsmith import _arguments as check
from weightsmith import _native
from weightsmith._errors import MissingFileError, OutputExistsError, VerifyError
from weightsmith._options import PathLike, Progress, RunOptions, model_folders, native_options, size, warn

# Dataclasses of results are defined when there is one: defining them takes longer than importing all else.
if TYPE_CHECKING:
    from typing_extensions import Unpack

    from weightsmith._results import Info, Plan, Report, ScanResult, Verification

# What tensors are stored as: values of a dtype, or codes with scales beside them.
DType = Literal["f32", "f16", "bf16", "f64", "f8_e4m3", "f8_e5m2", "f8_scaled", "f8_block128"]


NativeProgress = Callable[[str, int, int, float], object]


def run(
    prepared: _native.Plan, phase: str, native: Mapping[str, Any], progress: NativeProgress | None
) -> Report:
    from dataclasses import replace

    from weightsmith._from_json import from_json
    from weightsmith._results import Report

    warn(prepared.warnings)
    report = from_json(Report, prepared.run(dict(native), phase, progress))
    warn(report.warnings)
    return replace(report, notes=[*prepared.notes, *report.notes])


def keep_existing(path: str, native: Mapping[str, Any]) -> None:
    if not native.get("overwrite") and os.path.lexists(path) and not os.path.isdir(path):
        raise OutputExistsError(f"{path!r} already exists", "overwrite=True replaces it.")


def existing(what: str, value: PathLike) -> str:
    """The path of a file or folder that is there."""
    path = check.path(what, value)
    if not os.path.exists(path):
        raise MissingFileError(f"{what}: there is no file {path!r}")
    return path


def _word(what: str, value: Any) -> str:
    """A value as `--set` takes it."""
    return check.text(what, value) if isinstance(value, str) else json.dumps(check.plain(what, value))


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
    given = check.mapping("vars", {} if vars is None else vars, "variables to values")
    return {
        "path": existing("recipe", recipe),
        "vars": {key: _word(f"vars[{key!r}]", value) for key, value in given.items()},
        "policy": check.texts_by_name("policy", {} if policy is None else policy),
        "output": None if output is None else check.path("output", output),
        "output_step": None if output_step is None else check.text("output_step", output_step),
        "dtype": None if dtype is None else check.text("dtype", dtype),
        "rounding": None if rounding is None else check.text("rounding", rounding),
        "max_shard_size": None if max_shard_size is None else size("max_shard_size", max_shard_size),
        "models": model_folders(models),
        "presets": None if presets is None else existing("presets", presets),
        "private": check.flag("private", private),
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
    native, progress = native_options(options)
    request["sha256"] = native.get("sha256")
    if output is not None:
        keep_existing(request["output"], native)
    return run(_native.Plan.of_recipe(request), "merging", native, progress)


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
    from weightsmith._from_json import from_json
    from weightsmith._results import Plan

    request = recipe_request(
        recipe, vars, policy, output, output_step, dtype, rounding, max_shard_size, models, presets, private
    )
    native, _ = native_options(options)
    prepared = _native.Plan.of_recipe(request)
    planned = from_json(Plan, prepared.json(native))
    warn([*prepared.warnings, *planned.warnings])
    return planned


def info(path: PathLike, *, tensors: bool = False, key: str | None = None) -> Info:
    """What a checkpoint is, from its header alone. With `tensors`, its entries too. key: as in `open`."""
    from weightsmith._from_json import from_json
    from weightsmith._results import Info

    native_path, with_tensors = existing("info: path", path), check.flag("info: tensors", tensors)
    return from_json(Info, _native.info(native_path, with_tensors, key or ""))


def scan(*paths: PathLike) -> list[ScanResult]:
    """Whether loading these files with Python would be safe. Nothing of them is executed. An index of shards stands for
    itself and its shards, a folder for every file in it that could be a model."""
    from weightsmith._from_json import list_from_json
    from weightsmith._results import ScanResult

    files = [existing(f"scan: paths[{number}]", path) for number, path in enumerate(paths)]
    return list_from_json(ScanResult, _native.scan(files))


def verify(
    path: PathLike,
    *,
    models: Iterable[PathLike] = (),
    model: Mapping[str, PathLike] | None = None,
    recompute: bool = True,
    progress: Callable[[Progress], object] | None = None,
) -> Verification:
    """Checks that a file is what it says it is: its structure, that its values are finite, the digest that is recorded,
    and, where its recipe is, that this makes it of its inputs. They are looked for by size and digest in the folders
    `models`, those of $WEIGHTSMITH_MODELS and beside the file; `model` names files by the recipe's name of them.
    progress: called as by a run, in the phases "reading", "finding inputs" and "recomputing".

    Raises VerifyError where something differs; its `verification` has what was found.
    """
    from weightsmith._from_json import from_json
    from weightsmith._results import Verification

    _, callback = native_options({"progress": progress})
    given = check.mapping("verify: model", {} if model is None else model, "names to paths")
    named = {name: existing(f"verify: model[{name!r}]", file) for name, file in given.items()}
    folders = model_folders(models)
    file = existing("verify: path", path)
    text, message, advice = _native.verify(file, folders, named, check.flag("verify: recompute", recompute), callback)
    found = from_json(Verification, text)
    if not found.right:
        error = VerifyError(message, advice)
        error.verification = found
        raise error
    return found


def split(path: PathLike, folder: PathLike, **options: Unpack[RunOptions]) -> Report:
    """Writes each component of a checkpoint to a file of its own in `folder`, which is made: unet.safetensors,
    clip_l.safetensors, vae.safetensors …, in the form in which loaders take them."""
    native, progress = native_options(options)
    prepared = _native.Plan.of_split(existing("split: path", path), check.path("split: folder", folder))
    return run(prepared, "splitting", native, progress)


def assemble(like: str, parts: Mapping[str, PathLike], output: PathLike, **options: Unpack[RunOptions]) -> Report:
    """Puts components together into one checkpoint of the architecture `like` ("sdxl"): the reverse of `split`.

    parts: files by the names of components ("unet", "clip_l", "vae" …), "te1" … for text encoders by their number;
    "other" and "ema" go in under their own names.
    """
    native, progress = native_options(options)
    written = check.path("assemble: output", output)
    given = check.mapping("assemble: parts", parts, "components to paths")
    files = {name: existing(f"assemble: parts[{name!r}]", file) for name, file in given.items()}
    architecture = check.text("assemble: like", like)
    keep_existing(written, native)
    return run(_native.Plan.of_assemble(architecture, files, written), "assembling", native, progress)


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
    key: str | None = None,
    **options: Unpack[RunOptions],
) -> Report:
    """Writes a checkpoint anew: as safetensors, in another dtype or layout ("ldm", "comfy", "bfl", "diffusers", which
    writes a folder), only some components, pruned, with position_ids repaired (`fix`). key: as in `open`."""
    native, progress = native_options(options)
    written = check.path("convert: output", output)
    names = check.items("convert: components", components, "names of components")
    request = {
        "path": existing("convert: path", path),
        "output": written,
        "dtype": None if dtype is None else check.text("convert: dtype", dtype),
        "layout": None if layout is None else check.text("convert: layout", layout),
        "components": [check.text(f"convert: components[{n}]", name) for n, name in enumerate(names)],
        "files_from": None if files_from is None else existing("convert: files_from", files_from),
        "prune": check.flag("convert: prune", prune),
        "fix": check.flag("convert: fix", fix),
        "key": None if key is None else check.text("convert: key", key),
        "overwrite": native.get("overwrite", False),
    }
    keep_existing(written, native)
    return run(_native.Plan.of_convert(request), "converting", native, progress)
