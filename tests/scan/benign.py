"""Files as torch and trainers write them: by torch itself in every form, and byte for byte as older versions did."""

import argparse
import collections
import datetime
import io
import pathlib
import random
import struct
import zipfile

import numpy as np
import torch

import payloads as p
from archive import build, torch_archive

DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8,
          torch.uint8, torch.bool, torch.complex64, torch.float8_e4m3fn, torch.float8_e5m2, torch.uint16, torch.uint32]


def values(rng, dtype, *shape):
    count = int(np.prod(shape)) if shape else 1
    flat = torch.tensor([rng.randrange(0, 2 if dtype == torch.bool else 100) for _ in range(count)], dtype=torch.float32)
    return flat.to(dtype).reshape(shape)


def tensor(rng, dtypes=DTYPES):
    shape = rng.choice([(), (1,), (3,), (4, 6), (2, 3, 3, 3), (0, 4), (257,)])
    made = values(rng, rng.choice(DTYPES[:4] * 4 + dtypes), *shape)
    style = rng.randrange(8)
    if style == 0 and made.dim() == 2:
        return made.t()
    if style == 1 and made.dim() == 2:
        return made[1:3, 2:5]
    if style == 2:
        return torch.nn.Parameter(made, requires_grad=made.is_floating_point() and rng.random() < .5)
    if style == 3 and made.dim() == 1 and made.shape[0] == 1:
        return made.expand(5)
    if style == 4 and made.dim() == 4:
        return made.to(memory_format=torch.channels_last)
    return made


NAMES = ["model.diffusion_model.input_blocks.{}.0.weight", "cond_stage_model.transformer.text_model.encoder.layers.{}.fc1.bias",
         "layers.{}.self_attn.q_proj.weight", "blocks.{}.norm.weight", "first_stage_model.decoder.conv_in.{}", "тест.{}"]


def state_dict(rng, dtypes):
    made = collections.OrderedDict() if rng.random() < .6 else {}
    for i in range(rng.randrange(1, 6)):
        made[rng.choice(NAMES).format(i)] = tensor(rng, dtypes)
    made["w"] = values(rng, torch.float32, 4, 4)
    if rng.random() < .3:
        made["tied"] = made["w"]
    if isinstance(made, collections.OrderedDict) and rng.random() < .7:
        made._metadata = collections.OrderedDict({"": {"version": 1}, "x": {"version": 2}})
    return made


def optimizer(rng):
    layer = torch.nn.Linear(3, 2)
    made = rng.choice([torch.optim.AdamW, torch.optim.Adam, lambda q: torch.optim.SGD(q, lr=.1, momentum=.9)])(layer.parameters())
    layer(torch.ones(1, 3)).sum().backward()
    made.step()
    return made.state_dict()


def lightning(rng, state):
    return {"epoch": 3, "global_step": 1000, "pytorch-lightning_version": "2.1.0", "state_dict": state, "lr_schedulers": [{"last_epoch": 3, "_last_lr": [1e-4]}],
            "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 1}}}},
            "callbacks": {"ModelCheckpoint{'monitor': 'val'}": {"best_model_score": torch.tensor(.5), "best_k_models": {"a.ckpt": torch.tensor(.5)},
                                                                "dirpath": "/x", "kth_value": torch.tensor(.1)}},
            "optimizer_states": [optimizer(rng)], "hparams_name": "kwargs", "hyper_parameters": {"lr": 1e-4, "betas": (.9, .99), "n": None},
            "native_amp_scaling_state": {"scale": 65536.0, "_growth_tracker": 3}}


def fairseq(rng, state):
    return {"args": argparse.Namespace(arch="x", lr=[.1], seed=1), "model": state, "optimizer_history": [{"num_updates": 5}],
            "extra_state": {"epoch": 1, "metrics": [("default", 5)]}, "last_optimizer_state": optimizer(rng)}


def deepspeed(rng, state):
    return {"module": state, "buffer_names": [], "optimizer": None, "param_shapes": [collections.OrderedDict(w=torch.Size([4, 4]))],
            "frozen_param_shapes": None, "shared_params": {}, "lr_scheduler": None, "sparse_tensor_module_names": set(), "skipped_steps": 0,
            "global_steps": 10, "dp_world_size": 1, "mp_world_size": 1, "ds_config": {"zero": {"stage": 2}}, "ds_version": "0.12"}


def numbers(rng, state):
    return {"state_dict": state, "best": np.float64(.5), "count": np.int64(4), "when": datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc),
            "path": pathlib.PurePosixPath("a/b"), "losses": np.arange(5, dtype=np.float32), "set": {1, 2}, "big": 2**80, "bytes": b"abc",
            "complex": 1 + 2j, "size": torch.Size([1, 2]), "device": torch.device("cpu"), "dtype": torch.float16, "slice": slice(1, 2),
            "counter": collections.Counter("abc"), "default": collections.defaultdict(list, a=[1]), "frozen": frozenset([1]), "e": 1e-300, "inf": float("inf"),
            "neg": -(2**40), "none": None, "nested": [[[]], ((),)]}


WRAPPERS = {
    "state dict": lambda rng, s: s, "state_dict": lambda rng, s: {"state_dict": s, "epoch": 1}, "model": lambda rng, s: {"model": s, "optimizer": optimizer(rng)},
    "module": lambda rng, s: {"module": s}, "ema": lambda rng, s: {"ema": s, "step": 5}, "params_ema": lambda rng, s: {"params_ema": s},
    "lightning": lightning, "fairseq": fairseq, "deepspeed": deepspeed, "numbers": numbers,
    "model and ema": lambda rng, s: {"model": s, "ema_model": s, "args": {"x": 1}}, "nested": lambda rng, s: {"state_dict": {"state_dict": s}},
    "embedding": lambda rng, s: {"string_to_token": {"*": torch.tensor(265)}, "string_to_param": {"*": s["w"]}, "name": "x", "step": 500},
    "generator": lambda rng, s: {"generator": s, "step": 5}, "unet": lambda rng, s: {"unet": s, "step": torch.tensor(5)},
    "generator_ema": lambda rng, s: {"config": {"a": 1}, "nets": {"generator_ema": s}, "optimizer": optimizer(rng)},
    "arrays": lambda rng, s: {"state_dict": {"a": np.arange(12, dtype=np.float32).reshape(3, 4), "b": np.asfortranarray(np.ones((2, 3), np.float16))}},
}


def saved(rng, value, legacy):
    """By torch itself."""
    options = {"pickle_protocol": rng.choice([2, 2, 3, 4, 5])}
    if legacy:
        options["_use_new_zipfile_serialization"] = False
    out = io.BytesIO()
    torch.save(value, out, **options)
    return str(options), out.getvalue()


def parts(value, protocol):
    """The pickle and the storages of a zip archive of torch."""
    out = io.BytesIO()
    torch.save(value, out, pickle_protocol=protocol)
    archive = zipfile.ZipFile(io.BytesIO(out.getvalue()))
    names = [name for name in archive.namelist() if "/data/" in name]
    return archive.read("archive/data.pkl"), {name.rpartition("/")[2]: archive.read(name) for name in names}


def older_zip(rng, value):
    """Torch 1.6 to 1.12: no marks, storages in the order of their text; 1.13 and 2.0 with the file's name before each."""
    pickled, storages = parts(value, rng.choice([2, 2, 4]))
    prefix, byteorder = rng.choice([(b"archive", False), (b"model", False), ("模型 1.5-x".encode(), True), (b"sd-v1.4-ema", True)])
    return "older zip", build(torch_archive(pickled, storages, prefix=prefix, modern=False, byteorder=byteorder))


def older_legacy(rng):
    """Torch 0.3 to 1.5, also of Python 2: its strings, parts of storages, lists in front of ordered dicts."""
    two = rng.random() < .5
    text = (lambda s: b"U" + bytes([len(s)]) + s) if two else (lambda s: b"X" + struct.pack("<I", len(s)) + s)  # noqa: E731
    count = rng.randrange(2, 9)
    keys = [str(rng.randrange(10**13, 10**14)).encode() for _ in range(2)]

    def storage(key, view=b"N"):
        kind = b"ctorch\n" + rng.choice([b"FloatStorage"]) + b"\n"
        return b"(" + text(b"storage") + kind + text(key) + text(rng.choice([b"cpu", b"cuda:0"])) + b"K" + bytes([count]) + view + b"tQ"

    def tensor_of(key, size, view=b"N"):
        tail = rng.choice([b"\x89Ntq\x07R", b"\x89ccollections\nOrderedDict\n)RtR"])
        function = b"_rebuild_tensor_v2\n" + b"(" + storage(key, view) + b"K\x00(K" + bytes([size]) + b"t(K\x01t" + tail
        if rng.random() < .3:
            function = b"_rebuild_tensor\n(" + storage(key, view) + b"K\x00K" + bytes([size]) + b"\x85K\x01\x85tR"
        return b"ctorch._utils\n" + function

    view = rng.choice([b"N", b"(" + text(b"77") + b"K\x01K\x01t"])
    pairs = text(b"a") + tensor_of(keys[0], count), text(b"b") + tensor_of(keys[1], 1 if view != b"N" else count, view)
    if two:
        body = b"ccollections\nOrderedDict\nq\x01(](" + b"".join(b"](" + pair + b"e" for pair in pairs) + b"etR"
    else:
        body = b"ccollections\nOrderedDict\n)Rq\x01(" + b"".join(pairs) + b"u}" + text(b"_metadata") + b"ccollections\nOrderedDict\n)Rsb"
    object_ = b"\x80\x02" + rng.choice([body, b"}(" + text(b"epoch") + b"K\x03" + text(b"state_dict") + body + b"u"]) + b"."
    info = (b"\x80\x02}q\x00(" + text(b"type_sizes") + b"}q\x01(" + text(b"short") + b"K\x02" + text(b"int") + b"K\x04" + text(b"long") + b"K\x04u" +
            text(b"protocol_version") + b"M\xe9\x03" + text(b"little_endian") + b"\x88u.")
    out = p.opcodes_of_magic() + b"\x80\x02M\xe9\x03." + info + object_
    out += b"\x80\x02]q\x00(" + b"".join(text(key) for key in sorted(keys)) + b"e."
    for _ in keys:
        out += struct.pack("<q", count) + struct.pack(f"<{count}f", *range(count))
    return "Python 2" if two else "torch 0.4", out


def benign(seed):
    """(what it is, its suffix, its bytes); all hold weights."""
    rng = random.Random(seed)
    suffix = rng.choice([".pt", ".ckpt", ".bin", ".pth"])
    if rng.random() < .12:
        name, data = older_legacy(rng)
        return name, suffix, data
    wrapper = rng.choice(list(WRAPPERS))
    legacy = rng.random() < .3
    # Of the dtypes without a storage class, torch writes old files that it does not read.
    value = WRAPPERS[wrapper](rng, state_dict(rng, DTYPES[:11] if legacy else DTYPES))
    name, data = older_zip(rng, value) if not legacy and rng.random() < .3 else saved(rng, value, legacy)
    return f"{wrapper}, {name}", suffix, data
