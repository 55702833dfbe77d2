"""The operators. Made by scripts/make_python_operators.py from the declarations in merge/operators/; to change it,
change those.

On models (paths, open checkpoints, results of operators) an operator gives a Model, which is computed when it is asked
for. On dicts of arrays or of tensors of PyTorch it gives such a dict at once, on arrays and tensors one of their kind:
by the same kernels, with the same bytes. Values are computed in f32, and the result has the dtype of the leftmost
operand. Tensors of integers, booleans or complex numbers are a TypeError; in a dict, such buffers as position_ids, which
are the same in all operands, are copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

from weightsmith._apply import apply as _apply  # an operand is called apply
from weightsmith._model import Model, ModelLike, Policy, Weights, Where

__all__ = [
    "add",
    "add_difference",
    "add_opposite",
    "adjust",
    "align_attention",
    "aoe",
    "arcee_fusion",
    "average",
    "breadcrumbs",
    "breadcrumbs_ties",
    "cabs",
    "channel_sum",
    "clamp",
    "consensus",
    "copy",
    "core_space",
    "cosine_a",
    "cosine_b",
    "crossover",
    "dare_linear",
    "dare_ties",
    "della",
    "della_linear",
    "distribution_crossover",
    "dropout",
    "ema",
    "emr",
    "euclidean_add_difference",
    "extract",
    "fallback",
    "frequency",
    "geometric_median",
    "geometric_sum",
    "iso_c",
    "iso_cts",
    "karcher",
    "linear",
    "maximum",
    "model_stock",
    "multiply",
    "multiply_difference",
    "multiply_quotient",
    "multislerp",
    "nearswap",
    "noise",
    "norm_match",
    "normalized_sum",
    "nuslerp",
    "passthrough",
    "pcb",
    "perpendicular",
    "ram",
    "ramplus_tl",
    "rebasin",
    "rotate",
    "scale",
    "sce",
    "similarity_add_difference",
    "slerp",
    "smooth_add",
    "star",
    "subtract",
    "sum_twice",
    "svc",
    "task_arithmetic",
    "tensor_sum",
    "tensor_sum_2",
    "ties",
    "top_k_tensor_sum",
    "train_difference",
    "triple_sum",
    "truncate_rank",
    "tsv_merge",
    "weighted_sum",
    "within",
]


@overload
def add(
    a: ModelLike,
    b: ModelLike,
    *,
    alpha: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def add(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alpha: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def add(
    a: Any,
    b: Any,
    *,
    alpha: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def add(
    a: Any,
    b: Any,
    *,
    alpha: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Adds a difference to a model, or to another difference.

        a + alpha*b

    What subtract takes apart, add puts together: differences can be scaled, averaged or clamped in between. Where
    the difference has no tensor, a stays as it is.

    For: apply a style or task vector to another model; strengthen or weaken what a fine-tune learned.

    a: What is added to.
    b: The difference.
    alpha: Strength of the difference. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Task arithmetic, arXiv:2212.04089; ComfyUI ModelMergeAdd at alpha 1
    """
    return _apply("add", {"a": a, "b": b}, {}, {"alpha": alpha}, policy, differences=["b"])


@overload
def add_difference(
    a: ModelLike,
    b: ModelLike,
    c: ModelLike,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Model: ...
@overload
def add_difference(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    c: Mapping[str, Any],
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def add_difference(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any: ...
def add_difference(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any:
    """Adds to a model what fine-tuning gave another: b minus the c it was made from.

        a + alpha*(b - c)

    Moves what b learned beyond its base c onto a. With a an inpainting model, b a model to convert and c the common
    base, alpha 1 gives an inpainting version of b (set the policy input_channels to keep_extra, because the
    inpainting model has a wider input convolution).

    A tensor that b or c lacks has no difference there, and a stays as it is, where the policy for missing tensors
    allows that.

    For: style transfer; transfer what a fine-tune learned to another model; turn a model into an inpainting or
    turbo model.

    a: The model that is changed.
    b: The model that was trained.
    c: What b was trained from.
    alpha: How much of the difference. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: A1111 checkpoint merger, "Add difference"
    """
    return _apply("add_difference", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha}, policy)


@overload
def add_opposite(
    a: ModelLike,
    b: ModelLike,
    c: ModelLike,
    *,
    alpha: Weights,
    where: Literal["apart", "opposite"] = "apart",
    policy: Policy | None = None,
) -> Model: ...
@overload
def add_opposite(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    c: Mapping[str, Any],
    *,
    alpha: Weights,
    where: Literal["apart", "opposite"] = "apart",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def add_opposite(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    where: Literal["apart", "opposite"] = "apart",
    policy: Policy | None = None,
) -> Any: ...
def add_opposite(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    where: Literal["apart", "opposite"] = "apart",
    policy: Policy | None = None,
) -> Any:
    """Adds a difference most where a itself changed the other way.

        a + 2*alpha*s*(b - c), s = |a - b| / (|a - b| + |a + b - 2c|); where opposite: s = max(0, -(a - c)*(b - c)/max(|a - c|, |b - c|)^2)

    Each element of b - c is scaled by how far the changes of a and b from c are apart, from 0 where they are equal
    to 1 where they are opposite; a change that a has not made counts as half way. With `where: opposite` only
    elements that go opposite ways are added to, by the product of both changes over the square of the larger. The
    gain of 2 is sd-mecha's.

    For: style transfer; add a fine-tune without burning.

    a: The model that is changed.
    b: The model that was trained.
    c: What b was trained from.
    alpha: How much of the training. (-10.0 to 10.0)
    where: Which elements are added to.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: sd-mecha's add_opposite and add_strict_opposite
    """
    return _apply("add_opposite", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha, "where": where}, policy)


@overload
def adjust(
    a: ModelLike,
    *,
    detail_in: float = 0.0,
    detail_out: float = 0.0,
    detail_last: float = 0.0,
    contrast: float = 0.0,
    brightness: float = 0.0,
    red: float = 0.0,
    green: float = 0.0,
    blue: float = 0.0,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def adjust(
    a: Mapping[str, Any],
    *,
    detail_in: float = 0.0,
    detail_out: float = 0.0,
    detail_last: float = 0.0,
    contrast: float = 0.0,
    brightness: float = 0.0,
    red: float = 0.0,
    green: float = 0.0,
    blue: float = 0.0,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def adjust(
    a: Any,
    *,
    detail_in: float = 0.0,
    detail_out: float = 0.0,
    detail_last: float = 0.0,
    contrast: float = 0.0,
    brightness: float = 0.0,
    red: float = 0.0,
    green: float = 0.0,
    blue: float = 0.0,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any: ...
def adjust(
    a: Any,
    *,
    detail_in: float = 0.0,
    detail_out: float = 0.0,
    detail_last: float = 0.0,
    contrast: float = 0.0,
    brightness: float = 0.0,
    red: float = 0.0,
    green: float = 0.0,
    blue: float = 0.0,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any:
    """More or less detail, contrast, brightness and colour, by a few weights.

        weights of input_blocks.0.0, out.0, out.2: a*(1 - 0.01*n); biases of the first two: a*(1 + 0.02*n); out.2.bias: a + 0.02*tones*n

    The first and the last layers of a diffusion model are scaled, and the four channels of its latents get a little
    more of a tone. Numbers are those of SuperMerger: its list of eight is detail_in, detail_out, detail_last,
    contrast, brightness, red, green, blue. Above 0, `detail_in` and `detail_out` mean more detail with a little
    less noise, `detail_last` less of everything that the last layer draws, red is the way from cyan to red, green
    that from magenta to green, blue that from yellow to blue. Values of a few units are strong. Other tensors stay
    byte for byte. Only for Stable Diffusion 1, 2 and XL.

    For: restore contrast; fix washed-out colours; more detail.

    a: The model that is changed.
    detail_in: Detail, at the first layer. (-100.0 to 100.0)
    detail_out: Detail, at the last normalisation. (-100.0 to 100.0)
    detail_last: At the last layer. (-100.0 to 100.0)
    contrast: Contrast. (-100.0 to 100.0)
    brightness: Brightness. (-100.0 to 100.0)
    red: From cyan to red. (-100.0 to 100.0)
    green: From magenta to green. (-100.0 to 100.0)
    blue: From yellow to blue. (-100.0 to 100.0)
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: SuperMerger, "Adjust"; Chattiori's fine
    """
    return _apply("adjust", {"a": a}, {}, {"detail_in": detail_in, "detail_out": detail_out, "detail_last": detail_last, "contrast": contrast, "brightness": brightness, "red": red, "green": green, "blue": blue, "vae": vae}, policy)


@overload
def align_attention(
    a: ModelLike,
    b: ModelLike,
    *,
    heads: Weights | None = None,
    head_size: Weights | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def align_attention(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    heads: Weights | None = None,
    head_size: Weights | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def align_attention(
    a: Any,
    b: Any,
    *,
    heads: Weights | None = None,
    head_size: Weights | None = None,
    policy: Policy | None = None,
) -> Any: ...
def align_attention(
    a: Any,
    b: Any,
    *,
    heads: Weights | None = None,
    head_size: Weights | None = None,
    policy: Policy | None = None,
) -> Any:
    """Turns the heads of a's attention so that they are nearest to those of b.

        R*W or W*R' for each head, R = polar(sum of W_b*W_a' over the tensors of a pair)

    Inside a head, queries and keys may be turned by one orthogonal matrix, and values and what comes out by
    another, without any change of what the model computes. Those are taken that bring the tensors of a nearest to
    those of b; blend the result with b. The number of heads, or how many rows one has, has to be given, by place
    where it differs: 64 rows for SDXL and for text encoders, 8 heads for Stable Diffusion 1.

    It knows the attention of Stable Diffusion and SDXL and of their text encoders; of language models like Llama
    values and what comes out, where they have as many heads as queries, since their positions fix queries and keys.
    Others stay as they are. Where the two of a pair read different widths, the wider one counts less. sd-mecha's
    balance_attention, which evens out the tensors of one model, is not this. a and b have to be models, because a
    tensor is compared with all of its block. The tensors of a block are held whole.

    For: models that were trained apart; prepare a blend.

    a: What is turned.
    b: What it is brought near to.
    heads: How many heads an attention has; of keys, where they are fewer than queries. Of language models another
        number than theirs is an error, where the norm of queries or a config.json beside the file says theirs. (1.0
        to 65535.0)
    head_size: How many rows a head has. (1.0 to 65535.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Schönemann, 1966, for each head; the choice of heads and pairs is ours
    """
    return _apply("align_attention", {"a": a, "b": b}, {}, {"heads": heads, "head_size": head_size}, policy)


@overload
def aoe(
    base: ModelLike,
    of: Sequence[tuple[ModelLike, Weights]],
    *,
    threshold: Weights,
    distance: Literal["rms", "relative"] = "rms",
    policy: Policy | None = None,
) -> Model: ...
@overload
def aoe(
    base: Mapping[str, Any],
    of: Sequence[tuple[Mapping[str, Any], Weights]],
    *,
    threshold: Weights,
    distance: Literal["rms", "relative"] = "rms",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def aoe(
    base: Any,
    of: Sequence[tuple[Any, Weights]],
    *,
    threshold: Weights,
    distance: Literal["rms", "relative"] = "rms",
    policy: Policy | None = None,
) -> Any: ...
def aoe(
    base: Any,
    of: Sequence[tuple[Any, Weights]],
    *,
    threshold: Weights,
    distance: Literal["rms", "relative"] = "rms",
    policy: Policy | None = None,
) -> Any:
    """Mixes only the tensors that moved, and leaves the others as the base has them.

        base + sum(w_i*(x_i - base)) where max(|x_i - base|) / sqrt(n) > threshold

    A tensor moved where the difference of one of the models to the base is larger than the threshold: the root mean
    square of its elements, or with `distance: relative` its norm over that of the base. There every model's
    difference is added with its weight; all other tensors are those of the base. The share of the base is what the
    weights leave of 1. Which tensors may be mixed at all is said by weights by place.

    The paper merges tensors whose normalised distance exceeds a threshold likewise, and has published no code that
    says in which unit. Here the norm of the difference is divided by what makes tensors of all sizes comparable,
    the root of the number of elements, or with `relative` by the base's own norm, for which the scale of a tensor
    makes no difference either. So take thresholds from the distances that the report says of your models
    (`distance`, by component and by tensor), not from the paper.

    For: take what really changed; mixture-of-experts models; language models.

    base: What all were trained from.
    of: The fine-tuned models, with a weight each.
    threshold: The distance above which a tensor moved. (0.0 to 1000000.0)
    distance: Of an element on average, or relative to the base.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Ours, after Assembly of Experts, arXiv:2506.14794
    """
    return _apply("aoe", {"base": base}, {"of": of}, {"threshold": threshold, "distance": distance}, policy, weighted=True)


@overload
def arcee_fusion(
    a: ModelLike,
    b: ModelLike,
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def arcee_fusion(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def arcee_fusion(
    a: Any,
    b: Any,
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any: ...
def arcee_fusion(
    a: Any,
    b: Any,
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any:
    """Takes from a second model the elements whose change matters most.

        a + (b - a where I >= Q(1/2) + 1.5*(Q(3/4) - Q(1/4))), I = |b - a|*KL(softmax(b), softmax(a)), Q its quantiles

    How much an element matters is its change times the divergence of its row: the rows of a matrix (what belongs to
    one output, of a convolution all of its kernel; a tensor of one dimension is one row) are taken as probabilities
    (softmax), and compared. Elements that reach the median and 1.5 times the distance of the quartiles, over the
    tensor, are those of b; the others stay as a has them. Where no change matters all are those of b.

    Quartiles are those of all elements; mergekit takes them from a sample where a tensor has over a million. Its
    rows of a convolution are the last dimension alone.

    For: take the changes that matter; language models.

    a: What stays elsewhere.
    b: What is taken from.
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Arcee Fusion; mergekit's arcee_fusion
    """
    return _apply("arcee_fusion", {"a": a, "b": b}, {}, {"vae": vae}, policy)


@overload
def average(
    of: Sequence[ModelLike],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def average(
    of: Sequence[Mapping[str, Any]],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def average(
    of: Sequence[Any],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any: ...
def average(
    of: Sequence[Any],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any:
    """The mean of any number of models.

        (x0 + x1 + ...) / n, left to right

    The same as linear with normalize and every weight 1. A difference that lacks a tensor counts as zero there. The
    VAE of models is that of the first, unless `vae: true` averages it too.

    For: soup of several models; average checkpoints of one training run.

    of: What is averaged.
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Uniform model soup, arXiv:2203.05482
    """
    return _apply("average", {}, {"of": of}, {"vae": vae}, policy)


@overload
def breadcrumbs(
    base: ModelLike,
    of: Sequence[tuple[ModelLike, Weights] | tuple[ModelLike, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.9,
    gamma: Weights = 0.01,
    normalize: bool = False,
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "none",
    policy: Policy | None = None,
) -> Model: ...
@overload
def breadcrumbs(
    base: Mapping[str, Any],
    of: Sequence[tuple[Mapping[str, Any], Weights] | tuple[Mapping[str, Any], Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.9,
    gamma: Weights = 0.01,
    normalize: bool = False,
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "none",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def breadcrumbs(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.9,
    gamma: Weights = 0.01,
    normalize: bool = False,
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "none",
    policy: Policy | None = None,
) -> Any: ...
def breadcrumbs(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.9,
    gamma: Weights = 0.01,
    normalize: bool = False,
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "none",
    policy: Policy | None = None,
) -> Any:
    """Adds fine-tunes without their largest changes and without the small ones.

        base + lambda*sum(w_i*trim(x_i - base)), trim keeping density*n behind gamma*n

    Of every model's difference to the base, tensor by tensor, the gamma*n largest elements of n are left out, which
    may be outliers, and of the others the density*n largest are kept; equal magnitudes at a limit are all kept, as
    in ties. Where both shares are more than there are, fewer large ones are left out. A density of 1 keeps all, as
    mergekit does where none is given.

    Where mergekit keeps nothing of a tensor because gamma*n is less than one element, nothing large is left out
    here.

    For: combine several fine-tunes; leave outliers out; language models.

    base: What all were trained from.
    of: The fine-tuned models, with a weight each.
    density: The share of each difference that is kept. (0.0 to 1.0)
    gamma: The share of largest elements that is left out. (0.0 to 1.0)
    normalize: Whether to divide by the sum of the weights.
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    rescale: What the elements that are kept are divided by: their share, as papers have it, what keeps the sum of
        magnitudes, as mergekit has it, or nothing.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Model Breadcrumbs, arXiv:2312.06795; mergekit's breadcrumbs
    """
    return _apply("breadcrumbs", {"base": base}, {"of": of}, {"density": density, "gamma": gamma, "normalize": normalize, "lambda": lambda_, "rescale": rescale}, policy, weighted=True, numbered=True)


@overload
def breadcrumbs_ties(
    base: ModelLike,
    of: Sequence[tuple[ModelLike, Weights] | tuple[ModelLike, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.9,
    gamma: Weights = 0.01,
    normalize: bool = False,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "none",
    policy: Policy | None = None,
) -> Model: ...
@overload
def breadcrumbs_ties(
    base: Mapping[str, Any],
    of: Sequence[tuple[Mapping[str, Any], Weights] | tuple[Mapping[str, Any], Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.9,
    gamma: Weights = 0.01,
    normalize: bool = False,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "none",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def breadcrumbs_ties(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.9,
    gamma: Weights = 0.01,
    normalize: bool = False,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "none",
    policy: Policy | None = None,
) -> Any: ...
def breadcrumbs_ties(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.9,
    gamma: Weights = 0.01,
    normalize: bool = False,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "none",
    policy: Policy | None = None,
) -> Any:
    """Adds fine-tunes without outliers and noise, where their signs agree.

        base + lambda*sum(k_i), k_i = w_i*trim(x_i - base) of the elected sign

    As breadcrumbs: of every model's difference to the base neither the largest elements nor the small ones are
    kept. Of what is left, elements are left out that have not the elected sign, as in ties. With normalize each
    element is divided by the sum of the weights of the models that are left there.

    For: combine several fine-tunes; leave outliers out; language models.

    base: What all were trained from.
    of: The fine-tuned models, with a weight each.
    density: The share of each difference that is kept. (0.0 to 1.0)
    gamma: The share of largest elements that is left out. (0.0 to 1.0)
    normalize: Whether to divide by the weights that agree.
    sign: What elects a sign: the sum of the changes, how many have it, or how many with nothing kept where the
        votes are equal.
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    rescale: What the elements that are kept are divided by: their share, as papers have it, what keeps the sum of
        magnitudes, as mergekit has it, or nothing.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Model Breadcrumbs, arXiv:2312.06795; mergekit's breadcrumbs_ties
    """
    return _apply("breadcrumbs_ties", {"base": base}, {"of": of}, {"density": density, "gamma": gamma, "normalize": normalize, "sign": sign, "lambda": lambda_, "rescale": rescale}, policy, weighted=True, numbered=True)


@overload
def cabs(
    base: ModelLike,
    of: Sequence[tuple[ModelLike, Weights] | tuple[ModelLike, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.25,
    lambda_: Weights = 1.0,
    group: float = 256.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def cabs(
    base: Mapping[str, Any],
    of: Sequence[tuple[Mapping[str, Any], Weights] | tuple[Mapping[str, Any], Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.25,
    lambda_: Weights = 1.0,
    group: float = 256.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def cabs(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.25,
    lambda_: Weights = 1.0,
    group: float = 256.0,
    policy: Policy | None = None,
) -> Any: ...
def cabs(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.25,
    lambda_: Weights = 1.0,
    group: float = 256.0,
    policy: Policy | None = None,
) -> Any:
    """Adds the largest changes of each group of elements, none from two fine-tunes.

        base + lambda*sum(w_i*k_i), k_i the largest of x_i - base where k_1 ... are 0

    Models take turns, in the order of the list. Of each `group` of elements that follow each other in a tensor, 256
    without one, the largest of a model's differences to the base are kept, as many as density says, among those
    that no model before it has: what is kept is spread evenly, and models do not get in each other's way. Of equal
    magnitudes the first is kept. The order matters where densities add up to more than 1: later models get what is
    left. A last group of fewer keeps the same share of them, rounded up. The n:m of the paper is `group: m` with a
    density of n/m: 2:4 is `group: 4, density: 0.5`.

    Its authors merge language models with 64 of 256, a density of 0.25, and weights of 1.2. Their code drops an
    incomplete last group, and lets a second model have elements of the first where density is 0.5 or more.

    For: combine several fine-tunes; fewer conflicts between fine-tunes; language models.

    base: What all were trained from.
    of: The fine-tuned models, with a weight each.
    density: The share of each difference that is kept. (0.0 to 1.0)
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    group: How many elements share a density: a power of 2. (2.0 to 1024.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: CABS, arXiv:2503.01874, and its authors' code
    """
    return _apply("cabs", {"base": base}, {"of": of}, {"density": density, "lambda": lambda_, "group": group}, policy, weighted=True, numbered=True)


@overload
def channel_sum(
    a: ModelLike,
    b: ModelLike,
    *,
    alpha: Weights,
    beta: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def channel_sum(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alpha: Weights,
    beta: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def channel_sum(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    beta: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def channel_sum(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    beta: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Blends the channels in which two models differ most, and leaves the others.

        a + min(max(beta*(1 - cos), 0), 1)*alpha*(b - a), cos of each place of the first dimension

    Of every output channel (place of the first dimension) the cosine between a and b is taken: where they are
    parallel a stays, where they are not the channel is blended by alpha, the more the further apart they are. A
    larger beta takes more channels in full.

    For: take only what differs; style transfer.

    a: What alpha 0 gives.
    b: What is blended in.
    alpha: Share of b in a channel that is taken in full. (-10.0 to 10.0)
    beta: How soon a channel is taken in full. (0.0 to 1000.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Chattiori, CHAN
    """
    return _apply("channel_sum", {"a": a, "b": b}, {}, {"alpha": alpha, "beta": beta}, policy)


@overload
def clamp(
    a: ModelLike,
    to: Sequence[ModelLike] = (),
    *,
    low: float | None = None,
    high: float | None = None,
    stiffness: float = 0.0,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def clamp(
    a: Mapping[str, Any],
    to: Sequence[Mapping[str, Any]] = (),
    *,
    low: float | None = None,
    high: float | None = None,
    stiffness: float = 0.0,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def clamp(
    a: Any,
    to: Sequence[Any] = (),
    *,
    low: float | None = None,
    high: float | None = None,
    stiffness: float = 0.0,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any: ...
def clamp(
    a: Any,
    to: Sequence[Any] = (),
    *,
    low: float | None = None,
    high: float | None = None,
    stiffness: float = 0.0,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any:
    """Limits every element, to numbers or to the range that other models span.

        min(max(a, low), high), where to gives high = max(to...), of a stiffness high = max(to...) + stiffness*(min(those of to that are at least mean(to...)) - max(to...)), and low likewise

    With low and high (either may be left out) elements below or above become that number. With to, each element is
    limited to the least and the greatest that the listed models have in its place: an add_difference that is
    clamped to its first two models stays between them. With stiffness the limits go inwards, that share of the way
    to the values of the models that are next to the mean of all, above and below; of two models there are none
    between. A VAE that an earlier step computed is limited with the rest; one that is a model's own only with `vae:
    true`.

    For: keep a merge within the range of its parents; limit outliers; repair oversaturated colours.

    a: What is limited.
    to: Models that set the limits.
    low: Least value.
    high: Greatest value.
    stiffness: How far the limits that models set go inwards. (0.0 to 1.0)
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: sd-mecha's clamp; SD.Next's and meh's weights clip
    """
    return _apply("clamp", {"a": a}, {"to": to}, {"low": low, "high": high, "stiffness": stiffness, "vae": vae}, policy)


@overload
def consensus(
    base: ModelLike,
    of: Sequence[tuple[ModelLike, Weights] | tuple[ModelLike, Weights, Mapping[str, Weights]]],
    *,
    threshold: Weights = 0.4,
    least: Weights = 2.0,
    task: float | None = None,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def consensus(
    base: Mapping[str, Any],
    of: Sequence[tuple[Mapping[str, Any], Weights] | tuple[Mapping[str, Any], Weights, Mapping[str, Weights]]],
    *,
    threshold: Weights = 0.4,
    least: Weights = 2.0,
    task: float | None = None,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def consensus(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    threshold: Weights = 0.4,
    least: Weights = 2.0,
    task: float | None = None,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def consensus(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    threshold: Weights = 0.4,
    least: Weights = 2.0,
    task: float | None = None,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Adds the sum of changes where at least so many fine-tunes made it theirs.

        base + lambda*(sum(w_i*d_i) where count(|d_i| >= threshold*|sum(d_j) - d_i|) >= least), d_i = x_i - base

    The differences to the base are added, each times its weight. An element belongs to a model where the model's
    own difference is at least the threshold times the sum of the others', whatever the weights are. Elements that
    belong to fewer models than `least` are left out: with 2 those that one model alone would want, and those that
    none would. With `task: i` those are kept that belong to model i of the list.

    The paper has no weights: it adds all and takes a factor for the sum, which is lambda here; a model of its own
    (`task`) has the factor 1. Its authors try thresholds from 0.2 to 0.6 for each model, of which 0.4 is the
    middle, and leave out what fewer than 2 models have.

    For: combine several fine-tunes; keep what several learned; one model of many tasks.

    base: What all were trained from.
    of: The fine-tuned models, with a weight each.
    threshold: How large a model's own change is, beside the rest of the sum. (0.0 to 100.0)
    least: How many models an element belongs to. (1.0 to 1000.0)
    task: The model of the list, counted from 1, that the result is for. (1.0 to 1000.0)
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: TALL-masks and Consensus Merging, arXiv:2405.07813, and its authors' code
    """
    return _apply("consensus", {"base": base}, {"of": of}, {"threshold": threshold, "least": least, "task": task, "lambda": lambda_}, policy, weighted=True, numbered=True)


@overload
def copy(
    a: ModelLike,
    *,
    policy: Policy | None = None,
) -> Model: ...
@overload
def copy(
    a: Mapping[str, Any],
    *,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def copy(
    a: Any,
    *,
    policy: Policy | None = None,
) -> Any: ...
def copy(
    a: Any,
    *,
    policy: Policy | None = None,
) -> Any:
    """Gives a model as it is, under another name.

        a

    For recipes that only convert: another dtype, other components, shards. Costs nothing.

    For: convert or rename without merging; take a model as it is.

    a: The model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: A1111 checkpoint merger, "No interpolation"
    """
    return _apply("copy", {"a": a}, {}, {}, policy)


@overload
def core_space(
    base: ModelLike,
    of: Sequence[ModelLike],
    *,
    rank: Weights = 16.0,
    merge: Literal["tsv", "iso", "sum"] = "tsv",
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def core_space(
    base: Mapping[str, Any],
    of: Sequence[Mapping[str, Any]],
    *,
    rank: Weights = 16.0,
    merge: Literal["tsv", "iso", "sum"] = "tsv",
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def core_space(
    base: Any,
    of: Sequence[Any],
    *,
    rank: Weights = 16.0,
    merge: Literal["tsv", "iso", "sum"] = "tsv",
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def core_space(
    base: Any,
    of: Sequence[Any],
    *,
    rank: Weights = 16.0,
    merge: Literal["tsv", "iso", "sum"] = "tsv",
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Merges fine-tunes of low rank in the small space that they span together.

        base + lambda*L*merge(L'*D_i*R)*R', D_i the largest of x_i - base, L and R orthogonal bases of all their left and right vectors

    Each model's difference to the base is reduced to its `rank` largest directions, which of one that was trained
    as a LoRA of that rank is all of it. All of them together span a space of at most T*rank directions on each
    side; in it every model is a small matrix, and these are merged: by tsv as tsv_merge does, by iso as iso_c,
    where the mean is that of the small matrix, or by their sum. The result is brought back to the full size. A
    convolution is a matrix of its outputs and all else; of what is no matrix, the mean of the differences is added.
    Tensors are held whole.

    For: merge LoRAs that were baked; combine what fine-tunes learned.

    base: What all were trained from.
    of: The fine-tuned models.
    rank: Directions of each model. (1.0 to 65535.0)
    merge: What is done in the small space.
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Accurate and Efficient Low-Rank Model Merging in Core Space, arXiv:2509.17786
    """
    return _apply("core_space", {"base": base}, {"of": of}, {"rank": rank, "merge": merge, "lambda": lambda_}, policy)


@overload
def cosine_a(
    a: ModelLike,
    b: ModelLike,
    *,
    alpha: Weights,
    scope: Literal["model", "tensor"] = "model",
    policy: Policy | None = None,
) -> Model: ...
@overload
def cosine_a(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alpha: Weights,
    scope: Literal["model", "tensor"] = "model",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def cosine_a(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    scope: Literal["model", "tensor"] = "model",
    policy: Policy | None = None,
) -> Any: ...
def cosine_a(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    scope: Literal["model", "tensor"] = "model",
    policy: Policy | None = None,
) -> Any:
    """Keeps a where both models are alike, takes b elsewhere, by the angle of columns.

        s*a + (1 - s)*b, s = clip((k - low)/(high - low) - alpha, 0, 1), k = (cos of the column + cos of the tensor, its columns over their norms)/2, low and high of the cosines of columns; of a tensor alone s = clip(cos - alpha, 0, 1)

    Each column (all places of the first dimension) has the cosine between a and b as its likeness. With `scope:
    model` likenesses of all tensors that the step computes are scaled to go from 0 to 1, without the outermost
    hundredth at either end, after the cosine of the whole tensor was averaged in, in which every column counts
    alike, whatever its norm; the models are read once more for that, before the first tensor is computed. A column
    is then a by its likeness less alpha, and b by the rest: a larger alpha takes more of b. Where all columns are
    equally alike, the result is a weighted sum.

    `scope: tensor` takes cosines as they are, as sd-mecha does; there alpha 1 gives b. At a negative alpha more of
    a is kept, where SuperMerger's cosineA and Chattiori take its magnitude.

    For: keep composition, take style; blend two models; style transfer.

    a: What is kept where both are most alike.
    b: What takes its place elsewhere.
    alpha: How much less of a. (-1.0 to 1.0)
    scope: What a likeness is compared with.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: SuperMerger, "cosineA"; sd-mecha's add_cosine_a
    """
    return _apply("cosine_a", {"a": a, "b": b}, {}, {"alpha": alpha, "scope": scope}, policy)


@overload
def cosine_b(
    a: ModelLike,
    b: ModelLike,
    *,
    alpha: Weights,
    scope: Literal["model", "tensor"] = "model",
    policy: Policy | None = None,
) -> Model: ...
@overload
def cosine_b(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alpha: Weights,
    scope: Literal["model", "tensor"] = "model",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def cosine_b(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    scope: Literal["model", "tensor"] = "model",
    policy: Policy | None = None,
) -> Any: ...
def cosine_b(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    scope: Literal["model", "tensor"] = "model",
    policy: Policy | None = None,
) -> Any:
    """Keeps a where both models are alike, takes b elsewhere, by columns and tensors.

        s*a + (1 - s)*b, s = clip((k - low)/(high - low) - alpha, 0, 1), k = (cos of the column + cos of the tensor)/2, low and high of k; of a tensor alone s = clip(k - alpha, 0, 1)

    Each column (all places of the first dimension) has as its likeness the mean of its own cosine between a and b
    and that of the whole tensor. With `scope: model` likenesses of all tensors that the step computes are scaled to
    go from 0 to 1, without the outermost hundredth at either end; the models are read once more for that, before
    the first tensor is computed. A column is then a by its likeness less alpha, and b by the rest: a larger alpha
    takes more of b. Where all columns are equally alike, the result is a weighted sum.

    `scope: tensor` takes cosines as they are, as sd-mecha does; there alpha 1 gives b. At a negative alpha more of
    a is kept, where Chattiori takes its magnitude.

    For: keep composition, take style; blend two models; style transfer.

    a: What is kept where both are most alike.
    b: What takes its place elsewhere.
    alpha: How much less of a. (-1.0 to 1.0)
    scope: What a likeness is compared with.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: SuperMerger, "cosineB"; sd-mecha's add_cosine_b
    """
    return _apply("cosine_b", {"a": a, "b": b}, {}, {"alpha": alpha, "scope": scope}, policy)


@overload
def crossover(
    a: ModelLike,
    b: ModelLike,
    *,
    alpha: Weights,
    tilt: Weights = 0.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def crossover(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alpha: Weights,
    tilt: Weights = 0.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def crossover(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    tilt: Weights = 0.0,
    policy: Policy | None = None,
) -> Any: ...
def crossover(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    tilt: Weights = 0.0,
    policy: Policy | None = None,
) -> Any:
    """Takes coarse structure from one model and fine structure from another.

        a + F(b - a), F passing each frequency by alpha and tilt

    Every tensor is taken apart into frequencies along all its dimensions. Below tilt 1 and above 3, b gives the
    high frequencies and a the low ones; between 1 and 3 they are exchanged. 0, 2 and 4 are hard edges (4 is the
    same as 0), 1 and 3 are no edge at all: a weighted sum. Alpha is the share of b, at tilt 2 that of a.

    A tensor is held whole while it is computed, in 16 bytes an element and more.

    For: composition of one model, details of another; style transfer that keeps composition.

    a: Low frequencies, below tilt 1.
    b: High ones.
    alpha: Share of b. (0.0 to 1.0)
    tilt: How soft the crossing is. (0.0 to 4.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: sd-mecha's crossover
    """
    return _apply("crossover", {"a": a, "b": b}, {}, {"alpha": alpha, "tilt": tilt}, policy)


@overload
def dare_linear(
    base: ModelLike,
    of: Sequence[tuple[ModelLike, Weights] | tuple[ModelLike, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    normalize: bool = False,
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Model: ...
@overload
def dare_linear(
    base: Mapping[str, Any],
    of: Sequence[tuple[Mapping[str, Any], Weights] | tuple[Mapping[str, Any], Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    normalize: bool = False,
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def dare_linear(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    normalize: bool = False,
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Any: ...
def dare_linear(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    normalize: bool = False,
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Any:
    """Adds fine-tunes of which most changes are dropped by chance.

        base + lambda*sum(w_i*d_i) [/ sum(w_i)], d_i = m_i*(x_i - base) / density, m_i 0 or 1

    Of every model's difference to the base each element is kept with the probability density, independently of all
    others; what is kept is divided by density, so that the sum stays on average what it was. With `rescale: l1`, as
    mergekit has it, it is scaled to the sum of magnitudes that the difference had, and with `none` not at all. At
    density 1 nothing is dropped, and at 0 all is.

    The choice is that of the seed, of the model's place in the list, of the tensor's name and of the element's
    place in it: threads, parts, and names and order in files change nothing. Mergekit draws from one sequence for
    all tensors, so its choice is another, of the same shares.

    For: combine several fine-tunes of one base; multi-task language model; thin out a fine-tune.

    base: What all were trained from.
    of: The fine-tuned models, with a weight each.
    density: The share of each difference that is kept, on average. (0.0 to 1.0)
    normalize: Whether to divide by the sum of the weights.
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    rescale: What the elements that are kept are divided by: their share, as papers have it, what keeps the sum of
        magnitudes, as mergekit has it, or nothing.
    seed: Of the random numbers: the same seed gives the same bytes.
    seed_shared: Whether another step of the recipe may have the same seed.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: DARE, arXiv:2311.03099; mergekit's dare_linear
    """
    return _apply("dare_linear", {"base": base}, {"of": of}, {"density": density, "normalize": normalize, "lambda": lambda_, "rescale": rescale, "seed": seed, "seed_shared": seed_shared}, policy, weighted=True, numbered=True)


@overload
def dare_ties(
    base: ModelLike,
    of: Sequence[tuple[ModelLike, Weights] | tuple[ModelLike, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    normalize: bool = False,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Model: ...
@overload
def dare_ties(
    base: Mapping[str, Any],
    of: Sequence[tuple[Mapping[str, Any], Weights] | tuple[Mapping[str, Any], Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    normalize: bool = False,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def dare_ties(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    normalize: bool = False,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Any: ...
def dare_ties(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    normalize: bool = False,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Any:
    """Adds fine-tunes thinned by chance, of the sign that outweighs.

        base + lambda*sum(k_i) [/ sum(w_i where k_i != 0)], k_i = w_i*m_i*(x_i - base) / density of the elected sign

    Of every model's difference to the base each element is kept with the probability density, and divided by
    density, as dare_linear does. Where what is left disagrees on a sign, elements of one are left out, as ties
    does: with normalize, which is off by default, each element is divided by the sum of the weights of the models
    that are left there.

    The choice is that of the seed, of the model's place in the list, of the tensor's name and of the element's
    place in it: threads, parts, and names and order in files change nothing. Mergekit draws from one sequence for
    all tensors, so its choice is another, of the same shares.

    For: combine several fine-tunes of one base; multi-task language model; resolve conflicts between fine-tunes.

    base: What all were trained from.
    of: The fine-tuned models, with a weight each.
    density: The share of each difference that is kept, on average. (0.0 to 1.0)
    normalize: Whether to divide by the weights that agree.
    sign: What elects a sign: the sum of the changes, how many have it, or how many with nothing kept where the
        votes are equal.
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    rescale: What the elements that are kept are divided by: their share, as papers have it, what keeps the sum of
        magnitudes, as mergekit has it, or nothing.
    seed: Of the random numbers: the same seed gives the same bytes.
    seed_shared: Whether another step of the recipe may have the same seed.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: DARE, arXiv:2311.03099; mergekit's dare_ties
    """
    return _apply("dare_ties", {"base": base}, {"of": of}, {"density": density, "normalize": normalize, "sign": sign, "lambda": lambda_, "rescale": rescale, "seed": seed, "seed_shared": seed_shared}, policy, weighted=True, numbered=True)


@overload
def della(
    base: ModelLike,
    of: Sequence[tuple[ModelLike, Weights] | tuple[ModelLike, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    epsilon: Weights = 0.15,
    ranks: Literal["row", "column", "tensor"] = "row",
    normalize: bool = True,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Model: ...
@overload
def della(
    base: Mapping[str, Any],
    of: Sequence[tuple[Mapping[str, Any], Weights] | tuple[Mapping[str, Any], Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    epsilon: Weights = 0.15,
    ranks: Literal["row", "column", "tensor"] = "row",
    normalize: bool = True,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def della(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    epsilon: Weights = 0.15,
    ranks: Literal["row", "column", "tensor"] = "row",
    normalize: bool = True,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Any: ...
def della(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    epsilon: Weights = 0.15,
    ranks: Literal["row", "column", "tensor"] = "row",
    normalize: bool = True,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Any:
    """Adds the larger changes of fine-tunes, by chance, of the sign that outweighs.

        base + lambda*sum(k_i) / sum(w_i where k_i != 0), k_i = w_i*m_i*(x_i - base) / p_i of the elected sign

    As dare_ties, with a chance that grows with the magnitude of an element in every model's difference to the base.
    An element of rank r of n (0 is the smallest magnitude, the lower index of equal ones) is kept with the
    probability density - epsilon + 2*epsilon*r/(n - 1); it is then divided by it, so that the sum stays on average
    what it was. With `rescale: l1`, as mergekit has it, what is kept is scaled to the sum of magnitudes that the
    difference had. Ranks are those inside a row: all that makes one output. mergekit ranks convolutions along their
    input channels, as `ranks: column` does, and sd-mecha all of a tensor. A row of one element has the probability
    density, where mergekit fails.

    With normalize each element is divided by the sum of the weights of the models that are left there. At density 1
    nothing is dropped; else density - epsilon and density + epsilon lie between 0 and 1.

    The choice is that of the seed, of the model's place in the list, of the tensor's name and of the element's
    place in it: threads, parts, and names and order in files change nothing. Mergekit draws from one sequence for
    all tensors, so its choice is another, of the same shares.

    For: combine several fine-tunes of one base; multi-task language model; resolve conflicts between fine-tunes.

    base: What all were trained from.
    of: The fine-tuned models, with a weight each.
    density: The share of each difference that is kept, on average. (0.0 to 1.0)
    epsilon: How much likelier than density the largest element is kept, and how much less likely the smallest. (0.0
        to 0.5)
    ranks: Which elements are ranked among each other: those that make one output, those that differ in the input
        channel alone (as mergekit has it), or all. A probability is an f32: neighbours among more than 2^24
        elements may have the same one.
    normalize: Whether to divide by the weights that agree.
    sign: What elects a sign: the sum of the changes, how many have it, or how many with nothing kept where the
        votes are equal.
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    rescale: What the elements that are kept are divided by: their share, as papers have it, what keeps the sum of
        magnitudes, as mergekit has it, or nothing.
    seed: Of the random numbers: the same seed gives the same bytes.
    seed_shared: Whether another step of the recipe may have the same seed.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: DELLA-Merging, arXiv:2406.11617; mergekit's della
    """
    return _apply("della", {"base": base}, {"of": of}, {"density": density, "epsilon": epsilon, "ranks": ranks, "normalize": normalize, "sign": sign, "lambda": lambda_, "rescale": rescale, "seed": seed, "seed_shared": seed_shared}, policy, weighted=True, numbered=True)


@overload
def della_linear(
    base: ModelLike,
    of: Sequence[tuple[ModelLike, Weights] | tuple[ModelLike, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    epsilon: Weights = 0.15,
    ranks: Literal["row", "column", "tensor"] = "row",
    normalize: bool = False,
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Model: ...
@overload
def della_linear(
    base: Mapping[str, Any],
    of: Sequence[tuple[Mapping[str, Any], Weights] | tuple[Mapping[str, Any], Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    epsilon: Weights = 0.15,
    ranks: Literal["row", "column", "tensor"] = "row",
    normalize: bool = False,
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def della_linear(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    epsilon: Weights = 0.15,
    ranks: Literal["row", "column", "tensor"] = "row",
    normalize: bool = False,
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Any: ...
def della_linear(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.5,
    epsilon: Weights = 0.15,
    ranks: Literal["row", "column", "tensor"] = "row",
    normalize: bool = False,
    lambda_: Weights = 1.0,
    rescale: Literal["density", "l1", "none"] = "density",
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Any:
    """Adds fine-tunes of which small changes are dropped more often than large ones.

        base + lambda*sum(w_i*d_i) [/ sum(w_i)], d_i = m_i*(x_i - base) / p_i, m_i 0 or 1

    As dare_linear, with a chance that grows with the magnitude of an element in every model's difference to the
    base. An element of rank r of n (0 is the smallest magnitude, the lower index of equal ones) is kept with the
    probability density - epsilon + 2*epsilon*r/(n - 1); it is then divided by it, so that the sum stays on average
    what it was. With `rescale: l1`, as mergekit has it, what is kept is scaled to the sum of magnitudes that the
    difference had. Ranks are those inside a row: all that makes one output. mergekit ranks convolutions along their
    input channels, as `ranks: column` does, and sd-mecha all of a tensor. A row of one element has the probability
    density, where mergekit fails.

    At density 1 nothing is dropped; else density - epsilon and density + epsilon lie between 0 and 1.

    The choice is that of the seed, of the model's place in the list, of the tensor's name and of the element's
    place in it: threads, parts, and names and order in files change nothing. Mergekit draws from one sequence for
    all tensors, so its choice is another, of the same shares.

    For: combine several fine-tunes of one base; multi-task language model; thin out a fine-tune.

    base: What all were trained from.
    of: The fine-tuned models, with a weight each.
    density: The share of each difference that is kept, on average. (0.0 to 1.0)
    epsilon: How much likelier than density the largest element is kept, and how much less likely the smallest. (0.0
        to 0.5)
    ranks: Which elements are ranked among each other: those that make one output, those that differ in the input
        channel alone (as mergekit has it), or all. A probability is an f32: neighbours among more than 2^24
        elements may have the same one.
    normalize: Whether to divide by the sum of the weights.
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    rescale: What the elements that are kept are divided by: their share, as papers have it, what keeps the sum of
        magnitudes, as mergekit has it, or nothing.
    seed: Of the random numbers: the same seed gives the same bytes.
    seed_shared: Whether another step of the recipe may have the same seed.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: DELLA-Merging, arXiv:2406.11617; mergekit's della_linear
    """
    return _apply("della_linear", {"base": base}, {"of": of}, {"density": density, "epsilon": epsilon, "ranks": ranks, "normalize": normalize, "lambda": lambda_, "rescale": rescale, "seed": seed, "seed_shared": seed_shared}, policy, weighted=True, numbered=True)


@overload
def distribution_crossover(
    a: ModelLike,
    b: ModelLike,
    c: ModelLike,
    *,
    alpha: Weights,
    tilt: Weights = 0.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def distribution_crossover(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    c: Mapping[str, Any],
    *,
    alpha: Weights,
    tilt: Weights = 0.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def distribution_crossover(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    tilt: Weights = 0.0,
    policy: Policy | None = None,
) -> Any: ...
def distribution_crossover(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    tilt: Weights = 0.0,
    policy: Policy | None = None,
) -> Any:
    """Crosses two models over in the order that the values of a third have.

        a + F(b - a), F passing in the order of c the frequencies f where f >= 1 - alpha, or clip((f - (1 - alpha))/tilt + 1/2, 0, 1) of each

    Elements of a and b are put in the order in which c has its values. Of that line a gives the low frequencies,
    how values go with those of c, and b the high ones. Alpha is the share of the frequencies that b gives; tilt is
    how softly the two go over into each other, as a share of all frequencies. At alpha 0 the result is a.

    meh's alpha is the share of a: 1 less this one. It leaves open in which order equal elements of c are; here it
    is that of their places. A tensor is held whole while it is computed, in 40 bytes an element and more.

    For: take structure of one model with the detail of another.

    a: Low frequencies.
    b: High ones.
    c: Gives the order.
    alpha: Share of b. (0.0 to 1.0)
    tilt: How soft the crossing is. (0.0 to 1.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: meh's distribution_crossover
    """
    return _apply("distribution_crossover", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha, "tilt": tilt}, policy)


@overload
def dropout(
    base: ModelLike,
    of: Sequence[ModelLike],
    *,
    probability: Weights = 0.9,
    rescale: float = 1.0,
    overlap: Weights = 1.0,
    emphasis: Weights = 0.0,
    lambda_: Weights = 1.0,
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Model: ...
@overload
def dropout(
    base: Mapping[str, Any],
    of: Sequence[Mapping[str, Any]],
    *,
    probability: Weights = 0.9,
    rescale: float = 1.0,
    overlap: Weights = 1.0,
    emphasis: Weights = 0.0,
    lambda_: Weights = 1.0,
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def dropout(
    base: Any,
    of: Sequence[Any],
    *,
    probability: Weights = 0.9,
    rescale: float = 1.0,
    overlap: Weights = 1.0,
    emphasis: Weights = 0.0,
    lambda_: Weights = 1.0,
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Any: ...
def dropout(
    base: Any,
    of: Sequence[Any],
    *,
    probability: Weights = 0.9,
    rescale: float = 1.0,
    overlap: Weights = 1.0,
    emphasis: Weights = 0.0,
    lambda_: Weights = 1.0,
    seed: int = 0,
    seed_shared: bool = False,
    policy: Policy | None = None,
) -> Any:
    """Adds random elements of fine-tunes, and averages where they meet.

        base + lambda*sum(m_i*(x_i - base)) / max(sum(m_i), 1) / (1 - p)^rescale, m_i 0 or 1

    Of every model's difference to the base each element is dropped with the given probability; what is left is
    averaged where several models have it, and divided by (1 - probability)^rescale.

    At overlap 1 models are drawn independently of each other. Below, an element is dropped of all of them with that
    probability, or else kept of a set of models: of exactly one at overlap 0, of any set with the same chance at
    0.5, of more and more of them towards 1. A set of k models has the weight e^(k*tan(pi*(overlap - 0.5))).
    Emphasis blends that with sets as independent draws with the given probability would make them, most of all at
    overlap 0.5.

    sd-mecha's overlap of odd numbers is 1 here, and what lies beyond 1 mirrors 0 to 1; its alpha, 0.5 by default,
    is lambda. Its numbers are those of numpy's generator, ours do not depend on the order of tensors.

    For: combine several fine-tunes of one base; thin out a fine-tune.

    base: What all were trained from.
    of: The fine-tuned models.
    probability: That an element is dropped. (0.0 to 1.0)
    rescale: How far what is kept is scaled up: 1 keeps the mean, 0 is not at all. (0.0 to 1.0)
    overlap: How often models keep the same elements; at 1 they are independent. (0.0 to 1.0)
    emphasis: How much sets are those of independent draws, below overlap 1. (0.0 to 1.0)
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    seed: Of the random numbers: the same seed gives the same bytes.
    seed_shared: Whether another step of the recipe may have the same seed.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: sd-mecha's dropout; DARE, arXiv:2311.03099
    """
    return _apply("dropout", {"base": base}, {"of": of}, {"probability": probability, "rescale": rescale, "overlap": overlap, "emphasis": emphasis, "lambda": lambda_, "seed": seed, "seed_shared": seed_shared}, policy)


@overload
def ema(
    a: ModelLike,
    *,
    alpha: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def ema(
    a: Mapping[str, Any],
    *,
    alpha: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def ema(
    a: Any,
    *,
    alpha: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def ema(
    a: Any,
    *,
    alpha: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Takes a model's weights from the moving averages that its own file carries.

        (1 - alpha)*a + alpha*ema(a)

    Training may keep an exponential moving average of the weights; checkpoints that were not pruned carry it as
    `model_ema.` beside the weights. It is often smoother. Only the diffusion model has such copies; text encoders
    and the VAE stay. At alpha 1 the averages replace the weights. a is a model, not a step. A file without averages
    is an error, as any step without effect.

    For: use the moving average of a training; smoother weights of an unpruned checkpoint.

    a: The model, with its EMA copies.
    alpha: Share of the moving average. (0.0 to 1.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Chattiori's keep_ema; sd-mecha's exchange_ema, one way
    """
    return _apply("ema", {"a": a}, {}, {"alpha": alpha}, policy)


@overload
def emr(
    base: ModelLike,
    of: Sequence[ModelLike],
    *,
    task: float | None = None,
    lambda_: Weights = 1.0,
    scale: Literal["tensor", "model", "means"] = "tensor",
    policy: Policy | None = None,
) -> Model: ...
@overload
def emr(
    base: Mapping[str, Any],
    of: Sequence[Mapping[str, Any]],
    *,
    task: float | None = None,
    lambda_: Weights = 1.0,
    scale: Literal["tensor", "model", "means"] = "tensor",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def emr(
    base: Any,
    of: Sequence[Any],
    *,
    task: float | None = None,
    lambda_: Weights = 1.0,
    scale: Literal["tensor", "model", "means"] = "tensor",
    policy: Policy | None = None,
) -> Any: ...
def emr(
    base: Any,
    of: Sequence[Any],
    *,
    task: float | None = None,
    lambda_: Weights = 1.0,
    scale: Literal["tensor", "model", "means"] = "tensor",
    policy: Policy | None = None,
) -> Any:
    """Adds the largest change of the elected sign, or what of it is one model's own.

        base + lambda*u, u = sign(sum(d_i))*max(|d_i| of that sign); with task i base + lambda*(sum|d_i| / sum|m*u|)*(m*u), m = 1 where d_i*u > 0, sums of a tensor, of the model, or of means of tensors

    Of each element the sign of the summed differences to the base is elected, and the largest difference of that
    sign is taken: the unified difference, which is added. With `task: i` the result is for what model i of the list
    is for: of the unified difference only elements are kept in which that model has the elected sign, and they are
    scaled so that their magnitudes add up to those of the model's own difference, tensor by tensor. With `scale:
    model` one factor does that for all tensors that the step computes, as in the paper; with `scale: means` each of
    these counts by the mean of its magnitudes, a bias as much as a large matrix, as in its authors' code. Both read
    the models once more before the first tensor is computed.

    An element whose differences add up to 0 stays that of the base, where its authors' code takes the largest
    negative one.

    For: combine several fine-tunes; one model of many tasks.

    base: What all were trained from.
    of: The fine-tuned models.
    task: The model of the list, counted from 1, that the result is for. (1.0 to 1000.0)
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    scale: Of a task: what keeps its sum of magnitudes, each tensor by itself, the whole model, or the model by the
        means of its tensors.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: EMR-Merging, arXiv:2405.17461, and its authors' code
    """
    return _apply("emr", {"base": base}, {"of": of}, {"task": task, "lambda": lambda_, "scale": scale}, policy)


@overload
def euclidean_add_difference(
    a: ModelLike,
    b: ModelLike,
    c: ModelLike,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Model: ...
@overload
def euclidean_add_difference(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    c: Mapping[str, Any],
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def euclidean_add_difference(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any: ...
def euclidean_add_difference(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any:
    """Adds two differences in quadrature: the larger of two changes counts for more.

        c + (|s| / |d|)*d, s = (1 - alpha)*a + alpha*b - c, d = sign(s)*sqrt((1 - alpha)*u^2 + alpha*v^2), u and v the differences over their norms

    The changes of a and b to c, each scaled to norm 1, are added in quadrature, element by element, with the sign
    of their weighted sum, and the result gets the norm of that sum. Where both are the same it is their weighted
    sum; where one changed more, it counts for more than its share.

    For: combine several fine-tunes of one base.

    a: A fine-tune.
    b: Another.
    c: What both were trained from.
    alpha: Share of b. (0.0 to 1.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: meh's euclidean_add_difference
    """
    return _apply("euclidean_add_difference", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha}, policy)


@overload
def extract(
    a: ModelLike,
    b: ModelLike,
    c: ModelLike,
    *,
    alpha: Weights,
    beta: Weights = 0.0,
    gamma: Weights = 0.3,
    policy: Policy | None = None,
) -> Model: ...
@overload
def extract(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    c: Mapping[str, Any],
    *,
    alpha: Weights,
    beta: Weights = 0.0,
    gamma: Weights = 0.3,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def extract(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    beta: Weights = 0.0,
    gamma: Weights = 0.3,
    policy: Policy | None = None,
) -> Any: ...
def extract(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    beta: Weights = 0.0,
    gamma: Weights = 0.3,
    policy: Policy | None = None,
) -> Any:
    """Adds to a what two fine-tunes have in common, or what tells them apart.

        a + ((1 - alpha)*(b - a) + alpha*(c - a))*((1 - beta)*s + beta*(1 - s)), s = ((cos + 1)/2)^gamma

    The differences of b and c to a are compared run by run of the last dimension: with beta 0 those that point the
    same way are added, with beta 1 those that do not, each in proportion to how alike (unlike) they are. A larger
    gamma takes less of what is less alike. Alpha is the share of c in what is added.

    In SuperMerger a is the base as well. On convolutions a run is one row of a kernel.

    For: find what two fine-tunes share; remove what two fine-tunes share; style transfer.

    a: What both were trained from.
    b: A fine-tune.
    c: Another.
    alpha: Share of c in what is added. (0.0 to 1.0)
    beta: 0 for what is alike, 1 for what is not. (0.0 to 1.0)
    gamma: How sharp the choice is. (0.0 to 20.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: SuperMerger, "extract"
    """
    return _apply("extract", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha, "beta": beta, "gamma": gamma}, policy)


@overload
def fallback(
    a: ModelLike,
    b: ModelLike,
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def fallback(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def fallback(
    a: Any,
    b: Any,
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any: ...
def fallback(
    a: Any,
    b: Any,
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any:
    """One model, and another for tensors that the first does not have.

        a, or b where a has no such tensor

    Tensors of a stay as they are, byte for byte; what only b has is taken from b. Steps that need a tensor in all
    of their models stop at a missing one, unless `policy: {missing: keep}` says otherwise: this does so for one
    model alone. What a has in another shape is an error. A file that lacks the very tensors that its architecture
    is known by is taken for one of the other's architecture, where at least half of its tensors are called as
    there.

    For: complete a checkpoint that lacks tensors; add a missing text encoder or VAE.

    a: Has the first say.
    b: Gives what is missing.
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: sd-mecha's fallback, its operator |
    """
    return _apply("fallback", {"a": a, "b": b}, {}, {"vae": vae}, policy)


@overload
def frequency(
    a: ModelLike,
    b: ModelLike,
    *,
    low: Weights,
    middle: Weights,
    high: Weights,
    from_: Weights = 0.25,
    to: Weights = 0.5,
    policy: Policy | None = None,
) -> Model: ...
@overload
def frequency(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    low: Weights,
    middle: Weights,
    high: Weights,
    from_: Weights = 0.25,
    to: Weights = 0.5,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def frequency(
    a: Any,
    b: Any,
    *,
    low: Weights,
    middle: Weights,
    high: Weights,
    from_: Weights = 0.25,
    to: Weights = 0.5,
    policy: Policy | None = None,
) -> Any: ...
def frequency(
    a: Any,
    b: Any,
    *,
    low: Weights,
    middle: Weights,
    high: Weights,
    from_: Weights = 0.25,
    to: Weights = 0.5,
    policy: Policy | None = None,
) -> Any:
    """Blends coarse, middle and fine structure of two models, each by its own weight.

        a + F(b - a), F passing low, middle or high of a frequency by its radius

    Every tensor is taken apart into frequencies along all its dimensions, as crossover does. Each has a radius from
    0, the mean, to 1, the finest. Below `from` the share `low` of b is taken, from there on `middle`, and from `to`
    on `high`. Where all are 0 the result is a, where all are 1 it is b, byte for byte.

    A tensor is held whole while it is computed, in 16 bytes an element and more. Chattiori's FREQ transforms each
    kernel of a convolution by itself, and has two bands.

    For: style transfer; keep fine detail; keep composition.

    a: What shares of 0 leave.
    b: What is taken from.
    low: Share of b in the coarse structure. (-10.0 to 10.0)
    middle: Share of b between. (-10.0 to 10.0)
    high: Share of b in the fine structure. (-10.0 to 10.0)
    from_: The radius at which the middle begins. (0.0 to 1.0)
    to: The radius at which it ends. (0.0 to 1.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: ours, after sd-mecha's crossover and Chattiori's FREQ
    """
    return _apply("frequency", {"a": a, "b": b}, {}, {"low": low, "middle": middle, "high": high, "from": from_, "to": to}, policy)


@overload
def geometric_median(
    of: Sequence[ModelLike],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def geometric_median(
    of: Sequence[Mapping[str, Any]],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def geometric_median(
    of: Sequence[Any],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any: ...
def geometric_median(
    of: Sequence[Any],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any:
    """What is nearest to several models at once: one that is far off counts little.

        sum(s_i*x_i), s_i = (1/d_i) / sum(1/d_j), d_i = max(|x_i - result|, 1e-6), iterated from s_i = 1/n

    Every tensor is a point; the result is the point with the least sum of distances to all of them. Where three
    models agree and a fourth does not, it is much nearer to the three than the average is. Of two models it is the
    average.

    The point is found by Weiszfeld's iteration from the average, at most 100 steps, on the scalar products of the
    models' differences, so that the models are read twice and no more. sd-mecha computes each step in f32 on all
    elements.

    For: combine several fine-tunes of one base; average models of which some may be bad.

    of: The models.
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: sd-mecha's geometric_median; Weiszfeld, 1937
    """
    return _apply("geometric_median", {}, {"of": of}, {"vae": vae}, policy)


@overload
def geometric_sum(
    a: ModelLike,
    b: ModelLike,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Model: ...
@overload
def geometric_sum(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def geometric_sum(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any: ...
def geometric_sum(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any:
    """Blends magnitudes as a product of powers: small where either is small.

        Re(a^(1 - alpha)*b^alpha)

    The geometric mean of every pair of elements, weighted by alpha. Where their signs differ, the result is the
    real part of the product of complex powers: its sign and size turn from a to b by way of 0. Where both are below
    0 so is the result. At alpha 0 it is a, at 1 it is b, byte for byte.

    For: keep what two models agree on; blend two models.

    a: What alpha 0 gives.
    b: What alpha 1 gives.
    alpha: Share of b. (0.0 to 1.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: sd-mecha's geometric_sum; Chattiori, GEO (which gives NaN below 0)
    """
    return _apply("geometric_sum", {"a": a, "b": b}, {}, {"alpha": alpha}, policy)


@overload
def iso_c(
    base: ModelLike,
    of: Sequence[ModelLike],
    *,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def iso_c(
    base: Mapping[str, Any],
    of: Sequence[Mapping[str, Any]],
    *,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def iso_c(
    base: Any,
    of: Sequence[Any],
    *,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def iso_c(
    base: Any,
    of: Sequence[Any],
    *,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Adds fine-tunes with one strength in all directions: their mean singular value.

        base + lambda*mean(s)*U*V', U*S*V' = sum(x_i - base)

    In a sum of fine-tunes the directions that several share outweigh those that only one has. Here the singular
    values of the sum are replaced by their mean, matrix by matrix, so that each direction counts the same. A
    convolution is a matrix of its outputs and all else (its authors average it); of what is no matrix, the mean of
    the differences is added.

    Values that are 0 count in the mean, and their directions stay at 0: what no model changed is not changed. Those
    that rounding of the files left are raised with all others, as the method says; `truncate_rank` before it leaves
    them out. Tensors are held whole.

    For: combine what fine-tunes learned; many fine-tunes of one base; let weak changes count.

    base: What all were trained from.
    of: The fine-tuned models.
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: No Task Left Behind (Iso-C), arXiv:2502.04959
    """
    return _apply("iso_c", {"base": base}, {"of": of}, {"lambda": lambda_}, policy)


@overload
def iso_cts(
    base: ModelLike,
    of: Sequence[ModelLike],
    *,
    common: Weights = 0.8,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def iso_cts(
    base: Mapping[str, Any],
    of: Sequence[Mapping[str, Any]],
    *,
    common: Weights = 0.8,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def iso_cts(
    base: Any,
    of: Sequence[Any],
    *,
    common: Weights = 0.8,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def iso_cts(
    base: Any,
    of: Sequence[Any],
    *,
    common: Weights = 0.8,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """As iso_c, with a share of the directions kept for what each fine-tune has alone.

        base + lambda*mean(s)*polar([U_1 ... U_T U_c])*polar([V_1 ... V_T V_c])', U_i of (1 - U_c*U_c')*(x_i - base), U_c of sum(x_i - base)

    The share `common` of the directions comes from the sum of all differences to the base. The others are divided
    evenly: from each model the largest directions of what it has outside the common ones. All vectors are made
    orthogonal, and all get one singular value, the mean of those that were taken. A convolution is a matrix of its
    outputs and all else (its authors average it); of what is no matrix, the mean of the differences is added.
    Tensors are held whole.

    For: combine what fine-tunes learned; many fine-tunes of one base; keep what each model has alone.

    base: What all were trained from.
    of: The fine-tuned models.
    common: The share of the directions that comes from the sum. (0.0 to 1.0)
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: No Task Left Behind (Iso-CTS), arXiv:2502.04959
    """
    return _apply("iso_cts", {"base": base}, {"of": of}, {"common": common, "lambda": lambda_}, policy)


@overload
def karcher(
    of: Sequence[ModelLike],
    *,
    iterations: float = 10.0,
    tolerance: float = 1e-05,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def karcher(
    of: Sequence[Mapping[str, Any]],
    *,
    iterations: float = 10.0,
    tolerance: float = 1e-05,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def karcher(
    of: Sequence[Any],
    *,
    iterations: float = 10.0,
    tolerance: float = 1e-05,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any: ...
def karcher(
    of: Sequence[Any],
    *,
    iterations: float = 10.0,
    tolerance: float = 1e-05,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any:
    """The middle of any number of models on the sphere that their directions lie on.

        mean(|x_i|)*u, u of the least sum(angle(u, x_i)^2)

    Every tensor is one vector. Of the directions that is found which has the least sum of squared arcs to all of
    them (their Karcher mean), by steps from their mean; it gets the average of the lengths. All models count alike.
    A tensor that is shorter than the tolerance has no direction, but counts as a length. Where directions are
    opposite to each other there is no middle, and the first stays.

    For: blend several models and keep their strength; language models.

    of: The models.
    iterations: The largest number of steps. (1.0 to 1000.0)
    tolerance: The length of a step that is not worth going. (1e-12 to 1.0)
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Karcher, 1977; mergekit's karcher
    """
    return _apply("karcher", {}, {"of": of}, {"iterations": iterations, "tolerance": tolerance, "vae": vae}, policy)


@overload
def linear(
    of: Sequence[tuple[ModelLike, Weights]],
    *,
    normalize: bool = False,
    policy: Policy | None = None,
) -> Model: ...
@overload
def linear(
    of: Sequence[tuple[Mapping[str, Any], Weights]],
    *,
    normalize: bool = False,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def linear(
    of: Sequence[tuple[Any, Weights]],
    *,
    normalize: bool = False,
    policy: Policy | None = None,
) -> Any: ...
def linear(
    of: Sequence[tuple[Any, Weights]],
    *,
    normalize: bool = False,
    policy: Policy | None = None,
) -> Any:
    """The weighted sum of any number of models.

        w0*x0 + w1*x1 + ..., left to right; with normalize divided by w0 + w1 + ...

    Terms are added from left to right. With normalize the sum is divided by the sum of the weights, so that weights
    are shares of any scale. Without it the weights are taken as they are: of models they should add up to 1, of
    differences they need not.

    An operand whose weight is exactly 0 is not read.

    For: weighted blend of several models; model soup; extrapolate away from a model.

    of: The terms, with a weight each.
    normalize: Whether to divide by the sum of the weights.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Model soups, arXiv:2203.05482; mergekit's linear (whose normalize is on by default)
    """
    return _apply("linear", {}, {"of": of}, {"normalize": normalize}, policy, weighted=True)


@overload
def maximum(
    a: ModelLike,
    b: ModelLike,
    *,
    alpha: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def maximum(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alpha: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def maximum(
    a: Any,
    b: Any,
    *,
    alpha: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def maximum(
    a: Any,
    b: Any,
    *,
    alpha: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """The larger of two models, element by element.

        a + alpha*(max(a, b) - a)

    The number that is larger, not the one of the larger magnitude: what is below 0 tends to the model that has less
    of it. Below alpha 1 the result lies between that and a.

    For: blend without averaging.

    a: What alpha 0 gives.
    b: What is compared with it.
    alpha: How much of the change. (0.0 to 1.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Chattiori, MAX
    """
    return _apply("maximum", {"a": a, "b": b}, {}, {"alpha": alpha}, policy)


@overload
def model_stock(
    base: ModelLike,
    of: Sequence[ModelLike],
    *,
    by: Literal["tensor", "filter"] = "tensor",
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def model_stock(
    base: Mapping[str, Any],
    of: Sequence[Mapping[str, Any]],
    *,
    by: Literal["tensor", "filter"] = "tensor",
    vae: bool | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def model_stock(
    base: Any,
    of: Sequence[Any],
    *,
    by: Literal["tensor", "filter"] = "tensor",
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any: ...
def model_stock(
    base: Any,
    of: Sequence[Any],
    *,
    by: Literal["tensor", "filter"] = "tensor",
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any:
    """Averages fine-tunes, nearer to their base the less they point the same way.

        t*mean(x_i) + (1 - t)*base, t = n*c / (1 + (n - 1)*c), c the mean cosine of all pairs of differences

    The mean of the models is pulled towards the base by the angle between their differences to it, tensor by
    tensor: fine-tunes that agree are averaged, where they have nothing in common the base stays. A mean cosine
    below 0 counts as 0, where mergekit moves away from the models. With `by: filter` every row of a matrix (what
    belongs to one output, of a convolution all of its kernel) has an angle of its own; mergekit's filter_wise and
    sd-mecha's model_stock take the last dimension, which is the same for matrices.

    For: average fine-tunes of one base without tuning weights; soup of several models.

    base: What all were trained from.
    of: The fine-tuned models.
    by: What has an angle of its own.
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Model Stock, arXiv:2403.19522; mergekit's model_stock
    """
    return _apply("model_stock", {"base": base}, {"of": of}, {"by": by, "vae": vae}, policy)


@overload
def multiply(
    a: ModelLike,
    b: ModelLike,
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def multiply(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def multiply(
    a: Any,
    b: Any,
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any: ...
def multiply(
    a: Any,
    b: Any,
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any:
    """Multiplies two models or two differences, element by element.

        a*b, by element

    Serves to gate one difference with another. Where a difference has no tensor, the product has none either.

    For: mask a difference; gate one model by another.

    a: One factor.
    b: The other.
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Elementwise (Hadamard) product
    """
    return _apply("multiply", {"a": a, "b": b}, {}, {"vae": vae}, policy)


@overload
def multiply_difference(
    a: ModelLike,
    b: ModelLike,
    c: ModelLike,
    *,
    alpha: Weights,
    beta: Weights = 0.5,
    policy: Policy | None = None,
) -> Model: ...
@overload
def multiply_difference(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    c: Mapping[str, Any],
    *,
    alpha: Weights,
    beta: Weights = 0.5,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def multiply_difference(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    beta: Weights = 0.5,
    policy: Policy | None = None,
) -> Any: ...
def multiply_difference(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    beta: Weights = 0.5,
    policy: Policy | None = None,
) -> Any:
    """Adds the geometric mean of two differences: only where both models changed.

        c + copysign(|a - c|^(1 - alpha)*|b - c|^alpha, ((1 - beta)*a + beta*b) - c)

    Of the differences of a and b to c the magnitudes are multiplied, each to the power of its share, so that what
    one of them did not change stays as it is in c. The sign is that of the blend of both by beta.

    For: keep what two models agree on; combine several fine-tunes of one base.

    a: A fine-tune.
    b: Another.
    c: What both were trained from.
    alpha: Share of b in the size of the change. (0.0 to 1.0)
    beta: Share of b in its sign. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: meh's multiply_difference; Chattiori, MD
    """
    return _apply("multiply_difference", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha, "beta": beta}, policy)


@overload
def multiply_quotient(
    a: ModelLike,
    b: ModelLike,
    c: ModelLike,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Model: ...
@overload
def multiply_quotient(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    c: Mapping[str, Any],
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def multiply_quotient(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any: ...
def multiply_quotient(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any:
    """Multiplies a by how b grew over c, where a itself changed the other way.

        Re(a*(b/c)^t), t = alpha*max(0, -p*q/max(|p|, |q|)^2), p = ln|a/c|, q = ln|b/c|

    Add difference in logarithms: the quotient of b and c, to a power that is largest where a and b went opposite
    ways from c and 0 where they went the same way. Where the quotient is of unlike signs the result is the real
    part. Where anything is not defined, by a zero, a stays.

    For: style transfer; add a fine-tune in proportion.

    a: The model that is changed.
    b: The model that was trained.
    c: What b was trained from.
    alpha: How much of the training. (0.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: sd-mecha's multiply_quotient
    """
    return _apply("multiply_quotient", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha}, policy)


@overload
def multislerp(
    of: Sequence[tuple[ModelLike, Weights]],
    base: ModelLike | None = None,
    *,
    normalize: bool = True,
    policy: Policy | None = None,
) -> Model: ...
@overload
def multislerp(
    of: Sequence[tuple[Mapping[str, Any], Weights]],
    base: Mapping[str, Any] | None = None,
    *,
    normalize: bool = True,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def multislerp(
    of: Sequence[tuple[Any, Weights]],
    base: Any | None = None,
    *,
    normalize: bool = True,
    policy: Policy | None = None,
) -> Any: ...
def multislerp(
    of: Sequence[tuple[Any, Weights]],
    base: Any | None = None,
    *,
    normalize: bool = True,
    policy: Policy | None = None,
) -> Any:
    """The mean direction of any number of models, with the mean of their lengths.

        base + (sum(w_i*|y_i|) / |sum(w_i*y_i/|y_i|)|) * sum(w_i*y_i/|y_i|), y_i = x_i - base, w_i divided by their sum

    Every tensor is one vector. Directions are averaged by the weights, and the mean gets the average of the
    lengths, which the average of the vectors would fall short of. With a base all of this is done to the
    differences to it. Where directions cancel each other, the vectors are averaged.

    mergekit goes on from the mean along the mean tangent of the sphere; by the same weights that tangent is 0, and
    the results agree.

    For: blend several models and keep their strength; language models.

    base: Where vectors begin.
    of: The models, with a weight each.
    normalize: Whether to divide the weights by their sum.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: mergekit's multislerp
    """
    return _apply("multislerp", {"base": base}, {"of": of}, {"normalize": normalize}, policy, weighted=True, optional=["base"])


@overload
def nearswap(
    a: ModelLike,
    b: ModelLike,
    *,
    t: Weights,
    policy: Policy | None = None,
) -> Model: ...
@overload
def nearswap(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    t: Weights,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def nearswap(
    a: Any,
    b: Any,
    *,
    t: Weights,
    policy: Policy | None = None,
) -> Any: ...
def nearswap(
    a: Any,
    b: Any,
    *,
    t: Weights,
    policy: Policy | None = None,
) -> Any:
    """Takes elements of a second model where they are near those of the first.

        w*b + (1 - w)*a, w = min(1, t / max(|a - b|, 1e-6))

    Where a and b differ by t or less, the element is that of b; the farther they are from each other, the more is
    left of a: at a distance of 2*t the share of b is a half. At t 0 the result is a.

    For: a light touch of another model; language models.

    a: What stays where they are far from each other.
    b: What is taken where they are near.
    t: The distance up to which b is taken whole. (0.0 to 1000000.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Alchemonaut's nearswap; mergekit's nearswap
    """
    return _apply("nearswap", {"a": a, "b": b}, {}, {"t": t}, policy)


@overload
def noise(
    a: ModelLike,
    *,
    strength: Weights,
    unit: Literal["deviation", "absolute"] = "deviation",
    seed: int = 0,
    seed_shared: bool = False,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def noise(
    a: Mapping[str, Any],
    *,
    strength: Weights,
    unit: Literal["deviation", "absolute"] = "deviation",
    seed: int = 0,
    seed_shared: bool = False,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def noise(
    a: Any,
    *,
    strength: Weights,
    unit: Literal["deviation", "absolute"] = "deviation",
    seed: int = 0,
    seed_shared: bool = False,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any: ...
def noise(
    a: Any,
    *,
    strength: Weights,
    unit: Literal["deviation", "absolute"] = "deviation",
    seed: int = 0,
    seed_shared: bool = False,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any:
    """Adds normal noise, the same for the same seed on every machine.

        a + strength*sd(a)*n, n normal

    Every element gets a normal random number of mean 0. Strength 0.05 is noise of 5 % of the standard deviation
    that the tensor's elements have; with `unit: absolute` strength is the standard deviation of the noise itself. A
    tensor whose elements are all equal has no deviation, and stays as it is. The numbers are those of the seed, the
    tensor's name and the element's place in it, whatever the names and the order in a file.

    For: variation of a model; test how robust a model is; break symmetry before training.

    a: What noise is added to.
    strength: How much noise, relative to the deviation of the tensor. (0.0 to 10.0)
    unit: Whether strength is relative to the deviation of the tensor.
    seed: Of the random numbers: the same seed gives the same bytes.
    seed_shared: Whether another step of the recipe may have the same seed.
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: ours
    """
    return _apply("noise", {"a": a}, {}, {"strength": strength, "unit": unit, "seed": seed, "seed_shared": seed_shared, "vae": vae}, policy)


@overload
def norm_match(
    a: ModelLike,
    b: ModelLike,
    *,
    alpha: Weights,
    by: Literal["tensor", "rows"] = "tensor",
    policy: Policy | None = None,
) -> Model: ...
@overload
def norm_match(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alpha: Weights,
    by: Literal["tensor", "rows"] = "tensor",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def norm_match(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    by: Literal["tensor", "rows"] = "tensor",
    policy: Policy | None = None,
) -> Any: ...
def norm_match(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    by: Literal["tensor", "rows"] = "tensor",
    policy: Policy | None = None,
) -> Any:
    """Scales one model to the norms of another, tensor by tensor.

        (((1 - alpha)*|b| + alpha*|a|) / |b|)*b, |x| the norm of the tensor

    Every tensor keeps the direction that it has in b and gets the length that it has in a. Between alpha 0 and 1
    its norm is interpolated on the straight line. At alpha 0 the result is b, byte for byte; a tensor of b that is
    zero stays so.

    With `by: rows` every place of the first dimension (an output channel, a neuron) gets the length that it has in
    a. To normalize any result to a reference, give the reference as a.

    For: restore contrast after a merge; repair washed out colours; match the strength of another model.

    a: Gives the norms.
    b: What is scaled to them.
    alpha: How far from the norm of b to that of a. (0.0 to 1.0)
    by: What has a norm of its own.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Norm transfer (weight rescaling)
    """
    return _apply("norm_match", {"a": a, "b": b}, {}, {"alpha": alpha, "by": by}, policy)


@overload
def normalized_sum(
    a: ModelLike,
    b: ModelLike,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Model: ...
@overload
def normalized_sum(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def normalized_sum(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any: ...
def normalized_sum(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any:
    """Blends directions and lengths of two models apart, tensor by tensor.

        (((1 - alpha)*|a| + alpha*|b|) / |d|)*d, d = (1 - alpha)*a/|a| + alpha*b/|b|

    The direction is that of the blend of both tensors at norm 1, the length is the blend of their norms: much like
    slerp, but on the straight line. Of opposite tensors at alpha 0.5 nothing is left. At alpha 0 the result is a,
    at 1 it is b, byte for byte.

    For: blend two models; keep contrast while blending.

    a: What alpha 0 gives.
    b: What alpha 1 gives.
    alpha: Share of b. (0.0 to 1.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Chattiori, NORM
    """
    return _apply("normalized_sum", {"a": a, "b": b}, {}, {"alpha": alpha}, policy)


@overload
def nuslerp(
    a: ModelLike,
    b: ModelLike,
    base: ModelLike | None = None,
    *,
    alpha: Weights,
    by: Literal["tensor", "rows", "columns"] = "tensor",
    policy: Policy | None = None,
) -> Model: ...
@overload
def nuslerp(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    base: Mapping[str, Any] | None = None,
    *,
    alpha: Weights,
    by: Literal["tensor", "rows", "columns"] = "tensor",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def nuslerp(
    a: Any,
    b: Any,
    base: Any | None = None,
    *,
    alpha: Weights,
    by: Literal["tensor", "rows", "columns"] = "tensor",
    policy: Policy | None = None,
) -> Any: ...
def nuslerp(
    a: Any,
    b: Any,
    base: Any | None = None,
    *,
    alpha: Weights,
    by: Literal["tensor", "rows", "columns"] = "tensor",
    policy: Policy | None = None,
) -> Any:
    """Blends two models, or what they learned, along the arc between them.

        base + (sin((1 - alpha)*w)*(a - base) + sin(alpha*w)*(b - base)) / sin(w), w the angle between a - base and b - base

    As slerp, and with a base the arc lies between the differences to it. Every tensor is one vector, or with `by:
    rows` every row of a matrix (what belongs to one output; of a convolution all of its kernel), with `by: columns`
    every column. Tensors of one dimension are one vector always. Vectors that are parallel or opposite are blended
    on the straight line.

    mergekit's nuslerp of the weights v and w is alpha w / (v + w); `nuslerp_flatten: false` is rows, and with
    `nuslerp_row_wise` columns. Its rows of a convolution are the last dimension alone, and where its vectors are
    opposite it divides by almost 0.

    For: blend two models and keep their strength; language models.

    a: What alpha 0 gives.
    b: What alpha 1 gives.
    base: Where the arc has its centre.
    alpha: How far along the arc from a to b. (-10.0 to 10.0)
    by: What is one vector.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Shoemake, 1985; mergekit's nuslerp
    """
    return _apply("nuslerp", {"a": a, "b": b, "base": base}, {}, {"alpha": alpha, "by": by}, policy, optional=["base"])


@overload
def passthrough(
    a: ModelLike,
    *,
    scale: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def passthrough(
    a: Mapping[str, Any],
    *,
    scale: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def passthrough(
    a: Any,
    *,
    scale: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def passthrough(
    a: Any,
    *,
    scale: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Gives a model as it is, or with some weights scaled.

        scale*a

    For parts of a model that are to be weaker, stronger or silent: a matrix that is scaled to 0 adds nothing. Where
    the scale is 1 the model is copied byte for byte. Layers of one model behind those of another are op: stack.

    For: scale or silence some weights of a model; damp repeated layers.

    a: The model.
    scale: What the weights are multiplied by. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: mergekit's passthrough
    """
    return _apply("passthrough", {"a": a}, {}, {"scale": scale}, policy)


@overload
def pcb(
    base: ModelLike,
    of: Sequence[ModelLike | tuple[ModelLike, Mapping[str, Weights]]],
    *,
    density: Weights = 0.1,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def pcb(
    base: Mapping[str, Any],
    of: Sequence[Mapping[str, Any] | tuple[Mapping[str, Any], Mapping[str, Weights]]],
    *,
    density: Weights = 0.1,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def pcb(
    base: Any,
    of: Sequence[Any | tuple[Any, Mapping[str, Weights]]],
    *,
    density: Weights = 0.1,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def pcb(
    base: Any,
    of: Sequence[Any | tuple[Any, Mapping[str, Weights]]],
    *,
    density: Weights = 0.1,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Adds changes by how strong each is in its model and how far the models agree.

        base + lambda*sum(s_i*d_i) / sum(s_i), s_i = exp(m*norm(|d_i|)^2)*tanh(d_i*sum(d_j)) of m models, those above the quantile 1 - density, scaled to 0 ... 1

    Every element of a model's difference to the base gets a score: how large it is among the model's own, by an
    exponential that the number of models makes steeper, times how far it points where the sum of all points. The
    density*n highest scores of a tensor are kept, and become weights from 0, where the share begins, to 1; the
    differences are averaged by them. Of the magnitudes the 0.01 % largest and least count as what stands next to
    them.

    This is what the authors' code computes, where the paper writes a softmax for the exponential. The code takes a
    whole model as one vector; here each tensor is one. A change against the sum of all is never kept, where the
    code keeps some if density is above the share of those that agree, and a tensor of equal scores adds nothing.

    For: combine several fine-tunes; fewer conflicts between fine-tunes.

    base: What all were trained from.
    of: The fine-tuned models.
    density: The share of each difference that is kept. (0.0 to 1.0)
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: PCB-Merging, arXiv:2410.02396, as in its authors' code
    """
    return _apply("pcb", {"base": base}, {"of": of}, {"density": density, "lambda": lambda_}, policy, numbered=True)


@overload
def perpendicular(
    a: ModelLike,
    b: ModelLike,
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def perpendicular(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def perpendicular(
    a: Any,
    b: Any,
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any: ...
def perpendicular(
    a: Any,
    b: Any,
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any:
    """What of b points nowhere that a points: b without its projection on a.

        b - (<a, b> / <a, a>)*a

    Every tensor is one vector. The result is a difference at a right angle to a. Where a is zero it has no
    direction, and all of b remains; sd-mecha gives nothing there.

    Of differences, it is what one training did that another did not. sd- mecha's add_perpendicular is `{op: add, a:
    a, b: {op: perpendicular, a: {op: subtract, a: a, b: c}, b: {op: subtract, a: b, b: c}}}`, and Chattiori's ORTHO
    is `{op: add, a: a, b: {op: perpendicular, a: a, b: b}}`.

    For: add a style without what the model already has; combine several fine-tunes of one base.

    a: The direction that is left out.
    b: What it is left out of.
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: sd-mecha's perpendicular_component; Chattiori, ORTHO
    """
    return _apply("perpendicular", {"a": a, "b": b}, {}, {"vae": vae}, policy, gives_difference=True)


@overload
def ram(
    base: ModelLike,
    of: Sequence[ModelLike],
    *,
    epsilon: Weights = 1e-05,
    policy: Policy | None = None,
) -> Model: ...
@overload
def ram(
    base: Mapping[str, Any],
    of: Sequence[Mapping[str, Any]],
    *,
    epsilon: Weights = 1e-05,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def ram(
    base: Any,
    of: Sequence[Any],
    *,
    epsilon: Weights = 1e-05,
    policy: Policy | None = None,
) -> Any: ...
def ram(
    base: Any,
    of: Sequence[Any],
    *,
    epsilon: Weights = 1e-05,
    policy: Policy | None = None,
) -> Any:
    """Adds changes that one fine-tune made alone, averages those that several made.

        base + sum(d_i where |d_i| > epsilon) / (number of those)

    An element counts as changed where it differs from the base by more than epsilon. Changes are averaged over the
    models that changed the element, so that what one learned alone is not thinned by the others; elsewhere the base
    stays. Made for models that were trained by reinforcement, which change few elements.

    For: combine models trained by reinforcement; keep what each learned alone; language models.

    base: What all were trained from.
    of: The fine-tuned models.
    epsilon: An element is changed where it differs from the base by more. (0.0 to 1000000.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Reinforced Agent Merging (RAM), arXiv:2601.13572; mergekit's ram
    """
    return _apply("ram", {"base": base}, {"of": of}, {"epsilon": epsilon}, policy)


@overload
def ramplus_tl(
    base: ModelLike,
    of: Sequence[ModelLike],
    *,
    epsilon: Weights = 1e-05,
    r: Weights = 0.1,
    alpha: Weights = 0.2,
    policy: Policy | None = None,
) -> Model: ...
@overload
def ramplus_tl(
    base: Mapping[str, Any],
    of: Sequence[Mapping[str, Any]],
    *,
    epsilon: Weights = 1e-05,
    r: Weights = 0.1,
    alpha: Weights = 0.2,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def ramplus_tl(
    base: Any,
    of: Sequence[Any],
    *,
    epsilon: Weights = 1e-05,
    r: Weights = 0.1,
    alpha: Weights = 0.2,
    policy: Policy | None = None,
) -> Any: ...
def ramplus_tl(
    base: Any,
    of: Sequence[Any],
    *,
    epsilon: Weights = 1e-05,
    r: Weights = 0.1,
    alpha: Weights = 0.2,
    policy: Policy | None = None,
) -> Any:
    """As ram, with more of what a model learned alone the more it shares elsewhere.

        base + (1 + r*min(shared_i / max(unique_i, epsilon), alpha))*d_i where one model changed the element; where several did, the mean

    Changes that several models made are averaged, as in ram. Those that one made alone are multiplied by a factor
    of its own, tensor by tensor: 1, and r times the number of its shared changes over the number of those that are
    its own, which alpha limits.

    The paper's authors count in the whole model, and show r 0.2 with alpha 1; mergekit counts in each tensor, and
    its r and alpha are the defaults.

    For: combine models trained by reinforcement; keep what each learned alone; language models.

    base: What all were trained from.
    of: The fine-tuned models.
    epsilon: An element is changed where it differs from the base by more. (0.0 to 1000000.0)
    r: How much of the ratio is added to the factor. (0.0 to 10.0)
    alpha: The largest ratio. (0.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Reinforced Agent Merging (RAM+), arXiv:2601.13572; mergekit's ramplus_tl
    """
    return _apply("ramplus_tl", {"base": base}, {"of": of}, {"epsilon": epsilon, "r": r, "alpha": alpha}, policy)


@overload
def rebasin(
    a: ModelLike,
    b: ModelLike,
    *,
    heads: Weights | None = None,
    head_size: Weights | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def rebasin(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    heads: Weights | None = None,
    head_size: Weights | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def rebasin(
    a: Any,
    b: Any,
    *,
    heads: Weights | None = None,
    head_size: Weights | None = None,
    policy: Policy | None = None,
) -> Any: ...
def rebasin(
    a: Any,
    b: Any,
    *,
    heads: Weights | None = None,
    head_size: Weights | None = None,
    policy: Policy | None = None,
) -> Any:
    """Permutes the units inside a's blocks so that they stand where b's stand.

        P*W or W*P', the permutation P of one block with the largest sum of <b, permuted a> over its tensors

    Models that were trained apart have the same units in another order, and blending them element by element mixes
    what does not belong together. The hidden units of every feed-forward network of a are put in the order in which
    all its tensors are nearest to those of b, and with `heads` or `head_size` the heads of every attention. What a
    computes stays the same; blend the result with b. Fine-tunes of one base have their units in one order already.

    It knows the blocks of Stable Diffusion and SDXL, of their text encoders, of language models like Llama (where
    keys are fewer than queries, groups of heads are permuted), and the feed-forward networks of Z-Image and its
    relatives. Others stay as they are, as do heads whose number was not given, and the stream between blocks: sd-
    mecha permutes the elements of a head as well. a and b have to be models, because a tensor is compared with all
    of its block. The tensors of a block are held whole.

    For: models that were trained apart; prepare a blend.

    a: What is permuted.
    b: What it is brought near to.
    heads: How many heads an attention has; of keys, where they are fewer than queries. Of language models another
        number than theirs is an error, where the norm of queries or a config.json beside the file says theirs. (1.0
        to 65535.0)
    head_size: How many rows a head has. (1.0 to 65535.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Git Re-Basin, arXiv:2209.04836; after sd-mecha's rebasin
    """
    return _apply("rebasin", {"a": a, "b": b}, {}, {"heads": heads, "head_size": head_size}, policy)


@overload
def rotate(
    a: ModelLike,
    b: ModelLike,
    *,
    alignment: Weights = 1.0,
    alpha: Weights = 0.0,
    centralization: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def rotate(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alignment: Weights = 1.0,
    alpha: Weights = 0.0,
    centralization: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def rotate(
    a: Any,
    b: Any,
    *,
    alignment: Weights = 1.0,
    alpha: Weights = 0.0,
    centralization: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def rotate(
    a: Any,
    b: Any,
    *,
    alignment: Weights = 1.0,
    alpha: Weights = 0.0,
    centralization: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Turns one model's matrices towards another's, and keeps what turning cannot do.

        (a_c + alpha*(b_c*T' - a_c))*T^alignment + mean, T = polar(a_c'*b_c), x_c = x - centralization*mean of its rows

    Of every matrix, the orthogonal matrix on its right is computed that brings a nearest to b, and a is turned by
    it: its inner geometry stays, its position in the space of inputs becomes that of b. An alignment between 0 and
    1 turns a part of the way. Alpha is how much of b, turned back, is mixed into a before it is turned: the share
    of what is not a turn. At alignment and alpha 0 the result is a, at 1 it is b, byte for byte. Before it all, the
    mean of the rows is taken off both, as far as centralization says, and interpolated by the alignment. Rows are
    the outputs of a linear layer, and the kernels of a convolution, where they are larger than 1. What is no matrix
    is interpolated by alpha. Tensors are held whole.

    Where there are fewer rows than columns, only the directions that both models have are turned; in between they
    are interpolated and made orthogonal, where sd-mecha takes the way of a manifold, and it adds a part of a that
    was not turned. Directions of which the models say nothing are turned as little as can be, in sd-mecha as chance
    has it. A turn by half a circle has no middle; the real part of the power is taken.

    For: style transfer; merge models that are far apart; keep composition.

    a: What is turned.
    b: Towards what.
    alignment: How far a is turned. (0.0 to 1.0)
    alpha: How far what is no turn goes from a to b. (0.0 to 1.0)
    centralization: How far the means of rows are left out of it. (0.0 to 1.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Schönemann, 1966; sd-mecha's rotate
    """
    return _apply("rotate", {"a": a, "b": b}, {}, {"alignment": alignment, "alpha": alpha, "centralization": centralization}, policy)


@overload
def scale(
    a: ModelLike,
    *,
    factor: Weights,
    policy: Policy | None = None,
) -> Model: ...
@overload
def scale(
    a: Mapping[str, Any],
    *,
    factor: Weights,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def scale(
    a: Any,
    *,
    factor: Weights,
    policy: Policy | None = None,
) -> Any: ...
def scale(
    a: Any,
    *,
    factor: Weights,
    policy: Policy | None = None,
) -> Any:
    """Makes a difference stronger or weaker.

        factor*a

    A negative factor turns the difference round. Only differences are scaled: a model that is multiplied by a
    number is no model any more.

    For: strengthen or weaken a style or task vector; negate what a fine-tune learned.

    a: The difference.
    factor: What it is multiplied by.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Task arithmetic, arXiv:2212.04089
    """
    return _apply("scale", {"a": a}, {}, {"factor": factor}, policy, differences=["a"], gives_difference=True)


@overload
def sce(
    base: ModelLike,
    of: Sequence[ModelLike],
    *,
    select: Weights = 1.0,
    weights: Literal["squares", "mergekit"] = "squares",
    policy: Policy | None = None,
) -> Model: ...
@overload
def sce(
    base: Mapping[str, Any],
    of: Sequence[Mapping[str, Any]],
    *,
    select: Weights = 1.0,
    weights: Literal["squares", "mergekit"] = "squares",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def sce(
    base: Any,
    of: Sequence[Any],
    *,
    select: Weights = 1.0,
    weights: Literal["squares", "mergekit"] = "squares",
    policy: Policy | None = None,
) -> Any: ...
def sce(
    base: Any,
    of: Sequence[Any],
    *,
    select: Weights = 1.0,
    weights: Literal["squares", "mergekit"] = "squares",
    policy: Policy | None = None,
) -> Any:
    """Adds where fine-tunes differ most, weighted by how much each has changed.

        base + sum(w_i*k_i) / sum(w_i where k_i != 0), w_i = |d_i|^2 / sum(|d_j|^2)

    Three steps, tensor by tensor. Select: the elements in which the models vary most are kept, a share of those in
    which they vary at all, with all that vary as much as the last of them. Calculate: each model gets a weight by
    the squares of what is left of its difference to the base. Erase: elements are left out that have not the sign
    of the sum. What is left is averaged by the weights and added to the base.

    mergekit gives all models the same weight where the mean squares add up to less than 1e-6, which those of most
    fine-tunes do: `weights: mergekit`. In the code of FuseChat's authors the elements that are selected decide the
    weights alone, and all are merged; here, as in mergekit, the others are left out.

    For: combine several fine-tunes; weights without choosing them; language models.

    base: What all were trained from.
    of: The fine-tuned models.
    select: The share of varying elements that is kept, by variance. (0.0 to 1.0)
    weights: By squares always, or equal ones where changes are small.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: FuseChat (SCE), arXiv:2408.07990; mergekit's sce
    """
    return _apply("sce", {"base": base}, {"of": of}, {"select": select, "weights": weights}, policy)


@overload
def similarity_add_difference(
    a: ModelLike,
    b: ModelLike,
    c: ModelLike,
    *,
    alpha: Weights,
    beta: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def similarity_add_difference(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    c: Mapping[str, Any],
    *,
    alpha: Weights,
    beta: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def similarity_add_difference(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    beta: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def similarity_add_difference(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    beta: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Adds a difference where two models are unlike, averages where they are alike.

        (1 - s)*(a + alpha*(b - c)) + s*((1 - alpha/2)*a + (alpha/2)*b), s = (beta/2)*(a*b/max(|a|, |b|)^2 + 1)

    How alike an element of a and b is goes from 0 (opposite) to 1 (equal, or both zero), times beta. By it the
    result goes from add_difference to a blend of a and b by half of alpha.

    Chattiori's SIM then scales the result to the mean and deviation of a, which this does not.

    For: style transfer; add a fine-tune without burning.

    a: The model that is changed.
    b: The model that was trained.
    c: What b was trained from.
    alpha: How much of the difference. (-10.0 to 10.0)
    beta: How much likeness counts. (0.0 to 1.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: meh's similarity_add_difference; Chattiori, SIM
    """
    return _apply("similarity_add_difference", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha, "beta": beta}, policy)


@overload
def slerp(
    a: ModelLike,
    b: ModelLike,
    *,
    alpha: Weights,
    length: Literal["arc", "blend"] = "arc",
    policy: Policy | None = None,
) -> Model: ...
@overload
def slerp(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alpha: Weights,
    length: Literal["arc", "blend"] = "arc",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def slerp(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    length: Literal["arc", "blend"] = "arc",
    policy: Policy | None = None,
) -> Any: ...
def slerp(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    length: Literal["arc", "blend"] = "arc",
    policy: Policy | None = None,
) -> Any:
    """Blends two models along the arc between them, tensor by tensor.

        (sin((1 - alpha)*w)*a + sin(alpha*w)*b) / sin(w), w the angle between a and b; with length: blend a/|a|, b/|b| in their place, and all times (1 - alpha)*|a| + alpha*|b|

    Where a blend on the straight line of two models that point in different directions is shorter than both, this
    one keeps its length. Every tensor is one vector. Tensors that are parallel or opposite (a cosine above 0.9995
    or below -0.9995) are blended on the straight line, as weighted_sum does; a tensor of zeros has a right angle to
    any other. At alpha 0 the result is a, at 1 it is b, byte for byte.

    Where the norms of a tensor differ, its longer model bends the arc, as mergekit has it. With `length: blend`, as
    sd-mecha has it, the direction goes along the arc between the two directions and the norm from the one to the
    other, each by alpha; parallel ones need no straight line then, opposite ones do, and a tensor of zeros makes a
    weighted sum. For tensors of equal norm both are the same.

    For: blend two models without washing them out; smooth blend of two models.

    a: What alpha 0 gives.
    b: What alpha 1 gives.
    alpha: How far along the arc from a to b. (-10.0 to 10.0)
    length: Whether norms follow from the arc or are blended by themselves.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Shoemake, 1985; mergekit's slerp; with length: blend sd-mecha's
    """
    return _apply("slerp", {"a": a, "b": b}, {}, {"alpha": alpha, "length": length}, policy)


@overload
def smooth_add(
    a: ModelLike,
    b: ModelLike,
    c: ModelLike,
    *,
    alpha: Weights,
    filter: Literal["both", "median", "gaussian"] = "both",
    policy: Policy | None = None,
) -> Model: ...
@overload
def smooth_add(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    c: Mapping[str, Any],
    *,
    alpha: Weights,
    filter: Literal["both", "median", "gaussian"] = "both",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def smooth_add(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    filter: Literal["both", "median", "gaussian"] = "both",
    policy: Policy | None = None,
) -> Any: ...
def smooth_add(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    filter: Literal["both", "median", "gaussian"] = "both",
    policy: Policy | None = None,
) -> Any:
    """Adds b minus c to a after outliers and noise were smoothed out of it.

        a + alpha*gaussian(median(b - c))

    The difference goes through a median of three elements in every dimension, which removes what stands alone, and
    then through a Gaussian of deviation 1 along each. What is behind an end is mirrored. `filter: median` or
    `filter: gaussian` applies one of them.

    Neighbours are those in the tensor: in a linear layer they are neurons that have nothing to do with each other,
    and what is left of the difference is mostly its mean. Use it with weights by place, for convolutions. A tensor
    is held whole while it is computed, and the median takes far longer than all other operators: some microseconds
    for each weight of a 3x3 convolution.

    For: add a fine-tune without burning; remove noise from a difference.

    a: The model that is changed.
    b: The model that was trained.
    c: What b was trained from.
    alpha: How much of the difference. (-10.0 to 10.0)
    filter: Which filters it goes through.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: SuperMerger, "smoothAdd" (and "smoothAdd MT", which is the same); Chattiori, sAD
    """
    return _apply("smooth_add", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha, "filter": filter}, policy)


@overload
def star(
    base: ModelLike,
    of: Sequence[ModelLike | tuple[ModelLike, Mapping[str, Weights]]],
    *,
    share: Weights = 0.4,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def star(
    base: Mapping[str, Any],
    of: Sequence[Mapping[str, Any] | tuple[Mapping[str, Any], Mapping[str, Weights]]],
    *,
    share: Weights = 0.4,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def star(
    base: Any,
    of: Sequence[Any | tuple[Any, Mapping[str, Weights]]],
    *,
    share: Weights = 0.4,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def star(
    base: Any,
    of: Sequence[Any | tuple[Any, Mapping[str, Weights]]],
    *,
    share: Weights = 0.4,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Averages fine-tunes without their small directions, rescaled to their size.

        base + lambda*mean(U_i*S_i*V_i'*(|x_i - base| / |S_i|)), S_i the largest singular values of x_i - base, |.| the sum of them

    Of each model's difference to the base the largest singular values are kept, as few as make up `share` of the
    sum of all, and scaled so that they have that sum. What conflicts with other models is mostly in the small ones.
    The mean of what is left is added. A convolution is a matrix of its outputs and all else; what is no matrix is
    averaged as it is. Tensors are held whole.

    For: combine what fine-tunes learned; reduce interference; language models.

    base: What all were trained from.
    of: The fine-tuned models.
    share: Of the sum of each difference's singular values, how much is kept. (0.0 to 1.0)
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: STAR: Spectral Truncation and Rescale, arXiv:2502.10339
    """
    return _apply("star", {"base": base}, {"of": of}, {"share": share, "lambda": lambda_}, policy, numbered=True)


@overload
def subtract(
    a: ModelLike,
    b: ModelLike,
    *,
    policy: Policy | None = None,
) -> Model: ...
@overload
def subtract(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def subtract(
    a: Any,
    b: Any,
    *,
    policy: Policy | None = None,
) -> Any: ...
def subtract(
    a: Any,
    b: Any,
    *,
    policy: Policy | None = None,
) -> Any:
    """The difference of two models.

        a - b

    The result is a delta: it is no model and cannot be an output, but it can be scaled, averaged with others and
    added to a model. A tensor that one operand lacks is absent from the difference.

    For: extract a style or task vector; difference of two models.

    a: What is subtracted from.
    b: What is subtracted.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Task arithmetic, arXiv:2212.04089; ComfyUI ModelMergeSubtract
    """
    return _apply("subtract", {"a": a, "b": b}, {}, {}, policy, gives_difference=True)


@overload
def sum_twice(
    a: ModelLike,
    b: ModelLike,
    c: ModelLike,
    *,
    alpha: Weights,
    beta: Weights,
    policy: Policy | None = None,
) -> Model: ...
@overload
def sum_twice(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    c: Mapping[str, Any],
    *,
    alpha: Weights,
    beta: Weights,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def sum_twice(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    beta: Weights,
    policy: Policy | None = None,
) -> Any: ...
def sum_twice(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    beta: Weights,
    policy: Policy | None = None,
) -> Any:
    """Blends two models, and the result with a third.

        (1 - beta)*((1 - alpha)*a + alpha*b) + beta*c

    Two weighted sums in a row, in one pass: alpha is the share of b in the first, beta the share of c in the whole.

    For: blend three models one after another.

    a: First model.
    b: Blended into a.
    c: Blended into that.
    alpha: Share of b beside a. (-10.0 to 10.0)
    beta: Share of c in the whole. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: SuperMerger, "sum Twice"
    """
    return _apply("sum_twice", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha, "beta": beta}, policy)


@overload
def svc(
    base: ModelLike,
    a: ModelLike,
    of: Sequence[ModelLike],
    *,
    alpha: Weights = 0.1,
    policy: Policy | None = None,
) -> Model: ...
@overload
def svc(
    base: Mapping[str, Any],
    a: Mapping[str, Any],
    of: Sequence[Mapping[str, Any]],
    *,
    alpha: Weights = 0.1,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def svc(
    base: Any,
    a: Any,
    of: Sequence[Any],
    *,
    alpha: Weights = 0.1,
    policy: Policy | None = None,
) -> Any: ...
def svc(
    base: Any,
    a: Any,
    of: Sequence[Any],
    *,
    alpha: Weights = 0.1,
    policy: Policy | None = None,
) -> Any:
    """Scales down the directions in which a merge adds up what its models share.

        base + U*(S / mean_i(max(alpha, s_i)))*V', U*S*V' = a - base, s_i = <u'*(a - base), u'*(x_i - base)> / |u'*(x_i - base)|^2 for each direction u

    It comes after any merge of fine-tunes, `a`, and knows the models that went into it. In each direction of the
    merge's difference to the base, how much of it there is in proportion to each model is measured; a share above 1
    says that models agree and were added up. Each singular value is divided by the mean of these shares, which
    count as `alpha` at least, so that what the merge has weakened is raised again, up to 1/alpha of it; with alpha
    1 nothing is raised. Directions stay what they are. A convolution is a matrix of its outputs and all else; what
    is no matrix stays what it is in a. Tensors are held whole.

    For: repair a merge of many fine-tunes; many fine-tunes of one base; reduce interference.

    base: What all were trained from.
    a: The merge.
    of: The fine-tuned models.
    alpha: The least that a share counts as. (0.001 to 1.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Singular Value Calibration, arXiv:2602.05536; its authors' and FusionBench's code
    """
    return _apply("svc", {"base": base, "a": a}, {"of": of}, {"alpha": alpha}, policy)


@overload
def task_arithmetic(
    base: ModelLike,
    of: Sequence[tuple[ModelLike, Weights]],
    *,
    normalize: bool = False,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def task_arithmetic(
    base: Mapping[str, Any],
    of: Sequence[tuple[Mapping[str, Any], Weights]],
    *,
    normalize: bool = False,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def task_arithmetic(
    base: Any,
    of: Sequence[tuple[Any, Weights]],
    *,
    normalize: bool = False,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def task_arithmetic(
    base: Any,
    of: Sequence[tuple[Any, Weights]],
    *,
    normalize: bool = False,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Adds what fine-tunes learned to their base, each with a weight.

        base + lambda*(w0*(x0 - base) + w1*(x1 - base) + ...), left to right

    Every model's difference to the base is multiplied by its weight, and the sum is added. Weights need not add up
    to 1: with one model and a weight of 1 the result is that model, a weight below 0 takes away what it learned.
    With normalize the sum is divided by the sum of the weights.

    For: combine what fine-tunes learned; add a skill; take a skill away; language models.

    base: What all were trained from.
    of: The fine-tuned models, with a weight each.
    normalize: Whether to divide by the sum of the weights.
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Editing Models with Task Arithmetic, arXiv:2212.04089; mergekit's task_arithmetic
    """
    return _apply("task_arithmetic", {"base": base}, {"of": of}, {"normalize": normalize, "lambda": lambda_}, policy, weighted=True)


@overload
def tensor_sum(
    a: ModelLike,
    b: ModelLike,
    *,
    width: Weights,
    offset: Weights = 0.0,
    ends: Literal["rounded", "truncated"] = "rounded",
    policy: Policy | None = None,
) -> Model: ...
@overload
def tensor_sum(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    width: Weights,
    offset: Weights = 0.0,
    ends: Literal["rounded", "truncated"] = "rounded",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def tensor_sum(
    a: Any,
    b: Any,
    *,
    width: Weights,
    offset: Weights = 0.0,
    ends: Literal["rounded", "truncated"] = "rounded",
    policy: Policy | None = None,
) -> Any: ...
def tensor_sum(
    a: Any,
    b: Any,
    *,
    width: Weights,
    offset: Weights = 0.0,
    ends: Literal["rounded", "truncated"] = "rounded",
    policy: Policy | None = None,
) -> Any:
    """Takes some rows of every tensor from b, the others from a.

        rows round(offset*n) to round((offset + width)*n) of b, the others of a

    Rows are the places of the first dimension: output channels, neurons. `width` is the share of them that b gives,
    `offset` where they begin; what goes over the last row goes on with the first. A number, a tensor of no
    dimensions, is that of b where width is above 0.5.

    In SuperMerger and meh width is alpha and offset is beta, and both truncate the ends to whole rows (`ends:
    truncated`), where sd-mecha rounds them. At width 0 the result is a, at 1 it is b, byte for byte.

    For: exchange channels of two models; blend without averaging.

    a: What width 0 gives.
    b: What width 1 gives.
    width: Share of the rows that b gives. (-1.0 to 1.0)
    offset: Where those begin. (-1.0 to 1.0)
    ends: How ends become whole rows.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: sd-mecha's and meh's tensor_sum; SuperMerger, "tensor"
    """
    return _apply("tensor_sum", {"a": a, "b": b}, {}, {"width": width, "offset": offset, "ends": ends}, policy)


@overload
def tensor_sum_2(
    a: ModelLike,
    b: ModelLike,
    *,
    width: Weights,
    offset: Weights = 0.0,
    ends: Literal["rounded", "truncated"] = "rounded",
    policy: Policy | None = None,
) -> Model: ...
@overload
def tensor_sum_2(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    width: Weights,
    offset: Weights = 0.0,
    ends: Literal["rounded", "truncated"] = "rounded",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def tensor_sum_2(
    a: Any,
    b: Any,
    *,
    width: Weights,
    offset: Weights = 0.0,
    ends: Literal["rounded", "truncated"] = "rounded",
    policy: Policy | None = None,
) -> Any: ...
def tensor_sum_2(
    a: Any,
    b: Any,
    *,
    width: Weights,
    offset: Weights = 0.0,
    ends: Literal["rounded", "truncated"] = "rounded",
    policy: Policy | None = None,
) -> Any:
    """Takes some columns of every tensor from b, the others from a.

        columns round(offset*n) to round((offset + width)*n) of b, the others of a

    Columns are the places of the second dimension: input channels. Where it has 100 or fewer, or there is none,
    rows are taken as tensor_sum does. `width` is the share of the columns that b gives, `offset` where they begin;
    what goes over the last column goes on with the first.

    SuperMerger truncates the ends to whole columns (`ends: truncated`); of tensors with a second dimension of 100
    or fewer it takes the numbers of rows for columns, which this does not.

    For: exchange input channels of two models; blend without averaging.

    a: What width 0 gives.
    b: What width 1 gives.
    width: Share of the columns that b gives. (-1.0 to 1.0)
    offset: Where those begin. (-1.0 to 1.0)
    ends: How ends become whole columns.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: SuperMerger, "tensor2"
    """
    return _apply("tensor_sum_2", {"a": a, "b": b}, {}, {"width": width, "offset": offset, "ends": ends}, policy)


@overload
def ties(
    base: ModelLike,
    of: Sequence[tuple[ModelLike, Weights] | tuple[ModelLike, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.2,
    normalize: bool = True,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    trim: Literal["paper", "mecha"] = "paper",
    rescale: Literal["density", "l1", "none"] = "none",
    combine: Literal["mean", "stock", "median"] = "mean",
    policy: Policy | None = None,
) -> Model: ...
@overload
def ties(
    base: Mapping[str, Any],
    of: Sequence[tuple[Mapping[str, Any], Weights] | tuple[Mapping[str, Any], Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.2,
    normalize: bool = True,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    trim: Literal["paper", "mecha"] = "paper",
    rescale: Literal["density", "l1", "none"] = "none",
    combine: Literal["mean", "stock", "median"] = "mean",
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def ties(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.2,
    normalize: bool = True,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    trim: Literal["paper", "mecha"] = "paper",
    rescale: Literal["density", "l1", "none"] = "none",
    combine: Literal["mean", "stock", "median"] = "mean",
    policy: Policy | None = None,
) -> Any: ...
def ties(
    base: Any,
    of: Sequence[tuple[Any, Weights] | tuple[Any, Weights, Mapping[str, Weights]]],
    *,
    density: Weights = 0.2,
    normalize: bool = True,
    sign: Literal["total", "frequency", "majority"] = "total",
    lambda_: Weights = 1.0,
    trim: Literal["paper", "mecha"] = "paper",
    rescale: Literal["density", "l1", "none"] = "none",
    combine: Literal["mean", "stock", "median"] = "mean",
    policy: Policy | None = None,
) -> Any:
    """Adds what fine-tunes agree on: the largest changes, of the sign that outweighs.

        base + lambda*sum(k_i) / sum(w_i where k_i != 0), k_i = w_i*trim(x_i - base) of the elected sign

    Of every model's difference to the base the largest elements are kept, as many as density says, by magnitude
    over the whole tensor; equal magnitudes at the limit are all kept, as in the code of the paper's authors and in
    sd-mecha, so that what is kept does not depend on where it stands (mergekit keeps some of them, and does not say
    which). Where models disagree on a sign, elements of one are left out: the sign with the larger weighted sum
    counts, or with `sign: frequency` the one that more models have (+ where both are equal). With normalize each
    element is divided by the sum of the weights of the models that are left there.

    A density for all models may be replaced by one for each: {model: photo, weight: 0.6, density: 0.3}. Without one
    it is 0.2, which the paper advises and sd-mecha takes; mergekit takes 1. A density that keeps no element of a
    tensor adds nothing, where mergekit fails. sd-mecha's ties_sum is `trim: mecha, sign: majority` with weights of
    1; it votes by the sum of the changes where `vote_sgn` is set, which is `sign: total`.

    With `combine: stock` each row of a matrix is then scaled down by how far the models' changes in it that are
    left point the same way, as model_stock does; with `combine: median` the geometric median of the changes takes
    the place of their mean, so that a model that is far off counts little (and normalize divides it by the mean of
    the weights). These are sd-mecha's ties_sum_extended: `stock` what it does unless `apply_stock` is set, which is
    the wrong way round there, and `median` its `apply_median`.

    For: combine several fine-tunes; fewer conflicts between fine-tunes; language models.

    base: What all were trained from.
    of: The fine-tuned models, with a weight each.
    density: The share of each difference that is kept. (0.0 to 1.0)
    normalize: Whether to divide by the weights that agree.
    sign: What elects a sign: the sum of the changes, how many have it, or how many with nothing kept where the
        votes are equal.
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    trim: How many elements a density keeps: trunc(density*n) of n, or as sd-mecha counts, from the smallest, one
        more.
    rescale: What the elements that are kept are divided by: their share, as papers have it, what keeps the sum of
        magnitudes, as mergekit has it, or nothing.
    combine: What is made of the changes that are left: their mean, the mean scaled by how far they agree, or their
        geometric median.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: TIES-Merging, arXiv:2306.01708; mergekit's ties
    """
    return _apply("ties", {"base": base}, {"of": of}, {"density": density, "normalize": normalize, "sign": sign, "lambda": lambda_, "trim": trim, "rescale": rescale, "combine": combine}, policy, weighted=True, numbered=True)


@overload
def top_k_tensor_sum(
    a: ModelLike,
    b: ModelLike,
    *,
    width: Weights = 1.0,
    offset: Weights = 0.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def top_k_tensor_sum(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    width: Weights = 1.0,
    offset: Weights = 0.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def top_k_tensor_sum(
    a: Any,
    b: Any,
    *,
    width: Weights = 1.0,
    offset: Weights = 0.0,
    policy: Policy | None = None,
) -> Any: ...
def top_k_tensor_sum(
    a: Any,
    b: Any,
    *,
    width: Weights = 1.0,
    offset: Weights = 0.0,
    policy: Policy | None = None,
) -> Any:
    """Puts a's own values in the order that b's have.

        r[argsort(b)[i]] = sort(a)[i] where |sort(a)[i]| is from the round(offset*n)-th to the round((offset + width)*n)-th smallest, else a

    The smallest value of a goes to where b is smallest, and so on: the distribution is that of a, the pattern that
    of b. Only values whose magnitude is among a share of `width` of all, from `offset` on (0: the smallest), are
    moved; the others stay, and values may then occur twice. What goes over the largest goes on with the smallest.

    Of differences to a base, as in sd-mecha's copy_region, subtract the base from both and add the result to it. A
    tensor is held whole while it is computed.

    For: take structure of one model with the values of another; style transfer.

    a: Gives the values.
    b: Gives their order.
    width: Share of the values that move. (-1.0 to 1.0)
    offset: Where those begin, by magnitude. (-1.0 to 1.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: sd-mecha's top_k_tensor_sum (meh leaves out the first value)
    """
    return _apply("top_k_tensor_sum", {"a": a, "b": b}, {}, {"width": width, "offset": offset}, policy)


@overload
def train_difference(
    a: ModelLike,
    b: ModelLike,
    c: ModelLike,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Model: ...
@overload
def train_difference(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    c: Mapping[str, Any],
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def train_difference(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any: ...
def train_difference(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any:
    """Adds b minus c to a as if a had been trained: least where a already is like b.

        a + ((1.8*alpha)*(b - c))*(|b - a| / (|b - c| + |b - a|)), where 0/0 is 0

    Like add_difference, but each element of the difference is scaled by how far a is from b, compared with how far
    c is from b. Where a equals b nothing is added, so that the same training cannot be added twice. The gain of 1.8
    is the one that all published implementations use.

    For: style transfer; transfer what a fine-tune learned without burning the model.

    a: The model that is changed.
    b: The model that was trained.
    c: What b was trained from.
    alpha: How much of the training. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: SuperMerger, "trainDifference"
    """
    return _apply("train_difference", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha}, policy)


@overload
def triple_sum(
    a: ModelLike,
    b: ModelLike,
    c: ModelLike,
    *,
    alpha: Weights,
    beta: Weights,
    policy: Policy | None = None,
) -> Model: ...
@overload
def triple_sum(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    c: Mapping[str, Any],
    *,
    alpha: Weights,
    beta: Weights,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def triple_sum(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    beta: Weights,
    policy: Policy | None = None,
) -> Any: ...
def triple_sum(
    a: Any,
    b: Any,
    c: Any,
    *,
    alpha: Weights,
    beta: Weights,
    policy: Policy | None = None,
) -> Any:
    """Blends three models: alpha and beta are the shares of the second and third.

        (1 - (alpha + beta))*a + alpha*b + beta*c

    What alpha and beta leave of 1 is the share of a.

    For: blend three models at once.

    a: Gets what the others leave.
    b: Gets alpha.
    c: Gets beta.
    alpha: Share of b. (-10.0 to 10.0)
    beta: Share of c. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: SuperMerger, "Triple sum"
    """
    return _apply("triple_sum", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha, "beta": beta}, policy)


@overload
def truncate_rank(
    a: ModelLike,
    *,
    rank: Weights | None = None,
    ratio: Weights | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def truncate_rank(
    a: Mapping[str, Any],
    *,
    rank: Weights | None = None,
    ratio: Weights | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def truncate_rank(
    a: Any,
    *,
    rank: Weights | None = None,
    ratio: Weights | None = None,
    policy: Policy | None = None,
) -> Any: ...
def truncate_rank(
    a: Any,
    *,
    rank: Weights | None = None,
    ratio: Weights | None = None,
    policy: Policy | None = None,
) -> Any:
    """Keeps the largest singular values of each matrix, and leaves out the rest.

        sum of s_r*u_r*v_r' over the `rank` largest s of a = U*S*V'

    What a fine-tune learned is mostly in a few directions of each matrix; the others carry noise, or what it
    forgot. Kept are `rank` directions, or a share of all with `ratio` (to the nearest number). A convolution is a
    matrix of its outputs and all else. What is no matrix stays as it is. The result is exact: from 2,048 directions
    on, few are looked for in a subspace, and all where these do not come near enough.

    sd-mecha draws its subspace at random and goes through it twice, so that its results are near to these and
    differ from run to run.

    For: leave noise out of a fine-tune; what a LoRA of that rank would keep.

    a: A difference, or a model.
    rank: How many directions are kept. (0.0 to 65535.0)
    ratio: The share of all directions that is kept. (0.0 to 1.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Eckart and Young, 1936; sd-mecha's truncate_rank
    """
    return _apply("truncate_rank", {"a": a}, {}, {"rank": rank, "ratio": ratio}, policy)


@overload
def tsv_merge(
    base: ModelLike,
    of: Sequence[ModelLike],
    *,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def tsv_merge(
    base: Mapping[str, Any],
    of: Sequence[Mapping[str, Any]],
    *,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def tsv_merge(
    base: Any,
    of: Sequence[Any],
    *,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def tsv_merge(
    base: Any,
    of: Sequence[Any],
    *,
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Adds the main directions of every fine-tune, made orthogonal to each other's.

        base + lambda*polar([U_1 ... U_T])*[S_1 ... S_T]*polar([V_1 ... V_T])', U_i*S_i*V_i' the largest of x_i - base

    Of each model's difference to the base the largest singular values and vectors are kept, of T models a T-th of
    all (one at least). Vectors of different models that point the same way would add up; those of each side are
    replaced by the nearest orthogonal ones, so that no model writes over what another has learned. A convolution is
    a matrix of its outputs and all else; of what is no matrix, the mean of the differences is added.

    A direction that two models share exactly has no orthogonal counterpart and counts once. Its authors do this to
    the matrices of an image encoder and average all else, convolutions too: `within` selects what to merge so.
    Tensors are held whole.

    For: combine what fine-tunes learned; many fine-tunes of one base; reduce interference.

    base: What all were trained from.
    of: The fine-tuned models.
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Task Singular Vectors (TSV-M), arXiv:2412.00081
    """
    return _apply("tsv_merge", {"base": base}, {"of": of}, {"lambda": lambda_}, policy)


@overload
def weighted_sum(
    a: ModelLike,
    b: ModelLike,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Model: ...
@overload
def weighted_sum(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def weighted_sum(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any: ...
def weighted_sum(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any:
    """Blends two models: alpha is the share of the second.

        (1 - alpha)*a + alpha*b

    The everyday merge. At alpha 0 the result is a, at 1 it is b, and what is not needed is not read; values below 0
    or above 1 extrapolate.

    Alpha is the weight of b, as in A1111, SuperMerger and sd-mecha. ComfyUI's merge nodes give the weight of the
    first model instead: there, write 1 minus their ratio.

    For: blend two models; style mix, block by block.

    a: What alpha 0 gives.
    b: What alpha 1 gives.
    alpha: Share of b. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: A1111 checkpoint merger, "Weighted sum"
    """
    return _apply("weighted_sum", {"a": a, "b": b}, {}, {"alpha": alpha}, policy)


@overload
def within(
    model: ModelLike,
    apply: ModelLike,
    *,
    where: Where,
    policy: Policy | None = None,
) -> Model: ...
@overload
def within(
    model: Mapping[str, Any],
    apply: Mapping[str, Any],
    *,
    where: Where,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def within(
    model: Any,
    apply: Any,
    *,
    where: Where,
    policy: Policy | None = None,
) -> Any: ...
def within(
    model: Any,
    apply: Any,
    *,
    where: Where,
    policy: Policy | None = None,
) -> Any:
    """Takes a step's result for some tensors, and leaves a model's others alone.

        apply where the tensor is selected, else model

    What `where` selects is what the step `apply` makes of it. Every other tensor is the model's, byte for byte, and
    is read from nowhere else.

    `where` has one key or several, and a tensor has to be like all of them: `component` (unet, te, clip_l …),
    `block` (IN04-IN08, layer.0-7, IN04:attn2), `name` (an element such as attn2, or a regular expression /attn2/),
    `rank` (the number of dimensions: 1 for biases and norms, 2 for matrices, 4 for convolutions), `larger_than` and
    `smaller_than` (a number of elements: 500K, 1M). A list of places, names or ranks selects what is like one of
    them; a list of mappings, what is like one of these. That nothing is selected is an error.

    The VAE is the model's unless `where` names it, and then what the step gives, which has to merge VAEs itself
    (`vae: true`).

    For: merge only attention; merge only some layers or blocks; leave biases and norms; limit a step to a
    component.

    model: Gives all other tensors.
    apply: The step that gives those which are selected.
    where: Which tensors the step is for: by component, block, name, rank and size.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Ours; mergekit's filters choose parameters alone
    """
    return _apply("within", {"model": model, "apply": apply}, {}, {"where": where}, policy)
