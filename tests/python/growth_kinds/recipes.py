"""What a recipe holds."""

import json

from .making import ANY, MERGE, kind, pair, recipe, scalars


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


@kind(20_000, status=2)
def numbers_of_a_list_of_blocks(folder, n):
    steps = {"mix": {**MIX, "alpha": [0.5] * n}}
    return ["validate", recipe(folder, models=two_models(folder), steps=steps, **WRITE)]
