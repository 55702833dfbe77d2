#include "merge/arithmetic/task_vectors.h"

namespace weightsmith::internal::operators {
namespace {

/// Added to a length, and the least length that a mean of directions has.
constexpr double kNoLength = 1e-8;

double SumOfWeights(const Lowering& tape, const Arguments& given) {
  double total = 0;
  for (const double weight : given.weights) total = tape.Sum(total, weight);
  return total;
}

/// |Σ wᵢ·xᵢ/|xᵢ||², of the inner products of all pairs.
Scalar SquareOfMean(Lowering& tape, std::span<const Value> vectors,
                    std::span<const Scalar> factors) {
  Scalar square = 0;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const Scalar product =
          tape.Times(tape.Times(factors[i], factors[j]), tape.Dot(vectors[i], vectors[j]));
      square = tape.Plus(square, i == j ? product : tape.Times(2, product));
    }
  }
  return square;
}

Value LowerMultislerp(Lowering& tape, const Arguments& given) {
  const Value base = given.operands.empty() ? Value::Zero() : given.operands[0];
  const double total = given.parameters.Flag("normalize") ? SumOfWeights(tape, given) : 1;
  std::vector<Value> vectors;
  std::vector<Scalar> weights;
  std::vector<Scalar> factors;  // of a vector in the mean of directions
  Scalar length = 0;
  for (std::size_t i = 0; i < given.list.size(); ++i) {
    vectors.push_back(tape.Subtract(given.list[i], base));
    weights.push_back(tape.Over(given.weights[i], total));
    const Scalar norm = tape.Norm(vectors[i]);
    factors.push_back(tape.Over(weights[i], tape.Plus(norm, kNoLength)));
    length = tape.Plus(length, tape.Times(weights[i], norm));
  }
  const Scalar mean = tape.SquareRoot(tape.Greater(SquareOfMean(tape, vectors, factors), 0));
  tape.Tell("length of the mean direction", mean);
  tape.TellIfAny("straight line", tape.Select(mean, kNoLength, 1, 0));
  const Scalar scale = tape.Over(length, mean);
  Value sum = Value::Zero();
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const Scalar factor = tape.Select(mean, kNoLength, weights[i], tape.Times(factors[i], scale));
    sum = tape.Add(sum, tape.Scale(factor, vectors[i]));
  }
  return tape.Add(base, sum);
}

}  // namespace

const Operator& multislerp() {
  static const Operator declaration{
      .name = "multislerp",
      .summary = "The mean direction of any number of models, with the mean of their lengths.",
      .doc =
          "Every tensor is one vector. Directions are averaged by the weights, and the mean gets "
          "the average of the lengths, which the average of the vectors would fall short of. With "
          "a base all of this is done to the differences to it. Where directions cancel each "
          "other, the vectors are averaged.\n\n"
          "mergekit goes on from the mean along the mean tangent of the sphere; by the same "
          "weights that tangent is 0, and the results agree.",
      .formula =
          "base + (sum(w_i*|y_i|) / |sum(w_i*y_i/|y_i|)|) * sum(w_i*y_i/|y_i|), y_i = x_i - base, "
          "w_i divided by their sum",
      .source = "mergekit's multislerp",
      .example =
          "mix: {op: multislerp, of: [{model: photo, weight: 0.5}, {model: anime, weight: 0.3}, "
          "{model: base, weight: 0.2}]}",
      .uses = {"blend several models and keep their strength", "language models"},
      .operands = {{.name = "base", .doc = "Where vectors begin.", .optional = true}},
      .list =
          OperandListSpec{.name = "of", .weighted = true, .doc = "The models, with a weight each."},
      .parameters = {NormalizeParameter(true, "Whether to divide the weights by their sum.")},
      .check = CheckTwoFineTunes,
      .check_tensor = CheckSumOfWeights,
      .lower = LowerMultislerp,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
