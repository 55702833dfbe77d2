"""Models that every operator of the table is run over, and the steps that take them, for tests of what holds whatever an
operator computes.

All operators are steps of one recipe with an output each, over one small file of many tensors: a run looks at all of them. An
operator is run over the first of the WORLDS that it takes; what takes none of them is a mistake. Tests import the fixtures."""

import json
import re

import ml_dtypes
import numpy as np
import pytest

import operator_steps
import random_families
import support

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

# What is not for any tensor has its own world.
NEEDS = {"adjust": "sd15", "ema": "averages", "align_attention": "sd15", "rebasin": "sd15", "stack": "llama"}

# Of every kind of pass: sums, selections, ranks, medians, cells, random numbers, groups; and of none.
OF_EVERY_KIND = ("linear", "slerp", "ties", "model_stock", "della", "breadcrumbs", "sce", "geometric_median", "cosine_a", "noise", "cabs",
                 "norm_match", "pcb", "ramplus_tl", "within", "bake", "bake.0")

DTYPES_TRIED = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")

MOST_OUTPUTS = 16  # of which a recipe takes little memory


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
    """Four models in a folder, adapters of them, and the steps that take them."""

    def __init__(self, weightsmith, folder, models, adapters=None):
        self.run, self.folder, self.models, self.adapters = weightsmith, folder, models, adapters or {}
        self.steps = {}  # name of the output -> step
        (folder / "out").mkdir(parents=True)

    def takes(self, steps):
        """None, or what is said against them."""
        command = self.run.start("merge", self.recipe(steps), "--dry-run")
        _, said = command.communicate()
        return said if command.returncode else None

    def fill(self, steps):
        """Keeps the steps that it takes, and gives back the others."""
        left = self.refused(steps)
        self.steps = {name: step for name, step in steps.items() if name not in left}
        return left

    def refused(self, steps):
        if self.takes(steps) is None:  # all at once
            return {}
        if len(steps) == 1:
            return steps
        names = list(steps)
        halves = names[:len(names) // 2], names[len(names) // 2:]
        return {name: step for half in halves for name, step in self.refused({name: steps[name] for name in half}).items()}

    def groups(self):
        """Its steps, a few at a time."""
        keys = list(self.steps)
        return [{key: self.steps[key] for key in keys[i:i + MOST_OUTPUTS]} for i in range(0, len(keys), MOST_OUTPUTS)]

    def recipe(self, steps=None, name="r.json", models=None, dtype=None, **policy):
        steps = self.steps if steps is None else steps
        written = json.dumps(list(steps.values()))
        files = {letter: str((models or self.models)[letter]) for letter in DTYPES if f'"{letter}"' in written}
        adapters = {name: str(path) for name, path in self.adapters.items() if re.search(f'"{name}[:"]', written)}
        extra = {"dtype": dtype} if dtype else {}
        outputs = [{"model": f"s{i}", "path": f"out/{key}.safetensors", **extra} for i, key in enumerate(steps)]
        return support.write_recipe(self.folder / name, {
            "models": files, "adapters": adapters, "steps": {f"s{i}": step for i, step in enumerate(steps.values())}, "outputs": outputs,
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


@pytest.fixture(scope="session")
def table(session_weightsmith):
    return json.loads(session_weightsmith("ops", "--json").stdout)


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


def adapters_of(shapes):
    """Name -> tensors of a file: factors, whole differences also of what is no matrix, and one that looks at the weight."""
    stems = {name: name.removesuffix(".weight") for name in shapes}
    files = {name: tensors for name, (tensors, _) in random_families.adapters_of(stems, shapes).items()}
    norms = {f"{stem}.dora_scale": np.full((shapes[name][0], *[1] * (len(shapes[name]) - 1)), 7, np.float32)
             for name, stem in stems.items() if f"{stem}.lora_up.weight" in files["low"]}
    return {**files, "scaled": files["low"] | norms}


def written_adapters(folder):
    shapes = SHAPES | {name: shape for name, shape in ODD_SHAPES.items() if shape and 0 not in shape}
    return {name: support.write(folder / f"adapter-{name}.safetensors", tensors) for name, tensors in adapters_of(shapes).items()}


def with_averages(model, other, path):
    """A model of which training kept moving averages: here those of another seed."""
    averages = {f"model_ema.{name.removeprefix('model.').replace('.', '')}": array
                for name, array in support.read(other).tensors.items() if name.startswith("model.diffusion_model.")}
    return support.write(path, support.read(model).tensors | averages)


@pytest.fixture(scope="session", params=["some", pytest.param("every", marks=pytest.mark.exhaustive)])
def worlds(request, session_weightsmith, tmp_path_factory, tiny, table):
    """Each operator and its words in the first world that takes it; or some, as many as an ordinary run has time for."""
    folder = tmp_path_factory.mktemp("worlds")
    left = {}
    for i, op in enumerate(table):
        if request.param == "some" and i % 12 != 0 and op["name"] not in (*OF_EVERY_KIND, "stack"):
            continue
        for name, step in operator_steps.variants(op, 1000 * (i + 1)):
            left[name] = operator_steps.as_weight(op, step)
    made = {}
    for name, models in candidates(tiny, folder):
        world = World(session_weightsmith, folder / name, models, written_adapters(folder) if name == "all" else None)
        fit = {key: step for key, step in left.items() if NEEDS.get(key.split(".")[0], name) == name}
        refused = world.fill(fit) if fit else {}
        left = {key: step for key, step in left.items() if key in refused or key not in fit}
        if world.steps:
            made[name] = world
        if not left:
            return made
    raise AssertionError("\n".join(f"{name}: {world.takes({name: step})}" for name, step in left.items()))


@pytest.fixture(scope="session")
def expected(worlds):
    return {name: world.digests(world.recipe(), "--threads", "2") for name, world in worlds.items()}


def plain(steps):
    """Without the words that an operator can have otherwise."""
    return {key: step for key, step in steps.items() if "." not in key}


def without_adapters(steps):
    """They are of tensors of certain names and shapes."""
    return {key: step for key, step in steps.items() if step["op"] != "bake"}


def run_steps(world, steps, models=None, dtype=None, **policy):
    return world.results(world.recipe(steps, models=models, dtype=dtype, **policy), steps=steps)


def coarse(array):
    """Values that every dtype holds, f8_e5m2 and f8_e4m3 too."""
    if support.NAMES[array.dtype] not in support.FLOATS:
        return array
    with np.errstate(over="ignore"):
        rounded = array.astype(np.float32).astype(ml_dtypes.float8_e5m2).astype(np.float32)
    return np.where(np.abs(rounded) < 2.0**-6, np.float32(0), rounded)


def coarse_models(name, world):
    """Letter -> tensors. Of weights that training gave, which are small, larger ones."""
    if name in PLAIN:
        return {letter: {key: coarse(np.asarray(array, np.float32)) for key, array in tensors(letter, PLAIN[name], {}).items()}
                for letter in DTYPES}
    return {letter: {key: coarse(array if array.dtype == np.int64 else 16 * array.astype(np.float32))
                     for key, array in support.read(path).tensors.items()} for letter, path in world.models.items()}


@pytest.fixture(scope="session")
def by_dtype(worlds, tmp_path_factory):
    """World -> dtype -> models: the same values in files of every dtype."""
    folder = tmp_path_factory.mktemp("dtypes")
    result = {}
    for name, world in worlds.items():
        for letter, arrays in coarse_models(name, world).items():
            for dtype in DTYPES_TRIED:
                path = folder / f"{name}-{dtype}-{letter}.safetensors"
                floats = {key: array for key, array in arrays.items() if support.NAMES[array.dtype] in support.FLOATS}
                support.write(path, arrays | stored(floats, dtype))
                result.setdefault(name, {}).setdefault(dtype, {})[letter] = path
    return result


@pytest.fixture(scope="session")
def exact(worlds, by_dtype):
    """World -> step -> tensors, of those values in f32."""
    return {name: run_steps(world, plain(world.steps), by_dtype[name]["F32"], "f32") for name, world in worlds.items()}


def assert_near(actual, expected, what, share=1e-6):
    actual, expected = actual.astype(np.float64), expected.astype(np.float64)
    if expected.size:
        worst, largest = np.abs(actual - expected).max(), np.abs(expected).max()
        assert worst <= share * largest, f"{what}: {worst} beside {largest}"
