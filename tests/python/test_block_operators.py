"""Operators that read all tensors of a block: units permuted, and heads turned."""

import itertools
import json

import numpy as np
import pytest

import oracle_algebra
import support

HIDDEN, WIDTH, HEADS, SIZE = 12, 6, 4, 3

# name -> the axis of the units, and in how many parts they lie.
GATED = {"b.ff.net.0.proj.weight": (0, 2), "b.ff.net.0.proj.bias": (0, 2), "b.ff.net.2.weight": (1, 1)}
LLAMA = {"b.mlp.gate_proj.weight": (0, 1), "b.mlp.up_proj.weight": (0, 1), "b.mlp.down_proj.weight": (1, 1)}
UNET = {"b.attn1.to_q.weight": (0, 1), "b.attn1.to_k.weight": (0, 1), "b.attn1.to_v.weight": (0, 1),
        "b.attn1.to_out.0.weight": (1, 1)}
FUSED = {"b.attn.in_proj_weight": (0, 3), "b.attn.in_proj_bias": (0, 3), "b.attn.out_proj.weight": (1, 1)}


def made(layout, units, generator):
    tensors = {"b.norm.weight": generator.standard_normal(WIDTH).astype(np.float32)}
    for name, (axis, parts) in layout.items():
        shape = (units * parts,) if name.endswith("bias") else (units * parts, WIDTH) if axis == 0 else (WIDTH, units)
        tensors[name] = generator.standard_normal(shape).astype(np.float32)
    return tensors


def permuted(tensors, layout, order, size):
    """With units of `size` rows or columns in another order."""
    result = dict(tensors)
    rows = (np.asarray(order)[:, None] * size + np.arange(size)).ravel()
    for name, (axis, parts) in layout.items():
        every = np.concatenate([rows + part * len(rows) for part in range(parts)])
        result[name] = np.take(tensors[name], every, axis)
    return result


def merge(weightsmith, folder, a, b, step):
    for name, tensors in (("a", a), ("b", b)):
        support.write(folder / f"{name}.safetensors", tensors)
    support.write_recipe(folder / "r.yaml", {
        "models": {"a": "a.safetensors", "b": "b.safetensors"}, "steps": {"out": step},
        "output": {"model": "out", "path": "out.safetensors"}, "policy": {"effect": "any"}})
    weightsmith("merge", "r.yaml", "--no-sync", "--force")
    return support.read(folder / "out.safetensors").tensors


@pytest.mark.parametrize("layout, units, size", [
    (GATED, HIDDEN, 1), (LLAMA, HIDDEN, 1), (UNET, HEADS * SIZE, SIZE), (FUSED, HEADS * SIZE, SIZE)],
    ids=["gated", "llama", "unet", "fused"])
def test_units_stand_where_those_of_the_other_model_stand(weightsmith, tmp_path, layout, units, size):
    generator = np.random.default_rng(2)
    other = made(layout, units, generator)
    near = {name: (x + 0.01 * generator.standard_normal(x.shape)).astype(np.float32) for name, x in other.items()}
    order = generator.permutation(units // size)
    step = {"op": "rebasin", "a": "a", "b": "b"} | ({} if size == 1 else {"head_size": size})
    found = merge(weightsmith, tmp_path, permuted(near, layout, order, size), other, step)
    for name, x in near.items():
        support.assert_same_bits(found[name], x, name)


@pytest.mark.parametrize("layout", [GATED, LLAMA], ids=["gated", "llama"])
def test_no_other_order_of_the_units_is_nearer(weightsmith, tmp_path, layout):
    """What Git Re-Basin asks of a block whose other sides are fixed, by all 720 orders of models that have nothing in common."""
    generator = np.random.default_rng(11)
    a, b = made(layout, 6, generator), made(layout, 6, generator)
    found = merge(weightsmith, tmp_path, a, b, {"op": "rebasin", "a": "a", "b": "b"})

    def likeness(order):
        moved = permuted(a, layout, order, 1)
        return sum(np.sum(moved[name].astype(np.float64) * b[name]) for name in layout)

    best = permuted(a, layout, max(itertools.permutations(range(6)), key=likeness), 1)
    for name in layout:
        support.assert_same_bits(found[name], best[name], name)


def test_groups_of_heads_move_with_their_keys(weightsmith, tmp_path):
    generator = np.random.default_rng(3)
    rows = {"q_proj": 4 * SIZE, "k_proj": 2 * SIZE, "v_proj": 2 * SIZE}
    other = {f"b.self_attn.{name}.weight": generator.standard_normal((count, WIDTH)).astype(np.float32)
             for name, count in rows.items()}
    other["b.self_attn.o_proj.weight"] = generator.standard_normal((WIDTH, 4 * SIZE)).astype(np.float32)
    swapped = {name: np.roll(x, x.shape[name.endswith("o_proj.weight")] // 2, int(name.endswith("o_proj.weight")))
               for name, x in other.items()}
    found = merge(weightsmith, tmp_path, swapped, other, {"op": "rebasin", "a": "a", "b": "b", "head_size": SIZE})
    for name, x in other.items():
        support.assert_same_bits(found[name], x, name)


@pytest.mark.parametrize("number, said", [
    ({"heads": 4}, "`heads` 4 does not divide the 6 rows of its keys"),
    ({"heads": 4}, "with 4 heads of queries, write 2"),
    ({"head_size": 5}, "`head_size` 5 does not divide the 6 rows of its keys")], ids=str)
def test_a_number_of_heads_that_fits_no_keys_is_told(weightsmith, tmp_path, number, said):
    generator = np.random.default_rng(9)
    rows = {"q_proj": 4 * SIZE, "k_proj": 2 * SIZE, "v_proj": 2 * SIZE}
    for name in "ab":
        support.write(tmp_path / f"{name}.safetensors", {
            f"b.self_attn.{part}.weight": generator.standard_normal((count, WIDTH)).astype(np.float32) for part, count in rows.items()})
    support.write_recipe(tmp_path / "r.yaml", {
        "models": {"a": "a.safetensors", "b": "b.safetensors"}, "steps": {"out": {"op": "rebasin", "a": "a", "b": "b", **number}},
        "output": {"model": "out", "path": "out.safetensors"}})
    assert said in weightsmith("merge", "r.yaml", status=3).stderr


@pytest.mark.parametrize("op", ["rebasin", "align_attention"])
@pytest.mark.parametrize("config", [
    {"head_dim": SIZE, "hidden_size": 999, "num_attention_heads": 3}, {"hidden_size": 4 * SIZE, "num_attention_heads": 4}], ids=str)
@pytest.mark.parametrize("number, said", [
    ({"heads": 3}, "`heads` 3 makes heads of 2 rows of the 6 rows of its keys, and the model has 2 of 3 rows"),
    ({"heads": 1}, "`heads` 1 makes heads of 6 rows"), ({"head_size": 2}, "`head_size` 2 makes heads of 2 rows"),
    ({"heads": 3}, "Write `heads: 2` or `head_size: 3`"), ({"heads": 2}, None), ({"head_size": 3}, None)], ids=str)
def test_a_number_of_heads_that_is_not_the_models_is_told(weightsmith, tmp_path, op, config, number, said):
    """It divides the keys, so that the tensors alone do not tell."""
    generator = np.random.default_rng(10)
    rows = {"q_proj": 4 * SIZE, "k_proj": 2 * SIZE, "v_proj": 2 * SIZE}
    for name in "ab":
        support.write(tmp_path / f"{name}.safetensors", {
            f"b.self_attn.{part}.weight": generator.standard_normal((count, WIDTH)).astype(np.float32) for part, count in rows.items()})
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "unheard_of", **config}))
    support.write_recipe(tmp_path / "r.yaml", {
        "models": {"a": "a.safetensors", "b": "b.safetensors"}, "steps": {"out": {"op": op, "a": "a", "b": "b", **number}},
        "output": {"model": "out", "path": "out.safetensors"}, "policy": {"effect": "any"}})
    result = weightsmith("merge", "r.yaml", "--no-sync", status=3 if said else 0).stderr
    assert said is None or said in result
    assert (tmp_path / "out.safetensors").exists() == (said is None)


def test_the_norm_of_queries_says_how_large_heads_are(weightsmith, tiny, tmp_path):
    path = tiny("qwen3", 1)
    shapes = {name: x.shape for name, x in support.read(path).tensors.items()}
    keys, size = shapes["model.layers.0.self_attn.k_proj.weight"][0], shapes["model.layers.0.self_attn.q_norm.weight"][0]
    for number, status in ((keys // size, 0), (2 * keys // size, 3)):
        support.write_recipe(tmp_path / "r.yaml", {
            "models": {"a": str(path), "b": str(tiny("qwen3", 2))},
            "steps": {"out": {"op": "rebasin", "a": "a", "b": "b", "heads": number}},
            "output": {"model": "out", "path": "out.safetensors"}, "policy": {"effect": "any"}})
        said = weightsmith("merge", "r.yaml", "--no-sync", "--force", status=status).stderr
        assert (f"the model has {keys // size} of {size} rows" in said) == (status == 3)


def test_heads_of_which_nothing_is_said_stay(weightsmith, tmp_path):
    generator = np.random.default_rng(4)
    a, b = (made(UNET, HEADS * SIZE, generator) for _ in "ab")
    found = merge(weightsmith, tmp_path, a, b, {"op": "rebasin", "a": "a", "b": "b"})
    for name, x in a.items():
        support.assert_same_bits(found[name], x, name)


def test_heads_are_turned_by_the_nearest_matrix(weightsmith, tmp_path):
    generator = np.random.default_rng(5)
    a, b = (made(UNET, HEADS * SIZE, generator) for _ in "ab")
    found = merge(weightsmith, tmp_path, a, b, {"op": "align_attention", "a": "a", "b": "b", "heads": HEADS})
    name = "b.attn1.to_{}.weight".format

    def head(model, letter, h):
        x = model[name(letter)].astype(np.float64)
        return (x.T if letter == "out.0" else x)[h * SIZE : (h + 1) * SIZE]

    for first, second in (("q", "k"), ("v", "out.0")):
        for h in range(HEADS):
            product = sum(head(b, letter, h) @ head(a, letter, h).T for letter in (first, second))
            turn = oracle_algebra.polar(product)
            for letter in (first, second):
                np.testing.assert_allclose(head(found, letter, h), turn @ head(a, letter, h), rtol=0, atol=2e-6)
            np.testing.assert_allclose(  # what the model computes
                head(found, first, h).T @ head(found, second, h), head(a, first, h).T @ head(a, second, h), atol=1e-5)
    support.assert_same_bits(found["b.norm.weight"], a["b.norm.weight"], "norm")


@pytest.mark.parametrize("step", [{"op": "rebasin", "heads": HEADS}, {"op": "align_attention", "heads": HEADS}], ids=str)
def test_what_is_compared_with_is_read(weightsmith, tmp_path, step):
    generator = np.random.default_rng(8)
    for name in "ab":
        support.write(tmp_path / f"{name}.safetensors", made(UNET, HEADS * SIZE, generator))
    support.write_recipe(tmp_path / "r.yaml", {
        "models": {"a": "a.safetensors", "b": "b.safetensors"}, "steps": {"out": {**step, "a": "a", "b": "b"}},
        "output": {"model": "out", "path": "out.safetensors"}, "policy": {"effect": "any"}})
    said = weightsmith("merge", "r.yaml", "--no-sync", "--report", "report.json").stderr
    assert "not read" not in said and f"{len(UNET)} used" in said
    _, other = json.loads((tmp_path / "report.json").read_text())["inputs"]
    assert (other["tensors_read"], other["tensors"]) == (len(UNET), len(UNET) + 1)
    assert other["digest"] is not None
    assert other["tensors_computed"] == len(UNET) and other["steps"] == ["out"]


def test_operands_have_to_be_models(weightsmith, tmp_path):
    generator = np.random.default_rng(6)
    a = made(GATED, HIDDEN, generator)
    for name in "ab":
        support.write(tmp_path / f"{name}.safetensors", a)
    support.write_recipe(tmp_path / "r.yaml", {
        "models": {"a": "a.safetensors", "b": "b.safetensors"},
        "steps": {"half": {"op": "passthrough", "a": "a", "scale": 0.5}, "out": {"op": "rebasin", "a": "half", "b": "b"}},
        "output": {"model": "out", "path": "out.safetensors"}})
    result = weightsmith("merge", "r.yaml", status=3)
    assert "'half' is no model" in result.stderr
    assert not (tmp_path / "out.safetensors").exists()
