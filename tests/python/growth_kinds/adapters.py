"""Adapters and their modules."""

import json

from .making import OUT, kind, write


def lora(path, stems, alpha=True):
    shapes = []
    for stem in stems:
        shapes += [(f"{stem}.lora_down.weight", [1, 2]), (f"{stem}.lora_up.weight", [2, 1])]
        shapes += [(f"{stem}.alpha", [1])] if alpha else []
    return write(path, shapes)


def squares(path, count):
    return write(path, ((f"layers.{i}.weight", [2, 2]) for i in range(count)))


@kind(10_000)
def modules_of_an_adapter(folder, n):
    base = squares(folder / "base.safetensors", n)
    adapter = lora(folder / "lora.safetensors", (f"lora_unet_layers_{i}" for i in range(n)))
    return ["bake", base, "--lora", adapter, "-q", "--no-sync", *OUT]


@kind(10_000, status=3)
def modules_that_fit_nothing(folder, n):
    base = squares(folder / "base.safetensors", n)
    adapter = lora(folder / "lora.safetensors", (f"lora_unet_layer_{i}" for i in range(n)))
    return ["bake", base, "--lora", adapter, "-q", "--no-sync", *OUT]


@kind(10_000)
def modules_of_one_tensor(folder, n):
    base = squares(folder / "base.safetensors", 2)
    adapter = lora(folder / "lora.safetensors", ("lora_unet_layers_1" + "_" * i for i in range(n // 20)))
    return ["bake", base, "--lora", adapter, "-q", "--no-sync", *OUT]


@kind(10_000)
def modules_of_lora_info(folder, n):
    return ["lora", "info", lora(folder / "lora.safetensors", (f"lora_unet_layers_{i}" for i in range(n)))]


@kind(200)
def adapters(folder, n):
    base = squares(folder / "base.safetensors", 4)
    words = []
    for i in range(n):
        words += ["--lora", lora(folder / f"lora{i}.safetensors", [f"lora_unet_layers_{i % 4}"])]
    return ["bake", base, *words, "-q", "--no-sync", *OUT]


@kind(4_000)
def patterns_of_alphas(folder, n):
    base = squares(folder / "base.safetensors", n)
    stems = [f"base_model.model.layers.{i}" for i in range(n)]
    shapes = []
    for stem in stems:
        shapes += [(f"{stem}.lora_A.weight", [1, 2]), (f"{stem}.lora_B.weight", [2, 1])]
    (folder / "peft").mkdir(exist_ok=True)
    write(folder / "peft" / "adapter_model.safetensors", shapes)
    config = {"peft_type": "LORA", "r": 1, "lora_alpha": 1, "alpha_pattern": {f"layers.{i}": 2 for i in range(n)}}
    (folder / "peft" / "adapter_config.json").write_text(json.dumps(config))
    return ["bake", base, "--lora", "peft/adapter_model.safetensors", "-q", "--no-sync", *OUT]
