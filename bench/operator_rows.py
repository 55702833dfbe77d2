"""The merge methods that operators_bench.py measures: each a step of ours beside the same of mergekit 0.1.5 and sd-mecha 1.1.8.

Peers merge the VAE as everything else, so these steps name it. What two tools call by one name may differ in a default (which
of equal magnitudes are kept, what is a row of a convolution); the work is the same. sd-mecha's truncate_rank, which by default
approximates by a random subspace, is told to be exact as ours is. Of the registries these are left out:
sd-mecha's rebasin, randperm and balance_attention, which know SDXL alone or have nothing of ours beside them; exchange_ema, at
which its graphs stop; what makes adapters or converts names; and parts of graphs that compute nothing."""

from dataclasses import dataclass


@dataclass
class Method:
    """A step of ours, what it is measured against, and the same of others. Of sd-mecha a graph of bench/peers/sd_mecha_merge.py
    and its parameters; of mergekit a method, its parameters and whether the first file is a base (1 or 0)."""

    inputs: str  # letters of files; p is a without its largest block
    step: str
    against: str = ""
    limit: float = 0  # of the ratio to that
    passes: int = 1  # the limit is for each
    mergekit: tuple = ()
    mecha: tuple = ()
    whole: bool = False  # transforms, sorts or decomposes whole tensors: no goal of 5 times, nor of memory
    part: bool = False  # takes minutes of a whole model: measured on a share of the tensors


def everywhere(number):
    """A number that is the VAE's too."""
    return f"{{default: {number}, vae: {number}}}"


def weighted(**weights):
    return "[" + ", ".join(f"{{model: {model}, weight: {everywhere(weight)}}}" for model, weight in weights.items()) + "]"


OF = weighted(b=0.6, c=0.4)
BASE = f"base: a, of: {OF}"
PLAIN = "base: a, of: [b, c]"
TWO = {"weight": [0.6, 0.4]}
THIN = {**TWO, "density": 0.3}
SEEDED = f"{BASE}, density: 0.3, seed: 1"
ALPHA = f"alpha: {everywhere(0.3)}"
PAIR = f"a: a, b: b, {ALPHA}"
THREE = f"a: a, b: b, c: c, {ALPHA}"
SHARE = {"alpha": 0.3}

METHODS = {
    # Those that the project has limits for come first, then the cheap ones.
    "weighted_sum": Method("ab", f"{{op: weighted_sum, {PAIR}}}",
                           mergekit=("linear", {"weight": [0.7, 0.3]}, 0), mecha=("weighted_sum", SHARE)),
    "linear": Method("abc", f"{{op: linear, of: {weighted(a=0.5, b=0.3, c=0.2)}}}",
                     mergekit=("linear", {"weight": [0.5, 0.3, 0.2]}, 0)),
    "slerp": Method("ab", f"{{op: slerp, {PAIR}}}", "weighted_sum", 1.6,
                    mergekit=("slerp", {"t": 0.3}, 1), mecha=("slerp", SHARE)),
    "model_stock": Method("abc", f"{{op: model_stock, {PLAIN}, vae: true}}", "linear", 2, mergekit=("model_stock", {}, 1)),
    "ties": Method("abc", f"{{op: ties, {BASE}, density: 0.3}}", "linear", 2.75,
                   mergekit=("ties", THIN, 1), mecha=("ties_sum", {"k": 0.3})),
    "dare_ties": Method("abc", f"{{op: dare_ties, {SEEDED}}}", "linear", 2.5, mergekit=("dare_ties", THIN, 1),
                        mecha=("add_ties_with_dare", {"probability": 0.7, "seed": 1, "apply_stock": True})),
    "della": Method("abc", f"{{op: della, {SEEDED}, epsilon: 0.1}}", "linear", 8,
                    mergekit=("della", {**THIN, "epsilon": 0.1}, 1),
                    mecha=("add_ties_with_dare", {"probability": 0.7, "della_eps": 0.2, "seed": 1, "apply_stock": True})),
    "breadcrumbs": Method("abc", f"{{op: breadcrumbs, {BASE}, density: 0.3, gamma: 0.01}}", "linear", 2.5,
                          mergekit=("breadcrumbs", THIN, 1)),
    "cosine_a": Method("ab", f"{{op: cosine_a, {PAIR}}}", "weighted_sum", 2.2, mecha=("add_cosine_a", SHARE)),
    "geometric_median": Method("abc", "{op: geometric_median, of: [a, b, c], vae: true}", "linear", 1.1, passes=2,
                               mecha=("geometric_median", {})),
    "task_arithmetic": Method("abc", f"{{op: task_arithmetic, {BASE}}}", "linear", mergekit=("task_arithmetic", TWO, 1)),
    "add_difference": Method("abc", f"{{op: add_difference, {THREE}}}", "linear", mecha=("add_difference", SHARE)),
    "average": Method("abc", "{op: average, of: [a, b, c], vae: true}", "linear",
                      mergekit=("linear", {"weight": [1, 1, 1]}, 0), mecha=("n_average", {})),
    "train_difference": Method("abc", f"{{op: train_difference, {THREE}}}", "linear", mecha=("train_difference_mask", SHARE)),
    "add_opposite": Method("abc", f"{{op: add_opposite, {THREE}}}", "linear", mecha=("add_opposite_mask", SHARE)),
    "add_opposite where opposite": Method("abc", f"{{op: add_opposite, {THREE}, where: opposite}}", "linear",
                                           mecha=("add_strict_opposite_mask", SHARE)),
    "tensor_sum": Method("ab", f"{{op: tensor_sum, a: a, b: b, width: {everywhere(0.4)}, offset: 0.3}}", "weighted_sum",
                         mecha=("tensor_sum", {"width": 0.4, "offset": 0.3})),
    "passthrough": Method("a", f"{{op: passthrough, a: a, scale: {everywhere(0.7)}}}",
                          mergekit=("passthrough", {"scale": [0.7]}, 0)),
    "scale": Method("ab", f"{{op: add, a: a, alpha: {everywhere(1)}, b: {{op: scale, factor: {everywhere(0.5)}, "
                    "a: {op: subtract, a: b, b: a}}}", "weighted_sum", mecha=("scale", {"alpha": 0.5})),
    "fallback": Method("pa", "{op: fallback, a: p, b: a, vae: true}", mecha=("fallback", {})),
    "clamp": Method("abc", "{op: clamp, a: a, to: [b, c], vae: true}", "linear", mecha=("clamp", {})),
    "nearswap": Method("ab", f"{{op: nearswap, a: a, b: b, t: {everywhere(0.001)}}}", "weighted_sum",
                       mergekit=("nearswap", {"t": 0.001}, 1)),
    "ram": Method("abc", f"{{op: ram, {PLAIN}, epsilon: {everywhere(0.0005)}}}", "linear",
                  mergekit=("ram", {"epsilon": 0.0005}, 1)),
    "ramplus_tl": Method("abc", f"{{op: ramplus_tl, {PLAIN}, epsilon: {everywhere(0.0005)}}}", "linear",
                         mergekit=("ramplus_tl", {"epsilon": 0.0005}, 1)),
    "dare_linear": Method("abc", f"{{op: dare_linear, {SEEDED}}}", "linear", mergekit=("dare_linear", THIN, 1)),
    "dropout": Method("abc", f"{{op: dropout, {PLAIN}, probability: {everywhere(0.7)}, seed: 1}}", "linear",
                      mecha=("dropout", {"probability": 0.7, "alpha": 1.0, "seed": 1})),
    "nuslerp": Method("ab", f"{{op: nuslerp, {PAIR}}}", "weighted_sum", mergekit=("nuslerp", {"weight": [0.7, 0.3]}, 0)),
    "nuslerp of differences": Method("abc", f"{{op: nuslerp, base: a, a: b, b: c, {ALPHA}}}", "linear",
                                      mergekit=("nuslerp", {"weight": [0.7, 0.3]}, 1)),
    "nuslerp by rows": Method("ab", f"{{op: nuslerp, {PAIR}, by: rows}}", "weighted_sum",
                               mergekit=("nuslerp", {"weight": [0.7, 0.3], "nuslerp_flatten": False}, 0)),
    "multislerp": Method("abc", f"{{op: multislerp, of: {weighted(a=0.5, b=0.3, c=0.2)}}}", "linear",
                         mergekit=("multislerp", {"weight": [0.5, 0.3, 0.2]}, 0)),
    "karcher": Method("abc", "{op: karcher, of: [a, b, c], vae: true}", "linear", mergekit=("karcher", {}, 0)),
    "model_stock by filter": Method("abc", f"{{op: model_stock, {PLAIN}, by: filter, vae: true}}", "linear",
                                     mergekit=("model_stock", {"filter_wise": True}, 1), mecha=("n_model_stock", {})),
    "perpendicular": Method("abc", f"{{op: add, a: a, {ALPHA}, b: {{op: perpendicular, a: {{op: subtract, a: a, b: c}}, "
                            "b: {op: subtract, a: b, b: c}, vae: true}}", "linear", mecha=("add_perpendicular", SHARE)),
    "cosine_b": Method("ab", f"{{op: cosine_b, {PAIR}}}", "weighted_sum", mecha=("add_cosine_b", SHARE)),
    "geometric_sum": Method("ab", f"{{op: geometric_sum, {PAIR}}}", "weighted_sum", mecha=("geometric_sum", SHARE)),
    "multiply_quotient": Method("abc", f"{{op: multiply_quotient, {THREE}}}", "linear", mecha=("multiply_quotient", SHARE)),
    "sce": Method("abc", f"{{op: sce, {PLAIN}, select: {everywhere(0.5)}}}", "linear",
                  mergekit=("sce", {"select_topk": 0.5}, 1)),
    "arcee_fusion": Method("ab", "{op: arcee_fusion, a: a, b: b, vae: true}", "weighted_sum",
                           mergekit=("arcee_fusion", {}, 1)),
    "breadcrumbs_ties": Method("abc", f"{{op: breadcrumbs_ties, {BASE}, density: 0.3, gamma: 0.01}}", "linear",
                               mergekit=("breadcrumbs_ties", THIN, 1)),
    "della_linear": Method("abc", f"{{op: della_linear, {SEEDED}, epsilon: 0.1}}", "linear",
                           mergekit=("della_linear", {**THIN, "epsilon": 0.1}, 1)),
    "ties combine stock": Method("abc", f"{{op: ties, {BASE}, density: 0.3, combine: stock}}", "linear",
                                  mecha=("ties_sum_extended", {"k": 0.3})),
    "ties combine median": Method("abc", f"{{op: ties, {BASE}, density: 0.3, combine: median}}", "linear",
                                   mecha=("ties_sum_extended", {"k": 0.3, "apply_median": True})),
    "top_k_tensor_sum": Method("ab", f"{{op: top_k_tensor_sum, a: a, b: b, width: {everywhere(0.5)}}}", "weighted_sum",
                               mecha=("top_k_tensor_sum", {"width": 0.5}), whole=True),
    "crossover": Method("ab", f"{{op: crossover, a: a, b: b, alpha: {everywhere(0.4)}, tilt: 0.25}}", "weighted_sum",
                        mecha=("crossover", {"alpha": 0.4, "tilt": 0.25}), whole=True),
    "rotate": Method("ab", f"{{op: rotate, a: a, b: b, alignment: {everywhere(1)}}}", mecha=("rotate", {"alignment": 1.0}),
                     whole=True, part=True),
    "truncate_rank": Method("ab", f"{{op: add, a: a, alpha: {everywhere(1)}, b: {{op: truncate_rank, "
                            f"a: {{op: subtract, a: b, b: a}}, rank: {everywhere(32)}}}}}",
                            mecha=("truncate_rank", {"rank": 32, "use_approximate_basis": False}), whole=True, part=True),
    "rotate half way": Method("ab", f"{{op: rotate, a: a, b: b, alignment: {everywhere(0.5)}, alpha: 0.3}}",
                               mecha=("rotate", {"alignment": 0.5, "alpha": 0.3}), whole=True, part=True),
}
