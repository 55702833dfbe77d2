#include "merge/arithmetic/task_vectors.h"

namespace weightsmith::internal::operators {
namespace {

/// mergekit's limit of a sum of mean squares.
constexpr double kSmallSquares = 1e-6;
/// The least that a sum of weights is divided by.
constexpr double kLeastWeight = 1e-6;

/// The variance over the models, by element: exactly 0 where all are equal.
Value Variance(Lowering& tape, std::span<const Value> models) {
  Value sum = Value::Zero();
  for (std::size_t i = 0; i < models.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Value difference = tape.Subtract(models[i], models[j]);
      sum = tape.Add(sum, tape.Multiply(difference, difference));
    }
  }
  const auto count = static_cast<double>(models.size());
  return tape.Divide(sum, count * count);
}

/// The share of each model's squares in those of all; equal shares where all are 0.
std::vector<Scalar> SharesOfSquares(Lowering& tape, std::span<const Value> deltas, double least,
                                    double elements) {
  std::vector<Scalar> shares;
  Scalar total = 0;
  for (const Value delta : deltas) {
    shares.push_back(tape.Over(tape.Dot(delta, delta), elements));
    total = tape.Plus(total, shares.back());
  }
  const double equal = 1 / static_cast<double>(deltas.size());
  for (Scalar& share : shares) {
    const Scalar own = tape.Select(0, total, tape.Over(share, total), equal);
    share = tape.Select(total, least, equal, own);
  }
  return shares;
}

Value LowerSce(Lowering& tape, const Arguments& given) {
  std::vector<Value> deltas = Differences(tape, given);
  const double select = given.parameters.Number("select");
  if (select < 1) {
    const Value variance = Variance(tape, given.list);
    const Scalar limit = tape.Ranked(variance, {.rule = Rank::Rule::kNotZero, .fraction = select});
    const Value chosen = tape.KeepAtLeast(variance, limit);
    for (Value& delta : deltas) delta = tape.Choose(chosen, delta, Value::Zero());
    tape.TellShare("selected", chosen);
  }
  const bool like_mergekit = given.parameters.Word("weights") == "mergekit";
  const std::vector<Scalar> shares =
      SharesOfSquares(tape, deltas, like_mergekit ? kSmallSquares : 0, given.Elements());
  const std::vector<Value> agreed = OfElectedSign(tape, deltas, "total");
  Value sum = Value::Zero();
  Value total = Value::Zero();
  for (std::size_t i = 0; i < agreed.size(); ++i) {
    sum = tape.AddScaled(sum, shares[i], agreed[i]);
    total = tape.Add(total, tape.WhereNotZero(shares[i], agreed[i]));
  }
  return tape.Add(given.operands[0],
                  tape.Quotient(sum, tape.Max(total, tape.Constant(kLeastWeight))));
}

}  // namespace

const Operator& sce() {
  static const Operator declaration{
      .name = "sce",
      .summary = "Adds where fine-tunes differ most, weighted by how much each has changed.",
      .doc =
          "Three steps, tensor by tensor. Select: the elements in which the models vary most are "
          "kept, a share of those in which they vary at all, with all that vary as much as the "
          "last of them. Calculate: each model gets a weight by the squares of what is left of "
          "its difference to the base. Erase: elements are left out that have not the sign of "
          "the sum. What is left is averaged by the weights and added to the base.\n\n"
          "mergekit gives all models the same weight where the mean squares add up to less than "
          "1e-6, which those of most fine-tunes do: `weights: mergekit`. In the code of "
          "FuseChat's authors the elements that are selected decide the weights alone, and all "
          "are merged; here, as in mergekit, the others are left out.",
      .formula = "base + sum(w_i*k_i) / sum(w_i where k_i != 0), w_i = |d_i|^2 / sum(|d_j|^2)",
      .source = "FuseChat (SCE), arXiv:2408.07990; mergekit's sce",
      .example = "mix: {op: sce, base: base, of: [photo, anime], select: 0.5}",
      .uses = {"combine several fine-tunes", "weights without choosing them", "language models"},
      .operands = {BaseOperand()},
      .list = FineTunes(false),
      .result = Kind::kWeight,
      .parameters = {{.name = "select",
                      .default_value = 1.0,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "The share of varying elements that is kept, by variance."},
                     {.name = "weights",
                      .type = ParameterType::kWord,
                      .default_value = 0,
                      .words = {"squares", "mergekit"},
                      .doc = "By squares always, or equal ones where changes are small."}},
      .check = CheckFineTunes,
      .lower = LowerSce,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
