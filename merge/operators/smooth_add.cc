#include <array>
#include <span>

#include "merge/arithmetic/training.h"
#include "merge/operator.h"
#include "merge/program/smoothing.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerSmoothAdd(Lowering& tape, const Arguments& given) {
  const auto [a, b, c] = std::array{given.operands[0], given.operands[1], given.operands[2]};
  const double alpha = tape.Round(given.parameters.Number("alpha"));
  if (alpha == 0 || b == c) return a;
  const std::string_view filter = given.parameters.Word("filter");
  const Value difference = tape.Subtract(b, c);
  const Value smooth =
      tape.Transformed(Smooth(), std::span(&difference, 1),
                       {.median = filter != "gaussian", .gaussian = filter != "median"});
  tape.Tell("energy cut off", tape.Minus(1, tape.ToldBy(smooth, 0)), Unit::kShare,
            Subject::Operand(1));
  return tape.AddScaled(a, alpha, smooth);
}

}  // namespace

const Operator& smooth_add() {
  static const Operator declaration{
      .name = "smooth_add",
      .summary = "Adds b minus c to a after outliers and noise were smoothed out of it.",
      .doc =
          "The difference goes through a median of three elements in every dimension, "
          "which removes what stands alone, and then through a Gaussian of deviation "
          "1 along each. What is behind an end is mirrored. `filter: median` or "
          "`filter: gaussian` applies one of them.\n\n"
          "Neighbours are those in the tensor: in a linear layer they are neurons "
          "that have nothing to do with each other, and what is left of the "
          "difference is mostly its mean. Use it with weights by place, for "
          "convolutions. A tensor is held whole while it is computed, and the median "
          "takes far longer than all other operators: some microseconds for each "
          "weight of a 3x3 convolution.",
      .formula = "a + alpha*gaussian(median(b - c))",
      .source =
          "SuperMerger, \"smoothAdd\" (and \"smoothAdd MT\", which is the same); "
          "Chattiori, sAD",
      .example = "style: {op: smooth_add, a: photo, b: anime, c: base, alpha: 0.7}",
      .uses = {"add a fine-tune without burning", "remove noise from a difference"},
      .operands = ModelAndTraining(),
      .result = Kind::kWeight,
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "How much of the difference."},
                     {.name = "filter",
                      .type = ParameterType::kWord,
                      .default_value = 0,
                      .words = {"both", "median", "gaussian"},
                      .doc = "Which filters it goes through."}},
      .lower = LowerSmoothAdd,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
