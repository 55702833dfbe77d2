"""Files that PyTorch itself saved, read tensor for tensor as PyTorch reads them."""

import collections
import sysconfig
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file


def tensors():
    torch.manual_seed(0)
    base = torch.randn(6, 8)
    state = collections.OrderedDict()
    state["half"] = torch.randn(16, 8).half()
    state["transposed"] = base.t()
    state["part"] = base[1:4, 2:6]
    state["expanded"] = torch.ones(1).expand(4, 5)
    state["permuted"] = torch.randn(2, 3, 4).permute(2, 0, 1)
    state["parameter"] = torch.nn.Parameter(torch.randn(3))
    state["bf16"] = torch.randn(7).bfloat16()
    state["f64"] = torch.randn(3, dtype=torch.float64)
    state["i64"], state["u8"] = torch.arange(5), torch.arange(4, dtype=torch.uint8)
    state["bool"], state["scalar"] = torch.tensor([True, False]), torch.tensor(3.5)
    state["empty"], state["c64"] = torch.zeros(0, 3), torch.randn(3, dtype=torch.complex64)
    return state


def untyped():
    """Dtypes that have no storage class of their own."""
    return {"f8_e4m3": torch.randn(9).to(torch.float8_e4m3fn), "f8_e5m2": torch.randn(9).to(torch.float8_e5m2),
            "u16": torch.arange(4).to(torch.uint16), "u64": torch.arange(4).to(torch.uint64)}


def lightning(state):
    return {"epoch": 3, "global_step": 7, "pytorch-lightning_version": "2.0", "state_dict": state,
            "callbacks": {"best": torch.tensor(0.5)}, "lr": float("nan"),
            "optimizer_states": [{"state": {0: {"exp_avg": torch.randn(4), "step": torch.tensor(3.0)}}}]}


SAVED = {
    "zip": lambda: (tensors() | untyped(), tensors() | untyped(), {}),
    "lightning": lambda: (lightning(tensors()), tensors(), {}),
    "legacy": lambda: (lightning(tensors()), tensors(), {"_use_new_zipfile_serialization": False}),
    "protocol 3": lambda: (tensors(), tensors(), {"pickle_protocol": 3}),
    "protocol 4": lambda: (tensors(), tensors(), {"pickle_protocol": 4}),
    "protocol 5": lambda: (tensors(), tensors(), {"pickle_protocol": 5}),
    "legacy, protocol 4": lambda: (tensors(), tensors(), {"_use_new_zipfile_serialization": False, "pickle_protocol": 4}),
}


def assert_read_as(weightsmith, tmp_path, file, expected):
    (tmp_path / "r.yaml").write_text(
        f"weightsmith: 1\nmodels: {{m: {file}}}\noutput: {{model: m, path: out.safetensors}}\npolicy: {{effect: any}}\n")
    weightsmith("merge", "r.yaml")
    out = load_file(tmp_path / "out.safetensors")
    assert out.keys() == expected.keys()
    for key, tensor in expected.items():
        tensor = tensor.detach().contiguous()
        assert out[key].dtype == tensor.dtype and out[key].shape == tensor.shape, key
        ours, theirs = (t.reshape(-1).view(torch.uint8) if t.numel() else t for t in (out[key], tensor))
        assert torch.equal(ours, theirs), key
    weightsmith("scan", file)


@pytest.mark.parametrize("name", SAVED)
def test_what_torch_saves_is_read_as_torch_reads_it(weightsmith, tmp_path, name):
    saved, expected, options = SAVED[name]()
    torch.save(saved, tmp_path / "m.ckpt", **options)
    assert_read_as(weightsmith, tmp_path, "m.ckpt", expected)


REAL = sorted((Path(sysconfig.get_path("purelib")) / "lpips/weights").rglob("*.pth"))


def test_there_are_real_files():
    assert len(REAL) == 6


@pytest.mark.parametrize("file", REAL, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_real_files_are_read_as_torch_reads_them(weightsmith, tmp_path, file):
    assert_read_as(weightsmith, tmp_path, file, torch.load(file, map_location="cpu", weights_only=True))
