"""The methods of sd-mecha, meh, SuperMerger and Chattiori against numpy."""

import numpy as np
import pytest

import oracle_diffusion as oracle
import support

SHAPES = {"conv.weight": (24, 8, 3, 3), "linear.weight": (130, 70), "wide.weight": (6, 210), "norm.weight": (50,), "odd.weight": (7, 1, 5)}
ABC = {"a": "a", "b": "b", "c": "c"}

# name -> (step, the same with numpy, of tensors a, b, c)
CASES = {
    "tensor_sum": ({"op": "tensor_sum", "a": "a", "b": "b", "width": 0.4, "offset": 0.3}, lambda a, b, c: oracle.tensor_sum(a, b, 0.4, 0.3)),
    "tensor_sum over the end": (
        {"op": "tensor_sum", "a": "a", "b": "b", "width": 0.6, "offset": 0.7}, lambda a, b, c: oracle.tensor_sum(a, b, 0.6, 0.7)),
    "tensor_sum from the end": (
        {"op": "tensor_sum", "a": "a", "b": "b", "width": -0.3, "offset": -0.2}, lambda a, b, c: oracle.tensor_sum(a, b, -0.3, -0.2)),
    "tensor_sum of SuperMerger": (
        {"op": "tensor_sum", "a": "a", "b": "b", "width": 0.37, "offset": 0.21, "ends": "truncated"},
        lambda a, b, c: oracle.tensor_sum(a, b, 0.37, 0.21, rounding=int)),
    "tensor_sum_2": (
        {"op": "tensor_sum_2", "a": "a", "b": "b", "width": 0.4, "offset": 0.3},
        lambda a, b, c: oracle.tensor_sum(a, b, 0.4, 0.3, axis=1 if a.ndim > 1 and a.shape[1] > 100 else 0)),
    "top_k_tensor_sum": ({"op": "top_k_tensor_sum", "a": "a", "b": "b"}, lambda a, b, c: oracle.top_k_tensor_sum(a, b)),
    "top_k_tensor_sum of some": (
        {"op": "top_k_tensor_sum", "a": "a", "b": "b", "width": 0.4, "offset": 0.5},
        lambda a, b, c: oracle.top_k_tensor_sum(a, b, 0.4, 0.5)),
    "top_k_tensor_sum over the end": (
        {"op": "top_k_tensor_sum", "a": "a", "b": "b", "width": 0.4, "offset": 0.8},
        lambda a, b, c: oracle.top_k_tensor_sum(a, b, 0.4, 0.8)),
    "extract": ({"op": "extract", **ABC, "alpha": 0.3, "beta": 0.2, "gamma": 2}, lambda a, b, c: oracle.extract(a, b, c, 0.3, 0.2, 2)),
    "extract what is unlike": ({"op": "extract", **ABC, "alpha": 0.3, "beta": 1}, lambda a, b, c: oracle.extract(a, b, c, 0.3, 1)),
    "perpendicular": (
        {"op": "add", "a": "a", "b": {"op": "perpendicular", "a": {"op": "subtract", "a": "a", "b": "c"}, "b": {"op": "subtract", "a": "b", "b": "c"}}},
        lambda a, b, c: a + oracle.perpendicular(a - c, b - c)),
    "perpendicular to a model": (
        {"op": "add", "a": "a", "b": {"op": "perpendicular", "a": "a", "b": "b"}, "alpha": 0.6},
        lambda a, b, c: a + 0.6 * oracle.perpendicular(a, b)),
    "geometric_sum": ({"op": "geometric_sum", "a": "a", "b": "b", "alpha": 0.3}, lambda a, b, c: oracle.geometric_sum(a, b, 0.3)),
    "multiply_difference": (
        {"op": "multiply_difference", **ABC, "alpha": 0.4, "beta": 0.7}, lambda a, b, c: oracle.multiply_difference(a, b, c, 0.4, 0.7)),
    "multiply_quotient": ({"op": "multiply_quotient", **ABC, "alpha": 0.8}, lambda a, b, c: oracle.multiply_quotient(a, b, c, 0.8)),
    "similarity_add_difference": (
        {"op": "similarity_add_difference", **ABC, "alpha": 0.7, "beta": 0.8},
        lambda a, b, c: oracle.similarity_add_difference(a, b, c, 0.7, 0.8)),
    "add_opposite": ({"op": "add_opposite", **ABC, "alpha": 0.5}, lambda a, b, c: oracle.add_opposite(a, b, c, 0.5)),
    "add_opposite where opposite": (
        {"op": "add_opposite", **ABC, "alpha": 0.5, "where": "opposite"}, lambda a, b, c: oracle.add_opposite(a, b, c, 0.5, "opposite")),
    "euclidean_add_difference": (
        {"op": "euclidean_add_difference", **ABC, "alpha": 0.3}, lambda a, b, c: oracle.euclidean_add_difference(a, b, c, 0.3)),
    "maximum": ({"op": "maximum", "a": "a", "b": "b"}, lambda a, b, c: np.maximum(a, b)),
    "normalized_sum": ({"op": "normalized_sum", "a": "a", "b": "b", "alpha": 0.3}, lambda a, b, c: oracle.normalized_sum(a, b, 0.3)),
    "channel_sum": (
        {"op": "channel_sum", "a": "a", "b": "b", "alpha": 0.5, "beta": 0.9}, lambda a, b, c: oracle.channel_sum(a, b, 0.5, 0.9)),
    "cosine_a of a tensor": (
        {"op": "cosine_a", "a": "a", "b": "b", "alpha": 0.1, "scope": "tensor"}, lambda a, b, c: oracle.cosine_tensor(a, b, 0.1, False)),
    "cosine_b of a tensor": (
        {"op": "cosine_b", "a": "a", "b": "b", "alpha": 0.1, "scope": "tensor"}, lambda a, b, c: oracle.cosine_tensor(a, b, 0.1, True)),
    "smooth_add": ({"op": "smooth_add", **ABC, "alpha": 0.7}, lambda a, b, c: oracle.smooth_add(a, b, c, 0.7)),
    "smooth_add by the median": (
        {"op": "smooth_add", **ABC, "alpha": 0.7, "filter": "median"}, lambda a, b, c: oracle.smooth_add(a, b, c, 0.7, "median")),
    "distribution_crossover": (
        {"op": "distribution_crossover", **ABC, "alpha": 0.4, "tilt": 0.3}, lambda a, b, c: oracle.distribution_crossover(a, b, c, 0.4, 0.3)),
    "distribution_crossover with an edge": (
        {"op": "distribution_crossover", **ABC, "alpha": 0.37}, lambda a, b, c: oracle.distribution_crossover(a, b, c, 0.37)),
    "geometric_median": ({"op": "geometric_median", "of": ["a", "b", "c"]}, lambda a, b, c: oracle.geometric_median([a, b, c])),
    "norm_match by rows": (
        {"op": "norm_match", "a": "a", "b": "b", "alpha": 0.7, "by": "rows"}, lambda a, b, c: oracle.norm_match_rows(a, b, 0.7)),
}
MOVES_ONLY = ("tensor_sum", "top_k_tensor_sum", "maximum")  # the bits are those of an operand


def models(folder, dtype=np.float32):
    """Three that are related, as fine-tunes are."""
    made = {}
    for seed, letter in enumerate("abc", 1):
        random, base = np.random.default_rng(seed), np.random.default_rng(0)
        made[letter] = {name: (base.standard_normal(shape) + 0.5 * random.standard_normal(shape)).astype(dtype) for name, shape in SHAPES.items()}
        support.write(folder / f"{letter}.safetensors", made[letter])
    return made


def merge(weightsmith, folder, step, *flags, path="out.safetensors"):
    used = {name: f"{name}.safetensors" for name in "abc" if f"'{name}'" in str(list(flatten(step)))}
    support.write_recipe(folder / "r.yaml", {"models": used, "steps": {"out": step}, "output": {"model": "out", "path": path}})
    weightsmith("merge", "r.yaml", *flags)
    return support.read(folder / path).tensors


def flatten(step):
    for value in step.values() if isinstance(step, dict) else step:
        if isinstance(value, (dict, list)):
            yield from flatten(value)
        else:
            yield value


@pytest.mark.parametrize("name", support.sampled(CASES, 2))
def test_it_is_what_numpy_computes(weightsmith, tmp_path, name):
    made = models(tmp_path)
    step, compute = CASES[name]
    out = merge(weightsmith, tmp_path, step)
    for tensor in SHAPES:
        expected = compute(*(made[letter][tensor] for letter in "abc"))
        if name.startswith(MOVES_ONLY):
            support.assert_same_bits(out[tensor], expected.astype(np.float32))
            continue
        largest = max(np.abs(expected).max(), np.abs(made["a"][tensor]).max())
        np.testing.assert_allclose(out[tensor], expected, rtol=0, atol=2e-6 * largest, err_msg=tensor)


@pytest.mark.parametrize("op", ["cosine_a", "cosine_b"])
@pytest.mark.parametrize("alpha", [0, 0.2])
def test_likeness_is_placed_among_that_of_the_model(weightsmith, tmp_path, op, alpha):
    made = models(tmp_path)
    out = merge(weightsmith, tmp_path, {"op": op, "a": "a", "b": "b", "alpha": alpha})
    expected = oracle.cosine_model(made["a"], made["b"], alpha, op == "cosine_b")
    for name in SHAPES:
        np.testing.assert_allclose(out[name], expected[name], rtol=0, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("flags", [("--threads", "1"), ("--threads", "3"), ("--io", "map")], ids=str)
def test_surveys_do_not_depend_on_how_a_run_is_made(weightsmith, tmp_path, flags):
    models(tmp_path, np.float16)
    step = {"op": "cosine_b", "a": {"op": "cosine_a", "a": "a", "b": "b", "alpha": 0.1}, "b": "c", "alpha": 0.1}
    first = merge(weightsmith, tmp_path, step)
    again = merge(weightsmith, tmp_path, step, *flags, path="again.safetensors")
    for name in SHAPES:
        support.assert_same_bits(first[name], again[name])


def test_what_a_model_lacks_is_taken_from_another(weightsmith, tmp_path):
    made = models(tmp_path)
    del made["a"]["wide.weight"]
    support.write(tmp_path / "a.safetensors", made["a"])
    out = merge(weightsmith, tmp_path, {"op": "fallback", "a": "a", "b": "b"})
    assert set(out) == set(SHAPES)
    for name in SHAPES:
        support.assert_same_bits(out[name], made["b" if name == "wide.weight" else "a"][name])


BACKBONE = "model.diffusion_model."


@pytest.mark.parametrize("lacks, bare", [
    (lambda name: "attn2.to_k" in name, False), (lambda name: "input_blocks.0." in name, False),
    (lambda name: not name.startswith(BACKBONE + "output_blocks.3."), False), (lambda name: "attn2.to_k" in name, True)],
    ids=["keys", "input", "most", "bare"])
@pytest.mark.parametrize("nested", [False, True])
def test_a_file_that_is_not_known_by_itself_is_completed(weightsmith, tiny, tmp_path, lacks, bare, nested):
    """What it lacks is what an architecture is known by."""
    b = support.read(tiny("sd15", 2)).tensors
    a = {name: x for name, x in support.read(tiny("sd15", 1)).tensors.items() if not lacks(name)}
    if bare:
        a = {name: x for name, x in a.items() if name.startswith(BACKBONE)}
    support.write(tmp_path / "a.safetensors", {name.removeprefix(BACKBONE) if bare else name: x for name, x in a.items()})
    assert "unknown" in weightsmith("info", "a.safetensors").stdout
    step = {"op": "fallback", "a": {"op": "passthrough", "a": "a"} if nested else "a", "b": "b"}
    support.write_recipe(tmp_path / "r.yaml", {
        "models": {"a": "a.safetensors", "b": str(tiny("sd15", 2))}, "steps": {"out": step},
        "output": {"model": "out", "path": "out.safetensors"}})
    weightsmith("merge", "r.yaml", "--no-sync")
    out = support.read(tmp_path / "out.safetensors").tensors
    assert set(out) == set(b)
    for name, x in b.items():
        support.assert_same_bits(out[name], a.get(name, x), name)


def test_two_tensors_of_one_name_are_told(weightsmith, tiny, tmp_path):
    """A file of which too little is called as in the other, but something is."""
    name = BACKBONE + "input_blocks.1.1.norm.weight"
    b = support.read(tiny("sd15", 2)).tensors
    support.write(tmp_path / "a.safetensors", {name: b[name], "first": b[name], "second": b[name]})
    support.write_recipe(tmp_path / "r.yaml", {
        "models": {"a": "a.safetensors", "b": str(tiny("sd15", 2))}, "steps": {"out": {"op": "fallback", "a": "a", "b": "b"}},
        "output": {"model": "out", "path": "out.safetensors"}})
    said = weightsmith("merge", "r.yaml", status=3).stderr
    assert f"output 'out.safetensors': two tensors would be called '{name}', one of " in said
    assert "whose architecture is not known" in said
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("alpha", [1, 0.25])
def test_moving_averages_replace_the_weights(weightsmith, tiny, tmp_path, alpha):
    tensors = dict(support.read(tiny("sd15", 1, "--dtype", "f32")).tensors)
    random = np.random.default_rng(3)
    own = {name: random.standard_normal(x.shape).astype(np.float32) for name, x in tensors.items() if name.startswith("model.diffusion_model.")}
    averages = {"model_ema." + name.removeprefix("model.").replace(".", ""): x for name, x in own.items()}
    support.write(tmp_path / "a.safetensors", tensors | averages)
    out = merge(weightsmith, tmp_path, {"op": "ema", "a": "a", "alpha": alpha})
    assert set(out) == set(tensors)
    for name, x in tensors.items():
        expected = x if name not in own else own[name] if alpha == 1 else np.float32(0.75) * x + np.float32(0.25) * own[name]
        support.assert_same_bits(out[name], expected)


def test_moving_averages_are_named_as_what_is_read(weightsmith, tiny, tmp_path):
    tensors = dict(support.read(tiny("sd15", 1, "--dtype", "f32")).tensors)
    averages = {"model_ema." + name.removeprefix("model.").replace(".", ""): x + 1
                for name, x in tensors.items() if name.startswith("model.diffusion_model.")}
    support.write(tmp_path / "a.safetensors", tensors | averages | {"model_ema.decay": np.array(0.9, np.float32)})
    for alpha, words in ((0.25, "unet = 0.75·a + 0.25·ema(a)"), (1, "unet = ema(a)")):
        support.write_recipe(tmp_path / "r.yaml", {
            "models": {"a": "a.safetensors"}, "steps": {"out": {"op": "ema", "a": "a", "alpha": alpha}},
            "output": {"model": "out", "path": "out.safetensors"}})
        assert words in weightsmith("plan", "r.yaml").stdout
    said = weightsmith("merge", "r.yaml", "--no-sync").stderr
    assert f"{len(tensors):,} used, {len(averages)} of them EMA copies, 1 EMA copy left out" in said
    assert "every moving average as it is, in place of its tensor" in said


@pytest.mark.parametrize("step, model, status, said", [
    ({"op": "ema", "a": "a", "alpha": 1}, "sd15", 8, "step 'out' changes nothing: 'a' has no moving averages"),
    ({"op": "ema", "a": "a", "alpha": 0}, "sd15", 8, "step 'out' changes nothing: 'a' has no moving averages"),
    ({"op": "adjust", "a": "a", "contrast": 1}, "llama", 8, "step 'out' changes nothing: 'a' has none of the layers"),
    ({"op": "adjust", "a": "a"}, "sd15", 2, "give a number of what is to change"),
    ({"op": "adjust", "a": "a", "contrast": 0}, "sd15", 0, "changes nothing: its weights are 0"),
], ids=str)
def test_a_step_that_is_for_no_tensor_is_not_one_of_weight_0(weightsmith, tiny, tmp_path, step, model, status, said):
    support.write_recipe(tmp_path / "r.yaml", {"models": {"a": str(tiny(model, 1))}, "steps": {"out": step},
                                               "output": {"model": "out", "path": "out.safetensors"}})
    assert said in weightsmith("merge", "r.yaml", "--no-sync", status=status).stderr
    assert (tmp_path / "out.safetensors").exists() == (status == 0)


def test_a_model_that_completes_another_has_no_weight_of_0(weightsmith, tmp_path):
    models(tmp_path)
    support.write_recipe(tmp_path / "r.yaml", {
        "models": {"a": "a.safetensors", "b": "b.safetensors"}, "steps": {"out": {"op": "fallback", "a": "a", "b": "b"}},
        "output": {"model": "out", "path": "out.safetensors"}})
    said = weightsmith("merge", "r.yaml", "--no-sync").stderr
    assert "'b' is not read: step 'out' (fallback) needs nothing of it" in said and "weight 0" not in said


@pytest.mark.parametrize("model, tones", [
    ("sd15", lambda n: [n["contrast"], -n["brightness"] + n["red"] + n["blue"], n["brightness"] / 3 + n["red"] - n["green"],
                        2 * n["brightness"] / 3 - n["green"] + n["blue"]]),
    ("sdxl", lambda n: [n["contrast"], n["red"] - n["green"] - n["blue"], -n["green"] + n["blue"], n["brightness"]]),
])
def test_a_few_weights_are_adjusted(weightsmith, tiny, tmp_path, model, tones):
    tensors = support.read(tiny(model, 1, "--dtype", "f32")).tensors
    support.write(tmp_path / "a.safetensors", tensors)
    numbers = {"detail_in": 1, "detail_out": -2, "detail_last": 3, "contrast": 4, "brightness": -5, "red": 6, "green": -7, "blue": 8}
    out = merge(weightsmith, tmp_path, {"op": "adjust", "a": "a", **numbers})
    expected = dict(tensors)
    for layer, detail in (("input_blocks.0.0", "detail_in"), ("out.0", "detail_out"), ("out.2", "detail_last")):
        name = f"model.diffusion_model.{layer}"
        expected[f"{name}.weight"] = tensors[f"{name}.weight"] * (1 - 0.01 * numbers[detail])
        if layer != "out.2":
            expected[f"{name}.bias"] = tensors[f"{name}.bias"] * (1 + 0.02 * numbers[detail])
    name = "model.diffusion_model.out.2.bias"
    expected[name] = tensors[name] + 0.02 * np.array(tones(numbers))
    for name in tensors:
        if expected[name] is tensors[name]:
            support.assert_same_bits(out[name], tensors[name])
        else:
            np.testing.assert_allclose(out[name], expected[name], rtol=1e-6, atol=1e-7)


def test_elemental_text_gives_weights_by_block_and_element(weightsmith, tiny, tmp_path):
    tensors = {letter: support.read(tiny("sd15", seed, "--dtype", "f32")).tensors for seed, letter in enumerate("ab", 1)}
    for letter, own in tensors.items():
        support.write(tmp_path / f"{letter}.safetensors", own)
    text = "IN04-IN08:attn2:0.5\nNOT BASE:attn1.to_q proj_in:0.25, OUT03:NOT attn:0.75"
    out = merge(weightsmith, tmp_path, {"op": "weighted_sum", "a": "a", "b": "b", "alpha": {"elemental": text, "default": 0.125}})
    for name in out:
        if not name.startswith("model.diffusion_model."):
            continue
        alpha = 0.125
        if any(f"input_blocks.{n}." in name for n in range(4, 9)) and "attn2" in name:
            alpha = 0.5
        if "attn1.to_q" in name or "proj_in" in name:
            alpha = 0.25
        if ".output_blocks.3." in name and "attn" not in name:
            alpha = 0.75
        expected = np.float32(1 - alpha) * tensors["a"][name] + np.float32(alpha) * tensors["b"][name]
        support.assert_same_bits(out[name], expected)
