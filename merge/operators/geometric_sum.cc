#include "merge/arithmetic/opposite.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

constexpr double kHalfTurn = 0x1.921fb54442d18p+1;

/// 1 where x is below 0, else 0.
Value IsBelowZero(Lowering& tape, Value x) {
  return tape.WhereNotZero(1, tape.Min(x, Value::Zero()));
}

Value LowerGeometricSum(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double t = tape.Round(given.parameters.Number("alpha"));
  if (t == 0 || a == b) return a;
  if (t == 1) return b;
  TellOpposite(tape, a, b);
  const double rest = tape.Difference(1, t);
  const Value size =
      tape.Multiply(tape.Power(tape.Magnitude(a), rest), tape.Power(tape.Magnitude(b), t));
  // A number below 0 has an angle of half a turn, of which its share remains.
  const Value of_a = IsBelowZero(tape, a);
  const Value of_b = IsBelowZero(tape, b);
  const Value both = tape.Multiply(of_a, of_b);
  const Value either = tape.Subtract(tape.Add(of_a, of_b), both);
  const Value neither = tape.Subtract(tape.Constant(1), either);
  const Value one = tape.Blend(tape.Cosine(Scalar(kHalfTurn * rest)), tape.Subtract(of_a, both),
                               tape.Cosine(Scalar(kHalfTurn * t)), tape.Subtract(of_b, both));
  return tape.Multiply(size, tape.Add(tape.Subtract(neither, both), one));
}

}  // namespace

const Operator& geometric_sum() {
  static const Operator declaration{
      .name = "geometric_sum",
      .summary = "Blends magnitudes as a product of powers: small where either is small.",
      .doc =
          "The geometric mean of every pair of elements, weighted by alpha. Where "
          "their signs differ, the result is the real part of the product of complex "
          "powers: its sign and size turn from a to b by way of 0. Where both are "
          "below 0 so is the result. At alpha 0 it is a, at 1 it is b, byte for byte.",
      .formula = "Re(a^(1 - alpha)*b^alpha)",
      .source = "sd-mecha's geometric_sum; Chattiori, GEO (which gives NaN below 0)",
      .example = "mix: {op: geometric_sum, a: photo, b: anime, alpha: 0.5}",
      .uses = {"keep what two models agree on", "blend two models"},
      .operands = {{.name = "a", .doc = "What alpha 0 gives."},
                   {.name = "b", .doc = "What alpha 1 gives."}},
      .parameters =
          {{.name = "alpha", .by_place = true, .low = 0, .high = 1, .doc = "Share of b."}},
      .lower = LowerGeometricSum,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
