"""Methods on task vectors and on spheres once more, in numpy, from the papers and from what peers do. Differences are
taken in f32, as the program takes them, so that the same elements are chosen; everything else is computed in f64, and
compared with a tolerance."""

import numpy as np


def differences(base, models):
    return [(x - base).astype(np.float64) for x in models]


def magnitude_limit(x, rank):
    """The magnitude of that rank, 1 being the largest; nothing reaches that of rank 0."""
    return np.inf if rank == 0 else np.sort(np.abs(x), axis=None)[::-1][rank - 1]


def trim(x, density, rule="paper"):
    if density >= 1:
        return x
    if rule == "paper":
        limit = magnitude_limit(x, int(density * x.size))
    else:  # sd-mecha: from the smallest
        limit = np.sort(np.abs(x), axis=None)[max(int((1 - density) * x.size), 1) - 1]
    return np.where(np.abs(x) >= limit, x, 0)


def trim_both_ends(x, density, gamma):
    if density >= 1:
        return x
    kept = int(density * x.size)
    top = min(int(gamma * x.size), x.size - kept)
    if kept == 0:
        return np.zeros_like(x)
    order = np.sort(np.abs(x), axis=None)[::-1]
    inside = (np.abs(x) >= order[top + kept - 1]) & (np.abs(x) <= order[top])  # equal ones at both limits
    return np.where(inside, x, 0)


def rescale(whole, kept, rule, density):
    if rule == "none" or density >= 1:
        return kept
    if rule == "density":
        return kept / density
    before, after = np.abs(whole).sum(), np.abs(kept).sum()
    return kept if min(before, after) < 1e-7 else kept * (before / after)


def weighted(terms, weights, normalize):
    total = sum(w * d for w, d in zip(weights, terms))
    return total / sum(weights) if normalize else total


def agreed(terms, weights, sign):
    terms = [w * d for w, d in zip(weights, terms)]
    votes = sum(terms) if sign == "total" else sum(np.sign(d) for d in terms)
    wanted = np.where(votes >= 0, 1, -1) if sign != "majority" else np.sign(votes)
    return [np.where(np.sign(d) == wanted, d, 0) for d in terms]


def elected(terms, weights, normalize, sign):
    kept = agreed(terms, weights, sign)
    share = sum(np.where(d != 0, w, 0.0) for d, w in zip(kept, weights))
    return sum(kept) / np.where(share == 0, 1, share) if normalize else sum(kept)


def task_arithmetic(base, models, weights, normalize=False, factor=1.0):
    return base + factor * weighted(differences(base, models), weights, normalize)


def ties(base, models, weights, densities, normalize=True, sign="total", factor=1.0, rule="paper", scale="none",
         combine="mean"):
    kept = [rescale(d, trim(d, p, rule), scale, p) for d, p in zip(differences(base, models), densities)]
    if combine == "median":
        median = geometric_median(agreed(kept, weights, sign))
        return base + factor * median / (np.mean(weights) if normalize else 1)
    result = elected(kept, weights, normalize, sign)
    if combine == "stock":
        result = result * stock_ratios(agreed(kept, weights, sign), "filter")
    return base + factor * result


def geometric_median(points):
    """By steps from the mean, each weighting the points by one over their distance."""
    shares = np.full(len(points), 1 / len(points))
    for _ in range(100):
        middle = sum(s * p for s, p in zip(shares, points))
        near = 1 / np.maximum([np.linalg.norm(p - middle) for p in points], 1e-6)
        shares = near / near.sum()
    return sum(s * p for s, p in zip(shares, points))


def breadcrumbs(base, models, weights, densities, gamma, scale="none", normalize=False, factor=1.0):
    kept = [rescale(d, trim_both_ends(d, p, gamma), scale, p) for d, p in zip(differences(base, models), densities)]
    return base + factor * weighted(kept, weights, normalize)


def breadcrumbs_ties(base, models, weights, densities, gamma, sign="total", scale="none", normalize=False, factor=1.0):
    kept = [rescale(d, trim_both_ends(d, p, gamma), scale, p) for d, p in zip(differences(base, models), densities)]
    return base + factor * elected(kept, weights, normalize, sign)


def sce(base, models, select=1.0, weights="squares"):
    deltas = differences(base, models)
    if select < 1:
        variance = np.var(np.stack(deltas), axis=0)
        limit = magnitude_limit(variance, int(select * np.count_nonzero(variance)))
        deltas = [np.where(variance >= limit, d, 0) for d in deltas]
    squares = [np.mean(d * d) for d in deltas]
    even = sum(squares) == 0 or (weights == "mergekit" and sum(squares) < 1e-6)
    shares = [1 / len(deltas) if even else q / sum(squares) for q in squares]
    positive = sum(deltas) >= 0
    keep = [np.where(positive, d > 0, d < 0) for d in deltas]
    total = sum(w * np.where(k, d, 0) for w, k, d in zip(shares, keep, deltas))
    return base + total / np.maximum(sum(w * k for w, k in zip(shares, keep)), 1e-6)


def nearswap(a, b, t):
    share = np.clip(t / np.maximum(np.abs(a - b).astype(np.float64), 1e-6), 0, 1)
    return share * b + (1 - share) * a


def ram(base, models, epsilon=1e-5, r=None, alpha=0.2):
    deltas = [np.where(np.abs(d) > np.float32(epsilon), d, 0) for d in differences(base, models)]
    active = [d != 0 for d in deltas]
    count = sum(a.astype(int) for a in active)
    shared = sum(deltas) / np.maximum(count, 1)
    if r is None:
        return base + shared
    unique = 0
    for d, a in zip(deltas, active):
        ratio = np.sum(a & (count > 1)) / max(np.sum(a & (count == 1)), epsilon)
        unique = unique + (1 + r * min(max(ratio, 0), alpha)) * d
    return base + np.where(count == 1, unique, shared)


def ramplus_tl(base, models, epsilon=1e-5, r=0.1, alpha=0.2):
    return ram(base, models, epsilon, r, alpha)


def model_stock(base, models, by="tensor"):
    t = stock_ratios(differences(base, models), by)
    return t * np.mean(np.stack(models).astype(np.float64), axis=0) + (1 - t) * base


def stock_ratios(deltas, by, least=0):
    """What share of the mean Model Stock takes, at each element: by the tensor or by its rows. A mean cosine is `least` at least."""
    rows = [d.reshape(d.shape[0], -1) if by == "filter" and d.ndim > 1 else d.reshape(1, -1) for d in deltas]
    cosines = []
    for i in range(len(rows)):
        for j in range(i):
            lengths = np.linalg.norm(rows[i], axis=1) * np.linalg.norm(rows[j], axis=1)
            inner = np.sum(rows[i] * rows[j], axis=1)
            cosines.append(np.clip(np.divide(inner, lengths, out=np.zeros_like(inner), where=lengths > 0), -1, 1))
    n, c = len(deltas), np.maximum(np.mean(cosines, axis=0), least)
    t = n * c / (1 + (n - 1) * c)
    return np.repeat(t, deltas[0].size // t.size).reshape(deltas[0].shape)


def nuslerp(a, b, alpha, base=None, by="tensor"):
    origin = 0 if base is None else base
    x, y = (a - origin).astype(np.float64), (b - origin).astype(np.float64)
    shape = x.shape
    if by == "tensor" or x.ndim < 2:
        x, y = x.reshape(1, -1), y.reshape(1, -1)
    else:
        x, y = x.reshape(shape[0], -1), y.reshape(shape[0], -1)
    axis = 0 if by == "columns" and len(shape) > 1 else 1
    length = [np.maximum(np.linalg.norm(v, axis=axis, keepdims=True), 1e-7) for v in (x, y)]
    angle = np.arccos(np.clip(np.sum(x / length[0] * (y / length[1]), axis=axis, keepdims=True), -1, 1))
    sine = np.sin(angle)
    straight = sine < 1e-4
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(straight, 1 - alpha, np.sin((1 - alpha) * angle) / sine)
        second = np.where(straight, alpha, np.sin(alpha * angle) / sine)
    return origin + (first * x + second * y).reshape(shape)


def slerp(a, b, alpha, length="arc"):
    """With length "blend" the direction turns and the norm goes from the one to the other by themselves."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    n, m = np.linalg.norm(x), np.linalg.norm(y)
    straight = (1 - alpha) * x + alpha * y
    cosine = np.sum(x * y) / ((n if n > 1e-8 else 1) * (m if m > 1e-8 else 1))
    if length == "arc":
        if abs(cosine) > 0.9995:
            return straight
    else:
        if min(n, m) <= 1e-8 or cosine >= 1 - 1e-12 or cosine <= -0.9995:
            return straight
        x, y = x / n, y / m
    angle = np.arccos(np.clip(cosine, -1, 1))
    arc = (np.sin((1 - alpha) * angle) * x + np.sin(alpha * angle) * y) / np.sin(angle)
    return arc if length == "arc" else ((1 - alpha) * n + alpha * m) * arc


def clamp(a, to, stiffness):
    """Limits of models that go inwards, towards those next to their mean."""
    to = np.stack(to).astype(np.float64)
    mean, low, high = to.mean(axis=0), to.min(axis=0), to.max(axis=0)
    least_above = np.min(np.where(to >= mean, to, high), axis=0)
    most_below = np.max(np.where(to <= mean, to, low), axis=0)
    return np.clip(a, low + stiffness * (most_below - low), high + stiffness * (least_above - high))


def multislerp(models, weights, base=None, normalize=True):
    """With the step along the tangent that mergekit takes."""
    origin = 0 if base is None else base
    vectors = [(x - origin).astype(np.float64) for x in models]
    weights = np.array(weights, np.float64) / (sum(weights) if normalize else 1)
    lengths = [np.sqrt(np.sum(v * v)) for v in vectors]
    units = [v / (n + 1e-8) for v, n in zip(vectors, lengths)]
    mean = sum(w * u for w, u in zip(weights, units))
    norm = np.sqrt(np.sum(mean * mean))
    if norm < 1e-8:
        return origin + sum(w * v for w, v in zip(weights, vectors))
    mean = mean / norm
    tangent = sum(w * (u - np.sum(u * mean) * mean) for w, u in zip(weights, units))
    far = np.sqrt(np.sum(tangent * tangent)) + 1e-8
    point = mean * np.cos(far) + tangent * (np.sin(far) / far)
    return origin + point * sum(w * n for w, n in zip(weights, lengths))


def karcher(models, iterations=10, tolerance=1e-5):
    vectors = [x.astype(np.float64).reshape(-1) for x in models]
    lengths = [np.linalg.norm(v) for v in vectors]
    units = [v / n for v, n in zip(vectors, lengths) if n > tolerance]
    if not units:
        return np.zeros(models[0].shape)
    u = sum(units) / len(units)
    u = u / np.linalg.norm(u) if np.linalg.norm(u) >= tolerance else units[0]
    for _ in range(iterations):
        tangent = 0
        for v in units:
            cosine = np.clip(u @ v, -1, 1)
            angle = np.arccos(cosine)
            if angle >= tolerance and np.sin(angle) > 1e-7:
                tangent = tangent + angle / np.sin(angle) * (v - cosine * u) / len(units)
        far = np.linalg.norm(tangent)
        if far < tolerance:
            break
        u = np.cos(far) * u + np.sin(far) / far * tangent
        u = u / np.linalg.norm(u)
    return (u * np.mean(lengths)).reshape(models[0].shape)


def softmax(x):
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True) + 1e-8


def arcee_fusion(a, b):
    rows = [x.astype(np.float64).reshape(x.shape[0] if x.ndim > 1 else 1, -1) for x in (a, b)]
    q, p = softmax(rows[0]), softmax(rows[1])
    divergence = np.maximum(np.sum(p * np.log(p / q), axis=1, keepdims=True), 0)
    importance = np.abs(rows[1] - rows[0]) * divergence
    order = np.sort(importance, axis=None)
    low, middle, high = (order[int(np.floor(f * (order.size - 1)))] for f in (0.25, 0.5, 0.75))
    return np.where(importance >= middle + 1.5 * (high - low), rows[1], rows[0]).reshape(a.shape)


def pcb(base, models, density=0.1, factor=1.0):
    deltas = np.stack([d.reshape(-1) for d in differences(base, models)])
    n, size = deltas.shape
    order = np.sort(np.abs(deltas), axis=1)
    least, most = order[:, [int(size * 1e-4)]], order[:, [int(size * (1 - 1e-4) - 1)]]
    magnitude = np.clip(np.abs(deltas), least, most)
    range_ = most - least
    norm = np.divide(magnitude - least, range_, out=np.zeros_like(magnitude), where=range_ > 0)
    score = np.maximum(np.exp(n * norm**2) * np.tanh(deltas * deltas.sum(axis=0)), 0)
    first = [min(int(size * (1 - share)), size - 1) for share in np.broadcast_to(density, n)]
    begin = np.sort(score, axis=1)[range(n), first][:, None]
    range_ = score.max(axis=1, keepdims=True) - begin
    share = np.divide(np.maximum(score - begin, 0), range_, out=np.zeros_like(score), where=range_ > 0)
    total = np.sum(np.sign(deltas) * magnitude * share, axis=0) / np.maximum(share.sum(axis=0), 1e-12)
    return base + factor * total.reshape(base.shape)


def cabs(base, models, weights, density, group=256, factor=1.0):
    taken = np.zeros(base.size, bool)
    total = np.zeros(base.size)
    for delta, weight, share in zip(differences(base, models), weights, density):
        flat = np.where(taken, 0, delta.reshape(-1))
        kept = np.zeros(base.size, bool)
        for begin in range(0, base.size, group):
            part = np.abs(flat[begin:begin + group])
            count = -(-round(share * group) * part.size // group)
            kept[begin + np.argsort(-part, kind="stable")[:count]] = True
        total += weight * np.where(kept, flat, 0)
        taken |= kept & (flat != 0)
    return base + factor * total.reshape(base.shape)


def emr(base, models, task=None, factor=1.0):
    deltas = differences(base, models)
    sign = np.sign(sum(deltas))
    unified = sign * np.max([np.where(np.sign(d) == sign, np.abs(d), 0) for d in deltas], axis=0)
    if task is None:
        return base + factor * unified
    own = deltas[task - 1]
    masked = np.where(own * unified > 0, unified, 0)
    scale = np.abs(own).sum() / np.abs(masked).sum() if masked.any() else 0
    return base + factor * scale * masked


def consensus(base, models, weights, threshold=0.4, least=2, task=None, factor=1.0):
    deltas = [d.astype(np.float32) for d in differences(base, models)]
    total = sum(np.float32(w) * d for w, d in zip(weights, deltas))
    plain = sum(deltas)
    own = [np.abs(d) >= np.float32(threshold) * np.abs(plain - d) for d in deltas]
    mask = own[task - 1] if task else sum(m.astype(int) for m in own) >= least
    return base + factor * np.where(mask, total, 0).astype(np.float64)


def aoe(base, models, weights, threshold, distance="rms"):
    deltas = differences(base, models)
    unit = np.sqrt(base.size) if distance == "rms" else np.linalg.norm(base.astype(np.float64))
    moved = max(np.sqrt(np.sum(d * d)) / (unit or 1) for d in deltas) > threshold
    return base + weighted(deltas, weights, False) if moved else base.astype(np.float64)
