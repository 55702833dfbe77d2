"""Methods as the code that their authors published computes them, of steps in which nothing is said that has a default. Each
model is one tensor, so that what the authors count over a whole model is what is counted here."""

import numpy as np
import pytest

from test_vectors_operators import merge_one

SHAPE = (32, 24)  # three groups of 256


def models():
    """A base, and three fine-tunes that have learned in part the same, each mostly in few directions."""
    random = np.random.default_rng(20250101)
    base = random.standard_normal(SHAPE).astype(np.float32)
    shared = random.standard_normal((SHAPE[0], 2)) @ random.standard_normal((2, SHAPE[1]))
    found = {"base": base}
    for letter in "abc":
        own = random.standard_normal((SHAPE[0], 4)) @ random.standard_normal((4, SHAPE[1]))
        own += 0.2 * random.standard_normal(SHAPE)
        found[letter] = (base + 0.01 * (shared + own)).astype(np.float32)
    return found


def task_vectors():
    found = models()
    return np.stack([(found[letter] - found["base"]).astype(np.float64) for letter in "abc"])


def unify(vectors):
    sign = np.where(vectors.sum(axis=0) > 0, 1, -1)
    largest = np.zeros(SHAPE)
    for vector in vectors:
        largest = np.maximum(largest, np.where(vector * sign > 0, np.abs(vector), 0))
    return sign * largest


def emr_of_a_task(vectors):
    unified = unify(vectors)
    masks = [vector * unified > 0 for vector in vectors]
    factors = [np.abs(v).mean() / np.abs(m * unified).mean() for v, m in zip(vectors, masks)]
    return masks[1] * unified * factors[1]


def masks_of_tasks(vectors, threshold):
    merged = vectors.sum(axis=0)
    return merged, np.abs(vectors) > np.abs(merged - vectors) * threshold


def consensus(vectors):
    merged, masks = masks_of_tasks(vectors, 0.4)
    return 0.3 * merged * (masks.sum(axis=0) >= 2)


def consensus_of_a_task(vectors):
    merged, masks = masks_of_tasks(vectors, 0.4)
    return merged * masks[2]


def between(x):
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    return (x - low) / (high - low)


def limited(x, least, most):
    """Each row without the shares at its ends, which count as what stands next to them."""
    order, size = np.sort(x, axis=1), x.shape[1]
    return np.clip(x, order[:, [int(size * least)]], order[:, [int(size * (1 - most) - 1)]])


def pcb(vectors, ratio=0.1):
    flat = vectors.reshape(len(vectors), -1)
    magnitude = limited(np.abs(flat), 1e-4, 1e-4)
    score = np.exp(len(flat) * between(magnitude) ** 2) * np.tanh(flat * flat.sum(axis=0))
    share = between(limited(score, 1 - ratio, 0))
    total = (np.sign(flat) * magnitude * share).sum(axis=0) / np.maximum(share.sum(axis=0), 1e-12)
    return total.reshape(SHAPE)


def cabs(vectors, n=64, m=256):
    groups = vectors.reshape(len(vectors), -1, m)
    taken, total = np.zeros(groups[0].shape, bool), np.zeros(groups[0].shape)
    for vector in groups:
        left = np.where(taken, 0, vector)
        largest = np.argsort(-np.abs(left), axis=1, kind="stable")[:, :n]
        mask = np.zeros(taken.shape, bool)
        np.put_along_axis(mask, largest, True, axis=1)
        total += 1.2 * mask * left
        taken |= mask
    return total.reshape(SHAPE)


def ram(vectors, rescale=1.0):
    """`rescale` of 1 is RAM, one above it RAM+."""
    changed = np.abs(vectors) > 1e-5
    count = changed.sum(axis=0)
    shared = (changed & (count > 1)).sum(axis=(1, 2))
    ratio = shared / (changed.sum(axis=(1, 2)) - shared)
    factors = 1 + (rescale - 1) * np.minimum(1, ratio)
    alone = (vectors * changed * factors[:, None, None]).sum(axis=0)
    mean = (vectors * changed).sum(axis=0) / np.maximum(count, 1)
    return np.where(count == 1, alone, mean)


def sce(vectors):
    weights = np.array([np.sum(v**2) for v in vectors])
    sign = np.where(vectors.sum(axis=0) >= 0, 1, -1)
    kept = (weights / weights.sum())[:, None, None] * (np.sign(vectors) == sign)
    return (vectors * kept).sum(axis=0) / kept.sum(axis=0)


def svd(x):
    return np.linalg.svd(x, full_matrices=False)


def orthogonal(x):
    u, _, vt = svd(x)
    return u @ vt


def star(vectors, eta=0.4):
    total = 0
    for vector in vectors:
        u, s, vt = svd(vector)
        rank = np.searchsorted(np.cumsum(s), s.sum() * eta) + 1
        total = total + u[:, :rank] @ np.diag(s[:rank] * s.sum() / s[:rank].sum()) @ vt[:rank]
    return total / len(vectors)


def tsv(vectors):
    """A place of its own in one matrix of vectors for each task."""
    rank = min(vectors[0].shape)
    each = rank // len(vectors)
    u_all, s_all, vt_all = np.zeros((vectors[0].shape[0], rank)), np.zeros(rank), np.zeros((rank, vectors[0].shape[1]))
    for i, vector in enumerate(vectors):
        u, s, vt = svd(vector)
        place = slice(i * each, (i + 1) * each)
        u_all[:, place], s_all[place], vt_all[place] = u[:, :each], s[:each], vt[:each]
    return orthogonal(u_all) @ np.diag(s_all) @ orthogonal(vt_all)


def iso_c(vectors):
    total = vectors.sum(axis=0)
    return svd(total)[1].mean() * orthogonal(total)


def iso_cts(vectors, fraction=0.8):
    rank, tasks = min(SHAPE), len(vectors)
    own = round((rank - int(rank * fraction)) / tasks)
    common = rank - own * tasks
    u, s, vt = (part[..., :common] if i < 2 else part[:common] for i, part in enumerate(svd(vectors.sum(axis=0))))
    left, values, right = [], [], []
    for vector in vectors:
        u_own, s_own, vt_own = svd(vector - u @ u.T @ vector)
        left.append(u_own[:, :own])
        values.append(s_own[:own])
        right.append(vt_own[:own])
    mean = np.concatenate([*values, s]).mean()
    return mean * orthogonal(np.hstack([*left, u])) @ orthogonal(np.vstack([*right, vt]))


def core_space(vectors, rank=6):
    """From the two factors of each, which are not orthogonal."""
    factors = [(u[:, :rank] * s[:rank] ** 0.25, (vt[:rank].T * s[:rank] ** 0.75).T) for u, s, vt in map(svd, vectors)]
    left = svd(np.hstack([b for b, _ in factors]))[0]
    right = svd(np.vstack([a for _, a in factors]))[2]
    return left @ tsv([left.T @ b @ a @ right.T for b, a in factors]) @ right


def svc(vectors, alpha=0.1):
    u, s, vt = svd(vectors.sum(axis=0))
    ours, theirs = u.T @ vectors.sum(axis=0), np.einsum("mr,kmn->rkn", u, vectors)
    shares = np.einsum("rn,rkn->rk", ours, theirs) / np.maximum((theirs**2).sum(axis=2), 1e-12)
    return u @ np.diag(s / np.maximum(shares, alpha).mean(axis=1)) @ vt


ALL = ["a", "b", "c"]
SUM = {"op": "task_arithmetic", "base": "base", "of": [{"model": letter, "weight": 1} for letter in ALL]}
# name -> (the step, what is added to the base)
CASES = {
    "emr": ({"op": "emr", "base": "base", "of": ALL}, unify),
    "emr of a task": ({"op": "emr", "base": "base", "of": ALL, "task": 2}, emr_of_a_task),
    "consensus": ({**SUM, "op": "consensus", "lambda": 0.3}, consensus),
    "consensus with weights": (
        {**SUM, "op": "consensus", "of": [{"model": letter, "weight": 0.3} for letter in ALL]}, consensus),
    "consensus of a task": ({**SUM, "op": "consensus", "task": 3}, consensus_of_a_task),
    "pcb": ({"op": "pcb", "base": "base", "of": ALL}, pcb),
    "cabs": ({**SUM, "op": "cabs", "of": [{"model": letter, "weight": 1.2} for letter in ALL], "density": 0.25}, cabs),
    "ram": ({"op": "ram", "base": "base", "of": ALL}, ram),
    "ramplus_tl": ({"op": "ramplus_tl", "base": "base", "of": ALL, "r": 0.2, "alpha": 1}, lambda v: ram(v, 1.2)),
    "sce": ({"op": "sce", "base": "base", "of": ALL}, sce),
    "star": ({"op": "star", "base": "base", "of": ALL}, star),
    "tsv_merge": ({"op": "tsv_merge", "base": "base", "of": ALL}, tsv),
    "iso_c": ({"op": "iso_c", "base": "base", "of": ALL}, iso_c),
    "iso_cts": ({"op": "iso_cts", "base": "base", "of": ALL}, iso_cts),
    "core_space": ({"op": "core_space", "base": "base", "of": ALL, "rank": 6}, core_space),
    "svc": ({"op": "svc", "base": "base", "a": SUM, "of": ALL}, svc),
}

SPARSE = {"ram", "ramplus_tl"}


@pytest.mark.parametrize("name", CASES)
def test_a_method_is_that_of_its_authors(weightsmith, name):
    step, added = CASES[name]
    found = models()
    vectors = task_vectors()
    if name in SPARSE:  # as training by reinforcement leaves most elements
        changed = np.random.default_rng(7).random((3, *SHAPE)) < np.array([0.5, 0.3, 0.4])[:, None, None]
        for i, letter in enumerate("abc"):
            found[letter] = np.where(changed[i], found[letter], found["base"])
        vectors = np.where(changed, vectors, 0)
    ours = merge_one(weightsmith, found, step).astype(np.float64) - found["base"]
    expected = added(vectors)
    assert np.abs(expected).max() > 1e-3
    assert np.abs(ours - expected).max() <= 1e-6 * np.abs(found["base"]).max()
