"""Makes the files of this folder with torch 1.13, as Debian 12 packages it:

    apt-get install python3-torch && /usr/bin/python3 make.py

Each *.pt comes with what torch itself loads from it in expected.json: dtype, shape and bytes of every tensor.
"""

import collections
import json
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
WORDS = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
         torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL"}


def network():
    torch.manual_seed(13)
    return torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.Flatten(), torch.nn.Linear(3, 2))


def views():
    torch.manual_seed(14)
    base = torch.randn(4, 6)
    return collections.OrderedDict(
        base=base, transposed=base.t(), part=base[1:3, 2:5], expanded=torch.ones(1).expand(3, 4),
        permuted=torch.randn(2, 3, 4).permute(2, 0, 1), parameter=torch.nn.Parameter(torch.randn(5)),
        half=torch.randn(6).half(), bf16=torch.randn(6).bfloat16(), f64=torch.randn(3).double(),
        i64=torch.arange(4), i32=torch.arange(4).int(), i16=torch.arange(4).short(), i8=torch.arange(4).to(torch.int8),
        u8=torch.arange(4).to(torch.uint8), flags=torch.tensor([True, False]), scalar=torch.tensor(2.5),
        empty=torch.zeros(0, 3), channels_last=torch.randn(1, 2, 3, 3).to(memory_format=torch.channels_last))


def trained():
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(2, 2, 3, 3)).sum().backward()
    optimizer.step()
    return {"epoch": 1, "global_step": 1, "state_dict": model.state_dict(), "optimizer_states": [optimizer.state_dict()]}


FILES = {
    "network": (network, {}),
    "views": (views, {}),
    "views-protocol-4": (views, {"pickle_protocol": 4}),
    "views-legacy": (views, {"_use_new_zipfile_serialization": False}),
    "trained": (trained, {}),
    "trained-legacy": (trained, {"_use_new_zipfile_serialization": False}),
}


def content(tensor):
    tensor = tensor.detach().reshape(-1).contiguous()
    return bytes(tensor.view(torch.uint8).tolist()) if tensor.numel() else b""


def main():
    assert torch.__version__.startswith("1.13."), torch.__version__
    expected = {}
    for name, (make, options) in FILES.items():
        made = make()
        file = HERE / f"{name}.pt"
        torch.save(made.state_dict() if isinstance(made, torch.nn.Module) else made, file, **options)
        loaded = torch.load(file)
        expected[name] = {key: [WORDS[tensor.dtype], list(tensor.shape), content(tensor).hex()]
                          for key, tensor in loaded.get("state_dict", loaded).items()}
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
