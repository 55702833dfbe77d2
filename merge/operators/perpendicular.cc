#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerPerpendicular(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const Scalar square = tape.Dot(a, a);
  const Scalar along = tape.Select(0, square, tape.Over(tape.Dot(a, b), square), 0);
  tape.Tell("left out", along, Unit::kNumber, Subject::Operand(0));
  return tape.AddScaled(b, tape.Times(-1, along), a);
}

}  // namespace

const Operator& perpendicular() {
  static const Operator declaration{
      .name = "perpendicular",
      .summary = "What of b points nowhere that a points: b without its projection on a.",
      .doc =
          "Every tensor is one vector. The result is a difference at a right angle to "
          "a. Where a is zero it has no direction, and all of b remains; sd-mecha "
          "gives nothing there.\n\n"
          "Of differences, it is what one training did that another did not. sd- "
          "mecha's add_perpendicular is `{op: add, a: a, b: {op: perpendicular, a: "
          "{op: subtract, a: a, b: c}, b: {op: subtract, a: b, b: c}}}`, and "
          "Chattiori's ORTHO is `{op: add, a: a, b: {op: perpendicular, a: a, b: "
          "b}}`.",
      .formula = "b - (<a, b> / <a, a>)*a",
      .source = "sd-mecha's perpendicular_component; Chattiori, ORTHO",
      .example =
          "new: {op: perpendicular, a: {op: subtract, a: photo, b: base}, b: {op: "
          "subtract, a: anime, b: base}}",
      .uses = {"add a style without what the model already has",
               "combine several fine-tunes of one base"},
      .operands = {{.name = "a", .doc = "The direction that is left out."},
                   {.name = "b", .doc = "What it is left out of."}},
      .result = Kind::kDelta,
      .parameters = {VaeParameter()},
      .lower = LowerPerpendicular,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
