"""Operators that read more of a model than the tensor that they give, once more in numpy: units permuted, heads turned, moving
averages; and layers adjusted and adapters added. A model is a mapping of its tensors, in f32."""

import numpy as np

import oracle_algebra

# Which tensors share units, by the ends of their names: (end, role, axis of the units, parts that follow one another).
GATED = (("ff.net.0.proj.weight", "hidden", 0, 2), ("ff.net.0.proj.bias", "hidden", 0, 2), ("ff.net.2.weight", "hidden", 1, 1))
TIME = (("time_embed.0.weight", "hidden", 0, 1), ("time_embed.0.bias", "hidden", 0, 1), ("time_embed.2.weight", "hidden", 1, 1))
CLIP = (("mlp.fc1.weight", "hidden", 0, 1), ("mlp.fc1.bias", "hidden", 0, 1), ("mlp.fc2.weight", "hidden", 1, 1))
LLAMA = (("mlp.gate_proj.weight", "hidden", 0, 1), ("mlp.up_proj.weight", "hidden", 0, 1), ("mlp.down_proj.weight", "hidden", 1, 1))
UNET_HEADS = (("to_q.weight", "q", 0, 1), ("to_k.weight", "k", 0, 1), ("to_v.weight", "v", 0, 1), ("to_out.0.weight", "o", 1, 1))
TEXT_HEADS = tuple((f"self_attn.{role}_proj.{end}", role, 0, 1) for role in "qkv" for end in ("weight", "bias")) + (
    ("self_attn.out_proj.weight", "o", 1, 1), ("self_attn.o_proj.weight", "o", 1, 1))
GROUPS = (GATED, TIME, CLIP, LLAMA, UNET_HEADS, TEXT_HEADS)


def block_of(tensor, model):
    """Of the tensors that share its units and that the model has: name -> (role, axis, parts). None for a tensor of none."""
    for group in GROUPS:
        for end, *_ in group:
            if tensor.endswith("." + end):
                named = {tensor.removesuffix(end) + other: kind for other, *kind in group}
                return {name: kind for name, kind in named.items() if name in model}
    return None


def rows_of(x, axis, parts):
    """Each part as a matrix whose rows are its units', in f64."""
    x = x.astype(np.float64)
    x = x.T if axis else x.reshape(len(x), -1)
    return np.split(x, parts)


def as_stored(parts, axis, like):
    """What rows_of takes apart."""
    x = np.concatenate(parts)
    return (x.T if axis else x).reshape(like.shape).astype(like.dtype)


def units_of(block, model, heads, head_size):
    """How many units the block has; None where nothing says how many heads."""
    (first, (role, *how)), *_ = block.items()
    if role == "hidden":
        return len(rows_of(model[first], *how)[0])
    keys = next(len(model[name]) for name, (role, *_) in block.items() if role == "k")
    return heads or (keys // head_size if head_size else None)


def best_order(gain):
    """order[i] is the column of row i in the assignment of the largest sum: the shortest augmenting path for one row after
    another, by Dijkstra's algorithm on costs that potentials keep from being negative."""
    count = len(gain)
    cost = gain.max() - gain
    of_row, of_column = np.zeros(count), np.zeros(count)
    row_at = np.full(count, -1)
    for row in range(count):
        far, back, done = np.full(count, np.inf), np.full(count, -1), np.zeros(count, bool)
        at, here, column = row, 0.0, -1
        while True:
            reach = here + cost[at] - of_row[at] - of_column
            nearer = ~done & (reach < far)
            far[nearer], back[nearer] = reach[nearer], column
            column = np.where(done, np.inf, far).argmin()
            done[column], here = True, far[column]
            if row_at[column] < 0:
                break
            at = row_at[column]
        of_row[row] += here
        for each in np.flatnonzero(done):
            if each != column:
                of_row[row_at[each]] += here - far[each]
            of_column[each] -= here - far[each]
        while column >= 0:
            row_at[column] = row_at[back[column]] if back[column] >= 0 else row
            column = back[column]
    order = np.empty(count, int)
    order[row_at] = np.arange(count)
    return order


def permuted(x, axis, parts, order):
    """With its units in that order."""
    moved = [rows.reshape(len(order), -1)[order].reshape(rows.shape) for rows in rows_of(x, axis, parts)]
    return as_stored(moved, axis, x)


def rebasin(tensor, a, b, heads=None, head_size=None):
    block = block_of(tensor, a)
    units = units_of(block, a, heads, head_size) if block else None
    if units is None:
        return a[tensor]
    gain = np.zeros((units, units))
    for name, (_, *how) in block.items():
        for theirs, ours in zip(rows_of(b[name], *how), rows_of(a[name], *how)):
            gain += theirs.reshape(units, -1) @ ours.reshape(units, -1).T
    return permuted(a[tensor], *block[tensor][1:], best_order(gain))


def align_attention(tensor, a, b, heads=None, head_size=None):
    block = block_of(tensor, a)
    units = units_of(block, a, heads, head_size) if block else None
    if units is None or block[tensor][0] == "hidden":
        return a[tensor]
    rotary = any(name.endswith(".o_proj.weight") for name in block)
    pair = "qk" if block[tensor][0] in "qk" else "vo"
    if rotary and pair == "qk":
        return a[tensor]
    of_model = {letter: {name: rows_of(model[name], *how)[0] for name, (_, *how) in block.items()}
                for letter, model in (("a", a), ("b", b))}
    rows = {role: len(of_model["a"][name]) for name, (role, *_) in block.items()}
    if rows["q"] != rows["k"] or rows["v"] != rows["o"]:
        return a[tensor]
    # What each of the pair reads, with its bias, which what comes out has as well.
    width = {role: sum(of_model["a"][name].shape[1] for name in block if block[name][0] == role) for role in pair}
    if "o" in width and any(name.endswith("bias") for name in block):
        width["o"] += 1
    turned = np.empty_like(of_model["a"][tensor])
    for unit in np.split(np.arange(rows[pair[0]]), units):
        product = sum(min(width.values()) / width[role] * of_model["b"][name][unit] @ of_model["a"][name][unit].T
                      for name, (role, *_) in block.items() if role in pair)
        turned[unit] = oracle_algebra.polar(product) @ of_model["a"][tensor][unit]
    return as_stored([turned], block[tensor][1], a[tensor])


def average_of(tensor):
    """What a moving average of it is called."""
    return "model_ema." + tensor.removeprefix("model.").replace(".", "")


def ema(tensor, a, alpha=1.0):
    alpha, own = np.float32(alpha), a.get(average_of(tensor))
    return a[tensor] if own is None else (np.float32(1) - alpha) * a[tensor] + alpha * own


# Of Stable Diffusion 1, and of XL: what a unit of a tone adds to each channel.
TONES = {"contrast": (1, 0, 0, 0), "brightness": (0, -1, 1 / 3, 2 / 3), "red": (0, 1, 1, 0), "green": (0, 0, -1, -1), "blue": (0, 1, 0, 1)}
TONES_OF_XL = {"contrast": (1, 0, 0, 0), "brightness": (0, 0, 0, 1), "red": (0, 1, 0, 0), "green": (0, -1, -1, 0), "blue": (0, -1, 1, 0)}
DETAILS = {"input_blocks.0.0": "detail_in", "out.0": "detail_out", "out.2": "detail_last"}


def adjust(tensor, a, tones=None, **numbers):
    layer, _, kind = tensor.removeprefix("model.diffusion_model.").rpartition(".")
    detail = numbers.get(DETAILS.get(layer), 0.0)
    if not tensor.startswith("model.diffusion_model.") or layer not in DETAILS:
        return a
    if (layer, kind) == ("out.2", "bias"):
        added = sum(numbers.get(tone, 0.0) * np.array(channels, np.float64) for tone, channels in (tones or TONES).items())
        return a + np.float32(0.02 * added)
    return np.float32(1 - 0.01 * detail if kind == "weight" else 1 + 0.02 * detail) * a


def bake(_, model, deltas, strengths):
    for delta, strength in zip(deltas, strengths):
        model = model + np.float32(strength) * delta
    return model
