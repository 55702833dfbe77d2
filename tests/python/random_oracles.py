"""What random recipes ask of operators beside what the oracles of this folder take by themselves: every word, numbers of every entry,
and what is a matter of all tensors of a model. Read from the reference page and the papers, like those."""

import dataclasses

import numpy as np

import oracle_diffusion
import oracle_vectors
import oracles
from oracle_exact import Exact, total_of

# Operator -> (module, function, what keys of a step are called there), of functions that have more numbers than a step gives as a rule.
FUNCTIONS = {
    "core_space": ("oracle_algebra", "core_space_merge", {"of": "models", "lambda": "factor", "merge": "merge", "rank": "rank"}),
    "truncate_rank": ("oracle_algebra", "truncate_rank", {"ratio": "ratio", "rank": "rank"}),
    "frequency": ("oracle_algebra", "frequency", {"from": "start", "to": "end"}),
    "karcher": ("oracle_vectors", "karcher", {"of": "models", "iterations": "iterations", "tolerance": "tolerance"}),
}

# These say something of a recipe and nothing of a value.
SAY_NOTHING = {"seed_shared", "vae"}


class Words(Exact):
    """Numbers that entries may have of their own are lists of one for each."""

    def _rescaled(self, whole, kept, density, rescale):
        if density >= 1 or rescale == "none":
            return kept
        if rescale == "density":
            return kept / self.s(density)
        return self.type(oracle_vectors.rescale(whole.astype(np.float64), kept.astype(np.float64), "l1", density))

    def ties(self, base, of, weights, density, normalize=True, factor=1.0, sign="total", trim="paper", rescale="none", combine="mean"):
        if combine != "mean":
            return oracle_vectors.ties(base, of, weights, density, normalize, sign, factor, trim, rescale, combine)
        deltas = [x - base for x in of]
        kept = [self._rescaled(d, oracle_vectors.trim(d, p, trim).astype(self.type), p, rescale) for d, p in zip(deltas, density)]
        return self._elected(base, kept, weights, normalize, factor, sign)

    def _crumbs(self, base, of, density, gamma, rescale):
        kept = [oracle_vectors.trim_both_ends(x - base, p, top).astype(self.type) for x, p, top in zip(of, density, gamma)]
        return [self._rescaled(x - base, k, p, rescale) for x, k, p in zip(of, kept, density)]

    def breadcrumbs(self, base, of, weights, density, gamma, rescale="none", normalize=False, factor=1.0):
        return super().breadcrumbs(base, of, weights, density, gamma, rescale, normalize, factor)

    def breadcrumbs_ties(self, base, of, weights, density, gamma, rescale="none", normalize=False, factor=1.0, sign="total"):
        return super().breadcrumbs_ties(base, of, weights, density, gamma, rescale, normalize, factor, sign)

    def sce(self, base, of, select=1.0, weights="squares"):
        """What varies as much as the last that is kept is kept as well: of variances in f32, by the squares of all pairs."""
        if select < 1:
            pairs = [(x - y) * (x - y) for i, x in enumerate(of) for y in of[:i]]
            variance = total_of(pairs) / self.s(len(of) ** 2)
            limit = oracle_vectors.magnitude_limit(variance, int(select * np.count_nonzero(variance)))
            of = [np.where(variance >= limit, x, base) for x in of]
        return oracle_vectors.sce(base, of, 1.0, weights)

    def consensus(self, base, of, weights, threshold, least=2, task=None, factor=1.0):
        deltas = [x - base for x in of]
        plain = total_of(deltas)
        own = [np.abs(d) >= self.s(t) * np.abs(plain - d) for d, t in zip(deltas, threshold)]
        kept = own[task - 1] if task else total_of([x.astype(int) for x in own]) >= least
        return base + self.s(factor) * np.where(kept, total_of([self.s(w) * d for w, d in zip(weights, deltas)]), self.s(0))

    def _own(self, base, of, task):
        """The difference of the model that the task is of, and what of the unified one has its sign."""
        unified = super().emr(np.zeros_like(base), [x - base for x in of])
        own = of[task - 1] - base
        return own, np.where(np.sign(own) * np.sign(unified) > 0, unified, self.s(0))

    def emr(self, base, of, task=None, scale="tensor", factor=1.0):
        if task is None:
            return super().emr(base, of, factor)
        return self._scaled(base, self._own(base, of, task), [self._own(base, of, task)], factor)

    def _scaled(self, base, here, pairs, factor, mean=np.sum):
        sums = [sum(mean(np.abs(pair[i]).astype(np.float64)) for pair in pairs) for i in (0, 1)]
        return base + self.s(factor) * (self.s(sums[0] / sums[1] if sums[1] else 0) * here[1])

    def clamp(self, a, low=None, high=None, to=None, stiffness=0.0):
        if not stiffness:
            return super().clamp(a, low, high, to)
        low, high, middle = np.min(to, axis=0), np.max(to, axis=0), total_of(to) / self.s(len(to))
        above = np.min([np.where(x >= middle, x, high) for x in to], axis=0)
        below = np.max([np.where(x <= middle, x, low) for x in to], axis=0)
        inwards = self.s(stiffness)
        return np.minimum(np.maximum(a, low + inwards * (below - low)), high + inwards * (above - high))

    def cabs(self, base, of, weights, density, factor=1.0, group=256):
        taken = np.zeros(base.size, bool)
        terms = []
        for x, weight, share in zip(of, weights, density):
            free = np.where(taken, self.s(0), (x - base).reshape(-1))
            kept = np.zeros(base.size, bool)
            count = int(np.floor(share * group + 0.5))  # of a whole group: half a one is one
            for first in range(0, base.size, group):
                part = np.abs(free[first:first + group])
                kept[first + np.argsort(-part, kind="stable")[:-(-count * part.size // group)]] = True
            terms.append(self.s(weight) * np.where(kept, free, self.s(0)))
            taken |= kept & (free != 0)
        return base + self.s(factor) * total_of(terms).reshape(base.shape)

    def model_stock(self, base, of, by="tensor"):
        return super().model_stock(base, of) if by == "tensor" else oracle_vectors.model_stock(base, of, by)

    def norm_match(self, a, b, alpha, by="tensor"):
        return super().norm_match(a, b, alpha) if by == "tensor" else oracle_diffusion.norm_match_rows(a, b, alpha)

    def slerp(self, a, b, alpha, length="arc"):
        return super().slerp(a, b, alpha) if length == "arc" else oracle_vectors.slerp(a, b, alpha, length)

    def tensor_sum(self, a, b, width, offset=0.0, ends="rounded"):
        return oracle_diffusion.tensor_sum(a, b, width, offset, rounding=round if ends == "rounded" else int)


def all_oracles(operators):
    """Operator -> Oracle, whose numbers by entry are those that the operators declare so."""
    found = oracles.all_oracles()
    found |= {name: oracles.of_function(*row) for name, row in FUNCTIONS.items()}
    found |= {name: oracles.of_class(Words, name) for name, method in vars(Words).items()
              if callable(method) and not name.startswith("_")}
    for op in operators:
        if op["name"] in found:
            by_entry = {parameter["name"] for parameter in op["parameters"] if parameter["by_entry"]}
            found[op["name"]] = dataclasses.replace(found[op["name"]], by_entry=by_entry)
    return found


def is_of_whole_models(step):
    """Whether numbers of a step come of all tensors that it computes."""
    if step["op"] in ("cosine_a", "cosine_b"):
        return step.get("scope", "model") == "model"
    return step["op"] == "emr" and step.get("scale") in ("model", "means") and "task" in step


def compute_of_whole(op, tensor, arguments):
    """Of one tensor, where arguments are by the names of all."""
    if op == "emr":
        words, own = Words(), arguments[tensor]
        pairs = {name: words._own(its["base"], its["of"], its["task"]) for name, its in arguments.items()}
        mean = np.mean if own["scale"] == "means" else np.sum
        return words._scaled(own["base"], pairs[tensor], pairs.values(), own.get("lambda", 1.0), mean)
    a, b = ({name: its[letter] for name, its in arguments.items()} for letter in "ab")
    return oracle_diffusion.cosine_model(a, b, arguments[tensor]["alpha"], op == "cosine_b")[tensor]
