"""What holds for every operator of the table, whatever it computes.

All operators are steps of one recipe with an output each, over one small file of many tensors: a run looks at all of them. An
operator is run over the first of the WORLDS that it takes; what takes none of them is a mistake."""

import json
import re

import ml_dtypes
import numpy as np
import pytest

import operator_steps
import support

FP8 = ml_dtypes.float8_e4m3fn

SHAPES = {
    "layers.0.matrix.weight": (48, 65),
    "layers.0.wide.weight": (7, 300),
    "layers.0.tall.weight": (130, 9),
    "layers.0.one_row.weight": (1, 33),
    "layers.1.square.weight": (32, 32),
    "layers.1.conv.weight": (6, 5, 3, 3),
    "layers.1.big.weight": (83, 1001),
}
ODD_SHAPES = {
    "layers.2.vector.weight": (77,),
    "layers.2.scalar.weight": (),
    "layers.2.one.weight": (1,),
    "layers.2.one_matrix.weight": (1, 1),
    "layers.2.cube.weight": (3, 1, 7),
    "layers.2.long.weight": (70001,),
    "layers.3.empty.weight": (0, 4),
    "layers.3.no_columns.weight": (4, 0),
    "layers.3.nothing.weight": (0,),
}
PLAIN = {"all": SHAPES | ODD_SHAPES, "matrices": SHAPES}
SPECIAL = {
    "layers.4.zeros.weight": lambda *_: np.zeros((9, 12)),
    "layers.4.zero_models.weight": lambda letter, values: values if letter == "base" else np.zeros_like(values),
    "layers.4.zero_base.weight": lambda letter, values: np.zeros_like(values) if letter == "base" else values,
    "layers.4.equal.weight": lambda letter, values: SHARED,
    "layers.4.opposite.weight": lambda letter, values: -SHARED if letter == "b" else SHARED,
    "layers.4.denormal.weight": lambda letter, values: np.float32(2.0**-24) * np.rint(4 * values),
    "layers.4.denormal_f32.weight": lambda letter, values: np.float32(2.0**-140) * np.rint(40 * values),
    "layers.4.constant.weight": lambda letter, values: np.full((9, 12), ord(letter[0]) / 128),
    "layers.4.ties.weight": lambda letter, values: np.sign(values),
}
SHARED = np.random.default_rng(77).standard_normal((9, 12))
DTYPES = {"base": "F32", "a": "F16", "b": "BF16", "c": "F32"}

# Not arithmetic over models of the same names: they have tests of their own.
ELSEWHERE = {"bake", "stack", "within"}
# What is not for any tensor has its own world.
NEEDS = {"adjust": "sd15", "ema": "averages", "align_attention": "sd15", "rebasin": "sd15"}

# They have no more to say than the report does of any step: sums, and operands as they are.
LINEAR = {"add", "add_difference", "adjust", "average", "copy", "ema", "fallback", "linear", "passthrough", "scale", "subtract",
          "sum_twice", "task_arithmetic", "triple_sum", "weighted_sum"}

# A number of the whole model enters every tensor.
MODEL_WIDE = {"cosine_a", "cosine_b"}


def values(letter, name, shape):
    """b, c and a are near the base, as training leaves them."""
    base = np.random.default_rng(sum(name.encode())).standard_normal(shape)
    own = np.random.default_rng(sum((letter + name).encode())).standard_normal(shape)
    return base if letter == "base" else base + 0.3 * own


def tensors(letter, shapes, special=SPECIAL):
    made = {name: values(letter, name, shape) for name, shape in shapes.items()}
    made |= {name: make(letter, values(letter, name, (9, 12))) for name, make in special.items()}
    return made


def stored(arrays, dtype):
    return {name: np.asarray(array, np.float32).astype(support.DTYPES[dtype]) for name, array in arrays.items()}


class World:
    """Four models in a folder, and the steps that take them."""

    def __init__(self, weightsmith, folder, models):
        self.run, self.folder, self.models = weightsmith, folder, models
        self.steps = {}  # name of the output -> step
        (folder / "out").mkdir(parents=True)

    def takes(self, steps):
        """None, or what is said against them."""
        command = self.run.start("merge", self.recipe(steps), "--dry-run")
        _, said = command.communicate()
        return said if command.returncode else None

    def fill(self, steps):
        """Keeps the steps that it takes, and gives back the others."""
        left = {}
        if self.takes(steps) is None:  # all at once
            self.steps = steps
            return {}
        for name, step in steps.items():
            if self.takes({name: step}) is None:
                self.steps[name] = step
            else:
                left[name] = step
        return left

    def recipe(self, steps=None, name="r.json", models=None, dtype=None, **policy):
        steps = self.steps if steps is None else steps
        used = {letter for letter in DTYPES if re.search(f'"{letter}"', json.dumps(list(steps.values())))}
        files = {letter: str((models or self.models)[letter]) for letter in used}
        extra = {"dtype": dtype} if dtype else {}
        outputs = [{"model": f"s{i}", "path": f"out/{key}.safetensors", **extra} for i, key in enumerate(steps)]
        return support.write_recipe(self.folder / name, {
            "models": files, "steps": {f"s{i}": step for i, step in enumerate(steps.values())}, "outputs": outputs,
            "policy": {"effect": "any", "non_finite": "allow", **policy}})

    def merge(self, recipe, *options, env=None):
        """Path of the folder with one file for each step."""
        out = self.folder / "out"
        for old in out.glob("*"):
            old.unlink()
        self.run("merge", recipe, "--no-sync", "--private", *options, env=env)
        return out

    def digests(self, recipe, *options, env=None, steps=None):
        out = self.merge(recipe, *options, env=env)
        return {key: support.sha256(out / f"{key}.safetensors") for key in (steps or self.steps)}

    def results(self, recipe, *options, steps=None):
        out = self.merge(recipe, *options)
        return {key: support.read(out / f"{key}.safetensors").tensors for key in (steps or self.steps)}


@pytest.fixture(scope="module")
def table(session_weightsmith):
    return [op for op in json.loads(session_weightsmith("ops", "--json").stdout) if op["name"] not in ELSEWHERE]


def candidates(tiny, folder):
    """Models to try, one after another: plain names with all shapes, with ordinary ones, and architectures."""
    for name, shapes in PLAIN.items():
        models = {letter: folder / f"{name}-{letter}.safetensors" for letter in DTYPES}
        for letter, path in models.items():
            support.write(path, stored(tensors(letter, shapes), DTYPES[letter]))
        yield name, models
    for architecture in ("sd15", "sdxl", "llama"):
        yield architecture, {letter: tiny(architecture, seed, "--dtype", DTYPES[letter].lower())
                             for seed, letter in enumerate(DTYPES, 1)}
    yield "averages", {letter: with_averages(tiny("sd15", 1), tiny("sd15", 2), folder / f"averages-{letter}.safetensors")
                       for letter in DTYPES}


def with_averages(model, other, path):
    """A model of which training kept moving averages: here those of another seed."""
    averages = {f"model_ema.{name.removeprefix('model.').replace('.', '')}": array
                for name, array in support.read(other).tensors.items() if name.startswith("model.diffusion_model.")}
    return support.write(path, support.read(model).tensors | averages)


@pytest.fixture(scope="module")
def worlds(session_weightsmith, tmp_path_factory, tiny, table):
    """Each operator and its words in the first world that takes it."""
    folder = tmp_path_factory.mktemp("worlds")
    left = {}
    for i, op in enumerate(table):
        for name, step in operator_steps.variants(op, 1000 * (i + 1)):
            left[name] = operator_steps.as_weight(op, step)
    made = {}
    for name, models in candidates(tiny, folder):
        world = World(session_weightsmith, folder / name, models)
        fit = {key: step for key, step in left.items() if NEEDS.get(key.split(".")[0], name) == name}
        refused = world.fill(fit) if fit else {}
        left = {key: step for key, step in left.items() if key in refused or key not in fit}
        if world.steps:
            made[name] = world
        if not left:
            return made
    raise AssertionError("\n".join(f"{name}: {world.takes({name: step})}" for name, step in left.items()))


@pytest.fixture(scope="module")
def expected(worlds):
    return {name: world.digests(world.recipe(), "--threads", "2") for name, world in worlds.items()}


def assert_same(worlds, expected, *options, env=None):
    for name, world in worlds.items():
        digests = world.digests(world.recipe(), *options, env=env)
        assert [key for key in digests if digests[key] != expected[name][key]] == [], name


@pytest.mark.parametrize(
    "options",
    [("--threads", "1"), ("--threads", "7"), ("--io", "map"), ("--io", "read", "--threads", "3"),
     ("--max-memory", "400M", "--threads", "2")],
    ids=" ".join)
def test_no_option_of_a_run_changes_a_byte(worlds, expected, options):
    assert_same(worlds, expected, *options)


def test_no_instruction_set_changes_a_byte(worlds, expected, session_weightsmith):
    said = session_weightsmith("ops", env={"WEIGHTSMITH_SIMD": "abacus"}, status=2).stderr
    known = re.findall(r"AVX3_ZEN4|AVX3_DL|AVX3|AVX2|SSE4|SSSE3|SSE2|NEON|SCALAR|EMU128", said)
    assert known, said
    for target in known:
        assert_same(worlds, expected, env={"WEIGHTSMITH_SIMD": target})


def test_three_parts_write_the_bytes_of_one_run(worlds, expected):
    for name, world in worlds.items():
        recipe = world.recipe()
        world.merge(recipe, "--part", "2/3")
        for part in ("3/3", "1/3"):
            world.run("merge", recipe, "--no-sync", "--private", "--part", part)
        out = world.folder / "out"
        wrong = [key for key in world.steps if support.sha256(out / f"{key}.safetensors") != expected[name][key]]
        assert wrong == [], name


def test_shapes_stay_and_what_is_finite_stays_finite(worlds):
    for world in worlds.values():
        for key, result in world.results(world.recipe()).items():
            models = [support.read(path).tensors for path in set(world.models.values())]
            for name, array in result.items():
                assert array.shape in {model[name].shape for model in models}, f"{key}: {name}"
                if support.NAMES[array.dtype] in support.FLOATS:
                    assert np.isfinite(array.astype(np.float32)).all(), f"{key}: {name}"


def test_what_is_not_linear_says_what_it_did(worlds, table):
    """In its method's own words, in each form that it has."""
    assert LINEAR <= {op["name"] for op in table}
    for world in worlds.values():
        world.merge(world.recipe(), "--report", world.folder / "report.json")
        names = {f"s{i}": key for i, key in enumerate(world.steps)}
        steps = json.loads((world.folder / "report.json").read_text())["steps"]
        silent = [step for step in steps if step["op"] not in LINEAR and not step["findings"]]
        assert [names.get(step["name"], step["op"]) for step in silent] == []


def test_a_huge_tensor_is_computed_in_pieces(worlds, tmp_path, session_weightsmith):
    """Of more elements than threads take at once, whatever comes first."""
    models = {letter: support.write(tmp_path / f"{letter}.safetensors", stored(
        {"huge.weight": values(letter, "huge", (1_200_000,))}, "F16")) for letter in DTYPES}
    world = World(session_weightsmith, tmp_path / "huge", models)
    world.steps = plain(worlds["all"].steps)
    recipe = world.recipe()
    one = world.digests(recipe, "--threads", "1")
    assert world.digests(recipe, "--threads", "7") == one


def plain(steps):
    """Without the words that an operator can have otherwise."""
    return {key: step for key, step in steps.items() if "." not in key}


def run_steps(world, steps, models=None, dtype=None):
    return world.results(world.recipe(steps, models=models, dtype=dtype), steps=steps)


def representable(letter, shapes):
    """Values that every dtype holds, f8_e5m2 and f8_e4m3 too."""
    arrays = tensors(letter, shapes, special={})
    coarse = {name: np.asarray(array, np.float32).astype(ml_dtypes.float8_e5m2).astype(np.float32)
              for name, array in arrays.items()}
    return {name: np.where(np.abs(array) < 2.0**-6, np.float32(0), array) for name, array in coarse.items()}


@pytest.fixture(scope="module")
def by_dtype(worlds, tmp_path_factory):
    """The same values in files of every dtype, for the worlds of plain tensors."""
    folder = tmp_path_factory.mktemp("dtypes")
    result = {}
    for name, shapes in PLAIN.items():
        if name not in worlds:
            continue
        for dtype in ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"):
            models = {}
            for letter in DTYPES:
                models[letter] = folder / f"{name}-{dtype}-{letter}.safetensors"
                support.write(models[letter], stored(representable(letter, shapes), dtype))
            result.setdefault(name, {})[dtype] = models
    return result


def test_the_dtype_of_inputs_does_not_matter_where_their_values_are_equal(worlds, by_dtype):
    for name, dtypes in by_dtype.items():
        world = worlds[name]
        steps = plain(world.steps)
        expected = world.digests(world.recipe(steps, models=dtypes["F32"], dtype="f32"), steps=steps)
        for dtype, models in dtypes.items():
            digests = world.digests(world.recipe(steps, models=models, dtype="f32"), steps=steps)
            assert [key for key in digests if digests[key] != expected[key]] == [], dtype


def test_an_output_is_the_result_in_f32_rounded_once(worlds, by_dtype):
    for name, dtypes in by_dtype.items():
        world = worlds[name]
        models, steps = dtypes["F32"], plain(world.steps)
        exact = run_steps(world, steps, models, "f32")
        for dtype in ("F16", "BF16", "F8_E4M3", "F8_E5M2"):
            for key, result in run_steps(world, steps, models, dtype.lower()).items():
                for tensor, array in result.items():
                    with np.errstate(over="ignore"):
                        rounded = exact[key][tensor].astype(array.dtype)
                    support.assert_same_bits(array, rounded, f"{key}: {tensor} in {dtype}")


# Identities. A step with such a number is one of its operands, bit for bit; `{}` is a number of any operator.
NOTHING = {"alpha": 0, "lambda": 0}
NOT_NOTHING = {
    "cosine_a", "cosine_b",  # alpha is what is taken from a similarity
    "extract",  # alpha says which of the two
    "ramplus_tl", "rotate", "svc",  # alpha is a limit, or one part of what is done
    # computed as the formula says
    "multiply_difference", "euclidean_add_difference", "similarity_add_difference",
    "sum_twice", "triple_sum",  # beta is left
}
IDENTITIES = [
    ("weighted_sum", {"alpha": 1}, "b"),
    ("slerp", {"alpha": 1}, "b"),
    ("norm_match", {"alpha": 0}, "b"),
    ("crossover", {"alpha": 1}, "b"),
    ("linear", {"of": [{"model": "a", "weight": 1}, {"model": "b", "weight": 0}]}, "a"),
    ("nuslerp", {"alpha": 1}, "b"),
    ("tensor_sum", {"width": 0}, "a"),
    ("tensor_sum", {"width": 1}, "b"),
    ("tensor_sum_2", {"width": 1}, "b"),
    ("geometric_sum", {"alpha": 1}, "b"),
    ("normalized_sum", {"alpha": 1}, "b"),
    ("maximum", {"alpha": 0}, "a"),
    ("sum_twice", {"alpha": 0.3, "beta": 1}, "c"),
    ("triple_sum", {"alpha": 0, "beta": 0}, "a"),
]

# What models that are all equal do not give back.
CHANGES_EQUAL_MODELS = {"multiply", "clamp", "noise", "adjust", "scale", "truncate_rank", "passthrough", "perpendicular"}

# Which model comes first matters, beside its weight.
ORDERED = {"fallback", "cabs", "stack"}


def assert_near(actual, expected, what, share=1e-6):
    actual, expected = actual.astype(np.float64), expected.astype(np.float64)
    if expected.size:
        worst, largest = np.abs(actual - expected).max(), np.abs(expected).max()
        assert worst <= share * largest, f"{what}: {worst} beside {largest}"


def test_a_number_that_means_nothing_gives_the_model_back(worlds, table):
    """By every operator with such a parameter, and those of the list."""
    world = worlds["all"]
    steps, operands = {}, {}
    for i, op in enumerate(table):
        if op["name"] not in world.steps or op["name"] in NOT_NOTHING or not op["operands"]:
            continue
        first = op["operands"][0]
        if first["kind"] == "delta":
            continue
        for parameter in op["parameters"]:
            if parameter["name"] in NOTHING and (op["name"], parameter["name"]) != ("norm_match", "alpha"):
                key = f"{op['name']}-{parameter['name']}"
                made = operator_steps.step(op, i + 1, **{parameter["name"]: NOTHING[parameter["name"]]})
                steps[key], operands[key] = operator_steps.as_weight(op, made), made[first["name"]]
    by_name = {op["name"]: op for op in table}
    for name, changes, operand in IDENTITIES:
        key = f"{name}-{operand}"
        steps[key], operands[key] = operator_steps.step(by_name[name], 1, **changes), operand
        if name in by_name and operand in ("a", "b", "c"):
            made = operator_steps.step(by_name[name], 1, **changes)
            if name == "scale":
                made = {"op": "add", "a": "base", "b": {**made, "a": {"op": "subtract", "a": "a", "b": "base"}}}
                continue
            steps[key], operands[key] = made, operand
    models = {letter: support.read(path).tensors for letter, path in world.models.items()}
    for key, result in run_steps(world, steps).items():
        for name, array in result.items():
            operand = models[operands[key]][name]
            np.testing.assert_array_equal(array.astype(np.float32), operand.astype(array.dtype).astype(np.float32),
                                          err_msg=f"{key}: {name}")


def test_equal_models_give_themselves(worlds, by_dtype):
    for name, dtypes in by_dtype.items():
        world = worlds[name]
        same = {letter: dtypes["F32"]["base"] for letter in DTYPES}
        model = support.read(same["base"]).tensors
        steps = {key: step for key, step in world.steps.items() if key.split(".")[0] not in CHANGES_EQUAL_MODELS}
        for key, result in run_steps(world, steps, models=same).items():
            for tensor, array in result.items():
                assert_near(array, model[tensor], f"{key}: {tensor}")


def test_the_order_of_a_list_does_not_matter(worlds, table):
    world = worlds["all"]
    steps = {}
    for op in table:
        drawn = any(parameter["name"] == "seed" for parameter in op["parameters"])
        if op["name"] in world.steps and op.get("list") and not drawn and op["name"] not in ORDERED:
            there = world.steps[op["name"]]
            key = op["list"]["name"]
            if key in there:
                steps[op["name"]] = there
                steps[f"{op['name']}.reversed"] = {**there, key: there[key][::-1]}
    results = run_steps(world, steps, dtype="f32")
    for name in [key for key in steps if not key.endswith(".reversed")]:
        for tensor in SHAPES:  # where no votes are equal
            array = results[f"{name}.reversed"][tensor]
            assert_near(array, results[name][tensor], f"{name}: {tensor}")


@pytest.mark.parametrize("op, mirrored", [
    ("weighted_sum", {"alpha": 0.7}), ("slerp", {"alpha": 0.7}), ("geometric_sum", {"alpha": 0.7}),
    ("multiply", {}), ("crossover", {"alpha": 0.3, "tilt": 1})])
def test_two_models_change_places(worlds, table, op, mirrored):
    world = worlds["all"]
    step = {**world.steps[op], **mirrored}
    back = {**step, "a": step["b"], "b": step["a"], **({"alpha": 1 - step["alpha"]} if "alpha" in step else {})}
    results = run_steps(world, {"there": step, "back": back}, dtype="f32")
    for tensor, array in results["back"].items():
        assert_near(array, results["there"][tensor], tensor)


def test_what_is_not_finite_stays_in_its_tensor(worlds, by_dtype, tmp_path):
    """Of a NaN and infinities in one tensor every other tensor keeps its bytes, and threads do not matter."""
    for name, dtypes in by_dtype.items():
        world = worlds[name]
        clean = world.results(world.recipe(models=dtypes["F32"]))
        poisoned = {}
        for letter, path in dtypes["F32"].items():
            arrays = dict(support.read(path).tensors)
            bad = arrays["layers.0.matrix.weight"].copy()
            bad[{"base": 0, "a": 1, "b": 2, "c": 3}[letter], :3] = [np.nan, np.inf, -np.inf]
            bad[7, 7] = np.inf
            arrays["layers.0.matrix.weight"] = bad
            poisoned[letter] = support.write(tmp_path / f"{name}-{letter}.safetensors", arrays)
        recipe = world.recipe(models=poisoned)
        for key, result in world.results(recipe).items():
            if key.split(".")[0] in MODEL_WIDE:
                continue
            for tensor, array in result.items():
                if tensor != "layers.0.matrix.weight":
                    support.assert_same_bits(array, clean[key][tensor], f"{key}: {tensor}")
        one = world.digests(recipe, "--threads", "1")
        assert world.digests(recipe, "--threads", "7") == one
