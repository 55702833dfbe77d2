"""Random numbers and what draws them once more, in numpy: the generator as merge/program/random.h says it, normal
quantiles by Python's own library, ranks by a sort."""

import statistics

import numpy as np

from oracle import Arithmetic

MASK = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def philox(counter, key):
    """Philox4x32-10 of arrays of four words, of one key of two."""
    c = [np.asarray(word, np.uint64) for word in counter]
    k = [int(word) for word in key]
    for _ in range(10):
        first = np.uint64(0xD2511F53) * c[0]
        second = np.uint64(0xCD9E8D57) * c[2]
        c = [(second >> HALF) ^ c[1] ^ np.uint64(k[0]), second & MASK,
             (first >> HALF) ^ c[3] ^ np.uint64(k[1]), first & MASK]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return np.stack(c, axis=-1)


def place(op, operand, tensor):
    """FNV-1a of 64 bits."""
    value = 0xCBF29CE484222325
    for byte in f"{op}\n{operand}\n{tensor}".encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def words(seed, op, operand, tensor, shape):
    count = int(np.prod(shape, dtype=np.int64))
    block = np.arange((count + 3) // 4, dtype=np.uint64)
    stream = place(op, operand, tensor)
    counter = (block & MASK, block >> HALF, np.full_like(block, stream % 2**32), np.full_like(block, stream >> 32))
    return philox(counter, (seed % 2**32, seed >> 32)).reshape(-1)[:count].reshape(shape)


def uniform(*where):
    return (words(*where) >> np.uint64(8)).astype(np.float64) / 2**24


def normal(*where):
    quantile = np.frompyfunc(statistics.NormalDist().inv_cdf, 1, 1)
    return quantile((words(*where).astype(np.float64) + 0.5) / 2**32).astype(np.float64)


def ranks(values, axis):
    """Ranks of magnitudes along an axis over the largest one, equal ones by index."""
    order = np.argsort(np.abs(values.astype(np.float32)), axis=axis, kind="stable")
    of = np.argsort(order, axis=axis, kind="stable")
    n = values.shape[axis]
    return (np.full(values.shape, 0.5) if n == 1 else of / (n - 1)).astype(np.float32)


def shares(values, within):
    """What `ranks: row|column|tensor` ranks among each other."""
    if within == "tensor" or values.ndim < 2:
        return ranks(values.reshape(-1), 0).reshape(values.shape)
    if within == "row":
        return ranks(values.reshape(values.shape[0], -1), 1).reshape(values.shape)
    return ranks(values, 1)


class RandomArithmetic(Arithmetic):
    """Of one tensor, by its canonical name."""

    def __init__(self, tensor, precision="f32"):
        super().__init__(precision)
        self.tensor = tensor

    def uniform(self, seed, op, operand, shape):
        return self.type(uniform(seed, op, operand, self.tensor, shape))

    def _rescale(self, kept, whole, density, rescale):
        if rescale == "density":
            return kept / self.s(density)
        if rescale == "l1":
            sums = [np.sum(np.abs(x).astype(np.float64)) for x in (whole, kept)]
            return kept if min(sums) < 1e-7 else self.s(sums[0] / sums[1]) * kept
        return kept

    def drop(self, delta, density, seed, op, entry, rescale):
        if density >= 1:
            return delta
        if density <= 0:
            return np.zeros_like(delta)
        drawn = self.uniform(seed, op, entry, delta.shape)
        kept = np.where(drawn < self.s(density), delta, self.s(0))
        return self._rescale(kept, delta, density, rescale)

    def drop_by_rank(self, delta, density, epsilon, seed, op, entry, rescale, within):
        if density >= 1 or density <= 0 or epsilon == 0:
            return self.drop(delta, density, seed, op, entry, rescale)
        chance = self.s(density - epsilon) + self.s(2 * epsilon) * self.type(shares(delta, within))
        drawn = self.uniform(seed, op, entry, delta.shape)
        kept = np.where(drawn < chance, delta, self.s(0))
        if rescale == "density":
            return kept / np.where(chance == 0, self.s(1), chance)
        return self._rescale(kept, delta, density, rescale)

    def _summed(self, base, kept, weights, normalize, factor):
        terms = [self.s(w) * k for w, k in zip(weights, kept)]
        total = sum(terms[1:], start=terms[0])
        if normalize:
            weight = self.s(0)
            for w in weights:
                weight = weight + self.s(w)
            total = total / weight
        return base + self.s(factor) * total

    def _elected(self, base, kept, weights, normalize, factor, sign):
        terms = [self.s(w) * k for w, k in zip(weights, kept)]
        votes = terms if sign == "total" else [np.sign(k) for k in terms]
        votes = sum(votes[1:], start=votes[0])
        elected = np.sign(votes) if sign == "majority" else np.where(votes >= 0, 1, -1)
        agreed = [np.where(np.sign(k) == elected, k, self.s(0)) for k in terms]
        result = sum(agreed[1:], start=agreed[0])
        if normalize:
            counted = [np.where(k != 0, self.s(w), self.s(0)) for k, w in zip(agreed, weights)]
            share = sum(counted[1:], start=counted[0])
            result = np.where(share != 0, result / np.where(share != 0, share, self.s(1)), result)
        return base + self.s(factor) * result

    def dare_linear(self, base, of, weights, density, seed=0, rescale="density", normalize=False, factor=1.0):
        kept = [self.drop(x - base, p, seed, "dare_linear", i, rescale) for i, (x, p) in enumerate(zip(of, density))]
        return self._summed(base, kept, weights, normalize, factor)

    def dare_ties(self, base, of, weights, density, seed=0, rescale="density", normalize=False, factor=1.0, sign="total"):
        kept = [self.drop(x - base, p, seed, "dare_ties", i, rescale) for i, (x, p) in enumerate(zip(of, density))]
        return self._elected(base, kept, weights, normalize, factor, sign)

    def della_linear(self, base, of, weights, density, epsilon, seed=0, rescale="density", normalize=False, factor=1.0,
                     ranks="row"):
        kept = [self.drop_by_rank(x - base, p, e, seed, "della_linear", i, rescale, ranks)
                for i, (x, p, e) in enumerate(zip(of, density, epsilon))]
        return self._summed(base, kept, weights, normalize, factor)

    def della(self, base, of, weights, density, epsilon, seed=0, rescale="density", normalize=True, factor=1.0,
              sign="total", ranks="row"):
        kept = [self.drop_by_rank(x - base, p, e, seed, "della", i, rescale, ranks)
                for i, (x, p, e) in enumerate(zip(of, density, epsilon))]
        return self._elected(base, kept, weights, normalize, factor, sign)

    def noise(self, a, strength, seed=0, unit="deviation"):
        wide = np.float64(self.s(strength))
        if unit == "deviation":
            mean = self.s(np.sum(a.astype(np.float64)) / a.size)
            centred = (a - mean).astype(np.float64)
            wide = wide * np.sqrt(np.sum(centred * centred) / a.size)
        return a + self.s(wide) * self.type(normal(seed, "noise", 0, self.tensor, a.shape))

    def dropout(self, base, of, probability=0.9, rescale=1.0, overlap=1.0, emphasis=0.0, factor=1.0, seed=0):
        n = len(of)
        if probability == 1:
            return base
        if overlap == 1:
            keep = self.s(1 - probability)
            masks = [self.uniform(seed, "dropout", i, base.shape) < keep for i in range(n)]
        else:
            drawn = self.uniform(seed, "dropout", 0, base.shape)
            ends = (1 - probability) * np.cumsum(set_chances(n, overlap, probability, emphasis))
            which = np.searchsorted(ends.astype(self.type), drawn, side="right")  # 0: the first set, that of model 0
            masks = [(which < 2**n - 1) & ((which + 1) >> i & 1 == 1) for i in range(n)]
        terms = [np.where(mask, x - base, self.s(0)) for mask, x in zip(masks, of)]
        total = sum(terms[1:], start=terms[0])
        count = sum(self.type(mask) for mask in masks)
        mean = total / np.where(count == 0, self.s(1), count)
        return base + self.s(factor) * (mean / self.s((1 - probability) ** rescale))


def set_chances(n, overlap, probability, emphasis):
    """Of each set of models but the empty one, by its bits."""
    sizes = np.array([bin(i).count("1") for i in range(1, 2**n)])
    if overlap == 0:
        chances = (sizes == 1).astype(float)
    else:
        exponents = np.tan(np.pi * (overlap - 0.5)) * sizes
        chances = np.exp(exponents - exponents.max())
    binomial = probability**sizes * (1.0 - probability) ** (n - sizes)
    share = emphasis * (1 - abs(2 * overlap - 1))
    return (1 - share) * chances / chances.sum() + share * binomial / binomial.sum()
