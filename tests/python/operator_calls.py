"""Every operator as a function of Python: on models as a recipe says it, and on tensors as numpy computes it."""

import numpy as np

from test_python_reading import ws

# Needs a file with averages of its own: test_diffusion_operators.py.
ELSEWHERE = {"ema"}

ALPHA = {"default": 0.3, "unet.in": 0.6, "te": 0}

# Operator -> the same step, in Python (of models a, b, c) and in a recipe.
STEPS = {
    "add": (lambda a, b, c: ws.add(a, ws.subtract(b, c), alpha=0.5), "{op: add, a: a, b: {op: subtract, a: b, b: c}, alpha: 0.5}"),
    "add_difference": (
        lambda a, b, c: ws.add_difference(a, b, c, alpha=ALPHA),
        "{op: add_difference, a: a, b: b, c: c, alpha: {default: 0.3, unet.in: 0.6, te: 0}}",
    ),
    "add_opposite": (
        lambda a, b, c: ws.add_opposite(a, b, c, alpha=ALPHA, where="opposite"),
        "{op: add_opposite, a: a, b: b, c: c, alpha: {default: 0.3, unet.in: 0.6, te: 0}, where: opposite}",
    ),
    "adjust": (lambda a, b, c: ws.adjust(a, detail_in=2, contrast=-1), "{op: adjust, a: a, detail_in: 2, contrast: -1}"),
    "align_attention": (lambda a, b, c: ws.align_attention(a, b, heads=2), "{op: align_attention, a: a, b: b, heads: 2}"),
    "aoe": (
        lambda a, b, c: ws.aoe(a, [(b, 0.5), (c, ALPHA)], threshold=0.001),
        "{op: aoe, base: a, of: [{model: b, weight: 0.5}, {model: c, weight: {default: 0.3, unet.in: 0.6, te: 0}}], "
        "threshold: 0.001}",
    ),
    "arcee_fusion": (lambda a, b, c: ws.arcee_fusion(a, b), "{op: arcee_fusion, a: a, b: b}"),
    "average": (lambda a, b, c: ws.average([a, b, c]), "{op: average, of: [a, b, c]}"),
    "breadcrumbs": (
        lambda a, b, c: ws.breadcrumbs(a, [(b, 0.6), (c, 0.4, {"density": 0.5})], density=0.3),
        "{op: breadcrumbs, base: a, of: [{model: b, weight: 0.6}, {model: c, weight: 0.4, density: 0.5}], density: 0.3}",
    ),
    "breadcrumbs_ties": (
        lambda a, b, c: ws.breadcrumbs_ties(a, [(b, 0.6), (c, 0.4)], density=0.3, gamma=0.1, sign="majority"),
        "{op: breadcrumbs_ties, base: a, of: [{model: b, weight: 0.6}, {model: c, weight: 0.4}], density: 0.3, "
        "gamma: 0.1, sign: majority}",
    ),
    "cabs": (
        lambda a, b, c: ws.cabs(a, [(b, 0.6, {"density": 0.5}), (c, 0.4)], density=0.25),
        "{op: cabs, base: a, of: [{model: b, weight: 0.6, density: 0.5}, {model: c, weight: 0.4}], density: 0.25}",
    ),
    "channel_sum": (
        lambda a, b, c: ws.channel_sum(a, b, alpha=ALPHA, beta=2),
        "{op: channel_sum, a: a, b: b, alpha: {default: 0.3, unet.in: 0.6, te: 0}, beta: 2}",
    ),
    "clamp": (lambda a, b, c: ws.clamp(a, to=[b, c]), "{op: clamp, a: a, to: [b, c]}"),
    "consensus": (
        lambda a, b, c: ws.consensus(a, [(b, 0.6), (c, 0.4)], least=1),
        "{op: consensus, base: a, of: [{model: b, weight: 0.6}, {model: c, weight: 0.4}], least: 1}",
    ),
    "copy": (lambda a, b, c: ws.copy(a), "{op: copy, a: a}"),
    "core_space": (
        lambda a, b, c: ws.core_space(a, [b, c], rank=2, merge="iso"),
        "{op: core_space, base: a, of: [b, c], rank: 2, merge: iso}",
    ),
    "cosine_a": (lambda a, b, c: ws.cosine_a(a, b, alpha=0.2), "{op: cosine_a, a: a, b: b, alpha: 0.2}"),
    "cosine_b": (
        lambda a, b, c: ws.cosine_b(a, b, alpha=0.2, scope="tensor"),
        "{op: cosine_b, a: a, b: b, alpha: 0.2, scope: tensor}",
    ),
    "crossover": (
        lambda a, b, c: ws.crossover(a, b, alpha=0.4, tilt=0.25),
        "{op: crossover, a: a, b: b, alpha: 0.4, tilt: 0.25}",
    ),
    "dare_linear": (
        lambda a, b, c: ws.dare_linear(a, [(b, 0.6), (c, 0.4, {"density": 0.7})], density=0.5, seed=7),
        "{op: dare_linear, base: a, of: [{model: b, weight: 0.6}, {model: c, weight: 0.4, density: 0.7}], "
        "density: 0.5, seed: 7}",
    ),
    "dare_ties": (
        lambda a, b, c: ws.dare_ties(a, [(b, 0.6), (c, 0.4)], density=0.5, seed=7),
        "{op: dare_ties, base: a, of: [{model: b, weight: 0.6}, {model: c, weight: 0.4}], density: 0.5, seed: 7}",
    ),
    "della": (
        lambda a, b, c: ws.della(a, [(b, 0.6), (c, 0.4)], density=0.5, epsilon=0.1),
        "{op: della, base: a, of: [{model: b, weight: 0.6}, {model: c, weight: 0.4}], density: 0.5, epsilon: 0.1}",
    ),
    "della_linear": (
        lambda a, b, c: ws.della_linear(a, [(b, 0.6), (c, 0.4)], density=0.5, epsilon=0.1, ranks="tensor"),
        "{op: della_linear, base: a, of: [{model: b, weight: 0.6}, {model: c, weight: 0.4}], density: 0.5, "
        "epsilon: 0.1, ranks: tensor}",
    ),
    "distribution_crossover": (
        lambda a, b, c: ws.distribution_crossover(a, b, c, alpha=0.4, tilt=0.1),
        "{op: distribution_crossover, a: a, b: b, c: c, alpha: 0.4, tilt: 0.1}",
    ),
    "dropout": (
        lambda a, b, c: ws.dropout(a, [b, c], probability=0.5, overlap=0),
        "{op: dropout, base: a, of: [b, c], probability: 0.5, overlap: 0}",
    ),
    "ema": (lambda a, b, c: ws.ema(a, alpha=0.5, policy={"effect": "any"}), "{op: ema, a: a, alpha: 0.5, policy: {effect: any}}"),
    "emr": (lambda a, b, c: ws.emr(a, [b, c], task=2), "{op: emr, base: a, of: [b, c], task: 2}"),
    "euclidean_add_difference": (
        lambda a, b, c: ws.euclidean_add_difference(a, b, c, alpha=0.3),
        "{op: euclidean_add_difference, a: a, b: b, c: c, alpha: 0.3}",
    ),
    "extract": (
        lambda a, b, c: ws.extract(a, b, c, alpha=0.5, beta=0.25, gamma=2),
        "{op: extract, a: a, b: b, c: c, alpha: 0.5, beta: 0.25, gamma: 2}",
    ),
    "fallback": (lambda a, b, c: ws.fallback(a, b), "{op: fallback, a: a, b: b}"),
    "frequency": (
        lambda a, b, c: ws.frequency(a, b, low=0.8, middle=0.4, high=0.1, from_=0.2),
        "{op: frequency, a: a, b: b, low: 0.8, middle: 0.4, high: 0.1, from: 0.2}",
    ),
    "geometric_median": (lambda a, b, c: ws.geometric_median([a, b, c]), "{op: geometric_median, of: [a, b, c]}"),
    "geometric_sum": (
        lambda a, b, c: ws.geometric_sum(a, b, alpha=ALPHA),
        "{op: geometric_sum, a: a, b: b, alpha: {default: 0.3, unet.in: 0.6, te: 0}}",
    ),
    "iso_c": (lambda a, b, c: ws.iso_c(a, [b, c], lambda_=0.8), "{op: iso_c, base: a, of: [b, c], lambda: 0.8}"),
    "iso_cts": (lambda a, b, c: ws.iso_cts(a, [b, c], common=0.6), "{op: iso_cts, base: a, of: [b, c], common: 0.6}"),
    "karcher": (lambda a, b, c: ws.karcher([a, b, c], iterations=5), "{op: karcher, of: [a, b, c], iterations: 5}"),
    "linear": (
        lambda a, b, c: ws.linear([(a, 0.5), (b, ALPHA), (c, 0.2)], normalize=True),
        "{op: linear, of: [{model: a, weight: 0.5}, {model: b, weight: {default: 0.3, unet.in: 0.6, te: 0}}, "
        "{model: c, weight: 0.2}], normalize: true}",
    ),
    "maximum": (lambda a, b, c: ws.maximum(a, b), "{op: maximum, a: a, b: b}"),
    "model_stock": (lambda a, b, c: ws.model_stock(a, [b, c]), "{op: model_stock, base: a, of: [b, c]}"),
    "multiply": (lambda a, b, c: ws.multiply(a, b), "{op: multiply, a: a, b: b}"),
    "multiply_difference": (
        lambda a, b, c: ws.multiply_difference(a, b, c, alpha=0.3),
        "{op: multiply_difference, a: a, b: b, c: c, alpha: 0.3}",
    ),
    "multiply_quotient": (
        lambda a, b, c: ws.multiply_quotient(a, b, c, alpha=ALPHA),
        "{op: multiply_quotient, a: a, b: b, c: c, alpha: {default: 0.3, unet.in: 0.6, te: 0}}",
    ),
    "multislerp": (
        lambda a, b, c: ws.multislerp([(b, 0.6), (c, 0.4)], base=a),
        "{op: multislerp, base: a, of: [{model: b, weight: 0.6}, {model: c, weight: 0.4}]}",
    ),
    "nearswap": (lambda a, b, c: ws.nearswap(a, b, t=0.1), "{op: nearswap, a: a, b: b, t: 0.1}"),
    "noise": (lambda a, b, c: ws.noise(a, strength=0.05, seed=3), "{op: noise, a: a, strength: 0.05, seed: 3}"),
    "norm_match": (lambda a, b, c: ws.norm_match(a, b, alpha=ALPHA), "{op: norm_match, a: a, b: b, alpha: {default: 0.3, unet.in: 0.6, te: 0}}"),
    "normalized_sum": (
        lambda a, b, c: ws.normalized_sum(a, b, alpha=ALPHA),
        "{op: normalized_sum, a: a, b: b, alpha: {default: 0.3, unet.in: 0.6, te: 0}}",
    ),
    "nuslerp": (
        lambda a, b, c: ws.nuslerp(a, b, base=c, alpha=0.3, by="rows"),
        "{op: nuslerp, a: a, b: b, base: c, alpha: 0.3, by: rows}",
    ),
    "passthrough": (
        lambda a, b, c: ws.passthrough(ws.add_difference(a, b, c, alpha=0.5), scale={"default": 1, "unet.in": 0.9}),
        "{op: passthrough, a: {op: add_difference, a: a, b: b, c: c, alpha: 0.5}, scale: {default: 1, unet.in: 0.9}}",
    ),
    "pcb": (lambda a, b, c: ws.pcb(a, [(b, {"density": 0.5}), c]), "{op: pcb, base: a, of: [{model: b, density: 0.5}, c]}"),
    "perpendicular": (
        lambda a, b, c: ws.add(a, ws.perpendicular(ws.subtract(a, c), ws.subtract(b, c))),
        "{op: add, a: a, b: {op: perpendicular, a: {op: subtract, a: a, b: c}, b: {op: subtract, a: b, b: c}}}",
    ),
    "ram": (lambda a, b, c: ws.ram(a, [b, c], epsilon=0.01), "{op: ram, base: a, of: [b, c], epsilon: 0.01}"),
    "ramplus_tl": (
        lambda a, b, c: ws.ramplus_tl(a, [b, c], epsilon=0.01, r=0.5),
        "{op: ramplus_tl, base: a, of: [b, c], epsilon: 0.01, r: 0.5}",
    ),
    "rebasin": (lambda a, b, c: ws.rebasin(a, b, heads=2), "{op: rebasin, a: a, b: b, heads: 2}"),
    "rotate": (lambda a, b, c: ws.rotate(a, b, alignment=0.5), "{op: rotate, a: a, b: b, alignment: 0.5}"),
    "scale": (
        lambda a, b, c: ws.add(a, ws.scale(ws.subtract(b, c), factor=0.25)),
        "{op: add, a: a, b: {op: scale, a: {op: subtract, a: b, b: c}, factor: 0.25}}",
    ),
    "sce": (lambda a, b, c: ws.sce(a, [b, c], select=0.5), "{op: sce, base: a, of: [b, c], select: 0.5}"),
    "similarity_add_difference": (
        lambda a, b, c: ws.similarity_add_difference(a, b, c, alpha=ALPHA, beta=0.8),
        "{op: similarity_add_difference, a: a, b: b, c: c, alpha: {default: 0.3, unet.in: 0.6, te: 0}, beta: 0.8}",
    ),
    "slerp": (lambda a, b, c: ws.slerp(a, b, alpha=ALPHA), "{op: slerp, a: a, b: b, alpha: {default: 0.3, unet.in: 0.6, te: 0}}"),
    "smooth_add": (
        lambda a, b, c: ws.smooth_add(a, b, c, alpha=0.7, filter="median"),
        "{op: smooth_add, a: a, b: b, c: c, alpha: 0.7, filter: median}",
    ),
    "star": (
        lambda a, b, c: ws.star(a, [(b, {"share": 0.3}), c], share=0.5),
        "{op: star, base: a, of: [{model: b, share: 0.3}, c], share: 0.5}",
    ),
    "subtract": (lambda a, b, c: ws.add(a, ws.subtract(b, c)), "{op: add, a: a, b: {op: subtract, a: b, b: c}}"),
    "sum_twice": (lambda a, b, c: ws.sum_twice(a, b, c, alpha=0.2, beta=0.6), "{op: sum_twice, a: a, b: b, c: c, alpha: 0.2, beta: 0.6}"),
    "svc": (lambda a, b, c: ws.svc(a, b, [b, c], alpha=0.2), "{op: svc, base: a, a: b, of: [b, c], alpha: 0.2}"),
    "task_arithmetic": (
        lambda a, b, c: ws.task_arithmetic(a, [(b, 0.6), (c, ALPHA)], lambda_=0.8),
        "{op: task_arithmetic, base: a, of: [{model: b, weight: 0.6}, {model: c, weight: {default: 0.3, "
        "unet.in: 0.6, te: 0}}], lambda: 0.8}",
    ),
    "tensor_sum": (
        lambda a, b, c: ws.tensor_sum(a, b, width=0.4, offset=0.3),
        "{op: tensor_sum, a: a, b: b, width: 0.4, offset: 0.3}",
    ),
    "tensor_sum_2": (
        lambda a, b, c: ws.tensor_sum_2(a, b, width=0.4, offset=0.3, ends="truncated"),
        "{op: tensor_sum_2, a: a, b: b, width: 0.4, offset: 0.3, ends: truncated}",
    ),
    "ties": (
        lambda a, b, c: ws.ties(a, [(b, 0.6), (c, ALPHA)], density=0.3, lambda_=0.8),
        "{op: ties, base: a, of: [{model: b, weight: 0.6}, {model: c, weight: {default: 0.3, unet.in: 0.6, te: 0}}], "
        "density: 0.3, lambda: 0.8}",
    ),
    "top_k_tensor_sum": (
        lambda a, b, c: ws.top_k_tensor_sum(a, b, width=0.5),
        "{op: top_k_tensor_sum, a: a, b: b, width: 0.5}",
    ),
    "train_difference": (
        lambda a, b, c: ws.train_difference(a, b, c, alpha=0.7),
        "{op: train_difference, a: a, b: b, c: c, alpha: 0.7}",
    ),
    "triple_sum": (lambda a, b, c: ws.triple_sum(a, b, c, alpha=0.2, beta=0.3), "{op: triple_sum, a: a, b: b, c: c, alpha: 0.2, beta: 0.3}"),
    "truncate_rank": (
        lambda a, b, c: ws.add(a, ws.truncate_rank(ws.subtract(b, a), rank=2)),
        "{op: add, a: a, b: {op: truncate_rank, a: {op: subtract, a: b, b: a}, rank: 2}}",
    ),
    "tsv_merge": (lambda a, b, c: ws.tsv_merge(a, [b, c]), "{op: tsv_merge, base: a, of: [b, c]}"),
    "weighted_sum": (
        lambda a, b, c: ws.weighted_sum(a, b, alpha="GRAD_V"),
        "{op: weighted_sum, a: a, b: b, alpha: GRAD_V}",
    ),
    "within": (
        lambda a, b, c: ws.within(a, ws.average([b, c]), where={"component": "unet", "block": ["IN04-IN08", "M00"], "rank": 2}),
        "{op: within, model: a, apply: {op: average, of: [b, c]}, where: {component: unet, block: [IN04-IN08, M00], "
        "rank: 2}}",
    ),
}

# Of those with a step inside another.
TWO_STEPS = {"add", "passthrough", "perpendicular", "scale", "subtract", "truncate_rank", "within"}

# Operator -> (a call on three operands, the same in f32 of numpy, where it is exact)
CALLS = {
    "add": (lambda a, b, c: ws.add(a, b, alpha=0.5), lambda a, b, c: a + np.float32(0.5) * b),
    "add_difference": (lambda a, b, c: ws.add_difference(a, b, c, alpha=0.5), lambda a, b, c: a + np.float32(0.5) * (b - c)),
    "add_opposite": (lambda a, b, c: ws.add_opposite(a, b, c, alpha=0.5), None),
    "adjust": (lambda a, b, c: ws.adjust(a, contrast=2, policy={"effect": "any"}), lambda a, b, c: a),
    "align_attention": (lambda a, b, c: ws.align_attention(a, b, heads=1), lambda a, b, c: a),
    "aoe": (lambda a, b, c: ws.aoe(a, [(b, 0.5), (c, 0.25)], threshold=0),
           lambda a, b, c: a + (np.float32(0.5) * (b - a) + np.float32(0.25) * (c - a))),
    "arcee_fusion": (lambda a, b, c: ws.arcee_fusion(a, b), None),
    "average": (lambda a, b, c: ws.average([a, b]), lambda a, b, c: (a + b) * np.float32(0.5)),
    "breadcrumbs": (lambda a, b, c: ws.breadcrumbs(a, [(b, 1.0)], density=1), lambda a, b, c: a + (b - a)),
    "breadcrumbs_ties": (lambda a, b, c: ws.breadcrumbs_ties(a, [(b, 1.0)], density=1), lambda a, b, c: a + (b - a)),
    "cabs": (lambda a, b, c: ws.cabs(a, [(b, 1.0)], density=1), lambda a, b, c: a + (b - a)),
    "channel_sum": (lambda a, b, c: ws.channel_sum(a, b, alpha=0.5), None),
    "clamp": (lambda a, b, c: ws.clamp(a, low=-1.0, high=1.0), lambda a, b, c: np.clip(a, -1, 1)),
    "consensus": (lambda a, b, c: ws.consensus(a, [(b, 0.5), (c, 0.5)], threshold=0),
                 lambda a, b, c: a + (np.float32(0.5) * (b - a) + np.float32(0.5) * (c - a))),
    "copy": (lambda a, b, c: ws.copy(a), lambda a, b, c: a),
    "core_space": (lambda a, b, c: ws.core_space(a, [b, c], rank=2), None),
    "cosine_a": (lambda a, b, c: ws.cosine_a(a, b, alpha=0), None),
    "cosine_b": (lambda a, b, c: ws.cosine_b(a, b, alpha=0), None),
    "crossover": (lambda a, b, c: ws.crossover(a, b, alpha=0.5, tilt=1.0), lambda a, b, c: np.float32(0.5) * a + np.float32(0.5) * b),
    "dare_linear": (lambda a, b, c: ws.dare_linear(a, [(b, 1.0)], density=1), lambda a, b, c: a + (b - a)),
    "dare_ties": (lambda a, b, c: ws.dare_ties(a, [(b, 1.0)], density=1), lambda a, b, c: a + (b - a)),
    "della": (lambda a, b, c: ws.della(a, [(b, 1.0)], density=1), lambda a, b, c: a + (b - a)),
    "della_linear": (lambda a, b, c: ws.della_linear(a, [(b, 1.0)], density=1), lambda a, b, c: a + (b - a)),
    "distribution_crossover": (lambda a, b, c: ws.distribution_crossover(a, b, c, alpha=0.5), None),
    "dropout": (lambda a, b, c: ws.dropout(a, [b, c], probability=0.5), None),
    "ema": (lambda a, b, c: ws.ema(a, policy={"effect": "any"}), lambda a, b, c: a),
    "emr": (lambda a, b, c: ws.emr(a, [b]), lambda a, b, c: a + (b - a)),
    "euclidean_add_difference": (lambda a, b, c: ws.euclidean_add_difference(a, b, c, alpha=0.5), None),
    "extract": (lambda a, b, c: ws.extract(a, b, c, alpha=0.5), None),
    "fallback": (lambda a, b, c: ws.fallback(a, b), lambda a, b, c: a),
    "frequency": (lambda a, b, c: ws.frequency(a, b, low=0.5, middle=0.5, high=0.25), None),
    "geometric_median": (lambda a, b, c: ws.geometric_median([a, b, c]), None),
    "geometric_sum": (lambda a, b, c: ws.geometric_sum(a, b, alpha=0.5), None),
    "iso_c": (lambda a, b, c: ws.iso_c(a, [b, c]), None),
    "iso_cts": (lambda a, b, c: ws.iso_cts(a, [b, c]), None),
    "karcher": (lambda a, b, c: ws.karcher([a, b, c]), None),
    "linear": (lambda a, b, c: ws.linear([(a, 0.5), (b, 0.25)]), lambda a, b, c: np.float32(0.5) * a + np.float32(0.25) * b),
    "maximum": (lambda a, b, c: ws.maximum(a, b), lambda a, b, c: np.maximum(a, b)),
    "model_stock": (lambda a, b, c: ws.model_stock(a, [b, c]), None),
    "multiply": (lambda a, b, c: ws.multiply(a, b), lambda a, b, c: a * b),
    "multiply_difference": (lambda a, b, c: ws.multiply_difference(a, b, c, alpha=0.5), None),
    "multiply_quotient": (lambda a, b, c: ws.multiply_quotient(a, b, c, alpha=0.5, policy={"effect": "any"}), None),
    "multislerp": (lambda a, b, c: ws.multislerp([(a, 0.5), (b, 0.5)]), None),
    "nearswap": (lambda a, b, c: ws.nearswap(a, b, t=8), lambda a, b, c: b),
    "noise": (lambda a, b, c: ws.noise(a, strength=0.05), None),
    "norm_match": (lambda a, b, c: ws.norm_match(a, b, alpha=0.5), None),
    "normalized_sum": (lambda a, b, c: ws.normalized_sum(a, b, alpha=0.5), None),
    "nuslerp": (lambda a, b, c: ws.nuslerp(a, b, alpha=0.5), None),
    "passthrough": (lambda a, b, c: ws.passthrough(a, scale=0.5), lambda a, b, c: a * np.float32(0.5)),
    "pcb": (lambda a, b, c: ws.pcb(a, [b, c]), None),
    "perpendicular": (lambda a, b, c: ws.perpendicular(a, b), None),
    "ram": (lambda a, b, c: ws.ram(a, [b]), lambda a, b, c: a + (b - a)),
    "ramplus_tl": (lambda a, b, c: ws.ramplus_tl(a, [b, c]), None),
    "rebasin": (lambda a, b, c: ws.rebasin(a, b), lambda a, b, c: a),
    "rotate": (lambda a, b, c: ws.rotate(a, b), None),
    "scale": (lambda a, b, c: ws.scale(a, factor=0.5), lambda a, b, c: a * np.float32(0.5)),
    "sce": (lambda a, b, c: ws.sce(a, [b]), lambda a, b, c: a + (b - a)),
    "similarity_add_difference": (lambda a, b, c: ws.similarity_add_difference(a, b, c, alpha=0.5, beta=0),
                                 lambda a, b, c: a + np.float32(0.5) * (b - c)),
    "slerp": (lambda a, b, c: ws.slerp(a, b, alpha=0.5), None),
    "smooth_add": (lambda a, b, c: ws.smooth_add(a, b, c, alpha=0.5), None),
    "star": (lambda a, b, c: ws.star(a, [b, c]), None),
    "subtract": (lambda a, b, c: ws.subtract(a, b), lambda a, b, c: a - b),
    "sum_twice": (lambda a, b, c: ws.sum_twice(a, b, c, alpha=0.5, beta=0.5), None),
    "svc": (lambda a, b, c: ws.svc(a, b, [b, c]), None),
    "task_arithmetic": (lambda a, b, c: ws.task_arithmetic(a, [(b, 0.5)]), lambda a, b, c: a + np.float32(0.5) * (b - a)),
    "tensor_sum": (lambda a, b, c: ws.tensor_sum(a, b, width=0.5), lambda a, b, c: np.concatenate([b[:2], a[2:]])),
    "tensor_sum_2": (lambda a, b, c: ws.tensor_sum_2(a, b, width=0.5), lambda a, b, c: np.concatenate([b[:2], a[2:]])),
    "ties": (lambda a, b, c: ws.ties(a, [(b, 1.0)], density=1), lambda a, b, c: a + (b - a)),
    "top_k_tensor_sum": (lambda a, b, c: ws.top_k_tensor_sum(a, b), None),
    "train_difference": (lambda a, b, c: ws.train_difference(a, b, c, alpha=0.5), None),
    "triple_sum": (lambda a, b, c: ws.triple_sum(a, b, c, alpha=0.25, beta=0.5),
                   lambda a, b, c: np.float32(0.25) * a + np.float32(0.25) * b + np.float32(0.5) * c),
    "truncate_rank": (lambda a, b, c: ws.truncate_rank(a, rank=2), None),
    "tsv_merge": (lambda a, b, c: ws.tsv_merge(a, [b, c]), None),
    "weighted_sum": (lambda a, b, c: ws.weighted_sum(a, b, alpha=0.5), lambda a, b, c: np.float32(0.5) * a + np.float32(0.5) * b),
    "within": (lambda a, b, c: ws.within(a, b, where={"rank": [0, 1, 2]}), lambda a, b, c: b),
}
