"""Methods of diffusion mergers once more, in numpy and f64, by their formulas: for comparison with a tolerance."""

import math

import numpy as np


def f64(*arrays):
    return [x.astype(np.float64) for x in arrays]


def cosine(x, y, axis=None):
    """As torch has it: a norm counts as 1e-8 at least."""
    norms = [np.maximum(np.sqrt(np.sum(v * v, axis=axis)), 1e-8) for v in (x, y)]
    return np.sum(x * y, axis=axis) / (norms[0] * norms[1])


def columns(x):
    """What a column of the first dimension has; a vector has one."""
    return x.reshape(x.shape[0], -1) if x.ndim > 1 else x.reshape(-1, 1)


def likeness(a, b, directions=False):
    """Of each column, and of the tensor: there of `directions`, in which each column has norm 1."""
    a, b = f64(columns(a), columns(b))
    own = cosine(a, b, axis=0)
    if directions:
        a, b = (x / np.maximum(np.linalg.norm(x, axis=0), 1e-8) for x in (a, b))
    return own, cosine(a, b)


def trimmed_range(numbers):
    numbers = np.sort(numbers)
    numbers = numbers[numbers >= np.percentile(numbers, 1, method="midpoint")]
    numbers = numbers[numbers <= np.percentile(numbers, 99, method="midpoint")]
    return numbers.min(), numbers.max()


def cosine_model(a, b, alpha, combined):
    """Of all tensors by their names: SuperMerger's cosineB where `combined`, else its cosineA."""
    alike = {name: likeness(a[name], b[name], not combined) for name in a}
    both = {name: (own + whole) / 2 for name, (own, whole) in alike.items()}
    among = both if combined else {name: own for name, (own, _) in alike.items()}
    low, high = trimmed_range(np.concatenate([v.ravel() for v in among.values()]))
    out = {}
    for name in a:
        share = np.clip((both[name] - low) / (high - low) - alpha, 0, 1)
        x, y = f64(columns(a[name]), columns(b[name]))
        out[name] = (share * x + (1 - share) * y).reshape(a[name].shape)
    return out


def cosine_tensor(a, b, alpha, combined):
    own, whole = likeness(a, b)
    share = np.clip(((own + whole) / 2 if combined else own) - alpha, 0, 1)
    x, y = f64(columns(a), columns(b))
    return (share * x + (1 - share) * y).reshape(a.shape)


def cosine_a(a, b, alpha, scope):
    assert scope == "tensor"
    return cosine_tensor(a, b, alpha, False)


def cosine_b(a, b, alpha, scope):
    assert scope == "tensor"
    return cosine_tensor(a, b, alpha, True)


def region(width, offset, places, rounding=round):
    if width < 0:
        offset, width = offset + width, -width
    width = min(width, 1)
    if offset < 0:
        offset = 1 + offset - int(offset)
    offset = math.fmod(offset, 1.0)
    if width + offset <= 1:
        return rounding(offset * places), rounding((width + offset) * places), False
    return rounding((width + offset - 1) * places), rounding(offset * places), True


def tensor_sum(a, b, width, offset=0.0, axis=0, rounding=round):
    first, end, inverted = region(width, offset, a.shape[axis], rounding)
    inside, outside = (a, b) if inverted else (b, a)
    out = outside.copy()
    at = [slice(None)] * a.ndim
    at[axis] = slice(first, end)
    out[tuple(at)] = inside[tuple(at)]
    return out


def tensor_sum_2(a, b, width, offset=0.0, ends="rounded"):
    axis = 1 if a.ndim > 1 and a.shape[1] > 100 else 0
    return tensor_sum(a, b, width, offset, axis, round if ends == "rounded" else int)


def top_k_tensor_sum(a, b, width=1.0, offset=0.0):
    first, end, inverted = region(width, offset, a.size)
    ordered = np.sort(a, axis=None)
    sizes = np.sort(np.abs(a), axis=None)
    low, high = (-1 if k == 0 else sizes[k - 1] for k in (first, end))
    moves = (low <= np.abs(ordered)) & (np.abs(ordered) <= high)
    places = np.argsort(b, axis=None, kind="stable")
    out = a.ravel().copy()
    moved = ~moves if inverted else moves
    out[places[moved]] = ordered[moved]
    return out.reshape(a.shape)


def extract(a, b, c, alpha, beta=0.0, gamma=0.3):
    a, b, c = f64(a, b, c)
    x, y = b - a, c - a
    alike = ((np.clip(cosine(x, y, axis=-1)[..., None], -1, 1) + 1) / 2) ** gamma
    return a + ((1 - alpha) * x + alpha * y) * ((1 - beta) * alike + beta * (1 - alike))


def perpendicular(a, b):
    a, b = f64(a, b)
    return b - a * (np.sum(a * b) / np.sum(a * a))


def geometric_sum(a, b, alpha):
    a, b = f64(a, b)
    return (a.astype(complex) ** (1 - alpha) * b.astype(complex) ** alpha).real


def multiply_difference(a, b, c, alpha, beta=0.5):
    a, b, c = f64(a, b, c)
    size = np.abs(a - c) ** (1 - alpha) * np.abs(b - c) ** alpha
    return c + np.copysign(size, (1 - beta) * a + beta * b - c)


def multiply_quotient(a, b, c, alpha=1.0):
    a, b, c = f64(a, b, c)
    with np.errstate(all="ignore"):
        p, q = np.log(np.abs(a)) - np.log(np.abs(c)), np.log(np.abs(b)) - np.log(np.abs(c))
        t = alpha * np.maximum(0, -np.nan_to_num(p * q / np.maximum(np.abs(p), np.abs(q)) ** 2))
        result = a * (b.astype(complex) / c.astype(complex)) ** t
    return np.where(np.isnan(result), a, result.real)


def similarity_add_difference(a, b, c, alpha, beta=1.0):
    a, b, c = f64(a, b, c)
    larger = np.maximum(np.abs(a), np.abs(b))
    with np.errstate(invalid="ignore"):
        alike = np.where(larger == 0, beta, beta * (a * b / larger**2 + 1) / 2)
    return (1 - alike) * (a + alpha * (b - c)) + alike * ((1 - alpha / 2) * a + alpha / 2 * b)


def add_opposite(a, b, c, alpha, where="apart"):
    a, b, c = f64(a, b, c)
    with np.errstate(invalid="ignore"):
        if where == "opposite":
            share = np.maximum(0, np.nan_to_num((c - a) * (b - c) / np.maximum(np.abs(a - c), np.abs(b - c)) ** 2))
        else:
            share = np.nan_to_num(np.abs(a - b) / (np.abs(a - b) + np.abs(a + b - 2 * c)))
    return a + 2 * alpha * share * (b - c)


def euclidean_add_difference(a, b, c, alpha):
    a, b, c = f64(a, b, c)
    u, v = ((x - c) / (np.linalg.norm(x - c) or 1) for x in (a, b))
    s = (1 - alpha) * a + alpha * b - c
    d = np.copysign(np.sqrt((1 - alpha) * u * u + alpha * v * v), s)
    return c + d * (np.linalg.norm(s) / (np.linalg.norm(d) or 1))


def normalized_sum(a, b, alpha):
    """What is zero has no direction."""
    a, b = f64(a, b)
    lengths = [np.linalg.norm(x) for x in (a, b)]
    d = (1 - alpha) * a / (lengths[0] or 1) + alpha * b / (lengths[1] or 1)
    return d * (((1 - alpha) * lengths[0] + alpha * lengths[1]) / (np.linalg.norm(d) or 1))


def channel_sum(a, b, alpha, beta=1.0):
    a, b = f64(a, b)
    rows = [x.reshape(x.shape[0], -1) for x in (a, b)] if a.ndim > 1 else [x.reshape(1, -1) for x in (a, b)]
    gate = np.clip((1 - cosine(*rows, axis=1)) * beta, 0, 1)[:, None]
    return (rows[0] + gate * alpha * (rows[1] - rows[0])).reshape(a.shape)


def norm_match_rows(a, b, alpha):
    a, b = f64(a, b)
    axes = tuple(range(1, a.ndim)) if a.ndim > 1 else None
    norms = [np.sqrt(np.sum(x * x, axis=axes, keepdims=True)) for x in (a, b)]
    return ((1 - alpha) * norms[1] + alpha * norms[0]) / norms[1] * b


def smooth(x, median=True, gaussian=True):
    """A median of three in every dimension, and a Gaussian along each, with mirrored ends."""
    x = x.astype(np.float32)
    if median:
        padded = np.pad(x, 1, mode="symmetric")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3,) * x.ndim)
        x = np.median(windows.reshape(*x.shape, -1), axis=-1).astype(np.float32)
    if gaussian:
        weights = np.exp(-0.5 * np.arange(-4.0, 5) ** 2)
        weights /= weights.sum()
        for axis in range(x.ndim):
            size = x.shape[axis]
            places = np.arange(-4, size + 4) % (2 * size)
            line = np.take(x.astype(np.float64), np.where(places < size, places, 2 * size - 1 - places), axis=axis)
            x = sum(w * np.take(line, np.arange(k, k + size), axis=axis) for k, w in enumerate(weights)).astype(np.float32)
    return x


def smooth_add(a, b, c, alpha, filter="both"):  # noqa: A002
    return a.astype(np.float64) + alpha * smooth(b - c, filter != "gaussian", filter != "median").astype(np.float64)


def distribution_crossover(a, b, c, alpha, tilt=0.0):
    if alpha == 0:  # however soft the crossing is
        return a
    order = np.argsort(c, axis=None, kind="stable")
    bins = [np.fft.rfft(x.ravel().astype(np.float64)[order]) for x in (a, b)]
    share = np.arange(bins[0].size) / bins[0].size
    edge = 1 - alpha
    passed = np.clip((share - edge) / tilt + 0.5, 0, 1) if tilt > 1e-10 else (share >= edge).astype(float)
    out = np.empty(a.size)
    out[order] = np.fft.irfft((1 - passed) * bins[0] + passed * bins[1], a.size)
    return out.reshape(a.shape)


def geometric_median(of):
    points = np.stack([x.ravel().astype(np.float64) for x in of])
    center = points.mean(axis=0)
    for _ in range(100):
        weights = 1 / np.maximum(np.linalg.norm(points - center, axis=1), 1e-6)
        center = weights @ points / weights.sum()
    return center.reshape(of[0].shape)
