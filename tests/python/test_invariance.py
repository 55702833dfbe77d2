"""The same recipe gives the same bytes, whatever it runs on and however it is cut."""

import numpy as np
import pytest

import support


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """Three parents whose tensors straddle tiles, blocks and chunks, and a recipe over them."""
    folder = tmp_path_factory.mktemp("invariance")
    shapes = {
        "big.weight": (1900, 1111),  # 4 MiB of f16: several digest blocks, none of them whole at the end
        "small.weight": (3, 7),
        "one": (),
        "empty.weight": (0, 4),
        **{f"middle.{i}.weight": (130 + i, 257) for i in range(30)},
    }
    for seed, name in enumerate("abc"):
        generator = np.random.default_rng(seed)
        dtype = [np.float16, support.DTYPES["BF16"], np.float32][seed]
        tensors = {k: generator.standard_normal(s).astype(dtype) for k, s in shapes.items()}
        support.write(folder / f"{name}.safetensors", tensors, unaligned=name == "b")
    support.write_recipe(
        folder / "recipe.yaml",
        {
            "models": {name: f"{name}.safetensors" for name in "abc"},
            "steps": {
                "mix": {"op": "train_difference", "a": "a", "b": "b", "c": "c", "alpha": 0.4},
                "out": {"op": "sum_twice", "a": "mix", "b": "b", "c": "c", "alpha": 0.3, "beta": 0.2},
            },
            "output": {"model": "out", "path": "unused.safetensors", "metadata": {"title": "Same bytes"}},
        },
    )
    return folder


@pytest.fixture(scope="module")
def expected(job, session_weightsmith):
    output = job / "expected.safetensors"
    session_weightsmith("merge", job / "recipe.yaml", "--no-sync", "-o", output)
    return support.sha256(output)


@pytest.mark.parametrize(
    "options",
    [
        ("--threads", "1"),
        ("--threads", "2"),
        ("--threads", "7"),
        ("--io", "map"),
        ("--io", "read"),
        ("--io", "map", "--threads", "7"),
        ("--max-memory", "128M"),
        ("--max-memory", "4G", "--threads", "3"),
    ],
    ids=" ".join,
)
def test_options_of_the_run_do_not_change_the_output(weightsmith, job, expected, options):
    weightsmith("merge", job / "recipe.yaml", "--no-sync", "-o", "out.safetensors", *options)
    assert support.sha256(weightsmith.folder / "out.safetensors") == expected


def test_every_instruction_set_gives_the_same_output(weightsmith, job, expected):
    """The variable refuses a name that it does not know and tells the known ones."""
    wrong = weightsmith(
        "merge", job / "recipe.yaml", "-o", "x.safetensors", env={"WEIGHTSMITH_SIMD": "abacus"}, status=2
    )
    assert "abacus" in wrong.stderr
    targets = [t for t in ("AVX3_ZEN4", "AVX3_DL", "AVX3", "AVX2", "SSE4", "SSSE3", "SSE2", "NEON", "SCALAR", "EMU128")
               if t in wrong.stderr.replace(",", " ").replace("'", " ").split()]
    assert targets, wrong.stderr
    for target in targets:
        weightsmith(
            "merge", job / "recipe.yaml", "--no-sync", "--force", "-o", "out.safetensors", env={"WEIGHTSMITH_SIMD": target}
        )
        assert support.sha256(weightsmith.folder / "out.safetensors") == expected, target


def test_a_second_run_on_another_day_in_another_folder_gives_the_same_output(weightsmith, job, expected, tmp_path):
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in job.iterdir():
        if path.name != "expected.safetensors":
            (moved / path.name).write_bytes(path.read_bytes())
    weightsmith("merge", "recipe.yaml", "-o", "out.safetensors", cwd=moved, env={"TZ": "Asia/Tokyo"})
    assert support.sha256(moved / "out.safetensors") == expected


def test_shards_hold_the_same_tensors(weightsmith, job):
    weightsmith("merge", job / "recipe.yaml", "--no-sync", "-o", "one.safetensors")
    data = support.read(weightsmith.folder / "one.safetensors")
    again = weightsmith.folder / "again.yaml"
    again.write_text(
        (job / "recipe.yaml").read_text().replace("unused.safetensors", "parts/model.safetensors")
        .replace("  metadata:", "  max_shard_size: 2MB\n  metadata:")
        .replace(": a.safe", f": {job}/a.safe").replace(": b.safe", f": {job}/b.safe").replace(": c.safe", f": {job}/c.safe")
    )
    weightsmith("merge", again, "--no-sync", "--mkdir")
    shards = sorted((weightsmith.folder / "parts").glob("*.safetensors"))
    assert len(shards) > 1
    together = {}
    for shard in shards:
        tensors = support.read(shard).tensors
        assert not together.keys() & tensors.keys()
        together |= tensors
    assert together.keys() == data.tensors.keys()
    for name, array in data.tensors.items():
        support.assert_same_bits(together[name], array, name)


def test_the_command_line_asks_for_shards_as_a_recipe_does(weightsmith, job):
    weightsmith("merge", job / "recipe.yaml", "--no-sync", "--mkdir", "-o", "parts/m.safetensors", "--max-shard-size", "2MB")
    shards = sorted(path.name for path in (weightsmith.folder / "parts").glob("*.safetensors"))
    assert len(shards) > 1 and shards[0] == f"m-00001-of-{len(shards):05}.safetensors"
    assert (weightsmith.folder / "parts" / "m.safetensors.index.json").exists()
