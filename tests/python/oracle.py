"""The operators once more, in numpy: each product and each sum rounded by itself, in the order in
which the reference page writes the formula. And the rounding to storage, once more."""

import numpy as np

# dtype name -> (exponent bits, mantissa bits, has infinity)
FORMATS = {"F16": (5, 10, True), "BF16": (8, 7, True), "F8_E4M3": (4, 3, False), "F8_E5M2": (5, 2, True)}


def round_once(values, name, dtype):
    """f64 to a narrow format with one rounding, to nearest, ties to even; without NaN and overflow."""
    exponent_bits, mantissa_bits, _ = FORMATS[name]
    smallest = 2 - 2 ** (exponent_bits - 1)  # exponent of the smallest normal number
    _, exponent = np.frexp(values)
    quantum = np.maximum(exponent - 1, smallest) - mantissa_bits
    return np.ldexp(np.rint(np.ldexp(values, -quantum)), quantum).astype(dtype)


class Arithmetic:
    """Formulas in one working precision."""

    def __init__(self, precision="f32"):
        self.type = np.float64 if precision == "f64" else np.float32

    def load(self, array):
        with np.errstate(over="ignore"):
            return array.astype(self.type)

    def s(self, value):
        return self.type(value)

    def weighted_sum(self, a, b, alpha):
        alpha = self.s(alpha)
        return (self.s(1) - alpha) * a + alpha * b

    def add_difference(self, a, b, c, alpha):
        return a + self.s(alpha) * (b - c)

    def add(self, a, b, alpha=1.0):
        return a + self.s(alpha) * b

    def subtract(self, a, b):
        return a - b

    def scale(self, a, factor):
        return self.s(factor) * a

    def multiply(self, a, b):
        return a * b

    def linear(self, of, weights, normalize=False):
        total, scale = None, None
        for x, weight in zip(of, weights):
            weight = self.s(weight)
            total = weight * x if total is None else total + weight * x
            scale = weight if scale is None else scale + weight
        return total / scale if normalize else total

    def average(self, of):
        return self.linear(of, [1.0] * len(of), normalize=True)

    def sum_twice(self, a, b, c, alpha, beta):
        return self.weighted_sum(self.weighted_sum(a, b, alpha), c, beta)

    def triple_sum(self, a, b, c, alpha, beta):
        alpha, beta = self.s(alpha), self.s(beta)
        return (self.s(1) - (alpha + beta)) * a + alpha * b + beta * c

    def train_difference(self, a, b, c, alpha):
        difference = b - c
        near, far = np.abs(difference), np.abs(b - a)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = far / (near + far)
        ratio = np.where(near + far == 0, self.s(0), ratio)
        return a + ((self.s(1.8) * self.s(alpha)) * difference) * ratio

    def clamp(self, a, low=None, high=None, to=None):
        if to is not None:
            low, high = to[0], to[0]
            for x in to[1:]:
                low, high = np.minimum(low, x), np.maximum(high, x)
        if low is not None:
            a = np.maximum(a, self.type(low) if np.isscalar(low) else low)
        if high is not None:
            a = np.minimum(a, self.type(high) if np.isscalar(high) else high)
        return a

    def maximum(self, a, b, alpha=1.0):
        return a + self.s(alpha) * (np.maximum(a, b) - a) if alpha != 1 else np.maximum(a, b)

    def passthrough(self, a, scale=1.0):
        return self.s(scale) * a

    def fallback(self, a, b):
        """Where a has the tensor."""
        return a

    def copy(self, a):
        return a

    def norm(self, x):
        return np.sqrt(np.sum(np.square(x.astype(np.float64))))

    def dot(self, x, y):
        return np.sum(x.astype(np.float64) * y.astype(np.float64))

    def slerp(self, a, b, alpha):
        t = self.s(alpha)
        rest = self.s(1) - t
        lengths = [norm if norm > 1e-8 else 1.0 for norm in (self.norm(a), self.norm(b))]
        cosine = self.dot(a, b) / (lengths[0] * lengths[1])
        if abs(cosine) > 0.9995:
            return rest * a + t * b
        angle = np.arccos(cosine)
        first, second = (self.s(np.sin(np.float64(part) * angle) / np.sin(angle)) for part in (rest, t))
        return first * a + second * b

    def norm_match(self, a, b, alpha):
        t = self.s(alpha)
        rest = self.s(1) - t
        own = self.norm(b)
        if own <= 1e-8:
            return b
        return self.s((np.float64(rest) * own + np.float64(t) * self.norm(a)) / own) * b

    def crossover(self, a, b, alpha, tilt=0.0):
        """sd-mecha's formula, computed in f64; for comparison with a tolerance."""
        bins = np.fft.rfftn(a.astype(np.float64)), np.fft.rfftn(b.astype(np.float64))
        axes = []
        for d, size in enumerate(bins[0].shape):
            half = size // 2
            last = d + 1 == bins[0].ndim or size == 1
            axes.append(np.linspace(0, 1, size) if last else np.concatenate(
                [np.linspace(0, (size - 1) // 2, size - half), np.linspace(half, 1, half)]) / half)
        radius = np.sqrt(sum(g ** 2 for g in np.meshgrid(*axes, indexing="ij")) / len(axes))
        inverted = 2 < tilt < 4
        share = 1 - alpha if inverted else alpha
        if tilt in (0, 4):
            passed = (radius > 1 - share).astype(float)
        elif tilt == 2:
            passed = (radius < 1 - share).astype(float)
        else:
            slope = 1 / np.tan(np.pi * tilt / 2)
            start = share * slope + share - slope if tilt <= 1 or 2 < tilt <= 3 else share - share * slope
            passed = np.clip(slope * radius + start, 0, 1)
        passed = 1 - passed if inverted else passed
        return np.fft.irfftn((1 - passed) * bins[0] + passed * bins[1], s=a.shape, axes=range(a.ndim))

    def trim(self, delta, density):
        keep = int(density * delta.size)
        magnitude = np.abs(delta.astype(np.float32))
        limit = np.sort(magnitude, axis=None)[delta.size - keep] if keep else np.inf
        return np.where(magnitude >= limit, delta, self.s(0))

    def ties(self, base, of, weights, density=0.2, normalize=True, factor=1.0, sign="total"):
        kept = [self.s(w) * self.trim(x - base, density) for x, w in zip(of, weights)]
        votes = kept if sign == "total" else [np.sign(k) for k in kept]
        votes = sum(votes[1:], start=votes[0])
        elected = np.sign(votes) if sign == "majority" else np.where(votes >= 0, 1, -1)
        agreed = [np.where(np.sign(k) == elected, k, self.s(0)) for k in kept]
        result = sum(agreed[1:], start=agreed[0])
        if normalize:
            counted = [np.where(k != 0, self.s(w), self.s(0)) for k, w in zip(agreed, weights)]
            share = sum(counted[1:], start=counted[0])
            result = np.where(share != 0, result / np.where(share != 0, share, self.s(1)), result)
        return base + self.s(factor) * result if factor != 1 else base + result

    def model_stock(self, base, of):
        deltas = [x - base for x in of]
        cosines = []
        for i, x in enumerate(deltas):
            for y in deltas[:i]:
                norms = self.norm(x) * self.norm(y)
                cosines.append(np.clip(self.dot(x, y) / norms, -1, 1) if norms > 0 else 0.0)
        cosine = max(sum(cosines) / len(cosines), 0)
        n = len(of)
        ratio = n * cosine / (1 + (n - 1) * cosine)
        mean = sum(of[1:], start=of[0]) / self.s(n)
        return self.s(ratio) * mean + self.s(1 - ratio) * base
