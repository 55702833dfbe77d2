#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerAdd(Lowering& tape, const Arguments& given) {
  return tape.AddScaled(given.operands[0], given.parameters.Number("alpha"), given.operands[1]);
}

}  // namespace

const Operator& add() {
  static const Operator declaration{
      .name = "add",
      .summary = "Adds a difference to a model, or to another difference.",
      .doc =
          "What subtract takes apart, add puts together: differences can be scaled, averaged or "
          "clamped in between. Where the difference has no tensor, a stays as it is.",
      .formula = "a + alpha*b",
      .source = "Task arithmetic, arXiv:2212.04089; ComfyUI ModelMergeAdd at alpha 1",
      .example = "out: {op: add, a: base, b: style_delta, alpha: 0.8}",
      .uses = {"apply a style or task vector to another model",
               "strengthen or weaken what a fine-tune learned"},
      .operands = {{.name = "a", .doc = "What is added to."},
                   {.name = "b", .kind = Kind::kDelta, .doc = "The difference."}},
      .parameters = {{.name = "alpha",
                      .default_value = 1.0,
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "Strength of the difference."}},
      .lower = LowerAdd,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
