#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerMaximum(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double alpha = tape.Round(given.parameters.Number("alpha"));
  if (alpha == 0) return a;
  const Value largest = tape.Max(a, b);
  tape.TellShare("taken", tape.Subtract(largest, a), Subject::Operand(1));
  return alpha == 1 ? largest : tape.AddDifference(a, alpha, largest, a);
}

}  // namespace

const Operator& maximum() {
  static const Operator declaration{
      .name = "maximum",
      .summary = "The larger of two models, element by element.",
      .doc =
          "The number that is larger, not the one of the larger magnitude: what is "
          "below 0 tends to the model that has less of it. Below alpha 1 the result "
          "lies between that and a.",
      .formula = "a + alpha*(max(a, b) - a)",
      .source = "Chattiori, MAX",
      .example = "mix: {op: maximum, a: photo, b: anime}",
      .uses = {"blend without averaging"},
      .operands = {{.name = "a", .doc = "What alpha 0 gives."},
                   {.name = "b", .doc = "What is compared with it."}},
      .parameters = {{.name = "alpha",
                      .default_value = 1.0,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "How much of the change."}},
      .lower = LowerMaximum,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
