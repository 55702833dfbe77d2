"""PyTorch takes tensors of the Python package by DLPack, without a copy and as its own, and gives its own back."""

import os
import runpy
import sys
import types
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(os.environ.get("WEIGHTSMITH_BUILD", ROOT / "build" / "release")) / "python"))

import weightsmith as ws  # noqa: E402

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
          torch.int8, torch.uint8, torch.bool, torch.complex64]


@pytest.fixture
def path(tmp_path):
    torch.manual_seed(3)
    tensors = {str(dtype): (torch.randn(7, 5) * 3).to(dtype) for dtype in DTYPES}
    tensors["scalar"] = torch.tensor(2.5)
    save_file(tensors, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_every_dtype_arrives_as_safetensors_loads_it(path):
    expected = load_file(path)
    with ws.open(path) as model:
        for name, tensor in expected.items():
            for copy in (None, True):
                taken = torch.from_dlpack(model[name], copy=copy)
                assert taken.dtype == tensor.dtype and taken.shape == tensor.shape
                assert torch.equal(taken, tensor), name


def test_the_f8_dtypes_arrive_bit_for_bit(tmp_path):
    codes = torch.arange(256, dtype=torch.uint8)
    for dtype in (torch.float8_e4m3fn, torch.float8_e5m2):
        save_file({"w": codes.view(dtype)}, tmp_path / "f8.safetensors")
        with ws.open(tmp_path / "f8.safetensors") as model:
            taken = torch.from_dlpack(model["w"])
        assert taken.dtype == dtype
        assert torch.equal(taken.view(torch.uint8), codes)


def test_arithmetic_in_place_stays_with_the_tensor(path):
    before = path.read_bytes()
    with ws.open(path) as model:
        mine = torch.from_dlpack(model["torch.float32"])
        untouched = mine.clone()
        mine.mul_(2)
        assert torch.equal(torch.from_dlpack(model["torch.float32"]), untouched)
    assert torch.equal(mine, untouched * 2)
    assert path.read_bytes() == before


def test_tensors_of_pytorch_are_saved_as_safetensors_saves_them(path, tmp_path):
    tensors = load_file(path)
    tensors["turned"] = torch.randn(4, 6, requires_grad=True).T
    tensors["f8"] = torch.randn(3, 5).to(torch.float8_e4m3fn)
    ws.save(tmp_path / "out.safetensors", tensors, metadata={"format": "pt"})
    read = load_file(tmp_path / "out.safetensors")
    assert read.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert read[name].dtype == tensor.dtype and read[name].shape == tensor.shape
        stored, given = (t.detach().contiguous().flatten().view(torch.uint8) for t in (read[name], tensor))
        assert torch.equal(stored, given), name


def test_state_dicts_of_pytorch_are_merged_as_pytorch_does():
    torch.manual_seed(4)
    a, b = ({"x": torch.randn(9, 5), "h": torch.randn(4).half(), "bf": torch.randn(6).bfloat16()} for _ in range(2))
    found = ws.weighted_sum(a, b, alpha=0.25)
    for name, tensor in found.items():
        expected = (0.75 * a[name].float() + 0.25 * b[name].float()).to(a[name].dtype)
        assert tensor.dtype == expected.dtype and torch.equal(tensor, expected), name
    found["x"] += 1  # its own memory
    assert torch.equal(ws.subtract(b["x"], a["x"]), b["x"] - a["x"])
    assert torch.equal(ws.average([a["x"], b["x"]]), (a["x"] + b["x"]) * 0.5)
    parameter = torch.nn.Parameter(a["x"])
    assert torch.equal(ws.weighted_sum(parameter, b["x"].T.contiguous().T, alpha=0.5), 0.5 * a["x"] + 0.5 * b["x"])


def test_a_file_is_merged_with_a_module_in_memory(tmp_path):
    module = torch.nn.Linear(5, 3)
    save_file({name: torch.zeros_like(tensor) for name, tensor in module.state_dict().items()}, tmp_path / "z.safetensors")
    found = ws.weighted_sum(tmp_path / "z.safetensors", ws.model(module.state_dict()), alpha=0.5)
    module.load_state_dict(found.state_dict(framework="torch"))
    assert module.weight.abs().sum() > 0


def test_the_node_for_comfyui_merges(tmp_path, monkeypatch):
    for seed, name in enumerate(("one", "two")):
        torch.manual_seed(seed)
        save_file({"x": torch.randn(3)}, tmp_path / f"{name}.safetensors")
    loaded = {}

    def load(state_dict):
        loaded.update(state_dict)
        return "model", "clip", "vae", "vision"

    fake = types.ModuleType("comfy.sd")
    fake.load_state_dict_guess_config = load
    comfy = types.ModuleType("comfy")
    comfy.sd = fake
    paths = types.ModuleType("folder_paths")
    paths.get_filename_list = lambda kind: ["one.safetensors", "two.safetensors"]
    paths.get_full_path = lambda kind, name: str(tmp_path / name)
    for name, module in (("comfy", comfy), ("comfy.sd", fake), ("folder_paths", paths)):
        monkeypatch.setitem(sys.modules, name, module)
    names = runpy.run_path(str(ROOT / "examples" / "python" / "comfyui_node.py"))
    node = names["NODE_CLASS_MAPPINGS"]["WeightsmithMerge"]
    assert node.INPUT_TYPES()["required"]["a"][0] == ["one.safetensors", "two.safetensors"]
    assert node().merge("one.safetensors", "two.safetensors", '{"default": 0.25}') == ("model", "clip", "vae")
    one, two = (load_file(tmp_path / f"{name}.safetensors")["x"] for name in ("one", "two"))
    assert torch.equal(loaded["x"], 0.75 * one + 0.25 * two)
