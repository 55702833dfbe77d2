#include <array>

#include "merge/arithmetic/training.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerAddDifference(Lowering& tape, const Arguments& given) {
  const auto [a, b, c] = std::array{given.operands[0], given.operands[1], given.operands[2]};
  return tape.AddDifference(a, given.parameters.Number("alpha"), b, c);
}

}  // namespace

const Operator& add_difference() {
  static const Operator declaration{
      .name = "add_difference",
      .summary = "Adds to a model what fine-tuning gave another: b minus the c it was made from.",
      .doc =
          "Moves what b learned beyond its base c onto a. With a an inpainting model, b a model "
          "to convert and c the common base, alpha 1 gives an inpainting version of b (set the "
          "policy input_channels to keep_extra, because the inpainting model has a wider input "
          "convolution).\n\n"
          "A tensor that b or c lacks has no difference there, and a stays as it is, where the "
          "policy for missing tensors allows that.",
      .formula = "a + alpha*(b - c)",
      .source = "A1111 checkpoint merger, \"Add difference\"",
      .example = "style: {op: add_difference, a: photo, b: anime, c: base, alpha: 0.6}",
      .uses = {"style transfer", "transfer what a fine-tune learned to another model",
               "turn a model into an inpainting or turbo model"},
      .operands = ModelAndTraining(),
      .result = Kind::kWeight,
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "How much of the difference."}},
      .lower = LowerAddDifference,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
