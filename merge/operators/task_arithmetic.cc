#include "merge/arithmetic/task_vectors.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerTaskArithmetic(Lowering& tape, const Arguments& given) {
  const std::vector<Value> terms = Weighted(tape, Differences(tape, given), given.weights);
  return AddToBase(tape, given,
                   SumOfTerms(tape, terms, given.weights, given.parameters.Flag("normalize")));
}

}  // namespace

const Operator& task_arithmetic() {
  static const Operator declaration{
      .name = "task_arithmetic",
      .summary = "Adds what fine-tunes learned to their base, each with a weight.",
      .doc =
          "Every model's difference to the base is multiplied by its weight, and the sum is added. "
          "Weights need not add up to 1: with one model and a weight of 1 the result is that "
          "model, a weight below 0 takes away what it learned. With normalize the sum is divided "
          "by the sum of the weights.",
      .formula = "base + lambda*(w0*(x0 - base) + w1*(x1 - base) + ...), left to right",
      .source = "Editing Models with Task Arithmetic, arXiv:2212.04089; mergekit's task_arithmetic",
      .example =
          "mix: {op: task_arithmetic, base: base, of: [{model: photo, weight: 0.6}, {model: anime, "
          "weight: 0.4}]}",
      .uses = {"combine what fine-tunes learned", "add a skill", "take a skill away",
               "language models"},
      .operands = {BaseOperand()},
      .list = FineTunes(true),
      .result = Kind::kWeight,
      .parameters = {NormalizeParameter(false, "Whether to divide by the sum of the weights."),
                     LambdaParameter()},
      .check = CheckFineTunes,
      .check_tensor = CheckSumOfWeights,
      .lower = LowerTaskArithmetic,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
