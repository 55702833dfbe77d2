#include <array>

#include "merge/arithmetic/training.h"

namespace weightsmith::internal::operators {
namespace {

/// Makes up for the ratio, which is a half on average where the three models are alike.
constexpr double kGain = 1.8;

Value LowerTrainDifference(Lowering& tape, const Arguments& given) {
  const auto [a, b, c] = std::array{given.operands[0], given.operands[1], given.operands[2]};
  const double gain = tape.Product(kGain, given.parameters.Number("alpha"));
  if (gain == 0) return a;
  // As the result has it: how far b is from a, in proportion to that and to what b learned.
  const Value distance = tape.Magnitude(tape.Subtract(b, a));
  const Value whole = tape.Add(tape.Magnitude(tape.Subtract(b, c)), distance);
  tape.TellMean("ratio", tape.Quotient(distance, whole));
  return tape.TrainDifference(a, gain, b, c);
}

}  // namespace

const Operator& train_difference() {
  static const Operator declaration{
      .name = "train_difference",
      .summary = "Adds b minus c to a as if a had been trained: least where a already is like b.",
      .doc =
          "Like add_difference, but each element of the difference is scaled by how far a is from "
          "b, compared with how far c is from b. Where a equals b nothing is added, so that the "
          "same training cannot be added twice. The gain of 1.8 is the one that all published "
          "implementations use.",
      .formula = "a + ((1.8*alpha)*(b - c))*(|b - a| / (|b - c| + |b - a|)), where 0/0 is 0",
      .source = "SuperMerger, \"trainDifference\"",
      .example = "style: {op: train_difference, a: photo, b: anime, c: base, alpha: 1}",
      .uses = {"style transfer", "transfer what a fine-tune learned without burning the model"},
      .operands = ModelAndTraining(),
      .result = Kind::kWeight,
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "How much of the training."}},
      .lower = LowerTrainDifference,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
