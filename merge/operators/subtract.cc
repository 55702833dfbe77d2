#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerSubtract(Lowering& tape, const Arguments& given) {
  return tape.Subtract(given.operands[0], given.operands[1]);
}

}  // namespace

const Operator& subtract() {
  static const Operator declaration{
      .name = "subtract",
      .summary = "The difference of two models.",
      .doc =
          "The result is a delta: it is no model and cannot be an output, but it can be scaled, "
          "averaged with others and added to a model. A tensor that one operand lacks is absent "
          "from the difference.",
      .formula = "a - b",
      .source = "Task arithmetic, arXiv:2212.04089; ComfyUI ModelMergeSubtract",
      .example = "style_delta: {op: subtract, a: anime, b: base}",
      .uses = {"extract a style or task vector", "difference of two models"},
      .operands = {{.name = "a", .doc = "What is subtracted from."},
                   {.name = "b", .doc = "What is subtracted."}},
      .result = Kind::kDelta,
      .lower = LowerSubtract,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
