"""What SuperMerger was asked, and what we are asked for the same. Both get the tensors of `inputs()`, which have names of SDXL."""

import numpy as np

UNET = "model.diffusion_model."
CLIP_G = "conditioner.embedders.1.model.transformer.resblocks.9."
VAE = "first_stage_model."

# Names by which both know SDXL, and of each shape and kind of place some.
SHAPES = {
    UNET + "input_blocks.0.0.weight": (8, 4, 3, 3),
    UNET + "input_blocks.0.0.bias": (8,),
    UNET + "time_embed.2.bias": (32,),
    UNET + "label_emb.0.0.weight": (32, 64),
    UNET + "input_blocks.4.1.transformer_blocks.1.attn2.to_k.weight": (16, 72),
    UNET + "input_blocks.4.1.transformer_blocks.1.norm1.weight": (16,),
    UNET + "input_blocks.4.1.transformer_blocks.1.attn1.to_out.0.weight": (16, 16),
    UNET + "input_blocks.8.1.transformer_blocks.9.attn2.to_k.weight": (32, 72),
    UNET + "middle_block.1.transformer_blocks.9.attn2.to_k.weight": (32, 72),
    UNET + "output_blocks.3.1.transformer_blocks.0.attn1.to_q.weight": (16, 16),
    UNET + "output_blocks.8.0.skip_connection.weight": (8, 16, 1, 1),
    UNET + "out.0.weight": (8,),
    UNET + "out.0.bias": (8,),
    UNET + "out.2.weight": (4, 8, 3, 3),
    UNET + "out.2.bias": (4,),
    CLIP_G + "ln_1.bias": (40,),
    CLIP_G + "mlp.c_proj.weight": (40, 160),
    VAE + "decoder.conv_in.weight": (32, 4, 3, 3),
}

LIST = [0.05 * i for i in range(20)]  # BASE, IN00-IN08, M00, OUT00-OUT08

# name -> (what SuperMerger is asked, our step). A list by place has its map of blocks with us as with SuperMerger; what has
# none leaves our VAE as it is.
CASES = {
    "normal": (
        {"mode": "Weight sum", "calcmode": "normal", "alpha": 0.3},
        {"op": "weighted_sum", "a": "a", "b": "b", "alpha": 0.3},
    ),
    "normal list": (
        {"mode": "Weight sum", "calcmode": "normal", "weights": LIST},
        {"op": "weighted_sum", "a": "a", "b": "b", "alpha": LIST},
    ),
    "normal add": (
        {"mode": "Add difference", "calcmode": "normal", "alpha": 0.7},
        {"op": "add_difference", "a": "a", "b": "b", "c": "c", "alpha": 0.7},
    ),
    "normal triple": (
        {"mode": "Triple sum", "calcmode": "normal", "alpha": 0.3, "beta": 0.25},
        {"op": "triple_sum", "a": "a", "b": "b", "c": "c", "alpha": 0.3, "beta": 0.25},
    ),
    "normal twice": (
        {"mode": "sum Twice", "calcmode": "normal", "alpha": 0.3, "beta": 0.25},
        {"op": "sum_twice", "a": "a", "b": "b", "c": "c", "alpha": 0.3, "beta": 0.25},
    ),
    "cosineA": (
        {"mode": "Weight sum", "calcmode": "cosineA", "alpha": 0.2},
        {"op": "cosine_a", "a": "a", "b": "b", "alpha": 0.2},
    ),
    "cosineB": (
        {"mode": "Weight sum", "calcmode": "cosineB", "alpha": 0.4},
        {"op": "cosine_b", "a": "a", "b": "b", "alpha": 0.4},
    ),
    "trainDifference": (
        {"mode": "Add difference", "calcmode": "trainDifference", "alpha": 0.6},
        {"op": "train_difference", "a": "a", "b": "b", "c": "c", "alpha": 0.6},
    ),
    "smoothAdd": (
        {"mode": "Add difference", "calcmode": "smoothAdd", "alpha": 0.8},
        {"op": "smooth_add", "a": "a", "b": "b", "c": "c", "alpha": 0.8},
    ),
    "smoothAdd MT": (
        {"mode": "Add difference", "calcmode": "smoothAdd MT", "alpha": 0.8},
        {"op": "smooth_add", "a": "a", "b": "b", "c": "c", "alpha": 0.8},
    ),
    "extract": (
        {"mode": "Add difference", "calcmode": "extract", "alpha": 0.4, "beta": 0.3, "gamma": 1.5},
        {"op": "extract", "a": "a", "b": "b", "c": "c", "alpha": 0.4, "beta": 0.3, "gamma": 1.5},
    ),
    "extract similar": (
        {"mode": "Add difference", "calcmode": "extract", "alpha": 0.25, "beta": 0, "gamma": 2},
        {"op": "extract", "a": "a", "b": "b", "c": "c", "alpha": 0.25, "beta": 0, "gamma": 2},
    ),
    "tensor": (
        {"mode": "Weight sum", "calcmode": "tensor", "alpha": 0.4, "beta": 0.3},
        {"op": "tensor_sum", "a": "a", "b": "b", "width": 0.4, "offset": 0.3, "ends": "truncated"},
    ),
    "tensor wrapped": (
        {"mode": "Weight sum", "calcmode": "tensor", "alpha": 0.7, "beta": 0.6},
        {"op": "tensor_sum", "a": "a", "b": "b", "width": 0.7, "offset": 0.6, "ends": "truncated"},
    ),
    "tensor2": (
        {"mode": "Weight sum", "calcmode": "tensor2", "alpha": 0.4, "beta": 0.3},
        {"op": "tensor_sum_2", "a": "a", "b": "b", "width": 0.4, "offset": 0.3, "ends": "truncated"},
    ),
    "tensor2 wrapped": (
        {"mode": "Weight sum", "calcmode": "tensor2", "alpha": 0.7, "beta": 0.6},
        {"op": "tensor_sum_2", "a": "a", "b": "b", "width": 0.7, "offset": 0.6, "ends": "truncated"},
    ),
    "adjust": (
        {"mode": "Weight sum", "calcmode": "normal", "alpha": 0, "adjust": "2,-1,3,0.5,4,-2,1,3"},
        {"op": "adjust", "a": "a", "detail_in": 2, "detail_out": -1, "detail_last": 3, "contrast": 0.5, "brightness": 4, "red": -2,
         "green": 1, "blue": 3},
    ),
    "self": (
        {"mode": "Weight sum", "calcmode": "self", "alpha": 0.9},
        {"op": "passthrough", "a": "a", "scale": {"default": 0.9, "/to_out|proj_out|norm/": 1}},
    ),
    "elemental": (
        {"mode": "Weight sum", "calcmode": "normal", "alpha": 0.1, "elements": "IN04 IN08:attn2:0.7,IN04:NOT attn:0.4"},
        {"op": "weighted_sum", "a": "a", "b": "b",
         "alpha": {"elemental": "IN04 IN08:attn2:0.7,IN04:NOT attn:0.4", "default": 0.1}},
    ),
}


def inputs():
    """a, and b and c near it: what training makes of a model."""
    models = {}
    for i, (name, shape) in enumerate(SHAPES.items()):
        generator = np.random.default_rng(100 + i)
        a = generator.standard_normal(shape)
        near = {letter: a + 0.4 * generator.standard_normal(shape) for letter in "bc"}
        for letter, values in {"a": a, **near}.items():
            models.setdefault(letter, {})[name] = values.astype(np.float32)
    return models


def sample(array):
    """At most some 300 elements, which are what is kept and compared."""
    return np.ascontiguousarray(array.ravel()[:: 1 + array.size // 300])
