"""Every command that writes, on models that are so small that a run has some tens of changes of its folder. A command
reads `in/`, which the suite holds unchanged, and writes `out/`, which it watches."""

import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

import support  # noqa: E402


@dataclass
class Command:
    name: str
    words: list  # in the folder above in/ and out/
    before: Callable = None  # fills out/
    python: str = None  # runs this instead of the program
    keeps: bool = True  # what it has written survives a power cut once it ended with 0
    other: list = None  # another run that writes the same files


def model(path, seed, tensors=12, shape=(24, 40)):
    generator = np.random.default_rng(seed)
    support.write(path, {f"layers.{i}.weight": generator.standard_normal(shape).astype(np.float16) for i in range(tensors)})


def make_inputs(folder, weightsmith):
    folder.mkdir(parents=True)
    for seed, name in enumerate(("a", "b", "c")):
        model(folder / f"{name}.safetensors", seed)
    generator = np.random.default_rng(7)
    for name, rank in (("lora", 2), ("lokr", 4)):
        tensors = {}
        for i in range(12):
            stem = f"lora_unet_layers_{i}"
            if name == "lora":
                tensors[f"{stem}.lora_down.weight"] = generator.standard_normal((rank, 40)).astype(np.float16)
                tensors[f"{stem}.lora_up.weight"] = generator.standard_normal((24, rank)).astype(np.float16)
                tensors[f"{stem}.alpha"] = np.float32(1).reshape(())
            else:
                tensors[f"{stem}.lokr_w1"] = generator.standard_normal((4, 4)).astype(np.float16)
                tensors[f"{stem}.lokr_w2"] = generator.standard_normal((6, 10)).astype(np.float16)
        support.write(folder / f"{name}.safetensors", tensors)
    weightsmith("synth", "sd15", "--scale", "tiny", "--seed", "1", "-o", folder / "sd.safetensors")
    weightsmith("split", folder / "sd.safetensors", "-o", folder / "parts")
    recipe(folder / "two.yaml", 0.3)
    recipe(folder / "other.yaml", 0.6)
    weightsmith("synth", "sd15", "--scale", "tiny", "--seed", "2", "-o", folder / "sd2.safetensors")
    (folder / "pipeline" / "unet").mkdir(parents=True)
    (folder / "pipeline" / "unet" / "config.json").write_text('{"of": "another"}')
    support.write_recipe(
        folder / "folder.yaml",
        {
            "models": {"a": "sd.safetensors", "b": "sd2.safetensors"},
            "steps": {"mix": {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.5}},
            "output": {"model": "mix", "path": "../out/mix", "layout": "diffusers", "files_from": "pipeline"},
        },
    )


def recipe(path, alpha):
    step = {"op": "weighted_sum", "a": "x", "b": "y", "alpha": alpha}
    support.write_recipe(
        path,
        {
            "models": {"x": "a.safetensors", "y": "b.safetensors"},
            "steps": {"low": step, "high": {**step, "alpha": 0.8}},
            "outputs": [{"model": "low", "path": "../out/low.safetensors"}, {"model": "high", "path": "../out/high.safetensors"}],
        },
    )


def old_file(out):
    model(out / "out.safetensors", 99)


def padded(out):
    """A file whose header has room for metadata."""
    array = np.arange(600, dtype=np.float32)
    support.write(out / "out.safetensors", {"w": array}, metadata={"title": "before"})
    data = (out / "out.safetensors").read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = data[8 : 8 + size].ljust(size + 1600)
    (out / "out.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data[8 + size :])


MODELS = ["in/a.safetensors", "in/b.safetensors"]
OUT = ["-o", "out/out.safetensors"]
ONE = ["--threads", "1"]

PYTHON = """
import numpy, weightsmith as ws
generator = numpy.random.default_rng(3)
tensors = {f"w{i}": generator.standard_normal((24, 40)).astype(numpy.float32) for i in range(6)}
ws.save("out/out.safetensors", tensors, overwrite=True)
"""


def commands(folder):
    parts = [word for path in sorted((folder / "parts").glob("*.safetensors"))
             for word in (f"--{path.stem.replace('_', '-')}", f"in/parts/{path.name}")]
    return [
        Command("merge", ["merge", *MODELS, "--alpha", "0.3", *ONE, *OUT], other=["merge", *MODELS, "--alpha", "0.6", *ONE, *OUT]),
        Command("merge -f", ["merge", *MODELS, "--alpha", "0.3", "--force", *ONE, *OUT], before=old_file,
                other=["merge", *MODELS, "--alpha", "0.6", "--force", *ONE, *OUT]),
        Command("merge --no-sync", ["merge", *MODELS, "--alpha", "0.3", "--no-sync", *ONE, *OUT], keeps=False),
        Command("merge --report", ["merge", *MODELS, "--alpha", "0.3", "--report", "out/report.json", "--force", *ONE, *OUT]),
        Command("merge of two outputs", ["merge", "in/two.yaml", "--private", "--force", *ONE], other=["merge", "in/other.yaml", "--private", "--force", *ONE]),
        Command("merge of shards", ["merge", *MODELS, "--alpha", "0.3", "--max-shard-size", "8kB", "--force", *ONE, *OUT]),
        Command("merge to a folder", ["merge", "in/folder.yaml", "--private", "--force", *ONE]),
        Command("merge of the only part", ["merge", *MODELS, "--alpha", "0.3", "--part", "1/1", *ONE, *OUT],
                other=["merge", *MODELS, "--alpha", "0.6", "--part", "1/1", *ONE, *OUT]),
        Command("bake", ["bake", "in/a.safetensors", "--lora", "in/lora.safetensors", "--lora", "in/lokr.safetensors:0.5", *ONE, *OUT],
                other=["bake", "in/a.safetensors", "--lora", "in/lora.safetensors:0.7", *ONE, *OUT]),
        Command("convert", ["convert", "in/a.safetensors", "--dtype", "bf16", "--force", *OUT], before=old_file),
        Command("split", ["split", "in/sd.safetensors", "--force", "-o", "out/parts"]),
        Command("assemble", ["assemble", "--like", "sd1", *parts, "--force", "-o", "out/sd.safetensors"]),
        Command("meta --set", ["meta", "out/out.safetensors", "--set", "title=" + "after " * 100], before=padded),
        Command("synth", ["synth", "sd15", "--scale", "tiny", "--seed", "5", "--force", "-o", "out/sd.safetensors"]),
        Command("hash", ["hash", "in/a.safetensors", "in/b.safetensors", "in/c.safetensors"], keeps=False),
        Command("Python's save", [], python=PYTHON, before=old_file),
    ]
