#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

/// The least distance that t is divided by.
constexpr double kNearest = 1e-6;

Value LowerNearswap(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double t = tape.Round(given.parameters.Number("t"));
  if (t == 0 || a == b) return a;
  const Value distance = tape.Max(tape.Magnitude(tape.Subtract(a, b)), tape.Constant(kNearest));
  const Value one = tape.Constant(1);
  const Value share = tape.Min(tape.Quotient(tape.Constant(t), distance), one);
  tape.TellMean("taken", share, Subject::Operand(1));
  return tape.Add(tape.Multiply(share, b), tape.Multiply(tape.Subtract(one, share), a));
}

}  // namespace

const Operator& nearswap() {
  static const Operator declaration{
      .name = "nearswap",
      .summary = "Takes elements of a second model where they are near those of the first.",
      .doc =
          "Where a and b differ by t or less, the element is that of b; the farther they are from "
          "each other, the more is left of a: at a distance of 2*t the share of b is a half. At "
          "t 0 the result is a.",
      .formula = "w*b + (1 - w)*a, w = min(1, t / max(|a - b|, 1e-6))",
      .source = "Alchemonaut's nearswap; mergekit's nearswap",
      .example = "mix: {op: nearswap, a: photo, b: anime, t: 0.001}",
      .uses = {"a light touch of another model", "language models"},
      .operands = {{.name = "a", .doc = "What stays where they are far from each other."},
                   {.name = "b", .doc = "What is taken where they are near."}},
      .parameters = {{.name = "t",
                      .by_place = true,
                      .low = 0,
                      .high = 1e6,
                      .doc = "The distance up to which b is taken whole."}},
      .lower = LowerNearswap,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
