"""Adapters for tests: factors of every family for a weight, modules of a model by its own names."""

import json
import os
import struct

import numpy as np

import support

RANK = 4

# What stands before a component's names in a file of a whole model; a text encoder's number.
PREFIXES = [
    ("model.diffusion_model.", "unet"),
    ("cond_stage_model.transformer.", "te1"), ("cond_stage_model.model.", "te1"),
    ("conditioner.embedders.0.transformer.", "te1"), ("conditioner.embedders.1.model.", "te2"), ("conditioner.embedders.0.model.", "te2"),
    ("text_encoders.clip_l.transformer.", "te1"), ("text_encoders.clip_g.transformer.", "te2"), ("text_encoders.t5xxl.transformer.", "te3"),
]
OTHERS = ("first_stage_model.", "vae.", "model_ema.")


def split_name(name):
    """Component, module and what it is of the module ("weight", "bias"); nothing for what no adapter changes."""
    if name.startswith(OTHERS) or name.endswith(("position_ids", "logit_scale")):
        return None
    component, path = next(((c, name[len(p):]) for p, c in PREFIXES if name.startswith(p)), ("unet", name))
    for end in (".weight", "_weight", ".bias", "_bias"):
        if path.endswith(end):
            return component, path[: -len(end)], end[1:]
    return None


def weights_of(header):
    """(component, module) -> shape of its weight."""
    found = {}
    for name, entry in header.items():
        split = None if name == "__metadata__" else split_name(name)
        if split and split[2] == "weight" and entry["dtype"] in support.FLOATS:
            found[split[:2]] = tuple(entry["shape"])
    return found


def nearly_square(size):
    """Two factors of it that are as near to each other as can be, the smaller one first."""
    small = max(d for d in range(1, int(size**0.5) + 1) if size % d == 0)
    return small, size // small


def lora(shape, rank=RANK):
    return {"lora_down.weight": (rank, *shape[1:]), "lora_up.weight": (shape[0], rank, *[1] * (len(shape) - 2)), "alpha": ()}


def flat_columns(shape):
    return int(np.prod(shape[1:]))


FAMILIES = {  # family -> tensors of a module by the end of their names, for a weight of that shape
    "lora": lora,
    "locon": lambda s: {"lora_down.weight": (RANK, s[1], *[1] * (len(s) - 2)), "lora_mid.weight": (RANK, RANK, *s[2:]),
                        "lora_up.weight": (s[0], RANK, *[1] * (len(s) - 2)), "alpha": ()} if len(s) > 2 else lora(s),
    "dora by row": lambda s: {**lora(s), "dora_scale": (s[0], *[1] * (len(s) - 1))},
    "dora by column": lambda s: {**lora(s), "dora_scale": (1, s[1], *[1] * (len(s) - 2))},
    "loha": lambda s: {"hada_w1_a": (s[0], RANK), "hada_w1_b": (RANK, flat_columns(s)),
                       "hada_w2_a": (s[0], RANK), "hada_w2_b": (RANK, flat_columns(s)), "alpha": ()},
    "lokr": lambda s: {"lokr_w1": (nearly_square(s[0])[0], nearly_square(s[1])[0]),
                       "lokr_w2_a": (nearly_square(s[0])[1], RANK), "lokr_w2_b": (RANK, nearly_square(s[1])[1], *s[2:]), "alpha": ()},
    "lokr, whole": lambda s: {"lokr_w1": (nearly_square(s[0])[0], nearly_square(s[1])[0]),
                              "lokr_w2": (nearly_square(s[0])[1], nearly_square(s[1])[1], *s[2:])},
    "glora": lambda s: {"a1.weight": (s[1], RANK), "a2.weight": (RANK, s[1]), "b1.weight": (s[0], RANK),
                        "b2.weight": (RANK, *s[1:]), "alpha": ()},
    "ia3": lambda s: {"weight": (s[0],), "on_input": ()},
    "oft": lambda s: {"oft_blocks": (nearly_square(s[0])[1], nearly_square(s[0])[0], nearly_square(s[0])[0]), "alpha": ()},
    "full": lambda s: {"diff": s},
}

NAMINGS = {  # naming -> the stem of a module; nothing where it has no name for the component
    "kohya": lambda component, module: {"unet": "lora_unet_"}.get(component, f"lora_{component}_") + module.replace(".", "_"),
    "comfy": lambda component, module: f"diffusion_model.{module}" if component == "unet" else None,
    "diffusers": lambda component, module: {"unet": "transformer.", "te1": "text_encoder.", "te2": "text_encoder_2.", "te3": "text_encoder_3."}[component] + module,
    "peft": lambda component, module: f"base_model.model.{module}" if component == "unet" else None,
    "onetrainer": lambda component, module: f"lora_transformer_{module.replace('.', '_')}" if component == "unet" else None,
    "lycoris": lambda component, module: f"lycoris_{module.replace('.', '_')}" if component == "unet" else None,
    "bare": lambda component, module: module if component == "unet" else None,
}


def shapes_of(weights, family, naming):
    """Tensors of an adapter of all the matrices and convolutions that the naming has names for."""
    tensors, modules = {}, 0
    for (component, module), shape in weights.items():
        stem = NAMINGS[naming](component, module)
        if stem is None or len(shape) < 2:
            continue
        modules += 1
        for end, size in FAMILIES[family](shape).items():
            tensors[f"{stem}.{end}"] = size
    return tensors, modules


def write_sparse(path, shapes, dtype="F16"):
    """A file of that header, and zeros that take no space."""
    entries, at = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape, dtype=np.int64)) * 2
        entries[name] = {"dtype": dtype, "shape": list(map(int, shape)), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
    os.truncate(path, 8 + len(text) + at)


def random_tensors(shapes, seed=1, dtype=np.float32, scale=0.1):
    random = np.random.default_rng(seed)
    return {name: (random.standard_normal(shape) * scale).astype(dtype) if shape != () else np.array(RANK / 2, dtype)
            for name, shape in shapes.items()}
