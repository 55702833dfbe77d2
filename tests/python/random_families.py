"""The models that random recipes are written for: tensors of any names; what Stable Diffusion and language models have blocks of,
small enough to compute thousands of steps in numpy."""

from dataclasses import dataclass, field

import numpy as np

import oracle_blocks
import support

MODELS = ("base", "a", "b", "c")
DTYPES = ("F32", "F16", "BF16", "F32")


@dataclass
class Family:
    """Models, adapters of them, and what a recipe may say of their tensors."""

    models: dict  # name -> {tensor: array}, and moving averages of tensors
    place: str  # a part of some names: their row of numbers by place
    selections: list  # of `within`: (`where`, whether it is (name, array))
    left_out: set  # operators that are not for such models
    own: set = field(default_factory=set)  # operators that are drawn as often as all others together
    adapters: dict = field(default_factory=dict)  # name -> (tensors of its file, {tensor: what it adds, in f32})
    exact_adapters: set = field(default_factory=set)
    heads: tuple = ()  # ways to say how many there are
    layers: int = 0
    vae: str = ""  # what names of its VAE begin with
    written: set = field(default_factory=set)  # (operator, parameter) that is never left as it is
    tones: dict = field(default_factory=dict)  # what `adjust` adds to channels, where it is not as in Stable Diffusion 1
    apart: tuple = ()  # models with their units in an order of their own
    components: dict = field(default_factory=dict)  # beginnings of names -> what a row may call these, the nearest first

    @property
    def tensors(self):
        return [name for name in self.models["base"] if not name.startswith("model_ema.")]

    def components_of(self, tensor):
        return next((names for beginning, names in self.components.items() if tensor.startswith(beginning)), ())


def models_of(shapes, seed=7):
    """Near one another, as training leaves them."""
    result = {}
    for i, (name, shape) in enumerate(shapes.items()):
        base = np.random.default_rng([seed, i]).standard_normal(shape)
        common = np.random.default_rng([seed + 1, i]).standard_normal(shape)
        for j, (model, dtype) in enumerate(zip(MODELS, DTYPES)):
            own = np.random.default_rng([seed + 2, i, j]).standard_normal(shape)
            values = base + (0.2 * (own + common) if j else 0)
            result.setdefault(model, {})[name] = values.astype(np.float32).astype(support.DTYPES[dtype])
    return result


def adapters_of(stems, shapes):
    """Factors and whole differences of every weight, of `stems`: tensor -> its module as a file of adapters names it."""
    files = {"low": {}, "hada": {}, "kron": {}, "whole": {}}
    adds = {name: {} for name in files}
    for i, (tensor, stem) in enumerate(stems.items()):
        shape, generator = shapes[tensor], np.random.default_rng([11, i])

        def drawn(*size):
            return generator.standard_normal(size).astype(np.float32)

        rows, columns = shape[0], int(np.prod(shape[1:]))
        whole = 0.2 * drawn(*shape)
        files["whole"][f"{stem}.diff"] = adds["whole"][tensor] = whole.astype(np.float32)
        if len(shape) < 2:
            continue
        up, down, alpha = drawn(rows, 3), drawn(3, *shape[1:]), np.array(1.5, np.float32)
        files["low"] |= {f"{stem}.lora_up.weight": up.reshape(rows, 3, *[1] * (len(shape) - 2)),
                         f"{stem}.lora_down.weight": down, f"{stem}.alpha": alpha}
        adds["low"][tensor] = 0.5 * product(up, down)
        pairs = [(drawn(rows, 2), drawn(2, columns)) for _ in range(2)]
        files["hada"] |= {f"{stem}.hada_w{k}_{side}": x for k, pair in enumerate(pairs, 1) for side, x in zip("ab", pair)}
        adds["hada"][tensor] = product(*pairs[0]) * product(*pairs[1])
        if len(shape) == 2 and rows % 2 == 0 and columns % 2 == 0:
            first, second = drawn(2, 2), drawn(rows // 2, columns // 2)
            files["kron"] |= {f"{stem}.lokr_w1": first, f"{stem}.lokr_w2": second}
            adds["kron"][tensor] = np.kron(first.astype(np.float64), second)
    return {name: (files[name], {tensor: x.reshape(shapes[tensor]).astype(np.float32) for tensor, x in adds[name].items()})
            for name in files}


def product(up, down):
    return up.astype(np.float64) @ down.reshape(len(down), -1).astype(np.float64)


def with_magnitudes(adapters, stems, shapes):
    """DoRA of factors by rows, as two kinds of trainers write it, and by columns."""
    kinds = {"rows": ("low", "dora_scale", 0), "columns": ("hada", "dora_scale", 1), "norms": ("kron", "lora_magnitude_vector", 0)}
    for i, (kind, (source, end, axis)) in enumerate(kinds.items()):
        file, adds = dict(adapters[source][0]), {}
        for j, (tensor, added) in enumerate(adapters[source][1].items()):
            shape, generator = shapes[tensor], np.random.default_rng([13, i, j])
            size = np.sqrt(np.prod(shape) / shape[axis]) * generator.uniform(0.5, 2, shape[axis])
            along = [shape[axis] if d == axis else 1 for d in range(len(shape))]
            magnitude = size.astype(np.float32)
            file[f"{stems[tensor]}.{end}"] = magnitude if end == "lora_magnitude_vector" else magnitude.reshape(along)
            adds[tensor] = Magnitudes(added, magnitude.reshape(along), axis)
        adapters[kind] = (file, adds)
    return adapters


@dataclass
class Magnitudes:
    """What a difference with magnitudes adds to a weight: that which has them, less the weight."""

    added: np.ndarray
    magnitude: np.ndarray
    axis: int

    def __call__(self, weight):
        changed = weight.astype(np.float64) + self.added
        others = tuple(d for d in range(changed.ndim) if d != self.axis)
        norm = np.sqrt(np.sum(changed * changed, axis=others, keepdims=True))
        return (self.magnitude * changed / norm - weight).astype(np.float32)


@dataclass
class Parts:
    """What several adapters' modules add to the rows of one weight that follow one another."""

    parts: list

    def __call__(self, weight):
        rows = np.split(weight, len(self.parts))
        return np.concatenate([part(x) if callable(part) else part for part, x in zip(self.parts, rows)])


def trained_apart(model, heads):
    """With the units of every block in an order of their own."""
    result, done = dict(model), set()
    for tensor in model:
        block = oracle_blocks.block_of(tensor, model)
        if block is None or tensor in done:
            continue
        order = np.random.default_rng(len(done)).permutation(oracle_blocks.units_of(block, model, heads, None))
        for name, (_, *how) in block.items():
            result[name] = oracle_blocks.permuted(model[name].astype(np.float32), *how, order).astype(model[name].dtype)
            done.add(name)
    return result


def adapters_and_magnitudes(stems, shapes):
    return with_magnitudes(adapters_of(stems, shapes), stems, shapes)


def plain():
    shapes = {"layers.0.matrix.weight": (12, 16), "layers.0.wide.weight": (3, 120), "layers.1.vector.weight": (41,),
              "layers.1.conv.weight": (4, 3, 3, 3)}
    return Family(
        models_of(shapes), place="vector",
        selections=[
            ({"rank": 2}, lambda name, x: x.ndim == 2), ({"rank": [1, 4]}, lambda name, x: x.ndim in (1, 4)),
            ({"name": "/wide|conv/"}, lambda name, x: "wide" in name or "conv" in name),
            ({"name": "vector"}, lambda name, x: "vector" in name), ({"larger_than": 150}, lambda name, x: x.size > 150),
            ({"smaller_than": 150}, lambda name, x: x.size < 150),
            ([{"rank": 2, "smaller_than": 200}, {"rank": 4}], lambda name, x: "matrix" in name or "conv" in name)],
        left_out={"stack", "ema", "adjust", "rebasin", "align_attention"},
        adapters=adapters_and_magnitudes({name: name.removesuffix(".weight") for name in shapes}, shapes), exact_adapters={"whole"})


UNET, TEXT = "model.diffusion_model.", "cond_stage_model.transformer.text_model.encoder.layers.0."


def diffusion_shapes():
    """Of Stable Diffusion 1 in small: its first and last layers, and a block of each kind that has units."""
    unet = {"input_blocks.0.0.weight": (8, 4, 3, 3), "input_blocks.0.0.bias": (8,), "out.0.weight": (8,), "out.0.bias": (8,),
            "out.2.weight": (4, 8, 3, 3), "out.2.bias": (4,), "time_embed.0.weight": (32, 8), "time_embed.0.bias": (32,),
            "time_embed.2.weight": (32, 32), "middle_block.1.proj_in.weight": (32, 32, 1, 1)}
    inside, other = (f"{block}.1.transformer_blocks.0." for block in ("input_blocks.1", "output_blocks.11"))
    unet |= {f"{inside}ff.net.0.proj.weight": (64, 8), f"{inside}ff.net.0.proj.bias": (64,), f"{inside}ff.net.2.weight": (8, 32),
             f"{inside}norm1.weight": (8,)}
    for attention, width in ((f"{inside}attn1", 8), (f"{inside}attn2", 32), (f"{other}attn2", 32)):
        unet |= {f"{attention}.to_q.weight": (8, 8), f"{attention}.to_k.weight": (8, width), f"{attention}.to_v.weight": (8, width),
                 f"{attention}.to_out.0.weight": (8, 8)}
    text = {"layer_norm1.weight": (32,), "mlp.fc1.weight": (128, 32), "mlp.fc1.bias": (128,), "mlp.fc2.weight": (32, 128)}
    for letter in ("q", "k", "v", "out"):
        text |= {f"self_attn.{letter}_proj.weight": (32, 32), f"self_attn.{letter}_proj.bias": (32,)}
    return {UNET + name: shape for name, shape in unet.items()} | {TEXT + name: shape for name, shape in text.items()}


def diffusion():
    shapes = diffusion_shapes()
    models = models_of(shapes, 17)
    models["c"] = trained_apart(models["c"], 4)
    for j, tensors in enumerate(models.values()):
        for i, name in enumerate(list(tensors)):
            if name.startswith(UNET):
                own = 0.1 * np.random.default_rng([19, i, j]).standard_normal(tensors[name].shape)
                average = tensors[name].astype(np.float32) + own.astype(np.float32)
                tensors[oracle_blocks.average_of(name)] = average.astype(tensors[name].dtype)
    stems = {name: "lora_te_" + name.removeprefix("cond_stage_model.transformer.") if name.startswith(TEXT) else
             "lora_unet_" + name.removeprefix(UNET) for name in shapes if name.endswith(".weight")}
    stems = {name: stem.removesuffix(".weight").replace(".", "_") for name, stem in stems.items()}
    return Family(
        models, place="attn",
        selections=[
            ({"component": "unet"}, lambda name, x: name.startswith(UNET)), ({"component": "te"}, lambda name, x: name.startswith(TEXT)),
            ({"block": "IN01"}, lambda name, x: ".input_blocks.1." in name), ({"name": "/attn/"}, lambda name, x: "attn" in name),
            ({"rank": [1, 4]}, lambda name, x: x.ndim in (1, 4)), ({"larger_than": 200}, lambda name, x: x.size > 200)],
        left_out={"stack"}, own={"ema", "adjust", "rebasin", "align_attention", "bake", "within"}, adapters=adapters_and_magnitudes(stems, shapes),
        exact_adapters={"whole"},
        heads=({"heads": 2}, {"heads": 4}, {"head_size": 4}, {"heads": {"default": 8, "/attn2/": 2}}, {"head_size": {"default": 2, "te": 8}}),
        apart=("c",), components={TEXT: ("te",), UNET: ("unet",)})


EMBEDDERS = "conditioner.embedders.0.transformer.text_model.encoder.layers.0.", "conditioner.embedders.1.model."
VAE = "first_stage_model."


def xl_shapes():
    """Of Stable Diffusion XL in small: what tells it from others, and something of each of its parts."""
    unet = {"input_blocks.0.0.weight": (8, 4, 3, 3), "input_blocks.0.0.bias": (8,), "out.0.weight": (8,), "out.0.bias": (8,),
            "out.2.weight": (4, 8, 3, 3), "out.2.bias": (4,), "label_emb.0.0.weight": (32, 64),
            "input_blocks.4.1.proj_in.weight": (16, 16), "input_blocks.4.1.transformer_blocks.1.attn2.to_k.weight": (16, 72),
            "input_blocks.4.1.transformer_blocks.1.attn1.to_out.0.weight": (16, 16),
            "input_blocks.8.1.transformer_blocks.9.attn2.to_k.weight": (32, 72),
            "middle_block.1.transformer_blocks.9.attn2.to_k.weight": (32, 72)}
    first = {"layer_norm1.bias": (32,), "self_attn.q_proj.weight": (32, 32), "mlp.fc1.bias": (128,)}
    second = {"ln_final.weight": (40,), "text_projection": (40, 40), "transformer.resblocks.0.attn.in_proj_weight": (120, 40),
              "transformer.resblocks.0.attn.in_proj_bias": (120,), "transformer.resblocks.0.mlp.c_proj.weight": (40, 160)}
    vae = {"decoder.conv_in.weight": (32, 4, 3, 3), "quant_conv.weight": (8, 8, 1, 1), "decoder.norm_out.bias": (8,)}
    parts = ((UNET, unet), (EMBEDDERS[0], first), (EMBEDDERS[1], second), (VAE, vae))
    return {beginning + name: shape for beginning, shapes in parts for name, shape in shapes.items()}


def xl_adapters(shapes):
    """Under the names that trainers give them: those of the second text encoder have queries, keys and values apart."""
    stems, parts = {}, {}
    for name, shape in shapes.items():
        if name.startswith(UNET) and name.endswith("weight"):
            stems[name] = "lora_unet_" + name.removeprefix(UNET)
        elif name.startswith(EMBEDDERS[0]) and name.endswith("weight"):
            stems[name] = "lora_te1_text_model.encoder.layers.0." + name.removeprefix(EMBEDDERS[0])
        elif name.endswith("c_proj.weight"):
            stems[name] = "lora_te2_text_model.encoder.layers.0.mlp.fc2"
        elif name.endswith("in_proj_weight"):
            parts[name] = [f"{name}.{letter}" for letter in "qkv"]
            shapes = {**shapes, **dict.fromkeys(parts[name], (shape[0] // 3, shape[1]))}
            stems |= {part: f"lora_te2_text_model.encoder.layers.0.self_attn.{part[-1]}_proj" for part in parts[name]}
    adapters = adapters_and_magnitudes({name: stem.removesuffix(".weight").replace(".", "_") for name, stem in stems.items()}, shapes)
    for _, adds in adapters.values():
        for name, own in parts.items():
            of_parts = [adds.pop(part) for part in own if part in adds]
            if of_parts:
                adds[name] = Parts(of_parts)
    return adapters


def xl():
    shapes = xl_shapes()

    def but_of_the_vae(selects):
        return lambda name, x: not name.startswith(VAE) and selects(name, x)

    selections = [
        ({"component": "unet"}, lambda name, x: name.startswith(UNET)), ({"component": "te1"}, lambda name, x: name.startswith(EMBEDDERS[0])),
        ({"component": "te"}, lambda name, x: name.startswith(EMBEDDERS)), ({"block": "IN04"}, lambda name, x: "input_blocks.4." in name),
        ({"component": "clip_g", "rank": 2}, lambda name, x: name.startswith(EMBEDDERS[1]) and x.ndim == 2),
        ({"rank": [1, 4]}, lambda name, x: x.ndim in (1, 4)), ({"smaller_than": 200}, lambda name, x: x.size < 200)]
    return Family(
        models_of(shapes, 37), place="attn2", selections=[(where, but_of_the_vae(selects)) for where, selects in selections],
        left_out={"stack", "ema", "rebasin", "align_attention"}, own={"adjust", "bake", "within"}, adapters=xl_adapters(shapes),
        exact_adapters={"whole"}, vae=VAE, tones=oracle_blocks.TONES_OF_XL,
        # Of 40 columns some have a radius of 0.25 or 0.5, but for a last bit.
        written={("frequency", "from"), ("frequency", "to")},
        components={UNET: ("unet",), EMBEDDERS[0]: ("te1", "te"), EMBEDDERS[1]: ("te2", "te"), VAE: ("vae",)})


def language(keys):
    """Like Llama, of three layers, with so many rows of keys: as many as of queries, or fewer."""
    layer = {"input_layernorm": (16,), "post_attention_layernorm": (16,), "self_attn.q_proj": (16, 16), "self_attn.k_proj": (keys, 16),
             "self_attn.v_proj": (keys, 16), "self_attn.o_proj": (16, 16), "mlp.gate_proj": (24, 16), "mlp.up_proj": (24, 16),
             "mlp.down_proj": (16, 24)}
    shapes = {"model.embed_tokens.weight": (20, 16), "model.norm.weight": (16,), "lm_head.weight": (20, 16)}
    shapes |= {f"model.layers.{n}.{name}.weight": shape for n in range(3) for name, shape in layer.items()}
    models = models_of(shapes, 27)
    models["c"] = trained_apart(models["c"], 4)
    stems = {name: name.removesuffix(".weight") for name in shapes if "norm" not in name and ".layers." in name}
    return Family(
        models, place="mlp",
        selections=[
            ({"block": "layer.0-1"}, lambda name, x: ".layers.0." in name or ".layers.1." in name),
            ({"name": "/mlp/"}, lambda name, x: ".mlp." in name), ({"rank": 1}, lambda name, x: x.ndim == 1),
            ({"larger_than": 300}, lambda name, x: x.size > 300)],
        left_out={"ema", "adjust"}, own={"stack", "rebasin", "align_attention", "bake", "within"}, adapters=adapters_and_magnitudes(stems, shapes),
        exact_adapters={"whole"}, heads=({"heads": 2}, {"heads": 4}, {"head_size": 4}, {"head_size": 2}), layers=3, apart=("c",))
