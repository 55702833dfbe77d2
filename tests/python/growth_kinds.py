"""Inputs of any size, of every kind that the program reads: what each kind costs must grow with its size
alone. A kind makes its files in a folder and says which command line to run on them.

`bench/growth.py` prints how each kind grows; `test_growth.py` holds that none grows faster than it should.
"""

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

KINDS = {}


def kind(size, status=0):
    """`size` is what the ordinary tests run, far below a second where growth is as it should be."""

    def register(make):
        make.size, make.status = size, status
        KINDS[make.__name__] = make
        return make

    return register


def write(path, shapes, value=1.0, metadata=None, dtype="F16"):
    """A checkpoint all of whose elements are one value. `shapes`: pairs of name and shape."""
    size = {"F16": 2, "F32": 4}[dtype]
    entries, offset = [], 0
    if metadata is not None:
        entries.append('"__metadata__":' + json.dumps(metadata))
    for name, shape in shapes:
        count = 1
        for axis in shape:
            count *= axis
        end = offset + count * size
        entries.append(f'"{name}":{{"dtype":"{dtype}","shape":{json.dumps(shape)},"data_offsets":[{offset},{end}]}}')
        offset = end
    header = ("{" + ",".join(entries) + "}").encode()
    element = struct.pack({"F16": "<e", "F32": "<f"}[dtype], value)
    path.write_bytes(struct.pack("<Q", len(header)) + header + element * (offset // size))
    return path.name


def scalars(path, count, name="t.{}.weight", value=1.0, **options):
    return write(path, ((name.format(i), [1]) for i in range(count)), value, **options)


def pair(folder, count, name="t.{}.weight"):
    return [scalars(folder / f"{letter}.safetensors", count, name, value) for letter, value in (("a", 1.0), ("b", 2.0))]


def recipe(folder, **tables):
    (folder / "recipe.json").write_text(json.dumps({"weightsmith": 1, **tables}))
    return "recipe.json"


MERGE = ("merge", "--no-sync", "-q", "-f")
OUT = ("-o", "out.safetensors")
ANY = ("--policy", "effect=any")


# Tensors


@kind(40_000)
def tensors_of_a_merge(folder, n):
    return [*MERGE, *pair(folder, n), "--alpha", "0.3", *OUT]


@kind(40_000)
def tensors_of_a_plan(folder, n):
    return ["plan", *pair(folder, n), "--alpha", "0.3", *OUT]


@kind(40_000)
def tensors_without_blocks(folder, n):
    return [*MERGE, *pair(folder, n, "weight{}"), "--alpha", "0.3", *OUT]


@kind(20_000)
def tensors_of_one_long_prefix(folder, n):
    return [*MERGE, *pair(folder, n, "prefix." * 30 + "{}.weight"), "--alpha", "0.3", *OUT]


@kind(40_000)
def tensors_of_one_block(folder, n):
    return [*MERGE, *pair(folder, n, "layers.1.m{}.weight"), "--alpha", "0.3", *OUT]


@kind(40_000)
def tensors_of_info(folder, n):
    return ["info", "--json", scalars(folder / "a.safetensors", n)]


@kind(20_000)
def tensors_of_blocks(folder, n):
    return ["blocks", scalars(folder / "a.safetensors", n)]


@kind(40_000)
def tensors_of_convert(folder, n):
    return ["convert", scalars(folder / "a.safetensors", n), "--dtype", "f32", "-q", *OUT]


@kind(20_000)
def tensors_of_an_unfinished_architecture(folder, n):
    names = ["model.diffusion_model.input_blocks.0.0.weight"]
    names += [f"model.diffusion_model.extra.{i}.weight" for i in range(n)]
    return ["info", "--json", write(folder / "a.safetensors", ((name, [4, 4, 3, 3]) for name in names[:1])) and
            write(folder / "a.safetensors", ((name, [1]) for name in names))]


@kind(20_000, status=3)
def tensors_that_one_model_lacks(folder, n):
    first = scalars(folder / "a.safetensors", n)
    return [*MERGE, first, scalars(folder / "b.safetensors", n // 2, value=2.0), "--alpha", "0.3", *OUT]


@kind(20_000, status=3)
def tensors_of_other_shapes(folder, n):
    first = scalars(folder / "a.safetensors", n)
    second = write(folder / "b.safetensors", ((f"t.{i}.weight", [2]) for i in range(n)))
    return [*MERGE, first, second, "--alpha", "0.3", *OUT]


@kind(10_000)
def tensors_that_are_scaled(folder, n):
    entries = []
    for i in range(n):
        entries += [(f"t.{i}.weight", "F8_E4M3", [2, 2]), (f"t.{i}.scale_weight", "F32", [1])]
        entries += [(f"t.{i}.scale_input", "F32", [1])]
    parts, data = [], b""
    sizes = {"F8_E4M3": b"\x38" * 4, "F32": struct.pack("<f", 1)}
    offset = 0
    chunks = []
    for name, dtype, shape in entries:
        end = offset + len(sizes[dtype])
        parts.append(f'"{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{offset},{end}]}}')
        chunks.append(sizes[dtype])
        offset = end
    data = b"".join(chunks)
    header = ("{" + ",".join(parts) + "}").encode()
    for name in "ab":
        (folder / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)
    return [*MERGE, "a.safetensors", "b.safetensors", "--alpha", "0.3", *ANY, *OUT]


# Files of a checkpoint


@kind(20_000)
def entries_of_an_index(folder, n):
    name = scalars(folder / "a.safetensors", n)
    index = {"metadata": {}, "weight_map": {f"t.{i}.weight": name for i in range(n)}}
    (folder / "a.safetensors.index.json").write_text(json.dumps(index))
    return ["info", "a.safetensors.index.json"]


@kind(800)
def shards(folder, n):
    index = {"metadata": {}, "weight_map": {}}
    for i in range(n):
        index["weight_map"][f"t.{i}.weight"] = write(folder / f"part-{i}.safetensors", [(f"t.{i}.weight", [1])])
    (folder / "a.safetensors.index.json").write_text(json.dumps(index))
    return ["convert", "a.safetensors.index.json", "--dtype", "f32", "-q", *OUT]


@kind(600)
def shards_of_an_output(folder, n):
    shapes = [(f"t.{i}.weight", [16]) for i in range(n)]
    models = [write(folder / f"{name}.safetensors", shapes, value) for name, value in (("a", 1.0), ("b", 2.0))]
    return [*MERGE, *models, "--alpha", "0.3", "--max-shard-size", "32", *OUT]


@kind(20_000)
def entries_of_metadata(folder, n):
    metadata = {f"key{i}": "value" for i in range(n)}
    return ["meta", scalars(folder / "a.safetensors", 1, metadata=metadata)]


@kind(1_000)
def files_of_a_hash(folder, n):
    return ["hash", *(scalars(folder / f"m{i}.safetensors", 1, value=i % 100) for i in range(n))]


# Adapters


def lora(path, stems, alpha=True):
    shapes = []
    for stem in stems:
        shapes += [(f"{stem}.lora_down.weight", [1, 2]), (f"{stem}.lora_up.weight", [2, 1])]
        shapes += [(f"{stem}.alpha", [1])] if alpha else []
    return write(path, shapes)


def squares(path, count):
    return write(path, ((f"layers.{i}.weight", [2, 2]) for i in range(count)))


@kind(10_000)
def modules_of_an_adapter(folder, n):
    base = squares(folder / "base.safetensors", n)
    adapter = lora(folder / "lora.safetensors", (f"lora_unet_layers_{i}" for i in range(n)))
    return ["bake", base, "--lora", adapter, "-q", "--no-sync", *OUT]


@kind(10_000, status=3)
def modules_that_fit_nothing(folder, n):
    base = squares(folder / "base.safetensors", n)
    adapter = lora(folder / "lora.safetensors", (f"lora_unet_layer_{i}" for i in range(n)))
    return ["bake", base, "--lora", adapter, "-q", "--no-sync", *OUT]


@kind(10_000)
def modules_of_one_tensor(folder, n):
    base = squares(folder / "base.safetensors", 2)
    adapter = lora(folder / "lora.safetensors", ("lora_unet_layers_1" + "_" * i for i in range(n // 20)))
    return ["bake", base, "--lora", adapter, "-q", "--no-sync", *OUT]


@kind(10_000)
def modules_of_lora_info(folder, n):
    return ["lora", "info", lora(folder / "lora.safetensors", (f"lora_unet_layers_{i}" for i in range(n)))]


@kind(200)
def adapters(folder, n):
    base = squares(folder / "base.safetensors", 4)
    words = []
    for i in range(n):
        words += ["--lora", lora(folder / f"lora{i}.safetensors", [f"lora_unet_layers_{i % 4}"])]
    return ["bake", base, *words, "-q", "--no-sync", *OUT]


@kind(4_000)
def patterns_of_alphas(folder, n):
    base = squares(folder / "base.safetensors", n)
    stems = [f"base_model.model.layers.{i}" for i in range(n)]
    shapes = []
    for stem in stems:
        shapes += [(f"{stem}.lora_A.weight", [1, 2]), (f"{stem}.lora_B.weight", [2, 1])]
    (folder / "peft").mkdir(exist_ok=True)
    write(folder / "peft" / "adapter_model.safetensors", shapes)
    config = {"peft_type": "LORA", "r": 1, "lora_alpha": 1, "alpha_pattern": {f"layers.{i}": 2 for i in range(n)}}
    (folder / "peft" / "adapter_config.json").write_text(json.dumps(config))
    return ["bake", base, "--lora", "peft/adapter_model.safetensors", "-q", "--no-sync", *OUT]


# Recipes


def two_models(folder):
    pair(folder, 2)
    return {"a": "a.safetensors", "b": "b.safetensors"}


MIX = {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5}
WRITE = {"output": {"model": "mix", "path": "out.safetensors"}}


@kind(4_000)
def rows_of_weights(folder, n):
    pair(folder, n, "layers.{}.weight")
    alpha = {"default": 0.5, **{f"layer.{i}": (i % 10) / 10 for i in range(min(n, 9_999))}}
    models = {"a": "a.safetensors", "b": "b.safetensors"}
    return [*MERGE, recipe(folder, models=models, steps={"mix": {**MIX, "alpha": alpha}}, **WRITE)]


@kind(600)
def regex_rows(folder, n):
    pair(folder, n, "layers.{}.weight")
    alpha = {"default": 0.5, **{f"/layers\\.{i}\\.w/": 0.25 for i in range(n)}}
    models = {"a": "a.safetensors", "b": "b.safetensors"}
    return [*MERGE, recipe(folder, models=models, steps={"mix": {**MIX, "alpha": alpha}}, **WRITE)]


@kind(300)
def steps_of_a_chain(folder, n):
    steps = {"s0": MIX}
    for i in range(1, n):
        steps[f"s{i}"] = {**MIX, "a": f"s{i - 1}"}
    output = {"model": f"s{n - 1}", "path": "out.safetensors"}
    return [*MERGE, recipe(folder, models=two_models(folder), steps=steps, output=output), *ANY]


@kind(300)
def models(folder, n):
    names = {f"m{i}": scalars(folder / f"m{i}.safetensors", 4, value=i % 50) for i in range(n)}
    entries = [{"model": name, "weight": 1 / n} for name in names]
    steps = {"mix": {"op": "linear", "of": entries}}
    return [*MERGE, recipe(folder, models=names, steps=steps, **WRITE)]


@kind(200)
def outputs(folder, n):
    steps = {f"s{i}": {**MIX, "alpha": (i + 1) / (n + 1)} for i in range(n)}
    written = [{"model": f"s{i}", "path": f"out{i}.safetensors"} for i in range(n)]
    return [*MERGE, recipe(folder, models=two_models(folder), steps=steps, outputs=written)]


@kind(10_000)
def variables(folder, n):
    pair(folder, n, "layers.{}.weight")
    names = {f"v{i}": i / n for i in range(n)}
    alpha = {"default": 0.5, **{f"layer.{i}": f"$v{i}" for i in range(min(n, 9_999))}}
    models = {"a": "a.safetensors", "b": "b.safetensors"}
    return ["validate", "--json", recipe(folder, models=models, vars=names, steps={"mix": {**MIX, "alpha": alpha}}, **WRITE)]


@kind(2_000)
def settings(folder, n):
    names = {f"v{i}": i for i in range(n)}
    path = recipe(folder, models=two_models(folder), vars=names, steps={"mix": MIX}, **WRITE)
    return ["validate", "--json", path, *(word for i in range(n) for word in ("--set", f"v{i}=1"))]


@kind(1_000)
def includes(folder, n):
    for i in range(n):
        (folder / f"table{i}.json").write_text(json.dumps({"vars": {f"v{i}": i}}))
    tables = [f"table{i}.json" for i in range(n)]
    return ["validate", "--json", recipe(folder, include=tables, models=two_models(folder), steps={"mix": MIX}, **WRITE)]


@kind(20_000)
def metadata_of_an_output(folder, n):
    output = {"model": "mix", "path": "out.safetensors", "metadata": {f"key{i}": "value" for i in range(n)}}
    return [*MERGE, recipe(folder, models=two_models(folder), steps={"mix": MIX}, output=output)]


@kind(10_000, status=2)
def operands_that_are_not_there(folder, n):
    steps = {f"step{i}": {**MIX, "a": f"stepp{i}"} for i in range(n)}
    output = {"model": "step0", "path": "out.safetensors"}
    return ["validate", recipe(folder, models=two_models(folder), steps=steps, output=output)]


@kind(20_000, status=2)
def keys_that_are_unknown(folder, n):
    return ["validate", recipe(folder, models=two_models(folder), steps={"mix": {**MIX, **{f"alpa{i}": 1 for i in range(n)}}}, **WRITE)]


@kind(100_000, status=2)
def nodes_of_one_line_of_yaml(folder, n):
    (folder / "recipe.yaml").write_text("x: [" + '"a",' * n + "b]")
    return ["validate", "recipe.yaml"]


@kind(50_000, status=2)
def nodes_of_one_line_of_unicode(folder, n):
    (folder / "recipe.yaml").write_text("x: [" + '"ä",' * n + "b]")
    return ["validate", "recipe.yaml"]


@kind(50_000, status=2)
def lines_of_yaml(folder, n):
    (folder / "recipe.yaml").write_text("x:\n" + "- a\n" * n)
    return ["validate", "recipe.yaml"]


@kind(50_000, status=2)
def keys_of_yaml(folder, n):
    (folder / "recipe.yaml").write_text("x: {" + ",".join(f"k{i}: 1" for i in range(n)) + "}")
    return ["validate", "recipe.yaml"]


@kind(100_000, status=2)
def nodes_of_one_line_of_json(folder, n):
    (folder / "recipe.json").write_text(json.dumps({"x": ["a"] * n}))
    return ["validate", "recipe.json"]


@kind(20_000, status=2)
def keys_that_stand_twice(folder, n):
    (folder / "recipe.yaml").write_text("x: {" + ",".join("k: 1" for _ in range(n)) + "}")
    return ["validate", "recipe.yaml"]


@kind(50_000, status=2)
def comments_of_c(folder, n):
    (folder / "recipe.yaml").write_text("x: {\n" + "a: b // c\n" * n)
    return ["validate", "recipe.yaml"]


@kind(200_000, status=2)
def comments_of_c_in_one_line(folder, n):
    (folder / "recipe.yaml").write_text("x: {" + "a // b, ' ', " * n + "}}")
    return ["validate", "recipe.yaml"]


@kind(200_000, status=2)
def slashes_of_metadata(folder, n):
    (folder / "recipe.yaml").write_text("x: {metadata: {a: " + "b // c " * n + "}")
    return ["validate", "recipe.yaml"]


@kind(200_000, status=2)
def backslashes_of_yaml(folder, n):
    (folder / "recipe.yaml").write_text('x: ["' + "C:\\models" * n + '", ' + '"C:\\m", ' * n + "]")
    return ["validate", "recipe.yaml"]


@kind(200_000, status=2)
def backslashes_of_json(folder, n):
    (folder / "recipe.json").write_text('{"x": ["C:' + '\\"' * n + '", ' + '"C:\\m", ' * n + "]}")
    return ["validate", "recipe.json"]


@kind(200_000, status=2)
def trailing_commas_of_json(folder, n):
    (folder / "recipe.json").write_text("{" + '"x": [1,], // y\n' * n + "}")
    return ["validate", "recipe.json"]


@kind(20_000, status=2)
def names_without_brackets(folder, n):
    models = ", ".join(f"m{i}: m{i}.safetensors" for i in range(n))
    names = ", ".join(f"m{i}" for i in range(n))
    text = f"weightsmith: 1\nmodels: {{{models}}}\nsteps: {{mix: {{op: average, of: {names}, x}}}}\noutput: {{path: x.safetensors}}\n"
    (folder / "recipe.yaml").write_text(text)
    return ["validate", "recipe.yaml"]


@kind(20_000, status=2)
def outputs_without_steps(folder, n):
    models = {f"model{i}": f"m{i}.safetensors" for i in range(n)}
    return ["validate", recipe(folder, models=models, outputs=[{"model": f"x{i}", "path": f"{i}.safetensors"} for i in range(n)])]


@kind(5_000, status=2)
def anchors_of_yaml(folder, n):
    (folder / "recipe.yaml").write_text("x: [" + ",".join(f"&a{i} {i}, *a{i}" for i in range(n)) + "]")
    return ["validate", "recipe.yaml"]


@kind(20_000, status=2)
def numbers_of_a_list_of_blocks(folder, n):
    steps = {"mix": {**MIX, "alpha": [0.5] * n}}
    return ["validate", recipe(folder, models=two_models(folder), steps=steps, **WRITE)]


# Files of torch.save


class Storage:
    def __init__(self, key, count):
        self.id = ("storage", Named("torch", "FloatStorage"), key, "cpu", count)


class Named:
    """A global by its name, of a module that need not be there."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    def __init__(self, callable, *arguments):
        self.callable, self.arguments = callable, arguments


class Pickler(pickle._Pickler):
    """Writes globals of torch without torch."""

    dispatch = dict(pickle._Pickler.dispatch)

    def persistent_id(self, value):
        return value.id if isinstance(value, Storage) else None

    def save_named(self, value):
        self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())

    def save_call(self, value):
        self.save(value.callable)
        self.save(tuple(value.arguments))
        self.write(pickle.REDUCE)

    dispatch[Named] = save_named
    dispatch[Call] = save_call


REBUILD = Named("torch._utils", "_rebuild_tensor_v2")


def tensor(storage, shape=(1,), offset=0):
    return Call(REBUILD, storage, offset, tuple(shape), tuple(1 for _ in shape), False, {})


def torch_zip(path, state, storages):
    """`storages`: the number of floats by key."""
    text = io.BytesIO()
    Pickler(text, 2).dump(state)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", text.getvalue())
        archive.writestr("archive/version", "3\n")
        for key, count in storages.items():
            archive.writestr(f"archive/data/{key}", b"\0" * (4 * count))
    return path.name


@kind(5_000)
def members_of_a_zip(folder, n):
    state = {f"t.{i}.weight": tensor(Storage(str(i), 1)) for i in range(n)}
    return ["info", torch_zip(folder / "a.ckpt", state, {str(i): 1 for i in range(n)})]


@kind(20_000)
def views_of_one_storage(folder, n):
    storage = Storage("0", n)
    state = {f"t.{i}.weight": tensor(storage, offset=i) for i in range(n)}
    return ["info", torch_zip(folder / "a.ckpt", state, {"0": n})]


@kind(5_000)
def members_of_a_scan(folder, n):
    state = {f"t.{i}.weight": tensor(Storage(str(i), 1)) for i in range(n)}
    return ["scan", torch_zip(folder / "a.ckpt", state, {str(i): 1 for i in range(n)})]


@kind(20_000)
def objects_of_a_pickle(folder, n):
    state = {"w": tensor(Storage("0", 1)), "epochs": [{"step": i, "loss": [i]} for i in range(n)]}
    return ["info", torch_zip(folder / "a.ckpt", state, {"0": 1})]


@kind(13)
def dicts_that_hold_each_other(folder, n):
    """Each holds the next many times: as names, more than any file has."""
    state = {f"w{i}": tensor(Storage("0", 1)) for i in range(2)}
    for i in range(n):
        state = {f"d{j}": state for j in range(2)}
    return ["info", torch_zip(folder / "a.ckpt", {"w": tensor(Storage("0", 1)), **state}, {"0": 1})]


@kind(16, status=4)
def wrappers_that_hold_each_other(folder, n):
    state = {"x": 1}
    for i in range(n):
        state = {name: state for name in ("state_dict", "model", "module", "params", "net", "ema")}
    return ["info", torch_zip(folder / "a.ckpt", state, {"0": 1})]
