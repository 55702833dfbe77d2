"""The VAE is copied unless a step says otherwise, and what a step promises holds for it too."""

import numpy as np
import pytest

import support

VAE = "first_stage_model."


@pytest.fixture
def three(tiny):
    paths = [tiny("sd15", seed, "--dtype", "f32") for seed in (1, 2, 3)]
    return paths, [support.read(path).tensors for path in paths]


@pytest.fixture
def run(weightsmith, tmp_path, three):
    def run(steps, last, status=0):
        recipe = {"models": dict(zip("abc", map(str, three[0]))), "steps": steps, "output": {"model": last, "path": "out.safetensors"}}
        support.write_recipe(tmp_path / "r.json", recipe)
        result = weightsmith("merge", "r.json", "-f", status=status)
        return support.read(tmp_path / "out.safetensors").tensors if status == 0 else result.stderr

    return run


def vae(tensors):
    return [name for name in tensors if name.startswith(VAE)]


def test_average_of_vaes_is_asked_for(run, three):
    a, b, c = three[1]
    out = run({"m": {"op": "average", "of": ["a", "b", "c"]}}, "m")
    for name in vae(a):
        support.assert_same_bits(out[name], a[name], name)
    out = run({"m": {"op": "average", "of": ["a", "b", "c"], "vae": True}}, "m")
    for name in vae(a):
        np.testing.assert_array_equal(out[name], (a[name] + b[name] + c[name]) / np.float32(3))


def test_a_product_of_vaes_is_asked_for(run, three):
    a, b, _ = three[1]
    out = run({"m": {"op": "multiply", "a": "a", "b": "b", "vae": True}}, "m")
    for name in vae(a):
        np.testing.assert_array_equal(out[name], a[name] * b[name])


def added(alpha):
    return {"op": "add_difference", "a": "a", "b": "b", "c": "c", "alpha": alpha}


def within(out, a, b, names):
    for name in names:
        assert np.all(out[name] >= np.minimum(a[name], b[name])) and np.all(out[name] <= np.maximum(a[name], b[name])), name


def test_clamp_keeps_its_promise_for_a_vae_that_was_computed(run, three):
    a, b, _ = three[1]
    clamp = {"op": "clamp", "a": "s", "to": ["a", "b"]}
    out = run({"s": added({"default": 1, "vae": 0.5}), "m": clamp}, "m")
    within(out, a, b, [name for name in a if a[name].dtype == np.float32])
    assert any(out[name].tobytes() != a[name].tobytes() for name in vae(a))
    # Through a step that leaves the VAE alone.
    steps = {"s": added({"default": 1, "vae": 0.5}), "t": {"op": "weighted_sum", "a": "s", "b": "b", "alpha": 0.2},
             "m": {"op": "clamp", "a": "t", "to": ["a", "b"]}}
    within(run(steps, "m"), a, b, vae(a))


def test_clamp_leaves_a_vae_that_nothing_computed(run, three):
    a, _, _ = three[1]
    for more, copied in (({}, True), ({"vae": True}, False)):
        out = run({"s": added(1), "m": {"op": "clamp", "a": "s", "low": -0.01, "high": 0.01, **more}}, "m")
        for name in vae(a):
            expected = a[name] if copied else np.clip(a[name], np.float32(-0.01), np.float32(0.01))
            support.assert_same_bits(out[name], expected, name)


def test_a_difference_has_the_vae_for_the_step_that_adds_it(run, three):
    a, b, c = three[1]
    steps = {"d": {"op": "subtract", "a": "b", "b": "c"}, "m": {"op": "add", "a": "a", "b": "d", "alpha": {"default": 1, "vae": 0.5}}}
    out = run(steps, "m")
    for name in vae(a):
        np.testing.assert_array_equal(out[name], a[name] + np.float32(0.5) * (b[name] - c[name]))
    steps["m"]["alpha"] = 1
    out = run(steps, "m")
    for name in vae(a):
        support.assert_same_bits(out[name], a[name], name)


def test_a_list_of_26_gives_base_to_the_vae_of_sdxl(weightsmith, tmp_path, tiny):
    # SuperMerger's map: first_stage_model is BASE, with a list of 20 and with one of 26.
    paths = [tiny("sdxl", seed, "--dtype", "f32") for seed in (1, 2)]
    a, b = (support.read(path).tensors for path in paths)
    for numbers in ([0.25] + [0] * 25, [0.25] + [0] * 19, [0] * 20 + [0.25]):
        weightsmith("merge", *paths, "--alpha", str(numbers), "-f", "-o", "out.safetensors")
        out = support.read(tmp_path / "out.safetensors").tensors
        for name in vae(a):
            np.testing.assert_array_equal(out[name], np.float32(0.75) * a[name] + np.float32(0.25) * b[name])
