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

from weightsmith._apply import apply
from weightsmith._model import Model, ModelLike, Policy, Weights

__all__ = [
    "add",
    "add_difference",
    "average",
    "clamp",
    "copy",
    "crossover",
    "linear",
    "model_stock",
    "multiply",
    "norm_match",
    "scale",
    "slerp",
    "subtract",
    "sum_twice",
    "ties",
    "train_difference",
    "triple_sum",
    "weighted_sum",
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

    a: What is added to.
    b: The difference.
    alpha: Strength of the difference. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Task arithmetic, arXiv:2212.04089; ComfyUI ModelMergeAdd at alpha 1
    """
    return apply("add", {"a": a, "b": b}, {}, {"alpha": alpha}, policy, differences=["b"])


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

    a: The model that is changed.
    b: The model that was trained.
    c: What b was trained from.
    alpha: How much of the difference. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: A1111 checkpoint merger, "Add difference"
    """
    return apply("add_difference", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha}, policy)


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

    of: What is averaged.
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Uniform model soup, arXiv:2203.05482
    """
    return apply("average", {}, {"of": of}, {"vae": vae}, policy)


@overload
def clamp(
    a: ModelLike,
    to: Sequence[ModelLike] = (),
    *,
    low: float | None = None,
    high: float | None = None,
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
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any: ...
def clamp(
    a: Any,
    to: Sequence[Any] = (),
    *,
    low: float | None = None,
    high: float | None = None,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any:
    """Limits every element, to numbers or to the range that other models span.

        min(max(a, low), high), where to gives low = min(to...) and high = max(to...)

    With low and high (either may be left out) elements below or above become that number. With to, each element is
    limited to the least and the greatest that the listed models have in its place: an add_difference that is
    clamped to its first two models stays between them. A VAE that an earlier step computed is limited with the
    rest; one that is a model's own only with `vae: true`.

    a: What is limited.
    to: Models that set the limits.
    low: Least value.
    high: Greatest value.
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: sd-mecha's clamp; SD.Next's and meh's weights clip
    """
    return apply("clamp", {"a": a}, {"to": to}, {"low": low, "high": high, "vae": vae}, policy)


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

    a: The model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: A1111 checkpoint merger, "No interpolation"
    """
    return apply("copy", {"a": a}, {}, {}, policy)


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

    a: Low frequencies, below tilt 1.
    b: High ones.
    alpha: Share of b. (0.0 to 1.0)
    tilt: How soft the crossing is. (0.0 to 4.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: sd-mecha's crossover
    """
    return apply("crossover", {"a": a, "b": b}, {}, {"alpha": alpha, "tilt": tilt}, policy)


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

    of: The terms, with a weight each.
    normalize: Whether to divide by the sum of the weights.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Model soups, arXiv:2203.05482; mergekit's linear (whose normalize is on by default)
    """
    return apply("linear", {}, {"of": of}, {"normalize": normalize}, policy, weighted=True)


@overload
def model_stock(
    base: ModelLike,
    of: Sequence[ModelLike],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Model: ...
@overload
def model_stock(
    base: Mapping[str, Any],
    of: Sequence[Mapping[str, Any]],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def model_stock(
    base: Any,
    of: Sequence[Any],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any: ...
def model_stock(
    base: Any,
    of: Sequence[Any],
    *,
    vae: bool | None = None,
    policy: Policy | None = None,
) -> Any:
    """Averages fine-tunes, nearer to their base the less they point the same way.

        t*mean(x_i) + (1 - t)*base, t = n*c / (1 + (n - 1)*c), c the mean cosine of all pairs of differences

    The mean of the models is pulled towards the base by the angle between their differences to it, tensor by
    tensor: fine-tunes that agree are averaged, where they have nothing in common the base stays. A mean cosine
    below 0 counts as 0, where mergekit moves away from the models.

    base: What all were trained from.
    of: The fine-tuned models.
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Model Stock, arXiv:2403.19522; mergekit's model_stock
    """
    return apply("model_stock", {"base": base}, {"of": of}, {"vae": vae}, policy)


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

    a: One factor.
    b: The other.
    vae: Whether the VAE is computed as well; otherwise it is that of the leftmost model.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Elementwise (Hadamard) product
    """
    return apply("multiply", {"a": a, "b": b}, {}, {"vae": vae}, policy)


@overload
def norm_match(
    a: ModelLike,
    b: ModelLike,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Model: ...
@overload
def norm_match(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def norm_match(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any: ...
def norm_match(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any:
    """Scales one model to the norms of another, tensor by tensor.

        (((1 - alpha)*|b| + alpha*|a|) / |b|)*b, |x| the norm of the tensor

    Every tensor keeps the direction that it has in b and gets the length that it has in a. Between alpha 0 and 1
    its norm is interpolated on the straight line. At alpha 0 the result is b, byte for byte; a tensor of b that is
    zero stays so.

    a: Gives the norms.
    b: What is scaled to them.
    alpha: How far from the norm of b to that of a. (0.0 to 1.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Norm transfer (weight rescaling)
    """
    return apply("norm_match", {"a": a, "b": b}, {}, {"alpha": alpha}, policy)


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

    a: The difference.
    factor: What it is multiplied by.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Task arithmetic, arXiv:2212.04089
    """
    return apply("scale", {"a": a}, {}, {"factor": factor}, policy, differences=["a"], gives_difference=True)


@overload
def slerp(
    a: ModelLike,
    b: ModelLike,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Model: ...
@overload
def slerp(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def slerp(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any: ...
def slerp(
    a: Any,
    b: Any,
    *,
    alpha: Weights,
    policy: Policy | None = None,
) -> Any:
    """Blends two models along the arc between them, tensor by tensor.

        (sin((1 - alpha)*w)*a + sin(alpha*w)*b) / sin(w), w the angle between a and b

    Where a blend on the straight line of two models that point in different directions is shorter than both, this
    one keeps its length. Every tensor is one vector. Tensors that are parallel or opposite (a cosine above 0.9995
    or below -0.9995) are blended on the straight line, as weighted_sum does; a tensor of zeros has a right angle to
    any other. At alpha 0 the result is a, at 1 it is b, byte for byte.

    sd-mecha also interpolates the norms; this does not. For tensors of equal norm the results agree.

    a: What alpha 0 gives.
    b: What alpha 1 gives.
    alpha: How far along the arc from a to b. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Shoemake, 1985; mergekit's slerp
    """
    return apply("slerp", {"a": a, "b": b}, {}, {"alpha": alpha}, policy)


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

    a: What is subtracted from.
    b: What is subtracted.
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: Task arithmetic, arXiv:2212.04089; ComfyUI ModelMergeSubtract
    """
    return apply("subtract", {"a": a, "b": b}, {}, {}, policy, gives_difference=True)


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

    a: First model.
    b: Blended into a.
    c: Blended into that.
    alpha: Share of b beside a. (-10.0 to 10.0)
    beta: Share of c in the whole. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: SuperMerger, "sum Twice"
    """
    return apply("sum_twice", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha, "beta": beta}, policy)


@overload
def ties(
    base: ModelLike,
    of: Sequence[tuple[ModelLike, Weights]],
    *,
    density: Weights,
    normalize: bool = True,
    sign: Literal["total", "frequency"] = "total",
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Model: ...
@overload
def ties(
    base: Mapping[str, Any],
    of: Sequence[tuple[Mapping[str, Any], Weights]],
    *,
    density: Weights,
    normalize: bool = True,
    sign: Literal["total", "frequency"] = "total",
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> dict[str, Any]: ...
@overload
def ties(
    base: Any,
    of: Sequence[tuple[Any, Weights]],
    *,
    density: Weights,
    normalize: bool = True,
    sign: Literal["total", "frequency"] = "total",
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any: ...
def ties(
    base: Any,
    of: Sequence[tuple[Any, Weights]],
    *,
    density: Weights,
    normalize: bool = True,
    sign: Literal["total", "frequency"] = "total",
    lambda_: Weights = 1.0,
    policy: Policy | None = None,
) -> Any:
    """Adds what fine-tunes agree on: the largest changes, of the sign that outweighs.

        base + lambda*sum(k_i) / sum(w_i where k_i != 0), k_i = w_i*trim(x_i - base) of the elected sign

    Of every model's difference to the base the largest elements are kept, as many as density says, by magnitude
    over the whole tensor; equal magnitudes at the limit are all kept. Where models disagree on a sign, elements of
    one are left out: the sign with the larger weighted sum counts, or with `sign: frequency` the one that more
    models have (+ where both are equal). With normalize each element is divided by the sum of the weights of the
    models that are left there.

    base: What all were trained from.
    of: The fine-tuned models, with a weight each.
    density: The share of each difference that is kept. (0.0 to 1.0)
    normalize: Whether to divide by the weights that agree.
    sign: What elects a sign: the sum of the changes, or how many have it.
    lambda_: A factor for what is added to the base. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: TIES-Merging, arXiv:2306.01708; mergekit's ties
    """
    return apply("ties", {"base": base}, {"of": of}, {"density": density, "normalize": normalize, "sign": sign, "lambda": lambda_}, policy, weighted=True)


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

    a: The model that is changed.
    b: The model that was trained.
    c: What b was trained from.
    alpha: How much of the training. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: SuperMerger, "trainDifference"
    """
    return apply("train_difference", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha}, policy)


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

    a: Gets what the others leave.
    b: Gets alpha.
    c: Gets beta.
    alpha: Share of b. (-10.0 to 10.0)
    beta: Share of c. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: SuperMerger, "Triple sum"
    """
    return apply("triple_sum", {"a": a, "b": b, "c": c}, {}, {"alpha": alpha, "beta": beta}, policy)


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

    a: What alpha 0 gives.
    b: What alpha 1 gives.
    alpha: Share of b. (-10.0 to 10.0)
    policy: Policies of this step, such as {"missing": "keep"}.

    Source: A1111 checkpoint merger, "Weighted sum"
    """
    return apply("weighted_sum", {"a": a, "b": b}, {}, {"alpha": alpha}, policy)
