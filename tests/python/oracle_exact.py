"""Methods of + - * /, square roots, minima, maxima and comparisons once more in f32, each product and each sum rounded by itself, in
the order of the reference page: every bit of them is known. What is only chosen or moved is that of the files beside this one."""

import numpy as np

import oracle_diffusion
import oracle_vectors
from oracle import Arithmetic


def total_of(terms):
    return sum(terms[1:], start=terms[0])


class Exact(Arithmetic):
    """Lists of fine-tunes as operators take them; numbers that entries may have of their own are lists, and have no default."""

    def _quotient(self, x, y):
        return np.where(y != 0, x / np.where(y != 0, y, self.s(1)), self.s(0))

    def _summed(self, base, terms, weights, normalize, factor):
        total = total_of([self.s(w) * x for w, x in zip(weights, terms)])
        return base + self.s(factor) * (total / total_of([self.s(w) for w in weights]) if normalize else total)

    def _elected(self, base, terms, weights, normalize, factor, sign):
        agreed = [x.astype(self.type) for x in oracle_vectors.agreed(terms, [self.s(w) for w in weights], sign)]
        total = total_of(agreed)
        if normalize:
            share = total_of([np.where(x != 0, self.s(w), self.s(0)) for x, w in zip(agreed, weights)])
            total = np.where(share != 0, total / np.where(share != 0, share, self.s(1)), total)
        return base + self.s(factor) * total

    def _crumbs(self, base, of, density, gamma, rescale):
        kept = [oracle_vectors.trim_both_ends(x - base, p, gamma).astype(self.type) for x, p in zip(of, density)]
        if rescale == "l1":
            return [self.type(oracle_vectors.rescale((x - base).astype(np.float64), k.astype(np.float64), rescale, p))
                    for x, k, p in zip(of, kept, density)]
        return [k / self.s(p) if rescale == "density" and p < 1 else k for k, p in zip(kept, density)]

    def task_arithmetic(self, base, of, weights, normalize=False, factor=1.0):
        return self._summed(base, [x - base for x in of], weights, normalize, factor)

    def breadcrumbs(self, base, of, weights, density, gamma=0.01, rescale="none", normalize=False, factor=1.0):
        return self._summed(base, self._crumbs(base, of, density, gamma, rescale), weights, normalize, factor)

    def breadcrumbs_ties(self, base, of, weights, density, gamma=0.01, rescale="none", normalize=False, factor=1.0, sign="total"):
        return self._elected(base, self._crumbs(base, of, density, gamma, rescale), weights, normalize, factor, sign)

    def nearswap(self, a, b, t):
        share = np.minimum(self.s(t) / np.maximum(np.abs(a - b), self.s(1e-6)), self.s(1))
        return share * b + (self.s(1) - share) * a

    def _changes(self, base, of, epsilon):
        changes = [np.where(np.abs(x - base) > self.s(epsilon), x - base, self.s(0)) for x in of]
        return changes, sum(self.type(x != 0) for x in changes)

    def ram(self, base, of, epsilon=1e-5):
        changes, count = self._changes(base, of, epsilon)
        return base + self._quotient(total_of(changes), count)

    def ramplus_tl(self, base, of, epsilon=1e-5, r=0.1, alpha=0.2):
        changes, count = self._changes(base, of, epsilon)
        boosted = self.s(0)
        for change in changes:
            unique = float(np.count_nonzero((change != 0) & (count == 1)))
            shared = np.count_nonzero(change) - unique
            boosted = boosted + self.s(1 + r * min(max(shared / max(unique, epsilon), 0), alpha)) * change
        return base + np.where(count == 1, boosted, self._quotient(total_of(changes), count))

    def cabs(self, base, of, weights, density, factor=1.0):
        taken = np.zeros(base.size, bool)
        terms = []
        for x, weight, share in zip(of, weights, density):
            free = np.where(taken, self.s(0), (x - base).reshape(-1))
            kept = np.zeros(base.size, bool)
            for first in range(0, base.size, 256):
                part = np.abs(free[first:first + 256])
                kept[first + np.argsort(-part, kind="stable")[:-(-round(share * 256) * part.size // 256)]] = True
            terms.append(self.s(weight) * np.where(kept, free, self.s(0)))
            taken |= kept & (free != 0)
        return base + self.s(factor) * total_of(terms).reshape(base.shape)

    def emr(self, base, of, factor=1.0):
        deltas = [x - base for x in of]
        sign = np.sign(total_of(deltas))
        largest = np.max([np.where(np.sign(d) == sign, np.abs(d), self.s(0)) for d in deltas], axis=0)
        return base + self.s(factor) * (sign * largest)

    def consensus(self, base, of, weights, threshold=0.4, factor=1.0):
        """Of at least two."""
        deltas = [x - base for x in of]
        plain = total_of(deltas)
        own = [np.abs(d) >= self.s(threshold) * np.abs(plain - d) for d in deltas]
        total = total_of([self.s(w) * d for w, d in zip(weights, deltas)])
        return base + self.s(factor) * np.where(total_of([x.astype(int) for x in own]) >= 2, total, self.s(0))

    def aoe(self, base, of, weights, threshold, distance="rms"):
        unit = np.sqrt(base.size) if distance == "rms" else self.norm(base)
        if max(self.norm(x - base) / (unit or 1) for x in of) <= self.s(threshold):
            return base
        for weight, delta in [(weight, x - base) for x, weight in zip(of, weights)]:
            base = base + self.s(weight) * delta
        return base

    def add_opposite(self, a, b, c, alpha, where="apart"):
        of_a, of_b = a - c, b - c
        if where == "opposite":
            larger = np.maximum(np.abs(of_a), np.abs(of_b))
            share = np.maximum(-(self._quotient(of_a, larger) * self._quotient(of_b, larger)), self.s(0))
        else:
            apart = np.abs(of_a - of_b)
            share = self._quotient(apart, apart + np.abs(of_a + of_b))
        return a + ((self.s(2) * self.s(alpha)) * share) * of_b

    def similarity_add_difference(self, a, b, c, alpha, beta=1.0):
        larger = np.maximum(np.abs(a), np.abs(b))
        product = self._quotient(a, larger) * self._quotient(b, larger)
        alike = (self.s(beta) * self.s(0.5)) * ((product + self.type(larger == 0)) + self.s(1))
        half = self.s(alpha) * self.s(0.5)
        blended = (self.s(1) - half) * a + half * b
        return (self.s(1) - alike) * (a + self.s(alpha) * (b - c)) + alike * blended

    def tensor_sum(self, a, b, width, offset=0.0):
        return oracle_diffusion.tensor_sum(a, b, width, offset)

    def tensor_sum_2(self, a, b, width, offset=0.0, ends="rounded"):
        return oracle_diffusion.tensor_sum_2(a, b, width, offset, ends)

    def top_k_tensor_sum(self, a, b, width=1.0, offset=0.0):
        return oracle_diffusion.top_k_tensor_sum(a, b, width, offset)
