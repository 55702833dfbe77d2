#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerScale(Lowering& tape, const Arguments& given) {
  return tape.Scale(given.parameters.Number("factor"), given.operands[0]);
}

}  // namespace

const Operator& scale() {
  static const Operator declaration{
      .name = "scale",
      .summary = "Makes a difference stronger or weaker.",
      .doc =
          "A negative factor turns the difference round. Only differences are scaled: a model "
          "that is multiplied by a number is no model any more.",
      .formula = "factor*a",
      .source = "Task arithmetic, arXiv:2212.04089",
      .example = "weaker: {op: scale, a: style_delta, factor: 0.5}",
      .uses = {"strengthen or weaken a style or task vector", "negate what a fine-tune learned"},
      .operands = {{.name = "a", .kind = Kind::kDelta, .doc = "The difference."}},
      .result = Kind::kDelta,
      .parameters = {{.name = "factor", .by_place = true, .doc = "What it is multiplied by."}},
      .lower = LowerScale,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
