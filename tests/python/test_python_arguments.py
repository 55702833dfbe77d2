"""What every public function says of arguments of wrong types, names and values: never a word of the inside."""

import inspect
import re

import numpy as np
import pytest

import support
from test_python_merging import lora  # noqa: F401
from test_python_reading import ws

# Words of nanobind, of C++ and of Python about itself, none of which says what to do.
INSIDE = re.compile(
    r"incompatible function arguments|std::|bad_|nanobind|_native|unexpected:|<class|object at 0x|JSON serializable"
    r"|has no attribute|NoneType'|unhashable|not iterable|unsupported operand|basic_string"
)

A, B = "a.safetensors", "b.safetensors"
ARRAY = np.ones(3, np.float32)
WRONG_PATHS = [None, 3, 1.5, b"x".hex, [A], {"path": A}, object(), True]
TYPE, OURS, MISSING = (TypeError,), (TypeError, ValueError, ws.Error), (ws.MissingFileError,)


def merged():
    return ws.weighted_sum(A, B, alpha=0.5)


# A call with one argument that is replaced, what it is replaced by, and what that raises.
CASES = [
    ("open", lambda v: ws.open(v), WRONG_PATHS, TYPE),
    ("open.missing", lambda v: ws.open(v), ["nothing.safetensors", "no/folder/x.safetensors"], MISSING),
    ("open.value", lambda v: ws.open(v), ["", "a\0b"], OURS),
    ("checkpoint", lambda v: ws.Checkpoint(v), WRONG_PATHS, TYPE),
    ("checkpoint.item", lambda v: ws.open(A)[v], [None, 3, b"x", "nothing"], (KeyError,)),
    ("model", lambda v: ws.model(v), [None, 3, 1.5, [A], [ARRAY], ARRAY, object(), True], TYPE),
    ("model.dict", lambda v: ws.model(v), [{1: ARRAY}, {"x": None}, {"x": [1.0, 2.0]}, {"x": 1.0}, {"x": "text"},
                                           {"x": {"y": ARRAY}}, {None: ARRAY}, {"x": object()}], TYPE),
    ("model.missing", lambda v: ws.model(v).plan(), ["nothing.safetensors"], MISSING),
    ("Model", lambda v: ws.Model(v), [None, A, 3], TYPE),
    ("Tensor", lambda v: ws.Tensor(v, "x"), [None, A, 3], TYPE),
    ("Lora.path", lambda v: ws.Lora(v), [None, 3, [A], {A: 1}], TYPE),
    ("Lora.strength", lambda v: ws.Lora("lora.safetensors", v), [object(), b"x", {1, 2}, 1j], TYPE),
    ("Lora.te_strength", lambda v: ws.Lora("lora.safetensors", 1, v), [object(), b"x", {1, 2}], TYPE),
    ("Lora.allow", lambda v: ws.Lora("lora.safetensors", allow_unmatched=v), [3, [A], b"x"], TYPE),
    ("Lora.adapter", lambda v: ws.Lora("lora.safetensors", adapter=v), [3, [A], b"x"], TYPE),
    ("Lora.missing", lambda v: ws.bake(A, v).plan(), ["nothing.safetensors"], MISSING),
    ("alpha", lambda v: ws.weighted_sum(A, B, alpha=v).plan(), [object(), b"x", {1, 2}, 1j, np.ones(2, complex)], TYPE),
    ("alpha.value", lambda v: ws.weighted_sum(A, B, alpha=v).plan(),
     [None, "nonsense", float("nan"), float("inf"), [], [1, 2], {"nowhere": 1}, {}, {"unet": "much"}, True], OURS),
    ("policy", lambda v: ws.weighted_sum(A, B, alpha=0.5, policy=v).plan(), [3, "keep", ["missing"], {1: "keep"}], TYPE),
    ("policy.value", lambda v: ws.weighted_sum(A, B, alpha=0.5, policy=v).plan(),
     [{"mising": "keep"}, {"missing": "nonsense"}, {"missing": 3}], OURS),
    ("operand", lambda v: ws.weighted_sum(A, v, alpha=0.5), [None, 3, 1.5, [A], (ARRAY,), object(), True], TYPE),
    ("list", lambda v: ws.average(v), [None, 3, A, {"a": 1}, b"x", [None], [3]], TYPE),
    ("pairs", lambda v: ws.linear(v), [None, 3, A, [A], [(A,)], [(A, 1, 2)], {A: 1}, [(None, 1)]], TYPE),
    ("parameter", lambda v: ws.clamp(A, low=v).plan(), [object(), b"x"], TYPE),
    ("bake.model", lambda v: ws.bake(v, "lora.safetensors"), [None, 3, [A], ARRAY], TYPE),
    ("bake.loras", lambda v: ws.bake(A, v), [None, 3, [3], [None], {3: 1}, object()], TYPE),
    ("bake.value", lambda v: ws.bake(A, v).plan(), [[], {}, {"lora.safetensors": "much"}], OURS),
    ("bake.option", lambda v: ws.bake(A, "lora.safetensors", **{v: True}), ["overwrite", "ovewrite"], TYPE),
    ("stack.list", lambda v: ws.stack(v), [None, 3, A, {"a": 1}, b"x", [None], [3], [(None, "0-1")]], TYPE),
    ("stack.ends", lambda v: ws.stack([A], embed=v), [3, 1.5, [A], object(), True], TYPE),
    ("stack.value", lambda v: ws.stack([(A, v)]).plan(), ["", "3-1", "all", "0-99999999999"], OURS),
    # When the step is made, before anything is planned.
    ("stack.layers", lambda v: ws.stack([(A, v)]), [None, True, 1.5, object(), [0, 1], b"0-1"], TYPE),
    ("stack.layers.value", lambda v: ws.stack([(A, v)]), ["", "all", "3-1", "0-1-2", "0.5", -1, 10_000], OURS),
    ("stack.scale", lambda v: ws.stack([(A, "0-1", v)]), [object(), b"x", {1, 2}], TYPE),
    ("made.alpha", lambda v: ws.weighted_sum(A, B, alpha=v), [object(), b"x", {1, 2}, 1j, np.ones(2, complex)], TYPE),
    ("made.alpha.value", lambda v: ws.weighted_sum(A, B, alpha=v), [float("nan"), {"unet": float("inf")}], OURS),
    ("made.factor", lambda v: ws.scale(ws.subtract(A, B), factor=v), [object(), b"x", {1, 2}], TYPE),
    ("made.operand", lambda v: ws.scale(v, factor=2), [None, 3, object(), [A]], TYPE),
    ("made.weight", lambda v: ws.linear([(A, 0.5), (B, v)]), [object(), b"x", {1, 2}], TYPE),
    ("made.number", lambda v: ws.ties(A, [(B, 0.5, {"density": v})], density=0.5), [object(), b"x", {1, 2}], TYPE),
    ("base", lambda v: ws.ties(A, [(v, 0.5)], density=0.5).plan(), [A], OURS),
    ("made.policy", lambda v: ws.scale(A, factor=2, policy=v), [3, "keep", ["missing"], {1: "keep"}, {"missing": object()}], TYPE),
    ("save.path", lambda v: merged().save(v), WRONG_PATHS, TYPE),
    ("save.dtype", lambda v: merged().save("o.safetensors", dtype=v), [3, [A], np.float16, {"unet": 3}], TYPE),
    ("save.dtype.value", lambda v: merged().save("o.safetensors", dtype=v), ["f17", {"nowhere": "f16"}], OURS),
    ("save.rounding", lambda v: merged().save("o.safetensors", rounding=v), [3, True, ["nearest"]], TYPE),
    ("save.rounding.value", lambda v: merged().save("o.safetensors", rounding=v), ["up"], OURS),
    ("save.layout", lambda v: merged().save("o.safetensors", layout=v), [3, True], TYPE),
    ("save.layout.value", lambda v: merged().save("o.safetensors", layout=v), ["nothing"], OURS),
    ("save.components", lambda v: merged().save("o.safetensors", components=v), [3, [A], {1: A}, {"vae": 3}], TYPE),
    ("save.components.value", lambda v: merged().save("o.safetensors", components=v), [{"vea": A}], OURS),
    ("save.split", lambda v: merged().save("o.safetensors", split=v), [3, "yes", None], TYPE),
    ("save.shards", lambda v: merged().save("o.safetensors", max_shard_size=v), [1.5, [1], object()], TYPE),
    ("save.shards.value", lambda v: merged().save("o.safetensors", max_shard_size=v), ["much", -1, 2**70, 0], OURS),
    ("save.metadata", lambda v: merged().save("o.safetensors", metadata=v), [3, {"a": 1}, {1: "a"}, ["a"]], TYPE),
    ("save.files_from", lambda v: merged().save("o.safetensors", files_from=v), [3, [A]], TYPE),
    ("save.private", lambda v: merged().save("o.safetensors", private=v), [3, "yes"], TYPE),
    ("option.threads", lambda v: merged().save("o.safetensors", threads=v), ["2", 1.5, True, [1]], TYPE),
    ("option.threads.value", lambda v: merged().save("o.safetensors", threads=v), [-1, 5000], OURS),
    ("option.memory", lambda v: merged().save("o.safetensors", max_memory=v), [1.5, [1], True], TYPE),
    ("option.memory.value", lambda v: merged().save("o.safetensors", max_memory=v), ["much", -1, 1, "1MB"], OURS),
    ("option.io", lambda v: merged().save("o.safetensors", io=v), [3, True], TYPE),
    ("option.io.value", lambda v: merged().save("o.safetensors", io=v), ["mmap"], OURS),
    ("option.progress", lambda v: merged().save("o.safetensors", progress=v), [3, "bar"], TYPE),
    ("option.flag", lambda v: merged().save("o.safetensors", overwrite=v), [3, "yes", []], TYPE),
    ("option.name", lambda v: merged().save("o.safetensors", **{v: True}), ["force", "ovewrite"], TYPE),
    ("compute.name", lambda v: merged().state_dict(**{v: True}), ["overwrite", "nothing"], TYPE),
    ("plan.name", lambda v: merged().plan(**{v: True}), ["overwrite", "nothing"], TYPE),
    ("framework", lambda v: merged().state_dict(framework=v), [None, 3, "jax"], OURS),
    ("to_recipe", lambda v: merged().to_recipe(policy=v), [3, "keep", {1: 2}], TYPE),
    ("merge.recipe", lambda v: ws.merge(v), WRONG_PATHS, TYPE),
    ("merge.missing", lambda v: ws.merge(v), ["nothing.yaml"], MISSING),
    ("merge.vars", lambda v: ws.merge("r.yaml", vars=v), [3, "w=1", ["w"], {1: 2}, {"w": object()}, {"w": {1, 2}}], TYPE),
    ("merge.vars.value", lambda v: ws.merge("r.yaml", vars=v), [{"v": 1}, {"w": float("nan")}, {"w": {"x": 1}}, {"w": None}], OURS),
    ("merge.output", lambda v: ws.merge("r.yaml", output=v), [3, [A], True], TYPE),
    ("merge.policy", lambda v: ws.merge("r.yaml", policy=v), [3, "keep", {1: "keep"}, {"missing": 3}], TYPE),
    ("merge.policy.value", lambda v: ws.merge("r.yaml", policy=v), [{"mising": "keep"}, {"missing": "nonsense"}], OURS),
    ("merge.step", lambda v: ws.merge("r.yaml", output_step=v), [3, [A]], TYPE),
    ("merge.step.value", lambda v: ws.merge("r.yaml", output_step=v), ["nothing", ""], OURS),
    ("merge.dtype", lambda v: ws.merge("r.yaml", dtype=v), [3, np.float16, {"unet": "f16"}], TYPE),
    ("merge.dtype.value", lambda v: ws.merge("r.yaml", dtype=v), ["f17", ""], OURS),
    ("merge.rounding", lambda v: ws.merge("r.yaml", rounding=v), [3], TYPE),
    ("merge.rounding.value", lambda v: ws.merge("r.yaml", rounding=v), ["up"], OURS),
    ("merge.shards", lambda v: ws.merge("r.yaml", max_shard_size=v), [1.5, [1]], TYPE),
    ("merge.shards.value", lambda v: ws.merge("r.yaml", max_shard_size=v), ["much", -1], OURS),
    ("merge.models", lambda v: ws.merge("r.yaml", models=v), [3, ".", {"a": "."}, [3], None], TYPE),
    ("merge.presets", lambda v: ws.merge("r.yaml", presets=v), [3, [A]], TYPE),
    ("merge.presets.missing", lambda v: ws.merge("r.yaml", presets=v), ["nothing.tsv"], MISSING),
    ("merge.private", lambda v: ws.merge("r.yaml", private=v), [3, "yes"], TYPE),
    ("merge.no_recipe", lambda v: ws.merge(v), [A, "lora.safetensors"], OURS),
    ("plan.recipe", lambda v: ws.plan(v), WRONG_PATHS, TYPE),
    ("plan.missing", lambda v: ws.plan(v), ["nothing.yaml"], MISSING),
    ("plan.option", lambda v: ws.plan("r.yaml", **{v: True}), ["thread"], TYPE),
    ("info.path", lambda v: ws.info(v), WRONG_PATHS, TYPE),
    ("info.missing", lambda v: ws.info(v), ["nothing.safetensors"], MISSING),
    ("info.tensors", lambda v: ws.info(A, tensors=v), [3, "yes", None], TYPE),
    ("scan.paths", lambda v: ws.scan(v), WRONG_PATHS, TYPE),
    ("scan.missing", lambda v: ws.scan(A, v), ["nothing.ckpt"], MISSING),
    ("verify.path", lambda v: ws.verify(v), WRONG_PATHS, TYPE),
    ("verify.missing", lambda v: ws.verify(v), ["nothing.safetensors"], MISSING),
    ("verify.models", lambda v: ws.verify(A, models=v), [3, ".", [3], {"a": "."}], TYPE),
    ("verify.model", lambda v: ws.verify(A, model=v), [3, "a=b", {1: A}, {"a": 3}], TYPE),
    ("verify.model.missing", lambda v: ws.verify(A, model=v), [{"a": "nothing.safetensors"}], MISSING),
    ("verify.recompute", lambda v: ws.verify(A, recompute=v), [3, "no", None], TYPE),
    ("verify.progress", lambda v: ws.verify(A, progress=v), [3, "bar"], TYPE),
    ("split.path", lambda v: ws.split(v, "parts"), WRONG_PATHS, TYPE),
    ("split.folder", lambda v: ws.split(A, v), WRONG_PATHS, TYPE),
    ("split.missing", lambda v: ws.split(v, "parts"), ["nothing.safetensors"], MISSING),
    ("split.option", lambda v: ws.split(A, "parts", **{v: True}), ["thread"], TYPE),
    ("assemble.like", lambda v: ws.assemble(v, {"unet": A}, "o.safetensors"), [None, 3, ["sd1"]], TYPE),
    ("assemble.like.value", lambda v: ws.assemble(v, {"unet": A}, "o.safetensors"), ["", "sd-x1"], OURS),
    ("assemble.parts", lambda v: ws.assemble("sd1", v, "o.safetensors"), [None, 3, A, [A], {1: A}, {"unet": 3}], TYPE),
    ("assemble.parts.value", lambda v: ws.assemble("sd1", v, "o.safetensors"), [{}, {"uned": A}], OURS),
    ("assemble.missing", lambda v: ws.assemble("sd1", v, "o.safetensors"), [{"unet": "nothing.safetensors"}], MISSING),
    ("assemble.output", lambda v: ws.assemble("sd1", {"unet": A}, v), WRONG_PATHS, TYPE),
    ("convert.path", lambda v: ws.convert(v, "o.safetensors"), WRONG_PATHS, TYPE),
    ("convert.missing", lambda v: ws.convert(v, "o.safetensors"), ["nothing.ckpt"], MISSING),
    ("convert.output", lambda v: ws.convert(A, v), WRONG_PATHS, TYPE),
    ("convert.dtype", lambda v: ws.convert(A, "o.safetensors", dtype=v), [3, np.float16], TYPE),
    ("convert.dtype.value", lambda v: ws.convert(A, "o.safetensors", dtype=v), ["f17", ""], OURS),
    ("convert.layout", lambda v: ws.convert(A, "o.safetensors", layout=v), [3], TYPE),
    ("convert.layout.value", lambda v: ws.convert(A, "o.safetensors", layout=v), ["nothing"], OURS),
    ("convert.components", lambda v: ws.convert(A, "o.safetensors", components=v), [None, 3, "unet", [3], {"unet": 1}], TYPE),
    ("convert.components.value", lambda v: ws.convert(A, "o.safetensors", components=v), [["uned"]], OURS),
    ("convert.prune", lambda v: ws.convert(A, "o.safetensors", prune=v), [3, "yes"], TYPE),
    ("convert.fix", lambda v: ws.convert(A, "o.safetensors", fix=v), [3, "yes"], TYPE),
    ("convert.files_from", lambda v: ws.convert(A, "o", layout="diffusers", files_from=v), [3, [A]], TYPE),
    ("save_file.path", lambda v: ws.save(v, {"x": ARRAY}), WRONG_PATHS, TYPE),
    ("save_file.tensors", lambda v: ws.save("o.safetensors", v),
     [None, 3, [ARRAY], ARRAY, {1: ARRAY}, {b"x": ARRAY}, {"x": None}, {"x": [1.0]}, {"x": 1.0}, {"x": "text"},
      {"x": np.array(["text"])}, {"x": np.zeros(2, np.complex128)}, {"x": np.array([object()])}], TYPE),
    ("save_file.metadata", lambda v: ws.save("o.safetensors", {"x": ARRAY}, metadata=v),
     [3, "title", ["a"], {"a": 1}, {1: "a"}, {"a": None}], TYPE),
    ("save_file.overwrite", lambda v: ws.save("o.safetensors", {"x": ARRAY}, overwrite=v), [None, "yes", 1], TYPE),
    ("save_file.sync", lambda v: ws.save("o.safetensors", {"x": ARRAY}, sync=v), [None, "yes", 1], TYPE),
    ("save_file.name", lambda v: ws.save("o.safetensors", {v: ARRAY}), ["\ud800", "__metadata__"], OURS),
]


@pytest.fixture
def recipe(models, lora):  # noqa: F811
    (models / "r.yaml").write_text(
        "weightsmith: 1\nvars: {w: 0.5}\nmodels: {a: a.safetensors, b: b.safetensors}\n"
        "steps:\n  mix: {op: weighted_sum, a: a, b: b, alpha: $w}\noutput: {model: mix, path: o.safetensors}\n"
    )
    return models


@pytest.mark.parametrize("call, values, kinds", support.sampled([case[1:] for case in CASES], 4), ids=[case[0] for case in CASES])
def test_a_wrong_argument_is_told_in_words_of_the_caller(recipe, call, values, kinds):
    before = sorted(path.name for path in recipe.iterdir())
    for value in values:
        with pytest.raises(kinds) as caught:
            call(value)
        said = str(caught.value)
        assert said and not INSIDE.search(said), f"{value!r}: {said}"
    assert sorted(path.name for path in recipe.iterdir()) == before


def test_every_public_function_has_cases():
    functions = {name for name in ws.__all__ if inspect.isfunction(getattr(ws, name))}
    operators = set(ws._operators.__all__)
    assert functions - operators <= {name.partition(".")[0] for name, *_ in CASES} | {"save"}


def an_operand(parameter):
    if parameter.annotation.startswith("Sequence[tuple["):  # each with a weight
        return [(A, 0.5)]
    return [A] if parameter.annotation.startswith("Sequence[") else A


@pytest.mark.parametrize("name", sorted(ws._operators.__all__))
def test_every_operator_names_the_operand_that_is_no_model(models, name):  # noqa: F811
    operator = getattr(ws, name)
    parameters = inspect.signature(operator).parameters.values()
    required = {p.name: 0.5 for p in parameters if p.kind == p.KEYWORD_ONLY and p.default is p.empty}
    operands = {p.name: an_operand(p) for p in parameters if p.kind == p.POSITIONAL_OR_KEYWORD and p.default is p.empty}
    for operand in operands:
        for wrong in (None, 3, object()):
            with pytest.raises(TypeError, match=f"{name}: {operand} is .*expected"):
                operator(**{**operands, operand: wrong}, **required)


def test_bytes_and_pathlike_objects_are_paths_where_they_are_paths(recipe):
    class Place:
        def __fspath__(self):
            return b"a.safetensors"

    assert ws.info(Place()).architecture == ws.info(recipe / "a.safetensors").architecture


def test_numbers_of_numpy_are_numbers(recipe):
    plan = ws.weighted_sum(A, B, alpha=np.float32(0.5)).plan(threads=np.int64(1))
    assert plan.bytes_to_read == ws.weighted_sum(A, B, alpha={"default": np.float64(0.5)}).plan().bytes_to_read
    ws.save("o.safetensors", {"x": ARRAY}, overwrite=np.bool_(True))
    assert ws.merge("r.yaml", vars={"w": np.float64(0.25)}, overwrite=True).steps[0].name == "mix"
