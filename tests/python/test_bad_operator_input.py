"""What an operator cannot mean is said in one message, at the line and column of what is wrong, with the documented
status, and nothing is written: every parameter of every operator, and what only models tell."""

import json
import re

import numpy as np
import pytest

import operator_steps
import support

MODELS = ("base", "a", "b", "c")
SHAPES = {"layers.0.weight": (8, 6), "layers.0.bias": (8,), "scalar": (), "conv.weight": (4, 3, 3, 3)}


def values(letter):
    generators = {name: np.random.default_rng(sum((letter + name).encode())) for name in SHAPES}
    base = {name: np.random.default_rng(sum(name.encode())).standard_normal(shape) for name, shape in SHAPES.items()}
    change = 0 if letter == "base" else 0.1
    return {name: (base[name] + change * generators[name].standard_normal(shape)).astype(np.float32) for name, shape in SHAPES.items()}


@pytest.fixture
def models(tmp_path):
    """Four models, and others that are wrong beside them."""
    for letter in MODELS:
        support.write(tmp_path / f"{letter}.safetensors", values(letter))
    base = values("base")
    others = {
        "same": base,  # another file of the same bytes
        "opposite": {name: -array for name, array in base.items()},
        "lacks": {name: array for name, array in base.items() if name != "layers.0.bias"},
        "turned": {**base, "layers.0.weight": base["layers.0.weight"].T.copy()},
    }
    for name, tensors in others.items():
        support.write(tmp_path / f"{name}.safetensors", tensors)
    (tmp_path / "link.safetensors").symlink_to("base.safetensors")
    return tmp_path


def recipe(folder, step, steps=""):
    """The step stands in line 4 from column 8 on, or behind those lines of other steps."""
    used = set(re.findall(r"\w+", step + steps))
    known = [path.stem for path in sorted(folder.glob("*.safetensors")) if path.stem in used]
    named = ", ".join(f"{name}: {name}.safetensors" for name in known)
    (folder / "r.yaml").write_text(
        f"weightsmith: 1\nmodels: {{{named}}}\nsteps:\n{steps}  out: {step}\noutput: {{model: out, path: out.safetensors}}\n")


@pytest.fixture
def refuse(weightsmith, models):
    def run(step, *arguments, status, said, at=None, steps=""):
        recipe(models, step, steps)
        before = {path.name for path in models.iterdir()} | {"cache"}
        result = weightsmith("merge", "r.yaml", *arguments, status=status)
        for words in said:
            assert words in result.stderr, f"{words!r} is not in:\n{result.stderr}"
        if at:
            before_it, _, _ = (models / "r.yaml").read_text().partition(at)
            line, column = before_it.count("\n") + 1, len(before_it) - before_it.rfind("\n")
            assert f"r.yaml:{line}:{column}: error: " in result.stderr, result.stderr
        assert result.stderr.count("error: ") <= 1, result.stderr
        assert {path.name for path in models.iterdir()} <= before
        return result.stderr

    return run


OF = "of: [{model: a, weight: 0.5}, {model: b, weight: 0.5}]"
AGAINST = "of: [{model: a, weight: 0.1}, {model: b, weight: 0.2}, {model: c, weight: -0.3}]"

# The step, the status, where it is told (its text in the recipe), and what is said.
REFUSED = {
    "too many operands": ("{op: slerp, a: a, b: b, c: c, alpha: 0.5}", 2, "c: c, alpha", ["has no key 'c'"]),
    "too few operands": ("{op: slerp, a: a, alpha: 0.5}", 2, "{op", ["slerp needs 'b'", "Write b: …"]),
    "no model": ("{op: ties, base: base, of: [], density: 0.5}", 2, "{op", ["`of` is empty: it needs at least one model"]),
    "one model of two": ("{op: karcher, of: [a]}", 2, "{op", ["`of` needs at least two models"]),
    "density": (f"{{op: ties, base: base, {OF}, density: 1.5}}", 2, "1.5", ["'density' must be between 0 and 1, not 1.5"]),
    "density of a row": (f"{{op: ties, base: base, {OF}, density: {{default: 0.5, \"/conv/\": 1.25}}}}", 2, "1.25",
                         ["'density' must be between 0 and 1, not 1.25"]),
    "density of an entry's row": (
        "{op: ties, base: base, of: [{model: a, weight: 1, density: {default: 0.5, \"/conv/\": -2}}], density: 0.5}", 2, "-2}",
        ["of[1]: 'density' must be between 0 and 1, not -2"]),
    "weight": ("{op: linear, of: [{model: a, weight: .inf}, {model: b, weight: 0.5}]}", 2, ".inf",
               ["of[1]: 'weight' must be a finite number"]),
    "weight of a row": ("{op: linear, of: [{model: a, weight: {default: 0.5, \"/conv/\": .nan}}, {model: b, weight: 0.5}]}", 2, ".nan",
                        ["of[1]: 'weight' must be a finite number"]),
    "epsilon of an entry's density": (
        "{op: della, base: base, of: [{model: a, weight: 1}, {model: b, weight: 1, density: 0.95}], density: 0.5, epsilon: 0.1}", 3,
        "density: 0.95", ["of[2]", "probabilities from 0.85 to 1.05", "at most 0.05"]),
    "a seed below 0": ("{op: noise, a: a, strength: 0.5, seed: -1}", 2, "-1", ["'seed' is a whole number from 0 to", "not '-1'"]),
    "a seed with a fraction": ("{op: noise, a: a, strength: 0.5, seed: 1.5}", 2, "1.5}", ["'seed' is a whole number from 0 to"]),
    "epsilon": (f"{{op: della, base: base, {OF}, density: 0.1, epsilon: 0.2}}", 3, "0.1, epsilon",
                ["of[1]", "probabilities from -0.1 to 0.3, which are to lie between 0 and 1", "an 'epsilon' of at most 0.1"]),
    "epsilon of a row": (
        f"{{op: della_linear, base: base, {OF}, density: {{default: 0.5, \"/conv/\": 0.95}}, epsilon: 0.2}}", 3, "{default",
        ["probabilities from 0.75 to 1.15", ": conv.weight", "at most 0.05"]),
    "base among the models": ("{op: ties, base: base, of: [{model: a, weight: 1}, {model: base, weight: 1}], density: 0.5}", 2,
                              "base, weight: 1}]", ["'of[2]' is 'base', as 'base' is", "Leave it out of 'of'"]),
    "base as the only model": ("{op: task_arithmetic, base: base, of: [{model: base, weight: 1}]}", 2, "base, weight: 1}]",
                               ["its difference to itself is 0"]),
    "base by another path": ("{op: sce, base: base, of: [a, link]}", 3, "out:",
                             ["'link' is the same file as 'base', its base", "name the right file"]),
    "base that lacks a tensor": (f"{{op: ties, base: lacks, {OF}, density: 0.5}}", 3, "out:",
                                 ["tensors that 'lacks' does not have: layers.0.bias", "policy: {missing: keep}"]),
    "model that lacks a tensor": ("{op: model_stock, base: base, of: [a, lacks]}", 3, "out:",
                                  ["tensors that 'lacks' does not have: layers.0.bias"]),
    "no change": ("{op: ties, base: base, of: [{model: same, weight: 1}], density: 0.5}", 8, "out:",
                  ["step 'out' changes no element", "policy: {effect: any}"]),
    "no change of two": ("{op: model_stock, base: base, of: [same, same]}", 8, "out:", ["step 'out' changes no element"]),
    "no change of an inline step": (
        "{op: weighted_sum, a: a, b: {op: task_arithmetic, base: base, of: [{model: same, weight: 1}]}, alpha: 0.5}", 8,
        "{op: task_arithmetic", ["step 'out.b' changes no element"]),
    "the same vectors": ("{op: slerp, a: base, b: same, alpha: 0.5}", 8, "out:", ["step 'out' changes no element"]),
    "nothing is kept": ("{op: ties, base: base, of: [{model: a, weight: 1}], density: 0}", 8, "out:", ["step 'out' changes no element"]),
    "a share that is too small": ("{op: weighted_sum, a: a, b: b, alpha: 1e-12}", 8, "out:", ["step 'out' changes no element"]),
    "weights that no number can hold": ("{op: linear, of: [{model: a, weight: 1e300}, {model: b, weight: 1}]}", 3, "out.safetensors}",
                                        ["values of finite operands leave the range of F32"]),
    "weights against each other in linear": (f"{{op: linear, {AGAINST}, normalize: true}}", 3, "out:", ["add up to 0"]),
    "weights against each other in ties": (f"{{op: ties, base: base, {AGAINST}, density: 0.5}}", 3, "out:",
                                           ["ties: the weights add up to 0", "normalize: false"]),
    "directions against each other": ("{op: karcher, of: [base, opposite]}", 8, "out:", ["are the same, or cancel out"]),
    "a place of a step's policy": ("{op: weighted_sum, a: a, b: b, alpha: 0.5, policy: {missing: {IN99: keep}}}", 3, "IN99",
                                   ["step 'out': policy 'missing': no tensor is at 'IN99'"]),
    "another shape": ("{op: weighted_sum, a: a, b: turned, alpha: 0.5}", 3, "out:",
                      ["'layers.0.weight' is [8, 6] in 'a' and [6, 8] in 'turned'", "check that the right files are named"]),
    "another shape of the base": ("{op: ties, base: turned, of: [{model: a, weight: 1}], density: 0.5}", 3, "out:",
                                  ["[6, 8] in 'turned' and [8, 6] in 'a'"]),
    "seed too large": ("{op: dropout, base: base, of: [a, b], probability: 0.5, seed: 9007199254740992}", 2, "9007199254740992",
                       ["'seed' is a whole number from 0 to 9007199254740991, not '9007199254740992'"]),
    "limits that cross": ("{op: clamp, a: a, low: 1, high: 0}", 2, "{op", ["`low` is 1, above `high`, 0"]),
    "a preset for one number": ("{op: karcher, of: [a, b], iterations: GRAD_V}", 2, "GRAD_V", ["must be a number, not 'GRAD_V'"]),
    "a count with a fraction": ("{op: karcher, of: [a, b], iterations: 2.5}", 2, "2.5", ["'iterations' is a whole number"]),
    "a count of a row": ("{op: truncate_rank, a: a, rank: {default: 2, \"/conv/\": 1.5}}", 2, "{default", ["'rank' is a whole number"]),
    "a weight in letters": ("{op: linear, of: [{model: a, weight: nan}, {model: b, weight: 1}]}", 2, "nan}",
                            ["of[1]: 'weight' is a number", "not 'nan'"]),
    "a weight that f64 has not": ("{op: linear, of: [{model: a, weight: 1e400}, {model: b, weight: 1}]}", 2, "1e400",
                                  ["size is from 1e-307 to 1e308", "not '1e400'"]),
    "a density below 0": ("{op: ties, base: base, of: [{model: a, weight: 1, density: -0.3}], density: 0.5}", 2, "-0.3",
                          ["of[1]: 'density' must be between 0 and 1, not -0.3"]),
    "an epsilon below 0": (f"{{op: della, base: base, {OF}, density: 0.5, epsilon: -0.1}}", 2, "-0.1",
                           ["'epsilon' must be between 0 and 0.5, not -0.1"]),
    "a weight too few": ("{op: linear, of: [{model: a}, {model: b, weight: 1}]}", 2, "{model: a}", ["of[1] has no 'weight'"]),
    "weights beside the models": ("{op: linear, of: [a, b], weights: [1, 2, 3]}", 2, "weights: [", ["There are 2 models and 3 weights"]),
    "densities of another number": (f"{{op: ties, base: base, {OF}, density: [0.5, 0.3, 0.2]}}", 2, "[0.5, 0.3",
                                    ["'density' is a list of 3 numbers"]),
    "models that are no list": ("{op: average, of: a}", 2, "a}", ["'of' is a list, not 'a'", "Write of: [a]"]),
    "models without a value": ("{op: average, of: }", 2, " }", ["'of' has no value"]),
    "models in a list of lists": ("{op: average, of: [[a, b]]}", 2, "[a, b]", ["of[1] is the name of a model or step, not a list"]),
    "a number as a model": ("{op: average, of: [a, 1]}", 2, "1]", ["there is no model or step '1'"]),
    "an operand twice": ("{op: slerp, a: a, a: b, b: b, alpha: 0.5}", 2, "a: b, b", ["the key 'a' is there twice"]),
    "a base in a list": ("{op: ties, base: [base], of: [{model: a, weight: 1}], density: 0.5}", 2, "[base]",
                         ["'base' is the name of a model or step, not a list"]),
    "a step that takes itself": ("{op: average, of: [a, out]}", 2, "out: {op", ["steps form a cycle: 'out' needs 'out'"]),
    "an operator in capitals": ("{op: TIES, base: base, of: [{model: a, weight: 1}], density: 0.5}", 2, "TIES", ["Did you mean 'ties'?"]),
    "a task that is not there": ("{op: emr, base: base, of: [a, b], task: 5}", 2, "{op", ["`task` is more than there are models"]),
    "letters of other scripts": ("{op: average, of: [a, 模型]}", 2, "模型", ["there is no model or step '模型'"]),
    "lists that are deep": ("{op: average, of: " + 500 * "[" + "a" + 500 * "]" + "}", 2, None, ["nested more than 64 deep"]),
    "a number that f64 has not": ("{op: weighted_sum, a: a, b: b, alpha: 1e-400}", 2, "1e-400", ["size is from 1e-307 to 1e308"]),
}


@pytest.mark.parametrize("case", support.sampled(REFUSED, 3))
def test_it_is_refused_where_it_is_written(refuse, case):
    step, status, at, said = REFUSED[case]
    refuse(step, status=status, said=said, at="out: {op" if at == "out:" else at)


OF_STEPS = {
    # Steps before the last, the last, the status, all places in their order, and what is said.
    "two that change nothing": (
        "  one: {op: task_arithmetic, base: base, of: [{model: same, weight: 1}]}\n",
        "{op: ties, base: one, of: [{model: same, weight: 1}], density: 0.5}", 8, ["one:", "out:"],
        ["step 'one' changes no element", "step 'out' changes no element"]),
    "the first of two": ("  'größer 模': {op: slerp, a: base, b: same, alpha: 0.5}\n",
                         "{op: average, of: ['größer 模', a]}", 8, ["'größer"], ["step 'größer 模' changes no element"]),
    "a long name": (f"  {300 * 'n'}: {{op: slerp, a: base, b: same, alpha: 0.5}}\n", f"{{op: average, of: [{300 * 'n'}, a]}}", 8,
                    ["nnn"], ["changes no element"]),
    "a circle": ("  one: {op: average, of: [a, out]}\n", "{op: average, of: [one, b]}", 2, ["one:"],
                 ["'one' needs 'out' needs 'one'"]),
    "a name twice": ("  out: {op: average, of: [a, b]}\n", "{op: average, of: [a, c]}", 2, ["out: {op: average, of: [a, c"],
                     ["the key 'out' is there twice"]),
    "a name of a model": ("  a: {op: average, of: [b, c]}\n", "{op: average, of: [a, c]}", 2, ["a: {op"], ["'a' is the name of a model"]),
    "a difference as a model": ("  one: {op: subtract, a: a, b: base}\n", "{op: weighted_sum, a: a, b: one, alpha: 0.5}", 2,
                                ["one, alpha"], ["takes operands of one kind"]),
    "a where that selects nothing": (
        "  one: {op: average, of: [a, b]}\n", "{op: within, model: a, apply: one, where: {rank: 4, name: /bias/}}", 3,
        ["{rank"], ["step 'out': 'where' selects no tensor of 'a'"]),
    "an average of an average": ("  one: {op: average, of: [a, b]}\n", "{op: ema, a: one}", 3, ["out:"],
                                 ["EMA copies are those of a model"]),
}


@pytest.mark.parametrize("case", support.sampled(OF_STEPS, 3))
def test_each_step_is_told_at_its_own_place(weightsmith, models, case):
    steps, step, status, places, said = OF_STEPS[case]
    recipe(models, step, steps)
    stderr = weightsmith("merge", "r.yaml", status=status).stderr
    text = (models / "r.yaml").read_text()
    expected = []
    for words in places:
        before_it, found, _ = text.partition(words)
        assert found
        expected.append((before_it.count("\n") + 1, len(before_it) - before_it.rfind("\n")))
    told = re.findall(r"^(?:weightsmith: )?r\.yaml:(\d+):(\d+): error: ", stderr, re.M)
    assert [(int(line), int(column)) for line, column in told] == expected, stderr
    for words in said:
        assert words in stderr, stderr
    assert not (models / "out.safetensors").exists()


def test_the_policy_of_the_recipe_is_told_at_its_own_place(weightsmith, models):
    (models / "r.yaml").write_text(
        "weightsmith: 1\nmodels: {a: a.safetensors, b: b.safetensors}\npolicy: {missing: {IN99: keep}}\nsteps:\n"
        "  out: {op: weighted_sum, a: a, b: b, alpha: 0.5}\noutput: {model: out, path: out.safetensors}\n")
    assert "r.yaml:3:20: error: policy 'missing': no tensor is at 'IN99'" in weightsmith("merge", "r.yaml", status=3).stderr


def test_a_step_of_a_recipe_that_is_a_model_is_told_in_its_file(weightsmith, models):
    recipe(models, "{op: slerp, a: base, b: same, alpha: 0.5}")
    (models / "r.yaml").rename(models / "inner.yaml")
    (models / "r.yaml").write_text(
        "weightsmith: 1\nmodels: {a: a.safetensors, inner: {recipe: inner.yaml}}\nsteps:\n"
        "  mix: {op: average, of: [a, inner]}\noutput: {model: mix, path: mix.safetensors}\n")
    said = weightsmith("merge", "r.yaml", status=8).stderr
    assert "inner.yaml:4:3: error: step 'inner.out' changes no element" in said


@pytest.fixture
def halves(models):
    """Models of f16, in which a small share of another one is lost."""
    for letter in "ab":
        support.write(models / f"{letter}.safetensors", {name: array.astype(np.float16) for name, array in values(letter).items()})
    return models


def test_a_result_without_an_output_in_the_recipe_is_told_at_its_step(weightsmith, halves):
    (halves / "r.yaml").write_text("weightsmith: 1\nmodels: {a: a.safetensors, b: b.safetensors}\nsteps:\n"
                                   "  out: {op: weighted_sum, a: a, b: b, alpha: 1e-6}\n")
    said = weightsmith("merge", "r.yaml", "-o", "out.safetensors", status=8).stderr
    assert "r.yaml:4:3: error: the result 'out.safetensors' is its first model" in said


def test_the_output_that_is_no_merge_is_the_one_that_is_told(weightsmith, halves):
    (halves / "r.yaml").write_text(
        "weightsmith: 1\nmodels: {a: a.safetensors, b: b.safetensors}\nsteps:\n"
        "  x: {op: weighted_sum, a: a, b: b, alpha: 0.5}\n  y: {op: weighted_sum, a: a, b: b, alpha: 1e-6}\n"
        "outputs:\n- {model: x, path: x.safetensors}\n- {model: y, path: y.safetensors}\n")
    assert "r.yaml:8:20: error: the result 'y.safetensors' is its first model" in weightsmith("merge", "r.yaml", status=8).stderr
    assert not list(halves.glob("[xy].safetensors"))


def test_a_step_of_the_command_line_has_no_place(weightsmith, models):
    said = weightsmith("merge", "same.safetensors", "--op", "ties", "--base", "base.safetensors", "--param", "density=0.5", "-o",
                       "out.safetensors", status=8).stderr
    assert "weightsmith: step 'merged' changes no element" in said and "error: " not in said


@pytest.mark.filterwarnings("ignore:(?s).*nothing uses the model")
def test_python_tells_the_place_as_well(models, monkeypatch):
    ws = pytest.importorskip("weightsmith")
    monkeypatch.chdir(models)
    recipe(models, "{op: slerp, a: base, b: same, alpha: 0.5}")
    with pytest.raises(ws.NoEffectError, match=r"r\.yaml:4:3: error: step 'out' changes no element"):
        ws.merge("r.yaml")
    recipe(models, "{op: truncate_rank, a: a, rank: 2}")
    with pytest.raises(ws.ResourceError, match=r"(?s)r\.yaml:4:3: error: the run needs .* for step 'out'.*max_memory="):
        ws.merge("r.yaml", max_memory=1_000_000)


@pytest.mark.parametrize("op", ["linear", "task_arithmetic", "dare_linear", "della_linear", "breadcrumbs", "multislerp",
                                "ties", "dare_ties", "della", "breadcrumbs_ties"])
def test_weights_that_add_up_to_zero_divide_nothing(refuse, op):
    declared = next(each for each in operator_steps.table() if each["name"] == op)
    base = "base: base, " if any(each["name"] == "base" for each in declared["operands"]) else ""
    density = "density: 0.5, " if any(each["name"] == "density" for each in declared["parameters"]) else ""
    refuse(f"{{op: {op}, {base}{density}{AGAINST}, normalize: true}}", status=3, at="out: {op",
           said=[f"{op}: the weights add up to 0, and `normalize` divides by their sum", "Change the weights"])


def test_weights_that_are_zero_somewhere_leave_the_base_there(weightsmith, models):
    rows = '{default: 0.5, "/conv/": 0}'
    recipe(models, f"{{op: ties, base: base, of: [{{model: a, weight: {rows}}}, {{model: b, weight: {rows}}}], density: 1}}")
    weightsmith("merge", "r.yaml")
    support.assert_same_bits(support.read(models / "out.safetensors")["conv.weight"], values("base")["conv.weight"])


@pytest.mark.parametrize("alpha", [0.25, 0.5])
def test_opposite_vectors_are_blended_on_the_straight_line_and_that_is_said(weightsmith, models, alpha):
    recipe(models, f"{{op: slerp, a: base, b: opposite, alpha: {alpha}}}")
    assert "angle 180.0°" in weightsmith("merge", "r.yaml").stderr
    out = support.read(models / "out.safetensors").tensors
    for name, array in values("base").items():
        np.testing.assert_allclose(out[name], (1 - 2 * alpha) * array, rtol=0, atol=1e-6, err_msg=name)
    assert "opposite" in weightsmith("ops", "slerp").stdout


@pytest.mark.parametrize("step", [
    f"{{op: della, base: base, {OF}, density: 0.5, ranks: row}}", f"{{op: della, base: base, {OF}, density: 0.5, ranks: column}}",
    "{op: nuslerp, a: a, b: b, alpha: 0.5, by: rows}", "{op: nuslerp, a: a, b: b, alpha: 0.5, by: columns}",
    "{op: channel_sum, a: a, b: b, alpha: 0.5}", "{op: cosine_a, a: a, b: b, alpha: 0.5}", "{op: tensor_sum, a: a, b: b, width: 0.5}",
    "{op: tensor_sum_2, a: a, b: b, width: 0.5}", "{op: rotate, a: a, b: b}", "{op: truncate_rank, a: a, rank: 2}",
    "{op: iso_c, base: base, of: [a, b]}",
])
def test_tensors_of_no_and_one_dimension_have_rows_too(weightsmith, models, step):
    recipe(models, step)
    weightsmith("merge", "r.yaml")
    out = support.read(models / "out.safetensors").tensors
    for name, shape in SHAPES.items():
        assert out[name].shape == shape and np.isfinite(out[name]).all(), name


def test_one_seed_of_two_steps_is_told_at_the_second(refuse):
    first = "  one: {op: dropout, base: base, of: [a, b], probability: 0.5, seed: 3}\n"
    refuse("{op: dropout, base: base, of: [one, b], probability: 0.5, seed: 3 }", status=2, at="3 }", steps=first,
           said=["'one' (line 4, column 70)", "from one seed, 3", "seed: 4", "seed_shared: true"])


@pytest.mark.parametrize("command", ["merge", "plan"])
@pytest.mark.parametrize("op", ["cosine_a", "cosine_b", "smooth_add", "truncate_rank", "ties", "frequency"])
def test_statistics_that_do_not_fit_are_refused_before_anything_is_written(weightsmith, models, op, command):
    declared = next(each for each in operator_steps.table() if each["name"] == op)
    (models / "r.yaml").write_text(
        "weightsmith: 1\nmodels: {" + ", ".join(f"{name}: {name}.safetensors" for name in MODELS) + "}\nsteps:\n"
        f"  first: {{op: average, of: [a, b]}}\n  out: {json.dumps(operator_steps.step(declared, 1))}\n"
        "outputs: [{model: out, path: out.safetensors}, {model: first, path: first.safetensors}]\n")
    said = weightsmith(command, "r.yaml", "--max-memory", "1M", status=6).stderr
    assert re.search(r"^r\.yaml:5:3: error: the run needs \d+ MB of memory and may use 1\.00 MB: [\d.]+ [kM]?B of it are for step 'out'$",
                     said, re.M), said
    assert "--max-memory" in said and said.count("error: ") == 1
    assert not list(models.glob("out*")) and not list(models.glob("first*"))


def test_a_preset_out_of_range_is_told_by_its_name(weightsmith, models):
    (models / "mine.tsv").write_text("MINE\t" + ",".join(["0.5"] * 25 + ["1.5"]) + "\n")
    for density in ("MINE", "{default: 0.5, unet: MINE}"):
        recipe(models, f"{{op: ties, base: base, {OF}, density: {density}}}")
        said = weightsmith("validate", "--no-files", "r.yaml", "--presets", "mine.tsv", status=2).stderr
        assert "'density' must be between 0 and 1, and the preset 'MINE' has 1.5" in said
        assert f"r.yaml:4:{(models / 'r.yaml').read_text().splitlines()[3].index('MINE') + 1}: " in said


def test_an_elemental_entry_that_is_at_no_tensor_is_told(weightsmith, tmp_path, tiny):
    def said(text):
        support.write_recipe(tmp_path / "r.yaml", {
            "models": {"a": str(tiny("sd15", 1)), "b": str(tiny("sd15", 2))},
            "steps": {"out": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": {"elemental": text, "default": 0.5}}},
            "output": {"model": "out", "path": "out.safetensors"}})
        return weightsmith("plan", "r.yaml").stderr

    assert "entry" not in said("IN04-IN08:attn2:0.5, NOT OUT04:attn1 proj:0.25, BASE::0")
    assert "step 'out': 'alpha': no tensor in the blocks of the entry 'IN04:atn2:0.25' has 'atn2' in its name. " \
        "Did you mean 'attn2'?" in said("IN05:attn2:0.5, IN04:atn2:0.25")
    assert "no tensor is in a block of the entry 'IN12:attn2:0.25'" in said("IN05:attn2:0.5, IN12:attn2:0.25")


@pytest.mark.parametrize("number", ["R", "U", "X", "r(0, 1)"])
def test_a_random_elemental_number_is_told_what_to_write(refuse, number):
    refuse(f"{{op: weighted_sum, a: a, b: b, alpha: {{elemental: 'IN04-IN08:attn2:{number}'}}}}", status=2, at="'IN04-IN08",
           said=["another number in every run", "such as IN04-IN08:attn2:0.4"])


# As YAML writes it; what a declaration says of it is below.
WRITTEN = [".nan", ".inf", "-1", "2", "1e300", "''", "[1, 2]", "{unett: 1}", "null", "text"]
BATCH = 40  # steps of one recipe, of which at most 100 errors are told


def is_right(parameter, written):
    if parameter["type"] in ("boolean", "word"):
        return False
    if written not in ("-1", "2", "1e300"):
        return False
    if parameter["type"] == "seed":
        return written == "2"
    return parameter.get("low", -np.inf) <= float(written) <= parameter.get("high", np.inf)


def parameters_of_all():
    for op in operator_steps.table():
        for parameter in op["parameters"]:
            for written in WRITTEN:
                made = operator_steps.step(op, 1)
                made.pop(parameter["name"], None)
                made.pop("seed", None)
                yield op["name"], parameter, written, json.dumps(made)[:-1] + f", {parameter['name']}: {written}}}"


def test_every_parameter_of_every_operator_says_what_it_cannot_be(weightsmith, tmp_path):
    cases = list(parameters_of_all())
    assert len(cases) > 1000
    for begin in range(0, len(cases), BATCH):
        part = cases[begin:begin + BATCH]
        lines = ["weightsmith: 1", "models: {" + ", ".join(f"{name}: {name}.safetensors" for name in MODELS) + "}", "steps:"]
        lines += [f"  s{i}: {step}" for i, (*_, step) in enumerate(part)]
        (tmp_path / "r.yaml").write_text("\n".join([*lines, "output: {model: s0, path: out.safetensors}", ""]))
        said = weightsmith("validate", "--no-files", "r.yaml", status=2).stderr
        told = re.findall(r"^(?:weightsmith: )?r\.yaml:(\d+):(\d+): error: (.*)", said, re.M)
        for i, (op, parameter, written, _) in enumerate(part):
            number = len(lines) - len(part) + i + 1
            name, column = parameter["name"], lines[number - 1].rindex(written) + 1
            here = [(int(at), text) for line, at, text in told if int(line) == number]
            # Of all that is given together something else may be said: `rank` and `ratio` say the same.
            here = [(at, text) for at, text in here if not re.match(rf"step 's\d+': {op}: (`|give)", text)]
            what = f"{op}: {name}: {written}: {here}"
            if is_right(parameter, written):
                assert not here, what
            else:
                assert len(here) == 1 and here[0][0] >= column and f"'{name}'" in here[0][1], what


@pytest.mark.parametrize("given, said", [
    ("density=2", "'density' must be between 0 and 1, not 2"), ("lambda=nan", "'lambda'"), ("density=", "'density' must be a number"),
    ("density=[1, 2]", "'density'"), ("density={unett: 1}", "Did you mean 'unet'?"), ("densty=0.5", "Did you mean 'density'?"),
    ("sign=up", "'sign' is total, frequency or majority"), ("normalize=3", "'normalize' is true or false"), ("lambda=1e300", "'lambda'"),
    ("density", "expected K=V"), ("weights=1,2,3", "a weight for each of 2 models, not 3"), ("weights=nan,1", "of[1]: 'weight'"),
])
def test_a_parameter_of_the_command_line_is_told_likewise(weightsmith, models, given, said):
    others = [] if given.startswith("density") else ["--param", "density=0.5"]
    result = weightsmith("merge", "a.safetensors", "b.safetensors", "--op", "ties", "--base", "base.safetensors", *others,
                         "--param", given, "-o", "out.safetensors", status=2)
    assert said in result.stderr
    assert "--param" in result.stderr or "--weights" in result.stderr
    assert not (models / "out.safetensors").exists()


def test_a_base_among_the_models_of_a_command_line(weightsmith, models):
    said = weightsmith("merge", "a.safetensors", "base.safetensors", "--op", "ties", "--base", "base.safetensors", "--param",
                       "density=0.5", "-o", "out.safetensors", status=3).stderr
    assert "is the same file as 'base', its base: its difference to it is 0" in said
    assert not (models / "out.safetensors").exists()


# By their weights, or because they ask for no number of models: what is there 32 times counts as once.
AS_ONCE = ["average", "linear", "task_arithmetic", "ties", "breadcrumbs", "breadcrumbs_ties", "geometric_median", "karcher",
           "multislerp", "sce", "clamp", "aoe"]


def test_a_list_may_be_long_and_name_a_model_twice(weightsmith, models):
    steps = {}
    for op in operator_steps.table():
        if op["name"] not in AS_ONCE:
            continue
        for count in (2, 64):
            listed = [{"model": letter} for letter in "ab" * (count // 2)]
            if op["list"]["weighted"]:
                listed = [{**entry, "weight": 1 / count} for entry in listed]
            else:
                listed = [entry["model"] for entry in listed]
            limits = {"low": None, "high": None} if op["name"] == "clamp" else {}
            steps[f"{op['name']}-{count}"] = operator_steps.step(op, 1, **{op["list"]["name"]: listed}, **limits)
    support.write_recipe(models / "r.yaml", {
        "models": {name: f"{name}.safetensors" for name in MODELS}, "policy": {"effect": "any"}, "steps": steps,
        "outputs": [{"model": name, "path": f"{name}.safetensors"} for name in steps]})
    weightsmith("merge", "r.yaml")
    for name in AS_ONCE:
        two, many = (support.read(models / f"{name}-{count}.safetensors").tensors for count in (2, 64))
        for tensor in SHAPES:
            np.testing.assert_allclose(many[tensor], two[tensor], rtol=0, atol=4e-6, err_msg=f"{name}: {tensor}")
