"""Formulas of operator_values.py that are more than a line, in dtype t: each product, sum and quotient rounded by itself, in
the order in which the reference page writes them."""

import numpy as np


def train_difference(t, a, b, c, alpha):
    whole = np.abs(b - c) + np.abs(b - a)
    with np.errstate(invalid="ignore"):
        ratio = np.where(whole == 0, t(0), np.abs(b - a) / whole)
    return a + ((t(1.8) * t(alpha)) * (b - c)) * ratio


def lesser(x, y):
    return np.where((x < y) | ((x == y) & np.signbit(x)), x, y)  # -0 is below +0


def greater(x, y):
    return -lesser(-x, -y)


def stiff_clamp(t, a, models, stiffness):
    """Limits that go towards the models next to the mean."""
    mean = sum(models[1:], start=models[0]) / t(len(models))
    low, high = models[0], models[0]
    for x in models[1:]:
        low, high = lesser(low, x), greater(high, x)
    inner_low, inner_high = low, high
    for x in models:
        inner_high = lesser(inner_high, np.where(x < mean, high, x))
        inner_low = greater(inner_low, np.where(mean < x, low, x))
    low = low + t(stiffness) * (inner_low - low)
    high = high + t(stiffness) * (inner_high - high)
    return lesser(greater(a, low), high)


def linear(t, terms, weights, normalize):
    total = t(weights[0]) * terms[0]
    weight = t(weights[0])
    for term, w in zip(terms[1:], weights[1:]):
        total = total + t(w) * term
        weight = weight + t(w)
    return total / weight if normalize else total


def quotient(x, y):
    """x where y is 0."""
    return np.where(y == 0, x, x / np.where(y == 0, 1, y))


def with_sign(x, y):
    """x where it has the sign of y, of which 0 has +; else 0."""
    return np.where(np.sign(x) == np.where(y >= 0, 1, -1), x, 0).astype(x.dtype)


def add_to_base(t, base, terms, factor=1.0):
    return base + t(factor) * sum(terms[1:], start=terms[0])


def task_arithmetic(t, base, of, weights, normalize=False, factor=1.0):
    terms = [t(w) * (x - base) for x, w in zip(of, weights)]
    total = sum(terms[1:], start=terms[0])
    if normalize:
        total = total / sum(map(t, weights[1:]), start=t(weights[0]))
    return base + t(factor) * total


def cabs(t, base, of, weights, density, factor=1.0, group=256):
    taken, terms = np.zeros(base.size, bool), []
    for x, weight in zip(of, weights):
        free = np.where(taken, 0, x - base).astype(t)
        kept = np.zeros(base.size, bool)
        for first in range(0, base.size, group):
            part = np.abs(free[first:first + group])
            count = -(-round(density * group) * part.size // group)
            kept[first + np.argsort(-part, kind="stable")[:count]] = True
        taken |= kept & (free != 0)
        terms.append(t(weight) * np.where(kept, free, 0).astype(t))
    return add_to_base(t, base, terms, factor)


def consensus(t, base, of, weights, threshold, least, task, factor=1.0):
    deltas = [x - base for x in of]
    terms = [t(w) * d for w, d in zip(weights, deltas)]
    total = sum(terms[1:], start=terms[0])
    plain = sum(deltas[1:], start=deltas[0])
    own = [np.abs(d) >= t(threshold) * np.abs(plain - d) for d in deltas]
    mask = own[task - 1] if task else sum(each.astype(int) for each in own) >= least
    return base + t(factor) * np.where(mask, total, 0).astype(t)


def ram(t, base, of, epsilon):
    changes = [np.where(np.abs(x - base) > t(epsilon), x - base, 0).astype(t) for x in of]
    count = sum((change != 0).astype(t) for change in changes)
    return base + quotient(sum(changes[1:], start=changes[0]), count).astype(t)


def nearswap(t, a, b, limit):
    share = np.minimum(t(limit) / np.maximum(np.abs(a - b), t(1e-6)), t(1))
    return share * b + (t(1) - share) * a


def rows(outside, inside, first, end):
    """Of 16 values in 4 rows."""
    result = outside.copy()
    result[4 * first:4 * end] = inside[4 * first:4 * end]
    return result


def opposite(x, y):
    """How far they go opposite ways, from 0 to 1."""
    larger = np.maximum(np.abs(x), np.abs(y))
    together = -(quotient(x, larger) * quotient(y, larger))
    return np.where(together > 0, together, 0).astype(x.dtype)


def add_opposite(t, a, b, c, alpha, where="apart"):
    x, y = a - c, b - c
    if where == "opposite":
        share = opposite(x, y)
    else:
        share = quotient(np.abs(x - y), np.abs(x - y) + np.abs(x + y)).astype(t)
    return a + (t(2) * t(alpha)) * share * y


def similarity_add_difference(t, a, b, c, alpha, beta):
    larger = np.maximum(np.abs(a), np.abs(b))
    product = (quotient(a, larger) * quotient(b, larger)).astype(t)
    alike = (t(beta) * t(0.5)) * ((product + (larger == 0).astype(t)) + t(1))
    half = t(alpha) * t(0.5)
    added = a + t(alpha) * (b - c)
    blended = (t(1) - half) * a + half * b
    return (t(1) - alike) * added + alike * blended


def wide(function, t, *values):
    """In f64, rounded once."""
    return function(*(np.asarray(value, np.float64) for value in values)).astype(t)


def geometric_sum(t, a, b, alpha):
    """The real part of a^(1 - alpha) * b^alpha, of which a number below 0 has half a turn."""
    alpha = t(alpha)
    rest = t(1) - alpha
    size = wide(np.power, t, np.abs(a), rest) * wide(np.power, t, np.abs(b), alpha)
    turns = rest.astype(np.float64) * (a < 0) + alpha.astype(np.float64) * (b < 0)
    turn = np.where((a < 0) & (b < 0), -1.0, np.cos(np.pi * turns)).astype(t)
    return size * turn


def multiply_difference(t, a, b, c, alpha, beta):
    alpha, beta = t(alpha), t(beta)
    size = wide(np.power, t, np.abs(a - c), t(1) - alpha) * wide(np.power, t, np.abs(b - c), alpha)
    sign = ((t(1) - beta) * a + beta * b) - c
    return c + np.where(sign >= 0, size, -size)


def multiply_quotient(t, a, b, c, alpha):
    with np.errstate(divide="ignore", invalid="ignore"):
        x = wide(np.log, t, np.abs(a)) - wide(np.log, t, np.abs(c))
        y = wide(np.log, t, np.abs(b)) - wide(np.log, t, np.abs(c))
        exponent = t(alpha) * opposite(x, y)
        turn = wide(np.cos, t, exponent * np.where(b * c < 0, t(np.pi), t(0)))
        result = a * (wide(np.exp, t, exponent * y) * turn)
    return np.where(np.isnan(result), a, result)
