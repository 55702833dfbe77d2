"""Methods of matrices once more, as their papers write them, by numpy's decompositions in f64. A tensor is a matrix of its
first dimension and all others."""

import numpy as np


def matrix(x):
    return x.reshape(x.shape[0], -1)


def deltas(base, of):
    """What is kept of them between two passes has f32."""
    return [(x - base).astype(np.float32).astype(np.float64) for x in of]


def svd(x):
    return np.linalg.svd(x, full_matrices=False)


def polar(x):
    u, _, vt = svd(x)
    return u @ vt


def whole(function):
    """Of a list of differences: a matrix of each; of what is none, the mean."""

    def apply(of, *arguments):
        if of[0].ndim < 2 or of[0].size == 0:
            return sum(of) / len(of)
        return function([matrix(x) for x in of], *arguments).reshape(of[0].shape)

    return apply


@whole
def tsv(of):
    k = max(1, min(of[0].shape) // len(of))
    parts = [svd(x) for x in of]
    u = np.hstack([p[0][:, :k] for p in parts])
    s = np.concatenate([p[1][:k] for p in parts])
    vt = np.vstack([p[2][:k] for p in parts])
    return polar(u) @ np.diag(s) @ polar(vt)


@whole
def iso_c(of):
    u, s, vt = svd(sum(of))
    return s.mean() * u @ vt


@whole
def iso_cts(of, common):
    r, tasks = min(of[0].shape), len(of)
    own = min(round((r - int(r * common)) / tasks), r // tasks)
    shared = r - own * tasks
    u, s, vt = svd(sum(of))
    u_common = u[:, :shared]
    us, ss, vts = [], [], []
    for x in of:
        u_own, s_own, vt_own = svd(x - u_common @ u_common.T @ x)
        us.append(u_own[:, :own])
        ss.append(s_own[:own])
        vts.append(vt_own[:own])
    left = polar(np.hstack([*us, u_common]))
    right = polar(np.vstack([*vts, vt[:shared]]))
    return np.concatenate([*ss, s[:shared]]).mean() * left @ right


def star(x, share):
    if x.ndim < 2:
        return x
    u, s, vt = svd(matrix(x))
    kept = np.searchsorted(np.cumsum(s), s.sum() * share) + 1
    scaled = s[:kept] * (s.sum() / s[:kept].sum())
    return (u[:, :kept] * scaled @ vt[:kept]).reshape(x.shape)


def truncate(x, rank=None, ratio=None):
    if x.ndim < 2:
        return x
    u, s, vt = svd(matrix(x))
    rank = round(ratio * len(s)) if rank is None else min(rank, len(s))
    return (u[:, :rank] * s[:rank] @ vt[:rank]).reshape(x.shape)


def svc(merged, of, alpha):
    if merged.ndim < 2:
        return merged
    u, s, vt = svd(matrix(merged))
    shares = np.zeros(len(s))
    for r in range(len(s)):
        own = u[:, r] @ matrix(merged)
        for x in of:
            response = u[:, r] @ matrix(x)
            shares[r] += max(alpha, own @ response / (response @ response))
    return (u * (s * len(of) / shares) @ vt).reshape(merged.shape)


@whole
def core_space(of, rank, merge):
    parts = [svd(x) for x in of]
    cut = [u[:, :rank] * s[:rank] @ vt[:rank] for u, s, vt in parts]
    left = svd(np.hstack([u[:, :rank] for u, _, _ in parts]))[0]
    right = svd(np.vstack([vt[:rank] for _, _, vt in parts]))[2]
    inside = [left.T @ x @ right.T for x in cut]
    merged = {"tsv": tsv, "iso": iso_c, "sum": sum}[merge](inside)
    return left @ merged @ right


# As operators take it: what is added to the base.


def tsv_merge(base, models, factor=1.0):
    return base + factor * tsv(deltas(base, models))


def iso_c_merge(base, models, factor=1.0):
    return base + factor * iso_c(deltas(base, models))


def iso_cts_merge(base, models, common=0.8, factor=1.0):
    return base + factor * iso_cts(deltas(base, models), common)


def star_merge(base, models, share, factor=1.0):
    return base + factor * sum(star(x, own) for x, own in zip(deltas(base, models), share)) / len(models)


def core_space_merge(base, models, merge="tsv", factor=1.0, rank=16):
    """The default rank is that of any small matrix."""
    return base + factor * core_space(deltas(base, models), rank, merge)


def svc_merge(base, a, models, alpha=0.1):
    if a.ndim < 2:
        return a
    return base + svc(deltas(base, [a])[0], deltas(base, models), alpha)


def truncate_rank(a, ratio=None, rank=None):
    return truncate(a.astype(np.float64), rank, ratio)


def frequency(a, b, low, middle, high, start=0.25, end=0.5):
    return a + bands(b.astype(np.float64) - a, low, middle, high, start, end)


def turn_part(turn, t):
    """The power of a rotation by its complex eigenvalues."""
    values, vectors = np.linalg.eig(turn)
    return (vectors * values**t @ np.linalg.inv(vectors)).real


def rotate(a, b, alignment=1.0, alpha=0.0, centralization=1.0):
    if a.ndim < 2:
        return (1 - alpha) * a + alpha * b
    kernels = a.ndim == 4 and a[0, 0].size > 1
    shape = (a.shape[0] * a.shape[1], a[0, 0].size) if kernels else matrix(a).shape
    x, y = a.reshape(shape).astype(np.float64), b.reshape(shape).astype(np.float64)
    mean_x, mean_y = (centralization * m.mean(0) for m in (x, y))
    x, y = x - mean_x, y - mean_y
    mean = (1 - alignment) * mean_x + alignment * mean_y
    u, s, vt = svd(x.T @ y)
    if shape[0] >= shape[1]:
        if alignment not in (0, 1) and np.linalg.det(u @ vt) < 0:
            u[:, -1] *= -1
        turn = u @ vt
        x = x + alpha * (y @ turn.T - x)
        return (x @ (turn if alignment == 1 else turn_part(turn, alignment)) + mean).reshape(a.shape)
    there = s > 1e-9 * s[0]
    u, vt = u[:, there], vt[there]
    back = y - y @ vt.T @ vt + y @ vt.T @ u.T
    x = x + alpha * (back - x)
    to = polar((1 - alignment) * u.T + alignment * vt)
    return (x - x @ u @ u.T + x @ u @ to + mean).reshape(a.shape)


def bands(difference, low, middle, high, start, end):
    """Shares of a difference's frequencies, along all dimensions at once."""
    spectrum = np.fft.rfftn(difference.astype(np.float64))
    axes = []
    for d, size in enumerate(spectrum.shape):
        half = size // 2
        last = d + 1 == spectrum.ndim or size == 1
        axes.append(np.linspace(0, 1, size) if last else np.concatenate(
            [np.linspace(0, (size - 1) // 2, size - half), np.linspace(half, 1, half)]) / half)
    radius = np.sqrt(sum(g**2 for g in np.meshgrid(*axes, indexing="ij")) / len(axes))
    passed = np.where(radius < start, low, np.where(radius < end, middle, high))
    return np.fft.irfftn(passed * spectrum, s=difference.shape, axes=range(difference.ndim))
