"""Any operator from the command line: models in the order of its operands, a base, weights and parameters by name; and what
methods say of their work, against numpy."""

import json

import numpy as np
import pytest
import yaml

import support
from oracle import Arithmetic

SIZE = (24, 40)
KEPT = 0.3


@pytest.fixture
def models(weightsmith):
    for seed, name in enumerate("abd"):
        rng = np.random.default_rng(seed)
        tensors = {f"{part}.weight": rng.standard_normal(SIZE).astype(np.float32) for part in ("one", "two")}
        support.write(weightsmith.folder / f"{name}.safetensors", tensors)
    return weightsmith


def tensors(weightsmith, name):
    return support.read(weightsmith.folder / f"{name}.safetensors").tensors


def test_ties_with_a_base_weights_and_a_density(models):
    line = "merge a.safetensors b.safetensors --op ties --base d.safetensors --weights 0.6,0.4"
    models(*line.split(), "--density", KEPT, "-o", "out.safetensors", "--report", "report.json")
    a, b, d = (tensors(models, name) for name in "abd")
    out = tensors(models, "out")
    for name in out:
        expected = Arithmetic().ties(d[name], [a[name], b[name]], [0.6, 0.4], KEPT)
        np.testing.assert_allclose(out[name], expected, rtol=1e-6, atol=1e-6)
    report = json.loads((models.folder / "report.json").read_text())
    for tensor in report["tensors"]:
        name = tensor["name"]
        kept = [np.abs(x[name] - d[name]) for x in (a, b)]
        kept = [k >= np.sort(k, axis=None)[-int(KEPT * k.size)] for k in kept]
        told = {(f["label"], f.get("operand")): f["value"] for f in tensor["findings"]}
        assert told["kept", "a"] == kept[0].mean()
        assert told["kept", "b"] == kept[1].mean()
        opposite = np.sign(a[name] - d[name]) != np.sign(b[name] - d[name])
        assert told["sign conflicts", None] == (kept[0] & kept[1] & opposite).mean()
    (step,) = report["steps"]
    assert {f["label"] for f in step["findings"]} == {"kept", "sign conflicts"}
    for finding in step["findings"]:
        assert finding["lowest"] <= finding["mean"] <= finding["highest"]


def test_ties_needs_no_density_and_keeps_the_fifth_of_the_paper(models):
    models(*"merge a.safetensors b.safetensors --op ties --base d.safetensors -o out.safetensors".split())
    a, b, d = (tensors(models, name) for name in "abd")
    out = tensors(models, "out")
    for name in out:
        expected = Arithmetic().ties(d[name], [a[name], b[name]], [0.5, 0.5], 0.2)
        np.testing.assert_allclose(out[name], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "op", ["dare_linear", "dare_ties", "della", "della_linear", "breadcrumbs", "breadcrumbs_ties", "cabs"])
def test_others_of_the_family_need_no_density_either(models, op):
    line = f"merge a.safetensors b.safetensors --op {op} --base d.safetensors --param seed=1 -o out.safetensors --json"
    if not op.startswith(("dare", "della")):
        line = line.replace("--param seed=1 ", "")
    steps = json.loads(models(*line.split()).stdout)["steps"]
    usual = {"dare": 0.5, "dell": 0.5, "brea": 0.9, "cabs": 0.25}[op[:4]]
    kept = [f["mean"] for f in steps[0]["findings"] if f["label"] == "kept"]
    assert len(kept) == 2
    np.testing.assert_allclose(kept, usual, atol=0.06)


@pytest.mark.parametrize("line, flag", [
    ("a.safetensors --op noise", "Give --param strength=… ("),
    ("a.safetensors b.safetensors --op slerp", "Give --alpha … ("),
    ("a.safetensors b.safetensors --op ties --base d.safetensors --weights 1", "list: --weights 0.7,0.3."),
    ("a.safetensors b.safetensors --op breadcrumbs --base d.safetensors --param gamma=0,0,0", "list: --param gamma=0.7,0.3."),
])
def test_what_is_missing_is_named_as_the_command_line_writes_it(models, line, flag):
    assert flag in models("merge", *line.split(), "-o", "out.safetensors", status=2).stderr


@pytest.mark.parametrize("op, expected", [
    ("copy", lambda a: a), ("passthrough --param scale=2", lambda a: 2 * a), ("truncate_rank --param ratio=1", lambda a: a)])
def test_an_operator_of_one_model_takes_one(models, op, expected):
    models(*f"merge a.safetensors --op {op} --policy effect=any -o out.safetensors".split())
    a, out = tensors(models, "a"), tensors(models, "out")
    for name in out:
        np.testing.assert_array_equal(out[name], expected(a[name]))


def test_one_model_is_too_few_for_others(models):
    for words in ("", "--op slerp"):
        said = models(*f"merge a.safetensors {words} -o out.safetensors".split(), status=2).stderr
        assert "two models" in said


def test_the_angle_of_slerp_is_that_of_numpy(models):
    told = models(*"merge a.safetensors b.safetensors --op slerp --alpha 0.3 -o out.safetensors --json".split())
    a, b = tensors(models, "a"), tensors(models, "b")
    pairs = [(a[n].astype("f8").ravel(), b[n].astype("f8").ravel()) for n in a]
    cosines = [x @ y / np.linalg.norm(x) / np.linalg.norm(y) for x, y in pairs]
    angles = np.degrees(np.arccos(cosines))
    (finding,) = json.loads(told.stdout)["steps"][0]["findings"]
    assert finding["unit"] == "degrees"
    np.testing.assert_allclose([finding["lowest"], finding["highest"]], [angles.min(), angles.max()], rtol=1e-9)
    assert f"angle {finding['mean']:.1f}°" in told.stderr


def test_plan_says_what_methods_find_in_a_sample(models):
    line = "plan a.safetensors b.safetensors --op slerp --alpha 0.3 -o out.safetensors"
    assert "In a sample:" in models(*line.split()).stdout
    (step,) = json.loads(models(*line.split(), "--json").stdout)["steps"]
    assert step["findings"][0]["label"] == "angle"
    (step,) = json.loads(models(*line.split(), "--json", "--no-sample").stdout)["steps"]
    assert step["findings"] == []


def test_plan_says_which_steps_a_sample_does_not_judge(models):
    """cosine_a places each tensor in a range of all tensors, which no sample of some has."""
    line = "plan a.safetensors b.safetensors --alpha 0.3 -o out.safetensors --json --op".split()
    said = models(*line, "cosine_a")
    (step,) = json.loads(said.stdout)["steps"]
    assert step["unjudged"] is True and step["findings"] == []
    assert said.stderr.count("the sample has no tensors of the step") == 1
    for judged in ([*line, "slerp"], [*line, "cosine_a", "--no-sample"]):
        said = models(*judged)
        assert json.loads(said.stdout)["steps"][0]["unjudged"] is False
        assert "the sample has no tensors" not in said.stderr


def test_the_recipe_that_is_printed_gives_the_same_bytes(models):
    line = "merge a.safetensors b.safetensors --op ties --base d.safetensors --density 0.5 --param lambda=0.8 -o out.safetensors"
    recipe = models(*line.split(), "--print-recipe").stdout
    (step,) = yaml.safe_load(recipe)["steps"].values()
    assert step["base"] == "d" and step["lambda"] == 0.8
    assert [entry["weight"] for entry in step["of"]] == [0.5, 0.5]
    assert not (models.folder / "out.safetensors").exists()
    models(*line.split())
    first = tensors(models, "out")
    (models.folder / "mix.yaml").write_text(recipe)
    models("merge", "mix.yaml", "--force")
    second = tensors(models, "out")
    assert first.keys() == second.keys()
    for name, array in first.items():
        support.assert_same_bits(second[name], array, name)


@pytest.mark.parametrize(
    "line, said",
    [
        ("a.safetensors --op ties --density 0.5", "two models"),
        ("a.safetensors b.safetensors --base d.safetensors", "--base needs an operator"),
        ("a.safetensors b.safetensors --op slerp --base d.safetensors", "slerp has no base"),
        ("a.safetensors b.safetensors d.safetensors --op slerp --alpha 0.3", "slerp takes 2 models (a, b), not 3"),
        ("a.safetensors b.safetensors --weights 0.5,0.5", "weighted_sum takes no weights of models"),
        ("a.safetensors b.safetensors --op linear --weights 1", "a weight for each of 2 models, not 1"),
        ("a.safetensors b.safetensors --op linear --density 0.5", "density"),
        ("a.safetensors b.safetensors --op tise --base d.safetensors", "Did you mean 'ties'?"),
        ("mix.yaml --base d.safetensors", "cannot be combined with a recipe file"),
    ],
)
def test_what_does_not_fit_the_operator(models, line, said):
    before = sorted(models.folder.iterdir())
    assert said in models("merge", *line.split(), "-o", "out.safetensors", status=2).stderr
    assert sorted(models.folder.iterdir()) == before
