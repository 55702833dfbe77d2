#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerMultiply(Lowering& tape, const Arguments& given) {
  const Value product = tape.Multiply(given.operands[0], given.operands[1]);
  tape.TellShare("not zero", product);
  return product;
}

}  // namespace

const Operator& multiply() {
  static const Operator declaration{
      .name = "multiply",
      .summary = "Multiplies two models or two differences, element by element.",
      .doc =
          "Serves to gate one difference with another. Where a difference has no tensor, the "
          "product has none either.",
      .formula = "a*b, by element",
      .source = "Elementwise (Hadamard) product",
      .example = "gated: {op: multiply, a: style_delta, b: mask}",
      .uses = {"mask a difference", "gate one model by another"},
      .operands = {{.name = "a", .doc = "One factor."}, {.name = "b", .doc = "The other."}},
      .parameters = {VaeParameter()},
      .lower = LowerMultiply,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
