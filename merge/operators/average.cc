#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckAverage(const ArgumentsGiven& given) {
  return given.list == 0 ? "`of` is empty: it needs at least one operand" : "";
}

Value LowerAverage(Lowering& tape, const Arguments& given) {
  Value sum = Value::Zero();
  for (const Value operand : given.list) sum = tape.Add(sum, operand);
  return tape.Divide(sum, static_cast<double>(given.list.size()));
}

}  // namespace

const Operator& average() {
  static const Operator declaration{
      .name = "average",
      .summary = "The mean of any number of models.",
      .doc =
          "The same as linear with normalize and every weight 1. A difference that lacks a tensor "
          "counts as zero there. The VAE of models is that of the first, unless `vae: true` "
          "averages it too.",
      .formula = "(x0 + x1 + ...) / n, left to right",
      .source = "Uniform model soup, arXiv:2203.05482",
      .example = "soup: {op: average, of: [photo, anime, base]}",
      .uses = {"soup of several models", "average checkpoints of one training run"},
      .list = OperandListSpec{.name = "of", .doc = "What is averaged."},
      .parameters = {VaeParameter()},
      .check = CheckAverage,
      .lower = LowerAverage,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
