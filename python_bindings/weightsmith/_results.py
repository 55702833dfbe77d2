"""What functions return: the data that the command line prints with --json, by the same names. Made by
scripts/make_python_results.py from the tables of fields in recipes/jobs/; to change it, change those.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Distilled:
    """How a model was distilled, and what tells so."""

    kind: str
    """Such as "turbo", "lightning", "lcm", "schnell"."""
    by: str
    """A tensor, or a key of the metadata."""


@dataclass(frozen=True)
class ComponentInfo:
    """A component of a checkpoint."""

    tensors: int
    """Tensors of it."""
    parameters: int
    """Elements of floating dtype."""
    bytes: int
    """Bytes of its tensors."""
    dtypes: dict[str, int]
    """Tensors of each dtype."""
    complete: bool
    """Nothing is missing."""
    missing: list[str]
    """Canonical names that the architecture has and the file lacks."""
    extra: list[str]
    """Names that the file has and the architecture lacks."""


@dataclass(frozen=True)
class AdapterSummary:
    """Of a LoRA or another adapter: modules by what they are, and the architectures whose widths it has."""

    modules: int
    """How many it has."""
    families: dict[str, int]
    """Modules of each family: "lora", "loha" …"""
    namings: dict[str, int]
    """By whose names: "kohya", "peft" …"""
    components: dict[str, int]
    """By the component that their names say."""
    ranks: dict[str, int]
    """By rank."""
    alphas: dict[str, int]
    """By alpha; "none" where none is stored."""
    dora: int
    """Modules with magnitudes (DoRA)."""
    architectures: list[str]
    """That it was made for."""
    modules_of_architecture: int
    """Modules that these have."""


@dataclass(frozen=True)
class TensorInfo:
    """A tensor as `info(path, tensors=True)` lists it."""

    name: str
    """In the file."""
    dtype: str
    """As stored."""
    shape: list[int]
    """As stored."""
    component: str
    """The component that it is of."""
    canonical: str
    """Its name in a monolithic file of the architecture."""
    role: str
    """What it is: "weight", "position_ids", "ema" …"""


@dataclass(frozen=True)
class Info:
    """What a checkpoint is."""

    path: str
    """As it was given."""
    format: str
    """By its content: "safetensors", "sharded", "torch-zip" or "torch-legacy"."""
    files: int
    """How many files it is: 1, or its shards."""
    bytes: int
    """Of all files."""
    architecture: str
    """Such as "sd1", "sdxl" and "flux1"; of a component alone its name; or "unknown"."""
    variant: str
    """Such as "base", "inpainting", "dev"."""
    scale: str
    """Of its sizes: "full", or "tiny" in tests."""
    layout: str
    """How tensors are named: "ldm", "sgm", "comfy", "bfl", "component", "hf" …"""
    prediction: str
    """What the model predicts: "epsilon", "v", "flow" or "unknown"."""
    distilled: Distilled | None
    """How it was made to draw in a few steps; null where it was not."""
    components: dict[str, ComponentInfo]
    """By name."""
    tensors: int
    """Tensors in it."""
    parameters: int
    """Elements of floating dtype."""
    dtypes: dict[str, int]
    """Tensors of each dtype."""
    markers: list[str]
    """Such as "v_pred" and "ztsnr"."""
    quantization: list[str]
    """Schemes of quantised weights that were recognised."""
    damage: list[str]
    """What is known to be broken, a sentence each."""
    code: list[str]
    """What loading it with Python would call beside what makes tensors."""
    metadata: dict[str, str]
    """Of the header."""
    adapter: AdapterSummary | None
    """What it is as a LoRA or another adapter; null where it is none."""
    entries: list[TensorInfo] = field(default_factory=list)
    """Every tensor, where that was asked for."""


@dataclass(frozen=True)
class ScannedGlobal:
    """What loading a file with Python would import or call."""

    name: str
    """With dots, such as "os.system"."""
    safety: str
    """One of "safe", "unknown" and "dangerous"."""


@dataclass(frozen=True)
class ScanResult:
    """Whether loading a file with Python would be safe."""

    path: str
    """The file."""
    safe: bool
    """Loading it calls nothing but what makes tensors."""
    verdict: str
    """One of "safe", "dangerous", "ambiguous", "unknown code", "malformed" and "missing"."""
    format: str
    """By its content: "safetensors", "torch-zip" …"""
    problems: list[str]
    """What no program reads."""
    ambiguities: list[str]
    """What other programs could read differently."""
    unusual: list[str]
    """What pickles do that no checkpoint needs."""
    globals: list[ScannedGlobal]
    """What its pickles name, sorted."""


@dataclass(frozen=True)
class Verification:
    """What a file was checked for, and what was found."""

    path: str
    """The file or folder."""
    right: bool
    """Nothing differs."""
    checked: list[str]
    """Of "structure", "finite values", "digest" and "recomputed", what was."""
    recipe: bool
    """A recipe is recorded in it."""
    problems: list[str]
    """What differs."""
    status: int
    """The exit status of the command line."""


@dataclass(frozen=True)
class PlannedPart:
    """A file of a model."""

    path: str
    """The file, or a folder of shards."""
    architecture: str
    """Such as "sd1", "sdxl" and "flux1", or "unknown"."""
    variant: str
    """Of the architecture."""
    layout: str
    """How its tensors are named."""
    bytes: int
    """Its size."""
    tensors: int
    """Tensors in it."""
    component: str | None = None
    """The component that is taken of it."""


@dataclass(frozen=True)
class PlannedModel:
    """A model, and how its keys go in."""

    name: str
    """The recipe's name of it."""
    parts: list[PlannedPart]
    """Its files."""
    tensors_matched: int
    """Tensors that are in an output, by name."""
    tensors_used: int
    """Those that are read."""
    tensors_unmatched: int
    """Those that are in no output."""
    tensors_ema: int
    """EMA copies that are left out."""
    unmatched_names: list[str]
    """The first of those in no output."""
    weight_zero: bool
    """Every weight of it is exactly 0."""


@dataclass(frozen=True)
class RowRange:
    """Rows of a tensor, and the first row of the module's that goes there."""

    first: int
    """The first of the tensor's rows."""
    count: int
    """How many there are."""
    of: int
    """The first of the module's."""


@dataclass(frozen=True)
class AppliedModule:
    """A module of an adapter on a tensor; with numbers of its effect in a report."""

    module: str
    """Its name in the adapter."""
    tensor: str
    """The canonical name of the tensor."""
    rows: list[RowRange]
    """Rows of the tensor that it changes."""
    transposed: bool
    """Its matrix is the tensor's transposed."""
    family: str
    """Such as "lora", "loha", "lokr"."""
    dora: bool
    """It has magnitudes (DoRA)."""
    rank: int | None
    """Null where the family has none."""
    alpha: float | None
    """Null where none is stored."""
    scale: float
    """What its product is multiplied by, from alpha."""
    strength: float
    """The recipe's, at its place."""
    step: str
    """The step that applies it."""
    elements: int | None = None
    """Elements that it is for."""
    elements_changed: int | None = None
    """Those that it changed, before rounding."""
    elements_changed_after_rounding: int | None = None
    """Those that differ in the output's dtype."""
    change_norm: float | None = None
    """Norm of the change; null where it is not finite."""
    relative_change: float | None = None
    """The same as a share of the tensor's norm."""


@dataclass(frozen=True)
class ModulesElsewhere:
    """Modules of an adapter that are for a component which the model does not carry."""

    component: str
    """The component."""
    modules: list[str]
    """Their names."""


@dataclass(frozen=True)
class ModulesLeftOut:
    """Modules of an adapter that do nothing, and why."""

    reason: str
    """Why."""
    modules: list[str]
    """Their names, or those of tensors."""


@dataclass(frozen=True)
class AdapterResult:
    """Where every module of an adapter goes."""

    name: str
    """The recipe's name of it."""
    path: str
    """The file or folder."""
    applied: list[AppliedModule]
    """Modules that change a tensor, once for each tensor."""
    elsewhere: list[ModulesElsewhere]
    """Modules for components that the model does not carry."""
    ignored: list[ModulesLeftOut]
    """Tensors that change no weight."""
    unmatched: list[ModulesLeftOut]
    """Modules of no tensor of the model, where that was allowed."""


@dataclass(frozen=True)
class Finding:
    """What a step did to the tensors of a component, in its method's own words: a share that it kept, an angle."""

    component: str
    """The component."""
    label: str
    """What it is: "kept"."""
    unit: str
    """"number", "share" (0 to 1), "degrees" or "count"."""
    tensors: int
    """Tensors that have it."""
    lowest: float
    """The least of any tensor."""
    mean: float
    """The mean, by the elements of the tensors."""
    highest: float
    """The largest of any tensor."""
    operand: str | None = None
    """The operand that it is about."""
    of: float | None = None
    """Of a count: out of how many, the mean likewise."""


@dataclass(frozen=True)
class PlannedStep:
    """A step of the recipe."""

    name: str
    """The recipe's name of it."""
    op: str
    """The operator."""
    unjudged: bool
    """A sample is taken and has none of the tensors that it computes: what it changes is seen in the report of a run."""
    findings: list[Finding]
    """By component: what it does in its method's own words, in a sample of the tensors; empty where none is taken."""
    seed: int | None = None
    """Of its random numbers, where it draws some."""


@dataclass(frozen=True)
class PlannedFile:
    """A file that will be written."""

    path: str
    """The file."""
    bytes: int
    """Its size."""
    tensors: int
    """Tensors in it."""


@dataclass(frozen=True)
class ComponentResult:
    """A component of the result as a sum of the models, where it is one."""

    component: str
    """Its name."""
    linear: bool
    """It is such a sum."""
    uniform: bool
    """All tensors have the same coefficients."""
    coefficients: dict[str, float] = field(default_factory=dict)
    """By model, those that are not 0; `ema(NAME)` are its moving averages."""


@dataclass(frozen=True)
class PlannedOutput:
    """An output of the recipe: a file, or several."""

    path: str
    """As the recipe has it."""
    files: list[PlannedFile]
    """The files: one, shards, or one for each component."""
    result: list[ComponentResult]
    """What it is of the models, by component."""


@dataclass(frozen=True)
class DiskNeed:
    """What is needed and free on one file system."""

    folder: str
    """The first output folder on it."""
    bytes_needed: int
    """Beside what partial outputs there hold already."""
    bytes_free: int
    """What is free."""


@dataclass(frozen=True)
class Resumption:
    """What an interrupted run has done, and what of it is read back before it is trusted."""

    tensors_done: int
    """Tensors that are finished."""
    bytes_to_verify: int
    """Bytes that are read back."""


@dataclass(frozen=True)
class Plan:
    """What a run would do: known from headers, before anything is read."""

    weightsmith: str
    """The version of the program."""
    models: list[PlannedModel]
    """The models, in the order of the recipe."""
    adapters: list[AdapterResult]
    """The adapters, and where their modules go."""
    steps: list[PlannedStep]
    """The steps, in the order of the computation."""
    outputs: list[PlannedOutput]
    """What is written."""
    tensors: int
    """Tensors of the outputs, each counted once."""
    tensors_copied: int
    """Those of them that are an input's, unchanged."""
    bytes_to_read: int
    """Bytes that are read of inputs."""
    bytes_to_write: int
    """Bytes that are written to outputs."""
    peak_memory: int
    """The most bytes of memory that the run holds at once."""
    disk: list[DiskNeed]
    """What is needed of each file system."""
    notes: list[str]
    """What a person may want to know."""
    warnings: list[str]
    """What may be wrong."""
    resume: Resumption | None = None
    """What an interrupted run has done, and what of it is read back before it is trusted."""


@dataclass(frozen=True)
class InputReport:
    """What was read of a file, and how many tensors of the outputs are its own, were computed from it, and were
    changed by the steps that did it."""

    model: str
    """The recipe's name of its model."""
    path: str
    """The file, or a folder of shards."""
    tensors: int
    """Tensors in the file."""
    tensors_read: int
    """Those that were read."""
    tensors_copied: int
    """Tensors of the outputs that are this input's own."""
    tensors_computed: int
    """Tensors of the outputs that were computed from it."""
    tensors_changed: int
    """Those of them that a step changed; of an adapter, that the adapter changed. By how much: steps[], and of an
    adapter adapters[].applied[]."""
    steps: list[str]
    """The steps that computed tensors from it."""
    digest: str | None = None
    """Of the tensors that were read."""


@dataclass(frozen=True)
class ModelKeys:
    """How the tensors of a model match those of the outputs."""

    model: str
    """The recipe's name of it."""
    matched: int
    """Its tensors that are in an output, by name."""
    unmatched: int
    """Those that are in none."""
    used: int
    """Those whose values are used."""
    ema: int
    """EMA copies that are left out."""


@dataclass(frozen=True)
class StepReport:
    """What a step changed, of its first operand."""

    name: str
    """The recipe's name of it."""
    op: str
    """The operator."""
    tensors: int
    """Tensors that it computed."""
    tensors_changed: int
    """Those of them that it changed."""
    tensors_copied: int
    """Of those that it should have changed besides, being integers or missing in an operand."""
    elements: int
    """Elements that were computed."""
    elements_changed: int
    """Those that differ from the step's first operand."""
    change_norm: float | None
    """Norm of the change."""
    before_norm: float | None
    """Norm of the first operand."""
    relative_change: float | None
    """change_norm as a share of before_norm; null where that is 0."""
    findings: list[Finding]
    """By component: what it did in its method's own words."""
    seed: int | None = None
    """Of its random numbers, where it draws some."""


@dataclass(frozen=True)
class OutputReport:
    """A file that was written."""

    path: str
    """The file."""
    bytes: int
    """Its size."""
    tensors: int
    """Tensors in it."""
    tensors_copied: int
    """Those of them that are an input's, unchanged."""
    digest: str | None = None
    """Of all its tensors."""
    sha256: str | None = None
    """Of the file, where that was asked for."""


@dataclass(frozen=True)
class Effect:
    """What a step changed. A norm that is not finite is null."""

    elements: int
    """Elements that were computed."""
    elements_changed: int
    """Those that differ from the step's first operand."""
    change_norm: float | None
    """Norm of the change."""
    before_norm: float | None
    """Norm of the first operand."""
    relative_change: float | None
    """change_norm as a share of before_norm; null where that is 0."""


@dataclass(frozen=True)
class TensorFinding:
    """What a step did to a tensor, in its method's own words."""

    step: str
    """The recipe's name of the step."""
    label: str
    """What it is: "kept"."""
    unit: str
    """"number", "share" (0 to 1), "degrees" or "count"."""
    value: float
    """It; a share of a large tensor is that of tiles spread over it."""
    operand: str | None = None
    """The operand that it is about."""
    of: float | None = None
    """Of a count: out of how many."""


@dataclass(frozen=True)
class TensorReport:
    """What a run did to a tensor, by step."""

    name: str
    """Its canonical name."""
    component: str
    """The component that it is of."""
    elements: int
    """Its elements."""
    copied: bool
    """It is a tensor of an input, unchanged."""
    non_finite: int
    """Values of the result that are not finite."""
    effects: dict[str, Effect]
    """By step: what it changed."""
    findings: list[TensorFinding]
    """What steps did in their methods' own words."""


@dataclass(frozen=True)
class Report:
    """What each input, step and tensor did in a run."""

    weightsmith: str
    """The version of the program."""
    inputs: list[InputReport]
    """The files, and what became of their tensors."""
    keys: list[ModelKeys]
    """By model: how its tensors match."""
    adapters: list[AdapterResult]
    """By adapter: in applied[], what each module changed."""
    steps: list[StepReport]
    """By step: what it changed."""
    outputs: list[OutputReport]
    """The files that were written."""
    tensors: list[TensorReport]
    """Every tensor of the outputs, where that was asked for."""
    notes: list[str]
    """What a person may want to know."""
    warnings: list[str]
    """What may be wrong."""
    bytes_read: int
    """Bytes that were read of inputs."""
    bytes_written: int
    """Bytes that were written to outputs."""
    seconds: float
    """How long the run took."""
    sampled: bool
    """Only a sample of the elements was computed."""
    sampled_share: float
    """The share of the elements that was."""
    resumed: bool
    """The run went on from an interrupted one."""
    tensors_left: int | None = None
    """Of a part that did not end the run: tensors that other parts have still to compute; 0 where one of them was
    ending it. The report has then nothing else."""
