#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerWeightedSum(Lowering& tape, const Arguments& given) {
  const double alpha = given.parameters.Number("alpha");
  return tape.Blend(tape.Difference(1, alpha), given.operands[0], alpha, given.operands[1]);
}

}  // namespace

const Operator& weighted_sum() {
  static const Operator declaration{
      .name = "weighted_sum",
      .summary = "Blends two models: alpha is the share of the second.",
      .doc =
          "The everyday merge. At alpha 0 the result is a, at 1 it is b, and what is not needed is "
          "not read; values below 0 or above 1 extrapolate.\n\n"
          "Alpha is the weight of b, as in A1111, SuperMerger and sd-mecha. ComfyUI's merge nodes "
          "give the weight of the first model instead: there, write 1 minus their ratio.",
      .formula = "(1 - alpha)*a + alpha*b",
      .source = "A1111 checkpoint merger, \"Weighted sum\"",
      .example = "mix: {op: weighted_sum, a: photo, b: anime, alpha: 0.3}",
      .uses = {"blend two models", "style mix, block by block"},
      .operands = {{.name = "a", .doc = "What alpha 0 gives."},
                   {.name = "b", .doc = "What alpha 1 gives."}},
      .parameters =
          {{.name = "alpha", .by_place = true, .low = -10, .high = 10, .doc = "Share of b."}},
      .lower = LowerWeightedSum,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
